"""The console against a real appliance, on a pseudo terminal; nothing sleeps, everything waits for text."""

import os
import random
import re
import signal
import subprocess
import time

import pytest

from appliance import BUILD, Appliance, zone_text
from console import Console, peak_kib, trace_of

ZONES = 100_000 if "NS_LONG" in os.environ else 10_000
BUSY = 5  # budgets hold on a quiet machine; this one may be busy


@pytest.fixture(scope="module")
def many():
    """An appliance with 10,000 zones and one change after their import."""
    with Appliance() as a:
        folder = a.dir / "zones"
        folder.mkdir()
        for i in range(ZONES):
            name = f"{'shop' if i % 2 else 'site'}-{i:05d}.example"
            (folder / name).write_text(zone_text(f"{name}.", records="www IN A 192.0.2.80\n"))
        a.cli("zone", "import", "--dir", folder, "-m", "first import", timeout=600)
        a.cli("record", "set", "shop-00001.example", "www", "60", "A", "192.0.2.99", "--commit", "-m", "move www")
        yield a


def test_find_a_zone_among_ten_thousand(many):
    trace = many.dir / "trace"
    with Console(many.socket, NS_UI_TRACE=str(trace)) as c:
        c.wait("1 Overview")
        c.wait("move www")
        c.press("2")
        c.wait(f"{ZONES}")
        c.press("/")
        c.press("0", "1", "2", "3")
        c.wait("site-01230.example")
        c.press("4")
        took = c.wait(lambda: f" 1 of {ZONES}" in c.text() and "site-01234.example" in c.text())
        print(f"of {ZONES} zones the one that is typed after {took * 1000:.0f} ms")
        assert took < 0.150 * BUSY, took
        c.press("enter", "enter")
        c.wait("Zones > site-01234.example")
        c.wait(lambda: re.search(r"www +A +300 +192\.0\.2\.80", c.text()))
        c.press("H")
        c.wait("first import")
        c.press("q")
        c.wait(f"1 of {ZONES}")
        c.press("esc")
        c.wait(lambda: f" of {ZONES}" not in c.text() and f"{ZONES}" in c.text())
        c.press("G")
        c.wait(lambda: f"site-{ZONES - 2:05d}.example" in c.cursor_row(), 20)
        c.press("g")
        c.wait(lambda: "shop-00001.example" in c.cursor_row())
        assert peak_kib(c.child.pid) < 48 * 1024
        c.press("Q")
        assert c.ended() == 0
        started = c.started
    frames = trace_of(trace)
    assert frames[0]["flush_ms"] / 1000 - started < 0.1 * BUSY, frames[0]
    keys = sorted(f["flush_ms"] - f["key_ms"] for f in frames if f["key_ms"])
    assert keys[int(len(keys) * 0.99) - 1] < 16 * BUSY, keys[-5:]
    assert sorted(f["bytes"] for f in frames if f["why"] == "data")[-1] <= 2048


def test_history_and_a_change(many):
    with Console(many.socket, width=120, height=40) as c:
        c.press("6")
        c.wait("move www")
        c.press("enter")
        c.wait("+ www.shop-00001.example. 60 IN A 192.0.2.99")
        c.wait("- www.shop-00001.example. 300 IN A 192.0.2.80")
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
        assert c.ended() == 0


def test_the_list_follows_edits_and_the_cursor_its_zone(many):
    with Console(many.socket) as c:
        c.press("2", "/", "^shop-000", "enter")
        c.wait(lambda: f"50 of {ZONES}" in c.text())
        c.press("down", "down")
        c.wait(lambda: "shop-00005" in c.cursor_row())
        many.cli("zone", "create", "shop-00000.example", "--ns", "ns1.example.org.", "--hostmaster", "h.example.org.",
                 "--commit")
        c.wait(f"51 of {ZONES + 1}")
        assert "shop-00005" in c.cursor_row()
        many.cli("zone", "delete", "shop-00000.example", "--confirm=shop-00000.example", "--commit")
        c.wait(f"50 of {ZONES}")


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
        c.wait(lambda: c.screen.display[0] != first, 8)  # the clock goes on
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
        c.wait(f"1 of {ZONES}")
        assert "/shop-00007" in c.lines()[22]


def test_the_appliance_dies_and_comes_back(example):
    with Console(example.socket) as c:
        c.press("2")
        c.wait(lambda: "example.com" in c.cursor_row())
        c.press("enter")
        c.wait("192.0.2.10")
        example.kill()
        assert c.wait("LINK LOST") < 2
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
