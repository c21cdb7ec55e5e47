/* zonecheck - the rules a zone must keep, as pure logic over an owner-level view of it.
 *
 * Import asks for the whole zone; an edit asks for the owners it touched and what they govern.
 * Errors are NS_INVALID with a stable code and zone, owner, type, field and rule in why; warnings
 * go to a callback.  Rules: RFC 1034 3.6.2 (CNAME alone; RFC 4035 2.5 lets NSEC and RRSIG beside
 * it), RFC 2181 10 (one CNAME), RFC 6672 2.4 (DNAME: one, no CNAME beside, nothing below), apex has
 * exactly one SOA and at least one NS and no CNAME, below a cut nothing but A and AAAA, at a cut
 * nothing but NS, DS, NSEC, RRSIG and glue addresses, DS only at a cut, SOA only at the apex,
 * limits of zwire.h, meta types refused. */
#ifndef NS_DNS_ZONECHECK_H
#define NS_DNS_ZONECHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/dns/zwire.h"

/* How the check sees a zone.  Results are valid until the next call on the same view. */
struct zone_view {
	const uint8_t	*apex;
	void		*arg;
	/* The RRsets at an owner as a zwire; false when there are none. */
	bool	(*at)(void *arg, const uint8_t *owner, const uint8_t **zwire, size_t *len);
	/* The RRsets of the first owner after this one in canonical order; false at the end. */
	bool	(*after)(void *arg, const uint8_t *owner, const uint8_t **zwire, size_t *len);
};

/* The RRset of key's owner and type (and covered type) in the view, in *out; NULL: there is none. */
const struct rrset	*zone_view_set(const struct zone_view *, const struct rrset *key,
			    struct rrset *out);

typedef void zonecheck_warn_fn(void *arg, const struct ns_why *);

enum ns_err	 zonecheck_all(const struct zone_view *, zonecheck_warn_fn *, void *warn_arg,
		    struct ns_why *) __attribute__((warn_unused_result));
/* After an edit: the apex rules, `owner` itself, the cuts and DNAMEs above it, and, when it is now
 * a cut or a DNAME, what is below it. */
enum ns_err	 zonecheck_owner(const struct zone_view *, const uint8_t *owner,
		    zonecheck_warn_fn *, void *warn_arg, struct ns_why *)
		    __attribute__((warn_unused_result));
/* A zone_view of a whole zwire in memory (binary search over an index that is built once). */
struct zwire_view;
struct zwire_view	*zwire_view_new(const uint8_t *apex, const void *zwire, size_t len);
const struct zone_view	*zwire_view_get(struct zwire_view *);
void	 zwire_view_destroy(struct zwire_view **);

#endif
