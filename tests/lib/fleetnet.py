"""A fleet in which every appliance has a network namespace of its own, so that it can be cut off. Needs root.

Each namespace has one veth whose other end is a port of a bridge in a hub namespace; a port moved to another
bridge is a partition: who is on one bridge hears each other, and nobody else. Packets vanish, as they do."""

import contextlib
import os
import signal
import subprocess
import time

from appliance import CliError
from fleet import Fleet, Member
from netbox import CLONE_NEWNET, check, libc
from peers import wait_until

SIDES = 3  # bridges, so that a fleet can fall into that many parts
FLEET_PORT = 5300


def ip(*args, ns=None):
    subprocess.run(["ip", *(["-n", ns] if ns else []), *map(str, args)], check=True, capture_output=True)


@contextlib.contextmanager
def inside(ns):
    """The calling thread is in the namespace; so is what it starts there, and the sockets it opens, for good."""
    back = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    there = os.open(f"/run/netns/{ns}", os.O_RDONLY)
    try:
        check(libc.setns(there, CLONE_NEWNET))
        yield
    finally:
        check(libc.setns(back, CLONE_NEWNET))
        os.close(there)
        os.close(back)


class Net:
    """net.add(name) is the address of a new namespace; net.cut(names) parts these from the rest."""

    def __init__(self):
        self.names, self.tag = [], f"ns{os.getpid()}"

    def ns(self, name):
        return f"{self.tag}-{name}"

    def __enter__(self):
        ip("netns", "add", self.ns("hub"))
        for side in range(SIDES):
            ip("link", "add", f"side{side}", "type", "bridge", ns=self.ns("hub"))
            ip("link", "set", f"side{side}", "up", ns=self.ns("hub"))
        return self

    def __exit__(self, *_):
        for name in ["hub", *self.names]:
            subprocess.run(["ip", "netns", "del", self.ns(name)], capture_output=True, check=False)

    def add(self, name, address=None):
        ns, hub = self.ns(name), self.ns("hub")
        self.names.append(name)
        address = address or f"10.77.0.{len(self.names)}"
        ip("netns", "add", ns)
        ip("link", "add", "eth0", "netns", ns, "type", "veth", "peer", "name", name, "netns", hub)
        ip("link", "set", name, "master", "side0", "up", ns=hub)
        for device in ("lo", "eth0"):
            ip("link", "set", device, "up", ns=ns)
        ip("addr", "add", f"{address}/24", "dev", "eth0", ns=ns)
        ip("route", "add", "default", "dev", "eth0", ns=ns)  # all others are on this wire
        return address

    def cut(self, *names, side=1):
        for name in names:
            ip("link", "set", name, "master", f"side{side}", ns=self.ns("hub"))

    def heal(self):
        self.cut(*self.names, side=0)


class NetMember(Member):
    """A member in its namespace. It can be asked from anywhere, over loopback of its own namespace."""

    def __init__(self, net, name, **kw):
        self.net, self.address = net, net.add(name)
        super().__init__(name, **kw)
        self.extra = self.extra.replace(f"127.0.0.1:{self.fleet_port}", f"{self.address}:{FLEET_PORT}")
        self.fleet_port = FLEET_PORT

    def spawn(self):
        with inside(self.net.ns(self.name)):
            return super().spawn()

    def ask(self, name, rdtype="A", tcp=False, timeout=10.0, where="127.0.0.1", **kw):
        with inside(self.net.ns(self.name)):
            return super().ask(name, rdtype, tcp, timeout, where, **kw)

    # ---- trouble; none of it asks the appliance ----
    def children(self):
        """{pid: role} of the processes that its supervisor has now."""
        out = {}
        try:
            with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children", encoding="ascii") as f:
                pids = [int(p) for p in f.read().split()]
        except OSError:
            return out
        for pid in pids:
            with contextlib.suppress(OSError):
                out[pid] = os.path.basename(os.readlink(f"/proc/{pid}/exe")).removeprefix("nameserve-")
        return out

    def kill_now(self, role):
        """kill -9 of a process of that role; False when there is none now."""
        for pid in [p for p, r in self.children().items() if r == role]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
                return True
        return False

    def kill(self):
        """A power cut for all of its processes at once."""
        pids = list(self.children())
        self.process.kill()
        self.process.wait(5)
        self.process = None
        wait_until(lambda: not any(os.path.exists(f"/proc/{p}") for p in pids), "children gone", 10)

    def pause(self):
        """The supervisor first, or it would replace what is silent."""
        self.paused = [self.process.pid]
        os.kill(self.process.pid, signal.SIGSTOP)
        for pid in self.children():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)
                self.paused.append(pid)

    def resume(self):
        for pid in reversed(self.paused):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
        self.paused = []

    def well(self):
        """It runs, all of it, hears the primary, and serves what it has."""
        try:
            status = self.cli_json("status", timeout=5)
        except (CliError, subprocess.TimeoutExpired):
            return None
        whole = status["processes"] and all(p["state"] == "ready" for p in status["processes"])
        there = status["served_revision"] >= status["revision"] and status["primary"]["reachable"]
        return status if whole and there else None


class NetFleet(Fleet):
    """Fleet(size) in namespaces of one Net, which it makes and removes."""

    def __init__(self, size=5, **kw):
        self.net = Net()
        self.net.__enter__()
        self.kw, self.size = kw, size
        try:
            self.primary = NetMember(self.net, "p", role="primary", **kw)
        except BaseException:
            self.net.__exit__()
            raise
        self.members = [self.primary]

    def add(self, name, *args, start=True, **kw):
        member = NetMember(self.net, name, join=self.invite(name, *args), **{**self.kw, **kw})
        self.members.append(member)
        if start:
            member.start()
            wait_until(member.follows, f"{name} follows; its log:\n{member.log()[-2000:]}")
        return member

    @property
    def replicas(self):
        return [m for m in self.members if m is not self.primary]

    def wait_well(self, seconds=60):
        """Everybody runs, follows the one primary, and serves its head."""
        def where():
            status = [m.well() for m in self.members]
            places = {s and (s["primary"]["name"], s["term"], s["revision"]) for s in status}
            return places if len(places) == 1 and None not in places else last.update(places=places)

        last = {}
        try:
            ((primary, _, revision),) = wait_until(where, "all are in one place", seconds)
        except AssertionError as e:
            logs = "".join(f"\n---- {m.name} ----\n{m.log()[-3000:]}" for m in self.members)
            raise AssertionError(f"{e}: {last['places']}{logs}") from None
        assert primary == self.primary.name
        return revision

    def __exit__(self, *args):
        try:
            super().__exit__(*args)
        finally:
            self.net.__exit__()
