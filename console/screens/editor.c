/* editor.c - see editor.h: what is there, keys, layout. */
#include "console/screens/editor.h"
#include "console/screens/policyedit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "console/core/loop.h"
#include "console/core/key.h"
#include "console/core/sanitize.h"
#include "console/screens/zone.h"
#include "ipc/base/xalloc.h"

#define TIMEOUT_MS  5000u
#define DEBOUNCE_MS 150u
#define LABEL_W     7
#define NUMBER_W    6 /* " 12   " before a record's fields */
#define BELOW       5 /* rows below the form: a blank, hint, result, note of two */

/* ---- records as fields ---- */
static void
add_record(struct editor *e, const char *rdata)
{
	char *fields[RR_FIELDS];

	rr_split(e->rr, rdata, fields);
	for (unsigned i = 0; i < RR_FIELDS; i++) {
		if (i < editor_width(e))
			(void)form_add(&e->form, RR_TEXT_MAX, fields[i]);
		free(fields[i]);
	}
}

/* One empty line behind the last that is not, where another record may be. */
static void
add_empty(struct editor *e)
{
	size_t n = editor_records(e);
	bool used = n == 0;

	for (unsigned i = 0; n > 0 && i < editor_width(e); i++)
		used = used || e->form.list[e->form.n - 1 - i].edit.len > 0;
	if (used && n < EDITOR_RECORDS && (n == 0 || !e->rr->single))
		add_record(e, "");
}

/* Another type: what was typed goes on in its fields. */
static void
retype(struct view *v)
{
	struct editor *e = v->state;
	const struct rr_form *rr = rr_form_of(edit_text(&e->form.list[FIELD_TYPE].edit));
	Ns__RecordOp op;

	if (rr == e->rr)
		return;
	editor_op(v, &op);
	form_cut(&e->form, FIELD_FIRST);
	e->rr = rr;
	for (size_t i = 0; i < op.n_rdata; i++)
		add_record(e, op.rdata[i]);
	add_empty(e);
	e->form.focus = FIELD_TYPE;
	editor_op_free(&op);
}

/* A field holds what is sent: what cannot be shown as it is cannot be in one. */
static bool
showable(char *const *rdata, size_t n)
{
	bool ok = true;

	for (size_t i = 0; i < n && ok; i++) {
		char *safe = sanitize_dup(rdata[i], false);

		ok = strcmp(safe, rdata[i]) == 0 && strlen(safe) < RR_TEXT_MAX;
		free(safe);
	}
	return ok;
}

static void
fill(struct view *v, uint32_t ttl, char *const *rdata, size_t n)
{
	struct editor *e = v->state;
	char text[16];

	if (!showable(rdata, n)) {
		e->state = EDITOR_GONE;
		ui_say(v->ui, "A record of it cannot be shown in a form");
		return;
	}

	snprintf(text, sizeof text, "%u", ttl);
	edit_set(&e->form.list[FIELD_TTL].edit, 12, text);
	for (size_t i = 0; i < n; i++)
		add_record(e, rdata[i]);
	add_empty(e);
	e->state = EDITOR_READY;
	e->form.focus = e->fresh ? FIELD_NAME : FIELD_FIRST;
}

/* ---- what is there ---- */
static bool editor_key(struct view *, uint32_t);
static bool editor_act(struct view *, enum ns_action_id);

static void
type_ahead(struct view *v)
{
	struct editor *e = v->state;

	for (unsigned i = 0; i < e->n_ahead && e->state == EDITOR_READY; i++) {
		if (e->ahead[i].act)
			(void)editor_act(v, (enum ns_action_id)e->ahead[i].what);
		else
			(void)editor_key(v, e->ahead[i].what);
	}
	e->n_ahead = 0;
}

