/* session - who sits at the other end when sshd started us: as the login shell of an operator's account, or as the
 * forced command of a key of the shared account (`nameserve login NAME`).
 *
 * Such a session is restricted: no shell, no editor but the console's own, no files of this host, no other
 * socket, and an environment of a few names.  What it may do is decided by the appliance, as ever. */
#ifndef NS_CLI_SESSION_H
#define NS_CLI_SESSION_H

#include <stdbool.h>

#include "console/cli/cli.h"

/* argv as the kernel gave it: "-nameserve" is a login shell, `nameserve -c LINE` is what sshd runs in one.  Then
 * the environment is cut down, cli->restricted is set, and *argc and *argv are the words of the line.  false: after
 * a message. */
bool session_begin(struct cli *, int *argc, char ***argv);
/* May this command be used here?  A usage error is said, and its code returned; CLI_OK: yes. */
int session_refuses(const struct cli *, const struct cli_command *);

#endif
