/* roster.c - see roster.h. */
#include "appliance/fleet/roster.h"
#include "ipc/base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ipc/base/xalloc.h"

bool
member_name_ok(const char *name)
{
	size_t n =
	    strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._");

	return n > 0 && n < FLEET_NAME && name[n] == '\0';
}

bool
member_trust_ok(const char *trust)
{
	return strcmp(trust, "viewer") == 0 || strcmp(trust, "operator") == 0;
}

/* A key is 32 octets or not there. */
static bool
take_key(uint8_t out[FLEET_KEY], bool *there, const ProtobufCBinaryData *in)
{
	*there = in->len == FLEET_KEY;
	if (*there)
		memcpy(out, in->data, FLEET_KEY);
	return *there || in->len == 0;
}

static bool
take_drain(struct member *m, const Ns__FleetMember__Drain *in)
{
	if (in == NULL)
		return true;
	m->drained = true;
	m->drain.at_ms = in->at_ms;
	m->drain.ttl = in->ttl;
	m->drain.ttl_partial = in->ttl_partial;
	return text_take(m->drain.author, sizeof m->drain.author, in->author) &&
	       text_take(m->drain.reason, sizeof m->drain.reason, in->reason);
}

static bool
take_roll(struct member *m, const Ns__FleetMember__Roll *in)
{
	if (in == NULL)
		return true;
	m->roll.asked = true;
	m->roll.overlap_s = in->overlap_s;
	m->roll.until_ms = in->until_ms;
	return in->overlap_s <= FLEET_OVERLAP_MAX_S &&
	       take_key(m->roll.key, &m->roll.announced, &in->key);
}

bool
member_from_message(struct member *m, const Ns__FleetMember *in)
{
	struct sockaddr_storage ss;
	socklen_t len;

	*m = (struct member){ .removed = in->removed,
		.standby = in->standby,
		.site_claimed = in->site_claimed,
		.invite_until_ms = in->invite_until_ms,
		.since = in->since };
	return member_name_ok(in->name) && member_trust_ok(in->trust) &&
	       text_take(m->name, sizeof m->name, in->name) &&
	       text_take(m->site, sizeof m->site, in->site) &&
	       text_take(m->trust, sizeof m->trust, in->trust) &&
	       text_take(m->endpoint, sizeof m->endpoint, in->endpoint) &&
	       (m->endpoint[0] == '\0' ||
		   endpoint_read(m->endpoint, false, &ss, &len, NULL) == NS_OK) &&
	       take_key(m->key, &m->enrolled, &in->key) &&
	       take_key(m->invite_key, &m->invited, &in->invite_key) && take_drain(m, in->drain) &&
	       take_roll(m, in->roll);
}

static void
give_drain(const struct member_drain *d, Ns__FleetMember__Drain *out)
{
	ns__fleet_member__drain__init(out);
	out->author = (char *)(uintptr_t)d->author;
	out->reason = (char *)(uintptr_t)d->reason;
	out->at_ms = d->at_ms;
	out->ttl = d->ttl;
	out->ttl_partial = d->ttl_partial;
}

void
member_to_message(const struct member *m, struct member_message *to)
{
	Ns__FleetMember *out = &to->message;

	ns__fleet_member__init(out);
	out->name = (char *)(uintptr_t)m->name;
	out->site = (char *)(uintptr_t)m->site;
	out->trust = (char *)(uintptr_t)m->trust;
	out->endpoint = (char *)(uintptr_t)m->endpoint;
	out->removed = m->removed;
	out->invite_until_ms = m->invite_until_ms;
	out->since = m->since;
	out->standby = m->standby;
	out->site_claimed = m->site_claimed;
	if (m->enrolled)
		out->key = (ProtobufCBinaryData){ FLEET_KEY, (uint8_t *)(uintptr_t)m->key };
	if (m->invited)
		out->invite_key =
		    (ProtobufCBinaryData){ FLEET_KEY, (uint8_t *)(uintptr_t)m->invite_key };
	if (m->drained) {
		give_drain(&m->drain, &to->drain);
		out->drain = &to->drain;
	}
	if (m->roll.asked) {
		ns__fleet_member__roll__init(&to->roll);
		to->roll.overlap_s = m->roll.overlap_s;
		to->roll.until_ms = m->roll.until_ms;
		if (m->roll.announced)
			to->roll.key =
			    (ProtobufCBinaryData){ FLEET_KEY, (uint8_t *)(uintptr_t)m->roll.key };
		out->roll = &to->roll;
	}
}

void
roster_free(struct roster *r)
{
	free(r->members);
	*r = (struct roster){ 0 };
}

static struct member *
find(const struct roster *r, const char *name, size_t *at)
{
	size_t i = 0;

	while (i < r->count && strcmp(r->members[i].name, name) < 0)
		i++;
	*at = i;
	return i < r->count && strcmp(r->members[i].name, name) == 0 ? &r->members[i] : NULL;
}

