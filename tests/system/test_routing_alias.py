"""ALIAS: flattened addresses through a real resolver (Unbound) from an authoritative peer that the test rules."""

import contextlib
import json

import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import pytest

from aliaspeer import Peer, resolver
from appliance import Appliance, CliError, zone_text
from peers import free_port, wait_until

KEEP = 6


@pytest.fixture(scope="module")
def world():
    peer, port = Peer(), free_port()
    with contextlib.ExitStack() as stack:
        stack.callback(peer.close)
        stack.enter_context(resolver(peer.port, port))
        a = stack.enter_context(Appliance(config=f"[resolver]\naddress = 127.0.0.1@{port}\nkeep = {KEEP}\n"))
        for zone in ("example.com", "example.net"):
            path = a.dir / zone
            path.write_text(zone_text(f"{zone}.", 7, "plain IN A 192.0.2.10\nplain IN AAAA 2001:db8::10\n"))
            a.cli("zone", "import", zone, path)
        a.peer = peer
        yield a


def ask(a, name, rdtype="A", **more):
    return dns.query.udp(dns.message.make_query(name, rdtype, use_edns=0, payload=1232, **more), "127.0.0.1",
                         port=a.port, timeout=10)


def values(reply):
    return sorted(r.to_text() for s in reply.answer for r in s)


def ede(reply):
    return " ".join(o.text or "" for o in reply.options if int(o.otype) == 15)


def put(a, name, target, *more, ttl=300, zone="example.com"):
    return a.cli("record", "set", zone, name, ttl, "ALIAS", target, "--commit", "-m", "test", *more)


def gives(a, name, expected, rdtype="A", seconds=20):
    wait_until(lambda: values(ask(a, name, rdtype)) == sorted(expected), f"{name} {rdtype} gives {expected}", seconds)
    return ask(a, name, rdtype)


def listed(a, name):
    return next(i for i in a.cli_json("alias", "list")["items"] if i["name"] == name)


# ---- targets of ours ----
def test_followed_at_once_where_it_is_ours(world):
    put(world, "near", "plain.example.com.", ttl=60)
    reply = ask(world, "near.example.com")
    assert values(reply) == ["192.0.2.10"] and reply.answer[0].name.to_text() == "near.example.com."
    assert len(reply.answer) == 1 and reply.answer[0].ttl == 60 and reply.flags & dns.flags.AA
    assert values(ask(world, "near.example.com", "AAAA")) == ["2001:db8::10"]
    for rdtype in ("TXT", "TYPE65401", "MX"):  # what it is, nobody is told
        reply = ask(world, "near.example.com", rdtype)
        assert reply.rcode() == 0 and not reply.answer and reply.authority
    assert values(ask(world, "near.example.com", "ANY")) == ["192.0.2.10"]
    put(world, "far", "near.example.com.", zone="example.net")  # another zone, and an ALIAS there
    assert values(ask(world, "far.example.net")) == ["192.0.2.10"]
    world.cli("record", "set", "example.com", "cn", 5, "CNAME", "plain.example.com.", "--commit")
    put(world, "viacn", "cn.example.com.")
    assert ask(world, "viacn.example.com").answer[0].ttl == 5
    put(world, "*.wild", "plain.example.com.")
    assert values(ask(world, "any.thing.wild.example.com")) == ["192.0.2.10"]
    world.cli("record", "set", "example.com", "tocn", 5, "CNAME", "near.example.com.", "--commit")
    assert [s.rdtype for s in ask(world, "tocn.example.com").answer] == [dns.rdatatype.CNAME, dns.rdatatype.A]
    put(world, "void", "nothing.example.com.")
    reply = ask(world, "void.example.com")
    assert reply.rcode() == 0 and not reply.answer and reply.authority[0].rdtype == dns.rdatatype.SOA
    assert listed(world, "near.example.com.")["state"] == "ours"


def test_through_its_policy(world):
    policy = {"ttl": 9, "root": {"use": "geo", "default": {"pool": "b"}, "rules": [
        {"match": ["cidr:192.0.2.0/24"], "then": {"pool": "a"}}]},
        "pools": {"a": {"answers": [{"value": "10.0.0.1"}]}, "b": {"answers": [{"value": "10.0.0.2"}]}}}
    world.cli("policy", "set", "example.net", "routed", "A", "-", "--commit", "-m", "t", stdin=json.dumps(policy))
    put(world, "@", "routed.example.net.")
    for net, value in (("192.0.2.0", "10.0.0.1"), ("198.51.100.0", "10.0.0.2")):
        reply = ask(world, "example.com", options=[dns.edns.ECSOption(net, 24)])
        assert values(reply) == [value] and reply.answer[0].ttl == 9
        assert [o.scopelen for o in reply.options if int(o.otype) == 8] == [24 if value == "10.0.0.1" else 6]
    assert ask(world, "example.com", "SOA").answer and ask(world, "example.com", "NS").answer
    told = world.cli_json("test", "example.com", "A", "--ecs", "192.0.2.9/32")
    assert told["answers"] == ["example.com. 9 IN A 10.0.0.1"] and "alias" in [s["step"] for s in told["steps"]]
    world.cli("record", "set", "example.net", "mail", 60, "MX", "10 routed.example.net.", "--commit")
    reply = ask(world, "mail.example.net", "MX", options=[dns.edns.ECSOption("192.0.2.0", 24)])
    assert [s.to_text() for s in reply.additional] == ["routed.example.net. 9 IN A 10.0.0.1"]
    mx = {"root": {"pool": "m"}, "pools": {"m": {"answers": [{"value": "5 plain.example.net."}]}}}
    world.cli("policy", "set", "example.net", "pmail", "MX", "-", "--commit", "-m", "t", stdin=json.dumps(mx))
    assert sorted(s.to_text() for s in ask(world, "pmail.example.net", "MX").additional) == [
        "plain.example.net. 300 IN A 192.0.2.10", "plain.example.net. 300 IN AAAA 2001:db8::10"]


