/* Drafts without the appliance, as tables: what one makes of RRsets, how a conflict of it is settled, how changes are
 * said in words, and where an editor is told what is wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "console/core/changetext.h"
#include "console/core/draftguess.h"
#include "console/core/edittext.h"
#include "ipc/base/xalloc.h"
#include "ipc/client/draftop.h"

// link: console/core/draftguess.c

#define SET NS__RECORD_OP__KIND__SET
#define ADD NS__RECORD_OP__KIND__ADD
#define DEL NS__RECORD_OP__KIND__DEL

/* www A is served, and a policy at geo. */
static void
was(void *arg, const char *name, const char *type, Ns__Conflict__State *s)
{
	const char *one = strcmp(name, "www.example.com.") == 0 && strcmp(type, "A") == 0
			      ? "192.0.2.1"
			  : strcmp(name, "geo.example.com.") == 0 && strcmp(type, "NSPOLICY") == 0
			      ? "A {\"ttl\":30}"
			      : NULL;

	(void)arg;
	if (one == NULL)
		return;
	s->there = true;
	s->ttl = 300;
	s->rdata = xcalloc(1, sizeof(char *));
	s->rdata[s->n_rdata++] = xstrdup(one);
}

static void
op(Ns__Draft *d, Ns__RecordOp__Kind kind, const char *name, const char *type, uint32_t ttl,
    const char *rdata)
{
	Ns__RecordOp o = NS__RECORD_OP__INIT;
	char *list[] = { (char *)(uintptr_t)rdata };

	o.kind = kind;
	o.name = (char *)(uintptr_t)name;
	o.type = (char *)(uintptr_t)type;
	o.ttl = ttl;
	o.ttl_given = ttl != 0;
	o.rdata = list;
	o.n_rdata = rdata != NULL;
	draft_add(d, &o, 0);
}

static void
told(const Ns__PlanReply *p, size_t i, const char *name, bool before, bool after, uint32_t ttl,
    size_t n, const char *last)
{
	const Ns__Conflict__RRset *s;

	assert_true(i < p->zones[0]->n_rrsets);
	s = p->zones[0]->rrsets[i];
	assert_string_equal(s->name, name);
	assert_int_equal(s->was->there, before);
	assert_int_equal(s->mine->there, after);
	assert_int_equal(s->mine->n_rdata, n);
	if (n > 0) {
		assert_int_equal(s->mine->ttl, ttl);
		assert_string_equal(s->mine->rdata[n - 1], last);
	}
}

static void
operations_make_rrsets(void **state)
{
	Ns__Draft *d = draft_new("example.com.", 1, 1, 0);
	Ns__PlanReply *p;

	(void)state;
	op(d, SET, "new", "a", 60, "192.0.2.7");
	op(d, ADD, "New.example.com.", "A", 0, "192.0.2.8");
	op(d, ADD, "www", "A", 0, "192.0.2.2");
	op(d, SET, "@", "MX", 60, "10 mx");
	op(d, DEL, "@", "MX", 0, NULL);
	op(d, SET, "geo", "NSPOLICY", 0, "A {\"ttl\":60}");
	op(d, ADD, "geo", "NSPOLICY", 0, "AAAA {\"ttl\":60}");
	op(d, DEL, "all", "", 0, NULL);
	p = draft_guess(d, was, NULL);
	assert_int_equal(p->zones[0]->n_rrsets, 4);
	told(p, 0, "new.example.com.", false, true, 60, 2, "192.0.2.8");
	assert_string_equal(p->zones[0]->rrsets[0]->type, "A");
	told(p, 1, "www.example.com.", true, true, 300, 2, "192.0.2.2");
	told(p, 2, "example.com.", false, false, 0, 0, NULL);
	told(p, 3, "geo.example.com.", true, true, 300, 2, "AAAA {\"ttl\":60}");
	assert_string_equal(p->zones[0]->rrsets[3]->mine->rdata[0], "A {\"ttl\":60}");
	ns__plan_reply__free_unpacked(p, NULL);
	ns__draft__free_unpacked(d, NULL);
}

