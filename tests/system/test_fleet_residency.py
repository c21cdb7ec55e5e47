"""Zones that may be held at some sites only: an appliance elsewhere holds no byte of them."""

import base64
import contextlib
import os
import shutil
import threading

import pytest
import zmq

import rawpeer
from appliance import BUILD, variant, zone_text
from fleet import Fleet
from peers import wait_until

ZONE = "secret-zone.example"
MARKS = (b"xyzzy-plugh", b"secret-zone")


def put_zone(where, folder, origin, records):
    path = folder / origin
    path.write_text(zone_text(origin + ".", records=records))
    return where.cli_json("zone", "import", origin, path)


def set_txt(where, zone, value, *args):
    return where.cli_json("record", "set", zone, "mark", "60", "TXT", value, "--commit", *args)


def remains(member, marks=MARKS):
    """Files below the data directory that hold one of the marks."""
    found = []
    for path in sorted(member.data.rglob("*")):
        with contextlib.suppress(FileNotFoundError, IsADirectoryError):  # what SQLite has beside it comes and goes
            data = path.read_bytes()
            found += [(path.name, m) for m in marks if m in data]
    return found


def rcode(member, name):
    return member.ask(name, "TXT").rcode()


REFUSED = 5


KEPT = 50  # changes of the log, where replicas are made by snapshots
LONG = pytest.mark.skipif(not os.environ.get("NS_LONG"), reason="takes its time: make check-long")


def give_zones(f):
    put_zone(f.primary, f.folder, "example.com", "www A 192.0.2.10\n")
    put_zone(f.primary, f.folder, ZONE, "".join(f'n{i} TXT "xyzzy-plugh {i}"\n' for i in range(300)))
    for i in range(3):
        set_txt(f.primary, ZONE, f"xyzzy-plugh-{i}")
    f.primary.cli("dnssec", "enable", ZONE)


def add_replicas(f):
    f.near = f.add("near", "--site", "home", site="home", start=False)
    f.far = f.add("far", "--site", "away", site="home", start=False)
    f.stray = f.add("stray", site="home", start=False)
    for m in f.replicas:
        m.start()
    for m in f.replicas:
        wait_until(m.follows, f"{m.name} follows")


def forget_history(f):
    """What the zones are, nobody can replay any more."""
    for i in range(KEPT + 3):
        f.primary.cli("record", "set", "example.com", "m", "60", "A", f"192.0.2.{i + 1}", "--commit")
    wait_until(lambda: f.primary.cli_json("status")["history_begins"] > 1, "the log begins later")


@pytest.fixture(scope="module", params=("log", pytest.param("snapshot", marks=LONG)))
def fleet(request, tmp_path_factory):
    """p and near are at home, far is elsewhere; stray says that it is at home, and nobody invited it as that. They come
    by the log before there is anything, or by a snapshot when it is all there."""
    more = {}
    if request.param == "snapshot":
        more = {"build": variant(sync=BUILD / "vfs" / "nameserve-sync"), "env": {"NAMESERVE_TEST_HISTORY": str(KEPT)}}
    with Fleet(1, **more) as f:
        f.folder, f.by_snapshot = tmp_path_factory.mktemp("zones"), bool(more)
        f.primary.site = "home"
        f.primary.stop()
        f.primary.start()
        if f.by_snapshot:
            give_zones(f)
            forget_history(f)
        add_replicas(f)
        if not f.by_snapshot:
            give_zones(f)
        f.wait_converged()
        for m in f.replicas:
            assert ("snapshot.adopted" in m.log()) == f.by_snapshot
            wait_until(lambda m=m: rcode(m, f"mark.{ZONE}.") == 0, f"{m.name} has the keys, too", 20)
        yield f
    if more:
        shutil.rmtree(more["build"])


def gone(member, marks=MARKS):
    wait_until(lambda: "store.scrubbed" in member.log(), f"{member.name} is scrubbed")
    wait_until(lambda: not remains(member, marks), f"no remains at {member.name}: {remains(member, marks)}")


