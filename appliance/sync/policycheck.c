/* policycheck - see policycheck.h. */
#include "appliance/sync/policycheck.h"

#include <stdio.h>

#include "appliance/dns/closure.h"
#include "appliance/dns/codes.h"
#include "appliance/dns/name.h"
#include "appliance/dns/rrtype.h"
#include "appliance/dns/zwire.h"
#include "appliance/sync/errors.h"
#include "appliance/sync/place.h"
#include "ipc/base/xalloc.h"

/* The answer's id in place: the policy's own octets, which are ours to write. */
static enum ns_err
fill_id(struct store *s, const struct policy *po, unsigned i, uint8_t *form, struct ns_why *why)
{
	uint8_t *p = form + (po->answers - po->p) + (size_t)i * POLICY_ANSWER;
	struct policy_answer a;
	struct store_object check;
	char name[POLICY_NAME + 1];
	const char *text;
	size_t len;
	enum ns_err err;

	if (!policy_answer_at(po, i, &a) || a.check_name == 0)
		return NS_OK;
	text = policy_name(po, a.check_name, &len);
	if (text == NULL)
		return ns_fail(why, NS_CORRUPT, ES_STORE, "the policy is damaged");
	snprintf(name, sizeof name, "%.*s", (int)len, text);
	err = store_object_get(s, "check", name, &check, NULL);
	if (err == NS_NOTFOUND)
		return ns_fail(why, NS_INVALID, E_POLICY_CHECK,
		    "the policy asks for the check \"%s\", and there is none of that name", name);
	if (err != NS_OK)
		return ns_fail(why, err, ES_STORE, "the store cannot be read");
	put_u32(p, (uint32_t)(check.id >> 32));
	put_u32(p + 4, (uint32_t)check.id);
	return NS_OK;
}

enum ns_err
policy_checks(struct store *s, const uint8_t *apex, uint8_t *zwire, size_t len, struct ns_why *why)
{
	struct zwire_iter it = zwire_iter(zwire, len);
	struct rrset set;
	enum ns_err err = NS_OK;

	while (err == NS_OK && zwire_next(&it, &set)) {
		struct rbuf r = rbuf_init(set.rdata, set.rdata_len);
		const uint8_t *rdata;
		struct policy po;
		size_t n;

		if (set.type != RR_NSPOLICY)
			continue;
		while (err == NS_OK && (rdata = rrset_next_rdata(&r, &n)) != NULL) {
			if (!policy_open(&po, rdata, n))
				continue;
			for (unsigned i = 0; i < po.nanswers && err == NS_OK; i++)
				err = fill_id(s, &po, i, zwire + (rdata - zwire), why);
			if (err != NS_OK)
				place_names(why, apex, set.owner, po.type);
		}
	}
	return err;
}

void
policy_closures(
    const uint8_t *apex, const uint8_t *zwire, size_t len, Ns__PolicyClosure ***list, size_t *n)
{
	struct zwire_iter it = zwire_iter(zwire, len);
	char text[NAME_MAX_TEXT], word[RRTYPE_MAX_TEXT];
	struct rrset set;

	while (zwire_next(&it, &set)) {
		struct rbuf r = rbuf_init(set.rdata, set.rdata_len);
		const uint8_t *rdata;
		struct policy po;
		size_t rdlen;

		if (set.type != RR_NSPOLICY)
			continue;
		while (*n < POLICY_CLOSURES && (rdata = rrset_next_rdata(&r, &rdlen)) != NULL) {
			Ns__PolicyClosure *m;

			if (!policy_open(&po, rdata, rdlen))
				continue;
			m = xmalloc(sizeof *m);
			ns__policy_closure__init(m);
			m->zone = xstrdup(name_to_text(apex, text));
			m->name = xstrdup(name_to_text(set.owner, text));
			m->type = xstrdup(rrtype_to_text(po.type, word));
			m->rrsets = policy_closure(&po);
			*list = xreallocarray(*list, *n + 1, sizeof **list);
			(*list)[(*n)++] = m;
		}
	}
}
