"""Real endpoints broken in every way that they break, all on one appliance: the verdict and its reason, who voted,
what DNS answers, that nothing else changes, and that it heals by itself."""

import collections
import contextlib
import json
import os
import pathlib
import re
import subprocess
import threading

import dns.rcode
import pytest

from appliance import ROOT, Appliance, zone_text
from certs import NAME, make
from endpoints import (Names, Server, becomes, http, in_turn, named, pong, put, redirect, saying, server_tls, show,
                       silent, slow)
from netbox import CLIENTS, SERVER6, netbox
from peers import wait_until

ZONE = "broken.example"
SPARE = "198.51.100.1"
# What `make install` lets open the ping socket.
GROUP = re.search(r"= (.*)", (ROOT / "appliance" / "probe" / "sysctl.conf").read_text())[1]
FORBIDDEN = "127.2.0.1"  # [probe] allow does not open it
WEB = {"type": "http", "body": "is ok", "path": "/hz", "redirects": 3}

# How it is asked · how it breaks · the reason that is given. Endpoints are good when they start.
Way = collections.namedtuple("Way", "kind broken reason")


def says(answer):
    def broken(s):
        s.say = answer
    return broken


def shows(certificate):
    def broken(s):
        s.tls = CONTEXTS[certificate]
    return broken


CONTEXTS = {}
WAYS = {
    "http-refused": Way("http", Server.close, "connection refused"),
    "http-dropped": Way("http", Server.swallow, "no connection in time"),
    "http-silent": Way("http", says(silent), "no answer in time"),
    "http-slow": Way("http", says(slow), "no answer in time"),
    "http-status": Way("http", says(http(503)), "status 503"),
    "http-body": Way("http", says(http(body="nothing here")), "the body is another one"),
    "http-closed": Way("http", says(lambda conn: conn.recv(4096)), "it closed without an answer"),
    "http-no-http": Way("http", says(saying(b"\x00\xff" * 300)), "it does not speak HTTP"),
    "http-loop": Way("http", lambda s: says(redirect(f"http://{s.address}:{s.port}/hz"))(s), "too many redirects"),
    "http-forbidden": Way("http", lambda s: says(redirect(f"http://{FORBIDDEN}:{s.trap.port}/"))(s),
                          "redirected to an address that is not allowed"),
    "https-refused": Way("https", Server.close, "connection refused"),
    "https-dropped": Way("https", Server.swallow, "no connection in time"),
    "https-status": Way("https", says(http(500)), "status 500"),
    "https-expired": Way("https", shows("old"), "the certificate has expired"),
    "https-name": Way("https", shows("other"), "the certificate is not good for this name"),
    "https-strange": Way("https", shows("strange"), "certificate: self-signed"),
    "https-plain": Way("https", shows(None), "the TLS handshake failed"),
    "tls-expired": Way("tls", shows("old"), "the certificate has expired"),
    "tls-name": Way("tls", shows("other"), "the certificate is not good for this name"),
    "tls-plain": Way("tls", shows(None), "the TLS handshake failed"),
    "tcp-refused": Way("tcp", Server.close, "connection refused"),
    "tcp-dropped": Way("tcp", Server.swallow, "no connection in time"),
    "tcp-silent": Way("tcp", says(silent), "no answer in time"),
    "tcp-closed": Way("tcp", says(lambda conn: conn.recv(64)), "it closed without an answer"),
    "tcp-other": Way("tcp", says(saying(b"-ERR\r\n")), "it answered something else"),
    "dns-refused": Way("dns", Names.close, "nobody listens there"),
    "dns-silent": Way("dns", says(lambda query: None), "no answer in time"),
    "dns-nxdomain": Way("dns", says(named(dns.rcode.NXDOMAIN, False)), "it answered NXDOMAIN"),
    "dns-servfail": Way("dns", says(named(dns.rcode.SERVFAIL, False)), "it answered SERVFAIL"),
    "dns-empty": Way("dns", says(named(record=False)), "it answered without a record"),
    "dns-garbage": Way("dns", says(lambda query: b"\x00" * 40), "no answer in time"),
}
GOOD = {"http": http(), "https": http(), "tls": http(), "tcp": pong, "dns": named()}
FIELDS = {"http": WEB, "https": {**WEB, "type": "https", "host": NAME}, "tls": {"type": "tls", "host": NAME},
          "tcp": {"type": "tcp", "send": "PING\r\n", "expect": "+PONG"},
          "dns": {"type": "dns", "query": "www.example", "query_type": "A"}}


