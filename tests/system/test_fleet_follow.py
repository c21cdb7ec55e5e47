"""Replicas that fall behind, die, lose the primary or their data, and what becomes of it."""

import json
import os
import re
import shutil
import signal
import sqlite3
import time

import pytest
import zmq.utils.z85

import rawpeer
from appliance import BUILD, variant, zone_text
from fleet import Fleet
from fleetpeer import CHANGE, HELLO, RECEIPT, Peer, field
from peers import wait_until


def put_zone(where, folder, origin, records):
    path = folder / origin
    path.write_text(zone_text(origin + ".", records=records))
    return where.cli_json("zone", "import", origin, path)


@pytest.fixture(scope="module")
def fleet(tmp_path_factory):
    folder = tmp_path_factory.mktemp("zones")
    with Fleet(3) as f:
        for origin in ("example.com", "example.net", "example.org"):
            put_zone(f.primary, folder, origin, "www A 192.0.2.10\n")
        f.folder = folder
        f.wait_converged()
        yield f


def set_a(where, value, name="a", zone="example.com", *args):
    return where.cli_json("record", "set", zone, name, "60", "A", value, "--commit", *args)


def positions(member):
    """Where it began to follow, each time."""
    return [int(n) for n in re.findall(r"event=fleet.following primary=p from=(\d+)", member.log())]


def test_restart_goes_on_from_what_is_stored(fleet):
    r1 = fleet.replicas[0]
    before = r1.revision()
    seen = len(positions(r1))
    r1.stop()
    for i in range(20):
        set_a(fleet.primary, f"192.0.2.{i + 1}")
    r1.start()
    wait_until(lambda: r1.values("a.example.com.") == ["192.0.2.20"], "caught up")
    assert positions(r1)[seen:] == [before]
    fleet.wait_same_history()


def test_primary_away(fleet):
    """An appliance cut off keeps answering, says how old it is, refuses edits, and goes on by itself."""
    p, (r1, r2) = fleet.primary, fleet.replicas
    p.kill()
    away = wait_until(
        lambda: (s := r1.cli_json("status")) and not s["primary"]["reachable"] and s, "r1 misses the primary")
    assert away["primary"]["name"] == "p" and away["primary"]["lag_s"] >= 0
    assert "no word of the primary p" in str(away["problems"])
    wait_until(lambda: r1.cli_json("status")["primary"]["lag_s"] > away["primary"]["lag_s"] + 0.3, "it ages")
    assert r1.values("www.example.net.") == ["192.0.2.10"]
    began = time.monotonic()
    refusal = r2.fails(7, "record", "set", "example.com", "a", "60", "A", "192.0.2.99", "--commit")
    assert "nothing was changed" in refusal and time.monotonic() - began < 10
    assert r1.cli_json("fleet", "list")["age_s"] > 0
    p.start()
    wait_until(lambda: r1.follows() and r2.follows(), "both follow again")
    assert set_a(r2, "192.0.2.77")["served"][0]["appliance"] == "r2"
    fleet.wait_same_history()


def test_killed_while_edits_flow(fleet):
    r1, r2 = fleet.replicas
    for i in range(30):
        set_a(fleet.primary, f"192.0.2.{i + 100}", "k")
        if i in (5, 17):
            r1.kill_role("sync")
        if i == 11:
            r2.kill()
            r2.spawn()
    wait_until(lambda: r1.ready() and r2.ready(), "both are back")
    wait_until(lambda: r1.follows() and r2.follows(), "both follow again")
    fleet.wait_same_history()
    assert all(m.values("k.example.com.") == ["192.0.2.129"] for m in fleet.members)


def pause(member, how):
    """All of it stands still: the supervisor too, or it would replace what is silent."""
    pids = [member.process.pid] + [p["pid"] for p in member.processes()] if how == signal.SIGSTOP else member.paused
    member.paused = pids
    for pid in pids if how == signal.SIGSTOP else reversed(pids):
        os.kill(pid, how)


