"""`Y`: the command that tells what a screen shows.  Each screen of one appliance is opened, its command taken from the
clipboard and run: it knows the same, and its JSON is JSON.  And every exit code is reached once."""

import base64
import json
import os
import pwd
import re
import shlex
import signal
import subprocess

import pytest

from appliance import BUILD, Appliance, zone_text
from console import Console
from peers import wait_until

ZONE = "twin.example"
TORN = "unlike.example"  # changed by others while its draft was made
POLICY = {"ttl": 30, "root": {"pool": "eu"}, "pools": {"eu": {"answers": [{"value": "192.0.2.20", "check": "eu-1"}]}}}


@pytest.fixture(scope="module")
def lab():
    with Appliance() as a:
        a.cli("check", "set", "eu-1", "-", stdin=json.dumps({"type": "push", "initial": "up"}))
        for zone in (ZONE, "other.example", "gone.example", TORN):
            path = a.dir / zone
            path.write_text(zone_text(f"{zone}.", records="mail IN A 192.0.2.25\n"))
            a.cli("zone", "import", zone, path, "-m", "imported")
        a.cli("policy", "set", ZONE, "www", "A", "-", "--commit", "-m", "the policy", stdin=json.dumps(POLICY))
        a.cli("zone", "delete", "gone.example", "--confirm=gone.example")
        a.cli("dnssec", "enable", ZONE)
        a.cli("check", "push", "eu-1", "down", "--for", "1h")
        a.cli("record", "set", ZONE, "new", "60", "A", "192.0.2.77")
        a.cli("record", "set", TORN, "mail", "60", "A", "192.0.2.1")
        a.cli("record", "set", TORN, "mail", "60", "A", "198.51.100.1", "--commit", "-m", "cut over")
        a.ask(f"mail.{ZONE}", "A")
        yield a


# Keys, and what the screen shows when they have done what they do; the command; what both know.
ZONES = [("2", "RRSETS"), ("/", "changed:<1d"), ("\x15^twin", "1 of 3"), ("\r", "open")]
IN = [*ZONES, ("\r", "192.0.2.25")]
TABS = [("]", "CRIT 0/1"), ("]", "KSK"), ("]", "BUSIEST NAMES"), ("]", "imported"), ("]", "Hostmaster")]
SCREENS = {
    "overview": ([("1", f" {ZONE}")], "stats --top zones", [ZONE]),
    "zones": ([("2", "other.example")], "zone list", [ZONE, "other.example"]),
    "zones, filtered": (ZONES, "zone list --filter '^twin'", [ZONE]),
    "records": (IN, f"record list {ZONE}", ["mail", "192.0.2.25", "www"]),
    "records, filtered": ([*IN, ("/", "type:MX"), ("qps:>1", "is not known here"), ("\x15name:mail type:a", "1 rrset"), ("\r", "open")],
                          f"record list {ZONE} --filter 'name:mail type:a'", ["mail", "192.0.2.25"]),
    "policies": ([*IN, *TABS[:1]], f"policy list {ZONE}", ["www"]),
    "policy editor": ([*IN, *TABS[:1], ("\r", "192.0.2.20")], f"policy show {ZONE} www.{ZONE} A", ["192.0.2.20", "eu-1"]),
    "dnssec": ([*IN, *TABS[:2]], f"dnssec keys {ZONE}", ["KSK", "ZSK"]),
    "metrics": ([*IN, *TABS[:3]], f"stats --scope zone:{ZONE} --top names", []),
    "history of a zone": ([*IN, *TABS[:4]], f"history list {ZONE}", ["the policy", "imported"]),
    "settings": ([*IN, *TABS], f"zone show {ZONE}", [ZONE]),
    "health": ([("3", "eu-1")], "check health", ["eu-1"]),
    "check": ([("3", "eu-1"), ("\r", "Health > eu-1")], "check show eu-1", ["eu-1", "push"]),
    "events": ([("3", "eu-1"), ("H", "as seen from")], "check history eu-1", ["down"]),
    "fleet": ([("4", "in service")], "fleet list", ["test-a", "primary"]),
    "appliance": ([("4", "in service"), ("\r", "Fleet > test-a")], "fleet show test-a", ["test-a", "primary"]),
    "pending": ([("5", ZONE)], "draft list", [ZONE]),
    "diff": ([("5", ZONE), ("\r", "192.0.2.77")], f"draft diff {ZONE}", ["192.0.2.77"]),
    "conflict": ([("5", ZONE), ("j", TORN), ("\r", "others changed the zone"), ("\r", "Conflict >")], f"plan {TORN}",
                 ["192.0.2.1", "198.51.100.1", "cut over"]),
    "history": ([("6", "the policy")], "history audit", ["the policy", "imported", "login"]),
    "change": ([("6", "cut over"), ("\r", "198.51.100.1")], "history show 11", ["cut over", "198.51.100.1", "192.0.2.25"]),
    "query test": ([("7", "Query test"), (f"mail.{ZONE}\tA\t192.0.2.53\t\t\t\t\t  \r", "NOERROR"), ("\t", "w all")],
                   f"test mail.{ZONE} A --client 192.0.2.53 --at test-a", ["192.0.2.25", "NOERROR", "RRSIG"]),
    "tail": ([("8", "Tail")], None, []),
    "connect": ([("9", "test-a")], "fleet list", ["test-a"]),
    "trash": ([(":trash\r", "gone.example")], "zone trash", ["gone.example"]),
    "help": ([("2", "RRSETS"), ("?", "Help")], "help keys", ["Enter"]),
    "record editor": ([*IN, ("/", "type:MX"), ("name:mail type:a", "1 rrset"), ("\r", "open"), ("e", "[192.0.2.25 "), ("\x18", "Actions")],
                      f"record set {ZONE} mail.{ZONE} 300 A 192.0.2.25", [ZONE]),
    "check editor": ([("\x1b", "edit mail A"), ("\x07", "1 rrset"), ("3", "eu-1"), ("e", "Initial [up"), ("\x18", "Actions")],
                     "check show eu-1", ["eu-1"]),
    "check editor, changed": ([("\x1b", "edit eu-1"), ("\td", "not made so"), ("\x18", "Actions")],
                              "check set eu-1 - <<< '{\"type\": \"push\", \"initial\": \"down\"}'", []),
    "a command": ([(f":nameserve zone show {ZONE}\r", "exit 0")], f"zone show {ZONE}", [ZONE]),
}
PLAIN = ("help", "policy editor", "tail")  # which have no document of a schema