@pytest.fixture(scope="module")
def certs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("certs")
    pairs = {"good": make(folder, "good"), "old": make(folder, "old", end="20210101000000Z"),
             "other": make(folder, "other", subject="other.example"), "strange": make(folder, "strange")}
    CONTEXTS.update({k: server_tls(p) for k, p in pairs.items()}, **{"": None})
    CONTEXTS[None] = None
    return "".join(pairs[k][0].read_text() for k in ("good", "old", "other"))


@pytest.fixture(scope="module")
def lab(certs):
    a = Appliance()
    ca = a.dir / "ca.pem"  # where the probe's user can read it
    ca.write_text(certs)
    ca.chmod(0o644)
    a.extra = f"[probe]\nallow = 127.1.0.0/16\nca = {ca}\n"
    with a:
        yield a


def endpoint(kind, number):
    """Each has an address of its own."""
    address = f"127.1.0.{number + 1}"
    if kind == "dns":
        return Names(GOOD[kind], address=address)
    return Server(GOOD[kind], CONTEXTS["good"] if kind in ("https", "tls") else None, address=address)


def failover(check, number):
    return {"ttl": 5, "root": {"use": "failover", "order": [{"pool": "main"}, {"pool": "spare"}]},
            "pools": {"main": {"answers": [{"value": f"192.0.2.{number + 1}", "check": check}]},
                      "spare": {"answers": [{"value": SPARE}]}}}


def one_of_two(check, **pool):
    spare = {"spare": {"answers": [{"value": SPARE}]}} if isinstance(pool.get("when_down"), dict) else {}
    return {"ttl": 5, "root": {"pool": "p"}, "pools": {
        **spare, "p": {**pool, "answers": [{"value": "192.0.2.201", "check": check}, {"value": "192.0.2.202", "check": "steady"}]}}}


# What a pool makes of it when one of its two answers is down: with min_healthy 1 and with 2.
POOLS = {"some": ({}, ["192.0.2.202"]),
         "open": ({"min_healthy": 2, "when_down": "open"}, ["192.0.2.201", "192.0.2.202"]),
         "closed": ({"min_healthy": 2, "when_down": "closed"}, "NODATA"),
         "last": ({"min_healthy": 2, "when_down": "last"}, ["192.0.2.201", "192.0.2.202"]),
         "named": ({"min_healthy": 2, "when_down": {"pool": "spare"}}, [SPARE])}
OF = "http-status"  # whose check they have


class Watch:
    """Asks all the time what must not change."""

    def __init__(self, a, zone=ZONE, **right):
        self.a, self.zone, self.right, self.wrong, self.asked = a, zone, right, [], 0
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def run(self):
        while not self.stop.wait(0.003):
            for name, right in self.right.items():
                with contextlib.suppress(Exception):  # a lost datagram says nothing
                    found = self.a.values(f"{name}.{self.zone}", timeout=0.3)
                    self.asked += 1
                    if found != right:
                        self.wrong.append((name, found))

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join()


