/* bodycheck - see bodycheck.h. */
#include "appliance/sync/bodycheck.h"

#include <string.h>

#include "appliance/dns/name.h"
#include "appliance/dns/zwire.h"
#include "appliance/store/store.h"
#include "appliance/sync/errors.h"
#include "appliance/sync/secret.h"

static bool
all_below(ProtobufCBinaryData zwire, const uint8_t *apex)
{
	struct zwire_iter it = zwire_iter(zwire.data, zwire.len);
	struct rrset s;

	while (zwire_next(&it, &s))
		if (!name_in(s.owner, apex))
			return false;
	return true;
}

static enum ns_err
zone_check(const Ns__ChangeBody__Zone *m, struct ns_why *why)
{
	uint8_t lower[NAME_MAX_WIRE];
	enum ns_err err;

	if (m->name.len == 0 || name_check(m->name.data, m->name.len) != m->name.len)
		return ns_fail(why, NS_CORRUPT, ES_BODY, "a change names a zone with no name");
	name_lower(lower, m->name.data, m->name.len);
	if (memcmp(lower, m->name.data, m->name.len) != 0 || m->zone_id == 0 ||
	    m->zone_id > INT64_MAX || m->account_id > UINT32_MAX ||
	    (unsigned)m->kind > NS__CHANGE_BODY__ZONE__KIND__REPLACE)
		return ns_fail(why, NS_CORRUPT, ES_BODY, "a change has a zone that cannot be");
	if ((err = zwire_check(m->removed.data, m->removed.len, why)) != NS_OK ||
	    (err = zwire_check(m->added.data, m->added.len, why)) != NS_OK)
		return err;
	if (!all_below(m->removed, m->name.data) || !all_below(m->added, m->name.data))
		return ns_fail(why, NS_CORRUPT, ES_BODY, "a change reaches out of its zone");
	return NS_OK;
}

static enum ns_err
object_check(const Ns__ChangeBody__Object *m, struct ns_why *why)
{
	const struct store_object *o = NULL;

	if (m->kind[0] == '\0' || strlen(m->kind) >= sizeof o->kind || m->name[0] == '\0' ||
	    strlen(m->name) >= sizeof o->name || m->id == 0 || m->id > INT64_MAX ||
	    m->body.len > STORE_OBJECT_MAX)
		return ns_fail(why, NS_CORRUPT, ES_BODY, "a change has an object that cannot be");
	return NS_OK;
}

enum ns_err
change_body_check(const Ns__ChangeBody *body, struct ns_why *why)
{
	enum ns_err err = NS_OK;

	for (size_t i = 0; i < body->n_zones && err == NS_OK; i++)
		err = zone_check(body->zones[i], why);
	for (size_t i = 0; i < body->n_objects && err == NS_OK; i++)
		err = object_check(body->objects[i], why);
	if (err == NS_OK && body->cookie_secret.len != 0 && body->cookie_secret.len != SECRET_SIZE)
		err = ns_fail(
		    why, NS_CORRUPT, ES_BODY, "a change has a cookie secret that cannot be");
	return err;
}
