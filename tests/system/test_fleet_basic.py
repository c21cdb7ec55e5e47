"""A fleet as a user brings it up: invite, join, edit anywhere, look, remove."""

import os
import stat

import dns.edns
import pytest

from fleet import Fleet, Member
from peers import wait_until


@pytest.fixture(scope="module")
def fleet():
    with Fleet(3) as f:
        f.give_example()
        yield f


def set_a(where, name, value, *args, **kw):
    return where.cli_json("record", "set", "example.com", name, "60", "A", value, "--commit", *args, **kw)


def test_edit_is_served_by_all(fleet):
    done = set_a(fleet.primary, "a", "192.0.2.1", "--wait", "served")
    assert sorted(r["appliance"] for r in done["served"]) == ["p", "r1", "r2"]
    assert not done["missing"] and not done["late"]
    for m in fleet.members:
        assert m.values("a.example.com.") == ["192.0.2.1"]


def test_edit_at_a_replica(fleet):
    """It goes to the primary and comes back when this appliance serves it."""
    r1, r2 = fleet.replicas
    for i in range(5):
        done = set_a(r1, "b", f"192.0.2.{20 + i}")
        assert [r["appliance"] for r in done["served"]] == ["r1"]
        assert r1.values("b.example.com.") == [f"192.0.2.{20 + i}"]
    done = set_a(r2, "c", "192.0.2.3", "--wait", "served")
    assert sorted(r["appliance"] for r in done["served"]) == ["p", "r1", "r2"]
    change = fleet.primary.cli_json("history", "show", str(done["revision"]))["change"]
    assert change["author"] == "root" and change["via"] == "cli"


def test_show(fleet):
    """One of them, asked itself, at the primary and elsewhere: the same, but for what only it knows."""
    p, (r1, r2) = fleet.primary, fleet.replicas
    head = set_a(p, "show", "192.0.2.8", "--wait", "served")["revision"]
    wait_until(lambda: r2.cli_json("fleet", "show", "r1")["served"]["revision"] >= head, "r2 has heard so")
    own, seen, told = (m.cli_json("fleet", "show", "r1") for m in (r1, p, r2))
    for one in (own, seen, told):
        assert (one["name"], one["role"], one["state"], one["term"]) == ("r1", "replica", "ok", 1)
        assert one["stored"]["revision"] == one["served"]["revision"] == head and one["lag_changes"] == 0
        assert one["stored"]["at"] <= one["served"]["at"] == own["served"]["at"] != "" and one["primary"] == "p"
        assert one["endpoint"].endswith(str(r1.fleet_port)) and one["since"] > 1 and "drained" not in one
    assert {x["role"] for x in own["processes"]} >= {"sync", "signer", "answer", "worker", "probe"}
    assert not seen["processes"] and not told["processes"]
    key = {k["use"]: k["id"] for k in own["keys"]}
    assert key == {k["use"]: k["id"] for k in seen["keys"]} and key.keys() == {"fleet", "seal"}
    assert key["fleet"] != key["seal"] and [k["id"] for k in told["keys"]] == [key["fleet"]]
    nsid = r1.ask("show.example.com.", use_edns=0, options=[dns.edns.GenericOption(dns.edns.NSID, b"")])
    assert nsid.options[0].data == own["nsid"].encode() == b"r1"
    assert p.cli_json("fleet", "show", "p")["role"] == "primary" and "no appliance" in p.fails(3, "fleet", "show", "r9")
    text = r1.cli("fleet", "show", "r1")
    assert f"served     change {head} at " in text and f"key        {key['seal']} seal" in text and "worker 0" in text


def test_key_holds_across_appliances(fleet):
    """The answer was lost: repeated anywhere with the same key, it is done once."""
    r1, r2 = fleet.replicas
    first = set_a(r1, "d", "192.0.2.4", "--idempotency-key", "once")
    again = set_a(r2, "d", "192.0.2.4", "--idempotency-key", "once")
    assert again["replayed"] and again["revision"] == first["revision"]
    r1.fails(5, "record", "set", "example.com", "d", "60", "A", "192.0.2.5", "--commit", "--idempotency-key", "once")


