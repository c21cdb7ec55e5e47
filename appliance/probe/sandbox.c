/* sandbox - the probe's rules: sockets to anywhere (which addresses is target.h's business), ZeroMQ on one
 * Unix socket, no file. */
#include "appliance/probe/sandbox.h"

#include <sys/syscall.h>

static const int probe_syscalls[] = {
	ROLE_SYSCALLS_BUS,
	SYS_pread64, /* checkstate.c: its own file, open before */
	SYS_pwrite64,
	-1,
};

static const struct role_path probe_paths[] = {
	{ .access = ROLE_SOCKET, .path = role_bus_dir },
	{ .path = NULL },
};

const struct role_rules probe_rules = {
	.syscalls = probe_syscalls,
	.paths = probe_paths,
	.network = true,
};
