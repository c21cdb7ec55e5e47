"""What every part of the bench needs: results, tools, processes on their cores, memory.

The server has core 0, the load core 1. On a machine with more, nothing else should run on these two.
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "lib"))

import peers  # noqa: E402

SHARED = next((p for p in (ROOT.parent / "shared", pathlib.Path("/work/shared")) if p.is_dir()), None)
BUILD = ROOT / "build"
OUT = BUILD / "bench"
SERVER_CORE, LOAD_CORE = 0, 1
RESULT = {}


# ---- results ----
def say(name, value, note="", met=None):
    mark = "" if met is None else ("  ok" if met else "  MISSED")
    print(f"{name:44} {value:>16}  {note}{mark}", flush=True)


def keep(name, value, text, budget=None, met=None, **more):
    """One figure: into the JSON with its budget, and a line of the table."""
    RESULT[name] = {"value": value, "text": text, "budget": budget, "met": met, **more}
    say(name, text, f"budget {budget}" if budget else "", met)


def missed():
    return [n for n, v in RESULT.items() if isinstance(v, dict) and v.get("met") is False]


def write():
    (BUILD / "bench.json").write_text(json.dumps(RESULT, indent=1) + "\n")


# ---- processes ----
def pin(pid, core=SERVER_CORE):
    """All threads of a process; one that has ended meanwhile does not matter."""
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            os.sched_setaffinity(int(task), {core})
    except (FileNotFoundError, ProcessLookupError):
        pass


def set_nice(nice):
    """Ours, which all that is started has as well. Where the kernel groups tasks by session, that counts."""
    os.setpriority(os.PRIO_PROCESS, 0, nice)
    try:
        pathlib.Path("/proc/self/autogroup").write_text(str(nice))
    except OSError:
        pass


def on_core(core, *command, nicer=0):
    return ["nice", "-n", str(nicer), "taskset", "-c", str(core), *map(str, command)]


def tree(pid):
    try:
        lists = [t.read_text() for t in pathlib.Path(f"/proc/{pid}/task").glob("*/children")]
    except FileNotFoundError:
        return []
    return [pid] + [p for c in " ".join(lists).split() for p in tree(int(c))]


def pin_tree(pid):
    for p in tree(pid):
        pin(p)


def cpu_ns(pids):
    """What these processes have had of a core, all threads."""
    total = 0
    for pid in pids:
        for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
            total += int((task / "schedstat").read_text().split()[0])
    return total


def cpu_s(pid):
    """The same in seconds, to a hundredth, with threads that have ended."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def pss_mb_of(pid):
    for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    return 0


def own_mb(pid):
    """What would not be there without a worker: its private memory, and its page, which answer maps too."""
    kb, page = 0, False
    for line in pathlib.Path(f"/proc/{pid}/smaps").read_text().splitlines():
        word, value = line.split(None, 1)
        if not word.endswith(":"):
            page = "memfd:ns-worker-" in value
        elif word == "Rss:" and page or word in ("Private_Clean:", "Private_Dirty:") and not page:
            kb += int(value.split()[0])
    return kb / 1024


def pss_mb(pids):
    return sum(pss_mb_of(p) for p in pids)


def peak_mb(pids):
    """The sum of the most that each ever had in memory of its own (shared memory is counted once, by pss_mb)."""
    total = 0
    for pid in pids:
        for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                total += int(line.split()[1])
    return total / 1024


def map_in_huge_pages(pid):
    """Which share of what a worker sees of the zone map is in huge pages (zonemap/huge.h)."""
    part = pathlib.Path(f"/proc/{pid}/smaps").read_text().split("memfd:ns-zonemap", 1)[1]
    kb = {name: int(n) for name, n in re.findall(r"^(Rss|ShmemPmdMapped):\s+(\d+)", part, re.M)[:2]}
    return kb["ShmemPmdMapped"] / max(1, kb["Rss"])


def disk_sync_ms(folder):
    path = pathlib.Path(folder) / "sync-probe"
    times = []
    with open(path, "wb", buffering=0) as f:
        for _ in range(50):
            f.write(b"x" * 4096)
            began = time.monotonic()
            os.fdatasync(f.fileno())
            times.append((time.monotonic() - began) * 1000)
    path.unlink()
    return sorted(times)[len(times) // 2]


# ---- load ----
def blast(port, queries, seconds, *flags):
    """The closed loop (tests/tools/blast.c) on the load's core; its figures."""
    out = subprocess.run(
        on_core(LOAD_CORE, BUILD / "tools" / "blast", port, queries, seconds, *flags),
        capture_output=True, text=True, check=True).stdout
    return json.loads(out)


def blast_save(port, queries, path, *flags):
    subprocess.run(on_core(LOAD_CORE, BUILD / "tools" / "blast", port, queries, 0, f"save={path}", *flags), check=True)


class Limit:
    """bench/reflect.c: what a server does that only returns what it got and `pad` octets more. With `reads` (places,
    lines) it also reads at random, as whoever looks something up must (programs/places.c)."""

    name = "limit"

    def __init__(self, pad, *reads):
        self.port = peers.free_port()
        program = "places" if reads else "reflect"
        self.process = subprocess.Popen(on_core(SERVER_CORE, OUT / program, self.port, max(0, pad), *reads))
        peers.wait_until(lambda: blast(self.port, OUT / "probe", 0)["received"] > 0, "reflect answers", 5)

    def pids(self):
        return [self.process.pid]

    def close(self):
        self.process.kill()
        self.process.wait()


def build_tools():
    OUT.mkdir(parents=True, exist_ok=True)
    own = ROOT / "tests" / "bench" / "programs"
    for source in (SHARED / "bench" / "reflect.c", own / "places.c", own / "target.c"):
        subprocess.run(["cc", "-O2", "-w", "-D_GNU_SOURCE", "-o", OUT / source.stem, source], check=True)
    (OUT / "probe").write_text("probe. A\n" * 64)


# ---- histograms of tests/tools/pace.c ----
SUB = 32


def bucket_ns(i):
    """The upper end of a bucket."""
    if i < SUB:
        return i + 1
    log2, low = divmod(i, SUB)
    return (SUB + low + 1) << (log2 - 1)


def percentile(buckets, share):
    """ns below which that share lies; buckets: {index: count}."""
    total, seen = sum(buckets.values()), 0
    for i in sorted(buckets):
        seen += buckets[i]
        if seen >= share * total:
            return bucket_ns(i)
    return 0
