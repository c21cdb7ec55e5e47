"""RD, CD, AD, Z and DO in every combination, as authoritative servers treat them: held against NSD and Knot, and against
what the RFCs say of the reply by itself.

RFC 4035 3.1.6: an authority sets AD only by explicit policy (ours is never) and CD means nothing to it; RFC 1035 4.1.1: RD
is copied, Z is zero; RFC 3225 3: DO is copied, without it no DNSSEC record comes unasked.
"""

import itertools
import shutil

import dns.flags
import dns.message
import dns.query
import dns.rdatatype
import pytest

import corners
from appliance import Appliance
from peers import Knot, Named, Nsd
from test_answers_corners import compare_all, count, counts_in_choices
from test_answers_validators import Family

FLAGS = ["".join(x) for x in itertools.product(("", "e", "d"), ("", "r"), ("", "c"), ("", "a"), ("", "z"))]
NAMES = ("@", "www", "gone", "a.wild", "ent", "alias", "tonx", "a.dn", "x.far", "farsec", "x.farsec", "x.y.under", "sub")
TYPES = ("A", "TXT", "DS", "DNSKEY", "RRSIG", "NSEC", "NSEC3PARAM", "NSEC3", "ANY", "CNAME", "DNAME", "NS")
SIGNING = {dns.rdatatype.from_text(t) for t in ("RRSIG", "NSEC", "NSEC3", "DS")}


@pytest.fixture(scope="module")
def servers():
    family = Family(["nsec", "optout"])
    with Appliance() as a, Nsd(family.zones) as nsd, Knot(family.zones) as knot, Named(family.zones) as bind:
        family.serve(a)
        yield family, a, (nsd, knot, bind)
    shutil.rmtree(family.folder)


def all_questions(every):
    found = [(f"{zone}." if name == "@" else f"{name}.{zone}.", rdtype, flags or "-")
             for zone in ("nsec", "optout", "plain") for name in NAMES for rdtype in TYPES for flags in FLAGS]
    return found[::every] + [(f"www.not.there.{t}.", "A", flags or "-") for t in ("nsec", "invalid") for flags in FLAGS]


def test_equal_to_nsd_and_knot_where_they_agree(servers):
    family, a, peers = servers
    questions = all_questions(5)
    counts = count(compare_all(family.folder, ("udp", "tcp"), a, peers, questions), corners.judge)
    print(f"{2 * len(questions)} questions; classes: {counts}")
    assert counts == counts_in_choices("Header bits")


def test_header_and_opt_of_every_reply(servers):
    _, a, _ = servers
    for i, (name, rdtype, flags) in enumerate(all_questions(11)):
        query = dns.message.make_query(name, rdtype, want_dnssec="d" in flags, use_edns=0 if set("ed") & set(flags) else -1)
        query.flags = sum(bit for letter, bit in (("r", 0x100), ("c", 0x10), ("a", 0x20), ("z", 0x40)) if letter in flags)
        send = dns.query.tcp if i % 3 == 0 else dns.query.udp
        reply = send(query, "127.0.0.1", port=a.port, timeout=10)
        what = (name, rdtype, flags)
        assert reply.flags & 0xf9f0 == dns.flags.QR | (query.flags & dns.flags.RD), what
        assert (reply.edns, reply.ednsflags) == (query.edns, query.ednsflags), what
        if "d" not in flags:
            sets = reply.answer + reply.authority + reply.additional
            assert {s.rdtype for s in sets} & SIGNING <= {dns.rdatatype.from_text(rdtype)}, what
            assert not {s.rdtype for s in reply.authority + reply.additional} & SIGNING, what
