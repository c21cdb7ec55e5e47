/* text_policy_read.c - the JSON of a policy into its form: its tree, and the whole; see text_policy.h and
 * policy.h.
 *
 * A node's edges and keys are laid down before its branches are read, so that they stand side by side and every
 * branch lies behind its node. */
#include "appliance/dns/text_policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/dns/codes.h"
#include "appliance/dns/rrtype.h"
#include "appliance/dns/text_policy_reading.h"
#include "ipc/base/xalloc.h"

#define TTL_DEFAULT 30u
#define TEXT_LIMIT  (256u << 10) /* of JSON: what POLICY_SIZE octets can say, and more */

/* ---- nodes ---- */
static enum ns_err read_node(struct reading *, json_t *, uint16_t *to, bool *never_down);

static const struct use {
	const char *word, *members, *list, *item; /* item: members of one; NULL: it is a branch */
} uses[POLICY_KINDS] = {
	[POLICY_GEO] = { "geo", "use rules default fallback", "rules", "match then" },
	[POLICY_FAILOVER] = { "failover", "use order", "order", NULL },
	[POLICY_WEIGHTED] = { "weighted", "use branches sticky", "branches", "weight then" },
	[POLICY_LATENCY] = { "latency", "use branches", "branches", "then" },
};

/* What may be chosen with a word; the first is the default. */
static enum ns_err
read_word(
    struct reading *r, json_t *object, const char *name, const char *const words[2], bool *second)
{
	json_t *v = json_object_get(object, name);
	const char *word = json_string_value(v);

	*second = word != NULL && strcmp(word, words[1]) == 0;
	if (v == NULL || *second || (word != NULL && strcmp(word, words[0]) == 0))
		return NS_OK;
	return reading_refuse(r, E_POLICY, "%s: \"%s\" or \"%s\"", name, words[0], words[1]);
}

static enum ns_err
read_flags(struct reading *r, json_t *node, unsigned kind, uint8_t *flags)
{
	static const char *const fallback[] = { "next", "none" }, *const sticky[] = { "none",
		"network" };
	bool set = false;
	enum ns_err err = NS_OK;

	if (kind == POLICY_GEO)
		err = read_word(r, node, "fallback", fallback, &set);
	else if (kind == POLICY_WEIGHTED)
		err = read_word(r, node, "sticky", sticky, &set);
	*flags = !set ? 0 : kind == POLICY_GEO ? POLICY_NO_FALLBACK : POLICY_STICKY;
	return err;
}

/* What a branch is known by when clients stick to it: the pool's name, or all that is in it. */
static uint32_t
branch_identity(json_t *then)
{
	const char *pool = json_string_value(json_object_get(then, "pool"));
	char *text;
	uint32_t id;

	if (pool != NULL)
		return reading_identity(pool, strlen(pool));
	text = json_dumps(then, JSON_COMPACT | JSON_SORT_KEYS);
	id = reading_identity(text != NULL ? text : "", text != NULL ? strlen(text) : 0);
	free(text);
	return id;
}

/* Weights and places of the branches, side by side, before what is below them. */
static enum ns_err
read_edges(struct reading *r, json_t *node, unsigned kind)
{
	json_t *list = json_object_get(node, uses[kind].list);
	unsigned first = r->nedges, keys = r->nkeys;
	size_t n = json_array_size(list);

	if (n == 0)
		return reading_refuse(
		    r, E_POLICY, "\"%s\" is a list, and not empty", uses[kind].list);
	if (r->nedges + n > POLICY_EDGES)
		return reading_refuse(
		    r, E_POLICY_LIMIT, "at most %u branches in a policy", POLICY_EDGES);
	r->nedges += (unsigned)n;
	for (size_t i = 0; i < n; i++) {
		json_t *item = json_array_get(list, i);
		json_t *then = uses[kind].item != NULL ? json_object_get(item, "then") : item;
		size_t back = reading_enter(r, ".%s[%zu]", uses[kind].list, i);
		uint32_t weight = 1;
		enum ns_err err = NS_OK;

		if (uses[kind].item != NULL)
			err = reading_only(r, item, uses[kind].item);
		if (err == NS_OK && kind == POLICY_WEIGHTED)
			err = reading_number(r, item, "weight", UINT16_MAX, &weight);
		if (err == NS_OK && then == NULL)
			err = reading_refuse(r, E_POLICY, "\"then\" is missing");
		if (err != NS_OK)
			return err;
		wbuf_u16(&r->edges, 0);
		wbuf_u16(&r->edges, (uint16_t)weight);
		wbuf_u32(&r->edges, 0);
		wbuf_u32(&r->edges, branch_identity(then));
		if (kind == POLICY_GEO)
			err = reading_places(r, item, keys, first + (unsigned)i);
		if (err != NS_OK)
			return err;
		r->path[back] = '\0';
	}
	return NS_OK;
}

