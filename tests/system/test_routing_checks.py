"""Health checks: what each kind looks at, what people say of them, how they are listed and kept. How endpoints break
is in test_routing_endpoints.py."""

import contextlib
import datetime
import json
import re
import sqlite3
import time

import pytest

from appliance import Appliance, zone_text
from certs import NAME, make
from endpoints import Server, becomes, http, pong, put, server_tls, show
from fleet import Fleet, Member
from peers import wait_until


@pytest.fixture(scope="module")
def certs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("certs")
    good = make(folder, "good")
    old = make(folder, "old", end="20210101000000Z")
    return {"good": good, "old": old, "bundle": good[0].read_text() + old[0].read_text()}


@pytest.fixture(scope="module")
def lab(certs):
    a = Appliance()
    ca = a.dir / "ca.pem"  # where the probe's user can read it
    ca.write_text(certs["bundle"])
    ca.chmod(0o644)
    a.extra = f"[probe]\nallow = 127.0.0.1/32\nca = {ca}\n"
    with a:
        yield a


def test_https_and_tls_certificates(lab, certs):
    good, old = (Server(http(), server_tls(certs[k])) for k in ("good", "old"))
    for kind, extra in (("https", {"body": "is ok"}), ("tls", {})):
        put(lab, f"{kind}-good", type=kind, port=good.port, host=NAME, **extra)
        put(lab, f"{kind}-old", type=kind, port=old.port, host=NAME, **extra)
        put(lab, f"{kind}-name", type=kind, port=good.port, host="other.example", **extra)
        put(lab, f"{kind}-any", type=kind, port=old.port, verify_tls=False, **extra)
        put(lab, f"{kind}-days", type=kind, port=good.port, host=NAME, cert_days_left=90, **extra)
    becomes(lab, "https-good", "up")
    becomes(lab, "https-any", "up")
    becomes(lab, "https-old", "down", "certificate")
    becomes(lab, "https-name", "down", "certificate")
    becomes(lab, "https-days", "down", "more days")
    becomes(lab, "tls-good", "up")
    becomes(lab, "tls-old", "down", "certificate")
    becomes(lab, "tls-name", "down", "certificate")
    becomes(lab, "tls-any", "down", "expired")
    becomes(lab, "tls-days", "down", "more days")
    good.close()
    old.close()


def test_redirects_lead_to_no_forbidden_place(lab):
    hits = Server(http())
    end = Server(http(body="the end"))
    loop = Server(None)
    loop.say = http(302, "", f"Location: http://127.0.0.1:{loop.port}/\r\n")
    inside = Server(http(302, "", f"Location: http://127.0.0.2:{hits.port}/\r\n"))
    local = Server(http(302, "", "Location: http://169.254.169.254/latest/\r\n"))
    name = Server(http(302, "", "Location: http://metadata.internal/\r\n"))
    good = Server(http(302, "", f"Location: http://127.0.0.1:{end.port}/x\r\n"))
    servers = {"loop": (loop, "down", "too many"), "inside": (inside, "down", "not allowed"),
               "local": (local, "down", "not allowed"), "name": (name, "down", "another name"),
               "good": (good, "up", "200")}
    for key, (s, _, _) in servers.items():
        put(lab, f"to-{key}", type="http", port=s.port, redirects=3)
    for key, (_, state, reason) in servers.items():
        becomes(lab, f"to-{key}", state, reason)
    assert hits.asked == 0 and end.asked > 0
    for s, _, _ in servers.values():
        s.close()


def test_tcp_says_and_expects(lab):
    s = Server(pong)
    put(lab, "redis", type="tcp", port=s.port, send="PING\r\n", expect="+PONG")
    put(lab, "redis-2", type="tcp", port=s.port, send="HELO\r\n", expect="+PONG")
    becomes(lab, "redis", "up", "as expected")
    becomes(lab, "redis-2", "down", "without an answer")
    # Equal checks are one probe.
    before, start = s.asked, time.monotonic()
    for i in range(20):
        put(lab, f"same-{i}", type="tcp", port=s.port, send="PING\r\n", expect="+PONG", interval=60)
    for i in range(20):
        becomes(lab, f"same-{i}", "up")
    assert s.asked - before < 10 + 2 * (time.monotonic() - start)  # one, and what the two from above did meanwhile
    for i in range(20):
        lab.cli("check", "del", f"same-{i}")
    s.close()


