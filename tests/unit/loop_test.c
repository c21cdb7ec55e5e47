/* The loop on a terminal that is none: what it does when frames are not said to be shown, or late, or by a terminal that
 * another program had meanwhile; and graphs on a slow link. */
#include <fcntl.h>
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "console/core/key.h"
#include "console/core/loop.h"
#include "console/screens/graphs.h"

static struct {
	int keys; /* the end of standard input that a test writes to */
	unsigned frames, probes;
	void (*tick)(void);
	struct loop *loop;
	struct surface *surface;
} t;

static bool
t_read(void *state, uint32_t *key, bool *closed)
{
	(void)state, (void)closed;
	return read(STDIN_FILENO, key, sizeof *key) == sizeof *key;
}

static void
t_size(void *state, int *w, int *h)
{
	(void)state;
	*w = 80;
	*h = 24;
}

static void
t_nothing(void *state)
{
	(void)state;
}

static void
t_draw(void *state, const struct surface *s)
{
	(void)state, (void)s;
	t.frames++;
}

static bool
t_writable(void *state)
{
	(void)state;
	return true;
}

static bool
t_probe(void *state)
{
	(void)state;
	t.probes++;
	return true;
}

static const struct terminal terminal = { .read = t_read,
	.size = t_size,
	.resized = t_nothing,
	.draw = t_draw,
	.repaint = t_nothing,
	.writable = t_writable,
	.probe = t_probe,
	.leave = t_nothing,
	.enter = t_nothing };

static void
on_tick(void *arg)
{
	(void)arg;
	t.tick();
}

static void
on_draw(void *arg, struct surface *s)
{
	(void)arg, (void)s;
}

static void
acknowledge(void)
{
	uint32_t key = UIKEY_ACK;

	assert_int_equal(write(t.keys, &key, sizeof key), sizeof key);
}

static void
later(unsigned ms, void (*fn)(void *))
{
	loop_later(t.loop, ms, fn, NULL);
}

static void
stop(void *arg)
{
	(void)arg;
	loop_stop(t.loop, 0);
}

/* Runs the loop; tick is called once, at its start. */
static void
run(void (*tick)(void))
{
	static const struct loop_user user = { .tick = on_tick, .draw = on_draw };

	t.tick = tick;
	t.loop = loop_new(&terminal, t.surface, NULL, &user);
	loop_interval(t.loop, 60000);
	(void)loop_run(t.loop);
}

static int
setup(void **state)
{
	int pair[2];

	(void)state;
	memset(&t, 0, sizeof t);
	assert_int_equal(pipe2(pair, O_NONBLOCK), 0);
	assert_int_equal(dup2(pair[0], STDIN_FILENO), STDIN_FILENO);
	close(pair[0]);
	t.keys = pair[1];
	t.surface = surface_new(80, 24, false);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	loop_destroy(&t.loop);
	surface_destroy(&t.surface);
	close(t.keys);
	return 0;
}

/* ---- another program has the terminal, and hears that our frame was shown ---- */

static void
ended(void *arg, int status)
{
	(void)arg;
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	assert_false(loop_slow(t.loop));
	t.frames = t.probes = 0;
	acknowledge(); /* of before: it tells nothing */
	loop_dirty(t.loop);
	later(50, stop);
}

static void
program(void *arg)
{
	(void)arg;
	assert_int_equal(t.probes, 2); /* the second is out */
	assert_true(loop_program(t.loop, "/bin/sleep",
	    (char *[]){ (char[]){ "sleep" }, (char[]){ "0.3" }, NULL }, ended, NULL));
}

static void
second_frame(void *arg)
{
	(void)arg;
	loop_dirty_now(t.loop);
	later(10, program);
}

static void
first_frame(void)
{
	acknowledge();
	later(20, second_frame);
}

static void
a_terminal_that_was_lent(void **state)
{
	(void)state;
	run(first_frame);
	assert_true(t.frames > 0);
	assert_false(loop_slow(t.loop)); /* the late word is of no frame */
}

/* ---- a slow link ---- */

static uint32_t
newest(const struct series *s)
{
	struct ui ui = { .surface = t.surface, .glyphs = GLYPH_BLOCK, .loop = t.loop };
	struct view v = { .ui = &ui };

	surface_clear(t.surface);
	series_draw(&v, (struct rect){ 0, 0, 80, 1 }, s, "");
	return surface_at(t.surface, 78, 0)->cp;
}

#define COLUMN 9u /* samples of ten minutes in a column of 71 */

static void
graphs_move(void)
{
	static struct series s;
	uint32_t shown[4 * COLUMN + 1];
	bool slow = loop_slow(t.loop);

	series_init(&s);
	for (unsigned i = 0; i < sizeof shown / sizeof *shown; i++) {
		series_add(&s, i / COLUMN % 2 == 0 ? 8 : 1);
		shown[i] = newest(&s);
	}
	for (unsigned i = COLUMN; i < sizeof shown / sizeof *shown; i++)
		if (!slow) /* at the edge of a column */
			assert_int_equal(shown[i] != shown[i - 1], i % COLUMN == 0);
		else if (i % GRAPH_BUCKET != GRAPH_BUCKET - 1) /* samples are counted from one */
			assert_int_equal(shown[i], shown[i - 1]);
}

static void
late(void *arg)
{
	graphs_move();
	acknowledge();
	later(20, stop);
	(void)arg;
}

static void
at_once(void)
{
	graphs_move(); /* nothing is known of the link yet */
	later(300, late);
}

static void
graphs_on_a_slow_link(void **state)
{
	(void)state;
	run(at_once);
	assert_true(loop_slow(t.loop)); /* 300 ms of round trip */
	graphs_move();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_terminal_that_was_lent, setup, teardown),
		cmocka_unit_test_setup_teardown(graphs_on_a_slow_link, setup, teardown),
	};

	setlocale(LC_ALL, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
