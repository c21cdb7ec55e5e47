"""Where targets of ALIASes are: an authoritative server of test. that a test rules, and Unbound in front of it."""

import contextlib
import shutil
import socket
import subprocess
import tempfile
import threading

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset


class Peer:
    """The authoritative server of test.: answers what `zone` says, and is silent about what it does not."""

    def __init__(self):
        self.zone, self.asked = {}, []
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind(("127.0.0.1", 0))
        self.port = self.sock.getsockname()[1]
        threading.Thread(target=self.run, daemon=True).start()

    def put(self, name, a=(), aaaa=(), ttl=1, cname=None, rcode=dns.rcode.NOERROR):
        self.zone[name] = (a, aaaa, ttl, cname, rcode)

    def reply(self, query):
        question = query.question[0]
        a, aaaa, ttl, cname, rcode = self.zone[question.name.to_text().lower().rstrip(".")]
        reply = dns.message.make_response(query)
        reply.flags |= dns.flags.AA
        reply.set_rcode(rcode)
        values = {dns.rdatatype.A: a, dns.rdatatype.AAAA: aaaa}.get(question.rdtype, ())
        if cname:
            reply.answer.append(dns.rrset.from_text(question.name, ttl, "IN", "CNAME", cname))
        elif values:
            reply.answer.append(dns.rrset.from_text(question.name, ttl, "IN", question.rdtype, *values))
        else:
            reply.authority.append(dns.rrset.from_text("test.", 1, "IN", "SOA", "ns.test. h.test. 1 7200 3600 86400 1"))
        return reply.to_wire()

    def run(self):
        while True:
            try:
                data, client = self.sock.recvfrom(4096)
            except OSError:
                return
            with contextlib.suppress(Exception):
                query = dns.message.from_wire(data)
                self.asked.append(query.question[0].name.to_text().lower())
                self.sock.sendto(self.reply(query), client)

    def close(self):
        self.sock.close()


@contextlib.contextmanager
def resolver(peer_port, port):
    folder = tempfile.mkdtemp(prefix="ns-unbound-", dir="/tmp")
    path = f"{folder}/unbound.conf"
    with open(path, "w", encoding="ascii") as out:
        out.write(f'server:\n interface: 127.0.0.1\n port: {port}\n do-daemonize: no\n chroot: ""\n username: ""\n'
                  f' directory: "{folder}"\n pidfile: ""\n use-syslog: no\n module-config: "iterator"\n'
                  ' do-not-query-localhost: no\n num-threads: 1\n do-ip6: no\n cache-max-negative-ttl: 1\n'
                  ' infra-host-ttl: 1\n local-zone: "test." nodefault\nremote-control:\n control-enable: no\n'
                  f'stub-zone:\n name: "test."\n stub-addr: 127.0.0.1@{peer_port}\n')
    process = subprocess.Popen(["unbound", "-d", "-c", path], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait(30)
        shutil.rmtree(folder)
