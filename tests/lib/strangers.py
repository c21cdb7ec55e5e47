"""Those who have no key: what somebody on the same network can do to a fleet port. Raw sockets, in the namespace
of the thread that calls."""

import selectors
import socket
import struct
import threading
import time

import zmq

# ZMTP 3.1's greeting: signature, version, mechanism, as-server 0.
GREETING = b"\xff" + bytes(8) + b"\x7f\x03\x01" + b"CURVE".ljust(20, b"\0") + bytes(32)
# Of a client's octets: its HELLO, a command of 200 with its head; before PROVED, the greeting's filler, versions and
# HELLO's padding are of no consequence; from there on everything is part of a proof.
HELLO_AT, HELLO_SIZE, PROVED = 64, 202, 146


def connect(address, count, sources=("0.0.0.0",)):
    """Sockets that are connecting, from these addresses in turn; the caller closes them."""
    out = []
    for i in range(count):
        s = socket.socket()
        s.setblocking(False)
        s.bind((sources[i % len(sources)], 0))
        s.connect_ex(address)
        out.append(s)
    return out


def say(s, data):
    try:
        s.send(data)
        return True
    except OSError:
        return False


def hang_up(sockets):
    for s in sockets:
        s.close()


def announce(address, size=8 << 30):
    """A connection that finishes the greeting and announces a frame of that size."""
    s = socket.create_connection(address, timeout=5)
    say(s, GREETING + b"\x06" + struct.pack(">Q", size) + b"x" * 1000)
    return s


def handshakes(address, opening, per_second, seconds):
    """Connect, say the opening, leave, at that rate; how many could be said. An opening that was recorded is
    answered: it costs the server all that a handshake costs up to its first reply."""
    said, waiting, began = 0, [], time.monotonic()
    for i in range(int(per_second * seconds)):
        late = began + i / per_second - time.monotonic()
        if late > 0:
            time.sleep(late)
        waiting += connect(address, 1)
        if len(waiting) > 50:
            s = waiting.pop(0)
            said += say(s, opening)
            s.close()
    hang_up(waiting)
    return said, time.monotonic() - began


class Recorder(threading.Thread):
    """A proxy in front of a fleet port: keeps what the client said, and may alter it on its way."""

    def __init__(self, address, alter=None):
        super().__init__(daemon=True)
        self.target, self.alter = address, alter or (lambda at, data: data)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.endpoint = f"tcp://127.0.0.1:{self.listener.getsockname()[1]}"
        self.said, self.pairs, self.over = b"", [], threading.Event()
        # A thread is in the namespace it began in: the way out is opened by the caller's.
        self.out = socket.create_connection(address)

    def run(self):
        try:
            client, _ = self.listener.accept()
        except OSError:
            return
        with selectors.DefaultSelector() as sel:
            sel.register(client, selectors.EVENT_READ, self.out)
            sel.register(self.out, selectors.EVENT_READ, client)
            while not self.over.is_set():
                for key, _ in sel.select(0.1):
                    try:
                        data = key.fileobj.recv(65536)
                        if key.fileobj is client:
                            altered = self.alter(len(self.said), data)
                            self.said += data
                            data = altered
                        if not data:
                            return
                        key.data.sendall(data)
                    except OSError:
                        return

    def close(self):
        self.over.set()
        self.listener.close()
        self.join(5)
        self.out.close()


def replay(address, said):
    """All that a client once said, on a new connection; what came back."""
    s = socket.create_connection(address, timeout=5)
    back = b""
    try:
        s.sendall(said)
        while data := s.recv(65536):
            back += data
    except OSError:
        pass
    s.close()
    return back


def wrong_keys(endpoint, server, count):
    """DEALERs with the server's right key and a fresh one of their own: refused by the allow-list."""
    context = zmq.Context()
    for _ in range(count):
        s = context.socket(zmq.DEALER)
        s.curve_publickey, s.curve_secretkey = zmq.curve_keypair()
        s.curve_serverkey, s.linger = server, 0
        s.connect(endpoint)
    return context
