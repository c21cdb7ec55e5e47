/* keywork - see keywork.h. */
#include "appliance/signer/keywork.h"

#include <stdlib.h>
#include <string.h>

#include "appliance/dns/ds.h"
#include "appliance/dns/name.h"
#include "appliance/keys/keybody.h"
#include "appliance/signer/apexset.h"
#include "appliance/signer/keysecret.h"
#include "appliance/signer/ringwork.h"
#include "ipc/base/xalloc.h"

#define CODE_WORK    5044
#define STEPS_MAX    64u /* of one event: more would be a loop */
#define DEFAULT_ALGO KEY_P256

struct work {
	struct vault *v;
	const Ns__KeyWork *in;
	const uint8_t *name;
	Ns__ZoneKeys *m;
	struct ks_zone z;
	struct ks_ds ds;
	bool seen; /* ds says something */
	bool changed; /* something that is stored */
	bool remake; /* what the KSKs sign */
	bool unsign;
	struct ns_why *why;
};

/* ---- keys ---- */
static enum ns_err
add_key(struct work *w, const struct ks_want *want)
{
	Ns__ZoneKeys__Key *m = xmalloc(sizeof *m);
	struct zone_key k = { 0 };
	enum ns_err err;

	ns__zone_keys__key__init(m);
	err = zone_key_generate(
	    &k, want->algorithm, want->role == KS_KSK ? KEY_KSK : KEY_ZSK, w->why);
	if (err == NS_OK)
		err = keysecret_wrap(w->v, w->name, &k, m, w->why);
	if (err == NS_OK &&
	    !ks_add(&w->z, want->role, want->algorithm, k.tag, want->state, w->in->now))
		err = ns_fail(w->why, NS_CONFLICT, CODE_WORK, "the zone has too many keys");
	EVP_PKEY_free(k.pkey);
	if (err != NS_OK) {
		protobuf_c_message_free_unpacked(&m->base, NULL);
		return err;
	}
	m->id = w->z.key[w->z.n - 1].id;
	w->m->keys = xreallocarray(w->m->keys, w->m->n_keys + 1, sizeof *w->m->keys);
	w->m->keys[w->m->n_keys++] = m;
	w->changed = w->remake = true;
	return NS_OK;
}

/* Tags of one zone should differ: a validator tries all keys of a tag (KeyTrap). */
static bool
tag_taken(const struct work *w)
{
	for (unsigned i = 0; i + 1 < w->z.n; i++)
		if (w->z.key[i].tag == w->z.key[w->z.n - 1].tag)
			return true;
	return false;
}

static void
take_back(struct work *w)
{
	w->z.n--;
	protobuf_c_message_free_unpacked(&w->m->keys[--w->m->n_keys]->base, NULL);
}

static enum ns_err
want_key(struct work *w, const struct ks_want *want)
{
	enum ns_err err;

	for (unsigned tries = 0; tries < 16; tries++) {
		err = add_key(w, want);
		if (err != NS_OK || !tag_taken(w))
			return err;
		take_back(w);
	}
	return ns_fail(w->why, NS_FAILED, CODE_WORK, "no key with a tag of its own");
}

/* ---- verbs ---- */
static uint32_t
seed_of(const uint8_t *name)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < name_len(name); i++)
		h = (h ^ name[i]) * 16777619u;
	return h;
}

static enum ns_err
set_denial(struct work *w)
{
	if (!w->in->denial_given || w->m->denial == w->in->denial)
		return NS_OK;
	if (w->in->denial >= KD_MAX)
		return ns_fail(w->why, NS_INVALID, CODE_WORK, "no such denial");
	w->m->denial = w->in->denial;
	w->changed = true;
	return NS_OK;
}

static enum ns_err
begin(struct work *w, uint8_t algorithm)
{
	const struct ks_want first[] = { { KS_KSK, algorithm, KS_PUBLISHED },
		{ KS_ZSK, algorithm, KS_ACTIVE } };
	enum ns_err err = set_denial(w);

	ks_begin(&w->z, algorithm, seed_of(w->name));
	w->z.zone_ttl = w->in->zone_ttl;
	for (size_t i = 0; i < 2 && err == NS_OK; i++)
		err = want_key(w, &first[i]);
	return err;
}

