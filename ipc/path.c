/* path.c - see path.h.  Never blocks: a Unix connect ends at once. */
#include "ipc/path.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "ipc/base/xalloc.h"
#include "ipc/envelope.h"
#include "ipc/sock.h"

char *
ns_control_path(const char *run)
{
	return xasprintf("%s/control", run);
}

char *
ns_bus_path(const char *run)
{
	return xasprintf("%s/bus/sync", run);
}

enum ns_err
ns_path_endpoint(const char *path, char out[NS_ENDPOINT_MAX], struct ns_why *why)
{
	struct sockaddr_un un;

	if (path[0] != '/')
		return ns_fail(
		    why, NS_USAGE, NS_CODE_SOCKET, "socket path %s is not absolute", path);
	if (strlen(path) >= sizeof un.sun_path)
		return ns_fail(why, NS_USAGE, NS_CODE_SOCKET,
		    "socket path %s is too long: %zu octets, at most %zu", path, strlen(path),
		    sizeof un.sun_path - 1);
	snprintf(out, NS_ENDPOINT_MAX, "ipc://%s", path);
	return NS_OK;
}

static enum ns_err
probe_failed(const char *path, int error, struct ns_why *why)
{
	switch (error) {
	case ENOENT:
	case ENOTDIR:
		return ns_fail(why, NS_UNAVAILABLE, NS_CODE_NO_APPLIANCE,
		    "no socket at %s: is nameserved running? --socket PATH or NAMESERVE_SOCKET "
		    "names another",
		    path);
	case ECONNREFUSED:
		return ns_fail(why, NS_UNAVAILABLE, NS_CODE_NO_APPLIANCE,
		    "nobody listens at %s: is nameserved running?", path);
	case EACCES:
	case EPERM:
		return ns_fail(
		    why, NS_DENIED, NS_CODE_NO_APPLIANCE, "no permission to connect to %s", path);
	case EAGAIN:
		return ns_fail(why, NS_UNAVAILABLE, NS_CODE_NO_APPLIANCE,
		    "%s is overloaded: it accepts no further connection now", path);
	default:
		return ns_fail(why, NS_UNAVAILABLE, NS_CODE_NO_APPLIANCE,
		    "cannot connect to %s: %s", path, strerror(error));
	}
}

/* 0 or errno. */
static int
try_connect(const char *path)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd, rc, error;

	snprintf(un.sun_path, sizeof un.sun_path, "%s", path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return errno;
	rc = connect(fd, (const struct sockaddr *)&un, sizeof un);
	error = rc == 0 ? 0 : errno;
	close(fd);
	return error;
}

enum ns_err
ns_path_probe(const char *path, struct ns_why *why)
{
	int error = try_connect(path);

	return error == 0 ? NS_OK : probe_failed(path, error, why);
}

bool
ns_path_taken(const char *path)
{
	int error = try_connect(path);

	return error == 0 || error == EAGAIN; /* EAGAIN: its queue of connections is full */
}
