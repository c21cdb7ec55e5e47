/* policy.c - a policy's answer: down its tree to a pool, and from the pool the records (contract.md, Policy).
 *
 * Runs in the workers on the octets that were committed (dns/policy.h), with bounds checked again.  No
 * allocation; the work of a query is bounded by a budget of branches looked at, whatever an image says.
 * What it depends on comes with serve_conf: health from the board, the client's place, random numbers. */
#include "appliance/dns/policy.h"

#include <math.h>

#include "appliance/serve/emissionsig.h"
#include "appliance/serve/trace.h"
#include "appliance/serve/work.h"
#include "appliance/zonemap/board.h"
#include "appliance/zonemap/emission.h"

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

static bool
is_up(const struct walk *w, const struct policy_answer *a)
{
	const struct board *board = w->r->conf->board;

	if (a->flags & POLICY_DRAIN)
		return false;
	return a->check_name == 0 || board == NULL || board_up(board, a->check);
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

struct choice {
	uint16_t what;
	uint16_t weight;
	uint32_t id;
};

/* One of n by weight; weight 0 counts only where all have it. */
static unsigned
choose(const struct walk *w, const struct choice *c, unsigned n)
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
static unsigned
count_up(struct walk *w, const struct policy_pool *pool, uint64_t *mask)
{
	struct policy_answer a;
	unsigned n = 0;

	*mask = 0;
	for (unsigned i = 0; i < pool->count && spend(w); i++) {
		if (policy_answer_at(w->po, pool->first + i, &a) && is_up(w, &a)) {
			*mask |= 1ull << i;
			n++;
		}
	}
	return n;
}

/* A subtree is up when any of its pools is. */
static bool
subtree_up(struct walk *w, uint16_t to, unsigned depth)
{
	struct policy_node n;
	struct policy_edge e;
	struct policy_pool pool;
	uint64_t mask;

	if (to & POLICY_POOL)
		return policy_pool_at(w->po, to & (unsigned)~POLICY_POOL, &pool) &&
		       count_up(w, &pool, &mask) >= policy_least(&pool);
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
	const struct board *board = w->r->conf->board;
	uint32_t best = UNKNOWN_RTT, rtt;
	struct policy_node n;
	struct policy_edge e;
	struct policy_pool pool;
	struct policy_answer a;

	if (board == NULL)
		return UNKNOWN_RTT;
	if (to & POLICY_POOL) {
		if (!policy_pool_at(w->po, to & (unsigned)~POLICY_POOL, &pool))
			return UNKNOWN_RTT;
		for (unsigned i = 0; i < pool.count && spend(w); i++) {
			if (!policy_answer_at(w->po, pool.first + i, &a) || a.check == 0 ||
			    !is_up(w, &a))
				continue;
			rtt = board_rtt_us(board, a.check);
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
	struct choice c[POLICY_EDGES];
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
		c[count++] = (struct choice){ e.to, e.weight, e.id };
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

/* Until enough were up, those fell which fell last: up now, and they, were the last good set. */
static uint64_t
last_good(struct walk *w, const struct policy_pool *pool, uint64_t up, unsigned n)
{
	unsigned least = policy_least(pool);
	uint64_t good = up;

	while (n < least) {
		uint32_t latest = 0;
		uint64_t add = 0;

		for (unsigned i = 0; i < pool->count && spend(w); i++) {
			struct policy_answer a;
			uint32_t since;

			if ((good & 1ull << i) != 0 ||
			    !policy_answer_at(w->po, pool->first + i, &a))
				continue;
			since = board_read(w->r->conf->board, a.check).since;
			if (add == 0 || since >= latest) {
				add = since > latest ? 1ull << i : add | 1ull << i;
				latest = since;
			}
		}
		if (add == 0)
			break;
		good |= add;
		n += (unsigned)__builtin_popcountll(add);
	}
	return good;
}

/* Which answers are good to give, as bits; *pool may move on to what stands in. */
static uint64_t
good_answers(struct walk *w, struct policy_pool *pool)
{
	uint64_t up, all;

	for (unsigned steps = 0; steps <= POLICY_POOLS; steps++) {
		unsigned n = count_up(w, pool, &up);

		all = pool->count == 64 ? UINT64_MAX : (1ull << pool->count) - 1;
		TRACE(w->r, "health", "%u of %u answers of the pool are up, %u are needed", n,
		    pool->count, policy_least(pool));
		if (n >= policy_least(pool))
			return up;
		w->r->q->routed |= SERVE_ROUTED_DOWN;
		switch (pool->when_down) {
		case POLICY_OPEN:
			TRACE(w->r, "health", "%s", "the pool is down: all of its answers");
			return all;
		case POLICY_LAST:
			TRACE(w->r, "health", "%s", "the pool is down: what was good last");
			return last_good(w, pool, up, n);
		case POLICY_STAND_IN:
			TRACE(w->r, "health", "%s", "the pool is down: another stands in");
			if (policy_pool_at(w->po, pool->stand_in, pool))
				continue;
			return 0;
		default:
			TRACE(w->r, "health", "%s", "the pool is down and closed: no answer");
			return 0;
		}
	}
	return 0;
}

static void
pick_answers(struct walk *w, unsigned index, struct picked *out)
{
	struct choice c[POLICY_PICK];
	struct policy_pool pool;
	struct policy_answer a;
	bool weighted = false;
	unsigned n = 0, kept = 0, from;
	uint64_t good;

	out->n = 0;
	if (!policy_pool_at(w->po, index, &pool))
		return;
	good = good_answers(w, &pool);
	for (unsigned i = 0; i < pool.count; i++) {
		if ((good & 1ull << i) == 0 || !policy_answer_at(w->po, pool.first + i, &a))
			continue;
		c[n++] = (struct choice){ (uint16_t)(pool.first + i), a.weight, a.id };
		weighted = weighted || a.weight > 0;
	}
	for (unsigned i = 0; i < n; i++) {
		if (!weighted || c[i].weight > 0)
			c[kept++] = c[i];
	}
	out->first = pool.first;
	if (kept == 0)
		return;
	if (pool.serve == POLICY_ONE) {
		from = choose(w, c, kept);
		TRACE(w->r, "weight", "one of %u, with weight %u", kept, c[from].weight);
		out->answer[out->n++] = c[from].what;
		return;
	}
	from = pool.serve == POLICY_SOME ? random_below(w, kept) : 0;
	n = pool.serve == POLICY_SOME && pool.k < kept ? pool.k : kept;
	for (unsigned i = 0; i < n; i++)
		out->answer[out->n++] = c[(from + i) % kept].what;
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

/* ---- into the reply ---- */
static bool
put_record(struct reply *r, const struct policy *po, const struct policy_answer *a)
{
	const struct hop *h = &r->hop;
	unsigned place = hop_place(h, 0);
	uint8_t pointer[2] = { (uint8_t)(0xc0u | place >> 8), (uint8_t)place };
	bool whole = h->labels == 0 || place > POINTER_REACH;
	const uint8_t *owner = whole ? h->name : pointer;
	size_t len = whole ? h->off[h->labels] + 1u : 2u;
	uint8_t *p = r->out + r->len;

	if (len + 10 + a->rdlen > r->limit - r->len)
		return false;
	memcpy(p, owner, len);
	p += len;
	put_u16(p, po->type);
	put_u16(p + 2, CLASS_IN);
	put_u32(p + 4, po->ttl);
	put_u16(p + 8, a->rdlen);
	memcpy(p + 10, a->rdata, a->rdlen);
	r->len += len + 10 + a->rdlen;
	r->count[ANSWER]++;
	return true;
}

/* Addresses of the names that the records lead to, which begin at `at`. */
static void
put_additional(struct reply *r, const struct policy *po, const struct picked *picked, size_t at)
{
	struct policy_answer a;

	for (unsigned i = 0; i < picked->n; i++) {
		if (!policy_answer_at(po, picked->answer[i], &a))
			return;
		while (r->out[at] != 0 && r->out[at] < 0xc0)
			at += r->out[at] + 1u;
		at += (r->out[at] == 0 ? 1u : 2u) + 10;
		additional_one(r, po->type, a.rdata, a.rdlen, at);
		at += a.rdlen;
	}
}

static void
put_picked(struct reply *r, const struct policy *po, const struct picked *picked,
    const struct emission_sigs *sigs, bool wild)
{
	const struct image_set set = {
		.type = RR_RRSIG, .count = sigs->count, .body = sigs->p, .body_len = sigs->len
	};
	const struct rrtype *t = rrtype_find(po->type);
	size_t start = r->len;
	uint16_t count = r->count[ANSWER];
	struct policy_answer a;

	for (unsigned i = 0; i < picked->n; i++) {
		if (policy_answer_at(po, picked->answer[i], &a) && put_record(r, po, &a))
			continue;
		goto cut;
	}
	if (sigs->count > 0 && !emit_set(r, ANSWER, &set, 0))
		goto cut;
	if (wild) {
		r->class = SERVE_CLASS_WILDCARD;
		proof_wild(r);
	}
	proof_flush(r);
	if (t != NULL && t->additional >= 0)
		put_additional(r, po, picked, start);
	return;
cut:
	r->len = start;
	r->count[ANSWER] = count;
	r->tc = true;
}

/* The CNAME as a set, so that the chain goes on from it as from any. */
static bool
follow(struct reply *r, struct chain *c, const struct policy *po, const struct picked *picked,
    const struct emission_sigs *sigs, bool wild)
{
	uint8_t body[RR_HEAD + NAME_MAX_WIRE] = { 0xc0, 0x0c };
	struct image_set set = { .type = RR_CNAME,
		.count = 1,
		.body = body,
		.sig = sigs->p,
		.sig_len = sigs->len,
		.sig_count = sigs->count };
	struct policy_answer a;

	if (!policy_answer_at(po, picked->answer[0], &a) || a.rdlen > NAME_MAX_WIRE ||
	    name_check(a.rdata, a.rdlen) != a.rdlen) {
		r->rcode = RCODE_SERVFAIL;
		return false;
	}
	put_u16(body + 2, RR_CNAME);
	put_u16(body + 4, CLASS_IN);
	put_u32(body + 6, po->ttl);
	put_u16(body + 10, a.rdlen);
	memcpy(body + RR_HEAD, a.rdata, a.rdlen);
	set.body_len = (uint16_t)(RR_HEAD + a.rdlen);
	return chain_cname(c, r, &set, wild);
}

/* ---- in a zone that is signed here ---- */

/* An RRset has no record twice (RFC 2181 5); a pool may say one twice. */
static void
drop_twins(const struct policy *po, struct picked *picked)
{
	struct policy_answer a, b;
	unsigned n = 0, k;

	for (unsigned i = 0; i < picked->n; i++) {
		if (!policy_answer_at(po, picked->answer[i], &a))
			continue;
		for (k = 0; k < n; k++) {
			if (policy_answer_at(po, picked->answer[k], &b) && a.rdlen == b.rdlen &&
			    memcmp(a.rdata, b.rdata, a.rdlen) == 0)
				break;
		}
		if (k == n)
			picked->answer[n++] = picked->answer[i];
	}
	picked->n = n;
}

/* The picked answers as one that has signatures: itself, or the nearest.  False: there is none. */
static bool
sign_picked(struct reply *r, const struct lookup *l, const struct policy *po,
    const struct emission_table *table, struct picked *picked, struct emission_sigs *sigs)
{
	uint64_t mask = 0;
	struct emission e;
	unsigned at;

	for (unsigned i = 0; i < picked->n; i++)
		mask |= 1ull << (picked->answer[i] - picked->first) % 64;
	at = emission_find(table, picked->first, mask);
	if (at == table->n) {
		r->q->policy_unsigned = true;
		r->w->ede = EDE_LAST_SIGNED;
		at = emission_nearest(table, picked->first, mask);
		if (at == table->n)
			return false;
		emission_at(table, at, &e);
		picked->n = 0;
		for (unsigned i = 0; i < 64; i++) {
			if ((e.mask & 1ull << i) != 0)
				picked->answer[picked->n++] = (uint16_t)(e.first + i);
		}
		TRACE(r, "signature", "%s",
		    "what health asks for is not signed yet: the nearest that is");
	}
	drop_twins(po, picked);
	emission_sigs(r, l, po, table, at, sigs);
	TRACE(r, "signature", "of key %u, until %u", sigs->tag, sigs->expiration);
	return sigs->count > 0;
}

/* No answer: with the denial that leaves the policy's type out. */
static void
put_none(struct reply *r, const struct lookup *l, const struct emission_table *table)
{
	struct emission_denial d;

	if (emission_denial(table, &d))
		r->denial = &d;
	negative_nodata(r, l);
	r->denial = NULL;
}

bool
policy_pick(struct reply *r, const struct image_set *set, struct policy *po, struct picked *picked)
{
	struct walk w = { .r = r, .po = po, .budget = WALK_BUDGET };

	if (!policy_open(po, set->body, set->body_len) || po->type != set->type)
		return false;
	TRACE(r, "policy", "the name has a policy for type %u, TTL %u", po->type, po->ttl);
	know_client(&w);
	r->q->routed |= SERVE_ROUTED;
	walk(&w, picked);
	if (w.ecs && w.scope > 0)
		r->q->routed |= SERVE_ROUTED_ECS;
	if (w.ecs && w.scope > r->w->ecs.scope)
		r->w->ecs.scope = (uint8_t)w.scope;
	return w.budget > 0;
}

static bool
find(const struct image_node *node, uint16_t qtype, struct image_set *set)
{
	if (qtype == RR_ALIAS)
		return false;
	if (qtype == RR_ANY)
		return image_policy_find(node, 0, set);
	if (image_policy_find(node, qtype, set))
		return true;
	return qtype != RR_NSEC && qtype != RR_RRSIG && image_policy_find(node, RR_CNAME, set);
}

bool
policy_answer(struct reply *r, struct chain *c, const struct lookup *l, bool *moved)
{
	bool wild = l->kind == LOOKUP_WILD;
	struct image_set set;
	struct policy po;
	struct picked picked;
	struct emission_table table; /* large: what counts are the counts */
	struct emission_sigs sigs; /* large: what counts is the count */
	size_t start = r->len;
	bool sign = wants_dnssec(r) && (r->hop.zone.image->flags & IMAGE_HERE) != 0;

	*moved = false;
	sigs.len = sigs.count = 0;
	if (!find(&l->node, r->q->qtype, &set))
		return false;
	if (!policy_pick(r, &set, &po, &picked)) {
		r->rcode = RCODE_SERVFAIL;
		return true;
	}
	table.n = 0;
	table.denial_len = 0;
	if (sign)
		(void)emission_open_node(&table, &l->node, set.type);
	if (sign && picked.n > 0 && !sign_picked(r, l, &po, &table, &picked, &sigs)) {
		r->rcode = RCODE_SERVFAIL;
		r->w->ede = EDE_UNSIGNED;
	} else if (picked.n == 0) {
		put_none(r, l, &table);
		emit_cap_ttl(r, start, po.ttl);
	} else if (po.type == RR_CNAME && r->q->qtype != RR_CNAME && r->q->qtype != RR_ANY)
		*moved = follow(r, c, &po, &picked, &sigs, wild);
	else
		put_picked(r, &po, &picked, &sigs, wild);
	return true;
}
