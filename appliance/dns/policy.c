/* policy.c - the rules of a policy's form; see policy.h.
 *
 * Called by rdata_check() for whatever comes in: an edit, an import, another appliance, a backup. */
#include "appliance/dns/policy.h"

#include "appliance/dns/rrtype.h"

bool
policy_type_ok(uint16_t type)
{
	const struct rrtype *t = rrtype_find(type);

	/* What makes the zone's own shape is no matter of health or place. */
	return !rrtype_is_meta(type) && type != RR_NSPOLICY && type != RR_ALIAS && type != RR_SOA &&
	       type != RR_NS && type != RR_DS && type != RR_DNAME &&
	       (t == NULL || (t->flags & RRT_DNSSEC) == 0);
}

const char *
policy_name(const struct policy *po, uint16_t at, size_t *len)
{
	size_t tables = (size_t)(po->answers - po->p) + (size_t)po->nanswers * POLICY_ANSWER;

	if (at < tables || at >= po->len || po->p[at] == 0 || po->p[at] > POLICY_NAME ||
	    po->p[at] > po->len - at - 1)
		return NULL;
	*len = po->p[at];
	return (const char *)po->p + at + 1;
}

unsigned
policy_least(const struct policy_pool *pool)
{
	if (pool->percent)
		return (pool->count * (unsigned)pool->least + 99) / 100;
	return pool->least;
}

static bool
leads_on(const struct policy *po, unsigned from, uint16_t to)
{
	if (to & POLICY_POOL)
		return (to & ~POLICY_POOL) < po->npools;
	return to > from && to < po->nnodes;
}

static const char *
check_nodes(const struct policy *po, uint8_t depth[POLICY_NODES])
{
	struct policy_node n;
	struct policy_edge e;

	memset(depth, 0, POLICY_NODES);
	for (unsigned i = 0; i < po->nnodes; i++) {
		if (!policy_node_at(po, i, &n) || depth[i] >= POLICY_DEPTH)
			return "a node of the policy is broken, or too deep";
		for (unsigned j = 0; j <= n.count; j++) {
			uint16_t to = n.otherwise;

			if (j < n.count) {
				if (!policy_edge_at(po, n.first + j, &e))
					return "a branch of the policy is broken";
				to = e.to;
			} else if (n.kind != POLICY_GEO) {
				break;
			}
			if (!leads_on(po, i, to))
				return "a branch of the policy leads nowhere, or back";
			if (to & POLICY_POOL)
				continue;
			/* A tree, or else a query's work could multiply from level to level. */
			if (depth[to] != 0)
				return "two branches of the policy lead to one node";
			depth[to] = (uint8_t)(depth[i] + 1);
		}
	}
	return NULL;
}

static const char *
check_pools(const struct policy *po)
{
	struct policy_pool pool;
	size_t len;

	for (unsigned i = 0; i < po->npools; i++) {
		unsigned at = i, steps = 0;

		if (!policy_pool_at(po, i, &pool) || pool.serve >= POLICY_SERVES ||
		    pool.when_down >= POLICY_DOWNS || policy_name(po, pool.name, &len) == NULL ||
		    policy_least(&pool) == 0 || policy_least(&pool) > pool.count)
			return "a pool of the policy is broken";
		while (policy_pool_at(po, at, &pool) && pool.when_down == POLICY_STAND_IN) {
			if (++steps > po->npools || pool.stand_in >= po->npools)
				return "pools of the policy stand in for each other in a circle";
			at = pool.stand_in;
		}
	}
	return NULL;
}

static const char *
check_answers(const struct policy *po)
{
	size_t tables = (size_t)(po->answers - po->p) + (size_t)po->nanswers * POLICY_ANSWER, len;
	struct policy_answer a;

	for (unsigned i = 0; i < po->nanswers; i++) {
		if (!policy_answer_at(po, i, &a) || a.rdata < po->p + tables + 2 ||
		    (a.check_name != 0 && policy_name(po, a.check_name, &len) == NULL) ||
		    (a.check_name == 0 && a.check != 0) || a.flags > POLICY_DRAIN)
			return "an answer of the policy is broken";
		if (rdata_check(po->type, a.rdata, a.rdlen, NULL) != NS_OK)
			return "an answer of the policy is not of its type";
	}
	return NULL;
}

const char *
policy_check(const uint8_t *rdata, size_t len)
{
	uint8_t depth[POLICY_NODES];
	struct policy po;
	struct policy_key k;
	const char *rule;

	if (len > POLICY_SIZE || !policy_open(&po, rdata, len) || !policy_type_ok(po.type))
		return "not a policy";
	if (po.nnodes > POLICY_NODES || po.nedges > POLICY_EDGES || po.nkeys > POLICY_KEYS ||
	    po.npools > POLICY_POOLS || po.nanswers > POLICY_ANSWERS || po.ttl > INT32_MAX)
		return "the policy is larger than one may be";
	if (po.nnodes > 0 ? po.root != 0 : !leads_on(&po, 0, po.root))
		return "the policy's root leads nowhere";
	for (unsigned i = 0; i < po.nkeys; i++) {
		if (!policy_key_at(&po, i, &k) || k.edge >= po.nedges)
			return "a match of the policy is broken";
	}
	rule = check_nodes(&po, depth);
	if (rule == NULL)
		rule = check_pools(&po);
	return rule != NULL ? rule : check_answers(&po);
}

/* The default path: everybody's place unknown, everything up. */
unsigned
policy_projection(const struct policy *po, uint16_t answer[POLICY_PICK])
{
	uint16_t at = po->root;
	struct policy_node n;
	struct policy_edge e;
	struct policy_pool pool;
	struct policy_answer a;
	unsigned count = 0, best = 0;
	int best_weight = -1;

	for (unsigned depth = 0; (at & POLICY_POOL) == 0; depth++) {
		if (depth > POLICY_DEPTH || !policy_node_at(po, at, &n) ||
		    !policy_edge_at(po, n.first, &e))
			return 0;
		at = n.kind == POLICY_GEO ? n.otherwise : e.to;
	}
	if (!policy_pool_at(po, at & (unsigned)~POLICY_POOL, &pool))
		return 0;
	for (unsigned i = 0; i < pool.count; i++) {
		if (!policy_answer_at(po, pool.first + i, &a))
			continue;
		if (a.weight > best_weight) {
			best_weight = a.weight;
			best = pool.first + i;
		}
		answer[count++] = (uint16_t)(pool.first + i);
	}
	if (po->type == RR_CNAME && count > 0) {
		answer[0] = (uint16_t)best;
		return 1;
	}
	return count;
}
