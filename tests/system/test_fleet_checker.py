"""The checker of histories itself: it takes what is right and names what is wrong."""

import copy
import hashlib

import pytest

import history


def op(n, outcome="ok", name=None, client="c0", sent=None, revision=None, **kw):
    sent = n * 1.0 if sent is None else sent
    return {"client": client, "n": n, "key": f"{client}-{n}", "at": ["r1"], "zone": "example.com",
            "name": name or f"n{n}", "type": "TXT", "ttl": 60, "rdata": [f'"{client}-{n}"'], "sent": sent,
            "done": sent + 0.5, "outcome": outcome, "revision": revision, **kw}


def chain(entries, start=2):
    """entries: (comment, term)"""
    log, prev = [], "00" * 32
    for i, (comment, term) in enumerate(entries):
        hash_ = hashlib.sha256(f"{prev} {comment} {term}".encode()).hexdigest()
        log.append({"revision": start + i, "term": term, "prev": prev, "hash": hash_, "comment": comment})
        prev = hash_
    return log


def state_of(name, ops, log):
    rrsets = {}
    for key, (ttl, rdata) in history.replay(ops, log).items():
        rrsets[key.split(" ", 1)[1]] = [ttl, rdata]
    digest = hashlib.sha256(repr(sorted(rrsets.items())).encode()).hexdigest()
    served = {k: v[1] for k, v in rrsets.items()}
    return {"name": name, "role": "replica", "term": log[-1]["term"], "log": log,
            "zones": {"example.com": {"digest": digest, "rrsets": rrsets}}, "served": served}


def fleet_of(ops, entries, names=("p", "r1", "r2")):
    return [state_of(n, ops, copy.deepcopy(chain(entries))) for n in names]


def four():
    """Acknowledged, acknowledged, unknown, refused."""
    ops = [op(0, revision=2), op(1, revision=3), op(2, "unknown"), op(3, "refused")]
    return ops, [("c0-0", 1), ("c0-1", 1)]


# ---- good ones ----
def test_takes_what_is_right():
    ops, entries = four()
    assert history.check(ops, fleet_of(ops, entries)) == []
    # The outcome that nobody knew: there once is as good as not at all.
    assert history.check(ops, fleet_of(ops, entries + [("c0-2", 1)])) == []
    # Changes that are nobody's edit (a member joined, a term began), and one RRset written twice.
    ops = [op(0, name="a", revision=3), op(1, name="a", revision=5, read=['"c0-1"'])]
    assert history.check(ops, fleet_of(ops, [("joined", 1), ("c0-0", 1), ("", 2), ("c0-1", 2)])) == []
    # Two that ran at once may come in any order.
    ops = [op(0, name="a", revision=3, sent=1.0), op(1, name="a", revision=2, sent=1.2)]
    assert history.check(ops, fleet_of(ops, [("c0-1", 1), ("c0-0", 1)])) == []


def test_takes_a_log_that_begins_later():
    """A replica that came by snapshot has only the end of the log."""
    ops, entries = four()
    states = fleet_of(ops, entries + [("c0-2", 1)])
    late = history.outcome_faults(ops, [dict(states[2], log=states[2]["log"][1:])], ())
    assert list(late) == ["r2: c0-0 was acknowledged as change 2 and is lost"]
    assert list(history.fork_faults([states[0], dict(states[2], log=states[2]["log"][1:])])) == []


def test_takes_the_loss_that_promote_printed():
    """And no other: not one more, not one less."""
    ops = [op(0, revision=2), op(1, revision=3), op(2, revision=3)]
    states = fleet_of(ops, [("c0-0", 1), ("c0-2", 2)])
    assert history.check(ops, states, [{"term": 1, "kept": 2, "at": 1.6}]) == []
    assert history.check(ops, states) == [
        *[f"{n}: c0-1 was acknowledged as change 3 and is lost" for n in ("p", "r1", "r2")],
        "change 3 was acknowledged for c0-1 and for c0-2"]
    # Acknowledged after the promotion: not of the term that ended.
    assert "c0-1 was acknowledged as change 3 and is lost" in str(
        history.check(ops, states, [{"term": 1, "kept": 2, "at": 1.4}]))
    # It came back under another number, or was never gone.
    assert "c0-1 is change 4, and promote said it was lost" in str(
        history.check(ops, fleet_of(ops, [("c0-0", 1), ("c0-2", 2), ("c0-1", 2)]),
                      [{"term": 1, "kept": 2, "at": 1.6}]))
    assert "c0-0 is change 2, and promote said it was lost" in str(
        history.check(ops, states, [{"term": 1, "kept": 1, "at": 1.6}]))


