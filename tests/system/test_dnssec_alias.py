"""ALIAS in zones that are signed here: what targets elsewhere resolve to is signed when it comes and whenever it changes. A
validating resolver asks throughout, NSEC and NSEC3; targets of ours are among the questions of test_dnssec_validators.py."""

import concurrent.futures
import contextlib
import json
import os
import signal
import time

import dns.edns
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import pytest

import signed_here
import validators
from aliaspeer import Peer, resolver
from appliance import Appliance, CliError
from peers import free_port, wait_until

ZONES = ["our", "our3"]
FIRST, SECOND, THIRD = ["198.51.100.1", "198.51.100.2"], ["198.51.100.3"], ["198.51.100.4"]
SIX = ["2001:db8::1"]
ASKED = (("mv.our.", "A"), ("our3.", "A"), ("lo.our3.", "AAAA"))


@pytest.fixture(scope="module")
def site():
    peer, port = Peer(), free_port()
    peer.put("moves.test", FIRST, SIX)
    peer.put("loses.test", FIRST, SIX)
    peer.put("only4.test", FIRST, ttl=3600)
    peer.put("only6.test", (), SIX, ttl=3600)
    with contextlib.ExitStack() as stack:
        stack.callback(peer.close)
        stack.enter_context(resolver(peer.port, port))
        a = stack.enter_context(Appliance(config=f"[resolver]\naddress = 127.0.0.1@{port}\n"))
        made = signed_here.Site(a, ZONES)
        stack.callback(made.close)
        made.peer = peer
        a.cli("record", "set", ".", "test.", 300, "NS", "ns.elsewhere.", "--commit", "-m", "not ours")
        for zone in ZONES:
            for name, target in (("@", "moves"), ("mv", "moves"), ("lo", "loses"), ("o4", "only4"), ("o6", "only6"), ("*.wa", "moves"), ("un", "un")):
                a.cli("record", "set", zone, name, 300, "ALIAS", f"{target}.test.", "--commit", "-m", "t")
        known = [(n, t) for n in ("mv", "lo", "x.wa") for t in ("A", "AAAA")] + [("o4", "A"), ("o6", "AAAA")]
        wait_until(lambda: all(addresses(ask(a, f"{n}.{z}", t)) for z in ZONES for n, t in known), "all is looked up", 60)
        yield made


def ask(a, name, rdtype="A", dnssec=True):
    query = dns.message.make_query(name, rdtype, want_dnssec=dnssec, use_edns=0, payload=1232)
    return dns.query.udp(query, "127.0.0.1", port=a.port, timeout=10)


def addresses(reply):
    """What is sent; with DO never without its signature."""
    kinds = [s.rdtype for s in reply.answer]
    if reply.ednsflags & 0x8000:
        assert kinds in ([], [reply.question[0].rdtype, dns.rdatatype.RRSIG]), reply
        for sig in reply.answer[1:]:
            assert sig.ttl == reply.answer[0].ttl <= sig[0].original_ttl == 300
    return sorted(r.address for s in reply.answer if s.rdtype != dns.rdatatype.RRSIG for r in s)


def unsigned(a):
    return a.cli_json("stats")["policy_unsigned_total"]


def questions():
    """(name, type, rcode, secure) of what is known, and of what is not: nobody may be told that there is nothing."""
    for zone in ZONES:
        for owner in ("", "mv.", "o4.", "o6.", "any.wa."):
            for rdtype in ("A", "AAAA", "TXT", "SRV"):
                yield f"{owner}{zone}.", rdtype, 0, True
        yield f"un.{zone}.", "TXT", 0, True


def test_validators_accept_what_there_is(site):
    with validators.Unbound(site.a.port, site.key, site.zones) as unbound:
        asked = list(questions())
        wrong = [(q, f, unbound.why(*q[:2])) for q, f in zip(asked, unbound.ask_all(asked)) if q[2:] != f]
    assert not wrong, wrong
    for question in (("mv.our.", "A"), ("mv.our3.", "AAAA"), ("o4.our3.", "AAAA"), ("o6.our.", "A"), ("y.wa.our3.", "A"), ("our.", "TXT")):
        found = validators.delv(site.folder, site.a.port, site.key, (*question, 0, True))
        assert validators.delv_is_right((*question, 0, True), found), (question, found)
    for zone in ZONES:
        assert addresses(ask(site.a, f"mv.{zone}")) == FIRST and addresses(ask(site.a, f"o6.{zone}", "AAAA")) == SIX
        assert addresses(ask(site.a, f"o6.{zone}", "ANY", dnssec=False)) == SIX
        assert ask(site.a, f"un.{zone}").rcode() == dns.rcode.SERVFAIL


