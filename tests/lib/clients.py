"""Clients that edit at random appliances of a fleet and keep a log of it, as history.py reads it."""

import json
import random
import subprocess
import threading
import time

import dns.exception

ZONES = ("example.com", "example.net", "example.org")
SHARED = 4  # names that all clients fight for; other names are written once
OUTCOME = {0: "ok", 11: "ok", 7: "refused", 8: "unknown"}
TRIES = 4


class Client(threading.Thread):
    """One after the other, until told to stop. What is not known is asked again, elsewhere, with the same key."""

    def __init__(self, number, seed, members, log):
        super().__init__(name=f"c{number}", daemon=True)
        self.random = random.Random(f"{seed}/{number}")
        self.members, self.log = members, log
        self.over, self.count, self.wrong = threading.Event(), 0, []

    def operation(self):
        n, self.count = self.count, self.count + 1
        key, zone = f"{self.name}-{n}", self.random.choice(ZONES)
        shared = self.random.random() < 0.3
        name = f"s{self.random.randrange(SHARED)}" if shared else key
        return {"client": self.name, "n": n, "key": key, "at": [], "zone": zone, "name": f"{name}.{zone}.",
                "type": "TXT", "ttl": 60, "rdata": [f'"{key}"']}

    def ask(self, op, member):
        op["at"].append(member.name)
        try:
            done = member.cli_run("--json", "--timeout", "2s", "record", "set", op["zone"], op["name"], op["ttl"],
                                  op["type"], *op["rdata"], "--commit", "-m", op["key"], "--idempotency-key",
                                  op["key"], timeout=15)
        except subprocess.TimeoutExpired:
            self.wrong.append(f"{op['key']}: the CLI hangs at {member.name}")
            return "unknown"
        if done.returncode not in OUTCOME:
            self.wrong.append(f"{op['key']} at {member.name}: exit {done.returncode}: {done.stderr}")
            return "unknown"
        if OUTCOME[done.returncode] == "ok":
            op["revision"] = json.loads(done.stdout)["revision"]
        else:
            op["said"] = done.stderr.strip()
        op["exit"] = done.returncode
        return OUTCOME[done.returncode]

    def edit(self, op):
        """A refusal after an unknown outcome says nothing of the first attempt."""
        unknown = False
        op["sent"] = time.monotonic()
        for _ in range(TRIES):
            member = self.random.choice(self.members)
            outcome = self.ask(op, member)
            unknown = unknown or outcome == "unknown"
            if outcome == "ok" or not unknown:
                break
            self.over.wait(0.2)
        op["outcome"] = "unknown" if unknown and outcome != "ok" else outcome
        op["done"] = time.monotonic()
        # Not served in time is acknowledged all the same; reading it back would prove nothing.
        if op["outcome"] == "ok" and op["exit"] == 0:
            op["read"] = read(member, op)
        if op["outcome"] == "refused":
            self.over.wait(0.1)

    def run(self):
        while not self.over.is_set():
            op = self.operation()
            self.edit(op)
            self.log(op)


def read(member, op):
    """What that appliance says now; None when it says nothing, having been killed meanwhile."""
    try:
        reply = member.ask(op["name"], op["type"], timeout=0.5)
    except (dns.exception.DNSException, OSError):
        return None
    if reply.rcode() not in (0, 3):
        return None
    return sorted(str(r) for r in reply.answer[-1]) if reply.answer else []


class Crowd:
    """Clients as a context; `ops` is their log, also in a file, one JSON line each."""

    def __init__(self, count, seed, members, path):
        self.ops, self.lock, self.file = [], threading.Lock(), open(path, "w", encoding="utf-8")
        self.clients = [Client(i, seed, members, self.log) for i in range(count)]

    def log(self, op):
        with self.lock:
            self.ops.append(op)
            self.file.write(json.dumps(op) + "\n")

    @property
    def acknowledged(self):
        with self.lock:
            return sum(op["outcome"] == "ok" for op in self.ops)

    @property
    def wrong(self):
        return [w for c in self.clients for w in c.wrong]

    def __enter__(self):
        for c in self.clients:
            c.start()
        return self

    def __exit__(self, *_):
        for c in self.clients:
            c.over.set()
        for c in self.clients:
            c.join(60)
        self.file.close()
