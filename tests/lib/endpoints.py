"""Small servers that health checks look at, broken and healed while they run; and how a test asks about a check."""

import contextlib
import itertools
import json
import socket
import ssl
import threading
import time

import dns.message
import dns.rcode
import dns.rrset

from peers import free_port, wait_until

QUICK = {"interval": 1, "timeout": 0.5, "fall": 1, "rise": 1}


class Server:
    """One TCP server of one thread: `say` is called with each connection, and may be changed."""

    def __init__(self, say, tls=None, port=0, address="127.0.0.1"):
        # One of its own, which nobody takes while it is closed.
        self.say, self.tls, self.address, self.port = say, tls, address, port or free_port()
        self.asked = 0
        self.holes = []
        self.open()

    def open(self):
        self.sock = socket.create_server((self.address, self.port))
        threading.Thread(target=self.run, args=(self.sock,), daemon=True).start()

    def run(self, sock):
        while True:
            try:
                conn, _ = sock.accept()
            except OSError:
                return
            self.asked += 1
            threading.Thread(target=self.serve, args=(conn,), daemon=True).start()

    def serve(self, conn):
        with contextlib.suppress(OSError), conn:
            conn.settimeout(3)
            if self.tls:
                conn = self.tls.wrap_socket(conn, server_side=True)
            self.say(conn)
            conn.close()

    def close(self):
        """Refused from now on."""
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)
        for s in (self.sock, *self.holes):
            s.close()
        self.holes = []

    def swallow(self):
        """A SYN gets no answer from now on, as if it were dropped: nobody accepts, and the queue is full."""
        self.close()
        self.sock = socket.create_server((self.address, self.port), backlog=0)
        for _ in range(4):
            s = socket.socket()
            s.setblocking(False)
            s.connect_ex((self.address, self.port))
            self.holes.append(s)

    def heal(self):
        self.close()
        self.open()


class Names:
    """A name server over UDP: `say` makes the reply of a query, or None; `delay` seconds go by before it is sent."""

    def __init__(self, say, address="127.0.0.1", delay=0):
        self.say, self.address, self.port, self.delay = say, address, free_port(), delay
        self.open()

    def open(self):
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind((self.address, self.port))
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while True:
            wire, who = self.sock.recvfrom(512)
            if not wire:  # close() says so
                return
            reply = self.say(dns.message.from_wire(wire))
            if reply:
                time.sleep(self.delay)
                self.sock.sendto(reply if isinstance(reply, bytes) else reply.to_wire(), who)

    def close(self):
        if self.thread.is_alive():
            self.sock.sendto(b"", (self.address, self.port))
            self.thread.join()
        self.sock.close()

    def heal(self):
        self.close()
        self.open()


def http(status=200, body="all is ok", headers=""):
    def say(conn):
        conn.recv(4096)
        conn.sendall(f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n{headers}\r\n{body}".encode())
    return say


def silent(conn):
    time.sleep(2)


def slow(conn):
    conn.recv(4096)
    for c in "HTTP/1.1 200 OK\r\n":
        conn.sendall(c.encode())
        time.sleep(0.1)


def saying(octets):
    def say(conn):
        conn.recv(4096)
        conn.sendall(octets)
    return say


def pong(conn):
    if conn.recv(64) == b"PING\r\n":
        conn.sendall(b"+PONG\r\n")


def redirect(to):
    return http(302, "", f"Location: {to}\r\n")


def in_turn(*says):
    """Another one each time."""
    turns = itertools.cycle(says)
    return lambda conn: next(turns)(conn)


def named(rcode=dns.rcode.NOERROR, record=True):
    """What a name server says: an address, or none."""
    def say(query):
        reply = dns.message.make_response(query)
        reply.set_rcode(rcode)
        if record:
            reply.answer.append(dns.rrset.from_text(query.question[0].name, 60, "IN", "A", "192.0.2.1"))
        return reply
    return say


def server_tls(pair):
    c = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    c.load_cert_chain(*pair)
    return c


def put(a, name, **fields):
    return a.cli("check", "set", name, "-", stdin=json.dumps({**QUICK, "target": "127.0.0.1", **fields}))


def show(a, name):
    return a.cli_json("check", "show", name)


def becomes(a, name, state, reason=""):
    def there():
        c = show(a, name)
        return c if c["state"] == state and not c["initial"] and reason in c["reason"] else None
    return wait_until(there, f"{name} {state} ({reason}): {show(a, name)}", 15)
