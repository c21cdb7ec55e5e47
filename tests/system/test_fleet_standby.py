"""Standby, term, promotion: what is acknowledged stays, whoever is the primary."""

import re
import signal
import sqlite3
import threading
import time

import pytest

from appliance import zone_text
from fleet import Fleet
from peers import wait_until
from test_fleet_follow import pause


def set_a(where, name, value, *args):
    return where.cli_run("--json", "--timeout", "8s", "record", "set", "example.com", name, "60", "A", value,
                         "--commit", *args)


def good(where, name, value, *args):
    done = set_a(where, name, value, *args)
    assert done.returncode == 0, done.stderr
    return done


@pytest.fixture
def fleet():
    with Fleet(3) as f:
        f.give_example()
        yield f


class Editor(threading.Thread):
    """Edits one name after the other; remembers which were acknowledged."""

    def __init__(self, where, prefix):
        super().__init__()
        self.where, self.prefix, self.acked, self.end = where, prefix, [], False

    def run(self):
        n = 0
        while not self.end:
            name = f"{self.prefix}{n}"
            if set_a(self.where, name, "192.0.2.77").returncode == 0:
                self.acked.append(name)
            n += 1


def names(member):
    return {r["name"].split(".")[0] for r in member.cli_json("record", "list", "example.com")["rrsets"]}


def same_history(members):
    wait_until(lambda: len({m.head_hash() for m in members}) == 1, "one history", 20)
    assert all(m.cli_json("verify")["ok"] for m in members)


def promote(member):
    """What it says first, and what it does."""
    said = member.fails(9, "fleet", "promote", member.name)
    assert "last known position" in said
    return said, member.cli_json("fleet", "promote", member.name, f"--confirm={member.name}")


def test_nothing_acknowledged_is_lost(fleet):
    """kill -9 of the primary in the middle of commits; its standby has everything, and it comes back."""
    p, (r1, r2) = fleet.primary, fleet.replicas
    p.cli("fleet", "standby", "r1")
    assert fleet.state("r1")["role"] == "standby" and fleet.state("r2")["role"] == "replica"
    wait_until(lambda: r1.cli_json("status")["standby"], "r1 knows that it is the standby")
    good(p, "key", "192.0.2.1", "--idempotency-key", "once")
    # Another may not take over while the standby is there.
    assert "r1 is the standby" in r2.fails(5, "fleet", "promote", "r2", "--confirm=r2")
    editors = [Editor(p, "a"), Editor(p, "b"), Editor(r2, "c")]
    for e in editors:
        e.start()
    wait_until(lambda: all(len(e.acked) > 8 for e in editors), "edits flow", 30)
    good(p, "window", "192.0.2.5", "--confirm-within", "3s")
    p.kill()
    for e in editors:
        e.end = True
    for e in editors:
        e.join()
    said, done = promote(r1)
    assert "all that was acknowledged" in said and "p: not reachable" in said
    assert done["term"] == 2 and done["unreachable"] == ["p"]
    acked = {n for e in editors for n in e.acked}
    assert not acked - names(r1)
    # The others find it by themselves, and go on from where they are.
    wait_until(lambda: r2.cli_json("status")["primary"] == {"name": "r1", "reachable": True, "lag_s": 0.0}, "r2 follows r1")
    good(r2, "later", "192.0.2.2")
    # Nobody confirmed it: whoever is the primary takes it back.
    wait_until(lambda: "window" not in names(r1), "taken back", 20)
    assert r1.cli_json("history", "list", "example.com")["changes"][0]["term"] == 2
    again = good(r2, "key", "192.0.2.1", "--idempotency-key", "once")
    assert '"replayed": true' in again.stdout or '"replayed":true' in again.stdout
    # The old one hears of it, whatever its configuration says.
    p.start()
    wait_until(lambda: p.cli_json("status")["role"] == "replica" and p.follows(), "p is a replica", 15)
    assert p.cli_json("status")["term"] == 2
    same_history(fleet.members)
    good(p, "back", "192.0.2.3")
    assert p.values("back.example.com.") == ["192.0.2.3"]


def test_told_by_the_old_primary_first(fleet):
    """Who was away finds its old primary as a replica of another one, before that one can call: it follows all the same."""
    p, (r1, r2) = fleet.primary, fleet.replicas
    r2.stop()
    with sqlite3.connect(r2.data / "store.db") as db:
        of_p = db.execute("SELECT value, name FROM fact WHERE name LIKE 'fleet.%'").fetchall()
    promote(r1)
    wait_until(lambda: p.cli_json("status")["role"] == "replica" and p.follows(), "p follows r1", 15)
    pause(r1, signal.SIGSTOP)
    try:
        r2.start()
        wait_until(lambda: "p is a replica; the primary is r1" in r2.log(), "p refuses r2", 15)
        assert r2.cli_json("status")["term"] == 1
    finally:
        pause(r1, signal.SIGCONT)
    wait_until(lambda: r2.cli_json("status")["primary"]["name"] == "r1" and r2.follows(), "r2 follows r1", 15)
    # Even one that knows the newer term and takes the old primary for that one's.
    r2.stop()
    with sqlite3.connect(r2.data / "store.db") as db:
        db.executemany("UPDATE fact SET value = ? WHERE name = ?", of_p)
    refused = r2.log().count("p is a replica")
    r2.start()
    wait_until(lambda: r2.log().count("p is a replica") > refused, "p refuses r2 again", 15)
    wait_until(lambda: r2.cli_json("status")["primary"]["name"] == "r1" and r2.follows(), "r2 follows r1 again", 15)
    same_history(fleet.members)


