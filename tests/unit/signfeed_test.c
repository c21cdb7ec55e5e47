/* signfeed - zones with keys through the feed: signed whole and by edits, refused when unfit, other keys, time. */
// link: appliance/signer/feed.c appliance/signer/feedzone.c appliance/signer/feedmake.c appliance/signer/feedlost.c appliance/signer/names.c appliance/signer/compile.c appliance/signer/making.c appliance/signer/current.c appliance/signer/sources.c appliance/signer/content.c appliance/signer/signed.c appliance/signer/sigfile.c appliance/signer/signcheck.c appliance/signer/signtables.c appliance/signer/resign.c appliance/signer/resign3.c appliance/signer/polbook.c appliance/signer/zonesign.c appliance/signer/hashsort.c appliance/signer/signowner.c appliance/signer/emissions.c appliance/signer/aliassign.c appliance/signer/aliassets.c appliance/signer/aliasbook.c appliance/signer/sheet.c appliance/signer/typemap.c appliance/signer/rrsig.c appliance/signer/keys.c appliance/signer/apexset.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "appliance/dns/rrtype.h"
#include "appliance/signer/apexset.h"
#include "appliance/signer/content.h"
#include "appliance/signer/feed.h"
#include "appliance/signer/sigfile.h"
#include "appliance/signer/signcheck.h"
#include "appliance/signer/signed.h"
#include "ipc/base/xalloc.h"
#include "tests/lib/keykit.h"
#include "tests/lib/mapbox.h"
#include "tests/lib/zonebox.h"

#define NOW    1795000000u
#define DAY    86400u
#define OWNERS 40u
#define TEXT   256u
#define ALL    UINT64_MAX
#define FILLER 300u /* names that make the image a tree */

struct bench {
	struct mapbox box;
	struct writer *w;
	struct feed *f;
	struct zone_keys *keys; /* NULL: not signed */
	bool locked, large, held; /* held: large zones stay in the making until make_all() */
	unsigned slices;
	uint32_t now;
	unsigned asks, publishes, refusals;
	struct ns_why why;
	/* the zone as it should be */
	char line[OWNERS][TEXT]; /* of owner i; "": none */
	uint32_t serial;
	uint64_t seed;
	int fd[2]; /* of the file of signatures; 0: none */
	struct sigfile *file;
};

static const uint8_t *
apex(void)
{
	return zonebox_name("s.example.");
}

static void
on_ask(void *arg, const uint8_t *name, const char *why)
{
	(void)name;
	(void)why;
	((struct bench *)arg)->asks++;
}

static void
on_ask_all(void *arg)
{
	(void)arg;
	fail();
}

static void
on_published(void *arg, bool full, const char *text)
{
	(void)text;
	assert_false(full);
	((struct bench *)arg)->publishes++;
}

static void
on_refused(void *arg, const uint8_t *name, const struct ns_why *why)
{
	struct bench *b = arg;

	(void)name;
	b->refusals++;
	b->why = *why;
}

static void
on_staged(void *arg, const uint8_t *name)
{
	(void)arg;
	(void)name;
}

static enum keys_found
on_keys(void *arg, const uint8_t *name, struct zone_keys **out, struct ns_why *why)
{
	struct bench *b = arg;

	if (!name_equal(name, apex()))
		return KEYS_NONE;
	if (b->locked) {
		(void)ns_fail(why, NS_DENIED, 1, "the key cannot be opened");
		return KEYS_LOCKED;
	}
	if (b->keys == NULL)
		return KEYS_NONE;
	*out = zone_keys_ref(b->keys);
	return KEYS_FOUND;
}

static uint32_t
on_now(void *arg)
{
	return ((struct bench *)arg)->now;
}

/* A map that nobody has written to, and the file of signatures as it is. */
static void
start(struct bench *b)
{
	const int fd[2] = { dup(b->fd[0]), dup(b->fd[1]) };
	const struct feed_calls calls = { .ask = on_ask,
		.ask_all = on_ask_all,
		.published = on_published,
		.refused = on_refused,
		.fit = on_staged,
		.staged = on_staged,
		.arg = b,
		.keys = on_keys,
		.now = on_now,
		.file = b->file = sigfile_open(fd) };
	struct ns_why why;

	mapbox_init(&b->box, 64u << 20);
	assert_int_equal(
	    writer_open(b->box.fd, b->box.limit, 1, b->box.page, BOX_PAGES, &b->w, &why), NS_OK);
	b->f = feed_new(b->w, &calls);
	feed_welcome(b->f);
}

