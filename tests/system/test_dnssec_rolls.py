"""Key events of real zones from beginning to end, with the parent on NSD, looked at through Unbound, in a time that the
test moves from event to event. Each simulated minute is judged for whatever a resolver may hold at it (lib/caches.py), and
another Unbound, which validates from the parent's DS on, is asked whenever DS or keys have become others."""

import calendar
import json
import os
import random
import shutil
import signal
import subprocess
import tempfile
import time

import dns.exception
import dns.message
import dns.query
import dns.rdatatype
import pytest

import validators
from appliance import Appliance, zone_text
from caches import Caches
from fleet import Fleet
from peers import answers, wait_until
from test_process_probe import CHILD, PARENT, RESOLVER, network, unbound  # noqa: F401
from warp import Clock

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="needs root to make a network of its own")

MINUTE, HOUR, DAY = 60, 3600, 86400
LONG = pytest.mark.skipif(not os.environ.get("NS_LONG"), reason="its time: make check-long has it")
LONGEST = 10 * MINUTE if os.environ.get("NS_LONG") else 12 * HOUR  # step, when nothing is due


class Nsd:
    """The parent, example., on port 53: delegations, and the DS that the test puts there."""

    def __init__(self, zones):
        self.dir = tempfile.mkdtemp(prefix="ns-parent-", dir="/tmp")
        os.chmod(self.dir, 0o777)
        self.zones, self.ds, self.serial = zones, {z: [] for z in zones}, 0
        self.write()
        conf = os.path.join(self.dir, "nsd.conf")
        with open(conf, "w", encoding="ascii") as f:
            f.write(f'server:\n ip-address: {PARENT}\n username: ""\n zonesdir: "{self.dir}"\n pidfile: ""\n'
                    f' xfrdir: "{self.dir}"\n xfrdfile: ""\n zonelistfile: "{self.dir}/list"\n database: ""\n'
                    f' logfile: "{self.dir}/log"\n server-count: 1\nremote-control:\n control-enable: no\n'
                    'zone:\n name: "example."\n zonefile: "example"\n')
        self.process = subprocess.Popen(["nsd", "-d", "-c", conf])
        self.resolver = unbound(self.dir)

    def write(self):
        self.serial += 1
        lines = [f"$TTL 300\n@ IN SOA ns h {self.serial} 7200 3600 1209600 300\n@ IN NS ns\nns IN A {PARENT}\n"]
        for zone in self.zones:
            label = zone.split(".", 1)[0]
            lines += [f"{label} IN NS ns1.{label}\n{label} IN NS ns2.{label}\nns1.{label} IN A {CHILD}\n"
                      f"ns2.{label} IN A {CHILD}\n"]
            lines += [f"{label} {DAY} IN DS {ds}\n" for ds in self.ds[zone]]
        path = os.path.join(self.dir, "example")
        with open(path + ".new", "w", encoding="ascii") as f:
            f.writelines(lines)
        os.utime(path + ".new", (time.time() + self.serial, time.time() + self.serial))
        os.rename(path + ".new", path)

    def ask(self, name, rdtype):
        """A reload cuts connections off and takes its time: again, then."""
        query = dns.message.make_query(name, rdtype, want_dnssec=True)

        def reply():
            try:
                return dns.query.udp(query, PARENT, timeout=2)
            except (OSError, dns.exception.Timeout):
                return None

        return wait_until(reply, "NSD answers", 20)

    def put(self, zone, lines):
        """DS lines as `dnssec ds` prints them; back when they are served."""
        self.ds[zone] = [line.split(None, 4)[4] for line in lines]
        self.write()
        self.process.send_signal(signal.SIGHUP)

        def there():
            found = [s for s in self.ask(zone, "DS").answer if s.rdtype == dns.rdatatype.DS]
            return len(found[0]) if found else 0

        wait_until(lambda: there() == len(lines) and self.tags(zone) == sorted(x.split()[4] for x in lines), "NSD", 20)

    def tags(self, zone):
        return sorted(str(r.key_tag) for s in self.ask(zone, "DS").answer if s.rdtype == dns.rdatatype.DS for r in s)

    def end(self):
        for p in (self.process, self.resolver):
            p.terminate()
            p.wait(20)
        shutil.rmtree(self.dir, ignore_errors=True)