/* What the branches lead to.  *all_up: one of them (failover: one before the last) is never down. */
static enum ns_err
read_branches(struct reading *r, json_t *node, unsigned kind, unsigned first, bool *never_down)
{
	json_t *list = json_object_get(node, uses[kind].list);
	bool up = false;

	*never_down = false;
	for (size_t i = 0; i < json_array_size(list); i++) {
		json_t *item = json_array_get(list, i);
		size_t back = reading_enter(r, ".%s[%zu]", uses[kind].list, i);
		uint16_t to = 0;
		enum ns_err err;

		if (kind == POLICY_FAILOVER && up)
			return reading_refuse(r, E_POLICY_REACH,
			    "it is never reached: a branch before it is never down (its pool has "
			    "enough answers without a check)");
		if (uses[kind].item != NULL) {
			item = json_object_get(item, "then");
			(void)reading_enter(r, ".then");
		}
		err = read_node(r, item, &to, &up);
		if (err != NS_OK)
			return err;
		r->path[back] = '\0';
		put_u16(r->edges.base + (first + i) * POLICY_EDGE, to);
		*never_down = *never_down || up;
	}
	return NS_OK;
}

static enum ns_err
read_default(struct reading *r, json_t *node, unsigned index, bool *never_down)
{
	json_t *v = json_object_get(node, "default");
	size_t back = reading_enter(r, ".default");
	uint16_t to = 0;
	bool up = false;
	enum ns_err err = v != NULL ? read_node(r, v, &to, &up)
				    : reading_refuse(r, E_POLICY,
					  "is missing: what clients get whom no rule matches");

	if (err != NS_OK)
		return err;
	r->path[back] = '\0';
	put_u16(r->nodes.base + (size_t)index * POLICY_NODE + 6, to);
	*never_down = *never_down || up;
	return NS_OK;
}

static enum ns_err
read_inner(struct reading *r, json_t *node, unsigned kind, uint16_t *to, bool *never_down)
{
	unsigned index = r->nnodes, first = r->nedges;
	uint8_t flags = 0;
	enum ns_err err = reading_only(r, node, uses[kind].members);

	if (err == NS_OK && (r->nnodes == POLICY_NODES || r->depth == POLICY_DEPTH))
		err = reading_refuse(r, E_POLICY_LIMIT, "at most %u nodes in a policy, %u deep",
		    POLICY_NODES, POLICY_DEPTH);
	if (err == NS_OK)
		err = read_flags(r, node, kind, &flags);
	if (err == NS_OK)
		err = read_edges(r, node, kind);
	if (err != NS_OK)
		return err;
	wbuf_u8(&r->nodes, (uint8_t)kind);
	wbuf_u8(&r->nodes, flags);
	wbuf_u16(&r->nodes, (uint16_t)first);
	wbuf_u16(&r->nodes, (uint16_t)(r->nedges - first));
	wbuf_u16(&r->nodes, 0);
	r->nnodes++;
	r->depth++;
	err = read_branches(r, node, kind, first, never_down);
	if (err == NS_OK && kind == POLICY_GEO)
		err = read_default(r, node, index, never_down);
	r->depth--;
	*to = (uint16_t)index;
	return err;
}

static enum ns_err
read_node(struct reading *r, json_t *node, uint16_t *to, bool *never_down)
{
	const char *use = json_string_value(json_object_get(node, "use"));
	unsigned pool;
	enum ns_err err;

	if (json_object_get(node, "pool") != NULL) {
		err = reading_only(r, node, "pool");
		if (err == NS_OK)
			err = reading_find_pool(r, node, &pool);
		if (err != NS_OK)
			return err;
		*to = (uint16_t)(POLICY_POOL | pool);
		*never_down = r->never_down[pool];
		return NS_OK;
	}
	for (unsigned kind = 0; use != NULL && kind < POLICY_KINDS; kind++) {
		if (strcmp(use, uses[kind].word) == 0)
			return read_inner(r, node, kind, to, never_down);
	}
	return reading_refuse(r, E_POLICY,
	    "a node is {\"pool\": NAME}, or has \"use\": geo, failover, weighted or latency");
}

/* ---- the whole ---- */
static void
move_places(uint8_t *p, unsigned n, size_t step, size_t at, size_t by)
{
	for (unsigned i = 0; i < n; i++, p += step) {
		if (get_u16(p + at) != 0)
			put_u16(p + at, (uint16_t)(get_u16(p + at) + by));
	}
}

