/* audit - what people did at this appliance that is no change: logins, refused ones, reads of secrets.
 *
 * Its own alone: neither replicated nor in any digest, and not in a backup.  Equal events within some minutes are
 * one row with a count.  Bounded in number, for each person too, so that who floods it forgets his own. */
#ifndef NS_STORE_AUDIT_H
#define NS_STORE_AUDIT_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/store/store.h"

struct store_event {
	uint64_t	id;			/* given by the store, rising */
	uint64_t	count;
	int64_t		first_ms, last_ms;	/* wall clock */
	char		kind[16];		/* login | refused | read */
	char		who[64], via[16], source[48], appliance[64];	/* as of a change */
	char		what[128];
};
/* The same thing by the same person, whenever it was. */
bool	 store_event_same(const struct store_event *, const struct store_event *);

struct store_audit_rules {
	int64_t		join_ms;	/* so soon after a row's last event it is the same row, */
	int64_t		span_ms;	/* so long after its first one at most */
	int64_t		age_ms;		/* kept for */
	uint64_t	rows, person;	/* of all, of one person */
};
/* Counts it in its row, or makes one; what is too old or too much goes.  In a transaction. */
enum ns_err	 store_event_put(struct store *, const struct store_event *,
		    const struct store_audit_rules *, struct ns_why *);

typedef bool store_event_fn(void *arg, const struct store_event *);
/* Newest first, below `before` (0: from the newest). */
enum ns_err	 store_event_each(struct store *, uint64_t before, store_event_fn *, void *arg);
/* In a transaction of `to`: it has those of `from`, a handle of another store (NULL: none), as far as they can be read,
 * and no others.  For a store that is put into this one's place. */
enum ns_err	 store_audit_take(struct store *to, struct store *from, struct ns_why *);

#endif
