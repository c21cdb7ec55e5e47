/* zonehead.c - see zonehead.h. */
#include "console/screens/zonehead.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console/core/sanitize.h"
#include "console/screens/zone.h"
#include "ipc/base/clock.h"
#include "ipc/base/xalloc.h"

#define TIMEOUT_MS 5000u
#define AGAIN_MS   60000u /* signatures expire without a change */

struct zonehead {
	char zone[UI_OBJECT];
	uint64_t request, asked_ms, revision; /* asked_ms 0: not yet */
	bool known;
	uint32_t serial;
	const char *dnssec;
	enum ui_role role;
	double qps; /* NAN: not known */
};

static const struct {
	const char *state, *word;
	enum ui_role role;
} words[] = { { "ds", "DS?", UI_WARN }, { "leaving", "leaving", UI_WARN },
	{ "expires", "expires", UI_WARN }, { "expired", "EXPIRED", UI_CRIT },
	{ "on", "ok", UI_TEXT }, { "external", "extern", UI_TEXT }, { "off", "off", UI_DIM } };

const char *
zonehead_dnssec(const Ns__ZoneInfo *z, enum ui_role *role)
{
	const char *state = z->dnssec_trouble[0] != '\0' ? z->dnssec_trouble : z->dnssec;

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strcmp(state, words[i].state) == 0) {
			*role = words[i].role;
			return words[i].word;
		}
	*role = UI_DIM;
	return "-";
}

static void
came(void *arg, const Ns__Envelope *env, const struct ns_why *why)
{
	struct ui *ui = arg;
	struct zonehead *h = ui->zonehead;

	(void)why; /* the tab says it */
	h->request = 0;
	h->known = env != NULL;
	if (env == NULL)
		return;
	h->serial = env->zone_info->serial;
	h->dnssec = zonehead_dnssec(env->zone_info, &h->role);
	ui_dirty(ui, false);
}

const char *
zonehead_zone(const struct ui *ui)
{
	const struct view *top = ui_top(ui);

	return top != NULL && zone_is_tab(top->ops) ? top->object : "";
}

void
zonehead_tick(struct ui *ui)
{
	Ns__ZoneShowRequest body = NS__ZONE_SHOW_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;
	const char *zone = zonehead_zone(ui);
	struct zonehead *h = ui->zonehead;

	if (zone[0] == '\0' || ui->lost)
		return;
	if (h == NULL)
		h = ui->zonehead = xcalloc(1, sizeof *h);
	if (strcmp(h->zone, zone) != 0) {
		if (h->request != 0)
			ns_client_cancel(ui->client, h->request);
		*h = (struct zonehead){ .qps = (double)NAN };
		snprintf(h->zone, sizeof h->zone, "%s", zone);
		ui_ask_status(ui); /* so that the next one has its queries */
	}
	if (h->request != 0 || (h->asked_ms != 0 && h->revision == ui->revision && !ui->anew &&
				   clock_since(ui->mono_ms, h->asked_ms) < AGAIN_MS))
		return;
	h->asked_ms = ui->mono_ms;
	h->revision = ui->revision;
	body.zone = h->zone;
	request.body_case = NS__ENVELOPE__BODY_ZONE_SHOW_REQUEST;
	request.zone_show_request = &body;
	h->request = ns_client_request(ui->client, &request, TIMEOUT_MS, came, ui);
}

void
zonehead_took(struct ui *ui, const Ns__StatusReply__Zone *z)
{
	if (ui->zonehead != NULL && z != NULL && strcmp(z->name, ui->zonehead->zone) == 0)
		ui->zonehead->qps = z->qps;
}

void
zonehead_forget(struct ui *ui)
{
	if (ui->zonehead != NULL && ui->zonehead->request != 0)
		ns_client_cancel(ui->client, ui->zonehead->request);
	free(ui->zonehead);
	ui->zonehead = NULL;
}

static int
put(struct view *v, int x, int y, int end, enum ui_role role, const char *text)
{
	int w = text_width(text);

	return x + 3 + w <= end ? x + 3 + surface_put(v->ui->surface, x + 3, y, w, role, text) : x;
}

int
zonehead_draw(struct view *v, int x, int y, int end)
{
	const struct zonehead *h = v->ui->zonehead;
	const char *old = surface_old(v->ui->surface);
	bool stale = v->ui->surface->stale;
	char text[32], qps[16];

	if (h == NULL || !h->known || strcmp(h->zone, v->object) != 0)
		return x;
	snprintf(text, sizeof text, "%s%u", old, h->serial);
	x = put(v, x, y, end, stale ? UI_DIM : UI_TEXT, text);
	snprintf(text, sizeof text, "DNSSEC %s%s", old, h->dnssec);
	x = put(v, x, y, end, stale ? UI_DIM : h->role, text);
	if (isnan(h->qps))
		return x;
	glyph_number(h->qps, qps);
	snprintf(text, sizeof text, "%s%s qps", old, qps);
	return put(v, x, y, end, stale ? UI_DIM : UI_TEXT, text);
}
