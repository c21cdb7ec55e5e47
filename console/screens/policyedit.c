/* policyedit.c - see policyedit.h: the tree, keys, and what is below them. */
#include "console/screens/policyedit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console/core/loop.h"
#include "console/core/sanitize.h"
#include "console/screens/checkedit.h"
#include "console/screens/twin.h"
#include "console/screens/zone.h"
#include "ipc/base/xalloc.h"

#define DEBOUNCE_MS 150u
#define BELOW       5 /* rows below: verdict, effects */
#define TWO_PANES   80 /* columns; in fewer the pane in focus is shown alone */

enum {
	TREE_CONTEXTS = CTX_GLOBAL | CTX_LIST | CTX_OPEN | CTX_TABS | CTX_ROWS | CTX_NODES,
	FORM_CONTEXTS = CTX_GLOBAL | CTX_FORM | CTX_NODES | CTX_FIELD,
};

static void changed(struct view *);

static const struct table_column columns[] = { { "TREE", 20, 1, false, 0 },
	{ NULL, 0, 0, false, 0 } };

/* ---- life ---- */
static void
policyedit_init(struct view *v)
{
	struct policyedit *e = v->state;

	e->table.columns = columns;
	e->table.signs = true;
}

static void
policyedit_close(struct view *v)
{
	struct policyedit *e = v->state;

	if (v->ui->loop != NULL)
		loop_later(v->ui->loop, 0, NULL, NULL);
	if (e->request != 0)
		ns_client_cancel(v->ui->client, e->request);
	checklist_free(&e->checks);
	policyedit_clear(e);
	pol_rows_free(&e->tree);
	json_decref(e->doc);
	json_decref(e->from);
	free(e->fields);
}

const char *
policyedit_check(const struct policyedit *e)
{
	const char *text;

	if (!e->in_form || e->form.focus >= e->n_fields ||
	    e->fields[e->form.focus].what != PF_CHECK)
		return NULL;
	text = edit_text(&e->form.list[e->form.focus].edit);
	return strcmp(text, "-") == 0 ? NULL : text;
}

const char *
policyedit_value(const struct policyedit *e)
{
	for (size_t i = e->form.focus; i > 0 && i < e->n_fields; i--)
		if (e->fields[i].what == PF_VALUE)
			return edit_text(&e->form.list[i].edit);
	return "";
}

/* The link is back, or something changed: states are asked again, what is typed stays. */
static void
policyedit_reload(struct view *v)
{
	struct policyedit *e = v->state;

	checklist_ask(&e->checks, v);
	if (v->ui->made_check[0] != '\0' && e->doc != NULL && e->in_form &&
	    e->form.focus < e->n_fields && e->fields[e->form.focus].what == PF_CHECK) {
		edit_set(
		    &e->form.list[e->form.focus].edit, sizeof v->ui->made_check, v->ui->made_check);
		policyedit_typed(v);
		changed(v);
	}
	v->ui->made_check[0] = '\0';
	if (e->doc == NULL && !e->gone && e->request == 0 && e->name[0] != '\0')
		policyedit_load(v);
	else if (e->verdict == POLICY_NO_LINK)
		policyedit_ask(v);
}

static void
policyedit_tick(struct view *v)
{
	checklist_ask(&((struct policyedit *)v->state)->checks, v);
}

void
policyedit_open(struct ui *ui, const struct policyedit_what *what)
{
	size_t before = ui->n_views;
	struct policyedit *e;
	struct view *v;

	ui_open(ui, &screen_policyedit, what->zone);
	if (ui->n_views == before)
		return;
	v = ui_top(ui);
	e = v->state;
	e->fresh = what->name == NULL || what->clone;
	e->version = what->version;
	e->serial = what->serial;
	snprintf(e->name, sizeof e->name, "%s", what->name != NULL ? what->name : "");
	snprintf(e->type, sizeof e->type, "%.15s", what->type != NULL ? what->type : "A");
	if (what->name != NULL) {
		policyedit_load(v);
		return;
	}
	e->doc = pol_new();
	pol_rows(&e->tree, e->doc);
	e->in_form = true;
	v->contexts = FORM_CONTEXTS;
	policyedit_show(v);
}

/* ---- changes ---- */
static void
settled(void *arg)
{
	struct view *v = arg;

	policyedit_ask(v);
	ui_dirty(v->ui, true);
}

static void
changed(struct view *v)
{
	struct policyedit *e = v->state;

	e->dirty = true;
	e->accepting = e->instead = false;
	e->verdict = POLICY_UNJUDGED;
	e->why[0] = e->note[0] = '\0';
	if (v->ui->loop != NULL)
		loop_later(v->ui->loop, DEBOUNCE_MS, settled, v);
	else
		settled(v);
}

