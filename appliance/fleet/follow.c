/* follow.c - see follow.h. */
#include "appliance/fleet/follow.h"

#include <stdlib.h>
#include <string.h>

#include "ipc/base/xalloc.h"
#include "ipc/envelope.h"

void
followed_free(struct followed **fp)
{
	struct followed *f = *fp;

	if (f == NULL)
		return;
	if (f->head != NULL)
		ns__fleet_change__free_unpacked(f->head, NULL);
	free(f->body);
	free(f);
	*fp = NULL;
}

void
follow_start(struct follow *f, uint64_t revision)
{
	followed_free(&f->open);
	f->have = 0;
	f->taken = revision;
}

/* The message is gone after the call; its body is not copied twice. */
static Ns__FleetChange *
head_copy(const Ns__FleetChange *in)
{
	Ns__FleetChange bare = *in;

	bare.body = (ProtobufCBinaryData){ 0, NULL };
	return ns_message_copy(&bare.base);
}

static bool
sane(const Ns__FleetChange *c)
{
	return c->body_size <= FOLLOW_BODY_MAX && c->offset <= c->body_size &&
	       c->body.len <= c->body_size - c->offset && (c->body.len > 0 || c->body_size == 0) &&
	       c->revision > 0;
}

static enum follow_verdict
add_piece(struct follow *f, const Ns__FleetChange *c, struct followed **whole)
{
	struct followed *o = f->open;

	if (c->body.len > 0)
		memcpy(o->body + f->have, c->body.data, c->body.len);
	f->have += c->body.len;
	if (f->have < o->body_len)
		return FOLLOW_PIECE;
	o->head = head_copy(c);
	f->open = NULL;
	f->have = 0;
	if (o->head == NULL) {
		followed_free(&o);
		return FOLLOW_BAD;
	}
	f->taken = c->revision;
	*whole = o;
	return FOLLOW_CHANGE;
}

enum follow_verdict
follow_put(struct follow *f, const Ns__FleetChange *c, struct followed **whole)
{
	*whole = NULL;
	if (!sane(c))
		return FOLLOW_BAD;
	if (c->revision <= f->taken || (c->revision == f->taken + 1 && c->offset < f->have))
		return FOLLOW_OLD;
	if (c->revision != f->taken + 1 || c->offset != f->have)
		return FOLLOW_GAP;
	if (f->open == NULL) {
		f->open = xcalloc(1, sizeof *f->open);
		f->open->body_len = c->body_size;
		f->open->body = xmalloc(c->body_size + 1);
	}
	if (f->open->body_len != c->body_size)
		return FOLLOW_BAD;
	return add_piece(f, c, whole);
}
