"""A root and the signed zones below it, made and signed on the spot, and what a validator must say about them.

Every zone holds what a proof can be about: wildcards, empty non-terminals, cuts with and without DS, DNAME, chains inside
it, into its child, into another zone and out of what is signed. A question is a tuple (name, type, rcode, secure):
secure is whether the validator must say so; where it must not, the answer is insecure and never bogus. Under opt-out
(RFC 5155 9.2) nothing is secure that rests on a span that may hold unsigned delegations.
"""

import concurrent.futures
import random
import subprocess

import dns.dnssec
import dns.name
import dns.rdata

SINCE, UNTIL = "20260101000000", "20360101000000"
UNSIGNED = "plain"


class Way:
    """How a zone is signed: by which program, with which key, and how it denies."""

    def __init__(self, by, algorithm, nsec3=None, optout=False, hosts=40, tiny=False):
        self.by, self.algorithm, self.nsec3, self.optout = by, algorithm, nsec3, optout  # nsec3: (iterations, salt)
        self.hosts, self.tiny = hosts, tiny


P256, ED = "ECDSAP256SHA256", "ED25519"
WAYS = {
    "nsec": Way("bind", P256),
    "nsec-ldns": Way("ldns", P256),
    "nsec3": Way("bind", P256, (0, "-")),
    "salted": Way("ldns", P256, (5, "0badcafe")),
    "optout": Way("bind", P256, (0, "-"), optout=True),
    "optsalt": Way("bind", P256, (3, "ab" * 20), optout=True),
    "ed": Way("bind", ED),
    "ed3": Way("ldns", ED, (1, "aa")),
    "tree": Way("bind", P256, hosts=500),  # more than 64 KiB: a tree of blocks
    "tree3": Way("bind", P256, (0, "-"), hosts=500),
    "treeopt": Way("bind", P256, (0, "-"), optout=True, hosts=500),
    "tiny": Way("bind", P256, tiny=True),
    "tiny3": Way("bind", P256, (0, "-"), tiny=True),
}
OTHERS = list(WAYS)  # what others sign
WAYS.update({  # what the appliance signs itself: signed_here.py
    "our": Way("us", P256),
    "our3": Way("us", P256, (0, "-")),
    "ouropt": Way("us", P256, (0, "-"), optout=True),
    "oured": Way("us", ED),
    "oured3": Way("us", ED, (0, "-"), hosts=500),
    "ouredopt": Way("us", ED, (0, "-"), optout=True),
    "ourtree": Way("us", P256, hosts=500),
})
OURS = [name for name, way in WAYS.items() if way.by == "us"]
FULL = [name for name, way in WAYS.items() if not way.tiny]


def soa(origin):
    return f"$ORIGIN {origin}\n$TTL 3600\n@ IN SOA ns.nsec. host.nsec. 1 7200 3600 1209600 300\n@ IN NS ns.nsec.\n"


def contents(other, hosts):
    """The records of a full zone; `other` is the neighbour that its chains lead to."""
    return f"""ns IN A 127.0.0.1
@ IN MX 10 www
@ IN TXT "apex"
www IN A 192.0.2.3
www IN AAAA 2001:db8::3
www IN TXT "w"
a.b.c.ent IN A 192.0.2.4
z.b.c.ent IN TXT "z"
*.wild IN A 192.0.2.5
*.wild IN TXT "wild"
host.wild IN A 192.0.2.6
deep.er.wild IN A 192.0.2.7
y.*.went IN A 192.0.2.8
*.wc IN CNAME www
*.wx IN CNAME not-there
*.ww IN CNAME any.wild
alias IN CNAME www
alias2 IN CNAME alias
tonx IN CNAME no.such
toent IN CNAME b.c.ent
towild IN CNAME some.wild
tosub IN CNAME www.sub
tosubnx IN CNAME gone.sub
tobare IN CNAME www.bare
toother IN CNAME www.{other}.
tootherwild IN CNAME made.wild.{other}.
toothernx IN CNAME gone.{other}.
toplain IN CNAME www.{UNSIGNED}.
todn IN CNAME a.dn
dn IN DNAME target
dn IN TXT "at the DNAME"
a.target IN A 192.0.2.9
*.w.target IN A 192.0.2.10
dnother IN DNAME wild.{other}.
far IN NS ns.far
ns.far IN A 192.0.2.11
farsec IN NS ns.farsec
farsec IN DS 12345 13 2 {"5a" * 32}
ns.farsec IN A 192.0.2.12
x.y.under IN NS ns.elsewhere.
""" + "".join(f"host-{i} IN A 192.0.2.{i % 250 + 1}\n" for i in range(hosts))