/* The cursor is on another row, or the row is another. */
static void
moved(struct view *v)
{
	struct policyedit *e = v->state;
	const struct pol_row *r;

	e->form.focus = 0;
	e->form.typed = 0;
	e->form.top = 0;
	policyedit_show(v);
	r = policyedit_row(e);
	json_decref(e->from);
	e->from = r != NULL ? pol_copy(r->node) : NULL;
}

static void
focus(struct view *v, bool form)
{
	struct policyedit *e = v->state;

	e->in_form = form && e->form.n > 0;
	v->contexts = e->in_form ? FORM_CONTEXTS : TREE_CONTEXTS;
	if (form && e->from == NULL && policyedit_row(e) != NULL)
		e->from = pol_copy(policyedit_row(e)->node);
}

static void
to_row(struct view *v, const json_t *node)
{
	struct policyedit *e = v->state;
	size_t row;

	pol_rows(&e->tree, e->doc);
	row = pol_row_of(&e->tree, node);
	if (row != SIZE_MAX)
		e->table.row = row + 1;
	moved(v);
	changed(v);
}

static void
add_node(struct view *v)
{
	struct policyedit *e = v->state;
	const struct pol_row *r = policyedit_row(e);
	json_t *node = pol_add(e->doc, r != NULL ? r : &e->tree.rows[0]);

	if (node == NULL) {
		ui_say(v->ui,
		    "A pool has no branches: Enter, and choose geo, failover, weighted or latency");
		return;
	}
	to_row(v, node);
	focus(v, true);
}

static void
delete_node(struct view *v)
{
	struct policyedit *e = v->state;
	const struct pol_row *r = policyedit_row(e);
	const char *why = r != NULL ? pol_delete(e->doc, r)
				    : "this is the policy itself: d on its row in the list";

	if (why != NULL) {
		ui_say(v->ui, "%s", why);
		return;
	}
	pol_rows(&e->tree, e->doc);
	if (e->table.row > e->tree.n)
		e->table.row = e->tree.n;
	moved(v);
	changed(v);
}

static void
move_node(struct view *v, int by)
{
	struct policyedit *e = v->state;
	const struct pol_row *r = policyedit_row(e);
	const json_t *node = r != NULL ? r->node : NULL;

	if (r == NULL || !pol_move(r, by))
		ui_say(v->ui, "It cannot go further");
	else
		to_row(v, node);
}

/* ---- keys ---- */
static bool
policyedit_key(struct view *v, uint32_t key)
{
	struct policyedit *e = v->state;
	bool other = false, mine = false;

	policyedit_bind(e);
	if (e->doc != NULL && e->in_form)
		mine = form_key(&e->form, key, &other);
	if (!other)
		return mine;
	e->form.list[e->form.focus].error = NULL;
	policyedit_typed(v);
	changed(v);
	return true;
}

static bool
in_form(struct view *v, enum ns_action_id id)
{
	struct policyedit *e = v->state;

	if (id == ACT_NEXT_FIELD || id == ACT_PREVIOUS_FIELD) {
		bool forward = id == ACT_NEXT_FIELD;

		/* Past the last field is the tree again. */
		if (forward ? e->form.focus + 1 == e->form.n : e->form.focus == 0)
			focus(v, false);
		else
			form_next(&e->form, forward ? 1 : -1);
		return true;
	}
	if (id != ACT_FIELD)
		return false;
	if (policyedit_check(e) == NULL)
		checkedit_new(v->ui, policyedit_value(e));
	else
		checkedit_open(v->ui, policyedit_check(e), false);
	return true;
}

static bool
in_tree(struct view *v, enum ns_action_id id)
{
	struct policyedit *e = v->state;
	size_t before = e->table.row;

	if (ns_table_act(&e->table, id, e->tree.n + 1)) {
		if (e->table.row != before)
			moved(v);
		return true;
	}
	switch (id) {
	case ACT_OPEN:
	case ACT_EDIT:
	case ACT_NEXT_TAB:
	case ACT_PREVIOUS_TAB:
		focus(v, true);
		return true;
	case ACT_ADD:
		add_node(v);
		return true;
	case ACT_DELETE:
		delete_node(v);
		return true;
	case ACT_MOVE_DOWN:
	case ACT_MOVE_UP:
		move_node(v, id == ACT_MOVE_DOWN ? 1 : -1);
		return true;
	default:
		return false;
	}
}