class World:
    """Appliances that are asked (the first leads), their zones, the parent, and the clock."""

    def __init__(self, appliances, parent, clock):
        self.all, self.parent, self.clock, self.caches, self.looked = appliances, parent, clock, {}, 0
        self.seed = int(os.environ.get("NS_TEST_SEED", time.time()))
        self.dice = random.Random(self.seed)

    @property
    def a(self):
        return self.all[0]

    def watch(self, zone):
        self.caches[zone] = Caches(zone + ".", [(f"{n}.{zone}.", t) for n, t in (("www", "A"), ("nope", "A"), ("www", "AAAA"))],
                                   self.clock.now())
        self.look(0)

    def look(self, since=None):
        """Takes down what is served now, and judges the minutes until now."""
        servers = {a.port: lambda n, t, a=a: a.ask(n, t, want_dnssec=True, tcp=True) for a in self.all}
        for zone, caches in self.caches.items():
            if caches.look(servers, self.parent.ask, self.looked if since is None else since, self.clock.now):
                self.validate(zone)
            caches.judge(self.clock.now())
        self.looked = self.clock.now()

    def validate(self, zone):
        """By Unbound, with the parent's DS and nothing in its cache."""
        ds = [r.to_text() for s in self.parent.ask(zone, "DS").answer if s.rdtype == dns.rdatatype.DS for r in s]
        if not ds:
            return
        questions = [(f"www.{zone}", "A", 0, True), (f"nope.{zone}", "A", 3, True), (f"www.{zone}", "AAAA", 0, True)]
        with validators.Unbound(self.a.port, [f"{zone}. DS {d}" for d in ds], [f"{zone}."], self.clock.now()) as u:
            assert u.ask_all(questions) == [q[2:] for q in questions], (self.keys(zone), u.log_lines()[-5:])

    def keys(self, zone, a=None):
        return (a or self.a).cli_json("dnssec", "ds", zone)

    def states(self, zone, a=None):
        return sorted((k["role"], k["algorithm"], k["state"]) for k in self.keys(zone, a)["keys"])

    def settled(self, zone, look):
        """What is due is done, everywhere; look: also the hourly look at the parent."""
        keys = self.keys(zone)
        if look and keys["waits_for"] and keys["parent_asked"] <= self.text(self.clock.now() - HOUR):
            return False
        return ((not keys["next_event"] or keys["next_event"] > self.text(self.clock.now())) and
                all(self.states(zone, a) == self.states(zone) for a in self.all[1:]))

    @staticmethod
    def text(seconds):
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))

    def next_stop(self, end, look):
        """The first event of a zone that is watched, or an hour while the parent is waited for; not after end."""
        stops = [end, self.clock.now() + LONGEST]
        for zone in self.caches:
            keys = self.keys(zone)
            if keys["next_event"]:
                stops.append(calendar.timegm(time.strptime(keys["next_event"][:19], "%Y-%m-%dT%H:%M:%S")) + 1)
            if zone == look and keys["waits_for"]:
                stops.append(self.clock.now() + HOUR)
        return min(s for s in stops if s > self.clock.now())

    def step(self, end, meanwhile=None, look=None, led=True):
        self.look()
        self.clock.passes(max(1, self.next_stop(end, look) - self.clock.now()))
        arrived = self.clock.now()
        for zone in self.caches if led else ():
            wait_until(lambda z=zone: self.settled(z, z == look), f"{zone}: {self.keys(zone)}\n{self.a.log()[-1500:]}", 30)
        if meanwhile:
            meanwhile()
        self.look(arrived)

    def goes_on(self, hours, meanwhile=None, look=None, led=True):
        """look: the zone whose parent is looked at, which takes a real second each time. led: somebody is the primary."""
        end = self.clock.now() + hours * HOUR
        while self.clock.now() < end:
            self.step(end, meanwhile, look, led)

    def until(self, zone, states, hours, meanwhile=None):
        end = self.clock.now() + hours * HOUR
        while self.states(zone) != sorted(states) and self.clock.now() < end:
            self.step(end, meanwhile, zone)
        assert self.states(zone) == sorted(states), self.keys(zone)

    def quiet(self, zone, algorithm, hours, meanwhile=None):
        self.until(zone, [("ksk", algorithm, "active"), ("zsk", algorithm, "active")], hours, meanwhile)

    def trouble(self, zone):
        """The clock set by an hour or a year, the signer killed, the zone edited, each by chance."""
        if self.dice.random() < 0.4:
            self.clock.wall_is_off(self.dice.choice([0, HOUR, -HOUR, 365 * DAY, -365 * DAY]))
        if self.dice.random() < 0.2:
            self.a.wait_replaced("signer", self.a.kill_role("signer"), 30)
        if self.dice.random() < 0.4:
            self.a.cli("record", "set", zone, "www", 300, "A", f"192.0.2.{self.dice.randrange(1, 250)}", "--commit",
                       "--timeout", "30s")

    def trouble_if_long(self, zone):
        """For a roll that make check has in peace."""
        print("seed", self.seed)
        return (lambda: self.trouble(zone)) if os.environ.get("NS_LONG") else None

    def peace(self):
        self.clock.wall_is_off(0)
        self.goes_on(1)


