/* policyedit_node.c - the node under the cursor as a form, and what is typed there as JSON; see policyedit.h. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console/core/sanitize.h"
#include "console/screens/policyedit.h"
#include "ipc/base/xalloc.h"

#define LABEL_W  13
#define NUMBER_W 2
#define ANSWER_W 52 /* that a line of an answer takes at least */

static const char *const types[] = { "A", "AAAA", "CNAME", "MX", "TXT", "SRV", "HTTPS", "SVCB",
	"CAA", "PTR", "TLSA", "SSHFP", "NAPTR", "LOC", "URI", NULL };
static const char *const fallbacks[] = { "next", "none", NULL };
static const char *const stickies[] = { "none", "network", NULL };
static const char *const serves[] = { "all", "one", "1", "2", "3", "4", "5", "6", "7", "8", NULL };
static const char *const drains[] = { "-", "on", NULL };

const struct pol_row *
policyedit_row(const struct policyedit *e)
{
	return e->table.row > 0 && e->table.row <= e->tree.n ? &e->tree.rows[e->table.row - 1]
							     : NULL;
}

static json_t *
pool_here(const struct policyedit *e)
{
	const struct pol_row *r = policyedit_row(e);

	return r != NULL ? pol_pool(e->doc, pol_pool_of(r->node)) : NULL;
}

void
policyedit_health(struct policyedit *e, struct pol_health *h)
{
	*h = (struct pol_health){ .state = checklist_state, .arg = &e->checks };
}

/* ---- the form ---- */
static void
forget_texts(struct policyedit *e)
{
	for (size_t i = 0; i < POLICY_CHOICES; i++) {
		free(e->texts[i]);
		e->texts[i] = NULL;
	}
}

void
policyedit_clear(struct policyedit *e)
{
	for (size_t i = 0; i < e->n_fields; i++)
		json_decref(e->fields[i].answer);
	forget_texts(e);
	e->n_fields = 0;
	form_clear(&e->form);
}

static struct form_field *
add(struct policyedit *e, enum pfield what, json_t *answer, size_t max, const char *text)
{
	e->fields = xreallocarray(e->fields, e->n_fields + 1, sizeof *e->fields);
	e->fields[e->n_fields].what = what;
	e->fields[e->n_fields++].answer = json_incref(answer);
	return form_add(&e->form, max, text);
}

static void
add_choice(struct policyedit *e, enum pfield what, json_t *answer, const char *const *choices,
    const char *text)
{
	add(e, what, answer, 128, text)->choices = choices;
}

/* Text of what may be a string or a number in JSON. */
static const char *
text_or_number(const json_t *v, const char *otherwise, char out[32])
{
	if (json_is_string(v))
		return json_string_value(v);
	if (!json_is_integer(v))
		return otherwise;
	snprintf(out, 32, "%lld", (long long)json_integer_value(v));
	return out;
}

static void
add_answer(struct policyedit *e, json_t *a)
{
	const char *value = json_string_value(json_object_get(a, "value"));
	const char *check = json_string_value(json_object_get(a, "check"));
	char number[32];

	(void)add(e, PF_VALUE, a, POLICY_VALUE, value != NULL ? value : "");
	(void)add(e, PF_SHARE, a, 12,
	    a != NULL ? text_or_number(json_object_get(a, "weight"), "1", number) : "");
	add_choice(
	    e, PF_CHECK, a, (const char *const *)e->checks.choices, check != NULL ? check : "-");
	add_choice(e, PF_DRAIN, a, drains, json_is_true(json_object_get(a, "drain")) ? "on" : "-");
}

/* Pools to lead to, and what may stand in for one that is down. */
static void
make_choices(struct policyedit *e, const char *self)
{
	static const char *const words[] = { "open", "closed", "last" };
	size_t pools = 0, downs = 0, texts = 0;
	const char *name;
	json_t *pool;

	forget_texts(e);
	for (; downs < 3; downs++)
		e->choices[1][downs] = words[downs];
	json_object_foreach(json_object_get(e->doc, "pools"), name, pool)
	{
		if (pools + 2 >= POLICY_CHOICES || downs + 2 >= POLICY_CHOICES)
			break;
		e->choices[0][pools++] = name;
		if (strcmp(name, self) == 0)
			continue;
		e->texts[texts] = xasprintf("pool %s", name);
		e->choices[1][downs++] = e->texts[texts++];
	}
	e->choices[0][pools] = e->choices[1][downs] = NULL;
}

