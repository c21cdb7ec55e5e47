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
	size_t room, before; /* of the list of operations; those that were there */
};

static void
spend(struct drafting *d, size_t octets)
{
	*d->octets -= octets < *d->octets ? octets : *d->octets;
}

/* That RRset's operation of before goes. */
static void
replace_op(struct drafting *d, const Ns__RecordOp *with)
{
	for (size_t i = 0; i < d->before; i++) {
		Ns__RecordOp *op = d->m->ops[i];

		if (strcmp(op->name, with->name) != 0 || strcmp(op->type, with->type) != 0)
			continue;
		ns__record_op__free_unpacked(op, NULL);
		d->before--;
		memmove(&d->m->ops[i], &d->m->ops[i + 1], (--d->m->n_ops - i) * sizeof op);
		return;
	}
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
	replace_op(d, op);
	if (d->m->n_ops >= d->room) {
		d->room = d->m->n_ops < 8 ? 16 : 2 * d->m->n_ops;
		d->m->ops = xreallocarray(d->m->ops, d->room, sizeof *d->m->ops);
	}
	d->m->ops[d->m->n_ops++] = op;
	return op;
}

static bool
fits(const struct drafting *d)
{
	return *d->octets > 0 && d->m->n_ops < EDIT_OPS_MAX;
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
	for (size_t i = 0; i<set->count && * d->octets> 0 && rbuf_left(&r) > 0; i++) {
		if ((p = rrset_next_rdata(&r, &n)) == NULL)
			return;
		op->rdata[op->n_rdata] = rdata_line(set->type, p, n);
		spend(d, strlen(op->rdata[op->n_rdata++]) + 4);
	}
}

bool
zone_draft_add(Ns__ZoneEdit *m, const struct diff *diff, bool skip_soa, size_t *octets)
{
	struct drafting d = { .m = m, .octets = octets, .room = m->n_ops, .before = m->n_ops };
	struct zwire_iter ir = zwire_iter(diff->removed.base, diff->removed.len);
	struct zwire_iter ia = zwire_iter(diff->added.base, diff->added.len);
	struct rrset r, a;
	bool hr = zwire_next(&ir, &r), ha = zwire_next(&ia, &a);

	while ((hr || ha) && fits(&d)) {
		int c = !hr ? 1 : !ha ? -1 : rrset_cmp(&r, &a);

		if (c < 0)
			add_op(&d, NS__RECORD_OP__KIND__DEL, &r);
		else if (a.type != RR_SOA || !skip_soa)
			add_set(&d, &a);
		if (c <= 0)
			hr = zwire_next(&ir, &r);
		if (c >= 0)
			ha = zwire_next(&ia, &a);
	}
	return fits(&d);
}

Ns__ZoneEdit *
zone_draft(const struct store_zone *z, const struct diff *diff, bool newer, size_t *octets,
    struct ns_why *why)
{
	Ns__ZoneEdit *m = xmalloc(sizeof *m);

	ns__zone_edit__init(m);
	m->zone = reply_name(z->name);
	m->base_version = z->version;
	m->base_serial = z->serial;
	if (zone_draft_add(m, diff, !newer && diff_soa_serial_only(diff, z->name), octets))
		return m;
	ns__zone_edit__free_unpacked(m, NULL);
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
