"""A large zone is signed in slices: others' edits are served in between, nothing half-signed is, and what becomes of the
zone meanwhile (its own edits, other denial, a signer that dies) is in what is served at the end."""

import os
import re
import subprocess
import threading
import time

import dns.flags
import dns.message
import dns.query
import dns.rdatatype
import pytest

from appliance import BUILD, Appliance, zone_text
from peers import wait_until
from test_dnssec_keys import validated

LONG = os.environ.get("NS_LONG")
LARGE, SMALL = "large.example", "small.example"
NAMES = 15000


@pytest.fixture(scope="module")
def site():
    with Appliance() as a:
        for zone, records in ((LARGE, "".join(f"n{i} IN A 192.0.2.{i % 250}\n" for i in range(NAMES))), (SMALL, "")):
            path = a.dir / zone
            path.write_text(zone_text(zone + ".", records=records))
            a.cli("zone", "import", zone, path)
        yield a


def ask(a, name, rdtype):
    q = dns.message.make_query(name, rdtype, want_dnssec=True, use_edns=0, payload=4096)
    return dns.query.udp(q, "127.0.0.1", port=a.port, timeout=10)


def kinds(reply):
    return {s.rdtype for s in reply.answer + reply.authority}


def state(a):
    """What denies a name: None, "nsec" or "nsec3"; asserts that an answer has all of its signatures or none."""
    soa, gone = ask(a, LARGE, "SOA"), ask(a, f"gone.{LARGE}", "A")
    denial = kinds(gone) & {dns.rdatatype.NSEC, dns.rdatatype.NSEC3}
    for reply in (soa, gone):
        sets = [s for s in reply.answer + reply.authority if s.rdtype not in (dns.rdatatype.RRSIG, dns.rdatatype.NS)]
        signed = [s for s in reply.answer + reply.authority if s.rdtype == dns.rdatatype.RRSIG]
        assert len(signed) in (0, len(sets)), reply
    assert len(denial) < 2
    return {frozenset(): None, frozenset({dns.rdatatype.NSEC}): "nsec", frozenset({dns.rdatatype.NSEC3}): "nsec3"}[
        frozenset(denial)]


def edit(a, i, zone=SMALL):
    """That record, until it is served, as the command says and as the answer has it."""
    a.cli("record", "set", zone, f"e{i}", "60", "TXT", f'"{i}"', "--commit", "--timeout", "60s", "-m", "t", timeout=90)
    assert ask(a, f"e{i}.{zone}", "TXT").answer, i


def while_signing(a, wanted, *command):
    """Runs the command; once it signs, edits of another zone until the large one is what it shall be. How many there were."""
    result, edits, start = {}, 0, time.monotonic()

    def run():
        result["done"] = a.cli_run(*command, "--timeout", "120s", "-m", "t", timeout=150)

    thread = threading.Thread(target=run)
    thread.start()
    begun(a, wanted)
    while state(a) != wanted:
        edit(a, f"{wanted}{edits}")
        edits += 1
        assert time.monotonic() < start + 120
    thread.join()
    assert result["done"].returncode == 0, result["done"].stderr
    return edits


def begun(a, wanted):
    """It is being signed, or (on a fast machine) is already."""
    wait_until(lambda: a.cli_json("status").get("signatures", {}).get("making") == LARGE + "." or state(a) == wanted, "it begins", 60)


def verified(a):
    said = a.cli_json("verify", "--signatures", timeout=240)
    assert said["ok"], said
    return said["signatures"]


# Edits that a part of the zone is signed for: names with others above them that are nothing else, a wildcard, a type more,
# a delegation with what it hides, the first name and the last; and their ends.
EDITS = (("set", "a.b.deep", "60", "A", "192.0.2.1"), ("set", "*.n77", "60", "A", "192.0.2.2"),
         ("set", "n78", "60", "TXT", '"more"'), ("set", "x.cut", "60", "A", "192.0.2.3"), ("set", "cut", "60", "NS", f"x.cut.{LARGE}."),
         ("set", "-", "60", "A", "192.0.2.4"), ("set", "zz", "60", "MX", "1 zz"), ("del", "n79"))
ENDS = (("del", "a.b.deep"), ("del", "*.n77"), ("del", "n78", "TXT"), ("del", "cut"), ("del", "x.cut"), ("del", "-"),
        ("del", "zz"), ("set", "n79", "60", "A", "192.0.2.5"))


