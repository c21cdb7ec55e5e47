/* keystate - see keystate.h. */
#include "appliance/keys/keystate.h"

#include <stdio.h>
#include <string.h>

#define CODE_ROLL 5041

/* ---- what a key does in a state ---- */
static const struct {
	const char *name;
	bool publishes[KS_ROLES], signs[KS_ROLES]; /* KSK, ZSK */
} states[KS_STATES] = {
	[KS_PRESIGN] = { "presign", { false, false }, { false, true } },
	[KS_PUBLISHED] = { "published", { true, true }, { true, false } },
	[KS_READY] = { "ready", { true, true }, { true, false } },
	[KS_ACTIVE] = { "active", { true, true }, { true, true } },
	[KS_OUTGOING] = { "outgoing", { true, true }, { true, true } },
	[KS_RETIRED] = { "retired", { true, true }, { true, false } },
	[KS_POSTSIGN] = { "postsign", { false, false }, { false, true } },
};

/* ---- what comes after it ---- */
enum wait {
	W_NOTHING,
	W_ZONE, /* all data has its signature, or has lost it, in every cache */
	W_DNSKEY,
	W_FIRST, /* what was cached before the zone was signed is gone, too */
	W_DS,
	W_LONGER, /* of zone and DNSKEY */
};
enum need {
	N_DS = 1, /* the parent has its DS */
	N_SAME = 2, /* who took its place has the same algorithm */
	N_OTHER = 4, /* … another one, so its DS must be gone, too */
};
#define GONE 0 /* the state after the last */

static const struct rule {
	enum ks_role role;
	enum ks_state from;
	enum wait wait;
	unsigned need;
	unsigned to;
	const char *text;
} rules[] = {
	{ KS_KSK, KS_PRESIGN, W_ZONE, 0, KS_PUBLISHED, "published when all data is signed" },
	{ KS_ZSK, KS_PRESIGN, W_ZONE, 0, KS_ACTIVE, "published when all data is signed" },
	{ KS_KSK, KS_PUBLISHED, W_FIRST, 0, KS_READY, "ready for its DS" },
	{ KS_ZSK, KS_PUBLISHED, W_DNSKEY, 0, KS_ACTIVE, "active" },
	{ KS_KSK, KS_READY, W_NOTHING, N_DS, KS_ACTIVE, "needs its DS at the parent" },
	{ KS_KSK, KS_RETIRED, W_DS, N_SAME, GONE, "removed" },
	{ KS_KSK, KS_RETIRED, W_DS, N_OTHER, KS_POSTSIGN,
	    "out of DNSKEY when its DS is gone from the parent" },
	{ KS_ZSK, KS_RETIRED, W_ZONE, 0, GONE, "removed" },
	{ KS_ZSK, KS_OUTGOING, W_LONGER, 0, GONE, "removed" },
	{ KS_KSK, KS_POSTSIGN, W_DNSKEY, 0, GONE, "removed" },
	{ KS_ZSK, KS_POSTSIGN, W_DNSKEY, 0, GONE, "removed with its signatures" },
};

