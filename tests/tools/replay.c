/* replay FROM TO - read the change log of the store in FROM into an empty store in TO, change by change from
 * stored headers and bodies alone, as a replica does it, and compare: heads, zone rows, content, settings.
 * Says what differs and exits 1, or prints "same REVISION ZONES". */
// link: appliance/sync/keyfeed.c appliance/sync/asof.c appliance/sync/past.c
// link: appliance/sync/secret.c
// link: appliance/sync/apply.c
// link: appliance/sync/bodycheck.c
// link: appliance/sync/batch.c
// link: appliance/sync/checkdelta.c
// link: appliance/sync/diff.c
// link: appliance/sync/feedblock.c
// link: appliance/sync/importzone.c
// link: appliance/sync/patch.c
// link: appliance/sync/people.c
// link: appliance/sync/place.c
// link: appliance/sync/request.c
// link: appliance/sync/settings.c
// link: appliance/sync/change.c
// link: appliance/sync/storeview.c
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/dns/name.h"
#include "appliance/sync/apply.h"
#include "appliance/sync/bodycheck.h"
#include "appliance/sync/queue.h"
#include "appliance/sync/storeview.h"
#include "ipc/base/xalloc.h"

#define BODY_MAX (512u << 20)

/* The way of imports, which no replayed change goes. */
void
import_zone_work(struct job *job, void *thread)
{
	(void)job;
	(void)thread;
	abort();
}

static struct store *from, *to;
static unsigned differences;

static void
stop(const char *what, uint64_t revision, const struct ns_why *why)
{
	fprintf(stderr, "replay: change %llu: %s: %s%s%s\n", (unsigned long long)revision, what,
	    why->text, why->zone[0] != '\0' ? " zone " : "", why->zone);
	exit(1);
}

static size_t
zone_ids(const Ns__ChangeBody *body, uint64_t **out)
{
	*out = xcalloc(body->n_zones + 1, sizeof **out);
	for (size_t i = 0; i < body->n_zones; i++)
		(*out)[i] = body->zones[i]->zone_id;
	return body->n_zones;
}

static void
replay_one(struct batch *b, uint64_t revision)
{
	struct store_change c, copy;
	struct wbuf bytes = wbuf_grow(BODY_MAX);
	struct ns_why why = { 0 };
	Ns__ChangeBody *body;
	uint64_t *ids;
	size_t n;

	if (store_change_get(from, revision, &c, &bytes) != NS_OK ||
	    (body = ns__change_body__unpack(NULL, bytes.len, bytes.base)) == NULL)
		stop("cannot be read", revision, &why);
	if (change_body_check(body, &why) != NS_OK)
		stop("is refused", revision, &why);
	copy = c;
	n = zone_ids(body, &ids);
	if (store_change_append(to, &copy, bytes.base, bytes.len, ids, n, &why) != NS_OK)
		stop("cannot be appended", revision, &why);
	if (memcmp(copy.hash, c.hash, sizeof c.hash) != 0)
		stop("has another hash", revision, &why);
	if (change_apply(b, &copy, body, &why) != NS_OK)
		stop("cannot be applied", revision, &why);
	b->revision = revision;
	free(ids);
	ns__change_body__free_unpacked(body, NULL);
	wbuf_free(&bytes);
}

static uint64_t
replay(void)
{
	uint8_t hash[STORE_HASH];
	uint64_t head, term;
	struct ns_why why = { 0 };
	struct batch *b;

	if (store_head(from, &head, &term, hash) != NS_OK || store_begin(to, &why) != NS_OK)
		stop("begin", 0, &why);
	b = batch_new(to, 0, 1, 0);
	for (uint64_t r = 1; r <= head; r++)
		replay_one(b, r);
	if (batch_build_feed(b, &why) != NS_OK)
		stop("no feed", head, &why);
	batch_destroy(&b);
	if (store_commit(to, &why) != NS_OK)
		stop("commit", head, &why);
	return head;
}

/* ---- comparing ---- */
static void
differs(const struct store_zone *z, const char *what)
{
	char text[NAME_MAX_TEXT];

	fprintf(stderr, "replay: %s: %s differs\n", name_to_text(z->name, text), what);
	differences++;
}

