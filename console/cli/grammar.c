/* grammar.c - see grammar.h. */
#include "console/cli/grammar.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console/cli/session.h"
#include "console/cli/words.h"
#include "console/screens/twin.h"
#include "ipc/base/wbuf.h"
#include "ipc/base/xalloc.h"

#define SELF "/proc/self/exe" /* also when the file has been replaced since */

/* ---- what makes no sense here ---- */

static const struct {
	int (*run)(struct cli *);
	const char *why;
} not_here[] = { { cmd_console, "you are in it" },
	{ cmd_proxy, "it speaks with a program, not with people" },
	{ cmd_login, "you are logged in" }, { cmd_edit, "E in its records is the same" },
	{ cmd_completion, "it is for a shell; Tab completes here" } };

static const char *
refused(const struct cli_command *c)
{
	for (size_t i = 0; i < sizeof not_here / sizeof *not_here; i++)
		if (not_here[i].run == c->run)
			return not_here[i].why;
	return NULL;
}

/* false: said.  Besides what the session refuses to everybody of its kind. */
static bool
permitted(
    const struct cli *console, const struct cli *line, const struct cli_command *c, const char *at)
{
	const char *file = session_file(line, c);

	if (line->opt[OPT_HELP] != NULL)
		return true;
	if (refused(c) != NULL)
		(void)cli_usage(NULL, "%s: not from within the console: %s", c->noun, refused(c));
	else if (file != NULL && strcmp(file, "-") == 0)
		(void)cli_usage(NULL, "%s: - is nobody's input or output here: %s", c->noun,
		    console->restricted ? "ssh HOST nameserve ... - < FILE" : "name a file");
	else if (cli_ssh_target(console) != NULL &&
		 (line->opt[OPT_APPLIANCE] != NULL || at[0] != '\0'))
		(void)cli_usage(NULL,
		    "--appliance: this console came by %s, where a line speaks to the appliance of "
		    "that host alone",
		    cli_ssh_target(console));
	else
		return session_refuses(line, c) == CLI_OK;
	return false;
}

/* ---- from a line to a program ---- */

/* The words of the line, without our own name; NULL: why. */
static char **
words_of(const char *line, size_t *n, const char **why)
{
	char **words = words_split(line, n, why);

	if (words != NULL && *n > 0 && strcmp(words[0], "nameserve") == 0)
		memmove(words, words + 1, (*n)-- * sizeof *words);
	return words;
}

/* What every line gets: the console's own socket, appliance and rights. */
static size_t
own_options(const struct cli *console, const char *at, const char *out[6])
{
	const char *ssh = cli_ssh_target(console);
	size_t n = 0;

	out[n++] = "--no-input";
	if (console->opt[OPT_READ_ONLY] != NULL)
		out[n++] = "--read-only";
	if (ssh != NULL || at[0] != '\0') {
		out[n++] = "--appliance";
		out[n++] = ssh != NULL ? ssh : at;
	}
	return n;
}

/* Blocks that hold the strings, too: a run is freed without knowing whose they are. */
static char **
block(const char *const *list, size_t n)
{
	size_t size = 0;
	char **out, *text;

	for (size_t i = 0; i < n; i++)
		size += strlen(list[i]) + 1;
	out = xmalloc((n + 1) * sizeof *out + size);
	text = (char *)(out + n + 1);
	for (size_t i = 0; i < n; i++) {
		out[i] = text;
		text = stpcpy(text, list[i]) + 1;
	}
	out[n] = NULL;
	return out;
}

/* For who has no shell: one line, as sshd would hand it over. */
static void
run_restricted(const struct cli *console, const char *const *words, size_t n, struct run *run)
{
	struct wbuf w = wbuf_grow(2 * WORDS_TEXT);
	char *original;

	for (size_t i = 0; i < n; i++) {
		twin_quote(&w, words[i]);
		wbuf_put(&w, " ", 1);
	}
	wbuf_put(&w, "", 1);
	original = xasprintf("SSH_ORIGINAL_COMMAND=%s", (char *)w.base);
	if (console->person != NULL) {
		run->argv = block((const char *[]){ "nameserve", "login", console->person }, 3);
		run->env = block((const char *[]){ original }, 1);
	} else {
		run->argv = block((const char *[]){ "nameserve", "-c", (char *)w.base }, 3);
	}
	free(original);
	wbuf_free(&w);
}

static void
run_plain(const struct cli *console, const char *const *words, size_t n, struct run *run)
{
	const char **argv = xcalloc(n + 1, sizeof *argv);
	char *socket;

	argv[0] = "nameserve";
	memcpy(argv + 1, words, n * sizeof *argv);
	run->argv = block(argv, n + 1);
	free(argv);
	if (console->opt[OPT_SOCKET] == NULL)
		return;
	socket = xasprintf("NAMESERVE_SOCKET=%s", console->opt[OPT_SOCKET]);
	run->env = block((const char *[]){ socket }, 1);
	free(socket);
}

