"""Drafts, plans and conflicts: nothing typed is lost, nothing is served before its commit, and what others
did meanwhile is shown, never overwritten."""

import json
import os
import signal
import subprocess
import threading
import time

import dns.exception
import pytest

from appliance import CliError, zone_text
from peers import wait_until


def many(n, first=0, net="10.0"):
    return "".join(f"h{i} IN A {net}.{i >> 8}.{i & 255}\n" for i in range(first, n))


@pytest.fixture
def two(example):
    """example.com and example.net, both with www."""
    text = zone_text("example.net.", records="www IN A 192.0.2.10\n")
    example.cli("zone", "import", "example.net", "-", stdin=text)
    return example


def drafts(a):
    return {d["zone"]: d["ops"] for d in a.cli_json("draft", "list")["drafts"]}


def conflict(a, *args):
    """The conflict of a command that must end with exit 5: {(name, type): (was, theirs, mine, overlaps)}."""
    done = a.cli_run("--json", *args)
    assert done.returncode == 5, (done.returncode, done.stdout, done.stderr)
    error = json.loads(done.stdout)["error"]

    def state(s):
        return s["rdata"] if s["there"] else None

    return error, {
        (r["name"], r["type"]): (state(r["was"]), state(r["theirs"]), state(r["mine"]), r["overlaps"])
        for r in error["conflict"]["rrsets"]
    }


def test_a_draft_is_served_when_it_is_committed(two):
    cli = two.cli
    cli("record", "set", "example.com", "www", 60, "A", "192.0.2.1")
    cli("record", "add", "EXAMPLE.com.", "new", 60, "MX", "10 www")
    cli("record", "del", "example.net", "www", "A")
    assert drafts(two) == {"example.com.": 2, "example.net.": 1}
    assert two.values("www.example.com") == ["192.0.2.10"]
    assert "set www 60 A 192.0.2.1" in cli("draft", "show", "example.com")
    done = two.cli_json("commit", "--all", "-m", "both")
    assert [z["zone"] for z in done["zones"]] == ["example.com.", "example.net."]
    assert two.values("www.example.com") == ["192.0.2.1"]
    assert two.values("www.example.net") == "NXDOMAIN"
    assert drafts(two) == {}
    last = two.cli_json("history", "list")["changes"][0]
    assert last["zone_count"] == 2 and last["comment"] == "both" and last["revision"] == done["revision"]
    two.fails(3, "commit", "--all")
    two.fails(2, "commit")


def test_what_is_wrong_is_refused_when_it_is_typed(example):
    example.cli("record", "set", "example.com", "www", 60, "A", "192.0.2.1")
    example.fails(6, "record", "set", "example.com", "www", 60, "A", "192.0.2.300")
    example.fails(6, "record", "set", "example.com", "www", 60, "CNAME", "other")
    example.fails(3, "record", "del", "example.com", "nobody")
    example.fails(3, "record", "set", "example.org", "www", 60, "A", "192.0.2.1")
    assert drafts(example) == {"example.com.": 1}
    example.cli("draft", "undo", "example.com")
    assert drafts(example) == {}
    example.cli("record", "set", "example.com", "x", 60, "A", "192.0.2.1")
    example.fails(9, "draft", "drop", "example.com")
    example.cli("draft", "drop", "example.com", "--yes")
    example.fails(3, "draft", "show", "example.com")


def test_the_plan_says_what_the_commit_does(example):
    before = example.cli_json("status")["revision"]
    example.cli("record", "set", "example.com", "www", 60, "A", "192.0.2.1")
    example.cli("record", "set", "example.com", "new", 60, "MX", "10 nowhere")
    plan = example.cli_json("plan", "example.com")
    zone = plan["zones"][0]
    assert "www.example.com. 300 IN A 192.0.2.10" in zone["removed"]
    assert "new.example.com. 60 IN MX 10 nowhere.example.com." in zone["added"]
    assert zone["old_ttl"] == 300 and zone["negative_ttl"] == 300 and zone["new_rrsets"] == 1
    assert zone["records_touched"] == 1 and not zone["confirm"]
    assert [w["owner"] for w in plan["warnings"]] == ["new.example.com."]
    assert example.cli_json("status")["revision"] == before
    assert example.cli_json("plan", "example.com")["plan_hash"] == plan["plan_hash"]
    text = example.cli("plan", "--all")
    assert "up to 300 s" in text and plan["plan_hash"] in text and "warning W" in text
    assert "E2119" in example.fails(5, "commit", "example.com", "--plan", "0" * 64)
    done = example.cli_json("commit", "example.com", "--plan", plan["plan_hash"])
    assert done["serial"] == zone["serial_after"] and done["warnings"] == plan["warnings"]
    shown = example.cli_json("history", "show", done["revision"])["diffs"][0]
    assert shown["added"] == zone["added"] and shown["removed"] == zone["removed"]


