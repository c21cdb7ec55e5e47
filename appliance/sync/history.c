/* history - `history list` and `history show`: the change log as people read it.  Reader threads. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/dns/name.h"
#include "appliance/store/state.h"
#include "appliance/sync/auditlist.h"
#include "appliance/sync/bodynames.h"
#include "appliance/sync/change.h"
#include "appliance/sync/diff.h"
#include "appliance/sync/difftext.h"
#include "appliance/sync/errors.h"
#include "appliance/sync/filter.h"
#include "appliance/sync/historymerge.h"
#include "appliance/sync/reader.h"
#include "ipc/base/clock.h"
#include "ipc/base/source.h"
#include "ipc/base/text.h"
#include "ipc/base/xalloc.h"

#define PAGE_DEFAULT 50
#define PAGE_MAX     200
#define NAMES_MAX    16 /* zones named in a line of the list */
/* What a page of a filtered list may cost: a head of the log is one, the names in a body are more. */
#define WALK_MAX   50000u
#define WALK_NAMES 10u
#define COUNT_MAX  16384u /* octets of a body whose RRsets a list counts */
#define CLOCKS_S \
	86400 /* what the clocks of two primaries differ: so much older, nothing is young enough */

struct page {
	struct store *store;
	const struct caller *to;
	struct filter *filter; /* NULL: all */
	int64_t now_ms;
	unsigned walked;
	uint64_t last; /* that was looked at, */
	int64_t last_ms; /* and when it was */
	struct store_change *rows;
	size_t count, limit;
	uint64_t begins; /* what is before it is kept for itself: no history */
	bool more;
};

static char *
zone_text(const Ns__ChangeBody__Zone *z)
{
	if (name_check(z->name.data, z->name.len) != z->name.len || z->name.len == 0)
		return xstrdup("?");
	return reply_name(z->name.data);
}

static char *
text_of(const struct body_name *n)
{
	char *text = xasprintf("%.*s", (int)n->name_len, (const char *)n->name);

	text_scrub(text);
	return text;
}

/* Only the heads of the first zones are read, however long the body is; of a change without zones, the name of its
 * object.  `zone` is whose serial is told; NULL: of the only one. */
static void
names_fill(struct store *s, const char *zone, Ns__Change *m)
{
	struct wbuf piece = wbuf_grow(BODY_PIECE);
	size_t at = 0;

	m->zones = xcalloc(NAMES_MAX, sizeof *m->zones);
	while (m->n_zones < NAMES_MAX && (m->n_zones < m->zone_count || m->zone_count == 0)) {
		struct store_change row;
		struct body_name n;
		uint64_t size;

		piece.len = 0;
		if (store_change_piece(s, m->revision, at, BODY_PIECE, &row, &size, &piece) !=
		    NS_OK)
			break;
		if (m->zone_count == 0) {
			if (body_object_read(piece.base, piece.len, &n))
				m->object = text_of(&n);
			break;
		}
		if (!body_name_read(piece.base, piece.len, &n))
			break;
		m->zones[m->n_zones++] =
		    n.name != NULL && n.name_len > 0 && name_check(n.name, n.name_len) == n.name_len
			? reply_name(n.name)
			: xstrdup("?");
		if (zone == NULL ? m->zone_count == 1 : strcmp(m->zones[m->n_zones - 1], zone) == 0)
			m->serial = n.serial;
		at += n.next;
	}
	wbuf_free(&piece);
}

