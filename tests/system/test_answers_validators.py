"""What validators say about our answers from pre-signed zones: secure where it must be, insecure where nothing is signed,
and bogus never.

Unbound asks every question of tests/lib/signed_zones.py, delv some; ldns-verify-zone reads what we export; referrals are
checked on their own. Workers that leave a proof out must be found out. NS_LONG=1 and NS_SEED ask more and other questions.
"""

import collections
import concurrent.futures
import functools
import os
import pathlib
import shutil
import subprocess
import tempfile

import pytest

import signed_zones
import validators
from appliance import BUILD, Appliance, variant

LONG, SEED = bool(os.environ.get("NS_LONG")), os.environ.get("NS_SEED", "1")
EACH = 300 if LONG else 15  # made-up names of each sort and zone
DELV_EVERY = 300 if LONG else 200
BROKEN = {"nsec": ["nsec", "tree", "tiny"], "nsec3": ["nsec3", "optout", "tiny3"]}


class Family:
    """The signed zones of these names, in a folder that the servers may read."""

    def __init__(self, names):
        self.names = names
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="ns-signed-", dir="/tmp"))
        self.folder.chmod(0o755)
        self.zones, self.key = signed_zones.make(self.folder, names)

    def serve(self, appliance):
        """All of them with one import."""
        folder = appliance.dir / "zones"
        folder.mkdir()
        for origin, path in self.zones.items():
            if origin != ".":
                shutil.copy(path, folder / origin.rstrip("."))
        done = appliance.cli_json("zone", "import", "--dir", folder, timeout=120)
        assert done["errors"] == [] and done["zones"] == len(self.zones) - 1, done
        assert appliance.cli_json("zone", "import", ".", self.zones["."])["errors"] == []


@pytest.fixture(scope="module")
def family():
    made = Family(signed_zones.OTHERS)
    yield made
    shutil.rmtree(made.folder, ignore_errors=True)


@pytest.fixture(scope="module")
def server(family):
    with Appliance() as a:
        family.serve(a)
        yield a


@functools.lru_cache
def asked(family):
    return signed_zones.questions(family.names, SEED, EACH)


def wrong_ones(questions, found, why=lambda *_: "", right=lambda q, f: q[2:] == f):
    """Where the validator says something else than it must."""
    wrong = [(q, f) for q, f in zip(questions, found) if not right(q, f)]
    for q, f in wrong[:15]:
        print(q, "found", f, why(*q[:2]))
    return wrong


def test_unbound_agrees_with_every_answer(family, server):
    questions = [q for q in asked(family) if not signed_zones.beyond_unbound(q)]
    with validators.Unbound(server.port, family.key, family.zones) as unbound:
        wrong = []
        for at in range(0, len(questions), 60000):  # an id has 16 bits
            part = questions[at:at + 60000]
            wrong += wrong_ones(part, unbound.ask_all(part), unbound.why)
    counts = collections.Counter(q[2:] for q in questions)
    print(f"{len(questions)} questions; (rcode, secure): {dict(counts)}")
    assert not wrong, f"{len(wrong)} of {len(questions)}"
    assert len(questions) >= 5000 and min(counts.values()) >= 500


def test_delv_agrees(family, server):
    beyond = [q for q in asked(family) if signed_zones.beyond_unbound(q)]
    questions = beyond[:20] + [q for q in asked(family)[::DELV_EVERY] if q[1] != "ANY"]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda q: validators.delv(family.folder, server.port, family.key, q), questions))
    print(f"{len(questions)} questions")
    assert not wrong_ones(questions, found, right=validators.delv_is_right)


def test_exported_zones_verify(family, server):
    def verify(origin):
        out = family.folder / f"export-{origin}"
        out.write_text(server.cli("zone", "export", origin))
        return subprocess.run(["ldns-verify-zone", out], capture_output=True, text=True, check=False)

    signed = [o for o, path in family.zones.items() if path.name.endswith("signed")]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for origin, done in zip(signed, pool.map(verify, signed)):
            assert done.returncode == 0, (origin, done.stdout, done.stderr)


def test_referrals_prove_what_they_say(family, server):
    assert validators.referral_kinds(server, family.names) == {"ds", "nsec", "nsec3", "opt-out"}


@pytest.mark.parametrize("rule", BROKEN)
def test_a_missing_proof_is_found_out(rule):
    family = Family(BROKEN[rule])
    built = variant(worker=BUILD / f"break-{rule}" / "nameserve-worker")
    questions = [q for q in signed_zones.questions(family.names, SEED, 2) if not signed_zones.beyond_unbound(q)]
    with Appliance(build=built) as a:
        family.serve(a)
        with validators.Unbound(a.port, family.key, family.zones) as unbound:
            wrong = wrong_ones(questions, unbound.ask_all(questions))
    shutil.rmtree(built)
    shutil.rmtree(family.folder)
    print(f"{rule}: {len(wrong)} of {len(questions)} found out")
    assert len(wrong) > 10 and all(f is None or f[0] == 2 for _, f in wrong)
