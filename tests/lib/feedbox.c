/* feedbox.c - see feedbox.h. */
#include "tests/lib/feedbox.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "appliance/dns/zonetext.h"
#include "appliance/zonemap/image.h"
#include "ipc/base/xalloc.h"

static void
on_ask(void *arg, const uint8_t *name, const char *why)
{
	struct feedbox *b = arg;

	assert_non_null(why);
	assert_true(b->asks < FEEDBOX_ASKED);
	memcpy(b->asked[b->asks++], name, name_len(name));
}

static void
on_ask_all(void *arg)
{
	((struct feedbox *)arg)->ask_alls++;
}

static void
on_published(void *arg, bool full, const char *text)
{
	struct feedbox *b = arg;

	(void)text;
	b->publishes++;
	b->full = full;
}

static void
on_refused(void *arg, const uint8_t *name, const struct ns_why *why)
{
	(void)name;
	(void)why;
	((struct feedbox *)arg)->refusals++;
}

static void
on_staged(void *arg, const uint8_t *name)
{
	digest_staged(((struct feedbox *)arg)->d, name);
}

static void
on_digest(void *arg, uint64_t id, const Ns__DigestReply *reply)
{
	struct feedbox *b = arg;

	assert_int_equal(id, FEEDBOX_PAGE);
	b->npage = reply->n_images;
	b->end = reply->end;
	b->replied = true;
	for (size_t i = 0; i < reply->n_images; i++) {
		const Ns__DigestReply__Image *im = reply->images[i];

		memcpy(b->page[i], im->name.data, im->name.len);
		assert_int_equal(im->sha256.len, 32);
		memcpy(b->sum[i], im->sha256.data, 32);
	}
}

void
feedbox_open_writer(struct feedbox *b)
{
	const struct feed_calls calls = { .ask = on_ask,
		.ask_all = on_ask_all,
		.published = on_published,
		.refused = on_refused,
		.fit = on_staged,
		.staged = on_staged,
		.arg = b };
	struct ns_why why;

	assert_int_equal(
	    writer_open(b->box.fd, b->box.limit, 1, b->box.page, BOX_PAGES, &b->w, &why), NS_OK);
	b->f = feed_new(b->w, &calls);
	b->d = digest_new(b->w, on_digest, b);
}

void
feedbox_close_writer(struct feedbox *b)
{
	feed_destroy(&b->f);
	digest_destroy(&b->d);
	writer_check(b->w);
	writer_close(&b->w);
}

struct feedbox *
feedbox_open(uint64_t limit)
{
	struct feedbox *b = xcalloc(1, sizeof *b);

	mapbox_init(&b->box, limit);
	feedbox_open_writer(b);
	feed_welcome(b->f);
	return b;
}

void
feedbox_reconnect(struct feedbox *b)
{
	feed_reset(b->f);
	feed_welcome(b->f);
}

void
feedbox_close(struct feedbox *b)
{
	feedbox_close_writer(b);
	mapbox_fini(&b->box);
	free(b);
}

struct feedbox_message *
feedbox_message(uint64_t revision, bool publish)
{
	struct feedbox_message *m = xcalloc(1, sizeof *m);

	ns__feed__init(&m->feed);
	m->feed.revision = revision;
	m->feed.publish = publish;
	m->feed.zones = m->ptr;
	return m;
}

