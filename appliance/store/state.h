/* state - all that replicates, taken as one thing: for snapshots (sync/SNAPSHOT.md), and the log's beginning.
 *
 * Part of store's interface, in a header of its own because only snapshots and pruning need it.  Which tables
 * replicate, and how, is said once, in replicated.c: whoever adds one says it there. */
#ifndef NS_STORE_STATE_H
#define NS_STORE_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/store/store.h"

enum store_shared {
	STORE_SHARED,	/* the same rows on every appliance: in a snapshot */
	STORE_MADE,	/* made from what is shared, as it is written */
	STORE_LOGGED,	/* the log: as much of it as this appliance keeps */
	STORE_OWN,	/* of this appliance alone */
};
struct store_table {
	const char	*name;
	enum store_shared shared;
	const char	*rows;		/* of shared ones: what must be equal, in an order that is the same everywhere */
};
/* Children before those that they refer to. */
extern const struct store_table store_tables[];
extern const size_t store_ntables;

/* A digest over all that is shared: equal where two appliances hold the same. */
enum ns_err	 store_state_digest(struct store *, uint8_t out[STORE_HASH]);
/* Everything that replicates goes, with the log; ids that were given stay given. */
enum ns_err	 store_state_clear(struct store *, struct ns_why *);

/* The newest ids given to zones and objects; raise: never less than that from now on. */
enum ns_err	 store_ids(struct store *, uint64_t *zone, uint64_t *object);
enum ns_err	 store_ids_raise(struct store *, uint64_t zone, uint64_t object, struct ns_why *);

/* A tombstone of elsewhere: id, name, version (which change deleted it), changed_ms. */
enum ns_err	 store_tomb_put(struct store *, const struct store_zone *, struct ns_why *);

/* Keys younger than that, and the change that each was answered with. */
typedef bool store_keyed_fn(void *arg, uint64_t revision, const struct store_idem *);
enum ns_err	 store_idem_after(struct store *, int64_t at_ms, store_keyed_fn *, void *arg);

/* ---- where the log begins ---- */
/* The oldest change from which on all are there; 1: nothing was pruned.  What stands before it is kept for its
 * own sake: the trash, open windows, the first change of a term. */
enum ns_err	 store_history(struct store *, uint64_t *begins);
enum ns_err	 store_history_put(struct store *, uint64_t begins, struct ns_why *);
/* A change of elsewhere that need not follow the newest here.  digest: SHA-256 of the whole body where zones were
 * taken out of this one; NULL.  NS_CORRUPT: its hash is not that of what it holds. */
enum ns_err	 store_change_keep(struct store *, const struct store_change *, const uint8_t *digest,
		    const void *body, size_t body_len, const uint64_t *zones, size_t nzones,
		    struct ns_why *);
/* What stands before the beginning, oldest first. */
enum ns_err	 store_kept_each(struct store *, store_change_fn *, void *arg);
/* Numbers of the changes before `below` that would be kept if the log began there: of what was deleted after trash_ms,
 * of open windows, the first of each term.  malloc'ed, in order. */
enum ns_err	 store_kept_below(struct store *, uint64_t below, int64_t trash_ms, uint64_t **list,
		    size_t *count);
/* May a position before the beginning be one of this history?  A term is one history: it is when no change of a later
 * term is at or before it.  *after: the first change of a later term; 0: there is none here. */
enum ns_err	 store_term_after(struct store *, uint64_t term, uint64_t *after);

/* ---- pruning: in a transaction of its own, small steps ---- */
struct store_prune {
	uint64_t	 below;		/* no change from this one on */
	size_t		 most;		/* changes in one step */
	int64_t		 trash_ms;	/* what was deleted after that is kept */
};
/* *gone: changes that went; 0: nothing is left to be done. */
enum ns_err	 store_prune_step(struct store *, const struct store_prune *, size_t *gone, struct ns_why *);
/* Up to which change the log may go by its age and length alone. */
struct store_retention {
	uint64_t	 least, most;	/* changes that are kept in any case, and at most */
	int64_t		 keep_ms, floor_ms;	/* younger ones are kept; … whatever `most` says */
};
enum ns_err	 store_prune_below(struct store *, const struct store_retention *, int64_t now_ms,
		    uint64_t *below);

#endif
