/* sandbox - the signer's rules: ZeroMQ on one Unix socket, growing the zone map; no file that was not open
 * before, no network. */
#include "appliance/signer/sandbox.h"

#include <sys/syscall.h>

static const int signer_syscalls[] = {
	SYS_ftruncate, /* zonemap/span.c: the map grows */
	SYS_fallocate, /* zonemap/span.c: its holes go back */
	ROLE_SYSCALLS_BUS,
	SYS_pread64, /* sigfile.c: files that were opened before */
	SYS_pwrite64,
	-1,
};

static const struct role_path signer_paths[] = {
	{ .access = ROLE_SOCKET, .path = role_bus_dir },
	{ .path = NULL },
};

const struct role_rules signer_rules = {
	.syscalls = signer_syscalls,
	.paths = signer_paths,
	.network = false,
};