@pytest.fixture(scope="module")
def world(network):  # noqa: F811
    parent = Nsd(["roll.example", "two.example", "three.example"])
    try:
        with Clock() as clock, Appliance(config=f"[resolver]\naddress = {RESOLVER}\n", **clock.kw) as a:
            w = World([a], parent, clock)
            for zone in ("roll.example", "two.example"):
                path = a.dir / zone
                path.write_text(zone_text(zone + ".", records="www IN A 192.0.2.10\n"))
                a.cli("zone", "import", zone, path)
                a.cli("dnssec", "enable", zone)
                w.watch(zone)
            wait_until(lambda: answers(5399, "example."), "the resolver knows the parent", 20)
            yield w
    finally:
        parent.end()


def submit(w, zone):
    w.parent.put(zone, w.a.cli("dnssec", "ds", zone).splitlines())


def test_a_first_ds_is_waited_for_and_seen(world):
    w = world
    w.until("roll.example", [("ksk", 13, "ready"), ("zsk", 13, "active")], 6)
    w.goes_on(6)  # the registrar has time
    assert ("ksk", 13, "ready") in w.states("roll.example")
    assert "registrar" in w.keys("roll.example")["waits_for"]
    assert "not at any" in w.a.fails(5, "dnssec", "ds-submitted", "roll.example")
    submit(w, "roll.example")
    w.quiet("roll.example", 13, 4)
    keys = w.a.cli_json("dnssec", "keys", "roll.example")["keys"]
    assert {k["ds_seen"] for k in keys} == {"all", ""}
    was = {k["role"]: k["entered"] for k in keys}
    assert [e["state"] for e in was["ksk"]] == ["published", "ready", "active"] and len(was["zsk"]) == 1
    times = [e["at"] for e in was["ksk"]]
    assert times == sorted(set(times)), times
    w.goes_on(1)
    assert w.caches["roll.example"].secure > 0
    # Now it cannot be unsigned by a slip.
    assert "the parent has a DS" in w.a.fails(5, "dnssec", "disable", "roll.example", "--confirm=roll.example")


def test_a_ds_of_no_key_is_warned_of(world):
    w = world
    assert w.a.cli_json("dnssec", "keys", "two.example")["warning"] == ""
    w.parent.put("two.example", w.a.cli("dnssec", "ds", "roll.example").splitlines())
    for verb in ("keys", "ds"):
        wait_until(lambda v=verb: "validating resolvers answer SERVFAIL" in w.a.cli_run("dnssec", v, "two.example").stderr, verb)
    w.parent.put("two.example", [])
    wait_until(lambda: w.a.cli_json("dnssec", "keys", "two.example")["warning"] == "", "it is gone")


def test_zsk_rolls_of_all_zones(world):
    w = world
    before = {z: {k["tag"] for k in w.keys(z)["keys"] if k["role"] == "zsk"} for z in w.caches}
    w.a.cli("dnssec", "rollover", "--all", "zsk")
    for zone in w.caches:
        assert ("zsk", 13, "published") in w.states(zone)
    w.quiet("roll.example", 13, 8, w.trouble_if_long("roll.example"))
    w.peace()
    for zone, tags in before.items():
        assert not tags & {k["tag"] for k in w.keys(zone)["keys"]}
    w.a.cli("dnssec", "rollover", "roll.example", "zsk", "--emergency")
    assert ("zsk", 13, "outgoing") in w.states("roll.example")
    w.quiet("roll.example", 13, 4, w.trouble_if_long("roll.example"))
    w.peace()


@LONG
def test_ksk_roll_waits_for_the_ds_whatever_happens(world):
    """The signer killed, the clock set by an hour and by a year, the parent late."""
    w, zone = world, "roll.example"
    trouble = w.trouble_if_long(zone)
    old = w.parent.tags(zone)
    w.a.cli("dnssec", "rollover", zone, "ksk")
    w.until(zone, [("ksk", 13, "active"), ("ksk", 13, "ready"), ("zsk", 13, "active")], 5, trouble)
    w.goes_on(12, trouble)
    assert ("ksk", 13, "ready") in w.states(zone) and w.parent.tags(zone) == old
    submit(w, zone)
    assert w.parent.tags(zone) != old
    # What is signed in a year that is none, by a signer that was there and by one that comes, is signed in ours.
    w.clock.wall_is_off(365 * DAY)
    for address in ("192.0.2.251", "192.0.2.252"):
        w.a.cli("record", "set", zone, "www", 300, "A", address, "--commit", "--timeout", "30s")
        w.goes_on(1)
        w.a.wait_replaced("signer", w.a.kill_role("signer"), 30)
    w.until(zone, [("ksk", 13, "active"), ("ksk", 13, "retired"), ("zsk", 13, "active")], 6, trouble)
    w.clock.wall_is_off(HOUR)
    w.goes_on(1)
    assert "the clock was set by" in str(w.a.cli_json("status")["problems"])
    w.quiet(zone, 13, 30)
    w.peace()
    assert "the clock was set by" not in str(w.a.cli_json("status")["problems"])


