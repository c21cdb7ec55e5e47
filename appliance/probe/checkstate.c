/* checkstate - from votes, overrides, pushes and other checks to the state on the health board. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "appliance/probe/checks_int.h"
#include "ipc/base/clock.h"
#include "ipc/base/log.h"
#include "ipc/base/xalloc.h"

struct verdict {
	enum board_state state;
	unsigned flags;
	char reason[REASON_MAX];
};

static enum board_state
state_from(const char *text)
{
	return strcmp(text, "up") == 0 ? BOARD_UP : BOARD_DOWN;
}

static bool
in_force(const Ns__Check__Said *said, int64_t now_ms)
{
	return said != NULL && (said->until_ms == 0 || now_ms < said->until_ms);
}

static void
say(struct verdict *v, enum board_state state, unsigned flags, const char *reason)
{
	v->state = state;
	v->flags = flags;
	snprintf(v->reason, sizeof v->reason, "%s", reason);
}

/* ---- kinds ---- */
static void
calculated(struct checks *c, const struct entry *e, struct verdict *v)
{
	unsigned up = 0;

	for (size_t i = 0; i < e->def->n_of; i++) {
		const struct entry *of = check_by_name(c, e->def->of[i]);

		up += of != NULL && of->state == BOARD_UP;
	}
	v->state = up >= e->def->at_least ? BOARD_UP : BOARD_DOWN;
	v->flags = 0;
	snprintf(v->reason, sizeof v->reason, "%u of %zu up, at least %u wanted", up, e->def->n_of,
	    e->def->at_least);
}

static void
by_initial(const struct entry *e, struct verdict *v, const char *reason)
{
	say(v, state_from(e->def->initial), BOARD_INITIAL, reason);
}

/* What was before a restart holds until votes say otherwise. */
static void
probed(struct checks *c, struct entry *e, struct verdict *v)
{
	struct quorum_verdict q = ballot_judge(c, e, v->reason);

	if (!c->peers->frozen)
		e->verdict = q.state;
	v->state = e->verdict == VOTE_NONE ? state_from(e->def->initial)
		   : e->verdict == VOTE_UP ? BOARD_UP
					   : BOARD_DOWN;
	v->flags = (e->verdict == VOTE_NONE ? BOARD_INITIAL
		       : q.stale            ? BOARD_STALE
					    : 0) |
		   (c->peers->frozen ? BOARD_FROZEN : 0);
}

static void
judge(struct checks *c, struct entry *e, int64_t now_ms, struct verdict *v)
{
	const Ns__Check *def = e->def;

	if (in_force(def->override, now_ms))
		say(v, state_from(def->override->state), BOARD_OVERRIDDEN, "override");
	else if (def->n_of > 0)
		calculated(c, e, v);
	else if (prober_of(def->type) != NULL)
		probed(c, e, v);
	else if (in_force(def->push, now_ms))
		say(v, state_from(def->push->state), 0, "pushed");
	else
		by_initial(e, v,
		    def->push != NULL ? "the last push has expired" : "nothing was pushed yet");
}

/* ---- where it goes ---- */
static void
note_flip(struct checks *c, const struct entry *e, const struct verdict *v, int64_t now_ms)
{
	struct flip f = { .check = e->id, .at_ms = now_ms, .state = (uint8_t)v->state };

	snprintf(f.name, sizeof f.name, "%s", e->name);
	snprintf(f.reason, sizeof f.reason, "%s", v->reason);
	flips_note(c->conf.flips, &f);
	c->flips++;
	log_info("check.flip", "check=%s state=%s reason=%s", log_quote(e->name),
	    v->state == BOARD_UP ? "up" : "down", log_quote(v->reason));
}

static void
write_out(struct checks *c, struct entry *e, bool keep)
{
	struct board_word w = { .state = e->state, .flags = e->flags };
	uint64_t raw, was;

	if (c->conf.board == NULL)
		return;
	w.since = (uint32_t)(e->since_ms / 1000);
	w.rtt_us = e->shared != NULL ? e->shared->rtt.shown : 0;
	was = board_raw(c->conf.board, e->id);
	board_write(c->conf.board, e->id, &w);
	raw = board_raw(c->conf.board, e->id);
	/* Another RTT is seldom (rtt.h). */
	keep = keep || board_rtt_of(raw) != board_rtt_of(was);
	/* Lost or torn, it costs a first guess. */
	if (keep && c->conf.states_fd >= 0 && e->id < BOARD_SLOTS)
		(void)!pwrite(c->conf.states_fd, &raw, sizeof raw, (off_t)(e->id * sizeof raw));
}

