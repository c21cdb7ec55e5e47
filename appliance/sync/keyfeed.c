/* keyfeed - see keyfeed.h. */
#include "appliance/sync/keyfeed.h"

#include <stdlib.h>
#include <string.h>

#include "appliance/dns/closure.h"
#include "appliance/dns/name.h"
#include "appliance/dns/policy.h"
#include "appliance/dns/rrtype.h"
#include "appliance/dns/zwire.h"
#include "appliance/keys/keybody.h"
#include "appliance/sync/asof.h"
#include "appliance/sync/batch.h"
#include "appliance/sync/errors.h"
#include "ipc/base/log.h"
#include "ipc/base/xalloc.h"

enum ns_err
keys_load(struct store *s, uint64_t zone_id, struct wbuf *body, uint64_t *version)
{
	struct store_object o;
	char name[KEYS_NAME];
	enum ns_err err;

	keys_object_name(zone_id, name);
	err = store_object_get(s, KEYS_KIND, name, &o, body);
	if (err == NS_OK && version != NULL)
		*version = o.version;
	return err;
}

struct key_times
key_times_read(uint64_t zone_id, const void *body, size_t len)
{
	Ns__ZoneKeys *m = len > 0 ? keybody_unpack(body, len) : NULL;
	struct key_times t = { .zone_id = zone_id, .gone = m == NULL };
	struct ks_zone z;

	if (m == NULL)
		return t;
	t.next = m->next;
	t.apex_until = m->apex_until;
	t.waits_ds = m->waits_ds;
	t.epoch = m->epoch;
	keybody_read(m, &z);
	t.n_keys = (uint8_t)z.n;
	for (unsigned i = 0; i < z.n; i++)
		t.key[i] = KEY_KIND(z.key[i].role, z.key[i].algorithm, z.key[i].state);
	ns__zone_keys__free_unpacked(m, NULL);
	return t;
}

bool
keys_make_type(uint16_t type)
{
	return type == RR_DNSKEY || type == RR_CDS || type == RR_CDNSKEY || type == RR_RRSIG ||
	       type == RR_NSEC || type == RR_NSEC3 || type == RR_NSEC3PARAM;
}

const char *
keys_cannot_sign(const struct rrset *set)
{
	struct rbuf r = rbuf_init(set->rdata, set->rdata_len);
	const uint8_t *rdata;
	struct policy po;
	size_t len;

	while (set->type == RR_NSPOLICY && (rdata = rrset_next_rdata(&r, &len)) != NULL)
		if (policy_open(&po, rdata, len) && policy_signed_max(&po) > CLOSURE_MAX)
			return "the pools of a policy have more than 4096 different answers "
			       "between them, "
			       "the most that is signed beforehand: serve fewer at a time, or from "
			       "smaller pools";
	return NULL;
}

static enum ns_err
refuse_added(const struct rrset *set, struct ns_why *why)
{
	const char *cannot = keys_cannot_sign(set);
	char type[RRTYPE_MAX_TEXT];

	if (cannot != NULL)
		return ns_fail(why, NS_INVALID, ES_DNSSEC_CANNOT,
		    "the zone is signed here, and %s; or stop signing it first (dnssec disable)",
		    cannot);
	return ns_fail(why, NS_INVALID, ES_DNSSEC_TYPE,
	    "%s records of a signed zone are made by the signer: leave them out, or stop signing "
	    "it "
	    "first (dnssec disable)",
	    rrtype_to_text(set->type, type));
}

enum ns_err
keys_check_added(
    struct store *s, uint64_t zone_id, const void *zwire, size_t len, struct ns_why *why)
{
	struct zwire_iter it = zwire_iter(zwire, len);
	struct rrset set;

	while (zwire_next(&it, &set)) {
		if (!keys_make_type(set.type) && keys_cannot_sign(&set) == NULL)
			continue;
		if (keys_load(s, zone_id, NULL, NULL) == NS_NOTFOUND)
			return NS_OK;
		return refuse_added(&set, why);
	}
	return NS_OK;
}

/* ---- a batch ---- */
void
keyfeed_delta(struct batch *b, const Ns__ChangeBody__Object *m)
{
	struct store_zone z;

	if (strcmp(m->kind, KEYRING_KIND) == 0 && b->appliance != NULL &&
	    strcmp(m->name, b->appliance) == 0)
		b->keyring = true;
	if (strcmp(m->kind, KEYS_KIND) == 0 &&
	    store_zone_by_id(b->store, keys_object_zone(m->kind, m->name), &z) == NS_OK)
		batch_touch(b, &z, z.name)->keys = true;
}