static enum ns_err
put_all(struct reading *r, uint32_t ttl, uint16_t root, struct wbuf *out)
{
	size_t tables =
	    POLICY_HEAD + r->nodes.len + r->edges.len + r->keys.len + r->pool.len + r->answers.len;

	snprintf(r->path, sizeof r->path, "policy");
	if (tables + r->data.len > POLICY_SIZE)
		return reading_refuse(r, E_POLICY_LIMIT, "it takes %zu octets, at most %u",
		    tables + r->data.len, POLICY_SIZE);
	/* Until now places were counted from 1. */
	move_places(r->pool.base, r->npools, POLICY_POOLSIZE, 14, tables - r->data_at);
	move_places(r->answers.base, r->nanswers, POLICY_ANSWER, 14, tables - r->data_at);
	move_places(r->answers.base, r->nanswers, POLICY_ANSWER, 16, tables - r->data_at);
	wbuf_u16(out, r->type);
	wbuf_u8(out, POLICY_VERSION);
	wbuf_u8(out, 0);
	wbuf_u32(out, ttl);
	wbuf_u16(out, root);
	wbuf_u16(out, (uint16_t)r->nnodes);
	wbuf_u16(out, (uint16_t)r->nedges);
	wbuf_u16(out, (uint16_t)r->nkeys);
	wbuf_u16(out, (uint16_t)r->npools);
	wbuf_u16(out, (uint16_t)r->nanswers);
	wbuf_u32(out, 0);
	wbuf_put(out, r->nodes.base, r->nodes.len);
	wbuf_put(out, r->edges.base, r->edges.len);
	wbuf_put(out, r->keys.base, r->keys.len);
	wbuf_put(out, r->pool.base, r->pool.len);
	wbuf_put(out, r->answers.base, r->answers.len);
	wbuf_put(out, r->data.base, r->data.len);
	return NS_OK;
}

static enum ns_err
read_policy(struct reading *r, json_t *doc, struct wbuf *out)
{
	uint32_t ttl = TTL_DEFAULT;
	uint16_t root = 0;
	bool never_down;
	enum ns_err err;

	snprintf(r->path, sizeof r->path, "policy");
	err = reading_only(r, doc, "ttl root pools");
	if (err == NS_OK)
		err = reading_number(r, doc, "ttl", TTL_MAX, &ttl);
	r->pools = json_object_get(doc, "pools");
	if (err == NS_OK)
		err = reading_pools(r);
	if (err != NS_OK)
		return err;
	snprintf(r->path, sizeof r->path, "root");
	err = read_node(r, json_object_get(doc, "root"), &root, &never_down);
	for (unsigned i = 0; i < r->npools && err == NS_OK; i++) {
		snprintf(r->path, sizeof r->path, "pools.%s", r->pool_name[i]);
		if (!r->used[i])
			err = reading_refuse(
			    r, E_POLICY_REACH, "it is never reached: no branch leads to it");
	}
	return err == NS_OK ? put_all(r, ttl, root, out) : err;
}

/* The form's own check says what was not looked for here: circles of pools that stand in. */
static enum ns_err
check_whole(struct reading *r, const struct wbuf *out)
{
	const char *rule = policy_check(out->base, out->len);

	snprintf(r->path, sizeof r->path, "pools");
	return rule != NULL ? reading_refuse(r, E_POLICY, "%s", rule) : NS_OK;
}

enum ns_err
policy_from_text(
    const char *text, size_t len, uint8_t *out, size_t outsize, size_t *outlen, struct ns_why *why)
{
	struct reading *r = xcalloc(1, sizeof *r);
	struct wbuf w = wbuf_init(out, outsize);
	size_t word = 0;
	json_error_t error;
	json_t *doc = NULL;
	enum ns_err err = NS_OK;

	r->why = why;
	r->data_at = 1;
	r->nodes = r->edges = r->keys = r->pool = r->answers = wbuf_grow(POLICY_SIZE);
	r->data = wbuf_grow(2 * UINT16_MAX);
	while (word < len && text[word] != ' ' && text[word] != '\t')
		word++;
	r->type = rrtype_from_chars(text, word);
	if (r->type == 0 || !policy_type_ok(r->type))
		err = ns_fail(why, NS_INVALID, E_POLICY,
		    "\"%.*s\": no type that a policy can answer for", (int)(word < 20 ? word : 20),
		    text);
	else if (len - word > TEXT_LIMIT)
		err = ns_fail(why, NS_INVALID, E_POLICY_LIMIT,
		    "a policy's text is at most %u octets", TEXT_LIMIT);
	else if ((doc = json_loadb(text + word, len - word, JSON_REJECT_DUPLICATES, &error)) ==
		 NULL)
		err = ns_fail(why, NS_INVALID, E_POLICY, "not JSON: line %d, column %d: %.120s",
		    error.line, error.column, error.text);
	else
		err = read_policy(r, doc, &w);
	if (err == NS_OK && !wbuf_ok(&w))
		err = ns_fail(why, NS_INVALID, E_POLICY_LIMIT, "the policy is too large");
	if (err == NS_OK)
		err = check_whole(r, &w);
	*outlen = err == NS_OK ? w.len : 0;
	wbuf_free(&r->nodes);
	wbuf_free(&r->edges);
	wbuf_free(&r->keys);
	wbuf_free(&r->pool);
	wbuf_free(&r->answers);
	wbuf_free(&r->data);
	json_decref(doc);
	free(r);
	return err;
}
