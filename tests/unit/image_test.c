/* image - images against a model: build, lookup, edit, digest, broken octets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "appliance/dns/rrtype.h"
#include "appliance/dns/zwire.h"
#include "appliance/zonemap/image_sig.h"
#include "tests/lib/mapbox.h"
#include "tests/lib/zonekit.h"

#define ORIGIN "model.example."

/* ---- the model: owners in canonical order, each with its zwire ---- */
struct owner {
	uint8_t name[255];
	struct wbuf zwire; /* empty: not in the zone */
};
struct model {
	struct owner *owner;
	size_t n;
	uint64_t seed;
};

static uint32_t
pick(struct model *m, uint32_t n)
{
	return (uint32_t)(mapbox_random(&m->seed) % n);
}

static void
random_rdata(struct model *m, uint16_t type, struct wbuf *w)
{
	static const char *const targets[] = { "www." ORIGIN, "A.b.c." ORIGIN, ORIGIN,
		"ns.elsewhere.test.", "mail.sub." ORIGIN, "." };
	uint8_t name[255];

	if (type == RR_MX)
		wbuf_u16(w, (uint16_t)pick(m, 50));
	if (type == RR_SRV) {
		wbuf_u32(w, pick(m, 100));
		wbuf_u16(w, 53);
	}
	if (type == RR_A) {
		wbuf_u32(w, (uint32_t)mapbox_random(&m->seed));
	} else if (type == RR_TXT) {
		unsigned n = pick(m, 200);

		wbuf_u8(w, (uint8_t)n);
		for (unsigned i = 0; i < n; i++)
			wbuf_u8(w, (uint8_t)pick(m, 256));
	} else {
		zonekit_name(targets[pick(m, type == RR_SRV ? 6 : 5)], name);
		wbuf_put(w, name, name_len(name));
	}
}

static void
fill_owner(struct model *m, struct owner *o)
{
	static const uint16_t types[] = { RR_A, RR_MX, RR_TXT, RR_SRV, RR_PTR, RR_DS };
	struct rrpile *pile = rrpile_new();
	struct ns_why why;
	uint64_t records;
	bool apex = o == m->owner;

	o->zwire.len = 0;
	for (unsigned i = 0; i < 1 + pick(m, 6); i++) {
		uint16_t type = types[pick(m, 5)];
		uint8_t rdata[512];
		struct wbuf w = wbuf_init(rdata, sizeof rdata);

		random_rdata(m, type, &w);
		rrpile_add(pile, o->name, type, 300, rdata, w.len, 0);
	}
	if (apex) {
		uint8_t soa[64];
		struct wbuf w = wbuf_init(soa, sizeof soa);

		wbuf_u8(&w, 0);
		wbuf_u8(&w, 0);
		for (unsigned i = 0; i < 5; i++)
			wbuf_u32(&w, 60 * i + pick(m, 9));
		rrpile_add(pile, o->name, RR_SOA, 3600, soa, w.len, 0);
	}
	assert_int_equal(rrpile_to_zwire(pile, &o->zwire, &records, &why), NS_OK);
	rrpile_destroy(&pile);
}

static int
owner_cmp(const void *a, const void *b)
{
	return name_cmp(((const struct owner *)a)->name, ((const struct owner *)b)->name);
}

static void
model_init(struct model *m, size_t n, uint64_t seed)
{
	size_t kept = 1;

	*m = (struct model){ .owner = calloc(n, sizeof *m->owner), .n = n, .seed = seed };
	zonekit_name(ORIGIN, m->owner[0].name);
	for (size_t i = 1; i < n; i++) {
		char text[128];
		int at = 0;

		for (unsigned labels = 1 + pick(m, 4); labels > 0; labels--)
			at += snprintf(text + at, sizeof text - (size_t)at, "%s%u.",
			    pick(m, 3) == 0 ? "\\001\\000x" : "n", pick(m, labels > 1 ? 40 : 4000));
		snprintf(text + at, sizeof text - (size_t)at, "%s", ORIGIN);
		zonekit_name(text, m->owner[i].name);
	}
	qsort(m->owner, n, sizeof *m->owner, owner_cmp);
	for (size_t i = 1; i < n; i++) {
		if (!name_equal(m->owner[kept - 1].name, m->owner[i].name))
			m->owner[kept++] = m->owner[i];
	}
	m->n = kept;
	for (size_t i = 0; i < kept; i++) {
		m->owner[i].zwire = wbuf_grow(1 << 20);
		if (i == 0 || pick(m, 4) > 0)
			fill_owner(m, &m->owner[i]);
	}
}

static void
model_free(struct model *m)
{
	for (size_t i = 0; i < m->n; i++)
		wbuf_free(&m->owner[i].zwire);
	free(m->owner);
}

