"""Processes that die, hang or are attacked: the others go on, nothing is lost, nobody gains rights."""

import json
import os
import pathlib
import shutil
import signal
import socket
import struct
import subprocess
import time

import pytest

from appliance import Appliance, variant, zone_text
from peers import URGENT, free_port, wait_until


def question_file(appliance, names):
    path = appliance.dir / "questions"
    path.write_text("".join(f"{n} A\n" for n in names))
    return path


def serve_hosts(appliance, n=200):
    path = appliance.dir / "example.com"
    path.write_text(zone_text("example.com.", records="".join(
        f"h{i} IN A 10.0.{i >> 8}.{i & 255}\n" for i in range(n))))
    appliance.cli("zone", "import", "example.com", path)
    return question_file(appliance, [f"h{i}.example.com." for i in range(n)])


def flood(appliance, questions, rate, seconds, ports):
    return subprocess.Popen(
        [appliance.build / "tools" / "flood", f"127.0.0.1@{appliance.port}", questions,
         str(rate), str(seconds), str(ports)], stdout=subprocess.PIPE, text=True)


KILLS, FLOOD_SECONDS, FLOOD_RATE = 50, 27, 20000


def flood_while_killing():
    """What came of a load during which a worker was killed 50 times, or as often as there was time."""
    with Appliance(workers=2) as a:
        load = flood(a, serve_hosts(a), FLOOD_RATE, FLOOD_SECONDS, 64)
        kills = 0
        while kills < KILLS and load.poll() is None:
            old = a.kill_role("worker", kills % 2)
            a.wait_replaced("worker", old)
            kills += 1
        out = json.loads(load.communicate(timeout=60)[0])
        out["kills"] = kills
        assert sum(p["restarts"] for p in a.processes("worker")) == kills
    print({k: v for k, v in out.items() if k != "lost_at"})
    return out


def test_fifty_dead_workers_cost_their_batches_only():
    """20,000 qps from 64 ports, two workers, 50 kill -9: each loses at most the ≤ 32 it had taken.

    On a machine that cannot carry the load (replies later than a second) the figures say nothing of us:
    then it is measured again."""
    for _ in range(3):
        out = flood_while_killing()
        if out["late"] < out["sent"] / 50 and out["kills"] == KILLS:
            break
    assert out["kills"] > KILLS / 2
    assert out["sent"] >= FLOOD_RATE * FLOOD_SECONDS * 0.99
    assert out["lost"] <= KILLS * 32, out["lost"]
    assert out["stray"] == out["servfail"] == out["refused"] == 0
    bursts = {}
    for at in out["lost_at"]:
        bursts[at // 20] = bursts.get(at // 20, 0) + 1
    assert max(bursts.values(), default=0) <= 64, bursts


def test_a_dead_worker_is_replaced_quickly_and_tcp_is_reset(example):
    with socket.create_connection(("127.0.0.1", example.port)) as tcp:
        query = bytes.fromhex("123400000001000000000000") + b"\3www\7example\3com\0\0\1\0\1"
        tcp.sendall(struct.pack(">H", len(query)) + query)
        assert tcp.recv(2)
        pid = example.pid("worker")
        took = [seconds_to_answer_after_death(example, pid)]
        tcp.settimeout(30)
        try:
            while tcp.recv(4096):
                pass
        except ConnectionResetError:
            pass
    while min(took) >= 0.05 * 5 and len(took) < 5:  # five times the budget, as `make check` asserts; once is proof
        example.wait_replaced("worker", pid)
        wait_until(lambda: all(p["uptime_s"] > 1.1 for p in example.processes("worker")), "it lived for a second")
        pid = example.pid("worker")
        took.append(seconds_to_answer_after_death(example, pid))
    assert min(took) < 0.05 * 5, took


def seconds_to_answer_after_death(a, worker):
    start = time.monotonic()
    os.kill(worker, signal.SIGKILL)
    assert a.values("www.example.com") == ["192.0.2.10"]
    return time.monotonic() - start


def test_a_hanging_process_is_killed_and_replaced(example):
    for role, seconds in (("worker", 8), ("answer", 15), ("signer", 15)):
        pid = example.pid(role)
        os.kill(pid, signal.SIGSTOP)
        example.wait_replaced(role, pid, seconds)
        assert example.values("www.example.com") == ["192.0.2.10"]


def test_a_worker_that_hangs_before_it_is_ready_is_replaced():
    tree = variant(signer="/bin/false")  # so that no zone ever comes and the worker stays a starter
    a = Appliance(build=tree).spawn()
    try:
        pid = wait_until(lambda: a.socket.exists() and a.pid("worker"), "a worker runs", 10)
        os.kill(pid, signal.SIGSTOP)
        wait_until(lambda: a.pid("worker") not in (0, pid), "the worker is replaced", 20)
    finally:
        a.stop()
        shutil.rmtree(tree)
        shutil.rmtree(a.dir, ignore_errors=True)


def test_a_crash_loop_backs_off_and_the_others_go_on(example):
    killed = set()
    while len(killed) < 4:
        pid = wait_until(lambda: next((p["pid"] for p in example.processes("answer")
                                       if p["pid"] not in killed), None), "answer runs", 30)
        os.kill(pid, signal.SIGKILL)
        killed.add(pid)
    assert example.values("www.example.com") == ["192.0.2.10"]
    wait_until(lambda: example.ready(), "answer is back", 40)


def test_children_do_not_outlive_the_supervisor(example):
    example.kill()  # asserts it
    example.start()
    assert example.values("www.example.com") == ["192.0.2.10"]


def status_fields(pid, task):
    text = pathlib.Path(f"/proc/{pid}/task/{task}/status").read_text()
    return dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)


