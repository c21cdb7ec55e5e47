"""DNS over TLS and TCP: what clients of others get, sessions, renewed certificates, streams cut anywhere, thousands of them."""

import itertools
import os
import pathlib
import resource
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import tempfile
import time

import dns.message
import dns.query
import pytest

import certs
from appliance import Appliance, CliError, zone_text
from peers import free_port, wait_until

BUSY = 5  # budgets hold on a quiet machine; this one may be busy
RECORDS = "www IN A 192.0.2.10\n" + "".join(f"h{i} IN A 10.0.0.{i}\n" for i in range(100)) + "".join(
    f"big IN TXT \"{i:03} {'x' * 240}\"\n" for i in range(240))


@pytest.fixture(scope="module")
def pairs():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="ns-cert-", dir="/tmp"))
    yield {"one": certs.make(folder, "one"), "two": certs.make(folder, "two", "rsa:2048"),
           "old": certs.make(folder, "old", end="20210101000000Z"),
           "locked": certs.make(folder, "locked", passphrase="secret"), "folder": folder}
    shutil.rmtree(folder)


def make_served(pairs, workers):
    port = free_port()
    cert, key = pairs["folder"] / f"cert{port}", pairs["folder"] / f"key{port}"
    a = Appliance(workers=workers, dns_config=f"tls = 127.0.0.1@{port}\ncert = {cert}\nkey = {key}")
    a.tls, a.cert, a.key = port, cert, key
    put_pair(a, pairs["one"])
    return a


def put_pair(a, pair):
    shutil.copy(pair[0], a.cert)
    shutil.copy(pair[1], a.key)


def load(a):
    path = a.dir / "example.com"
    path.write_text(zone_text("example.com.", records=RECORDS))
    a.cli("zone", "import", "example.com", path)
    return a


@pytest.fixture(scope="module")
def served(pairs):
    with make_served(pairs, 2) as a:
        yield load(a)


def query(name="www.example.com", rdtype="A", ident=None):
    q = dns.message.make_query(name, rdtype, payload=4096)
    if ident is not None:
        q.id = ident
    return q.to_wire()


def ask(s, name="www.example.com", rdtype="A"):
    s.sendall(certs.frame(query(name, rdtype)))
    return dns.message.from_wire(certs.read_message(s))


def ask_tls(a, **kw):
    """The reply over a connection of its own, which has ended, and its session."""
    with certs.connect(a.tls, kw.pop("ctx", None) or certs.context(), **kw) as s:
        reply = ask(s)
        return reply, s.session, s.session_reused


def tls_counters(a):
    stats = a.cli_json("stats")
    return {k: stats[k] for k in ("tls_accepted", "tls_handshake_failed", "tls_resumed")}


# ---- clients ----
def test_clients_of_others_are_served(served, pairs):
    ca = pairs["one"][0]
    kdig = subprocess.run(["kdig", "@127.0.0.1", "-p", str(served.tls), "+tls", f"+tls-ca={ca}", f"+tls-hostname={certs.NAME}",
                           "+short", "www.example.com", "A"], capture_output=True, text=True, timeout=60)
    assert kdig.stdout.strip() == "192.0.2.10", kdig
    reply = dns.query.tls(dns.message.make_query("www.example.com", "A"), "127.0.0.1", port=served.tls, timeout=10,
                          ssl_context=certs.context(ca), server_hostname=certs.NAME)
    assert str(reply.answer[0][0]) == "192.0.2.10"
    s_client = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{served.tls}", "-alpn", "h2,dot", "-CAfile", ca,
                               "-verify_return_error"], capture_output=True, text=True, timeout=60, input="")
    again = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{served.tls}", "-tls1_2", "-reconnect"],
                           capture_output=True, text=True, timeout=60, input="")
    assert again.stdout.count("Reused, TLSv1.2") == 5, again.stdout
    for words in ("ALPN protocol: dot", "TLSv1.3", "Verification: OK"):
        assert words in s_client.stdout, s_client.stdout


