/* edit - operations on a zone and what they make of it (nameserve(1), record).
 *
 * Pure: reads the zone through a zone_view, keeps before and after of every owner it touches, writes
 * nothing.  The writer thread runs it and stores what `edit_owner.after` says.  Reading what a user
 * typed is editop.h. */
#ifndef NS_SYNC_EDIT_H
#define NS_SYNC_EDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/dns/zonecheck.h"
#include "appliance/sync/diff.h"
#include "ipc/base/wbuf.h"

#define EDIT_TTL_DEFAULT 3600u		/* a new RRset without a TTL */
#define EDIT_OPS_MAX	 10000u		/* of one commit: bounds the writer's time */

enum edit_kind { EDIT_SET, EDIT_ADD, EDIT_DEL };

struct edit_op {
	enum edit_kind	kind;
	uint8_t		owner[255];	/* lower case */
	bool		owner_given;	/* it has been read */
	uint16_t	type;		/* 0 with DEL: every type */
	bool		ttl_given;
	uint32_t	ttl;
	uint16_t	count;
	struct wbuf	rdata;		/* count × (u16 length, octets), as given */
};

struct edit_owner {
	uint8_t		name[255];
	struct wbuf	before, after;	/* zwires */
};

struct edit {
	const uint8_t	*apex;
	struct edit_owner *owners;	/* in canonical order */
	size_t		 count, room;
	uint32_t	 serial_before, serial_after;
};

void	 edit_init(struct edit *, const uint8_t *apex);
void	 edit_free(struct edit *);
void	 edit_op_free(struct edit_op *);

/* One operation on top of those before it. */
enum ns_err	 edit_apply(struct edit *, const struct zone_view *, const struct edit_op *,
		    struct ns_why *) __attribute__((warn_unused_result));
/* One RRset as it stands (NULL: gone), on top of the operations before it. */
enum ns_err	 edit_put(struct edit *, const struct zone_view *, const uint8_t *owner, uint16_t type,
		    uint16_t covers, const struct rrset *, struct ns_why *)
		    __attribute__((warn_unused_result));
/* What is known of an owner; NULL: not touched.  And where the owners after a name begin. */
const struct edit_owner	*edit_owner_find(const struct edit *, const uint8_t *name);
size_t	 edit_owner_after(const struct edit *, const uint8_t *name);
bool	 edit_owner_changed(const struct edit_owner *);
/* Does anything differ now? */
bool	 edit_changes(const struct edit *);
/* Sets the SOA's serial: one that the operations made newer stays, else the next one. */
enum ns_err	 edit_serial(struct edit *, const struct zone_view *, int64_t now_ms, struct ns_why *)
		    __attribute__((warn_unused_result));
bool	 edit_diff(const struct edit *, struct diff *);

#endif
