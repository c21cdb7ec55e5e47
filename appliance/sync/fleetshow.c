/* fleetshow - fleet show NAME: one appliance, all that is known of it here.  Loop, from memory alone. */
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/fleet/codes.h"
#include "appliance/sync/control.h"
#include "appliance/sync/dnssec.h"
#include "appliance/sync/fleet.h"
#include "appliance/sync/keyring.h"
#include "appliance/sync/status.h"
#include "ipc/base/clock.h"
#include "ipc/base/xalloc.h"

#define KEY_ID 8u /* octets of a digest: enough to tell keys apart */

static void
add_key(Ns__FleetShowReply *m, const char *use, const uint8_t *key, size_t len)
{
	Ns__FleetShowReply__Key *k = xmalloc(sizeof *k);
	uint8_t sum[SHA256_DIGEST_LENGTH];

	SHA256(key, len, sum);
	ns__fleet_show_reply__key__init(k);
	k->use = xstrdup(use);
	k->id = reply_hex(sum, KEY_ID);
	m->keys = xreallocarray(m->keys, m->n_keys + 1, sizeof *m->keys);
	m->keys[m->n_keys++] = k;
}

static void
add_keys(const struct sync *s, const struct member *mb, bool self, Ns__FleetShowReply *m)
{
	const uint8_t *seal = self ? dnssec_public() : keyring_key(m->name);

	if (mb != NULL && mb->enrolled)
		add_key(m, "fleet", mb->key, FLEET_KEY);
	else if (mb == NULL && s->fleet->on)
		add_key(m, "fleet", s->fleet->keys.public_key, FLEET_KEY);
	if (mb != NULL && mb->roll.announced)
		add_key(m, "fleet-next", mb->roll.key, FLEET_KEY);
	if (seal != NULL)
		add_key(m, "seal", seal, FLEET_KEY);
}

static Ns__FleetShowReply__Point *
point(uint64_t revision, int64_t at_ms)
{
	Ns__FleetShowReply__Point *p = xmalloc(sizeof *p);

	ns__fleet_show_reply__point__init(p);
	p->revision = revision;
	p->at = at_ms != 0 ? reply_time(at_ms) : xstrdup("");
	return p;
}

static void
add_points(const struct sync *s, const struct member *mb, bool self, Ns__FleetShowReply *m,
    const Ns__FleetListReply__Appliance *a)
{
	const struct rep *rep = &s->fleet->rep;
	const Ns__FleetBeat__Peer *p = NULL;
	Ns__FleetBeat__Peer *own = NULL;
	int64_t stored = self ? rep->stored_at_ms : 0, served = self ? rep->served_at_ms : 0;

	if (!self && mb != NULL && mb->enrolled && !fleet_is_replica(s))
		p = own = pub_peer(s, mb, clock_mono_ns());
	else if (!self)
		p = peer_find(rep->beat, m->name);
	if (p != NULL) {
		stored = p->stored_at_ms;
		served = p->served_at_ms;
	}
	free(own);
	m->stored = point(a->stored, stored);
	m->served = point(a->revision, served);
}

/* The strings of the list's entry change hands. */
static void
move(Ns__FleetShowReply *m, Ns__FleetListReply__Appliance *a)
{
	m->name = a->name;
	m->site = a->site;
	m->role = a->role;
	m->state = a->state;
	m->version = a->version;
	m->endpoint = a->endpoint;
	m->trust = a->trust;
	m->drained = a->drained;
	m->key_roll = a->key_roll;
	m->lag_s = a->lag_s;
	m->lag_changes = a->lag_changes;
	m->qps = a->qps;
	m->silent_s = a->silent_s;
	m->memory_mib = a->memory_mib;
	m->geo_built = a->geo_built;
	m->clock_ms = a->clock_ms;
}

static void
fill(const struct sync *s, Ns__FleetShowReply *m, Ns__FleetListReply__Appliance *a)
{
	const struct fleet *f = s->fleet;
	const struct member *mb = roster_find(f->roster, a->name), *st = roster_standby(f->roster);
	bool self = strcmp(a->name, s->name) == 0;

	move(m, a);
	m->nsid = xstrdup(strcmp(m->state, "invited") != 0 ? m->name : "");
	m->primary = xstrdup(fleet_is_replica(s) ? f->facts.primary : s->name);
	m->standby = xstrdup(st != NULL ? st->name : "");
	/* What is of another term is not taken for a word of it (fleetpub.c). */
	if (self || strcmp(m->state, "ok") == 0 || strcmp(m->state, "lag") == 0)
		m->term = s->head.term;
	m->since = mb != NULL ? mb->since : 0;
	add_keys(s, mb, self, m);
	add_points(s, mb, self, m, a);
	if (self)
		m->n_processes = status_processes(s, &m->processes);
	ns__fleet_list_reply__appliance__init(a);
}

void
fleet_show_request(struct sync *s, struct request *r)
{
	const char *name = r->env->fleet_show_request->name;
	Ns__FleetListReply *list = fleet_list_reply(s);
	Ns__FleetShowReply *m = NULL;

	for (size_t i = 0; i < list->n_appliances && m == NULL; i++) {
		if (strcmp(list->appliances[i]->name, name) != 0)
			continue;
		m = xmalloc(sizeof *m);
		ns__fleet_show_reply__init(m);
		m->age_s = list->age_s;
		fill(s, m, list->appliances[i]);
	}
	ns__fleet_list_reply__free_unpacked(list, NULL);
	if (m != NULL)
		request_reply(r, NS__ENVELOPE__BODY_FLEET_SHOW_REPLY, m);
	else
		r->err = ns_fail(
		    &r->why, NS_NOTFOUND, EF_MEMBER, "there is no appliance named %s", name);
	request_finish(s, r);
}
