"""How long an edit takes to be served everywhere: fleets of real appliances on this machine (tests/lib/fleet.py), near
(loopback) and far (tests/lib/wan.py), and the same edit through BIND and Knot with NOTIFY and IXFR.

An edit counts from the moment its commit is sent until the reply that every appliance serves it: receipts of all are
in, each after its workers have left what they served before. Some of the edits are asked for at every appliance by
DNS at that moment; one that is not there ends the run.
"""

import json
import os
import pathlib
import statistics
import subprocess
import time

import notify
import workload
from editor import Editor, one_after_another, share
from fleet import Fleet
from peers import wait_until
from rig import BUILD, cpu_ns, disk_sync_ms, keep, pss_mb, say, tree
from wan import Wan

ZONES = 1000
FLEET, FAR, FEW = 32, 8, 5
EDITS = 500
SETTLE_S, IDLE_S = 12, 10  # the first round of digests compares all zones; then there is nothing to do
HOUR = 36000  # changes at 10/s
ADDRESSES = ("127.0.0.1",)


def pids(f):
    return [p for m in f.members for p in tree(m.process.pid)]


def load_zones(f, zones=ZONES):
    f.primary.cli("zone", "import", "--dir", workload.reference(zones) / "zones", timeout=600)
    f.wait_converged(120)


def keep_edits(name, f, edits, budget):
    cores = Cores(f)
    times = one_after_another(f, edits, ZONES)
    last = times["last"]
    p99 = share(last, 0.99)
    keep(name, p99, f"{p99:.1f} ms", f"<= {budget} ms", p99 <= budget, p50_ms=share(last, 0.5), max_ms=last[-1],
         primary_p50_ms=share(times["primary"], 0.5), middle_p50_ms=share(times["middle"], 0.5), edits=len(last),
         **cores.seen())
    say(name.replace("p99", "p50"), f"{share(last, 0.5):.1f} ms")


