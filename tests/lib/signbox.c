/* signbox.c - see signbox.h. */
#include "tests/lib/signbox.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "appliance/signer/content.h"
#include "appliance/signer/signcheck.h"
#include "appliance/signer/signed.h"
#include "ipc/base/hash.h"
#include "ipc/base/rbuf.h"
#include "ipc/base/wbuf.h"
#include "ipc/base/xalloc.h"
#include "tests/lib/keykit.h"
#include "tests/lib/zonebox.h"

#define ALL    UINT64_MAX
#define FILLER 300u /* names that make the image a tree */

const uint8_t *
signbox_apex(void)
{
	return zonebox_name("s.example.");
}

static void
on_ask(void *arg, const uint8_t *name, const char *why)
{
	(void)name;
	(void)why;
	((struct signbox *)arg)->asks++;
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
	((struct signbox *)arg)->publishes++;
}

static void
on_refused(void *arg, const uint8_t *name, const struct ns_why *why)
{
	struct signbox *b = arg;

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

static enum ns_err
on_open(void *arg, const struct zone_keys *keys, struct zone_key *key, struct ns_why *why)
{
	struct signbox *b = arg;
	EVP_PKEY *pkey = b->keys->key[key - keys->key].pkey;

	b->opens++;
	if (b->locked || EVP_PKEY_up_ref(pkey) != 1)
		return ns_fail(why, NS_DENIED, 1, "the key cannot be opened");
	key->pkey = pkey;
	return NS_OK;
}

static struct zone_keys *
closed_keys(struct signbox *b)
{
	struct zone_keys *keys = zone_keys_new();

	*keys = *b->keys;
	keys->refs = 1;
	keys->apex = xmalloc(keys->apex_len);
	memcpy(keys->apex, b->keys->apex, keys->apex_len);
	keys->open = on_open;
	keys->open_arg = b;
	for (unsigned i = 0; i < keys->n; i++) {
		keys->key[i].pkey = NULL;
		keys->key[i].closed_len = keys->key[i].flags == KEY_ZSK;
	}
	return keys;
}

static enum keys_found
on_keys(void *arg, const uint8_t *name, struct zone_keys **out, struct ns_why *why)
{
	struct signbox *b = arg;

	if (!name_equal(name, signbox_apex())) {
		*out = b->others != NULL ? b->others(name) : NULL;
		return *out != NULL ? KEYS_FOUND : KEYS_NONE;
	}
	if (b->closed) {
		*out = closed_keys(b);
		return KEYS_FOUND;
	}
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
	return ((struct signbox *)arg)->now;
}

void
signbox_start(struct signbox *b)
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

void
signbox_stop(struct signbox *b)
{
	feed_destroy(&b->f);
	sigfile_close(&b->file);
	writer_check(b->w);
	writer_close(&b->w);
	mapbox_fini(&b->box);
}

struct signbox *
signbox_open(enum key_algorithm algorithm, enum zone_denial denial)
{
	struct signbox *b = xcalloc(1, sizeof *b);

	b->now = SIGNBOX_NOW;
	b->seed = denial + algorithm;
	b->fd[0] = memfd_create("a", 0);
	b->fd[1] = memfd_create("b", 0);
	signbox_start(b);
	b->keys = keykit_new(signbox_apex(), algorithm, denial, SIGNBOX_NOW);
	return b;
}

void
signbox_close(struct signbox *b)
{
	signbox_stop(b);
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

void
signbox_random(struct signbox *b, unsigned i)
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
	    to, SIGNBOX_TEXT, "%s %s%u%s", name, kinds[kind].before, value, kinds[kind].after);
	if (kind == 2 && value % 2 == 0)
		n += (unsigned)snprintf(
		    to + n, SIGNBOX_TEXT - n, "\n%s DS 1 13 2 %064u", name, value);
	(void)snprintf(to + n, SIGNBOX_TEXT - n, "\n");
}

/* Those owners; all of them: with what fills the zone up. */
static struct wbuf
zone_text(struct signbox *b, uint64_t owners)
{
	char *text = xcalloc(1, 1 << 18);
	size_t n = (size_t)sprintf(text,
	    "$TTL 600\n@ SOA ns.elsewhere. h.elsewhere. %u 7200 3600 1209600 300\n"
	    "@ NS ns.elsewhere.\n@ MX 10 Mail.elsewhere.\n",
	    b->serial);
	uint64_t records;
	struct wbuf out;

	for (unsigned i = 0; i < SIGNBOX_OWNERS; i++) {
		if ((owners >> i & 1) != 0)
			n += (size_t)sprintf(text + n, "%s", b->line[i]);
	}
	for (unsigned i = 0; b->large && owners == ALL && i < FILLER; i++)
		n += (size_t)sprintf(text + n, "f%u TXT \"%0200u\"\n", i * 7 % FILLER, i);
	out = zonebox_zwire("s.example.", text, n, n, &records);
	free(text);
	return out;
}

