/* zonerates - see zonerates.h. */
#include "appliance/sync/zonerates.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/sync/bus.h"
#include "appliance/sync/conn.h"
#include "appliance/sync/control.h"
#include "appliance/sync/zonelist.h"
#include "appliance/zonemap/hash.h"
#include "appliance/zonemap/zonecount.h"
#include "ipc/base/clock.h"
#include "ipc/base/xalloc.h"

#define FRESH_NS 900000000ull /* consoles look once a second */
#define WAIT_NS  400000000ull /* then a list goes without */

struct zone_rates {
	_Atomic unsigned held;
	uint8_t hash_key[16];
	size_t mask; /* places - 1: a power of two, at most half of them taken */
	float *past; /* PAST each of those that have it */
	struct rate_place {
		uint64_t id; /* 0: free */
		float qps;
		uint16_t nxdomain; /* of a thousand */
		uint16_t past; /* 1 + its place there; 0: none */
	} places[];
};

struct zonerates {
	struct zone_rates *now; /* NULL: none yet */
	uint64_t made_ns, asked_ns; /* asked_ns 0: answer was not asked, or has told */
	struct request_list waiting;
};

/* ---- the table ---- */
static size_t
place_of(const struct zone_rates *t, uint64_t id)
{
	size_t at = (size_t)(id * 0x9e3779b97f4a7c15u >> 32) & t->mask;

	while (t->places[at].id != 0 && t->places[at].id != id)
		at = (at + 1) & t->mask;
	return at;
}

/* How many have one. */
static size_t
past_take(struct zone_rates *t, const Ns__ZoneRates *m)
{
	size_t n = m->n_past / ZONE_PAST;

	if (n > UINT16_MAX - 1)
		n = UINT16_MAX - 1;
	t->past = xcalloc(n + 1, ZONE_PAST * sizeof *t->past);
	if (n > 0)
		memcpy(t->past, m->past, n * ZONE_PAST * sizeof *t->past);
	return n;
}

static struct zone_rates *
table_new(const Ns__ZoneRates *m)
{
	size_t n = m->n_ids < m->n_qps ? m->n_ids : m->n_qps, size = 16, past;
	struct zone_rates *t;

	while (size < 2 * n)
		size *= 2;
	t = xcalloc(1, sizeof *t + size * sizeof t->places[0]);
	t->mask = size - 1;
	atomic_init(&t->held, 1);
	if (m->hash_key.len == sizeof t->hash_key)
		memcpy(t->hash_key, m->hash_key.data, sizeof t->hash_key);
	past = past_take(t, m);
	for (size_t i = 0; i < n; i++) {
		size_t at = m->ids[i] != 0 ? place_of(t, m->ids[i]) : 0;

		if (m->ids[i] == 0)
			continue;
		t->places[at] = (struct rate_place){ .id = m->ids[i],
			.qps = m->qps[i],
			.nxdomain = i < m->n_nxdomain ? (uint16_t)m->nxdomain[i] : 0,
			.past = i < past ? (uint16_t)(i + 1) : 0 };
	}
	return t;
}

static void
table_drop(void *table)
{
	struct zone_rates *t = table;

	if (t == NULL || atomic_fetch_sub(&t->held, 1) != 1)
		return;
	free(t->past);
	free(t);
}

struct zone_rate
zone_rate(const struct zone_rates *t, const uint8_t *name, size_t len)
{
	const struct rate_place *p;

	if (t == NULL)
		return (struct zone_rate){ (double)NAN, (double)NAN, NULL };
	p = &t->places[place_of(t, zonecount_id(zone_hash(t->hash_key, name, len)))];
	return (struct zone_rate){ (double)p->qps, p->nxdomain / 10.0,
		p->past != 0 ? t->past + (size_t)(p->past - 1) * ZONE_PAST : NULL };
}

/* ---- loop ---- */
struct zonerates *
zonerates_new(void)
{
	struct zonerates *z = xcalloc(1, sizeof *z);

	TAILQ_INIT(&z->waiting);
	return z;
}

void
zonerates_destroy(struct zonerates **zp)
{
	struct zonerates *z = *zp;
	struct request *r;

	if (z == NULL)
		return;
	while ((r = TAILQ_FIRST(&z->waiting)) != NULL) {
		TAILQ_REMOVE(&z->waiting, r, waiting);
		conn_detach(r);
		request_destroy(&r);
	}
	table_drop(z->now);
	free(z);
	*zp = NULL;
}

static void
go_on(struct sync *s, struct request *r)
{
	struct zone_rates *t = s->zonerates->now;

	if (t != NULL) {
		atomic_fetch_add(&t->held, 1);
		r->state = t;
		r->free_state = table_drop;
	}
	control_to_reader(s, r);
}

static void
all_go_on(struct sync *s)
{
	struct request *r;

	while ((r = TAILQ_FIRST(&s->zonerates->waiting)) != NULL) {
		TAILQ_REMOVE(&s->zonerates->waiting, r, waiting);
		go_on(s, r);
	}
}

static void
forget(struct zonerates *z)
{
	table_drop(z->now);
	z->now = NULL;
	z->made_ns = 0;
}

static bool
ask(struct sync *s, uint64_t now)
{
	Ns__Envelope env = NS__ENVELOPE__INIT;
	Ns__MetricsRequest m = NS__METRICS_REQUEST__INIT;

	if (s->zonerates->asked_ns != 0)
		return true;
	m.zone_rates = true;
	env.body_case = NS__ENVELOPE__BODY_METRICS_REQUEST;
	env.metrics_request = &m;
	if (bus_send(s, ROLE_ANSWER, &env) != NS_OK)
		return false;
	s->zonerates->asked_ns = now;
	return true;
}

void
zone_list_request(struct sync *s, struct request *r)
{
	struct zonerates *z = s->zonerates;
	uint64_t now = clock_mono_ns();

	if (!zone_list_wants_rates(r->env->zone_list_request)) {
		control_to_reader(s, r);
	} else if (z->now != NULL && now - z->made_ns < FRESH_NS) {
		go_on(s, r);
	} else if (ask(s, now)) {
		TAILQ_INSERT_TAIL(&z->waiting, r, waiting);
	} else {
		forget(z);
		go_on(s, r);
	}
}

void
zonerates_came(struct sync *s, const Ns__ZoneRates *m)
{
	struct zonerates *z = s->zonerates;

	forget(z);
	z->now = table_new(m);
	z->made_ns = clock_mono_ns();
	z->asked_ns = 0;
	all_go_on(s);
}

void
zonerates_tick(struct sync *s, uint64_t now_ns)
{
	struct zonerates *z = s->zonerates;

	if (z->asked_ns == 0 || now_ns < z->asked_ns || now_ns - z->asked_ns < WAIT_NS)
		return;
	z->asked_ns = 0;
	forget(z);
	all_go_on(s);
}
