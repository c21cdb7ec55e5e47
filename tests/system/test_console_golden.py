"""Golden screens: every screen in four sizes and four modes, without terminal or appliance.

UPDATE_GOLDEN=1 writes tests/golden/*.txt anew; look at the difference before it is committed.
"""

import os
import subprocess

import pytest

from appliance import BUILD, ROOT

TOOL = BUILD / "tools" / "ns_ui_test"
GOLDEN = ROOT / "tests" / "golden"
SCREENS = ("overview", "problems", "zones", "filter", "records", "records-filter", "zones-late", "zone-make", "zone-history", "history", "history-filter", "change", "help", "help-zones",
           "messages", "lost", "lost-overview", "records-draft", "menu", "editor", "editor-error", "editor-new",
           "editor-naptr", "pending", "diff", "diff-commit", "committed", "diff-conflict", "diff-search", "conflict", "conflict-edit", "revert", "copy", "trash",
           "trash-ask", "health", "health-problems", "check", "events", "force", "force-ask", "probe-now", "fleet", "pop", "fleet-many", "fleet-many-sort", "overview-many",
            "connect-many",
           "drain-ask", "dnssec", "unsign-ask", "roll-ask", "zones-marked", "zones-delete",
           "records-marked", "records-ttl", "records-others", "zones-preview", "records-preview", "records-preview-draft", "records-preview-policy", "zones-sort", "records-sort", "fleet-sort", "settings", "settings-sites", "settings-delete", "policies",
           "policy-pool", "policy-form", "policy-geo", "policy-new", "check-edit", "check-new", "check-sure", "check-try",
           "overview-fleet", "overview-latency", "overview-draft", "metrics", "query", "query-answer", "query-record", "query-draft",
           "text", "text-again", "text-field", "tail", "tail-filter", "tail-explain", "connect", "connected", "connect-ask", "connect-profiles",
           "connect-drop", "lost-connect", "lost-metrics", "lost-policies", "lost-records", "lost-draft", "lost-health", "lost-check", "lost-fleet", "lost-pop", "stale-overview", "palette",
           "palette-verbs", "policy-test", "palette-refused", "output", "output-runs")
SIZES = ("80x24", "120x40", "60x16", "200x50")
MODES = ("utf8-colour", "utf8-mono", "ascii-colour", "ascii-mono")


def screen(name, size, mode, fixture="plain"):
    done = subprocess.run([TOOL, name, fixture, size, mode], capture_output=True, timeout=20)
    assert done.returncode == 0, done.stderr
    text, roles = done.stdout.decode().split("==roles==\n")
    return text, roles


@pytest.mark.parametrize("name", SCREENS)
def test_golden(name):
    out = []
    for size in SIZES:
        for glyphs in ("utf8", "ascii"):
            text, colour = screen(name, size, f"{glyphs}-colour")
            same, mono = screen(name, size, f"{glyphs}-mono")
            assert text == same, "colour changes what is said"
            width, height = map(int, size.split("x"))
            lines = text.splitlines()
            assert len(lines) == height and all(len(line) <= width for line in lines)
            if glyphs == "ascii":
                assert text.isascii() and text.replace("\n", "").isprintable()
            out.append(f"==== {size} {glyphs}\n{text}")
            if size == "80x24":  # the roles are the same everywhere else
                out.append(f"---- colour\n{colour}---- mono\n{mono}")
    path, found = GOLDEN / f"{name}.txt", "".join(out)
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(found)
    assert found == path.read_text(), f"{path.name} differs: UPDATE_GOLDEN=1, then look at git diff"


def test_hostile_text_does_not_reach_the_surface():
    for name in SCREENS:
        for mode in ("utf8-colour", "ascii-colour"):
            text, _ = screen(name, "120x40", mode, "hostile")
            assert text.replace("\n", "").isprintable(), (name, mode)
            assert not any(c in text for c in "\x1b\x07\u202e\x9b\ufffd"), (name, mode)


def test_empty_says_so():
    for name, words in (("zones", "no zones yet"), ("filter", "no zone matches"), ("history", "no changes yet"), ("overview", "no queries yet")):
        assert words in screen(name, "80x24", "utf8-colour", "empty")[0], name


def test_every_size_keeps_within():
    done = subprocess.run([TOOL, "--relayout"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_storm_of_keys(seed):
    done = subprocess.run([TOOL, "--storm", str(seed)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_cursor_row_is_told_without_colour():
    for name in ("zones", "records", "history", "overview"):
        text, roles = screen(name, "80x24", "ascii-mono")
        rows = [i for i, line in enumerate(text.splitlines()) if line.startswith(">")]
        assert len(rows) == 1 and roles.splitlines()[rows[0]].startswith("r"), name
