/* largezone - zones that are signed in slices.  Those that are trees: whatever is edited, flips or leads elsewhere signs a part of them, and
 * the whole is octet for octet what signing all of it makes; the same of what is served while all of it is made anew.  Many small ones: nobody waits for all of them. */
// link: appliance/signer/feed.c appliance/signer/feedzone.c appliance/signer/feedmake.c appliance/signer/feedlost.c appliance/signer/names.c appliance/signer/compile.c appliance/signer/making.c appliance/signer/current.c appliance/signer/sources.c appliance/signer/content.c appliance/signer/signed.c appliance/signer/sigfile.c appliance/signer/sigframe.c appliance/signer/signcheck.c appliance/signer/sidecheck.c appliance/signer/signtables.c appliance/signer/resign.c appliance/signer/resign3.c appliance/signer/polbook.c appliance/signer/zonesign.c appliance/signer/hashsort.c appliance/signer/signowner.c appliance/signer/emissions.c appliance/signer/aliassign.c appliance/signer/aliassets.c appliance/signer/aliasbook.c appliance/signer/sheet.c appliance/signer/typemap.c appliance/signer/rrsig.c appliance/signer/keys.c appliance/signer/apexset.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "appliance/zonemap/nsec3_chain.h"
#include "ipc/base/xalloc.h"
#include "tests/lib/keykit.h"
#include "tests/lib/largebox.h"
#include "tests/lib/signbox.h"
#include "tests/lib/zonebox.h"

/* ---- edits, flips, targets ---- */

static void
rounds(enum zone_denial denial, bool aliases, unsigned n)
{
	struct largebox *b = largebox_open(denial, aliases);
	unsigned in_parts = 0, edits = 0;

	largebox_expect_whole(b, b->keys);
	b->held = true;
	for (unsigned i = 0; i < n; i++) {
		uint64_t owners = 0;
		unsigned what = largebox_chance(b, 6);

		if (what == 0) {
			largebox_send_targets(b);
			assert_false(feed_is_making(b->f));
		} else if (what == 1) {
			largebox_flip(b);
			assert_false(feed_is_making(b->f));
		} else {
			/* Or many, of those that have nothing below them. */
			for (unsigned k = 1 + largebox_chance(b, what == 2 ? 16 : 3); k > 0; k--) {
				unsigned owner = what == 2
						     ? largebox_chance(b, LARGEBOX_OWNERS / 5) * 5 +
							   2 + largebox_chance(b, 3)
						     : largebox_chance(b, LARGEBOX_OWNERS);

				largebox_random(b, owner);
				owners |= 1ull << owner;
			}
			if (largebox_chance(b, 8) == 0)
				b->minimum = 100 + largebox_chance(b, 100);
			largebox_send_edit(b, owners);
			edits++;
			in_parts += feed_is_making(b->f) ? 0 : 1;
			(void)largebox_make_all(b);
		}
		largebox_expect_whole(b, b->keys);
	}
	/* The others gave or took away what hides names: the whole zone's business. */
	assert_in_range(in_parts, edits / 2, edits);
	largebox_expect_signed(b, b->keys, false);
	largebox_expect_content(b);
	largebox_close(b);
}

static void
test_rounds(void **state)
{
	(void)state;
	rounds(DENIAL_NSEC3, true, 12);
	rounds(DENIAL_NSEC3, false, 14);
	rounds(DENIAL_NSEC3_OPTOUT, true, 10);
	rounds(DENIAL_NSEC3_OPTOUT, false, 10);
	rounds(DENIAL_NSEC, true, 6);
}

static void
expect_edited(struct largebox *b, bool in_parts)
{
	assert_int_equal(feed_is_making(b->f), !in_parts);
	(void)largebox_make_all(b);
	largebox_expect_whole(b, b->keys);
}

/* What is not worth a rule of its own is the whole zone's business: an owner whose name is another one's hash, which is
 * refused, and an empty non-terminal above so many names without a link that nobody looks at all of them. */