def test_every_thread_of_every_role_has_given_up_its_rights(example):
    uids = {}
    for process in example.processes():
        pid = process["pid"]
        for task in os.listdir(f"/proc/{pid}/task"):
            f = status_fields(pid, task)
            where = (process["role"], task)
            assert f["Seccomp"] == "2", where
            assert f["NoNewPrivs"] == "1", where
            for field in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
                assert int(f[field], 16) == 0, (where, field)
            if os.getuid() == 0:
                assert len(set(f["Uid"].split())) == 1 and f["Uid"].split()[0] != "0", where
                uids.setdefault(process["role"], set()).add(f["Uid"].split()[0])
    if os.getuid() == 0:
        assert all(len(u) == 1 for u in uids.values())
        assert len({next(iter(u)) for u in uids.values()}) == len(uids), "a user of its own for each role"


def turn_of(task):
    return os.sched_getscheduler(task) & ~os.SCHED_RESET_ON_FORK, os.getpriority(os.PRIO_PROCESS, task)


def test_a_worker_takes_its_turn_first(example):
    def turns_of(role):
        return {turn_of(int(t)) for p in example.processes(role) for t in os.listdir(f"/proc/{p['pid']}/task")}

    ours = os.getpriority(os.PRIO_PROCESS, 0)
    first = max(ours - 10, -20) if os.getuid() == 0 else ours
    wait_until(lambda: turns_of("worker") == {(os.SCHED_RR if URGENT else os.SCHED_OTHER, first)}, "the worker comes first")
    assert turns_of("sync") == turns_of("signer") == {(os.SCHED_BATCH, ours)}
    assert turns_of("answer") == turns_of("probe") == {(os.SCHED_OTHER, ours)}


@pytest.mark.skipif(not URGENT or os.cpu_count() < 2, reason="needs real time, and a core for the load")
def test_a_flooded_worker_shares_its_core(example):
    worker = example.processes("worker")[0]["pid"]
    wait_until(lambda: turn_of(worker)[0] == os.SCHED_RR, "the worker comes first")
    questions = question_file(example, ["www.example.com."])
    os.sched_setaffinity(worker, {1})
    blast = subprocess.Popen([*URGENT, "taskset", "-c", "0", example.build / "tools" / "blast",
                              str(example.port), questions, "60"], stdout=subprocess.DEVNULL)
    try:
        wait_until(lambda: turn_of(worker)[0] == os.SCHED_OTHER, "the worker shares its core", 50)
    finally:
        blast.kill()
        blast.wait()
    wait_until(lambda: turn_of(worker)[0] == os.SCHED_RR, "the worker comes first again")


def test_no_role_links_what_it_must_not(example):
    forbidden = {"probe": ("sqlite",), "worker": ("zmq", "sqlite", "ldns"), "answer": ("sqlite", "ldns"),
                 "signer": ("sqlite", "ldns"), "sync": ("libssl",)}
    for role, words in forbidden.items():
        needed = subprocess.run(["readelf", "-d", example.build / "libexec" / f"nameserve-{role}"],
                                capture_output=True, text=True, check=True).stdout
        for word in words:
            assert word not in needed, (role, word)


def run_nameserved(appliance, **changes):
    """Start with a changed configuration; (exit code, log)."""
    path = appliance.write_config()
    text = path.read_text()
    for old, new in changes.get("replace", []):
        assert old in text
        text = text.replace(old, new)
    path.write_text(text)
    done = subprocess.run([appliance.build / "bin" / "nameserved", "--config", path],
                          capture_output=True, text=True, timeout=60)
    return done.returncode, done.stderr


@pytest.mark.parametrize("old, new, words", [
    ("workers = 1", "workers = many", ["nameserved.conf:9", "workers", "many"]),
    ("workers = 1", "wrokers = 1", ["nameserved.conf:9", "wrokers"]),
    ("[dns]", "[dnss]", ["dnss"]),
    ("listen = ", "listen = 127.0.0.1@99999, ", ["99999"]),
    ("role = primary", "role = king", ["role", "king"]),
    ("name = test-a\n", "", ["name"]),
])
def test_bad_configuration_names_file_line_key_and_reason(old, new, words):
    a = Appliance()
    code, err = run_nameserved(a, replace=[(old, new)])
    assert code == 2
    for word in words:
        assert word in err, err
    assert not a.data.exists()


