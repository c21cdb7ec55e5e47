"""What we sign, zone by zone, before the judges: ldns-verify-zone and dnssec-verify read every corner under both algorithms
and every denial. The keys are made on the spot by build/tools/sign_zone."""

import pathlib
import re
import subprocess
import time

import pytest

import signed_zones

ROOT = pathlib.Path(__file__).resolve().parents[2]
SIGN = ROOT / "build/tools/sign_zone"
ORIGIN = "corner."
EXTRA = f"""bare IN NS ns.nsec.
x.z.under IN NS ns.nsec.
sub IN NS ns.nsec.
sub IN DS 12345 13 2 {"5a" * 32}
*.cut.deep IN A 192.0.2.1
Mixed IN MX 10 MAIL.Example.
big IN TXT {' '.join(['"' + 'x' * 255 + '"'] * 40)}
types IN TYPE65280 \\# 3 010203
types IN CAA 0 issue "ca.example"
types IN URI 1 1 "https://a.example/"
"""


@pytest.fixture(scope="module")
def corner(tmp_path_factory):
    path = tmp_path_factory.mktemp("zones") / "corner"
    path.write_text(signed_zones.soa(ORIGIN) + signed_zones.contents("other", 40) + EXTRA)
    return path


def sign(path, algorithm, denial, *when):
    done = subprocess.run([SIGN, ORIGIN, path, algorithm, denial, *when], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    out = path.with_suffix(f".{algorithm}.{denial}")
    out.write_text(done.stdout)
    return out


def judge(*command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    return done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("algorithm", ["13", "15"])
@pytest.mark.parametrize("denial", ["nsec", "nsec3", "optout"])
def test_judges_accept(corner, algorithm, denial):
    out = sign(corner, algorithm, denial)
    for command in (("ldns-verify-zone", out), ("dnssec-verify", "-o", ORIGIN, out)):
        good, text = judge(*command)
        assert good, text


def test_judges_refuse(corner):
    """They can: another octet in a record, a link of the chain gone, a time when all is over."""
    out = sign(corner, "13", "nsec")
    text = out.read_text()
    for broken in (text.replace("192.0.2.3\n", "192.0.2.33\n"),
                   re.sub(r"^www\.corner\.\s.*\sNSEC\s.*\n", "", text, flags=re.M)):
        assert broken != text
        out.write_text(broken)
        assert not judge("ldns-verify-zone", out)[0]
        assert not judge("dnssec-verify", "-o", ORIGIN, out)[0]
    old = sign(corner, "13", "nsec", str(int(time.time()) - 15 * 86400))
    assert not judge("ldns-verify-zone", old)[0]
