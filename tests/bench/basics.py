"""Import, start, memory, edits, a killed worker: what people wait for, absolute."""

import json
import os
import pathlib
import random
import re
import shutil
import statistics
import subprocess
import time

import peers
from appliance import Appliance, variant, zone_text
from rig import BUILD, blast, disk_sync_ms, keep, own_mb, peak_mb, pss_mb, tree

SOURCES = 8  # sockets from which every worker gets something


def machine():
    model = re.search(r"^model name\s*: (.*)$", pathlib.Path("/proc/cpuinfo").read_text(), re.M)
    return {"cpu": model.group(1) if model else "?", "cores": os.cpu_count(), "kernel": os.uname().release,
            "load_before": os.getloadavg()[0]}


def part_import(a, data, args, kind):
    began = time.monotonic()
    done = a.cli_json("zone", "import", "--dir", data / "zones", timeout=1800)
    took = time.monotonic() - began
    assert done["zones"] == args.zones and done["errors"] == [], done
    name = {"reference": "import_s", "latency": None}.get(kind, f"import_{kind}_s")
    if name:
        budget = 20 * args.zones / 100000 if kind == "reference" else None
        keep(name, took, f"{took:.1f} s", "<= 20 s for 100,000 zones" if budget else None,
             took <= max(1, budget) if budget else None, zones=args.zones, records=done["records"],
             peak_mb=peak_mb(tree(a.process.pid)))


def right(a, data, name):
    want = re.search(r"^www IN A (\S+)", (data / "zones" / name).read_text(), re.M).group(1)
    return a.values(f"www.{name}") == [want]


def quiet(what):
    try:
        return what()
    except Exception:  # not there yet
        return False


def part_start(a, data, _args):
    """From exec until 1,000 random zones, the first and the last among them, have answered right."""
    names = (data / "names").read_text().split()
    sample = [names[0], names[-1]] + random.Random(1).sample(names, min(998, len(names) - 2))
    times = []
    for _ in range(3):
        a.stop()
        began = time.monotonic()
        a.spawn()
        for name in sample:
            peers.wait_until(lambda n=name: quiet(lambda: right(a, data, n)), name, 60)
        times.append(time.monotonic() - began)
        peers.wait_until(a.ready, "ready", 60)
    took = statistics.median(times)
    keep("start_s", took, f"{took:.2f} s", "<= 3 s", took <= 3, all=times)


# ---- memory ----
def ask_all(a, data, workers=1):
    """Every owner name there is; from several sockets where several workers share them."""
    for _ in range(SOURCES if workers > 1 else 1):
        out = blast(a.port, data / "owners", 0)
        assert out["received"] >= (data / "owners").read_bytes().count(b"\n"), out
    return out


def part_memory(a, data, _args):
    ask_all(a, data)
    mb = pss_mb(tree(a.process.pid))
    each = {p["role"]: round(pss_mb([p["pid"]]), 1) for p in a.processes()}
    keep("memory_mb", mb, f"{mb:.0f} MB", "<= 200 MB", mb <= 200, each=each, peak_mb=peak_mb(tree(a.process.pid)))
    a.stop()
    a.workers = 2
    a.start()
    ask_all(a, data, 2)
    own = max(own_mb(p["pid"]) for p in a.processes("worker"))
    keep("memory_worker_mb", own, f"{own:.1f} MB", "<= 5 MB", own <= 5, all_with_two_mb=pss_mb(tree(a.process.pid)))
    a.stop()
    a.workers = 1
    a.start()


def part_signed_memory(a, data, _args):
    ask_all(a, data)
    mb = pss_mb(tree(a.process.pid))
    keep("memory_signed_mb", mb, f"{mb:.0f} MB", "<= 600 MB", mb <= 600, peak_mb=peak_mb(tree(a.process.pid)))


# ---- edits ----
def edits_served(a, args, name):
    sync = disk_sync_ms(a.dir)
    tool = subprocess.Popen([BUILD / "tools" / "edits", str(a.socket)], stdin=subprocess.PIPE,
                            stdout=subprocess.PIPE, text=True)
    times = []
    for i in range(300):
        tool.stdin.write(f"z{i % args.zones:06d}.example. www 60 A 10.1.{i >> 8}.{i & 255}\n")
        tool.stdin.flush()
        began = time.monotonic()
        reply = json.loads(tool.stdout.readline())
        times.append((time.monotonic() - began) * 1000)
        assert reply["served"], reply
    tool.stdin.close()
    tool.wait(10)
    times.sort()
    p99, budget = times[len(times) * 99 // 100], 20 + 2 * sync
    keep(name, p99, f"{p99:.2f} ms", f"<= {budget:.1f} ms (20 + 2 x {sync:.2f})",
         p99 <= budget, p50=statistics.median(times), disk_sync_ms=sync)


def part_edit(a, _data, args):
    edits_served(a, args, "edit_served_ms_p99")


def part_group(_args):
    """64 clients, 10 ms a sync (the slow VFS of the test build)."""
    build = variant(sync=BUILD / "vfs" / "nameserve-sync")
    try:
        with Appliance(build=build, env={"NAMESERVE_TEST_VFS": "slow:10"}) as a:
            folder = a.dir / "zones"
            folder.mkdir()
            for i in range(200):
                (folder / f"z{i:06d}.example").write_text(zone_text(f"z{i:06d}.example."))
            a.cli("zone", "import", "--dir", folder, timeout=60)
            out = json.loads(subprocess.run(
                [BUILD / "tools" / "edits", str(a.socket), "64", "10", "200"],
                capture_output=True, text=True, timeout=70, check=True).stdout)
    finally:
        shutil.rmtree(build)
    rate, p99 = out["per_second"], out["p99_ms"]
    keep("edits_per_s", rate, f"{rate:.0f}", ">= 1000", rate >= 1000, p50_ms=out["p50_ms"], p99_ms=p99)
    keep("edits_p99_syncs", p99 / 10, f"{p99 / 10:.1f} syncs", "<= 4", p99 <= 40)


def part_worker(a, _data, _args):
    """kill -9 of the only worker, until its successor answers."""
    times = []
    name = "www.z000001.example"
    for _ in range(20):
        old = a.kill_role("worker")
        began = time.monotonic()
        assert a.values(name, timeout=5)
        times.append((time.monotonic() - began) * 1000)
        a.wait_replaced("worker", old)
    worst = sorted(times)[-2]
    keep("worker_replaced_ms_p95", worst, f"{worst:.1f} ms", "<= 50 ms", worst <= 50)