static bool
policyedit_act(struct view *v, enum ns_action_id id)
{
	struct policyedit *e = v->state;

	if (e->doc == NULL)
		return false;
	if (id == ACT_ACCEPT) {
		policyedit_accept(v);
		return true;
	}
	if (id == ACT_TEST) {
		policyedit_test(v);
		return true;
	}
	return e->in_form ? in_form(v, id) : in_tree(v, id);
}

static void
leave_it(void *arg)
{
	ui_back(((struct view *)arg)->ui);
}

static bool
policyedit_leave(struct view *v)
{
	struct policyedit *e = v->state;

	if (e->in_form) {
		focus(v, false);
		return false;
	}
	if (!e->dirty)
		return true;
	ui_ask(v->ui, "Leave this policy? What is typed here is lost; the draft stays as it was.",
	    "", NULL, leave_it, v);
	return false;
}

static const char *
policyedit_refuse(struct view *v, enum ns_action_id id)
{
	const struct policyedit *e = v->state;

	if (id == ACT_CLONE)
		return "a branch is made with a";
	if (id == ACT_FIELD &&
	    (e->form.focus >= e->n_fields || e->fields[e->form.focus].what != PF_CHECK))
		return "it opens the check of a CHECK field: go to one";
	return e->doc == NULL && (id == ACT_ADD || id == ACT_DELETE || id == ACT_EDIT ||
				     id == ACT_ACCEPT || id == ACT_TEST)
		   ? "not loaded yet"
		   : NULL;
}

/* ---- drawing ---- */
static const char *
branches(const struct pol_row *r, bool ascii, char out[64])
{
	size_t n = 0;

	out[0] = '\0';
	for (unsigned d = 1; d <= r->depth && n + 8 < 64; d++) {
		bool last = (r->last >> d & 1) != 0;
		const char *piece = d < r->depth ? (last       ? "   "
						       : ascii ? "|  "
							       : "│  ")
				    : ascii      ? (last ? "`- " : "|- ")
						 : (last ? "└─ " : "├─ ");

		n += (size_t)snprintf(out + n, 64 - n, "%s", piece);
	}
	return out;
}

static const char *
cell(void *arg, size_t row, unsigned column, enum ui_role *role)
{
	struct view *v = arg;
	struct policyedit *e = v->state;
	char prefix[64], text[160];
	const struct pol_row *r;

	if (column == TABLE_SIGN) {
		*role = UI_CRIT;
		return row == policyedit_wrong(e) ? "!" : "";
	}
	if (row == 0) {
		const char *name;
		int len = zone_relative(e->name, v->object, &name);

		snprintf(text, sizeof text, "%.*s %s", len, len > 0 ? name : "@", e->type);
		sanitize(e->tree_text, sizeof e->tree_text, text, v->ui->ascii);
		return e->tree_text;
	}
	r = &e->tree.rows[row - 1];
	const char *pool = pol_pool_of(r->node);

	snprintf(text, sizeof text, "%s%.100s",
	    pool != NULL ? "pool " : pol_uses[pol_use_of(r->node)], pool != NULL ? pool : "");
	branches(r, v->ui->ascii, prefix);
	snprintf(e->tree_text, sizeof e->tree_text, "%s", prefix);
	size_t n = strlen(e->tree_text);
	char line[POL_LABEL + 164];

	snprintf(line, sizeof line, "%s%s%s", r->label, r->label[0] != '\0' ? "  " : "", text);
	sanitize(e->tree_text + n, sizeof e->tree_text - n, line, v->ui->ascii);
	return e->tree_text;
}

static void
draw_title(struct view *v, struct rect r)
{
	struct policyedit *e = v->state;
	const struct drafts *d = v->ui->drafts;
	char zone[UI_OBJECT], title[2 * UI_OBJECT + 64], safe[2 * UI_OBJECT + 64], right[48] = "";
	const char *name;
	int len = zone_relative(e->name, v->object, &name);

	snprintf(zone, sizeof zone, "%s", v->object);
	zone[ui_name_len(zone)] = '\0';
	snprintf(title, sizeof title, "%s > %s %.*s %s", zone, e->fresh ? "new policy" : "policy",
	    len, name, e->type);
	sanitize(safe, sizeof safe, title, v->ui->ascii);
	if (e->dirty)
		snprintf(right, sizeof right, "not accepted yet");
	else if (d != NULL && d->draft != NULL)
		snprintf(right, sizeof right, "draft of %zu op%s", d->draft->n_ops,
		    d->draft->n_ops == 1 ? "" : "s");
	surface_put(v->ui->surface, r.x + 1, r.y, r.w - 22, UI_TITLE, safe);
	surface_put_right(v->ui->surface, r.x + r.w - 20, r.y, 19, UI_DIM, right);
}

