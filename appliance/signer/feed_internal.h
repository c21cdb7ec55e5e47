/* feed_internal - what feed.c (batches and their publication), feedlost.c (what is missing), feedzone.c (what becomes of
 * a zone) and feedmake.c (zones in the making) share.  Nobody else includes it. */
#ifndef NS_SIGNER_FEED_INTERNAL_H
#define NS_SIGNER_FEED_INTERNAL_H

#include "appliance/signer/feed.h"
#include "appliance/signer/making.h"
#include "appliance/signer/names.h"
#include "ipc/base/log.h"

#define CODE_FEED_NAME 5010
#define CODE_FEED_BASE 5011
#define CODE_FEED_FULL 5012

struct feed {
	struct writer		*w;
	struct compiler		*compiler;
	struct feed_calls	 calls;
	bool			 open;		/* feed_welcome() came after the last feed_reset() */

	/* the zone that is coming in pieces */
	struct compile_whole	*builder;
	uint8_t			 building[NAME_MAX_WIRE];
	uint64_t		 building_version;

	/* the batch */
	struct names		*batch;		/* its zones, unless it is the whole store */
	bool			 whole;		/* it began with start_over */
	uint64_t		 loaded;	/* zones with keys since then */
	bool			 failed;	/* it does not fit: staging is over */
	bool			 deferred;	/* "publish" was said while it was held */
	uint64_t		 revision;	/* newest that was to be published */
	uint64_t		 claimed;	/* newest that was told as published */

	/* what the staged state lacks */
	struct names		*lost, *asked;	/* asked: a part of lost */
	struct names		*rekey;		/* zones whose keys changed */
	struct names		*unfit;		/* zones that could not be signed: what is served is older, or nothing */
	struct names		*wrong;		/* zones of a start with a signature that does not verify */
	struct names		*led;		/* zones whose ALIASes may lead elsewhere: signed with the next publish */
	struct names		*gone;		/* zones whose last word was DELETE, while not all is published */
	const char		*why;		/* told with what is asked */
	bool			 lost_whole;
	bool			 asking;	/* batches wait for the lost zones */
	bool			 full;
	uint64_t		 made;		/* signatures before it */
	struct log_limit	 log_limit;

	/* zones that are made in slices, in order: the first small one and the first large one in turn */
	struct make		*makes;
	size_t			 nmakes;
	bool			 small_turn;
	struct making		*later;		/* what compile.h handed out just now */
	struct old_keys		*old_keys;	/* of what is served of large zones, where they are no longer the zone's */
	struct ranges		 lost_late;	/* changes of makes that were lost: late until all is there */
};

struct old_keys {
	struct old_keys		*next;
	uint8_t			 name[NAME_MAX_WIRE];
	struct zone_keys	*keys;
};

struct arrival {
	const Ns__FeedZone	*zone;		/* NULL: none, the keys or the time are others */
	uint8_t			 name[NAME_MAX_WIRE];
	map_off			 image;		/* what we have; 0: none */
	uint64_t		 version;	/* of that */
	uint32_t		 account;
};

/* ---- feed.c ---- */
void	 feed_batch_clear(struct feed *);
void	 feed_publish(struct feed *);
void	 feed_does_not_fit(struct feed *);
/* A batch is open: nothing else may be staged. */
bool	 feed_in_batch(const struct feed *);

/* ---- feedlost.c ---- */
/* That zone is missing: the batch is held, and it is asked for. */
void	 feed_lose(struct feed *, const uint8_t *name, const char *why);
/* It is here, or it never will be. */
void	 feed_settle(struct feed *, const uint8_t *name);
/* The batch is no more; all that it held must come again. */
void	 feed_batch_lose(struct feed *);
void	 feed_ask_lost(struct feed *, const char *why);
/* What is staged may not be published: blocks of an image in it are retired.  The batch is no more, and asked for. */
void	 feed_batch_broken(struct feed *);

/* ---- feedzone.c ---- */
void	 feed_know_image(const struct feed *, struct arrival *);
/* With the zone's keys as they are now, a reference; a large zone may be made later. */
enum ns_err	 feed_how(struct feed *, const struct arrival *, struct compile_zone *, struct ns_why *);
enum ns_err	 feed_put(struct feed *, const struct arrival *, map_off image, bool retire);
/* The zone's content is another: so may be what ALIASes lead to, its own and those of zones that follow names in it. */
void	 feed_note_change(struct feed *, const struct arrival *, map_off image);
/* It cannot be signed, or is not fit to be served: what is served stays. */
void	 feed_unfit(struct feed *, const uint8_t *name, const struct ns_why *);
void	 feed_zone(struct feed *, const Ns__FeedZone *);
/* The same content with other keys, or later; *staged: there is a new image. */
enum ns_err	 feed_again(struct feed *, const uint8_t *name, enum feed_why, bool *staged);
/* The zones whose keys came with this batch and whose content did not. */
void	 feed_rekey(struct feed *);

/* ---- feedmake.c ---- */
/* Enough is signed in this batch for others to wait for: this zone, which nothing else of the batch belongs to, may be
 * made later. */
bool	 make_is_better(const struct feed *, const Ns__FeedZone *);
bool	 make_is(const struct feed *, const uint8_t *name);
enum make_for {
	MAKE_TIME,			/* no change: a later time */
	MAKE_BATCH,			/* a change of the open batch */
	MAKE_CONTENT,			/* one of its content */
};
/* That zone is in the making now, as f->later says; what was before is given up.  `zone` says of which changes it is;
 * NULL: of all in the batch. */
void	 make_put(struct feed *, const uint8_t *name, enum make_for, const Ns__FeedZone *zone);
/* A delta waits until the zone is made. */
void	 make_hold(struct feed *, const Ns__FeedZone *);
void	 make_rekey(struct feed *, const uint8_t *name, struct zone_keys *, uint32_t now);
/* Its policies and ALIASes may answer something else: staged is what is served with that, where it can be told from a
 * part of it; and so it will be when it is made. */
enum ns_err	 make_health(struct feed *, const uint8_t *name, bool *staged);
void	 make_touch(struct feed *, const uint8_t *name);	/* a change of the open batch waits for it */
/* What is staged is published, or never will be. */
void	 make_published(struct feed *);
void	 make_forget_staged(struct feed *);
/* What is served of it is signed with the zone's own keys, or is none. */
void	 make_drop_keys(struct feed *, const uint8_t *name);
void	 make_drop(struct feed *, const uint8_t *name);	/* another version is there, or none */
void	 make_drop_all(struct feed *);
void	 make_lose(struct feed *, const uint8_t *name);	/* it will come again */
/* Those that the open batch touched are lost with it. */
void	 make_batch_lost(struct feed *);
/* The changes from..to are about to be published but for what of them is in the making. */
void	 make_late(struct feed *, uint64_t from, uint64_t to);
void	 make_batch_done(struct feed *);	/* and have been */

#endif
