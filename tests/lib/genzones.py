"""Zones that hold every corner of the answering rules, and the questions to ask about them.

Everything follows from one seed. A kind is a function that puts records into a zone and asks questions
about them; every kind is in every run, in four forms: small and large (our images are a flat block
or a tree), unsigned and signed by ldns. Beside them stand random zones over a few labels, where wildcards,
cuts, chains and DNAMEs meet in ways that nobody thought of. What our import refuses is not made: a CNAME
alone, nothing but addresses below a cut, nothing below a DNAME.
"""

import concurrent.futures
import pathlib
import random
import subprocess

KINDS = []
LABELS = ["a", "b", "c", "x", "*"]
ASKED_TYPES = ["A", "A", "A", "AAAA", "TXT", "MX", "NS", "DS", "CNAME", "DNAME", "SOA", "NSEC", "SRV", "TYPE65280"]
FLAGS = ["-", "-", "-", "r", "c", "e", "es512", "es4096", "d", "d", "d", "ds4096", "ds512", "dr", "dc"]
ELSEWHERE = "elsewhere.example."


def kind(forms=("flat", "tree", "sflat", "stree")):
    def register(function):
        KINDS.append((function, forms))
        return function

    return register


class Zone:
    """One master file in the making. Names are relative to the origin unless they end in a dot."""

    def __init__(self, origin, rng, signed=False, large=False):
        self.origin, self.rng, self.signed, self.large = origin, rng, signed, large
        self.records, self.seen, self.questions = [], set(), []
        self.types = {}  # absolute owner: types
        self.put("@", "SOA", "ns1 hostmaster 1 7200 3600 1209600 300", ttl=3600)
        self.put("@", "NS", "ns1")
        self.put("@", "NS", f"ns.{ELSEWHERE}")
        self.put("ns1", "A", "192.0.2.1")

    def full(self, name):
        if name == "@":
            return self.origin
        return name if name.endswith(".") and not name.endswith("\\.") else f"{name}.{self.origin}"

    def put(self, owner, rdtype, rdata, ttl=300):
        line = f"{owner} {ttl} IN {rdtype} {rdata}"
        if line in self.seen:
            return
        self.seen.add(line)
        self.records.append(line)
        self.types.setdefault(self.full(owner), set()).add(rdtype)

    def ask(self, name, rdtype="A", flags=None):
        """One question; without flags, some. The case of letters is mixed now and then."""
        name = self.full(name)
        if "\\" not in name and self.rng.random() < 0.3:
            name = "".join(self.rng.choice((c, c.upper())) for c in name)
        self.questions.append((name, rdtype, flags or self.rng.choice(FLAGS)))

    def ask_each(self, name, types=("A", "TXT", "CNAME", "NS", "DS", "ANY"), flags=("-", "d")):
        for rdtype in types:
            for each in flags:
                self.ask(name, rdtype, each)

    def ask_usual(self):
        """Every owner and type, and what is below and beside it."""
        for owner, types in self.types.items():
            for rdtype in sorted(types) + ["TYPE65280"]:
                self.ask(owner, rdtype, "-")
                self.ask(owner, rdtype, "d")
            for name in (f"below.{owner}", f"*.{owner}", f"a.b.{owner}"):
                if len(name) < 240:
                    self.ask(name, self.rng.choice(ASKED_TYPES))
                    self.ask(name, "A", "d")
            self.ask(owner, self.rng.choice(ASKED_TYPES))
            self.ask(owner, "DS")

    def fill(self):
        """Records that make the image too large for one flat block, between the others in order."""
        for i in range(150):
            label = "".join(self.rng.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(4)) + str(i)
            self.put(label, "TXT", f'"{"f" * 250}" "{"g" * 250}"')
        self.types = {o: t for o, t in self.types.items() if not o[4:5].isdigit()}

    def write(self, folder):
        path = pathlib.Path(folder) / (self.origin.rstrip(".") or "root")
        path.write_text(f"$ORIGIN {self.origin}\n" + "\n".join(self.records) + "\n")
        return path


# ---- the kinds ----


