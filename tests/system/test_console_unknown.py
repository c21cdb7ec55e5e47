"""A commit whose answer does not come: the console says that it does not know, and asking again changes nothing twice.
And a disk that takes no more."""

import contextlib
import os
import signal
import sqlite3

import pytest

from appliance import Appliance, zone_text
from console import Console, answer
from peers import wait_until


@pytest.fixture(scope="module")
def lab():
    with Appliance() as a:
        for zone in ("before.example", "after.example", "full.example"):
            (a.dir / zone).write_text(zone_text(f"{zone}.", records="www IN A 192.0.2.10\nold IN A 192.0.2.9\n"))
            a.cli("zone", "import", zone, a.dir / zone)
        yield a


# Stopped: sync has not looked at it; sync has committed it and waits for the signer.
@pytest.mark.parametrize("role, zone", [("sync", "before.example"), ("signer", "after.example")])
def test_the_appliance_dies_in_a_commit(lab, role, zone):
    lab.cli("record", "del", zone, "old", "A")
    with Console(lab.socket) as c:
        c.wait("5 Pending(1)")
        c.press("5", "enter")
        c.wait("checked by the primary")
        os.kill(lab.pid(role), signal.SIGSTOP)
        before = revision(lab)
        c.press("C")
        answer(c, "y")
        c.wait("being committed")
        if role == "signer":
            wait_until(lambda: c.read(0.05) and revision(lab) > before, "it is committed")
        stop(lab)
        c.wait("Outcome unknown")
        lab.start()
        c.wait(lambda: "STALE" not in c.text() and "LINK LOST" not in c.text())
        c.press("C")
        answer(c, "y")
        c.wait("served by 1 of 1")
    changes = lab.cli_json("history", "list", zone)["changes"]
    assert [x["kind"] for x in changes].count("edit") == 1
    assert lab.values(f"old.{zone}") == "NXDOMAIN"
    assert lab.cli_json("draft", "list")["drafts"] == []


def revision(a):
    """Of the newest change in the store; a stopped process tells of none."""
    with contextlib.closing(sqlite3.connect(f"file:{a.data}/store.db?mode=ro", uri=True)) as db:
        return db.execute("SELECT max(revision) FROM change").fetchone()[0]


def stop(a):
    """As kill() does, but a stopped process answers no status."""
    a.process.kill()
    a.process.wait(5)
    a.process = None


def test_a_full_disk_is_said_and_nothing_typed_is_lost(lab):
    command = ["prlimit", "--fsize=0", lab.build / "bin" / "nameserve", "--socket", lab.socket]
    with Console(lab.socket, command=command) as c:
        c.wait("Latency")
        c.press("2", "/", "^full", "enter")
        c.wait(lambda: "full.example" in c.cursor_row())
        c.press("enter")
        c.wait("rrsets")
        c.press("a", "new", "tab", "tab", "tab", "192.0.2.7")
        c.wait("Result   new")
        c.press("ctrl-s")
        c.wait("File too large")
        assert "[192.0.2.7" in c.text()  # the form is there still
    assert lab.cli_json("draft", "list")["drafts"] == []
