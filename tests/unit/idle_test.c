// link: tests/lib/fake/uiclient.c tests/lib/fake/uisession.c
/* A night before the console: eight hours, one on each main screen, the link lost three times, on a clock that the test
 * moves.  It grows no larger, asks no more than it is told, writes what has changed alone, and is there again when the
 * appliance is. */
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "console/core/pace.h"
#include "console/screens/overview_int.h"
#include "tests/lib/fake/uiclient.h"
#include "tests/lib/fake/uisession.h"
#include "tests/lib/ui_fixture.h"

#define HOUR_S    3600u
#define SCREENS   8u
#define GROWTH    4096u /* octets in half an hour: graphs may fill, no more */
#define SETTLED_S 660u /* by then its graphs are as long as they get */
#define TRIP_MS   5u
#define PER_TICK  12u /* requests of the screen that asks the most */

/* Seconds from the beginning. */
static const struct outage {
	unsigned from, to;
} outages[] = { { 2 * HOUR_S + 600, 2 * HOUR_S + 605 }, { 4 * HOUR_S + 60, 5 * HOUR_S - 60 },
	{ 6 * HOUR_S + 100, 6 * HOUR_S + 1900 } };

struct night {
	struct ui *ui;
	struct surface *shown; /* what the terminal has */
	struct pace pace;
	unsigned frames;
};

static bool
link_is_there(unsigned s)
{
	for (size_t i = 0; i < sizeof outages / sizeof *outages; i++)
		if (s >= outages[i].from && s < outages[i].to)
			return false;
	return true;
}

static bool
same(const struct cell *a, const struct cell *b)
{
	return a->cp == b->cp && a->role == b->role && a->marks[0] == b->marks[0] &&
	       a->marks[1] == b->marks[1];
}

/* Draws it when it is time; the rows that have changed, as bits. */
static uint64_t
frame(struct night *n)
{
	struct surface *s = n->ui->surface;
	uint64_t rows = 0;

	if (pace_data(&n->pace, n->ui->mono_ms, true) > 0)
		return 0;
	n->frames++;
	uisession_draw(n->ui);
	for (int i = 0; i < s->w * s->h; i++)
		if (!same(&s->cells[i], &n->shown->cells[i])) {
			n->shown->cells[i] = s->cells[i];
			rows |= UINT64_C(1) << i / s->w;
		}
	if (pace_drawn(&n->pace, n->ui->mono_ms, true, true)) {
		pace_asked(&n->pace, n->ui->mono_ms, true);
		(void)pace_shown(&n->pace, n->ui->mono_ms + TRIP_MS);
	}
	return rows;
}

static uint64_t
second(struct night *n, unsigned s)
{
	struct ui *ui = n->ui;
	unsigned asked = uiclient.requests;

	uiclient.lost = !link_is_there(s);
	ui_now(ui, ui->mono_ms + 1000, ui->wall_ms + 1000);
	ui_check_link(ui);
	ui_tick(ui);
	uiclient_answer();
	assert_in_range(uiclient.requests - asked, 0, PER_TICK);
	assert_int_equal(ui->lost, uiclient.lost);
	return frame(n);
}

static size_t
in_use(void)
{
	return mallinfo2().uordblks;
}

static void
test_eight_hours(void **state)
{
	struct night n = { 0 };
	unsigned backs = 0;
	size_t begun = 0;

	(void)state;
	fixture = "empty"; /* whose figures stand still */
	n.ui = uisession_open(80, 24, GLYPH_BLOCK, "operator", 1);
	n.shown = surface_new(80, 24, false);
	for (unsigned i = 0; i < SCREENS; i++) { /* each has been there */
		uisession_key(n.ui, '1' + i);
		/* What is kept of an hour is as long as it gets. */
		for (unsigned s = 0; s <= HOUR_S; s++)
			(void)second(&n, s);
	}
	n.frames = 0;
	for (unsigned hour = 0; hour < SCREENS; hour++) {
		uisession_keys(n.ui, "\x1b");
		uisession_key(n.ui, '1' + hour);
		for (unsigned s = 0; s < SETTLED_S; s++)
			(void)second(&n, hour * HOUR_S + s);
		for (unsigned s = SETTLED_S; s < HOUR_S; s++) {
			unsigned at = hour * HOUR_S + s;
			uint64_t rows = second(&n, at);

			if (s == HOUR_S / 2)
				begun = in_use();
			/* The clock, and the banner that counts; all of it when the link goes or comes. */
			if (link_is_there(at) == link_is_there(at - 1))
				assert_int_equal(rows & ~(uiclient.lost ? UINT64_C(3) : 1), 0);
		}
		assert_in_range(in_use(), 0, begun + GROWTH);
	}
	assert_int_equal(n.frames, SCREENS * HOUR_S);
	assert_false(n.ui->lost);
	for (size_t i = 0; i < RING_MAX && message_at(&n.ui->ring, i) != NULL; i++)
		backs += strcmp(message_at(&n.ui->ring, i)->text, "The link is back") == 0;
	assert_int_equal(backs, sizeof outages / sizeof *outages);
	surface_destroy(&n.shown);
	ui_destroy(&n.ui);
}

