"""make bench: the figures of the design's budgets, by its counting rules, in one run against Debian's NSD, Knot,
gdnsd, BIND and PowerDNS and against the limit (shared/bench/reflect.c). Writes build/bench.json and, with the part
latency, build/bench-latency.svg.

    bench.py [--zones N] [--rounds N] [--seconds S] [--phase S] [--records N] [--nice N] [--peers A,B]
             [--changes N] [--only PART[,PART]]
    bench.py --readme       the table of README.md from build/bench.json

The parts are in rig.py (tools), basics.py, throughput.py, latency.py, routing.py, health.py,
bigzone.py, dnssec.py, signing.py and propagation.py. What a query costs, which needs no
quiet machine, is cost.py (make bench-cost).
"""

import argparse
import shutil
import sys

import rig  # first: it says where tests/lib is
import basics
import bigzone
import dnssec
import health
import latency
import propagation
import readme
import rivals
import routing
import signing
import throughput
import workload
from appliance import Appliance

# Which parts share an appliance, in this order: name, zones of the workload, parts.
SETS = (
    ("reference", workload.reference,
     (("start", basics.part_start), ("memory", basics.part_memory), ("edit", basics.part_edit),
      ("worker", basics.part_worker), ("qps", throughput.part_qps),
      ("floor", throughput.part_floor))),
    ("delegating", workload.delegating, (("negative", throughput.part_negative),)),
    ("signed", workload.signed, (("signed", throughput.part_signed), ("signed_memory", basics.part_signed_memory))),
    ("latency", workload.reference, (("latency", latency.part_latency),)),
)
ALONE = (("routing", routing.part_routing), ("checks", routing.part_checks), ("flip", health.part_flip),
         ("share", health.part_share), ("bigzone", bigzone.part_bigzone),
         ("dnssec", dnssec.part_dnssec), ("signing", signing.part_signing),
         ("group", basics.part_group),
         ("fleet", propagation.part_fleet),
         ("few", propagation.part_few), ("far", propagation.part_far), ("fresh", propagation.part_fresh),
         ("old", propagation.part_old),
         ("away", propagation.part_away), ("notify", propagation.part_notify))
PARTS = ["import"] + [p for s in SETS for p, _ in s[2]] + [p for p, _ in ALONE]


def arguments():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--zones", type=int, default=100000)
    args.add_argument("--rounds", type=int, default=5)
    args.add_argument("--seconds", type=float, default=3, help="of one server in one round")
    args.add_argument("--phase", type=float, default=60, help="seconds of each phase of the part latency")
    args.add_argument("--records", type=int, default=1000000, help="of a big zone")
    args.add_argument("--fleet", type=int, default=32, help="appliances of the parts fleet, flip and share")
    args.add_argument("--changes", type=int, default=1000000, help="of the history that the part old makes")
    args.add_argument("--peers", default=",".join(rivals.KINDS))
    args.add_argument("--only", default=",".join(PARTS), help=",".join(PARTS))
    args.add_argument("--nice", type=int, default=0, help="of every server and the load alike, where others work too")
    args.add_argument("--readme", action="store_true")
    args = args.parse_args()
    args.parts = args.only.split(",")
    args.peers = [p for p in args.peers.split(",") if p]
    unknown = set(args.parts) - set(PARTS) or set(args.peers) - set(rivals.KINDS)
    if unknown:
        sys.exit(f"bench: no such part or peer: {', '.join(sorted(unknown))}")
    return args


def run_set(name, make, parts, args):
    wanted = [(p, fn) for p, fn in parts if p in args.parts]
    if not wanted and not (name == "reference" and "import" in args.parts):
        return
    data = make(args.zones)
    with Appliance() as a:
        basics.part_import(a, data, args, name)
        for part, fn in wanted:
            print(f"---- {part}", flush=True)
            fn(a, data, args)
            rig.write()


def main():
    args = arguments()
    if args.readme:
        print(readme.table())
        return
    if rig.SHARED is None:
        sys.exit("bench: ../shared is missing")
    shutil.rmtree(rig.OUT / "tmp", ignore_errors=True)
    if args.nice:
        rig.set_nice(args.nice)
    rig.build_tools()
    rig.RESULT.update({"zones": args.zones, "rounds": args.rounds, "seconds": args.seconds, "machine": basics.machine()})
    for entry in SETS:
        run_set(*entry, args)
    for part, fn in ALONE:
        if part in args.parts:
            print(f"---- {part}", flush=True)
            fn(args)
            rig.write()
    missed = rig.missed()
    print("missed: " + ", ".join(missed) if missed else "every measured budget is met")


if __name__ == "__main__":
    main()
