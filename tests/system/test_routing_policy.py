"""Policies, as the real worker answers them: against a model written from nameserve(1), and by statistics.

Health is written straight to the board that the workers read; checks are put into the store by hand.
"""

import collections
import contextlib
import ipaddress
import json
import random
import shutil
import socket
import sqlite3
import struct

import dns.edns
import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import pytest

from appliance import BUILD, Appliance, CliError, variant, zone_text
from board import Board
from peers import wait_until
from policymodel import Maker, possible, shares

CHECKS = {f"c{i}": 5000 + i for i in range(12)}
CLIENTS = ["192.0.2.7/32", "192.0.2.130/32", "198.51.100.9/32", "10.1.2.3/32", "2001:db8:1::1/128", "192.0.2.0/24"]
KEYS = ["cidr:192.0.2.0/24", "cidr:192.0.2.128/25", "cidr:192.0.0.0/16", "cidr:10.0.0.0/8",
        "cidr:2001:db8::/32", "cidr:2001:db8:1::/48", "cidr:0.0.0.0/0", "cidr:192.0.2.7/32"]
POLICIES = 250


@contextlib.contextmanager
def appliance_with_checks(build=None):
    """The board is the test's alone: in the probe's place there is one that says it is ready, and no more."""
    tree = build or variant()
    shutil.copy(BUILD / "tools" / "stub_role", tree / "libexec" / "nameserve-probe")
    a = Appliance(build=tree)
    with a:
        a.stop()
        with sqlite3.connect(next(a.data.glob("*.db"))) as db:
            db.executemany("INSERT INTO object (id, kind, name, version, body) VALUES (?, 'check', ?, 1, x'')",
                           [(number, name) for name, number in CHECKS.items()])
        a.start()
        path = a.dir / "example.com"
        path.write_text(zone_text("example.com.", 7, "plain IN A 192.0.2.10\ntarget IN A 192.0.2.11\n"))
        a.cli("zone", "import", "example.com", path)
        a.board = Board(a.pid("worker"), CHECKS)
        a.board.all()
        yield a
    if build is None:
        shutil.rmtree(tree)


@pytest.fixture(scope="module")
def server():
    with appliance_with_checks() as a:
        put(a, "w", "A", WEIGHTED)
        yield a


def put(a, name, rdtype, policy, *more, zone="example.com"):
    return a.cli("policy", "set", zone, name, rdtype, "-", "--commit", "-m", "test", *more,
                 stdin=json.dumps(policy))


def query(name, rdtype="A", ecs=None):
    options = []
    if ecs:
        net = ipaddress.ip_network(ecs)
        options = [dns.edns.ECSOption(str(net.network_address), net.prefixlen)]
    return dns.message.make_query(name, rdtype, use_edns=0, options=options, payload=1232)


def ask(a, name, rdtype="A", ecs=None):
    return dns.query.udp(query(name, rdtype, ecs), "127.0.0.1", port=a.port, timeout=10)


def values(reply):
    """Of the first set, in the order they came."""
    return tuple(r.to_text() for r in reply.answer[0]) if reply.answer else ()


def scope(reply):
    return next((o.scopelen for o in reply.options if int(o.otype) == 8), None)


def pools(**named):
    return {name: dict({"answers": [v if isinstance(v, dict) else {"value": v} for v in answers]}, **more)
            for name, (answers, more) in named.items()}


WEIGHTED = {"ttl": 30, "root": {"pool": "p"}, "pools": pools(
    p=([{"value": "198.51.100.1", "weight": 70}, {"value": "198.51.100.2", "weight": 30}], {"serve": "one"}))}


