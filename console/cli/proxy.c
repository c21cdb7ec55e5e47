/* proxy - this appliance for a client on another host: messages between standard input and output and the control
 * socket (ipc/client/proxy.h). */
#include <unistd.h>

#include "console/cli/cli.h"
#include "ipc/client/proxy.h"

int
cmd_proxy(struct cli *cli)
{
	struct ns_why why = { 0 };
	struct proxy_options o = { .socket = ns_client_socket(cli->opt[OPT_SOCKET]),
		.person = cli->person != NULL ? cli->person : "",
		.read_only = cli->opt[OPT_READ_ONLY] != NULL,
		.in = STDIN_FILENO,
		.out = STDOUT_FILENO };

	if (cli->opt[OPT_STDIO] == NULL || isatty(STDIN_FILENO) || isatty(STDOUT_FILENO))
		return cli_usage(
		    NULL, "proxy --stdio is for programs: nameserve --appliance ssh:USER@HOST");
	return proxy_run(&o, &why) == NS_OK ? CLI_OK : cli_error(cli, &why);
}
