/* diff.c - see diff.h: the screen and its keys. */
#include "console/screens/diff.h"

#include <stdio.h>
#include <string.h>

#include "console/core/loop.h"
#include "console/core/sanitize.h"
#include "console/screens/editor.h"
#include "console/screens/querytest.h"
#include "console/screens/textedit.h"

#define COMMENT_PAUSE_MS 300u /* of typing: then it is kept */
#define LABEL_W          11
#define LIST             SIZE_MAX /* the form's focus while the list has the keys */

static const struct table_column narrow[] = { { "NAME", 14, 1, false, 0 },
	{ "TYPE", 7, 0, false, 0 }, { "CHANGE", 40, 4, false, 0 }, { NULL, 0, 0, false, 0 } };
static const struct table_column wide[] = { { "NAME", 16, 1, false, 0 }, { "TYPE", 7, 0, false, 0 },
	{ "", 0, 0, false, SURFACE_MAX + 1 }, { "NOW", 36, 2, false, 0 },
	{ "AFTER COMMIT", 36, 2, false, 0 }, { "", 0, 0, false, SURFACE_MAX + 1 },
	{ "NOTE", 10, 0, false, 0 }, { NULL, 0, 0, false, 0 } };

enum { COL_NOTE = 6, WIDE_FROM = 100 }; /* of wide */

static void
diff_open(struct view *v)
{
	static const char *const timers[] = { "off", "5m", "10m", "30m", NULL };
	struct diff *d = v->state;

	d->table.columns = narrow;
	d->table.signs = true;
	(void)form_add(&d->form, DRAFT_COMMENT_MAX, "");
	form_add(&d->form, 8, timers[0])->choices = timers;
	d->form.focus = LIST;
}

/* What is typed is lost by no kill. */
static void
keep_comment(void *arg)
{
	struct view *v = arg;
	struct diff *d = v->state;

	if (d->typed && d->state == DIFF_OPEN)
		d->typed =
		    !drafts_comment(v->ui, v->object, edit_text(&d->form.list[DIFF_COMMENT].edit));
}

static void
diff_close(struct view *v)
{
	struct diff *d = v->state;

	if (v->ui->loop != NULL)
		loop_later(v->ui->loop, 0, NULL, NULL);
	keep_comment(v);

	if (d->request != 0)
		ns_client_cancel(v->ui->client, d->request);
	diff_clear(d);
	form_clear(&d->form);
	busynames_close(&d->names);
}

static void
diff_tick(struct view *v)
{
	struct diff *d = v->state;

	diff_follow(v);
	if (d->state == DIFF_OPEN && v->ui->surface->w >= WIDE_FROM)
		busynames_tick(&d->names, v);
}

static void
diff_reload(struct view *v)
{
	struct diff *d = v->state;
	const struct drafts *drafts;

	if (d->state == DIFF_DONE) {
		diff_follow(v);
		return;
	}
	drafts = drafts_look(v->ui, v->object);
	if (!d->told && drafts != NULL && drafts->draft != NULL) {
		edit_set(
		    &d->form.list[DIFF_COMMENT].edit, DRAFT_COMMENT_MAX, drafts->draft->comment);
		d->told = true;
	}
	if (d->state == DIFF_OPEN)
		drafts_replan(v->ui);
}

/* ---- drawing ---- */
/* "~4.2k qps", of the name of a row that no warning is about. */
static const char *
asked(const struct diff *d, const struct row *r)
{
	static char text[24];
	char name[UI_OBJECT], number[16];
	double qps;

	snprintf(name, sizeof name, "%.*s", (int)strcspn(r->id, " "), r->id);
	if ((qps = busynames_qps(&d->names, name)) < 0)
		return "";
	glyph_number(qps, number);
	snprintf(text, sizeof text, "~%s qps", number);
	return text;
}