static void
show_pool(struct policyedit *e, const struct pol_row *r)
{
	const char *name = pol_pool_of(r->node);
	json_t *pool = pol_pool(e->doc, name), *a;
	const json_t *down = json_object_get(pool, "when_down");
	const char *other = json_string_value(json_object_get(down, "pool"));
	char number[32], text[128];
	size_t i;

	make_choices(e, name != NULL ? name : "");
	add_choice(e, PF_POOL, NULL, e->choices[0], name != NULL ? name : "");
	(void)add(e, PF_RENAME, NULL, 64, name != NULL ? name : "");
	if (pool == NULL)
		return;
	add_choice(e, PF_SERVE, NULL, serves,
	    text_or_number(json_object_get(pool, "serve"), "all", number));
	(void)add(e, PF_LEAST, NULL, 12,
	    text_or_number(json_object_get(pool, "min_healthy"), "1", number));
	snprintf(text, sizeof text, "pool %s", other != NULL ? other : "");
	add_choice(e, PF_DOWN, NULL, e->choices[1],
	    other != NULL          ? text
	    : json_is_string(down) ? json_string_value(down)
				   : "open");
	json_array_foreach(json_object_get(pool, "answers"), i, a) add_answer(e, a);
	add_answer(e, NULL);
}

/* Of the branch that leads here. */
static void
show_branch(struct policyedit *e, const struct pol_row *r)
{
	json_t *match = json_object_get(r->item, "match"), *place;
	char *text = xstrdup(""), *next, number[32];
	size_t i;

	json_array_foreach(match, i, place)
	{
		const char *p = json_string_value(place);

		next = xasprintf("%s%s%s", text, i > 0 ? " " : "", p != NULL ? p : "?");
		free(text);
		text = next;
	}
	if (match != NULL)
		(void)add(e, PF_PLACES, NULL, POLICY_VALUE, text);
	free(text);
	if (r->item != r->node && json_object_get(r->item, "weight") != NULL)
		(void)add(e, PF_WEIGHT, NULL, 12,
		    text_or_number(json_object_get(r->item, "weight"), "1", number));
}

static void
show_row(struct policyedit *e, const struct pol_row *r)
{
	enum pol_use use = pol_use_of(r->node);
	const char *word;

	show_branch(e, r);
	if (!r->stands_in)
		add_choice(e, PF_USE, NULL, pol_uses, pol_uses[use]);
	if (use == POL_POOL)
		show_pool(e, r);
	word = json_string_value(json_object_get(r->node, "fallback"));
	if (use == POL_GEO)
		add_choice(e, PF_FALLBACK, NULL, fallbacks, word != NULL ? word : "next");
	word = json_string_value(json_object_get(r->node, "sticky"));
	if (use == POL_WEIGHTED)
		add_choice(e, PF_STICKY, NULL, stickies, word != NULL ? word : "none");
}

void
policyedit_show(struct view *v)
{
	struct policyedit *e = v->state;
	const struct pol_row *r;
	size_t focus = e->form.focus;
	int top = e->form.top;
	unsigned typed =
	    e->form.typed; /* the kind is chosen by its letters, and is what is shown */
	char number[32];

	policyedit_clear(e);
	if (e->doc == NULL)
		return;
	r = policyedit_row(e);
	if (r != NULL) {
		show_row(e, r);
	} else {
		(void)add(e, PF_NAME, NULL, UI_OBJECT, e->name);
		add_choice(e, PF_TYPE, NULL, types, e->type);
		(void)add(e, PF_TTL, NULL, 12,
		    text_or_number(json_object_get(e->doc, "ttl"), "30", number));
		e->form.list[0].fixed = e->form.list[1].fixed = !e->fresh;
	}
	e->form.focus = focus < e->form.n ? focus : 0;
	e->form.top = top;
	e->form.typed = typed;
	if (e->form.list[e->form.focus].fixed)
		form_next(&e->form, 1);
}

/* ---- what is typed ---- */
/* A number as one; what is none goes as text, and the appliance says so. */
static json_t *
number_of(const char *text)
{
	return strlen(text) < 10 && text[0] != '\0' && text[strspn(text, "0123456789")] == '\0'
		   ? json_integer(strtol(text, NULL, 10))
		   : json_string(text);
}

