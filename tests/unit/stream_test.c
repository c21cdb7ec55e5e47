/* Messages on a byte stream, cut anywhere; and a line as the words of a command. */
// link: console/cli/words.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "console/cli/words.h"
#include "ipc/client/pipe.h"
#include "ipc/client/stream.h"
#include "ipc/sock.h"

static void
feed(struct stream *s, const void *data, size_t n)
{
	uint8_t *room = stream_space(s, n);

	if (n > 0)
		memcpy(room, data, n);
	stream_grew(s, n);
}

/* However it is cut, the same messages come out. */
static void
cut_anywhere(void **state)
{
	struct stream whole = { 0 };
	const uint8_t *at;
	size_t n;

	(void)state;
	feed(&whole, STREAM_GREETING, STREAM_GREETING_LEN);
	stream_put(&whole, "one", 3);
	stream_put(&whole, "three", 5);
	for (size_t cut = 0; cut <= whole.len; cut++) {
		struct stream s = { 0 };
		unsigned got = 0;

		for (int half = 0; half < 2; half++) {
			feed(&s, whole.base + (half ? cut : 0), half ? whole.len - cut : cut);
			while (stream_next(&s, &at, &n) == STREAM_MESSAGE) {
				assert_memory_equal(at, got == 0 ? "one" : "three", n);
				assert_int_equal(n, got++ == 0 ? 3 : 5);
				stream_eat(&s, n + 4);
			}
		}
		assert_int_equal(got, 2);
		assert_int_equal(stream_left(&s), 0);
		stream_free(&s);
	}
	stream_free(&whole);
}

static void
what_is_no_stream(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		bool greeted;
	} bad[] = { { "Welcome to lab", 14, false }, { "Nope", 2, false }, { "\0\0\0\0", 4, true },
		{ "\xff\xff\xff\xff", 4, true }, { "\x00\x10\x00\x01", 4, true } };
	const uint8_t *at;
	size_t n;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct stream s = { .greeted = bad[i].greeted };

		feed(&s, bad[i].bytes, bad[i].len);
		assert_int_equal(stream_next(&s, &at, &n), STREAM_BROKEN);
		stream_free(&s);
	}
	struct stream s = { .greeted = true };
	feed(&s, "\x00\x10\x00\x00", 4); /* the longest there is: waited for */
	assert_int_equal(stream_next(&s, &at, &n), STREAM_NONE);
	stream_free(&s);
}

static void
destinations(void **state)
{
	static const struct {
		const char *address;
		bool good;
	} rows[] = { { "ssh:lab", true }, { "ssh:alice@lab1.example", true },
		{ "ssh://alice@[::1]:2222", true }, { "ssh:", false }, { "ssh://", false },
		{ "ssh:-oProxyCommand=id", false }, { "ssh:alice@-oX", false },
		{ "ssh://-oX", false }, { "ssh://alice@-oX", false }, { "ssh:-F/tmp/x", false },
		{ "ssh:alice@lab -oX", false }, { "ssh:lab\n", false }, { "ssh:$(id)@lab", false },
		{ "ssh:`id`", false }, { "ssh:lab\t-oX", false }, { "ssh:a'b", false },
		{ "ssh:a b", false }, { "ssh:lab;id", false }, { "ssh:a/b", false } };

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		assert_true(pipe_is(rows[i].address));
		if ((pipe_check(rows[i].address, NULL) == NS_OK) != rows[i].good)
			fail_msg("%s", rows[i].address);
	}
	assert_false(pipe_is("/run/ssh:x"));
}

static void
words(void **state)
{
	static const struct {
		const char *line, *words[6]; /* none: refused */
	} rows[] = { { "", { NULL } }, { "  zone\tlist ", { "zone", "list" } },
		{ "a 'b c' \"d e\" f\\ g", { "a", "b c", "d e", "f g" } },
		{ "x'y'\"z\"", { "xyz" } }, { "'' \"\"", { "", "" } },
		{ "'a\\' \"\\\"\"", { "a\\", "\"" } },
		{ "*.x ~re !a (b) 'c;d' \"$e\"", { "*.x", "~re", "!a", "(b)", "c;d", "$e" } } };
	static const char *const bad[] = { "a;b", "a|b", "a&", "a>b", "<a", "$a", "`a`", "a\nb",
		"'a", "\"a", "a\\", "\"a\\" };
	const char *why;
	size_t n;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char **w = words_split(rows[i].line, &n, &why);

		assert_non_null(w);
		for (size_t k = 0; k < n; k++)
			assert_string_equal(w[k], rows[i].words[k]);
		assert_true(n == 6 || rows[i].words[n] == NULL);
		assert_null(w[n]);
		free(w);
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		why = NULL;
		assert_null(words_split(bad[i], &n, &why));
		assert_non_null(why);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(cut_anywhere),
		cmocka_unit_test(what_is_no_stream), cmocka_unit_test(destinations),
		cmocka_unit_test(words) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
