/* editor_check.c - what is typed as an operation, what is wrong with it, and its way into the draft; see editor.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "console/core/sanitize.h"
#include "console/screens/editor.h"
#include "console/screens/querytest.h"
#include "console/screens/twin.h"
#include "ipc/base/xalloc.h"

unsigned
editor_width(const struct editor *e)
{
	return rr_fields(e->rr);
}

size_t
editor_records(const struct editor *e)
{
	return (e->form.n - FIELD_FIRST) / editor_width(e);
}

static const char *
text_of(const struct editor *e, size_t field)
{
	return edit_text(&e->form.list[field].edit);
}

static bool
is_empty(const char *text)
{
	return text[strspn(text, " \t")] == '\0';
}

static bool
record_empty(const struct editor *e, size_t record)
{
	for (unsigned i = 0; i < editor_width(e); i++)
		if (!is_empty(text_of(e, FIELD_FIRST + record * editor_width(e) + i)))
			return false;
	return true;
}

static char *
record_text(const struct editor *e, size_t record)
{
	char *fields[RR_FIELDS];
	size_t first = FIELD_FIRST + record * editor_width(e);

	for (unsigned i = 0; i < RR_FIELDS; i++)
		fields[i] = i < editor_width(e) ? e->form.list[first + i].edit.text : NULL;
	return rr_join(e->rr, fields);
}

/* ---- as an operation ---- */
static char *
trimmed(const char *text)
{
	size_t from = strspn(text, " \t"), len = strlen(text + from);

	while (len > 0 && text[from + len - 1] == ' ')
		len--;
	return xasprintf("%.*s", (int)len, text + from);
}

void
editor_op(struct view *v, Ns__RecordOp *op)
{
	struct editor *e = v->state;
	uint32_t ttl = 0;

	ns__record_op__init(op);
	op->kind = NS__RECORD_OP__KIND__SET;
	op->name = e->fresh ? trimmed(text_of(e, FIELD_NAME)) : xstrdup(e->name);
	if (op->name[0] == '\0') {
		free(op->name);
		op->name = xstrdup("@");
	}
	op->type = trimmed(text_of(e, FIELD_TYPE));
	for (char *p = op->type; *p != '\0'; p++)
		*p = *p >= 'a' && *p <= 'z' ? (char)(*p - 'a' + 'A') : *p;
	op->ttl_given = rr_ttl(text_of(e, FIELD_TTL), &ttl);
	op->ttl = ttl;
	op->rdata = xcalloc(editor_records(e) + 1, sizeof *op->rdata);
	for (size_t i = 0; i < editor_records(e); i++)
		if (!record_empty(e, i))
			op->rdata[op->n_rdata++] = record_text(e, i);
}

void
editor_op_free(Ns__RecordOp *op)
{
	for (size_t i = 0; i < op->n_rdata; i++)
		free(op->rdata[i]);
	free(op->rdata);
	free(op->name);
	free(op->type);
}

/* ---- the first check ---- */
static void
mark(struct editor *e, size_t field, const char *why)
{
	if (why == NULL)
		return;
	if (e->n_wrong++ == 0) {
		if (why != e->why)
			snprintf(e->why, sizeof e->why, "%s", why);
		e->wrong = field;
	}
	e->form.list[field].error = e->why;
}

/* Why a field cannot be what it is; NULL: it can. */
static const char *
field_wrong(const struct editor *e, size_t field, char *why, size_t size)
{
	const char *text = text_of(e, field);
	uint32_t ttl;

	if (field >= FIELD_FIRST)
		return rr_check(
		    &e->rr->fields[(field - FIELD_FIRST) % editor_width(e)], text, why, size);
	if (field == FIELD_TYPE && is_empty(text))
		return "E2111 a record type is needed";
	if (field == FIELD_TTL && !is_empty(text) && !rr_ttl(text, &ttl))
		return "E2112 seconds, or like 30m 12h 2d; at most 2147483647";
	return NULL;
}

static void
check_field(struct editor *e, size_t field)
{
	char why[EDITOR_WHY];

	mark(e, field, field_wrong(e, field, why, sizeof why));
}

static void
check_record(struct editor *e, size_t record, bool whole)
{
	size_t first = FIELD_FIRST + record * editor_width(e);

	if (record_empty(e, record))
		return;
	if (strncmp(text_of(e, first) + strspn(text_of(e, first), " "), "\\#", 2) == 0)
		return; /* RFC 3597: the others are not used */
	for (unsigned i = 0; i < editor_width(e); i++) {
		bool missing = is_empty(text_of(e, first + i)) && !e->rr->fields[i].optional;

		e->incomplete = e->incomplete || missing;
		if (!missing || whole)
			check_field(e, first + i);
	}
}

