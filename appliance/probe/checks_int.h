/* checks_int - what the files of checks.h share. */
#ifndef NS_PROBE_CHECKS_INT_H
#define NS_PROBE_CHECKS_INT_H

#include <sys/queue.h>

#include "appliance/probe/checks.h"
#include "appliance/probe/control.h"
#include "appliance/probe/hyst.h"
#include "appliance/probe/looks.h"
#include "appliance/probe/peers.h"
#include "appliance/probe/rtt.h"
#include "appliance/probe/schedule.h"
#include "appliance/probe/votewire.h"
#include "ipc/base/log.h"

#define CHECK_BUCKETS 65536u
#define CALC_DEPTH    8u
#define CONTROLS_MAX  16u	/* more are done, and control nothing */
#define ASKED_MAX     64u	/* looks that people asked for, under way */
#define TRIALS_MAX    16u	/* those at what is no check, under way or begun within a second */

/* One probe, for every check that asks the same. */
struct shared {
	LIST_ENTRY(shared) link;	/* of its bucket */
	struct due	 due;
	uint8_t		*key;		/* the definition without what does not change the asking */
	size_t		 key_len;
	Ns__Check	*def;		/* unpacked from key */
	struct target	 target;
	const struct prober *prober;
	struct probe_run *run;		/* under way */
	LIST_HEAD(, entry) users;
	struct checks	*of;
	struct hyst	 hyst;
	struct result	 last;
	struct looks	 looks;
	uint64_t	 began_ms, last_ms;	/* 0: never */
	struct rtt	 rtt;
};

/* What another appliance said last. */
struct vote {
	uint16_t	 slot;		/* of peers */
	enum vote_state	 state;
	bool		 abstains, looked;
	uint32_t	 rtt_us, age_ms;	/* of its look, when it said so: */
	uint64_t	 heard_ms;
	char		*reason;
};

struct entry {
	LIST_ENTRY(entry) by_id, by_name, of_shared;
	TAILQ_ENTRY(entry) special, calculated;
	uint64_t	 id, version, round;
	char		*name;
	Ns__Check	*def;
	struct shared	*shared;	/* NULL: calculated, push, or a target that is not allowed */
	bool		 is_special;	/* looked at every second: calculated, pushed, overridden */
	bool		 is_calculated;
	enum board_state state;		/* as on the board */
	unsigned	 flags;
	int64_t		 since_ms;	/* wall clock */
	enum board_state before;	/* what was kept of an earlier life; BOARD_UNKNOWN: nothing */
	uint32_t	 rtt_before;	/* µs, of an earlier life or definition; 0: none */
	char		 reason[REASON_MAX];
	char		*refused;	/* why it is not done here, or NULL */
	/* ballot.c */
	uint16_t	*assigned;	/* slots of peers */
	size_t		 nassigned;	/* 0: nobody looks at a check of that type */
	uint64_t	 assigned_round;
	bool		 mine;		/* we are one of them */
	struct vote	*votes;		/* of others */
	size_t		 nvotes;
	enum vote_state	 verdict;	/* of the votes, whatever else is in force */
	TAILQ_ENTRY(entry) outbox;
	unsigned	 repeats;	/* so often our vote still leaves; 0: not in the outbox */
	enum vote_state	 told;
	bool		 asked;		/* our vote leaves after the next look, changed or not */
};

/* A look that a person asked for. */
struct asked_look {
	uint64_t id, check;
	unsigned others; /* that were asked, too */
};

/* A look at what is no check. */
struct trial {
	struct checks	*of;
	uint64_t	 id, began_ms;	/* 0: never */
	const struct prober *prober;
	struct probe_run *run;		/* NULL: none is under way */
	Ns__Check	*def;
};

