/* store_object_test - users, accounts and the like: kept by kind and name, numbers never given twice. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "tests/lib/store_kit.h"

static struct store_object
put(struct kit_store *f, const char *kind, const char *name, uint64_t id, const char *body)
{
	struct store_object o = { .id = id, .version = 7 };

	snprintf(o.kind, sizeof o.kind, "%s", kind);
	snprintf(o.name, sizeof o.name, "%s", name);
	OK(store_object_put(f->s, &o, body, strlen(body), NULL));
	return o;
}

static bool
add_name(void *arg, const struct store_object *o, const void *body, size_t len)
{
	char *text = arg;

	snprintf(text + strlen(text), 256 - strlen(text), "%s/%s=%.*s ", o->kind, o->name, (int)len,
	    (const char *)body);
	return strcmp(o->name, "stop") != 0;
}

static void
test_put_get_drop(void **state)
{
	struct kit_store *f = *state;
	struct store_object a, b, got;
	struct wbuf body = wbuf_grow(1024);
	struct ns_why why = { 0 };

	OK(store_begin(f->s, NULL));
	a = put(f, "user", "alice", 0, "one");
	b = put(f, "account", "alice", 0, "other");
	assert_int_not_equal(a.id, b.id);
	assert_int_equal(put(f, "user", "alice", 0, "two").id, a.id);
	assert_int_equal(put(f, "user", "given", 900, "x").id, 900);
	OK(store_commit(f->s, NULL));
	kit_reopen(f);
	OK(store_object_get(f->s, "user", "alice", &got, &body));
	assert_int_equal(got.id, a.id);
	assert_int_equal(got.version, 7);
	assert_int_equal(body.len, 3);
	assert_memory_equal(body.base, "two", 3);
	wbuf_free(&body);
	assert_int_equal(store_object_get(f->s, "user", "nobody", &got, NULL), NS_NOTFOUND);

	OK(store_begin(f->s, NULL));
	got = (struct store_object){ .id = 3000, .kind = "user", .name = "alice" };
	assert_int_equal(store_object_put(f->s, &got, "y", 1, &why), NS_CORRUPT);
	store_rollback(f->s);
	OK(store_begin(f->s, NULL));
	OK(store_object_drop(f->s, "user", "given", NULL));
	assert_int_equal(store_object_drop(f->s, "user", "given", NULL), NS_NOTFOUND);
	assert_true(put(f, "user", "bob", 0, "z").id > 900);
	OK(store_commit(f->s, NULL));
}

static void
test_each(void **state)
{
	struct kit_store *f = *state;
	char text[256] = "";

	OK(store_begin(f->s, NULL));
	put(f, "user", "b", 0, "2");
	put(f, "user", "a", 0, "1");
	put(f, "check", "c", 0, "3");
	OK(store_commit(f->s, NULL));
	OK(store_object_each(f->s, NULL, add_name, text));
	assert_string_equal(text, "check/c=3 user/a=1 user/b=2 ");
	text[0] = '\0';
	OK(store_object_each(f->s, "user", add_name, text));
	assert_string_equal(text, "user/a=1 user/b=2 ");
	OK(store_begin(f->s, NULL));
	put(f, "user", "stop", 0, "");
	put(f, "user", "z", 0, "");
	OK(store_commit(f->s, NULL));
	text[0] = '\0';
	OK(store_object_each(f->s, "user", add_name, text));
	assert_string_equal(text, "user/a=1 user/b=2 user/stop= ");
}

static void
test_limits_and_damage(void **state)
{
	static uint8_t big[STORE_OBJECT_MAX + 1];
	struct kit_store *f = *state;
	struct store_object o = { .kind = "user", .name = "big" };
	struct ns_why why = { 0 };

	OK(store_begin(f->s, NULL));
	assert_int_equal(store_object_put(f->s, &o, big, sizeof big, &why), NS_INVALID);
	OK(store_object_put(f->s, &o, big, sizeof big - 1, NULL));
	OK(store_commit(f->s, NULL));
	kit_raw(f, "UPDATE object SET version = -1");
	assert_int_equal(store_object_get(f->s, "user", "big", &o, NULL), NS_CORRUPT);
	assert_int_equal(store_object_each(f->s, "user", add_name, NULL), NS_CORRUPT);
}

/* Whatever stands under its number or its name is in the way. */
static void
test_adopt(void **state)
{
	struct kit_store *f = *state;
	struct store_object o = { .id = 20, .version = 9, .kind = "user", .name = "bob" };
	char text[256] = "";

	OK(store_begin(f->s, NULL));
	put(f, "user", "bob", 10, "old");
	put(f, "check", "squatter", 20, "x");
	put(f, "check", "web", 30, "y");
	OK(store_object_adopt(f->s, &o, "new", 3, NULL));
	OK(store_object_adopt(f->s, &o, "new", 3, NULL));
	OK(store_commit(f->s, NULL));
	OK(store_object_each(f->s, NULL, add_name, text));
	assert_string_equal(text, "check/web=y user/bob=new ");
	OK(store_object_get(f->s, "user", "bob", &o, NULL));
	assert_int_equal(o.id, 20);
	assert_int_equal(o.version, 9);
}

static void
test_after(void **state)
{
	static const struct {
		const char *kind, *name, *text;
	} rows[] = {
		{ "", "", "account/a=1 check/b=2 check/c=3 user/a=4 " },
		{ "account", "a", "check/b=2 check/c=3 user/a=4 " },
		{ "check", "", "check/b=2 check/c=3 user/a=4 " },
		{ "check", "b", "check/c=3 user/a=4 " },
		{ "check", "z", "user/a=4 " },
		{ "user", "a", "" },
	};
	struct kit_store *f = *state;

	OK(store_begin(f->s, NULL));
	put(f, "user", "a", 0, "4");
	put(f, "check", "c", 0, "3");
	put(f, "check", "b", 0, "2");
	put(f, "account", "a", 0, "1");
	OK(store_commit(f->s, NULL));
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char text[256] = "";

		OK(store_object_after(f->s, rows[i].kind, rows[i].name, add_name, text));
		assert_string_equal(text, rows[i].text);
	}
}

#define T(name) cmocka_unit_test_setup_teardown(name, kit_set_up, kit_tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_put_get_drop),
		T(test_each),
		T(test_limits_and_damage),
		T(test_adopt),
		T(test_after),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
