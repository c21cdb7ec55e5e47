/* largezone - zones that are trees and signed here: whatever is edited, flips or leads elsewhere signs a part of them, and
 * the whole is octet for octet what signing all of it makes; the same of what is served while all of it is made anew. */
// link: appliance/signer/feed.c appliance/signer/feedzone.c appliance/signer/feedmake.c appliance/signer/feedlost.c appliance/signer/names.c appliance/signer/compile.c appliance/signer/making.c appliance/signer/current.c appliance/signer/sources.c appliance/signer/content.c appliance/signer/signed.c appliance/signer/sigfile.c appliance/signer/signcheck.c appliance/signer/signtables.c appliance/signer/resign.c appliance/signer/resign3.c appliance/signer/polbook.c appliance/signer/zonesign.c appliance/signer/hashsort.c appliance/signer/signowner.c appliance/signer/emissions.c appliance/signer/aliassign.c appliance/signer/aliassets.c appliance/signer/aliasbook.c appliance/signer/sheet.c appliance/signer/typemap.c appliance/signer/rrsig.c appliance/signer/keys.c appliance/signer/apexset.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "appliance/dns/policy.h"
#include "appliance/dns/rrtype.h"
#include "appliance/signer/aliasbook.h"
#include "appliance/signer/aliassets.h"
#include "appliance/signer/content.h"
#include "appliance/signer/feed.h"
#include "appliance/signer/signed.h"
#include "appliance/signer/zonesign.h"
#include "appliance/zonemap/nsec3_chain.h"
#include "ipc/base/xalloc.h"
#include "tests/lib/keykit.h"
#include "tests/lib/mapbox.h"
#include "tests/lib/zonebox.h"

#define NOW     1795000000u
#define OWNERS  30u
#define TEXT    768u
#define FILLER  18u /* owners of 4 KB that make the image a tree */
#define CHECKS  4u
#define TARGETS 5u /* names of the other zone */
#define ALL     UINT64_MAX

struct bench {
	struct mapbox box;
	struct writer *w;
	struct feed *f;
	struct board board;
	struct aliasbook *book;
	struct zone_keys *keys;
	bool held; /* large zones stay in the making */
	bool aliases; /* the zone has some: then every edit signs these, and policies, anew */
	uint32_t now;
	unsigned minimum; /* of the SOA */
	unsigned publishes, refusals, asks, fits;
	unsigned cuts; /* ALIASes of the zone that may answer more than is signed */
	uint64_t seed, serial, base, version;
	char line[OWNERS][TEXT]; /* of owner i; "": none */
	unsigned turn; /* of the targets */
	struct signed_image image; /* while it is looked at */
};

static const uint8_t *
apex(void)
{
	return zonebox_name("l.example.");
}

static unsigned
chance(struct bench *b, unsigned n)
{
	return (unsigned)(mapbox_random(&b->seed) % n);
}

/* ---- what the feed asks ---- */

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
	(void)name;
	print_message("%s\n", why->text);
	((struct bench *)arg)->refusals++;
}

static void
on_staged(void *arg, const uint8_t *name)
{
	(void)arg;
	(void)name;
}

static void
on_fit(void *arg, const uint8_t *name)
{
	((struct bench *)arg)->fits += name_equal(name, apex()) ? 1u : 0u;
}

static void
on_cut(void *arg, const uint8_t *zone, const uint8_t *owner)
{
	struct bench *b = arg;

	assert_true(name_equal(zone, apex()));
	b->cuts = owner != NULL ? b->cuts + 1 : 0;
}

static enum keys_found
on_keys(void *arg, const uint8_t *name, struct zone_keys **out, struct ns_why *why)
{
	struct bench *b = arg;

	(void)why;
	if (!name_equal(name, apex()) || b->keys == NULL)
		return KEYS_NONE;
	*out = zone_keys_ref(b->keys);
	return KEYS_FOUND;
}

static uint32_t
on_now(void *arg)
{
	return ((struct bench *)arg)->now;
}

