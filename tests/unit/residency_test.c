/* residency - who may hold which zone, what is left of a change for whom, and what a store is after it. */
// link: appliance/sync/keyfeed.c appliance/sync/asof.c appliance/sync/past.c
// link: appliance/sync/redact.c appliance/sync/withhold.c appliance/sync/change.c appliance/sync/diff.c
// link: appliance/sync/batch.c appliance/sync/feedblock.c appliance/sync/importzone.c appliance/sync/request.c
// link: appliance/sync/people.c appliance/sync/checkdelta.c appliance/sync/apply.c appliance/sync/patch.c appliance/sync/place.c
// link: appliance/sync/settings.c appliance/sync/storeview.c appliance/sync/secret.c appliance/sync/residency.c
// link: tests/lib/fake/sync.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "appliance/keys/keybody.h"
#include "appliance/sync/batch.h"
#include "appliance/sync/change.h"
#include "appliance/sync/residency.h"
#include "appliance/sync/writer.h"
#include "ipc/base/xalloc.h"
#include "tests/lib/store_kit.h"

static void
put(struct store *s, const char *key, const char *a, const char *b)
{
	char *sites[] = { (char *)(uintptr_t)a, (char *)(uintptr_t)b };
	Ns__Residency m = NS__RESIDENCY__INIT;
	struct store_object o = { .kind = RESIDENCY_KIND };
	uint8_t body[256];

	snprintf(o.name, sizeof o.name, "%s", key);
	m.sites = sites;
	m.n_sites = b != NULL ? 2 : 1;
	ns__residency__pack(&m, body);
	OK(store_object_put(s, &o, body, ns__residency__get_packed_size(&m), NULL));
}

static void
who_may_have_what(void **state)
{
	static const struct {
		uint64_t zone;
		uint32_t account;
		const char *site;
		bool kept, may;
	} rows[] = {
		{ 7, 0, "home", true, true },
		{ 7, 0, "away", true, false },
		{ 7, 0, "", true, false }, /* an unknown site */
		{ 8, 0, "away", false, true },
		{ 8, 0, "", false, true },
		{ 8, 3, "away", true, true },
		{ 8, 3, "home", true, false },
		{ 7, 3, "home", true, true }, /* the zone's own word wins */
		{ 7, 3, "away", true, false },
		{ 9, RESIDENCY_LOST, "home", true, false },
		{ 7, RESIDENCY_LOST, "home", true, true },
	};
	struct kit_store *f = *state;
	struct residency *r;
	char **words;
	struct ns_why why = { 0 };
	size_t n;

	OK(residency_load(f->s, &r));
	assert_null(r);
	assert_true(residency_allows(r, 7, 0, "") && !residency_kept(r, 7, 0));
	OK(store_begin(f->s, NULL));
	put(f->s, "z7", "home", "other");
	put(f->s, "a3", "away", NULL);
	OK(store_commit(f->s, NULL));
	OK(residency_load(f->s, &r));
	assert_true(residency_has_accounts(r));
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		assert_int_equal(residency_kept(r, rows[i].zone, rows[i].account), rows[i].kept);
		assert_int_equal(
		    residency_allows(r, rows[i].zone, rows[i].account, rows[i].site), rows[i].may);
	}
	residency_free(&r);
	assert_int_equal(residency_may_lead(f->s, "p", "home", &why), NS_CONFLICT);
	assert_non_null(strstr(why.text, "account acct3"));
	OK(residency_describe(f->s, &words, &n));
	assert_int_equal(n, 2);
	assert_string_equal(words[0], "account acct3: away");
	assert_string_equal(words[1], "deleted zone 7: home other");
	free(words[0]);
	free(words[1]);
	free(words);
	/* What cannot be read gives nothing away. */
	OK(store_begin(f->s, NULL));
	put(f->s, "x", "home", NULL);
	OK(store_commit(f->s, NULL));
	assert_int_equal(residency_load(f->s, &r), NS_CORRUPT);
}

/* ---- a change ---- */
#define MARK "plugh-xyzzy-mark"

static Ns__ChangeBody__Zone *
zone_entry(uint64_t id)
{
	Ns__ChangeBody__Zone *m = xmalloc(sizeof *m);

	ns__change_body__zone__init(m);
	m->zone_id = id;
	return m;
}

static Ns__ChangeBody *
body_of(uint64_t a, uint64_t b)
{
	Ns__ChangeBody *body = xmalloc(sizeof *body);

	ns__change_body__init(body);
	body->zones = xcalloc(2, sizeof *body->zones);
	body->zones[body->n_zones++] = zone_entry(a);
	body->zones[body->n_zones++] = zone_entry(b);
	return body;
}

static void
put_keys(Ns__ChangeBody *body, const char *name)
{
	Ns__ChangeBody__Object *o = xmalloc(sizeof *o);

	ns__change_body__object__init(o);
	o->kind = xstrdup(KEYS_KIND);
	o->name = xstrdup(name);
	o->body = (ProtobufCBinaryData){ strlen(MARK), xmemdup(MARK, strlen(MARK)) };
	body->objects = xreallocarray(body->objects, body->n_objects + 1, sizeof *body->objects);
	body->objects[body->n_objects++] = o;
}

