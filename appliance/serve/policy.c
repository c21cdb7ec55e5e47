/* policy.c - a policy's choice: down its tree to a pool, and from the pool the answers; into the
 * reply they go by policyreply.c.
 *
 * Runs in the workers on the octets that were committed (dns/policy.h), with bounds checked again.  No
 * allocation; the work of a query is bounded by a budget of branches looked at, whatever an image says.
 * What it depends on comes with serve_conf: health from the board, the client's place, random numbers. */
#include "appliance/dns/policy.h"
#include "appliance/dns/rrtype.h"

#include <math.h>

#include "appliance/serve/trace.h"
#include "appliance/serve/work.h"
#include "appliance/zonemap/board.h"
#include "appliance/zonemap/pool.h"

#define WALK_BUDGET \
	20000u /* branches and answers looked at: more is no policy that was committed */
#define STICKY_V4   24u
#define STICKY_V6   56u
#define UNKNOWN_RTT UINT32_MAX

struct walk {
	const struct reply *r;
	const struct policy *po;
	const uint8_t *address;
	unsigned family, bits; /* 4, 6, or 0: not known; bits of the address that count */
	bool ecs, sticky;
	bool placed; /* place is filled */
	unsigned budget, scope;
	uint64_t network; /* hash of the client's, for what is sticky */
	struct client_place place;
};

static bool
spend(struct walk *w)
{
	return w->budget > 0 && w->budget-- > 0;
}

static struct pool_health
health_of(const struct walk *w)
{
	return (struct pool_health){ .board = w->r->conf->board };
}

/* ---- chance ---- */

/* 0 ≤ x < n, n < 2^26 (splitmix64). */
static uint32_t
random_below(const struct walk *w, uint32_t n)
{
	uint64_t *state = w->r->conf->random, z;

	if (state == NULL || n < 2)
		return 0;
	z = *state += 0x9e3779b97f4a7c15u;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	z ^= z >> 31;
	return (uint32_t)(((z >> 26) * n) >> 38);
}

static uint64_t
mix(uint64_t z)
{
	z = (z ^ z >> 33) * 0xff51afd7ed558ccdu;
	z = (z ^ z >> 33) * 0xc4ceb9fe1a85ec53u;
	return z ^ z >> 33;
}

/* Weighted rendezvous hashing: the least -ln(u)/weight wins, so that what is added or goes moves its own
 * share of the networks and no other. */
static double
rendezvous(const struct walk *w, uint32_t id, uint32_t weight)
{
	uint64_t h = mix(w->network ^ mix(id + 0x9e3779b97f4a7c15u));
	double u = ((double)(h >> 11) + 0.5) / 9007199254740992.0;

	return -log(u) / weight;
}

/* One of n by weight; weight 0 counts only where all have it. */
static unsigned
choose(const struct walk *w, const struct pool_choice *c, unsigned n)
{
	uint32_t sum = 0, at;
	unsigned best = 0;
	double least = HUGE_VAL;

	for (unsigned i = 0; i < n; i++)
		sum += c[i].weight;
	if (!w->sticky) {
		at = random_below(w, sum > 0 ? sum : n);
#ifdef NS_BREAK_weight
		return random_below(w, n);
#endif
		for (unsigned i = 0; i < n; i++) {
			uint32_t weight = sum > 0 ? c[i].weight : 1;

			if (at < weight)
				return i;
			at -= weight;
		}
		return 0;
	}
	for (unsigned i = 0; i < n; i++) {
		uint32_t weight = sum > 0 ? c[i].weight : 1;
		double score = weight > 0 ? rendezvous(w, c[i].id, weight) : HUGE_VAL;

		if (score < least) {
			least = score;
			best = i;
		}
	}
	return best;
}

/* ---- who asks ---- */
static void
know_client(struct walk *w)
{
	const struct sockaddr_storage *ss = &w->r->q->client;
	const struct ecs *e = &w->r->w->ecs;

	/* RFC 7871 7.1.2: a source of 0 asks that no place be used but the resolver's own. */
	if (e->family != 0 && e->source > 0) {
		w->family = e->family == 1 ? 4 : 6;
		w->bits = e->source;
		w->address = e->address;
		w->ecs = true;
	} else if (ss->ss_family == AF_INET) {
		w->family = 4;
		w->bits = 32;
		w->address =
		    (const uint8_t *)&((const struct sockaddr_in *)(const void *)ss)->sin_addr;
	} else if (ss->ss_family == AF_INET6) {
		w->family = 6;
		w->bits = 128;
		w->address =
		    (const uint8_t *)&((const struct sockaddr_in6 *)(const void *)ss)->sin6_addr;
	}
}

