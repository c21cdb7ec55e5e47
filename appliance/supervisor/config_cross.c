/* config_cross - what several keys of the configuration say together.
 *
 * Pure but for realpath(), which sees through a symbolic link that would put the key beside the
 * data it protects.  Called once every key has been read by itself. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "appliance/fleet/endpoint.h"
#include "appliance/supervisor/config.h"

#define LONGEST_SOCKET "/bus/sync"

/* Collapse //, . and .. by text. */
static void
flatten(const char *path, char out[PATH_MAX])
{
	size_t used = 0;

	while (*path != '\0') {
		size_t len;

		path += strspn(path, "/");
		len = strcspn(path, "/");
		if (len == 2 && path[0] == '.' && path[1] == '.') {
			while (used > 0 && out[--used] != '/')
				continue;
		} else if (len > 0 && !(len == 1 && path[0] == '.') && used + len + 2 < PATH_MAX) {
			out[used++] = '/';
			memcpy(out + used, path, len);
			used += len;
		}
		path += len;
	}
	if (used == 0)
		out[used++] = '/';
	out[used] = '\0';
}

static bool
below(const char *path, const char *dir)
{
	size_t len = strlen(dir);

	if (len == 1)
		return true; /* everything is below / */
	return strncmp(path, dir, len) == 0 && (path[len] == '\0' || path[len] == '/');
}

/* The path with every link resolved in the part of it that exists. */
static void
resolve(const char *path, char out[PATH_MAX])
{
	char head[PATH_MAX], real[PATH_MAX], tail[PATH_MAX], *slash;
	size_t len;

	flatten(path, out);
	snprintf(head, sizeof head, "%s", out);
	while (realpath(head, real) == NULL) {
		slash = strrchr(head, '/');
		if (slash == NULL || slash == head)
			return;
		*slash = '\0';
	}
	len = strlen(head);
	snprintf(tail, sizeof tail, "%s", out + len);
	len = real[1] == '\0' ? 0 : strlen(real); /* "/" and a tail are not "//tail" */
	if (len + strlen(tail) >= PATH_MAX)
		return;
	memcpy(out, real, len);
	memcpy(out + len, tail, strlen(tail) + 1);
}

bool
config_path_below(const char *path, const char *dir)
{
	char p[PATH_MAX], d[PATH_MAX];

	flatten(path, p);
	flatten(dir, d);
	if (below(p, d))
		return true;
	resolve(path, p);
	resolve(dir, d);
	return below(p, d);
}

static bool
blame(const char **section, const char **key, const char *s, const char *k)
{
	*section = s;
	*key = k;
	return false;
}

static bool
check_paths(const Ns__Config *c, const char **section, const char **key, char *why)
{
	struct sockaddr_un un;

	if (config_path_below(c->run, c->data)) {
		snprintf(why, CONFIG_VALUE_MAX,
		    "is below data (%.200s), which other users may not enter: they would not reach "
		    "the "
		    "control socket",
		    c->data);
		return blame(section, key, "appliance", "run");
	}
	if (strlen(c->run) + sizeof LONGEST_SOCKET > sizeof un.sun_path) {
		snprintf(why, CONFIG_VALUE_MAX,
		    "longer than %zu octets, the name of a socket below it "
		    "would not fit",
		    sizeof un.sun_path - sizeof LONGEST_SOCKET);
		return blame(section, key, "appliance", "run");
	}
	if (c->kek[0] != '\0' && config_path_below(c->kek, c->data)) {
		snprintf(why, CONFIG_VALUE_MAX,
		    "is below data (%.200s): a backup of the data would carry the key that "
		    "protects it",
		    c->data);
		return blame(section, key, "keys", "kek");
	}
	return true;
}

static bool
check_sockets(const Ns__Config *c, const char **section, const char **key, char *why)
{
	size_t i, j;

	for (i = 0; i < c->n_dns_tls; i++)
		for (j = 0; j < c->n_dns_listen; j++)
			if (strcmp(c->dns_tls[i], c->dns_listen[j]) == 0) {
				snprintf(why, CONFIG_VALUE_MAX, "%.200s is in listen, too",
				    c->dns_tls[i]);
				return blame(section, key, "dns", "tls");
			}
	if (c->n_dns_tls > 0 && (c->dns_cert[0] == '\0' || c->dns_key[0] == '\0')) {
		snprintf(why, CONFIG_VALUE_MAX, "needs cert and key");
		return blame(section, key, "dns", "tls");
	}
	return true;
}

static bool
is_wildcard(const char *url)
{
	static const char *const all[] = { "tcp://*:", "tcp://0.0.0.0:", "tcp://[::]:" };
	size_t i;

	for (i = 0; i < sizeof all / sizeof *all; i++)
		if (strncmp(url, all[i], strlen(all[i])) == 0)
			return true;
	return false;
}

static bool
check_address(const char *text, bool listen, char *why)
{
	struct sockaddr_storage ss;
	struct ns_why reason = { 0 };
	socklen_t len;

	if (text[0] == '\0' || endpoint_read(text, listen, &ss, &len, &reason) == NS_OK)
		return true;
	snprintf(why, CONFIG_VALUE_MAX, "%.100s: %.300s", text, reason.text);
	return false;
}

static bool
check_fleet(const Ns__Config *c, const char **section, const char **key, char *why)
{
	if (!check_address(c->fleet->listen, true, why))
		return blame(section, key, "fleet", "listen");
	if (!is_wildcard(c->fleet->advertise) && !check_address(c->fleet->advertise, false, why))
		return blame(section, key, "fleet", "advertise");
	if (is_wildcard(c->fleet->advertise)) {
		snprintf(
		    why, CONFIG_VALUE_MAX, "others cannot connect to a wildcard; name an address");
		return blame(section, key, "fleet", "advertise");
	}
	if (is_wildcard(c->fleet->listen) && c->fleet->advertise[0] == '\0') {
		snprintf(why, CONFIG_VALUE_MAX,
		    "missing: listen is a wildcard, so others must be told what to connect to");
		return blame(section, key, "fleet", "advertise");
	}
	return true;
}

bool
config_cross(const struct config *config, const char **section, const char **key, char *why)
{
	const Ns__Config *c = &config->pb;

	return check_paths(c, section, key, why) && check_sockets(c, section, key, why) &&
	       check_fleet(c, section, key, why);
}
