/* policy - the routing rule of one RRset as octets: what is stored, replicated and walked to answer.
 *
 * A policy lives in the zone's content as one record of the pseudo type NSPOLICY at its owner, so that
 * all that is made for records (drafts, diff, conflict, history, replication, digests, backup) holds for it.
 * Its rdata is this form; its text is "TYPE {JSON}" (text_policy.c).  The worker walks the very octets that
 * were committed: nothing is compiled that could differ.
 *
 *   head     u16 type that it answers for    u8 version    u8 depth    u32 ttl    u16 root
 *            u16 nodes    u16 edges    u16 keys    u16 pools    u16 answers    u32 spare
 *   nodes    u8 kind    u8 flags    u16 first edge    u16 edges    u16 default (geo)
 *   edges    u16 to    u16 weight    u16 first key    u16 keys    u32 identity
 *   keys     u8 kind    u8 bits    u16 edge    16 octets
 *   pools    u8 serve    u8 when_down    u16 k    u16 least    u8 percent    u8 0
 *            u16 first answer    u16 answers    u16 pool that stands in    u16 place of its name
 *   answers  u64 check    u32 identity    u16 weight    u16 place of the rdata    u16 place of the check's name
 *            u16 flags (enum policy_answer_flag)
 *   data     names: u8 length, octets; rdata: u16 length, octets
 *
 * All in network order.  `to`, root and default are a node, or a pool with POLICY_POOL set; a node leads to
 * nodes behind it only, so that it ends.  Stand-ins of pools are loop-free too.
 *
 * policy_check() is asked of whatever comes in (rdata_check); policy_open() and the readers check bounds
 * again, because images are not trusted. */
#ifndef NS_DNS_POLICY_H
#define NS_DNS_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "ipc/base/wbuf.h"

#define POLICY_VERSION	1u
#define POLICY_POOL	0x8000u		/* in a reference: a pool, not a node */
#define POLICY_SIZE	60000u		/* octets: an RRset of it must fit RRSET_MAX_WIRE */
#define POLICY_NODES	256u		/* bounds a query's work: all down asks every branch */
#define POLICY_EDGES	1024u
#define POLICY_KEYS	1024u
#define POLICY_POOLS	256u
#define POLICY_ANSWERS	512u		/* in all pools */
#define POLICY_PICK	64u		/* in one pool: what a worker keeps on its stack */
#define POLICY_DEPTH	8u		/* nodes above a pool: bounds the worker's stack */
#define POLICY_NAME	63u		/* of a pool or a check */

#define POLICY_HEAD	24u
#define POLICY_NODE	8u
#define POLICY_EDGE	12u
#define POLICY_KEY	20u
#define POLICY_POOLSIZE	16u
#define POLICY_ANSWER	20u

enum policy_kind { POLICY_GEO, POLICY_FAILOVER, POLICY_WEIGHTED, POLICY_LATENCY, POLICY_KINDS };
enum policy_flag { POLICY_STICKY = 1, POLICY_NO_FALLBACK = 2 };
enum policy_answer_flag { POLICY_DRAIN = 1 };	/* counts as down, whatever its check says */
enum policy_serve { POLICY_ALL, POLICY_ONE, POLICY_SOME, POLICY_SERVES };
enum policy_down { POLICY_OPEN, POLICY_CLOSED, POLICY_LAST, POLICY_STAND_IN, POLICY_DOWNS };
/* Most specific first. */
enum policy_key_kind {
	POLICY_CIDR4, POLICY_CIDR6, POLICY_ASN, POLICY_CITY, POLICY_SUBDIVISION, POLICY_COUNTRY,
	POLICY_CONTINENT, POLICY_KEY_KINDS
};

struct policy {				/* an opened one */
	const uint8_t	*p;
	size_t		 len;
	uint32_t	 ttl;
	uint16_t	 type, root, nnodes, nedges, nkeys, npools, nanswers;
	const uint8_t	*nodes, *edges, *keys, *pools, *answers;
};
struct policy_node {
	uint8_t		kind, flags;
	uint16_t	first, count, otherwise;
};
struct policy_edge {
	uint16_t	to, weight, key, nkeys;
	uint32_t	id;
};
struct policy_key {
	uint8_t		kind, bits;
	uint16_t	edge;
	const uint8_t	*data;		/* an address; a u32; letters, filled up with zeros */
};
struct policy_pool {
	uint8_t		serve, when_down;
	bool		percent;
	uint16_t	k, least, first, count, stand_in, name;
};
struct policy_answer {
	uint64_t	check;		/* its id; 0: always up, unless check_name says otherwise */
	uint32_t	id;
	uint16_t	weight, check_name, flags, rdlen;
	const uint8_t	*rdata;
};

