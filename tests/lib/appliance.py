"""One appliance: real processes, a directory of its own, ports of its own, ended by pid.

The directory lies below /tmp and is world-traversable, because the roles run as users of their own
when the tests run as root.
"""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

import dns.message
import dns.query
import dns.rcode

from peers import PATIENCE, free_port, wait_until

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("NS_BUILD", ROOT / "build"))


class CliError(Exception):
    def __init__(self, args, code, out, err):
        super().__init__(f"nameserve {' '.join(map(str, args))}: exit {code}\n{out}\n{err}")
        self.code, self.out, self.err = code, out, err


def variant(**programs):
    """A tree of the built programs in which some are others: variant(worker=PATH). Ended by the caller."""
    tree = pathlib.Path(tempfile.mkdtemp(prefix="ns-tree-", dir="/tmp"))
    tree.chmod(0o755)
    for folder in ("bin", "libexec"):
        shutil.copytree(BUILD / folder, tree / folder)
    for role, path in programs.items():
        shutil.copy(path, tree / "libexec" / f"nameserve-{role}")
    return tree


class Appliance:
    def __init__(self, workers=1, build=BUILD, config="", env=None, dns_config="", data=None,
                 addresses=("127.0.0.1", "::1")):
        self.build = pathlib.Path(build)
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="ns-test-", dir="/tmp"))
        self.dir.chmod(0o755)
        self.port = free_port()
        self.workers, self.addresses = workers, addresses
        self.data = pathlib.Path(data) if data else self.dir / "data"
        self.extra, self.dns_config = config, dns_config
        # Drafts of the CLI go into the test's directory.
        self.env = dict(os.environ, XDG_STATE_HOME=str(self.dir / "state"), **(env or {}))
        self.process = None
        self.starts = 0

    # ---- life ----
    @property
    def socket(self):
        return self.dir / "run" / "control"

    @property
    def log_path(self):
        return self.dir / "log"

    def log(self):
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def write_config(self):
        path = self.dir / "nameserved.conf"
        path.write_text(
            f"[appliance]\nname = test-a\nrole = primary\nsite = lab\ndata = {self.data}\n"
            f"run = {self.dir}/run\n[dns]\nlisten = {', '.join(f'{a}@{self.port}' for a in self.addresses)}\n"
            f"workers = {self.workers}\n{self.dns_config}\n[keys]\nkek = {self.dir}/kek\n{self.extra}"
        )
        return path

    def arguments(self):
        return []

    def spawn(self):
        """Start nameserved and do not wait."""
        config = self.write_config()
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [self.build / "bin" / "nameserved", "--config", config, *self.arguments()],
                stdout=log,
                stderr=log,
                env=self.env,
                stdin=subprocess.DEVNULL,
            )
        self.starts += 1
        return self

    def start(self, seconds=30):
        self.spawn()
        wait_until(self.ready, f"appliance ready; its log:\n{self.log()[-3000:]}", seconds)
        return self

    def ready(self):
        assert self.process.poll() is None, f"nameserved ended {self.process.poll()}: {self.log()[-3000:]}"
        try:
            status = self.cli_json("status", timeout=2)
        except (CliError, subprocess.TimeoutExpired):
            return None
        states = [p["state"] for p in status["processes"]]
        return status if states and all(s == "ready" for s in states) else None

    def stop(self, seconds=PATIENCE):
        if self.process is None:
            return None
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(5)
            raise AssertionError(f"did not stop on SIGTERM:\n{self.log()[-2000:]}") from None
        self.process = None
        return code

    def kill(self):
        """A power cut for the processes: kill -9 of the supervisor; its children die with it."""
        pids = [p["pid"] for p in self.processes()]
        self.process.kill()
        self.process.wait(5)
        self.process = None
        wait_until(lambda: not any(os.path.exists(f"/proc/{p}") for p in pids), "children gone")

    def __enter__(self):
        try:
            return self if self.process else self.start()
        except BaseException:
            self.process.kill()  # its children die with it
            self.process.wait(5)
            raise

    def __exit__(self, kind, *_):
        try:
            if self.process is not None:
                self.stop()
        finally:
            if kind is None:
                shutil.rmtree(self.dir, ignore_errors=True)
            else:
                print(f"---- log of {self.dir} ----\n{self.log()[-6000:]}")

    # ---- the CLI, as a user has it ----
    def cli_run(self, *args, timeout=30, stdin=None, binary=None):
        command = [binary or self.build / "bin" / "nameserve", "--socket", self.socket, *map(str, args)]
        return subprocess.run(
            command, capture_output=True, text=True, timeout=timeout, input=stdin, env=self.env
        )

    def cli(self, *args, **kw):
        done = self.cli_run(*args, **kw)
        if done.returncode != 0:
            raise CliError(args, done.returncode, done.stdout, done.stderr)
        return done.stdout

    def cli_json(self, *args, **kw):
        return json.loads(self.cli("--json", *args, **kw))

    def fails(self, code, *args, **kw):
        """The command must end with this exit code; its stderr."""
        done = self.cli_run(*args, **kw)
        assert done.returncode == code, (args, done.returncode, done.stdout, done.stderr)
        return done.stderr

    def processes(self, role=None):
        return [
            p
            for p in self.cli_json("status")["processes"]
            if p["pid"] > 0 and (role is None or p["role"] == role)
        ]

    def pid(self, role, index=0):
        return next(p["pid"] for p in self.processes(role) if p.get("index", 0) == index)

    def kill_role(self, role, index=0):
        """kill -9 one process and wait until another one has its place."""
        old = self.pid(role, index)
        os.kill(old, signal.SIGKILL)
        return old

    def wait_replaced(self, role, old, seconds=PATIENCE):
        def replaced():
            try:
                found = [p for p in self.processes(role) if p["state"] == "ready"]
            except CliError:
                return False
            return found and all(p["pid"] != old for p in found)

        wait_until(replaced, f"{role} {old} replaced", seconds)

    # ---- DNS ----
    def ask(self, name, rdtype="A", tcp=False, timeout=10.0, where="127.0.0.1", **kw):
        """One query. What waits is this test's own machine: nothing is lost on loopback but where a process was killed."""
        query = dns.message.make_query(name, rdtype, **kw)
        send = dns.query.tcp if tcp else dns.query.udp
        return send(query, where, port=self.port, timeout=timeout)

    def values(self, name, rdtype="A", **kw):
        """Sorted rdata texts of the answer section's last RRset; the rcode's name without one."""
        reply = self.ask(name, rdtype, **kw)
        if reply.rcode() != 0 or not reply.answer:
            return dns.rcode.to_text(reply.rcode()) if reply.rcode() else "NODATA"
        return sorted(str(r) for r in reply.answer[-1])


def zone_text(origin, serial=1, records=""):
    return (
        f"$ORIGIN {origin}\n$TTL 300\n@ IN SOA ns1 hostmaster {serial} 7200 3600 1209600 300\n"
        f"@ IN NS ns1\n@ IN NS ns2\nns1 IN A 192.0.2.1\nns2 IN A 192.0.2.2\n{records}"
    )


def monotonic_ms():
    return time.monotonic() * 1000
