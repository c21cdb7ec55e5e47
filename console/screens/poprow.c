/* poprow.c - see poprow.h. */
#include "console/screens/poprow.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console/core/sanitize.h"
#include "console/screens/graphs.h"
#include "ipc/base/xalloc.h"

#define CLOCK_OFF_MS 1000 /* signatures and TSIG go by the clock */

typedef Ns__FleetListReply__Appliance Member;

/* ---- words ---- */
static const struct {
	const char *name, *word;
	enum ui_role role;
	unsigned rank;
} states[] = { { "silent", "SILENT", UI_CRIT, 0 }, { "lag", "LAG", UI_WARN, 1 },
	{ "drained", "drained", UI_WARN, 2 }, { "invited", "invited", UI_DIM, 3 },
	{ "ok", "ok", UI_OK, 4 } };
#define STATES (sizeof states / sizeof *states)

size_t
fleet_rank(const char *name)
{
	size_t i = 0;

	while (i + 1 < STATES && strcmp(states[i].name, name) != 0)
		i++;
	return i;
}

const char *
fleet_state(const char *state, enum ui_role *role)
{
	*role = states[fleet_rank(state)].role;
	return states[fleet_rank(state)].word;
}

bool
fleet_is_problem(const char *state)
{
	return fleet_rank(state) < 2;
}

void
fleet_uptime(double s, char out[24])
{
	unsigned long m = s > 0 && s < 1e10 ? (unsigned long)s / 60 : 0;

	if (m >= 48 * 60)
		snprintf(out, 24, "%lud", m / 1440);
	else
		snprintf(out, 24, m >= 120 ? "%luh" : "%lum", m >= 120 ? m / 60 : m);
}

void
fleet_memory(unsigned mib, char out[16])
{
	snprintf(out, 16,
	    mib < 1000    ? "%.0fM"
	    : mib < 10240 ? "%.1fG"
			  : "%.0fG",
	    mib < 1000 ? mib : mib / 1024.0);
}

void
fleet_clock(double ms, char out[16])
{
	double s = ms / 1000;

	if (fabs(ms) < 10)
		snprintf(out, 16, "%+.1fms", fabs(ms) < 0.05 ? 0.0 : ms);
	else if (fabs(ms) < 1000)
		snprintf(out, 16, "%+.0fms", ms);
	else
		snprintf(out, 16, fabs(s) < 10 ? "%+.1fs" : fabs(s) < 1e5 ? "%+.0fs" : "%+.0e", s);
}

/* ---- rows ---- */
static void
set_line(struct view *v, struct pop_row *r, const Member *m)
{
	char heard[64] = "", *text;

	if (strcmp(m->state, "silent") == 0 && m->silent_s >= 0)
		snprintf(heard, sizeof heard, "last heard %.0f s ago, ", m->silent_s);
	else if (strcmp(m->state, "silent") == 0)
		snprintf(heard, sizeof heard, "not heard since this primary started, ");
	if (m->drained != NULL)
		text = xasprintf("%s: drained by %s: %s; caches have it until %.19sZ", m->name,
		    m->drained->author, m->drained->reason, m->drained->until);
	else
		text = xasprintf("%s: %sserves revision %llu, has stored %llu; %s", m->name, heard,
		    (unsigned long long)m->revision, (unsigned long long)m->stored,
		    m->endpoint[0] != '\0' ? m->endpoint : "it tells no address");
	r->line = sanitize_dup(text, v->ui->ascii);
	free(text);
}

static void
set_times(struct view *v, struct row *r, const Member *m)
{
	bool silent = strcmp(m->state, "silent") == 0;

	if (silent)
		row_set(v, r, C_LAG, UI_CRIT, "?");
	else if (m->lag_changes > 0)
		row_set(v, r, C_LAG, UI_WARN, m->lag_s < 10 ? "%.1fs %llu tx" : "%.0fs %llu tx",
		    m->lag_s, (unsigned long long)m->lag_changes);
	else
		row_set(v, r, C_LAG, UI_TEXT, "%.1fs", m->lag_s);
	if (m->silent_s < 0)
		row_set(v, r, C_HEARD, UI_DIM, "never");
	else
		row_set(v, r, C_HEARD, silent ? UI_CRIT : UI_TEXT,
		    m->silent_s < 10 ? "%.1fs" : "%.0fs", m->silent_s);
}

/* What it is sorted by where the text will not do. */
static void
set_figures(struct row *r, const Member *m)
{
	row_figure(r, C_STATE, (double)fleet_rank(m->state));
	row_figure(r, C_LAG, strcmp(m->state, "silent") == 0 ? (double)INFINITY : m->lag_s);
	row_figure(r, C_HEARD, m->silent_s < 0 ? (double)INFINITY : m->silent_s);
	row_figure(r, C_QPS, m->qps);
	row_figure(r, C_P50, m->p50_us);
	row_figure(r, C_P99, m->p99_us);
	row_figure(r, C_ERRORS, m->error_percent);
	row_figure(r, C_MEMORY, m->memory_mib);
	row_figure(r, C_CLOCK, isnan(m->clock_ms) ? -1 : fabs(m->clock_ms));
	row_figure(r, C_UP, m->uptime_s);
	row_figure(r, C_REVISION, (double)m->revision);
}

