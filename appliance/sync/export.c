/* export - a zone as a master file, in chunks: $ORIGIN, the SOA, then everything in canonical order.
 * Reading it back gives the same digest.  Reader threads; one chunk per visit.
 *
 * All chunks show one version: an export has a store handle of its own, whose read transaction stays
 * open until it ends.  It is used by one thread at a time. */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/dns/name.h"
#include "appliance/dns/rrtype.h"
#include "appliance/dns/text_policy.h"
#include "appliance/dns/zonetext.h"
#include "appliance/dns/zwire.h"
#include "appliance/sync/aliases.h"
#include "appliance/sync/errors.h"
#include "appliance/sync/reader.h"
#include "appliance/sync/sync.h"
#include "ipc/base/xalloc.h"

#define EXPORTS  8 /* open handles at once */
#define SLICE    (64u << 10)
#define TEXT_MAX (64u << 20) /* of one slice: every octet as \DDD under the longest owner */

struct dump {
	struct queue *reads;
	struct store *store;
	struct store_zone zone;
	uint8_t last[255];
	bool begun, end;
	struct wbuf text;
	size_t sent; /* of text */
};

static atomic_uint exports;

static void
export_free(void *arg)
{
	struct dump *x = arg;

	reader_close(x->reads, &x->store);
	wbuf_free(&x->text);
	free(x);
	atomic_fetch_sub(&exports, 1);
}

static enum ns_err
put_soa(struct dump *x)
{
	struct wbuf apex = wbuf_grow(4 * OWNER_MAX_WIRE);
	enum ns_err err = store_owner_get(x->store, x->zone.id, x->zone.name, &apex);
	struct zwire_iter it = zwire_iter(apex.base, apex.len);
	struct rrset set;

	while (err == NS_OK && zwire_next(&it, &set))
		if (set.type == RR_SOA)
			rrset_to_text(&set, &x->text);
	wbuf_free(&apex);
	return err;
}

static enum ns_err
begin(struct request *r, struct dump **out)
{
	struct dump *x;
	char line[NAME_MAX_TEXT + 16], name[NAME_MAX_TEXT];
	enum ns_err err;

	if (atomic_fetch_add(&exports, 1) >= EXPORTS) {
		atomic_fetch_sub(&exports, 1);
		return ns_fail(
		    &r->why, NS_UNAVAILABLE, ES_BUSY, "busy: other exports are running; try again");
	}
	x = *out = xcalloc(1, sizeof *x);
	x->reads = r->reads;
	r->state = x;
	r->free_state = export_free;
	x->text = wbuf_grow(TEXT_MAX);
	err = store_open(r->store_dir, STORE_READ, sync_vfs(), &x->store, &r->why);
	if (err == NS_OK)
		err = store_begin(x->store, &r->why);
	if (err == NS_OK)
		err = read_zone(x->store, r->env->zone_export_request->zone, &x->zone, &r->why);
	if (err != NS_OK)
		return err;
	snprintf(line, sizeof line, "$ORIGIN %s\n", name_to_text(x->zone.name, name));
	wbuf_put(&x->text, line, strlen(line));
	err = put_soa(x);
	return err == NS_OK ? err : read_failed(&r->why, err);
}

/* More text behind what is left. */
static enum ns_err
refill(struct dump *x)
{
	struct wbuf piece = wbuf_grow(1u << 20);
	enum ns_err err = store_content_get(
	    x->store, x->zone.id, x->begun ? x->last : NULL, SLICE, &piece, x->last);
	struct zwire_iter it = zwire_iter(piece.base, piece.len);
	struct rrset set;

	if (err == NS_OK) {
		x->begun = true;
		while (zwire_next(&it, &set))
			if (set.type == RR_NSPOLICY)
				policies_to_zone(&set, &x->text);
			else if (set.type == RR_ALIAS)
				alias_to_zone(&set, &x->text);
			else if (set.type != RR_SOA || !name_equal(set.owner, x->zone.name))
				rrset_to_text(&set, &x->text);
		if (!rbuf_ok(&it.r) || !wbuf_ok(&x->text))
			err = NS_CORRUPT;
	} else if (err == NS_NOTFOUND) {
		x->end = true;
		err = NS_OK;
	}
	wbuf_free(&piece);
	return err;
}

static void
reply_chunk(struct request *r, struct dump *x)
{
	Ns__TextChunk *m = xmalloc(sizeof *m);
	size_t n = x->text.len - x->sent;

	if (n > NS_CHUNK)
		n = NS_CHUNK;
	ns__text_chunk__init(m);
	if (n > 0) {
		m->text.data = xmemdup(x->text.base + x->sent, n);
		m->text.len = n;
	}
	x->sent += n;
	if (x->sent == x->text.len)
		x->sent = x->text.len = 0;
	r->again = !(x->end && x->text.len == 0);
	request_reply(r, NS__ENVELOPE__BODY_TEXT_CHUNK, m);
}

enum ns_err
zone_export_read(struct request *r, struct store *s)
{
	struct dump *x = r->state;
	enum ns_err err = NS_OK;

	(void)s;
	if (x == NULL)
		err = begin(r, &x);
	while (err == NS_OK && !x->end && x->text.len - x->sent < NS_CHUNK)
		if ((err = refill(x)) != NS_OK)
			read_failed(&r->why, err);
	if (err == NS_OK)
		reply_chunk(r, x);
	else
		r->again = false;
	return err;
}
