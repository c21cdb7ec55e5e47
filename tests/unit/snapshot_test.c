/* snapshot - replay or state; what a snapshot's octets may be; and a state that is the same on the other side, table by
 * table, or none at all. */
// link: appliance/sync/snapwrite.c appliance/sync/snapfile.c appliance/sync/snapadopt.c appliance/sync/snapchoose.c
// link: appliance/sync/zonepieces.c appliance/sync/fleetpiece.c appliance/sync/redact.c appliance/sync/residency.c
// link: appliance/sync/adopt.c appliance/sync/fold.c appliance/sync/lost.c appliance/sync/lostfile.c appliance/sync/zonedraft.c
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
#include <sqlite3.h>

#include "appliance/store/state.h"
#include "appliance/sync/adopt.h"
#include "appliance/sync/batch.h"
#include "appliance/sync/change.h"
#include "appliance/sync/residency.h"
#include "appliance/sync/snapadopt.h"
#include "appliance/sync/snapchoose.h"
#include "appliance/sync/snapwrite.h"
#include "appliance/sync/writer.h"
#include "ipc/base/clock.h"
#include "ipc/base/xalloc.h"
#include "tests/lib/snaplie.h"
#include "tests/lib/store_kit.h"

/* ---- the chooser ---- */
static void
test_choose(void **state)
{
	static const struct {
		struct snap_place p;
		enum snap_choice want;
	} rows[] = {
		{ { .from = 0, .head = 100, .begins = 1, .zones = 1 }, SNAP_REPLAY }, /* few */
		{ { .from = 0, .head = 1000000, .begins = 1, .zones = 1000 }, SNAP_TAKE },
		/* all that a zone and its history cost is the zone */
		{ { .from = 0, .head = 100000, .begins = 1, .zones = 100000 }, SNAP_REPLAY },
		{ { .from = 0, .head = 100000, .begins = 1, .octets = 1ull << 30 }, SNAP_REPLAY },
		{ { .from = 0, .head = SNAP_LEAST, .begins = 1 }, SNAP_REPLAY },
		{ { .from = 0, .head = SNAP_LEAST + 1, .begins = 1 }, SNAP_TAKE },
		/* an hour at 10 edits/s and 1,000 zones; a day */
		{ { .from = 1000, .head = 37000, .begins = 1, .zones = 100000 }, SNAP_REPLAY },
		{ { .from = 1000, .head = 865000, .begins = 1, .zones = 1000 }, SNAP_TAKE },
		/* the log's beginning */
		{ { .from = 0, .head = 10, .begins = 2 }, SNAP_TAKE },
		{ { .from = 4, .head = 10, .begins = 5 }, SNAP_REPLAY },
		{ { .from = 3, .head = 10, .begins = 5 }, SNAP_TAKE },
		{ { .from = 9, .head = 10, .begins = 1, .wanted = true }, SNAP_TAKE },
		/* ahead of us, or equal */
		{ { .from = 12, .head = 10, .begins = 5 }, SNAP_REPLAY },
		/* about to be promoted */
		{ { .from = 0, .head = 1000000, .begins = 1, .candidate = true }, SNAP_REPLAY },
		{ { .from = 3, .head = 10, .begins = 5, .candidate = true }, SNAP_CANNOT },
		{ { .from = 9, .head = 10, .begins = 1, .wanted = true, .candidate = true },
		    SNAP_CANNOT },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (snap_choose(&rows[i].p) != rows[i].want)
			fail_msg("row %zu", i);
}

static void
test_prune_limit(void **state)
{
	static const struct {
		struct snap_need need[2];
		size_t n;
		uint64_t head, released, want;
	} rows[] = {
		{ { { 0 } }, 0, 100, 90, 91 },
		{ { { 50, true } }, 1, 100, 100, 50 },
		{ { { 50, false } }, 1, 100, 100, 101 }, /* it is not there */
		{ { { 50, true }, { 40, true } }, 2, 100, 100, 40 },
		{ { { 50, true }, { 95, true } }, 2, 100, 60, 50 },
		/* as far behind as that it would get a snapshot */
		{ { { 50, true } }, 1, 50 + KEEP_CHANGES, 200000, 200001 },
		{ { { 51, true } }, 1, 50 + KEEP_CHANGES, 200000, 51 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_int_equal(
		    snap_prune_limit(rows[i].need, rows[i].n, rows[i].head, rows[i].released),
		    rows[i].want);
}

/* ---- its octets ---- */
static enum ns_err
any_record(void *arg, const Ns__Envelope *env, struct ns_why *why)
{
	(void)env;
	(void)why;
	++*(unsigned *)arg;
	return NS_OK;
}

static enum ns_err
read_in(const struct wbuf *w, size_t len, size_t step)
{
	unsigned count = 0;
	struct snap_reader *r = snap_reader_new(any_record, &count);
	enum ns_err err = NS_OK;

	for (size_t at = 0; at < len && err == NS_OK; at += step)
		err = snap_read(r, w->base + at, len - at < step ? len - at : step, NULL);
	if (err == NS_OK)
		err = snap_read_end(r, NULL);
	snap_reader_destroy(&r);
	return err;
}

/* h head, t thing, z zone, r rows, c change, b a beat, e end that counts right; Z T R C ends that count one too many. */
static void
put_kind(struct wbuf *w, char kind, struct snap_counts *n)
{
	Ns__Envelope env = NS__ENVELOPE__INIT;
	Ns__SnapshotHead head = NS__SNAPSHOT_HEAD__INIT;
	Ns__FleetThing thing = NS__FLEET_THING__INIT;
	Ns__FleetZone zone = NS__FLEET_ZONE__INIT;
	Ns__SnapshotRows rows = NS__SNAPSHOT_ROWS__INIT;
	Ns__FleetChange change = NS__FLEET_CHANGE__INIT;
	Ns__SnapshotEnd end = NS__SNAPSHOT_END__INIT;
	Ns__FleetBeat beat = NS__FLEET_BEAT__INIT;

	end.zones = n->zones + (kind == 'Z');
	end.things = n->things + (kind == 'T');
	end.rows = n->rows + (kind == 'R');
	end.changes = n->changes + (kind == 'C');
	env.fleet_beat = &beat; /* one of a union */
	env.body_case = NS__ENVELOPE__BODY_FLEET_BEAT;
	switch (kind) {
	case 'h':
		env.body_case = NS__ENVELOPE__BODY_SNAPSHOT_HEAD;
		env.snapshot_head = &head;
		break;
	case 't':
		env.body_case = NS__ENVELOPE__BODY_FLEET_THING;
		env.fleet_thing = &thing;
		break;
	case 'z':
		env.body_case = NS__ENVELOPE__BODY_FLEET_ZONE;
		env.fleet_zone = &zone;
		break;
	case 'r':
		env.body_case = NS__ENVELOPE__BODY_SNAPSHOT_ROWS;
		env.snapshot_rows = &rows;
		break;
	case 'c':
		env.body_case = NS__ENVELOPE__BODY_FLEET_CHANGE;
		env.fleet_change = &change;
		break;
	case 'e':
	case 'Z':
	case 'T':
	case 'R':
	case 'C':
		env.body_case = NS__ENVELOPE__BODY_SNAPSHOT_END;
		env.snapshot_end = &end;
		break;
	default:
		break;
	}
	assert_true(snap_envelope(w, &env, n));
}

static void
test_order(void **state)
{
	static const struct {
		const char *kinds;
		bool good;
	} rows[] = {
		{ "he", true },
		{ "httzzrcce", true },
		{ "hce", true },
		{ "hze", true },
		{ "", false },
		{ "h", false },
		{ "e", false },
		{ "tze", false },
		{ "hh", false },
		{ "hhe", false },
		{ "hzte", false },
		{ "hcze", false },
		{ "hcre", false },
		{ "hZ", false },
		{ "htzZ", false },
		{ "htzT", false },
		{ "hzrR", false },
		{ "hcC", false },
		{ "hee", false },
		{ "hez", false },
		{ "hbe", false },
		{ "bhe", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct wbuf w = wbuf_grow(1u << 16);
		struct snap_counts n = { 0 };

		for (const char *k = rows[i].kinds; *k != '\0'; k++)
			put_kind(&w, *k, &n);
		for (size_t step = 1; step < 64; step += 7)
			if ((read_in(&w, w.len, step) == NS_OK) != rows[i].good)
				fail_msg("%s", rows[i].kinds);
		/* And no part of one is one. */
		for (size_t len = 0; rows[i].good && len < w.len; len++)
			assert_int_not_equal(read_in(&w, len, 64), NS_OK);
		wbuf_free(&w);
	}
}

static void
test_lengths(void **state)
{
	static const uint8_t none[4], huge[4] = { 0, 0x10, 0, 1 }, junk[5] = { 0, 0, 0, 1, 0xff };
	struct wbuf w = wbuf_grow(64);

	(void)state;
	wbuf_put(&w, none, sizeof none);
	assert_int_equal(read_in(&w, w.len, 64), NS_CORRUPT);
	w.len = 0;
	wbuf_put(&w, huge, sizeof huge);
	assert_int_equal(read_in(&w, w.len, 64), NS_CORRUPT);
	w.len = 0;
	wbuf_put(&w, junk, sizeof junk);
	assert_int_equal(read_in(&w, w.len, 64), NS_CORRUPT);
	wbuf_free(&w);
}

/* ---- the list of what replicates ---- */
static void
test_every_table_is_listed(void **state)
{
	struct kit_store *k = *state;
	char *path = xasprintf("%s/store.db", k->dir);
	sqlite3_stmt *st;
	sqlite3 *db;
	size_t found = 0;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db,
			     "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT "
			     "LIKE 'sqlite_%'",
			     -1, &st, NULL),
	    SQLITE_OK);
	while (sqlite3_step(st) == SQLITE_ROW) {
		const char *name = (const char *)sqlite3_column_text(st, 0);
		size_t i = 0;

		while (i < store_ntables && strcmp(store_tables[i].name, name) != 0)
			i++;
		if (i == store_ntables)
			fail_msg("does %s replicate? say it in store/replicated.c", name);
		assert_true(
		    (store_tables[i].rows != NULL) == (store_tables[i].shared == STORE_SHARED));
		found++;
	}
	assert_int_equal(found, store_ntables);
	sqlite3_finalize(st);
	sqlite3_close(db);
	free(path);
}

/* ---- there and back ---- */
static void
commit(struct kit_store *k, struct store_zone *z, Ns__ChangeBody__Zone__Kind kind)
{
	struct batch *b;
	struct caller who = { .name = "test", .source = "192.0.2.7", .appliance = "fra1-a" };
	struct change_zone *cz;
	struct change c;
	uint64_t head, term;
	uint8_t hash[STORE_HASH];

	OK(store_head(k->s, &head, &term, hash));
	b = batch_new(k->s, head, 1, 1);
	change_begin(&c, &who, "zone", "", clock_wall_ms(), 1);
	cz = change_zone(&c, kind, z, NULL);
	cz->msg.serial_after = z->serial;
	OK(change_commit(&c, b, NULL));
	change_free(&c);
	z->version = b->revision;
	batch_destroy(&b);
}

static void
put_object(struct kit_store *k, const char *kind, const char *name, const void *body, size_t len)
{
	struct store_object o = { .version = 1 };

	snprintf(o.kind, sizeof o.kind, "%s", kind);
	snprintf(o.name, sizeof o.name, "%s", name);
	OK(store_object_put(k->s, &o, body, len, NULL));
}

static uint64_t
zone_with(struct kit_store *k, const char *name, unsigned owners)
{
	struct kit_name n = kit_name(name);
	struct wbuf w = wbuf_grow(64u << 20);
	struct store_zone z = kit_new_zone(k, name, 0);

	kit_zone(&w, n.wire, 7, owners);
	OK(store_content_put(k->s, z.id, true, w.base, w.len, NULL));
	wbuf_free(&w);
	commit(k, &z, NS__CHANGE_BODY__ZONE__KIND__EDIT);
	return z.id;
}

/* Something in each table that replicates. */
static void
fill(struct kit_store *k)
{
	static const uint8_t digest[STORE_HASH] = { 1 };
	struct store_window window = { 2, 1000, 900 };
	struct store_zone gone;

	OK(store_begin(k->s, NULL));
	zone_with(k, "small.", 3);
	zone_with(k, "large.", 9000);
	gone = kit_new_zone(k, "gone.", 0);
	commit(k, &gone, NS__CHANGE_BODY__ZONE__KIND__EDIT);
	commit(k, &gone, NS__CHANGE_BODY__ZONE__KIND__DELETE);
	OK(store_setting_put(k->s, "hostmaster", "a.example", NULL));
	OK(store_setting_put(k->s, "empty", "", NULL));
	put_object(k, "user", "anna", "body", 4);
	put_object(k, "check", "web", "", 0);
	OK(store_window_put(k->s, &window, NULL));
	OK(store_idem_put(k->s, "anna", "k1", digest, clock_wall_ms(), "reply", 5, NULL));
	OK(store_idem_put(k->s, "anna", "k2", digest, clock_wall_ms(), "", 0, NULL));
	OK(store_commit(k->s, NULL));
}

static char *
write_one(struct kit_store *k, const char *site, struct snap_made *made)
{
	static const atomic_bool go_on;
	struct ns_why why = { 0 };

	if (snap_write(k->s, k->dir, site, 1, &go_on, made, &why) != NS_OK)
		fail_msg("%s", why.text);
	return xasprintf("%s/%s", k->dir, made->name);
}

static enum ns_err
adopt_into(struct kit_store *to, const char *path, const uint8_t *digest)
{
	struct snap_adopted a;
	struct ns_why why = { 0 };
	struct batch *b;
	enum ns_err err;

	OK(store_begin(to->s, NULL));
	b = batch_new(to->s, 0, 1, 0);
	err = snap_adopt(b, path, digest, &a, &why);
	batch_destroy(&b);
	if (err == NS_OK)
		OK(store_commit(to->s, NULL));
	else
		store_rollback(to->s);
	return err;
}

static void
state_of(struct kit_store *k, uint8_t out[STORE_HASH])
{
	OK(store_state_digest(k->s, out));
}

static void
test_the_same_on_both_sides(void **state)
{
	struct kit_store *a = *state, *b;
	uint8_t sum_a[STORE_HASH], sum_b[STORE_HASH];
	uint64_t ids[4], begins;
	struct snap_made made, read;
	void *other;
	char *path;

	fill(a);
	path = write_one(a, "", &made);
	OK(snap_made_read(a->dir, made.name, &read));
	assert_int_equal(read.revision, made.revision);
	assert_memory_equal(read.hash, made.hash, STORE_HASH);
	kit_set_up(&other);
	b = other;
	OK(store_begin(b->s, NULL)); /* what is there goes */
	zone_with(b, "old.", 2);
	put_object(b, "user", "old", "x", 1);
	OK(store_commit(b->s, NULL));
	OK(adopt_into(b, path, made.digest));
	state_of(a, sum_a);
	state_of(b, sum_b);
	assert_memory_equal(sum_a, sum_b, STORE_HASH);
	OK(store_ids(a->s, &ids[0], &ids[1]));
	OK(store_ids(b->s, &ids[2], &ids[3]));
	assert_true(ids[2] >= ids[0] && ids[3] >= ids[1]);
	OK(store_history(b->s, &begins));
	assert_int_equal(begins, 1);
	kit_assert_sound(b->s);
	/* It goes on as a log does. */
	OK(store_begin(b->s, NULL));
	assert_int_equal(kit_append(b, "next", 0), made.revision + 1);
	OK(store_commit(b->s, NULL));
	unlink(path);
	free(path);
	kit_tear_down(&other);
}

/* Any octet that is another one, and nothing has changed. */
static void
test_damage_is_refused(void **state)
{
	struct kit_store *a = *state, *b;
	uint8_t before[STORE_HASH], after[STORE_HASH], octet;
	struct snap_made made;
	void *other;
	char *path;
	FILE *f;

	fill(a);
	path = write_one(a, "", &made);
	kit_set_up(&other);
	b = other;
	OK(store_begin(b->s, NULL));
	zone_with(b, "old.", 2);
	OK(store_commit(b->s, NULL));
	state_of(b, before);
	for (uint64_t at = 3; at < made.octets; at += made.octets / 5) {
		f = fopen(path, "r+");
		assert_non_null(f);
		fseek(f, (long)at, SEEK_SET);
		octet = (uint8_t)fgetc(f);
		fseek(f, (long)at, SEEK_SET);
		fputc(octet ^ 4, f);
		fclose(f);
		assert_int_equal(adopt_into(b, path, made.digest), NS_CORRUPT);
		f = fopen(path, "r+");
		fseek(f, (long)at, SEEK_SET);
		fputc(octet, f);
		fclose(f);
	}
	state_of(b, after);
	assert_memory_equal(before, after, STORE_HASH);
	OK(adopt_into(b, path, made.digest));
	unlink(path);
	free(path);
	kit_tear_down(&other);
}

/* ---- a file that is whole, and lies ---- */
/* Its digest is right, what it says is not. */
static void
test_lies_are_refused(void **state)
{
	struct kit_store *a = *state, *b;
	uint8_t digest[SNAP_DIGEST];
	struct snap_made made;
	enum ns_err err;
	void *other;
	char *path, *file;

	fill(a);
	path = write_one(a, "", &made);
	kit_set_up(&other);
	b = other;
	for (const struct snaplie *lie = snaplies; lie->what != NULL; lie++) {
		file = snaplie_file(lie, path, digest);
		if ((err = adopt_into(b, file, digest)) != lie->want)
			fail_msg("%s: %d", lie->what, (int)err);
		free(file);
	}
	free(path);
	kit_tear_down(&other);
}

/* Of what may not be held there nothing is in the file, and what it leaves out is its view. */
static void
test_residency(void **state)
{
	struct kit_store *a = *state;
	char *sites[] = { (char *)(uintptr_t) "home" }, name[32], *home, *away;
	Ns__Residency m = NS__RESIDENCY__INIT;
	struct snap_made at_home, at_away, before;
	uint8_t body[64];
	uint64_t id;

	fill(a);
	free(write_one(a, "away", &before));
	OK(store_begin(a->s, NULL));
	id = zone_with(a, "secret.", 3);
	m.sites = sites;
	m.n_sites = 1;
	ns__residency__pack(&m, body);
	snprintf(name, sizeof name, "z%llu", (unsigned long long)id);
	put_object(a, RESIDENCY_KIND, name, body, ns__residency__get_packed_size(&m));
	OK(store_commit(a->s, NULL));
	home = write_one(a, "home", &at_home);
	away = write_one(a, "away", &at_away);
	assert_memory_not_equal(at_home.view, at_away.view, SNAP_DIGEST);
	assert_memory_equal(at_home.view, before.view, SNAP_DIGEST); /* all */
	for (int i = 0; i < 2; i++) {
		uint8_t *data = xmalloc(at_home.octets + at_away.octets);
		FILE *f = fopen(i == 0 ? home : away, "r");
		size_t len = fread(data, 1, at_home.octets + at_away.octets, f);

		assert_int_equal(memmem(data, len, "\6secret", 7) != NULL, i == 0);
		fclose(f);
		free(data);
	}
	free(home);
	free(away);
}

/* A zone that is damaged here is not given to others, and it is named. */
static void
test_a_damaged_zone_is_named(void **state)
{
	static const atomic_bool go_on;
	struct kit_store *a = *state;
	struct snap_made made;
	struct ns_why why = { 0 };

	fill(a);
	kit_raw(a, "UPDATE part SET body = x'ff' WHERE zone_id = (SELECT id FROM zone WHERE records"
		   " = (SELECT max(records) FROM zone))");
	assert_int_not_equal(snap_write(a->s, a->dir, "", 1, &go_on, &made, &why), NS_OK);
	if (strstr(why.text, "zone large. cannot be read") == NULL)
		fail_msg("%s", why.text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_choose),
		cmocka_unit_test(test_prune_limit),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test_setup_teardown(
		    test_every_table_is_listed, kit_set_up, kit_tear_down),
		cmocka_unit_test_setup_teardown(
		    test_the_same_on_both_sides, kit_set_up, kit_tear_down),
		cmocka_unit_test_setup_teardown(test_damage_is_refused, kit_set_up, kit_tear_down),
		cmocka_unit_test_setup_teardown(test_lies_are_refused, kit_set_up, kit_tear_down),
		cmocka_unit_test_setup_teardown(test_residency, kit_set_up, kit_tear_down),
		cmocka_unit_test_setup_teardown(
		    test_a_damaged_zone_is_named, kit_set_up, kit_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
