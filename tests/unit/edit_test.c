/* Edits as a table: zone × what a user typed → zone, difference or refusal
 * (nameserve(1), record).  Reading the words (editop.c) and applying them (edit.c) are tried together, as a
 * commit does it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "appliance/dns/name.h"
#include "appliance/dns/rrtype.h"
#include "appliance/dns/serial.h"
#include "appliance/dns/zonecheck.h"
#include "appliance/dns/zonetext.h"
#include "appliance/dns/zwire.h"
#include "appliance/sync/diff.h"
#include "appliance/sync/edit.h"
#include "appliance/sync/editop.h"
#include "appliance/sync/errors.h"
#include "appliance/sync/feedblock.h"
#include "ipc/base/clock.h"
#include "ipc/base/xalloc.h"

// link: appliance/sync/edit.c
// link: appliance/sync/editop.c
// link: appliance/sync/diff.c
// link: appliance/sync/place.c
// link: appliance/sync/request.c

#define NOW 1790000000000ll /* 2026-09-21 */
#define DAY 2026092100u

static const char zone_text[] = "@ 3600 SOA ns1 host 2026092105 7200 3600 1209600 300\n"
				"@ 3600 NS ns1\n"
				"@ 300 MX 10 mx1\n"
				"ns1 300 A 192.0.2.1\n"
				"www 300 A 192.0.2.10\n"
				"www 300 A 192.0.2.11\n"
				"www 300 AAAA 2001:db8::1\n"
				"alias 60 CNAME www\n";

static uint8_t apex[] = "\7example\3com";
static struct wbuf zwire;
static struct zwire_view *view;

static int
setup(void **state)
{
	struct rrpile *pile = rrpile_new();
	struct zonetext *zt = zonetext_new(apex, pile);
	struct ns_why why = { 0 };
	uint64_t records;

	(void)state;
	zwire = wbuf_grow(1u << 20);
	assert_int_equal(zonetext_feed(zt, zone_text, strlen(zone_text), &why), NS_OK);
	assert_int_equal(zonetext_end(zt, &why), NS_OK);
	assert_int_equal(rrpile_to_zwire(pile, &zwire, &records, &why), NS_OK);
	zonetext_destroy(&zt);
	rrpile_destroy(&pile);
	view = zwire_view_new(apex, zwire.base, zwire.len);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	zwire_view_destroy(&view);
	wbuf_free(&zwire);
	return 0;
}

/* "set NAME TTL TYPE RDATA|RDATA", "add …", "del NAME [TYPE [RDATA]]"; TTL "-": not given. */
struct words {
	Ns__RecordOp op, *ops[1];
	Ns__ZoneEdit zone, *zones[1];
	Ns__CommitRequest request;
	char text[512], *rdata[8];
};

static void
words_split(struct words *w, const char *line)
{
	char *rest = w->text, *verb, *ttl;

	snprintf(w->text, sizeof w->text, "%s", line);
	ns__record_op__init(&w->op);
	ns__zone_edit__init(&w->zone);
	ns__commit_request__init(&w->request);
	verb = strsep(&rest, " ");
	w->op.kind = verb[0] == 's'   ? NS__RECORD_OP__KIND__SET
		     : verb[0] == 'a' ? NS__RECORD_OP__KIND__ADD
				      : NS__RECORD_OP__KIND__DEL;
	w->op.name = strsep(&rest, " ");
	if (w->op.kind != NS__RECORD_OP__KIND__DEL) {
		ttl = strsep(&rest, " ");
		w->op.ttl_given = ttl[0] != '-';
		w->op.ttl = (uint32_t)strtoul(ttl, NULL, 10);
	}
	if (rest != NULL)
		w->op.type = strsep(&rest, " ");
	w->op.rdata = w->rdata;
	while (rest != NULL && w->op.n_rdata < 8)
		w->rdata[w->op.n_rdata++] = strsep(&rest, "|");
	w->ops[0] = &w->op;
	w->zone.zone = (char *)"example.com";
	w->zone.ops = w->ops;
	w->zone.n_ops = 1;
	w->zones[0] = &w->zone;
	w->request.zones = w->zones;
	w->request.n_zones = 1;
}