def yank(c):
    """What Y put into the clipboard."""
    before = c.raw.count(b"\x1b]52;c;")
    c.press("Y")
    c.wait(lambda: c.raw.count(b"\x1b]52;c;") > before and b"\x07" in c.raw[c.raw.rindex(b"\x1b]52;c;"):])
    return base64.b64decode(re.match(rb"[A-Za-z0-9+/=]*", c.raw.rsplit(b"\x1b]52;c;", 1)[1]).group()).decode()


def undotted(command):
    return re.sub(r"\.(?= |$)", "", command)


def run(a, command, *more):
    command, _, typed = command.partition(" <<< ")
    words = shlex.split(command)
    assert words[0] == "nameserve", command
    return a.cli_run(*words[1:], *more, stdin="".join(shlex.split(typed)))


def test_the_command_of_each_screen_knows_the_same(lab):
    wrong = []
    with Console(lab.socket, width=120, height=40, args=["--clipboard", "osc52"]) as c:
        c.wait("root:admin")
        for name, (keys, command, facts) in SCREENS.items():
            for key, shown in keys:
                c.press(key)
                c.wait(shown)
            said = yank(c)
            print(name, said)
            assert command is None or undotted(said) == f"nameserve {command}", name
            if name == "tail":  # it does not end
                continue
            c.wait(lambda: all(fact.lower() in c.text().lower() for fact in facts))
            done = run(lab, said)
            assert done.returncode == (5 if name == "conflict" else 0), (name, said, done)
            told = (done.stderr if name == "conflict" else done.stdout).lower()
            wrong += [(name, fact) for fact in facts if fact.lower() not in told]
            if name not in PLAIN:
                wrong += [] if json.loads(run(lab, said, "--json").stdout).get("schema", "").startswith("ns.") else [(name, "schema")]
        c.press("Q")
        assert c.ended() == 0
    assert not wrong


def test_an_appliance_alone_tells_its_load(lab):
    def load():
        for _ in range(5):
            lab.ask(f"mail.{ZONE}", "A")
        (alone,) = lab.cli_json("fleet", "list")["appliances"]
        return alone["qps"] > 0 and alone["p99_us"] > 0

    wait_until(load, "its load in the list", 30)


MUTE = """import subprocess, sys
p = subprocess.Popen([*sys.argv[1:4], "proxy", "--stdio"], stdout=subprocess.PIPE)
out = sys.stdout.buffer
out.write(p.stdout.readline())
size = p.stdout.read(4)
out.write(size + p.stdout.read(int.from_bytes(size, "big")))
out.flush()
p.wait()
"""


