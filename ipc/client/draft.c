/* draft.c - the directory of drafts: lock, save, load, list; see draft.h. */
#include "ipc/client/draft.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "ipc/base/clock.h"
#include "ipc/base/hash.h"
#include "ipc/base/wbuf.h"
#include "ipc/base/xalloc.h"

#define SUFFIX    ".draft"
#define TEMPORARY "new" /* no draft ends in this; there is one at a time, under the lock */
#define LOCK      "lock"
#define NAME_LEN  200u /* longer names of zones are hashed: a file's name has 255 octets */
#define LOCK_NAP  5000000l /* ns between two tries */

enum {
	DRAFT_DIR = 1302,
	DRAFT_HELD = 1303,
	DRAFT_NONE = 1304,
	DRAFT_IO = 1305,
	DRAFT_BIG = 1306,
};

struct ns_drafts {
	char *path;
	int dir;
	int lock; /* -1: not held */
};

static enum ns_err
io_error(struct ns_why *why, const char *doing, const char *path)
{
	bool full = errno == ENOSPC || errno == EDQUOT;

	return ns_fail(why, full ? NS_UNAVAILABLE : NS_FAILED, DRAFT_IO, "%s: %s: %s", doing,
	    strerror(errno), path); /* a narrow screen cuts the end off */
}

/* ---- names ---- */
/* Letters, digits, '-', '_' and inner dots as they are, else %XX: safe as a file's name and one of its
 * kind.  malloc'ed. */
static char *
file_name(const char *text, const char *suffix)
{
	static const uint8_t key[16] = "names of drafts";
	struct wbuf w = wbuf_grow(1u << 20);

	for (const char *p = text; *p != '\0'; p++) {
		unsigned char c = (unsigned char)*p;
		bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			     (c >= '0' && c <= '9') || c == '-' || c == '_' ||
			     (c == '.' && p > text);
		char hex[4];

		snprintf(hex, sizeof hex, "%%%02X", c);
		wbuf_put(&w, plain ? p : hex, plain ? 1 : 3);
	}
	if (w.len > NAME_LEN) {
		char hash[24];

		w.len = 0;
		snprintf(hash, sizeof hash, "%%%016llx",
		    (unsigned long long)hash_sip24(key, text, strlen(text)));
		wbuf_put(&w, hash, strlen(hash));
	}
	wbuf_put(&w, suffix, strlen(suffix) + 1);
	return (char *)w.base;
}

static char *
zone_file(const char *zone)
{
	char *canonical = draft_zone(zone), *name = file_name(canonical, SUFFIX);

	free(canonical);
	return name;
}

/* ---- directories ---- */
/* "…/nameserve"; malloc'ed; NULL: there is no home. */
static char *
state_dir(const char *state)
{
	const char *xdg = getenv("XDG_STATE_HOME"), *home = getenv("HOME");

	if (state != NULL)
		return xstrdup(state);
	if (xdg != NULL && xdg[0] == '/')
		return xasprintf("%s/nameserve", xdg);
	if (home != NULL && home[0] == '/')
		return xasprintf("%s/.local/state/nameserve", home);
	return NULL;
}

static void
sync_parent(const char *path)
{
	char *parent = xstrdup(path), *slash = strrchr(parent, '/');
	int fd;

	if (slash != NULL && slash != parent)
		*slash = '\0';
	fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0) {
		(void)fsync(fd);
		close(fd);
	}
	free(parent);
}

static bool
make_dirs(char *path)
{
	for (char *p = path + 1;; p++) {
		bool end = *p == '\0';

		if (*p != '/' && !end)
			continue;
		*p = '\0';
		if (mkdir(path, 0700) == 0)
			sync_parent(path);
		else if (errno != EEXIST)
			return false;
		if (end)
			return true;
		*p = '/';
	}
}

char *
ns_state_file(const char *kind, const char *fleet, const char *suffix)
{
	char *top = state_dir(NULL), *name = file_name(fleet, suffix), *folder, *path = NULL;

	if (top != NULL) {
		folder = xasprintf("%s/%s", top, kind);
		if (make_dirs(folder))
			path = xasprintf("%s/%s", folder, name);
		free(folder);
	}
	free(top);
	free(name);
	return path;
}