def types_of(reply):
    """Of the NSEC or NSEC3 in the reply that has most types."""
    found = [s[0] for s in reply.authority if s.rdtype in (dns.rdatatype.NSEC, dns.rdatatype.NSEC3)]
    return {t for r in found for t in (1, 28) if any(w == 0 and len(b) > t // 8 and b[t // 8] & 0x80 >> t % 8
                                                     for w, b in r.windows)}


def test_denials_leave_out_what_is_certainly_not_there(site):
    for zone in ZONES:
        want = {"mv": {1, 28}, "o4": {1}, "o6": {28}, "un": {1, 28}}  # of what is not known nothing is denied
        assert {name: types_of(ask(site.a, f"{name}.{zone}", "SRV")) for name in want} == want


def test_the_signature_that_is_used_is_told(site):
    """Of an ALIAS, a policy and plain records, with and without --do; of what is not there, those of its proof."""
    a = site.a
    zsk = next(k for k in a.cli_json("dnssec", "keys", "our")["keys"] if k["role"] == "zsk")
    for name, rdtype, more in (("mv.our.", "A", ()), ("mv.our.", "A", ("--do",)), ("fail.our.", "A", ()), ("weigh.our.", "A", ()),
                               ("www.our.", "A", ()), ("www.our.", "MX", ()), ("x.wa.our.", "AAAA", ())):
        told = a.cli_json("test", name, rdtype, *more)
        signs = [s["text"] for s in told["steps"] if s["step"] == "sign"]
        assert signs and all(f"key {zsk['tag']} (ECDSAP256SHA256), RRSIG expires 20" in s for s in signs), told
        assert told["steps"][-1]["step"] == "answer" and any("RRSIG" in r for r in told["answers"]) == ("--do" in more), told
    assert f"key {zsk['tag']} (ECDSAP256SHA256)" in a.cli("test", "mv.our.", "A")
    assert "sign" not in [s["step"] for s in a.cli_json("test", "www.plain.", "A")["steps"]]


def look(site, name):
    """What is known of the target (no DO: at once), and what is signed of it."""
    return tuple(addresses(ask(site.a, name, dnssec=dnssec)) for dnssec in (False, True))


def test_a_target_that_changes(site):
    """Other addresses, one family less: what is sent is signed before, during and after."""
    seen = {}

    def both(want):
        for zone in ZONES:
            known, signed = look(site, f"mv.{zone}")
            for what, now in (("known", known), ("signed", signed)):
                if now == want:
                    seen.setdefault((what, zone, str(want)), time.monotonic())
        return len([k for k in seen if k[2] == str(want)]) == 2 * len(ZONES)

    with validators.Asking(site, ASKED, pause=0.002):
        site.peer.put("moves.test", SECOND, SIX)
        site.peer.put("loses.test", FIRST)
        wait_until(lambda: both(SECOND), "signed again", 30)
        wait_until(lambda: all(not addresses(ask(site.a, f"lo.{z}", "AAAA")) and
                               types_of(ask(site.a, f"lo.{z}", "SRV")) == {1} for z in ZONES), "IPv6 is gone", 30)
    late = [1000 * (seen["signed", z, str(SECOND)] - seen["known", z, str(SECOND)]) for z in ZONES]
    print(f"ms from the first answer with new addresses to its signature: {[round(ms, 1) for ms in late]}")
    assert max(late) < 2500