@kind()
def wild(z):
    z.put("mail", "A", "192.0.2.2")
    for rdtype, rdata in (("A", "192.0.2.3"), ("TXT", '"w"'), ("MX", "10 mail"), ("MX", "20 x.w"), ("SRV", "1 2 3 mail")):
        z.put("*.w", rdtype, rdata)
    z.put("*.in", "CNAME", "mail")
    z.put("*.out", "CNAME", f"x.{ELSEWHERE}")
    z.put("*.again", "CNAME", "x.w")
    z.put("*.self", "CNAME", "y.self")
    z.put("*.grow", "CNAME", "a.b.grow")
    z.put("*.gone", "CNAME", "nothing.here")
    z.put("*.nodata", "TXT", '"only"')
    z.put("*.e", "A", "192.0.2.4")
    z.put("p.q.e", "A", "192.0.2.5")
    z.put("sub.*.s", "A", "192.0.2.6")
    z.put("*.*.t", "A", "192.0.2.7")
    z.put("a.*.t", "TXT", '"beside"')
    z.put("*.u", "A", "192.0.2.8")
    z.put("*.v.u", "TXT", '"deeper"')
    z.put("*.x.v.u", "CNAME", "p.q.e")
    for name in ("a.w", "a.b.c.w", "*.w", "a.*.w", "*.*.w", "w", "x.in", "x.y.in", "x.out", "x.again", "x.self", "y.self",
                 "x.grow", "a.b.grow", "x.gone", "x.nodata", "x.y.nodata", "x.e", "q.e", "p.q.e", "x.q.e", "x.p.q.e",
                 "x.s", "sub.*.s", "x.*.s", "*.s", "sub.x.s", "a.x.t", "x.t", "a.*.t", "b.*.t", "x.a.*.t", "*.*.t",
                 "x.u", "v.u", "x.v.u", "y.x.v.u", "z.y.x.v.u", "zz.w", "nothing.here"):
        z.ask_each(name, ("A", "AAAA", "TXT", "MX", "CNAME", "NS", "DS", "SRV", "ANY", "NSEC"))


@kind()
def wild_at_apex(z):
    z.put("*", "A", "192.0.2.1")
    z.put("*", "MX", "10 anything")
    z.put("a.b", "TXT", '"ent above"')
    z.put("cut", "NS", "ns.cut")
    z.put("cut", "NS", "ns.other")  # made by the wildcard
    z.put("ns.cut", "A", "192.0.2.2")
    z.put("c", "CNAME", "made.up")
    for name in ("x", "x.y.z", "b", "x.b", "a.b", "x.a.b", "cut", "x.cut", "ns.cut", "c", "@", "*", "x.*"):
        z.ask_each(name, ("A", "AAAA", "MX", "TXT", "NS", "DS", "ANY"))


@kind()
def empty_nonterminals(z):
    z.put("a.b.c.d.e", "A", "192.0.2.1")
    z.put("*.k.l", "A", "192.0.2.2")
    z.put("m.*.n", "A", "192.0.2.3")
    z.put("ns.cut.o", "A", "192.0.2.4")
    z.put("cut.o", "NS", "ns.cut.o")
    z.put("b", "A", "192.0.2.5")
    for name in ("e", "d.e", "c.d.e", "b.c.d.e", "a.b.c.d.e", "x.e", "x.c.d.e", "l", "k.l", "x.k.l", "x.l", "n", "*.n",
                 "m.*.n", "x.n", "m.x.n", "o", "x.o", "cut.o", "b", "x.b"):
        z.ask_each(name)


