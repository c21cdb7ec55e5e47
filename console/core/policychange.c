/* policychange.c - changes of a policy's tree; see policytree.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console/core/policytree.h"
#include "ipc/base/xalloc.h"

#define POOL_NAME 63u /* octets; the appliance's limit is said by it, this one keeps fields short */

char *
pol_new_name(const json_t *doc, const char *like)
{
	char *name = xstrdup(like);

	for (unsigned i = 2; pol_pool(doc, name) != NULL; i++) {
		free(name);
		name = xasprintf("%s-%u", like, i);
	}
	return name;
}

static json_t *
new_pool(json_t *doc)
{
	char *name = pol_new_name(doc, "pool");
	json_t *node = json_pack("{s:s}", "pool", name);

	json_object_set_new(json_object_get(doc, "pools"), name,
	    json_pack("{s:s,s:[]}", "serve", "all", "answers"));
	free(name);
	return node;
}

/* What stands in a list of that kind of node for a branch that leads to `then`, which is taken. */
static json_t *
item_of(enum pol_use use, json_t *then)
{
	switch (use) {
	case POL_FAILOVER:
		return then;
	case POL_GEO:
		return json_pack("{s:[],s:o}", "match", "then", then);
	case POL_WEIGHTED:
		return json_pack("{s:i,s:o}", "weight", 1, "then", then);
	default:
		return json_pack("{s:o}", "then", then);
	}
}

/* The kind of node in whose list a row stands. */
static enum pol_use
use_of_list(const struct pol_row *r)
{
	if (r->item == r->node)
		return POL_FAILOVER;
	if (json_object_get(r->item, "match") != NULL)
		return POL_GEO;
	return json_object_get(r->item, "weight") != NULL ? POL_WEIGHTED : POL_LATENCY;
}

json_t *
pol_add(json_t *doc, const struct pol_row *r)
{
	json_t *list = pol_list(r->node), *node;

	if (list == NULL && r->list == NULL)
		return NULL;
	node = new_pool(doc);
	if (list != NULL)
		json_array_append_new(list, item_of(pol_use_of(r->node), node));
	else
		json_array_insert_new(r->list, r->index + 1, item_of(use_of_list(r), node));
	return node;
}

const char *
pol_delete(json_t *doc, const struct pol_row *r)
{
	if (r->stands_in)
		return "it stands in for another pool: change that one's when-down";
	if (r->list == NULL)
		return r->parent == SIZE_MAX ? "the root stays: choose another kind for it"
					     : "the default stays: whom no rule matches gets it";
	if (json_array_size(r->list) == 1)
		return "it is the last one: delete the node above it";
	json_array_remove(r->list, r->index);
	pol_prune(doc);
	return NULL;
}

bool
pol_move(const struct pol_row *r, int by)
{
	size_t to = r->index + (by > 0 ? 1 : 0) - (by < 0 ? 1 : 0);
	json_t *item;

	if (r->list == NULL || (by < 0 && r->index == 0) || to >= json_array_size(r->list))
		return false;
	item = json_incref(json_array_get(r->list, r->index));
	json_array_remove(r->list, r->index);
	json_array_insert_new(r->list, to, item);
	return true;
}

/* The first pool below; NULL: there is none. */
static const char *
first_pool(const json_t *node, unsigned depth)
{
	const char *name = pol_pool_of(node);
	json_t *item = json_array_get(pol_list(node), 0);

	if (name != NULL || item == NULL || depth == 0)
		return name;
	return first_pool(pol_then(node, item), depth - 1);
}

/* Where the branches of `from` lead, each once; a geo's default is the last. */
static json_t *
ways(const json_t *from)
{
	json_t *out = json_array(), *item, *otherwise = json_object_get(from, "default");
	size_t i;

	if (pol_use_of(from) == POL_POOL)
		json_array_append_new(out, json_deep_copy(from));
	json_array_foreach(pol_list(from), i, item)
	    json_array_append_new(out, json_deep_copy(pol_then(from, item)));
	for (i = 0; otherwise != NULL && i < json_array_size(out); i++)
		if (json_equal(json_array_get(out, i), otherwise))
			break;
	if (otherwise != NULL && i == json_array_size(out))
		json_array_append_new(out, json_deep_copy(otherwise));
	return out;
}

