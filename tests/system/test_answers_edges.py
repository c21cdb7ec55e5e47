"""Edges that the generated corners do not reach: replies of exactly 65,535 octets, DNAMEs that overflow at the end of a
chain, odd questions over TCP, the case of letters in record data, and what import and edits refuse.

Held against NSD, Knot and BIND by the rules of test_answers_corners.py; the classes are in choices.md.
"""

import pathlib
import random
import shutil
import socket
import struct
import tempfile

import dns.message
import dns.rcode
import pytest

import corners
import genzones
from appliance import Appliance, zone_text
from peers import Knot, Named, Nsd
from test_answers_corners import compare_all, count, counts_in_choices, import_all

LIMIT = 65535
SOA = "@ 300 IN SOA ns1 hostmaster 1 7200 3600 1209600 300\n@ 300 IN NS ns1\nns1 300 IN A 192.0.2.1\n"
ODD_TYPES = ("ANY", "MAILA", "MAILB", "OPT", "TKEY", "TSIG", "TYPE0", "TYPE128", "TYPE65535", "AXFR", "IXFR")


def txt_set(owner, octets):
    """Records of 12 + rdata octets each that take so many together."""
    lines, n = [], 0
    while octets > 0:
        size = octets if octets <= 268 else min(268, octets - 20)
        text = f"{n:04}".ljust(size - 13, "x")
        assert len(text) == size - 13 > 3
        lines.append(f'{owner} 300 IN TXT "{text}"\n')
        octets, n = octets - size, n + 1
    return "".join(lines)


def tcp_zone():
    """A chain whose answer is of the size in its name: a set may have 65,000 octets, so long CNAMEs come before it."""
    one, two = (".".join(x * 60 for x in part) for part in ("abc", "def"))
    text = f"$ORIGIN tcp.\n{SOA}"
    for size in (LIMIT - 12, LIMIT - 11, LIMIT - 10, LIMIT - 1, LIMIT, LIMIT + 1):
        first = f"s{size}." + "q" * 60 + "." + "r" * 60 + "." + "s" * 60
        before = 12 + genzones.wire_len(f"{first}.tcp.") + 4 + 2 * (12 + 7 + 183 + 2) + (12 + 7 + 2)
        text += f"{first} 300 IN CNAME m{size}.{one}\nm{size}.{one} 300 IN CNAME n{size}.{two}\nn{size}.{two} 300 IN CNAME t{size}\n"
        text += txt_set(f"t{size}", size - before)
        yield first + ".tcp.", size
    yield text, 0


def overflow_zone():
    """A DNAME with a long target, reached by CNAME, by another DNAME, by a wildcard; just fitting and one octet over."""
    far = ".".join(["t" * 63, "u" * 63, "v" * 40])
    text = f"$ORIGIN over.\n{SOA}long 300 IN DNAME {far}\nmore 300 IN DNAME long\n*.wild 300 IN CNAME x{'k' * 50}.{'m' * 30}.long\n"
    room, names = 255 - genzones.wire_len(f"{far}.over."), ["x.wild.over."]
    for over in (-1, 0, 1, 2, 20):
        labels = ".".join(genzones.labels_of(room + over))
        text += f"to{over + 1} 300 IN CNAME {labels}.long\n{'' if over > 0 else labels + '.' + far + ' 300 IN A 192.0.2.9' + chr(10)}"
        names += [f"to{over + 1}.over.", f"{labels}.long.over.", f"{labels}.more.over."]
    return text, names


@pytest.fixture(scope="module")
def servers():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="ns-edges-", dir="/tmp"))
    folder.chmod(0o755)
    *sized, (tcp, _) = tcp_zone()
    over, names = overflow_zone()
    case = f"$ORIGIN case.\n{SOA}a 300 IN MX 10 MaiL.ExamplE.NeT.\nb 300 IN CNAME CamelCase.ORG.\nC 300 IN NS nS.C\nns.c 300 IN A 192.0.2.7\n"
    files = {}
    for origin, text in (("tcp.", tcp), ("over.", over), ("case.", case)):
        files[origin] = folder / f"zone-{origin}"
        files[origin].write_text(text)
    with Appliance() as a, Nsd(files) as nsd, Knot(files) as knot, Named(files) as bind:
        import_all(a, files)
        yield folder, a, (nsd, knot, bind), sized, names
    shutil.rmtree(folder)


def tcp_replies(port, wires):
    """Raw replies over one connection, the questions sent at once."""
    with socket.create_connection(("127.0.0.1", port), 30) as s, s.makefile("rb") as stream:
        s.sendall(b"".join(struct.pack("!H", len(w)) + w for w in wires))
        return [stream.read(struct.unpack("!H", stream.read(2))[0]) for _ in wires]