static void
what_is_left_of_a_change(void **state)
{
	struct kit_store *f = *state;
	Ns__ChangeBody *body = body_of(7, 8);
	struct residency *r;
	bool touches, cut;

	put_keys(body, "z7");
	put_keys(body, "z8");

	OK(store_begin(f->s, NULL));
	put(f->s, "z7", "home", NULL);
	OK(store_commit(f->s, NULL));
	OK(residency_load(f->s, &r));
	OK(redact_touches(f->s, r, body, &touches));
	assert_true(touches);
	OK(redact_body(f->s, r, "home", body, &cut));
	assert_true(!cut && body->n_zones == 2 && body->n_withheld_zones == 0);
	assert_int_equal(body->n_objects, 2);
	OK(redact_body(f->s, r, "away", body, &cut));
	assert_true(cut && body->n_zones == 1 && body->zones[0]->zone_id == 8);
	assert_true(body->n_withheld_zones == 1 && body->withheld_zones[0] == 7);
	/* Nor its keys, which say its name. */
	assert_int_equal(body->n_objects, 1);
	assert_string_equal(body->objects[0]->name, "z8");
	OK(redact_object(f->s, r, "away", KEYS_KIND, "z7", &touches));
	assert_false(touches);
	OK(redact_object(f->s, r, "home", KEYS_KIND, "z7", &touches));
	assert_true(touches);
	OK(redact_object(f->s, r, "away", "check", "z7", &touches));
	assert_true(touches);
	OK(redact_touches(f->s, r, body, &touches));
	assert_false(touches);
	OK(redact_body(f->s, r, "away", body, &cut));
	assert_false(cut);
	ns__change_body__free_unpacked(body, NULL);
	residency_free(&r);
}

/* ---- the replica ---- */

static bool
file_has(const char *dir, const char *name, const char *mark)
{
	char *path = xasprintf("%s/%s", dir, name), *data = NULL;
	FILE *in = fopen(path, "r");
	bool found = false;
	size_t len = 0, size = strlen(mark);

	free(path);
	if (in == NULL)
		return false;
	data = xmalloc(8u << 20);
	len = fread(data, 1, 8u << 20, in);
	fclose(in);
	for (size_t i = 0; i + size <= len && !found; i++)
		found = memcmp(data + i, mark, size) == 0;
	free(data);
	return found;
}

static uint64_t
append(struct kit_store *f, Ns__ChangeBody *body, const uint64_t *ids, size_t n)
{
	struct store_change c = { .term = 1, .kind = "edit", .author = "a", .via = "cli" };
	size_t len = ns__change_body__get_packed_size(body);
	uint8_t *packed = xmalloc(len);

	ns__change_body__pack(body, packed);
	OK(store_change_append(f->s, &c, packed, len, ids, n, NULL));
	free(packed);
	ns__change_body__free_unpacked(body, NULL);
	return c.revision;
}

static void
no_byte_is_left(void **state)
{
	struct kit_store *f = *state;
	struct store_zone z, other;
	struct wbuf content = wbuf_grow(1u << 20);
	struct kit_name apex = kit_name(MARK ".example");
	struct store_object keys = { .kind = KEYS_KIND, .version = 1 };
	struct store_change row;
	struct batch *b;
	Ns__ChangeBody *body;
	uint8_t digest[STORE_HASH];
	uint64_t ids[2], first;
	struct ns_why why = { 0 };
	unsigned gone = 0;

	OK(store_begin(f->s, NULL));
	z = kit_new_zone(f, MARK ".example", 1);
	other = kit_new_zone(f, "other.example", 1);
	kit_zone(&content, apex.wire, 1, 50);
	OK(store_content_put(f->s, z.id, true, content.base, content.len, NULL));
	content.len = 0;
	kit_zone(&content, kit_name("other.example").wire, 7, 3);
	OK(store_content_put(f->s, other.id, true, content.base, content.len, NULL));
	wbuf_free(&content);
	ids[0] = z.id;
	ids[1] = other.id;
	body = body_of(z.id, other.id);
	body->zones[0]->added = (ProtobufCBinaryData){ strlen(MARK), xmalloc(strlen(MARK)) };
	memcpy(body->zones[0]->added.data, MARK, strlen(MARK));
	keys_object_name(z.id, keys.name);
	put_keys(body, keys.name);
	OK(store_object_put(f->s, &keys, MARK, strlen(MARK), NULL));
	first = append(f, body, ids, 2);
	OK(store_commit(f->s, NULL));
	assert_true(file_has(f->dir, "store.db-wal", MARK) || file_has(f->dir, "store.db", MARK));

	OK(store_begin(f->s, NULL));
	b = batch_new(f->s, first, 1, 2);
	OK(withhold_zones(b, ids, 1, &gone, &why));
	assert_true(gone == 1 && b->zones == 1 && b->scrub);
	OK(withhold_zones(b, ids, 1, &gone, &why)); /* nothing is there any more */
	assert_int_equal(gone, 1);
	OK(store_commit(f->s, NULL));
	batch_destroy(&b);
	OK(store_scrub(f->s, NULL));
	assert_false(file_has(f->dir, "store.db-wal", MARK) || file_has(f->dir, "store.db", MARK));

	assert_int_equal(store_zone_by_id(f->s, z.id, &z), NS_NOTFOUND);
	OK(store_zone_by_id(f->s, other.id, &other));
	OK(store_change_digest(f->s, first, digest));
	assert_int_equal(store_change_digest(f->s, first + 1, digest), NS_NOTFOUND);
	body = change_body_load(f->s, first, &row);
	assert_true(body->n_zones == 1 && body->n_withheld_zones == 1 && body->n_objects == 0);
	assert_int_equal(store_object_get(f->s, KEYS_KIND, keys.name, &keys, NULL), NS_NOTFOUND);
	ns__change_body__free_unpacked(body, NULL);
	kit_assert_sound(f->s); /* the hash chain, too */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(who_may_have_what, kit_set_up, kit_tear_down),
		cmocka_unit_test_setup_teardown(
		    what_is_left_of_a_change, kit_set_up, kit_tear_down),
		cmocka_unit_test_setup_teardown(no_byte_is_left, kit_set_up, kit_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