def test_a_commit_warns_as_the_plan_does(example):
    """Of what it touches, and not of what was odd before."""
    odd = ("record", "add", "example.com", "@", 300, "MX", "10 gone", "--commit")
    assert [w["owner"] for w in example.cli_json(*odd)["warnings"]] == ["example.com."]
    said = example.cli_run("record", "set", "example.com", "odd", 60, "MX", "10 nowhere", "--commit")
    assert said.returncode == 0 and said.stderr.count("warning W") == 1
    assert "odd.example.com. MX: " in said.stderr
    assert not example.cli_json("record", "set", "example.com", "even", 60, "A", "192.0.2.5", "--commit")["warnings"]


def test_a_conflict_carries_base_theirs_and_mine(two):
    cli = two.cli
    cli("record", "set", "example.com", "www", 60, "A", "192.0.2.1")
    cli("record", "set", "example.com", "mine", 60, "A", "192.0.2.2")
    cli("record", "set", "example.net", "www", 60, "A", "192.0.2.3")
    cli("record", "set", "example.com", "www", 90, "A", "192.0.2.7", "--commit", "-m", "was here")
    cli("record", "set", "example.com", "theirs", 90, "A", "192.0.2.8", "--commit", "-m", "and here")
    revision = two.cli_json("status")["revision"]
    error, sets = conflict(two, "commit", "--all")
    assert error["code"] == "E2104" and error["conflict"]["zones"][0]["comment"] == "and here"
    assert sets == {
        ("mine.example.com.", "A"): (None, None, ["192.0.2.2"], False),
        ("theirs.example.com.", "A"): (None, ["192.0.2.8"], None, False),
        ("www.example.com.", "A"): (["192.0.2.10"], ["192.0.2.7"], ["192.0.2.1"], True),
    }
    # All or nothing: the other zone had no conflict and did not change either.
    assert two.cli_json("status")["revision"] == revision
    assert two.values("www.example.net") == ["192.0.2.10"]
    text = two.fails(5, "commit", "example.com")
    assert "www.example.com. A: to decide" in text and "mine.example.com. A: yours alone" in text
    assert drafts(two) == {"example.com.": 2, "example.net.": 1}
    cli("draft", "rebase", "example.com")
    cli("commit", "--all")
    assert two.values("www.example.com") == ["192.0.2.1"]
    assert two.values("theirs.example.com") == ["192.0.2.8"]


def test_a_stale_serial_is_explained_too(example):
    serial = example.cli_json("zone", "show", "example.com")["serial"]
    example.cli("record", "set", "example.com", "www", 60, "A", "192.0.2.1", "--commit")
    _, sets = conflict(example, "record", "set", "example.com", "www", 60, "A", "192.0.2.2",
                       "--commit", "--base", serial)
    assert sets == {("www.example.com.", "A"): (["192.0.2.10"], ["192.0.2.1"], ["192.0.2.2"], True)}


def test_an_edit_that_stays_a_draft_after_a_conflict(example):
    example.cli("record", "set", "example.com", "a", 60, "A", "192.0.2.1")
    example.cli("record", "set", "example.com", "b", 60, "A", "192.0.2.1", "--commit")
    assert "all the same" in example.fails(5, "record", "set", "example.com", "c", 60, "A", "192.0.2.1")
    assert drafts(example) == {"example.com.": 2}


def test_import_of_a_known_zone_drafts_the_difference(example):
    text = zone_text("example.com.", 7, "www IN A 192.0.2.99\nnew IN TXT \"x\"\n")
    example.cli("zone", "import", "example.com", "-", stdin=text)
    assert example.values("www.example.com") == ["192.0.2.10"]
    assert "already" in example.fails(5, "zone", "import", "example.com", "-", stdin=text)
    done = example.cli_json("commit", "example.com")
    assert done["serial"] == 7  # newer than it was: kept
    assert example.values("www.example.com") == ["192.0.2.99"]
    again = example.cli_json("zone", "import", "example.com", "-", stdin=text)
    assert again["unchanged"] == 1 and drafts(example) == {}


