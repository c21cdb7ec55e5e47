"""Routing: what geo, weighted and health answers cost beside static ones, and how many checks a core does.

part_routing asks both kinds of the same appliance, and gdnsd with the same zones and the same rules (geoip, weighted
and metafo, health from its extfile monitor): the same questions with the client's network (ECS), the same answers.
part_checks has more checks than the core is asked to do, each with a target of its own, as equal ones are one probe.
"""

import contextlib
import pathlib
import sqlite3
import statistics
import struct
import subprocess
import time

import dns.edns
import dns.message
import dns.query

import peers
import rivals
import workload
from appliance import Appliance
from rig import LOAD_CORE, OUT, RESULT, cpu_ns, keep, on_core, pin_tree, pss_mb, say
from throughput import Asked, keep_ratio, ratios, rounds_of, show

CHECK_IDS = 5000
EVERY_S = 1.0
OFFERED = {"tcp": (10000, 5000), "http": (6000, 3000)}  # checks a second, and how many are to be done
MEMORY_MB = 200


# ---- routing ----
class GdnsdRouting(rivals.Gdnsd):
    def config(self):
        super().config()
        folder = pathlib.Path(self.dir)
        (folder / "states").write_text("".join(
            f"{v} => {'DOWN' if v in workload.DOWN else 'UP'}\n" for v in workload.routed_values()))
        config = folder / "etc" / "config"
        config.write_text(config.read_text() + workload.gdnsd_plugins(
            next(iter(self.zones.values())).parent.parent / "geo.mmdb", folder / "states"))
        return ""


class Rival(rivals.Rival):
    """gdnsd asked for one kind of name."""

    def __init__(self, zones):
        super().__init__("gdnsd", zones, GdnsdRouting)


class One:
    """A server of the rounds under the name of what it is asked."""

    def __init__(self, name, server):
        self.name, self.port, self.pids = name, server.port, server.pids


def answer(port, line):
    name, rdtype, net = line.split()
    option = dns.edns.ECSOption(net.split("/")[0], 24)
    reply = dns.query.udp(dns.message.make_query(name, rdtype, use_edns=0, options=[option]), "127.0.0.1", port=port,
                          timeout=3)
    return {r.to_text() for r in reply.answer[0]} if reply.answer else set()


def all_right(port, data, title):
    """Every server gives only what the rules allow, for the first questions of the load."""
    lines = (data / "routed").read_text().splitlines()[:300]
    wrong = [line for line in lines if not answer(port, line) or not answer(port, line) <= workload.right(line)]
    assert not wrong, (title, wrong[:3], answer(port, wrong[0]), workload.right(wrong[0]))


def make_checks(a):
    for value in workload.routed_values():
        a.cli("check", "set", f"c-{value}", "-",
              stdin='{"type": "push", "initial": "%s"}' % ("down" if value in workload.DOWN else "up"))


