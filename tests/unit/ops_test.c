/* ops_test - what the console makes of votes and of a zone's keys, in few words, and in which order rows stand that change
 * all the time. */
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "console/core/calm.h"
#include "console/screens/keysteps.h"
#include "console/screens/votes.h"

#define STR(s) ((char *)(uintptr_t)(s))

/* One letter a vote: u up, d down, a abstains, o up and not heard for long, x unknown. */
static void
votes(Ns__CheckInfo *c, const char *text, const char *const *sites)
{
	static Ns__CheckInfo__Vote rows[16], *list[16];

	*c = (Ns__CheckInfo)NS__CHECK_INFO__INIT;
	c->votes = list;
	for (; *text != '\0'; text++, c->n_votes++) {
		Ns__CheckInfo__Vote *v = list[c->n_votes] = &rows[c->n_votes];

		*v = (Ns__CheckInfo__Vote)NS__CHECK_INFO__VOTE__INIT;
		v->state = STR(*text == 'u' || *text == 'o' ? "up"
			       : *text == 'd'               ? "down"
			       : *text == 'a'               ? "abstain"
							    : "unknown");
		v->heard_s = *text == 'o' ? 26 : 24;
		v->site = STR(sites[c->n_votes]);
		v->reason = STR(*text == 'd' ? "refused" : *text == 'a' ? "cut off" : "");
	}
}

static void
test_votes_by_site(void **state)
{
	static const char *const sites[] = { "ams", "fra", "ams", "", "fra" };
	Ns__CheckInfo c;
	char text[128];

	(void)state;
	votes(&c, "udoxa", sites);
	votes_by_site(&c, text, sizeof text);
	assert_string_equal(text, "ams U?  fra d-  - ?");
	assert_int_equal(votes_up(&c), 1);
	votes_by_site(&c, text, 8); /* never past its end */
	assert_string_equal(text, "ams U? ");
	votes(&c, "", sites);
	votes_by_site(&c, text, sizeof text);
	assert_string_equal(text, "");
}

static void
test_the_commonest_error_first(void **state)
{
	static const char *const sites[] = { "a", "a", "a", "a", "a" };
	Ns__CheckInfo c;
	char text[128];

	(void)state;
	votes(&c, "addua", sites);
	votes_errors(&c, text, sizeof text);
	assert_string_equal(text, "2x cut off   2x refused");
	votes(&c, "adddu", sites);
	votes_errors(&c, text, sizeof text);
	assert_string_equal(text, "3x refused   1x cut off");
	votes(&c, "uu", sites);
	votes_errors(&c, text, sizeof text);
	assert_string_equal(text, "");
}

static void
test_levels(void **state)
{
	static const char *const sites[] = { "a", "a", "a" };
	Ns__CheckInfo__Override forced = NS__CHECK_INFO__OVERRIDE__INIT;
	Ns__CheckInfo c;

	(void)state;
	votes(&c, "uu", sites);
	c.state = STR("unknown");
	assert_string_equal(votes_level(&c), "none");
	c.state = STR("up");
	assert_string_equal(votes_level(&c), "ok");
	c.stale = true;
	assert_string_equal(votes_level(&c), "warn");
	c.initial = true;
	assert_string_equal(votes_level(&c), "none");
	votes(&c, "ud", sites);
	c.state = STR("up");
	assert_string_equal(votes_level(&c), "warn");
	c.state = STR("down");
	assert_string_equal(votes_level(&c), "crit");
	c.override = &forced;
	assert_string_equal(votes_level(&c), "warn");
}

static void
test_sparks(void **state)
{
	static const uint32_t looks[] = { 1, 100, 0, 50, 0, 400 };
	char text[64];

	(void)state;
	votes_spark(GLYPH_ASCII, looks, 6, 8, text, sizeof text);
	assert_string_equal(text, ".:x.x#");
	votes_spark(GLYPH_ASCII, looks, 6, 2, text, sizeof text);
	assert_string_equal(text, "x#");
	votes_spark(GLYPH_ASCII, looks, 3, 2, text, sizeof text);
	assert_string_equal(text, "#x");
	votes_spark(GLYPH_ASCII, NULL, 0, 8, text, sizeof text);
	assert_string_equal(text, "");
}

