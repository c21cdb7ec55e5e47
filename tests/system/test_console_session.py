"""What a session leaves for the next one, the operator's own keys, and themes."""

import json
import pathlib
import re
import stat

import pytest

from appliance import Appliance, zone_text
from console import Console


@pytest.fixture(scope="module")
def lab():
    with Appliance() as a:
        for zone in ("shop.example", "other.example"):
            (a.dir / zone).write_text(zone_text(f"{zone}."))
            a.cli("zone", "import", zone, a.dir / zone)
        yield a


def memory(a):
    return pathlib.Path(a.dir / "state" / "nameserve" / "console" / "test-a.json")


def test_the_next_session_begins_where_the_last_one_ended(lab):
    with Console(lab.socket) as c:
        c.wait("1 Overview")
        c.press("2", "/", "shop", "enter")
        c.wait("1 of 2")
        c.press(":", "theme", "enter")
        c.wait("Theme high-contrast")
        c.press("Q")
        assert c.ended() == 0
    assert stat.S_IMODE(memory(lab).stat().st_mode) == 0o600
    kept = json.loads(memory(lab).read_text())["values"]
    assert kept["Zones.filter"] == "shop" and kept["theme"] == "high-contrast" and kept["screen"] == "zones"
    with Console(lab.socket, keep=True) as c:
        c.wait("1 of 2")
        assert "/shop" in c.text()
        c.press("esc")
        c.wait("other.example")
        c.child.kill(1)  # SIGHUP: what was chosen stays
        c.ended()
    assert "Zones.filter" not in json.loads(memory(lab).read_text())["values"]
    with Console(lab.socket, keep=True, args=["--theme", "deuteranopia"]) as c:
        c.wait("other.example")


@pytest.mark.parametrize("text", ["", "{", '{"schema":"ns.console/1","values":{"Zones.filter":7}}', "\x00" * 200_000],
                         ids=["empty", "cut", "number", "large"])
def test_a_damaged_memory_is_set_aside(lab, text):
    memory(lab).parent.mkdir(parents=True, exist_ok=True)
    memory(lab).write_text(text)
    with Console(lab.socket, keep=True) as c:
        c.wait("is damaged")
        c.press("2")
        c.wait("other.example")
        c.press("Q")
        assert c.ended() == 0
    assert memory(lab).with_name("test-a.json.damaged").read_text() == text
    assert json.loads(memory(lab).read_text())["values"]["screen"] == "zones"


def test_own_keys(lab):
    config = lab.dir / "config" / "nameserve"
    config.mkdir(parents=True)
    keys = config / "keys.conf"
    env = dict(XDG_CONFIG_HOME=str(config.parent))
    keys.write_text("# mine\nzones = z 2\nquit = Ctrl-Q\n")
    with Console(lab.socket, **env) as c:
        c.wait("1 Overview")
        c.press("z")
        c.wait("other.example")
        c.press("?", "/", "leave NameServe", "enter")
        c.wait("Ctrl-Q")
        c.press("\x11")
        assert c.ended() == 0
    for text, says in (("zones = j\n", b"j means"), ("quit =\n", b"no key leaves"), ("nope = x\n", b"line 1: there is no action"),
                       ("delete = Enter\n", b"changes something")):
        keys.write_text(text)
        with Console(lab.socket, **env) as c:
            assert c.ended() == 2
            assert b"keys.conf" in c.raw and says in c.raw and b"\x1b[?1049h" not in c.raw


def test_themes_and_none(lab):
    for args, env, colour in (([], {}, True), (["--theme", "deuteranopia"], {}, True), (["--color", "never"], {}, False),
                              ([], {"NO_COLOR": "1"}, False)):
        with Console(lab.socket, args=args, **env) as c:
            c.wait("Latency")
            c.press("2")
            c.wait("other.example")
            assert bool(re.search(rb"\x1b\[[0-9;]*3[1-8](;|m)", c.raw)) == colour, args
    with Console(lab.socket, args=["--theme", "neon"]) as c:
        assert c.ended() == 2
        assert b"deuteranopia" in c.raw
