"""Queries a second, as ratios: in each round the limit, ourselves and the others one after the other, so that what
the machine does at the time happens to all of them. The median of the rounds counts, the spread is printed.

Beside it stands what each needed of its core for a query (/proc/PID/task/*/schedstat): a second witness that other
users of the machine disturb less, and the only one where a server's core is not busy all the time because the load
cannot ask faster ("busy" in the table; of_limit is then too good and of_limit_by_cpu is not). One reply in 100 is compared with the answer that was given before the load.
"""

import statistics
import time

import rivals
from rig import OUT, RESULT, Limit, blast, blast_save, cpu_ns, keep, map_in_huge_pages, pin_tree, say, tree

# NSD and Knot at twice, gdnsd at 1.2; for the others there is no budget.
OVER = {"gdnsd": 1.2, "nsd": 2.0, "knot": 2.0, "bind": None, "pdns": None}


SETTLE_S, STUCK_S = 240, 20


def settle(appliance, queries):
    """The signer puts the map into huge pages bit by bit, in idle moments; that is over before anything is measured,
    as it is when a server has run for a minute."""
    began, seen = time.monotonic(), [-1.0]
    while time.monotonic() - began < SETTLE_S:
        blast(appliance.port, queries, 0.2)
        seen.append(map_in_huge_pages(appliance.pid("worker")))
        if seen[-1] > 0.97 or (len(seen) > STUCK_S and seen[-1] <= seen[-STUCK_S]):
            break
        time.sleep(1)
    say("map in huge pages", f"{seen[-1]:.0%}", f"after {time.monotonic() - began:.0f} s")


class Ourselves:
    name = "nameserve"

    def __init__(self, appliance, queries):
        self.appliance, self.port = appliance, appliance.port
        if getattr(appliance, "settled", None) != appliance.starts:
            settle(appliance, queries)
            appliance.settled = appliance.starts
        pin_tree(appliance.process.pid)

    def pids(self):
        return [self.appliance.pid("worker")]

    def memory_mb(self):
        return rivals.pss_mb(tree(self.appliance.process.pid))

    def close(self):
        pass


def figures(server, queries, seconds, flags):
    pids = server.pids()
    before = cpu_ns(pids)
    out = blast(server.port, queries, seconds, *flags)
    used = cpu_ns(pids) - before
    out["cpu_ns"], out["busy"] = used / max(1, out["received"]), used / 1e9 / out["seconds"]
    return out


def rounds_of(servers, loads, rounds, seconds):
    """{server: [figures]}; loads: {server: (queries, flags)}."""
    runs = {s.name: [] for s in servers}
    for i in range(rounds):
        # Another one begins each round: who comes first after a pause has it easier.
        for s in servers[i % len(servers):] + servers[:i % len(servers)]:
            runs[s.name].append(figures(s, *loads[s.name][:1], seconds, loads[s.name][1]))
    return runs


def column(runs, name, key="qps"):
    return [r[key] for r in runs[name]]


def ratios(runs, a, b, key="qps"):
    return [x / max(y, 1e-9) for x, y in zip(column(runs, a, key), column(runs, b, key))]


def spread(values):
    return [min(values), max(values)]


def show(runs, title):
    for name in runs:
        qps, cpu = column(runs, name), column(runs, name, "cpu_ns")
        say(f"{title} {name}", f"{statistics.median(qps):.0f} q/s",
            f"{min(qps):.0f}..{max(qps):.0f}; core: {statistics.median(cpu):.0f} ns a query, "
            f"busy {statistics.median(column(runs, name, 'busy')):.2f}")


def keep_ratio(name, values, least, **more):
    mid = statistics.median(values)
    keep(name, mid, f"{mid:.3f}", f">= {least}" if least else None, mid >= least if least else None,
         spread=spread(values), **more)


def keep_compared(runs, title):
    """Ours must be the same under load as without; that of others is said."""
    for name in runs:
        compared = sum(r["compared"] for r in runs[name])
        if compared:
            different = sum(r["different"] for r in runs[name])
            met = different == 0 if name == "nameserve" else None
            keep(f"{title}_different_{name}", different, f"{different} of {compared}", None, met, compared=compared)


def padding(appliance, queries, flags=()):
    """By how much a reply is larger than its query, in the mean."""
    first = blast(appliance.port, queries, 1, *flags)
    return round(first["reply_octets"] - first["query_octets"]), first


