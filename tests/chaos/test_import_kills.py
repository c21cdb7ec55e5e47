"""Imports of 100,000 zones that are cut off: what was committed is served, the rest goes in with the next try.
Minutes, not for `make check`: tests/check-long.sh runs it."""

import json
import os
import shutil
import signal
import subprocess
import time

import pytest

from appliance import BUILD, Appliance, zone_text
from chaos import Watch, memories, restarts
from peers import wait_until

ZONES = int(os.environ.get("NS_ZONES", "100000"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Zones with the names of bench/gen.py, which tools/edits edits."""
    path = tmp_path_factory.mktemp("zones")
    for i in range(ZONES):
        name = f"z{i:06d}.example"
        (path / name).write_text(zone_text(f"{name}.", records=f"www IN A 10.{i >> 16}.{i >> 8 & 255}.{i & 255}\n"))
    yield path
    shutil.rmtree(path)


def bring(appliance, folder, *more):
    return subprocess.Popen([BUILD / "bin" / "nameserve", "--socket", appliance.socket, "--json", "zone", "import",
                             "--dir", folder, *more], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def count(appliance):
    return appliance.cli_json("status", timeout=10)["zones"]


def half_way(appliance):
    wait_until(lambda: count(appliance) > ZONES // 3, "a third is in", 120)


def complete(appliance, folder, least):
    start = time.monotonic()
    with Watch(appliance) as watch:
        done = appliance.cli_json("zone", "import", "--dir", folder, timeout=300)
    print(f"the rest: {done['zones']} new, {done['unchanged']} known, {time.monotonic() - start:.1f} s, {watch.slow}, "
          f"{memories(appliance)}")
    assert done["zones"] + done["unchanged"] == ZONES and done["errors"] == []
    assert done["unchanged"] >= least
    assert watch.wrong == [] and watch.most("status", 99) < 50 * 5
    for i in range(0, ZONES, ZONES // 200):
        assert appliance.values(f"www.z{i:06d}.example") == [f"10.{i >> 16}.{i >> 8 & 255}.{i & 255}"]
    verdict = appliance.cli_json("verify", timeout=120)
    assert verdict["ok"] is True and verdict["images"] == ZONES, verdict


@pytest.mark.parametrize("victim", ["cli", "sync", "nameserved", "signer"])
def test_killed_half_way(folder, victim):
    with Appliance() as a:
        cli = bring(a, folder)
        half_way(a)
        if victim == "cli":
            cli.kill()
        elif victim == "nameserved":
            a.kill()
        else:
            a.wait_replaced(victim, a.kill_role(victim), 30)
        out, err = cli.communicate(timeout=300)
        if victim == "sync" or victim == "nameserved":
            assert cli.returncode in (7, 8, 10) and err, (cli.returncode, out, err)
        if victim == "signer":
            assert cli.returncode == 0 and json.loads(out)["zones"] == ZONES
        if victim == "nameserved":
            a.start(60)
        least = count(a)
        assert least > ZONES // 3
        complete(a, folder, least)


def test_two_imports_of_the_same_zones_and_edits_at_once(folder):
    """Two imports of the same zones, and 64 clients that edit them: nobody fails, nothing is lost, status is quick."""
    with Appliance() as a:
        first = bring(a, folder)
        wait_until(lambda: count(a) > 1000, "some are in", 60)
        with Watch(a) as watch:
            second = bring(a, folder)
            load = subprocess.Popen([BUILD / "tools" / "edits", a.socket, "64", "5", "1000"],
                                    stdout=subprocess.PIPE, text=True)
            done = [json.loads(p.communicate(timeout=300)[0]) for p in (first, second)]
            told = json.loads(load.communicate(timeout=60)[0])
        print(done, told, watch.slow, memories(a))
        # What was edited is refused without --commit: the file would take the edit back.
        refused = sum(d["failed"] for d in done)
        assert sum(d["zones"] for d in done) == ZONES
        assert sum(d["zones"] + d["unchanged"] for d in done) + refused == 2 * ZONES
        assert refused <= 2000 and all(e["code"] == 2303 for d in done for e in d["errors"])
        assert told["failures"] == 0 and told["edits"] > 100, told
        assert watch.wrong == [] and watch.most("status", 99) < 50 * 5, watch.slow
        assert restarts(a) == {}
        assert a.cli_json("verify", timeout=120)["ok"] is True
