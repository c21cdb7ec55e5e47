/* keysched - see keysched.h. */
#include "appliance/sync/keysched.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "appliance/keys/keybody.h"
#include "appliance/keys/keyclock.h"
#include "appliance/sync/control.h"
#include "appliance/sync/dnssec.h"
#include "appliance/sync/errors.h"
#include "appliance/sync/writer.h"
#include "ipc/base/clock.h"
#include "ipc/base/log.h"
#include "ipc/base/text.h"
#include "ipc/base/xalloc.h"
#include "ipc/envelope.h"

#define SECOND_NS   1000000000ull
#define AT_ONCE     16u /* events under way */
#define LOOK_FIRST  30 /* seconds between two looks at the parent, doubled … */
#define LOOK_LAST   3600
#define RETRY_S     60 /* after an event failed */
#define PATIENCE_MS 30000u
#define DAY_TEXT    32

struct entry {
	struct key_times t;
	int64_t tried, looked; /* seconds */
	int64_t look_every;
	bool busy; /* an event is under way */
	Ns__ParentReply *said;
	int64_t said_at;
};

static struct entry *table; /* by zone id */
static size_t count, room;
static unsigned under_way;
static uint64_t ticked_ns;
static struct keyclock keys_clock;
static uint32_t ring_epoch;
static bool ring_apex;
static int64_t first_event; /* of all; 0: none */
static uint64_t waiting; /* for the parent */
static uint64_t kinds[KEY_KINDS]; /* keys of each */
static bool counted; /* these are of the table as it is */
static char denied[256]; /* why the last event of that zone could not be done; "": all could */
static uint64_t denied_zone;

int64_t
keysched_now(void)
{
	return keyclock_look(&keys_clock, clock_wall_ms() / 1000, keyclock_boot());
}

/* ---- the table ---- */
/* Where it is or should be. */
static size_t
place(uint64_t zone_id)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (table[mid].t.zone_id < zone_id)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static struct entry *
entry_of(uint64_t zone_id)
{
	size_t at = place(zone_id);

	return at < count && table[at].t.zone_id == zone_id ? &table[at] : NULL;
}

static void
forget(struct entry *e)
{
	size_t at = (size_t)(e - table);

	if (e->said != NULL)
		ns__parent_reply__free_unpacked(e->said, NULL);
	memmove(e, e + 1, (count - at - 1) * sizeof *e);
	count--;
	counted = false;
}

static void
put(const struct key_times *t)
{
	size_t at = place(t->zone_id);

	if (at == count || table[at].t.zone_id != t->zone_id) {
		if (count == room) {
			room = room != 0 ? 2 * room : 64;
			table = xreallocarray(table, room, sizeof *table);
		}
		memmove(&table[at + 1], &table[at], (count - at) * sizeof *table);
		count++;
		table[at] = (struct entry){ .t = *t };
	}
	table[at].t = *t;
	counted = false;
	table[at].tried = 0;
	table[at].look_every = LOOK_FIRST;
}

void
keysched_update(struct sync *s, const struct key_times *list, size_t n)
{
	(void)s;
	for (size_t i = 0; i < n; i++) {
		struct entry *e = entry_of(list[i].zone_id);

		if (list[i].zone_id == denied_zone)
			denied[0] = '\0';
		if (!list[i].gone)
			put(&list[i]);
		else if (e != NULL)
			forget(e);
	}
}

void
keysched_ring(uint32_t epoch, bool apex)
{
	ring_apex = apex;
	if (epoch <= ring_epoch)
		return;
	ring_epoch = epoch;
	/* What was refused a moment ago says nothing of what is due now. */
	for (size_t i = 0; i < count; i++)
		table[i].tried = 0;
}

bool
keysched_ringed(void)
{
	return ring_epoch != 0;
}

/* ---- at the start ---- */
struct loading {
	struct job job;
	struct key_times *list;
	size_t n, room;
	char own[64];
	uint32_t epoch;
	bool apex;
};

static bool
each_keys(void *arg, const struct store_object *o, const void *body, size_t len)
{
	struct loading *l = arg;
	struct key_times t = key_times_read(strtoull(o->name + 1, NULL, 10), body, len);

	if (t.gone)
		return true;
	if (l->n == l->room) {
		l->room = l->room != 0 ? 2 * l->room : 64;
		l->list = xreallocarray(l->list, l->room, sizeof *l->list);
	}
	l->list[l->n++] = t;
	return true;
}

