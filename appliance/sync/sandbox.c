/* sandbox - sync's rules: the store's files below data, its two Unix sockets below run; TCP only where
 * there is a fleet, and then the listening socket exists before the rules do: it binds nothing and asks for
 * no interfaces. */
#include "appliance/sync/sandbox.h"

#include <string.h>
#include <sys/syscall.h>

static const int sync_syscalls[] = {
	/* SQLite: store.db, its WAL, shared memory and lock file */
	SYS_openat,
	SYS_open,
	SYS_pread64,
	SYS_pwrite64,
	SYS_fsync,
	SYS_fdatasync,
	SYS_ftruncate,
	SYS_unlink,
	SYS_access,
	SYS_stat,
	SYS_lstat,
	SYS_getcwd,
	SYS_readlink,
	SYS_fchmod,
	SYS_fchown,
	SYS_fallocate,
	SYS_flock,
	SYS_mkdir,
	SYS_utimensat,
	SYS_statfs,
	SYS_fstatfs,
	/* ZeroMQ: two listening Unix sockets and what libzmq asks for its thread */
	SYS_bind,
	SYS_listen,
	SYS_accept4,
	SYS_accept,
	SYS_connect,
	SYS_setsockopt,
	SYS_getsockname,
	SYS_getpeername,
	SYS_chmod,
	SYS_umask,
	SYS_rmdir,
	SYS_rename,
	/* libsodium keeps keys out of swap */
	SYS_mlock,
	SYS_munlock,
	SYS_sched_getparam,
	SYS_sched_getscheduler,
	SYS_sched_setscheduler,
	-1,
};

/* passwd: by its folder, because adduser replaces the file. */
static const char *
accounts_dir(const struct role *role)
{
	(void)role;
	return "/etc";
}

static const struct role_path sync_paths[] = {
	{ .access = ROLE_READ, .path = accounts_dir },
	{ .access = ROLE_WRITE, .path = role_data_dir },
	{ .access = ROLE_SOCKET, .path = role_run_dir },
	{ .access = ROLE_SOCKET, .path = role_bus_dir },
	{ .path = NULL },
};

const struct role_rules sync_rules = {
	.syscalls = sync_syscalls,
	.paths = sync_paths,
	.network = false,
};

static const struct role_rules fleet_rules = {
	.syscalls = sync_syscalls,
	.paths = sync_paths,
	.network = true,
};

const struct role_rules *
sync_rules_choose(const struct role *role)
{
	const Ns__Config *c = role->start->config;
	bool alone =
	    strcmp(c->role, "replica") != 0 && (c->fleet == NULL || c->fleet->listen[0] == '\0');

	return alone ? &sync_rules : &fleet_rules;
}
