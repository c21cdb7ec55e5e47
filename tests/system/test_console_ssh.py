"""By ssh: an operator's account whose shell is nameserve, a shared account by forced commands, and the appliance of
another host."""

import os
import random
import struct
import subprocess

import pytest

from appliance import BUILD, Appliance
from console import Console, answer, hear
from sshd import Sshd

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="needs root to make accounts and run an sshd")

OWN, OPS = f"nstest-carol-{os.getpid()}", f"nstest-ops-{os.getpid()}"


@pytest.fixture(scope="module")
def lab():
    with Appliance(config=f"[ssh]\naccount = {OPS}\n") as a, Sshd(a) as sshd:
        sshd.account(OWN)
        sshd.account(OPS)
        a.stop()  # the shared account is looked up at the start
        a.start()
        a.cli("zone", "create", "example.com", "--ns", "ns1.example.net.")
        a.cli("user", "create", "carol", "--unix", OWN, "--role", "operator")
        for person, role in (("alice", "operator"), ("vera", "viewer")):
            a.cli("user", "create", person, "--unix", f"none-{person}", "--role", role)
            sshd.key(OPS, person, f'restrict,pty,command="nameserve login {person}"')
        sshd.key(OPS, "looker", 'restrict,pty,command="nameserve --read-only login alice"')
        sshd.key(OPS, "nobody", "restrict,pty")
        sshd.key(OWN, "carol")
        yield a, sshd


def ssh_console(lab, owner, account):
    a, sshd = lab
    return Console(a.socket, command=sshd.words(owner, account, "-tt"))


def test_an_account_whose_shell_is_nameserve(lab):
    a, sshd = lab
    done = sshd.ssh("carol", OWN, "nameserve record set example.com 'a' 60 TXT '\"two words\"' --commit -m \"by hand\"")
    assert done.returncode == 0, done.stderr
    change = a.cli_json("history", "list")["changes"][0]
    assert change["author"] == "carol" and change["comment"] == "by hand"
    assert change["source"] == "127.0.0.1" and change["appliance"] == "test-a"
    assert "example.com" in sshd.ssh("carol", OWN, "zone list").stdout
    zone = sshd.ssh("carol", OWN, "zone export example.com").stdout
    done = sshd.ssh("carol", OWN, "zone import copy.example -", stdin=zone.replace("example.com.", "copy.example."))
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("line, says", [
    ("id", "unknown command"), ("zone list; id", "no shell"), ("zone list $(id)", "no shell"), ("scp -t /tmp", "unknown"),
    ("/usr/lib/openssh/sftp-server", "unknown command"), ("zone list 'x", "quote"), ("backup /tmp/x", "no files"),
    ("nameserve --socket /tmp/x zone list", "no --socket"), ("nameserve --appliance ssh:root@127.0.0.1 zone list", "no --socket"),
    ("policy set example.com a A /etc/passwd", "no files"), ("zone import --dir /etc", "no files"),
    ("backup - --passphrase-file /etc/shadow", "no files"), ("edit example.com", "an editor of choice would be a shell")])
def test_there_is_no_shell_behind_it(lab, line, says):
    done = lab[1].ssh("carol", OWN, line)
    assert done.returncode != 0 and says in done.stderr, done
    assert "uid=" not in done.stdout


def test_the_console_of_an_account_without_a_shell(lab):
    with ssh_console(lab, "carol", OWN) as c:
        c.wait("carol:operator")
        c.press("ctrl-z")
        c.wait("no shell behind this account")
        c.press("9")
        c.wait("current test-a")
        c.press("a")
        c.wait("no ssh of its own")
        c.press("2")
        c.wait(lambda: "example.com" in c.cursor_row() or "copy.example" in c.cursor_row())
        c.press("/", "^example", "enter")
        c.wait(lambda: "example.com" in c.cursor_row() and "1 of " in c.text())
        c.press("enter")
        c.wait("rrsets")
        c.press("E")
        c.wait("example.com as text")  # the console's own: it runs nothing and opens no other file
        c.press("\x1b[6~", "far IN A 192.0.2.999", "enter", "ctrl-s")
        c.wait("not an IPv4 address")
        c.wait("keep the text")
        hear(c)
        c.press("k")
        c.wait("E opens it again")
        c.press("E")
        c.wait("keep the text")
        hear(c)
        c.press("e")
        c.wait("; ERROR: E")
        c.press("\x0b\x0b", "far IN A 192.0.2.99", "enter", "ctrl-s")
        c.wait("Pending > example.com")
        c.wait("192.0.2.99")
        c.press("X")
        answer(c, "y")
        c.wait("The draft is discarded")
        c.press("Q")
        assert c.ended() == 0


