/* fold - a run of changes adopted together leaves the store as the same changes adopted one by one do, whatever is
 * among them, and where the store is not what they were made on. */
// link: appliance/sync/adopt.c appliance/sync/fold.c appliance/sync/bodycheck.c appliance/fleet/follow.c
// link: appliance/sync/keyfeed.c appliance/sync/asof.c appliance/sync/past.c appliance/sync/redact.c
// link: appliance/sync/withhold.c appliance/sync/change.c appliance/sync/diff.c appliance/sync/residency.c
// link: appliance/sync/batch.c appliance/sync/feedblock.c appliance/sync/importzone.c appliance/sync/request.c
// link: appliance/sync/people.c appliance/sync/checkdelta.c appliance/sync/apply.c appliance/sync/patch.c appliance/sync/place.c
// link: appliance/sync/settings.c appliance/sync/storeview.c appliance/sync/secret.c
// link: tests/lib/fake/sync.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "appliance/dns/zwire.h"
#include "appliance/sync/adopt.h"
#include "appliance/sync/change.h"
#include "appliance/sync/storeview.h"
#include "appliance/sync/writer.h"
#include "ipc/base/xalloc.h"
#include "tests/lib/store_kit.h"

#define ZONES   5u
#define CHANGES 600u
#define OWNERS  400u /* of the zone that grows: over STORE_PART */

static void
done(struct job *job, struct sync *s)
{
	(void)job;
	(void)s;
}

/* ---- a primary and what it commits ---- */
struct zone {
	struct store_zone row;
	bool there;
	uint32_t salt[OWNERS]; /* of each owner's set; 0: none */
};
struct primary {
	struct kit_store *k;
	struct batch *b;
	struct zone zones[ZONES];
	uint64_t seed;
};

static struct kit_name
owner_of(unsigned zone, unsigned owner)
{
	char text[64];

	snprintf(text, sizeof text, owner == 0 ? "z%u.example." : "h%03u.z%u.example.",
	    owner == 0 ? zone : owner, zone);
	return kit_name(text);
}

static void
put_set(struct wbuf *w, unsigned zone, unsigned owner, uint32_t salt)
{
	if (salt != 0)
		kit_owner(w, owner_of(zone, owner).wire, 1, 60, salt);
}

static void
end_change(struct primary *p, struct change *c, struct zone *z)
{
	OK(change_commit(c, p->b, NULL));
	change_free(c);
	if (z != NULL)
		z->row.version = p->b->revision;
}

static void
begin(struct primary *p, struct change *c, const char *kind)
{
	struct caller who = { .name = "test", .source = "local", .appliance = "fra1-a" };

	(void)p;
	change_begin(c, &who, kind, "", 7, 1);
}

static void
all_of(const struct zone *z, unsigned n, struct wbuf *w)
{
	for (unsigned i = 0; i < OWNERS; i++)
		put_set(w, n, i, z->salt[i]);
}

static void
create(struct primary *p, unsigned n)
{
	struct zone *z = &p->zones[n];
	struct kit_name name = owner_of(n, 0);
	struct diff d = { .removed = wbuf_grow(1 << 20), .added = wbuf_grow(1 << 20) };
	struct change c;

	*z = (struct zone){ .there = true,
		.row = { .id = 10 + n + p->b->revision, .name_len = (uint8_t)name.len } };
	memcpy(z->row.name, name.wire, name.len);
	z->salt[0] = 1;
	all_of(z, n, &d.added);
	begin(p, &c, "create");
	change_zone(&c, NS__CHANGE_BODY__ZONE__KIND__CREATE, &z->row, &d);
	end_change(p, &c, z);
}

static void
drop(struct primary *p, unsigned n)
{
	struct zone *z = &p->zones[n];
	struct diff d = { .removed = wbuf_grow(1 << 20), .added = wbuf_grow(1 << 20) };
	struct change c;

	all_of(z, n, &d.removed);
	begin(p, &c, "delete");
	change_zone(&c, NS__CHANGE_BODY__ZONE__KIND__DELETE, &z->row, &d);
	end_change(p, &c, NULL);
	z->there = false;
}

