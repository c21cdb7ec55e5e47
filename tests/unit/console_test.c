/* The console's pure parts: keys and their conflicts, sanitizing, graphs, the prompt, the table, shares. */
#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "console/core/glyph.h"
#include "console/core/key.h"
#include "console/core/keymap.h"
#include "console/core/ring.h"
#include "console/core/sanitize.h"
#include "console/screens/graphs.h"
#include "console/screens/overview.h"
#include "console/widgets/form.h"
#include "console/screens/sorting.h"
#include "console/widgets/prompt.h"
#include "console/widgets/table.h"
#include "console/widgets/textarea.h"

static void
test_keys(void **state)
{
	char name[16];
	struct ns_why why = { 0 };
	struct keymap *m = keymap_new(ns_actions, &why);

	(void)state;
	assert_non_null(m);
	for (const struct ns_action *a = ns_actions; a->id != ACT_NONE; a++) {
		if (a->keys[0] == '\0')
			continue;
		uint32_t key = key_number(keymap_key(a, a->contexts, name));
		assert_int_not_equal(key, 0);
		assert_ptr_equal(keymap_find(m, a->contexts, key), a);
		assert_string_equal(key_label(key, name), name);
		assert_ptr_equal(ns_action_named(a->name), a);
	}
	assert_null(keymap_find(m, CTX_GLOBAL, 'j'));
	/* In a form what writes is text; what does not means the same. */
	assert_null(keymap_find(m, CTX_GLOBAL | CTX_FORM, 'q'));
	assert_int_equal(keymap_find(m, CTX_GLOBAL | CTX_FORM, UIKEY_F1)->id, ACT_HELP);
	assert_string_equal(keymap_key(ns_action_of(ACT_HELP), CTX_GLOBAL | CTX_FORM, name), "F1");
	assert_string_equal(keymap_key(ns_action_of(ACT_CLOSE), CTX_FORM, name), "");
	assert_null(ns_action_named("half-page"));
	assert_int_equal(ns_action_named("ov")->id, ACT_OVERVIEW);
	keymap_destroy(&m);
}

static void
test_conflicts_name_both(void **state)
{
	static const struct ns_action twice[] = { { ACT_QUIT, "quit", "", NULL, "", CTX_GLOBAL, "Q",
						      false },
		{ ACT_UP, "up", "", NULL, "", CTX_LIST, "k", false },
		{ ACT_DOWN, "down", "", NULL, "", CTX_TEXT, "j k", false },
		{ ACT_NONE, NULL, NULL, NULL, NULL, 0, NULL, false } };
	static const struct ns_action no_quit[] = { { ACT_UP, "up", "", NULL, "", CTX_LIST, "k",
							false },
		{ ACT_NONE, NULL, NULL, NULL, NULL, 0, NULL, false } };
	static const struct ns_action no_key[] = { { ACT_QUIT, "quit", "", NULL, "", CTX_GLOBAL,
						       "Hyper-Q", false },
		{ ACT_NONE, NULL, NULL, NULL, NULL, 0, NULL, false } };
	struct ns_why why = { 0 };

	(void)state;
	assert_null(keymap_new(twice, &why));
	assert_non_null(strstr(why.text, "up"));
	assert_non_null(strstr(why.text, "down"));
	assert_null(keymap_new(no_quit, &why));
	assert_null(keymap_new(no_key, &why));
	assert_non_null(strstr(why.text, "Hyper-Q"));
}

/* Whatever two bytes come, with text around them: nothing that a terminal would obey is left, and it is stable. */
static void
test_sanitize_all_pairs(void **state)
{
	char in[8], out[64], again[256];

	(void)state;
	for (unsigned a = 1; a < 256; a++)
		for (unsigned b = 1; b < 256; b++)
			for (int ascii = 0; ascii < 2; ascii++) {
				snprintf(in, sizeof in, "x%c%cy", (int)a, (int)b);
				sanitize(out, sizeof out, in, ascii);
				for (const char *p = out; *p != '\0';) {
					uint32_t cp;
					unsigned n = utf8_next(p, &cp);

					assert_true(cp >= 0x20 && cp != 0x7f && cp != 0xfffd);
					assert_false(cp >= 0x80 && cp < 0xa0);
					assert_true(!ascii || cp < 0x7f);
					p += n;
				}
				sanitize(again, sizeof again, out, ascii);
				assert_string_equal(out, again);
				char *copy = sanitize_dup(in, ascii);
				assert_string_equal(copy, out);
				free(copy);
			}
}

