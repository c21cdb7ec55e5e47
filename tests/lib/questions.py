"""The questions that the answer tests ask about a zone file."""


def read_zone(path):
    """(origin, {owner: set of types}) of a plain master file: one record a line, as ours are."""
    origin, owners = None, {}
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            fields = line.split(None, 5)
            if not fields or line[0] in ";$":
                if fields and fields[0] == "$ORIGIN":
                    origin = fields[1]
                continue
            owner, rest = fields[0], fields[1:]
            while rest and (rest[0] == "IN" or rest[0].isdigit()):
                rest = rest[1:]
            if owner == "@":
                owner = origin
            elif not owner.endswith("."):
                owner = f"{owner}.{origin}" if origin != "." else f"{owner}."
            owners.setdefault(owner, set()).add(rest[0])
    if origin is None:
        origin = next(o for o, types in owners.items() if "SOA" in types)
    return origin, owners


def below(owner):
    return "below-x." + (owner if owner != "." else "")


def beside(owner):
    """A sibling that sorts close to it: its first label with one more letter."""
    label, _, rest = owner.partition(".")
    return f"{label[:62]}0.{rest}" if label else "0."


def for_zone(path):
    """(name, type, flags) for every owner name and type, one name below and one beside each, with
    and without DO. RD and CD change from one to the next, so that both are seen everywhere."""
    _, owners = read_zone(path)
    extra = 0
    for owner, types in owners.items():
        asked = [(owner, t) for t in sorted(types)]
        asked += [(owner, "TYPE65280"), (below(owner), "A"), (beside(owner), "MX")]
        for name, rdtype in asked:
            for base in ("-", "d"):
                extra += 1
                flags = base + ("r" if extra % 3 == 0 else "") + ("c" if extra % 7 == 0 else "")
                yield name, rdtype, flags