/* Some owners of it, the apex too; `most` bounds which. */
static void
edit(struct primary *p, unsigned n, unsigned most)
{
	struct zone *z = &p->zones[n];
	struct diff d = { .removed = wbuf_grow(1 << 20), .added = wbuf_grow(1 << 20) };
	unsigned first = (unsigned)(kit_random(&p->seed) % most), count = 1 + n % 3;
	struct change_zone *cz;
	struct change c;

	for (unsigned i = first; i < first + count && i < most; i++) {
		uint32_t now = kit_random(&p->seed) % 4 == 0 && i > 0
				   ? 0
				   : (uint32_t)(p->b->revision * 8 + i + 9);

		put_set(&d.removed, n, i, z->salt[i]);
		put_set(&d.added, n, i, now);
		z->salt[i] = now;
	}
	begin(p, &c, "edit");
	cz = change_zone(&c, NS__CHANGE_BODY__ZONE__KIND__EDIT, &z->row, &d);
	cz->msg.serial_after = ++z->row.serial;
	cz->msg.account_id = 3;
	cz->msg.account_given = kit_random(&p->seed) % 16 == 0;
	end_change(p, &c, z);
}

static void
user(struct primary *p)
{
	Ns__ChangeBody__Object m = NS__CHANGE_BODY__OBJECT__INIT, *list[1] = { &m };
	struct store_object o = { .kind = "user", .name = "anna" };
	struct change c;

	OK(store_object_put(p->b->store, &o, "x", 1, NULL));
	m.id = o.id;
	m.kind = o.kind;
	m.name = o.name;
	m.body = (ProtobufCBinaryData){ 1, (uint8_t *)(uintptr_t) "x" };
	begin(p, &c, "user");
	c.body.objects = list;
	c.body.n_objects = 1;
	end_change(p, &c, NULL);
}

static void
commit_some(struct primary *p)
{
	unsigned n = (unsigned)(kit_random(&p->seed) % ZONES),
		 what = (unsigned)(kit_random(&p->seed) % 40);

	if (!p->zones[n].there)
		create(p, n);
	else if (what == 0)
		drop(p, n);
	else if (what == 1)
		user(p);
	else
		edit(p, n, n == 0 ? OWNERS : 12);
}

/* ---- replicas ---- */
static struct followed *
followed_of(struct store *s, uint64_t revision)
{
	struct followed *f = xcalloc(1, sizeof *f);
	struct wbuf body = wbuf_grow(1 << 20);
	struct store_change c;

	OK(store_change_get(s, revision, &c, &body));
	f->body = body.base != NULL ? body.base : xmalloc(1);
	f->body_len = body.len;
	f->head = xmalloc(sizeof *f->head);
	ns__fleet_change__init(f->head);
	f->head->revision = c.revision;
	f->head->term = c.term;
	f->head->at_ms = c.at_ms;
	f->head->author = xstrdup(c.author);
	f->head->via = xstrdup(c.via);
	f->head->source = xstrdup(c.source);
	f->head->appliance = xstrdup(c.appliance);
	f->head->kind = xstrdup(c.kind);
	f->head->comment = xstrdup(c.comment);
	f->head->added = c.added;
	f->head->removed = c.removed;
	f->head->zone_count = c.zone_count;
	f->head->prev = (ProtobufCBinaryData){ STORE_HASH, xmalloc(STORE_HASH) };
	f->head->hash = (ProtobufCBinaryData){ STORE_HASH, xmalloc(STORE_HASH) };
	memcpy(f->head->prev.data, c.prev, STORE_HASH);
	memcpy(f->head->hash.data, c.hash, STORE_HASH);
	return f;
}

struct replica {
	struct kit_store *k;
	uint64_t revision, zones;
	unsigned differs;
};

static void
adopt(struct replica *r, struct store *from, uint64_t count)
{
	struct writer_thread w = { .store = r->k->s };
	struct followed *first = NULL, **last = &first;
	struct adopt_job *j;

	for (uint64_t i = 1; i <= count; i++, last = &(*last)->next)
		*last = followed_of(from, r->revision + i);
	j = adopt_job_new(first, done);
	OK(store_begin(r->k->s, NULL));
	w.batch = batch_new(r->k->s, r->revision, 1, r->zones);
	j->w.job.work(&j->w.job, &w);
	assert_int_equal(j->w.err, NS_OK);
	assert_int_equal(j->adopted, r->revision + count);
	assert_int_equal(w.batch->revision, r->revision + count);
	OK(batch_build_feed(w.batch, &j->w.why));
	OK(store_commit(r->k->s, NULL));
	r->differs += j->ndiffers;
	r->revision = w.batch->revision;
	r->zones = w.batch->zones;
	batch_destroy(&w.batch);
	adopt_job_destroy(&j);
}

