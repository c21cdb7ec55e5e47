/* memo.c - see memo.h. */
#include "console/core/memo.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ipc/base/text.h"
#include "ipc/base/xalloc.h"

#define SCHEMA   "ns.console/1"
#define CODE_BAD 9201

struct memo {
	json_t *values;
	bool changed;
};

struct memo *
memo_new(void)
{
	struct memo *m = xcalloc(1, sizeof *m);

	m->values = json_object();
	return m;
}

void
memo_destroy(struct memo **mp)
{
	if (*mp == NULL)
		return;
	json_decref((*mp)->values);
	free(*mp);
	*mp = NULL;
}

const char *
memo_get(const struct memo *m, const char *name)
{
	return json_string_value(json_object_get(m->values, name));
}

void
memo_each(const struct memo *m, memo_fn *fn, void *arg)
{
	const char *name;
	json_t *value;

	json_object_foreach(m->values, name, value) fn(arg, name, json_string_value(value));
}

bool
memo_changed(const struct memo *m)
{
	return m->changed;
}

static bool
fits(const struct memo *m, const char *name, const char *value)
{
	return name[0] != '\0' && strlen(name) <= MEMO_NAME && strlen(value) <= MEMO_VALUE &&
	       text_is_clean(name, strlen(name)) && text_is_clean(value, strlen(value)) &&
	       (json_object_get(m->values, name) != NULL ||
		   json_object_size(m->values) < MEMO_NAMES);
}

void
memo_set(struct memo *m, const char *name, const char *value)
{
	const char *old = memo_get(m, name);

	if (value == NULL || value[0] == '\0') {
		m->changed |= old != NULL;
		json_object_del(m->values, name);
		return;
	}
	if ((old != NULL && strcmp(old, value) == 0) || !fits(m, name, value))
		return;
	json_object_set_new(m->values, name, json_string(value));
	m->changed = true;
}

/* ---- octets ---- */
enum ns_err
memo_decode(struct memo *m, const void *data, size_t len, struct ns_why *why)
{
	json_error_t error;
	json_t *doc =
	    len <= MEMO_FILE ? json_loadb(data, len, JSON_REJECT_DUPLICATES, &error) : NULL;
	json_t *values = json_object_get(doc, "values"), *value;
	const char *schema = json_string_value(json_object_get(doc, "schema")), *name;
	struct memo *fresh = memo_new();
	bool good = schema != NULL && strcmp(schema, SCHEMA) == 0 && json_is_object(values);

	json_object_foreach(values, name, value)
	{
		const char *text = json_string_value(value);

		if (!good || text == NULL || !fits(fresh, name, text)) {
			good = false;
			break;
		}
		memo_set(fresh, name, text);
	}
	json_decref(doc);
	if (good)
		json_object_update_missing(m->values, fresh->values);
	memo_destroy(&fresh);
	return good ? NS_OK : ns_fail(why, NS_CORRUPT, CODE_BAD, "not what the console remembers");
}

char *
memo_encode(const struct memo *m)
{
	json_t *doc = json_pack("{sssO}", "schema", SCHEMA, "values", m->values);
	char *text = json_dumps(doc, JSON_INDENT(1) | JSON_SORT_KEYS);

	json_decref(doc);
	return text;
}

/* ---- the file ---- */
static ssize_t
read_all(const char *path, char *out, size_t size)
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	size_t len = 0;
	ssize_t n = -1;

	while (fd >= 0 && len < size && (n = read(fd, out + len, size - len)) > 0)
		len += (size_t)n;
	if (fd >= 0)
		close(fd);
	return n < 0 ? -1 : (ssize_t)len;
}

enum ns_err
memo_load(struct memo *m, const char *path, struct ns_why *why)
{
	char *text = xmalloc(MEMO_FILE + 1), *aside;
	ssize_t len = read_all(path, text, MEMO_FILE + 1);
	enum ns_err err = len < 0 ? NS_NOTFOUND : memo_decode(m, text, (size_t)len, why);

	free(text);
	if (err != NS_CORRUPT)
		return err;
	aside = xasprintf("%s.damaged", path);
	if (rename(path, aside) == 0)
		(void)ns_fail(why, NS_CORRUPT, CODE_BAD,
		    "What was remembered of the last session is damaged; it is in %s now", aside);
	free(aside);
	return NS_CORRUPT;
}

static bool
write_all(int fd, const char *text)
{
	for (size_t len = strlen(text); len > 0;) {
		ssize_t n = write(fd, text, len);

		if (n <= 0)
			return false;
		text += n;
		len -= (size_t)n;
	}
	return true;
}

enum ns_err
memo_save(struct memo *m, const char *path, struct ns_why *why)
{
	char *text = memo_encode(m), *tmp = xasprintf("%s.XXXXXX", path);
	int fd = text != NULL ? mkstemp(tmp) : -1; /* 0600 */
	bool good = fd >= 0 && write_all(fd, text);

	if (fd >= 0)
		good = close(fd) == 0 && good;
	good = good && rename(tmp, path) == 0;
	if (!good)
		(void)ns_fail(
		    why, NS_FAILED, CODE_BAD, "%s cannot be written: %s", path, strerror(errno));
	if (!good && fd >= 0)
		(void)unlink(tmp);
	m->changed = !good;
	free(tmp);
	free(text);
	return good ? NS_OK : NS_FAILED;
}
