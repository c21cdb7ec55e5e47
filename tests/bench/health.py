"""Health in a fleet of real appliances on this machine: how soon a flip changes answers everywhere, and what a share of
100,000 checks costs one of 32.

part_flip: every appliance answers a name by a policy over a check, three of them look at it. The endpoint breaks and
heals; all are asked all the time, so an answer counts when it is there, give or take one round of questions (printed).
part_share: the roster of 32, of which one runs with 100,000 checks in its store: it must look at its share of them, at
the default interval, in bounded memory. The others count as there for the minute that silence takes.
"""

import contextlib
import datetime
import json
import select
import socket
import statistics
import struct
import subprocess
import time

import dns.message

import peers
from appliance import zone_text
from endpoints import Server, http
from fleet import Fleet
from propagation import ADDRESSES, Cores
from rig import LOAD_CORE, OUT, cpu_ns, keep, on_core, pin_tree, pss_mb, say
from routing import MEMORY_MB, put_checks

FLIPS = 8  # down, and up again
BUDGET_MS = 50
CHECKS, INTERVAL_S = 100000, 30.0
QUIET_S, WINDOW_S = 12, 30  # of the minute until the silent ones' shares move; a whole interval
MAIN, SPARE = "192.0.2.1", "192.0.2.2"


# ---- flip ----
class Askers:
    """One socket for each appliance, all asked again and again by one thread."""

    def __init__(self, members, name):
        self.query = bytearray(dns.message.make_query(name, "A").to_wire())
        self.sockets = []
        for m in members:
            s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            s.connect(("127.0.0.1", m.port))
            s.setblocking(False)
            self.sockets.append(s)

    def round(self):
        """The last octet of each one's address; None: no answer in this round."""
        number = struct.pack(">H", int(time.monotonic() * 1e6) & 0xffff)
        self.query[:2] = number
        for s in self.sockets:
            s.send(self.query)
        found, end = {}, time.monotonic() + 0.2
        while len(found) < len(self.sockets) and time.monotonic() < end:
            ready = select.select(self.sockets, [], [], 0.05)[0]
            for s in ready:
                with contextlib.suppress(BlockingIOError, ConnectionRefusedError):
                    wire = s.recv(512)
                    if wire[:2] == number:
                        found[s] = (wire[-1], time.time())
        return [found.get(s) for s in self.sockets]

    def until_all(self, octet, seconds=30):
        """When each of them first gave that address, and how long a round took at most."""
        at, worst, end = [None] * len(self.sockets), 0, time.monotonic() + seconds
        while None in at:
            assert time.monotonic() < end, f"{at.count(None)} do not answer {octet}"
            began = time.monotonic()
            for i, answer in enumerate(self.round()):
                if at[i] is None and answer and answer[0] == octet:
                    at[i] = answer[1]
            worst = max(worst, time.monotonic() - began)
            time.sleep(0.001)
        return at, worst

    def close(self):
        for s in self.sockets:
            s.close()


def decided_at(member, state):
    """The flip's time by that appliance's own clock and log."""
    def there():
        flips = member.cli_json("check", "show", "web")["flips"]
        return flips and flips[0]["state"] == state and flips[0]
    return datetime.datetime.fromisoformat(
        peers.wait_until(there, f"{member.name} says {state}", 30)["at"].replace("Z", "+00:00")).timestamp()


def one_flip(f, askers, web, good):
    web.say = http() if good else http(503)
    at, worst = askers.until_all(1 if good else 2)
    decided = [decided_at(m, "up" if good else "down") for m in f.members]
    return {"own_ms": [1000 * (a - d) for a, d in zip(at, decided)], "round_ms": 1000 * worst,
            "all_ms": 1000 * (max(at) - min(decided))}