@kind()
def dnames(z):
    far = ".".join(["t" * 63, "u" * 63, "v" * 40])
    z.put("d", "DNAME", "target")
    z.put("d", "A", "192.0.2.1")
    z.put("a.target", "A", "192.0.2.2")
    z.put("*.w.target", "A", "192.0.2.3")
    z.put("c.target", "CNAME", "a.target")
    z.put("back.target", "CNAME", "a.d")
    z.put("e.e.target", "TXT", '"below an empty one"')
    z.put("cut.target", "NS", "ns.cut.target")
    z.put("ns.cut.target", "A", "192.0.2.4")
    z.put("out", "DNAME", ELSEWHERE)
    z.put("long", "DNAME", far)
    z.put("one", "DNAME", "two")
    z.put("two", "DNAME", "one")
    z.put("grows", "DNAME", "x.grows2")
    z.put("grows2", "DNAME", "y.grows")
    z.put("into", "DNAME", "nothing.at.all")
    z.put("chained", "DNAME", "d")
    z.put("up", "DNAME", "@")
    z.put("root", "DNAME", ".")
    z.put("via", "CNAME", "a.d")
    z.put("via2", "CNAME", "x.y.w.d")
    z.put("*.wd", "CNAME", "a.d")
    for name in ("d", "a.d", "b.d", "x.w.d", "w.d", "c.d", "back.d", "e.d", "e.e.d", "x.e.d", "cut.d", "x.cut.d", "target",
                 "out", "x.out", "one", "x.one", "x.two", "x.grows", "y.grows2", "x.into", "a.chained", "chained", "up",
                 "a.target.up", "d.up", "a.d.up", "x.up", "up.up.up", "x.root", "via", "via2", "x.wd", "root", "*.d", "a.*.d"):
        z.ask_each(name, ("A", "AAAA", "TXT", "CNAME", "DNAME", "DS", "NS", "ANY", "SOA"))
    room = 255 - wire_len(z.full(far))  # octets of labels that still fit before the target
    for over in (-2, -1, 0, 1, 2, 30):
        z.ask_each(".".join(labels_of(room + over)) + ".long", ("A", "DNAME", "CNAME", "ANY"), ("-", "d", "es512"))


def wire_len(name):
    return sum(len(x) + 1 for x in name.rstrip(".").split(".")) + 1


def labels_of(octets):
    """Labels that take so many octets of a name."""
    labels = []
    while octets > 1:
        n = min(octets, 64)
        if octets - n == 1:
            n -= 1
        labels.append("k" * (n - 1))
        octets -= n
    return labels


@kind(("flat", "sflat"))
def dname_at_apex(z):
    z.records = [r for r in z.records if not r.startswith("ns1 ") and " NS ns1" not in r]
    del z.types[z.full("ns1")]
    z.put("@", "DNAME", ELSEWHERE)
    z.put("@", "A", "192.0.2.1")
    for name in ("@", "x", "x.y", "ns1"):
        z.ask_each(name, ("A", "NS", "DNAME", "SOA", "DS", "TXT", "ANY"))


@kind()
def chains(z):
    for n in (2, 5, 12, 15, 16, 17, 18, 25):
        for i in range(n):
            z.put(f"c{i}.n{n}", "CNAME", f"c{i + 1}.n{n}")
        z.put(f"c{n}.n{n}", "A", "192.0.2.1")
        z.put(f"c{n}.n{n}", "MX", "10 ns1")
        z.ask_each(f"c0.n{n}", ("A", "TXT", "CNAME", "MX", "ANY"), ("-", "d", "es512", "ds4096"))
    for n in (1, 2, 3, 14):
        for i in range(n):
            z.put(f"l{i}.loop{n}", "CNAME", f"l{(i + 1) % n}.loop{n}")
        z.ask_each(f"l0.loop{n}", ("A", "CNAME", "ANY"))
    z.put("tail", "CNAME", "l0.loop3")
    z.put("*.wild", "A", "192.0.2.2")
    z.put("cut", "NS", f"ns.{ELSEWHERE}")
    z.put("cut", "DS", "1 13 2 " + "ab" * 32)
    z.put("bare", "NS", "ns.bare")
    z.put("ns.bare", "A", "192.0.2.3")
    z.put("ns.bare", "AAAA", "2001:db8::3")
    z.put("txt", "TXT", '"no address"')
    z.put("x.ent", "A", "192.0.2.4")
    for i, target in enumerate(("gone", "x.gone", "txt", "ent", "cut", "x.cut", "bare", "x.bare", "ns.bare", "x.wild", "wild",
                                "@", f"{ELSEWHERE}", ".", "ns1", "*.wild", "to3")):
        z.put(f"to{i}", "CNAME", target)
        z.put(f"to-to{i}", "CNAME", f"to{i}")
        z.ask_each(f"to{i}", ("A", "AAAA", "TXT", "MX", "NS", "DS", "SOA", "CNAME", "ANY", "NSEC"))
        z.ask_each(f"to-to{i}", ("A", "TXT", "DS"))
    z.ask_each("tail")


