/* overview.c - how this appliance is: load, latency, rcodes, busiest zones, problems, the last change. */
#include "console/screens/overview_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console/core/calm.h"
#include "console/core/sanitize.h"
#include "console/screens/querytest.h"
#include "console/screens/twin.h"
#include "ipc/base/xalloc.h"

#define TIMEOUT_MS 2000u
#define FLEET_MS   3000u
#define PAST_MS    10000u /* between two looks at the last ten minutes: a point of it */
#define SINCE_MS   10000u /* about what shares of a zone look back */

/* ---- what comes ---- */

static void
zone_free(struct top_zone *z)
{
	free(z->name);
	free(z->shown);
}

static double
percent(uint64_t part, uint64_t whole)
{
	return whole > 0 ? 100.0 * (double)part / (double)whole : 0;
}

/* Of about the last ten seconds; of all time when it was not on the list before. */
static void
take_shares(struct top_zone *z, const Ns__StatsReply__Top *t, uint64_t now_ms)
{
	struct top_counts fresh = { now_ms, t->count, t->nxdomain, t->errors };

	if (z->now.ms == 0 || t->count < z->now.count || t->nxdomain < z->now.nxdomain ||
	    t->errors < z->now.errors)
		z->was = (struct top_counts){ 0 };
	else if (z->was.ms == 0 || now_ms - z->was.ms >= SINCE_MS)
		z->was = z->now;
	z->now = fresh;
	if (t->count == z->was.count)
		return;
	z->nx = percent(t->nxdomain - z->was.nxdomain, t->count - z->was.count);
	z->errors = percent(t->errors - z->was.errors, t->count - z->was.count);
}

static size_t
place_before(const struct overview *o, const char *name)
{
	for (size_t k = 0; k < o->n_zones; k++)
		if (strcmp(o->zones[k].name, name) == 0)
			return k;
	return CALM_NEW;
}

/* The rows stay with their zones: history by name, and the cursor too. */
static void
take_zones(struct view *v, const Ns__StatsReply *r)
{
	struct overview *o = v->state;
	struct top_zone fresh[ZONES] = { 0 };
	struct calm_row rows[ZONES] = { 0 };
	size_t n = r->n_top < ZONES ? r->n_top : ZONES, order[ZONES], cursor = o->table.row;
	const char *at = cursor < o->n_zones ? o->zones[cursor].name : NULL;

	for (size_t i = 0; i < n; i++)
		rows[i] = (struct calm_row){ r->top[i]->qps, place_before(o, r->top[i]->name),
			r->top[i]->name };
	calm_order(rows, n, order);
	for (size_t i = 0; i < n; i++) {
		const Ns__StatsReply__Top *t = r->top[order[i]];
		size_t was = rows[order[i]].was;
		struct top_zone *z = &fresh[i];

		for (size_t s = 0; s < SPARK; s++)
			z->spark[s] = -1;
		if (was != CALM_NEW)
			*z = o->zones[was];
		z->name = xstrdup(t->name);
		z->shown = sanitize_dup(t->name, v->ui->ascii);
		z->shown[ui_name_len(z->shown)] = '\0';
		z->qps = t->qps;
		take_shares(z, t, v->ui->mono_ms);
		if (t->n_past > 0)
			spark_past(z->spark, SPARK, t->past, t->n_past);
		if (cursor > 0 && at != NULL && strcmp(at, t->name) == 0)
			o->table.row = i;
	}
	for (size_t i = 0; i < o->n_zones; i++)
		zone_free(&o->zones[i]);
	memcpy(o->zones, fresh, sizeof fresh);
	o->n_zones = n;
}

/* What was before the console looked, and while it did not. */
static void
take_past(struct view *v, const Ns__StatsReply *r)
{
	struct overview *o = v->state;

	o->past_ms = v->ui->mono_ms;
	series_past(&o->qps, r->past, r->n_past, 1, v->ui->refresh_ms);
	series_past(&o->p99, r->past_p99_us, r->n_past_p99_us, 0.001, v->ui->refresh_ms);
}

