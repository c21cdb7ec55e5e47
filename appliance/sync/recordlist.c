/* recordlist - `record list`: RRsets in canonical order, pages that end between owners.  Reader
 * threads. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/dns/closure.h"
#include "appliance/dns/name.h"
#include "appliance/dns/rrtype.h"
#include "appliance/dns/zonetext.h"
#include "appliance/dns/zwire.h"
#include "appliance/sync/errors.h"
#include "appliance/sync/filter.h"
#include "appliance/sync/named.h"
#include "appliance/sync/reader.h"
#include "ipc/base/xalloc.h"

#define PAGE_DEFAULT 1000
#define PAGE_MAX     10000
#define PAGE_OCTETS  (200u << 10) /* of text: a reply must fit NS_MSG_MAX */
#define SLICE        (64u << 10)
#define RDATA_TEXT   (4 * 65536u) /* every octet as \DDD */

struct listing {
	Ns__RecordListReply *m;
	size_t limit, room, octets;
	uint16_t type; /* 0: all */
	uint8_t last[255]; /* owner that was listed last */
	bool full;
	char *text;
	struct request *request;
	struct filter *filter; /* NULL: none */
	struct named drafts;
	const char *zone; /* its name as text */
};

static void
add_closure(Ns__RecordListReply__RRset *m, const uint8_t *rdata, size_t len, size_t count)
{
	struct policy po;

	if (m->closure == NULL) {
		m->closure = xmalloc(sizeof *m->closure);
		ns__record_list_reply__closures__init(m->closure);
		m->closure->rrsets = xcalloc(count + 1, sizeof *m->closure->rrsets);
	}
	m->closure->rrsets[m->closure->n_rrsets++] =
	    policy_open(&po, rdata, len) ? policy_closure(&po) : 0;
}

static Ns__RecordListReply__RRset *
rrset_message(struct listing *l, const struct rrset *set)
{
	Ns__RecordListReply__RRset *m = xmalloc(sizeof *m);
	struct rbuf r = rbuf_init(set->rdata, set->rdata_len);
	char type[RRTYPE_MAX_TEXT];
	const uint8_t *rdata;
	size_t len;

	ns__record_list_reply__rrset__init(m);
	m->name = reply_name(set->owner);
	m->type = xstrdup(rrtype_to_text(set->type, type));
	m->ttl = set->ttl;
	m->rdata = xcalloc(set->count + 1u, sizeof *m->rdata);
	while (m->n_rdata < set->count && (rdata = rrset_next_rdata(&r, &len)) != NULL) {
		if (!rdata_to_text(set->type, rdata, len, l->text, RDATA_TEXT))
			l->text[0] = '\0';
		m->rdata[m->n_rdata++] = xstrdup(l->text);
		if (set->type == RR_NSPOLICY)
			add_closure(m, rdata, len, set->count);
		l->octets += strlen(l->text) + 8;
	}
	l->octets += strlen(m->name) + 32;
	return m;
}

static bool
passes(struct listing *l, const Ns__RecordListReply__RRset *m)
{
	size_t len = strlen(m->name), zone = strlen(l->zone);
	char relative[NAME_MAX_TEXT] = "@", id[NAME_MAX_TEXT + RRTYPE_MAX_TEXT + 1];
	struct filter_rrset s = { m->name, relative, m->type, m->rdata, m->n_rdata, false };

	/* Of the root it is all but the last dot. */
	if (len > zone)
		snprintf(relative, sizeof relative, "%.*s", (int)(len - zone - (zone > 1 ? 1 : 0)),
		    m->name);
	snprintf(id, sizeof id, "%s %s", m->name, m->type);
	s.draft = named_has(&l->drafts, id);
	return filter_match_rrset(l->filter, &s);
}

static void
add(struct listing *l, const struct rrset *set)
{
	Ns__RecordListReply__RRset *m;
	size_t octets = l->octets;

	if (l->type != 0 && set->type != l->type)
		return;
	m = rrset_message(l, set);
	if (l->filter != NULL && !passes(l, m)) {
		protobuf_c_message_free_unpacked(&m->base, NULL);
		l->octets = octets;
		return;
	}
	if (l->m->n_rrsets == l->room) {
		l->room = l->room != 0 ? 2 * l->room : 32;
		l->m->rrsets = xreallocarray(l->m->rrsets, l->room, sizeof *l->m->rrsets);
	}
	l->m->rrsets[l->m->n_rrsets++] = m;
}

