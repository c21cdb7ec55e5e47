"""A peer on the fleet port that says what it likes: CURVE by pyzmq, protobuf by hand."""

import base64
import time

import zmq


def varint(n):
    out = b""
    while True:
        out += bytes([(n & 127) | (128 if n > 127 else 0)])
        n >>= 7
        if not n:
            return out


def field(number, value):
    """One field: a number, or octets (also a message, packed)."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    value = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(value)) + value


def unpack(data):
    """Fields by number; the last of each."""
    fields, at = {}, 0

    def number():
        nonlocal at
        value = shift = 0
        while True:
            octet = data[at]
            at += 1
            value |= (octet & 127) << shift
            shift += 7
            if octet < 128:
                return value

    while at < len(data):
        tag = number()
        if tag & 7 == 0:
            fields[tag >> 3] = number()
        elif tag & 7 == 2:
            size = number()
            fields[tag >> 3] = data[at : at + size]
            at += size
        else:
            at += 8 if tag & 7 == 1 else 4
            fields[tag >> 3] = None
    return fields


def token_parts(token):
    raw = base64.urlsafe_b64decode(token[5:] + "=" * (-len(token[5:]) % 4))
    endpoint = raw[1 : 1 + raw[0]].decode()
    rest = raw[1 + raw[0] :]
    rest = rest[1 + rest[0] :]
    return endpoint, rest[:32], rest[32:64]


ERROR, ENROL, ENROLLED, HELLO, WELCOME, CHANGE, BEAT, RECEIPT, FORWARD = 10, 150, 151, 152, 153, 154, 155, 156, 157


class Peer:
    def __init__(self, endpoint, server, secret=None):
        """server: the primary's key, 32 octets; secret: ours, 40 characters of Z85; none: a fresh one."""
        self.context = zmq.Context()
        self.socket = self.context.socket(zmq.DEALER)
        if secret is None:
            secret = zmq.curve_keypair()[1]
        public = zmq.curve_public(secret)
        self.socket.curve_secretkey, self.socket.curve_publickey = secret, public
        self.socket.curve_serverkey = server
        self.socket.linger = 0
        self.socket.connect(endpoint)

    def say(self, body, message, term=1, raw=b""):
        try:
            self.socket.send(field(body, message) + field(199, term) + raw, zmq.NOBLOCK)
        except zmq.Again:
            pass  # refused at the door: libzmq has given up

    def hear(self, body, seconds=30.0):
        """The next message with that body, as its fields; None in time."""
        end = time.monotonic() + seconds
        while self.socket.poll(max(0, (end - time.monotonic()) * 1000)):
            env = unpack(self.socket.recv())
            if body in env:
                return unpack(env[body])
        return None

    def close(self):
        self.context.destroy(linger=0)
