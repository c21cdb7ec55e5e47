/* chaos.c - class CH: who answers here (RFC 4892), as TXT; all else is refused. */
#include <string.h>

#include "appliance/serve/work.h"
#include "ipc/base/wbuf.h"

struct chaos_name {
	const char *wire; /* lower case */
	bool id; /* else the version */
};
static const struct chaos_name names[] = {
	{ "\7version\4bind", false },
	{ "\7version\6server", false },
	{ "\2id\6server", true },
	{ "\10hostname\4bind", true },
};

static const char *
text_for(const struct serve_conf *conf, const struct work *w)
{
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		size_t len = strlen(names[i].wire) + 1;

		if (len == w->qlen && memcmp(names[i].wire, w->lname, len) == 0)
			return names[i].id ? conf->id : conf->version;
	}
	return "";
}

void
chaos(const struct serve_conf *conf, struct query *q)
{
	struct work *w = work_of(q);
	const char *text = text_for(conf, w);
	size_t len = strnlen(text, sizeof conf->id);
	struct reply r;
	uint8_t *p;

	reply_begin(&r, conf, NULL, q);
	if (len == 0 || (q->qtype != RR_TXT && q->qtype != RR_ANY)) {
		r.rcode = RCODE_REFUSED;
		w->ede = EDE_CHAOS;
	} else if (13 + len > r.limit - r.len) {
		r.tc = true;
	} else {
		p = r.out + r.len;
		put_u16(p, 0xc00c);
		put_u16(p + 2, RR_TXT);
		put_u16(p + 4, CLASS_CH);
		put_u32(p + 6, 0);
		put_u16(p + 10, (uint16_t)(len + 1));
		p[12] = (uint8_t)len;
		memcpy(p + 13, text, len);
		r.len += 13 + len;
		r.count[ANSWER] = 1;
	}
	reply_end(&r);
}
