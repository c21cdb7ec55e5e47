/* zonestate - see zonestate.h. */
#include "appliance/sync/zonestate.h"

#include <stdlib.h>
#include <string.h>

#include "appliance/dns/rrtype.h"
#include "appliance/dns/serial.h"
#include "appliance/dns/zwire.h"
#include "appliance/keys/keybody.h"
#include "appliance/sync/aliases.h"
#include "appliance/sync/checks.h"
#include "appliance/sync/filter.h"
#include "appliance/sync/keyfeed.h"
#include "appliance/zonemap/board.h"
#include "ipc/base/clock.h"
#include "ipc/base/xalloc.h"

#define SOON_S     (3u * 86400u)
#define APEX_MAX   (1u << 20) /* octets of the first owners of a zone */
#define RRSIG_ENDS 8u /* where the end of a signature stands in its rdata (RFC 4034 3.1) */

/* ---- DNSSEC ---- */
static const char *
keys_trouble(const void *body, size_t len, int64_t now)
{
	Ns__ZoneKeys *m = keybody_unpack(body, len);
	const char *trouble = "";
	struct ks_zone z;

	if (m == NULL)
		return "";
	keybody_read(m, &z);
	if (z.leaving)
		trouble = "leaving";
	else if (ks_waits_ds(&z))
		trouble = "ds";
	if (m->apex_until != 0 && m->apex_until < now)
		trouble = "expired";
	ns__zone_keys__free_unpacked(m, NULL);
	return trouble;
}

/* The last signature over the SOA to end; false: there is none. */
static bool
soa_signed_until(const struct wbuf *apex, uint32_t *until)
{
	struct zwire_iter it = zwire_iter(apex->base, apex->len);
	struct rrset set;
	bool any = false;

	while (zwire_next(&it, &set)) {
		struct rbuf r = rbuf_init(set.rdata, set.rdata_len);
		const uint8_t *rdata;
		size_t len;

		if (set.type != RR_RRSIG || set.covers != RR_SOA)
			continue;
		while ((rdata = rrset_next_rdata(&r, &len)) != NULL) {
			uint32_t ends = len >= RRSIG_ENDS + 4 ? get_u32(rdata + RRSIG_ENDS) : 0;

			if (!any || serial_newer(ends, *until))
				*until = ends;
			any = true;
		}
	}
	return any;
}

static const char *
signatures_trouble(struct store *s, uint64_t zone)
{
	struct wbuf apex = wbuf_grow(APEX_MAX);
	uint32_t now = clock_wall_s(), until = 0;
	uint8_t last[255];
	const char *trouble = "";

	if (store_content_get(s, zone, NULL, 1, &apex, last) == NS_OK &&
	    soa_signed_until(&apex, &until))
		trouble = serial_newer(now, until)            ? "expired"
			  : serial_newer(now + SOON_S, until) ? "expires"
							      : "";
	wbuf_free(&apex);
	return trouble;
}

const char *
zone_dnssec_trouble(struct store *s, const struct store_zone *z)
{
	struct wbuf body;
	const char *trouble = "";

	if (z->external)
		return signatures_trouble(s, z->id);
	body = wbuf_grow(STORE_OBJECT_MAX);
	if (keys_load(s, z->id, &body, NULL) == NS_OK)
		trouble = keys_trouble(body.base, body.len, clock_wall_s());
	wbuf_free(&body);
	return trouble;
}

/* ---- health ---- */
struct tally {
	struct store *store;
	char name[CHECK_NAME_MAX + 1]; /* the last that was looked up */
	bool down;
	unsigned checks, bad;
};

static bool
count(void *arg, const struct store_mentioned *m)
{
	struct tally *t = arg;
	struct store_object o;

	if (m->len > CHECK_NAME_MAX)
		return true;
	if (strncmp(t->name, (const char *)m->name, m->len) != 0 || t->name[m->len] != '\0') {
		memcpy(t->name, m->name, m->len);
		t->name[m->len] = '\0';
		t->down = store_object_get(t->store, CHECK_KIND, t->name, &o, NULL) == NS_OK &&
			  board_state(aliases_board(), o.id) == BOARD_DOWN;
	}
	t->checks++;
	t->bad += t->down;
	return true;
}

