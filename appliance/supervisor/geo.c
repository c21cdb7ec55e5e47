/* geo - the files of [geo] database, for workers and answer.
 *
 * Copied into sealed memory when they are read, at the start and at SIGHUP, so that a file that is written
 * over in place is never read torn, nor cut off under a reader.  A new file means that workers are replaced
 * one after the other, answer last: a query that waits in a worker's socket is its successor's.  A file that
 * cannot be read is a problem in status, and the former stays. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "appliance/supervisor/supervisor.h"
#include "ipc/base/log.h"

#define GEO_MAX (4ll << 30) /* octets of a file: the largest city files have an eighth of it */

/* Where the format has its metadata: in the last 128 KiB, behind these octets. */
static bool
is_geo_file(int fd, off_t size)
{
	static const char mark[] = "\xab\xcd\xefMaxMind.com";
	void *p = mmap(NULL, (size_t)size, PROT_READ, MAP_PRIVATE, fd, 0);
	size_t tail = size < (128 << 10) ? (size_t)size : 128u << 10;
	bool found;

	if (p == MAP_FAILED)
		return false;
	found = memmem((char *)p + size - tail, tail, mark, sizeof mark - 1) != NULL;
	munmap(p, (size_t)size);
	return found;
}

/* The file in sealed memory that everybody may read; -1: errno. */
static int
copy_file(const char *path)
{
	int in = open(path, O_RDONLY | O_CLOEXEC), out = -1;
	struct stat st;
	off_t at = 0;

	if (in < 0)
		return -1;
	if (fstat(in, &st) == 0 && S_ISREG(st.st_mode) && st.st_size <= GEO_MAX)
		out = memfd_create("nameserve-geo", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	else
		errno = EINVAL;
	while (out >= 0 && at < st.st_size) {
		ssize_t n = sendfile(out, in, &at, (size_t)(st.st_size - at));

		if (n > 0)
			continue;
		errno = n == 0 ? EIO : errno;
		close(out);
		out = -1;
	}
	close(in);
	if (out >= 0 && !is_geo_file(out, st.st_size)) {
		close(out);
		out = -1;
		errno = ENOEXEC;
	}
	if (out >= 0 && (fchmod(out, 0444) != 0 ||
			    fcntl(out, F_ADD_SEALS,
				F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) != 0)) {
		close(out);
		out = -1;
	}
	return out < 0 ? -1 : fd_keep(out);
}

bool
geo_load(struct supervisor *s)
{
	size_t n = s->config.pb.n_geo_database;
	int fresh[GEO_FILES_MAX];

	if (n > GEO_FILES_MAX) {
		status_problem(s, "geo", "[geo] database: at most %d files", GEO_FILES_MAX);
		n = GEO_FILES_MAX;
	}
	for (size_t i = 0; i < n; i++) {
		fresh[i] = copy_file(s->config.pb.geo_database[i]);
		if (fresh[i] >= 0)
			continue;
		status_problem(s, "geo", "[geo] database: %.300s: %s", s->config.pb.geo_database[i],
		    errno == ENOEXEC ? "no MaxMind-format file" : strerror(errno));
		while (i > 0)
			close(fresh[--i]);
		return false;
	}
	for (size_t i = 0; i < s->ngeo; i++)
		close(s->geo[i]);
	memcpy(s->geo, fresh, n * sizeof fresh[0]);
	s->ngeo = n;
	if (n > 0)
		status_problem_end(s, "geo");
	return true;
}

void
geo_reload(struct supervisor *s)
{
	if (s->config.pb.n_geo_database == 0 || !geo_load(s))
		return;
	for (size_t i = 0; i < s->nchildren; i++)
		s->children[i].geo_due = (s->children[i].spec->handed & HAND_GEO) != 0;
	log_info("geo.reload", "files=%zu", s->ngeo);
}

/* The next one, while all others serve. */
void
geo_tick(struct supervisor *s)
{
	struct child *next = NULL;

	for (size_t i = 0; i < s->nchildren; i++) {
		struct child *c = &s->children[i];

		if (c->geo_due && (next == NULL || c->spec->by_page > next->spec->by_page))
			next = c;
	}
	for (size_t i = 0; next != NULL && i < s->nchildren; i++) {
		if (s->children[i].state != CHILD_READY)
			return;
	}
	if (next == NULL || s->stopping)
		return;
	next->geo_due = false;
	watch_kill(next, SIGTERM);
}
