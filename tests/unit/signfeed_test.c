/* signfeed - zones with keys through the feed: signed whole and by edits, refused when unfit, other keys, time. */
// link: appliance/signer/feed.c appliance/signer/feedzone.c appliance/signer/feedmake.c appliance/signer/feedlost.c appliance/signer/names.c appliance/signer/compile.c appliance/signer/making.c appliance/signer/current.c appliance/signer/sources.c appliance/signer/content.c appliance/signer/signed.c appliance/signer/sigfile.c appliance/signer/sigframe.c appliance/signer/signcheck.c appliance/signer/sidecheck.c appliance/signer/signtables.c appliance/signer/resign.c appliance/signer/resign3.c appliance/signer/polbook.c appliance/signer/zonesign.c appliance/signer/hashsort.c appliance/signer/signowner.c appliance/signer/emissions.c appliance/signer/aliassign.c appliance/signer/aliassets.c appliance/signer/aliasbook.c appliance/signer/sheet.c appliance/signer/typemap.c appliance/signer/rrsig.c appliance/signer/keys.c appliance/signer/apexset.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "appliance/signer/compiler.h"
#include "appliance/signer/sources.h"
#include "tests/lib/keykit.h"
#include "tests/lib/signbox.h"
#include "tests/lib/zonebox.h"

#define DAY 86400u

static void
edits(enum key_algorithm algorithm, enum zone_denial denial, unsigned rounds)
{
	struct signbox *b = signbox_open(algorithm, denial);
	uint64_t made;

	for (unsigned i = 0; i < SIGNBOX_OWNERS; i++)
		signbox_random(b, i);
	signbox_send_whole(b);
	signbox_expect(b);
	made = feed_signed(b->f)->made;
	for (unsigned i = 0; i < rounds; i++) {
		unsigned owner = (unsigned)(mapbox_random(&b->seed) % SIGNBOX_OWNERS);

		signbox_random(b, owner);
		signbox_send_edit(b, 1ull << owner);
		signbox_expect(b);
	}
	assert_int_equal(b->refusals, 0);
	assert_int_equal(b->asks, 0);
	assert_int_equal(b->publishes, 1 + rounds);
	/* SOA, the owner, its neighbours in the chain, and sometimes what it hid: not the zone. */
	assert_in_range(feed_signed(b->f)->made - made, rounds, rounds * 12);
	signbox_close(b);
}