static enum ns_err
read_epoch(struct loading *l, struct store *s)
{
	struct wbuf body = wbuf_grow(STORE_OBJECT_MAX);
	struct store_object o;
	enum ns_err err = store_object_get(s, KEYRING_KIND, l->own, &o, &body);
	Ns__Keyring *m = err == NS_OK ? ns__keyring__unpack(NULL, body.len, body.base) : NULL;

	if (m != NULL) {
		l->epoch = m->epoch;
		l->apex = m->apex;
		ns__keyring__free_unpacked(m, NULL);
	}
	wbuf_free(&body);
	return err == NS_NOTFOUND ? NS_OK : err;
}

static void
load_work(struct job *job, void *store)
{
	if (read_epoch((struct loading *)job, store) != NS_OK ||
	    store_object_each(store, KEYS_KIND, each_keys, job) != NS_OK)
		log_error("keys.load", "text=\"the keys of zones cannot be read\"");
}

static void
load_done(struct job *job, struct sync *s)
{
	struct loading *l = (struct loading *)job;

	(void)s;
	keysched_ring(l->epoch, l->apex);
	/* What a batch said meanwhile is newer. */
	for (size_t i = 0; i < l->n; i++)
		if (entry_of(l->list[i].zone_id) == NULL)
			put(&l->list[i]);
	free(l->list);
	free(l);
}

void
keysched_load(struct sync *s)
{
	struct loading *l = xcalloc(1, sizeof *l);

	while (count > 0)
		forget(&table[count - 1]);
	text_copy(l->own, sizeof l->own, s->name);
	l->job.work = load_work;
	l->job.done = load_done;
	if (!queue_push(s->reads, LANE_BULK, &l->job))
		free(l);
}

/* ---- events ---- */
struct origin {
	uint64_t zone_id;
};

static void
event_end(struct sync *s, struct request *r)
{
	struct origin *o = r->origin;
	struct entry *e = entry_of(o->zone_id);

	(void)s;
	under_way--;
	if (e != NULL)
		e->busy = false;
	if (r->err == NS_OK) {
		if (o->zone_id == denied_zone)
			denied[0] = '\0';
	} else if (r->err == NS_NOTFOUND && e != NULL) {
		forget(e);
	} else if (r->err == NS_DENIED) {
		if (strcmp(denied, r->why.text) != 0)
			log_warn("keys.frozen", "text=%s", log_quote(r->why.text));
		text_copy(denied, sizeof denied, r->why.text);
		denied_zone = o->zone_id;
	} else if (r->err != NS_CONFLICT) {
		log_warn("keys.event", "zone_id=%llu code=%u text=%s",
		    (unsigned long long)o->zone_id, r->why.code, log_quote(r->why.text));
	}
	free(o);
	request_destroy(&r);
}

static const struct request_kind event_kind = { .name = "dnssec.event",
	.need = USER_ADMIN,
	.on = ON_LOOP,
	.start = dnssec_set_request,
	.write = dnssec_set_write };

static void
begin(struct sync *s, struct entry *e, int64_t now)
{
	static const struct ns_peer nobody;
	Ns__DnssecSetRequest body = NS__DNSSEC_SET_REQUEST__INIT;
	Ns__Envelope env = NS__ENVELOPE__INIT;
	struct origin *o = xcalloc(1, sizeof *o);
	struct request *r;

	body.verb = NS__DNSSEC_SET_REQUEST__VERB__EVENT;
	env.deadline_ms = PATIENCE_MS;
	env.body_case = NS__ENVELOPE__BODY_DNSSEC_SET_REQUEST;
	env.dnssec_set_request = &body;
	r = request_new(&nobody, &env);
	r->kind = &event_kind;
	r->caller = (struct caller){ .role = USER_ADMIN, .name = "nameserve", .via = "timer" };
	r->own_name = s->name;
	r->own_site = s->start->config->site;
	r->finish = event_end;
	r->origin = o;
	o->zone_id = e->t.zone_id;
	e->tried = now;
	if (e->t.waits_ds) {
		e->looked = now;
		e->look_every = e->look_every * 2 < LOOK_LAST ? e->look_every * 2 : LOOK_LAST;
	}
	e->busy = true;
	under_way++;
	dnssec_event(s, r, e->t.zone_id);
}

static bool
is_due(const struct sync *s, const struct entry *e, int64_t now)
{
	bool time =
	    (e->t.next != 0 && now >= e->t.next) || (e->t.epoch != 0 && e->t.epoch < ring_epoch);
	bool look =
	    e->t.waits_ds && s->start->config->n_resolver > 0 && now >= e->looked + e->look_every;

	if (e->busy || (!time && !look))
		return false;
	return look || e->tried == 0 || now >= e->tried + RETRY_S;
}

