"""Keys of the fleet are rolled while it goes on: both are good for a time, then the old one is refused."""

import json
import os
import shutil

import pytest

from fleet import Fleet
from peers import wait_until
from rawpeer import admitted, keys_of


long = pytest.mark.skipif(not os.environ.get("NS_LONG"), reason="takes its time: make check-long")


@pytest.fixture(scope="module")
def fleet():
    with Fleet(3) as f:
        f.give_example()
        yield f


def wait_edit(where, name, value, *args):
    """Links are made anew at some moments: then it is refused, and made again."""
    edit = ("--timeout", "20s", "record", "set", "example.com", name, "60", "A", value, "--commit", *args)
    wait_until(lambda: where.cli_run(*edit).returncode == 0, f"{name} is set through {where.name}", 40)


def roll_state(fleet, name):
    """asked, announced, or nothing: one key."""
    return fleet.state(name).get("key_roll", {}).get("state")


def wait_state(fleet, name, state):
    wait_until(lambda: roll_state(fleet, name) == state, f"the key of {name}: {state}", 30)


def one_new_key(member, old):
    """The file and nothing beside it: the appliance took it."""
    return keys_of(member.data) != old and not (member.data / "fleet.key.next").exists()


def wait_back(fleet, member):
    head = fleet.primary.revision()
    wait_until(lambda: member.ready() and member.follows(head), f"{member.name} follows; its log:\n{member.log()[-3000:]}", 40)


def test_a_replica(fleet):
    """Edits go on through it; the old key is refused at the end, at the port and in the roster."""
    p, r1 = fleet.primary, fleet.replicas[0]
    server = keys_of(p.data)[0]
    assert "primary" in r1.fails(7, "fleet", "roll-key", "r1")
    p.fails(3, "fleet", "roll-key", "nobody")
    p.fails(2, "fleet", "roll-key", "r1", "--for", "25h")
    for overlap in (3, 15, 60):  # all of it in that time, which is short on a machine with others
        old = keys_of(r1.data)
        said = p.cli_json("fleet", "roll-key", "r1", "--for", f"{overlap}s", "-m", "each year")
        assert said["name"] == "r1" and said["overlap_s"] == overlap and said["silent"] == []
        wait_until(lambda: roll_state(fleet, "r1") != "asked", "r1 has made its key")
        good, listed, done = admitted(p.fleet_port, server, old), p.cli("fleet", "list"), []
        while roll_state(fleet, "r1") is not None:
            done.append(r1.cli_run("--timeout", "20s", "record", "set", "example.com", "during", "60", "A",
                                   f"192.0.2.{len(done) % 250}", "--commit").returncode)
        # Its link is made anew with the new key; what comes meanwhile waits for it.
        assert set(done) <= {0}, done
        wait_until(lambda o=old: not admitted(p.fleet_port, server, o), "the old one is refused")
        wait_until(lambda o=old: one_new_key(r1, o), "r1 took its key")
        wait_until(lambda: admitted(p.fleet_port, server, keys_of(r1.data)), "the new one is good")
        in_time = good and "the old one is refused from" in listed and len(done) > 3
        if in_time:
            break
        wait_back(fleet, r1)
    assert in_time, (good, listed, done)
    wait_edit(r1, "after", "192.0.2.1", "--wait", "served")
    comments = [c["comment"] for c in p.cli_json("history", "list", "--limit", "200")["changes"] if c["kind"] == "fleet"]
    assert "each year" in comments and "r1 has a new key: the old one is refused" in comments


def test_away_before_it_heard(fleet):
    """Asked for while the appliance is away: it makes its key when it is back, and what it has is good until then."""
    p, r1 = fleet.primary, fleet.replicas[0]
    old = keys_of(r1.data)
    r1.kill()
    p.cli("fleet", "roll-key", "r1", "--for", "1s")
    assert roll_state(fleet, "r1") == "asked"
    wait_until(lambda: admitted(p.fleet_port, keys_of(p.data)[0], old), "the old one is good")
    r1.start()
    wait_until(lambda: roll_state(fleet, "r1") is None and one_new_key(r1, old), "rolled", 40)
    wait_back(fleet, r1)


