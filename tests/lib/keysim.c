/* keysim - see keysim.h. */
#include "tests/lib/keysim.h"

#include <string.h>

#define MINUTE 60
#define SPREAD (KS_MARGIN_URGENT - 2 * MINUTE) /* within it a change is everywhere */

static uint32_t
draw(struct keysim *s, uint32_t below)
{
	s->random ^= s->random << 13;
	s->random ^= s->random >> 7;
	s->random ^= s->random << 17;
	return (uint32_t)(s->random % below);
}

void
keysim_init(struct keysim *s, uint64_t seed, uint32_t zone_ttl)
{
	*s = (struct keysim){ .random = seed * 0x9e3779b97f4a7c15u + 1,
		.now = 1800000000,
		.zone_ttl = zone_ttl,
		.ds_spread = SPREAD,
		.ds_ttl = KS_DS_TTL };
	for (unsigned i = 0; i < SIM_NAMES; i++)
		s->ttl[i] = i == 0 ? zone_ttl : 30 + draw(s, zone_ttl);
	s->nversions = s->nds = 1; /* unsigned, no DS, since ever */
}

/* ---- sets ---- */
static void
set_add(struct sim_set *set, uint32_t id, uint8_t algorithm)
{
	set->key[set->n].id = id;
	set->key[set->n++].algorithm = algorithm;
}

static bool
has(const struct sim_set *set, uint32_t id)
{
	for (unsigned i = 0; i < set->n; i++)
		if (set->key[i].id == id)
			return true;
	return false;
}

/* Is one of a's keys with that algorithm in b (and c)? */
static bool
meets(const struct sim_set *a, const struct sim_set *b, const struct sim_set *c, uint8_t algorithm)
{
	for (unsigned i = 0; i < a->n; i++)
		if (a->key[i].algorithm == algorithm && has(b, a->key[i].id) &&
		    (c == NULL || has(c, a->key[i].id)))
			return true;
	return false;
}

/* ---- the servers ---- */
static void
spread(struct keysim *s, uint32_t within, int64_t at[SIM_SERVERS])
{
	for (unsigned i = 0; i < SIM_SERVERS; i++)
		at[i] = s->now + draw(s, within);
}

static void
publish(struct keysim *s)
{
	struct sim_zone zone = { .dnskey.n = 0 };

	for (unsigned i = 0; i < s->z.n && s->on; i++) {
		const struct ks_key *k = &s->z.key[i];

		if (ks_publishes(k))
			set_add(&zone.dnskey, k->id, k->algorithm);
		if (ks_signs(k))
			set_add(k->role == KS_KSK ? &zone.ksk_signs : &zone.zsk_signs, k->id,
			    k->algorithm);
	}
	if (memcmp(&zone, &s->made, sizeof zone) == 0)
		return;
	s->made = zone;
	if (s->nversions == SIM_HISTORY)
		memmove(s->versions, s->versions + 1, --s->nversions * sizeof s->versions[0]);
	s->versions[s->nversions].zone = zone;
	spread(s, SPREAD, s->versions[s->nversions++].at);
}

static const struct sim_zone *
fetch(struct keysim *s)
{
	unsigned server = draw(s, SIM_SERVERS), v = s->nversions - 1;

	while (v > 0 && s->versions[v].at[server] > s->now)
		v--;
	return &s->versions[v].zone;
}

static const struct sim_set *
ds_at(const struct keysim *s, unsigned server)
{
	unsigned v = s->nds - 1;

	while (v > 0 && s->ds[v].at[server] > s->now)
		v--;
	return &s->ds[v].ds;
}

/* ---- the primary ---- */
static uint32_t
add_key(struct keysim *s, const struct ks_want *want, int64_t now)
{
	(void)ks_add(
	    &s->z, want->role, want->algorithm, (uint16_t)draw(s, 65536), want->state, now);
	return s->z.last_id;
}

static void
look_at_parent(const struct keysim *s, struct ks_ds *out)
{
	*out = (struct ks_ds){ .known = true, .all = ~0u };
	for (unsigned server = 0; server < SIM_SERVERS; server++) {
		const struct sim_set *ds = ds_at(s, server);
		uint32_t here = 0;

		for (unsigned i = 0; i < s->z.n; i++)
			if (has(ds, s->z.key[i].id))
				here |= 1u << i;
		out->all &= here;
		out->any |= here;
	}
}

static int64_t
primary_time(struct keysim *s)
{
	return keyclock_look(&s->clock, s->now + s->wall_off, s->now);
}

static void
primary(struct keysim *s)
{
	int64_t now = primary_time(s);
	struct ks_want want;
	struct ks_ds ds;

	if (s->now < s->idle_until || !s->on)
		return;
	s->z.zone_ttl = s->zone_ttl;
	look_at_parent(s, &ds);
	for (unsigned n = 0; n < 64; n++) {
		(void)ks_observe(&s->z, &ds, now);
		switch (ks_step(&s->z, &ds, now, &want)) {
		case KS_NOTHING:
			n = 64;
			break;
		case KS_WANT_KEY:
			(void)add_key(s, &want, now);
			break;
		case KS_UNSIGN:
			s->on = false;
			n = 64;
			break;
		case KS_CHANGED:
			break;
		}
	}
	publish(s);
}