static void
came(void *arg, const Ns__Envelope *env, const struct ns_why *why)
{
	struct view *v = arg;
	struct editor *e = v->state;
	const Ns__RecordListReply__RRset *s;

	e->request = 0;
	ui_dirty(v->ui, true);
	if (env == NULL) {
		ui_say_why(v->ui, why);
		return;
	}
	if (env->record_list_reply->n_rrsets == 0 ||
	    env->record_list_reply->rrsets[0]->n_rdata >= EDITOR_RECORDS) {
		e->state = EDITOR_GONE;
		ui_say(v->ui,
		    env->record_list_reply->n_rrsets == 0
			? "It is not there any more"
			: "It has more than %u records: too many for a form",
		    EDITOR_RECORDS);
		return;
	}
	s = env->record_list_reply->rrsets[0];
	e->version = env->record_list_reply->version;
	e->serial = env->record_list_reply->serial;
	fill(v, s->ttl, s->rdata, s->n_rdata);
	type_ahead(v);
}

static void
load(struct view *v)
{
	struct editor *e = v->state;
	const Ns__Conflict__RRset *mine =
	    drafts_rrset(drafts_look(v->ui, v->object), e->name, e->type);
	Ns__RecordListRequest body = NS__RECORD_LIST_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;

	if (mine != NULL && mine->mine != NULL && mine->mine->there) {
		fill(v, mine->mine->ttl, mine->mine->rdata, mine->mine->n_rdata);
		return;
	}
	body.zone = v->object;
	body.name = e->name;
	body.type = e->type;
	body.limit = 1;
	request.body_case = NS__ENVELOPE__BODY_RECORD_LIST_REQUEST;
	request.record_list_request = &body;
	e->request = ns_client_request(v->ui->client, &request, TIMEOUT_MS, came, v);
}

static void
prepare(struct view *v, const struct editor_what *what)
{
	struct editor *e = v->state;
	const char *name = "", *type = what->type != NULL ? what->type : "A";
	int len = what->name != NULL ? zone_relative(what->name, v->object, &name) : 0;
	char *typed = xasprintf("%.*s", len, name);

	e->fresh = what->name == NULL || what->clone;
	e->version = what->version;
	e->serial = what->serial;
	e->rr = rr_form_of(type);
	(void)form_add(&e->form, UI_OBJECT, typed);
	(void)form_add(&e->form, 12, type);
	(void)form_add(&e->form, 12, "");
	e->form.list[FIELD_NAME].fixed = e->form.list[FIELD_TYPE].fixed = !e->fresh;
	free(typed);
	if (what->name == NULL) {
		fill(v, 300, NULL, 0);
		return;
	}
	e->name = xstrdup(what->name);
	e->type = xstrdup(what->type);
	if (what->state != NULL)
		fill(v, what->state->ttl, what->state->rdata, what->state->n_rdata);
	else
		load(v);
}

static void
open_policy(struct ui *ui, const struct editor_what *what)
{
	policyedit_open(ui, &(struct policyedit_what){ .zone = what->zone,
				.name = what->name,
				.type = what->of,
				.clone = what->clone,
				.version = what->version,
				.serial = what->serial });
}

void
editor_open(struct ui *ui, const struct editor_what *what)
{
	size_t before = ui->n_views;

	if (what->of != NULL) {
		open_policy(ui, what);
		return;
	}
	ui_open(ui, &screen_editor, what->zone);
	if (ui->n_views > before)
		prepare(ui_top(ui), what);
}

static void
editor_init(struct view *v)
{
	((struct editor *)v->state)->wrong = SIZE_MAX;
}

static void
editor_close(struct view *v)
{
	struct editor *e = v->state;

	if (v->ui->loop != NULL)
		loop_later(v->ui->loop, 0, NULL, NULL);
	if (e->request != 0)
		ns_client_cancel(v->ui->client, e->request);
	form_clear(&e->form);
	free(e->name);
	free(e->type);
}

/* The link is back: what was asked is asked again; what is typed stays. */
static void
editor_reload(struct view *v)
{
	struct editor *e = v->state;

	if (e->state == EDITOR_LOADING && e->request == 0 && e->name != NULL)
		load(v);
	else if (e->verdict == VERDICT_NO_LINK)
		editor_ask(v);
}

/* ---- keys ---- */
static void
settled(void *arg)
{
	struct view *v = arg;
	struct editor *e = v->state;

	editor_check(v, false);
	if (e->n_wrong == 0 && !e->incomplete)
		editor_ask(v);
	ui_dirty(v->ui, true);
}

