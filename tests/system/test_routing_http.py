"""Checks of type http and https, option by option: what is asked, as the endpoint sees it; what counts as an answer;
HTTP/2; how many days a certificate is good for; and when a verdict changes."""

import contextlib
import datetime
import ssl
import time

import h2.config
import h2.connection
import h2.events
import h2.exceptions
import pytest

from appliance import Appliance
from certs import NAME, make
from endpoints import Server, becomes, http, put, server_tls, show
from peers import wait_until

BODY = 8192  # octets of a body that are looked at


@pytest.fixture(scope="module")
def certs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("certs")
    soon = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=10, hours=12)
    return {"good": make(folder, "good"), "soon": make(folder, "soon", end=soon.strftime("%Y%m%d%H%M%SZ"))}


@pytest.fixture(scope="module")
def lab(certs):
    a = Appliance()
    ca = a.dir / "ca.pem"  # where the probe's user can read it
    ca.write_text("".join(cert.read_text() for cert, _ in certs.values()))
    ca.chmod(0o644)
    a.extra = f"[probe]\nallow = 127.0.0.1/32\nca = {ca}\n"
    with a:
        yield a


def remove(a, *servers):
    """A test leaves no check behind that goes on asking."""
    for c in a.cli_json("check", "list", "--limit", 1000)["checks"]:
        a.cli("check", "del", c["name"])
    for s in servers:
        s.close()


# ---- what is asked ----
class Asked:
    """Keeps each request's first line and header lines, and answers well."""

    def __init__(self, body="all is ok"):
        self.requests, self.body = [], body

    def __call__(self, conn):
        head = b""
        while b"\r\n\r\n" not in head:
            more = conn.recv(4096)
            if not more:
                return
            head += more
        self.requests.append(head.decode().split("\r\n\r\n")[0].split("\r\n"))
        conn.sendall(f"HTTP/1.1 200 OK\r\nContent-Length: {len(self.body)}\r\n\r\n{self.body}".encode())


def test_the_request_is_what_the_check_says(lab, certs):
    plain, bare, secure = (Server(Asked()) for _ in range(3))
    secure.tls = server_tls(certs["good"])
    named = []
    secure.tls.sni_callback = lambda _sock, name, _context: named.append(name)
    put(lab, "plain", type="http", port=plain.port, host="www.example.com", path="/hz?full=1",
        headers=["X-Token: seven", "Accept: text/plain"])
    put(lab, "bare", type="http", port=bare.port)
    put(lab, "secure", type="https", port=secure.port, host=NAME, path="/tls")
    for name in ("plain", "bare", "secure"):
        becomes(lab, name, "up", "status 200")
    line, *headers = plain.say.requests[0]
    assert line == "GET /hz?full=1 HTTP/1.1"
    # Host names the port where it is not the scheme's own.
    assert f"Host: www.example.com:{plain.port}" in headers
    assert {"X-Token: seven", "Accept: text/plain"} <= set(headers)
    assert sum(h.startswith("User-Agent: NameServe-check/") for h in headers) == 1
    line, *headers = bare.say.requests[0]
    assert line == "GET / HTTP/1.1" and f"Host: 127.0.0.1:{bare.port}" in headers
    line, *headers = secure.say.requests[0]
    assert line == "GET /tls HTTP/1.1" and f"Host: {NAME}:{secure.port}" in headers and set(named) == {NAME}
    remove(lab, plain, bare, secure)


