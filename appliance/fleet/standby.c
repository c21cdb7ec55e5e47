/* standby.c - see standby.h. */
#include "appliance/fleet/standby.h"

enum gate_state
gate_judge(const struct gate_view *v)
{
	if (!v->primary)
		return GATE_REPLICA;
	if (v->newest_term > v->term)
		return GATE_SUPERSEDED;
	if (v->held)
		return GATE_HELD;
	if (!v->others)
		return GATE_OPEN;
	if (v->leaving && !v->leaving_now)
		return v->leaving_ever ? GATE_SILENT : GATE_UNHEARD;
	if (v->standby && v->standby_now)
		return GATE_OPEN;
	if (v->standby)
		return v->standby_ever ? GATE_SILENT : GATE_UNHEARD;
	return v->heard ? GATE_OPEN : GATE_UNHEARD;
}

bool
gate_passes(enum gate_state state, bool standby, uint64_t stored, uint64_t revision)
{
	return state == GATE_OPEN && (!standby || stored >= revision);
}

int
position_cmp(struct position a, struct position b)
{
	if (a.log_term != b.log_term)
		return a.log_term < b.log_term ? -1 : 1;
	return a.revision < b.revision ? -1 : a.revision > b.revision;
}

enum promote_verdict
promote_judge(
    uint64_t term, struct position own, const struct candidate_peer *peers, size_t n, size_t *which)
{
	size_t best = n;

	for (size_t i = 0; i < n; i++) {
		*which = i;
		if (peers[i].reachable && peers[i].term > term)
			return PROMOTE_HIGHER_TERM;
	}
	/* What it lacks may say who the standby is: that first. */
	for (size_t i = 0; i < n; i++)
		if (peers[i].reachable && position_cmp(peers[i].at, own) > 0 &&
		    (best == n || position_cmp(peers[i].at, peers[best].at) > 0))
			best = i;
	*which = best;
	if (best < n)
		return PROMOTE_FETCH;
	for (size_t i = 0; i < n; i++) {
		*which = i;
		if (peers[i].reachable && peers[i].standby)
			return PROMOTE_NOT_STANDBY;
	}
	return PROMOTE_GO;
}

enum rewind_verdict
rewind_judge(uint64_t term, struct position at, uint64_t here, uint64_t older, uint64_t *revision)
{
	if (at.revision == 0)
		return REWIND_OURS;
	if (at.log_term == 0 || at.log_term >= term || here == at.log_term)
		return REWIND_REFUSED;
	*revision = older;
	return REWIND_BACK;
}