@kind()
def cuts(z):
    glue = (("in", "ns.in"), ("deep", "a.b.c.deep"), ("missing", "ns.missing"), ("out", f"ns.{ELSEWHERE}"), ("auth", "ns1"),
            ("sibling", "ns.in"), ("itself", "itself"), ("wild", "x.made"), ("ghost", "no.such.name"), ("alias", "also"))
    for name, target in glue:
        z.put(name, "NS", target)
    z.put("mixed", "NS", "ns.mixed")
    for _, target in glue + (("mixed", "ns2.mixed"),):
        z.put("mixed", "NS", target)
    z.put("made", "TXT", '"x"')
    z.put("*.made", "A", "192.0.2.9")
    z.put("also", "CNAME", "ns1")
    for i, name in enumerate(("ns.in", "a.b.c.deep", "itself", "ns.mixed", "unused.in", "b.c.deep")):
        z.put(name, "A", f"192.0.2.{i + 20}")
        if i % 2 == 0:
            z.put(name, "AAAA", f"2001:db8::{i}")
    z.put("below.in", "A", "192.0.2.40")
    z.put("secure", "NS", "ns.in")
    z.put("secure", "DS", "1 13 2 " + "cd" * 32)
    z.put("secure", "DS", "2 8 2 " + "ef" * 32)
    for i in range(13):
        z.put("many", "NS", f"a-name-server-number-{i}.many")
        z.put(f"a-name-server-number-{i}.many", "A", f"198.51.100.{i}")
        z.put(f"a-name-server-number-{i}.many", "AAAA", f"2001:db8:1::{i}")
    for i in range(60):
        z.put("crowd", "NS", f"{'name-server' * (1 + i % 5)}-{i}.crowd")
        z.put(f"{'name-server' * (1 + i % 5)}-{i}.crowd", "A", f"198.51.100.{i}")
    z.put("*.star", "A", "192.0.2.1")
    z.put("cut.star", "NS", "ns.cut.star")
    z.put("ns.cut.star", "A", "192.0.2.2")
    for name in [g[0] for g in glue] + ["mixed", "secure", "many", "crowd", "cut.star"]:
        for below in ("", "x.", "ns.", "x.y.", "*.", "a.b.c."):
            z.ask_each(below + name, ("A", "NS", "DS", "ANY", "SOA", "TXT"), ("-", "d", "es512", "ds4096"))
    for name in ("b.c.deep", "c.deep", "unused.in", "below.in", "star", "x.star", "ns2.mixed"):
        z.ask_each(name)


@kind()
def parent_and_child(z):
    child = Zone(f"child.{z.origin}", z.rng, z.signed, z.large)
    for name, target in (("child", "ns1.child"), ("child", f"ns.{ELSEWHERE}"), ("lame", "ns.child")):
        z.put(name, "NS", target)
    z.put("child", "DS", "1 13 2 " + "ab" * 32)
    z.put("ns1.child", "A", "192.0.2.1")
    z.put("to-child", "CNAME", "www.child")
    z.put("to-nothing", "CNAME", "gone.child")
    z.put("to-cut", "CNAME", "x.cut.child")
    z.put("dn", "DNAME", "child")
    z.put("*.wild", "CNAME", "www.child")
    z.put("mx", "MX", "10 www.child")
    z.put("srv", "SRV", "1 2 3 www.child")
    child.put("www", "A", "192.0.2.2")
    child.put("up", "CNAME", f"ns1.{z.origin}")
    child.put("cut", "NS", "ns.cut")
    child.put("ns.cut", "A", "192.0.2.3")
    child.put("cut", "DS", "1 13 2 " + "cd" * 32)
    child.put("round", "CNAME", f"round.{z.origin}")
    z.put("round", "CNAME", "round.child")
    for name in ("child", "www.child", "gone.child", "ns1.child", "cut.child", "x.cut.child", "up.child", "round.child", "round",
                 "to-child", "to-nothing", "to-cut", "www.dn", "gone.dn", "x.wild", "lame", "x.lame", "ns.child", "mx", "srv"):
        z.ask_each(name, ("A", "NS", "DS", "SOA", "MX", "SRV", "CNAME", "ANY", "NSEC", "TXT"))
    return [child]