/* A node is changed where it stands: who holds it need not know. */
static void
fill_node(json_t *node, enum pol_use use, json_t *thens)
{
	json_t *list = json_array(), *then;
	size_t i, n = json_array_size(thens);

	json_object_set_new(node, "use", json_string(pol_uses[use]));
	/* Of a geo the last way is whoever nothing matches. */
	if (use == POL_GEO && n > 0) {
		json_object_set_new(node, "default", json_deep_copy(json_array_get(thens, n - 1)));
		n = n > 1 ? n - 1 : n;
	}
	json_array_foreach(thens, i, then) if (i < n)
	    json_array_append_new(list, item_of(use, json_incref(then)));
	json_object_set_new(node, pol_lists[use], list);
}

void
pol_turn(json_t *doc, json_t *node, const json_t *from, enum pol_use use)
{
	json_t *was = json_deep_copy(from), *thens = ways(was);
	const char *pool = first_pool(was, POL_DEPTH);

	json_object_clear(node);
	if (use == pol_use_of(was))
		json_object_update(node, was);
	else if (use == POL_POOL)
		json_object_set_new(node, "pool", json_string(pool != NULL ? pool : "main"));
	else
		fill_node(node, use, thens);
	json_decref(thens);
	json_decref(was);
	(void)doc; /* pools stay until pol_prune: the next choice may want them again */
}

/* ---- pools ---- */
static void
each_name(json_t *node, const char *from, const char *to, unsigned depth)
{
	const char *name = json_string_value(json_object_get(node, "pool"));
	json_t *item;
	size_t i;

	if (name != NULL && strcmp(name, from) == 0)
		json_object_set_new(node, "pool", json_string(to));
	if (depth == 0)
		return;
	json_array_foreach(pol_list(node), i, item)
	    each_name(pol_then(node, item), from, to, depth - 1);
	if (json_object_get(node, "default") != NULL)
		each_name(json_object_get(node, "default"), from, to, depth - 1);
}

bool
pol_rename(json_t *doc, const char *pool, const char *name)
{
	json_t *old = json_object_get(doc, "pools"), *fresh, *value;
	const char *key;
	char *from;

	if (name[0] == '\0' || strlen(name) > POOL_NAME || strpbrk(name, " \t") != NULL ||
	    pol_pool(doc, name) != NULL || pol_pool(doc, pool) == NULL)
		return false;
	from = xstrdup(pool);
	fresh = json_object();
	json_object_foreach(old, key, value) /* in its order */
	{
		each_name(json_object_get(value, "when_down"), from, name, 0);
		json_object_set(fresh, strcmp(key, from) == 0 ? name : key, value);
	}
	json_object_set_new(doc, "pools", fresh);
	each_name(json_object_get(doc, "root"), from, name, POL_DEPTH);
	free(from);
	return true;
}

static bool
leads_to(const json_t *node, const char *pool, unsigned depth)
{
	const char *name = json_string_value(json_object_get(node, "pool"));
	json_t *item;
	size_t i;

	if (name != NULL && strcmp(name, pool) == 0)
		return true;
	if (depth == 0)
		return false;
	json_array_foreach(pol_list(node), i,
	    item) if (leads_to(pol_then(node, item), pool, depth - 1)) return true;
	return json_object_get(node, "default") != NULL &&
	       leads_to(json_object_get(node, "default"), pool, depth - 1);
}

static bool
wanted(const json_t *doc, const char *pool)
{
	json_t *other;
	const char *name;

	if (leads_to(json_object_get(doc, "root"), pool, POL_DEPTH))
		return true;
	json_object_foreach(json_object_get(doc, "pools"), name,
	    other) if (strcmp(name, pool) != 0 &&
		       leads_to(json_object_get(other, "when_down"), pool, 0)) return true;
	return false;
}

void
pol_prune(json_t *doc)
{
	json_t *pools = json_object_get(doc, "pools"), *pool;
	const char *name;
	void *next;
	bool some = true;

	/* A pool that goes may have been the only one to name another. */
	while (some) {
		some = false;
		json_object_foreach_safe(pools, next, name, pool) if (!wanted(doc, name))
		{
			json_object_del(pools, name);
			some = true;
		}
	}
}