/* Empty: the member goes, which means its default. */
static void
set(json_t *object, const char *member, json_t *value, bool empty)
{
	if (empty) {
		json_object_del(object, member);
		json_decref(value);
	} else {
		json_object_set_new(object, member, value);
	}
}

static void
set_places(json_t *rule, const char *text)
{
	json_t *match = json_array();

	for (const char *p = text + strspn(text, " ,"); *p != '\0';) {
		size_t n = strcspn(p, " ,");

		json_array_append_new(match, json_stringn(p, n));
		p += n;
		p += strspn(p, " ,");
	}
	json_object_set_new(rule, "match", match);
}

static void
set_down(json_t *pool, const char *text)
{
	if (strncmp(text, "pool ", 5) == 0)
		json_object_set_new(pool, "when_down", json_pack("{s:s}", "pool", text + 5));
	else
		set(pool, "when_down", json_string(text), strcmp(text, "open") == 0);
}

/* The answers are the lines that have a value, in their order. */
static void
take_answers(struct policyedit *e, size_t at)
{
	const char *text = edit_text(&e->form.list[at].edit);
	size_t line = at - (e->fields[at].what - PF_VALUE);
	json_t *list = json_array(), *a = e->fields[at].answer;

	if (a == NULL) {
		a = json_object();
		for (size_t i = 0; i < 4; i++)
			e->fields[line + i].answer = i == 0 ? a : json_incref(a);
	}
	if (e->fields[at].what == PF_VALUE)
		json_object_set_new(a, "value", json_string(text));
	else if (e->fields[at].what == PF_SHARE)
		set(a, "weight", number_of(text), text[0] == '\0');
	else if (e->fields[at].what == PF_CHECK)
		set(a, "check", json_string(text), strcmp(text, "-") == 0);
	else
		set(a, "drain", json_true(), strcmp(text, "on") != 0);
	for (size_t i = 0; i < e->n_fields; i++)
		if (e->fields[i].what == PF_VALUE && edit_text(&e->form.list[i].edit)[0] != '\0')
			json_array_append(list, e->fields[i].answer);
	json_object_set_new(pool_here(e), "answers", list);
	/* There is always one more to type into. */
	if (edit_text(&e->form.list[e->n_fields - 4].edit)[0] != '\0')
		add_answer(e, NULL);
}

/* A pool by another name, or another pool: nobody else's answers are lost by it. */
static void
take_pool(struct view *v, enum pfield what, const char *text)
{
	struct policyedit *e = v->state;
	json_t *node = policyedit_row(e)->node;
	const char *was = pol_pool_of(node);

	if (what == PF_POOL)
		json_object_set_new(node, "pool", json_string(text));
	else if (was != NULL && strcmp(was, text) != 0 && !pol_rename(e->doc, was, text))
		e->form.list[e->form.focus].error = "taken";
}

static void
take_node(struct view *v, enum pfield what, const char *text)
{
	struct policyedit *e = v->state;
	const struct pol_row *r = policyedit_row(e);
	json_t *pool = pool_here(e);

	switch (what) {
	case PF_PLACES:
		set_places(r->item, text);
		break;
	case PF_WEIGHT:
		json_object_set_new(r->item, "weight", number_of(text));
		break;
	case PF_USE:
		for (unsigned i = 0; i < POL_USES; i++)
			if (strcmp(pol_uses[i], text) == 0)
				pol_turn(e->doc, r->node, e->from, (enum pol_use)i);
		break;
	case PF_FALLBACK:
		set(r->node, "fallback", json_string(text), strcmp(text, "next") == 0);
		break;
	case PF_STICKY:
		set(r->node, "sticky", json_string(text), strcmp(text, "none") == 0);
		break;
	case PF_SERVE:
		json_object_set_new(pool, "serve", number_of(text));
		break;
	case PF_LEAST:
		set(pool, "min_healthy", number_of(text), text[0] == '\0');
		break;
	case PF_DOWN:
		set_down(pool, text);
		break;
	default:
		take_pool(v, what, text);
		break;
	}
}

