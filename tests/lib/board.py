"""The health board of an appliance, written by a test in the probe's place (a stub that only says that it is ready)."""

import mmap
import os
import struct

UP, DOWN = 1, 2


class Board:
    """Slot i is the check with the id i: state, RTT in 10 µs, since (zonemap/board.h)."""

    def __init__(self, pid, checks):
        self.checks = checks  # {name: id}
        fd = os.open(f"/proc/{pid}/fd/5", os.O_RDWR)
        self.map = mmap.mmap(fd, os.fstat(fd).st_size)
        os.close(fd)

    def set(self, check, up, rtt_ms=None, since=1):
        word = (UP if up else DOWN) | int((rtt_ms or 0) * 100) << 8 | since << 32
        struct.pack_into("=Q", self.map, self.checks[check] * 8, word)

    def all(self, up=True):
        for check in self.checks:
            self.set(check, up)
