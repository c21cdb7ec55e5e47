/* quorum.c - see quorum.h. */
#include "appliance/probe/quorum.h"

#include <string.h>

/* Fleet, assignment and votes are three lists: hence the width of quorum_judge(). */

static uint64_t
weight(const char *name, uint64_t check_id)
{
	uint64_t h = 0xcbf29ce484222325ull ^ check_id * 0x9e3779b97f4a7c15ull;

	for (; *name != '\0'; name++)
		h = (h ^ (uint8_t)*name) * 0x100000001b3ull;
	/* FNV alone mixes its high bits badly (finalizer of MurmurHash3). */
	h = (h ^ h >> 33) * 0xff51afd7ed558ccdull;
	h = (h ^ h >> 33) * 0xc4ceb9fe1a85ec53ull;
	return h ^ h >> 33;
}

/* Ours before theirs?  Equal weights by name: lists are in one order nowhere. */
static bool
before(uint64_t w, const char *name, uint64_t other, const char *other_name)
{
	return w != other ? w > other : strcmp(name, other_name) < 0;
}

size_t
quorum_assign(
    const struct quorum_member *m, size_t n, uint64_t check_id, size_t want, uint16_t *out)
{
	uint64_t weights[QUORUM_MEMBERS];
	size_t count = 0;

	if (want == 0 || want > QUORUM_MEMBERS)
		want = QUORUM_MEMBERS;
	for (size_t i = 0; i < n && i < QUORUM_MEMBERS; i++) {
		uint64_t w;
		size_t at;

		if (m[i].out || m[i].silent_ms > QUORUM_SILENT_MS)
			continue;
		w = weight(m[i].name, check_id);
		at = count < want ? count : want;
		while (at > 0 && before(w, m[i].name, weights[at - 1], m[out[at - 1]].name))
			at--;
		if (at == want)
			continue;
		count += count < want;
		memmove(&weights[at + 1], &weights[at], (count - 1 - at) * sizeof *weights);
		memmove(&out[at + 1], &out[at], (count - 1 - at) * sizeof *out);
		weights[at] = w;
		out[at] = (uint16_t)i;
	}
	return count;
}

/* Sites among the chosen members of the assigned. */
struct tally {
	size_t votes;
	const char *site; /* of the first */
	bool two_sites;
};

static void
add(struct tally *t, const char *site)
{
	if (t->votes++ == 0)
		t->site = site;
	else if (strcmp(t->site, site) != 0)
		t->two_sites = true;
}

static size_t
in_fleet(const struct quorum_member *m, size_t n)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++)
		count += !m[i].out;
	return count;
}

struct quorum_verdict
quorum_judge(const struct quorum_member *m, size_t n, const uint16_t *assigned, size_t nassigned,
    const struct quorum_vote *votes, enum vote_state before)
{
	struct tally all = { 0 }, by_state[3] = { { 0 } };
	struct quorum_verdict v = { before, true };
	bool small = in_fleet(m, n) <= 2;
	size_t need = nassigned / 2 + 1, fresh;

	for (size_t i = 0; i < nassigned; i++) {
		const char *site = m[assigned[i]].site;

		add(&all, site);
		if (votes[i].state != VOTE_NONE && votes[i].age_ms <= QUORUM_FRESH_MS)
			add(&by_state[votes[i].state], site);
	}
	fresh = by_state[VOTE_UP].votes + by_state[VOTE_DOWN].votes;
	if (small)
		need = fresh; /* all who say something agree */
	for (enum vote_state s = VOTE_UP; s <= VOTE_DOWN; s++)
		if (by_state[s].votes > 0 && by_state[s].votes >= need &&
		    (small || by_state[s].two_sites || !all.two_sites))
			v = (struct quorum_verdict){ s, false };
	/* Enough to decide, and they do not agree: that is no change, and nothing is missing. */
	if (v.stale && fresh >= nassigned / 2 + 1)
		v.stale = before == VOTE_NONE;
	return v;
}

bool
quorum_frozen(const struct quorum_member *m, size_t n)
{
	size_t sites = 0, seen = 0;

	for (size_t i = 0; i < n; i++) {
		bool first = true, heard = false;

		if (m[i].out)
			continue;
		for (size_t j = 0; j < i; j++)
			first = first && (m[j].out || strcmp(m[i].site, m[j].site) != 0);
		for (size_t j = i; first && j < n; j++)
			heard = heard || (!m[j].out && m[j].silent_ms <= QUORUM_FRESH_MS &&
					     strcmp(m[i].site, m[j].site) == 0);
		sites += first;
		seen += first && heard;
	}
	return seen * 2 < sites;
}
