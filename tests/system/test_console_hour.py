"""A new operator's first hour, by ssh, with 100,001 zones and five appliances, as console/FIRST-HOUR.md tells it.
UPDATE_HOUR=1 writes the screens of this walk into that file."""

import http.server
import os
import pathlib
import re
import threading

import pytest

from asking import Asking
from console import Console, answer, hear
from fleet import Fleet
from peers import free_port, wait_until
from sshd import Sshd

pytestmark = [pytest.mark.skipif(os.getuid() != 0, reason="needs root to make accounts and run an sshd"),
              pytest.mark.skipif(not os.environ.get("NS_LONG"), reason="its time: make check-long has it")]
TOLD = pathlib.Path(__file__).parents[2] / "console" / "FIRST-HOUR.md"
OPS = f"nstest-hour-{os.getpid()}"
ZONE, KINDS, ZONES = "acme-shop.example", ("shop", "blog", "cdn", "mail", "news", "play", "cloud"), 100_000
SMALL = ("@ 300 IN SOA ns1 hostmaster 1 7200 3600 1209600 300\n@ 300 IN NS ns1\nns1 300 IN A 192.0.2.1\n"
         "www 300 IN A 192.0.2.80\n")
SHOP = SMALL.replace("192.0.2.80", "192.0.2.20") + """@ 300 IN NS ns2
@ 300 IN TXT "v=spf1 mx -all"
@ 300 IN CAA 0 issue "letsencrypt.org"
ns2 300 IN A 192.0.2.2
api 300 IN A 192.0.2.40
mail 300 IN A 192.0.2.25
_sip._tcp 300 IN SRV 10 60 5060 mail
old 300 IN CNAME www
"""


