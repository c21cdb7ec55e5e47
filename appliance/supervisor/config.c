/* config - the table of keys, and the one pass over the file that fills it.
 *
 * Supervisor only, at start and at SIGHUP.  inih calls us once per line through next_line(), which
 * counts the lines (the library keeps the number to itself) and refuses long ones.  The first
 * error is kept and the rest of the file ignored. */
#include "appliance/supervisor/config.h"

#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "appliance/role/role.h"
#include "ipc/base/xalloc.h"

#define CONFIG_CODE    6001 /* E6001: the configuration is off */
#define LINE_MAX_CHARS (CONFIG_VALUE_MAX - 1)
#define SIZE_MIN       (64ull << 20) /* a map below this holds no real zone set */
#define SIZE_MAX_MAP   (64ull << 30) /* MAP_SPAN: what every process maps */

enum kind { TEXT, LIST, COUNT, SIZE };

struct key {
	const char *section, *key;
	enum kind kind;
	size_t at, count_at; /* offsets in struct config */
	config_check_fn *check;
	uint64_t min, max;
	const char *fallback; /* NULL: empty */
	bool required;
};

#define AT(field)      .at = offsetof(struct config, field)
#define LIST_AT(field) AT(pb.field), .count_at = offsetof(struct config, pb.n_##field)

static const struct key keys[] = {
	{ "appliance", "name", TEXT, AT(pb.name), .check = config_check_label, .required = true },
	{ "appliance", "role", TEXT, AT(pb.role), .check = config_check_role,
	    .fallback = "primary" },
	{ "appliance", "site", TEXT, AT(pb.site), .check = config_check_site,
	    .fallback = "default" },
	{ "appliance", "data", TEXT, AT(pb.data), .check = config_check_path,
	    .fallback = "/var/lib/nameserve" },
	{ "appliance", "run", TEXT, AT(pb.run), .check = config_check_path,
	    .fallback = "/run/nameserve" },
	{ "dns", "listen", LIST, LIST_AT(dns_listen), .check = config_check_dns, .required = true },
	{ "dns", "tls", LIST, LIST_AT(dns_tls), .check = config_check_tls },
	{ "dns", "cert", TEXT, AT(pb.dns_cert), .check = config_check_path },
	{ "dns", "key", TEXT, AT(pb.dns_key), .check = config_check_path },
	{ "dns", "workers", COUNT, AT(pb.workers), .min = 1, .max = ROLE_MAX_WORKERS },
	{ "dns", "map_limit", SIZE, AT(pb.map_limit), .min = SIZE_MIN, .max = SIZE_MAX_MAP,
	    .fallback = "8G" },
	{ "dns", "rrl", COUNT, AT(pb.rrl), .min = 0, .max = 1000000, .fallback = "200" },
	{ "fleet", "listen", TEXT, AT(fleet.listen), .check = config_check_tcp },
	{ "fleet", "advertise", TEXT, AT(fleet.advertise), .check = config_check_tcp },
	{ "ssh", "account", TEXT, AT(pb.ssh_account), .check = config_check_account },
	{ "api", "listen", TEXT, AT(api.listen), .check = config_check_http },
	{ "api", "cert", TEXT, AT(api.cert), .check = config_check_path },
	{ "api", "key", TEXT, AT(api.key), .check = config_check_path },
	{ "keys", "kek", TEXT, AT(pb.kek), .check = config_check_path },
	{ "probe", "allow", LIST, LIST_AT(probe_allow), .check = config_check_net },
	{ "probe", "ca", TEXT, AT(pb.probe_ca), .check = config_check_path },
	{ "resolver", "address", LIST, LIST_AT(resolver), .check = config_check_dns },
	{ "resolver", "keep", COUNT, AT(pb.resolver_keep_s), .min = 5, .max = 2592000,
	    .fallback = "259200" },
	{ "geo", "database", LIST, LIST_AT(geo_database), .check = config_check_path },
};
#define NKEYS (sizeof keys / sizeof *keys)
_Static_assert(NKEYS <= CONFIG_KEYS_MAX, "raise CONFIG_KEYS_MAX");

