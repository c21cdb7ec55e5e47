/* args - words and options of a command line, sorted by two tables.
 *
 * Options may stand anywhere; `--` ends them. `--name=value`, `--name value`, `-m value`. An option
 * that the command does not take is an error that says so, never ignored. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "console/cli/cli.h"

#define TIMEOUT_MS 10000u

const struct cli_option cli_options[] = {
	{ OPT_SOCKET, "socket", 0, "PATH",
	    "control socket; default $NAMESERVE_SOCKET, else "
	    "/run/nameserve/control" },
	{ OPT_APPLIANCE, "appliance", 0, "NAME",
	    "another appliance of the fleet, by way of this one; ssh:USER@HOST: that of another "
	    "host" },
	{ OPT_JSON, "json", 0, NULL, "one JSON document on stdout" },
	{ OPT_JSONL, "jsonl", 0, NULL, "one JSON object a row" },
	{ OPT_NO_INPUT, "no-input", 0, NULL, "never ask (the CLI never does)" },
	{ OPT_READ_ONLY, "read-only", 0, NULL, "refuse commands that change something" },
	{ OPT_TIMEOUT, "timeout", 0, "TIME", "how long to wait: 500ms, 10s, 2m; default 10s" },
	{ OPT_HELP, "help", 'h', NULL, "help for the command" },
	{ OPT_VERSION, "version", 0, NULL, "the version" },
	{ OPT_COMMIT, "commit", 0, NULL, "commit in one step" },
	{ OPT_COMMENT, "comment", 'm', "TEXT", "why, kept in the history" },
	{ OPT_BASE, "base", 0, "SERIAL", "refuse when the zone is not at this serial" },
	{ OPT_KEY, "idempotency-key", 0, "KEY",
	    "the same key makes a retry harmless for 24 hours" },
	{ OPT_WAIT, "wait", 0, "WHAT",
	    "served: return when every living appliance serves it; of status a revision, which "
	    "this one serves then" },
	{ OPT_CONFIRM, "confirm", 0, "NAME", "the name of what is destroyed" },
	{ OPT_YES, "yes", 0, NULL, "confirm" },
	{ OPT_FILTER, "filter", 0, "WORDS", "only what matches" },
	{ OPT_LIMIT, "limit", 0, "N", "at most N rows" },
	{ OPT_CURSOR, "cursor", 0, "C", "go on after an earlier page" },
	{ OPT_SORT, "sort", 0, "COLUMN", "by that column; -COLUMN: the other way round" },
	{ OPT_DIR, "dir", 0, "DIR", "every file of DIR" },
	{ OPT_NS, "ns", 0, "NS,NS...", "name servers of the new zone" },
	{ OPT_HOSTMASTER, "hostmaster", 0, "NAME", "responsible mailbox as a name" },
	{ OPT_NAME, "name", 0, "NAME", "only this owner" },
	{ OPT_TYPE, "type", 0, "TYPE", "only this type" },
	{ OPT_SCOPE, "scope", 0, "SCOPE", "fleet, zone:Z, fleet:zone:Z or appliance:A" },
	{ OPT_TOP, "top", 0, "WHAT", "zones, clients, names or qtypes" },
	{ OPT_WATCH, "watch", 0, "TIME", "repeat at this interval" },
	{ OPT_SAMPLE, "sample", 0, "N", "one query in N" },
	{ OPT_UNIX, "unix", 0, "ACCOUNT", "the account of the host that is this user" },
	{ OPT_ROLE, "role", 0, "ROLE", "viewer, operator or admin" },
	{ OPT_ACCOUNT, "account", 0, "NAME", "whose the zone is" },
	{ OPT_CHECK, "check", 0, NULL, "only look whether it is good" },
	{ OPT_PASSPHRASE, "passphrase-file", 0, "FILE",
	    "its first line closes, or opens, the DNSSEC keys in the backup" },
	{ OPT_ALL, "all", 0, NULL, "all drafts" },
	{ OPT_PLAN, "plan", 0, "HASH", "refuse when it would do something else than that plan" },
	{ OPT_WITHIN, "confirm-within", 0, "TIME",
	    "take it back after that time, unless `confirm CHANGE` comes: 10m" },
	{ OPT_TO, "to", 0, "SERIAL", "as it was at this serial" },
	{ OPT_SITE, "site", 0, "SITE", "where it is" },
	{ OPT_TRUST, "trust", 0, "ROLE",
	    "viewer or operator (default): what is done through it at most" },
	{ OPT_SITES, "sites", 0, "SITE,SITE...", "the only sites where it may be held" },
	{ OPT_CLIENT, "client", 0, "ADDRESS", "of the resolver that asks" },
	{ OPT_ECS, "ecs", 0, "NETWORK", "of its client, as EDNS client subnet tells it" },
	{ OPT_DO, "do", 0, NULL, "with DO: signatures too" },
	{ OPT_VIA, "via", 0, "udp|tcp", "as by UDP, where what does not fit is cut; default tcp" },
	{ OPT_AT, "at", 0, "APPLIANCE", "or all: answered there" },
	{ OPT_DRAFT, "draft", 0, NULL, "with this user's draft applied" },
	{ OPT_FOR, "for", 0, "TIME", "how long it holds: 90s, 2h" },
	{ OPT_ALGORITHM, "algorithm", 0, "13|15", "ECDSA P-256 (13, the default) or Ed25519 (15)" },
	{ OPT_DENIAL, "denial", 0, "KIND", "nsec (the default), nsec3 or nsec3-optout" },
	{ OPT_WHEN_SAFE, "when-safe", 0, NULL, "when the parent's DS is gone, which CDS asks for" },
	{ OPT_FORCE, "force", 0, NULL, "whatever the parent says" },
	{ OPT_SIGNATURES, "signatures", 0, NULL, "and every DNSSEC signature that is served" },
	{ OPT_EMERGENCY, "emergency", 0, NULL, "with the shortest waits that break nothing" },
	{ OPT_ASCII, "ascii", 0, NULL, "no characters beyond ASCII" },
	{ OPT_CLIPBOARD, "clipboard", 0, "osc52|off", "copy by the terminal's clipboard" },
	{ OPT_UTF8, "utf8", 0, NULL, "UTF-8 whatever locale and TERM say" },
	{ OPT_COLOR, "color", 0, "WHEN", "auto or never" },
	{ OPT_THEME, "theme", 0, "NAME", "default, high-contrast or deuteranopia" },
	{ OPT_LINEAR, "linear", 0, NULL, "line by line: for screen readers and plain terminals" },
	{ OPT_EXIT_CODE, "exit-code", 0, NULL, "exit 10 when there is a difference" },
	{ OPT_STDIO, "stdio", 0, NULL, "messages on standard input and output" },
	{ 0, NULL, 0, NULL, NULL },
};

static FILE *complaints;

void
cli_complain_to(FILE *f)
{
	complaints = f;
}

int
cli_usage(const struct cli_command *c, const char *fmt, ...)
{
	FILE *out = complaints != NULL ? complaints : stderr;
	va_list ap;

	fputs("nameserve: ", out);
	va_start(ap, fmt);
	vfprintf(out, fmt, ap);
	va_end(ap);
	fputc('\n', out);
	if (c != NULL)
		fprintf(out, "usage: nameserve %s%s%s %s\n", c->noun, c->verb != NULL ? " " : "",
		    c->verb != NULL ? c->verb : "", c->usage);
	else
		fputs("`nameserve help` lists the commands.\n", out);
	return CLI_USAGE;
}

bool
cli_number(const char *text, uint64_t max, uint64_t *value)
{
	uint64_t v = 0;

	if (text == NULL || *text == '\0')
		return false;
	for (; *text != '\0'; text++) {
		if (*text < '0' || *text > '9' || v > (max - (uint64_t)(*text - '0')) / 10)
			return false;
		v = v * 10 + (uint64_t)(*text - '0');
	}
	*value = v;
	return true;
}

int
cli_limit(const struct cli *cli, uint32_t max, uint32_t *limit)
{
	const char *text = cli->opt[OPT_LIMIT];
	uint64_t n = 0;

	if (text != NULL && !cli_number(text, max, &n))
		return cli_usage(NULL, "--limit %s: a number up to %u", text, max);
	*limit = (uint32_t)n;
	return CLI_OK;
}

void
cli_more(const char *next)
{
	if (next[0] != '\0')
		fprintf(stderr, "nameserve: more: --cursor %s\n", next);
}

bool
cli_duration_ms(const char *text, unsigned *ms)
{
	static const struct {
		const char *suffix;
		unsigned ms;
	} units[] = { { "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 }, { "", 1000 } };
	size_t digits = strspn(text, "0123456789");
	unsigned long n = strtoul(text, NULL, 10);

	if (digits == 0 || digits > 6)
		return false;
	for (size_t i = 0; i < sizeof units / sizeof *units; i++)
		if (strcmp(text + digits, units[i].suffix) == 0 && n <= 86400000 / units[i].ms) {
			*ms = (unsigned)n * units[i].ms;
			return true;
		}
	return false;
}

static const struct cli_option *
option_find(const char *name, size_t len, char letter)
{
	const struct cli_option *o;

	for (o = cli_options; o->name != NULL; o++)
		if (letter != 0 ? o->letter == letter
				: strlen(o->name) == len && strncmp(o->name, name, len) == 0)
			return o;
	return NULL;
}

const struct cli_option *
cli_option_named(const char *name, size_t len)
{
	return option_find(name, len, 0);
}

/* One argument that begins with a dash; *i moves on when it takes the next one. */
static bool
option_take(struct cli *cli, int argc, char **argv, int *i)
{
	const char *arg = argv[*i], *value = NULL;
	bool is_long = arg[1] == '-';
	size_t len = is_long ? strcspn(arg + 2, "=") : 1;
	const struct cli_option *o = option_find(arg + 2, len, is_long ? 0 : arg[1]);

	if (o == NULL) {
		cli_usage(NULL, "unknown option %s", arg);
		return false;
	}
	if (is_long && arg[2 + len] == '=')
		value = arg + 3 + len;
	else if (!is_long && arg[2] != '\0')
		value = arg + 2;
	if (o->value == NULL && value != NULL) {
		cli_usage(NULL, "--%s takes no value", o->name);
		return false;
	}
	if (o->value != NULL && value == NULL) {
		if (*i + 1 >= argc) {
			cli_usage(NULL, "--%s needs a value: %s", o->name, o->value);
			return false;
		}
		value = argv[++*i];
	}
	cli->opt[o->id] = value != NULL ? value : "";
	return true;
}