static void
changed(struct view *v)
{
	struct editor *e = v->state;

	e->dirty = true;
	e->accepting = false;
	e->verdict = VERDICT_NONE;
	e->result[0] = e->note[0] = '\0';
	if (e->form.focus == FIELD_TYPE)
		retype(v);
	add_empty(e);
	e->n_wrong = 0;
	for (size_t i = 0; i < e->form.n; i++)
		e->form.list[i].error = NULL;
	if (v->ui->loop != NULL)
		loop_later(v->ui->loop, DEBOUNCE_MS, settled, v);
	else
		settled(v);
}

/* Taken for later; beyond the limit it is dropped. */
static bool
hold(struct editor *e, bool act, uint32_t what)
{
	if (e->n_ahead < EDITOR_AHEAD) {
		e->ahead[e->n_ahead].act = act;
		e->ahead[e->n_ahead++].what = what;
	}
	return true;
}

static bool
editor_key(struct view *v, uint32_t key)
{
	struct editor *e = v->state;
	bool other = false, mine = false;

	if (e->state == EDITOR_LOADING &&
	    ((key >= ' ' && key < UIKEY_BASE) || key == CTRL_KEY('u')))
		return hold(e, false, key);
	if (e->state == EDITOR_READY)
		mine = form_key(&e->form, key, &other);
	if (other)
		changed(v);
	return mine;
}

static bool
editor_act(struct view *v, enum ns_action_id id)
{
	struct editor *e = v->state;

	if (id != ACT_ACCEPT && id != ACT_NEXT_FIELD && id != ACT_PREVIOUS_FIELD && id != ACT_TEST)
		return false;
	if (e->state == EDITOR_LOADING)
		return hold(e, true, id);
	if (id == ACT_ACCEPT) {
		editor_accept(v);
		return true; /* and the view may be gone */
	}
	if (id == ACT_TEST) {
		editor_test(v);
		return true;
	}
	form_next(&e->form, id == ACT_NEXT_FIELD ? 1 : -1);
	editor_point(e);
	return true;
}

static const char *
editor_field(struct view *v)
{
	const struct editor *e = v->state;

	return e->state == EDITOR_READY ? form_text(&e->form) : NULL;
}

static void
leave_it(void *arg)
{
	ui_back(((struct view *)arg)->ui);
}

static bool
editor_leave(struct view *v)
{
	struct editor *e = v->state;

	if (!e->dirty)
		return true;
	ui_ask(v->ui, "Leave this form? What is typed here is lost; the draft stays as it was.", "",
	    NULL, leave_it, v);
	return false;
}

/* ---- layout ---- */
static int
field_width(const struct editor *e, unsigned i, int left)
{
	const struct rr_field *f = &e->rr->fields[i];

	if (f->width == 0)
		return left < 12 ? 12 : left;
	return (f->width > (int)strlen(f->title) ? f->width : (int)strlen(f->title)) + 2;
}

/* Places of all fields; an error has the row below its field. */
static void
lay_out(struct editor *e, int w)
{
	struct form_field *f = e->form.list;
	int y = 0, name_w = w / 2 < 34 ? w / 2 : 34;

	f[FIELD_NAME].x = f[FIELD_TYPE].x = LABEL_W;
	f[FIELD_NAME].w = name_w;
	f[FIELD_TYPE].w = 14;
	f[FIELD_TTL].x = LABEL_W + 14 + 7;
	f[FIELD_TTL].w = 12;
	f[FIELD_NAME].y = y++;
	f[FIELD_TYPE].y = f[FIELD_TTL].y = y++;
	y += e->n_wrong > 0 && (e->wrong == FIELD_TYPE || e->wrong == FIELD_TTL);
	y += 2; /* a blank, and the titles */
	for (size_t r = 0; r < editor_records(e); r++) {
		size_t first = FIELD_FIRST + r * editor_width(e);
		int x = NUMBER_W;

		for (unsigned i = 0; i < editor_width(e); i++) {
			f[first + i].x = x;
			f[first + i].w = field_width(e, i, w - x - 2);
			if (x + f[first + i].w > w - 1)
				f[first + i].w = w - 1 - x;
			f[first + i].y = y;
			x += f[first + i].w + 1;
		}
		y++;
		y += e->n_wrong > 0 && e->wrong >= first && e->wrong < first + editor_width(e);
	}
	e->rows = y;
}

