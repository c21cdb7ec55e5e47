/* policytree.c - see policytree.h: the tree as rows, and what is said of it; changes are in policychange.c. */
#include "console/core/policytree.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ipc/base/xalloc.h"

const char *const pol_uses[POL_USES + 1] = { "geo", "failover", "weighted", "latency", "pool",
	NULL };

const char *const pol_lists[POL_USES] = { "rules", "order", "branches", "branches", NULL };

json_t *
pol_parse(const char *text, char type[16])
{
	size_t n = strcspn(text, " ");

	if (n == 0 || n > 15 || text[n] != ' ')
		return NULL;
	snprintf(type, 16, "%.*s", (int)n, text);
	return json_loads(text + n, JSON_REJECT_DUPLICATES, NULL);
}

char *
pol_text(const char *type, const json_t *doc)
{
	char *json = json_dumps(doc, JSON_COMPACT),
	     *text = xasprintf("%s %s", type, json != NULL ? json : "{}");

	free(json);
	return text;
}

json_t *
pol_new(void)
{
	return json_pack("{s:i,s:{s:s},s:{s:{s:s,s:[]}}}", "ttl", 60, "root", "pool", "main",
	    "pools", "main", "serve", "all", "answers");
}

json_t *
pol_copy(const json_t *doc)
{
	return json_deep_copy(doc);
}

enum pol_use
pol_use_of(const json_t *node)
{
	const char *use = json_string_value(json_object_get(node, "use"));

	for (unsigned i = 0; use != NULL && i < POL_POOL; i++)
		if (strcmp(use, pol_uses[i]) == 0)
			return (enum pol_use)i;
	return POL_POOL;
}

const char *
pol_pool_of(const json_t *node)
{
	return pol_use_of(node) == POL_POOL ? json_string_value(json_object_get(node, "pool"))
					    : NULL;
}

json_t *
pol_pool(const json_t *doc, const char *name)
{
	return name != NULL ? json_object_get(json_object_get(doc, "pools"), name) : NULL;
}

json_t *
pol_list(const json_t *node)
{
	const char *name = pol_lists[pol_use_of(node)];

	return name != NULL ? json_object_get(node, name) : NULL;
}

json_t *
pol_then(const json_t *node, json_t *item)
{
	return pol_use_of(node) == POL_FAILOVER ? item : json_object_get(item, "then");
}

long
pol_weight(const json_t *item)
{
	const json_t *w = json_object_get(item, "weight");

	return json_is_integer(w) ? (long)json_integer_value(w) : 1;
}

/* ---- rows ---- */
/* "EU,DE,AS64500": places without their kinds, where they speak for themselves. */
static void
places_label(const json_t *rule, char out[POL_LABEL])
{
	const json_t *place;
	size_t i, used = 0;

	out[0] = '\0';
	json_array_foreach(json_object_get(rule, "match"), i, place)
	{
		const char *text = json_string_value(place),
			   *colon = text != NULL ? strchr(text, ':') : NULL;

		if (colon == NULL || used + 1 >= POL_LABEL)
			continue;
		used += (size_t)snprintf(out + used, POL_LABEL - used, "%s%s%s", i > 0 ? "," : "",
		    strncmp(text, "asn:", 4) == 0 ? "AS" : "", colon + 1);
	}
	if (out[0] == '\0')
		snprintf(out, POL_LABEL, "nowhere yet");
}

static struct pol_row *
new_row(struct pol_tree *t, json_t *node, size_t parent)
{
	struct pol_row *r = &t->rows[t->n++];

	*r = (struct pol_row){ .node = node, .parent = parent };
	if (parent != SIZE_MAX) {
		r->depth = t->rows[parent].depth + 1;
		r->last = t->rows[parent].last;
		memcpy(r->path, t->rows[parent].path, sizeof r->path);
	}
	return r;
}

static void __attribute__((format(printf, 2, 3))) extend(struct pol_row *r, const char *fmt, ...)
{
	size_t len = strlen(r->path);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(r->path + len, sizeof r->path - len, fmt, ap);
	va_end(ap);
}

static void
name_row(struct pol_row *r, enum pol_use parent, json_t *item, size_t i)
{
	extend(r, ".%s[%zu]%s", pol_lists[parent], i, parent == POL_FAILOVER ? "" : ".then");
	if (parent == POL_GEO)
		places_label(item, r->label);
	else if (parent == POL_WEIGHTED)
		snprintf(r->label, sizeof r->label, "weight %ld", pol_weight(item));
	else
		snprintf(r->label, sizeof r->label, "%zu", i + 1);
}

/* What stands below row `at`. */
static void
rows_below(struct pol_tree *t, size_t at)
{
	json_t *node = t->rows[at].node, *list = pol_list(node), *otherwise, *item;
	enum pol_use use = pol_use_of(node);
	unsigned depth = t->rows[at].depth + 1;
	size_t i, n = json_array_size(list);

	otherwise = use == POL_GEO ? json_object_get(node, "default") : NULL;
	if (depth >= POL_DEPTH) {
		t->cut = t->cut || n > 0;
		return;
	}
	json_array_foreach(list, i, item)
	{
		struct pol_row *r;

		if (t->n + 2 >= POL_ROWS) {
			t->cut = true;
			return;
		}
		r = new_row(t, pol_then(node, item), at);
		r->item = item;
		r->list = list;
		r->index = i;
		if (i + 1 == n && otherwise == NULL)
			r->last |= 1u << depth;
		name_row(r, use, item, i);
		rows_below(t, t->n - 1);
	}
	if (otherwise == NULL || t->n + 2 >= POL_ROWS)
		return;
	new_row(t, otherwise, at)->last |= 1u << depth;
	snprintf(t->rows[t->n - 1].label, POL_LABEL, "default");
	extend(&t->rows[t->n - 1], ".default");
	rows_below(t, t->n - 1);
}

