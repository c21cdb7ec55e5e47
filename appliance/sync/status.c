/* status - see status.h. */
#include "appliance/sync/status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/sync/bus.h"
#include "appliance/sync/checks.h"
#include "appliance/sync/control.h"
#include "appliance/sync/feed.h"
#include "appliance/sync/keyring.h"
#include "appliance/sync/keysched.h"
#include "appliance/sync/fleet.h"
#include "appliance/sync/receipts.h"
#include "appliance/sync/signatures.h"
#include "appliance/sync/snappub.h"
#include "appliance/sync/stats.h"
#include "appliance/sync/windows.h"
#include "ipc/base/clock.h"
#include "ipc/base/xalloc.h"
#include "ipc/envelope.h"

#define FLOODS_MAX 64 /* zones in a notice; answer sends eight */
#define STUCK_S    2.0 /* a feed that does not move for so long is worth a line */

struct status {
	Ns__ProcessTable *table; /* own copy */
	uint64_t began_ns;
	char *store_trouble;
	char **floods; /* sentences, in the order of answer's notice */
	size_t n_floods;
};

struct status *
status_new(void)
{
	struct status *st = xcalloc(1, sizeof *st);

	st->began_ns = clock_mono_ns();
	return st;
}

static void
forget_floods(struct status *st)
{
	for (size_t i = 0; i < st->n_floods; i++)
		free(st->floods[i]);
	free(st->floods);
	st->floods = NULL;
	st->n_floods = 0;
}

void
status_destroy(struct status **stp)
{
	struct status *st = *stp;

	if (st == NULL)
		return;
	if (st->table != NULL)
		ns__process_table__free_unpacked(st->table, NULL);
	free(st->store_trouble);
	forget_floods(st);
	free(st);
	*stp = NULL;
}

void
status_store(struct sync *s, const char *trouble)
{
	free(s->status->store_trouble);
	s->status->store_trouble = trouble != NULL ? xstrdup(trouble) : NULL;
}

void
status_notice(struct sync *s, const Ns__Envelope *env)
{
	struct status *st = s->status;
	const Ns__AnswerNotice *n = env != NULL ? env->answer_notice : NULL;

	forget_floods(st);
	if (n == NULL || n->n_floods > FLOODS_MAX)
		return;
	st->floods = xcalloc(n->n_floods + 1, sizeof *st->floods);
	for (size_t i = 0; i < n->n_floods; i++)
		st->floods[st->n_floods++] = xasprintf(
		    "%.1023s is asked for more names that it does not have than its share: %llu "
		    "such answers were withheld; names that it has are answered",
		    n->floods[i]->zone, (unsigned long long)n->floods[i]->limited);
}

static bool
is_running(const Ns__ProcessTable *t, enum role_id id)
{
	for (size_t i = 0; i < t->n_processes; i++)
		if (strcmp(t->processes[i]->role, role_name(id)) == 0 && t->processes[i]->pid > 0 &&
		    strcmp(t->processes[i]->state, "backoff") != 0)
			return true;
	return false;
}

double
status_uptime_s(const struct sync *s)
{
	return s->start->started_mono_ms != 0
		   ? (double)clock_since(clock_mono_ms(), s->start->started_mono_ms) / 1e3
		   : (double)(clock_mono_ns() - s->status->began_ns) / 1e9;
}

void
status_table(void *arg, const Ns__ProcessTable *in)
{
	struct sync *s = arg;

	if (s->status->table != NULL)
		ns__process_table__free_unpacked(s->status->table, NULL);
	s->status->table = ns_message_copy(&in->base);
	if (s->status->table == NULL)
		return;
	s->fleet->vitals.memory_mib = in->memory_mib;
	if (!is_running(s->status->table, ROLE_SIGNER))
		bus_gone(s, ROLE_SIGNER);
	if (!is_running(s->status->table, ROLE_ANSWER))
		bus_gone(s, ROLE_ANSWER);
	if (!is_running(s->status->table, ROLE_PROBE))
		bus_gone(s, ROLE_PROBE);
}

void
status_problem(Ns__StatusReply *m, const char *code, char *text)
{
	Ns__StatusReply__Problem *p = xmalloc(sizeof *p);

	ns__status_reply__problem__init(p);
	p->code = xstrdup(code);
	p->text = text;
	m->problems = xreallocarray(m->problems, m->n_problems + 1, sizeof *m->problems);
	m->problems[m->n_problems++] = p;
}