def test_narrowed(fleet):
    p, near, far = fleet.primary, fleet.near, fleet.far
    assert remains(far) and rcode(far, f"mark.{ZONE}.") == 0
    p.cli("zone", "set", ZONE, "--sites", "home,other")
    assert p.cli_json("zone", "show", ZONE)["sites"] == ["home", "other"]
    fleet.wait_converged()
    for m in (far, fleet.stray):
        wait_until(lambda m=m: rcode(m, f"mark.{ZONE}.") == REFUSED, f"{m.name} refuses")
        gone(m)
        m.fails(3, "zone", "show", ZONE)
        assert m.values("www.example.com.") == ["192.0.2.10"]
    assert rcode(near, f"mark.{ZONE}.") == 0


def key_marks(p):
    """What the keys of the zone are known by: its public ones, as they are stored."""
    keys = p.cli_json("dnssec", "keys", ZONE)["keys"]
    return tuple(base64.b64decode(k["dnskey"].split()[-1]) for k in keys)


def test_its_keys_are_not_there_either(fleet):
    p, near, far = fleet.primary, fleet.near, fleet.far
    assert remains(p, key_marks(p)) and not remains(far, key_marks(p))
    p.cli("dnssec", "rollover", ZONE, "zsk")
    fleet.wait_converged()
    assert remains(near, key_marks(p)) and not remains(far, key_marks(p))
    far.fails(3, "dnssec", "keys", ZONE)


def test_changes_pass_by(fleet):
    """Edits of it, alone and with others, come as header and digest; the rest of a change is applied."""
    p, near, far = fleet.primary, fleet.near, fleet.far
    done = set_txt(p, ZONE, "xyzzy-plugh-later")
    near.cli("record", "set", "example.com", "both", "60", "A", "192.0.2.44")
    near.cli("record", "set", ZONE, "both", "60", "TXT", "xyzzy-plugh-both")
    near.cli("commit", "example.com", ZONE, "--wait", "served")
    fleet.wait_converged()
    assert near.values(f"both.{ZONE}.", "TXT") == ['"xyzzy-plugh-both"']
    assert far.values("both.example.com.") == ["192.0.2.44"]
    assert rcode(far, f"both.{ZONE}.") == REFUSED
    assert not remains(far)
    shown = far.cli_json("history", "show", str(done["revision"]))
    assert shown["change"]["withheld"] == 1 and not shown["diffs"]
    assert "not held at this site" in far.cli("history", "show", str(done["revision"]))
    assert p.cli_json("history", "show", str(done["revision"]))["diffs"][0]["added"]
    fleet.wait_same_history()


def test_digests_agree(fleet):
    """Two rounds of the exchange find nothing to repair, nor does a restart of the signer bring it back."""
    far = fleet.far
    assert "fleet.repaired" not in far.log() and "fleet.differs" not in far.log()
    old = far.pid("signer")
    far.kill_role("signer")
    far.wait_replaced("signer", old)
    wait_until(lambda: far.values("www.example.com.") == ["192.0.2.10"], "served")
    assert rcode(far, f"mark.{ZONE}.") == REFUSED


@pytest.mark.parametrize("kind", (zmq.DEALER, zmq.SUB))
def test_a_key_of_another_site_gets_nothing(fleet, kind):
    """Whatever it says of itself: who it is, is its key."""
    far, p = fleet.far, fleet.primary
    head = p.revision()
    far.stop()
    server = rawpeer.keys_of(p.data)[0]
    pair = rawpeer.keys_of(far.data)
    say = [rawpeer.hello("home"), rawpeer.receipt(0), rawpeer.digest_all(head)] if kind == zmq.DEALER else []
    rest = b"example\x03com" if kind == zmq.DEALER and not fleet.by_snapshot else b""
    got = rawpeer.listen(p.fleet_port, server, pair, kind, say, until=rest)
    if kind == zmq.DEALER and not fleet.by_snapshot:
        assert rest in got, "it does get the rest"
    assert not [m for m in MARKS if m in got]
    if kind == zmq.DEALER and not fleet.by_snapshot:
        near = fleet.near
        near.stop()
        assert MARKS[0] in rawpeer.listen(p.fleet_port, server, rawpeer.keys_of(near.data), kind, say, until=MARKS[0])
        near.start()
    far.start()
    wait_until(lambda: far.follows(head), "far follows")


def test_a_new_one_gets_it_never(fleet):
    late = fleet.add("late", "--site", "away", site="away")
    fleet.wait_converged()
    assert late.values("www.example.com.") == ["192.0.2.10"]
    assert rcode(late, f"mark.{ZONE}.") == REFUSED
    assert not remains(late)
    assert late.cli_json("verify")["ok"]


