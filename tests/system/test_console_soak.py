"""An hour of an Overview at four frames a second, with somebody at the keys: it grows no larger (check-long)."""

import os
import random
import time

import pytest

from asking import Asking
from console import Console

SECONDS = int(os.environ.get("NS_SECONDS", "3600"))
SCREENS = ("1", "2", "3", "4", "5", "6", "7", "8", "9")


def resident_kib(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


@pytest.mark.skipif("NS_LONG" not in os.environ, reason="NS_LONG=1: it takes an hour")
def test_an_hour_leaves_it_as_large_as_it_was(example):
    rng = random.Random(3)
    with Asking(example), Console(example.socket) as c:
        c.wait("Queries/s")
        c.press("-", "-")  # 1 s, 0.5 s, 0.25 s
        c.wait("refresh 0.25s")
        start, warm, seen = time.monotonic(), None, []
        while (went := time.monotonic() - start) < SECONDS:
            c.press("esc", "esc", rng.choice(SCREENS))  # out of a form, where a digit is text
            end = time.monotonic() + 5
            while time.monotonic() < end:
                assert c.read(0.2), c.text()
            c.raw = b""
            if warm is None and went > SECONDS / 6:
                warm = resident_kib(c.child.pid)
            elif warm is not None:
                seen.append(resident_kib(c.child.pid))
        print(f"resident: {warm} KiB after {SECONDS // 6} s, then {min(seen)} to {max(seen)} KiB in {SECONDS} s")
        assert max(seen) <= warm * 1.05 + 512 and max(seen) < 48 * 1024, (warm, seen)
        c.press("1")
        c.wait("Queries/s")
        c.press("Q")
        assert c.ended() == 0
