/* lost - see lost.h.  Pure. */
#include "appliance/sync/lost.h"

#include <stdlib.h>
#include <string.h>

#include "appliance/dns/name.h"
#include "appliance/sync/bodycheck.h"
#include "appliance/sync/errors.h"
#include "appliance/sync/zonedraft.h"
#include "ipc/base/hash.h"
#include "ipc/base/rbuf.h"
#include "ipc/base/wbuf.h"
#include "ipc/base/xalloc.h"
#include "ipc/envelope.h"

#define HEAD_LEN 16u

static const uint8_t magic[8] = "NSLOST1\n";
static const uint8_t sum_key[16] = "nameserve losses";

/* ---- the file ---- */
uint8_t *
lost_encode(const Ns__Lost *m, size_t *len)
{
	size_t body = ns__lost__get_packed_size(m);
	uint8_t *out = xmalloc(HEAD_LEN + body);
	struct wbuf w = wbuf_init(out, HEAD_LEN);

	ns__lost__pack(m, out + HEAD_LEN);
	wbuf_put(&w, magic, sizeof magic);
	wbuf_u64(&w, hash_sip24(sum_key, out + HEAD_LEN, body));
	*len = HEAD_LEN + body;
	return out;
}

static bool
is_sound(const Ns__Lost *m, struct ns_why *why)
{
	if (m->n_changes > LOST_CHANGES)
		return false;
	for (size_t i = 0; i < m->n_changes; i++)
		if (m->changes[i]->body != NULL &&
		    change_body_check(m->changes[i]->body, why) != NS_OK)
			return false;
	return true;
}

Ns__Lost *
lost_decode_body(const void *body, size_t len, struct ns_why *why)
{
	Ns__Lost *m;

	if (ns_envelope_scan(&ns__lost__descriptor, body, len, why) != NS_OK)
		return NULL;
	m = ns__lost__unpack(NULL, len, body);
	if (m != NULL && is_sound(m, why))
		return m;
	if (m != NULL)
		ns__lost__free_unpacked(m, NULL);
	ns_fail(why, NS_CORRUPT, ES_BODY, "the file holds what no change can be");
	return NULL;
}

Ns__Lost *
lost_decode(const void *data, size_t len, struct ns_why *why)
{
	struct rbuf r = rbuf_init(data, len);
	const uint8_t *head = rbuf_bytes(&r, sizeof magic);
	uint64_t sum = rbuf_u64(&r);
	size_t body_len = rbuf_left(&r);
	const uint8_t *body = rbuf_bytes(&r, body_len);

	if (!rbuf_ok(&r) || memcmp(head, magic, sizeof magic) != 0 ||
	    sum != hash_sip24(sum_key, body, body_len)) {
		ns_fail(why, NS_CORRUPT, ES_BODY, "not a file of dropped changes, or damaged");
		return NULL;
	}
	return lost_decode_body(body, body_len, why);
}

/* ---- drafts ---- */
struct taking {
	Ns__LostReply *m;
	size_t octets;
	size_t room_drafts, room_others;
};

static void
say(struct taking *t, char *text)
{
	if (t->m->n_others == t->room_others) {
		t->room_others = t->room_others != 0 ? 2 * t->room_others : 8;
		t->m->others = xreallocarray(t->m->others, t->room_others, sizeof(char *));
	}
	t->m->others[t->m->n_others++] = text;
	t->octets -= strlen(text) < t->octets ? strlen(text) : t->octets;
}

static Ns__ZoneEdit **
draft_of(struct taking *t, const char *zone)
{
	for (size_t i = 0; i < t->m->n_drafts; i++)
		if (strcmp(t->m->drafts[i]->zone, zone) == 0)
			return &t->m->drafts[i];
	return NULL;
}

static void
draft_drop(struct taking *t, const char *zone)
{
	Ns__ZoneEdit **d = draft_of(t, zone);

	if (d == NULL)
		return;
	ns__zone_edit__free_unpacked(*d, NULL);
	*d = t->m->drafts[--t->m->n_drafts];
}

