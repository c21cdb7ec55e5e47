/* store_content_test - zone content: whole, by owner, against a model, and how long it takes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "appliance/dns/zwire.h"
#include "appliance/store/db.h"
#include "ipc/base/clock.h"
#include "ipc/base/xalloc.h"
#include "tests/lib/store_kit.h"

/* ---- content ---- */

/* All content in pieces of about `want`. */
static struct wbuf
read_all(struct store *s, uint64_t zone, size_t want)
{
	struct wbuf out = wbuf_grow(1u << 28);
	uint8_t last[255];
	const uint8_t *after = NULL;
	enum ns_err err;
	size_t before;

	for (;;) {
		before = out.len;
		err = store_content_get(s, zone, after, want, &out, last);
		if (err == NS_NOTFOUND)
			break;
		OK(err);
		assert_true(out.len > before);
		after = last;
	}
	assert_int_equal(before, out.len);
	return out;
}

static void
assert_content(struct store *s, uint64_t zone, size_t want, const struct wbuf *w)
{
	struct wbuf all = read_all(s, zone, want);

	assert_int_equal(all.len, w->len);
	assert_memory_equal(all.base, w->base, w->len);
	wbuf_free(&all);
}

/* In pieces that end anywhere, also inside an owner (the apex has two sets). */
static void
put_in_pieces(struct store *s, uint64_t zone, const struct wbuf *w)
{
	struct zwire_iter it = zwire_iter(w->base, w->len);
	struct rrset set;
	size_t from = 0, n = 0;

	OK(store_begin(s, NULL));
	while (zwire_next(&it, &set)) {
		size_t to = (size_t)(set.raw - w->base) + set.raw_len;

		if (n++ % 613 == 0 || to == w->len) {
			OK(store_content_put(s, zone, from == 0, w->base + from, to - from, NULL));
			from = to;
		}
	}
	OK(store_commit(s, NULL));
}

static void
assert_owners(struct store *s, uint64_t zone, const struct kit_name *apex)
{
	struct wbuf got = wbuf_grow(1u << 20);

	OK(store_owner_get(s, zone, kit_name("h4711.big.example.").wire, &got));
	assert_int_equal(got.base[got.len - 1], 4711 & 255);
	assert_int_equal(
	    store_owner_get(s, zone, kit_name("x.big.example.").wire, &got), NS_NOTFOUND);
	got.len = 0;
	OK(store_owner_after(s, zone, NULL, &got));
	assert_memory_equal(got.base + 1, apex->wire, apex->len);
	got.len = 0;
	OK(store_owner_after(s, zone, kit_name("h4711.big.example.").wire, &got));
	assert_memory_equal(got.base + 1, kit_name("h4712.big.example.").wire, 19);
	assert_int_equal(
	    store_owner_after(s, zone, kit_name("h999.big.example.").wire, &got), NS_NOTFOUND);
	wbuf_free(&got);
}

static void
test_content(void **state)
{
	struct kit_store *f = *state;
	struct wbuf w = wbuf_grow(1u << 28);
	struct store_zone z;
	struct kit_name apex = kit_name("big.example.");
	static const size_t wants[] = { 0, 1, 1000, 16384, 1u << 27 };

	OK(store_begin(f->s, NULL));
	z = kit_new_zone(f, "big.example.", 1);
	kit_zone(&w, apex.wire, 7, 5000);
	OK(store_content_put(f->s, z.id, true, w.base, w.len, NULL));
	OK(store_commit(f->s, NULL));
	assert_true(kit_part_count(f) > 5);
	for (size_t i = 0; i < sizeof wants / sizeof wants[0]; i++)
		assert_content(f->s, z.id, wants[i], &w);
	OK(store_zone_find(f->s, apex.wire, &z));
	assert_int_equal(z.records, 5002);
	assert_int_equal(z.rrsets, 5002);
	assert_int_equal(z.bytes, w.len);
	kit_assert_sound(f->s);

	put_in_pieces(f->s, z.id, &w);
	assert_content(f->s, z.id, 4096, &w);
	kit_assert_sound(f->s);
	assert_owners(f->s, z.id, &apex);

	/* Nothing left. */
	OK(store_begin(f->s, NULL));
	OK(store_content_put(f->s, z.id, true, NULL, 0, NULL));
	OK(store_commit(f->s, NULL));
	OK(store_zone_find(f->s, apex.wire, &z));
	assert_int_equal(z.bytes + z.records + z.rrsets, 0);
	assert_int_equal(kit_part_count(f), 0);
	wbuf_free(&w);
}

