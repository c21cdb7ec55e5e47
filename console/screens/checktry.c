/* checktry.c - see checktry.h. */
#include "console/screens/checktry.h"

#include <stdio.h>
#include <string.h>

#include "console/core/sanitize.h"
#include "ipc/envelope.h"

#define FLEET_MS 2000u
#define LOOK_MS  12000u /* it may take as long as the check's timeout */
#define FROM_W   18

static void
looked(void *arg, const Ns__Envelope *env, const struct ns_why *why)
{
	struct checktry_look *l = arg;
	struct ui *ui = l->of->view->ui;
	const Ns__CheckProbeReply *m = env != NULL ? env->check_probe_reply : NULL;
	char text[400];

	l->request = 0;
	ui_dirty(ui, false);
	if (m == NULL)
		snprintf(text, sizeof text, "E%04u %.380s", why->code,
		    why->text[0] != '\0' ? why->text : ns_err_text(why->err));
	else
		snprintf(text, sizeof text, "%s, %.1f ms, %.300s",
		    m->abstain ? "could not look"
		    : m->good  ? "good"
			       : "bad",
		    m->rtt_ms, m->reason);
	l->role = m == NULL || m->abstain ? UI_WARN : m->good ? UI_OK : UI_CRIT;
	sanitize(l->text, sizeof l->text, text, ui->ascii);
}

/* "": the appliance that is shown. */
static void
look_from(struct checktry *t, const char *name, const char *site)
{
	struct checktry_look *l = &t->looks[t->n++];
	Ns__CheckProbeRequest body = NS__CHECK_PROBE_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;

	*l = (struct checktry_look){ .of = t, .role = UI_DIM, .text = "looking" };
	snprintf(l->from, sizeof l->from, "%s", name[0] != '\0' ? name : t->view->ui->name);
	snprintf(l->site, sizeof l->site, "%s", site);
	body.check = t->def;
	request.body_case = NS__ENVELOPE__BODY_CHECK_PROBE_REQUEST;
	request.check_probe_request = &body;
	request.to = (char *)(uintptr_t)name;
	l->request = ns_client_request(t->view->ui->client, &request, LOOK_MS, looked, l);
}

static bool
is_there(const struct checktry *t, const char *name, const char *site)
{
	for (unsigned i = 0; i < t->n; i++)
		if ((name != NULL && strcmp(t->looks[i].from, name) == 0) ||
		    (site != NULL && strcmp(t->looks[i].site, site) == 0))
			return true;
	return false;
}

/* Those of other sites first; what has a name that cannot be shown is not asked. */
static void
others(struct checktry *t, const Ns__FleetListReply *r, bool other_sites)
{
	char safe[64];

	for (size_t i = 0; i < r->n_appliances && t->n < CHECKTRY_LOOKS; i++) {
		const Ns__FleetListReply__Appliance *a = r->appliances[i];

		sanitize(safe, sizeof safe, a->name, t->view->ui->ascii);
		if (strcmp(a->state, "ok") == 0 && a->name[0] != '\0' &&
		    strcmp(safe, a->name) == 0 &&
		    !is_there(t, a->name, other_sites ? a->site : NULL))
			look_from(t, a->name, a->site);
	}
}

static void
fleet_came(void *arg, const Ns__Envelope *env, const struct ns_why *why)
{
	struct checktry *t = arg;
	const Ns__FleetListReply *r = env != NULL ? env->fleet_list_reply : NULL;

	(void)why; /* then it is looked at from here alone */
	t->fleet_request = 0;
	ui_dirty(t->view->ui, false);
	for (size_t i = 0; r != NULL && i < r->n_appliances; i++)
		if (strcmp(r->appliances[i]->name, t->looks[0].from) == 0)
			snprintf(t->looks[0].site, sizeof t->looks[0].site, "%.63s",
			    r->appliances[i]->site);
	if (r == NULL)
		return;
	others(t, r, true);
	others(t, r, false);
}

void
checktry_begin(struct checktry *t, struct view *v, Ns__Check *def)
{
	Ns__FleetListRequest body = NS__FLEET_LIST_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;

	checktry_forget(t);
	t->view = v;
	t->def = def;
	look_from(t, "", "");
	request.body_case = NS__ENVELOPE__BODY_FLEET_LIST_REQUEST;
	request.fleet_list_request = &body;
	t->fleet_request = ns_client_request(v->ui->client, &request, FLEET_MS, fleet_came, t);
}

void
checktry_forget(struct checktry *t)
{
	if (t->def == NULL)
		return;
	if (t->fleet_request != 0)
		ns_client_cancel(t->view->ui->client, t->fleet_request);
	for (unsigned i = 0; i < t->n; i++)
		if (t->looks[i].request != 0)
			ns_client_cancel(t->view->ui->client, t->looks[i].request);
	ns__check__free_unpacked(t->def, NULL);
	*t = (struct checktry){ 0 };
}

/* All say the same, and it is too long for a row of each. */
static bool
all_say_one(const struct checktry *t, int w)
{
	for (unsigned i = 0; i < t->n; i++)
		if (t->looks[i].request != 0 || strcmp(t->looks[i].text, t->looks[0].text) != 0)
			return false;
	return t->n > 1 && text_width(t->looks[0].text) > w;
}

static void
draw_one(const struct checktry *t, struct surface *s, struct rect r)
{
	char from[CHECKTRY_LOOKS * 66] = "";

	for (unsigned i = 0; i < t->n; i++)
		snprintf(from + strlen(from), sizeof from - strlen(from), "%s%s", i > 0 ? ", " : "",
		    t->looks[i].from);
	surface_put(s, r.x, r.y, r.w, UI_TEXT, from);
	(void)surface_wrap(
	    s, (struct rect){ r.x, r.y + 1, r.w, r.h - 1 }, t->looks[0].role, t->looks[0].text);
}

void
checktry_draw(const struct checktry *t, struct rect r)
{
	struct surface *s = t->def != NULL ? t->view->ui->surface : NULL;

	if (t->n == 0)
		return;
	surface_put(s, r.x, r.y, 8, UI_TEXT, "Look");
	if (all_say_one(t, r.w - 9 - FROM_W)) {
		draw_one(t, s, (struct rect){ r.x + 9, r.y, r.w - 9, r.h });
		return;
	}
	for (unsigned i = 0; i < t->n && (int)i < r.h; i++) {
		const struct checktry_look *l = &t->looks[i];
		int x = r.x + 9 + FROM_W, y = r.y + (int)i, h = i + 1 < t->n ? 1 : r.h - (int)i;

		surface_put(s, r.x + 9, y, FROM_W, UI_TEXT, l->from);
		(void)surface_wrap(s, (struct rect){ x, y, r.w - (x - r.x), h }, l->role, l->text);
	}
}