class Backend:
    """A web server that is well, until it is not."""

    def __init__(self):
        self.status, outer = 200, self

        class Page(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(outer.status)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", free_port()), Page)
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


class Told:
    """The screens, in the order in which the page shows them."""

    def __init__(self):
        self.screens = []

    def keep(self, c):
        """Rows of nothing are cut to `:`."""
        text = "\n".join(c.lines()).rstrip("\n")
        self.screens.append(re.sub(r"\n\n\n+", "\n :\n", text))

    def keep_page(self, c, line):
        """A page outside of the screens, which the terminal clears and pyte does not."""
        text = re.findall(line, c.raw.decode())[-1]
        self.screens.append("\n".join(["", *(text[i:i + 80] for i in range(0, len(text), 80)), "", "(a key goes back)"]))

    def write(self):
        parts = re.split(r"(?ms)^```\n.*?^```\n", TOLD.read_text())
        assert len(parts) == len(self.screens) + 1
        out = parts[0]
        for screen, after in zip(self.screens, parts[1:]):
            out += f"```\n{screen}\n```\n{after}"
        TOLD.write_text(out)


def import_zones(a):
    folder = a.dir / "zones"
    folder.mkdir()
    (folder / ZONE).write_text(SHOP)
    for i in range(4):  # a file has at most 65,000 names
        (a.dir / f"small{i}").write_text(SMALL)
    for i in range(ZONES):
        os.link(a.dir / f"small{i % 4}", folder / f"{KINDS[i % len(KINDS)]}-{i:06d}.example")
    a.cli("zone", "import", "--dir", folder, "-m", "first import", timeout=300)


@pytest.fixture(scope="module")
def lab():
    config = "[probe]\nallow = 127.0.0.0/8\n[ssh]\naccount = " + OPS + "\n"
    f = Fleet(1, config=config)
    p = f.primary
    p.name, p.site = "fra1-a", "fra1"
    with f, Sshd(p) as sshd:
        import_zones(p)
        for site in ("sin1", "iad1", "syd1", "gru1"):
            f.add(f"{site}-a", site=site)
        f.wait_converged(60)
        sshd.account(OPS)
        p.stop()  # the shared account is looked up at the start
        p.start()
        for person, role in (("alice", "admin"), ("bob", "operator")):
            p.cli("user", "create", person, "--unix", f"none-{person}", "--role", role)
            sshd.key(OPS, person, f'restrict,pty,command="nameserve login {person}"')
        done = sshd.ssh("bob", OPS, f"nameserve record set {ZONE} api 300 A 192.0.2.41 --commit -m 'api to the new rack'")
        assert done.returncode == 0, done.stderr
        yield p, sshd


def open_zone(c):
    c.press("2")
    c.wait("100 001")
    c.press("/")
    for key in "acme":
        c.press(key)
    c.wait(lambda: re.search(r" 1 of 100 001 .* rows 1-1$", c.text(), re.M) and ZONE in c.cursor_row())


def an_mx(c, told):
    c.press("a")
    c.wait("new RRset")
    c.press("@", "tab", "ctrl-u", "mx", "tab", "tab")
    c.wait("PREFERENCE")
    c.press("1O", "tab", "mial")
    c.wait("E1105 a number from 0 to 65535")
    told.keep(c)
    c.press("backtab", "ctrl-u", "10")
    c.wait("its target mial")
    told.keep(c)
    c.press("tab", "ctrl-u", "mail")
    c.wait(lambda: "IN MX 10 mail." in c.text() and "Warning" not in c.text())
    c.press("ctrl-s")
    c.wait(lambda: re.match(r">\+ @ +MX", c.cursor_row()))
    told.keep(c)
    c.press("p")
    c.wait("checked by the primary, no errors")
    c.press("tab", "OPS-1182 mail for the shop", "esc")
    c.wait(lambda: "C commit" in c.text() and "[OPS-1182" in c.text())
    told.keep(c)
    c.press("C")
    answer(c, "y")
    c.wait("served by 5 of 5 appliances")
    told.keep(c)
    c.press("q")
    c.wait("rrsets")


def a_check(c, name, port, told=None):
    """On an empty CHECK: it is made there and then."""
    c.press("ctrl-o")
    c.wait("new check")
    c.press(name, "tab", "h", "tab", "ctrl-u", "127.0.0.1", "tab", str(port), "tab", "tab", "/hz", "tab", "tab", "tab", "tab",
            "tab", "2", "tab", "1", "tab", "2", "tab", "2")
    c.wait("can be made so")
    c.press("ctrl-t")
    c.wait(lambda: c.text().count("good, ") == 3)
    if told:
        told.keep(c)
    c.press("ctrl-s")
    answer(c, "y")
    c.wait("Done: change")
    c.wait("> new policy www A")


def a_canary(c, backends, told):
    c.press("]")
    c.wait("no policies")
    c.press("a")
    c.wait("> new policy")
    c.press("www", "tab", "tab", "tab")
    c.wait("Enter: the fields of this branch")
    c.press("down", "enter", "tab", "tab", "tab", "o")
    c.wait("[one ")
    c.press("tab", "tab", "tab", "192.0.2.20", "tab", "70", "tab")
    c.wait(lambda: re.search(r"1 \[192\.0\.2\.20 +\] \[70", c.text()))
    a_check(c, "web-1", backends[0].port, told)
    c.press("tab", "tab", "192.0.2.30", "tab", "30", "tab")
    c.wait(lambda: re.search(r"2 \[192\.0\.2\.30 +\] \[30", c.text()))
    a_check(c, "web-2", backends[1].port)
    c.wait("If web-2 fails: pool main: 192.0.2.20")
    told.keep(c)
    c.press("ctrl-s")
    c.wait("draft 2 ops")
    c.press("p")
    c.wait("checked by the primary, no errors")
    c.press("tab", "OPS-1183 70/30 canary", "esc")
    c.wait(lambda: "C commit" in c.text() and "[OPS-1183" in c.text())
    c.press("C")
    c.wait("Enter does nothing")
    told.keep(c)
    answer(c, "y")
    c.wait("served by 5 of 5 appliances")


def a_backend_dies(c, backend, told):
    c.press("3")
    c.wait(lambda: len(re.findall(r"web-[12] .* OK +3/3", c.text())) == 2, 60)
    backend.status = 503
    c.press("1")
    c.wait("CRIT  check web-2", 60)
    told.keep(c)
    c.press("3")
    c.wait(lambda: re.search("web-2 .* CRIT", c.text()))
    c.press("g")
    c.wait("3x status 503", 60)
    told.keep(c)
    c.press("enter")
    c.wait("Health > web-2")
    c.wait("2 of 3: status 503")
    told.keep(c)


def ask_why(c, told):
    c.press("7")
    c.wait("Query test")
    c.press(f"www.{ZONE}", "tab", "A", "tab", "203.0.113.77", "enter")
    c.wait("1 of the pool's 2 answers")
    told.keep(c)
    c.press("esc")


def sign(c, told):
    c.press("2", "enter")
    c.wait("rrsets")
    c.press("]", "]")
    c.wait("This zone is not signed")
    c.press(":", "sign", "enter")
    c.wait("DNSSEC > sign")
    c.press("ctrl-s")
    answer(c, "y")
    c.wait("next  3 you give the DS to the registrar")
    c.wait("Done: change")
    told.keep(c)
    c.press("y")
    c.wait(lambda: "Copy" in c.text() and re.search(r"(?i)\bds\b", c.text()))
    c.press("enter")
    c.wait("(a key goes back)")
    told.keep_page(c, rf"({ZONE}\. 3600 IN DS [0-9]+ 13 2 [0-9A-F]+)\r")
    c.press("q", "q")


def who_changed_it(c, told):
    c.press("2", "enter")
    c.wait("rrsets")
    c.press("H")
    c.wait("api to the")
    while "bob" not in c.cursor_row():
        before = c.cursor_row()
        c.press("j")
        c.wait(lambda: c.cursor_row() != before)
    told.keep(c)
    c.press("enter")
    c.wait("192.0.2.40 -> 192.0.2.41")
    told.keep(c)
    c.press("R")
    c.wait("192.0.2.41 -> 192.0.2.40")
    c.wait("checked by the primary, no errors")
    told.keep(c)
    c.press("C")
    answer(c, "y")
    c.wait("served by 5 of 5 appliances")


def the_link_goes(c, p, told):
    c.press("2", "enter")
    c.wait("rrsets")
    c.press("a")
    c.wait("new RRset")
    c.press("beta", "tab", "tab", "tab", "192.0.2.77")
    c.wait("Result   beta.")
    p.stop()
    c.wait("LINK LOST", 60)
    c.wait("Retry 4", 60)
    told.keep(c)
    p.start()
    c.wait(lambda: "LINK LOST" not in c.text(), 60)
    c.press("ctrl-s")
    c.wait("Kept in the draft, not served yet")
    c.press("p")
    c.wait("checked by the primary, no errors")
    c.press("C")
    answer(c, "y")
    c.wait("served by 5 of 5 appliances", 60)


def as_text(c, told):
    c.press("q", "E")
    c.wait(f"{ZONE} as text")
    c.press("\x1b[6~", "far IN A 192.0.2.300", "enter", "ctrl-s")
    c.wait("keep the text")
    hear(c)
    c.press("e")
    c.wait("; ERROR: E1102")
    told.keep(c)


def test_the_first_hour(lab):
    p, sshd = lab
    told, backends = Told(), (Backend(), Backend())
    busy = [f"www.{ZONE}"] * 3 + [f"nope.{ZONE}"] + [f"www.{KINDS[i % 7]}-{i:06d}.example" for i in range(1, 9)]
    with Asking(p, names=busy), Console(p.socket, command=sshd.words("alice", OPS, "-tt", "-o", "SendEnv=LC_*")) as c:
        c.wait("alice:admin")
        c.wait("TOP ZONES")
        open_zone(c)
        told.keep(c)
        c.press("enter", "enter")
        c.wait("rrsets")
        an_mx(c, told)
        a_canary(c, backends, told)
        a_backend_dies(c, backends[1], told)
        ask_why(c, told)
        sign(c, told)
        who_changed_it(c, told)
        the_link_goes(c, p, told)
        as_text(c, told)
    wait_until(lambda: p.values(f"beta.{ZONE}") == ["192.0.2.77"], "what was typed without a link is served")
    assert p.values(f"api.{ZONE}") == ["192.0.2.40"]
    if os.environ.get("UPDATE_HOUR"):
        told.write()
