"""Edits in the console, from the form to the answer, on a pseudo terminal against a real appliance."""

import base64
import os
import pwd
import re
import signal
import time

import pytest

from appliance import Appliance, zone_text
from console import Console, answer, both, hear, trace_of
from peers import wait_until

BUSY = 5  # budgets hold on a quiet machine; this one may be busy
RECORDS = "www IN A 192.0.2.10\n@ IN MX 10 mx1\nmx1 IN A 192.0.2.25\nold IN A 192.0.2.99\n"


def zone_of(a, name, records=RECORDS):
    path = a.dir / name
    path.write_text(zone_text(f"{name}.", records=records))
    a.cli("zone", "import", name, path)
    return name


@pytest.fixture(scope="module")
def served():
    with Appliance() as a:
        zone_of(a, "first.example")
        yield a


def open_zone(c, zone):
    c.press("2", "/", f"^{zone}", "enter")
    c.wait(lambda: zone in c.cursor_row())
    c.press("enter")
    c.wait(f"Zones > {zone}")
    c.wait("rrsets")


def row_of(c):
    """Name and type at the cursor."""
    row = re.match(r">.? *(\S+) +(\S+) ", c.cursor_row())
    return row.groups() if row else None


def cursor_to(c, words, limit=40):
    """Down until the cursor is at this name and type. A row is repainted for other reasons than a key, too."""
    for _ in range(limit):
        if (before := row_of(c)) == words:
            return
        c.press("j")
        c.wait(lambda before=before: row_of(c) not in (None, before))
    raise AssertionError(f"no row {words}\n{c.text()}")


def test_from_a_typing_error_to_what_is_served(served):
    zone = zone_of(served, "edit.example")
    trace = served.dir / "trace"
    with Console(served.socket, NS_UI_TRACE=str(trace)) as c:
        open_zone(c, zone)
        c.press("a")
        c.wait("new RRset")
        c.press("shop", "tab", "ctrl-u", "mx", "tab", "tab")
        c.wait("PREFERENCE")
        c.press("backtab", "x", "tab", "70000")
        c.wait("E1105 a number from 0 to 65535")  # of the fields that are wrong it is the cursor's that is told
        c.press("backtab")
        c.wait(lambda: "E2112" in c.text() and "E1105" not in c.text())
        c.press("\x7f", "tab", "tab", "mx1")
        c.wait(lambda: "E1105" in c.text() and "E2112" not in c.text())
        c.press("ctrl-s")
        c.wait("1 error")
        c.press("ctrl-u", "5")
        c.wait("Result   shop.edit.example. 300 IN MX 5 mx1.edit.example.")
        c.press("ctrl-s")
        c.wait("draft 1 op")
        c.wait(lambda: any(re.match(r"[ >]\+ shop +MX", line) for line in c.lines()))
        assert served.values("shop.edit.example", "MX") == "NXDOMAIN"
        cursor_to(c, ("old", "A"))
        c.press("d")
        c.wait("draft 2 ops")
        c.wait(lambda: re.match(r">- old ", c.cursor_row()))
        c.press("u")
        c.wait("draft 1 op:")
        c.press("ctrl-r")
        c.wait("draft 2 ops")
        cursor_to(c, ("www", "A"))
        # Before the form has come: nothing that is typed is lost.
        c.press("e", "tab", "192.0.2.11", "ctrl-s")
        c.wait("draft 3 ops")
        c.wait(lambda: re.match(r">~ www +A +300 +\(\+1\)", c.cursor_row()))
        c.press("p")
        c.wait("+1 -1 ~1")
        c.press("tab", "ticket 7", "tab", "tab", "C")
        c.wait("Commit +1 -1 ~1 rrsets to edit.example")
        c.press("C", "enter")  # while it is deaf
        hear(c)
        c.press("C", "enter")
        hear(c)
        assert "y yes" in c.text()
        answer(c, "n")
        assert served.values("shop.edit.example", "MX") == "NXDOMAIN"
        c.press("C")
        answer(c, "y")
        c.wait("served by 1 of 1")
        c.press("q")
        c.wait(lambda: "draft" not in c.text())
    frames = trace_of(trace)
    keys = sorted(f["flush_ms"] - f["key_ms"] for f in frames if f["key_ms"])
    assert keys[int(len(keys) * 0.99) - 1] < 16 * BUSY, keys[-5:]
    assert max(f["bytes"] for f in frames if f["why"] == "data") <= 2048
    assert served.values("shop.edit.example", "MX") == ["5 mx1.edit.example."]
    assert served.values("www.edit.example") == ["192.0.2.10", "192.0.2.11"]
    assert served.values("old.edit.example") == "NXDOMAIN"
    assert "ticket 7" in served.cli("history", "list", zone)
    assert served.cli_json("draft", "list")["drafts"] == []