static void
set_latency(struct view *v, struct row *r, unsigned column, double us)
{
	if (us >= 1000)
		row_set(v, r, column, UI_TEXT, us < 10000 ? "%.1fms" : "%.0fms", us / 1000);
	else if (us > 0)
		row_set(v, r, column, UI_TEXT, "%.0fus", us);
	else
		row_set(v, r, column, UI_DIM, "-");
}

/* Ten minutes, by our own characters; nothing where rows are spoken. */
static void
set_past(struct view *v, struct row *r, const Member *m)
{
	double list[POP_PAST];
	char text[POP_PAST * 4 + 1];

	if (m->n_past == 0)
		return;
	spark_past(list, POP_PAST, m->past, m->n_past);
	spark_text(v, list, POP_PAST, text, sizeof text);
	free(r->cells[C_PAST]);
	r->cells[C_PAST] = xstrdup(text);
	r->roles[C_PAST] = UI_GRAPH;
}

static void
set_vitals(struct view *v, struct row *r, const Member *m)
{
	char age[24] = "-", memory[16] = "-", clock[16] = "-", up[24] = "-";
	char built[32];
	bool off = fabs(m->clock_ms) >= CLOCK_OFF_MS;

	snprintf(built, sizeof built, "%.10sT00:00:00Z", m->geo_built);
	if (m->geo_built[0] != '\0')
		ui_ago(v->ui, built, age);
	if (m->memory_mib > 0)
		fleet_memory(m->memory_mib, memory);
	if (!isnan(m->clock_ms))
		fleet_clock(m->clock_ms, clock);
	if (m->uptime_s > 0)
		fleet_uptime(m->uptime_s, up);
	row_set(v, r, C_MEMORY, UI_TEXT, "%s", memory);
	row_set(v, r, C_GEO, UI_TEXT, "%s", age);
	row_set(v, r, C_CLOCK, off ? UI_WARN : UI_TEXT, "%s", clock);
	row_set(v, r, C_UP, UI_TEXT, "%s", up);
}

/* Of one that is silent it is new that it is, and for how long; the rest is its last word. */
static void
set_live(struct row *r, bool old, bool silent)
{
	static const uint8_t columns[] = { C_STATE, C_LAG, C_HEARD, C_QPS, C_P50, C_P99, C_ERRORS,
		C_MEMORY, C_CLOCK, C_UP, C_REVISION };

	for (size_t i = 0; i < sizeof columns; i++) {
		bool said =
		    silent && columns[i] != C_STATE && columns[i] != C_LAG && columns[i] != C_HEARD;

		r->roles[columns[i]] |= old || said ? UI_OLD : UI_LIVE;
	}
}

void
poprow_set(struct view *v, struct pop_row *r, const Member *m, bool old)
{
	char qps[16];
	enum ui_role role;
	const char *word = fleet_state(m->state, &role);
	bool living = strcmp(m->state, "silent") != 0 && strcmp(m->state, "invited") != 0;

	glyph_number(m->qps, qps);
	r->row.id = xstrdup(m->name);
	r->drained = m->drained != NULL;
	r->problem = fleet_is_problem(m->state);
	row_set(v, &r->row, C_POP, UI_TEXT, "%s", m->name);
	row_set(v, &r->row, C_SITE, UI_TEXT, "%s", m->site[0] != '\0' ? m->site : "-");
	row_set(v, &r->row, C_STATE, role, "%s", word);
	row_set(v, &r->row, C_VERSION, UI_TEXT, "%s", m->version[0] != '\0' ? m->version : "-");
	set_times(v, &r->row, m);
	row_set(v, &r->row, C_QPS, living ? UI_TEXT : UI_DIM, "%s", living ? qps : "-");
	set_latency(v, &r->row, C_P50, living ? m->p50_us : 0);
	set_latency(v, &r->row, C_P99, living ? m->p99_us : 0);
	row_set(v, &r->row, C_ERRORS, m->error_percent >= 1 ? UI_WARN : UI_TEXT,
	    living ? "%.1f" : "-", m->error_percent);
	set_vitals(v, &r->row, m);
	set_past(v, &r->row, m);
	row_set(v, &r->row, C_ROLE, UI_TEXT, "%s", m->role);
	row_set(v, &r->row, C_REVISION, UI_TEXT, "%llu", (unsigned long long)m->revision);
	set_figures(&r->row, m);
	set_live(&r->row, old, strcmp(m->state, "silent") == 0);
	set_line(v, r, m);
}