/* A list does not read large bodies: then they are not told. */
static void
rrsets_fill(struct store *s, const char *zone, Ns__Change *m)
{
	struct wbuf head = wbuf_grow(BODY_PIECE);
	struct diff_sets n = { 0 };
	struct store_change row;
	Ns__ChangeBody *body = NULL;
	uint64_t size = COUNT_MAX + 1;
	bool ok;

	if (store_change_piece(s, m->revision, 0, BODY_PIECE, &row, &size, &head) == NS_OK &&
	    size <= COUNT_MAX)
		body = change_body_load(s, m->revision, &row);
	wbuf_free(&head);
	ok = body != NULL && body->n_withheld_zones == 0;
	for (size_t i = 0; ok && i < body->n_zones; i++) {
		const Ns__ChangeBody__Zone *z = body->zones[i];
		char *name = zone_text(z);

		if (zone == NULL || strcmp(name, zone) == 0)
			ok = diff_count(
			    z->removed.data, z->removed.len, z->added.data, z->added.len, &n);
		free(name);
	}
	if (body != NULL)
		ns__change_body__free_unpacked(body, NULL);
	if (!ok)
		return;
	m->rrsets = xmalloc(sizeof *m->rrsets);
	ns__change__rrsets__init(m->rrsets);
	m->rrsets->added = n.added;
	m->rrsets->removed = n.removed;
	m->rrsets->changed = n.changed;
}

static void
change_fill(struct store *s, const struct caller *to, const char *zone, Ns__Change *m,
    const struct store_change *c)
{
	char cut[SOURCE_LEN];
	uint8_t digest[STORE_HASH];

	ns__change__init(m);
	m->revision = c->revision;
	m->term = c->term;
	m->at = reply_time(c->at_ms);
	m->author = xstrdup(c->author);
	m->via = xstrdup(c->via);
	m->source = xstrdup(source_told(to, c->author, c->source, cut));
	m->appliance = xstrdup(c->appliance);
	m->comment = xstrdup(c->comment);
	text_scrub(m->comment); /* one that cannot be sent would hide its whole page */
	m->kind = xstrdup(c->kind);
	m->hash = reply_hex(c->hash, sizeof c->hash);
	m->zone_count = c->zone_count;
	m->added = c->added;
	m->removed = c->removed;
	names_fill(s, zone, m);
	if (m->zone_count > 0)
		rrsets_fill(s, zone, m);
	/* A list does not read bodies: of a few zones that it touched, those that are not named. */
	if (m->zone_count <= NAMES_MAX && m->zone_count > m->n_zones &&
	    store_change_digest(s, c->revision, digest) == NS_OK)
		m->withheld = (uint32_t)(m->zone_count - m->n_zones);
}

static bool
names_match(struct page *p, struct filter_change *f, const struct store_change *c)
{
	Ns__Change m = NS__CHANGE__INIT;
	char *object[1];
	bool match;

	m.revision = c->revision;
	m.zone_count = c->zone_count;
	names_fill(p->store, NULL, &m);
	object[0] = m.object;
	f->names = m.n_zones > 0 ? m.zones : object;
	f->n = m.n_zones > 0 ? m.n_zones : m.object[0] != '\0';
	match = filter_match_change(p->filter, f);
	for (size_t i = 0; i < m.n_zones; i++)
		free(m.zones[i]);
	free(m.zones);
	if (m.object[0] != '\0')
		free(m.object);
	return match;
}

static bool
passes(struct page *p, const struct store_change *c, int64_t age_s)
{
	char cut[SOURCE_LEN];
	struct filter_change f = { .who = c->author,
		.via = c->via,
		.source = source_told(p->to, c->author, c->source, cut),
		.appliance = c->appliance,
		.kind = c->kind,
		.comment = c->comment,
		.age_s = age_s };

	if (p->filter == NULL)
		return true;
	p->walked++;
	if (!filter_match_change(p->filter, &f))
		return false;
	if ((filter_wants(p->filter) & FILTER_NAMES) == 0)
		return true;
	p->walked += WALK_NAMES;
	return names_match(p, &f, c);
}

static bool
each_change(void *arg, const struct store_change *c)
{
	struct page *p = arg;
	int64_t age_s = (p->now_ms - c->at_ms) / 1000;

	if (c->revision < p->begins ||
	    (p->filter != NULL && (double)(age_s - CLOCKS_S) > filter_since(p->filter)))
		return false;
	if (p->count == p->limit || p->walked >= WALK_MAX) {
		p->more = true;
		return false;
	}
	p->last = c->revision;
	p->last_ms = c->at_ms;
	if (passes(p, c, age_s))
		p->rows[p->count++] = *c;
	return true;
}