static int
draw_verdict(struct view *v, struct rect r)
{
	struct policyedit *e = v->state;
	struct surface *s = v->ui->surface;
	static const char *const says[] = { "", "being checked", "", "",
		"others changed the zone: decide at commit", "not checked: no link" };

	if (e->why[0] != '\0') {
		enum ui_role role = e->verdict == POLICY_BAD ? UI_CRIT : UI_WARN;

		surface_put(
		    s, r.x + 1, r.y, 8, UI_TEXT, e->verdict == POLICY_BAD ? "Refused" : "Warning");
		return surface_wrap(s, (struct rect){ r.x + 10, r.y, r.w - 11, 2 }, role, e->why);
	}
	surface_put(s, r.x + 1, r.y, 8, UI_TEXT, "Result");
	if (e->verdict == POLICY_GOOD)
		surface_putf(s, r.x + 10, r.y, r.w - 11, UI_OK, "can be committed%s%s",
		    e->note[0] != '\0' ? ": " : "", e->note);
	else
		surface_put(s, r.x + 10, r.y, r.w - 11, UI_DIM,
		    e->dirty ? says[e->verdict] : "as it is in the draft, or served");
	return 1;
}

static int
draw_effects(struct view *v, struct rect r)
{
	struct policyedit *e = v->state;
	char lines[POL_EFFECTS + 2][POL_EFFECT], safe[POL_EFFECT * 2];
	struct pol_health h;
	size_t n;

	if (policyedit_row(e) == NULL)
		return 0;
	policyedit_health(e, &h);
	n = pol_effects(&h, e->doc, &e->tree, e->table.row - 1, lines);
	for (size_t i = 0; i < n && (int)i < r.h; i++) {
		sanitize(safe, sizeof safe, lines[i], v->ui->ascii);
		surface_put(v->ui->surface, r.x + 1, r.y + (int)i, r.w - 2,
		    i == 0 ? UI_TEXT : UI_DIM, safe);
	}
	return (int)n;
}

static void
policyedit_draw(struct view *v, struct rect r)
{
	struct policyedit *e = v->state;
	struct surface *s = v->ui->surface;
	int tree_w = r.w < TWO_PANES ? e->in_form ? 0 : r.w : r.w * 33 / 100, used;
	int below = r.h > 24 ? BELOW + 1 : BELOW;
	struct rect body = { r.x, r.y + 1, r.w, r.h - 1 - below };

	draw_title(v, r);
	if (e->doc == NULL) {
		surface_put(s, r.x + 3, r.y + 3, r.w - 4, UI_DIM,
		    e->gone ? "there is nothing to edit here" : ui_loading(v));
		return;
	}
	if (tree_w > 0)
		ns_table_draw(&e->table, s, (struct rect){ body.x, body.y, tree_w, body.h },
		    e->tree.n + 1, cell, v);
	if (tree_w < r.w) {
		surface_put(s, body.x + tree_w + 1, body.y, body.w - tree_w - 2, UI_HEAD,
		    policyedit_row(e) == NULL ? "POLICY" : "NODE");
		policyedit_draw_node(v, (struct rect){ body.x + tree_w + 1, body.y + 1,
					    body.w - tree_w - 1, body.h - 1 });
	}
	used = draw_verdict(v, (struct rect){ r.x, r.y + r.h - below, r.w, 2 });
	used += draw_effects(v, (struct rect){ r.x, r.y + r.h - below + used, r.w, below - used });
	if (used < below && (e->dirty || e->fresh))
		surface_put(s, r.x + 1, r.y + r.h - 1, r.w - 2, UI_DIM,
		    e->in_form ? "Tab behind the last field, or Esc: the tree, where Enter takes "
				 "the next branch"
			       : "Enter: the fields of this branch");
}

static void
policyedit_twin(struct view *v, struct wbuf *w)
{
	const struct policyedit *e = v->state;

	if (e->fresh) /* it is nowhere yet */
		return;
	twin_word(w, "policy");
	twin_word(w, "show");
	twin_word(w, v->object);
	twin_word(w, e->name);
	twin_word(w, e->type);
}

const struct ns_screen_ops screen_policyedit = {
	.name = "Policy editor",
	.size = sizeof(struct policyedit),
	.contexts = TREE_CONTEXTS,
	.open = policyedit_init,
	.close = policyedit_close,
	.reload = policyedit_reload,
	.tick = policyedit_tick,
	.draw = policyedit_draw,
	.act = policyedit_act,
	.key = policyedit_key,
	.refuse = policyedit_refuse,
	.leave = policyedit_leave,
	.twin_words = policyedit_twin,
};
