/* votes - what the probes of a fleet say to each other, carried from bus to fleet links and back.
 *
 * Appliance to appliance, not through the primary, and of any term: health goes on without one.  The
 * octets are the probes' own and not read here; whose they are is the key of the connection.  They leave
 * by our link to each of the others (fleetcall.c).  To one without a fleet port nobody has a link: it gets
 * its votes on the link by which its own come. */
#include <stdlib.h>
#include <string.h>

#include "appliance/sync/bus.h"
#include "appliance/sync/fleet.h"
#include "ipc/base/clock.h"
#include "ipc/base/xalloc.h"

#define VOTES_OCTETS (512u << 10) /* of one message; a probe's are half as long (probe/ballot.h) */
#define VOTES_PER_S  200u /* messages of one appliance; a probe sends at most 100 */
#define SECOND_NS    1000000000ull

struct voter {
	char name[FLEET_NAME];
	struct fleet_from from; /* of one without a port */
	bool here;
	uint64_t second_ns;
	unsigned taken; /* in that second */
};
struct voters {
	size_t count;
	struct voter list[FLEET_MEMBERS];
};

static struct voter *
voter_of(struct fleet *f, const char *name)
{
	struct voters *v = f->voters;
	size_t i = 0;

	if (v == NULL)
		v = f->voters = xcalloc(1, sizeof *v);
	while (i < v->count && strcmp(v->list[i].name, name) != 0)
		i++;
	if (i == FLEET_MEMBERS)
		v->count = i = 0; /* of all who ever were members: those who are come again */
	if (i == v->count) {
		v->list[v->count++] = (struct voter){ .here = false };
		memcpy(v->list[i].name, name, strlen(name) + 1);
	}
	return &v->list[i];
}

/* ---- out ---- */
static struct packet *
pack(const struct sync *s, ProtobufCBinaryData votes)
{
	Ns__Envelope env = NS__ENVELOPE__INIT;
	Ns__FleetVotes m = NS__FLEET_VOTES__INIT;

	m.votes = votes;
	env.term = s->head.term;
	env.body_case = NS__ENVELOPE__BODY_FLEET_VOTES;
	env.fleet_votes = &m;
	return packet_new(&env);
}

/* On the link by which they called. */
static void
send_back(struct sync *s, const char *to, struct packet *p)
{
	struct voters *v = s->fleet->voters;

	for (size_t i = 0; v != NULL && i < v->count; i++) {
		struct voter *o = &v->list[i];

		if (!o->here || (to[0] != '\0' && strcmp(to, o->name) != 0))
			continue;
		o->here = fleet_send(s->fleet->router_z, &o->from, p) != NS_NOTFOUND;
		ns_sock_look(s->fleet->router);
	}
}

void
votes_out(struct sync *s, const Ns__Envelope *env)
{
	const Ns__VotesOut *m = env->votes_out;
	struct packet *p;

	if (!s->fleet->on || m->votes.len > VOTES_OCTETS || (p = pack(s, m->votes)) == NULL)
		return;
	calls_send(s, m->to, p);
	send_back(s, m->to, p);
	packet_unref(p);
}

static void
tell_peer(struct sync *s, const char *name)
{
	Ns__Envelope env = NS__ENVELOPE__INIT;
	Ns__ProbePeer m = NS__PROBE_PEER__INIT;

	m.name = (char *)(uintptr_t)name;
	env.body_case = NS__ENVELOPE__BODY_PROBE_PEER;
	env.probe_peer = &m;
	(void)bus_send(s, ROLE_PROBE, &env); /* not there: it sends to all when it comes */
}

void
votes_linked(struct sync *s, const char *name)
{
	struct packet *p = pack(s, (ProtobufCBinaryData){ 0, NULL });

	/* The other side's door wants to see the key used, whether or not there is a probe here. */
	if (p != NULL)
		calls_send(s, name, p);
	packet_unref(p);
	tell_peer(s, name);
}

/* ---- in ---- */
void
votes_take(struct sync *s, const char *from, const Ns__FleetVotes *in)
{
	struct voter *v = voter_of(s->fleet, from);
	uint64_t now = clock_mono_ns();
	Ns__Envelope env = NS__ENVELOPE__INIT;
	Ns__VotesIn m = NS__VOTES_IN__INIT;

	if (in->votes.len == 0)
		return;
	if (clock_since(now, v->second_ns) > SECOND_NS) {
		v->second_ns = now;
		v->taken = 0;
	}
	if (in->votes.len > VOTES_OCTETS || v->taken >= VOTES_PER_S) {
		s->fleet->votes_dropped++;
		if (log_allowed(&s->fleet->limit, 5))
			log_warn("votes.dropped", "from=%s octets=%zu", from, in->votes.len);
		return;
	}
	v->taken++;
	m.from = (char *)(uintptr_t)from;
	m.votes = in->votes;
	env.body_case = NS__ENVELOPE__BODY_VOTES_IN;
	env.votes_in = &m;
	(void)bus_send(s, ROLE_PROBE, &env); /* not there: all of them come again */
}

void
votes_called(
    struct sync *s, const struct member *m, const struct fleet_from *from, const Ns__FleetVotes *in)
{
	struct voter *v = voter_of(s->fleet, m->name);
	bool fresh =
	    m->endpoint[0] == '\0' && (!v->here || v->from.route_len != from->route_len ||
					  memcmp(v->from.route, from->route, from->route_len) != 0);

	v->here = m->endpoint[0] == '\0';
	v->from = *from;
	votes_take(s, m->name, in);
	if (fresh)
		tell_peer(s, m->name);
}

/* ---- who there is ---- */
/* Nothing more goes to one that was removed. */
static void
forget_gone(struct fleet *f)
{
	for (size_t i = 0; f->voters != NULL && i < f->voters->count; i++) {
		struct voter *v = &f->voters->list[i];
		const struct member *m = roster_find(f->roster, v->name);

		v->here =
		    v->here && m != NULL && m->enrolled && !m->removed && m->endpoint[0] == '\0';
	}
}

void
votes_fleet(struct sync *s)
{
	const struct roster *r = s->fleet->roster;
	Ns__ProbeFleet__Member list[FLEET_MEMBERS], *members[FLEET_MEMBERS];
	Ns__Envelope env = NS__ENVELOPE__INIT;
	Ns__ProbeFleet m = NS__PROBE_FLEET__INIT;

	forget_gone(s->fleet);
	m.members = members;
	for (size_t i = 0; i < r->count; i++) {
		const struct member *mb = &r->members[i];
		Ns__ProbeFleet__Member *out = &list[m.n_members];

		if (!mb->enrolled || mb->removed)
			continue;
		ns__probe_fleet__member__init(out);
		out->name = (char *)(uintptr_t)mb->name;
		out->site = (char *)(uintptr_t)mb->site;
		out->out = mb->drained;
		members[m.n_members++] = out;
	}
	env.body_case = NS__ENVELOPE__BODY_PROBE_FLEET;
	env.probe_fleet = &m;
	(void)bus_send(s, ROLE_PROBE, &env); /* not there: said at its hello */
}