static void
test_odd_names(void **state)
{
	static const struct nsec3_chain no_salt = { .used = true };
	struct largebox *b = largebox_open(DENIAL_NSEC3_OPTOUT, true);
	const uint8_t *name = zonebox_name("a0.l.example.");
	char label[NSEC3_LABEL + 1] = "";
	struct wbuf zwire;
	char *text;
	size_t n = 0;

	(void)state;
	b->held = true;
	nsec3_hash(&no_salt, name, name_len(name), (uint8_t *)label);
	(void)snprintf(b->line[0], LARGEBOX_TEXT, "a0 A 192.0.2.1\n%s TXT \"odd\"\n", label);
	largebox_send_edit(b, 1);
	expect_edited(b, false);
	assert_int_equal(b->refusals, 1);
	b->refusals = b->fits = 0;
	(void)snprintf(b->line[0], LARGEBOX_TEXT, "a0 A 192.0.2.1\n");
	largebox_send_whole(b);
	assert_int_equal(b->fits, 0);
	(void)largebox_make_all(b);
	assert_true(b->fits > 0);

	text = xcalloc(1, 1 << 18);
	n = (size_t)sprintf(text, "$TTL 600\n@ SOA ns h 1 2 3 4 300\n@ NS ns.elsewhere.\n"
				  "z ALIAS to1.t.example.\n");
	for (unsigned i = 0; i < 1200; i++)
		n += (size_t)sprintf(text + n, "d%04u.e NS n%050u.elsewhere.\n", i, i);
	b->base = b->version;
	b->version = ++b->serial;
	zwire = largebox_zwire("l.example.", text, n);
	largebox_send_zone(b, "l.example.", NS__FEED_ZONE__KIND__REPLACE, &zwire, NULL);
	wbuf_free(&zwire);
	expect_edited(b, false);
	for (unsigned i = 0; i < LARGEBOX_OWNERS; i++)
		b->line[i][0] = '\0';
	(void)snprintf(b->line[0], LARGEBOX_TEXT, "a0 A 192.0.2.1\n");
	largebox_send_edit(b, 1);
	expect_edited(b, true);
	(void)snprintf(b->line[0], LARGEBOX_TEXT, "d0001.e NS other.elsewhere.\n");
	largebox_send_edit(b, 1);
	expect_edited(b, false);
	largebox_close(b);
}

/* ---- while all of it is made anew ---- */

/* A flip, or another target, at some of the slices: served at once, by the keys of what is served, and late is no one. */
static void
disturbed(struct largebox *b, struct zone_keys *keys)
{
	struct ranges before, late;
	unsigned slices = 0, told = 0;

	feed_late(b->f, &before);
	do {
		if (slices < 4 || slices % 23 == 0) {
			unsigned publishes = b->publishes;

			if (slices % 2 == 0)
				largebox_flip(b);
			else
				largebox_send_targets(b);
			assert_int_equal(b->publishes, publishes + 1);
			assert_true(feed_is_making(b->f));
			feed_late(b->f, &late);
			assert_memory_equal(&late, &before, sizeof late);
			largebox_expect_whole(b, keys);
			told++;
		}
		slices++;
	} while (feed_make(b->f, 0) == FEED_MORE);
	assert_true(told > 5);
	assert_false(feed_is_making(b->f));
	largebox_expect_signed(b, b->keys, false);
	largebox_expect_content(b);
}

static void
change_keys(struct largebox *b, struct zone_keys *keys)
{
	Ns__Feed feed = NS__FEED__INIT;

	feed.revision = ++b->serial;
	feed.publish = true;
	feed_keys_change(b->f, largebox_apex());
	b->keys = keys;
	feed_keys_changed(b->f, largebox_apex());
	feed_apply(b->f, &feed);
	assert_true(feed_is_making(b->f));
}

