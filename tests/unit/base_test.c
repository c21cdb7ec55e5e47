/* base_test - the shared basics: readers and writers, back-off, hash, texts, clock, log, errors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ipc/base/backoff.h"
#include "ipc/base/clock.h"
#include "ipc/base/err.h"
#include "ipc/base/hash.h"
#include "ipc/base/log.h"
#include "ipc/base/rbuf.h"
#include "ipc/base/source.h"
#include "ipc/base/text.h"
#include "ipc/base/wbuf.h"
#include "ipc/base/xalloc.h"

/* ---- rbuf, wbuf ---- */
static void
test_rbuf_reads_and_sticks(void **state)
{
	static const uint8_t bytes[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 };
	struct rbuf r = rbuf_init(bytes, sizeof bytes);

	(void)state;
	assert_int_equal(rbuf_u8(&r), 1);
	assert_int_equal(rbuf_u16(&r), 0x0203);
	assert_int_equal(rbuf_u32(&r), 0x04050607);
	assert_int_equal(rbuf_left(&r), 8);
	assert_int_equal(rbuf_u64(&r), UINT64_C(0x08090a0b0c0d0e0f));
	assert_true(rbuf_end(&r));
	assert_int_equal(rbuf_u8(&r), 0);
	assert_false(rbuf_ok(&r));
	assert_false(rbuf_end(&r));
	assert_int_equal(rbuf_left(&r), 0);

	/* Bad stays bad, also for what would fit. */
	r = rbuf_init(bytes, 3);
	assert_int_equal(rbuf_u32(&r), 0);
	assert_int_equal(rbuf_u8(&r), 0);
	assert_int_equal(r.pos, 0);
	r = rbuf_init(bytes, 6);
	assert_int_equal(rbuf_u64(&r), UINT64_C(0x01020304) << 32);
	assert_false(rbuf_ok(&r));
}

static void
test_rbuf_sub(void **state)
{
	static const uint8_t bytes[] = { 1, 2, 3, 4 };
	struct rbuf r = rbuf_init(bytes, sizeof bytes), sub = rbuf_sub(&r, 3);

	(void)state;
	assert_int_equal(rbuf_u16(&sub), 0x0102);
	assert_int_equal(rbuf_u16(&sub), 0);
	assert_false(rbuf_ok(&sub));
	assert_true(rbuf_ok(&r));
	assert_int_equal(rbuf_u8(&r), 4);
	sub = rbuf_sub(&r, 0);
	assert_true(rbuf_end(&sub));
	sub = rbuf_sub(&r, SIZE_MAX);
	assert_false(rbuf_ok(&sub));
	assert_false(rbuf_ok(&r));
}

static void
test_wbuf_fixed(void **state)
{
	uint8_t mem[8] = { 0 };
	struct wbuf w = wbuf_init(mem, 7);

	(void)state;
	wbuf_u8(&w, 1);
	wbuf_u16(&w, 0x0203);
	wbuf_u32(&w, 0x04050607);
	assert_true(wbuf_ok(&w));
	assert_memory_equal(mem, "\1\2\3\4\5\6\7", 8);
	wbuf_put(&w, "", 0);
	assert_true(wbuf_ok(&w));
	wbuf_u8(&w, 8);
	assert_false(wbuf_ok(&w));
	assert_int_equal(w.len, 7);
	assert_int_equal(mem[7], 0);
	assert_int_equal(get_u32(mem + 3), 0x04050607);
	assert_int_equal(get_u16(mem + 1), 0x0203);
}

static void
test_wbuf_grows_to_its_limit(void **state)
{
	struct wbuf w = wbuf_grow(1000);

	(void)state;
	for (unsigned i = 0; i < 125; i++)
		wbuf_u64(&w, i);
	assert_true(wbuf_ok(&w));
	assert_int_equal(w.len, 1000);
	assert_int_equal(get_u32(w.base + 996), 124);
	wbuf_u8(&w, 1);
	assert_false(wbuf_ok(&w));
	assert_int_equal(w.len, 1000);
	wbuf_free(&w);
	assert_null(w.base);
	assert_true(wbuf_ok(&w));
	assert_null(wbuf_room(&w, SIZE_MAX));
	wbuf_free(&w);
}

