/* What a draft makes of RRsets, told without the appliance: a table of operations. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "console/core/draftguess.h"
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(operations_make_rrsets),
		cmocka_unit_test(data_goes_one_by_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
