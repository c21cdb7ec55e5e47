"""All zones of the reference workload signed here: what that takes of a core, alone and as it is served, against `openssl
speed` and Knot's automatic signing in the same run; then their memory, answers with DO, edits, and the start.

Each side has one core and one thread that signs. Keys are there before the clock runs, on both sides: a full signing of
ours is a start without the signature file, Knot's is `knotc zone-sign`. What making the keys takes is beside it.
"""

import json
import random
import re
import shutil
import statistics
import subprocess
import tempfile
import time

import dns.exception
import dns.message
import dns.query
import dns.rdatatype

import basics
import peers
import rivals
import throughput
import workload
from appliance import BUILD, Appliance
from peers import wait_until
from rig import LOAD_CORE, OUT, RESULT, SERVER_CORE, cpu_s, keep, on_core, peak_mb, pin_tree, pss_mb, say, tree, write

ROUNDS = 5
SAMPLE = 5000  # zones of a round of signing alone
KNOT_ZONES = 10000  # it makes keys for 200 zones a second and core; what it needs for a zone does not hang on how many there are
CLIENTS = 64
PATIENCE_S = 1800
ALGORITHMS = {13: ("ecdsap256", r"nistp256\).*?([\d.]+)\s+[\d.]+$"), 15: ("ed25519", r"Ed25519\).*?([\d.]+)\s+[\d.]+$")}


def library(algorithm):
    """Signatures per second of the crypto library on the server's core."""
    name, pattern = ALGORITHMS[algorithm]
    out = subprocess.run(on_core(SERVER_CORE, "openssl", "speed", "-seconds", "2", name), capture_output=True, text=True,
                         check=True).stdout
    return float(re.search(pattern, out, re.M)[1])


def alone(origin, path, algorithm, *checked):
    """Signatures per second of zonesign.c: the chain, canonical forms and digests included, nothing built; `checked`: with
    what signcheck.c verifies before such a zone is served."""
    done = subprocess.run(on_core(SERVER_CORE, BUILD / "tools/sign_zone", origin, path, algorithm, "nsec", *checked),
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=True).stderr
    made, _, ms = map(float, re.findall(r"[\d.]+", done))
    return made / ms * 1000


def keep_alone(name, origin, path, *checked, least=0.8):
    """Each run beside the library's just before and just after it: the machine is others', too."""
    for algorithm in ALGORITHMS:
        runs, speeds = [], [library(algorithm)]
        for _ in range(ROUNDS):
            runs.append(alone(origin, path, algorithm, *checked))
            speeds.append(library(algorithm))
        shares = [run / ((before + after) / 2) for run, before, after in zip(runs, speeds, speeds[1:])]
        share, rate = statistics.median(shares), statistics.median(runs)
        keep(f"{name}_{algorithm}", share, f"{share:.2f} ({rate:.0f}/s)", f">= {least} of openssl speed", share >= least,
             shares=shares)