void
feedbox_zone(uint32_t number, uint32_t stamp, unsigned from, unsigned n, bool soa, struct wbuf *out)
{
	struct rrpile *pile = rrpile_new();
	uint8_t name[64];
	struct zonetext *zt;
	struct ns_why why;
	uint64_t records;
	char line[256];

	mapbox_name(number, name);
	zt = zonetext_new(name, pile);
	snprintf(line, sizeof line,
	    "$TTL 300\n@ SOA ns1 hostmaster %u 7200 3600 1209600 300\n@ NS ns1\n@ NS ns2\n", stamp);
	assert_int_equal(
	    zonetext_feed(zt, soa ? line : "$TTL 300\n", strlen(soa ? line : "$TTL 300\n"), &why),
	    NS_OK);
	for (unsigned i = from; i < from + n; i++) {
		snprintf(line, sizeof line, "h%05u A 10.%u.%u.%u\n", i, stamp >> 8 & 255,
		    stamp & 255, i & 255);
		assert_int_equal(zonetext_feed(zt, line, strlen(line), &why), NS_OK);
	}
	assert_int_equal(zonetext_end(zt, &why), NS_OK);
	*out = wbuf_grow(64u << 20);
	assert_int_equal(rrpile_to_zwire(pile, out, &records, &why), NS_OK);
	zonetext_destroy(&zt);
	rrpile_destroy(&pile);
}

Ns__FeedZone *
feedbox_add(struct feedbox_message *m, Ns__FeedZone__Kind kind, uint32_t number, uint64_t version)
{
	size_t i = m->feed.n_zones++;
	Ns__FeedZone *z = &m->zone[i];

	ns__feed_zone__init(z);
	m->ptr[i] = z;
	z->kind = kind;
	z->version = version;
	z->name =
	    (ProtobufCBinaryData){ .len = mapbox_name(number, m->name[i]), .data = m->name[i] };
	return z;
}

Ns__FeedZone *
feedbox_add_text(struct feedbox_message *m, Ns__FeedZone__Kind kind, uint32_t number,
    uint64_t version, unsigned hosts)
{
	Ns__FeedZone *z = feedbox_add(m, kind, number, version);
	struct wbuf *w = &m->zwire[m->feed.n_zones - 1];

	feedbox_zone(number, (uint32_t)version, 0, hosts, true, w);
	z->zwire = (ProtobufCBinaryData){ .len = w->len, .data = w->base };
	return z;
}

void
feedbox_deliver(struct feedbox *b, struct feedbox_message *m)
{
	feed_apply(b->f, &m->feed);
	for (size_t i = 0; i < m->feed.n_zones; i++)
		wbuf_free(&m->zwire[i]);
	free(m);
}

void
feedbox_replace(struct feedbox *b, uint32_t number, uint64_t version, unsigned hosts)
{
	struct feedbox_message *m = feedbox_message(version, true);

	feedbox_add_text(m, NS__FEED_ZONE__KIND__REPLACE, number, version, hosts);
	feedbox_deliver(b, m);
}

void
feedbox_delta(struct feedbox *b, uint32_t number, uint64_t base, uint64_t version, unsigned hosts)
{
	struct feedbox_message *m = feedbox_message(version, true);

	feedbox_add_text(m, NS__FEED_ZONE__KIND__DELTA, number, version, hosts)->base_version =
	    base;
	feedbox_deliver(b, m);
}

void
feedbox_delete(struct feedbox *b, uint32_t number, uint64_t version)
{
	struct feedbox_message *m = feedbox_message(version, true);

	feedbox_add(m, NS__FEED_ZONE__KIND__DELETE, number, version);
	feedbox_deliver(b, m);
}

void
feedbox_expect(struct feedbox *b, uint32_t number, uint64_t version, unsigned hosts)
{
	struct zone_digest *zd = zone_digest_new();
	uint8_t want[32], got[32];
	uint64_t have = 0;
	struct map_view v;
	struct wbuf w;

	assert_true(writer_view(b->w, &v));
	if (version == 0) {
		assert_int_equal(mapbox_lookup(&v, number), 0);
		zone_digest_end(&zd, want);
		return;
	}
	feedbox_zone(number, (uint32_t)version, 0, hosts, true, &w);
	zone_digest_add(zd, w.base, w.len);
	zone_digest_end(&zd, want);
	assert_int_equal(image_digest(&v, mapbox_lookup(&v, number), got, &have), NS_OK);
	assert_int_equal(have, version);
	assert_memory_equal(want, got, 32);
	wbuf_free(&w);
}
