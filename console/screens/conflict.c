/* conflict - others changed the zone since the draft was made: what merges by itself is told, and each RRset that both
 * changed is decided: mine, theirs, both, or mine as it is typed anew.  Nothing is chosen for the operator. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "console/core/sanitize.h"
#include "console/screens/editor.h"
#include "console/screens/pages.h"
#include "console/screens/zone.h"
#include "ipc/base/xalloc.h"

#define MERGED_MAX 1024u
#define LABEL_W    9

enum { CELL_NAME, CELL_TYPE, CELL_DECISION, CELL_BASE, CELL_THEIRS, CELL_MINE, CELL_BOTH };

struct conflict {
	struct ns_table table;
	struct row *rows; /* those to decide */
	size_t *index; /* which of the conflict's RRsets each is */
	enum decision *decided; /* of all of the conflict's */
	size_t n, all;
	uint64_t turn, revision;
	char title[2 * UI_OBJECT], who[512], merged[MERGED_MAX];
	bool whole; /* it is told whole: it can be settled here */
	bool editing; /* a form is open above */
};

static const Ns__Conflict *
conflict_now(const struct view *v)
{
	const struct drafts *d = v->ui->drafts;

	return d != NULL && d->state == PLAN_CONFLICT ? d->conflict : NULL;
}

static void
clear(struct conflict *c)
{
	for (size_t i = 0; i < c->n; i++)
		row_free(&c->rows[i]);
	free(c->rows);
	free(c->index);
	free(c->decided);
	c->rows = NULL;
	c->index = NULL;
	c->decided = NULL;
	c->n = c->all = 0;
}

/* ---- what stands against what ---- */
static void
set_state(struct view *v, struct row *r, unsigned cell, const Ns__Conflict__State *state)
{
	char *text = drafts_state_text(state);

	row_set(v, r, cell, UI_TEXT, "%s", text);
	free(text);
}

static void
add_row(struct view *v, const Ns__Conflict__RRset *set, size_t index)
{
	struct conflict *c = v->state;
	const Ns__Conflict__State *states[] = { set->was, set->theirs, set->mine };
	struct row *r = &c->rows[c->n];
	const char *name;
	int len = zone_relative(set->name, v->object, &name);

	c->index[c->n++] = index;
	*r = (struct row){ .id = xasprintf("%s %s", set->name, set->type) };
	row_set(v, r, CELL_NAME, UI_TEXT, "%.*s", len, name);
	row_set(v, r, CELL_TYPE, UI_TEXT, "%s", set->type);
	for (unsigned i = 0; i < 3; i++)
		set_state(v, r, CELL_BASE + i, states[i]);
	if (set->was == NULL || set->theirs == NULL || set->mine == NULL || !set->theirs->there ||
	    !set->mine->there)
		return;
	char **rdata = xcalloc(set->theirs->n_rdata + set->mine->n_rdata + 1, sizeof *rdata);
	Ns__Conflict__State both = draft_both(set, rdata);

	set_state(v, r, CELL_BOTH, &both);
	free(rdata);
}

/* "yours www A, beta HTTPS; theirs api CNAME" */
static void
tell_merged(struct view *v, const Ns__Conflict *m, bool mine, char out[MERGED_MAX / 2])
{
	size_t n = 0, more = 0;

	out[0] = '\0';
	for (size_t i = 0; i < m->n_rrsets; i++) {
		const Ns__Conflict__RRset *set = m->rrsets[i];
		const char *name;
		int len = zone_relative(set->name, v->object, &name);

		if (set->overlaps || state_same(set->was, mine ? set->mine : set->theirs))
			continue;
		if (n + (size_t)len + 40 > MERGED_MAX / 2) {
			more++;
			continue;
		}
		n += (size_t)snprintf(out + n, MERGED_MAX / 2 - n, "%s%.*s %.16s",
		    n > 0 ? ", " : "", len, name, set->type);
	}
	if (more > 0)
		snprintf(out + n, MERGED_MAX / 2 - n, " and %zu more", more);
}

static void
tell(struct view *v, const Ns__Conflict *m)
{
	struct conflict *c = v->state;
	const Ns__Conflict__Zone *z = m->n_zones > 0 ? m->zones[0] : NULL;
	char yours[MERGED_MAX / 2], theirs[MERGED_MAX / 2], text[MERGED_MAX + 64], when[16] = "-";
	const char *base = "";

	tell_merged(v, m, true, yours);
	tell_merged(v, m, false, theirs);
	snprintf(text, sizeof text, "%s%s%s%s%s", yours[0] != '\0' ? "yours " : "", yours,
	    yours[0] != '\0' && theirs[0] != '\0' ? "; " : "", theirs[0] != '\0' ? "theirs " : "",
	    theirs);
	sanitize(c->merged, sizeof c->merged, text[0] != '\0' ? text : "nothing", v->ui->ascii);
	c->who[0] = '\0';
	if (z == NULL)
		return;
	ui_when(z->at, when);
	snprintf(text, sizeof text, "now %u%s, change %llu by %s, %s \"%.200s\"", z->serial, base,
	    (unsigned long long)z->version, z->author, when, z->comment);
	sanitize(c->who, sizeof c->who, text, v->ui->ascii);
}