static void
data_goes_one_by_one(void **state)
{
	Ns__Draft *d = draft_new("example.com.", 1, 1, 0);
	Ns__PlanReply *p;

	(void)state;
	op(d, ADD, "www", "A", 0, "192.0.2.2");
	op(d, DEL, "www", "A", 0, "192.0.2.1");
	op(d, DEL, "geo", "NSPOLICY", 0, "A");
	p = draft_guess(d, was, NULL);
	told(p, 0, "www.example.com.", true, true, 300, 1, "192.0.2.2");
	told(p, 1, "geo.example.com.", true, false, 0, 0, NULL);
	ns__plan_reply__free_unpacked(p, NULL);
	ns__draft__free_unpacked(d, NULL);
}

/* ---- what others changed, too ---- */
/* Base, theirs and mine, a letter a record; NULL: no such RRset. */
struct case_of {
	const char *was, *theirs, *mine;
	enum decision decided;
	const char *want; /* NULL: no operation; "": it goes */
};

static Ns__Conflict__State *
state_of(Ns__Conflict__State *s, char **cell, const char *text)
{
	static char letters[][2] = { "a", "b", "c", "d", "e" };

	ns__conflict__state__init(s);
	s->there = text != NULL;
	s->ttl = 60;
	s->rdata = cell;
	for (; text != NULL && *text != '\0'; text++)
		cell[s->n_rdata++] = letters[*text - 'a'];
	return s;
}

static void
conflicts_are_settled(void **state)
{
	static const struct case_of rows[] = { { "a", "a", "b", DECIDE_NOT, "b" }, /* mine alone */
		{ "a", "b", "a", DECIDE_NOT, NULL }, /* theirs alone */
		{ "a", "b", "b", DECIDE_NOT, NULL }, /* the same */
		{ "a", "b", "c", DECIDE_MINE, "c" }, { "a", "b", "c", DECIDE_THEIRS, NULL },
		{ "a", "b", "c", DECIDE_BOTH, "c b" }, { "a", "b", NULL, DECIDE_MINE, "" },
		{ "a", "b", NULL, DECIDE_BOTH, "b" }, { "a", NULL, "c", DECIDE_MINE, "c" },
		{ "a", NULL, "c", DECIDE_THEIRS, NULL }, { NULL, "b", "c", DECIDE_BOTH, "c b" },
		/* What one of us took away does not come back because the other left it. */
		{ "a", "ab", "c", DECIDE_BOTH, "c b" }, { "ab", "a", "b", DECIDE_BOTH, "" },
		{ "ab", "ac", "abd", DECIDE_BOTH, "a d c" } };

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct case_of *r = &rows[i];
		Ns__Conflict c = NS__CONFLICT__INIT;
		Ns__Conflict__Zone z = NS__CONFLICT__ZONE__INIT, *zones[] = { &z };
		Ns__Conflict__RRset set = NS__CONFLICT__RRSET__INIT, *sets[] = { &set };
		Ns__Conflict__State was, theirs, mine;
		char *cells[3][4];
		Ns__Draft *d = draft_new("example.com.", 1, 1, 1);
		enum decision none = DECIDE_NOT, decided = r->decided;

		op(d, DEL, "other", "A", 0, NULL);
		z.zone = set.zone = d->zone;
		z.version = 9, z.serial = 90;
		set.name = (char *)(uintptr_t) "www.example.com.";
		set.type = (char *)(uintptr_t) "A";
		set.was = state_of(&was, cells[0], r->was);
		set.theirs = state_of(&theirs, cells[1], r->theirs);
		set.mine = state_of(&mine, cells[2], r->mine);
		set.overlaps = r->decided != DECIDE_NOT;
		c.zones = zones, c.n_zones = 1;
		c.rrsets = sets, c.n_rrsets = 1;
		if (set.overlaps) {
			assert_false(draft_settle(d, &c, &none, 5));
			assert_int_equal(d->base_version, 1);
		}
		c.truncated = true;
		assert_false(draft_settle(d, &c, &decided, 5));
		assert_int_equal(d->n_ops, 1);
		c.truncated = false;
		assert_true(draft_settle(d, &c, &decided, 5));
		assert_int_equal(d->base_version, 9);
		assert_int_equal(d->base_serial, 90);
		assert_int_equal(d->n_ops, r->want != NULL);
		if (r->want != NULL) {
			const Ns__RecordOp *op = d->ops[0];
			char got[16];

			got[0] = '\0';
			for (size_t k = 0; k < op->n_rdata; k++)
				snprintf(
				    got + strlen(got), 4, "%s%s", k > 0 ? " " : "", op->rdata[k]);
			assert_string_equal(got, r->want);
			assert_int_equal(op->kind, r->want[0] == '\0' ? NS__RECORD_OP__KIND__DEL
								      : NS__RECORD_OP__KIND__SET);
		}
		ns__draft__free_unpacked(d, NULL);
	}
}

