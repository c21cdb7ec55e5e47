"""What an operator watches: the tail, figures of the whole fleet, another appliance by way of this one."""

import json
import os
import pwd
import re
import subprocess
import time

import pytest

from appliance import BUILD, zone_text
from asking import Asking
from console import Console, both, peak_kib, trace_of
from fleet import Fleet
from peers import wait_until

VIEWER = "games"


@pytest.fixture(scope="module")
def fleet():
    with Fleet(2) as f:
        path = f.primary.dir / "example.com"
        path.write_text(zone_text("example.com.", records="www 60 IN A 192.0.2.10\nmail 60 IN A 192.0.2.11\n"))
        f.primary.cli("zone", "import", "example.com", path)
        f.primary.cli("user", "create", "val", "--unix", VIEWER, "--role", "viewer")
        f.wait_converged()
        r = f.replicas[0]
        wait_until(lambda: relayed(r, "p") and relayed(f.primary, "r1"), "links both ways", 30)
        yield f


def relayed(a, to):
    done = a.cli_run("--json", "--appliance", to, "status")
    return done.returncode == 0 and json.loads(done.stdout)["name"] == to


def tail(a, *args, rows=5):
    return a.cli_json("tail", "--limit", rows, *args, timeout=60)["rows"]


def test_the_tail_shows_what_is_asked(fleet):
    p = fleet.primary
    with Asking(p):
        rows = tail(p, rows=20)
        assert {(r["name"], r["type"]) for r in rows} == {
            ("www.example.com.", "A"), ("nope.example.com.", "A"), ("www.example.com.", "AAAA")}
        assert {r["rcode"] for r in rows} == {"NOERROR", "NXDOMAIN"}
        assert all(r["appliance"] == "p" and r["us"] > 0 and r["sample"] == 1 for r in rows)
        assert {r["client"] for r in rows} == {"127.0.0.1"}  # root is an admin
        assert {r["rcode"] for r in tail(p, "--filter", "zone:example.com -rcode:NOERROR")} == {"NXDOMAIN"}
        assert {r["via"] for r in tail(p, "--filter", "via:tcp", rows=2)} == {"tcp"}
        assert {r["name"] for r in tail(p, "--filter", "^nope type:A")} == {"nope.example.com."}
        assert all(r["sample"] == 3 for r in tail(p, "--sample", 3))
    refused = p.fails(2, "tail", "--filter", "rcode:FOO")
    assert "rcode:FOO" in refused and "NXDOMAIN" in refused


def test_a_viewer_sees_networks(fleet):
    user = pwd.getpwnam(VIEWER)
    with Asking(fleet.primary):
        done = subprocess.run(
            [BUILD / "bin" / "nameserve", "--socket", fleet.primary.socket, "--jsonl", "tail", "--limit", "3"], text=True,
            capture_output=True, user=user.pw_uid, group=user.pw_gid, extra_groups=[], timeout=60,
            env={**os.environ, "HOME": "/nonexistent"})
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0 and {r["client"] for r in rows} == {"127.0.0.0/24"}, done.stderr


def test_tail_and_figures_of_the_whole_fleet(fleet):
    p, r = fleet.primary, fleet.replicas[0]
    with Asking(p, r):
        wait_until(lambda: {x["appliance"] for x in tail(r, "--scope", "fleet", rows=20)} == {"p", "r1"}, "both", 30)
        # By way of another one nobody is more than an operator.
        assert {x["client"] for x in tail(r, "--scope", "fleet", "--filter", "client:127.0.0.0/8", rows=20)
                if x["appliance"] == "p"} <= {"127.0.0.0/24"}

        def sums():
            all_of, parts = r.cli_json("stats", "--scope", "fleet", "--top", "zones"), [
                x.cli_json("stats", "--top", "zones") for x in (p, r)]
            return (all_of["appliances"] == 2 and min(x["qps"] for x in parts) > 0 and
                    all_of["queries"] > max(x["queries"] for x in parts) and all_of["top"][:1] and
                    all_of["top"][0]["name"] == "example.com." and all_of["rcodes"].get("NXDOMAIN", 0) > 0 and
                    all_of["latency_us"]["p50"] > 0 and sum(b["count"] for b in all_of["latency"]) > 0)

        def of_the_zone():
            zone = r.cli_json("stats", "--scope", "fleet:zone:example.com")
            return zone["appliances"] == 2 and zone["nxdomain"] > 0

        def who_asks():
            top = p.cli_json("stats", "--top", "clients")["top"]
            return top and 0 < top[0]["nxdomain"] < top[0]["count"] and top[0]["qps"] > 0

        wait_until(sums, "figures of both")
        wait_until(of_the_zone, "of the zone at both")
        wait_until(lambda: any(z["qps"] > 0 and 10 < z["nx_percent"] < 60 for z in p.cli_json("zone", "list")["zones"]),
                   "of a zone that is asked, one in three is not there")
        wait_until(who_asks, "who asks")


