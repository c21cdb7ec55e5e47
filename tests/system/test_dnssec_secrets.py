"""No process but the signer can read a key: tried from each of the others, by memory, files and messages; and what a
whole copy of an appliance's data is worth without its key file."""

import json
import os
import pathlib
import shutil
import subprocess

import dns.exception
import pytest
from cryptography.exceptions import InvalidTag

import keyspy
from appliance import CliError, zone_text
from fleet import Fleet, Member
from peers import wait_until
from rawpeer import field
from test_dnssec_fleet import signed
from test_dnssec_keys import validated

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="needs root to look into every process")

INTRUDER = pathlib.Path(__file__).resolve().parents[1] / "lib" / "intruder.py"
USERS = {"sync": 61001, "signer": 61002, "answer": 61003, "worker": 61004, "probe": 61005, "nobody": 65534}
GROUP = 61000
ZONES = (("ed.example", 15), ("p256.example", 13))


@pytest.fixture(scope="module")
def fleet():
    """Both algorithms, a KSK each, and a ZSK beside the one that signs."""
    with Fleet(2) as f:
        for name, algorithm in ZONES:
            path = f.primary.dir / name
            path.write_text(zone_text(name + ".", records="www IN A 192.0.2.10\n"))
            f.primary.cli("zone", "import", name, path)
            f.primary.cli("dnssec", "enable", name, "--algorithm", algorithm, "--wait", "served")
            f.primary.cli("dnssec", "rollover", name, "zsk", "--wait", "served")
        f.secrets = keyspy.secrets("p", (f.primary.dir / "kek").read_bytes(), f.primary.data)
        yield f


def signs(a, zone):
    a.cli("record", "set", zone, "new", 60, "A", "192.0.2.7", "--commit", "--wait", "served")
    assert validated(a, zone + ".", f"new.{zone}", "A") == {"A"}


def running(a):
    return [(p["role"], p["pid"]) for p in a.processes()] + [("nameserved", a.process.pid)]


def test_only_the_signer_has_keys_in_memory(fleet):
    """And that one only where memory is locked and not dumped."""
    assert {"key file", "key pair", "fleet key 3.1", "fleet key 4.1"} < set(fleet.secrets)
    assert len([s for s in fleet.secrets if s.startswith(("ksk", "zsk"))]) == 6
    seen = set()
    for i, (zone, _) in enumerate(ZONES):
        signs(fleet.primary, zone)
        for member in fleet.members:
            for role, pid in running(member):
                hits = keyspy.in_memory(pid, fleet.secrets) if role == "signer" or i == 1 else set()
                assert not hits or role == "signer", (member.name, role, hits)
                assert all(locked for _, _, locked in hits), (member.name, hits)
                seen |= {(member.name, what) for what, _, _ in hits}
    # Or the search would find nothing anywhere.
    assert {("p", "fleet key 3.1"), ("p", "fleet key 4.1"), ("p", "key pair"), ("r1", "fleet key 3.1")} <= seen, seen
    assert {what for name, what in seen if name == "p" and what.startswith("zsk")}, seen
    # What wraps KSKs is at the primary alone, and no file is kept open.
    assert ("r1", "fleet key 4.1") not in seen and not [s for s in seen if s[1] in ("key file",) or "ksk" in s[1]], seen


def test_no_file_has_one(fleet):
    for member in fleet.members:
        hits = set(keyspy.in_files(member.dir, fleet.secrets))
        assert hits == ({("key file", str(member.dir / "kek"))} if member is fleet.primary else set())


def test_no_core_and_locked_memory(fleet):
    for member in fleet.members:
        for role, pid in running(member):
            limits = pathlib.Path(f"/proc/{pid}/limits").read_text()
            core = next(line for line in limits.splitlines() if line.startswith("Max core file size"))
            assert core.split()[4] == "0", (role, core)
            if role != "nameserved":
                assert os.stat(f"/proc/{pid}/mem").st_uid == 0, f"{role} is dumpable"
        status = pathlib.Path(f"/proc/{member.pid('signer')}/status").read_text()
        locked = next(line for line in status.splitlines() if line.startswith("VmLck:"))
        assert int(locked.split()[1]) >= 4096, locked


