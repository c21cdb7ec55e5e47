/* drafts.c - see drafts.h. */
#include "console/screens/drafts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "console/core/sanitize.h"
#include "ipc/base/wbuf.h"
#include "ipc/base/xalloc.h"
#include "ipc/envelope.h"

#define TIMEOUT_MS 5000u
#define TEXT_MAX   65536u /* of a state: what is longer is seen in the editor */
#define LOCK_MS    0u /* a program that holds them does so for a moment: say it, do not wait */

/* ---- what is held ---- */
static void
forget_plan(struct drafts *d)
{
	if (d->request != 0)
		ns_client_cancel(d->ui->client, d->request);
	d->request = 0;
	if (d->plan != NULL)
		ns__plan_reply__free_unpacked(d->plan, NULL);
	if (d->guess != NULL)
		ns__plan_reply__free_unpacked(d->guess, NULL);
	if (d->conflict != NULL)
		ns__conflict__free_unpacked(d->conflict, NULL);
	d->plan = d->guess = NULL;
	d->conflict = NULL;
	d->state = PLAN_NONE;
	d->turn++;
}

static void
forget_undone(struct drafts *d)
{
	while (d->n_undone > 0)
		ns__record_op__free_unpacked(d->undone[--d->n_undone], NULL);
	free(d->undone);
	d->undone = NULL;
}

static void
hold(struct drafts *d, Ns__Draft *draft)
{
	if (d->draft != NULL)
		ns__draft__free_unpacked(d->draft, NULL);
	d->draft = draft;
}

static bool
count_one(void *arg, const char *zone, const Ns__Draft *draft, const struct ns_why *why)
{
	(void)zone, (void)draft, (void)why;
	++*(size_t *)arg;
	return true;
}

void
drafts_count(struct ui *ui)
{
	struct ns_why why = { 0 };

	ui->drafts->count = 0;
	if (ui->drafts->dir != NULL)
		(void)ns_drafts_each(ui->drafts->dir, count_one, &ui->drafts->count, &why);
}

struct recovered {
	int64_t now_ms;
	char text[400];
};

/* "example.com, 5 ops, 12 min old", of the first one. */
static bool
describe(void *arg, const char *zone, const Ns__Draft *draft, const struct ns_why *why)
{
	struct recovered *r = arg;
	int64_t age = draft != NULL ? r->now_ms - draft->updated_ms : 0;
	char *safe;

	(void)why;
	if (draft == NULL)
		return false;
	safe = sanitize_dup(zone, false);
	snprintf(r->text, sizeof r->text, "%.*s, %zu op%s, %lld min old", ui_name_len(safe), safe,
	    draft->n_ops, draft->n_ops == 1 ? "" : "s", (long long)(age > 0 ? age / 60000 : 0));
	free(safe);
	return false;
}

static void
say_recovered(struct ui *ui)
{
	struct drafts *d = ui->drafts;
	struct recovered one = { .now_ms = ui->wall_ms };

	if (d->count == 1)
		(void)!ns_drafts_each(d->dir, describe, &one, &(struct ns_why){ 0 });
	if (one.text[0] != '\0')
		ui_say(ui, "Recovered draft %s, not committed. Press 5 to see it", one.text);
	else if (d->count > 0)
		ui_say(ui, "Recovered %zu draft%s, not committed. Press 5 to see %s", d->count,
		    d->count == 1 ? "" : "s", d->count == 1 ? "it" : "them");
}

void
drafts_open(struct ui *ui, const char *fleet)
{
	struct drafts *d = ui->drafts;
	struct ns_why why = { 0 };

	if (d != NULL && strcmp(d->fleet, fleet) == 0)
		return;
	drafts_free(ui);
	d = ui->drafts = xcalloc(1, sizeof *d);
	d->ui = ui;
	snprintf(d->fleet, sizeof d->fleet, "%s", fleet);
	d->dir = ns_drafts_open(NULL, fleet, &why);
	if (d->dir == NULL) {
		ui_say_why(ui, &why);
		return;
	}
	drafts_count(ui);
	say_recovered(ui);
}

void
drafts_free(struct ui *ui)
{
	struct drafts *d = ui->drafts;

	if (d == NULL)
		return;
	forget_plan(d);
	forget_undone(d);
	hold(d, NULL);
	ns_drafts_close(&d->dir);
	free(d);
	ui->drafts = NULL;
}

/* ---- the plan ---- */
void
drafts_conflict(struct ui *ui, const struct ns_why *why)
{
	struct drafts *d = ui->drafts;
	const Ns__Error *e = ns_client_error(ui->client);

	forget_plan(d);
	d->why = *why;
	d->state = PLAN_CONFLICT;
	if (e != NULL && e->conflict != NULL)
		d->conflict = ns_message_copy(&e->conflict->base);
}

