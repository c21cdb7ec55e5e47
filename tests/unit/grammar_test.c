/* What `:` takes of the command line: what is run for a line, what is refused and why, what Tab offers.
 *
 * Every command is linked, and none is run. */
// link: console/cli/alias.c console/cli/args.c console/cli/backup.c console/cli/backupkeys.c console/cli/call.c
// link: console/cli/check.c console/cli/checkhealth.c console/cli/commands.c console/cli/commit.c console/cli/console.c
// link: console/cli/dnssec.c console/cli/draft.c console/cli/draftset.c console/cli/drafttake.c console/cli/edit.c console/cli/fleet.c
// link: console/cli/grammar.c console/cli/help.c console/cli/history.c console/cli/import.c console/cli/lost.c
// link: console/cli/policy.c console/cli/proxy.c console/cli/record.c console/cli/session.c console/cli/settings.c console/cli/status.c
// link: console/cli/table.c console/cli/tail.c console/cli/test.c console/cli/user.c console/cli/words.c
// link: console/cli/zone.c console/cli/zonecheck.c
#include "console/cli/grammar.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "console/cli/session.h"
#include "console/cli/words.h"
#include "ipc/base/xalloc.h"

/* That of main.c, which `login` calls. */
int
cli_main(struct cli *cli, int argc, char **argv)
{
	(void)cli, (void)argc, (void)argv;
	fail();
	return 0;
}

enum who { PLAIN, LOOKER, BY_SSH, SHELL_LESS, PERSON };

static struct cli *
console(enum who who)
{
	static struct cli cli;

	memset(&cli, 0, sizeof cli);
	cli.restricted = who >= SHELL_LESS;
	cli.person = who == PERSON ? "alice" : NULL;
	cli.opt[OPT_READ_ONLY] = who == LOOKER ? "" : NULL;
	cli.opt[OPT_APPLIANCE] = who == BY_SSH ? "ssh:ops@fra1" : NULL;
	cli.opt[OPT_SOCKET] = who == PLAIN ? "/tmp/x/control" : NULL;
	return &cli;
}

/* "a|b c|d", then what is in the environment; or "!" and why not. */
static void
run_text(enum who who, const char *line, const char *at, char *out, size_t size)
{
	struct grammar g = cli_grammar(console(who));
	struct run run = { 0 };
	char why[400];
	size_t used = 0;

	if (!g.take(g.arg, line, at, &run, why, sizeof why)) {
		assert_null(run.argv);
		snprintf(out, size, "!%s", why);
		return;
	}
	assert_string_equal(run.path, "/proc/self/exe");
	for (size_t i = 0; run.argv[i] != NULL; i++)
		used += (size_t)snprintf(
		    out + used, size - used, "%s%s", i > 0 ? "|" : "", run.argv[i]);
	for (size_t i = 0; run.env != NULL && run.env[i] != NULL; i++)
		used += (size_t)snprintf(out + used, size - used, " %s", run.env[i]);
	run_free(&run);
}