def test_the_primary_must_hold_it(fleet):
    p = fleet.primary
    assert "primary" in p.fails(5, "zone", "set", "example.com", "--sites", "away")
    p.fails(2, "zone", "set", "example.com", "--sites", "no/site")
    p.fails(2, "zone", "set", "example.com", "--sites", "home", "--account", "x")
    p.fails(5, "zone", "set", ZONE, "--sites", "other,home")  # as it is
    for words in (("zone", "set", ZONE, "--sites", ""), ("account", "set", "x", "--sites", "home")):
        assert "primary" in fleet.near.fails(7, *words)


def test_of_an_account(fleet):
    """Its zones, also those that were deleted while they were in it; a zone's own word counts first."""
    p, far = fleet.primary, fleet.far
    p.cli("account", "create", "acme")
    for name in ("acme-one", "acme-two", "acme-gone"):
        put_zone(p, fleet.folder, f"{name}.example", f'mark TXT "acme-data-{name}"\n')
        p.cli("zone", "set", f"{name}.example", "--account", "acme")
    p.cli("zone", "set", "acme-two.example", "--sites", "home,away")
    p.cli("zone", "delete", "acme-gone.example", "--confirm=acme-gone.example")
    fleet.wait_converged()
    marks = (b"acme-data-acme-one", b"acme-data-acme-gone", b"acme-gone", b"acme-one")
    assert far.values("mark.acme-one.example.", "TXT") == ['"acme-data-acme-one"']
    done = p.cli_json("account", "set", "acme", "--sites", "home")
    assert done["kind"] == "account"
    assert [a["sites"] for a in p.cli_json("account", "list")["accounts"]] == [["home"]]
    fleet.wait_converged()
    wait_until(lambda: rcode(far, "mark.acme-one.example.") == REFUSED, "far refuses")
    wait_until(lambda: not remains(far, marks), f"no remains {remains(far, marks)}")
    assert far.values("mark.acme-two.example.", "TXT") == ['"acme-data-acme-two"']
    assert fleet.near.values("mark.acme-one.example.", "TXT") == ['"acme-data-acme-one"']
    assert far.cli_json("verify")["ok"]


class Watch(threading.Thread):
    """Asks one appliance all the time, and remembers what kinds of answers it saw."""

    def __init__(self, member):
        super().__init__()
        self.member, self.seen, self.over = member, set(), threading.Event()

    def run(self):
        while not self.over.is_set():
            reply = self.member.ask(f"mark.{ZONE}.", "TXT", want_dnssec=True)
            self.seen.add("signed" if len(reply.answer) == 2 else "unsigned" if reply.answer else "refused")

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.join()


def test_widened(fleet):
    """Where it may be again it comes whole, with its keys; what the log said of it before stays away."""
    p, far = fleet.primary, fleet.far
    with Watch(far) as w:
        p.cli("zone", "set", ZONE, "--sites", "home,away")
        wait_until(lambda: "signed" in w.seen, f"far signs it: {w.seen}", 30)
    assert "unsigned" not in w.seen
    assert far.values(f"mark.{ZONE}.", "TXT") == p.values(f"mark.{ZONE}.", "TXT")
    set_txt(p, ZONE, "again")
    fleet.wait_converged()
    wait_until(lambda: far.values(f"mark.{ZONE}.", "TXT") == ['"again"'], "and follows")
    assert far.cli_json("verify")["ok"]
    p.cli("zone", "set", ZONE, "--sites", "home")
    wait_until(lambda: rcode(far, f"mark.{ZONE}.") == REFUSED, "gone again")
    wait_until(lambda: not remains(far), "no remains")


def test_no_draft_of_it_is_made_elsewhere(fleet):
    """A draft is a file of the host where it is typed; what is committed at once leaves nothing there."""
    p, far, near = fleet.primary, fleet.far, fleet.near
    serial = p.cli_json("zone", "show", ZONE)["serial"]
    change = set_txt(p, ZONE, "xyzzy-plugh-drafted")["revision"]
    fleet.wait_converged()
    assert "may not be held where far is" in far.fails(4, "revert", change)
    assert "may not be held where far is" in far.fails(4, "restore", ZONE, "--to", serial)
    text = p.cli("zone", "export", ZONE) + "typed 60 IN TXT here\n"
    assert "may not be held where far is" in far.fails(6, "zone", "import", ZONE, "-", stdin=text)
    near.cli("restore", ZONE, "--to", serial)
    near.cli("draft", "drop", ZONE, "--yes")
    far.cli("revert", change, "--commit")
    wait_until(lambda: "drafted" not in str(p.values(f"mark.{ZONE}.", "TXT")), "taken back")


