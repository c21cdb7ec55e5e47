/* Policies for people: the tree, its changes, shares and effects.  The appliance's own reader judges what comes out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "appliance/dns/policy.h"
#include "appliance/dns/text_policy.h"
#include "console/core/policyfx.h"

static const char GEO[] = "A "
			  "{\"ttl\":30,\"root\":{\"use\":\"geo\",\"rules\":[{\"match\":["
			  "\"continent:EU\",\"country:GB\"],\"then\":"
			  "{\"use\":\"failover\",\"order\":[{\"pool\":\"eu\"},{\"pool\":\"us\"}]}},"
			  "{\"match\":[\"asn:64500\"],\"then\":"
			  "{\"pool\":\"us\"}}],\"default\":{\"use\":\"weighted\",\"branches\":[{"
			  "\"weight\":3,\"then\":{\"pool\":\"eu\"}},"
			  "{\"weight\":1,\"then\":{\"pool\":\"us\"}}]}},\"pools\":{\"eu\":{"
			  "\"serve\":\"one\",\"answers\":[{\"value\":"
			  "\"192.0.2.20\",\"weight\":70,\"check\":\"eu-1\"},{\"value\":\"192.0.2."
			  "30\",\"weight\":30,\"check\":\"eu-2\"}]},"
			  "\"us\":{\"when_down\":{\"pool\":\"sorry\"},\"answers\":[{\"value\":"
			  "\"198.51.100.1\",\"check\":\"us-1\"}]},"
			  "\"sorry\":{\"answers\":[{\"value\":\"203.0.113.9\"}]}}}";

struct seen {
	json_t *doc;
	struct pol_tree tree;
	char type[16];
};

static struct seen
look(const char *text)
{
	struct seen s = { 0 };

	s.doc = pol_parse(text, s.type);
	assert_non_null(s.doc);
	pol_rows(&s.tree, s.doc);
	return s;
}

static void
forget(struct seen *s)
{
	pol_rows_free(&s->tree);
	json_decref(s->doc);
}

/* NULL: the appliance takes it; else the path that it names, or "yes" for what it says. */
static void
judge(const struct seen *s, const char *wants)
{
	char *text = pol_text(s->type, s->doc);
	uint8_t out[POLICY_SIZE];
	struct ns_why why = { 0 };
	size_t len;
	enum ns_err err = policy_from_text(text, strlen(text), out, sizeof out, &len, &why);

	if (wants == NULL && err != NS_OK)
		fail_msg("%s: %s", text, why.text);
	if (wants != NULL && (err == NS_OK || strstr(why.text, wants) == NULL))
		fail_msg("%s: %s, not %s", text, why.text, wants);
	free(text);
}

static void
rows_and_words(void **state)
{
	static const struct {
		unsigned depth;
		const char *label, *path, *text;
	} want[] = { { 0, "", "root", "geo" }, { 1, "EU,GB", "root.rules[0].then", "failover" },
		{ 2, "1", "root.rules[0].then.order[0]", "pool eu, by weight" },
		{ 2, "2", "root.rules[0].then.order[1]", "pool us, all" },
		{ 1, "AS64500", "root.rules[1].then", "pool us, all" },
		{ 1, "default", "root.default", "weighted" },
		{ 2, "weight 3", "root.default.branches[0].then", "pool eu, by weight" },
		{ 2, "weight 1", "root.default.branches[1].then", "pool us, all" },
		{ 0, "stands in", "pools.sorry", "pool sorry, all" } };
	struct seen s = look(GEO);
	char text[200];

	(void)state;
	judge(&s, NULL);
	assert_int_equal(s.tree.n, sizeof want / sizeof *want);
	for (size_t i = 0; i < s.tree.n; i++) {
		assert_int_equal(s.tree.rows[i].depth, want[i].depth);
		assert_string_equal(s.tree.rows[i].label, want[i].label);
		assert_string_equal(s.tree.rows[i].path, want[i].path);
		pol_describe(s.doc, s.tree.rows[i].node, text, sizeof text);
		assert_string_equal(text, want[i].text);
	}
	pol_words(s.doc, text, sizeof text);
	assert_string_equal(
	    text, "geo(EU,GB: failover(eu, us), AS64500: us, default: weighted(3 eu, 1 us))");
	pol_words(s.doc, text, 12);
	assert_string_equal(text, "geo(EU,GB: ");
	assert_int_equal(pol_find(&s.tree, "root.rules[1].match[0]: twice"), 4);
	assert_int_equal(pol_find(&s.tree, "root.rules[0].then.order[1]: never"), 3);
	assert_int_equal(pol_find(&s.tree, "pools.eu.answers[1]: no A"), 2);
	assert_int_equal(pol_find(&s.tree, "policy: too large"), SIZE_MAX);
	forget(&s);
}

