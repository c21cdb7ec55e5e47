"""Drafts, conflicts, and changes that wait for their confirmation, at a replica."""

import json

from appliance import zone_text
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
        done = replica.cli_json("commit", "example.com", "--confirm-within", "2s")
        assert replica.values("www.example.com") == ["192.0.2.1"]  # read your writes

        # Both count the same window; the primary ends it.
        for a in (primary, replica):
            assert [u["revision"] for u in a.cli_json("status")["unconfirmed"]] == [done["revision"]]
        wait_until(lambda: replica.values("www.example.com") == ["192.0.2.2"], "taken back", 15)
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
