"""The zones of signed_zones.py, imported without a signature and signed by the appliance itself: keys and signatures
are the product's, the questions and the verdicts those of the zones that others signed. Policies are in them too."""

import json
import pathlib
import shutil
import tempfile

import dns.rdata

import signed_zones
from signed_zones import CHILD, UNSIGNED, WAYS, soa

CHECKS = {"up-1": "up", "up-2": "up", "down-1": "down", "down-2": "down"}


def pool(*answers, **more):
    return {"answers": [dict(zip(("value", "check"), a)) for a in answers], **more}


A1, A2, A3 = ("192.0.2.61", "up-1"), ("192.0.2.62", "up-2"), ("192.0.2.63",)
D1, D2 = ("192.0.2.64", "down-1"), ("192.0.2.65", "down-2")
DOWN = pool(D1, D2, when_down="closed")
POLICIES = (  # owner, type, policy
    ("fail", "A", {"root": {"use": "failover", "order": [{"pool": "one"}, {"pool": "two"}]},
                   "pools": {"one": pool(D1), "two": pool(A1, A2)}}),
    ("weigh", "A", {"root": {"use": "weighted", "branches": [{"weight": 1, "then": {"pool": "one"}},
                                                             {"weight": 1, "then": {"pool": "two"}}]},
                    "pools": {"one": pool(A1, A2, D1, serve="one"), "two": pool(A3)}}),
    ("geo", "A", {"root": {"use": "geo", "rules": [{"match": ["cidr:127.0.0.0/8"], "then": {"pool": "near"}}],
                           "default": {"pool": "far"}},
                  "pools": {"near": pool(A1, A2, A3, serve=2), "far": pool(A3)}}),
    ("none", "A", {"root": {"pool": "p"}, "pools": {"p": DOWN}}),
    ("lead", "CNAME", {"root": {"pool": "p"}, "pools": {"p": pool(("www.{zone}", "up-1"), serve="one")}}),
    ("*.anypol", "A", {"root": {"pool": "p"}, "pools": {"p": pool(A1, A2)}}),
    ("*.nopol", "A", {"root": {"pool": "p"}, "pools": {"p": DOWN}}),
    ("both", "A", {"root": {"pool": "p"}, "pools": {"p": pool(A1)}}),
    ("both", "AAAA", {"root": {"pool": "p"}, "pools": {"p": pool(("2001:db8::61", "down-1"))}}),
)


ALIASES = (("al", "www"), ("al4", "host-1"), ("alpol", "fail"), ("algeo", "geo"), ("alnone", "none"),
           ("allead", "lead"), ("alvoid", "z.b.c.ent"), ("*.anyal", "www"), ("*.anyal4", "host-1"))  # owner, target


def alias_lines():
    return "toal IN CNAME al\nalvoid IN TXT \"beside\"\n" + "".join(f"{owner} 5 IN ALIAS {target}\n" for owner, target in ALIASES)


def policy_lines(origin):
    return "both IN TXT \"beside\"\ntopol IN CNAME fail\ntonopol IN CNAME none\n" + "".join(
        f";ns-policy {owner}.{origin} {rdtype} {json.dumps(dict(p, ttl=5)).replace('{zone}', origin)}\n"
        for owner, rdtype, p in POLICIES)


