"""Somebody who holds an appliance's key and says what he likes: raw messages to a fleet port."""

import time

import zmq


def varint(n):
    out = bytearray()
    while n > 0x7F:
        out.append(n & 0x7F | 0x80)
        n >>= 7
    return bytes(out + bytes([n]))


def field(number, value):
    """A protobuf field: an integer, or octets."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    value = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(value)) + value


def envelope(body, message, term=1):
    return field(body, message) + field(199, term)


def hello(site, revision=0, digest=bytes(32)):
    """FleetHello, with whatever site he likes."""
    return envelope(152, field(1, 1) + field(3, "nameserve 0.0") + field(4, revision) + field(5, digest) + field(7, site))


def receipt(stored):
    return envelope(156, field(1, stored) + field(2, stored))


def digest_all(revision):
    """FleetDigest: I hold nothing at all, name what I lack."""
    return envelope(159, field(1, revision) + field(7, 1))


def votes(checks, states, seq=1, epoch=b"impostor", reasons=("i say so",), ages=None):
    """FleetVotes: a Votes in it, all with the first reason."""
    def packed(number, values):
        return field(number, b"".join(map(varint, values)))

    zeros = [0] * len(checks)
    columns = [packed(3, checks), packed(4, states), packed(5, zeros), packed(6, ages or zeros), packed(7, zeros)]
    said = varint(1 << 3 | 1) + epoch + field(2, seq) + b"".join(columns) + b"".join(field(8, r) for r in reasons)
    return raw_votes(said)


def raw_votes(octets):
    return envelope(230, field(1, octets))


def keys_of(data):
    """The CURVE pair in <data>/fleet.key, as Z85."""
    secret = (data / "fleet.key").read_text().split()[-1].encode()
    return zmq.curve_public(secret), secret


def listen(port, server, pair, kind=zmq.DEALER, say=(), seconds=2.0, host="127.0.0.1", until=b"", longest=30.0):
    """All octets that come within that time, after having said that; longer, until these have come."""
    context = zmq.Context()
    peer = context.socket(kind)
    peer.linger = 0
    peer.curve_serverkey, (peer.curve_publickey, peer.curve_secretkey) = server, pair
    if kind == zmq.SUB:
        peer.subscribe(b"")
    peer.connect(f"tcp://{host}:{port}")
    got = []
    try:
        for message in say:
            peer.send(message)
        began = time.monotonic()
        while (left := began + (seconds if until in b"".join(got) else longest) - time.monotonic()) > 0:
            if peer.poll(int(left * 1000) + 1):
                got += peer.recv_multipart()
    finally:
        peer.close()
        context.term()
    return b"".join(got)


def admitted(port, server, pair, seconds=10.0):
    """Does the handshake succeed with that key of the server and that pair of ours?"""
    from zmq.utils.monitor import parse_monitor_message

    context = zmq.Context()
    peer = context.socket(zmq.DEALER)
    peer.linger = 0
    peer.curve_serverkey, (peer.curve_publickey, peer.curve_secretkey) = server, pair
    peer.handshake_ivl = 2000  # a server with another key says nothing
    good = zmq.EVENT_HANDSHAKE_SUCCEEDED
    bad = zmq.EVENT_HANDSHAKE_FAILED_AUTH | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL | zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL
    events = peer.get_monitor_socket(good | bad | zmq.EVENT_DISCONNECTED)
    peer.connect(f"tcp://127.0.0.1:{port}")
    try:
        if not events.poll(int(seconds * 1000)):
            return False
        return parse_monitor_message(events.recv_multipart())["event"] == good
    finally:
        peer.disable_monitor()
        events.close(0)
        peer.close()
        context.term()