def test_another_appliance_by_way_of_this_one(fleet):
    p, r = fleet.primary, fleet.replicas[0]
    assert "example.com." in p.cli("--appliance", "r1", "zone", "list")
    assert p.cli_json("--appliance", "r1", "status")["role"] == "replica"
    assert r.cli_json("--appliance", "p", "test", "www.example.com", "A")["appliance"] == "p"
    # A change goes from r1 to p, by way of p: in the caller's name.
    p.cli("--appliance", "r1", "record", "set", "example.com", "new", 60, "A", "192.0.2.77", "--commit", "-m", "far away")
    assert p.cli_json("history", "list", "example.com")["changes"][0]["comment"] == "far away"
    assert "no appliance" in p.fails(2, "--appliance", "nobody", "status")
    assert "passed on" in p.fails(2, "--appliance", "r1", "verify")
    assert "nobody.example" in r.fails(3, "--appliance", "p", "zone", "show", "nobody.example")


def test_who_is_away_is_named(fleet):
    p, r = fleet.primary, fleet.replicas[0]
    r.stop()
    try:
        wait_until(lambda: p.cli_json("stats", "--scope", "fleet").get("silent") == ["r1"], "r1 is silent", 30)
        assert "reached" in p.fails(7, "--appliance", "r1", "status")
    finally:
        r.start()
        wait_until(r.follows, "r1 follows again")
        wait_until(lambda: relayed(p, "r1"), "and its link is up", 30)