def busy_s():
    """Seconds that all cores of the machine have had something to do."""
    ticks = [int(n) for n in pathlib.Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    return (sum(ticks) - ticks[3] - ticks[4]) / os.sysconf("SC_CLK_TCK")


class Cores:
    """How many cores the fleet had while this ran, and how many everybody else, the load among them."""

    def __init__(self, f):
        self.f, self.began, self.own, self.all = f, time.monotonic(), cpu_ns(pids(f)), busy_s()

    def seen(self):
        took = time.monotonic() - self.began
        own = (cpu_ns(pids(self.f)) - self.own) / 1e9
        return {"cores": own / took, "cores_others": (busy_s() - self.all - own) / took}


def sustained(name, f, rate, clients, seconds):
    """`rate` edits a second; then the time until all serve one more, which is what they are behind."""
    cores = Cores(f)
    out = json.loads(subprocess.run(
        [BUILD / "tools" / "edits", f.primary.socket, str(clients), str(seconds), str(ZONES), str(rate)],
        capture_output=True, text=True, timeout=seconds + 60, check=True).stdout)
    with Editor(f.primary) as editor:
        lag, reply = editor.set("z000000.example.", "last", "10.9.9.9")
    assert len(reply["served"]) == len(f.members), reply
    for m in f.members:
        assert m.values("last.z000000.example.") == ["10.9.9.9"], m.name
    seen = cores.seen()
    met = lag <= 1000 and out["edits"] >= 0.98 * rate * seconds
    keep(name, lag / 1000, f"{lag / 1000:.2f} s behind at {out['per_second']:.0f}/s", f"<= 1 s at {rate}/s", met,
         **seen, **out)


def idle(f, name):
    time.sleep(SETTLE_S)
    cores = Cores(f)
    time.sleep(IDLE_S)
    seen = cores.seen()
    keep(f"{name}_idle_cpu", seen["cores"], f"{100 * seen['cores']:.1f} % of a core",
         each_percent=100 * seen["cores"] / len(f.members), **seen)


def memory(f, name):
    mb = pss_mb(pids(f)) / len(f.members)
    each = {p["role"]: round(pss_mb([p["pid"]]), 1) for p in f.members[-1].processes()}
    keep(f"{name}_memory_mb", mb, f"{mb:.1f} MB", zones=ZONES, roles=each)


# ---- the parts ----
def part_fleet(args):
    with Fleet(args.fleet, addresses=ADDRESSES) as f:
        load_zones(f)
        memory(f, "fleet")
        idle(f, "fleet")
        keep_edits("fleet_edit_p99_ms", f, EDITS, 250)
        sustained("fleet_lag_s", f, 100, 16, args.phase)


def part_few(args):
    with Fleet(FEW, addresses=ADDRESSES) as f:
        load_zones(f)
        keep_edits("few_edit_p99_ms", f, 100, 250)
        sustained("few_lag_s", f, 1000, 64, args.phase)


def wire(f, wan, edits):
    """Octets of IP packets for one edit and one replica, both ways, without what flows anyway."""
    before = wan.tell("count")["octets"]
    time.sleep(IDLE_S)
    rest = (wan.tell("count")["octets"] - before) / IDLE_S
    before, began = wan.tell("count"), time.monotonic()
    one_after_another(f, edits, ZONES, seed=2)
    took, after = time.monotonic() - began, wan.tell("count")
    octets = (after["octets"] - before["octets"] - rest * took) / edits / len(f.replicas)
    keep("wire_octets_per_edit", octets, f"{octets:.0f} octets", idle_octets_per_s_and_replica=rest / len(f.replicas),
         packets=(after["packets"] - before["packets"]) / edits / len(f.replicas))


def part_far(_args):
    with Wan(seed=1, delay_ms=75, loss=10, size=FAR) as wan, Fleet(FAR, member=wan.member, addresses=ADDRESSES) as f:
        load_zones(f)
        keep_edits("far_edit_p99_ms", f, EDITS, 1000)
        counted = wan.tell("plain")
        say("far packets lost", f"{counted['lost']} of {counted['packets']}", f"late {counted['late_us'] / 1000:.1f} ms")
        wire(f, wan, 50)


def following(member, seen):
    return member.log().count("event=fleet.following") > seen


def came_fresh(f, name, args, **more):
    """Another replica, from its start until it serves all."""
    head = f.primary.revision()
    member = f.add("r1", start=False)
    began = time.monotonic()
    member.spawn()
    wait_until(lambda: served(member) >= head, "the fresh replica serves all", 300)
    took = time.monotonic() - began
    names = (workload.reference(args.zones) / "names").read_text().split()
    for zone in (names[0], names[-1]):
        assert member.values(f"www.{zone}") == f.primary.values(f"www.{zone}")
    keep(name, took, f"{took:.1f} s", "<= 30 s", took <= 30, zones=args.zones, disk_sync_ms=disk_sync_ms(f.primary.dir),
         snapshot="event=snapshot.adopted" in member.log(), **more)


def part_fresh(args):
    """A replica that comes to 100,000 zones."""
    with Fleet(1, addresses=ADDRESSES) as f:
        f.primary.cli("zone", "import", "--dir", workload.reference(args.zones) / "zones", timeout=600)
        came_fresh(f, "fresh_replica_s", args)


def make_changes(f, count, zones):
    """As fast as they are committed, in those zones; how many there are then."""
    before = f.primary.revision()
    while (done := f.primary.revision() - before) < count:
        seconds = 2 if count - done < 50000 else 20
        subprocess.run([BUILD / "tools" / "edits", f.primary.socket, "64", str(seconds), str(zones)], check=True,
                       stdout=subprocess.DEVNULL)
    return done


def part_old(args):
    """The same where these zones have had a million changes: it gets the state, and not all of those."""
    with Fleet(1, addresses=ADDRESSES) as f:
        f.primary.cli("zone", "import", "--dir", workload.reference(args.zones) / "zones", timeout=600)
        changes = make_changes(f, args.changes, args.zones)
        kept = f.primary.revision() - f.primary.cli_json("status")["history_begins"] + 1
        came_fresh(f, "old_replica_s", args, changes=changes, kept=kept)


def served(member):
    try:
        return member.cli_json("status")["served_revision"]
    except Exception:  # not there yet
        return -1


def part_away(args):
    """A replica that was cut off for an hour of edits and is reachable again; its zones stayed where they are."""
    with Wan(delay_ms=0, loss=0, size=2) as wan, Fleet(2, member=wan.member, addresses=ADDRESSES) as f:
        load_zones(f, args.zones)
        member = f.replicas[0]
        seen, before = member.log().count("event=fleet.following"), f.primary.revision()
        wan.tell("cut 1")
        make_changes(f, HOUR, ZONES)
        wait_until(lambda: "event=fleet.link up=0" in member.log(), "it knows that it is cut off", 30)
        head, mended = f.primary.revision(), time.monotonic()
        cores = Cores(f)
        wan.tell("mend 1")
        wait_until(lambda: following(member, seen), "it follows again", 60)
        met = time.monotonic()
        wait_until(lambda: served(member) >= head, "it has caught up", 120)
        took = time.monotonic() - met
        keep("catch_up_s", took, f"{took:.2f} s", "<= 2 s", took <= 2, changes=head - before,
             link_again_s=met - mended, zones=args.zones, **cores.seen())


def part_notify(_args):
    """One primary, one secondary, one edit after another, each in a zone that had none before."""
    ours = []
    with Fleet(2, addresses=ADDRESSES) as f:
        load_zones(f)
        with Editor(f.primary) as editor:
            for i in range(notify.EDITS):
                ours.append(notify.until_served(
                    f.replicas[0].port, f"www.z{i:06d}.example.", f"10.3.0.{i}",
                    lambda i=i: editor.set(f"z{i:06d}.example.", "www", f"10.3.0.{i}")))
    keep("notify_nameserve_ms", statistics.median(ours), f"{statistics.median(ours):.1f} ms", max_ms=max(ours))
    for name, times in notify.rivals():
        keep(f"notify_{name}_ms", statistics.median(times), f"{statistics.median(times):.0f} ms", max_ms=max(times))