def test_dns(lab):
    path = lab.dir / "d.example"
    path.write_text(zone_text("d.example."))
    lab.cli("zone", "import", "d.example", path)
    put(lab, "dns", type="dns", port=lab.port, query="d.example")
    put(lab, "dns-none", type="dns", port=lab.port, query="nothing.d.example", query_type="A")
    becomes(lab, "dns", "up")
    becomes(lab, "dns-none", "down", "NXDOMAIN")


def test_forbidden_targets_are_not_asked(lab):
    put(lab, "inside", type="tcp", target="127.0.0.2", port=1)
    put(lab, "inside-up", type="tcp", target="10.1.2.3", port=1, initial="up")
    c = wait_until(lambda: (c := show(lab, "inside"))["votes"] and "allow" in c["reason"] and c, "it says why")
    assert c["state"] == "down" and c["initial"]
    assert [v["state"] for v in c["votes"]] == ["abstain"]
    assert show(lab, "inside-up")["state"] == "up"


def test_who_reaches_no_control_target_abstains(lab):
    uplink, s = Server(pong), Server(http())
    put(lab, "uplink", type="tcp", port=uplink.port, control=True)
    put(lab, "behind", type="http", port=s.port)
    becomes(lab, "uplink", "up")
    flips = len(becomes(lab, "behind", "up")["flips"])
    uplink.close()
    s.say = http(503)  # it is not to be believed now

    def abstains():
        (vote,) = show(lab, "behind")["votes"]
        return vote["state"] == "abstain" and "control" in vote["reason"]
    wait_until(abstains, "an abstention", 15)
    becomes(lab, "uplink", "down", "refused")  # what it is about itself counts
    c = show(lab, "behind")
    assert c["state"] == "up" and c["stale"] and len(c["flips"]) == flips
    again = Server(pong, port=uplink.port)
    becomes(lab, "uplink", "up")
    becomes(lab, "behind", "down", "503")
    again.close()
    s.close()
    for name in ("uplink", "behind"):
        lab.cli("check", "del", name)


def test_icmp_abstains_where_it_may_not(lab):
    put(lab, "ping", type="icmp")
    with open("/proc/sys/net/ipv4/ping_group_range", encoding="ascii") as f:
        low, high = map(int, f.read().split())
    if low <= high and low <= 61000 <= high:
        becomes(lab, "ping", "up", "echo")
    else:  # abstains, and says why
        def told():
            votes = show(lab, "ping")["votes"]
            return votes and votes[0]["state"] == "abstain" and "ping_group_range" in votes[0]["reason"]
        wait_until(told, "an abstention")


def test_calculated_push_and_override(lab):
    lab.cli("check", "set", "job", "-", stdin='{"type": "push"}')
    lab.cli("check", "set", "job-2", "-", stdin='{"type": "push", "initial": "up"}')
    lab.cli("check", "set", "both", "-", stdin='{"type": "calculated", "of": ["job", "job-2"], "at_least": 2}')
    lab.cli("check", "set", "top", "-", stdin='{"type": "calculated", "of": ["both"]}')
    def is_down(name):
        wait_until(lambda: show(lab, name)["state"] == "down", f"{name} is down", 90)

    def while_it_lasts(looks, *words):
        """What these say before its time is over, which is longer on a machine with others."""
        for seconds in (2, 10, 40):
            start = time.monotonic()
            lab.cli("check", *words, "--for", f"{seconds}s", "-m", "on my word")
            said = [wait_until(lambda n=n: (c := show(lab, n))["state"] == "up" and c or time.monotonic() > start + seconds, n)
                    for n in looks]
            is_down(looks[0])
            if True not in said:
                return said
        raise AssertionError(said)

    is_down("top")
    job, _ = while_it_lasts(("job", "top"), "push", "job", "up")
    assert "pushed" in job["reason"]
    is_down("top")
    (c,) = while_it_lasts(("top",), "override", "top", "up")
    assert c["override"]["author"] == "root" and c["override"]["reason"] == "on my word" and c["override"]["until"]
    lab.cli("check", "override", "top", "up", "-m", "again")
    lab.cli("check", "override", "top", "auto")
    is_down("top")
    assert "override" not in show(lab, "top")
    assert "needs it" in lab.fails(5, "check", "del", "both")
    assert "itself" in lab.fails(6, "check", "set", "both", "-", stdin='{"type": "calculated", "of": ["top"]}')


