/* statsall - see statsall.h. */
#include "appliance/sync/statsall.h"

#include <stdlib.h>
#include <string.h>

#include "ipc/base/xalloc.h"

#define TOP_DEFAULT 10u
#define TOP_MAX     100u
#define BUCKETS_MAX 1024u
#define PAST_MAX    1024u

/* What is a number in a reply and is summed. */
static const size_t sums[] = {
#define SUM(field) offsetof(Ns__StatsReply, field)
	SUM(queries),
	SUM(dropped),
	SUM(udp),
	SUM(tcp),
	SUM(tls),
	SUM(truncated),
	SUM(tls_accepted),
	SUM(tls_handshake_failed),
	SUM(tls_resumed),
	SUM(tcp_open),
	SUM(tcp_evicted),
	SUM(rrl_dropped),
	SUM(rrl_slipped),
	SUM(budget_dropped),
	SUM(budget_slipped),
	SUM(routed),
	SUM(routed_down),
	SUM(routed_ecs),
	SUM(routed_nowhere),
	SUM(nxdomain),
	SUM(errors),
	SUM(unplaced),
	SUM(policy_unsigned_total),
#undef SUM
};

static void
add_counts(Ns__StatsReply__Rcode ***list, size_t *n, Ns__StatsReply__Rcode *const *from, size_t k)
{
	for (size_t i = 0; i < k; i++) {
		size_t at = 0;

		while (at < *n && strcmp((*list)[at]->name, from[i]->name) != 0)
			at++;
		if (at == *n) {
			Ns__StatsReply__Rcode *c = xmalloc(sizeof *c);

			ns__stats_reply__rcode__init(c);
			c->name = xstrdup(from[i]->name);
			*list = xreallocarray(*list, *n + 1, sizeof **list);
			(*list)[(*n)++] = c;
		}
		(*list)[at]->count += from[i]->count;
	}
}

/* Point by point; what nobody counted is none of the sum. */
static void
add_past(float **list, size_t *n, const float *from, size_t k)
{
	if (k > PAST_MAX)
		return;
	if (*n < k)
		*list = xreallocarray(*list, k, sizeof **list);
	for (; *n < k; (*n)++)
		(*list)[*n] = -1;
	for (size_t i = 0; i < k; i++)
		if (from[i] >= 0)
			(*list)[i] = (*list)[i] >= 0 ? (*list)[i] + from[i] : from[i];
}

/* Percentiles do not add up: the worst of them. */
static void
most_past(float **list, size_t *n, const float *from, size_t k)
{
	size_t had = *n;

	add_past(list, n, from, had == 0 ? k : 0);
	for (size_t i = 0; had > 0 && i < k && i < *n; i++)
		if (from[i] > (*list)[i])
			(*list)[i] = from[i];
}

/* The name that a client asks for most: where he asks most. */
static void
take_most(Ns__StatsReply__Top *to, const Ns__StatsReply__Top *from)
{
	if (to->most[0] != '\0' && to->count > 2 * from->count)
		return;
	if (to->most != protobuf_c_empty_string)
		free(to->most);
	to->most = xstrdup(from->most);
}

static void
add_top(Ns__StatsReply *m, const Ns__StatsReply *in)
{
	for (size_t i = 0; i < in->n_top; i++) {
		const Ns__StatsReply__Top *t = in->top[i];
		size_t at = 0;

		while (at < m->n_top && strcmp(m->top[at]->name, t->name) != 0)
			at++;
		if (at == m->n_top) {
			Ns__StatsReply__Top *fresh = xmalloc(sizeof *fresh);

			ns__stats_reply__top__init(fresh);
			fresh->name = xstrdup(t->name);
			m->top = xreallocarray(m->top, m->n_top + 1, sizeof *m->top);
			m->top[m->n_top++] = fresh;
		}
		m->top[at]->count += t->count;
		m->top[at]->nxdomain += t->nxdomain;
		m->top[at]->errors += t->errors;
		m->top[at]->qps += t->qps;
		add_past(&m->top[at]->past, &m->top[at]->n_past, t->past, t->n_past);
		take_most(m->top[at], t);
	}
}

static void
add_floods(Ns__StatsReply *m, const Ns__StatsReply *in)
{
	for (size_t i = 0; i < in->n_floods; i++) {
		const Ns__StatsReply__Flood *f = in->floods[i];
		size_t at = 0;

		while (at < m->n_floods && strcmp(m->floods[at]->zone, f->zone) != 0)
			at++;
		if (at == m->n_floods) {
			Ns__StatsReply__Flood *fresh = xmalloc(sizeof *fresh);

			ns__stats_reply__flood__init(fresh);
			fresh->zone = xstrdup(f->zone);
			fresh->quiet_s = f->quiet_s;
			m->floods = xreallocarray(m->floods, m->n_floods + 1, sizeof *m->floods);
			m->floods[m->n_floods++] = fresh;
		}
		m->floods[at]->limited += f->limited;
		if (f->quiet_s < m->floods[at]->quiet_s)
			m->floods[at]->quiet_s = f->quiet_s;
	}
}

