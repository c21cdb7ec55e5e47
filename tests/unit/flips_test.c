/* flips_test - the history of flips: what is kept in memory and in its file, and what a damaged file costs. */
// link: appliance/probe/flips.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "appliance/probe/flips.h"
#include "appliance/zonemap/board.h"

static struct flip
flip_of(uint64_t check)
{
	struct flip f = { .check = check, .at_ms = 1700000000000 + (int64_t)check };

	f.state = check % 2 == 0 ? BOARD_UP : BOARD_DOWN;
	snprintf(f.name, sizeof f.name, "check-%lu", check);
	snprintf(f.reason, sizeof f.reason, "reason %lu", check);
	return f;
}

struct found {
	size_t n, most;
	uint64_t check[4];
};

static bool
take(void *arg, const struct flip *f)
{
	struct found *found = arg;
	struct flip want = flip_of(f->check);

	assert_string_equal(f->name, want.name);
	assert_string_equal(f->reason, want.reason);
	assert_int_equal(f->state, want.state);
	assert_true(f->at_ms == want.at_ms);
	if (found->n < 4)
		found->check[found->n] = f->check;
	return ++found->n < found->most;
}

static struct found
find(const struct flips *f, size_t most)
{
	struct found found = { .most = most };

	flips_each(f, take, &found);
	return found;
}

static void
note(struct flips *f, uint64_t from, uint64_t to)
{
	for (uint64_t i = from; i <= to; i++) {
		struct flip one = flip_of(i);

		flips_note(f, &one);
	}
}

static void
test_newest_first(void **state)
{
	struct flips *f = flips_new(-1);
	struct found found = find(f, 10);

	(void)state;
	assert_int_equal(found.n, 0);
	note(f, 1, 5);
	found = find(f, 3);
	assert_int_equal(found.n, 3);
	assert_int_equal(found.check[0], 5);
	assert_int_equal(found.check[2], 3);
	note(f, 6, FLIPS_KEPT + 7);
	found = find(f, SIZE_MAX);
	assert_int_equal(found.n, FLIPS_KEPT);
	assert_int_equal(found.check[0], FLIPS_KEPT + 7);
	flips_destroy(&f);
	flips_destroy(&f);
}

static void
test_outlives(void **state)
{
	static const struct {
		uint64_t noted;
		size_t spoilt; /* octet of the file that is changed; 0: none */
		off_t cut; /* the file's end; 0: as it is */
		size_t kept;
		uint64_t newest;
	} rows[] = {
		{ 3, 0, 0, 3, 3 },
		{ 3, 2 * FLIP_OCTETS + 100, 0, 2, 3 }, /* that of the second */
		{ 3, 3 * FLIP_OCTETS + 200, 0, 2, 2 },
		{ 3, 0, 3 * FLIP_OCTETS + 10, 2, 2 }, /* torn */
		{ FLIPS_KEPT + 9, 0, 0, FLIPS_KEPT, FLIPS_KEPT + 9 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		int fd = memfd_create("flips", MFD_CLOEXEC);
		struct flips *f = flips_new(fd);
		struct found found;
		uint8_t octet;

		note(f, 1, rows[i].noted);
		flips_destroy(&f);
		if (rows[i].spoilt != 0) {
			assert_int_equal(pread(fd, &octet, 1, (off_t)rows[i].spoilt), 1);
			octet ^= 1;
			assert_int_equal(pwrite(fd, &octet, 1, (off_t)rows[i].spoilt), 1);
		}
		assert_true(rows[i].cut == 0 || ftruncate(fd, rows[i].cut) == 0);
		f = flips_new(fd);
		found = find(f, SIZE_MAX);
		assert_int_equal(found.n, rows[i].kept);
		assert_int_equal(found.check[0], rows[i].newest);
		/* And it goes on. */
		note(f, rows[i].newest + 1, rows[i].newest + 1);
		assert_int_equal(find(f, 1).check[0], rows[i].newest + 1);
		flips_destroy(&f);
		close(fd);
	}
}

static void
test_nothing_is_believed(void **state)
{
	uint8_t record[FLIP_OCTETS], empty[FLIP_OCTETS] = { 0 };
	struct flip f = flip_of(4), out;

	(void)state;
	assert_false(flip_decode(empty, &out));
	memset(f.name, 'n', sizeof f.name); /* without an end */
	memset(f.reason, 'r', sizeof f.reason);
	f.seq = 1;
	flip_encode(&f, record);
	assert_true(flip_decode(record, &out));
	assert_int_equal(strlen(out.name), FLIP_NAME - 1);
	assert_int_equal(strlen(out.reason), FLIP_REASON - 1);
	for (unsigned i = 0; i < 3; i++) {
		f.seq = i > 0;
		f.state = i == 1 ? 3 : i == 2 ? BOARD_UNKNOWN : BOARD_UP;
		flip_encode(&f, record);
		assert_false(flip_decode(record, &out));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_newest_first),
		cmocka_unit_test(test_outlives),
		cmocka_unit_test(test_nothing_is_believed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
