/* The backup file's form, the copy of a store that is being edited, and one store in the place of another. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "appliance/store/backup.h"
#include "ipc/backup.h"
#include "ipc/base/xalloc.h"
#include "tests/lib/store_kit.h"

#define IMAGE "what the store is made of"

/* ---- the file ---- */

static struct wbuf
make_file(uint64_t octets)
{
	struct ns_backup_writer *w = ns_backup_writer_new();
	struct wbuf out = wbuf_grow(1u << 20);
	Ns__BackupInfo info = NS__BACKUP_INFO__INIT;

	info.appliance = (char *)(uintptr_t) "fra1-a";
	info.zones = 3;
	info.octets = octets;
	ns_backup_put_head(w, &info, &out);
	ns_backup_put_image(w, IMAGE, (size_t)octets, &out);
	ns_backup_put_tail(w, &out);
	ns_backup_writer_destroy(&w);
	assert_true(wbuf_ok(&out));
	return out;
}

static enum ns_err
collect(void *arg, const void *data, size_t len, struct ns_why *why)
{
	(void)why;
	wbuf_put(arg, data, len);
	return NS_OK;
}

/* In pieces of `step` octets; the code of the refusal, 0 when it was good. */
static unsigned
read_file(const uint8_t *data, size_t len, size_t step, struct wbuf *image)
{
	struct ns_backup_reader *r = ns_backup_reader_new(image != NULL ? collect : NULL, image);
	struct ns_why why = { 0 };
	enum ns_err err = NS_OK;

	for (size_t at = 0; err == NS_OK && at < len; at += step)
		err = ns_backup_read(r, data + at, len - at < step ? len - at : step, &why);
	if (err == NS_OK)
		err = ns_backup_end(r, &why);
	if (err == NS_OK) {
		assert_int_equal(ns_backup_info(r)->zones, 3);
		assert_string_equal(ns_backup_info(r)->appliance, "fra1-a");
	}
	ns_backup_reader_destroy(&r);
	return err == NS_OK ? 0 : why.code;
}

static void
test_what_was_written_is_read(void **state)
{
	struct wbuf file = make_file(sizeof IMAGE - 1), none = make_file(0);

	(void)state;
	for (size_t step = 1; step <= file.len; step++) {
		struct wbuf image = wbuf_grow(4096);

		assert_int_equal(read_file(file.base, file.len, step, &image), 0);
		assert_int_equal(image.len, sizeof IMAGE - 1);
		assert_memory_equal(image.base, IMAGE, image.len);
		wbuf_free(&image);
	}
	assert_int_equal(read_file(none.base, none.len, 7, NULL), 0);
	wbuf_free(&none);
	wbuf_free(&file);
}

static void
test_a_cut_at_any_octet_is_refused(void **state)
{
	struct wbuf file = make_file(sizeof IMAGE - 1);

	(void)state;
	for (size_t len = 0; len < file.len; len++)
		assert_int_equal(read_file(file.base, len, 5, NULL),
		    len < 24 ? NS_CODE_BACKUP_FOREIGN : NS_CODE_BACKUP_CUT);
	wbuf_put(&file, "", 1);
	assert_int_equal(read_file(file.base, file.len, 5, NULL), NS_CODE_BACKUP_LONG);
	wbuf_free(&file);
}

static void
test_a_flipped_bit_is_refused(void **state)
{
	struct wbuf file = make_file(sizeof IMAGE - 1);

	(void)state;
	for (size_t at = 0; at < file.len; at++)
		for (unsigned bit = 0; bit < 8; bit++) {
			file.base[at] ^= (uint8_t)(1u << bit);
			assert_int_not_equal(read_file(file.base, file.len, 64, NULL), 0);
			file.base[at] ^= (uint8_t)(1u << bit);
		}
	assert_int_equal(read_file(file.base, file.len, 64, NULL), 0);
	wbuf_free(&file);
}

static void
test_other_files_and_forms_are_named(void **state)
{
	struct wbuf file = make_file(4);

	(void)state;
	file.base[19] = 2;
	assert_int_equal(read_file(file.base, file.len, 64, NULL), NS_CODE_BACKUP_FORM);
	file.base[0] = 'n';
	assert_int_equal(read_file(file.base, file.len, 64, NULL), NS_CODE_BACKUP_FOREIGN);
	wbuf_free(&file);
}

/* ---- the copy ---- */

static void
fill(struct kit_store *k, const char *name, uint64_t revision, unsigned owners)
{
	struct kit_name apex = kit_name(name);
	struct store_zone z;
	struct wbuf content = wbuf_grow(8u << 20);
	struct ns_why why = { 0 };

	OK(store_begin(k->s, &why));
	z = kit_new_zone(k, name, revision);
	kit_zone(&content, apex.wire, 7, owners);
	OK(store_content_put(k->s, z.id, true, content.base, content.len, &why));
	assert_int_equal(kit_append(k, "body", z.id), revision);
	OK(store_commit(k->s, &why));
	wbuf_free(&content);
}

