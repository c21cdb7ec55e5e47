/* prune - the log's old end goes; what the trash, open windows and terms need of it stays, and the rest is a log. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "appliance/store/state.h"
#include "tests/lib/store_kit.h"

static void
append(struct kit_store *k, uint64_t term, int64_t at_ms, uint64_t zone)
{
	struct store_change c = { .term = term, .at_ms = at_ms };

	snprintf(c.author, sizeof c.author, "anna");
	OK(store_change_append(k->s, &c, "body", 4, &zone, zone != 0, NULL));
}

static size_t
prune(struct kit_store *k, uint64_t below, size_t most, int64_t trash_ms)
{
	struct store_prune p = { .below = below, .most = most, .trash_ms = trash_ms };
	size_t gone;

	OK(store_begin(k->s, NULL));
	OK(store_prune_step(k->s, &p, &gone, NULL));
	OK(store_commit(k->s, NULL));
	return gone;
}

struct list {
	uint64_t at[32];
	size_t n;
};

static bool
add(void *arg, const struct store_change *c)
{
	struct list *l = arg;

	if (l->n < 32)
		l->at[l->n++] = c->revision;
	return true;
}

static void
expect_kept(struct kit_store *k, uint64_t begins, const uint64_t *want, size_t n)
{
	struct list l = { 0 };
	uint64_t at;

	OK(store_history(k->s, &at));
	assert_int_equal(at, begins);
	OK(store_kept_each(k->s, add, &l));
	assert_int_equal(l.n, n);
	assert_memory_equal(l.at, want, n * sizeof *want);
	kit_assert_sound(k->s);
}

static void
test_what_stays(void **state)
{
	static const uint64_t all[] = { 1, 4, 6, 8 }, later[] = { 1, 8 };
	struct kit_store *k = *state;
	struct store_zone gone, z;
	struct store_window w = { 6, 100, 100 };

	OK(store_begin(k->s, NULL));
	z = kit_new_zone(k, "stays.", 0);
	gone = kit_new_zone(k, "gone.", 0);
	for (uint64_t r = 1; r <= 20; r++)
		append(k, r < 8 ? 1 : 2, (int64_t)r * 10,
		    r == 4             ? gone.id
		    : r == 5 || r == 9 ? z.id
				       : 0);
	z.version = 9;
	OK(store_zone_put(k->s, &z, NULL));
	OK(store_zone_drop(k->s, gone.id, 4, 40, NULL));
	OK(store_window_put(k->s, &w, NULL));
	OK(store_commit(k->s, NULL));
	expect_kept(k, 1, all, 0);
	/* In steps, as far as is said. */
	assert_int_equal(prune(k, 13, 5, 0), 5);
	assert_int_equal(prune(k, 13, 5, 0), 5);
	assert_int_equal(prune(k, 13, 5, 0), 2);
	assert_int_equal(prune(k, 13, 5, 0), 0);
	expect_kept(k, 13, all, 4);
	/* Nor do they go when there is nothing else to prune. */
	assert_int_equal(prune(k, 0, 5, 0), 0);
	expect_kept(k, 13, all, 4);
	/* The trash is emptied, the window confirmed. */
	OK(store_begin(k->s, NULL));
	OK(store_window_del(k->s, 6, NULL));
	OK(store_commit(k->s, NULL));
	assert_int_equal(prune(k, 0, 5, 40), 2);
	expect_kept(k, 13, later, 2);
	/* The head stays whatever is said, and the log goes on. */
	OK(store_begin(k->s, NULL));
	append(k, 2, 300, 0);
	OK(store_commit(k->s, NULL));
	prune(k, 1000, 100, 40);
	expect_kept(k, 21, later, 2);
}

static void
test_terms(void **state)
{
	static const struct {
		uint64_t term, after;
	} rows[] = { { 0, 1 }, { 1, 4 }, { 2, 9 }, { 3, 15 }, { 4, 0 }, { 9, 0 } };
	static const uint64_t want[] = { 1, 4, 9 };
	struct kit_store *k = *state;
	uint64_t after, *list;
	size_t n;

	OK(store_begin(k->s, NULL));
	for (uint64_t r = 1; r <= 20; r++)
		append(k, r < 4 ? 1 : r < 9 ? 2 : r < 15 ? 3 : 4, 10, 0);
	OK(store_commit(k->s, NULL));
	for (int pruned = 0; pruned < 2; pruned++) {
		for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
			OK(store_term_after(k->s, rows[i].term, &after));
			assert_int_equal(after, rows[i].after);
		}
		OK(store_kept_below(k->s, 12, 0, &list, &n));
		assert_int_equal(n, 3);
		assert_memory_equal(list, want, sizeof want);
		free(list);
		prune(k, 12, 100, 0);
	}
}

static void
test_how_far(void **state)
{
	static const struct {
		struct store_retention r;
		int64_t now_ms;
		uint64_t below;
	} rows[] = {
		/* 100 changes, at 10, 20 … 1000 ms */
		{ { .least = 200, .most = UINT64_MAX }, 5000, 0 },
		{ { .least = 10, .most = UINT64_MAX }, 5000, 91 },
		{ { .least = 10, .most = UINT64_MAX, .keep_ms = 500 }, 1000, 51 },
		{ { .least = 10, .most = UINT64_MAX, .keep_ms = 500 }, 1300, 81 },
		{ { .least = 10, .most = 30, .keep_ms = 5000 }, 1000, 71 },
		{ { .least = 10, .most = 30, .keep_ms = 5000, .floor_ms = 400 }, 1000, 61 },
		{ { .least = 10, .most = 200, .keep_ms = 5000 }, 1000, 1 },
	};
	struct kit_store *k = *state;
	uint64_t below;

	OK(store_begin(k->s, NULL));
	for (uint64_t r = 1; r <= 100; r++)
		append(k, 1, (int64_t)r * 10, 0);
	OK(store_commit(k->s, NULL));
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		OK(store_prune_below(k->s, &rows[i].r, rows[i].now_ms, &below));
		if (below != rows[i].below)
			fail_msg("row %zu: %llu", i, (unsigned long long)below);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_what_stays, kit_set_up, kit_tear_down),
		cmocka_unit_test_setup_teardown(test_terms, kit_set_up, kit_tear_down),
		cmocka_unit_test_setup_teardown(test_how_far, kit_set_up, kit_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
