/* conn - see conn.h.  Loop only. */
#include "appliance/sync/conn.h"

#include <stdlib.h>
#include <string.h>

#include "ipc/base/hash.h"
#include "ipc/base/xalloc.h"

#define BUCKETS 256u

struct conns {
	TAILQ_HEAD(, conn) by_age;
	LIST_HEAD(, conn) buckets[BUCKETS];
	unsigned count;
};

struct conns *
conns_new(void)
{
	struct conns *cs = xcalloc(1, sizeof *cs);

	TAILQ_INIT(&cs->by_age);
	return cs;
}

static unsigned
bucket_of(const struct ns_peer *p)
{
	/* Routing ids are given by our own socket: no stranger picks them, no key is needed. */
	static const uint8_t key[16];

	return (unsigned)(hash_sip24(key, p->route, p->route_len) % BUCKETS);
}

static void
conn_forget(struct conns *cs, struct conn *c)
{
	while (!LIST_EMPTY(&c->requests))
		conn_detach(LIST_FIRST(&c->requests));
	TAILQ_REMOVE(&cs->by_age, c, by_age);
	LIST_REMOVE(c, in_bucket);
	cs->count--;
	free(c);
}

void
conns_destroy(struct conns **csp)
{
	struct conns *cs = *csp;

	if (cs == NULL)
		return;
	while (!TAILQ_EMPTY(&cs->by_age))
		conn_forget(cs, TAILQ_FIRST(&cs->by_age));
	free(cs);
	*csp = NULL;
}

struct conn *
conn_find(struct conns *cs, const struct ns_peer *p)
{
	struct conn *c;

	LIST_FOREACH(c, &cs->buckets[bucket_of(p)], in_bucket)
	{
		if (c->peer.route_len != p->route_len ||
		    memcmp(c->peer.route, p->route, p->route_len) != 0)
			continue;
		TAILQ_REMOVE(&cs->by_age, c, by_age);
		TAILQ_INSERT_TAIL(&cs->by_age, c, by_age);
		return c;
	}
	return NULL;
}

void
conn_gone(struct conns *cs, struct conn *c)
{
	conn_forget(cs, c);
}

static bool
forget_idle(struct conns *cs)
{
	struct conn *c;

	TAILQ_FOREACH(c, &cs->by_age, by_age)
	{
		if (c->outstanding == 0) {
			conn_forget(cs, c);
			return true;
		}
	}
	return false;
}

struct conn *
conn_add(struct conns *cs, const struct ns_peer *p)
{
	struct conn *c;

	if (cs->count >= CONN_MAX && !forget_idle(cs))
		return NULL;
	c = xcalloc(1, sizeof *c);
	c->peer = *p;
	LIST_INIT(&c->requests);
	TAILQ_INSERT_TAIL(&cs->by_age, c, by_age);
	LIST_INSERT_HEAD(&cs->buckets[bucket_of(p)], c, in_bucket);
	cs->count++;
	return c;
}

struct request *
conn_request(struct conn *c, uint64_t id)
{
	struct request *r;

	LIST_FOREACH(r, &c->requests, of_conn)
	if (r->id == id)
		return r;
	return NULL;
}

void
conn_attach(struct conn *c, struct request *r)
{
	r->conn = c;
	LIST_INSERT_HEAD(&c->requests, r, of_conn);
	c->outstanding++;
}

void
conn_detach(struct request *r)
{
	if (r->conn == NULL)
		return;
	LIST_REMOVE(r, of_conn);
	r->conn->outstanding--;
	r->conn = NULL;
}

void
conns_each(struct conns *cs, conn_fn *fn, void *arg)
{
	struct conn *c;

	TAILQ_FOREACH(c, &cs->by_age, by_age)
	fn(arg, c);
}