static void
planned(void *arg, const Ns__Envelope *env, const struct ns_why *why)
{
	struct drafts *d = arg;

	d->request = 0;
	d->turn++;
	if (env != NULL) {
		d->plan = ns_message_copy(&env->plan_reply->base);
		d->state = PLAN_OK;
	} else if (why->err == NS_CONFLICT) {
		drafts_conflict(d->ui, why);
	} else {
		d->why = *why;
		d->state = why->err == NS_UNAVAILABLE ? PLAN_NO_LINK : PLAN_REFUSED;
	}
	ui_dirty(d->ui, true);
}

static void
ask_plan(struct drafts *d)
{
	Ns__PlanRequest body = NS__PLAN_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;
	Ns__ZoneEdit edit, *edits[] = { &edit };

	forget_plan(d);
	if (d->draft == NULL)
		return;
	draft_edit(&edit, d->draft);
	body.zones = edits;
	body.n_zones = 1;
	request.body_case = NS__ENVELOPE__BODY_PLAN_REQUEST;
	request.plan_request = &body;
	d->state = PLAN_ASKED;
	d->request = ns_client_request(d->ui->client, &request, TIMEOUT_MS, planned, d);
}

uint64_t
drafts_plan_with(struct ui *ui, const char *zone, uint64_t version, Ns__RecordOp *more,
    size_t n_more, ns_reply_fn *fn, void *arg)
{
	struct drafts *d = drafts_look(ui, zone);
	Ns__PlanRequest body = NS__PLAN_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;
	Ns__ZoneEdit edit = NS__ZONE_EDIT__INIT, *edits[] = { &edit };
	size_t n = d != NULL && d->draft != NULL ? d->draft->n_ops : 0;
	Ns__RecordOp **ops = xcalloc(n + n_more, sizeof *ops);
	uint64_t id;

	edit.zone = (char *)(uintptr_t)zone;
	edit.base_version = version;
	if (n > 0)
		draft_edit(&edit, d->draft);
	for (size_t i = 0; i < n; i++)
		ops[i] = d->draft->ops[i];
	for (size_t i = 0; i < n_more; i++)
		ops[n + i] = &more[i];
	edit.ops = ops;
	edit.n_ops = n + n_more;
	body.zones = edits;
	body.n_zones = 1;
	request.body_case = NS__ENVELOPE__BODY_PLAN_REQUEST;
	request.plan_request = &body;
	id = ns_client_request(ui->client, &request, TIMEOUT_MS, fn, arg);
	free(ops);
	return id;
}

void
drafts_replan(struct ui *ui)
{
	if (ui->drafts != NULL)
		ask_plan(ui->drafts);
}

struct drafts *
drafts_look(struct ui *ui, const char *zone)
{
	struct drafts *d = ui->drafts;
	struct ns_why why = { 0 };
	char *canonical;
	Ns__Draft *now = NULL;
	bool other;

	if (d == NULL || d->dir == NULL)
		return d;
	canonical = draft_zone(zone);
	other = strcmp(d->zone, canonical) != 0;
	if (other)
		forget_undone(d);
	snprintf(d->zone, sizeof d->zone, "%s", canonical);
	free(canonical);
	if (ns_draft_load(d->dir, d->zone, &now, &why) == NS_CORRUPT)
		ui_say_why(ui, &why);
	other = other || (now == NULL) != (d->draft == NULL) ||
		(now != NULL && (now->serial_no != d->draft->serial_no ||
				    now->created_ms != d->draft->created_ms));
	hold(d, now);
	if (other || d->state == PLAN_NO_LINK)
		ask_plan(d);
	return d;
}

/* ---- edits ---- */
static bool
begin(struct ui *ui, const char *zone)
{
	struct ns_why why = { 0 };

	if (ui->drafts == NULL || ui->drafts->dir == NULL) {
		ui_say(ui, "Drafts have no place yet: no appliance has answered");
		return false;
	}
	if (ns_drafts_lock(ui->drafts->dir, LOCK_MS, &why) != NS_OK) {
		ui_say_why(ui, &why);
		return false;
	}
	(void)drafts_look(ui, zone);
	return true;
}

/* What is held goes to the disk; when it cannot, what is there counts. */
static bool
end(struct ui *ui, bool changed)
{
	struct drafts *d = ui->drafts;
	struct ns_why why = { 0 };
	enum ns_err err = NS_OK;

	if (changed && d->draft->n_ops > 0)
		err = ns_draft_save(d->dir, d->draft, &why);
	else if (changed)
		err = ns_draft_drop(d->dir, d->zone, &why);
	if (err == NS_NOTFOUND) /* it never was there, or is gone already */
		err = NS_OK;
	ns_drafts_unlock(d->dir);
	drafts_count(ui);
	if (err != NS_OK) {
		ui_say(ui, "%s", why.text);
		hold(d, NULL);
		err = ns_draft_load(d->dir, d->zone, &d->draft, &why);
		changed = false;
	} else if (changed && d->draft->n_ops == 0) {
		hold(d, NULL);
	}
	ask_plan(d);
	ui_dirty(ui, true);
	return err == NS_OK && changed;
}