/* ---- the zones ---- */

/* Names that hide, are hidden, make empty non-terminals, and wildcards. */
static void
owner_name(unsigned i, char out[64])
{
	static const char *const shapes[] = { "a", "x.a", "y.x.a", "*.a", "deep.er.e" };

	(void)snprintf(out, 64, "%s%u", shapes[i % 5], i / 5);
}

/* A policy that may come to nothing where `closed`. */
static int
policy_text(struct bench *b, char *to, const char *name, bool closed)
{
	return snprintf(to, TEXT,
	    ";ns-policy %s A {\"ttl\":7,\"pools\":{\"p\":{\"serve\":\"all\",\"when_down\":\"%s\","
	    "\"answers\":[{\"value\":\"192.0.2.%u\",\"check\":\"c%u\"},"
	    "{\"value\":\"192.0.2.%u\",\"check\":\"c%u\"}]}},\"root\":{\"pool\":\"p\"}}\n",
	    name, closed ? "closed" : "open", chance(b, 100), 1 + chance(b, CHECKS),
	    100 + chance(b, 100), 1 + chance(b, CHECKS));
}

enum kind { ADDRESS, NOTE, CUT, DELEGATION, HIDING, POLICY, ALIAS, NOTHING, KINDS };

static void
random_owner(struct bench *b, unsigned i)
{
	static const enum kind often[] = { ADDRESS, NOTE, POLICY, POLICY, ALIAS, ALIAS, NOTHING,
		NOTHING, NOTHING };
	unsigned value = chance(b, 250), pick = chance(b, 12);
	enum kind kind = pick < 9     ? often[pick]
			 : pick == 9  ? CUT
			 : pick == 10 ? DELEGATION
				      : HIDING;
	char name[64], full[80], *to = b->line[i];

	owner_name(i, name);
	(void)snprintf(full, sizeof full, "%s.l.example.", name);
	if (name[0] == '*' && (kind == CUT || kind == DELEGATION || kind == HIDING))
		kind = POLICY;
	if (kind == ALIAS && !b->aliases)
		kind = POLICY;
	switch (kind) {
	case ADDRESS:
		(void)snprintf(to, TEXT, "%s A 192.0.2.%u\n", name, value);
		break;
	case NOTE:
		(void)snprintf(to, TEXT, "%s TXT \"t%u\"\n", name, value);
		break;
	case CUT:
		(void)snprintf(to, TEXT, "%s NS ns%u.elsewhere.\n", name, value);
		break;
	case DELEGATION:
		(void)snprintf(to, TEXT, "%s NS ns%u.elsewhere.\n%s DS 1 13 2 %064u\n", name, value,
		    name, value);
		break;
	case HIDING:
		(void)snprintf(to, TEXT, "%s DNAME d%u.elsewhere.\n", name, value);
		break;
	case POLICY:
		(void)policy_text(b, to, full, value % 2 == 0);
		break;
	case ALIAS:
		(void)snprintf(to, TEXT, "%s ALIAS to%u.t.example.\n", name, value % (TARGETS + 1));
		break;
	default:
		*to = '\0';
		break;
	}
}

/* Text names checks; numbers are given to them at commit. */
static void
number_checks(const struct wbuf *content)
{
	struct zwire_iter it = zwire_iter(content->base, content->len);
	struct policy_answer a;
	struct rrset set;
	struct policy po;
	size_t len;

	while (zwire_next(&it, &set)) {
		struct rbuf r = rbuf_init(set.rdata, set.rdata_len);
		const uint8_t *rdata;

		while (set.type == RR_NSPOLICY && (rdata = rrset_next_rdata(&r, &len)) != NULL) {
			assert_true(policy_open(&po, rdata, len));
			for (unsigned i = 0; i < po.nanswers; i++) {
				unsigned number = 0;
				const char *name;

				assert_true(policy_answer_at(&po, i, &a));
				name = policy_name(&po, a.check_name, &len);
				for (size_t k = 1; k < len; k++)
					number = number * 10 + (unsigned)(name[k] - '0');
				((uint8_t *)(uintptr_t)po.answers)[i * POLICY_ANSWER + 7] =
				    (uint8_t)number;
			}
		}
	}
}

