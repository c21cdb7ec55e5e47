/* policyfx.c - see policyfx.h. */
#include "console/core/policyfx.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STAND_INS 16u /* pools that stand in for each other, at most so many in a row */

/* ---- up or down ---- */
bool
pol_answer_up(const struct pol_health *h, const json_t *answer)
{
	const char *check = json_string_value(json_object_get(answer, "check"));

	if (json_is_true(json_object_get(answer, "drain")))
		return false;
	if (check == NULL)
		return true;
	if (h->failed != NULL && strcmp(h->failed, check) == 0)
		return false;
	return h->state == NULL || h->state(h->arg, check) == POL_UP;
}

static size_t
count_up(const struct pol_health *h, const json_t *pool)
{
	size_t i, up = 0;
	json_t *a;

	json_array_foreach(json_object_get(pool, "answers"), i, a) up += pol_answer_up(h, a);
	return up;
}

static size_t
least(const json_t *pool)
{
	const json_t *v = json_object_get(pool, "min_healthy");
	size_t n = json_array_size(json_object_get(pool, "answers"));
	long want = json_is_integer(v) ? (long)json_integer_value(v) : 1;

	if (json_is_string(v)) {
		want = strtol(json_string_value(v), NULL, 10);
		return want > 0 && want <= 100 ? (n * (size_t)want + 99) / 100 : 1;
	}
	return want > 0 ? (size_t)want : 1;
}

bool
pol_pool_up(const struct pol_health *h, const json_t *pool)
{
	return count_up(h, pool) >= least(pool);
}

static bool
up_below(const struct pol_health *h, const json_t *doc, const json_t *node, unsigned depth)
{
	json_t *item, *otherwise = json_object_get(node, "default");
	size_t i;

	if (pol_use_of(node) == POL_POOL)
		return pol_pool_up(h, pol_pool(doc, pol_pool_of(node)));
	if (depth == 0)
		return false;
	json_array_foreach(pol_list(node), i,
	    item) if (up_below(h, doc, pol_then(node, item), depth - 1)) return true;
	return otherwise != NULL && up_below(h, doc, otherwise, depth - 1);
}

bool
pol_node_up(const struct pol_health *h, const json_t *doc, const json_t *node)
{
	return up_below(h, doc, node, POL_DEPTH);
}

/* ---- shares ---- */
/* Those that are given at all: up ones, or all of a pool that is down and open.  false: others are. */
static bool
given(const struct pol_health *h, const json_t *pool, const json_t *answer, bool *closed)
{
	const char *down = json_string_value(json_object_get(pool, "when_down"));

	*closed = false;
	if (pol_pool_up(h, pool))
		return pol_answer_up(h, answer);
	*closed = json_object_get(pool, "when_down") != NULL &&
		  (down == NULL || strcmp(down, "open") != 0);
	return true;
}

int
pol_share(const struct pol_health *h, const json_t *pool, const json_t *answer)
{
	const json_t *serve = json_object_get(pool, "serve");
	const char *word = json_string_value(serve),
		   *down = json_string_value(json_object_get(pool, "when_down"));
	long sum = 0, n = 0, heavy = 0, weight = pol_weight(answer), pick;
	bool closed, mine = given(h, pool, answer, &closed);
	size_t i;
	json_t *a;

	if (closed)
		return down != NULL && strcmp(down, "closed") == 0 ? 0 : -1;
	json_array_foreach(json_object_get(pool, "answers"), i, a) if (given(h, pool, a, &closed))
	{
		n++;
		heavy += pol_weight(a) > 0;
		sum += pol_weight(a);
	}
	if (!mine || n == 0 || (heavy > 0 && weight == 0))
		return 0;
	n = heavy > 0 ? heavy : n;
	if (word != NULL && strcmp(word, "one") == 0)
		return (int)(sum > 0 ? (weight * 100 + sum / 2) / sum : (100 + n / 2) / n);
	pick = json_is_integer(serve) ? (long)json_integer_value(serve) : n;
	return (int)(pick >= n ? 100 : (pick * 100 + n / 2) / n);
}

