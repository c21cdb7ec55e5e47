/* key.c - see key.h. */
#include "appliance/fleet/key.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zmq.h>

#include "appliance/fleet/codes.h"

#define Z85    41u /* 40 characters and the end */
#define HEADER "nameserve fleet key 1\n"

bool
fleet_keys_make(struct fleet_keys *k)
{
	char pub[Z85], sec[Z85];

	return zmq_curve_keypair(pub, sec) == 0 && zmq_z85_decode(k->public_key, pub) != NULL &&
	       zmq_z85_decode(k->secret_key, sec) != NULL;
}

bool
fleet_keys_from_secret(const uint8_t secret[FLEET_KEY], struct fleet_keys *k)
{
	char pub[Z85], sec[Z85];

	memcpy(k->secret_key, secret, FLEET_KEY);
	return zmq_z85_encode(sec, secret, FLEET_KEY) != NULL && zmq_curve_public(pub, sec) == 0 &&
	       zmq_z85_decode(k->public_key, pub) != NULL;
}

static enum ns_err
io_failed(struct ns_why *why, const char *path, const char *doing)
{
	return ns_fail(
	    why, NS_FAILED, EF_KEY, "%s: cannot be %s: %s", path, doing, strerror(errno));
}

static bool
write_all(int fd, const char *text, size_t len)
{
	ssize_t n = write(fd, text, len);

	return n == (ssize_t)len && fsync(fd) == 0;
}

static enum ns_err
sync_dir(const char *dir, struct ns_why *why)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool ok = fd >= 0 && fsync(fd) == 0;

	if (!ok)
		io_failed(why, dir, "synced");
	if (fd >= 0)
		close(fd);
	return ok ? NS_OK : NS_FAILED;
}

static enum ns_err
save(const char *dir, const char *path, const struct fleet_keys *k, struct ns_why *why)
{
	char fresh[PATH_MAX], sec[Z85], text[sizeof HEADER + Z85 + 1];
	int fd;
	bool ok;

	if (snprintf(fresh, sizeof fresh, "%s/fleet.key.new", dir) >= (int)sizeof fresh ||
	    zmq_z85_encode(sec, k->secret_key, FLEET_KEY) == NULL)
		return ns_fail(why, NS_FAILED, EF_KEY, "the key cannot be written down");
	snprintf(text, sizeof text, "%s%s\n", HEADER, sec);
	fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return io_failed(why, fresh, "made");
	ok = write_all(fd, text, strlen(text));
	close(fd);
	if (!ok || rename(fresh, path) != 0)
		return io_failed(why, path, "written");
	return sync_dir(dir, why);
}

static enum ns_err
load(int fd, const char *path, struct fleet_keys *k, struct ns_why *why)
{
	char text[sizeof HEADER + Z85 + 1] = "";
	uint8_t secret[FLEET_KEY];
	ssize_t n = read(fd, text, sizeof text - 1);
	size_t head = strlen(HEADER);

	if (n == (ssize_t)(head + Z85) && memcmp(text, HEADER, head) == 0 &&
	    text[head + Z85 - 1] == '\n') {
		text[head + Z85 - 1] = '\0';
		if (zmq_z85_decode(secret, text + head) != NULL &&
		    fleet_keys_from_secret(secret, k))
			return NS_OK;
	}
	return ns_fail(why, NS_CORRUPT, EF_KEY,
	    "%s is not a key of ours: restore it, or remove this appliance from the fleet and let "
	    "it join again with a new invitation and an empty data directory",
	    path);
}

static enum ns_err
path_of(const char *dir, const char *name, char path[PATH_MAX], struct ns_why *why)
{
	if (snprintf(path, PATH_MAX, "%s/%s", dir, name) < PATH_MAX)
		return NS_OK;
	return ns_fail(why, NS_USAGE, EF_KEY, "%s: the path is too long", dir);
}

/* NS_NOTFOUND: there is no such file. */
static enum ns_err
read_key(const char *path, struct fleet_keys *k, struct ns_why *why)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	enum ns_err err;

	if (fd < 0)
		return errno == ENOENT ? NS_NOTFOUND : io_failed(why, path, "read");
	err = load(fd, path, k, why);
	close(fd);
	return err;
}

static enum ns_err
read_or_make(const char *dir, const char *name, struct fleet_keys *k, struct ns_why *why)
{
	char path[PATH_MAX];
	enum ns_err err = path_of(dir, name, path, why);

	if (err == NS_OK)
		err = read_key(path, k, why);
	if (err != NS_NOTFOUND)
		return err;
	if (!fleet_keys_make(k))
		return ns_fail(why, NS_FAILED, EF_KEY, "libzmq makes no CURVE keys here");
	return save(dir, path, k, why);
}

enum ns_err
fleet_keys_load(const char *dir, struct fleet_keys *k, struct ns_why *why)
{
	return read_or_make(dir, "fleet.key", k, why);
}

enum ns_err
fleet_keys_next_make(const char *dir, struct fleet_keys *k, struct ns_why *why)
{
	return read_or_make(dir, "fleet.key.next", k, why);
}

enum ns_err
fleet_keys_next(const char *dir, struct fleet_keys *k, struct ns_why *why)
{
	char path[PATH_MAX];
	enum ns_err err = path_of(dir, "fleet.key.next", path, why);

	return err == NS_OK ? read_key(path, k, why) : err;
}

enum ns_err
fleet_keys_next_take(const char *dir, struct ns_why *why)
{
	char from[PATH_MAX], to[PATH_MAX];
	enum ns_err err = path_of(dir, "fleet.key.next", from, why);

	if (err == NS_OK)
		err = path_of(dir, "fleet.key", to, why);
	if (err != NS_OK)
		return err;
	if (rename(from, to) != 0)
		return io_failed(why, to, "written");
	return sync_dir(dir, why);
}
