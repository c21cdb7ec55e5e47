"""make bench-cost: where a query's time goes, in figures that no other user of the machine changes.

    cost.py [--zones N] [--queries N] [--do | --routed] [--watched]

The worker runs as the supervisor starts it, but under callgrind and without its sandbox (tests/bench/programs); it is
asked the reference workload twice, once more often than the other time: the difference is what queries cost, without
start and stop. Instructions are given to the file that they were written in, so inlining hides nothing. Then the real
worker is asked under strace, for its system calls. --watched: only what consoles that are open on every screen, a tail
of all queries among them, add to the instructions of a query; 1 % at most. Prints the table of appliance/worker/COST.md; build/cost.json.
"""

import argparse
import collections
import contextlib
import json
import re
import shutil
import signal
import subprocess
import threading
import time

import rig
import routing
import workload
from appliance import Appliance, variant
from console import Console
from rig import BUILD, blast

COST = BUILD / "cost"
EVENTS = ("Ir", "Dr", "Dw", "I1mr", "D1mr", "D1mw", "ILmr", "DLmr", "DLmw")
# Which step of an answer a source file belongs to (appliance/serve/README.md has the passes).
STEPS = (
    ("receive and send: headers, admission", ("worker/udp.c", "worker/worker.c", "worker/tcp.c")),
    ("counters, limits, clocks", ("zonemap/zonecount", "zonemap/topk", "emmintrin", "worker/", "base/clock", "base/hash")),
    ("map: enter, leave, blocks", ("zonemap/map.c", "zonemap/map.h", "zonemap/page.h", "zonemap/page.c")),
    ("parse: header, name, EDNS", ("serve/parse.c", "serve/edns.c", "base/rbuf", "serve/lower.h", "serve/cookie")),
    ("find: hashes, zone, owner, RRset", ("serve/zone.c", "zonemap/hash", "zonemap/image_key", "zonemap/image_read",
                                          "zonemap/image_find", "serve/lookup.c", "dns/")),
    ("passes: prefetches, what they hand on", ("serve/serve.c", "serve/work.h")),
    ("write: sections, pointers, counts", ("serve/", "zonemap/image_sig")),
    ("copies and comparisons: memcpy, memcmp", ("",)),
)


def step_of(file):
    return next(name for name, parts in STEPS if any(p in file for p in parts))


# ---- callgrind ----
def self_costs(path):
    """{source file: [cost of each event]}; what a call costs inside the callee is not the caller's."""
    events, file, costs, skip = [], "", collections.defaultdict(lambda: [0] * len(EVENTS)), False
    for line in path.read_text().splitlines():
        if line.startswith("events:"):
            events = line.split()[1:]
        elif line[:3] in ("fl=", "fi=", "fe="):
            file = line[3:]
        elif line.startswith("calls="):
            skip = True
        elif line[:1].isdigit() or line[:1] in "+-*":
            if not skip:
                for event, n in zip(events, line.split()[1:]):
                    costs[file][EVENTS.index(event)] += int(n)
            skip = False
    return costs


def appliance(data, **more):
    """With the checks and places that routed answers need; the others do not look at them."""
    places = f"[geo]\ndatabase = {data}/geo.mmdb\n" if (data / "geo.mmdb").exists() else ""
    return Appliance(data=data.parent / "cost-store", config=places, **more)


@contextlib.contextmanager
def watchers(a):
    """A console on each screen, read all the time."""
    over, threads, consoles = threading.Event(), [], []

    def read(c):
        while not over.is_set() and c.read(0.2):
            pass

    try:
        for screen in "123456789":
            c = Console(a.socket)
            consoles.append(c)
            c.wait("1 Overview", 60)
            c.press(screen)
            threads.append(threading.Thread(target=read, args=(c,), daemon=True))
            threads[-1].start()
        time.sleep(2)  # the first rows of the tail were asked for
        yield
    finally:
        over.set()
        for t in threads:
            t.join(10)
        for c in consoles:
            c.close()


def counted(tree, data, queries, flags, watched):
    """The worker's costs by file when it was asked that many."""
    counts = COST / "counts"
    counts.unlink(missing_ok=True)
    counts.touch()
    counts.chmod(0o666)  # it is opened by root and written by the worker's user
    with appliance(data, build=tree) as a:
        if not a.cli_json("zone", "list")["zones"]:
            if (data / "routed").exists():
                routing.make_checks(a)
            a.cli("zone", "import", "--dir", data / "zones", timeout=900)
        with watched(a):
            for _ in range(queries):
                blast(a.port, data / "first", 0, *flags)
        a.stop(60)
    return self_costs(counts)


