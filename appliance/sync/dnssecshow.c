/* dnssecshow - dnssec keys and dnssec ds: a zone's keys, what comes next, and what the parent has of them. */
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "appliance/dns/ds.h"
#include "appliance/dns/name.h"
#include "appliance/keys/keybody.h"
#include "appliance/sync/dnssec.h"
#include "appliance/sync/keysched.h"
#include "ipc/base/clock.h"
#include "ipc/base/wbuf.h"
#include "ipc/base/xalloc.h"

#define DNSKEY_HEAD 4u

static char *
time_text(int64_t seconds)
{
	return seconds != 0 ? reply_time(seconds * 1000) : xstrdup("");
}

static char *
ds_line(const char *zone, const Ns__ZoneKeys__Key *k, const uint8_t *apex)
{
	uint8_t ds[DS_MAX];
	size_t len = ds_make(apex, k->dnskey.data, k->dnskey.len, ds);
	char *hex, *line;

	if (len < 4)
		return xstrdup("");
	hex = reply_hex(ds + 4, len - 4);
	for (char *p = hex; *p != '\0'; p++)
		*p = (char)(*p >= 'a' ? *p - 'a' + 'A' : *p);
	line = xasprintf(
	    "%s %u IN DS %u %u %u %s", zone, KS_DNSKEY_TTL, get_u16(ds), ds[2], ds[3], hex);
	free(hex);
	return line;
}

static char *
dnskey_line(const char *zone, const Ns__ZoneKeys__Key *k)
{
	size_t len = k->dnskey.len - DNSKEY_HEAD;
	char *text = xmalloc(4 * ((len + 2) / 3) + 1), *line;

	EVP_EncodeBlock((unsigned char *)text, k->dnskey.data + DNSKEY_HEAD, (int)len);
	line = xasprintf("%s %u IN DNSKEY %u %u %u %s", zone, KS_DNSKEY_TTL,
	    get_u16(k->dnskey.data), k->dnskey.data[2], k->dnskey.data[3], text);
	free(text);
	return line;
}

/* ---- the parent ---- */
static bool
has_ds(const Ns__ParentReply__Server *s, const Ns__ZoneKeys__Key *k, const uint8_t *apex)
{
	for (size_t i = 0; i < s->n_ds; i++)
		if (ds_matches(apex, s->ds[i].data, s->ds[i].len, k->dnskey.data, k->dnskey.len))
			return true;
	return false;
}

static const char *
seen(const Ns__ParentReply *p, const Ns__ZoneKeys__Key *k, const uint8_t *apex)
{
	size_t known = 0, has = 0;

	for (size_t i = 0; p != NULL && i < p->n_servers; i++) {
		if (p->servers[i]->fault[0] != '\0' || !p->servers[i]->ds_known)
			continue;
		known++;
		has += has_ds(p->servers[i], k, apex);
	}
	return known == 0 ? "unknown" : has == 0 ? "none" : has == known ? "all" : "some";
}

static char *
fault_of(const Ns__ParentReply *p)
{
	if (p == NULL)
		return xstrdup("");
	for (size_t i = 0; i < p->n_servers; i++)
		if (p->servers[i]->fault[0] != '\0')
			return xasprintf("%s: %s", p->servers[i]->address, p->servers[i]->fault);
	return xstrdup(p->fault);
}

/* A DS leads somewhere when it is that of a key that signs DNSKEY. */
static bool
leads(const ProtobufCBinaryData *ds, const struct ks_zone *z, const Ns__ZoneKeys *m)
{
	for (unsigned i = 0; i < z->n; i++)
		if (z->key[i].role == KS_KSK && ks_publishes(&z->key[i]) && ks_signs(&z->key[i]) &&
		    ds_matches(m->zone.data, ds->data, ds->len, m->keys[i]->dnskey.data,
			m->keys[i]->dnskey.len))
			return true;
	return false;
}

/* A server of the parent whose DS lead nowhere makes the zone bogus to whoever asks it; key events that nobody takes
 * do later. */
static char *
warning_of(
    const struct sync *s, const Ns__ParentReply *p, const struct ks_zone *z, const Ns__ZoneKeys *m)
{
	char *frozen;

	for (size_t i = 0; p != NULL && i < p->n_servers; i++) {
		const Ns__ParentReply__Server *from = p->servers[i];
		bool any = false;

		for (size_t d = 0; d < from->n_ds; d++)
			any = any || leads(&from->ds[d], z, m);
		if (from->n_ds > 0 && !any)
			return xasprintf(
			    "no DS at %s is that of a key of the zone: validating "
			    "resolvers answer SERVFAIL; dnssec ds prints the right one",
			    from->address);
	}
	frozen = keysched_trouble(s);
	return frozen != NULL ? frozen : xstrdup("");
}

/* ---- keys ---- */
/* The times at which it came into its states: the states come in their order. */
static void
add_entered(Ns__DnssecShowReply__Key *out, const struct ks_key *k)
{
	out->entered = xcalloc(KS_STATES, sizeof *out->entered);
	for (enum ks_state state = KS_PRESIGN; state < KS_STATES; state++) {
		Ns__DnssecShowReply__Key__Entered *e;

		if (k->entered[state] == 0)
			continue;
		e = out->entered[out->n_entered++] = xmalloc(sizeof *e);
		ns__dnssec_show_reply__key__entered__init(e);
		e->state = xstrdup(ks_state_name(state));
		e->at = time_text(k->entered[state]);
	}
}

