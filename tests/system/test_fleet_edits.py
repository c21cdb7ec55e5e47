"""Drafts, conflicts, and changes that wait for their confirmation, at a replica."""

import json
import subprocess
import time

from appliance import BUILD, zone_text
from fleet import Fleet
from peers import wait_until


def test_edits_at_a_replica():
    with Fleet(2) as fleet:
        primary, replica = fleet.primary, fleet.replicas[0]
        primary.cli("zone", "import", "example.com", "-",
                    stdin=zone_text("example.com.", records="www IN A 192.0.2.10\n"))
        fleet.wait_converged()

        # A draft is made and planned on what the replica has, and committed by the primary.
        replica.cli("record", "set", "example.com", "www", 60, "A", "192.0.2.1")
        assert replica.cli_json("plan", "example.com")["zones"][0]["records_touched"] == 1
        replica.cli("record", "set", "example.com", "www", 60, "A", "192.0.2.2", "--commit")
        done = replica.cli_run("--json", "commit", "example.com")
        assert done.returncode == 5, (done.stdout, done.stderr)
        sets = json.loads(done.stdout)["error"]["conflict"]["rrsets"]
        assert [s["overlaps"] for s in sets] == [True] and sets[0]["theirs"]["rdata"] == ["192.0.2.2"]
        replica.cli("draft", "rebase", "example.com")
        # Both count the same window, and the primary ends it; a longer one on a machine with others.
        for window in (2, 10, 40):
            start = time.monotonic()
            done = replica.cli_json("commit", "example.com", "--confirm-within", f"{window}s")
            served = replica.values("www.example.com")  # read your writes
            waits = [[u["revision"] for u in a.cli_json("status")["unconfirmed"]] for a in (primary, replica)]
            in_time = time.monotonic() - start < window
            wait_until(lambda: replica.values("www.example.com") == ["192.0.2.2"], "taken back", 60)
            if in_time:
                break
            replica.cli("record", "set", "example.com", "www", 60, "A", "192.0.2.1")
        assert in_time and served == ["192.0.2.1"] and waits == [[done["revision"]]] * 2
        assert primary.cli_json("history", "list")["changes"][0]["kind"] == "expire"
        fleet.wait_converged()
        for a in (primary, replica):
            assert a.cli_json("status")["unconfirmed"] == []

        # Whole zones go and come back.
        replica.cli("zone", "delete", "example.com", "--confirm=example.com")
        replica.cli("zone", "restore", "example.com")
        fleet.wait_converged()
        assert replica.values("www.example.com") == primary.values("www.example.com") == ["192.0.2.2"]
        assert replica.cli_json("verify")["ok"] is True


def hosts(n, net="10.1"):
    return "".join(f"h{i} IN A {net}.{i >> 8}.{i & 255}\n" for i in range(n))


def test_an_import_at_a_replica():
    """The primary reads and commits it, piece by piece; its words come back when they are served here."""
    with Fleet(2) as fleet:
        primary, replica = fleet.primary, fleet.replicas[0]
        folder = replica.dir / "zones"
        folder.mkdir()
        for i in range(40):
            (folder / f"z{i}.example").write_text(zone_text(f"z{i}.example.", records="www IN A 192.0.2.10\n"))
        (folder / "bad.example").write_text(zone_text("bad.example.", records="www IN A 192.0.2.300\n"))
        done = replica.cli_run("--json", "zone", "import", "--dir", folder, "-m", "all of it")
        said = json.loads(done.stdout)
        assert done.returncode == 6 and said["zones"] == 40, (done.stdout, done.stderr)
        assert [(e["file"].endswith("bad.example"), e["line"]) for e in said["errors"]] == [(True, 8)]
        for i in range(40):
            assert replica.values(f"www.z{i}.example") == ["192.0.2.10"]  # read your writes
        imports = primary.cli_json("history", "list", "--filter", "kind:import")["changes"]
        assert imports[0]["comment"] == "all of it" and imports[0]["author"] == "root"
        # Again: nothing is done twice.
        again = json.loads(replica.cli_run("--json", "zone", "import", "--dir", folder).stdout)
        assert again["unchanged"] == 40 and again["zones"] == 0
        assert primary.cli_json("history", "list", "--filter", "kind:import")["changes"] == imports

        # A file of many chunks; of a zone that there is, a draft of the difference, which is planned here.
        big = zone_text("big.example.", 1, hosts(30000))
        assert replica.cli_json("zone", "import", "big.example", "-", stdin=big)["records"] == 30005
        assert replica.values("h29999.big.example") == ["10.1.117.47"]
        more = zone_text("big.example.", 2, hosts(30000) + "new IN A 192.0.2.1\n")
        assert replica.cli_json("zone", "import", "big.example", "-", stdin=more)["ops"] == 2
        assert replica.cli_json("plan", "big.example")["zones"][0]["records_added"] == 2
        replica.cli("commit", "big.example", "-m", "one more")
        assert replica.values("new.big.example") == ["192.0.2.1"]
        replica.cli("zone", "import", "big.example", "-", "--commit", "--confirm=big.example",
                    stdin=zone_text("big.example.", 3, hosts(10)))
        assert replica.values("h9.big.example") == ["10.1.0.9"] and replica.values("h10.big.example") == "NXDOMAIN"

        # Clients that die in the middle hold no place for long: there are eight.
        dead = [subprocess.Popen([BUILD / "bin" / "nameserve", "--socket", replica.socket, "zone", "import", f"dead{i}.example",
                                  "-"], stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for i in range(8)]
        for d in dead:
            d.stdin.write(zone_text("dead.example.", 1, hosts(9000)))
            d.stdin.flush()
        small = zone_text("alive.example.", 1)
        wait_until(lambda: "other imports" in replica.cli_run("zone", "import", "alive.example", "-", stdin=small).stderr,
                   "all places are taken")
        for d in dead:
            d.kill()
            d.communicate()
        wait_until(lambda: replica.cli_run("zone", "import", "alive.example", "-", stdin=small).returncode == 0, "a place", 50)
        assert primary.log().count("event=import.abandoned") > 0

        # The primary dies in the middle: the import is begun anew, and is whole.
        half = subprocess.Popen([BUILD / "bin" / "nameserve", "--socket", replica.socket, "zone", "import",
                                 "late.example", "-"], stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        half.stdin.write(zone_text("late.example.", 1, hosts(20000)))
        half.stdin.flush()
        primary.kill()
        out = half.communicate("last IN A 192.0.2.9\n", timeout=60)[1]
        assert half.returncode == 8 and "import again" in out, (half.returncode, out)
        primary.start()
        wait_until(lambda: replica.follows(), "the replica follows")
        late = zone_text("late.example.", 1, hosts(20000) + "last IN A 192.0.2.9\n")
        wait_until(lambda: replica.cli_run("zone", "import", "late.example", "-", stdin=late).returncode == 0, "again")
        assert replica.values("last.late.example") == ["192.0.2.9"]
        fleet.wait_converged()
        assert primary.head_hash() == replica.head_hash()