void
policyedit_typed(struct view *v)
{
	struct policyedit *e = v->state;
	size_t at = e->form.focus;
	enum pfield what = e->fields[at].what;
	char *text = xstrdup(edit_text(&e->form.list[at].edit));

	if (what == PF_NAME)
		snprintf(e->name, sizeof e->name, "%s", text);
	else if (what == PF_TYPE)
		snprintf(e->type, sizeof e->type, "%.15s", text);
	else if (what == PF_TTL)
		json_object_set_new(e->doc, "ttl", number_of(text));
	else if (what >= PF_VALUE)
		take_answers(e, at);
	else
		take_node(v, what, text);
	free(text);
	pol_rows(&e->tree, e->doc);
	if (what == PF_USE || what == PF_POOL)
		policyedit_show(v);
	else if (what == PF_RENAME && e->form.list[at].error == NULL) {
		/* The choices borrow the names. */
		edit_set(&e->form.list[at - 1].edit, 128, pol_pool_of(policyedit_row(e)->node));
		make_choices(e, pol_pool_of(policyedit_row(e)->node));
	}
}

/* The list of checks may have come anew. */
void
policyedit_bind(struct policyedit *e)
{
	for (size_t i = 0; i < e->n_fields; i++)
		if (e->fields[i].what == PF_CHECK)
			e->form.list[i].choices = (const char *const *)e->checks.choices;
}

/* ---- layout ---- */
static const char *const labels[] = { [PF_NAME] = "Name",
	[PF_TYPE] = "Type",
	[PF_TTL] = "TTL",
	[PF_PLACES] = "For",
	[PF_WEIGHT] = "Weight",
	[PF_USE] = "Kind",
	[PF_FALLBACK] = "When down",
	[PF_STICKY] = "Sticky",
	[PF_POOL] = "Pool",
	[PF_RENAME] = "its name",
	[PF_SERVE] = "Answers",
	[PF_LEAST] = "Min healthy",
	[PF_DOWN] = "When down" };

static void
place(struct form_field *f, int x, int y, int w)
{
	f->x = x;
	f->y = y;
	f->w = w;
}

/* Value, weight, share, check, drain: what is left over goes to value and check. */
static void
place_answer(struct form_field *f, int y, int w)
{
	int spare = w > ANSWER_W ? w - ANSWER_W : 0, value = 17 + spare * 2 / 3,
	    check = 12 + spare / 3;
	int x = NUMBER_W + value + 1;

	place(&f[0], NUMBER_W, y, value);
	place(&f[1], x, y, 6);
	place(&f[2], x + 13, y, check);
	place(&f[3], x + 14 + check, y, 6);
}

static void
lay_out(struct policyedit *e, int w)
{
	int y = 0, x;

	for (size_t i = 0; i < e->n_fields; i++) {
		struct form_field *f = &e->form.list[i];

		if (e->fields[i].what == PF_VALUE) {
			y += i > 0 && e->fields[i - 1].what < PF_VALUE ? 2 : 0;
			place_answer(f, y++, w);
			i += 3;
			continue;
		}
		x = e->fields[i].what == PF_RENAME ? LABEL_W + 27 : LABEL_W;
		place(f, x, e->fields[i].what == PF_RENAME ? y - 1 : y,
		    e->fields[i].what == PF_RENAME                                   ? w - x - 1
		    : e->fields[i].what == PF_NAME || e->fields[i].what == PF_PLACES ? w - x - 1
		    : e->fields[i].what == PF_POOL || e->fields[i].what == PF_DOWN   ? 16
										     : 12);
		y += e->fields[i].what != PF_RENAME;
	}
	e->rows = y;
}

static void
put(struct surface *s, struct rect r, int x, int y, int w, enum ui_role role, const char *text)
{
	if (y >= 0 && y < r.h && x < r.w)
		surface_put(s, r.x + x, r.y + y, x + w > r.w ? r.w - x : w, role, text);
}