def test_what_the_appliance_refuses_is_said_at_the_field(served):
    zone = zone_of(served, "refuse.example")
    with Console(served.socket) as c:
        open_zone(c, zone)
        c.press("a", "www", "tab", "ctrl-u", "cname", "tab", "tab", "elsewhere")
        c.wait("E1120")  # beside an A record: a rule that only the appliance knows
        c.press("ctrl-s")
        c.read(0.2)
        assert "new RRset" in c.text()
        c.press("tab", "backtab", "ctrl-u", "a.b")
        c.wait("E1107")  # a relative name with a dot
        c.press("esc")
        c.wait("Leave this form?")
        answer(c, "y")
        c.wait(f"Zones > {zone}")
    assert served.cli_json("draft", "list")["drafts"] == []


@pytest.mark.parametrize("sig", [signal.SIGKILL, signal.SIGHUP])
def test_a_draft_outlives_the_console(served, sig):
    zone = zone_of(served, f"kill{int(sig)}.example")
    with Console(served.socket) as c:
        open_zone(c, zone)
        cursor_to(c, ("old", "A"))
        c.press("d")
        c.wait("draft 1 op:")
        c.press("a", "half", "tab", "tab", "tab", "192.0.2.7")
        c.wait("Result   half")  # in the middle of a form
        os.kill(c.child.pid, sig)
        c.ended()
    kept = served.cli("draft", "show", zone)
    assert "del old" in kept and "half" not in kept
    with Console(served.socket) as c:
        c.wait("Recovered draft ")
        c.press("5")
        c.wait(lambda: zone in c.cursor_row())
        c.press("enter")
        c.wait("- old")
        c.press("tab", "OPS-7 it goes")
        wait_until(lambda: "; OPS-7 it goes" in served.cli("draft", "show", zone), "the comment is in the draft, too")
        c.press("esc", "q", "enter")
        c.wait("[OPS-7 it goes ")
        c.press("X")
        c.wait("Discard this draft?")
        answer(c, "y")
        c.wait("no draft of this zone")
    assert served.cli_json("draft", "list")["drafts"] == []


def test_a_large_change_takes_the_name_and_a_timer_is_confirmed(served):
    zone = zone_of(served, "rail.example", RECORDS + "".join(f"h{i} IN A 192.0.2.{i}\n" for i in range(30)))
    for i in range(20):
        served.cli("record", "del", zone, f"h{i}", "A")
    with Console(served.socket) as c:
        c.wait("5 Pending(1)")
        c.press("5", "enter")
        c.wait("+0 -20")
        c.press("tab", "less", "tab", "\x1b[C", "tab", "C")
        c.wait("Type its name to go on")
        c.wait("taken back in 5 minutes")
        hear(c)
        c.press("rail.example", "enter")
        c.wait("served by 1 of 1")
        c.wait(":confirm 4:")
        c.press(":", "confirm", "enter")
        c.wait("Done: change")
        c.wait(lambda: ":confirm" not in c.lines()[0])
    assert served.values("h3.rail.example") == "NXDOMAIN"
    assert served.cli_json("status").get("unconfirmed", []) == []


