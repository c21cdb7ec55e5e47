/* history - `history list` and `history show`: the change log as people read it.  Reader threads. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/dns/name.h"
#include "appliance/store/state.h"
#include "appliance/sync/bodynames.h"
#include "appliance/sync/change.h"
#include "appliance/sync/diff.h"
#include "appliance/sync/difftext.h"
#include "appliance/sync/errors.h"
#include "appliance/sync/filter.h"
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
	uint64_t last; /* that was looked at */
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

/* Where a colleague sits is his; an admin may see it. */
static const char *
source_told(const struct caller *to, const struct store_change *c, char cut[SOURCE_LEN])
{
	if (to->role == USER_ADMIN || strcmp(to->name, c->author) == 0)
		return c->source;
	source_cut(c->source, cut);
	return cut;
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
	m->source = xstrdup(source_told(to, c, cut));
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
		.source = source_told(p->to, c, cut),
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
	if (passes(p, c, age_s))
		p->rows[p->count++] = *c;
	return true;
}

static void
page_fill(const struct page *p, const char *zone, Ns__HistoryListReply *m)
{
	m->changes = xcalloc(p->count + 1, sizeof *m->changes);
	for (size_t i = 0; i < p->count; i++) {
		m->changes[m->n_changes] = xmalloc(sizeof *m->changes[0]);
		change_fill(p->store, p->to, zone, m->changes[m->n_changes++], &p->rows[i]);
	}
	if (p->more)
		m->next = xasprintf("%llu", (unsigned long long)p->last);
}

enum ns_err
history_list_read(struct request *r, struct store *s)
{
	const Ns__HistoryListRequest *in = r->env->history_list_request;
	struct page p = { .store = s,
		.to = &r->caller,
		.now_ms = clock_wall_ms(),
		.limit = in->limit != 0 ? in->limit : PAGE_DEFAULT };
	struct store_zone z = { 0 };
	Ns__HistoryListReply *m;
	uint64_t before;
	char *end, *zone;
	enum ns_err err = NS_OK;

	if (p.limit > PAGE_MAX)
		p.limit = PAGE_MAX;
	before = strtoull(in->cursor, &end, 10);
	if (*end != '\0' || in->cursor[0] == '-')
		return ns_fail(&r->why, NS_USAGE, ES_CURSOR, "not a cursor of a history");
	if (in->filter[0] != '\0' &&
	    (p.filter = filter_new(FILTER_CHANGES, in->filter, &r->why)) == NULL)
		return r->why.err;
	if (in->zone[0] != '\0')
		err = read_zone(s, in->zone, &z, &r->why);
	if (err == NS_OK && (err = store_history(s, &p.begins)) != NS_OK)
		err = read_failed(&r->why, err);
	if (err != NS_OK) {
		filter_destroy(&p.filter);
		return err;
	}
	p.rows = xcalloc(p.limit, sizeof *p.rows);
	err = store_change_each(s, z.id, before, each_change, &p);
	if (err == NS_OK) {
		zone = in->zone[0] != '\0' ? reply_name(z.name) : NULL;
		m = xmalloc(sizeof *m);
		ns__history_list_reply__init(m);
		page_fill(&p, zone, m);
		free(zone);
		m->begins = p.begins > 1 ? p.begins : 0;
		request_reply(r, NS__ENVELOPE__BODY_HISTORY_LIST_REPLY, m);
	} else {
		err = read_failed(&r->why, err);
	}
	free(p.rows);
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