static Ns__ZoneEdit *
draft_new(struct taking *t, const char *zone, const Ns__ChangeBody__Zone *z)
{
	Ns__ZoneEdit *d = xmalloc(sizeof *d);

	ns__zone_edit__init(d);
	d->zone = xstrdup(zone);
	d->base_version = z->base_version;
	d->base_serial = z->serial_before;
	if (t->m->n_drafts == t->room_drafts) {
		t->room_drafts = t->room_drafts != 0 ? 2 * t->room_drafts : 8;
		t->m->drafts = xreallocarray(t->m->drafts, t->room_drafts, sizeof d);
	}
	t->m->drafts[t->m->n_drafts++] = d;
	return d;
}

static bool
made_before(const Ns__Lost *lost, size_t upto, const Ns__ChangeBody__Zone *z)
{
	for (size_t i = 0; i < upto; i++) {
		const Ns__ChangeBody *b = lost->changes[i]->body;

		for (size_t k = 0; b != NULL && k < b->n_zones; k++)
			if (b->zones[k]->kind == NS__CHANGE_BODY__ZONE__KIND__CREATE &&
			    b->zones[k]->zone_id == z->zone_id)
				return true;
	}
	return false;
}

static void
take_edit(struct taking *t, const char *zone, const Ns__ChangeBody__Zone *z, uint64_t revision)
{
	struct diff diff = { .removed = { .base = z->removed.data, .len = z->removed.len },
		.added = { .base = z->added.data, .len = z->added.len } };
	Ns__ZoneEdit **d = draft_of(t, zone), *edit = d != NULL ? *d : draft_new(t, zone, z);

	if (z->whole || z->external || z->account_given ||
	    !zone_draft_add(edit, &diff, diff_soa_serial_only(&diff, z->name.data), &t->octets)) {
		draft_drop(t, zone);
		say(t,
		    xasprintf("%s: change %llu of it is too much for a draft, or more than records",
			zone, (unsigned long long)revision));
	}
}

static void
take_zone(struct taking *t, const Ns__Lost *lost, size_t at, const Ns__ChangeBody__Zone *z)
{
	uint64_t revision = lost->changes[at]->revision;
	char *zone = reply_name(z->name.data);

	if (z->kind == NS__CHANGE_BODY__ZONE__KIND__CREATE) {
		say(t, xasprintf("%s was made, with %llu records (change %llu)", zone,
			   (unsigned long long)z->records_added, (unsigned long long)revision));
	} else if (z->kind == NS__CHANGE_BODY__ZONE__KIND__DELETE) {
		draft_drop(t, zone);
		say(t,
		    xasprintf("%s was deleted (change %llu)", zone, (unsigned long long)revision));
	} else if (made_before(lost, at, z)) {
		say(t, xasprintf("%s, which was made, was edited (change %llu)", zone,
			   (unsigned long long)revision));
	} else {
		take_edit(t, zone, z, revision);
	}
	free(zone);
}

void
lost_drafts(const Ns__Lost *lost, size_t octets, Ns__LostReply *m)
{
	struct taking t = { .m = m, .octets = octets };

	for (size_t i = 0; i < lost->n_changes && t.octets > 0; i++) {
		const Ns__ChangeBody *b = lost->changes[i]->body;

		if (b == NULL)
			say(&t, xasprintf("change %llu is too large to be kept",
				    (unsigned long long)lost->changes[i]->revision));
		if (b != NULL && b->n_withheld_zones > 0)
			say(&t, xasprintf("change %llu touched %zu zones that may not be held here "
					  "any more",
				    (unsigned long long)lost->changes[i]->revision,
				    b->n_withheld_zones));
		for (size_t k = 0; b != NULL && k < b->n_zones && t.octets > 0; k++)
			take_zone(&t, lost, i, b->zones[k]);
		for (size_t k = 0; b != NULL && k < b->n_settings; k++)
			say(&t, xasprintf("the setting %s was set", b->settings[k]->name));
		for (size_t k = 0; b != NULL && k < b->n_objects; k++)
			say(&t, xasprintf("%s %s was %s", b->objects[k]->kind, b->objects[k]->name,
				    b->objects[k]->removed ? "removed" : "set"));
	}
	m->truncated = m->truncated || t.octets == 0;
}