def test_unbound_forwards_over_tls(served, pairs):
    port = free_port()
    conf = pairs["folder"] / "unbound.conf"
    conf.write_text(
        f"server:\n  interface: 127.0.0.1@{port}\n  do-daemonize: no\n  username: \"\"\n  chroot: \"\"\n  directory: \"\"\n"
        f"  pidfile: \"\"\n  use-syslog: no\n  logfile: \"\"\n  do-not-query-localhost: no\n  module-config: iterator\n"
        f"  tls-cert-bundle: {pairs['one'][0]}\n"
        f"forward-zone:\n  name: \".\"\n  forward-tls-upstream: yes\n  forward-addr: 127.0.0.1@{served.tls}#{certs.NAME}\n"
        "remote-control:\n  control-enable: no\n")
    before = served.cli_json("stats")["tls_accepted"]
    unbound = subprocess.Popen(["unbound", "-c", conf], stderr=subprocess.PIPE)
    try:
        def resolved():
            try:
                return dns.query.udp(dns.message.make_query("h7.example.com", "A"), "127.0.0.1", port=port, timeout=2).answer
            except (dns.exception.Timeout, OSError):
                return None
        assert str(wait_until(resolved, "unbound resolves", 15)[0][0]) == "10.0.0.7"
    finally:
        unbound.kill()
        unbound.wait(5)
    wait_until(lambda: served.cli_json("stats")["tls_accepted"] > before, "it was over TLS", 5)


def test_versions_and_protocols(served):
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        for alpn in ("dot", None):
            with certs.connect(served.tls, certs.context(version=version, alpn=alpn)) as s:
                assert ask(s).answer and s.version() == version.name.replace("_", ".") and s.selected_alpn_protocol() == alpn
                cipher = s.cipher()[0]
                assert "GCM" in cipher or "CHACHA20" in cipher
    with pytest.raises(ssl.SSLError):
        certs.connect(served.tls, certs.context(alpn="h2"))
    weak = certs.context()
    weak.set_ciphers("ALL:@SECLEVEL=0")
    weak.minimum_version, weak.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    with pytest.raises(ssl.SSLError):
        certs.connect(served.tls, weak)


# ---- sessions and certificates ----
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_session_resumes_with_every_worker_and_after_its_death(served, version):
    """16 connections meet both of two workers but once in 32,768 runs."""
    ctx = certs.context(version=version)
    before = tls_counters(served)
    _, session, reused = ask_tls(served, ctx=ctx)
    assert session.has_ticket and not reused
    assert all(ask_tls(served, ctx=ctx, session=session)[2] for _ in range(16))
    for index in (0, 1):
        old = served.kill_role("worker", index)
        served.wait_replaced("worker", old)
    assert all(ask_tls(served, ctx=ctx, session=session)[2] for _ in range(8))
    wait_until(lambda: (now := tls_counters(served))["tls_resumed"] >= before["tls_resumed"] + 24 and
               now["tls_accepted"] >= before["tls_accepted"] + 25, "they are counted")


def problems(a):
    try:
        return " ".join(p["text"] for p in a.cli_json("status")["problems"])
    except CliError:
        return ""


def certificate(a):
    with certs.connect(a.tls, certs.context()) as s:
        return s.getpeercert(binary_form=True)


def der(pair):
    return ssl.PEM_cert_to_DER_cert(pair[0].read_text())


def test_a_renewed_certificate_costs_no_connection(pairs):
    with make_served(pairs, 2) as a:
        load(a)
        pids = [p["pid"] for p in a.processes("worker")]
        ctx = certs.context()
        _, session, _ = ask_tls(a, ctx=ctx)
        with certs.connect(a.tls, ctx) as living:
            assert ask(living).answer
            put_pair(a, pairs["two"])
            a.process.send_signal(signal.SIGHUP)
            want = der(pairs["two"])
            wait_until(lambda: [certificate(a) for _ in range(12)] == [want] * 12, "both workers have the new one", 10)
            assert ask(living).answer, "a connection of before goes on"
        assert not ask_tls(a, ctx=ctx, session=session)[2], "a session of the old certificate ended with it"
        assert [p["pid"] for p in a.processes("worker")] == pids

        # A pair that does not fit changes nothing, not even for a worker that is born now.
        shutil.copy(pairs["one"][1], a.key)
        a.process.send_signal(signal.SIGHUP)
        wait_until(lambda: "the former certificate stays in use" in problems(a) and "is not the key of" in problems(a), "said", 10)
        old = a.kill_role("worker", 0)
        a.wait_replaced("worker", old)
        assert [certificate(a) for _ in range(8)] == [want] * 8
        os.unlink(a.cert)
        a.process.send_signal(signal.SIGHUP)
        wait_until(lambda: "No such file" in problems(a), "said", 10)
        put_pair(a, pairs["one"])
        a.process.send_signal(signal.SIGHUP)
        wait_until(lambda: [certificate(a) for _ in range(8)] == [der(pairs["one"])] * 8, "the next one is used", 10)
        wait_until(lambda: problems(a) == "", "and nothing is wrong", 5)


