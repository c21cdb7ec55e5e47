/* keyring - see keyring.h. */
#include "appliance/sync/keyring.h"

#include <stdlib.h>
#include <string.h>

#include "appliance/keys/keybody.h"
#include "appliance/sync/control.h"
#include "appliance/sync/dnssec.h"
#include "appliance/sync/fleet.h"
#include "ipc/base/log.h"
#include "ipc/base/text.h"
#include "ipc/base/xalloc.h"

#define LOOK_NS     2000000000ull
#define PATIENCE_MS 30000u

/* ---- what members said of themselves ---- */
static struct ring_wish *seen;
static size_t nseen;
static bool busy;
static char strange[64]; /* who says another key than it had; "": nobody */
static uint64_t looked_ns;

static struct ring_wish *
find(struct ring_wish *list, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i].name, name) == 0)
			return &list[i];
	return NULL;
}

void
keyring_seen(const char *member, const uint8_t *key, size_t len)
{
	struct ring_wish *w = find(seen, nseen, member);

	if (len != DNSSEC_X25519)
		return;
	if (w == NULL) {
		seen = xreallocarray(seen, nseen + 1, sizeof *seen);
		w = &seen[nseen++];
		*w = (struct ring_wish){ .known = true };
		text_copy(w->name, sizeof w->name, member);
	}
	memcpy(w->key, key, DNSSEC_X25519);
}

const uint8_t *
keyring_key(const char *member)
{
	const struct ring_wish *w = find(seen, nseen, member);

	return w != NULL ? w->key : NULL;
}

char *
keyring_trouble(const struct sync *s)
{
	if (strcmp(s->head.role, "primary") != 0 || strange[0] == '\0')
		return NULL;
	return xasprintf("appliance %s has another key than the fleet keys are sealed to, and gets "
			 "none: if its key file ([keys] kek) was lost, remove and invite it; if "
			 "not, somebody has a copy of its data",
	    strange);
}

void
keyring_stop(void)
{
	free(seen);
	seen = NULL;
	nseen = 0;
}

/* ---- reader: who is to get one ---- */
struct given {
	char name[FLEET_NAME];
	uint8_t key[DNSSEC_X25519];
	bool apex;
	uint32_t epoch;
};
struct rings {
	struct given *list;
	size_t n;
};

static bool
each_ring(void *arg, const struct store_object *o, const void *body, size_t len)
{
	struct rings *r = arg;
	Ns__Keyring *m = ns__keyring__unpack(NULL, len, body);

	if (m != NULL && m->public_key.len == DNSSEC_X25519) {
		struct given *one;

		r->list = xreallocarray(r->list, r->n + 1, sizeof *r->list);
		one = &r->list[r->n++];
		text_copy(one->name, sizeof one->name, o->name);
		memcpy(one->key, m->public_key.data, DNSSEC_X25519);
		one->apex = m->apex;
		one->epoch = m->epoch;
	}
	if (m != NULL)
		ns__keyring__free_unpacked(m, NULL);
	return true;
}

static const struct given *
ring_of(const struct rings *r, const char *name)
{
	for (size_t i = 0; i < r->n; i++)
		if (strcmp(r->list[i].name, name) == 0)
			return &r->list[i];
	return NULL;
}

/* The fleet keys were sealed to another key.  Whoever has a copy of an appliance's data can say such a thing, whoever
 * has its key file need not: a person decides, by removing and inviting it. */
static bool
is_strange(const struct ring_wish *w, const struct given *has)
{
	return has != NULL && w->known && memcmp(has->key, w->key, DNSSEC_X25519) != 0;
}

static bool
wants(const struct ring_wish *w, const struct given *has, const struct given *own, bool rotate)
{
	if (rotate)
		return w->known;
	return w->known && has != own &&
	       (has == NULL || (w->apex && !has->apex) || has->epoch < own->epoch);
}

static void
note_gone(struct dnssec *d, const struct rings *r)
{
	for (size_t i = 0; i < r->n; i++) {
		if (find(d->wishes, d->nwishes, r->list[i].name) != NULL)
			continue;
		d->gone = xreallocarray(d->gone, d->ngone + 1, sizeof *d->gone);
		text_copy(d->gone[d->ngone++], FLEET_NAME, r->list[i].name);
	}
	d->rotate = d->ngone > 0;
}

static bool
oldest(void *arg, const struct store_object *o, const void *body, size_t len)
{
	Ns__ZoneKeys *m = keybody_unpack(body, len);
	uint32_t *least = arg;

	(void)o;
	if (m != NULL && (*least == 0 || m->epoch < *least))
		*least = m->epoch;
	if (m != NULL)
		ns__zone_keys__free_unpacked(m, NULL);
	return true;
}

