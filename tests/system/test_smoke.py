"""The thread through all real parts, as a user pulls it. Also run on the sanitized build."""

import dns.flags
import dns.rcode

from appliance import zone_text


def test_import_serve_edit_restart(appliance):
    path = appliance.dir / "example.com"
    path.write_text(zone_text("example.com.", 7, "www IN A 192.0.2.10\n*.wild IN TXT \"w\"\n"))
    done = appliance.cli_json("zone", "import", "example.com", path)
    assert (done["zones"], done["records"], done["errors"]) == (1, 7, [])

    for tcp in (False, True):
        for where in ("127.0.0.1", "::1"):
            reply = appliance.ask("www.example.com", "A", tcp=tcp, where=where)
            assert reply.flags & dns.flags.AA
            assert str(reply.answer[0][0]) == "192.0.2.10"
    assert appliance.values("a.b.wild.example.com", "TXT") == ['"w"']
    assert appliance.values("nope.example.com") == "NXDOMAIN"
    assert appliance.ask("example.org").rcode() == dns.rcode.REFUSED

    reply = appliance.cli_json(
        "record", "set", "example.com", "www", "60", "A", "192.0.2.11", "--commit", "-m", "move"
    )
    assert reply["served"][0]["appliance"] == "test-a"
    assert appliance.values("www.example.com") == ["192.0.2.11"]
    assert reply["serial"] > 7
    assert str(reply["serial"]) in appliance.values("example.com", "SOA")[0]

    assert appliance.cli_json("verify")["ok"] is True
    assert appliance.stop() == 0
    appliance.start()
    assert appliance.values("www.example.com") == ["192.0.2.11"]
    assert appliance.cli_json("verify")["ok"] is True
    changes = appliance.cli_json("history", "list")["changes"]
    assert changes[0]["comment"] == "move"


def test_status_has_the_contract_shape(appliance):
    status = appliance.cli_json("status")
    assert status["role"] == "primary" and status["name"] == "test-a"
    for key in ("standby", "term", "revision", "primary", "zones", "frozen", "processes"):
        assert key in status
    assert {p["role"] for p in status["processes"]} == {"sync", "signer", "answer", "worker", "probe"}
    for process in status["processes"]:
        assert {"role", "index", "pid", "state", "restarts", "uptime_s"} <= set(process)
    assert status["primary"]["name"] == "test-a" and status["primary"]["reachable"] is True