/* ---- back-off ---- */
static void
test_backoff_doubles_to_its_cap(void **state)
{
	static const uint32_t waits[] = { 0, 100, 200, 400, 800, 1000, 1000, 1000 };
	struct backoff b;
	uint64_t now = 5000;

	(void)state;
	backoff_init(&b, 100, 1000, 10000);
	assert_int_equal(backoff_wait(&b, now), 0);
	for (size_t i = 0; i < sizeof waits / sizeof waits[0]; i++) {
		assert_int_equal(backoff_failed(&b, now, 0), waits[i]);
		assert_int_equal(backoff_wait(&b, now), waits[i]);
		assert_int_equal(backoff_wait(&b, now + waits[i]), 0);
		if (waits[i] > 0)
			assert_int_equal(backoff_wait(&b, now + waits[i] - 1), 1);
		now += waits[i];
	}
	b.failures = UINT32_MAX;
	assert_int_equal(backoff_failed(&b, now, 0), 1000);
	assert_int_equal(b.failures, UINT32_MAX);
}

static void
test_backoff_forgets_after_health(void **state)
{
	struct backoff b;

	(void)state;
	backoff_init(&b, 100, 1000, 10000);
	for (int i = 0; i < 5; i++)
		backoff_failed(&b, 0, 0);
	backoff_up(&b, 1000);
	assert_int_equal(backoff_failed(&b, 10999, 0), 1000); /* 1 ms too early */
	backoff_up(&b, 20000);
	assert_int_equal(backoff_failed(&b, 30000, 0), 0);
	assert_int_equal(backoff_failed(&b, 90000, 0), 100); /* it was not up in between */
	/* A clock that steps back is not health. */
	backoff_up(&b, 100000);
	assert_int_equal(backoff_failed(&b, 50, 0), 200);
	assert_true(backoff_wait(&b, 0) <= 1000);
}

static void
test_backoff_jitter_is_bounded(void **state)
{
	(void)state;
	for (uint32_t random = 0; random < 5000; random += 7) {
		struct backoff b;
		uint32_t wait;

		backoff_init(&b, 100, 1000, 10000);
		backoff_failed(&b, 0, random);
		wait = backoff_failed(&b, 0, random * 2654435761u);
		assert_in_range(wait, 50, 100);
	}
}

/* ---- hash ---- */

/* The first and some later vectors of the authors' vectors.h: key 00…0f, input 00 01 02 …. */
static void
test_siphash_vectors(void **state)
{
	static const struct {
		size_t len;
		uint64_t hash;
	} vectors[] = {
		{ 0, UINT64_C(0x726fdb47dd0e0e31) },
		{ 1, UINT64_C(0x74f839c593dc67fd) },
		{ 2, UINT64_C(0x0d6c8009d9a94f5a) },
		{ 7, UINT64_C(0xab0200f58b01d137) },
		{ 8, UINT64_C(0x93f5f5799a932462) },
		{ 15, UINT64_C(0xa129ca6149be45e5) }, /* the example of the paper */
		{ 63, UINT64_C(0x958a324ceb064572) },
	};
	uint8_t key[16], input[64];

	(void)state;
	for (uint8_t i = 0; i < 64; i++)
		input[i] = i;
	memcpy(key, input, sizeof key);
	for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++)
		assert_int_equal(hash_sip24(key, input, vectors[i].len), vectors[i].hash);
}