@kind()
def names(z):
    longest = 255 - wire_len(z.origin)
    deep = ".".join(labels_of(longest))
    many = ".".join(["a"] * (longest // 2))
    odd = (r"a\.b", r"\000", r"\255x", r"\032", r"\"quoted\"", r"\(b\)", r"\;c", r"\@", r"back\\slash", r"\*", r"\*.q", "_tcp",
           r"\036ORIGIN", "-", "UPPER", "MiXeD.CaSe", "1", "0", "xn--nxasmq6b", "l" * 63, deep, many, r"\001.\000", r"\000.\001",
           r"\000.z", r"\001\001", r"\000\000", r"\001", r"z\000", r"z", r"a.z", r"z\255", r"\127", r"a\046b.c", r"\065bc", "under_score")
    for i, name in enumerate(odd):
        if z.signed and name.startswith((r"\036", r"\"", r"\@")):
            continue  # ldns writes these bare, which means something else to all who read the signed zone
        z.put(name, "A", f"192.0.2.{i}")
        if i % 3 == 0:
            z.put(name, "MX", f"10 {name}")
        z.ask_each(name, ("A", "MX", "TXT"))
        if wire_len(z.full(name)) < 240:
            for below in ("x.", r"\000.", r"\255.", "*."):
                z.ask_each(below + name, ("A",))
    z.put("to-long", "CNAME", deep)
    z.put("to-many", "CNAME", many)
    z.put("*.\\*", "TXT", '"wild below a star"')
    for name in ("to-long", "to-many", r"a\.c", r"a.b", r"x.\*", r"x.q", r"\000\001", r"\000.y", "upper", "uPPer", "mixed.case"):
        z.ask_each(name)


@kind(("tree", "stree"))
def large_sets(z):
    owner = ".".join(["o" * 60, "p" * 60, "q" * 60])
    part = 10 if z.signed else 1  # ldns takes a second for each thousand records of one set
    for n in (20, 29, 30, 31, 70, 74, 75, 76, 77, 300, 1000, 4000):
        for i in range(n if n < 100 else n // part):
            z.put(f"a{n}", "A", f"10.{i >> 16}.{i >> 8 & 255}.{i & 255}")
        z.put(f"to-a{n}", "CNAME", f"a{n}")
    for i in range(2300 // part):
        z.put("aaaa", "AAAA", f"2001:db8::{i:x}")
    for i in range(240):
        z.put("txt", "TXT", f'"{i}-{"x" * 240}"')
    for i in range(60):
        z.put("jumbo", "TXT", f'"{i}-{"x" * 240}"' + f' "{"y" * 250}"' * 3)
    for i in range(1000 // part):
        z.put(owner, "PTR", f"host-{i}.{'r' * 20}")
        z.put("ptr", "PTR", f"host-{i}.{'r' * 20}")
        z.put("srv", "SRV", f"1 2 {i} host-{i}.t")
    for i in range(650 // part):
        z.put("mx", "MX", f"{i} mx{i}.{'m' * 30}")
        z.put(owner, "MX", f"{i} mx{i}.{'m' * 30}")
        z.put(f"mx{i}.{'m' * 30}", "A", f"10.1.{i >> 8}.{i & 255}")
    for i in range(400 // part):
        z.put("cut", "NS", f"ns{i}.cut")
        z.put(f"ns{i}.cut", "A", f"10.2.{i >> 8}.{i & 255}")
    z.put("*.wild", "TXT", '"small"')
    for i in range(500 // part):
        z.put("*.wild", "A", f"10.3.{i >> 8}.{i & 255}")
    for name in [o for o in z.types if not o.startswith(("mx", "ns")) or o.startswith("mx.")]:
        for rdtype in ("A", "AAAA", "TXT", "PTR", "MX", "SRV", "NS", "ANY"):
            for flags in ("-", "e", "d", "es512", "ds4096"):
                z.ask(name, rdtype, flags)
    for name in ("x.cut", "ns3.cut", "x.wild", owner + ".x", "x." + owner):
        z.ask_each(name, ("A", "TXT", "NS"), ("-", "d", "es512", "es4096"))
    z.types = {}


@kind()
def types(z):
    z.put("host", "A", "192.0.2.1")
    z.put("host", "AAAA", "2001:db8::1")
    z.put("*.hosts", "A", "192.0.2.2")
    z.put("alias", "CNAME", "host")
    key = "AwEAAaetidLzsKWUt4swWR8yu0wPHPiUi8LU"
    for rdtype, *values in (
        ("SRV", "0 5 5060 host", "1 0 1 x.hosts", "2 0 1 gone", "3 0 1 alias", f"4 0 1 {ELSEWHERE}", "5 0 1 ."),
        ("MX", "0 .", "10 host", "20 alias", "30 x.hosts", "40 x.cut", "50 gone"),
        ("SVCB", "1 . alpn=h2,h3 port=8443", "2 host ipv4hint=192.0.2.1 key65333=abc", "3 x.hosts mandatory=alpn alpn=h2"),
        ("HTTPS", "1 . alpn=h2", "2 host.x port=1 ech=AEX+DQA="),
        ("NAPTR", '100 10 "u" "E2U+sip" "!^.*$!sip:a@b!" .', '100 20 "s" "SIP+D2U" "" host'),
        ("CAA", '0 issue "ca.example"', '128 tbs "unknown"', '0 iodef "mailto:a@b"'),
        ("LOC", "52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000m 10m"),
        ("TLSA", "3 1 1 " + "ab" * 32), ("SSHFP", "4 2 " + "cd" * 32), ("URI", '10 1 "https://a.example/"'),
        ("PTR", "host", "gone"), ("RP", "mail host"), ("AFSDB", "1 host"), ("KX", "1 host"), ("RT", "1 host"), ("HINFO", '"cpu" "os"'), ("MINFO", "a b"), ("CERT", f"1 2 3 {key}"), ("DHCID", key), ("OPENPGPKEY", key),
        ("SMIMEA", "3 1 1 " + "ab" * 32), ("CDS", "1 13 2 " + "ab" * 32), ("CDNSKEY", f"257 3 13 {key}"), ("CSYNC", "1 3 A NS AAAA"),
        ("SPF", '"v=spf1 -all"'), ("EUI48", "00-00-5e-00-53-2a"), ("EUI64", "00-00-5e-ef-10-00-00-2a"), ("NID", "1 0014:4fff:ff20:ee64"),
        ("L32", "1 10.1.2.0"), ("L64", "1 2001:0db8:1140:1000"), ("LP", "1 host"), ("APL", "1:192.0.2.0/24 !2:2001:db8::/32"),
        ("IPSECKEY", f"10 1 2 192.0.2.38 {key}", f"10 3 2 host {key}"), ("TXT", '""', '"a" "b"', r'"\000\255\""', "x" * 255),
        ("TYPE65280", r"\# 0", r"\# 4 0a000001"), ("TYPE731", r"\# 6 abcdef012345"), ("ZONEMD", "1 1 1 " + "ab" * 48),
        ("A", "192.0.2.99"),
    ):
        for value in values:
            z.put(f"{rdtype.lower()}.t", rdtype, value)
            z.put("all", rdtype, value)
        z.put(f"*.{rdtype.lower()}.w", rdtype, values[0])
        for flags in ("-", "d", "es512"):
            z.ask("all", rdtype, flags)
            z.ask(f"x.{rdtype.lower()}.w", rdtype, flags)
    z.put("cut", "NS", "ns.cut")
    z.put("ns.cut", "A", "192.0.2.3")
    for i in range(0, 320):
        z.ask("all", f"TYPE{i}")
        z.ask("gone", f"TYPE{i}")
    for i in (32768, 32769, 61439, 65279, 65280, 65281, 65534, 65535):
        for name in ("all", "host", "alias", "x.hosts", "gone", "x.cut"):
            z.ask_each(name, (f"TYPE{i}",))


@kind()
def ttls_and_case(z):
    z.put("zero", "A", "192.0.2.1", ttl=0)
    z.put("max", "A", "192.0.2.2", ttl=2147483647)
    z.put("one", "TXT", '"CaSe StAyS"', ttl=1)
    z.put("ZeRo", "TXT", '"mixed"', ttl=0)
    z.put("CamelCase.Name", "MX", "10 MaiL.Camelcase.NAME", ttl=86400)
    z.put("mail.camelcase.name", "A", "192.0.2.3", ttl=5)
    z.put("C", "CNAME", "CAMELCASE.name", ttl=7)
    z.put("CUT", "NS", "NS.Cut", ttl=9)
    z.put("ns.cut", "A", "192.0.2.4", ttl=11)
    z.put("D", "DNAME", "CamelCase.Name", ttl=13)
    for name in ("zero", "max", "one", "camelcase.name", "mail.camelcase.name", "c", "cut", "x.cut", "d", "mail.d", "x.d", "gone"):
        for _ in range(4):
            z.ask_each(name, ("A", "TXT", "MX", "NS"))


@kind()
def low_soa_ttl(z):
    z.records[0] = "@ 60 IN SOA ns1 hostmaster 4294967295 7200 3600 1209600 2147483647"
    z.put("a.b", "A", "192.0.2.1")
    for name in ("gone", "b", "a.b", "@"):
        z.ask_each(name, ("A", "TXT", "SOA", "NS"))


@kind()
def wild_odd(z):
    """RFC 4592 4.4 leaves a DNAME at a wildcard open. (An NS at one is refused by BIND.)"""
    z.put("*.dn", "DNAME", "target")
    z.put("*.dn", "A", "192.0.2.1")
    z.put("a.target", "A", "192.0.2.2")
    for name in ("x.dn", "a.x.dn", "*.dn", "a.*.dn", "dn"):
        z.ask_each(name, ("A", "DNAME", "NS", "TXT", "DS", "CNAME", "ANY"))


# ---- random zones ----


def random_name(rng, depth=4):
    return ".".join(rng.choice(LABELS) for _ in range(rng.randint(1, depth)))


def random_target(rng):
    return rng.choice([random_name(rng), random_name(rng), random_name(rng), "@", f"{random_name(rng)}.{ELSEWHERE}"])


def is_below(name, above):
    return name.endswith("." + above)


def random_zone(z, owners=30, questions=170):
    """Names over five labels; each gets what its place allows."""
    rng, governed = z.rng, []
    chosen = sorted({random_name(rng) for _ in range(owners)}, key=lambda n: (n.count("."), n))
    for name in chosen:
        above = next((g for g in governed if is_below(name, g[0])), None)
        if above:
            if above[1] == "NS" and rng.random() < 0.7:
                z.put(name, "A", "192.0.2.9")
            continue
        pick = rng.random()
        star = name.startswith("*")
        if pick < 0.2:
            z.put(name, "CNAME", random_target(rng))
        elif pick < 0.28 and not star:
            z.put(name, "DNAME", random_target(rng))
            governed.append((name, "DNAME"))
            if rng.random() < 0.5:
                z.put(name, "A", "192.0.2.1")
        elif pick < 0.42 and not star:
            random_cut(z, name, governed)
        else:
            for rdtype, rdata in (("A", "192.0.2.2"), ("AAAA", "2001:db8::2"), ("TXT", '"t"')):
                if rng.random() < 0.5:
                    z.put(name, rdtype, rdata)
            if rng.random() < 0.2:
                z.put(name, "MX", f"10 {random_target(rng)}")
            if rng.random() < 0.1:
                z.put(name, "SRV", f"1 2 3 {random_target(rng)}")
    for _ in range(questions):
        z.ask(random_name(rng, 5), rng.choice(ASKED_TYPES))


def random_cut(z, name, governed):
    rng = z.rng
    governed.append((name, "NS"))
    for _ in range(rng.randint(1, 3)):
        z.put(name, "NS", rng.choice([f"ns.{name}", f"{random_name(rng, 2)}.{name}", name, random_name(rng), f"ns.{ELSEWHERE}"]))
    for glue in (f"ns.{name}", f"{random_name(rng, 2)}.{name}", name):
        if rng.random() < 0.5:
            z.put(glue, "A", "192.0.2.3")
        if rng.random() < 0.3:
            z.put(glue, "AAAA", "2001:db8::3")
    if rng.random() < 0.4:
        z.put(name, "DS", "1 13 2 " + "ab" * 32)


# ---- all of them ----

FORMS = {"flat": (False, False), "tree": (False, True), "sflat": (True, False), "stree": (True, True)}


def make_kind(seed, make, form):
    """The zones of one kind."""
    rng = random.Random(f"{seed} {form} {make.__name__}")
    z = Zone(f"{make.__name__.replace('_', '-')}.{form}.", rng, *FORMS[form])
    zones = [z] + (make(z) or [])
    for each in zones:
        each.ask_usual()
    return zones


def make_zones(seed, randoms):
    """Every kind in every form, and so many random zones."""
    zones = []
    for form in FORMS:
        for make, forms in KINDS:
            if form in forms:
                zones += make_kind(seed, make, form)
    for i in range(randoms):
        form = list(FORMS)[i % 4]
        z = Zone(f"r{i}.{form}.", random.Random(f"{seed} {i}"), *FORMS[form])
        random_zone(z)
        z.ask_usual()
        zones.append(z)
    for z in zones:
        if z.large:
            z.fill()
    return zones


class Signer:
    """Signs zone files with ldns, all by one key pair that is made on the spot."""

    def __init__(self, folder):
        self.folder = folder
        made = subprocess.run(["ldns-keygen", "-r", "/dev/urandom", "-k", "-a", "ECDSAP256SHA256", "example."],
                              cwd=folder, capture_output=True, text=True, check=True).stdout.strip()
        self.private = (folder / f"{made}.private").read_text()
        self.key = (folder / f"{made}.key").read_text().split("\t", 1)[1]

    def sign(self, zone, path):
        base = self.folder / f"K{zone.origin}"
        pathlib.Path(f"{base}.private").write_text(self.private)
        pathlib.Path(f"{base}.key").write_text(f"{zone.origin}\t{self.key}")
        signed = path.with_name(path.name + ".signed")
        subprocess.run(["ldns-signzone", "-i", "20260101000000", "-e", "20360101000000", "-o", zone.origin,
                        "-f", signed, path, base], check=True, capture_output=True)
        return signed


def write_zones(zones, folder):
    """{origin: path}, signed where the zone is to be."""
    signer = Signer(folder)

    def write(z):
        path = z.write(folder)
        return z.origin, signer.sign(z, path) if z.signed else path

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        return dict(pool.map(write, zones))


def odd_questions():
    """What is no plain question: (name, type, flags), flags as tools/compare has them."""
    name, gone, elsewhere = "ns1.wild.flat.", "gone.wild.sflat.", "not.ours.example."
    for each in (name, gone, elsewhere):
        for opcode in range(1, 16):
            yield each, "SOA", f"O{opcode}"
            yield each, "SOA", f"drO{opcode}"
        for flags in ("Q0", "eQ0", "Q2", "eQ2", "Q3", "eD2", "dD2", "eD3", "ev1", "ev255", "dv1s512", "ev1o65001"):
            yield each, "A", flags
        for option in (0, 3, 5, 6, 9, 12, 15, 16, 18, 19, 4242, 65001, 65534, 65535):
            yield each, "A", f"eo{option}"
            yield each, "A", f"do{option}"
        for size in (0, 100, 511, 512, 513, 1231, 1233, 4096, 65535):
            yield each, "A", f"es{size}"
        for number in (0, 2, 3, 4, 254, 255, 256, 65535):
            for rdtype in ("A", "ANY", "TXT", "SOA"):
                yield each, rdtype, f"C{number}"
                yield each, rdtype, f"dC{number}"
        for rdtype in ("OPT", "TSIG", "TKEY", "MAILA", "MAILB", "AXFR", "IXFR", "TYPE128", "TYPE200", "TYPE0", "TYPE65535"):
            yield each, rdtype, "-"
            yield each, rdtype, "d"
    for each in ("version.bind.", "VERSION.server.", "id.server.", "hostname.BIND.", "authors.bind.", "bind.", "."):
        for rdtype in ("TXT", "ANY", "A"):
            yield each, rdtype, "C3"
            yield each, rdtype, "eC3"
