/* diff_rows.c - a plan as rows and sentences; see diff.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "console/core/policytree.h"
#include "console/core/sanitize.h"
#include "console/screens/diff.h"
#include "console/screens/zone.h"
#include "ipc/base/wbuf.h"
#include "ipc/base/xalloc.h"

#define TEXT_MAX 65536u /* of a cell: what is longer is cut, and seen in the editor */

void
diff_clear(struct diff *d)
{
	for (size_t i = 0; i < d->n; i++)
		row_free(&d->rows[i]);
	free(d->rows);
	d->rows = NULL;
	d->n = 0;
}

bool
diff_key(const struct diff *d, char name[UI_OBJECT], char type[32])
{
	const char *blank = d->table.row < d->n ? strrchr(d->rows[d->table.row].id, ' ') : NULL;

	if (blank == NULL)
		return false;
	snprintf(name, UI_OBJECT, "%.*s", (int)(blank - d->rows[d->table.row].id),
	    d->rows[d->table.row].id);
	snprintf(type, 32, "%s", blank + 1);
	return true;
}

/* ---- one RRset ---- */
static bool
holds(const Ns__Conflict__State *s, const char *rdata)
{
	for (size_t i = 0; s != NULL && i < s->n_rdata; i++)
		if (strcmp(s->rdata[i], rdata) == 0)
			return true;
	return false;
}

static void
add_text(struct wbuf *w, const char *text)
{
	wbuf_put(w, text, strlen(text));
}

static size_t
only_in(const Ns__Conflict__State *a, const Ns__Conflict__State *b, const char **one)
{
	size_t n = 0;

	for (size_t i = 0; i < a->n_rdata; i++)
		if (!holds(b, a->rdata[i])) {
			*one = a->rdata[i];
			n++;
		}
	return n;
}

static void
add_only(struct wbuf *w, char sign, const Ns__Conflict__State *a, const Ns__Conflict__State *b)
{
	for (size_t i = 0; i < a->n_rdata; i++)
		if (!holds(b, a->rdata[i])) {
			wbuf_put(w, w->len > 0 ? "  " : "", w->len > 0 ? 2 : 0);
			wbuf_put(w, &sign, 1);
			add_text(w, a->rdata[i]);
		}
}

/* A policy for another of the same type, in words; NULL: not that. */
static char *
policy_text(const Ns__Conflict__RRset *set, const char *old, const char *new)
{
	char a[16], b[16], out[1024];
	json_t *was, *now;

	if (strcmp(set->type, "NSPOLICY") != 0)
		return NULL;
	was = pol_parse(old, a);
	now = pol_parse(new, b);
	if (was == NULL || now == NULL || strcmp(a, b) != 0)
		out[0] = '\0';
	else
		pol_diff(was, now, out, sizeof out);
	json_decref(was);
	json_decref(now);
	return out[0] != '\0' ? xasprintf("%s %s", a, out) : NULL;
}

/* A policy that comes or goes, in words; NULL: none, or none that is understood. */
static char *
policy_words(const Ns__Conflict__RRset *set, const Ns__Conflict__State *s)
{
	char type[16], words[512];
	json_t *doc = s != NULL && s->n_rdata == 1 && strcmp(set->type, "NSPOLICY") == 0
			  ? pol_parse(s->rdata[0], type)
			  : NULL;

	if (doc == NULL)
		return NULL;
	pol_all(doc, words, sizeof words);
	json_decref(doc);
	return xasprintf("%s %s", type, words);
}

