/* overview_list.c - see overview_list.h. */
#include "console/screens/overview_list.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console/core/calm.h"
#include "console/core/sanitize.h"
#include "console/screens/querytest.h"
#include "ipc/base/xalloc.h"

#define TIMEOUT_MS 3000u
#define AGAIN_MS   5000u

#define CLIENTS                                                                                  \
	{                                                                                        \
		"clients",                                                                       \
		{                                                                                \
			{ "TOP CLIENTS (/24, /56)", 23, 0, false, 0 }, { "QPS", 6, 0, true, 0 }, \
			    { "ASKS MOST FOR", 15, 1, false, 61 }, { "GETS", 8, 0, false, 44 },  \
			{                                                                        \
				NULL, 0, 0, false, 0                                             \
			}                                                                        \
		}                                                                                \
	}

static const struct {
	const char *top;
	struct table_column columns[5];
} lists[LISTS] = {
	[LIST_ZONES] = CLIENTS,
	[LIST_CLIENTS] = CLIENTS,
	[LIST_NAMES] = { "names", { { "TOP NAMES", 18, 1, false, 0 }, { "QPS", 6, 0, true, 0 },
				      { NULL, 0, 0, false, 0 } } },
	[LIST_TYPES] = { "qtypes", { { "TOP TYPES", 18, 1, false, 0 },
				       { "QUERIES", 10, 0, true, 0 }, { NULL, 0, 0, false, 0 } } },
	[LIST_LATENCY] = CLIENTS,
};

static void
clear(struct overview_list *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->rows[i].name);
		free(l->rows[i].shown);
		free(l->rows[i].most);
	}
	l->n = 0;
}

static void
cancel(struct view *v, struct overview_list *l)
{
	if (l->request != 0)
		ns_client_cancel(v->ui->client, l->request);
	l->request = 0;
}

void
overview_list_close(struct view *v, struct overview_list *l)
{
	cancel(v, l);
	clear(l);
}

static double
share(uint64_t part, uint64_t of)
{
	return of > 0 ? 100.0 * (double)part / (double)of : 0;
}

static bool
has_rates(const struct overview_list *l)
{
	return strcmp(lists[l->what].top, "qtypes") != 0;
}

static size_t
place_before(const struct overview_list *l, const char *name)
{
	for (size_t k = 0; k < l->n; k++)
		if (strcmp(l->rows[k].name, name) == 0)
			return k;
	return CALM_NEW;
}

static struct list_row
row_of(const struct overview_list *l, const Ns__StatsReply__Top *t)
{
	struct list_row r = { .name = xstrdup(t->name),
		.shown = sanitize_dup(t->name, l->ascii),
		.most = sanitize_dup(t->most, l->ascii),
		.qps = t->qps,
		.nx = share(t->nxdomain, t->count),
		.errors = share(t->errors, t->count),
		.count = t->count };

	r.shown[ui_name_len(r.shown)] = '\0';
	r.most[ui_name_len(r.most)] = '\0';
	return r;
}

/* Rows that are nearly equal stay where they are, and the cursor on its row. */
static void
take(struct overview_list *l, const Ns__StatsReply *m)
{
	struct list_row fresh[LIST_ROWS] = { 0 };
	struct calm_row rows[LIST_ROWS] = { 0 };
	size_t n = m->n_top < LIST_ROWS ? m->n_top : LIST_ROWS, order[LIST_ROWS],
	       cursor = l->table.row;

	for (size_t i = 0; i < n; i++)
		rows[i] =
		    (struct calm_row){ has_rates(l) ? m->top[i]->qps : (double)m->top[i]->count,
			    place_before(l, m->top[i]->name), m->top[i]->name };
	calm_order(rows, n, order);
	for (size_t i = 0; i < n; i++) {
		fresh[i] = row_of(l, m->top[order[i]]);
		if (cursor > 0 && rows[order[i]].was == cursor)
			l->table.row = i;
	}
	clear(l);
	memcpy(l->rows, fresh, sizeof fresh);
	l->n = n;
}

static void
came(void *arg, const Ns__Envelope *env, const struct ns_why *why)
{
	struct overview_list *l = arg;

	(void)why;
	l->request = 0;
	if (env == NULL)
		return;
	take(l, env->stats_reply);
	l->loaded = true;
}

void
overview_list_tick(struct view *v, struct overview_list *l, bool fleet)
{
	Ns__StatsRequest body = NS__STATS_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;

	if (l->request != 0 || (l->asked_ms != 0 && v->ui->mono_ms - l->asked_ms < AGAIN_MS))
		return;
	l->asked_ms = v->ui->mono_ms;
	l->ascii = v->ui->ascii;
	body.scope = (char *)(uintptr_t)(fleet ? "fleet" : "");
	body.top = (char *)(uintptr_t)lists[l->what].top;
	body.limit = LIST_ROWS;
	request.body_case = NS__ENVELOPE__BODY_STATS_REQUEST;
	request.stats_request = &body;
	l->request = ns_client_request(v->ui->client, &request, TIMEOUT_MS, came, l);
}

void
overview_list_step(struct view *v, struct overview_list *l, int by, bool fleet)
{
	const char *before = lists[l->what].top;

	l->what = (enum list_what)(((int)l->what + by + (int)LISTS) % (int)LISTS);
	if (by != 0 && strcmp(before, lists[l->what].top) == 0)
		return;
	cancel(v, l);
	clear(l);
	l->loaded = false;
	l->asked_ms = 0;
	l->table.row = l->table.top = 0;
	overview_list_tick(v, l, fleet);
}

/* What most of a network's queries get. */
static const char *
what_it_gets(const struct overview_list *l, size_t row, enum ui_role *role, char *text, size_t size)
{
	double nx = l->rows[row].nx, errors = l->rows[row].errors;

	if (nx < 50 && errors < 50)
		return "NOERROR";
	*role = UI_WARN | UI_LIVE;
	snprintf(text, size, nx >= 50 ? "NXD %.0f%%" : "ERR %.0f%%", nx >= 50 ? nx : errors);
	return text;
}

static const char *
cell(void *arg, size_t row, unsigned column, enum ui_role *role)
{
	static char text[32];
	const struct overview_list *l = arg;

	if (column == 0)
		return l->rows[row].shown;
	if (column == 1 || column == 3)
		*role = UI_TEXT | UI_LIVE;
	if (column == 3)
		return what_it_gets(l, row, role, text, sizeof text);
	if (column == 2 && l->rows[row].most[0] != '\0')
		return l->rows[row].most;
	if (column == 2) {
		*role = UI_DIM;
		return "no one name";
	}
	if (has_rates(l))
		glyph_number(l->rows[row].qps, text);
	else
		snprintf(text, sizeof text, "%llu", (unsigned long long)l->rows[row].count);
	return text;
}

void
overview_list_draw(struct view *v, struct overview_list *l, struct rect r)
{
	struct surface *s = v->ui->surface;

	if (r.h < 2)
		return;
	l->table.columns = lists[l->what].columns;
	ns_table_draw(&l->table, s, r, l->n, cell, l);
	if (l->n == 0)
		surface_put(
		    s, r.x + 3, r.y + 1, r.w - 4, UI_DIM, l->loaded ? "none" : ui_loading(v));
}

bool
overview_list_act(struct view *v, struct overview_list *l, enum ns_action_id id)
{
	if (ns_table_act(&l->table, id, l->n))
		return true;
	if (id != ACT_OPEN || l->what != LIST_NAMES || l->table.row >= l->n)
		return false;
	querytest_open(v->ui, l->rows[l->table.row].name, "A", NULL);
	return true;
}
