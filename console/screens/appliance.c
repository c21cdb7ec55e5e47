/* appliance.c - what the appliance says of itself, whether the link to it is there, and changes that are made at
 * once; see ui.h. */
#include <stdio.h>
#include <string.h>

#include "console/core/sanitize.h"
#include "console/screens/drafts.h"
#include "console/screens/zonehead.h"

#define STATUS_MS 2000u /* an appliance that does not say how it is within this is lost */
#define COMMIT_MS 15000u

/* ---- what the appliance says of itself ---- */

static void
take_status(struct ui *ui, const Ns__StatusReply *s)
{
	bool changed = ui->revision != s->revision || ui->zones != s->zones;
	const Ns__HelloReply *hello = ns_client_hello(ui->client);

	ui->reached = true;
	ui->heard_ms = ui->mono_ms;
	ui->heard_wall_ms = ui->wall_ms;
	sanitize(ui->name, sizeof ui->name, s->name, ui->ascii);
	if (hello != NULL) {
		sanitize(ui->user, sizeof ui->user, hello->user, ui->ascii);
		sanitize(ui->role, sizeof ui->role, hello->user_role, ui->ascii);
	}
	if (s->user_role[0] != '\0') { /* it may have changed since hello */
		sanitize(ui->user, sizeof ui->user, s->user, ui->ascii);
		sanitize(ui->role, sizeof ui->role, s->user_role, ui->ascii);
	}
	ui->primary_ok = s->primary == NULL || s->primary->reachable;
	if (s->primary == NULL || strcmp(s->role, "primary") == 0)
		snprintf(ui->primary, sizeof ui->primary, "%s",
		    s->frozen ? "primary FROZEN" : "primary");
	else
		snprintf(ui->primary, sizeof ui->primary, "primary %s lag %.1fs",
		    s->primary->reachable ? "ok" : "LOST", s->primary->lag_s);
	ui->revision = s->revision;
	ui->zones = s->zones;
	drafts_open(ui, s->name);
	ui_memory_open(ui, s->name);
	ui->unconfirmed = 0;
	for (size_t i = 0; i < s->n_unconfirmed; i++) {
		uint64_t at = ui->mono_ms + (uint64_t)(s->unconfirmed[i]->remaining_s * 1000);

		if (ui->unconfirmed == 0 || at < ui->unconfirmed_until_ms) {
			ui->unconfirmed = s->unconfirmed[i]->revision;
			ui->unconfirmed_until_ms = at;
		}
	}
	ui->n_problems = s->n_problems;
	for (size_t i = 0; i < s->n_problems && i < UI_PROBLEMS; i++) {
		sanitize(ui->problems[i].code, sizeof ui->problems[i].code, s->problems[i]->code,
		    ui->ascii);
		sanitize(ui->problems[i].text, sizeof ui->problems[i].text, s->problems[i]->text,
		    ui->ascii);
	}
	zonehead_took(ui, s->zone);
	if (changed && !ui->frozen && ui_top(ui) != NULL)
		ui_top(ui)->ops->reload(ui_top(ui));
	ui_dirty(ui, false);
}

int
ui_exit_code(const struct ui *ui)
{
	if (ui->reached)
		return 0;
	return ns_err_exit(ui->lost_err == NS_DENIED ? NS_DENIED : NS_UNAVAILABLE);
}

static void
set_lost(struct ui *ui, const struct ns_why *why)
{
	bool was = ui->lost;

	sanitize(ui->lost_why, sizeof ui->lost_why, why->text, ui->ascii);
	ui->lost_err = why->err;
	ui->lost = true;
	if (!was) {
		message_add(&ui->ring, ui->wall_ms, ui->lost_why);
		ui_dirty(ui, true);
	}
}

static void
status_came(void *arg, const Ns__Envelope *env, const struct ns_why *why)
{
	struct ui *ui = arg;
	bool was = ui->lost;

	ui->asked = 0;
	if (env == NULL) {
		if (why->err == NS_UNAVAILABLE || why->err == NS_VERSION || ui->heard_ms == 0)
			set_lost(ui, why);
		return;
	}
	ui->lost = false;
	take_status(ui, env->status_reply);
	if (was) {
		message_add(&ui->ring, ui->wall_ms, "The link is back");
		if (ui_top(ui) != NULL)
			ui_top(ui)->ops->reload(ui_top(ui));
		ui_dirty(ui, true);
	}
}

void
ui_ask_status(struct ui *ui)
{
	Ns__StatusRequest body = NS__STATUS_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;

	if (ui->asked)
		return;
	body.zone = (char *)(uintptr_t)zonehead_zone(ui);
	request.body_case = NS__ENVELOPE__BODY_STATUS_REQUEST;
	request.status_request = &body;
	ui->asked = ns_client_request(ui->client, &request, STATUS_MS, status_came, ui);
}

void
ui_check_link(struct ui *ui)
{
	struct ns_why why = { 0 };

	if (ns_client_hello(ui->client) == NULL) {
		ui->linked = false;
		if (ns_client_trouble(ui->client, &why) != NS_OK)
			set_lost(ui, &why);
	} else if (!ui->linked) {
		ui->linked = true;
		ui_ask_status(ui); /* it is back: say so at once, not at the next tick */
	}
}

/* ---- changes that are made at once ---- */
static uint64_t
revision_of(const Ns__Envelope *env)
{
	switch (env->body_case) {
	case NS__ENVELOPE__BODY_COMMIT_REPLY:
		return env->commit_reply->revision;
	case NS__ENVELOPE__BODY_OBJECT_REPLY:
		return env->object_reply->revision;
	case NS__ENVELOPE__BODY_SETTINGS_REPLY:
		return env->settings_reply->revision;
	case NS__ENVELOPE__BODY_FLEET_DRAIN_REPLY:
		return env->fleet_drain_reply->revision;
	default:
		return 0;
	}
}

bool
ui_made(struct ui *ui, const Ns__Envelope *env, const struct ns_why *why)
{
	ui_dirty(ui, true);
	if (env == NULL) {
		ui_say_why(ui, why);
		return false;
	}
	ui_say(ui, "Done: change %llu", (unsigned long long)revision_of(env));
	ui_ask_status(ui);
	return true;
}

static void
made(void *arg, const Ns__Envelope *env, const struct ns_why *why)
{
	(void)ui_made(arg, env, why);
}

void
ui_commit(struct ui *ui, Ns__Envelope *request)
{
	ns_client_request(ui->client, request, COMMIT_MS, made, ui);
}

void
ui_confirm(struct ui *ui)
{
	Ns__ConfirmRequest body = NS__CONFIRM_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;

	if (ui->unconfirmed == 0) {
		ui_say(ui, "Nothing waits to be confirmed");
		return;
	}
	body.revision = ui->unconfirmed;
	request.body_case = NS__ENVELOPE__BODY_CONFIRM_REQUEST;
	request.confirm_request = &body;
	ui_commit(ui, &request);
}