static void
draw_share(struct view *v, struct rect r, size_t i)
{
	struct policyedit *e = v->state;
	const struct form_field *f = &e->form.list[i];
	const json_t *a = e->fields[i].answer;
	const char *check = json_string_value(json_object_get(a, "check"));
	struct pol_health h;
	enum ui_role role = UI_OK;
	char text[16];
	int share;

	policyedit_health(e, &h);
	if (a == NULL)
		return;
	share = pol_share(&h, pool_here(e), a);
	snprintf(text, sizeof text, share < 0 ? "last" : "%d%%", share);
	if (json_is_true(json_object_get(a, "drain"))) {
		snprintf(text, sizeof text, "out");
		role = UI_WARN;
	} else if (check != NULL && checklist_state(&e->checks, check) == POL_DOWN) {
		snprintf(text, sizeof text, "DOWN");
		role = UI_CRIT;
	} else if (check != NULL && checklist_state(&e->checks, check) == POL_UNKNOWN) {
		snprintf(text, sizeof text, "?");
		role = UI_WARN;
	}
	put(v->ui->surface, r, f->x + 7, f->y - e->form.top, 5, role | UI_LIVE, text);
}

/* Branches of a node, which have rows of their own in the tree. */
static void
draw_branches(struct view *v, struct rect r)
{
	struct policyedit *e = v->state;
	const struct pol_row *row = policyedit_row(e);
	struct pol_health h;
	int y = e->rows + 1 - e->form.top;

	if (row == NULL || pol_use_of(row->node) == POL_POOL)
		return;
	policyedit_health(e, &h);
	put(v->ui->surface, r, 0, y++, r.w, UI_HEAD, "LEADS TO");
	for (size_t i = (size_t)(row - e->tree.rows) + 1;
	     i < e->tree.n && e->tree.rows[i].depth > row->depth; i++) {
		bool up = pol_node_up(&h, e->doc, e->tree.rows[i].node);
		char text[160], safe[200];

		if (e->tree.rows[i].depth != row->depth + 1)
			continue;
		pol_describe(e->doc, e->tree.rows[i].node, text, sizeof text);
		put(v->ui->surface, r, 1, y, 4, (up ? UI_OK : UI_CRIT) | UI_LIVE,
		    up ? "up" : "DOWN");
		sanitize(safe, sizeof safe, e->tree.rows[i].label, v->ui->ascii);
		put(v->ui->surface, r, 7, y, 16, UI_TEXT, safe);
		sanitize(safe, sizeof safe, text, v->ui->ascii);
		put(v->ui->surface, r, 24, y++, r.w - 25, UI_TEXT, safe);
	}
}

static void
draw_labels(struct view *v, struct rect r)
{
	struct policyedit *e = v->state;
	struct surface *s = v->ui->surface;
	bool titled = false;
	char number[16];
	size_t line = 0;

	for (size_t i = 0; i < e->n_fields; i++) {
		const struct form_field *f = &e->form.list[i];
		int y = f->y - e->form.top;

		if (e->fields[i].what < PF_VALUE) {
			put(s, r, e->fields[i].what == PF_RENAME ? f->x - 9 : 0, y, LABEL_W,
			    UI_TEXT, labels[e->fields[i].what]);
			continue;
		}
		if (!titled) {
			put(s, r, f->x + 1, y - 1, f->w, UI_HEAD, "ANSWER");
			put(s, r, f[1].x + 1, y - 1, 6, UI_HEAD, "WGHT");
			put(s, r, f[1].x + 7, y - 1, 6, UI_HEAD, "SHARE");
			put(s, r, f[2].x + 1, y - 1, 6, UI_HEAD, "CHECK");
			put(s, r, f[3].x + 1, y - 1, 6, UI_HEAD, "DRAIN");
			titled = true;
		}
		snprintf(number, sizeof number, "%zu", ++line);
		put(s, r, 0, y, NUMBER_W, UI_DIM, number);
		draw_share(v, r, i + 1);
		i += 3;
	}
}

void
policyedit_draw_node(struct view *v, struct rect r)
{
	struct policyedit *e = v->state;
	struct form shown;

	policyedit_bind(e);
	lay_out(e, r.w);
	if (e->form.n > 0)
		form_show(&e->form, e->form.list[e->form.focus].y, e->rows, r.h);
	draw_labels(v, r);
	draw_branches(v, r);
	shown = e->form;
	if (!e->in_form) /* no field looks as if it were typed into */
		shown.focus = SIZE_MAX;
	if (e->in_form)
		form_draw(&shown, v->ui->surface, r);
	else {
		int x = v->ui->surface->cursor_x, y = v->ui->surface->cursor_y;

		form_draw(&shown, v->ui->surface, r);
		surface_park(v->ui->surface, x, y, false);
	}
}
