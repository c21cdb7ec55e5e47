"""The image boots, becomes what its seed says, is used by an administrator and an operator over ssh and by resolvers, and
survives its own troubles. One machine, tests in this order."""

import json
import re
import subprocess

import pytest

from vm import IMAGE, IMAGES, KVM, PATIENCE, Vm, run

ROOT_AT = (1 + 32) << 20  # of the root file system in the disk (build.sh)


@pytest.fixture(scope="module")
def vm(tmp_path_factory):
    machine = Vm(tmp_path_factory.mktemp("vm"))
    print(f"\nimage-check: {IMAGE}, {'KVM' if KVM else 'emulated'}, {PATIENCE} s for a boot")
    machine.seed()
    yield machine
    machine.stop()


@pytest.fixture(scope="module")
def was():
    """What one test noted for a later one."""
    return {}


def processes(vm):
    return json.loads(vm.alice("--json status"))["processes"]


def ready(vm):
    return all(p["state"] == "ready" for p in processes(vm))


def workers(vm):
    return {p["pid"]: p["restarts"] for p in processes(vm) if p["role"] == "worker"}


def answers(vm, value="192.0.2.81"):
    return vm.dig("www.vm.example", "A") == value


def test_no_secret_is_in_the_image(tmp_path):
    """Of two machines nothing of this may be alike."""
    assert IMAGE.stat().st_size < 1 << 30
    disk = tmp_path / "disk"
    run("qemu-img", "convert", "-O", "raw", IMAGE, disk)

    def debugfs(command):
        return run("/usr/sbin/debugfs", "-R", command, f"{disk}?offset={ROOT_AT}")

    assert "sshd_config" in debugfs("ls -p /etc/ssh") and "ssh_host" not in debugfs("ls -p /etc/ssh")
    assert not re.search("kek|nameserved.conf|invitation", debugfs("ls -p /etc/nameserve"))
    assert "store" not in debugfs("ls -p /var/lib/nameserve")
    assert debugfs("cat /etc/machine-id") == "" and "random-seed" not in debugfs("ls -p /var/lib/systemd")
    shadow = dict(line.split(":")[:2] for line in debugfs("cat /etc/shadow").split())
    assert "root" in shadow and all(word[0] in "!*" for word in shadow.values()), shadow
    disk.unlink()


def test_it_becomes_what_the_seed_says(vm, was):
    vm.start()
    vm.wait(lambda: "status: done" in vm.admin("cloud-init status --wait", None), "the first boot is done")
    vm.wait(lambda: ready(vm), "all processes are ready")
    status = json.loads(vm.alice("--json status"))
    assert status["name"] == "fra1" and status["role"] == "primary"
    assert vm.admin("systemctl --failed --no-legend") == ""
    assert vm.admin("hostname") == "fra1"
    assert int(vm.admin("df --output=size -BG / | tail -1").rstrip("G")) >= 7  # of a disk of 8
    was["made"] = vm.admin("sudo sha256sum /etc/nameserve/kek /etc/ssh/ssh_host_*_key /etc/machine-id")
    assert len(was["made"].split("\n")) >= 4
    assert vm.admin("sudo stat -c '%a %u %s' /etc/nameserve/kek") == "400 61002 32"


def test_only_what_is_needed_listens(vm):
    """To the world: 22 and 53. BIRD waits to be configured; the clock is kept."""
    lines = [line.split() for line in vm.admin("sudo ss -Hltun").split("\n")]
    world = {words[4] for words in lines if not re.match(r"127\.|\[::1\]|.*%", words[4])}
    assert {address.rsplit(":", 1)[1] for address in world} == {"22", "53"}, world
    assert vm.admin("systemctl is-enabled bird", None) == "disabled" and vm.admin("systemctl is-active bird", None) == "inactive"
    assert vm.admin("systemctl is-active chrony nameserved ssh").split() == ["active"] * 3


def test_an_operator_makes_a_zone_and_resolvers_see_it(vm):
    vm.alice("zone create vm.example --ns ns1.example.net.")
    vm.alice("record set vm.example www 60 A 192.0.2.80 --commit -m first")
    said = vm.alice("record set vm.example www 60 A 192.0.2.81 --commit -m 'by ssh' --wait served")
    assert "served by fra1" in said
    assert answers(vm) and vm.dig("+tcp", "www.vm.example", "A") == "192.0.2.81"
    assert json.loads(vm.alice("--json history list"))["changes"][0]["author"] == "alice"


def test_who_may_not_stays_out(vm):
    assert "unknown command" in vm.ssh("ops", "alice", "id", 2)
    vm.alice("user create eve --unix ops-eve --role admin", 4)
    for account, key in (("ops", "stranger"), ("ops", "admin"), ("admin", "alice"), ("root", "admin"), ("root", "stranger")):
        assert "Permission denied (publickey)" in vm.ssh(account, key, "true", 255)


