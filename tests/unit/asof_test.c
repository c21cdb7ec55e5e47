/* asof - a signer is given zones as they were: what was edited, came, went or was signed since is taken back. */
// link: appliance/sync/asof.c appliance/sync/past.c appliance/sync/change.c appliance/sync/diff.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "appliance/dns/zwire.h"
#include "appliance/sync/apply.h"
#include "appliance/sync/asof.h"
#include "appliance/sync/change.h"
#include "tests/lib/store_kit.h"

/* change.c commits; this test writes the log by hand. */
enum ns_err
change_apply(
    struct batch *b, const struct store_change *c, const Ns__ChangeBody *body, struct ns_why *why)
{
	(void)b;
	(void)c;
	(void)body;
	(void)why;
	abort();
}

/* Zone content: one RRset of an owner for each letter of `owners`, its data from `salt`. */
static struct wbuf
content(const char *owners, uint32_t salt)
{
	struct wbuf w = wbuf_grow(65536);
	char name[32];

	for (; *owners != '\0'; owners++) {
		snprintf(name, sizeof name, "%c.example.", *owners);
		kit_owner(&w, kit_name(name).wire, 1, 20, salt + (uint8_t)*owners);
	}
	return w;
}

static void
log_zone(struct store *s, const struct store_zone *z, Ns__ChangeBody__Zone__Kind kind,
    uint64_t base, const struct wbuf *removed, const struct wbuf *added)
{
	Ns__ChangeBody body = NS__CHANGE_BODY__INIT;
	Ns__ChangeBody__Zone m = NS__CHANGE_BODY__ZONE__INIT, *list[1] = { &m };
	struct store_change row = { .term = 1, .zone_count = 1, .kind = "edit" };
	uint8_t buf[4096];

	m.kind = kind;
	m.zone_id = z->id;
	m.base_version = base;
	m.name = (ProtobufCBinaryData){ z->name_len, (uint8_t *)(uintptr_t)z->name };
	if (removed != NULL)
		m.removed = (ProtobufCBinaryData){ removed->len, removed->base };
	if (added != NULL)
		m.added = (ProtobufCBinaryData){ added->len, added->base };
	body.n_zones = 1;
	body.zones = list;
	OK(store_change_append(s, &row, buf, ns__change_body__pack(&body, buf), &z->id, 1, NULL));
}

static void
log_object(struct store *s, struct store_change *row, const char *kind, const char *name,
    const char *octets, uint64_t id, uint64_t zone)
{
	Ns__ChangeBody body = NS__CHANGE_BODY__INIT;
	Ns__ChangeBody__Object m = NS__CHANGE_BODY__OBJECT__INIT, *list[1] = { &m };
	uint8_t buf[256];

	m.id = id;
	m.kind = (char *)(uintptr_t)kind;
	m.name = (char *)(uintptr_t)name;
	m.removed = octets == NULL;
	if (octets != NULL)
		m.body = (ProtobufCBinaryData){ strlen(octets), (uint8_t *)(uintptr_t)octets };
	body.n_objects = 1;
	body.objects = list;
	OK(store_change_append(
	    s, row, buf, ns__change_body__pack(&body, buf), &zone, row->zone_count, NULL));
}

static void
log_keys(struct store *s, const char *name, const char *octets)
{
	struct store_change row = { .term = 1, .kind = "dnssec" };

	log_object(s, &row, "dnssec", name, octets, 0, 0);
}

static void
assert_was(const struct asof *a, uint64_t id, uint64_t version, const struct wbuf *want)
{
	const struct asof_zone *z = asof_zone(a, id);
	struct wbuf got = wbuf_grow(65536);
	struct store_zone row;

	assert_non_null(z);
	assert_true(z->there);
	OK(asof_content(a, z, &row, &got, NULL));
	assert_int_equal(row.version, version);
	assert_int_equal(row.id, id);
	assert_int_equal(got.len, want->len);
	assert_memory_equal(got.base, want->base, want->len);
	wbuf_free(&got);
}

static void
put(struct kit_store *k, struct store_zone *z, uint64_t version, const struct wbuf *w)
{
	OK(store_content_put(k->s, z->id, true, w->base, w->len, NULL));
	OK(store_zone_by_id(k->s, z->id, z));
	z->version = version;
	OK(store_zone_put(k->s, z, NULL));
}