def test_when_caches_have_forgotten(lab):
    """The longest TTL of what depends on the check, calculated ones over it included; of one that was lowered
    lately what is left of it."""
    def policy(name, ttl, check):
        lab.cli("policy", "set", "caches.example", name, "A", "-", "--commit", "-m", "x", stdin=json.dumps(
            {"ttl": ttl, "root": {"pool": "p"}, "pools": {"p": {"answers": [
                {"value": "192.0.2.1", "check": check}, {"value": "192.0.2.2"}]}}}))

    def caches(check, *how):
        done = lab.cli_json("check", *how or ("override", check, "down", "-m", "x")).get("caches")
        if done:
            left = datetime.datetime.fromisoformat(done["until"]) - datetime.datetime.now(datetime.timezone.utc)
            assert done["seconds"] - 30 < left.total_seconds() <= done["seconds"] and not done["partial"], done
        return done and done["seconds"]
    path = lab.dir / "caches.example"
    path.write_text(zone_text("caches.example."))
    lab.cli("zone", "import", "caches.example", path)
    for name in ("ca", "cb", "cc"):
        lab.cli("check", "set", name, "-", stdin='{"type": "push"}')
    lab.cli("check", "set", "over", "-", stdin='{"type": "calculated", "of": ["ca", "cc"]}')
    lab.cli("check", "set", "top", "-", stdin='{"type": "calculated", "of": ["over"]}')
    assert caches("ca") is None and "no policy looks at it" in lab.cli("check", "override", "ca", "up", "-m", "x")
    policy("a", 500, "ca")
    policy("b", 900, "cb")
    assert caches("ca") == 500 and caches("cb") == 900 and caches("cc") is None
    assert caches("ca", "push", "ca", "up", "--for", "9s") == 500 and caches("ca", "override", "ca", "auto") == 500
    assert "in caches until 20" in lab.cli("check", "override", "ca", "down", "-m", "x")
    policy("t", 700, "top")
    assert caches("ca") == caches("cc") == caches("over") == 700 and caches("cb") == 900
    for name, check in (("a", "ca"), ("b", "cb"), ("t", "top")):
        policy(name, 7, check)
    assert 600 < caches("cc") <= 700 and 600 < caches("ca") <= 700 and 800 < caches("cb") <= 900
    # The plan of a change and the drain of an answer count it too.
    said = lab.cli_run("policy", "drain", "caches.example", "b", "A", "192.0.2.1", "--commit", "-m", "x").stderr
    assert 800 < int(re.search(r"in (\d+) s", said)[1]) <= 900
    lab.cli("policy", "drain", "caches.example", "a", "A", "192.0.2.1")
    assert 400 < lab.cli_json("plan", "caches.example")["zones"][0]["old_ttl"] <= 500
    lab.cli("draft", "drop", "caches.example", "--yes")
    policy("other", 3600, "cb")  # what does not change, and what is new, has no part in it
    lab.cli("record", "set", "caches.example", "plain", 60, "A", "192.0.2.1", "--commit", "-m", "x")
    lab.cli("record", "set", "caches.example", "plain", 60, "A", "192.0.2.2")
    assert lab.cli_json("plan", "caches.example")["zones"][0]["old_ttl"] == 60
    lab.cli("draft", "drop", "caches.example", "--yes")


@pytest.mark.parametrize("text, code, words", [
    ("{", 2, "-:1"),
    ("[]", 2, "object"),
    ('{"type": "tcp", "colour": 1}', 2, "colour"),
    ('{"type": "tcp", "target": 7}', 2, "string"),
    ('{"type": "tcp", "target": "192.0.2.1"}', 6, "port"),
    ('{"type": "tcp", "target": "www.example.com", "port": 1}', 6, "address"),
    ('{"type": "http", "target": "192.0.2.1", "interval": 0.2}', 6, "interval"),
    ('{"type": "calculated", "of": ["no-such"]}', 6, "no check no-such"),
])
def test_refusals_name_the_field(lab, text, code, words):
    assert words in lab.fails(code, "check", "set", "bad", "-", stdin=text)


