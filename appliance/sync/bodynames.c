/* bodynames - see bodynames.h.  The encoding is protobuf's: (field << 3 | wire type), varints. */
#include "appliance/sync/bodynames.h"

#include "ipc/base/rbuf.h"

#define TAG(field, wire) ((field) << 3 | (wire))
#define VARINT           0u
#define LENGTH           2u
#define BODY_ZONES       1u /* ChangeBody.zones */
#define ZONE_KIND        1u /* ChangeBody.Zone.kind */
#define ZONE_NAME        2u /* ChangeBody.Zone.name */
#define ZONE_MAX         (1ull << 30)

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
	return true;
}