/* One for another is said as that; else what goes and what comes. */
static char *
change_text(const Ns__Conflict__RRset *set)
{
	const Ns__Conflict__State *a = set->was, *b = set->mine;
	const char *old = "", *new = "";
	struct wbuf w = wbuf_grow(TEXT_MAX);
	char ttl[40] = "", *policy;

	if (a == NULL || b == NULL || !a->there || !b->there) {
		const Ns__Conflict__State *one = a == NULL || b == NULL ? NULL : a->there ? a : b;

		policy = policy_words(set, one);
		return policy != NULL ? policy : drafts_state_text(one);
	}
	if (a->ttl != b->ttl)
		snprintf(ttl, sizeof ttl, "TTL %u -> %u", a->ttl, b->ttl);
	size_t gone = only_in(a, b, &old), come = only_in(b, a, &new);
	if (gone == 1 && come == 1 && (policy = policy_text(set, old, new)) != NULL)
		return policy;
	if (gone == 1 && come == 1)
		return xasprintf("%s%s%s -> %s", ttl, ttl[0] != '\0' ? "  " : "", old, new);
	add_text(&w, ttl);
	add_only(&w, '-', a, b);
	add_only(&w, '+', b, a);
	wbuf_put(&w, "", 1);
	if (wbuf_ok(&w))
		return (char *)w.base;
	wbuf_free(&w);
	return xstrdup("(too long to be shown)");
}

/* The first warning that is about it, by its number: the sentence is below. */
static void
note_row(struct view *v, struct row *r, const Ns__PlanReply *plan, const Ns__Conflict__RRset *set)
{
	for (size_t i = 0; i < plan->n_warnings; i++) {
		const Ns__Error *w = plan->warnings[i];

		if (strcasecmp(w->owner, set->name) == 0 && strcasecmp(w->type, set->type) == 0) {
			row_set(v, r, 6, UI_WARN, "W%04u", w->code);
			return;
		}
	}
}

static void
add_row(struct view *v, const Ns__PlanReply *plan, const Ns__Conflict__RRset *set)
{
	struct diff *d = v->state;
	enum ui_role role;
	char sign = draft_sign(set, &role), *was, *mine, *change;
	const char *name;
	struct row *r;
	int len = zone_relative(set->name, v->object, &name);

	d->rows = xreallocarray(d->rows, d->n + 1, sizeof *d->rows);
	r = &d->rows[d->n++];
	*r = (struct row){ .id = xasprintf("%s %s", set->name, set->type) };
	was = policy_words(set, set->was);
	was = was != NULL ? was : drafts_state_text(set->was);
	mine = policy_words(set, set->mine);
	mine = mine != NULL ? mine : drafts_state_text(set->mine);
	change = change_text(set);
	row_set(v, r, 0, role, "%.*s", len, name);
	row_set(v, r, 1, role, "%s", strcmp(set->type, "NSPOLICY") == 0 ? "policy" : set->type);
	row_set(v, r, 2, role, "%s", change);
	row_set(v, r, 3, UI_TEXT, "%s", was);
	row_set(v, r, 4, role, "%s", mine);
	row_set(v, r, 5, role, "%c", sign);
	note_row(v, r, plan, set);
	free(was);
	free(mine);
	free(change);
}

/* ---- all of it ---- */
static void
take_effects(struct view *v, const Ns__PlanReply__Zone *z)
{
	struct diff *d = v->state;
	char old[80] = "", none[80] = "", signs[64] = "";
	size_t n = plan_signs(z);

	if (z->old_ttl > 0)
		snprintf(old, sizeof old, "caches may keep old answers for %u s", z->old_ttl);
	if (z->negative_ttl > 0)
		snprintf(none, sizeof none, "%s\"no such record\" for %u s",
		    old[0] != '\0' ? ", " : "caches may keep ", z->negative_ttl);
	if (n > 0)
		snprintf(signs, sizeof signs, "%zu RRset%s signed anew%s", n, n == 1 ? "" : "s",
		    old[0] != '\0' || none[0] != '\0' ? "; " : "");
	snprintf(d->effects, sizeof d->effects, "%s%s%s%s%s%s", signs, old, none,
	    z->confirm ? old[0] != '\0' || none[0] != '\0' ? "; " : "" : "",
	    z->confirm ? "a large part of the zone: its name will be asked" : "",
	    z->rrsets_truncated ? " (more than is shown)" : "");
}

