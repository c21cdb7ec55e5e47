"""Zones signed with NSEC3 by ldns, and the questions about them that reach every kind of proof."""

import subprocess

import questions

# Name → how it is signed: iterations, salt, opt-out.
WAYS = {
    "plain": (0, None, False),
    "salted": (5, "0badcafe", False),
    "optout": (0, None, True),
    "optsalt": (5, "ab" * 40, True),
}
DS = "DS 12345 13 2 " + "5a" * 32


def records(origin):
    """Wildcards, empty non-terminals, cuts with and without DS, DNAME and CNAME of every kind."""
    return f"""$ORIGIN {origin}
$TTL 3600
@ IN SOA ns1.{origin} host.{origin} 1 7200 3600 1209600 300
@ IN NS ns1.{origin}
@ IN NS ns.elsewhere.invalid.
@ IN MX 10 mail.{origin}
@ IN TXT "apex"
ns1.{origin} IN A 192.0.2.1
ns1.{origin} IN AAAA 2001:db8::1
mail.{origin} IN A 192.0.2.2
www.{origin} IN A 192.0.2.3
www.{origin} IN TXT "w"
a.b.c.ent.{origin} IN A 192.0.2.4
z.b.c.ent.{origin} IN TXT "z"
*.wild.{origin} IN A 192.0.2.5
*.wild.{origin} IN TXT "wild"
host.wild.{origin} IN A 192.0.2.6
deep.er.wild.{origin} IN A 192.0.2.7
x.*.went.{origin} IN A 192.0.2.8
*.wc.{origin} IN CNAME www.{origin}
*.wx.{origin} IN CNAME not-there.{origin}
*.w2.{origin} IN CNAME any.wild.{origin}
alias.{origin} IN CNAME www.{origin}
alias2.{origin} IN CNAME alias.{origin}
tonx.{origin} IN CNAME no.such.{origin}
tond.{origin} IN CNAME b.c.ent.{origin}
towild.{origin} IN CNAME some.wild.{origin}
tosub.{origin} IN CNAME x.plain.{origin}
out.{origin} IN CNAME www.elsewhere.invalid.
dn.{origin} IN DNAME target.{origin}
dn.{origin} IN TXT "at the DNAME"
x.target.{origin} IN A 192.0.2.9
secure.{origin} IN NS ns.secure.{origin}
secure.{origin} IN {DS}
ns.secure.{origin} IN A 192.0.2.10
plain.{origin} IN NS ns.plain.{origin}
plain.{origin} IN NS ns1.{origin}
ns.plain.{origin} IN A 192.0.2.11
plain2.{origin} IN NS ns.elsewhere.invalid.
one.under.{origin} IN NS ns.elsewhere.invalid.
two.deep.under.{origin} IN NS ns1.{origin}
sec.mixed.{origin} IN NS ns1.{origin}
sec.mixed.{origin} IN {DS}
ins.mixed.{origin} IN NS ns1.{origin}
*.del.{origin} IN A 192.0.2.12
cut.del.{origin} IN NS ns1.{origin}
"""


def many(origin, count=900):
    """Enough owners that the image becomes a tree."""
    text = records(origin)
    for i in range(count):
        text += f"host-{i}.{origin} IN A 192.0.2.{i % 250 + 1}\n"
        if i % 3 == 0:
            text += f"leaf.node-{i}.{origin} IN TXT \"{'x' * 40}{i}\"\n"
        if i % 7 == 0:
            text += f"cut-{i}.{origin} IN NS ns1.{origin}\n"
    return text


def is_insecure_cut(line, secure):
    fields = line.split()
    return "NS" in fields[1:3] and "IN" in fields and fields[0] != "@" and fields[0] not in secure


def sign(folder, origin, bare, way):
    """The signed twin of a master file, in the same folder. With opt-out the delegations without DS, and
    their glue, come in afterwards: no NSEC3 is theirs, nor that of an empty name above them."""
    iterations, salt, optout = way
    later = []
    if optout:
        lines = bare.read_text().splitlines(keepends=True)
        secure = {x.split()[0] for x in lines if " IN DS " in x}
        cuts = {x.split()[0] for x in lines if is_insecure_cut(x, secure)}
        later = [x for x in lines if any(x.split()[0] == c or x.split()[0].endswith(f".{c}") for c in cuts)]
        bare.write_text("".join(x for x in lines if x not in later))
    keys = [
        subprocess.run(["ldns-keygen", "-r", "/dev/urandom", *flag, "-a", "ECDSAP256SHA256", origin],
                       cwd=folder, capture_output=True, text=True, check=True).stdout.strip()
        for flag in (["-k"], [])
    ]
    command = ["ldns-signzone", "-n", "-t", str(iterations), *(["-s", salt] if salt else []),
               *(["-p"] if optout else []), "-i", "20260101000000", "-e", "20360101000000", "-o", origin,
               "-f", f"{bare.name}.signed", bare.name, *keys]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    signed = bare.with_name(f"{bare.name}.signed")
    with open(signed, "a", encoding="utf-8") as out:
        out.writelines(["$TTL 3600\n", *later])
    return signed


def ancestors(name, origin):
    """The name's ancestors inside the zone; an empty non-terminal has no line in the file."""
    while name not in (origin, "."):
        name = name.partition(".")[2] or "."
        yield name


def for_zone(path, every=1):
    """(name, type, flags) as questions.for_zone does, and about what NSEC3 tells in its own way: DS
    everywhere, names that are made by others, the owners of NSEC3 themselves."""
    origin, owners = questions.read_zone(path)
    seen = set()
    for i, (owner, types) in enumerate(owners.items()):
        if i % every:
            continue
        names = {owner, questions.below(owner), questions.beside(owner)}
        if "NSEC3" not in types or i % 4 == 0:
            names.add("a.b." + questions.below(owner))
        names.update(ancestors(owner, origin))
        for name in sorted(names - seen):
            seen.add(name)
            kinds = {"A", "DS", "NSEC3", "TXT"} | (types if name == owner else set()) | (
                {"NSEC", "NSEC3PARAM", "CNAME", "NS"} if len(seen) % 5 == 0 else set())
            for rdtype in sorted(kinds - {"RRSIG"}):
                yield name, rdtype, "d"
            yield name, "A", "-"
            yield name, "NSEC3", "er"
