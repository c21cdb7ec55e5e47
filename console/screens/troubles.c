/* troubles.c - see troubles.h. */
#include "console/screens/troubles.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console/core/sanitize.h"
#include "console/screens/fleet.h"
#include "ipc/base/xalloc.h"

#define TIMEOUT_MS 2000u
#define ZONES_MS   60000u /* between two walks over all zones */

/* ---- the lists ---- */
static void
clear(struct troubles *t, enum trouble_kind kind)
{
	for (size_t i = 0; i < t->of[kind].n; i++) {
		free(t->of[kind].list[i].id);
		free(t->of[kind].list[i].text);
	}
	t->of[kind].n = t->of[kind].all = 0;
	t->n = 0; /* what was shown may be gone */
}

/* Takes the text. */
static void
add(struct troubles *t, enum trouble_kind kind, bool crit, const char *id, char *text)
{
	struct trouble *to = &t->of[kind].list[t->of[kind].n];

	t->of[kind].all++;
	if (t->of[kind].n < TROUBLES_EACH) {
		to->kind = kind;
		to->crit = crit;
		to->id = xstrdup(id);
		to->text = sanitize_dup(text, t->view->ui->ascii);
		t->of[kind].n++;
	}
	free(text);
}

/* ---- what comes ---- */
static void
begin(struct troubles *t, enum trouble_kind kind)
{
	t->of[kind].request = 0;
	clear(t, kind);
	ui_dirty(t->view->ui, false);
}

static void
checks_came(void *arg, const Ns__Envelope *env, const struct ns_why *why)
{
	struct troubles *t = arg;
	const Ns__HealthListReply *m;

	(void)why; /* without the probe there is nothing to say of checks; status says that */
	begin(t, TROUBLE_CHECK);
	if (env == NULL)
		return;
	m = env->health_list_reply;
	for (size_t i = 0; i < m->n_rows; i++) {
		const Ns__HealthListReply__Row *c = m->rows[i];

		if (strcmp(c->level, "crit") != 0 && strcmp(c->level, "warn") != 0)
			continue;
		if (c->note[0] != '\0' || c->assigned == 0)
			add(t, TROUBLE_CHECK, strcmp(c->level, "crit") == 0, c->name,
			    xasprintf(
				"check %s  %s", c->name, c->note[0] != '\0' ? c->note : c->reason));
		else
			add(t, TROUBLE_CHECK, strcmp(c->level, "crit") == 0, c->name,
			    xasprintf(
				"check %s  up %u/%u  %s", c->name, c->up, c->assigned, c->reason));
	}
	if (t->of[TROUBLE_CHECK].n == TROUBLES_EACH)
		t->of[TROUBLE_CHECK].all = (size_t)(m->crit + m->warn);
}

static void
fleet_came(void *arg, const Ns__Envelope *env, const struct ns_why *why)
{
	struct troubles *t = arg;

	(void)why;
	begin(t, TROUBLE_POP);
	if (env != NULL && t->fleet != NULL)
		t->fleet(t->view, env->fleet_list_reply);
	for (size_t i = 0; env != NULL && i < env->fleet_list_reply->n_appliances; i++) {
		const Ns__FleetListReply__Appliance *a = env->fleet_list_reply->appliances[i];
		bool silent = strcmp(a->state, "silent") == 0;

		if (!fleet_is_problem(a->state) && a->drained == NULL)
			continue;
		add(t, TROUBLE_POP, silent, a->name,
		    a->drained != NULL
			? xasprintf("PoP %s  drained by %s", a->name, a->drained->author)
		    : silent && a->silent_s < 0
			? xasprintf("PoP %s  silent since the start", a->name)
		    : silent ? xasprintf("PoP %s  silent %.0fs", a->name, a->silent_s)
			     : xasprintf("PoP %s  lag %.0fs, %llu changes", a->name, a->lag_s,
				   (unsigned long long)a->lag_changes));
	}
}

static void
zones_came(void *arg, const Ns__Envelope *env, const struct ns_why *why)
{
	static const struct {
		const char *trouble, *what, *text;
		bool crit;
	} words[] = { { "ds", "DS", "not as it should be at the parent", false },
		{ "leaving", "DS", "still at the parent", false },
		{ "expires", "RRSIG", "ends within 3 days", false },
		{ "expired", "RRSIG", "has expired", true } };
	struct troubles *t = arg;

	(void)why;
	begin(t, TROUBLE_ZONE);
	for (size_t i = 0; env != NULL && i < env->zone_list_reply->n_zones; i++) {
		const Ns__ZoneInfo *z = env->zone_list_reply->zones[i];

		for (size_t k = 0; k < sizeof words / sizeof *words; k++)
			if (strcmp(z->dnssec_trouble, words[k].trouble) == 0)
				add(t, TROUBLE_ZONE, words[k].crit, z->name,
				    xasprintf("%s %.*s  %s", words[k].what, ui_name_len(z->name),
					z->name, words[k].text));
	}
	if (env != NULL && t->of[TROUBLE_ZONE].n == TROUBLES_EACH)
		t->of[TROUBLE_ZONE].all = (size_t)env->zone_list_reply->total;
}

/* ---- asking ---- */
/* One request of a kind at a time. */
static void
ask(struct troubles *t, enum trouble_kind kind, Ns__Envelope *request, ns_reply_fn *came)
{
	if (t->of[kind].request == 0)
		t->of[kind].request =
		    ns_client_request(t->view->ui->client, request, TIMEOUT_MS, came, t);
}