void
editor_point(struct editor *e)
{
	char text[EDITOR_WHY];
	const char *why;

	if (e->form.list[e->form.focus].error == NULL || e->form.focus == e->wrong)
		return;
	why = field_wrong(e, e->form.focus, text, sizeof text);
	if (why == NULL)
		return;
	snprintf(e->why, sizeof e->why, "%s", why);
	e->wrong = e->form.focus;
}

void
editor_check(struct view *v, bool whole)
{
	struct editor *e = v->state;
	size_t filled = 0;

	e->n_wrong = 0;
	e->wrong = SIZE_MAX;
	e->incomplete = false;
	for (size_t i = 0; i < e->form.n; i++)
		e->form.list[i].error = NULL;
	check_field(e, FIELD_TYPE);
	check_field(e, FIELD_TTL);
	for (size_t i = 0; i < editor_records(e); i++) {
		check_record(e, i, whole);
		filled += !record_empty(e, i);
	}
	e->incomplete = e->incomplete || filled == 0;
	if (filled == 0 && whole && e->n_wrong == 0)
		mark(e, FIELD_FIRST,
		    e->fresh ? "E2110 a record is needed"
			     : "E2110 no record is left: Esc, then d deletes the RRset");
	editor_point(e);
}

/* ---- the appliance's verdict ---- */
/* The line of the record that its sentence quotes, and the field in it that it names. */
static void
mark_refused(struct editor *e, const struct ns_why *why, const char *text)
{
	size_t field = SIZE_MAX;
	const char *colon;

	for (size_t i = 0; i < editor_records(e) && field == SIZE_MAX; i++) {
		char *rdata = record_text(e, i);

		if (rdata[0] != '\0' && strstr(text, rdata) != NULL)
			field = FIELD_FIRST + i * editor_width(e);
		free(rdata);
	}
	for (unsigned i = 0; field != SIZE_MAX && i < editor_width(e); i++)
		if (strcmp(e->rr->fields[i].name, why->field) == 0) {
			field += i;
			break;
		}
	if (field == SIZE_MAX)
		return;
	/* `owner TYPE "data": field "x": what` - the place is under the eyes. */
	colon = strstr(text, "field \"");
	colon = colon != NULL ? strstr(colon, "\": ") : NULL;
	snprintf(e->why, sizeof e->why, "E%04u %s", why->code, colon != NULL ? colon + 3 : text);
	mark(e, field, e->why);
	e->note[0] = '\0';
}

static void
take_plan(struct view *v, const Ns__PlanReply *plan)
{
	struct editor *e = v->state;
	const Ns__PlanReply__Zone *z = plan->n_zones > 0 ? plan->zones[0] : NULL;
	Ns__RecordOp op;
	char text[EDITOR_WHY];

	editor_op(v, &op);
	e->result[0] = '\0';
	for (size_t i = 0; z != NULL && i < z->n_rrsets; i++) {
		const Ns__Conflict__RRset *s = z->rrsets[i];

		if (!op_names(&op, z->zone, s->name, s->type) || s->mine == NULL || !s->mine->there)
			continue;
		snprintf(text, sizeof text, "%s %u IN %s %s%s", s->name, s->mine->ttl, s->type,
		    s->mine->n_rdata > 0 ? s->mine->rdata[0] : "",
		    s->mine->n_rdata > 1 ? " …" : "");
		sanitize(e->result, sizeof e->result, text, v->ui->ascii);
	}
	if (e->result[0] == '\0')
		snprintf(e->result, sizeof e->result, "as it is served now");
	editor_op_free(&op);
	if (plan->n_warnings == 0)
		return;
	snprintf(text, sizeof text, "W%04u %s%s", plan->warnings[0]->code, plan->warnings[0]->text,
	    plan->n_warnings > 1 ? " (and more: p)" : "");
	sanitize(e->note, sizeof e->note, text, v->ui->ascii);
	e->note_role = UI_WARN;
}

