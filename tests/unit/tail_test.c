/* The tail: rows go through a worker's ring whole or not at all; the sampler shows what is wished and no more; the
 * book keeps numbers over lives and says what is missing; the filter's words mean what they say. */
// link: appliance/worker/sampler.c
// link: appliance/answer/tailfilter.c
// link: appliance/answer/tailbook.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>

#include "appliance/answer/tailbook.h"
#include "appliance/dns/name.h"
#include "appliance/worker/sampler.h"

#define SECOND 1000000000ull
#define NOW    (5000 * SECOND)

static struct worker_memory *memory;
static const struct worker_memory *one[1];
static struct tail_wish wish;
static struct tailbook book;
static uint8_t wire[32][64];

static int
setup(void **state)
{
	(void)state;
	memory = aligned_alloc(PAGE_OCTETS, WORKER_MEMORY);
	memset(memory, 0, WORKER_MEMORY);
	one[0] = memory;
	memset(&wish, 0, sizeof wish);
	memset(&book, 0, sizeof book);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	tailbook_close(&book);
	free(memory);
	return 0;
}

static struct tail_row
row_of(const char *name, const char *client, uint16_t type, uint8_t rcode)
{
	static const uint8_t root[] = { 0 };
	struct tail_row r = { .at_ns = NOW, .one_in = 1, .qtype = type, .rcode = rcode };
	struct ns_why why = { 0 };
	size_t len = 0;

	assert_int_equal(name_from_text(name, root, r.name, &len, &why), NS_OK);
	r.name_len = (uint8_t)len;
	if (inet_pton(AF_INET, client, r.address) == 1)
		r.family = 4;
	else if (inet_pton(AF_INET6, client, r.address) == 1)
		r.family = 6;
	return r;
}

/* ---- the ring ---- */
static void
a_row_comes_out_as_it_went_in(void **state)
{
	struct tail_row in = row_of("a.very.long.name.example.com.", "2001:db8::1", 28, 3), out;

	(void)state;
	in.us10 = 581;
	in.flags = TAIL_TCP | TAIL_TRUNCATED;
	in.zone_hash = 0xfeedfacecafebeef;
	in.one_in = 100;
	tail_put(&memory->tail, &in);
	assert_true(tail_get(&memory->tail, 0, &out));
	assert_memory_equal(out.name, in.name, in.name_len);
	assert_memory_equal(out.address, in.address, 16);
	assert_int_equal(out.us10, 581);
	assert_int_equal(out.qtype, 28);
	assert_int_equal(out.rcode, 3);
	assert_int_equal(out.flags, in.flags);
	assert_true(out.zone_hash == in.zone_hash && out.at_ns == NOW);
	assert_int_equal(out.one_in, 100);
	assert_int_equal(out.family, 6);
	assert_false(tail_get(&memory->tail, 1, &out));
}

static void
what_is_overwritten_or_half_written_is_no_row(void **state)
{
	struct tail_row r = row_of("x.example.", "192.0.2.1", 1, 0), out;

	(void)state;
	for (unsigned i = 0; i < TAIL_SLOTS + 1; i++)
		tail_put(&memory->tail, &r);
	assert_false(tail_get(&memory->tail, 0, &out));
	assert_true(tail_get(&memory->tail, 1, &out));
	atomic_fetch_add(&memory->tail.slots[1].turn, 1); /* a writer has begun */
	assert_false(tail_get(&memory->tail, 1, &out));
}

static void
nonsense_in_the_page_is_cut_to_what_can_be(void **state)
{
	struct tail_row out;

	(void)state;
	memset(&memory->tail.slots[0].words, 0xff, sizeof memory->tail.slots[0].words);
	atomic_store(&memory->tail.slots[0].turn, 2);
	assert_true(tail_get(&memory->tail, 0, &out));
	assert_int_equal(out.family, 0);
	assert_int_equal(out.one_in, 1);
	assert_int_equal(out.name_len, 255);
	struct tailfilter all = { 0 };
	assert_false(tailfilter_match(&all, &out)); /* 255 octets that are no name */
}

/* ---- the sampler ---- */
static struct query
query_of(unsigned i, const char *label)
{
	struct query q = { .pkt = wire[i], .verdict = SERVE_REPLY, .qtype = 1 };
	struct sockaddr_in *in = (struct sockaddr_in *)&q.client;
	size_t n = strlen(label);

	memset(wire[i], 0, sizeof wire[i]);
	wire[i][12] = (uint8_t)n;
	memcpy(wire[i] + 13, label, n);
	q.len = 12 + 1 + n + 1 + 4;
	in->sin_family = AF_INET;
	in->sin_addr.s_addr = htonl(0xc0000201);
	return q;
}

