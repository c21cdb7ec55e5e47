/* board_test - words go in and come out, and what cannot be read says nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "appliance/zonemap/board.h"

static int
file_of(size_t octets)
{
	int fd = memfd_create("board", MFD_CLOEXEC);

	assert_true(fd >= 0 && ftruncate(fd, (off_t)octets) == 0);
	return fd;
}

static void
test_words(void **state)
{
	static const struct {
		struct board_word in, out;
	} rows[] = {
		{ { BOARD_UP, 0, 1230, 1700000000 }, { BOARD_UP, 0, 1230, 1700000000 } },
		{ { BOARD_DOWN, BOARD_STALE | BOARD_FROZEN, 0, 1 },
		    { BOARD_DOWN, BOARD_STALE | BOARD_FROZEN, 0, 1 } },
		{ { BOARD_DOWN, BOARD_INITIAL, 19, UINT32_MAX },
		    { BOARD_DOWN, BOARD_INITIAL, 10, UINT32_MAX } },
		{ { BOARD_UP, BOARD_OVERRIDDEN, UINT32_MAX, 7 },
		    { BOARD_UP, BOARD_OVERRIDDEN, 0xffffff * 10u, 7 } },
		{ { BOARD_UP, 3 | BOARD_INITIAL, 0, 0 }, { BOARD_UP, BOARD_INITIAL, 0, 0 } },
	};
	int fd = file_of(BOARD_FILE);
	struct board w, r;

	(void)state;
	assert_true(board_map(&w, fd, true));
	assert_true(board_map(&r, fd, false));
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		uint64_t id = i == 0 ? 1 : BOARD_SLOTS - i;
		struct board_word out;

		assert_int_equal(board_state(&r, id), BOARD_UNKNOWN);
		assert_true(board_up(&r, id));
		board_write(&w, id, &rows[i].in);
		out = board_read(&r, id);
		assert_int_equal(out.state, rows[i].out.state);
		assert_int_equal(out.flags, rows[i].out.flags);
		assert_int_equal(out.rtt_us, rows[i].out.rtt_us);
		assert_int_equal(board_rtt_us(&r, id), rows[i].out.rtt_us);
		assert_int_equal(out.since, rows[i].out.since);
		assert_int_equal(board_up(&r, id), rows[i].out.state == BOARD_UP);
		board_clear(&w, id);
		assert_int_equal(board_raw(&r, id), 0);
	}
	board_unmap(&w);
	board_unmap(&r);
	close(fd);
}

static void
test_nothing_there(void **state)
{
	const struct board_word down = { .state = BOARD_DOWN };
	int fd = file_of(4096);
	struct board b;

	(void)state;
	assert_false(board_map(&b, fd, false)); /* too short */
	assert_true(board_up(&b, 1));
	board_write(&b, 1, &down);
	board_unmap(&b);
	close(fd);
	fd = file_of(BOARD_FILE);
	assert_true(board_map(&b, fd, true));
	board_write(&b, BOARD_SLOTS, &down);
	board_write(&b, UINT64_MAX, &down);
	assert_int_equal(board_state(&b, BOARD_SLOTS), BOARD_UNKNOWN);
	assert_int_equal(board_state(&b, UINT64_MAX), BOARD_UNKNOWN);
	assert_true(board_up(&b, 0));
	/* What no probe of ours wrote. */
	atomic_store(&b.slots[5], UINT64_MAX);
	assert_int_equal(board_state(&b, 5), BOARD_UNKNOWN);
	assert_int_equal(board_read(&b, 5).state, BOARD_UNKNOWN);
	board_unmap(&b);
	close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_nothing_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
