/* lost - changes that the winner of a promotion does not have, and what becomes of them.
 *
 * rewind.c keeps them in a file before it drops them: <data>/lost-FIRST-LAST.changes, "NSLOST1\n", u64 checksum of
 * what follows, a Lost message.  `draft lost` shows it, `draft take` makes drafts of it, `draft forget` removes it;
 * what nobody has taken when there is more goes into the next file.  The file is hostile input like any other (tests/fuzz/lost_fuzz.c). */
#ifndef NS_SYNC_LOST_H
#define NS_SYNC_LOST_H

#include <stdint.h>

#include "appliance/store/store.h"
#include "appliance/sync/request.h"

#define LOST_OCTETS  (64u << 20) /* of a file; the bodies that would not fit are left out */
#define LOST_CHANGES 100000u

/* ---- pure: lost.c ---- */
/* malloc'ed. */
uint8_t	*lost_encode(const Ns__Lost *, size_t *len);
/* NULL: NS_CORRUPT; every body keeps the rules of change_body_check(). */
Ns__Lost	*lost_decode(const void *data, size_t len, struct ns_why *);
Ns__Lost	*lost_decode_body(const void *body, size_t len, struct ns_why *);	/* behind the checksum */
/* Drafts of the zones that were edited, each on the version that its first edit was made on, so that a commit
 * shows what others did since; and in words what no draft can hold. */
void	 lost_drafts(const Ns__Lost *, size_t octets, Ns__LostReply *);

/* ---- lostfile.c ---- */
/* Of the changes after `from`, up to `head`; writer thread. */
enum ns_err	 lost_keep(struct store *, uint64_t from, uint64_t head, const char *primary,
		    const char *path, struct ns_why *) __attribute__((warn_unused_result));
/* Take these zones (as withhold_note() wrote them) out of what is kept: they may not be held here any more.  Writer thread. */
enum ns_err	 lost_withhold(struct store *, const char *ids, struct ns_why *)
		    __attribute__((warn_unused_result));
/* What is kept; NULL: nothing, or it cannot be read. */
Ns__Lost	*lost_load(struct store *);
/* Handler of the table in control.c; reader thread. */
enum ns_err	 lost_read(struct request *, struct store *);

/* ---- lostsites.c ---- */
/* Zones of it that may not be held where this appliance is are noted to be scrubbed (withhold_note()), if there are
 * any.  Writer thread, within a transaction. */
enum ns_err	 lost_look(struct store *, const char *appliance, bool *found, struct ns_why *)
		    __attribute__((warn_unused_result));

#endif
