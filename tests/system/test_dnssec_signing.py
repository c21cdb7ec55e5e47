"""Signing through the command line: a zone is served signed, edits and flips of checks stay valid, and a killed signer
costs nothing. delv validates what is asked, with the zone's KSK as its anchor."""

import json
import re
import subprocess

import dns.message
import dns.query
import dns.rdatatype
import pytest

from appliance import Appliance, zone_text
from peers import wait_until

ZONE = "example.com"
RECORDS = """www IN A 192.0.2.10
*.wild IN TXT "wild"
a.b.ent IN A 192.0.2.11
cut IN NS ns.cut
ns.cut IN A 192.0.2.12
alias IN CNAME www
dn IN DNAME target
a.target IN A 192.0.2.13
"""
POLICY = {"ttl": 5, "root": {"use": "failover", "order": [{"pool": "one"}, {"pool": "two"}]},
          "pools": {"one": {"answers": [{"value": "192.0.2.21", "check": "c1"}, {"value": "192.0.2.22", "check": "c2"}]},
                    "two": {"when_down": "closed", "answers": [{"value": "192.0.2.23", "check": "c3"}]}}}
QUESTIONS = [("www", "A"), ("www", "MX"), ("gone", "A"), ("x.wild", "TXT"), ("x.wild", "A"), ("ent", "A"), ("cut", "DS"),
             ("alias", "A"), ("a.dn", "A"), ("@", "SOA"), ("@", "NS"), ("@", "DNSKEY"), ("@", "CDS"), ("pol", "A"), ("pol", "TXT")]


@pytest.fixture(scope="module")
def site():
    with Appliance() as a:
        path = a.dir / ZONE
        path.write_text(zone_text(ZONE + ".", records=RECORDS))
        a.cli("zone", "import", ZONE, path)
        for name in ("c1", "c2", "c3"):
            a.cli("check", "set", name, "-", "-m", "t", stdin=json.dumps({"type": "push", "initial": "up"}))
        a.cli("policy", "set", ZONE, "pol", "A", "-", "--commit", "-m", "t", stdin=json.dumps(POLICY))
        a.cli("dnssec", "enable", ZONE, "-m", "sign")
        yield a


def key_of(a):
    """The KSK as delv's anchor."""
    ksk = next(k for k in a.cli_json("dnssec", "keys", ZONE)["keys"] if k["role"] == "ksk")
    flags, protocol, algorithm, data = ksk["dnskey"].split("DNSKEY", 1)[1].split(None, 3)
    return f'trust-anchors {{ "{ZONE}." static-key {flags} {protocol} {algorithm} "{data.replace(" ", "")}"; }};'


def validates(a, name, rdtype):
    """delv's verdict, and all that it printed."""
    anchor = a.dir / "anchor"
    anchor.write_text(key_of(a))
    done = subprocess.run(["delv", "@127.0.0.1", "-p", str(a.port), "-a", anchor, f"+root={ZONE}", name, rdtype],
                          capture_output=True, text=True, timeout=60)
    text = done.stdout + done.stderr
    return "fully validated" in text, text


def full(name):
    return f"{ZONE}." if name == "@" else f"{name}.{ZONE}."


def ask(a, name, rdtype):
    q = dns.message.make_query(full(name), rdtype, want_dnssec=True)
    return dns.query.udp(q, "127.0.0.1", port=a.port, timeout=10)


def test_every_kind_of_answer_validates(site):
    for name, rdtype in QUESTIONS:
        good, text = validates(site, full(name), rdtype)
        assert good, (name, rdtype, text)


def test_zone_show_says_when_signatures_end(site):
    said = site.cli("zone", "show", ZONE)
    assert re.search(r"^signatures made here, the first one ends 20\d\d-", said, re.M), said
    path = site.dir / "bare.example"
    path.write_text(zone_text("bare.example."))
    site.cli("zone", "import", "bare.example", path)
    assert "signatures" not in site.cli("zone", "show", "bare.example")