/* What was complained of, in one line. */
static void
first_line(char *out, size_t size, const char *text)
{
	static const char prefix[] = "nameserve: ";
	size_t skip = strncmp(text, prefix, sizeof prefix - 1) == 0 ? sizeof prefix - 1 : 0;
	const char *usage = strstr(text, "\nusage: nameserve ");

	snprintf(out, size, "%.*s", (int)strcspn(text + skip, "\n"), text + skip);
	if (usage != NULL) {
		size_t used = strlen(out);

		snprintf(
		    out + used, size - used, ": %.*s", (int)strcspn(usage + 18, "\n"), usage + 18);
	}
}

/* Through args.c: false after it complained. */
static bool
sound(const struct cli *console, const char *at, char **words, size_t n)
{
	struct cli *line = xcalloc(1, sizeof *line);
	char **argv = xcalloc(n + 2, sizeof *argv);
	const struct cli_command *c;
	bool ok;

	argv[0] = (char *)(uintptr_t) "nameserve";
	memcpy(argv + 1, words, n * sizeof *argv);
	line->restricted = console->restricted;
	c = cli_parse(line, (int)n + 1, argv);
	ok = c != NULL && permitted(console, line, c, at);
	free(argv);
	free(line);
	return ok;
}

static bool
take(const void *arg, const char *line, const char *at, struct run *run, char *why, size_t size)
{
	const struct cli *console = arg;
	const char *bad = NULL, *all[CLI_MAX_WORDS + 8];
	size_t n = 0, own = own_options(console, at, all), said_len = 0;
	char **words = words_of(line, &n, &bad), *said = NULL;
	FILE *f;
	bool ok;

	if (words == NULL) {
		snprintf(why, size, "%s", bad);
		return false;
	}
	f = open_memstream(&said, &said_len);
	cli_complain_to(f);
	ok = f != NULL && sound(console, at, words, n);
	cli_complain_to(NULL);
	if (f != NULL)
		fclose(f);
	if (!ok)
		first_line(why, size, said != NULL ? said : "no memory");
	memcpy(all + own, words, n * sizeof *words);
	*run = (struct run){ .path = SELF };
	if (ok)
		(console->restricted ? run_restricted : run_plain)(console, all, own + n, run);
	free(said);
	free(words);
	return ok;
}

static bool
knows(const void *arg, const char *line)
{
	const char *bad;
	size_t n, len = strcspn(line, " \t");
	char **words;
	bool known = false;

	(void)arg;
	/* A quote that is not closed does not make it another command. */
	for (const struct cli_command *c = cli_commands; c->noun != NULL && !known; c++)
		known = strlen(c->noun) == len && strncmp(c->noun, line, len) == 0;
	if (known || (words = words_of(line, &n, &bad)) == NULL)
		return known;
	for (const struct cli_command *c = cli_commands; c->noun != NULL && !known && n > 0; c++)
		known = strcmp(c->noun, words[0]) == 0;
	free(words);
	return known;
}

/* ---- completion ---- */

struct partial {
	const char *noun, *verb, *after; /* after: the option whose value comes */
	size_t words; /* behind noun and verb */
};

static void
candidate(struct candidates *c, const char *part, const char *word, size_t len, const char *end)
{
	if (len == 0 || strncmp(word, part, strlen(part)) != 0 || strlen(part) > len ||
	    c->n == CANDIDATES_MAX)
		return;
	for (size_t i = 0; i < c->n; i++)
		if (strlen(c->list[i]) == len && strncmp(c->list[i], word, len) == 0)
			return;
	snprintf(c->list[c->n++], CANDIDATE_LEN, "%.*s%s", (int)len, word, end);
}

/* "up|down|auto": words that are to be typed so. */
static void
alternatives(struct candidates *c, const char *part, const char *list)
{
	size_t len = strcspn(list, " []");

	if (memchr(list, '|', len) == NULL)
		return;
	while (len > 0) {
		size_t n = strcspn(list, "| []");

		if (islower((unsigned char)list[0]) || isdigit((unsigned char)list[0]))
			candidate(c, part, list, n, "");
		n += list[n] == '|';
		list += n < len ? n : len;
		len -= n < len ? n : len;
	}
}

static struct partial
partial_of(char **words, size_t n)
{
	struct partial p = { 0 };

	for (size_t i = 0; i < n; i++) {
		const struct cli_option *o = NULL;

		p.after = NULL;
		if (words[i][0] == '-' && words[i][1] == '-' && strchr(words[i], '=') == NULL)
			o = cli_option_named(words[i] + 2, strlen(words[i] + 2));
		if (words[i][0] == '-' && words[i][1] != '\0') {
			bool takes = o != NULL && o->value != NULL, there = i + 1 < n;

			p.after = takes && !there ? o->value : NULL;
			i += takes && there;
		} else if (p.noun == NULL) {
			p.noun = words[i];
		} else if (p.verb == NULL) {
			p.verb = words[i];
		} else {
			p.words++;
		}
	}
	return p;
}