static void
test_flips_while_it_is_made(void **state)
{
	(void)state;
	for (enum zone_denial denial = DENIAL_NSEC; denial <= DENIAL_NSEC3_OPTOUT; denial++) {
		struct largebox *b = largebox_open(denial, true);
		struct zone_keys *first = b->keys;

		b->held = true;
		/* other keys, and another denial */
		change_keys(
		    b, keykit_new(largebox_apex(), KEY_ED25519, (denial + 1) % 3, LARGEBOX_NOW));
		disturbed(b, first);
		/* other content */
		for (unsigned i = 0; i < LARGEBOX_OWNERS; i += 3)
			largebox_random(b, i);
		largebox_send_whole(b);
		disturbed(b, b->keys);
		zone_keys_unref(&first);
		largebox_close(b);
	}
}

/* Signatures are due: what is served is signed in part, though not all of what is due is. */
static void
test_flips_while_it_is_renewed(void **state)
{
	struct largebox *b = largebox_open(DENIAL_NSEC3, true);
	unsigned publishes = b->publishes;

	(void)state;
	b->held = true;
	b->now += 6 * 86400;
	assert_true(feed_refresh(b->f, largebox_apex(), FEED_DUE));
	assert_true(feed_is_making(b->f));
	for (unsigned i = 0; i < 3; i++) {
		largebox_flip(b);
		assert_int_equal(b->publishes, ++publishes);
		assert_int_equal(feed_make(b->f, 0), FEED_MORE);
		writer_reclaim(b->w);
	}
	(void)largebox_make_all(b);
	largebox_expect_whole(b, b->keys);
	b->now += 6 * 86400;
	largebox_flip(b); /* and heard of before it was known that they are due */
	assert_int_equal(b->publishes, publishes + 2);
	assert_true(feed_is_making(b->f));
	(void)largebox_make_all(b);
	largebox_expect_whole(b, b->keys);
	largebox_close(b);
}

/* The target of an ALIAS may come to more sets of addresses than are signed: it is said, as long as it is so. */
static void
test_more_than_is_signed(void **state)
{
	struct largebox *b = largebox_open(DENIAL_NSEC, true);
	char *text = xcalloc(1, 1 << 16);
	size_t n = (size_t)sprintf(text, "$TTL 60\n@ SOA ns h 1 2 3 4 5\n@ NS ns.elsewhere.\n"
					 ";ns-policy to0.t.example. A {\"ttl\":7,\"pools\":{");
	struct wbuf zwire;

	(void)state;
	for (unsigned i = 0; i < LARGEBOX_OWNERS; i++)
		b->line[i][0] = '\0';
	(void)snprintf(b->line[0], LARGEBOX_TEXT, "a0 ALIAS to0.t.example.\n");
	largebox_send_whole(b);
	assert_int_equal(b->cuts, 0);
	/* Of three pools, each with its checks: as many sets as answers to the square, and more. */
	for (unsigned p = 0; p < 3; p++) {
		n += (size_t)sprintf(
		    text + n, "%s\"p%u\":{\"serve\":30,\"answers\":[", p > 0 ? "," : "", p);
		for (unsigned i = 0; i < 60; i++)
			n += (size_t)sprintf(text + n,
			    "%s{\"value\":\"192.0.%u.%u\",\"check\":\"c%u\"}", i > 0 ? "," : "", p,
			    i, i + 1);
		n += (size_t)sprintf(text + n, "]}");
	}
	n += (size_t)sprintf(text + n, "},\"root\":{\"use\":\"weighted\",\"branches\":["
				       "{\"weight\":1,\"then\":{\"pool\":\"p0\"}},"
				       "{\"weight\":1,\"then\":{\"pool\":\"p1\"}},"
				       "{\"weight\":1,\"then\":{\"pool\":\"p2\"}}]}}\n");
	b->serial++;
	zwire = largebox_zwire("t.example.", text, n);
	largebox_send_zone(b, "t.example.", NS__FEED_ZONE__KIND__REPLACE, &zwire, NULL);
	wbuf_free(&zwire);
	assert_int_equal(b->cuts, 1);
	largebox_send_targets(b);
	assert_int_equal(b->cuts, 0);
	largebox_expect_whole(b, b->keys);
	largebox_close(b);
}

