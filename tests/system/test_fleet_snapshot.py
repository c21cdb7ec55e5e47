"""Replicas that get the state instead of the history, and a log that begins later than it did."""

import contextlib
import os
import re
import shutil
import sqlite3

import pytest

from appliance import BUILD, variant, zone_text
from fleet import Fleet
from peers import wait_until
from slowlink import Link

KEPT = 6  # changes of the log; of a test build alone
SECRET = "secret-zone.example"
long = pytest.mark.skipif(not os.environ.get("NS_LONG"), reason="takes its time: make check-long")
MARK = b"xyzzy-plugh"
PIECE = 256 << 10
ASKED = 16 * PIECE  # at most, before it has come


def put_zone(where, folder, origin, records):
    path = folder / origin
    path.write_text(zone_text(origin + ".", records=records))
    return where.cli_json("zone", "import", origin, path)


def set_a(where, value, name="a", zone="example.com", *args):
    return where.cli_json("record", "set", zone, name, "60", "A", value, "--commit", *args)


def many(fleet, count=KEPT + 3, zone="example.com"):
    for i in range(count):
        set_a(fleet.primary, f"192.0.2.{i + 1}", "m", zone)


def begins(member):
    return member.cli_json("status")["history_begins"]


def state(member):
    """All that replicates, as it stands in the store."""
    db = sqlite3.connect(f"file:{member.data / 'store.db'}?mode=ro", uri=True)
    try:
        return {table: db.execute(f"SELECT {columns} FROM {table} ORDER BY 1, 2").fetchall() for table, columns in (
            ("zone", "id, key, version, serial, records, rrsets, bytes, account, external, changed_ms"),
            ("tombstone", "zone_id, key, revision, at_ms"), ("object", "kind, name, id, version, body"),
            ("setting", "name, value"), ("idem", "principal, key, digest, at_ms, reply, revision"),
            ("unconfirmed", "revision, total_ms"))}
    finally:
        db.close()


def same(fleet, *members):
    fleet.wait_same_history(fleet.primary, *members)


def remains(member):
    found = []
    for path in sorted(member.data.rglob("*")):
        with contextlib.suppress(FileNotFoundError, IsADirectoryError):  # what SQLite has beside it comes and goes
            found += [path.name] if MARK in path.read_bytes() else []
    return found


def adopted(member):
    return [int(n) for n in re.findall(r"event=snapshot.adopted revision=(\d+)", member.log())]


@pytest.fixture(scope="module")
def fleet(tmp_path_factory):
    tree = variant(sync=BUILD / "vfs" / "nameserve-sync")
    f = Fleet(1, build=tree, env={"NAMESERVE_TEST_HISTORY": str(KEPT)})
    p, f.link = f.primary, Link(f.primary.fleet_port)
    p.site, p.extra = "home", f"{p.extra}advertise = {f.link.endpoint}\n"
    with f:
        f.folder = tmp_path_factory.mktemp("zones")
        for origin in ("example.com", "example.net", "gone.example"):
            put_zone(p, f.folder, origin, "www A 192.0.2.10\n")
        put_zone(p, f.folder, "big.example", "".join(f"n{i} TXT {'x' * 200}\n" for i in range(8000)))
        put_zone(p, f.folder, SECRET, 'mark TXT "xyzzy-plugh"\n')
        p.cli("zone", "set", SECRET, "--sites", "home")
        p.cli("user", "create", "anna", "--unix", "games", "--role", "viewer")
        p.cli("account", "create", "acme")
        f.deleted = p.cli_json("zone", "delete", "gone.example", "--confirm=gone.example")["revision"]
        f.window = set_a(p, "192.0.2.99", "w", "example.net", "--confirm-within", "30m")["revision"]
        f.keyed = set_a(p, "192.0.2.98", "k", "example.net", "--idempotency-key", "once")["revision"]
        many(f)
        yield f
    f.link.close()
    shutil.rmtree(tree)


def test_the_log_begins_later(fleet):
    """What is older than is kept is gone, and is said; the trash and what waits for a word are not."""
    p = fleet.primary
    wait_until(lambda: begins(p) == p.revision() - KEPT + 1, "the log begins later")
    first = begins(p)
    assert first > fleet.keyed
    assert f"begins at change {first}" in p.fails(3, "history", "show", str(fleet.keyed))
    assert f"begins at change {first}" in p.fails(3, "revert", str(fleet.keyed), "-m", "x")
    assert f"begins at change {first}" in p.cli("history", "list")
    assert p.cli_json("history", "list")["begins"] == first
    assert f"begins at change {first}" in p.fails(3, "restore", "example.com", "--to", "1", "--commit", "-m", "x")
    assert set_a(p, "192.0.2.98", "k", "example.net", "--idempotency-key", "once")["revision"] == fleet.keyed
    assert p.cli_json("verify")["ok"]


