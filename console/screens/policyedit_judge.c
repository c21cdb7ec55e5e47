/* policyedit_judge.c - where the policy comes from, the appliance's verdict, and the way into the draft; see
 * policyedit.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "console/core/sanitize.h"
#include "console/screens/policyedit.h"
#include "console/screens/querytest.h"
#include "console/screens/zone.h"
#include "ipc/base/xalloc.h"

#define TIMEOUT_MS 5000u

/* ---- what is there ---- */
static void
take(struct view *v, char *const *rdata, size_t n)
{
	struct policyedit *e = v->state;
	char type[16];

	for (size_t i = 0; i < n && e->doc == NULL; i++) {
		json_t *doc = pol_parse(rdata[i], type);

		if (doc != NULL && strcasecmp(type, e->type) == 0)
			e->doc = doc;
		else
			json_decref(doc);
	}
	e->gone = e->doc == NULL;
	if (e->gone) {
		ui_say(v->ui, "The policy is not there any more");
		return;
	}
	pol_rows(&e->tree, e->doc);
	if (e->fresh)
		e->name[0] = '\0';
	e->table.row = e->fresh ? 0 : 1;
	policyedit_show(v);
}

static void
came(void *arg, const Ns__Envelope *env, const struct ns_why *why)
{
	struct view *v = arg;
	struct policyedit *e = v->state;
	const Ns__RecordListReply *r;

	e->request = 0;
	ui_dirty(v->ui, true);
	if (env == NULL) {
		ui_say_why(v->ui, why);
		return;
	}
	r = env->record_list_reply;
	e->version = r->version;
	e->serial = r->serial;
	take(v, r->n_rrsets > 0 ? r->rrsets[0]->rdata : NULL,
	    r->n_rrsets > 0 ? r->rrsets[0]->n_rdata : 0);
}

void
policyedit_load(struct view *v)
{
	struct policyedit *e = v->state;
	const Ns__Conflict__RRset *set =
	    drafts_rrset(drafts_look(v->ui, v->object), e->name, "NSPOLICY");
	Ns__RecordListRequest body = NS__RECORD_LIST_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;

	if (set != NULL && set->mine != NULL && set->mine->there) {
		take(v, set->mine->rdata, set->mine->n_rdata);
		return;
	}
	body.zone = v->object;
	body.name = e->name;
	body.type = (char *)(uintptr_t) "NSPOLICY";
	body.limit = 1;
	request.body_case = NS__ENVELOPE__BODY_RECORD_LIST_REQUEST;
	request.record_list_request = &body;
	e->request = ns_client_request(v->ui->client, &request, TIMEOUT_MS, came, v);
}

/* ---- the verdict ---- */
#define E_PLAIN 1135 /* plain records of the policy's name and type are in its way */

/* The policy as an operation: of the others at its name nothing is said.  What it takes the place of goes first. */
static size_t
make_ops(const struct policyedit *e, Ns__RecordOp ops[2], char **text)
{
	Ns__RecordOp *op = &ops[e->instead];
	json_t *doc = pol_copy(e->doc);

	pol_prune(doc);
	*text = pol_text(e->type, doc);
	json_decref(doc);
	ns__record_op__init(op);
	op->kind = NS__RECORD_OP__KIND__ADD;
	op->name = e->name[0] != '\0' ? (char *)(uintptr_t)e->name : (char *)(uintptr_t) "@";
	op->type = (char *)(uintptr_t) "NSPOLICY";
	op->rdata = text;
	op->n_rdata = 1;
	if (e->instead) {
		ns__record_op__init(&ops[0]);
		ops[0].kind = NS__RECORD_OP__KIND__DEL;
		ops[0].name = op->name;
		ops[0].type = (char *)(uintptr_t)e->type;
	}
	return 1 + e->instead;
}

/* `owner NSPOLICY "A {...}": root.order[1]: why` - the path, and what is said from there on; all of it without one. */
static const char *
find_path(struct policyedit *e, const char *text)
{
	static const char *const begin[] = { "\": root", "\": pools", "\": policy:" };
	const char *found = NULL;

	e->path[0] = '\0';
	for (size_t b = 0; b < 3; b++)
		for (const char *at = text; (at = strstr(at, begin[b])) != NULL; at++)
			found = found == NULL || at > found ? at : found;
	if (found == NULL)
		return text;
	snprintf(e->path, sizeof e->path, "%s", found + 3);
	return found + 3;
}

