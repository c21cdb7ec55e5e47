"""README.md's table of comparison from build/bench.json, so that a new run changes numbers and nothing else."""

import json

from rig import BUILD

NAMES = {"gdnsd": "gdnsd", "nsd": "NSD", "knot": "Knot", "bind": "BIND", "pdns": "PowerDNS"}


def figure(result, name, form="{:.2f}"):
    found = result.get(name)
    return form.format(found["value"]) if found else "-"


def row(title, ours, others):
    return f"| {title} | {ours} | " + " | ".join(others) + " |"


def table():
    r = json.loads((BUILD / "bench.json").read_text())
    there = [n for n in NAMES if f"{n}_of_limit" in r]
    none = ["-"] * len(there)
    rows = [
        row("", "NameServe", [f"{NAMES[n]} {r.get(f'{n}_version', '')}" for n in there]),
        "|---|" + "---|" * (len(there) + 1),
        row("queries/s, share of the limit", figure(r, "qps_of_limit"), [figure(r, f"{n}_of_limit") for n in there]),
        row("memory, all processes", figure(r, "memory_mb", "{:.0f} MB"),
            [figure(r, f"{n}_memory_mb", "{:.0f} MB") for n in there]),
        row("start to first answers, 100,000 zones", figure(r, "start_s", "{:.1f} s"),
            [figure(r, f"{n}_start_s", "{:.1f} s") for n in there]),
        row("signed answers (DO), share of the limit", figure(r, "signed_of_limit"), none),
        row("zones of 20 records signed a second, one core", figure(r, "sign_zones_per_s", "{:.0f}"),
            [figure(r, f"{n}_sign_zones_per_s", "{:.0f}") for n in there]),
        row("geo, weighted and health answers, share of static ones", figure(r, "routing_of_static"),
            [figure(r, "gdnsd_routing_of_static") if n == "gdnsd" else "-" for n in there]),
        row("TCP checks a second and core", figure(r, "checks_tcp_per_core", "{:.0f}"), none),
        row("HTTP checks a second and core", figure(r, "checks_http_per_core", "{:.0f}"), none),
        row("deciding vote to changed answer on each of 32 appliances (p99)", figure(r, "flip_answer_p99_ms", "{:.0f} ms"), none),
        row("99 of 100 replies at 60,000 queries/s within", figure(r, "latency_idle_p99_ms", "{:.2f} ms"), none),
        row("the same during 1,000 edits/s", figure(r, "latency_edits_p99_ms", "{:.2f} ms"), none),
        row("the same while workers are killed", figure(r, "latency_kill_p99_ms", "{:.2f} ms"), none),
        row("import of 100,000 zone files into the store", figure(r, "import_s", "{:.1f} s"), none),
        row("edit, commit to served (p99, on disk)", figure(r, "edit_served_ms_p99", "{:.0f} ms"), none),
        row("the same in a zone of a million records", figure(r, "big_edit_ms_p99", "{:.0f} ms"), none),
        row("a killed worker is replaced after", figure(r, "worker_replaced_ms_p95", "{:.0f} ms"), none),
        row("edit, until one replica or secondary answers", figure(r, "notify_nameserve_ms", "{:.0f} ms"),
            [figure(r, f"notify_{n}_ms", "{:.0f} ms") for n in there]),
        row("edit, commit to served on all of 32 appliances (p99)", figure(r, "fleet_edit_p99_ms", "{:.0f} ms"), none),
        row("the same on 8, 150 ms and 1 % loss apart", figure(r, "far_edit_p99_ms", "{:.0f} ms"), none),
        row("a fresh replica of 100,000 zones serves all after", figure(r, "fresh_replica_s", "{:.1f} s"), none),
        row("the same after a million changes", figure(r, "old_replica_s", "{:.1f} s"), none),
    ]
    return "\n".join(rows)