static enum ns_err
open_dir(struct ns_drafts *d, struct ns_why *why)
{
	struct stat st;

	if (!make_dirs(d->path))
		return io_error(why, "cannot make a directory", d->path);
	d->dir = open(d->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (d->dir < 0 || fstat(d->dir, &st) < 0)
		return io_error(why, "cannot open a directory", d->path);
	if (st.st_uid != geteuid() || (st.st_mode & 022) != 0)
		return ns_fail(why, NS_DENIED, DRAFT_DIR,
		    "%s is not ours alone to write: drafts are not read from there", d->path);
	return NS_OK;
}

struct ns_drafts *
ns_drafts_open(const char *state, const char *fleet, struct ns_why *why)
{
	char *top = state_dir(state), *name = file_name(fleet, "");
	struct ns_drafts *d = NULL;

	if (top == NULL || name[0] == '\0') {
		ns_fail(why, NS_FAILED, DRAFT_DIR,
		    "drafts have no place: set HOME or XDG_STATE_HOME, or use --commit");
	} else {
		d = xcalloc(1, sizeof *d);
		d->dir = d->lock = -1;
		d->path = xasprintf("%s/drafts/%s", top, name);
		if (open_dir(d, why) != NS_OK)
			ns_drafts_close(&d);
	}
	free(top);
	free(name);
	return d;
}

void
ns_drafts_close(struct ns_drafts **dp)
{
	struct ns_drafts *d = *dp;

	if (d == NULL)
		return;
	ns_drafts_unlock(d);
	if (d->dir >= 0)
		close(d->dir);
	free(d->path);
	free(d);
	*dp = NULL;
}

const char *
ns_drafts_path(const struct ns_drafts *d)
{
	return d->path;
}

/* ---- the lock ---- */
enum ns_err
ns_drafts_lock(struct ns_drafts *d, unsigned wait_ms, struct ns_why *why)
{
	uint64_t until = clock_mono_ms() + wait_ms;
	struct timespec nap = { 0, LOCK_NAP };
	int fd = openat(d->dir, LOCK, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return io_error(why, "cannot lock the drafts", d->path);
	while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		if (errno != EWOULDBLOCK && errno != EINTR) {
			enum ns_err err = io_error(why, "cannot lock the drafts", d->path);

			close(fd);
			return err;
		}
		if (clock_mono_ms() >= until) {
			close(fd);
			return ns_fail(why, NS_UNAVAILABLE, DRAFT_HELD,
			    "another nameserve of yours works on the drafts in %s: try again",
			    d->path);
		}
		nanosleep(&nap, NULL);
	}
	d->lock = fd;
	return NS_OK;
}

void
ns_drafts_unlock(struct ns_drafts *d)
{
	if (d->lock >= 0)
		close(d->lock);
	d->lock = -1;
}

/* ---- one draft ---- */
static enum ns_err
read_all(int fd, struct wbuf *out)
{
	uint8_t piece[65536];
	ssize_t n;

	while ((n = read(fd, piece, sizeof piece)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return NS_FAILED;
		wbuf_put(out, piece, (size_t)n);
		if (!wbuf_ok(out))
			return NS_CORRUPT;
	}
	return NS_OK;
}

static enum ns_err
read_file(struct ns_drafts *d, const char *name, struct wbuf *out, struct ns_why *why)
{
	int fd = openat(d->dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;
	enum ns_err err;

	if (fd < 0 && errno == ENOENT)
		return ns_fail(why, NS_NOTFOUND, DRAFT_NONE, "there is no draft of that zone");
	if (fd < 0)
		return io_error(why, "cannot read a draft", d->path);
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		err = ns_fail(why, NS_CORRUPT, DRAFT_DIR, "%s/%s is not a file", d->path, name);
	else if ((err = read_all(fd, out)) == NS_FAILED)
		err = io_error(why, "cannot read a draft", d->path);
	else if (err != NS_OK)
		err = ns_fail(why, err, DRAFT_BIG, "%s/%s is too large for a draft", d->path, name);
	close(fd);
	return err;
}

static enum ns_err
load_file(struct ns_drafts *d, const char *name, Ns__Draft **out, struct ns_why *why)
{
	struct wbuf bytes = wbuf_grow(DRAFT_OCTETS + 1);
	enum ns_err err = read_file(d, name, &bytes, why);
	struct ns_why bad = { 0 };
	char *own;

	*out = NULL;
	if (err == NS_OK && (*out = draft_decode(bytes.base, bytes.len, &bad)) == NULL)
		err = ns_fail(why, NS_CORRUPT, bad.code, "%s/%s: %s", d->path, name, bad.text);
	wbuf_free(&bytes);
	if (err != NS_OK)
		return err;
	own = zone_file((*out)->zone);
	if (strcmp(own, name) != 0) {
		err = ns_fail(
		    why, NS_CORRUPT, DRAFT_DIR, "%s/%s: is a draft of another zone", d->path, name);
		ns__draft__free_unpacked(*out, NULL);
		*out = NULL;
	}
	free(own);
	return err;
}

enum ns_err
ns_draft_load(struct ns_drafts *d, const char *zone, Ns__Draft **out, struct ns_why *why)
{
	char *name = zone_file(zone);
	enum ns_err err = load_file(d, name, out, why);

	free(name);
	return err;
}

static bool
write_all(int fd, const uint8_t *data, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		data += n;
		len -= (size_t)n;
	}
	return fsync(fd) == 0;
}

static enum ns_err
replace(struct ns_drafts *d, const char *name, const uint8_t *data, size_t len, struct ns_why *why)
{
	enum ns_err err = NS_OK;
	int fd;

	(void)unlinkat(d->dir, TEMPORARY, 0); /* of one that was killed */
	fd = openat(d->dir, TEMPORARY, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return io_error(why, "cannot write a draft", d->path);
	if (!write_all(fd, data, len) || renameat(d->dir, TEMPORARY, d->dir, name) != 0 ||
	    fsync(d->dir) != 0)
		err = io_error(why, "the draft was not saved", d->path);
	close(fd);
	if (err != NS_OK)
		(void)unlinkat(d->dir, TEMPORARY, 0);
	return err;
}

enum ns_err
ns_draft_save(struct ns_drafts *d, const Ns__Draft *draft, struct ns_why *why)
{
	size_t len;
	uint8_t *data = draft_encode(draft, &len);
	char *name;
	enum ns_err err;

	assert(d->lock >= 0);
	if (data == NULL)
		return ns_fail(why, NS_INVALID, DRAFT_BIG,
		    "the draft would have more than %u operations or %u MiB: commit what is there",
		    DRAFT_OPS_MAX, DRAFT_OCTETS >> 20);
	name = zone_file(draft->zone);
	err = replace(d, name, data, len, why);
	free(name);
	free(data);
	return err;
}

enum ns_err
ns_draft_drop(struct ns_drafts *d, const char *zone, struct ns_why *why)
{
	char *name = zone_file(zone);
	enum ns_err err = NS_OK;

	assert(d->lock >= 0);
	if (unlinkat(d->dir, name, 0) == 0 && fsync(d->dir) == 0)
		err = NS_OK;
	else if (errno == ENOENT)
		err = ns_fail(why, NS_NOTFOUND, DRAFT_NONE, "there is no draft of that zone");
	else
		err = io_error(why, "cannot remove a draft", d->path);
	free(name);
	return err;
}

/* ---- all of them ---- */
static int
is_draft(const struct dirent *e)
{
	size_t len = strlen(e->d_name), end = sizeof SUFFIX - 1;

	return len > end && strcmp(e->d_name + len - end, SUFFIX) == 0;
}

enum ns_err
ns_drafts_each(struct ns_drafts *d, ns_draft_fn *fn, void *arg, struct ns_why *why)
{
	struct dirent **entries;
	int n = scandirat(d->dir, ".", &entries, is_draft, alphasort);
	bool more = true;

	if (n < 0)
		return io_error(why, "cannot list the drafts", d->path);
	for (int i = 0; i < n; i++) {
		struct ns_why bad = { 0 };
		Ns__Draft *draft = NULL;

		if (more) {
			(void)load_file(d, entries[i]->d_name, &draft, &bad);
			/* The name without the suffix is the zone's, but for odd characters. */
			entries[i]->d_name[strlen(entries[i]->d_name) - (sizeof SUFFIX - 1)] = '\0';
			more = fn(arg, draft != NULL ? draft->zone : entries[i]->d_name, draft,
			    draft != NULL ? NULL : &bad);
		}
		if (draft != NULL)
			ns__draft__free_unpacked(draft, NULL);
		free(entries[i]);
	}
	free(entries);
	return NS_OK;
}

struct names {
	char **list;
	size_t n;
};

static bool
add_name(void *arg, const char *zone, const Ns__Draft *d, const struct ns_why *why)
{
	struct names *m = arg;

	(void)why;
	if (d == NULL)
		return true;
	m->list = xreallocarray(m->list, m->n + 1, sizeof *m->list);
	m->list[m->n++] = xstrdup(zone);
	return true;
}

size_t
ns_drafts_zones(struct ns_drafts *d, char ***names)
{
	struct names m = { 0 };

	(void)!ns_drafts_each(d, add_name, &m, &(struct ns_why){ 0 });
	*names = m.list;
	return m.n;
}

static int
not_hidden(const struct dirent *e)
{
	return e->d_name[0] != '.';
}

size_t
ns_drafts_fleets(const char *state, char ***names)
{
	char *top = state_dir(state), *path = xasprintf("%s/drafts", top != NULL ? top : "");
	struct dirent **entries = NULL;
	int n = top != NULL ? scandir(path, &entries, not_hidden, alphasort) : 0;

	*names = xcalloc((size_t)(n > 0 ? n : 0) + 1, sizeof **names);
	for (int i = 0; i < n; i++) {
		(*names)[i] = xstrdup(entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	free(path);
	free(top);
	return n > 0 ? (size_t)n : 0;
}