/* ---- in words, and as a text ---- */
static void
told_line(void *arg, char sign, const char *text)
{
	char *out = arg;

	snprintf(out + strlen(out), 1000 - strlen(out), "%c%s;", sign, text);
}

static void
changes_in_words(void **state)
{
	static char soa1[] = "a. 60 IN SOA ns. h. 1 7200 3600 1209600 300",
		    soa2[] = "a. 60 IN SOA ns. h. 2 7200 3600 1209600 300",
		    soa3[] = "a. 60 IN SOA ns. h. 2 7200 3600 1209600 60",
		    one[] = "w.a. 60 IN A 192.0.2.1", two[] = "w.a. 60 IN A 192.0.2.2",
		    slow[] = "w.a. 300 IN A 192.0.2.1", v6[] = "w.a. 60 IN AAAA 2001:db8::1",
		    pool[] = "w.a. 0 IN NSPOLICY A {\"root\":{\"pool\":\"p\"},\"pools\":{\"p\":{"
			     "\"answers\":[{\"value\":\"192.0.2.1\"}]}}}",
		    odd[] = "w.a. 0 IN NSPOLICY A {", none[] = "nothing of the kind";
	static const struct {
		char *removed[2], *added[2];
		const char *told;
	} rows[] = { { { soa1 }, { soa2 }, "" },
		{ { soa1 }, { soa3 },
		    "~a. 60 IN SOA ns. h. 1 7200 3600 1209600 300 -> ns. h. 2 "
		    "7200 3600 1209600 60;" },
		{ { one }, { two }, "~w.a. 60 IN A 192.0.2.1 -> 192.0.2.2;" },
		{ { one }, { slow }, "~w.a. 60 -> 300 IN A 192.0.2.1;" },
		{ { one }, { v6 }, "-w.a. 60 IN A 192.0.2.1;+w.a. 60 IN AAAA 2001:db8::1;" },
		{ { one, two }, { slow },
		    "-w.a. 60 IN A 192.0.2.1;-w.a. 60 IN A 192.0.2.2;+w.a. 300 IN A 192.0.2.1;" },
		{ { NULL }, { one, two }, "+w.a. 60 IN A 192.0.2.1;+w.a. 60 IN A 192.0.2.2;" },
		{ { NULL }, { pool }, "+w.a. policy A pool p: 192.0.2.1 (1);" },
		{ { odd }, { none }, "-w.a. 0 IN NSPOLICY A {;+nothing of the kind;" } };

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char out[1000] = "";
		size_t n[2] = { 0 };

		for (size_t k = 0; k < 2; k++) {
			n[0] += rows[i].removed[k] != NULL;
			n[1] += rows[i].added[k] != NULL;
		}
		changetext(rows[i].removed, n[0], rows[i].added, n[1], told_line, out);
		assert_string_equal(out, rows[i].told);
	}
}

static void
marks_in_a_text(void **state)
{
	static const struct {
		const char *text;
		uint32_t line;
		const char *marked;
	} rows[] = { { "a\nb\nc\n", 2, "a\n; ERROR: E1 x y\nb\nc\n" },
		{ "a\n", 1, "; ERROR: E1 x y\na\n" }, { "a\n", 9, "a\n; ERROR: E1 x y\n" },
		{ "a", 2, "a\n; ERROR: E1 x y\n" }, { "", 1, "; ERROR: E1 x y\n" } };

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct wbuf text = wbuf_grow(EDITTEXT_MAX), out;

		wbuf_put(&text, rows[i].text, strlen(rows[i].text));
		assert_true(edittext_mark(&text, rows[i].line, "E1 x\ny", &out));
		assert_int_equal(out.len, strlen(rows[i].marked));
		assert_memory_equal(out.base, rows[i].marked, out.len);
		edittext_strip(&out);
		assert_int_equal(edittext_same(&out, &text), strcmp(rows[i].text, "a") != 0);
		wbuf_free(&text);
		wbuf_free(&out);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(operations_make_rrsets),
		cmocka_unit_test(data_goes_one_by_one),
		cmocka_unit_test(conflicts_are_settled),
		cmocka_unit_test(changes_in_words),
		cmocka_unit_test(marks_in_a_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
