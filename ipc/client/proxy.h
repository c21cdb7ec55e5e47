/* proxy - `nameserve proxy --stdio`: an appliance's control socket for a client on another host, whose messages
 * come through standard input and output (stream.h), usually by ssh.
 *
 * It passes on messages, not octets: each is checked and at most one in each direction is held, and hello names
 * the person that was given here and the address from which this session came, whatever the other side wrote into it.  Who it is by uid is the account that
 * runs it.  The other side is hostile: what is not a message ends the proxy. */
#ifndef NS_IPC_CLIENT_PROXY_H
#define NS_IPC_CLIENT_PROXY_H

#include <stdbool.h>

#include "ipc/base/err.h"

struct proxy_options {
	const char *socket; /* as ns_client_socket() has it */
	const char *person; /* "": nobody but the account */
	bool read_only; /* what could change something is refused here */
	int in, out; /* descriptors, made non-blocking */
};

/* Until the other side is gone (NS_OK), the appliance is, or something else than a message came: with why. */
enum ns_err proxy_run(const struct proxy_options *, struct ns_why *);

#endif
