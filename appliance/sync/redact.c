/* redact - what of a change an appliance may have (residency.h).  Log reader's thread, on the primary. */
#include <stdlib.h>
#include <string.h>

#include "appliance/dns/name.h"
#include "appliance/keys/keybody.h"
#include "appliance/sync/change.h"
#include "appliance/sync/residency.h"
#include "ipc/base/numbers.h"
#include "ipc/base/xalloc.h"

/* ---- whose a zone is ---- */
static bool
newest_only(void *arg, const struct store_change *c)
{
	*(uint64_t *)arg = c->revision;
	return false;
}

/* The last that the log says of a deleted zone is its deletion, and in which account it was. */
static enum ns_err
account_of_gone(struct store *s, uint64_t id, uint32_t *account)
{
	uint64_t revision = 0;
	struct store_change row;
	Ns__ChangeBody *body;
	enum ns_err err = store_change_each(s, id, 0, newest_only, &revision);

	*account = RESIDENCY_LOST;
	if (err != NS_OK || revision == 0)
		return err;
	if ((body = change_body_load(s, revision, &row)) == NULL)
		return NS_CORRUPT;
	for (size_t i = 0; i < body->n_zones; i++) {
		const Ns__ChangeBody__Zone *m = body->zones[i];

		if (m->zone_id == id && m->kind == NS__CHANGE_BODY__ZONE__KIND__DELETE)
			*account = (uint32_t)m->account_id;
	}
	ns__change_body__free_unpacked(body, NULL);
	return NS_OK;
}

static enum ns_err
account_of(struct store *s, const struct residency *r, uint64_t id, uint32_t *account)
{
	struct store_zone z;
	enum ns_err err;

	*account = 0;
	if (!residency_has_accounts(r))
		return NS_OK;
	err = store_zone_by_id(s, id, &z);
	if (err == NS_OK)
		*account = z.account;
	return err == NS_NOTFOUND ? account_of_gone(s, id, account) : err;
}

/* ---- zones of an account ---- */
struct ids {
	struct numbers zones;
	uint32_t account;
	bool all;
};

static bool
of_account(void *arg, const struct store_zone *z)
{
	struct ids *ids = arg;

	if (ids->all || z->account == ids->account)
		numbers_add(&ids->zones, z->id);
	return true;
}

/* The living ones, and of the deleted ones those that were in it. */
static enum ns_err
zones_of_account(struct store *s, struct ids *ids)
{
	struct ids gone = { .all = true };
	uint32_t account;
	enum ns_err err = store_zone_each(s, NULL, of_account, ids);

	if (err == NS_OK)
		err = store_tombs(s, 0, of_account, &gone);
	for (size_t i = 0; i < gone.zones.count && err == NS_OK; i++) {
		err = account_of_gone(s, gone.zones.list[i], &account);
		if (err == NS_OK && account == ids->account)
			numbers_add(&ids->zones, gone.zones.list[i]);
	}
	numbers_free(&gone.zones);
	return err;
}

/* ---- a change ---- */
static bool
is_account_word(const Ns__ChangeBody__Object *o)
{
	return strcmp(o->kind, RESIDENCY_KIND) == 0 && o->name[0] == 'a';
}

enum ns_err
redact_touches(
    struct store *s, const struct residency *r, const Ns__ChangeBody *body, bool *touches)
{
	enum ns_err err = NS_OK;
	uint32_t account;

	*touches = false;
	for (size_t i = 0; i < body->n_objects; i++)
		*touches = *touches || is_account_word(body->objects[i]);
	for (size_t i = 0; i < body->n_zones && err == NS_OK && !*touches; i++) {
		err = account_of(s, r, body->zones[i]->zone_id, &account);
		*touches = residency_kept(r, body->zones[i]->zone_id, account);
	}
	return err;
}

static void
withheld_add(Ns__ChangeBody *body, uint64_t id)
{
	body->withheld_zones = xreallocarray(
	    body->withheld_zones, body->n_withheld_zones + 1, sizeof *body->withheld_zones);
	body->withheld_zones[body->n_withheld_zones++] = id;
}

static enum ns_err
add_account(struct store *s, const struct residency *r, const char *site,
    const Ns__ChangeBody__Object *o, Ns__ChangeBody *body)
{
	struct ids ids = { .account = (uint32_t)strtoul(o->name + 1, NULL, 10) };
	enum ns_err err = zones_of_account(s, &ids);

	for (size_t i = 0; i < ids.zones.count && err == NS_OK; i++)
		if (!residency_allows(r, ids.zones.list[i], ids.account, site))
			withheld_add(body, ids.zones.list[i]);
	numbers_free(&ids.zones);
	return err;
}

enum ns_err
redact_zone(
    struct store *s, const struct residency *r, const char *site, uint64_t id, bool *allowed)
{
	enum ns_err err = NS_OK;
	uint32_t account = 0;

	if (r != NULL)
		err = account_of(s, r, id, &account);
	*allowed = err == NS_OK && residency_allows(r, id, account, site);
	return err;
}

enum ns_err
redact_object(struct store *s, const struct residency *r, const char *site, const char *kind,
    const char *name, bool *allowed)
{
	uint64_t id = r != NULL ? keys_object_zone(kind, name) : 0;

	*allowed = true;
	return id != 0 ? redact_zone(s, r, site, id, allowed) : NS_OK;
}

/* A change of a zone's keys is one of the zone: its number is among those withheld already. */
static enum ns_err
take_keys_out(struct store *s, const struct residency *r, const char *site, Ns__ChangeBody *body)
{
	enum ns_err err = NS_OK;
	size_t kept = 0;
	bool allowed;

	for (size_t i = 0; i < body->n_objects; i++) {
		Ns__ChangeBody__Object *o = body->objects[i];

		if (err == NS_OK)
			err = redact_object(s, r, site, o->kind, o->name, &allowed);
		if (err == NS_OK && allowed)
			body->objects[kept++] = o;
		else
			protobuf_c_message_free_unpacked(&o->base, NULL);
	}
	body->n_objects = kept;
	return err;
}

enum ns_err
redact_body(
    struct store *s, const struct residency *r, const char *site, Ns__ChangeBody *body, bool *cut)
{
	size_t kept = 0, before = body->n_withheld_zones;
	enum ns_err err = NS_OK;
	uint32_t account;

	for (size_t i = 0; i < body->n_zones; i++) {
		Ns__ChangeBody__Zone *m = body->zones[i];

		if (err == NS_OK)
			err = account_of(s, r, m->zone_id, &account);
		if (err == NS_OK && residency_allows(r, m->zone_id, account, site)) {
			body->zones[kept++] = m;
			continue;
		}
		withheld_add(body, m->zone_id);
		protobuf_c_message_free_unpacked(&m->base, NULL);
	}
	body->n_zones = kept;
	if (err == NS_OK)
		err = take_keys_out(s, r, site, body);
	for (size_t i = 0; i < body->n_objects && err == NS_OK; i++)
		if (is_account_word(body->objects[i]))
			err = add_account(s, r, site, body->objects[i], body);
	*cut = body->n_withheld_zones > before;
	return err;
}