def test_a_shared_account_is_the_person_of_the_key(lab):
    a, sshd = lab
    done = sshd.ssh("alice", OPS, "nameserve record set example.com b 60 A 192.0.2.1 --commit -m shared")
    assert done.returncode == 0, done.stderr
    assert a.cli_json("history", "list")["changes"][0]["author"] == "alice"
    done = sshd.ssh("vera", OPS, "record set example.com b 60 A 192.0.2.2 --commit")
    assert done.returncode == 4 and "operator" in done.stderr
    for who, why in (("alice", "editor of choice"), ("looker", "editor of choice")):  # on a terminal, too
        done = sshd.ssh(who, OPS, "edit example.com", "-tt", "-o", "SetEnv=EDITOR=/bin/sh")
        assert done.returncode == 4 and why in done.stdout + done.stderr, done
    done = sshd.ssh("looker", OPS, "record set example.com b 60 A 192.0.2.2 --commit")
    assert done.returncode == 4 and "read-only" in done.stderr
    done = sshd.ssh("alice", OPS, "nameserve login vera")
    assert done.returncode == 2 and "logged in as alice" in done.stderr
    # Without a forced command it is nobody; who says to be alice from elsewhere is not believed.
    done = sshd.ssh("nobody", OPS, "zone list")
    assert done.returncode == 4 and "not known here" in done.stderr
    assert "speaks for others" in a.fails(4, "zone", "list", binary=as_alice(a))
    # Neither forwarding nor environment comes through.
    done = sshd.ssh("alice", OPS, None, "-W", f"127.0.0.1:{sshd.port}")
    assert done.returncode != 0 and "SSH-2.0" not in done.stdout
    trace = a.dir / "trace-of-alice"
    sshd.ssh("alice", OPS, "status", "-o", f"SetEnv=NS_UI_TRACE={trace} EDITOR=/bin/sh NAMESERVE_SOCKET=/none")
    assert not trace.exists()


def as_alice(a):
    """root's own try: a login outside of the account that may."""
    path = a.dir / "as-alice"
    path.write_text(f'#!/bin/sh\nshift\nexport NAMESERVE_SOCKET="$1"\nshift\nSSH_ORIGINAL_COMMAND="$*" exec {BUILD}/bin/nameserve login alice\n')
    path.chmod(0o755)
    return path


def test_the_console_of_a_shared_account(lab):
    a, sshd = lab
    with ssh_console(lab, "alice", OPS) as c:
        c.wait("alice:operator")
        c.press("2")
        c.wait("example.com")
        c.press("/", "^example", "enter")
        c.wait(lambda: "example.com" in c.cursor_row() and "1 of " in c.text())
        c.press("enter")
        c.wait("rrsets")
        c.press("G")
        c.wait(lambda: c.cursor_row() != "")
        c.press("d")
        c.wait("draft 1 op")
        # `:` is no way out: what it runs is who came, with what a line by ssh may do.
        for text, says in (("zone import x.example /etc/passwd", "no files"), ("backup /tmp/x", "no files"),
                           ("backup - --passphrase-file /etc/shadow", "nobody's"), ("zone list --socket /tmp/x", "no --socket"),
                           ("zone list --appliance ssh:root@127.0.0.1", "no --socket"), ("login vera", "logged in"),
                           ("zone list;id", "no shell"), ("!id", "no such command")):
            c.press(":", text, "enter")
            c.wait(says)
            c.press("esc")
            c.wait(lambda: says not in c.text())
        c.press(":", "record set example.com pal 60 TXT \"it's\" --commit -m palette", "enter")
        c.wait("exit 0: done")
        change = a.cli_json("history", "list")["changes"][0]
        assert change["author"] == "alice" and change["comment"] == "palette"
        c.press("Q")
        assert c.ended() == 0
    drafts = list((sshd.dir / OPS / "console").glob("*/nameserve/drafts/*/*"))
    assert drafts and {p.relative_to(sshd.dir / OPS / "console").parts[0] for p in drafts} == {"alice"}
    assert "draft" not in sshd.ssh("vera", OPS, "draft list").stdout