def much(fleet):
    """24 MiB of zone data, once: more than the window and the ring hold."""
    for n in range(3):
        if f"big{n}.test" not in [z["name"].rstrip(".") for z in fleet.primary.cli_json("zone", "list")["zones"]]:
            text = "".join(f"n{n}-{i} TXT {'x' * 200}\n" for i in range(30000))
            put_zone(fleet.primary, fleet.folder, f"big{n}.test", text)


def test_slow_replica(fleet):
    """One that does not read costs nobody else anything; it is named, then left out, then catches up."""
    p, (r1, r2) = fleet.primary, fleet.replicas
    pause(r1, signal.SIGSTOP)
    try:
        for timeout in ("1s", "5s"):  # on a machine with others p itself may need longer than the first
            late = p.cli_run("--json", "--timeout", timeout, "record", "set", "example.com", "s", "60", "A", f"192.0.2.{timeout[0]}",
                             "--commit", "--wait", "served")
            names = [m["name"] for m in json.loads(late.stdout)["late"]] if late.returncode == 11 else None
            if names == ["r1"]:
                break
        assert names == ["r1"], late
        much(fleet)
        for i in range(10):
            set_a(r2, f"192.0.2.{i + 1}", "s")
        wait_until(lambda: fleet.state("r1")["state"] == "silent", "r1 is silent", 15)
        done = set_a(p, "192.0.2.50", "s", "example.com", "--wait", "served")
        assert [m["name"] for m in done["missing"]] == ["r1"] and done["missing"][0]["silent_s"] >= 10
        assert sorted(s["appliance"] for s in done["served"]) == ["p", "r2"]
        assert "r1 has been silent" in str(p.cli_json("status")["problems"])
    finally:
        pause(r1, signal.SIGCONT)
    wait_until(lambda: r1.ready() and r1.follows(p.revision()), "r1 catches up", 30)
    fleet.wait_same_history()
    assert r1.values("s.example.com.") == ["192.0.2.50"]
    assert r1.cli_json("zone", "show", "big2.test")["records"] == 30005


CHUNK, WINDOW = 256 << 10, 4 << 20  # fleet/socket.h, fleet/publish.h


def stored(member):
    """(revision, hash) of the newest change in its store, read past the appliance; (0, zeros): none yet."""
    try:
        db = sqlite3.connect(f"file:{member.data / 'store.db'}?mode=ro", uri=True)
        try:
            row = db.execute("SELECT revision, hash FROM change ORDER BY revision DESC LIMIT 1").fetchone()
        finally:
            db.close()
    except sqlite3.OperationalError:
        row = None
    return row or (0, bytes(32))


def under_way(member, after, head):
    """It has stored more than that, and not all."""
    return wait_until(lambda: after < (at := stored(member)[0]) < head and at, f"{member.name} is under way", 30)


def pieces(peer, octets=1):
    """So many octets of changes, and what comes at once after them: (revision, size of the body, offset, octets)."""
    got = []
    while (m := peer.hear(CHANGE, 30.0 if sum(o for *_, o in got) < octets else 0.3)) is not None:
        got.append((m[1], m[13], m.get(14, 0), len(m.get(15, b""))))
    return got


def follow_each_other(got, revision, offset=0):
    """Where the next one begins, when each begins where the one before ended."""
    for r, size, at, octets in got:
        assert (r, at) == (revision, offset) and octets <= CHUNK, (r, at, octets)
        revision, offset = (r, at + octets) if at + octets < size else (r + 1, 0)
    return revision, offset


@pytest.fixture
def slow_tree():
    tree = variant(sync=BUILD / "vfs" / "nameserve-sync")
    yield tree
    shutil.rmtree(tree)


