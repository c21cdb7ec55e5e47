"""Every cache that may be. What servers said is kept with the time for which they said it, and each simulated minute is
judged for whatever a resolver may hold at it: any DS, any DNSKEY and any data whose TTL is not over, from any server, in
any combination. Who asks once a minute and keeps what it got by the rules is one of these, whenever it began.

Strictly read: each algorithm that the DS promise, and each that the keys have, must have signed (RFC 4035 2.2)."""

import dns.dnssec
import dns.name
import dns.rdatatype

DNSKEY, DS, RRSIG, SOA = dns.rdatatype.DNSKEY, dns.rdatatype.DS, dns.rdatatype.RRSIG, dns.rdatatype.SOA
MINUTE = 60


class Bogus(AssertionError):
    pass


class Version:
    """What one server said to one question from `since` to `until` (None: it still does)."""

    def __init__(self, reply, since):
        self.sets, self.since, self.until = [], since, None
        for section in (reply.answer, reply.authority):
            for rrset in (s for s in section if s.rdtype != RRSIG):
                sigs = [s for s in section if s.rdtype == RRSIG and s.name == rrset.name and s.covers == rrset.rdtype]
                self.sets.append((rrset, sigs[0] if sigs else None))
        self.ttl = max([s.ttl for s, _ in self.sets if s.rdtype != SOA] or [300])
        self.text = sorted(f"{s}\n{sigs}" for s, sigs in self.sets)

    def records(self, rdtype):
        return [r for s, _ in self.sets if s.rdtype == rdtype for r in s]

    def held(self, minute):
        return self.since <= minute and (self.until is None or minute < self.until + self.ttl)

    def __str__(self):
        return f"from {self.since:.0f} to {self.until and int(self.until)}: " + "\n".join(self.text)


class Caches:
    def __init__(self, apex, names, now):
        """names: (name, type) of data that is asked for. now: a time that is judged from."""
        self.apex, self.names = dns.name.from_text(apex), names
        self.versions, self.judged, self.known = {}, now, {}
        self.minutes = self.secure = self.combinations = 0

    # What is served.

    def look(self, servers, parent, since, now):
        """Asks all; what is another than before has been so since then. True: DS or keys changed."""
        rolled = False
        for server, ask in [*servers.items(), ("parent", parent)]:
            for name, rdtype in [(self.apex.to_text(), "DS")] if ask is parent else [(self.apex.to_text(), "DNSKEY"), *self.names]:
                fresh = Version(ask(name, rdtype), since)
                mine = self.versions.setdefault((server, name, rdtype), [])
                if mine and mine[-1].until is None and mine[-1].text == fresh.text:
                    continue
                if mine and mine[-1].until is None:
                    mine[-1].until = now()
                rolled = rolled or rdtype in ("DS", "DNSKEY")
                mine.append(fresh)
        for (server, *_), mine in self.versions.items():
            if server not in servers and server != "parent" and mine and mine[-1].until is None:
                mine[-1].until = now()  # it is gone
        return rolled

    # What may be made of it.

    def windows(self, key, data):
        """[(rrset, algorithm, times within which these keys' signatures of it are good)]: all must have one."""
        if (key, data) not in self.known:
            self.combinations += 1
            keys = key.records(DNSKEY) if isinstance(key, Version) else list(key)
            self.known[key, data] = [(rrset, algorithm, self.times(rrset, sigs, [k for k in keys if k.algorithm == algorithm]))
                                     for rrset, sigs in data.sets for algorithm in {k.algorithm for k in keys}]
        return self.known[key, data]

    def times(self, rrset, sigs, keys):
        good = []
        for sig in sigs or ():
            try:
                dns.dnssec.validate_rrsig(rrset, sig, {self.apex: keys}, now=sig.inception)
                good.append((sig.inception, sig.expiration))
            except dns.dnssec.ValidationFailure:
                pass
        return good

    def check(self, key, data, minute):
        for rrset, algorithm, times in self.windows(key, data):
            if not any(since <= minute <= until for since, until in times):
                raise Bogus(f"{rrset.name} {dns.rdatatype.to_text(rrset.rdtype)} has no good signature of algorithm {algorithm} "
                            f"at {minute:.0f}, only {times}, by\n{key}\nof\n{data}")

    def chain(self, ds, key, minute):
        """The keys that the DS lead to are one for each algorithm in it, and sign the DNSKEY."""
        if (ds, key) not in self.known:
            promised = ds.records(DS)
            self.known[ds, key] = frozenset(k for k in key.records(DNSKEY) for d in promised
                                            if dns.dnssec.make_ds(self.apex, k, "SHA256") == d)
            if {k.algorithm for k in self.known[ds, key]} != {d.algorithm for d in promised}:
                raise Bogus(f"no key for each algorithm of\n{ds}\nin\n{key}")
        self.check(self.known[ds, key], key, minute)

    def judge(self, until):
        """Each minute since the last call."""
        for minute in range(int(self.judged), int(until), MINUTE):
            self.judged = minute + MINUTE
            held = {what: [v for v in mine if v.held(minute)] for what, mine in self.versions.items()}
            of = lambda rdtype: [v for what, mine in held.items() if what[2] == rdtype for v in mine]  # noqa: E731,B023
            promises = [ds for ds in of("DS") if ds.records(DS)]
            keys = of("DNSKEY") if promises else []  # without a DS nothing need be signed
            data = [v for what, mine in held.items() if what[1:] in self.names for v in mine] if promises else []
            for key in keys:
                for ds in promises:
                    self.chain(ds, key, minute)
                for v in data:
                    if not v.sets:
                        raise Bogus(f"nothing that could be signed at {minute}")
                    self.check(key, v, minute)
            self.minutes += 1
            self.secure += bool(promises)
        self.forget()

    def forget(self):
        for mine in self.versions.values():
            mine[:] = [v for v in mine if v.until is None or v.until + v.ttl >= self.judged]