/* ---- the registrar: what CDS asks for, some hours later ---- */
static void
registrar(struct keysim *s)
{
	struct sim_set wanted = { .n = 0 };
	uint32_t mask = s->on ? ks_cds(&s->z) : 0;

	if (!s->on || s->lazy)
		return;
	for (unsigned i = 0; i < s->z.n; i++)
		if ((mask >> i & 1) && s->z.key[i].state != KS_PUBLISHED)
			set_add(&wanted, s->z.key[i].id, s->z.key[i].algorithm);
	if (wanted.n == 0 && !s->z.leaving)
		return;
	if (memcmp(&wanted, &s->submitted, sizeof wanted) != 0) {
		s->submitted = wanted;
		s->submit_at = s->now + 3600 + draw(s, 2 * 86400);
	}
	if (s->submit_at == 0 || s->now < s->submit_at)
		return;
	s->submit_at = 0;
	if (s->nds == SIM_HISTORY)
		memmove(s->ds, s->ds + 1, --s->nds * sizeof s->ds[0]);
	s->ds[s->nds].ds = wanted;
	spread(s, s->ds_spread, s->ds[s->nds++].at);
}

/* ---- the resolver ---- */
static const char *
validate(const struct keysim *s, const struct sim_zone *data)
{
	const struct sim_set *ds = &s->parent.ds;
	const struct sim_zone *keys = &s->dnskey.zone;

	for (unsigned i = 0; i < ds->n; i++)
		if (!meets(ds, &keys->dnskey, &keys->ksk_signs, ds->key[i].algorithm))
			return "no DNSKEY of a DS signs DNSKEY";
	for (unsigned i = 0; i < keys->dnskey.n; i++)
		if (!meets(&keys->dnskey, &data->zsk_signs, NULL, keys->dnskey.key[i].algorithm))
			return "data without a signature by an algorithm of DNSKEY";
	return NULL;
}

static void
resolve(struct keysim *s, unsigned name)
{
	struct sim_cached *c = &s->names[name];
	const char *fault;

	if (s->now >= s->parent.until) {
		s->parent.ds = *ds_at(s, draw(s, SIM_SERVERS));
		s->parent.until = s->now + s->ds_ttl;
	}
	if (s->now >= s->dnskey.until) {
		s->dnskey.zone = *fetch(s);
		s->dnskey.until = s->now + KS_DNSKEY_TTL;
	}
	if (s->now >= c->until) {
		c->zone = *fetch(s);
		c->until = s->now + s->ttl[name];
	}
	s->asked++;
	if (s->parent.ds.n == 0)
		return; /* insecure: nothing to validate */
	s->secure++;
	fault = validate(s, &c->zone);
	if (fault != NULL && s->bogus == NULL) {
		s->bogus = fault;
		s->bogus_at = s->now;
	}
}

void
keysim_minute(struct keysim *s)
{
	s->now += MINUTE;
	primary(s);
	registrar(s);
	resolve(s, draw(s, SIM_NAMES));
	resolve(s, 0);
}

void
keysim_run(struct keysim *s, int64_t seconds)
{
	for (int64_t end = s->now + seconds; s->now < end && s->bogus == NULL;)
		keysim_minute(s);
}

/* ---- what people ask for ---- */
void
keysim_enable(struct keysim *s, uint8_t algorithm)
{
	int64_t now = primary_time(s);
	uint32_t ids = s->z.last_id;

	ks_begin(&s->z, algorithm, draw(s, 1u << 31));
	s->z.last_id = ids;
	s->z.zone_ttl = s->zone_ttl;
	(void)add_key(s, &(struct ks_want){ KS_KSK, algorithm, KS_PUBLISHED }, now);
	(void)add_key(s, &(struct ks_want){ KS_ZSK, algorithm, KS_ACTIVE }, now);
	s->on = true;
	publish(s);
}

bool
keysim_roll(struct keysim *s, enum ks_role role, bool urgent)
{
	int64_t now = primary_time(s);
	struct ns_why why = { 0 };
	struct ks_want want;

	if (ks_roll(&s->z, role, urgent, now, &want, &why) != NS_OK)
		return false;
	(void)add_key(s, &want, now);
	ks_rolled(&s->z, role, now);
	publish(s);
	return true;
}

bool
keysim_algorithm(struct keysim *s, uint8_t algorithm)
{
	int64_t now = primary_time(s);
	struct ns_why why = { 0 };

	if (ks_roll_algorithm(&s->z, algorithm, &why) != NS_OK)
		return false;
	(void)add_key(s, &(struct ks_want){ KS_KSK, algorithm, KS_PRESIGN }, now);
	(void)add_key(s, &(struct ks_want){ KS_ZSK, algorithm, KS_PRESIGN }, now);
	publish(s);
	return true;
}

bool
keysim_leave(struct keysim *s)
{
	struct ns_why why = { 0 };
	struct ks_ds ds;

	look_at_parent(s, &ds);
	return ks_leave(&s->z, &ds, true, primary_time(s), &why) == NS_OK;
}

bool
keysim_quiet(const struct keysim *s)
{
	for (unsigned i = 0; i < s->z.n; i++)
		if (s->z.key[i].state != KS_ACTIVE)
			return false;
	return true;
}

bool
keysim_until_quiet(struct keysim *s, unsigned days)
{
	for (int64_t end = s->now + days * 86400ll; s->now < end && s->bogus == NULL;) {
		if (keysim_quiet(s))
			return true;
		keysim_minute(s);
	}
	return s->bogus == NULL && keysim_quiet(s);
}

unsigned
keysim_count(const struct keysim *s, enum ks_role role)
{
	unsigned n = 0;

	for (unsigned i = 0; i < s->z.n; i++)
		n += s->z.key[i].role == role;
	return n;
}