def test_a_fresh_one_takes_the_state(fleet):
    """All that replicates is there, the rest comes by the log; of what may not be held there, not a byte."""
    p = fleet.primary
    fleet.near = fleet.add("near", "--site", "home", site="home")
    fleet.far = fleet.add("far", "--site", "away", site="away")
    for m in fleet.replicas:
        assert len(adopted(m)) == 1 and begins(m) > 1
        assert m.values("www.example.com.") == ["192.0.2.10"]
    many(fleet, 3)
    same(fleet, fleet.near, fleet.far)
    assert state(fleet.near) == state(p)
    assert fleet.near.values(f"mark.{SECRET}.", "TXT") == ['"xyzzy-plugh"']
    assert fleet.far.ask(f"mark.{SECRET}.", "TXT").rcode() == 5
    assert remains(fleet.near) and not remains(fleet.far)
    assert [u["revision"] for u in fleet.near.cli_json("status")["unconfirmed"]] == [fleet.window]
    assert "fleet.repaired" not in fleet.near.log() + fleet.far.log()


def far_behind(fleet, member):
    """It is down, and the log goes on without it."""
    member.stop()
    many(fleet)
    wait_until(lambda: begins(fleet.primary) > head_of(member) + 1, "its position is before the log's beginning")


def head_of(member):
    db = sqlite3.connect(f"file:{member.data / 'store.db'}?mode=ro", uri=True)
    try:
        return db.execute("SELECT max(revision) FROM change").fetchone()[0]
    finally:
        db.close()


def came(member):
    """How much of a snapshot lies there."""
    with contextlib.suppress(FileNotFoundError):  # it is whole now
        return sum(f.stat().st_size for f in (member.data / "snapshots").glob("*.part"))
    return 0


def from_where(member):
    return [int(n) for n in re.findall(r"event=snapshot.coming .*from=(\d+)", member.log())]


def made(member):
    return re.findall(r"event=snapshot.made revision=(\d+) octets=(\d+) site=\S+ file=(\w+)", member.log())


def gets(fleet, member, more):
    """It is up, and has so many pieces more; the rest does not come."""
    before = came(member)
    fleet.link.stop((more + 1) * PIECE)
    member.spawn()
    wait_until(lambda: came(member) >= before + more * PIECE and member.ready(), "pieces of it came", 30)


