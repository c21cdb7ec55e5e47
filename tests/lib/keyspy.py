"""Opens an appliance's keys as its signer does, from its key file and its files alone, and looks for them where they
must not be: in memory, in files, in what is said between processes."""

import array
import contextlib
import os
import re
import sqlite3

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

HEAD, SEALED = 24, 2
RAW = (Encoding.Raw, PublicFormat.Raw)


def fields(data):
    """A protobuf message as {number: [values]}; nothing but numbers and octets."""
    def varint(at):
        n = shift = 0
        while True:
            n, shift, at = n | (data[at] & 127) << shift, shift + 7, at + 1
            if data[at - 1] < 128:
                return n, at

    found, at = {}, 0
    while at < len(data):
        key, at = varint(at)
        value, at = varint(at)
        if key & 7 == 2:
            value, at = data[at:at + value], at + value
        found.setdefault(key >> 3, []).append(value)
    return found


def open_blob(master, blob, context):
    """ipc/keyblob.h: what is in it; InvalidTag when that key does not open it there."""
    kind = blob[4]
    head = HEAD + (32 if kind == SEALED else 0)
    key = HKDF(hashes.SHA256(), 32, salt=blob[12:24], info=b"nameserve blob %d" % kind).derive(master)
    return AESGCM(key).decrypt(blob[12:24], blob[head:], blob[:head] + context)


def opens(master, blob, context):
    try:
        return open_blob(master, blob, context)
    except InvalidTag:
        return None


def objects(data, kind):
    with contextlib.closing(sqlite3.connect(f"file:{data / 'store.db'}?mode=ro", uri=True)) as db:
        return dict(db.execute("SELECT name, body FROM object WHERE kind = ?", (kind,)))


def fleet_keys(name, kek, data):
    """(secret of the appliance, {(kind, epoch): key}): kind 3 wraps ZSKs, 4 KSKs."""
    own = open_blob(kek, (data / "signer" / "appliance.key").read_bytes(), b"appliance.key")
    private = X25519PrivateKey.from_private_bytes(own)
    sealed = fields(objects(data, "keyring")[name])[2][0]
    shared = private.exchange(X25519PublicKey.from_public_bytes(sealed[HEAD:HEAD + 32]))
    ring = open_blob(shared, sealed, private.public_key().public_bytes(*RAW))
    rows = [ring[2 + i * 37:][:37] for i in range(ring[1])]
    return own, {(r[0], int.from_bytes(r[1:5], "big")): r[5:] for r in rows}


def wrapped_keys(data):
    """(role, context, blob) of every key of every zone."""
    for body in objects(data, "dnssec").values():
        zone = fields(body)
        for key in map(fields, zone[4]):
            dnskey = key[5][0]
            yield "ksk" if dnskey[1] & 1 else "zsk", zone[1][0] + dnskey, key[6][0]


def secrets(name, kek, data):
    """Everything that is secret at that appliance, by what it is."""
    own, ring = fleet_keys(name, kek, data)
    found = {"key file": kek, "key pair": own}
    found.update({f"fleet key {kind}.{epoch}": key for (kind, epoch), key in ring.items()})
    for i, (role, context, blob) in enumerate(wrapped_keys(data)):
        master = ring.get((blob[4], int.from_bytes(blob[8:12], "big")))
        if master is not None:
            found[f"{role} {i}"] = open_blob(master, blob, context)
    return found


# ---- where they are ----
def which(data, found):
    """Those that are there as they are, or as OpenSSL's bignums have them on this machine: the lowest octet first."""
    return {what for what, key in found.items() if key in data or key[::-1] in data}


def mappings(pid):
    """(first, last, path, VmFlags) of what a process has in memory and may read, as root sees it."""
    head, there = None, False
    with open(f"/proc/{pid}/smaps", encoding="ascii", errors="replace") as f:
        for line in f:
            m = re.match(r"([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \S+\s*(.*)", line)
            if m:
                head = (int(m[1], 16), int(m[2], 16), m[3], m[4])
            elif line.startswith("Rss:"):
                there = line.split()[1] != "0"
            elif line.startswith("VmFlags:") and head[2].startswith("r") and there:
                yield head[0], head[1], head[3], line.split()[1:]


PAGE, PRESENT = 4096, 1 << 63


def spans(pid, first, last):
    """Runs of pages that are there: what is not has nothing in it, and would be made by looking."""
    with open(f"/proc/{pid}/pagemap", "rb") as f:
        f.seek(first // PAGE * 8)
        pages = array.array("Q", f.read((last - first) // PAGE * 8))
    start = None
    for i, page in enumerate(pages):
        if page & PRESENT and start is None:
            start = i
        elif not page & PRESENT and start is not None:
            yield first + start * PAGE, first + i * PAGE
            start = None
    if start is not None:
        yield first + start * PAGE, first + len(pages) * PAGE


def octets(pid, first, last):
    """Those of a mapping that are in memory; the zone map is mapped far beyond its end."""
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as mem:
        for start, end in spans(pid, first, min(last, first + (1 << 28))):
            with contextlib.suppress(OSError, OverflowError):
                mem.seek(start)
                yield mem.read(end - start)


def in_memory(pid, found):
    """{(what, path, locked and not dumped)}"""
    hits = set()
    for first, last, path, flags in mappings(pid):
        for piece in octets(pid, first, last):
            hits |= {(what, path, "lo" in flags and "dd" in flags) for what in which(piece, found)}
    return hits


def in_files(folder, found):
    for root, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(root, name)
            if os.path.isfile(path):
                with open(path, "rb") as f:
                    data = f.read()
                yield from ((what, path) for what in which(data, found))