enum ns_err
keyring_choose(struct dnssec *d, const char *own_name, struct store *s)
{
	struct rings rings = { 0 };
	enum ns_err err = store_object_each(s, KEYRING_KIND, each_ring, &rings);
	const struct given *own = ring_of(&rings, own_name);
	size_t kept = 0;

	if (err == NS_OK && own != NULL)
		note_gone(d, &rings);
	for (size_t i = 0; i < d->nwishes && err == NS_OK && own != NULL; i++) {
		struct ring_wish *w = &d->wishes[i];
		const struct given *has = ring_of(&rings, w->name);

		/* Not heard of since our start: by what was known. */
		if (!w->known && has != NULL) {
			memcpy(w->key, has->key, DNSSEC_X25519);
			w->known = true;
		}
		w->apex = w->apex && own->apex;
		if (has != own && is_strange(w, has)) {
			text_copy(d->strange, sizeof d->strange, w->name);
			if (!d->rotate)
				continue;
			/* A new key is for all: for that one as it was. */
			memcpy(w->key, has->key, DNSSEC_X25519);
		}
		if (wants(w, has, own, d->rotate))
			d->wishes[kept++] = *w;
	}
	d->nwishes = kept;
	if (err == NS_OK && d->rotate)
		err = store_object_each(s, KEYS_KIND, oldest, &d->forget_before);
	free(rings.list);
	return err;
}

/* ---- loop ---- */
static void
wish(struct dnssec *d, const char *name, const uint8_t *key, bool apex)
{
	struct ring_wish *w;

	d->wishes = xreallocarray(d->wishes, d->nwishes + 1, sizeof *d->wishes);
	w = &d->wishes[d->nwishes++];
	*w = (struct ring_wish){ .known = key != NULL, .apex = apex };
	text_copy(w->name, sizeof w->name, name);
	if (key != NULL)
		memcpy(w->key, key, DNSSEC_X25519);
}

void
keyring_wish_all(const struct sync *s, struct dnssec *d)
{
	const struct roster *roster = s->fleet->roster;

	wish(d, s->name, dnssec_public(), true);
	for (size_t i = 0; i < roster->count; i++) {
		const struct member *m = &roster->members[i];
		const struct ring_wish *said = find(seen, nseen, m->name);

		if (m->enrolled && !m->removed && strcmp(m->name, s->name) != 0)
			wish(d, m->name, said != NULL ? said->key : NULL, m->standby);
	}
}

static void
choose_work(struct job *job, void *store)
{
	struct request *r = (struct request *)job;

	r->err = keyring_choose(r->state, r->own_name, store);
}

static void
choose_done(struct job *job, struct sync *s)
{
	struct request *r = (struct request *)job;
	const struct dnssec *d = r->state;

	if (r->err == NS_OK && strcmp(strange, d->strange) != 0) {
		text_copy(strange, sizeof strange, d->strange);
		if (strange[0] != '\0')
			log_warn("keys.strange", "appliance=%s", log_quote(strange));
	}
	if (r->err != NS_OK || d->nwishes == 0)
		request_finish(s, r);
	else
		dnssec_ask_signer(s, r);
}

static void
ring_end(struct sync *s, struct request *r)
{
	(void)s;
	busy = false;
	if (r->err != NS_OK && r->err != NS_CONFLICT)
		log_warn("keys.ring", "code=%u text=%s", r->why.code, log_quote(r->why.text));
	request_destroy(&r);
}

static const struct request_kind ring_kind = {
	.name = "keyring", .need = USER_ADMIN, .on = ON_WRITER, .write = keyring_write
};

void
keyring_tick(struct sync *s, uint64_t now_ns)
{
	static const struct ns_peer nobody;
	Ns__DnssecSetRequest body = NS__DNSSEC_SET_REQUEST__INIT;
	Ns__Envelope env = NS__ENVELOPE__INIT;
	struct request *r;

	if (busy || now_ns < looked_ns + LOOK_NS)
		return;
	looked_ns = now_ns;
	if (strcmp(s->head.role, "primary") != 0 || dnssec_public() == NULL)
		return;
	body.verb = NS__DNSSEC_SET_REQUEST__VERB__EVENT;
	env.deadline_ms = PATIENCE_MS;
	env.body_case = NS__ENVELOPE__BODY_DNSSEC_SET_REQUEST;
	env.dnssec_set_request = &body;
	r = request_new(&nobody, &env);
	r->kind = &ring_kind;
	r->caller = (struct caller){ .role = USER_ADMIN, .name = "nameserve", .via = "timer" };
	r->own_name = s->name;
	r->finish = ring_end;
	keyring_wish_all(s, dnssec_state(r));
	r->job.work = choose_work;
	r->job.done = choose_done;
	busy = true;
	request_push(s, s->reads, LANE_FAST, r);
}