static struct wbuf
zwire_of(const char *zone, char *text, size_t n)
{
	uint64_t records;
	struct wbuf out = zonebox_zwire(zone, text, n, n, &records);

	number_checks(&out);
	free(text);
	return out;
}

/* Those owners; all of them: with what fills the zone up. */
static struct wbuf
zone_of(struct bench *b, uint64_t owners)
{
	char *text = xcalloc(1, 1 << 18);
	size_t n = (size_t)sprintf(text,
	    "$TTL 600\n@ SOA ns.elsewhere. h.elsewhere. %u 7200 3600 1209600 %u\n"
	    "@ NS ns.elsewhere.\n",
	    (unsigned)b->version, b->minimum);

	for (unsigned i = 0; i < OWNERS; i++) {
		if ((owners >> i & 1) != 0)
			n += (size_t)sprintf(text + n, "%s", b->line[i]);
	}
	for (unsigned i = 0; owners == ALL && i < FILLER; i++) {
		n += (size_t)sprintf(text + n, "f%u TXT", i);
		for (unsigned k = 0; k < 16; k++)
			n += (size_t)sprintf(text + n, " \"%0240u\"", k);
		n += (size_t)sprintf(text + n, "\n");
	}
	return zwire_of("l.example.", text, n);
}

static void
send_zone(struct bench *b, const char *apex_text, Ns__FeedZone__Kind kind, const struct wbuf *zwire,
    const struct wbuf *gone)
{
	Ns__Feed feed = NS__FEED__INIT;
	Ns__FeedZone z = NS__FEED_ZONE__INIT, *ptr = &z;
	uint8_t name[NAME_MAX_WIRE];

	memcpy(name, zonebox_name(apex_text), name_len(zonebox_name(apex_text)));
	feed.revision = b->serial;
	feed.publish = true;
	feed.n_zones = 1;
	feed.zones = &ptr;
	z.kind = kind;
	z.name = (ProtobufCBinaryData){ .data = name, .len = name_len(name) };
	z.version = b->serial;
	z.base_version = b->base;
	z.account = 7;
	z.zwire = (ProtobufCBinaryData){ .data = zwire->base, .len = zwire->len };
	if (gone != NULL)
		z.gone = (ProtobufCBinaryData){ .data = gone->base, .len = gone->len };
	feed_apply(b->f, &feed);
}

/* All that is in the making, as small a slice at a time as there is. */
static unsigned
make_all(struct bench *b)
{
	unsigned slices = 0;

	while (feed_make(b->f, 0) == FEED_MORE)
		slices++;
	return slices;
}

static void
send_whole(struct bench *b)
{
	struct wbuf zwire;

	b->base = b->version;
	b->version = ++b->serial;
	zwire = zone_of(b, ALL);
	send_zone(b, "l.example.", NS__FEED_ZONE__KIND__REPLACE, &zwire, NULL);
	wbuf_free(&zwire);
	if (!b->held)
		(void)make_all(b);
}

static void
send_edit(struct bench *b, uint64_t owners)
{
	struct wbuf zwire, gone = wbuf_grow(1 << 16);

	b->base = b->version;
	b->version = ++b->serial;
	for (unsigned i = 0; i < OWNERS; i++) {
		char name[64], full[96];

		if ((owners >> i & 1) == 0 || b->line[i][0] != '\0')
			continue;
		owner_name(i, name);
		(void)snprintf(full, sizeof full, "%s.l.example.", name);
		wbuf_put(&gone, zonebox_name(full), name_len(zonebox_name(full)));
	}
	zwire = zone_of(b, owners);
	send_zone(b, "l.example.", NS__FEED_ZONE__KIND__DELTA, &zwire, &gone);
	wbuf_free(&zwire);
	wbuf_free(&gone);
	if (!b->held)
		(void)make_all(b);
}

