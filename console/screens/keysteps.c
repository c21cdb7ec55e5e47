/* keysteps.c - see keysteps.h. */
#include "console/screens/keysteps.h"

#include <stdio.h>
#include <string.h>

typedef Ns__DnssecShowReply__Key Key;

static bool
is(const Key *k, const char *state)
{
	return strcmp(k->state, state) == 0;
}

static bool
is_new(const Key *k)
{
	return is(k, "presign") || is(k, "published") || is(k, "ready");
}

static bool
is_old(const Key *k)
{
	return is(k, "outgoing") || is(k, "retired") || is(k, "postsign");
}

static const Key *
ksk(const Ns__DnssecShowReply *m, bool (*fits)(const Key *))
{
	for (size_t i = 0; i < m->n_keys; i++)
		if (strcmp(m->keys[i]->role, "ksk") == 0 && fits(m->keys[i]))
			return m->keys[i];
	return NULL;
}

static bool
is_active(const Key *k)
{
	return is(k, "active");
}

bool
keysteps_ds_there(const Ns__DnssecShowReply *m)
{
	for (size_t i = 0; i < m->n_keys; i++)
		if (strcmp(m->keys[i]->ds_seen, "all") == 0 ||
		    strcmp(m->keys[i]->ds_seen, "some") == 0)
			return true;
	return false;
}

static void
step(struct keysteps *s, enum step_mark mark, const char *when, const char *text)
{
	s->list[s->n].mark = mark;
	snprintf(s->list[s->n].text, sizeof s->list[0].text, "%s", text);
	snprintf(s->list[s->n].when, sizeof s->list[0].when, "%s", mark == STEP_NOW ? when : "");
	s->n++;
}

/* The step at place `at` is under way: those before it are done. */
static enum step_mark
mark(const struct keysteps *s, size_t at)
{
	return s->n < at ? STEP_DONE : s->n == at ? STEP_NOW : STEP_NEXT;
}

static void
leaving(const Ns__DnssecShowReply *m, struct keysteps *s)
{
	size_t at = m->waits_for[0] != '\0' ? 1 : 2;

	snprintf(s->title, sizeof s->title, "On its way to unsigned");
	step(s, mark(s, at), "", "CDS asks the parent to drop its DS");
	step(s, mark(s, at), "", "the registrar removes the DS");
	step(s, mark(s, at), m->next_event, "no cache has the DS any more");
	step(s, mark(s, at), "", "the zone is unsigned");
}

static void
rolling(const Key *new, const Key *old, struct keysteps *s)
{
	bool seen = strcmp(new->ds_seen, "all") == 0;
	size_t at = is(new, "presign")     ? 0
		    : is(new, "published") ? 1
		    : is(new, "ready")     ? 2 + (seen ? 1u : 0u)
					   : 4;
	char text[64];

	if (old != NULL)
		snprintf(s->title, sizeof s->title, "KSK roll %u -> %u", old->tag, new->tag);
	else
		snprintf(s->title, sizeof s->title, "First DS, of key %u", new->tag);
	step(s, mark(s, at), new->next_at, "DNSKEY published");
	step(s, mark(s, at), new->next_at,
	    old != NULL ? "its TTL passed: every cache has it" : "caches forgot unsigned answers");
	step(s, mark(s, at), "", "you give the DS to the registrar");
	if (at == 2)
		snprintf(s->list[2].since, sizeof s->list[2].since, "%s", new->since);
	step(s, mark(s, at), new->next_at, "DS at all servers of the parent");
	if (old == NULL)
		return;
	snprintf(text, sizeof text, "key %u removed", old->tag);
	step(s, mark(s, at), old->next_at, text);
}

void
keysteps_of(const Ns__DnssecShowReply *m, struct keysteps *s)
{
	const Key *new = ksk(m, is_new), *active = ksk(m, is_active), *old = ksk(m, is_old);

	*s = (struct keysteps){ .n = 0 };
	if (strcmp(m->status, "leaving") == 0)
		leaving(m, s);
	else if (new != NULL)
		rolling(new, active != NULL ? active : old, s);
	else if (old != NULL && active != NULL)
		rolling(active, old, s);
}
