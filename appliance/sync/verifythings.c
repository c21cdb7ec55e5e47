/* verifythings - see verifythings.h. */
#include "appliance/sync/verifythings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/store/state.h"
#include "appliance/sync/change.h"
#include "ipc/base/clock.h"
#include "ipc/base/hash.h"
#include "ipc/base/xalloc.h"

struct look {
	struct things_check *c;
	struct store *store;
	store_fault_fn *fn;
	void *arg;
	uint64_t until_ns;
	struct wbuf body; /* of the object at hand */
	bool more;
	enum ns_err err;
	uint64_t begins; /* the log: what was before cannot be told */
};

static void
fault(struct look *l, const char *kind, const char *name, const char *text, uint64_t revision)
{
	char what[512];

	snprintf(what, sizeof what, "%s %s %s (change %llu)", kind, name, text,
	    (unsigned long long)revision);
	l->fn(l->arg, "object", "", what);
}

/* ---- those that went ---- */
static uint64_t
digest(const Ns__ChangeBody__Object *m)
{
	static const uint8_t key[16] = "objects that go";
	char both[280];
	int n = snprintf(both, sizeof both, "%s %s", m->kind, m->name);

	return hash_sip24(key, both, (size_t)n < sizeof both ? (size_t)n : sizeof both - 1) | 1;
}

/* Where it is in the table, or would be. */
static uint64_t *
place(uint64_t *table, size_t room, uint64_t d)
{
	size_t i = d & (room - 1);

	while (table[i] != 0 && table[i] != d)
		i = (i + 1) & (room - 1);
	return &table[i];
}

static bool
went(const struct things_check *c, uint64_t d)
{
	return c->room > 0 && *place(c->gone, c->room, d) == d;
}

static void
note_gone(struct things_check *c, uint64_t d)
{
	if (2 * c->ngone >= c->room) {
		size_t room = c->room != 0 ? 2 * c->room : 64;
		uint64_t *table = xcalloc(room, sizeof *table);

		for (size_t i = 0; i < c->room; i++)
			if (c->gone[i] != 0)
				*place(table, room, c->gone[i]) = c->gone[i];
		free(c->gone);
		c->gone = table;
		c->room = room;
	}
	c->ngone += !went(c, d);
	*place(c->gone, c->room, d) = d;
}

/* ---- the log ---- */
static void
judge_missing(struct look *l, const Ns__ChangeBody__Object *m, uint64_t revision)
{
	uint64_t d = digest(m);

	if (went(l->c, d))
		return;
	if (!m->removed)
		fault(l, m->kind, m->name, "is not there, though it was put and never removed",
		    revision);
	note_gone(l->c, d);
}

static void
judge(struct look *l, const Ns__ChangeBody__Object *m, uint64_t revision)
{
	struct store_object o;
	enum ns_err err;

	l->body.len = 0;
	err = store_object_get(l->store, m->kind, m->name, &o, &l->body);
	if (err == NS_NOTFOUND)
		judge_missing(l, m, revision);
	else if (err != NS_OK)
		fault(l, m->kind, m->name, "cannot be read", revision);
	else if (o.version < revision)
		fault(l, m->kind, m->name,
		    m->removed ? "is there, though it was removed" : "is older than the log says",
		    revision);
	else if (o.version == revision &&
		 (m->body.len != l->body.len || m->id != o.id ||
		     (l->body.len > 0 && memcmp(m->body.data, l->body.base, l->body.len) != 0)))
		fault(l, m->kind, m->name, "is not what the change put", revision);
}

static bool
each_change(void *arg, const struct store_change *row)
{
	struct look *l = arg;
	struct store_change again;
	Ns__ChangeBody *body;

	if (row->revision > l->c->head)
		return true;
	if (row->revision < l->begins)
		return false;
	l->c->before = row->revision;
	/* What comes with zones is looked at from the other side. */
	if (row->zone_count == 0) {
		body = change_body_load(l->store, row->revision, &again);
		for (size_t i = 0; body != NULL && i < body->n_objects; i++)
			judge(l, body->objects[i], row->revision);
		if (body != NULL)
			ns__change_body__free_unpacked(body, NULL);
	}
	l->more = row->revision > l->begins;
	return clock_mono_ns() < l->until_ns;
}

