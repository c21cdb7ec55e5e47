/* metrics - see metrics.h. */
#include "appliance/answer/metrics.h"

#include <stdbool.h>
#include <stddef.h>

#include "appliance/answer/tailfilter.h"

#define SHORT_MS 1000
#define LONG_MS  10000

/* The protobuf struct wants char *, and never writes. */
static Ns__StatsReply__Rcode
count_of(const char *name, uint64_t count)
{
	Ns__StatsReply__Rcode c = NS__STATS_REPLY__RCODE__INIT;

	c.name = (char *)(uintptr_t)name;
	c.count = count;
	return c;
}

static void
fill_counts(struct metrics *m, const struct totals *t)
{
	size_t used = 0;
	unsigned i;

	for (i = 0; i < PAGE_RCODES; i++) {
		if (t->rcodes[i] == 0)
			continue;
		m->counts[used] = count_of(tailfilter_rcode(i), t->rcodes[i]);
		m->rcodes[m->stats.n_rcodes++] = &m->counts[used++];
	}
	for (i = 0; i < PAGE_QTYPES; i++) {
		if (t->qtypes[i] == 0)
			continue;
		m->counts[used] = count_of(page_qtype_name(i), t->qtypes[i]);
		m->qtypes[m->stats.n_qtypes++] = &m->counts[used++];
	}
	m->stats.rcodes = m->rcodes;
	m->stats.qtypes = m->qtypes;
}

/* From the first that counts something to the last. */
static void
fill_buckets(struct metrics *m, const uint64_t counts[PAGE_HIST])
{
	unsigned from = 0, to = PAGE_HIST;

	while (from < PAGE_HIST && counts[from] == 0)
		from++;
	while (to > from && counts[to - 1] == 0)
		to--;
	for (unsigned i = from; i < to; i++) {
		Ns__StatsReply__Bucket *b = &m->buckets[i];

		ns__stats_reply__bucket__init(b);
		b->us = page_hist_edge_us(i);
		b->count = counts[i];
		m->bucket_list[m->stats.n_latency++] = b;
	}
	m->stats.latency = m->bucket_list;
}

static void
fill_latency(
    struct metrics *m, const struct totals *t, const struct totals_ring *ring, uint64_t now_ms)
{
	uint64_t counts[PAGE_HIST], age;
	const struct totals *before = totals_before(ring, now_ms, LONG_MS, &age);
	bool some = false;
	unsigned i;

	if (before != NULL) {
		totals_latency_since(t, before, counts);
		for (i = 0; i < PAGE_HIST; i++)
			some = some || counts[i] > 0;
	}
	fill_buckets(m, some ? counts : t->latency);
	m->latency.p50 = totals_percentile(some ? counts : t->latency, 0.50);
	m->latency.p99 = totals_percentile(some ? counts : t->latency, 0.99);
	m->latency.p999 = totals_percentile(some ? counts : t->latency, 0.999);
}

void
metrics_fill(
    struct metrics *m, const struct totals *t, const struct totals_ring *ring, uint64_t now_ms)
{
	ns__metrics__init(&m->message);
	ns__stats_reply__init(&m->stats);
	ns__stats_reply__latency__init(&m->latency);
	m->message.stats = &m->stats;
	m->stats.latency_us = &m->latency;
	m->stats.qps = totals_qps(ring, t, now_ms, SHORT_MS);
	m->stats.qps_10s = totals_qps(ring, t, now_ms, LONG_MS);
	m->stats.queries = t->queries;
	m->stats.udp = t->udp;
	m->stats.tcp = t->tcp;
	m->stats.tls = t->tls;
	m->stats.dropped = t->dropped;
	m->stats.truncated = t->truncated;
	m->stats.tcp_open = t->tcp_open;
	m->stats.tcp_evicted = t->tcp_evicted;
	m->stats.tls_accepted = t->tls_accepted;
	m->stats.tls_handshake_failed = t->tls_handshake_failed;
	m->stats.tls_resumed = t->tls_resumed;
	m->stats.rrl_dropped = t->rrl_dropped;
	m->stats.rrl_slipped = t->rrl_slipped;
	m->stats.routed = t->routed;
	m->stats.routed_down = t->routed_down;
	m->stats.routed_ecs = t->routed_ecs;
	m->stats.routed_nowhere = t->routed_nowhere;
	m->stats.budget_dropped = t->budget_dropped;
	m->stats.budget_slipped = t->budget_slipped;
	m->stats.policy_unsigned_total = t->policy_unsigned;
	fill_counts(m, t);
	fill_latency(m, t, ring, now_ms);
}