static uint64_t
shown(struct sampler *s, unsigned n, uint64_t now)
{
	struct query q[32];
	uint64_t before = atomic_load(&memory->tail.head);

	for (unsigned i = 0; i < n; i++)
		q[i] = query_of(i, "WwW");
	sampler_batch(s, q, n, now, 5000);
	return atomic_load(&memory->tail.head) - before;
}

static void
nobody_watches_nothing_is_shown(void **state)
{
	struct sampler s;

	(void)state;
	sampler_init(&s, NULL, &memory->tail, 1);
	assert_int_equal(shown(&s, 32, NOW), 0);
	sampler_init(&s, &wish, &memory->tail, 1);
	assert_int_equal(shown(&s, 32, NOW), 0);
	atomic_store(&wish.until_ns, NOW + 1);
	assert_int_equal(shown(&s, 4, NOW), 4);
	assert_int_equal(shown(&s, 4, NOW + 1), 0);
}

static void
a_full_batch_shows_one_and_a_second_so_many(void **state)
{
	struct sampler s;
	struct tail_row r;
	uint64_t sum = 0;

	(void)state;
	atomic_store(&wish.until_ns, NOW + 10 * SECOND);
	sampler_init(&s, &wish, &memory->tail, 7);
	assert_int_equal(shown(&s, 32, NOW), SAMPLER_LOADED);
	assert_true(tail_get(&memory->tail, 0, &r));
	assert_memory_equal(r.name, "\3www", 5);
	assert_int_equal(r.us10, 50);
	assert_int_equal(atomic_load(&memory->tail.missed), 31);
	for (unsigned i = 0; i < 5000; i++)
		sum += shown(&s, 32, NOW + SECOND / 2);
	assert_int_equal(sum + 1, SAMPLER_SECOND);
	assert_int_equal(shown(&s, 1, NOW + SECOND), 1); /* a new second */
}

static void
one_in_so_many_is_what_chance_makes_of_it(void **state)
{
	struct sampler s;
	uint64_t sum = 0;

	(void)state;
	atomic_store(&wish.until_ns, UINT64_MAX);
	atomic_store(&wish.one_in, 100);
	sampler_init(&s, &wish, &memory->tail, 99);
	for (unsigned i = 0; i < 100000; i++)
		sum += shown(&s, 1, NOW + i * (SECOND / 1000));
	assert_in_range(sum, 850, 1150);
	/* A smaller wish counts at once. */
	atomic_store(&wish.one_in, TAIL_ONE_IN_MAX);
	for (unsigned i = 0; i < 200; i++)
		(void)shown(&s, 1, NOW + 200 * SECOND);
	atomic_store(&wish.one_in, 1);
	assert_in_range(shown(&s, 4, NOW + 200 * SECOND), 3, 4);
}

/* ---- the book ---- */
static void
put(const char *name, uint64_t at)
{
	struct tail_row r = row_of(name, "192.0.2.1", 1, 0);

	r.at_ns = at;
	tail_put(&memory->tail, &r);
}

static uint64_t
watch(uint64_t after, size_t max, struct tailbook_out *out, uint64_t now)
{
	static const struct tailfilter all;

	tailbook_wish(&book, &wish, 1, now);
	(void)tailbook_open(&book, one, 1, now / 1000);
	assert_true(tailbook_collect(&book, one, 1, now));
	tailbook_read(&book, &all, after, 1, max, out);
	return out->next;
}

static void
who_watches_sees_what_came_since(void **state)
{
	struct tailbook_out out;
	uint64_t mark, first;

	(void)state;
	put("before.example.", NOW);
	first = mark = watch(0, 50, &out, NOW);
	assert_int_equal(out.n, 0);
	put("b.example.", NOW + 2);
	put("a.example.", NOW + 1);
	mark = watch(mark, 50, &out, NOW);
	assert_int_equal(out.n, 2);
	assert_memory_equal(out.rows[0]->name, "\1a", 2); /* by time */
	assert_int_equal(watch(mark, 50, &out, NOW), mark);
	assert_int_equal(out.n, 0);
	/* Another one, from the first mark. */
	(void)watch(first, 1, &out, NOW);
	assert_int_equal(out.n, 1);
	assert_int_equal(out.dropped, 1);
	assert_memory_equal(out.rows[0]->name, "\1b", 2);
}

static void
what_was_lost_is_told(void **state)
{
	struct tailbook_out out;
	uint64_t mark = watch(0, 50, &out, NOW);

	(void)state;
	put("a.example.", NOW);
	mark = watch(mark, 50, &out, NOW);
	for (unsigned i = 0; i < TAIL_SLOTS + 10; i++)
		put("x.example.", NOW);
	atomic_store(&memory->tail.missed, 5);
	(void)watch(mark, 200, &out, NOW);
	assert_int_equal(out.n, 200);
	assert_int_equal(out.dropped, TAIL_SLOTS - 200 + 10 + 5);
}

