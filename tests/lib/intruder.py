"""Run as some user: everything that user might try to get at the signer's keys; prints {attempt: verdict}.

intruder.py PID DIR: the signer's pid, the directory that holds kek, data/ and run/."""

import ctypes
import json
import sys

import zmq

PTRACE_ATTACH, PTRACE_DETACH = 16, 17
libc = ctypes.CDLL(None, use_errno=True)


def opened(path):
    try:
        with open(path, "rb"):
            return "opened"
    except OSError as e:
        return e.strerror


def traced(pid):
    """By PTRACE_SEIZE, which stops nobody."""
    if libc.ptrace(0x4206, pid, None, None) == 0:
        return "opened"
    return ctypes.get_errno()


class Span(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("len", ctypes.c_size_t)]


def read_across(pid):
    """process_vm_readv() of any octet: EPERM before the address is looked at, EFAULT behind it."""
    mine = ctypes.create_string_buffer(1)
    here, there = Span(ctypes.cast(mine, ctypes.c_void_p), 1), Span(0x1000, 1)
    libc.process_vm_readv(pid, ctypes.byref(here), 1, ctypes.byref(there), 1, 0)
    return "opened" if ctypes.get_errno() == 14 else ctypes.get_errno()


def posing_as_signer(bus):
    """Says hello on the bus as the signer of a later generation: what comes back, all of it, in hex."""
    context = zmq.Context()
    sock = context.socket(zmq.DEALER)
    sock.setsockopt(zmq.LINGER, 0)
    sock.connect(f"ipc://{bus}")
    body = bytes([8, 1, 26, 6]) + b"signer" + bytes([40, 99])
    sock.send(hello_envelope(body))
    got = b""
    while sock.poll(700):
        got += sock.recv()
    context.destroy()
    return got.hex()


def hello_envelope(body):
    return bytes.fromhex(sys.argv[3]) + bytes([len(body)]) + body


def main():
    pid, folder = int(sys.argv[1]), sys.argv[2]
    said = {what: opened(f"/proc/{pid}/{what}") for what in ("mem", "maps", "environ", "fd/15", "pagemap", "stack")}
    for path in ("kek", "data/signer/appliance.key", "data/signer/signatures.0", "data/store.db"):
        said[path] = opened(f"{folder}/{path}")
    said["readv"] = read_across(pid)
    said["bus"] = posing_as_signer(f"{folder}/run/bus/sync")
    said["ptrace"] = traced(pid)
    json.dump(said, sys.stdout)


main()