def test_edges_are_answered_as_by_nsd_and_knot(servers):
    folder, a, peers, sized, names = servers
    questions = [(n, t, f) for n, _ in sized for t in ("TXT", "A", "CNAME") for f in ("-", "e", "d", "es65535")]
    questions += [(n, t, f) for n in names for t in ("A", "CNAME", "DNAME", "ANY") for f in ("-", "d", "es512")]
    counts = count(compare_all(folder, ("udp", "tcp"), a, peers, questions), corners.judge)
    print(f"{2 * len(questions)} questions; classes: {counts}")
    assert counts == counts_in_choices("Edges")


def test_odd_types_over_tcp(servers):
    folder, a, peers, _, _ = servers
    questions = [(n, t, f) for n in ("case.", "a.case.", "gone.case.", "x.c.case.", "not.ours.") for t in ODD_TYPES for f in ("-", "d")]
    questions += [(n, t, f"{e}C{c}") for n in ("a.case.", "not.ours.") for t in ("A", "ANY", "SOA") for c in (0, 3, 4, 254, 255)
                  for e in ("", "d")]
    counts = count(compare_all(folder, ("tcp",), a, peers, questions), corners.judge_odd)
    print(f"{len(questions)} questions; classes: {counts}")
    assert counts == counts_in_choices("Odd questions over TCP")


def test_replies_reach_the_limit_and_not_over(servers):
    _, a, _, sized, _ = servers
    for edns in (-1, 0):
        wires = [dns.message.make_query(n, "TXT", use_edns=edns).to_wire() for n, _ in sized]
        for (name, size), reply in zip(sized, tcp_replies(a.port, wires)):
            full = size + (11 if edns == 0 else 0)
            flags = struct.unpack_from("!H", reply, 2)[0]
            assert bool(flags & 0x200) == (full > LIMIT), (name, edns)
            assert len(reply) == full if full <= LIMIT else len(reply) < 1000, (name, edns, len(reply))
            answer = dns.message.from_wire(reply).answer  # cut: the chain without the set
            assert [s.rdtype for s in answer] == [5, 5, 5] + ([16] if full <= LIMIT else [])


def test_opcodes_and_counts_over_one_connection(servers):
    """Each is answered, and the connection goes on: NOTIMP, FORMERR, and a good one at the end."""
    _, a, _, _, _ = servers
    good = dns.message.make_query("a.case.", "MX").to_wire()
    opcodes = [good[:2] + bytes([opcode << 3]) + good[3:] for opcode in range(1, 16)]
    counts = [good[:4] + struct.pack("!H", n) + good[6:12] + good[12:] * n for n in (0, 2, 3)]
    replies = tcp_replies(a.port, opcodes + counts + [good])
    assert [r[3] & 15 for r in replies] == [dns.rcode.NOTIMP] * 15 + [dns.rcode.FORMERR] * 3 + [0]
    assert [r[2] >> 3 & 15 for r in replies[:15]] == list(range(1, 16))
    assert all(r[2] & 0x80 and r[:2] == good[:2] for r in replies)


def test_letters_keep_their_case(servers):
    """The question comes back as it was asked (0x20), names outside of it as they stand in the zone file."""
    _, a, _, _, _ = servers
    rng = random.Random(1)
    for _ in range(40):
        name, rdtype, target = rng.choice((("a.case.", "MX", "MaiL.ExamplE.NeT."), ("b.case.", "A", "CamelCase.ORG.")))
        asked = "".join(rng.choice((c, c.upper())) for c in name)
        reply = a.ask(asked, rdtype)
        assert str(reply.question[0].name) == asked == str(reply.answer[0].name)
        assert reply.answer[0].to_text().split()[-1] == target
    referral = a.ask("X.c.CASE.", "A")
    assert str(referral.authority[0].name) == "c.CASE." and referral.authority[0].to_text().split()[-1].startswith("nS.")


@pytest.mark.parametrize("bad, why", [
    ("@ IN CNAME www", "SOA and NS stand beside it"), ("www IN CNAME a\nwww IN A 192.0.2.1", "must be alone"),
    ("cut IN NS ns1\nx.cut IN TXT x", "only glue addresses"), ("d IN DNAME a\nx.d IN A 192.0.2.1", "nothing stands there"),
    (txt_set("t", 65001), "65000"), (f"{'l' * 64} IN A 192.0.2.1", "label"), (".".join(["l" * 60] * 5) + " IN A 192.0.2.1", "name")],
    ids=["apex-cname", "cname-beside", "below-cut", "below-dname", "set-size", "label-size", "name-size"])
def test_import_refuses(servers, bad, why):
    _, a, _, _, _ = servers
    path = a.dir / "bad"
    path.write_text(zone_text("bad.", records=bad + "\n"))
    error = a.fails(6, "zone", "import", "bad", path)
    assert why in error and "bad:" in error, error


def test_an_edit_cannot_put_a_cname_at_the_apex(servers):
    _, a, _, _, _ = servers
    error = a.cli_run("record", "set", "case", "@", "300", "CNAME", "www.case.", "--commit", "-m", "no")
    assert error.returncode not in (0, 2) and "SOA and NS stand beside it" in error.stderr + error.stdout
    assert a.ask("case.", "CNAME").answer == []
