"""Queries that keep coming while a test looks at what is shown of them."""

import contextlib
import threading

import dns.exception


class Asking:
    """Somebody asks each of these appliances again and again."""

    def __init__(self, *where, names=("www.example.com", "nope.example.com")):
        self.where, self.names, self.over = where, names, threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def run(self):
        while not self.over.is_set():
            for a in self.where:
                with contextlib.suppress(OSError, dns.exception.Timeout):  # it may be stopped meanwhile
                    for name in self.names:
                        a.ask(name, "A", timeout=2)
                    a.ask(self.names[0], "AAAA", tcp=True, timeout=2)
            self.over.wait(0.02)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join(10)
