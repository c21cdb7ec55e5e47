"""The classes of choices.md's second table as code: generated corners where the servers differ.

judge() takes what tools/compare found different between NSD, Knot and us, with the opinions of BIND and of
ourselves over TCP, and names the classes, or None when ours is wrong. What comes first decides. The header
with the answer and authority sections ("the rest") and the additional section are judged one after the other, so
that a class is about one thing.
"""

import re

from choices import Answer, owner

CORNERS, ADDITIONAL = [], []


def rest(function):
    CORNERS.append((function.__name__.replace("_", "-"), function))
    return function


def more(function):
    ADDITIONAL.append((function.__name__.replace("_", "-"), function))
    return function


class Corner(Answer):
    """An answer whose sections are sets: a record that is sent twice is one record (RFC 2181 5)."""

    def __init__(self, text):
        super().__init__(text)
        self.doubled = any(len(x) != len(set(x)) for x in self.sections.values())
        self.rest = (self.header, self.edns, self.answer, self.authority)

    @property
    def rcode(self):
        return int(self.header.split()[1])

    def of(self, section, *types):
        return {x for x in getattr(self, section) if x.split("\t")[3] in types}


class Asked:
    """One difference: the question and the five answers."""

    def __init__(self, difference):
        self.name, self.type, self.flags, self.proto = (difference[k] for k in ("name", "type", "flags", "proto"))
        nsd, knot, ours, bind, ours_tcp = difference["answers"]
        self.nsd, self.knot, self.ours, self.ours_tcp = map(Corner, (nsd, knot, ours, ours_tcp))
        self.bind = Corner(without_own_ways(bind, ours, self.type))


def without_own_ways(bind, ours, rdtype):
    """BIND copies CD; asked for the SOA, it gives the one of a negative answer TTL 0."""
    bind = bind.replace(" cd\n", "\n", 1)
    ttl = re.search(r"^\S+\t(\d+)\tIN\tSOA\t", ours, re.M)
    if rdtype != "SOA" or ttl is None:
        return bind
    return re.sub(r"^(\S+\t)0(\tIN\t(?:SOA\t|RRSIG\tSOA ))", rf"\g<1>{ttl[1]}\2", bind, flags=re.M)


def judge(difference):
    a = Asked(difference)
    if a.ours.doubled or "TOO-LONG" in a.ours.header or "unreadable" in a.ours.header:
        return None
    less = not a.ours.tc and a.ours.additional != a.ours_tcp.additional
    if a.proto == "udp" and (a.nsd.tc or a.knot.tc or a.ours.tc or less):
        return ["cut-differently"] if cut_rightly(a) else None
    found = []
    if a.nsd.rest == a.knot.rest != a.ours.rest or a.nsd.rest != a.knot.rest:
        name = next((n for n, chosen in CORNERS if chosen(a)), None)
        if name is None:
            return None
        found.append(name)
    alike = [x for x in (a.nsd, a.knot, a.bind) if x.rest == a.ours.rest]
    if a.nsd.rest != a.knot.rest:  # what goes with another answer is no matter
        same = any(x.additional == a.ours.additional for x in alike) or not a.ours.additional
    else:
        same = a.nsd.additional == a.knot.additional == a.ours.additional
    if not same:
        name = next((n for n, chosen in ADDITIONAL if chosen(a)), None)
        if name is None:
            return None
        found.append(name)
    return found or ["sent-twice"]


def cut_rightly(a):
    """Over UDP somebody cut. What we send is then of what we send over TCP, which is judged by itself: all of it
    without TC, but for addresses that nobody is lost without; whole RRsets with TC."""
    ours, full = a.ours, a.ours_tcp
    # A chain that was cut before its end does not say yet how it ends.
    early = ours.tc and chained(full) and ours.answer < full.answer and ours.bits() == a.knot.bits()
    if ours.bits() != full.bits() and not early:
        return False
    if ours.edns != full.edns or not ours.additional <= full.additional:
        return False
    if not ours.tc:
        left = full.additional - ours.additional
        cuts = {owner(x) for x in ours.of("authority", "NS")} if not ours.aa else set()
        glue = any(owner(x) == c or owner(x).endswith(f".{c}") for x in left for c in cuts)
        return ours.answer == full.answer and ours.authority == full.authority and not glue
    for section in ("answer", "authority"):
        mine, all_of_it = getattr(ours, section), getattr(full, section)
        if not mine <= all_of_it or any(same_set(x, y) for x in mine for y in all_of_it - mine):
            return False
    longer = a.bind.tc and len(full.authority) > max(len(a.nsd.authority), len(a.knot.authority))  # knot_proves_less
    return a.nsd.tc or a.knot.tc or at_limit(full) or longer