void
metrics_zone(struct metrics *m, const struct zonetotal *z, uint64_t now_ms)
{
	ns__metrics__init(&m->message);
	ns__stats_reply__init(&m->stats);
	m->message.stats = &m->stats;
	if (z == NULL)
		return; /* nobody has asked yet */
	m->stats.qps = m->stats.qps_10s = zonetotals_rate(z, now_ms);
	m->stats.queries = z->total[ZONE_QUERIES];
	m->stats.nxdomain = z->total[ZONE_NXDOMAIN];
	m->stats.errors = z->total[ZONE_ERRORS];
}

void
metrics_lists(struct metrics *m, struct toplist *top, struct floods *floods)
{
	m->stats.n_top = top->n;
	m->stats.top = top->list;
	m->stats.n_floods = floods->n;
	m->stats.floods = floods->list;
}

void
metrics_past_step(
    struct metrics_past *p, const struct totals *t, const struct totals_ring *ring, uint64_t now_ms)
{
	uint64_t counts[PAGE_HIST], age = 0, steps;
	const struct totals *before = totals_before(ring, now_ms, LONG_MS, &age);

	if (p->ms == 0) {
		past_push(p->qps, -1, ZONEPAST_POINTS);
		past_push(p->p99_us, -1, ZONEPAST_POINTS);
		p->ms = now_ms;
	}
	steps = (now_ms - p->ms + SHORT_MS / 2) / ZONEPAST_MS;
	if (steps == 0 || before == NULL)
		return;
	totals_latency_since(t, before, counts);
	past_push(p->qps, (float)totals_qps(ring, t, now_ms, LONG_MS), steps);
	past_push(p->p99_us, (float)totals_percentile(counts, 0.99), steps);
	p->ms = now_ms;
}

void
metrics_past(struct metrics *m, struct metrics_past *p)
{
	if (p->ms == 0)
		return;
	m->stats.past = p->qps;
	m->stats.past_p99_us = p->p99_us;
	m->stats.n_past = m->stats.n_past_p99_us = ZONEPAST_POINTS;
}

/* The protobuf struct wants float *, and never writes. */
void
metrics_zone_past(struct metrics *m, const struct zonepast_row *r)
{
	if (r == NULL)
		return;
	m->stats.past = (float *)(uintptr_t)r->list[ZONE_QUERIES];
	m->stats.past_nxdomain = (float *)(uintptr_t)r->list[ZONE_NXDOMAIN];
	m->stats.past_errors = (float *)(uintptr_t)r->list[ZONE_ERRORS];
	m->stats.n_past = m->stats.n_past_nxdomain = m->stats.n_past_errors = ZONEPAST_POINTS;
}

static void
rates_add(struct metrics_rates *r, const struct zonetotal *z, uint64_t now_ms)
{
	size_t n = r->message.n_ids++;

	r->ids[n] = z->id;
	r->qps[n] = (float)zonetotals_rate(z, now_ms);
	r->nxdomain[n] = zonetotals_nx(z);
}

void
metrics_rates(struct metrics_rates *r, const struct zonetotals *t, const struct zonepast *past,
    uint64_t now_ms)
{
	size_t n = zonetotals_rates(t, r->zones, METRICS_RATES - ZONEPAST_ZONES, now_ms);

	ns__zone_rates__init(&r->message);
	for (size_t i = 0; i < past->n; i++) {
		const struct zonetotal *z = zonetotals_find(t, past->rows[i].id);

		if (z == NULL)
			continue;
		zonepast_coarse(past, past->rows[i].list[ZONE_QUERIES],
		    r->past + ZONEPAST_COARSE * r->message.n_ids);
		rates_add(r, z, now_ms);
	}
	r->message.n_past = ZONEPAST_COARSE * r->message.n_ids;
	for (size_t i = 0; i < n; i++)
		if (zonepast_find(past, r->zones[i]->id) == NULL)
			rates_add(r, r->zones[i], now_ms);
	r->message.ids = r->ids;
	r->message.qps = r->qps;
	r->message.nxdomain = r->nxdomain;
	r->message.past = r->past;
	r->message.n_qps = r->message.n_nxdomain = r->message.n_ids;
}
