"""A network namespace of the test's own, with addresses that are not loopback on its lo: what is exempt for
127.0.0.1 is not for these. Needs root. Processes started inside live in it; the caller's thread enters it.
"""

import contextlib
import ctypes
import os
import socket
import struct
import subprocess

CLONE_NEWNET = 0x40000000
SERVER, SERVER6 = "192.0.2.53", "2001:db8::53"
CLIENTS = ("198.51.100.7", "198.51.100.8", "198.51.101.7", "203.0.113.9")
libc = ctypes.CDLL(None, use_errno=True)


def check(result):
    if result != 0:
        raise OSError(ctypes.get_errno(), "namespace: " + os.strerror(ctypes.get_errno()))


@contextlib.contextmanager
def netbox():
    back = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    check(libc.unshare(CLONE_NEWNET))
    try:
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        for address in (f"{SERVER}/24", *(f"{c}/32" for c in CLIENTS)):
            subprocess.run(["ip", "addr", "add", address, "dev", "lo"], check=True)
        subprocess.run(["ip", "-6", "addr", "add", f"{SERVER6}/64", "dev", "lo", "nodad"], check=True)
        yield
    finally:
        check(libc.setns(back, CLONE_NEWNET))
        os.close(back)


def udp_from(address, port=0, connect=None):
    s = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
    s.bind((address, port))
    if connect:
        s.connect(connect)
    return s


def forge(source, target, payload):
    """One UDP datagram over IPv4 with any source; (address, port) each. No checksum, which UDP allows."""
    raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    udp = struct.pack(">HHHH", source[1], target[1], 8 + len(payload), 0) + payload
    head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 1, 0, 64, socket.IPPROTO_UDP, 0,
                       socket.inet_aton(source[0]), socket.inet_aton(target[0]))
    raw.sendto(head + udp, (target[0], 0))
    raw.close()
