/* signatures - see signatures.h. */
#include "appliance/sync/signatures.h"

#include <stdlib.h>

#include "appliance/sync/keysched.h"
#include "appliance/sync/request.h"
#include "appliance/sync/status.h"
#include "ipc/base/xalloc.h"
#include "ipc/envelope.h"

/* The signer makes them anew when 7 days are left: fewer mean that it does not. */
#define LATE_S (6 * 86400)

static Ns__SignerState *last; /* NULL: it has not said */

void
signatures_stop(void)
{
	if (last != NULL)
		ns__signer_state__free_unpacked(last, NULL);
	last = NULL;
}

void
signatures_state(struct sync *s, const Ns__Envelope *env)
{
	(void)s;
	signatures_stop();
	last = ns_message_copy(&env->signer_state->base);
}

/* "zone Z AFTER TIME BEHIND" */
static void
add_problem(
    Ns__StatusReply *m, const char *zone, const char *after, int64_t when, const char *behind)
{
	char *time = reply_time(when * 1000);

	status_problem(m, "signatures", xasprintf("zone %s %s %s%s", zone, after, time, behind));
	free(time);
}

void
signatures_status(Ns__StatusReply *m, int64_t now)
{
	if (last == NULL || (m->signatures = ns_message_copy(&last->base)) == NULL)
		return;
	m->signatures_until = last->expires != 0 ? reply_time(last->expires * 1000) : xstrdup("");
	if (last->expires != 0 && last->expires < now)
		add_problem(m, last->expires_zone,
		    "is signed here and has expired signatures since", last->expires,
		    ": the signer does not renew them");
	else if (last->expires != 0 && last->expires - now < LATE_S)
		add_problem(m, last->expires_zone, "is signed here and has signatures that end at",
		    last->expires, ": they are not renewed in time");
	if (last->external_expired > 0)
		add_problem(m, last->external_zone,
		    "arrived signed and has expired signatures since", last->external_expires,
		    last->external_expired == 1 ? ": import it signed anew"
						: ", and others have: import them signed anew");
}

void
signatures_stats(Ns__StatsReply *stats)
{
	Ns__StatsReply__Signing *m;

	if (last == NULL)
		return;
	m = stats->signing = xmalloc(sizeof *m);
	ns__stats_reply__signing__init(m);
	m->zones = last->zones;
	m->until = last->expires != 0 ? reply_time(last->expires * 1000) : xstrdup("");
	m->until_zone = xstrdup(last->expires_zone);
	m->due = last->due;
	m->made = last->made;
	m->verified = last->verified;
	m->refused = last->refused;
	m->external = last->external;
	m->external_expired = last->external_expired;
	keysched_stats(m);
}
