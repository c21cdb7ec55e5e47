"""Zones and questions of the bench, made once and kept in build/bench/data-*.

reference  the design's: N zones of 20 records and 500,000 questions (shared/bench/gen.py), and every owner name
delegating the same zones with a delegation each; questions that all exist, all do not, or are all below it
signed     the same zones as if they had been signed with P-256 and NSEC. Signatures are random octets: no
           server looks into them while it serves, and signing 100,000 zones is not what is measured.
"""

import base64
import random
import re
import subprocess
import sys

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