/* ---- keys ---- */
static void
keys(Ns__DnssecShowReply *m, const char *const rows[][2], size_t n)
{
	static Ns__DnssecShowReply__Key list[4], *at[4];

	*m = (Ns__DnssecShowReply)NS__DNSSEC_SHOW_REPLY__INIT;
	m->status = STR("signed");
	m->keys = at;
	m->n_keys = n;
	for (size_t i = 0; i < n; i++) {
		list[i] = (Ns__DnssecShowReply__Key)NS__DNSSEC_SHOW_REPLY__KEY__INIT;
		list[i].tag = (uint32_t)i + 1;
		list[i].role = STR("ksk");
		list[i].state = STR(rows[i][0]);
		list[i].ds_seen = STR(rows[i][1]);
		list[i].next_at = STR("2026-11-25");
		at[i] = &list[i];
	}
}

static void
test_where_a_roll_is(void **state)
{
	static const struct {
		const char *keys[2][2];
		size_t n;
		const char *title, *marks; /* d done, N now, n next */
	} rows[] = {
		{ { { "active", "all" } }, 1, "", "" },
		{ { { "published", "none" } }, 1, "First DS, of key 1", "dNnn" },
		{ { { "ready", "none" } }, 1, "First DS, of key 1", "ddNn" },
		{ { { "ready", "some" } }, 1, "First DS, of key 1", "ddNn" },
		{ { { "ready", "all" } }, 1, "First DS, of key 1", "dddN" },
		{ { { "active", "all" }, { "presign", "none" } }, 2, "KSK roll 1 -> 2", "Nnnnn" },
		{ { { "active", "all" }, { "published", "none" } }, 2, "KSK roll 1 -> 2", "dNnnn" },
		{ { { "active", "all" }, { "ready", "none" } }, 2, "KSK roll 1 -> 2", "ddNnn" },
		{ { { "active", "all" }, { "ready", "all" } }, 2, "KSK roll 1 -> 2", "dddNn" },
		{ { { "retired", "none" }, { "active", "all" } }, 2, "KSK roll 1 -> 2", "ddddN" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		Ns__DnssecShowReply m;
		struct keysteps s;
		char marks[STEPS_MAX + 1] = "";

		keys(&m, rows[i].keys, rows[i].n);
		keysteps_of(&m, &s);
		for (size_t k = 0; k < s.n; k++)
			marks[k] = "dNn"[s.list[k].mark];
		assert_string_equal(s.title, rows[i].title);
		assert_string_equal(marks, rows[i].marks);
	}
}

/* Of keys that were written before their times were kept, only that of the state they are in is known. */
static void
test_when_a_step_was(void **state)
{
	static Ns__DnssecShowReply__Key__Entered e[3], *list[] = { &e[0], &e[1], &e[2] };
	static const char *const names[] = { "published", "ready", "active" };
	static const char *const times[] = { "2026-11-20T08:00:00.000Z", "2026-11-20T10:00:00.000Z",
		"2026-11-22T07:05:00.000Z" };
	static const struct {
		const char *state;
		size_t kept;
		const char *at, *since, *until, *line; /* of the steps, with a blank between them */
	} rows[] = {
		{ "published", 1, "20T08:00     ", " 20T08:00    ", " 25T00:00    ",
		    "20 Nov |>>>> publish >>>>>| waiting for you .|..... DS TTL .....|remove" },
		{ "ready", 2, "20T08:00 20T10:00    ", "  20T10:00   ", "     ",
		    "20 Nov |==== publish =====| waiting for you >|..... DS TTL .....|remove" },
		{ "ready", 0, " 01T00:00    ", "  01T00:00   ", "     ",
		    "- |===== publish ======|> waiting for you >>|...... DS TTL ......|remove" },
		{ "active", 3, "20T08:00 20T10:00  22T07:05  ", "    22T07:05 ", "    25T00:00 ",
		    "20 Nov |==== publish =====| waiting for you =|>>>>> DS TTL >>>>>|remove" },
	};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		e[i] = (Ns__DnssecShowReply__Key__Entered)NS__DNSSEC_SHOW_REPLY__KEY__ENTERED__INIT;
		e[i].state = STR(names[i]);
		e[i].at = STR(times[i]);
	}
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const char *states[][2] = {
			{ strcmp(rows[i].state, "active") == 0 ? "retired" : "active", "" },
			{ rows[i].state, "none" }
		};
		char at[128] = "", since[128] = "", until[128] = "", line[200];
		Ns__DnssecShowReply m;
		struct keysteps s;

		keys(&m, states, 2);
		m.keys[0]->next_at = m.keys[1]->next_at = STR("2026-11-25T00:00:00.000Z");
		m.keys[1]->since = STR("2026-11-01T00:00:00.000Z");
		if (rows[i].kept > 0)
			m.keys[1]->since = e[rows[i].kept - 1].at;
		m.keys[1]->entered = list;
		m.keys[1]->n_entered = rows[i].kept;
		keysteps_of(&m, &s);
		for (size_t k = 0; k < s.n; k++) {
			snprintf(
			    at + strlen(at), 16, "%.8s ", s.list[k].at + (s.list[k].at[0] ? 8 : 0));
			snprintf(since + strlen(since), 16, "%.8s ",
			    s.list[k].since + (s.list[k].since[0] ? 8 : 0));
			snprintf(until + strlen(until), 16, "%.8s ",
			    s.list[k].until + (s.list[k].until[0] ? 8 : 0));
		}
		keysteps_line(&s, 72, line, sizeof line);
		assert_string_equal(at, rows[i].at);
		assert_string_equal(since, rows[i].since);
		assert_string_equal(until, rows[i].until);
		assert_string_equal(line, rows[i].line);
		for (int w = 0; w < 300; w++) {
			keysteps_line(&s, w, line, sizeof line);
			assert_true(strlen(line) <= (size_t)w);
		}
	}
}