struct reading {
	const char *file, *text; /* text: what is left */
	struct config *config;
	struct ns_why *why;
	unsigned line;
	unsigned section_line[NKEYS]; /* where the section of key i began */
	bool failed;
};

static int
fail(struct reading *r, unsigned line, const char *section, const char *key, const char *reason)
{
	if (r->failed)
		return 0;
	r->failed = true;
	if (key != NULL)
		ns_fail(r->why, NS_USAGE, CONFIG_CODE, "%s:%u: [%s] %s: %s", r->file, line, section,
		    key, reason);
	else
		ns_fail(r->why, NS_USAGE, CONFIG_CODE, "%s:%u: %s", r->file, line, reason);
	if (r->why != NULL)
		r->why->line = line;
	return 0;
}

static char **
text_slot(struct config *c, const struct key *k)
{
	return (char **)(void *)((char *)c + k->at);
}

static bool
add_to_list(struct config *c, const struct key *k, const char *value, char *why)
{
	char ***list = (char ***)(void *)((char *)c + k->at);
	size_t *n = (size_t *)(void *)((char *)c + k->count_at), i;

	if (*n == CONFIG_LIST_MAX) {
		snprintf(why, CONFIG_VALUE_MAX, "more than %d entries", CONFIG_LIST_MAX);
		return false;
	}
	for (i = 0; i < *n; i++)
		if (strcmp((*list)[i], value) == 0) {
			snprintf(why, CONFIG_VALUE_MAX, "%.200s is there twice", value);
			return false;
		}
	*list = xreallocarray(*list, *n + 1, sizeof **list);
	(*list)[(*n)++] = xstrdup(value);
	return true;
}

/* Comma-separated; spaces around an entry do not count, empty entries are a slip of the pen. */
static bool
set_list(struct config *c, const struct key *k, const char *value, char *why)
{
	char *copy = xstrdup(value), *rest = copy, *entry, normal[CONFIG_VALUE_MAX];
	bool ok = true;

	while (ok && (entry = strsep(&rest, ",")) != NULL) {
		size_t len;

		entry += strspn(entry, " \t");
		len = strlen(entry);
		while (len > 0 && (entry[len - 1] == ' ' || entry[len - 1] == '\t'))
			entry[--len] = '\0';
		if (len == 0) {
			snprintf(why, CONFIG_VALUE_MAX, "an entry of the list is empty");
			ok = false;
		} else {
			ok = k->check(entry, normal, why) && add_to_list(c, k, normal, why);
		}
	}
	free(copy);
	return ok;
}

static bool
set_value(struct config *c, const struct key *k, const char *value, char *why)
{
	char normal[CONFIG_VALUE_MAX];
	uint64_t n = 0;

	if (value[0] == '\0') {
		snprintf(why, CONFIG_VALUE_MAX, "has no value");
		return false;
	}
	switch (k->kind) {
	case TEXT:
		if (!k->check(value, normal, why))
			return false;
		*text_slot(c, k) = xstrdup(normal);
		return true;
	case LIST:
		return set_list(c, k, value, why);
	case COUNT:
		if (!config_read_count(value, k->min, k->max, &n, why))
			return false;
		*(uint32_t *)(void *)((char *)c + k->at) = (uint32_t)n;
		return true;
	case SIZE:
		if (!config_read_size(value, k->min, k->max, &n, why))
			return false;
		*(uint64_t *)(void *)((char *)c + k->at) = n;
		return true;
	}
	return false;
}

static const struct key *
find_key(const char *section, const char *key)
{
	size_t i;

	for (i = 0; i < NKEYS; i++)
		if (strcmp(keys[i].section, section) == 0 && strcmp(keys[i].key, key) == 0)
			return &keys[i];
	return NULL;
}

