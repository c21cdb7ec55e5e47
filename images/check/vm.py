"""A virtual machine of the image, on a disk of its own, with its ports on loopback; by KVM where that works."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "lib"))

from peers import free_port  # noqa: E402

IMAGES = ROOT / "images"
IMAGE = ROOT / "build" / "image" / "nameserve.qcow2"
OVMF = pathlib.Path("/usr/share/OVMF")


def kvm_works():
    """A machine that is itself virtual may have /dev/kvm and no processor for it: then a guest hangs."""
    cpu = pathlib.Path("/proc/cpuinfo").read_text()
    return os.access("/dev/kvm", os.R_OK | os.W_OK) and re.search(r"\b(vmx|svm)\b", cpu) is not None


KVM = kvm_works()
PATIENCE = 180 if KVM else 1200  # s for a boot: emulated, and on a machine that has other work


def run(*args, **more):
    return subprocess.run([str(a) for a in args], check=True, capture_output=True, text=True, **more).stdout


class Vm:
    def __init__(self, directory):
        self.dir, self.process = directory, None
        self.ssh_port, self.dns_port = free_port(), free_port()
        self.disk, self.console = self.dir / "disk.qcow2", self.dir / "console"
        run("qemu-img", "create", "-q", "-f", "qcow2", "-b", IMAGE, "-F", "qcow2", self.disk, "8G")
        self.keys = {name: self.key(name) for name in ("admin", "alice", "stranger")}

    def key(self, name):
        path = self.dir / name
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", path)
        return path.with_suffix(".pub").read_text().strip()

    def seed(self):
        """The example of the README, with keys."""
        folder = self.dir / "seed"
        folder.mkdir()
        text = (IMAGES / "seed" / "user-data").read_text()
        for name in ("admin", "alice"):
            assert f"ssh-ed25519 AAAA... {name}" in text
            text = text.replace(f"ssh-ed25519 AAAA... {name}", self.keys[name])
        (folder / "user-data").write_text(text)
        shutil.copy(IMAGES / "seed" / "meta-data", folder)
        run(IMAGES / "seed.sh", folder, self.dir / "seed.img")

    def start(self, uefi=False):
        drives = [f"file={self.disk},if=virtio", f"file={self.dir}/seed.img,if=virtio,format=raw,readonly=on"]
        machine = "q35"
        if uefi:  # with secure boot, as the keys of shipped machines have it
            shutil.copy(OVMF / "OVMF_VARS_4M.ms.fd", self.dir / "vars")
            machine = "q35,smm=on"
            drives += [f"if=pflash,unit=0,format=raw,readonly=on,file={OVMF}/OVMF_CODE_4M.secboot.fd",
                       f"if=pflash,unit=1,format=raw,file={self.dir}/vars"]
        forward = (f"hostfwd=tcp:127.0.0.1:{self.ssh_port}-:22,hostfwd=tcp:127.0.0.1:{self.dns_port}-:53,"
                   f"hostfwd=udp:127.0.0.1:{self.dns_port}-:53")
        words = ["setpriv", "--pdeathsig", "TERM", "nice", "qemu-system-x86_64", "-machine", machine,
                 "-accel", "kvm" if KVM else "tcg", "-smp", "2", "-m", "1024", "-display", "none",
                 "-serial", f"file:{self.console}", "-monitor", "none", "-no-reboot",
                 "-netdev", f"user,id=net,{forward}", "-device", "virtio-net-pci,netdev=net", "-device", "virtio-rng-pci"]
        if uefi:
            words += ["-global", "driver=cfi.pflash01,property=secure,value=on"]
        for drive in drives:
            words += ["-drive", drive]
        log = open(self.dir / "qemu.log", "ab")
        self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def wait(self, condition, what, patience=PATIENCE):
        end, last = time.monotonic() + patience, None
        while time.monotonic() < end:
            assert self.process is None or self.process.poll() is None, f"qemu left: {self.told()}"
            try:
                if condition():
                    return
            except (AssertionError, subprocess.SubprocessError) as e:
                last = e
            time.sleep(1)
        raise AssertionError(f"not within {patience} s: {what}: {last}\n{self.told()}")

    def told(self):
        text = self.console.read_text(errors="replace")[-3000:] if self.console.exists() else ""
        return (self.dir / "qemu.log").read_text() + re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", text)

    def ssh(self, account, key, command, code=0):
        """What it printed; its end must be code (None: anything)."""
        done = subprocess.run(
            ["ssh", "-F", "none", "-i", self.dir / key, "-p", str(self.ssh_port), "-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes",
             "-o", "IdentityAgent=none", "-o", "StrictHostKeyChecking=accept-new", "-o", f"UserKnownHostsFile={self.dir}/known",
             "-o", "LogLevel=ERROR", "-o", "ConnectTimeout=60", "-o", "ControlMaster=auto", "-o", "ControlPersist=60",
             "-o", f"ControlPath={self.dir}/{account}-{key}.ctl", f"{account}@127.0.0.1", command],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=180)
        assert code is None or done.returncode == code, f"{account}: {command}: {done}"
        return done.stdout + (done.stderr if code != 0 else "")

    def admin(self, command, code=0):
        return self.ssh("admin", "admin", command, code).strip()

    def alice(self, command, code=0):
        return self.ssh("ops", "alice", f"nameserve {command}", code).strip()

    def dig(self, *question):
        return run("dig", "@127.0.0.1", "-p", self.dns_port, "+short", "+time=5", "+tries=2", *question).strip()

    def stop(self):
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(60)
        self.process = None