def test_a_fresh_one_dies_on_the_way(fleet, slow_tree):
    """The log is the snapshot: in chunks, from where it was after a death of either side, while edits go on."""
    much(fleet)
    p, head = fleet.primary, fleet.primary.revision()
    late = fleet.add("late", start=False, build=slow_tree, env={"NAMESERVE_TEST_VFS": "slow:300"})
    head += 1  # the invitation
    late.start()
    first = under_way(late, 0, head)
    late.kill()
    at, digest = stored(late)
    assert first <= at < head

    # With its key: what it will get, in chunks, no more than the window; it stands in the middle, and edits go on.
    server, (_, own) = rawpeer.keys_of(p.data)[0], rawpeer.keys_of(late.data)
    peer = Peer(f"tcp://127.0.0.1:{p.fleet_port}", zmq.utils.z85.decode(server), own)
    try:
        peer.say(HELLO, field(1, 1) + field(3, "nameserve 9.9.9") + field(4, at) + field(5, digest), term=0)
        got = pieces(peer, WINDOW - 2 * CHUNK)
        for i in range(10):
            set_a(p, f"192.0.2.{i + 60}", "s")
        for m in fleet.members[:3]:
            wait_until(lambda m=m: m.values("s.example.com.") == ["192.0.2.69"], f"{m.name} serves it")
        got += pieces(peer, 0)  # what came late, not what is edited
        total = sum(octets for *_, octets in got)
        assert WINDOW - 2 * CHUNK < total <= WINDOW and CHUNK in [octets for *_, octets in got]
        stopped = follow_each_other(got, at + 1)
        assert stopped[1] > 0, "in the middle of a change"
        peer.say(RECEIPT, field(1, at) + field(2, at) + field(3, total // 2) + field(7, len(got) // 2))
        assert follow_each_other(pieces(peer), *stopped) > stopped
    finally:
        peer.close()

    # It goes on from what it had; then the primary dies on it.
    head = p.revision()
    late.start()
    under_way(late, at, head)
    p.kill()
    assert stored(late)[0] < head
    p.start()
    wait_until(lambda: late.ready() and late.follows(head), "late has all of it", 40)
    begun = positions(late)
    assert begun[0] == 0 and at in begun and begun == sorted(begun) and len(set(begun)) >= 3, begun
    fleet.wait_same_history()
    assert "fleet.repaired" not in late.log() and late.cli_json("zone", "show", "big2.test")["records"] == 30005
    p.cli("fleet", "remove", "late", "--confirm=late")
    fleet.members.remove(late)
    late.kill()


def damage(member, *statements):
    """Done when it is up again; it may have been found and mended by then."""
    member.stop()
    db = sqlite3.connect(member.data / "store.db")
    for s in statements:
        assert db.execute(s).rowcount > 0, s
    db.commit()
    db.close()
    member.start()


def test_a_zone_that_differs_is_found_and_fetched(fleet):
    r1 = fleet.replicas[0]
    ids = {z: fleet.primary.cli_json("zone", "show", z)["version"] for z in ("example.net", "example.org")}
    net = f"(SELECT id FROM zone WHERE version = {ids['example.net']})"
    damage(r1, f"DELETE FROM part WHERE zone_id = {net}", f"DELETE FROM zone WHERE id = {net}",
           f"UPDATE zone SET serial = serial + 7 WHERE version = {ids['example.org']}")
    wait_until(lambda: re.search(r"event=fleet.repaired zone=example.net", r1.log()), "it is found", 15)
    wait_until(lambda: r1.values("www.example.net.") == ["192.0.2.10"], "the zone is back", 15)
    serial = fleet.primary.cli_json("zone", "show", "example.org")["serial"]
    wait_until(lambda: r1.cli_json("zone", "show", "example.org")["serial"] == serial, "the serial is right", 15)
    wait_until(lambda: "differed from the primary's" in str(r1.cli_json("status")["problems"]), "status says so", 15)
    fleet.wait_same_history()


def things(member):
    """All settings and objects of its store, as they stand there."""
    db = sqlite3.connect(f"file:{member.data / 'store.db'}?mode=ro", uri=True)
    try:
        return (db.execute("SELECT * FROM setting ORDER BY name").fetchall(),
                db.execute("SELECT * FROM object ORDER BY kind, name").fetchall())
    finally:
        db.close()


def test_settings_and_objects_that_differ(fleet):
    """Changed, lost, and too much: of each kind, found and put right, and said."""
    p, r1 = fleet.primary, fleet.replicas[0]
    p.cli("settings", "set", "nameservers", "ns1.example.net,ns2.example.net", "hostmaster", "hostmaster.example.net")
    p.cli("user", "create", "anna", "--unix", "games", "--role", "viewer")
    p.cli("account", "create", "acme")
    p.cli("account", "create", "lost")
    check = r1.dir / "check.json"
    check.write_text('{"type": "push"}')
    p.cli("check", "set", "web", check)
    fleet.wait_converged()
    whole = things(p)
    assert things(r1) == whole and {o[1] for o in whole[1]} == {"user", "account", "appliance", "check"}
    damage(r1, "UPDATE setting SET value = 'ns9.example.net' WHERE name = 'nameservers'",
           "DELETE FROM setting WHERE name = 'hostmaster'", "INSERT INTO setting VALUES ('odd', 'one')",
           "UPDATE object SET body = CAST(x'00' || body AS BLOB) WHERE name = 'anna'", "DELETE FROM object WHERE name = 'lost'",
           "UPDATE object SET id = id + 100 WHERE kind = 'check'", "UPDATE object SET version = version + 1000 WHERE name = 'r2'",
           "INSERT INTO object SELECT (SELECT max(id) + 1 FROM object), 'user', 'mallory', version, body FROM object WHERE name = 'anna'")
    wait_until(lambda: things(r1) == whole, "all is as at the primary", 40)
    for what in ("setting nameservers", "setting hostmaster", "setting odd", "user anna", "user mallory", "account lost",
                 "check web", "appliance r2"):
        wait_until(lambda w=what: f'event=fleet.repaired what="{w}"' in r1.log(), f"it says that of {what}", 15)
    wait_until(lambda: "differed from the primary's" in str(r1.cli_json("status")["problems"]), "status says so", 15)
    assert [u["name"] for u in r1.cli_json("user", "list")["users"]] == ["anna"]
    fleet.wait_same_history()


def test_an_object_that_is_missing_stalls_nothing(fleet):
    """The primary drops it, and makes another one of that number's: the log goes on."""
    p, r1 = fleet.primary, fleet.replicas[0]
    newest = things(p)[1]
    number = max(o[0] for o in newest) + 1
    damage(r1, "DELETE FROM object WHERE name = 'acme'",
           f"INSERT INTO object SELECT {number}, 'user', 'squatter', version, body FROM object WHERE name = 'anna'")
    p.cli("account", "delete", "acme", "--confirm=acme")
    p.cli("account", "create", "next")
    head = p.revision()
    wait_until(lambda: r1.follows(head), "the log goes on", 20)
    wait_until(lambda: things(r1) == things(p), "all is as at the primary", 40)


def test_a_change_that_does_not_fit(fleet):
    """The log goes on, the zone comes whole."""
    r1 = fleet.replicas[0]
    fleet.wait_converged()
    version = fleet.primary.cli_json("zone", "show", "example.org")["version"]
    gone = f"(SELECT id FROM zone WHERE version = {version})"
    damage(r1, f"DELETE FROM part WHERE zone_id = {gone}", f"DELETE FROM zone WHERE id = {gone}")
    set_a(fleet.primary, "192.0.2.44", "fit", "example.org")
    set_a(fleet.primary, "192.0.2.45", "fit", "example.com")
    wait_until(lambda: r1.values("fit.example.com.") == ["192.0.2.45"], "the log goes on")
    wait_until(lambda: r1.values("fit.example.org.") == ["192.0.2.44"], "the zone came whole", 15)
    fleet.wait_same_history()


def test_another_history_is_refused(fleet):
    """A replica that has what the primary never had is told so, and keeps answering."""
    r2 = fleet.replicas[1]
    fleet.wait_converged()
    damage(r2, "UPDATE change SET hash = zeroblob(32) WHERE revision = (SELECT max(revision) FROM change)")
    wait_until(lambda: "history" in str(r2.cli_json("status")["problems"]), "r2 says so")
    assert r2.values("www.example.net.") == ["192.0.2.10"]
