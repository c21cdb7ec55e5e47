"""The example zones of RFC 4592, 4035 and 5155 through the real server, and the answers that the RFCs give for them.

The RFCs' answers carry the apex NS and its addresses too; ours are minimal, so those are not expected. What has a
signature must verify with the key of the RFC, at a time when it was valid.
"""

import contextlib
import functools
import pathlib

import dns.dnssec
import dns.flags
import dns.rcode
import dns.rdatatype
import dns.rrset
import dns.zone

from appliance import Appliance

ZONES = pathlib.Path(__file__).resolve().parent / "zones"
THEN = {"rfc4035": 1081800000, "rfc5155": 1262304000}  # 2004-04-12, 2010-01-01


@contextlib.contextmanager
def served(zone):
    with Appliance() as a:
        assert a.cli_json("zone", "import", "example", ZONES / zone)["errors"] == []
        yield a


def rrsets(section):
    """{"owner type": rdata texts}, signatures as "owner RRSIG/type"."""
    found = {}
    for s in section:
        kind = dns.rdatatype.to_text(s.rdtype)
        if s.rdtype == dns.rdatatype.RRSIG:
            kind += f"/{dns.rdatatype.to_text(s.covers)}"
        assert f"{s.name} {kind}" not in found
        found[f"{s.name} {kind}"] = sorted(str(r) for r in s)
    return found


# name, type, rcode, AA, answer, authority without the SOA
RFC4592 = (
    # "the following responses would be synthesized from one of the wildcards in the zone"
    ("host3.example.", "MX", 0, True, {"host3.example. MX": ["10 host1.example."]}, {}),
    ("host3.example.", "A", 0, True, {}, {}),
    ("foo.bar.example.", "TXT", 0, True, {"foo.bar.example. TXT": ['"this is a wildcard"']}, {}),
    # "would not be synthesized from any of the wildcards in the zone"
    ("host1.example.", "MX", 0, True, {}, {}),
    ("sub.*.example.", "MX", 0, True, {}, {}),
    ("_telnet._tcp.host1.example.", "SRV", 3, True, {}, {}),
    ("host.subdel.example.", "A", 0, False, {},
     {"subdel.example. NS": ["ns.example.com.", "ns.example.net."]}),
    ("ghost.*.example.", "MX", 3, True, {}, {}),
    # 2.2.2: empty non-terminals; 2.3: the asterisk asked for itself
    ("_tcp.host1.example.", "TXT", 0, True, {}, {}),
    ("host2.example.", "TXT", 0, True, {}, {}),
    ("_tcp.host2.example.", "MX", 0, True, {}, {}),
    ("*.example.", "TXT", 0, True, {"*.example. TXT": ['"this is a wildcard"']}, {}),
    ("sub.*.example.", "TXT", 0, True, {"sub.*.example. TXT": ['"this is not a wildcard"']}, {}),
    ("x.sub.*.example.", "TXT", 3, True, {}, {}),
    ("subdel.example.", "MX", 0, False, {}, {"subdel.example. NS": ["ns.example.com.", "ns.example.net."]}),
)


def test_rfc4592_wildcards():
    with served("rfc4592") as a:
        check_rfc4592(a)


def check_rfc4592(a):
    for name, rdtype, rcode, aa, answer, authority in RFC4592:
        for tcp in (False, True):
            reply = a.ask(name, rdtype, tcp=tcp)
            assert reply.rcode() == rcode, name
            assert bool(reply.flags & dns.flags.AA) == aa, name
            assert rrsets(reply.answer) == answer, name
            rest = rrsets(reply.authority)
            negative = aa and not answer
            assert (rest.pop("example. SOA", None) is not None) == negative, name
            assert rest == authority, name
            mx = rdtype == "MX" and answer
            assert rrsets(reply.additional) == ({"host1.example. A": ["192.0.2.1"]} if mx else {}), name


SOA = {"example. SOA", "example. RRSIG/SOA"}


def nsec(*owners):
    return {f"{o} {t}" for o in owners for t in ("NSEC", "RRSIG/NSEC")}


def signed(*sets):
    return set(sets) | {f"{s.split()[0]} RRSIG/{s.split()[1]}" for s in sets}


# RFC 4035 B.1 to B.8: name, type, rcode, AA, the sets of the three sections
RFC4035 = (
    ("x.w.example.", "MX", 0, True, signed("x.w.example. MX"), set(), signed("xx.example. A", "xx.example. AAAA")),
    ("ml.example.", "A", 3, True, set(), SOA | nsec("b.example.", "example."), set()),
    ("ns1.example.", "MX", 0, True, set(), SOA | nsec("ns1.example."), set()),
    ("mc.a.example.", "MX", 0, False, set(), {"a.example. NS"} | signed("a.example. DS"),
     {"ns1.a.example. A", "ns2.a.example. A"}),
    ("mc.b.example.", "MX", 0, False, set(), {"b.example. NS"} | nsec("b.example."),
     {"ns1.b.example. A", "ns2.b.example. A"}),
    ("a.z.w.example.", "MX", 0, True, signed("a.z.w.example. MX"), nsec("x.y.w.example."),
     signed("ai.example. A", "ai.example. AAAA")),
    ("a.z.w.example.", "AAAA", 0, True, set(), SOA | nsec("x.y.w.example.", "*.w.example."), set()),
    ("example.", "DS", 0, True, set(), SOA | nsec("example."), set()),
)