def test_refused_commands(lab):
    assert "no check" in lab.fails(3, "check", "show", "none-such")
    assert "no check" in lab.fails(3, "check", "override", "none-such", "up", "-m", "x")
    lab.cli("check", "set", "r", "-", stdin='{"type": "push"}')
    assert "--for" in lab.fails(2, "check", "push", "r", "up")
    assert "-m" in lab.fails(2, "check", "override", "r", "up")
    lab.cli("check", "del", "r")
    lab.fails(3, "check", "show", "r")


def test_list_and_pages(lab):
    for i in range(5):
        lab.cli("check", "set", f"page-{i}", "-", stdin='{"type": "push"}')
    lab.cli("check", "push", "page-0", "up", "--for", "1h")
    names, cursor = [], ()
    while True:
        page = lab.cli_json("check", "list", "--filter", "page-", "--limit", 2, *cursor)
        assert page["total"] == 5
        names += [c["name"] for c in page["checks"]]
        if not page["next"]:
            break
        cursor = ("--cursor", page["next"])
    assert names == [f"page-{i}" for i in range(5)]
    assert "NAME" in lab.cli("check", "list")

    def counted():  # the probe tells once a second
        states = [c["state"] for c in lab.cli_json("check", "list")["checks"]]
        status = lab.cli_json("status")
        return status["checks"] == len(states) and status["checks_down"] == states.count("down") and status["flips"]
    wait_until(counted, "status counts checks", 10)
    assert "checks " in lab.cli("status")


def test_states_outlive_the_probe_and_the_appliance(lab):
    s = Server(http())
    port = s.port
    put(lab, "kept", type="http", port=port, initial="down", interval=3600)
    since = becomes(lab, "kept", "up")["since"]
    old = lab.kill_role("probe")
    lab.wait_replaced("probe", old)
    wait_until(lambda: show(lab, "kept")["state"] == "up", "up after the probe's death", 10)
    assert show(lab, "kept")["since"][:19] == since[:19]
    s.close()
    lab.stop()
    lab.start()
    # It was up until looks at it said otherwise: had it begun as `initial` says, nothing would have flipped.
    becomes(lab, "kept", "down", "refused")
    # And so does what flipped, also of a check that is no more.
    assert [f["state"] for f in show(lab, "kept")["flips"]] == ["down", "up"]
    lab.cli("check", "del", "kept")
    flips = lab.cli_json("check", "history", "kept")["flips"]
    assert [(f["check"], f["state"]) for f in flips] == [("kept", "down"), ("kept", "up")] and "refused" in flips[0]["reason"]
    both = lab.cli_json("check", "history", "--limit", 2)["flips"]
    assert len(both) == 2 and both[0]["at"] >= both[1]["at"] and both[0] == flips[0]
    assert "refused" in lab.cli("check", "history")
    assert lab.cli_json("check", "history", "no-such-check")["flips"] == []


def test_more_checks_than_the_bus_takes_at_once():
    """All of them reach a probe that comes, in as many turns as it takes, and what is said meanwhile after them."""
    count = 90000
    with Appliance() as a:
        a.stop()
        with contextlib.closing(sqlite3.connect(next(a.data.glob("*.db")))) as db, db:  # message Check: type, initial
            db.executemany("INSERT INTO object (id, kind, name, version, body) VALUES (?, 'check', ?, 1, ?)",
                           [(5000 + i, f"c{i}", b"\x0a\x04push\x82\x01\x04down") for i in range(count)])
        a.start()
        a.cli("check", "push", f"c{count - 1}", "up", "--for", "1h")
        wait_until(lambda: a.cli_json("status")["checks"] == count, "the probe has all", 60)
        assert show(a, f"c{count - 1}")["state"] == "up" and show(a, "c0")["state"] == "down"


class Portless(Member):
    """Replicas have no fleet port: nobody can call them, they call."""

    def __init__(self, name, role="replica", **kw):
        super().__init__(name, role, **kw)
        if role == "replica":
            self.extra = re.sub(r"\[fleet\]\nlisten = \S+\n", "", self.extra)


def test_a_fleet_has_the_same_checks():
    s = Server(http())
    with Fleet(2, Portless, config="[probe]\nallow = 127.0.0.1/32\n") as f:
        assert f.state("r1")["endpoint"] == ""
        put(f.replicas[0], "web", type="http", port=s.port)
        f.wait_converged()
        for m in f.members:
            becomes(m, "web", "up")
            wait_until(lambda m=m: {v["appliance"]: v["state"] for v in show(m, "web")["votes"]} ==
                       {"p": "up", "r1": "up"}, f"both vote at {m.name}: {show(m, 'web')}", 30)
        ids = {show(m, "web")["id"] for m in f.members}
        assert len(ids) == 1
        f.replicas[0].cli("check", "override", "web", "down", "-m", "from afar")
        for m in f.members:
            assert becomes(m, "web", "down")["override"]["reason"] == "from afar"
        s.close()


