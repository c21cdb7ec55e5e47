/* draft_file.c - the bytes of a draft's file; see draft.h.  Pure.
 *
 * "NSDRAFT1", u64 checksum of what follows, a Draft message.  The checksum finds what a disk did; it does
 * not keep anybody out. */
#include <stdlib.h>
#include <string.h>

#include "ipc/base/hash.h"
#include "ipc/base/rbuf.h"
#include "ipc/base/text.h"
#include "ipc/base/wbuf.h"
#include "ipc/base/xalloc.h"
#include "ipc/client/draft.h"
#include "ipc/envelope.h"

#define ZONE_MAX  1024u /* NAME_MAX_TEXT of appliance/dns */
#define HEAD_LEN  16u
#define DRAFT_BAD 1301 /* code of a file that is no draft */

static const uint8_t magic[8] = "NSDRAFT1";
static const uint8_t sum_key[16] = "nameserve drafts";

char *
draft_zone(const char *zone)
{
	size_t len = strlen(zone);
	char *out = xmalloc(len + 2);

	for (size_t i = 0; i < len; i++)
		out[i] = (char)(zone[i] >= 'A' && zone[i] <= 'Z' ? zone[i] + 32 : zone[i]);
	if (len == 0 || zone[len - 1] != '.')
		out[len++] = '.';
	out[len] = '\0';
	return out;
}

uint8_t *
draft_encode(const Ns__Draft *d, size_t *len)
{
	size_t body = ns__draft__get_packed_size(d);
	uint8_t *out;
	struct wbuf w;

	if (body > DRAFT_OCTETS - HEAD_LEN || d->n_ops > DRAFT_OPS_MAX)
		return NULL;
	out = xmalloc(HEAD_LEN + body);
	ns__draft__pack(d, out + HEAD_LEN);
	w = wbuf_init(out, HEAD_LEN);
	wbuf_put(&w, magic, sizeof magic);
	wbuf_u64(&w, hash_sip24(sum_key, out + HEAD_LEN, body));
	*len = HEAD_LEN + body;
	return out;
}

static bool
ops_sound(Ns__RecordOp *const *ops, size_t n)
{
	for (size_t i = 0; i < n && n <= DRAFT_OPS_MAX; i++)
		if ((unsigned)ops[i]->kind > NS__RECORD_OP__KIND__DEL)
			return false;
	return n <= DRAFT_OPS_MAX;
}

/* What CLI and console rely on. */
static bool
is_sound(const Ns__Draft *d)
{
	size_t len = strlen(d->zone);
	char *canonical = draft_zone(d->zone);
	bool ok = len > 0 && len < ZONE_MAX && strcmp(canonical, d->zone) == 0 &&
		  ops_sound(d->ops, d->n_ops) && d->n_steps <= DRAFT_STEPS_MAX &&
		  strlen(d->comment) <= DRAFT_COMMENT_MAX;

	free(canonical);
	for (size_t i = 0; ok && i < d->n_steps; i++)
		ok = ops_sound(d->steps[i]->ops, d->steps[i]->n_ops);
	return ok;
}

Ns__Draft *
draft_decode_body(const void *body, size_t len, struct ns_why *why)
{
	Ns__Draft *d;

	if (ns_envelope_scan(&ns__draft__descriptor, body, len, why) != NS_OK)
		return NULL;
	d = ns__draft__unpack(NULL, len, body);
	if (d != NULL && is_sound(d))
		return d;
	if (d != NULL)
		ns__draft__free_unpacked(d, NULL);
	ns_fail(why, NS_CORRUPT, DRAFT_BAD, "the file is not a draft that can be committed");
	return NULL;
}

Ns__Draft *
draft_decode(const void *data, size_t len, struct ns_why *why)
{
	struct rbuf r = rbuf_init(data, len);
	const uint8_t *head = rbuf_bytes(&r, sizeof magic);
	uint64_t sum = rbuf_u64(&r);
	size_t body_len = rbuf_left(&r);
	const uint8_t *body = rbuf_bytes(&r, body_len);

	if (!rbuf_ok(&r) || memcmp(head, magic, sizeof magic) != 0 || len > DRAFT_OCTETS ||
	    sum != hash_sip24(sum_key, body, body_len)) {
		ns_fail(why, NS_CORRUPT, DRAFT_BAD, "the file is not a draft, or is damaged");
		return NULL;
	}
	return draft_decode_body(body, body_len, why);
}