static void
need_bits(struct walk *w, unsigned bits)
{
	if (bits > w->scope)
		w->scope = bits;
}

/* Bits that two addresses share from the left. */
static unsigned
common_bits(const uint8_t *a, const uint8_t *b, unsigned max)
{
	for (unsigned i = 0; i < max; i += 8) {
		unsigned diff = a[i / 8] ^ b[i / 8];

		if (diff != 0) {
			i += (unsigned)__builtin_clz(diff) - 24;
			return i < max ? i : max;
		}
	}
	return max;
}

static void
know_network(struct walk *w)
{
	unsigned bits = w->family == 4 ? STICKY_V4 : STICKY_V6;
	uint64_t h = w->family;

	if (w->family == 0)
		return;
	for (unsigned i = 0; i < bits / 8; i++)
		h = mix(h * 257 + w->address[i]);
	w->network = h;
	need_bits(w, bits);
}

static void
know_place(struct walk *w)
{
	const struct serve_conf *conf = w->r->conf;

	w->placed = true;
	if (conf->place != NULL && w->family != 0) {
		conf->place(conf->place_arg, w->family, w->address, &w->place);
		need_bits(w, w->place.prefix);
		TRACE(w->r, "geo", "%s is in %.2s %.2s %.7s, city %u, AS%u (/%u)",
		    w->ecs ? "the client's network (ECS)" : "the resolver", w->place.continent,
		    w->place.country, w->place.subdivision, w->place.city, w->place.asn,
		    w->place.prefix);
	}
	if (w->place.country[0] == '\0' && w->place.continent[0] == '\0')
		w->r->q->routed |= SERVE_ROUTED_NOWHERE;
}

/* ---- health of what is below ---- */

/* Those that are up; nothing when the budget is spent. */
static uint64_t
up_in(struct walk *w, const struct policy_pool *pool)
{
	const struct pool_health h = health_of(w);

	if (w->budget < pool->count) {
		w->budget = 0;
		return 0;
	}
	w->budget -= pool->count;
	return pool_up(w->po, pool, &h);
}

/* A subtree is up when any of its pools is. */
static bool
subtree_up(struct walk *w, uint16_t to, unsigned depth)
{
	struct policy_node n;
	struct policy_edge e;
	struct policy_pool pool;

	if (to & POLICY_POOL)
		return policy_pool_at(w->po, to & (unsigned)~POLICY_POOL, &pool) &&
		       pool_is_up(&pool, up_in(w, &pool));
	if (depth == 0 || !policy_node_at(w->po, to, &n))
		return false;
	for (unsigned i = 0; i < n.count && spend(w); i++) {
		if (policy_edge_at(w->po, n.first + i, &e) && subtree_up(w, e.to, depth - 1))
			return true;
	}
	return n.kind == POLICY_GEO && subtree_up(w, n.otherwise, depth - 1);
}

/* The least RTT of what is up below. */
static uint32_t
subtree_rtt(struct walk *w, uint16_t to, unsigned depth)
{
	const struct pool_health health = health_of(w);
	uint32_t best = UNKNOWN_RTT, rtt;
	struct policy_node n;
	struct policy_edge e;
	struct policy_pool pool;
	struct policy_answer a;

	if (health.board == NULL)
		return UNKNOWN_RTT;
	if (to & POLICY_POOL) {
		if (!policy_pool_at(w->po, to & (unsigned)~POLICY_POOL, &pool))
			return UNKNOWN_RTT;
		for (unsigned i = 0; i < pool.count && spend(w); i++) {
			if (!policy_answer_at(w->po, pool.first + i, &a) || a.check == 0 ||
			    !pool_answer_up(&health, &a))
				continue;
			rtt = board_rtt_us(health.board, a.check);
			if (rtt > 0 && rtt < best)
				best = rtt;
		}
		return best;
	}
	if (depth == 0 || !policy_node_at(w->po, to, &n))
		return UNKNOWN_RTT;
	for (unsigned i = 0; i <= n.count && spend(w); i++) {
		uint16_t below = n.otherwise;

		if (i == n.count && n.kind != POLICY_GEO)
			break;
		if (i < n.count && policy_edge_at(w->po, n.first + i, &e))
			below = e.to;
		rtt = subtree_rtt(w, below, depth - 1);
		best = rtt < best ? rtt : best;
	}
	return best;
}

/* ---- the nodes: which way ---- */
static uint16_t
edge_to(const struct walk *w, unsigned i)
{
	struct policy_edge e = { .to = POLICY_POOL };

	(void)policy_edge_at(w->po, i, &e);
	return e.to;
}

