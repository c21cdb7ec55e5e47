"""Two hundred thousand broken packets against the real server, and a good answer at the end.

Every packet that has a header and is no response must be answered: with its id, parsable, not larger than it allows.
Everything else must be met with silence. The packets follow from a seed.
"""

import random
import select
import socket
import struct

import dns.flags
import dns.message
import dns.rcode
import pytest

from appliance import Appliance, zone_text

SEED, PACKETS, BATCH, FRAMES = 1, 200000, 250, 5000
NAMES = ["example.com", "www.example.com", "x.wild.example.com", "a.b.c.sub.example.com", "nope.example.com", "alias.example.com",
         "big.example.com", "example.org", "version.bind", ".", "d.example.com", "y.d.example.com", "l" * 63 + ".example.com"]
TYPES = ["A", "AAAA", "MX", "TXT", "NS", "SOA", "ANY", "DS", "AXFR", "CNAME", "DNAME", "TYPE65280"]


@pytest.fixture
def served():
    records = ["www IN A 192.0.2.10", "*.wild IN TXT w", "sub IN NS ns.sub", "ns.sub IN A 192.0.2.11", "alias IN CNAME www",
               "d IN DNAME wild"] + [f"big IN TXT \"{i}{'x' * 200}\"" for i in range(60)]
    with Appliance() as a:
        path = a.dir / "example.com"
        path.write_text(zone_text("example.com.", records="\n".join(records) + "\n"))
        a.cli("zone", "import", "example.com", path)
        yield a


def good_queries():
    for name in NAMES:
        for rdtype in TYPES:
            for edns in (False, 512, 1232, 4096):
                kw = {"use_edns": 0, "payload": edns, "want_dnssec": edns == 4096} if edns else {}
                yield dns.message.make_query(name, rdtype, **kw).to_wire()


def flip(rng, p):
    for _ in range(rng.randint(1, 8)):
        p[rng.randrange(len(p))] ^= 1 << rng.randrange(8)


def cut(rng, p):
    del p[rng.randrange(len(p)):]


def append(rng, p):
    p += rng.randbytes(rng.randint(1, 40))


def lie(rng, p):
    """A number somewhere, which may be a length, a type or a count, becomes another one."""
    at = rng.randrange(2, len(p) - 1)
    p[at:at + 2] = struct.pack(">H", rng.choice((0, 1, 2, 0x29, 0xff, 0x100, 0x7fff, 0xc000, 0xffff, rng.randrange(65536))))


def point(rng, p):
    """A compression pointer where a name is: at itself, back, forward, to the end."""
    at = rng.randrange(12, len(p)) if len(p) > 13 else 12
    p[at:at + 2] = struct.pack(">H", 0xc000 | rng.choice((12, at, at + 2, 0, len(p), rng.randrange(0x4000))))


def sections(rng, p):
    """Any counts, and perhaps records for them."""
    p[4:12] = struct.pack(">4H", *(rng.choice((0, 1, 1, 2, 65535)) for _ in range(4)))
    for _ in range(rng.randint(0, 3)):
        p += rng.choice((b"\0", b"\xc0\x0c", b"\1a\0")) + struct.pack(
            ">HHIH", rng.choice((1, 41, 250, 6, 65535)), rng.randrange(65536), rng.randrange(1 << 32), rng.choice((0, 4, 65535)))


def options(rng, p):
    """An OPT with options that may not fit into it."""
    body = b"".join(struct.pack(">HH", rng.choice((3, 8, 10, 65535)), rng.choice((0, 1, 8, 65535))) + rng.randbytes(rng.randint(0, 9))
                    for _ in range(rng.randint(0, 4)))
    p += b"\0" + struct.pack(">HHIH", 41, rng.randrange(65536), rng.choice((0, 0x8000, 0x10000, 0xffffffff)),
                             rng.choice((len(body), len(body), len(body) + 1, 0, 65535))) + body
    p[10:12] = b"\0\1"


def noise(rng, p):
    p[:] = rng.randbytes(rng.randint(0, 300))


def header(rng, p):
    p[2:4] = rng.randbytes(2)


def letter(rng, p):
    """Another octet in a label of the question, so that what is behind the parser is met too."""
    at = rng.randrange(13, max(14, len(p) - 4))
    if len(p) > at and 31 < p[at] < 127:
        p[at] = rng.choice((p[at] ^ 0x20, rng.randrange(256)))


def kind(rng, p):
    """Another type or class, where the question has no OPT behind it."""
    if p[11] == 0 and len(p) > 16:
        p[-4:] = struct.pack(">HH", rng.randrange(300), rng.choice((1, 1, 1, 3, 255)))


