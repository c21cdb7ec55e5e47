"""Generated zones that hold every corner: our answers held against NSD's, Knot's and BIND's.

Where NSD and Knot agree, ours must be equal. Where they differ, the difference must fall into a class of
choices.md's second table, ours must be what the class says, and each class must hold as many questions as
written there. The zones and questions follow from a seed (tests/lib/genzones.py). NS_LONG=1 makes five times as many
random zones, NS_SEED others; then the classes hold as many as there are.
"""

import collections
import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import subprocess

import pytest

import corners
import genzones
from appliance import BUILD, Appliance
from peers import Knot, Named, Nsd

HERE = pathlib.Path(__file__).resolve().parent
LONG, SEED = bool(os.environ.get("NS_LONG")), os.environ.get("NS_SEED", "1")
RANDOMS = 400 if LONG else 80


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = pathlib.Path("/tmp") / f"ns-corners-{tmp_path_factory.mktemp('z').name}"
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(mode=0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


def import_all(appliance, files):
    done = appliance.dir / "zones"
    done.mkdir()
    for origin, path in files.items():
        shutil.copy(path, done / origin.rstrip("."))
    reply = appliance.cli_json("zone", "import", "--dir", done, timeout=120)
    assert reply["zones"] == len(files) and reply["errors"] == [], reply


def compare(asked, proto, servers, judges):
    out = subprocess.run(
        [BUILD / "tools" / "compare", asked, proto, *servers, "--", *judges],
        capture_output=True, text=True, timeout=300, check=True).stdout.splitlines()
    return [json.loads(line) for line in out[:-1]], json.loads(out[-1])


def write_questions(path, questions):
    path.write_text("".join("{} {} {}\n".format(*q) for q in questions))
    return path


def compare_all(folder, protos, a, peers, questions):
    """Differences, over each of the protocols at the same time. BIND and we ourselves over TCP are the judges."""
    asked = write_questions(folder / "questions", questions)
    nsd, knot, bind = peers
    servers = [f"127.0.0.1@{s.port}" for s in (nsd, knot, a)]
    judges = [f"127.0.0.1@{bind.port}", f"127.0.0.1@{a.port}/tcp"]
    found = []
    with concurrent.futures.ThreadPoolExecutor() as pool:
        for differences, end in pool.map(lambda p: compare(asked, p, servers, judges), protos):
            print(end)
            assert end["asked"] == len(questions) and end["silent"][2] == end["unsteady"][2] == 0
            found += differences
    return found


def count(differences, judge):
    """{class: how many}; fails on a difference outside every class."""
    counts, wrong = collections.Counter(), []
    for d in differences:
        names = judge(d)
        if names is None:
            wrong.append(d)
        else:
            counts.update([names] if isinstance(names, str) else names)
    for d in wrong[:10]:
        print(d["name"], d["type"], d["flags"], d["proto"])
        for who, text in zip(("nsd", "knot", "ours", "bind", "ours over tcp"), d["answers"]):
            print(f"--- {who}\n{text}")
    assert not wrong, f"{len(wrong)} differences outside every class"
    return dict(counts)


def counts_in_choices(title):
    text = (HERE / "choices.md").read_text().split(f"## {title}\n", 1)[1].split("\n## ")[0]
    return {m[1]: int(m[2]) for m in re.finditer(r"^\| `([a-z0-9-]+)` \| (\d+) \|", text, re.M)}


@pytest.fixture(scope="module")
def servers(folder):
    zones = genzones.make_zones(SEED, RANDOMS)
    files = genzones.write_zones(zones, folder)
    with Appliance() as a, Nsd(files) as nsd, Knot(files) as knot, Named(files) as bind:
        import_all(a, files)
        yield zones, a, (nsd, knot, bind)


def test_corners_are_answered_as_by_nsd_and_knot(folder, servers):
    zones, a, peers = servers
    questions = [q for z in zones for q in z.questions]
    counts = count(compare_all(folder, ("udp", "tcp"), a, peers, questions), corners.judge)
    print(f"{len(zones)} zones, {2 * len(questions)} questions; classes: {counts}")
    assert 2 * len(questions) >= 100000
    assert LONG or SEED != "1" or counts == counts_in_choices("Generated corners")


def test_odd_questions(folder, servers):
    """Over UDP: over TCP the peers hang up on some of these, and on the questions behind them."""
    _, a, peers = servers
    questions = list(genzones.odd_questions())
    counts = count(compare_all(folder, ("udp",), a, peers, questions), corners.judge_odd)
    print(f"{len(questions)} questions; classes: {counts}")
    assert counts == counts_in_choices("Odd questions")


def test_signed_corners_verify(folder, servers):
    """What all servers are given is right: ldns checks each zone that it did sign with NSEC."""
    for z in servers[0]:
        if z.signed and not z.origin.startswith(("large", "r")):
            subprocess.run(["ldns-verify-zone", folder / f"{z.origin[:-1]}.signed"], check=True, capture_output=True)