static const char *
cell(void *arg, size_t row, unsigned column, enum ui_role *role)
{
	const struct row *r = &((struct diff *)arg)->rows[row];
	unsigned c = column == TABLE_SIGN ? 5 : column;

	if (c == COL_NOTE && r->cells[c] == NULL)
		return asked(arg, r);
	*role = (enum ui_role)r->roles[c];
	return r->cells[c] != NULL ? r->cells[c] : "";
}

static const char *
status(struct view *v)
{
	struct diff *d = v->state;
	const struct drafts *drafts = v->ui->drafts;
	static const char *const says[] = { [PLAN_NONE] = "no draft of this zone",
		[PLAN_ASKED] = "being checked",
		[PLAN_OK] = "checked by the primary, no errors",
		[PLAN_CONFLICT] = "others changed the zone since: Enter merges and decides",
		[PLAN_REFUSED] = "refused as it is: mend it, or take it out",
		[PLAN_NO_LINK] = "not checked: no link" };

	if (drafts != NULL && drafts->plan != NULL && drafts->plan->n_warnings > 0 &&
	    d->state == DIFF_OPEN) {
		snprintf(d->checked, sizeof d->checked, "%s, %zu warning%s", says[PLAN_OK],
		    drafts->plan->n_warnings, drafts->plan->n_warnings == 1 ? "" : "s");
		return d->checked;
	}
	if (d->state == DIFF_SENDING)
		return "being committed";
	if (d->state == DIFF_UNKNOWN)
		return "outcome unknown: C asks again, it is never made twice";
	return drafts != NULL ? says[drafts->state] : says[PLAN_NONE];
}

/* Rows that a sentence may have: where there is little room, one. */
static int
sentence_rows(const char *text, struct rect r)
{
	int n = text_lines(text, r.w - LABEL_W - 1);

	return n < 1 || r.h < 16 ? 1 : n > 2 ? 2 : n;
}

static int
sentence(struct surface *s, struct rect all, int y, const char *label, enum ui_role role,
    const char *text)
{
	int h = sentence_rows(text, all);

	surface_put(s, all.x + 1, y, LABEL_W, UI_TEXT, label);
	(void)surface_wrap(
	    s, (struct rect){ all.x + LABEL_W, y, all.w - LABEL_W - 1, h }, role, text);
	return y + h;
}

static const char *
effects(const struct diff *d)
{
	if (d->effects[0] != '\0')
		return d->effects;
	return d->title[0] != '\0' ? "none beyond it" : "not known before it is checked";
}

static int
rows_below(const struct diff *d, struct rect r)
{
	int n = 3 + sentence_rows(effects(d), r);

	if (d->state == DIFF_DONE)
		return 2;
	for (unsigned i = 0; i < d->n_notes; i++)
		n += sentence_rows(d->notes[i], r);
	return n;
}

static const char *
note_label(const struct view *v)
{
	const struct drafts *drafts = v->ui->drafts;

	if (((const struct diff *)v->state)->note_role != UI_CRIT)
		return "Warning";
	if (drafts != NULL && drafts->state == PLAN_NO_LINK)
		return "Offline";
	return drafts != NULL && drafts->state == PLAN_CONFLICT ? "Conflict" : "Refused";
}

/* What is below the list, in r of the whole. */
static void
draw_below(struct view *v, struct rect all, struct rect r)
{
	struct diff *d = v->state;
	struct surface *s = v->ui->surface;
	struct form_field *f = d->form.list;
	int y = sentence(s, all, r.y, "Effects", UI_TEXT, effects(d));

	for (unsigned i = 0; i < d->n_notes; i++)
		y = sentence(s, all, y, note_label(v), d->note_role, d->notes[i]);
	f[DIFF_COMMENT].x = LABEL_W - 1;
	f[DIFF_COMMENT].w = r.w - LABEL_W;
	f[DIFF_COMMENT].y = y - r.y;
	surface_put(s, r.x + 1, y++, LABEL_W, UI_TEXT, "Comment");
	f[DIFF_TIMER].x = 1 + surface_put(s, r.x + 1, y, r.w - 12, UI_TEXT,
				  "Taken back unless confirmed within ");
	f[DIFF_TIMER].w = 8;
	f[DIFF_TIMER].y = y++ - r.y;
	form_draw(&d->form, s, r);
	surface_put(s, r.x + 1, y, r.w - 2, UI_DIM, status(v));
}