static const struct cli_command *
command_find(const char *noun, const char *verb)
{
	const struct cli_command *c;

	for (c = cli_commands; c->noun != NULL; c++)
		if (strcmp(c->noun, noun) == 0 &&
		    (c->verb == NULL || (verb != NULL && strcmp(c->verb, verb) == 0)))
			return c;
	return NULL;
}

static bool
noun_known(const char *noun)
{
	const struct cli_command *c;

	for (c = cli_commands; c->noun != NULL; c++)
		if (strcmp(c->noun, noun) == 0)
			return true;
	return false;
}

/* Options that the command does not take, and word counts. */
static bool
command_accepts(const struct cli *cli, const struct cli_command *c)
{
	const struct cli_option *o;

	for (o = cli_options; o->name != NULL; o++)
		if (o->id >= OPT_GLOBAL_END && cli->opt[o->id] != NULL &&
		    (c->options & OPT_BIT(o->id)) == 0) {
			cli_usage(c, "%s %s does not take --%s", c->noun,
			    c->verb != NULL ? c->verb : "", o->name);
			return false;
		}
	if (cli->opt[OPT_HELP] != NULL)
		return true;
	if (cli->n_words < c->min || cli->n_words > c->max) {
		cli_usage(c, cli->n_words < c->min ? "something is missing" : "too many words");
		return false;
	}
	return true;
}

