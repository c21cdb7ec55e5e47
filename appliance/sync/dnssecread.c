/* dnssecread - what the store says of a zone before its keys are touched.  Reader thread. */
#include <string.h>

#include "appliance/dns/rrtype.h"
#include "appliance/dns/zwire.h"
#include "appliance/keys/keybody.h"
#include "appliance/sync/dnssec.h"
#include "appliance/sync/errors.h"
#include "appliance/sync/idem.h"
#include "appliance/sync/keyfeed.h"
#include "appliance/sync/plan.h"
#include "appliance/sync/reader.h"
#include "ipc/base/clock.h"
#include "ipc/base/text.h"
#include "ipc/base/xalloc.h"

#define WALK_OCTETS (256u << 10)

/* ---- the content ---- */
struct walk {
	struct dnssec *d;
	uint16_t foreign; /* a type that only a signer makes */
	const char *cannot; /* what cannot be signed; NULL: nothing */
};

static void
look(struct walk *w, const struct wbuf *piece)
{
	struct zwire_iter it = zwire_iter(piece->base, piece->len);
	struct rrset set;

	while (zwire_next(&it, &set)) {
		if (set.ttl > w->d->zone_ttl)
			w->d->zone_ttl = set.ttl;
		if (keys_make_type(set.type))
			w->foreign = set.type;
		if (w->cannot == NULL)
			w->cannot = keys_cannot_sign(&set);
	}
}

/* The longest TTL is how long a cache may hold on to what was. */
static enum ns_err
walk_zone(struct store *s, struct walk *w)
{
	struct wbuf piece = wbuf_grow(4 * WALK_OCTETS);
	uint8_t last[NAME_MAX_WIRE];
	bool first = true;
	enum ns_err err;

	do {
		piece.len = 0;
		err = store_content_get(
		    s, w->d->z.id, first ? NULL : last, WALK_OCTETS, &piece, last);
		first = false;
		look(w, &piece);
	} while (err == NS_OK && piece.len > 0);
	wbuf_free(&piece);
	return err == NS_NOTFOUND ? NS_OK : err;
}

static enum ns_err
may_sign(const struct walk *w, struct ns_why *why)
{
	char type[RRTYPE_MAX_TEXT];

	if (w->d->z.external)
		return ns_fail(why, NS_CONFLICT, ES_EXTERNAL,
		    "the zone came with its DNSSEC signatures and is served untouched: import it "
		    "without them first");
	if (w->cannot != NULL)
		return ns_fail(why, NS_CONFLICT, ES_DNSSEC_CANNOT, "in this zone %s", w->cannot);
	if (w->foreign == 0 || w->d->keys_version != 0)
		return NS_OK;
	return ns_fail(why, NS_CONFLICT, ES_DNSSEC_TYPE,
	    "the zone has %s records of its own, which the signer makes: delete them first",
	    rrtype_to_text(w->foreign, type));
}

/* ---- keyrings ---- */
static bool
any_ring(void *arg, const struct store_object *o, const void *body, size_t len)
{
	(void)o;
	(void)body;
	(void)len;
	*(bool *)arg = true;
	return false;
}

/* We are the first of the wishes, the other members come after. */
static bool
is_other_member(const struct dnssec *d, const char *name)
{
	for (size_t i = 1; i < d->nwishes; i++)
		if (strcmp(d->wishes[i].name, name) == 0)
			return true;
	return false;
}

static bool
each_ring_gone(void *arg, const struct store_object *o, const void *body, size_t len)
{
	Ns__Keyring *m = ns__keyring__unpack(NULL, len, body);
	struct dnssec *d = arg;

	d->gone = xreallocarray(d->gone, d->ngone + 1, sizeof *d->gone);
	text_copy(d->gone[d->ngone++], sizeof d->gone[0], o->name);
	if (m != NULL && m->apex && is_other_member(d, o->name))
		text_copy(d->holder, sizeof d->holder, o->name);
	if (m != NULL)
		ns__keyring__free_unpacked(m, NULL);
	return true;
}

/* New fleet keys, if the signer finds that it has none: for us; the others get them as they are met. */
static enum ns_err
read_lost_ring(struct store *s, struct dnssec *d)
{
	enum ns_err err = store_object_each(s, KEYRING_KIND, each_ring_gone, d);

	d->fresh = d->lost = true;
	d->nwishes = d->nwishes > 0 ? 1 : 0;
	return err;
}

