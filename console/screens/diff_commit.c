/* diff_commit.c - from a draft to a change, and until every appliance serves it; see diff.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "console/core/sanitize.h"
#include "console/screens/diff.h"
#include "ipc/base/clock.h"

#define COMMIT_MS      15000u
#define FOLLOW_MS      5000u
#define MANY_DELETIONS 50u /* more of them take the zone's name */

static uint64_t
timer_ms(const struct diff *d)
{
	return strtoull(edit_text(&d->form.list[DIFF_TIMER].edit), NULL, 10) * 60000;
}

/* ---- after it ---- */
static void
followed(void *arg, const Ns__Envelope *env, const struct ns_why *why)
{
	struct view *v = arg;
	struct diff *d = v->state;
	const Ns__HistoryShowReply *r;
	char text[DIFF_LINE];
	int n;

	(void)why;
	d->request = 0;
	if (env == NULL)
		return;
	r = env->history_show_reply;
	d->everywhere = r->n_behind == 0 && r->n_served_by > 0;
	n = snprintf(text, sizeof text, "served by %zu of %zu appliances", r->n_served_by,
	    r->n_served_by + r->n_behind);
	if (d->everywhere && d->sent_ms != 0)
		n += snprintf(text + n, sizeof text - (size_t)n, " within %.1f s",
		    (double)(clock_since(v->ui->mono_ms, d->sent_ms) + 50) / 1000);
	for (size_t i = 0; i < r->n_behind && n > 0 && (size_t)n < sizeof text; i++)
		n += snprintf(text + n, sizeof text - (size_t)n, "%s%s",
		    i == 0 ? "; waiting for " : ", ", r->behind[i]);
	sanitize(d->reached, sizeof d->reached, text, v->ui->ascii);
	ui_dirty(v->ui, false);
}

void
diff_follow(struct view *v)
{
	struct diff *d = v->state;
	Ns__HistoryShowRequest body = NS__HISTORY_SHOW_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;

	if (d->state != DIFF_DONE || d->request != 0 || d->everywhere)
		return;
	body.revision = d->revision;
	request.body_case = NS__ENVELOPE__BODY_HISTORY_SHOW_REQUEST;
	request.history_show_request = &body;
	d->request = ns_client_request(v->ui->client, &request, FOLLOW_MS, followed, v);
}

static void
take_reply(struct view *v, const Ns__CommitReply *r)
{
	struct diff *d = v->state;
	char within[96] = "";
	double ms = 0;

	for (size_t i = 0; i < r->n_served; i++)
		ms = r->served[i]->ms > ms ? r->served[i]->ms : ms;
	if (r->confirm_within_ms > 0)
		snprintf(within, sizeof within,
		    "   taken back in %llu s unless confirmed (:confirm)",
		    (unsigned long long)r->confirm_within_ms / 1000);
	snprintf(d->done, sizeof d->done, "Change %llu   serial %u%s%s",
	    (unsigned long long)r->revision, r->serial,
	    r->replayed ? "   (it was made the first time)" : "", within);
	d->reached[0] = '\0';
	if (r->n_served > 0)
		snprintf(d->reached, sizeof d->reached, "served here in %.1f ms", ms);
	d->revision = r->revision;
	d->state = DIFF_DONE;
	(void)drafts_drop(v->ui, v->object);
	diff_follow(v);
}

static void
committed(void *arg, const Ns__Envelope *env, const struct ns_why *why)
{
	struct view *v = arg;
	struct diff *d = v->state;

	d->request = 0;
	d->state = DIFF_OPEN;
	ui_dirty(v->ui, true);
	if (env != NULL) {
		take_reply(v, env->commit_reply);
		return;
	}
	if (why->err == NS_UNKNOWN) {
		d->state = DIFF_UNKNOWN;
		ui_say(v->ui,
		    "Outcome unknown: the link was lost. C asks again, and commits at most once");
		return;
	}
	if (why->err == NS_CONFLICT)
		drafts_conflict(v->ui, why);
	ui_say_why(v->ui, why);
	if (why->err == NS_UNAVAILABLE)
		ui_say(v->ui, "Not committed: no link. The draft is kept");
}

