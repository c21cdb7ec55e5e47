"""What is to be seen of signatures: `verify --signatures` finds one wrong octet, zones that arrive signed say when their
signatures end or ended, and an appliance without its signature file serves nothing unsigned and is not READY before all
is signed."""

import collections
import json
import pathlib
import re
import shutil
import struct
import subprocess
import tempfile
import time

import dns.exception
import dns.rdatatype
import pytest

import signed_here
import signed_zones
from appliance import Appliance, zone_text
from peers import wait_until

EXTERNAL, EXPIRED, BROKEN = "ext.", "old.", "bad."
MANY = 60


def signed_elsewhere(folder, origin, since, until):
    """A zone that dnssec-signzone signs for that time; its path."""
    signer = signed_zones.Signer(folder)
    base = signer.run("dnssec-keygen", "-q", "-a", "ED25519", "-f", "KSK", origin)
    key = (folder / f"{base}.key").read_text().splitlines()[-1]
    bare, out = folder / f"zone-{origin}", folder / f"zone-{origin}signed"
    bare.write_text(zone_text(origin, records="www IN A 192.0.2.7\n") + key + "\n")
    signer.run("dnssec-signzone", "-z", "-P", "-O", "full", "-s", since, "-e", until, "-o", origin, "-f", out, bare, base)
    return out


@pytest.fixture(scope="module")
def site():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="ns-verify-", dir="/tmp"))
    folder.chmod(0o755)
    with Appliance() as a:
        made = signed_here.Site(a, ["our", "oured3"])
        a.cli("zone", "import", EXTERNAL, signed_elsewhere(folder, EXTERNAL, "20260101000000", "20360101000000"))
        a.cli("zone", "import", EXPIRED, signed_elsewhere(folder, EXPIRED, "20200101000000", "20210203040506"))
        made.folder2 = folder
        yield made
        made.close()
    shutil.rmtree(folder)


def test_every_signature_is_verified(site):
    plain = site.a.cli_json("verify")
    assert plain["ok"] and plain["signatures"] == 0
    done = site.a.cli_run("--json", "verify", "--signatures", timeout=120)
    found = json.loads(done.stdout)
    assert done.returncode != 0 and not found["ok"], found
    assert [(f["what"], f["zone"]) for f in found["findings"]] == [("signature", EXPIRED)], found["findings"]
    assert "has expired" in found["findings"][0]["text"] and "more)" in found["findings"][0]["text"]
    assert found["signatures"] > 1000 and found["images"] == found["zones"]


def test_a_wrong_signature_is_found(site):
    good = (site.folder2 / f"zone-{EXTERNAL}signed").read_text().replace(EXTERNAL, BROKEN)
    bad = site.folder2 / "bad"
    bad.write_text(good)  # signed for another name
    site.a.cli("zone", "import", BROKEN, bad)
    done = site.a.cli_run("verify", "--signatures", timeout=120)
    assert done.returncode != 0 and f"signature {BROKEN}: " in done.stdout and "does not verify" in done.stdout, done.stdout
    site.a.cli("zone", "delete", BROKEN, f"--confirm={BROKEN}")