static struct wbuf
model_zwire(const struct model *m)
{
	struct wbuf all = wbuf_grow(1u << 30);

	for (size_t i = 0; i < m->n; i++)
		wbuf_put(&all, m->owner[i].zwire.base, m->owner[i].zwire.len);
	return all;
}

/* ---- checks ---- */
static struct map_view
staged(struct zonekit *k)
{
	struct map *map = writer_map(k->w);

	return (struct map_view){
		.map = map, .base = map->base, .size = atomic_load(&map->header->size)
	};
}

static void
count_block(void *arg, map_off off)
{
	(void)off;
	++*(size_t *)arg;
}

/* Digest, soundness, and every name of the model. */
static void
expect_model(struct zonekit *k, map_off off, const struct model *m)
{
	struct map_view view = staged(k);
	struct wbuf all = model_zwire(m);
	struct zone_digest *d = zone_digest_new();
	uint8_t want[32], got[32], key[NAME_MAX_KEY];
	struct image_ref ref;
	uint64_t version;
	size_t blocks = 0;

	zone_digest_add(d, all.base, all.len);
	zone_digest_end(&d, want);
	assert_int_equal(image_digest(&view, off, got, &version), NS_OK);
	assert_memory_equal(want, got, 32);
	assert_int_equal(image_each_block(&view, off, count_block, &blocks), NS_OK);
	assert_true(blocks > 0);
	assert_true(image_open(&view, off, &ref));
	for (size_t i = 0; i < m->n; i++) {
		const struct owner *o = &m->owner[i];
		size_t keylen = image_key_of(o->name, name_labels(m->owner[0].name), key);
		struct image_node node;
		enum image_found found = image_find(&ref, key, keylen, &node);
		size_t j = i + 1;

		if (o->zwire.len > 0) {
			struct wbuf back = wbuf_grow(1 << 20);

			assert_int_equal(found, IMAGE_NODE);
			assert_true(image_node_zwire(&ref, &node, false, &back));
			assert_int_equal(back.len, o->zwire.len);
			wbuf_free(&back);
			continue;
		}
		while (j < m->n && m->owner[j].zwire.len == 0)
			j++;
		assert_int_equal(found,
		    j < m->n && name_is_below(m->owner[j].name, o->name) ? IMAGE_ENT : IMAGE_NONE);
	}
	wbuf_free(&all);
}

static map_off
build(struct zonekit *k, const struct model *m)
{
	struct wbuf all = model_zwire(m);
	map_off off = zonekit_put(k, ORIGIN, all.base, all.len, 1);

	wbuf_free(&all);
	return off;
}

static void
builds_what_it_was_given(void **state)
{
	static const size_t sizes[] = { 1, 2, 7, 60, 250, 800, 6000 };

	(void)state;
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		struct zonekit k;
		struct model m;

		zonekit_init(&k, 256u << 20);
		model_init(&m, sizes[i], 11 + i);
		expect_model(&k, build(&k, &m), &m);
		model_free(&m);
		zonekit_fini(&k);
	}
}

/* A piece per owner, and pieces that end in the middle of one. */
static void
takes_pieces_of_any_size(void **state)
{
	const struct image_meta meta = { .version = 1 };
	struct zonekit k;
	struct model m;
	struct image_builder *b;
	struct ns_why why;
	map_off off;

	(void)state;
	zonekit_init(&k, 256u << 20);
	model_init(&m, 3000, 5);
	b = image_builder_new(k.w, m.owner[0].name, &meta);
	for (size_t i = 0; i < m.n; i++) {
		struct zwire_iter it = zwire_iter(m.owner[i].zwire.base, m.owner[i].zwire.len);
		struct rrset set;

		while (zwire_next(&it, &set))
			assert_int_equal(image_builder_add(b, set.raw, set.raw_len, &why), NS_OK);
	}
	assert_int_equal(image_builder_end(&b, &off, &why), NS_OK);
	expect_model(&k, off, &m);
	b = image_builder_new(k.w, m.owner[0].name, &meta);
	assert_int_equal(
	    image_builder_add(b, m.owner[0].zwire.base, m.owner[0].zwire.len, &why), NS_OK);
	assert_int_equal(image_builder_add(b, "\3abc", 4, &why), NS_CORRUPT);
	image_builder_destroy(&b);
	b = image_builder_new(k.w, m.owner[0].name, &meta);
	assert_int_equal(image_builder_end(&b, &off, &why), NS_CORRUPT); /* no SOA */
	model_free(&m);
	zonekit_fini(&k);
}