def callgrind(data, args, flags, watched=lambda a: contextlib.nullcontext()):
    lines = (data / ("routed" if args.routed else "queries")).read_text().splitlines()[:args.queries]
    (data / "first").write_text("\n".join(lines) + "\n")
    tree = variant(worker=COST / "under-callgrind")
    try:
        few, many = counted(tree, data, 1, flags, watched), counted(tree, data, 2, flags, watched)
    finally:
        shutil.rmtree(tree)
    return {f: [(m - n) / args.queries for m, n in zip(many[f], few.get(f, [0] * len(EVENTS)))] for f in many}


# ---- strace ----
def calls(a, data, queries, flags):
    """{system call: how many a query}, of the real worker."""
    path = COST / "strace"
    tracer = subprocess.Popen(["strace", "-f", "-c", "-o", path, "-p", str(a.pid("worker"))], stderr=subprocess.DEVNULL)
    time.sleep(1)
    asked = blast(a.port, data / "first", 0, *flags)["received"]
    tracer.send_signal(signal.SIGINT)
    tracer.wait(10)
    return {m[2]: int(m[1]) / asked for m in re.finditer(
        r"^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+ )?\s*(\w+)$", path.read_text(), re.M) if m[2] != "total"}


def octets(a, data, flags):
    out = blast(a.port, data / "first", 0, *flags)
    return out["query_octets"], out["reply_octets"]


# ---- the table ----
def show(by_file, system, sizes):
    steps = collections.OrderedDict((name, [0.0] * len(EVENTS)) for name, _ in STEPS)
    for file, costs in by_file.items():
        row = steps[step_of(file)]
        for i, n in enumerate(costs):
            row[i] += n
    print("| step | instructions | reads, writes | misses I1 | D1 | L2 |\n|---|---|---|---|---|---|")
    total = [sum(r[i] for r in steps.values()) for i in range(len(EVENTS))]
    for name, r in [*steps.items(), ("all", total)]:
        print(f"| {name} | {r[0]:.0f} | {r[1] + r[2]:.0f} | {r[3]:.2f} | {r[4] + r[5]:.2f} | {sum(r[6:9]):.2f} |")
    print("\nsystem calls a query: " + ", ".join(f"{c} {n:.3f}" for c, n in sorted(system.items(), key=lambda x: -x[1])))
    print(f"octets a query: {sizes[0]:.0f} in and {sizes[1]:.0f} out, each copied once by the kernel; in between the name "
          "in lower case, the name as a key, the question and the RRset: once each")
    return {"steps": steps, "all": dict(zip(EVENTS, total)), "calls": system, "octets": sizes}


def show_watched(data, args, flags):
    """False: consoles cost more than they may."""
    alone, seen = (sum(c[0] for c in callgrind(data, args, flags, w).values())
                   for w in (lambda a: contextlib.nullcontext(), watchers))
    share = 100 * (seen / alone - 1)
    print(f"instructions a query: {alone:.1f} alone, {seen:.1f} with consoles on all screens: {share:+.2f} % (at most 1)")
    (BUILD / "cost-watched.json").write_text(json.dumps({"alone": alone, "watched": seen, "percent": share}) + "\n")
    return share <= 1


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--zones", type=int, default=100000)
    args.add_argument("--queries", type=int, default=100000)
    args.add_argument("--do", action="store_true", help="signed zones, with DO")
    args.add_argument("--routed", action="store_true", help="policies: geo, weighted, failover, with ECS")
    args.add_argument("--watched", action="store_true", help="what open consoles add")
    args.add_argument("--files", action="store_true", help="by source file too")
    args = args.parse_args()
    rig.build_tools()
    data, flags = ((workload.signed(args.zones), ["do"]) if args.do else
                   (workload.routing(args.zones), []) if args.routed else (workload.reference(args.zones), []))
    subprocess.run(["rm", "-rf", data.parent / "cost-store"], check=True)
    if args.watched:
        raise SystemExit(0 if show_watched(data, args, flags) else 1)
    by_file = callgrind(data, args, flags)
    with appliance(data) as a:
        result = show(by_file, calls(a, data, args.queries, flags), octets(a, data, flags))
    subprocess.run(["rm", "-rf", data.parent / "cost-store"], check=True)
    if args.files:
        for file, r in sorted(by_file.items(), key=lambda x: -x[1][0])[:40]:
            print(f"{r[0]:8.1f} {r[4] + r[5]:6.2f} {sum(r[6:9]):6.2f}  {file}")
    (BUILD / "cost.json").write_text(json.dumps({**result, "files": by_file}, indent=1) + "\n")


if __name__ == "__main__":
    main()