static void
test_sanitize(void **state)
{
	static const struct {
		const char *in, *out;
	} rows[] = { { "", "" }, { "plain", "plain" }, { "\x1b[2J", "\\u{1b}[2J" },
		{ "\xc2\x9b", "\\u{9b}" }, { "\xff\xfe", "\\255\\254" },
		{ "a\xe2\x80\xae"
		  "b",
		    "a\\u{202e}b" },
		{ "caf\xc3\xa9", "caf\xc3\xa9" }, { "e\xcc\x81", "e\xcc\x81" },
		{ "\xcc\x81", "\\u{301}" },
		{ "e\xcc\x81\xcc\x81\xcc\x81", "e\xcc\x81\xcc\x81\\u{301}" },
		{ "\xef\xbb\xbf", "\\u{feff}" }, { "\xed\xa0\x80", "\\237\\160\\128" } };
	char out[64];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		sanitize(out, sizeof out, rows[i].in, false);
		assert_string_equal(out, rows[i].out);
	}
	assert_int_equal(sanitize(out, 4, "\x1b[2J", false), 0); /* never half an escape */
	assert_int_equal(sanitize(out, 4, "abcdef", false), 3);
}

static void
test_graphs(void **state)
{
	double values[3] = { -1, 0, 0 };

	(void)state;
	for (unsigned set = 0; set < GLYPH_SETS; set++) {
		struct surface *s = surface_new(5, 2, set == GLYPH_ASCII);

		for (unsigned level = 0; level <= 2 * GLYPH_LEVELS; level++) {
			values[2] = level;
			surface_clear(s);
			glyph_graph(
			    s, (struct rect){ 0, 0, 5, 2 }, set, values, 3, 2 * GLYPH_LEVELS);
			uint32_t cp;
			utf8_next(glyph_level(set, level == 0 ? 1 : level > 8 ? 8 : level), &cp);
			assert_int_equal(surface_at(s, 4, 1)->cp, cp);
			utf8_next(glyph_level(set, level > 8 ? level - 8 : 0), &cp);
			assert_int_equal(surface_at(s, 4, 0)->cp, cp);
			assert_int_equal(surface_at(s, 2, 1)->cp, ' '); /* no sample */
			assert_int_not_equal(surface_at(s, 3, 1)->cp, ' '); /* zero shows */
			assert_int_equal(s->outside, 0);
		}
		surface_destroy(&s);
	}
}

/* Where nobody looked there is what the appliance kept; what was seen stays. */
static void
test_holes(void **state)
{
	static const float kept[] = { 5, -1, 7 }; /* of 10 s each, the newest last */
	struct series s;

	(void)state;
	series_init(&s);
	series_add(&s, 1);
	series_gap(&s, 16000, 1000);
	series_past(&s, kept, 3, 2, 1000);
	for (size_t age = 0; age < 40; age++)
		assert_float_equal(s.list[SERIES_SAMPLES - 1 - age],
		    age < 10    ? 14
		    : age == 14 ? 1
		    : age < 20  ? -1
		    : age < 30  ? 10
				: -1,
		    0);
}

static void
test_numbers(void **state)
{
	static const struct {
		double v;
		const char *text;
	} rows[] = { { 0, "0" }, { 0.4, "0.4" }, { 7, "7" }, { 99.9, "99.9" }, { 100.4, "100" },
		{ 999.6, "1.0k" }, { 231040, "231.0k" }, { 999600, "1.0M" }, { 2.5e9, "2.5G" } };
	char out[16];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		glyph_number(rows[i].v, out);
		assert_string_equal(out, rows[i].text);
	}
}