static void
stop(struct bench *b)
{
	feed_destroy(&b->f);
	sigfile_close(&b->file);
	writer_check(b->w);
	writer_close(&b->w);
	mapbox_fini(&b->box);
}

static struct bench *
bench_open(enum key_algorithm algorithm, enum zone_denial denial)
{
	struct bench *b = xcalloc(1, sizeof *b);

	b->now = NOW;
	b->seed = denial + algorithm;
	b->fd[0] = memfd_create("a", 0);
	b->fd[1] = memfd_create("b", 0);
	start(b);
	b->keys = keykit_new(apex(), algorithm, denial, NOW);
	return b;
}

static void
bench_close(struct bench *b)
{
	stop(b);
	zone_keys_unref(&b->keys);
	(void)close(b->fd[0]);
	(void)close(b->fd[1]);
	free(b);
}

/* ---- the zone ---- */

/* Names that hide, are hidden, make empty non-terminals, and wildcards. */
static void
owner_name(unsigned i, char out[64])
{
	static const char *const shapes[] = { "a", "x.a", "y.x.a", "*.a", "deep.er.e" };

	(void)snprintf(out, 64, "%s%u", shapes[i % 5], i / 5);
}

static void
random_lines(struct bench *b, unsigned i)
{
	static const struct {
		const char *before, *after;
	} kinds[] = { { "A 192.0.2.", "" }, { "TXT \"t", "\"" }, { "NS ns", ".elsewhere." },
		{ "DNAME d", ".elsewhere." } };
	char name[64], *to = b->line[i];
	unsigned kind = (unsigned)(mapbox_random(&b->seed) % 12), n = 0;
	unsigned value = (unsigned)(mapbox_random(&b->seed) % 250);

	owner_name(i, name);
	if (kind > 4)
		kind = kind % 2;
	if (strncmp(name, "*", 1) == 0 && (kind == 2 || kind == 3))
		kind = 0;
	*to = '\0';
	if (kind == 4)
		return;
	n += (unsigned)snprintf(
	    to, TEXT, "%s %s%u%s", name, kinds[kind].before, value, kinds[kind].after);
	if (kind == 2 && value % 2 == 0)
		n += (unsigned)snprintf(to + n, TEXT - n, "\n%s DS 1 13 2 %064u", name, value);
	(void)snprintf(to + n, TEXT - n, "\n");
}

/* Those owners; all of them: with what fills the zone up. */
static struct wbuf
zone_text(struct bench *b, uint64_t owners)
{
	char *text = xcalloc(1, 1 << 18);
	size_t n = (size_t)sprintf(text,
	    "$TTL 600\n@ SOA ns.elsewhere. h.elsewhere. %u 7200 3600 1209600 300\n"
	    "@ NS ns.elsewhere.\n@ MX 10 Mail.elsewhere.\n",
	    b->serial);
	uint64_t records;
	struct wbuf out;

	for (unsigned i = 0; i < OWNERS; i++) {
		if ((owners >> i & 1) != 0)
			n += (size_t)sprintf(text + n, "%s", b->line[i]);
	}
	for (unsigned i = 0; b->large && owners == ALL && i < FILLER; i++)
		n += (size_t)sprintf(text + n, "f%u TXT \"%0200u\"\n", i * 7 % FILLER, i);
	out = zonebox_zwire("s.example.", text, n, n, &records);
	free(text);
	return out;
}

/* All that is in the making, as small a slice at a time as there is. */
static void
make_all(struct bench *b)
{
	while (feed_make(b->f, 0) == FEED_MORE)
		b->slices++;
}

static void
send_feed(struct bench *b, const Ns__Feed *feed)
{
	feed_apply(b->f, feed);
	if (!b->held)
		make_all(b);
}

