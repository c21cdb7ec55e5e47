"""Appliances far from each other: network namespaces whose only links are TUN devices that tests/tools/wan.c reads,
delays, loses and reorders, seeded, packet by packet. Needs root and /dev/net/tun; no netem.

    with Wan(seed=1, delay_ms=75, loss=10) as wan, Fleet(8, member=wan.member) as f: …
"""

import contextlib
import ctypes
import json
import os
import subprocess

from appliance import BUILD
from fleet import Member

CLONE_NEWNET = 0x40000000
libc = ctypes.CDLL(None, use_errno=True)


@contextlib.contextmanager
def inside(path):
    """The calling thread in that namespace; what it starts stays there."""
    back = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    there = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if libc.setns(there, CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), path)
        yield
    finally:
        libc.setns(back, CLONE_NEWNET)
        os.close(back)
        os.close(there)


class FarMember(Member):
    """An appliance in a namespace of its own. Its control socket is a file: the CLI needs no network."""

    def __init__(self, name, place, **kw):
        self.namespace, address = place
        super().__init__(name, fleet_address=address, **kw)

    def spawn(self):
        with inside(self.namespace):
            return super().spawn()

    def ask(self, *args, **kw):
        with inside(self.namespace):
            return super().ask(*args, **kw)


class Wan:
    def __init__(self, seed=1, delay_ms=75, jitter_ms=0, loss=10, size=8):
        """One way; loss per mille; places for `size` appliances."""
        self.options = [seed, delay_ms, jitter_ms, loss]
        names = [f"nswan-{os.getpid()}-{i}" for i in range(size)]
        self.places = [(f"/run/netns/{n}", f"10.77.0.{i + 1}") for i, n in enumerate(names)]
        self.names, self.used, self.process = names, 0, None

    def member(self, name, **kw):
        place, self.used = self.places[self.used], self.used + 1
        return FarMember(name, place, **kw)

    def tell(self, line):
        """cut N, mend N, plain, count: the counters after it."""
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.__exit__()
            raise

    def start(self):
        for name, (_, address) in zip(self.names, self.places):
            for command in (["netns", "add", name], ["-n", name, "link", "set", "lo", "up"],
                            ["-n", name, "tuntap", "add", "dev", "wan0", "mode", "tun"],
                            ["-n", name, "addr", "add", f"{address}/24", "dev", "wan0"],
                            ["-n", name, "link", "set", "wan0", "up"]):
                subprocess.run(["ip", *command], check=True)
        links = [f"{path}={address}" for path, address in self.places]
        self.process = subprocess.Popen([BUILD / "tools" / "wan", *map(str, self.options), *links],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline() == "ready\n"
        return self

    def __exit__(self, *_):
        if self.process:
            self.process.stdin.close()
            self.process.wait(5)
            self.process.stdout.close()
        for name in self.names:
            subprocess.run(["ip", "netns", "del", name], check=False, stderr=subprocess.DEVNULL)
