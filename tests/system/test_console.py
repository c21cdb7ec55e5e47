"""The console against a real appliance, on a pseudo terminal; nothing sleeps, everything waits for text."""

import os
import pathlib
import random
import re
import signal
import subprocess
import time

import pytest

from appliance import BUILD, Appliance, zone_text
from asking import Asking
from console import Console, peak_kib, trace_of
from peers import wait_until

ZONES = 100_000
BUSY = 5  # budgets hold on a quiet machine; this one may be busy


@pytest.fixture(scope="module")
def many():
    """An appliance with 100,000 zones and one change after their import. Their files are links to two."""
    with Appliance() as a:
        folder = a.dir / "zones"
        folder.mkdir()
        for kind in ("shop", "site"):
            (a.dir / kind).write_text("@ 300 IN SOA ns1 hostmaster 1 7200 3600 1209600 300\n@ 300 IN NS ns1\n"
                                      "ns1 300 IN A 192.0.2.1\nwww 300 IN A 192.0.2.80\n")
        for i in range(ZONES):
            kind = "shop" if i % 2 else "site"
            os.link(a.dir / kind, folder / f"{kind}-{i:05d}.example")
        a.cli("zone", "import", "--dir", folder, "-m", "first import", timeout=300)
        a.cli("record", "set", "shop-00001.example", "www", "60", "A", "192.0.2.99", "--commit", "-m", "move www")
        yield a


def test_find_a_zone_among_a_hundred_thousand(many):
    trace = many.dir / "trace"
    with Console(many.socket, NS_UI_TRACE=str(trace)) as c:
        c.wait("1 Overview")
        c.wait("move www")
        c.press("2")
        c.wait("100 000   sort name ^   rows 1-18")
        c.press("/")
        for key in "01234":
            c.press(key)
        c.wait(lambda: "1 of 100 000" in c.text() and "site-01234.example" in c.text())
        c.press("enter", "enter")
        c.wait("Zones > site-01234.example")
        c.wait(lambda: re.search(r"www +A +300 +192\.0\.2\.80", c.text()))
        c.press("H")
        c.wait("first import")
        c.press("q")
        c.wait("1 of 100 000")
        c.press("ctrl-g", "G", "enter")  # at once: the end of all of them, which is not here yet either
        c.wait("Zones > site-99998.example")
        c.press("q", "/", "43211", "enter", "enter")
        c.wait("Zones > shop-43211.example")
        c.press("q", "esc")
        c.wait(lambda: " of 100 000" not in c.text() and "100 000" in c.text())
        c.press("Q")
        assert c.ended() == 0
        started = c.started
    frames = trace_of(trace)
    assert frames[0]["flush_ms"] / 1000 - started < 0.1 * BUSY, frames[0]
    keys = sorted(f["flush_ms"] - f["key_ms"] for f in frames if f["key_ms"])
    assert keys[int(len(keys) * 0.99) - 1] < 16 * BUSY, keys[-5:]
    assert sorted(f["bytes"] for f in frames if f["why"] == "data")[-1] <= 2048


def test_anywhere_in_a_hundred_thousand_costs_three_pages(many):
    """Typing, the end, the middle and another order: rows come at once, of few pages, into little memory."""
    trace = many.dir / "trace-pages"
    pages = lambda: trace_of(trace)[-1]["pages"]  # noqa: E731
    with Console(many.socket, NS_UI_TRACE=str(trace)) as c:
        c.press("2")
        c.wait("100 000   sort name ^")
        c.press("f")  # what is asked from here on, the keys ask for
        c.wait("FROZEN")
        took, before = {}, pages()
        for step, keys, shown in (
                ("sh", ("/", "s", "h"), lambda: "50 000 of 100 000" in c.text() and "shop-00001" in c.cursor_row()),
                ("all", ("esc",), lambda: "shop-00001" in c.cursor_row() and " 100 000   sort" in c.lines()[2]
                 and " of " not in c.lines()[2]),
                ("G", ("G",), lambda: "site-99998.example" in c.cursor_row()),
                ("50%", (":50%", "enter"), lambda: "shop-99999.example" in c.cursor_row()),
                ("qps", ("g", ">", ">", ">", "o"), lambda: "sort qps v" in c.text() and "rows 1-18" in c.text()),
                ("name", ("<", "<", "<", "o", "O"), lambda: "site-99998.example" in c.cursor_row())):
            c.press(*keys)
            took[step] = c.wait(shown)
            c.read(0.2)
            asked = pages() - before
            before += asked
            assert asked <= 3, (step, asked)
        assert took["sh"] < 0.15 * BUSY, took
        assert peak_kib(c.child.pid) < 48 * 1024
        c.press("Q")
        assert c.ended() == 0
    with Console(many.socket, keep=True) as c:  # the screen and its order are remembered
        c.wait(lambda: "sort name v" in c.text() and "site-99998.example" in c.cursor_row())
        c.press(":sort-reverse", "enter")
        c.wait("sort name ^")


