/* zonelist - `zone list` and `zone show`; see zonelist.h.
 *
 * By name and without a filter a page costs a page.  Any other list is one walk of all zones for its order
 * (zoneorder.h), which the next pages take from there. */
#include "appliance/sync/zonelist.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/dns/name.h"
#include "appliance/sync/errors.h"
#include "appliance/sync/filter.h"
#include "appliance/sync/named.h"
#include "appliance/sync/reader.h"
#include "appliance/sync/users.h"
#include "appliance/sync/zoneorder.h"
#include "appliance/sync/zonerates.h"
#include "appliance/sync/zonestate.h"
#include "ipc/base/clock.h"
#include "ipc/base/text.h"
#include "ipc/base/xalloc.h"

#define PAGE_DEFAULT 100
#define PAGE_MAX     1000
#define ORDER_MARK   0xffu /* begins a cursor of an order: no name does */
#define ORDER_CURSOR 17u /* octets: mark, snapshot, rank */

/* Where a page begins. */
struct place {
	uint8_t name[NAME_MAX_WIRE]; /* behind this one, */
	bool by_name;
	uint64_t snapshot, rank; /* or behind so many of an order; snapshot 0: as it is now */
};

struct listing {
	Ns__ZoneListReply *m;
	struct store *store;
	struct account_names *names; /* read when the first zone of an account comes */
	struct request *request;
	const struct zone_rates *rates; /* NULL: nobody asked, or answer is not there */
	struct filter *filter;
	enum zone_sort sort;
	bool reverse;
	struct place from;
	size_t limit;
	/* While an order is made. */
	struct zone_facts *facts;
	unsigned wants; /* FILTER_*, of filter and sort */
	int64_t now_ms;
	struct named drafts;
	struct zone_key *keys;
	size_t n, room, turn;
};

static void
add_rate(Ns__ZoneInfo *info, struct zone_rate rate)
{
	info->qps = rate.qps;
	info->nx_percent = rate.nx_percent;
	if (rate.past == NULL)
		return;
	info->past = xmalloc(ZONE_PAST * sizeof *info->past);
	memcpy(info->past, rate.past, ZONE_PAST * sizeof *info->past);
	info->n_past = ZONE_PAST;
}

static bool
add(struct listing *l, const struct store_zone *z)
{
	Ns__ZoneInfo *info = zone_info(z, l->store, &l->names);

	if (l->request->env->zone_list_request->qps)
		add_rate(info, zone_rate(l->rates, z->name, z->name_len));
	l->m->zones[l->m->n_zones++] = info;
	return l->m->n_zones < l->limit;
}

/* ---- the store's own order ---- */
struct walk {
	struct listing *l;
	uint8_t last[NAME_MAX_WIRE];
	bool full;
};

static bool
each_zone(void *arg, const struct store_zone *z)
{
	struct walk *w = arg;

	if (w->l->m->n_zones == w->l->limit) {
		w->full = true;
		return false;
	}
	(void)add(w->l, z);
	memcpy(w->last, z->name, z->name_len);
	return true;
}

static bool
is_plain(const struct listing *l)
{
	return filter_all(l->filter) && l->sort == ZSORT_NAME && !l->reverse;
}

static enum ns_err
list_plain(struct listing *l)
{
	struct walk w = { .l = l };
	enum ns_err err =
	    store_zone_each(l->store, l->from.by_name ? l->from.name : NULL, each_zone, &w);

	if (err != NS_OK)
		return err;
	l->m->total = store_zone_count(l->store);
	if (w.full)
		l->m->next = cursor_make(w.last, name_len(w.last));
	return NS_OK;
}

/* ---- an order ---- */
/* What sorts it; flags: FILTER_FLAGS that are so. */
static double
key_of(const struct listing *l, const struct store_zone *z, const struct filter_zone *f)
{
	switch (l->sort) {
	case ZSORT_SERIAL:
		return z->serial;
	case ZSORT_RECORDS:
		return (double)z->records;
	case ZSORT_RRSETS:
		return (double)z->rrsets;
	case ZSORT_QPS:
		return isnan(f->qps) ? -1 : f->qps;
	case ZSORT_DNSSEC:
		return f->flags & FILTER_DNSSEC_BAD ? 0 : f->flags & FILTER_SIGNED ? 1 : 2;
	case ZSORT_HEALTH:
		return f->flags & FILTER_HEALTH_BAD ? 0 : 1;
	case ZSORT_CHANGED:
		return (double)z->changed_ms;
	default:
		return 0;
	}
}