static bool
note_section(struct reading *r, const char *name, unsigned line)
{
	bool known = false;
	size_t i;

	for (i = 0; i < NKEYS; i++)
		if (strcmp(keys[i].section, name) == 0) {
			known = true;
			if (r->section_line[i] == 0)
				r->section_line[i] = line;
		}
	return known;
}

static int
on_value(void *arg, const char *section, const char *name, const char *value)
{
	struct reading *r = arg;
	struct config *c = r->config;
	const struct key *k = find_key(section, name);
	char why[CONFIG_VALUE_MAX], reason[CONFIG_VALUE_MAX + 128];
	size_t i;

	if (r->failed)
		return 0;
	if (section[0] == '\0')
		return fail(r, r->line, section, NULL, "a key before the first [section]");
	if (k == NULL)
		return fail(r, r->line, section, name, "unknown key");
	i = (size_t)(k - keys);
	if (c->line[i] != 0) {
		snprintf(why, sizeof why, "given twice, first in line %u", c->line[i]);
		return fail(r, r->line, section, name, why);
	}
	if (!set_value(c, k, value, why)) {
		/* What a list says names its entry already. */
		if (k->kind == LIST || value[0] == '\0')
			return fail(r, r->line, section, name, why);
		snprintf(reason, sizeof reason, "%.100s: %s", value, why);
		return fail(r, r->line, section, name, reason);
	}
	c->line[i] = r->line;
	c->raw[i] = xstrdup(value);
	return 1;
}

/* inih calls its handler for keys only; an unknown section without keys is our business. */
static bool
check_section(struct reading *r, const char *line)
{
	char name[64], reason[128];
	size_t len;

	line += strspn(line, " \t");
	if (*line != '[')
		return true;
	len = strcspn(++line, "]\r\n");
	if (line[len] != ']') {
		fail(r, r->line, "", NULL, "a section's name has no closing bracket");
		return false;
	}
	snprintf(name, sizeof name, "%.*s", (int)(len < sizeof name ? len : sizeof name - 1), line);
	if (note_section(r, name, r->line))
		return true;
	snprintf(reason, sizeof reason, "[%s]: unknown section", name);
	fail(r, r->line, "", NULL, reason);
	return false;
}

/* fgets for a string: one line of it. */
static char *
next_line(char *out, int size, void *arg)
{
	struct reading *r = arg;
	size_t len = strcspn(r->text, "\n");

	if (*r->text == '\0' || r->failed)
		return NULL;
	r->line++;
	if (len + 2 > (size_t)size || len > LINE_MAX_CHARS) {
		fail(r, r->line, "", NULL, "the line is too long");
		return NULL;
	}
	if (r->text[len] == '\n')
		len++;
	memcpy(out, r->text, len);
	out[len] = '\0';
	r->text += len;
	return check_section(r, out) ? out : NULL;
}

static unsigned
cores(void)
{
	cpu_set_t set;
	int n = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;

	return n < 1 ? 1u : n > ROLE_MAX_WORKERS ? ROLE_MAX_WORKERS : (unsigned)n;
}

/* Whatever the file left out. */
static void
fill_defaults(struct reading *r)
{
	char why[CONFIG_VALUE_MAX], number[16];
	struct config *c = r->config;
	size_t i;

	snprintf(number, sizeof number, "%u", cores());
	for (i = 0; i < NKEYS && !r->failed; i++) {
		const struct key *k = &keys[i];
		const char *value =
		    k->at == offsetof(struct config, pb.workers) ? number : k->fallback;

		if (c->line[i] != 0)
			continue;
		if (k->required)
			fail(r, r->section_line[i] != 0 ? r->section_line[i] : r->line, k->section,
			    k->key, "missing, and it has no default");
		else if (value != NULL && !set_value(c, k, value, why))
			fail(r, r->line, k->section, k->key, why);
		c->raw[i] = xstrdup(value != NULL ? value : "");
	}
}

