"""Keys of signed zones: made in the signer, kept wrapped, shown, rolled; who may what, and what is refused."""

import base64
import concurrent.futures
import contextlib
import os
import stat

import dns.dnssec
import dns.name
import dns.rdata
import dns.rdatatype
import pytest

from appliance import Appliance, zone_text
from peers import wait_until

SIGNER = 61002


@pytest.fixture(scope="module")
def site():
    with Appliance() as a:
        for name, more in (("example.com", "www IN A 192.0.2.10\n"), ("own.example", "")):
            path = a.dir / name
            path.write_text(zone_text(name + ".", records=more))
            a.cli("zone", "import", name, path)
        yield a


def rdata(line, rdtype):
    owner, _, _, _, text = line.split(None, 4)
    return dns.name.from_text(owner), dns.rdata.from_text("IN", rdtype, text)


def states(a, zone):
    return {(k["role"], k["state"]) for k in a.cli_json("dnssec", "keys", zone)["keys"]}


def validated(a, zone, name, rdtype, now=None):
    """Sets of answer and authority that dnspython validates with the DNSKEY that is served; all must."""
    apex = dns.name.from_text(zone)
    keys = a.ask(zone, "DNSKEY", want_dnssec=True, tcp=True).answer
    (dnskey,) = (s for s in keys if s.rdtype == dns.rdatatype.DNSKEY)
    reply = a.ask(name, rdtype, want_dnssec=True, tcp=True)
    found = set()
    for section in (keys, reply.answer, reply.authority):
        for rrset in (s for s in section if s.rdtype != dns.rdatatype.RRSIG):
            (sigs,) = (s for s in section if s.name == rrset.name and s.covers == rrset.rdtype)
            dns.dnssec.validate(rrset, sigs, {apex: dnskey}, now=now)
            found.add(dns.rdatatype.to_text(rrset.rdtype))
    return found - {"DNSKEY"}


def test_enable_makes_keys_and_the_ds(site):
    a = site
    assert a.cli_json("dnssec", "keys", "example.com")["status"] == "off"
    done = a.cli_json("dnssec", "enable", "example.com", "-m", "sign it")
    assert done["served"][0]["appliance"] == "test-a" and done["served"][0]["ms"] < 5000  # a second, on a machine of one's own
    shown = a.cli_json("dnssec", "keys", "example.com")
    assert (shown["status"], shown["algorithm"], shown["denial"]) == ("signed", 13, "nsec")
    assert states(a, "example.com") == {("ksk", "published"), ("zsk", "active")}
    ksk = next(k for k in shown["keys"] if k["role"] == "ksk")
    # The DS is that of the DNSKEY, by somebody else's arithmetic.
    (line,) = a.cli("dnssec", "ds", "example.com").splitlines()
    owner, ds = rdata(line, "DS")
    _, key = rdata(ksk["dnskey"], "DNSKEY")
    assert dns.dnssec.make_ds(owner, key, "SHA256") == ds and ds.key_tag == ksk["tag"] == dns.dnssec.key_id(key)
    assert validated(a, "example.com.", "www.example.com", "A") == {"A"}
    assert validated(a, "example.com.", "example.com", "CDS") == {"CDS"}
    assert validated(a, "example.com.", "example.com", "CDNSKEY") == {"CDNSKEY"}
    assert validated(a, "example.com.", "nope.example.com", "A") == {"SOA", "NSEC"}
    assert shown["next_event"] and shown["dnskey_signed_until"] > shown["next_event"]
    assert a.cli_json("zone", "show", "example.com")["dnssec"] == "on"
    change = a.cli_json("history", "list", "example.com")["changes"][0]
    assert (change["kind"], change["author"]) == ("dnssec", "root")
    assert change["comment"].startswith("sign it: ksk ")
    # The same again is refused, the same with a key is the first answer.
    assert "signed" in a.fails(5, "dnssec", "enable", "example.com")
    first = a.cli_json("dnssec", "enable", "own.example", "--algorithm", 15, "--idempotency-key", "k1")
    again = a.cli_json("dnssec", "enable", "own.example", "--algorithm", 15, "--idempotency-key", "k1")
    assert again["revision"] == first["revision"]
    assert a.cli_json("dnssec", "keys", "own.example")["algorithm"] == 15