class Site:
    """Zones of these names at an appliance, signed there from the leaves to the root. `key`: the root's KSK."""

    def __init__(self, appliance, names):
        self.a, self.names = appliance, names
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="ns-here-", dir="/tmp"))
        self.folder.chmod(0o755)
        for check, state in CHECKS.items():
            appliance.cli("check", "set", check, "-", "-m", "t", stdin=json.dumps({"type": "push", "initial": state}))
        texts, delegations = self.children()
        self.load(texts)
        top = {f"{name}.": self.full(name, delegations) for name in names}
        self.load(top)
        below = f"{UNSIGNED}. IN NS ns.nsec.\nns.nsec. IN A 127.0.0.1\n"
        root = {".": soa(".") + below + "".join(f"{o} IN NS ns.nsec.\n{self.ds(o)}" for o in sorted(top))}
        self.load(root)
        self.zones = [*texts, *top, *root]
        flags, protocol, algorithm, data = self.keys(".")
        self.key = dns.rdata.from_text("IN", "DNSKEY", f"{flags} {protocol} {algorithm} {data}")

    def children(self):
        texts, delegations = {f"{UNSIGNED}.": soa(f"{UNSIGNED}.") + CHILD}, {}
        for name in self.names:
            if WAYS[name].tiny:
                continue
            delegations[name] = [f"{cut}.{name}." for cut in ("bare", "x.z.under", "sub")]
            texts.update({o: soa(o) + CHILD for o in delegations[name]})
        return texts, delegations

    def full(self, name, delegations):
        origin = f"{name}."
        text = soa(origin)
        for cut in delegations.get(name, ()):
            text += f"{cut} IN NS ns.nsec.\n" + (self.ds(cut) if cut.startswith("sub.") else "")
        if not WAYS[name].tiny:
            text += signed_zones.contents(signed_zones.neighbour(name, self.names), WAYS[name].hosts) + policy_lines(origin)
            text += alias_lines()
        return text

    def load(self, texts):
        """With one import, and then each that is to be signed by a command of its own."""
        if list(texts) == ["."]:
            (self.folder / "root").write_text(texts["."])
            assert self.a.cli_json("zone", "import", ".", self.folder / "root")["errors"] == []
        else:
            part = pathlib.Path(tempfile.mkdtemp(dir=self.folder))
            part.chmod(0o755)
            for origin, text in texts.items():
                (part / origin.rstrip(".")).write_text(text)
            done = self.a.cli_json("zone", "import", "--dir", part, timeout=120)
            assert done["errors"] == [] and done["zones"] == len(texts), done
        for origin in texts:
            if self.way(origin) is not None:
                self.enable(origin)

    def way(self, origin):
        """How it is signed; None: not at all."""
        labels = origin.rstrip(".").split(".")
        if origin == ".":
            return WAYS[self.names[0]]
        return WAYS.get(labels[-1]) if len(labels) == 1 or labels[0] == "sub" else None

    def enable(self, origin):
        way = self.way(origin)
        denial = "nsec" if way.nsec3 is None else "nsec3-optout" if way.optout else "nsec3"
        algorithm = "15" if way.algorithm == signed_zones.ED else "13"
        self.a.cli("dnssec", "enable", origin, "--algorithm", algorithm, "--denial", denial, "-m", "sign", timeout=60)

    def ds(self, origin):
        return self.a.cli("dnssec", "ds", origin)

    def keys(self, origin):
        ksk = next(k for k in self.a.cli_json("dnssec", "keys", origin)["keys"] if k["role"] == "ksk")
        return ksk["dnskey"].split("DNSKEY", 1)[1].split(None, 3)

    def close(self):
        shutil.rmtree(self.folder, ignore_errors=True)


def questions(names, seed, each):
    """Those of signed_zones.py, and what the policies answer."""
    found = signed_zones.questions(names, seed, each)
    for name in names:
        way = WAYS[name]
        if way.tiny:
            continue
        spans = not way.optout
        some = [("@", "CDS", 0, True), ("@", "CDNSKEY", 0, True)]
        for owner in ("fail", "weigh", "geo", "none", "both", "lead"):
            some += [(owner, rdtype, 0, True) for rdtype in ("A", "AAAA", "TXT", "DS")]
        some += [("lead", "CNAME", 0, True), ("topol", "A", 0, True), ("tonopol", "A", 0, True), ("anypol", "A", 0, True)]
        some += [(owner, rdtype, 0, True) for owner, _ in ALIASES if owner[0] != "*" for rdtype in ("A", "AAAA", "TXT")]
        some += [("toal", "A", 0, True), ("toal", "AAAA", 0, True)]
        for i in range(each):
            some += [(f"x{i}.{owner}", rdtype, 0, spans) for owner in ("anyal", "anyal4") for rdtype in ("A", "AAAA", "MX")]
            some += [(f"x{i}.{owner}", rdtype, 0, spans) for owner in ("anypol", "nopol") for rdtype in ("A", "AAAA")]
            some += [(f"x{i}.{owner}", "A", 3, spans) for owner in ("fail", "both")]
        found += [(f"{name}." if q[0] == "@" else f"{q[0]}.{name}.", *q[1:]) for q in some]
    return found
