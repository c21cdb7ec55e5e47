/* session.c - see session.h; and the command `login`. */
#include "console/cli/session.h"

#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "console/cli/words.h"
#include "ipc/base/xalloc.h"

/* What a restricted session keeps of its environment: how the terminal is, where the appliance is (sshd lets
 * clients set LANG and LC_* alone). */
static const char *const kept[] = { "TERM", "COLORTERM", "LANG", "LANGUAGE", "TZ", "NO_COLOR",
	"ESCDELAY", "NAMESERVE_SOCKET", "SSH_CONNECTION", "SSH_ORIGINAL_COMMAND", "SSH_TTY", "USER",
	"LOGNAME", "HOME" };

static bool
is_kept(const char *entry)
{
	size_t len = strcspn(entry, "=");

	if (strncmp(entry, "LC_", 3) == 0)
		return true;
	for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
		if (strlen(kept[i]) == len && strncmp(entry, kept[i], len) == 0)
			return true;
	return false;
}

static void
cut_environment(void)
{
	size_t n = 0;

	for (size_t i = 0; environ[i] != NULL; i++)
		if (is_kept(environ[i]))
			environ[n++] = environ[i];
	environ[n] = NULL;
	setenv("PATH", "/usr/local/bin:/usr/bin:/bin", 1);
}

static void
restrict_it(struct cli *cli)
{
	if (!cli->restricted)
		cut_environment();
	cli->restricted = true;
}

/* "nameserve zone list" and "zone list" are the same. */
static bool
is_us(const char *word)
{
	const char *slash = strrchr(word, '/');

	return strcmp(slash != NULL ? slash + 1 : word, "nameserve") == 0;
}

/* The words of a line behind the name of the program; false: after a message. */
static bool
take_line(const char *line, int *argc, char ***argv)
{
	static char name[] = "nameserve";
	const char *why = NULL;
	size_t n, skip;
	char **words = words_split(line, &n, &why), **out;

	if (words == NULL) {
		(void)cli_usage(NULL, "%s", why);
		return false;
	}
	skip = n > 0 && is_us(words[0]) ? 1 : 0;
	out = xcalloc(n + 2, sizeof *out); /* until the process ends, as argv is */
	out[0] = name;
	memcpy(out + 1, words + skip, (n - skip) * sizeof *out);
	*argc = (int)(n - skip) + 1;
	*argv = out;
	return true;
}

bool
session_begin(struct cli *cli, int *argc, char ***argv)
{
	if (*argc > 0 && (*argv)[0][0] == '-')
		restrict_it(cli);
	if (*argc < 2 || strcmp((*argv)[1], "-c") != 0)
		return true;
	if (*argc != 3) {
		(void)cli_usage(NULL, "-c takes one line, as sshd gives it to a login shell");
		return false;
	}
	restrict_it(cli);
	return take_line((*argv)[2], argc, argv);
}

/* The word that names a file of this host, or is "-". */
static const struct {
	int (*run)(struct cli *);
	unsigned word;
} files[] = { { cmd_zone_import, 1 }, { cmd_policy_set, 3 }, { cmd_check_set, 1 },
	{ cmd_backup, 0 }, { cmd_restore_backup, 0 } };

const char *
session_file(const struct cli *cli, const struct cli_command *c)
{
	for (size_t i = 0; i < sizeof files / sizeof *files; i++)
		if (files[i].run == c->run && files[i].word < cli->n_words)
			return cli->words[files[i].word];
	return NULL;
}

int
session_refuses(const struct cli *cli, const struct cli_command *c)
{
	const char *file = session_file(cli, c);

	if (!cli->restricted)
		return CLI_OK;
	if (cli->opt[OPT_SOCKET] != NULL || cli_ssh_target(cli) != NULL)
		return cli_usage(NULL,
		    "this account uses the appliance of this host: no --socket, no "
		    "--appliance ssh:HOST");
	if ((file != NULL && strcmp(file, "-") != 0) || cli->opt[OPT_DIR] != NULL ||
	    cli->opt[OPT_PASSPHRASE] != NULL)
		return cli_usage(NULL,
		    "this account has no files on this host: give - for FILE, and the "
		    "text on standard input: ssh HOST nameserve %s %s ... - < FILE",
		    c->noun, c->verb != NULL ? c->verb : "");
	return CLI_OK;
}

/* ---- login ---- */

/* Drafts and the console's state, of each person apart, below the home of the account. */
static void
state_of(const char *person)
{
	const struct passwd *pw = getpwuid(getuid());
	char *above = xasprintf("%s/console", pw != NULL ? pw->pw_dir : "/nonexistent");
	char *path = xasprintf("%s/%s", above, person);

	/* Where that fails, drafts say so. */
	(void)!mkdir(above, 0700);
	(void)!mkdir(path, 0700);
	setenv("XDG_STATE_HOME", path, 1);
	free(path);
	free(above);
}

int
cmd_login(struct cli *cli)
{
	const char *line = getenv("SSH_ORIGINAL_COMMAND"), *person = cli->words[0];
	struct cli *inner;
	char **argv;
	int argc, code;

	if (cli->person != NULL)
		return cli_usage(NULL, "you are logged in as %s already", cli->person);
	if (person[0] == '.' || person[0] == '-' || strchr(person, '/') != NULL)
		return cli_usage(NULL, "%s is no user's name", person);
	restrict_it(cli);
	state_of(person);
	inner = xcalloc(1, sizeof *inner);
	inner->restricted = true;
	inner->person = person;
	inner->opt[OPT_READ_ONLY] = cli->opt[OPT_READ_ONLY];
	if (!take_line(line != NULL ? line : "", &argc, &argv))
		code = CLI_USAGE;
	else
		code = cli_main(inner, argc, argv);
	free(inner);
	return code;
}
