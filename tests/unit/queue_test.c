/* Queues: lanes, bounds, waiting, closing, and the way back through the loop. */
#include <event2/event.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "appliance/sync/queue.h"
#include "ipc/base/clock.h"

// link: appliance/sync/queue.c

struct item {
	struct job job;
	int number;
};

static void
fast_goes_first(void **state)
{
	struct queue *q = queue_new(8, 8);
	struct item bulk = { .number = 1 }, fast = { .number = 2 };

	(void)state;
	assert_true(queue_push(q, LANE_BULK, &bulk.job));
	assert_true(queue_push(q, LANE_FAST, &fast.job));
	assert_int_equal(queue_len(q, LANE_BULK), 1);
	assert_ptr_equal(queue_pop(q, LANES_ALL, 0), &fast.job);
	assert_ptr_equal(queue_pop(q, LANES_ALL, 0), &bulk.job);
	assert_null(queue_pop(q, LANES_ALL, 0));
	queue_destroy(&q);
	assert_null(q);
}

static void
a_lane_is_not_taken_by_another(void **state)
{
	struct queue *q = queue_new(8, 8);
	struct item bulk = { .number = 1 };

	(void)state;
	assert_true(queue_push(q, LANE_BULK, &bulk.job));
	assert_null(queue_pop(q, LANES(LANE_FAST), 0));
	assert_ptr_equal(queue_pop(q, LANES(LANE_BULK), 0), &bulk.job);
	queue_destroy(&q);
}

static void
full_lane_refuses(void **state)
{
	struct queue *q = queue_new(2, 1);
	struct item items[4] = { 0 };

	(void)state;
	assert_true(queue_push(q, LANE_FAST, &items[0].job));
	assert_true(queue_push(q, LANE_FAST, &items[1].job));
	assert_false(queue_push(q, LANE_FAST, &items[2].job));
	assert_true(queue_push(q, LANE_BULK, &items[2].job));
	assert_false(queue_push(q, LANE_BULK, &items[3].job));
	assert_ptr_equal(queue_pop(q, LANES_ALL, 0), &items[0].job);
	assert_true(queue_push(q, LANE_FAST, &items[3].job));
	queue_destroy(&q);
}

static void
waiting_ends_in_time(void **state)
{
	struct queue *q = queue_new(2, 2);
	uint64_t began = clock_mono_ns(), took;

	(void)state;
	assert_null(queue_pop(q, LANES_ALL, 20000));
	took = clock_mono_ns() - began;
	assert_true(took >= 19000000ull && took < 5000000000ull);
	queue_destroy(&q);
}

static void
closed_is_emptied_and_refuses(void **state)
{
	struct queue *q = queue_new(2, 2);
	struct item one = { 0 }, two = { 0 };

	(void)state;
	assert_true(queue_push(q, LANE_FAST, &one.job));
	queue_close(q);
	assert_true(queue_closed(q));
	assert_false(queue_push(q, LANE_FAST, &two.job));
	assert_ptr_equal(queue_pop(q, LANES_ALL, -1), &one.job);
	assert_null(queue_pop(q, LANES_ALL, -1));
	queue_destroy(&q);
}

#define JOBS 2000
static int done_count;
static struct event_base *base;

static void
work(struct job *job, void *thread)
{
	((struct item *)job)->number += *(int *)thread;
}

static void
done(struct job *job, struct sync *s)
{
	(void)s;
	assert_int_equal(((struct item *)job)->number, 7);
	if (++done_count == JOBS)
		event_base_loopbreak(base);
}

static void *
setup(void *arg)
{
	return arg;
}

static void
pool_brings_everything_back(void **state)
{
	static struct item items[JOBS];
	int seven = 7;
	struct queue *q = queue_new(JOBS, JOBS);
	struct pool_conf conf = { .queue = q, .lanes = LANES_ALL, .setup = setup, .arg = &seven };
	struct pool *pool;

	(void)state;
	base = event_base_new();
	conf.wake = wake_new(base, NULL);
	pool = pool_start(&conf, 3);
	for (int i = 0; i < JOBS; i++) {
		items[i].job.work = work;
		items[i].job.done = done;
		assert_true(queue_push(q, i % 2 ? LANE_FAST : LANE_BULK, &items[i].job));
	}
	event_base_dispatch(base);
	assert_int_equal(done_count, JOBS);
	queue_close(q);
	pool_join(&pool);
	wake_destroy(&conf.wake);
	queue_destroy(&q);
	event_base_free(base);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fast_goes_first),
		cmocka_unit_test(a_lane_is_not_taken_by_another),
		cmocka_unit_test(full_lane_refuses),
		cmocka_unit_test(waiting_ends_in_time),
		cmocka_unit_test(closed_is_emptied_and_refuses),
		cmocka_unit_test(pool_brings_everything_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