static void
draw_done(struct view *v, struct rect r)
{
	struct diff *d = v->state;
	struct surface *s = v->ui->surface;

	surface_put(s, r.x + 1, r.y, r.w - 2, UI_OK, d->done);
	surface_put(
	    s, r.x + 1, r.y + 1, r.w - 2, d->everywhere ? UI_OK : UI_WARN | UI_LIVE, d->reached);
}

static void
draw_title(struct view *v, struct rect r)
{
	struct diff *d = v->state;
	struct surface *s = v->ui->surface;
	char zone[UI_OBJECT];
	int x = r.x + 1;

	sanitize(zone, sizeof zone, v->object, v->ui->ascii);
	zone[ui_name_len(zone)] = '\0';
	x += surface_putf(s, x, r.y, r.w - 36, UI_TITLE, "%s > %s",
	    d->state == DIFF_DONE ? "Committed" : "Pending", zone);
	/* How much of the zone it was matters before the commit. */
	const char *share = d->state == DIFF_DONE ? strstr(d->title, "   ") : NULL;

	share = share != NULL ? strstr(share + 3, "   ") : NULL;
	surface_putf(s, x + 3, r.y, r.w - x - 4, UI_TEXT, "%.*s",
	    (int)(share != NULL ? share - d->title : (ptrdiff_t)strlen(d->title)), d->title);
}

static void
diff_draw(struct view *v, struct rect r)
{
	struct diff *d = v->state;
	bool list = d->form.focus == LIST;
	struct rect bottom = r;

	diff_take(v);
	bottom.h = rows_below(d, r);
	bottom.y = r.y + r.h - bottom.h;
	d->table.columns = r.w >= WIDE_FROM ? wide : narrow;
	draw_title(v, r);
	ns_table_draw(&d->table, v->ui->surface,
	    (struct rect){ r.x, r.y + 1, r.w, r.h - bottom.h - 2 }, d->n, cell, d);
	if (d->state == DIFF_DONE)
		draw_done(v, bottom);
	else
		draw_below(v, r, bottom);
	if (d->n == 0)
		surface_put(v->ui->surface, r.x + 3, r.y + 2, r.w - 4, UI_DIM,
		    v->ui->drafts != NULL && v->ui->drafts->draft != NULL
			? "being checked, or nothing would change"
			: "no draft of this zone");
	if (list && d->n > 0 && d->state != DIFF_DONE)
		surface_park(
		    v->ui->surface, r.x, r.y + 2 + (int)(d->table.row - d->table.top), false);
}

/* ---- keys ---- */
static void
focus(struct view *v, size_t at)
{
	struct diff *d = v->state;

	if (d->form.focus == DIFF_COMMENT)
		keep_comment(v);
	d->form.focus = at;
	v->contexts = at == LIST ? v->ops->contexts
				 : CTX_GLOBAL | CTX_FORM | (at == DIFF_COMMENT ? CTX_PLAIN : 0);
}

/* Around: the list, the comment, the timer. */
static void
step(struct view *v, bool forward)
{
	struct diff *d = v->state;
	size_t at = d->form.focus;

	if (forward)
		focus(v, at == LIST ? DIFF_COMMENT : at == DIFF_COMMENT ? DIFF_TIMER : LIST);
	else
		focus(v, at == LIST ? DIFF_TIMER : at == DIFF_TIMER ? DIFF_COMMENT : LIST);
}

