/* sandbox - the answer process's rules: ZeroMQ on one Unix socket, no file, no network. */
#include "appliance/answer/sandbox.h"

#include <sys/syscall.h>

static const int answer_syscalls[] = {
	ROLE_SYSCALLS_BUS,
	-1,
};

static const struct role_path answer_paths[] = {
	{ .access = ROLE_SOCKET, .path = role_bus_dir },
	{ .path = NULL },
};

const struct role_rules answer_rules = {
	.syscalls = answer_syscalls,
	.paths = answer_paths,
	.network = false,
};