def test_refusals_come_back(fleet):
    r1 = fleet.replicas[0]
    assert "no such zone" in r1.fails(3, "record", "set", "nowhere.test", "a", "60", "A", "192.0.2.1", "--commit")
    r1.fails(5, "record", "set", "example.com", "a", "60", "A", "192.0.2.9", "--commit", "--base", "1")
    # Only on the primary's own socket, and never more than what the appliance is trusted with.
    assert "primary" in r1.fails(7, "fleet", "invite", "r9")
    assert "at the primary (p) only" in r1.fails(7, "settings", "set", "nameservers", "ns1.example.net")
    assert "primary" in r1.fails(7, "user", "create", "anna", "--unix", "daemon", "--role", "admin")


def test_list_and_status(fleet):
    for m in fleet.members:
        def listed(m=m):
            rows = {r["name"]: r for r in m.cli_json("fleet", "list")["appliances"]}
            return {r["state"] for r in rows.values()} == {"ok"} and rows

        rows = wait_until(listed, f"all are ok, at {m.name}")
        assert sorted(rows) == ["p", "r1", "r2"]
        assert [rows[n]["role"] for n in ("p", "r1", "r2")] == ["primary", "replica", "replica"]
        for r in rows.values():
            assert {"site", "version", "revision", "lag_s", "lag_changes", "qps"} <= set(r)
        status = m.cli_json("status")
        assert status["role"] == rows[m.name]["role"] and status["term"] == 1
        near = {"name": "p", "reachable": True, "lag_s": 0.0}
        wait_until(lambda m=m, n=near: m.cli_json("status")["primary"] == n, f"{m.name} hears p")

    def told(m):
        fleet.replicas[0].values("www.example.com")
        r1 = next(r for r in m.cli_json("fleet", "list")["appliances"] if r["name"] == "r1")
        if not (r1["p99_us"] >= r1["p50_us"] > 0 and r1["uptime_s"] > 0 and r1["clock_ms"] is not None):
            return False
        # One host: its memory is some MiB, its clock is the primary's, give or take what a loaded machine delays.
        assert r1["memory_mib"] > 0 and abs(r1["clock_ms"]) < 5000 and r1["geo_built"] == ""
        return len(r1["past"]) == 10 and r1["past"][-1] > 0

    for m in fleet.members:
        wait_until(lambda m=m: told(m), f"how fast r1 answers, at {m.name}", 30)
    text = fleet.primary.cli("fleet", "list")
    assert "NAME" in text and "r1" in text
    shown = fleet.primary.cli("fleet", "show", "r1")
    assert "memory " in shown and "ms against the primary's" in shown


def test_history_names_who_serves_it(fleet):
    done = set_a(fleet.primary, "e", "192.0.2.6", "--wait", "served")

    def all_of(m):
        shown = m.cli_json("history", "show", str(done["revision"]))
        return sorted(shown["served_by"]) == ["p", "r1", "r2"] and not shown["behind"]

    for m in fleet.members:
        wait_until(lambda m=m: all_of(m), "all serve it")


