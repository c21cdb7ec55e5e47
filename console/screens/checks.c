/* checks.c - see checks.h: forcing a check, looking at it now. */
#include "console/screens/checks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console/core/sanitize.h"
#include "console/screens/ask.h"
#include "console/screens/checkedit.h"

#define LOOK_MS    12000u /* a look may take as long as the check's timeout */
#define TIMEOUT_MS 2000u

enum { FORCE_STATE, FORCE_REASON, FORCE_TIME };
#define NO_END "until taken back"

static const char *const states[] = { "down", "up", "auto", NULL };
static const char *const times[] = { "1h", "15m", "4h", "24h", NO_END, NULL };
static const struct ask_field force_fields[] = {
	{ "State", states, "down", "auto: as the votes say", 0 },
	{ "Reason", NULL, "", "goes into the history, and is shown with the check", 400 },
	{ "For", times, "1h", "then the votes count again by themselves", 0 },
};

void
checks_since(const struct ui *ui, const char *at, char out[16])
{
	ui_ago(ui, at, out);
	if (out[0] != '-' && strchr(out, 'd') == NULL && strlen(at) >= 16)
		snprintf(out, 16, "%.5s", at + 11);
}

uint64_t
checks_ask(struct view *v, const char *name, ns_reply_fn *fn)
{
	Ns__CheckListRequest body = NS__CHECK_LIST_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;

	body.name = (char *)(uintptr_t)name;
	request.body_case = NS__ENVELOPE__BODY_CHECK_LIST_REQUEST;
	request.check_list_request = &body;
	return ns_client_request(v->ui->client, &request, TIMEOUT_MS, fn, v);
}

/* ---- force ---- */
static uint64_t
for_ms(const char *text)
{
	uint64_t n = strtoull(text, NULL, 10);

	return n * (strchr(text, 'h') != NULL ? 3600000u : 60000u);
}

static void
force_send(void *arg)
{
	struct view *v = arg;
	Ns__CheckStateRequest body = NS__CHECK_STATE_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;
	const char *time = ask_text(v, FORCE_TIME);

	body.name = v->object;
	body.state = (char *)(uintptr_t)ask_text(v, FORCE_STATE);
	body.comment = (char *)(uintptr_t)ask_text(v, FORCE_REASON);
	if (strcmp(body.state, "auto") != 0 && strcmp(time, NO_END) != 0)
		body.for_ms = for_ms(time);
	request.body_case = NS__ENVELOPE__BODY_CHECK_STATE_REQUEST;
	request.check_state_request = &body;
	ask_send(v, &request);
}

static void
force_accept(struct view *v)
{
	const char *state = ask_text(v, FORCE_STATE), *time = ask_text(v, FORCE_TIME);
	char ask[UI_OBJECT + 64];

	if (ask_text(v, FORCE_REASON)[0] == '\0') {
		ask_wrong(v, FORCE_REASON, "say why: whoever is called at night will ask");
		return;
	}
	if (strcmp(state, "auto") == 0)
		snprintf(ask, sizeof ask, "Let the votes decide on %s again?", v->object);
	else if (strcmp(time, NO_END) == 0)
		snprintf(ask, sizeof ask, "Force %s %s until it is taken back?", v->object, state);
	else
		snprintf(ask, sizeof ask, "Force %s %s for %s?", v->object, state, time);
	ui_ask(v->ui, ask, "Policies that depend on it follow within a second, at every appliance.",
	    NULL, force_send, v);
}

static void
force(struct view *v, const char *name)
{
	char title[UI_OBJECT + 32];
	struct ask_what what = { title, name, force_fields, 3, force_accept, 0 };
	struct view *form;

	snprintf(title, sizeof title, "Health > %s > force", name);
	if ((form = ask_open(v->ui, &what)) != NULL)
		ask_note(form, UI_DIM,
		    "While it is forced nobody's vote counts. The probes go on looking, and what "
		    "they see is shown.");
}

/* ---- a look now ---- */
static void
looked(void *arg, const Ns__Envelope *env, const struct ns_why *why)
{
	struct ui *ui = arg;
	const Ns__CheckProbeReply *m;
	char others[48] = "";

	if (env == NULL) {
		ui_say_why(ui, why);
		return;
	}
	m = env->check_probe_reply;
	if (m->others > 0)
		snprintf(others, sizeof others, "; %u others look, too", m->others);
	ui_say(ui, "%s from %s: %s, %.1f ms, %s%s%s", m->name, m->appliance,
	    m->abstain ? "could not look"
	    : m->good  ? "good"
		       : "bad",
	    m->rtt_ms, m->reason, m->assigned ? "" : " (it does not vote on it)", others);
	if (ui_top(ui) != NULL)
		ui_top(ui)->ops->reload(ui_top(ui));
}

static void
look(struct view *v, const char *name)
{
	Ns__CheckProbeRequest body = NS__CHECK_PROBE_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;

	body.name = (char *)(uintptr_t)name;
	request.body_case = NS__ENVELOPE__BODY_CHECK_PROBE_REQUEST;
	request.check_probe_request = &body;
	ns_client_request(v->ui->client, &request, LOOK_MS, looked, v->ui);
	ui_say(v->ui, "Looking at %s", name);
}

void
checks_users(const struct ui *ui, const Ns__CheckInfo *c, char *out, size_t size)
{
	char more[40] = "", text[UI_OBJECT + 80] = "no policy uses it";

	if (c->used_count > 1)
		snprintf(
		    more, sizeof more, " and %llu more", (unsigned long long)c->used_count - 1);
	if (c->n_used_by > 0)
		snprintf(text, sizeof text, "used by %.*s%s", ui_name_len(c->used_by[0]),
		    c->used_by[0], more);
	sanitize(out, size, text, ui->ascii);
}

/* ---- deleting one ---- */
static struct {
	struct ui *ui;
	char name[128];
} deleting; /* what the dialog asks about: there is one dialog */

static void
delete_it(void *arg)
{
	Ns__CheckSetRequest body = NS__CHECK_SET_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;

	(void)arg;
	body.name = deleting.name;
	body.remove = true;
	request.body_case = NS__ENVELOPE__BODY_CHECK_SET_REQUEST;
	request.check_set_request = &body;
	ui_commit(deleting.ui, &request);
}

/* Asks first; the appliance refuses what a policy needs. */
static void
drop(struct ui *ui, const char *name)
{
	char text[160];

	deleting.ui = ui;
	snprintf(deleting.name, sizeof deleting.name, "%s", name);
	snprintf(text, sizeof text, "Delete check %s?", name);
	ui_ask(ui, text, "At once, on all appliances; one that a policy needs is kept.", NULL,
	    delete_it, NULL);
}

bool
checks_act(struct view *v, enum ns_action_id id, const char *name)
{
	if (id == ACT_FORCE)
		force(v, name);
	else if (id == ACT_PROBE)
		look(v, name);
	else if (id == ACT_OBJECT_HISTORY)
		ui_open(v->ui, &screen_events, name);
	else if (id == ACT_OPEN)
		ui_open(v->ui, &screen_check, name);
	else if (id == ACT_EDIT || id == ACT_CLONE)
		checkedit_open(v->ui, name, id == ACT_CLONE);
	else if (id == ACT_ADD)
		checkedit_new(v->ui, "");
	else if (id == ACT_DELETE)
		drop(v->ui, name);
	else
		return false;
	return true;
}
