/* drafts.c - see drafts.h. */
#include "console/screens/drafts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console/core/sanitize.h"
#include "ipc/base/xalloc.h"
#include "ipc/envelope.h"

#define TIMEOUT_MS 5000u
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
		draft_undone_free(&d->undone[--d->n_undone]);
	free(d->undone);
	d->undone = NULL;
	if (d->emptied != NULL)
		ns__draft__free_unpacked(d->emptied, NULL);
	d->emptied = NULL;
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
/* Its rows are a diff's list. */
static void
tell_diff(struct drafts *d)
{
	struct view *top = ui_top(d->ui);

	if (top == NULL || top->ops != &screen_diff)
		return;
	if (d->state == PLAN_ASKED)
		ui_awaits(top);
	else
		ui_came(top, true);
}

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
	tell_diff(d);
}

static void
ask_plan(struct drafts *d)
{
	Ns__PlanRequest body = NS__PLAN_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;
	Ns__ZoneEdit edit, *edits[] = { &edit };

	forget_plan(d);
	if (d->draft == NULL) {
		tell_diff(d);
		return;
	}
	draft_edit(&edit, d->draft);
	body.zones = edits;
	body.n_zones = 1;
	request.body_case = NS__ENVELOPE__BODY_PLAN_REQUEST;
	request.plan_request = &body;
	d->state = PLAN_ASKED;
	d->request = ns_client_request(d->ui->client, &request, TIMEOUT_MS, planned, d);
	tell_diff(d);
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

Ns__Draft *
drafts_with(struct ui *ui, const char *zone, uint64_t version, uint32_t serial,
    const Ns__RecordOp *more, size_t n)
{
	const struct drafts *d = drafts_look(ui, zone);
	Ns__Draft *with = d != NULL && d->draft != NULL
			      ? ns_message_copy(&d->draft->base)
			      : draft_new(zone, version, serial, ui->wall_ms);

	for (size_t i = 0; with != NULL && i < n; i++)
		draft_add(with, &more[i], ui->wall_ms);
	return with;
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
	snprintf(d->zone, sizeof d->zone, "%s", canonical);
	free(canonical);
	if (ns_draft_load(d->dir, d->zone, &now, &why) == NS_CORRUPT)
		ui_say_why(ui, &why);
	other = other || (now == NULL) != (d->draft == NULL) ||
		(now != NULL && (now->serial_no != d->draft->serial_no ||
				    now->created_ms != d->draft->created_ms));
	if (other) /* of another zone, or by another program, or committed */
		forget_undone(d);
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

static void
set_aside(struct drafts *d)
{
	if (d->emptied != NULL)
		ns__draft__free_unpacked(d->emptied, NULL);
	d->emptied = d->draft;
	d->draft = NULL;
}

/* The draft, or that of which nothing was left; false: neither. */
static bool
bring_back(struct drafts *d)
{
	if (d->draft == NULL) {
		d->draft = d->emptied;
		d->emptied = NULL;
	}
	return d->draft != NULL;
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
		set_aside(d);
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
drafts_can_undo(const struct drafts *d)
{
	return d != NULL && (d->draft != NULL || (d->emptied != NULL && d->emptied->n_steps > 0));
}

bool
drafts_undo(struct ui *ui, const char *zone)
{
	struct draft_undone undone;
	struct drafts *d;

	if (!begin(ui, zone))
		return false;
	d = ui->drafts;
	if (!bring_back(d) || !draft_undo(d->draft, &undone, ui->wall_ms)) {
		set_aside(d);
		ui_say(ui, "There is nothing to undo in this zone");
		return end(ui, false);
	}
	d->undone = xreallocarray(d->undone, d->n_undone + 1, sizeof *d->undone);
	d->undone[d->n_undone++] = undone;
	return end(ui, true);
}

bool
drafts_redo(struct ui *ui, const char *zone)
{
	struct drafts *d;

	if (!begin(ui, zone))
		return false;
	d = ui->drafts;
	if (d->n_undone == 0 || !bring_back(d)) {
		ui_say(ui, "There is nothing to do again");
		return end(ui, false);
	}
	draft_redo(d->draft, &d->undone[--d->n_undone], ui->wall_ms);
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
	if (changed)
		forget_undone(ui->drafts);
	else
		ui_say(ui, "It is part of an operation on the whole name: u undoes, X discards");
	return end(ui, changed);
}

bool
drafts_drop(struct ui *ui, const char *zone)
{
	bool ok;

	if (!begin(ui, zone))
		return false;
	if (ui->drafts->draft != NULL)
		draft_replace(ui->drafts->draft, &(Ns__ZoneEdit)NS__ZONE_EDIT__INIT, ui->wall_ms);
	ok = end(ui, ui->drafts->draft != NULL);
	forget_undone(ui->drafts);
	return ok;
}

/* The operations stay what they are, and so does what the plan says of them. */
bool
drafts_comment(struct ui *ui, const char *zone, const char *text)
{
	struct ns_why why = { 0 };
	enum ns_err err = NS_OK;
	Ns__Draft *draft;

	if (!begin(ui, zone))
		return false;
	draft = ui->drafts->draft;
	if (draft != NULL && strcmp(draft->comment, text) != 0) {
		draft_comment(draft, text);
		err = ns_draft_save(ui->drafts->dir, draft, &why);
	}
	ns_drafts_unlock(ui->drafts->dir);
	if (err != NS_OK)
		ui_say(ui, "%s", why.text);
	return err == NS_OK;
}

bool
drafts_save(struct ui *ui, const Ns__Draft *draft)
{
	Ns__Draft *copy = ns_message_copy(&draft->base);

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
	if (!begin(ui, edit->zone))
		return false;
	if (ui->drafts->draft == NULL)
		hold(ui->drafts,
		    draft_new(edit->zone, edit->base_version, edit->base_serial, ui->wall_ms));
	draft_replace(ui->drafts->draft, edit, ui->wall_ms);
	if (ui->drafts->draft->comment[0] == '\0')
		draft_comment(ui->drafts->draft, ui->drafts->made_of);
	forget_undone(ui->drafts);
	return end(ui, true);
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
	if (ui->drafts != NULL)
		ui->drafts->made_of[0] = '\0';
}

void
drafts_ask(struct ui *ui, Ns__Envelope *request, const char *comment)
{
	if (ui->drafts == NULL || ui->drafts->dir == NULL) {
		ui_say(ui, "Drafts have no place yet: no appliance has answered");
		return;
	}
	snprintf(ui->drafts->made_of, sizeof ui->drafts->made_of, "%s", comment);
	ns_client_request(ui->client, request, TIMEOUT_MS, made, ui);
}

void
drafts_revert(struct ui *ui, uint64_t revision)
{
	Ns__RevertRequest body = NS__REVERT_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;

	char comment[48];

	snprintf(comment, sizeof comment, "revert of change %llu", (unsigned long long)revision);
	body.revision = revision;
	body.draft = true;
	request.body_case = NS__ENVELOPE__BODY_REVERT_REQUEST;
	request.revert_request = &body;
	drafts_ask(ui, &request, comment);
}
