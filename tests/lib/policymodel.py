"""What a policy may answer, from nameserve(1) alone (policy, its defaults): the code has no part in it.

possible(policy, client, health) is the set of all answers that are right: each a tuple of values in order; shares()
says how often each of them comes.
client: {"net": ip_network, "country", "continent", "asn"}; health: {check: (up, rtt_ms or None, since)}.
"""

import collections
import ipaddress
import math
import random

ORDER = ("asn", "city", "subdivision", "country", "continent")
NODES = ("geo", "failover", "weighted", "latency")


class Model:
    def __init__(self, policy, health):
        self.pools, self.root, self.health = policy["pools"], policy["root"], health

    def up(self, answer):
        return not answer.get("drain") and ("check" not in answer or self.health[answer["check"]][0])

    def least(self, pool):
        least = pool.get("min_healthy", 1)
        if isinstance(least, str):
            return math.ceil(len(pool["answers"]) * int(least[:-1]) / 100)
        return least

    def pool_up(self, pool):
        return sum(map(self.up, pool["answers"])) >= self.least(pool)

    def children(self, node):
        if node["use"] == "failover":
            return node["order"]
        if node["use"] == "geo":
            return [r["then"] for r in node["rules"]] + [node["default"]]
        return [b["then"] for b in node["branches"]]

    def node_up(self, node):
        """Down is what has nothing but down pools."""
        if "pool" in node:
            return self.pool_up(self.pools[node["pool"]])
        return any(self.node_up(c) for c in self.children(node))

    def rtt(self, node):
        if "pool" in node:
            found = [self.health[a["check"]][1] for a in self.pools[node["pool"]]["answers"]
                     if "check" in a and self.up(a) and self.health[a["check"]][1]]
        else:
            found = [r for r in map(self.rtt, self.children(node)) if r is not None]
        return min(found, default=None)

    # ---- which pools ----
    def matches(self, key, client):
        """How specific: a number, or None."""
        kind, value = key.split(":", 1)
        if kind == "cidr":
            net = ipaddress.ip_network(value)
            inside = net.version == client["net"].version and client["net"].subnet_of(net)
            return 100 + net.prefixlen if inside else None
        return 50 - ORDER.index(kind) if str(client.get(kind)) == value else None

    def geo(self, node, client):
        found = []
        for rule in node["rules"]:
            for key in rule["match"]:
                level = self.matches(key, client)
                if level is not None:
                    found.append((level, rule["then"]))
        found.sort(key=lambda f: -f[0])
        for _, then in found:
            if node.get("fallback") == "none" or self.node_up(then):
                return [then]
        return [node["default"]]

    def ways(self, node, client):
        """The branches that may be taken."""
        if node["use"] == "geo":
            return self.geo(node, client)
        children = self.children(node)
        alive = [i for i, c in enumerate(children) if self.node_up(c)]
        if node["use"] == "failover":
            return [children[alive[0]] if alive else children[-1]]
        if not alive:
            return [children[0]]
        if node["use"] == "latency":
            best = min((self.rtt(children[i]) if self.rtt(children[i]) is not None else math.inf, i)
                       for i in alive)
            return [children[best[1]]]
        heavy = [i for i in alive if node["branches"][i].get("weight", 1) > 0]
        return [children[i] for i in heavy or alive]

    # ---- what a pool gives ----
    def good(self, pool):
        up = [a for a in pool["answers"] if self.up(a)]
        if len(up) >= self.least(pool):
            return pool, up
        down = pool.get("when_down", "open")
        if down == "closed":
            return pool, []
        if isinstance(down, dict):
            return self.good(self.pools[down["pool"]])
        if down == "last":
            # The last set that was sent while enough were up: those fell last that are missing.
            good = list(up)
            fallen = sorted((a for a in pool["answers"] if not self.up(a)),
                            key=lambda a: -self.health[a["check"]][2])
            while len(good) < self.least(pool):
                since = self.health[fallen[0]["check"]][2]
                while fallen and self.health[fallen[0]["check"]][2] == since:
                    good.append(fallen.pop(0))
            return pool, [a for a in pool["answers"] if a in good]
        return pool, pool["answers"]

    def pool_answers(self, pool):
        pool, good = self.good(pool)
        values = [a["value"] for a in good if a.get("weight", 1) > 0] or [a["value"] for a in good]
        serve = pool.get("serve", "all")
        if not values:
            return {()}
        if serve == "all":
            return {tuple(values)}
        if serve == "one":
            return {(v,) for v in values}
        n = len(values)
        return {tuple(values[(s + i) % n] for i in range(min(serve, n))) for s in range(n)}

    def node(self, node, client):
        if "pool" in node:
            return self.pool_answers(self.pools[node["pool"]])
        return set().union(*(self.node(way, client) for way in self.ways(node, client)))

    # ---- how often ----
    def pool_shares(self, pool):
        pool, good = self.good(pool)
        heavy = [a for a in good if a.get("weight", 1) > 0] or [{**a, "weight": 1} for a in good]
        found = collections.Counter()
        if pool.get("serve", "all") == "one":
            total = sum(a.get("weight", 1) for a in heavy)
            for a in heavy:
                found[(a["value"],)] += a.get("weight", 1) / total
        else:  # the rotations have no order of preference
            answers = sorted(self.pool_answers(pool)) if good else [()]
            for answer in answers:
                found[answer] += 1 / len(answers)
        return found

    def shares(self, node, client):
        if "pool" in node:
            return self.pool_shares(self.pools[node["pool"]])
        ways = self.ways(node, client)
        weights = [1] * len(ways)
        if node["use"] == "weighted":
            weights = [next(b for b in node["branches"] if b["then"] is way).get("weight", 1) for way in ways]
            weights = weights if any(weights) else [1] * len(ways)
        found = collections.Counter()
        for way, weight in zip(ways, weights):
            for answer, share in self.shares(way, client).items():
                found[answer] += share * weight / sum(weights)
        return found


