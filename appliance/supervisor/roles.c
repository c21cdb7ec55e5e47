/* roles - who is started, how many, what each is handed, and how long it may be quiet.
 *
 * To add a role: a line here, its name and id in appliance/role, its folder, ROLES in the Makefile. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "appliance/supervisor/supervisor.h"
#include "ipc/base/clock.h"
#include "ipc/base/xalloc.h"

#define READY_MS         60000
#define SILENT_MS        5000
#define WORKER_SILENT_MS 2000

/* In the order of their start.  Sync opens the bus that the others knock at. */
const struct role_spec role_specs[] = {
	{ .role = ROLE_SYNC,
	    .turn = TURN_AFTER,
	    .wants_table = true,
	    .ready_ms = READY_MS,
	    .silent_ms = SILENT_MS,
	    .handed = HAND_BOARD },
	{ .role = ROLE_SIGNER,
	    .turn = TURN_AFTER,
	    .ready_ms = READY_MS,
	    .silent_ms = SILENT_MS,
	    .handed = HAND_MAP_RW | HAND_BOARD | HAND_ALL_PAGES | HAND_KEK },
	{ .role = ROLE_ANSWER,
	    .ready_ms = READY_MS,
	    .silent_ms = SILENT_MS,
	    .handed = HAND_MAP_RO | HAND_BOARD | HAND_GEO | HAND_ALL_PAGES | HAND_TAIL_RW },
	{ .role = ROLE_PROBE,
	    .ready_ms = READY_MS,
	    .silent_ms = SILENT_MS,
	    .handed = HAND_BOARD_RW },
	{ .role = ROLE_WORKER,
	    .turn = TURN_FIRST,
	    .per_worker = true,
	    .by_page = true,
	    .ready_ms = READY_MS,
	    .silent_ms = WORKER_SILENT_MS,
	    .handed =
		HAND_MAP_RO | HAND_BOARD | HAND_GEO | HAND_OWN_PAGE | HAND_SOCKETS | HAND_TAIL },
};
const size_t role_specs_count = sizeof role_specs / sizeof *role_specs;

int
fd_keep(int fd)
{
	int high, saved;

	if (fd < 0)
		return -1;
	high = fcntl(fd, F_DUPFD_CLOEXEC, FD_HIGH);
	saved = errno;
	close(fd);
	errno = saved;
	return high;
}

/* PREFIX/bin/nameserved → PREFIX/libexec; build/bin → build/libexec. */
static enum ns_err
find_libexec(char out[PATH_MAX], struct ns_why *why)
{
	char exe[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);
	int level;

	if (n <= 0)
		return ns_fail(why, NS_FAILED, 6010, "/proc/self/exe: %s", strerror(errno));
	exe[n] = '\0';
	for (level = 0; level < 2; level++) {
		char *slash = strrchr(exe, '/');

		if (slash == NULL)
			return ns_fail(why, NS_FAILED, 6010, "%s: not in a bin directory", exe);
		*slash = '\0';
	}
	if (snprintf(out, PATH_MAX, "%s/libexec", exe) >= PATH_MAX)
		return ns_fail(why, NS_FAILED, 6010, "%s: the path is too long", exe);
	return NS_OK;
}

/* Held open, so that a restart runs the same program even while an upgrade replaces the files, and
 * works where our own rights would not reach any more. */
static enum ns_err
open_program(const char *dir, enum role_id role, int *fd, struct ns_why *why)
{
	char path[PATH_MAX + 32];
	struct stat st;

	snprintf(path, sizeof path, "%s/nameserve-%s", dir, role_name(role));
	if (stat(path, &st) != 0 || access(path, X_OK) != 0)
		return ns_fail(why, NS_USAGE, 6011, "%s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode)) /* exec would refuse it, again and again */
		return ns_fail(why, NS_USAGE, 6011, "%s: not a program", path);
	*fd = fd_keep(open(path, O_PATH | O_CLOEXEC));
	if (*fd < 0)
		return ns_fail(why, NS_FAILED, 6011, "%s: %s", path, strerror(errno));
	return NS_OK;
}

enum ns_err
children_create(struct supervisor *s, struct ns_why *why)
{
	char dir[PATH_MAX];
	enum ns_err err = find_libexec(dir, why);
	size_t i;
	unsigned n;

	for (i = 0; i < ROLE_MAX; i++)
		s->programs[i] = -1;
	for (i = 0; err == NS_OK && i < role_specs_count; i++)
		err = open_program(dir, role_specs[i].role, &s->programs[role_specs[i].role], why);
	if (err != NS_OK)
		return err;
	s->children = xcalloc(role_specs_count + s->config.pb.workers, sizeof *s->children);
	for (i = 0; i < role_specs_count; i++)
		for (n = 0; n < (role_specs[i].per_worker ? s->config.pb.workers : 1); n++) {
			struct child *c = &s->children[s->nchildren++];

			c->spec = &role_specs[i];
			c->super = s;
			c->index = n;
			c->link = -1;
			c->state = CHILD_BACKOFF;
			restart_init(&c->restart, role_specs[i].per_worker, clock_mono_ms());
		}
	return NS_OK;
}

const char *
child_state_name(enum child_state state)
{
	static const char *const names[] = {
		[CHILD_STARTING] = "starting",
		[CHILD_READY] = "ready",
		[CHILD_SILENT] = "silent",
		[CHILD_BACKOFF] = "backoff",
	};

	return names[state];
}
