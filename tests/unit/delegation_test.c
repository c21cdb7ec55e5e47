/* What the parent says, held against the zone: a table of verdicts. */
// link: appliance/sync/delegation.c appliance/sync/delegation_ds.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>

#include "appliance/dns/ds.h"
#include "appliance/sync/delegation.h"
#include "ipc/base/xalloc.h"
#include "tests/lib/store_kit.h"

#define ZONE "z.ex."
static const uint8_t key[] = { 1, 1, 3, 13, 9, 8, 7, 6 }, other_key[] = { 1, 1, 3, 13, 1, 2, 3, 4 };

enum ds_kind { DS_NONE, DS_FITS, DS_STRAY, DS_BOTH, DS_UNKNOWN };
struct server {
	const char *ns[4]; /* ends with NULL */
	const char *glue[4]; /* "name address" */
	const char *fault;
	enum ds_kind ds;
};
struct row {
	const char *what;
	const char *ns[4], *addresses[4]; /* ours */
	bool is_signed;
	const uint8_t *cds_of; /* CDS for this key; NULL: none */
	struct server servers[3]; /* those with ns[0] or fault */
	const char *delegated, *ds; /* wanted; delegated NULL: nobody could be asked */
	size_t missing, extra, glue;
	const char *todo; /* part of some sentence; NULL: there is none */
};

#define NS2                               \
	{                                 \
		"ns1.z.ex.", "ns2.other." \
	}
#define ADDR                                                   \
	{                                                      \
		"ns1.z.ex. 192.0.2.1", "ns1.z.ex. 2001:db8::1" \
	}
static const struct row table[] = {
	{ "all is well", NS2, ADDR, false, NULL, { { NS2, ADDR, NULL, DS_NONE } }, "yes", "none", 0,
	    0, 0, NULL },
	{ "one server is silent", NS2, ADDR, false, NULL,
	    { { { NULL }, { NULL }, "silent", DS_UNKNOWN }, { NS2, ADDR, NULL, DS_NONE } }, "yes",
	    "none", 0, 0, 0, NULL },
	{ "nobody answers", NS2, ADDR, false, NULL,
	    { { { NULL }, { NULL }, "silent", DS_UNKNOWN } }, NULL, NULL, 0, 0, 0, NULL },
	{ "not delegated", NS2, ADDR, false, NULL, { { { "-" }, { NULL }, NULL, DS_NONE } }, "no",
	    "none", 2, 0, 0, "register it" },
	{ "another operator has it", NS2, ADDR, false, NULL,
	    { { { "a.x.", "b.x." }, { NULL }, NULL, DS_NONE } }, "elsewhere", "none", 2, 2, 0,
	    "nobody asks here" },
	{ "one is missing", NS2, ADDR, false, NULL, { { { "ns1.z.ex." }, ADDR, NULL, DS_NONE } },
	    "partly", "none", 1, 0, 0, "add ns2.other." },
	{ "one too many", { "ns1.z.ex." }, ADDR, false, NULL, { { NS2, ADDR, NULL, DS_NONE } },
	    "partly", "none", 0, 1, 0, "remove ns2.other." },
	{ "servers differ", NS2, ADDR, false, NULL,
	    { { NS2, ADDR, NULL, DS_NONE }, { { "ns1.z.ex." }, ADDR, NULL, DS_NONE } }, "partly",
	    "none", 0, 0, 0, "do not agree" },
	{ "old glue", NS2, ADDR, false, NULL,
	    { { NS2, { "ns1.z.ex. 192.0.2.9", "ns1.z.ex. 2001:db8::1" }, NULL, DS_NONE } }, "yes",
	    "none", 0, 0, 2, "set the addresses" },
	{ "no glue", NS2, ADDR, false, NULL, { { NS2, { NULL }, NULL, DS_NONE } }, "partly", "none",
	    0, 0, 2, "set the addresses" },
	{ "no address here", NS2, { NULL }, false, NULL, { { NS2, { NULL }, NULL, DS_NONE } },
	    "partly", "none", 0, 0, 1, "add A or AAAA" },
	{ "signed and known", NS2, ADDR, true, NULL, { { NS2, ADDR, NULL, DS_FITS } }, "yes", "ok",
	    0, 0, 0, NULL },
	{ "signed, not known", NS2, ADDR, true, NULL, { { NS2, ADDR, NULL, DS_NONE } }, "yes",
	    "missing", 0, 0, 0, "give the registrar the DS" },
	{ "DS of another key", NS2, ADDR, true, NULL, { { NS2, ADDR, NULL, DS_STRAY } }, "yes",
	    "broken", 0, 0, 0, "fits no key of the zone, so every" },
	{ "DS and no key", NS2, ADDR, false, NULL, { { NS2, ADDR, NULL, DS_STRAY } }, "yes",
	    "broken", 0, 0, 0, "is not signed, so every" },
	{ "a DS too many", NS2, ADDR, true, NULL, { { NS2, ADDR, NULL, DS_BOTH } }, "yes", "ok", 0,
	    0, 0, "no roll-over is under way" },
	{ "nobody knows the DS", NS2, ADDR, true, NULL, { { NS2, ADDR, NULL, DS_UNKNOWN } }, "yes",
	    "unknown", 0, 0, 0, NULL },
	{ "CDS asks for more", NS2, ADDR, true, other_key, { { NS2, ADDR, NULL, DS_FITS } }, "yes",
	    "ok", 0, 0, 0, "CDS asks for another DS" },
	{ "CDS is what is there", NS2, ADDR, true, key, { { NS2, ADDR, NULL, DS_FITS } }, "yes",
	    "ok", 0, 0, 0, NULL },
	{ "moving with an old DS", NS2, ADDR, false, NULL,
	    { { { "a.x." }, { NULL }, NULL, DS_STRAY } }, "elsewhere", "broken", 2, 1, 0,
	    "before the name servers change" },
};

