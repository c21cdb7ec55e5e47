/* bulk.c - see bulk.h. */
#include "console/screens/bulk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console/core/rrform.h"
#include "console/screens/ask.h"
#include "console/screens/drafts.h"
#include "ipc/base/xalloc.h"

#define TIMEOUT_MS 15000u
#define RRSETS_MAX 10000u /* of a zone: with more it is left alone */

struct bulk {
	struct ui *ui;
	char **zones;
	size_t n, next, done, failed, same;
	bool deletes, running;
	uint32_t ttl;
	char type[32]; /* of which RRsets; empty: of all */
	char comment[400];
	uint64_t request;
	struct ns_why why; /* of the first that failed */
};

static const struct ask_field ttl_fields[] = {
	{ "TTL", NULL, "", "seconds, or like 30m 12h 2d", 12 },
	{ "Type", NULL, "", "of which records; all when empty", 20 },
};
static const struct ask_field delete_fields[] = { { "Reason", NULL, "", "goes into the history",
    400 } };

static void next_zone(struct bulk *);

void
bulk_free(struct ui *ui)
{
	struct bulk *b = ui->bulk;

	if (b == NULL)
		return;
	if (b->request != 0)
		ns_client_cancel(ui->client, b->request);
	for (size_t i = 0; i < b->n; i++)
		free(b->zones[i]);
	free(b->zones);
	free(b);
	ui->bulk = NULL;
}

static struct bulk *
begin(struct ui *ui, const struct marks *m, bool deletes)
{
	struct bulk *b;

	if (ui->bulk != NULL && ui->bulk->running) {
		ui_say(
		    ui, "Zone %zu of %zu is under way: wait for it", ui->bulk->next, ui->bulk->n);
		return NULL;
	}
	bulk_free(ui);
	b = ui->bulk = xcalloc(1, sizeof *b);
	b->ui = ui;
	b->deletes = deletes;
	b->zones = xcalloc(m->n + 1, sizeof *b->zones);
	for (; b->n < m->n; b->n++)
		b->zones[b->n] = xstrdup(m->ids[b->n]);
	return b;
}

static void
finish(struct bulk *b)
{
	struct ui *ui = b->ui;

	if (b->failed > 0)
		ui_say(ui, "%zu of %zu failed, first: %s", b->failed, b->n, b->why.text);
	else if (b->deletes)
		ui_say(ui, "%zu zones deleted; :trash brings them back", b->done);
	else
		ui_say(ui, "%zu drafts, one a zone, not served yet: 5 shows them%s", b->done,
		    b->same > 0 ? "; the others have that TTL" : "");
	bulk_free(ui);
	ui_ask_status(ui);
	if (ui_top(ui) != NULL)
		ui_top(ui)->ops->reload(ui_top(ui));
}

static void
failed(struct bulk *b, const struct ns_why *why)
{
	if (b->failed++ == 0)
		b->why = *why;
}

static void
deleted(void *arg, const Ns__Envelope *env, const struct ns_why *why)
{
	struct bulk *b = arg;

	b->request = 0;
	if (env == NULL)
		failed(b, why);
	else
		b->done++;
	next_zone(b);
}

/* Each RRset as it is, with that TTL; what has it already, and policies, which have their own, are left out. */
static bool
draft_ttl(struct bulk *b, const char *zone, const Ns__RecordListReply *r)
{
	Ns__RecordOp *ops = xcalloc(r->n_rrsets + 1, sizeof *ops);
	size_t n = 0;
	bool ok = true;

	for (size_t i = 0; i < r->n_rrsets; i++) {
		const Ns__RecordListReply__RRset *s = r->rrsets[i];

		if (s->ttl == b->ttl || strcmp(s->type, "NSPOLICY") == 0)
			continue;
		ns__record_op__init(&ops[n]);
		ops[n].kind = NS__RECORD_OP__KIND__SET;
		ops[n].name = s->name;
		ops[n].type = s->type;
		ops[n].ttl = b->ttl;
		ops[n].ttl_given = true;
		ops[n].rdata = s->rdata;
		ops[n++].n_rdata = s->n_rdata;
	}
	if (n > 0)
		ok = drafts_put_all(b->ui, zone, r->version, r->serial, ops, n);
	b->same += n == 0;
	b->done += n > 0 && ok;
	free(ops);
	return ok;
}

