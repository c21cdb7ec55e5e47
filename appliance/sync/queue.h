/* queue - how sync's loop and its threads hand work to each other.
 *
 * A queue carries jobs from the loop to threads, in two lanes: what somebody waits for (FAST) goes
 * before what only has to get done (BULK).  Both lanes are bounded; a full lane refuses and the asker
 * hears "busy".  A wake carries finished jobs back: an eventfd makes the loop run job->done().
 * A job belongs to whoever holds it; nobody touches it after pushing or posting it. */
#ifndef NS_SYNC_QUEUE_H
#define NS_SYNC_QUEUE_H

#include <stdbool.h>
#include <stddef.h>

struct event_base;
struct sync;

struct job {
	struct job	*next;
	void	(*work)(struct job *, void *thread);	/* in a thread of a pool */
	void	(*done)(struct job *, struct sync *);	/* in the loop */
};

enum lane { LANE_FAST, LANE_BULK, LANE_MAX };
#define LANES(l)  (1u << (l))
#define LANES_ALL (LANES(LANE_FAST) | LANES(LANE_BULK))

struct queue;
struct queue	*queue_new(size_t max_fast, size_t max_bulk);
void	 queue_destroy(struct queue **);	/* must be empty or abandoned; frees no job */
bool	 queue_push(struct queue *, enum lane, struct job *);	/* false: full or closed */
/* The next job of those lanes, FAST first.  wait_us < 0: until there is one.  NULL: none in time,
 * or closed and empty. */
struct job	*queue_pop(struct queue *, unsigned lanes, int wait_us);
size_t	 queue_len(struct queue *, enum lane);
/* What takes its time to end (a file to unlink, a handle to close): a thread of the queue calls end(thing),
 * or, when no thread will take it any more, the caller does.  gone(), in the loop, comes after; NULL: nobody cares. */
void	 queue_dispose(struct queue *, enum lane, void (*end)(void *thing), void *thing, void (*gone)(void));
void	 queue_close(struct queue *);		/* wakes everybody; what is queued is still popped */
bool	 queue_closed(struct queue *);

struct wake;
struct wake	*wake_new(struct event_base *, struct sync *);
void	 wake_destroy(struct wake **);
void	 wake_post(struct wake *, struct job *);	/* from any thread */

/* Threads that pop, work and post back.  `setup` runs in the new thread and gives what work() gets as
 * `thread`; `teardown` undoes it. */
struct pool_conf {
	struct queue	*queue;
	struct wake	*wake;
	unsigned	 lanes;
	void		*(*setup)(void *arg);
	void		 (*teardown)(void *thread);
	void		*arg;
};
struct pool;
struct pool	*pool_start(const struct pool_conf *, unsigned threads);
void	 pool_join(struct pool **);		/* after queue_close() */

#endif
