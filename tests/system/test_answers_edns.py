"""EDNS as a resolver and an operator's tools meet it: cookies that NSD, Knot and BIND take for their own, the
secret behind them and its roll, reasons, client subnet, NSID, zone version, keepalive.

What the octets must be stands in tests/unit/edns_test.c; here the real processes are asked, by dig, kdig and
dnspython.
"""

import pathlib
import re
import shutil
import sqlite3
import struct
import subprocess
import time

import dns.edns
import dns.flags
import dns.message
import dns.query
import dns.rcode
import pytest

import certs
from appliance import Appliance, zone_text
from peers import Knot, Named, Nsd, free_port, wait_until

CLIENT = bytes.fromhex("2464c4abcf10c957")
COOKIE, ECS, KEEPALIVE, ZONEVERSION = 10, 8, 11, 19
DAY_MS = 86400000


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    cert, key = certs.make(tmp_path_factory.mktemp("cert"), "one")
    tls = free_port()
    a = Appliance(dns_config=f"tls = 127.0.0.1@{tls}\ncert = {cert}\nkey = {key}")
    a.tls, a.cert = tls, cert
    with a:
        path = a.dir / "example.com"
        path.write_text(zone_text("example.com.", 7, "www IN A 192.0.2.10\n" + "".join(
            f'big IN TXT "{i:060d}"\n' for i in range(60))))
        a.cli("zone", "import", "example.com", path)
        yield a


def query(name="www.example.com.", rdtype="A", options=(), **kw):
    options = [dns.edns.GenericOption(code, data) for code, data in options]
    return dns.message.make_query(name, rdtype, use_edns=0, payload=1232, options=options, **kw)


def ask(port, *args, tcp=False, **kw):
    send = dns.query.tcp if tcp else dns.query.udp
    return send(query(*args, **kw), "127.0.0.1", port=port, timeout=10)


def option(reply, code):
    """The option's octets; None: it is not there."""
    found = [o for o in reply.options if int(o.otype) == code]
    assert len(found) < 2
    return found[0].to_wire() if found else None


def cookie_from(port, sent=CLIENT):
    reply = ask(port, options=[(COOKIE, sent)])
    assert reply.rcode() == 0 and str(reply.answer[0][0]) == "192.0.2.10"
    return option(reply, COOKIE)


def is_good(port, cookie):
    """RFC 7873 5.4: a query without a question, which only a good cookie gets NOERROR for."""
    packet = struct.pack(">6HBHHIHHH", 4711, 0, 0, 0, 0, 1, 0, 41, 1232, 0, 4 + len(cookie), COOKIE, len(cookie)) + cookie
    reply = dns.query.udp(dns.message.from_wire(packet), "127.0.0.1", port=port, timeout=10)
    assert not reply.question and not reply.answer and option(reply, COOKIE)[:8] == CLIENT
    assert reply.rcode() in (dns.rcode.NOERROR, dns.rcode.BADCOOKIE)
    return reply.rcode() == dns.rcode.NOERROR


def dig(port, *args, program="dig"):
    where = [f"@127.0.0.1", "-p", str(port)]
    return subprocess.run([program, *where, *args], capture_output=True, text=True, timeout=60, check=True).stdout


def secret(a):
    """What no command shows: (when it was made, the secrets in hex, the current one first)."""
    with sqlite3.connect(f"file:{a.data}/store.db?mode=ro", uri=True) as db:
        words = db.execute("SELECT value FROM setting WHERE name = 'cookie-secret'").fetchone()[0].split()
    return int(words[0]), words[1:]


def test_a_cookie_is_given_kept_and_judged(server):
    cookie = cookie_from(server.port)
    assert len(cookie) == 24 and cookie[:12] == CLIENT + b"\1\0\0\0"
    assert abs(struct.unpack(">I", cookie[12:16])[0] - time.time()) < 30
    assert cookie_from(server.port, cookie) == cookie and is_good(server.port, cookie)
    forged = cookie[:-1] + bytes([cookie[-1] ^ 1])
    assert cookie_from(server.port, forged)[16:] != forged[16:] and not is_good(server.port, forged)
    assert not is_good(server.port, cookie[:12] + struct.pack(">I", int(time.time()) - 4000) + cookie[16:])
    # Over TCP too, and to a name that is not ours.
    assert option(ask(server.port, options=[(COOKIE, cookie)], tcp=True), COOKIE) == cookie
    assert option(ask(server.port, "x.example.org.", options=[(COOKIE, cookie)]), COOKIE) == cookie
    # Who sends none gets none.
    assert ask(server.port).options == ()


def test_dig_and_kdig_call_it_good(server):
    first = dig(server.port, "+cookie", "www.example.com")
    cookie = re.search(r"; COOKIE: ([0-9a-f]{48}) \(good\)", first)[1]
    again = dig(server.port, f"+cookie={cookie}", "www.example.com")
    assert f"; COOKIE: {cookie} (good)" in again and "NOERROR" in again
    assert re.search(r"COOKIE: [0-9A-F]{16}01000000[0-9A-F]{24}\n", dig(server.port, "+cookie", "www.example.com", program="kdig"))


