"""The command line as people and scripts meet it: help, tables, JSON, exit codes, the man page."""

import json
import re
import subprocess

from appliance import BUILD, ROOT, zone_text
from console import Console
from peers import wait_until

NAMESERVE = BUILD / "bin" / "nameserve"


def run(*args, **kw):
    return subprocess.run([NAMESERVE, *args], capture_output=True, text=True, timeout=60, **kw)


def commands():
    lines = run("help").stdout.splitlines()
    start = lines.index("Commands:") + 1
    return [line.strip() for line in lines[start:lines.index("", start)]]


def test_every_program_says_what_it_is():
    for program in [NAMESERVE, BUILD / "bin" / "nameserved", *(BUILD / "libexec").glob("nameserve-*")]:
        for flag in ("--help", "--version"):
            done = subprocess.run([program, flag], capture_output=True, text=True, timeout=10)
            assert done.returncode == 0 and done.stdout.strip(), (program, flag, done)


def test_every_program_has_a_man_page_and_installs(tmp_path):
    done = subprocess.run(["make", "-s", "install", f"DESTDIR={tmp_path}", "PREFIX=/usr"], cwd=ROOT,
                          capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    pages = {p.name.rsplit(".", 1)[0] for p in tmp_path.glob("usr/share/man/man*/*")}
    programs = [*tmp_path.glob("usr/bin/*"), *tmp_path.glob("usr/libexec/*")]
    assert len(programs) >= 6 and {p.name for p in programs} <= pages
    assert (tmp_path / "usr/share/bash-completion/completions/nameserve").stat().st_size > 500
    unit = (tmp_path / "usr/lib/systemd/system/nameserved.service").read_text()
    assert "exec /usr/bin/nameserved" in unit and "@PREFIX@" not in unit


def test_the_man_page_has_the_keys_of_the_console():
    keys = subprocess.run([BUILD / "bin" / "nameserve", "help", "keys"], capture_output=True, text=True,
                          timeout=10, check=True).stdout
    assert ":quit" in keys and keys in (ROOT / "console" / "man" / "nameserve.1.scd").read_text()


def test_help_and_the_man_page_name_every_command():
    page = subprocess.run(["man", "-l", "-Tutf8", BUILD.parent / "build" / "man" / "nameserve.1"],
                          capture_output=True, text=True, timeout=60,
                          env={"MANWIDTH": "200", "PATH": "/usr/bin:/bin", "TERM": "dumb"}).stdout
    page = re.sub(r".\x08|\x1b\[[0-9;]*m", "", page)
    for line in commands():
        words = re.match(r"([a-z-]+)( [a-z-]+)?(?= |$)", line)[0].split()
        assert " ".join(words) in page, words
        assert run("help", *words).returncode == 0


def test_usage_errors_are_2_and_say_what():
    for args, word in ((["zone"], "verb"), (["frobnicate"], "frobnicate"), (["zone", "list", "--nope"], "--nope"),
                       (["zone", "show"], "missing"), (["status", "--commit"], "--commit"),
                       (["status", "--timeout", "soon"], "soon"), (["tail", "--json"], "--limit"),
                       (["status", "--wait", "served"], "revision"), (["commit", "z", "--wait", "5"], "served")):
        done = run(*args)
        assert done.returncode == 2 and word in done.stderr, (args, done)


def test_no_appliance_is_7_and_names_the_socket():
    done = run("--socket", "/tmp/nowhere/control", "status")
    assert done.returncode == 7 and "/tmp/nowhere/control" in done.stderr
    done = run("--json", "--socket", "/tmp/nowhere/control", "status")
    assert json.loads(done.stdout)["error"]["exit"] == 7


def test_bash_completion_is_bash():
    script = run("completion", "bash").stdout
    assert subprocess.run(["bash", "-n"], input=script, text=True, check=False).returncode == 0
    probe = script + '\nCOMP_WORDS=(nameserve zone im); COMP_CWORD=2; _nameserve; echo "${COMPREPLY[@]}"'
    assert subprocess.run(["bash"], input=probe, text=True, capture_output=True, check=True).stdout.strip() == "import"


def test_lists_page_and_filter(appliance):
    folder = appliance.dir / "zones"
    folder.mkdir()
    for name in ("alpha.example", "beta.example", "beta.test", "gamma.example"):
        (folder / name).write_text(zone_text(f"{name}."))
    appliance.cli("zone", "import", "--dir", folder)
    page = appliance.cli_json("zone", "list", "--limit", 3)
    assert page["total"] == 4 and len(page["zones"]) == 3 and page["next"]
    rest = appliance.cli_json("zone", "list", "--limit", 3, "--cursor", page["next"])
    names = [z["name"] for z in page["zones"] + rest["zones"]]
    assert sorted(names) == ["alpha.example.", "beta.example.", "beta.test.", "gamma.example."]
    appliance.cli("record", "set", "beta.test", "x", 60, "A", "192.0.2.1")
    for words, wanted in (("beta", 2), ("^be example", 1), ("*.test", 1), ("~^(alpha|gamma)", 2), ("-beta", 2),
                          ("draft:mine", 1), ("-draft:mine beta", 1)):
        assert appliance.cli_json("zone", "list", "--filter", words)["total"] == wanted, words
    lines = appliance.cli("--jsonl", "zone", "list").splitlines()
    assert len(lines) == 4 and json.loads(lines[0])["serial"] == 1
    table = appliance.cli("zone", "list").splitlines()
    assert table[0].split()[:2] == ["NAME", "SERIAL"] and len(table) == 5


def test_contract_fields(example):
    zone = example.cli_json("zone", "list")["zones"][0]
    assert {"name", "serial", "records", "dnssec", "account"} <= set(zone)
    stats = example.cli_json("stats")
    assert {"qps", "queries", "rcodes", "latency_us", "dropped"} <= set(stats)
    assert isinstance(stats["rcodes"], dict) and {"p50", "p99", "p999"} <= set(stats["latency_us"])
    before = stats["rcodes"].get("NXDOMAIN", 0)
    example.values("nope.example.com")
    wait_until(lambda: example.cli_json("stats")["rcodes"].get("NXDOMAIN") == before + 1, "it is counted")


def test_zone_show_says_what_is_served(example):
    wait_until(lambda: (z := example.cli_json("zone", "show", "example.com"))["served_version"] == z["version"] > 0, "served")


def test_history_shows_who_what_and_the_diff(example):
    reply = example.cli_json("record", "set", "example.com", "www", 60, "A", "192.0.2.99", "--commit", "-m", "why not")
    assert example.cli_json("status", "--wait", reply["revision"])["served_revision"] >= reply["revision"]
    assert "not served here yet" in example.fails(11, "--timeout", "200ms", "status", "--wait", reply["revision"] + 1000)
    shown = example.cli_json("history", "show", reply["revision"])
    assert shown["change"]["comment"] == "why not" and shown["change"]["author"]
    diff = shown["diffs"][0]
    assert any("192.0.2.10" in line for line in diff["removed"])
    assert any("192.0.2.99" in line for line in diff["added"])
    listed = example.cli_json("history", "list", "example.com")["changes"]
    assert [c["revision"] for c in listed] == sorted((c["revision"] for c in listed), reverse=True)
    assert listed[0]["serial"] == diff["serial_after"]
    example.fails(3, "history", "show", 99999)


def test_history_is_filtered(example):
    def found(words, *more):
        return example.cli_json("history", "list", *more, "--filter", words)["changes"]

    example.cli("check", "set", "eu-web-2", "-", stdin=json.dumps({"type": "push"}))
    newest = found("")[0]
    assert (newest["kind"], newest["object"], newest.get("zones", [])) == ("check", "eu-web-2", [])
    assert [c["object"] for c in found(f"who:{newest['author']} via:cli kind:check since:1h")] == ["eu-web-2"]
    assert found("eu-web") == found("^EU-") == found("eu-*") == found("~^eu.*2$") == found("name:web") == [newest]
    example.cli("record", "set", "example.com", "www", 60, "A", "192.0.2.77", "--commit")
    edited = found("^example.com kind:edit since:1d -eu-web", "example.com")
    assert edited and all(c["zones"] == ["example.com."] and c["kind"] == "edit" for c in edited)
    assert found("who:nobody-of-that-name") == found("shop.example") == found("-since:1d") == []
    assert "eu-web-2" in example.cli("history", "list", "--filter", "kind:check")
    for words, why in (("qps:>1", "there are name:, who:ci"), ("since:yesterday", "since:1d"), ("who:", "an empty word")):
        assert why in example.fails(2, "history", "list", "--filter", words)


def test_a_filtered_history_goes_on_behind_a_page(example):
    """More than a page holds, with others between them: none is left out, none comes twice, here and in the console."""
    example.cli("zone", "import", "paged.example", "-", stdin=zone_text("paged.example."))
    lines = "".join(f"{zone} n{i} 60 A 192.0.2.{i}\n" for i in range(205) for zone in (["example.com"] * (i % 4 == 0) + ["paged.example"]))
    subprocess.run([BUILD / "tools" / "edits", str(example.socket)], input=lines, text=True, check=True, capture_output=True)
    every, cursor = [], []
    while cursor != [""]:
        page = example.cli_json("history", "list", "--limit", 200, "--filter", "^paged kind:edit", *(["--cursor", *cursor] if cursor else []))
        assert len(page["changes"]) <= 200
        every += [c["revision"] for c in page["changes"]]
        assert all(c["zones"] == ["paged.example."] for c in page["changes"])
        cursor = [page.get("next", "")]
    assert every == sorted(set(every), reverse=True) and len(every) == 205
    with Console(example.socket) as c:
        c.press("6", "/", "^paged kind:edit", "enter")
        c.wait(lambda: c.cursor_row().split()[1:2] == [str(every[0])])
        c.wait(lambda: c.press("G") or "205 rows" in c.text())  # each time as far as is known
        c.wait(lambda: c.press("G") or c.cursor_row().split()[1:2] == [str(every[-1])])


def test_an_export_has_the_draft_in_it(example):
    """Of a zone that comes in several pieces: names before, between and behind those that are there, and those that go."""
    many = "".join(f"h{i:04} IN A 10.7.{i >> 8}.{i & 255}\n" for i in range(4000))
    example.cli("zone", "import", "long.example", "-", stdin=zone_text("long.example.", records=many))
    for words in (("set", "a", 60, "A", "192.0.2.1"), ("set", "h1999x", 60, "A", "192.0.2.2"), ("set", "zz", 60, "TXT", "x"),
                  ("add", "h0000", 300, "A", "192.0.2.3"), ("del", "h0001"), ("set", "@", 60, "MX", "10 h0002"),
                  ("set", "h3999", 60, "A", "192.0.2.4")):
        example.cli("record", words[0], "long.example", *words[1:])
    drafted = example.cli("zone", "export", "long.example", "--draft")
    assert drafted != example.cli("zone", "export", "long.example") and "h0001." not in drafted
    example.cli("commit", "long.example")

    def records(text):  # but for the serial, which the commit makes
        return [line for line in text.splitlines() if " SOA " not in line]

    assert records(drafted) == records(example.cli("zone", "export", "long.example"))
    example.fails(3, "zone", "export", "long.example", "--draft")
    example.cli("record", "set", "long.example", "b", 60, "A", "192.0.2.5")
    example.cli("record", "set", "long.example", "c", 60, "A", "192.0.2.5", "--commit")
    assert "E2104" in example.fails(5, "zone", "export", "long.example", "--draft")


def test_read_only_refuses_edits(example):
    example.fails(4, "--read-only", "record", "set", "example.com", "www", 60, "A", "192.0.2.1", "--commit")


def test_hostile_text_does_not_reach_the_terminal(example):
    example.cli("record", "set", "example.com", "t", 60, "TXT", r'"\027[2J\007\155"', "--commit", "-m", "ok")
    assert example.cli("record", "list", "example.com", "--filter", "type:soa -^www").count("\n") == 2
    assert "there are name:, type:" in example.fails(2, "record", "list", "example.com", "--filter", "qps:>1")
    out = example.cli("record", "list", "example.com")
    assert "\x1b" not in out and "\x07" not in out