static map_off
edit_some(struct zonekit *k, struct model *m, map_off old, unsigned owners)
{
	const struct image_meta meta = { .version = 2 };
	struct wbuf zwire = wbuf_grow(1 << 24), gone = wbuf_grow(1 << 20);
	struct ns_why why = { 0 };
	bool *touched = calloc(m->n, 1);
	map_off off;

	while (owners-- > 0)
		touched[pick(m, (uint32_t)m->n)] = true;
	for (size_t i = 0; i < m->n; i++) {
		struct owner *o = &m->owner[i];

		if (!touched[i])
			continue;
		if (i > 0 && pick(m, 2) == 0) {
			o->zwire.len = 0;
			wbuf_put(&gone, o->name, name_len(o->name));
		} else {
			fill_owner(m, o);
			wbuf_put(&zwire, o->zwire.base, o->zwire.len);
		}
	}
	assert_int_equal(
	    image_edit(k->w, old, &meta, zwire.base, zwire.len, gone.base, gone.len, &off, &why),
	    NS_OK);
	assert_int_equal(writer_zone_put(k->w, m->owner[0].name, off), NS_OK);
	wbuf_free(&zwire);
	wbuf_free(&gone);
	free(touched);
	return off;
}

static void
edits_like_a_fresh_build(size_t owners, unsigned rounds, unsigned most)
{
	struct zonekit k;
	struct model m;
	map_off off;
	uint64_t after_some = 0;

	zonekit_init(&k, 256u << 20);
	model_init(&m, owners, owners);
	off = build(&k, &m);
	zonekit_publish(&k);
	for (unsigned i = 0; i < rounds; i++) {
		off = edit_some(&k, &m, off, 1 + pick(&m, most));
		expect_model(&k, off, &m);
		zonekit_publish(&k);
		writer_reclaim(k.w);
		if (i == rounds / 4)
			after_some = writer_bytes(k.w);
	}
	/* Nothing leaks, and leaves do not fall to crumbs. */
	assert_true(writer_bytes(k.w) < after_some * 2);
	model_free(&m);
	zonekit_fini(&k);
}

static void
edits_a_tree(void **state)
{
	(void)state;
	edits_like_a_fresh_build(4000, 120, 3);
	edits_like_a_fresh_build(4000, 20, 800);
}

static void
edits_a_flat_image(void **state)
{
	(void)state;
	edits_like_a_fresh_build(40, 100, 4);
}

static void
refuses_bad_edits(void **state)
{
	const struct image_meta meta = { .version = 2 };
	struct zonekit k;
	struct model m;
	struct ns_why why;
	map_off off, out;
	const uint8_t *apex;
	uint8_t name[255];

	(void)state;
	zonekit_init(&k, 64u << 20);
	model_init(&m, 3000, 3);
	off = build(&k, &m);
	zonekit_publish(&k);
	apex = m.owner[0].name;
	assert_int_equal(
	    image_edit(k.w, off, &meta, "", 0, apex, name_len(apex), &out, &why), NS_CORRUPT);
	assert_int_equal(image_edit(k.w, off, &meta, "\1", 1, "", 0, &out, &why), NS_CORRUPT);
	zonekit_name("other.test.", name);
	assert_int_equal(
	    image_edit(k.w, off, &meta, "", 0, name, name_len(name), &out, &why), NS_CORRUPT);
	expect_model(&k, off, &m);
	model_free(&m);
	zonekit_fini(&k);
}

/* Octets of an image are changed at random: answers may be wrong, nothing may be read outside. */
static void
broken_images_do_no_harm(void **state)
{
	static const char *const names[] = { "www." ORIGIN, ORIGIN, "n1.n2." ORIGIN, "*." ORIGIN,
		"n7.n7.n7." ORIGIN };
	uint8_t pkt[512], *reply = malloc(SERVE_TCP_MAX);
	uint64_t seed = 99;

	(void)state;
	for (unsigned size = 0; size < 2; size++) {
		struct zonekit k;
		struct model m;
		map_off off;
		size_t len;
		uint8_t *image, *saved;

		zonekit_init(&k, 256u << 20);
		model_init(&m, size == 0 ? 60 : 3000, 21 + size);
		off = build(&k, &m);
		zonekit_publish(&k);
		/* The whole file but its header and the directory: leaves as well as roots. */
		image = (uint8_t *)writer_map(k.w)->base + MAP_PAGE;
		len = (size_t)k.view.size - MAP_PAGE;
		(void)off;
		saved = malloc(len);
		memcpy(saved, image, len);
		for (unsigned round = 0; round < 3000; round++) {
			size_t first = (size_t)(mapbox_random(&seed) % len);

			for (unsigned i = 0; i < 12; i++) {
				size_t at = (first + mapbox_random(&seed) % 256) % len;

				image[at] = (uint8_t)mapbox_random(&seed);
			}
			for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
				size_t n = zonekit_question(names[i],
				    (uint16_t)(round % 3 == 0 ? RR_MX : round % 60), "d", pkt);

				zonekit_ask(&k, pkt, n, round % 2 == 0, reply);
			}
			if (round % 8 == 7)
				memcpy(image, saved, len);
		}
		memcpy(image, saved, len);
		free(saved);
		model_free(&m);
		zonekit_fini(&k);
	}
	free(reply);
}