static bool
has_row(const struct pol_tree *t, const char *pool)
{
	for (size_t i = 0; i < t->n; i++) {
		const char *name = pol_pool_of(t->rows[i].node);

		if (name != NULL && strcmp(name, pool) == 0)
			return true;
	}
	return false;
}

/* Pools to which only a when_down leads have a row of their own, with the object that names them. */
static void
stand_ins(struct pol_tree *t, json_t *doc)
{
	const char *name;
	json_t *pool;

	json_object_foreach(json_object_get(doc, "pools"), name, pool)
	{
		json_t *down = json_object_get(pool, "when_down");
		const char *other = json_string_value(json_object_get(down, "pool"));

		if (other == NULL || has_row(t, other) || t->n == POL_ROWS)
			continue;
		new_row(t, down, SIZE_MAX)->stands_in = true;
		snprintf(t->rows[t->n - 1].label, POL_LABEL, "stands in");
		snprintf(t->rows[t->n - 1].path, POL_PATH, "pools.%.100s", other);
	}
}

void
pol_rows(struct pol_tree *t, json_t *doc)
{
	json_t *root = json_object_get(doc, "root");

	if (t->rows == NULL)
		t->rows = xcalloc(POL_ROWS, sizeof *t->rows);
	t->n = 0;
	t->cut = false;
	if (!json_is_object(root))
		return;
	snprintf(new_row(t, root, SIZE_MAX)->path, POL_PATH, "root");
	rows_below(t, 0);
	stand_ins(t, doc);
}

void
pol_rows_free(struct pol_tree *t)
{
	free(t->rows);
	*t = (struct pol_tree){ 0 };
}

size_t
pol_row_of(const struct pol_tree *t, const json_t *node)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->rows[i].node == node)
			return i;
	return SIZE_MAX;
}

/* "root.rules[0]" is on "root.rules[0].then.order[1]", and on "root.rules[0].match[2]". */
static bool
on_path(const char *row, const char *path)
{
	size_t n = strlen(row);

	if (n > 5 && strcmp(row + n - 5, ".then") == 0 && strncmp(row, path, n) != 0)
		n -= 5;
	return strncmp(row, path, n) == 0 &&
	       (path[n] == '\0' || path[n] == '.' || path[n] == ':' || path[n] == '[');
}

size_t
pol_find(const struct pol_tree *t, const char *path)
{
	size_t found = SIZE_MAX, best = 0;

	for (size_t i = 0; i < t->n; i++) {
		const char *pool = pol_pool_of(t->rows[i].node);
		size_t n = pool != NULL ? strlen(pool) : 0;

		if (strncmp(path, "pools.", 6) == 0 && pool != NULL &&
		    strncmp(path + 6, pool, n) == 0 && strchr(":.", path[6 + n]) != NULL)
			return i;
		if (on_path(t->rows[i].path, path) && strlen(t->rows[i].path) >= best) {
			found = i;
			best = strlen(t->rows[i].path);
		}
	}
	return found;
}

/* ---- words ---- */
void
pol_describe(const json_t *doc, const json_t *node, char *out, size_t size)
{
	const char *name = pol_pool_of(node), *word;
	const json_t *pool = pol_pool(doc, name), *serve = json_object_get(pool, "serve");

	if (name == NULL) {
		const char *sticky = json_string_value(json_object_get(node, "sticky"));

		snprintf(out, size, "%s%s", pol_uses[pol_use_of(node)],
		    sticky != NULL && strcmp(sticky, "network") == 0 ? ", sticky" : "");
		return;
	}
	word = json_string_value(serve);
	if (word != NULL && strcmp(word, "one") == 0)
		snprintf(out, size, "pool %s, by weight", name);
	else if (json_is_integer(serve))
		snprintf(out, size, "pool %s, %d each", name, (int)json_integer_value(serve));
	else
		snprintf(out, size, "pool %s, all", name);
}

struct words {
	char *out;
	size_t size, used;
	unsigned depth;
};

static void __attribute__((format(printf, 2, 3))) say(struct words *w, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (w->used + 1 >= w->size)
		return;
	va_start(ap, fmt);
	n = vsnprintf(w->out + w->used, w->size - w->used, fmt, ap);
	va_end(ap);
	if (n > 0)
		w->used += (size_t)n;
}

static void
say_node(struct words *w, const json_t *node)
{
	enum pol_use use = pol_use_of(node);
	const char *pool = pol_pool_of(node);
	char label[POL_LABEL];
	json_t *item;
	size_t i;

	if (use == POL_POOL || w->depth >= POL_DEPTH) {
		say(w, "%s", pool != NULL ? pool : "?");
		return;
	}
	w->depth++;
	say(w, "%s(", pol_uses[use]);
	json_array_foreach(pol_list(node), i, item)
	{
		say(w, "%s", i > 0 ? ", " : "");
		if (use == POL_GEO) {
			places_label(item, label);
			say(w, "%s: ", label);
		}
		if (use == POL_WEIGHTED)
			say(w, "%ld ", pol_weight(item));
		say_node(w, pol_then(node, item));
	}
	if (use == POL_GEO) {
		say(w, ", default: ");
		say_node(w, json_object_get(node, "default"));
	}
	say(w, ")");
	w->depth--;
}

void
pol_words(const json_t *doc, char *out, size_t size)
{
	struct words w = { .out = out, .size = size };

	out[0] = '\0';
	say_node(&w, json_object_get(doc, "root"));
}
