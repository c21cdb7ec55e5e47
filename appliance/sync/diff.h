/* diff - what changed between two zwires of the same owners, RRset by RRset, and the SOA's serial.
 * Pure; any thread. */
#ifndef NS_SYNC_DIFF_H
#define NS_SYNC_DIFF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/dns/zwire.h"
#include "ipc/base/wbuf.h"

/* zwires of the RRsets that differ, as they were and as they are; counts are of records. */
struct diff {
	struct wbuf	removed, added;
	uint64_t	nremoved, nadded;
};

void	 diff_init(struct diff *);
void	 diff_free(struct diff *);
/* Appends; both sides in canonical order.  false: one of them is broken. */
bool	 diff_zwire(struct diff *, const void *before, size_t blen, const void *after, size_t alen);
bool	 diff_empty(const struct diff *);
/* RRsets that come, go and are another, of both sides of a difference; a mere new serial is none.  Adds to them.  false:
 * one side is broken. */
struct diff_sets {
	uint64_t	added, removed, changed;
};
bool	 diff_count(const void *removed, size_t rlen, const void *added, size_t alen, struct diff_sets *);
/* Of the SOA, only its serial differs (other RRsets may). */
bool	 diff_soa_serial_only(const struct diff *, const uint8_t *apex);
bool	 soa_same_but_serial(const struct rrset *, const struct rrset *);
/* Nothing but the SOA's serial differs. */
bool	 diff_same_but_serial(const struct diff *, const uint8_t *apex);

/* The SOA's serial in a zwire that holds the apex: its place, so that it can be set. false: no SOA. */
bool	 soa_serial_find(const uint8_t *apex, const void *zwire, size_t len, size_t *offset,
		    uint32_t *serial);
/* Does it hold what only signing makes (RRSIG, NSEC, NSEC3, NSEC3PARAM): served untouched then. */
bool	 zwire_is_signed(const void *zwire, size_t len);

#endif
