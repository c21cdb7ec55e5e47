"""The probe, and zone check against a parent, a resolver and name servers that the test runs.

The parent is BIND and the resolver Unbound, in a network of their own where everybody has port 53.
"""

import ctypes
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading

import dns.dnssec
import dns.name
import dns.rdatatype
import dns.zone
import pytest

from appliance import Appliance, CliError, zone_text
from peers import answers, free_port, wait_until

ROOT_ONLY = pytest.mark.skipif(os.getuid() != 0, reason="needs root to make a network of its own")
CLONE_NEWNET = 0x40000000
PARENT, PARENT2, SILENT, CHILD = "198.51.100.1", "198.51.100.2", "198.51.100.9", "192.0.2.1"
RESOLVER = "127.0.0.1@5399"

RR = """$TTL 300
@ IN SOA ns.example. h.example. 1 7200 3600 1209600 300
@ IN NS ns.example.
@ IN NS ns2.example.
ns IN A {parent}
ns2 IN A {parent2}
good IN NS ns1.good
good IN NS ns2.good
ns1.good IN A 192.0.2.1
ns2.good IN A 192.0.2.2
partly IN NS ns1.partly
partly IN NS other.elsewhere.test.
ns1.partly IN A 192.0.2.99
ns1.partly IN AAAA 2001:db8::1
moved IN NS a.elsewhere.test.
moved IN NS b.elsewhere.test.
bogus IN NS ns1.bogus
bogus IN NS ns2.bogus
ns1.bogus IN A 192.0.2.1
ns2.bogus IN A 192.0.2.2
bogus IN DS 12345 13 2 {digest}
signed IN NS ns1.signed
signed IN NS ns2.signed
ns1.signed IN A 192.0.2.1
ns2.signed IN A 192.0.2.2
{ds}
late IN NS ns1.late
late IN NS ns2.late
ns1.late IN A 192.0.2.1
ns2.late IN A 192.0.2.2
scan IN NS ns.scan
ns.scan IN A 127.0.0.1
"""
SCAN = "$TTL 300\n@ IN SOA ns h 1 7200 3600 1209600 300\n@ IN NS ns\nns IN A 127.0.0.1\n"


@pytest.fixture(scope="module")
def network():
    """This process, and all that it starts, in a network of its own, until the module ends."""
    libc = ctypes.CDLL(None, use_errno=True)
    home = os.open("/proc/self/ns/net", os.O_RDONLY)
    if libc.unshare(CLONE_NEWNET) != 0:
        os.close(home)
        pytest.skip("this kernel or container makes no networks")
    try:
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        for address in (PARENT, PARENT2, SILENT, CHILD):
            subprocess.run(["ip", "addr", "add", f"{address}/32", "dev", "lo"], check=True)
        yield
    finally:
        libc.setns(home, CLONE_NEWNET)
        os.close(home)


def signed_zone():
    """A signed zone, and the DS that belongs to it: made by ldns-keygen and ldns-signzone."""
    folder = tempfile.mkdtemp(prefix="ns-signed-", dir="/tmp")
    path = os.path.join(folder, "signed.example")
    with open(path, "w", encoding="ascii") as out:
        out.write(zone_text("signed.example."))
    key = subprocess.run(["ldns-keygen", "-a", "ECDSAP256SHA256", "-k", "signed.example."], cwd=folder,
                         check=True, capture_output=True, text=True).stdout.strip()
    subprocess.run(["ldns-signzone", "-f", "out", path, key], cwd=folder, check=True)
    with open(os.path.join(folder, "out"), encoding="ascii") as f:
        text = f.read()
    zone = dns.zone.from_text(text, "signed.example.", relativize=False, check_origin=False)
    keys = zone.get_rdataset("signed.example.", dns.rdatatype.DNSKEY)
    ds = dns.dnssec.make_ds(dns.name.from_text("signed.example."), list(keys)[0], "SHA256")
    shutil.rmtree(folder)
    return text, str(ds)


def named(folder, address, zones):
    path = os.path.join(folder, f"named-{address}.conf")
    with open(path, "w", encoding="ascii") as out:
        out.write(f'options {{ directory "{folder}"; pid-file none; session-keyfile none; recursion no; '
                  f'listen-on port 53 {{ {address}; }}; listen-on-v6 {{ none; }}; notify no; '
                  f'empty-zones-enable no; check-integrity no; dnssec-validation no; minimal-responses no; }};\n'
                  'controls { };\n')
        for origin, file in zones.items():
            out.write(f'zone "{origin}" {{ type primary; file "{file}"; check-names ignore; }};\n')
    return subprocess.Popen(["named", "-g", "-n", "1", "-c", path], stdout=subprocess.DEVNULL,
                            stderr=subprocess.DEVNULL)


