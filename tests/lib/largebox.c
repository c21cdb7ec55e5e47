/* largebox.c - see largebox.h. */
#include "tests/lib/largebox.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "appliance/dns/policy.h"
#include "appliance/dns/rrtype.h"
#include "appliance/signer/aliassets.h"
#include "appliance/signer/content.h"
#include "appliance/signer/zonesign.h"
#include "ipc/base/xalloc.h"
#include "tests/lib/keykit.h"
#include "tests/lib/zonebox.h"

#define FILLER  18u /* owners of 4 KB that make the image a tree */
#define CHECKS  4u
#define TARGETS 5u /* names of the other zone */
#define ALL     UINT64_MAX

const uint8_t *
largebox_apex(void)
{
	return zonebox_name("l.example.");
}

unsigned
largebox_chance(struct largebox *b, unsigned n)
{
	return (unsigned)(mapbox_random(&b->seed) % n);
}

/* ---- what the feed asks ---- */

static void
on_ask(void *arg, const uint8_t *name, const char *why)
{
	(void)name;
	(void)why;
	((struct largebox *)arg)->asks++;
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
	((struct largebox *)arg)->publishes++;
}

static void
on_refused(void *arg, const uint8_t *name, const struct ns_why *why)
{
	(void)name;
	print_message("%s\n", why->text);
	((struct largebox *)arg)->refusals++;
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
	((struct largebox *)arg)->fits += name_equal(name, largebox_apex()) ? 1u : 0u;
}

static void
on_cut(void *arg, const uint8_t *zone, const uint8_t *owner)
{
	struct largebox *b = arg;

	assert_true(name_equal(zone, largebox_apex()));
	b->cuts = owner != NULL ? b->cuts + 1 : 0;
}

static enum keys_found
on_keys(void *arg, const uint8_t *name, struct zone_keys **out, struct ns_why *why)
{
	struct largebox *b = arg;

	(void)why;
	if (!name_equal(name, largebox_apex()) || b->keys == NULL)
		return KEYS_NONE;
	*out = zone_keys_ref(b->keys);
	return KEYS_FOUND;
}