/* What was decided stays where theirs is what it was. */
static enum decision
kept(const struct conflict *old, const struct row *r)
{
	for (size_t i = 0; i < old->n; i++)
		if (strcmp(old->rows[i].id, r->id) == 0 &&
		    strcmp(old->rows[i].cells[CELL_THEIRS], r->cells[CELL_THEIRS]) == 0)
			return old->decided[old->index[i]];
	return DECIDE_NOT;
}

static void
take(struct view *v)
{
	struct conflict *c = v->state, old = *c;
	const Ns__Conflict *m = conflict_now(v);

	if (v->ui->drafts == NULL || c->turn == v->ui->drafts->turn ||
	    v->ui->drafts->state == PLAN_ASKED)
		return;
	c->turn = v->ui->drafts->turn;
	c->rows = NULL;
	c->index = NULL;
	c->decided = NULL;
	c->n = c->all = 0;
	c->whole = false;
	if (m != NULL) {
		c->all = m->n_rrsets;
		c->rows = xcalloc(c->all + 1, sizeof *c->rows);
		c->index = xcalloc(c->all + 1, sizeof *c->index);
		c->decided = xcalloc(c->all + 1, sizeof *c->decided);
		c->whole = !m->truncated;
		for (size_t i = 0; i < m->n_rrsets; i++)
			if (m->rrsets[i]->overlaps) {
				add_row(v, m->rrsets[i], i);
				c->decided[i] = kept(&old, &c->rows[c->n - 1]);
			}
		tell(v, m);
	}
	clear(&old);
}

/* ---- the screen ---- */
static const struct table_column columns[] = { { "TO DECIDE", 20, 1, false, 0 },
	{ "TYPE", 9, 0, false, 0 }, { "DECISION", 12, 1, false, 0 }, { NULL, 0, 0, false, 0 } };

static void
conflict_open(struct view *v)
{
	struct conflict *c = v->state;

	c->table.columns = columns;
	c->revision = v->ui->revision;
}

static void
conflict_close(struct view *v)
{
	clear(v->state);
}

/* What was typed in the form above is in the draft: it is mine that stands. */
static void
take_edited(struct view *v)
{
	struct conflict *c = v->state;
	struct drafts *d = v->ui->drafts;

	for (size_t i = 0; d != NULL && c->editing && i < c->n; i++)
		if (strcasecmp(c->rows[i].id, d->accepted) == 0)
			c->decided[c->index[i]] = DECIDE_MINE;
	c->editing = false;
}

static void
conflict_reload(struct view *v)
{
	struct conflict *c = v->state;

	take_edited(v);
	(void)drafts_look(v->ui, v->object);
	if (v->ui->revision != c->revision)
		drafts_replan(v->ui);
	c->revision = v->ui->revision;
}

static const char *
cell(void *arg, size_t row, unsigned column, enum ui_role *role)
{
	static const char *const says[] = { "?", "mine", "theirs", "both" };
	struct conflict *c = arg;
	enum decision d = c->decided[c->index[row]];

	if (column == CELL_DECISION) {
		*role = d == DECIDE_NOT ? UI_WARN : UI_OK;
		return says[d];
	}
	return c->rows[row].cells[column];
}

static int
side(struct surface *s, struct rect r, int y, const char *label, const char *text)
{
	int h = text_lines(text, r.w - LABEL_W - 2);

	h = h < 1 ? 1 : h > 3 ? 3 : h;
	surface_put(s, r.x + 1, y, LABEL_W, UI_HEAD, label);
	(void)surface_wrap(
	    s, (struct rect){ r.x + LABEL_W + 1, y, r.w - LABEL_W - 2, h }, UI_TEXT, text);
	return y + h;
}

static size_t
left(const struct conflict *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n; i++)
		n += c->decided[c->index[i]] == DECIDE_NOT;
	return n;
}

static void
conflict_draw(struct view *v, struct rect r)
{
	struct conflict *c = v->state;
	struct surface *s = v->ui->surface;
	char zone[UI_OBJECT];
	int y, details = r.h > 18 ? 10 : 4, rows;

	take(v);
	sanitize(zone, sizeof zone, v->object, v->ui->ascii);
	zone[ui_name_len(zone)] = '\0';
	int w = surface_putf(s, r.x + 1, r.y, r.w - 2, UI_TITLE, "Conflict > %s", zone);
	if (v->ui->drafts != NULL && v->ui->drafts->draft != NULL && c->n > 0)
		surface_putf(s, r.x + 4 + w, r.y, r.w - 6 - w, UI_TEXT,
		    "base %u   %zu of %zu to decide", v->ui->drafts->draft->base_serial, left(c),
		    c->n);
	surface_put(s, r.x + 1, r.y + 1, r.w - 2, UI_TEXT, c->who);
	y = side(s, r, r.y + 2, "Merges", c->merged);
	if (conflict_now(v) == NULL || !c->whole || c->n == 0) {
		surface_put(s, r.x + 3, y + 1, r.w - 4, UI_DIM,
		    v->ui->drafts != NULL && v->ui->drafts->state == PLAN_ASKED ? "being checked"
		    : conflict_now(v) == NULL ? "nothing stands against the draft: q back"
		    : !c->whole ? "too much for this screen: discard the draft (X), or nameserve "
				  "draft rebase"
				: "nothing to decide: Ctrl-S puts the draft on the newest version");
		surface_park(s, r.x, r.y, false);
		return;
	}
	rows = r.y + r.h - y - 1 - details;
	if (rows > (int)c->n + 1)
		rows = (int)c->n + 1;
	ns_table_draw(&c->table, s, (struct rect){ r.x, y + 1, r.w, rows }, c->n, cell, c);
	y += rows + 2;
	for (int i = CELL_BASE; i <= CELL_BOTH && y < r.y + r.h; i++) {
		static const char *const labels[] = { "base", "theirs", "mine", "both" };
		const char *text = c->rows[c->table.row].cells[i];

		if (text != NULL)
			y = side(s, r, y, labels[i - CELL_BASE], text);
	}
}