def test_expiry_is_shown(site):
    show = lambda zone: site.a.cli_json("dnssec", "keys", zone)  # noqa: E731
    ours, ext, old = show("our."), show(EXTERNAL), show(EXPIRED)
    assert ours["status"] == "signed" and not ours["expired"]
    assert ext["status"] == "external" and ext["expires"].startswith("2036-01-01T") and not ext["expired"]
    assert old["status"] == "external" and old["expires"].startswith("2021-02-03T04:05:06") and old["expired"]
    assert "old.  external, expired since 2021-02-03T04:05:06" in site.a.cli("dnssec", "keys", EXPIRED)
    assert "signatures external, expired since 2021-02-03T04:05:06" in site.a.cli("zone", "show", EXPIRED)
    zone = lambda name: site.a.cli_json("zone", "show", name)  # noqa: E731
    assert zone(EXPIRED)["signatures_until"] == old["expires"] and zone(EXPIRED)["signatures_expired"]
    assert zone("our.")["signatures_until"] == ours["expires"] and not zone("our.")["signatures_expired"]
    assert zone("our.")["next_key_event"] == ours["next_event"] != ""

    def told():
        status = site.a.cli_json("status")
        found = [p["text"] for p in status["problems"] if p["code"] == "signatures"]
        return status if found == [f"zone {EXPIRED} arrived signed and has expired signatures since 2021-02-03T04:05:06.000Z: "
                                   "import it signed anew"] and status["signatures"]["external"] == 2 else None

    state = wait_until(told, "status says which zone has expired signatures", 30)["signatures"]
    assert state["external_expired"] == 1 and state["zones"] == 5 and state["made"] > 500
    events = [show(f"{zone}.")["next_event"] for zone in ("our", "oured3")]

    def counted():
        m = site.a.cli_json("stats")["signing"]
        return m if m["zones"] == 5 and m["external_expired"] == 1 and m["until"] else None

    metrics = wait_until(counted, "the signer said so to stats, too", 30)
    assert metrics["refused"] == 0 and metrics["until_zone"].endswith(".")
    assert "" != metrics["next_event"] <= min(events)  # sync's own: true at once
    keys = [k for z in site.a.cli_json("zone", "list")["zones"] for k in show(z["name"])["keys"]]
    kinds = collections.Counter((k["role"], k["algorithm"], k["state"]) for k in keys)
    assert {(k["role"], k["algorithm"], k["state"]): k["keys"] for k in metrics["keys"]} == kinds and len(kinds) == 4
    assert f"zsk 15 active {kinds['zsk', 15, 'active']}" in site.a.cli("stats")


def extended_errors(reply):
    return [o.code for o in reply.options if o.otype == 15]


def test_an_expired_zone_says_so_to_who_validates(site):
    assert extended_errors(site.a.ask(f"www.{EXPIRED}", want_dnssec=True)) == [7]
    assert extended_errors(site.a.ask(f"www.{EXPIRED}", use_edns=0)) == []
    assert extended_errors(site.a.ask(f"www.{EXTERNAL}", want_dnssec=True)) == []


@pytest.mark.parametrize("code, since, strip", [(8, "20350101000000", None), (9, "20260101000000", r"^.*\sDNSKEY\s.*\n")])
def test_what_else_is_wrong_with_a_zone_that_arrived(site, code, since, strip):
    zone = f"wrong{code}."
    path = signed_elsewhere(site.folder2, zone, since, "20360101000000")
    if strip:
        path.write_text(re.sub(strip, "", path.read_text(), flags=re.M))
    site.a.cli("zone", "import", zone, path)
    for name in (f"www.{zone}", f"nope.{zone}"):
        assert extended_errors(site.a.ask(name, want_dnssec=True)) == [code]
        assert extended_errors(site.a.ask(name, use_edns=0)) == []
    site.a.cli("zone", "delete", zone, f"--confirm={zone}")


def test_a_set_without_a_signature_is_named(site):
    zone = "bare."
    path = signed_elsewhere(site.folder2, zone, "20260101000000", "20360101000000")
    path.write_text(re.sub(r"^\S+\s+\d+\s+IN\s+RRSIG\s+A\s.*\n", "", path.read_text(), flags=re.M))
    site.a.cli("zone", "import", zone, path)
    asked = {(n, t): extended_errors(site.a.ask(n + zone, t, want_dnssec=True))
             for n, t in (("www.", "A"), ("www.", "AAAA"), ("", "SOA"), ("www.", "RRSIG"), ("nope.", "A"))}
    assert asked.pop(("www.", "A")) == [10] and not any(asked.values()), asked
    assert extended_errors(site.a.ask(f"www.{zone}", use_edns=0)) == []
    site.a.cli("zone", "delete", zone, f"--confirm={zone}")


def signed_reply(a, name, timeout=0.5):
    """Whether its answer is signed; None when there is none yet."""
    try:
        reply = a.ask(name, want_dnssec=True, timeout=timeout)
    except (dns.exception.Timeout, OSError):
        return None
    if reply.rcode() != 0:
        return None
    return any(s.rdtype == dns.rdatatype.RRSIG for s in reply.answer)