static void
type(struct prompt *p, const char *keys)
{
	for (; *keys != '\0'; keys++)
		prompt_key(p, (unsigned char)*keys);
}

static void
test_prompt(void **state)
{
	struct prompt p = { 0 };

	(void)state;
	prompt_open(&p, '/', "");
	type(&p, "foo bar");
	assert_string_equal(p.edit.text, "foo bar");
	type(&p, "\x17"); /* Ctrl-W */
	assert_string_equal(p.edit.text, "foo ");
	assert_int_equal(prompt_key(&p, 0xe9), PROMPT_CHANGED);
	assert_string_equal(p.edit.text, "foo \xc3\xa9");
	prompt_key(&p, UIKEY_LEFT);
	prompt_key(&p, 0x1f600);
	assert_string_equal(p.edit.text, "foo \xf0\x9f\x98\x80\xc3\xa9");
	assert_int_equal(prompt_key(&p, UIKEY_BACKSPACE), PROMPT_CHANGED);
	assert_string_equal(p.edit.text, "foo \xc3\xa9");
	type(&p, "\x01\x0b"); /* Ctrl-A, Ctrl-K */
	assert_string_equal(p.edit.text, "");
	assert_int_equal(prompt_key(&p, UIKEY_BACKSPACE), PROMPT_CANCEL);
	for (int i = 0; i < 1000; i++)
		prompt_key(&p, 0x20ac);
	assert_true(p.edit.len < PROMPT_MAX && p.edit.len > PROMPT_MAX - 4);
	assert_int_equal(prompt_key(&p, UIKEY_ENTER), PROMPT_ENTER);
	/* A filter that was there: typing begins anew, moving or rubbing out edits it. */
	prompt_open(&p, '/', "shop");
	type(&p, "www");
	assert_string_equal(p.edit.text, "www");
	prompt_open(&p, '/', "shop");
	prompt_key(&p, UIKEY_BACKSPACE);
	type(&p, "w");
	assert_string_equal(p.edit.text, "show");
	edit_free(&p.edit);
}

/* Letters spell a choice, one by one. */
static void
test_choices(void **state)
{
	static const char *const kinds[] = { "https", "http", "tcp", "tls", "push", NULL };
	static const struct {
		const char *typed, *chosen;
	} rows[] = { { "h", "http" }, { "hh", "https" }, { "http", "http" }, { "https", "https" },
		{ "tl", "tls" }, { "tt", "tls" }, { "x", "https" }, { "pu", "push" },
		{ "tp", "push" } };

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct form f = { 0 };
		bool changed;

		form_add(&f, 20, "https")->choices = kinds;
		for (const char *k = rows[i].typed; *k != '\0'; k++)
			assert_true(form_key(&f, (unsigned char)*k, &changed));
		assert_string_equal(edit_text(&f.list[0].edit), rows[i].chosen);
		form_clear(&f);
	}
}

static const char *
cell(void *arg, size_t row, unsigned column, enum ui_role *role)
{
	static char text[32];

	(void)arg, (void)role;
	snprintf(text, sizeof text, "r%zu.%u", row, column);
	return text;
}

static void
test_table(void **state)
{
	static const struct table_column columns[] = { { "A", 6, 1, false, 0 },
		{ "B", 6, 0, true, 0 }, { "C", 6, 0, false, 40 }, { NULL, 0, 0, false, 0 } };
	struct ns_table t = { .columns = columns };
	struct surface *s = surface_new(30, 11, false);
	struct rect all = { 0, 0, 30, 11 };

	(void)state;
	ns_table_draw(&t, s, all, 100000, cell, NULL);
	assert_int_equal(t.page, 10);
	assert_true(ns_table_act(&t, ACT_BOTTOM, 100000));
	ns_table_draw(&t, s, all, 100000, cell, NULL);
	assert_int_equal(t.row, 99999);
	assert_int_equal(t.top, 99990);
	assert_int_equal(s->cursor_y, 10);
	assert_true(ns_table_act(&t, ACT_PAGE_UP, 100000));
	assert_int_equal(t.row, 99989);
	ns_table_draw(&t, s, all, 3, cell, NULL); /* the list shrank */
	assert_int_equal(t.row, 2);
	assert_int_equal(t.top, 0);
	ns_table_draw(&t, s, all, 0, cell, NULL);
	assert_int_equal(t.row, 0);
	assert_true(ns_table_act(&t, ACT_DOWN, 0));
	assert_int_equal(t.row, 0);
	assert_false(ns_table_act(&t, ACT_OPEN, 5));
	assert_int_equal(s->outside, 0);
	surface_destroy(&s);
}