/* "8841", or of both lists "8841:23": below these. */
struct place {
	uint64_t change, event; /* 0: from the newest; 1: there is no more */
};

static bool
place_read(const char *text, bool both, struct place *at)
{
	char *end;

	if (*text == '\0')
		return true;
	at->change = strtoull(text, &end, 10);
	if (both && *end == ':' && isdigit((unsigned char)end[1]))
		at->event = strtoull(end + 1, &end, 10);
	return isdigit((unsigned char)*text) && *end == '\0';
}

static int64_t
change_at(const void *rows, size_t i)
{
	return ((const struct store_change *)rows)[i].at_ms;
}

static int64_t
event_at(const void *rows, size_t i)
{
	return ((const struct store_event *)rows)[i].first_ms;
}

/* Where the next page goes on: behind what this one took, or behind all that it looked at. */
static uint64_t
behind(const struct merge_side *side, uint64_t taken, uint64_t looked, uint64_t before)
{
	if (side->taken == side->n)
		return side->more ? looked : 1;
	return side->taken > 0 ? taken : before;
}

static void
page_fill(const struct page *p, const struct event_page *e, const char *zone, struct place at,
    Ns__HistoryListReply *m)
{
	struct merge_side side[2] = { { .n = p->count,
					  .more = p->more,
					  .reached_ms = p->last_ms,
					  .at_ms = change_at,
					  .rows = p->rows },
		{ .n = e->count,
		    .more = e->more,
		    .reached_ms = e->last_ms,
		    .at_ms = event_at,
		    .rows = e->rows } };
	size_t at_change = 0, at_event = 0;
	uint8_t order[PAGE_MAX];

	m->n_changes = history_merge(side, p->limit, order);
	m->changes = xcalloc(m->n_changes + 1, sizeof *m->changes);
	for (size_t i = 0; i < m->n_changes; i++) {
		if (order[i] == 1) {
			m->changes[i] = event_message(p->to, &e->rows[at_event++]);
			continue;
		}
		m->changes[i] = xmalloc(sizeof *m->changes[i]);
		change_fill(p->store, p->to, zone, m->changes[i], &p->rows[at_change++]);
	}
	at.change = behind(
	    &side[0], at_change > 0 ? p->rows[at_change - 1].revision : 0, p->last, at.change);
	at.event = behind(&side[1], at_event > 0 ? e->rows[at_event - 1].id : 0, e->last, at.event);
	if (at.change != 1 || at.event != 1)
		m->next = e->to != NULL ? xasprintf("%llu:%llu", (unsigned long long)at.change,
					      (unsigned long long)at.event)
					: xasprintf("%llu", (unsigned long long)at.change);
}

static enum ns_err
list_check(const struct request *r, struct place *at, struct ns_why *why)
{
	const Ns__HistoryListRequest *in = r->env->history_list_request;

	if (in->audit && r->caller.role < USER_OPERATOR)
		return ns_fail(why, NS_DENIED, ES_DENIED,
		    "who logged in, and who read secrets, needs the role operator");
	if (in->audit && in->zone[0] != '\0')
		return ns_fail(why, NS_USAGE, ES_REQUEST,
		    "logins and reads of secrets are of no zone: the history of all, or that of "
		    "the zone without them");
	if (!place_read(in->cursor, in->audit, at))
		return ns_fail(why, NS_USAGE, ES_CURSOR, "not a cursor of a history");
	return NS_OK;
}