bool
drafts_put_all(struct ui *ui, const char *zone, uint64_t version, uint32_t serial,
    const Ns__RecordOp *ops, size_t n)
{
	if (!begin(ui, zone))
		return false;
	if (ui->drafts->draft == NULL)
		hold(ui->drafts, draft_new(zone, version, serial, ui->wall_ms));
	for (size_t i = 0; i < n; i++)
		draft_add(ui->drafts->draft, &ops[i], ui->wall_ms);
	forget_undone(ui->drafts);
	return end(ui, true);
}

bool
drafts_put(
    struct ui *ui, const char *zone, uint64_t version, uint32_t serial, const Ns__RecordOp *op)
{
	return drafts_put_all(ui, zone, version, serial, op, 1);
}

bool
drafts_undo(struct ui *ui, const char *zone)
{
	struct drafts *d;
	Ns__RecordOp *op = NULL;

	if (!begin(ui, zone))
		return false;
	d = ui->drafts;
	if (d->draft != NULL)
		op = draft_undo(d->draft, ui->wall_ms);
	if (op == NULL) {
		ui_say(ui, "There is nothing to undo: no draft of this zone");
		return end(ui, false);
	}
	d->undone_version = d->draft->base_version;
	d->undone_serial = d->draft->base_serial;
	d->undone = xreallocarray(d->undone, d->n_undone + 1, sizeof *d->undone);
	d->undone[d->n_undone++] = op;
	return end(ui, true);
}

bool
drafts_redo(struct ui *ui, const char *zone)
{
	struct drafts *d;
	Ns__RecordOp *op;

	if (!begin(ui, zone))
		return false;
	d = ui->drafts;
	if (d->n_undone == 0) {
		ui_say(ui, "There is nothing to do again");
		return end(ui, false);
	}
	op = d->undone[--d->n_undone];
	if (d->draft == NULL) /* the base is that of what was undone */
		hold(d, draft_new(zone, d->undone_version, d->undone_serial, ui->wall_ms));
	draft_add(d->draft, op, ui->wall_ms);
	ns__record_op__free_unpacked(op, NULL);
	return end(ui, true);
}

bool
drafts_leave_out(struct ui *ui, const char *zone, const char *name, const char *type)
{
	bool changed = false;

	if (!begin(ui, zone))
		return false;
	if (ui->drafts->draft != NULL)
		changed = draft_leave_out(ui->drafts->draft, name, type, ui->wall_ms) > 0;
	if (!changed)
		ui_say(ui, "It is part of an operation on the whole name: u undoes, X discards");
	return end(ui, changed);
}

bool
drafts_drop(struct ui *ui, const char *zone)
{
	if (!begin(ui, zone))
		return false;
	if (ui->drafts->draft == NULL)
		return end(ui, false);
	while (ui->drafts->draft->n_ops > 0)
		ns__record_op__free_unpacked(draft_undo(ui->drafts->draft, ui->wall_ms), NULL);
	forget_undone(ui->drafts);
	return end(ui, true);
}

bool
drafts_save(struct ui *ui, const Ns__Draft *draft)
{
	size_t len;
	uint8_t *bytes = draft_encode(draft, &len);
	Ns__Draft *copy = bytes != NULL ? draft_decode(bytes, len, &(struct ns_why){ 0 }) : NULL;

	free(bytes);
	if (copy == NULL || !begin(ui, draft->zone)) {
		if (copy != NULL)
			ns__draft__free_unpacked(copy, NULL);
		return false;
	}
	hold(ui->drafts, copy);
	forget_undone(ui->drafts);
	return end(ui, true);
}

/* ---- drafts that the appliance makes ---- */
static bool
free_to_take(struct ui *ui, Ns__ZoneEdit *const *edits, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct drafts *d = drafts_look(ui, edits[i]->zone);

		if (d == NULL || d->draft == NULL)
			continue;
		ui_say(ui, "There is a draft of %s already: commit or discard it first",
		    edits[i]->zone);
		return false;
	}
	return true;
}

static bool
take_edit(struct ui *ui, const Ns__ZoneEdit *edit)
{
	Ns__Draft *d = draft_new(edit->zone, edit->base_version, edit->base_serial, ui->wall_ms);
	bool ok;

	for (size_t i = 0; i < edit->n_ops; i++)
		draft_add(d, edit->ops[i], ui->wall_ms);
	ok = drafts_save(ui, d);
	ns__draft__free_unpacked(d, NULL);
	return ok;
}

