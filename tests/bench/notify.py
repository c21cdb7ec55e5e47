"""One edit through BIND and through Knot, as Debian configures them but for what an update and a secondary need: a
dynamic update at the primary, NOTIFY, IXFR, and the secondary answers."""

import os
import pathlib
import shutil
import tempfile
import threading
import time

import dns.query
import dns.update

import peers
from appliance import zone_text

EDITS = 20


def until_served(port, name, value, edit):
    """Milliseconds from the start of edit() until that port answers with the value."""
    began, found = time.monotonic(), []

    def watch():
        while not found and time.monotonic() < began + 60:
            reply = peers.answers(port, name, "A")
            if reply and reply.answer and value in str(reply.answer[-1]):
                found.append((time.monotonic() - began) * 1000)
            time.sleep(0.0005)

    thread = threading.Thread(target=watch)
    thread.start()
    edit()
    thread.join()
    assert found, f"{name} did not come within a minute"
    return found[0]


class BindPrimary(peers.Named):
    def config(self):
        zones = "".join(
            f'zone "{o}" {{ type primary; file "{p}"; allow-update {{ 127.0.0.1; }}; allow-transfer {{ 127.0.0.1; }}; '
            f'notify explicit; also-notify {{ 127.0.0.1 port {self.other}; }}; }};\n' for o, p in self.zones.items())
        return bind_options(self) + zones


class BindSecondary(peers.Named):
    def config(self):
        zones = "".join(
            f'zone "{o}" {{ type secondary; file "{self.dir}/{o}"; primaries {{ 127.0.0.1 port {self.other}; }}; }};\n'
            for o in self.zones)
        return bind_options(self) + zones


def bind_options(server):
    return (f'options {{ directory "{server.dir}"; pid-file none; session-keyfile none; listen-on port {server.port} '
            "{ 127.0.0.1; }; listen-on-v6 { none; }; recursion no; dnssec-validation no; }; controls { };\n")


class KnotPrimary(peers.Knot):
    def config(self):
        return knot_config(self, """remote:
  - id: secondary
    address: 127.0.0.1@%d
acl:
  - id: all
    address: 127.0.0.1
    action: [transfer, update]
""" % self.other, "    notify: secondary\n    acl: all\n", files=True)


class KnotSecondary(peers.Knot):
    def config(self):
        return knot_config(self, """remote:
  - id: primary
    address: 127.0.0.1@%d
acl:
  - id: all
    address: 127.0.0.1
    action: notify
""" % self.other, "    master: primary\n    acl: all\n", files=False)


def knot_config(server, more, template, files):
    zones = "".join(f'  - domain: "{o}"\n' + (f'    file: "{p}"\n' if files else "") for o, p in server.zones.items())
    return (f'server:\n  rundir: "{server.dir}"\n  listen: 127.0.0.1@{server.port}\ndatabase:\n'
            f'  storage: "{server.dir}"\nlog:\n  - target: stderr\n    any: warning\n{more}'
            f'template:\n  - id: default\n    storage: "{server.dir}"\n{template}zone:\n{zones}')


def pair(first, second, folder):
    zones = {}
    for i in range(EDITS):
        path = folder / f"z{i:06d}.example"
        path.write_text(zone_text(f"z{i:06d}.example.", serial=2026010101, records="www A 192.0.2.1\n"))
        zones[f"z{i:06d}.example."] = path
    primary, secondary = first(zones), second(zones)
    primary.other, secondary.other = secondary.port, primary.port
    return primary, secondary


def measure(primary, secondary):
    times = []
    for i in range(EDITS):
        origin, value = f"z{i:06d}.example.", f"10.2.0.{i}"
        update = dns.update.Update(origin)
        update.replace("www", 60, "A", value)

        def send(update=update):
            reply = dns.query.tcp(update, "127.0.0.1", port=primary.port, timeout=10)
            assert reply.rcode() == 0, reply

        times.append(until_served(secondary.port, f"www.{origin}", value, send))
    return times


def rivals():
    """(name, milliseconds of each edit) of those that are installed."""
    for name, first, second in (("bind", BindPrimary, BindSecondary), ("knot", KnotPrimary, KnotSecondary)):
        folder = scratch()
        try:
            primary, secondary = pair(first, second, folder)
            with primary, secondary:
                yield name, measure(primary, secondary)
        except RuntimeError as e:
            print(f"{name}: not measured: {e}")
        finally:
            shutil.rmtree(folder)


def scratch():
    """Zone files that a primary may write its journal beside."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="ns-notify-", dir="/tmp"))
    os.chmod(folder, 0o777)
    return folder