/* A zone that is a tree: only what an edit touches is signed, and the whole is what signing all of it makes. */
static void
large_edits(enum zone_denial denial, unsigned rounds)
{
	struct signbox *b = signbox_open(KEY_ED25519, denial);
	uint64_t made, kept, parts = 0;

	b->large = true;
	for (unsigned i = 0; i < SIGNBOX_OWNERS; i++)
		signbox_random(b, i);
	signbox_send_whole(b);
	signbox_expect(b);
	for (unsigned i = 0; i < rounds; i++) {
		uint64_t owners = 0;

		made = feed_signed(b->f)->made;
		kept = feed_signed(b->f)->kept;
		for (unsigned n = 1 + (unsigned)(mapbox_random(&b->seed) % 4); n > 0; n--) {
			unsigned owner = (unsigned)(mapbox_random(&b->seed) % SIGNBOX_OWNERS);

			signbox_random(b, owner);
			owners |= 1ull << owner;
		}
		signbox_send_edit(b, owners);
		signbox_expect(b);
		assert_in_range(feed_signed(b->f)->made - made, 1, 40);
		parts += feed_signed(b->f)->kept - kept < 60 ? 1u : 0u;
	}
	/* The others gave or took away what hides names: the whole zone's business. */
	assert_in_range(parts, rounds / 2, rounds);
	assert_int_equal(b->refusals, 0);
	assert_int_equal(b->asks, 0);
	signbox_close(b);
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

/* These changes are told as late, and what a successor goes on from is before them. */
static void
expect_late(struct signbox *b, uint64_t from, uint64_t to)
{
	struct ranges late;

	feed_late(b->f, &late);
	assert_int_equal(late.n, 1);
	assert_int_equal(late.of[0].from, from);
	assert_int_equal(late.of[0].to, to);
	assert_int_equal(writer_revision(b->w), from - 1);
}

static void
expect_none_late(struct signbox *b)
{
	struct ranges late;

	feed_late(b->f, &late);
	assert_int_equal(late.n, 0);
	assert_int_equal(writer_revision(b->w), b->serial);
	assert_false(feed_is_making(b->f));
}

static unsigned
flags_served(struct signbox *b)
{
	struct image_ref ref;

	assert_true(signbox_served(b, &ref));
	return ref.image->flags & (IMAGE_HERE | IMAGE_SIGNED);
}

/* The keys of a large zone come: it is served as it was until it is signed, and others go on. */
static void
test_slices(void **state)
{
	const unsigned both = IMAGE_HERE | IMAGE_SIGNED;

	(void)state;
	for (enum zone_denial denial = DENIAL_NSEC; denial <= DENIAL_NSEC3_OPTOUT; denial++) {
		struct signbox *b = signbox_open_large(denial, false);

		signbox_send_keys(b);
		expect_late(b, 2, 2);
		for (unsigned i = 0; i < 20; i++) {
			assert_int_equal(flags_served(b), 0);
			assert_int_equal(feed_make(b->f, 0), FEED_MORE);
			signbox_send_other(b);
			expect_late(b, 2, 2);
		}
		signbox_make_all(b);
		assert_true(b->slices > 300);
		assert_int_equal(flags_served(b), both);
		expect_none_late(b);
		b->serial = 1;
		signbox_expect(b);
		assert_int_equal(b->refusals + b->asks, 0);
		signbox_close(b);
	}
}

/* What an aborted batch of others leaves of a zone in the making: all of it. */
static void
test_slices_and_aborts(void **state)
{
	struct signbox *b = signbox_open_large(DENIAL_NSEC3, false);

	(void)state;
	signbox_send_keys(b);
	while (feed_make(b->f, 0) == FEED_MORE)
		writer_abort(b->w);
	b->serial = 1;
	signbox_expect(b);
	signbox_close(b);
}

/* A large zone in the making becomes another: edits wait and are in it; a whole one, other keys, none, deletion and
 * the end of the conversation take its place. */
static void
test_superseded(void **state)
{
	struct zone_keys *other = keykit_new(signbox_apex(), KEY_P256, DENIAL_NSEC3, SIGNBOX_NOW),
			 *none = NULL;
	struct signbox *b;

	(void)state;
	for (unsigned at = 0; at < 1200; at += 197) { /* slices that are done by then */
		b = signbox_open_large(DENIAL_NSEC, at % 2 == 0);
		if (at % 2 == 0) {
			zone_keys_unref(&b->keys);
			b->keys = zone_keys_ref(other);
		}
		signbox_send_keys(b);
		b->serial--; /* keys raise no serial */
		for (unsigned i = 0; i < at; i++)
			(void)feed_make(b->f, 0);
		switch (at % 6) {
		case 0:
		case 1:
			for (unsigned i = 0; i < 3; i++) {
				signbox_random(b, i * 7);
				signbox_send_edit(b, 1ull << (i * 7));
			}
			break;
		case 2:
			signbox_random(b, 5);
			signbox_send_whole(b);
			break;
		case 3:
			zone_keys_unref(&b->keys);
			b->keys = zone_keys_ref(other);
			signbox_send_keys(b);
			b->serial--;
			break;
		case 4:
			none = b->keys;
			b->keys = NULL;
			signbox_send_keys(b);
			break;
		default:
			feed_reset(b->f);
			assert_false(feed_is_making(b->f));
			feed_welcome(b->f);
			signbox_send_whole(b);
			break;
		}
		signbox_make_all(b);
		if (none != NULL)
			assert_int_equal(flags_served(b), 0);
		else
			signbox_expect(b);
		assert_false(feed_is_making(b->f));
		assert_int_equal(feed_published(b->f), writer_revision(b->w));
		assert_int_equal(b->refusals + b->asks, 0);
		zone_keys_unref(&none);
		signbox_close(b);
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
	struct signbox *b = signbox_open(KEY_P256, DENIAL_NSEC);
	struct zone_keys *other =
			     keykit_new(signbox_apex(), KEY_ED25519, DENIAL_NSEC3, SIGNBOX_NOW),
			 *first;
	struct image_ref ref;
	unsigned publishes;
	uint64_t made;

	(void)state;
	for (unsigned i = 0; i < SIGNBOX_OWNERS; i++)
		signbox_random(b, i);
	/* not signed, signed, other keys and denial, opt-out, nothing new, not signed */
	first = b->keys;
	b->keys = NULL;
	signbox_send_whole(b);
	assert_true(signbox_served(b, &ref));
	assert_int_equal(ref.image->flags & (IMAGE_HERE | IMAGE_SIGNED), 0);
	b->keys = first;
	signbox_send_keys(b);
	assert_true(signbox_served(b, &ref));
	assert_int_equal(ref.image->account, 7);
	b->serial--; /* keys raise no serial */
	signbox_expect(b);
	b->serial++;
	b->keys = other;
	signbox_send_keys(b);
	b->serial -= 2;
	signbox_expect(b);
	b->serial += 2;
	other->denial = DENIAL_NSEC3_OPTOUT;
	signbox_send_keys(b);
	b->serial -= 3;
	signbox_expect(b);
	b->serial += 3;
	made = feed_signed(b->f)->made;
	signbox_send_keys(b);
	assert_int_equal(feed_signed(b->f)->made, made);
	b->keys = NULL;
	publishes = b->publishes;
	signbox_send_keys(b);
	assert_int_equal(b->publishes, publishes + 1);
	assert_true(signbox_served(b, &ref));
	assert_int_equal(ref.image->flags & (IMAGE_HERE | IMAGE_SIGNED | IMAGE_NSEC3), 0);
	zone_keys_unref(&first);
	zone_keys_unref(&other);
	signbox_close(b);
}

/* What a signer does with a zone that it cannot sign: never serve it unsigned. */
static void
test_locked(void **state)
{
	struct signbox *b = signbox_open(KEY_P256, DENIAL_NSEC);
	struct image_ref ref;
	unsigned asks;

	(void)state;
	signbox_random(b, 0);
	b->locked = true;
	signbox_send_whole(b);
	assert_int_equal(b->refusals, 1);
	assert_string_equal(b->why.text, "the key cannot be opened");
	assert_false(signbox_served(b, &ref));
	b->locked = false;
	asks = b->asks;
	signbox_send_keys(b);
	assert_int_equal(b->asks, asks + 1);
	b->serial--;
	signbox_send_whole(b);
	signbox_expect(b);
	/* and with one that is there already */
	b->locked = true;
	signbox_random(b, 1);
	signbox_send_edit(b, 1ull << 1);
	assert_int_equal(b->refusals, 2);
	assert_true(signbox_served(b, &ref));
	assert_int_equal(ref.image->version, b->serial - 1);
	assert_true((ref.image->flags & IMAGE_HERE) != 0);
	signbox_close(b);
}

/* DNSKEYs that do not belong to the keys: what comes out would be bogus, so it does not come out. */
static void
test_unfit(void **state)
{
	struct signbox *b = signbox_open(KEY_P256, DENIAL_NSEC);
	struct image_ref ref;

	(void)state;
	signbox_random(b, 0);
	signbox_send_whole(b);
	signbox_expect(b);
	b->keys->key[1].published = false;
	signbox_random(b, 1);
	signbox_send_edit(b, 1ull << 1);
	assert_int_equal(b->refusals, 1);
	assert_non_null(strstr(b->why.text, "of keys that are not published"));
	assert_true(signbox_served(b, &ref));
	assert_int_equal(ref.image->version, b->serial - 1);
	b->keys->key[1].published = true;
	b->keys->apex[b->keys->apex_len - 1] ^= 1; /* of the signature over CDNSKEY */
	b->serial--;
	signbox_send_edit(b, 1ull << 1);
	assert_int_equal(b->refusals, 2);
	b->keys->apex[b->keys->apex_len - 1] ^= 1;
	b->now += 61 * DAY; /* that over the keys ended */
	b->serial--;
	signbox_send_edit(b, 1ull << 1);
	assert_int_equal(b->refusals, 3);
	assert_non_null(strstr(b->why.text, "not valid now"));
	b->now = SIGNBOX_NOW;
	b->serial--;
	signbox_send_edit(b, 1ull << 1);
	assert_int_equal(b->refusals, 3);
	signbox_expect(b);
	signbox_close(b);
}

/* An algorithm roll: the new one's signatures come before its DNSKEY, the old one's go after it (RFC 6781 4.1.4). */
static void
test_signatures_outlast_their_key(void **state)
{
	struct signbox *b = signbox_open(KEY_P256, DENIAL_NSEC);
	struct zone_keys *other = keykit_new(signbox_apex(), KEY_ED25519, DENIAL_NSEC, SIGNBOX_NOW);
	uint64_t made;

	(void)state;
	for (unsigned i = 0; i < SIGNBOX_OWNERS; i++)
		signbox_random(b, i);
	signbox_send_whole(b);
	made = feed_signed(b->f)->made;
	b->keys->key[2] = other->key[1]; /* the ZSK alone */
	b->keys->key[2].published = false;
	b->keys->n = 3;
	signbox_send_keys(b);
	assert_int_equal(b->refusals, 0);
	assert_int_equal(feed_signed(b->f)->made, 2 * made);
	b->serial = 1; /* keys raise none */
	signbox_expect(b);
	b->keys->key[2].signs = false;
	signbox_send_keys(b);
	b->serial = 1;
	signbox_expect(b);
	assert_int_equal(b->refusals, 0);
	b->keys->n = 2;
	signbox_close(b);
	zone_keys_unref(&other);
}

/* While a large zone is made its image becomes another one: what that has signed is taken from there. */
static void
test_signatures_come_from_the_newest_image(void **state)
{
	struct signbox *b = signbox_open(KEY_ED25519, DENIAL_NSEC);
	struct compile_zone zone = { .apex = signbox_apex(), .keys = b->keys, .now = b->now };
	struct compiler *c = compiler_new(b->w, NULL);
	uint8_t out[RRSIG_MAX];
	char text[128];
	struct sources from;
	struct zonesign how;
	struct zwire_iter it;
	struct wbuf served;
	struct rrset soa;
	uint64_t n;

	(void)state;
	signbox_send_whole(b);
	zone.old = writer_zone_find(b->w, signbox_apex());
	sources_open(&from, c, &zone);
	how = sources_how(&from, &zone);
	signbox_random(b, 1);
	signbox_send_edit(b, 1ull << 1);
	n = (uint64_t)snprintf(text, sizeof text,
	    "$TTL 600\n@ SOA ns.elsewhere. h.elsewhere. %u 7200 3600 1209600 300\n", b->serial);
	served = zonebox_zwire("s.example.", text, n, n, &n);
	it = zwire_iter(served.base, served.len);
	assert_true(zwire_next(&it, &soa));
	assert_true(how.have(how.arg, &soa, &b->keys->key[1], out) == 0);
	zone.old = writer_zone_find(b->w, signbox_apex());
	sources_moved(&from);
	assert_true(how.have(how.arg, &soa, &b->keys->key[1], out) > 0);
	sources_close(&from);
	compiler_destroy(&c);
	wbuf_free(&served);
	signbox_close(b);
}

/* A day after the other: never a signature with less than the spare, never all of them in one day. */
static void
test_refresh(void **state)
{
	struct signbox *b = signbox_open(KEY_P256, DENIAL_NSEC);
	struct image_ref ref;
	uint64_t all, busiest = 0;

	(void)state;
	for (unsigned i = 0; i < SIGNBOX_OWNERS; i++)
		signbox_random(b, i);
	signbox_send_whole(b);
	all = feed_signed(b->f)->made;
	for (unsigned day = 1; day <= 40; day++) {
		uint64_t made = feed_signed(b->f)->made;

		b->now += DAY;
		assert_true(feed_refresh(b->f, signbox_apex(), FEED_DUE));
		made = feed_signed(b->f)->made - made;
		busiest = made > busiest ? made : busiest;
		signbox_expect(b);
		assert_true(signbox_served(b, &ref));
		assert_true((int32_t)(ref.image->expires - b->now) >= (int32_t)RRSIG_SPARE);
	}
	assert_true(busiest < all * 3 / 4);
	assert_in_range(feed_signed(b->f)->made, 5 * all, 12 * all);
	signbox_close(b);
}

/* Everything is lost but the file: nothing is signed that was; without it, all is, and is right as well. */
static void
test_start(void **state)
{
	struct signbox *b = signbox_open(KEY_P256, DENIAL_NSEC3);
	uint64_t all;

	(void)state;
	for (unsigned i = 0; i < SIGNBOX_OWNERS; i++)
		signbox_random(b, i);
	signbox_send_whole(b);
	signbox_random(b, 3);
	signbox_send_edit(b, 1ull << 3);
	all = feed_signed(b->f)->made;
	signbox_stop(b);
	signbox_start(b);
	b->serial--;
	signbox_send_whole(b);
	assert_int_equal(feed_signed(b->f)->made, 0);
	assert_true(feed_signed(b->f)->kept > all / 2);
	signbox_expect(b);
	signbox_stop(b);
	assert_int_equal(ftruncate(b->fd[0], 1000), 0);
	signbox_start(b);
	b->serial--;
	signbox_send_whole(b);
	assert_true(feed_signed(b->f)->made > 10);
	signbox_expect(b);
	signbox_close(b);
}

static struct signbox *
start_closed(enum zone_denial denial, bool large)
{
	struct signbox *b = signbox_open(KEY_P256, denial);

	b->large = large;
	for (unsigned i = 0; i < SIGNBOX_OWNERS; i++)
		signbox_random(b, i);
	signbox_send_whole(b);
	signbox_stop(b);
	b->now += 60; /* what was signed this second counts as new */
	b->closed = b->start = true;
	return b;
}

/* Keys are opened by the first signature that has to be made; where that cannot be, what is served stays. */
static void
test_closed_keys(void **state)
{
	struct signbox *b = start_closed(DENIAL_NSEC, false);
	struct image_ref ref;
	uint64_t loaded;

	(void)state;
	signbox_start(b);
	b->locked = true;
	b->serial--;
	signbox_send_whole(b);
	assert_int_equal(b->opens + b->refusals + feed_signed(b->f)->made, 0);
	assert_true(!feed_is_loading(b->f, &loaded) && loaded == 1);
	assert_in_range(feed_signed(b->f)->verified, 0, feed_signed(b->f)->kept / 64 + 1);
	signbox_expect(b);
	signbox_random(b, 3);
	signbox_send_edit(b, 1ull << 3);
	assert_int_equal(b->refusals, 1);
	assert_string_equal(b->why.text, "the key cannot be opened");
	assert_true(signbox_served(b, &ref));
	assert_int_equal(ref.image->version, b->serial - 1);
	b->locked = false;
	b->start = false;
	signbox_send_whole(b);
	assert_int_equal(b->opens, 2);
	signbox_expect(b);
	signbox_close(b);
}

/* A file that is not what it seems costs work alone. */
static void
test_wrong_signatures_in_the_file(void **state)
{
	struct signbox *b = start_closed(DENIAL_NSEC3, true);

	(void)state;
	signbox_spoil(b);
	signbox_start(b);
	b->serial--;
	signbox_send_whole(b);
	assert_int_equal(b->refusals, 0);
	assert_int_equal(b->opens, 1);
	assert_int_equal(feed_signed(b->f)->made, feed_signed(b->f)->kept);
	signbox_expect(b);
	signbox_close(b);
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
		cmocka_unit_test(test_signatures_outlast_their_key),
		cmocka_unit_test(test_signatures_come_from_the_newest_image),
		cmocka_unit_test(test_refresh),
		cmocka_unit_test(test_start),
		cmocka_unit_test(test_closed_keys),
		cmocka_unit_test(test_wrong_signatures_in_the_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