static void
it_ends_with_the_last_wish(void **state)
{
	struct tailbook_out out;
	uint64_t mark = watch(0, 50, &out, NOW);
	static const struct tailfilter all;

	(void)state;
	assert_true(atomic_load(&wish.until_ns) == NOW + TAILBOOK_WISH_NS);
	assert_false(tailbook_collect(&book, one, 1, NOW + TAILBOOK_WISH_NS));
	assert_null(book.rows);
	/* A mark of then says: from now on. */
	put("a.example.", NOW);
	tailbook_read(&book, &all, mark, 1, 50, &out);
	assert_int_equal(out.n, 0);
	uint64_t later = watch(mark, 50, &out, NOW + 10 * SECOND);
	assert_true(later > mark && out.n == 0 && out.dropped == 0);
}

static void
the_most_curious_wish_counts(void **state)
{
	struct tailbook_out out;
	static const struct tailfilter all;
	uint64_t mark;

	(void)state;
	tailbook_wish(&book, &wish, 1000, NOW);
	assert_int_equal(atomic_load(&wish.one_in), 1000);
	tailbook_wish(&book, &wish, 10, NOW + 1);
	tailbook_wish(&book, &wish, 1000, NOW + 2);
	assert_int_equal(atomic_load(&wish.one_in), 10);
	tailbook_wish(&book, &wish, 1000, NOW + 2 + TAILBOOK_WISH_NS);
	assert_int_equal(atomic_load(&wish.one_in), 1000);
	/* Who wants fewer than are shown gets its share of them. */
	mark = watch(0, 50, &out, NOW);
	for (unsigned i = 0; i < 500; i++)
		put("x.example.", NOW);
	(void)watch(mark, 200, &out, NOW);
	tailbook_read(&book, &all, mark, 10, 200, &out);
	assert_in_range(out.n, 30, 70);
}

/* ---- the filter ---- */
static uint64_t
hash(void *arg, const uint8_t *name, size_t len)
{
	(void)arg;
	return len + name[1];
}

static void
words_mean_what_they_say(void **state)
{
	static const struct {
		const char *words;
		bool match;
	} cases[] = {
		{ "", true },
		{ "www", true },
		{ "^www", true },
		{ "^example", false },
		{ "-www", false },
		{ "*.example.com", true },
		{ "*.com -*.org", true },
		{ "*.org", false },
		{ "WWW.EXAMPLE", true },
		{ "type:AAAA", true },
		{ "type:A", false },
		{ "-type:A rcode:NXDOMAIN", true },
		{ "rcode:noerror", false },
		{ "rcode:DROP", false },
		{ "name:www.example.com", true },
		{ "name:WWW.example.com.", true },
		{ "name:example.com", false },
		{ "client:192.0.2.0/24", true },
		{ "client:192.0.2.77", true },
		{ "client:192.0.2.64/26", true },
		{ "client:192.0.2.0/26", false },
		{ "client:2001:db8::/32", false },
		{ "via:udp", true },
		{ "via:tcp", false },
		{ "zone:example.com", true },
		{ "zone:other.com", false },
	};
	struct tail_row r = row_of("www.example.com.", "192.0.2.77", 28, 3);
	struct tailfilter f;
	char why[TAILFILTER_WHY];

	(void)state;
	r.zone_hash = 13 + 'e';
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_true(tailfilter_read(&f, cases[i].words, hash, NULL, why));
		if (tailfilter_match(&f, &r) != cases[i].match)
			fail_msg("%s", cases[i].words);
	}
}

static void
what_is_no_filter_is_refused(void **state)
{
	static const char *const cases[] = { "~re", "foo:bar", "type:NOPE", "rcode:NOPE",
		"client:x", "client:192.0.2.0/33", "client:192.0.2.0/", "client:192.0.2.0/2x",
		"via:quic", "-", "^", "name:a..b", "a b c d e f g h i j k l m n o p q" };
	struct tailfilter f;
	char why[TAILFILTER_WHY];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		memset(why, 0, sizeof why);
		if (tailfilter_read(&f, cases[i], hash, NULL, why) ||
		    strncmp(why, "filter: ", 8) != 0)
			fail_msg("%s is taken", cases[i]);
	}
}

int
main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_row_comes_out_as_it_went_in),
		TEST(what_is_overwritten_or_half_written_is_no_row),
		TEST(nonsense_in_the_page_is_cut_to_what_can_be),
		TEST(nobody_watches_nothing_is_shown),
		TEST(a_full_batch_shows_one_and_a_second_so_many),
		TEST(one_in_so_many_is_what_chance_makes_of_it),
		TEST(who_watches_sees_what_came_since),
		TEST(what_was_lost_is_told),
		TEST(it_ends_with_the_last_wish),
		TEST(the_most_curious_wish_counts),
		TEST(words_mean_what_they_say),
		TEST(what_is_no_filter_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