static uint32_t
longer(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

/* Is there another key of that role, in one of these states? -1: no. */
static int
find(const struct ks_zone *z, enum ks_role role, uint32_t in_states, int algorithm, int but)
{
	for (unsigned i = 0; i < z->n; i++)
		if (z->key[i].role == role && (int)i != but && (in_states >> z->key[i].state & 1) &&
		    (algorithm < 0 || z->key[i].algorithm == algorithm))
			return (int)i;
	return -1;
}
#define IN(state) (1u << (state))
#define ANY       (~0u)

static uint32_t
wait_of(const struct ks_zone *z, const struct ks_key *k, enum wait wait)
{
	uint32_t margin = z->urgent ? KS_MARGIN_URGENT : KS_MARGIN;
	bool first = find(z, KS_KSK, ANY, -1, (int)(k - z->key)) < 0;

	switch (wait) {
	case W_ZONE:
		return z->zone_ttl + margin;
	case W_DNSKEY:
		return KS_DNSKEY_TTL + margin;
	case W_FIRST:
		return (first ? longer(z->zone_ttl, KS_DNSKEY_TTL) : KS_DNSKEY_TTL) + margin;
	case W_DS:
		return z->ds_ttl + margin;
	case W_LONGER:
		return longer(z->zone_ttl, KS_DNSKEY_TTL) + margin;
	case W_NOTHING:
		break;
	}
	return 0;
}

static bool
needs_met(const struct ks_zone *z, unsigned i, unsigned need, const struct ks_ds *ds)
{
	const struct ks_key *k = &z->key[i];
	bool heir_same = find(z, KS_KSK, IN(KS_ACTIVE), k->algorithm, (int)i) >= 0;

	if ((need & N_DS) != 0 && (ds == NULL || !ds->known || !(ds->all >> i & 1)))
		return false;
	if ((need & N_SAME) != 0 && !heir_same)
		return false;
	return (need & N_OTHER) == 0 || (!heir_same && k->ds_gone != 0);
}

/* From when its wait counts. */
static int64_t
start_of(const struct ks_key *k, unsigned need)
{
	return (need & N_OTHER) != 0 && k->ds_gone > k->since ? k->ds_gone : k->since;
}

static const struct rule *
rule_for(const struct ks_zone *z, unsigned i)
{
	const struct ks_key *k = &z->key[i];

	for (size_t r = 0; r < sizeof rules / sizeof rules[0]; r++) {
		if (rules[r].role != k->role || rules[r].from != k->state)
			continue;
		/* Two ways out: by who took its place. */
		if ((rules[r].need & (N_SAME | N_OTHER)) != 0 &&
		    ((rules[r].need & N_SAME) != 0) !=
			(find(z, KS_KSK, IN(KS_ACTIVE), k->algorithm, (int)i) >= 0))
			continue;
		return &rules[r];
	}
	return NULL;
}

/* ---- transitions ---- */
static void
enter(struct ks_key *k, enum ks_state state, int64_t now)
{
	k->state = state;
	k->since = k->entered[state] = now;
	k->ds_gone = 0;
}

static void
all_to(struct ks_zone *z, enum ks_role role, uint32_t from, int algorithm, unsigned but,
    enum ks_state to, int64_t now)
{
	for (int i; (i = find(z, role, from, algorithm, (int)but)) >= 0;)
		enter(&z->key[i], to, now);
}

static uint32_t
mask_without(uint32_t mask, unsigned i)
{
	uint32_t below = (1u << i) - 1;

	return (mask & below) | (mask >> 1 & ~below);
}

static void
drop(struct ks_zone *z, unsigned i, struct ks_ds *ds)
{
	if (ds != NULL) {
		/* A DS that is still there is nobody's now. */
		ds->other = ds->other || (ds->any >> i & 1);
		ds->all = mask_without(ds->all, i);
		ds->any = mask_without(ds->any, i);
	}
	memmove(&z->key[i], &z->key[i + 1], (z->n - i - 1) * sizeof z->key[0]);
	z->n--;
}

void
ks_lose(struct ks_zone *z, enum ks_role role)
{
	for (unsigned i = z->n; i-- > 0;)
		if (z->key[i].role == role)
			drop(z, i, NULL);
	z->urgent = false;
}

static void
go(struct ks_zone *z, unsigned i, unsigned to, struct ks_ds *ds, int64_t now)
{
	struct ks_key *k = &z->key[i];

	if (to == GONE) {
		drop(z, i, ds);
		return;
	}
	if (to == KS_ACTIVE && k->role == KS_ZSK && k->state == KS_PUBLISHED)
		all_to(z, KS_ZSK, IN(KS_ACTIVE), k->algorithm, i, KS_RETIRED, now);
	if (to == KS_ACTIVE && k->role == KS_KSK)
		all_to(z, KS_KSK, IN(KS_ACTIVE) | IN(KS_READY) | IN(KS_PUBLISHED), -1, i,
		    KS_RETIRED, now);
	if (to == KS_POSTSIGN)
		all_to(z, KS_ZSK, ANY & ~IN(KS_POSTSIGN), k->algorithm, i, KS_POSTSIGN, now);
	enter(k, to, now);
}

/* Only active keys: nothing is on its way. */
static bool
quiet(const struct ks_zone *z)
{
	return find(z, KS_KSK, ANY & ~IN(KS_ACTIVE), -1, -1) < 0 &&
	       find(z, KS_ZSK, ANY & ~IN(KS_ACTIVE), -1, -1) < 0;
}

static bool
algorithms_mixed(const struct ks_zone *z)
{
	for (unsigned i = 1; i < z->n; i++)
		if (z->key[i].algorithm != z->key[0].algorithm)
			return true;
	return false;
}

/* ---- ZSK lifetime ---- */
static int64_t
zsk_roll_at(const struct ks_zone *z, int *key)
{
	int i = find(z, KS_ZSK, IN(KS_ACTIVE), -1, -1);

	if (i < 0 || z->leaving || algorithms_mixed(z) ||
	    find(z, KS_ZSK, ANY & ~IN(KS_ACTIVE), -1, -1) >= 0)
		return 0;
	*key = i;
	/* Published so early that it can be active at the end of the life of the old one. */
	return z->key[i].since + KS_ZSK_LIFE - z->seed % KS_ZSK_JITTER - KS_DNSKEY_TTL - KS_MARGIN;
}

static bool
may_unsign(const struct ks_zone *z, int64_t now)
{
	if (!z->leaving)
		return false;
	return !z->ds_ever || (z->no_ds != 0 && now >= z->no_ds + z->ds_ttl + KS_MARGIN);
}

enum ks_do
ks_step(struct ks_zone *z, struct ks_ds *ds, int64_t now, struct ks_want *want)
{
	int64_t at;
	int key;

	if (may_unsign(z, now))
		return KS_UNSIGN;
	for (unsigned i = 0; i < z->n; i++) {
		const struct rule *r = rule_for(z, i);

		if (r == NULL || !needs_met(z, i, r->need, ds) ||
		    now < start_of(&z->key[i], r->need) + wait_of(z, &z->key[i], r->wait))
			continue;
		go(z, i, r->to, ds, now);
		z->urgent = z->urgent && !quiet(z);
		return KS_CHANGED;
	}
	at = zsk_roll_at(z, &key);
	if (at == 0 || now < at)
		return KS_NOTHING;
	*want = (struct ks_want){ KS_ZSK, z->algorithm, KS_PUBLISHED };
	return KS_WANT_KEY;
}

static void
sooner(int64_t *best, int *key, int64_t at, int k)
{
	if (at != 0 && (*best == 0 || at < *best)) {
		*best = at;
		*key = k;
	}
}

int64_t
ks_key_next(const struct ks_zone *z, unsigned i)
{
	const struct rule *r = rule_for(z, i);
	int rolls = -1;
	int64_t at;

	if (r == NULL) {
		at = zsk_roll_at(z, &rolls);
		return rolls == (int)i ? at : 0;
	}
	if ((r->need & N_DS) != 0 || ((r->need & N_OTHER) != 0 && z->key[i].ds_gone == 0))
		return 0;
	return start_of(&z->key[i], r->need) + wait_of(z, &z->key[i], r->wait);
}

int64_t
ks_next(const struct ks_zone *z, int *key)
{
	int64_t best = 0;

	*key = -1;
	for (unsigned i = 0; i < z->n; i++)
		sooner(&best, key, ks_key_next(z, i), (int)i);
	if (z->leaving && z->no_ds != 0)
		sooner(&best, key, z->no_ds + z->ds_ttl + KS_MARGIN, -1);
	if (z->apex_until != 0)
		sooner(&best, key, z->apex_until - KS_APEX_RENEW, -1);
	return best;
}

bool
ks_apex_due(const struct ks_zone *z, int64_t now)
{
	return now >= z->apex_until - (int64_t)KS_APEX_RENEW;
}

bool
ks_waits_ds(const struct ks_zone *z)
{
	if (z->leaving)
		return z->no_ds == 0;
	for (unsigned i = 0; i < z->n; i++) {
		const struct rule *r = rule_for(z, i);

		if (r != NULL &&
		    ((r->need & N_DS) != 0 || ((r->need & N_OTHER) != 0 && z->key[i].ds_gone == 0)))
			return true;
	}
	return false;
}

bool
ks_observe(struct ks_zone *z, const struct ks_ds *ds, int64_t now)
{
	bool kept = false, there = ds->any != 0 || ds->other;

	if (there && !z->ds_ever) {
		z->ds_ever = true;
		kept = true;
	}
	if (z->leaving && there != (z->no_ds == 0) && (there || ds->known)) {
		z->no_ds = there ? 0 : now;
		kept = true;
	}
	for (unsigned i = 0; i < z->n; i++) {
		struct ks_key *k = &z->key[i];
		bool has = ds->any >> i & 1;

		if (k->role != KS_KSK || k->state != KS_RETIRED || has == (k->ds_gone == 0) ||
		    (!has && !ds->known))
			continue;
		k->ds_gone = has ? 0 : now;
		kept = true;
	}
	return kept;
}

/* ---- what people ask for ---- */
void
ks_begin(struct ks_zone *z, uint8_t algorithm, uint32_t seed)
{
	*z = (struct ks_zone){ .algorithm = algorithm, .seed = seed, .ds_ttl = KS_DS_TTL };
}

bool
ks_add(struct ks_zone *z, enum ks_role role, uint8_t algorithm, uint16_t tag, enum ks_state state,
    int64_t now)
{
	if (z->n == KS_KEYS_MAX)
		return false;
	z->key[z->n++] =
	    (struct ks_key){ .role = role, .algorithm = algorithm, .tag = tag, .id = ++z->last_id };
	enter(&z->key[z->n - 1], state, now);
	return true;
}

static enum ns_err
under_way(const struct ks_zone *z, struct ns_why *why)
{
	for (unsigned i = 0; i < z->n; i++)
		if (z->key[i].state != KS_ACTIVE)
			return ns_fail(why, NS_CONFLICT, CODE_ROLL,
			    "key %u (%s) is %s: a roll is under way, which ends first",
			    z->key[i].tag, ks_role_name(z->key[i].role),
			    ks_state_name(z->key[i].state));
	return NS_OK;
}

enum ns_err
ks_roll(struct ks_zone *z, enum ks_role role, bool urgent, int64_t now, struct ks_want *want,
    struct ns_why *why)
{
	enum ns_err err = NS_OK;

	(void)now;
	if (z->leaving)
		return ns_fail(why, NS_CONFLICT, CODE_ROLL, "the zone is on its way to unsigned");
	/* A ZSK knows nothing of the parent, so a KSK that waits for its DS is no hindrance. */
	if (role == KS_KSK || algorithms_mixed(z) ||
	    find(z, KS_ZSK, ANY & ~IN(KS_ACTIVE), -1, -1) >= 0)
		err = under_way(z, why);
	if (err != NS_OK)
		return err;
	z->urgent = urgent;
	*want = (struct ks_want){ role, z->algorithm,
		urgent && role == KS_ZSK ? KS_ACTIVE : KS_PUBLISHED };
	return NS_OK;
}

void
ks_rolled(struct ks_zone *z, enum ks_role role, int64_t now)
{
	if (z->urgent && role == KS_ZSK && z->n > 0)
		all_to(z, KS_ZSK, IN(KS_ACTIVE), -1, z->n - 1, KS_OUTGOING, now);
}

enum ns_err
ks_roll_algorithm(struct ks_zone *z, uint8_t algorithm, struct ns_why *why)
{
	enum ns_err err;

	if (z->leaving)
		return ns_fail(why, NS_CONFLICT, CODE_ROLL, "the zone is on its way to unsigned");
	if (algorithm == z->algorithm)
		return ns_fail(why, NS_CONFLICT, CODE_ROLL, "that is the zone's algorithm already");
	err = under_way(z, why);
	if (err == NS_OK)
		z->algorithm = algorithm;
	return err;
}

enum ns_err
ks_submitted(const struct ks_zone *z, struct ks_ds *ds, struct ns_why *why)
{
	*ds = (struct ks_ds){ .known = true };
	for (unsigned i = 0; i < z->n; i++)
		if (z->key[i].role == KS_KSK && z->key[i].state == KS_READY)
			ds->all |= 1u << i;
	ds->any = ds->all;
	if (ds->all != 0)
		return NS_OK;
	if (find(z, KS_KSK, IN(KS_PUBLISHED) | IN(KS_PRESIGN), -1, -1) >= 0)
		return ns_fail(why, NS_CONFLICT, CODE_ROLL,
		    "too early: not every cache has the new key yet; dnssec keys shows when its DS "
		    "is due");
	return ns_fail(why, NS_CONFLICT, CODE_ROLL, "no key of the zone waits for a DS");
}

enum ns_err
ks_leave(struct ks_zone *z, const struct ks_ds *ds, bool asked, int64_t now, struct ns_why *why)
{
	bool there = ds != NULL && (ds->any != 0 || ds->other);

	if (there && !asked)
		return ns_fail(why, NS_CONFLICT, CODE_ROLL,
		    "the parent has a DS of the zone: without signatures every validating resolver "
		    "would answer SERVFAIL; --when-safe asks the parent by CDS to remove it and "
		    "waits for that");
	if (!z->leaving)
		z->leaving_since = now;
	z->leaving = true;
	if (ds != NULL)
		(void)ks_observe(z, ds, now);
	return NS_OK;
}

void
ks_stay(struct ks_zone *z)
{
	z->leaving = false;
	z->leaving_since = z->no_ds = 0;
}

/* ---- reading ---- */
bool
ks_publishes(const struct ks_key *k)
{
	return states[k->state].publishes[k->role];
}

bool
ks_signs(const struct ks_key *k)
{
	return states[k->state].signs[k->role];
}

uint32_t
ks_cds(const struct ks_zone *z)
{
	static const enum ks_state order[] = { KS_READY, KS_ACTIVE, KS_PUBLISHED };
	uint32_t mask = 0;

	for (size_t s = 0; s < sizeof order / sizeof order[0] && mask == 0 && !z->leaving; s++)
		for (unsigned i = 0; i < z->n; i++)
			if (z->key[i].role == KS_KSK && z->key[i].state == order[s])
				mask |= 1u << i;
	return mask;
}

const char *
ks_role_name(enum ks_role role)
{
	return role == KS_KSK ? "ksk" : "zsk";
}

const char *
ks_state_name(enum ks_state state)
{
	return state >= KS_PRESIGN && state < KS_STATES ? states[state].name : "?";
}

const char *
ks_next_text(const struct ks_zone *z, unsigned i)
{
	const struct rule *r = rule_for(z, i);
	int key = -1;

	if (r != NULL)
		return r->text;
	if (zsk_roll_at(z, &key) != 0 && key == (int)i)
		return "a successor is published";
	return "";
}