def test_without_its_signature_file_nothing_is_served_unsigned(site):
    """The store alone: all is signed anew before the appliance is READY, or answers for any of it."""
    a = site.a
    folder = site.folder2 / "many"
    folder.mkdir(mode=0o755)
    names = [f"m{i}.example." for i in range(MANY)]
    for name in names:
        (folder / name.rstrip(".")).write_text(zone_text(name, records="".join(f"w{k} IN A 192.0.2.{k}\n" for k in range(30))))
    assert a.cli_json("zone", "import", "--dir", folder)["errors"] == []
    for name in names:
        a.cli("dnssec", "enable", name, "-m", "t")
    a.stop()
    for path in (a.data / "signer").glob("signatures.*"):
        path.unlink()
    seen, start = [], time.monotonic()
    a.spawn()
    while time.monotonic() - start < 60:
        ready = a.ready()
        seen += [signed_reply(a, f"w1.{name}", 10 if ready else 0.5) for name in (names[0], names[-1], "m33.example.")]
        if ready:
            break
    answered = [s for s in seen if s is not None]
    assert ready and answered and all(answered), seen
    assert all(signed_reply(a, f"w29.{name}", 10) for name in names)
    assert subprocess.run(["grep", "-c", "event=signer.refused", a.log_path], capture_output=True, check=False).stdout == b"0\n"


SOA, HEAD, ENTRY = 6, 16, 93
MASK = (1 << 64) - 1


def siphash(data, key=b"signature frames"):
    def rounds(n):
        nonlocal v0, v1, v2, v3
        for _ in range(n):
            v0, v2 = v0 + v1 & MASK, v2 + v3 & MASK
            v1, v3 = turn(v1, 13) ^ v0, turn(v3, 16) ^ v2
            v2, v0 = v2 + v1 & MASK, turn(v0, 32) + v3 & MASK
            v1, v3 = turn(v1, 17) ^ v2, turn(v3, 21) ^ v0
            v2 = turn(v2, 32)

    def turn(v, n):
        return (v << n | v >> 64 - n) & MASK

    k0, k1 = struct.unpack("<QQ", key)
    v0, v1, v2, v3 = (k ^ c for k, c in zip((k0, k1, k0, k1), struct.unpack(">4Q", b"somepseudorandomlygeneratedbytes")))
    data += bytes(7 - len(data) % 8) + bytes([len(data) & 255])
    for (word,) in struct.iter_unpack("<Q", data):
        v3 ^= word
        rounds(2)
        v0 ^= word
    v2 ^= 255
    rounds(4)
    return v0 ^ v1 ^ v2 ^ v3


def spoil(path):
    """The signatures of all SOAs wrong in one bit, with checksums that are right (appliance/signer/sigfile.h)."""
    data = bytearray(path.read_bytes())
    at, spoiled = HEAD, 0
    while at < len(data):
        size = int.from_bytes(data[at + 4:at + 8], "big")
        frame = memoryview(data)[at + HEAD:at + HEAD + size]
        for entry in range(11 + frame[8], size, ENTRY):
            if int.from_bytes(frame[entry:entry + 2], "big") == SOA:
                frame[entry + ENTRY - 1] ^= 1
                spoiled += 1
        data[at + 8:at + 16] = struct.pack(">Q", siphash(bytes(frame)))
        frame.release()
        at += HEAD + size
    path.write_bytes(data)
    return spoiled


def test_wrong_signatures_in_its_file_cost_work_alone(site):
    """Found when the keys are loaded, after the start, which needs none of them."""
    a = site.a
    a.stop()
    assert max(spoil(path) for path in (a.data / "signer").glob("signatures.*") if path.stat().st_size > HEAD) >= MANY
    a.start()

    def found():
        said = json.loads(a.cli_run("--json", "verify", "--signatures", timeout=120).stdout)
        return [(f["what"], f["zone"]) for f in said["findings"]]

    wait_until(lambda: found() == [("signature", EXPIRED)], "all is signed right again", 60)
    assert subprocess.run(["grep", "-c", "event=signer.unsound", a.log_path], capture_output=True, check=False).stdout != b"0\n"