static void
send_zone(
    struct bench *b, Ns__FeedZone__Kind kind, const struct wbuf *zwire, const struct wbuf *gone)
{
	Ns__Feed feed = NS__FEED__INIT;
	Ns__FeedZone z = NS__FEED_ZONE__INIT, *ptr = &z;
	uint8_t name[NAME_MAX_WIRE];

	memcpy(name, apex(), name_len(apex()));
	feed.revision = b->serial;
	feed.publish = true;
	feed.n_zones = 1;
	feed.zones = &ptr;
	z.kind = kind;
	z.name = (ProtobufCBinaryData){ .data = name, .len = name_len(name) };
	z.version = b->serial;
	z.base_version = b->serial - 1;
	z.account = 7;
	z.zwire = (ProtobufCBinaryData){ .data = zwire->base, .len = zwire->len };
	if (gone != NULL)
		z.gone = (ProtobufCBinaryData){ .data = gone->base, .len = gone->len };
	send_feed(b, &feed);
}

static void
send_whole(struct bench *b)
{
	struct wbuf zwire;

	b->serial++;
	zwire = zone_text(b, ALL);
	send_zone(b, NS__FEED_ZONE__KIND__REPLACE, &zwire, NULL);
	wbuf_free(&zwire);
}

static void
send_edit(struct bench *b, uint64_t owners)
{
	struct wbuf zwire, gone = wbuf_grow(1 << 16);

	b->serial++;
	for (unsigned i = 0; i < OWNERS; i++) {
		char name[64], full[96];

		if ((owners >> i & 1) == 0 || b->line[i][0] != '\0')
			continue;
		owner_name(i, name);
		(void)snprintf(full, sizeof full, "%s.s.example.", name);
		wbuf_put(&gone, zonebox_name(full), name_len(zonebox_name(full)));
	}
	zwire = zone_text(b, owners);
	send_zone(b, NS__FEED_ZONE__KIND__DELTA, &zwire, &gone);
	wbuf_free(&zwire);
	wbuf_free(&gone);
}

static void
send_keys(struct bench *b)
{
	Ns__Feed feed = NS__FEED__INIT;

	feed.revision = ++b->serial;
	feed.publish = true;
	feed_keys_changed(b->f, apex());
	send_feed(b, &feed);
}

/* ---- what is served ---- */

static bool
served(struct bench *b, struct image_ref *ref)
{
	static struct map_view view;

	return writer_view(b->w, &view) && image_open(&view, writer_zone_find(b->w, apex()), ref);
}

/* What signing all of the content makes, with the signatures that are there: every one of them is, and no octet else. */
static void
expect_whole(struct bench *b, const struct wbuf *content, const struct wbuf *all)
{
	struct wbuf out = wbuf_grow(1 << 22);
	struct signed_image image;
	struct map_view view;
	const struct zonesign how = { .apex = apex(),
		.keys = b->keys,
		.now = b->now,
		.signer = rrsigner_new(),
		.have = signed_find,
		.had_emissions = signed_emissions,
		.arg = &image };
	struct rrsigner *signer = how.signer;
	struct zonesign_done done;
	struct ns_why why = { 0 };

	assert_true(writer_view(b->w, &view));
	assert_true(signed_open(&image, &view, writer_zone_find(b->w, apex())));
	assert_int_equal(zonesign_all(&how, content->base, content->len, &out, &done, &why), NS_OK);
	assert_int_equal(done.made, 0);
	assert_int_equal(out.len, all->len);
	assert_memory_equal(out.base, all->base, out.len);
	signed_close(&image);
	rrsigner_destroy(&signer);
	wbuf_free(&out);
}