def part_flip(args):
    web = Server(http())
    with Fleet(args.fleet, addresses=ADDRESSES, config="[probe]\nallow = 127.0.0.0/8\n") as f, contextlib.closing(web):
        p = f.primary
        p.cli("check", "set", "web", "-", stdin=json.dumps(
            {"type": "http", "target": "127.0.0.1", "port": web.port, "interval": 1, "timeout": 0.8, "fall": 1, "rise": 1}))
        policy = {"ttl": 5, "root": {"use": "failover", "order": [{"pool": "main"}, {"pool": "spare"}]}, "pools": {
            "main": {"answers": [{"value": MAIN, "check": "web"}]}, "spare": {"answers": [{"value": SPARE}]}}}
        path = p.dir / "flip.example"
        path.write_text(zone_text("flip.example.", 1, f";ns-policy www.flip.example. A {json.dumps(policy)}\n"))
        p.cli("zone", "import", "flip.example", path)
        f.wait_converged(120)
        askers = Askers(f.members, "www.flip.example.")
        with contextlib.closing(askers):
            askers.until_all(1, 120)
            cores = Cores(f)
            runs = [one_flip(f, askers, web, good) for _ in range(FLIPS) for good in (False, True)]
            seen = cores.seen()
    own = sorted(ms for r in runs for ms in r["own_ms"])
    p99 = own[len(own) * 99 // 100]
    keep("flip_answer_p99_ms", p99, f"{p99:.1f} ms", f"<= {BUDGET_MS} ms", p99 <= BUDGET_MS, max_ms=own[-1],
         p50_ms=statistics.median(own), appliances=args.fleet, flips=len(runs), round_ms=max(r["round_ms"] for r in runs),
         **seen)
    everywhere = statistics.median(r["all_ms"] for r in runs)
    keep("flip_everywhere_ms", everywhere, f"{everywhere:.0f} ms", max_ms=max(r["all_ms"] for r in runs))
    say("flip: a round of questions, at most", f"{max(r['round_ms'] for r in runs):.1f} ms")


# ---- share ----
def look(a, seconds):
    """Probes a second, the core's share for them, and memory; over a while."""
    pid = [a.pid("probe")]
    before, cpu, began = a.cli_json("status"), cpu_ns(pid), time.monotonic()
    time.sleep(seconds)
    after, took = a.cli_json("status"), time.monotonic() - began
    return {"assigned": after["checks_assigned"], "per_second": (after["probes"] - before["probes"]) / took,
            "core": (cpu_ns(pid) - cpu) / 1e9 / took, "mb": pss_mb(pid), "down": after["checks_down"]}


def part_share(args):
    count = max(1000, int(CHECKS * min(1.0, args.zones / 100000)))
    port = peers.free_port()
    target = subprocess.Popen(on_core(LOAD_CORE, OUT / "target", port, "tcp"))
    try:
        with Fleet(args.fleet, addresses=ADDRESSES, config="[probe]\nallow = 127.0.0.0/8\n") as f:
            a = f.primary
            for m in f.replicas:
                m.stop()
            put_checks(a, "tcp", count, port, INTERVAL_S)
            began = time.monotonic()
            pin_tree(a.process.pid)
            peers.wait_until(lambda: a.cli_json("status")["checks"] == count, "the probe has all checks", 60)
            time.sleep(max(0, QUIET_S - (time.monotonic() - began)))
            own = look(a, WINDOW_S)
    finally:
        target.kill()
        target.wait()
    fair = count * 3 / args.fleet
    keep("share_checks", own["assigned"], f"{own['assigned']} of {count}", f"{fair:.0f} +- 5 %",
         abs(own["assigned"] - fair) <= 0.05 * fair, appliances=args.fleet)
    due = own["assigned"] / INTERVAL_S
    keep("share_per_second", own["per_second"], f"{own['per_second']:.0f}/s", f">= {0.9 * due:.0f}/s",
         own["per_second"] >= 0.9 * due, core=own["core"], down=own["down"])
    keep("share_memory_mb", own["mb"], f"{own['mb']:.0f} MB", f"<= {MEMORY_MB} MB", own["mb"] <= MEMORY_MB)
    say("share: of a core", f"{100 * own['core']:.1f} %", f"{own['down']} not up yet")