def test_drain(fleet):
    """Out of service: everybody knows, with the reason; it answers on, with every change."""
    p, (r1, r2) = fleet.primary, fleet.replicas
    set_a(p, "drain", "192.0.2.1")
    p.cli("record", "set", "example.com", "old", "172800", "A", "192.0.2.1", "--commit")
    assert "primary" in r1.fails(7, "fleet", "drain", "r1")
    p.fails(3, "fleet", "drain", "nobody")
    p.fails(5, "fleet", "undrain", "r1")
    done = p.cli_json("fleet", "drain", "r1", "-m", "a new fan")["drained"]
    assert done["author"] == "root" and done["reason"] == "a new fan" and done["ttl"] == 172800
    assert done["since"] < done["until"] and not done["ttl_partial"]
    p.fails(5, "fleet", "drain", "r1")
    for m in fleet.members:
        wait_until(lambda m=m: fleet.state("r1", m)["state"] == "drained", f"{m.name} knows")
        assert fleet.state("r1", m)["drained"] == done and fleet.state("r2", m)["state"] == "ok"
    assert r1.cli_json("status")["drained"] == done and "drained" not in r2.cli_json("status")
    assert "a new fan" in r1.cli("status") and "172800" in p.cli("fleet", "list")
    # It goes on answering, and is waited for.
    served = set_a(p, "drain", "192.0.2.2", "--wait", "served")["served"]
    assert "r1" in [r["appliance"] for r in served] and r1.values("drain.example.com.") == ["192.0.2.2"]
    # Nobody takes the last ones out.
    # A TTL that was long until now is in caches all the same, for what is left of it.
    p.cli("record", "set", "example.com", "old", "60", "A", "192.0.2.1", "--commit")
    assert 172000 < p.cli_json("fleet", "drain", "r2")["drained"]["ttl"] <= 172800
    assert "last appliance in service" in p.fails(6, "fleet", "drain", "p")
    r1.kill()
    r1.start()
    wait_until(lambda: r1.follows(p.revision()), "r1 is back", 30)
    assert r1.cli_json("status")["drained"] == done
    for name in ("r1", "r2"):
        assert f"{name} is in service" in p.cli("fleet", "undrain", name)
    for m in fleet.members:
        wait_until(lambda m=m: "drained" not in fleet.state("r1", m), f"{m.name} knows")


def test_nsid_names_the_appliance(fleet):
    import dns.edns

    for m in fleet.members:
        reply = m.ask("www.example.com.", use_edns=0, options=[dns.edns.GenericOption(3, b"")])
        assert m.name.encode() in [o.to_wire() if hasattr(o, "to_wire") else o.data for o in reply.options][0]


def test_same_history_everywhere(fleet):
    fleet.wait_same_history()


def test_key_rests_in_data(fleet):
    for m in fleet.members:
        mode = os.stat(m.data / "fleet.key").st_mode
        assert stat.S_IMODE(mode) == 0o600


def test_invitation_is_for_one(fleet):
    token = fleet.invite("guest")
    assert fleet.primary.cli_json("fleet", "list")["appliances"][0]["state"] == "invited"
    wrong = Member("other", join=token)
    assert "the invitation is for guest" in start_refused(wrong)
    assert "not an invitation" in start_refused(Member("guest", join=token[:-3]))
    assert "invitation" in start_refused(Member("guest", join=None))
    with Member("guest", join=token) as guest:
        wait_until(guest.follows, "guest follows")
        wait_until(lambda: guest.values("www.example.com.") == ["192.0.2.10"], "guest serves")
        fleet.primary.fails(5, "fleet", "invite", "guest")
        # Whoever comes second with it is refused, with the reason.
        with Member("guest", join=token) as thief:
            wait_until(lambda: "used by another key" in str(thief.cli_json("status")["problems"]), "refused")
            assert thief.cli_json("zone", "list")["total"] == 0
        set_a(fleet.primary, "f", "192.0.2.7", "--wait", "served")
        assert guest.values("f.example.com.") == ["192.0.2.7"]
        # Cut off at once: it answers with what it has, and hears nothing new.
        assert "second time" in fleet.primary.fails(9, "fleet", "remove", "guest")
        fleet.primary.cli("fleet", "remove", "guest", "--confirm=guest")
        done = set_a(fleet.primary, "f", "192.0.2.8", "--wait", "served")
        assert "guest" not in str(done)
        wait_until(lambda: not guest.cli_json("status")["primary"]["reachable"], "guest is cut off")
        assert guest.values("f.example.com.") == ["192.0.2.7"]
        guest.fails(7, "record", "set", "example.com", "f", "60", "A", "192.0.2.9", "--commit")
    assert "guest" not in fleet.primary.cli("fleet", "list")
    fleet.primary.fails(3, "fleet", "remove", "guest", "--confirm=guest")


def start_refused(member):
    member.spawn()
    try:
        assert member.process.wait(60) == 2
    finally:
        member.process = None
    text = member.log()
    member.__exit__(None)
    return text
