"""Every owner name and type of real zones: our answer held against NSD's and Knot's.

Where the two agree, ours must be equal: header bits, rcode, sections as sets. Where they differ, the
difference must fall into a class of choices.md, ours must be what that class says, and each class
must hold as many questions as the file says. The run is shown to be able to fail: workers with one
rule broken on purpose must be found out.
"""

import concurrent.futures
import gzip
import json
import pathlib
import re
import shutil
import subprocess

import pytest

import questions
from appliance import BUILD, Appliance, variant
from choices import CLASSES, Answer
from peers import Knot, Nsd

HERE = pathlib.Path(__file__).resolve().parent


@pytest.fixture(scope="module")
def zone_files(shared_zones, tmp_path_factory):
    """{origin: path}. The root's dump repeats the SOA at its end, which NSD takes for an error."""
    folder = pathlib.Path("/tmp") / f"ns-zones-{tmp_path_factory.mktemp('z').name}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o755)
    with gzip.open(shared_zones / "root.zone.gz", "rt") as packed:
        lines = packed.readlines()
    assert lines[-1].split()[3] == "SOA"
    (folder / "root").write_text("".join(lines))
    (folder / "root.peers").write_text("".join(lines[:-1]))
    sign_root(folder, lines[:-1])
    yield {
        "is-a.dev.": shared_zones / "is-a.dev.zone",
        "js.org.": shared_zones / "js.org.zone",
        ".": folder / "root",
    }
    shutil.rmtree(folder, ignore_errors=True)


def sign_root(folder, lines):
    """The dump came without its RRSIGs; its twin `root.signed` gets signatures and NSEC from ldns."""
    (folder / "bare").write_text("".join(x for x in lines if x.split()[3] not in ("NSEC", "DNSKEY")))
    keys = [
        subprocess.run(["ldns-keygen", "-r", "/dev/urandom", *flag, "-a", "ECDSAP256SHA256", "."],
                       cwd=folder, capture_output=True, text=True, check=True).stdout.strip()
        for flag in (["-k"], [])
    ]
    subprocess.run(["ldns-signzone", "-i", "20260101000000", "-e", "20360101000000", "-o", ".", "-f",
                    "root.signed", "bare", *keys], cwd=folder, check=True)


def signed(zone_files):
    return {".": zone_files["."].with_name("root.signed")}


def peer_files(zone_files):
    """NSD takes the dump's second SOA for an error."""
    return {o: f"{p}.peers" if p.name == "root" else p for o, p in zone_files.items()}


def import_all(appliance, zone_files):
    for origin, path in zone_files.items():
        done = appliance.cli_json("zone", "import", origin, path, timeout=120)
        assert done["zones"] == 1 and done["errors"] == [], done


def compare(asked, proto, ports):
    out = subprocess.run(
        [BUILD / "tools" / "compare", asked, proto, *(f"127.0.0.1@{p}" for p in ports)],
        capture_output=True, text=True, timeout=300, check=True).stdout.splitlines()
    return [json.loads(line) for line in out[:-1]], json.loads(out[-1])


def classify(difference):
    """The class of a difference, None when ours is equal to both or they agree and ours is wrong."""
    nsd, knot, ours = (Answer(text) for text in difference["answers"])
    if nsd == knot:  # and so ours must have been, or the question would not be here
        return None
    for name, chosen in CLASSES:
        if chosen(difference, nsd, knot, ours):
            return name
    return None


def counts_in_choices(file="choices.md"):
    text = (HERE / file).read_text().split("\n## ")[0]
    return {m[1]: int(m[2]) for m in re.finditer(r"^\| `([a-z0-9-]+)` \| (\d+) \|", text, re.M)}


def write_questions(appliance, zone_files, every=1):
    path = appliance.dir / "questions"
    with open(path, "w", encoding="utf-8") as out:
        n = 0
        for i, question in enumerate(
            q for p in zone_files.values() for q in questions.for_zone(p)
        ):
            if i % every == 0:
                out.write("{} {} {}\n".format(*question))
                n += 1
    return path, n


def compare_all(zones):
    """(questions asked, {class: how many}); fails on a difference outside every class."""
    with Appliance() as a, Nsd(peer_files(zones)) as nsd, Knot(peer_files(zones)) as knot:
        import_all(a, zones)
        asked, n = write_questions(a, zones)
        ports = (nsd.port, knot.port, a.port)
        with concurrent.futures.ThreadPoolExecutor() as pool:
            runs = [pool.submit(compare, asked, proto, ports) for proto in ("udp", "tcp")]
            results = [run.result() for run in runs]
    counts, wrong = {}, []
    for differences, end in results:
        print(f"{end['asked']} questions, {end['different']} not alike, silent {end['silent']}")
        assert end["asked"] == n and end["silent"] == [0, 0, 0] and end["unsteady"][2] == 0
        for d in differences:
            name = classify(d)
            if name is None:
                wrong.append(d)
            else:
                counts[name] = counts.get(name, 0) + 1
    for d in wrong[:10]:
        print(d["name"], d["type"], d["flags"], d["proto"])
        for who, text in zip(("nsd", "knot", "ours"), d["answers"]):
            print(f"--- {who}\n{text}")
    assert not wrong, f"{len(wrong)} differences outside every class"
    return 2 * n, counts


def test_equal_to_nsd_and_knot_where_they_agree(zone_files):
    plain, counts = compare_all(zone_files)
    with_signatures, more = compare_all(signed(zone_files))
    for name, n in more.items():
        counts[name] = counts.get(name, 0) + n
    print(f"questions asked: {plain} + {with_signatures}; classes: {counts}")
    assert plain >= 100000
    assert counts == counts_in_choices()


def test_a_missing_proof_is_found_out(zone_files):
    """The same comparison with a worker that leaves NSECs out. (test_answers_breaks.py breaks the other rules.)"""
    built = variant(worker=BUILD / "break-nsec" / "nameserve-worker")
    zones = signed(zone_files)
    with Appliance(build=built) as a, Nsd(zones) as nsd, Knot(zones) as knot:
        import_all(a, zones)
        asked, n = write_questions(a, zones, 7)
        differences, end = compare(asked, "udp", (nsd.port, knot.port, a.port))
    shutil.rmtree(built)
    wrong = [d for d in differences if classify(d) is None]
    print(f"{end['asked']} of {n} questions, {len(wrong)} found out")
    assert wrong and all("d" in d["flags"] for d in wrong)  # without DO nothing of it shows
