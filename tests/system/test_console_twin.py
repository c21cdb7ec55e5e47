"""`Y`: the command that tells what a screen shows.  Each screen of one appliance is opened, its command taken from the
clipboard and run: it knows the same, and its JSON is JSON.  And every exit code is reached once."""

import base64
import json
import re
import shlex

import pytest

from appliance import Appliance, zone_text
from console import Console

ZONE = "twin.example"
TORN = "unlike.example"  # changed by others while its draft was made
POLICY = {"ttl": 30, "root": {"pool": "eu"}, "pools": {"eu": {"answers": [{"value": "192.0.2.20", "check": "eu-1"}]}}}


@pytest.fixture(scope="module")
def lab():
    with Appliance() as a:
        a.cli("check", "set", "eu-1", "-", stdin=json.dumps({"type": "push", "initial": "up"}))
        for zone in (ZONE, "other.example", "gone.example", TORN):
            path = a.dir / zone
            path.write_text(zone_text(f"{zone}.", records="mail IN A 192.0.2.25\n"))
            a.cli("zone", "import", zone, path, "-m", "imported")
        a.cli("policy", "set", ZONE, "www", "A", "-", "--commit", "-m", "the policy", stdin=json.dumps(POLICY))
        a.cli("zone", "delete", "gone.example", "--confirm=gone.example")
        a.cli("dnssec", "enable", ZONE)
        a.cli("check", "push", "eu-1", "down", "--for", "1h")
        a.cli("record", "set", ZONE, "new", "60", "A", "192.0.2.77")
        a.cli("record", "set", TORN, "mail", "60", "A", "192.0.2.1")
        a.cli("record", "set", TORN, "mail", "60", "A", "198.51.100.1", "--commit", "-m", "cut over")
        a.ask(f"mail.{ZONE}", "A")
        yield a


# Keys, and what the screen shows when they have done what they do; the command; what both know.
ZONES = [("2", "RRSETS"), ("/", "changed:<1d"), ("\x15^twin", "1 of 3"), ("\r", "open")]
IN = [*ZONES, ("\r", "192.0.2.25")]
TABS = [("]", "CRIT 0/1"), ("]", "KSK"), ("]", "BUSIEST NAMES"), ("]", "imported"), ("]", "Hostmaster")]
SCREENS = {
    "overview": ([("1", f" {ZONE}")], "stats --top zones", [ZONE]),
    "zones": ([("2", "other.example")], "zone list", [ZONE, "other.example"]),
    "zones, filtered": (ZONES, "zone list --filter '^twin'", [ZONE]),
    "records": (IN, f"record list {ZONE}", ["mail", "192.0.2.25", "www"]),
    "records, filtered": ([*IN, ("/", "type:MX"), ("name:mail type:a", "1 rrsets"), ("\r", "open")],
                          f"record list {ZONE} --filter 'name:mail type:a'", ["mail", "192.0.2.25"]),
    "policies": ([*IN, *TABS[:1]], f"policy list {ZONE}", ["www"]),
    "policy editor": ([*IN, *TABS[:1], ("\r", "192.0.2.20")], f"policy show {ZONE} www.{ZONE} A", ["192.0.2.20", "eu-1"]),
    "dnssec": ([*IN, *TABS[:2]], f"dnssec keys {ZONE}", ["KSK", "ZSK"]),
    "metrics": ([*IN, *TABS[:3]], f"stats --scope zone:{ZONE} --top names", []),
    "history of a zone": ([*IN, *TABS[:4]], f"history list {ZONE}", ["the policy", "imported"]),
    "settings": ([*IN, *TABS], f"zone show {ZONE}", [ZONE]),
    "health": ([("3", "eu-1")], "check health", ["eu-1"]),
    "check": ([("3", "eu-1"), ("\r", "Health > eu-1")], "check show eu-1", ["eu-1", "push"]),
    "events": ([("3", "eu-1"), ("H", "as seen from")], "check history eu-1", ["down"]),
    "fleet": ([("4", "in service")], "fleet list", ["test-a", "primary"]),
    "appliance": ([("4", "in service"), ("\r", "Fleet > test-a")], "fleet show test-a", ["test-a", "primary"]),
    "pending": ([("5", ZONE)], "draft list", [ZONE]),
    "diff": ([("5", ZONE), ("\r", "192.0.2.77")], f"draft diff {ZONE}", ["192.0.2.77"]),
    "conflict": ([("5", ZONE), ("j", TORN), ("\r", "others changed the zone"), ("\r", "Conflict >")], f"plan {TORN}",
                 ["192.0.2.1", "198.51.100.1", "cut over"]),
    "history": ([("6", "the policy")], "history list", ["the policy", "imported"]),
    "change": ([("6", "cut over"), ("\r", "198.51.100.1")], "history show 11", ["cut over", "198.51.100.1", "192.0.2.25"]),
    "query test": ([("7", "Query test"), (f"mail.{ZONE}\tA\t192.0.2.53\t\t\t\t\t \r", "NOERROR"), ("\t", "w all")],
                   f"test mail.{ZONE} A --client 192.0.2.53 --at test-a", ["192.0.2.25", "NOERROR", "RRSIG"]),
    "tail": ([("8", "Tail")], None, []),
    "connect": ([("9", "test-a")], "fleet list", ["test-a"]),
    "trash": ([(":trash\r", "gone.example")], "zone trash", ["gone.example"]),
    "help": ([("2", "RRSETS"), ("?", "Help")], "help keys", ["Enter"]),
    "a command": ([(f":zone show {ZONE}\r", "exit 0")], f"zone show {ZONE}", [ZONE]),
}
PLAIN = ("help", "policy editor", "tail")  # which have no document of a schema