MUTATIONS = (letter, letter, letter, kind, kind, flip, cut, append, lie, lie, point, sections, options, noise, header)


def broken_packets(rng, n):
    bases = list(good_queries())
    for i in range(n):
        p = bytearray(rng.choice(bases))
        for _ in range(rng.choice((1, 1, 1, 2, 3))):
            if len(p) > 12:
                rng.choice(MUTATIONS)(rng, p)
        if len(p) > 1:
            p[0:2] = struct.pack(">H", i & 0xffff)
        yield bytes(p)


def is_answered(packet):
    return len(packet) >= 12 and not packet[2] & 0x80


def check_reply(packet, reply, tcp):
    assert is_answered(packet), (packet.hex(), reply.hex())
    assert reply[:2] == packet[:2] and reply[2] & 0x80 and (reply[2] ^ packet[2]) & 0x78 == 0, packet.hex()
    if not tcp:
        assert len(reply) <= (1232 if b"\0\0\x29" in packet else 512), packet.hex()
    try:
        message = dns.message.from_wire(reply[:2] + bytes([reply[2] & 0x87]) + reply[3:])  # it knows few opcodes
    except Exception as e:
        raise AssertionError(f"{packet.hex()} -> {reply.hex()}: {e}") from e
    return message.rcode()


def exchange(udp, packets):
    """Sends all, and waits for every answer that is due; {id: reply}. A second time for what was lost."""
    due = {p[:2]: p for p in packets if is_answered(p)}
    replies = {}
    for _ in range(3):
        for p in packets:
            if p[:2] not in replies:
                udp.send(p)
        while len(replies) < len(due) and select.select([udp], [], [], 10)[0]:
            reply = udp.recv(65535)
            assert reply[:2] in due, reply.hex()
            replies[reply[:2]] = reply
        if len(replies) == len(due):
            break
    missing = [p.hex() for key, p in due.items() if key not in replies]
    assert not missing, missing[:5]
    return [(due[key], reply) for key, reply in replies.items()]


def over_tcp(a, rng, packets):
    """Well-framed ones on shared connections, then frames that lie. The server may hang up; what it says parses."""
    rcodes = {}
    for at in range(0, len(packets), 50):
        sent = {p[:2]: p for p in packets[at:at + 50] if is_answered(p)}
        with socket.create_connection(("127.0.0.1", a.port), 30) as tcp:
            tcp.sendall(b"".join(struct.pack(">H", len(p)) + p for p in sent.values()))
            tcp.shutdown(socket.SHUT_WR)
            stream = b"".join(iter(lambda: tcp.recv(65536), b""))
        while stream:
            (n,) = struct.unpack(">H", stream[:2])
            reply, stream = stream[2:2 + n], stream[2 + n:]
            assert len(reply) == n
            rcode = check_reply(sent.pop(reply[:2]), reply, True)
            rcodes[rcode] = rcodes.get(rcode, 0) + 1
        assert not sent, [p.hex() for p in sent.values()][:3]
    for _ in range(100):
        with socket.create_connection(("127.0.0.1", a.port), 30) as tcp:
            p = rng.choice(packets)
            tcp.sendall(struct.pack(">H", rng.choice((0, 1, 11, max(0, len(p) - 1), len(p) + 1, 65535))) + p)
    return rcodes


def test_broken_packets(served):
    before = served.processes()
    rng = random.Random(SEED)
    packets = list(broken_packets(rng, PACKETS))
    rcodes, answered = {}, 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        udp.connect(("127.0.0.1", served.port))
        for at in range(0, PACKETS, BATCH):
            for packet, reply in exchange(udp, packets[at:at + BATCH]):
                rcode = check_reply(packet, reply, False)
                rcodes[rcode] = rcodes.get(rcode, 0) + 1
                answered += 1
        assert not select.select([udp], [], [], 0.05)[0]
    by_tcp = over_tcp(served, rng, packets[:FRAMES])
    print(f"{PACKETS} packets, {answered} answered; rcodes {rcodes}, over TCP {by_tcp}")
    assert {dns.rcode.NOERROR, dns.rcode.FORMERR, dns.rcode.NOTIMP, dns.rcode.REFUSED} <= set(rcodes)
    assert 10000 < answered < PACKETS
    assert served.values("www.example.com") == ["192.0.2.10"]
    assert len(served.ask("big.example.com", "TXT", tcp=True).answer[0]) == 60
    after = served.processes()
    assert [(p["role"], p["pid"], p["restarts"]) for p in after] == [(p["role"], p["pid"], p["restarts"]) for p in before]
