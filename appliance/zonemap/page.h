/* page - the worker page: a memfd per worker and its only writable shared memory.
 *
 * One writer, the worker; the supervisor clears the slot of a dead worker after waitpid, and tells the
 * rate limit; signer and answer read.  Nobody trusts its content: readers clamp and never index with it.
 * Counters are plain words of one writer, read with relaxed loads; they survive the worker and are
 * inherited by its successor, so totals never go backwards.
 *
 * The first page of the memfd is struct worker_page, which is all that supervisor and signer map; the
 * counts per zone, client and name, and the tail, stand behind it (struct worker_memory). */
#ifndef NS_ZONEMAP_PAGE_H
#define NS_ZONEMAP_PAGE_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stdint.h>

#include "appliance/zonemap/clientnote.h"
#include "appliance/zonemap/tail.h"
#include "appliance/zonemap/topk.h"
#include "appliance/zonemap/zonecount.h"

#define PAGE_MAGIC	0x4e535750u		/* "NSWP" */
#define PAGE_FORMAT	5u
#define PAGE_PINS	8
#define PAGE_RCODES	24			/* 0..23; above: the last */
#define PAGE_QTYPES	16			/* page_qtypes[]; the last is "other" */
#define PAGE_HIST	64			/* log2 buckets with 4 steps each, from 1 µs */
#define PAGE_FLOODS	4u			/* zones over their budget that are told at a time */
#define PAGE_OCTETS	4096u

/* A zone whose answers were limited: who, since when not any more, and how many. */
struct page_flood {
	_Atomic uint64_t	zone_hash, last_ns, limited;
};

struct worker_page {
	uint32_t		magic, format;
	_Atomic uint64_t	slot;		/* epoch being read; 0: idle */
	_Atomic uint64_t	pins[PAGE_PINS];	/* roots pinned by transfers; 0: free */
	_Atomic uint64_t	heartbeat_ns;	/* monotonic */
	_Atomic uint64_t	batches;	/* finished */
	_Atomic uint64_t	generation;

	/* counters */
	_Atomic uint64_t	queries, udp, tcp, dropped, truncated, formerr_in, badvers;
	_Atomic uint64_t	tcp_accepted, tcp_open, tcp_evicted, tcp_timeout, send_failed;
	_Atomic uint64_t	rcodes[PAGE_RCODES];
	_Atomic uint64_t	qtypes[PAGE_QTYPES];
	_Atomic uint64_t	latency[PAGE_HIST];	/* receive → send */
	_Atomic uint64_t	tls;		/* queries; in tcp, too */
	_Atomic uint64_t	tls_accepted, tls_handshake_failed, tls_resumed;
	_Atomic uint64_t	rrl_dropped, rrl_slipped, budget_dropped, budget_slipped;
	_Atomic uint64_t	routed, routed_down, routed_ecs, routed_nowhere;	/* enum serve_routed */
	_Atomic uint64_t	policy_unsigned;	/* another answer of a policy was sent: not signed yet */
	struct page_flood	floods[PAGE_FLOODS];

	_Atomic uint32_t	rrl;			/* [dns] rrl; the supervisor's word */
};
_Static_assert(sizeof(struct worker_page) <= PAGE_OCTETS, "a worker page is one page");

struct worker_memory {
	alignas(PAGE_OCTETS) struct worker_page	page;
	alignas(PAGE_OCTETS) struct zonecount	zones;
	struct topk		clients;		/* keys: struct page_client */
	struct clientnote	notes[2][TOPK_SLOTS];	/* of clients' slots */
	struct topk		names;			/* keys: lower-case wire names of our zones */
	struct tail		tail;			/* some queries, while somebody watches */
};
#define WORKER_MEMORY ((sizeof(struct worker_memory) + PAGE_OCTETS - 1) / PAGE_OCTETS * PAGE_OCTETS)

/* A client network, /24 or /56, address in network order. */
struct page_client {
	uint8_t		family;			/* 4 or 6 */
	uint8_t		prefix[7];
};
static inline uint64_t
page_client_owner(const struct page_client *c)	/* of its note; never 0, a family is not */
{
	uint64_t owner = c->family;

	for (unsigned i = 0; i < sizeof c->prefix; i++)
		owner = owner << 8 | c->prefix[i];
	return owner;
}

/* Bucket of a latency, and the upper edge of a bucket in µs (for percentiles). */
unsigned page_hist_bucket(uint64_t ns);
double	 page_hist_edge_us(unsigned bucket);
/* Index into qtypes[] and its name: A NS CNAME SOA PTR MX TXT AAAA SRV NAPTR DS DNSKEY SVCB HTTPS
 * ANY other. */
unsigned page_qtype_index(uint16_t qtype);
const char	*page_qtype_name(unsigned index);

#endif
