"""Small real servers for health checks to look at; how they answer may be changed while they run."""

import contextlib
import socket
import threading


class Server:
    """One TCP server of one thread: `say` is called with each connection, and may be changed."""

    def __init__(self, say, tls=None, port=0, address="127.0.0.1"):
        self.say, self.tls = say, tls
        self.asked = 0
        self.sock = socket.create_server((address, port))
        self.port = self.sock.getsockname()[1]
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                conn, _ = self.sock.accept()
            except OSError:
                return
            self.asked += 1
            threading.Thread(target=self.serve, args=(conn,), daemon=True).start()

    def serve(self, conn):
        with contextlib.suppress(OSError), conn:
            conn.settimeout(3)
            if self.tls:
                conn = self.tls.wrap_socket(conn, server_side=True)
            self.say(conn)
            conn.close()

    def close(self):
        self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()


def http(status=200, body="all is ok", headers=""):
    def say(conn):
        conn.recv(4096)
        conn.sendall(f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n{headers}\r\n{body}".encode())
    return say
