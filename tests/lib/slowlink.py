"""A link in front of a port of ours that can be made to stop after so many octets: what is under way stays under way."""

import socket
import threading

ENDLESS = 1 << 62


def end(*those):
    for s in those:
        try:
            s.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


class Link:
    """Each connection to `endpoint` is one to the port. After stop(), those that begin later get so much
    together, and wait; what they say is passed on, and so is all of the older ones. go() ends that."""

    def __init__(self, port):
        self.open = []
        self.port, self.left, self.limited = port, ENDLESS, False
        self.changed = threading.Condition()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.endpoint = f"tcp://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    def set(self, limited, left):
        with self.changed:
            self.limited, self.left = limited, left
            self.changed.notify_all()

    def stop(self, octets):
        self.set(True, octets)

    def go(self):
        self.set(False, ENDLESS)

    def accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(("127.0.0.1", self.port))
            except OSError:
                near.close()
                continue
            self.open += [near, far]
            for args in ((near, far, False), (far, near, self.limited)):
                threading.Thread(target=self.pump, args=args, daemon=True).start()

    def may(self, wanted):
        with self.changed:
            self.changed.wait_for(lambda: self.left > 0)
            given = min(wanted, self.left)
            self.left -= given
            return given

    def pump(self, source, sink, limited):
        try:
            while True:
                room = self.may(1 << 16) if limited else 1 << 16
                data = source.recv(room)
                if limited:
                    with self.changed:
                        self.left += room - len(data)
                if not data:
                    break
                sink.sendall(data)
        except OSError:
            pass
        end(source, sink)

    def cut(self):
        """What is under way is lost."""
        end(*self.open)
        self.open.clear()

    def close(self):
        self.cut()
        self.go()
        self.listener.close()