# ---- what counts as an answer ----
def test_what_counts_as_an_answer(lab):
    def length(n):  # the word that is looked for ends at octet n
        return http(body="x" * (n - 5) + "ready" + "y" * 20000)
    cases = {
        "default-204": (http(204, ""), {}, "up", "status 204"),
        "default-304": (http(304, ""), {}, "down", "status 304"),
        "set-301": (http(301, "", "Location: /elsewhere\r\n"), {"expect": "200-299,301"}, "up", "status 301"),
        "set-302": (http(302, "", "Location: /elsewhere\r\n"), {"expect": "200-299,301"}, "down", "status 302"),
        "one-200": (http(201), {"expect": "200"}, "down", "status 201"),
        "teapot": (http(418), {"expect": "418"}, "up", "status 418"),
        "body-first": (length(5), {"body": "ready"}, "up", "status 200"),
        "body-last": (length(BODY), {"body": "ready"}, "up", "status 200"),
        "body-behind": (length(BODY + 1), {"body": "ready"}, "down", "the body is another one"),
        "body-octets": (http(body="a\x01b\nc"), {"body": "a\\x01b\\nc"}, "up", "status 200"),
        "body-none": (http(body=""), {"body": "ready"}, "down", "the body is another one"),
        "body-and-status": (http(500, "ready"), {"body": "ready"}, "down", "status 500"),
    }
    servers = {name: Server(say) for name, (say, *_) in cases.items()}
    for name, (_, fields, _, _) in cases.items():
        put(lab, name, type="http", port=servers[name].port, **fields)
    for name, (_, _, state, reason) in cases.items():
        becomes(lab, name, state, reason)
    remove(lab, *servers.values())


# ---- HTTP/2 ----
class Http2:
    """Speaks nothing else. `act` answers a stream; what was asked is kept."""

    def __init__(self, act):
        self.act, self.asked, self.refused = act, [], 0

    def __call__(self, conn):
        if conn.selected_alpn_protocol() != "h2":
            self.refused += 1
            return
        c = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
        c.initiate_connection()
        conn.sendall(c.data_to_send())
        with contextlib.suppress(ssl.SSLError, h2.exceptions.ProtocolError):  # it has gone away
            while data := conn.recv(65536):
                for event in c.receive_data(data):
                    if isinstance(event, h2.events.RequestReceived):
                        self.asked.append({k.decode(): v.decode() for k, v in event.headers})
                        self.act(c, event.stream_id)
                conn.sendall(c.data_to_send())


def says(status, body=b"all is ok"):
    def act(c, stream):
        c.send_headers(stream, [(":status", str(status)), ("content-length", str(len(body)))])
        for at in range(0, len(body), 4000):
            c.send_data(stream, body[at:at + 4000])
        c.end_stream(stream)
    return act


def resets(c, stream):
    c.reset_stream(stream, 2)


def goes_away(c, stream):
    c.close_connection(2)


def says_nothing(c, stream):
    pass


def test_http2(lab, certs):
    cases = {
        "good": (says(200), "up", "status 200 (HTTP/2)"),
        "late-body": (says(200, b"x" * (BODY - 2) + b"ok"), "up", "status 200 (HTTP/2)"),
        "status": (says(503), "down", "status 503 (HTTP/2)"),
        "body": (says(200, b"nothing here"), "down", "the body is another one"),
        "behind": (says(200, b"x" * BODY + b"ok"), "down", "the body is another one"),
        "reset": (resets, "down", ""),
        "goaway": (goes_away, "down", ""),
        "silent": (says_nothing, "down", "no answer in time"),
    }
    context = server_tls(certs["good"])
    context.set_alpn_protocols(["h2"])
    servers = {name: Server(Http2(act), context) for name, (act, _, _) in cases.items()}
    for name, s in servers.items():
        put(lab, f"h2-{name}", type="https", port=s.port, host=NAME, path="/hz", body="ok", headers=["X-Token: seven"])
    # Who offers both gets HTTP/2, who offers HTTP/1.1 alone gets that.
    both, old = server_tls(certs["good"]), server_tls(certs["good"])
    both.set_alpn_protocols(["h2", "http/1.1"])
    old.set_alpn_protocols(["http/1.1"])
    servers["both"], servers["old"] = Server(Http2(says(200)), both), Server(http(), old)
    for name in ("both", "old"):
        put(lab, f"h2-{name}", type="https", port=servers[name].port, host=NAME)
    for name, (_, state, reason) in cases.items():
        c = becomes(lab, f"h2-{name}", state, reason)
        assert (f"{name} refused", servers[name].say.refused) == (f"{name} refused", 0) and servers[name].say.asked, c
    becomes(lab, "h2-both", "up", "status 200 (HTTP/2)")
    assert "HTTP/2" not in becomes(lab, "h2-old", "up", "status 200")["reason"]
    asked = servers["good"].say.asked[0]
    assert asked[":method"] == "GET" and asked[":path"] == "/hz" and asked[":scheme"] == "https"
    assert asked[":authority"].startswith(NAME) and asked["x-token"] == "seven"
    # It follows what the endpoint says next, and heals.
    good = servers["good"]
    good.say.act = says(500)
    becomes(lab, "h2-good", "down", "status 500 (HTTP/2)")
    good.say.act = says(200)
    becomes(lab, "h2-good", "up")
    remove(lab, *servers.values())