static void
put_keyring(const char *appliance, const struct wbuf *body, struct feed_out *out, uint32_t *epoch,
    bool *apex)
{
	Ns__Keyring *m = ns__keyring__unpack(NULL, body->len, body->base);

	if (m == NULL) {
		log_error("keys.unreadable", "appliance=%s", appliance);
		return;
	}
	feed_out_keyring(out, m->sealed.data, m->sealed.len);
	*epoch = m->epoch;
	*apex = m->apex;
	ns__keyring__free_unpacked(m, NULL);
}

static enum ns_err
give_keyring(
    struct store *s, const char *appliance, struct feed_out *out, uint32_t *epoch, bool *apex)
{
	struct wbuf body = wbuf_grow(STORE_OBJECT_MAX);
	struct store_object o;
	enum ns_err err = store_object_get(s, KEYRING_KIND, appliance, &o, &body);

	if (err == NS_OK)
		put_keyring(appliance, &body, out, epoch, apex);
	wbuf_free(&body);
	return err == NS_NOTFOUND ? NS_OK : err;
}

static void
note_times(struct batch *b, uint64_t zone_id, const struct wbuf *body)
{
	b->key_times = xreallocarray(b->key_times, b->nkey_times + 1, sizeof *b->key_times);
	b->key_times[b->nkey_times++] = key_times_read(zone_id, body->base, body->len);
}

static enum ns_err
give_zone(struct batch *b, const struct touched *t, struct feed_out *out)
{
	struct wbuf body = wbuf_grow(STORE_OBJECT_MAX);
	struct store_zone z;
	enum ns_err err = store_zone_find(b->store, t->name, &z);

	if (err == NS_OK && z.id == t->id)
		err = keys_load(b->store, t->id, &body, NULL);
	if (err == NS_OK || err == NS_NOTFOUND) {
		body.len = err == NS_OK ? body.len : 0;
		feed_out_keys(out, t->name, body.base, body.len);
		note_times(b, t->id, &body);
		err = NS_OK;
	}
	wbuf_free(&body);
	return err;
}

enum ns_err
keyfeed_batch(struct batch *b, struct feed_out *out)
{
	enum ns_err err = NS_OK;

	if (b->keyring)
		err = give_keyring(b->store, b->appliance, out, &b->ring_epoch, &b->ring_apex);
	for (size_t i = 0; i < b->ntouched && err == NS_OK; i++)
		if (b->touched[i]->keys)
			err = give_zone(b, b->touched[i], out);
	return err;
}

/* ---- all ---- */
struct all {
	struct store *store;
	const struct asof *asof;
	struct feed_out *out;
};

/* Those of a zone in the trash stay with it. */
static void
put_keys(struct all *a, const char *object_name, const void *body, size_t len)
{
	uint64_t id = keys_object_zone(KEYS_KIND, object_name);
	const struct asof_zone *was = a->asof != NULL ? asof_zone(a->asof, id) : NULL;
	struct store_zone z;

	if (was != NULL && was->there)
		feed_out_keys(a->out, was->name, body, len);
	else if (was == NULL && store_zone_by_id(a->store, id, &z) == NS_OK)
		feed_out_keys(a->out, z.name, body, len);
}

static bool
each_keys(void *arg, const struct store_object *o, const void *body, size_t len)
{
	struct all *a = arg;

	if (a->asof == NULL || asof_object(a->asof, KEYS_KIND, o->name) == NULL)
		put_keys(a, o->name, body, len);
	return true;
}

/* Those that have changed since. */
static void
each_earlier(struct all *a)
{
	for (size_t i = 0; i < a->asof->nobjects; i++) {
		const struct asof_object *o = &a->asof->objects[i];

		if (o->there && strcmp(o->kind, KEYS_KIND) == 0)
			put_keys(a, o->name, o->body.base, o->body.len);
	}
}

enum ns_err
keyfeed_all(struct store *s, const char *appliance, const struct asof *asof, struct feed_out *out)
{
	const struct asof_object *ring =
	    asof != NULL ? asof_object(asof, KEYRING_KIND, appliance) : NULL;
	struct all a = { .store = s, .asof = asof, .out = out };
	enum ns_err err = NS_OK;
	uint32_t epoch;
	bool apex;

	if (ring == NULL)
		err = give_keyring(s, appliance, out, &epoch, &apex);
	else if (ring->there)
		put_keyring(appliance, &ring->body, out, &epoch, &apex);
	if (err == NS_OK)
		err = store_object_each(s, KEYS_KIND, each_keys, &a);
	if (err == NS_OK && asof != NULL)
		each_earlier(&a);
	return err;
}