/* It is the model's content, and fit with these keys now. */
static void
expect_signed(struct bench *b)
{
	struct wbuf all = wbuf_grow(1 << 22), content = wbuf_grow(1 << 22),
		    want = zone_text(b, ALL);
	struct signcheck check = {
		.apex = apex(),
		.keys = b->keys,
		.now = b->now,
		.signer = rrsigner_new(),
		.fresh = SIGNCHECK_ALL /* those were verified when they were made */
	};
	struct image_walk walk;
	struct image_node node;
	struct image_ref ref;
	struct ns_why why = { 0 };

	assert_true(served(b, &ref));
	assert_true(
	    (ref.image->flags & (IMAGE_HERE | IMAGE_SIGNED)) == (IMAGE_HERE | IMAGE_SIGNED));
	assert_int_equal((ref.image->flags & IMAGE_NSEC3) != 0, b->keys->denial != DENIAL_NSEC);
	image_walk_begin(&walk, &ref);
	while (image_walk_next(&walk, &node))
		assert_true(image_node_zwire(&ref, &node, false, &all));
	if (signcheck_zone(&check, all.base, all.len, &why) != NS_OK)
		fail_msg("%s", why.text);
	assert_true(check.verified > 1);
	assert_true(content_of_image(&ref, &content));
	assert_int_equal(content.len, want.len);
	assert_memory_equal(content.base, want.base, want.len);
	if (b->large)
		expect_whole(b, &content, &all);
	wbuf_free(&all);
	wbuf_free(&content);
	wbuf_free(&want);
	rrsigner_destroy(&check.signer);
}

static void
edits(enum key_algorithm algorithm, enum zone_denial denial, unsigned rounds)
{
	struct bench *b = bench_open(algorithm, denial);
	uint64_t made;

	for (unsigned i = 0; i < OWNERS; i++)
		random_lines(b, i);
	send_whole(b);
	expect_signed(b);
	made = feed_signed(b->f)->made;
	for (unsigned i = 0; i < rounds; i++) {
		unsigned owner = (unsigned)(mapbox_random(&b->seed) % OWNERS);

		random_lines(b, owner);
		send_edit(b, 1ull << owner);
		expect_signed(b);
	}
	assert_int_equal(b->refusals, 0);
	assert_int_equal(b->asks, 0);
	assert_int_equal(b->publishes, 1 + rounds);
	/* SOA, the owner, its neighbours in the chain, and sometimes what it hid: not the zone. */
	assert_in_range(feed_signed(b->f)->made - made, rounds, rounds * 12);
	bench_close(b);
}

/* A zone that is a tree: only what an edit touches is signed, and the whole is what signing all of it makes. */
static void
large_edits(enum zone_denial denial, unsigned rounds)
{
	struct bench *b = bench_open(KEY_ED25519, denial);
	uint64_t made, kept, parts = 0;

	b->large = true;
	for (unsigned i = 0; i < OWNERS; i++)
		random_lines(b, i);
	send_whole(b);
	expect_signed(b);
	for (unsigned i = 0; i < rounds; i++) {
		uint64_t owners = 0;

		made = feed_signed(b->f)->made;
		kept = feed_signed(b->f)->kept;
		for (unsigned n = 1 + (unsigned)(mapbox_random(&b->seed) % 4); n > 0; n--) {
			unsigned owner = (unsigned)(mapbox_random(&b->seed) % OWNERS);

			random_lines(b, owner);
			owners |= 1ull << owner;
		}
		send_edit(b, owners);
		expect_signed(b);
		assert_in_range(feed_signed(b->f)->made - made, 1, 40);
		parts += feed_signed(b->f)->kept - kept < 60 ? 1u : 0u;
	}
	/* The others gave or took away what hides names: the whole zone's business. */
	assert_in_range(parts, rounds / 2, rounds);
	assert_int_equal(b->refusals, 0);
	assert_int_equal(b->asks, 0);
	bench_close(b);
}

static void
test_edits_of_a_large_zone(void **state)
{
	(void)state;
	large_edits(DENIAL_NSEC, 100);
	large_edits(DENIAL_NSEC3, 100);
	large_edits(DENIAL_NSEC3_OPTOUT, 100);
}

/* ---- in slices ---- */