/* Every rule of the form; NULL or the rule that it breaks. */
const char	*policy_check(const uint8_t *rdata, size_t len);
/* May a policy answer for that type? */
bool		 policy_type_ok(uint16_t type);
/* The name at a place in the data, without its length; NULL: none. */
const char	*policy_name(const struct policy *, uint16_t at, size_t *len);
/* What a server without policies would answer: numbers of answers. */
unsigned	 policy_projection(const struct policy *, uint16_t answer[POLICY_PICK]);
/* The number of up answers that a pool needs. */
unsigned	 policy_least(const struct policy_pool *);

/* ---- the readers: false when it is out of bounds ---- */
static inline bool
policy_open(struct policy *po, const uint8_t *p, size_t len)
{
	size_t tables;

	if (len < POLICY_HEAD || p[2] != POLICY_VERSION)
		return false;
	po->p = p;
	po->len = len;
	po->type = get_u16(p);
	po->ttl = get_u32(p + 4);
	po->root = get_u16(p + 8);
	po->nnodes = get_u16(p + 10);
	po->nedges = get_u16(p + 12);
	po->nkeys = get_u16(p + 14);
	po->npools = get_u16(p + 16);
	po->nanswers = get_u16(p + 18);
	po->nodes = p + POLICY_HEAD;
	tables = POLICY_HEAD + (size_t)po->nnodes * POLICY_NODE + (size_t)po->nedges * POLICY_EDGE +
	    (size_t)po->nkeys * POLICY_KEY + (size_t)po->npools * POLICY_POOLSIZE +
	    (size_t)po->nanswers * POLICY_ANSWER;
	if (tables > len)
		return false;
	po->edges = po->nodes + (size_t)po->nnodes * POLICY_NODE;
	po->keys = po->edges + (size_t)po->nedges * POLICY_EDGE;
	po->pools = po->keys + (size_t)po->nkeys * POLICY_KEY;
	po->answers = po->pools + (size_t)po->npools * POLICY_POOLSIZE;
	return true;
}

static inline bool
policy_node_at(const struct policy *po, unsigned i, struct policy_node *n)
{
	const uint8_t *p = po->nodes + (size_t)i * POLICY_NODE;

	if (i >= po->nnodes)
		return false;
	n->kind = p[0];
	n->flags = p[1];
	n->first = get_u16(p + 2);
	n->count = get_u16(p + 4);
	n->otherwise = get_u16(p + 6);
	return n->kind < POLICY_KINDS && n->count > 0 && n->first + n->count <= po->nedges;
}

static inline bool
policy_edge_at(const struct policy *po, unsigned i, struct policy_edge *e)
{
	const uint8_t *p = po->edges + (size_t)i * POLICY_EDGE;

	if (i >= po->nedges)
		return false;
	e->to = get_u16(p);
	e->weight = get_u16(p + 2);
	e->key = get_u16(p + 4);
	e->nkeys = get_u16(p + 6);
	e->id = get_u32(p + 8);
	return e->key + e->nkeys <= po->nkeys;
}

static inline bool
policy_key_at(const struct policy *po, unsigned i, struct policy_key *k)
{
	const uint8_t *p = po->keys + (size_t)i * POLICY_KEY;

	if (i >= po->nkeys)
		return false;
	k->kind = p[0];
	k->bits = p[1];
	k->edge = get_u16(p + 2);
	k->data = p + 4;
	return k->kind < POLICY_KEY_KINDS && k->bits <= (k->kind == POLICY_CIDR4 ? 32 : 128);
}

static inline bool
policy_pool_at(const struct policy *po, unsigned i, struct policy_pool *pool)
{
	const uint8_t *p = po->pools + (size_t)i * POLICY_POOLSIZE;

	if (i >= po->npools)
		return false;
	pool->serve = p[0];
	pool->when_down = p[1];
	pool->k = get_u16(p + 2);
	pool->least = get_u16(p + 4);
	pool->percent = p[6] != 0;
	pool->first = get_u16(p + 8);
	pool->count = get_u16(p + 10);
	pool->stand_in = get_u16(p + 12);
	pool->name = get_u16(p + 14);
	return pool->count > 0 && pool->count <= POLICY_PICK &&
	    pool->first + pool->count <= po->nanswers;
}

static inline bool
policy_answer_at(const struct policy *po, unsigned i, struct policy_answer *a)
{
	const uint8_t *p = po->answers + (size_t)i * POLICY_ANSWER;
	unsigned at;

	if (i >= po->nanswers)
		return false;
	a->check = (uint64_t)get_u32(p) << 32 | get_u32(p + 4);
	a->id = get_u32(p + 8);
	a->weight = get_u16(p + 12);
	at = get_u16(p + 14);
	a->check_name = get_u16(p + 16);
	a->flags = get_u16(p + 18);
	if (at + 2u > po->len)
		return false;
	a->rdlen = get_u16(po->p + at);
	a->rdata = po->p + at + 2;
	return a->rdlen <= po->len - at - 2;
}

#endif