def test_port_in_use_is_an_error():
    a = Appliance()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", a.port))
        code, err = run_nameserved(a)
    assert code == 2 and str(a.port) in err


@pytest.mark.skipif(os.getuid() != 0, reason="needs root")
def test_unreachable_directory_is_refused_with_path_and_mode():
    a = Appliance()
    closed = a.dir / "closed"
    closed.mkdir(mode=0o700)
    a.data = closed / "data"
    code, err = run_nameserved(a)
    assert code == 2 and str(closed) in err and "700" in err


@pytest.mark.skipif(os.getuid() != 0, reason="needs root to become somebody else")
def test_works_for_a_normal_user_and_unknown_users_are_refused():
    a = Appliance()
    os.chown(a.dir, 65534, 65534)
    config = a.write_config()
    log = open(a.log_path, "wb")
    a.process = subprocess.Popen([a.build / "bin" / "nameserved", "--config", config], stdout=log,
                                 stderr=log, user=65534, group=65534, extra_groups=[])
    with a:
        wait_until(a.ready, "ready as nobody", 30)
        assert {status_fields(p["pid"], p["pid"])["Uid"].split()[0] for p in a.processes()} == {"65534"}
        done = subprocess.run([a.build / "bin" / "nameserve", "--socket", a.socket, "status"],
                              capture_output=True, text=True, user=65533, group=65533, extra_groups=[])
        assert done.returncode == 4, (done.returncode, done.stderr)


def test_broken_packets_get_silence_or_formerr(example):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.connect(("127.0.0.1", example.port))
        s.settimeout(30)

        def send(data):
            """The reply; None when there is none before that to a good question behind it."""
            s.send(data)
            s.send(b"\xff\xff" + good[2:])
            first = s.recv(4096)
            if first[:2] == b"\xff\xff":
                return None
            assert s.recv(4096)[:2] == b"\xff\xff"
            return first

        good = bytes.fromhex("123401000001000000000000") + b"\3www\7example\3com\0\0\1\0\1"
        assert send(good)[3] & 15 == 0
        assert send(b"") is None and send(good[:11]) is None
        assert send(good[:2] + b"\x81" + good[3:]) is None  # a reply gets no reply
        assert send(good[:20])[3] & 15 == 1
        loop = good[:12] + b"\xc0\x0c\0\1\0\1"
        assert send(loop)[3] & 15 == 1
        assert send(good[:2] + b"\x28" + good[3:])[3] & 15 == 4  # UPDATE: NOTIMP
        assert send(good)[3] & 15 == 0


def test_unknown_version_of_a_message_is_refused(example):
    tool = example.build / "tools" / "hello"
    done = subprocess.run([tool, example.socket, "99", "0"], capture_output=True, text=True, timeout=60)
    assert "version" in done.stdout.lower(), (done.stdout, done.stderr)
    done = subprocess.run([tool, example.socket, "1", "77"], capture_output=True, text=True, timeout=60)
    assert done.stdout.startswith("hello"), (done.stdout, done.stderr)


def test_the_sandbox_holds(example):
    tool = example.build / "tools" / "sandbox_probe"
    store = example.data / "store.db"
    key = example.dir / "key"
    key.write_text("secret")
    key.chmod(0o644)
    done = subprocess.run([tool, store, key], capture_output=True, text=True, timeout=30)
    print(done.stdout, done.stderr)
    verdicts = json.loads(done.stdout)
    for role in ("sync", "signer", "answer", "worker"):
        v = verdicts[role]
        assert v["key"] != "opened", (role, v)
        assert v["inet_socket"] != "opened", (role, v)
        assert v["foreign_call"] == "killed SIGSYS", (role, v)
        if role != "sync":
            assert v["store"] != "opened", (role, v)
    assert verdicts["probe"]["inet_socket"] == "opened"  # its work; all else as for the others
    for attempt, verdict in verdicts["probe"].items():
        assert verdict != "opened" or attempt == "inet_socket", (attempt, verdict)


def test_a_wildcard_answers_from_the_address_asked_and_nobody_else():
    with Appliance(workers=2) as a:
        a.stop()
        path = a.write_config()
        path.write_text(path.read_text().replace(f"127.0.0.1@{a.port}", f"0.0.0.0@{a.port}"))
        a.write_config = lambda: path
        a.start()
        query = bytes.fromhex("123400000001000000000000") + b"\3www\7example\3com\0\0\1\0\1"
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.settimeout(30)
            for asked in ("127.0.0.1", "127.0.0.2", "127.9.9.9"):
                s.sendto(query, (asked, a.port))
                assert s.recvfrom(512)[1] == (asked, a.port)
            # All workers would answer what was sent to all: an amplifier.
            s.settimeout(1)
            s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1"))
            for asked in ("127.255.255.255", "224.0.0.1"):
                s.sendto(query, (asked, a.port))
                with pytest.raises(TimeoutError):
                    print(asked, s.recvfrom(512))


def test_a_second_port_owner_is_free_after_stop():
    port = free_port()
    a = Appliance()
    a.port = port
    with a:
        pass
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", port))