def possible(policy, client, health):
    m = Model(policy, health)
    return m.node(m.root, client)


def shares(policy, client, health):
    """{answer: how often}: per query; where a node is sticky, over many client networks."""
    m = Model(policy, health)
    return m.shares(m.root, client)


# ---- generated policies ----
class Maker:
    """Random policies over the checks that are given; never one that is refused."""

    def __init__(self, seed, checks, keys):
        self.random, self.checks, self.keys = random.Random(seed), checks, keys

    def pool(self, name, index, others):
        r = self.random
        answers = []
        for i in range(r.randint(1, 4)):
            answer = {"value": f"10.{index // 256}.{index % 256}.{i + 1}", "check": r.choice(self.checks)}
            if r.random() < 0.3:
                answer["weight"] = r.choice([0, 1, 5])
            if r.random() < 0.1:
                answer["drain"] = True
            answers.append(answer)
        pool = {"answers": answers}
        pool["serve"] = r.choice(["all", "all", "one", 1, 2])
        if r.random() < 0.4:
            pool["min_healthy"] = r.choice([r.randint(1, len(answers)), "50%", "100%"])
        down = r.choice(["open", None, "closed", "last", "other"])
        if down == "other" and others:
            pool["when_down"] = {"pool": r.choice(others)}
        elif down and down != "other":
            pool["when_down"] = down
        return pool

    def tree(self, depth):
        r = self.random
        if depth == 0 or r.random() < 0.25:
            name = f"p{len(self.pools)}"
            others = list(self.pools)
            self.pools[name] = None
            self.count += 1
            self.pools[name] = self.pool(name, self.count, others)
            return {"pool": name}
        use = r.choice(NODES)
        branches = [self.tree(depth - 1) for _ in range(r.randint(1, 3))]
        if use == "failover":
            return {"use": use, "order": branches}
        if use == "latency":
            return {"use": use, "branches": [{"then": b} for b in branches]}
        if use == "weighted":
            node = {"use": use, "branches": [{"weight": r.choice([0, 1, 3]), "then": b} for b in branches]}
            if r.random() < 0.3:
                node["sticky"] = "network"
            return node
        keys = r.sample(self.keys, min(len(self.keys), 2 * len(branches)))
        node = {"use": use, "default": self.tree(depth - 1),
                "rules": [{"match": keys[2 * i:2 * i + 2], "then": b} for i, b in enumerate(branches)]}
        if r.random() < 0.3:
            node["fallback"] = "none"
        return node

    count = 0

    def policy(self):
        self.pools = {}
        root = self.tree(self.random.randint(0, 3))
        return {"ttl": self.random.choice([0, 5, 30]), "root": root, "pools": self.pools}