static void
settle(struct checks *c, struct entry *e, unsigned depth)
{
	int64_t now_ms = clock_wall_ms();
	enum board_state old = e->state;
	unsigned old_flags = e->flags;
	struct verdict v;
	struct entry *other;

	judge(c, e, now_ms, &v);
	if (v.state != old) {
		if (old != BOARD_UNKNOWN)
			note_flip(c, e, &v, now_ms);
		if (old != BOARD_UNKNOWN || v.state != e->before)
			e->since_ms = now_ms;
		c->down += v.state == BOARD_DOWN;
		c->down -= old == BOARD_DOWN;
	}
	e->state = v.state;
	e->flags = v.flags;
	memcpy(e->reason, v.reason, sizeof e->reason);
	write_out(c, e, v.state != old || v.flags != old_flags);
	if (v.state == old || depth == 0 || c->loading)
		return;
	TAILQ_FOREACH(other, &c->calculated, calculated)
	for (size_t i = 0; i < other->def->n_of; i++)
		if (strcmp(other->def->of[i], e->name) == 0)
			settle(c, other, depth - 1);
}

void
check_settle(struct checks *c, struct entry *e)
{
	settle(c, e, CALC_DEPTH);
}

/* What it is calculated from comes first, so that nothing flips on the way. */
static void
settle_calculated(struct checks *c, struct entry *e, unsigned depth)
{
	for (size_t i = 0; i < e->def->n_of && depth > 0; i++) {
		struct entry *of = check_by_name(c, e->def->of[i]);

		if (of != NULL && of->is_calculated && of->state == BOARD_UNKNOWN)
			settle_calculated(c, of, depth - 1);
	}
	settle(c, e, 0);
}

/* Each once, however many there are: nothing is followed from one to the other. */
void
check_settle_all(struct checks *c)
{
	struct entry *e;

	for (size_t i = 0; i < CHECK_BUCKETS; i++)
		LIST_FOREACH(e, &c->by_id[i], by_id)
	if (!e->is_calculated)
		settle(c, e, 0);
	for (unsigned depth = 0; depth < CALC_DEPTH; depth++)
		TAILQ_FOREACH(e, &c->calculated, calculated)
	settle_calculated(c, e, CALC_DEPTH);
}

/* The board outlives us, the file outlives the appliance: what it says holds before anybody has told us of
 * any check, for workers answer already. */
void
states_restore(struct board *board, int fd)
{
	uint64_t words[512];
	uint64_t id = 0;
	ssize_t n;

	while (id < BOARD_SLOTS &&
	       (n = pread(fd, words, sizeof words, (off_t)(id * sizeof *words))) > 0) {
		size_t count = (size_t)n / sizeof *words;

		for (size_t i = 0; i < count; i++) {
			struct board_word w = board_word_of(words[i]);

			if (words[i] != 0 && board_raw(board, id + i) == 0)
				board_write(board, id + i, &w);
		}
		if (count == 0)
			return;
		id += count;
	}
}

void
check_remember(struct checks *c, struct entry *e)
{
	struct board_word w = { .state = BOARD_UNKNOWN };

	if (c->conf.board != NULL)
		w = board_read(c->conf.board, e->id);
	e->rtt_before = w.rtt_us;
	if (w.state == BOARD_UNKNOWN || w.flags & (BOARD_INITIAL | BOARD_OVERRIDDEN))
		return;
	e->before = w.state;
	e->verdict = w.state == BOARD_UP ? VOTE_UP : VOTE_DOWN;
	e->since_ms = (int64_t)w.since * 1000;
}

void
check_forget(struct checks *c, struct entry *e)
{
	const uint64_t none = 0;

	c->down -= e->state == BOARD_DOWN;
	if (c->conf.board != NULL)
		board_clear(c->conf.board, e->id);
	if (c->conf.states_fd >= 0 && e->id < BOARD_SLOTS)
		(void)!pwrite(c->conf.states_fd, &none, sizeof none, (off_t)(e->id * sizeof none));
}