def part_routing(args):
    data = workload.routing(max(10, args.zones // 10))
    gdnsd = None
    with Appliance(config=f"[geo]\ndatabase = {data}/geo.mmdb\n") as a:
        make_checks(a)
        done = a.cli_json("zone", "import", "--dir", data / "zones", timeout=1800)
        assert done["errors"] == [], done["errors"][:3]
        servers = [Asked(a, data / "static", "static"), Asked(a, data / "routed", "routed")]
        all_right(a.port, data, "nameserve")
        try:
            if "gdnsd" in args.peers:
                gdnsd = Rival({n: data / "gdnsd" / n.rstrip(".") for n in rivals.zones_of(data)})
                all_right(gdnsd.port, data, "gdnsd")
                servers += [One("gdnsd static", gdnsd), One("gdnsd routed", gdnsd)]
            loads = {s.name: (data / s.name.split()[-1], []) for s in servers}
            runs = rounds_of(servers, loads, args.rounds, args.seconds)
        finally:
            if gdnsd:
                gdnsd.close()
    show(runs, "routing")
    RESULT["routing"] = {"runs": runs}
    assert all(set(r["rcodes"]) == {"0"} for name in runs for r in runs[name])
    cpu = ratios(runs, "static", "routed", "cpu_ns")
    keep_ratio("routing_of_static", ratios(runs, "routed", "static"), 0.85, by_cpu=statistics.median(cpu))
    if gdnsd:
        keep_ratio("routing_over_gdnsd", ratios(runs, "routed", "gdnsd routed"), None)
        keep_ratio("gdnsd_routing_of_static", ratios(runs, "gdnsd routed", "gdnsd static"), None)


# ---- checks ----
def field(number, value):
    """One field of a protobuf message."""
    if isinstance(value, float):
        return bytes([number << 3 | 1]) + struct.pack("<d", value)
    if isinstance(value, str):
        return varint(number << 3 | 2) + varint(len(value)) + value.encode()
    return varint(number << 3) + varint(value)


def varint(n):
    out = b""
    while n > 127:
        out, n = out + bytes([n & 127 | 128]), n >> 7
    return out + bytes([n])


def check_body(kind, i, port, every=EVERY_S):
    """message Check of ipc/nameserve.proto, with the defaults filled in as sync does."""
    target = f"127.{100 + i // 62500}.{i // 250 % 250}.{i % 250 + 1}"
    web = field(5, "/") + field(6, "200-299") + field(7, "is ok") if kind == "http" else b""
    return (field(1, kind) + field(2, target) + field(3, port) + web + field(8, every) + field(9, 0.9) +
            field(10, 3) + field(11, 2) + field(16, "down") + field(17, "3"))


def put_checks(a, kind, count, port, every=EVERY_S):
    """Straight into the store: it is not the commits that are measured."""
    a.stop()
    with contextlib.closing(sqlite3.connect(next(a.data.glob("*.db")))) as db, db:
        db.execute("DELETE FROM object WHERE kind = 'check'")
        db.executemany("INSERT INTO object (id, kind, name, version, body) VALUES (?, 'check', ?, 1, ?)",
                       [(CHECK_IDS + i, f"{kind}-{i}", check_body(kind, i, port, every)) for i in range(count)])
    a.start()


def done_in(a, seconds):
    """Probes done and the core's time for them, between two notices."""
    def notice(old=None):
        return peers.wait_until(lambda: (s := a.cli_json("status"))["probes"] != old and s, "the probe counts", 10)

    pids = [a.pid("probe")]
    before = notice(a.cli_json("status")["probes"])
    cpu, began = cpu_ns(pids), time.monotonic()
    time.sleep(seconds)
    after = notice(a.cli_json("status")["probes"])
    return after["probes"] - before["probes"], time.monotonic() - began, (cpu_ns(pids) - cpu) / 1e9, after


def measure_checks(a, kind, args):
    share = min(1.0, args.zones / 100000)
    count, budget = (max(50, int(n * share)) for n in OFFERED[kind])
    port = peers.free_port()
    target = subprocess.Popen(on_core(LOAD_CORE, OUT / "target", port, kind))
    try:
        put_checks(a, kind, count, port)
        pin_tree(a.process.pid)
        peers.wait_until(lambda: a.cli_json("status")["checks_down"] == 0, "all are up", 60)
        runs = [done_in(a, max(2, args.seconds)) for _ in range(args.rounds)]
        down, memory = runs[-1][3]["checks_down"], pss_mb([a.pid("probe")])
    finally:
        target.kill()
        target.wait()
    rates = [n / took for n, took, _, _ in runs]
    of_core = [n / cpu for n, _, cpu, _ in runs]
    mid = statistics.median(of_core)
    say(f"{kind} checks", f"{statistics.median(rates):.0f}/s", f"of {count}/s; core busy "
        f"{statistics.median(c / t for _, t, c, _ in runs):.2f}, down at the end {down}")
    keep(f"checks_{kind}_per_core", mid, f"{mid:.0f}/s", f">= {OFFERED[kind][1]}",
         mid >= OFFERED[kind][1] and statistics.median(rates) >= budget and down == 0,
         spread=[min(of_core), max(of_core)], per_second=statistics.median(rates), offered=count)
    keep(f"checks_{kind}_memory_mb", memory, f"{memory:.0f} MB", f"<= {MEMORY_MB} MB", memory <= MEMORY_MB)


def part_checks(args):
    """Per second of the core's time; the rate is the lesser one as long as the core has idle time."""
    with Appliance(config="[probe]\nallow = 127.0.0.0/8\n") as a:
        for kind in OFFERED:
            measure_checks(a, kind, args)
