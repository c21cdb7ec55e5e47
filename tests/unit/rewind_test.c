/* rewind - what a dropped history said of objects is again what the winner's says, also of those that came together
 * with a zone; and zones that it made are gone. */
// link: appliance/sync/rewind.c appliance/sync/lost.c appliance/sync/lostfile.c appliance/sync/zonedraft.c
// link: appliance/sync/keyfeed.c appliance/sync/asof.c appliance/sync/past.c appliance/sync/bodycheck.c
// link: appliance/sync/withhold.c appliance/sync/change.c appliance/sync/diff.c appliance/sync/difftext.c
// link: appliance/sync/batch.c appliance/sync/feedblock.c appliance/sync/importzone.c appliance/sync/request.c
// link: appliance/sync/people.c appliance/sync/checkdelta.c appliance/sync/apply.c appliance/sync/patch.c appliance/sync/place.c
// link: appliance/sync/settings.c appliance/sync/storeview.c appliance/sync/secret.c
// link: tests/lib/fake/sync.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "appliance/sync/batch.h"
#include "appliance/sync/change.h"
#include "appliance/sync/rewind.h"
#include "appliance/sync/writer.h"
#include "tests/lib/store_kit.h"

/* One change: a zone that is edited in nothing, or none, and an object. */
static void
commit(struct batch *b, struct store_zone *z, const char *kind, const char *object,
    const char *name, const char *octets)
{
	struct caller who = { .name = "test" };
	Ns__ChangeBody__Object m = NS__CHANGE_BODY__OBJECT__INIT, *list[1] = { &m };
	struct store_object o = { .version = b->revision + 1 };
	struct change c;

	snprintf(o.kind, sizeof o.kind, "%s", object);
	snprintf(o.name, sizeof o.name, "%s", name);
	OK(store_object_put(b->store, &o, octets, strlen(octets), NULL));
	m.id = o.id;
	m.kind = o.kind;
	m.name = o.name;
	m.body = (ProtobufCBinaryData){ strlen(octets), (uint8_t *)(uintptr_t)octets };
	change_begin(&c, &who, kind, "", 1, 1);
	if (z != NULL)
		change_zone(&c, NS__CHANGE_BODY__ZONE__KIND__EDIT, z, NULL)->msg.serial_after =
		    z->serial;
	c.body.objects = list;
	c.body.n_objects = 1;
	OK(change_commit(&c, b, NULL));
	change_free(&c);
	if (z != NULL)
		z->version = b->revision;
}

static void
assert_object(struct store *s, const char *kind, const char *name, const char *want)
{
	struct wbuf body = wbuf_grow(4096);
	struct store_object o;

	OK(store_object_get(s, kind, name, &o, &body));
	assert_int_equal(body.len, strlen(want));
	assert_memory_equal(body.base, want, body.len);
	wbuf_free(&body);
}

static void
rewound(struct job *job, struct sync *s)
{
	(void)job;
	(void)s;
}

static void
test_objects_of_zones(void **state)
{
	struct kit_store *k = *state;
	struct writer_thread w = { .store = k->s };
	struct rewind_job *j = rewind_job_new(5, k->dir, "r1", rewound);
	struct store_zone z;

	OK(store_begin(k->s, NULL));
	z = kit_new_zone(k, "example.", 0);
	w.batch = batch_new(k->s, 0, 1, 1);
	commit(w.batch, NULL, "user", "user", "anna", "first");
	commit(w.batch, &z, "zone", "residency", "z1", "home");
	commit(w.batch, &z, "dnssec", "dnssec", "z1", "keys");
	commit(w.batch, &z, "zone", "residency", "z1", "home away");
	commit(w.batch, &z, "dnssec", "dnssec", "z1", "keys 2");
	/* 6: what nobody else has */
	commit(w.batch, &z, "zone", "residency", "z1", "home there");
	commit(w.batch, &z, "dnssec", "dnssec", "z1", "keys 3");
	commit(w.batch, NULL, "user", "user", "anna", "second");
	assert_int_equal(w.batch->revision, 8);

	j->w.job.work(&j->w.job, &w);
	assert_int_equal(j->w.err, NS_OK);
	assert_int_equal(w.batch->revision, 5);
	assert_object(k->s, "residency", "z1", "home away");
	assert_object(k->s, "dnssec", "z1", "keys 2");
	assert_object(k->s, "user", "anna", "first");
	OK(store_commit(k->s, NULL));
	unlink(j->file);
	batch_destroy(&w.batch);
	free(j);
}

static void
log_zone(struct batch *b, struct store_zone *z, Ns__ChangeBody__Zone__Kind kind, uint32_t account,
    bool undelete)
{
	struct caller who = { .name = "test" };
	struct change_zone *cz;
	struct change c;

	change_begin(&c, &who, "zone", "", 1, 1);
	cz = change_zone(&c, kind, z, NULL);
	cz->msg.serial_after = z->serial;
	cz->msg.account_id = account;
	cz->msg.account_given = account != 0;
	cz->msg.undelete = undelete;
	OK(change_commit(&c, b, NULL));
	change_free(&c);
	z->version = b->revision;
}

static bool
count_tomb(void *arg, const struct store_zone *z)
{
	uint64_t *revisions = arg;

	revisions[revisions[0] < 3 ? ++revisions[0] : 3] = z->version;
	return true;
}

/* A zone that was made is gone whatever was done to it; one that came out of the trash lies in it again. */
static void
test_zones_made(void **state)
{
	struct kit_store *k = *state;
	struct writer_thread w = { .store = k->s };
	struct rewind_job *j;
	struct store_zone old, made = { .id = 7, .name_len = 6, .name = "\4made" }, z;
	uint64_t tombs[4] = { 0 };

	OK(store_begin(k->s, NULL));
	old = kit_new_zone(k, "old.", 0);
	w.batch = batch_new(k->s, 0, 1, 1);
	log_zone(w.batch, &old, NS__CHANGE_BODY__ZONE__KIND__DELETE, 0, false);
	/* 2: what nobody else has */
	log_zone(w.batch, &made, NS__CHANGE_BODY__ZONE__KIND__CREATE, 0, false);
	log_zone(w.batch, &made, NS__CHANGE_BODY__ZONE__KIND__EDIT, 3, false);
	log_zone(w.batch, &old, NS__CHANGE_BODY__ZONE__KIND__CREATE, 0, true);
	log_zone(w.batch, &old, NS__CHANGE_BODY__ZONE__KIND__EDIT, 3, false);
	assert_int_equal(w.batch->zones, 2);

	j = rewind_job_new(1, k->dir, "r1", rewound);
	j->w.job.work(&j->w.job, &w);
	assert_int_equal(j->w.err, NS_OK);
	assert_int_equal(w.batch->zones, 0);
	assert_int_equal(store_zone_by_id(k->s, old.id, &z), NS_NOTFOUND);
	assert_int_equal(store_zone_by_id(k->s, made.id, &z), NS_NOTFOUND);
	OK(store_tombs(k->s, 0, count_tomb, tombs));
	assert_int_equal(tombs[0], 1);
	assert_int_equal(tombs[1], 1);
	OK(store_commit(k->s, NULL));
	unlink(j->file);
	batch_destroy(&w.batch);
	free(j);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_objects_of_zones, kit_set_up, kit_tear_down),
		cmocka_unit_test_setup_teardown(test_zones_made, kit_set_up, kit_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