const char *
zone_health(struct store *s, uint64_t zone_id)
{
	struct tally t = { .store = s };

	(void)store_mention_zone(s, STORE_CHECKS, zone_id, count, &t);
	return t.checks == 0 ? "none" : t.bad == 0 ? "ok" : t.bad == t.checks ? "crit" : "warn";
}

/* ---- a walk over all zones ---- */
struct id_set {
	uint64_t *list;
	size_t n, room;
};
struct zone_facts {
	struct store *store;
	unsigned wants;
	int64_t now;
	struct id_set signed_here, keys_bad, health_bad;
	char **down; /* names of checks, in order */
	size_t n_down, at;
};

static void
put(struct id_set *s, uint64_t id)
{
	if (s->n == s->room) {
		s->room = s->room != 0 ? 2 * s->room : 64;
		s->list = xreallocarray(s->list, s->room, sizeof *s->list);
	}
	s->list[s->n++] = id;
}

static int
by_id(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static bool
has(const struct id_set *s, uint64_t id)
{
	return s->n > 0 && bsearch(&id, s->list, s->n, sizeof id, by_id) != NULL;
}

static bool
each_keys(void *arg, const struct store_object *o, const void *body, size_t len)
{
	struct zone_facts *f = arg;
	uint64_t zone = strtoull(o->name + 1, NULL, 10);

	put(&f->signed_here, zone);
	if (f->wants & FILTER_DNSSEC_BAD && keys_trouble(body, len, f->now)[0] != '\0')
		put(&f->keys_bad, zone);
	return true;
}

static bool
each_check(void *arg, const struct store_object *o, const void *body, size_t len)
{
	struct zone_facts *f = arg;

	(void)body;
	(void)len;
	if (board_state(aliases_board(), o->id) != BOARD_DOWN)
		return true;
	f->down = xreallocarray(f->down, f->n_down + 1, sizeof *f->down);
	f->down[f->n_down++] = xstrdup(o->name);
	return true;
}

/* Both come in order of the check's name. */
static bool
each_mention(void *arg, const struct store_mentioned *m)
{
	struct zone_facts *f = arg;
	int order = -1;

	for (; f->at < f->n_down; f->at++) {
		size_t len = strlen(f->down[f->at]);

		order = memcmp(f->down[f->at], m->name, len < m->len ? len : m->len);
		if (order == 0)
			order = len < m->len ? -1 : len > m->len;
		if (order >= 0)
			break;
	}
	if (order == 0)
		put(&f->health_bad, m->zone);
	return f->at < f->n_down;
}

struct zone_facts *
zone_facts_new(struct store *s, unsigned wants)
{
	struct zone_facts *f = xcalloc(1, sizeof *f);

	f->store = s;
	f->wants = wants;
	f->now = clock_wall_s();
	if (wants & (FILTER_SIGNED | FILTER_DNSSEC_BAD))
		(void)store_object_each(s, KEYS_KIND, each_keys, f);
	if (wants & FILTER_HEALTH_BAD)
		(void)store_object_each(s, CHECK_KIND, each_check, f);
	if (f->n_down > 0)
		(void)store_mention_each(s, STORE_CHECKS, NULL, 0, each_mention, f);
	qsort(f->signed_here.list, f->signed_here.n, sizeof(uint64_t), by_id);
	qsort(f->keys_bad.list, f->keys_bad.n, sizeof(uint64_t), by_id);
	qsort(f->health_bad.list, f->health_bad.n, sizeof(uint64_t), by_id);
	return f;
}

void
zone_facts_destroy(struct zone_facts **fp)
{
	struct zone_facts *f = *fp;

	if (f == NULL)
		return;
	for (size_t i = 0; i < f->n_down; i++)
		free(f->down[i]);
	free(f->down);
	free(f->signed_here.list);
	free(f->keys_bad.list);
	free(f->health_bad.list);
	free(f);
	*fp = NULL;
}

unsigned
zone_facts_of(struct zone_facts *f, const struct store_zone *z)
{
	unsigned facts = 0;
	bool bad = has(&f->keys_bad, z->id);

	if (z->external || has(&f->signed_here, z->id))
		facts |= FILTER_SIGNED;
	if (f->wants & FILTER_DNSSEC_BAD && z->external)
		bad = signatures_trouble(f->store, z->id)[0] != '\0';
	return facts | (bad ? FILTER_DNSSEC_BAD : 0) |
	       (has(&f->health_bad, z->id) ? FILTER_HEALTH_BAD : 0);
}
