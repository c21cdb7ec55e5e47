/* keybody - see keybody.h. */
#include "appliance/keys/keybody.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/dns/ds.h"
#include "appliance/dns/name.h"
#include "appliance/dns/zwire.h"
#include "ipc/base/wbuf.h"
#include "ipc/base/xalloc.h"

#define FLAGS_ZSK 256
#define FLAGS_KSK 257

static const char *const denials[KD_MAX] = {
	[KD_NSEC] = "nsec",
	[KD_NSEC3] = "nsec3",
	[KD_NSEC3_OPTOUT] = "nsec3-optout",
};

const char *
denial_name(uint32_t denial)
{
	return denial < KD_MAX ? denials[denial] : "?";
}

bool
denial_read(const char *text, uint32_t *denial)
{
	for (uint32_t i = 0; i < KD_MAX; i++)
		if (strcmp(text, denials[i]) == 0) {
			*denial = i;
			return true;
		}
	return false;
}

void
keys_object_name(uint64_t zone_id, char out[KEYS_NAME])
{
	snprintf(out, KEYS_NAME, "z%llu", (unsigned long long)zone_id);
}

uint64_t
keys_object_zone(const char *kind, const char *name)
{
	return strcmp(kind, KEYS_KIND) == 0 && name[0] == 'z' ? strtoull(name + 1, NULL, 10) : 0;
}

static bool
key_ok(const Ns__ZoneKeys__Key *k)
{
	const uint8_t *rdata = k->dnskey.data;

	if ((k->dnskey.len != DNSKEY_MIN && k->dnskey.len != DNSKEY_MAX) || k->state < KS_PRESIGN ||
	    k->state >= KS_STATES || k->wrapped.len == 0 || k->n_entered >= KS_STATES)
		return false;
	return (get_u16(rdata) == FLAGS_ZSK || get_u16(rdata) == FLAGS_KSK) && rdata[2] == 3 &&
	       ((rdata[3] == 13 && k->dnskey.len == DNSKEY_MAX) ||
		   (rdata[3] == 15 && k->dnskey.len == DNSKEY_MIN));
}

static bool
body_ok(const Ns__ZoneKeys *m)
{
	bool ok = m->n_keys > 0 && m->n_keys <= KS_KEYS_MAX && m->denial < KD_MAX &&
		  (m->algorithm == 13 || m->algorithm == 15) && m->zone.len > 0 &&
		  name_check(m->zone.data, m->zone.len) == m->zone.len && m->apex.len > 0 &&
		  zwire_check(m->apex.data, m->apex.len, NULL) == NS_OK;

	for (size_t i = 0; i < m->n_keys && ok; i++)
		ok = key_ok(m->keys[i]);
	return ok;
}

Ns__ZoneKeys *
keybody_unpack(const uint8_t *data, size_t len)
{
	Ns__ZoneKeys *m = ns__zone_keys__unpack(NULL, len, data);

	if (m != NULL && !body_ok(m)) {
		ns__zone_keys__free_unpacked(m, NULL);
		m = NULL;
	}
	return m;
}

/* Of a key that was written when no such times were kept, that of its state is known. */
static void
read_entered(const Ns__ZoneKeys__Key *m, struct ks_key *k)
{
	for (size_t i = 0; i < m->n_entered; i++)
		k->entered[KS_PRESIGN + i] = m->entered[i];
	k->entered[k->state] = k->since;
}

void
keybody_read(const Ns__ZoneKeys *m, struct ks_zone *z)
{
	*z = (struct ks_zone){ .algorithm = (uint8_t)m->algorithm,
		.leaving = m->leaving,
		.leaving_since = m->leaving_since,
		.urgent = m->urgent,
		.ds_ever = m->ds_ever,
		.no_ds = m->no_ds,
		.zone_ttl = m->zone_ttl,
		.ds_ttl = m->ds_ttl,
		.apex_until = m->apex_until,
		.seed = m->seed,
		.last_id = m->last_id,
		.n = (unsigned)m->n_keys };
	for (unsigned i = 0; i < z->n; i++) {
		const Ns__ZoneKeys__Key *k = m->keys[i];

		z->key[i] = (struct ks_key){
			.role = get_u16(k->dnskey.data) == FLAGS_KSK ? KS_KSK : KS_ZSK,
			.algorithm = k->dnskey.data[3],
			.tag = ds_key_tag(k->dnskey.data, k->dnskey.len),
			.state = k->state,
			.since = k->since,
			.ds_gone = k->ds_gone,
			.id = k->id,
		};
		read_entered(k, &z->key[i]);
	}
}

static const struct ks_key *
by_id(const struct ks_zone *z, uint32_t id)
{
	for (unsigned i = 0; i < z->n; i++)
		if (z->key[i].id == id)
			return &z->key[i];
	return NULL;
}

static void
write_entered(Ns__ZoneKeys__Key *m, const struct ks_key *k)
{
	size_t n = KS_STATES - KS_PRESIGN;

	while (n > 0 && k->entered[KS_PRESIGN + n - 1] == 0)
		n--;
	m->entered = xreallocarray(m->entered, n + 1, sizeof *m->entered);
	memcpy(m->entered, &k->entered[KS_PRESIGN], n * sizeof *m->entered);
	m->n_entered = n;
}

static void
write_keys(Ns__ZoneKeys *m, const struct ks_zone *z)
{
	size_t kept = 0;

	for (size_t i = 0; i < m->n_keys; i++) {
		const struct ks_key *k = by_id(z, m->keys[i]->id);

		if (k == NULL) {
			protobuf_c_message_free_unpacked(&m->keys[i]->base, NULL);
			continue;
		}
		m->keys[i]->state = k->state;
		m->keys[i]->since = k->since;
		m->keys[i]->ds_gone = k->ds_gone;
		write_entered(m->keys[i], k);
		m->keys[kept++] = m->keys[i];
	}
	m->n_keys = kept;
}

void
keybody_write(Ns__ZoneKeys *m, const struct ks_zone *z)
{
	int key;

	write_keys(m, z);
	m->algorithm = z->algorithm;
	m->leaving = z->leaving;
	m->leaving_since = z->leaving_since;
	m->urgent = z->urgent;
	m->ds_ever = z->ds_ever;
	m->no_ds = z->no_ds;
	m->zone_ttl = z->zone_ttl;
	m->ds_ttl = z->ds_ttl;
	m->apex_until = z->apex_until;
	m->seed = z->seed;
	m->last_id = z->last_id;
	m->next = ks_next(z, &key);
	m->waits_ds = ks_waits_ds(z);
}