def test_killed_between_any_two_steps(fleet):
    """kill -9 when the next key is on the disk, and when it is announced and the end comes while it is away."""
    p, r1 = fleet.primary, fleet.replicas[0]
    old, server = keys_of(r1.data), keys_of(p.data)[0]
    p.cli("fleet", "roll-key", "r1", "--for", "2s")
    wait_until(lambda: (r1.data / "fleet.key.next").exists() or one_new_key(r1, old), "made", 30)
    r1.kill()
    # It may have been told or not: if not, it goes on with what it made.
    if roll_state(fleet, "r1") == "asked":
        made = (r1.data / "fleet.key.next").read_text()
        r1.start()
        wait_state(fleet, "r1", "announced")
        r1.kill()
        assert (r1.data / "fleet.key.next").read_text() == made
    wait_until(lambda: roll_state(fleet, "r1") is None, "the old one is refused", 30)
    assert keys_of(r1.data) == old
    wait_until(lambda: not admitted(p.fleet_port, server, old), "the port knows, too")
    # In its own store it has two keys, or one that is none any more: the file that is there knows better.
    r1.start()
    wait_back(fleet, r1)
    wait_until(lambda: one_new_key(r1, old), "taken")
    wait_edit(r1, "killed", "192.0.2.5")


def test_the_primary(fleet):
    """Its port changes at the end: all find the new one, also when it was killed with both keys."""
    p, (r1, r2) = fleet.primary, fleet.replicas
    old = keys_of(p.data)
    mine = keys_of(r2.data)
    p.cli("fleet", "roll-key", "p", "--for", "4s")
    wait_state(fleet, "p", "announced")
    assert "invite when that is done" in p.fails(5, "fleet", "invite", "guest")
    p.kill()
    r2.kill()
    p.start()
    r2.start()
    wait_back(fleet, r2)
    wait_until(lambda: one_new_key(p, old), "p took its key", 40)
    for r in (r1, r2):
        wait_back(fleet, r)
    wait_until(lambda: not admitted(p.fleet_port, old[0], mine), "the old one is not there any more")
    wait_edit(r1, "primary", "192.0.2.6", "--wait", "served")
    # And from the start on.
    r1.kill()
    r1.start()
    wait_back(fleet, r1)
    wait_edit(r1, "primary", "192.0.2.7")
    assert p.values("primary.example.com.") == ["192.0.2.7"]
    # Nobody who edits elsewhere sees that its port changes.
    for r in (r1, r2):
        wait_back(fleet, r)
    old, done = keys_of(p.data), []
    p.cli("fleet", "roll-key", "p", "--for", "1s")
    while not one_new_key(p, old) or admitted(p.fleet_port, old[0], mine) or len(done) < 10:
        where = (r1, r2)[len(done) % 2]
        edit = where.cli_run("--timeout", "20s", "record", "set", "example.com", "meanwhile", "60", "A",
                             f"192.0.2.{len(done) % 250}", "--commit")
        done.append((where.name, edit.returncode, edit.stderr))
    assert {code for _, code, _ in done} == {0}, done
    for r in (r1, r2):
        wait_back(fleet, r)


@long
def test_away_while_the_primary_rolled(fleet):
    """It does not know the new key, says so, and answers on; it comes back as somebody new."""
    p, (r1, r2) = fleet.primary, fleet.replicas
    old = keys_of(p.data)
    r2.kill()
    wait_until(lambda: fleet.state("r2")["state"] == "silent", "r2 is silent", 30)
    said = p.cli_run("--json", "fleet", "roll-key", "p", "--for", "1s")
    assert json.loads(said.stdout)["silent"] == ["r2"]
    wait_until(lambda: one_new_key(p, old), "p took its key", 40)
    wait_back(fleet, r1)
    r2.start()
    assert r2.values("www.example.com.") == ["192.0.2.10"]
    assert not r2.cli_json("status")["primary"]["reachable"]
    p.cli("fleet", "remove", "r2", "--confirm=r2")
    r2.stop()
    shutil.rmtree(r2.data)
    r2.join = fleet.invite("r2")
    r2.start()
    wait_back(fleet, r2)
    assert len({m.head_hash() for m in fleet.members}) == 1


@long
def test_promoted_in_the_middle(fleet):
    """Whoever is the primary ends what another one began."""
    p, (r1, r2) = fleet.primary, fleet.replicas
    old = keys_of(p.data), keys_of(r2.data)
    p.cli("fleet", "roll-key", "r2", "--for", "3s")
    p.cli("fleet", "roll-key", "p", "--for", "3s")
    for name in ("p", "r2"):
        wait_until(lambda: roll_state(fleet, name) != "asked", f"{name} has made its key", 30)
    r1.cli("fleet", "promote", "r1", "--confirm=r1")
    wait_until(lambda: one_new_key(p, old[0]) and one_new_key(r2, old[1]), "both took theirs", 40)
    fleet.primary = r1
    wait_until(lambda: not any("key_roll" in a for a in r1.cli_json("fleet", "list")["appliances"]), "ended", 30)
    for m in (p, r2):
        wait_back(fleet, m)
    wait_edit(r2, "promoted", "192.0.2.8", "--wait", "served")