def test_silent_standby(fleet):
    """Edits are refused with its name in about 2 s, and go on when it is back, or when an admin says so."""
    p, (r1, r2) = fleet.primary, fleet.replicas
    p.cli("fleet", "standby", "r1")
    good(p, "x", "192.0.2.1")
    pause(r1, signal.SIGSTOP)
    began = time.monotonic()
    try:
        first = set_a(p, "x", "192.0.2.2", "--idempotency-key", "first")
        assert first.returncode == 8 or "outcome is unknown" in first.stderr, first.stderr
        assert 1 < time.monotonic() - began < 2 * 5
        refused = set_a(p, "x", "192.0.2.3")
        assert refused.returncode == 7 and "standby r1 has been silent" in refused.stderr
        assert set_a(r2, "x", "192.0.2.3").returncode == 7
        wait_until(lambda: "edits are refused" in str(p.cli_json("status")["problems"]), "status says so")
        # Nobody else has what the standby has not.
        assert p.values("x.example.com.") == r2.values("x.example.com.") == ["192.0.2.1"]
    finally:
        pause(r1, signal.SIGCONT)
    wait_until(lambda: set_a(p, "y", "192.0.2.4").returncode == 0, "edits go on", 15)
    for m in fleet.members:
        wait_until(lambda m=m: m.values("x.example.com.") == ["192.0.2.2"], "the first one counts now")
    assert '"replayed"' in good(p, "x", "192.0.2.2", "--idempotency-key", "first").stdout
    pause(r1, signal.SIGSTOP)
    try:
        wait_until(lambda: set_a(p, "z", "192.0.2.5").returncode == 7, "refused again")
        p.cli("fleet", "standby", "none")
        good(p, "z", "192.0.2.6")
    finally:
        pause(r1, signal.SIGCONT)
    wait_until(lambda: r1.ready() and r1.values("z.example.com.") == ["192.0.2.6"], "r1 catches up", 20)
    same_history(fleet.members)


def test_another_standby(fleet):
    """It is one when the one before knows, too: that one could be promoted, without what came after."""
    p, (r1, r2) = fleet.primary, fleet.replicas
    p.cli("fleet", "standby", "r1")
    p.cli("fleet", "standby", "r2")
    assert fleet.state("r2")["role"] == "standby" and not r1.cli_json("status")["standby"]
    p.cli("fleet", "standby", "r1")
    # Before its silence is noticed.
    pause(r1, signal.SIGSTOP)
    try:
        done = p.cli_run("--timeout", "4s", "fleet", "standby", "r2")
        assert done.returncode in (7, 8), (done.returncode, done.stdout, done.stderr)
        refused = set_a(p, "x", "192.0.2.1")
        assert refused.returncode == 7 and "standby r1" in refused.stderr, refused.stderr
        # A restart does not forget it.
        p.kill()
        p.start()
        wait_until(lambda: r2.follows(), "r2 follows")
        assert [set_a(p, "x", "192.0.2.2").returncode for _ in range(5)] == [7] * 5
        assert r2.values("x.example.com.") == "NXDOMAIN"
    finally:
        pause(r1, signal.SIGCONT)
    wait_until(lambda: set_a(p, "x", "192.0.2.3").returncode == 0, "edits go on", 20)
    # Done is done: who is no standby any more may be away.
    if done.returncode == 8:
        assert fleet.state("r2")["role"] == "standby"
    else:
        p.cli("fleet", "standby", "r2")
    wait_until(lambda: "event=fleet.handover" in p.log(), "handed over")
    pause(r1, signal.SIGSTOP)
    try:
        good(p, "y", "192.0.2.4")
        p.stop()
        p.start()
        wait_until(lambda: set_a(p, "z", "192.0.2.5").returncode == 0, "edits without r1", 20)
        # The way out of a silent one: nobody waits for it.
        pause(r2, signal.SIGSTOP)
        wait_until(lambda: set_a(p, "z", "192.0.2.6").returncode == 7, "refused")
        p.cli("fleet", "standby", "none")
        good(p, "z", "192.0.2.7")
    finally:
        pause(r1, signal.SIGCONT)
        pause(r2, signal.SIGCONT)
    wait_until(lambda: r1.ready() and r2.ready() and r1.values("z.example.com.") == ["192.0.2.7"], "r1 follows", 20)
    same_history(fleet.members)