/* Another zone is created or edited: it is published at once, whatever is in the making. */
static void
other_zone(struct bench *b)
{
	static const char text[] = "$TTL 600\n@ SOA ns h 1 2 3 4 5\n@ NS ns.elsewhere.\n";
	uint64_t records;
	struct wbuf zwire =
	    zonebox_zwire("other.example.", text, strlen(text), strlen(text), &records);
	Ns__Feed feed = NS__FEED__INIT;
	Ns__FeedZone z = NS__FEED_ZONE__INIT, *ptr = &z;
	uint8_t name[NAME_MAX_WIRE];
	unsigned publishes = b->publishes;

	memcpy(name, zonebox_name("other.example."), name_len(zonebox_name("other.example.")));
	feed.revision = ++b->serial;
	feed.publish = true;
	feed.n_zones = 1;
	feed.zones = &ptr;
	z.kind = NS__FEED_ZONE__KIND__REPLACE;
	z.name = (ProtobufCBinaryData){ .data = name, .len = name_len(name) };
	z.version = b->serial;
	z.zwire = (ProtobufCBinaryData){ .data = zwire.base, .len = zwire.len };
	feed_apply(b->f, &feed);
	assert_int_equal(b->publishes, publishes + 1);
	assert_int_equal(feed_published(b->f), b->serial);
	wbuf_free(&zwire);
}

/* These changes are told as late, and what a successor goes on from is before them. */
static void
expect_late(struct bench *b, uint64_t from, uint64_t to)
{
	struct ranges late;

	feed_late(b->f, &late);
	assert_int_equal(late.n, 1);
	assert_int_equal(late.of[0].from, from);
	assert_int_equal(late.of[0].to, to);
	assert_int_equal(writer_revision(b->w), from - 1);
}

static void
expect_none_late(struct bench *b)
{
	struct ranges late;

	feed_late(b->f, &late);
	assert_int_equal(late.n, 0);
	assert_int_equal(writer_revision(b->w), b->serial);
	assert_false(feed_is_making(b->f));
}

static struct bench *
large_open(enum zone_denial denial, bool is_signed)
{
	struct bench *b = bench_open(KEY_ED25519, denial);
	struct zone_keys *keys = b->keys;

	b->large = true;
	for (unsigned i = 0; i < OWNERS; i++)
		random_lines(b, i);
	b->keys = is_signed ? keys : NULL;
	send_whole(b);
	b->keys = keys;
	b->held = true;
	return b;
}

static unsigned
flags_served(struct bench *b)
{
	struct image_ref ref;

	assert_true(served(b, &ref));
	return ref.image->flags & (IMAGE_HERE | IMAGE_SIGNED);
}

/* The keys of a large zone come: it is served as it was until it is signed, and others go on. */
static void
test_slices(void **state)
{
	const unsigned both = IMAGE_HERE | IMAGE_SIGNED;

	(void)state;
	for (enum zone_denial denial = DENIAL_NSEC; denial <= DENIAL_NSEC3_OPTOUT; denial++) {
		struct bench *b = large_open(denial, false);

		send_keys(b);
		expect_late(b, 2, 2);
		for (unsigned i = 0; i < 20; i++) {
			assert_int_equal(flags_served(b), 0);
			assert_int_equal(feed_make(b->f, 0), FEED_MORE);
			other_zone(b);
			expect_late(b, 2, 2);
		}
		make_all(b);
		assert_true(b->slices > 300);
		assert_int_equal(flags_served(b), both);
		expect_none_late(b);
		b->serial = 1;
		expect_signed(b);
		assert_int_equal(b->refusals + b->asks, 0);
		bench_close(b);
	}
}

/* What an aborted batch of others leaves of a zone in the making: all of it. */
static void
test_slices_and_aborts(void **state)
{
	struct bench *b = large_open(DENIAL_NSEC3, false);

	(void)state;
	send_keys(b);
	while (feed_make(b->f, 0) == FEED_MORE)
		writer_abort(b->w);
	b->serial = 1;
	expect_signed(b);
	bench_close(b);
}

/* A large zone in the making becomes another: edits wait and are in it; a whole one, other keys, none, deletion and
 * the end of the conversation take its place. */