static bool
globals_read(struct cli *cli)
{
	cli->timeout_ms = TIMEOUT_MS;
	if (cli->opt[OPT_TIMEOUT] != NULL &&
	    !cli_duration_ms(cli->opt[OPT_TIMEOUT], &cli->timeout_ms)) {
		cli_usage(NULL, "--timeout %s: not a time (500ms, 10s, 2m)", cli->opt[OPT_TIMEOUT]);
		return false;
	}
	if (cli_ssh_target(cli) != NULL && cli->opt[OPT_SOCKET] != NULL) {
		cli_usage(NULL, "--appliance ssh:... or --socket, not both");
		return false;
	}
	cli->format = cli->opt[OPT_JSONL] != NULL  ? CLI_JSONL
		      : cli->opt[OPT_JSON] != NULL ? CLI_JSON
						   : CLI_TABLE;
	return true;
}

/* Changes wait to be served, status for one of them. */
static bool
wait_accepted(const struct cli *cli, const struct cli_command *c)
{
	const char *wait = cli->opt[OPT_WAIT];
	bool status = c->run == cmd_status;

	if (wait == NULL || (status ? wait[0] != '\0' && wait[strspn(wait, "0123456789")] == '\0'
				    : strcmp(wait, "served") == 0))
		return true;
	cli_usage(
	    NULL, "--wait %s: it can be: %s", wait, status ? "the revision of a change" : "served");
	return false;
}

const struct cli_command *
cli_parse(struct cli *cli, int argc, char **argv)
{
	const char *all[CLI_MAX_WORDS + 2];
	unsigned n = 0;
	bool options = true;

	for (int i = 1; i < argc; i++) {
		if (options && strcmp(argv[i], "--") == 0) {
			options = false;
		} else if (options && argv[i][0] == '-' && argv[i][1] != '\0') {
			if (!option_take(cli, argc, argv, &i))
				return NULL;
		} else if (n < CLI_MAX_WORDS) {
			all[n++] = argv[i];
		} else {
			cli_usage(NULL, "more than %d words", CLI_MAX_WORDS);
			return NULL;
		}
	}
	if (!globals_read(cli))
		return NULL;
	if (n == 0 && cli->opt[OPT_LINEAR] == NULL &&
	    (cli->opt[OPT_HELP] != NULL || !isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)))
		return command_find("help", NULL);
	if (n == 0)
		all[n++] = "console";
	const struct cli_command *c = command_find(all[0], n > 1 ? all[1] : NULL);
	if (c == NULL && cli->opt[OPT_HELP] != NULL && noun_known(all[0])) {
		cli->words[cli->n_words++] = all[0];
		return command_find("help", NULL);
	}
	if (c == NULL) {
		if (noun_known(all[0]) && n > 1)
			cli_usage(
			    NULL, "%s has no verb %s: `nameserve help %s`", all[0], all[1], all[0]);
		else if (noun_known(all[0]))
			cli_usage(NULL, "%s needs a verb: `nameserve help %s`", all[0], all[0]);
		else
			cli_usage(NULL, "unknown command: %s", all[0]);
		return NULL;
	}
	for (unsigned i = c->verb != NULL ? 2 : 1; i < n; i++)
		cli->words[cli->n_words++] = all[i];
	return command_accepts(cli, c) && wait_accepted(cli, c) ? c : NULL;
}
