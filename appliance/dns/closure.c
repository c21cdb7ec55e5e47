/* closure.c - see closure.h.  The choices are those of serve/policy.c: each node's branches that it can take in a
 * state of health, each pool's sets that it can give. */
#include "appliance/dns/closure.h"

#include <stdlib.h>

#include "ipc/base/hash.h"
#include "ipc/base/xalloc.h"

#define TABLE    (4u * CLOSURE_MAX) /* sparse, so that it is quick */
#define NO_CHECK UINT16_MAX

struct work {
	const struct policy *po;
	uint16_t down; /* the check that is; NO_CHECK: none */
	uint16_t check[POLICY_ANSWERS]; /* of each answer: the first answer that has it */
	bool drained[POLICY_ANSWERS];
	uint64_t hash[POLICY_ANSWERS]; /* of each answer's rdata */
	bool pool_up[POLICY_POOLS], node_up[POLICY_NODES];
	bool pool_in[POLICY_POOLS], node_in[POLICY_NODES]; /* somebody may be led there */
	uint64_t *seen;
	unsigned n;
};

static const uint8_t key[16] = "closure";

/* ---- sets ---- */
static int
compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* An RRset has no order, and nothing twice. */
static void
note(struct work *w, const uint16_t *answer, unsigned n)
{
	uint64_t list[POLICY_PICK], sum;
	unsigned kept = 0, at;

	for (unsigned i = 0; i < n; i++)
		list[i] = w->hash[answer[i]];
	qsort(list, n, sizeof list[0], compare);
	for (unsigned i = 0; i < n; i++)
		if (kept == 0 || list[i] != list[kept - 1])
			list[kept++] = list[i];
	if (kept == 0 || w->n > CLOSURE_MAX)
		return;
	sum = hash_sip24(key, list, kept * sizeof list[0]) | 1;
	for (at = sum >> 32 & (TABLE - 1); w->seen[at] != 0; at = (at + 1) & (TABLE - 1))
		if (w->seen[at] == sum)
			return;
	w->seen[at] = sum;
	w->n++;
}

/* ---- health ---- */
static bool
answer_up(const struct work *w, unsigned i)
{
	return !w->drained[i] && (w->down == NO_CHECK || w->check[i] != w->down);
}

static unsigned
count_up(const struct work *w, const struct policy_pool *pool)
{
	unsigned n = 0;

	for (unsigned i = 0; i < pool->count; i++)
		n += answer_up(w, pool->first + i);
	return n;
}

static bool
is_up(const struct work *w, uint16_t to)
{
	return to & POLICY_POOL ? w->pool_up[to & (unsigned)~POLICY_POOL] : w->node_up[to];
}

/* Nodes lead to nodes behind them only. */
static void
judge(struct work *w)
{
	struct policy_pool pool;
	struct policy_node n;
	struct policy_edge e;

	for (unsigned i = 0; policy_pool_at(w->po, i, &pool); i++)
		w->pool_up[i] = count_up(w, &pool) >= policy_least(&pool);
	for (unsigned i = w->po->nnodes; i-- > 0;) {
		w->node_up[i] = false;
		if (!policy_node_at(w->po, i, &n))
			continue;
		for (unsigned j = 0; j < n.count; j++)
			if (policy_edge_at(w->po, n.first + j, &e) && is_up(w, e.to))
				w->node_up[i] = true;
		if (n.kind == POLICY_GEO && is_up(w, n.otherwise))
			w->node_up[i] = true;
	}
}

/* ---- where it may lead ---- */
static void
lead_to(struct work *w, uint16_t to)
{
	if (to & POLICY_POOL)
		w->pool_in[to & (unsigned)~POLICY_POOL] = true;
	else
		w->node_in[to] = true;
}

/* Branches with weight 0 count only where no other one is up. */
static bool
has_weight(const struct work *w, const struct policy_node *n)
{
	struct policy_edge e;

	for (unsigned i = 0; i < n->count; i++)
		if (policy_edge_at(w->po, n->first + i, &e) && is_up(w, e.to) && e.weight > 0)
			return true;
	return false;
}

static void
lead_on(struct work *w, const struct policy_node *n)
{
	bool weight = n->kind == POLICY_WEIGHTED && has_weight(w, n), any = false;
	struct policy_edge e;

	for (unsigned i = 0; i < n->count; i++) {
		if (!policy_edge_at(w->po, n->first + i, &e))
			return;
		if (!is_up(w, e.to) && !(n->kind == POLICY_GEO && (n->flags & POLICY_NO_FALLBACK)))
			continue;
		if (weight && e.weight == 0)
			continue;
		lead_to(w, e.to);
		any = true;
		if (n->kind == POLICY_FAILOVER)
			return;
	}
	if (n->kind == POLICY_GEO) {
		lead_to(w, n->otherwise);
	} else if (!any &&
		   policy_edge_at(w->po,
		       n->kind == POLICY_FAILOVER ? n->first + n->count - 1u : n->first, &e)) {
		lead_to(w, e.to);
	}
}

/* ---- what a pool gives ---- */

/* The pool that answers in this one's place when it is down. */
static void
stand_in(const struct work *w, struct policy_pool *pool)
{
	for (unsigned i = 0; i < POLICY_POOLS && pool->when_down == POLICY_STAND_IN &&
			     count_up(w, pool) < policy_least(pool);
	     i++)
		if (!policy_pool_at(w->po, pool->stand_in, pool))
			return;
}