static bool
each_key(void *arg, const struct store_zone *z)
{
	struct listing *l = arg;
	char name[NAME_MAX_TEXT];
	struct filter_zone f = { .name = name, .qps = (double)NAN };

	/* An expression may be slow and names many: nobody waits longer than he said. */
	if (request_expired(l->request))
		return false;
	name_to_text(z->name, name);
	f.age_s = (l->now_ms - z->changed_ms) / 1000;
	if (l->facts != NULL)
		f.flags = zone_facts_of(l->facts, z);
	if (l->wants & FILTER_QPS)
		f.qps = zone_rate(l->rates, z->name, z->name_len).qps;
	if (l->wants & FILTER_DRAFT && named_has(&l->drafts, name))
		f.flags |= FILTER_DRAFT;
	if (!filter_match(l->filter, &f))
		return true;
	if (l->n == l->room) {
		l->room = l->room != 0 ? 2 * l->room : 1024;
		l->keys = xreallocarray(l->keys, l->room, sizeof *l->keys);
	}
	l->keys[l->n++] = (struct zone_key){ z->id, key_of(l, z, &f), l->turn++ };
	return true;
}

static char *
order_what(const struct listing *l)
{
	const Ns__ZoneListRequest *in = l->request->env->zone_list_request;
	struct wbuf what = wbuf_grow(2 * NS_MSG_MAX); /* it came in one message */

	wbuf_put(&what, in->sort, strlen(in->sort));
	wbuf_put(&what, "\n", 1);
	wbuf_put(&what, in->filter, strlen(in->filter));
	for (size_t i = 0; l->wants & FILTER_DRAFT && i < l->drafts.n; i++) {
		wbuf_put(&what, "\n", 1);
		wbuf_put(&what, l->drafts.list[i], strlen(l->drafts.list[i]));
	}
	wbuf_put(&what, "", 1);
	return (char *)what.base;
}

static enum ns_err
order_make(struct listing *l, uint64_t revision, struct zone_order **out)
{
	struct zone_order *o;
	enum ns_err err;

	if (l->wants & FILTER_FLAGS)
		l->facts = zone_facts_new(l->store, l->wants);
	err = store_zone_each(l->store, NULL, each_key, l);
	zone_facts_destroy(&l->facts);
	if (err == NS_OK)
		err = l->request->err;
	if (err != NS_OK) {
		free(l->keys);
		return err;
	}
	zone_keys_sort(l->keys, l->n, l->sort, l->reverse);
	o = xcalloc(1, sizeof *o);
	o->what = order_what(l);
	o->revision = revision;
	o->moves = l->wants != 0;
	o->n = l->n;
	o->ids = xcalloc(l->n > 0 ? l->n : 1, sizeof *o->ids);
	for (size_t i = 0; i < l->n; i++)
		o->ids[i] = l->keys[i].id;
	free(l->keys);
	*out = zone_order_keep(o, clock_mono_ms());
	return NS_OK;
}

static enum ns_err
order_get(struct listing *l, struct zone_order **out)
{
	char *what = order_what(l);
	uint64_t revision, term;
	uint8_t hash[STORE_HASH];
	enum ns_err err = store_head(l->store, &revision, &term, hash);

	*out = NULL;
	if (err == NS_OK && l->from.snapshot != 0)
		*out = zone_order_find(l->from.snapshot, what, revision, clock_mono_ms());
	if (err == NS_OK && *out == NULL)
		*out = zone_order_find(0, what, revision, clock_mono_ms());
	free(what);
	return err == NS_OK && *out == NULL ? order_make(l, revision, out) : err;
}

/* How many of an order by name are not behind that name.  What was deleted since stands nowhere. */
static size_t
rank_behind(struct listing *l, const struct zone_order *o, const uint8_t *name)
{
	size_t low = 0, high = o->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2, at = middle;
		struct store_zone z;
		int order;

		while (at < high && store_zone_by_id(l->store, o->ids[at], &z) != NS_OK)
			at++;
		if (at == high) {
			high = middle;
			continue;
		}
		order = name_cmp(z.name, name);
		if (l->reverse ? order >= 0 : order <= 0)
			low = at + 1;
		else
			high = middle;
	}
	return low;
}

/* Two halves of 64 bits. */
static void
put_long(uint8_t *at, uint64_t value)
{
	put_u32(at, (uint32_t)(value >> 32));
	put_u32(at + 4, (uint32_t)value);
}

static uint64_t
get_long(const uint8_t *at)
{
	return (uint64_t)get_u32(at) << 32 | get_u32(at + 4);
}

static char *
order_next(const struct listing *l, const struct zone_order *o, size_t rank, const uint8_t *last)
{
	uint8_t octets[ORDER_CURSOR] = { ORDER_MARK };

	if (l->sort == ZSORT_NAME)
		return cursor_make(last, name_len(last));
	put_long(octets + 1, o->snapshot);
	put_long(octets + 9, rank);
	return cursor_make(octets, sizeof octets);
}

