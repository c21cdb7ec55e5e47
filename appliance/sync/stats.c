/* stats - see stats.h. */
#include "appliance/sync/stats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/dns/name.h"
#include "appliance/sync/bus.h"
#include "appliance/sync/conn.h"
#include "appliance/sync/control.h"
#include "appliance/sync/errors.h"
#include "appliance/sync/everywhere.h"
#include "appliance/sync/fleet.h"
#include "appliance/sync/signatures.h"
#include "appliance/sync/statsall.h"
#include "appliance/sync/zonerates.h"
#include "ipc/base/clock.h"
#include "ipc/base/xalloc.h"
#include "ipc/envelope.h"

#define MARGIN_NS 200000000ull
#define LOAD_NS   1000000000ull /* between two looks at the load */
#define WATCHED   32u /* zones that consoles look at, at the same time */
#define TOLD_NS   5000000000ull /* a figure that is older is none */

/* A zone that somebody looks at, with the figure that answer told last. */
struct watched {
	uint8_t zone[NAME_MAX_WIRE];
	size_t len; /* 0: a place that is free */
	uint64_t asked_id, asked_ns, told_ns;
	double qps;
};

struct stats {
	struct watched watched[WATCHED];
	struct request_list asked; /* each waits for the Metrics of its own id */
	uint64_t last_id;
	uint64_t queries, failed; /* of the last figures */
	uint64_t load_ns; /* when they were asked for */
};

struct stats *
stats_new(void)
{
	struct stats *st = xcalloc(1, sizeof *st);

	TAILQ_INIT(&st->asked);
	return st;
}

void
stats_destroy(struct stats **stp)
{
	struct request *r;

	if (*stp == NULL)
		return;
	while ((r = TAILQ_FIRST(&(*stp)->asked)) != NULL) {
		TAILQ_REMOVE(&(*stp)->asked, r, waiting);
		conn_detach(r);
		request_destroy(&r);
	}
	free(*stp);
	*stp = NULL;
}

static bool
is_list(const char *top)
{
	static const char *const lists[] = { "", "zones", "clients", "qtypes", "names" };

	for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
		if (strcmp(top, lists[i]) == 0)
			return true;
	return false;
}

/* "zone:Z", "appliance:A" or nothing.  False: refused. */
static bool
read_scope(struct sync *s, struct request *r, uint8_t zone[NAME_MAX_WIRE], size_t *len)
{
	const char *scope = r->env->stats_request->scope;

	*len = 0;
	if (scope[0] == '\0')
		return true;
	if (strncmp(scope, "zone:", 5) == 0) {
		r->err = zone_name_read(scope + 5, zone, &r->why);
		if (r->err == NS_OK)
			*len = name_len(zone);
		else
			request_finish(s, r);
		return r->err == NS_OK;
	}
	if (strncmp(scope, "appliance:", 10) == 0 && strcmp(scope + 10, s->name) == 0)
		return true;
	if (strncmp(scope, "appliance:", 10) == 0)
		request_refuse(s, r, NS_NOTFOUND, ES_REQUEST,
		    "this appliance has another name; --appliance NAME asks that one");
	else
		request_refuse(s, r, NS_USAGE, ES_REQUEST,
		    "a scope is zone:NAME, appliance:NAME, fleet or fleet:zone:NAME");
	return false;
}

static void
ask_load(struct sync *s)
{
	Ns__Envelope env = NS__ENVELOPE__INIT;
	Ns__MetricsRequest ask = NS__METRICS_REQUEST__INIT;

	env.body_case = NS__ENVELOPE__BODY_METRICS_REQUEST;
	env.metrics_request = &ask;
	(void)bus_send(s, ROLE_ANSWER, &env);
}

/* "fleet" and "fleet:zone:Z": each is asked for its own.  False: it is not such a scope. */
static bool
ask_all(struct sync *s, struct request *r)
{
	Ns__StatsRequest body = *r->env->stats_request;
	Ns__Envelope each = NS__ENVELOPE__INIT;

	if (strncmp(body.scope, "fleet", 5) != 0 || (body.scope[5] != '\0' && body.scope[5] != ':'))
		return false;
	body.scope += body.scope[5] == ':' ? 6 : 5;
	each.body_case = NS__ENVELOPE__BODY_STATS_REQUEST;
	each.stats_request = &body;
	everywhere_begin(s, r, &each, statsall_merge);
	return true;
}

void
stats_request(struct sync *s, struct request *r)
{
	const Ns__StatsRequest *q = r->env->stats_request;
	Ns__Envelope env = NS__ENVELOPE__INIT;
	Ns__MetricsRequest ask = NS__METRICS_REQUEST__INIT;
	uint8_t zone[NAME_MAX_WIRE];

	if (ask_all(s, r) || !read_scope(s, r, zone, &ask.zone.len))
		return;
	if (!is_list(q->top)) {
		request_refuse(s, r, NS_USAGE, ES_REQUEST,
		    "a list is one of zones, clients, qtypes and names");
		return;
	}
	ask.zone.data = zone;
	ask.top = q->top;
	ask.limit = q->limit;
	ask.past = q->past;
	env.id = ++s->stats->last_id;
	env.body_case = NS__ENVELOPE__BODY_METRICS_REQUEST;
	env.metrics_request = &ask;
	if (bus_send(s, ROLE_ANSWER, &env) != NS_OK) {
		request_refuse(s, r, NS_UNAVAILABLE, ES_NO_ANSWER,
		    "the answer process, which counts, is not there; DNS is answered all the same");
		return;
	}
	r->asked_id = env.id;
	TAILQ_INSERT_TAIL(&s->stats->asked, r, waiting);
}

