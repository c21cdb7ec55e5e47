"""Users and customers' accounts: who may do what, decided in one place, by what the kernel says of the caller."""

import json
import os
import pwd
import subprocess

import pytest

from appliance import BUILD, Appliance, zone_text
from fleet import Fleet
from peers import wait_until

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="needs root to become others")

ROLES = ("viewer", "operator", "admin")
# Accounts that every Debian has and nobody uses here, by the role that the test gives them.
ACCOUNTS = {"viewer": "games", "operator": "man", "admin": "news"}
STRANGER = "mail"

# What each request needs. A request that is not here fails the test: decide who may use it.
NEEDS = {
    "status": "viewer", "zone_list": "viewer", "zone_show": "viewer", "zone_export": "viewer",
    "presence": "viewer",
    "zone_create": "operator", "zone_delete": "operator", "zone_set": "admin",
    "import_begin": "operator", "import_data": "operator", "import_end": "operator", "import_abandon": "operator",
    "record_list": "viewer", "commit": "operator", "settings_get": "viewer", "settings_set": "admin",
    "history_list": "viewer", "history_show": "viewer", "stats": "viewer", "tail": "viewer", "verify": "admin",
    "backup": "admin", "backup_restore": "admin", "zone_check": "viewer",
    "plan": "viewer", "test": "viewer", "confirm": "operator", "revert": "operator", "rewind": "operator", "lost": "operator",
    "trash_list": "viewer", "zone_restore": "operator",
    "fleet_list": "viewer", "fleet_show": "viewer", "fleet_invite": "admin", "fleet_remove": "admin",
    "fleet_drain": "admin", "fleet_roll": "admin", "fleet_standby": "admin", "fleet_promote": "admin",
    "user_set": "admin", "user_list": "viewer", "account_set": "admin", "account_list": "viewer",
    "dnssec_set": "admin", "dnssec_show": "viewer",
    "check_set": "operator", "check_state": "operator", "check_list": "viewer", "check_plan": "viewer",
    "health_list": "viewer", "check_probe": "operator",
    "alias_list": "viewer",
}
# At a replica: what goes on to the primary, and what is done on the primary's own socket only. All else is
# the replica's own to answer.
FORWARDED = {"zone_create", "zone_delete", "commit", "confirm", "revert", "rewind", "zone_restore", "check_set",
             "check_state", "presence", "import_begin", "import_data", "import_end", "import_abandon"}
ONLY_AT_PRIMARY = {"zone_set", "settings_set", "user_set", "account_set", "backup_restore", "fleet_invite", "fleet_remove",
                   "fleet_drain", "fleet_roll", "fleet_standby", "dnssec_set"}
# Between the processes of an appliance: on the control socket nobody may send them.
BUS = {"metrics_request", "digest_request", "parent_request"}


def run_as(a, account, *args, **env):
    user = pwd.getpwnam(account)
    return subprocess.run([BUILD / "bin" / "nameserve", "--socket", a.socket, *map(str, args)], text=True,
                          capture_output=True, user=user.pw_uid, group=user.pw_gid, extra_groups=[], timeout=30,
                          env=dict(os.environ, **env))


@pytest.fixture(scope="module")
def team():
    with Appliance() as a:
        path = a.dir / "example.com"
        path.write_text(zone_text("example.com.", records="www IN A 192.0.2.10\n"))
        a.cli("zone", "import", "example.com", path)
        for role, account in ACCOUNTS.items():
            a.cli("user", "create", f"the-{role}", "--unix", account, "--role", role, "-m", "first day")
        yield a


def test_each_request_by_each_role(team):
    for number, role in enumerate((None, *ROLES)):
        user = pwd.getpwnam(ACCOUNTS[role] if role else STRANGER)
        out = subprocess.run([BUILD / "tools" / "rogue", team.socket, "kinds"], capture_output=True, text=True,
                             timeout=90, stdin=subprocess.DEVNULL, user=user.pw_uid, group=user.pw_gid,
                             extra_groups=[]).stdout
        told = {t["sent"]: t for t in map(json.loads, out.splitlines())}
        asked = {k for k in told if k.endswith("_request") or k.startswith("import_")} - BUS
        asked -= {"import_ready", "import_progress", "import_reply"}
        assert {k.removesuffix("_request") for k in asked} == set(NEEDS)
        for kind in asked:
            if (need := NEEDS[kind.removesuffix("_request")]) is None:
                assert told[kind]["class"] in (2, 4)  # nobody answers it yet
                continue
            need = ROLES.index(need) + 1
            denied = told[kind].get("class") == 4
            assert denied == (number < need), (role, told[kind])