static void
look_over(void)
{
	if (counted)
		return;
	counted = true;
	first_event = 0;
	waiting = 0;
	memset(kinds, 0, sizeof kinds);
	for (size_t i = 0; i < count; i++) {
		const struct key_times *t = &table[i].t;

		for (unsigned k = 0; k < t->n_keys; k++)
			kinds[t->key[k]]++;
		waiting += t->waits_ds;
		if (t->next != 0 && (first_event == 0 || t->next < first_event))
			first_event = t->next;
	}
}

static void
add_kinds(Ns__StatsReply__Signing *m)
{
	m->keys = xcalloc(KEY_KINDS, sizeof *m->keys);
	for (unsigned kind = 0; kind < KEY_KINDS; kind++) {
		Ns__StatsReply__Signing__Keys *k;

		if (kinds[kind] == 0)
			continue;
		k = m->keys[m->n_keys++] = xmalloc(sizeof *k);
		ns__stats_reply__signing__keys__init(k);
		k->role = xstrdup(ks_role_name(KEY_KIND_ROLE(kind)));
		k->algorithm = KEY_KIND_ALGORITHM(kind);
		k->state = xstrdup(ks_state_name(KEY_KIND_STATE(kind)));
		k->keys = kinds[kind];
	}
}

void
keysched_stats(Ns__StatsReply__Signing *m)
{
	look_over();
	add_kinds(m);
	m->next_event = first_event != 0 ? reply_time(first_event * 1000) : xstrdup("");
	m->wait_for_parent = waiting;
}

void
keysched_tick(struct sync *s, uint64_t now_ns)
{
	int64_t now;

	if (now_ns < ticked_ns + SECOND_NS)
		return;
	ticked_ns = now_ns;
	now = keysched_now();
	if (strcmp(s->head.role, "primary") != 0 || dnssec_public() == NULL)
		return;
	for (size_t i = 0; i < count && under_way < AT_ONCE; i++)
		if (is_due(s, &table[i], now))
			begin(s, &table[i], now);
}

void
keysched_stop(void)
{
	while (count > 0)
		forget(&table[count - 1]);
	free(table);
	table = NULL;
	room = 0;
}

/* ---- what the parent said ---- */
void
keysched_seen(struct sync *s, const struct store_zone *z, const Ns__ParentReply *m)
{
	struct entry *e = entry_of(z->id);

	(void)s;
	if (e == NULL || m == NULL)
		return;
	if (e->said != NULL)
		ns__parent_reply__free_unpacked(e->said, NULL);
	e->said = ns_message_copy(&m->base);
	e->said_at = keysched_now();
}

const Ns__ParentReply *
keysched_parent(uint64_t zone_id, int64_t *at)
{
	const struct entry *e = entry_of(zone_id);

	*at = e != NULL ? e->said_at : 0;
	return e != NULL ? e->said : NULL;
}

#define NO_APEX                                                                                \
	"this appliance does not have the fleet key for KSKs (never the standby, or restored " \
	"without --passphrase-file)"

/* The day on which the first signature over a DNSKEY ends. */
static void
first_end(char day[DAY_TEXT])
{
	int64_t first = 0;
	struct tm tm;
	time_t t;

	for (size_t i = 0; i < count; i++)
		if (first == 0 || table[i].t.apex_until < first)
			first = table[i].t.apex_until;
	t = (time_t)first;
	if (gmtime_r(&t, &tm) == NULL || strftime(day, DAY_TEXT, "%Y-%m-%d", &tm) == 0)
		day[0] = '\0';
}

char *
keysched_promoted(void)
{
	const char *why = dnssec_trouble() != NULL ? dnssec_trouble() : !ring_apex ? NO_APEX : NULL;
	char day[DAY_TEXT];

	if (count == 0 || why == NULL)
		return NULL;
	first_end(day);
	return xasprintf("key events freeze: %s; signatures over DNSKEY of %zu zones end on %s",
	    why, count, day);
}

char *
keysched_trouble(const struct sync *s)
{
	const char *why;
	char day[DAY_TEXT];

	if (strcmp(s->head.role, "primary") != 0 || count == 0)
		return NULL;
	if (keys_clock.skew != 0)
		return xasprintf(
		    "the clock was set by %lld s while we ran: keys of signed zones go "
		    "on by the time from before; when the clock is right now, restart",
		    (long long)keys_clock.skew);
	why = dnssec_trouble() != NULL ? dnssec_trouble()
	      : !ring_apex             ? NO_APEX
	      : denied[0] != '\0'      ? denied
				       : NULL;
	if (why == NULL)
		return NULL;
	first_end(day);
	return xasprintf(
	    "keys of signed zones are not looked after: %s; signatures over DNSKEY end "
	    "on %s",
	    why, day);
}