def test_rolls_and_what_they_refuse(site):
    a = site
    a.cli("dnssec", "rollover", "example.com", "zsk")
    assert ("zsk", "published") in states(a, "example.com")
    assert "under way" in a.fails(5, "dnssec", "rollover", "example.com", "zsk")
    assert "under way" in a.fails(5, "dnssec", "rollover", "example.com", "ksk")
    assert "under way" in a.fails(5, "dnssec", "rollover", "example.com", "algorithm", "--algorithm", 15)
    assert "too early" in a.fails(5, "dnssec", "ds-submitted", "example.com")
    a.cli("dnssec", "rollover", "own.example", "zsk", "--emergency")
    assert {("zsk", "outgoing"), ("zsk", "active")} <= states(a, "own.example")
    assert "signed with algorithm 13" in a.fails(5, "dnssec", "enable", "example.com", "--algorithm", 15)
    a.cli("dnssec", "enable", "example.com", "--denial", "nsec3")
    assert a.cli_json("dnssec", "keys", "example.com")["denial"] == "nsec3"
    assert validated(a, "example.com.", "nope.example.com", "A") == {"SOA", "NSEC3"}
    a.fails(2, "dnssec", "enable", "example.com", "--algorithm", 8)
    a.fails(6, "dnssec", "enable", "example.com", "--denial", "none")
    a.fails(2, "dnssec", "rollover", "example.com", "csk")
    a.fails(3, "dnssec", "enable", "nowhere.example")


def test_what_the_signer_makes_nobody_else_puts_there(site):
    a = site
    key = a.cli_json("dnssec", "keys", "example.com")["keys"][0]["dnskey"].split(None, 4)[4]
    assert "made by the signer" in a.fails(6, "record", "add", "example.com", "@", 3600, "DNSKEY", key, "--commit")
    path = a.dir / "again"
    path.write_text(zone_text("example.com.", 77, f"@ IN DNSKEY {key}\n"))
    assert "made by the signer" in str(a.cli_run("--json", "zone", "import", "example.com", path, "--commit"))


def test_keys_survive_a_restart_and_a_killed_signer(site):
    a = site
    before = a.cli_json("dnssec", "keys", "example.com")["keys"]
    old = a.kill_role("signer")
    a.wait_replaced("signer", old)
    a.cli("dnssec", "enable", "example.com", "--denial", "nsec")  # it opens what it needs
    a.stop()
    a.start()
    assert [k["tag"] for k in a.cli_json("dnssec", "keys", "example.com")["keys"]] == [k["tag"] for k in before]
    a.cli("dnssec", "enable", "example.com", "--denial", "nsec3")
    a.cli("record", "set", "example.com", "more", 60, "A", "192.0.2.1", "--commit")
    assert validated(a, "example.com.", "more.example.com", "A") == {"A"}
    assert a.cli_json("verify")["ok"]


def test_disable_takes_the_zone_s_name(site):
    a = site
    a.fails(9, "dnssec", "disable", "own.example")
    a.fails(9, "dnssec", "disable", "own.example", "--confirm=example.com")
    a.cli("dnssec", "disable", "own.example", "--confirm=own.example")
    assert a.cli_json("zone", "show", "own.example")["dnssec"] == "off"
    assert a.values("own.example", "DNSKEY") == "NODATA"
    assert "not signed" in a.fails(5, "dnssec", "disable", "own.example", "--confirm=own.example")
    a.cli("dnssec", "enable", "own.example")


def test_a_zone_comes_back_from_the_trash_with_its_keys(site):
    a = site
    tags = [k["tag"] for k in a.cli_json("dnssec", "keys", "own.example")["keys"]]
    a.cli("zone", "delete", "own.example", "--confirm=own.example")
    a.cli("zone", "restore", "own.example")
    assert [k["tag"] for k in a.cli_json("dnssec", "keys", "own.example")["keys"]] == tags
    a.cli("zone", "delete", "own.example", "--confirm=own.example")
    a.cli("zone", "create", "own.example", "--ns", "ns1.example.net.")  # another one of that name
    assert a.cli_json("dnssec", "keys", "own.example")["status"] == "off"


def test_zones_with_keys_of_their_own_are_refused(site):
    a = site
    key = a.cli_json("dnssec", "keys", "example.com")["keys"][0]["dnskey"].split(None, 4)[4]
    path = a.dir / "has.example"
    path.write_text(zone_text("has.example.", records=f"@ IN DNSKEY {key}\n"))
    a.cli("zone", "import", "has.example", path)
    assert "DNSKEY" in a.fails(5, "dnssec", "enable", "has.example")
    a.cli("record", "del", "has.example", "@", "DNSKEY", "--commit")


