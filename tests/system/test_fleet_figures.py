"""The figures of the fleet, small, at five times their budget; the real ones are tests/bench/propagation.py."""

import json
import os
import signal
import subprocess
import time

import pytest

from appliance import BUILD, zone_text
from editor import Editor, one_after_another, share
from fleet import Fleet
from peers import wait_until
from test_fleet_follow import pause
from wan import Wan

ZONES = 1000
SLACK = 5
LOOPBACK = ("127.0.0.1",)


def load_zones(f, count):
    folder = f.primary.dir / "zones"
    folder.mkdir()
    for i in range(count):
        name = f"z{i:06d}.example"
        (folder / name).write_text(zone_text(name + ".", records="".join(f"w{n} A 192.0.2.{n}\n" for n in range(15))))
    f.primary.cli("zone", "import", "--dir", folder, timeout=60)
    f.wait_converged(60)


@pytest.fixture(scope="module")
def fleet():
    with Fleet(8, addresses=LOOPBACK) as f:
        load_zones(f, ZONES)
        yield f


def load(f, clients, seconds, rate=0):
    out = subprocess.run([BUILD / "tools" / "edits", f.primary.socket, str(clients), str(seconds), str(ZONES), str(rate)],
                         capture_output=True, text=True, timeout=60, check=True).stdout
    return json.loads(out)["edits"]


def test_edit_is_served_by_all_soon(fleet):
    times = one_after_another(fleet, 50, ZONES)["last"]
    assert share(times, 0.9) <= 250 * SLACK, times


def test_lag_after_many_edits(fleet):
    assert load(fleet, 16, 3, 100) >= 100
    with Editor(fleet.primary) as editor:
        ms, reply = editor.set("z000001.example.", "last", "10.9.9.9")
    assert len(reply["served"]) == 8 and ms <= 1000 * SLACK, (ms, reply)


def test_away_for_a_while(fleet):
    """6,000 edits at 5,000/s are what an hour at 10/s would be in a sixth of the budget; a slow machine has longer."""
    r1 = fleet.replicas[0]
    r1.stop()
    before = fleet.primary.revision()
    while fleet.primary.revision() - before < 6000:
        load(fleet, 64, 1)
    head = fleet.primary.revision()
    began = time.monotonic()
    r1.start()
    wait_until(lambda: r1.cli_json("status")["served_revision"] >= head, "r1 has caught up", 30)
    assert time.monotonic() - began <= 2 * SLACK
    assert r1.head_hash() == fleet.primary.head_hash()


def images(member):
    """Where each zone's image is in the map: a zone that keeps its place was not loaded again."""
    out = subprocess.run([BUILD / "tools" / "mapzones", str(member.pid("signer"))], capture_output=True, text=True,
                         check=True).stdout
    return dict(line.split() for line in out.splitlines())


@pytest.mark.skipif(os.getuid() != 0, reason="needs root to look at another process's memory")
def test_an_hour_away_reloads_no_unchanged_zone(fleet):
    """Away for an hour of edits, it takes what changed meanwhile and nothing else."""
    p, r2 = fleet.primary, fleet.replicas[1]
    fleet.wait_converged(30)
    before, first = images(r2), p.revision()
    assert len(before) == ZONES
    pause(r2, signal.SIGSTOP)
    try:
        while p.revision() - first < 3600:
            subprocess.run([BUILD / "tools" / "edits", p.socket, "64", "1", "5"], check=True, capture_output=True,
                           timeout=60)
    finally:
        pause(r2, signal.SIGCONT)
    head = p.revision()
    wait_until(lambda: r2.ready() and r2.cli_json("status")["served_revision"] >= head, "r2 has caught up", 60)
    after = images(r2)
    assert after.keys() == before.keys()
    moved = {z for z in after if after[z] != before[z]}
    assert moved == {f"z{i:06d}.example." for i in range(5)}, sorted(moved)[:9]
    assert r2.head_hash() == p.head_hash()


def test_fresh_replica(fleet):
    head = fleet.primary.revision()
    began = time.monotonic()
    fresh = fleet.add("fresh")
    wait_until(lambda: fresh.cli_json("status")["served_revision"] >= head, "all is served", 30)
    assert time.monotonic() - began <= 2 * SLACK
    assert fresh.values("w7.z000999.example.") == ["192.0.2.7"]


@pytest.mark.skipif(os.getuid() != 0 or not os.path.exists("/dev/net/tun"), reason="needs root and /dev/net/tun")
def test_far_away():
    """150 ms and 1 % loss: an edit takes a round trip and what a lost packet costs."""
    with Wan(seed=3, delay_ms=75, loss=10, size=3) as wan, Fleet(3, member=wan.member, addresses=LOOPBACK) as f:
        load_zones(f, 20)
        times = one_after_another(f, 20, 20)["last"]
        assert times[0] >= 150 and times[-1] <= 1000 * SLACK, times
        assert wan.tell("count")["lost"] > 0