def test_it_goes_on_after_a_death(fleet):
    """Of either side, in the middle: edits go on meanwhile, and what has come counts."""
    p, near, far = fleet.primary, fleet.near, fleet.far
    far_behind(fleet, near)
    gets(fleet, near, 2)
    octets, count = int(made(p)[-1][1]), len(made(p))
    assert 0 < came(near) < octets and near.cli_json("status")["revision"] < begins(p)
    for i in range(KEPT // 2):  # it stands there, and nobody waits for it
        set_a(p, f"192.0.2.{i + 30}", "s")
    wait_until(lambda: far.values("s.example.com.") == [f"192.0.2.{KEPT // 2 + 29}"], "far serves them")
    assert near.values("www.example.com.") == ["192.0.2.10"]
    assert 0 < came(near) < octets
    near.kill()

    here, begun = came(near), from_where(near)
    gets(fleet, near, 2)
    wait_until(lambda: len(from_where(near)) > len(begun), "it says so")
    assert from_where(near)[len(begun)] == here - here % PIECE > 0
    assert here < came(near) < octets
    p.kill()
    fleet.link.cut()  # what was in the sockets
    here = came(near)
    assert len(adopted(near)) == 1
    fleet.link.go()
    p.start()
    wait_until(lambda: len(adopted(near)) == 2, "it has it", 40)
    assert from_where(near)[-1] == here - here % PIECE > 0
    wait_until(lambda: near.follows(p.revision()), "near is back", 40)
    same(fleet, near, far)
    assert state(near) == state(p)
    assert len(made(p)) == count, "the file was there"
    tries = near.log().count("event=link.refused")
    assert tries <= near.log().count("event=fleet.ready"), "a link that is refused is told once a minute"


def test_a_death_while_it_is_taken_over(fleet):
    """The power goes in the middle of that transaction: nothing of it is there, and it is done again."""
    p, near = fleet.primary, fleet.near
    far_behind(fleet, near)
    before = state(near)
    near.env["NAMESERVE_TEST_VFS"] = "crash:1:150"
    near.spawn()
    wait_until(lambda: re.search("snapshot.coming[^$]*child.exit child=sync .*code=137", near.log()), "it died", 30)
    near.process.kill()
    near.process.wait(5)
    near.process = None
    del near.env["NAMESERVE_TEST_VFS"]
    assert state(near) == before and len(adopted(near)) == 2
    near.start()
    wait_until(lambda: near.follows(p.revision()), "near is back", 40)
    same(fleet, near)
    assert state(near) == state(p)


def test_one_that_is_broken_is_refused(fleet):
    """A file that is not what its name says changes nothing, is said, and another one is made."""
    p, far, before = fleet.primary, fleet.far, len(adopted(fleet.far))
    far_behind(fleet, far)
    gets(fleet, far, 1)
    far.kill()
    file = max((p.data / "snapshots").iterdir(), key=lambda f: f.stat().st_mtime)
    data = bytearray(file.read_bytes())
    data[-1000] ^= 1
    file.write_bytes(data)
    fleet.link.go()
    far.start()
    said = wait_until(lambda: "event=snapshot.refused" in far.log() and str(far.cli_json("status")["problems"]), "it is refused")
    assert "the snapshot is refused" in said or len(adopted(far)) > before  # or another one was taken meanwhile
    assert far.values("www.example.com.") == ["192.0.2.10"]
    wait_until(lambda: far.follows(p.revision()), "another one was made", 60)
    same(fleet, far)
    assert not remains(far)


def test_a_zone_that_is_taken_away_meanwhile(fleet):
    """Its sites change before its piece is asked for: the file is given no further, and nothing of the zone comes."""
    p, far = fleet.primary, fleet.far
    far_behind(fleet, far)
    put_zone(p, fleet.folder, "much.example", "".join(f"n{i} TXT{f' {250 * chr(120)}' * 8}\n" for i in range(3200)))
    put_zone(p, fleet.folder, "y.moved.example", 'mark TXT "xyzzy-plugh"\n')  # behind it in the file
    gets(fleet, far, 2)
    made_before, octets = (int(n) for n in made(p)[-1][:2])
    assert octets > ASKED + 2 * PIECE and not remains(far)
    moved = p.cli_json("zone", "set", "y.moved.example", "--sites", "home")["revision"]
    fleet.link.go()
    wait_until(lambda: far.follows(p.revision()), "far is back", 40)
    assert made_before < moved <= adopted(far)[-1], "another file was made for it"
    same(fleet, far)
    assert far.ask("mark.y.moved.example.", "TXT").rcode() == 5 and not remains(far)


def promoted(fleet, member):
    member.cli("fleet", "promote", member.name, f"--confirm={member.name}")
    fleet.primary = member
    fleet.members = [member] + [m for m in fleet.members if m is not member]


def test_it_can_be_promoted(fleet):
    """Who has the state and a short log is a primary like any other."""
    p, near = fleet.primary, fleet.near
    fleet.wait_converged()
    promoted(fleet, near)
    wait_until(lambda: p.follows(near.revision()), "p follows")
    assert "begins at change" in near.fails(3, "revert", str(fleet.keyed), "-m", "x")
    assert set_a(near, "192.0.2.98", "k", "example.net", "--idempotency-key", "once")["revision"] == fleet.keyed
    near.cli("zone", "restore", "gone.example")
    near.cli("confirm", str(fleet.window))
    set_a(near, "192.0.2.77")
    same(fleet, *[m for m in fleet.members if m is not near])
    assert p.values("www.gone.example.") == ["192.0.2.10"] and p.values("w.example.net.") == ["192.0.2.99"]


@long
@pytest.mark.parametrize("known", (True, False))
def test_one_that_is_ahead_takes_the_state(fleet, known):
    """A primary commits alone until its log begins behind what the next one has: it cannot drop its own changes, whether
    or not it still knows the last common one (as it does the first of a term)."""
    if known:
        promoted(fleet, fleet.replicas[0])
        fleet.wait_converged()
    else:
        set_a(fleet.primary, "192.0.2.60")
    ahead, winner, far = fleet.primary, fleet.replicas[0], fleet.far
    common, adoptions = fleet.wait_converged(), len(adopted(ahead))
    for m in (winner, far):
        m.stop()
    many(fleet)
    wait_until(lambda: begins(ahead) > common + 1, "its log begins behind that")
    ahead.kill()
    winner.start()
    promoted(fleet, winner)
    set_a(winner, "192.0.2.61")
    ahead.start()
    wait_until(lambda: len(adopted(ahead)) == adoptions + 1, "it has the state", 40)
    wait_until(lambda: ahead.follows(winner.revision()), "and follows", 40)
    far.start()
    same(fleet, ahead, far)
    assert ("whole state is needed" in ahead.log().rsplit("event=start ", 1)[1]) == known
    assert state(ahead) == state(winner) and "192.0.2.9" in ahead.cli("draft", "lost")


@long
def test_a_candidate_that_is_too_far_behind(fleet):
    """What it lacks is in nobody's log: it is told at once, and whom to promote instead."""
    old, new, far = fleet.primary, fleet.replicas[0], fleet.far
    far_behind(fleet, far)
    wait_until(lambda: begins(new) > head_of(far) + 1, "in the other log, too")
    old.kill()
    far.start()
    text = far.fails(7, "fleet", "promote", "far", "--confirm=far")
    assert f"{new.name} keeps begins at change {begins(new)}: promote {new.name} instead" in text
    promoted(fleet, new)
    old.start()
    wait_until(lambda: far.follows(new.revision()), "far is back", 40)
    same(fleet, far, old)
