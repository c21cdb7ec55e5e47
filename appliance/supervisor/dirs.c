/* dirs - the directories of an appliance: made where missing, refused where they cannot work.
 *
 * Called once at start, still with all rights.  data (0750) and run (0755) belong to sync's user,
 * data/signer (0700) to the signer's, run/bus (0750) to sync's with the common group.  A directory
 * that exists and is empty (systemd's RuntimeDirectory=, mktemp -d) is taken over; one that holds
 * something is used only when it belongs to the right user already.  Nobody else uses data or run
 * while we hold <dir>/lock. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "appliance/supervisor/supervisor.h"
#include "ipc/base/log.h"

#define DIRS_CODE 6030

enum base { BASE_DATA, BASE_RUN };
static const struct dir_spec {
	enum base base;
	const char *below;
	mode_t mode;
	enum role_id owner;
} specs[] = {
	{ BASE_DATA, "", 0750, ROLE_SYNC },
	{ BASE_DATA, "/signer", 0700, ROLE_SIGNER },
	{ BASE_DATA, "/probe", 0700, ROLE_PROBE },
	{ BASE_RUN, "", 0755, ROLE_SYNC },
	{ BASE_RUN, "/bus", 0750, ROLE_SYNC },
};

/* Which directories a role must be able to enter. */
static const struct need {
	enum role_id role;
	enum base base;
	const char *below;
} needs[] = {
	{ ROLE_SYNC, BASE_DATA, "" },
	{ ROLE_SYNC, BASE_RUN, "/bus" },
	{ ROLE_SIGNER, BASE_DATA, "/signer" },
	{ ROLE_SIGNER, BASE_RUN, "/bus" },
	{ ROLE_ANSWER, BASE_RUN, "/bus" },
	{ ROLE_PROBE, BASE_RUN, "/bus" },
	{ ROLE_PROBE, BASE_DATA, "/probe" },
};

static const char *
base_path(const struct supervisor *s, enum base base)
{
	return base == BASE_DATA ? s->config.pb.data : s->config.pb.run;
}

bool
dirs_mode_allows(
    unsigned mode, uint32_t owner, uint32_t group, uint32_t uid, uint32_t gid, unsigned want)
{
	unsigned bits = owner == uid ? mode >> 6 : group == gid ? mode >> 3 : mode;

	return uid == 0 || (bits & want) == want;
}

static bool
may_enter(const char *dir, uint32_t uid, uint32_t gid, unsigned *mode)
{
	struct stat st;

	if (stat(dir, &st) != 0)
		return false;
	*mode = st.st_mode & 07777u;
	return dirs_mode_allows(st.st_mode, st.st_uid, st.st_gid, uid, gid, 1);
}

bool
dirs_reach(const char *path, uint32_t uid, uint32_t gid, char *culprit, size_t size, unsigned *mode)
{
	char real[PATH_MAX], *p, cut;
	bool ok;

	*mode = 0;
	snprintf(culprit, size, "%s", path);
	if (realpath(path, real) == NULL)
		return false;
	snprintf(culprit, size, "/");
	ok = may_enter("/", uid, gid, mode);
	for (p = real; ok && *p != '\0'; *p = cut) {
		p = strchrnul(p + 1, '/');
		cut = *p;
		*p = '\0';
		snprintf(culprit, size, "%s", real);
		ok = may_enter(real, uid, gid, mode);
	}
	return ok;
}

static enum ns_err
unreachable(const char *path, enum role_id role, uint32_t uid, const char *culprit, unsigned mode,
    struct ns_why *why)
{
	return ns_fail(why, NS_USAGE, DIRS_CODE,
	    "%.160s: nameserve-%s (uid %u) cannot reach it: %.160s has mode %04o (chmod o+x it, "
	    "name a "
	    "directory elsewhere, or run nameserved as the owner instead of as root)",
	    path, role_name(role), uid, culprit, mode);
}

/* Of what exists on the way to path: is it open to the owner?  Asked before anything is made. */
static enum ns_err
check_way(const struct supervisor *s, const char *path, enum role_id owner, struct ns_why *why)
{
	char head[PATH_MAX], culprit[256], *slash;
	struct stat st;
	unsigned mode;

	snprintf(head, sizeof head, "%s", path);
	while ((slash = strrchr(head, '/')) != NULL && slash != head) {
		*slash = '\0';
		if (stat(head, &st) == 0)
			return dirs_reach(head, s->users.uid[owner], s->users.gid, culprit,
				   sizeof culprit, &mode)
				   ? NS_OK
				   : unreachable(
					 path, owner, s->users.uid[owner], culprit, mode, why);
	}
	return NS_OK;
}

static enum ns_err
make_parents(const char *path, struct ns_why *why)
{
	char copy[PATH_MAX], *p;

	snprintf(copy, sizeof copy, "%s", path);
	for (p = copy + 1; (p = strchr(p, '/')) != NULL; p++) {
		*p = '\0';
		if (mkdir(copy, 0755) != 0 && errno != EEXIST)
			return ns_fail(why, NS_USAGE, DIRS_CODE, "%s: cannot be made: %s", copy,
			    strerror(errno));
		*p = '/';
	}
	return NS_OK;
}

static bool
is_empty(int fd)
{
	int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = copy >= 0 ? fdopendir(copy) : NULL;
	const struct dirent *e;
	bool empty = dir != NULL;

	while (empty && (e = readdir(dir)) != NULL)
		empty = strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0;
	if (dir != NULL)
		closedir(dir);
	else if (copy >= 0)
		close(copy);
	return empty;
}