def unanswered(a, *words):
    """By way of what passes all requests on, and no reply but that to hello."""
    (a.dir / "mute.py").write_text(MUTE)
    ssh = f"/usr/bin/python3 {a.dir}/mute.py {BUILD}/bin/nameserve --socket {a.socket}"
    return subprocess.run([BUILD / "bin" / "nameserve", "--appliance", "ssh:lab", "--timeout", "3s", *words], capture_output=True,
                          env={**a.env, "NAMESERVE_SSH": ssh}).returncode


ADDRESS = "192.0.2.2"


def unserved(a, *words):
    """While the processes that answer stand still; committed in time, which takes a try more on a machine with others."""
    pids = [p["pid"] for p in a.processes() if p["role"] in ("answer", "worker")]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        for n, timeout in enumerate(("500ms", "1500ms", "2500ms")):
            code = a.cli_run("--timeout", timeout, *(f"192.0.2.{n + 2}" if w == ADDRESS else w for w in words), "--wait", "served").returncode
            if code != 8:
                break
        return code
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def interrupted(a, *words, **how):
    """As a shell has it, which leaves the signal as it is for what it starts; who started us may have it ignored."""
    p = subprocess.Popen([BUILD / "bin" / "nameserve", "--socket", a.socket, *words], stdout=subprocess.PIPE, text=True,
                         preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL), **how)
    assert p.stdout.readline()
    p.send_signal(signal.SIGINT)
    p.communicate(timeout=30)  # all of it: a reader that has gone is another end
    return 128 - p.returncode


def test_every_exit_code_is_reached(lab):
    bad = lab.dir / "bad.zone"
    bad.write_text("@ 60 IN A 192.0.2.300\n")
    stale = ("record", "set", ZONE, "x", "60", "A", "192.0.2.1", "--commit")
    found = {lab.cli_run(*words).returncode: words for words in (
        ("status",), ("backup", lab.dir / "no" / "where"), ("zone", "burn"), ("zone", "show", "none.example"),
        ("--read-only", "zone", "create", "x.example"), (*stale, "--base", "1"),
        ("zone", "import", "bad.example", bad), ("--socket", lab.dir / "nowhere", "--timeout", "1s", "status"), ("zone", "delete", ZONE),
        ("draft", "diff", ZONE, "--exit-code"))}
    assert sorted(found) == [0, 1, 2, 3, 4, 5, 6, 7, 9, 10]
    assert lab.cli_run("draft", "diff", ZONE).returncode == 0
    assert lab.cli_run("plan", ZONE, "--exit-code").returncode == 10
    change = lab.cli_json("history", "list", ZONE)["changes"][-1]["revision"]
    done = lab.cli_run("history", "diff", change, "--exit-code")
    assert done.returncode == 10 and f"mail.{ZONE}. 300 IN A 192.0.2.25" in done.stdout
    assert lab.cli_run("history", "diff", change).returncode == 0
    assert unanswered(lab, *stale) == 8
    assert unserved(lab, *stale[:-2], ADDRESS, "--commit") == 11
    assert interrupted(lab, "stats", "--watch", "100ms") == 130


@pytest.mark.skipif(os.getuid() != 0, reason="needs root to become another")
def test_the_exit_codes_of_the_console(lab):
    """Q and a hang-up are 0, an interrupt 130, a terminal that will not do 2 (test_console_linear); and what it never
    reached."""
    def linear(**how):
        return subprocess.run([BUILD / "bin" / "nameserve", "--linear"], stdin=subprocess.DEVNULL, capture_output=True, timeout=60,
                              **how).returncode

    state = lab.dir / "state-of-nobody"
    state.mkdir(mode=0o777)
    nobody = {**os.environ, "NAMESERVE_SOCKET": lab.socket, "XDG_STATE_HOME": str(state)}
    assert linear(env=nobody) == 0
    assert linear(env={**nobody, "NAMESERVE_SOCKET": "/none"}) == 7
    assert linear(env=nobody, user=pwd.getpwnam("mail").pw_uid, extra_groups=[]) == 4
    for socket, sig, code in ((lab.socket, signal.SIGHUP, 0), (lab.socket, signal.SIGINT, 130), ("/none", signal.SIGHUP, 7)):
        with Console(lab.socket, command=[BUILD / "bin" / "nameserve", "--socket", socket]) as c:
            c.wait("NO LINK" if socket == "/none" else "root:admin")
            os.kill(c.child.pid, sig)
            assert c.ended() == code
