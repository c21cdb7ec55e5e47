/* What outlives a session of the console: the memo and its file, the operator's own keys, the themes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "console/core/key.h"
#include "console/core/keymap.h"
#include "console/core/memo.h"
#include "console/core/theme.h"

static void
count(void *arg, const char *name, const char *value)
{
	char *out = arg;

	snprintf(out + strlen(out), 64 - strlen(out), "%s=%s ", name, value);
}

static void
each_of_them(void **state)
{
	struct memo *m = memo_new();
	char out[64] = "";

	(void)state;
	memo_each(m, count, out);
	assert_string_equal(out, "");
	memo_set(m, "lab", "ssh:alice@lab1");
	memo_set(m, "b", "ssh:b");
	memo_set(m, "lab", "ssh:lab2");
	memo_each(m, count, out);
	assert_string_equal(out, "lab=ssh:lab2 b=ssh:b ");
	memo_destroy(&m);
}

static void
kept_and_found(void **state)
{
	struct memo *m = memo_new(), *again = memo_new();
	char folder[] = "/tmp/ns-memo-XXXXXX", path[64], long_text[MEMO_VALUE + 2];
	struct ns_why why = { 0 };
	struct stat st;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/m", folder);
	assert_int_equal(memo_load(m, path, &why), NS_NOTFOUND);
	assert_false(memo_changed(m));
	memo_set(m, "Zones.filter", "shop \"ü\" ~x");
	memo_set(m, "theme", "default");
	memo_set(m, "theme", "");
	memset(long_text, 'x', sizeof long_text);
	long_text[sizeof long_text - 1] = '\0';
	memo_set(m, "long", long_text);
	memo_set(m, "control", "a\033b");
	assert_true(memo_changed(m));
	assert_int_equal(memo_save(m, path, &why), NS_OK);
	assert_false(memo_changed(m));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(memo_load(again, path, &why), NS_OK);
	assert_string_equal(memo_get(again, "Zones.filter"), "shop \"ü\" ~x");
	assert_null(memo_get(again, "theme"));
	assert_null(memo_get(again, "long"));
	assert_null(memo_get(again, "control"));
	assert_false(memo_changed(again));
	unlink(path);
	rmdir(folder);
	memo_destroy(&m);
	memo_destroy(&again);
}

static void
damaged_is_set_aside(void **state)
{
	static const char *const bad[] = { "", "{", "[]", "{\"schema\":\"ns.console/1\"}",
		"{\"schema\":\"ns.console/2\",\"values\":{}}",
		"{\"schema\":\"ns.console/1\",\"values\":{\"a\":1}}",
		"{\"schema\":\"ns.console/1\",\"values\":{\"a\":\"b\",\"x\":\"\\u001b[2J\"}}" };
	struct memo *m = memo_new();
	char folder[] = "/tmp/ns-memo-XXXXXX", path[64], aside[96];
	struct ns_why why = { 0 };

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/m", folder);
	snprintf(aside, sizeof aside, "%s.damaged", path);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		FILE *f = fopen(path, "w");

		fputs(bad[i], f);
		fclose(f);
		why = (struct ns_why){ 0 };
		assert_int_equal(memo_load(m, path, &why), NS_CORRUPT);
		assert_non_null(strstr(why.text, aside));
		assert_int_equal(access(aside, F_OK), 0);
		assert_int_equal(access(path, F_OK), -1);
		assert_null(memo_get(m, "a"));
	}
	unlink(aside);
	rmdir(folder);
	memo_destroy(&m);
}

static void
own_keys(void **state)
{
	static const struct {
		const char *text, *error; /* NULL: good */
	} rows[] = { { "", NULL }, { "# mine\n\nzones = 2 z\n", NULL }, { "overview=\n", NULL },
		{ "zones 2\n", "line 1: expected" },
		{ "\nnothing = x\n", "line 2: there is no action nothing" },
		{ "zones = 2\nzones = z\n", "line 2: zones is there twice" },
		{ "delete = Enter\n", "delete changes something" },
		{ "commit = C Space\n", "changes something" },
		{ "zones = j\n", "j means zones and down" }, { "quit =\n", "no key leaves" },
		{ "zones = Hyper-Z\n", "no key Hyper-Z" } };

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct ns_why why = { 0 };
		struct keymap *m = ns_actions_own_keys(rows[i].text, &why) == NS_OK
				       ? keymap_new(ns_actions, &why)
				       : NULL;

		if ((m != NULL) != (rows[i].error == NULL))
			fail_msg("%s: %s", rows[i].text, why.text);
		if (rows[i].error != NULL && strstr(why.text, rows[i].error) == NULL &&
		    strstr(why.text, "means down and zones") == NULL)
			fail_msg("%s: %s", rows[i].text, why.text);
		if (i == 1) {
			char key[16];

			assert_int_equal(keymap_find(m, CTX_GLOBAL, 'z')->id, ACT_ZONES);
			assert_string_equal(
			    keymap_key(ns_action_of(ACT_ZONES), CTX_GLOBAL, key), "2");
		}
		if (i == 2)
			assert_null(keymap_find(m, CTX_GLOBAL, '1'));
		keymap_destroy(&m);
	}
	assert_int_equal(ns_actions_own_keys("", NULL), NS_OK);
}

