/* Import as far as it is pure: files in pieces to zones, what is counted, and zones cut into blocks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "appliance/dns/name.h"
#include "appliance/dns/zwire.h"
#include "appliance/sync/diff.h"
#include "appliance/sync/errors.h"
#include "appliance/sync/feedblock.h"
#include "appliance/sync/import.h"
#include "ipc/base/xalloc.h"

// link: appliance/sync/importparse.c
// link: appliance/sync/importzone.c
// link: appliance/sync/diff.c
// link: appliance/sync/request.c
// link: appliance/sync/feedblock.c
// link: tests/lib/fake/sync.c

static struct import_session *
session(void)
{
	struct import_session *s = xcalloc(1, sizeof *s);

	atomic_init(&s->refs, 1);
	s->comment = xstrdup("");
	return s;
}

static struct import_zone *
parse(struct import_session *s, const char *zone, const char *text, size_t piece)
{
	struct import_parser *p = import_parser_new(zone);
	struct import_zone *z = import_zone_new(s, "file");
	size_t len = strlen(text);

	for (size_t at = 0; at < len; at += piece)
		import_parser_feed(p, text + at, len - at < piece ? len - at : piece);
	import_parser_end(p, z);
	import_parser_destroy(&p);
	assert_null(p);
	return z;
}

#define APEX "@ 300 SOA ns1 host 7 1 2 3 4\n@ 300 NS ns1\nns1 300 A 192.0.2.1\n"

static void
pieces_make_no_difference(void **state)
{
	struct import_session *s = session();
	struct import_zone *whole = parse(s, "example.com", APEX "www 60 A 192.0.2.1\n", 1000);

	(void)state;
	assert_int_equal(whole->why.err, NS_OK);
	assert_int_equal(whole->records, 4);
	assert_int_equal(whole->serial, 7);
	assert_false(whole->external);
	assert_memory_equal(whole->name, "\7example\3com", 13);
	for (size_t piece = 1; piece < 40; piece += 3) {
		struct import_zone *z =
		    parse(s, "Example.COM.", APEX "www 60 A 192.0.2.1\n", piece);

		assert_int_equal(z->zwire.len, whole->zwire.len);
		assert_memory_equal(z->zwire.base, whole->zwire.base, z->zwire.len);
		import_zone_destroy(&z);
	}
	import_zone_destroy(&whole);
	import_session_unref(&s);
}

static const struct {
	const char *zone, *text;
	unsigned line, code; /* 0: whatever it is */
	const char *word;
} bad[] = {
	{ "example.com", APEX "www 60 A nonsense\n", 4, 0, "nonsense" },
	{ "example.com", APEX "www 60 CNAME a\nwww 60 A 192.0.2.1\n", 4, 0, "CNAME" },
	{ "example.com", APEX "\n\nwww.example.org. 60 A 192.0.2.1\n", 6, 0, "" },
	{ "example.com", "@ 300 NS ns1\nns1 300 A 192.0.2.1\n", 0, 0, "SOA" },
	{ "example.com", "", 0, ES_EMPTY, "no record" },
	{ "example.com", "$INCLUDE /etc/passwd\n", 1, 0, "INCLUDE" },
	{ "bad..name", APEX, 0, 0, "" },
	{ "", APEX, 0, ES_ZONE_NAME, "name" },
};

static void
errors_have_their_line(void **state)
{
	struct import_session *s = session();

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct import_zone *z = parse(s, bad[i].zone, bad[i].text, 7);

		if (z->outcome != IMPORT_FAILED || z->why.err == NS_OK ||
		    (bad[i].line != 0 && z->why.line != bad[i].line) ||
		    (bad[i].code != 0 && z->why.code != bad[i].code) ||
		    strstr(z->why.text, bad[i].word) == NULL)
			fail_msg("%zu: outcome %d line %u code %u: %s", i, z->outcome, z->why.line,
			    z->why.code, z->why.text);
		assert_int_equal(z->zwire.len, 0);
		import_zone_destroy(&z);
	}
	import_session_unref(&s);
}

