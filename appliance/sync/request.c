/* request - see request.h. */
#include "appliance/sync/request.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/dns/name.h"
#include "appliance/sync/errors.h"
#include "ipc/base/clock.h"
#include "ipc/base/text.h"
#include "ipc/base/xalloc.h"
#include "ipc/envelope.h"

#define DEADLINE_DEFAULT_MS 10000u
#define DEADLINE_MAX_MS     (3600u * 1000u) /* an import's end may wait for a slow disk */

struct request *
request_new(const struct ns_peer *peer, const Ns__Envelope *env)
{
	struct request *r = xcalloc(1, sizeof *r);
	uint32_t ms = env->deadline_ms != 0 ? env->deadline_ms : DEADLINE_DEFAULT_MS;

	if (ms > DEADLINE_MAX_MS)
		ms = DEADLINE_MAX_MS;
	r->peer = *peer;
	r->id = env->id;
	r->arrived_ns = clock_mono_ns();
	r->deadline_ns = r->arrived_ns + (uint64_t)ms * 1000000u;
	r->env = ns_message_copy(&env->base); /* what arrived is gone after the callback */
	assert(r->env != NULL);
	return r;
}

void
request_destroy(struct request **rp)
{
	struct request *r = *rp;

	if (r == NULL)
		return;
	if (r->free_state != NULL && r->state != NULL)
		r->free_state(r->state);
	ns__envelope__free_unpacked(r->env, NULL);
	if (r->reply != NULL)
		ns__envelope__free_unpacked(r->reply, NULL);
	if (r->conflict != NULL)
		ns__conflict__free_unpacked(r->conflict, NULL);
	free(r);
	*rp = NULL;
}

enum ns_err
request_reject(
    struct request *r, enum ns_err err, uint16_t code, const char *field, const char *text)
{
	(void)ns_fail(&r->why, err, code, "%s", text);
	snprintf(r->why.field, sizeof r->why.field, "%s", field);
	return err;
}

bool
request_expired(struct request *r)
{
	if (!atomic_load(&r->cancelled) && clock_mono_ns() < r->deadline_ns)
		return false;
	r->err = ns_fail(&r->why, NS_UNAVAILABLE, ES_DEADLINE,
	    "the deadline passed before the work began: nothing was changed; try again with "
	    "more time");
	return true;
}

/* Every request that changes something has a field of that name. */
const char *
request_comment(const Ns__Envelope *env)
{
	char *const *comment = ns_body_field(env, "comment", PROTOBUF_C_TYPE_STRING);

	return comment != NULL ? *comment : "";
}

void
request_reply(struct request *r, Ns__Envelope__BodyCase body, void *msg)
{
	if (r->reply != NULL)
		ns__envelope__free_unpacked(r->reply, NULL);
	r->reply = xmalloc(sizeof *r->reply);
	ns__envelope__init(r->reply);
	r->reply->body_case = body;
	/* All members of the union are pointers to messages. */
	r->reply->error = msg;
}

void
request_hear(struct request *r, Ns__Envelope *env)
{
	if (env->body_case != NS__ENVELOPE__BODY_ERROR) {
		r->err = NS_OK;
		r->reply = env;
		return;
	}
	ns_why_from_error(&r->why, env->error);
	r->err = r->why.err;
	r->conflict = env->error->conflict; /* taken over */
	env->error->conflict = NULL;
	ns__envelope__free_unpacked(env, NULL);
}

char *
reply_name(const uint8_t *wire)
{
	char text[NAME_MAX_TEXT];

	return xstrdup(name_to_text(wire, text));
}

char *
reply_time(int64_t wall_ms)
{
	char text[CLOCK_RFC3339_LEN];

	return xstrdup(clock_rfc3339(wall_ms, text));
}

char *
reply_hex(const uint8_t *data, size_t len)
{
	char *out = xmalloc(2 * len + 1);

	for (size_t i = 0; i < len; i++)
		snprintf(out + 2 * i, 3, "%02x", data[i]);
	out[2 * len] = '\0';
	return out;
}

enum ns_err
zone_name_read(const char *text, uint8_t out[255], struct ns_why *why)
{
	static const uint8_t root[1] = { 0 };
	size_t len;
	enum ns_err err;

	if (text[0] == '\0')
		return ns_fail(why, NS_USAGE, ES_ZONE_NAME, "a zone's name is needed");
	err = name_from_text(text, root, out, &len, why);
	if (err != NS_OK) {
		text_copy(why->zone, sizeof why->zone, text);
		return err;
	}
	name_lower(out, out, len);
	return NS_OK;
}