static void
lines_become_programs(void **state)
{
	static const struct {
		enum who who;
		const char *line, *at, *runs;
	} rows[] = {
		{ PLAIN, "zone show example.com", "",
		    "nameserve|--no-input|zone|show|example.com NAMESERVE_SOCKET=/tmp/x/control" },
		{ PLAIN, "nameserve record set x.y @ 300 TXT '\"a b\"' --commit", "sin1-a",
		    "nameserve|--no-input|--appliance|sin1-a|record|set|x.y|@|300|TXT|\"a "
		    "b\"|--commit "
		    "NAMESERVE_SOCKET=/tmp/x/control" },
		{ LOOKER, "status", "", "nameserve|--no-input|--read-only|status" },
		{ BY_SSH, "status", "", "nameserve|--no-input|--appliance|ssh:ops@fra1|status" },
		/* As sshd would: the same gate. */
		{ SHELL_LESS, "zone set x.y --account \"it's\"", "",
		    "nameserve|-c|'--no-input' 'zone' 'set' 'x.y' '--account' 'it'\\''s' " },
		{ PERSON, "zone list", "sin1-a",
		    "nameserve|login|alice SSH_ORIGINAL_COMMAND='--no-input' '--appliance' "
		    "'sin1-a' 'zone' "
		    "'list' " },
		/* What makes no sense, and what nobody is to gain. */
		{ PLAIN, "console", "", "!console: not from within the console: you are in it" },
		{ PLAIN, "proxy --stdio", "",
		    "!proxy: not from within the console: it speaks with a program, "
		    "not with people" },
		{ PERSON, "login bob", "",
		    "!login: not from within the console: you are logged in" },
		{ PLAIN, "zone import x.y -", "",
		    "!zone: - is nobody's input or output here: name a file" },
		{ PLAIN, "backup -", "",
		    "!backup: - is nobody's input or output here: name a file" },
		{ SHELL_LESS, "zone import x.y -", "",
		    "!zone: - is nobody's input or output here: ssh HOST nameserve ... - < FILE" },
		{ SHELL_LESS, "backup /tmp/x", "", "!this account has no files" },
		{ SHELL_LESS, "zone import --dir /etc", "", "!this account has no files" },
		{ SHELL_LESS, "policy set x.y w A /etc/passwd", "", "!this account has no files" },
		{ SHELL_LESS, "check set c /etc/passwd", "", "!this account has no files" },
		{ PERSON, "restore-backup /etc/passwd --check", "", "!this account has no files" },
		{ PERSON, "zone list --socket /tmp/x", "", "!this account uses the appliance" },
		{ PERSON, "zone list --appliance ssh:root@h", "",
		    "!this account uses the appliance" },
		{ BY_SSH, "zone list --appliance x", "",
		    "!--appliance: this console came by ssh:ops@fra1" },
		{ BY_SSH, "zone list", "sin1-a",
		    "!--appliance: this console came by ssh:ops@fra1" },
		/* Where it is wrong. */
		{ PLAIN, "zone", "", "!zone needs a verb" },
		{ PLAIN, "zone burn x", "", "!zone has no verb burn" },
		{ PLAIN, "zone show", "", "!something is missing: zone show ZONE" },
		{ PLAIN, "zone show x y", "", "!too many words: zone show ZONE" },
		{ PLAIN, "zone show x --sample 3", "",
		    "!zone show does not take --sample: zone show ZONE" },
		{ PLAIN, "zone list --what", "", "!unknown option --what" },
		{ PLAIN, "zone list --limit", "", "!--limit needs a value: N" },
		{ PLAIN, "zone list; id", "", "!no shell reads this line" },
		{ PLAIN, "zone list $(id)", "", "!no shell reads this line" },
		{ PLAIN, "zone show 'x", "", "!a quote is not closed" },
	};
	char out[1000];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		size_t n = strlen(rows[i].runs);

		run_text(rows[i].who, rows[i].line, rows[i].at, out, sizeof out);
		if (rows[i].runs[0] != '!')
			n = sizeof out; /* the whole of it */
		if (strncmp(out, rows[i].runs, n) != 0)
			fail_msg("%s: %s", rows[i].line, out);
	}
}

/* What is quoted for a login shell are the same words again. */
static void
quoting_is_undone(void **state)
{
	static const char *const lines[] = { "zone show \"a'b\"", "zone show '\\;|&'",
		"zone show \"$`<>\"", "zone show \\'\\'", "zone show ''" };

	(void)state;
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		struct grammar g = cli_grammar(console(SHELL_LESS));
		struct run run = { 0 };
		char why[200];
		const char *bad;
		size_t n, m;
		char **said = words_split(lines[i], &n, &bad), **run_as;

		assert_true(g.take(g.arg, lines[i], "", &run, why, sizeof why));
		assert_non_null(run_as = words_split(run.argv[2], &m, &bad));
		assert_int_equal(m, n + 1); /* --no-input */
		for (size_t k = 0; k < n; k++)
			assert_string_equal(run_as[k + 1], said[k]);
		free(said);
		free(run_as);
		run_free(&run);
	}
}

static void
tab_offers(void **state)
{
	static const struct {
		const char *line, *words; /* by commas; "ZONES" */
		size_t start;
	} rows[] = { { "zo", "zone", 0 }, { "re", "record,revert,restore,restore-backup", 0 },
		{ "con", "confirm", 0 }, { "pro", "", 0 },
		{ "zone ", "list,show,create,import,export,check,delete,restore,trash,set", 5 },
		{ "zone s", "show,set", 5 }, { "zone show ", "ZONES", 10 },
		{ "zone show ex", "ZONES", 10 }, { "zone show x y", "", 12 },
		{ "commit a.b c", "ZONES", 11 }, { "history list ", "ZONES", 13 },
		{ "record set example.com w", "", 23 }, { "check override c ", "up,down,auto", 17 },
		{ "dnssec rollover x z", "zsk", 18 }, { "zone list --f", "--filter=", 10 },
		{ "zone list --filter ", "", 19 }, { "test x A --via ", "udp,tcp", 15 },
		{ "dnssec enable --algorithm 13 ", "ZONES", 29 }, { "help zo", "zone", 5 },
		{ "zone show 'a ", "", 13 }, { "nameserve zone tr", "trash", 15 },
		{ "what ", "", 5 } };

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct grammar g = cli_grammar(console(PLAIN));
		struct candidates c = { 0 };
		char out[1000] = "";

		g.complete(g.arg, rows[i].line, &c);
		for (size_t k = 0; k < c.n; k++)
			snprintf(out + strlen(out), sizeof out - strlen(out), "%s%s",
			    k > 0 ? "," : "", c.list[k]);
		if (c.zones)
			snprintf(out, sizeof out, "ZONES");
		if (strcmp(out, rows[i].words) != 0 || c.start != rows[i].start)
			fail_msg("'%s': %s from %zu", rows[i].line, out, c.start);
	}
}