static void
test_content_refused(void **state)
{
	struct kit_store *f = *state;
	struct kit_name a = kit_name("a.example."), b = kit_name("b.example.");
	struct wbuf w = wbuf_grow(1u << 20);
	struct ns_why why = { 0 };
	struct store_zone z;

	OK(store_begin(f->s, NULL));
	z = kit_new_zone(f, "example.", 1);
	kit_owner(&w, b.wire, 1, 100, 1);
	/* Another owner than named. */
	assert_int_equal(store_owner_put(f->s, z.id, a.wire, w.base, w.len, &why), NS_INVALID);
	/* Cut short. */
	assert_int_equal(store_owner_put(f->s, z.id, b.wire, w.base, w.len - 1, &why), NS_INVALID);
	OK(store_content_put(f->s, z.id, true, w.base, w.len, NULL));
	/* Two owners, and out of order. */
	kit_owner(&w, a.wire, 1, 100, 1);
	assert_int_equal(store_owner_put(f->s, z.id, b.wire, w.base, w.len, &why), NS_INVALID);
	assert_int_equal(store_content_put(f->s, z.id, true, w.base, w.len, &why), NS_INVALID);
	/* Too fat. */
	w.len = 0;
	kit_owner(&w, b.wire, 4, 60000, 1);
	assert_int_equal(store_owner_put(f->s, z.id, b.wire, w.base, w.len, &why), NS_INVALID);
	assert_int_equal(store_content_put(f->s, z.id, true, w.base, w.len, &why), NS_INVALID);
	/* No such zone. */
	w.len = 0;
	kit_owner(&w, b.wire, 1, 100, 1);
	assert_int_equal(store_owner_put(f->s, 4242, b.wire, w.base, w.len, &why), NS_NOTFOUND);
	assert_int_equal(store_content_put(f->s, 4242, true, w.base, w.len, &why), NS_NOTFOUND);
	OK(store_commit(f->s, NULL));

	/* What does not follow what is there breaks the transaction: the zone would lack it. */
	OK(store_begin(f->s, NULL));
	w.len = 0;
	kit_owner(&w, a.wire, 1, 100, 1);
	assert_int_equal(store_content_put(f->s, z.id, false, w.base, w.len, &why), NS_INVALID);
	assert_int_equal(store_commit(f->s, &why), NS_UNAVAILABLE);
	kit_assert_sound(f->s);
	wbuf_free(&w);
}

/* ---- parts against a model ---- */

#define MODEL 400
struct model {
	struct kit_name name[MODEL];
	struct wbuf content[MODEL];
	unsigned sets[MODEL];
	uint64_t bytes, rrsets;
};

static int
by_name(const void *a, const void *b)
{
	return name_cmp(((const struct kit_name *)a)->wire, ((const struct kit_name *)b)->wire);
}

static void
model_init(struct model *m, const char *apex)
{
	for (unsigned i = 0; i < MODEL; i++) {
		char text[128];

		snprintf(text, sizeof text, "%s%u.%s%s", i % 7 == 0 ? "*.sub" : "n", i,
		    i % 5 == 0 ? "deep." : "", apex);
		m->name[i] = kit_name(i == 0 ? (*apex != '\0' ? apex : ".") : text);
		m->content[i] = wbuf_grow(1u << 20);
	}
	qsort(m->name, MODEL, sizeof m->name[0], by_name);
}

/* One random edit of both; sizes move through phases, so that parts split and join. */
static void
model_edit(struct kit_store *f, struct model *m, uint64_t zone, uint64_t *rnd, unsigned round)
{
	static const size_t sizes[] = { 40, 400, 3000, 40, 200 };
	unsigned i = (unsigned)(kit_random(rnd) % MODEL), phase = round / 500 % 5;
	bool gone = kit_random(rnd) % 10 < (phase == 3 ? 9 : 3);
	struct wbuf *w = &m->content[i];

	m->bytes -= w->len;
	m->rrsets -= m->sets[i];
	w->len = 0;
	m->sets[i] = gone ? 0 : 1 + (unsigned)(kit_random(rnd) % 3);
	if (kit_random(rnd) % 200 == 0 && !gone)
		kit_owner(w, m->name[i].wire, m->sets[i], 60000, round); /* over a part */
	else
		kit_owner(w, m->name[i].wire, m->sets[i],
		    3 + (size_t)(kit_random(rnd) % sizes[phase]), round);
	m->bytes += w->len;
	m->rrsets += m->sets[i];
	OK(store_owner_put(f->s, zone, m->name[i].wire, w->base, w->len, NULL));
}

