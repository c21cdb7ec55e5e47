/* standbycmd - fleet standby, and what status says of it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "appliance/fleet/codes.h"
#include "appliance/sync/batch.h"
#include "appliance/sync/change.h"
#include "appliance/sync/control.h"
#include "appliance/sync/fleet.h"
#include "appliance/sync/gate.h"
#include "appliance/sync/handover.h"
#include "appliance/sync/residency.h"
#include "appliance/sync/status.h"
#include "appliance/sync/writer.h"
#include "ipc/base/clock.h"
#include "ipc/base/xalloc.h"

/* ---- fleet standby NAME|none ---- */
static enum ns_err
standby_check(const struct sync *s, const char *name, struct ns_why *why)
{
	const struct member *m = roster_find(s->fleet->roster, name);
	const struct follower *fo = m != NULL ? pub_follower(s->fleet, name) : NULL;

	if (name[0] == '\0')
		return NS_OK;
	if (strcmp(name, s->name) == 0)
		return ns_fail(
		    why, NS_INVALID, EF_SELF, "%s is the primary: name another one", name);
	if (m == NULL || m->removed || !m->enrolled)
		return ns_fail(why, NS_NOTFOUND, EF_MEMBER, "there is no appliance named %s", name);
	if (m->endpoint[0] == '\0')
		return ns_fail(why, NS_INVALID, EF_ENDPOINT,
		    "%s has no address of its own ([fleet] listen, advertise): others could not "
		    "follow it",
		    name);
	if (fo == NULL || !fo->present ||
	    clock_since(clock_mono_ns(), fo->heard_ns) > STANDBY_SILENT_NS)
		return ns_fail(why, NS_UNAVAILABLE, EF_STANDBY,
		    "%s is silent: as the standby it would stop all edits", name);
	if (handover_must(s))
		return ns_fail(why, NS_UNAVAILABLE, EF_STANDBY,
		    "the standby is being changed: try again when edits go on, or nameserve fleet "
		    "standby none");
	return gate_refuses(s, why);
}

void
fleet_standby_request(struct sync *s, struct request *r)
{
	r->err = standby_check(s, r->env->fleet_standby_request->name, &r->why);
	if (r->err != NS_OK)
		request_finish(s, r);
	else
		control_to_writer(s, r);
}

static enum ns_err
put_marks(struct batch *b, struct change *c, const struct roster *roster, const char *name,
    struct ns_why *why)
{
	enum ns_err err = NS_OK;

	for (size_t i = 0; i < roster->count && err == NS_OK; i++) {
		struct member m = roster->members[i];

		m.standby = strcmp(m.name, name) == 0;
		if (m.standby != roster->members[i].standby)
			err = member_put(b, c, &m, why);
	}
	return err;
}

/* The one before must hear of it, or it would go on as the standby of what it has. */
static enum ns_err
hand_over(struct batch *b, const struct change *c, const struct roster *roster, const char *name,
    const char *own, struct ns_why *why)
{
	const struct member *old = roster_standby(roster);
	enum ns_err err;

	b->handover = (struct handover){ 0 };
	if (old == NULL || strcmp(old->name, name) == 0 || strcmp(old->name, own) == 0)
		return NS_OK;
	b->handover = (struct handover){
		.term = b->term, .revision = c->row.revision, .must = name[0] != '\0'
	};
	memcpy(b->handover.from, old->name, sizeof b->handover.from);
	if ((err = handover_put(b->store, &b->handover, why)) != NS_OK)
		b->handover = (struct handover){ 0 };
	return err;
}

enum ns_err
fleet_standby_write(struct request *r, struct batch *b)
{
	const Ns__FleetStandbyRequest *in = r->env->fleet_standby_request;
	struct roster *roster = members_load(b->store);
	const struct member *m = roster_find(roster, in->name);
	struct change c;
	char comment[512];
	enum ns_err err;

	snprintf(
	    comment, sizeof comment, "the standby: %s", in->name[0] != '\0' ? in->name : "none");
	change_begin(&c, &r->caller, "fleet", in->comment[0] != '\0' ? in->comment : comment,
	    b->now_ms, b->term);
	if (in->name[0] != '\0' && (m == NULL || m->removed || !m->enrolled))
		err = ns_fail(
		    &r->why, NS_NOTFOUND, EF_MEMBER, "there is no appliance named %s", in->name);
	else if (in->name[0] == '\0' || (err = residency_may_lead(b->store, in->name,
					     roster_site(roster, in->name), &r->why)) == NS_OK)
		err = put_marks(b, &c, roster, in->name, &r->why);
	if (err == NS_OK)
		err = change_end(&c, b->store, &r->why);
	if (err == NS_OK)
		err = hand_over(b, &c, roster, in->name, r->own_name, &r->why);
	if (err == NS_OK) {
		b->revision = r->revision = c.row.revision;
		commit_reply_new(r)->revision = r->revision;
	}
	members_free(&c);
	change_free(&c);
	roster_free(roster);
	free(roster);
	return err;
}

/* ---- status ---- */
void
fleet_lost(struct sync *s, const char *text, const char *file)
{
	snprintf(s->fleet->lost, sizeof s->fleet->lost, "%s", text);
	snprintf(s->fleet->lost_file, sizeof s->fleet->lost_file, "%s", file);
}

void
standby_status(struct sync *s, Ns__StatusReply *m)
{
	const struct fleet *f = s->fleet;
	const struct member *standby = roster_standby(f->roster);
	struct ns_why why = { 0 };

	m->standby = standby != NULL && strcmp(standby->name, s->name) == 0;
	if (gate_refuses(s, &why) != NS_OK)
		status_problem(m, "standby", xasprintf("edits are refused: %s", why.text));
	if (f->rival[0] != '\0')
		status_problem(m, "fleet",
		    xasprintf(
			"%s says that it is the primary of term %llu, too: promote one of the "
			"two",
			f->rival, (unsigned long long)s->head.term));
	/* Until somebody has taken the file away. */
	if (f->lost_file[0] != '\0' && access(f->lost_file, F_OK) == 0)
		status_problem(m, "lost", xstrdup(f->lost));
}