def test_algorithm_roll(world):
    w, zone = world, "roll.example"
    w.a.cli("dnssec", "rollover", zone, "algorithm", "--algorithm", 15)
    both = [("ksk", 13, "active"), ("zsk", 13, "active"), ("ksk", 15, "ready"), ("zsk", 15, "active")]
    trouble = w.trouble_if_long(zone)
    w.until(zone, both, 8, trouble)
    submit(w, zone)
    w.quiet(zone, 15, 40, trouble)
    w.peace()


@LONG
def test_leaving_when_it_is_safe(world):
    w, zone = world, "roll.example"
    w.a.cli("dnssec", "disable", zone, "--confirm=roll.example", "--when-safe")
    assert "DS to be removed" in w.keys(zone)["waits_for"]
    assert w.a.values(zone, "CDS") == ["0 0 0 00"]
    w.goes_on(2)
    assert w.keys(zone)["status"] == "leaving"
    w.parent.put(zone, [])
    for _ in range(40):
        w.goes_on(1, look=zone)
        if w.keys(zone)["status"] == "off":
            break
    assert w.a.values(zone, "DNSKEY") == "NODATA"
    # Whatever the parent says, when a person says so.
    submit(w, "two.example")
    assert "the parent has a DS" in w.a.fails(5, "dnssec", "disable", "two.example", "--confirm=two.example")
    w.a.cli("dnssec", "disable", "two.example", "--confirm=two.example", "--force")
    assert w.a.values("two.example", "DNSKEY") == "NODATA"
    assert json.loads(w.a.cli("--json", "dnssec", "ds", "two.example"))["status"] == "off"


def lead_change(w, lost, heir, hours):
    """The primary dies; the standby is promoted hours later, and the other one comes back to be its standby."""
    wait_until(lambda: heir.follows(lost.revision()), "the standby has all", 30)
    lost.kill()
    w.all = [heir]
    w.goes_on(hours, led=False)
    said = heir.cli_run("fleet", "promote", heir.name, f"--confirm={heir.name}")
    assert said.returncode == 0 and "freeze" not in said.stderr, said


def comes_back(w, lost, heir):
    lost.start()
    wait_until(lambda: lost.follows(heir.revision()), f"{lost.name} follows", 40)
    named = lambda: heir.cli_run("fleet", "standby", lost.name).returncode == 0  # noqa: E731
    wait_until(named, f"{lost.name} is heard of, and can be the standby", 30)
    w.all = [heir, lost]


@LONG
def test_the_primary_is_lost_in_the_middle_of_a_ksk_roll(world):
    """Three rolls: before the DS changed, when it has and nobody has looked, and while the old KSK is still needed, for longer
    than that. The standby is promoted each time and ends the roll, and no minute is bogus."""
    zone = "three.example"
    with Fleet(2, config=f"[resolver]\naddress = {RESOLVER}\n", **world.clock.kw) as f:
        p, r1 = f.members
        w = World([p], world.parent, world.clock)
        path = p.dir / zone
        path.write_text(zone_text(zone + ".", records="www IN A 192.0.2.10\n"))
        p.cli("zone", "import", zone, path)
        p.cli("dnssec", "enable", zone)
        rings = lambda: len([c for c in p.cli_json("history", "list")["changes"] if c["kind"] == "keyring"])  # noqa: E731
        before = rings()
        p.cli("fleet", "standby", "r1")
        wait_until(lambda: rings() > before, "K-apex", 30)
        f.wait_converged(40)
        w.all = [p, r1]
        w.watch(zone)
        w.until(zone, [("ksk", 13, "ready"), ("zsk", 13, "active")], 6)
        submit(w, zone)
        w.quiet(zone, 13, 6)
        for when, lost, heir, hours in (("before", p, r1, 3), ("between", r1, p, 3), ("after", p, r1, 40)):
            old = world.parent.tags(zone)
            lost.cli("dnssec", "rollover", zone, "ksk")
            w.until(zone, [("ksk", 13, "active"), ("ksk", 13, "ready"), ("zsk", 13, "active")], 6)
            if when != "before":
                submit(w, zone)
            if when == "after":
                w.until(zone, [("ksk", 13, "active"), ("ksk", 13, "retired"), ("zsk", 13, "active")], 6)
            lead_change(w, lost, heir, hours)
            if when == "before":
                w.goes_on(1)
                submit(w, zone)
            w.quiet(zone, 13, 36)
            assert world.parent.tags(zone) != old
            comes_back(w, lost, heir)
            w.goes_on(1)
        assert w.caches[zone].secure > 100 * 60, "hours of minutes"
