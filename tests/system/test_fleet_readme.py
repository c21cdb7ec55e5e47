"""README.md's fleet in six commands, as written: three hosts with a network, an /etc, a /var/lib and a /run of
their own. What the README says is yours to fill in is filled in with what it shows for each host."""

import contextlib
import os
import re
import shutil
import subprocess
import tempfile
import time

import dns.message
import dns.query
import pytest

from appliance import BUILD, ROOT, zone_text
from fleetnet import Net, inside
from peers import wait_until

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="needs namespaces")
SECTION = (ROOT / "README.md").read_text().split("## A fleet\n")[1].split("\n## ")[0]
BLOCKS = re.findall(r"```(\w*)\n(.*?)```", SECTION, re.S)
CONFIG = next(text for kind, text in BLOCKS if kind == "ini")
COMMANDS, MORE = (re.findall(r"^(\w+)# (.*)$", text, re.M) for kind, text in BLOCKS if not kind)


def config_of(number):
    """The line's own value is the first host's; the others' follow the semicolon."""
    out = []
    for line in CONFIG.splitlines():
        m = re.fullmatch(r"(\w+\s*= )(\S+)\s*; (\S+), (\S+)", line)
        out.append(m[1] + m[2 + number] if m else line)
    return "\n".join(out) + "\n"


class Host:
    """A shell on a host of its own. The tools are where `make install` would have put them: in its PATH."""

    def __init__(self, net, name, number, folder):
        self.name, self.folder = name, folder
        self.config = config_of(number)
        self.address = re.search(r"listen = ([\d.]+)@53", self.config)[1]
        self.ns = net.ns(name)
        net.add(name, self.address)
        (folder / "etc" / "nameserve").mkdir(parents=True)
        (folder / "root").mkdir()
        for file in ("passwd", "group", "nsswitch.conf", "hosts"):
            shutil.copy(f"/etc/{file}", folder / "etc")
        (folder / "etc" / "nameserve" / "nameserved.conf").write_text(self.config)
        with inside(self.ns):
            self.shell = subprocess.Popen(
                ["unshare", "--mount", "--propagation", "private", "bash"], stdin=subprocess.PIPE,
                stdout=subprocess.PIPE, stderr=open(folder / "log", "wb"), text=True, cwd=folder / "root",
                env={"PATH": f"{BUILD}/bin:{os.environ['PATH']}", "HOME": str(folder / "root")})
        self.run(f"mount --bind {folder}/etc /etc && mount -t tmpfs -o mode=755 none /var/lib && "
                 "mount -t tmpfs -o mode=755 none /run")

    def run(self, command):
        """As typed; its output."""
        end = f"--end-{time.monotonic_ns()}--"
        self.shell.stdin.write(f"{command}\necho {end} $?\n")
        self.shell.stdin.flush()
        out = ""
        while not (line := self.shell.stdout.readline()).startswith(end):
            assert line, f"the shell of {self.name} ended:\n{self.log()}"
            out += line
        assert line.split()[1] == "0", f"{self.name}# {command}\n{out}\n{self.log()}"
        return out

    def log(self):
        return (self.folder / "log").read_text(errors="replace")[-3000:]

    def answer(self, name):
        with inside(self.ns):
            reply = dns.query.udp(dns.message.make_query(name, "A"), self.address, timeout=10)
        return [str(r) for rrset in reply.answer for r in rrset]

    def end(self):
        with contextlib.suppress(OSError):
            self.shell.stdin.write("kill $(jobs -p); wait\n")
            self.shell.stdin.close()
        try:
            self.shell.wait(30)
        except subprocess.TimeoutExpired:
            self.shell.kill()


def test_six_commands(tmp_path_factory):
    assert len(COMMANDS) == 6 and CONFIG.startswith("[appliance]\n")
    folder = tmp_path_factory.mktemp("hosts")
    for path in (folder, folder.parent):
        path.chmod(0o755)
    with tempfile.TemporaryDirectory(prefix="ns-hosts-", dir="/tmp") as top, Net() as net:
        os.chmod(top, 0o755)
        hosts = {}
        try:
            for i, name in enumerate(dict.fromkeys(name for name, _ in COMMANDS)):
                hosts[name] = Host(net, name, i, type(folder)(top) / name)
            listed = six(hosts)
            served(hosts, listed)
        finally:
            for host in hosts.values():
                host.end()


def six(hosts):
    """What the reader does besides: wait for an appliance to be up, and carry the invitations."""
    for name, command in COMMANDS:
        for file in re.findall(r"@(\S+)", command):
            if not (hosts[name].folder / "root" / file).exists():
                shutil.copy(hosts[COMMANDS[0][0]].folder / "root" / file, hosts[name].folder / "root")
        out = hosts[name].run(command)
        if command.endswith("&"):
            wait_until(lambda h=hosts[name]: "event=ready" in h.log(), f"{name} is up:\n{hosts[name].log()}", 20)
    return out


def served(hosts, listed):
    first = hosts[COMMANDS[0][0]]
    assert all(name in listed for name in hosts), listed
    wait_until(lambda: first.run("nameserve fleet list").count(" ok ") == 3, "all three are ok", 20)
    (first.folder / "root" / "zone").write_text(zone_text("shop.example.", records="www A 192.0.2.80\n"))
    first.run("nameserve zone import shop.example zone")
    for name, command in MORE:
        hosts[name].run(command)
    for host in hosts.values():
        wait_until(lambda h=host: h.answer("www.shop.example.") == ["192.0.2.81"], f"{host.name} serves it")