def test_pairs_that_cannot_work_are_refused_at_the_start(pairs):
    """Exit 2 with file, line, key and reason, and nothing touched; --check-config says the same."""
    good = pairs["one"]
    text = pairs["folder"] / "text"
    text.write_text("no PEM\n")
    half = pairs["folder"] / "half"
    half.write_text(good[0].read_text() + good[0].read_text()[:200])
    huge = pairs["folder"] / "huge"
    huge.write_text("x" * 40000)
    weak = certs.make(pairs["folder"], "weak", "rsa:1024")
    for cert, key, words in (
            ("/nonexistent/c", good[1], ":11: [dns] cert: /nonexistent/c: No such file"),
            (good[0], "/nonexistent/k", ":12: [dns] key: /nonexistent/k: No such file"),
            (good[0], "/etc", ":12: [dns] key: /etc: is not a file"),
            (text, good[1], f":11: [dns] cert: {text}: holds no PEM certificate"),
            (half, good[1], f":11: [dns] cert: {half}: is broken behind the first"),
            (huge, good[1], f":11: [dns] cert: {huge}: is too long"),
            (weak[0], weak[1], "key too small"),
            (good[0], text, f":12: [dns] key: {text}: holds no PEM private key"),
            (good[0], good[0], ":12: [dns] key: "),
            (good[0], pairs["two"][1], "is not the key of the certificate"),
            (good[0], pairs["locked"][1], "is protected by a passphrase")):
        a = Appliance(dns_config=f"tls = 127.0.0.1@{free_port()}\ncert = {cert}\nkey = {key}")
        for more in ([], ["--check-config"]):
            done = subprocess.run([a.build / "bin" / "nameserved", "--config", a.write_config(), *more],
                                  capture_output=True, text=True, timeout=60)
            assert done.returncode == 2 and "nameserved.conf:" in done.stderr and words in done.stderr, (words, done)
            assert not a.data.exists()
        shutil.rmtree(a.dir)


def test_what_is_odd_about_a_pair_is_in_status(pairs):
    a = make_served(pairs, 1)
    put_pair(a, pairs["old"])
    a.key.chmod(0o644)
    with a:
        assert ask_tls(load(a))[0].answer
        text = problems(a)
        assert f"[dns] cert: {a.cert} expired on 2021-01-01 00:00 UTC" in text and f"{a.key} is open to every user" in text
        a.key.chmod(0o600)
        put_pair(a, pairs["one"])
        a.key.chmod(0o600)
        a.process.send_signal(signal.SIGHUP)
        wait_until(lambda: problems(a) == "", "nothing is wrong any more", 5)


# ---- streams ----
def test_garbage_and_half_handshakes_harm_nobody(served):
    before = tls_counters(served)
    hello = client_hello()
    sent = [b"GET / HTTP/1.0\r\n\r\n", certs.frame(query()), b"\x16\x03\x01\xff\xff" + b"\0" * 100, b"\x16\x03\x01\x00\x00" * 50,
            b"\x80\x2e\x01\x00\x02", hello[:-1] + b"\0" + hello, bytes(300), b"\x15\x03\x03\x00\x02\x02\x28", b"\x16"]
    for data in sent:
        with socket.create_connection(("127.0.0.1", served.tls), 30) as s:
            try:
                s.sendall(data)
                s.shutdown(socket.SHUT_WR)
                while s.recv(4096):  # an alert perhaps, and the end
                    pass
            except OSError:
                pass
    with socket.create_connection(("127.0.0.1", served.tls), 30) as s:
        s.sendall(hello)  # it goes away with our half of the handshake on its way
    wait_until(lambda: tls_counters(served)["tls_handshake_failed"] >= before["tls_handshake_failed"] + len(sent) + 1, "counted", 10)
    assert tls_counters(served)["tls_accepted"] == before["tls_accepted"]
    assert ask_tls(served)[0].answer
    assert all(p["restarts"] == 0 or p["role"] == "worker" for p in served.processes())


def client_hello():
    out = ssl.MemoryBIO()
    s = certs.context().wrap_bio(ssl.MemoryBIO(), out, server_hostname=certs.NAME)
    with pytest.raises(ssl.SSLWantReadError):
        s.do_handshake()
    return out.read()


