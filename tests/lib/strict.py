"""A resolver that reads the rules strictly: keeps what it learnt for as long as the TTL says, by the test's clock, and takes
an answer only when each algorithm that the DS promise, and each that the keys have, signed it."""

import dns.dnssec
import dns.message
import dns.name
import dns.query
import dns.rdatatype

DNSKEY, DS, RRSIG = dns.rdatatype.DNSKEY, dns.rdatatype.DS, dns.rdatatype.RRSIG


class Bogus(AssertionError):
    pass


class Resolver:
    def __init__(self, apex, ask, ask_parent, now):
        """ask(name, rdtype) and ask_parent(name, rdtype) are replies with DNSSEC records; now() seconds."""
        self.apex, self.servers, self.now = dns.name.from_text(apex), {DS: ask_parent}, now
        self.ask, self.cache, self.asked, self.secure = ask, {}, 0, 0

    def look(self, name, rdtype):
        """[(rrset, its signatures)] of answer and authority, from the cache while it lasts."""
        key = name, rdtype
        if key in self.cache and self.cache[key][0] > self.now():
            return self.cache[key][1]
        reply = self.servers.get(rdtype, self.ask)(name.to_text(), rdtype)
        found = []
        for section in (reply.answer, reply.authority):
            for rrset in (s for s in section if s.rdtype != RRSIG):
                sigs = [s for s in section if s.rdtype == RRSIG and s.name == rrset.name and s.covers == rrset.rdtype]
                found.append((rrset, sigs[0] if sigs else None))
        ttl = min([s.ttl for s, _ in found if s.rdtype != dns.rdatatype.SOA] or [300])
        self.cache[key] = self.now() + ttl, found
        return found

    def check(self, rrset, sigs, keys):
        for algorithm in {k.algorithm for k in keys}:
            mine = [k for k in keys if k.algorithm == algorithm]
            try:
                dns.dnssec.validate(rrset, sigs, {self.apex: mine}, now=self.now())
            except (dns.dnssec.ValidationFailure, AttributeError) as e:
                raise Bogus(f"{rrset.name} {dns.rdatatype.to_text(rrset.rdtype)}, algorithm {algorithm}: {e}; "
                            f"keys {[dns.dnssec.key_id(k) for k in keys]}\n{rrset}\n{sigs}") from None

    def keys(self):
        """Those that may sign; None: the parent has no DS, so nothing need be signed."""
        ds = [r for s, _ in self.look(self.apex, DS) if s.rdtype == DS for r in s]
        if not ds:
            return None
        (found,) = [(s, sigs) for s, sigs in self.look(self.apex, DNSKEY) if s.rdtype == DNSKEY] or [(None, None)]
        if found[0] is None:
            raise Bogus("no DNSKEY where the parent has a DS")
        trusted = [k for k in found[0] if any(dns.dnssec.make_ds(self.apex, k, "SHA256") == d for d in ds)]
        if {k.algorithm for k in trusted} != {d.algorithm for d in ds}:
            raise Bogus(f"no key for a DS of {[(d.key_tag, d.algorithm) for d in ds]}")
        self.check(*found, trusted)
        return list(found[0])

    def resolve(self, name, rdtype):
        """Raises Bogus; counts the others."""
        self.asked += 1
        keys = self.keys()
        found = self.look(dns.name.from_text(name), dns.rdatatype.from_text(rdtype))
        if keys is None:
            return
        if not found:
            raise Bogus(f"{name} {rdtype}: nothing that could be signed")
        for rrset, sigs in found:
            self.check(rrset, sigs, keys)
        self.secure += 1