def same_set(x, y):
    return x.split("\t")[0:4:3] == y.split("\t")[0:4:3] and "RRSIG" not in (x.split("\t")[3], y.split("\t")[3])


def chained(answer):
    return answer.of("answer", "CNAME", "DNAME")


def at_limit(answer):
    """We follow 16 names after the first."""
    return len(answer.of("answer", "CNAME")) == 17


def only_proofs_differ(x, y):
    between = x.authority ^ y.authority
    return (x.header, x.edns, x.answer) == (y.header, y.edns, y.answer) and all(
        line.split("\t")[3] in ("NSEC", "RRSIG") for line in between)


# ---- the rest: header, answer, authority ----


@rest
def chain_ends_in_referral(a):
    return (chained(a.ours) and not a.ours.authority and a.ours.answer == a.nsd.answer >= a.knot.answer
            and a.nsd.of("authority", "NS") and a.ours.header == a.nsd.header)


@rest
def chain_into_another_zone(a):
    return (chained(a.ours) and ".parent-and-child." in a.name.lower() and a.knot.answer <= a.ours.answer
            and (a.ours.rest == a.nsd.rest or only_proofs_differ(a.ours, a.nsd)))


@rest
def knot_ends_chain(a):
    return len(a.knot.of("answer", "CNAME")) == 5 and a.knot.answer < a.ours.answer and a.ours.rest == a.nsd.rest


@rest
def chain_limit(a):
    return (at_limit(a.ours) and len(a.knot.of("answer", "CNAME")) == 5 and not a.ours.authority
            and a.knot.answer < a.ours.answer and (a.ours.answer < a.nsd.answer or a.nsd.answer < a.ours.answer or
                                                   (a.ours.answer == a.nsd.answer and a.nsd.authority)))


@rest
def knot_proves_less(a):
    return (only_proofs_differ(a.ours, a.knot) and a.knot.authority - a.nsd.authority <= a.ours.authority
            and (a.ours.rest == a.nsd.rest or a.knot.authority < a.ours.authority and chained(a.ours)))


@rest
def nsd_proves_otherwise(a):
    return a.ours.rest == a.knot.rest and only_proofs_differ(a.ours, a.nsd) and chained(a.ours)


@rest
def nsec_at_cname(a):
    return a.type == "NSEC" and a.ours.rest == a.knot.rest and a.ours.answer < a.nsd.answer


@rest
def nsec3_at_cname(a):
    return a.type == "NSEC3" and chained(a.ours) and a.ours.rest == a.knot.rest and not a.nsd.answer


@rest
def dname_overflow(a):
    # Asked for ANY, BIND ends with the first CNAME that a DNAME makes.
    return (a.ours.rcode == 6 and a.knot.rcode in (3, 6) and a.ours.rest == a.nsd.rest
            and (a.type == "ANY" or a.ours.rest == a.bind.rest))


@rest
def dname_at_wildcard(a):
    return ".wild-odd." in a.name.lower() and a.ours.rest in (a.nsd.rest, a.bind.rest)


@rest
def zero_octet(a):
    return "\\000" in a.name and a.ours.rest == a.nsd.rest == a.bind.rest


@rest
def over_64_kib(a):
    return a.proto == "tcp" and a.ours.tc and a.knot.rcode == 2 and a.ours.rest == a.nsd.rest and a.bind.tc


@rest
def any_asked(a):
    types = {x.split("\t")[3] for x in a.ours.answer} - {"RRSIG"}
    return a.type in ("ANY", "TYPE255") and len(types) == 1 and a.ours.answer == a.knot.answer