/* The zone that ALIASes lead to: addresses of one family, of both, a policy that may come to nothing, and nothing. */
static void
send_targets(struct bench *b)
{
	char *text = xcalloc(1, 1 << 14);
	size_t n = (size_t)sprintf(text, "$TTL 60\n@ SOA ns h 1 2 3 4 5\n@ NS ns.elsewhere.\n");
	struct wbuf zwire;

	b->turn++;
	b->serial++;
	for (unsigned i = 0; i < TARGETS; i++) {
		unsigned kind = (i + b->turn) % 5;

		if (kind < 2)
			n += (size_t)sprintf(text + n, "to%u A 192.0.2.%u\n", i, b->turn % 250);
		if (kind == 1)
			n += (size_t)sprintf(text + n, "to%u AAAA 2001:db8::%u\n", i, b->turn);
		if (kind == 2) {
			char full[32];

			(void)snprintf(full, sizeof full, "to%u.t.example.", i);
			n += (size_t)policy_text(b, text + n, full, true);
		}
		if (kind == 3)
			n += (size_t)sprintf(text + n, "to%u TXT \"none\"\n", i);
	}
	zwire = zwire_of("t.example.", text, n);
	send_zone(b, "t.example.", NS__FEED_ZONE__KIND__REPLACE, &zwire, NULL);
	wbuf_free(&zwire);
}

/* Some checks are the other way round, and the signer has heard of it. */
static void
flip(struct bench *b)
{
	for (unsigned i = 1; i <= CHECKS; i++) {
		if (chance(b, 2) == 0)
			board_write(&b->board, i,
			    &(struct board_word){ .state = chance(b, 2) ? BOARD_UP : BOARD_DOWN,
				.since = 1000 + chance(b, 1000) });
	}
	assert_true(feed_refresh(b->f, apex(), true));
}

/* ---- the bench ---- */