def test_the_safety_rail(appliance):
    cli = appliance.cli
    cli("zone", "import", "big.example", "-", stdin=zone_text("big.example.", 1, many(30)))
    fewer = zone_text("big.example.", 2, many(30, 20))
    err = appliance.fails(9, "zone", "import", "big.example", "-", "--commit", stdin=fewer)
    assert "E2118" in err and "20 of 35" in err and "57 %" in err
    cli("zone", "import", "big.example", "-", stdin=fewer)
    assert appliance.cli_json("plan", "big.example")["zones"][0]["confirm"]
    assert "--confirm=big.example." in appliance.fails(9, "commit", "big.example")
    appliance.fails(9, "commit", "big.example", "--confirm=other.example")
    assert appliance.values("h1.big.example") == ["10.0.0.1"]
    cli("commit", "big.example", "--confirm=big.example")
    assert appliance.values("h1.big.example") == "NXDOMAIN"
    # 15 records are left: such a small zone is edited by hand as a whole.
    cli("zone", "import", "big.example", "-", "--commit", stdin=zone_text("big.example.", 9))


def test_two_commands_at_once_lose_no_operation(example):
    def add(n):
        for i in range(5):
            example.cli("record", "set", "example.com", f"t{n}-{i}", 60, "A", "192.0.2.1")

    threads = [threading.Thread(target=add, args=(n,)) for n in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert drafts(example) == {"example.com.": 20}
    example.cli("commit", "example.com")
    assert example.values("t3-4.example.com") == ["192.0.2.1"]


def test_drafts_outlive_the_appliance_and_the_client(example):
    """The client dies at any moment of an edit, the appliance with -9: the draft is the one before or after."""
    example.cli("record", "set", "example.com", "a", 60, "A", "192.0.2.1")
    least = 1
    for i in range(8):
        command = [example.build / "bin" / "nameserve", "--socket", example.socket, "record", "set",
                   "example.com", f"k{i}", "60", "A", "192.0.2.1"]
        process = subprocess.Popen(command, env=example.env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        time.sleep(0.002 * i)  # wherever it is by then
        process.send_signal(signal.SIGKILL)
        said = process.communicate()[0]
        ops = drafts(example)["example.com."]
        assert ops in (least, least + 1) and (not said or ops == least + 1)
        least = ops
    example.kill()
    assert drafts(example) == {"example.com.": least}
    example.fails(7, "record", "set", "example.com", "b", 60, "A", "192.0.2.1")
    example.start()
    example.cli("commit", "example.com")
    assert example.values("a.example.com") == ["192.0.2.1"]


def test_an_unknown_outcome_is_settled_by_trying_again(example):
    """The reply is lost: the same commit again is the same change, not a second one."""
    example.cli("record", "add", "example.com", "once", 60, "A", "192.0.2.1")
    answer = example.pid("answer")
    os.kill(answer, signal.SIGSTOP)  # committed, but nobody says so in time
    done = example.cli_run("--timeout", "1s", "commit", "example.com")
    os.kill(answer, signal.SIGCONT)
    assert done.returncode in (8, 11), (done.returncode, done.stderr)
    if done.returncode == 8:
        example.cli_json("commit", "example.com")
    assert [c["kind"] for c in example.cli_json("history", "list", "example.com")["changes"]].count("edit") == 1
    assert drafts(example) == {}
    wait_until(lambda: example.values("once.example.com") == ["192.0.2.1"], "served")


def test_several_zones_appear_at_once(two):
    """Whoever asks for both, one after the other, never sees the second one older than the first."""
    seen, stop = [], threading.Event()

    def ask():
        while not stop.is_set():
            try:
                first = two.values("www.example.com")[0]
                seen.append((int(first.split(".")[3]), int(two.values("www.example.net")[0].split(".")[3])))
            except (OSError, dns.exception.Timeout):
                pass

    for zone in ("example.com", "example.net"):
        two.cli("record", "set", zone, "www", 60, "A", "192.0.2.10", "--commit")
    thread = threading.Thread(target=ask)
    thread.start()
    for i in range(11, 41):
        for zone in ("example.com", "example.net"):
            two.cli("record", "set", zone, "www", 60, "A", f"192.0.2.{i}")
        two.cli("commit", "--all")
    stop.set()
    thread.join()
    assert len(seen) > 100 and all(second >= first for first, second in seen)
    assert len({first for first, _ in seen}) > 10


def test_damaged_drafts_are_named_not_lost(example):
    example.cli("record", "set", "example.com", "a", 60, "A", "192.0.2.1")
    path = next((example.dir / "state").rglob("*.draft"))
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    assert example.cli_json("draft", "list")["drafts"][0]["damaged"]
    assert str(path) in example.fails(1, "commit", "example.com")
    with pytest.raises(CliError):
        example.cli("commit", "--all")
    example.cli("draft", "drop", "example.com", "--yes")
    assert drafts(example) == {}


def test_read_only_makes_no_change(example):
    example.cli("record", "set", "example.com", "a", 60, "A", "192.0.2.1")
    example.fails(4, "--read-only", "commit", "example.com")
    assert drafts(example) == {"example.com.": 1}
