"""Latency at 60,000 queries a second by intended send time (tests/tools/pace.c), through four phases: nothing else;
1,000 edits a second; a zone of a million records replaced again and again; the worker killed every five seconds.

Before and after them the limit (shared/bench/reflect.c), which does nothing, gets the same load: what it waits for is
the machine's doing, and no server on it answers sooner. The appliance has the server's core, all of its processes; the
generator and the editors have the other one; what others had of both is kept beside each figure (others_share, of one
core). Writes build/bench-latency.svg beside the JSON.
"""

import json
import os
import subprocess
import threading
import time

import peers
import svg
from chaos import addresses
from rig import BUILD, LOAD_CORE, RESULT, Limit, cpu_ns, keep, on_core, percentile, pin_tree, tree

RATE = 60000
EDITS_PER_S, EDITORS = 1000, 64
KILL_EVERY_S = 5
MAX_S = 3600  # it is ended before
PAUSE_S = 2  # between phases: what one left behind is not the next one's
P99_MS = 1.0


class Generator:
    """pace in the background; its windows of 100 ms afterwards."""

    def __init__(self, port, queries, path):
        self.path = path
        with open(path, "w", encoding="ascii") as out:
            # A clock that is late measures itself: it has its core before the editors and everybody else.
            self.process = subprocess.Popen(
                on_core(LOAD_CORE, "chrt", "-f", "1", BUILD / "tools" / "pace", port, queries, RATE, MAX_S), stdout=out)

    def windows(self):
        self.process.terminate()
        self.process.wait(10)
        rows = [json.loads(line) for line in self.path.read_text().splitlines()]
        for row in rows:
            row["h"] = {int(b): n for b, n in row["h"].items()}
        return rows


def others_ns():
    """What all that is not ours has had of the two cores: agents, kernel threads, other users of the machine."""
    ours, total = set(tree(os.getpid())), 0
    for pid in (int(p) for p in os.listdir("/proc") if p.isdigit()):
        if pid not in ours:
            try:
                total += cpu_ns([pid])
            except OSError:
                pass
    return total


def merge(rows):
    total = {}
    for row in rows:
        for b, n in row["h"].items():
            total[b] = total.get(b, 0) + n
    return total


# ---- what happens meanwhile; each runs until `over` ----
def idle(_a, over, _args):
    over.wait()
    return {}


def edits(a, over, args):
    process = subprocess.Popen(
        on_core(LOAD_CORE, BUILD / "tools" / "edits", a.socket, EDITORS, args.phase, args.zones, EDITS_PER_S),
        stdout=subprocess.PIPE, text=True)
    over.wait()
    out, _ = process.communicate(timeout=60)
    return {"edits": json.loads(out)}


def replace(a, over, args):
    done = 0
    while not over.is_set():
        path = a.dir / f"big-{done % 2}"
        a.cli("zone", "import", "big.example", path, "--commit", "--confirm=big.example", timeout=300)
        done += 1
    return {"replaced": done, "records": args.records}


def kill(a, over, args):
    killed = 0
    while not over.wait(min(KILL_EVERY_S, args.phase / 3)):
        old = a.kill_role("worker")
        a.wait_replaced("worker", old)
        pin_tree(a.process.pid)
        killed += 1
    return {"killed": killed}


PHASES = (("idle", "nothing else", idle), ("edits", "1,000 edits a second", edits),
          ("replace", "a million-record zone is replaced", replace), ("kill", "kill -9 of the worker", kill))


def prepare(a, args):
    """The big zone, in two forms that differ in every record."""
    for i, ttl in enumerate((3600, 1800)):
        path = a.dir / f"big-{i}"
        addresses(path, "big.example.", args.records)
        path.write_text(path.read_text().replace("$TTL 3600", f"$TTL {ttl}"))
    a.cli("zone", "import", "big.example", a.dir / "big-1", timeout=900)
    pin_tree(a.process.pid)


def beside_the_load(work, *args):
    """What a phase starts, the CLI too, is kept from the server's core."""
    os.sched_setaffinity(0, {LOAD_CORE})
    return work(*args)


def run_phases(a, args):
    """[(name, title, begin, end, what was done)] in ns of the monotonic clock."""
    seen = []
    for name, title, work in PHASES:
        over, result = threading.Event(), {}
        thread = threading.Thread(target=lambda w=work, r=result, o=over: r.update(beside_the_load(w, a, o, args)))
        others = others_ns()
        begin = time.monotonic_ns()
        thread.start()
        time.sleep(args.phase)
        end = time.monotonic_ns()
        result["others_share"] = (others_ns() - others) / (end - begin)
        over.set()
        thread.join(300)
        assert not thread.is_alive(), f"{name} did not end"
        seen.append((name, title, begin, max(end, time.monotonic_ns() if name == "replace" else end), result))
        time.sleep(PAUSE_S)
    return seen


def keep_phase(name, rows, result):
    h = merge(rows)
    p50, p99, p999 = (percentile(h, x) / 1e6 for x in (0.5, 0.99, 0.999))
    sent, lost = sum(r["sent"] for r in rows), sum(r["lost"] for r in rows)
    late = sorted(r["late"] for r in rows)
    keep(f"latency_{name}_p99_ms", p99, f"{p99:.3f} ms", "< 1 ms", p99 < P99_MS, p50_ms=p50, p999_ms=p999, sent=sent,
         generator_late_ms_worst_median=late[len(late) // 2] / 1e6, **result)
    # A kill may cost the batch that the worker had taken, nothing else may cost anything.
    allowed = 32 * result.get("killed", 0)
    keep(f"latency_{name}_lost", lost, f"{lost} of {sent}", f"<= {allowed}", lost <= allowed)


def keep_limit(a, data, args, when):
    limit = Limit(0)
    generator = Generator(limit.port, data / "queries", a.dir / "pace-limit")
    time.sleep(PAUSE_S)
    others = others_ns()
    time.sleep(args.phase)
    share = (others_ns() - others) / (args.phase * 1e9)
    rows = generator.windows()
    limit.close()
    h = merge([r for r in rows if r["t"] > rows[0]["t"] + PAUSE_S * 10**9])
    p50, p99, p999 = (percentile(h, x) / 1e6 for x in (0.5, 0.99, 0.999))
    keep(f"latency_limit_{when}_p99_ms", p99, f"{p99:.3f} ms", p50_ms=p50, p999_ms=p999, others_share=share)


def part_latency(a, data, args):
    assert os.cpu_count() >= 2
    keep_limit(a, data, args, "before")
    prepare(a, args)
    generator = Generator(a.port, data / "queries", a.dir / "pace")
    peers.wait_until(lambda: generator.process.poll() is None, "pace runs", 2)
    time.sleep(PAUSE_S)
    phases = run_phases(a, args)
    rows = generator.windows()
    keep_limit(a, data, args, "after")
    for name, _title, begin, end, result in phases:
        keep_phase(name, [r for r in rows if begin <= r["t"] and r["t"] + 10**8 <= end], result)
    points = [{"t": (r["t"] - rows[0]["t"]) / 1e9, "lost": r["lost"],
               **{k: percentile(r["h"], x) / 1e6 for k, x in (("p50", 0.5), ("p99", 0.99), ("p999", 0.999))}}
              for r in rows]
    marks = [(title, (begin - rows[0]["t"]) / 1e9, (end - rows[0]["t"]) / 1e9) for _, title, begin, end, _ in phases]
    svg.write(BUILD / "bench-latency.svg", points, marks, P99_MS)
    RESULT["latency"] = {"rate": RATE, "points": points}
