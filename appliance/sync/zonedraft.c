/* zonedraft - see zonedraft.h. */
#include "appliance/sync/zonedraft.h"

#include <stdlib.h>
#include <string.h>

#include "appliance/dns/name.h"
#include "appliance/dns/rrtype.h"
#include "appliance/sync/difftext.h"
#include "appliance/sync/errors.h"
#include "appliance/sync/place.h"
#include "appliance/sync/residency.h"
#include "appliance/sync/writer.h"
#include "ipc/base/xalloc.h"

struct drafting {
	Ns__ZoneEdit *m;
	size_t *octets; /* that there is room for */
	size_t room; /* of the list of operations */
};

static void
spend(struct drafting *d, size_t octets)
{
	*d->octets -= octets < *d->octets ? octets : *d->octets;
}

static Ns__RecordOp *
add_op(struct drafting *d, Ns__RecordOp__Kind kind, const struct rrset *set)
{
	Ns__RecordOp *op = xmalloc(sizeof *op);
	char type[RRTYPE_MAX_TEXT];

	ns__record_op__init(op);
	op->kind = kind;
	op->name = reply_name(set->owner);
	op->type = xstrdup(rrtype_to_text(set->type, type));
	spend(d, strlen(op->name) + strlen(op->type) + 16);
	if (d->m->n_ops == d->room) {
		d->room = d->room != 0 ? 2 * d->room : 16;
		d->m->ops = xreallocarray(d->m->ops, d->room, sizeof *d->m->ops);
	}
	d->m->ops[d->m->n_ops++] = op;
	return op;
}

static void
add_set(struct drafting *d, const struct rrset *set)
{
	Ns__RecordOp *op = add_op(d, NS__RECORD_OP__KIND__SET, set);
	struct rbuf r = rbuf_init(set->rdata, set->rdata_len);
	const uint8_t *p;
	size_t n;

	op->ttl = set->ttl;
	op->ttl_given = true;
	op->rdata = xcalloc(set->count + 1u, sizeof *op->rdata);
	while (rbuf_left(&r) > 0 && op->n_rdata<set->count && * d->octets> 0 &&
	       (p = rrset_next_rdata(&r, &n)) != NULL) {
		op->rdata[op->n_rdata] = rdata_line(set->type, p, n);
		spend(d, strlen(op->rdata[op->n_rdata++]) + 4);
	}
}

static bool
fits(const struct drafting *d)
{
	return *d->octets > 0 && d->m->n_ops < EDIT_OPS_MAX;
}

static void
add_diff(struct drafting *d, const struct diff *diff, bool skip_soa)
{
	struct zwire_iter ir = zwire_iter(diff->removed.base, diff->removed.len);
	struct zwire_iter ia = zwire_iter(diff->added.base, diff->added.len);
	struct rrset r, a;
	bool hr = zwire_next(&ir, &r), ha = zwire_next(&ia, &a);

	while ((hr || ha) && fits(d)) {
		int c = !hr ? 1 : !ha ? -1 : rrset_cmp(&r, &a);

		if (c < 0)
			add_op(d, NS__RECORD_OP__KIND__DEL, &r);
		else if (a.type != RR_SOA || !skip_soa)
			add_set(d, &a);
		if (c <= 0)
			hr = zwire_next(&ir, &r);
		if (c >= 0)
			ha = zwire_next(&ia, &a);
	}
}

Ns__ZoneEdit *
zone_draft(const struct store_zone *z, const struct diff *diff, bool newer, size_t *octets,
    struct ns_why *why)
{
	struct drafting d = { .m = xmalloc(sizeof *d.m), .octets = octets };

	ns__zone_edit__init(d.m);
	d.m->zone = reply_name(z->name);
	d.m->base_version = z->version;
	d.m->base_serial = z->serial;
	add_diff(&d, diff, !newer && diff_soa_serial_only(diff, z->name));
	if (fits(&d))
		return d.m;
	protobuf_c_message_free_unpacked(&d.m->base, NULL);
	ns_fail(why, NS_USAGE, ES_NEEDS_COMMIT,
	    "too much would change for a draft (%llu records to add, %llu to remove): --commit -m "
	    "TEXT does it at once",
	    (unsigned long long)diff->nadded, (unsigned long long)diff->nremoved);
	return NULL;
}

enum ns_err
plan_draft(struct request *r, struct store *s, struct plan *p)
{
	Ns__CommitReply *m = commit_reply_new(r);
	size_t octets = ZONEDRAFT_OCTETS;

	m->drafts = xcalloc(p->count + 1, sizeof *m->drafts);
	for (size_t i = 0; i < p->count; i++) {
		const struct zoneplan *z = &p->zones[i];
		Ns__ZoneEdit *edit;

		if (diff_empty(&z->diff))
			continue;
		edit = residency_may_tell(s, &z->z, &r->caller, &r->why) == NS_OK
			   ? zone_draft(&z->z, &z->diff, false, &octets, &r->why)
			   : NULL;
		if (edit == NULL) {
			place_names(&r->why, z->z.name, NULL, 0);
			return r->why.err;
		}
		m->drafts[m->n_drafts++] = edit;
	}
	return NS_OK;
}
