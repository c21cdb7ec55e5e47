/* importdraft - the difference between a zone and a file of it as operations, for a draft of the client's.
 * Writer thread. */
#include <stdlib.h>
#include <string.h>

#include "appliance/dns/name.h"
#include "appliance/dns/rrtype.h"
#include "appliance/sync/difftext.h"
#include "appliance/sync/edit.h"
#include "appliance/sync/errors.h"
#include "appliance/sync/import.h"
#include "ipc/base/xalloc.h"

#define DRAFT_OCTETS (700u << 10) /* of a reply that must fit NS_MSG_MAX */

struct drafting {
	Ns__ZoneEdit *m;
	size_t octets, room;
};

static Ns__RecordOp *
add_op(struct drafting *d, Ns__RecordOp__Kind kind, const struct rrset *set)
{
	Ns__RecordOp *op = xmalloc(sizeof *op);
	char type[RRTYPE_MAX_TEXT];

	ns__record_op__init(op);
	op->kind = kind;
	op->name = reply_name(set->owner);
	op->type = xstrdup(rrtype_to_text(set->type, type));
	d->octets += strlen(op->name) + strlen(op->type) + 16;
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
	while (rbuf_left(&r) > 0 && op->n_rdata < set->count && d->octets < DRAFT_OCTETS &&
	       (p = rrset_next_rdata(&r, &n)) != NULL) {
		op->rdata[op->n_rdata] = rdata_line(set->type, p, n);
		d->octets += strlen(op->rdata[op->n_rdata++]) + 4;
	}
}

static bool
fits(const struct drafting *d)
{
	return d->octets < DRAFT_OCTETS && d->m->n_ops < EDIT_OPS_MAX;
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

static void
edit_free_message(Ns__ZoneEdit *m)
{
	protobuf_c_message_free_unpacked(&m->base, NULL);
}

Ns__ZoneEdit *
import_draft(const struct store_zone *z, const struct diff *diff, bool newer, struct ns_why *why)
{
	struct drafting d = { .m = xmalloc(sizeof *d.m) };

	ns__zone_edit__init(d.m);
	d.m->zone = reply_name(z->name);
	d.m->base_version = z->version;
	d.m->base_serial = z->serial;
	/* The serial of a newer file is kept, any other is set at the commit. */
	add_diff(&d, diff, !newer && diff_soa_serial_only(diff, z->name));
	if (fits(&d))
		return d.m;
	edit_free_message(d.m);
	ns_fail(why, NS_USAGE, ES_NEEDS_COMMIT,
	    "the file differs too much for a draft (%llu records to add, %llu to remove): "
	    "--commit -m TEXT replaces the zone",
	    (unsigned long long)diff->nadded, (unsigned long long)diff->nremoved);
	return NULL;
}