static bool
take_all(struct ui *ui, Ns__ZoneEdit *const *edits, size_t n)
{
	size_t taken = 0;
	char zone[UI_OBJECT];

	while (taken < n && take_edit(ui, edits[taken]))
		taken++;
	if (taken == 0)
		return false;
	snprintf(zone, sizeof zone, "%s", edits[0]->zone);
	if (n == 1)
		ui_open(ui, &screen_diff, zone);
	else
		ui_main(ui, &screen_pending);
	ui_say(
	    ui, "%zu draft%s, not served yet: look, then C commits", taken, taken == 1 ? "" : "s");
	return taken == n;
}

bool
drafts_take(struct ui *ui, Ns__ZoneEdit *const *edits, size_t n)
{
	return free_to_take(ui, edits, n) && take_all(ui, edits, n);
}

bool
drafts_replace(struct ui *ui, Ns__ZoneEdit *edit)
{
	return take_all(ui, &edit, 1);
}

static void
made(void *arg, const Ns__Envelope *env, const struct ns_why *why)
{
	struct ui *ui = arg;

	ui_dirty(ui, true);
	if (env == NULL)
		ui_say_why(ui, why);
	else if (env->commit_reply->n_drafts == 0)
		ui_say(ui, "It is so already: nothing would change");
	else
		(void)drafts_take(ui, env->commit_reply->drafts, env->commit_reply->n_drafts);
}

void
drafts_ask(struct ui *ui, Ns__Envelope *request)
{
	if (ui->drafts == NULL || ui->drafts->dir == NULL) {
		ui_say(ui, "Drafts have no place yet: no appliance has answered");
		return;
	}
	ns_client_request(ui->client, request, TIMEOUT_MS, made, ui);
}

void
drafts_revert(struct ui *ui, uint64_t revision)
{
	Ns__RevertRequest body = NS__REVERT_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;

	body.revision = revision;
	body.draft = true;
	request.body_case = NS__ENVELOPE__BODY_REVERT_REQUEST;
	request.revert_request = &body;
	drafts_ask(ui, &request);
}

/* ---- what it makes of the zone ---- */
const Ns__PlanReply *
drafts_told(const struct drafts *d)
{
	return d == NULL ? NULL : d->plan != NULL ? d->plan : d->guess;
}

static const Ns__Conflict__RRset *
find(const Ns__PlanReply *plan, const char *name, const char *type)
{
	for (size_t z = 0; plan != NULL && z < plan->n_zones; z++)
		for (size_t i = 0; i < plan->zones[z]->n_rrsets; i++) {
			const Ns__Conflict__RRset *s = plan->zones[z]->rrsets[i];

			if (strcasecmp(s->name, name) == 0 && strcasecmp(s->type, type) == 0)
				return s;
		}
	return NULL;
}

const Ns__Conflict__RRset *
drafts_rrset(const struct drafts *d, const char *name, const char *type)
{
	return d != NULL ? find(d->plan, name, type) : NULL;
}

const Ns__Conflict__RRset *
drafts_shown(const struct drafts *d, const char *name, const char *type)
{
	return find(drafts_told(d), name, type);
}

char
draft_sign(const Ns__Conflict__RRset *s, enum ui_role *role)
{
	bool gone = s->mine != NULL && !s->mine->there, fresh = s->was != NULL && !s->was->there;

	*role = gone ? UI_REMOVED : fresh ? UI_ADDED : UI_WARN;
	return gone ? '-' : fresh ? '+' : '~';
}

char *
drafts_state_text(const Ns__Conflict__State *s)
{
	struct wbuf w = wbuf_grow(TEXT_MAX);
	char ttl[16];

	if (s == NULL)
		return xstrdup("(too long to be shown)");
	if (!s->there)
		return xstrdup("-");
	snprintf(ttl, sizeof ttl, "%u ", s->ttl);
	wbuf_put(&w, ttl, strlen(ttl));
	for (size_t i = 0; i < s->n_rdata && wbuf_ok(&w); i++) {
		wbuf_put(&w, i > 0 ? ", " : " ", i > 0 ? 2 : 1);
		wbuf_put(&w, s->rdata[i], strlen(s->rdata[i]));
	}
	wbuf_put(&w, "", 1);
	if (wbuf_ok(&w))
		return (char *)w.base;
	wbuf_free(&w);
	return xstrdup("(too long to be shown)");
}

void
drafts_text(const struct drafts *d, char *out, size_t size)
{
	const char *what = "";

	out[0] = '\0';
	if (d == NULL || d->draft == NULL)
		return;
	if (d->state == PLAN_CONFLICT)
		what = " CONFLICT";
	else if (d->state == PLAN_REFUSED)
		what = " REFUSED";
	snprintf(out, size, "draft %zu op%s%s: p", d->draft->n_ops, d->draft->n_ops == 1 ? "" : "s",
	    what);
}
