/* sigframe.c - see sigframe.h. */
#include "appliance/signer/sigframe.h"

#include <stdlib.h>
#include <unistd.h>

#include "ipc/base/hash.h"
#include "ipc/base/xalloc.h"

#define FRAME_MAGIC 0x4e535346u

static const uint8_t sum_key[16] = "signature frames";

static uint64_t
get_u64(const uint8_t *p)
{
	return (uint64_t)get_u32(p) << 32 | get_u32(p + 4);
}

uint32_t
sigframe_len(const uint8_t head[FRAME_HEAD])
{
	uint32_t len = get_u32(head + 4);

	return get_u32(head) == FRAME_MAGIC && len >= 12 && len <= PAYLOAD_MAX ? len : 0;
}

bool
sigframe_check(const uint8_t head[FRAME_HEAD], const uint8_t *p, struct frame *f)
{
	size_t len = sigframe_len(head), apex;

	if (hash_sip24(sum_key, p, len) != get_u64(head + 8))
		return false;
	apex = name_check(p + 9, len - 9);
	if (apex == 0 || apex != p[8] || len < 11 + apex)
		return false;
	f->before = get_u64(p);
	f->apex = p + 9;
	f->n = get_u16(p + 9 + apex);
	f->entry = p + 11 + apex;
	f->size = FRAME_HEAD + len;
	return len == 11 + apex + (size_t)f->n * SIGFILE_ENTRY;
}

bool
sigframe_read(int fd, uint64_t at, struct wbuf *to, struct frame *f)
{
	uint8_t head[FRAME_HEAD], *p;
	size_t len;

	if (pread(fd, head, sizeof head, (off_t)at) != (ssize_t)sizeof head ||
	    (len = sigframe_len(head)) == 0)
		return false;
	p = wbuf_room(to, len);
	return p != NULL && pread(fd, p, len, (off_t)(at + FRAME_HEAD)) == (ssize_t)len &&
	       sigframe_check(head, p, f);
}

void
sigframe_put(
    struct wbuf *out, uint64_t before, const uint8_t *apex, const uint8_t *entries, unsigned n)
{
	size_t start = out->len, len;
	uint64_t sum;

	wbuf_u32(out, FRAME_MAGIC);
	wbuf_u32(out, 0);
	wbuf_u64(out, 0);
	wbuf_u64(out, before);
	wbuf_u8(out, (uint8_t)name_len(apex));
	wbuf_put(out, apex, name_len(apex));
	wbuf_u16(out, (uint16_t)n);
	wbuf_put(out, entries, (size_t)n * SIGFILE_ENTRY);
	len = out->len - start - FRAME_HEAD;
	sum = hash_sip24(sum_key, out->base + start + FRAME_HEAD, len);
	put_u32(out->base + start + 4, (uint32_t)len);
	put_u32(out->base + start + 8, (uint32_t)(sum >> 32));
	put_u32(out->base + start + 12, (uint32_t)sum);
}

bool
sigframe_wipe(int fd, uint64_t at, const struct frame *f)
{
	uint8_t *zeros = xcalloc(1, f->size);
	bool ok;

	put_u32(zeros, FRAME_WIPED);
	put_u32(zeros + 4, (uint32_t)(f->size - FRAME_HEAD));
	ok = pwrite(fd, zeros, f->size, (off_t)at) == (ssize_t)f->size;
	free(zeros);
	return ok;
}
