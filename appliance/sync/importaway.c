/* importaway - see importaway.h. */
#include "appliance/sync/importaway.h"

#include <stdlib.h>

#include "appliance/sync/fleet.h"
#include "appliance/sync/import.h"
#include "ipc/base/log.h"
#include "ipc/base/xalloc.h"

#define SAY_MS 5000u

struct away {
	struct away *next;
	uint64_t session; /* the primary's number */
	struct ns_peer peer; /* the client */
	struct caller caller;
	uint64_t looked_ns;
};

static void
begun(struct sync *s, const struct request *r, uint64_t session)
{
	struct away *a = xcalloc(1, sizeof *a);

	a->session = session;
	a->peer = r->peer;
	a->caller = r->caller;
	a->next = s->fleet->imports;
	s->fleet->imports = a;
}

static void
drop(struct away **ap)
{
	struct away *a = *ap;

	*ap = a->next;
	free(a);
}

static void
ended(struct sync *s, uint64_t session)
{
	for (struct away **ap = &s->fleet->imports; *ap != NULL; ap = &(*ap)->next) {
		if ((*ap)->session != session)
			continue;
		drop(ap);
		return;
	}
}

void
importaway_heard(struct sync *s, const struct request *r)
{
	if (r->err == NS_OK && r->reply != NULL &&
	    r->reply->body_case == NS__ENVELOPE__BODY_IMPORT_READY)
		begun(s, r, r->reply->import_ready->session);
	else if (r->env->body_case == NS__ENVELOPE__BODY_IMPORT_END)
		ended(s, r->env->import_end->session);
	else if (r->err != NS_OK && r->env->body_case == NS__ENVELOPE__BODY_IMPORT_DATA)
		ended(s, r->env->import_data->session);
}

void
importaway_forget(struct sync *s)
{
	while (s->fleet->imports != NULL)
		drop(&s->fleet->imports);
}

/* ZeroMQ tells it of a peer one sends to, and only then; clients ignore what answers no request. */
static bool
is_gone(struct sync *s, const struct away *a)
{
	Ns__Envelope env = NS__ENVELOPE__INIT;
	Ns__Done done = NS__DONE__INIT;

	env.body_case = NS__ENVELOPE__BODY_DONE;
	env.done = &done;
	return ns_send(s->control, &a->peer, &env) == NS_NOTFOUND;
}

static bool
say_gone(struct sync *s, const struct away *a)
{
	Ns__Envelope env = NS__ENVELOPE__INIT;
	Ns__ImportAbandon out = NS__IMPORT_ABANDON__INIT;

	out.session = a->session;
	env.body_case = NS__ENVELOPE__BODY_IMPORT_ABANDON;
	env.import_abandon = &out;
	log_info("import.gone", "session=%llu", (unsigned long long)a->session);
	return forward_say(s, &a->caller, &env, ++s->fleet->forward_id, SAY_MS) == NS_OK;
}

void
importaway_tick(struct sync *s, uint64_t now_ns)
{
	struct away **ap = &s->fleet->imports;

	while (*ap != NULL) {
		struct away *a = *ap;

		if (now_ns < a->looked_ns + IMPORT_PROBE_NS) {
			ap = &a->next;
			continue;
		}
		a->looked_ns = now_ns;
		if (is_gone(s, a) && say_gone(s, a))
			drop(ap);
		else
			ap = &a->next;
	}
}