static void
model_compare(struct kit_store *f, const struct model *m, uint64_t zone, const uint8_t *apex)
{
	struct wbuf want = wbuf_grow(1u << 28), got, one = wbuf_grow(1u << 20);
	struct store_zone z;

	for (unsigned i = 0; i < MODEL; i++) {
		wbuf_put(&want, m->content[i].base, m->content[i].len);
		one.len = 0;
		assert_int_equal(store_owner_get(f->s, zone, m->name[i].wire, &one),
		    m->content[i].len > 0 ? NS_OK : NS_NOTFOUND);
		assert_int_equal(one.len, m->content[i].len);
		if (one.len > 0)
			assert_memory_equal(one.base, m->content[i].base, one.len);
	}
	got = read_all(f->s, zone, 5000);
	assert_int_equal(got.len, want.len);
	if (got.len > 0)
		assert_memory_equal(got.base, want.base, got.len);
	OK(store_zone_find(f->s, apex, &z));
	assert_int_equal(z.bytes, m->bytes);
	assert_int_equal(z.rrsets, m->rrsets);
	assert_int_equal(z.records, m->rrsets);
	wbuf_free(&want);
	wbuf_free(&got);
	wbuf_free(&one);
}

static void
run_model(struct kit_store *f, const char *apex, uint64_t seed)
{
	struct model *m = xcalloc(1, sizeof *m);
	struct kit_name top = kit_name(*apex != '\0' ? apex : ".");
	struct store_zone z, other;

	model_init(m, apex);
	OK(store_begin(f->s, NULL));
	/* A neighbour by id, whose parts must stay out of it. */
	other = kit_new_zone(f, "other.", 1);
	z = kit_new_zone(f, *apex != '\0' ? apex : ".", 1);
	struct wbuf w = wbuf_grow(1u << 20);

	kit_zone(&w, other.name, 7, 50);
	OK(store_content_put(f->s, other.id, true, w.base, w.len, NULL));
	for (unsigned round = 0; round < 5000; round++) {
		model_edit(f, m, z.id, &seed, round);
		if (round % 250 == 249)
			model_compare(f, m, z.id, top.wire);
	}
	OK(store_commit(f->s, NULL));
	kit_assert_sound(f->s);
	/* Parts did not degrade: on the average at least a quarter full, the fat owners apart. */
	assert_true(kit_part_count(f) <= m->bytes / (STORE_PART / 4) + 4);
	OK(store_begin(f->s, NULL));
	for (unsigned i = 0; i < MODEL; i++)
		OK(store_owner_put(f->s, z.id, m->name[i].wire, NULL, 0, NULL));
	OK(store_commit(f->s, NULL));
	assert_int_equal(kit_part_count(f), 1);
	kit_assert_sound(f->s);
	for (unsigned i = 0; i < MODEL; i++)
		wbuf_free(&m->content[i]);
	wbuf_free(&w);
	free(m);
}

static void
test_parts_model(void **state)
{
	run_model(*state, "model.example.", 1);
}

static void
test_parts_model_root(void **state)
{
	run_model(*state, "", 2);
}

static off_t
size_of(struct kit_store *f, const char *name)
{
	char *path = xasprintf("%s/%s", f->dir, name);
	struct stat st = { 0 };

	stat(path, &st);
	free(path);
	return st.st_size;
}

static void
test_wal_stays_small(void **state)
{
	struct kit_store *f = *state;
	struct wbuf w = wbuf_grow(1u << 24);
	struct store_zone z;

	kit_zone(&w, kit_name("example.").wire, 1, 20000);
	OK(store_begin(f->s, NULL));
	z = kit_new_zone(f, "example.", 1);
	OK(store_commit(f->s, NULL));
	for (unsigned i = 0; i < 200; i++) {
		OK(store_begin(f->s, NULL));
		OK(store_content_put(f->s, z.id, true, w.base, w.len, NULL));
		OK(store_commit(f->s, NULL));
	}
	assert_true(size_of(f, "store.db-wal") < 80 << 20);
	store_idle(f->s);
	assert_true(size_of(f, "store.db") > (off_t)w.len);
	wbuf_free(&w);
}

/* ---- how long it takes ---- */

struct speed {
	struct kit_store *f;
	unsigned zones;
	uint64_t rnd;
	struct wbuf zwire, body, read;
};

static double
us_each(uint64_t since, unsigned n)
{
	return (double)(clock_mono_ns() - since) / 1e3 / n;
}