static void
changes_are_what_the_appliance_reads(void **state)
{
	struct seen s = look(GEO);
	json_t *node;

	(void)state;
	/* A pool more in the failover: empty, which the appliance says at its row. */
	node = pol_add(s.doc, &s.tree.rows[1]);
	pol_rows(&s.tree, s.doc);
	assert_int_equal(pol_row_of(&s.tree, node), 4);
	judge(&s, "pools.pool: the pool is empty");
	json_array_append_new(json_object_get(pol_pool(s.doc, "pool"), "answers"),
	    json_pack("{s:s,s:s}", "value", "192.0.2.7", "check", "x"));
	judge(&s, NULL);
	assert_true(pol_move(&s.tree.rows[4], -1));
	pol_rows(&s.tree, s.doc);
	assert_string_equal(pol_pool_of(s.tree.rows[3].node), "pool");
	assert_false(pol_move(&s.tree.rows[4], 1));
	assert_false(pol_move(&s.tree.rows[0], 1));
	judge(&s, NULL);
	/* It goes, and its pool with it. */
	assert_null(pol_delete(s.doc, &s.tree.rows[3]));
	assert_null(pol_pool(s.doc, "pool"));
	pol_rows(&s.tree, s.doc);
	assert_non_null(pol_delete(s.doc, &s.tree.rows[0]));
	assert_non_null(pol_delete(s.doc, &s.tree.rows[5]));
	assert_non_null(pol_delete(s.doc, &s.tree.rows[8]));
	/* A rule more matches nothing yet. */
	assert_non_null(pol_add(s.doc, &s.tree.rows[4]));
	judge(&s, "pools.pool: the pool is empty");
	assert_true(pol_rename(s.doc, "us", "america"));
	assert_false(pol_rename(s.doc, "eu", "america"));
	assert_false(pol_rename(s.doc, "eu", "a b"));
	assert_true(pol_rename(s.doc, "sorry", "regret"));
	pol_rows(&s.tree, s.doc);
	assert_string_equal(pol_pool_of(s.tree.rows[3].node), "america");
	forget(&s);
}

static void
every_turn_can_be_taken_back(void **state)
{
	struct seen s = look(GEO);
	json_t *was = pol_copy(s.doc), *root = json_object_get(s.doc, "root"),
	       *from = pol_copy(root);

	(void)state;
	for (unsigned use = 0; use < POL_USES; use++) {
		pol_turn(s.doc, root, from, (enum pol_use)use);
		assert_int_equal(pol_use_of(root), use);
		pol_rows(&s.tree, s.doc);
	}
	assert_string_equal(pol_pool_of(root), "eu");
	pol_turn(s.doc, root, from, POL_GEO);
	assert_true(json_equal(s.doc, was));
	/* One pool into a failover of it, and the pools that nobody needs go. */
	pol_turn(s.doc, root,
	    json_object_get(json_array_get(json_object_get(from, "rules"), 1), "then"),
	    POL_FAILOVER);
	pol_prune(s.doc);
	assert_null(pol_pool(s.doc, "eu"));
	assert_non_null(pol_pool(s.doc, "sorry"));
	judge(&s, NULL);
	json_decref(from);
	json_decref(was);
	forget(&s);
}

static enum pol_state
state_of(void *arg, const char *check)
{
	return strstr(arg, check) != NULL ? POL_DOWN : POL_UP;
}

#define ONE_BY_WEIGHT                                                                       \
	"{\"serve\":\"one\",\"answers\":[{\"value\":\"a\",\"weight\":70,\"check\":\"c1\"}," \
	"{\"value\":\"b\",\"weight\":30,\"check\":\"c2\"},{\"value\":\"c\",\"weight\":0}]}"