/* fd is an existing directory: is it, or can it become, what spec says? */
static enum ns_err
settle(const struct users *u, const struct dir_spec *spec, const char *path, int fd,
    struct ns_why *why)
{
	uint32_t uid = u->uid[spec->owner], gid = u->gid;
	struct stat st;

	if (fstat(fd, &st) != 0)
		return ns_fail(why, NS_USAGE, DIRS_CODE, "%s: %s", path, strerror(errno));
	if ((st.st_uid != uid || st.st_gid != gid) && u->root && is_empty(fd)) {
		if (fchown(fd, uid, gid) != 0 || fchmod(fd, spec->mode) != 0)
			return ns_fail(why, NS_USAGE, DIRS_CODE,
			    "%s: cannot be handed to uid %u: %s", path, uid, strerror(errno));
		return NS_OK;
	}
	if (st.st_uid != uid)
		return ns_fail(why, NS_USAGE, DIRS_CODE,
		    "%s: belongs to uid %u, but nameserve-%s runs as uid %u and must write to it "
		    "(chown it, or name another directory)",
		    path, (unsigned)st.st_uid, role_name(spec->owner), uid);
	if ((st.st_mode & 0700) != 0700)
		return ns_fail(why, NS_USAGE, DIRS_CODE, "%s: mode %04o keeps its own user out",
		    path, (unsigned)st.st_mode & 07777u);
	return NS_OK;
}

static enum ns_err
prepare(const struct supervisor *s, const struct dir_spec *spec, struct ns_why *why)
{
	const bool top = spec->below[0] == '\0';
	char path[PATH_MAX];
	enum ns_err err = NS_OK;
	int fd;

	if (snprintf(path, sizeof path, "%s%s", base_path(s, spec->base), spec->below) >=
	    (int)sizeof path)
		return ns_fail(why, NS_USAGE, DIRS_CODE, "%s: the path is too long", path);
	if (top)
		err = check_way(s, path, spec->owner, why);
	if (top && err == NS_OK)
		err = make_parents(path, why);
	if (err != NS_OK)
		return err;
	if (mkdir(path, spec->mode) != 0 && errno != EEXIST)
		return ns_fail(
		    why, NS_USAGE, DIRS_CODE, "%s: cannot be made: %s", path, strerror(errno));
	/* Below the top the way is in the hands of a role's user, who shall not lead us astray. */
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | (top ? 0 : O_NOFOLLOW));
	if (fd < 0)
		return ns_fail(why, NS_USAGE, DIRS_CODE, "%s: %s", path, strerror(errno));
	err = settle(&s->users, spec, path, fd, why);
	close(fd);
	return err;
}

static enum ns_err
check_need(const struct supervisor *s, const struct need *n, struct ns_why *why)
{
	char path[PATH_MAX], culprit[256];
	unsigned mode;

	snprintf(path, sizeof path, "%s%s", base_path(s, n->base), n->below);
	if (dirs_reach(path, s->users.uid[n->role], s->users.gid, culprit, sizeof culprit, &mode))
		return NS_OK;
	return unreachable(path, n->role, s->users.uid[n->role], culprit, mode, why);
}

enum ns_err
dirs_lock(const char *dir, int *out, struct ns_why *why)
{
	char path[PATH_MAX], pid[16] = "";
	struct stat st;
	int fd;

	if (snprintf(path, sizeof path, "%s/lock", dir) >= (int)sizeof path)
		return ns_fail(why, NS_USAGE, DIRS_CODE, "%s: the path is too long", path);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0644);
	if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_nlink > 1) {
		int error = fd < 0 ? errno : EINVAL;

		if (fd >= 0)
			close(fd);
		return ns_fail(why, NS_USAGE, DIRS_CODE, "%s: %s", path, strerror(error));
	}
	if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		if (pread(fd, pid, sizeof pid - 1, 0) > 0)
			pid[strspn(pid, "0123456789")] = '\0';
		close(fd);
		return ns_fail(why, NS_USAGE, 6031,
		    "%s: another nameserved (pid %s) uses this directory", dir,
		    pid[0] != '\0' ? pid : "unknown");
	}
	snprintf(pid, sizeof pid, "%d\n", (int)getpid());
	if (ftruncate(fd, 0) != 0 || pwrite(fd, pid, strlen(pid), 0) < 0)
		log_warn("start.lock", "path=%s error=%s", log_quote(path), strerror(errno));
	*out = fd_keep(fd);
	return NS_OK;
}

enum ns_err
dirs_prepare(struct supervisor *s, struct ns_why *why)
{
	enum ns_err err = NS_OK;
	size_t i;

	for (i = 0; err == NS_OK && i < sizeof specs / sizeof *specs; i++)
		err = prepare(s, &specs[i], why);
	for (i = 0; err == NS_OK && i < sizeof needs / sizeof *needs; i++)
		err = check_need(s, &needs[i], why);
	if (err == NS_OK)
		err = dirs_lock(s->config.pb.data, &s->locks[0], why);
	if (err == NS_OK)
		err = dirs_lock(s->config.pb.run, &s->locks[1], why);
	return err;
}

void
dirs_sweep(const struct supervisor *s)
{
	static const char *const left[] = { "/control", "/bus/sync" };
	char path[PATH_MAX];
	struct stat st;
	size_t i;

	/* The directory is its user's; we kept no right to write there ourselves. */
	if (s->users.root && (setegid(s->users.gid) != 0 || seteuid(s->users.uid[ROLE_SYNC]) != 0))
		return;
	for (i = 0; i < sizeof left / sizeof *left; i++) {
		snprintf(path, sizeof path, "%s%s", s->config.pb.run, left[i]);
		if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode))
			(void)unlink(path);
	}
}
