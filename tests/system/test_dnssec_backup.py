"""The drill: everything is lost, machine and key file too, and what comes back signs; without the passphrase it cannot."""

import hashlib
import shutil
import subprocess

import pytest

from appliance import Appliance, zone_text
from peers import wait_until
from test_dnssec_keys import validated

PASSPHRASE = "correct horse battery staple"


def write(path, text):
    path.write_text(text)
    path.chmod(0o600)
    return path


def tags(a, zone="example.com"):
    return [(k["tag"], k["state"]) for k in a.cli_json("dnssec", "keys", zone)["keys"]]


@pytest.fixture(scope="module")
def lost(tmp_path_factory):
    """What is left of an appliance that signed: two backups, a passphrase, and what its keys were."""
    safe = tmp_path_factory.mktemp("safe")
    word = write(safe / "word", PASSPHRASE + "\nthe second line is none of it\n")
    with Appliance() as a:
        # Nothing is signed yet: there are no keys to include, which is no error.
        assert a.cli_json("backup", safe / "none", "--passphrase-file", word)["keys"] is False
        path = a.dir / "example.com"
        path.write_text(zone_text("example.com.", records="www IN A 192.0.2.10\n"))
        a.cli("zone", "import", "example.com", path)
        a.cli("dnssec", "enable", "example.com")
        said = a.cli("backup", safe / "without")
        assert "The copy cannot sign" in said and "--passphrase-file" in said
        assert a.cli_json("backup", safe / "without")["keys"] is False
        info = a.cli_json("backup", safe / "with", "--passphrase-file", word)
        assert (info["keys"], info["signed_zones"]) == (True, 1) and "fleet_keys" not in info
        assert "DNSSEC keys of 1 zones, closed by the passphrase" in a.cli(
            "backup", safe / "with", "--passphrase-file", word)
        assert PASSPHRASE.encode() not in (safe / "with").read_bytes()
        # A passphrase that is none.
        assert "1 to 1024" in a.fails(6, "backup", safe / "no", "--passphrase-file", write(safe / "empty", "\n"))
        a.fails(1, "backup", safe / "no", "--passphrase-file", safe / "nowhere")
        keys = tags(a)
        a.kill()
    shutil.rmtree(a.dir, ignore_errors=True)  # its key file, too
    return safe, word, keys


def signs(a):
    """Serves what it signs, signs what is new, and begins key events."""
    a.cli("record", "set", "example.com", "new", 60, "A", "192.0.2.7", "--commit")
    for name in ("www", "new"):
        assert validated(a, "example.com.", f"{name}.example.com", "A") == {"A"}
    a.cli("dnssec", "rollover", "example.com", "zsk")  # the KSK signs another set of keys
    assert a.cli_json("verify")["ok"]


def test_the_drill_restores_signing_on_a_bare_machine(lost):
    safe, word, keys = lost
    with Appliance() as a:
        assert "cannot sign" not in a.cli("restore-backup", "--check", safe / "with")
        a.cli("restore-backup", "--check", safe / "with", "--passphrase-file", word)
        assert "It signs" in a.cli("restore-backup", safe / "with", "--passphrase-file", word)
        assert tags(a) == keys
        signs(a)
        a.kill()
        a.start()
        assert validated(a, "example.com.", "new.example.com", "A") == {"A"}
        # And what it is now can be backed up again.
        assert a.cli_json("backup", a.dir / "next", "--passphrase-file", word)["keys"] is True


def test_the_same_through_a_pipe(lost):
    safe, word, keys = lost
    with Appliance() as a, open(safe / "with", "rb") as pipe:
        command = f"cat | {a.build}/bin/nameserve --socket {a.socket} restore-backup - --passphrase-file {word}"
        done = subprocess.run(command, shell=True, stdin=pipe, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done
        assert tags(a) == keys
        signs(a)


def test_without_the_passphrase_nothing_is_served_unsigned(lost):
    safe, word, keys = lost
    with Appliance() as a:
        other = write(a.dir / "other", PASSPHRASE + ".\n")
        for args in (["--check"], []):
            assert "does not open" in a.fails(4, "restore-backup", *args, safe / "with", "--passphrase-file", other)
        said = a.fails(6, "restore-backup", safe / "without", "--passphrase-file", word)
        assert "made without --passphrase-file" in said
        assert a.cli_json("status")["revision"] == 1  # nothing was changed
        done = a.cli_run("restore-backup", safe / "with", "--timeout", "3s")
        assert "It cannot sign" in done.stdout
        assert tags(a) == keys
        assert a.values("www.example.com") in ("REFUSED", "SERVFAIL")
        wait_until(lambda: "fleet key" in str(a.cli_json("status")["problems"]), "status says so", 20)
        # Neither passphrase nor key file are ever found: new keys, and a new DS.
        assert "--confirm=ZONE" in a.fails(9, "dnssec", "new-keys", "example.com")
        assert "--confirm=all" in a.fails(2, "dnssec", "new-keys", "--all")
        done = a.cli_run("dnssec", "new-keys", "--all", "--confirm=all")
        assert done.returncode == 0 and "DS at the parent must be replaced" in done.stderr, done
        assert not {t for t, _ in tags(a)} & {t for t, _ in keys}
        signs(a)
        wait_until(lambda: "fleet key" not in str(a.cli_json("status")["problems"]), "what is over is not said any more", 30)
        assert "not lost" in a.fails(5, "dnssec", "new-keys", "example.com", "--confirm=example.com")
        assert a.cli_json("backup", a.dir / "again", "--passphrase-file", word)["keys"] is True
        # It is found in the safe after all.
        a.cli("restore-backup", safe / "with", "--passphrase-file", word, "--confirm=test-a")
        signs(a)


def test_another_file_s_keys_open_nothing_here(lost):
    """Who has no passphrase can make a file that is whole, but none whose keys are taken."""
    safe, word, _ = lost
    blob = bytearray((safe / "with").read_bytes())
    at = blob.index(b"NSb1")  # the sealed keys, in the header; the store has no such octets before it
    blob[at + 70] ^= 1
    forged = safe / "forged"
    forged.write_bytes(bytes(blob[:-32]) + hashlib.sha256(blob[:-32]).digest())
    with Appliance() as a:
        a.cli("restore-backup", "--check", forged)
        assert "altered" in a.fails(4, "restore-backup", forged, "--passphrase-file", word)
        assert a.cli_json("status")["revision"] == 1