static void
test_superseded(void **state)
{
	struct zone_keys *other = keykit_new(apex(), KEY_P256, DENIAL_NSEC3, NOW), *none = NULL;
	struct bench *b;

	(void)state;
	for (unsigned at = 0; at < 1200; at += 197) { /* slices that are done by then */
		b = large_open(DENIAL_NSEC, at % 2 == 0);
		if (at % 2 == 0) {
			zone_keys_unref(&b->keys);
			b->keys = zone_keys_ref(other);
		}
		send_keys(b);
		b->serial--; /* keys raise no serial */
		for (unsigned i = 0; i < at; i++)
			(void)feed_make(b->f, 0);
		switch (at % 6) {
		case 0:
		case 1:
			for (unsigned i = 0; i < 3; i++) {
				random_lines(b, i * 7);
				send_edit(b, 1ull << (i * 7));
			}
			break;
		case 2:
			random_lines(b, 5);
			send_whole(b);
			break;
		case 3:
			zone_keys_unref(&b->keys);
			b->keys = zone_keys_ref(other);
			send_keys(b);
			b->serial--;
			break;
		case 4:
			none = b->keys;
			b->keys = NULL;
			send_keys(b);
			break;
		default:
			feed_reset(b->f);
			assert_false(feed_is_making(b->f));
			feed_welcome(b->f);
			send_whole(b);
			break;
		}
		make_all(b);
		if (none != NULL)
			assert_int_equal(flags_served(b), 0);
		else
			expect_signed(b);
		assert_false(feed_is_making(b->f));
		assert_int_equal(feed_published(b->f), writer_revision(b->w));
		assert_int_equal(b->refusals + b->asks, 0);
		zone_keys_unref(&none);
		bench_close(b);
	}
	zone_keys_unref(&other);
}

static void
test_edits(void **state)
{
	(void)state;
	edits(KEY_P256, DENIAL_NSEC, 40);
	edits(KEY_ED25519, DENIAL_NSEC3, 40);
	edits(KEY_P256, DENIAL_NSEC3_OPTOUT, 40);
}

static void
test_keys_change(void **state)
{
	struct bench *b = bench_open(KEY_P256, DENIAL_NSEC);
	struct zone_keys *other = keykit_new(apex(), KEY_ED25519, DENIAL_NSEC3, NOW), *first;
	struct image_ref ref;
	unsigned publishes;
	uint64_t made;

	(void)state;
	for (unsigned i = 0; i < OWNERS; i++)
		random_lines(b, i);
	/* not signed, signed, other keys and denial, opt-out, nothing new, not signed */
	first = b->keys;
	b->keys = NULL;
	send_whole(b);
	assert_true(served(b, &ref));
	assert_int_equal(ref.image->flags & (IMAGE_HERE | IMAGE_SIGNED), 0);
	b->keys = first;
	send_keys(b);
	assert_true(served(b, &ref));
	assert_int_equal(ref.image->account, 7);
	b->serial--; /* keys raise no serial */
	expect_signed(b);
	b->serial++;
	b->keys = other;
	send_keys(b);
	b->serial -= 2;
	expect_signed(b);
	b->serial += 2;
	other->denial = DENIAL_NSEC3_OPTOUT;
	send_keys(b);
	b->serial -= 3;
	expect_signed(b);
	b->serial += 3;
	made = feed_signed(b->f)->made;
	send_keys(b);
	assert_int_equal(feed_signed(b->f)->made, made);
	b->keys = NULL;
	publishes = b->publishes;
	send_keys(b);
	assert_int_equal(b->publishes, publishes + 1);
	assert_true(served(b, &ref));
	assert_int_equal(ref.image->flags & (IMAGE_HERE | IMAGE_SIGNED | IMAGE_NSEC3), 0);
	zone_keys_unref(&first);
	zone_keys_unref(&other);
	bench_close(b);
}

/* What a signer does with a zone that it cannot sign: never serve it unsigned. */
static void
test_locked(void **state)
{
	struct bench *b = bench_open(KEY_P256, DENIAL_NSEC);
	struct image_ref ref;
	unsigned asks;

	(void)state;
	random_lines(b, 0);
	b->locked = true;
	send_whole(b);
	assert_int_equal(b->refusals, 1);
	assert_string_equal(b->why.text, "the key cannot be opened");
	assert_false(served(b, &ref));
	b->locked = false;
	asks = b->asks;
	send_keys(b);
	assert_int_equal(b->asks, asks + 1);
	b->serial--;
	send_whole(b);
	expect_signed(b);
	/* and with one that is there already */
	b->locked = true;
	random_lines(b, 1);
	send_edit(b, 1ull << 1);
	assert_int_equal(b->refusals, 2);
	assert_true(served(b, &ref));
	assert_int_equal(ref.image->version, b->serial - 1);
	assert_true((ref.image->flags & IMAGE_HERE) != 0);
	bench_close(b);
}

