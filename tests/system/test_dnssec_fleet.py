"""Keys in a fleet: every appliance signs, the standby can lead, and who leaves takes no key of tomorrow along."""

import pytest

import keyspy
from appliance import zone_text
from fleet import Fleet
from peers import wait_until
from test_dnssec_keys import validated
from warp import Clock


def signed(member, name="www.example.com", now=None, zone="example.com."):
    try:
        return validated(member, zone, name, "A", now)
    except Exception:  # not yet: unsigned, or not there
        return None


def opened(member, ring):
    """The roles of those wrapped keys in its store that one of these fleet keys opens."""
    return [role for role, context, blob in keyspy.wrapped_keys(member.data)
            if any(keyspy.opens(key, blob, context) for key in ring.values())]


def changes(member, kind):
    return [c for c in member.cli_json("history", "list")["changes"] if c["kind"] == kind]


@pytest.fixture
def fleet(tmp_path):
    clock = Clock()
    with clock, Fleet(3, **clock.kw) as f:
        f.clock = clock
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
    kept = ("backup", r1.dir / "kept", "--passphrase-file", word)
    wait_until(lambda: r1.cli_run(*kept).returncode == 0 and r1.cli_json(*kept)["keys"], "r1 can keep both")
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
    # What time asks for is not done either: the roll that r1 began stays where it is, and says why.
    rolling = r2.cli_json("dnssec", "keys", "example.com")
    assert rolling["next_event"] and "not looked after" in rolling["warning"]
    fleet.clock.passes(3 * 3600)
    wait_until(lambda: "event=keys.frozen" in r2.log(), "the event was tried", 30)
    late = r2.cli_json("dnssec", "keys", "example.com")
    assert late["keys"] == rolling["keys"] and late["next_event"] == rolling["next_event"]
    assert "not looked after" in r2.cli_run("dnssec", "keys", "example.com").stderr
    assert r2.cli_json("stats")["signing"]["next_event"] == rolling["next_event"]
    # Nor does it make keys in place of those that others have: what it says is where these are.
    begun = len(changes(r2, "dnssec"))
    for which in (["example.org", "--confirm=example.org"], ["--all", "--confirm=all"]):
        assert "promote that one, or restore a backup" in r2.fails(4, "dnssec", "new-keys", *which)
    assert len(changes(r2, "dnssec")) == begun
    assert signed(r2) == {"A"}
    both_holders_are_lost_for_good(fleet, r1, r2)


def tags(member, zone, role):
    return {k["tag"] for k in member.cli_json("dnssec", "keys", zone)["keys"] if k["role"] == role}


def both_holders_are_lost_for_good(fleet, r1, r2):
    """Who is left has the key for ZSKs alone. Removed, the others are no reason to wait any more: a new key for KSKs, and
    zones are signed by the ZSKs that they have."""
    zones = "example.com", "example.org"
    before = {(z, role): tags(r2, z, role) for z in zones for role in ("ksk", "zsk")}
    rings = len(changes(r2, "keyring"))
    for name in ("p", "r1"):
        r2.cli("fleet", "remove", name, f"--confirm={name}")
    wait_until(lambda: len(changes(r2, "keyring")) > rings, "a fleet key that they have not", 30)
    fleet.clock.passes(61)  # what was refused is tried again
    old = keyspy.fleet_keys("r1", (r1.dir / "kek").read_bytes(), r1.data)[1]
    wait_until(lambda: opened(r2, old) == ["ksk"] * 2, "every ZSK is wrapped with it", 30)
    said = r2.cli_run("dnssec", "new-keys", "--all", "--confirm=all")
    assert said.returncode == 0 and "DS at the parent must be replaced" in said.stderr, said
    for zone in zones:
        assert not tags(r2, zone, "ksk") & before[zone, "ksk"] and tags(r2, zone, "zsk") == before[zone, "zsk"]
        assert "not lost" in r2.fails(5, "dnssec", "new-keys", zone, f"--confirm={zone}")
    assert signed(r2, now=fleet.clock.now()) == {"A"} and opened(r2, old) == []  # what r1 knew opens nothing of it
    wait_until(lambda: "fleet key" not in str(r2.cli_json("status")["problems"]), "what is over is not said any more", 30)
    r2.cli("dnssec", "rollover", "example.org", "zsk")


def test_who_leaves_has_no_key_of_tomorrow(fleet):
    p, r1, r2 = fleet.members
    p.cli("fleet", "remove", "r2", "--confirm=r2")
    wait_until(lambda: any("left" in c["comment"] for c in changes(p, "keyring")), "a new fleet key", 30)
    rolled = p.cli_json("history", "list")["changes"][0]["revision"]
    wait_until(lambda: changes(p, "dnssec")[0]["revision"] >= rolled, "keys are wrapped anew", 30)
    p.cli("record", "set", "example.com", "new", 60, "A", "192.0.2.7", "--commit", "--wait", "served")
    wait_until(lambda: signed(r1, "new.example.com") == {"A"}, "r1 signs with it", 30)
    old = keyspy.fleet_keys("r2", (r2.dir / "kek").read_bytes(), r2.data)[1]
    # Each zone's by an event of its own; one that was refused comes again after a minute.
    wait_until(lambda: opened(p, old) == [], "no key opens with what r2 has", 90)
    new_fleet_keys_reach_all_who_are_there(p, r1, old)


def new_fleet_keys_reach_all_who_are_there(p, r1, old):
    """The primary's key file is lost, and nobody was standby: every appliance gets the fleet keys that are made then, and
    none that has left opens anything with what it has."""
    before = keyspy.fleet_keys("r1", (r1.dir / "kek").read_bytes(), r1.data)[1]
    p.stop()
    (p.dir / "kek").unlink()
    (p.data / "signer" / "appliance.key").unlink()
    p.start()
    wait_until(r1.follows, "they have heard of each other", 30)
    assert "fleet key" in p.fails(4, "dnssec", "rollover", "example.org", "zsk")
    gone = {z: tags(p, z, "ksk") | tags(p, z, "zsk") for z in ("example.com", "example.org")}
    assert p.cli_run("dnssec", "new-keys", "--all", "--confirm=all").returncode == 0
    for zone, were in gone.items():
        assert not were & (tags(p, zone, "ksk") | tags(p, zone, "zsk"))
    p.cli("record", "set", "example.com", "newer", 60, "A", "192.0.2.7", "--commit", "--wait", "served")
    for m in (p, r1):
        wait_until(lambda m=m: signed(m, "newer.example.com") == {"A"}, f"{m.name} signs; its log:\n{m.log()[-2000:]}", 40)
    wait_until(lambda: opened(p, old) == opened(p, before) == [], "no key opens with what was", 90)
    assert "zsk" in opened(r1, keyspy.fleet_keys("r1", (r1.dir / "kek").read_bytes(), r1.data)[1])