static void
shares(void **state)
{
	static const struct {
		const char *pool, *down;
		int share[3];
	} rows[] = {
		{ ONE_BY_WEIGHT, "", { 70, 30, 0 } },
		{ ONE_BY_WEIGHT, "c1", { 0, 100, 0 } },
		{ ONE_BY_WEIGHT, "c1 c2", { 0, 0, 100 } },
		{ "{\"answers\":[{\"value\":\"a\"},{\"value\":\"b\",\"drain\":true},{\"value\":"
		  "\"c\"}]}",
		    "", { 100, 0, 100 } },
		{ "{\"serve\":1,\"answers\":[{\"value\":\"a\"},{\"value\":\"b\"},{\"value\":\"c\"}]"
		  "}",
		    "", { 33, 33, 33 } },
		{ "{\"min_healthy\":\"67%\",\"answers\":[{\"value\":\"a\",\"check\":\"c1\"},{"
		  "\"value\":\"b\"},{\"value\":\"c\"}]}",
		    "c1", { 100, 100, 100 } },
		{ "{\"min_healthy\":3,\"when_down\":\"closed\",\"answers\":[{\"value\":\"a\","
		  "\"check\":\"c1\"},{\"value\":\"b\"},{\"value\":\"c\"}]}",
		    "c1", { 0, 0, 0 } },
		{ "{\"min_healthy\":3,\"when_down\":\"last\",\"answers\":[{\"value\":\"a\","
		  "\"check\":\"c1\"},{\"value\":\"b\"},{\"value\":\"c\"}]}",
		    "c1", { -1, -1, -1 } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct pol_health h = { .state = state_of, .arg = (void *)(uintptr_t)rows[i].down };
		json_t *pool = json_loads(rows[i].pool, 0, NULL),
		       *list = json_object_get(pool, "answers");

		for (size_t a = 0; a < json_array_size(list); a++)
			assert_int_equal(
			    pol_share(&h, pool, json_array_get(list, a)), rows[i].share[a]);
		json_decref(pool);
	}
}

static void
effects(void **state)
{
	static const struct {
		size_t row, n;
		const char *down, *say[5];
	} rows[] = {
		{ 2, 4, "",
		    { "Now: EU,GB gets pool eu: 192.0.2.20 70%, 192.0.2.30 30%",
			"If eu-1 fails: EU,GB gets pool eu: 192.0.2.30",
			"If eu-2 fails: EU,GB gets pool eu: 192.0.2.20",
			"If all of eu fail: EU,GB gets pool us: 198.51.100.1" } },
		/* Not reached now; when its check fails it does not matter. */
		{ 3, 2, "",
		    { "Now: EU,GB gets pool eu: 192.0.2.20 70%, 192.0.2.30 30%",
			"If us-1 fails: EU,GB gets pool eu: 192.0.2.20 70%, 192.0.2.30 30%" } },
		{ 4, 2, "",
		    { "Now: AS64500 gets pool us: 198.51.100.1",
			"If us-1 fails: AS64500 gets pool eu: 192.0.2.20 70%, 192.0.2.30 30%" } },
		{ 7, 2, "",
		    { "Now: whoever is left gets pool us: 198.51.100.1",
			"If us-1 fails: whoever is left gets pool eu: 192.0.2.20 70%, 192.0.2.30 "
			"30%" } },
		{ 1, 1, "eu-1 eu-2 us-1",
		    { "Now: EU,GB gets pool eu, open: all of 192.0.2.20 70%, 192.0.2.30 30%" } },
		{ 8, 0, "", { NULL } },
	};
	char out[POL_EFFECTS + 2][POL_EFFECT];
	struct seen s = look(GEO);
	struct pol_sum sum;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct pol_health h = { .state = state_of, .arg = (void *)(uintptr_t)rows[i].down };

		assert_int_equal(pol_effects(&h, s.doc, &s.tree, rows[i].row, out), rows[i].n);
		for (size_t k = 0; k < rows[i].n; k++)
			assert_string_equal(out[k], rows[i].say[k]);
	}
	pol_sum(&(struct pol_health){ .state = state_of, .arg = (void *)(uintptr_t) "us-1" }, s.doc,
	    &sum);
	assert_int_equal(sum.answers, 4);
	assert_int_equal(sum.up, 3);
	assert_int_equal(sum.checks, 3);
	assert_true(sum.down);
	forget(&s);
}

