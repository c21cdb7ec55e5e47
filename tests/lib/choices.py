"""The classes of tests/system/choices.md as code: where NSD and Knot differ, what ours must be."""

import re


class Answer:
    """A normal form of tools/compare, taken apart."""

    def __init__(self, text):
        self.header, self.edns, self.sections = "", "", {"answer": [], "authority": [], "additional": []}
        current = None
        for line in text.splitlines():
            words = line.split()
            if line.startswith("rcode "):
                self.header = line
            elif line.startswith("edns "):
                self.edns = line
            elif len(words) == 2 and words[0] in self.sections and words[1].isdigit():
                current = words[0]
            elif current is not None:
                self.sections[current].append(line)
            else:
                self.header += line

    def __eq__(self, other):
        return (self.header, self.edns, self.sections) == (other.header, other.edns, other.sections)

    @property
    def answer(self):
        return set(self.sections["answer"])

    @property
    def authority(self):
        return set(self.sections["authority"])

    @property
    def additional(self):
        return set(self.sections["additional"])

    @property
    def tc(self):
        return " tc" in self.header

    @property
    def aa(self):
        return " aa" in self.header

    def bits(self):
        """The header without TC."""
        return self.header.replace(" tc", "")

    def types(self, section):
        return {line.split("\t")[3] for line in self.sections[section]}


def owner(line):
    return line.split("\t")[0].lower()


CLASSES = []


def choice(function):
    """Register a class: true when the difference belongs to it and ours is what we chose."""
    CLASSES.append((function.__name__.replace("_", "-"), function))
    return function


def rdata_names(lines, rdtype):
    return {line.split("\t")[4].split()[-1].lower() for line in lines if line.split("\t")[3] == rdtype}


def addresses_of(lines, targets):
    return all(owner(x) in targets and x.split("\t")[3] in ("A", "AAAA", "RRSIG") for x in lines)


def alike_but_additional(nsd, knot, ours):
    """Only TC and the additional section are not the same everywhere."""
    return (
        nsd.bits() == knot.bits() == ours.bits()
        and nsd.edns == knot.edns == ours.edns
        and nsd.answer == knot.answer == ours.answer
        and nsd.authority == knot.authority == ours.authority
    )


@choice
def glue_does_not_fit(asked, nsd, knot, ours):
    if asked["proto"] != "udp" or not alike_but_additional(nsd, knot, ours) or ours.aa:
        return False
    cuts = {owner(x) for x in ours.authority if x.split("\t")[3] == "NS"}
    seen = nsd.additional | knot.additional | ours.additional
    needed = {x for x in seen if any(owner(x) == c or owner(x).endswith(f".{c}") for c in cuts)}
    complete = needed <= ours.additional
    right_tc = (not ours.tc and complete) or (ours.tc and (not complete or knot.tc))
    return right_tc and addresses_of(ours.additional, rdata_names(ours.authority, "NS"))


@choice
def additional_does_not_fit(asked, nsd, knot, ours):
    return (
        asked["proto"] == "udp"
        and alike_but_additional(nsd, knot, ours)
        and ours.aa
        and not ours.tc
        and bool(rdata_names(ours.answer, "NS"))
        and addresses_of(ours.additional, rdata_names(ours.answer, "NS"))
    )


@choice
def addresses_of_targets(_, nsd, knot, ours):
    return bool({"MX", "SRV"} & ours.types("answer")) and not nsd.additional and ours == knot


@choice
def chain_ends_in_referral(_, nsd, knot, ours):
    return (
        "CNAME" in ours.types("answer")
        and "NS" in nsd.types("authority")
        and nsd.header == knot.header == ours.header
        and ours.answer == nsd.answer >= knot.answer
        and not ours.authority | ours.additional
    )


@choice
def chain_into_another_zone(_, nsd, knot, ours):
    return "CNAME" in ours.types("answer") and ours.answer == knot.answer and ours == nsd


@choice
def rrsig_asked(asked, nsd, knot, ours):
    return asked["type"] == "RRSIG" and knot.answer < ours.answer and ours == nsd


# ---- NSEC3 (choices-nsec3.md): everywhere Knot's answer is the one that RFC 5155 describes ----
def knots_nsec3(knot, ours):
    return ours == knot and "NSEC3" in ours.types("authority")


@choice
def below_an_nsec3_owner(asked, nsd, knot, ours):
    labels = asked["name"].split(".")
    return (
        knots_nsec3(knot, ours)
        and nsd.header == ours.header
        and nsd.answer == ours.answer
        and any(re.fullmatch("[0-9a-v]{32}", label) for label in labels[1:])
    )


@choice
def nsec3_asked_at_a_cname(asked, nsd, knot, ours):
    return (
        asked["type"] == "NSEC3"
        and "CNAME" in ours.types("answer")
        and not nsd.answer
        and (ours == knot or (ours.tc and ours.header == knot.header and ours.answer == knot.answer))
    )


@choice
def nsec_asked_at_a_cname(asked, nsd, knot, ours):
    return asked["type"] == "NSEC" and "CNAME" in nsd.types("answer") and knots_nsec3(knot, ours)


@choice
def wildcard_asked_by_its_name(_, nsd, knot, ours):
    return knots_nsec3(knot, ours) and nsd.header == ours.header and nsd.authority > ours.authority


@choice
def below_an_opted_out_empty_name(_, nsd, knot, ours):
    opted_out = all(x.split("\t")[4].split()[1] == "1"
                    for x in ours.authority if x.split("\t")[3] == "NSEC3")
    return knots_nsec3(knot, ours) and nsd.header == ours.header and nsd.answer == ours.answer and opted_out


@choice
def cut_proof(asked, nsd, knot, ours):
    return (
        asked["proto"] == "udp"
        and ours.tc
        and nsd.header == knot.header == ours.header
        and nsd.answer == knot.answer == ours.answer
        and ours.authority < nsd.authority | knot.authority
    )
