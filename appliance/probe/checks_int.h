/* checks_int - what the files of checks.h share. */
#ifndef NS_PROBE_CHECKS_INT_H
#define NS_PROBE_CHECKS_INT_H

#include <sys/queue.h>

#include "appliance/probe/checks.h"
#include "appliance/probe/hyst.h"
#include "appliance/probe/rtt.h"
#include "appliance/probe/schedule.h"

#define CHECK_BUCKETS 65536u
#define CALC_DEPTH    8u

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
	uint64_t	 began_ms, last_ms;	/* 0: never */
	struct rtt	 rtt;
};

struct entry {
	LIST_ENTRY(entry) by_id, by_name, of_shared;
	TAILQ_ENTRY(entry) special;
	uint64_t	 id, version, round;
	char		*name;
	Ns__Check	*def;
	struct shared	*shared;	/* NULL: calculated, push, or a target that is not allowed */
	bool		 is_special;	/* looked at every second: calculated, pushed, overridden */
	enum board_state state;		/* as on the board */
	unsigned	 flags;
	int64_t		 since_ms;	/* wall clock */
	enum board_state before;	/* the verdict of an earlier life or definition; BOARD_UNKNOWN: none */
	uint32_t	 rtt_before;	/* µs, likewise; 0: none */
	char		 reason[REASON_MAX];
};

struct checks {
	struct checks_conf conf;
	LIST_HEAD(, entry) by_id[CHECK_BUCKETS], by_name[CHECK_BUCKETS];
	LIST_HEAD(, shared) by_key[CHECK_BUCKETS];
	TAILQ_HEAD(, entry) special;
	struct schedule	 schedule;
	struct event	*timer;
	uint64_t	 round;		/* of the feed */
	bool		 loading;
	size_t		 count, running, down;
	uint64_t	 probes, flips, late;
};

struct entry	*check_by_id(struct checks *, uint64_t);
struct entry	*check_by_name(struct checks *, const char *);
uint32_t	 check_hash(const void *, size_t);

/* checkrun.c */
void	 shared_join(struct checks *, struct entry *);
void	 shared_leave(struct checks *, struct entry *);
/* Its definition is another one: the probe goes on where nothing else is asked; else the verdict on the
 * same target stands until there is one by the new definition. */
void	 shared_move(struct checks *, struct entry *);
void	 shared_start(struct checks *);
void	 shared_stop(struct checks *);

/* checkstate.c */
/* What the check says now, to the board; and to those calculated from it. */
void	 check_settle(struct checks *, struct entry *);
void	 check_remember(struct checks *, struct entry *);	/* a new entry: what was */
void	 check_forget(struct checks *, struct entry *);

#endif