static void
signatures_make_it_external(void **state)
{
	static const char text[] =
	    APEX "@ 300 RRSIG SOA 13 2 300 20300101000000 20200101000000 1 example.com. "
		 "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBA"
		 "QEBAQ==\n";
	struct import_session *s = session();
	struct import_zone *z = parse(s, "example.com", text, 100);

	(void)state;
	if (z->why.err != NS_OK)
		fail_msg("%s", z->why.text);
	assert_true(z->external);
	import_zone_destroy(&z);
	import_session_unref(&s);
}

static void
add(struct import_zone_list *list, struct import_session *s, enum import_outcome outcome,
    uint64_t revision)
{
	struct import_zone *z = import_zone_new(s, "f");

	z->outcome = outcome;
	z->records = 10;
	z->revision = revision;
	z->zwire = wbuf_grow(100);
	wbuf_put(&z->zwire, "12345", 5);
	TAILQ_INSERT_TAIL(list, z, link);
}

static void
tallies_count_by_session(void **state)
{
	struct import_session *a = session(), *b = session();
	struct import_zone_list zones = TAILQ_HEAD_INITIALIZER(zones);
	struct import_tally_list tallies = TAILQ_HEAD_INITIALIZER(tallies);
	struct import_tally *t;

	(void)state;
	add(&zones, a, IMPORT_CREATED, 3);
	add(&zones, b, IMPORT_UNCHANGED, 3);
	add(&zones, a, IMPORT_REPLACED, 4);
	add(&zones, a, IMPORT_FAILED, 0);
	add(&zones, b, IMPORT_CREATED, 0);
	TAILQ_LAST(&zones, import_zone_list)->end = true;
	import_tally(&zones, &tallies);
	assert_true(TAILQ_EMPTY(&zones));
	t = TAILQ_FIRST(&tallies);
	assert_ptr_equal(t->session, a);
	assert_int_equal(t->zones, 2);
	assert_int_equal(t->records, 20);
	assert_int_equal(t->revision, 4);
	assert_int_equal(t->count, 3);
	assert_int_equal(t->octets, 15 + 3 * sizeof(struct import_zone));
	assert_false(t->end);
	assert_non_null(TAILQ_FIRST(&t->failed));
	t = TAILQ_NEXT(t, link);
	assert_ptr_equal(t->session, b);
	assert_int_equal(t->unchanged, 1);
	assert_int_equal(t->zones, 0);
	assert_int_equal(t->count, 1);
	assert_true(t->end);
	while ((t = TAILQ_FIRST(&tallies)) != NULL) {
		TAILQ_REMOVE(&tallies, t, link);
		import_tally_destroy(&t);
	}
	assert_int_equal(atomic_load(&a->refs), 1);
	assert_int_equal(atomic_load(&b->refs), 1);
	import_session_unref(&a);
	import_session_unref(&b);
}

/* ---- blocks for the signer ---- */
static struct feed_block_list blocks;

static void
take(void *arg, struct feed_block *b)
{
	(void)arg;
	TAILQ_INSERT_TAIL(&blocks, b, link);
}

/* n owners with a TXT of some 200 octets. */
static struct wbuf
large(unsigned n)
{
	struct rrpile *pile = rrpile_new();
	struct wbuf out = wbuf_grow(64u << 20);
	struct ns_why why;
	uint64_t records;
	uint8_t rdata[201];

	memset(rdata, 'x', sizeof rdata);
	rdata[0] = 200;
	for (unsigned i = 0; i < n; i++) {
		uint8_t owner[32];

		snprintf((char *)owner, sizeof owner, "%cn%08u%cexample%ccom", 9, i, 7, 3);
		rrpile_add(pile, owner, 16, 60, rdata, sizeof rdata, 0);
		rrpile_add(pile, owner, 1, 60, (const uint8_t *)"\300\0\2\1", 4, 0);
	}
	assert_int_equal(rrpile_to_zwire(pile, &out, &records, &why), NS_OK);
	rrpile_destroy(&pile);
	return out;
}

