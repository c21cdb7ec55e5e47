"""The log: it takes changes back, brings zones back, and is enough to make the same store elsewhere."""

import json
import sqlite3
import subprocess

from appliance import BUILD, zone_text

DAY_MS = 24 * 3600 * 1000


def replays(appliance):
    """A store made from the log alone, as a replica makes it, is the same; the appliance is stopped."""
    appliance.stop()
    copy = appliance.dir / "replayed"
    copy.mkdir()
    done = subprocess.run([BUILD / "tools" / "replay", appliance.dir / "data", copy],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and done.stdout.startswith("same "), (done.stdout, done.stderr)


def test_the_log_alone_makes_the_same_store(example):
    cli = example.cli
    cli("settings", "set", "nameservers", "ns1.op.example.,ns2.op.example.", "hostmaster", "h.op.example.")
    cli("settings", "set", "hostmaster", "root.op.example.")
    cli("zone", "create", "new.example")
    cli("record", "set", "example.com", "a", 60, "A", "192.0.2.1", "192.0.2.2", "--commit")
    cli("record", "add", "example.com", "a", 60, "A", "192.0.2.3", "--commit")
    cli("record", "del", "example.com", "a", "A", "192.0.2.1", "--commit")
    cli("record", "del", "example.com", "www", "--commit")
    sets = [c["rrsets"] for c in example.cli_json("history", "list", "example.com")["changes"][:4]]
    counts = [(n["added"], n["removed"], n["changed"]) for n in sets]
    assert counts == [(0, 1, 0), (0, 0, 1), (0, 0, 1), (1, 0, 0)]  # of RRsets, and the SOA's serial is none
    many = "".join(f"h{i} IN A 10.0.{i >> 8}.{i & 255}\n" for i in range(4000))
    cli("zone", "import", "big.example", "-", stdin=zone_text("big.example.", 1, many))
    assert example.cli_json("history", "list", "big.example")["changes"][0].get("rrsets") is None  # too much to count
    for i in range(5):
        cli("record", "set", "big.example", f"h{700 * i}", 60, "TXT", f'"{i}"', "--commit")
    half = "".join(f"h{i} IN A 10.1.{i >> 8}.{i & 255}\n" for i in range(0, 4000, 2))
    cli("zone", "import", "big.example", "-", "--commit", "--confirm=big.example",
        stdin=zone_text("big.example.", 9, half))
    cli("zone", "delete", "new.example", "--confirm=new.example")
    cli("zone", "create", "new.example")
    serial = example.cli_json("zone", "show", "example.com")["serial"]
    cli("record", "set", "example.com", "b", 60, "A", "192.0.2.1", "--commit", "--confirm-within", "1h")
    revision = cli_revision(example)
    cli("confirm", revision)
    cli("revert", revision, "--commit")
    cli("restore", "example.com", "--to", serial, "--commit")
    cli("zone", "delete", "big.example", "--confirm=big.example")
    cli("zone", "restore", "big.example")
    cli("revert", cli_revision(example), "--commit", "--confirm=big.example")
    cli("settings", "set", "hostmaster", "other.op.example.")
    cli("revert", cli_revision(example), "--commit")
    cli("account", "create", "acme")
    cli("account", "create", "gone")
    cli("zone", "create", "acme.example", "--account", "acme")
    cli("zone", "set", "new.example", "--account", "acme")
    cli("zone", "set", "new.example", "--account", "")
    cli("account", "delete", "gone", "--confirm=gone")
    cli("user", "create", "ann", "--unix", "games", "--role", "viewer")
    cli("user", "set", "ann", "--role", "operator")
    cli("zone", "delete", "acme.example", "--confirm=acme.example")
    cli("zone", "restore", "acme.example")
    assert example.cli_json("zone", "show", "acme.example")["account"] == "acme"
    kinds = {c["kind"] for c in example.cli_json("history", "list", "--limit", 100)["changes"]}
    assert kinds >= {"settings", "create", "edit", "import", "delete", "confirm", "revert", "restore", "undelete"}
    replays(example)


def cli_json_revision(a, *words, **kw):
    return a.cli_json(*words, **kw)["revision"]


def cli_revision(a):
    return a.cli_json("status")["revision"]


def edit(a, name, *rdata, zone="example.com", rtype="A", ttl=60):
    return a.cli_json("record", "set", zone, name, ttl, rtype, *rdata, "--commit")["revision"]


def export(a, zone="example.com"):
    """All records but the SOA."""
    return sorted(line for line in a.cli("zone", "export", zone).splitlines() if " SOA " not in line and line[:1] != ";")


def soa(a, zone="example.com"):
    return a.values(zone, "SOA")[0].split()


def test_revert_is_the_inverse(example):
    cli = example.cli
    before = export(example)
    changes = [
        edit(example, "www", "192.0.2.99"),
        edit(example, "new", "192.0.2.1", "192.0.2.2"),
        cli_del(example, "ns2"),
        edit(example, "@", "10 www", rtype="MX"),
        edit(example, "@", f"ns1 root {2**31} 1 2 1209600 77", rtype="SOA"),
    ]
    serial = int(soa(example)[2])
    for change in reversed(changes):
        done = cli("revert", change, "--commit", "-m", f"not {change}")
        assert "served by" in done
    assert export(example) == before
    now = soa(example)
    assert now[3:] == ["7200", "3600", "1209600", "300"] and int(now[2]) > serial  # serials only move forward
    assert example.values("www.example.com") == ["192.0.2.10"]
    last = example.cli_json("history", "list")["changes"][0]
    assert last["kind"] == "revert" and last["comment"] == f"not {changes[0]}"
    # Twice makes no difference: what is so already stays.
    revision = cli_revision(example)
    cli("revert", changes[0], "--commit")
    assert cli_revision(example) == revision
    example.fails(3, "revert", 9999, "--commit")


def cli_del(a, *words):
    return a.cli_json("record", "del", "example.com", *words, "--commit")["revision"]


def test_revert_of_what_was_touched_since_is_a_conflict(example):
    first = edit(example, "www", "192.0.2.1")
    edit(example, "www", "192.0.2.2")
    revision = cli_revision(example)
    done = example.cli_run("--json", "revert", first, "--commit")
    assert done.returncode == 5
    error = json.loads(done.stdout)["error"]
    assert error["code"] == "E2121"
    assert [(s["name"], s["was"]["rdata"], s["theirs"]["rdata"], s["mine"]["rdata"])
            for s in error["conflict"]["rrsets"]] == [
        ("www.example.com.", ["192.0.2.1"], ["192.0.2.2"], ["192.0.2.10"])]
    assert cli_revision(example) == revision and example.values("www.example.com") == ["192.0.2.2"]
    # Another RRset that changed since is no obstacle.
    second = edit(example, "a", "192.0.2.3")
    edit(example, "b", "192.0.2.4")
    example.cli("revert", second, "--commit")
    assert example.values("a.example.com") == "NXDOMAIN" and example.values("b.example.com") == ["192.0.2.4"]


def test_revert_of_several_zones_is_all_or_nothing(example):
    example.cli("zone", "import", "example.net", "-", stdin=zone_text("example.net."))
    for zone in ("example.com", "example.net"):
        example.cli("record", "set", zone, "x", 60, "A", "192.0.2.1")
    both = example.cli_json("commit", "--all")["revision"]
    edit(example, "x", "192.0.2.2", zone="example.net")
    example.fails(5, "revert", both, "--commit")
    assert example.values("x.example.com") == ["192.0.2.1"]
    edit(example, "x", "192.0.2.1", zone="example.net")
    example.cli("revert", both, "--commit")
    assert example.values("x.example.com") == example.values("x.example.net") == "NXDOMAIN"


def test_a_revert_is_drafts_until_it_is_committed(example):
    """Of each zone of the change; shown, planned and committed as what was typed is, and nothing before."""
    cli = example.cli
    cli("zone", "import", "example.net", "-", stdin=zone_text("example.net."))
    before = {z: export(example, z) for z in ("example.com", "example.net")}
    for zone in before:
        cli("record", "set", zone, "www", 60, "A", "192.0.2.1", "192.0.2.2")
        cli("record", "set", zone, "www", 60, "AAAA", "2001:db8::1")
    cli("record", "set", "example.com", "@", 77, "SOA", "ns1 root 7 1 2 1209600 77")
    both = cli_json_revision(example, "commit", "--all", "--confirm=*")
    after = {z: export(example, z) for z in before}
    made = example.cli_json("revert", both)["drafts"]
    assert [(d["zone"], d["ops"]) for d in made] == [("example.com.", 3), ("example.net.", 2)]
    assert {z: export(example, z) for z in before} == after and cli_revision(example) == both
    assert "del www.example.com. AAAA" in cli("draft", "show", "example.com")
    assert "a draft of example.com. with 3" in example.fails(5, "revert", both)  # what is typed is not written over
    assert example.cli_json("plan", "--all")["zones"][0]["records_added"] == 2
    cli("commit", "--all", "-m", "back", "--confirm=*")
    assert {z: export(example, z) for z in before} == before and soa(example)[3:] == ["7200", "3600", "1209600", "300"]
    assert "so already" in cli("revert", both)
    # What cannot be a draft says so; what waits to be confirmed holds its RRsets against drafts, too.
    cli("zone", "create", "new.example", "--ns", "ns1.example.net.")
    assert "--commit" in example.fails(2, "revert", cli_revision(example))
    edit(example, "w", "192.0.2.9")
    held = cli_json_revision(example, "record", "set", "example.com", "w", 60, "A", "192.0.2.8", "--commit",
                             "--confirm-within", "1h")
    assert f"revert {held} --commit" in example.fails(5, "revert", held)
    cli("revert", held, "--commit")
    assert example.values("w.example.com") == ["192.0.2.9"]


def test_a_restore_is_a_draft_until_it_is_committed(example):
    serial, before = int(soa(example)[2]), export(example)
    edit(example, "a", "192.0.2.1")
    edit(example, "www", "192.0.2.2")
    example.cli("restore", "example.com", "--to", serial)
    assert example.values("www.example.com") == ["192.0.2.2"]
    example.cli("commit", "example.com", "-m", "as it was")
    assert export(example) == before
    # As much as no message holds takes --commit.
    many = "".join(f"h{i} IN TXT {'x' * 200}\n" for i in range(4000))
    full = cli_json_revision(example, "zone", "import", "big.example", "-", stdin=zone_text("big.example.", 7, many))
    example.cli("zone", "import", "big.example", "-", "--commit", "--confirm=*", stdin=zone_text("big.example.", 8))
    assert "4001 records to add" in example.fails(2, "restore", "big.example", "--to", 7)
    assert cli_revision(example) == full + 1


def test_revert_of_zones_made_and_deleted(example):
    example.cli("zone", "import", "new.example", "-", stdin=zone_text("new.example.", records="a IN A 192.0.2.7\n"))
    made = cli_revision(example)
    example.fails(9, "revert", made, "--commit")
    edit(example, "b", "192.0.2.8", zone="new.example")
    example.fails(5, "revert", made, "--commit", "--confirm=new.example")
    example.cli("zone", "delete", "new.example", "--confirm=new.example")
    deleted = cli_revision(example)
    example.cli("revert", deleted, "--commit")
    assert example.values("b.new.example") == ["192.0.2.8"]
    example.fails(5, "revert", deleted, "--commit")


def test_restore_to_an_earlier_serial(example):
    cli = example.cli
    states = {}
    for i in range(6):
        edit(example, f"h{i}", f"192.0.2.{i}", f"192.0.2.{i + 100}")
        edit(example, "www", f"192.0.2.{50 + i}")
        if i == 3:
            cli_del(example, "h1")
        if i == 4:
            edit(example, "h1", "192.0.2.111")
            text = cli("zone", "export", "example.com").replace("192.0.2.2\n", "192.0.2.222\n")
            cli("zone", "import", "example.com", "-", "--commit", stdin=text)
        states[example.cli_json("zone", "show", "example.com")["serial"]] = export(example)
    for serial, records in states.items():
        now = example.cli_json("zone", "show", "example.com")["serial"]
        done = example.cli_json("restore", "example.com", "--to", serial, "--commit", "-m", "back",
                                "--confirm=example.com")
        assert done["serial"] > now
        assert export(example) == records
    assert "history list" in example.fails(3, "restore", "example.com", "--to", 5, "--commit")
    example.fails(2, "restore", "example.com")
    # Past a deletion: the zone keeps its history.
    cli("zone", "delete", "example.com", "--confirm=example.com")
    example.fails(3, "restore", "example.com", "--to", min(states), "--commit")
    cli("zone", "restore", "example.com")
    cli("restore", "example.com", "--to", min(states), "--commit", "--confirm=example.com")
    assert export(example) == states[min(states)]


def test_the_rail_holds_for_restore_and_revert(appliance):
    few = zone_text("big.example.", 1, "".join(f"h{i} IN A 10.0.0.{i}\n" for i in range(10)))
    many = zone_text("big.example.", 2, "".join(f"h{i} IN A 10.0.0.{i}\n" for i in range(60)))
    appliance.cli("zone", "import", "big.example", "-", stdin=few)
    appliance.cli("zone", "import", "big.example", "-", "--commit", stdin=many)
    change = cli_revision(appliance)
    assert "E2118" in appliance.fails(9, "revert", change, "--commit")
    assert "E2118" in appliance.fails(9, "restore", "big.example", "--to", 1, "--commit")
    appliance.cli("restore", "big.example", "--to", 1, "--commit", "--confirm=big.example")
    assert appliance.values("h59.big.example") == "NXDOMAIN"


def test_the_trash(example):
    cli = example.cli
    edit(example, "kept", "192.0.2.77")
    before, serial = export(example), int(soa(example)[2])
    cli("zone", "delete", "example.com", "--confirm=example.com", "-m", "oops")
    assert example.values("www.example.com") == "REFUSED"
    item = example.cli_json("zone", "trash")["items"][0]
    assert item["zone"] == "example.com." and item["revision"] == cli_revision(example)
    done = example.cli_json("zone", "restore", "example.com", "-m", "phew")
    assert done["serial"] > serial and export(example) == before
    assert example.values("kept.example.com") == ["192.0.2.77"]
    assert example.cli_json("zone", "trash")["items"] == []
    assert len(example.cli_json("history", "list", "example.com")["changes"]) == 4  # it goes on
    example.fails(3, "zone", "restore", "example.com")
    # A zone of that name is there again.
    cli("zone", "delete", "example.com", "--confirm=example.com")
    cli("zone", "import", "example.com", "-", stdin=zone_text("example.com."))
    example.fails(5, "zone", "restore", "example.com")
    cli("zone", "delete", "example.com", "--confirm=example.com")
    # The newest deletion comes back; after thirty days nothing does.
    cli("zone", "restore", "example.com")
    assert example.values("www.example.com") == "NXDOMAIN"
    cli("zone", "delete", "example.com", "--confirm=example.com")
    example.stop()
    with sqlite3.connect(example.data / "store.db") as db:
        db.execute("UPDATE tombstone SET at_ms = at_ms - ?", [31 * DAY_MS])
    db.close()
    example.start()
    assert example.cli_json("zone", "trash")["items"] == []
    assert "30 days" in example.fails(3, "zone", "restore", "example.com")


def test_a_damaged_zone_can_go(example):
    example.cli("zone", "import", "hurt.example", "-", stdin=zone_text("hurt.example."))
    example.stop()
    with sqlite3.connect(example.data / "store.db") as db:
        db.execute("UPDATE part SET sum = sum + 1 WHERE zone_id = (SELECT max(id) FROM zone)")
    db.close()
    example.start()
    example.cli("zone", "delete", "hurt.example", "--confirm=hurt.example")
    example.fails(3, "zone", "restore", "hurt.example")
    assert example.values("www.example.com") == ["192.0.2.10"]
    assert example.cli_json("verify")["ok"] is True