def sample_of(data):
    folder = OUT / "sample"
    folder.mkdir(exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    for name in workload.names(data)[:SAMPLE]:
        (folder / name).symlink_to(data / "zones" / name)
    return folder


# ---- ours ----
def signed(port, name, rdtype="SOA"):
    query = dns.message.make_query(name, rdtype, want_dnssec=True)
    try:
        reply = dns.query.udp(query, "127.0.0.1", port=port, timeout=0.5)
    except (dns.exception.Timeout, OSError):
        return False
    return any(s.rdtype == dns.rdatatype.RRSIG for s in reply.answer)


def edits_until(a, zone, ended):
    """Milliseconds from commit to served of one edit after the other."""
    tool = subprocess.Popen([BUILD / "tools" / "edits", str(a.socket)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    times = []
    while not ended():
        tool.stdin.write(f"{zone} www 60 A 10.2.{len(times) >> 8 & 255}.{len(times) & 255}\n")
        tool.stdin.flush()
        began = time.monotonic()
        assert json.loads(tool.stdout.readline())["served"]
        times.append((time.monotonic() - began) * 1000)
    tool.stdin.close()
    tool.wait(10)
    return sorted(times)


def enable(a, data):
    """Each zone is a change: two keys made and wrapped, at most 64 on their way at a time; somebody edits a zone that is
    signed already."""
    first, *names = workload.names(data)
    a.cli("dnssec", "enable", first, "-m", "bench")
    with subprocess.Popen([BUILD / "tools" / "edits", str(a.socket), "sign", str(CLIENTS)], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, text=True) as run:
        run.stdin.write("\n".join(names) + "\n")
        run.stdin.close()
        times = edits_until(a, first, lambda: run.poll() is not None)
        out = json.loads(run.stdout.read())
    assert run.returncode == 0 and out["edits"] == len(names) and out["failures"] == 0, out
    keep("edit_while_signing_ms_p50", times[len(times) // 2], f"{times[len(times) // 2]:.1f} ms", edits=len(times),
         p99=times[len(times) * 99 // 100])
    keep("sign_enable_per_s", out["per_second"], f"{out['per_second']:.0f}/s", p99_ms=out["p99_ms"], seconds=out["seconds"])


def started(a, data, pinned=False):
    """Seconds from exec until the first, the last and 998 more zones answer with signatures."""
    names = workload.names(data)
    asked = [names[0], names[-1]] + random.Random(1).sample(names, min(998, len(names) - 2))
    began = time.monotonic()
    a.spawn()
    if pinned:
        pin_tree(a.process.pid)
    for name in asked:
        wait_until(lambda n=name: signed(a.port, n), f"{name} is signed", PATIENCE_S)
    took = time.monotonic() - began
    wait_until(a.ready, "ready", PATIENCE_S)
    return took


def start(a, data):
    a.stop()
    took = started(a, data)
    used = cpu_s(a.pid("signer"))
    keep("signed_start_s", took, f"{took:.2f} s", "<= 10 s", took <= 10, signer_cpu_s=used)


def signer_state(a):
    return a.cli_json("status").get("signatures") or {}


def anew(a, data):
    """All signatures made and checked: what the signer had of its core from its start until the last zone is served, and
    that is also opening the keys, reading, building images and keeping signatures."""
    zones = len(workload.names(data))
    speed = library(13)
    a.stop()
    for path in (a.data / "signer").glob("signatures.*"):
        path.unlink()
    took = started(a, data, pinned=True)
    used = cpu_s(a.pid("signer"))
    speed = (speed + library(13)) / 2
    state = wait_until(lambda: signer_state(a) if signer_state(a).get("zones") == zones else None, "the signer's sum", PATIENCE_S)
    made, verified = state["made"], state["verified"]
    share = made / used / speed
    keep("sign_zones_served_13", share, f"{share:.2f} ({made / used:.0f}/s)", None, None,
         zones=zones, made=made, verified=verified, cpu_s=used, seconds=took, peak_mb=peak_mb(tree(a.process.pid)))
    RESULT["sign_zones_per_s"] = {"value": zones / used}
    return zones / used


def memory(a, data):
    basics.ask_all(a, data)
    mb = pss_mb(tree(a.process.pid))
    each = {p["role"]: round(pss_mb([p["pid"]]), 1) for p in a.processes()}
    say("memory of each", "", ", ".join(f"{role} {part} MB" for role, part in each.items()))
    keep("memory_signed_here_mb", mb, f"{mb:.0f} MB", "<= 600 MB", mb <= 600, each=each)


def with_do(a, data, args):
    runs = throughput.against_limit(a, data / "queries", args.rounds, args.seconds, "signed_here", flags=["do"])
    throughput.keep_ratio("signed_here_of_limit", throughput.ratios(runs, "nameserve", "limit"), 0.85)


# ---- Knot ----
class KnotSigning(peers.Knot):
    """The same zones, signed by itself; keys of each zone are its own. In memory, so that no disk is waited for."""

    version_args = ["-V"]

    def __init__(self, zones):
        super().__init__(zones)
        shutil.rmtree(self.dir)
        self.dir = tempfile.mkdtemp(prefix="ns-peer-", dir="/dev/shm")

    def config(self):
        head, zones = super().config().split("template:\n")
        return (head.replace("  tcp-workers: 1\n", "  tcp-workers: 1\n  background-workers: 1\n") +
                "policy:\n  - id: same\n    algorithm: ecdsap256sha256\n    nsec3: off\n    ksk-lifetime: 0\n"
                "    zsk-lifetime: 0\n    cds-cdnskey-publish: always\ntemplate:\n" +
                zones.replace("    journal-content: none\n",
                              "    journal-content: none\n    zonefile-load: whole\n    dnssec-signing: on\n"
                              "    dnssec-policy: same\n"))

    def signed_all(self):
        return all(signed(self.port, name) for name in (list(self.zones)[0], list(self.zones)[-1]))


def knot(data, ours):
    """Zones per second of a core: to sign all anew with the keys that are there."""
    zones = dict(list(rivals.zones_of(data).items())[:KNOT_ZONES])
    found = rivals.Rival("knot", zones, KnotSigning)
    try:
        wait_until(found.peer.signed_all, "knot has signed", PATIENCE_S)
        made_s = found.cpu_ns() / 1e9
        before, began = found.cpu_ns(), time.monotonic()
        subprocess.run(on_core(LOAD_CORE, "knotc", "-s", f"{found.peer.dir}/knot.sock", "-b", "-t", PATIENCE_S, "zone-sign"),
                       capture_output=True, text=True, check=True)
        used, took = (found.cpu_ns() - before) / 1e9, time.monotonic() - began
        theirs = len(zones) / used
        RESULT["knot_sign_zones_per_s"] = {"value": theirs}
        keep("sign_zones_over_knot", ours / theirs, f"{ours / theirs:.2f}", None, None, knot_zones=len(zones),
             ours_zones_per_core_s=ours, knot_zones_per_core_s=theirs, knot_seconds=took,
             knot_start_cpu_s=made_s, knot_start_s=found.start_s, knot_memory_mb=found.memory_mb(),
             knot_version=rivals.version(KnotSigning))
    finally:
        found.close()


def part_signing(args):
    OUT.mkdir(parents=True, exist_ok=True)
    data = workload.reference(args.zones)
    keep_alone("sign_zones_alone", "-", sample_of(data))
    keep_alone("sign_zones_checked", "-", sample_of(data), "checked", least=0.7)
    with Appliance() as a:
        a.cli("zone", "import", "--dir", data / "zones", timeout=PATIENCE_S)
        for step in (enable, start, memory):
            step(a, data)
            write()
        basics.edits_served(a, args, "signed_zones_edit_ms_p99")
        ours = anew(a, data)
        write()
        with_do(a, data, args)
        keep("memory_signed_anew_mb", pss_mb(tree(a.process.pid)), f"{pss_mb(tree(a.process.pid)):.0f} MB")
    if "knot" in args.peers:
        knot(data, ours)
