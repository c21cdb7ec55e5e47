"""A zone of a million records: import, edits, delete; and ten of them beside all the small ones."""

import time

import workload
from appliance import Appliance
from chaos import Editor, addresses, elapsed_ms
from rig import keep, peak_mb, pss_mb, tree

EDITS, PER_SECOND, SUSTAINED_S, TEN = 100, 10, 30, 10


def edits(a, zone, records, count, every=0.0):
    """Edits at places far from each other, each served when it is acknowledged; ms, sorted, and how many seconds all
    of them took."""
    times, start = [], time.monotonic()
    with Editor(a) as editor:
        for i in range(count):
            began = time.monotonic()
            owner = f"h{i * 7919 % records:07d}"
            reply = editor.set(zone, owner, 60, "A", f"10.9.{i >> 8}.{i & 255}")
            assert reply.get("served"), reply
            times.append(elapsed_ms(began))
            time.sleep(max(0.0, start + (i + 1) * every - time.monotonic()))
    return sorted(times), time.monotonic() - start


def memory(a):
    return {"pss_mb": pss_mb(tree(a.process.pid)), "peak_mb": peak_mb(tree(a.process.pid))}


def one(args):
    records = args.records
    with Appliance() as a:
        path = a.dir / "big"
        addresses(path, "big.example.", records)
        began = time.monotonic()
        a.cli("zone", "import", "big.example", path, timeout=900)
        took = time.monotonic() - began
        keep("big_import_s", took, f"{took:.1f} s", records=records, **memory(a))
        times, _ = edits(a, "big.example", records, EDITS)
        p99 = times[EDITS * 99 // 100]
        keep("big_edit_ms_p99", p99, f"{p99:.1f} ms", "<= 200 ms", p99 <= 200, p50=times[EDITS // 2])
        times, seconds = edits(a, "big.example", records, PER_SECOND * SUSTAINED_S, 1 / PER_SECOND)
        rate = len(times) / seconds
        keep("big_edits_per_s", rate, f"{rate:.1f}", ">= 10 for 30 s", rate >= 0.99 * PER_SECOND, p99_ms=times[-3])
        began = time.monotonic()
        a.cli("zone", "delete", "big.example", "--confirm=big.example", timeout=120)
        keep("big_delete_s", time.monotonic() - began, f"{time.monotonic() - began:.2f} s")


def ten(args):
    data = workload.reference(args.zones)
    with Appliance() as a:
        a.cli("zone", "import", "--dir", data / "zones", timeout=1800)
        small = memory(a)
        began = time.monotonic()
        for i in range(TEN):
            path = a.dir / f"big{i}.example"
            addresses(path, f"big{i}.example.", args.records)
            a.cli("zone", "import", f"big{i}.example", path, timeout=900)
            path.unlink()
        took = time.monotonic() - began
        keep("ten_big_import_s", took, f"{took:.1f} s", before=small, after=memory(a))
        big, _ = edits(a, "big3.example", args.records, EDITS)
        few, _ = edits_small(a, args.zones)
        keep("ten_big_edit_ms_p99", big[-2], f"{big[-2]:.1f} ms", "<= 200 ms", big[-2] <= 200)
        keep("ten_big_small_edit_ms_p99", few[-2], f"{few[-2]:.1f} ms")
        mb = pss_mb(tree(a.process.pid))
        keep("ten_big_memory_mb", mb, f"{mb:.0f} MB", records=TEN * args.records, zones=args.zones + TEN)


def edits_small(a, zones):
    times = []
    with Editor(a) as editor:
        for i in range(EDITS):
            began = time.monotonic()
            assert editor.set(f"z{i * 7919 % zones:06d}.example.", "www", 60, "A", f"10.8.0.{i}").get("served")
            times.append(elapsed_ms(began))
    return sorted(times), 0


def part_bigzone(args):
    one(args)
    ten(args)
