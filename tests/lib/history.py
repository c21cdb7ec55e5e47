"""What must hold of a fleet after trouble, decided from two things alone: the log of operations that the
clients kept, and the state of every appliance at the end. Pure: no process, no clock, no network.

An operation is one edit, one JSON line:
    client, n, key      who asked, which one of its edits, the idempotency key (unique; also the change's comment)
    at                  the appliances it was asked of, in order (a retry goes to another one with the same key)
    zone, name, type, ttl, rdata    what was asked: this RRset shall be exactly that
    sent, done          seconds on one monotonic clock: the first request left, the last answer came
    outcome             "ok" acknowledged; "refused" the answer was "nothing was changed"; "unknown" neither
    revision            of an acknowledged one: the change it was told to be
    read                optional: rdata that the appliance which acknowledged it served right afterwards

The state of an appliance:
    name, role, term
    log     changes in order: revision, term, prev, hash (hex), comment
    zones   {zone: {"digest": hex, "rrsets": {"name TYPE": [ttl, [rdata …]]}}}
    served  {"name TYPE": [rdata …]}: what DNS said (all that was asked; optional)

A loss is what a promotion without a standby has printed: {"term": the term that ended, "kept": the last revision
of it that the new primary has, "at": when promote returned}. What was acknowledged in that term above that revision is
gone, everywhere alike; nothing else is."""

import json


