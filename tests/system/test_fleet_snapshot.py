"""Replicas that get the state instead of the history, and a log that begins later than it did."""

import os
import re
import shutil
import sqlite3

import pytest

from appliance import BUILD, variant, zone_text
from fleet import Fleet
from peers import wait_until

KEPT = 12  # changes of the log; of a test build alone
SECRET = "secret-zone.example"
MARK = b"xyzzy-plugh"
PIECE = 256 << 10


def put_zone(where, folder, origin, records):
    path = folder / origin
    path.write_text(zone_text(origin + ".", records=records))
    return where.cli_json("zone", "import", origin, path)


def set_a(where, value, name="a", zone="example.com", *args):
    return where.cli_json("record", "set", zone, name, "60", "A", value, "--commit", *args)


def many(fleet, count=KEPT + 5, zone="example.com"):
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
    fleet.wait_converged()
    reports = [m.cli_json("verify") for m in (fleet.primary, *members)]
    assert all(r["ok"] for r in reports), reports
    assert len({r["head"] for r in reports}) == 1


def remains(member):
    return [p.name for p in sorted(member.data.rglob("*")) if p.is_file() and MARK in p.read_bytes()]


def adopted(member):
    return [int(n) for n in re.findall(r"event=snapshot.adopted revision=(\d+)", member.log())]


@pytest.fixture(scope="module")
def fleet(tmp_path_factory):
    tree = variant(sync=BUILD / "vfs" / "nameserve-sync")
    with Fleet(1, build=tree, env={"NAMESERVE_TEST_HISTORY": str(KEPT)}) as f:
        f.folder = tmp_path_factory.mktemp("zones")
        p = f.primary
        p.stop()
        p.site = "home"
        p.start()
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


def test_it_goes_on_after_a_death(fleet):
    """Of either side, at any moment: what has come counts, the file of a primary that died is given again."""
    p, near = fleet.primary, fleet.near
    near.stop()
    many(fleet)
    wait_until(lambda: begins(p) > near_head(near) + 1, "its position is before the log's beginning")
    other = fleet.add("other", "--site", "home", site="home")  # so that the file is made
    made = re.findall(r"event=snapshot.made revision=(\d+) octets=(\d+) site=\S+ file=(\w+)", p.log())
    file = next(f for f in (p.data / "snapshots").iterdir() if f.name.startswith(made[-1][2]))
    assert file.stat().st_size == int(made[-1][1]) > 4 * PIECE
    p.kill()
    p.start()
    # As a death on the way leaves it: some pieces, and a part of one.
    part = near.data / "snapshots" / (file.name + ".part")
    part.write_bytes(file.read_bytes()[:3 * PIECE + 1000])
    owner = (near.data / "store.db").stat()
    os.chown(part, owner.st_uid, owner.st_gid)
    near.start()
    wait_until(lambda: f"from={3 * PIECE}" in near.log(), "it goes on from there")
    near.kill()
    near.start()
    many(fleet, 3)
    wait_until(lambda: near.follows(p.revision()), "near is back")
    same(fleet, near, other)
    assert state(near) == state(p)
    assert len(re.findall("event=snapshot.made", p.log())) == len(made), "the file was there"


def near_head(member):
    db = sqlite3.connect(f"file:{member.data / 'store.db'}?mode=ro", uri=True)
    try:
        return db.execute("SELECT max(revision) FROM change").fetchone()[0]
    finally:
        db.close()


def test_one_that_is_broken_is_refused(fleet):
    """A file that is not what its name says changes nothing, is said, and another one is made."""
    p, far = fleet.primary, fleet.far
    far.stop()
    many(fleet)
    wait_until(lambda: begins(p) > near_head(far) + 1, "its position is before the log's beginning")
    fourth = fleet.add("fourth", "--site", "away", site="away")
    assert adopted(fourth)
    file = max((p.data / "snapshots").iterdir(), key=lambda f: f.stat().st_mtime)
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    far.start()
    wait_until(lambda: "event=snapshot.refused" in far.log(), "it is refused")
    assert "the snapshot is refused" in str(far.cli_json("status")["problems"])
    assert far.values("www.example.com.") == ["192.0.2.10"]
    wait_until(lambda: far.follows(p.revision()), "another one was made", 60)
    same(fleet, far, fourth)
    assert not remains(far)


def test_it_can_be_promoted(fleet):
    """Who has the state and a short log is a primary like any other."""
    p, near = fleet.primary, fleet.near
    fleet.wait_converged()
    near.cli("fleet", "promote", "near", "--confirm=near")
    fleet.primary = near
    fleet.members = [near] + [m for m in fleet.members if m is not near]
    wait_until(lambda: p.follows(near.revision()), "p follows")
    assert "begins at change" in near.fails(3, "revert", str(fleet.keyed), "-m", "x")
    assert set_a(near, "192.0.2.98", "k", "example.net", "--idempotency-key", "once")["revision"] == fleet.keyed
    near.cli("zone", "restore", "gone.example")
    near.cli("confirm", str(fleet.window))
    set_a(near, "192.0.2.77")
    same(fleet, *[m for m in fleet.members if m is not near])
    assert p.values("www.gone.example.") == ["192.0.2.10"] and p.values("w.example.net.") == ["192.0.2.99"]