static void
test_leaving_waits_for_the_registrar(void **state)
{
	static const char *const rows[][2] = { { "active", "all" } };
	Ns__DnssecShowReply m;
	struct keysteps s;

	(void)state;
	keys(&m, rows, 1);
	assert_true(keysteps_ds_there(&m));
	m.status = STR("leaving");
	m.waits_for = STR("the parent's DS to be removed");
	keysteps_of(&m, &s);
	assert_int_equal(s.list[1].mark, STEP_NOW);
	m.waits_for = STR("");
	keysteps_of(&m, &s);
	assert_int_equal(s.list[1].mark, STEP_DONE);
	assert_int_equal(s.list[2].mark, STEP_NOW);
	m.keys[0]->ds_seen = STR("none");
	assert_false(keysteps_ds_there(&m));
}

/* ---- an order that is calm ---- */
static void
test_calm(void **state)
{
	static const struct {
		struct calm_row rows[4];
		const char *order; /* of their names */
	} table[] = {
		{ { { 1, CALM_NEW, "a" }, { 3, CALM_NEW, "b" }, { 2, CALM_NEW, "c" },
		      { 2, CALM_NEW, "A" } },
		    "bAca" },
		/* Nearly equal: as they were. */
		{ { { 100, 3, "a" }, { 99, 2, "b" }, { 98, 1, "c" }, { 97, 0, "d" } }, "dcba" },
		/* Clearly more, than some and than all. */
		{ { { 108, 3, "a" }, { 90, 2, "b" }, { 95, 1, "c" }, { 100, 0, "d" } }, "dacb" },
		{ { { 120, 3, "a" }, { 90, 2, "b" }, { 95, 1, "c" }, { 100, 0, "d" } }, "adcb" },
		/* One that comes stands where it belongs; quiet ones do not move. */
		{ { { 96, CALM_NEW, "n" }, { 90, 2, "b" }, { 95, 1, "c" }, { 100, 0, "d" } },
		    "dncb" },
		{ { { 0, 2, "a" }, { 0, 0, "b" }, { 0, 1, "c" }, { 0.5, CALM_NEW, "n" } }, "nbca" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		size_t order[4];

		calm_order(table[i].rows, 4, order);
		for (size_t k = 0; k < 4; k++)
			if (table[i].rows[order[k]].name[0] != table[i].order[k])
				fail_msg(
				    "row %zu, place %zu: %s", i, k, table[i].rows[order[k]].name);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_calm),
		cmocka_unit_test(test_votes_by_site),
		cmocka_unit_test(test_the_commonest_error_first),
		cmocka_unit_test(test_levels),
		cmocka_unit_test(test_sparks),
		cmocka_unit_test(test_where_a_roll_is),
		cmocka_unit_test(test_when_a_step_was),
		cmocka_unit_test(test_leaving_waits_for_the_registrar),
	};

	setlocale(LC_ALL, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