def test_sorted_by_what_is_asked(many):
    """The busiest zone comes first, in the console and in the command, and the filter knows rates."""
    busy = "shop-77777.example"
    with Asking(many, names=(f"www.{busy}",)), Console(many.socket, width=120, height=40) as c:
        c.press("2")
        c.wait("100 000   sort name ^")
        c.press(">", ">", ">", "o")
        c.wait("sort qps v")
        end = time.monotonic() + 60
        while c.screen.drawing or not re.search(rf"{busy} +[0-9]+ +[0-9]+ +[0-9.k]+ ", c.cursor_row()):
            assert time.monotonic() < end, c.text()
            c.press("r", "g")
            for _ in range(5):
                c.read(0.1)

        def the_busiest():
            rows = many.cli_json("zone", "list", "--sort=-qps", "--limit", "2")["zones"]
            return rows[0]["name"] == f"{busy}." and rows[0]["qps"] > rows[1]["qps"] == 0

        wait_until(the_busiest, "it is the first")
        wait_until(lambda: many.cli_json("zone", "list", "--filter", "qps:>0")["total"] == 1, "and the only one")
    first = many.cli_json("zone", "list", "--sort=-changed", "--filter", "shop", "--limit", "3")
    assert first["zones"][0]["name"] == "shop-00001.example." and first["total"] == 50_000
    more = many.cli_json("zone", "list", "--sort=-changed", "--filter", "shop", "--limit", "3", "--cursor", first["next"])
    assert more["rank"] == 3 and not {z["name"] for z in more["zones"]} & {z["name"] for z in first["zones"]}


def test_the_mouse_and_the_prompt_in_an_editor(many):
    """Only when it is asked for: the wheel moves, a click goes to a row and opens it, or a tab. Ctrl-O has the prompt's text."""
    editor = many.dir / "editor"
    editor.write_text('#!/bin/sh\nexec sed -i s/12/34/ "$2"\n')
    editor.chmod(0o755)
    with Console(many.socket, VISUAL="", EDITOR=str(editor)) as c:
        c.press("2")
        c.wait("rows 1-18")
        c.press(":", "set mouse on", "enter")
        c.wait("The mouse moves here")
        assert b"\x1b[?1006;1000h" in c.raw
        c.press("\x1b[<65;5;9M")
        c.wait(lambda: "shop-00007" in c.cursor_row())
        c.press("\x1b[<0;5;10M", "\x1b[<0;5;10m")
        c.wait(lambda: "shop-00011" in c.cursor_row())
        c.press("\x1b[<0;5;10M", "\x1b[<0;5;10m")
        c.wait("Zones > shop-00011")
        c.press("\x1b[<0;55;2M", "\x1b[<0;55;2m")
        c.wait("move www")
        c.press("2")
        c.wait("rows ")
        c.press("/")
        c.wait("foo ^foo")
        c.press("site-00012", "ctrl-o")
        c.wait(lambda: "/site-00034" in c.text() and "1 of 100 000" in c.text())
        c.press("enter", ":", "set mouse off", "enter")
        c.wait("the terminal's own")
        assert c.raw.rindex(b"\x1b[?1006;1000l") > c.raw.rindex(b"\x1b[?1006;1000h")


def test_history_and_a_change(many):
    with Console(many.socket, width=120, height=40) as c:
        c.press("6")
        c.wait("move www")
        c.press("enter")
        c.wait("~ www.shop-00001.example. 300 -> 60 IN A 192.0.2.80 -> 192.0.2.99")
        c.wait("+0 -0 ~1")
        c.press("?")
        c.wait("Help")
        c.press("/", "interrupt", "enter")
        c.wait(lambda: ":interrupt" in c.text() and ":open" not in c.text())
        c.press("esc", "esc")
        c.wait("History > change")
        c.press(":", "messa\t", "enter")
        c.wait("Messages")
        c.press("ctrl-c")
        c.wait("Ctrl-C again")
        c.press("ctrl-c")
        assert c.ended() == 130