/* ---- keys ---- */
/* Under the cursor. */
static const Ns__Conflict__RRset *
now(const struct view *v)
{
	const struct conflict *c = v->state;

	return conflict_now(v)->rrsets[c->index[c->table.row]];
}

static bool
gone(const struct view *v, bool mine)
{
	const Ns__Conflict__State *s = mine ? now(v)->mine : now(v)->theirs;

	return s == NULL || !s->there;
}

static const char *
conflict_refuse(struct view *v, enum ns_action_id id)
{
	struct conflict *c = v->state;

	if (id != ACT_MINE && id != ACT_THEIRS && id != ACT_BOTH && id != ACT_EDIT &&
	    id != ACT_ACCEPT)
		return NULL;
	take(v);
	if (conflict_now(v) == NULL || !c->whole)
		return "there is nothing to decide";
	if (id == ACT_ACCEPT)
		return left(c) > 0 ? "not all are decided" : NULL;
	if (c->table.row >= c->n)
		return "there is nothing to decide";
	if (id == ACT_EDIT && strcmp(now(v)->type, "NSPOLICY") == 0)
		return "a policy: m or t here, then e in the diff";
	return id == ACT_BOTH && (gone(v, true) || gone(v, false)) ? "one side has deleted it"
								   : NULL;
}

static void
settle(struct view *v)
{
	struct conflict *c = v->state;
	struct ui *ui = v->ui;
	size_t len;
	uint8_t *bytes = draft_encode(ui->drafts->draft, &len);
	Ns__Draft *d = bytes != NULL ? draft_decode(bytes, len, &(struct ns_why){ 0 }) : NULL;
	bool done = d != NULL && draft_settle(d, conflict_now(v), c->decided, ui->wall_ms);

	free(bytes);
	if (done && drafts_save(ui, d)) {
		ui_back(ui);
		ui_say(ui, "Merged: look at it again, then C commits");
	} else if (!done) {
		ui_say(ui, "It cannot be settled here: nameserve draft rebase");
	}
	if (d != NULL)
		ns__draft__free_unpacked(d, NULL);
}

/* In a form, beginning with mine; with theirs, where mine is that it goes. */
static void
edit_mine(struct view *v)
{
	const Ns__Conflict__RRset *set = now(v);
	const Ns__Draft *draft = v->ui->drafts->draft;

	((struct conflict *)v->state)->editing = true;
	v->ui->drafts->accepted[0] = '\0';
	editor_open(v->ui, &(struct editor_what){ .zone = v->object,
			       .name = set->name,
			       .type = set->type,
			       .state = gone(v, true) ? set->theirs : set->mine,
			       .version = draft->base_version,
			       .serial = draft->base_serial });
}

static bool
conflict_act(struct view *v, enum ns_action_id id)
{
	struct conflict *c = v->state;
	enum decision what = id == ACT_MINE     ? DECIDE_MINE
			     : id == ACT_THEIRS ? DECIDE_THEIRS
			     : id == ACT_BOTH   ? DECIDE_BOTH
						: DECIDE_NOT;

	if (ns_table_act(&c->table, id, c->n))
		return true;
	if (id == ACT_ACCEPT) {
		settle(v);
		return true;
	}
	if (id == ACT_EDIT) {
		edit_mine(v);
		return true;
	}
	if (what == DECIDE_NOT)
		return false;
	c->decided[c->index[c->table.row]] = what;
	if (c->table.row + 1 < c->n)
		c->table.row++;
	if (left(c) == 0)
		ui_say(v->ui, "All are decided: Ctrl-S puts the draft on the newest version");
	return true;
}

const struct ns_screen_ops screen_conflict = {
	.name = "Conflict",
	.size = sizeof(struct conflict),
	.contexts = CTX_GLOBAL | CTX_LIST | CTX_CONFLICT,
	.open = conflict_open,
	.close = conflict_close,
	.reload = conflict_reload,
	.draw = conflict_draw,
	.act = conflict_act,
	.refuse = conflict_refuse,
	.twin = "plan %o",
};