static enum ns_err
run(const char *lines, struct edit *e, struct ns_why *why)
{
	char *copy = xstrdup(lines), *rest = copy, *line;
	enum ns_err err = NS_OK;

	edit_init(e, apex);
	while (err == NS_OK && (line = strsep(&rest, "\n")) != NULL) {
		struct edit_request *er;
		struct words w;

		words_split(&w, line);
		er = edit_request_read(&w.request, why);
		if (er == NULL) {
			err = why->err;
			continue;
		}
		err = edit_apply(e, zwire_view_get(view), &er->zones[0].ops[0], why);
		edit_request_free(er);
	}
	free(copy);
	if (err == NS_OK && edit_changes(e))
		err = edit_serial(e, zwire_view_get(view), NOW, why);
	return err;
}

/* The difference without the SOA, each line as "-…" or "+…", spaces for tabs. */
static void
put_lines(char *out, size_t size, char sign, const struct wbuf *set)
{
	struct zwire_iter it = zwire_iter(set->base, set->len);
	struct wbuf text = wbuf_grow(1u << 20);
	struct rrset s;
	char *rest, *line;

	while (zwire_next(&it, &s))
		if (s.type != 6)
			rrset_to_text(&s, &text);
	wbuf_u8(&text, '\0');
	rest = (char *)text.base;
	while ((line = strsep(&rest, "\n")) != NULL) {
		size_t at = strlen(out);

		if (*line == '\0')
			continue;
		for (char *p = line; *p != '\0'; p++)
			if (*p == '\t')
				*p = ' ';
		snprintf(out + at, size - at, "%c%s\n", sign, line);
	}
	wbuf_free(&text);
}

static const struct {
	const char *lines, *diff;
} good[] = {
	{ "set www 300 A 192.0.2.20",
	    "-www.example.com. 300 IN A 192.0.2.10\n-www.example.com. 300 IN A 192.0.2.11\n"
	    "+www.example.com. 300 IN A 192.0.2.20\n" },
	{ "set new 60 TXT \"a\"|\"b\"",
	    "+new.example.com. 60 IN TXT \"a\"\n+new.example.com. 60 IN TXT \"b\"\n" },
	{ "set NEW.Example.COM. 60 TXT \"a\"", "+new.example.com. 60 IN TXT \"a\"\n" },
	{ "set @ 60 MX 10 mx9", "-example.com. 300 IN MX 10 mx1.example.com.\n"
				"+example.com. 60 IN MX 10 mx9.example.com.\n" },
	{ "set new - A 192.0.2.1", "+new.example.com. 3600 IN A 192.0.2.1\n" },
	{ "set www - AAAA 2001:db8::2", "-www.example.com. 300 IN AAAA 2001:db8::1\n"
					"+www.example.com. 300 IN AAAA 2001:db8::2\n" },
	{ "add www - A 192.0.2.12",
	    "-www.example.com. 300 IN A 192.0.2.10\n-www.example.com. 300 IN A 192.0.2.11\n"
	    "+www.example.com. 300 IN A 192.0.2.10\n+www.example.com. 300 IN A 192.0.2.11\n"
	    "+www.example.com. 300 IN A 192.0.2.12\n" },
	{ "add new 60 A 192.0.2.1", "+new.example.com. 60 IN A 192.0.2.1\n" },
	{ "del www A 192.0.2.10",
	    "-www.example.com. 300 IN A 192.0.2.10\n-www.example.com. 300 IN A 192.0.2.11\n"
	    "+www.example.com. 300 IN A 192.0.2.11\n" },
	{ "del www A 192.0.2.10|192.0.2.11",
	    "-www.example.com. 300 IN A 192.0.2.10\n-www.example.com. 300 IN A 192.0.2.11\n" },
	{ "del www AAAA", "-www.example.com. 300 IN AAAA 2001:db8::1\n" },
	{ "del alias", "-alias.example.com. 60 IN CNAME www.example.com.\n" },
	{ "del alias\nset alias 60 A 192.0.2.1",
	    "-alias.example.com. 60 IN CNAME www.example.com.\n"
	    "+alias.example.com. 60 IN A 192.0.2.1\n" },
	{ "set a 60 A 192.0.2.1\nadd a - A 192.0.2.2\ndel a A 192.0.2.1",
	    "+a.example.com. 60 IN A 192.0.2.2\n" },
	{ "set a 60 A 192.0.2.1\ndel a", "" },
	{ "set www 300 A 192.0.2.11|192.0.2.10", "" },
	{ "set odd 60 TYPE65280 \\# 3 010203", "+odd.example.com. 60 IN TYPE65280 \\# 3 010203\n" },
};