static void
test_taken_back(void **state)
{
	struct kit_store *k = *state;
	struct store_zone edited, gone, fresh, still;
	struct wbuf old = content("bdf", 1), d = content("d", 1), f = content("f", 1),
		    mid = content("f", 7), a = content("a", 5), now = content("abz", 5),
		    z = content("z", 5), b = content("b", 1);
	struct ns_why why = { 0 };
	struct asof at;
	uint64_t head;
	uint8_t hash[STORE_HASH];

	OK(store_begin(k->s, NULL));
	edited = kit_new_zone(k, "example.", 1);
	gone = kit_new_zone(k, "gone.", 1);
	still = kit_new_zone(k, "still.", 1);
	put(k, &edited, 1, &old);
	put(k, &gone, 1, &b);
	log_zone(k->s, &edited, NS__CHANGE_BODY__ZONE__KIND__CREATE, 0, NULL, &old);
	log_keys(k->s, "z1", "first");
	log_keys(k->s, "z2", "other");
	/* 3: all that follows waits. d goes and f changes, twice; a and z come. */
	log_zone(k->s, &edited, NS__CHANGE_BODY__ZONE__KIND__EDIT, 1, &f, &mid);
	log_zone(k->s, &edited, NS__CHANGE_BODY__ZONE__KIND__EDIT, 4, &mid, &a);
	log_zone(k->s, &edited, NS__CHANGE_BODY__ZONE__KIND__EDIT, 5, &d, &z);
	now.len = 0;
	wbuf_put(&now, a.base, a.len);
	wbuf_put(&now, b.base, b.len);
	wbuf_put(&now, z.base, z.len);
	put(k, &edited, 6, &now);
	log_zone(k->s, &gone, NS__CHANGE_BODY__ZONE__KIND__DELETE, 1, &b, NULL);
	OK(store_zone_drop(k->s, gone.id, 7, 0, NULL));
	fresh = kit_new_zone(k, "fresh.", 8);
	log_zone(k->s, &fresh, NS__CHANGE_BODY__ZONE__KIND__CREATE, 0, NULL, &a);
	log_keys(k->s, "z1", "second");
	log_keys(k->s, "z1", NULL);
	log_keys(k->s, "z9", "new");
	OK(store_commit(k->s, NULL));
	OK(store_head(k->s, &head, &(uint64_t){ 0 }, hash));
	assert_int_equal(head, 11);

	OK(asof_load(&at, k->s, 3, head, &why));
	assert_int_equal(at.nzones, 3);
	assert_was(&at, edited.id, 1, &old);
	assert_was(&at, gone.id, 1, &b);
	assert_false(asof_zone(&at, fresh.id)->there);
	assert_null(asof_zone(&at, still.id));
	assert_true(asof_object(&at, "dnssec", "z1")->there);
	assert_memory_equal(asof_object(&at, "dnssec", "z1")->body.base, "first", 5);
	assert_false(asof_object(&at, "dnssec", "z9")->there);
	assert_null(asof_object(&at, "dnssec", "z2"));
	asof_free(&at);

	/* In the middle: f was otherwise, d still there. */
	old.len = 0;
	wbuf_put(&old, b.base, b.len);
	wbuf_put(&old, d.base, d.len);
	wbuf_put(&old, mid.base, mid.len);
	OK(asof_load(&at, k->s, 4, head, &why));
	assert_was(&at, edited.id, 4, &old);
	asof_free(&at);
	struct wbuf *all[] = { &old, &d, &f, &mid, &a, &now, &z, &b };
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
		wbuf_free(all[i]);
}

/* Checks come in changes of their own, keys in one that names their zone. */
static void
test_objects(void **state)
{
	struct kit_store *k = *state;
	static const struct {
		const char *kind, *log_kind, *name, *octets;
		uint64_t id;
		bool zone;
	} rows[] = {
		{ "dnssec", "dnssec", "z1", "first", 4, true }, /* 1 */
		{ "check", "check", "web", "old", 5, false },
		{ "check", "check", "gone", "was", 6, false },
		{ "dnssec", "dnssec", "z1", "second", 4, true }, /* 4: what follows waits */
		{ "check", "check", "web", "new", 5, false },
		{ "check", "check", "gone", NULL, 6, false },
		{ "check", "check", "fresh", "new", 7, false },
		{ "user", "user", "anna", "x", 8, false },
	};
	static const struct {
		const char *kind, *name, *octets;
		uint64_t upto, id, version;
	} want[] = {
		{ "check", "web", "old", 4, 5, 2 },
		{ "check", "gone", "was", 4, 6, 3 },
		{ "check", "fresh", NULL, 4, 0, 0 },
		{ "dnssec", "z1", "first", 3, 4, 1 },
	};
	struct store_zone z;
	struct ns_why why = { 0 };

	OK(store_begin(k->s, NULL));
	z = kit_new_zone(k, "example.", 1);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct store_change row = { .term = 1, .zone_count = rows[i].zone };

		snprintf(row.kind, sizeof row.kind, "%s", rows[i].log_kind);
		log_object(
		    k->s, &row, rows[i].kind, rows[i].name, rows[i].octets, rows[i].id, z.id);
	}
	OK(store_commit(k->s, NULL));
	for (size_t i = 0; i < sizeof want / sizeof want[0]; i++) {
		const struct asof_object *o;
		struct asof at;

		OK(asof_load(&at, k->s, want[i].upto, 8, &why));
		assert_null(asof_object(&at, "user", "anna"));
		assert_non_null(o = asof_object(&at, want[i].kind, want[i].name));
		assert_int_equal(o->there, want[i].octets != NULL);
		if (o->there) {
			assert_int_equal(o->id, want[i].id);
			assert_int_equal(o->version, want[i].version);
			assert_int_equal(o->body.len, strlen(want[i].octets));
			assert_memory_equal(o->body.base, want[i].octets, o->body.len);
		}
		asof_free(&at);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_objects, kit_set_up, kit_tear_down),
		cmocka_unit_test_setup_teardown(test_taken_back, kit_set_up, kit_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