/* ---- text ---- */
static void
test_text(void **state)
{
	static const struct {
		const char *text, *scrubbed; /* NULL: clean */
	} cases[] = {
		{ "", NULL },
		{ "plain ~", NULL },
		{ "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", NULL },
		{ "\xc2\xa0", NULL },
		{ "\xf4\x8f\xbf\xbf", NULL },
		{ "a\nb", "a?b" },
		{ "\x1b[31m", "?[31m" },
		{ "\x7f", "?" },
		{ "\xc2\x80", "??" }, /* C1 */
		{ "\xc2\x9b", "??" }, /* C1: CSI */
		{ "\xc0\xaf", "??" }, /* overlong */
		{ "\xe0\x80\xaf", "???" },
		{ "\xed\xa0\x80", "???" }, /* surrogate */
		{ "\xf4\x90\x80\x80", "????" }, /* beyond U+10FFFF */
		{ "\xff", "?" },
		{ "x\xe2\x82", "x??" }, /* cut off */
		{ "\x80z", "?z" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char *copy = xstrdup(cases[i].text);
		bool clean = text_is_clean(copy, strlen(copy));

		if (clean != (cases[i].scrubbed == NULL))
			fail_msg("case %zu", i);
		text_scrub(copy);
		assert_string_equal(copy, clean ? cases[i].text : cases[i].scrubbed);
		assert_true(text_is_clean(copy, strlen(copy)));
		free(copy);
	}
	assert_false(text_is_clean("a\0b", 3));
}

static void
test_text_that_must_fit(void **state)
{
	char cut[4] = "old", whole[4] = "old";

	(void)state;
	text_copy(cut, sizeof cut, "a\xc3\xa4\xc3\xa4");
	assert_string_equal(cut, "a\xc3\xa4"); /* between two characters */
	assert_false(text_take(whole, sizeof whole, "four"));
	assert_string_equal(whole, "old");
	assert_true(text_take(whole, sizeof whole, "new"));
	assert_string_equal(whole, "new");
}

/* ---- errors ---- */
static void
test_errors(void **state)
{
	struct ns_why why = { .line = 17, .zone = "example.org." };
	char longer[1000];

	(void)state;
	for (unsigned e = 0; e < NS_ERR_MAX; e++)
		assert_true(ns_err_text((enum ns_err)e)[0] != '\0');
	assert_int_equal(ns_err_exit(NS_OK), 0);
	assert_int_equal(ns_err_exit(NS_UNKNOWN), 8);
	assert_int_equal(ns_err_exit(NS_LATE), 11);
	assert_int_equal(ns_err_exit((enum ns_err)4711), 1);
	assert_string_equal(ns_err_text((enum ns_err)4711), ns_err_text(NS_FAILED));

	assert_int_equal(ns_fail(&why, NS_INVALID, 1102, "octet %d", 4), NS_INVALID);
	assert_int_equal(why.err, NS_INVALID);
	assert_int_equal(why.code, 1102);
	assert_string_equal(why.text, "octet 4");
	assert_int_equal(why.line, 17); /* the place is kept */
	assert_string_equal(why.zone, "example.org.");
	ns_fail(&why, NS_INVALID, 1102, "%s: %s", why.zone, why.text);
	assert_string_equal(why.text, "example.org.: octet 4");
	assert_int_equal(ns_fail(NULL, NS_DENIED, 1, "x"), NS_DENIED);

	/* Cut in the middle of a character it is still text. */
	memset(longer, 'x', sizeof longer);
	memcpy(longer + sizeof why.text - 2, "\xc3\xa4", 2);
	longer[sizeof longer - 1] = '\0';
	ns_fail(&why, NS_INVALID, 1, "%s", longer);
	assert_int_equal(strlen(why.text), sizeof why.text - 1);
	assert_true(text_is_clean(why.text, strlen(why.text)));
}

/* ---- clock ---- */
static void
test_rfc3339(void **state)
{
	static const struct {
		int64_t ms;
		const char *text;
	} cases[] = {
		{ 0, "1970-01-01T00:00:00.000Z" },
		{ -1, "1969-12-31T23:59:59.999Z" },
		{ 951782400000, "2000-02-29T00:00:00.000Z" },
		{ 1795327200123, "2026-11-22T06:00:00.123Z" },
		{ 4107542399999, "2100-02-28T23:59:59.999Z" },
		{ 4107542400000, "2100-03-01T00:00:00.000Z" },
		{ INT64_MAX, "9999-12-31T23:59:59.999Z" },
		{ INT64_MIN, "0000-01-01T00:00:00.000Z" },
	};
	char out[CLOCK_RFC3339_LEN];
	uint64_t before = clock_mono_ms();

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		assert_string_equal(clock_rfc3339(cases[i].ms, out), cases[i].text);
	assert_true(clock_mono_ms() >= before);
	assert_true(clock_wall_ms() > 1700000000000);
	assert_int_equal(clock_since(5, 3), 2);
	assert_int_equal(clock_since(3, 5), 0); /* not the age of the universe */
}

/* ---- log ---- */
static void
test_log_quote(void **state)
{
	static const struct {
		const char *text, *quoted;
	} cases[] = {
		{ NULL, "\"\"" },
		{ "", "\"\"" },
		{ "www.example.org.", "www.example.org." },
		{ "two words", "\"two words\"" },
		{ "a\"b\\c", "\"a\\\"b\\\\c\"" },
		{ "x\nlevel=error", "\"x\\nlevel=error\"" },
		{ "\x1b[31m\xc3\xa4", "\"\\x1b[31m\\xc3\\xa4\"" },
		{ "a=b", "\"a=b\"" },
	};
	char longer[300];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		assert_string_equal(log_quote(cases[i].text), cases[i].quoted);
	/* Plain or not, of any length: never beyond its buffer. */
	for (size_t len = 1; len < sizeof longer; len++) {
		for (int c = 0; c < 2; c++) {
			const char *q;

			memset(longer, c ? 'a' : '\n', len);
			longer[len] = '\0';
			q = log_quote(longer);
			assert_true(strlen(q) < 256);
			if (strlen(q) < len)
				assert_string_equal(q + strlen(q) - 4, "...\"");
		}
	}
}

/* What a child writes to stderr while fn runs; its exit status too. */
static int
captured(void (*fn)(void), char *out, size_t size)
{
	int fds[2], status;
	ssize_t n;
	size_t len = 0;
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		dup2(fds[1], STDERR_FILENO);
		close(fds[0]);
		close(fds[1]);
		fn();
		_exit(0);
	}
	close(fds[1]);
	while (len < size - 1 && (n = read(fds[0], out + len, size - 1 - len)) > 0)
		len += (size_t)n;
	out[len] = '\0';
	close(fds[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void
log_two_lines(void)
{
	log_init("worker", 3, LOG_LEVEL_INFO);
	log_info("test.one", "name=%s raw=%s", log_quote("a b"), "x\ny");
	log_debug("test.hidden", "a=%d", 1);
	log_error("test.two", "a=%d", 2);
}

static void
log_long_line(void)
{
	char longer[4000];

	memset(longer, 'x', sizeof longer);
	longer[sizeof longer - 1] = '\0';
	log_info("test.long", "a=%s", longer);
}

static void
log_to_journal(void)
{
	char stream[64];
	struct stat st;

	fstat(STDERR_FILENO, &st);
	snprintf(stream, sizeof stream, "%llu:%llu", (unsigned long long)st.st_dev,
	    (unsigned long long)st.st_ino);
	setenv("JOURNAL_STREAM", stream, 1);
	log_init("sync", 0, LOG_LEVEL_INFO);
	log_warn("test.journal", "a=%d", 1);
	fatal_config("config.bad", "line=%d", 3);
}

static void
log_with_a_limit(void)
{
	struct log_limit limit = { 0 };
	unsigned lines = 0;

	log_init("test", 0, LOG_LEVEL_INFO);
	while (clock_mono_ms() % 1000 > 500) /* not across the border of a second */
		usleep(1000);
	for (int i = 0; i < 10; i++)
		if (log_allowed(&limit, 2)) {
			log_info("test.limited", "i=%d", i);
			lines++;
		}
	if (lines != 2)
		_exit(3);
	limit.second--;
	if (log_allowed(&limit, 2))
		log_info("test.after", "a=%d", 1);
	log_info("test.last", "a=%d", 1);
}

static void
log_seldom_said(void)
{
	struct log_limit limit = { 0 };

	log_init("test", 0, LOG_LEVEL_INFO);
	for (int i = 0; i < 4; i++) {
		if (log_seldom(&limit, 60))
			log_info("test.seldom", "i=%d", i);
		if (i == 2)
			limit.second -= 60;
	}
}

static void
test_log_lines(void **state)
{
	char out[8192];

	(void)state;
	assert_int_equal(captured(log_two_lines, out, sizeof out), 0);
	assert_non_null(
	    strstr(out, "Z level=info role=worker index=3 event=test.one name=\"a b\" raw=x?y\n"));
	assert_non_null(strstr(out, "level=error role=worker index=3 event=test.two a=2\n"));
	assert_null(strstr(out, "hidden"));

	assert_int_equal(captured(log_long_line, out, sizeof out), 0);
	assert_true(strlen(out) <= 2048);
	assert_int_equal(out[strlen(out) - 1], '\n');

	assert_int_equal(captured(log_to_journal, out, sizeof out), 2);
	assert_string_equal(out, "<4>level=warn role=sync event=test.journal a=1\n"
				 "<3>level=error role=sync event=config.bad line=3\n");

	assert_int_equal(captured(log_with_a_limit, out, sizeof out), 0);
	assert_non_null(strstr(out, "event=test.after held=8 a=1\n"));
	assert_non_null(strstr(out, "event=test.last a=1\n"));

	assert_int_equal(captured(log_seldom_said, out, sizeof out), 0);
	assert_non_null(strstr(out, "event=test.seldom i=0\n"));
	assert_null(strstr(out, "i=1\n"));
	assert_null(strstr(out, "i=2\n"));
	assert_non_null(strstr(out, "event=test.seldom held=2 i=3\n"));
}

/* ---- allocation ---- */
static void
overflow(void)
{
	free(xreallocarray(NULL, SIZE_MAX / 2, 3));
}

static void
test_xalloc(void **state)
{
	char out[1024], *s = xasprintf("%s-%d", "a", 7);
	void *p = xcalloc(0, 8);

	(void)state;
	assert_string_equal(s, "a-7");
	free(s);
	assert_non_null(p);
	free(p);
	p = xmemdup("abc", 3);
	assert_memory_equal(p, "abc", 3);
	p = xreallocarray(p, 4, 100);
	assert_memory_equal(p, "abc", 3);
	free(p);
	assert_int_equal(captured(overflow, out, sizeof out), 1);
	assert_non_null(strstr(out, "event=memory.overflow"));
}

/* ---- source ---- */
static void
test_source_is_an_address_or_nothing(void **state)
{
	static const struct {
		const char *said, *session, *taken, *cut;
	} rows[] = {
		{ "", "", "", "" },
		{ "local", "", "local", "local" },
		{ "192.0.2.77", "192.0.2.77", "192.0.2.77", "192.0.2.0/24" },
		{ "192.0.2.7 50312 192.0.2.1 22", "192.0.2.7", "", "" },
		{ "2001:DB8:1:2:0:0:0:9", "2001:db8:1:2::9", "2001:db8:1:2::9", "2001:db8:1::/48" },
		{ "fe80::1%eth0 50312 fe80::2%eth0 22", "fe80::1", "", "" },
		{ "::ffff:192.0.2.7", "::ffff:192.0.2.7", "::ffff:192.0.2.7", "::/48" },
		{ "UNKNOWN 65535 UNKNOWN 65535", "", "", "" },
		{ " 192.0.2.7", "", "", "" },
		{ "192.0.2.7\n", "", "", "" },
		{ "192.0.2.0/24", "", "", "" },
		{ "192.0.2.999", "", "", "" },
		{ "192.0.2", "", "", "" },
		{ "LOCAL", "", "", "" },
		{ "\033[2J", "", "", "" },
		{ "0000:0000:0000:0000:0000:0000:0000:0000:0000:0001", "", "", "" },
	};
	char out[SOURCE_LEN];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		assert_true(source_read(rows[i].said, out) == (rows[i].session[0] != '\0'));
		assert_string_equal(out, rows[i].session);
		source_take(rows[i].said, out);
		assert_string_equal(out, rows[i].taken);
		source_cut(out, out);
		assert_string_equal(out, rows[i].cut);
	}
	setenv("SSH_CONNECTION", rows[3].said, 1);
	source_session(out);
	assert_string_equal(out, rows[3].session);
	unsetenv("SSH_CONNECTION");
	source_session(out);
	assert_string_equal(out, "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text_that_must_fit),
		cmocka_unit_test(test_rbuf_reads_and_sticks),
		cmocka_unit_test(test_rbuf_sub),
		cmocka_unit_test(test_wbuf_fixed),
		cmocka_unit_test(test_wbuf_grows_to_its_limit),
		cmocka_unit_test(test_backoff_doubles_to_its_cap),
		cmocka_unit_test(test_backoff_forgets_after_health),
		cmocka_unit_test(test_backoff_jitter_is_bounded),
		cmocka_unit_test(test_siphash_vectors),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_rfc3339),
		cmocka_unit_test(test_log_quote),
		cmocka_unit_test(test_log_lines),
		cmocka_unit_test(test_xalloc),
		cmocka_unit_test(test_source_is_an_address_or_nothing),
	};

	return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