static void
test_surface_keeps_within(void **state)
{
	struct surface *s = surface_new(4, 1, false);

	(void)state;
	assert_int_equal(surface_put(s, 0, 0, 4, UI_TEXT, "abcdef"), 4);
	assert_int_equal(surface_at(s, 3, 0)->cp, 0x2026);
	surface_clear(s);
	surface_put(
	    s, 0, 0, 4, UI_TEXT, "\xe4\xb8\xad\xe6\x96\x87x"); /* two wide ones: 5 columns */
	assert_int_equal(surface_at(s, 0, 0)->cp, 0x4e2d);
	assert_int_equal(surface_at(s, 1, 0)->cp, 0);
	assert_int_equal(s->outside, 0);
	surface_put(s, 3, 0, 9, UI_TEXT, "abc");
	assert_int_equal(s->outside, 2);
	surface_clear(s);
	surface_put(s, 0, 0, 4, UI_TEXT, "e\xcc\x81");
	assert_int_equal(surface_at(s, 0, 0)->marks[0], 0x301);
	surface_put(s, 0, 0, 4, UI_TEXT, "\x1b");
	assert_int_equal(surface_at(s, 0, 0)->cp, '?');
	surface_destroy(&s);
}

static void
test_shares(void **state)
{
	struct shares sh = { 0 };
	struct share_view v;
	Ns__StatsReply r = NS__STATS_REPLY__INIT;
	Ns__StatsReply__Rcode ok = NS__STATS_REPLY__RCODE__INIT, *list[] = { &ok };
	char name[] = "NOERROR";

	(void)state;
	shares_view(&sh, &v);
	assert_true(v.idle && v.n == 0);
	ok.name = name;
	r.rcodes = list;
	r.n_rcodes = 1;
	for (unsigned i = 0; i <= 30; i++) {
		r.queries = 1000 + 100 * i;
		r.udp = 900 + 50 * i;
		ok.count = 500 + 25 * i;
		shares_add(&sh, &r, r.rcodes, r.n_rcodes);
	}
	shares_view(&sh, &v); /* of the last ten, not since the start */
	assert_float_equal(v.udp, 50, 0.01);
	assert_float_equal(v.percent[0], 25, 0.01);
	r.queries = 10; /* a new appliance */
	r.udp = 10;
	ok.count = 10;
	shares_add(&sh, &r, r.rcodes, r.n_rcodes);
	shares_view(&sh, &v);
	assert_float_equal(v.udp, 100, 0.01);
}

static void
test_ring(void **state)
{
	static struct ring r;
	char text[32];

	(void)state;
	assert_null(message_at(&r, 0));
	for (unsigned i = 0; i < RING_MAX + 5; i++) {
		snprintf(text, sizeof text, "m%u\x1b", i);
		message_add(&r, i, text);
	}
	assert_string_equal(message_at(&r, 0)->text, "m204\\u{1b}");
	assert_string_equal(message_at(&r, RING_MAX - 1)->text, "m5\\u{1b}");
	assert_null(message_at(&r, RING_MAX));
}