static enum ns_err
list_read(struct request *r, struct page *p, struct event_page *e, struct place at)
{
	const Ns__HistoryListRequest *in = r->env->history_list_request;
	struct store_zone z = { 0 };
	Ns__HistoryListReply *m;
	char *zone;
	enum ns_err err = NS_OK;

	if (in->zone[0] != '\0')
		err = read_zone(p->store, in->zone, &z, &r->why);
	if (err != NS_OK)
		return err;
	err = store_history(p->store, &p->begins);
	if (err == NS_OK)
		err = store_change_each(p->store, z.id, at.change, each_change, p);
	if (err == NS_OK && e->to != NULL)
		err = event_page_read(p->store, at.event, e);
	if (err != NS_OK)
		return read_failed(&r->why, err);
	zone = in->zone[0] != '\0' ? reply_name(z.name) : NULL;
	m = xmalloc(sizeof *m);
	ns__history_list_reply__init(m);
	page_fill(p, e, zone, at, m);
	free(zone);
	m->begins = p->begins > 1 ? p->begins : 0;
	if (e->to != NULL)
		m->appliance = xstrdup(r->own_name);
	request_reply(r, NS__ENVELOPE__BODY_HISTORY_LIST_REPLY, m);
	return NS_OK;
}

enum ns_err
history_list_read(struct request *r, struct store *s)
{
	const Ns__HistoryListRequest *in = r->env->history_list_request;
	struct page p = { .store = s,
		.to = &r->caller,
		.now_ms = clock_wall_ms(),
		.limit = in->limit != 0 ? in->limit : PAGE_DEFAULT };
	struct event_page e = { .to = in->audit ? &r->caller : NULL, .now_ms = p.now_ms };
	struct place at = { 0 };
	enum ns_err err = list_check(r, &at, &r->why);

	if (err != NS_OK)
		return err;
	if (p.limit > PAGE_MAX)
		p.limit = PAGE_MAX;
	e.limit = p.limit;
	if (in->filter[0] != '\0' &&
	    (p.filter = filter_new(FILTER_CHANGES, in->filter, &r->why)) == NULL)
		return r->why.err;
	e.filter = p.filter;
	p.rows = xcalloc(p.limit, sizeof *p.rows);
	err = list_read(r, &p, &e, at);
	free(p.rows);
	free(e.rows);
	filter_destroy(&p.filter);
	return err;
}

/* ---- diffs ---- */
Ns__HistoryShowReply__ZoneDiff *
history_diff(const Ns__ChangeBody__Zone *z, size_t *octets)
{
	Ns__HistoryShowReply__ZoneDiff *m = xmalloc(sizeof *m);
	struct diff_lines removed, added;

	ns__history_show_reply__zone_diff__init(m);
	m->zone = zone_text(z);
	m->serial_before = z->serial_before;
	m->serial_after = z->serial_after;
	diff_lines_make((struct bytes){ z->removed.data, z->removed.len },
	    (struct bytes){ z->added.data, z->added.len }, octets, &removed, &added);
	m->removed = removed.line;
	m->n_removed = removed.count;
	m->added = added.line;
	m->n_added = added.count;
	m->truncated = removed.cut || added.cut;
	*octets += strlen(m->zone) + 32;
	return m;
}

enum ns_err
history_show_read(struct request *r, struct store *s)
{
	uint64_t revision = r->env->history_show_request->revision;
	struct store_change row;
	Ns__HistoryShowReply *m;
	Ns__ChangeBody *body;
	size_t octets = 0;
	enum ns_err err = store_change_get(s, revision, &row, NULL);

	if (err == NS_NOTFOUND)
		return change_missing(s, revision, &r->why);
	if (err != NS_OK || (body = change_body_load(s, revision, &row)) == NULL)
		return read_failed(&r->why, err != NS_OK ? err : NS_CORRUPT);
	m = xmalloc(sizeof *m);
	ns__history_show_reply__init(m);
	m->change = xmalloc(sizeof *m->change);
	change_fill(s, &r->caller, NULL, m->change, &row);
	m->change->withheld = (uint32_t)body->n_withheld_zones;
	m->diffs = xcalloc(body->n_zones + 1, sizeof *m->diffs);
	for (size_t i = 0; i < body->n_zones && octets < DIFF_TEXT_OCTETS; i++)
		m->diffs[m->n_diffs++] = history_diff(body->zones[i], &octets);
	request_reply(r, NS__ENVELOPE__BODY_HISTORY_SHOW_REPLY, m);
	ns__change_body__free_unpacked(body, NULL);
	return NS_OK;
}
