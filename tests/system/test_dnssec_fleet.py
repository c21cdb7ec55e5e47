"""Keys in a fleet: every appliance signs, the standby can lead, and who leaves takes no key of tomorrow along."""

import pytest

from appliance import zone_text
from fleet import Fleet
from peers import wait_until
from test_dnssec_keys import validated


def signed(member, name="www.example.com", rdtype="A"):
    try:
        return validated(member, "example.com.", name, rdtype)
    except Exception:  # not yet: unsigned, or not there
        return None


def changes(member, kind):
    return [c for c in member.cli_json("history", "list")["changes"] if c["kind"] == kind]


@pytest.fixture
def fleet(tmp_path):
    with Fleet(3) as f:
        zone = tmp_path / "example.com"
        zone.write_text(zone_text("example.com.", records="www IN A 192.0.2.10\n"))
        f.primary.cli("zone", "import", "example.com", zone)
        f.primary.cli("zone", "create", "example.org", "--ns", "ns1.example.net.")
        f.primary.cli("dnssec", "enable", "example.com")
        f.primary.cli("dnssec", "enable", "example.org")
        for m in f.members:
            wait_until(lambda m=m: signed(m) == {"A"}, f"{m.name} signs; its log:\n{m.log()[-2000:]}", 40)
        yield f


def test_standby_leads_on_and_others_do_not(fleet):
    p, r1, r2 = fleet.members
    # The set that the KSK signs is one set everywhere.
    assert len({p.values("example.com", "CDS")[0], r1.values("example.com", "CDS")[0]}) == 1
    assert [k["tag"] for k in r1.cli_json("dnssec", "keys", "example.com")["keys"]] == [
        k["tag"] for k in p.cli_json("dnssec", "keys", "example.com")["keys"]]
    before = len(changes(p, "keyring"))
    p.cli("fleet", "standby", "r1")
    wait_until(lambda: len(changes(p, "keyring")) > before, "the standby has the key for KSKs", 30)
    fleet.wait_converged(40)
    # Who has both fleet keys can put them into a backup: the primary and the standby.
    word = r1.dir / "word"
    word.write_text("passphrase\n")
    assert r1.cli_json("backup", r1.dir / "kept", "--passphrase-file", word)["keys"]
    assert "fleet key for KSKs" in r2.fails(4, "backup", r2.dir / "kept", "--passphrase-file", word)
    p.kill()
    assert "freeze" not in r1.cli_run("fleet", "promote", "r1", "--confirm=r1").stderr
    wait_until(lambda: r1.cli_run("dnssec", "rollover", "example.com", "zsk").returncode == 0, "r1 rolls keys", 30)
    wait_until(lambda: len(r2.cli_json("dnssec", "keys", "example.com")["keys"]) == 3, "r2 hears of it", 30)
    # One that was never standby serves on, and says what it cannot do and until when that is no harm.
    until = r2.cli_json("dnssec", "keys", "example.org")["dnskey_signed_until"][:10]
    r1.kill()
    said = r2.fails(9, "fleet", "promote", "r2")
    assert "key events freeze" in said and "end on 20" in said
    assert "key events freeze" in r2.cli_run("fleet", "promote", "r2", "--confirm=r2").stderr
    assert "fleet key" in r2.fails(4, "dnssec", "rollover", "example.org", "zsk")
    wait_until(lambda: f"end on {until}" in str(r2.cli_json("status")["problems"]), "status says so", 30)
    # Nor does it make keys in place of those that others have: what it says is where these are.
    begun = len(changes(r2, "dnssec"))
    for which in (["example.org", "--confirm=example.org"], ["--all", "--confirm=all"]):
        assert "promote the one, or restore the other" in r2.fails(4, "dnssec", "new-keys", *which)
    assert len(changes(r2, "dnssec")) == begun
    assert signed(r2) == {"A"}


def test_who_leaves_has_no_key_of_tomorrow(fleet):
    p, r1, _ = fleet.members
    p.cli("fleet", "remove", "r2", "--confirm=r2")
    wait_until(lambda: any("left" in c["comment"] for c in changes(p, "keyring")), "a new fleet key", 30)
    rolled = p.cli_json("history", "list")["changes"][0]["revision"]
    wait_until(lambda: changes(p, "dnssec")[0]["revision"] >= rolled, "keys are wrapped anew", 30)
    p.cli("record", "set", "example.com", "new", 60, "A", "192.0.2.7", "--commit", "--wait", "served")
    wait_until(lambda: signed(r1, "new.example.com") == {"A"}, "r1 signs with it", 30)