def test_each_request_at_a_replica():
    """Asked of an appliance that may pass on what a viewer does: what it forwards comes back as too much."""
    with Fleet(1) as fleet:
        peep = fleet.add("peep", "--trust", "viewer")
        out = subprocess.run([BUILD / "tools" / "rogue", peep.socket, "kinds"], capture_output=True, text=True,
                             timeout=90, stdin=subprocess.DEVNULL).stdout
        told = {t["sent"].removesuffix("_request"): t.get("code") for t in map(json.loads, out.splitlines())}
        assert {k for k in NEEDS if told[k] == 2721} == {k for k in FORWARDED if NEEDS[k] != "viewer"}
        assert {k for k in NEEDS if told[k] == 2715} == ONLY_AT_PRIMARY
        # No appliance passes on more than an operator may do: what needs an admin is refused where it is typed.
        assert not {k for k in FORWARDED if NEEDS[k] == "admin"}
        plain = fleet.add("plain")
        refused = plain.fails(7, "settings", "set", "nameservers", "ns1.example.net")
        assert "E2715" in refused and fleet.primary.name in refused
        done = run_as(plain, "root", "zone", "create", "new.example", "--ns", "ns1.example.net.",
                      SSH_CONNECTION="2001:db8::7 50312 2001:db8::1 22")
        assert done.returncode == 0, done.stderr
        for a in (plain, fleet.primary):  # the person was there, whoever did it
            change = a.cli_json("history", "list", "new.example")["changes"][0]
            assert (change["source"], change["appliance"]) == ("2001:db8::7", plain.name)
            a.cli("verify")


def test_the_history_names_the_person(team):
    done = run_as(team, ACCOUNTS["operator"], "record", "set", "example.com", "a", 60, "A", "192.0.2.1",
                  "--commit", "-m", "mine", SSH_CONNECTION="192.0.2.77 50312 192.0.2.1 22")
    assert done.returncode == 0, done.stderr
    change = team.cli_json("history", "list", "example.com")["changes"][0]
    assert change["author"] == "the-operator" and change["comment"] == "mine"
    # Where a colleague sits is for himself and admins.
    words = ["--json", "history", "list", "example.com", "--filter", "from:192.0.2.7"]
    for account, told in (("operator", ["192.0.2.77"]), ("admin", ["192.0.2.77"]), ("viewer", [])):
        found = json.loads(run_as(team, ACCOUNTS[account], *words).stdout)["changes"]
        assert [c["source"] for c in found] == told
    assert "192.0.2.0/24" in run_as(team, ACCOUNTS["viewer"], *words[:-1], "at:test-a").stdout
    refused = run_as(team, ACCOUNTS["viewer"], "record", "set", "example.com", "a", 60, "A", "192.0.2.2", "--commit")
    assert refused.returncode == 4 and "operator" in refused.stderr
    assert run_as(team, STRANGER, "status").returncode == 4