def nsec3(*hashes):
    """By the first letters of the hash: "35mt" for 35mthgpg…."""
    owners = {o.partition(" ")[0] for o in in_zone_file("rfc5155") if o.endswith(" NSEC3")}
    return {f"{o} {t}" for h in hashes for o in owners if o.startswith(h) for t in ("NSEC3", "RRSIG/NSEC3")}


def rfc5155():
    """B.1 to B.6, and beside them: the secure referral, a name that looks like a hash (B.2's A, RFC 5155 7.2.8)."""
    return (
        ("a.c.x.w.example.", "A", 3, True, set(), SOA | nsec3("0p9m", "b4um", "35mt"), set()),
        ("ns1.example.", "MX", 0, True, set(), SOA | nsec3("2t7b"), set()),
        ("y.w.example.", "A", 0, True, set(), SOA | nsec3("ji6n"), set()),
        ("mc.c.example.", "MX", 0, False, set(), {"c.example. NS"} | nsec3("35mt", "0p9m"),
         {"ns1.c.example. A", "ns2.c.example. A"}),
        ("a.z.w.example.", "MX", 0, True, signed("a.z.w.example. MX"), nsec3("q04j"),
         signed("ai.example. A", "ai.example. AAAA")),
        ("a.z.w.example.", "AAAA", 0, True, set(), SOA | nsec3("k8ud", "q04j", "r53b"), set()),
        ("example.", "DS", 0, True, set(), SOA | nsec3("0p9m"), set()),
        ("mc.a.example.", "MX", 0, False, set(), {"a.example. NS"} | signed("a.example. DS"),
         {"ns1.a.example. A", "ns2.a.example. A"}),
        (f"{LIKE_A_HASH}.example.", "A", 0, True, signed(f"{LIKE_A_HASH}.example. A"), set(), set()),
        (f"{LIKE_A_HASH}.example.", "TXT", 0, True, set(), SOA | nsec3("kohar"), set()),
        ("0p9mhaveqvm6t7vbl5lop2u3t2rp3tom.example.", "NSEC3", 3, True, set(), SOA | nsec3("0p9m", "gjeq", "q04j"), set()),
    )


LIKE_A_HASH = "2t7b4g4vsa5smi47k61mv5bv1a22bojr"


@functools.lru_cache
def in_zone_file(file):
    """{"owner type": rdata texts} of the file, so that not only names are compared."""
    zone = dns.zone.from_file(str(ZONES / file), relativize=False)
    return rrsets(
        dns.rrset.from_rdata_list(name, s.ttl, list(s)) for name, node in zone.nodes.items() for s in node.rdatasets)


def check_signatures(section, keys, then):
    for s in section:
        if s.rdtype == dns.rdatatype.RRSIG:
            covered = next(x for x in section if x.name == s.name and x.rdtype == s.covers)
            dns.dnssec.validate(covered, s, keys, now=then)


def test_rfc4035_answers():
    with served("rfc4035") as a:
        check_answers(a, "rfc4035", RFC4035)


def test_rfc5155_answers():
    with served("rfc5155") as a:
        check_answers(a, "rfc5155", rfc5155())


DNSSEC = {dns.rdatatype.RRSIG, dns.rdatatype.NSEC, dns.rdatatype.NSEC3, dns.rdatatype.DS}


def check_answers(a, file, table):
    data, then = in_zone_file(file), THEN[file]
    dnskey = a.ask("example.", "DNSKEY", want_dnssec=True, payload=4096, tcp=True)
    keys = {dnskey.answer[0].name: next(s for s in dnskey.answer if s.rdtype == dns.rdatatype.DNSKEY)}
    check_signatures(dnskey.answer, keys, then)
    for name, rdtype, rcode, aa, *sections in table:
        for tcp in (False, True):
            reply = a.ask(name, rdtype, want_dnssec=True, payload=4096, tcp=tcp)
            assert (reply.rcode(), bool(reply.flags & dns.flags.AA)) == (rcode, aa), (name, rdtype)
            assert not reply.flags & dns.flags.TC and reply.ednsflags & dns.flags.DO
            for got, expected in zip((reply.answer, reply.authority, reply.additional), sections):
                found = rrsets(got)
                assert set(found) == expected, (name, rdtype)
                for key, values in found.items():
                    assert values == data[key.replace("a.z.w.", "*.w.")], (name, key)
                check_signatures(got, keys, then)
            plain = a.ask(name, rdtype, tcp=tcp)  # without DO nothing of DNSSEC
            types = {s.rdtype for part in (plain.answer, plain.authority, plain.additional) for s in part}
            assert not types & DNSSEC
