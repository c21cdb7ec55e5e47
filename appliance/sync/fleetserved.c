/* fleetserved - who serves a change, and who does not: what a commit waits for and names (receipts.c asks). */
#include <stdlib.h>
#include <string.h>

#include "appliance/sync/fleet.h"
#include "appliance/sync/receipts.h"
#include "ipc/base/clock.h"
#include "ipc/base/xalloc.h"

static bool
listed(const Ns__CommitReply *m, const char *name)
{
	for (size_t i = 0; i < m->n_served; i++)
		if (strcmp(m->served[i]->appliance, name) == 0)
			return true;
	return false;
}

static void
add_served(Ns__CommitReply *m, const char *name, double ms)
{
	Ns__CommitReply__Receipt *rec;

	if (listed(m, name))
		return;
	rec = xmalloc(sizeof *rec);
	ns__commit_reply__receipt__init(rec);
	rec->appliance = xstrdup(name);
	rec->ms = ms;
	m->served = xreallocarray(m->served, m->n_served + 1, sizeof *m->served);
	m->served[m->n_served++] = rec;
}

static void
add_missing(Ns__CommitReply__Missing ***list, size_t *n, const char *name, double silent_s)
{
	Ns__CommitReply__Missing *mis = xmalloc(sizeof *mis);

	ns__commit_reply__missing__init(mis);
	mis->name = xstrdup(name);
	mis->silent_s = silent_s;
	*list = xreallocarray(*list, *n + 1, sizeof **list);
	(*list)[(*n)++] = mis;
}

bool
fleet_all_served(struct sync *s, const struct request *r, Ns__CommitReply *m, bool end)
{
	const struct roster *ro = s->fleet->roster;
	uint64_t now = clock_mono_ns();
	double ms = (double)clock_since(now, r->arrived_ns) / 1e6;
	bool all = receipts_revision(s->receipts) >= r->revision &&
		   !ranges_has(receipts_lacks(s->receipts), r->revision);

	if (all)
		add_served(m, s->name, ms);
	else if (end)
		add_missing(&m->late, &m->n_late, s->name, ms / 1e3);
	for (size_t i = 0; i < ro->count; i++) {
		const struct member *mb = &ro->members[i];
		const struct follower *fo = pub_follower(s->fleet, mb->name);

		if (!mb->enrolled || mb->removed || strcmp(mb->name, s->name) == 0)
			continue;
		if (fo != NULL && fo->ever && fo->served >= r->revision &&
		    !ranges_has(&fo->late, r->revision)) {
			add_served(m, mb->name, ms);
		} else if (fo != NULL && follower_living(fo, now)) {
			all = false;
			if (end)
				add_missing(&m->late, &m->n_late, mb->name, ms / 1e3);
		} else if (end) {
			/* Of one that was never heard of we know how long we have been listening. */
			add_missing(&m->missing, &m->n_missing, mb->name,
			    (double)clock_since(
				now, fo != NULL ? fo->heard_ns : s->fleet->started_ns) /
				1e9);
		}
	}
	return all;
}
