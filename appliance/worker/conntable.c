/* conntable - see conntable.h. */
#include "appliance/worker/conntable.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

static const struct conn_list empty_list = { .oldest = CONNTABLE_NONE, .newest = CONNTABLE_NONE };

void
conntable_init(struct conntable *t, const struct conntable_memory *m, uint64_t seed)
{
	uint32_t i;

	assert(m->cap > 0 && m->cap < CONNTABLE_NONE && m->cap <= UINT16_MAX);
	memset(t, 0, sizeof *t);
	t->m = *m;
	t->first_free = CONNTABLE_NONE;
	t->seed = seed;
	t->all = t->shaking = empty_list;
	for (i = 0; i < CONNTABLE_NETS; i++)
		t->nets[i] = empty_list;
	for (i = m->n_outs; i > 0; i--) {
		m->outs[i - 1].next_free = t->free_outs;
		t->free_outs = &m->outs[i - 1];
	}
	for (i = m->n_ins; i > 0; i--) {
		m->ins[i - 1].next_free = t->free_ins;
		t->free_ins = &m->ins[i - 1];
	}
}

/* ---- lists ---- */

static struct conn_list *
list_of(struct conntable *t, const struct conn *c, enum conn_list_id id)
{
	return id == CONN_ALL ? &t->all : id == CONN_NET ? &t->nets[c->net] : &t->shaking;
}

static void
list_remove(struct conntable *t, struct conn *c, enum conn_list_id id)
{
	struct conn_list *l = list_of(t, c, id);
	const struct conn_link *k = &c->link[id];

	if (k->older != CONNTABLE_NONE)
		t->m.conns[k->older].link[id].newer = k->newer;
	else
		l->oldest = k->newer;
	if (k->newer != CONNTABLE_NONE)
		t->m.conns[k->newer].link[id].older = k->older;
	else
		l->newest = k->older;
	l->count--;
}

static void
list_append(struct conntable *t, struct conn *c, enum conn_list_id id)
{
	struct conn_list *l = list_of(t, c, id);

	c->link[id] = (struct conn_link){ .older = l->newest, .newer = CONNTABLE_NONE };
	if (l->newest != CONNTABLE_NONE)
		t->m.conns[l->newest].link[id].newer = c->index;
	else
		l->oldest = c->index;
	l->newest = c->index;
	l->count++;
}

static struct conn *
at(const struct conntable *t, uint32_t index)
{
	return index != CONNTABLE_NONE ? &t->m.conns[index] : NULL;
}

/* ---- networks ---- */

/* The prefix that one client can be expected to own, as a number. */
static uint64_t
network(const struct sockaddr_storage *client)
{
	const struct sockaddr_in6 *six = (const void *)client;
	const struct sockaddr_in *four = (const void *)client;
	uint64_t n = 0;

	if (client->ss_family == AF_INET)
		return ntohl(four->sin_addr.s_addr) >> 8;
	if (client->ss_family == AF_INET6)
		memcpy(&n, &six->sin6_addr, 7);
	return n | 1ull << 63;
}

/* Keyed, so that nobody can choose whom he shares a list with. */
static uint16_t
net_of(const struct conntable *t, const struct sockaddr_storage *client)
{
	uint64_t x = network(client) ^ t->seed;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return (uint16_t)((x ^ x >> 31) % CONNTABLE_NETS);
}

static void
count_net(struct conntable *t, const struct conn *c)
{
	t->counts[c->net] = (uint16_t)t->nets[c->net].count;
}

static unsigned
busiest(const struct conntable *t)
{
	unsigned i, best = 0;

	for (i = 1; i < CONNTABLE_NETS; i++)
		if (t->counts[i] > t->counts[best])
			best = i;
	return best;
}

/* ---- coming and going ---- */

struct conn *
conntable_take(
    struct conntable *t, int fd, const struct sockaddr_storage *client, bool secure, uint64_t now)
{
	struct conn *c = at(t, t->first_free);

	if (c != NULL) {
		t->first_free = c->link[CONN_ALL].newer;
	} else if (t->fresh < t->m.cap) {
		c = &t->m.conns[t->fresh];
		c->index = t->fresh++;
	} else {
		return NULL;
	}
	t->open++;
	conn_start(c, fd, secure, now);
	c->client = *client;
	c->net = net_of(t, client);
	c->shaking = false;
	list_append(t, c, CONN_ALL);
	list_append(t, c, CONN_NET);
	count_net(t, c);
	return c;
}

void
conntable_give(struct conntable *t, struct conn *c)
{
	assert(c->fd >= 0 && t->open > 0);
	conntable_out_give(t, c);
	c->in_pos = c->in_len = 0;
	conntable_in_give(t, c);
	conntable_shaken(t, c);
	list_remove(t, c, CONN_ALL);
	list_remove(t, c, CONN_NET);
	count_net(t, c);
	c->fd = -1;
	c->link[CONN_ALL].newer = t->first_free;
	t->first_free = c->index;
	t->open--;
}