/* Edges are the same everywhere; the list stays in their order. */
static void
add_buckets(Ns__StatsReply *m, const Ns__StatsReply *in)
{
	for (size_t i = 0; i < in->n_latency && m->n_latency < BUCKETS_MAX; i++) {
		const Ns__StatsReply__Bucket *b = in->latency[i];
		size_t at = 0;

		while (at < m->n_latency && m->latency[at]->us < b->us)
			at++;
		if (at == m->n_latency || m->latency[at]->us > b->us) {
			Ns__StatsReply__Bucket *fresh = xmalloc(sizeof *fresh);

			ns__stats_reply__bucket__init(fresh);
			fresh->us = b->us;
			m->latency =
			    xreallocarray(m->latency, m->n_latency + 1, sizeof *m->latency);
			memmove(m->latency + at + 1, m->latency + at,
			    (m->n_latency - at) * sizeof *m->latency);
			m->latency[at] = fresh;
			m->n_latency++;
		}
		m->latency[at]->count += b->count;
	}
}

static double
percentile(const Ns__StatsReply *m, double p)
{
	uint64_t all = 0, sum = 0;

	for (size_t i = 0; i < m->n_latency; i++)
		all += m->latency[i]->count;
	for (size_t i = 0; i < m->n_latency; i++) {
		sum += m->latency[i]->count;
		if (sum > 0 && (double)sum >= p * (double)all)
			return m->latency[i]->us;
	}
	return 0;
}

static int
by_weight(const void *a, const void *b)
{
	const Ns__StatsReply__Top *ta = *(Ns__StatsReply__Top *const *)a;
	const Ns__StatsReply__Top *tb = *(Ns__StatsReply__Top *const *)b;

	if (ta->qps < tb->qps || ta->qps > tb->qps)
		return ta->qps < tb->qps ? 1 : -1;
	if (ta->count != tb->count)
		return ta->count < tb->count ? 1 : -1;
	return strcmp(ta->name, tb->name);
}

static void
cut_top(Ns__StatsReply *m, uint32_t limit)
{
	size_t max = limit == 0 ? TOP_DEFAULT : limit < TOP_MAX ? limit : TOP_MAX;

	if (m->n_top > 0)
		qsort(m->top, m->n_top, sizeof *m->top, by_weight);
	while (m->n_top > max)
		protobuf_c_message_free_unpacked(&m->top[--m->n_top]->base, NULL);
}

static void
add(Ns__StatsReply *m, const Ns__StatsReply *in)
{
	for (size_t i = 0; i < sizeof sums / sizeof *sums; i++)
		*(uint64_t *)(void *)((char *)m + sums[i]) +=
		    *(const uint64_t *)(const void *)((const char *)in + sums[i]);
	m->qps += in->qps;
	m->qps_10s += in->qps_10s;
	add_counts(&m->rcodes, &m->n_rcodes, in->rcodes, in->n_rcodes);
	add_counts(&m->qtypes, &m->n_qtypes, in->qtypes, in->n_qtypes);
	add_top(m, in);
	add_floods(m, in);
	add_buckets(m, in);
	add_past(&m->past, &m->n_past, in->past, in->n_past);
	add_past(&m->past_nxdomain, &m->n_past_nxdomain, in->past_nxdomain, in->n_past_nxdomain);
	add_past(&m->past_errors, &m->n_past_errors, in->past_errors, in->n_past_errors);
	most_past(&m->past_p99_us, &m->n_past_p99_us, in->past_p99_us, in->n_past_p99_us);
	m->appliances++;
}

void
statsall_merge(struct request *r, const struct everywhere_part *parts, size_t n)
{
	Ns__StatsReply *m = xmalloc(sizeof *m);

	ns__stats_reply__init(m);
	m->scope = xstrdup(r->env->stats_request->scope);
	m->top_of = xstrdup(r->env->stats_request->top);
	m->silent = xcalloc(n, sizeof *m->silent);
	for (size_t i = 0; i < n; i++) {
		const Ns__Envelope *env = parts[i].reply;

		if (env != NULL && env->body_case == NS__ENVELOPE__BODY_STATS_REPLY)
			add(m, env->stats_reply);
		else
			m->silent[m->n_silent++] = xstrdup(parts[i].name);
	}
	cut_top(m, r->env->stats_request->limit);
	if (m->n_latency > 0) {
		m->latency_us = xmalloc(sizeof *m->latency_us);
		ns__stats_reply__latency__init(m->latency_us);
		m->latency_us->p50 = percentile(m, 0.50);
		m->latency_us->p99 = percentile(m, 0.99);
		m->latency_us->p999 = percentile(m, 0.999);
	}
	request_reply(r, NS__ENVELOPE__BODY_STATS_REPLY, m);
}