def test_a_dead_signer_leaves_the_last_signed_addresses(site):
    wait_until(lambda: look(site, "mv.our") == (SECOND, SECOND), "settled", 30)
    before, pid = unsigned(site.a), site.a.pid("signer")
    site.peer.put("moves.test", THIRD, SIX)
    ttl = "addresses and ttl_s of the target"
    wait_until(lambda: any(i["name"] == "mv.our." and i["ttl_s"] <= 2 for i in site.a.cli_json("alias", "list")["items"]), ttl, 30)
    with validators.Asking(site, ASKED, pause=0.002):
        os.kill(pid, signal.SIGSTOP)  # dead for everybody, until its supervisor kills it for its silence
        try:
            wait_until(lambda: look(site, "mv.our")[0] == THIRD, "new addresses are known", 30)
            reply = ask(site.a, "mv.our")
            if site.a.pid("signer") == pid:  # a slow machine: it may have a successor by now
                assert addresses(reply) in (SECOND, THIRD)
                assert addresses(reply) == THIRD or [o.code for o in reply.options if o.otype == dns.edns.EDE] == [3]
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        wait_until(lambda: all(look(site, f"mv.{z}") == (THIRD, THIRD) for z in ZONES), "its successor signs them", 30)
    wait_until(lambda: unsigned(site.a) > before, "answers that were not signed yet are counted", 20)


def test_the_map_verifies_and_so_do_edits(site):
    """In one change: the target, and an ALIAS to it; another zone's name that an ALIAS follows."""
    a = site.a
    a.cli("record", "set", "our", "fresh", 60, "A", "192.0.2.77", "-m", "t")
    a.cli("record", "set", "our", "tofresh", 60, "ALIAS", "fresh.our.")
    a.cli("record", "set", "our3", "across", 60, "ALIAS", "fresh.our.")
    a.cli("commit", "--all", "-m", "t", "--wait", "served")
    assert addresses_of(a, "tofresh.our") == addresses_of(a, "across.our3") == ["192.0.2.77"]
    a.cli("record", "set", "our", "fresh", 60, "A", "192.0.2.78", "--commit", "-m", "t", "--wait", "served")
    before = unsigned(a)
    assert addresses_of(a, "tofresh.our") == addresses_of(a, "across.our3") == ["192.0.2.78"]
    assert unsigned(a) == before, "signed with the edit"
    told = json.loads(a.cli("--json", "verify", "--signatures"))
    assert told.get("ok", True), told
    a.cli("record", "del", "our", "fresh", "A", "--commit", "-m", "t", "--wait", "served")
    assert ask(a, "across.our3").rcode() == 0 and not ask(a, "across.our3").answer
    with pytest.raises(CliError):
        a.cli("record", "add", "our", "tofresh", 60, "A", "192.0.2.1", "--commit", "-m", "t")


def addresses_of(a, name):
    reply = ask(a, name)
    assert [s.rdtype for s in reply.answer] == [dns.rdatatype.A, dns.rdatatype.RRSIG], reply
    return sorted(r.address for r in reply.answer[0])


@pytest.mark.skipif(not os.environ.get("NS_LONG"), reason="its time: make check-long has it")
def test_more_sets_than_are_signed_are_told(site):
    """A policy of ours that is not signed may answer as much as it likes; whoever follows it from a signed zone may not."""
    a, each = site.a, range(54)
    push = json.dumps({"type": "push", "initial": "up"})
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda i: a.cli("check", "set", f"many-{i}", "-", "-m", "t", stdin=push), each))
    pools = {str(p): {"answers": [{"value": f"203.0.{p}.{i}", "check": f"many-{i}"} for i in each], "serve": len(each) // 2}
             for p in range(3)}
    policy = {"ttl": 5, "pools": pools, "root": {"use": "weighted", "branches": [{"weight": 1, "then": {"pool": p}} for p in pools]}}
    a.cli("zone", "create", "many.example", "--ns", "ns1.example.net.")
    a.cli("policy", "set", "many.example", "@", "A", "-", "--commit", "-m", "t", stdin=json.dumps(policy))
    a.cli("record", "set", "our", "very", 300, "ALIAS", "many.example.", "--commit", "-m", "t")
    said = "zone our.: the ALIAS at very.our. may answer more than 4096 different sets of addresses: the others are not signed"
    wait_until(lambda: said in str(a.cli_json("status")["problems"]), "status says so", 30)
    assert len(addresses(ask(a, "very.our.", dnssec=False))) == len(each) // 2
    a.cli("record", "del", "our", "very", "ALIAS", "--commit", "-m", "t")
    wait_until(lambda: said not in str(a.cli_json("status")["problems"]), "what is over is not said any more", 30)