void
pol_sum(const struct pol_health *h, const json_t *doc, struct pol_sum *s)
{
	const char *name;
	json_t *pool, *a;
	size_t i;

	*s = (struct pol_sum){ 0 };
	json_object_foreach(json_object_get(doc, "pools"), name, pool)
	{
		json_array_foreach(json_object_get(pool, "answers"), i, a)
		{
			s->answers++;
			s->up += pol_answer_up(h, a);
			s->checks += json_object_get(a, "check") != NULL;
			s->drained += json_is_true(json_object_get(a, "drain"));
		}
		s->down = s->down || !pol_pool_up(h, pool);
	}
}

/* ---- who gets what ---- */
struct way {
	const struct pol_health *h;
	const json_t *doc;
	const struct pol_tree *tree;
	const json_t *toward[POL_DEPTH + 1]; /* nodes from the root to the row */
	size_t n;
	bool several; /* a weighted or latency node may take another one, too */
};

static bool
on_way(const struct way *w, const json_t *node)
{
	for (size_t i = 0; i < w->n; i++)
		if (w->toward[i] == node)
			return true;
	return false;
}

static const json_t *
branch_on_way(const struct way *w, const json_t *node)
{
	json_t *item, *otherwise = json_object_get(node, "default");
	size_t i;

	json_array_foreach(pol_list(node), i,
	    item) if (on_way(w, pol_then(node, item))) return pol_then(node, item);
	return otherwise != NULL && on_way(w, otherwise) ? otherwise : NULL;
}

static const json_t *
first_up(const struct way *w, const json_t *node, bool last_else)
{
	json_t *item, *found = NULL;
	json_t *list = pol_list(node);
	size_t i;

	json_array_foreach(list, i,
	    item) if (pol_node_up(w->h, w->doc, found = pol_then(node, item))) return found;
	return last_else ? found : pol_then(node, json_array_get(list, 0));
}

static size_t
count_branches_up(const struct way *w, const json_t *node)
{
	json_t *item;
	size_t i, n = 0;

	json_array_foreach(pol_list(node), i, item) n +=
	    pol_node_up(w->h, w->doc, pol_then(node, item));
	return n;
}

static const json_t *
next_of(struct way *w, const json_t *node)
{
	const json_t *mine = branch_on_way(w, node);
	const char *fallback = json_string_value(json_object_get(node, "fallback"));
	enum pol_use use = pol_use_of(node);

	if (use == POL_FAILOVER)
		return first_up(w, node, true);
	if (mine != NULL && pol_node_up(w->h, w->doc, mine))
		return mine;
	if (use == POL_GEO)
		return mine != NULL && fallback != NULL && strcmp(fallback, "none") == 0
			   ? mine
			   : json_object_get(node, "default");
	w->several = w->several || count_branches_up(w, node) > 1;
	return first_up(w, node, false);
}

/* The pool at the end. */
static const char *
pool_at_end(struct way *w)
{
	const json_t *node = json_object_get(w->doc, "root");

	for (unsigned depth = 0; depth < POL_DEPTH && pol_use_of(node) != POL_POOL; depth++)
		node = next_of(w, node);
	return pol_pool_of(node);
}

struct text {
	char *out;
	size_t size, used;
};

static void __attribute__((format(printf, 2, 3))) say(struct text *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (t->used + 1 >= t->size)
		return;
	va_start(ap, fmt);
	n = vsnprintf(t->out + t->used, t->size - t->used, fmt, ap);
	va_end(ap);
	if (n > 0)
		t->used += (size_t)n;
}

/* Its answers that are given, with their shares; another pool's, where that stands in. */
static void
say_pool(struct text *t, const struct way *w, const char *name, unsigned hops)
{
	const json_t *pool = pol_pool(w->doc, name), *down = json_object_get(pool, "when_down");
	const char *word = json_string_value(down),
		   *other = json_string_value(json_object_get(down, "pool"));
	bool up = pol_pool_up(w->h, pool), some = false;
	json_t *a;
	size_t i;

	if (!up && other != NULL && hops > 0) {
		say_pool(t, w, other, hops - 1);
		return;
	}
	say(t, "pool %s", name);
	if (!up && word != NULL && strcmp(word, "open") != 0) {
		say(t,
		    strcmp(word, "closed") == 0 ? ", closed: no answer" : ", what was good last");
		return;
	}
	say(t, up ? ":" : ", open: all of");
	json_array_foreach(json_object_get(pool, "answers"), i, a)
	{
		const char *value = json_string_value(json_object_get(a, "value"));
		int share = pol_share(w->h, pool, a);

		if (share <= 0)
			continue;
		say(t, share < 100 ? "%s %s %d%%" : "%s %s", some ? "," : "",
		    value != NULL ? value : "?", share);
		some = true;
	}
}