def test_the_appliance_of_another_host(lab):
    a, sshd = lab
    env = dict(NAMESERVE_SSH=" ".join(sshd.words("alice", OPS)[:-1]))
    there = ["--appliance", f"ssh:{OPS}@lab"]

    def cli(*args, **more):
        return subprocess.run([BUILD / "bin" / "nameserve", *there, "--timeout", "50s", *args], capture_output=True, text=True, timeout=60,
                              env={**a.env, **env, **more})

    done = cli("record", "set", "example.com", "far", "60", "A", "192.0.2.3", "--commit", "-m", "from far",
               SSH_CONNECTION="198.51.100.9 1 198.51.100.1 22")
    assert done.returncode == 0, done.stderr
    change = a.cli_json("history", "list")["changes"][0]
    assert change["author"] == "alice" and change["comment"] == "from far"
    assert change["source"] == "127.0.0.1"  # as sshd says there, not as the client's own session has it here
    assert cli("zone", "export", "example.com").stdout.count("far") == 1
    done = cli("status", NAMESERVE_SSH="/bin/echo hello")
    assert done.returncode == 7 and "proxy --stdio" in done.stderr
    done = cli("status", NAMESERVE_SSH=" ".join(sshd.words("alice", OPS)[:3]))
    assert done.returncode == 7 and "Permission denied" in done.stderr
    # It is away until the test has seen that it is: a console that finds it again at once is not seen without it.
    away, ssh = a.dir / "away", a.dir / "ssh-that-may-fail"
    ssh.write_text(f"#!/bin/sh\n[ -e {away} ] && exit 255\nexec {env['NAMESERVE_SSH']} \"$@\"\n")
    ssh.chmod(0o755)
    with Console(a.socket, command=[BUILD / "bin" / "nameserve", *there], NAMESERVE_SSH=str(ssh)) as c:
        c.wait("alice:operator", 60)
        c.press("2")
        c.wait("example.com")
        away.touch()
        for pid in children(c.child.pid):
            os.kill(pid, 9)
        c.wait("LINK LOST")
        away.unlink()
        c.press("r")
        c.wait(lambda: "LINK LOST" not in c.text() and "STALE" not in c.text(), 60)
        c.press("Q")
        assert c.ended() == 0


def test_a_profile_of_another_host(lab):
    """Kept beside the drafts, checked when it is typed and when it is used; Enter is the console there, and back."""
    a, sshd = lab
    kept = a.dir / "state" / "nameserve" / "profiles" / "ssh.json"
    ssh = " ".join(sshd.words("alice", OPS)[:-1])
    with Console(a.socket, args=["--read-only"], NAMESERVE_SSH=ssh) as c:
        c.wait("root:admin")
        c.press("9")
        c.wait("current test-a")
        c.press("a", "lab", "tab", "-oProxyCommand=id", "ctrl-s")
        c.wait("expected USER@HOST")
        assert not kept.exists()
        c.press("ctrl-u", f"{OPS}@lab", "ctrl-s")
        c.wait(lambda: " lab  " in c.text() and "ssh:nstest-ops" in c.text() and "a add" in c.text())
        assert kept.stat().st_mode & 0o777 == 0o600
        c.press(":", "100%", "enter")
        c.wait(lambda: " lab " in c.cursor_row())
        c.press("enter")
        c.wait("alice:operator")  # as the key there says, whoever is here
        c.press("2")
        c.wait(lambda: "RRSETS" in c.text() and "example" in c.cursor_row())
        c.press("enter")
        c.wait("rrsets")
        c.press("a")
        c.wait("--read-only")  # what looks here looks there
        c.press("Q")
        c.wait("root:admin")
        c.wait("current test-a")
        assert " lab " in c.cursor_row()
        # Whoever writes the file: nothing in it becomes an option of ssh.
        kept.write_text('{"schema":"ns.console/1","values":{"lab":"ssh:-oProxyCommand=id"}}')
        c.press("enter")
        c.wait("is no ssh:USER@HOST")
        c.press("d")
        answer(c, "y")
        c.wait("lab is removed")
        c.wait(lambda: "  lab  " not in c.text())
        c.press("Q")
        assert c.ended() == 0
    assert "lab" not in kept.read_text()


def children(pid):
    found = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True).stdout.split()
    assert found
    return map(int, found)


def proxy(a, data):
    return subprocess.run([BUILD / "bin" / "nameserve", "--socket", a.socket, "proxy", "--stdio"], input=data,
                          capture_output=True, timeout=60)


def test_what_a_proxy_does_not_understand_ends_it(lab):
    a, _ = lab
    rng = random.Random(3)
    noise = [b"\0\0\0\0", b"\xff" * 64, struct.pack(">I", 1 << 20), struct.pack(">I", (1 << 20) + 1),
             b"GET / HTTP/1.1\r\n\r\n", struct.pack(">I", 8) + b"\x08\x01\x9a\xff\xff\xff\xff\x0f"]
    noise += [rng.randbytes(rng.randint(1, 4096)) for _ in range(6)]
    for data in noise:
        done = proxy(a, data)
        assert done.returncode in (0, 2), (data[:40], done)
        assert done.stdout == b"NameServe proxy 1\n"
    assert proxy(a, b"").returncode == 0
    assert a.cli_json("status")["revision"] > 0