CHILD = 'www IN A 192.0.2.20\n*.wild IN A 192.0.2.21\na.ent IN A 192.0.2.22\n'


class Signer:
    def __init__(self, folder):
        self.folder = folder

    def run(self, *command):
        return subprocess.run(command, cwd=self.folder, check=True, capture_output=True, text=True).stdout.strip()

    def sign(self, origin, text, way):
        """(path of the signed zone, its DS as a line for the parent, its DNSKEY's rdata)."""
        base = self.run("dnssec-keygen", "-q", "-a", way.algorithm, "-f", "KSK", origin)
        key = (self.folder / f"{base}.key").read_text().splitlines()[-1]
        rdata = dns.rdata.from_text("IN", "DNSKEY", key.split("DNSKEY", 1)[1])
        bare = self.folder / f"zone-{origin}"
        out = self.folder / f"zone-{origin}signed"
        if way.by == "bind":
            bare.write_text(f"{text}{key}\n")
            denial = ["-3", way.nsec3[1], "-H", str(way.nsec3[0]), *(["-A"] if way.optout else [])] if way.nsec3 else []
            self.run("dnssec-signzone", "-z", "-P", "-O", "full", "-s", SINCE, "-e", UNTIL, *denial, "-o", origin, "-f", out,
                     bare, base)
        else:
            bare.write_text(text)
            denial = ["-n", "-t", str(way.nsec3[0]), "-s", way.nsec3[1]] if way.nsec3 else []
            self.run("ldns-signzone", *denial, "-i", SINCE, "-e", UNTIL, "-o", origin, "-f", out, bare, base)
        ds = dns.dnssec.make_ds(dns.name.from_text(origin), rdata, "SHA256")
        return out, f"{origin} IN DS {ds}\n", rdata


def make(folder, names):
    """({origin: path}, the root's key): the root, the zones of these names with their children, one without signatures."""
    signer, zones, delegations = Signer(folder), {}, []

    def unsigned(origin):
        zones[origin] = folder / f"zone-{origin}"
        zones[origin].write_text(soa(origin) + CHILD)

    def one(name):
        way, origin = WAYS[name], f"{name}."
        text = soa(origin)
        if not way.tiny:
            text += contents(neighbour(name, names), way.hosts)
            for cut in ("bare", "x.z.under"):
                unsigned(f"{cut}.{origin}")
                text += f"{cut} IN NS ns.nsec.\n"
            zones[f"sub.{origin}"], ds, _ = signer.sign(f"sub.{origin}", soa(f"sub.{origin}") + CHILD, way)
            text += f"sub IN NS ns.nsec.\n{ds}"
        zones[origin], ds, _ = signer.sign(origin, text, way)
        delegations.append(f"{origin} IN NS ns.nsec.\n{ds}")

    unsigned(f"{UNSIGNED}.")
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        list(pool.map(one, names))
    root = f"{soa('.')}{UNSIGNED}. IN NS ns.nsec.\nns.nsec. IN A 127.0.0.1\n{''.join(sorted(delegations))}"
    zones["."], _, key = signer.sign(".", root, WAYS["nsec"])
    return zones, key


def neighbour(name, names):
    full = [n for n in names if n in FULL]
    return full[(full.index(name) + 1) % len(full)]


def label(rng):
    return "".join(rng.choice("abcdefghijklmnopqrstuvwxyz0123456789") for _ in range(rng.randint(3, 12)))


def fixed(name, other):
    """Questions of which there is one each: (relative name, type, rcode, secure)."""
    nsec3 = WAYS[name].nsec3 is not None
    spans, others = not WAYS[name].optout, not WAYS[other].optout
    apex = ("SOA", "NS", "MX", "TXT", "DNSKEY", "DS", "A", "NSEC3PARAM" if nsec3 else "NSEC", "ANY")
    yield from (("@", rdtype, 0, True) for rdtype in apex)
    yield from (("www", rdtype, 0, True) for rdtype in ("A", "AAAA", "TXT", "MX", "DS", "NS", "CNAME", "SOA", "ANY"))
    for ent in ("ent", "c.ent", "b.c.ent", "wild", "er.wild", "went", "*.went", "w.target", "target"):
        yield from ((ent, rdtype, 0, True) for rdtype in ("A", "DS", "TXT"))
    for ent in ("under", "y.under", "z.under"):  # only unsigned delegations below: no NSEC3 of their own with opt-out
        yield from ((ent, rdtype, 0, spans) for rdtype in ("A", "DS"))
    yield from (("*.wild", rdtype, 0, True) for rdtype in ("A", "TXT", "AAAA", "DS"))
    yield from (("*.wc", rdtype, 0, True) for rdtype in ("A", "CNAME"))
    for alias, rcode, secure in (
            ("alias", 0, True), ("alias2", 0, True), ("tonx", 3, spans), ("toent", 0, True), ("towild", 0, spans),
            ("tosub", 0, True), ("tosubnx", 3, spans), ("tobare", 0, False), ("toother", 0, True),
            ("tootherwild", 0, others), ("toothernx", 3, others), ("toplain", 0, False), ("todn", 0, True), ("a.dn", 0, True)):
        yield from ((alias, rdtype, rcode, secure) for rdtype in ("A", "MX"))
        yield alias, "CNAME", 0, True
        if alias != "a.dn":
            yield alias, "DS", rcode, secure
    yield from (("dn", rdtype, 0, True) for rdtype in ("DNAME", "TXT", "A", "DS"))
    yield from (("sub", rdtype, 0, True) for rdtype in ("DS", "NS", "SOA", "DNSKEY", "A"))
    yield from ((cut, "DS", 0, spans) for cut in ("bare", "far", "x.y.under", "x.z.under"))
    yield from (("bare", rdtype, 0, False) for rdtype in ("SOA", "NS", "A"))
    yield "farsec", "DS", 0, True
    yield "x.z.under", "SOA", 0, False