static enum ns_err
enable(struct work *w)
{
	enum ns_err err;

	if (w->m->n_keys == 0)
		return begin(w, (uint8_t)(w->in->algorithm != 0 ? w->in->algorithm : DEFAULT_ALGO));
	if (w->in->algorithm != 0 && w->in->algorithm != w->z.algorithm)
		return ns_fail(w->why, NS_CONFLICT, CODE_WORK,
		    "the zone is signed with algorithm %u: dnssec rollover ZONE algorithm changes "
		    "it",
		    w->z.algorithm);
	err = set_denial(w);
	if (err == NS_OK && w->z.leaving) {
		ks_stay(&w->z);
		w->changed = w->remake = true;
	}
	if (err == NS_OK && !w->changed)
		err = ns_fail(w->why, NS_CONFLICT, CODE_WORK, "the zone is signed like that");
	return err;
}

/* Is there a key of the zone that can be used here? */
static bool
opens_any(struct work *w, uint16_t flags)
{
	struct zone_keys *keys = zone_keys_new();
	bool any = false;

	for (size_t i = 0; i < w->m->n_keys && !any; i++) {
		struct ns_why unused = { 0 };

		if (get_u16(w->m->keys[i]->dnskey.data) != flags)
			continue;
		keys->n = 1;
		any = keysecret_open(w->v, w->name, w->m->keys[i], &keys->key[0], &unused) == NS_OK;
		EVP_PKEY_free(keys->key[0].pkey);
		keys->key[0] = (struct zone_key){ 0 };
	}
	keys->n = 0;
	zone_keys_unref(&keys);
	return any;
}

static bool
has_one_algorithm(const struct work *w)
{
	for (unsigned i = 0; i < w->z.n; i++)
		if (w->z.key[i].algorithm != w->z.algorithm)
			return false;
	return w->in->algorithm == 0 || w->in->algorithm == w->z.algorithm;
}

/* Nobody has what opens the KSKs: another one, and ZSKs that can be used go on; else all is as for a zone that was
 * never signed. */
static enum ns_err
new_keys(struct work *w)
{
	const struct ks_want ksk = { KS_KSK, w->z.algorithm, KS_PUBLISHED };

	if (opens_any(w, KEY_KSK))
		return ns_fail(w->why, NS_CONFLICT, CODE_WORK,
		    "the zone's keys are not lost, this appliance can use them: dnssec rollover "
		    "replaces them while the zone stays valid");
	if (opens_any(w, KEY_ZSK) && has_one_algorithm(w)) {
		ks_lose(&w->z, KS_KSK);
		return want_key(w, &ksk);
	}
	while (w->m->n_keys > 0)
		protobuf_c_message_free_unpacked(&w->m->keys[--w->m->n_keys]->base, NULL);
	w->remake = true;
	return begin(w, (uint8_t)(w->in->algorithm != 0 ? w->in->algorithm : w->z.algorithm));
}

static enum ns_err
disable(struct work *w)
{
	enum ns_err err;

	if (w->in->force) {
		w->unsign = true;
		return NS_OK;
	}
	err = ks_leave(&w->z, w->seen ? &w->ds : NULL, w->in->when_safe, w->in->now, w->why);
	w->changed = w->remake = err == NS_OK;
	return err;
}

static enum ns_err
roll(struct work *w)
{
	enum ks_role role = w->in->verb == NS__DNSSEC_SET_REQUEST__VERB__ROLL_KSK ? KS_KSK : KS_ZSK;
	struct ks_want want;
	enum ns_err err = ks_roll(&w->z, role, w->in->urgent, w->in->now, &want, w->why);

	if (err == NS_OK)
		err = want_key(w, &want);
	if (err == NS_OK)
		ks_rolled(&w->z, role, w->in->now);
	return err;
}

