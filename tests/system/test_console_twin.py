"""`Y`: the command that tells what a screen shows.  Each screen of one appliance is opened, its command taken from the
clipboard and run: it knows the same, and its JSON is JSON.  And every exit code is reached once."""

import base64
import json
import os
import re
import shlex
import subprocess

import pytest

from appliance import BUILD, Appliance, zone_text
from console import Console

ZONE = "twin.example"
POLICY = {"ttl": 30, "root": {"pool": "eu"}, "pools": {"eu": {"answers": [{"value": "192.0.2.20", "check": "eu-1"}]}}}


@pytest.fixture(scope="module")
def lab():
    with Appliance() as a:
        a.cli("check", "set", "eu-1", "-", stdin=json.dumps({"type": "push", "initial": "up"}))
        for zone in (ZONE, "other.example", "gone.example"):
            path = a.dir / zone
            path.write_text(zone_text(f"{zone}.", records="mail IN A 192.0.2.25\n"))
            a.cli("zone", "import", zone, path, "-m", "imported")
        a.cli("policy", "set", ZONE, "www", "A", "-", "--commit", "-m", "the policy", stdin=json.dumps(POLICY))
        a.cli("zone", "delete", "gone.example", "--confirm=gone.example")
        a.cli("dnssec", "enable", ZONE)
        a.cli("check", "push", "eu-1", "down", "--for", "1h")
        a.cli("record", "set", ZONE, "new", "60", "A", "192.0.2.77")
        a.ask(f"mail.{ZONE}", "A")
        yield a


def open_zone(c):
    c.press("2", "/", "^twin", "enter")
    c.wait(lambda: ZONE in c.cursor_row())
    c.press("enter")
    c.wait("rrsets")


def tabs(n, title):
    """The tab n to the right of Records, when its title and data are there."""
    def go(c):
        open_zone(c)
        c.press(*["]"] * n)
        c.wait(title)
    return go


def opened(keys, text, then=(), wait=None):
    def go(c):
        c.press(*keys)
        c.wait(text)
        c.press(*then)
        if wait:
            c.wait(wait)
    return go


def within(first, keys, text):
    def go(c):
        first(c)
        c.press(*keys)
        c.wait(text)
    return go


def asked(c):
    c.press("7", f"mail.{ZONE}", "tab", "A", "enter")
    c.wait("192.0.2.25")
    c.press("tab")


CHANGE = within(lambda c: c.press("6"), [], "the policy")

# How to get there, the command, and what both know.
SCREENS = {
    "overview": (opened("1", ZONE), "stats --top zones", [ZONE]),
    "zones": (opened("2", ZONE), "zone list", [ZONE, "other.example"]),
    "zones, filtered": (opened(["2", "/", "^twin it's", "\x7f" * 5, "enter"], "1 of 2"), "zone list --filter ^twin", [ZONE]),
    "records": (open_zone, f"record list {ZONE}", ["mail", "192.0.2.25", "www"]),
    "policies": (tabs(1, "eu-1|pool eu"), f"policy list {ZONE}", ["www"]),
    "dnssec": (tabs(2, "ECDSA"), f"dnssec keys {ZONE}", ["KSK", "ZSK"]),
    "metrics": (tabs(3, "mail"), f"stats --scope zone:{ZONE} --top names", ["mail"]),
    "history of a zone": (tabs(4, "the policy"), f"history list {ZONE}", ["the policy", "imported"]),
    "settings": (tabs(5, "hostmaster"), f"zone show {ZONE}", [ZONE]),
    "policy editor": (within(tabs(1, "pool eu"), ["enter"], "192.0.2.20"), f"policy show {ZONE} www", ["192.0.2.20", "eu-1"]),
    "health": (opened("3", "eu-1"), "check health", ["eu-1"]),
    "check": (opened("3", "eu-1", ["enter"], "Health > eu-1"), "check show eu-1", ["eu-1", "push"]),
    "events": (opened("3", "eu-1", ["H"], "events"), "check history eu-1", ["down"]),
    "fleet": (opened("4", "test-a"), "fleet list", ["test-a", "primary"]),
    "appliance": (opened("4", "test-a", ["enter"], "Fleet > test-a"), "fleet show test-a", ["test-a", "primary"]),
    "pending": (opened("5", ZONE), "draft list", [ZONE]),
    "diff": (opened("5", ZONE, ["enter"], "192.0.2.77"), f"draft diff {ZONE}", ["192.0.2.77"]),
    "history": (opened("6", "the policy"), "history list", ["the policy", "imported"]),
    "change": (opened("6", "the policy", ["/"], None), "history show", []),
    "query": (asked, f"test mail.{ZONE} A", ["192.0.2.25", "NOERROR"]),
    "tail": (opened("8", "Tail"), "tail --sample", []),
    "connect": (opened("9", "test-a"), "fleet list", ["test-a"]),
    "trash": (opened([":trash\r"], "gone.example"), "zone trash", ["gone.example"]),
    "help": (opened(["2", "?"], "Help: "), "help keys", ["Ctrl-G"]),
    "a command": (opened([f":zone show {ZONE}\r"], "exit 0"), f"zone show {ZONE}", [ZONE]),
}
