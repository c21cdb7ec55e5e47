/* policydiff.c - what another version of a policy does otherwise, in words; see policytree.h. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "console/core/policytree.h"

struct words {
	char *out;
	size_t size, used;
};

static void __attribute__((format(printf, 2, 3))) say(struct words *w, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (w->used > 0 && w->used + 3 < w->size)
		w->used += (size_t)snprintf(w->out + w->used, w->size - w->used, "; ");
	if (w->used + 1 >= w->size)
		return;
	va_start(ap, fmt);
	n = vsnprintf(w->out + w->used, w->size - w->used, fmt, ap);
	va_end(ap);
	if (n > 0)
		w->used += (size_t)n < w->size - w->used ? (size_t)n : w->size - w->used - 1;
}

/* A member as text, or what it is when it is not there. */
static const char *
member(const json_t *object, const char *name, const char *otherwise, char out[64])
{
	const json_t *v = json_object_get(object, name);
	const char *pool = json_string_value(json_object_get(v, "pool"));

	snprintf(out, 64, "%s", otherwise);
	if (json_is_string(v))
		snprintf(out, 64, "%.60s", json_string_value(v));
	else if (json_is_integer(v))
		snprintf(out, 64, "%lld", (long long)json_integer_value(v));
	else if (json_is_true(v))
		snprintf(out, 64, "on");
	else if (pool != NULL)
		snprintf(out, 64, "pool %.50s", pool);
	return out;
}

static void
members(struct words *w, const char *what, const json_t *a, const json_t *b,
    const char *const rows[][2])
{
	char was[64], now[64];

	for (size_t i = 0; rows[i][0] != NULL; i++)
		if (strcmp(member(a, rows[i][0], rows[i][1], was),
			member(b, rows[i][0], rows[i][1], now)) != 0)
			say(w, "%s%s %s -> %s", what, rows[i][0], was, now);
}

static const json_t *
with_value(const json_t *pool, const char *value)
{
	const char *its;
	json_t *a;
	size_t i;

	json_array_foreach(json_object_get(pool, "answers"), i,
	    a) if ((its = json_string_value(json_object_get(a, "value"))) != NULL &&
		   strcmp(its, value) == 0) return a;
	return NULL;
}

/* Answers by value: those that changed; with sign those that are only in a. */
static void
answers(struct words *w, const char *name, const json_t *a, const json_t *b, char sign)
{
	static const char *const rows[][2] = { { "weight", "1" }, { "check", "-" },
		{ "drain", "off" }, { NULL, NULL } };
	char what[200];
	json_t *one;
	size_t i;

	json_array_foreach(json_object_get(a, "answers"), i, one)
	{
		const char *value = json_string_value(json_object_get(one, "value"));
		const json_t *other = value != NULL ? with_value(b, value) : NULL;

		snprintf(
		    what, sizeof what, "pool %.60s: %.100s ", name, value != NULL ? value : "?");
		if (other != NULL && sign == '~')
			members(w, what, one, other, rows);
		else if (other == NULL && sign != '~')
			say(w, "pool %.60s: %c%.100s", name, sign, value != NULL ? value : "?");
	}
}

void
pol_diff(const json_t *was, const json_t *now, char *out, size_t size)
{
	static const char *const rows[][2] = { { "serve", "all" }, { "min_healthy", "1" },
		{ "when_down", "open" }, { NULL, NULL } };
	static const char *const top[][2] = { { "ttl", "30" }, { NULL, NULL } };
	struct words w = { .out = out, .size = size };
	char a[512], b[512], what[80];
	const char *name;
	json_t *pool;

	out[0] = '\0';
	members(&w, "", was, now, top);
	pol_words(was, a, sizeof a);
	pol_words(now, b, sizeof b);
	if (strcmp(a, b) != 0)
		say(&w, "%s -> %s", a, b);
	json_object_foreach(json_object_get(was, "pools"), name, pool)
	{
		const json_t *other = pol_pool(now, name);

		if (other == NULL)
			continue;
		snprintf(what, sizeof what, "pool %.60s: ", name);
		members(&w, what, pool, other, rows);
		answers(&w, name, pool, other, '~');
		answers(&w, name, pool, other, '-');
		answers(&w, name, other, pool, '+');
	}
	/* Stickiness, fallback, the order of answers. */
	if (out[0] == '\0' && !json_equal(was, now))
		say(&w, "%s, otherwise set", b);
}

void
pol_all(const json_t *doc, char *out, size_t size)
{
	struct words w = { .out = out, .size = size };
	char tree[512];
	const char *name;
	json_t *pool, *one;
	size_t i;

	out[0] = '\0';
	pol_words(doc, tree, sizeof tree);
	if (strpbrk(tree, "(") != NULL) /* else it is one pool, which is named below */
		say(&w, "%s", tree);
	json_object_foreach(json_object_get(doc, "pools"), name, pool)
	{
		char what[400];
		int n = snprintf(what, sizeof what, "pool %.60s: ", name);

		json_array_foreach(json_object_get(pool, "answers"), i, one)
		{
			const char *value = json_string_value(json_object_get(one, "value")),
				   *check = json_string_value(json_object_get(one, "check"));

			n += n < 300 ? snprintf(what + n, sizeof what - (size_t)n,
					   "%s%.60s (%ld%s%.30s)", i > 0 ? ", " : "",
					   value != NULL ? value : "?", pol_weight(one),
					   check != NULL ? ", " : "", check != NULL ? check : "")
				     : 0;
		}
		say(&w, "%s", what);
	}
}
