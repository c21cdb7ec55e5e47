"""Checks, appliances and keys in the console: what is shown, what is asked first, and what it does; one appliance."""

import json
import re

import pytest

from appliance import Appliance, zone_text
from console import Console, answer, hear
from endpoints import Server, becomes, pong, put
from peers import wait_until


@pytest.fixture(scope="module")
def lab():
    a = Appliance()
    a.extra = "[probe]\nallow = 127.0.0.1/32\n"
    with a:
        for name in ("a.example", "ops.example"):
            path = a.dir / name
            path.write_text(zone_text(f"{name}."))
            a.cli("zone", "import", name, path)
        yield a


@pytest.fixture(scope="module")
def target(lab):
    s, gone = Server(pong), Server(pong)
    put(lab, "alive", type="tcp", port=s.port, send="PING\r\n", expect="+PONG")
    put(lab, "dead", type="tcp", port=gone.port)
    gone.close()
    becomes(lab, "alive", "up")
    becomes(lab, "dead", "down")
    policy = {"root": {"pool": "all"}, "pools": {"all": {"answers": [
        {"value": "192.0.2.1", "check": "alive"}, {"value": "192.0.2.2", "check": "dead"}]}}}
    lab.cli("policy", "set", "ops.example", "www", "A", "-", "--commit", stdin=json.dumps(policy))
    yield gone
    s.close()
    gone.close()


def test_a_check_is_seen_forced_and_looked_at(lab, target):
    with Console(lab.socket) as c:
        c.wait("CRIT  check dead")
        c.press("3")
        c.wait(lambda: "> dead" in c.cursor_row().replace(">  ", "> ") and "CRIT" in c.cursor_row())
        c.wait("used by www.ops.example")
        c.wait("refused")
        c.press("F")
        c.wait("Health > dead > force")
        c.press("tab", "ctrl-s")
        c.wait("say why")
        c.press(" ", "tab", "backtab", "backtab", "u")
        c.wait("[up")
        c.press("tab", "OPS-9", "ctrl-s")
        c.wait("Force dead up for 1h?")
        hear(c)
        c.press("enter", "F", "\x13")  # neither Enter nor what led here answers
        hear(c)
        assert "Force dead up for 1h?" in c.text()
        answer(c, "y")
        c.wait("Done: change")
        c.wait(lambda: re.search(r"> +dead .*WARN", c.text()))
        c.wait("forced up by root")
        wait_until(lambda: lab.cli_json("zone", "show", "ops.example")["health"] == "ok", "the zone is well")
        c.press("t")
        c.wait("dead from test-a: bad")
        target.heal()
        c.wait(lambda: "1/1" in c.cursor_row())
        c.press("t")
        c.wait("dead from test-a: good")
        c.press("enter")
        c.wait("FORCED up by root")
        c.wait(lambda: re.search(r"test-a +U", c.text()))
        c.press("H")
        c.wait("events")
        c.wait(lambda: "UP" in c.text() and "override" in c.text())
        c.press("q", "q", "F")
        c.wait("Health > dead > force")
        c.press("a")
        c.wait("[auto")
        c.press("tab", "done", "ctrl-s")
        c.wait("Let the votes decide")
        answer(c, "y")
        c.wait("Done: change")
        c.press("!")
        c.wait("problems only")
        c.wait(lambda: "all is well" in c.text(), 40)
    target.close()


def test_a_problem_leads_to_what_is_behind_it(lab, target):
    with Console(lab.socket, width=120, height=40) as c:
        c.wait("CRIT  check dead", 40)
        c.press("!")
        c.wait(lambda: ">  CRIT  check dead" in c.text())
        c.press("enter")
        c.wait("Health > dead")
        c.wait("EVENTS")
        c.press("q", "4")
        c.wait(lambda: re.search(r">@ +test-a .* ok ", c.cursor_row()))
        c.press("enter")
        c.wait("PROCESS")
        c.wait(lambda: re.search(r"worker 0 +\d+ +ready", c.text()))
        c.press("D")
        c.wait("1 of 1 appliances are in service; without this one 0")
        c.press("disks", "ctrl-s")
        c.wait("Type its name to go on")
        hear(c)
        c.press("wrong", "enter")
        c.wait("wrong")
        c.press("ctrl-u", "test-a", "enter")
        c.wait(lambda: re.search(r"E2\d+ .*test-a", c.text()))  # there is no appliance more


def test_a_zone_is_signed_and_its_keys_roll(lab):
    with Console(lab.socket, width=120, height=40) as c:
        c.press("2", "/", "^ops", "enter")
        c.wait(lambda: "ops.example" in c.cursor_row())
        c.press("enter")
        c.wait(lambda: re.search(r"Zones > ops.example +\d+ +DNSSEC off +\S+ qps", c.text()))
        c.press("]")
        c.wait(lambda: "ROUTES" in c.text() or "no policies" in c.text())
        c.press("]")
        c.wait("This zone is not signed")
        c.press(":sign", "enter")
        c.wait("DNSSEC > sign")
        c.press("ctrl-s")
        c.wait("Sign ops.example with 13 ECDSA P-256 and nsec?")
        answer(c, "y")
        c.wait("First DS, of key")
        c.wait("NOW   2 caches forgot unsigned answers")
        c.wait(lambda: re.search(r"Zones > ops.example +\d+ +DNSSEC (ok|DS\?) ", c.text()))
        (line,) = lab.cli("dnssec", "ds", "ops.example").splitlines()
        c.wait(line.split(" IN ")[1])
        c.press("K")
        c.wait("roll keys")
        c.press("z")
        c.wait("[zsk")
        c.press("ctrl-s")
        c.wait("Type its name to go on")
        hear(c)
        c.press("ops.example", "enter")
        c.wait("Done: change")
        c.wait(lambda: len(re.findall(r"ZSK +(?:active|published)", c.text())) == 2)
        c.press(":unsign", "enter")
        c.wait("No DS of this zone was seen")
        c.press("n", "tab", "moves away", "ctrl-s")
        c.wait("Stop signing ops.example now?")
        hear(c)
        c.press("ops.exampl", "enter")
        hear(c)
        assert lab.cli_json("dnssec", "keys", "ops.example")["status"] == "signed"
        c.press("e", "enter")
        c.wait("This zone is not signed")
