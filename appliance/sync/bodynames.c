/* bodynames - see bodynames.h.  The encoding is protobuf's: (field << 3 | wire type), varints. */
#include "appliance/sync/bodynames.h"

#include "ipc/base/rbuf.h"

#define TAG(field, wire)  ((field) << 3 | (wire))
#define VARINT            0u
#define LENGTH            2u
#define BODY_ZONES        1u /* ChangeBody.zones */
#define ZONE_KIND         1u /* ChangeBody.Zone.kind */
#define ZONE_NAME         2u /* ChangeBody.Zone.name */
#define ZONE_SERIAL_AFTER 5u /* ChangeBody.Zone: varints from base_version = 3 on */
#define BODY_OBJECTS      50u /* ChangeBody.objects */
#define OBJECT_KIND       1u /* ChangeBody.Object.kind */
#define OBJECT_NAME       2u /* ChangeBody.Object.name */
#define ZONE_MAX          (1ull << 30)

static uint64_t
varint(struct rbuf *r)
{
	uint64_t v = 0;

	for (unsigned shift = 0; shift < 64; shift += 7) {
		uint8_t b = rbuf_u8(r);

		v |= (uint64_t)(b & 0x7f) << shift;
		if ((b & 0x80) == 0)
			return v;
	}
	r->bad = true;
	return 0;
}

/* What is zero is left out. */
static uint32_t
serial_after(struct rbuf *r, size_t end)
{
	while (rbuf_ok(r) && r->pos < end) {
		uint64_t tag = varint(r), value;

		if ((tag & 7) != VARINT || tag > TAG(ZONE_SERIAL_AFTER, VARINT))
			break;
		value = varint(r);
		if (tag == TAG(ZONE_SERIAL_AFTER, VARINT))
			return rbuf_ok(r) ? (uint32_t)value : 0;
	}
	return 0;
}

bool
body_name_read(const void *piece, size_t len, struct body_name *out)
{
	struct rbuf r = rbuf_init(piece, len);
	uint64_t zone_len, tag, n;
	size_t end;

	*out = (struct body_name){ 0 };
	if (varint(&r) != TAG(BODY_ZONES, LENGTH))
		return false;
	zone_len = varint(&r);
	if (!rbuf_ok(&r) || zone_len > ZONE_MAX)
		return false;
	end = r.pos + (size_t)zone_len;
	out->next = end;
	/* protobuf-c writes fields in the order of their numbers; kind 0 is left out. */
	tag = varint(&r);
	if (tag == TAG(ZONE_KIND, VARINT)) {
		(void)varint(&r);
		tag = varint(&r);
	}
	n = varint(&r);
	if (!rbuf_ok(&r) || tag != TAG(ZONE_NAME, LENGTH) || n > 255 || r.pos + n > end)
		return true;
	out->name = rbuf_bytes(&r, (size_t)n);
	out->name_len = out->name != NULL ? (size_t)n : 0;
	out->serial = serial_after(&r, end);
	return true;
}

bool
body_object_read(const void *piece, size_t len, struct body_name *out)
{
	struct rbuf r = rbuf_init(piece, len);
	uint64_t tag, n;

	*out = (struct body_name){ 0 };
	if (varint(&r) != TAG(BODY_OBJECTS, LENGTH))
		return false;
	(void)varint(&r);
	tag = varint(&r);
	n = varint(&r);
	if (!rbuf_ok(&r) || tag != TAG(OBJECT_KIND, LENGTH) || n > len)
		return false;
	(void)rbuf_bytes(&r, (size_t)n);
	tag = varint(&r);
	n = varint(&r);
	if (!rbuf_ok(&r) || tag != TAG(OBJECT_NAME, LENGTH) || n > 255)
		return false;
	out->name = rbuf_bytes(&r, (size_t)n);
	out->name_len = out->name != NULL ? (size_t)n : 0;
	return out->name != NULL;
}
