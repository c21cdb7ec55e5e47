"""Zones and questions of the bench, made once and kept in build/bench/data-*.

reference  the design's: N zones of 20 records and 500,000 questions (shared/bench/gen.py), and every owner name
delegating the same zones with a delegation each; questions that all exist, all do not, or are all below it
routing    zones with a static name and one each with a geo, a weighted and a failover policy; for gdnsd the same
signed     the same zones as if they had been signed with P-256 and NSEC. Signatures are random octets: no
           server looks into them while it serves, and signing 100,000 zones is not what is measured.
"""

import base64
import ipaddress
import json
import random
import re
import subprocess
import sys

from mmdbfile import mmdb
from rig import OUT, SHARED

RRSIG_OCTETS = 64  # P-256
CODES = {"A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "MX": 15, "TXT": 16, "AAAA": 28, "SRV": 33, "RRSIG": 46,
         "NSEC": 47, "DNSKEY": 48, "CAA": 257}


def folder(kind, zones):
    return OUT / f"data-{kind}-{zones}"


def finish(path):
    """The roles read it as users of their own."""
    path.chmod(0o755)
    (path / "made").touch()
    return path


def reference(zones):
    path = folder("reference", zones)
    if (path / "made").exists():
        return path
    subprocess.run([sys.executable, SHARED / "bench" / "gen.py", str(zones), str(path)], check=True)
    labels = ["", "ns1.", "ns2.", "www.", "mail1.", "mail2.", "api.", "blog.", "_sip._tcp.", "_dmarc.", "ftp.", "_tcp."]
    with open(path / "owners", "w", encoding="ascii") as out:
        for name in names(path):
            out.writelines(f"{label}{name}. A\n" for label in labels)
    return finish(path)


def names(path):
    return (path / "names").read_text().split()


def texts(path):
    for name in names(path):
        yield name, (path / "zones" / name).read_text()


def delegating(zones):
    path = folder("delegating", zones)
    if (path / "made").exists():
        return path
    (path / "zones").mkdir(parents=True, exist_ok=True)
    source = reference(zones)
    for name, text in texts(source):
        (path / "zones" / name).write_text(
            text + "sub IN NS ns1.sub\nsub IN NS ns2.sub\nns1.sub IN A 192.0.2.3\nns2.sub IN A 192.0.2.4\n")
    (path / "names").write_text((source / "names").read_text())
    dice, all_names = random.Random(11), names(path)
    for kind in ("positive", "nxdomain", "referral"):
        with open(path / kind, "w", encoding="ascii") as out:
            for _ in range(200000):
                label = {"positive": "www", "nxdomain": f"nx{dice.randrange(10**6)}", "referral": "www.sub"}[kind]
                out.write(f"{label}.{dice.choice(all_names)}. A\n")
    return finish(path)


# ---- signed ----
def sort_key(owner):
    """Canonical order (RFC 4034 6.1) of names relative to the apex."""
    return [] if owner == "@" else owner.split(".")[::-1]


def rrsets(text):
    """{owner: {type: ttl}} of a zone that gen.py wrote."""
    found = {}
    for owner, rdtype in re.findall(r"^(\S+) IN (\S+) ", text, re.M):
        found.setdefault(owner, set()).add(rdtype)
    return found


def labels_of(owner, name):
    return len(name.split(".")) + (0 if owner == "@" else len(owner.split(".")))


def signed_text(name, text, dice):
    origin = f"{name}."
    sets = rrsets(text)
    sets["@"].add("DNSKEY")
    key = base64.b64encode(dice.randbytes(64)).decode()
    lines = [text, f"@ IN DNSKEY 257 3 13 {key}\n"]
    order = sorted(sets, key=sort_key)
    for i, owner in enumerate(order):
        following = order[(i + 1) % len(order)]
        following = origin if following == "@" else f"{following}.{origin}"
        bitmap = " ".join(sorted(sets[owner] | {"NSEC", "RRSIG"}, key=CODES.get))
        lines.append(f"{owner} IN NSEC {following} {bitmap}\n")
        for rdtype in sorted(sets[owner] | {"NSEC"}, key=CODES.get):
            signature = base64.b64encode(dice.randbytes(RRSIG_OCTETS)).decode()
            lines.append(f"{owner} IN RRSIG {rdtype} 13 {labels_of(owner, name)} 300 20360101000000 20260101000000 "
                         f"12345 {origin} {signature}\n")
    return "".join(lines)


def signed(zones):
    path = folder("signed", zones)
    if (path / "made").exists():
        return path
    (path / "zones").mkdir(parents=True, exist_ok=True)
    source, dice = reference(zones), random.Random(5)
    for name, text in texts(source):
        (path / "zones" / name).write_text(signed_text(name, text, dice))
    for same in ("names", "queries", "owners"):
        (path / same).write_text((source / same).read_text())
    return finish(path)