def yank(c):
    """What Y put into the clipboard."""
    before = c.raw.count(b"\x1b]52;c;")
    c.press("Y")
    c.wait(lambda: c.raw.count(b"\x1b]52;c;") > before and b"\x07" in c.raw[c.raw.rindex(b"\x1b]52;c;"):])
    return base64.b64decode(re.match(rb"[A-Za-z0-9+/=]*", c.raw.rsplit(b"\x1b]52;c;", 1)[1]).group()).decode()


def undotted(command):
    return re.sub(r"\.(?= |$)", "", command)


def run(a, command, *more):
    words = shlex.split(command)
    assert words[0] == "nameserve", command
    return a.cli_run(*words[1:], *more)


def test_the_command_of_each_screen_knows_the_same(lab):
    wrong = []
    with Console(lab.socket, width=120, height=40, args=["--clipboard", "osc52"]) as c:
        c.wait("root:admin")
        for name, (keys, command, facts) in SCREENS.items():
            for key, shown in keys:
                c.press(key)
                c.wait(shown)
            said = yank(c)
            print(name, said)
            assert command is None or undotted(said) == f"nameserve {command}", name
            if name == "tail":  # it does not end
                continue
            c.wait(lambda: all(fact.lower() in c.text().lower() for fact in facts))
            done = run(lab, said)
            assert done.returncode == (5 if name == "conflict" else 0), (name, said, done)
            told = (done.stderr if name == "conflict" else done.stdout).lower()
            wrong += [(name, fact) for fact in facts if fact.lower() not in told]
            if name not in PLAIN:
                wrong += [] if json.loads(run(lab, said, "--json").stdout).get("schema", "").startswith("ns.") else [(name, "schema")]
        c.press("Q")
        assert c.ended() == 0
    assert not wrong


def test_every_exit_code_is_reached(lab):
    """But for 8 and 11, which a primary that dies and a standby that is late give (test_console_unknown, test_fleet_follow), and
    10, which no command has."""
    bad = lab.dir / "bad.zone"
    bad.write_text("@ 60 IN A 192.0.2.300\n")
    found = {lab.cli_run(*words).returncode: words for words in (
        ("status",), ("backup", lab.dir / "no" / "where"), ("zone", "burn"), ("zone", "show", "none.example"),
        ("--read-only", "zone", "create", "x.example"), ("record", "set", ZONE, "x", "60", "A", "192.0.2.1", "--commit", "--base", "1"),
        ("zone", "import", "bad.example", bad), ("--socket", lab.dir / "nowhere", "--timeout", "1s", "status"), ("zone", "delete", ZONE))}
    assert sorted(found) == [0, 1, 2, 3, 4, 5, 6, 7, 9]
