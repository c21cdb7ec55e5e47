"""Peers of other versions, and peers that are none."""

import socket
import struct

import pytest
import zmq
import zmq.utils.z85 as z85

from appliance import zone_text
from fleet import Fleet
from fleetpeer import (BEAT, CHANGE, ENROL, ENROLLED, ERROR, HELLO, RECEIPT, WELCOME, Peer, field, token_parts)
from peers import wait_until


@pytest.fixture(scope="module")
def fleet(tmp_path_factory):
    with Fleet(2) as f:
        zone = tmp_path_factory.mktemp("zones") / "example.com"
        zone.write_text(zone_text("example.com.", records="www A 192.0.2.10\n"))
        f.primary.cli("zone", "import", "example.com", zone)
        f.wait_converged()
        yield f


def set_a(fleet, value):
    return fleet.primary.cli_json("record", "set", "example.com", "a", "60", "A", value, "--commit", "--wait", "served")


def version(major=1, minor=0):
    return field(1, major) + field(2, minor) + field(3, "nameserve 9.9.9")


def enrolled(fleet, name):
    """A peer that has enrolled under a key of its own, as (key, endpoint, server key)."""
    endpoint, server, secret = token_parts(fleet.invite(name))
    public, own = zmq.curve_keypair()
    guest = Peer(endpoint, server, z85.encode(secret))
    guest.say(ENROL, version() + field(4, name) + field(5, z85.decode(public)))
    assert guest.hear(ENROLLED)[1] == b"p"
    guest.close()
    return own, endpoint, server


def hello(peer, major=1, minor=0, more=b"", revision=0):
    peer.say(HELLO, version(major, minor) + field(4, revision) + field(5, bytes(32)) + more, term=0)


def test_higher_minor_version_and_what_is_not_known(fleet):
    own, endpoint, server = enrolled(fleet, "next")
    peer = Peer(endpoint, server, own)
    # Fields and messages that nobody knows yet are no reason to stop.
    hello(peer, minor=7, more=field(900, "new") + field(901, 5))
    assert peer.hear(WELCOME)[1] == 1
    peer.say(198, b"a message of a newer version")
    peer.say(RECEIPT, field(1, 0) + field(77, "new"), raw=field(950, b"new"))
    assert peer.hear(CHANGE)[1] == 1
    assert peer.hear(BEAT)[1] == fleet.primary.revision()
    assert fleet.state("next")["version"] == "9.9.9"
    # It says that it has what does not exist: not believed, and nobody waits for it wrongly.
    peer.say(RECEIPT, field(1, 10**6) + field(2, 10**6))
    peer.close()
    fleet.primary.cli("fleet", "remove", "next", "--confirm=next")


def test_another_major_version_is_refused(fleet):
    own, endpoint, server = enrolled(fleet, "older")
    peer = Peer(endpoint, server, own)
    hello(peer, major=2)
    error = peer.hear(ERROR)
    assert error[2] == 1005 and b"same release" in error[3]
    assert peer.hear(CHANGE, 0.5) is None
    # Garbage and an older term on a connection that is let in: counted, and nothing more.
    peer.socket.send(b"\xff" * 1000)
    hello(peer)
    assert peer.hear(WELCOME)
    peer.say(RECEIPT, b"", term=0)
    assert b"term" in peer.hear(ERROR)[3]
    peer.close()
    # Its key after it was removed: the handshake fails.
    fleet.primary.cli("fleet", "remove", "older", "--confirm=older")
    peer = Peer(endpoint, server, own)
    hello(peer)
    assert peer.hear(WELCOME, 1.0) is None
    peer.close()


def test_an_invitation_is_for_enrolment_alone(fleet):
    endpoint, server, secret = token_parts(fleet.invite("guest"))
    peer = Peer(endpoint, server, z85.encode(secret))
    hello(peer)
    assert peer.hear(WELCOME, 1.0) is None
    peer.say(ENROL, version() + field(4, "r1") + field(5, bytes(32)))
    assert b"this invitation is for guest" in peer.hear(ERROR)[3]
    peer.close()


def memory_kib(pid):
    with open(f"/proc/{pid}/status") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("VmRSS"))


def test_strangers(fleet):
    """Silent connections, a frame of 8 GiB, wrong keys: edits flow, and memory stays."""
    pid, (endpoint, server, _) = fleet.primary.pid("sync"), token_parts(fleet.invite("stranger"))
    host, port = "127.0.0.1", int(endpoint.rsplit(":", 1)[1])
    before = memory_kib(pid)
    silent = [socket.create_connection((host, port)) for _ in range(1000)]
    for s in silent[-50:-1]:  # those before have been shown out
        # A greeting that promises CURVE, then a frame that announces 8 GiB.
        s.sendall(b"\xff" + bytes(8) + b"\x7f\x03\x00" + b"CURVE".ljust(20, b"\0") + bytes(32))
        s.sendall(b"\x02" + struct.pack(">Q", 8 << 30) + b"x" * 1000)
    wrong = [Peer(endpoint, server) for _ in range(20)]
    for w in wrong:
        hello(w)
    for i in range(10):
        done = set_a(fleet, f"192.0.2.{i + 1}")
        assert sorted(r["appliance"] for r in done["served"]) == ["p", "r1"]
    # An enrolled replica comes back meanwhile.
    fleet.replicas[0].kill_role("sync")
    wait_until(lambda: fleet.replicas[0].ready() and fleet.replicas[0].follows(), "r1 is back")
    assert memory_kib(pid) - before < 50 << 10
    assert all(w.hear(WELCOME, 0.01) is None for w in wrong)
    # Who connects and says nothing is thrown out.
    silent[-1].settimeout(60)
    greeting = silent[-1].recv(64)
    assert silent[-1].recv(64) == b"" if greeting else True
    for s in silent:
        s.close()
    for w in wrong:
        w.close()
    assert fleet.primary.pid("sync") == pid
    assert set_a(fleet, "192.0.2.99")["late"] == []
