/* main - `nameserve`: with arguments the command line; without them a list of what it can do. */
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "console/cli/session.h"

int
cli_main(struct cli *cli, int argc, char **argv)
{
	const struct cli_command *command = cli_parse(cli, argc, argv);
	int code;

	if (cli->opt[OPT_VERSION] != NULL) {
		printf("nameserve %s\n", NS_RELEASE);
		return CLI_OK;
	}
	if (command == NULL)
		return CLI_USAGE;
	if (cli->opt[OPT_HELP] != NULL && command->run != cmd_help) {
		cli->words[0] = command->noun;
		cli->words[1] = command->verb;
		cli->n_words = command->verb != NULL ? 2 : 1;
		return cmd_help(cli);
	}
	if ((code = session_refuses(cli, command)) == CLI_OK)
		code = command->run(cli);
	ns_client_destroy(&cli->client);
	return code;
}

int
main(int argc, char **argv)
{
	static struct cli cli;
	int code;

	if (!session_begin(&cli, &argc, &argv))
		return CLI_USAGE;
	setlocale(LC_ALL, "");
	signal(SIGPIPE, SIG_DFL); /* `nameserve zone list | head` ends quietly */
	code = cli_main(&cli, argc, argv);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		/* The reason is that of the write that failed, which may be long ago. */
		fprintf(stderr,
		    "nameserve: standard output could not be written: is it full or closed?\n");
		return code == CLI_OK ? CLI_FAILED : code;
	}
	return code;
}
