/* health - health list and check probe: what the probe knows, and does, is asked of it and handed on.  Loop. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/sync/bus.h"
#include "appliance/sync/checks.h"
#include "appliance/sync/conn.h"
#include "appliance/sync/control.h"
#include "appliance/sync/errors.h"
#include "ipc/base/clock.h"
#include "ipc/base/log.h"
#include "ipc/base/xalloc.h"

#define MARGIN_NS 200000000ull /* before its deadline the client has its answer */

static struct request_list asked = TAILQ_HEAD_INITIALIZER(asked);
static uint64_t last_id;

static void
no_probe(struct sync *s, struct request *r)
{
	request_refuse(s, r, NS_UNAVAILABLE, ES_NO_PROBE,
	    "the probe process, which looks at checks, is not there; try again");
}

/* What is to be looked at as it says obeys the rules of what is to be a check. */
static enum ns_err
definition(struct request *r, Ns__Check *out)
{
	const Ns__CheckProbeRequest *in = r->env->check_probe_request;

	if (in->name[0] != '\0')
		return request_reject(r, NS_USAGE, ES_CHECK, "name",
		    "a look is at a check by its name, or as a definition says");
	*out = *in->check;
	out->override = out->push = NULL;
	if (check_rule(out, &r->why) != NS_OK)
		return r->why.err;
	log_info("check.try", "user=%s relay=%s type=%s target=%s port=%u",
	    log_quote(r->caller.name), log_quote(r->caller.relay), out->type,
	    log_quote(out->target), out->port);
	return NS_OK;
}

void
health_request(struct sync *s, struct request *r)
{
	Ns__Envelope env = *r->env;
	Ns__CheckProbeRequest look = NS__CHECK_PROBE_REQUEST__INIT;
	Ns__Check def;

	if (env.body_case == NS__ENVELOPE__BODY_CHECK_PROBE_REQUEST &&
	    env.check_probe_request->check != NULL) {
		if ((r->err = definition(r, &def)) != NS_OK) {
			request_finish(s, r);
			return;
		}
		look.check = &def;
		env.check_probe_request = &look;
	}
	env.id = r->asked_id = ++last_id;
	if (bus_send(s, ROLE_PROBE, &env) != NS_OK)
		no_probe(s, r);
	else
		TAILQ_INSERT_TAIL(&asked, r, waiting);
}

/* The reply's body, as a message of our own. */
static void
take(struct request *r, const Ns__Envelope *env)
{
	const ProtobufCFieldDescriptor *f = protobuf_c_message_descriptor_get_field(
	    &ns__envelope__descriptor, (unsigned)env->body_case);
	const ProtobufCMessage *m =
	    *(const ProtobufCMessage *const *)(const void *)((const char *)env + f->offset);
	size_t len = protobuf_c_message_get_packed_size(m);
	uint8_t *buf = xmalloc(len + 1);

	protobuf_c_message_pack(m, buf);
	request_reply(r, env->body_case, protobuf_c_message_unpack(m->descriptor, NULL, len, buf));
	free(buf);
}

static void
refuse_look(struct sync *s, struct request *r, const Ns__CheckProbeReply *m)
{
	const char *name = r->env->check_probe_request->name;
	char text[sizeof r->why.text];

	snprintf(text, sizeof text, "%.64s%s%s", name, name[0] != '\0' ? ": " : "", m->fault);
	request_refuse(s, r, NS_INVALID, ES_NO_LOOK, text);
}

void
health_answer(struct sync *s, const Ns__Envelope *env)
{
	bool look = env->body_case == NS__ENVELOPE__BODY_CHECK_PROBE_REPLY;
	struct request *r;

	TAILQ_FOREACH(r, &asked, waiting)
	if (r->asked_id == env->id)
		break;
	if (r == NULL || look != (r->env->body_case == NS__ENVELOPE__BODY_CHECK_PROBE_REQUEST))
		return;
	TAILQ_REMOVE(&asked, r, waiting);
	if (look && env->check_probe_reply->fault[0] != '\0') {
		refuse_look(s, r, env->check_probe_reply);
		return;
	}
	take(r, env);
	request_finish(s, r);
}

void
health_tick(struct sync *s, uint64_t now_ns)
{
	struct request *r, *next;

	for (r = TAILQ_FIRST(&asked); r != NULL; r = next) {
		next = TAILQ_NEXT(r, waiting);
		if (now_ns != UINT64_MAX && now_ns + MARGIN_NS < r->deadline_ns &&
		    request_awaited(r))
			continue;
		TAILQ_REMOVE(&asked, r, waiting);
		no_probe(s, r);
	}
}

void
health_stop(void)
{
	struct request *r;

	while ((r = TAILQ_FIRST(&asked)) != NULL) {
		TAILQ_REMOVE(&asked, r, waiting);
		conn_detach(r);
		request_destroy(&r);
	}
}