static void
check_together(struct reading *r)
{
	const char *section, *key;
	char why[CONFIG_VALUE_MAX];
	const struct key *k;

	if (r->failed || config_cross(r->config, &section, &key, why))
		return;
	k = find_key(section, key);
	fail(r, k != NULL && r->config->line[k - keys] != 0 ? r->config->line[k - keys] : r->line,
	    section, key, why);
}

enum ns_err
config_parse(const char *file, const char *text, struct config *c, struct ns_why *why)
{
	struct reading r = { .file = file, .text = text, .config = c, .why = why };
	int line;

	*c = (struct config){ .pb = NS__CONFIG__INIT,
		.fleet = NS__CONFIG__FLEET__INIT,
		.api = NS__CONFIG__API__INIT };
	c->pb.fleet = &c->fleet;
	c->pb.api = &c->api;
	ini_allow_multiline = false;
	ini_stop_on_first_error = true;
	ini_use_stack = false;
	ini_max_line = ini_initial_alloc = CONFIG_VALUE_MAX + 2;
	line = ini_parse_stream(next_line, &r, on_value, &r);
	if (line != 0)
		fail(&r, line > 0 ? (unsigned)line : r.line, "", NULL,
		    "not of the form key = value");
	fill_defaults(&r);
	check_together(&r);
	if (!r.failed)
		return NS_OK;
	config_free(c);
	return NS_USAGE;
}

enum ns_err
config_load(const char *path, struct config *c, struct ns_why *why)
{
	static char text[CONFIG_FILE_MAX + 1];
	size_t used = 0;
	ssize_t n = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd >= 0)
		while (used < sizeof text && (n = read(fd, text + used, sizeof text - used)) > 0)
			used += (size_t)n;
	if (fd < 0 || n < 0) {
		int error = errno;

		if (fd >= 0)
			close(fd);
		return ns_fail(
		    why, NS_USAGE, CONFIG_CODE, "%s: cannot be read: %s", path, strerror(error));
	}
	close(fd);
	if (used >= sizeof text)
		return ns_fail(
		    why, NS_USAGE, CONFIG_CODE, "%s: longer than %u octets", path, CONFIG_FILE_MAX);
	text[used] = '\0';
	if (strlen(text) != used)
		return ns_fail(why, NS_USAGE, CONFIG_CODE, "%s: holds a NUL octet", path);
	return config_parse(path, text, c, why);
}

void
config_free(struct config *c)
{
	size_t i, j;

	for (i = 0; i < NKEYS; i++) {
		free(c->raw[i]);
		if (keys[i].kind == TEXT) {
			char **slot = text_slot(c, &keys[i]);

			if (*slot != protobuf_c_empty_string)
				free(*slot);
		} else if (keys[i].kind == LIST) {
			char **list = *(char ***)(void *)((char *)c + keys[i].at);
			size_t n = *(size_t *)(void *)((char *)c + keys[i].count_at);

			for (j = 0; j < n; j++)
				free(list[j]);
			free(list);
		}
	}
	*c = (struct config){ .pb = NS__CONFIG__INIT,
		.fleet = NS__CONFIG__FLEET__INIT,
		.api = NS__CONFIG__API__INIT };
}

const char *
config_key_name(size_t number, char *out, size_t size)
{
	if (number >= NKEYS)
		return NULL;
	snprintf(out, size, "[%s] %s", keys[number].section, keys[number].key);
	return out;
}

unsigned
config_line(const struct config *c, const char *section, const char *key)
{
	const struct key *k = find_key(section, key);

	return k != NULL ? c->line[k - keys] : 0;
}

bool
config_key_same(const struct config *a, const struct config *b, size_t number)
{
	return strcmp(a->raw[number], b->raw[number]) == 0;
}
