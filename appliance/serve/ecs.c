/* ecs.c - the client's network as its resolver tells it, RFC 7871.
 *
 * Read strictly, so that whoever decides by it never sees half an address.  The scope of the reply is
 * what the answer really depended on (7.2.1): 0, good for everybody, where no policy looked at the place. */
#include <string.h>

#include "appliance/serve/work.h"
#include "ipc/base/wbuf.h"

#define ECS_HEAD 4u

static unsigned
octets_of(unsigned prefix)
{
	return (prefix + 7) / 8;
}

bool
ecs_read(struct ecs *e, const uint8_t *data, size_t len)
{
	/* By family (6).  0 is what some send who tell no place: nothing, in no octets. */
	static const uint8_t prefix_max[] = { 0, 32, 128 };
	unsigned n, family;

	if (len < ECS_HEAD)
		return false;
	family = get_u16(data);
	if (family >= sizeof prefix_max || data[2] > prefix_max[family] || data[3] != 0)
		return false;
	n = octets_of(data[2]);
	if (len != ECS_HEAD + n)
		return false;
	if (data[2] % 8 != 0 && (data[ECS_HEAD + n - 1] & 0xff >> data[2] % 8) != 0)
		return false;
	e->family = (uint8_t)family;
	e->source = data[2];
	e->scope = 0;
	memset(e->address, 0, sizeof e->address);
	memcpy(e->address, data + ECS_HEAD, n);
	return true;
}

size_t
ecs_size(const struct ecs *e)
{
	return ECS_HEAD + octets_of(e->source);
}

uint8_t *
ecs_write(const struct ecs *e, uint8_t *p)
{
	put_u16(p, e->family);
	p[2] = e->source;
	p[3] = e->scope;
	memcpy(p + ECS_HEAD, e->address, octets_of(e->source));
	return p + ecs_size(e);
}