def test_an_edit_stays_valid_and_raises_the_serial(site):
    before = ask(site, "@", "SOA").answer[0][0].serial
    site.cli("record", "set", ZONE, "new", "60", "A", "192.0.2.30")
    assert "signed anew: 2\n" in site.cli("plan", ZONE)  # the SOA is the other
    site.cli("commit", ZONE, "-m", "t")
    site.cli("record", "del", ZONE, "alias", "--commit", "-m", "t")
    assert ask(site, "@", "SOA").answer[0][0].serial > before
    for name, rdtype in (("new", "A"), ("new", "TXT"), ("alias", "A"), ("zzz", "A"), ("@", "SOA")):
        good, text = validates(site, full(name), rdtype)
        assert good, (name, text)


def addresses(a):
    reply = ask(a, "pol", "A")
    sets = [s for s in reply.answer if s.rdtype == dns.rdatatype.A]
    sigs = [s for s in reply.answer if s.rdtype == dns.rdatatype.RRSIG]
    assert len(sigs) == len(sets), reply
    return sorted(r.address for s in sets for r in s)


def test_a_failover_is_signed_before_during_and_after(site):
    steps = ((("c1", "down"), ["192.0.2.22"]), (("c2", "down"), ["192.0.2.23"]), (("c3", "down"), []),
             (("c1", "up"), ["192.0.2.21"]))
    assert addresses(site) == ["192.0.2.21", "192.0.2.22"]
    for (check, state), want in steps:
        site.cli("check", "override", check, state, "--for", "1h", "-m", "t")
        wait_until(lambda want=want: addresses(site) == want, f"{check} {state}: {want}", 20)
        good, text = validates(site, full("pol"), "A")
        assert good, (check, text)


def test_a_killed_signer_leaves_valid_answers(site):
    pid = next(p["pid"] for p in site.cli_json("status")["processes"] if p["role"] == "signer")
    subprocess.run(["kill", "-9", str(pid)], check=True)
    good, text = validates(site, full("www"), "A")
    assert good, text
    site.cli("record", "set", ZONE, "after", "60", "A", "192.0.2.31", "--commit", "-m", "t")
    good, text = validates(site, full("after"), "A")
    assert good, text
    site.cli("verify")


def test_the_other_denial_without_a_bogus_moment(site):
    site.cli("dnssec", "enable", ZONE, "--denial", "nsec3", "-m", "t")
    assert any(s.rdtype == dns.rdatatype.NSEC3 for s in ask(site, "gone", "A").authority)
    for name, rdtype in QUESTIONS:
        good, text = validates(site, full(name), rdtype)
        assert good, (name, rdtype, text)


def wide(pools):
    """{pool: answers}: three fewer than there are, from each place in the round: as many sets as answers to the square, or
    nearly, while at most one is down."""
    return {"ttl": 5, "root": {"use": "failover", "order": [{"pool": p} for p in pools]}, "pools": {
        p: {"serve": n - 3, "answers": [{"value": f"198.51.100.{i + 1}", "check": f"w{i}"} for i in range(n)]}
        for p, n in pools.items()}}


def test_the_most_answers_that_are_signed(site):
    """4,096 of one policy; more is refused where it is edited, and where signing would begin."""
    for i in range(64):
        site.cli("check", "set", f"w{i}", "-", "-m", "t", stdin=json.dumps({"type": "push", "initial": "up"}))
    site.cli("policy", "set", ZONE, "wide", "A", "-", "--commit", "-m", "t", stdin=json.dumps(wide({"p": 64, "q": 5})))
    verified = site.cli_json("verify", "--signatures", timeout=120)
    assert verified["ok"] and verified["signatures"] > 3900
    for down in ("w7", "w40"):
        good, text = validates(site, full("wide"), "A")
        assert good, text
        site.cli("check", "override", down, "down", "--for", "1h", "-m", "t")
    more = json.dumps(wide({"p": 64, "q": 16}))
    what = site.fails(6, "policy", "set", ZONE, "more", "A", "-", "--commit", "-m", "t", stdin=more)
    assert "more than 4096 different answers" in what and "dnssec disable" in what, what
    path = site.dir / "plain.example"
    path.write_text(zone_text("plain.example."))
    site.cli("zone", "import", "plain.example", path)
    site.cli("policy", "set", "plain.example", "more", "A", "-", "--commit", "-m", "t", stdin=more)
    what = site.fails(5, "dnssec", "enable", "plain.example", "-m", "t")
    assert "more than 4096 different answers" in what, what