# ---- the three bad ones ----
def test_rejects_a_lost_edit():
    ops, entries = four()
    faults = history.check(ops, fleet_of(ops, entries[:1]))
    assert faults == [f"{n}: c0-1 was acknowledged as change 3 and is lost" for n in ("p", "r1", "r2")]
    # On one appliance alone, though its log has it: it applied nothing.
    states = fleet_of(ops, entries)
    del states[1]["zones"]["example.com"]["rrsets"]["n1 TXT"]
    assert any("r1: example.com n1 TXT is None" in f for f in history.check(ops, states))
    # In the store and not in the answers.
    states = fleet_of(ops, entries)
    states[2]["served"]["n1 TXT"] = []
    assert any("r2: example.com n1 TXT is answered []" in f for f in history.check(ops, states))


@pytest.mark.parametrize("twice", ["c0-1", "c0-2"])
def test_rejects_a_doubled_edit(twice):
    """Of one that was acknowledged, and of one whose outcome was unknown and that was asked again."""
    ops, entries = four()
    faults = history.check(ops, fleet_of(ops, entries + [("c0-2", 1), (twice, 1)]))
    assert len(faults) == 3 and all("is there 2 times" in f for f in faults)


def test_rejects_a_forked_edit():
    """Two primaries at once: change 3 is one thing here and another there."""
    ops = [op(0, revision=2), op(1, revision=3), op(2, revision=3, client="c1")]
    states = fleet_of(ops, [("c0-0", 1), ("c0-1", 1)])
    states[2] = state_of("r2", ops, chain([("c0-0", 1), ("c1-2", 1)]))
    faults = history.check(ops, states)
    assert "change 3 of r2 is not that of p" in faults
    assert "r2: c0-1 was acknowledged as change 3 and is lost" in faults
    assert "p: c1-2 was acknowledged as change 3 and is lost" in faults
    assert "r2: the digest of example.com is not that of p" in faults
    assert "change 3 was acknowledged for c0-1 and for c1-2" in faults


# ---- and what else may go wrong ----
def test_rejects_other_faults():
    ops, entries = four()
    for at, what in ((lambda s: s[1]["log"][1].update(prev="11" * 32), "r1: change 3 is not built on change 2"),
                     (lambda s: s[1]["log"][1].update(revision=9), "r1: change 9 follows 2"),
                     (lambda s: s[1]["log"][0].update(term=2), "r1: change 3 of term 1 follows one of term 2"),
                     (lambda s: s[2]["log"].pop(), "the logs end at different changes"),
                     (lambda s: s[2].update(term=4), "different terms"),
                     (lambda s: s[2]["zones"].clear(), "r2 has other zones than p"),
                     (lambda s: s[2]["zones"]["example.com"].update(digest="00"), "r2: the digest of")):
        states = fleet_of(ops, entries)
        at(states)
        assert any(what in f for f in history.check(ops, states)), what
    assert "was refused and is change 4" in str(history.check(ops, fleet_of(ops, entries + [("c0-3", 1)])))


def test_rejects_what_time_forbids():
    ops = [op(0, name="a", revision=3, sent=1.0), op(1, name="a", revision=2, sent=9.0)]
    faults = history.check(ops, fleet_of(ops, [("c0-1", 1), ("c0-0", 1)]))
    assert faults == ["example.com a TXT: c0-1 (change 2) was sent after c0-0 (change 3) was acknowledged"]
    ops = [op(0, name="a", revision=2), op(1, name="a", revision=3, read=['"c0-0"'])]
    faults = history.check(ops, fleet_of(ops, [("c0-0", 1), ("c0-1", 1)]))
    assert faults == ["c0-1 was acknowledged, and the next answer was ['\"c0-0\"']"]