def judged(a, wanted):
    """By others, after edits: one answer and one denial; where there is time, all that the map has of the zone."""
    assert validated(a, LARGE + ".", f"n1.{LARGE}", "A") == {"A"}
    assert validated(a, LARGE + ".", f"gone.{LARGE}", "A") == {"SOA", wanted.upper()}
    for edits in (EDITS, ENDS) if LONG else ():
        for verb, *words in edits:
            a.cli("record", verb, LARGE, *words, "--commit", "--timeout", "60s", "-m", "t", timeout=90)
        path = a.dir / f"map-{wanted}"
        with path.open("w") as f:
            subprocess.run([BUILD / "tools/mapzone", str(a.pid("signer")), LARGE + "."], stdout=f, check=True)
        for command in (("ldns-verify-zone", path), ("dnssec-verify", "-q", "-o", LARGE, path)):
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            assert done.returncode == 0, (wanted, done.stdout[-2000:], done.stderr[-2000:])


def test_others_are_served_meanwhile(site):
    """If they waited for it, there would be one, and at its end another."""
    assert while_signing(site, "nsec", "dnssec", "enable", LARGE) >= 3
    judged(site, "nsec")


def test_an_edit_of_the_zone_itself_and_a_killed_signer(site):
    """To NSEC3: the signer is killed in the middle of it, with an edit of the zone that waits."""
    done = []
    change = threading.Thread(target=lambda: done.append(
        site.cli_run("dnssec", "enable", LARGE, "--denial", "nsec3", "--timeout", "120s", "-m", "t", timeout=150)))
    change.start()
    begun(site, "nsec3")
    waits = threading.Thread(target=lambda: edit(site, "itself", LARGE))
    waits.start()
    pid = next(p["pid"] for p in site.cli_json("status")["processes"] if p["role"] == "signer")
    subprocess.run(["kill", "-9", str(pid)], check=True)
    change.join()
    waits.join()
    assert done[0].returncode == 0, done[0].stderr
    assert state(site) == "nsec3"
    assert ask(site, f"eitself.{LARGE}", "TXT").answer
    assert verified(site) > 2 * NAMES
    judged(site, "nsec3")


def lead_to(a, last):
    """The name in the small zone that an ALIAS of the large one follows has that address."""
    a.cli("record", "set", SMALL, "to", "60", "A", f"192.0.2.{last}", "--commit", "--timeout", "60s", "-m", "t", timeout=90)


def follows(a, last):
    """The ALIAS leads there, and the answer is signed."""
    answer = ask(a, f"alias.{LARGE}", "A").answer
    return [s.rdtype for s in answer] == [dns.rdatatype.A, dns.rdatatype.RRSIG] and answer[0][0].address == f"192.0.2.{last}"


def test_what_its_alias_leads_to_changes(site):
    """Once it is signed, by a part of it; while all of it is signed anew, by NSEC, when that is done."""
    lead_to(site, 1)
    site.cli("record", "set", LARGE, "alias", "60", "ALIAS", f"to.{SMALL}.", "--commit", "-m", "t", timeout=90)
    assert follows(site, 1)
    lead_to(site, 2)
    assert follows(site, 2)
    change = threading.Thread(
        target=lambda: site.cli_run("dnssec", "enable", LARGE, "--denial", "nsec", "--timeout", "120s", "-m", "t", timeout=150))
    change.start()
    begun(site, "nsec")
    lead_to(site, 3)
    assert follows(site, 3)
    change.join()
    assert state(site) == "nsec" and follows(site, 3)
    verified(site)
    lead_to(site, 4)
    assert follows(site, 4)


def test_a_start_says_how_much_is_loaded(site):
    """Without the signature file it takes its time; what `status` tells of that ends with it."""
    def loaded():
        return re.search(r"being loaded (\d+) of (\d+) signed zones", site.cli_run("status").stdout)

    site.stop()
    for path in (site.data / "signer").glob("signatures.*"):
        path.unlink()
    site.spawn()
    said = wait_until(loaded, "the start tells of itself", 60)
    assert int(said[1]) <= int(said[2]) == 1
    wait_until(site.ready, "ready", 60)
    wait_until(lambda: not loaded(), "nothing is loaded any more", 60)
    assert state(site) == "nsec"


def test_disabled_in_the_middle_of_it(site):
    change = threading.Thread(
        target=lambda: site.cli_run("dnssec", "enable", LARGE, "--denial", "nsec3", "--timeout", "120s", "-m", "t", timeout=150))
    change.start()
    begun(site, "nsec3")
    site.cli("dnssec", "disable", LARGE, "--force", f"--confirm={LARGE}", "--timeout", "120s", "-m", "t", timeout=150)
    change.join()
    assert state(site) is None
    assert ask(site, f"n1.{LARGE}", "A").answer
    site.cli("verify", timeout=120)