/* ---- before it ---- */
static void
send_it(void *arg)
{
	struct view *v = arg;
	struct diff *d = v->state;
	struct drafts *drafts = v->ui->drafts;
	Ns__CommitRequest commit = NS__COMMIT_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;
	Ns__ZoneEdit edit, *edits[] = { &edit };
	char *zone, *key;

	if (drafts == NULL || drafts->draft == NULL)
		return;
	diff_take(v); /* what is sent stays on screen */
	zone = drafts->draft->zone;
	draft_edit(&edit, drafts->draft);
	commit.zones = edits;
	commit.n_zones = 1;
	commit.comment = d->form.list[DIFF_COMMENT].edit.text;
	commit.confirm_within_ms = timer_ms(d);
	commit.confirm = &zone; /* it was asked for, where it is needed */
	commit.n_confirm = 1;
	/* What was on screen, or nothing; and of a request whose outcome is unknown, the same again. */
	if (d->state != DIFF_UNKNOWN)
		snprintf(d->plan_hash, sizeof d->plan_hash, "%s",
		    drafts->plan != NULL ? drafts->plan->plan_hash : "");
	commit.plan_hash = d->plan_hash;
	key = draft_key(&commit);
	commit.idempotency_key = key;
	request.body_case = NS__ENVELOPE__BODY_COMMIT_REQUEST;
	request.commit_request = &commit;
	d->sent_ms = d->state == DIFF_UNKNOWN ? 0 : v->ui->mono_ms;
	d->state = DIFF_SENDING;
	if (d->request != 0)
		ns_client_cancel(v->ui->client, d->request);
	d->request = ns_client_request(v->ui->client, &request, COMMIT_MS, committed, v);
	free(key);
}

/* Does it take the zone's name (T2)?  Why, for the dialog; NULL: y is enough. */
static const char *
heavy(const Ns__PlanReply *plan)
{
	const Ns__PlanReply__Zone *z = plan != NULL && plan->n_zones > 0 ? plan->zones[0] : NULL;
	size_t gone = 0;

	if (z == NULL)
		return NULL;
	if (z->confirm)
		return "More than 30 % of the zone's records go or change.";
	for (size_t i = 0; i < z->n_rrsets; i++) {
		const Ns__Conflict__RRset *s = z->rrsets[i];

		gone += s->mine != NULL && !s->mine->there;
		if (strcasecmp(s->name, z->zone) == 0 &&
		    (strcmp(s->type, "NS") == 0 || strcmp(s->type, "SOA") == 0))
			return "The name servers or the start of the zone itself change.";
	}
	return gone > MANY_DELETIONS ? "More than 50 RRsets are deleted." : NULL;
}

void
diff_ask(struct view *v)
{
	struct diff *d = v->state;
	struct ui *ui = v->ui;
	const struct drafts *drafts = ui->drafts;
	const char *why = heavy(drafts->plan);
	char ask[DIALOG_TEXT + 256], more[DIALOG_TEXT] = "", name[UI_OBJECT];
	uint64_t minutes = timer_ms(d) / 60000;

	snprintf(name, sizeof name, "%.*s", ui_name_len(v->object), v->object);
	diff_take(v);
	snprintf(ask, sizeof ask, "Commit %s%s to %s, at %s?%s",
	    d->counts[0] != '\0' ? d->counts : "the draft", d->counts[0] != '\0' ? " rrsets" : "",
	    name, ui->name, d->form.list[DIFF_COMMENT].edit.len == 0 ? "  (no comment)" : "");
	if (minutes > 0)
		snprintf(more, sizeof more,
		    "It is taken back in %llu minutes unless you :confirm it.%s%s",
		    (unsigned long long)minutes, why != NULL ? "  " : "", why != NULL ? why : "");
	else if (why != NULL)
		snprintf(more, sizeof more, "%s", why);
	ui_ask(ui, ask, more, why != NULL ? name : NULL, send_it, v);
}
