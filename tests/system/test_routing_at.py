"""nameserve test --at: the same question at another appliance of the fleet, or at all."""

import pytest

from appliance import CliError, zone_text
from fleet import Fleet
from peers import wait_until


def everywhere(a, expected, *more):
    told = a.cli_json("test", "www.example.com", "A", "--at", "all", *more)
    return told if {o["appliance"]: o.get("fault") or o["answers"] for o in told["others"]} == expected else None


def test_at_another_and_at_all(tmp_path):
    zone = tmp_path / "example.com"
    zone.write_text(zone_text("example.com.", records="www 60 A 192.0.2.10\n"))
    answer = ["www.example.com. 60 IN A 192.0.2.10"]
    with Fleet(3) as f:
        p, (r1, r2) = f.primary, f.replicas
        p.cli("zone", "import", "example.com", zone)
        f.wait_converged()
        told = wait_until(lambda: everywhere(r1, {"p": answer, "r2": answer}), "links between all", 30)
        assert told["appliance"] == "r1" and told["answers"] == answer and told["steps"]
        assert all(o["rcode"] == "NOERROR" and o["steps"] for o in told["others"])
        told = r1.cli_json("test", "www.example.com", "A", "--at", "r2", "--ecs", "192.0.2.0/24")
        assert told["appliance"] == "r2" and told["answers"] == answer and not told.get("others")
        assert "at r2:" in p.cli("test", "www.example.com", "A", "--at", "all")
        assert "no appliance" in r1.fails(2, "test", "www.example.com", "A", "--at", "nobody")
        # A draft of this user here, as each of them would answer it.
        r1.cli("record", "set", "example.com", "www", 30, "A", "192.0.2.20")
        drafted = ["www.example.com. 30 IN A 192.0.2.20"]
        told = wait_until(lambda: everywhere(r1, {"p": drafted, "r2": drafted}, "--draft"), "the draft everywhere", 30)
        assert told["answers"] == drafted
        assert r1.cli_json("test", "www.example.com", "A", "--at", "r2", "--draft")["answers"] == drafted
        assert r1.cli_json("test", "www.example.com", "A", "--at", "r2")["answers"] == answer
        assert "there is no draft" in r2.fails(3, "test", "www.example.com", "A", "--draft", "--at", "r1")
        p.stop()  # it needs no primary
        assert r1.cli_json("test", "www.example.com", "A", "--at", "r2", "--draft")["answers"] == drafted
        assert r1.cli_json("test", "www.example.com", "A", "--at", "r2")["answers"] == answer
        wait_until(lambda: everywhere(r1, {"p": "it cannot be reached from here", "r2": answer}), "p is away", 30)
        with pytest.raises(CliError) as e:
            r1.cli("test", "www.example.com", "A", "--at", "p")
        assert e.value.code not in (0, 2) and "reached" in e.value.err