static void
listed(void *arg, const Ns__Envelope *env, const struct ns_why *why)
{
	struct bulk *b = arg;
	struct ns_why own = { 0 };

	b->request = 0;
	if (env == NULL) {
		failed(b, why);
	} else if (env->record_list_reply->next[0] != '\0') {
		(void)ns_fail(&own, NS_INVALID, 0, "%s has more than %u RRsets",
		    b->zones[b->next - 1], RRSETS_MAX);
		failed(b, &own);
	} else if (!draft_ttl(b, b->zones[b->next - 1], env->record_list_reply)) {
		(void)ns_fail(
		    &own, NS_INVALID, 0, "%s: its draft could not be kept", b->zones[b->next - 1]);
		failed(b, &own);
	}
	next_zone(b);
}

static void
next_zone(struct bulk *b)
{
	Ns__ZoneDeleteRequest gone = NS__ZONE_DELETE_REQUEST__INIT;
	Ns__RecordListRequest list = NS__RECORD_LIST_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;

	b->running = true;
	if (b->next == b->n) {
		finish(b);
		return;
	}
	gone.zone = gone.confirm = list.zone = b->zones[b->next++];
	gone.comment = b->comment;
	list.type = b->type;
	list.limit = RRSETS_MAX;
	request.body_case = b->deletes ? NS__ENVELOPE__BODY_ZONE_DELETE_REQUEST
				       : NS__ENVELOPE__BODY_RECORD_LIST_REQUEST;
	if (b->deletes)
		request.zone_delete_request = &gone;
	else
		request.record_list_request = &list;
	b->request = ns_client_request(
	    b->ui->client, &request, TIMEOUT_MS, b->deletes ? deleted : listed, b);
}

/* ---- asking ---- */
static void
go(void *arg)
{
	struct view *v = arg;
	struct ui *ui = v->ui;
	struct bulk *b = ui->bulk;

	if (b == NULL || b->running)
		return;
	if (b->deletes)
		snprintf(b->comment, sizeof b->comment, "%s", ask_text(v, 0));
	else
		snprintf(b->type, sizeof b->type, "%s", ask_text(v, 1));
	ui_back(ui);
	if (b->deletes && ui_top(ui)->ops->peel != NULL) /* what was marked goes */
		(void)ui_top(ui)->ops->peel(ui_top(ui));
	next_zone(b);
}

static void
accept(struct view *v)
{
	struct bulk *b = v->ui->bulk;
	char ask[96], name[48];

	if (b == NULL)
		return;
	if (!b->deletes && !rr_ttl(ask_text(v, 0), &b->ttl)) {
		ask_wrong(v, 0, "seconds, or like 30m 12h 2d; at most 2147483647");
		return;
	}
	snprintf(
	    ask, sizeof ask, b->deletes ? "Delete %zu zones?" : "Set the TTL in %zu zones?", b->n);
	snprintf(name, sizeof name, "%s %zu", b->deletes ? "DELETE" : "TTL", b->n);
	ui_ask(v->ui, ask,
	    b->deletes ? "At once, a change each; for 30 days :trash brings them back."
		       : "One draft a zone; nothing is served before they are committed.",
	    name, go, v);
}

void
bulk_delete(struct ui *ui, const struct marks *m)
{
	struct ask_what what = { "Zones > delete those marked", "", delete_fields, 1, accept, 0 };

	if (begin(ui, m, true) != NULL)
		(void)ask_open(ui, &what);
}

void
bulk_ttl(struct ui *ui, const struct marks *m)
{
	struct ask_what what = { "Zones > TTL of those marked", "", ttl_fields, 2, accept, 0 };

	if (begin(ui, m, false) != NULL)
		(void)ask_open(ui, &what);
}