static bool
diff_key_typed(struct view *v, uint32_t key)
{
	struct diff *d = v->state;
	bool changed, took = form_key(&d->form, key, &changed);

	d->typed = d->typed || (changed && d->form.focus == DIFF_COMMENT);
	if (changed && d->form.focus == DIFF_COMMENT && v->ui->loop != NULL)
		loop_later(v->ui->loop, COMMENT_PAUSE_MS, keep_comment, v);
	return took;
}

static bool
diff_leave(struct view *v)
{
	struct diff *d = v->state;

	if (d->form.focus == LIST)
		return true;
	focus(v, LIST);
	return false;
}

static const char *
diff_refuse(struct view *v, enum ns_action_id id)
{
	const struct diff *d = v->state;
	const struct drafts *drafts = v->ui->drafts;
	bool edits = id == ACT_COMMIT || id == ACT_DISCARD || id == ACT_LEAVE_OUT ||
		     id == ACT_EDIT || id == ACT_EDIT_TEXT || id == ACT_TEST || id == ACT_OPEN ||
		     id == ACT_UNDO || id == ACT_NEXT_TAB || id == ACT_PREVIOUS_TAB;

	if (id == ACT_PENDING)
		return "this is it";
	if (id == ACT_REDO)
		return drafts != NULL && drafts->n_undone > 0 && d->state == DIFF_OPEN
			   ? NULL
			   : "nothing was undone";
	if (!edits)
		return NULL;
	if (d->state == DIFF_DONE)
		return "it is committed: R in History takes it back";
	if (d->state == DIFF_SENDING)
		return "it is being committed";
	if (id == ACT_UNDO ? !drafts_can_undo(drafts) : drafts == NULL || drafts->draft == NULL)
		return "no draft of this zone";
	if (id != ACT_COMMIT)
		return NULL;
	if (v->ui->lost || !v->ui->primary_ok)
		return "the primary cannot be reached; the draft is kept";
	if (d->state == DIFF_UNKNOWN)
		return NULL;
	return drafts->state == PLAN_OK         ? NULL
	       : drafts->state == PLAN_CONFLICT ? "others changed the zone since: Enter"
	       : drafts->state == PLAN_REFUSED  ? "the appliance refuses it as it is"
						: "it is not checked yet";
}

static void
discard(void *arg)
{
	struct view *v = arg;

	if (drafts_drop(v->ui, v->object))
		ui_say(v->ui, "The draft is discarded");
}

/* The type that a policy is for, "A" of `A {...}`; empty: it is none. */
static void
policy_of(const Ns__Conflict__RRset *set, char of[16])
{
	const Ns__Conflict__State *s = set->mine != NULL && set->mine->there ? set->mine : set->was;

	of[0] = '\0';
	if (strcmp(set->type, "NSPOLICY") == 0 && s != NULL && s->n_rdata > 0)
		snprintf(of, 16, "%.*s", (int)strcspn(s->rdata[0], " "), s->rdata[0]);
}

static void
edit_row(struct view *v)
{
	struct diff *d = v->state;
	const struct drafts *drafts = v->ui->drafts;
	char name[UI_OBJECT], type[32], of[16];
	const Ns__Conflict__RRset *set;

	if (!diff_key(d, name, type))
		return;
	set = drafts_rrset(drafts, name, type);
	if (drafts->plan == NULL) {
		ui_say(v->ui, "What it is now the appliance has to say first: E, or r asks again");
		return;
	}
	if (set == NULL || set->mine == NULL || !set->mine->there) {
		ui_say(v->ui, "It is gone in the draft: Space leaves that out, u undoes");
		return;
	}
	policy_of(set, of);
	editor_open(v->ui, &(struct editor_what){ .zone = v->object,
			       .name = name,
			       .type = type,
			       .of = of[0] != '\0' ? of : NULL,
			       .version = drafts->draft->base_version,
			       .serial = drafts->draft->base_serial });
}