bool
roster_put(struct roster *r, const struct member *m)
{
	size_t at;
	struct member *old = find(r, m->name, &at);

	if (old != NULL) {
		*old = *m;
		return true;
	}
	if (r->count >= FLEET_MEMBERS)
		return false;
	r->members = xreallocarray(r->members, r->count + 1, sizeof *r->members);
	memmove(&r->members[at + 1], &r->members[at], (r->count - at) * sizeof *r->members);
	r->members[at] = *m;
	r->count++;
	return true;
}

const struct member *
roster_find(const struct roster *r, const char *name)
{
	size_t at;

	return find(r, name, &at);
}

const struct member *
roster_standby(const struct roster *r)
{
	for (size_t i = 0; i < r->count; i++)
		if (r->members[i].standby && r->members[i].enrolled && !r->members[i].removed)
			return &r->members[i];
	return NULL;
}

const char *
roster_site(const struct roster *r, const char *name)
{
	const struct member *m = roster_find(r, name);

	return m == NULL || m->removed || m->site_claimed ? "" : m->site;
}

size_t
roster_active(const struct roster *r)
{
	size_t n = 0;

	for (size_t i = 0; i < r->count; i++)
		n += r->members[i].enrolled && !r->members[i].removed;
	return n;
}

size_t
roster_serving(const struct roster *r)
{
	size_t n = 0;

	for (size_t i = 0; i < r->count; i++)
		n += r->members[i].enrolled && !r->members[i].removed && !r->members[i].drained;
	return n;
}

/* The key is part of the name: a member that was removed and let in again is somebody else. */
static void
user_write(char kind, const struct member *m, const uint8_t key[FLEET_KEY], char out[FLEET_USER])
{
	size_t n = (size_t)snprintf(out, FLEET_USER, "%c:%s:", kind, m->name);

	for (size_t i = 0; i < 8; i++)
		n += (size_t)snprintf(out + n, FLEET_USER - n, "%02x", key[i]);
}

static bool
is_member(const struct member *m)
{
	return m->enrolled && !m->removed;
}

static bool
is_invited(const struct member *m, int64_t now_ms)
{
	return m->invited && !m->removed && now_ms < m->invite_until_ms;
}

static bool
is_key(const uint8_t a[FLEET_KEY], const uint8_t b[FLEET_KEY])
{
	return memcmp(a, b, FLEET_KEY) == 0;
}

/* The key that a roll replaces is good until its time is over, even while nobody is there to end the roll. */
static bool
old_key_counts(const struct member *m, int64_t now_ms)
{
	return !m->roll.announced || now_ms < m->roll.until_ms;
}

static bool
has_key(const struct member *m, const uint8_t key[FLEET_KEY], int64_t now_ms)
{
	return is_member(m) && ((is_key(m->key, key) && old_key_counts(m, now_ms)) ||
				   (m->roll.announced && is_key(m->roll.key, key)));
}

bool
roster_has_key(const struct roster *r, const uint8_t key[FLEET_KEY])
{
	for (size_t i = 0; i < r->count; i++) {
		const struct member *m = &r->members[i];

		if ((m->enrolled && is_key(m->key, key)) ||
		    (m->roll.announced && is_key(m->roll.key, key)) ||
		    (m->invited && is_key(m->invite_key, key)))
			return true;
	}
	return false;
}

bool
roster_admit(
    const struct roster *r, const uint8_t key[FLEET_KEY], int64_t now_ms, char user[FLEET_USER])
{
	for (size_t i = 0; i < r->count; i++) {
		const struct member *m = &r->members[i];

		if (has_key(m, key, now_ms)) {
			user_write('m', m, key, user);
			return true;
		}
		if (is_invited(m, now_ms) && is_key(m->invite_key, key)) {
			user_write('i', m, key, user);
			return true;
		}
	}
	return false;
}

static bool
is_user(char kind, const struct member *m, const uint8_t key[FLEET_KEY], const char *user)
{
	char now[FLEET_USER];

	user_write(kind, m, key, now);
	return strcmp(now, user) == 0;
}

const struct member *
roster_user(const struct roster *r, const char *user, int64_t now_ms, bool *invite)
{
	char name[FLEET_NAME];
	const char *end = strrchr(user, ':');
	const struct member *m;
	size_t len, at;

	*invite = user[0] == 'i';
	if ((user[0] != 'm' && user[0] != 'i') || user[1] != ':' || end == NULL || end < user + 3)
		return NULL;
	len = (size_t)(end - user) - 2;
	if (len >= sizeof name)
		return NULL;
	memcpy(name, user + 2, len);
	name[len] = '\0';
	m = find(r, name, &at);
	if (m == NULL || !(*invite ? is_invited(m, now_ms) : is_member(m)))
		return NULL;
	if (*invite)
		return is_user('i', m, m->invite_key, user) ? m : NULL;
	return (old_key_counts(m, now_ms) && is_user('m', m, m->key, user)) ||
		       (m->roll.announced && is_user('m', m, m->roll.key, user))
		   ? m
		   : NULL;
}