static void
keep(struct view *v)
{
	struct editor *e = v->state;
	struct ui *ui = v->ui;
	Ns__RecordOp op;
	bool kept, unchecked = e->verdict == VERDICT_NO_LINK;

	e->accepting = false;
	editor_op(v, &op);
	kept = drafts_put(ui, v->object, e->version, e->serial, &op);
	if (kept)
		snprintf(
		    ui->drafts->accepted, sizeof ui->drafts->accepted, "%s %s", op.name, op.type);
	editor_op_free(&op);
	if (!kept)
		return;
	e->dirty = false;
	ui_back(ui);
	if (unchecked)
		ui_say(ui, "Kept in the draft, not checked: no link. p shows it");
	else
		ui_say(ui,
		    "Kept in the draft, not served yet. p shows it and takes a comment, u undoes");
}

static void
judged(void *arg, const Ns__Envelope *env, const struct ns_why *why)
{
	struct view *v = arg;
	struct editor *e = v->state;
	char text[EDITOR_WHY];

	e->request = 0;
	e->note[0] = e->result[0] = '\0';
	if (env != NULL) {
		e->verdict = VERDICT_GOOD;
		take_plan(v, env->plan_reply);
	} else {
		e->verdict = why->err == NS_CONFLICT      ? VERDICT_CONFLICT
			     : why->err == NS_UNAVAILABLE ? VERDICT_NO_LINK
							  : VERDICT_BAD;
		snprintf(text, sizeof text, "E%04u %s", why->code, why->text);
		sanitize(e->note, sizeof e->note, text, v->ui->ascii);
		e->note_role = e->verdict == VERDICT_BAD ? UI_CRIT : UI_WARN;
		sanitize(text, sizeof text, why->text, v->ui->ascii);
		if (e->verdict == VERDICT_BAD)
			mark_refused(e, why, text);
	}
	ui_dirty(v->ui, true);
	if (e->accepting && e->verdict != VERDICT_BAD)
		keep(v);
	else
		e->accepting = false;
}

void
editor_ask(struct view *v)
{
	struct editor *e = v->state;
	Ns__RecordOp op;

	if (e->request != 0)
		ns_client_cancel(v->ui->client, e->request);
	editor_op(v, &op);
	e->verdict = VERDICT_ASKED;
	e->request = drafts_plan_with(v->ui, v->object, e->version, &op, 1, judged, v);
	editor_op_free(&op);
}

void
editor_accept(struct view *v)
{
	struct editor *e = v->state;
	struct ui *ui = v->ui;

	if (e->state != EDITOR_READY)
		return;
	if (!e->dirty) {
		ui_back(ui); /* and the view is gone */
		ui_say(ui, "Nothing was changed");
		return;
	}
	editor_check(v, true);
	if (e->n_wrong > 0) {
		e->form.focus = e->wrong;
		ui_say(v->ui, "%u error%s: what is marked has to be mended first", e->n_wrong,
		    e->n_wrong == 1 ? "" : "s");
		return;
	}
	e->accepting = true;
	if (e->verdict != VERDICT_ASKED)
		editor_ask(v);
}

/* What Ctrl-S does. */
void
editor_twin(struct view *v, struct wbuf *w)
{
	Ns__RecordOp op = NS__RECORD_OP__INIT;
	char ttl[16];

	if (((struct editor *)v->state)->state != EDITOR_READY)
		return;
	editor_op(v, &op);
	snprintf(ttl, sizeof ttl, "%u", op.ttl);
	twin_word(w, "record");
	twin_word(w, op.n_rdata > 0 ? "set" : "del");
	twin_word(w, v->object);
	twin_word(w, op.name);
	if (op.n_rdata > 0)
		twin_word(w, ttl);
	twin_word(w, op.type);
	for (size_t i = 0; i < op.n_rdata; i++)
		twin_word(w, op.rdata[i]);
	editor_op_free(&op);
}

/* What would be answered if this were kept and committed, with all else that is in the draft. */
void
editor_test(struct view *v)
{
	struct editor *e = v->state;
	Ns__RecordOp op;
	Ns__Draft *draft;

	editor_op(v, &op);
	draft = drafts_with(v->ui, v->object, e->version, e->serial, &op, 1);
	querytest_open_draft(v->ui, v->object, op.name, op.type, draft);
	editor_op_free(&op);
}

const char *
editor_refuse(struct view *v, enum ns_action_id id)
{
	const struct editor *e = v->state;

	if (id != ACT_TEST)
		return NULL;
	return e->state != EDITOR_READY ? "not loaded yet"
	       : e->n_wrong > 0         ? "something in the form is wrong"
					: NULL;
}
