/* kek - the file that opens this appliance's keys: made at the first start, checked, opened, never read.
 *
 * [keys] kek, else a systemd credential "kek", else /etc/nameserve/kek.  The signer alone gets the descriptor
 * (role.h), so that no other process, and not even this one, has the key in its memory.  Not below data: a copy
 * of the data shall not open itself. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "appliance/supervisor/supervisor.h"
#include "ipc/base/log.h"

#define KEK_CODE    6070
#define KEK_SIZE    32
#define KEK_DEFAULT "/etc/nameserve/kek"

static const char *
kek_path(const struct supervisor *s, char buf[PATH_MAX])
{
	const char *credentials = getenv("CREDENTIALS_DIRECTORY");

	if (s->config.pb.kek[0] != '\0')
		return s->config.pb.kek;
	if (credentials != NULL && snprintf(buf, PATH_MAX, "%s/kek", credentials) < (int)PATH_MAX &&
	    access(buf, F_OK) == 0)
		return buf;
	return KEK_DEFAULT;
}

/* Follows links, which the configuration's own check cannot. */
static bool
is_below_data(const struct supervisor *s, const char *path)
{
	char dir[PATH_MAX], data[PATH_MAX], copy[PATH_MAX], *slash;
	size_t n;

	snprintf(copy, sizeof copy, "%s", path);
	slash = strrchr(copy, '/');
	if (slash != NULL && slash != copy)
		*slash = '\0';
	if (realpath(copy, dir) == NULL || realpath(s->config.pb.data, data) == NULL)
		return false;
	n = strlen(data);
	return strncmp(dir, data, n) == 0 && (dir[n] == '/' || dir[n] == '\0');
}

static bool
fill(int fd, uint32_t owner, bool root)
{
	uint8_t key[KEK_SIZE];
	bool ok = getrandom(key, sizeof key, 0) == sizeof key &&
		  write(fd, key, sizeof key) == sizeof key && fsync(fd) == 0 &&
		  (!root || fchown(fd, owner, (gid_t)-1) == 0);

	explicit_bzero(key, sizeof key);
	return ok;
}

static int
make_kek(const struct supervisor *s, const char *path)
{
	char dir[PATH_MAX], fresh[PATH_MAX], *slash;
	int fd;

	snprintf(dir, sizeof dir, "%s", path);
	slash = strrchr(dir, '/');
	if (slash != NULL && slash != dir) {
		*slash = '\0';
		if (mkdir(dir, 0755) != 0 && errno != EEXIST)
			return -1;
	}
	if (snprintf(fresh, sizeof fresh, "%s.new", path) >= (int)sizeof fresh)
		return -1;
	(void)unlink(fresh);
	fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0400);
	if (fd < 0)
		return -1;
	/* Not there, or whole: link() would not replace one that somebody else has just made. */
	if (!fill(fd, s->users.uid[ROLE_SIGNER], s->users.root) || link(fresh, path) != 0) {
		close(fd);
		(void)unlink(fresh);
		return -1;
	}
	close(fd);
	(void)unlink(fresh);
	log_info("kek.made",
	    "path=%s text=\"keep a copy apart from the data: without it no key "
	    "of this appliance opens\"",
	    log_quote(path));
	return open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
}

static enum ns_err
check(const struct supervisor *s, int fd, const char *path, struct ns_why *why)
{
	uint32_t owner = s->users.uid[ROLE_SIGNER];
	struct stat st;

	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size != KEK_SIZE)
		return ns_fail(why, NS_USAGE, KEK_CODE,
		    "[keys] kek: %.300s is not a file of %d octets", path, KEK_SIZE);
	if ((st.st_mode & 0377) != 0)
		return ns_fail(why, NS_USAGE, KEK_CODE,
		    "[keys] kek: %.300s has mode %04o: nobody but its owner may read it and nobody "
		    "write it (chmod 0400)",
		    path, (unsigned)st.st_mode & 07777u);
	/* A credential is root's. */
	if (st.st_uid != owner && st.st_uid != 0)
		return ns_fail(why, NS_USAGE, KEK_CODE,
		    "[keys] kek: %.300s belongs to uid %u, and must belong to nameserve-signer "
		    "(uid %u)",
		    path, (unsigned)st.st_uid, owner);
	return NS_OK;
}

enum ns_err
kek_open(struct supervisor *s, struct ns_why *why)
{
	char buf[PATH_MAX];
	const char *path = kek_path(s, buf);
	enum ns_err err;
	int fd;

	s->kek = -1;
	if (is_below_data(s, path))
		return ns_fail(why, NS_USAGE, KEK_CODE,
		    "[keys] kek: %.200s is below data (%.200s): a backup of the data would carry "
		    "the key that protects it",
		    path, s->config.pb.data);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0 && errno == ENOENT)
		fd = make_kek(s, path);
	if (fd < 0 && s->config.pb.kek[0] != '\0')
		return ns_fail(
		    why, NS_USAGE, KEK_CODE, "[keys] kek: %.300s: %s", path, strerror(errno));
	if (fd < 0) {
		/* Nobody asked for it: all works but DNSSEC, whose commands say so. */
		log_info(
		    "kek.none", "path=%s error=%s", log_quote(path), log_quote(strerror(errno)));
		return NS_OK;
	}
	err = check(s, fd, path, why);
	if (err != NS_OK) {
		close(fd);
		return err;
	}
	s->kek = fd_keep(fd);
	return NS_OK;
}
