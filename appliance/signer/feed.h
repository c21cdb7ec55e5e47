/* feed - from what sync sends to what the zone map publishes; no socket, no timer, no clock.
 *
 * A batch is all that arrives until a feed says "publish"; it appears at once or not at all.
 *   - A DELTA that does not fit the version we hold, or an image that cannot be edited: the batch is held,
 *     the zone is *lost* and asked for whole (`ask`), and the batch is published when it is there, or
 *     without it when sync stays silent (feed_held_too_long).
 *   - The map is full: the batch is forgotten, its zones are lost, and the old stays.  Later batches
 *     are tried on their own, so that deletions make room; the revision that we claim stays until
 *     feed_retry() has brought back all that was lost.
 *   - A zone with keys is signed before it is staged (compile.h).  One that cannot be, or whose result is not
 *     fit to be served, is refused: the old image stays; where there is none the zone is not served.  It is asked
 *     for when its keys change.
 *   - A whole zone that cannot be compiled is refused: the old image stays, `refused` says so.  Asking
 *     again would bring the same octets.
 * So no change is dropped in silence, and the published revision never says more than is served. */
#ifndef NS_SIGNER_FEED_H
#define NS_SIGNER_FEED_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/signer/compile.h"
#include "appliance/zonemap/writer.h"
#include "ipc/base/err.h"
#include "ipc/base/ranges.h"
#include "ipc/nameserve.pb-c.h"

struct feed;

struct feed_calls {
	/* Send ResyncZone. */
	void	(*ask)(void *arg, const uint8_t *name, const char *why);
	/* Everything is lost: say hello with revision 0. */
	void	(*ask_all)(void *arg);
	/* After a publish, or instead of one (then full or text says why not all of it is there). */
	void	(*published)(void *arg, bool full, const char *text);
	void	(*refused)(void *arg, const uint8_t *name, const struct ns_why *);
	/* What was refused of it is no more: another version is staged, or the zone is gone. */
	void	(*fit)(void *arg, const uint8_t *name);
	/* A zone that may be new is staged: for digest.h. */
	void	(*staged)(void *arg, const uint8_t *name);
	void	*arg;
	/* Who has the keys of a zone (keys.h); NULL: no zone is signed here. */
	keys_find_fn	*keys;
	/* UNIX seconds: what signatures are made and judged by. */
	uint32_t	(*now)(void *arg);
	/* Health, for what policies may answer; NULL: all is up. */
	const struct board *board;
	compile_check_fn *check;	/* for watch.h; may be NULL, as the next */
	compile_cut_fn	*cut;
	struct aliasbook *book;		/* what ALIASes of zones signed here lead to; NULL: they are not signed */
	compile_working_fn *working;	/* while a large zone is signed; may be NULL */
	struct sigfile	*file;		/* signatures of an earlier life; may be NULL; not taken */
};

struct feed	*feed_new(struct writer *, const struct feed_calls *);
void	 feed_destroy(struct feed **);

/* A conversation ended: what it staged is forgotten, and what of it still lies in the socket is
 * ignored until feed_welcome(). */
void	 feed_reset(struct feed *);
/* One begins: sync will send everything after writer_revision().  Asks for what adoption found broken. */
void	 feed_welcome(struct feed *);
void	 feed_apply(struct feed *, const Ns__Feed *);

bool	 feed_is_behind(const struct feed *);	/* something is lost */
bool	 feed_is_held(const struct feed *);	/* batches wait for zones that were asked for */
size_t	 feed_lost(const struct feed *);		/* zones that are missing */

/* A zone's keys are about to be others, or none: who has them (calls.keys) is still to be told.  What is served of a
 * large zone is signed with these, should health change before it is signed anew. */
void	 feed_keys_change(struct feed *, const uint8_t *apex);
/* A zone's keys are others now, or there are none any more.  With the next feed_apply(), in its batch, the
 * zone is made anew from what is served, unless the feed brings it; where nothing is, it is asked for. */
void	 feed_keys_changed(struct feed *, const uint8_t *apex);
enum feed_why {
	FEED_DUE,			/* signatures of that zone may be due */
	FEED_HEALTH,			/* its policies may answer something else now */
	FEED_ANEW,			/* one of its signatures is wrong: none of them is kept */
};
/* The zone is made again, and published by itself.  False: not now, for a batch is open, or something is lost. */
bool	 feed_refresh(struct feed *, const uint8_t *apex, enum feed_why);
bool	 feed_is_idle(const struct feed *);
/* All of the store comes; how many zones of it that are signed here were there so far. */
bool	 feed_is_loading(const struct feed *, uint64_t *zones);
/* Large zones, and what is much together (feedmake.c), are signed in slices, one after the other: one goes on until the deadline
 * (clock_mono_ns), and is published when it is made.  While it is, its deltas wait, and the old image, if there is one,
 * is served, with what its policies and ALIASes answer as health is now; everybody else's changes are published, and
 * feed_late() names those that lack something.  What the map itself says is before all of these, so that a successor
 * begins there. */
enum feed_work {
	FEED_IDLE,
	FEED_MORE,			/* call again */
	FEED_WAITS,			/* for the end of a batch: after the next feed */
};
enum feed_work	 feed_make(struct feed *, uint64_t deadline_ns);
/* Newest change that is published, but for those in `late`. */
uint64_t feed_published(const struct feed *);
void	 feed_late(const struct feed *, struct ranges *late);
bool	 feed_is_making(const struct feed *);
/* The large zone that is being made; NULL: none.  How many there are, and how much of the first is done. */
const uint8_t	*feed_making(const struct feed *, uint64_t *zones, uint32_t *percent);
const struct compile_stats	*feed_signed(const struct feed *);
void	 feed_retry(struct feed *);		/* ask for all that is lost */
void	 feed_held_too_long(struct feed *);

#endif
