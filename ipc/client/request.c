/* request.c - a client's request; see request.h. */
#include "ipc/client/request.h"

#include <stdlib.h>

#include "ipc/base/xalloc.h"
#include "ipc/client/kinds.h"
#include "ipc/envelope.h"

#define DEFAULT_TIMEOUT_MS 10000u
#define PATIENCE_MS        300u /* for a link: an appliance's sync that restarts is back by then */
#define GRACE_MS           200u /* the appliance knows more than "too late": let it say so */

struct request *
request_new(uint64_t id, Ns__Envelope *req, bool read_only, unsigned timeout_ms, uint64_t now_ms)
{
	struct request *r = xcalloc(1, sizeof *r);
	struct ns_why why = { 0 };

	r->id = id;
	r->kind = req->body_case;
	r->timeout_ms = timeout_ms > 0 ? timeout_ms : DEFAULT_TIMEOUT_MS;
	r->deadline_ms = now_ms + r->timeout_ms;
	r->patience_ms = now_ms + PATIENCE_MS;
	req->id = id;
	req->deadline_ms = r->timeout_ms;
	if (read_only && kind_writes(r->kind))
		(void)ns_fail(&why, NS_DENIED, NS_CODE_READ_ONLY, "refused by --read-only");
	else
		r->packed = frame_pack(req, &r->msg, &why) == NS_OK;
	if (!r->packed) {
		r->why = xcalloc(1, sizeof *r->why);
		*r->why = why;
	}
	return r;
}

void
request_free(struct request *r)
{
	if (r->packed)
		zmq_msg_close(&r->msg);
	free(r->why);
	free(r);
}

struct request *
request_find(const struct requests *all, uint64_t id)
{
	struct request *r;

	TAILQ_FOREACH(r, all, entry)
	if (r->id == id && r->sent)
		return r;
	return NULL;
}

void
request_unclear(const struct request *r, uint16_t code, const char *text, struct ns_why *why)
{
	if (kind_writes(r->kind))
		ns_fail(why, NS_UNKNOWN, code,
		    "%s; whether the change was made is unknown: try again with the same "
		    "idempotency key",
		    text);
	else
		ns_fail(why, NS_UNAVAILABLE, code, "%s", text);
}

bool
request_is_over(const struct request *r, const struct link *l, uint64_t now_ms, struct ns_why *why)
{
	if (!r->packed) {
		*why = *r->why;
		return true;
	}
	if (!r->sent && l->state == LINK_WAITING && (l->refused || now_ms >= r->patience_ms)) {
		*why = l->why;
		return true;
	}
	if (now_ms < r->deadline_ms + (r->sent ? GRACE_MS : 0))
		return false;
	if (r->sent)
		request_unclear(r, NS_CODE_DEADLINE, "no reply in time", why);
	else
		ns_fail(why, NS_UNAVAILABLE, NS_CODE_DEADLINE,
		    "%s takes connections but does not answer", l->path);
	return true;
}

uint64_t
request_due(const struct request *r, const struct link *l, bool blocked)
{
	if (!r->packed || (!r->sent && l->state == LINK_READY && !blocked))
		return 0;
	if (!r->sent && l->state == LINK_WAITING)
		return l->refused ? 0 : r->patience_ms;
	return r->deadline_ms + (r->sent ? GRACE_MS : 0);
}