/* Its last policy and ALIAS are gone: nothing is left to be signed for health. */
static void
test_without_policies(void **state)
{
	struct largebox *b = largebox_open(DENIAL_NSEC3, true);
	unsigned publishes;

	(void)state;
	for (unsigned i = 0; i < LARGEBOX_OWNERS; i++)
		(void)snprintf(b->line[i], LARGEBOX_TEXT, "w%u A 192.0.2.1\n", i);
	largebox_send_whole(b);
	b->held = true;
	publishes = b->publishes;
	assert_true(feed_refresh(b->f, largebox_apex(), FEED_HEALTH));
	assert_int_equal(b->publishes, publishes);
	assert_false(feed_is_making(b->f));
	largebox_expect_whole(b, b->keys);
	largebox_close(b);
}

/* Images made as a whole lie where others lay: which owners have policies is not known from those. */
static void
test_another_image_at_the_place(void **state)
{
	struct largebox *b = largebox_open(DENIAL_NSEC, false);

	(void)state;
	for (unsigned turn = 0; turn < 12; turn++) {
		for (unsigned i = 0; i < LARGEBOX_OWNERS; i++)
			largebox_random(b, i);
		largebox_send_whole(b);
		writer_reclaim(b->w);
		if (turn % 2 == 0)
			largebox_flip(b);
		largebox_expect_whole(b, b->keys);
	}
	largebox_close(b);
}

/* ---- many small ones ---- */

#define MANY    30u
#define RECORDS 16u /* with what signing makes: 30 signatures and more */

static struct zone_keys *many_keys[MANY];

static const uint8_t *
many_name(unsigned i)
{
	char text[32];

	(void)snprintf(text, sizeof text, "m%u.example.", i);
	return zonebox_name(text);
}

static struct zone_keys *
keys_of_many(const uint8_t *apex)
{
	for (unsigned i = 0; i < MANY; i++) {
		if (name_equal(apex, many_name(i)))
			return zone_keys_ref(many_keys[i]);
	}
	return NULL;
}

static struct wbuf
many_content(unsigned i, uint64_t version)
{
	char text[2048], apex[32];
	size_t n = (size_t)snprintf(text, sizeof text,
	    "$TTL 600\n@ SOA ns h %u 2 3 4 5\n@ NS ns.elsewhere.\n", (unsigned)version);
	uint64_t records;

	(void)snprintf(apex, sizeof apex, "m%u.example.", i);
	for (unsigned k = 0; k < RECORDS; k++)
		n += (size_t)snprintf(text + n, sizeof text - n, "n%u A 192.0.2.%u\n", k, i);
	return zonebox_zwire(apex, text, n, n, &records);
}

/* The zones first..last, each a change of its own or all of them one; in one batch. */
static void
send_many(struct signbox *b, unsigned first, unsigned last, bool one)
{
	Ns__FeedZone zones[MANY], *list[MANY];
	uint64_t changes[MANY][2];
	Ns__Feed feed = NS__FEED__INIT;
	struct wbuf content[MANY];

	feed.publish = true;
	feed.zones = list;
	b->serial += one;
	for (unsigned i = first; i <= last; i++) {
		unsigned k = (unsigned)feed.n_zones++;
		const uint8_t *name = many_name(i);
		Ns__FeedZone *z = list[k] = &zones[k];

		ns__feed_zone__init(z);
		b->serial += !one;
		changes[k][0] = changes[k][1] = z->version = b->serial;
		content[k] = many_content(i, b->serial);
		z->name.len = name_len(name);
		z->name.data = xmalloc(z->name.len);
		memcpy(z->name.data, name, z->name.len);
		z->zwire = (ProtobufCBinaryData){ content[k].len, content[k].base };
		z->changes = changes[k];
		z->n_changes = 2;
		z->alone = !one;
	}
	feed.revision = b->serial;
	feed_apply(b->f, &feed);
	for (unsigned k = 0; k < feed.n_zones; k++) {
		free(zones[k].name.data);
		wbuf_free(&content[k]);
	}
}