def test_a_conflict_is_decided_by_rrset(served):
    zone = zone_of(served, "both.example")
    for words in (("www", 60, "A", "192.0.2.1"), ("mx1", 60, "A", "192.0.2.2"), ("old", 60, "A", "192.0.2.3")):
        served.cli("record", "set", zone, *words)
    for words in (("www", 60, "A", "198.51.100.1"), ("mx1", 60, "A", "198.51.100.2"), ("api", 60, "A", "198.51.100.9")):
        served.cli("record", "set", zone, *words, "--commit", "-m", "cut over")
    with Console(served.socket) as c:
        c.wait("5 Pending(1)")
        c.press("5", "enter")
        c.wait("others changed the zone since")
        c.press("C")
        c.wait("commit: others changed the zone since")
        c.press("enter")
        c.wait("Conflict > both.example")
        c.wait("yours old A; theirs api A")
        c.wait("cut over")
        c.wait(lambda: re.match(r">  mx1 .*\?", c.cursor_row()))
        c.wait("theirs   60  198.51.100.2")
        c.press("ctrl-s")
        c.wait("not all are decided")
        c.press("b")
        c.wait(lambda: re.match(r">  www .*\?", c.cursor_row()))
        c.press("e")  # mine, by hand
        c.wait(f"{zone} > edit www A")
        c.wait("192.0.2.1 ")
        c.press("ctrl-u", "192.0.2.44", "ctrl-s")
        c.wait("0 of 2 to decide")
        c.wait("mine     60  192.0.2.44")
        c.press("ctrl-s")
        c.wait("Merged")
        c.wait("checked by the primary")
        c.press("C")
        answer(c, "y")
        c.wait("served by 1 of 1")
    assert served.values("mx1.both.example") == ["192.0.2.2", "198.51.100.2"]  # both
    assert served.values("www.both.example") == ["192.0.2.44"]  # mine, typed anew
    assert served.values("old.both.example") == ["192.0.2.3"]  # merged by itself
    assert served.values("api.both.example") == ["198.51.100.9"]
    assert served.cli_json("draft", "list")["drafts"] == []


def test_copying(served):
    zone = zone_of(served, "copy.example", RECORDS + "www IN A 192.0.2.11\n")
    with Console(served.socket, args=["--clipboard=osc52"]) as c:
        open_zone(c, zone)
        cursor_to(c, ("www", "A"))
        c.press("y")
        c.wait("Copy")
        c.press("j", "j", "enter")
        c.wait("Sent to the terminal's clipboard")
        sent = re.search(rb"\x1b\]52;c;([^\x07]*)\x07", c.raw).group(1)
        lines = base64.b64decode(sent).decode()
        assert lines == "www.copy.example. 300 IN A 192.0.2.10\nwww.copy.example. 300 IN A 192.0.2.11\n"
        c.press("y", "y")
        c.wait("(a key goes back)")
        assert b"\x1b[?1049l" in c.raw
        c.press("x")
        c.wait(f"Zones > {zone}")
        assert "x" not in c.lines()[22]


def editor(a, name, script):
    """An $EDITOR that does this to its file ($2; $1 is +LINE)."""
    path = a.dir / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


def left_behind(a):
    return [p.name for p in (a.dir / "state").rglob("edit-*")]


def test_the_zone_in_an_editor(served):
    zone = zone_of(served, "text.example")
    once, drafted, back = served.dir / "once", served.dir / "drafted", served.dir / "back"
    # First a line that is none; told about it, the editor is at its mark, and mends it. Then it has the draft before it.
    script = editor(served, "editor", f"""
case $2 in *.txt) sed -i 's/.*/two/; a words' "$2"; exit;; esac
if [ -e {back} ]; then
    sed -i '/^bad/d' "$2"; echo 'old IN A 192.0.2.99' >> "$2"
elif [ -e {drafted} ]; then
    grep -q 'with your draft of 2 op' "$2" && ! grep -q '^old' "$2" && sed -i '/^bad/s/192.0.2.77/192.0.2.78/' "$2"
elif [ -e {once} ]; then
    grep -q 'ERROR: E' "$2" && [ "$1" != +1 ] && sed -i 's/^bad .*/bad IN A 192.0.2.77/' "$2"
else
    touch {once}
    echo 'bad IN A 192.0.2.777' >> "$2"
    sed -i '/^old/d' "$2"
fi""")
    with Console(served.socket, VISUAL="", EDITOR=script) as c:
        open_zone(c, zone)
        c.press("E")
        c.wait("keep the text")
        c.wait("not an IPv4 address")
        hear(c)
        c.press("enter", "E", "k")  # only its own keys answer
        c.wait("E opens it again")
        c.press("E")
        c.wait("keep the text")
        hear(c)
        c.press("e")
        c.wait(f"Pending > {zone}")
        c.wait("+1 -1 ~0")
        drafted.touch()
        c.press("E")  # the draft is in it, and what is typed takes its place
        c.wait("192.0.2.78")
        c.wait("+1 -1 ~0")
        c.press("u")  # all of it at once, to the draft before it
        c.wait("192.0.2.77")
        c.press("ctrl-r")
        c.wait("192.0.2.78")
        c.wait("+1 -1 ~0")
        back.touch()
        c.press("E")
        c.wait("nothing is left of the draft")
        hear(c)
        c.press("d")
        c.wait("The draft is discarded")
        back.unlink(), drafted.unlink()
        c.press("q")
        c.wait("rrsets")
        once.unlink()
        c.press("E")
        c.wait("keep the text")
        hear(c)
        c.press("d")
        c.wait("The text is discarded")
        # A field, too.
        c.press("a", "words", "tab", "ctrl-u", "txt", "tab", "tab", "one", "ctrl-o")
        c.wait('Result   words.text.example. 300 IN TXT "two words"')
    assert left_behind(served) == []