static const struct cli_command *
command_of(struct partial *p)
{
	for (const struct cli_command *c = cli_commands; c->noun != NULL && p->noun != NULL; c++) {
		if (strcmp(c->noun, p->noun) != 0)
			continue;
		if (c->verb == NULL) { /* what follows are words of it */
			p->words += p->verb != NULL;
			return c;
		}
		if (p->verb != NULL && strcmp(c->verb, p->verb) == 0)
			return c;
	}
	return NULL;
}

static void
options_of(struct candidates *c, const char *part, const struct cli_command *command)
{
	for (const struct cli_option *o = cli_options; o->name != NULL; o++) {
		char name[CANDIDATE_LEN];

		if (o->id >= OPT_GLOBAL_END &&
		    (command == NULL || (command->options & OPT_BIT(o->id)) == 0))
			continue;
		snprintf(name, sizeof name, "--%s", o->name);
		candidate(c, part, name, strlen(name), o->value != NULL ? "=" : "");
	}
}

/* Of the usage that is shown to people: the word at this place. */
static const char *
usage_word(const char *usage, size_t at)
{
	for (; *usage != '\0'; at--) {
		size_t n = strcspn(usage, " ");

		if (at == 0 || (n > 3 && memcmp(usage + n - 3, "...", 3) == 0))
			return usage;
		usage += n + strspn(usage + n, " ");
	}
	return "";
}

static void
word_of(struct candidates *c, const char *part, const struct cli_command *command, size_t at)
{
	const char *usage = usage_word(command->usage, at);

	usage += usage[0] == '[';
	c->zones = strncmp(usage, "ZONE", 4) == 0;
	alternatives(c, part, usage);
}

static void
complete(const void *arg, const char *line, struct candidates *c)
{
	const char *blank = strrchr(line, ' '), *part = blank != NULL ? blank + 1 : line, *bad;
	char *before = xasprintf("%.*s", (int)(part - line), line);
	size_t n = 0;
	char **words = words_of(before, &n, &bad);
	struct partial p = words != NULL ? partial_of(words, n) : (struct partial){ 0 };
	const struct cli_command *command = words != NULL ? command_of(&p) : NULL;

	(void)arg;
	c->start = (size_t)(part - line);
	if (words == NULL) {
		;
	} else if (p.after != NULL) {
		alternatives(c, part, p.after);
	} else if (part[0] == '-') {
		options_of(c, part, command);
	} else if (p.noun == NULL ||
		   (command != NULL && command->run == cmd_help && p.words == 0)) {
		for (const struct cli_command *k = cli_commands; k->noun != NULL; k++)
			if (refused(k) == NULL)
				candidate(c, part, k->noun, strlen(k->noun), "");
	} else if (command == NULL) {
		for (const struct cli_command *k = cli_commands; k->noun != NULL && p.verb == NULL;
		     k++)
			if (strcmp(k->noun, p.noun) == 0)
				candidate(c, part, k->verb, strlen(k->verb), "");
	} else {
		word_of(c, part, command, p.words);
	}
	free(words);
	free(before);
}

/* ---- another host ---- */

/* As this console was opened, but for where it goes. */
static bool
visit(const void *arg, const char *address, struct run *run, char *why, size_t size)
{
	const struct cli *console = arg;
	const char *argv[4 + 2 * OPT_MAX] = { "nameserve", "console", "--appliance", address };
	char *names[OPT_MAX];
	size_t n = 4, named = 0;

	if (console->restricted) {
		snprintf(
		    why, size, "this account has no ssh of its own: go there from your own host");
		return false;
	}
	for (const struct cli_option *o = cli_options; o->name != NULL; o++) {
		bool kept = o->id == OPT_READ_ONLY || o->id == OPT_ASCII || o->id == OPT_UTF8 ||
			    o->id == OPT_COLOR || o->id == OPT_CLIPBOARD || o->id == OPT_THEME;

		if (!kept || console->opt[o->id] == NULL)
			continue;
		argv[n++] = names[named++] = xasprintf("--%s", o->name);
		if (o->value != NULL)
			argv[n++] = console->opt[o->id];
	}
	*run = (struct run){ .path = SELF, .argv = block(argv, n) };
	while (named > 0)
		free(names[--named]);
	return true;
}

struct grammar
cli_grammar(const struct cli *cli)
{
	return (struct grammar){ cli, knows, take, complete, visit };
}