/* Batches of 1,000 zones of 20 records, as an import brings them; only the store's time counts. */
static double
speed_import(struct speed *sp)
{
	struct store_change c = { .term = 1 };
	uint64_t ids[1000], t = 0;

	for (unsigned b = 0; b < sp->zones / 1000; b++) {
		sp->body.len = 0;
		OK(store_begin(sp->f->s, NULL));
		for (unsigned i = 0; i < 1000; i++) {
			struct store_zone z;
			char text[64];
			uint64_t start;

			snprintf(text, sizeof text, "zone%u.example.", b * 1000 + i);
			sp->zwire.len = 0;
			kit_zone(&sp->zwire, kit_name(text).wire, 7, 18);
			wbuf_put(&sp->body, sp->zwire.base, sp->zwire.len);
			start = clock_mono_ns();
			z = kit_new_zone(sp->f, text, b + 1);
			OK(store_content_put(
			    sp->f->s, z.id, true, sp->zwire.base, sp->zwire.len, NULL));
			t += clock_mono_ns() - start;
			ids[i] = z.id;
		}
		uint64_t start = clock_mono_ns();

		OK(store_change_append(sp->f->s, &c, sp->body.base, sp->body.len, ids, 1000, NULL));
		OK(store_commit(sp->f->s, NULL));
		store_idle(sp->f->s);
		t += clock_mono_ns() - start;
	}
	return (double)t / 1e3 / sp->zones;
}

/* One change as sync makes it. */
static void
speed_edit(struct speed *sp)
{
	static const uint8_t digest[STORE_HASH];
	struct store_change c = { .term = 1 };
	struct kit_name owner, zone;
	struct store_zone z;
	char key[64];
	unsigned n = (unsigned)(kit_random(&sp->rnd) % sp->zones);

	snprintf(key, sizeof key, "zone%u.example.", n);
	zone = kit_name(key);
	snprintf(key, sizeof key, "h3.zone%u.example.", n);
	owner = kit_name(key);
	snprintf(key, sizeof key, "%016llx", (unsigned long long)kit_random(&sp->rnd));
	OK(store_mark(sp->f->s, NULL));
	assert_int_equal(
	    store_idem_get(sp->f->s, "anna", key, digest, 1, &sp->read, NULL), NS_NOTFOUND);
	OK(store_zone_find(sp->f->s, zone.wire, &z));
	sp->zwire.len = 0;
	OK(store_owner_get(sp->f->s, z.id, owner.wire, &sp->zwire));
	sp->zwire.base[sp->zwire.len - 1]++;
	OK(store_owner_put(sp->f->s, z.id, owner.wire, sp->zwire.base, sp->zwire.len, NULL));
	z.version++;
	OK(store_zone_put(sp->f->s, &z, NULL));
	OK(store_change_append(sp->f->s, &c, sp->body.base, 300, &z.id, 1, NULL));
	OK(store_idem_put(sp->f->s, "anna", key, digest, 1, sp->body.base, 100, NULL));
	OK(store_release(sp->f->s, NULL));
}

static bool
speed_read_zone(void *arg, const struct store_zone *z)
{
	struct speed *sp = arg;
	uint8_t last[255];

	sp->read.len = 0;
	return store_content_get(sp->f->s, z->id, NULL, 65536, &sp->read, last) == NS_OK;
}

/* NS_STORE_ZONES=100000 for the sizes of the budget. */
static void
test_speed(void **state)
{
	const char *zones = getenv("NS_STORE_ZONES");
	struct speed sp = {
		.f = *state,
		.zones = zones != NULL ? (unsigned)strtoul(zones, NULL, 10) : 10000,
		.zwire = wbuf_grow(1u << 20),
		.body = wbuf_grow(1u << 24),
		.read = wbuf_grow(1u << 20),
	};
	const unsigned edits = 5000;
	double import = speed_import(&sp), edit, read;
	uint64_t t;

	kit_reopen(sp.f);
	t = clock_mono_ns();
	for (unsigned i = 0; i < edits; i++) {
		if (i % 10 == 0)
			OK(store_begin(sp.f->s, NULL));
		speed_edit(&sp);
		if (i % 10 == 9)
			OK(store_commit(sp.f->s, NULL));
	}
	edit = us_each(t, edits);
	t = clock_mono_ns();
	OK(store_zones_since(sp.f->s, 0, speed_read_zone, &sp));
	read = us_each(t, sp.zones);
	print_message("%u zones: import %.1f us a zone, edit %.1f us, read %.2f us a zone\n",
	    sp.zones, import, edit, read);
	/* Generous: against a slip by an order of magnitude. */
	assert_true(import < 330 && edit < 1500 && read < 60);
	wbuf_free(&sp.zwire);
	wbuf_free(&sp.body);
	wbuf_free(&sp.read);
}

#define T(name) cmocka_unit_test_setup_teardown(name, kit_set_up, kit_tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_content),
		T(test_content_refused),
		T(test_parts_model),
		T(test_parts_model_root),
		T(test_wal_stays_small),
		T(test_speed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