static void
differences(void **state)
{
	static const struct {
		const char *from, *to, *say;
	} rows[] = {
		{ "\"weight\":70", "\"weight\":90", "pool eu: 192.0.2.20 weight 70 -> 90" },
		{ "\"ttl\":30", "\"ttl\":60", "ttl 30 -> 60" },
		{ "{\"value\":\"192.0.2.20\",\"weight\":70,\"check\":\"eu-1\"},", "",
		    "pool eu: -192.0.2.20" },
		{ "\"check\":\"us-1\"", "\"drain\":true",
		    "pool us: 198.51.100.1 check us-1 -> -; pool us: 198.51.100.1 drain off -> "
		    "on" },
		{ "\"serve\":\"one\"", "\"serve\":2", "pool eu: serve one -> 2" },
		{ "\"use\":\"weighted\"", "\"use\":\"weighted\",\"sticky\":\"network\"",
		    "geo(EU,GB: failover(eu, us), AS64500: us, default: weighted(3 eu, 1 us)), "
		    "otherwise set" },
		{ "\"match\":[\"asn:64500\"]", "\"match\":[\"country:DE\"]",
		    "geo(EU,GB: failover(eu, us), AS64500: us, default: weighted(3 eu, 1 us)) -> "
		    "geo(EU,GB: failover(eu, us), DE: us, default: weighted(3 eu, 1 us))" },
	};
	char type[16], text[2048], out[512];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const char *at = strstr(GEO, rows[i].from);
		json_t *was = pol_parse(GEO, type), *now;

		assert_non_null(at);
		snprintf(text, sizeof text, "%.*s%s%s", (int)(at - GEO), GEO, rows[i].to,
		    at + strlen(rows[i].from));
		now = pol_parse(text, type);
		assert_non_null(now);
		pol_diff(was, now, out, sizeof out);
		assert_string_equal(out, rows[i].say);
		pol_diff(was, now, out, 10);
		json_decref(was);
		json_decref(now);
	}
}

static void
test_all(void **state)
{
	static const struct {
		const char *text, *say;
	} rows[] = {
		{ "A "
		  "{\"root\":{\"pool\":\"main\"},\"pools\":{\"main\":{\"serve\":\"one\","
		  "\"answers\":["
		  "{\"value\":\"192.0.2.20\",\"weight\":70,\"check\":\"web-1\"},{\"value\":\"192.0."
		  "2.30\",\"weight\":30}]}}}",
		    "pool main: 192.0.2.20 (70, web-1), 192.0.2.30 (30)" },
		{ "A "
		  "{\"root\":{\"use\":\"failover\",\"order\":[{\"pool\":\"a\"},{\"pool\":\"b\"}]},"
		  "\"pools\":{\"a\":{\"answers\":[{\"value\":\"192.0.2.1\"}]},\"b\":{\"answers\":[]"
		  "}}}",
		    "failover(a, b); pool a: 192.0.2.1 (1); pool b: " },
	};
	char type[16], out[512];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		json_t *doc = pol_parse(rows[i].text, type);

		assert_non_null(doc);
		pol_all(doc, out, sizeof out);
		assert_string_equal(out, rows[i].say);
		pol_all(doc, out, 12);
		json_decref(doc);
	}
}

/* Whatever JSON it is: nothing crashes, and what is no policy has no rows. */
static void
strange_documents(void **state)
{
	static const char *const rows[] = { "A {}", "A []", "A {\"root\":5}", "A {\"root\":{}}",
		"A {\"root\":{\"use\":\"geo\"}}",
		"A "
		"{\"root\":{\"use\":\"geo\",\"rules\":[5,{\"match\":5,\"then\":null}],\"default\":"
		"7},\"pools\":[]}",
		"A {\"root\":{\"use\":\"failover\",\"order\":{}},\"pools\":{\"a\":5}}",
		"A "
		"{\"root\":{\"pool\":\"x\"},\"pools\":{\"x\":{\"answers\":[1,{\"value\":2,"
		"\"weight\":\"a\",\"check\":4}],\"when_down\":{\"pool\":\"x\"},\"min_healthy\":\"%"
		"\"}}}" };
	char out[POL_EFFECTS + 2][POL_EFFECT], text[64];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct seen s = look(rows[i]);
		struct pol_sum sum;

		pol_words(s.doc, text, sizeof text);
		pol_sum(&(struct pol_health){ 0 }, s.doc, &sum);
		for (size_t r = 0; r < s.tree.n; r++) {
			(void)pol_effects(&(struct pol_health){ 0 }, s.doc, &s.tree, r, out);
			pol_describe(s.doc, s.tree.rows[r].node, text, sizeof text);
		}
		if (s.tree.n > 0)
			(void)pol_add(s.doc, &s.tree.rows[s.tree.n - 1]);
		pol_prune(s.doc);
		forget(&s);
	}
	assert_null(pol_parse("A", text));
	assert_null(pol_parse("A {", text));
	assert_null(pol_parse("", text));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all),
		cmocka_unit_test(rows_and_words),
		cmocka_unit_test(changes_are_what_the_appliance_reads),
		cmocka_unit_test(every_turn_can_be_taken_back),
		cmocka_unit_test(shares),
		cmocka_unit_test(effects),
		cmocka_unit_test(differences),
		cmocka_unit_test(strange_documents),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
