// link: appliance/signer/feed.c appliance/signer/feedzone.c appliance/signer/feedmake.c appliance/signer/feedlost.c appliance/signer/names.c appliance/signer/compile.c appliance/signer/making.c appliance/signer/current.c appliance/signer/sources.c appliance/signer/content.c appliance/signer/signed.c appliance/signer/sigfile.c appliance/signer/sigframe.c appliance/signer/signcheck.c appliance/signer/sidecheck.c appliance/signer/signtables.c appliance/signer/resign.c appliance/signer/resign3.c appliance/signer/polbook.c appliance/signer/zonesign.c appliance/signer/hashsort.c appliance/signer/signowner.c appliance/signer/emissions.c appliance/signer/aliassign.c appliance/signer/aliassets.c appliance/signer/aliasbook.c appliance/signer/sheet.c appliance/signer/typemap.c appliance/signer/rrsig.c appliance/signer/keys.c appliance/signer/apexset.c tests/lib/keykit.c
/* Any octets as a Feed, after a good one and before another, of zones that are signed here, that are not, and whose keys
 * do not open: nothing faults, the map adds up, and the zone that nobody named is still served as it was. */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "appliance/dns/name.h"
#include "appliance/signer/aliasbook.h"
#include "appliance/signer/feed.h"
#include "appliance/zonemap/hash.h"
#include "appliance/zonemap/image.h"
#include "ipc/base/wbuf.h"
#include "tests/fuzz/fuzz.h"
#include "tests/lib/keykit.h"

#define NOW 1795000000u

static const uint8_t kept[] = "\004kept\007example";
static unsigned asks;
static enum zone_denial denial; /* of who is signed */

static void
on_ask(void *arg, const uint8_t *name, const char *why)
{
	(void)arg;
	asks++;
	CHECK(name != NULL && why != NULL);
}

static void
on_ask_all(void *arg)
{
	(void)arg;
}

static void
on_published(void *arg, bool full, const char *text)
{
	(void)arg;
	(void)full;
	CHECK(text != NULL);
}

static void
on_refused(void *arg, const uint8_t *name, const struct ns_why *why)
{
	(void)arg;
	CHECK(name != NULL && why != NULL);
}

static void
on_staged(void *arg, const uint8_t *name)
{
	(void)arg;
	CHECK(name != NULL);
}

/* By the name: kept.example. is not signed. */
static enum keys_found
on_keys(void *arg, const uint8_t *apex, struct zone_keys **out, struct ns_why *why)
{
	size_t len = name_len(apex);

	(void)arg;
	if (len % 4 == sizeof kept % 4)
		return KEYS_NONE;
	if (len % 4 == 0) {
		ns_fail(why, NS_DENIED, 1, "locked");
		return KEYS_LOCKED;
	}
	*out = keykit_new(apex, KEY_ED25519, denial, NOW);
	return KEYS_FOUND;
}

static uint32_t
on_now(void *arg)
{
	(void)arg;
	return NOW;
}

static void
on_check(void *arg, const uint8_t *apex, uint64_t check)
{
	(void)arg;
	(void)check;
	CHECK(apex != NULL);
}

static void
on_cut(void *arg, const uint8_t *apex, const uint8_t *owner)
{
	(void)arg;
	(void)owner;
	CHECK(apex != NULL);
}

static void
put_set(struct wbuf *w, uint16_t type, const void *rdata, uint16_t len)
{
	wbuf_u8(w, sizeof kept);
	wbuf_put(w, kept, sizeof kept);
	wbuf_u16(w, type);
	wbuf_u16(w, 0);
	wbuf_u32(w, 300);
	wbuf_u16(w, 1);
	wbuf_u32(w, 2u + len);
	wbuf_u16(w, len);
	wbuf_put(w, rdata, len);
}

/* SOA and NS of kept.example. */
static void
feed_good(struct feed *f)
{
	static const uint8_t soa[22] = { 0 }, ns[1] = { 0 };
	uint8_t mem[256];
	struct wbuf w = wbuf_init(mem, sizeof mem);
	Ns__Feed feed = NS__FEED__INIT;
	Ns__FeedZone zone = NS__FEED_ZONE__INIT, *zones = &zone;

	put_set(&w, 2, ns, sizeof ns);
	put_set(&w, 6, soa, sizeof soa);
	CHECK(wbuf_ok(&w));
	zone.name = (ProtobufCBinaryData){ .len = sizeof kept, .data = (uint8_t *)(uintptr_t)kept };
	zone.version = 1;
	zone.zwire = (ProtobufCBinaryData){ .len = w.len, .data = mem };
	feed.revision = 1;
	feed.publish = true;
	feed.zones = &zones;
	feed.n_zones = 1;
	feed_apply(f, &feed);
}

static bool
names_kept(const Ns__Feed *feed)
{
	if (feed->start_over)
		return true;
	for (size_t i = 0; i < feed->n_zones; i++)
		if (feed->zones[i]->name.len == sizeof kept)
			return true;
	return false;
}

/* What else becomes of the zones that it names. */
static void
goes_on(struct feed *f, const Ns__Feed *feed)
{
	Ns__Feed none = NS__FEED__INIT;

	for (size_t i = 0; i < feed->n_zones; i++) {
		const ProtobufCBinaryData *name = &feed->zones[i]->name;

		if (name->len == 0 || name_check(name->data, name->len) != name->len)
			continue;
		(void)feed_refresh(f, name->data, i % 2 == 0);
		feed_keys_change(f, name->data);
		feed_keys_changed(f, name->data);
	}
	none.publish = true;
	feed_apply(f, &none);
	while (feed_make(f, 0) == FEED_MORE)
		continue;
}

static void
run(struct writer *w, const Ns__Feed *feed)
{
	struct feed_calls calls = { .ask = on_ask,
		.ask_all = on_ask_all,
		.published = on_published,
		.refused = on_refused,
		.fit = on_staged,
		.staged = on_staged,
		.keys = on_keys,
		.now = on_now,
		.check = on_check,
		.cut = on_cut,
		.book = aliasbook_new() };
	struct feed *f = feed_new(w, &calls);
	struct map_view v;
	uint8_t sum[32];
	uint64_t version;
	map_off off;

	denial = (enum zone_denial)(feed->revision % 3);
	feed_welcome(f);
	feed_good(f);
	off = writer_zone_find(w, kept);
	CHECK(off != 0);
	feed_apply(f, feed);
	feed_retry(f);
	feed_held_too_long(f);
	if (!names_kept(feed)) {
		CHECK(writer_view(w, &v));
		CHECK(map_zone_lookup(&v, zone_hash(v.map->header->hash_key, kept, sizeof kept),
			  kept, sizeof kept) == off);
		CHECK(image_digest(&v, off, sum, &version) == NS_OK && version == 1);
	}
	goes_on(f, feed);
	feed_apply(f, feed);
	feed_reset(f);
	writer_check(w);
	feed_destroy(&f);
	aliasbook_destroy(&calls.book);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct worker_page page;
	struct worker_page *pages[] = { &page };
	Ns__Feed *feed = ns__feed__unpack(NULL, size, data);
	struct writer *w = NULL;
	struct ns_why why;
	int fd;

	if (feed == NULL)
		return -1;
	fd = memfd_create("fuzz", MFD_CLOEXEC);
	CHECK(fd >= 0 && ftruncate(fd, MAP_PAGE) == 0);
	CHECK(writer_open(fd, 16u << 20, 1, pages, 1, &w, &why) == NS_OK);
	run(w, feed);
	writer_close(&w);
	close(fd);
	ns__feed__free_unpacked(feed, NULL);
	return 0;
}
