"""Flips of checks under load, in a signed zone with a validating resolver asking throughout: ten checks of one pool fall in
the same second and rise again; the same with a signer that does nothing, where the last signed answer is sent.

The board is the test's: it plays the probe.
"""

import contextlib
import json
import os
import shutil
import signal
import sqlite3
import threading
import time

import dns.message
import dns.query
import dns.rdatatype
import pytest

import signed_here
import validators
from appliance import BUILD, Appliance, variant
from board import Board
from peers import wait_until

ZONE = "our"
TEN = [f"c{i}" for i in range(10)]
POOL = {"answers": [{"value": f"192.0.2.{100 + i}", "check": c, "weight": 1 + i} for i, c in enumerate(TEN)]}
BACKUP = {"answers": [{"value": "192.0.2.200"}]}
POLICIES = {
    "over": {"root": {"use": "failover", "order": [{"pool": "ten"}, {"pool": "backup"}]}, "pools": {"ten": POOL, "backup": BACKUP}},
    "share": {"root": {"use": "weighted", "branches": [{"weight": 9, "then": {"pool": "ten"}}, {"weight": 1, "then": {"pool": "backup"}}]},
              "pools": {"ten": dict(POOL, serve="one"), "backup": BACKUP}},
    "near": {"root": {"use": "geo", "rules": [{"match": ["cidr:127.0.0.0/8"], "then": {"pool": "ten"}}], "default": {"pool": "backup"}},
             "pools": {"ten": dict(POOL, serve=3), "backup": BACKUP}},
}
NAMES = [f"{owner}.{ZONE}." for owner in POLICIES]


@pytest.fixture(scope="module")
def site():
    tree = variant()
    shutil.copy(BUILD / "tools" / "stub_role", tree / "libexec" / "nameserve-probe")
    with Appliance(build=tree) as a:
        for name in TEN:
            a.cli("check", "set", name, "-", "-m", "t", stdin=json.dumps({"type": "push"}))
        made = signed_here.Site(a, [ZONE])
        for owner, policy in POLICIES.items():
            a.cli("policy", "set", ZONE, owner, "A", "-", "--commit", "-m", "t", stdin=json.dumps(dict(policy, ttl=0)))
        with sqlite3.connect(next(a.data.glob("*.db"))) as db:
            checks = dict(db.execute("SELECT name, id FROM object WHERE kind = 'check'"))
        made.board = Board(a.pid("worker"), checks)
        made.board.all()
        wait_until(lambda: addresses(made, "over") == set(range(100, 110)), "all ten are up and signed", 20)
        yield made
        made.close()
    shutil.rmtree(tree)


def ask(site, owner):
    query = dns.message.make_query(f"{owner}.{ZONE}.", "A", want_dnssec=True)
    return dns.query.udp(query, "127.0.0.1", port=site.a.port, timeout=10)


def addresses(site, owner):
    """Last octets of what the worker sends; each answer with its signature."""
    reply = ask(site, owner)
    kinds = [s.rdtype for s in reply.answer]
    assert kinds == [dns.rdatatype.A, dns.rdatatype.RRSIG], reply
    return {int(r.address.split(".")[3]) for r in reply.answer[0]}


def unsigned(site):
    return site.a.cli_json("stats")["policy_unsigned_total"]


@contextlib.contextmanager
def edits(site):
    """Somebody edits the zone all the while."""
    ending, done = threading.Event(), []

    def run():
        while not ending.is_set():
            site.a.cli("record", "set", ZONE, f"e{len(done)}", "60", "A", "192.0.2.9", "--commit", "-m", "t")
            done.append(1)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield done
    finally:
        ending.set()
        thread.join(30)


def flip(site, up):
    """All ten, one after the other, within the same second; ms from the last flip to the answer that it asks for."""
    for check in TEN:
        site.board.set(check, up, since=2)
        time.sleep(0.02)
    start = time.monotonic()
    want = set(range(100, 110)) if up else {200}
    wait_until(lambda: addresses(site, "over") == want, f"ten {'up' if up else 'down'}", 20)
    return (time.monotonic() - start) * 1000


def flip_half(site, up):
    """Five in one moment, which nothing that was signed beforehand covers: ms to the answer."""
    start = time.monotonic()
    for check in TEN[:5]:
        site.board.set(check, up, since=2)
    want = set(range(100 if up else 105, 110))
    wait_until(lambda: addresses(site, "over") == want, f"five {'up' if up else 'down'}", 20)
    return (time.monotonic() - start) * 1000


def test_ten_checks_fall_and_rise_and_every_answer_validates(site):
    site.board.all()
    with validators.Asking(site, [(name, "A") for name in NAMES]) as asking, edits(site) as edited:
        asking.more()
        times, half = [], []
        for _ in range(3):
            for up in (False, True):
                times.append(flip(site, up))
                asking.more()
            half += [flip_half(site, up) for up in (False, True) * 3]
            asking.more()
    print(f"{asking.good} validated answers, {len(edited)} edits; ms from the last flip to its answer:",
          *(f"{what} {[round(t, 1) for t in ms]}" for what, ms in (("ten", times), ("five at once", half))))
    assert sorted(half)[len(half) // 2] < 1000 and edited


def test_a_successor_of_the_signer_watches_on(site):
    """What one check's flip asks for is signed beforehand; for the next one its successor must sign."""
    site.board.all()
    wait_until(lambda: addresses(site, "over") == set(range(100, 110)), "all are up", 20)
    site.a.wait_replaced("signer", site.a.kill_role("signer"))
    for n, check in enumerate(TEN, 1):
        site.board.set(check, False, since=3)
        wait_until(lambda n=n: addresses(site, "over") == (set(range(100 + n, 110)) or {200}), f"{n} are down", 20)


def test_a_dead_signer_leaves_the_last_signed_answers(site):
    site.board.all()
    wait_until(lambda: addresses(site, "over") == set(range(100, 110)), "all are up", 20)
    before = unsigned(site)
    pid = site.a.pid("signer")
    with validators.Asking(site, [(name, "A") for name in NAMES]) as asking:
        asking.more()
        os.kill(pid, signal.SIGSTOP)  # dead for everybody, until its supervisor kills it for its silence
        try:
            for check in TEN[:5]:
                site.board.set(check, False, since=4)
            assert addresses(site, "over") <= set(range(100, 110))
            reply = ask(site, "over")
            if site.a.pid("signer") == pid:  # a slow machine: it may have a successor by now
                assert [o.code for o in reply.options if o.otype == 15] == [3]
            asking.more(100)
            for check in TEN[5:]:
                site.board.set(check, False, since=4)
            asking.more()
            wait_until(lambda: unsigned(site) > before, "answers that are not signed yet are counted", 20)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        wait_until(lambda: addresses(site, "over") == {200}, "its successor signs what health asks for", 30)
        asking.more()