/* How many of them are served, signed all. */
static unsigned
many_served(struct signbox *b)
{
	struct map_view view;
	struct image_ref ref;
	unsigned n = 0;

	assert_true(writer_view(b->w, &view));
	for (unsigned i = 0; i < MANY; i++) {
		if (!image_open(&view, writer_zone_find(b->w, many_name(i)), &ref))
			continue;
		assert_int_equal(
		    ref.image->flags & (IMAGE_HERE | IMAGE_SIGNED), IMAGE_HERE | IMAGE_SIGNED);
		n++;
	}
	return n;
}

static struct signbox *
many_open(void)
{
	struct signbox *b = signbox_open(KEY_P256, DENIAL_NSEC);

	for (unsigned i = 0; i < MANY; i++)
		many_keys[i] = keykit_new(many_name(i), KEY_P256, DENIAL_NSEC, SIGNBOX_NOW);
	b->others = keys_of_many;
	b->held = true;
	signbox_random(b, 0);
	signbox_send_whole(b);
	signbox_expect(b);
	return b;
}

static void
many_close(struct signbox *b)
{
	for (unsigned i = 0; i < MANY; i++)
		zone_keys_unref(&many_keys[i]);
	assert_int_equal(b->refusals + b->asks, 0);
	signbox_close(b);
}

static struct ranges
late_of(struct signbox *b)
{
	struct ranges late;

	feed_late(b->f, &late);
	return late;
}

/* What a batch has much of comes later, change by change; who edits another zone meanwhile is served at once. */
static void
test_many_small_ones(void **state)
{
	struct signbox *b = many_open();
	struct ranges late;
	uint64_t verified;
	unsigned served;

	(void)state;
	send_many(b, 0, MANY - 1, false);
	served = many_served(b);
	assert_in_range(served, 2, 12);
	late = late_of(b);
	assert_int_equal(late.n, 1);
	assert_int_equal(late.of[0].from, 2 + served);
	assert_int_equal(late.of[0].to, 1 + MANY);
	assert_int_equal(feed_published(b->f), 1 + MANY);
	assert_int_equal(writer_revision(b->w), 1 + served); /* a successor gets the rest again */

	b->serial = 1; /* of the zone */
	signbox_random(b, 1);
	signbox_send_edit(b, 2);
	signbox_expect(b);
	b->serial = MANY + 1;
	late = late_of(b);
	assert_int_equal(late.of[0].from, 2 + served);

	/* Of those that wait: one comes anew, one goes; nobody waits for either any more. */
	send_many(b, MANY - 1, MANY - 1, false);
	late = late_of(b);
	assert_int_equal(late.n, 1);
	assert_int_equal(late.of[0].to, MANY);
	assert_int_equal(many_served(b), served + 1);

	/* Much of it is verified by samples, however many publishes it takes. */
	verified = feed_signed(b->f)->verified;
	signbox_make_all(b);
	assert_int_equal(many_served(b), MANY);
	assert_int_equal(late_of(b).n, 0);
	assert_int_equal(writer_revision(b->w), feed_published(b->f));
	assert_in_range(feed_signed(b->f)->verified - verified, MANY, MANY * 8);
	many_close(b);
}

/* One change appears at once, however much it is. */
static void
test_many_in_one_change(void **state)
{
	struct signbox *b = many_open();
	unsigned publishes = b->publishes;

	(void)state;
	send_many(b, 0, MANY - 1, true);
	assert_int_equal(many_served(b), MANY);
	assert_int_equal(b->publishes, publishes + 1);
	assert_int_equal(late_of(b).n, 0);
	assert_false(feed_is_making(b->f));
	many_close(b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rounds),
		cmocka_unit_test(test_odd_names),
		cmocka_unit_test(test_flips_while_it_is_made),
		cmocka_unit_test(test_flips_while_it_is_renewed),
		cmocka_unit_test(test_without_policies),
		cmocka_unit_test(test_another_image_at_the_place),
		cmocka_unit_test(test_more_than_is_signed),
		cmocka_unit_test(test_many_small_ones),
		cmocka_unit_test(test_many_in_one_change),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