def test_each_process_is_a_user_in_a_sandbox(vm):
    users = vm.admin("ps -eo user:20,comm --no-headers ")
    for role in ("sync", "signer", "answer", "worker", "probe"):
        assert re.search(rf"nameserve-{role} +ns-{role}", users), users
    exposure = vm.admin("systemd-analyze security nameserved --no-pager | tail -1")
    assert float(re.search(r"([0-9.]+) ", exposure)[1]) < 4, exposure


def test_a_killed_worker_is_replaced(vm):
    before = workers(vm)
    vm.admin(f"sudo kill -9 {' '.join(map(str, before))}")
    vm.wait(lambda: answers(vm), "it answers", 120)
    vm.wait(lambda: not set(before) & set(workers(vm)) and ready(vm), "other workers", 120)
    assert sum(workers(vm).values()) >= sum(before.values()) + len(before)


def test_a_killed_supervisor_is_started_again(vm):
    vm.admin("sudo kill -9 $(systemctl show -P MainPID nameserved)")
    vm.wait(lambda: answers(vm) and ready(vm), "it answers", 300)
    assert int(vm.admin("systemctl show -P NRestarts nameserved")) == 1


def test_anycast_goes_with_the_answers(vm):
    """Turned on, BIRD has the address to announce while nameserved is ready, and is gone with it."""
    vm.admin("sudo sed -i 's/^# protocol bgp/protocol bgp/' /etc/bird/bird.conf")
    vm.admin("printf '[Match]\\nName=anycast0\\n[Network]\\nAddress=203.0.113.53/32\\n[Link]\\nRequiredForOnline=no\\n' | "
             "sudo tee /etc/systemd/network/50-anycast0.network && sudo networkctl reload && sudo systemctl enable --now bird")
    announced = lambda: "203.0.113.53/32" in vm.admin("sudo birdc show route protocol anycast")  # noqa: E731
    vm.wait(announced, "the address is announced", 120)
    assert "router1" in vm.admin("sudo birdc show protocols")
    vm.admin("sudo systemctl stop nameserved")
    assert vm.admin("systemctl is-active bird nameserve-announce", None).split() == ["inactive"] * 2
    vm.admin("sudo systemctl start nameserved")
    vm.wait(announced, "it is announced again", 300)
    vm.admin("sudo kill -9 $(systemctl show -P MainPID nameserved)")
    vm.wait(lambda: announced() and answers(vm), "and again", 300)


@pytest.mark.parametrize("status, want", [
    ('{"name": "a", "drained": {"by": "alice"}}', "disable"), ('{"name": "a", "drained": null}', "enable")])
def test_a_drained_appliance_is_not_announced(tmp_path, status, want):
    """What the image's script tells BIRD, of a status; without one it says nothing."""
    (tmp_path / "status").write_text(status)
    (tmp_path / "nameserve").write_text(f'#!/bin/sh\n[ -e {tmp_path}/asked ] || {{ touch {tmp_path}/asked; exit 7; }}\ncat {tmp_path}/status\n')
    (tmp_path / "birdc").write_text(f'#!/bin/sh\necho "$@" >>{tmp_path}/said\n')
    for name in ("nameserve", "birdc"):
        (tmp_path / name).chmod(0o755)
    script = subprocess.Popen(["sh", IMAGES / "root/usr/local/lib/nameserve/announce"], stdout=subprocess.PIPE, text=True,
                              env={"PATH": f"{tmp_path}:/usr/bin:/bin", "ANNOUNCE_EVERY": "0.1"})
    try:
        assert script.stdout.readline() == f"announce={want}\n"
    finally:
        script.kill()
        script.wait()
    assert set((tmp_path / "said").read_text().split("\n")) == {f"{want} anycast", ""}


def test_all_is_there_after_a_reboot(vm, was):
    """By UEFI this time, with secure boot; nothing is made again."""
    vm.admin("sudo systemctl reboot", None)
    vm.process.wait(300)  # -no-reboot
    vm.start(uefi=True)
    vm.wait(lambda: answers(vm), "it answers after the reboot")
    vm.wait(lambda: ready(vm), "all processes are ready", 300)
    assert vm.admin("sudo sha256sum /etc/nameserve/kek /etc/ssh/ssh_host_*_key /etc/machine-id") == was["made"]
    assert vm.admin("od -An -tu1 /sys/firmware/efi/efivars/SecureBoot-*").split()[-1] == "1"
    assert "by ssh" in vm.alice("history list")
    vm.wait(lambda: "203.0.113.53/32" in vm.admin("sudo birdc show route protocol anycast"), "the address is announced", 300)
    assert vm.admin("systemctl --failed --no-legend") == ""