/* Clients that are nearly equal change their order with every answer, and not their rows. */
static void
test_rows_stand_still(void **state)
{
	const struct overview_list *list;
	struct ui *ui;

	(void)state;
	fixture = "moving";
	ui = uisession_open(120, 40, GLYPH_BLOCK, "operator", 1);
	list = &((const struct overview *)ui_top(ui)->state)->list;
	assert_int_equal(list->n, 3);
	for (unsigned i = 0; i < 4; i++) {
		double before = list->rows[0].qps;
		char first[64];

		snprintf(first, sizeof first, "%s", list->rows[0].name);
		ui_now(ui, ui->mono_ms + 6000, ui->wall_ms + 6000);
		ui_tick(ui);
		uiclient_answer();
		assert_string_equal(list->rows[0].name, first);
		assert_true(list->rows[0].qps != before);
	}
	ui_destroy(&ui);
}

/* ---- what is old ---- */
static void
test_old_values_say_so(void **state)
{
	static const struct {
		const char *before, *text; /* in the columns left of it */
		unsigned flags;
		bool stale;
		const char *shown;
		bool dim;
	} table[] = {
		{ "a ", "1.2k", UI_LIVE, false, "a 1.2k", false },
		{ "a ", "1.2k", UI_LIVE, true, "a~1.2k", true },
		{ "a ", "1.2k", 0, true, "a 1.2k", false },
		{ "a ", "1.2k", UI_OLD, false, "a~1.2k", true },
		{ "ab", "1.2k", UI_OLD, false, "ab1.2k",
		    true }, /* no room: nothing is overwritten */
		{ "a ", "  7/8", UI_LIVE, true, "a  ~7/8", true },
		{ "a ", "-", UI_LIVE, true, "a -",
		    true }, /* nothing is known: not even of before */
		{ "a ", "?", UI_OLD, false, "a ?", true },
		{ "a ", "", UI_OLD, false, "a", true },
		{ "a ", "-0.4ms", UI_OLD, false, "a~-0.4ms", true },
		{ "", "1.2k", UI_OLD, false, "1.2k", true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		struct surface *s = surface_new(12, 1, false);
		int at = (int)strlen(table[i].before), n;
		char shown[13] = "";

		s->stale = table[i].stale;
		surface_put(s, 0, 0, 12, UI_TEXT, table[i].before);
		n = surface_put(
		    s, at, 0, 12 - at, UI_CRIT | (enum ui_role)table[i].flags, table[i].text);
		for (int x = 0; x < 12; x++)
			shown[x] = (char)surface_at(s, x, 0)->cp;
		shown[strcspn(shown, " ") == 1 && n == 0 ? 1 : at + n] = '\0';
		assert_string_equal(shown, table[i].shown);
		if (n > 0)
			assert_int_equal(
			    surface_at(s, at + n - 1, 0)->role, table[i].dim ? UI_DIM : UI_CRIT);
		surface_destroy(&s);
	}
}

/* An appliance that answers but has no counters: they are old, and what it says of itself is not. */
static void
test_a_source_that_is_silent(void **state)
{
	struct ui *ui;

	(void)state;
	fixture = "plain";
	ui = uisession_open(80, 24, GLYPH_BLOCK, "operator", 2);
	for (unsigned s = 0; s < 10; s++) {
		uiclient.deaf = NS__ENVELOPE__BODY_STATS_REQUEST;
		assert_int_equal(ui_stale(ui_top(ui)), s > 4);
		ui_now(ui, ui->mono_ms + 1000, ui->wall_ms + 1000);
		ui_tick(ui);
		uiclient_answer();
		assert_false(ui->lost);
	}
	uiclient.deaf = 0;
	ui_now(ui, ui->mono_ms + 1000, ui->wall_ms + 1000);
	ui_tick(ui);
	uiclient_answer();
	assert_false(ui_stale(ui_top(ui)));
	ui_key(ui, 'f'); /* frozen: nothing is asked, and that is said */
	ui_now(ui, ui->mono_ms + 60000, ui->wall_ms + 60000);
	ui_tick(ui);
	assert_false(ui_stale(ui_top(ui)));
	ui_destroy(&ui);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_eight_hours),
		cmocka_unit_test(test_rows_stand_still), cmocka_unit_test(test_old_values_say_so),
		cmocka_unit_test(test_a_source_that_is_silent) };

	uisession_begin();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
