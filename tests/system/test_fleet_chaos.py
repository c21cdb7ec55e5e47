"""Five appliances, clients at all of them, and everything that can happen to machines and links at once. What
the clients were told and what the appliances hold in the end are handed to the checker (lib/history.py).

NS_SEED is a run's plan; with NS_LONG it is another one each time and takes half an hour, as `check-long` has it
(NS_SECONDS: so long)."""

import hashlib
import json
import os
import random
import sqlite3
import time

import pytest

import history
from appliance import zone_text
from clients import ZONES, Crowd, read
from fleetnet import NetFleet
from peers import wait_until

SEED = int(os.environ.get("NS_SEED") or (random.randrange(1 << 32) if os.environ.get("NS_LONG") else 1))
LONG = float(os.environ.get("NS_SECONDS", 1800 if os.environ.get("NS_LONG") else 0))
CLIENTS = 6
ROLES = ("sync", "sync", "sync", "signer", "answer", "worker")
needs_root = pytest.mark.skipif(os.getuid() != 0, reason="needs network namespaces")


# ---- what happens ----
class Trouble:
    """Each is a method; what it did is counted. All are over, and mended, when they return."""

    def __init__(self, fleet, rng, crowd):
        self.fleet, self.rng, self.crowd = fleet, rng, crowd
        self.count = {"kill": 0, "pause": 0, "partition": 0, "promotion": 0}
        self.began, self.events, self.standby, self.losses = time.monotonic(), [], None, []

    def note(self, what, *whom):
        self.events.append(f"{time.monotonic() - self.began:.1f} {what} {' '.join(whom)}")

    def any(self):
        return self.rng.choice([m for m in self.fleet.members if m.process])

    def replica(self):
        return self.rng.choice([m for m in self.fleet.replicas if m.process])

    def kill_process(self, member, role):
        self.note(f"kill {role} of", member.name)
        self.count["kill"] += member.kill_now(role)

    def kill_appliance(self, member):
        """It comes back by itself, while other things happen."""
        self.note("kill", member.name)
        member.kill()
        self.count["kill"] += 1
        member.spawn()

    def pause(self, member, seconds):
        self.note("pause", member.name)
        member.pause()
        self.count["pause"] += 1
        time.sleep(seconds)
        member.resume()

    def partition(self, members, seconds):
        self.note("cut off", *[m.name for m in members])
        self.fleet.net.cut(*[m.name for m in members])
        self.count["partition"] += 1
        time.sleep(seconds)
        self.fleet.net.heal()

    # ---- another primary ----
    def name_standby(self, member):
        """None: nobody."""
        name = member.name if member else "none"
        self.note("standby", name)
        wait_until(lambda: self.fleet.primary.cli_run("fleet", "standby", name).returncode == 0,
                   f"{self.fleet.primary.name} takes {name} for its standby", 60)
        self.standby = member

    def succeed(self):
        """The primary ends in the middle of commits, and another one takes over; then it comes back."""
        old = self.fleet.primary
        if self.standby is None:
            self.succeed_alone(old, self.replica())
        elif self.count["promotion"] % 2:
            self.note("cut off", old.name, "and promote", self.standby.name)
            self.fleet.net.cut(old.name)
            self.count["partition"] += 1
            self.promote(self.standby)
            self.fleet.net.heal()
        else:
            self.note("kill", old.name, "and promote", self.standby.name)
            old.kill()
            self.count["kill"] += 1
            self.promote(self.standby)
            old.spawn()
        if self.standby:
            self.name_standby(self.replica())

    def succeed_alone(self, old, new):
        """Without a standby a primary acknowledges alone, here while it is cut off; then it dies. What promote said is
        lost, from the new primary's first change on, and nothing else is; the old one drops it when it is back."""
        self.note("cut off and kill", old.name, "and promote", new.name)
        self.fleet.net.cut(old.name)
        cut = time.monotonic()
        wait_until(lambda: any(o["outcome"] == "ok" and o["at"][-1] == old.name and o["sent"] > cut
                               for o in self.crowd.ops[-50:]), f"{old.name} acknowledges alone", 30)
        old.kill()
        self.fleet.net.heal()
        self.count["partition"] += 1
        self.count["kill"] += 1
        said = self.promote(new)
        self.losses.append({"term": said["term"] - 1, "kept": said["revision"] - 1, "at": time.monotonic()})
        old.spawn()

    def promote(self, new):
        said = wait_until(lambda: promoted(new), f"{new.name} is promoted; its log:\n{new.log()[-3000:]}", 60)
        self.count["promotion"] += 1
        self.fleet.primary = new
        return said


def promoted(member):
    done = member.cli_run("--json", "--timeout", "20s", "fleet", "promote", member.name, f"--confirm={member.name}",
                          timeout=60)
    return json.loads(done.stdout) if done.returncode == 0 else None