static enum ns_err
roll_algorithm(struct work *w)
{
	uint8_t algorithm = (uint8_t)w->in->algorithm;
	const struct ks_want both[] = { { KS_KSK, algorithm, KS_PRESIGN },
		{ KS_ZSK, algorithm, KS_PRESIGN } };
	enum ns_err err = ks_roll_algorithm(&w->z, algorithm, w->why);

	for (size_t i = 0; i < 2 && err == NS_OK; i++)
		err = want_key(w, &both[i]);
	return err;
}

/* A person's word, unless the parent says otherwise. */
static enum ns_err
submitted(struct work *w)
{
	struct ks_ds told;
	enum ns_err err = ks_submitted(&w->z, &told, w->why);

	if (err != NS_OK)
		return err;
	if (w->seen && !w->in->force && (w->ds.all & told.all) != told.all)
		return ns_fail(w->why, NS_CONFLICT, CODE_WORK,
		    "the DS is not at %s of the parent's servers yet; what waits for it goes on by "
		    "itself when it is",
		    w->ds.any & told.all ? "all" : "any");
	if (!w->seen || w->in->force)
		w->ds = told;
	w->seen = true;
	return NS_OK;
}

static enum ns_err
event(struct work *w)
{
	(void)w;
	return NS_OK;
}

struct verb {
	bool signed_only;
	enum ns_err (*fn)(struct work *);
};
static const struct verb new_keys_verb = { true, new_keys };
static const struct verb verbs[] = {
	[NS__DNSSEC_SET_REQUEST__VERB__ENABLE] = { false, enable },
	[NS__DNSSEC_SET_REQUEST__VERB__DISABLE] = { true, disable },
	[NS__DNSSEC_SET_REQUEST__VERB__ROLL_KSK] = { true, roll },
	[NS__DNSSEC_SET_REQUEST__VERB__ROLL_ZSK] = { true, roll },
	[NS__DNSSEC_SET_REQUEST__VERB__ROLL_ALGORITHM] = { true, roll_algorithm },
	[NS__DNSSEC_SET_REQUEST__VERB__DS_SUBMITTED] = { true, submitted },
	[NS__DNSSEC_SET_REQUEST__VERB__EVENT] = { true, event },
};

/* NULL: there is none. */
static const struct verb *
verb_of(const struct work *w)
{
	if (w->in->verb == NS__DNSSEC_SET_REQUEST__VERB__NEW_KEYS)
		return &new_keys_verb;
	return (size_t)w->in->verb < sizeof verbs / sizeof verbs[0] ? &verbs[w->in->verb] : NULL;
}

/* ---- what the parent says ---- */
static int
key_of_ds(const struct work *w, const ProtobufCBinaryData *ds)
{
	for (size_t i = 0; i < w->m->n_keys; i++)
		if (w->z.key[i].role == KS_KSK &&
		    ds_matches(w->name, ds->data, ds->len, w->m->keys[i]->dnskey.data,
			w->m->keys[i]->dnskey.len))
			return (int)i;
	return -1;
}

static void
read_parent(struct work *w)
{
	const Ns__KeyWork *in = w->in;

	w->seen = in->n_parents > 0;
	w->ds = (struct ks_ds){ .known = in->parent_known && w->seen, .all = w->seen ? ~0u : 0 };
	for (size_t s = 0; s < in->n_parents; s++) {
		uint32_t here = 0;

		for (size_t i = 0; i < in->parents[s]->n_ds; i++) {
			int key = key_of_ds(w, &in->parents[s]->ds[i]);

			if (key >= 0)
				here |= 1u << key;
			else
				w->ds.other = true;
		}
		w->ds.all &= here;
		w->ds.any |= here;
	}
}

