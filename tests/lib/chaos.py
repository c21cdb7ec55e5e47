"""What the tests of trouble share: an editor and a stopwatch that stay connected, a watch over an appliance
while something happens to it, memory of its processes, big zones."""

import json
import os
import pathlib
import socket
import subprocess
import threading
import time

import dns.exception

from appliance import BUILD


class Tool:
    """tools/edits as a child that reads lines and answers each."""

    args = []

    def __init__(self, appliance):
        self.appliance = appliance

    def __enter__(self):
        command = [BUILD / "tools" / "edits", str(self.appliance.socket), *self.args]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(5)

    def ask(self, line):
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()
        return self.process.stdout.readline()


class Editor(Tool):
    """One connection that commits; the reply is there when the edit is served."""

    def set(self, zone, name, ttl, rdtype, rdata):
        return json.loads(self.ask(f"{zone} {name} {ttl} {rdtype} {rdata}"))


class Stopwatch(Tool):
    """The milliseconds that `status` and `list` take over one connection."""

    args = ["time"]

    def time(self, what):
        answer = self.ask(what)
        if not answer:
            raise AssertionError(f"{what}: no answer within 10 s")
        return float(answer)


class Watch:
    """While it is open: status and list pages are timed, and a name is asked; afterwards `slow` holds the
    longest of each in ms, `wrong` every answer that was not expected, `asked` how many were."""

    def __init__(self, appliance, name=None, values=None, rdtype="A"):
        self.appliance, self.name, self.values, self.rdtype = appliance, name, values, rdtype
        self.times = {"status": [], "list": []}
        self.wrong, self.asked = [], 0
        self.over = threading.Event()
        self.threads = [threading.Thread(target=self.time_it)]
        if name:
            self.threads.append(threading.Thread(target=self.ask_it))

    def time_it(self):
        try:
            with Stopwatch(self.appliance) as clock:
                while not self.over.wait(0.02):
                    for what, times in self.times.items():
                        times.append(clock.time(what))
        except (AssertionError, ValueError, BrokenPipeError) as e:
            self.wrong.append(f"control socket: {e!r}")

    def ask_it(self):
        while not self.over.wait(0.005):
            try:
                value = self.appliance.values(self.name, self.rdtype)
            except (OSError, dns.exception.DNSException) as e:
                value = repr(e)
            self.asked += 1
            if value != self.values:
                self.wrong.append(value)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join()

    @property
    def slow(self):
        return {what: max(times, default=0.0) for what, times in self.times.items()}

    def most(self, what, percent):
        """What so many in a hundred took at most."""
        times = sorted(self.times[what])
        return times[len(times) * percent // 100] if times else 0.0


def memory(pid, field="VmRSS"):
    """MiB of a process; VmHWM is the most it ever had."""
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) // 1024
    return 0


def memories(appliance, field="VmHWM"):
    return {f"{p['role']}{p.get('index', 0)}": memory(p["pid"], field) for p in appliance.processes()}


def restarts(appliance):
    return {f"{p['role']}{p.get('index', 0)}": p["restarts"] for p in appliance.processes() if p["restarts"]}


def delegations(path, origin, count):
    """A TLD: `count` records, five for each of the delegations (NS, NS, A, AAAA glue, DS)."""
    with open(path, "w", encoding="ascii") as f:
        f.write(f"$ORIGIN {origin}\n$TTL 3600\n@ SOA ns1 hostmaster 1 7200 3600 1209600 300\n"
                "@ NS ns1\nns1 A 192.0.2.1\nwww A 192.0.2.10\n")
        for i in range(count // 5):
            a, b, c = i >> 16 & 255, i >> 8 & 255, i & 255
            f.write(f"d{i:07d} NS ns1.d{i:07d}\nd{i:07d} NS ns2.operator{i % 1000}.example.\n"
                    f"d{i:07d} DS {i & 65535} 13 2 {i:064x}\n"
                    f"ns1.d{i:07d} A 10.{a}.{b}.{c}\nns1.d{i:07d} AAAA 2001:db8::{i >> 16:x}:{i & 65535:x}\n"
                    )


def addresses(path, origin, count):
    """One flat list of A records."""
    with open(path, "w", encoding="ascii") as f:
        f.write(f"$ORIGIN {origin}\n$TTL 3600\n@ SOA ns1 hostmaster 1 7200 3600 1209600 300\n"
                "@ NS ns1\nns1 A 192.0.2.1\nwww A 192.0.2.10\n")
        for i in range(count):
            f.write(f"h{i:07d} A 10.{i >> 16 & 255}.{i >> 8 & 255}.{i & 255}\n")


def raw_connection(appliance):
    """A plain Unix stream to the control socket: what a stranger without ZeroMQ sends."""
    s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    s.settimeout(5)
    s.connect(str(appliance.socket))
    return s


def elapsed_ms(since):
    return (time.monotonic() - since) * 1000


def alive(pid):
    return os.path.exists(f"/proc/{pid}")