def counts(a, name, n, window=64):
    """How often each last octet of the answer comes, over n queries."""
    wire = bytearray(dns.message.make_query(name, "A").to_wire())
    found = collections.Counter()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.connect(("127.0.0.1", a.port))
        s.settimeout(10)
        for _ in range(n // window):
            for _ in range(window):
                s.send(wire)
            for _ in range(window):
                found[s.recv(512)[-1]] += 1
    return found


# ---- the model ----
def test_the_model_agrees(server):
    """Hundreds of trees, under several states of health, for several clients."""
    r = random.Random(7)
    maker = Maker(11, list(CHECKS), KEYS)
    policies = {f"n{i}": maker.policy() for i in range(POLICIES)}
    import_policies(server, "model.example", policies)
    asked = 0
    for state in range(5):
        share = (1.0, 0.8, 0.5, 0.2, 0.0)[state]
        health = {c: (r.random() < share, r.choice([None, 5, 10, 20]), r.randint(1, 5)) for c in CHECKS}
        for check, (up, rtt, since) in health.items():
            server.board.set(check, up, rtt, since)
        for name, policy in policies.items():
            for ecs in r.sample(CLIENTS, 3):
                client = {"net": ipaddress.ip_network(ecs)}
                reply = ask(server, f"{name}.model.example", ecs=ecs)
                right = possible(policy, client, health)
                assert reply.rcode() == 0
                # dnspython keeps the order of records within a set.
                assert values(reply) in right, (name, policy, ecs, health, values(reply), right)
                if reply.answer:
                    assert reply.answer[0].ttl == policy["ttl"]
                asked += 1
    server.board.all()
    assert asked == 5 * 3 * POLICIES


# ---- statistics ----
# Client networks that no key of KEYS tells apart.
NETWORKS = [f"172.{16 + i // 256}.{i % 256}.0" for i in range(1200)]


def asked_from(a, name, networks, window=48):
    """The answer to each network (ECS, /24), addresses in order; many questions on their way at a time."""
    first = query(name, ecs=f"{networks[0]}/24").to_wire()
    at, end = len(first) - 3, 12 + len(name) + 2 + 4
    found = {}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.connect(("127.0.0.1", a.port))
        s.settimeout(10)
        for start in range(0, len(networks), window):
            part = range(start, min(start + window, len(networks)))
            for i in part:
                s.send(struct.pack(">H", i) + first[2:at] + socket.inet_aton(networks[i])[:3])
            for _ in part:
                wire = s.recv(1500)
                answers = [wire[end + 16 * k + 12:end + 16 * k + 16] for k in range(wire[7])]
                found[networks[struct.unpack_from(">H", wire)[0]]] = tuple(map(socket.inet_ntoa, answers))
    return found


def import_policies(a, zone, policies):
    path = a.dir / zone
    path.write_text(zone_text(f"{zone}.", 1, "".join(
        f";ns-policy {name}.{zone}. A {json.dumps(p)}\n" for name, p in policies.items())))
    a.cli("zone", "import", zone, path)


def test_shares_are_the_models(server):
    """Generated trees, sticky ones among them: how often each answer comes, by weight, health and rotation."""
    r = random.Random(5)
    maker = Maker(23, list(CHECKS), KEYS)
    policies = {f"n{i}": maker.policy() for i in range(40)}
    import_policies(server, "shares.example", policies)
    health = {c: (r.random() < 0.7, r.choice([None, 5, 10]), r.randint(1, 5)) for c in CHECKS}
    for check, (up, rtt, since) in health.items():
        server.board.set(check, up, rtt, since)
    client, several = {"net": ipaddress.ip_network("172.16.0.0/24")}, 0
    for name, policy in policies.items():
        right = shares(policy, client, health)
        found = collections.Counter(asked_from(server, f"{name}.shares.example", NETWORKS).values())
        assert abs(sum(right.values()) - 1) < 1e-9 and set(found) <= set(right), (name, policy)
        several += len(right) > 1
        for answer, share in right.items():
            expect, sigma = share * len(NETWORKS), (share * (1 - share) * len(NETWORKS)) ** 0.5
            assert abs(found[answer] - expect) <= 5.5 * sigma + 1, (name, answer, found[answer], expect, policy)
    server.board.all()
    assert several > 10


def test_sticky_is_consistent(server):
    """A network keeps its answer; what goes moves its own networks, to where their weights send them; it comes back."""
    r = random.Random(9)
    policies = {}
    for i in range(8):
        checks = r.sample(list(CHECKS), 6)
        branches, made = [], {}
        for b in range(3):
            made[f"p{b}"] = {"serve": "one", "answers": [
                {"value": f"10.{i}.{b}.{k}", "weight": r.choice([1, 2, 5]), "check": checks[2 * b + k]} for k in range(2)]}
            branches.append({"weight": r.choice([1, 3, 10]), "then": {"pool": f"p{b}"}})
        policies[f"s{i}"] = {"root": {"use": "weighted", "sticky": "network", "branches": branches}, "pools": made}
    import_policies(server, "sticky.example", policies)
    client = {"net": ipaddress.ip_network("172.16.0.0/24")}
    for name, policy in policies.items():
        before = asked_from(server, f"{name}.sticky.example", NETWORKS)
        assert asked_from(server, f"{name}.sticky.example", NETWORKS) == before
        gone = policy["pools"]["p1"]["answers"][0]
        server.board.set(gone["check"], False)
        after = asked_from(server, f"{name}.sticky.example", NETWORKS)
        moved = {n for n in before if before[n] != after[n]}
        assert moved == {n for n in before if before[n] == (gone["value"],)} and moved
        health = {c: (c != gone["check"], None, 1) for c in CHECKS}
        for answer, share in shares(policy, client, health).items():
            sigma = (share * (1 - share) * len(NETWORKS)) ** 0.5
            assert abs(sum(a == answer for a in after.values()) - share * len(NETWORKS)) <= 5.5 * sigma + 1
        server.board.all()
        assert asked_from(server, f"{name}.sticky.example", NETWORKS) == before
    # One network, whatever the host.
    assert len({values(ask(server, "s0.sticky.example", ecs=f"172.16.9.{i}/32")) for i in range(20)}) == 1
    assert scope(ask(server, "s0.sticky.example", ecs="172.16.9.1/32")) == 24


def test_weighted_70_30(server):
    n = 100_000 // 64 * 64
    found = counts(server, "w.example.com", n)
    assert set(found) == {1, 2}
    # 5.5 sigma of sqrt(n · 0.7 · 0.3) = 145: once in 26 million runs
    assert abs(found[1] - 0.7 * n) < 5.5 * (n * 0.21) ** 0.5


def test_weights_follow_health(server):
    put(server, "wh", "A", {"root": {"use": "weighted", "branches": [
        {"weight": 50, "then": {"pool": "a"}}, {"weight": 30, "then": {"pool": "b"}},
        {"weight": 20, "then": {"pool": "c"}}, {"weight": 0, "then": {"pool": "d"}}]},
        "pools": pools(a=([{"value": "198.51.100.1", "check": "c1"}], {}),
                       b=([{"value": "198.51.100.2", "check": "c2"}], {}),
                       c=([{"value": "198.51.100.3", "check": "c3"}], {}), d=(["198.51.100.4"], {}))})
    n = 12800
    server.board.set("c1", False)
    found = counts(server, "wh.example.com", n)
    assert set(found) == {2, 3}
    assert abs(found[2] - 0.6 * n) < 5.5 * (n * 0.24) ** 0.5
    for check in ("c2", "c3"):
        server.board.set(check, False)
    assert set(counts(server, "wh.example.com", 640)) == {4}
    server.board.all()


# ---- the place and its scope ----
def test_scope_is_what_was_used(server):
    put(server, "g", "A", {"root": {"use": "geo", "default": {"pool": "d"}, "rules": [
        {"match": ["cidr:192.0.2.0/24"], "then": {"pool": "n"}},
        {"match": ["cidr:192.0.2.128/25"], "then": {"pool": "h"}}]},
        "pools": pools(d=(["10.0.0.1"], {}), n=(["10.0.0.2"], {}), h=(["10.0.0.3"], {}))})
    for ecs, answer, bits in (("192.0.2.129/32", "10.0.0.3", 25), ("192.0.2.1/32", "10.0.0.2", 25),
                              ("192.0.3.1/32", "10.0.0.1", 24), ("10.0.0.0/8", "10.0.0.1", 1),
                              ("192.0.2.0/24", "10.0.0.2", 25), ("192.0.0.0/16", "10.0.0.1", 23)):
        reply = ask(server, "g.example.com", ecs=ecs)
        assert (values(reply)[0], scope(reply)) == (answer, bits), ecs
    assert scope(ask(server, "plain.example.com", ecs="192.0.2.1/32")) == 0
    assert scope(ask(server, "w.example.com", ecs="192.0.2.1/32")) == 0
    assert scope(ask(server, "g.example.com")) is None
    # Without ECS the resolver's own address counts.
    assert values(ask(server, "g.example.com")) == ("10.0.0.1",)


def test_what_policies_made_is_counted(server):
    put(server, "cnt", "A", {"root": {"use": "geo", "default": {"pool": "p"}, "rules": [
        {"match": ["country:DE"], "then": {"pool": "q"}}]},
        "pools": pools(p=([{"value": "10.0.0.1", "check": "c1"}], {}), q=(["10.0.0.2"], {}))})
    put(server, "net", "A", {"root": {"use": "geo", "default": {"pool": "p"}, "rules": [
        {"match": ["cidr:192.0.2.0/24"], "then": {"pool": "q"}}]}, "pools": pools(p=(["10.0.0.1"], {}), q=(["10.0.0.2"], {}))})
    names = ("routed", "routed_down", "routed_ecs", "routed_nowhere")

    def counted():
        return [server.cli_json("stats")[n] for n in names]
    before = counted()

    def more(*by):
        wait_until(lambda: [b - a for a, b in zip(before, counted())] == list(by), (by, before, counted()))
    ask(server, "plain.example.com")
    ask(server, "cnt.example.com", ecs="192.0.2.0/24")
    ask(server, "cnt.example.com")
    more(2, 0, 0, 2)  # there is no file that knows places, and the answer is everybody's
    server.board.set("c1", False)
    ask(server, "cnt.example.com")
    ask(server, "net.example.com", ecs="192.0.2.1/32")
    more(4, 1, 1, 3)
    server.board.all()
    assert "from pools that are down" in server.cli("stats")


# ---- names ----
def test_chain_wildcard_apex(server):
    put(server, "alias", "CNAME", {"root": {"pool": "p"}, "pools": pools(
        p=([{"value": "target.example.com.", "check": "c1"}, {"value": "elsewhere.invalid.", "weight": 0}],
           {"serve": "one"}))})
    reply = ask(server, "alias.example.com")
    assert [s.rdtype for s in reply.answer] == [dns.rdatatype.CNAME, dns.rdatatype.A]
    assert ask(server, "alias.example.com", "CNAME").answer[0].ttl == 30
    server.board.set("c1", False)
    assert values(ask(server, "alias.example.com")) == ("elsewhere.invalid.",)
    server.board.all()
    put(server, "*.wild", "A", {"root": {"pool": "p"}, "pools": pools(p=(["10.0.0.9"], {}))})
    assert values(ask(server, "any.thing.wild.example.com")) == ("10.0.0.9",)
    put(server, "@", "A", {"root": {"pool": "p"}, "pools": pools(p=(["10.0.0.8"], {}))})
    assert values(ask(server, "example.com")) == ("10.0.0.8",)
    assert ask(server, "example.com", "SOA").answer
    put(server, "mail", "MX", {"root": {"pool": "p"}, "pools": pools(
        p=(["10 mx1.example.net.", "20 mx2.example.net."], {}))})
    assert values(ask(server, "mail.example.com", "MX")) == ("10 mx1.example.net.", "20 mx2.example.net.")


def test_the_pseudo_type_is_never_served(server):
    for rdtype in (65534, "ANY"):
        reply = ask(server, "w.example.com", rdtype)
        assert all(int(s.rdtype) != 65534 for s in reply.answer)
    assert not ask(server, "w.example.com", 65534).answer
    assert ask(server, "w.example.com", 65534).rcode() == 0
    reply = ask(server, "w.example.com", "AAAA")
    assert reply.rcode() == 0 and not reply.answer and reply.authority


# ---- how it is edited ----
def test_refusals_say_where(server):
    ok = {"root": {"pool": "p"}, "pools": pools(p=(["10.0.0.1"], {}))}
    for policy, name, says in (
            (ok, "plain", "plain A records and a policy for A"),
            ({"root": {"pool": "p"}, "pools": pools(p=([{"value": "10.0.0.1", "check": "nope"}], {}))}, "x",
             'the check "nope"'),
            ({"root": {"pool": "q"}, "pools": ok["pools"]}, "x", 'root: there is no pool "q"'),
            ({"root": {"pool": "p"}, "pools": pools(p=(["10.0.0.x"], {}))}, "x", "pools.p.answers[0]")):
        with pytest.raises(CliError) as e:
            put(server, name, "A", policy)
        assert e.value.code == 6 and says in e.value.err, e.value.err
    with pytest.raises(CliError) as e:
        server.cli("record", "set", "example.com", "w", 60, "A", "10.1.1.1", "--commit", "-m", "x")
    assert "policy for A" in e.value.err
    with pytest.raises(CliError) as e:
        put(server, "@", "CNAME", {"root": {"pool": "p"}, "pools": pools(p=(["a.example."], {}))})
    assert "apex" in e.value.err


def test_draft_show_list_del_history(server):
    policy = {"ttl": 9, "root": {"pool": "p"}, "pools": pools(p=(["10.0.0.1"], {"serve": "one"}))}
    server.cli("policy", "set", "example.com", "d", "A", "-", stdin=json.dumps(policy))
    assert not ask(server, "d.example.com").answer
    assert "NSPOLICY" in server.cli("plan", "example.com")
    server.cli("commit", "example.com", "-m", "draft")
    assert values(ask(server, "d.example.com")) == ("10.0.0.1",)
    put(server, "d", "AAAA", {"root": {"pool": "p"}, "pools": pools(p=(["2001:db8::1"], {}))})
    assert server.cli_json("policy", "show", "example.com", "d", "A") == policy
    rows = server.cli_json("policy", "list", "example.com")["policies"]
    assert {r["type"] for r in rows if r["name"] == "d.example.com."} == {"A", "AAAA"}
    done = json.loads(server.cli("policy", "del", "example.com", "d", "A", "--commit", "-m", "gone", "--json"))
    assert not ask(server, "d.example.com").answer
    assert values(ask(server, "d.example.com", "AAAA")) == ("2001:db8::1",)
    with pytest.raises(CliError) as e:
        server.cli("policy", "show", "example.com", "d", "A")
    assert e.value.code == 3
    server.cli("revert", done["revision"])  # a policy, too, comes back by way of a draft
    server.cli("commit", "example.com")
    assert values(ask(server, "d.example.com")) == ("10.0.0.1",)


def test_drain_of_an_answer(server):
    """It counts as down: its pool goes on without it, failover passes over it, and its check has no say."""
    policy = {"ttl": 77, "root": {"use": "failover", "order": [{"pool": "a"}, {"pool": "b"}]}, "pools": pools(
        a=([{"value": "10.0.0.1", "check": "c1"}, {"value": "10.0.0.2", "weight": 3, "check": "c2"}], {}),
        b=(["10.0.0.3"], {}))}
    put(server, "dr", "A", policy)
    words = ("example.com", "dr", "A")
    shown = server.cli_json("policy", "show", *words)
    done = server.cli_run("policy", "drain", *words, "10.0.0.2", "--commit", "-m", "maintenance")
    assert done.returncode == 0 and "in 77 s" in done.stderr and "forgotten it at" in done.stderr
    assert values(ask(server, "dr.example.com")) == ("10.0.0.1",)
    drained = server.cli_json("policy", "show", *words)["pools"]["a"]["answers"][1]
    assert drained == {"value": "10.0.0.2", "weight": 3, "check": "c2", "drain": True}
    server.cli("policy", "drain", *words, "10.0.0.1", "--commit", "-m", "the other too")
    assert values(ask(server, "dr.example.com")) == ("10.0.0.3",)
    for value in ("10.0.0.1", "10.0.0.2"):
        server.cli("policy", "undrain", *words, value, "--commit", "-m", "back")
    assert server.cli_json("policy", "show", *words) == shown
    assert values(ask(server, "dr.example.com")) == ("10.0.0.1", "10.0.0.2")
    # In a draft it waits for the commit, and the plan knows how long old answers live.
    server.cli("policy", "drain", *words, "10.0.0.2")
    assert values(ask(server, "dr.example.com")) == ("10.0.0.1", "10.0.0.2")
    assert "up to 77 s" in server.cli("plan", "example.com")
    server.cli("draft", "drop", "example.com", "--yes")
    assert "no answer" in server.fails(3, "policy", "drain", *words, "10.9.9.9", "--commit", "-m", "x")
    assert "no policy" in server.fails(3, "policy", "drain", "example.com", "dr", "AAAA", "10.0.0.2")
    policy["pools"]["a"]["answers"][1]["drain"] = 1
    with pytest.raises(CliError) as e:
        put(server, "dr", "A", policy)
    assert "true or false" in e.value.err


def test_export_reads_back(server):
    text = server.cli("zone", "export", "example.com")
    lines = text.splitlines()
    at = next(i for i, l in enumerate(lines) if l.startswith(";ns-policy w.example.com. A "))
    assert lines[at + 1:at + 3] == ["w.example.com. 30 IN A 198.51.100.1", "w.example.com. 30 IN A 198.51.100.2"]
    assert "NSPOLICY" not in text
    path = server.dir / "again"
    path.write_text(text)
    out = server.cli("zone", "import", "example.com", path)
    assert "1 unchanged" in out or "unchanged" in out
    assert server.cli("zone", "export", "example.com") == text
    with pytest.raises(CliError) as e:
        server.cli("verify")
    # Nothing but the checks, which were put into the store by hand.
    findings = e.value.out.splitlines()[1:]
    assert len(findings) == len(CHECKS) and all("is of no change that put it" in line for line in findings)


def test_a_check_that_a_policy_needs_stays(server):
    put(server, "needs", "A", {"root": {"pool": "p"}, "pools": pools(p=([{"value": "10.0.0.1", "check": "c2"}], {}))})
    with pytest.raises(CliError) as e:
        server.cli("check", "del", "c2", "--commit", "-m", "t")
    assert e.value.code == 5 and "in zone example.com. needs it" in e.value.err
    with pytest.raises(CliError) as e:
        put(server, "needs", "A", {"root": {"pool": "p"},
                                   "pools": pools(p=([{"value": "10.0.0.1", "check": "nobody"}], {}))})
    assert "nobody" in e.value.err and e.value.code == 6
    path = server.dir / "unknown"
    path.write_text(zone_text("unknown.example.", 7, ';ns-policy w.unknown.example. A {"root":{"pool":"p"},"pools":'
                              '{"p":{"answers":[{"value":"10.0.0.1","check":"nobody"}]}}}\n'))
    assert "nobody" in server.fails(6, "zone", "import", "unknown.example", path)


def test_how_many_different_answers(server):
    policy = {"ttl": 9, "root": {"pool": "p"}, "pools": pools(p=([{"value": f"10.0.0.{i}", "check": f"c{i}"}
                                                                  for i in range(3)], {"serve": 2}))}
    server.cli("policy", "set", "example.com", "cl", "A", "-", stdin=json.dumps(policy))
    assert "policy for A at cl.example.com.: 3 different answers" in server.cli("plan", "example.com")
    assert server.cli_json("plan", "example.com")["policies"] == [
        {"zone": "example.com.", "name": "cl.example.com.", "type": "A", "rrsets": 3}]
    done = json.loads(server.cli("commit", "example.com", "-m", "closure", "--json"))
    assert done["policies"][0]["rrsets"] == 3 and not done.get("warnings")
    shown = server.cli_run("policy", "show", "example.com", "cl", "A")
    assert json.loads(shown.stdout) == policy and "3 different answers" in shown.stderr
    rows = server.cli_json("policy", "list", "example.com")["policies"]
    assert [r["closure"] for r in rows if r["name"] == "cl.example.com."] == [3]
    many = {"root": {"use": "latency", "branches": [{"then": {"pool": f"p{p}"}} for p in range(8)]}, "pools": pools(
        **{f"p{p}": ([{"value": f"10.1.{p}.{i}", "check": f"c{i % 12}"} for i in range(64)], {"serve": 32})
           for p in range(8)})}
    server.cli("policy", "set", "example.com", "many", "A", "-", stdin=json.dumps(many))
    told = server.cli("plan", "example.com")
    assert "W1211" in told and "more than 4096 different answers" in told
    server.cli("draft", "drop", "example.com", "--yes")


# ---- why ----
def test_test_says_why(server):
    policy = {"root": {"use": "geo", "default": {"pool": "d"}, "rules": [
        {"match": ["cidr:192.0.2.0/24"], "then": {"use": "failover", "order": [{"pool": "a"}, {"pool": "d"}]}}]},
        "pools": pools(a=([{"value": "10.0.0.1", "check": "c1"}], {}), d=(["10.0.0.2"], {}))}
    put(server, "why", "A", policy)
    server.board.set("c1", False)
    for ecs, answer, last in (("192.0.2.9/32", "10.0.0.2", "branch 1"), ("10.0.0.1", "10.0.0.2", "default")):
        told = server.cli_json("test", "why.example.com", "A", "--ecs", ecs)
        assert told["rcode"] == "NOERROR" and told["answers"] == [f"why.example.com. 30 IN A {answer}"]
        assert any(last in s["text"] for s in told["steps"]), told
        assert {"policy", "geo", "health", "zone", "answer"} <= {s["step"] for s in told["steps"]}
    server.board.all()
    told = server.cli_json("test", "why.example.com.", "a", "--client", "192.0.2.77")
    assert told["answers"] == ["why.example.com. 30 IN A 10.0.0.1"] and told["scope"] == 0
    assert server.cli_json("test", "nope.example.org", "A")["rcode"] == "REFUSED"
    told = server.cli_json("test", "plain.example.com", "A")
    assert told["answers"] and any("no policy" in s["text"] for s in told["steps"])
    assert "branch 0" in server.cli("test", "why.example.com", "A", "--ecs", "192.0.2.9")
    for bad in (("--ecs", "x"), ("--client", "y")):
        assert bad[0].lstrip("-") in server.fails(2, "test", "why.example.com", "A", *bad)


def drafted(a, name, rdtype="A", *more):
    told = a.cli_json("test", f"{name}.example.com" if name else "example.com", rdtype, "--draft", "--all", *more)
    return told["rcode"], told["answers"], [s["text"] for s in told["steps"] if s["step"] == "draft"]


def test_a_draft_is_tested_before_it_is_committed(server):
    """As the plan would make it: policies and records, in several zones and large ones; and nothing is served."""
    a, pool = server, {"ttl": 9, "root": {"pool": "p"}}
    a.fails(3, "test", "leaves.example.com", "A", "--draft")
    path = a.dir / "large"
    path.write_text(zone_text("large.example.", 7, "".join(f"h{i} IN A 10.7.{i >> 8}.{i & 255}\n" for i in range(5000))))
    a.cli("zone", "import", "large.example", path)
    a.cli("record", "set", "example.com", "leaves", 60, "A", "192.0.2.9", "--commit", "-m", "t")
    put(a, "dt", "A", {**pool, "pools": pools(p=([{"value": "10.0.0.1", "check": "c1"}, "10.0.0.2"], {}))})
    a.cli("policy", "set", "example.com", "dt", "A", "-", stdin=json.dumps(
        {**pool, "ttl": 5, "pools": pools(p=([{"value": "10.0.0.3", "check": "c1"}, "10.0.0.4"], {}))}))
    a.cli("policy", "set", "example.com", "*.dt", "A", "-", stdin=json.dumps({**pool, "pools": pools(p=(["10.0.0.5"], {}))}))
    a.cli("record", "del", "example.com", "leaves", "A")
    a.cli("record", "set", "example.com", "away", 60, "CNAME", "h4000.large.example.")
    a.cli("record", "set", "large.example", "h4000", 60, "A", "10.8.8.8")
    here = ["example.com. as the draft would make it", "large.example. as the draft would make it"]
    assert drafted(a, "dt") == ("NOERROR", ["dt.example.com. 5 IN A 10.0.0.3", "dt.example.com. 5 IN A 10.0.0.4"], here)
    a.board.set("c1", False)
    assert drafted(a, "dt")[1] == ["dt.example.com. 5 IN A 10.0.0.4"]
    a.board.all()
    assert drafted(a, "x.dt")[1] == ["x.dt.example.com. 9 IN A 10.0.0.5"]
    assert drafted(a, "leaves")[:2] == ("NXDOMAIN", [])
    assert drafted(a, "away")[1] == ["away.example.com. 60 IN CNAME h4000.large.example.", "h4000.large.example. 60 IN A 10.8.8.8"]
    assert drafted(a, "target")[1][0].endswith("192.0.2.11")
    said = a.cli("test", "dt.example.com", "A", "--draft")
    assert here[0] in said and "10.0.0.3" in said
    # Nothing of it is served, and without --draft nothing of it is told.
    assert values(ask(a, "dt.example.com")) == ("10.0.0.1", "10.0.0.2")
    assert values(ask(a, "leaves.example.com")) and not ask(a, "away.example.com").answer
    told = a.cli_json("test", "dt.example.com", "A")
    assert [t.split()[-1] for t in told["answers"]] == ["10.0.0.1", "10.0.0.2"] and "draft" not in {s["step"] for s in told["steps"]}
    # What was committed meanwhile is a conflict, as it is for the plan; rebased it is tested again.
    a.cli("record", "set", "large.example", "h1", 60, "A", "10.9.9.9", "--commit", "-m", "meanwhile")
    a.fails(5, "test", "dt.example.com", "A", "--draft", "--all")
    # The draft of the zone that is asked is in nobody's way.
    assert "large" not in a.cli("test", "dt.example.com", "A", "--draft")
    assert "no draft of its zone" in a.fails(3, "test", "www.example.org", "A", "--draft")
    a.cli("draft", "rebase", "large.example")
    assert drafted(a, "away")[1][1].endswith("10.8.8.8")
    serial = a.cli_json("test", "example.com", "SOA", "--draft")["answers"]
    a.cli("commit", "--all", "-m", "as tested")
    assert [r.to_text() for r in ask(a, "example.com", "SOA").answer[0]][0].split()[2] == serial[0].split()[6]
    assert values(ask(a, "x.dt.example.com")) == ("10.0.0.5",)


# ---- and the model can fail ----
@pytest.mark.parametrize("rule", ["weight", "specificity", "fallback"])
def test_a_broken_rule_is_found_out(rule):
    built = variant(worker=BUILD / f"break-{rule}" / "nameserve-worker")
    try:
        with appliance_with_checks(built) as a, pytest.raises(AssertionError):
            (test_shares_are_the_models if rule == "weight" else test_the_model_agrees)(a)
    finally:
        shutil.rmtree(built)
