/* totals - see totals.h. */
#include "appliance/answer/totals.h"

#include <string.h>

#include "appliance/zonemap/word.h"

static void
add(uint64_t *sum, const _Atomic uint64_t *counter)
{
	uint64_t v = word_load(counter);

	*sum += v < TOTALS_MAX ? v : TOTALS_MAX;
}

void
totals_read(struct totals *t, const struct worker_page *const *pages, size_t n)
{
	size_t i;
	unsigned k;

	memset(t, 0, sizeof *t);
	for (i = 0; i < n; i++) {
		const struct worker_page *p = pages[i];

		add(&t->queries, &p->queries);
		add(&t->udp, &p->udp);
		add(&t->tcp, &p->tcp);
		add(&t->tls, &p->tls);
		add(&t->dropped, &p->dropped);
		add(&t->truncated, &p->truncated);
		add(&t->tcp_open, &p->tcp_open);
		add(&t->tcp_evicted, &p->tcp_evicted);
		add(&t->tls_accepted, &p->tls_accepted);
		add(&t->tls_handshake_failed, &p->tls_handshake_failed);
		add(&t->tls_resumed, &p->tls_resumed);
		add(&t->rrl_dropped, &p->rrl_dropped);
		add(&t->rrl_slipped, &p->rrl_slipped);
		add(&t->budget_dropped, &p->budget_dropped);
		add(&t->budget_slipped, &p->budget_slipped);
		add(&t->routed, &p->routed);
		add(&t->routed_down, &p->routed_down);
		add(&t->routed_ecs, &p->routed_ecs);
		add(&t->routed_nowhere, &p->routed_nowhere);
		add(&t->policy_unsigned, &p->policy_unsigned);
		for (k = 0; k < PAGE_RCODES; k++)
			add(&t->rcodes[k], &p->rcodes[k]);
		for (k = 0; k < PAGE_QTYPES; k++)
			add(&t->qtypes[k], &p->qtypes[k]);
		for (k = 0; k < PAGE_HIST; k++)
			add(&t->latency[k], &p->latency[k]);
	}
}

void
totals_sample(struct totals_ring *r, const struct totals *t, uint64_t now_ms)
{
	r->samples[r->next].ms = now_ms;
	r->samples[r->next].totals = *t;
	r->next = (r->next + 1) % TOTALS_SAMPLES;
	if (r->n < TOTALS_SAMPLES)
		r->n++;
}

const struct totals *
totals_before(const struct totals_ring *r, uint64_t now_ms, uint64_t window_ms, uint64_t *age_ms)
{
	uint64_t enough = window_ms - window_ms / 10; /* the timer that samples has jitter */
	unsigned back, i = 0;

	if (r->n == 0)
		return NULL;
	for (back = 1; back <= r->n; back++) {
		i = (r->next + TOTALS_SAMPLES - back) % TOTALS_SAMPLES;
		if (now_ms >= r->samples[i].ms + enough)
			break;
	}
	*age_ms = now_ms > r->samples[i].ms ? now_ms - r->samples[i].ms : 0;
	return &r->samples[i].totals;
}

double
totals_qps(const struct totals_ring *r, const struct totals *t, uint64_t now_ms, uint64_t window_ms)
{
	uint64_t age = 0;
	const struct totals *before = totals_before(r, now_ms, window_ms, &age);

	if (before == NULL || age == 0 || t->queries <= before->queries)
		return 0.0;
	return (double)(t->queries - before->queries) * 1000.0 / (double)age;
}

double
totals_percentile(const uint64_t counts[PAGE_HIST], double p)
{
	uint64_t all = 0, sum = 0, rank;
	unsigned i;

	for (i = 0; i < PAGE_HIST; i++)
		all += counts[i];
	if (all == 0)
		return 0.0;
	rank = (uint64_t)((double)all * p);
	if ((double)rank < (double)all * p)
		rank++;
	for (i = 0; i < PAGE_HIST - 1; i++) {
		sum += counts[i];
		if (sum >= rank)
			break;
	}
	return page_hist_edge_us(i);
}

void
totals_latency_since(
    const struct totals *now, const struct totals *before, uint64_t counts[PAGE_HIST])
{
	unsigned i;

	for (i = 0; i < PAGE_HIST; i++)
		counts[i] =
		    now->latency[i] > before->latency[i] ? now->latency[i] - before->latency[i] : 0;
}