/* Typed keys at a text of three lines, and what is there then: '|' is the cursor. */
static void
test_textarea(void **state)
{
	static const struct {
		uint32_t line; /* where it opens */
		const char *keys,
		    *text; /* u d l r h e: up, down, left, right, home, end; others as they are */
		const char *after;
	} rows[] = {
		{ 0, "", "one\ntwo\nthree\n", "|one\ntwo\nthree\n" },
		{ 2, "x", "one\ntwo\nthree\n", "one\nx|two\nthree\n" },
		{ 9, "", "one\ntwo", "one\n|two" }, { 2, "\x7f", "one\ntwo\n", "one|two\n" },
		{ 1, "\x05\r2", "one\ntwo\n", "one\n2|\ntwo\n" },
		{ 1, "\x0b\x0b", "one\ntwo\n", "|two\n" }, { 1, "\x05\x17", "one two", "one |" },
		{ 2, "\x15\x04", "one\ntwo\n", "one\n|wo\n" },
		{ 1, "\x05\x12\x12", "long\n\nlonger\n",
		    "long\n\nlong|er\n" }, /* down keeps the column */
		{ 3, "\x11\x11", "one\ntwo\nthree", "|one\ntwo\nthree" }, { 1, "\t", "a", "\t|a" },
		{ 1, "\x05\xfc", "a", "a\xc3\xbc|" }, /* a code point above ASCII */
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct textarea t = { 0 };
		char found[64];
		bool changed;

		textarea_set(&t, 64, rows[i].text, strlen(rows[i].text), rows[i].line);
		for (const char *k = rows[i].keys; *k != '\0'; k++)
			assert_true(textarea_key(&t,
			    *k == 0x11   ? UIKEY_UP
			    : *k == 0x12 ? UIKEY_DOWN
					 : (unsigned char)*k,
			    &changed));
		snprintf(found, sizeof found, "%.*s|%s", (int)t.at, t.text, t.text + t.at);
		assert_string_equal(found, rows[i].after);
		textarea_free(&t);
	}
}

/* Whatever is typed at whatever text: within its limit, the cursor on a character, nothing outside of the box. */
static void
test_textarea_keeps_within(void **state)
{
	static const uint32_t keys[] = { UIKEY_UP, UIKEY_DOWN, UIKEY_LEFT, UIKEY_RIGHT, UIKEY_HOME,
		UIKEY_END, UIKEY_PGUP, UIKEY_PGDN, UIKEY_DELETE, UIKEY_BACKSPACE, UIKEY_ENTER,
		UIKEY_TAB, CTRL_KEY('K'), CTRL_KEY('W'), CTRL_KEY('U'), 'a', 0xe9, 0x4e2d, 0x301,
		0x202e };
	struct surface *s = surface_new(40, 12, false);
	static const char odd[] = "\0\xff\t\x1b[2J\n\xe4\xb8\xad\xcc\x81\n\n";
	struct textarea t = { 0 };
	bool changed;

	(void)state;
	srand(3);
	textarea_set(&t, 300, odd, sizeof odd - 1, 2);
	for (unsigned i = 0; i < 20000; i++) {
		(void)textarea_key(
		    &t, keys[(size_t)rand() % (sizeof keys / sizeof *keys)], &changed);
		assert_true(t.len < 300 && t.at <= t.len && t.text[t.len] == '\0');
		surface_clear(s);
		textarea_draw(&t, s, (struct rect){ 3, 2, 1 + rand() % 30, 1 + rand() % 8 });
		assert_int_equal(s->outside, 0);
		for (int y = 0; y < s->h; y++)
			for (int x = 0; x < 3; x++)
				assert_int_equal(surface_at(s, x, y)->cp, ' ');
		assert_true(s->cursor_on && s->cursor_x >= 3 && s->cursor_y >= 2);
	}
	textarea_free(&t);
	surface_destroy(&s);
}

