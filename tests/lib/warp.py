"""Time as the test has it: for appliances whose sync and signer are built with tests/warp/clock.c."""

import mmap
import pathlib
import shutil
import struct
import tempfile
import time

from appliance import BUILD, variant


class Clock:
    """What has passed beside the real seconds, and by how much somebody set the wall clock."""

    def __init__(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="ns-warp-", dir="/tmp"))
        self.dir.chmod(0o755)
        self.path = self.dir / "time"
        self.path.write_bytes(bytes(4096))
        self.path.chmod(0o644)
        with open(self.path, "r+b") as f:
            self.page = mmap.mmap(f.fileno(), 4096)
        self.tree = variant(**{role: BUILD / "warp" / f"nameserve-{role}" for role in ("sync", "signer")})
        self.kw = {"build": self.tree, "env": {"NAMESERVE_TEST_WARP": str(self.path)}}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.tree, ignore_errors=True)
        shutil.rmtree(self.dir, ignore_errors=True)

    def numbers(self):
        return struct.unpack("=qq", self.page[:16])

    def passes(self, seconds):
        passed, wall = self.numbers()
        self.page[:16] = struct.pack("=qq", passed + int(seconds), wall)

    def wall_is_off(self, seconds):
        self.page[:16] = struct.pack("=qq", self.numbers()[0], int(seconds))

    def now(self):
        """The true time."""
        return time.time() + self.numbers()[0]
