"""What validators say about zones that are signed here, policies and all: Unbound and delv with our root's key, dnsviz
from outside, ldns-verify-zone and dnssec-verify over what lies in the map. Algorithms 13 and 15; NSEC, NSEC3, opt-out.
"""

import collections
import concurrent.futures
import os
import subprocess

import pytest

import signed_here
import signed_zones
import validators
from appliance import BUILD, Appliance

LONG, SEED = bool(os.environ.get("NS_LONG")), os.environ.get("NS_SEED", "1")
EACH = 200 if LONG else 7
DELV_EVERY = 40 if LONG else 120
NAMES = signed_zones.OURS


@pytest.fixture(scope="module")
def site():
    with Appliance() as a:
        made = signed_here.Site(a, NAMES)
        yield made
        made.close()


@pytest.fixture(scope="module")
def asked():
    return signed_here.questions(NAMES, SEED, EACH)


def test_unbound_agrees_with_every_answer(site, asked):
    questions = [q for q in asked if not signed_zones.beyond_unbound(q)]
    with validators.Unbound(site.a.port, site.key, site.zones) as unbound:
        wrong = [(q, f, unbound.why(*q[:2])) for q, f in zip(questions, unbound.ask_all(questions)) if q[2:] != f]
    counts = collections.Counter(q[2:] for q in questions)
    print(f"{len(questions)} questions; (rcode, secure): {dict(counts)}")
    assert not wrong, (len(wrong), wrong[:15])
    assert len(questions) >= 2500 and min(counts.values()) >= 100


def test_delv_agrees(site, asked):
    beyond = [q for q in asked if signed_zones.beyond_unbound(q)]
    questions = beyond[:10] + [q for q in asked[::DELV_EVERY] if q[1] != "ANY"]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda q: validators.delv(site.folder, site.a.port, site.key, q), questions))
    wrong = [(q, f) for q, f in zip(questions, found) if not validators.delv_is_right(q, f)]
    assert not wrong, wrong


def test_referrals_prove_what_they_say(site):
    assert validators.referral_kinds(site.a, NAMES) == {"ds", "nsec", "nsec3", "opt-out"}


def test_zones_in_the_map_verify(site):
    """All links, bitmaps and signatures of a whole zone, the wildcard's and the policies' too."""
    pid = site.a.pid("signer")

    def verify(origin):
        out = site.folder / f"map-{origin}"
        with out.open("w") as f:
            subprocess.run([BUILD / "tools/mapzone", str(pid), origin], stdout=f, check=True)
        for command in (("ldns-verify-zone", out), ("dnssec-verify", "-q", "-o", origin, out)):
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            assert done.returncode == 0, (origin, done.stdout, done.stderr)

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        list(pool.map(verify, [o for o in site.zones if site.way(o) is not None]))


def test_dnsviz_finds_nothing_wrong(site):
    """It asks on its own for a name, NODATA, NXDOMAIN and the delegation, and looks at each RRSIG, NSEC and DS of them."""
    names = [f"{owner}{name}." for name in (NAMES if LONG else ("our", "oured3")) for owner in ("", "fail.", "a.dn.", "x.wild.")]
    report = validators.dnsviz(site.folder, site.a.port, site.key, site.zones, names)
    assert set(names) <= set(report) and not validators.complaints(report)
    assert report["oured3."]["zone"]["status"] == report["our."]["zone"]["status"] == "SECURE"
    other = validators.dnsviz(site.folder, site.a.port, "257 3 13 " + 86 * "A" + "==", site.zones, names[:1])
    assert validators.complaints(other)