static void
draw_error(const struct editor *e, struct surface *s, struct rect r)
{
	int y, x;

	if (e->n_wrong == 0 || e->wrong >= e->form.n)
		return;
	y = e->form.list[e->wrong].y + 1 - e->form.top;
	x = e->form.list[e->wrong].x + 1;
	if (y < 1 || y >= r.h)
		return;
	/* A long sentence begins further left, rather than be cut. */
	if (x + 2 + text_width(e->why) > r.w)
		x = r.w - 2 - text_width(e->why) > 1 ? r.w - 2 - text_width(e->why) : 1;
	surface_put(s, r.x + x, r.y + y, r.w - x, UI_CRIT, s->ascii ? "^" : "└");
	surface_put(s, r.x + x + 2, r.y + y, r.w - x - 2, UI_CRIT, e->why);
}

/* Answers by health, place or weight are a policy's, which has an editor of its own; so has a comment its place. */
static const char *
source(const struct editor *e)
{
	static const char *const whole[] = { "SOA", "NS", "DS", "DNAME", "DNSKEY", "ALIAS" };

	for (size_t i = 0; i < sizeof whole / sizeof *whole; i++)
		if (strcasecmp(edit_text(&e->form.list[FIELD_TYPE].edit), whole[i]) == 0)
			return "";
	return "Source these records; by health or place: the Policies tab";
}

static void
draw_labels(struct view *v, struct rect r)
{
	struct editor *e = v->state;
	struct surface *s = v->ui->surface;
	struct form_field *f = e->form.list;
	int top = e->form.top, y = f[FIELD_NAME].y - top;

	if (y >= 0 && y < r.h) {
		char zone[UI_OBJECT + 2];

		surface_put(s, r.x + 1, r.y + y, LABEL_W, UI_TEXT, "Name");
		sanitize(zone, sizeof zone, v->object, v->ui->ascii);
		if (e->fresh)
			surface_putf(s, r.x + LABEL_W + f[0].w + 1, r.y + y,
			    r.w - LABEL_W - f[0].w - 2, UI_DIM, ".%s", zone);
	}
	y = f[FIELD_TYPE].y - top;
	if (y >= 0 && y < r.h) {
		surface_put(s, r.x + 1, r.y + y, LABEL_W, UI_TEXT, "Type");
		surface_put(s, r.x + f[FIELD_TTL].x - 4, r.y + y, 4, UI_TEXT, "TTL");
		surface_put(s, r.x + f[FIELD_TTL].x + 14, r.y + y, r.w - f[FIELD_TTL].x - 15,
		    UI_DIM, e->rr->about);
	}
	if (e->form.n <= FIELD_FIRST)
		return;
	y = f[FIELD_FIRST].y - 2 - top;
	if (y >= 0 && y < r.h)
		surface_put(s, r.x + 1, r.y + y, r.w - 2, UI_DIM, source(e));
	y = f[FIELD_FIRST].y - 1 - top;
	for (unsigned i = 0; y >= 0 && y < r.h && i < editor_width(e); i++)
		surface_put(s, r.x + f[FIELD_FIRST + i].x + 1, r.y + y, f[FIELD_FIRST + i].w - 1,
		    UI_HEAD, e->rr->fields[i].title);
	for (size_t n = 0; n < editor_records(e); n++) {
		char number[24];

		y = f[FIELD_FIRST + n * editor_width(e)].y - top;
		snprintf(number, sizeof number, "%zu", n + 1);
		if (y >= 0 && y < r.h)
			surface_put_right(s, r.x, r.y + y, NUMBER_W - 2, UI_DIM, number);
	}
}