static Ns__DnssecShowReply__Key *
key_reply(const struct ks_zone *z, unsigned i, const Ns__ZoneKeys *m, const char *zone,
    const Ns__ParentReply *p)
{
	Ns__DnssecShowReply__Key *out = xmalloc(sizeof *out);
	const struct ks_key *k = &z->key[i];
	bool ksk = k->role == KS_KSK;

	ns__dnssec_show_reply__key__init(out);
	out->tag = k->tag;
	out->algorithm = k->algorithm;
	out->role = xstrdup(ks_role_name(k->role));
	out->state = xstrdup(ks_state_name(k->state));
	out->since = time_text(k->since);
	add_entered(out, k);
	out->published = ks_publishes(k);
	out->signs = ks_signs(k);
	out->ds = ksk ? ds_line(zone, m->keys[i], m->zone.data) : xstrdup("");
	out->ds_seen = xstrdup(ksk ? seen(p, m->keys[i], m->zone.data) : "");
	out->dnskey = dnskey_line(zone, m->keys[i]);
	out->next = xstrdup(ks_next_text(z, i));
	out->next_at = time_text(ks_key_next(z, i));
	return out;
}

/* Until then a cache may have what was not signed yet: a DS that is there sooner can hurt. */
static int64_t
ds_after(const struct ks_zone *z)
{
	unsigned ksks = 0, first = 0;

	for (unsigned i = 0; i < z->n; i++)
		if (z->key[i].role == KS_KSK && ksks++ == 0)
			first = i;
	if (ksks != 1 || z->ds_ever || z->key[first].state != KS_PUBLISHED)
		return 0;
	return ks_key_next(z, first);
}

static const char *
waits_for(const struct ks_zone *z)
{
	if (z->leaving)
		return z->no_ds != 0 ? "" : "the parent's DS to be removed";
	for (unsigned i = 0; i < z->n; i++)
		if (z->key[i].role == KS_KSK && z->key[i].state == KS_READY)
			return "its DS at the parent: give it to the registrar (dnssec ds)";
	return ks_waits_ds(z) ? "the old DS to be removed at the parent" : "";
}

static void
fill(const struct sync *s, Ns__DnssecShowReply *m, const Ns__ZoneKeys *keys, uint64_t zone_id)
{
	const Ns__ParentReply *p;
	struct ks_zone z;
	int64_t asked;
	int key;

	keybody_read(keys, &z);
	p = keysched_parent(zone_id, &asked);
	m->algorithm = z.algorithm;
	m->keys = xcalloc(z.n + 1, sizeof *m->keys);
	m->ds = xcalloc(z.n + 1, sizeof *m->ds);
	for (unsigned i = 0; i < z.n; i++) {
		m->keys[m->n_keys++] = key_reply(&z, i, keys, m->zone, p);
		if (ks_cds(&z) >> i & 1)
			m->ds[m->n_ds++] = xstrdup(m->keys[i]->ds);
	}
	m->next_event = time_text(ks_next(&z, &key));
	m->waits_for = xstrdup(waits_for(&z));
	m->dnskey_signed_until = time_text(z.apex_until);
	m->parent_asked = time_text(asked);
	m->parent_fault = fault_of(p);
	m->warning = warning_of(s, p, &z, keys);
	m->ds_after = time_text(ds_after(&z));
	m->leaving_since = time_text(z.leaving_since);
	m->no_ds_since = time_text(z.leaving ? z.no_ds : 0);
}

static bool
is_over(const struct dnssec *d)
{
	return d->expires != 0 && d->expires < clock_wall_ms() / 1000;
}

Ns__DnssecShowReply *
dnssec_show_make(const struct sync *s, const struct dnssec *d)
{
	Ns__DnssecShowReply *m = xmalloc(sizeof *m);
	Ns__ZoneKeys *keys = d->keys.len > 0 ? keybody_unpack(d->keys.base, d->keys.len) : NULL;

	ns__dnssec_show_reply__init(m);
	m->zone = reply_name(d->z.name);
	m->status = xstrdup(keys == NULL    ? d->z.external ? "external" : "off"
			    : keys->leaving ? "leaving"
					    : "signed");
	m->denial = xstrdup(keys != NULL ? denial_name(keys->denial) : "");
	m->expires = time_text(d->expires);
	m->expired = is_over(d);
	if (keys == NULL)
		return m;
	fill(s, m, keys, d->z.id);
	ns__zone_keys__free_unpacked(keys, NULL);
	return m;
}

void
dnssec_show_zone(const struct dnssec *d, Ns__ZoneInfo *m)
{
	Ns__ZoneKeys *keys = d->keys.len > 0 ? keybody_unpack(d->keys.base, d->keys.len) : NULL;
	struct ks_zone z;
	int key;

	m->signatures_until = time_text(d->expires);
	m->signatures_expired = is_over(d);
	if (keys == NULL)
		return;
	keybody_read(keys, &z);
	m->next_key_event = time_text(ks_next(&z, &key));
	ns__zone_keys__free_unpacked(keys, NULL);
}