size_t
policyedit_wrong(const struct policyedit *e)
{
	size_t row =
	    e->verdict == POLICY_BAD && e->path[0] != '\0' ? pol_find(&e->tree, e->path) : SIZE_MAX;

	return row == SIZE_MAX ? SIZE_MAX : row + 1;
}

static void
take_plan(struct view *v, const Ns__PlanReply *plan)
{
	struct policyedit *e = v->state;
	char text[POLICY_WHY];

	snprintf(e->note, sizeof e->note, "%s%s%s", e->instead ? "the plain " : "",
	    e->instead ? e->type : "", e->instead ? " records of this name go" : "");
	for (size_t i = 0; i < plan->n_policies && !e->instead; i++)
		if (strcasecmp(plan->policies[i]->type, e->type) == 0)
			snprintf(e->note, sizeof e->note,
			    "%u different answer%s while at most one check is down",
			    plan->policies[i]->rrsets, plan->policies[i]->rrsets == 1 ? "" : "s");
	if (plan->n_warnings == 0)
		return;
	snprintf(text, sizeof text, "W%04u %s", plan->warnings[0]->code, plan->warnings[0]->text);
	sanitize(e->why, sizeof e->why, text, v->ui->ascii);
}

static void
keep(struct view *v)
{
	struct policyedit *e = v->state;
	struct ui *ui = v->ui;
	Ns__RecordOp ops[2];
	size_t n;
	char *text;
	bool kept, unchecked = e->verdict == POLICY_NO_LINK;

	e->accepting = false;
	n = make_ops(e, ops, &text);
	kept = drafts_put_all(ui, v->object, e->version, e->serial, ops, n);
	free(text);
	if (!kept)
		return;
	e->dirty = false;
	if (ui_top(ui) == v)
		ui_back(ui);
	ui_say(ui,
	    unchecked
		? "Kept in the draft, not checked: no link. p shows it"
		: "Kept in the draft, not served yet. p shows it and takes a comment, u undoes");
}

static void
judged(void *arg, const Ns__Envelope *env, const struct ns_why *why)
{
	struct view *v = arg;
	struct policyedit *e = v->state;
	char text[POLICY_WHY];

	e->request = 0;
	e->why[0] = e->note[0] = e->path[0] = '\0';
	if (env == NULL && why->code == E_PLAIN && !e->instead) {
		e->instead = true;
		policyedit_ask(v);
		return;
	}
	if (env != NULL) {
		e->verdict = POLICY_GOOD;
		take_plan(v, env->plan_reply);
	} else {
		e->verdict = why->err == NS_CONFLICT      ? POLICY_CONFLICT
			     : why->err == NS_UNAVAILABLE ? POLICY_NO_LINK
							  : POLICY_BAD;
		snprintf(text, sizeof text, "E%04u %s", why->code, find_path(e, why->text));
		sanitize(e->why, sizeof e->why, text, v->ui->ascii);
	}
	ui_dirty(v->ui, true);
	if (e->accepting && e->verdict != POLICY_BAD)
		keep(v);
	else
		e->accepting = false;
}

void
policyedit_ask(struct view *v)
{
	struct policyedit *e = v->state;
	Ns__RecordOp ops[2];
	char *text;
	size_t n;

	if (e->request != 0)
		ns_client_cancel(v->ui->client, e->request);
	n = make_ops(e, ops, &text);
	e->verdict = POLICY_ASKED;
	e->request = drafts_plan_with(v->ui, v->object, e->version, ops, n, judged, v);
	free(text);
}

/* What would be answered if this were committed, with all else that is in drafts. */
void
policyedit_test(struct view *v)
{
	struct policyedit *e = v->state;
	Ns__Draft *draft;
	Ns__RecordOp ops[2];
	char *text;
	size_t n = make_ops(e, ops, &text);

	draft = drafts_with(v->ui, v->object, e->version, e->serial, ops, n);
	free(text);
	querytest_open_draft(v->ui, v->object, e->name, e->type, draft);
}

void
policyedit_accept(struct view *v)
{
	struct policyedit *e = v->state;
	struct ui *ui = v->ui;

	if (e->doc == NULL)
		return;
	if (!e->dirty) {
		ui_back(ui); /* and the view is gone */
		ui_say(ui, "Nothing was changed");
		return;
	}
	if (e->verdict == POLICY_BAD) {
		ui_say(ui, "What is marked has to be mended first");
		return;
	}
	e->accepting = true;
	if (e->verdict != POLICY_ASKED)
		policyedit_ask(v);
}