static void
edits_that_work(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		struct ns_why why = { 0 };
		char out[2048] = "";
		struct edit e;
		struct diff d;

		diff_init(&d);
		if (run(good[i].lines, &e, &why) != NS_OK)
			fail_msg("%s: %s", good[i].lines, why.text);
		assert_true(edit_diff(&e, &d));
		put_lines(out, sizeof out, '-', &d.removed);
		put_lines(out, sizeof out, '+', &d.added);
		if (strcmp(out, good[i].diff) != 0)
			fail_msg("%s:\n%swanted:\n%s", good[i].lines, out, good[i].diff);
		assert_int_equal(edit_changes(&e), good[i].diff[0] != '\0');
		diff_free(&d);
		edit_free(&e);
	}
}

static const struct {
	const char *lines;
	enum ns_err err;
	unsigned code; /* 0: not ours */
	const char *word; /* in the sentence */
} bad[] = {
	{ "add www 60 A 192.0.2.12", NS_INVALID, ES_TTL_MISMATCH, "300" },
	{ "add www - A 192.0.2.10", NS_INVALID, ES_DUPLICATE, "www.example.com. A" },
	{ "set new 60 A 192.0.2.1|192.0.2.1", NS_INVALID, ES_DUPLICATE, "twice" },
	{ "set new 60 A", NS_INVALID, ES_NO_RDATA, "no record data" },
	{ "del nobody", NS_NOTFOUND, ES_NO_RECORD, "nobody.example.com." },
	{ "del www TXT", NS_NOTFOUND, ES_NO_RECORD, "www.example.com. TXT" },
	{ "del www A 192.0.2.99", NS_NOTFOUND, ES_NO_RECORD, "no such record" },
	{ "del www A 192.0.2.10|192.0.2.99", NS_NOTFOUND, ES_NO_RECORD, "no such record" },
	{ "set www.example.org. 60 A 192.0.2.1", NS_INVALID, ES_OUT_OF_ZONE, "www.example.org." },
	{ "set new 60 NOSUCH x", NS_INVALID, ES_TYPE, "NOSUCH" },
	{ "set new 60 AXFR x", NS_INVALID, ES_TYPE, "messages only" },
	{ "set new 60 RRSIG x", NS_INVALID, ES_TYPE, "signing" },
	{ "set new 4294967295 A 192.0.2.1", NS_INVALID, ES_TTL, "TTL" },
	{ "set new 60 A 192.0.2.300", NS_INVALID, 0, "\"192.0.2.300\"" },
	{ "set @ 60 MX 10 mx.example.net", NS_INVALID, 0, "mx.example.net.example.com." },
	{ "set a..b 60 A 192.0.2.1", NS_INVALID, 0, "" },
};

static void
edits_that_are_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct ns_why why = { 0 };
		struct edit e;
		enum ns_err err = run(bad[i].lines, &e, &why);

		if (err != bad[i].err || why.err != err ||
		    (bad[i].code != 0 && why.code != bad[i].code) ||
		    strstr(why.text, bad[i].word) == NULL)
			fail_msg("%s: err %d code %u: %s", bad[i].lines, err, why.code, why.text);
		assert_string_equal(why.zone, "example.com.");
		edit_free(&e);
	}
}

static void
serial_is_handled(void **state)
{
	static const struct {
		const char *lines;
		uint32_t after;
	} rows[] = {
		{ "set a 60 A 192.0.2.1", DAY + 6 },
		{ "set @ 3600 SOA ns1 host 2026092105 1 2 3 4", DAY + 6 }, /* not newer */
		{ "set @ 3600 SOA ns1 host 2026092199 1 2 3 4", DAY + 99 }, /* newer: kept */
		{ "set @ 3600 SOA ns1 host 7 1 2 3 4", DAY + 6 }, /* never backwards */
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct ns_why why = { 0 };
		struct edit e;

		assert_int_equal(run(rows[i].lines, &e, &why), NS_OK);
		assert_int_equal(e.serial_before, DAY + 5);
		assert_int_equal(e.serial_after, rows[i].after);
		edit_free(&e);
	}
}