# ---- certificates ----
def test_days_left(lab, certs):
    """10 days and a half: 10 are left, 11 are not; over both versions, and where the chain is not looked at."""
    one, two = server_tls(certs["soon"]), server_tls(certs["soon"])
    two.set_alpn_protocols(["h2"])
    servers = {"one": Server(http(), one), "two": Server(Http2(says(200)), two)}
    for name, s in servers.items():
        for days, state in ((1, "up"), (10, "up"), (11, "down"), (365, "down")):
            for verify in (True, False):
                put(lab, f"{name}-{days}-{verify}", type="https", port=s.port, host=NAME, cert_days_left=days,
                    verify_tls=verify)
    for name in servers:
        for days, state in ((1, "up"), (10, "up"), (11, "down"), (365, "down")):
            for verify in (True, False):
                becomes(lab, f"{name}-{days}-{verify}", state, "10 more days" if state == "down" else "status 200")
    # It is renewed.
    servers["one"].tls = server_tls(certs["good"])
    becomes(lab, "one-11-True", "up")
    becomes(lab, "one-365-True", "down", "59 more days")
    remove(lab, *servers.values())


# ---- when ----
class Told:
    """Answers as `good` says, and keeps when it was asked."""

    def __init__(self):
        self.good, self.at = True, []

    def __call__(self, conn):
        conn.recv(4096)
        good = self.good
        self.at.append((time.time(), good))
        body = "ok" if good else "no"
        conn.sendall(f"HTTP/1.1 {200 if good else 500} X\r\nContent-Length: 2\r\n\r\n{body}".encode())


def later(conn):
    conn.recv(4096)
    time.sleep(1)
    with contextlib.suppress(OSError):
        conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")


def test_when_it_is_asked_and_when_it_counts(lab):
    """Asked each `interval`; `timeout` is the time of a whole answer; `fall` bad or `rise` good answers in a row
    make a verdict, and fewer do not."""
    each, seldom, late, slowly = Server(Told()), Server(Told()), Server(later), Server(Told())
    put(lab, "each", type="http", port=each.port, interval=2)
    put(lab, "seldom", type="http", port=seldom.port, interval=3600)
    put(lab, "patient", type="http", port=late.port, timeout=30)
    put(lab, "hasty", type="http", port=late.port, timeout=0.3)
    put(lab, "slowly", type="http", port=slowly.port, fall=3, rise=2)
    becomes(lab, "hasty", "down", "no answer in time")
    becomes(lab, "patient", "up")
    becomes(lab, "slowly", "up")
    slowly.say.good = False
    becomes(lab, "slowly", "down")
    # The first of them may have been on its way when the endpoint broke; more come while the test looks on.
    flipped = datetime.datetime.fromisoformat(show(lab, "slowly")["flips"][0]["at"].replace("Z", "+00:00")).timestamp()
    assert 3 <= [good for at, good in slowly.say.at if at <= flipped].count(False) <= 4, (flipped, slowly.say.at)
    slowly.say.good = True
    becomes(lab, "slowly", "up")
    assert [good for _, good in slowly.say.at[-2:]] == [True, True]
    # What is noticed late is late itself, and seems too near to what follows: three that are not.
    wait_until(lambda: any(b - a > 1.5 < c - b for (a, _), (b, _), (c, _) in zip(*(each.say.at[k:] for k in range(1, 4)))),
               "looks with their interval between them", 60)
    assert len(seldom.say.at) <= 2  # the first, and the one that confirms it
    remove(lab, each, seldom, late, slowly)