def test_the_zone_in_an_editor_of_the_command_line(served):
    zone = zone_of(served, "cli.example")
    script = editor(served, "once-more", """
grep -q 'ERROR: E1' "$2" && [ "$1" != +1 ] && exec sed -i 's/192.0.2.777/192.0.2.77/' "$2"
grep -q 'with your draft of 1 op' "$2" && exec sed -i 's/192.0.2.77$/192.0.2.78/' "$2"
echo 'beta IN A 192.0.2.777' >> "$2"
""")
    with Console(served.socket, args=("edit", zone), VISUAL=script, width=120) as c:
        c.wait("(e)dit again  (d)iscard")
        c.wait("not an IPv4 address")
        c.press("x", "enter", "enter", "e", "enter")  # what is no answer is asked again
        c.wait("(c)ommit  (e)dit again")
        c.wait("IN A 192.0.2.77")
        c.press("e", "enter")
        c.wait("IN A 192.0.2.78")
        c.wait(lambda: c.raw.count(b"(c)ommit") == 2)
        assert served.values(f"beta.{zone}") == "NXDOMAIN"
        c.press("c", "enter")
        c.wait("Why")
        c.press("OPS-9 by hand", "enter")
        assert c.ended() == 0
    assert served.values(f"beta.{zone}") == ["192.0.2.78"]
    assert "OPS-9 by hand" in served.cli("history", "list", zone)
    assert left_behind(served) == [] and served.cli_json("draft", "list")["drafts"] == []
    # Without a question; without a terminal; without the right to; and what is kept says where it is.
    with Console(served.socket, args=("edit", zone, "--commit", "-m", "x"), VISUAL=editor(served, "gone", "sed -i /^beta/d \"$2\"")) as c:
        assert c.ended() == 0
    assert served.values(f"beta.{zone}") == "NXDOMAIN"
    assert "terminal" in served.fails(2, "edit", zone)
    assert "read-only" in served.fails(4, "--read-only", "edit", zone)
    with Console(served.socket, args=("edit", zone), VISUAL=editor(served, "bad", "echo nonsense >> \"$2\"")) as c:
        c.wait("(k)eep the text")
        c.press("k", "enter")
        c.wait("your text is in")
        assert c.ended() == 6
    with Console(served.socket, args=("edit", zone), VISUAL=editor(served, "bad", "echo nonsense >> \"$2\"")) as c:
        c.wait("(k)eep the text")
        c.press("ctrl-c")
        c.wait("your text is in")
        assert c.ended() == 130
    assert len(left_behind(served)) == 2
    for path in (served.dir / "state").rglob("edit-*"):
        path.unlink()


@pytest.mark.parametrize("script, says", [
    ("true", "as it was: nothing was changed"), (': > "$2"', "empty: nothing was changed"),
    ("exit 3", "The editor failed"), ("kill -9 $$", "The editor failed"),
    ('kill -STOP $$; echo "; more" >> "$2"', "nothing would change")])
def test_editors_that_change_nothing(served, script, says):
    with Console(served.socket, VISUAL=editor(served, "other", script)) as c:
        open_zone(c, "first.example")
        c.press("E")
        c.wait(says)
        c.press("?")  # the keys are the console's again
        c.wait("Help")
    assert left_behind(served) == [] and served.cli_json("draft", "list")["drafts"] == []


