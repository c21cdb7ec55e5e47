"""That the suites can fail: workers that break one rule, against a small part of the comparison with NSD and Knot and
against the RFCs' example zones. The suite that is about the rule must go red, and a whole worker must pass all of this.
"""

import concurrent.futures
import pathlib
import shutil
import tempfile

import pytest

import corners
import genzones
import test_answers_rfc as rfc
from appliance import BUILD, Appliance, variant
from peers import Knot, Named, Nsd
from test_answers_corners import SEED, compare, import_all, write_questions

KINDS = (genzones.wild, genzones.cuts, genzones.ttls_and_case, genzones.chains)
# rule: which example zones show it
RULES = {"": (), "aa": ("rfc4592", "rfc4035", "rfc5155"), "wildcard": ("rfc4592", "rfc4035", "rfc5155"), "nsec": ("rfc4035",),
         "nsec3": ("rfc5155",), "tc": (), "case": (), "glue": ("rfc4035", "rfc5155")}
NOT_COMPARED = ("nsec", "nsec3")  # test_answers.py, _nsec3.py and _validators.py have signed zones for these


@pytest.fixture(scope="module")
def peers():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="ns-breaks-", dir="/tmp"))
    folder.chmod(0o755)
    zones = [z for kind in KINDS for z in genzones.make_kind(SEED, kind, "flat")]
    files = {z.origin: z.write(folder) for z in zones}
    asked = write_questions(folder / "questions", [q for z in zones for q in z.questions[::8]])
    with Nsd(files) as nsd, Knot(files) as knot, Named(files) as bind:
        yield files, asked, (nsd, knot, bind)
    shutil.rmtree(folder)


def red_rfcs(a):
    """The example zones whose answers are not those of the RFC; one after the other, as all are called `example`."""
    checks = {"rfc4592": rfc.check_rfc4592, "rfc4035": lambda a: rfc.check_answers(a, "rfc4035", rfc.RFC4035),
              "rfc5155": lambda a: rfc.check_answers(a, "rfc5155", rfc.rfc5155())}
    red = []
    for zone, check in checks.items():
        a.cli("zone", "import", "example", rfc.ZONES / zone)
        try:
            check(a)
        except AssertionError:
            red.append(zone)
        a.cli("zone", "delete", "example", "--confirm=example")
    return tuple(red)


def differences(a, peers):
    files, asked, others = peers
    import_all(a, files)
    nsd, knot, bind = (f"127.0.0.1@{p.port}" for p in others)
    ours, found = f"127.0.0.1@{a.port}", []
    with concurrent.futures.ThreadPoolExecutor() as pool:
        for some, _ in pool.map(lambda p: compare(asked, p, [nsd, knot, ours], [bind, f"{ours}/tcp"]), ("udp", "tcp")):
            found += some
    return [d for d in found if corners.judge(d) is None]


@pytest.mark.parametrize("rule", RULES)
def test_a_broken_rule_is_found_out(rule, peers):
    built = variant(worker=BUILD / f"break-{rule}" / "nameserve-worker") if rule else BUILD
    with Appliance(build=built) as a:
        red = red_rfcs(a)
        wrong = differences(a, peers) if rule not in NOT_COMPARED else []
    if rule:
        shutil.rmtree(built)
    print(f"{rule or 'whole'}: {len(wrong)} answers, {red}")
    assert set(red) >= set(RULES[rule]) and (rule or not red)
    assert bool(wrong) == (rule not in ("",) + NOT_COMPARED)
