/* memberjob - what the primary changes of a member by itself: who joined, from where, with which key.
 *
 * The writer looks at the member as the store has it then, not as the loop knew it when the word came: a
 * drain or a new key that was committed in between stays. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/sync/batch.h"
#include "appliance/sync/change.h"
#include "appliance/sync/fleet.h"
#include "appliance/sync/writer.h"
#include "ipc/base/clock.h"
#include "ipc/base/xalloc.h"

struct member_job {
	struct write_job w;
	member_edit_fn *edit;
	struct member given;
	struct fleet_from from;
	bool made;
};

static const struct caller fleet_caller = { .role = USER_ADMIN, .name = "fleet", .via = "fleet" };

/* ---- what may happen to one ---- */
const char *
member_enrols(struct member *m, const struct member *given, int64_t now_ms, uint64_t revision)
{
	if (!m->invited || m->removed ||
	    (m->enrolled && memcmp(m->key, given->key, FLEET_KEY) != 0))
		return NULL;
	m->enrolled = true;
	m->since = revision;
	m->site_claimed = given->site_claimed;
	memcpy(m->key, given->key, FLEET_KEY);
	memcpy(m->site, given->site, sizeof m->site);
	memcpy(m->endpoint, given->endpoint, sizeof m->endpoint);
	if (m->invite_until_ms > now_ms + FLEET_INVITE_AGAIN_MS)
		m->invite_until_ms = now_ms + FLEET_INVITE_AGAIN_MS;
	return "joined";
}

const char *
member_moves(struct member *m, const struct member *given, int64_t now_ms, uint64_t revision)
{
	(void)now_ms;
	(void)revision;
	memcpy(m->endpoint, given->endpoint, sizeof m->endpoint);
	return "has another address";
}

/* ---- the change ---- */
static enum ns_err
member_change(struct batch *b, struct member_job *j, const struct member *m, const char *what)
{
	char comment[FLEET_NAME + 64];
	enum ns_err err;

	snprintf(comment, sizeof comment, "%s %s", m->name, what);
	err = member_commit(b, &fleet_caller, m, comment, &j->w.why);
	j->made = err == NS_OK;
	return err;
}

static enum ns_err
member_edit(struct batch *b, struct member_job *j)
{
	struct roster *roster = members_load(b->store);
	const struct member *now = roster_find(roster, j->given.name);
	struct member m;
	const char *what = NULL;
	enum ns_err err = NS_OK;

	if (now != NULL) {
		m = *now;
		what = j->edit(&m, &j->given, b->now_ms, b->revision + 1);
	}
	if (what != NULL)
		err = member_change(b, j, &m, what);
	roster_free(roster);
	free(roster);
	return err;
}

static void
member_work(struct job *job, void *thread)
{
	struct member_job *j = (struct member_job *)job;
	struct writer_thread *w = thread;
	struct batch_mark mark = batch_mark(w->batch);

	batch_job(w->batch, &j->w);
	j->w.err = writer_is_primary(w, &j->w.why);
	if (j->w.err == NS_OK)
		j->w.err = store_mark(w->store, &j->w.why);
	if (j->w.err != NS_OK)
		return;
	j->w.err = member_edit(w->batch, j);
	if (j->w.err == NS_OK)
		j->w.err = store_release(w->store, &j->w.why);
	if (j->w.err == NS_OK) {
		w->batch->wrote = w->batch->wrote || j->made;
		return;
	}
	store_undo(w->store);
	batch_undo(w->batch, &mark);
}

static void
member_done(struct job *job, struct sync *s)
{
	struct member_job *j = (struct member_job *)job;
	Ns__Envelope env = NS__ENVELOPE__INIT;
	Ns__FleetEnrolled out = NS__FLEET_ENROLLED__INIT;

	if (j->w.err != NS_OK && j->from.route_len > 0)
		pub_refuse(s, &j->from, &j->w.why);
	else if (j->w.err != NS_OK)
		log_error(
		    "fleet.member", "name=%s text=%s", j->given.name, log_quote(j->w.why.text));
	if (j->w.err == NS_OK && j->made && j->edit == member_enrols) {
		log_info("fleet.enrolled", "name=%s endpoint=%s", j->given.name,
		    log_quote(j->given.endpoint));
		out.primary = (char *)(uintptr_t)s->name;
		out.revision = s->head.revision;
		env.body_case = NS__ENVELOPE__BODY_FLEET_ENROLLED;
		env.fleet_enrolled = &out;
		pub_send(s, &j->from, &env);
	}
	free(j);
}

void
member_push(
    struct sync *s, member_edit_fn *edit, const struct member *given, const struct fleet_from *from)
{
	struct member_job *j = xcalloc(1, sizeof *j);

	j->w.job.work = member_work;
	j->w.job.done = member_done;
	j->edit = edit;
	j->given = *given;
	j->from.fd = -1;
	if (from != NULL)
		j->from = *from;
	if (!queue_push(s->writes, LANE_FAST, &j->w.job))
		free(j); /* it is said again */
}

void
member_take_endpoint(struct member *m, const char *endpoint)
{
	struct sockaddr_storage ss;
	socklen_t len;

	if (endpoint[0] == '\0' || endpoint_read(endpoint, false, &ss, &len, NULL) == NS_OK)
		snprintf(m->endpoint, sizeof m->endpoint, "%s", endpoint);
}
