/* presence.c - see presence.h. */
#include "console/screens/presence.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console/core/sanitize.h"
#include "console/screens/drafts.h"
#include "ipc/base/clock.h"
#include "ipc/base/xalloc.h"

#define TIMEOUT_MS 5000u
#define AGAIN_MS   15000u /* a lease is a minute */

struct presence {
	char zone[UI_OBJECT];
	char text[160];
	bool editing; /* as we said last */
	uint64_t request, asked_ms; /* asked_ms 0: not yet */
};

/* The appliance that we are connected to; "": none. */
static const char *
here(const struct ui *ui)
{
	const Ns__HelloReply *hello = ns_client_hello(ui->client);

	return hello != NULL ? hello->appliance : "";
}

/* "bob at ams1-a and 1 more are editing (2 min)": who began last, and since when. */
static void
take(struct ui *ui, const Ns__PresenceReply *m)
{
	struct presence *p = ui->presence;
	char text[sizeof p->text], where[80] = "", more[32] = "", since[32] = "";

	p->text[0] = '\0';
	if (m->n_editors == 0)
		return;
	if (strcmp(m->editors[0]->appliance, here(ui)) != 0)
		snprintf(where, sizeof where, " at %.63s", m->editors[0]->appliance);
	if (m->n_editors > 1)
		snprintf(more, sizeof more, " and %zu more", m->n_editors - 1);
	if (m->editors[0]->for_s >= 60)
		snprintf(since, sizeof since, " (%llu min)",
		    (unsigned long long)m->editors[0]->for_s / 60);
	snprintf(text, sizeof text, "%.40s%s%s %s editing%s", m->editors[0]->name, where, more,
	    m->n_editors > 1 ? "are" : "is", since);
	sanitize(p->text, sizeof p->text, text, ui->ascii);
}

static void
came(void *arg, const Ns__Envelope *env, const struct ns_why *why)
{
	struct ui *ui = arg;

	(void)why; /* a primary that is away is said elsewhere */
	ui->presence->request = 0;
	ui->presence->text[0] = '\0';
	if (env != NULL)
		take(ui, env->presence_reply);
	ui_dirty(ui, false);
}

/* The zone that is on screen, or below what is; NULL: none. */
static const char *
zone_of(const struct ui *ui)
{
	static const struct ns_screen_ops *const tabs[] = { &screen_records, &screen_policies,
		&screen_dnssec, &screen_metrics, &screen_zone_history, &screen_zonesettings,
		&screen_diff };

	for (size_t i = ui->n_views; i-- > 0;)
		for (size_t k = 0; k < sizeof tabs / sizeof *tabs; k++)
			if (ui->views[i]->ops == tabs[k])
				return ui->views[i]->object;
	return NULL;
}

static void
ask(struct ui *ui, bool editing)
{
	struct presence *p = ui->presence;
	Ns__PresenceRequest body = NS__PRESENCE_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;

	body.zone = p->zone;
	body.editing = editing;
	body.done = p->editing && !editing;
	p->editing = editing;
	p->asked_ms = ui->mono_ms;
	request.body_case = NS__ENVELOPE__BODY_PRESENCE_REQUEST;
	request.presence_request = &body;
	/* Never by way of another appliance: each passes it on to the primary, where all of the fleet are. */
	request.to = (char *)(uintptr_t)here(ui);
	p->request = ns_client_request(ui->client, &request, TIMEOUT_MS, came, ui);
}

void
presence_tick(struct ui *ui)
{
	const char *zone = zone_of(ui);
	struct presence *p = ui->presence;
	bool editing;

	if (zone == NULL || ui->lost || ui->role[0] == '\0' || (p != NULL && p->request != 0))
		return;
	if (p == NULL)
		p = ui->presence = xcalloc(1, sizeof *p);
	if (strcmp(p->zone, zone) != 0) {
		*p = (struct presence){ 0 };
		snprintf(p->zone, sizeof p->zone, "%s", zone);
	}
	editing = !ui->read_only && strcmp(ui->role, "viewer") != 0 && ui->drafts != NULL &&
		  ui->drafts->draft != NULL && strcmp(ui->drafts->zone, zone) == 0;
	if (p->asked_ms == 0 || ui->anew || editing != p->editing ||
	    clock_since(ui->mono_ms, p->asked_ms) >= AGAIN_MS)
		ask(ui, editing);
}

void
presence_forget(struct ui *ui)
{
	if (ui->presence != NULL && ui->presence->request != 0)
		ns_client_cancel(ui->client, ui->presence->request);
	free(ui->presence);
	ui->presence = NULL;
}

const char *
presence_text(const struct ui *ui, const char *zone)
{
	return ui->presence != NULL && strcmp(ui->presence->zone, zone) == 0 ? ui->presence->text
									     : "";
}
