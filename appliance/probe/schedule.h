/* schedule - what is due when: a heap of things with a time.  Pure; the loop has one timer for its top. */
#ifndef NS_PROBE_SCHEDULE_H
#define NS_PROBE_SCHEDULE_H

#include <stddef.h>
#include <stdint.h>

/* Part of whoever is scheduled. */
struct due {
	uint64_t at_ms;
	size_t	 place;		/* in the heap, from 1; 0: not in it */
};
struct schedule {
	struct due **heap;
	size_t	 count, room;
};

/* Add, or move when it is there. */
void	 schedule_put(struct schedule *, struct due *, uint64_t at_ms);
void	 schedule_drop(struct schedule *, struct due *);
/* The first one whose time has come, taken out; NULL: none. */
struct due *schedule_take(struct schedule *, uint64_t now_ms);
/* When the next one is due; UINT64_MAX: never. */
uint64_t schedule_next(const struct schedule *);
void	 schedule_free(struct schedule *);

#endif