def test_all_at_a_glance_and_a_look_now(lab):
    s, gone = Server(pong), Server(pong)
    put(lab, "glance-up", type="tcp", port=s.port, send="PING\r\n", expect="+PONG")
    put(lab, "glance-down", type="tcp", port=gone.port)
    lab.cli("check", "set", "glance-calc", "-",
            stdin=json.dumps({"type": "calculated", "of": ["glance-up"], "at_least": 1}))
    gone.close()
    becomes(lab, "glance-up", "up")
    becomes(lab, "glance-down", "down")
    lab.cli("zone", "create", "glance.example", "--ns", "ns1.example.net.")
    rule = lab.dir / "glance.json"
    rule.write_text(json.dumps({"root": {"pool": "all"}, "pools": {"all": {"answers": [
        {"value": "192.0.2.1", "check": "glance-up"}, {"value": "192.0.2.2", "check": "glance-down"}]}}}))
    lab.cli("policy", "set", "glance.example", "www", "A", rule, "--commit")

    def rows(*more):
        return {r["name"]: r for r in lab.cli_json("check", "health", "--filter", "glance", *more)["rows"]}

    wait_until(lambda: list(r := rows())[0] == "glance-down" and r["glance-up"]["level"] == "ok" and r["glance-up"]["rtt_us"] > 0
               and 0 in r["glance-down"]["looks"] and r["glance-down"]["up"] == 0, "all at a glance")
    assert rows()["glance-up"]["target"] == f"127.0.0.1:{s.port}"
    first = lab.cli_json("check", "health", "--filter", "glance", "--limit", 1)
    assert list(rows("--cursor", first["next"])) == ["glance-calc", "glance-up"]
    assert first["crit"] >= 1 and first["total"] == 3
    lab.cli("check", "override", "glance-up", "down", "-m", "maintenance")
    wait_until(lambda: (r := rows()["glance-up"])["note"] == "forced down" and r["level"] == "warn", "the override")
    lab.cli("check", "override", "glance-up", "auto", "-m", "done")

    def bad():
        return [z["name"] for z in lab.cli_json("zone", "list", "--filter", "health:bad glance")["zones"]]

    def health():
        return lab.cli_json("zone", "show", "glance.example")["health"], bad()

    wait_until(lambda: health() == ("warn", ["glance.example."]), "one of the zone's two is down")
    info = wait_until(lambda: (i := show(lab, "glance-up"))["looks"][-1] > 0 and i, "a good look")
    assert info["used_by"] == ["www.glance.example."] and info["needed"] == 1
    wait_until(lambda: "refused" in lab.cli_json("check", "probe", "glance-down")["reason"], "a look that is refused")
    gone.heal()
    wait_until(lambda: lab.cli_json("check", "probe", "glance-down")["good"], "a good look")
    becomes(lab, "glance-down", "up")
    wait_until(lambda: health() == ("ok", []), "the zone is well")
    assert "calculated" in lab.fails(6, "check", "probe", "glance-calc")
    assert "no such check" in lab.fails(6, "check", "probe", "nothing")

    def tried(**what):
        return lab.cli_run("check", "probe", "new", "-", "--json", stdin=json.dumps({"type": "tcp", **what}))

    # As a definition says, which nobody has set: by its rules and limits, and it is no check after it.
    said = wait_until(lambda: (r := json.loads(tried(target="127.0.0.1", port=s.port).stdout)).get("good") and r, "a good look")
    assert said["good"] and not said["assigned"] and said["name"] == ""
    assert "E2214" in tried(target="127.0.0.1", port=s.port, interval=0.5).stderr
    assert "private address" in tried(target="10.0.0.1", port=1).stderr
    assert "nobody looks" in lab.cli_run("check", "probe", "new", "-", stdin='{"type": "push"}').stderr
    assert "new" not in [c["name"] for c in lab.cli_json("check", "list")["checks"]]
    for x in (s, gone):
        x.close()