static void
note(struct view *v, char kind, uint32_t code, const char *text)
{
	struct diff *d = v->state;
	char line[DIFF_LINE];

	if (d->n_notes == DIFF_NOTES)
		return;
	snprintf(line, sizeof line, "%c%04u %s", kind, code, text);
	sanitize(d->notes[d->n_notes++], DIFF_LINE, line, v->ui->ascii);
}

static void
take_plan(struct view *v, const Ns__PlanReply *plan)
{
	struct diff *d = v->state;
	const Ns__PlanReply__Zone *z = plan->n_zones > 0 ? plan->zones[0] : NULL;
	unsigned count[3] = { 0 }, shown;

	for (size_t i = 0; z != NULL && i < z->n_rrsets; i++) {
		enum ui_role role;
		char sign = draft_sign(z->rrsets[i], &role);

		add_row(v, plan, z->rrsets[i]);
		count[sign == '+' ? 0 : sign == '-' ? 1 : 2]++;
	}
	if (z == NULL)
		return;
	snprintf(d->counts, sizeof d->counts, "+%u -%u ~%u%s", count[0], count[1], count[2],
	    z->rrsets_truncated ? " and more" : "");
	snprintf(d->title, sizeof d->title, "%u -> %u   %s   %.1f%% of %llu", z->serial_before,
	    z->serial_after, d->counts, z->touched_percent, (unsigned long long)z->records);
	take_effects(v, z);
	d->note_role = UI_WARN;
	for (size_t i = 0; i < plan->n_warnings && d->n_notes + 1 < DIFF_NOTES; i++)
		note(v, 'W', plan->warnings[i]->code, plan->warnings[i]->text);
	shown = d->n_notes;
	if (plan->n_warnings > shown)
		snprintf(d->notes[shown], DIFF_LINE, "and %zu more: nameserve plan ZONE",
		    plan->n_warnings - shown);
	d->n_notes = shown + (plan->n_warnings > shown);
}

/* There is no plan: what is known of the draft is its operations. */
static void
take_ops(struct view *v, const Ns__Draft *draft)
{
	static const char *const verbs[] = { "set", "add", "delete" };
	struct diff *d = v->state;

	for (size_t i = 0; draft != NULL && i < draft->n_ops; i++) {
		const Ns__RecordOp *op = draft->ops[i];
		const char *name;
		int len = zone_relative(op->name, draft->zone, &name);
		struct row *r;

		d->rows = xreallocarray(d->rows, d->n + 1, sizeof *d->rows);
		r = &d->rows[d->n++];
		*r = (struct row){ .id = xasprintf("%s %s", op->name, op->type) };
		row_set(v, r, 0, UI_TEXT, "%.*s", len, name);
		row_set(v, r, 1, UI_TEXT, "%s", op->type);
		for (int c = 2; c < 5; c++)
			if (c != 3)
				row_set(v, r, (unsigned)c, UI_TEXT, "%s %s%s",
				    (unsigned)op->kind < 3 ? verbs[op->kind] : "",
				    op->n_rdata > 0 ? op->rdata[0] : "",
				    op->n_rdata > 1 ? " ..." : "");
	}
}

void
diff_take(struct view *v)
{
	struct diff *d = v->state;
	const struct drafts *drafts = v->ui->drafts;

	/* What was committed stays on screen; what is asked anew until the answer is there. */
	if (drafts == NULL || d->state == DIFF_DONE || d->turn == drafts->turn ||
	    drafts->state == PLAN_ASKED)
		return;
	d->turn = drafts->turn;
	diff_clear(d);
	d->n_notes = 0;
	d->title[0] = d->effects[0] = d->counts[0] = '\0';
	if (drafts->plan != NULL) {
		take_plan(v, drafts->plan);
		return;
	}
	take_ops(v, drafts->draft);
	d->note_role = UI_CRIT;
	if (drafts->state == PLAN_CONFLICT || drafts->state == PLAN_REFUSED)
		note(v, 'E', drafts->why.code, drafts->why.text);
	else if (drafts->state == PLAN_NO_LINK)
		note(v, 'E', 9003, "not checked: no link. The draft is safe on this disk");
}