@rest
def rrsig_asked(a):
    return a.type in ("RRSIG", "TYPE46") and a.knot.answer < a.ours.answer and a.ours.rest == a.nsd.rest


@rest
def type_zero(a):
    return a.type == "TYPE0" and a.knot.rcode == 4 and a.ours.rest == a.nsd.rest


# ---- the additional section ----


def targets(lines):
    found = set()
    for line in lines:
        fields = line.split("\t")[4].split()
        place = {"MX": 1, "SRV": 3, "SVCB": 1, "HTTPS": 1}.get(line.split("\t")[3])
        if place is not None:
            found.add(owner(line) if fields[place] == "." else fields[place].lower())
    return found


@more
def addresses_of_targets(a):
    """The addresses are of the targets, and all are there that Knot sends."""
    known = {x for x in a.knot.of("additional", "A", "AAAA") if not x.startswith("*.")}
    return (not a.nsd.additional and known <= a.ours.additional
            and all(owner(x) in targets(a.ours.answer) for x in a.ours.additional))


@more
def glue_by_wildcard(a):
    return (a.ours.rest == a.nsd.rest == a.knot.rest and a.nsd.additional == a.knot.additional > a.ours.additional
            and (a.bind.additional <= a.ours.additional or (a.type == "NSEC" and a.bind.of("answer", "NSEC"))))


@more
def addresses_out_of_reach(a):
    """Owners are pointers, which reach 16 KiB; what is extra is not worth the octets of more."""
    return ".large-sets." in a.name.lower() and a.ours.additional < a.knot.additional


@more
def glue_beside_answer(a):
    return (chained(a.ours) or a.ours.of("answer", "MX", "SRV")) and a.ours.aa and (
        a.ours.additional == a.nsd.additional < a.knot.additional)


# ---- odd questions ----

ODD = []


def odd(function):
    ODD.append((function.__name__.replace("_", "-"), function))
    return function


def judge_odd(difference):
    """The class of an odd question's difference; None when ours is wrong. Whether the question comes back in an error
    is no matter (RFC 1035 leaves it open)."""
    a = Asked(difference)
    if zoneversion_filled(a):
        return "zoneversion-filled"
    if a.nsd.rest == a.knot.rest:
        return "not-our-name" if a.flags.endswith("C3") and same_but_text(a.nsd, a.ours) else None
    if bare(a.nsd) == bare(a.knot) == bare(a.ours):
        return "question-echoed"
    return next((n for n, chosen in ODD if chosen(a)), None)


def bare(x):
    return x.header.replace(" QUESTION?", ""), x.edns, x.answer, x.authority


def same_but_text(x, y):
    cut = [{line.rsplit("\t", 1)[0] for line in z.answer} for z in (x, y)]
    return (x.header, x.edns, x.authority) == (y.header, y.edns, y.authority) and cut[0] == cut[1]


@odd
def opcode_unknown(a):
    return "O" in a.flags and a.ours.rcode == 4 and not a.ours.answer


@odd
def qdcount(a):
    return "Q" in a.flags and a.ours.rcode == 1 and not a.ours.answer


def zoneversion_filled(a):
    """The one thing that both peers of Debian 12 have not heard of."""
    return "o19" in a.flags and a.ours.rcode == 1 and a.ours.edns and not a.ours.answer | a.ours.authority


@odd
def class_any(a):
    return "C255" in a.flags and a.ours.rcode == 5 and not a.ours.answer | a.ours.authority


@odd
def transfer(a):
    """Knot, which has no key or address that may have it, says NOTAUTH."""
    return a.type in ("AXFR", "IXFR") and (a.nsd.rcode, a.knot.rcode) == (5, 9) and bare(a.ours) == bare(a.nsd)


@odd
def badvers(a):
    return "v" in a.flags and "extended 1" in a.ours.edns and (" do" in a.ours.edns) == ("d" in a.flags) and not a.ours.answer


@odd
def chaos(a):
    return "C3" in a.flags and (same_but_text(a.ours, a.nsd) or same_but_text(a.ours, a.knot))


@odd
def type_zero_odd(a):
    return type_zero(a)


@odd
def any_refused(a):
    return a.type == "ANY" and bare(a.ours) == bare(a.knot)