def read_log(path):
    with open(path, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def rrset_of(op):
    return f"{op['zone']} {op['name']} {op['type']}"


# ---- the change log ----
def chain_faults(state):
    """One appliance's log is one chain: no number twice, none left out, each built on the one before."""
    log, name = state["log"], state["name"]
    for a, b in zip(log, log[1:]):
        if b["revision"] != a["revision"] + 1:
            yield f"{name}: change {b['revision']} follows {a['revision']}"
        if b["prev"] != a["hash"]:
            yield f"{name}: change {b['revision']} is not built on change {a['revision']}"
        if b["term"] < a["term"]:
            yield f"{name}: change {b['revision']} of term {b['term']} follows one of term {a['term']}"


def fork_faults(states):
    """No two appliances have different changes of one number, and all end with the same one."""
    first = {}
    for state in states:
        for c in state["log"]:
            name, hash_ = first.setdefault(c["revision"], (state["name"], c["hash"]))
            if hash_ != c["hash"]:
                yield f"change {c['revision']} of {state['name']} is not that of {name}"
    heads = {s["name"]: s["log"][-1]["revision"] if s["log"] else 0 for s in states}
    if len(set(heads.values())) > 1:
        yield f"the logs end at different changes: {heads}"
    terms = {s["name"]: s["term"] for s in states}
    if len(set(terms.values())) > 1:
        yield f"the appliances are in different terms: {terms}"


# ---- what became of each operation ----
def terms_of(log):
    return {(c["revision"], c["comment"]): c["term"] for c in log}


def lost_by_promotion(op, terms, losses):
    """Acknowledged in a term above what was kept of it. An answer does not name its term: it is that of the change
    with its number and key (terms_of), and of one that is nowhere, the term that had not ended when it came."""
    term = terms.get((op["revision"], op["key"]))
    return any(op["revision"] > loss["kept"] and (op["done"] <= loss["at"] if term is None else term <= loss["term"])
               for loss in losses)


def fate(op, there, lost):
    """What is wrong with an operation that is there as these changes; None when nothing is."""
    if len(there) > 1:
        return f"is there {len(there)} times, as changes {there}"
    if op["outcome"] == "refused" and there:
        return f"was refused and is change {there[0]}"
    if op["outcome"] != "ok":
        return None
    if lost:
        return f"is change {there[0]}, and promote said it was lost" if there else None
    if not there:
        return f"was acknowledged as change {op['revision']} and is lost"
    if there[0] != op["revision"]:
        return f"was acknowledged as change {op['revision']} and is change {there[0]}"
    return None


def outcome_faults(ops, states, losses):
    for state in states:
        found, terms = {}, terms_of(state["log"])
        for c in state["log"]:
            found.setdefault(c["comment"], []).append(c["revision"])
        for op in ops:
            lost = op["outcome"] == "ok" and lost_by_promotion(op, terms, losses)
            wrong = fate(op, found.get(op["key"], []), lost)
            if wrong:
                yield f"{state['name']}: {op['key']} {wrong}"


def one_number_each(ops, log, losses):
    """No change was acknowledged to two operations (but for numbers that a promotion gave anew)."""
    taken, terms = {}, terms_of(log)
    for op in ops:
        if op["outcome"] == "ok" and not lost_by_promotion(op, terms, losses):
            other = taken.setdefault(op["revision"], op["key"])
            if other != op["key"]:
                yield f"change {op['revision']} was acknowledged for {other} and for {op['key']}"


# ---- content ----
def replay(ops, log):
    """The RRsets after all changes of the log, and which change wrote each last."""
    asked = {op["key"]: op for op in ops}
    content = {}
    for c in log:
        op = asked.get(c["comment"])
        if op is not None:
            content[rrset_of(op)] = (op["ttl"], sorted(op["rdata"]))
    return content


def content_faults(ops, states):
    """Every RRset that somebody edited has, on every appliance, what the log's last change of it says."""
    reference = states[0]
    for state in states:
        expect = replay(ops, state["log"])
        for op in ops:
            key = rrset_of(op)
            rrsets = state["zones"].get(op["zone"], {}).get("rrsets", {})
            there = rrsets.get(f"{op['name']} {op['type']}")
            there = (there[0], sorted(there[1])) if there else None
            if there != expect.get(key):
                yield f"{state['name']}: {key} is {there}, the log says {expect.get(key)}"
            served = state.get("served", {}).get(f"{op['name']} {op['type']}")
            if served is not None and sorted(served) != (expect[key][1] if key in expect else []):
                yield f"{state['name']}: {key} is answered {served}, the log says {expect.get(key)}"
        if state["zones"].keys() != reference["zones"].keys():
            yield f"{state['name']} has other zones than {reference['name']}"
        for zone, z in state["zones"].items():
            if z["digest"] != reference["zones"].get(zone, z)["digest"]:
                yield f"{state['name']}: the digest of {zone} is not that of {reference['name']}"


# ---- time ----
def order_faults(ops, log):
    """Per RRset: what was acknowledged before another was sent comes before it in the log."""
    number = {c["comment"]: c["revision"] for c in log}
    rrsets = {}
    for op in ops:
        if op["outcome"] == "ok" and op["key"] in number:
            rrsets.setdefault(rrset_of(op), []).append(op)
    for key, those in rrsets.items():
        by_done, newest = sorted(those, key=lambda o: o["done"]), None
        i = 0
        for op in sorted(those, key=lambda o: o["sent"]):
            while i < len(by_done) and by_done[i]["done"] < op["sent"]:
                if newest is None or number[by_done[i]["key"]] > number[newest["key"]]:
                    newest = by_done[i]
                i += 1
            if newest is not None and number[newest["key"]] > number[op["key"]]:
                yield (f"{key}: {op['key']} (change {number[op['key']]}) was sent after {newest['key']} "
                       f"(change {number[newest['key']]}) was acknowledged")


def read_faults(ops, log):
    """Who was answered reads what it wrote, or what came later."""
    number = {c["comment"]: c["revision"] for c in log}
    wrote = {(rrset_of(op), tuple(sorted(op["rdata"]))): op for op in ops}
    for op in ops:
        if op["outcome"] != "ok" or op.get("read") is None or op["key"] not in number:
            continue
        seen = wrote.get((rrset_of(op), tuple(sorted(op["read"]))))
        if seen is None or seen["key"] in number and number[seen["key"]] < number[op["key"]]:
            yield f"{op['key']} was acknowledged, and the next answer was {op['read']}"


def check(ops, states, losses=()):
    """All that is wrong, as texts; nothing when the history is good."""
    faults = []
    for state in states:
        faults += chain_faults(state)
    faults += fork_faults(states)
    faults += outcome_faults(ops, states, losses)
    faults += one_number_each(ops, states[0]["log"], losses)
    faults += content_faults(ops, states)
    faults += order_faults(ops, states[0]["log"])
    faults += read_faults(ops, states[0]["log"])
    return faults


def tally(ops):
    out = {"ok": 0, "refused": 0, "unknown": 0}
    for op in ops:
        out[op["outcome"]] += 1
    return out