/* ---- the objects ---- */
static bool
is_put_by(const struct look *l, const struct store_object *o, const void *data, size_t len)
{
	uint8_t partly[STORE_HASH];
	struct store_change row;
	Ns__ChangeBody *body = change_body_load(l->store, o->version, &row);
	bool found = false;

	for (size_t i = 0; body != NULL && i < body->n_objects && !found; i++) {
		const Ns__ChangeBody__Object *m = body->objects[i];

		found = strcmp(m->kind, o->kind) == 0 && strcmp(m->name, o->name) == 0 &&
			!m->removed && m->body.len == len &&
			(len == 0 || memcmp(m->body.data, data, len) == 0);
	}
	if (body != NULL)
		ns__change_body__free_unpacked(body, NULL);
	/* Of a change that is held in part, it may be in the other one. */
	return found || store_change_digest(l->store, o->version, partly) == NS_OK;
}

static bool
each_object(void *arg, const struct store_object *o, const void *data, size_t len)
{
	struct look *l = arg;

	snprintf(l->c->kind, sizeof l->c->kind, "%s", o->kind);
	snprintf(l->c->name, sizeof l->c->name, "%s", o->name);
	l->c->count++;
	l->more = true;
	if (o->version <= l->c->head && o->version >= l->begins && !is_put_by(l, o, data, len))
		fault(l, o->kind, o->name, "is of no change that put it", o->version);
	return clock_mono_ns() < l->until_ns;
}

/* What was removed since the check began is no loss. */
static void
note_newer(struct look *l, uint64_t upto)
{
	struct store_change row;

	for (uint64_t r = l->c->seen + 1; r <= upto; r++) {
		Ns__ChangeBody *body = change_body_load(l->store, r, &row);

		for (size_t i = 0; body != NULL && i < body->n_objects; i++)
			if (body->objects[i]->removed)
				note_gone(l->c, digest(body->objects[i]));
		if (body != NULL)
			ns__change_body__free_unpacked(body, NULL);
	}
	l->c->seen = upto;
}

static enum ns_err
begin(struct look *l)
{
	struct things_check *c = l->c;
	uint8_t hash[STORE_HASH];
	uint64_t head, term;
	enum ns_err err = store_head(l->store, &head, &term, hash);

	if (err == NS_OK)
		err = store_history(l->store, &l->begins);
	if (err != NS_OK)
		return err;
	if (c->head == 0) {
		c->head = c->seen = head;
		c->before = head + 1;
	}
	note_newer(l, head);
	return NS_OK;
}

static enum ns_err
step(struct look *l)
{
	struct things_check *c = l->c;
	enum ns_err err = begin(l);

	if (err == NS_OK && c->before > 1) {
		err = store_change_each(l->store, 0, c->before, each_change, l);
		if (!l->more)
			c->before = 1;
		l->more = true;
		return err;
	}
	if (err == NS_OK)
		err = store_object_after(l->store, c->kind, c->name, each_object, l);
	return err;
}

enum ns_err
things_check_step(
    struct things_check *c, struct store *s, unsigned ms, store_fault_fn *fn, void *arg, bool *done)
{
	struct look l = { .c = c,
		.store = s,
		.fn = fn,
		.arg = arg,
		.until_ns = clock_mono_ns() + ms * 1000000ull,
		.body = wbuf_grow(STORE_OBJECT_MAX) };
	enum ns_err err = store_begin(s, NULL);

	if (err == NS_OK) {
		err = step(&l);
		store_rollback(s);
	}
	wbuf_free(&l.body);
	*done = err == NS_OK && !l.more;
	return err;
}

void
things_check_free(struct things_check *c)
{
	free(c->gone);
	*c = (struct things_check){ 0 };
}
