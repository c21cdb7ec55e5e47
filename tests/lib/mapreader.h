/* mapreader - processes that read a zone map as workers do, and can be stopped and killed in between.
 *
 * Zones come in pairs (2i, 2i + 1) that a test always changes together, with the revision as stamp. A
 * reader looks pairs up in one view and checks every octet, that both halves carry the same stamp,
 * that it is not newer than the view, and that no pair ever goes back.  What it finds is in `bad`. */
#ifndef NS_TESTS_LIB_MAPREADER_H
#define NS_TESTS_LIB_MAPREADER_H

#include <stdatomic.h>
#include <sys/types.h>

#include "tests/lib/mapbox.h"

#define READERS_MAX    4
#define READER_POINTS  13	/* places inside a batch where it can be stopped */

struct reader_shared {		/* in memory that all processes share */
	_Atomic int		stop_at;	/* point to stop at; -1: none */
	_Atomic int		stopped;
	_Atomic uint64_t	batches;
	_Atomic int		bad;		/* line of mapreader.c that found it */
};
struct readers {
	const struct mapbox	*box;
	uint32_t		 pairs;
	struct reader_shared	*shared;
	pid_t			 pid[READERS_MAX];
};

void	 readers_init(struct readers *, const struct mapbox *, uint32_t pairs);
void	 readers_fini(struct readers *);
void	 reader_start(struct readers *, unsigned index);
/* kill -9, wait, clear the slot: what the supervisor does. */
void	 reader_kill(struct readers *, unsigned index);
void	 reader_stop(struct readers *, unsigned index, int point);	/* returns when it stands */
void	 reader_ask_stop(struct readers *, unsigned index, int point);	/* returns at once */
void	 reader_resume(struct readers *, unsigned index);
void	 reader_wait_batches(struct readers *, unsigned index, uint64_t n);
int	 readers_bad(const struct readers *);	/* 0: nothing wrong was read */

#endif
