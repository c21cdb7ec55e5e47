/* flips.c - see flips.h.
 *
 *     u64 sum of what follows    u64 seq    u64 check    u64 at    u8 state    name    reason    zeros */
#include "appliance/probe/flips.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "appliance/zonemap/board.h"
#include "ipc/base/hash.h"
#include "ipc/base/rbuf.h"
#include "ipc/base/wbuf.h"
#include "ipc/base/xalloc.h"

#define SUM 8u

struct flips {
	int fd;
	uint64_t last; /* seq; 0: none yet */
	struct flip ring[FLIPS_KEPT]; /* seq 0: empty */
};

uint64_t
flip_sum(const uint8_t record[FLIP_OCTETS])
{
	static const uint8_t key[16] = "nameserve flips";

	return hash_sip24(key, record + SUM, FLIP_OCTETS - SUM);
}

void
flip_encode(const struct flip *f, uint8_t out[FLIP_OCTETS])
{
	struct wbuf w = wbuf_init(out + SUM, FLIP_OCTETS - SUM);

	memset(out, 0, FLIP_OCTETS);
	wbuf_u64(&w, f->seq);
	wbuf_u64(&w, f->check);
	wbuf_u64(&w, (uint64_t)f->at_ms);
	wbuf_u8(&w, f->state);
	wbuf_put(&w, f->name, FLIP_NAME);
	wbuf_put(&w, f->reason, FLIP_REASON);
	w = wbuf_init(out, SUM);
	wbuf_u64(&w, flip_sum(out));
}

bool
flip_decode(const uint8_t in[FLIP_OCTETS], struct flip *f)
{
	struct rbuf r = rbuf_init(in, FLIP_OCTETS);
	const uint8_t *name, *reason;
	bool whole = rbuf_u64(&r) == flip_sum(in);

	*f = (struct flip){ .seq = rbuf_u64(&r) };
	f->check = rbuf_u64(&r);
	f->at_ms = (int64_t)rbuf_u64(&r);
	f->state = rbuf_u8(&r);
	name = rbuf_bytes(&r, FLIP_NAME);
	reason = rbuf_bytes(&r, FLIP_REASON);
	if (!whole || name == NULL || reason == NULL || f->seq == 0 ||
	    (f->state != BOARD_UP && f->state != BOARD_DOWN))
		return false;
	memcpy(f->name, name, FLIP_NAME - 1);
	memcpy(f->reason, reason, FLIP_REASON - 1);
	return true;
}

static void
load(struct flips *f)
{
	uint8_t record[FLIP_OCTETS];
	struct flip one;

	for (size_t i = 0; i < FLIPS_KEPT; i++) {
		if (pread(f->fd, record, FLIP_OCTETS, (off_t)(i * FLIP_OCTETS)) !=
		    (ssize_t)FLIP_OCTETS)
			return; /* the end of the file */
		if (!flip_decode(record, &one) || one.seq % FLIPS_KEPT != i)
			continue;
		f->ring[i] = one;
		f->last = one.seq > f->last ? one.seq : f->last;
	}
}

struct flips *
flips_new(int fd)
{
	struct flips *f = xcalloc(1, sizeof *f);

	f->fd = fd;
	if (fd >= 0)
		load(f);
	return f;
}

void
flips_destroy(struct flips **fp)
{
	free(*fp);
	*fp = NULL;
}

void
flips_note(struct flips *f, const struct flip *one)
{
	uint8_t record[FLIP_OCTETS];
	struct flip *to = &f->ring[++f->last % FLIPS_KEPT];

	*to = *one;
	to->seq = f->last;
	if (f->fd < 0)
		return;
	flip_encode(to, record);
	/* Lost, it costs a line of the history. */
	(void)!pwrite(f->fd, record, FLIP_OCTETS, (off_t)(f->last % FLIPS_KEPT * FLIP_OCTETS));
}

void
flips_each(const struct flips *f, bool (*fn)(void *arg, const struct flip *), void *arg)
{
	for (uint64_t seq = f->last; seq > 0 && f->last - seq < FLIPS_KEPT; seq--) {
		const struct flip *one = &f->ring[seq % FLIPS_KEPT];

		if (one->seq == seq && !fn(arg, one))
			return;
	}
}
