"""The console and the terminal it is on: slow links, signals, tmux and screen, noise, and any octet for a key."""

import hashlib
import os
import pwd
import random
import re
import signal
import subprocess
import time

import pexpect
import pytest

from appliance import BUILD, Appliance, zone_text
from console import Console, SlowConsole, peak_kib
from peers import wait_until

ZONES = 400
BUSY = 5  # budgets hold on a quiet machine; this one may be busy
NAMESERVE = BUILD / "bin" / "nameserve"


@pytest.fixture(scope="module")
def lab():
    with Appliance() as a:
        folder = a.dir / "zones"
        folder.mkdir()
        for i in range(ZONES):
            name = f"{hashlib.md5(str(i).encode()).hexdigest()[:24]}.example"
            (folder / name).write_text(zone_text(f"{name}."))
        (folder / "0.example").write_text(zone_text("0.example."))
        a.cli("zone", "import", "--dir", folder, timeout=60)
        yield a


def hold_a_key(c, seconds):
    """Pages down and up, twenty a second, of names that have nothing in common: each draws the list anew."""
    end, turns = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        c.press("\x1b[6~" if turns % 20 < 10 else "\x1b[5~")
        turns += 1
        pause = time.monotonic() + 0.05
        while time.monotonic() < pause:
            c.read()


def test_a_slow_link_shows_what_is_now(lab):
    """3 kB/s behind a queue without end: what is typed is seen soon, and little is under way."""
    with SlowConsole(lab.socket) as c:
        c.wait("Latency")
        c.press("2", "-", "-")
        c.wait("0.example")
        c.wait("slow link")
        c.largest = 0
        hold_a_key(c, 3)
        assert c.largest < 8192, c.largest
        c.press("?")
        echo = c.wait("Help")
        print(f"3 kB/s: at most {c.largest} octets under way, a key seen after {echo:.2f} s")
        assert echo < 1.5 * BUSY, echo
    with SlowConsole(lab.socket, liar=True) as c:  # it can fail: a link that says "shown" at once
        c.wait("Latency")
        c.press("2", "-", "-")
        c.wait("0.example")
        for _ in range(5):  # a busy machine draws less at first
            hold_a_key(c, 3)
            if c.largest > 8192:
                break
        print(f"without waiting for answers: {c.largest} octets")
        assert c.largest > 8192, c.largest


@pytest.mark.parametrize("sig", [signal.SIGSEGV, signal.SIGABRT, signal.SIGHUP, signal.SIGTERM])
def test_a_signal_gives_the_terminal_back(lab, sig):
    with Console(lab.socket) as c:
        c.wait("Change ")
        os.kill(c.child.pid, sig)
        code = c.ended()
        assert b"\x1b[?1049l" in c.raw[-300:] and b"\x1b[?2004l" in c.raw[-300:]
        crash = sig in (signal.SIGSEGV, signal.SIGABRT)
        assert c.child.signalstatus == (sig if crash else None) and code == (None if crash else 0)


def test_suspend_and_foreground(lab):
    shell = pexpect.spawn("/bin/bash", ["--norc", "-i"], timeout=60, dimensions=(24, 80),
                          env=dict(os.environ, PS1="ready> ", TERM="xterm", LC_ALL="C.UTF-8"))
    shell.expect("ready> ")
    shell.sendline(f"{NAMESERVE} --socket {lab.socket}; echo code=$?")
    shell.expect("Change ")
    shell.send("\x1a")
    shell.expect("Stopped")
    shell.expect("ready> ")
    shell.sendline("fg")
    shell.expect("NameServe test-a")  # the whole screen, again
    shell.send("Q")
    shell.expect("ready> ")
    shell.sendline("stty -a")
    shell.expect(r"[^-]icanon")
    shell.close(force=True)


def test_a_storm_of_sizes_with_a_form_open(lab):
    rng = random.Random(11)
    with Console(lab.socket) as c:
        c.press("2")
        c.wait(lambda: "0.example" in c.cursor_row())
        c.press("enter")
        c.wait("rrsets")
        c.press("a", "kept-text")
        c.wait("kept-text")
        for _ in range(200):
            c.resize(rng.randint(1, 300), rng.randint(1, 100))
            c.read(0.001)
        c.resize(80, 24)
        c.wait(lambda: "[kept-text" in c.text() and "Ctrl-S accept" in c.lines()[23])


def test_a_role_that_changes_is_seen_and_kept_to(lab):
    if os.getuid() != 0:
        pytest.skip("needs root to become another")
    user = pwd.getpwnam("games")
    lab.cli("user", "create", "gina", "--unix", user.pw_name, "--role", "operator")
    state = lab.dir / "state-of-gina"
    state.mkdir()
    os.chown(state, user.pw_uid, user.pw_gid)
    with Console(lab.socket, user=user, XDG_STATE_HOME=str(state)) as c:
        c.wait("gina:operator")
        lab.cli("user", "set", "gina", "--role", "viewer")
        c.wait("gina:viewer")
        c.press("2")
        c.wait(lambda: "0.example" in c.cursor_row())
        c.press("enter")
        c.wait("rrsets")
        c.press("d")
        c.wait("you are a viewer")
    assert lab.cli_json("draft", "list")["drafts"] == []


