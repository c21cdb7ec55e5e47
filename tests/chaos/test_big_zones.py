"""Zones of a million records: what is asked of small ones holds beside them and in them. Minutes, not for `make
check`: tests/check-long.sh runs it, with the budgets of the design times NS_SLACK (default 1)."""

import os
import random
import subprocess
import time

import pytest

from appliance import BUILD, Appliance, zone_text
from chaos import Editor, Watch, addresses, delegations, elapsed_ms, memories, restarts
from peers import wait_until

SLACK = float(os.environ.get("NS_SLACK", "1"))
RECORDS = int(os.environ.get("NS_RECORDS", "1000000"))


class Phase(Watch):
    """A watch that prints what it saw, and fails when somebody had to wait or to ask twice."""

    def __init__(self, appliance, what, *asked):
        super().__init__(appliance, *asked)
        self.what, self.start = what, time.monotonic()

    def __exit__(self, *args):
        super().__exit__(*args)
        print(f"{self.what}: {time.monotonic() - self.start:.2f} s, slowest "
              f"{ {k: round(v, 1) for k, v in self.slow.items()} } ms, peaks {memories(self.appliance)} MiB")
        if args[0] is None:
            assert self.wrong == [], self.wrong[:5]
            assert self.most("status", 99) < 50 * SLACK and self.most("list", 99) < 150 * SLACK, self.slow


def owner(kind, i):
    return f"h{i:07d}" if kind is addresses else f"ns1.d{i % (RECORDS // 5):07d}"


def edits(appliance, kind, count, pause=0.0):
    """Edits at random places, each served when it is acknowledged; their milliseconds, sorted."""
    times, dice = [], random.Random(3)
    with Editor(appliance) as editor:
        for i in range(count):
            start = time.monotonic()
            reply = editor.set("big.example", owner(kind, dice.randrange(RECORDS)), 60, "A", f"10.9.{i >> 8}.{i & 255}")
            assert "revision" in reply, reply
            times.append(elapsed_ms(start))
            time.sleep(max(0.0, pause - times[-1] / 1000))
    return sorted(times)


def edits_during(appliance, kind, *command):
    """Edits in the big zone and a small one while a command runs; the slowest of each in ms."""
    slowest = {"big.example": 0.0, "small.example": 0.0}
    process = subprocess.Popen([BUILD / "bin" / "nameserve", "--socket", appliance.socket, *map(str, command)],
                               stdout=subprocess.DEVNULL)
    with Editor(appliance) as editor:
        i = 0
        while process.poll() is None:
            zone = ("small.example", "big.example")[i % 2]
            start = time.monotonic()
            reply = editor.set(zone, "edit", 60, "A", f"10.8.{i >> 8 & 255}.{i & 255}")
            assert "revision" in reply, reply
            slowest[zone] = max(slowest[zone], elapsed_ms(start))
            i += 1
    assert process.returncode == 0
    print(f"  {i} edits meanwhile, slowest { {k: round(v, 1) for k, v in slowest.items()} } ms")
    return slowest


