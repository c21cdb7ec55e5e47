"""A fleet on loopback: a primary and replicas that joined it as a user would have them join."""

import concurrent.futures

from appliance import Appliance, zone_text
from peers import free_port, wait_until


class Member(Appliance):
    """An appliance with a name, a site and a fleet port; `join` is the invitation of its first start."""

    def __init__(self, name, role="replica", site="", join=None, fleet_address="127.0.0.1", **kw):
        self.fleet_port = free_port()
        kw["config"] = f"[fleet]\nlisten = tcp://{fleet_address}:{self.fleet_port}\n" + kw.get("config", "")
        super().__init__(**kw)
        self.name, self.role, self.site, self.join = name, role, site or name, join

    def arguments(self):
        return ["--join", self.join] if self.join else []

    def write_config(self):
        path = super().write_config()
        text = path.read_text().replace("name = test-a\nrole = primary\nsite = lab\n",
            f"name = {self.name}\nrole = {self.role}\nsite = {self.site}\n")
        path.write_text(text)
        return path

    # ---- what tests ask ----
    def revision(self):
        return self.cli_json("status")["revision"]

    def head_hash(self):
        return self.cli_json("verify")["head"]

    def follows(self, revision=0):
        status = self.cli_json("status")
        return status["primary"]["reachable"] and status["revision"] >= revision


class Fleet:
    """Fleet(3) as a context: a primary p and replicas r1, r2; all are up and follow. `member` makes each of them."""

    def __init__(self, size=2, member=Member, **kw):
        self.kw, self.make = kw, member
        self.primary = member("p", role="primary", **kw)
        self.members = [self.primary]
        self.size = size

    @property
    def replicas(self):
        return self.members[1:]

    def invite(self, name, *args):
        return self.primary.cli("fleet", "invite", name, *args).strip()

    def add(self, name, *args, start=True, **kw):
        member = self.make(name, join=self.invite(name, *args), **{**self.kw, **kw})
        self.members.append(member)
        if start:
            member.start()
            wait_until(member.follows, f"{name} follows; its log:\n{member.log()[-2000:]}")
        return member

    def state(self, name, where=None):
        rows = (where or self.primary).cli_json("fleet", "list")["appliances"]
        return next(r for r in rows if r["name"] == name)

    def wait_converged(self, seconds=60):
        """Every member serves the primary's head."""
        head = self.primary.revision()

        def there():
            return all(m.cli_json("status")["served_revision"] >= head for m in self.members)

        wait_until(there, f"all serve {head}", seconds)
        return head

    def wait_same_history(self, *members):
        """All serve the primary's head, and these (none named: all) have one log, which is whole."""
        self.wait_converged(60)
        those = members or self.members
        wait_until(lambda: len({m.head_hash() for m in those}) == 1, "one history")
        reports = [m.cli_json("verify") for m in those]
        assert all(r["ok"] for r in reports), reports

    def give_example(self):
        """example.com with www A 192.0.2.10, served by all."""
        text = zone_text("example.com.", records="www A 192.0.2.10\n")
        self.primary.cli("zone", "import", "example.com", "-", stdin=text)
        self.wait_converged()

    def start(self):
        self.primary.start()
        for name in [f"r{i}" for i in range(1, self.size)]:
            self.add(name, start=False)
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda m: m.start(), self.replicas))
        for m in self.replicas:
            wait_until(m.follows, f"{m.name} follows; its log:\n{m.log()[-2000:]}")
        return self

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.__exit__(AssertionError, None, None)
            raise

    def __exit__(self, kind, value, trace):
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda m: m.__exit__(kind, value, trace), self.members))