static void
take_latency(struct view *v, const Ns__StatsReply *r)
{
	struct overview *o = v->state;

	o->latency = r->latency_us != NULL && r->queries > 0;
	if (o->latency) {
		o->p50 = r->latency_us->p50 / 1000;
		o->p99_now = r->latency_us->p99 / 1000;
		o->p999 = r->latency_us->p999 / 1000;
	}
	o->n_buckets = r->n_latency < BUCKETS ? r->n_latency : BUCKETS;
	for (size_t i = 0; i < o->n_buckets; i++) {
		o->buckets[i] = *r->latency[i];
		o->bucket_list[i] = &o->buckets[i];
	}
}

static void
stats_came(void *arg, const Ns__Envelope *env, const struct ns_why *why)
{
	struct view *v = arg;
	struct overview *o = v->state;
	const Ns__StatsReply *r;

	o->stats_request = 0;
	if (env == NULL) {
		ui_say_why(v->ui, why);
		return;
	}
	r = env->stats_reply;
	ui_live(v);
	o->known = true;
	o->now = r->qps;
	o->appliances = r->appliances;
	o->silent = r->n_silent;
	take_latency(v, r);
	if (o->sampled_ms != 0) {
		series_gap(&o->qps, v->ui->mono_ms - o->sampled_ms, v->ui->refresh_ms);
		series_gap(&o->p99, v->ui->mono_ms - o->sampled_ms, v->ui->refresh_ms);
	}
	if (r->n_past > 0 || o->past_ms == 0)
		take_past(v, r);
	o->sampled_ms = v->ui->mono_ms;
	series_add(&o->qps, r->qps);
	series_add(&o->p99, o->latency ? o->p99_now : -1);
	o->peak = series_most(&o->qps);
	shares_add(&o->shares, r, r->rcodes, r->n_rcodes);
	shares_add(&o->types, r, r->qtypes, r->n_qtypes);
	take_zones(v, r);
	ui_dirty(v->ui, false);
}

static void
history_came(void *arg, const Ns__Envelope *env, const struct ns_why *why)
{
	struct view *v = arg;
	struct overview *o = v->state;
	char text[512], when[16];

	(void)why;
	o->history_request = 0;
	o->n_changes = 0;
	for (size_t i = 0; env != NULL && i < env->history_list_reply->n_changes && i < CHANGES;
	     i++) {
		const Ns__Change *c = env->history_list_reply->changes[i];
		const char *zone = c->n_zones > 0 ? c->zones[0] : c->object;

		ui_when(c->at, when);
		snprintf(text, sizeof text, "%llu  %sZ  %s  %s  %.*s%s%s%s",
		    (unsigned long long)c->revision, when, c->author, c->kind, ui_name_len(zone),
		    zone, c->comment[0] != '\0' ? "  \"" : "", c->comment,
		    c->comment[0] != '\0' ? "\"" : "");
		sanitize(o->changes[i].text, sizeof o->changes[i].text, text, v->ui->ascii);
		o->changes[i].revision = c->revision;
		o->n_changes = i + 1;
	}
	ui_dirty(v->ui, false);
}

static void
fleet_came(struct view *v, const Ns__FleetListReply *m)
{
	popbars_take(&((struct overview *)v->state)->pops, v, m);
}

/* ---- asking ---- */

static void
overview_tick(struct view *v)
{
	struct overview *o = v->state;
	Ns__StatsRequest body = NS__STATS_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;

	troubles_tick(&o->troubles);
	if (o->stats_request != 0)
		return;
	overview_list_tick(v, &o->list, o->fleet);
	body.scope = (char *)(uintptr_t)(o->fleet ? "fleet" : "");
	body.top = (char *)(uintptr_t) "zones";
	body.limit = ZONES;
	body.past = o->past_ms == 0 || v->ui->mono_ms - o->past_ms >= PAST_MS;
	request.body_case = NS__ENVELOPE__BODY_STATS_REQUEST;
	request.stats_request = &body;
	o->stats_request = ns_client_request(
	    v->ui->client, &request, o->fleet ? FLEET_MS : TIMEOUT_MS, stats_came, v);
}

