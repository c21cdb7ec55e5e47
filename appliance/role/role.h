/* role - how every child process of an appliance starts, and talks to the supervisor.
 *
 * One order, because rights are only ever given up (appliance/README.md, Start):
 *   ChildStart from fd 3 → ops->open (libraries that read files, sockets and databases that need
 *   a path) → uid, gid → no_new_privs → Landlock → seccomp → ops->run (first ZeroMQ call, first
 *   thread; a thread that existed before would keep all rights).
 * ops->open runs with the role's effective uid (what it makes is the role's own); the way back is
 * closed right after it.  The supervisor passes fixed descriptors; nothing is looked up by path
 * after the start.
 * What the kernel cannot do (no Landlock, too old for a rule) is reported as a problem, which
 * `status` and the log name; it does not stop the role. */
#ifndef NS_ROLE_ROLE_H
#define NS_ROLE_ROLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipc/nameserve.pb-c.h"

struct event_base;

enum role_id { ROLE_SYNC, ROLE_SIGNER, ROLE_ANSWER, ROLE_WORKER, ROLE_PROBE, ROLE_API, ROLE_MAX };

/* Fixed descriptors of a child. */
enum role_fd {
	ROLE_FD_SUPERVISOR = 3, /* SOCK_SEQPACKET pair */
	ROLE_FD_MAP = 4, /* zone map memfd: read-write for the signer, else O_RDONLY */
	ROLE_FD_BOARD = 5, /* health board memfd (zonemap/board.h): O_RDONLY but for the probe */
	ROLE_FD_GEO0 = 6, /* geo files, ROLE_GEO_MAX at most: worker and answer */
	ROLE_FD_TAIL = 14, /* whether anybody watches queries (zonemap/tail.h): answer rw, workers */
	ROLE_FD_KEK = 15, /* the file that opens keys ([keys] kek), where there is one: signer */
	ROLE_FD_PAGE0 = 16, /* worker pages: a worker has its own (rw) at PAGE0; signer and
					 * answer have page i of every worker, read-only, at PAGE0 + i */
	ROLE_FD_SOCKET0 = 160, /* workers: DNS sockets, as ChildStart.sockets says */
};
#define ROLE_GEO_MAX	 8
#define ROLE_MAX_WORKERS 128 /* PAGE0 + 128 < SOCKET0 */

struct role;

/* What a path may be used for after the start (Landlock). */
enum role_access {
	ROLE_READ,
	ROLE_WRITE /* files below: create, write, rename, unlink */,
	ROLE_SOCKET /* a directory: bind and connect Unix sockets below it */
};
struct role_path {
	enum role_access access;
	const char *(*path)(const struct role *); /* NULL result: rule left out */
};

/* What a role may still do after the start.  Data, in <process>/sandbox.c beside the role, so that a
 * test can put on the same rules and try what they forbid. */
/* What libzmq asks for in a role that connects to the bus: its sockets, its thread's scheduling, and
 * openat, because libpgm looks for files in /proc and /etc and lives without them (Landlock says no). */
#define ROLE_SYSCALLS_BUS							\
	SYS_connect, SYS_setsockopt, SYS_getsockname, SYS_getpeername,		\
	SYS_sched_getparam, SYS_sched_getscheduler, SYS_sched_setscheduler, SYS_openat
struct role_rules {
	const int *syscalls; /* beyond the common ones; ends with -1 */
	const struct role_path *paths; /* ends with a NULL path */
	bool network; /* may socket(AF_INET…) after the start */
};
struct role_ops {
	enum role_id id;
	const char *name; /* "signer" */
	const char *summary; /* for --help and the man page */
	const struct role_rules *rules;
	/* NULL, or: other rules where the configuration asks for more; after open. */
	const struct role_rules *(*choose)(const struct role *);
	void (*open)(struct role *); /* may call fatal() */
	int (*run)(struct role *); /* until role_stopping(); the exit code */
};

struct role {
	const struct role_ops *ops;
	Ns__ChildStart *start; /* valid for the whole life */
	struct event_base *base; /* libevent; made after the sandbox is up */
	void *self; /* the role's own state, from ops->open */
};

/* main() of every child: --help, --version, then the order above.  Returns the exit code. */
int role_main(const struct role_ops *, int argc, char **argv);

/* The last three steps alone (no_new_privs, Landlock, seccomp); part of role_main(), and of tests.
 * What the kernel lacks is appended to problems (role_main says it before whatever role_problem says). */
void role_sandbox(const struct role *, const struct role_rules *, char *problems, size_t size);

/* Within run(): tell the supervisor that the role does its job now.  Then role_main's timer sends
 * ALIVE every 500 ms from the event loop of role->base: a loop that hangs falls silent and is
 * killed.  A role with a loop of its own calls role_alive() itself, at least twice a second. */
void role_ready(struct role *);
void role_alive(struct role *);
/* What is wrong now, in place of what was said before; "": nothing. */
void role_problem(struct role *, const char *text);

/* What sync hears from the supervisor (ProcessTable), owned by role, valid until the next one. */
typedef void role_table_fn(void *arg, const Ns__ProcessTable *);
void role_on_table(struct role *, role_table_fn *, void *arg);

/* SIGTERM, or the supervisor is gone: leave run() soon.  The loop of role->base is broken too. */
bool role_stopping(const struct role *);

const char *role_name(enum role_id);
const char *role_data_dir(const struct role *); /* Config.data */
const char *role_run_dir(const struct role *); /* Config.run */
const char *role_bus_dir(const struct role *); /* run/bus, where the bus socket of sync appears */

#endif
