/* asof - see asof.h. */
#include "appliance/sync/asof.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/dns/name.h"
#include "appliance/dns/zwire.h"
#include "appliance/keys/keybody.h"
#include "appliance/sync/change.h"
#include "appliance/sync/checks.h"
#include "appliance/sync/errors.h"
#include "appliance/sync/past.h"
#include "ipc/base/xalloc.h"

#define PIECE (256u << 10)

/* ---- what was touched ---- */
static void
add_zone(struct asof *a, const Ns__ChangeBody__Zone *m, uint64_t revision)
{
	size_t len = name_check(m->name.data, m->name.len);
	struct asof_zone *z;

	if (len == 0 || len != m->name.len)
		return;
	if (a->nzones == a->zones_room) {
		a->zones_room = a->zones_room != 0 ? 2 * a->zones_room : 16;
		a->zones = xreallocarray(a->zones, a->zones_room, sizeof *a->zones);
	}
	z = &a->zones[a->nzones++];
	*z = (struct asof_zone){ .id = m->zone_id,
		.changed = revision,
		.version = m->base_version,
		.there = m->kind != NS__CHANGE_BODY__ZONE__KIND__CREATE };
	memcpy(z->name, m->name.data, len);
}

static void
add_object(struct asof *a, const Ns__ChangeBody__Object *m)
{
	struct asof_object *o;

	if (strcmp(m->kind, KEYS_KIND) != 0 && strcmp(m->kind, KEYRING_KIND) != 0 &&
	    strcmp(m->kind, CHECK_KIND) != 0)
		return;
	if (asof_object(a, m->kind, m->name) != NULL)
		return;
	a->objects = xreallocarray(a->objects, a->nobjects + 1, sizeof *a->objects);
	o = &a->objects[a->nobjects++];
	*o = (struct asof_object){ .body = wbuf_grow(STORE_OBJECT_MAX) };
	snprintf(o->kind, sizeof o->kind, "%s", m->kind);
	snprintf(o->name, sizeof o->name, "%s", m->name);
}

static enum ns_err
add_change(struct asof *a, uint64_t revision, struct ns_why *why)
{
	struct store_change row;
	Ns__ChangeBody *body = change_body_load(a->store, revision, &row);

	if (body == NULL)
		return ns_fail(why, NS_CORRUPT, ES_BODY, "change %llu of the log cannot be read",
		    (unsigned long long)revision);
	for (size_t i = 0; i < body->n_zones; i++)
		add_zone(a, body->zones[i], revision);
	for (size_t i = 0; i < body->n_objects; i++)
		add_object(a, body->objects[i]);
	ns__change_body__free_unpacked(body, NULL);
	return NS_OK;
}

static int
cmp_zones(const void *a, const void *b)
{
	const struct asof_zone *x = a, *y = b;

	if (x->id != y->id)
		return x->id < y->id ? -1 : 1;
	return (x->changed > y->changed) - (x->changed < y->changed);
}

/* The first change of each tells what was before all of them. */
static void
settle(struct asof *a)
{
	size_t n = 0;

	if (a->nzones > 0)
		qsort(a->zones, a->nzones, sizeof *a->zones, cmp_zones);
	for (size_t i = 0; i < a->nzones; i++)
		if (n == 0 || a->zones[n - 1].id != a->zones[i].id)
			a->zones[n++] = a->zones[i];
	a->nzones = n;
}

/* ---- objects: the newest word on each that stays ---- */
struct search {
	struct asof *a;
	size_t missing;
	bool *found;
};

static void
look_object(struct search *w, const Ns__ChangeBody__Object *m, uint64_t revision)
{
	for (size_t i = 0; i < w->a->nobjects; i++) {
		struct asof_object *o = &w->a->objects[i];

		if (w->found[i] || strcmp(o->kind, m->kind) != 0 || strcmp(o->name, m->name) != 0)
			continue;
		w->found[i] = true;
		w->missing--;
		o->there = !m->removed;
		o->id = m->id;
		o->version = revision;
		wbuf_put(&o->body, m->body.data, m->body.len);
	}
}