struct checks {
	struct checks_conf conf;
	LIST_HEAD(, entry) by_id[CHECK_BUCKETS], by_name[CHECK_BUCKETS];
	LIST_HEAD(, shared) by_key[CHECK_BUCKETS];
	TAILQ_HEAD(, entry) special, calculated;
	struct schedule	 schedule;
	struct event	*timer;
	uint64_t	 round;		/* of the feed */
	bool		 loading;
	size_t		 count, running, down;
	uint64_t	 probes, flips, late;
	/* ballot.c */
	struct peers	*peers;
	TAILQ_HEAD(, entry) outbox;
	struct votes_draft draft;
	struct event	*post;
	uint64_t	 epoch, seq, posted_ns, all_ms;
	size_t		 slice, assigned;
	uint64_t	 votes, votes_dropped;
	struct log_limit limit;
	/* checkrun.c */
	struct shared	*controls[CONTROLS_MAX];
	size_t		 ncontrols;
	bool		 cut_off;	/* none of them is reached */
	/* checkhealth.c */
	struct asked_look asked[ASKED_MAX];
	size_t		 nasked;
	/* checktry.c */
	struct trial	 trials[TRIALS_MAX];
};

struct entry	*check_by_id(struct checks *, uint64_t);
struct entry	*check_by_name(struct checks *, const char *);
uint32_t	 check_hash(const void *, size_t);

/* checkrun.c */
void	 shared_join(struct checks *, struct entry *);
void	 shared_leave(struct checks *, struct entry *);
/* Its definition is another one: the probe goes on where nothing else is asked; a verdict on another
 * target is none. */
void	 shared_move(struct checks *, struct entry *);
void	 shared_start(struct checks *);
/* NULL: who looks at such a target, and where it is.  Else why nobody may, malloc'ed; of a type that nobody looks
 * at *who is NULL, too. */
char	*check_where(const struct checks *, const Ns__Check *, const struct prober **who, struct target *);
void	 shared_stop(struct checks *);
/* Are we cut off?  If that has changed, so have all of our votes. */
void	 controls_look(struct checks *);
/* Begin it, unless it is under way. */
void	 shared_now(struct checks *, struct shared *);
/* It may have become ours to look at: now, if so. */
void	 shared_hurry(struct checks *, struct entry *);

/* ballot.c */
void	 ballot_assign(struct checks *, struct entry *);
void	 ballot_forget(struct checks *, struct entry *);
void	 ballot_cast(struct checks *, struct entry *);
struct quorum_verdict	 ballot_judge(struct checks *, const struct entry *,
    char reason[REASON_MAX]);
struct vote_row	 ballot_own(const struct checks *, const struct entry *, uint64_t now_ms);
/* How the assigned vote: fresh ones that say so. */
struct ballot_count {
	uint32_t up, down;
};
struct ballot_count	 ballot_count(const struct checks *, const struct entry *);
/* NULL: that one has said nothing. */
const struct vote	*ballot_vote(const struct checks *, const struct entry *, uint16_t slot);
/* Ask the others who vote on it to look now; how many they are. */
unsigned	 ballot_ask(struct checks *, const struct entry *);
/* All of our votes may be others; they leave at once. */
void	 ballot_anew(struct checks *);
void	 ballot_second(struct checks *);
void	 ballot_stop(struct checks *);

/* checkhealth.c */
char	*check_target(const Ns__Check *);	/* with port and path; malloc'ed */
/* What came of a look that was asked for; by: the result, NULL: there was none, fault says why. */
struct look_told {
	uint64_t	 id;
	const char	*name, *fault;
	const struct result *by;
	bool		 assigned;
	unsigned	 others;
};
void	 look_tell(struct checks *, const struct look_told *);
const char	*look_never(const Ns__Check *);	/* why nobody looks at a check of its type */
/* Look now, unless that was done a moment ago; our vote leaves then. */
void	 look_now(struct checks *, struct entry *);
void	 looks_tell(struct checks *, const struct shared *, bool gone);

/* checktry.c */
void	 trials_stop(struct checks *);

/* checkstate.c */
/* What the check says now, to the board; and to those calculated from it. */
void	 check_settle(struct checks *, struct entry *);
void	 check_settle_all(struct checks *);
void	 states_restore(struct board *, int fd);
void	 check_remember(struct checks *, struct entry *);	/* a new entry: what was */
void	 check_forget(struct checks *, struct entry *);

#endif