def tries(member, uid):
    hello = field(100, b"")[:-1].hex()  # its number; the length follows
    done = subprocess.run(["/usr/bin/python3", INTRUDER, str(member.pid("signer")), member.dir, hello],
                          user=uid, group=GROUP, extra_groups=[], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done
    return json.loads(done.stdout)


@pytest.mark.parametrize("who", [u for u in USERS if u != "signer"])
def test_no_other_user_gets_at_it(fleet, who):
    said = tries(fleet.primary, USERS[who])
    bus = bytes.fromhex(said.pop("bus"))
    got = {what for what, verdict in said.items() if verdict == "opened"}
    assert got == ({"data/store.db"} if who == "sync" else set()), said  # keys are wrapped there
    assert b"NSb1" not in bus and not keyspy.which(bus, fleet.secrets)


def problems(a):
    try:
        return str(a.cli_json("status", timeout=5)["problems"])
    except (CliError, subprocess.TimeoutExpired):
        return ""


def test_a_copy_of_a_replica_is_worth_no_key(fleet):
    replica = fleet.members[1]
    wait_until(lambda: signed(replica, "www.p256.example", zone="p256.example.") == {"A"}, "r1 signs")
    right, wrong = (replica.dir / "kek").read_bytes(), bytes(range(32))
    with pytest.raises(InvalidTag):
        keyspy.fleet_keys("r1", wrong, replica.data)
    # With the key file as well it is what the replica was: ZSKs, and never a KSK.
    _, ring = keyspy.fleet_keys("r1", right, replica.data)
    opened = [role for role, context, blob in keyspy.wrapped_keys(replica.data)
              for key in ring.values() if keyspy.opens(key, blob, context)]
    assert opened == ["zsk"] * 4


def copied(replica, key_file=None):
    """Without the signatures that were made: they need no key, and anybody may ask for them."""
    copy = Member("r1")
    subprocess.run(["cp", "-a", replica.data, copy.data], check=True)
    for path in (copy.data / "signer").glob("signatures.*"):
        path.unlink()
    if key_file is None:
        shutil.rmtree(copy.data / "signer")  # it makes itself another pair
    else:
        (copy.dir / "kek").write_bytes(key_file)
        (copy.dir / "kek").chmod(0o400)
    return copy


def answer_of(a):
    """What it says of a signed zone; None when it says nothing yet."""
    try:
        return a.values("www.p256.example", "RRSIG", timeout=2)
    except (OSError, dns.exception.Timeout):
        return None


def test_nor_does_the_software_open_more(fleet):
    """Not with another key file, nor by asking the primary for keys sealed to another pair."""
    p, replica = fleet.members
    replica.stop()
    for key_file, who, words in ((bytes(range(32)), "copy", "does not open"), (None, "p", "a copy of its data")):
        copy = copied(replica, key_file)
        copy.spawn()
        try:
            said = copy if who == "copy" else p
            wait_until(lambda s=said, w=words: w in problems(s), f"{who} says so", 30)
            wait_until(lambda c=copy: c.cli_run("status").returncode == 0 and c.processes("signer"), "the copy runs")
            assert not keyspy.in_memory(copy.pid("signer"), fleet.secrets)
            wait_until(lambda c=copy: answer_of(c) is not None, "it answers")
            assert answer_of(copy) in ("REFUSED", "SERVFAIL")
        finally:
            copy.__exit__(None)
    replica.start()
    wait_until(lambda: "a copy of its data" not in problems(p), "it is itself again", 30)
    wait_until(lambda: signed(replica, "www.p256.example", zone="p256.example.") == {"A"}, "r1 signs")


def test_its_own_user_gets_not_into_its_memory(fleet):
    """Files are that user's, of course, and what the signer is told. The last test: who poses as it takes its place."""
    said = tries(fleet.primary, USERS["signer"])
    bus = bytes.fromhex(said.pop("bus"))
    got = {what for what, verdict in said.items() if verdict == "opened"}
    assert got <= {"kek", "data/signer/appliance.key", "data/signer/signatures.0"}, said
    assert bus.count(b"NSb1") >= 6, "what the signer is told: wrapped keys"
    assert not keyspy.which(bus, fleet.secrets)
    assert {"mem", "maps", "kek"} <= {w for w, v in tries(fleet.primary, 0).items() if v == "opened"}  # it can be seen