static size_t
drain(struct wbuf *together, bool *marked, bool owners_whole)
{
	struct feed_block *b;
	uint8_t last[255] = { 0 };
	size_t n = 0;

	*marked = false;
	while ((b = TAILQ_FIRST(&blocks)) != NULL) {
		Ns__Feed m;

		TAILQ_REMOVE(&blocks, b, link);
		assert_true(feed_block_size(b) < 1u << 20);
		assert_false(*marked); /* nothing behind the publish */
		feed_block_message(b, &m);
		for (size_t i = 0; i < m.n_zones; i++) {
			struct zwire_iter it =
			    zwire_iter(m.zones[i]->zwire.data, m.zones[i]->zwire.len);
			struct rrset s;

			if (zwire_next(&it, &s)) {
				if (owners_whole && n + i > 0)
					assert_false(name_equal(s.owner, last));
				memcpy(last, s.owner, s.owner_len);
			}
			while (zwire_next(&it, &s))
				memcpy(last, s.owner, s.owner_len);
			assert_true(rbuf_end(&it.r));
			wbuf_put(together, m.zones[i]->zwire.data, m.zones[i]->zwire.len);
		}
		*marked = m.publish;
		feed_block_message_free(&m);
		feed_block_destroy(&b);
		n++;
	}
	return n;
}

static void
large_zones_go_in_pieces(void **state)
{
	struct feed_out out = { .emit = take, .revision = 5 };
	struct store_zone z = { .name = "\7example\3com", .version = 5 };
	struct wbuf zwire = large(20000), together = wbuf_grow(64u << 20), gone = wbuf_grow(10);
	bool marked;

	(void)state;
	TAILQ_INIT(&blocks);
	feed_out_replace(&out, &z, zwire.base, zwire.len);
	feed_out_end(&out, true);
	assert_true(drain(&together, &marked, false) > 10);
	assert_true(marked);
	assert_int_equal(together.len, zwire.len);
	assert_memory_equal(together.base, zwire.base, zwire.len);
	together.len = 0;
	feed_out_delta(&out, &z, 4, &zwire, &gone);
	feed_out_end(&out, true);
	assert_true(drain(&together, &marked, true) > 10);
	assert_int_equal(together.len, zwire.len);
	assert_memory_equal(together.base, zwire.base, zwire.len);
	/* Nothing to say is still something to publish. */
	feed_out_end(&out, true);
	assert_int_equal(drain(&together, &marked, false), 1);
	assert_true(marked);
	wbuf_free(&zwire);
	wbuf_free(&together);
	wbuf_free(&gone);
}

static void
a_block_forgets_a_zone_up_to_a_version(void **state)
{
	struct feed_out out = { .emit = take, .revision = 5 };
	struct feed_block *b;

	(void)state;
	TAILQ_INIT(&blocks);
	feed_out_delete(&out, (const uint8_t *)"\1a", 4);
	feed_out_delete(&out, (const uint8_t *)"\1b", 4);
	feed_out_delete(&out, (const uint8_t *)"\1a", 6);
	feed_out_end(&out, true);
	b = TAILQ_FIRST(&blocks);
	feed_block_forget(b, (const uint8_t *)"\1a", 5);
	assert_int_equal(b->count, 2);
	assert_int_equal(b->items[0].version, 4);
	assert_int_equal(b->items[1].version, 6);
	feed_block_destroy(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_make_no_difference),
		cmocka_unit_test(errors_have_their_line),
		cmocka_unit_test(signatures_make_it_external),
		cmocka_unit_test(tallies_count_by_session),
		cmocka_unit_test(large_zones_go_in_pieces),
		cmocka_unit_test(a_block_forgets_a_zone_up_to_a_version),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