static void
one_zone_once(void **state)
{
	struct words w;
	Ns__ZoneEdit *twice[2];
	struct ns_why why = { 0 };

	(void)state;
	words_split(&w, "set a 60 A 192.0.2.1");
	twice[0] = twice[1] = &w.zone;
	w.request.zones = twice;
	w.request.n_zones = 2;
	assert_null(edit_request_read(&w.request, &why));
	assert_int_equal(why.code, ES_ZONE_TWICE);
	w.request.n_zones = 0;
	assert_null(edit_request_read(&w.request, &why));
	assert_int_equal(why.code, ES_EMPTY);
}

static void
serial_is_found_and_only_it_differs(void **state)
{
	struct wbuf other = wbuf_grow(1u << 20);
	struct diff_sets n = { 0 };
	uint32_t serial;
	struct diff d;
	size_t at;

	(void)state;
	wbuf_put(&other, zwire.base, zwire.len);
	assert_true(soa_serial_find(apex, other.base, other.len, &at, &serial));
	assert_int_equal(serial, DAY + 5);
	put_u32(other.base + at, serial + 1);
	diff_init(&d);
	assert_true(diff_zwire(&d, zwire.base, zwire.len, other.base, other.len));
	assert_true(diff_same_but_serial(&d, apex));
	assert_int_equal(d.nadded, 1);
	assert_int_equal(d.nremoved, 1);
	assert_true(diff_count(d.removed.base, d.removed.len, d.added.base, d.added.len, &n));
	assert_true(n.added == 0 && n.removed == 0 && n.changed == 0);
	diff_free(&d);
	put_u32(other.base + at + 4, 1); /* the refresh timer */
	diff_init(&d);
	assert_true(diff_zwire(&d, zwire.base, zwire.len, other.base, other.len));
	assert_false(diff_same_but_serial(&d, apex));
	assert_true(diff_count(d.removed.base, d.removed.len, d.added.base, d.added.len, &n));
	assert_true(n.added == 0 && n.removed == 0 && n.changed == 1);
	assert_true(diff_count(NULL, 0, d.added.base, d.added.len, &n));
	assert_true(diff_count(d.removed.base, d.removed.len, NULL, 0, &n));
	assert_true(n.added == 1 && n.removed == 1 && n.changed == 1);
	assert_false(diff_count(d.removed.base, d.removed.len - 1, NULL, 0, &n));
	diff_free(&d);
	/* A broken side is told, not followed. */
	diff_init(&d);
	assert_false(diff_zwire(&d, zwire.base, zwire.len, other.base, other.len - 1));
	diff_free(&d);
	wbuf_free(&other);
}

/* The largest commit that is taken keeps the writer, and all who wait for it, less than a second. */
static void
many_names_take_no_time(void **state)
{
	struct edit_op op = { .kind = EDIT_SET, .type = RR_A, .count = 1, .rdata = wbuf_grow(64) };
	struct ns_why why = { 0 };
	struct edit e;
	uint64_t began;

	(void)state;
	wbuf_u16(&op.rdata, 4);
	wbuf_u32(&op.rdata, 0xc0000201);
	edit_init(&e, apex);
	began = clock_mono_ns();
	for (unsigned i = 0; i < EDIT_OPS_MAX; i++) {
		/* as people send them: in no order */
		snprintf((char *)op.owner, 13, "\x0bn%010u", i * 2654435761u);
		memcpy(op.owner + 12, apex, sizeof apex);
		assert_int_equal(edit_apply(&e, zwire_view_get(view), &op, &why), NS_OK);
	}
	assert_in_range(clock_mono_ns() - began, 0, 10000000000);
	assert_int_equal(e.count, EDIT_OPS_MAX);
	for (size_t i = 1; i < e.count; i++)
		assert_true(name_cmp(e.owners[i - 1].name, e.owners[i].name) < 0);
	edit_free(&e);
	edit_op_free(&op);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(edits_that_work),
		cmocka_unit_test(edits_that_are_refused),
		cmocka_unit_test(serial_is_handled),
		cmocka_unit_test(one_zone_once),
		cmocka_unit_test(many_names_take_no_time),
		cmocka_unit_test(serial_is_found_and_only_it_differs),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