/* false: broken, or the page is full. */
static bool
add_all(struct listing *l, const struct wbuf *zwire)
{
	struct zwire_iter it = zwire_iter(zwire->base, zwire->len);
	bool any = l->m->n_rrsets > 0;
	struct rrset set;

	while (zwire_next(&it, &set)) {
		bool fresh = !any || !name_equal(set.owner, l->last);

		if (fresh && (l->m->n_rrsets >= l->limit || l->octets > PAGE_OCTETS)) {
			l->full = true;
			return false;
		}
		memcpy(l->last, set.owner, set.owner_len);
		any = true;
		add(l, &set);
	}
	return rbuf_ok(&it.r);
}

static enum ns_err
list_zone(struct store *s, uint64_t zone, const uint8_t *after, struct listing *l)
{
	struct wbuf piece = wbuf_grow(1u << 20);
	uint8_t from[255];
	enum ns_err err;

	if (after != NULL)
		memcpy(from, after, name_len(after));
	while ((err = store_content_get(s, zone, after, SLICE, &piece, from)) == NS_OK) {
		after = from;
		if (request_expired(l->request)) {
			err = l->request->err;
			break;
		}
		if (!add_all(l, &piece)) {
			err = l->full ? NS_NOTFOUND : NS_CORRUPT;
			break;
		}
		piece.len = 0;
	}
	wbuf_free(&piece);
	return err == NS_NOTFOUND ? NS_OK : err;
}

static enum ns_err
list_name(struct store *s, const struct store_zone *z, const char *text, struct listing *l,
    struct ns_why *why)
{
	struct wbuf zwire = wbuf_grow(4 * OWNER_MAX_WIRE);
	uint8_t owner[NAME_MAX_WIRE];
	size_t len;
	enum ns_err err = name_from_text(text, z->name, owner, &len, why);

	if (err != NS_OK)
		return err;
	name_lower(owner, owner, len);
	l->limit = SIZE_MAX;
	l->octets = 0;
	err = store_owner_get(s, z->id, owner, &zwire);
	if (err == NS_OK && !add_all(l, &zwire))
		err = NS_CORRUPT;
	wbuf_free(&zwire);
	if (err == NS_OK || err == NS_NOTFOUND)
		return NS_OK;
	return read_failed(why, err);
}

static enum ns_err
list(struct request *r, struct store *s, const struct store_zone *z, struct listing *l)
{
	const Ns__RecordListRequest *in = r->env->record_list_request;
	uint8_t after[255];
	size_t len;
	enum ns_err err;

	if (in->name[0] != '\0')
		return list_name(s, z, in->name, l, &r->why);
	if (in->cursor[0] != '\0' &&
	    (!cursor_read(in->cursor, after, sizeof after, &len) || name_check(after, len) != len))
		return ns_fail(&r->why, NS_USAGE, ES_CURSOR, "not a cursor of a record list");
	err = list_zone(s, z->id, in->cursor[0] != '\0' ? after : NULL, l);
	if (err != NS_OK)
		return r->err != NS_OK ? r->err : read_failed(&r->why, err);
	if (l->full)
		l->m->next = cursor_make(l->last, name_len(l->last));
	return NS_OK;
}

enum ns_err
record_list_read(struct request *r, struct store *s)
{
	const Ns__RecordListRequest *in = r->env->record_list_request;
	struct listing l = { .limit = in->limit != 0 ? in->limit : PAGE_DEFAULT, .request = r };
	char zone[NAME_MAX_TEXT];
	struct store_zone z;
	enum ns_err err;

	if (l.limit > PAGE_MAX)
		l.limit = PAGE_MAX;
	if (in->type[0] != '\0' && (l.type = rrtype_from_text(in->type)) == 0)
		return ns_fail(
		    &r->why, NS_USAGE, ES_TYPE, "there is no record type %.20s", in->type);
	if (!named_take(&l.drafts, in->drafts, in->n_drafts, &r->why) ||
	    (in->filter[0] != '\0' &&
		(l.filter = filter_new(FILTER_RRSETS, in->filter, &r->why)) == NULL))
		return r->why.err;
	if ((err = store_begin(s, &r->why)) != NS_OK) {
		filter_destroy(&l.filter);
		return err;
	}
	err = read_zone(s, in->zone, &z, &r->why);
	if (err == NS_OK) {
		l.zone = name_to_text(z.name, zone);
		l.m = xmalloc(sizeof *l.m);
		ns__record_list_reply__init(l.m);
		l.m->version = z.version;
		l.m->serial = z.serial;
		request_reply(r, NS__ENVELOPE__BODY_RECORD_LIST_REPLY, l.m);
		l.text = xmalloc(RDATA_TEXT);
		err = list(r, s, &z, &l);
		free(l.text);
	}
	store_rollback(s);
	filter_destroy(&l.filter);
	return err;
}