@pytest.mark.skipif(os.getuid() != 0, reason="needs root for users of their own")
def test_lists_say_what_is_not_well(site):
    a = site
    path = a.dir / "late.example"
    old = f"@ IN RRSIG SOA 13 2 3600 20200201000000 20200101000000 1 @ {base64.b64encode(bytes(64)).decode()}\n"
    path.write_text(zone_text("late.example.", records=old))
    a.cli("zone", "import", "late.example", path)

    def named(words):
        return {z["name"]: z["dnssec_trouble"] for z in a.cli_json("zone", "list", "--filter", words)["zones"]}

    a.cli("dnssec", "enable", "own.example")
    wait_until(lambda: named("dnssec:bad") == {"late.example.": "expired"}, "it is named")
    assert {"own.example.", "late.example."} <= set(named("dnssec:on"))
    assert named("dnssec:off own") == {} and named("-dnssec:bad own") == {"own.example.": ""}


def test_files_are_the_signer_s(site):
    a = site
    kek, own = (a.dir / "kek").stat(), (a.data / "signer" / "appliance.key").stat()
    assert (stat.S_IMODE(kek.st_mode), kek.st_uid, kek.st_size) == (0o400, SIGNER, 32)
    assert (stat.S_IMODE(own.st_mode), own.st_uid) == (0o600, SIGNER)
    secret = (a.dir / "kek").read_bytes()
    for path in (p for p in a.data.rglob("*") if p.is_file()):
        assert secret not in path.read_bytes(), path
    # No other process has the file, and none may look at the signer.
    for p in a.processes():
        pid = p["pid"]
        held = []
        for fd in os.listdir(f"/proc/{pid}/fd"):
            with contextlib.suppress(FileNotFoundError):  # it was open for a moment
                held.append(os.readlink(f"/proc/{pid}/fd/{fd}"))
        assert not any(h.endswith("/kek") for h in held), p["role"]


def test_another_key_file_opens_nothing():
    with Appliance() as a:
        a.cli("zone", "create", "example.com", "--ns", "ns1.example.net.")
        a.cli("dnssec", "enable", "example.com")
        a.stop()
        kek = a.dir / "kek"
        good = kek.read_bytes()
        kek.chmod(0o600)
        kek.write_bytes(bytes(32))
        kek.chmod(0o400)
        a.spawn()
        wait_until(a.ready, "ready without keys", 30)
        assert "does not open" in a.fails(7, "dnssec", "rollover", "example.com", "zsk")
        # What was signed is served on; that nothing can be any more is said before anything has to be.
        assert "RRSIG" in str(a.ask("example.com", "SOA", want_dnssec=True).answer)
        wait_until(lambda: "example.com. cannot be signed any more" in str(a.cli_json("status")["problems"]), "status says so", 30)
        a.stop()
        kek.chmod(0o600)
        kek.write_bytes(good)
        kek.chmod(0o400)
        a.start()
        a.cli("dnssec", "rollover", "example.com", "zsk")
        as_a_credential(a, kek)


def as_a_credential(a, kek):
    """The same key, from systemd: without [keys] in the configuration."""
    a.stop()
    given, configured = a.dir / "credentials", a.write_config

    def without_keys():
        path = configured()
        path.write_text(path.read_text().replace(f"[keys]\nkek = {kek}\n", ""))
        return path

    given.mkdir(mode=0o755)
    kek.rename(given / "kek")
    a.write_config, a.env = without_keys, {**a.env, "CREDENTIALS_DIRECTORY": str(given)}
    a.start()
    a.cli("dnssec", "enable", "example.com", "--denial", "nsec3")  # signed anew
    assert a.values("example.com", "NSEC3PARAM") == ["1 0 0 -"]


@pytest.mark.parametrize("mode, size, text", [(0o440, 32, "mode 0440"), (0o400, 31, "32 octets")])
def test_a_bad_key_file_is_refused_at_the_start(mode, size, text):
    a = Appliance()
    kek = a.dir / "kek"
    kek.write_bytes(bytes(size))
    kek.chmod(mode)
    a.spawn()
    assert a.process.wait(60) == 2 and text in a.log()


def test_the_first_keys_of_a_fleet_are_made_once():
    """Several zones at once on a fresh appliance: each waits for the fleet keys that the first of them makes."""
    zones = [f"z{i}.example" for i in range(24)]
    with Appliance() as a:
        folder = a.dir / "zones"
        folder.mkdir()
        for zone in zones:
            (folder / zone).write_text(zone_text(zone + "."))
        a.cli("zone", "import", "--dir", folder)
        with concurrent.futures.ThreadPoolExecutor(len(zones)) as pool:
            done = list(pool.map(lambda zone: a.cli_run("dnssec", "enable", zone, "-m", "t", timeout=90), zones))
        assert [d.returncode for d in done] == [0] * len(zones), [d.stderr for d in done]