static uint16_t
go_failover(struct walk *w, const struct policy_node *n, unsigned depth)
{
#ifdef NS_BREAK_fallback
	(void)depth;
#else
	for (unsigned i = 0; i < n->count; i++) {
		uint16_t to = edge_to(w, n->first + i);

		if (subtree_up(w, to, depth)) {
			TRACE(w->r, "failover", "branch %u is the first that is up", i);
			return to;
		}
	}
#endif
	TRACE(w->r, "failover", "no branch is up: the last one, %u", n->count - 1u);
	return edge_to(w, n->first + n->count - 1u);
}

/* The address is in that network as far as it is known. */
static bool
in_network(struct walk *w, const struct policy_key *k)
{
	unsigned common;

	if (w->family != (k->kind == POLICY_CIDR4 ? 4 : 6))
		return false;
	common = common_bits(w->address, k->data, k->bits);
	/* Another answer begins where the two part. */
	need_bits(w, common < k->bits ? common + 1 : k->bits);
	return common == k->bits && w->bits >= k->bits;
}

static bool
in_place(const struct walk *w, const struct policy_key *k)
{
	const struct client_place *p = &w->place;

	switch (k->kind) {
	case POLICY_ASN:
		return p->asn != 0 && get_u32(k->data) == p->asn;
	case POLICY_CITY:
		return p->city != 0 && get_u32(k->data) == p->city;
	case POLICY_SUBDIVISION:
		return p->subdivision[0] != '\0' &&
		       strncmp((const char *)k->data, p->subdivision, sizeof p->subdivision) == 0;
	case POLICY_COUNTRY:
		return p->country[0] != '\0' && memcmp(k->data, p->country, 2) == 0;
	default:
		return p->continent[0] != '\0' && memcmp(k->data, p->continent, 2) == 0;
	}
}

/* The most specific match that is less specific than *level (bits of a network, then kinds below
 * zero); false: none is left. */
static bool
next_match(struct walk *w, unsigned first, unsigned end, int *level, unsigned *edge)
{
	struct policy_key k;
	int best = INT32_MIN;

	for (unsigned i = first; i < end && spend(w); i++) {
		int here;

		if (!policy_key_at(w->po, i, &k))
			return false;
		here = k.kind <= POLICY_CIDR6 ? k.bits : -(int)k.kind;
#ifdef NS_BREAK_specificity
		here = -here;
#endif
		if (here >= *level || here <= best)
			continue;
		if (k.kind <= POLICY_CIDR6) {
			if (!in_network(w, &k))
				continue;
		} else {
			if (!w->placed)
				know_place(w);
			if (!in_place(w, &k))
				continue;
		}
		best = here;
		*edge = k.edge;
	}
	*level = best;
	return best != INT32_MIN;
}

static uint16_t
go_geo(struct walk *w, const struct policy_node *n, unsigned depth)
{
	struct policy_edge a, z;
	int level = INT32_MAX;
	unsigned edge = 0;

	if (!policy_edge_at(w->po, n->first, &a) ||
	    !policy_edge_at(w->po, n->first + n->count - 1u, &z))
		return n->otherwise;
	while (next_match(w, a.key, z.key + z.nkeys, &level, &edge)) {
		uint16_t to = edge_to(w, edge);

		if ((n->flags & POLICY_NO_FALLBACK) != 0 || subtree_up(w, to, depth)) {
			TRACE(w->r, "geo", "rule %u matches", edge - n->first);
			return to;
		}
		TRACE(w->r, "geo", "rule %u matches, and is down: the next less specific one",
		    edge - n->first);
	}
	TRACE(w->r, "geo", "%s", "the default");
	return n->otherwise;
}

static uint16_t
go_weighted(struct walk *w, const struct policy_node *n, unsigned depth)
{
	struct pool_choice c[POLICY_EDGES];
	struct policy_edge e;
	unsigned count = 0;
	bool weighted = false;

	if ((n->flags & POLICY_STICKY) != 0 && !w->sticky) {
		w->sticky = w->family != 0;
		know_network(w);
	}
	for (unsigned i = 0; i < n->count && count < POLICY_EDGES; i++) {
		if (!policy_edge_at(w->po, n->first + i, &e) || !subtree_up(w, e.to, depth))
			continue;
		c[count++] = (struct pool_choice){ e.to, e.weight, e.id };
		weighted = weighted || e.weight > 0;
	}
	if (count == 0) {
		TRACE(w->r, "weight", "%s", "no branch is up: the first one");
		return edge_to(w, n->first);
	}
	count = choose(w, c, count);
	TRACE(w->r, "weight", "the branch with weight %u%s", c[count].weight,
	    w->sticky ? ", by the client's network" : ", by chance");
	return c[count].what;
}