static void
finish(struct sync *s, struct request *r, const Ns__Metrics *m)
{
	Ns__StatsReply *stats;

	if (m->stats == NULL) {
		request_refuse(s, r, NS_FAILED, ES_NO_ANSWER, "no figures came back");
		return;
	}
	if (m->zone_missing) {
		request_refuse(s, r, NS_NOTFOUND, ES_NO_ZONE, "no such zone is served here");
		return;
	}
	stats = ns_message_copy(&m->stats->base);
	if (stats != NULL) {
		if (stats->scope != protobuf_c_empty_string)
			free(stats->scope);
		stats->scope = xstrdup(r->env->stats_request->scope);
		if (strncmp(stats->scope, "zone:", 5) != 0)
			signatures_stats(stats);
	}
	request_reply(r, NS__ENVELOPE__BODY_STATS_REPLY, stats);
	request_finish(s, r);
}

/* What answer tells once a second, for the list of appliances. */
static void
note_load(struct sync *s, const Ns__Metrics *metrics)
{
	const Ns__StatsReply *m = metrics->stats;
	struct stats *st = s->stats;
	uint64_t failed = 0, queries = m->queries - st->queries;

	for (size_t i = 0; i < m->n_rcodes; i++)
		if (strcmp(m->rcodes[i]->name, "SERVFAIL") == 0)
			failed = m->rcodes[i]->count;
	s->fleet->vitals.geo_day = metrics->geo_day;
	s->fleet->qps = m->qps;
	s->fleet->p99_us = m->latency_us != NULL && m->queries > 0 ? m->latency_us->p99 : 0;
	s->fleet->p50_us = m->latency_us != NULL && m->queries > 0 ? m->latency_us->p50 : 0;
	/* Counters that went back belong to another life of the processes. */
	s->fleet->error_percent = m->queries > st->queries && failed >= st->failed
				      ? 100.0 * (double)(failed - st->failed) / (double)queries
				      : 0;
	st->queries = m->queries;
	st->failed = failed;
}

/* ---- the zones that are on somebody's screen ---- */
/* The place of a zone: its own, or that of the one that was not asked for the longest. */
static struct watched *
watched_at(struct stats *st, const uint8_t *zone, size_t len)
{
	struct watched *w = &st->watched[0];

	for (size_t i = 0; i < WATCHED; i++) {
		struct watched *at = &st->watched[i];

		if (at->len == len && memcmp(at->zone, zone, len) == 0)
			return at;
		if (at->asked_ns < w->asked_ns)
			w = at;
	}
	*w = (struct watched){ .len = len };
	memcpy(w->zone, zone, len);
	return w;
}

double
stats_zone_qps(struct sync *s, const char *name, uint64_t now_ns)
{
	Ns__Envelope env = NS__ENVELOPE__INIT;
	Ns__MetricsRequest ask = NS__METRICS_REQUEST__INIT;
	uint8_t zone[NAME_MAX_WIRE];
	struct ns_why why = { 0 };
	struct watched *w;

	if (zone_name_read(name, zone, &why) != NS_OK)
		return (double)NAN;
	w = watched_at(s->stats, zone, name_len(zone));
	ask.zone.data = zone;
	ask.zone.len = w->len;
	env.id = w->asked_id = ++s->stats->last_id;
	w->asked_ns = now_ns;
	env.body_case = NS__ENVELOPE__BODY_METRICS_REQUEST;
	env.metrics_request = &ask;
	(void)bus_send(s, ROLE_ANSWER, &env);
	return w->told_ns != 0 && now_ns - w->told_ns < TOLD_NS ? w->qps : (double)NAN;
}

/* False: it is somebody else's. */
static bool
watched_took(struct stats *st, const Ns__Envelope *env)
{
	for (size_t i = 0; env->id != 0 && i < WATCHED; i++) {
		struct watched *w = &st->watched[i];

		if (w->asked_id != env->id)
			continue;
		w->told_ns = env->metrics->stats != NULL && !env->metrics->zone_missing
				 ? clock_mono_ns()
				 : 0;
		w->qps = env->metrics->stats != NULL ? env->metrics->stats->qps : 0;
		return true;
	}
	return false;
}

void
stats_metrics(struct sync *s, const Ns__Envelope *env)
{
	struct request *r;

	if (env->metrics->rates != NULL) {
		zonerates_came(s, env->metrics->rates);
		return;
	}
	if (env->metrics->stats != NULL && env->id == 0)
		note_load(s, env->metrics);
	if (watched_took(s->stats, env))
		return;
	TAILQ_FOREACH(r, &s->stats->asked, waiting)
	{
		if (r->asked_id != env->id)
			continue;
		TAILQ_REMOVE(&s->stats->asked, r, waiting);
		finish(s, r, env->metrics);
		return;
	}
	/* Nobody waits for it any more. */
}

void
stats_tick(struct sync *s, uint64_t now_ns)
{
	struct request *r, *next;

	if (now_ns - s->stats->load_ns > LOAD_NS) {
		s->stats->load_ns = now_ns;
		ask_load(s);
		fleet_remember(s, now_ns);
	}
	for (r = TAILQ_FIRST(&s->stats->asked); r != NULL; r = next) {
		next = TAILQ_NEXT(r, waiting);
		if (now_ns + MARGIN_NS < r->deadline_ns)
			continue;
		TAILQ_REMOVE(&s->stats->asked, r, waiting);
		request_refuse(
		    s, r, NS_UNAVAILABLE, ES_NO_ANSWER, "the answer process did not reply in time");
	}
}
