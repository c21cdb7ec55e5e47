"""Where a client is: country, continent, subdivision, city and ASN from MaxMind-format files, and a new file
while queries come."""

import ipaddress
import json
import os
import signal
import threading

import dns.edns
import dns.message
import dns.query
import pytest

from appliance import Appliance, zone_text
from mmdbfile import mmdb
from peers import wait_until

CITY = {"192.0.2.0/24": {"country": {"iso_code": "US"}, "continent": {"code": "NA"},
                         "subdivisions": [{"iso_code": "CA"}], "city": {"geoname_id": 5391959}},
        "192.0.2.128/25": {"country": {"iso_code": "US"}, "continent": {"code": "NA"}},
        "198.51.100.0/24": {"country_code": "DE"},
        "203.0.113.0/24": {"country_code": "JP"},
        "2001:db8:1::/48": {"country_code": "FR"}}
ASN = {"203.0.113.0/25": {"autonomous_system_number": 64500}}
KEYS = ["asn:64500", "city:5391959", "subdivision:US-CA", "country:US", "country:DE", "continent:EU", "continent:AS"]


def policy(keys):
    return {"root": {"use": "geo", "default": {"pool": "none"}, "rules": [
        {"match": [k], "then": {"pool": k}} for k in keys]},
        "pools": {k: {"answers": [{"value": json.dumps(k)}]} for k in [*keys, "none"]}}


def ask(a, name, ecs):
    net = ipaddress.ip_network(ecs)
    q = dns.message.make_query(name, "TXT", use_edns=0, options=[
        dns.edns.ECSOption(str(net.network_address), net.prefixlen)])
    reply = dns.query.udp(q, "127.0.0.1", port=a.port, timeout=10)
    return reply.answer[0][0].to_text().strip('"'), reply.options[0].scopelen


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    files = tmp_path_factory.mktemp("geo")
    (files / "city.mmdb").write_bytes(mmdb(CITY))
    (files / "asn.mmdb").write_bytes(mmdb(ASN))
    a = Appliance(workers=2, config=f"[geo]\ndatabase = {files / 'city.mmdb'}, {files / 'asn.mmdb'}\n")
    a.files = files
    with a:
        path = a.dir / "example.com"
        path.write_text(zone_text("example.com.", 7))
        a.cli("zone", "import", "example.com", path)
        for name, keys in (("all", KEYS), ("wide", KEYS[3:])):
            a.cli("policy", "set", "example.com", name, "TXT", "-", "--commit", "-m", "x",
                  stdin=json.dumps(policy(keys)))
        yield a


@pytest.mark.parametrize("name, ecs, place, scope", [
    ("all", "192.0.2.1/32", "city:5391959", 25),
    ("all", "192.0.2.200/32", "country:US", 25),
    ("wide", "192.0.2.1/32", "country:US", 25),
    ("all", "198.51.100.7/32", "country:DE", 24),
    ("all", "203.0.113.7/32", "asn:64500", 25),
    ("all", "203.0.113.200/32", "continent:AS", 25),
    ("wide", "203.0.113.7/32", "continent:AS", 25),
    ("all", "2001:db8:1:2::/64", "continent:EU", 48),
    ("all", "10.0.0.0/24", "none", None),
])
def test_place(server, name, ecs, place, scope):
    for _ in range(3):
        found = ask(server, f"{name}.example.com", ecs)
        assert found[0] == place
        assert scope is None or found[1] == scope
    told = server.cli_json("test", f"{name}.example.com", "TXT", "--ecs", ecs)
    assert place in told["answers"][0]


def test_a_new_file_loses_no_query(server):
    before = {p["pid"] for p in server.processes("worker")}
    fresh = dict(CITY, **{"198.51.100.0/24": {"country_code": "US"}})
    new = server.files / "new"
    new.write_bytes(mmdb(fresh))
    os.replace(new, server.files / "city.mmdb")
    seen, lost, done = set(), [], threading.Event()

    def keep_asking():
        while not done.is_set():
            try:
                seen.add(ask(server, "wide.example.com", "198.51.100.7/32")[0])
            except Exception as e:  # whatever it is, it was lost
                lost.append(e)

    asker = threading.Thread(target=keep_asking)
    asker.start()
    try:
        wait_until(lambda: seen, "an answer by the old file")
        os.kill(server.process.pid, signal.SIGHUP)
        wait_until(lambda: not before & {p["pid"] for p in server.processes("worker")} and
                   len(server.processes("worker")) == 2, "two other workers", 20)
        wait_until(lambda: all(p["state"] == "ready" for p in server.processes()), "all ready", 20)
    finally:
        done.set()
        asker.join()
    assert not lost and seen == {"country:DE", "country:US"}
    assert {ask(server, "wide.example.com", "198.51.100.7/32")[0] for _ in range(8)} == {"country:US"}


def test_a_bad_file_changes_nothing(server):
    workers = {p["pid"] for p in server.processes("worker")}
    (server.files / "city.mmdb").write_bytes(b"no such format")
    os.kill(server.process.pid, signal.SIGHUP)
    wait_until(lambda: any("MaxMind" in p["text"] for p in server.cli_json("status")["problems"]), "a problem")
    assert ask(server, "wide.example.com", "198.51.100.7/32")[0] == "country:US"
    assert {p["pid"] for p in server.processes("worker")} == workers
