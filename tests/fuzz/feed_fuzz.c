// link: appliance/signer/feed.c appliance/signer/feedzone.c appliance/signer/feedmake.c appliance/signer/feedlost.c appliance/signer/names.c appliance/signer/compile.c appliance/signer/making.c appliance/signer/current.c appliance/signer/sources.c appliance/signer/content.c appliance/signer/signed.c appliance/signer/sigfile.c appliance/signer/sigframe.c appliance/signer/signcheck.c appliance/signer/sidecheck.c appliance/signer/signtables.c appliance/signer/resign.c appliance/signer/resign3.c appliance/signer/polbook.c appliance/signer/zonesign.c appliance/signer/hashsort.c appliance/signer/signowner.c appliance/signer/emissions.c appliance/signer/aliassign.c appliance/signer/aliassets.c appliance/signer/aliasbook.c appliance/signer/sheet.c appliance/signer/typemap.c appliance/signer/rrsig.c appliance/signer/keys.c
/* Any octets as a Feed, after a good one and before another: nothing faults, the map adds up, and the
 * zone that nobody named is still served as it was. */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "appliance/signer/feed.h"
#include "appliance/zonemap/hash.h"
#include "appliance/zonemap/image.h"
#include "ipc/base/wbuf.h"
#include "tests/fuzz/fuzz.h"

static const uint8_t kept[] = "\004kept\007example";
static unsigned asks;

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

static void
run(struct writer *w, const Ns__Feed *feed)
{
	const struct feed_calls calls = { on_ask, on_ask_all, on_published, on_refused, on_staged,
		on_staged, NULL };
	struct feed *f = feed_new(w, &calls);
	struct map_view v;
	uint8_t sum[32];
	uint64_t version;
	map_off off;

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
	feed_apply(f, feed);
	feed_reset(f);
	writer_check(w);
	feed_destroy(&f);
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
