"""Certificates that a test makes with openssl, and TLS clients for DNS as people write them."""

import socket
import ssl
import struct
import subprocess

NAME = "ns.example"


def make(folder, name="one", key="ec:P-256", end=None, passphrase=None, subject=NAME):
    """A self-signed pair; (certificate, key). end: an absolute time, YYYYMMDDHHMMSSZ."""
    cert, secret = folder / f"{name}.pem", folder / f"{name}.key"
    kind = ["-newkey", "rsa:" + key[4:]] if key.startswith("rsa:") else [
        "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:" + key[3:]]
    protect = ["-passout", f"pass:{passphrase}"] if passphrase else ["-nodes"]
    command = ["openssl", "req", "-new", *kind, *protect, "-keyout", secret, "-subj", f"/CN={subject}"]
    config = folder / "ca.conf"
    if end is None:
        subprocess.run([*command, "-x509", "-days", "60", "-addext", f"subjectAltName=DNS:{subject}",
                        "-out", cert], check=True, capture_output=True)
    else:  # only `openssl ca` knows absolute times
        config.write_text(f"[ca]\ndefault_ca=a\n[a]\ndatabase={folder}/{name}.db\nnew_certs_dir={folder}\nrand_serial=yes\n"
                          "default_md=sha256\npolicy=p\n[p]\ncommonName=supplied\n")
        (folder / f"{name}.db").write_text("")
        subprocess.run([*command, "-out", folder / "csr"], check=True, capture_output=True)
        subprocess.run(["openssl", "ca", "-batch", "-notext", "-config", config, "-selfsign", "-keyfile", secret,
                        "-in", folder / "csr", "-out", cert, "-startdate", "20200101000000Z", "-enddate", end],
                       check=True, capture_output=True)
    secret.chmod(0o600)
    return cert, secret


def context(ca=None, version=None, alpn="dot"):
    c = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    c.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF  # an end without close_notify is an error here
    c.check_hostname = ca is not None
    c.verify_mode = ssl.CERT_REQUIRED if ca else ssl.CERT_NONE
    if ca:
        c.load_verify_locations(ca)
    if alpn:
        c.set_alpn_protocols([alpn])
    if version:
        c.minimum_version = c.maximum_version = version
    return c


def connect(port, ctx, session=None, source="127.0.0.1", timeout=30):
    s = socket.create_connection(("127.0.0.1", port), timeout, source_address=(source, 0))
    try:
        return ctx.wrap_socket(s, server_hostname=NAME, session=session, suppress_ragged_eofs=False)
    except BaseException:
        s.close()
        raise


def frame(wire):
    return struct.pack(">H", len(wire)) + wire


def read_exactly(s, n):
    data = b""
    while len(data) < n:
        more = s.recv(n - len(data))
        if not more:
            raise EOFError(f"{len(data)} of {n} octets")
        data += more
    return data


def read_message(s):
    return read_exactly(s, struct.unpack(">H", read_exactly(s, 2))[0])


def ended(s):
    """The other side says that this is the end, in the way of its transport, and nothing before it."""
    return s.recv(1) == b""
