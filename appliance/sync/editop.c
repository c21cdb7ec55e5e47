/* editop - see editop.h. */
#include "appliance/sync/editop.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/dns/name.h"
#include "appliance/dns/rrtype.h"
#include "appliance/dns/zonetext.h"
#include "appliance/sync/errors.h"
#include "appliance/sync/place.h"
#include "appliance/sync/request.h"
#include "ipc/base/xalloc.h"

#define RDATA_MAX 65535u

static enum ns_err
read_type(const Ns__RecordOp *in, struct edit_op *op, struct ns_why *why)
{
	const struct rrtype *t;

	if (in->type[0] == '\0') {
		if (op->kind == EDIT_DEL && in->n_rdata == 0)
			return NS_OK;
		return ns_fail(why, NS_INVALID, ES_TYPE, "a record type is needed");
	}
	op->type = rrtype_from_text(in->type);
	if (op->type == 0)
		return ns_fail(why, NS_INVALID, ES_TYPE, "there is no record type %.20s", in->type);
	t = rrtype_find(op->type);
	if (t != NULL && (t->flags & RRT_META) != 0)
		return ns_fail(
		    why, NS_INVALID, ES_TYPE, "%s exists in messages only, not in zones", t->name);
	if (t != NULL && (t->flags & RRT_DNSSEC) != 0 && op->type != RR_DNSKEY)
		return ns_fail(why, NS_INVALID, ES_TYPE,
		    "%s records are made by signing, not by hand", t->name);
	return NS_OK;
}

/* To remove a policy its type is enough. */
static bool
read_policy_type(const struct edit_op *op, const char *text, uint8_t out[2])
{
	uint16_t type = strchr(text, '{') == NULL ? rrtype_from_text(text) : 0;

	if (op->type != RR_NSPOLICY || op->kind != EDIT_DEL || type == 0)
		return false;
	put_u16(out, type);
	return true;
}

static enum ns_err
read_rdata(const Ns__RecordOp *in, const uint8_t *apex, struct edit_op *op, struct ns_why *why)
{
	uint8_t rdata[RDATA_MAX];
	enum ns_err err;
	size_t len;

	op->rdata = wbuf_grow(4 * OWNER_MAX_WIRE);
	for (size_t i = 0; i < in->n_rdata; i++) {
		err = NS_OK;
		len = 2;
		if (!read_policy_type(op, in->rdata[i], rdata))
			err = rdata_from_text(
			    op->type, in->rdata[i], apex, true, rdata, sizeof rdata, &len, why);
		if (err != NS_OK)
			return err;
		wbuf_u16(&op->rdata, (uint16_t)len);
		wbuf_put(&op->rdata, rdata, len);
		op->count++;
	}
	if (!wbuf_ok(&op->rdata) || op->rdata.len > RRSET_MAX_WIRE)
		return ns_fail(why, NS_INVALID, ES_NO_RDATA,
		    "the RRset would be larger than %u octets", RRSET_MAX_WIRE);
	return NS_OK;
}

static enum ns_err
read_op(const Ns__RecordOp *in, const uint8_t *apex, struct edit_op *op, struct ns_why *why)
{
	static const enum edit_kind kinds[] = { EDIT_SET, EDIT_ADD, EDIT_DEL };
	enum ns_err err;
	size_t len;

	if ((unsigned)in->kind >= sizeof kinds / sizeof kinds[0])
		return ns_fail(why, NS_USAGE, ES_REQUEST, "an operation of an unknown kind");
	op->kind = kinds[in->kind];
	op->ttl_given = in->ttl_given;
	op->ttl = in->ttl;
	if ((err = name_from_text(in->name, apex, op->owner, &len, why)) != NS_OK)
		return err;
	name_lower(op->owner, op->owner, len);
	op->owner_given = true;
	if (in->ttl_given && in->ttl > TTL_MAX)
		return ns_fail(
		    why, NS_INVALID, ES_TTL, "a TTL is at most %u (RFC 2181 8)", TTL_MAX);
	if (!name_in(op->owner, apex))
		return ns_fail(why, NS_INVALID, ES_OUT_OF_ZONE,
		    "the name is outside the zone: without a dot at its end it would be relative "
		    "to the zone");
	if ((err = read_type(in, op, why)) != NS_OK)
		return err;
	return read_rdata(in, apex, op, why);
}

/* Say where: at the operation's name, once it has one, and the value that could not be read. */
static enum ns_err
placed(struct ns_why *why, const uint8_t *apex, const struct edit_op *op, const Ns__RecordOp *in)
{
	bool reading = op->rdata.max != 0 && op->count < in->n_rdata;

	place_names(why, apex, op->owner_given ? op->owner : NULL, op->type);
	place_sentence(why, reading ? in->rdata[op->count] : NULL);
	return why->err;
}

static enum ns_err
read_zone(const Ns__ZoneEdit *in, struct edit_zone *out, struct ns_why *why)
{
	enum ns_err err = zone_name_read(in->zone, out->apex, why);

	if (err == NS_OK && in->n_ops == 0)
		err = ns_fail(why, NS_USAGE, ES_EMPTY, "no operation is given");
	if (err == NS_OK && in->n_ops > EDIT_OPS_MAX)
		err = ns_fail(
		    why, NS_USAGE, ES_REQUEST, "at most %u operations in one commit", EDIT_OPS_MAX);
	if (err != NS_OK)
		return err;
	out->base_version = in->base_version;
	out->base_serial_given = in->base_serial_given;
	out->base_serial = in->base_serial;
	out->ops = xcalloc(in->n_ops, sizeof *out->ops);
	for (; out->nops < in->n_ops; out->nops++) {
		err = read_op(in->ops[out->nops], out->apex, &out->ops[out->nops], why);
		if (err != NS_OK) {
			err = placed(why, out->apex, &out->ops[out->nops], in->ops[out->nops]);
			out->nops++; /* what it allocated is freed with the rest */
			return err;
		}
	}
	return NS_OK;
}

struct edit_request *
edit_request_read(const Ns__CommitRequest *in, struct ns_why *why)
{
	struct edit_request *r;
	size_t ops = 0;

	for (size_t i = 0; i < in->n_zones; i++)
		ops += in->zones[i]->n_ops;
	if (in->n_zones == 0 || ops > EDIT_OPS_MAX) {
		ns_fail(why, NS_USAGE, in->n_zones == 0 ? ES_EMPTY : ES_REQUEST,
		    in->n_zones == 0 ? "no zone is given" : "too many operations in one commit");
		return NULL;
	}
	r = xcalloc(1, sizeof *r + in->n_zones * sizeof r->zones[0]);
	for (; r->count < in->n_zones; r->count++) {
		struct edit_zone *z = &r->zones[r->count];
		enum ns_err err = read_zone(in->zones[r->count], z, why);

		for (size_t i = 0; err == NS_OK && i < r->count; i++)
			if (name_equal(r->zones[i].apex, z->apex)) {
				err = ns_fail(why, NS_USAGE, ES_ZONE_TWICE,
				    "the zone is in this commit twice");
				place_names(why, z->apex, NULL, 0);
			}
		if (err != NS_OK) {
			r->count++;
			edit_request_free(r);
			return NULL;
		}
	}
	return r;
}

void
edit_request_free(void *arg)
{
	struct edit_request *r = arg;

	for (size_t i = 0; i < r->count; i++) {
		for (size_t j = 0; j < r->zones[i].nops; j++)
			edit_op_free(&r->zones[i].ops[j]);
		free(r->zones[i].ops);
	}
	free(r);
}