struct list {
	struct store_zone *z;
	size_t n, room;
};

static bool
collect(void *arg, const struct store_zone *z)
{
	struct list *l = arg;

	if (l->n == l->room) {
		l->room = l->room != 0 ? 2 * l->room : 64;
		l->z = xreallocarray(l->z, l->room, sizeof *l->z);
	}
	l->z[l->n++] = *z;
	return true;
}

/* Rows and tombstones alike. */
static struct list
all_zones(struct store *s)
{
	struct list l = { 0 };

	if (store_zones_since(s, 0, collect, &l) != NS_OK)
		abort();
	return l;
}

static void
compare_zone(const struct store_zone *a, const struct store_zone *b)
{
	struct wbuf wa = wbuf_grow(1u << 30), wb = wbuf_grow(1u << 30);

	if (a->id != b->id || !name_equal(a->name, b->name))
		differs(a, "the list of zones");
	if (a->version != b->version || a->serial != b->serial || a->external != b->external ||
	    a->deleted != b->deleted || a->changed_ms != b->changed_ms ||
	    a->records != b->records || a->rrsets != b->rrsets)
		differs(a, "the row");
	if (!a->deleted &&
	    (store_content_all(from, a, &wa) != NS_OK || store_content_all(to, b, &wb) != NS_OK ||
		wa.len != wb.len || memcmp(wa.base, wb.base, wa.len) != 0))
		differs(a, "the content");
	wbuf_free(&wa);
	wbuf_free(&wb);
}

static bool
compare_setting(void *arg, const char *name, const char *value)
{
	char *other = NULL;

	(void)arg;
	if (store_setting_get(to, name, &other) != NS_OK || strcmp(value, other) != 0) {
		fprintf(stderr, "replay: setting %s differs\n", name);
		differences++;
	}
	free(other);
	return true;
}

static bool
list_object(void *arg, const struct store_object *o, const void *body, size_t len)
{
	struct wbuf *w = arg;

	wbuf_put(w, o->kind, sizeof o->kind);
	wbuf_put(w, o->name, strlen(o->name) + 1);
	wbuf_u32(w, (uint32_t)o->id);
	wbuf_u32(w, (uint32_t)o->version);
	wbuf_put(w, body, len);
	return true;
}

static void
compare_objects(void)
{
	struct wbuf a = wbuf_grow(1u << 24), b = wbuf_grow(1u << 24);

	if (store_object_each(from, NULL, list_object, &a) != NS_OK ||
	    store_object_each(to, NULL, list_object, &b) != NS_OK || a.len != b.len ||
	    (a.len > 0 && memcmp(a.base, b.base, a.len) != 0)) {
		fprintf(stderr, "replay: objects differ\n");
		differences++;
	}
	wbuf_free(&a);
	wbuf_free(&b);
}

int
main(int argc, char **argv)
{
	struct ns_why why = { 0 };
	struct list a, b;
	uint64_t head;

	if (argc != 3) {
		fprintf(stderr, "usage: replay FROM TO\n");
		return 2;
	}
	if (store_open(argv[1], STORE_READ, NULL, &from, &why) != NS_OK ||
	    store_open(argv[2], STORE_WRITE, NULL, &to, &why) != NS_OK)
		stop("open", 0, &why);
	head = replay();
	a = all_zones(from);
	b = all_zones(to);
	if (a.n != b.n) {
		fprintf(stderr, "replay: %zu and %zu zones\n", a.n, b.n);
		differences++;
	}
	for (size_t i = 0; i < a.n && i < b.n; i++)
		compare_zone(&a.z[i], &b.z[i]);
	if (store_setting_each(from, compare_setting, NULL) != NS_OK)
		abort();
	compare_objects();
	printf(
	    "%s %llu %zu\n", differences == 0 ? "same" : "differ", (unsigned long long)head, a.n);
	free(a.z);
	free(b.z);
	store_close(&from);
	store_close(&to);
	return differences == 0 ? 0 : 1;
}