/* ---- signatures ---- */
#define SIG_63 \
	"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+"
#define SIG_64                 SIG_63 "Pw=="
#define TIMES                  " 20300101000000 20200101000000 "
#define RRSIG(of, ttl, signer) "w RRSIG " of " 13 3 " ttl TIMES "4711 " signer " " SIG_64 "\n"
#define RSA                    "w RRSIG A 8 3 300" TIMES "4711 " ORIGIN " " SIG_63 "\n"

static const struct signed_row {
	const char *text;
	unsigned packed; /* how many; 0: as records */
} signed_rows[] = {
	{ RRSIG("A", "300", ORIGIN), 1 },
	{ RRSIG("A", "300", ORIGIN) "w RRSIG A 15 2 300" TIMES "9 " ORIGIN " " SIG_64 "\n", 2 },
	{ RSA, 0 },
	{ RRSIG("A", "300", ORIGIN) RSA, 0 },
	{ RRSIG("A", "299", ORIGIN), 0 },
	{ RRSIG("A", "300", "other.example."), 0 }, /* of the same length */
	{ RRSIG("A", "300", "Model.example."), 0 },
	{ RRSIG("TXT", "300", ORIGIN), 0 },
	{ "", 0 },
};

/* What comes out of all nodes. */
static struct wbuf
read_back(const struct image_ref *ref, bool *sound)
{
	struct wbuf back = wbuf_grow(1 << 20);
	struct image_walk walk;
	struct image_node node;

	*sound = true;
	image_walk_begin(&walk, ref);
	while (*sound && image_walk_next(&walk, &node))
		*sound = image_node_zwire(ref, &node, false, &back);
	return back;
}

static void
packs_signatures(void **state)
{
	static const uint8_t key[] = "w";
	struct wbuf back, text, zwire;
	struct image_node node;
	struct image_set set;
	struct image_ref ref;
	struct map_view view;
	struct zonekit k;
	bool sound;

	(void)state;
	zonekit_init(&k, 64u << 20);
	for (size_t i = 0; i < sizeof signed_rows / sizeof signed_rows[0]; i++) {
		const struct signed_row *row = &signed_rows[i];
		uint16_t *word;

		text = wbuf_grow(1 << 16);
		wbuf_put(&text, "$TTL 300\n@ SOA n h 1 2 3 4 5\nw A 192.0.2.1\n", 43);
		wbuf_put(&text, row->text, strlen(row->text));
		zwire = zonekit_zwire(ORIGIN, (const char *)text.base, text.len);
		(void)zonekit_put(&k, ORIGIN, zwire.base, zwire.len, 1);
		view = staged(&k);
		assert_true(image_open(
		    &view, writer_zone_find(k.w, (const uint8_t *)"\5model\7example"), &ref));
		back = read_back(&ref, &sound);
		assert_true(sound);
		assert_int_equal(back.len, zwire.len);
		assert_memory_equal(back.base, zwire.base, zwire.len);
		assert_int_equal(image_find(&ref, key, sizeof key, &node), IMAGE_NODE);
		assert_true(image_set_find(&node, RR_A, &set));
		if (image_sig_packed(&set) != (row->packed > 0))
			fail_msg("packed: %d, of %s", image_sig_packed(&set), row->text);
		if (row->packed > 0) {
			assert_int_equal(image_sig_count(&set), row->packed);
			assert_int_equal(set.sig_len, row->packed * SIG_PACKED_SIZE);
			wbuf_free(&back);
			word = (uint16_t *)(uintptr_t)set.patch - 1; /* the last word of the head */
			*word = SIG_PACKED | (uint16_t)(row->packed + 1);
			assert_true(image_set_find(&node, RR_A, &set));
			assert_int_equal(image_sigs_len(&ref, &set), SIGS_BROKEN);
			back = read_back(&ref, &sound);
			assert_false(sound);
		}
		wbuf_free(&back);
		wbuf_free(&zwire);
		wbuf_free(&text);
	}
	zonekit_fini(&k);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(builds_what_it_was_given),
		cmocka_unit_test(takes_pieces_of_any_size),
		cmocka_unit_test(edits_a_tree),
		cmocka_unit_test(edits_a_flat_image),
		cmocka_unit_test(refuses_bad_edits),
		cmocka_unit_test(broken_images_do_no_harm),
		cmocka_unit_test(packs_signatures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