def test_history_becomes_drafts_and_the_trash_is_emptied(served):
    zone = zone_of(served, "past.example")
    served.cli("record", "set", zone, "www", 60, "A", "192.0.2.1", "--commit", "-m", "first move")
    served.cli("record", "set", zone, "mx1", 60, "A", "192.0.2.2", "--commit", "-m", "second move")
    with Console(served.socket) as c:
        open_zone(c, zone)
        c.press("H")
        c.wait("second move")
        c.press("j")
        c.wait(lambda: "first move" in c.cursor_row())
        c.wait("192.0.2.10 -> 192.0.2.1")  # what it did, below the list
        c.press("R")
        c.wait("Pending > past.example")
        c.wait("192.0.2.1 -> 192.0.2.10")
        c.press("C")
        answer(c, "y")
        c.wait("served by 1 of 1")
        assert served.values("www.past.example") == ["192.0.2.10"]
        c.press("q")
        c.wait("History")
        c.wait(lambda: sum("move" in line for line in c.lines() if "- diff" not in line) == 2)
        c.press("G", "enter")  # the import: the zone as it was then
        c.wait("past.example.   0 -> 1")
        c.press(":", "restore", "enter")
        c.wait("Pending > past.example")
        c.wait("192.0.2.2 -> 192.0.2.25")
        c.press("X")
        answer(c, "y")
        c.wait("The draft is discarded")
        served.cli("zone", "delete", zone, f"--confirm={zone}", "--commit")
        c.press(":", "trash", "enter")
        c.wait(lambda: zone in c.cursor_row())
        c.press("R")
        c.wait("Bring past.example back")
        answer(c, "y")
        c.wait("Done: change")
    assert served.values("www.past.example") == ["192.0.2.10"]


def test_the_link_goes_in_the_middle_of_an_edit(example):
    with Console(example.socket) as c:
        open_zone(c, "example.com")
        c.press("a", "new", "tab", "tab", "tab", "192.0.2.7")
        c.wait("Result   new")
        example.kill()
        c.wait("LINK LOST")
        c.press("ctrl-u", "192.0.2.8")
        c.wait("not checked: no link")
        c.press("ctrl-s")
        c.wait("draft 1 op")
        c.press("p")
        c.wait("Pending > example.com")
        c.press("C")
        c.wait("the primary cannot be reached")
        example.start()
        c.wait(lambda: "STALE" not in c.text())
        c.wait("checked by the primary")
        c.press("C")
        answer(c, "y")
        c.wait("served by 1 of 1")
    assert example.values("new.example.com") == ["192.0.2.8"]


@pytest.mark.skipif(os.getuid() != 0, reason="needs root to become another")
def test_a_viewer_is_told_why(served):
    user = pwd.getpwnam("games")
    zone = zone_of(served, "view.example")
    served.cli("user", "create", "vera", "--unix", user.pw_name, "--role", "viewer")
    state = served.dir / "state-of-vera"
    state.mkdir()
    os.chown(state, user.pw_uid, user.pw_gid)
    with Console(served.socket, user=user, XDG_STATE_HOME=str(state)) as c:
        c.wait("vera:viewer")
        open_zone(c, zone)
        assert "e edit" not in c.text()
        c.press("e")
        c.wait("you are a viewer")
        c.press(".")
        c.wait("Actions: Records")
        c.wait("you are a viewer")
    with Console(served.socket, args=["--read-only"]) as c:
        open_zone(c, zone)
        c.press("d")
        c.wait("--read-only")


@pytest.mark.skipif(os.getuid() != 0, reason="needs root to become another")
def test_two_consoles_see_each_other(served):
    """Who has a draft of the zone is named to who else looks at it, until he commits or leaves."""
    user = pwd.getpwnam("man")
    zone = zone_of(served, "seen.example")
    served.cli("user", "create", "bob", "--unix", user.pw_name, "--role", "operator")
    state = served.dir / "state-of-bob"
    state.mkdir()
    os.chown(state, user.pw_uid, user.pw_gid)
    with Console(served.socket) as mine, Console(served.socket, user=user, XDG_STATE_HOME=str(state)) as his:
        open_zone(mine, zone)
        his.wait("bob:operator")
        open_zone(his, zone)
        his.press("G")
        his.wait(lambda: row_of(his) == ("www", "A"))
        his.press("d")
        his.wait("draft 1 op")
        both(mine, his, lambda: "bob is editing" in mine.text(), mine)
        with Console(served.socket, args=["--read-only"], keep=True) as looks:  # who may not edit is told, too
            open_zone(looks, zone)
            both(looks, his, lambda: "bob is editing" in looks.text(), looks)
            looks.press("Q")
        assert "is editing" not in his.text()  # nobody but himself
        mine.press("G")
        mine.wait(lambda: row_of(mine) == ("www", "A"))
        mine.press("k", "d")  # and it stops nobody
        mine.wait("draft 1 op")
        both(mine, his, lambda: "root is editing" in his.text(), his)
        his.press("u")
        his.wait(lambda: "draft" not in his.lines()[2])
        both(mine, his, lambda: "bob" not in mine.text(), mine)