static uint32_t
on_now(void *arg)
{
	return ((struct largebox *)arg)->now;
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
policy_text(struct largebox *b, char *to, const char *name, bool closed)
{
	return snprintf(to, LARGEBOX_TEXT,
	    ";ns-policy %s A {\"ttl\":7,\"pools\":{\"p\":{\"serve\":\"all\",\"when_down\":\"%s\","
	    "\"answers\":[{\"value\":\"192.0.2.%u\",\"check\":\"c%u\"},"
	    "{\"value\":\"192.0.2.%u\",\"check\":\"c%u\"}]}},\"root\":{\"pool\":\"p\"}}\n",
	    name, closed ? "closed" : "open", largebox_chance(b, 100),
	    1 + largebox_chance(b, CHECKS), 100 + largebox_chance(b, 100),
	    1 + largebox_chance(b, CHECKS));
}

enum kind { ADDRESS, NOTE, CUT, DELEGATION, HIDING, POLICY, ALIAS, NOTHING, KINDS };

void
largebox_random(struct largebox *b, unsigned i)
{
	static const enum kind often[] = { ADDRESS, NOTE, POLICY, POLICY, ALIAS, ALIAS, NOTHING,
		NOTHING, NOTHING };
	unsigned value = largebox_chance(b, 250), pick = largebox_chance(b, 12);
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
		(void)snprintf(to, LARGEBOX_TEXT, "%s A 192.0.2.%u\n", name, value);
		break;
	case NOTE:
		(void)snprintf(to, LARGEBOX_TEXT, "%s TXT \"t%u\"\n", name, value);
		break;
	case CUT:
		(void)snprintf(to, LARGEBOX_TEXT, "%s NS ns%u.elsewhere.\n", name, value);
		break;
	case DELEGATION:
		(void)snprintf(to, LARGEBOX_TEXT, "%s NS ns%u.elsewhere.\n%s DS 1 13 2 %064u\n",
		    name, value, name, value);
		break;
	case HIDING:
		(void)snprintf(to, LARGEBOX_TEXT, "%s DNAME d%u.elsewhere.\n", name, value);
		break;
	case POLICY:
		(void)policy_text(b, to, full, value % 2 == 0);
		break;
	case ALIAS:
		(void)snprintf(
		    to, LARGEBOX_TEXT, "%s ALIAS to%u.t.example.\n", name, value % (TARGETS + 1));
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

struct wbuf
largebox_zwire(const char *zone, char *text, size_t n)
{
	uint64_t records;
	struct wbuf out = zonebox_zwire(zone, text, n, n, &records);

	number_checks(&out);
	free(text);
	return out;
}

/* Those owners; all of them: with what fills the zone up. */
static struct wbuf
zone_of(struct largebox *b, uint64_t owners)
{
	char *text = xcalloc(1, 1 << 18);
	size_t n = (size_t)sprintf(text,
	    "$TTL 600\n@ SOA ns.elsewhere. h.elsewhere. %u 7200 3600 1209600 %u\n"
	    "@ NS ns.elsewhere.\n",
	    (unsigned)b->version, b->minimum);

	for (unsigned i = 0; i < LARGEBOX_OWNERS; i++) {
		if ((owners >> i & 1) != 0)
			n += (size_t)sprintf(text + n, "%s", b->line[i]);
	}
	for (unsigned i = 0; owners == ALL && i < FILLER; i++) {
		n += (size_t)sprintf(text + n, "f%u TXT", i);
		for (unsigned k = 0; k < 16; k++)
			n += (size_t)sprintf(text + n, " \"%0240u\"", k);
		n += (size_t)sprintf(text + n, "\n");
	}
	return largebox_zwire("l.example.", text, n);
}

void
largebox_send_zone(struct largebox *b, const char *apex_text, Ns__FeedZone__Kind kind,
    const struct wbuf *zwire, const struct wbuf *gone)
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

unsigned
largebox_make_all(struct largebox *b)
{
	unsigned slices = 0;

	while (feed_make(b->f, 0) == FEED_MORE)
		slices++;
	return slices;
}

void
largebox_send_whole(struct largebox *b)
{
	struct wbuf zwire;

	b->base = b->version;
	b->version = ++b->serial;
	zwire = zone_of(b, ALL);
	largebox_send_zone(b, "l.example.", NS__FEED_ZONE__KIND__REPLACE, &zwire, NULL);
	wbuf_free(&zwire);
	if (!b->held)
		(void)largebox_make_all(b);
}

void
largebox_send_edit(struct largebox *b, uint64_t owners)
{
	struct wbuf zwire, gone = wbuf_grow(1 << 16);

	b->base = b->version;
	b->version = ++b->serial;
	for (unsigned i = 0; i < LARGEBOX_OWNERS; i++) {
		char name[64], full[96];

		if ((owners >> i & 1) == 0 || b->line[i][0] != '\0')
			continue;
		owner_name(i, name);
		(void)snprintf(full, sizeof full, "%s.l.example.", name);
		wbuf_put(&gone, zonebox_name(full), name_len(zonebox_name(full)));
	}
	zwire = zone_of(b, owners);
	largebox_send_zone(b, "l.example.", NS__FEED_ZONE__KIND__DELTA, &zwire, &gone);
	wbuf_free(&zwire);
	wbuf_free(&gone);
	if (!b->held)
		(void)largebox_make_all(b);
}

void
largebox_send_targets(struct largebox *b)
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
	zwire = largebox_zwire("t.example.", text, n);
	largebox_send_zone(b, "t.example.", NS__FEED_ZONE__KIND__REPLACE, &zwire, NULL);
	wbuf_free(&zwire);
}

void
largebox_flip(struct largebox *b)
{
	for (unsigned i = 1; i <= CHECKS; i++) {
		if (largebox_chance(b, 2) == 0)
			board_write(&b->board, i,
			    &(struct board_word){
				.state = largebox_chance(b, 2) ? BOARD_UP : BOARD_DOWN,
				.since = 1000 + largebox_chance(b, 1000) });
	}
	assert_true(feed_refresh(b->f, largebox_apex(), FEED_HEALTH));
}

/* ---- the bench ---- */

struct largebox *
largebox_open(enum zone_denial denial, bool aliases)
{
	struct largebox *b = xcalloc(1, sizeof *b);
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
	b->now = LARGEBOX_NOW;
	b->minimum = 300;
	mapbox_init(&b->box, 64u << 20);
	b->w = mapbox_writer(&b->box, true);
	b->board.slots = mmap(NULL, BOARD_OCTETS, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	assert_true(b->board.slots != MAP_FAILED);
	b->f = feed_new(b->w, &calls);
	feed_welcome(b->f);
	b->keys = keykit_new(largebox_apex(), KEY_ED25519, denial, LARGEBOX_NOW);
	largebox_send_targets(b);
	for (unsigned i = 0; i < LARGEBOX_OWNERS; i++)
		largebox_random(b, i);
	largebox_send_whole(b);
	return b;
}

void
largebox_close(struct largebox *b)
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
	struct largebox *b = arg;
	struct map_view view;
	const struct alias_view how = {
		.map = &view, .board = &b->board, .account = 7, .apex = largebox_apex()
	};

	(void)owner;
	assert_true(writer_view(b->w, &view));
	return alias_sets_of(&how, target);
}

static void
served(struct largebox *b, struct wbuf *all, struct wbuf *content)
{
	struct image_walk walk;
	struct image_node node;
	struct image_ref ref;
	struct map_view view;

	assert_true(writer_view(b->w, &view));
	assert_true(image_open(&view, writer_zone_find(b->w, largebox_apex()), &ref));
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
	return signed_find(&((struct largebox *)arg)->image, set, key, out);
}

static void
table(void *arg, const uint8_t *owner, uint16_t covers, struct rrset *out)
{
	signed_emissions(&((struct largebox *)arg)->image, owner, covers, out);
}

void
largebox_expect_signed(struct largebox *b, struct zone_keys *keys, bool at_hand)
{
	struct wbuf all = wbuf_grow(1 << 22), content = wbuf_grow(1 << 22),
		    out = wbuf_grow(1 << 22);
	struct rrsigner *signer = rrsigner_new();
	const struct zonesign how = { .apex = largebox_apex(),
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
	assert_true(signed_open(&b->image, &view, writer_zone_find(b->w, largebox_apex())));
	assert_int_equal(zonesign_all(&how, content.base, content.len, &out, &done, &why), NS_OK);
	signed_close(&b->image);
	assert_int_equal(out.len, all.len);
	assert_memory_equal(out.base, all.base, out.len);
	wbuf_free(&all);
	wbuf_free(&content);
	wbuf_free(&out);
	rrsigner_destroy(&signer);
}

void
largebox_expect_whole(struct largebox *b, struct zone_keys *keys)
{
	largebox_expect_signed(b, keys, true);
}

void
largebox_expect_content(struct largebox *b)
{
	struct wbuf all = wbuf_grow(1 << 22), content = wbuf_grow(1 << 22), want = zone_of(b, ALL);

	served(b, &all, &content);
	assert_int_equal(content.len, want.len);
	assert_memory_equal(content.base, want.base, want.len);
	wbuf_free(&all);
	wbuf_free(&content);
	wbuf_free(&want);
}