def test_a_backup_names_it(fleet):
    made = fleet.primary.cli("backup", fleet.folder / "backup")
    assert f"zone {ZONE}.: home" in made and "account acme: home" in made


def test_who_may_lead(fleet):
    """The standby holds everything, and so does whoever is promoted."""
    p, far = fleet.primary, fleet.far
    assert "may not be held" in p.fails(5, "fleet", "standby", "far")
    p.cli("fleet", "standby", "near")
    p.cli("fleet", "standby", "none")


def test_trust_caps_what_is_relayed(fleet):
    """Root at an appliance that is trusted with a viewer's part edits nothing."""
    peep = fleet.add("peep", "--trust", "viewer")
    assert "peep" in peep.fails(4, "record", "set", "example.com", "a", "60", "A", "192.0.2.1", "--commit")
    assert "peep" in peep.fails(4, "zone", "create", "new.example", "--ns", "ns1.example.net.")
    assert peep.cli_json("zone", "show", "example.com")["serial"]
    fleet.near.cli("record", "set", "example.com", "a", "60", "A", "192.0.2.1", "--commit")
    assert "E2715" in fleet.near.fails(7, "settings", "set", "nameservers", "ns1.example.net")


def test_what_was_lost_is_not_kept_either(tmp_path):
    """A history that lost is kept for drafts; a zone in it that may not be held there any more goes, too."""
    with Fleet(1) as f:
        p = f.primary
        r1 = f.add("r1", "--site", "home", site="home")
        for zone in (ZONE, "example.com"):
            put_zone(p, tmp_path, zone, "www A 192.0.2.10\n")
        f.wait_converged()
        p.cli("account", "create", "acme")
        f.wait_converged()
        r1.kill()
        set_txt(p, ZONE, "xyzzy-plugh")
        set_txt(p, "example.com", "kept")
        p.cli("account", "create", "late")
        for account in ("acme", "late", "none", "again"):
            put_zone(p, tmp_path, f"only-{account}.example", f'mark TXT "only-data-{account}"\n')
            if account not in ("none", "again"):
                p.cli("zone", "set", f"only-{account}.example", "--account", account)
        p.kill()
        r1.start()
        r1.cli("fleet", "promote", "r1", "--confirm=r1")
        p.start()
        wait_until(lambda: p.cli_json("status")["role"] == "replica" and p.follows(r1.revision()), "p follows r1", 20)
        assert "xyzzy-plugh" in p.cli("draft", "lost")
        r1.cli("zone", "set", ZONE, "--sites", "home")
        gone(p)
        text = p.cli("draft", "lost")
        assert "xyzzy-plugh" not in text and ZONE not in text and "kept" in text
        # One that is made again, and has another number: by its name.
        again = (b"only-data-again",)
        put_zone(r1, tmp_path, "only-again.example", "www A 192.0.2.10\n")
        wait_until(lambda: p.follows(r1.revision()) and p.values("www.only-again.example.") == ["192.0.2.10"], "it is here")
        assert remains(p, again)
        r1.cli("zone", "set", "only-again.example", "--sites", "home")
        wait_until(lambda: not remains(p, again), f"it is gone: {remains(p, again)}", 20)
        # Zones that the new history never knew: by their accounts, of which it has one under another number.
        assert all(remains(p, (f"only-data-{a}".encode(),)) for a in ("acme", "late"))
        for account in ("other", "late"):
            r1.cli("account", "create", account)
        for account in ("acme", "late"):
            r1.cli("account", "set", account, "--sites", "home")
            marks = (f"only-data-{account}".encode(), b"\x05only-" + account.encode(), f"only-{account}".encode())
            wait_until(lambda m=marks: not remains(p, m), f"nothing of {account} is left: {remains(p, marks)}", 20)
        assert "only-none.example" in p.cli("draft", "lost") and remains(p, (b"only-data-none",))
        p.cli("draft", "take")
        assert [d["zone"] for d in p.cli_json("draft", "list")["drafts"]] == ["example.com."]
