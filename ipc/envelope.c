/* envelope.c - see envelope.h.  The wire format is that of protobuf's encoding guide; what is read
 * here is read the way protobuf-c 1.4 reads it, so that both see the same fields. */
#include "ipc/envelope.h"

#include <stdio.h>
#include <stdlib.h>

#include "ipc/base/rbuf.h"
#include "ipc/base/text.h"
#include "ipc/base/xalloc.h"

enum wire { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_BYTES = 2, WIRE_32 = 5 };

#define VARINT_MAX    10u
#define VARINT_32_MAX 5u /* tags and lengths */

static uint64_t
read_varint(struct rbuf *r, unsigned max)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < max; i++) {
		uint8_t b = rbuf_u8(r);

		v |= (uint64_t)(b & 0x7f) << (7 * i);
		if ((b & 0x80) == 0)
			return v;
	}
	r->bad = true;
	return 0;
}

/* Fields are sorted by number. */
static const ProtobufCFieldDescriptor *
find_field(const ProtobufCMessageDescriptor *desc, uint64_t id)
{
	unsigned lo = 0, hi = desc->n_fields;

	while (lo < hi) {
		unsigned mid = lo + (hi - lo) / 2;

		if (desc->fields[mid].id == id)
			return &desc->fields[mid];
		if (desc->fields[mid].id < id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

static bool
skip_scalar(struct rbuf *r, unsigned wire)
{
	switch (wire) {
	case WIRE_VARINT:
		read_varint(r, VARINT_MAX);
		return true;
	case WIRE_64:
		rbuf_bytes(r, 8);
		return true;
	case WIRE_32:
		rbuf_bytes(r, 4);
		return true;
	default:
		return false; /* groups: not in proto3 */
	}
}

static bool
needs_length(const ProtobufCFieldDescriptor *field)
{
	return field->type == PROTOBUF_C_TYPE_STRING || field->type == PROTOBUF_C_TYPE_BYTES ||
	       field->type == PROTOBUF_C_TYPE_MESSAGE;
}

static enum ns_err
scan(const ProtobufCMessageDescriptor *, struct rbuf *, unsigned depth, struct ns_why *);

static enum ns_err
scan_bytes(
    const ProtobufCFieldDescriptor *field, struct rbuf *r, unsigned depth, struct ns_why *why)
{
	size_t len = (size_t)read_varint(r, VARINT_32_MAX);
	struct rbuf sub = rbuf_sub(r, len);

	if (!rbuf_ok(r))
		return ns_fail(why, NS_CORRUPT, NS_CODE_MALFORMED, "the message is cut off");
	if (field == NULL)
		return NS_OK;
	if (field->type == PROTOBUF_C_TYPE_MESSAGE)
		return scan(field->descriptor, &sub, depth + 1, why);
	if (field->type == PROTOBUF_C_TYPE_STRING && !text_is_clean(sub.base, len))
		return ns_fail(why, NS_CORRUPT, NS_CODE_MALFORMED,
		    "%s has control characters or is not UTF-8", field->name);
	return NS_OK;
}

static enum ns_err
scan(const ProtobufCMessageDescriptor *desc, struct rbuf *r, unsigned depth, struct ns_why *why)
{
	if (depth > NS_ENVELOPE_DEPTH)
		return ns_fail(why, NS_CORRUPT, NS_CODE_MALFORMED, "the message nests too deep");
	while (rbuf_left(r) > 0) {
		uint64_t tag = read_varint(r, VARINT_32_MAX);
		const ProtobufCFieldDescriptor *field = find_field(desc, tag >> 3);
		unsigned wire = tag & 7;
		enum ns_err err;

		if (!rbuf_ok(r) || tag >> 3 == 0 ||
		    (field != NULL && needs_length(field) && wire != WIRE_BYTES))
			return ns_fail(why, NS_CORRUPT, NS_CODE_MALFORMED,
			    "a field of %s is malformed", desc->short_name);
		if (wire != WIRE_BYTES) {
			if (!skip_scalar(r, wire))
				return ns_fail(why, NS_CORRUPT, NS_CODE_MALFORMED,
				    "unknown wire type %u", wire);
			continue;
		}
		err = scan_bytes(field, r, depth, why);
		if (err != NS_OK)
			return err;
	}
	return rbuf_ok(r) ? NS_OK
			  : ns_fail(why, NS_CORRUPT, NS_CODE_MALFORMED, "the message is cut off");
}

enum ns_err
ns_envelope_scan(
    const ProtobufCMessageDescriptor *desc, const void *data, size_t len, struct ns_why *why)
{
	struct rbuf r = rbuf_init(data, len);

	return scan(desc, &r, 0, why);
}

/* Two octets on the wire can ask for a submessage of hundreds: what one message takes is limited.
 * Frees are not counted back, so that plain free() can end the message. */
static void *
budget_alloc(void *data, size_t size)
{
	size_t *left = data;

	if (size > *left)
		return NULL;
	*left -= size;
	return malloc(size > 0 ? size : 1);
}

static void
budget_free(void *data, void *p)
{
	(void)data;
	free(p);
}

Ns__Envelope *
ns_envelope_unpack(const void *data, size_t len, struct ns_why *why)
{
	size_t left = NS_ENVELOPE_MEMORY;
	ProtobufCAllocator budget = { budget_alloc, budget_free, &left };
	Ns__Envelope *env;

	if (ns_envelope_scan(&ns__envelope__descriptor, data, len, why) != NS_OK)
		return NULL;
	env = ns__envelope__unpack(&budget, len, data);
	if (env == NULL)
		ns_fail(why, NS_CORRUPT, NS_CODE_MALFORMED,
		    "the message does not decode within %u octets", NS_ENVELOPE_MEMORY);
	return env;
}

void
ns_error_from_why(Ns__Error *out, struct ns_why *why)
{
	text_scrub(why->zone);
	text_scrub(why->owner);
	text_scrub(why->type);
	text_scrub(why->field);
	text_scrub(why->text);
	ns__error__init(out);
	out->err_class = why->err;
	out->code = why->code;
	out->line = why->line;
	out->zone = why->zone;
	out->owner = why->owner;
	out->type = why->type;
	out->field = why->field;
	out->text = why->text;
}

void
ns_why_from_error(struct ns_why *out, const Ns__Error *err)
{
	*out = (struct ns_why){ .line = err->line };
	/* A class that a newer minor version added, or "ok", which an error is not. */
	ns_fail(out,
	    err->err_class > NS_OK && err->err_class < NS_ERR_MAX ? err->err_class : NS_FAILED,
	    err->code <= UINT16_MAX ? (uint16_t)err->code : 0, "%s", err->text);
	snprintf(out->zone, sizeof out->zone, "%s", err->zone);
	snprintf(out->owner, sizeof out->owner, "%s", err->owner);
	snprintf(out->type, sizeof out->type, "%s", err->type);
	snprintf(out->field, sizeof out->field, "%s", err->field);
}

void *
ns_message_copy(const ProtobufCMessage *m)
{
	size_t len = protobuf_c_message_get_packed_size(m);
	uint8_t *packed = xmalloc(len + 1);
	ProtobufCMessage *copy;

	protobuf_c_message_pack(m, packed);
	copy = protobuf_c_message_unpack(m->descriptor, NULL, len, packed);
	free(packed);
	return copy;
}

void *
ns_body_field(const Ns__Envelope *env, const char *name, ProtobufCType type)
{
	ProtobufCMessage *m = (ProtobufCMessage *)(void *)env->error; /* all members are messages */
	const ProtobufCFieldDescriptor *f;

	if (env->body_case == NS__ENVELOPE__BODY__NOT_SET || m == NULL)
		return NULL;
	f = protobuf_c_message_descriptor_get_field_by_name(m->descriptor, name);
	return f != NULL && f->type == type ? (uint8_t *)m + f->offset : NULL;
}
