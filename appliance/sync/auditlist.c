/* auditlist - see auditlist.h. */
#include "appliance/sync/auditlist.h"

#include <string.h>

#include "appliance/sync/filter.h"
#include "appliance/sync/request.h"
#include "ipc/base/text.h"
#include "ipc/base/xalloc.h"

const char *
source_told(const struct caller *to, const char *who, const char *source, char cut[SOURCE_LEN])
{
	if (to->role == USER_ADMIN || strcmp(to->name, who) == 0)
		return source;
	source_cut(source, cut);
	return cut;
}

static bool
passes(const struct event_page *p, const struct store_event *e)
{
	static char *const no_names[1];
	char cut[SOURCE_LEN];

	return p->filter == NULL || filter_match_change(p->filter,
					&(struct filter_change){ .who = e->who,
					    .via = e->via,
					    .source = source_told(p->to, e->who, e->source, cut),
					    .appliance = e->appliance,
					    .kind = e->kind,
					    .comment = e->what,
					    .age_s = (p->now_ms - e->first_ms) / 1000,
					    .names = no_names });
}

static bool
each_event(void *arg, const struct store_event *e)
{
	struct event_page *p = arg;

	if (p->count == p->limit) {
		p->more = true;
		return false;
	}
	p->last = e->id;
	p->last_ms = e->first_ms;
	if (passes(p, e))
		p->rows[p->count++] = *e;
	return true;
}

enum ns_err
event_page_read(struct store *s, uint64_t before, struct event_page *p)
{
	p->rows = xcalloc(p->limit, sizeof *p->rows);
	return store_event_each(s, before, each_event, p);
}

Ns__Change *
event_message(const struct caller *to, const struct store_event *e)
{
	Ns__Change *m = xmalloc(sizeof *m);
	char cut[SOURCE_LEN];

	ns__change__init(m);
	m->at = reply_time(e->first_ms);
	m->author = xstrdup(e->who);
	m->via = xstrdup(e->via);
	m->kind = xstrdup(e->kind);
	m->source = xstrdup(source_told(to, e->who, e->source, cut));
	m->appliance = xstrdup(e->appliance);
	m->comment = xstrdup(e->what);
	text_scrub(m->comment);
	m->event = xmalloc(sizeof *m->event);
	ns__change__event__init(m->event);
	m->event->id = e->id;
	m->event->count = e->count;
	m->event->last = reply_time(e->last_ms);
	return m;
}