/* Its answers that are good to give; with one check down `last` is all of them. */
static unsigned
good(const struct work *w, const struct policy_pool *pool, uint16_t answer[POLICY_PICK])
{
	bool up = count_up(w, pool) >= policy_least(pool), weight = false;
	struct policy_answer a;
	unsigned n = 0, kept = 0;

	if (!up && pool->when_down == POLICY_CLOSED)
		return 0;
	for (unsigned i = 0; i < pool->count; i++) {
		if (up && !answer_up(w, pool->first + i))
			continue;
		answer[n++] = (uint16_t)(pool->first + i);
		weight = weight || (policy_answer_at(w->po, pool->first + i, &a) && a.weight > 0);
	}
	for (unsigned i = 0; i < n; i++)
		if (!weight || (policy_answer_at(w->po, answer[i], &a) && a.weight > 0))
			answer[kept++] = answer[i];
	return kept;
}

static void
give(struct work *w, struct policy_pool *pool)
{
	uint16_t answer[POLICY_PICK], some[POLICY_PICK];
	unsigned n, k;

	stand_in(w, pool);
	n = good(w, pool, answer);
	k = pool->serve == POLICY_ONE ? 1 : pool->serve == POLICY_SOME ? pool->k : n;
	if (k >= n) {
		note(w, answer, n);
		return;
	}
	for (unsigned from = 0; from < n; from++) {
		for (unsigned i = 0; i < k; i++)
			some[i] = answer[(from + i) % n];
		note(w, some, k);
	}
}

static void
add_state(struct work *w, uint16_t down)
{
	struct policy_pool pool;
	struct policy_node n;

	w->down = down;
	judge(w);
	for (unsigned i = 0; i < POLICY_NODES; i++)
		w->node_in[i] = false;
	for (unsigned i = 0; i < POLICY_POOLS; i++)
		w->pool_in[i] = false;
	lead_to(w, w->po->root);
	for (unsigned i = 0; policy_node_at(w->po, i, &n); i++)
		if (w->node_in[i])
			lead_on(w, &n);
	for (unsigned i = 0; policy_pool_at(w->po, i, &pool); i++)
		if (w->pool_in[i])
			give(w, &pool);
}

/* ---- answers and their checks ---- */
static bool
same_check(const struct policy *po, unsigned i, unsigned j)
{
	struct policy_answer a, b;
	const char *x, *y;
	size_t n, m;

	if (!policy_answer_at(po, i, &a) || !policy_answer_at(po, j, &b) || b.check_name == 0)
		return false;
	x = policy_name(po, a.check_name, &n);
	y = policy_name(po, b.check_name, &m);
	return x != NULL && y != NULL && n == m && memcmp(x, y, n) == 0;
}

static void
read_answers(struct work *w)
{
	struct policy_answer a;

	for (unsigned i = 0; policy_answer_at(w->po, i, &a); i++) {
		w->hash[i] = hash_sip24(key, a.rdata, a.rdlen);
		w->drained[i] = (a.flags & POLICY_DRAIN) != 0;
		w->check[i] = NO_CHECK;
		for (unsigned j = 0; a.check_name != 0 && w->check[i] == NO_CHECK; j++)
			if (same_check(w->po, i, j))
				w->check[i] = (uint16_t)j;
	}
}

unsigned
policy_closure(const struct policy *po)
{
	struct work *w = xcalloc(1, sizeof *w);
	unsigned n;

	w->po = po;
	w->seen = xcalloc(TABLE, sizeof *w->seen);
	read_answers(w);
	add_state(w, NO_CHECK);
	for (uint16_t i = 0; i < po->nanswers && w->n <= CLOSURE_MAX; i++)
		if (w->check[i] == i)
			add_state(w, i);
	n = w->n;
	free(w->seen);
	free(w);
	return n;
}

/* ---- what is signed ---- */

/* Answers of the pool that look at the same check as answer i, or 0 when one before it does. */
static unsigned
shares(const struct policy *po, const struct policy_pool *pool, unsigned i)
{
	struct policy_answer a, other;
	unsigned n = 0;

	if (!policy_answer_at(po, pool->first + i, &a) || a.check_name == 0)
		return 0;
	for (unsigned k = 0; k < pool->count; k++) {
		if (!policy_answer_at(po, pool->first + k, &other) || other.check_name == 0 ||
		    other.check != a.check)
			continue;
		if (k < i)
			return 0;
		n++;
	}
	return n;
}

/* Rounds of `serve: k` begin at each answer; a flip makes others of those that the answer is in.  Below the least
 * that must be up all, or the last good ones, are one more state. */
static unsigned
pool_signed_max(const struct policy *po, const struct policy_pool *pool)
{
	bool some = pool->serve == POLICY_SOME && pool->k > 1;
	unsigned n = pool->count, sum = some ? 2 * n : 2;

	if (pool->serve == POLICY_ONE || (pool->serve == POLICY_SOME && pool->k <= 1))
		return n;
	for (unsigned i = 0; i < n; i++) {
		unsigned flips = shares(po, pool, i), changed = flips * pool->k;

		if (flips > 0)
			sum += !some ? 1 : changed < n ? changed : n;
	}
	return sum;
}

unsigned
policy_signed_max(const struct policy *po)
{
	struct policy_pool pool;
	unsigned n = 0;

	for (unsigned i = 0; i < po->npools; i++)
		if (policy_pool_at(po, i, &pool))
			n += pool_signed_max(po, &pool);
	return n;
}
