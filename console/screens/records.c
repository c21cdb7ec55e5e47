/* records.c - the RRsets of one zone. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console/screens/pages.h"
#include "console/screens/zone.h"
#include "ipc/base/xalloc.h"

#define TIMEOUT_MS 5000u

struct records {
	struct ns_table table;
	struct pages pages;
	uint32_t serial;
};

static uint64_t
records_ask(struct view *v, const char *cursor, unsigned limit, ns_reply_fn *fn, struct pages *p)
{
	Ns__RecordListRequest body = NS__RECORD_LIST_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;

	body.zone = v->object;
	body.cursor = (char *)(uintptr_t)cursor;
	body.limit = limit;
	request.body_case = NS__ENVELOPE__BODY_RECORD_LIST_REQUEST;
	request.record_list_request = &body;
	return ns_client_request(v->ui->client, &request, TIMEOUT_MS, fn, p);
}

static size_t
records_rows(const Ns__Envelope *env, const char **next, uint64_t *total)
{
	*next = env->record_list_reply->next;
	*total = 0;
	return env->record_list_reply->n_rrsets;
}

/* "www" of "www.example.com." in example.com., "@" of the zone itself. */
static int
relative(const char *name, const char *zone, const char **out)
{
	size_t n = strlen(name), z = strlen(zone);

	*out = name;
	if (strcmp(name, zone) == 0) {
		*out = "@";
		return 1;
	}
	if (n > z && strcmp(name + n - z, zone) == 0 && name[n - z - 1] == '.')
		return (int)(n - z - 1);
	return (int)n;
}

static void
records_fill(struct view *v, const Ns__Envelope *env, size_t i, struct row *r)
{
	const Ns__RecordListReply__RRset *s = env->record_list_reply->rrsets[i];
	struct records *state = v->state;
	const char *name, *first = s->n_rdata > 0 ? s->rdata[0] : "";
	int len = relative(s->name, v->object, &name);

	state->serial = env->record_list_reply->serial;
	r->id = xasprintf("%s %s", s->name, s->type);
	row_set(v, r, 0, UI_TEXT, "%.*s", len, name);
	row_set(v, r, 1, UI_TEXT, "%s", s->type);
	row_set(v, r, 2, UI_TEXT, "%u", s->ttl);
	if (s->n_rdata > 1)
		row_set(v, r, 3, UI_TEXT, "(+%zu)", s->n_rdata - 1);
	row_set(v, r, 4, UI_TEXT, "%s", first);
}

static const struct pages_ops pages_of_records = { records_ask, records_rows, records_fill };

static const struct table_column columns[] = { { "NAME", 15, 1, false, 0 },
	{ "TYPE", 8, 0, false, 0 }, { "TTL", 7, 0, true, 0 }, { "", 4, 0, false, 0 },
	{ "DATA", 20, 3, false, 0 }, { NULL, 0, 0, false, 0 } };

static void
records_open(struct view *v)
{
	struct records *s = v->state;

	s->table.columns = columns;
	pages_init(&s->pages, v, &pages_of_records, &s->table);
}

static void
records_close(struct view *v)
{
	pages_free(&((struct records *)v->state)->pages);
}

static void
records_reload(struct view *v)
{
	pages_reload(&((struct records *)v->state)->pages, false);
}

static void
records_draw(struct view *v, struct rect r)
{
	struct records *s = v->state;
	char state[48] = "", count[48] = "";

	if (s->pages.loaded && pages_count(&s->pages) > 0) {
		snprintf(state, sizeof state, "%u", s->serial);
		snprintf(count, sizeof count, "%zu%s rrsets", pages_count(&s->pages),
		    s->pages.ended ? "" : "+");
	}
	r = zone_title(v, r, state, count);
	ns_table_draw(&s->table, v->ui->surface, r, pages_count(&s->pages), pages_cell, &s->pages);
	if (pages_count(&s->pages) == 0)
		surface_put(v->ui->surface, r.x + 3, r.y + 1, r.w - 4, UI_DIM,
		    s->pages.loaded ? "nothing here" : "loading");
}

static bool
records_act(struct view *v, enum ns_action_id id)
{
	struct records *s = v->state;

	if (ns_table_act(&s->table, id, pages_count(&s->pages)))
		return true;
	if (id == ACT_OBJECT_HISTORY) {
		ui_replace(v->ui, &screen_zone_history, v->object);
		return true;
	}
	return zone_tab(v, id);
}

const struct ns_screen_ops screen_records = {
	.name = "Records",
	.size = sizeof(struct records),
	.contexts = CTX_GLOBAL | CTX_LIST | CTX_TABS | CTX_ZONE,
	.open = records_open,
	.close = records_close,
	.reload = records_reload,
	.draw = records_draw,
	.act = records_act,
};