def test_without_standby_exactly_what_was_printed(fleet):
    """What the old primary alone had is dropped when it is back, kept for drafts, and said."""
    p, (r1, r2) = fleet.primary, fleet.replicas
    p.cli("zone", "import", "other.example", "-", stdin=zone_text("other.example.", records="www A 192.0.2.10\n"))
    good(p, "kept", "192.0.2.1", "--wait", "served")
    # Not paused: what is in their sockets' buffers would be read when they go on.
    r1.kill()
    r2.kill()
    lost = [good(p, f"lost{i}", "192.0.2.9") for i in range(3)]
    for value in ("192.0.2.20", "192.0.2.21"):
        p.cli("record", "set", "other.example", "www", 60, "A", value, "--commit")
    p.cli("record", "set", "other.example", "new", 60, "TXT", '"typed once"', "--commit", "-m", "kept word")
    p.cli("zone", "delete", "example.com", "--confirm=example.com")
    assert len(lost) == 3
    head = p.revision()
    p.kill()
    r1.start()
    r2.start()
    said, done = promote(r2)
    position = int(re.search(r"last known position here: change (\d+)", said)[1])
    assert "unreachable primary" in said and position < head and done["revision"] == position + 1
    wait_until(lambda: r1.follows(done["revision"]), "r1 follows r2")
    good(r1, "after", "192.0.2.2")
    p.start()
    wait_until(lambda: p.cli_json("status")["role"] == "replica" and p.follows(r2.revision()), "p follows r2", 15)
    same_history(fleet.members)
    wait_until(lambda: p.values("kept.example.com.") == ["192.0.2.1"], "the zone is back")
    assert names(p) == names(r2) and not [n for n in names(p) if n.startswith("lost")]
    problem = next(x["text"] for x in p.cli_json("status")["problems"] if x["code"] == "lost")
    assert f"changes {position + 1} to {head}" in problem
    text = p.cli("draft", "lost")
    assert all(f"lost{i}.example.com." in text for i in range(3)) and "kept word" in text and "example.com. was deleted" in text
    # It becomes drafts, on what it was made on; what no draft holds is kept.
    r1.fails(3, "draft", "take")
    p.cli("draft", "take")
    assert [d["zone"] for d in p.cli_json("draft", "list")["drafts"]] == ["other.example."]
    assert "192.0.2.20" not in p.cli("draft", "show", "other.example") and "a draft of" in p.fails(5, "draft", "take")
    p.cli("commit", "other.example", "-m", "after all")
    assert p.values("www.other.example") == r2.values("www.other.example") == ["192.0.2.21"]
    assert r2.values("new.other.example", "TXT") == ['"typed once"']
    assert "lost" in [x["code"] for x in p.cli_json("status")["problems"]]
    p.fails(9, "draft", "forget")
    p.cli("draft", "forget", "--yes")
    p.fails(3, "draft", "lost")
    assert "lost" not in [x["code"] for x in p.cli_json("status")["problems"]]
    # A switch with everybody there loses nothing, and the old primary steps down by itself.
    said = p.fails(9, "fleet", "promote", "p")
    assert "nothing that was acknowledged is lost" in said
    assert p.cli_json("fleet", "promote", "p", "--confirm=p")["term"] == 3
    wait_until(lambda: r2.cli_json("status")["role"] == "replica" and r2.follows(), "r2 steps down")
    # Until it has heard of the new primary, its edits go to the old one, which says nothing: outcome unknown.
    wait_until(lambda: r1.cli_json("status")["primary"]["name"] == "p" and r1.follows(p.revision()), "r1 follows p", 20)
    good(r1, "third", "192.0.2.3")
    same_history(fleet.members)


def test_cut_off_primary(fleet):
    """It cannot acknowledge; a restarted one waits for its standby, or for somebody."""
    p, (r1, r2) = fleet.primary, fleet.replicas
    p.cli("fleet", "standby", "r1")
    pause(p, signal.SIGSTOP)
    try:
        _, done = promote(r1)
        assert done["term"] == 2
        wait_until(lambda: r2.follows(done["revision"]), "r2 follows r1")
        good(r2, "new", "192.0.2.1")
    finally:
        pause(p, signal.SIGCONT)
    # Nothing that it says now is of its old term.
    done = set_a(p, "old", "192.0.2.2")
    wait_until(lambda: p.ready() and p.cli_json("status")["role"] == "replica" and p.follows(), "p is a replica", 20)
    same_history(fleet.members)
    assert (done.returncode == 0) == ("old" in names(r1))
    for m in (p, r1, r2):
        m.stop()
    r1.start()
    assert "has not heard" in set_a(r1, "alone", "192.0.2.3").stderr
    assert r1.values("new.example.com.") == ["192.0.2.1"]
    r2.start()
    wait_until(lambda: set_a(r1, "alone", "192.0.2.4").returncode == 0, "somebody was heard")
    r1.stop()
    r2.stop()
    r1.start()
    assert set_a(r1, "alone", "192.0.2.5").returncode == 7
    assert promote(r1)[1]["term"] == 3
    good(r1, "alone", "192.0.2.6")