static struct bench *
bench_open(enum zone_denial denial, bool aliases)
{
	struct bench *b = xcalloc(1, sizeof *b);
	const struct feed_calls calls = { .ask = on_ask,
		.ask_all = on_ask_all,
		.published = on_published,
		.refused = on_refused,
		.fit = on_fit,
		.cut = on_cut,
		.staged = on_staged,
		.arg = b,
		.keys = on_keys,
		.now = on_now,
		.board = &b->board,
		.book = b->book = aliasbook_new() };

	b->seed = 40 + denial;
	b->aliases = aliases;
	b->now = NOW;
	b->minimum = 300;
	mapbox_init(&b->box, 64u << 20);
	b->w = mapbox_writer(&b->box, true);
	b->board.slots = mmap(NULL, BOARD_OCTETS, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	assert_true(b->board.slots != MAP_FAILED);
	b->f = feed_new(b->w, &calls);
	feed_welcome(b->f);
	b->keys = keykit_new(apex(), KEY_ED25519, denial, NOW);
	send_targets(b);
	for (unsigned i = 0; i < OWNERS; i++)
		random_owner(b, i);
	send_whole(b);
	return b;
}

static void
bench_close(struct bench *b)
{
	assert_int_equal(b->refusals + b->asks, 0);
	feed_destroy(&b->f);
	aliasbook_destroy(&b->book);
	writer_check(b->w);
	writer_close(&b->w);
	mapbox_fini(&b->box);
	zone_keys_unref(&b->keys);
	(void)munmap(b->board.slots, BOARD_OCTETS);
	free(b);
}

/* ---- what is served ---- */

static struct alias_sets *
look_up(void *arg, const uint8_t *owner, const uint8_t *target)
{
	struct bench *b = arg;
	struct map_view view;
	const struct alias_view how = {
		.map = &view, .board = &b->board, .account = 7, .apex = apex()
	};

	(void)owner;
	assert_true(writer_view(b->w, &view));
	return alias_sets_of(&how, target);
}

static void
served(struct bench *b, struct wbuf *all, struct wbuf *content)
{
	struct image_walk walk;
	struct image_node node;
	struct image_ref ref;
	struct map_view view;

	assert_true(writer_view(b->w, &view));
	assert_true(image_open(&view, writer_zone_find(b->w, apex()), &ref));
	assert_null(ref.flat.p);
	image_walk_begin(&walk, &ref);
	while (image_walk_next(&walk, &node))
		assert_true(image_node_zwire(&ref, &node, false, all));
	assert_false(walk.broken);
	assert_true(content_of_image(&ref, content));
}

static size_t
signature(void *arg, const struct rrset *set, const struct zone_key *key, uint8_t out[RRSIG_MAX])
{
	return signed_find(&((struct bench *)arg)->image, set, key, out);
}

static void
table(void *arg, const uint8_t *owner, uint16_t covers, struct rrset *out)
{
	signed_emissions(&((struct bench *)arg)->image, owner, covers, out);
}

/* What is served is what signing all of its content makes: Ed25519 says the same each time.  With signatures over the same
 * octets at hand, or with none. */
static void
expect_signed(struct bench *b, struct zone_keys *keys, bool at_hand)
{
	struct wbuf all = wbuf_grow(1 << 22), content = wbuf_grow(1 << 22),
		    out = wbuf_grow(1 << 22);
	struct rrsigner *signer = rrsigner_new();
	const struct zonesign how = { .apex = apex(),
		.keys = keys,
		.now = b->now,
		.signer = signer,
		.have = at_hand ? signature : NULL,
		.had_emissions = at_hand ? table : NULL,
		.aliases = look_up,
		.arg = b,
		.board = &b->board };
	struct zonesign_done done;
	struct ns_why why = { 0 };
	struct map_view view;

	writer_reclaim(b->w);
	served(b, &all, &content);
	assert_true(writer_view(b->w, &view));
	assert_true(signed_open(&b->image, &view, writer_zone_find(b->w, apex())));
	assert_int_equal(zonesign_all(&how, content.base, content.len, &out, &done, &why), NS_OK);
	signed_close(&b->image);
	assert_int_equal(out.len, all.len);
	assert_memory_equal(out.base, all.base, out.len);
	wbuf_free(&all);
	wbuf_free(&content);
	wbuf_free(&out);
	rrsigner_destroy(&signer);
}

static void
expect_whole(struct bench *b, struct zone_keys *keys)
{
	expect_signed(b, keys, true);
}

static void
expect_content(struct bench *b)
{
	struct wbuf all = wbuf_grow(1 << 22), content = wbuf_grow(1 << 22), want = zone_of(b, ALL);

	served(b, &all, &content);
	assert_int_equal(content.len, want.len);
	assert_memory_equal(content.base, want.base, want.len);
	wbuf_free(&all);
	wbuf_free(&content);
	wbuf_free(&want);
}

/* ---- edits, flips, targets ---- */

static void
rounds(enum zone_denial denial, bool aliases, unsigned n)
{
	struct bench *b = bench_open(denial, aliases);
	unsigned in_parts = 0, edits = 0;

	expect_whole(b, b->keys);
	b->held = true;
	for (unsigned i = 0; i < n; i++) {
		uint64_t owners = 0;
		unsigned what = chance(b, 6);

		if (what == 0) {
			send_targets(b);
			assert_false(feed_is_making(b->f));
		} else if (what == 1) {
			flip(b);
			assert_false(feed_is_making(b->f));
		} else {
			/* Or many, of those that have nothing below them. */
			for (unsigned k = 1 + chance(b, what == 2 ? 16 : 3); k > 0; k--) {
				unsigned owner = what == 2
						     ? chance(b, OWNERS / 5) * 5 + 2 + chance(b, 3)
						     : chance(b, OWNERS);

				random_owner(b, owner);
				owners |= 1ull << owner;
			}
			if (chance(b, 8) == 0)
				b->minimum = 100 + chance(b, 100);
			send_edit(b, owners);
			edits++;
			in_parts += feed_is_making(b->f) ? 0 : 1;
			(void)make_all(b);
		}
		expect_whole(b, b->keys);
	}
	/* The others gave or took away what hides names: the whole zone's business. */
	assert_in_range(in_parts, edits / 2, edits);
	expect_signed(b, b->keys, false);
	expect_content(b);
	bench_close(b);
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
expect_edited(struct bench *b, bool in_parts)
{
	assert_int_equal(feed_is_making(b->f), !in_parts);
	(void)make_all(b);
	expect_whole(b, b->keys);
}

/* What is not worth a rule of its own is the whole zone's business: an owner whose name is another one's hash, which is
 * refused, and an empty non-terminal above so many names without a link that nobody looks at all of them. */
static void
test_odd_names(void **state)
{
	static const struct nsec3_chain no_salt = { .used = true };
	struct bench *b = bench_open(DENIAL_NSEC3_OPTOUT, true);
	const uint8_t *name = zonebox_name("a0.l.example.");
	char label[NSEC3_LABEL + 1] = "";
	struct wbuf zwire;
	char *text;
	size_t n = 0;

	(void)state;
	b->held = true;
	nsec3_hash(&no_salt, name, name_len(name), (uint8_t *)label);
	(void)snprintf(b->line[0], TEXT, "a0 A 192.0.2.1\n%s TXT \"odd\"\n", label);
	send_edit(b, 1);
	expect_edited(b, false);
	assert_int_equal(b->refusals, 1);
	b->refusals = b->fits = 0;
	(void)snprintf(b->line[0], TEXT, "a0 A 192.0.2.1\n");
	send_whole(b);
	assert_int_equal(b->fits, 0);
	(void)make_all(b);
	assert_true(b->fits > 0);

	text = xcalloc(1, 1 << 18);
	n = (size_t)sprintf(text, "$TTL 600\n@ SOA ns h 1 2 3 4 300\n@ NS ns.elsewhere.\n"
				  "z ALIAS to1.t.example.\n");
	for (unsigned i = 0; i < 1200; i++)
		n += (size_t)sprintf(text + n, "d%04u.e NS n%050u.elsewhere.\n", i, i);
	b->base = b->version;
	b->version = ++b->serial;
	zwire = zwire_of("l.example.", text, n);
	send_zone(b, "l.example.", NS__FEED_ZONE__KIND__REPLACE, &zwire, NULL);
	wbuf_free(&zwire);
	expect_edited(b, false);
	for (unsigned i = 0; i < OWNERS; i++)
		b->line[i][0] = '\0';
	(void)snprintf(b->line[0], TEXT, "a0 A 192.0.2.1\n");
	send_edit(b, 1);
	expect_edited(b, true);
	(void)snprintf(b->line[0], TEXT, "d0001.e NS other.elsewhere.\n");
	send_edit(b, 1);
	expect_edited(b, false);
	bench_close(b);
}

/* ---- while all of it is made anew ---- */

/* A flip, or another target, at some of the slices: served at once, by the keys of what is served, and late is no one. */
static void
disturbed(struct bench *b, struct zone_keys *keys)
{
	struct ranges before, late;
	unsigned slices = 0, told = 0;

	feed_late(b->f, &before);
	do {
		if (slices < 4 || slices % 61 == 0) {
			unsigned publishes = b->publishes;

			if (slices % 2 == 0)
				flip(b);
			else
				send_targets(b);
			assert_int_equal(b->publishes, publishes + 1);
			assert_true(feed_is_making(b->f));
			feed_late(b->f, &late);
			assert_memory_equal(&late, &before, sizeof late);
			expect_whole(b, keys);
			told++;
		}
		slices++;
	} while (feed_make(b->f, 0) == FEED_MORE);
	assert_true(told > 5);
	assert_false(feed_is_making(b->f));
	expect_signed(b, b->keys, false);
	expect_content(b);
}

static void
change_keys(struct bench *b, struct zone_keys *keys)
{
	Ns__Feed feed = NS__FEED__INIT;

	feed.revision = ++b->serial;
	feed.publish = true;
	feed_keys_change(b->f, apex());
	b->keys = keys;
	feed_keys_changed(b->f, apex());
	feed_apply(b->f, &feed);
	assert_true(feed_is_making(b->f));
}

static void
test_flips_while_it_is_made(void **state)
{
	(void)state;
	for (enum zone_denial denial = DENIAL_NSEC; denial <= DENIAL_NSEC3_OPTOUT; denial++) {
		struct bench *b = bench_open(denial, true);
		struct zone_keys *first = b->keys;

		b->held = true;
		/* other keys, and another denial */
		change_keys(b, keykit_new(apex(), KEY_ED25519, (denial + 1) % 3, NOW));
		disturbed(b, first);
		/* other content */
		for (unsigned i = 0; i < OWNERS; i += 3)
			random_owner(b, i);
		send_whole(b);
		disturbed(b, b->keys);
		zone_keys_unref(&first);
		bench_close(b);
	}
}

/* Signatures are due: what is served is signed in part, though not all of what is due is. */
static void
test_flips_while_it_is_renewed(void **state)
{
	struct bench *b = bench_open(DENIAL_NSEC3, true);
	unsigned publishes = b->publishes;

	(void)state;
	b->held = true;
	b->now += 6 * 86400;
	assert_true(feed_refresh(b->f, apex(), false));
	assert_true(feed_is_making(b->f));
	for (unsigned i = 0; i < 3; i++) {
		flip(b);
		assert_int_equal(b->publishes, ++publishes);
		assert_int_equal(feed_make(b->f, 0), FEED_MORE);
		writer_reclaim(b->w);
	}
	(void)make_all(b);
	expect_whole(b, b->keys);
	b->now += 6 * 86400;
	flip(b); /* and heard of before it was known that they are due */
	assert_int_equal(b->publishes, publishes + 2);
	assert_true(feed_is_making(b->f));
	(void)make_all(b);
	expect_whole(b, b->keys);
	bench_close(b);
}

/* The target of an ALIAS may come to more sets of addresses than are signed: it is said, as long as it is so. */
static void
test_more_than_is_signed(void **state)
{
	struct bench *b = bench_open(DENIAL_NSEC, true);
	char *text = xcalloc(1, 1 << 16);
	size_t n = (size_t)sprintf(text, "$TTL 60\n@ SOA ns h 1 2 3 4 5\n@ NS ns.elsewhere.\n"
					 ";ns-policy to0.t.example. A {\"ttl\":7,\"pools\":{");
	struct wbuf zwire;

	(void)state;
	for (unsigned i = 0; i < OWNERS; i++)
		b->line[i][0] = '\0';
	(void)snprintf(b->line[0], TEXT, "a0 ALIAS to0.t.example.\n");
	send_whole(b);
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
	zwire = zwire_of("t.example.", text, n);
	send_zone(b, "t.example.", NS__FEED_ZONE__KIND__REPLACE, &zwire, NULL);
	wbuf_free(&zwire);
	assert_int_equal(b->cuts, 1);
	send_targets(b);
	assert_int_equal(b->cuts, 0);
	expect_whole(b, b->keys);
	bench_close(b);
}

/* Its last policy and ALIAS are gone: nothing is left to be signed for health. */
static void
test_without_policies(void **state)
{
	struct bench *b = bench_open(DENIAL_NSEC3, true);
	unsigned publishes;

	(void)state;
	for (unsigned i = 0; i < OWNERS; i++)
		(void)snprintf(b->line[i], TEXT, "w%u A 192.0.2.1\n", i);
	send_whole(b);
	b->held = true;
	publishes = b->publishes;
	assert_true(feed_refresh(b->f, apex(), true));
	assert_int_equal(b->publishes, publishes);
	assert_false(feed_is_making(b->f));
	expect_whole(b, b->keys);
	bench_close(b);
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
		cmocka_unit_test(test_more_than_is_signed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