# ---- the console ----
def cpu_s(pid):
    """What it has used of a processor since it began."""
    fields = open(f"/proc/{pid}/stat", encoding="ascii").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_query_test_and_tail_on_a_terminal(fleet, tmp_path):
    p = fleet.primary
    trace = tmp_path / "trace"
    with Asking(p), Console(p.socket, NS_UI_TRACE=str(trace)) as c:
        c.press("2")
        c.wait(lambda: "example.com" in c.cursor_row())
        c.press("enter")
        c.wait(lambda: " NS " in c.cursor_row())
        c.press("t")
        c.wait(lambda: "Query test" in c.text() and "[example.com." in c.text() and "NOERROR" in c.text())
        c.press("7", "www.example.com", "tab", "a", "enter")
        c.wait(lambda: "www.example.com. 60 IN A 192.0.2.10" in c.text() and "no policy" in c.text())
        c.press("tab", "tab", "tab", "tab", "tab", "tab", "tab", "w")  # past the fields, into the answer
        c.wait("ELSEWHERE")
        c.press("8")
        c.wait(lambda: "LIVE" in c.text() and "NXDOMAIN" in c.text() and "NOERROR" in c.text())
        c.press("/", "rcode:FOO")
        c.wait("an rcode is")
        c.press("ctrl-u", "rcode:NXDOMAIN", "enter")
        c.wait(lambda: "NXDOMAIN" in c.cursor_row() and "NOERROR" not in c.text())
        c.press("s")
        c.wait("sample 1:10")
        c.wait(lambda: "NXDOMAIN" in c.cursor_row())
        c.press("S")
        c.wait("rows are in")
        c.press("enter")
        c.wait(lambda: "[nope.example.com." in c.text() and "there is no such name" in c.text())
        c.press("2")
        c.wait(lambda: "example.com" in c.cursor_row())
        c.press("enter")
        c.wait(lambda: " NS " in c.cursor_row())
        for shown in ("ROUTES", "is not signed", "Queries/s"):
            c.press("]")
            c.wait(shown)
        c.wait(lambda: "nope" in c.text() and "NXDOMAIN/s" in c.text())
        c.press("w")
        c.wait("all PoPs")
        assert peak_kib(c.child.pid) < 48 * 1024
        c.press("Q")
        assert c.ended() == 0
    saved = list((p.dir / "state" / "nameserve").glob("tail-*.tsv"))
    assert saved and "nope.example.com." in saved[0].read_text() and saved[0].stat().st_mode & 0o777 == 0o600
    frames = [f["bytes"] for f in trace_of(trace) if f["why"] == "data"]
    assert sorted(frames)[len(frames) // 2] <= 2048, frames


def test_overview_costs_next_to_nothing(fleet):
    with Console(fleet.primary.socket) as c:
        c.wait("Queries/s")
        c.wait("Change ")
        before, end = cpu_s(c.child.pid), time.monotonic() + 3
        while time.monotonic() < end:
            c.read(0.2)
        used = cpu_s(c.child.pid) - before
    assert used <= 0.03 + 0.02, used  # 1 % of three seconds; the clock counts hundredths


def select(c, name):
    """The cursor on that row of a list of two, which is made anew all the time."""
    for key in ("G", "g") * 10:
        c.press(key)
        end = time.monotonic() + 2
        while time.monotonic() < end:
            if f" {name} " in c.cursor_row():
                return
            c.read(0.1)
    raise AssertionError(c.text())


def seen_by_a_viewer(c, p):
    """Who edits by way of another appliance is seen by who only looks, at this one; and not the other way round."""
    user, state = pwd.getpwnam(VIEWER), p.dir / "state-of-a-viewer"
    state.mkdir()
    os.chown(state, user.pw_uid, user.pw_gid)
    c.press("enter")
    c.wait("rrsets")
    with Console(p.socket, user=user, XDG_STATE_HOME=str(state)) as his:
        his.wait("val:viewer")
        his.press("2")
        his.wait(lambda: "RRSETS" in his.text() and "example.com" in his.cursor_row())
        his.press("enter")
        his.wait("rrsets")
        c.press("G")
        c.wait(lambda: " www " in c.cursor_row())
        c.press("d")
        c.wait("draft 1 op")
        both(his, c, lambda: "root is editing" in his.text(), his)
        assert "is editing" not in c.text()
        c.press("u")
        c.wait(lambda: "draft" not in c.lines()[2])
        both(his, c, lambda: "editing" not in his.text(), his)
        his.press("Q")
    c.press("q")


def test_another_appliance_on_a_terminal(fleet):
    p, r = fleet.primary, fleet.replicas[0]
    with Console(p.socket) as c:
        c.wait("NameServe p ")
        c.press("9")
        c.wait(lambda: re.search(r" r1 .* \d+(\.\d)?ms  relay", c.text()))  # its round trip
        select(c, "r1")
        c.press("enter")
        c.wait(lambda: c.lines()[0].startswith(" NameServe r1"))
        c.wait("primary ok")
        c.press("2")
        c.wait(lambda: "RRSETS" in c.text() and "example.com" in c.cursor_row())  # not the one of Overview
        seen_by_a_viewer(c, p)
        c.press(":", "nameserve status", "enter")
        c.wait("exit 0: done")
        c.press("Y")
        c.wait("nameserve --appliance r1 status")
        c.press("q", "q")
        c.wait(lambda: "example.com" in c.cursor_row())
        r.stop()
        try:
            c.wait("LINK LOST", 60)
            c.press("9")
            c.wait(lambda: " p " in c.text() and " r1 " in c.text())
            select(c, "p")
            c.press("enter")
            c.wait(lambda: c.lines()[0].startswith(" NameServe p") and "LINK LOST" not in c.text())
        finally:
            r.start()
            wait_until(r.follows, "r1 follows again")
        c.press("Q")
        assert c.ended() == 0