/* ---- time ---- */
static enum ns_err
steps(struct work *w)
{
	struct ks_ds *ds = w->seen ? &w->ds : NULL;
	struct ks_want want;
	enum ns_err err = NS_OK;

	for (unsigned n = 0; n < STEPS_MAX && err == NS_OK && !w->unsign; n++) {
		if (ds != NULL && ks_observe(&w->z, ds, w->in->now))
			w->changed = true;
		switch (ks_step(&w->z, ds, w->in->now, &want)) {
		case KS_NOTHING:
			return NS_OK;
		case KS_CHANGED:
			w->changed = w->remake = true;
			break;
		case KS_WANT_KEY:
			err = want_key(w, &want);
			break;
		case KS_UNSIGN:
			w->unsign = true;
			break;
		}
	}
	return err;
}

/* Keys that went or came are in the same order in the message as in the machine. */
static Ns__ZoneKeys__Key *
key_message(const struct work *w, uint32_t id)
{
	for (size_t i = 0; i < w->m->n_keys; i++)
		if (w->m->keys[i]->id == id)
			return w->m->keys[i];
	return NULL;
}

static enum ns_err
rewrap(struct work *w)
{
	uint32_t newest = vault_epoch(w->v, VAULT_ZSK);
	enum ns_err err = NS_OK;

	for (size_t i = 0; i < w->m->n_keys && err == NS_OK; i++) {
		Ns__ZoneKeys__Key *k = w->m->keys[i];
		uint32_t epoch = vault_blob_epoch(k->wrapped.data, k->wrapped.len);

		if (get_u16(k->dnskey.data) != KEY_ZSK || epoch >= newest)
			continue;
		err = keysecret_rewrap(w->v, w->name, k, w->why);
		w->changed = true;
	}
	return err;
}

/* DNSKEY, CDS and CDNSKEY, signed by the KSKs that sign. */
static enum ns_err
make_apex(struct work *w)
{
	struct zone_keys *keys = zone_keys_new();
	struct apex_wish wish = { .ttl = KS_DNSKEY_TTL,
		.cds = w->z.leaving ? APEX_CDS_DELETE : APEX_CDS_KEYS,
		.cds_of = ks_cds(&w->z),
		.now = (uint32_t)w->in->now };
	enum ns_err err = NS_OK;

	for (unsigned i = 0; i < w->z.n && err == NS_OK; i++) {
		const struct ks_key *k = &w->z.key[i];
		struct zone_key *out = &keys->key[keys->n++];
		const Ns__ZoneKeys__Key *m = key_message(w, k->id);

		err = k->role == KS_KSK && ks_signs(k)
			  ? keysecret_open(w->v, w->name, m, out, w->why)
			  : keysecret_public(m, out, w->why);
		out->published = ks_publishes(k);
		out->signs = ks_signs(k);
	}
	if (err == NS_OK)
		err = apexset_make(keys, w->name, &wish, w->why);
	if (err == NS_OK) {
		free(w->m->apex.data);
		w->m->apex = (ProtobufCBinaryData){ keys->apex_len, keys->apex };
		w->z.apex_until = apexset_expires(keys);
		keys->apex = NULL;
		w->changed = true;
	}
	zone_keys_unref(&keys);
	return err;
}

/* ---- a zone ---- */
static enum ns_err
open_zone(struct work *w)
{
	const Ns__KeyWork *in = w->in;

	if (verb_of(w) == NULL || name_check(in->zone.data, in->zone.len) != in->zone.len)
		return ns_fail(w->why, NS_INVALID, CODE_WORK, "not a key work that can be done");
	w->name = in->zone.data;
	if (in->keys.len > 0) {
		if ((w->m = keybody_unpack(in->keys.data, in->keys.len)) == NULL)
			return ns_fail(
			    w->why, NS_CORRUPT, CODE_WORK, "the zone's keys cannot be read");
		keybody_read(w->m, &w->z);
		return NS_OK;
	}
	if (verb_of(w)->signed_only)
		return ns_fail(w->why, NS_CONFLICT, CODE_WORK,
		    "the zone is not signed: dnssec enable ZONE signs it");
	w->m = xmalloc(sizeof *w->m);
	ns__zone_keys__init(w->m);
	w->m->zone.data = xmalloc(in->zone.len);
	w->m->zone.len = in->zone.len;
	memcpy(w->m->zone.data, in->zone.data, in->zone.len);
	return NS_OK;
}