class CookieNsd(Nsd):
    def config(self):
        return super().config().replace("server:\n", f"server:\n answer-cookie: yes\n cookie-secret: {self.secret}\n", 1)


class CookieKnot(Knot):
    def config(self):
        text = super().config().replace("template:\n", f"mod-cookies:\n  - id: c\n    secret: 0x{self.secret}\n    badcookie-slip: 1\ntemplate:\n", 1)
        return text.replace("  - id: default\n", "  - id: default\n    global-module: mod-cookies/c\n", 1)


class CookieNamed(Named):
    def config(self):
        return super().config().replace(" answer-cookie no;\n", f' cookie-algorithm siphash24; cookie-secret "{self.secret}";\n require-server-cookie yes;\n', 1)


@pytest.mark.parametrize("peer", [CookieNsd, CookieKnot, CookieNamed])
def test_servers_of_one_address_know_each_others_cookies(server, peer, tmp_path_factory):
    """RFC 9018: with the same secret, what one gives the others take."""
    folder = pathlib.Path(f"/tmp/ns-edns-{tmp_path_factory.mktemp('z').name}")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o755)
    (folder / "zone").write_text(zone_text("example.com.", 7, "www IN A 192.0.2.10\n"))
    peer.secret = secret(server)[1][0]
    ours = cookie_from(server.port)
    with peer({"example.com.": folder / "zone"}) as p:
        bad = ask(p.port, options=[(COOKIE, ours[:-1] + bytes([ours[-1] ^ 1]))])
        good = ask(p.port, options=[(COOKIE, ours)])
        assert good.rcode() == 0 and good.answer
        # Knot and BIND refuse a bad one; NSD sends a good one back as it came.
        assert bad.rcode() == dns.rcode.BADCOOKIE if peer is not CookieNsd else option(good, COOKIE) == ours
        theirs = option(good, COOKIE)
        assert is_good(server.port, theirs) and cookie_from(server.port, theirs) == theirs
        for length in (0, 7, 9, 15, 41):
            codes = {ask(port, options=[(COOKIE, bytes(length))]).rcode() for port in (server.port, p.port)}
            assert codes == {dns.rcode.FORMERR}, length
    shutil.rmtree(folder, ignore_errors=True)


def test_the_secret_is_a_change_that_nobody_sees(server):
    changes = server.cli_json("history", "list", "--limit", 100)["changes"]
    first = changes[-1]
    assert (first["revision"], first["kind"], first["author"], first["zone_count"]) == (1, "secret", "nameserve", 0)
    assert [c["kind"] for c in changes].count("secret") == 1
    made, values = secret(server)
    assert len(values) == 1 and len(values[0]) == 32 and abs(made / 1000 - time.time()) < 600
    shown = "".join(server.cli(*how, *what) for how in ([], ["--json"]) for what in (
        ["history", "show", 1], ["history", "list"], ["settings", "show"], ["zone", "export", "example.com"], ["status"]))
    for text in (shown, server.log()):
        assert values[0] not in text.lower() and "cookie-secret" not in text
    assert server.cli_run("settings", "set", "cookie-secret", "00" * 16).returncode != 0


def test_it_outlives_the_processes_and_rolls_after_a_day():
    with Appliance() as a:
        path = a.dir / "example.com"
        path.write_text(zone_text("example.com.", 7, "www IN A 192.0.2.10\n"))
        a.cli("zone", "import", "example.com", path)
        cookie = cookie_from(a.port)
        for role in ("sync", "signer", "worker"):
            a.wait_replaced(role, a.kill_role(role))
            assert cookie_from(a.port, cookie) == cookie, role
        a.stop()
        a.start()
        assert cookie_from(a.port, cookie) == cookie
        # A day goes by while it is off.
        a.stop()
        made, (old,) = secret(a)
        with sqlite3.connect(a.data / "store.db") as db:
            db.execute("UPDATE setting SET value = ? WHERE name = 'cookie-secret'", (f"{made - DAY_MS} {old}",))
        db.close()
        a.start()
        rolled, values = wait_until(lambda: (s := secret(a))[0] > made - DAY_MS and s, "a new secret")
        assert rolled >= made and values[1] == old and values[0] != old
        assert a.cli_json("history", "list")["changes"][0]["kind"] == "secret"
        # What the old one made is good for an hour more, and is exchanged for one of the new.
        assert is_good(a.port, cookie)
        new = wait_until(lambda: (c := cookie_from(a.port, cookie)) != cookie and c, "a cookie of the new secret")
        assert is_good(a.port, new) and cookie_from(a.port, new) == new
        assert a.cli_json("verify")["ok"] is True