static void
what_is_a_line(void **state)
{
	struct grammar g = cli_grammar(console(PLAIN));

	(void)state;
	assert_true(g.knows(g.arg, "zone"));
	assert_true(g.knows(g.arg, "zone show 'x"));
	assert_true(g.knows(g.arg, "nameserve zone list"));
	assert_false(g.knows(g.arg, "zon"));
	assert_false(g.knows(g.arg, "id"));
	assert_false(g.knows(g.arg, "!ls"));
	assert_false(g.knows(g.arg, "nameserve"));
}

/* The console of another host has the rights and the looks of this one, and goes nowhere else. */
static void
another_host(void **state)
{
	static const struct {
		enum who who;
		enum cli_opt opt;
		const char *value, *runs;
	} rows[] = {
		{ PLAIN, OPT_LINEAR, NULL, "nameserve|console|--appliance|ssh:ops@lab" },
		{ BY_SSH, OPT_LINEAR, NULL, "nameserve|console|--appliance|ssh:ops@lab" },
		{ LOOKER, OPT_THEME, "deuteranopia",
		    "nameserve|console|--appliance|ssh:ops@lab|--read-only|--theme|deuteranopia" },
		{ PLAIN, OPT_ASCII, "", "nameserve|console|--appliance|ssh:ops@lab|--ascii" },
		{ SHELL_LESS, OPT_LINEAR, NULL, "!this account has no ssh of its own" },
		{ PERSON, OPT_LINEAR, NULL, "!this account has no ssh of its own" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct cli *cli = console(rows[i].who);
		struct grammar g = cli_grammar(cli);
		struct run run = { 0 };
		char out[400] = "!";
		size_t used = 0;

		cli->opt[rows[i].opt] = rows[i].value;
		if (g.visit(g.arg, "ssh:ops@lab", &run, out + 1, sizeof out - 1)) {
			assert_string_equal(run.path, "/proc/self/exe");
			for (size_t k = 0; run.argv[k] != NULL; k++)
				used += (size_t)snprintf(out + used, sizeof out - used, "%s%s",
				    k > 0 ? "|" : "", run.argv[k]);
		}
		run_free(&run);
		if (strncmp(out, rows[i].runs, strlen(rows[i].runs)) != 0 ||
		    (out[0] != '!' && strlen(out) != strlen(rows[i].runs)))
			fail_msg("%zu: %s", i, out);
	}
}

/* Whoever has no shell reads and writes no file of this host, by no option: the whole line, as sshd hands it over. */
static void
files_of_this_host(void **state)
{
	static const struct {
		const char *line;
		bool refused;
	} rows[] = { { "backup -", false }, { "backup /tmp/x", true },
		{ "backup - --passphrase-file /etc/shadow", true },
		{ "backup --passphrase-file=/etc/shadow -", true },
		{ "restore-backup - --passphrase-file -", true },
		{ "restore-backup - --check --passphrase-file /x", true },
		{ "restore-backup - --check", false }, { "zone import --dir /etc", true },
		{ "zone import x.y /etc/passwd", true }, { "zone import x.y -", false },
		{ "check set c /etc/passwd", true }, { "policy set x.y w A /etc/passwd", true },
		{ "zone list --socket /tmp/x", true }, { "zone list --appliance ssh:root@h", true },
		{ "zone list --appliance h", false } };
	char *said = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&said, &len);

	(void)state;
	cli_complain_to(f);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		for (int restricted = 0; restricted < 2; restricted++) {
			struct cli *cli = console(PLAIN);
			const struct cli_command *c;
			const char *bad;
			size_t n;
			char **words = words_split(rows[i].line, &n, &bad), *argv[16] = { 0 };

			memset(cli, 0, sizeof *cli);
			cli->restricted = restricted == 1;
			argv[0] = (char *)(uintptr_t) "nameserve";
			memcpy(argv + 1, words, n * sizeof *argv);
			c = cli_parse(cli, (int)n + 1, argv);
			if (c == NULL || (session_refuses(cli, c) != CLI_OK) !=
					     (rows[i].refused && restricted == 1))
				fail_msg("%s", rows[i].line);
			free(words);
		}
	cli_complain_to(NULL);
	fclose(f);
	free(said);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(another_host),
		cmocka_unit_test(files_of_this_host),
		cmocka_unit_test(lines_become_programs),
		cmocka_unit_test(quoting_is_undone),
		cmocka_unit_test(tab_offers),
		cmocka_unit_test(what_is_a_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
