"""The other servers of the bench with all of its zones: NSD, Knot, BIND (tests/lib/peers.py), gdnsd, PowerDNS.

One thread or process answers each of them, on the server's core; what a zone needs and nothing else is on.
"""

import os
import pathlib
import subprocess
import time

import peers
from rig import cpu_ns, pin_tree, pss_mb, tree

START_SECONDS = 180


class Gdnsd(peers.Peer):
    program = "gdnsd"
    version_args = ["version"]

    def config(self):
        etc = pathlib.Path(self.dir) / "etc"
        etc.mkdir()
        (etc / "config").write_text(
            "options => { listen => [ \"127.0.0.1:%d\" ], udp_threads => 1, tcp_threads => 1,\n"
            "run_dir => \"%s/run\", state_dir => \"%s/state\" }\n" % (self.port, self.dir, self.dir))
        (etc / "zones").symlink_to(next(iter(self.zones.values())).parent)
        return ""

    def command(self, config):
        return ["gdnsd", "-c", str(pathlib.Path(self.dir) / "etc"), "start"]


class Pdns(peers.Peer):
    """PowerDNS with its BIND backend, its caches as they come."""

    program = "pdns_server"
    version_args = ["--version"]

    def config(self):
        zones = "".join(f'zone "{o}" {{ type master; file "{p}"; }};\n' for o, p in self.zones.items())
        (pathlib.Path(self.dir) / "named.conf").write_text(zones)
        # The socket of its control lies in the directory too; a user of its own is not needed on loopback.
        return (f"launch=bind\nbind-config={self.dir}/named.conf\nlocal-address=127.0.0.1\n"
                f"local-port={self.port}\nsocket-dir={self.dir}\nreceiver-threads=1\ndistributor-threads=1\n"
                "daemon=no\nguardian=no\nwrite-pid=no\ndisable-syslog=yes\nloglevel=3\nsecurity-poll-suffix=\n"
                "version-string=anonymous\n")

    def command(self, config):
        return ["pdns_server", f"--config-dir={self.dir}", "--config-name="]


class Nsd(peers.Nsd):
    version_args = ["-v"]


class Knot(peers.Knot):
    version_args = ["-V"]


class Named(peers.Named):
    version_args = ["-v"]


KINDS = {"gdnsd": Gdnsd, "nsd": Nsd, "knot": Knot, "bind": Named, "pdns": Pdns}


def version(kind):
    done = subprocess.run([kind.program, *kind.version_args], capture_output=True, text=True, check=False)
    words = (done.stdout + done.stderr).replace("(", " ").split()
    return next((w.rstrip(",)").split("-")[0] for w in words if w[0].isdigit() and "." in w), "?")


def zones_of(data):
    return {f"{n}.": data / "zones" / n for n in (data / "names").read_text().split()}


class Rival:
    """One of them, started with every zone: ready when the first and the last zone answer."""

    def __init__(self, name, zones, kind=None):
        self.name, self.peer = name, (kind or KINDS[name])(zones)
        origins = list(zones)
        config = os.path.join(self.peer.dir, "pdns.conf" if name == "pdns" else "peer.conf")
        pathlib.Path(config).write_text(self.peer.config())
        began = time.monotonic()
        with open(os.path.join(self.peer.dir, "log"), "wb") as log:
            self.peer.process = subprocess.Popen(self.peer.command(config), stdout=log, stderr=log)
        try:
            for origin in (origins[0], origins[-1]):
                peers.wait_until(lambda o=origin: self.answers(o), f"{name} serves", START_SECONDS)
        except AssertionError:
            print((pathlib.Path(self.peer.dir) / "log").read_text(errors="replace")[-800:])
            self.close()
            raise
        self.start_s = time.monotonic() - began
        pin_tree(self.peer.process.pid)

    def answers(self, origin):
        """False also while REFUSED, and once the process has ended."""
        assert self.peer.process.poll() is None, f"{self.name} ended"
        reply = peers.answers(self.peer.port, origin)
        return reply is not None and reply.answer

    @property
    def port(self):
        return self.peer.port

    def pids(self):
        return tree(self.peer.process.pid)

    def memory_mb(self):
        return pss_mb(self.pids())

    def cpu_ns(self):
        return cpu_ns(self.pids())

    def close(self):
        self.peer.__exit__(None, None, None)


def start_all(zones, only=KINDS):
    """Those that can be started; the others are named and left out."""
    found = []
    for name in only:
        try:
            found.append(Rival(name, zones))
        except (AssertionError, RuntimeError) as e:
            print(f"{name}: not measured: {e}")
    return found