class Lab:
    def __init__(self, a):
        self.a = a
        self.ends = {name: endpoint(way.kind, i) for i, (name, way) in enumerate(WAYS.items())}
        self.trap = Server(http(), address=FORBIDDEN)
        self.ends["http-forbidden"].trap = self.trap
        self.main = {name: [f"192.0.2.{i + 1}"] for i, name in enumerate(WAYS)}

    def check(self, name, kind, end, **more):
        # Long enough for a good one on a machine with other things to do, shorter than silent() and slow().
        put(self.a, name, **{**FIELDS[kind], "timeout": 1.5, "target": end.address, "port": end.port, **more})

    def zone(self):
        path = self.a.dir / ZONE
        policies = {name: failover(name, i) for i, name in enumerate(WAYS)}
        policies.update({name: one_of_two(OF, **pool) for name, (pool, _) in POOLS.items()})
        policies.update(same=failover("steady", 200), flap=failover("flap", 201))
        path.write_text(zone_text(f"{ZONE}.", 1, "plain IN A 192.0.2.250\n" + "".join(
            f";ns-policy {name}.{ZONE}. A {json.dumps(p)}\n" for name, p in policies.items())))
        self.a.cli("zone", "import", ZONE, path)

    def checks(self):
        return {c["name"]: c for c in self.a.cli_json("check", "list")["checks"]}

    def become(self, states):
        """states: {check: (state, reason)}; each with a vote of this appliance that says so."""
        def there():
            found = self.checks()
            self.off = [(n, found[n]["state"], found[n]["reason"]) for n, (state, reason) in states.items()
                        if found[n]["state"] != state or found[n]["initial"] or reason not in found[n]["reason"]]
            return not self.off and found
        try:
            found = wait_until(there, "the verdicts", 90)
        except AssertionError:
            raise AssertionError(f"still not: {self.off}") from None
        for name, (state, reason) in states.items():
            (vote,) = found[name]["votes"]
            assert vote["appliance"] == "test-a" and vote["state"] == state and reason in vote["reason"], (name, vote)
            assert vote["age_s"] < 60
        return found

    def answers(self, names):
        for name, right in names.items():
            wait_until(lambda n=name, r=right: self.a.values(f"{n}.{ZONE}") == r, f"{name} is {right}")

    def heal(self, name):
        end, kind = self.ends[name], WAYS[name].kind
        end.say = GOOD[kind]
        if kind in ("https", "tls"):
            end.tls = CONTEXTS["good"]
        end.heal()

    def close(self):
        for end in (*self.ends.values(), self.trap):
            end.close()


def test_every_way_to_break(lab):
    x = Lab(lab)
    steady, flap = Server(http(), address="127.1.1.1"), Server(in_turn(http(), http(503)), address="127.1.1.2")
    x.check("steady", "http", steady)
    x.check("flap", "http", flap, fall=2)
    for name, way in WAYS.items():
        x.check(name, way.kind, x.ends[name])
    x.zone()
    first, second = list(WAYS)[::2], list(WAYS)[1::2]
    assert (OF in first) != (OF in second)
    x.become({name: ("up", "") for name in (*WAYS, "steady", "flap")})
    both = ["192.0.2.201", "192.0.2.202"]
    x.answers({**x.main, **{name: both for name in POOLS}})
    since = x.checks()["steady"]["since"]
    with Watch(lab, same=["192.0.2.201"], plain=["192.0.2.250"], flap=["192.0.2.202"]) as watch:
        for broken, good in ((first, second), (second, first)):
            for name in broken:
                WAYS[name].broken(x.ends[name])
            x.become({**{n: ("down", WAYS[n].reason) for n in broken}, **{n: ("up", "") for n in good}})
            x.answers({**{n: [SPARE] for n in broken}, **{n: x.main[n] for n in good}})
            x.answers({name: right if OF in broken else both for name, (_, right) in POOLS.items()})
            for name in broken:
                x.heal(name)
        x.become({name: ("up", "") for name in WAYS})
        x.answers({**x.main, **{name: both for name in POOLS}})
    assert not watch.wrong and watch.asked > 50
    for name in WAYS:
        assert [f["state"] for f in show(lab, name)["flips"]] == ["up", "down", "up"], name
    for name in ("steady", "flap"):  # one that is good and bad in turn does not flip
        assert [f["state"] for f in show(lab, name)["flips"]] == ["up"]
    assert x.checks()["steady"]["since"] == since
    assert flap.asked > 4 and x.trap.asked == 0
    x.close()


# ---- latency ----
def nearest(*checks):
    return {"ttl": 5, "root": {"use": "latency", "branches": [{"then": {"pool": c}} for c in checks]},
            "pools": {c: {"answers": [{"value": f"192.0.2.{i + 1}", "check": c}]} for i, c in enumerate(checks)}}


