/* console - the command that opens the screens. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "console/cli/grammar.h"
#include "console/core/theme.h"
#include "console/screens/console.h"

int
cmd_console(struct cli *cli)
{
	struct console_options o = { .utf8 = -1, .theme = -1 };
	struct grammar grammar = cli_grammar(cli);
	int code = CLI_OK;

	o.linear = cli->opt[OPT_LINEAR] != NULL;
	if (!o.linear && (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)))
		return cli_usage(NULL, "the console needs a terminal");
	if (cli->opt[OPT_COLOR] != NULL && strcmp(cli->opt[OPT_COLOR], "never") != 0 &&
	    strcmp(cli->opt[OPT_COLOR], "auto") != 0)
		return cli_usage(NULL, "--color %s: it can be auto or never", cli->opt[OPT_COLOR]);
	o.mono = cli->opt[OPT_COLOR] != NULL && strcmp(cli->opt[OPT_COLOR], "never") == 0;
	if (cli->opt[OPT_CLIPBOARD] != NULL && strcmp(cli->opt[OPT_CLIPBOARD], "osc52") != 0 &&
	    strcmp(cli->opt[OPT_CLIPBOARD], "off") != 0)
		return cli_usage(
		    NULL, "--clipboard %s: it can be osc52 or off", cli->opt[OPT_CLIPBOARD]);
	o.osc52 = cli->opt[OPT_CLIPBOARD] != NULL && strcmp(cli->opt[OPT_CLIPBOARD], "osc52") == 0;
	if (cli->opt[OPT_ASCII] != NULL)
		o.utf8 = 0;
	else if (cli->opt[OPT_UTF8] != NULL)
		o.utf8 = 1;
	if (cli->opt[OPT_THEME] != NULL &&
	    (o.theme = (int)theme_named(cli->opt[OPT_THEME])) == UI_THEMES)
		return cli_usage(NULL,
		    "--theme %s: it can be default, high-contrast or deuteranopia",
		    cli->opt[OPT_THEME]);
	o.read_only = cli->opt[OPT_READ_ONLY] != NULL;
	o.restricted = cli->restricted;
	o.grammar = &grammar;
	cli->software = "console " NS_RELEASE;
	if (cli_client(cli, &code) == NULL)
		return code;
	return console_run(cli->client, &o);
}