def test_a_handshake_and_a_query_octet_by_octet(served):
    """Every record of the client in segments of one octet."""
    incoming, out = ssl.MemoryBIO(), ssl.MemoryBIO()
    with socket.create_connection(("127.0.0.1", served.tls), 30) as s:
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        tls = certs.context().wrap_bio(incoming, out, server_hostname=certs.NAME)

        def step(what, *args):
            while True:
                try:
                    result = what(*args)
                    wait = False
                except ssl.SSLWantReadError:
                    wait = True
                for octet in out.read():
                    s.sendall(bytes([octet]))
                if not wait:
                    return result
                incoming.write(s.recv(65536))
        step(tls.do_handshake)
        step(tls.write, certs.frame(query()))
        data = b""
        while len(data) < 2 or len(data) < 2 + struct.unpack(">H", data[:2])[0]:
            data += step(tls.read, 65536)
        assert dns.message.from_wire(data[2:]).answer


def streams(a):
    yield socket.create_connection(("127.0.0.1", a.port), 30)
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        yield certs.connect(a.tls, certs.context(version=version))


def test_framing(served):
    """Octet by octet; a length in two segments; many queries in one write; answers in the order of the queries."""
    for s in streams(served):
        with s:
            wire = certs.frame(query("h1.example.com", ident=1)) + certs.frame(query("h2.example.com", ident=2))
            for i in range(len(wire)):
                s.sendall(wire[i:i + 1])
            assert [struct.unpack(">H", certs.read_message(s)[:2])[0] for _ in range(2)] == [1, 2]
            s.sendall(wire[:1])
            time.sleep(0.01)
            s.sendall(wire[1:])
            assert [certs.read_message(s)[1] for _ in range(2)] == [1, 2]
            s.sendall(b"".join(certs.frame(query(f"h{i % 100}.example.com", ident=i)) for i in range(3000)))
            for i in range(3000):
                reply = certs.read_message(s)
                assert struct.unpack(">H", reply[:2])[0] == i
            assert str(dns.message.from_wire(reply).answer[0][0]) == "10.0.0.99"


def test_lengths_that_are_odd(served):
    for s in streams(served):
        with s:  # queries of any size are read; what is in one decides
            for size in (12, 4097, 65535):
                wire = query(ident=size) + bytes(65535)
                s.sendall(certs.frame(query(ident=7)) + certs.frame(wire[:size]) + certs.frame(query(ident=9)))
                ids = [struct.unpack(">H", certs.read_message(s)[:2])[0] for _ in range(3)]
                assert ids == [7, size, 9]
    for bad in (b"\0\0", b"\0\1x", b"\0\x0b" + bytes(11)):
        for s in streams(served):
            with s:  # what came before is answered, then it ends, and the end is told
                s.sendall(certs.frame(query(ident=7)) + bad)
                assert certs.read_message(s)[:2] == b"\0\7"
                assert certs.ended(s)


def test_a_large_answer_and_a_half_closed_stream(served):
    for s in streams(served):
        with s:
            for _ in range(5):
                s.sendall(certs.frame(query("big.example.com", "TXT")))
            socket.socket.shutdown(s, socket.SHUT_WR)  # of TLS, too: what is under it ends without close_notify
            for _ in range(5):
                reply = certs.read_message(s)
                assert len(reply) > 55000 and len(dns.message.from_wire(reply).answer[0]) == 240
            assert certs.ended(s)


def test_a_stop_answers_what_has_arrived(pairs):
    """The worker finds more queries than a turn takes, and SIGTERM at the same moment: answers first, then the end."""
    with make_served(pairs, 1) as a:
        load(a)
        pid = a.pid("worker")
        open_ones = [s for _ in range(20) for s in streams(a)]
        for s in open_ones:
            s.sendall(certs.frame(query(ident=1)))
            assert certs.read_message(s)[:2] == b"\0\1"
        os.kill(pid, signal.SIGSTOP)
        for s in open_ones:
            s.sendall(b"".join(certs.frame(query(ident=i)) for i in range(2, 40)))
        os.kill(pid, signal.SIGTERM)
        os.kill(pid, signal.SIGCONT)
        for s in open_ones:
            with s:
                assert [certs.read_message(s)[1] for _ in range(2, 40)] == list(range(2, 40))
                assert certs.ended(s)
        a.wait_replaced("worker", pid)
        assert ask_tls(a)[0].answer