static void
ask_checks(struct troubles *t)
{
	Ns__HealthListRequest body = NS__HEALTH_LIST_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;

	body.problems = true;
	body.limit = TROUBLES_EACH;
	request.body_case = NS__ENVELOPE__BODY_HEALTH_LIST_REQUEST;
	request.health_list_request = &body;
	ask(t, TROUBLE_CHECK, &request, checks_came);
}

static void
ask_fleet(struct troubles *t)
{
	Ns__FleetListRequest body = NS__FLEET_LIST_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;

	request.body_case = NS__ENVELOPE__BODY_FLEET_LIST_REQUEST;
	request.fleet_list_request = &body;
	ask(t, TROUBLE_POP, &request, fleet_came);
}

static void
ask_zones(struct troubles *t)
{
	Ns__ZoneListRequest body = NS__ZONE_LIST_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;

	t->zones_ms = t->view->ui->mono_ms;
	body.filter = (char *)(uintptr_t) "dnssec:bad";
	body.limit = TROUBLES_EACH;
	request.body_case = NS__ENVELOPE__BODY_ZONE_LIST_REQUEST;
	request.zone_list_request = &body;
	ask(t, TROUBLE_ZONE, &request, zones_came);
}

void
troubles_tick(struct troubles *t)
{
	ask_checks(t);
	ask_fleet(t);
	if (t->view->ui->mono_ms >= t->zones_ms + ZONES_MS)
		ask_zones(t);
}

void
troubles_reload(struct troubles *t)
{
	ask_zones(t);
}

/* ---- life ---- */
static const struct table_column columns[] = { { "PROBLEMS", 4, 0, false, 0 },
	{ "", 20, 1, false, 0 }, { NULL, 0, 0, false, 0 } };

void
troubles_init(struct troubles *t, struct view *v)
{
	t->view = v;
	t->table.columns = columns;
}

void
troubles_free(struct troubles *t)
{
	for (enum trouble_kind k = 0; k < TROUBLE_KINDS; k++) {
		if (t->of[k].request != 0)
			ns_client_cancel(t->view->ui->client, t->of[k].request);
		clear(t, k);
	}
}

/* ---- what is shown ---- */
/* The primary says of itself that an appliance is silent; that is in the list already. */
static bool
told_before(const struct troubles *t, const char *code, const char *text)
{
	for (size_t i = 0; strcmp(code, "fleet") == 0 && i < t->of[TROUBLE_POP].n; i++) {
		const char *id = t->of[TROUBLE_POP].list[i].id;

		if (strncmp(text, id, strlen(id)) == 0 && text[strlen(id)] == ' ')
			return true;
	}
	return false;
}

/* What the appliance says of itself came with its status. */
static void
take_own(struct troubles *t)
{
	const struct ui *ui = t->view->ui;

	clear(t, TROUBLE_OWN);
	for (size_t i = 0; i < ui->n_problems && i < UI_PROBLEMS; i++)
		if (!told_before(t, ui->problems[i].code, ui->problems[i].text))
			add(t, TROUBLE_OWN, false, ui->name,
			    xasprintf("%s  %s", ui->problems[i].code, ui->problems[i].text));
	if (ui->n_problems > UI_PROBLEMS)
		t->of[TROUBLE_OWN].all += ui->n_problems - UI_PROBLEMS;
}

static size_t
gather(struct troubles *t)
{
	size_t all = 0;

	take_own(t);
	t->n = 0;
	for (int crit = 1; crit >= 0; crit--)
		for (enum trouble_kind k = 0; k < TROUBLE_KINDS; k++)
			for (size_t i = 0; i < t->of[k].n; i++)
				if (t->of[k].list[i].crit == (crit == 1))
					t->shown[t->n++] = &t->of[k].list[i];
	for (enum trouble_kind k = 0; k < TROUBLE_KINDS; k++)
		all += t->of[k].all;
	return all;
}

static const char *
cell(void *arg, size_t row, unsigned column, enum ui_role *role)
{
	const struct trouble *t = ((struct troubles *)arg)->shown[row];

	if (column == 1)
		return t->text;
	*role = (t->crit ? UI_CRIT : UI_WARN) | UI_LIVE;
	return t->crit ? "CRIT" : "WARN";
}

void
troubles_draw(struct troubles *t, bool focus, struct rect r)
{
	struct surface *s = t->view->ui->surface;
	size_t all = gather(t);

	if (r.h <= 0)
		return;
	t->table.idle = !focus;
	ns_table_draw(&t->table, s, r, t->n, cell, t);
	surface_putf(s, r.x + 3, r.y, r.w - 4, UI_HEAD, "PROBLEMS %zu", all);
	if (t->n == 0 && r.h > 1)
		surface_put(
		    s, r.x + 3, r.y + 1, r.w - 4, UI_OK, t->view->ui->heard_ms != 0 ? "none" : "");
}

bool
troubles_act(struct troubles *t, enum ns_action_id id)
{
	static const struct ns_screen_ops *const behind[TROUBLE_KINDS] = {
		[TROUBLE_CHECK] = &screen_check,
		[TROUBLE_POP] = &screen_pop,
		[TROUBLE_ZONE] = &screen_dnssec,
		[TROUBLE_OWN] = &screen_pop,
	};

	(void)gather(t);
	if (ns_table_act(&t->table, id, t->n))
		return true;
	if (id != ACT_OPEN || t->table.row >= t->n)
		return false;
	ui_open(t->view->ui, behind[t->shown[t->table.row]->kind], t->shown[t->table.row]->id);
	return true;
}