def saved(server, queries, flags):
    """What it says when nobody else asks, for the replies under load to be compared with."""
    if server.name == "limit":
        return []
    path = OUT / f"answers-{server.name}"
    blast_save(server.port, queries, path, *flags)
    return [f"check={path}"]


def against_limit(appliance, queries, rounds, seconds, title, others=(), flags=()):
    pad, first = padding(appliance, queries, flags)
    limit = Limit(pad)
    servers = [limit, Ourselves(appliance, queries), *others]
    try:
        loads = {s.name: (queries, [*flags, *saved(s, queries, flags)]) for s in servers}
        runs = rounds_of(servers, loads, rounds, seconds)
    finally:
        limit.close()
    show(runs, title)
    keep_compared(runs, title)
    RESULT[title] = {"runs": runs, "query_octets": first["query_octets"], "reply_octets": first["reply_octets"]}
    cpu = ratios(runs, "limit", "nameserve", "cpu_ns")
    keep(f"{title}_of_limit_by_cpu", statistics.median(cpu), f"{statistics.median(cpu):.3f}", spread=spread(cpu))
    return runs


def part_qps(a, data, args):
    """Static answers against the limit and everybody."""
    others = rivals.start_all(rivals.zones_of(data), args.peers)
    try:
        for r in others:
            RESULT[f"{r.name}_version"] = rivals.version(rivals.KINDS[r.name])
            say(f"{r.name} {RESULT[f'{r.name}_version']}: start, memory", f"{r.start_s:.1f} s {r.memory_mb():.0f} MB")
        runs = against_limit(a, data / "queries", args.rounds, args.seconds, "qps", others)
        for r in others:
            RESULT[f"{r.name}_start_s"] = {"value": r.start_s}
            RESULT[f"{r.name}_memory_mb"] = {"value": r.memory_mb()}
            RESULT[f"{r.name}_of_limit"] = {"value": statistics.median(ratios(runs, r.name, "limit"))}
    finally:
        for r in others:
            r.close()
    keep_ratio("qps_of_limit", ratios(runs, "nameserve", "limit"), 0.92)
    for r in others:
        keep_ratio(f"qps_over_{r.name}", ratios(runs, "nameserve", r.name), OVER[r.name])


def part_signed(a, data, args):
    """DO in signed zones, against the limit at that reply size."""
    runs = against_limit(a, data / "queries", args.rounds, args.seconds, "signed", flags=["do"])
    keep_ratio("signed_of_limit", ratios(runs, "nameserve", "limit"), 0.85)


def part_floor(a, data, args):
    """What is left of the limit for a server that does nothing but look up: one to six random places of two lines."""
    queries = data / "queries"
    pad, _ = padding(a, queries)
    servers = [Limit(pad)]
    for places in (1, 3, 5, 6):
        servers.append(Limit(pad, places, 2))
        servers[-1].name = f"{places} places"
    servers.append(Ourselves(a, data / "owners"))
    try:
        runs = rounds_of(servers, {s.name: (queries, []) for s in servers}, args.rounds, args.seconds)
    finally:
        for s in servers:
            s.close()
    show(runs, "floor")
    for s in servers[1:-1]:
        keep_ratio(f"floor_{s.name.replace(' ', '_')}", ratios(runs, s.name, "limit"), None,
                   by_cpu=statistics.median(ratios(runs, "limit", s.name, "cpu_ns")))
    ours = ratios(runs, "limit", "nameserve", "cpu_ns")
    keep("floor_nameserve_by_cpu", statistics.median(ours), f"{statistics.median(ours):.3f}", spread=spread(ours))


class Asked(Ourselves):
    """Ourselves with one kind of question."""

    def __init__(self, appliance, queries, name):
        super().__init__(appliance, queries)
        self.name = name


def part_negative(a, data, args):
    """What is not there and what is elsewhere, beside what is there."""
    kinds = ("positive", "nxdomain", "referral")
    servers = [Asked(a, data / k, k) for k in kinds]
    runs = rounds_of(servers, {k: (data / k, []) for k in kinds}, args.rounds, args.seconds)
    show(runs, "negative")
    RESULT["negative"] = {"runs": runs}
    assert set(runs["nxdomain"][0]["rcodes"]) == {"3"} and set(runs["referral"][0]["rcodes"]) == {"0"}
    for kind in kinds[1:]:
        cpu = ratios(runs, "positive", kind, "cpu_ns")
        keep_ratio(f"{kind}_of_positive", ratios(runs, kind, "positive"), 0.9, by_cpu=statistics.median(cpu))