static void
add_problems(const struct sync *s, const struct feed_state *f, Ns__StatusReply *m)
{
	const Ns__ProcessTable *t = s->status->table;
	uint64_t stuck = windows_stuck(s->windows, clock_mono_ns());
	char *keys = keysched_trouble(s), *ring = keyring_trouble(s);

	/* Until the first table: it has those that are still true, and what came since. */
	for (size_t i = 0; t == NULL && i < s->start->n_problems; i++)
		status_problem(m, "kernel", xstrdup(s->start->problems[i]));
	for (size_t i = 0; t != NULL && i < t->n_problems; i++)
		status_problem(m, t->problems[i]->code, xstrdup(t->problems[i]->text));
	if (s->status->store_trouble != NULL)
		status_problem(
		    m, "store", xasprintf("edits are refused: %s", s->status->store_trouble));
	if (!f->signer)
		status_problem(
		    m, "signer", xstrdup("the signer is not there: edits are stored, not served"));
	if (!bus_has(s->bus, ROLE_ANSWER))
		status_problem(m, "answer",
		    xstrdup("the answer process is not there: nobody can say what is "
			    "served"));
	if (stuck != 0)
		status_problem(m, "window",
		    xasprintf("change %llu was not confirmed in time and could not be taken back: "
			      "revert it",
			(unsigned long long)stuck));
	if (f->map_full)
		status_problem(m, "map",
		    xasprintf(
			"map full: %s", f->text[0] != '\0' ? f->text : "raise [dns] map_limit"));
	if (f->stuck_s > STUCK_S)
		status_problem(
		    m, "feed", xasprintf("the signer has taken nothing for %.0f s", f->stuck_s));
	checkfeed_status(m);
	if (keys != NULL)
		status_problem(m, "keys", keys);
	if (ring != NULL)
		status_problem(m, "keys", ring);
	signatures_status(m, clock_wall_ms() / 1000);
	for (size_t i = 0; i < s->status->n_floods; i++)
		status_problem(m, "flood", xstrdup(s->status->floods[i]));
}

size_t
status_processes(const struct sync *s, Ns__StatusReply__Process ***out)
{
	const Ns__ProcessTable *t = s->status->table;

	*out = NULL;
	if (t == NULL)
		return 0;
	*out = xcalloc(t->n_processes + 1, sizeof **out);
	for (size_t i = 0; i < t->n_processes; i++) {
		Ns__StatusReply__Process *p = xmalloc(sizeof *p);

		*p = *t->processes[i];
		p->role = xstrdup(p->role);
		p->state = xstrdup(p->state);
		(*out)[i] = p;
	}
	return t->n_processes;
}

static void
add_zone(struct sync *s, const char *zone, Ns__StatusReply *m)
{
	if (zone[0] == '\0')
		return;
	m->zone = xmalloc(sizeof *m->zone);
	ns__status_reply__zone__init(m->zone);
	m->zone->name = xstrdup(zone);
	m->zone->qps = stats_zone_qps(s, zone, clock_mono_ns());
}

void
status_request(struct sync *s, struct request *r)
{
	Ns__StatusReply *m = xmalloc(sizeof *m);
	Ns__StatusReply__Primary *primary = xmalloc(sizeof *primary);
	struct feed_state f;

	feed_state(s->feed, &f);
	ns__status_reply__init(m);
	ns__status_reply__primary__init(primary);
	m->name = xstrdup(s->name);
	m->site = xstrdup(s->start->config->site);
	m->role = xstrdup(s->head.role);
	m->version = xstrdup(NS_RELEASE);
	m->last_backup = s->head.backup_ms != 0 ? reply_time(s->head.backup_ms) : xstrdup("");
	m->user = xstrdup(r->caller.name);
	m->user_role = xstrdup(user_role_name(r->caller.role));
	m->term = s->head.term;
	m->revision = s->head.revision;
	m->zones = s->head.zones;
	m->history_begins = s->head.begins;
	m->snapshot = s->fleet->on ? snaprep_status(s) : NULL;
	m->served_revision = receipts_revision(s->receipts);
	m->map_bytes = f.map_bytes;
	m->map_limit = s->start->config->map_limit;
	m->map_full = f.map_full;
	windows_status(s->windows, m, clock_mono_ns());
	m->uptime_s = status_uptime_s(s);
	m->primary = primary;
	m->n_processes = status_processes(s, &m->processes);
	add_problems(s, &f, m);
	add_zone(s, r->env->status_request->zone, m);
	fleet_status(s, m);
	request_reply(r, NS__ENVELOPE__BODY_STATUS_REPLY, m);
	request_finish(s, r);
}
