"""Policies, checks and settings in the console: from the form to what is served, on one appliance."""

import json
import re

import pytest

from appliance import Appliance, zone_text
from console import Console, hear

ZONE, OTHER = "forms.example", "other.example"
POLICY = {"ttl": 30, "root": {"use": "failover", "order": [{"pool": "eu"}, {"pool": "us"}]},
          "pools": {"eu": {"serve": "one", "answers": [{"value": "192.0.2.20", "weight": 90, "check": "eu-1"}]},
                    "us": {"answers": [{"value": "198.51.100.1"}]}}}


@pytest.fixture(scope="module")
def served():
    with Appliance() as a:
        a.cli("check", "set", "eu-1", "-", stdin=json.dumps({"type": "push", "initial": "up"}))
        for zone in (ZONE, OTHER, "third.example", "many-1.example", "many-2.example", "many-3.example"):
            path = a.dir / zone
            path.write_text(zone_text(f"{zone}.", records="mail IN A 192.0.2.25\n"))
            a.cli("zone", "import", zone, path)
            a.cli("policy", "set", zone, "www", "A", "-", "--commit", "-m", "x", stdin=json.dumps(POLICY))
        yield a


def open_zone(c, zone=ZONE):
    c.press("2", "/", f"^{zone}", "enter")
    c.wait(lambda: zone in c.cursor_row())
    c.press("enter")
    c.wait(f"Zones > {zone}")
    c.wait("rrsets")


def test_a_policy_from_the_tree_to_the_answer(served):
    with Console(served.socket) as c:
        open_zone(c)
        c.press("]")
        c.wait(lambda: re.search(r"www +A +30 +OK 2/2 +- +failover\(eu, us\)", c.cursor_row()))
        c.press("enter")
        c.wait("Now: pool eu: 192.0.2.20")
        c.press("j")
        c.wait("If eu-1 fails: pool us: 198.51.100.1")
        c.press("enter")
        c.wait("ANSWER")
        # Weight of a new answer that is none: the appliance says it, at its row.
        c.press(*["tab"] * 10, "192.0.2.300")
        c.wait("E1153")
        c.wait(lambda: re.match(r">!", c.cursor_row()))
        c.press("ctrl-s")
        c.read(0.2)
        c.wait("has to be mended")
        c.press("ctrl-u", "192.0.2.30", "tab", "ctrl-u", "10")
        c.wait("E1155 root.order[1]: it is never reached")  # the pool before it is never down now
        c.press("tab", "e")
        c.wait("10%")
        c.wait("can be committed")
        c.press("ctrl-s")
        c.wait("draft 1 op")
        c.press("p")
        c.wait("pool eu: +192.0.2.30")
        c.press("tab", "canary", "tab", "tab", "C")
        c.wait("y yes")
        hear(c)
        c.press("y")
        c.wait("served by 1 of 1")
    shown = json.loads(served.cli("policy", "show", ZONE, "www", "A"))
    assert {a["value"]: a.get("weight") for a in shown["pools"]["eu"]["answers"]} == {"192.0.2.20": 90, "192.0.2.30": 10}


def test_what_a_policy_would_answer_while_it_is_typed(served):
    with Console(served.socket) as c:
        open_zone(c, "third.example")
        c.press("]")
        c.wait("1 policy")
        c.press("enter")
        c.wait("Now: pool eu: 192.0.2.20")
        c.press("j", "enter")
        c.wait("ANSWER")
        c.press(*["tab"] * 6, "ctrl-u", "192.0.2.29")
        c.wait("can be committed")
        c.press("ctrl-t")
        c.wait("WITH DRAFT  differs")
        c.wait("www.third.example. 30 IN A 192.0.2.29")
        c.press("esc")
        c.wait("ANSWER")
    assert "third.example" not in served.cli("draft", "list")


