/* records_preview.c - beside the list: all data of the RRset under the cursor, and what the draft makes of it; of a
 * policy the health of its answers now; and how often the name was asked for. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "console/core/sanitize.h"
#include "console/screens/drafts.h"
#include "console/screens/records.h"
#include "ipc/base/xalloc.h"

static void
put_state(struct view *v, struct rect *r, const char *head, enum ui_role role,
    const Ns__Conflict__State *state)
{
	char text[64];

	snprintf(
	    text, sizeof text, state->there ? "%s   TTL %u" : "%s   not there", head, state->ttl);
	preview_put(v, r, UI_HEAD, text);
	for (size_t i = 0; state->there && i < state->n_rdata; i++) {
		char *data = sanitize_dup(state->rdata[i], v->ui->ascii);

		preview_put(v, r, role, data);
		free(data);
	}
}

/* "data" of each record in a row of its own, as they were taken. */
static void
put_values(struct view *v, struct rect *r, const struct row *row)
{
	char *all = xstrdup(row->cells[CELL_VALUES]), *rest = all, *line;

	while ((line = strsep(&rest, "\n")) != NULL)
		if (*line != '\0')
			preview_put(v, r, UI_TEXT, line);
	free(all);
}

/* ---- what is live ---- */
void
records_preview_tick(struct view *v)
{
	struct records *s = v->state;

	if (v->ui->surface->w <= RECORDS_QPS_FROM)
		return;
	if (preview_shown(v, &s->preview))
		checklist_ask(&s->checks, v);
	busynames_tick(&s->names, v);
}

void
records_preview_close(struct view *v)
{
	struct records *s = v->state;

	busynames_close(&s->names);
	checklist_free(&s->checks);
}

/* What the counters know of a name is of all its types. */
static void
put_asked(struct view *v, struct rect *r, const char *name)
{
	const struct records *s = v->state;
	double asked = busynames_qps(&s->names, name);
	char text[96], qps[16];

	glyph_number(asked, qps);
	snprintf(text, sizeof text,
	    "~%s qps now, all types, sampled; ten minutes are kept of zones alone", qps);
	if (s->names.n > 0)
		preview_put(v, r, UI_DIM, asked >= 0 ? text : "not among the busiest names");
}

/* ---- a policy ---- */
/* What JSON holds was not looked at; takes the text. */
static void
put_unsafe(struct view *v, struct rect *r, enum ui_role role, char *text)
{
	char *safe = sanitize_dup(text, v->ui->ascii);

	preview_put(v, r, role, safe);
	free(safe);
	free(text);
}

/* "  192.0.2.20   70%  eu-web-1  OK" */
static void
put_answer(struct view *v, struct rect *r, const struct pol_health *h, const json_t *pool,
    const json_t *answer)
{
	const char *value = json_string_value(json_object_get(answer, "value")),
		   *check = json_string_value(json_object_get(answer, "check"));
	bool drained = json_is_true(json_object_get(answer, "drain"));
	int share = pol_share(h, pool, answer);
	enum pol_state state = check != NULL ? h->state(h->arg, check) : POL_UP;
	char percent[16] = "   -", *text;

	if (share >= 0)
		snprintf(percent, sizeof percent, "%3d%%", share);
	text = xasprintf("  %-15s %s  %s %s", value != NULL ? value : "?", percent,
	    check != NULL ? check : "-",
	    drained             ? "drained"
	    : check == NULL     ? ""
	    : state == POL_UP   ? "OK"
	    : state == POL_DOWN ? "CRIT"
				: "no verdict");
	put_unsafe(v, r,
	    (drained                ? UI_WARN
		: state == POL_DOWN ? UI_CRIT
				    : UI_TEXT) |
		UI_LIVE,
	    text);
}

static void
put_policy(struct view *v, struct rect *r, const char *rdata)
{
	struct records *s = v->state;
	struct pol_health h = { .state = checklist_state, .arg = &s->checks };
	char type[16], words[512], *text;
	json_t *doc = pol_parse(rdata, type), *pool, *answer;
	const char *name;
	size_t i;

	if (doc == NULL) {
		preview_put(v, r, UI_TEXT, rdata);
		return;
	}
	pol_words(doc, words, sizeof words);
	text = xasprintf("%s   TTL %lld   %s", type,
	    (long long)json_integer_value(json_object_get(doc, "ttl")), words);
	put_unsafe(v, r, UI_TEXT, text);
	json_object_foreach(json_object_get(doc, "pools"), name, pool)
	{
		bool up = pol_pool_up(&h, pool);

		text = xasprintf("pool %s%s", name, !s->checks.loaded ? "" : up ? "" : "   down");
		put_unsafe(v, r, up || !s->checks.loaded ? UI_HEAD : UI_CRIT, text);
		json_array_foreach(json_object_get(pool, "answers"), i, answer)
		    put_answer(v, r, &h, pool, answer);
	}
	json_decref(doc);
}

/* Each line of the row's data. */
static void
put_policies(struct view *v, struct rect *r, const struct row *row)
{
	char *all = xstrdup(row->cells[CELL_VALUES]), *rest = all, *line;

	while ((line = strsep(&rest, "\n")) != NULL)
		if (*line != '\0')
			put_policy(v, r, line);
	free(all);
}

void
records_preview(struct view *v, struct rect r)
{
	struct records *s = v->state;
	const struct row *row = r.w > 0 ? draftrows_shown(&s->list, s->list.table.row) : NULL;
	const Ns__Conflict__RRset *set = NULL;
	const char *blank = row != NULL ? strrchr(row->id, ' ') : NULL;
	char name[UI_OBJECT], text[UI_OBJECT];

	if (blank == NULL)
		return;
	for (int y = r.y; y < r.y + r.h; y++)
		surface_put(v->ui->surface, r.x, y, 1, UI_DIM, "|");
	r = (struct rect){ r.x + 2, r.y, r.w - 3, r.h };
	snprintf(name, sizeof name, "%.*s", (int)(blank - row->id), row->id);
	set = drafts_shown(v->ui->drafts, name, blank + 1);
	snprintf(text, sizeof text, "%s %s%s", row->cells[0], row->cells[1],
	    set != NULL ? "   draft" : "");
	preview_put(v, &r, UI_TITLE, text);
	put_asked(v, &r, name);
	if (strcmp(blank + 1, "NSPOLICY") == 0) {
		if (row->cells[CELL_VALUES] != NULL)
			put_policies(v, &r, row);
		else
			preview_put(v, &r, UI_TEXT, row->cells[4]);
		return;
	}
	if (set != NULL && set->was != NULL && set->mine != NULL) {
		put_state(v, &r, "now", UI_REMOVED, set->was);
		put_state(v, &r, "with the draft", UI_ADDED, set->mine);
		return;
	}
	snprintf(text, sizeof text, "TTL %s", row->cells[2] != NULL ? row->cells[2] : "-");
	preview_put(v, &r, UI_DIM, text);
	if (row->cells[CELL_VALUES] != NULL)
		put_values(v, &r, row);
	else
		preview_put(v, &r, UI_DIM, "too long to be shown here: e opens it");
}