static void
note_ttl(struct work *w)
{
	bool quiet = true;

	for (unsigned i = 0; i < w->z.n; i++)
		quiet = quiet && w->z.key[i].state == KS_ACTIVE;
	/* What was longer when a roll began may still be in a cache. */
	if (quiet || w->in->zone_ttl > w->z.zone_ttl)
		w->z.zone_ttl = w->in->zone_ttl;
}

static uint32_t
oldest_epoch(const Ns__ZoneKeys *m)
{
	uint32_t oldest = UINT32_MAX;

	for (size_t i = 0; i < m->n_keys; i++) {
		uint32_t epoch =
		    vault_blob_epoch(m->keys[i]->wrapped.data, m->keys[i]->wrapped.len);

		if (get_u16(m->keys[i]->dnskey.data) == KEY_ZSK && epoch < oldest)
			oldest = epoch;
	}
	return oldest;
}

static void
put_keys(struct work *w, Ns__KeyWorkDone *out)
{
	out->changed = w->changed || w->unsign;
	if (!w->changed || w->unsign)
		return;
	keybody_write(w->m, &w->z);
	w->m->epoch = oldest_epoch(w->m);
	out->keys.len = ns__zone_keys__get_packed_size(w->m);
	out->keys.data = xmalloc(out->keys.len);
	ns__zone_keys__pack(w->m, out->keys.data);
}

static enum ns_err
do_verb(struct work *w)
{
	enum ns_err err;

	note_ttl(w);
	read_parent(w);
	err = verb_of(w)->fn(w);
	if (err == NS_OK)
		err = steps(w);
	if (err == NS_OK && !w->unsign && w->in->epoch != 0)
		err = rewrap(w);
	if (err == NS_OK && !w->unsign && (w->remake || ks_apex_due(&w->z, w->in->now)))
		err = make_apex(w);
	return err;
}

/* Without K-apex nothing goes on, but who has left shall have no key of tomorrow. */
static enum ns_err
do_frozen(struct work *w)
{
	enum ns_err err = w->in->epoch != 0 ? rewrap(w) : NS_OK;

	if (err == NS_OK && !w->changed)
		err = ns_fail(w->why, NS_DENIED, CODE_WORK,
		    "this appliance does not have the fleet key for KSKs");
	return err;
}

static enum ns_err
zone_work(struct work *w, Ns__KeyWorkDone *out)
{
	bool event = w->in->verb == NS__DNSSEC_SET_REQUEST__VERB__EVENT;
	enum ns_err err = open_zone(w);

	if (err == NS_OK)
		err = event && !vault_has(w->v, VAULT_KSK) ? do_frozen(w) : do_verb(w);
	if (err == NS_OK)
		put_keys(w, out);
	if (w->m != NULL)
		ns__zone_keys__free_unpacked(w->m, NULL);
	return err;
}

enum ns_err
keywork_do(struct vault *v, const Ns__KeyWork *in, Ns__KeyWorkDone *out, struct ns_why *why)
{
	/* New fleet keys count when they come back, committed and sealed to us. */
	struct vault *copy = vault_copy(v);
	struct work w = { .v = copy, .in = in, .why = why };
	enum ns_err err;

	ns__key_work_done__init(out);
	if (copy == NULL)
		return ns_fail(why, NS_FAILED, CODE_WORK, "no secure memory");
	err = ringwork_do(copy, in, out, why);
	if (err == NS_OK && in->zone.len > 0)
		err = zone_work(&w, out);
	vault_close(&copy);
	return err;
}

void
keywork_free(Ns__KeyWorkDone *out)
{
	for (size_t i = 0; i < out->n_sealed; i++)
		protobuf_c_message_free_unpacked(&out->sealed[i]->base, NULL);
	free(out->sealed);
	free(out->keys.data);
}
