/* presenceask - the request of presence.h: say that one is editing, and hear who else is.  Loop only. */
#include <stdlib.h>

#include "appliance/dns/name.h"
#include "appliance/sync/control.h"
#include "appliance/sync/presence.h"
#include "ipc/base/clock.h"
#include "ipc/base/xalloc.h"

#define OTHERS_MAX 16u /* told at once */

static struct presence table;

static Ns__PresenceReply__Editor *
editor(const struct presence_lease *l, uint64_t now)
{
	Ns__PresenceReply__Editor *e = xmalloc(sizeof *e);

	ns__presence_reply__editor__init(e);
	e->name = xstrdup(l->name);
	e->appliance = xstrdup(l->appliance);
	e->for_s = (now - l->since_ns) / 1000000000u;
	return e;
}

void
presence_request(struct sync *s, struct request *r)
{
	const Ns__PresenceRequest *in = r->env->presence_request;
	const char *where = r->caller.relay[0] != '\0' ? r->caller.relay : s->name;
	const struct presence_lease *others[OTHERS_MAX];
	uint64_t now = clock_mono_ns();
	/* Who may not commit, or not by way of that appliance, is told of others and they not of him. */
	bool may = r->caller.role >= USER_OPERATOR;
	uint8_t zone[NAME_MAX_WIRE];
	Ns__PresenceReply *m;
	size_t len, n;

	if ((r->err = zone_name_read(in->zone, zone, &r->why)) != NS_OK) {
		request_finish(s, r);
		return;
	}
	len = name_len(zone);
	if (may && in->done)
		presence_drop(&table, zone, len, r->caller.name, where);
	else if (may && in->editing)
		presence_put(&table, zone, len, r->caller.name, where, now);
	n = presence_others(&table, zone, len, r->caller.name, now, others, OTHERS_MAX);
	m = xmalloc(sizeof *m);
	ns__presence_reply__init(m);
	m->editors = xcalloc(n > 0 ? n : 1, sizeof *m->editors);
	for (; m->n_editors < n; m->n_editors++)
		m->editors[m->n_editors] = editor(others[m->n_editors], now);
	request_reply(r, NS__ENVELOPE__BODY_PRESENCE_REPLY, m);
	request_finish(s, r);
}
