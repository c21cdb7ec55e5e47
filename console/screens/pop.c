/* pop - one appliance: where it is, how far it is, and what its processes do. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console/core/sanitize.h"
#include "console/screens/fleet.h"
#include "console/widgets/lines.h"
#include "ipc/base/xalloc.h"

#define TIMEOUT_MS 2000u

struct pop {
	struct lines lines;
	uint64_t fleet_request, status_request;
	bool loaded, gone;
	char title[256];
	enum ui_role role;
	struct lines member, own; /* what the fleet knows of it, and what it says itself */
	bool drained;
	size_t serving, all;
};

static void
add(struct view *v, struct lines *l, enum ui_role role, const char *label, char *text)
{
	char *safe = sanitize_dup(text, v->ui->ascii);

	lines_add(l, role, " %-12s %s", label, safe);
	free(safe);
	free(text);
}

/* ---- as the fleet knows it ---- */
static char *
heard_text(const Ns__FleetListReply__Appliance *m)
{
	if (m->silent_s < 0)
		return xstrdup("never, since this primary started");
	return xasprintf("%.1f s ago", m->silent_s);
}

/* "310M of memory   [geo] database of 2026-11-18   clock +0.2ms" */
static char *
host_text(const Ns__FleetListReply__Appliance *m)
{
	char memory[16] = "?", clock[16] = "?";

	if (m->memory_mib > 0)
		fleet_memory(m->memory_mib, memory);
	if (!isnan(m->clock_ms))
		fleet_clock(m->clock_ms, clock);
	return xasprintf("memory %s   [geo] database %s%s   clock %s", memory,
	    m->geo_built[0] != '\0' ? "of " : "none", m->geo_built, clock);
}

static void
take_member(struct view *v, const Ns__FleetListReply__Appliance *m)
{
	struct pop *p = v->state;
	const char *word = fleet_state(m->state, &p->role);
	enum ui_role live = strcmp(m->state, "silent") == 0 ? UI_OLD : UI_LIVE;

	p->role |= UI_LIVE;
	snprintf(p->title, sizeof p->title, "%s", word);
	p->drained = m->drained != NULL;
	lines_clear(&p->member);
	add(v, &p->member, UI_TEXT, "role",
	    xasprintf(
		"%s%s%s", m->role, m->trust[0] != '\0' ? "   trusted to relay: " : "", m->trust));
	add(v, &p->member, UI_TEXT, "site", xstrdup(m->site[0] != '\0' ? m->site : "-"));
	add(v, &p->member, UI_TEXT, "version", xstrdup(m->version[0] != '\0' ? m->version : "-"));
	add(v, &p->member, UI_TEXT, "address", xstrdup(m->endpoint[0] != '\0' ? m->endpoint : "-"));
	add(v, &p->member, (m->lag_changes > 0 ? UI_WARN : UI_TEXT) | live, "revision",
	    xasprintf("serves %llu, has stored %llu; lag %.1f s, %llu changes",
		(unsigned long long)m->revision, (unsigned long long)m->stored, m->lag_s,
		(unsigned long long)m->lag_changes));
	add(v, &p->member, UI_TEXT | UI_LIVE, "heard", heard_text(m));
	add(v, &p->member, UI_TEXT | live, "queries/s",
	    xasprintf("%.0f   p50 %.2f ms   p99 %.2f ms   errors %.1f%%", m->qps, m->p50_us / 1000,
		m->p99_us / 1000, m->error_percent));
	add(v, &p->member, UI_TEXT | live, "host", host_text(m));
	if (m->drained != NULL)
		add(v, &p->member, UI_WARN, "drained",
		    xasprintf("by %s: %s; caches have its answers until %.19sZ%s",
			m->drained->author, m->drained->reason, m->drained->until,
			m->drained->ttl_partial ? ", or later" : ""));
	if (m->key_roll != NULL)
		add(v, &p->member, UI_TEXT, "new key",
		    xasprintf("%s %s", m->key_roll->state, m->key_roll->until));
}

static void
fleet_came(void *arg, const Ns__Envelope *env, const struct ns_why *why)
{
	struct view *v = arg;
	struct pop *p = v->state;
	const Ns__FleetListReply *m;

	p->fleet_request = 0;
	ui_dirty(v->ui, false);
	if (env == NULL) {
		ui_say_why(v->ui, why);
		return;
	}
	m = env->fleet_list_reply;
	ui_live(v);
	p->gone = true;
	p->serving = p->all = 0;
	for (size_t i = 0; i < m->n_appliances; i++) {
		const Ns__FleetListReply__Appliance *a = m->appliances[i];

		p->all += strcmp(a->state, "invited") != 0;
		p->serving += strcmp(a->state, "invited") != 0 && a->drained == NULL &&
			      strcmp(a->state, "silent") != 0;
		if (strcmp(a->name, v->object) != 0)
			continue;
		p->gone = false;
		p->loaded = true;
		take_member(v, a);
	}
}

