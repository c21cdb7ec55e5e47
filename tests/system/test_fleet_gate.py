"""What is committed and waits for the standby: nobody is told of it, whoever dies meanwhile."""

import concurrent.futures
import os
import signal
import threading

import dns.exception
import dns.rcode

from appliance import zone_text
from fleet import Fleet
from peers import wait_until
from test_fleet_follow import pause
from test_fleet_standby import good, promote, same_history


class Watcher(threading.Thread):
    """Asks everybody for one name, all the time; remembers who had it."""

    def __init__(self, members, name):
        super().__init__()
        self.members, self.name, self.end, self.saw, self.asked = members, name, False, set(), 0

    def run(self):
        while not self.end:
            for m in self.members:
                try:
                    reply = m.ask(self.name, timeout=0.3)
                except (dns.exception.DNSException, OSError):
                    continue
                self.asked += 1
                if reply.answer:
                    self.saw.add(m.name)


def burst(p, *commands):
    """At once, so that all are committed before the standby's silence is noticed."""
    head = p.revision()
    with concurrent.futures.ThreadPoolExecutor(len(commands)) as pool:
        done = list(pool.map(lambda c: p.cli_run("--timeout", "3s", *c), commands))
    assert all(d.returncode != 0 for d in done), [(d.returncode, d.stdout) for d in done]
    wait_until(lambda: p.revision() >= head + len(commands), f"they are committed: {[d.stderr for d in done]}")


def record(name, value):
    return ("record", "set", "example.com", name, "60", "A", value, "--commit")


def probed(p, what="checks"):
    """How many checks its probe knows, or targets of ALIASes, once it has said so."""
    return wait_until(lambda: p.cli_json("status")[what], f"the probe has its {what}", 20)


def before(p):
    """What p answers while the first burst waits."""
    return (p.values("www.example.com.") == ["192.0.2.10"] and p.values("new.example.com.") == "NXDOMAIN"
            and p.values("www.old.example.") == ["192.0.2.20"] and p.values("fresh.example.", "SOA") == "REFUSED")


def after(m):
    return (m.values("www.example.com.") == ["192.0.2.11"] and m.values("new.example.com.") == ["192.0.2.12"]
            and m.values("www.old.example.") == "REFUSED" and m.values("fresh.example.", "SOA") not in ("REFUSED", "SERVFAIL"))


def test_nobody_is_told(tmp_path):
    with Fleet(3) as fleet:
        p, (r1, r2) = fleet.primary, fleet.replicas
        for zone, records in (("example.com", "www A 192.0.2.10\n"),
                              ("old.example", "www A 192.0.2.20\na ALIAS one.test.\nb ALIAS two.test.\n")):
            p.cli("zone", "import", zone, "-", stdin=zone_text(zone + ".", records=records))
        p.cli("settings", "set", "nameservers", "ns1.example.com.", "hostmaster", "h.example.com.")
        check = tmp_path / "check.json"
        check.write_text('{"type": "push"}')
        p.cli("check", "set", "web", check)
        p.cli("fleet", "standby", "r1")
        good(p, "last", "192.0.2.1", "--wait", "served")

        # Records, a zone that comes, a zone that goes, a check: all wait, through the death of every process that could tell.
        pause(r1, signal.SIGSTOP)
        try:
            burst(p, record("www", "192.0.2.11"), record("new", "192.0.2.12"),
                  ("zone", "create", "fresh.example"), ("zone", "delete", "old.example", "--confirm=old.example"),
                  ("check", "set", "fresh", check),
                  ("record", "set", "example.com", "c", "60", "ALIAS", "three.test.", "--commit"))
            assert before(p)
            for role in ("signer", "sync", "probe"):
                p.wait_replaced(role, p.kill_role(role))
                assert before(p), role
            p.kill()
            p.start()
            wait_until(lambda: before(p), "served as before")
            wait_until(lambda: probed(p) == 1 and probed(p, "aliases") == 2, "the probe has what it had")
            # One zone that the signer asks for again is as it was, too.
            p.wait_replaced("sync", p.kill_role("sync"))
            assert before(p) and before(r2) and p.values("last.example.com.") == ["192.0.2.1"]
            assert p.cli_json("verify")["ok"] and probed(p) == 1
        finally:
            pause(r1, signal.SIGCONT)
        for m in fleet.members:
            wait_until(lambda m=m: after(m) and probed(m) == 2 and probed(m, "aliases") == 1, f"{m.name} serves it", 20)
        same_history(fleet.members)

        # The standby without them is promoted: nobody ever answered with them.
        good(p, "last", "192.0.2.2", "--wait", "served")
        watcher = Watcher(fleet.members, "ghost.example.com.")
        watcher.start()
        pids = [x["pid"] for x in r1.processes()]
        pause(r1, signal.SIGSTOP)
        try:
            burst(p, record("ghost", "192.0.2.13"), record("last", "192.0.2.14"))
        finally:
            r1.process.kill()
            r1.process.wait(5)
            r1.process = None
        wait_until(lambda: not any(os.path.exists(f"/proc/{x}") for x in pids), "r1 is gone")
        p.kill()
        r1.start()
        _, done = promote(r1)
        p.start()
        wait_until(lambda: p.cli_json("status")["role"] == "replica" and p.follows(done["revision"]), "p follows r1", 20)
        good(p, "next", "192.0.2.15", "--wait", "served")
        watcher.end = True
        watcher.join()
        assert not watcher.saw and watcher.asked > 10
        for m in fleet.members:
            assert m.values("last.example.com.") == ["192.0.2.2"] and m.values("next.example.com.") == ["192.0.2.15"]
        assert "ghost.example.com." in p.cli("draft", "lost")
        same_history(fleet.members)
