"""Zones that arrive signed with NSEC3: our proofs held against NSD's and Knot's.

The rules are those of test_answers.py; the classes of differences are in choices-nsec3.md. A worker that leaves the
closest encloser out must be found out.
"""

import concurrent.futures
import gzip
import pathlib
import shutil
import tempfile

import pytest

import nsec3_zones
from appliance import BUILD, Appliance, variant
from peers import Knot, Nsd
from test_answers import classify, compare, counts_in_choices, import_all

BIG = {"big": (1, "aa", False), "bigopt": (0, None, True)}  # trees: more than 64 KiB
ROOT_EVERY, BIG_EVERY = 25, 25


@pytest.fixture(scope="module")
def folder():
    path = pathlib.Path(tempfile.mkdtemp(prefix="ns-nsec3-", dir="/tmp"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="module")
def small_zones(folder):
    return {f"{name}.test.": generated(folder, name, way, nsec3_zones.records)
            for name, way in nsec3_zones.WAYS.items()}


def generated(folder, name, way, records):
    bare = folder / name
    bare.write_text(records(f"{name}.test."))
    return nsec3_zones.sign(folder, f"{name}.test.", bare, way)


def signed_root(folder, shared_zones):
    """The dump repeats its SOA at the end; what its own signing left is taken out."""
    with gzip.open(shared_zones / "root.zone.gz", "rt") as packed:
        lines = [x for x in packed.readlines()[:-1] if x.split()[3] not in ("NSEC", "DNSKEY", "RRSIG")]
    (folder / "root").write_text("".join(lines))
    return nsec3_zones.sign(folder, ".", folder / "root", (0, None, False))


def compare_zones(zones, every=None, worker=None, protos=("udp", "tcp")):
    """(differences, questions asked over all)."""
    built = variant(worker=worker) if worker else BUILD
    with Appliance(build=built) as a, Nsd(zones) as nsd, Knot(zones) as knot:
        import_all(a, zones)
        asked, n = a.dir / "questions", 0
        with open(asked, "w", encoding="utf-8") as out:
            for origin, path in zones.items():
                for question in nsec3_zones.for_zone(path, (every or {}).get(origin, 1)):
                    out.write("{} {} {}\n".format(*question))
                    n += 1
        ports = (nsd.port, knot.port, a.port)
        with concurrent.futures.ThreadPoolExecutor() as pool:
            results = list(pool.map(lambda proto: compare(asked, proto, ports), protos))
    if worker:
        shutil.rmtree(built)
    for _, end in results:
        assert end["asked"] == n and end["silent"] == [0, 0, 0] and end["unsteady"][2] == 0, end
    return [d for differences, _ in results for d in differences], n * len(protos)


def test_equal_to_nsd_and_knot_where_they_agree(folder, small_zones, shared_zones):
    zones = dict(small_zones)
    zones |= {f"{name}.test.": generated(folder, name, way, nsec3_zones.many) for name, way in BIG.items()}
    differences, asked = compare_zones(zones, {f"{name}.test.": BIG_EVERY for name in BIG})
    of_root, more = compare_zones({".": signed_root(folder, shared_zones)}, {".": ROOT_EVERY})
    counts, wrong = {}, []
    for d in differences + of_root:
        name = classify(d)
        if name is None:
            wrong.append(d)
        else:
            counts[name] = counts.get(name, 0) + 1
    for d in wrong[:5]:
        print(d["name"], d["type"], d["flags"], d["proto"], *d["answers"], sep="\n")
    print(f"questions asked: {asked} + {more}; classes: {counts}")
    assert not wrong, f"{len(wrong)} differences outside every class"
    assert asked + more >= 20000
    assert counts == counts_in_choices("choices-nsec3.md")


def test_a_missing_encloser_is_found_out(small_zones):
    zones = {origin: path for origin, path in small_zones.items() if origin == "salted.test."}
    differences, asked = compare_zones(
        zones, worker=BUILD / "break-nsec3" / "nameserve-worker", protos=("udp",))
    wrong = [d for d in differences if classify(d) is None]
    print(f"{asked} questions, {len(wrong)} found out")
    assert wrong and all("d" in d["flags"] for d in wrong)
