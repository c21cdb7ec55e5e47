/* peers.c - see peers.h. */
#include "appliance/probe/peers.h"

#include <stdio.h>
#include <string.h>

static bool
may_be_assigned(const struct quorum_member *m)
{
	return !m->out && m->silent_ms <= QUORUM_SILENT_MS;
}

void
peers_look(struct peers *p, uint64_t now_ms)
{
	for (size_t i = 0; i < p->count; i++) {
		struct quorum_member *m = &p->members[i];
		bool was = may_be_assigned(m);
		uint64_t heard = p->list[i].heard_ms;

		m->silent_ms = i == 0 || now_ms < heard ? 0 : now_ms - heard;
		p->round += was != may_be_assigned(m);
	}
	p->frozen = quorum_frozen(p->members, p->count);
}

static void
put(struct peers *p, size_t slot, const struct peer_row *r)
{
	struct peer *e = &p->list[slot];

	snprintf(e->site, sizeof e->site, "%s", r->site);
	e->listed = true;
	p->members[slot].name = e->name;
	p->members[slot].site = e->site;
	p->members[slot].out = r->out;
}

static void
come(struct peers *p, size_t slot, const struct peer_row *r, uint64_t now_ms)
{
	p->list[slot] = (struct peer){ .since_ms = now_ms, .heard_ms = now_ms };
	snprintf(p->list[slot].name, sizeof p->list[slot].name, "%s", r->name);
	p->members[slot].silent_ms = 0;
	put(p, slot, r);
	if (slot == p->count)
		p->count++;
}

void
peers_init(struct peers *p, const char *self, const char *site, uint64_t now_ms)
{
	struct peer_row r = { self, site, false };

	*p = (struct peers){ .round = 1 };
	come(p, 0, &r, now_ms);
}

static size_t
slot_of(const struct peers *p, const char *name)
{
	size_t i = 0;

	while (i < p->count && strcmp(p->list[i].name, name) != 0)
		i++;
	return i;
}

/* A new one's: behind all, or of one that has left. */
static size_t
free_slot(const struct peers *p)
{
	size_t i = 1;

	if (p->count < QUORUM_MEMBERS)
		return p->count;
	while (i < QUORUM_MEMBERS && p->list[i].listed)
		i++;
	return i;
}

void
peers_set(struct peers *p, const struct peer_row *rows, size_t n, uint64_t now_ms)
{
	for (size_t i = 0; i < p->count; i++)
		p->list[i].listed = false;
	for (size_t i = 0; i < n; i++) {
		size_t slot = slot_of(p, rows[i].name);

		if (slot < p->count)
			put(p, slot, &rows[i]);
	}
	/* Those that there were have their slots before others are looked for. */
	for (size_t i = 0; i < n; i++) {
		size_t slot = slot_of(p, rows[i].name);

		if (slot == p->count && (slot = free_slot(p)) < QUORUM_MEMBERS)
			come(p, slot, &rows[i], now_ms);
	}
	p->members[0].out = p->list[0].listed && p->members[0].out;
	p->list[0].listed = true;
	p->others = 0;
	for (size_t i = 1; i < p->count; i++) {
		p->members[i].out = p->members[i].out || !p->list[i].listed;
		p->others += p->list[i].listed;
	}
	p->round++;
	peers_look(p, now_ms);
}

struct peer *
peers_find(struct peers *p, const char *name)
{
	size_t slot = slot_of(p, name);

	return slot < p->count && p->list[slot].listed ? &p->list[slot] : NULL;
}

bool
peers_heard(struct peers *p, struct peer *e, uint64_t epoch, uint64_t seq, uint64_t now_ms)
{
	size_t slot = (size_t)(e - p->list);

	if (slot == 0 || (epoch == e->epoch && seq <= e->seq))
		return false;
	e->epoch = epoch;
	e->seq = seq;
	e->heard_ms = now_ms;
	/* The second's look may wait; a vote of one that was silent counts from now on. */
	if (p->members[slot].silent_ms > QUORUM_FRESH_MS)
		peers_look(p, now_ms);
	return true;
}
