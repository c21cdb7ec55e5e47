"""--confirm-within: a change that nobody confirms is taken back, whatever dies and whatever the wall clock says."""

import json
import shutil
import sqlite3
import time

import pytest

from appliance import BUILD, variant
from peers import wait_until


def edit(a, name, address, *options):
    return a.cli_json("record", "set", "example.com", name, 60, "A", address, "--commit", *options)


def unconfirmed(a):
    return {u["revision"]: u["remaining_s"] for u in a.cli_json("status")["unconfirmed"]}


def taken_back(a, name="www", before=("192.0.2.10",), seconds=10):
    wait_until(lambda: a.values(f"{name}.example.com") == list(before), "taken back", seconds)


def while_it_waits(a, what, windows=(1, 5, 20)):
    """What `what` says of an edit of www that waits to be confirmed: of one that waited all the while, which takes a longer
    window on a machine with others."""
    for window in windows:
        start = time.monotonic()
        done = edit(a, "www", "192.0.2.1", "--confirm-within", f"{window}s", "-m", "try")
        assert done["confirm_within_ms"] == window * 1000
        said = what(done["revision"])
        if time.monotonic() - start < window:
            return done, window, said
        taken_back(a)
    raise AssertionError(f"too slow for windows of {windows} s")


def test_not_confirmed_is_taken_back(example):
    done, window, (served, left) = while_it_waits(
        example, lambda revision: (example.values("www.example.com"), unconfirmed(example).get(revision)))
    assert served == ["192.0.2.1"] and 0 < left <= window
    edit(example, "other", "192.0.2.5")
    taken_back(example)
    assert example.values("other.example.com") == ["192.0.2.5"]  # only that change's RRsets
    wait_until(lambda: not unconfirmed(example), "window over", 5)
    last = example.cli_json("history", "list")["changes"][0]
    assert last["kind"] == "expire" and last["via"] == "timer" and str(done["revision"]) in last["comment"]
    example.fails(3, "confirm", done["revision"])


def test_confirmed_stays(example):
    done, window, code = while_it_waits(
        example, lambda revision: example.cli_run("confirm", revision, "-m", "fine").returncode)
    assert code == 0
    assert unconfirmed(example) == {}
    edit(example, "www", "192.0.2.2")  # free again
    second = edit(example, "marker", "192.0.2.3", "--confirm-within", f"{window}s")
    wait_until(lambda: second["revision"] not in unconfirmed(example), "the second is over", 60)
    assert example.values("www.example.com") == ["192.0.2.2"]
    example.fails(3, "confirm", done["revision"])


def test_its_rrsets_are_held(example):
    done = edit(example, "www", "192.0.2.1", "--confirm-within", "10m")
    for command in (["record", "set", "example.com", "www", 60, "A", "192.0.2.9", "--commit"],
                    ["record", "del", "example.com", "www", "--commit"],
                    ["zone", "delete", "example.com", "--confirm=example.com"]):
        got = example.cli_run("--json", *command)
        assert got.returncode == 5, (command, got.stdout, got.stderr)
        error = json.loads(got.stdout)["error"]
        assert error["code"] == "E2120" and error["conflict"]["unconfirmed"] == done["revision"]
        assert f"change {done['revision']}" in error["text"]
    text = example.cli("zone", "export", "example.com").replace("192.0.2.1\n", "192.0.2.8\n")
    example.cli_run("zone", "import", "example.com", "-", "--commit", stdin=text)
    assert example.values("www.example.com") == ["192.0.2.1"]
    # A draft hears of it when it is made, and may wait.
    assert "E2120" in example.fails(5, "record", "set", "example.com", "www", 60, "A", "192.0.2.9")
    # Everything else goes on, the same name's other types too.
    example.cli("record", "set", "example.com", "www", 60, "TXT", '"x"', "--commit")
    edit(example, "free", "192.0.2.4")
    assert "UNCONFIRMED" in example.cli("status")
    example.cli("revert", done["revision"], "--commit")
    assert example.values("www.example.com") == ["192.0.2.10"] and unconfirmed(example) == {}
    edit(example, "www", "192.0.2.9")


def test_times_that_make_no_sense(example):
    example.fails(2, "record", "set", "example.com", "a", 60, "A", "192.0.2.1", "--commit", "--confirm-within", "x")
    example.fails(2, "record", "set", "example.com", "a", 60, "A", "192.0.2.1", "--commit", "--confirm-within", "1ms")
    # What changes nothing waits for nothing.
    assert edit(example, "www", "192.0.2.10", "--confirm-within", "1s", "--base", 1)["confirm_within_ms"] in (0, 1000)


def test_it_survives_kills_of_sync(example):
    def killed(revision):
        seen = []
        for _ in range(2):
            example.wait_replaced("sync", example.kill_role("sync"))
            seen.append((example.values("www.example.com"), unconfirmed(example).get(revision, 0) > 0))
        return seen

    assert while_it_waits(example, killed, (2, 10, 40))[2] == [(["192.0.2.1"], True)] * 2
    taken_back(example, seconds=60)


@pytest.fixture
def year_ahead():
    """Programs whose sync has a wall clock that is a year ahead."""
    tree = variant(sync=BUILD / "ahead" / "nameserve-sync")
    yield tree
    shutil.rmtree(tree)


def saved(a):
    with sqlite3.connect(f"file:{a.data}/store.db?mode=ro", uri=True) as db:
        return db.execute("SELECT remaining_ms FROM unconfirmed").fetchone()[0] / 1000


def test_it_survives_the_appliance_and_a_wall_clock_moved_by_a_year(example, year_ahead):
    """A year ahead does not end it, a year back does not hold it; a crash gives back what was not saved."""
    build = example.build
    done = edit(example, "www", "192.0.2.1", "--confirm-within", "1h")
    wait_until(lambda: saved(example) < 3600, "saved", 15)
    remains = saved(example)
    example.kill()
    example.build = year_ahead
    example.start()
    assert 3500 < unconfirmed(example)[done["revision"]] <= remains
    short = edit(example, "short", "192.0.2.2", "--confirm-within", "2s")
    now = time.strftime("%Y-%m-%d", time.gmtime(time.time() + 300 * 86400))
    assert example.cli_json("history", "list")["changes"][0]["at"] > now
    example.kill()
    example.build = build
    example.start()
    assert set(unconfirmed(example)) <= {done["revision"], short["revision"]}
    wait_until(lambda: example.values("short.example.com") == "NXDOMAIN", "taken back", 10)
    assert example.values("www.example.com") == ["192.0.2.1"]
    example.cli("confirm", done["revision"])