/* The keys that people press without a thought change nothing, on no screen. */
static void
no_careless_key_changes_anything(void **state)
{
	static const char keys[] =
	    "jkgGhl[]/?:.fr+-123456789yYHqQwonNvU*!p\r\033\t\x07\x0c\x15\x04";
	struct keymap *m = keymap_new(ns_actions, NULL);

	(void)state;
	for (unsigned c = 0; c < 32; c++)
		for (size_t i = 0; i + 1 < sizeof keys; i++) {
			const struct ns_action *a = keymap_find(m, 1u << c, (unsigned char)keys[i]);

			if (a != NULL && a->writes)
				fail_msg("%s changes something by %d", a->name, keys[i]);
		}
	keymap_destroy(&m);
}

static void
themes(void **state)
{
	static const enum ui_role apart[][2] = { { UI_OK, UI_CRIT }, { UI_OK, UI_WARN },
		{ UI_WARN, UI_CRIT }, { UI_ADDED, UI_REMOVED }, { UI_TEXT, UI_SELECT },
		{ UI_TAB, UI_TAB_ON } };

	(void)state;
	for (unsigned t = 0; t < UI_THEMES; t++) {
		assert_int_equal(theme_named(theme_name((enum ui_theme)t)), t);
		for (size_t i = 0; i < sizeof apart / sizeof *apart; i++) {
			struct look a = theme_look((enum ui_theme)t, apart[i][0]),
				    b = theme_look((enum ui_theme)t, apart[i][1]);

			assert_true(a.colour != b.colour || a.attributes != b.attributes);
		}
		for (unsigned r = 0; r < UI_ROLES; r++) {
			struct look l = theme_look((enum ui_theme)t, (enum ui_role)r);

			assert_in_range(
			    l.colour + 1, 0, THEME_COLOURS); /* neither black nor white */
			assert_true(l.colour != 0);
			if (t == UI_THEME_DEUTERANOPIA)
				assert_true(l.colour != 1 && l.colour != 2);
			if (t == UI_THEME_CONTRAST)
				assert_int_equal(l.attributes & THEME_DIM, 0);
			assert_int_equal(theme_look(UI_THEME_MONO, (enum ui_role)r).colour, -1);
		}
	}
	assert_int_equal(theme_named("solarized"), UI_THEMES);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(each_of_them),
		cmocka_unit_test(kept_and_found), cmocka_unit_test(damaged_is_set_aside),
		cmocka_unit_test(own_keys), cmocka_unit_test(no_careless_key_changes_anything),
		cmocka_unit_test(themes) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