def test_a_check_from_a_policys_field(served):
    with Console(served.socket) as c:
        open_zone(c, OTHER)
        c.press("]")
        c.wait("1 policy")
        c.press("enter")
        c.wait("TREE")
        c.press("j", "enter")
        c.wait("ANSWER")
        c.press(*["tab"] * 12, "ctrl-o")  # the check of the line that is still empty
        c.wait("Health > new check")
        c.press("eu-2", "tab", *"http")  # letters spell a kind, though each shows other fields
        c.wait("a page answers")
        c.press("c", "tab", "nope")
        c.wait("E2214 there is no check nope")
        c.press("ctrl-s")
        c.wait("has to be mended")
        c.press("backtab", "p")
        c.wait("can be made so")
        c.press("ctrl-s")
        c.wait("Make check eu-2?")
        c.press("enter")
        hear(c)
        c.press("y")
        c.wait("Done: change")
        c.wait("TREE")
        c.wait("[eu-2")  # the field that asked for it has it
        c.press("backtab", "backtab", "192.0.2.77", "tab", "tab")
        chosen = re.compile(r"192\.0\.2\.77 .*(DOWN|\?) +\[eu-2")
        c.wait(lambda: chosen.search(c.text()))
        c.press("esc", "q")
        c.wait("Leave this policy?")
        hear(c)
        c.press("y")
        c.wait("failover(eu, us)")
    assert json.loads(served.cli("--json", "check", "show", "eu-2"))["type"] == "push"


def test_a_policy_takes_the_place_of_records(served):
    with Console(served.socket) as c:
        open_zone(c, "third.example")
        c.press("]")
        c.wait("1 policy")
        c.press("a")
        c.wait("new policy")
        c.press("mail", "tab", "tab", "tab")
        c.wait("Enter: the fields of this branch")
        c.press("j", "enter", *["tab"] * 6, "192.0.2.30")
        c.wait("the plain A records of this name go")
        c.press("ctrl-s")
        c.wait("draft 2 ops")
        c.press("p")
        c.wait(lambda: re.search(r"- mail +A +300 +192\.0\.2\.25", c.text())
               and re.search(r"\+ mail +policy +A pool main: 192\.0\.2\.30", c.text()))
        c.press("C")
        c.wait("y yes")
        hear(c)
        c.press("y")
        c.wait("served by 1 of 1")
    assert served.values("mail.third.example") == ["192.0.2.30"]


def test_settings_of_a_zone(served):
    with Console(served.socket) as c:
        open_zone(c, "third.example")
        c.press("[")
        c.wait("hostmaster.third.example.")
        c.wait(lambda: re.search(r"Records +\d", c.text()))
        c.press("G", "k", "k", "enter")
        c.wait("third.example > new zones")
        c.press("tab", "ctrl-u", "dns.ops@example.com", "ctrl-s")
        c.wait("Change what new zones get?")
        hear(c)
        c.press("y")
        c.wait(lambda: r"dns\.ops.example.com." in c.cursor_row())
        c.press("G", "enter")
        c.wait("third.example > delete")
        c.press("not needed", "ctrl-s")
        c.wait("Type its name")
        hear(c)
        c.press("y", "enter")
        c.wait("Type its name")
        c.press("ctrl-u", "third.example", "enter")
        c.wait("Done: change")
    assert "third.example" not in served.cli("zone", "list")


def test_marked_zones_and_records(served):
    with Console(served.socket) as c:
        c.press("2", "/", "^many", "enter")
        c.wait("3 of ")
        c.press("g", "v", "G", "v")
        c.wait("3 marked")
        c.press("k", "space")
        c.wait("2 marked")
        c.press(":set-ttl", "enter")
        c.wait("TTL of those marked")
        c.press("77", "tab", "MX", "ctrl-u", "A", "ctrl-s")
        c.wait("Set the TTL in 2 zones?")
        hear(c)
        c.press("TTL 2", "enter")
        c.wait("2 drafts, one a zone")
        c.press("d")
        c.wait("delete those marked")
        c.press("gone", "ctrl-s")
        c.wait("Delete 2 zones?")
        hear(c)
        c.press("DELETE 2", "enter")
        c.wait("2 zones deleted")
        c.wait(lambda: "marked" not in c.text() and "1 of " in c.text())
        c.press("esc")
        open_zone(c, OTHER)
        c.press("*")
        c.wait(" marked")
        c.press("esc")
        c.wait("rrsets")
        c.press("G", "space", ":set-ttl", "enter")
        c.wait("TTL of those marked")
    drafts = served.cli_json("draft", "list")["drafts"]
    assert {d["zone"] for d in drafts} >= {"many-1.example.", "many-3.example."}
    assert "many-2.example" in served.cli("zone", "list") and "many-1" not in served.cli("zone", "list")