def made(name, other, rng):
    """Questions about a name that is made up: one of each sort."""
    way = WAYS[name]
    spans, others = not way.optout, not WAYS[other].optout
    some, host = label(rng), f"host-{rng.randrange(way.hosts)}"
    yield from ((host, rdtype, 0, True) for rdtype in ("A", "TXT", "DS"))
    for gone in (some, f"{some}.{host}", f"{some}.b.c.ent", f"{some}.host.wild", f"{some}.y.*.went", f"a.b.{some}", f"{some}.sub",
                 f"{some}.ent.sub", f"{some}.dn", f"{some}.www"):
        yield gone, rng.choice(("A", "DS", "TXT", "NS")), 3, spans
    yield f"{some}.wx", "A", 3, spans
    yield f"{some}.wild", "A", 0, spans
    yield f"{some}.a.wild", "TXT", 0, spans
    yield from ((f"{some}.wild", rdtype, 0, spans) for rdtype in ("AAAA", "DS"))
    yield f"{some}.went", "A", 0, spans
    yield f"{some}.wc", rng.choice(("A", "MX")), 0, spans
    yield f"{some}.ww", rng.choice(("TXT", "MX")), 0, spans
    yield f"{some}.wild.sub", rng.choice(("A", "MX")), 0, spans
    yield f"{some}.w.dn", rng.choice(("A", "MX")), 0, spans
    yield f"{some}.dnother", rng.choice(("A", "MX")), 0, others
    yield "www.bare", rng.choice(("A", "TXT")), 0, False
    yield f"{some}.bare", "A", 3, False
    yield f"{some}.x.z.under", "A", 3, False


def beyond_unbound(question):
    """What Unbound 1.17 gets wrong whoever the server is (NSD, Knot and BIND too), and delv does not: a NODATA that a
    wildcard without records gives, proven by NSEC; the CNAME made by a DNAME, when CNAME is asked for; type CNAME where
    the chain ends in NXDOMAIN, for which it asks for A and keeps that answer's rcode."""
    name, rdtype, *_ = question
    if rdtype == "CNAME" and name.startswith(("a.dn.", "tonx.", "tosubnx.", "toothernx.")):
        return True
    zone = name.split(".")[-2]
    return f".went.{zone}." in name and not name.startswith(("*", "y.")) and ".y.*." not in name and not WAYS[zone].nsec3


def questions(names, seed, each):
    """All that is fixed, and `each` times one of every made-up sort, in another order than the zones'."""
    found = [(".", rdtype, 0, True) for rdtype in ("SOA", "NS", "DNSKEY", "A", "NSEC", "MX")]
    found += [(f"{UNSIGNED}.", "DS", 0, True), (f"{UNSIGNED}.", "A", 0, False), (f"www.{UNSIGNED}.", "A", 0, False)]
    rng = random.Random(seed)
    for name in names:
        some = []
        if WAYS[name].tiny:
            some = [("@", rdtype, 0, True) for rdtype in ("SOA", "NS", "DNSKEY", "A", "DS")]
            some += [(label(rng), rng.choice(("A", "DS")), 3, True) for _ in range(each)]
        else:
            some += fixed(name, neighbour(name, names))
            for _ in range(each):
                some += made(name, neighbour(name, names), rng)
        found += [(f"{name}." if q[0] == "@" else f"{q[0]}.{name}.", *q[1:]) for q in some]
        found += [(f"{label(rng)}.", rng.choice(("A", "DS")), 3, True) for _ in range(each)]
    found = list(dict.fromkeys(found))
    rng.shuffle(found)
    return found