def test_it_says_why(server):
    def why(reply):
        found = [o for o in reply.options if o.otype == dns.edns.OptionType.EDE]
        assert len(found) == 1
        return int(found[0].code), found[0].text

    assert why(ask(server.port, "www.example.org.")) == (20, "no zone here holds this name")
    assert why(ask(server.port, "example.com.", "IXFR", tcp=True)) == (18, "zone transfers are not open to you")
    notify = query("example.com.", "SOA")
    notify.set_opcode(dns.opcode.NOTIFY)
    reply = dns.query.udp(notify, "127.0.0.1", port=server.port, timeout=10)
    assert reply.rcode() == dns.rcode.NOTIMP and why(reply) == (21, "only opcode QUERY is served")
    assert why(ask(server.port, options=[(COOKIE, b"short")])) == (0, "COOKIE: not 8 or 16 to 40 octets")
    assert "EDE: 20 (Not Authoritative): (no zone here holds this name)" in dig(server.port, "www.example.org")
    plain = dns.query.udp(dns.message.make_query("www.example.org.", "A"), "127.0.0.1", port=server.port, timeout=10)
    assert plain.edns == -1 and plain.rcode() == dns.rcode.REFUSED


def test_client_subnet_is_echoed_for_everybody(server):
    for net in ("192.0.2.0/24", "2001:db8::/48", "0.0.0.0/0"):
        assert re.search(rf"CLIENT-SUBNET: {re.escape(net)}/0", dig(server.port, f"+subnet={net}", "www.example.com")), net
    assert "CLIENT-SUBNET" in dig(server.port, "+subnet=0", "www.example.com")
    assert re.search(r"192\.0\.2\.0/24/0", dig(server.port, "+subnet=192.0.2.77/24", "www.example.com", program="kdig"))
    for broken in ("000118", "00011800c0000201", "00011818c00002", "00031800c00002", "00012100c000020100"):
        assert ask(server.port, options=[(ECS, bytes.fromhex(broken))]).rcode() == dns.rcode.FORMERR, broken


def test_nsid_zone_version_and_keepalive(server):
    for program in ("dig", "kdig"):
        assert '"test-a"' in dig(server.port, "+nsid", "www.example.com", program=program).replace('("test-a")', '"test-a"')

    def version(*args, **kw):
        data = option(ask(server.port, *args, options=[(ZONEVERSION, b"")], **kw), ZONEVERSION)
        return data and (data[0], data[1], struct.unpack(">I", data[2:])[0])

    assert "Option (19): 020000000007" in dig(server.port, "+ednsopt=19:", "www.example.com", program="kdig")
    assert version() == version("nx.example.com.") == version(tcp=True) == (2, 0, 7)
    assert version("www.example.org.") is None
    serial = server.cli_json("record", "set", "example.com", "new", "60", "A", "192.0.2.11", "--commit")["serial"]
    assert version() == (2, 0, serial)
    assert "TCP KEEPALIVE: 10.0 secs" in dig(server.port, "+tcp", "+keepalive", "www.example.com").replace("-", " ")
    assert option(ask(server.port, options=[(KEEPALIVE, b"")]), KEEPALIVE) is None
    assert ask(server.port, options=[(KEEPALIVE, b"\0\1")], tcp=True).rcode() == dns.rcode.FORMERR


def test_everything_at_once_is_cut_right(server):
    """No half RRset, OPT whole, TC where something is missing, and all of it over TCP."""
    options = [(3, b""), (COOKIE, CLIENT), (ECS, bytes.fromhex("00012000c0000201")), (ZONEVERSION, b""), (64999, b"what?")]
    reply = ask(server.port, "big.example.com.", "TXT", options=options)
    assert reply.flags & dns.flags.TC and not reply.answer and len(reply.options) == 4
    assert reply.payload == 1232 and len(reply.to_wire()) <= 1232
    whole = ask(server.port, "big.example.com.", "TXT", options=options, tcp=True)
    assert not whole.flags & dns.flags.TC and len(whole.answer[0]) == 60 and len(whole.options) == 4


def test_replies_over_tls_are_padded_when_asked(server):
    """RFC 8467 4.1: to 468 octets; kdig pads its own query whenever it speaks TLS."""
    for name, rdtype in (("www.example.com.", "A"), ("nx.example.com.", "A"), ("example.org.", "A"), ("big.example.com.", "TXT")):
        q = query(name, rdtype, [(12, bytes(8))])
        with certs.connect(server.tls, certs.context()) as s:
            s.sendall(certs.frame(q.to_wire()))
            reply = certs.read_message(s)
        assert len(reply) % 468 == 0 and option(dns.message.from_wire(reply), 12) is not None, name
    shown = dig(server.tls, "+tls", "+padding", "+noall", "+stats", "+header", "www.example.com", program="kdig")
    assert "Received 468 B" in shown
    assert option(ask(server.port, options=[(12, bytes(8))], tcp=True), 12) is None