def test_the_nearest_one(lab):
    """The first branch is far and the second near; they change places. Ways of no known length: the first one."""
    far, near = Names(named(), "127.1.2.1", delay=0.6), Names(named(), "127.1.2.2", delay=0.08)
    for name, end in (("far", far), ("near", near)):
        put(lab, name, type="dns", query="x.example", target=end.address, port=end.port, timeout=2)
        becomes(lab, name, "up")
    for name in ("none-1", "none-2"):
        lab.cli("check", "set", name, "-", stdin='{"type": "push", "initial": "up"}')
    lab.cli("settings", "set", "nameservers", "ns1.example.,ns2.example.", "hostmaster", "h.example.")
    lab.cli("zone", "create", "near.example")
    for name, checks in (("www", ("far", "near")), ("none", ("none-1", "none-2"))):
        lab.cli("policy", "set", "near.example", name, "A", "-", "--commit", "-m", "x", stdin=json.dumps(nearest(*checks)))
    first, second = ["192.0.2.1"], ["192.0.2.2"]
    wait_until(lambda: lab.values("www.near.example") == second, "the second is nearer")
    assert lab.values("none.near.example") == first
    told = lab.cli_json("test", "www.near.example", "A")["steps"]
    assert any(s["step"] == "latency" and "the nearest branch" in s["text"] for s in told)
    told = lab.cli_json("test", "none.near.example", "A")["steps"]
    assert any(s["step"] == "latency" and "no RTT is known" in s["text"] for s in told)
    # Neither an edit nor an override that says the same, nor the probe's death changes the answer, nor a restart.
    with Watch(lab, zone="near.example", www=second) as watch:
        put(lab, "near", type="dns", query="y.example", target=near.address, port=near.port, timeout=2, fall=3)
        lab.cli("check", "override", "near", "up", "-m", "as it is")
        lab.cli("check", "override", "near", "auto")
        lab.wait_replaced("probe", lab.kill_role("probe"))
        becomes(lab, "near", "up")
    assert not watch.wrong and watch.asked > 10
    lab.stop()
    near.delay = 1  # whoever had to measure first would say the other one
    lab.start()
    assert lab.values("www.near.example") == second
    near.delay = 0.08
    becomes(lab, "near", "up")
    far.delay, near.delay = near.delay, far.delay
    wait_until(lambda: lab.values("www.near.example") == first, "the other is nearer now", 60)
    # And where the nearest is down, the next one.
    far.close()
    wait_until(lambda: lab.values("www.near.example") == second, "the nearest has gone", 30)
    near.close()


# ---- ICMP ----
@pytest.mark.skipif(os.getuid() != 0, reason="needs root to make a network of its own")
def test_icmp_without_rights():
    """Echoes come through the kernel's ping socket, which our group may open; the probe itself may nothing."""
    with netbox():
        pathlib.Path("/proc/sys/net/ipv4/ping_group_range").write_text(GROUP)
        with Appliance(config="[probe]\nallow = 198.51.100.0/24, 2001:db8::/32\n") as a:
            for name, target in (("v4", CLIENTS[0]), ("v6", SERVER6)):
                put(a, name, type="icmp", target=target)
                vote = becomes(a, name, "up", "echo")["votes"][0]
                assert vote["state"] == "up" and 0 < vote["rtt_ms"] < 500
            with open(f"/proc/{a.pid('probe')}/status", encoding="ascii") as f:
                status = dict(line.split(":\t", 1) for line in f.read().splitlines() if ":\t" in line)
            assert {int(status[c], 16) for c in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {0}
            assert status["Seccomp"] == "2" and status["NoNewPrivs"] == "1" and status["Uid"].split()[0] == "61005"
            subprocess.run(["ip", "addr", "del", f"{CLIENTS[0]}/32", "dev", "lo"], check=True)
            becomes(a, "v4", "down", "cannot be sent: Network is unreachable")
            subprocess.run(["ip", "addr", "add", f"{CLIENTS[0]}/32", "dev", "lo"], check=True)
            becomes(a, "v4", "up", "echo")
            assert [f["state"] for f in show(a, "v6")["flips"]] == ["up"]
