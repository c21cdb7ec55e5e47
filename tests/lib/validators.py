"""What a resolver that validates says about our answers: Unbound for many questions, delv for some, and the proofs in
referrals, which neither shows, by dnspython's signatures and hashes."""

import collections
import json
import pathlib
import re
import select
import shutil
import socket
import struct
import subprocess
import tempfile
import threading
import time

import dns.dnssec
import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rdata
import dns.rdatatype

import signed_zones
from peers import answers, end, free_port, wait_until

WINDOW, RESEND, TRIES = 64, 5.0, 6


class Unbound:
    """A validating resolver that knows one server for all these zones, and the root's key (or a list of other anchors).
    Nothing is answered from what it learnt before: each question reaches the server. when: the time that it believes."""

    def __init__(self, upstream, key, zones, when=None):
        self.upstream, self.zones, self.port, self.when = upstream, list(zones), free_port(), when
        self.anchors = [f". DNSKEY {key}"] if not isinstance(key, list) else key
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="ns-unbound-", dir="/tmp"))
        self.process = None

    def config(self):
        # One for each zone: what it learns from NS records would lead to port 53.
        stubs = "".join(f'stub-zone:\n name: "{z}"\n stub-addr: 127.0.0.1@{self.upstream}\n' for z in self.zones)
        anchors = "".join(f' trust-anchor: "{a}"\n' for a in self.anchors)
        date = time.strftime(' val-override-date: "%Y%m%d%H%M%S"\n', time.gmtime(self.when)) if self.when else ""
        return f"""server:
 interface: 127.0.0.1@{self.port}
 port: {self.port}
 do-ip6: no
 do-daemonize: no
 num-threads: 1
 username: ""
 chroot: ""
 directory: "{self.dir}"
 pidfile: ""
 use-syslog: no
 logfile: "{self.dir}/log"
 val-log-level: 2
 module-config: "validator iterator"
{anchors}{date} val-permissive-mode: no
 aggressive-nsec: no
 harden-below-nxdomain: no
 use-caps-for-id: yes
 do-not-query-localhost: no
 outgoing-range: 512
 num-queries-per-thread: 512
 infra-host-ttl: 0
 max-udp-size: 4096
 msg-cache-size: 32m
 rrset-cache-size: 64m
remote-control:
 control-enable: no
{stubs}"""

    def __enter__(self):
        path = self.dir / "unbound.conf"
        path.write_text(self.config())
        self.process = subprocess.Popen(["unbound", "-c", path], stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        try:
            wait_until(self.listens, "unbound listens", 15)
            wait_until(lambda: answers(self.port, self.zones[-1]), "unbound answers", 15)
        except AssertionError:
            print(self.log_lines()[-20:])
            self.__exit__()
            raise
        return self

    def listens(self):
        with socket.socket() as s:
            return s.connect_ex(("127.0.0.1", self.port)) == 0

    def why(self, name, rdtype):
        """What its log says of a failure."""
        lines = [x for x in self.log_lines() if f"<{name} {rdtype} IN>" in x]
        return lines[-1].split("info: ")[-1] if lines else ""

    def log_lines(self):
        return (self.dir / "log").read_text(errors="replace").splitlines()

    def __exit__(self, *_):
        end(self.process)
        shutil.rmtree(self.dir, ignore_errors=True)

    def ask_all(self, questions):
        """[(rcode, secure)] of (name, type, …) in their order; None where there was silence."""
        packets = [question_wire(i, name, rdtype) for i, (name, rdtype, *_) in enumerate(questions)]
        found, flying, waiting = [None] * len(packets), {}, list(range(len(packets)))[::-1]
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
            s.connect(("127.0.0.1", self.port))
            while waiting or flying:
                while waiting and len(flying) < WINDOW:
                    i = waiting.pop()
                    flying[i] = [time.monotonic(), 1]
                    s.send(packets[i])
                if select.select([s], [], [], 0.2)[0]:
                    reply = s.recv(65535)
                    i, flags = struct.unpack_from("!HH", reply)
                    if flying.pop(i, None):
                        found[i] = (flags & 15, bool(flags & dns.flags.AD))
                again(s, packets, flying)
        return found


def question_wire(i, name, rdtype):
    query = dns.message.make_query(name, rdtype, use_edns=0, payload=4096)
    query.id, query.flags = i, dns.flags.RD | dns.flags.AD
    return query.to_wire()


def again(s, packets, flying):
    now = time.monotonic()
    for i, (sent, tries) in list(flying.items()):
        if now - sent > RESEND:
            if tries == TRIES:
                del flying[i]
            else:
                flying[i] = [now, tries + 1]
                s.send(packets[i])


class Asking:
    """A validating resolver in front of a server, and questions (name, type) to it until the end, `pause` seconds
    after each answer: what was not validated is bad."""

    def __init__(self, site, questions, pause=0):
        self.site, self.bad, self.good, self.ending, self.pause = site, [], 0, threading.Event(), pause
        self.unbound = Unbound(site.a.port, site.key, site.zones)
        self.threads = [threading.Thread(target=self.run, args=q) for q in questions]

    def run(self, name, rdtype):
        query = question_wire(7, name, rdtype)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.connect(("127.0.0.1", self.unbound.port))
            s.settimeout(20)
            while not self.ending.is_set():
                s.send(query)
                try:
                    flags = int.from_bytes(s.recv(4096)[2:4], "big")
                except TimeoutError:
                    flags = None
                if flags is not None and flags & 15 == 0 and flags & 0x20:
                    self.good += 1
                else:
                    self.bad.append((name, rdtype, flags))
                time.sleep(self.pause)

    def __enter__(self):
        self.unbound.__enter__()
        for t in self.threads:
            t.start()
        return self

    def __exit__(self, *_):
        self.ending.set()
        for t in self.threads:
            t.join(30)
        log = [line for line in self.unbound.log_lines() if "validation failure" in line]
        self.unbound.__exit__()
        assert not self.bad and not log and self.good > 50, (self.good, self.bad[:10], log[:10])

    def more(self, n=30):
        want = self.good + n
        wait_until(lambda: self.good >= want or self.bad, f"{n} more answers", 60)


def delv(folder, port, root_key, question):
    """(rcode, secure) by delv; a text when it says anything else."""
    name, rdtype, *_ = question
    anchors = pathlib.Path(folder) / "anchors"
    if not anchors.exists():
        flags, proto, algorithm, key = root_key.to_text().split(None, 3)
        anchors.write_text(f'trust-anchors {{ . static-key {flags} {proto} {algorithm} "{key}"; }};\n')
    done = subprocess.run(["delv", "@127.0.0.1", "-p", str(port), "-a", anchors, "+root=.", name, rdtype],
                          capture_output=True, text=True, timeout=30, check=False)
    out = done.stdout + done.stderr
    nothing = re.search(r"ncache (nxdomain|nxrrset)", out)
    rcode = 3 if nothing and nothing[1] == "nxdomain" else 0
    if "fully validated" in out and "unsigned answer" not in out:
        return rcode, True
    return (rcode, False) if "unsigned answer" in out else out.strip()


def delv_is_right(question, found):
    """BIND calls secure what rests on an opt-out span too."""
    rcode, secure = question[2:]
    return found == (rcode, secure) or (found == (rcode, True) and not is_unsigned(question[0]))


def is_unsigned(name):
    return any(f".{part}." in f".{name}" for part in ("bare", "tobare", "toplain", "plain", "x.z.under"))


# ---- dnsviz ----

# Debian 12's dnsviz asks its pygraphviz for a version that this one does not tell.
GROK = ("import sys, types, pygraphviz; pygraphviz.release = types.SimpleNamespace(version=pygraphviz.__version__); "
        "from dnsviz.commands.grok import main; main(['grok'] + sys.argv[1:])")


def dnsviz(folder, port, root_key, zones, names):
    """Its report {name: …} of what it asked the one server for all these zones."""
    anchor = pathlib.Path(folder) / "root.key"
    anchor.write_text(f". IN DNSKEY {root_key}\n")
    where = [arg for zone in zones for arg in ("-x", f"{zone}:ns.nsec.=127.0.0.1:{port}")]
    probe = subprocess.run(["dnsviz", "probe", "-A", "-4", "-a", ".", *where, *names], capture_output=True, text=True,
                           timeout=300, check=True)
    grok = subprocess.run(["/usr/bin/python3", "-c", GROK, "-P", "-t", anchor], input=probe.stdout, capture_output=True,
                          text=True, timeout=300, check=True)
    return json.loads(grok.stdout)


def complaints(report, path=()):
    """What it calls an error, a warning or bogus, with where."""
    found = []
    for key, value in report.items() if isinstance(report, dict) else enumerate(report) if isinstance(report, list) else ():
        if key in ("errors", "warnings") and value:
            found += [(*path, e.get("description", e)) for e in value]
        elif key == "status" and value in ("BOGUS", "INVALID", "EXPIRED", "LAME"):
            found.append((*path, value))
        else:
            found += complaints(value, (*path, key))
    return found


# ---- referrals ----


def referral_kinds(server, names):
    """The cuts of signed_zones.contents() prove what they are; how each of the kinds of proof did."""
    kinds = collections.Counter()
    for name in names:
        if name not in signed_zones.FULL:
            continue
        origin = f"{name}."
        dnskey = server.ask(origin, "DNSKEY", want_dnssec=True, payload=4096).answer
        keys = {dns.name.from_text(origin): next(s for s in dnskey if s.rdtype == 48)}
        for cut, secure in (("far", False), ("farsec", True), ("x.y.under", False)):
            for below in ("", "www.", "a.b."):
                kinds[check_referral(server.port, f"{below}{cut}.{origin}", secure, keys)] += 1
    print(dict(kinds))
    return set(kinds)


def check_referral(port, name, secure, keys):
    """The referral for a name below a cut proves that the cut has a DS, or that it has none. `keys`: {zone: DNSKEY}."""
    query = dns.message.make_query(name, "A", want_dnssec=True, payload=4096)
    reply = dns.query.udp(query, "127.0.0.1", port=port, timeout=10)
    assert not reply.flags & dns.flags.AA and not reply.answer, name
    cut = next(s.name for s in reply.authority if s.rdtype == dns.rdatatype.NS)
    assert dns.name.from_text(name).is_subdomain(cut)
    sets = {(s.name, s.rdtype): s for s in reply.authority if s.rdtype != dns.rdatatype.RRSIG}
    signatures = {(s.name, s.covers): s for s in reply.authority if s.rdtype == dns.rdatatype.RRSIG}
    assert set(signatures) == set(sets) - {(cut, dns.rdatatype.NS)}, name
    for key, s in signatures.items():
        dns.dnssec.validate(sets[key], s, keys)
    if (cut, dns.rdatatype.DS) in sets:
        assert secure and len(sets) == 2, name
        return "ds"
    assert not secure, name
    if (cut, dns.rdatatype.NSEC) in sets:
        assert len(sets) == 2 and is_bare_cut(sets[cut, dns.rdatatype.NSEC][0]), name
        return "nsec"
    return check_nsec3(cut, {o.labels[0].decode().lower(): s[0] for (o, t), s in sets.items() if t == dns.rdatatype.NSEC3})


def types_of(rdata):
    return {window * 256 + i * 8 + bit for window, bits in rdata.windows for i, octet in enumerate(bits) for bit in range(8)
            if octet & 0x80 >> bit}


def is_bare_cut(rdata):
    kinds = types_of(rdata)
    return dns.rdatatype.NS in kinds and not kinds & {dns.rdatatype.DS, dns.rdatatype.SOA}


def check_nsec3(cut, records):
    """RFC 5155 8.9: the cut's own NSEC3 without DS, or, from the closest provable encloser, a span with opt-out."""
    def hashed(name):
        one = next(iter(records.values()))
        return dns.dnssec.nsec3_hash(name, one.salt.hex() or None, one.iterations, 1).lower()

    if hashed(cut) in records:
        assert len(records) == 1 and is_bare_cut(records[hashed(cut)]), cut
        return "nsec3"
    encloser, closer = cut.parent(), cut
    while hashed(encloser) not in records:
        encloser, closer = encloser.parent(), encloser
    at = hashed(closer)
    spans = [r for owner, r in records.items() if covers(owner, r, at)]
    assert len(spans) == 1 and spans[0].flags & 1 and len(records) <= 2, cut
    return "opt-out"


def covers(owner, rdata, at):
    following = rdata.to_text().split()[4].lower()
    return owner < at < following if owner < following else at > owner or at < following