/* The row under the cursor, as it would be answered. */
static void
test_row(struct view *v)
{
	char name[UI_OBJECT], type[32], of[16];
	const Ns__Conflict__RRset *set;

	if (!diff_key(v->state, name, type))
		return;
	set = drafts_rrset(v->ui->drafts, name, type);
	if (set != NULL && strcmp(type, "NSPOLICY") == 0) {
		policy_of(set, of);
		querytest_open(v->ui, name, of[0] != '\0' ? of : "A", NULL);
		return;
	}
	querytest_open(v->ui, name, type, NULL);
}

static bool
edit_draft(struct view *v, enum ns_action_id id)
{
	char name[UI_OBJECT], type[32];

	if (id == ACT_UNDO)
		(void)drafts_undo(v->ui, v->object);
	else if (id == ACT_REDO)
		(void)drafts_redo(v->ui, v->object);
	else if (id == ACT_LEAVE_OUT && diff_key(v->state, name, type))
		(void)drafts_leave_out(v->ui, v->object, name, type);
	else if (id == ACT_DISCARD)
		ui_ask(v->ui, "Discard this draft? All of its operations are lost.", "", NULL,
		    discard, v);
	else if (id == ACT_COMMIT)
		diff_ask(v);
	else if (id == ACT_OPEN && v->ui->drafts != NULL && v->ui->drafts->state == PLAN_CONFLICT)
		ui_open(v->ui, &screen_conflict, v->object);
	else if (id == ACT_EDIT || id == ACT_OPEN)
		edit_row(v);
	else if (id == ACT_EDIT_TEXT)
		textedit_start(v->ui, v->object);
	else if (id == ACT_TEST)
		test_row(v);
	else
		return false;
	return true;
}

static bool
diff_act(struct view *v, enum ns_action_id id)
{
	struct diff *d = v->state;

	diff_take(v);
	if (d->form.focus == LIST && ns_table_act(&d->table, id, d->n))
		return true;
	switch (id) {
	case ACT_NEXT_TAB:
	case ACT_NEXT_FIELD:
	case ACT_PREVIOUS_TAB:
	case ACT_PREVIOUS_FIELD:
		step(v, id == ACT_NEXT_TAB || id == ACT_NEXT_FIELD);
		return true;
	case ACT_ACCEPT:
		focus(v, LIST);
		return true;
	default:
		return edit_draft(v, id);
	}
}

static const char *
diff_field(struct view *v)
{
	struct diff *d = v->state;

	return d->form.focus == LIST ? NULL : form_text(&d->form);
}

/* Name, type, what it was and what it becomes: all that a wide screen shows. */
static bool
row_holds(void *arg, size_t i, const char *text)
{
	const struct row *r = &((const struct diff *)arg)->rows[i];

	for (unsigned c = 0; c < 5; c++)
		if (r->cells[c] != NULL && strcasestr(r->cells[c], text) != NULL)
			return true;
	return false;
}

static bool
diff_search(struct view *v, const char *text, size_t *at, int by)
{
	struct diff *d = v->state;

	diff_take(v);
	if (text == NULL)
		*at = d->table.row;
	else if (by != 0 && !search_around(d->n, at, by, row_holds, d, text))
		return false;
	else
		d->table.row = *at;
	return true;
}

const struct ns_screen_ops screen_diff = {
	.name = "Diff",
	.size = sizeof(struct diff),
	.contexts = CTX_GLOBAL | CTX_LIST | CTX_TABS | CTX_OPEN | CTX_DIFF | CTX_DRAFT | CTX_SEARCH,
	.search = diff_search,
	.open = diff_open,
	.close = diff_close,
	.reload = diff_reload,
	.tick = diff_tick,
	.draw = diff_draw,
	.act = diff_act,
	.key = diff_key_typed,
	.field = diff_field,
	.leave = diff_leave,
	.refuse = diff_refuse,
	.twin = "draft diff %o",
};