struct zone_list {
	struct store_zone list[ZONES + 1];
	size_t n;
};

static bool
add_zone(void *arg, const struct store_zone *z)
{
	struct zone_list *l = arg;

	assert_true(l->n <= ZONES);
	l->list[l->n++] = *z;
	return true;
}

static void
assert_same(struct replica *a, struct replica *b)
{
	struct zone_list la = { 0 }, lb = { 0 };
	uint8_t ha[STORE_HASH], hb[STORE_HASH];
	uint64_t revision, term;

	OK(store_head(a->k->s, &revision, &term, ha));
	OK(store_head(b->k->s, &revision, &term, hb));
	assert_memory_equal(ha, hb, STORE_HASH);
	assert_int_equal(a->zones, b->zones);
	assert_int_equal(a->differs, b->differs);
	OK(store_zone_each(a->k->s, NULL, add_zone, &la));
	OK(store_zone_each(b->k->s, NULL, add_zone, &lb));
	assert_int_equal(la.n, lb.n);
	for (size_t i = 0; i < la.n; i++) {
		struct wbuf wa = wbuf_grow(1 << 20), wb = wbuf_grow(1 << 20);

		assert_memory_equal(&la.list[i], &lb.list[i], sizeof la.list[i]);
		OK(store_content_all(a->k->s, &la.list[i], &wa));
		OK(store_content_all(b->k->s, &lb.list[i], &wb));
		assert_int_equal(wa.len, wb.len);
		assert_int_equal(wa.len, la.list[i].bytes);
		assert_memory_equal(wa.base, wb.base, wa.len);
		wbuf_free(&wa);
		wbuf_free(&wb);
	}
}

/* What is not as the primary has it, in both alike: the content of one zone, the version of the next. */
static void
damage(struct replica *r, unsigned n)
{
	struct kit_name name = owner_of(n, 0);
	struct wbuf w = wbuf_grow(4096);
	struct store_zone z;

	kit_owner(&w, name.wire, 1, 60, 77777);
	OK(store_begin(r->k->s, NULL));
	OK(store_zone_find(r->k->s, name.wire, &z));
	OK(store_owner_put(r->k->s, z.id, name.wire, w.base, w.len, NULL));
	OK(store_zone_find(r->k->s, owner_of(n + 1, 0).wire, &z));
	z.version--;
	OK(store_zone_put(r->k->s, &z, NULL));
	OK(store_commit(r->k->s, NULL));
	wbuf_free(&w);
}

static void
same_as_one_by_one(void **state)
{
	struct primary p = { .k = *state, .seed = 11 };
	struct replica run = { 0 }, each = { 0 };
	void *one = NULL, *other = NULL;

	assert_int_equal(kit_set_up(&one) + kit_set_up(&other), 0);
	run.k = one;
	each.k = other;
	OK(store_begin(p.k->s, NULL));
	p.b = batch_new(p.k->s, 0, 1, 0);
	for (unsigned i = 0; i < CHANGES; i++)
		commit_some(&p);
	for (unsigned n = 0; n < ZONES; n++)
		if (!p.zones[n].there)
			create(&p, n);
	uint64_t middle = p.b->revision;
	for (unsigned i = 0; i < 40; i++)
		edit(&p, i % ZONES, 3);
	user(&p);
	OK(store_commit(p.k->s, NULL));

	while (run.revision < middle) {
		uint64_t n = 1 + kit_random(&p.seed) % 50;

		adopt(&run, p.k->s, n < middle - run.revision ? n : middle - run.revision);
		while (each.revision < run.revision)
			adopt(&each, p.k->s, 1);
		assert_same(&run, &each);
	}
	assert_int_equal(run.differs, 0);
	kit_assert_sound(run.k->s);

	damage(&run, 1);
	damage(&each, 1);
	adopt(&run, p.k->s, p.b->revision - middle);
	while (each.revision < run.revision)
		adopt(&each, p.k->s, 1);
	assert_int_equal(run.differs, 16); /* eight changes of each */
	assert_same(&run, &each);
	batch_destroy(&p.b);
	kit_tear_down(&one);
	kit_tear_down(&other);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(same_as_one_by_one, kit_set_up, kit_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
