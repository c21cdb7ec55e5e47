/* zonelist - `zone list` and `zone show`.  Reader threads.
 *
 * Without a filter a page costs a page; with one, the rows are walked once, for `total`. */
#include <stdlib.h>
#include <string.h>

#include "appliance/dns/name.h"
#include "appliance/sync/errors.h"
#include "appliance/sync/filter.h"
#include "appliance/sync/reader.h"
#include "appliance/sync/users.h"
#include "appliance/sync/zonestate.h"
#include "ipc/base/xalloc.h"

#define PAGE_DEFAULT 100
#define PAGE_MAX     1000

struct listing {
	Ns__ZoneListReply *m;
	struct store *store;
	struct account_names *names; /* read when the first zone of an account comes */
	struct request *request;
	struct filter *filter;
	struct zone_facts *facts; /* NULL: the filter asks for none */
	const uint8_t *after;
	size_t limit;
	bool full;
	uint8_t last[255];
};

static bool
matches(const struct listing *l, const struct store_zone *z)
{
	char name[NAME_MAX_TEXT];

	if (filter_all(l->filter))
		return true;
	return filter_match(l->filter, name_to_text(z->name, name),
	    l->facts != NULL ? zone_facts_of(l->facts, z) : 0);
}

static bool
each_zone(void *arg, const struct store_zone *z)
{
	struct listing *l = arg;
	bool unfiltered = filter_all(l->filter);

	/* An expression may be slow and names many: nobody waits longer than he said. */
	if (!unfiltered && request_expired(l->request))
		return false;
	if (!matches(l, z))
		return true;
	l->m->total++;
	/* With a filter the walk began at the first zone, for the total. */
	if (!unfiltered && l->after != NULL && name_cmp(z->name, l->after) <= 0)
		return true;
	if (l->m->n_zones == l->limit) {
		l->full = true;
		return !unfiltered;
	}
	l->m->zones[l->m->n_zones++] = zone_info(z, l->store, &l->names);
	memcpy(l->last, z->name, z->name_len);
	return true;
}

static enum ns_err
list(struct store *s, struct listing *l, struct ns_why *why)
{
	bool unfiltered = filter_all(l->filter);
	enum ns_err err;

	if (filter_wants(l->filter) != 0)
		l->facts = zone_facts_new(s, filter_wants(l->filter));
	err = store_zone_each(s, unfiltered ? l->after : NULL, each_zone, l);

	if (err != NS_OK)
		return read_failed(why, err);
	if (l->request->err != NS_OK)
		return l->request->err;
	if (unfiltered)
		l->m->total = store_zone_count(s);
	if (l->full)
		l->m->next = cursor_make(l->last, name_len(l->last));
	return NS_OK;
}

enum ns_err
zone_list_read(struct request *r, struct store *s)
{
	const Ns__ZoneListRequest *in = r->env->zone_list_request;
	struct listing l = { .request = r, .limit = in->limit != 0 ? in->limit : PAGE_DEFAULT };
	uint8_t after[255];
	struct filter *f;
	enum ns_err err;
	size_t len;

	if (l.limit > PAGE_MAX)
		l.limit = PAGE_MAX;
	if (in->cursor[0] != '\0') {
		if (!cursor_read(in->cursor, after, sizeof after, &len) ||
		    name_check(after, len) != len)
			return ns_fail(&r->why, NS_USAGE, ES_CURSOR, "not a cursor of a zone list");
		l.after = after;
	}
	if ((f = filter_new(in->filter, &r->why)) == NULL)
		return r->why.err;
	l.filter = f;
	l.store = s;
	l.m = xmalloc(sizeof *l.m);
	ns__zone_list_reply__init(l.m);
	l.m->zones = xcalloc(l.limit, sizeof *l.m->zones);
	request_reply(r, NS__ENVELOPE__BODY_ZONE_LIST_REPLY, l.m);
	err = list(s, &l, &r->why);
	zone_facts_destroy(&l.facts);
	filter_destroy(&f);
	account_names_destroy(&l.names);
	return err;
}

enum ns_err
zone_show_read(struct request *r, struct store *s)
{
	struct account_names *names = NULL;
	struct store_zone z;
	enum ns_err err = read_zone(s, r->env->zone_show_request->zone, &z, &r->why);

	if (err == NS_OK)
		request_reply(r, NS__ENVELOPE__BODY_ZONE_INFO, zone_info(&z, s, &names));
	account_names_destroy(&names);
	return err;
}
