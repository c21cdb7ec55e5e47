/* compile - from what was committed, and keys where there are any, to a zone image that may be served.
 *
 * A zone without keys goes into its image as it is.  One with keys is signed, keeping the signatures
 * that its old image (or the signature file) has, checked (signcheck.h), and only then made an image; what
 * fails is NS_FAILED with the reason, and the old image is as it was.  NS_UNAVAILABLE: the map is full.
 * No clock: `now` comes with each call. */
#ifndef NS_SIGNER_COMPILE_H
#define NS_SIGNER_COMPILE_H

#include "appliance/signer/keys.h"
#include "appliance/zonemap/image.h"

struct aliasbook;
struct board;
struct compiler;
struct making;

/* A check that policies of a zone look at, before the zone is signed: each as it comes, some more than once. */
typedef void compile_check_fn(void *arg, const uint8_t *apex, uint64_t check);

/* Of ALIASes that are looked up: that one may answer more than is signed; before the first, owner NULL: none so far. */
typedef void compile_cut_fn(void *arg, const uint8_t *apex, const uint8_t *owner);

struct compile_zone {
	const uint8_t	*apex;
	uint64_t	 version;
	uint32_t	 account;
	map_off		 old;		/* what it replaces; 0: nothing.  Retired by the caller but in _change */
	struct zone_keys *keys;		/* NULL: not signed here.  Not taken */
	bool		 start;		/* all of the store comes: keys that stay closed are loaded later (keyload.h) */
	bool		 anew;		/* no signature that there is counts, nor those in the file */
	uint32_t	 now;		/* UNIX seconds */
	const struct board *board;	/* health, for what policies may answer; NULL: all is up */
	struct aliasbook *book;		/* ALIASes are looked up, and noted here; NULL: they keep what they had */
	compile_check_fn *check;	/* NULL: nobody asks */
	compile_cut_fn	*cut;		/* the same */
	void		*arg;
	bool		 aside;			/* a small one goes to `later`, too: others are not to wait for it */
	/* Where a large zone that has to be signed anew goes, to be made in slices (making.h): the call then gives no
	 * image, and takes nothing away.  NULL: all at once. */
	struct making	**later;
};

/* With a file of signatures, or NULL; not taken. */
struct sigfile;
struct compiler	*compiler_new(struct writer *, struct sigfile *);
void	 compiler_destroy(struct compiler **);
/* Called now and then while a large zone keeps the thread: to say that it is alive. */
typedef void compile_working_fn(void *arg);
void	 compiler_on_work(struct compiler *, compile_working_fn *, void *arg);
/* A change is over: what the next one signs is sampled anew. */
void	 compiler_next_change(struct compiler *);
/* Zones of a start (compile_zone's `start`) with a signature that does not verify, as turned out since: to be made anew. */
typedef void compile_wrong_fn(void *arg, const uint8_t *apex);
void	 compiler_each_wrong(struct compiler *, compile_wrong_fn *, void *arg);
struct compile_stats {
	uint64_t	made, kept, verified, refused;	/* signatures; zones */
};
const struct compile_stats	*compiler_stats(const struct compiler *);

/* A whole zone in pieces.  _end destroys it either way. */
struct compile_whole;
struct compile_whole	*compile_begin(struct compiler *, const struct compile_zone *);
enum ns_err	 compile_add(struct compile_whole *, const void *zwire, size_t len, struct ns_why *)
		    __attribute__((warn_unused_result));
enum ns_err	 compile_end(struct compile_whole **, map_off *, struct ns_why *)
		    __attribute__((warn_unused_result));
void		 compile_cancel(struct compile_whole **);

/* An edit, as image_edit() takes it, and like it retires the old image when it succeeds. */
enum ns_err	 compile_change(struct compiler *, const struct compile_zone *, const void *zwire,
		    size_t len, const void *gone, size_t gone_len, map_off *, struct ns_why *)
		    __attribute__((warn_unused_result));
/* What is served with other keys, at a later time, or with other `health`; retires the old image when it
 * succeeds.  *off is 0 and nothing was done when the image is what these keys and this time would make. */
enum ns_err	 compile_again(struct compiler *, const struct compile_zone *, bool health, map_off *,
		    struct ns_why *) __attribute__((warn_unused_result));
/* What is served of a zone that is in the making, with other health: signed with the keys that it was signed with,
 * which are given; the content is the same.  As compile_again(); *off is 0 as well where that cannot be told from a part. */
enum ns_err	 compile_meanwhile(struct compiler *, const struct compile_zone *, map_off *,
		    struct ns_why *) __attribute__((warn_unused_result));

#endif
