/* zonepreview.c - beside the list of zones: what stands at the apex of the one under the cursor, and its last changes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console/core/sanitize.h"
#include "console/screens/preview.h"
#include "console/widgets/lines.h"
#include "ipc/base/clock.h"
#include "ipc/base/xalloc.h"

#define TIMEOUT_MS 5000u
#define CHANGES    3u
#define APEX       12u /* RRsets */
#define VALUES     3u /* of one of them */

struct zonepreview {
	struct view *view;
	char zone[UI_OBJECT];
	uint64_t version; /* of the appliance, when it was asked */
	uint64_t apex_request, changes_request;
	struct lines apex, changes;
};

static void
cancel(struct zonepreview *p)
{
	struct ns_client *c = p->view->ui->client;

	if (p->apex_request != 0)
		ns_client_cancel(c, p->apex_request);
	if (p->changes_request != 0)
		ns_client_cancel(c, p->changes_request);
	p->apex_request = p->changes_request = 0;
}

void
zonepreview_free(struct view *v, struct zonepreview **pp)
{
	(void)v;
	if (*pp == NULL)
		return;
	cancel(*pp);
	lines_clear(&(*pp)->apex);
	lines_clear(&(*pp)->changes);
	free(*pp);
	*pp = NULL;
}

static void
add(struct zonepreview *p, struct lines *l, enum ui_role role, const char *text)
{
	char *safe = sanitize_dup(text, p->view->ui->ascii);

	lines_add(l, role, "%s", safe);
	free(safe);
}

static void
apex_came(void *arg, const Ns__Envelope *env, const struct ns_why *why)
{
	struct zonepreview *p = arg;

	(void)why;
	p->apex_request = 0;
	lines_clear(&p->apex);
	for (size_t i = 0; env != NULL && i < env->record_list_reply->n_rrsets && i < APEX; i++) {
		const Ns__RecordListReply__RRset *s = env->record_list_reply->rrsets[i];

		for (size_t k = 0; k < s->n_rdata && k < VALUES; k++) {
			char more[32] = "", *text;

			if (k + 1 == VALUES && s->n_rdata > VALUES)
				snprintf(more, sizeof more, " (+%zu)", s->n_rdata - VALUES);
			text = xasprintf("%-6s %s%s", k == 0 ? s->type : "", s->rdata[k], more);
			add(p, &p->apex, UI_TEXT, text);
			free(text);
		}
	}
	ui_dirty(p->view->ui, false);
}

static void
changes_came(void *arg, const Ns__Envelope *env, const struct ns_why *why)
{
	struct zonepreview *p = arg;

	(void)why;
	p->changes_request = 0;
	lines_clear(&p->changes);
	for (size_t i = 0; env != NULL && i < env->history_list_reply->n_changes; i++) {
		const Ns__Change *c = env->history_list_reply->changes[i];
		char when[16];
		char *text;

		ui_ago(p->view->ui, c->at, when);
		text = xasprintf("%s %s  +%llu -%llu  %s", when, c->author,
		    (unsigned long long)c->added, (unsigned long long)c->removed, c->comment);
		add(p, &p->changes, UI_TEXT, text);
		free(text);
	}
	ui_dirty(p->view->ui, false);
}

static void
ask(struct zonepreview *p)
{
	Ns__RecordListRequest apex = NS__RECORD_LIST_REQUEST__INIT;
	Ns__HistoryListRequest changes = NS__HISTORY_LIST_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;
	struct ns_client *c = p->view->ui->client;

	cancel(p);
	p->version = p->view->ui->revision;
	apex.zone = apex.name = p->zone;
	apex.limit = APEX;
	request.body_case = NS__ENVELOPE__BODY_RECORD_LIST_REQUEST;
	request.record_list_request = &apex;
	p->apex_request = ns_client_request(c, &request, TIMEOUT_MS, apex_came, p);
	changes.zone = p->zone;
	changes.limit = CHANGES;
	request.body_case = NS__ENVELOPE__BODY_HISTORY_LIST_REQUEST;
	request.history_list_request = &changes;
	p->changes_request = ns_client_request(c, &request, TIMEOUT_MS, changes_came, p);
}

static void
put_lines(struct view *v, struct rect *r, const char *head, const struct lines *l, bool asked)
{
	preview_put(v, r, UI_HEAD, head);
	for (size_t i = 0; i < l->n && r->h > 0; i++) {
		surface_put(v->ui->surface, r->x, r->y, r->w, l->list[i].role, l->list[i].text);
		r->y++;
		r->h--;
	}
	if (l->n == 0)
		preview_put(v, r, UI_DIM, asked ? "loading" : "-");
}

void
zonepreview_follow(struct view *v, struct zonepreview **pp, const char *zone)
{
	struct zonepreview *p = *pp;

	if (p == NULL) {
		p = *pp = xcalloc(1, sizeof *p);
		p->view = v;
	}
	if (strcmp(p->zone, zone) != 0) {
		lines_clear(&p->apex);
		lines_clear(&p->changes);
		snprintf(p->zone, sizeof p->zone, "%s", zone);
		ask(p);
	} else if (p->version != v->ui->revision) {
		ask(p);
	}
}

void
zonepreview_draw(struct view *v, const struct zonepreview *p, struct rect r, const char *zone)
{
	char title[UI_OBJECT];

	for (int y = r.y; y < r.y + r.h; y++)
		surface_put(v->ui->surface, r.x, y, 1, UI_DIM, "|");
	if (p == NULL || zone == NULL || strcmp(p->zone, zone) != 0)
		return;
	r = (struct rect){ r.x + 2, r.y, r.w - 3, r.h };
	sanitize(title, sizeof title, p->zone, v->ui->ascii);
	title[ui_name_len(title)] = '\0';
	preview_put(v, &r, UI_TITLE, title);
	put_lines(v, &r, "AT THE APEX", &p->apex, p->apex_request != 0);
	r.y++;
	r.h--;
	put_lines(v, &r, "LAST CHANGES", &p->changes, p->changes_request != 0);
}