LEAVE = b"Q\x03\x1a"  # what ends or stops it by right
SENT = (b"\x1b[", b"\x1b[200~", b"\x1b[201~", b"\x1b[200~ddCyX\r\x1b[201~", b"\x1b[0n", b"\x1b[5n", b"\x1bO", b"\x1b[6~", b"\x1b[I",
        b"2\re", b"3\rF", b"7a\t", b"8/x", b":zone list\r", b"\x1b\x1b", b"\xc3\x28", b"\xf0\x9f\x98", b"\xed\xa0\x80", b"\xff" * 9)


@pytest.mark.parametrize("args", [[], ["--read-only"]], ids=["writes", "reads"])
def test_any_octets_and_sizes(example, args):
    """Keys, pastes, sequences cut short, UTF-8 that is none, and sizes, against a real appliance: the console stays,
    as small as it was, and one that only looks has changed nothing. A minute of it, and of others, in check-long."""
    seed = int(os.environ.get("NS_SEED", random.randrange(1 << 30) if "NS_LONG" in os.environ else 1))
    rng = random.Random(seed)
    print(f"NS_SEED={seed}", flush=True)
    before = example.cli("zone", "export", "example.com")
    end = time.monotonic() + (30 if "NS_LONG" in os.environ else 0.7)
    with Console(example.socket, VISUAL="true", args=args) as c:
        c.wait("Latency")
        while time.monotonic() < end:
            data = bytes(b for b in rng.randbytes(rng.randrange(200)) if b not in LEAVE)
            for part in (data, *rng.choices(SENT, k=rng.randrange(3))):
                c.child.write(part)
                assert c.read(0.005), (c.ended(), c.child.signalstatus, part)
            if rng.random() < 0.3:
                c.resize(rng.randint(1, 300), rng.randint(1, 100))
            c.raw = c.raw[-4000:]
        c.resize(100, 30)
        c.read(0.1)
        c.press("\x1b[201~", "esc", "esc", "\x1b[0n")  # the answer to a probe may have been torn
        c.wait("NameServe test-a")
        assert c.child.isalive() and peak_kib(c.child.pid) < 48 * 1024
        c.child.kill(signal.SIGTERM)  # whatever is open
        assert c.ended() == 0
    if args:
        assert example.cli("zone", "export", "example.com") == before
        assert example.cli_json("draft", "list")["drafts"] == []
    assert example.values("www.example.com") and example.cli("verify")


def session(*words, seconds=60):
    return subprocess.run([str(w) for w in words], capture_output=True, text=True, timeout=seconds)


def test_in_tmux(lab):
    server = ["tmux", "-L", f"ns{os.getpid()}", "-f", "/dev/null"]

    def pane():
        return session(*server, "capture-pane", "-p", "-t", "c").stdout

    env = f"env -u NO_COLOR LC_ALL=C.UTF-8 XDG_STATE_HOME={lab.dir}/state-tmux"
    try:
        assert session(*server, "new-session", "-d", "-s", "c", "-x", "80", "-y", "24",
                       f"{env} {NAMESERVE} --socket {lab.socket}").returncode == 0
        wait_until(lambda: "Latency" in pane(), "the console in tmux", 30)
        session(*server, "send-keys", "-t", "c", "2")
        wait_until(lambda: " 0.example" in pane(), "zones in tmux", 30)
        session(*server, "send-keys", "-t", "c", "Down", "NPage")
        wait_until(lambda: re.search(r"^> +[0-9a-f]{12}", pane(), re.M), "the cursor in tmux", 30)
        session(*server, "resize-window", "-t", "c", "-x", "120", "-y", "40")
        wait_until(lambda: any(len(line) > 80 for line in pane().splitlines()), "120 columns in tmux", 30)
        assert "\x1b" not in pane()
        session(*server, "send-keys", "-t", "c", "Q")
        wait_until(lambda: session(*server, "has-session", "-t", "c").returncode != 0, "the end in tmux", 30)
    finally:
        session(*server, "kill-server")


def test_in_screen(lab):
    """GNU screen between the console and the terminal: what it passes on is what pyte sees."""
    folder = lab.dir / "screens"
    folder.mkdir(mode=0o700)
    command = ["screen", "-c", "/dev/null", "-q", "-S", f"ns{os.getpid()}", NAMESERVE, "--socket", lab.socket]
    with Console(lab.socket, command=command, SCREENDIR=str(folder)) as c:
        c.wait("Latency")
        c.press("2")
        c.wait("0.example")
        c.press("down")
        c.wait(lambda: re.match(r"> +[0-9a-f]{12}", c.cursor_row()))
        c.press("Q")
        c.ended()


def test_noise_of_libraries_lands_in_the_messages(lab):
    with Console(lab.socket) as c:
        c.wait("Change ")
        fds = f"/proc/{c.child.pid}/fd/2"
        with open(fds, "w") as stderr:
            stderr.write("a library complains\x1b[2J\n")
        c.wait("a library complains")
        c.press(":", "messages", "enter")
        c.wait("Messages")
        c.wait("a library complains")
