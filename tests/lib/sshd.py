"""An sshd of our own on loopback, and accounts of this host whose shell is nameserve; all gone afterwards."""

import itertools
import os
import pathlib
import pwd
import subprocess

from appliance import BUILD
from peers import free_port, wait_until

SHELL = BUILD / "bin" / "nameserve"


def new_uid():
    """Nobody's, nor another test's a moment ago, some process of whom may still be ending."""
    taken = {user.pw_uid for user in pwd.getpwall()}
    return next(uid for uid in itertools.count(20000 + os.getpid() % 4000 * 10) if uid not in taken)


def run(*args):
    subprocess.run([str(a) for a in args], check=True, capture_output=True)


class Sshd:
    """For one appliance: sshd tells its programs the control socket, as an administrator would."""

    def __init__(self, appliance):
        self.dir = appliance.dir / "ssh"
        self.keys = self.dir / "keys"  # root's: nobody adds to them
        self.socket, self.port, self.accounts = appliance.socket, free_port(), []
        self.process = None

    def __enter__(self):
        self.keys.mkdir(parents=True)
        pathlib.Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.dir / "host")
        config = self.dir / "sshd_config"
        config.write_text(
            f"ListenAddress 127.0.0.1:{self.port}\nHostKey {self.dir}/host\nPidFile none\nUsePAM no\n"
            f"StrictModes no\nAuthorizedKeysFile {self.keys}/%u\nPasswordAuthentication no\n"
            f"KbdInteractiveAuthentication no\nAcceptEnv LANG LC_*\nSetEnv NAMESERVE_SOCKET={self.socket}\n"
            "Subsystem sftp /usr/lib/openssh/sftp-server\nMaxStartups 100\n")
        log = open(self.dir / "log", "wb")
        self.process = subprocess.Popen(["/usr/sbin/sshd", "-D", "-e", "-f", config], stdin=subprocess.DEVNULL,
                                        stdout=log, stderr=log)
        (self.dir / "config").write_text(
            f"Host *\n HostName 127.0.0.1\n Port {self.port}\n UserKnownHostsFile {self.dir}/known\n"
            f" StrictHostKeyChecking accept-new\n IdentitiesOnly yes\n IdentityAgent none\n LogLevel ERROR\n")
        wait_until(lambda: b"listening" in (self.dir / "log").read_bytes(), "sshd listens", 60)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(30)
        for name in self.accounts:
            subprocess.run(["userdel", "-f", name], capture_output=True)

    def account(self, name):
        home = self.dir / name
        run("useradd", "-u", new_uid(), "-N", "-M", "-d", home, "-s", SHELL, "-p", "*", name)
        self.accounts.append(name)
        home.mkdir()
        run("chown", name, home)

    def key(self, account, owner, options=""):
        """A key of this owner lets into the account."""
        path = self.dir / f"key-{owner}"
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", owner, "-f", path)
        with open(self.keys / account, "a") as f:
            f.write(f"{options}{' ' if options else ''}{path.with_suffix('.pub').read_text()}")
        (self.keys / account).chmod(0o644)
        return path

    def words(self, owner, account, *options):
        return ["ssh", "-F", str(self.dir / "config"), "-i", str(self.dir / f"key-{owner}"), *options, f"{account}@lab"]

    def ssh(self, owner, account, command, *options, stdin=None, **env):
        return subprocess.run([*self.words(owner, account, *options), *([command] if command else [])], text=True,
                              capture_output=True, timeout=60, env=dict(os.environ, **env),
                              **({"input": stdin} if stdin is not None else {"stdin": subprocess.DEVNULL}))