static const char *
hint(const struct editor *e)
{
	size_t at = e->form.focus;

	if (at == FIELD_NAME)
		return "www, or @ for the zone itself; *.dev for all names below dev";
	if (at == FIELD_TYPE)
		return "A AAAA ALIAS CNAME MX TXT SRV CAA HTTPS SVCB NS PTR TLSA SSHFP DS NAPTR "
		       "LOC URI "
		       "DNAME, or any other";
	if (at == FIELD_TTL)
		return "seconds, or 30m 12h 2d: so long others keep it";
	return e->rr->fields[(at - FIELD_FIRST) % editor_width(e)].hint;
}

static void
draw_below(struct view *v, struct rect r)
{
	struct editor *e = v->state;
	struct surface *s = v->ui->surface;
	static const char *const says[] = { "", "being checked", "", "",
		"kept all the same: others changed the zone, "
		"decide at commit",
		"not checked: no link" };
	const char *result = e->result[0] != '\0' ? e->result : says[e->verdict];

	if (e->state == EDITOR_READY)
		surface_put(s, r.x + 1, r.y, r.w - 2, UI_DIM, hint(e));
	if (result[0] != '\0') {
		surface_put(s, r.x + 1, r.y + 1, 8, UI_TEXT, "Result");
		surface_put(s, r.x + 10, r.y + 1, r.w - 11,
		    e->verdict == VERDICT_GOOD ? UI_OK : UI_DIM, result);
	}
	if (e->note[0] == '\0')
		return;
	surface_put(
	    s, r.x + 1, r.y + 2, 8, UI_TEXT, e->note_role == UI_CRIT ? "Refused" : "Warning");
	(void)surface_wrap(
	    s, (struct rect){ r.x + 10, r.y + 2, r.w - 11, r.h - 2 }, e->note_role, e->note);
}

static void
editor_draw(struct view *v, struct rect r)
{
	struct editor *e = v->state;
	struct surface *s = v->ui->surface;
	const struct drafts *d = v->ui->drafts;
	struct rect body = { r.x, r.y + 2, r.w, r.h - 2 - BELOW };
	char zone[UI_OBJECT], title[2 * UI_OBJECT], right[48] = "";

	sanitize(zone, sizeof zone, v->object, v->ui->ascii);
	zone[ui_name_len(zone)] = '\0';
	snprintf(title, sizeof title, "%s > %s", zone, e->fresh ? "new RRset" : "edit");
	if (!e->fresh) {
		size_t n = strlen(title);

		snprintf(title + n, sizeof title - n, " %s %s",
		    edit_text(&e->form.list[FIELD_NAME].edit),
		    edit_text(&e->form.list[FIELD_TYPE].edit));
	}
	if (d != NULL && d->draft != NULL)
		snprintf(right, sizeof right, "draft of %zu op%s", d->draft->n_ops,
		    d->draft->n_ops == 1 ? "" : "s");
	surface_put(s, r.x + 1, r.y, r.w - 22, UI_TITLE, title);
	surface_put_right(s, r.x + r.w - 20, r.y, 19, UI_DIM, right);
	lay_out(e, r.w);
	form_show(
	    &e->form, e->form.list[e->form.focus].y + (e->form.focus == e->wrong), e->rows, body.h);
	draw_labels(v, body);
	draw_error(e, s, body);
	form_draw(&e->form, s, body);
	if (e->state != EDITOR_READY)
		surface_put(s, body.x + NUMBER_W, body.y + 4, body.w - NUMBER_W, UI_DIM,
		    e->state == EDITOR_LOADING ? ui_loading(v) : "there is nothing to edit here");
	draw_below(v, (struct rect){ r.x, r.y + r.h - BELOW + 1, r.w, BELOW - 1 });
}

const struct ns_screen_ops screen_editor = {
	.name = "Record editor",
	.size = sizeof(struct editor),
	.contexts = CTX_GLOBAL | CTX_FORM | CTX_PLAIN | CTX_RRSET,
	.open = editor_init,
	.close = editor_close,
	.reload = editor_reload,
	.draw = editor_draw,
	.act = editor_act,
	.key = editor_key,
	.field = editor_field,
	.leave = editor_leave,
	.refuse = editor_refuse,
	.twin_words = editor_twin,
};