void
signbox_make_all(struct signbox *b)
{
	while (feed_make(b->f, 0) == FEED_MORE)
		b->slices++;
}

static void
send_feed(struct signbox *b, const Ns__Feed *feed)
{
	feed_apply(b->f, feed);
	if (!b->held)
		signbox_make_all(b);
}

static void
send_zone(
    struct signbox *b, Ns__FeedZone__Kind kind, const struct wbuf *zwire, const struct wbuf *gone)
{
	Ns__Feed feed = NS__FEED__INIT;
	Ns__FeedZone z = NS__FEED_ZONE__INIT, *ptr = &z;
	uint8_t name[NAME_MAX_WIRE];

	memcpy(name, signbox_apex(), name_len(signbox_apex()));
	feed.revision = b->serial;
	feed.publish = true;
	feed.start_over = b->start && kind == NS__FEED_ZONE__KIND__REPLACE;
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

void
signbox_send_whole(struct signbox *b)
{
	struct wbuf zwire;

	b->serial++;
	zwire = zone_text(b, ALL);
	send_zone(b, NS__FEED_ZONE__KIND__REPLACE, &zwire, NULL);
	wbuf_free(&zwire);
}

void
signbox_send_edit(struct signbox *b, uint64_t owners)
{
	struct wbuf zwire, gone = wbuf_grow(1 << 16);

	b->serial++;
	for (unsigned i = 0; i < SIGNBOX_OWNERS; i++) {
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

void
signbox_send_keys(struct signbox *b)
{
	Ns__Feed feed = NS__FEED__INIT;

	feed.revision = ++b->serial;
	feed.publish = true;
	feed_keys_changed(b->f, signbox_apex());
	send_feed(b, &feed);
}

/* ---- what is served ---- */

bool
signbox_served(struct signbox *b, struct image_ref *ref)
{
	static struct map_view view;

	return writer_view(b->w, &view) &&
	       image_open(&view, writer_zone_find(b->w, signbox_apex()), ref);
}

/* What signing all of the content makes, with the signatures that are there: every one of them is, and no octet else. */
static void
expect_whole(struct signbox *b, const struct wbuf *content, const struct wbuf *all)
{
	struct wbuf out = wbuf_grow(1 << 22);
	struct signed_image image;
	struct map_view view;
	const struct zonesign how = { .apex = signbox_apex(),
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
	assert_true(signed_open(&image, &view, writer_zone_find(b->w, signbox_apex())));
	assert_int_equal(zonesign_all(&how, content->base, content->len, &out, &done, &why), NS_OK);
	assert_int_equal(done.made, 0);
	assert_int_equal(out.len, all->len);
	assert_memory_equal(out.base, all->base, out.len);
	signed_close(&image);
	rrsigner_destroy(&signer);
	wbuf_free(&out);
}

void
signbox_expect(struct signbox *b)
{
	struct wbuf all = wbuf_grow(1 << 22), content = wbuf_grow(1 << 22),
		    want = zone_text(b, ALL);
	struct signcheck check = {
		.apex = signbox_apex(),
		.keys = b->keys,
		.now = b->now,
		.signer = rrsigner_new(),
		.fresh = SIGNCHECK_ALL /* those were verified when they were made */
	};
	struct image_walk walk;
	struct image_node node;
	struct image_ref ref;
	struct ns_why why = { 0 };

	assert_true(signbox_served(b, &ref));
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

void
signbox_send_other(struct signbox *b)
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

struct signbox *
signbox_open_large(enum zone_denial denial, bool is_signed)
{
	struct signbox *b = signbox_open(KEY_ED25519, denial);
	struct zone_keys *keys = b->keys;

	b->large = true;
	for (unsigned i = 0; i < SIGNBOX_OWNERS; i++)
		signbox_random(b, i);
	b->keys = is_signed ? keys : NULL;
	signbox_send_whole(b);
	b->keys = keys;
	b->held = true;
	return b;
}

void
signbox_spoil(const struct signbox *b)
{
	static const uint8_t sum_key[16] = "signature frames";
	static uint8_t buf[200000];
	ssize_t size = pread(b->fd[0], buf, sizeof buf, 0);
	uint64_t sum;

	for (size_t at = 16, len; at + 16 < (size_t)size; at += 16 + len) {
		uint8_t *p = buf + at + 16;
		size_t entries = 11u + p[8];

		len = get_u32(buf + at + 4);
		for (size_t e = entries; e + SIGFILE_ENTRY <= len; e += SIGFILE_ENTRY)
			p[e + SIGFILE_ENTRY - 1] ^= 1;
		sum = hash_sip24(sum_key, p, len);
		put_u32(buf + at + 8, (uint32_t)(sum >> 32));
		put_u32(buf + at + 12, (uint32_t)sum);
	}
	assert_int_equal(pwrite(b->fd[0], buf, (size_t)size, 0), size);
}