def test_a_loop_ends(world):
    put(world, "loop1", "loop2.example.com.")
    put(world, "loop2", "loop1.example.com.")
    reply = ask(world, "loop1.example.com")
    assert reply.rcode() == dns.rcode.SERVFAIL and "loop" in ede(reply)


def test_what_is_refused(world):
    for name, target, word in (("plain", "x.test.", "A"), ("self", "self.example.com.", "itself"), ("dot", ".", "root"),
                               ("two", "a.test", "dot")):
        with pytest.raises(CliError) as e:
            put(world, name, target)
        assert word in e.value.err
    put(world, "held", "x.test.")
    for rdtype, value in (("A", "192.0.2.1"), ("CNAME", "x.test."), ("ALIAS", "y.test.")):
        with pytest.raises(CliError) as e:
            world.cli("record", "add", "example.com", "held", 300, rdtype, value, "--commit", "-m", "t")
        assert e.value.code == 6, e.value
    world.cli("record", "add", "example.com", "held", 300, "TXT", "beside", "--commit", "-m", "t")


# ---- targets elsewhere ----
def test_looked_up_kept_and_let_go(world):
    """Many targets at once, each with its own fate, so that their waits are one."""
    peer, start = world.peer, ["198.51.100.1", "198.51.100.2"]
    fates = ("moves", "servfail", "nxdomain", "empty", "loses6", "silent")
    for name in fates:
        peer.put(f"{name}.test", start, ["2001:db8::1"])
    peer.put("slow.test", ["198.51.100.7"], ttl=3600)
    peer.put("chain.test", cname="moves.test.", ttl=900)
    peer.put("private.test", ["10.0.0.1"])
    peer.put("never.test", rcode=dns.rcode.SERVFAIL)
    for name in (*fates, "slow", "chain", "private", "never"):
        put(world, name, f"{name}.test.", ttl=300)
    for name in fates:
        reply = gives(world, f"{name}.example.com", start)
        assert reply.answer[0].ttl <= 5
        gives(world, f"{name}.example.com", ["2001:db8::1"], "AAAA")
    assert 295 <= gives(world, "slow.example.com", ["198.51.100.7"]).answer[0].ttl <= 300  # the lesser: its own
    assert not ask(world, "slow.example.com", "AAAA").answer
    gives(world, "chain.example.com", start)
    gives(world, "private.example.com", [])
    wait_until(lambda: "probe" in listed(world, "private.example.com.")["reason"], "a reason")
    reply = ask(world, "never.example.com")
    assert reply.rcode() == dns.rcode.SERVFAIL and "ALIAS" in ede(reply)

    peer.put("moves.test", ["198.51.100.9"], ["2001:db8::9"])
    peer.put("loses6.test", start)
    peer.put("empty.test")
    for name, code in (("servfail", dns.rcode.SERVFAIL), ("nxdomain", dns.rcode.NXDOMAIN)):
        peer.put(f"{name}.test", rcode=code)
    del peer.zone["silent.test"]
    gives(world, "moves.example.com", ["198.51.100.9"])
    gives(world, "moves.example.com", ["2001:db8::9"], "AAAA")
    gives(world, "loses6.example.com", [], "AAAA")
    assert values(ask(world, "loses6.example.com")) == start
    # What a fault says is not believed at once: the last addresses stay until the ceiling, and then go.
    for name, text in (("servfail", "SERVFAIL"), ("nxdomain", "NXDOMAIN"), ("empty", "no address")):
        wait_until(lambda: text in listed(world, f"{name}.example.com.")["reason"] or
                   listed(world, f"{name}.example.com.")["state"] == "lost", f"{name} is seen", 20)
    wait_until(lambda: "ALIAS targets cannot be resolved" in json.dumps(world.cli_json("status")["problems"]), "status says so")
    peer.put("servfail.test", ["198.51.100.3"])
    wait_until(lambda: ask(world, "silent.example.com").rcode() == dns.rcode.SERVFAIL, "let go", 40)
    wait_until(lambda: listed(world, "silent.example.com.")["state"] == "lost", "and told")
    gives(world, "servfail.example.com", ["198.51.100.3"], seconds=90)  # it heals by itself


