"""The console line by line: the same screens and actions, from lines to lines."""

import subprocess

import pytest

from appliance import BUILD, Appliance, zone_text
from console import Console

RECORDS = "www IN A 192.0.2.10\n@ IN MX 10 mx1\nmx1 IN A 192.0.2.25\n"


@pytest.fixture(scope="module")
def lab():
    with Appliance() as a:
        for zone in ("shop.example", "shop-de.example", "other.example"):
            (a.dir / zone).write_text(zone_text(f"{zone}.", records=RECORDS))
            a.cli("zone", "import", zone, a.dir / zone)
        yield a


def linear(a, *lines, args=()):
    done = subprocess.run([BUILD / "bin" / "nameserve", "--socket", a.socket, "--linear", *args], text=True,
                          input="".join(f"{line}\n" for line in lines), capture_output=True, timeout=60, env=a.env)
    assert done.returncode == 0, done
    assert "\x1b" not in done.stdout and done.stderr == ""
    return done.stdout


def test_find_add_commit_and_see(lab):
    out = linear(lab, "2 shop", "1", "add", "beta", "", "", "192.0.2.300", ".previous", "192.0.2.30", ".accept", "pending",
                 "commit", "y", "b", "copy", "2", "b", "edit-text", "q")
    assert "admin. Link OK. 0 problems, 0 drafts." in out
    assert "1 here: shop.example, serial 1, rrsets 7, qps 0, dnssec off" in out
    assert "E1102 not an IPv4 address: octet 4 is 300" in out
    assert "Commit 1 op to shop.example" in out and "y or n?" in out
    assert "served by 1 of 1" in out and "there is no editor" in out
    assert lab.values("beta.shop.example") == ["192.0.2.30"]


def test_choices_have_numbers_and_reasons(lab):
    out = linear(lab, "zones", "/other", "help", "menu", "6", "b", "zones", "99", "no-such-thing", "q",
                 args=["--read-only"])
    assert "1 here: other.example" in out
    assert "open: open the row under the cursor" in out
    assert "1 overview 2 zones" in out
    assert "There is no such row." in out and "no such command" in out
    assert "E4002" in lab.fails(4, "--read-only", "zone", "import", "shop.example", lab.dir / "shop.example")
    out = linear(lab, "2 other", "1", "delete 2", "q", args=["--read-only"])
    assert "--read-only" in out
    assert "op" not in lab.cli("draft", "list") or "other" not in lab.cli("draft", "list")


def test_lines_of_the_command_line(lab):
    out = linear(lab, "zone show other.example", "2 other", "1", "record set other.example lin 60 TXT '\"a b\"'",
                 "nameserve record list other.example --name lin", "commit other.example -m lines", "test 2", "zone burn x",
                 "zone list; id", ":history list --limit 1", "commit", "console", "zone import x -", "zone show none.example",
                 ":50%", ":zones", "q")
    assert out.count("exit 0: done") == 5 and out.count("exit 3: not found") == 1
    assert "! nameserve: " in out and "no verb burn" in out and "no shell reads this line" in out
    assert "you are in it" in out and "name a file" in out and "commit takes zones that have drafts" in out
    assert lab.cli_json("history", "list")["changes"][0]["comment"] == "lines"
    out = linear(lab, "zones", "delete 99", "record del other.example lin --commit", "q", args=["--read-only"])
    assert "There is no such row." in out and "exit 4: not permitted" in out
    assert lab.values("lin.other.example", "TXT") != []


def test_a_name_has_to_be_typed_and_an_empty_line_is_no(lab):
    for i in range(12):
        lab.cli("record", "set", "shop-de.example", f"h{i}", 60, "A", "192.0.2.9")
    lab.cli("commit", "shop-de.example")
    for i in range(12):
        lab.cli("record", "del", "shop-de.example", f"h{i}")
    out = linear(lab, "5", "1", "commit", "", "commit", "wrong", "commit", "shop-de.example", "q")
    assert out.count("Type its name to go on") == 3 and "That is not its name." in out
    assert out.count("served by 1 of 1") >= 1
    assert lab.values("h1.shop-de.example") == "NXDOMAIN"


def test_a_terminal_that_can_do_no_better_is_told_of_it(lab):
    for term in ("dumb", "no-such-terminal"):
        with Console(lab.socket, term=term) as c:
            assert c.ended() == 2
            assert b"--linear" in c.raw and term.encode() in c.raw and b"\x1b[" not in c.raw
    with Console(lab.socket, term="dumb", args=["--linear"]) as c:
        c.wait("Link OK")
        c.press("2\n")
        c.wait("other.example, serial ")
        c.press("tail --filter none.example\n")
        c.wait(lambda: subprocess.run(["pgrep", "-P", str(c.child.pid)], capture_output=True).returncode == 0)
        c.press("ctrl-c")
        c.wait("stopped")
        c.press("q\n")
        assert c.ended() == 0


def test_the_link_goes_and_comes_back(example):
    with Console(example.socket, term="dumb", args=["--linear"]) as c:
        c.wait("Link OK")
        example.kill()
        c.press("zones\n")
        c.wait("STALE")
        example.start()
        c.wait("The link is back")
        c.press("q\n")
        assert c.ended() == 0