def test_the_list_follows_edits_and_the_cursor_its_zone(many):
    with Console(many.socket) as c:
        c.press("2", "/", "^shop-000", "enter")
        c.wait(lambda: "50 of 100 000" in c.text())
        c.press("down", "down")
        c.wait(lambda: "shop-00005" in c.cursor_row())
        many.cli("zone", "create", "shop-00000.example", "--ns", "ns1.example.org.", "--hostmaster", "h.example.org.",
                 "--commit")
        c.wait("51 of 100 001")
        assert "shop-00005" in c.cursor_row()
        many.cli("zone", "delete", "shop-00000.example", "--confirm=shop-00000.example", "--commit")
        c.wait("50 of 100 000")


def test_frozen_writes_nothing(many):
    with Console(many.socket) as c:
        c.wait("Change ")
        c.press("f")
        c.wait("FROZEN")
        while True:  # what was under way when it was pressed
            before = len(c.raw)
            c.read(0.7)
            if len(c.raw) == before:
                break
        end = time.monotonic() + 2.2
        while time.monotonic() < end:
            c.read(0.3)
        assert len(c.raw) == before, c.raw[before:]
        c.press("f")
        c.wait("Live again")


def test_a_terminal_that_never_answers(many):
    with Console(many.socket, mute=True) as c:
        c.wait("Change ")
        first = c.screen.display[0]
        c.wait(lambda: c.screen.display[0] != first)  # the clock goes on
        c.press("2")
        c.wait("shop-00001.example")


def test_resize_storm(many):
    rng = random.Random(7)
    with Console(many.socket) as c:
        c.press("2")
        c.wait("shop-00001.example")
        for _ in range(100):
            c.resize(rng.randint(1, 300), rng.randint(1, 100))
            c.read(0.001)
        c.resize(40, 10)
        c.wait("NameServe needs 60x16")
        c.resize(80, 24)
        c.wait(lambda: "shop-00001.example" in c.cursor_row() and "Enter open" in c.lines()[23])


def test_paste_into_a_list_does_nothing(many):
    with Console(many.socket) as c:
        c.press("2")
        c.wait("shop-00001.example")
        c.press("\x1b[200~Q6\rQ\x1b[201~")
        c.wait("Pasted text is ignored")
        c.press("/")
        c.press("\x1b[200~shop-00007\r\x1b[201~")
        c.wait("1 of 100 000")
        assert "/shop-00007" in c.lines()[22]
        c.press("esc")
        c.wait(lambda: "1 of 100 000" not in c.text())
        c.press("zx" * 40)  # of a terminal that does not say that it is pasted
        c.wait("Pasted text is ignored")


def test_the_appliance_dies_and_comes_back(example):
    with Console(example.socket) as c:
        c.press("2")
        c.wait(lambda: "example.com" in c.cursor_row())
        c.press("enter")
        c.wait("192.0.2.10")
        example.kill()
        assert c.wait("LINK LOST") < 2 * BUSY
        c.wait("STALE")
        c.press("?")
        c.wait("Help")
        c.press("q")
        c.wait("192.0.2.10")  # it keeps what it has
        example.start()
        c.wait(lambda: "LINK LOST" not in c.text() and "STALE" not in c.text(), 60)
        example.cli("record", "set", "example.com", "new", "60", "A", "192.0.2.77", "--commit")
        c.wait("192.0.2.77")


def test_it_opens_without_an_appliance(tmp_path):
    trace = tmp_path / "trace"
    with Console(tmp_path / "control", NS_UI_TRACE=str(trace)) as c:
        c.wait("NO LINK")
        assert trace_of(trace)[0]["flush_ms"] / 1000 - c.started < 0.1 * BUSY
        c.press("2")
        c.wait("Zones")
        c.child.kill(signal.SIGTERM)
        assert c.ended() == 0


@pytest.mark.parametrize("term", ["xterm-256color", "tmux-256color", "screen", "linux", "vt100"])
def test_terminals(many, term):
    with Console(many.socket, term=term) as c:
        c.press("2")
        c.wait("shop-00001.example")
        if term in ("linux", "vt100"):
            assert c.text().isascii()
        c.press("Q")
        assert c.ended() == 0


def test_what_is_no_terminal_is_told():
    done = subprocess.run([BUILD / "bin" / "nameserve", "console"], capture_output=True, text=True, timeout=10,
                          stdin=subprocess.DEVNULL)
    assert done.returncode == 2 and "terminal" in done.stderr


def test_environment(many):
    """A locale that is not installed, LINES of another terminal, no colour."""
    with Console(many.socket, LC_ALL="xx_XX.UTF-8", LINES="10", COLUMNS="40", NO_COLOR="1") as c:
        c.press("2")
        c.wait(lambda: "Enter open" in c.lines()[23])
    with Console(many.socket, args=["--ascii", "--color=never"]) as c:
        c.wait("Change ")
        assert c.text().isascii() and not re.search(rb"\x1b\[[0-9;]*3[0-7]m", c.raw)
