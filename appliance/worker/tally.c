/* tally - see tally.h.  The budget is 0.1 µs a query for everything here: sums in locals, one add
 * per counter and batch, and a table instead of a function for the common qtypes. */
#include "appliance/worker/tally.h"

#include "appliance/zonemap/word.h"

#define RCODE_FORMERR 1
#define RCODE_BADVERS 16

static uint8_t qtype_slot[256];

void
tally_init(void)
{
	unsigned i;

	for (i = 0; i < sizeof qtype_slot; i++)
		qtype_slot[i] = (uint8_t)page_qtype_index((uint16_t)i);
}

static void
tally_reply(struct worker_page *page, const struct query *q)
{
	unsigned rcode = q->rcode < PAGE_RCODES ? q->rcode : PAGE_RCODES - 1;
	unsigned slot =
	    q->qtype < sizeof qtype_slot ? qtype_slot[q->qtype] : page_qtype_index(q->qtype);

	word_add(&page->rcodes[rcode], 1);
	word_add(&page->qtypes[slot < PAGE_QTYPES ? slot : PAGE_QTYPES - 1], 1);
}

static void
tally_routed(struct worker_page *page, unsigned routed)
{
	word_add(&page->routed, 1);
	if (routed & SERVE_ROUTED_DOWN)
		word_add(&page->routed_down, 1);
	if (routed & SERVE_ROUTED_ECS)
		word_add(&page->routed_ecs, 1);
	if (routed & SERVE_ROUTED_NOWHERE)
		word_add(&page->routed_nowhere, 1);
}

/* A batch of datagrams, of which there are most, never comes here. */
static void
tally_streams(struct worker_page *page, const struct query *q, size_t n, uint64_t tcp)
{
	uint64_t tls = 0;

	for (size_t i = 0; i < n; i++)
		tls += q[i].transport == SERVE_TLS;
	word_add(&page->tcp, tcp);
	word_add(&page->tls, tls);
}

void
tally_batch(struct worker_page *page, const struct query *q, size_t n, uint64_t ns)
{
	uint64_t dropped = 0, truncated = 0, formerr = 0, badvers = 0, tcp = 0, late = 0;
	size_t i;

	for (i = 0; i < n; i++) {
		tcp += q[i].transport != SERVE_UDP;
		if (q[i].verdict != SERVE_REPLY) {
			dropped++;
			continue;
		}
		tally_reply(page, &q[i]);
		if (q[i].routed != 0)
			tally_routed(page, q[i].routed);
		truncated += q[i].truncated;
		late += q[i].policy_unsigned;
		formerr += q[i].rcode == RCODE_FORMERR;
		badvers += q[i].rcode == RCODE_BADVERS;
	}
	word_add(&page->queries, n);
	word_add(&page->batches, 1);
	if (tcp != n)
		word_add(&page->udp, n - tcp);
	if (tcp > 0)
		tally_streams(page, q, n, tcp);
	if (dropped > 0)
		word_add(&page->dropped, dropped);
	if (truncated > 0)
		word_add(&page->truncated, truncated);
	if (formerr > 0)
		word_add(&page->formerr_in, formerr);
	if (late > 0)
		word_add(&page->policy_unsigned, late);
	if (badvers > 0)
		word_add(&page->badvers, badvers);
	if (n > dropped)
		word_add(&page->latency[page_hist_bucket(ns) % PAGE_HIST], n - dropped);
}