/* `<` and `>` go by the columns that are on screen, and come round; `o` sorts the largest first where that is asked. */
static void
test_sort_keys(void **state)
{
	static const struct table_column columns[] = { { "A", 6, 1, false, 0 },
		{ "B", 6, 0, true, 0 }, { "C", 6, 0, false, 40 }, { "D", 6, 0, false, 0 },
		{ NULL, 0, 0, false, 0 } };
	static const char *const words[TABLE_COLUMNS] = { "a", "-b", "c", NULL };
	struct ns_table t = { .columns = columns, .sort = { .words = words }, .width = 30 };
	char text[24];

	(void)state;
	assert_int_equal(ns_table_sort(&t, ACT_SORT), SORT_SAME);
	assert_int_equal(ns_table_sort(&t, ACT_SORT_NEXT), SORT_CHOSEN);
	assert_int_equal(t.sort.column, 0);
	assert_int_equal(t.sort.chosen, 1);
	assert_int_equal(ns_table_sort(&t, ACT_SORT), SORT_OTHER);
	ns_sort_text(&t.sort, text);
	assert_string_equal(text, "-b");
	assert_int_equal(ns_sort_sign(&t.sort, 1), 'v');
	assert_int_equal(ns_sort_sign(&t.sort, 0), '\0');
	assert_int_equal(ns_table_sort(&t, ACT_SORT_REVERSE), SORT_OTHER);
	assert_int_equal(ns_sort_sign(&t.sort, 1), '^');
	(void)ns_table_sort(&t, ACT_SORT_NEXT); /* c is not on screen, d cannot be sorted by */
	assert_int_equal(t.sort.chosen, 0);
	(void)ns_table_sort(&t, ACT_SORT_PREVIOUS);
	assert_int_equal(t.sort.chosen, 1);
	t.width = 80;
	(void)ns_table_sort(&t, ACT_SORT_NEXT);
	assert_int_equal(t.sort.chosen, 2);
	assert_int_equal(ns_table_sort(&t, ACT_UP), SORT_NOT_MINE);
	t.sort.words = NULL;
	ns_sort_text(&t.sort, text);
	assert_string_equal(text, "");
}

static void
test_sort_words(void **state)
{
	static const char *const words[TABLE_COLUMNS] = { "name", "-qps" };
	struct table_sort s = { .words = words };

	(void)state;
	assert_true(ns_sort_read(&s, "qps"));
	assert_true(s.column == 1 && s.chosen == 1 && !s.down);
	assert_true(ns_sort_read(&s, "-name"));
	assert_true(s.column == 0 && s.down);
	assert_false(ns_sort_read(&s, "size"));
	assert_false(ns_sort_read(&s, ""));
	assert_true(s.column == 0 && s.down);
}

/* Figures before texts where there are both; equal ones stay as they came; the cursor goes with its row. */
static void
test_sort_rows(void **state)
{
	static char *cells[][2] = { { "b", "10" }, { "A", "9" }, { "c", "-" }, { "a", "9" } };
	static const double figures[] = { 10, 9, NAN, 9 };
	static const struct {
		unsigned column;
		bool down;
		const char *want;
	} rows[] = { { 0, false, "Aabc" }, { 0, true, "cbAa" }, { 1, false, "cAab" },
		{ 1, true, "bAac" } };
	static const char *const words[TABLE_COLUMNS] = { "a", "b" };

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct table_sort sort = { words, rows[i].column, 0, rows[i].down };
		struct row list[4];
		size_t follow = 2;

		memset(list, 0, sizeof list);
		for (size_t k = 0; k < 4; k++) {
			list[k].cells[0] = cells[k][0];
			list[k].cells[1] = cells[k][1];
			list[k].figures[0] = (double)NAN;
			list[k].figures[1] = figures[k];
		}
		rows_sort(list, 4, sizeof *list, &sort, &follow);
		for (size_t k = 0; k < 4; k++)
			assert_int_equal(list[k].cells[0][0], rows[i].want[k]);
		assert_string_equal(list[follow].cells[0], "c");
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_conflicts_name_both),
		cmocka_unit_test(test_sanitize_all_pairs),
		cmocka_unit_test(test_sanitize),
		cmocka_unit_test(test_graphs),
		cmocka_unit_test(test_holes),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_prompt),
		cmocka_unit_test(test_choices),
		cmocka_unit_test(test_textarea),
		cmocka_unit_test(test_textarea_keeps_within),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_sort_keys),
		cmocka_unit_test(test_sort_words),
		cmocka_unit_test(test_sort_rows),
		cmocka_unit_test(test_surface_keeps_within),
		cmocka_unit_test(test_shares),
		cmocka_unit_test(test_ring),
	};

	setlocale(LC_ALL, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