def test_slow_readers_stop_nobody(served):
    """Eighty clients of both kinds ask for megabytes and read nothing; a hundred others are answered at once."""
    slow = [next(itertools.islice(streams(served), i % 3, None)) for i in range(81)]
    many = certs.frame(query("big.example.com", "TXT", ident=1)) * 200
    try:
        for s in slow:
            s.settimeout(0.05)
            try:
                s.sendall(many)
            except (TimeoutError, ssl.SSLWantWriteError):
                pass
        worst = 0
        for i in range(100):
            start = time.monotonic()
            assert (ask_tls(served)[0] if i % 4 == 0 else served.ask("www.example.com", tcp=i % 2 == 0)).answer
            worst = max(worst, time.monotonic() - start)
        assert worst < 1 * BUSY, worst
        read = 0
        for s in reversed(slow):  # who begins to read again gets whole messages
            s.settimeout(10)
            try:
                for _ in range(10):
                    assert len(dns.message.from_wire(certs.read_message(s)).answer[0]) == 240
                    read += 1
            except (EOFError, OSError):
                pass  # one of those that made room
            if read >= 100:
                break
        assert read >= 100, "many of them are still served"
    finally:
        for s in slow:
            s.close()


# ---- thousands ----
def memory_kb(pid):
    rollup = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(rollup.split("Private_Dirty:")[1].split()[0])


def network(i):
    return f"127.{1 + i // 250}.{i % 250}.1"


def test_one_network_cannot_push_out_the_others(pairs):
    """A table of 444: forty connections of forty networks, then a thousand from one; the forty are the longest idle."""
    with make_served(pairs, 1) as a:
        load(a)
        resource.prlimit(a.process.pid, resource.RLIMIT_NOFILE, (700, 700))
        old = a.kill_role("worker")
        a.wait_replaced("worker", old)
        for _ in range(3):  # on a machine that needs more than the 2 s of an idle connection for it: again
            start = time.monotonic()
            others = [connect_from(a, network(i), secure=i % 2 == 0) for i in range(40)]
            crowd = [connect_from(a, "127.200.0.1") for _ in range(1000)]
            opened = time.monotonic() - start
            try:
                alive = sum(is_answered(s) for s in others)
            finally:
                for s in others + crowd:
                    s.close()
            if opened < 1.5:
                break
        assert alive >= 37, "one in 1,024 shares its list with the crowd"
        wait_until(lambda: a.cli_json("stats")["tcp_evicted"] > 500, "the crowd made room")
        assert ask_tls(a)[0].answer


def connect_from(a, source, secure=False):
    if secure:
        return certs.connect(a.tls, certs.context(), source=source)
    return socket.create_connection(("127.0.0.1", a.port), 10, source_address=(source, 0))


def is_answered(s):
    try:
        return bool(ask(s).answer)
    except (EOFError, OSError):
        return False


def test_thousands_of_idle_connections(pairs):
    """3,300 idle ones of many networks, a third of them TLS; then a crowd from a single one. Who asks is answered all the time."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 20000), hard))
    idle, crowd = [], []
    try:
        with make_served(pairs, 1) as a:
            load(a)
            ctx = certs.context()
            _, session, _ = ask_tls(a, ctx=ctx)
            pid = a.pid("worker")
            empty, start = memory_kb(pid), time.monotonic()
            for i in range(1000):
                idle.append(certs.connect(a.tls, ctx, session=session, source=network(i)))
                if i % 100 == 0:
                    assert a.ask("www.example.com").answer
            per_tls = (memory_kb(pid) - empty) / 1000
            for i in range(2000):
                idle.append(socket.create_connection(("127.0.0.1", a.port), 30, source_address=(network(i), 0)))
                if i % 100 == 0:
                    assert a.ask("www.example.com", tcp=True).answer
            per_tcp = (memory_kb(pid) - empty) / 2000 - per_tls / 2
            stats, opened = a.cli_json("stats"), time.monotonic() - start
            print(f"{per_tls:.1f} KiB for each idle TLS connection, {per_tcp:.1f} for TCP; {stats['tcp_open']} open")
            assert stats["tcp_evicted"] == 0 and (stats["tcp_open"] >= 3000 or opened > 9), "idle ones end after 10 s"
            assert per_tls < 40
            # One address takes what is left and more: beyond three quarters it makes room itself.
            for i in range(1800):
                crowd.append(socket.create_connection(("127.0.0.1", a.port), 10, source_address=("127.200.0.1", 0)))
            assert ask(socket.create_connection(("127.0.0.1", a.port), 30)).answer
            assert ask_tls(a)[0].answer
            assert a.cli_json("stats")["tcp_open"] < 4096
            # All of them are idle in a table under pressure: the end is told to every one of them.
            wait_until(lambda: a.cli_json("stats")["tcp_open"] < 100, "idle ones are ended", 20)
            idle[0].settimeout(5)
            assert certs.ended(idle[0]) and certs.ended(idle[-1])
            assert ask_tls(a)[0].answer
    finally:
        for s in idle + crowd:
            s.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