# ---- routing ----
PLACES = {"EU": ("DE", "eu"), "AS": ("JP", "as"), "NA": ("US", "us")}  # continent: its country, its pool
POOLS = {"us": [("203.0.113.1", 70), ("203.0.113.2", 30)], "eu": [("203.0.113.11", 70), ("203.0.113.12", 30)],
         "as": [("203.0.113.21", 70), ("203.0.113.22", 30)],
         "w": [("203.0.113.31", 40), ("203.0.113.32", 30), ("203.0.113.33", 20), ("203.0.113.34", 10)],
         "first": [("203.0.113.41", 1), ("203.0.113.42", 1)], "second": [("203.0.113.51", 1), ("203.0.113.52", 1)]}
DOWN = {"203.0.113.34", "203.0.113.41", "203.0.113.42"}  # so that failover has something to pass over
NETWORKS = 20000


def routed_values():
    return [v for answers in POOLS.values() for v, _ in answers]


def place(number):
    """The continent of 1.0.0.0/20 and so on, by turns that are no pattern of bits."""
    return list(PLACES)[number * 40503 % 65536 % 3]


def network(number):
    return ipaddress.ip_network((0x01000000 + (number << 12), 20))


def right(line):
    """What may be answered to NAME TYPE NETWORK."""
    name, _, net = line.split()
    if name.startswith("wrr."):
        pool = "w"
    elif name.startswith("fo."):
        pool = "second"
    else:
        number = (int(ipaddress.ip_network(net).network_address) - 0x01000000) >> 12
        pool = PLACES[place(number)][1]
    return {v for v, _ in POOLS[pool]} - DOWN


def pool(name):
    return {name: {"serve": "one", "answers": [{"value": v, "weight": w, "check": f"c-{v}"} for v, w in POOLS[name]]}}


def policies():
    rules = [{"match": [f"continent:{c}"], "then": {"pool": p}} for c, (_, p) in PLACES.items() if p != "us"]
    return {
        "geo": {"ttl": 60, "root": {"use": "geo", "rules": rules, "default": {"pool": "us"}},
                "pools": {**pool("us"), **pool("eu"), **pool("as")}},
        "wrr": {"ttl": 60, "root": {"pool": "w"}, "pools": pool("w")},
        "fo": {"ttl": 60, "root": {"use": "failover", "order": [{"pool": "first"}, {"pool": "second"}]},
               "pools": {**pool("first"), **pool("second")}}}


def gdnsd_plugins(database, states):
    """The same rules for gdnsd: geoip over weighted, weighted, metafo over weighted."""
    weighted = "".join(f"w_{p} => {{ {', '.join(f'a{i} => [ {v}, {w} ]' for i, (v, w) in enumerate(answers))} }}\n"
                       for p, answers in POOLS.items())
    return f"""
service_types => {{ hc => {{ plugin => extfile, file => "{states}", direct => true }} }}
plugins => {{
 weighted => {{ service_types => hc, up_thresh => 0.01
{weighted} }}
 geoip => {{
  maps => {{ m => {{ geoip2_db => "{database}", datacenters => [ us, eu, as ],
   map => {{ EU => [ eu, us, as ], AS => [ as, us, eu ], default => [ us, eu, as ] }} }} }}
  resources => {{ g => {{ map => m, dcmap => {{ us => %weighted!w_us, eu => %weighted!w_eu, as => %weighted!w_as }} }} }} }}
 metafo => {{ resources => {{ f => {{ datacenters => [ one, two ],
   dcmap => {{ one => %weighted!w_first, two => %weighted!w_second }} }} }} }}
}}
"""


def routing(zones):
    path = folder("routing", zones)
    if (path / "made").exists():
        return path
    for kind in ("zones", "gdnsd"):
        (path / kind).mkdir(parents=True, exist_ok=True)
    all_names = [f"r{i}.example" for i in range(zones)]
    (path / "names").write_text("".join(f"{n}\n" for n in all_names))
    (path / "geo.mmdb").write_bytes(mmdb({
        str(network(i)): {"continent": {"code": place(i)}, "country": {"iso_code": PLACES[place(i)][0]}}
        for i in range(NETWORKS)}, "GeoLite2-Country"))
    rules = {n: json.dumps(p) for n, p in policies().items()}
    for name in all_names:
        head = (f"$ORIGIN {name}.\n$TTL 300\n@ IN SOA ns1 hostmaster 1 7200 3600 1209600 300\n@ IN NS ns1\n"
                "ns1 IN A 192.0.2.1\nstatic IN A 192.0.2.10\n")
        (path / "zones" / name).write_text(head + "".join(f";ns-policy {n}.{name}. A {p}\n" for n, p in rules.items()))
        (path / "gdnsd" / name).write_text(
            head + "geo 60 DYNA geoip!g\nwrr 60 DYNA weighted!w_w\nfo 60 DYNA metafo!f\n")
    dice = random.Random(3)
    with open(path / "static", "w", encoding="ascii") as static, open(path / "routed", "w", encoding="ascii") as routed:
        for _ in range(200000):
            name, net = dice.choice(all_names), network(dice.randrange(NETWORKS))
            first = f"{net.network_address}/24"
            static.write(f"static.{name}. A {first}\n")
            routed.write(f"{dice.choice(list(rules))}.{name}. A {first}\n")
    return finish(path)