static enum ns_err
read_ring(struct request *r, struct store *s, struct dnssec *d)
{
	struct wbuf body = wbuf_grow(STORE_OBJECT_MAX);
	struct store_object o;
	size_t kept = 0;
	bool any = false;
	enum ns_err err = store_object_get(s, KEYRING_KIND, r->own_name, &o, &body);

	wbuf_free(&body);
	d->ringed = err == NS_OK;
	if (err != NS_NOTFOUND) {
		d->nwishes = 0;
		return err;
	}
	err = store_object_each(s, KEYRING_KIND, any_ring, &any);
	d->fresh = !any;
	/* The first fleet keys go to all at once, so that what they wrap is signed everywhere at once; we are the
	 * first of them. */
	for (size_t i = 0; i < d->nwishes; i++)
		if (d->wishes[i].known && (d->fresh || i == 0))
			d->wishes[kept++] = d->wishes[i];
	d->nwishes = kept;
	return err;
}

static enum ns_err
read_keys(struct store *s, struct dnssec *d)
{
	enum ns_err err;
	Ns__ZoneKeys *m;

	d->keys = wbuf_grow(STORE_OBJECT_MAX);
	err = keys_load(s, d->z.id, &d->keys, &d->keys_version);
	if (err == NS_NOTFOUND)
		return NS_OK;
	if (err != NS_OK)
		return err;
	if ((m = keybody_unpack(d->keys.base, d->keys.len)) == NULL)
		return NS_CORRUPT;
	d->waits_ds = m->waits_ds;
	d->ds_ever = m->ds_ever;
	ns__zone_keys__free_unpacked(m, NULL);
	return NS_OK;
}

/* An event knows its zone by number. */
static enum ns_err
find_zone(struct request *r, struct store *s, struct dnssec *d, const char *name)
{
	enum ns_err err;

	if (d->z.id == 0)
		return read_zone(s, name, &d->z, &r->why);
	err = store_zone_by_id(s, d->z.id, &d->z);
	return err == NS_OK ? err : read_failed(&r->why, err);
}

enum ns_err
dnssec_show_read(struct request *r, struct store *s)
{
	struct dnssec *d = r->state;
	bool zone = r->env->body_case == NS__ENVELOPE__BODY_ZONE_SHOW_REQUEST;
	enum ns_err err = find_zone(
	    r, s, d, zone ? r->env->zone_show_request->zone : r->env->dnssec_show_request->zone);

	if (err != NS_OK)
		return err;
	err = read_keys(s, d);
	return err == NS_OK ? err : read_failed(&r->why, err);
}

enum ns_err
dnssec_read(struct request *r, struct store *s)
{
	const Ns__DnssecSetRequest *in = r->env->dnssec_set_request;
	struct dnssec *d = r->state;
	struct walk w = { .d = d };
	enum ns_err err = idem_replay(r, s, clock_wall_ms());

	/* Answered before: there is no work. */
	if (err != NS_NOTFOUND)
		return err;
	err = find_zone(r, s, d, in->zone);
	if (err != NS_OK)
		return err;
	if (in->verb == NS__DNSSEC_SET_REQUEST__VERB__DISABLE &&
	    !zone_confirmed(d->z.name, (char *const[]){ in->confirm }, 1))
		return ns_fail(&r->why, NS_CONFIRM, ES_CONFIRM,
		    "to stop signing a zone takes --confirm=ZONE, its name");
	if (in->verb == NS__DNSSEC_SET_REQUEST__VERB__NEW_KEYS &&
	    !zone_confirmed(d->z.name, (char *const[]){ in->confirm }, 1))
		return ns_fail(&r->why, NS_CONFIRM, ES_CONFIRM,
		    "new keys in place of lost ones take --confirm=ZONE, its name: until the "
		    "parent "
		    "has the new DS, validating resolvers answer SERVFAIL");
	err = read_keys(s, d);
	if (err == NS_OK)
		err = walk_zone(s, &w);
	if (err == NS_OK)
		err = in->verb == NS__DNSSEC_SET_REQUEST__VERB__NEW_KEYS ? read_lost_ring(s, d)
									 : read_ring(r, s, d);
	if (err != NS_OK)
		return read_failed(&r->why, err);
	return in->verb == NS__DNSSEC_SET_REQUEST__VERB__ENABLE ? may_sign(&w, &r->why) : NS_OK;
}