static void
overview_reload(struct view *v)
{
	struct overview *o = v->state;
	Ns__HistoryListRequest body = NS__HISTORY_LIST_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;

	troubles_reload(&o->troubles);
	overview_tick(v);
	if (o->history_request != 0)
		ns_client_cancel(v->ui->client, o->history_request);
	body.limit = CHANGES;
	request.body_case = NS__ENVELOPE__BODY_HISTORY_LIST_REQUEST;
	request.history_list_request = &body;
	o->history_request =
	    ns_client_request(v->ui->client, &request, TIMEOUT_MS, history_came, v);
}

static void
overview_open(struct view *v)
{
	struct overview *o = v->state;

	o->table.columns = overview_columns;
	troubles_init(&o->troubles, v);
	o->troubles.fleet = fleet_came;
	series_init(&o->qps);
	series_init(&o->p99);
}

static void
overview_close(struct view *v)
{
	struct overview *o = v->state;

	if (o->stats_request != 0)
		ns_client_cancel(v->ui->client, o->stats_request);
	if (o->history_request != 0)
		ns_client_cancel(v->ui->client, o->history_request);
	for (size_t i = 0; i < o->n_zones; i++)
		zone_free(&o->zones[i]);
	troubles_free(&o->troubles);
	popbars_free(&o->pops);
	overview_list_close(v, &o->list);
}

/* Other counters: what was drawn so far does not go on. */
static void
change_scope(struct view *v)
{
	struct overview *o = v->state;

	o->fleet = !o->fleet;
	o->known = false;
	o->sampled_ms = o->past_ms = 0;
	o->n_buckets = 0;
	series_init(&o->qps);
	series_init(&o->p99);
	memset(&o->shares, 0, sizeof o->shares);
	memset(&o->types, 0, sizeof o->types);
	if (o->stats_request != 0)
		ns_client_cancel(v->ui->client, o->stats_request);
	o->stats_request = 0;
	overview_list_step(v, &o->list, 0, o->fleet);
	overview_tick(v);
}

static bool
overview_act(struct view *v, enum ns_action_id id)
{
	struct overview *o = v->state;

	switch (id) {
	case ACT_PROBLEMS:
		o->at_troubles = !o->at_troubles;
		return true;
	case ACT_NEXT_TAB:
	case ACT_PREVIOUS_TAB:
		o->at_troubles = false;
		overview_list_step(v, &o->list, id == ACT_NEXT_TAB ? 1 : -1, o->fleet);
		return true;
	case ACT_WIDE:
		change_scope(v);
		return true;
	default:
		break;
	}
	if (o->at_troubles)
		return troubles_act(&o->troubles, id);
	if (overview_on_list(o))
		return overview_list_act(v, &o->list, id);
	if (ns_table_act(&o->table, id, o->n_zones))
		return true;
	if (o->table.row >= o->n_zones)
		return false;
	return ui_open_zone(v->ui, id, o->zones[o->table.row].name);
}

static void
overview_twin(struct view *v, struct wbuf *w)
{
	const struct overview *o = v->state;

	twin_word(w, "stats");
	twin_option(w, "--scope", o->fleet ? "fleet" : "");
	twin_option(w, "--top", "zones");
}

const struct ns_screen_ops screen_overview = {
	.name = "Overview",
	.size = sizeof(struct overview),
	.contexts =
	    CTX_GLOBAL | CTX_LIST | CTX_OPEN | CTX_ZONE | CTX_TABS | CTX_WIDE | CTX_PROBLEMS,
	.open = overview_open,
	.close = overview_close,
	.reload = overview_reload,
	.tick = overview_tick,
	.draw = overview_draw,
	.act = overview_act,
	.twin_words = overview_twin,
};