/* "EU": the rules on the way, from the last on; empty: all clients. */
static const char *
who(const struct pol_tree *t, size_t row)
{
	for (; row != SIZE_MAX && t->rows[row].parent != SIZE_MAX; row = t->rows[row].parent)
		if (pol_use_of(t->rows[t->rows[row].parent].node) == POL_GEO)
			return t->rows[row].label;
	return "";
}

static void
say_way(struct way *w, const char *when, size_t row, char out[POL_EFFECT])
{
	struct text t = { .out = out, .size = POL_EFFECT };
	const char *client = who(w->tree, row), *pool;

	w->several = false;
	pool = pool_at_end(w);
	say(&t, "%s: ", when);
	if (client[0] != '\0')
		say(&t, "%s gets ", strcmp(client, "default") == 0 ? "whoever is left" : client);
	if (w->several)
		say(&t, "one of several, as ");
	say_pool(&t, w, pool != NULL ? pool : "?", STAND_INS);
}

/* The checks of a row's pool; of a node above, none. */
static size_t
say_checks(
    struct way *w, struct pol_health *h, size_t row, const json_t *pool, char out[][POL_EFFECT])
{
	size_t i, n = 0;
	char when[POL_EFFECT / 2];
	json_t *a;

	json_array_foreach(json_object_get(pool, "answers"), i, a)
	{
		const char *check = json_string_value(json_object_get(a, "check"));

		if (check == NULL || n == POL_EFFECTS || !pol_answer_up(w->h, a))
			continue;
		h->failed = check;
		snprintf(when, sizeof when, "If %.60s fails", check);
		say_way(w, when, row, out[n++]);
		h->failed = NULL;
	}
	return n;
}

static enum pol_state
all_of_pool_down(void *arg, const char *check)
{
	json_t *a;
	size_t i;
	void *const *pair = arg;
	const struct pol_health *h = pair[1];

	json_array_foreach(json_object_get(pair[0], "answers"), i, a)
	{
		const char *its = json_string_value(json_object_get(a, "check"));

		if (its != NULL && strcmp(its, check) == 0)
			return POL_DOWN;
	}
	return h->state == NULL ? POL_UP : h->state(h->arg, check);
}

size_t
pol_effects(const struct pol_health *health, const json_t *doc, const struct pol_tree *t,
    size_t row, char out[POL_EFFECTS + 2][POL_EFFECT])
{
	struct pol_health h = *health;
	struct way w = { .h = &h, .doc = doc, .tree = t };
	const char *name = row < t->n ? pol_pool_of(t->rows[row].node) : NULL;
	json_t *pool = pol_pool(doc, name);
	void *pair[2] = { pool, (void *)(uintptr_t)health };
	char when[POL_EFFECT / 2];
	size_t n = 1, before;

	if (row >= t->n || t->rows[row].stands_in)
		return 0;
	for (size_t r = row; r != SIZE_MAX && w.n <= POL_DEPTH; r = t->rows[r].parent)
		w.toward[w.n++] = t->rows[r].node;
	say_way(&w, "Now", row, out[0]);
	if (pool == NULL)
		return n;
	before = n;
	n += say_checks(&w, &h, row, pool, &out[n]);
	h.state = all_of_pool_down;
	h.arg = pair;
	/* One check that takes it all down was said already; without checks it never is down. */
	if (n - before > 1 && !pol_pool_up(&h, pool)) {
		snprintf(when, sizeof when, "If all of %.60s fail", name);
		say_way(&w, when, row, out[n++]);
	}
	return n;
}