def unbound(folder):
    path = os.path.join(folder, "unbound.conf")
    with open(path, "w", encoding="ascii") as out:
        out.write('server:\n interface: 127.0.0.1\n port: 5399\n do-daemonize: no\n chroot: ""\n username: ""\n'
                  f' directory: "{folder}"\n pidfile: ""\n use-syslog: no\n module-config: "iterator"\n'
                  ' do-not-query-localhost: no\n num-threads: 1\n do-ip6: no\n'
                  f'remote-control:\n control-enable: no\nstub-zone:\n name: "example."\n stub-addr: {PARENT}\n'
                  f'stub-zone:\n name: "scan.example."\n stub-addr: {PARENT}\n')
    return subprocess.Popen(["unbound", "-d", "-c", path], stdout=subprocess.DEVNULL,
                            stderr=subprocess.DEVNULL)


@pytest.fixture(scope="module")
def world(network):
    """An appliance with zones, their parent on two servers, and a resolver."""
    text, ds = signed_zone()
    folder = tempfile.mkdtemp(prefix="ns-parent-", dir="/tmp")
    os.chmod(folder, 0o777)
    zone = RR.format(parent=PARENT, parent2=PARENT2, digest="ab" * 32, ds=f"signed IN DS {ds}")
    for name, content in (("example", zone), ("scan", SCAN)):
        with open(os.path.join(folder, name), "w", encoding="ascii") as out:
            out.write(content)
    servers = [named(folder, PARENT, {"example": "example", "scan.example": "scan"}),
               named(folder, PARENT2, {"example": "example"}), unbound(folder)]
    try:
        with Appliance(config=f"[resolver]\naddress = {RESOLVER}\n") as a:
            for name in ("good", "partly", "moved", "bogus", "late", "absent"):
                path = a.dir / name
                path.write_text(zone_text(f"{name}.example."))
                a.cli("zone", "import", f"{name}.example", path)
            for name in ("signed", "late"):
                path = a.dir / name
                path.write_text(text.replace("signed.example.", f"{name}.example."))
                a.cli("zone", "import", f"{name}.example", path, "--commit")
            path = a.dir / "below"
            path.write_text(zone_text("below.scan.example."))
            a.cli("zone", "import", "below.scan.example", path)
            wait_until(lambda: answers(5399, "example."), "the resolver knows the parent", 10)
            wait_until(lambda: a.processes("probe"), "the probe runs", 10)
            yield a
    finally:
        for server in servers:
            server.terminate()
            server.wait(30)
        shutil.rmtree(folder)


def check(a, name, **kw):
    """What the parent's servers say; again when one of them said nothing in time."""
    for _ in range(5):
        got = a.cli_json("zone", "check", f"{name}.example", **kw)
        if not any(s["text"] for s in got["asked"]):
            break
    return got


@ROOT_ONLY
def test_a_good_delegation_needs_nothing(world):
    got = check(world, "good")
    assert (got["delegated"], got["parent"], got["ds"]) == ("yes", "example.", "none"), got
    assert got["missing"] == got["extra"] == got["glue"] == got["todo"] == [], got
    assert sorted((s["name"], s["address"], s["text"]) for s in got["asked"]) == [
        ("ns.example.", PARENT, ""), ("ns2.example.", PARENT2, "")]
    assert "nothing to do" in world.cli("zone", "check", "good.example")


@ROOT_ONLY
def test_what_differs_is_named_with_what_to_do(world):
    got = check(world, "partly")
    assert got["delegated"] == "partly", got
    assert got["missing"] == ["ns2.partly.example."] and got["extra"] == ["other.elsewhere.test."], got
    assert sorted(got["glue"]) == ["ns1.partly.example. 192.0.2.1 is not at the parent",
                                   "ns1.partly.example. 192.0.2.99 is at the parent and not in the zone",
                                   "ns1.partly.example. 2001:db8::1 is at the parent and not in the zone"], got
    assert "set the addresses of the host ns1.partly.example. at the registrar to 192.0.2.1" in got["todo"], got
    text = world.cli("zone", "check", "partly.example")
    assert "add ns2.partly.example. to the name servers at the registrar" in text
    got = check(world, "moved")
    assert got["delegated"] == "elsewhere" and "a.elsewhere.test." in got["todo"][0], got
    got = check(world, "absent")
    assert got["delegated"] == "no" and "does not delegate" in got["todo"][0], got
    world.fails(3, "zone", "check", "nowhere.example")