/* ---- as it says itself ---- */
static void
take_processes(struct view *v, const Ns__StatusReply *s)
{
	struct pop *p = v->state;

	lines_add(&p->own, UI_HEAD, "   PROCESS      PID    STATE     UP  RESTARTS");
	for (size_t i = 0; i < s->n_processes; i++) {
		const Ns__StatusReply__Process *q = s->processes[i];
		bool well = strcmp(q->state, "ready") == 0;
		char role[24], state[16], name[40], up[24];

		fleet_uptime(q->uptime_s, up);
		sanitize(role, sizeof role, q->role, true);
		sanitize(state, sizeof state, q->state, true);
		snprintf(name, sizeof name, strcmp(role, "worker") == 0 ? "%s %u" : "%s", role,
		    q->index);
		lines_add(&p->own, (well ? UI_TEXT : UI_CRIT) | UI_LIVE,
		    "   %-10s %6d  %-8s %5s %9u", name, q->pid, state, up, q->restarts);
	}
}

static void
status_came(void *arg, const Ns__Envelope *env, const struct ns_why *why)
{
	struct view *v = arg;
	struct pop *p = v->state;
	const Ns__StatusReply *s;

	p->status_request = 0;
	lines_clear(&p->own);
	ui_dirty(v->ui, false);
	if (env == NULL) {
		add(v, &p->own, UI_WARN, "processes",
		    xasprintf("it does not tell itself now: %s",
			why->text[0] != '\0' ? why->text : ns_err_text(why->err)));
		return;
	}
	s = env->status_reply;
	add(v, &p->own, (s->map_full ? UI_CRIT : UI_TEXT) | UI_LIVE, "zone map",
	    xasprintf("%.1f of %.1f MiB%s", (double)s->map_bytes / 1048576,
		(double)s->map_limit / 1048576, s->map_full ? ", FULL" : ""));
	add(v, &p->own, UI_TEXT | UI_LIVE, "checks",
	    xasprintf("votes on %llu of %llu, %llu down; %llu looks since the start",
		(unsigned long long)s->checks_assigned, (unsigned long long)s->checks,
		(unsigned long long)s->checks_down, (unsigned long long)s->probes));
	add(v, &p->own, UI_TEXT, "last backup",
	    xstrdup(s->last_backup[0] != '\0' ? s->last_backup : "never"));
	lines_add(&p->own, UI_TEXT, "%s", "");
	take_processes(v, s);
	for (size_t i = 0; i < s->n_problems; i++)
		add(v, &p->own, UI_WARN, s->problems[i]->code, xstrdup(s->problems[i]->text));
}

/* ---- life ---- */
static void
pop_open(struct view *v)
{
	(void)v;
}

static void
pop_reload(struct view *v)
{
	struct pop *p = v->state;
	Ns__StatusRequest body = NS__STATUS_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;

	if (p->fleet_request == 0)
		p->fleet_request = fleet_ask(v, fleet_came);
	request.body_case = NS__ENVELOPE__BODY_STATUS_REQUEST;
	request.status_request = &body;
	request.to = v->object; /* it is asked itself, by way of the one that we are connected to */
	if (p->status_request == 0)
		p->status_request =
		    ns_client_request(v->ui->client, &request, TIMEOUT_MS, status_came, v);
}

static void
pop_close(struct view *v)
{
	struct pop *p = v->state;

	if (p->fleet_request != 0)
		ns_client_cancel(v->ui->client, p->fleet_request);
	if (p->status_request != 0)
		ns_client_cancel(v->ui->client, p->status_request);
	lines_clear(&p->lines);
	lines_clear(&p->member);
	lines_clear(&p->own);
}

static void
join(struct lines *to, const struct lines *from)
{
	for (size_t i = 0; i < from->n; i++)
		lines_add(to, from->list[i].role, "%s", from->list[i].text);
}

static void
pop_draw(struct view *v, struct rect r)
{
	struct pop *p = v->state;
	struct surface *s = v->ui->surface;
	char name[UI_OBJECT];
	int x = r.x + 1;

	sanitize(name, sizeof name, v->object, v->ui->ascii);
	x += surface_putf(s, x, r.y, r.w - 2, UI_TITLE, "Fleet > %s", name);
	if (!p->loaded || p->gone) {
		surface_put(s, r.x + 3, r.y + 2, r.w - 4, UI_DIM,
		    p->gone ? "there is no such appliance any more" : ui_loading(v));
		return;
	}
	surface_put(s, x + 3, r.y, r.w - x - 4, p->role, p->title);
	lines_clear(&p->lines);
	join(&p->lines, &p->member);
	lines_add(&p->lines, UI_TEXT, "%s", "");
	join(&p->lines, &p->own);
	lines_draw(&p->lines, s, (struct rect){ r.x, r.y + 2, r.w, r.h - 2 });
}

static const char *
pop_refuse(struct view *v, enum ns_action_id id)
{
	const struct pop *p = v->state;

	if (id != ACT_DRAIN)
		return NULL;
	if (!p->loaded || p->gone)
		return "no appliance is here";
	return strcmp(v->ui->role, "admin") != 0 ? "it needs the role admin (nameserve user set)"
						 : NULL;
}

static bool
pop_act(struct view *v, enum ns_action_id id)
{
	struct pop *p = v->state;

	if (id == ACT_DRAIN) {
		fleet_drain(v, v->object, p->drained, p->serving, p->all);
		return true;
	}
	return lines_act(&p->lines, id);
}

const struct ns_screen_ops screen_pop = {
	.name = "Appliance",
	.size = sizeof(struct pop),
	.contexts = CTX_GLOBAL | CTX_TEXT | CTX_FLEET,
	.open = pop_open,
	.close = pop_close,
	.reload = pop_reload,
	.tick = pop_reload,
	.draw = pop_draw,
	.act = pop_act,
	.refuse = pop_refuse,
	.twin = "fleet show %o",
};
