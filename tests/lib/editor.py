"""Single edits, one after another, each until the whole fleet serves it (tests/tools/edits.c)."""

import json
import random
import subprocess
import time

from appliance import BUILD

ASKED = 25  # of so many edits one is asked for at every appliance


class Editor:
    """tests/tools/edits: one edit a line, each answered when all serve it."""

    def __init__(self, appliance):
        self.process = subprocess.Popen([BUILD / "tools" / "edits", appliance.socket, "served"],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def set(self, zone, name, value):
        """(milliseconds, reply)"""
        began = time.monotonic()
        self.process.stdin.write(f"{zone} {name} 60 A {value}\n")
        self.process.stdin.flush()
        reply = json.loads(self.process.stdout.readline())
        assert "served" in reply, reply
        return (time.monotonic() - began) * 1000, reply

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()


def share(times, part):
    return times[min(len(times) - 1, int(len(times) * part))]


def one_after_another(f, edits, zones, seed=1):
    """Milliseconds until the primary, the middle one and the last of a fleet serve each, sorted. Zones are
    z000000.example and so on."""
    dice, found = random.Random(seed), {"primary": [], "middle": [], "last": []}
    with Editor(f.primary) as editor:
        for i in range(edits):
            zone, value = f"z{dice.randrange(zones):06d}.example.", f"10.{i >> 16}.{i >> 8 & 255}.{i & 255}"
            ms, reply = editor.set(zone, "www", value)
            assert len(reply["served"]) == len(f.members), reply
            each = sorted(r["ms"] for r in reply["served"])
            found["primary"].append(next(r["ms"] for r in reply["served"] if r["appliance"] == f.primary.name))
            found["middle"].append(each[len(each) // 2])
            found["last"].append(ms)
            if i % ASKED == 0:
                for m in f.members:
                    assert m.values(f"www.{zone}") == [value], (m.name, zone)
    return {k: sorted(v) for k, v in found.items()}