def test_through_a_cname_of_ours_that_leads_out(world):
    """The way's end is looked up, not only the target, which the resolver may see otherwise or not at all; it
    follows edits of the way; a policy's CNAME leads each client to its own."""
    peer = world.peer
    peer.put("end1.test", ["198.51.100.21"], ["2001:db8::21"], ttl=3600)
    peer.put("end2.test", ["198.51.100.22"], ttl=3600)
    for name, target in (("way1", "way2"), ("way2", "end1.test.")):
        world.cli("record", "set", "example.com", name, 5, "CNAME", target, "--commit")
    put(world, "out1", "way1.example.com.")
    put(world, "out2", "out1.example.com.", zone="example.net")  # from another zone, over an ALIAS
    gives(world, "out1.example.com", ["198.51.100.21"])
    gives(world, "out1.example.com", ["2001:db8::21"], "AAAA")
    assert gives(world, "out2.example.net", ["198.51.100.21"]).answer[0].ttl <= 5
    # An edit in the middle of the way, of no ALIAS.
    world.cli("record", "set", "example.com", "way2", 5, "CNAME", "end2.test.", "--commit")
    gives(world, "out1.example.com", ["198.51.100.22"])
    assert gives(world, "out1.example.com", [], "AAAA").rcode() == 0
    policy = {"ttl": 9, "root": {"use": "geo", "default": {"pool": "b"}, "rules": [
        {"match": ["cidr:192.0.2.0/24"], "then": {"pool": "a"}}]},
        "pools": {"a": {"answers": [{"value": "end1.test."}]}, "b": {"answers": [{"value": "end2.test."}]}}}
    world.cli("record", "del", "example.com", "way2", "CNAME", "--commit")
    world.cli("policy", "set", "example.com", "way2", "CNAME", "-", "--commit", "-m", "t", stdin=json.dumps(policy))
    for net, value in (("192.0.2.0", "198.51.100.21"), ("198.51.100.0", "198.51.100.22")):
        wait_until(lambda net=net, value=value: values(
            ask(world, "out1.example.com", options=[dns.edns.ECSOption(net, 24)])) == [value], f"{net} gets {value}", 20)
    asked = len(peer.asked)
    world.cli("record", "set", "example.com", "unrelated", 5, "A", "192.0.2.1", "--commit")
    assert not {"end1.test.", "end2.test."} & set(peer.asked[asked:])  # what is fresh is not asked for again


def test_kept_over_deaths(world):
    peer = world.peer
    peer.put("stays.test", ["198.51.100.5"], ttl=3600)
    put(world, "stays", "stays.test.")
    gives(world, "stays.example.com", ["198.51.100.5"])
    asked = peer.asked.count("stays.test.")
    world.kill_role("probe")
    assert values(ask(world, "stays.example.com")) == ["198.51.100.5"]
    world.stop()
    world.start()  # all memory is new: what it knows was on the disk
    assert values(ask(world, "stays.example.com")) == ["198.51.100.5"]
    assert peer.asked.count("stays.test.") == asked, "what is fresh is not asked for again"


def test_export_and_list(world):
    world.peer.put("out.test", ["198.51.100.8"], ["2001:db8::8"], ttl=3600)
    put(world, "out", "out.test.", ttl=77)
    gives(world, "out.example.com", ["198.51.100.8"])
    gives(world, "out.example.com", ["2001:db8::8"], "AAAA")
    text = world.cli("zone", "export", "example.com")
    lines = text.splitlines()
    at = lines.index(";ns-alias out.example.com. 77 out.test.")
    assert lines[at + 1:at + 3] == ["out.example.com. 77 IN A 198.51.100.8", "out.example.com. 77 IN AAAA 2001:db8::8"]
    path = world.dir / "again"
    path.write_text(text)
    assert "unchanged" in world.cli("zone", "import", "example.com", path)
    path.write_text(zone_text("pdns.example.", 7, "pdns.example. 60 IN ALIAS out.test.\n"))
    world.cli("zone", "import", "pdns.example", path)
    assert values(ask(world, "pdns.example")) == ["198.51.100.8"]  # the target is known already
    assert "out.test." in world.cli("alias", "list", "pdns.example") and "198.51.100.8" in world.cli("alias", "list")
    world.cli("zone", "delete", "pdns.example", "--confirm=pdns.example")
    assert not any(i["zone"] == "pdns.example." for i in world.cli_json("alias", "list")["items"])
    page = world.cli_json("alias", "list", "--limit", "2")
    again = world.cli_json("alias", "list", "--limit", "2", "--cursor", page["next"])
    assert len(page["items"]) == 2 and page["items"][1]["name"] != again["items"][0]["name"]
    world.cli("verify")