static uint16_t
go_latency(struct walk *w, const struct policy_node *n, unsigned depth)
{
	uint32_t best = UNKNOWN_RTT;
	uint16_t to, choice = edge_to(w, n->first);
	bool any = false;

	for (unsigned i = 0; i < n->count; i++) {
		uint32_t rtt;

		to = edge_to(w, n->first + i);
		if (!subtree_up(w, to, depth))
			continue;
		rtt = subtree_rtt(w, to, depth);
		if (any && rtt >= best)
			continue;
		any = true;
		best = rtt;
		choice = to;
	}
	if (best != UNKNOWN_RTT)
		TRACE(w->r, "latency", "the nearest branch that is up: %u.%03u ms", best / 1000,
		    best % 1000);
	else
		TRACE(w->r, "latency", "%s",
		    any ? "no RTT is known: the first branch that is up"
			: "no branch is up: the first one");
	return choice;
}

/* ---- the pool ---- */

/* Which answers are good to give, as bits; *pool may move on to what stands in. */
static uint64_t
good_answers(struct walk *w, struct policy_pool *pool)
{
	static const char *const down[POLICY_DOWNS] = {
		[POLICY_OPEN] = "the pool is down: all of its answers",
		[POLICY_LAST] = "the pool is down: what was good last",
		[POLICY_STAND_IN] = "the pool is down: another stands in",
		[POLICY_CLOSED] = "the pool is down and closed: no answer",
	};
	const struct pool_health h = health_of(w);

	for (unsigned steps = 0; steps <= POLICY_POOLS; steps++) {
		uint64_t up = up_in(w, pool);

		TRACE(w->r, "health", "up: %u of the pool's %u answers; needed: %u",
		    (unsigned)__builtin_popcountll(up), pool->count, policy_least(pool));
		if (pool_is_up(pool, up))
			return up;
		w->r->q->routed |= SERVE_ROUTED_DOWN;
		if (pool->when_down >= POLICY_DOWNS)
			return 0;
		TRACE(w->r, "health", "%s", down[pool->when_down]);
		if (pool->when_down != POLICY_STAND_IN)
			return pool_when_down(w->po, pool, &h, up);
		if (!policy_pool_at(w->po, pool->stand_in, pool))
			return 0;
	}
	return 0;
}

static void
pick_answers(struct walk *w, unsigned index, struct picked *out)
{
	struct pool_choice kept[POLICY_PICK];
	struct policy_pool pool;
	unsigned n, from = 0, give;

	out->n = 0;
	if (!policy_pool_at(w->po, index, &pool))
		return;
	n = give = pool_kept(w->po, &pool, good_answers(w, &pool), kept);
	out->first = pool.first;
	if (n == 0)
		return;
	if (pool.serve == POLICY_ONE) {
		from = choose(w, kept, n);
		TRACE(w->r, "weight", "one of %u, with weight %u", n, kept[from].weight);
		give = 1;
	} else if (pool.serve == POLICY_SOME) {
		from = random_below(w, n);
		give = pool.k < n ? pool.k : n;
	}
	for (unsigned i = 0; i < give; i++)
		out->answer[out->n++] = (uint16_t)(pool.first + kept[(from + i) % n].what);
}

static void
walk(struct walk *w, struct picked *out)
{
	static uint16_t (*const go[POLICY_KINDS])(
	    struct walk *, const struct policy_node *, unsigned depth) = {
		[POLICY_GEO] = go_geo,
		[POLICY_FAILOVER] = go_failover,
		[POLICY_WEIGHTED] = go_weighted,
		[POLICY_LATENCY] = go_latency,
	};
	uint16_t at = w->po->root;
	struct policy_node n;

	out->n = 0;
	for (unsigned depth = POLICY_DEPTH; (at & POLICY_POOL) == 0; depth--) {
		if (depth == 0 || !policy_node_at(w->po, at, &n))
			return;
		at = go[n.kind](w, &n, depth);
	}
	pick_answers(w, at & (unsigned)~POLICY_POOL, out);
}

bool
policy_pick(struct reply *r, const struct image_set *set, struct policy *po, struct picked *picked)
{
	struct walk w = { .r = r, .po = po, .budget = WALK_BUDGET };

	if (!policy_open(po, set->body, set->body_len) || po->type != set->type)
		return false;
	TRACE(r, "policy", "the name has a policy for %s, TTL %u",
	    rrtype_to_text(po->type, (char[RRTYPE_MAX_TEXT]){ 0 }), po->ttl);
	know_client(&w);
	r->q->routed |= SERVE_ROUTED;
	walk(&w, picked);
	if (w.ecs && w.scope > 0)
		r->q->routed |= SERVE_ROUTED_ECS;
	if (w.ecs && w.scope > r->w->ecs.scope)
		r->w->ecs.scope = (uint8_t)w.scope;
	return w.budget > 0;
}