def plan(rng, trouble, fleet, rounds):
    """As many of each in every round; the seed decides the order and the victims, when it is their turn."""
    for _ in range(rounds):
        acts = [lambda: trouble.kill_process(trouble.any(), rng.choice(ROLES)) for _ in range(3)]
        acts += [lambda: trouble.kill_process(fleet.primary, "sync"),
                 lambda: trouble.kill_appliance(trouble.replica()),
                 lambda: trouble.pause(trouble.any(), rng.uniform(0.3, 1.5)),
                 lambda: trouble.partition(rng.sample(fleet.members, rng.choice((1, 1, 2))), rng.uniform(0.3, 2))]
        rng.shuffle(acts)
        yield from acts
        yield lambda: trouble.kill_appliance(fleet.primary)
        yield trouble.succeed


# ---- what is there in the end ----
def rrsets_of(member, zone):
    rrsets, cursor = [], None
    while cursor != "":
        page = member.cli_json("record", "list", zone, *(["--cursor", cursor] if cursor else []))
        rrsets, cursor = rrsets + page["rrsets"], page.get("next", "")
    return rrsets


def state_of(member):
    status = member.cli_json("status")
    verified = member.cli_json("verify")
    assert verified["ok"], (member.name, verified)
    db = sqlite3.connect(f"file:{member.data}/store.db?mode=ro", uri=True)
    rows = db.execute("SELECT revision, term, prev, hash, comment FROM change ORDER BY revision").fetchall()
    db.close()
    log = [{"revision": r, "term": t, "prev": p.hex(), "hash": h.hex(), "comment": c} for r, t, p, h, c in rows]
    zones = {}
    for zone in ZONES:
        rrsets = rrsets_of(member, zone)
        digest = hashlib.sha256(json.dumps(sorted(rrsets, key=str)).encode()).hexdigest()
        zones[zone] = {"digest": digest, "rrsets": {f"{r['name']} {r['type']}": [r["ttl"], r["rdata"]] for r in rrsets}}
    return {"name": member.name, "role": status["role"], "term": status["term"], "log": log, "zones": zones}


def answers_of(member, ops):
    """What it says over DNS of everything that was ever asked for."""
    served = {}
    for op in ops:
        key = f"{op['name']} {op['type']}"
        if key not in served:
            served[key] = wait_until(lambda op=op: (r := read(member, op)) is not None and [r],
                                     f"{member.name} answers {key}")[0]
    return served


def judge(fleet, ops, losses=()):
    fleet.wait_well()
    states = [state_of(m) for m in fleet.members]
    for m, state in zip(fleet.members, states):
        state["served"] = answers_of(m, ops)
    faults = history.check(ops, states, losses)
    assert not faults, f"seed {SEED}: {len(faults)} faults:\n" + "\n".join(faults[:40])
    return states


@pytest.fixture(name="fleet")
def five():
    with NetFleet(5) as f:
        for zone in ZONES:
            path = f.primary.dir / zone
            path.write_text(zone_text(zone + "."))
            f.primary.cli("zone", "import", zone, path)
        f.wait_well()
        yield f


@needs_root
def test_chaos(fleet, tmp_path):
    """First with a standby: nothing acknowledged is lost, whoever dies. Then without: what promote said, no more."""
    print(f"NS_SEED={SEED}")
    rng = random.Random(SEED)
    began = time.monotonic()
    with Crowd(CLIENTS, SEED, fleet.members, tmp_path / "ops") as crowd:
        trouble = Trouble(fleet, rng, crowd)
        for standby, end in ((True, LONG / 2), (False, LONG)):
            trouble.name_standby(trouble.replica() if standby else None)
            while True:
                for act in plan(rng, trouble, fleet, 2):
                    wait_until(lambda n=crowd.acknowledged: crowd.acknowledged > n + 8,
                               f"edits flow again; NS_SEED={SEED}, {trouble.events}", 60)
                    act()
                if time.monotonic() - began >= end:
                    break
        wait_until(lambda: crowd.acknowledged >= 500, "500 edits", 60)
    tally = history.tally(crowd.ops)
    print(f"{time.monotonic() - began:.1f} s, {tally}, {trouble.count}, lost {trouble.losses}, {trouble.events}")
    assert not crowd.wrong, crowd.wrong[:10]
    terms = history.terms_of(judge(fleet, crowd.ops, trouble.losses)[0]["log"])
    lost = [o["key"] for o in crowd.ops if o["outcome"] == "ok" and history.lost_by_promotion(o, terms, trouble.losses)]
    print(f"lost as said: {lost}; judged after {time.monotonic() - began:.1f} s")
    assert tally["ok"] >= 500 and len(lost) >= len(trouble.losses)
    count = trouble.count
    assert count["kill"] >= 20 and count["partition"] >= 3 and count["pause"] >= 3 and count["promotion"] >= 3