/* Of the page that a zone is on; SIZE_MAX: it is not in the list. */
static size_t
rank_around(const struct listing *l, const struct zone_order *o, const char *name)
{
	struct ns_why why = { 0 };
	struct store_zone z;

	if (name[0] == '\0' || read_zone(l->store, name, &z, &why) != NS_OK)
		return SIZE_MAX;
	for (size_t i = 0; i < o->n; i++)
		if (o->ids[i] == z.id)
			return i - i % l->limit;
	return SIZE_MAX;
}

static enum ns_err
list_order(struct listing *l)
{
	struct zone_order *o;
	struct store_zone z;
	enum ns_err err = order_get(l, &o);
	size_t i;

	if (err != NS_OK)
		return err;
	i = rank_around(l, o, l->request->env->zone_list_request->around);
	if (i == SIZE_MAX)
		i = l->from.by_name ? rank_behind(l, o, l->from.name) : l->from.rank;
	i = i < o->n ? i : o->n;
	l->m->rank = i;
	l->m->total = o->n;
	/* The store's own order is not another one for being asked for by rank. */
	l->m->snapshot = is_plain(l) ? 0 : o->snapshot;
	for (bool more = true; more && i < o->n && err == NS_OK; i++) {
		err = store_zone_by_id(l->store, o->ids[i], &z);
		if (err == NS_OK)
			more = add(l, &z);
		else if (err == NS_NOTFOUND)
			err = NS_OK;
	}
	if (err == NS_OK && i < o->n)
		l->m->next = order_next(l, o, i, z.name);
	zone_order_release(&o);
	return err;
}

/* ---- what is asked for ---- */
static enum ns_err
place_read(
    const Ns__ZoneListRequest *in, const struct listing *l, struct place *p, struct ns_why *why)
{
	size_t len;

	*p = (struct place){ .rank = in->at, .snapshot = in->snapshot };
	if (in->cursor[0] == '\0')
		return NS_OK;
	if (!cursor_read(in->cursor, p->name, sizeof p->name, &len))
		len = 0;
	if (len == ORDER_CURSOR && p->name[0] == ORDER_MARK) {
		p->snapshot = get_long(p->name + 1);
		p->rank = get_long(p->name + 9);
		return NS_OK;
	}
	p->by_name = true;
	if (len == 0 || name_check(p->name, len) != len || l->sort != ZSORT_NAME)
		return ns_fail(why, NS_USAGE, ES_CURSOR, "not a cursor of this list of zones");
	return NS_OK;
}

static enum ns_err
listing_read(struct request *r, struct listing *l)
{
	const Ns__ZoneListRequest *in = r->env->zone_list_request;
	static const unsigned wants[ZSORT_MAX] = { [ZSORT_QPS] = FILTER_QPS,
		[ZSORT_DNSSEC] = FILTER_SIGNED | FILTER_DNSSEC_BAD,
		[ZSORT_HEALTH] = FILTER_HEALTH_BAD };
	enum ns_err err = zone_sort_read(in->sort, &l->sort, &l->reverse, &r->why);

	if (err != NS_OK || (err = place_read(in, l, &l->from, &r->why)) != NS_OK)
		return err;
	if ((l->filter = filter_new(FILTER_ZONES, in->filter, &r->why)) == NULL)
		return r->why.err;
	if (!named_take(&l->drafts, in->drafts, in->n_drafts, &r->why))
		return r->why.err;
	l->limit = in->limit != 0 ? in->limit : PAGE_DEFAULT;
	if (l->limit > PAGE_MAX)
		l->limit = PAGE_MAX;
	l->wants = filter_wants(l->filter) | wants[l->sort];
	l->now_ms = clock_wall_ms();
	return NS_OK;
}

bool
zone_list_wants_rates(const Ns__ZoneListRequest *in)
{
	return in->qps || strstr(in->sort, "qps") != NULL || strstr(in->filter, "qps:") != NULL;
}

enum ns_err
zone_list_read(struct request *r, struct store *s)
{
	struct listing l = { .request = r, .store = s, .rates = r->state };
	enum ns_err err = listing_read(r, &l);
	bool plain;

	if (err != NS_OK) {
		filter_destroy(&l.filter);
		return err;
	}
	l.m = xmalloc(sizeof *l.m);
	ns__zone_list_reply__init(l.m);
	l.m->zones = xcalloc(l.limit, sizeof *l.m->zones);
	request_reply(r, NS__ENVELOPE__BODY_ZONE_LIST_REPLY, l.m);
	plain = is_plain(&l) && l.from.rank == 0 && l.from.snapshot == 0 &&
		r->env->zone_list_request->around[0] == '\0';
	err = plain ? list_plain(&l) : list_order(&l);
	filter_destroy(&l.filter);
	account_names_destroy(&l.names);
	return err == NS_OK || r->err != NS_OK ? err : read_failed(&r->why, err);
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