def test_a_role_changes_under_an_open_connection(team):
    user = pwd.getpwnam(ACCOUNTS["operator"])
    watch = subprocess.Popen([BUILD / "bin" / "nameserve", "--socket", team.socket, "--jsonl", "stats", "--watch",
                              "100ms"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, user=user.pw_uid,
                             group=user.pw_gid, extra_groups=[])
    try:
        assert watch.stdout.readline()
        team.cli("user", "delete", "the-operator", "--confirm=the-operator")
        assert watch.wait(10) == 4
        assert run_as(team, ACCOUNTS["operator"], "status").returncode == 4
    finally:
        watch.kill()
        watch.communicate()
        team.cli("user", "create", "the-operator", "--unix", ACCOUNTS["operator"], "--role", "operator")
    assert run_as(team, ACCOUNTS["operator"], "status").returncode == 0


def test_users_survive_a_restart_and_are_listed(team):
    team.cli("user", "set", "the-viewer", "--role", "operator")
    team.stop()
    team.start()
    users = {u["name"]: u for u in team.cli_json("user", "list")["users"]}
    assert users["the-viewer"]["role"] == "operator" and users["the-viewer"]["known"]
    assert run_as(team, ACCOUNTS["viewer"], "zone", "create", "v.example", "--ns", "ns1.example.net.").returncode == 0
    team.cli("user", "set", "the-viewer", "--role", "viewer")
    assert "HERE" in team.cli("user", "list")


@pytest.mark.parametrize("words, code, text", [
    (("user", "create", "root", "--unix", "sync", "--role", "viewer"), 6, "neither root"),
    (("user", "create", "a b", "--unix", "sync", "--role", "viewer"), 6, "letters"),
    (("user", "create", "bob", "--unix", "sync", "--role", "king"), 6, "viewer, operator, admin"),
    (("user", "create", "bob", "--unix", "root", "--role", "viewer"), 6, "root is admin"),
    (("user", "create", "bob", "--unix", "games", "--role", "viewer"), 5, "that account already"),
    (("user", "create", "the-viewer", "--unix", "sync", "--role", "viewer"), 5, "user set changes"),
    (("user", "set", "nobody-here", "--role", "viewer"), 3, "no such user"),
    (("user", "delete", "the-viewer"), 9, "--confirm=NAME"),
    (("user", "create", "bob", "--role", "viewer"), 2, "--unix"),
    (("account", "delete", "none", "--confirm=none"), 3, "no account none"),
])
def test_refusals_say_why(team, words, code, text):
    assert text in team.fails(code, *words)


def test_an_account_made_later_is_found(team):
    name = f"nstest-late-{os.getpid()}"
    team.cli("user", "create", "late", "--unix", name, "--role", "viewer")
    assert [u["known"] for u in team.cli_json("user", "list")["users"] if u["name"] == "late"] == [False]
    subprocess.run(["useradd", "-M", "-N", name], check=True, capture_output=True)
    try:
        wait_until(lambda: run_as(team, name, "status").returncode == 0, "late is known", 10)
    finally:
        subprocess.run(["userdel", "-f", name], capture_output=True)  # its uid may have been another test's, whose shell ends late


def test_zones_of_one_account_keep_others_away(team):
    team.cli("account", "create", "acme")
    ns = ("--ns", "ns1.example.net.")
    team.cli("zone", "create", "acme.example", "--account", "acme", *ns)
    assert team.cli_json("zone", "show", "acme.example")["account"] == "acme"
    account = {z["name"]: z["account"] for z in team.cli_json("zone", "list")["zones"]}
    assert account["acme.example."] == "acme" and account["example.com."] == ""
    for zone in ("www.acme.example", "example"):
        done = run_as(team, ACCOUNTS["operator"], "zone", "create", zone, *ns)
        assert done.returncode == 5 and "acme.example." in done.stderr, done.stderr
    path = team.dir / "sub.acme.example"
    path.write_text(zone_text("sub.acme.example."))
    path.chmod(0o644)
    for _ in range(20):  # the writer may refuse it before the loop has put it down
        done = run_as(team, ACCOUNTS["operator"], "zone", "import", "sub.acme.example", path)
        assert done.returncode != 0 and "acme.example." in done.stderr + done.stdout
    assert team.processes("sync")[0]["restarts"] == 0
    done = run_as(team, ACCOUNTS["operator"], "zone", "create", "www.acme.example", "--account", "acme", *ns)
    assert done.returncode == 0, done.stderr
    team.cli("zone", "create", "example", *ns)  # an admin may
    assert {a["name"]: a["zones"] for a in team.cli_json("account", "list")["accounts"]} == {"acme": 2}
    assert "has zones" in team.fails(5, "account", "delete", "acme", "--confirm=acme")
    team.cli("zone", "set", "www.acme.example", "--account", "")
    team.cli("zone", "set", "acme.example", "--account", "")
    team.cli("account", "delete", "acme", "--confirm=acme")
    assert "no account acme" in team.fails(3, "zone", "set", "example.com", "--account", "acme")
    assert team.cli_json("verify")["ok"]