static bool
look(void *arg, const struct store_change *row)
{
	struct search *w = arg;
	struct store_change again;
	Ns__ChangeBody *body;

	if (!change_may_name_objects(row))
		return true;
	body = change_body_load(w->a->store, row->revision, &again);
	for (size_t i = 0; body != NULL && i < body->n_objects; i++)
		look_object(w, body->objects[i], row->revision);
	if (body != NULL)
		ns__change_body__free_unpacked(body, NULL);
	return w->missing > 0;
}

static enum ns_err
look_back(struct asof *a)
{
	struct search w = { .a = a, .missing = a->nobjects };
	enum ns_err err = NS_OK;

	w.found = xcalloc(a->nobjects + 1, sizeof *w.found);
	if (a->nobjects > 0)
		err = store_change_each(a->store, 0, a->revision + 1, look, &w);
	free(w.found);
	return err;
}

enum ns_err
asof_load(struct asof *a, struct store *s, uint64_t revision, uint64_t head, struct ns_why *why)
{
	enum ns_err err = NS_OK;

	*a = (struct asof){ .store = s, .revision = revision };
	for (uint64_t r = revision + 1; r <= head && err == NS_OK; r++)
		err = add_change(a, r, why);
	settle(a);
	return err == NS_OK ? look_back(a) : err;
}

void
asof_free(struct asof *a)
{
	for (size_t i = 0; i < a->nobjects; i++)
		wbuf_free(&a->objects[i].body);
	free(a->objects);
	free(a->zones);
	*a = (struct asof){ 0 };
}

/* ---- content ---- */
struct merge {
	const struct past *past;
	size_t at;
	struct wbuf *out;
};

/* What went, or was otherwise, before this one in the order of a zwire (NULL: all of it).  True: the set itself is
 * one of them. */
static bool
put_past(struct merge *m, const struct rrset *upto)
{
	for (; m->at < m->past->count; m->at++) {
		const struct past_set *p = &m->past->sets[m->at];
		int c = upto != NULL ? rrset_cmp(&p->key, upto) : -1;

		if (c > 0)
			return false;
		if (p->there)
			wbuf_put(m->out, p->set.raw, p->set.raw_len);
		if (c == 0) {
			m->at++;
			return true;
		}
	}
	return false;
}

static void
merge_piece(struct merge *m, const struct wbuf *piece)
{
	struct zwire_iter it = zwire_iter(piece->base, piece->len);
	struct rrset set;

	while (zwire_next(&it, &set))
		if (!put_past(m, &set))
			wbuf_put(m->out, set.raw, set.raw_len);
}

static enum ns_err
merge_stored(struct merge *m, struct store *s, uint64_t id)
{
	struct wbuf piece = wbuf_grow(8 * PIECE);
	uint8_t last[NAME_MAX_WIRE];
	bool first = true;
	enum ns_err err;

	do {
		piece.len = 0;
		err = store_content_get(s, id, first ? NULL : last, PIECE, &piece, last);
		first = false;
		if (err == NS_OK)
			merge_piece(m, &piece);
	} while (err == NS_OK);
	wbuf_free(&piece);
	return err == NS_NOTFOUND ? NS_OK : err;
}

enum ns_err
asof_content(const struct asof *a, const struct asof_zone *z, struct store_zone *row,
    struct wbuf *zwire, struct ns_why *why)
{
	struct past past;
	struct merge m = { .past = &past, .out = zwire };
	enum ns_err err = past_load(&past, a->store, z->id, PAST_VERSION, a->revision, why);
	bool here = false;

	*row = (struct store_zone){ .id = z->id };
	if (err == NS_OK) {
		err = store_zone_by_id(a->store, z->id, row);
		here = err == NS_OK;
	}
	if (here)
		err = merge_stored(&m, a->store, z->id);
	else if (err == NS_NOTFOUND)
		err = NS_OK; /* deleted since: all of it is in the log */
	if (err == NS_OK)
		(void)put_past(&m, NULL);
	row->version = z->version;
	row->name_len = (uint8_t)name_len(z->name);
	memcpy(row->name, z->name, row->name_len);
	past_free(&past);
	return err != NS_OK || wbuf_ok(zwire) ? err : NS_INVALID;
}