static ProtobufCBinaryData
blob(const void *data, size_t len)
{
	return (ProtobufCBinaryData){ .len = len, .data = xmemdup(data, len) };
}

/* "name address" → both. */
static size_t
split(const char *text, struct kit_name *name, uint8_t octets[16])
{
	char copy[128], *space;

	snprintf(copy, sizeof copy, "%s", text);
	space = strchr(copy, ' ');
	assert_non_null(space);
	*space = '\0';
	*name = kit_name(copy);
	if (inet_pton(AF_INET, space + 1, octets) == 1)
		return 4;
	assert_int_equal(inet_pton(AF_INET6, space + 1, octets), 1);
	return 16;
}

static void
make_ours(const struct row *row, struct delegation *d)
{
	struct kit_name zone = kit_name(ZONE), name;
	uint8_t octets[16], ds[DS_MAX];

	memset(d, 0, sizeof *d);
	memcpy(d->zone, zone.wire, zone.len);
	for (size_t i = 0; row->ns[i] != NULL; i++)
		delegation_add_ns(d, kit_name(row->ns[i]).wire);
	for (size_t i = 0; row->addresses[i] != NULL; i++) {
		size_t len = split(row->addresses[i], &name, octets);

		delegation_add_address(d, name.wire, octets, len);
	}
	if (row->is_signed)
		delegation_add_key(d, key, sizeof key);
	if (row->cds_of != NULL)
		delegation_add_cds(d, ds, ds_make(zone.wire, row->cds_of, sizeof key, ds));
}

static void
put_ds(Ns__ParentReply__Server *s, enum ds_kind kind)
{
	struct kit_name zone = kit_name(ZONE);
	uint8_t ds[DS_MAX];

	s->ds_known = kind != DS_UNKNOWN;
	s->ds = xcalloc(2, sizeof *s->ds);
	if (kind == DS_FITS || kind == DS_BOTH)
		s->ds[s->n_ds++] = blob(ds, ds_make(zone.wire, key, sizeof key, ds));
	if (kind == DS_STRAY || kind == DS_BOTH)
		s->ds[s->n_ds++] = blob(ds, ds_make(zone.wire, other_key, sizeof other_key, ds));
}

static Ns__ParentReply__Server *
make_server(const struct server *in)
{
	Ns__ParentReply__Server *s = xmalloc(sizeof *s);
	struct kit_name name = kit_name("a.ex.");
	uint8_t octets[16];

	ns__parent_reply__server__init(s);
	s->name = blob(name.wire, name.len);
	s->fault = xstrdup(in->fault != NULL ? in->fault : "");
	s->ns = xcalloc(4, sizeof *s->ns);
	s->glue = xcalloc(4, sizeof *s->glue);
	for (size_t i = 0; in->ns[i] != NULL && strcmp(in->ns[i], "-") != 0; i++) {
		name = kit_name(in->ns[i]);
		s->ns[s->n_ns++] = blob(name.wire, name.len);
	}
	for (size_t i = 0; in->glue[i] != NULL; i++) {
		Ns__ParentReply__Glue *g = xmalloc(sizeof *g);
		size_t len = split(in->glue[i], &name, octets);

		ns__parent_reply__glue__init(g);
		g->name = blob(name.wire, name.len);
		g->address = blob(octets, len);
		s->glue[s->n_glue++] = g;
	}
	put_ds(s, in->ds);
	return s;
}

static Ns__ParentReply *
make_parent(const struct row *row)
{
	Ns__ParentReply *p = xmalloc(sizeof *p);
	struct kit_name parent = kit_name("ex.");

	ns__parent_reply__init(p);
	p->parent = blob(parent.wire, parent.len);
	p->servers = xcalloc(3, sizeof(Ns__ParentReply__Server *));
	for (size_t i = 0; i < 3; i++)
		if (row->servers[i].ns[0] != NULL || row->servers[i].fault != NULL)
			p->servers[p->n_servers++] = make_server(&row->servers[i]);
	return p;
}

static void
compare(const struct row *row, const Ns__ZoneCheckReply *m)
{
	bool found = false;

	print_message("%s\n", row->what);
	assert_string_equal(m->delegated, row->delegated);
	assert_string_equal(m->ds, row->ds);
	assert_string_equal(m->parent, "ex.");
	assert_int_equal(m->n_missing, row->missing);
	assert_int_equal(m->n_extra, row->extra);
	assert_int_equal(m->n_glue, row->glue);
	for (size_t i = 0; i < m->n_todo; i++)
		found = found || (row->todo != NULL && strstr(m->todo[i], row->todo) != NULL);
	if (row->todo == NULL && m->n_todo > 0)
		fail_msg("%s: %s", row->what, m->todo[0]);
	if (row->todo != NULL && !found)
		fail_msg("%s: nothing says %s", row->what, row->todo);
}

static void
test_verdicts(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		const struct row *row = &table[i];
		Ns__ParentReply *parent = make_parent(row);
		const char *why = NULL;
		struct delegation ours;
		Ns__ZoneCheckReply *m;

		make_ours(row, &ours);
		m = delegation_judge(&ours, parent, &why);
		assert_true((m != NULL) == (row->delegated != NULL));
		if (m != NULL)
			compare(row, m);
		else
			assert_string_equal(why, "silent");
		if (m != NULL)
			ns__zone_check_reply__free_unpacked(m, NULL);
		ns__parent_reply__free_unpacked(parent, NULL);
		delegation_free(&ours);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_verdicts) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
