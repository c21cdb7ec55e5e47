/* sandbox - the worker's rules: inherited sockets, their connections, a loop; no path at all.
 *
 * No socket, bind, connect, open or setsockopt: what listens was made by the supervisor, and
 * TCP_NODELAY is set on the listener before the sandbox, from where connections inherit it.  OpenSSL
 * gets by with what everybody has (getrandom, futex, memory): it is told to read no openssl.cnf, and
 * certificates come as octets.  Adding a system call here needs the line of code that makes it. */
#include "appliance/worker/sandbox.h"

#include <sys/syscall.h>

static const int worker_syscalls[] = {
	SYS_recvmmsg,
	SYS_sendmmsg, /* udp.c */
	SYS_accept4, /* tcp.c; recv, send and sendmsg are everybody's */
	-1,
};

static const struct role_path worker_paths[] = {
	{ .path = NULL },
};

const struct role_rules worker_rules = {
	.syscalls = worker_syscalls,
	.paths = worker_paths,
	.network = false,
};