/* The state at the begin, however much is committed before the end. */
static void
test_a_copy_is_one_state(void **state)
{
	struct kit_store *k = *state;
	char *dir = kit_dir(), *path = xasprintf("%s/store.db", dir);
	struct store_backup *b = NULL;
	struct store *reader = NULL, *copy = NULL;
	uint64_t revision, term;
	uint8_t hash[STORE_HASH];
	unsigned steps = 0;
	bool done = false;

	for (unsigned i = 1; i <= 40; i++) {
		char name[32];

		snprintf(name, sizeof name, "z%u.example", i);
		fill(k, name, i, 2500);
	}
	OK(store_open(k->dir, STORE_READ, NULL, &reader, NULL));
	OK(store_begin(reader, NULL));
	OK(store_head(reader, &revision, &term, hash));
	assert_int_equal(revision, 40);
	OK(store_backup_begin(reader, path, &b, NULL));
	while (!done) {
		char name[32];

		OK(store_backup_step(b, 0, &done, NULL));
		snprintf(name, sizeof name, "late%u.example", ++steps);
		fill(k, name, 40 + steps, 20);
	}
	store_backup_end(&b);
	store_rollback(reader);
	store_close(&reader);
	assert_true(steps > 1);

	OK(store_open(dir, STORE_WRITE, NULL, &copy, NULL));
	OK(store_head(copy, &revision, &term, hash));
	assert_int_equal(revision, 40);
	assert_int_equal(store_zone_count(copy), 40);
	assert_int_equal(kit_verify(copy), 0);
	store_close(&copy);
	free(path);
	kit_remove(&dir);
}

/* ---- the place ---- */

static uint64_t
head_of(const char *dir)
{
	struct store *s = NULL;
	uint64_t revision, term;
	uint8_t hash[STORE_HASH];

	OK(store_open(dir, STORE_WRITE, NULL, &s, NULL));
	OK(store_head(s, &revision, &term, hash));
	assert_int_equal(kit_verify(s), 0);
	store_close(&s);
	return revision;
}

static void
make_other(const char *dir, unsigned changes)
{
	struct kit_store k = { .dir = (char *)(uintptr_t)dir };

	OK(store_open(dir, STORE_WRITE, NULL, &k.s, NULL));
	for (unsigned i = 1; i <= changes; i++) {
		char name[32];

		snprintf(name, sizeof name, "other%u.example", i);
		fill(&k, name, i, 3);
	}
	store_close(&k.s);
}

static void
put_file(const char *dir, const char *name, const char *text)
{
	char *path = xasprintf("%s/%s", dir, name);
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	fclose(f);
	free(path);
}

static void
test_a_store_takes_anothers_place(void **state)
{
	struct kit_store *k = *state;
	char *from = kit_dir();
	struct ns_why why = { 0 };

	fill(k, "old.example", 1, 3);
	store_close(&k->s);
	make_other(from, 5);
	OK(store_replace(k->dir, from, &why));
	/* A log of the old store that a crash left: it must not be played into the new one. */
	put_file(k->dir, "store.db-wal", "the old store's log");
	assert_int_equal(head_of(k->dir), 5);
	assert_int_equal(head_of(k->dir), 5);
	kit_remove(&from);
	kit_reopen(k);
}

static void
test_what_is_not_closed_is_refused(void **state)
{
	struct kit_store *k = *state;
	char *from = kit_dir();
	struct ns_why why = { 0 };

	fill(k, "old.example", 1, 3);
	store_close(&k->s);
	make_other(from, 2);
	put_file(from, "store.db-wal", "something");
	assert_int_not_equal(store_replace(k->dir, from, &why), NS_OK);
	assert_int_equal(head_of(k->dir), 1);
	store_remove(from);
	assert_int_not_equal(access(from, F_OK), 0);
	assert_int_not_equal(store_replace(k->dir, from, &why), NS_OK);
	free(from);
	kit_reopen(k);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_was_written_is_read),
		cmocka_unit_test(test_a_cut_at_any_octet_is_refused),
		cmocka_unit_test(test_a_flipped_bit_is_refused),
		cmocka_unit_test(test_other_files_and_forms_are_named),
		cmocka_unit_test_setup_teardown(
		    test_a_copy_is_one_state, kit_set_up, kit_tear_down),
		cmocka_unit_test_setup_teardown(
		    test_a_store_takes_anothers_place, kit_set_up, kit_tear_down),
		cmocka_unit_test_setup_teardown(
		    test_what_is_not_closed_is_refused, kit_set_up, kit_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