/* DNSKEYs that do not belong to the keys: what comes out would be bogus, so it does not come out. */
static void
test_unfit(void **state)
{
	struct bench *b = bench_open(KEY_P256, DENIAL_NSEC);
	struct image_ref ref;

	(void)state;
	random_lines(b, 0);
	send_whole(b);
	expect_signed(b);
	b->keys->key[1].published = false;
	random_lines(b, 1);
	send_edit(b, 1ull << 1);
	assert_int_equal(b->refusals, 1);
	assert_non_null(strstr(b->why.text, "not published"));
	assert_true(served(b, &ref));
	assert_int_equal(ref.image->version, b->serial - 1);
	b->keys->key[1].published = true;
	b->keys->apex[b->keys->apex_len - 1] ^= 1; /* of the signature over CDNSKEY */
	b->serial--;
	send_edit(b, 1ull << 1);
	assert_int_equal(b->refusals, 2);
	b->keys->apex[b->keys->apex_len - 1] ^= 1;
	b->now += 61 * DAY; /* that over the keys ended */
	b->serial--;
	send_edit(b, 1ull << 1);
	assert_int_equal(b->refusals, 3);
	assert_non_null(strstr(b->why.text, "not valid now"));
	b->now = NOW;
	b->serial--;
	send_edit(b, 1ull << 1);
	assert_int_equal(b->refusals, 3);
	expect_signed(b);
	bench_close(b);
}

/* A day after the other: never a signature with less than the spare, never all of them in one day. */
static void
test_refresh(void **state)
{
	struct bench *b = bench_open(KEY_P256, DENIAL_NSEC);
	struct image_ref ref;
	uint64_t all, busiest = 0;

	(void)state;
	for (unsigned i = 0; i < OWNERS; i++)
		random_lines(b, i);
	send_whole(b);
	all = feed_signed(b->f)->made;
	for (unsigned day = 1; day <= 40; day++) {
		uint64_t made = feed_signed(b->f)->made;

		b->now += DAY;
		assert_true(feed_refresh(b->f, apex(), false));
		made = feed_signed(b->f)->made - made;
		busiest = made > busiest ? made : busiest;
		expect_signed(b);
		assert_true(served(b, &ref));
		assert_true((int32_t)(ref.image->expires - b->now) >= (int32_t)RRSIG_SPARE);
	}
	assert_true(busiest < all * 3 / 4);
	assert_in_range(feed_signed(b->f)->made, 5 * all, 12 * all);
	bench_close(b);
}

/* Everything is lost but the file: nothing is signed that was; without it, all is, and is right as well. */
static void
test_start(void **state)
{
	struct bench *b = bench_open(KEY_P256, DENIAL_NSEC3);
	uint64_t all;

	(void)state;
	for (unsigned i = 0; i < OWNERS; i++)
		random_lines(b, i);
	send_whole(b);
	random_lines(b, 3);
	send_edit(b, 1ull << 3);
	all = feed_signed(b->f)->made;
	stop(b);
	start(b);
	b->serial--;
	send_whole(b);
	assert_int_equal(feed_signed(b->f)->made, 0);
	assert_true(feed_signed(b->f)->kept > all / 2);
	expect_signed(b);
	stop(b);
	assert_int_equal(ftruncate(b->fd[0], 1000), 0);
	start(b);
	b->serial--;
	send_whole(b);
	assert_true(feed_signed(b->f)->made > 10);
	expect_signed(b);
	bench_close(b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_edits),
		cmocka_unit_test(test_edits_of_a_large_zone),
		cmocka_unit_test(test_slices),
		cmocka_unit_test(test_slices_and_aborts),
		cmocka_unit_test(test_superseded),
		cmocka_unit_test(test_keys_change),
		cmocka_unit_test(test_locked),
		cmocka_unit_test(test_unfit),
		cmocka_unit_test(test_refresh),
		cmocka_unit_test(test_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
