/* typemap.c - see typemap.h. */
#include "appliance/signer/typemap.h"

void
typemap_add(struct typemap *m, uint16_t type)
{
	unsigned window = type >> 8, octet = (type & 255u) / 8;

	m->bits[window][octet] |= (uint8_t)(0x80u >> type % 8);
	if (m->len[window] <= octet)
		m->len[window] = (uint8_t)(octet + 1);
	if (m->windows <= window)
		m->windows = window + 1;
}

void
typemap_put(struct typemap *m, struct wbuf *out)
{
	for (unsigned w = 0; w < m->windows; w++) {
		if (m->len[w] == 0)
			continue;
		wbuf_u8(out, (uint8_t)w);
		wbuf_u8(out, m->len[w]);
		wbuf_put(out, m->bits[w], m->len[w]);
		memset(m->bits[w], 0, m->len[w]);
		m->len[w] = 0;
	}
	m->windows = 0;
}
