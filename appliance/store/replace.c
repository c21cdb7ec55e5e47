/* replace.c - a whole store put into the place of another one; see backup.h.
 *
 * store_replace() renames the new file to <dir>/store.new: that is the decision.  Whoever opens the
 * store to write finishes it: the old log goes first (it would be replayed into the new file), then
 * the new file takes the old one's name.  Each step can be done again after a crash. */
#include "appliance/store/replace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "appliance/store/backup.h"
#include "appliance/store/db.h"
#include "ipc/base/log.h"
#include "ipc/base/xalloc.h"

static enum ns_err
failed(struct ns_why *why, const char *dir, const char *what)
{
	return ns_fail(
	    why, NS_UNAVAILABLE, STORE_E_IO, "%s: cannot %s: %s", dir, what, strerror(errno));
}

static bool
sync_it(const char *dir, const char *name, int flags)
{
	char *path = xasprintf("%s/%s", dir, name);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | flags);
	bool ok = fd >= 0 && fsync(fd) == 0;

	if (fd >= 0)
		close(fd);
	free(path);
	return ok;
}

static bool
move(const char *from, const char *name, const char *dir, const char *as)
{
	char *old = xasprintf("%s/%s", from, name), *new = xasprintf("%s/%s", dir, as);
	bool ok = rename(old, new) == 0;

	free(old);
	free(new);
	return ok;
}

static bool
is_there(const char *dir, const char *name, off_t at_least)
{
	char *path = xasprintf("%s/%s", dir, name);
	struct stat st;
	bool there = lstat(path, &st) == 0 && st.st_size >= at_least;

	free(path);
	return there;
}

static bool
drop(const char *dir, const char *name)
{
	char *path = xasprintf("%s/%s", dir, name);
	bool ok = unlink(path) == 0 || errno == ENOENT;

	free(path);
	return ok;
}

enum ns_err
store_replace(const char *dir, const char *from, struct ns_why *why)
{
	if (is_there(from, "store.db-wal", 1))
		return ns_fail(
		    why, NS_FAILED, STORE_E_IO, "%s is not closed: its log is there", from);
	if (!sync_it(from, "store.db", 0))
		return failed(why, from, "sync the new store");
	if (!move(from, "store.db", dir, "store.new"))
		return failed(why, dir, "put the new store beside the old one");
	/* Decided, unless the power fails before this is on the disk; either is whole. */
	if (!sync_it(dir, ".", O_DIRECTORY))
		return failed(why, dir, "sync the directory");
	return NS_OK;
}

enum ns_err
replace_finish(const char *dir, struct ns_why *why)
{
	if (!is_there(dir, "store.new", 0))
		return NS_OK;
	if (!drop(dir, "store.db-wal") || !drop(dir, "store.db-shm") ||
	    !sync_it(dir, ".", O_DIRECTORY) || !move(dir, "store.new", dir, "store.db") ||
	    !sync_it(dir, ".", O_DIRECTORY))
		return failed(why, dir, "put the restored store into its place");
	log_info("store.replaced", "dir=%s", log_quote(dir));
	return NS_OK;
}

void
store_remove(const char *dir)
{
	static const char *const files[] = { "store.db-wal", "store.db-shm", "store.db",
		"store.lock", "store.db-journal" };

	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
		(void)drop(dir, files[i]);
	(void)rmdir(dir);
}