@pytest.mark.parametrize("kind", [delegations, addresses])
def test_a_zone_of_a_million_records(kind):
    with Appliance() as a:
        asked = ("www.big.example", ["192.0.2.10"])
        path = a.dir / "big"
        kind(path, "big.example.", RECORDS)
        (a.dir / "small.example").write_text(zone_text("small.example."))
        a.cli("zone", "import", "small.example", a.dir / "small.example")
        with Phase(a, "import"):
            assert a.cli_json("zone", "import", "big.example", path, timeout=300)["records"] >= RECORDS
        with Phase(a, "500 edits", *asked):
            before = a.cli_json("status")["map_bytes"]
            times = edits(a, kind, 500)
            print(f"  p50 {times[250]:.1f} p99 {times[495]:.1f} ms")
            assert times[495] < 200 * SLACK
            assert a.cli_json("status")["map_bytes"] <= before * 1.1 + (1 << 20)
        with Phase(a, "10 edits a second for 30 s", *asked):
            times = edits(a, kind, 300, 0.1)
            assert times[297] < 200 * SLACK, times[-10:]
        for role in ("signer", "sync"):
            with Phase(a, f"kill -9 of {role}", *asked) as phase:
                old = a.kill_role(role)
                a.wait_replaced(role, old, 30)
                print(f"  back after {elapsed_ms(phase.start):.0f} ms")
                edits(a, kind, 1)
                if role == "sync":  # while it is away nobody is answered on the control socket
                    phase.over.set()
                    phase.threads[0].join()
                    phase.times = {"status": [], "list": []}
                    phase.wrong = [w for w in phase.wrong if "control socket" not in w]
        with Phase(a, "verify", *asked):
            slow = edits_during(a, kind, "verify")
            assert slow["big.example"] < 200 * SLACK
        out = a.dir / "export"
        with Phase(a, "export", *asked):
            out.write_text(a.cli("zone", "export", "big.example", timeout=300))
        with Phase(a, "import of what is there", *asked):
            assert a.cli_json("zone", "import", "big.example", out, timeout=300)["unchanged"] == 1
        lines = out.read_text().splitlines()
        (a.dir / "changed").write_text("\n".join(x for i, x in enumerate(lines) if i < 20 or i % 1000) + "\n")
        with Phase(a, "replace, one record in 1,000 gone", *asked):
            edits_during(a, kind, "zone", "import", "big.example", a.dir / "changed", "--commit", "--confirm=*")
        (a.dir / "all").write_text(path.read_text().replace("$TTL 3600", "$TTL 1800"))
        with Phase(a, "replace all", *asked):
            edits_during(a, kind, "zone", "import", "big.example", a.dir / "all", "--commit", "--confirm=*")
        assert a.cli_json("verify", timeout=60)["ok"] is True
        seen = restarts(a)
        assert seen == {"signer0": 1, "sync0": 1}, seen
        a.stop(30)
        start = time.monotonic()
        a.start(60)
        wait_until(lambda: a.values(asked[0]) == asked[1], "served", 30)
        print(f"restart to first answer: {elapsed_ms(start):.0f} ms")
        with Phase(a, "delete"):
            a.cli("zone", "delete", "big.example", "--confirm=big.example", timeout=60)
        assert a.values(asked[0]) == "REFUSED"
        assert restarts(a) == {}


def test_ten_large_beside_many_small():
    """Ten zones of 100,000 records beside 20,000 of five."""
    with Appliance() as a:
        folder = a.dir / "zones"
        folder.mkdir()
        for i in range(20000):
            (folder / f"s{i:05d}.example").write_text(zone_text(f"s{i:05d}.example."))
        for i in range(10):
            addresses(folder / f"large{i}.example", f"large{i}.example.", 100000)
        with Phase(a, "import"):
            done = a.cli_json("zone", "import", "--dir", folder, timeout=300)
        assert done["zones"] == 20010 and done["errors"] == []
        with Phase(a, "edits in turn", "www.large3.example", ["192.0.2.10"]), Editor(a) as editor:
            times = []
            for i in range(1000):
                zone = f"large{i % 10}.example" if i % 2 else f"s{i * 7 % 20000:05d}.example"
                start = time.monotonic()
                assert "revision" in editor.set(zone, "edit", 60, "A", f"10.0.{i >> 8}.{i & 255}")
                times.append(elapsed_ms(start))
            print(f"  p99 {sorted(times)[990]:.1f} ms")
            assert sorted(times)[990] < 50 * SLACK
        with Phase(a, "verify", "www.large3.example", ["192.0.2.10"]):
            assert a.cli_json("verify", timeout=120)["ok"] is True
        with Phase(a, "kill -9 of signer", "www.large3.example", ["192.0.2.10"]):
            old = a.kill_role("signer")
            a.wait_replaced("signer", old, 30)
        assert restarts(a) == {"signer0": 1}
