"""A small MaxMind-format file: mmdb({"192.0.2.0/24": {...}, ...}) is its octets (IPv4 in ::/96)."""

import ipaddress
import struct


class Small(int):
    """16 bits; Long: 64."""


class Long(int):
    pass


def encode(value):
    if isinstance(value, (Small, Long)):
        kind, size = (5, 2) if isinstance(value, Small) else (9, 8)
        data = value.to_bytes(size, "big").lstrip(b"\0")
        return control(kind, len(data)) + data
    if isinstance(value, str):
        data, kind = value.encode(), 2
        return control(kind, len(data)) + data
    if isinstance(value, int):
        data = value.to_bytes(4, "big").lstrip(b"\0")
        return control(6, len(data)) + data
    if isinstance(value, list):
        return control(11, len(value)) + b"".join(map(encode, value))
    return control(7, len(value)) + b"".join(encode(k) + encode(v) for k, v in value.items())


def control(kind, size):
    assert size < 29 + 256
    first = size if size < 29 else 29
    more = b"" if size < 29 else bytes([size - 29])
    if kind > 7:
        return bytes([first, kind - 7]) + more
    return bytes([kind << 5 | first]) + more


def mmdb(networks, kind="test"):
    nodes, data, places = [[None, None]], b"", {}
    for text, value in sorted(networks.items(), key=lambda n: ipaddress.ip_network(n[0]).prefixlen):
        net = ipaddress.ip_network(text)
        packed = net.network_address.packed
        bits = "".join(f"{b:08b}" for b in packed)[:net.prefixlen]
        if net.version == 4:
            bits = "0" * 96 + bits
        at = 0
        for bit in map(int, bits[:-1]):
            below = nodes[at][bit]
            if not isinstance(below, int):
                nodes.append([below, below])
                nodes[at][bit] = below = len(nodes) - 1
            at = below
        record = encode(value)  # equal ones are one, as in the files of MaxMind
        if record not in places:
            places[record] = len(data)
            data += record
        nodes[at][int(bits[-1])] = (places[record],)
    out = b""
    for node in nodes:
        for side in node:
            n = len(nodes) if side is None else side if isinstance(side, int) else len(nodes) + 16 + side[0]
            out += n.to_bytes(4, "big")
    meta = {"binary_format_major_version": Small(2), "binary_format_minor_version": Small(0), "build_epoch": Long(1),
            "database_type": kind, "description": {"en": "test"}, "ip_version": Small(6),
            "languages": ["en"],
            "node_count": len(nodes), "record_size": Small(32)}
    head = encode(meta)
    return out + bytes(16) + data + b"\xab\xcd\xefMaxMind.com" + head
