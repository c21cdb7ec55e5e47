"""The command line after `:`, its output as a page; an appliance of its own."""

import time

import pytest

from appliance import Appliance
from console import Console, answer, hear


@pytest.fixture(scope="module")
def small():
    with Appliance() as a:
        for name in ("one.example", "other.example", "three.example"):
            a.cli("zone", "create", name, "--ns", "ns1.example.net.")
        yield a


def typed(c, text, wait):
    c.press(":")
    c.wait("Tab complete")
    c.press(text, "enter")
    c.wait(wait)


def line(c, text, *wait):
    """Types it, and waits for its page and what is on it."""
    typed(c, text, f"Command   {text[:20]}")
    for what in wait:
        c.wait(what)


def test_a_line_of_the_command_line(small):
    with Console(small.socket) as c:
        c.wait("root:admin")
        c.press("2")
        c.wait("three.example")
        line(c, "zone show one.example", "exit 0: done", "serial")
        # What it left is there for the console, as for any other program of this person.
        line(c, "record set one.example www 300 A 192.0.2.1 192.0.2.2", "exit 0: done")
        c.press("q")
        c.wait("Zones")
        c.press("5")
        c.wait("one.example")
        c.press("enter")
        c.wait("192.0.2.2")
        line(c, "commit one.example -m 'by the palette'", "exit 0: done", "by the palette")
        assert small.cli_json("history", "list")["changes"][0]["comment"] == "by the palette"
        # What goes wrong is said as everywhere, and its end is told.
        line(c, "zone show none.example", "exit 3: not found", "! nameserve:")
        c.press("Q")
        assert c.ended() == 0


def test_tab_history_and_what_is_refused(small):
    with Console(small.socket) as c:
        c.wait("root:admin")
        c.press("2")
        c.wait("three.example")
        c.press(":", "zon", "tab")
        c.wait("zone  zones")
        c.press(" sho", "tab", "o", "tab")
        c.wait("one.example  other.example")
        c.press("n", "tab")
        c.wait(":zone show one.example")
        c.press("x", "enter")
        c.wait("too many words: zone show ZONE")  # and the line is still there
        assert ":zone show one.example x" in c.text()
        c.press("\x7f\x7f", "enter")
        c.wait("exit 0: done")
        for text, why in (("console", "you are in it"), ("zone import x -", "name a file"), ("zone burn x", "no verb burn"),
                          ("!id", "no such command"), ("zone list; id", "no shell reads this line")):
            typed(c, text, why)
            c.press("esc")
            c.wait(lambda: why not in c.text())
        c.press(":", "up", "up", "up", "up", "up", "up")
        c.wait(":zone show one.example")
        c.press("esc")
        # It runs beside the console: keys are taken meanwhile, and Ctrl-C ends it.
        line(c, "tail --filter none.example", "running")
        c.press("?")
        c.wait("Help")
        c.press("q")
        c.wait("running")
        c.press("ctrl-c")
        c.wait("stopped")
        c.press("Q")
        assert c.ended() == 0


def test_a_command_goes_on_without_its_page(small):
    """Who leaves the page does not leave the command half done: its end is said, and its page comes back."""
    with Console(small.socket) as c:
        c.wait("root:admin")
        line(c, "tail --limit 1 --filter zone:one.example", "running")
        c.press("q")
        c.wait("It goes on")
        c.press("4")
        c.wait("Fleet")
        end = time.monotonic() + 60
        while "exit 0: done: tail" not in c.text():
            assert time.monotonic() < end, c.text()
            small.ask("www.one.example", "A")
            c.read(0.2)
        c.press(":", "output", "enter")
        c.wait("www.one.example")
        c.wait("exit 0: done")
        line(c, "tail --filter zone:other.example", "running")
        c.press("2")
        c.wait("three.example")
        c.press("Q")
        c.wait("stop what still runs")
        answer(c, "n")
        c.press(":", "output", "enter")
        c.wait("running")
        c.press("ctrl-c")
        c.wait("stopped")
        line(c, "tail --filter zone:other.example", "running")
        c.press("Q")
        c.wait("stop what still runs")
        hear(c)
        c.press("y")
        assert c.ended() == 0


def test_a_console_that_only_looks(small):
    with Console(small.socket, args=["--read-only"]) as c:
        c.wait("root:admin")
        line(c, "record set one.example www 300 A 192.0.2.3 --commit", "exit 4: not permitted", "read-only")
        c.press("Q")
        assert c.ended() == 0
    assert "192.0.2.3" not in small.cli("zone", "export", "one.example")