@ROOT_ONLY
def test_ds_against_the_keys(world):
    got = check(world, "bogus")
    assert got["ds"] == "broken" and "SERVFAIL" in got["todo"][0] and "12345" in got["todo"][0], got
    got = check(world, "signed")
    assert (got["delegated"], got["ds"], got["todo"]) == ("yes", "ok", []), got
    got = check(world, "late")  # signed here with the keys of another name, no DS yet
    assert got["ds"] == "missing" and "give the registrar the DS" in got["todo"][1], got


@ROOT_ONLY
def test_addresses_of_strangers_do_not_lead_into_our_own_network(world):
    """The parent of below.scan.example is served, says its owner, by 127.0.0.1: it is not asked."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as trap:
        trap.bind(("127.0.0.1", 53))
        trap.settimeout(0.5)
        err = world.fails(7, "zone", "check", "below.scan.example")
        assert "loopback" in err and "[probe] allow" in err, err
        with pytest.raises(TimeoutError):
            print(trap.recv(512))


@ROOT_ONLY
def test_a_dead_probe_is_replaced_and_says_so_meanwhile(world):
    old = world.pid("probe")
    os.kill(old, signal.SIGSTOP)
    with pytest.raises(CliError) as error:
        world.cli("zone", "check", "good.example", "--timeout", "1s")
    assert error.value.code in (7, 8), error.value  # 8: that word came too late
    os.kill(old, signal.SIGKILL)
    world.wait_replaced("probe", old)
    wait_until(lambda: world.cli_run("zone", "check", "good.example").returncode == 0, "it asks again", 10)
    assert world.values("www.good.example") == "NXDOMAIN"


def test_without_a_resolver_it_says_what_to_configure(example):
    probe = example.processes("probe")
    assert len(probe) == 1 and probe[0]["state"] == "ready"
    wait_until(lambda: "resolver" in example.fails(7, "zone", "check", "example.com"), "the probe said hello")
    with open(f"/proc/{probe[0]['pid']}/smaps_rollup", encoding="ascii") as f:
        pss = next(int(line.split()[1]) for line in f if line.startswith("Pss:"))
    assert pss < 8000, pss


class Hostile(threading.Thread):
    """A resolver that answers with what it is told to, UDP and TCP on one port."""

    def __init__(self, answer):
        super().__init__(daemon=True)
        self.answer, self.asked = answer, 0
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.port = free_port()
        self.socket.bind(("127.0.0.1", self.port))
        self.tcp = socket.socket()
        self.tcp.bind(("127.0.0.1", self.port))
        self.tcp.listen(8)
        threading.Thread(target=self.serve_tcp, daemon=True).start()
        self.start()

    def run(self):
        while True:
            query, peer = self.socket.recvfrom(4096)
            self.asked += 1
            for reply in self.answer(query):
                self.socket.sendto(reply, peer)

    def serve_tcp(self):
        while True:
            connection, _ = self.tcp.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(b"\xff\xff" + b"\0" * 100)


def hostile_replies(query):
    """Other ids, other questions, garbage, and at last one that is cut off, whose TCP side is worse."""
    other = bytes([query[0] ^ 1]) + query[1:2] + b"\x80\0" + query[4:]
    name = query[:2] + b"\x84\0" + query[4:12] + b"\3www\4evil\0" + query[-15:]
    yield other
    yield name
    yield b""
    yield query[:11]
    yield query[:2] + b"\x82\x80" + query[4:]


def test_hostile_answers_are_waited_out():
    for answer, words in ((hostile_replies, "TCP"), (lambda q: [q[:2] + b"\x81\x82" + q[4:]], "SERVFAIL"),
                          (lambda q: [q[:2] + b"\x81\x80" + q[4:8] + b"\xff\xff" + q[10:]] * 2, "")):
        resolver = Hostile(answer)
        with Appliance(config=f"[resolver]\naddress = 127.0.0.1@{resolver.port}\n") as a:
            path = a.dir / "example.com"
            path.write_text(zone_text("example.com."))
            a.cli("zone", "import", "example.com", path)
            pid = a.pid("probe")
            err = wait_until(lambda: (e := a.fails(7, "zone", "check", "example.com")) and "not there" not in e and e,
                             "the probe said hello", 10)
            assert words in err, err
            assert resolver.asked >= 2 and a.pid("probe") == pid
