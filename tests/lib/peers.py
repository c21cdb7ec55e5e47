"""NSD, Knot and BIND from Debian, on loopback, serving zone files as they are: what our answers are held against.

Each peer is a context: it owns a directory, a port and one process, and ends that process by its pid.
"""

import os
import random
import shutil
import socket
import subprocess
import tempfile
import time

import dns.message
import dns.query

FIRST, LAST, BLOCK = 10240, 32768, 64  # below the ports that the kernel hands out
OURS, LEFT = [], {}  # claims of blocks, held to the end of this process; {network: ports of them that are left}


def claim_block():
    """A block of ports of this process alone: another test, at the same time, may not find free what we bind later."""
    for _ in range(1000):
        first = random.randrange(FIRST, LAST, BLOCK)
        claim = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            claim.bind(f"\0ns-test-ports-{first}")
        except OSError:
            claim.close()
            continue
        OURS.append(claim)
        return list(range(first, first + BLOCK))
    raise RuntimeError("no block of ports")


def is_free(port):
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        try:
            tcp.bind(("127.0.0.1", port))
            udp.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port():
    """A port that is free for UDP and TCP on 127.0.0.1, and that neither another test nor anybody's outgoing connection
    takes meanwhile. It is given once."""
    left = LEFT.setdefault(os.readlink("/proc/thread-self/ns/net"), [])
    for _ in range(1000):
        if not left:
            left.extend(claim_block())
        port = left.pop()
        if is_free(port):
            return port
    raise RuntimeError("no free port")


# What comes before others, as a worker does, where that is granted; else nothing.
URGENT = ["chrt", "-r", "1"] if subprocess.run(["chrt", "-r", "1", "true"], capture_output=True).returncode == 0 else []


PATIENCE = 30.0


def wait_until(condition, what, seconds=PATIENCE):
    """Poll a condition; its first true value. Fails the test when the time is over, which on a machine with others is
    never less than PATIENCE: how long something may take is asserted by itself, five times its budget."""
    seconds = max(seconds, PATIENCE)
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.01)


def answers(port, name, rdtype="SOA"):
    query = dns.message.make_query(name, rdtype)
    try:
        reply = dns.query.udp(query, "127.0.0.1", port=port, timeout=2)
        return reply if reply.rcode() == 0 else None
    except (dns.exception.Timeout, OSError):
        return None


def end(process):
    """A process that we started: asked to go, and killed when it does not."""
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(10)


class Peer:
    """A name server of somebody else. zones: {origin with final dot: path of its master file}."""

    program = None

    def __init__(self, zones):
        if shutil.which(self.program) is None:
            raise RuntimeError(f"{self.program} is not installed: make deps")
        self.zones = zones
        self.port = free_port()
        self.dir = tempfile.mkdtemp(prefix="ns-peer-", dir="/tmp")
        self.process = None

    def __enter__(self):
        config = os.path.join(self.dir, "peer.conf")
        with open(config, "w", encoding="utf-8") as out:
            out.write(self.config())
        with open(os.path.join(self.dir, "log"), "wb") as log:
            self.process = subprocess.Popen(self.command(config), stdout=log, stderr=log)
        for origin in self.zones:
            wait_until(lambda o=origin: answers(self.port, o), f"{self.program} serves {origin}", 30)
        return self

    def __exit__(self, *_):
        end(self.process)
        shutil.rmtree(self.dir, ignore_errors=True)

    def config(self):
        raise NotImplementedError

    def command(self, config):
        raise NotImplementedError


class Nsd(Peer):
    program = "nsd"

    def config(self):
        zones = "".join(f'zone:\n name: "{o}"\n zonefile: "{p}"\n' for o, p in self.zones.items())
        return f"""server:
 ip-address: 127.0.0.1@{self.port}
 server-count: 1
 username: ""
 chroot: ""
 database: ""
 zonesdir: ""
 pidfile: "{self.dir}/nsd.pid"
 xfrdfile: "{self.dir}/xfrd.state"
 zonelistfile: "{self.dir}/zone.list"
 minimal-responses: yes
 refuse-any: yes
 tcp-query-count: 0
 rrl-ratelimit: 0
 rrl-whitelist-ratelimit: 0
remote-control:
 control-enable: no
{zones}"""

    def command(self, config):
        return ["nsd", "-d", "-c", config]


class Knot(Peer):
    program = "knotd"

    def config(self):
        zones = "".join(f'  - domain: "{o}"\n    file: "{p}"\n' for o, p in self.zones.items())
        return f"""server:
  rundir: "{self.dir}"
  listen: 127.0.0.1@{self.port}
  udp-workers: 1
  tcp-workers: 1
database:
  storage: "{self.dir}"
log:
  - target: stderr
    any: warning
template:
  - id: default
    storage: "{self.dir}"
    semantic-checks: off
    zonefile-sync: -1
    journal-content: none
zone:
{zones}"""

    def command(self, config):
        return ["knotd", "-c", config]


class Named(Peer):
    """BIND as an authority: the third opinion where NSD and Knot differ."""

    program = "named"

    def config(self):
        zones = "".join(f'zone "{o}" {{ type primary; file "{p}"; }};\n' for o, p in self.zones.items())
        return f"""options {{
 directory "{self.dir}";
 pid-file none;
 session-keyfile none;
 listen-on port {self.port} {{ 127.0.0.1; }};
 listen-on-v6 {{ none; }};
 recursion no;
 minimal-responses yes;
 minimal-any yes;
 notify no;
 allow-transfer {{ none; }};
 dnssec-validation no;
 empty-zones-enable no;
 answer-cookie no;
 edns-udp-size 1232;
 max-udp-size 1232;
 nocookie-udp-size 1232;
 max-records-per-type 0;
 max-types-per-name 0;
 check-names primary ignore;
 check-integrity no;
 check-sibling no;
 check-wildcard no;
 check-mx-cname ignore;
 check-srv-cname ignore;
 check-spf ignore;
 tcp-clients 1000;
}};
controls {{ }};
{zones}"""

    def command(self, config):
        return ["named", "-g", "-n", "1", "-c", config]