void
conntable_touch(struct conntable *t, struct conn *c)
{
	if (t->all.newest == c->index)
		return;
	list_remove(t, c, CONN_ALL);
	list_append(t, c, CONN_ALL);
	list_remove(t, c, CONN_NET);
	list_append(t, c, CONN_NET);
}

struct conn *
conntable_find(struct conntable *t, uint32_t index, uint32_t serial)
{
	struct conn *c;

	if (index >= t->fresh)
		return NULL;
	c = &t->m.conns[index];
	return c->fd >= 0 && c->serial == serial ? c : NULL;
}

struct conn *
conntable_newer(struct conntable *t, const struct conn *c)
{
	return at(t, c != NULL ? c->link[CONN_ALL].newer : t->all.oldest);
}

/* ---- who goes ---- */

/* The longest idle of a list, among its first few; else its first. */
static struct conn *
pick(struct conntable *t, const struct conn_list *l, enum conn_list_id id)
{
	struct conn *c = at(t, l->oldest);
	unsigned i;

	for (i = 0; c != NULL && i < CONNTABLE_LOOK; i++) {
		if (conn_idle(c))
			return c;
		c = at(t, c->link[id].newer);
	}
	return at(t, l->oldest);
}

static bool
pressed(const struct conntable *t)
{
	return t->open > t->m.cap / 4 * 3;
}

struct conn *
conntable_crowd(struct conntable *t)
{
	unsigned net;

	if (!pressed(t))
		return NULL;
	net = busiest(t);
	return t->counts[net] > t->m.cap / 4 ? pick(t, &t->nets[net], CONN_NET) : NULL;
}

struct conn *
conntable_victim(struct conntable *t)
{
	struct conn *c = conntable_crowd(t);

	return c != NULL ? c : pick(t, &t->all, CONN_ALL);
}

struct conn *
conntable_expired(struct conntable *t, struct conn *from, uint64_t now)
{
	bool hurry = pressed(t);
	struct conn *c = from != NULL ? from : conntable_newer(t, NULL);

	while (c != NULL && now < conn_deadline(c, hurry))
		c = conntable_newer(t, c);
	return c;
}

/* ---- handshakes ---- */

void
conntable_shake(struct conntable *t, struct conn *c)
{
	assert(!c->shaking);
	c->shaking = true;
	list_append(t, c, CONN_SHAKING);
}

void
conntable_shaken(struct conntable *t, struct conn *c)
{
	if (c->shaking)
		list_remove(t, c, CONN_SHAKING);
	c->shaking = false;
}

struct conn *
conntable_shaker(struct conntable *t)
{
	return t->shaking.count > CONNTABLE_SHAKING ? at(t, t->shaking.oldest) : NULL;
}

/* ---- buffers ---- */

bool
conntable_out_take(struct conntable *t, struct conn *c)
{
	assert(c->out == NULL);
	if (t->free_outs == NULL)
		return false;
	c->out = t->free_outs;
	t->free_outs = c->out->next_free;
	c->out->owner = c;
	return true;
}

void
conntable_out_give(struct conntable *t, struct conn *c)
{
	if (c->out == NULL)
		return;
	c->out->owner = NULL;
	c->out->next_free = t->free_outs;
	t->free_outs = c->out;
	c->out = NULL;
}

bool
conntable_in_take(struct conntable *t, struct conn *c)
{
	struct conn_in *big = t->free_ins;

	if (big == NULL)
		return false;
	t->free_ins = big->next_free;
	big->owner = c;
	conn_grow(c, big);
	return true;
}

void
conntable_in_give(struct conntable *t, struct conn *c)
{
	struct conn_in *big = conn_shrink(c);

	if (big == NULL)
		return;
	big->owner = NULL;
	big->next_free = t->free_ins;
	t->free_ins = big;
}

struct conn *
conntable_slowest(const struct conntable *t)
{
	struct conn *c, *slowest = NULL;
	uint32_t i;

	for (i = 0; i < t->m.n_outs; i++) {
		c = t->m.outs[i].owner;
		if (c != NULL && (slowest == NULL || c->blocked_ms < slowest->blocked_ms))
			slowest = c;
	}
	return slowest;
}

struct conn *
conntable_longest(const struct conntable *t)
{
	struct conn *c, *longest = NULL;
	uint32_t i;

	for (i = 0; i < t->m.n_ins; i++) {
		c = t->m.ins[i].owner;
		if (c != NULL && (longest == NULL || c->message_ms < longest->message_ms))
			longest = c;
	}
	return longest;
}
