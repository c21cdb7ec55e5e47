/* zwire - zone data in wire form: what the store keeps, what messages carry, what is compiled.
 *
 * A zwire is RRsets one after the other, in canonical order of owner (RFC 4034 6.1), then type,
 * then covered type, each:
 *     u8 owner length, owner (wire, lower case)        u16 type   u16 covers   u32 ttl   u16 count
 *     u32 octets of what follows                       count × (u16 rdlength, rdata)
 * Class is IN.  `covers` is the covered type of an RRSIG set, else 0: signatures of different sets
 * are different sets.  rdata is in canonical form's order (RFC 4034 6.3), without duplicates, its
 * names in the case they came in.  All numbers in network order.
 *
 * Nobody trusts a zwire that came from outside: zwire_next() checks bounds, names and order;
 * zwire_check() checks the rdata too. */
#ifndef NS_DNS_ZWIRE_H
#define NS_DNS_ZWIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/dns/name.h"
#include "ipc/base/err.h"
#include "ipc/base/rbuf.h"
#include "ipc/base/wbuf.h"

#define RRSET_MAX_WIRE	65000u		/* octets of one RRset in a reply, 12 + rdata each: it must fit one
					 * TCP answer with its question */
#define RR_WIRE_HEAD	12u		/* pointer to the owner, type, class, TTL, rdlength */
#define OWNER_MAX_WIRE	196608u		/* zwire octets of one owner: it must fit one map block */
#define TTL_MAX		2147483647u	/* RFC 2181 8 */

/* One RRset inside a zwire; points into it. */
struct rrset {
	const uint8_t	*owner;
	uint16_t	 type, covers, count;
	uint32_t	 ttl;
	uint8_t		 owner_len;
	const uint8_t	*rdata;		/* count × (u16 length, octets) */
	size_t		 rdata_len;
	const uint8_t	*raw;		/* the whole set as it stands, for copying */
	size_t		 raw_len;
};

struct zwire_iter {
	struct rbuf	 r;
	struct rrset	 prev;
	bool		 started;
};

struct zwire_iter	 zwire_iter(const void *data, size_t len);
/* The next RRset; false at the end, and when it is broken (then rbuf_ok(&it->r) is false). */
bool	 zwire_next(struct zwire_iter *, struct rrset *);
/* The next rdata of a set: a fresh reader is rbuf_init(set->rdata, set->rdata_len). */
const uint8_t	*rrset_next_rdata(struct rbuf *, size_t *len);

/* Everything above and rdata_check() of every record.  NS_CORRUPT with owner and type in why. */
enum ns_err	 zwire_check(const void *data, size_t len, struct ns_why *);

/* Octets of the set in a reply: what RRSET_MAX_WIRE bounds. */
size_t	 rrset_wire_size(const struct rrset *);
/* Append one set; the caller keeps the order.  w->bad when it does not fit. */
void	 zwire_put(struct wbuf *, const struct rrset *);
/* Order of two sets inside a zwire: owner, type, covers. */
int	 rrset_cmp(const struct rrset *, const struct rrset *);
bool	 rrset_same_data(const struct rrset *, const struct rrset *);	/* ttl and rdata equal */

/* A pile of records in any order that becomes a zwire: for parsers and edits. */
struct rrpile;
struct rrpile	*rrpile_new(void);
void	 rrpile_destroy(struct rrpile **);
void	 rrpile_clear(struct rrpile *);
/* owner in any case, rdata checked already.  `line` is told in errors. */
void	 rrpile_add(struct rrpile *, const uint8_t *owner, uint16_t type, uint32_t ttl,
	    const uint8_t *rdata, size_t rdlen, uint32_t line);
/* Sort, drop identical duplicates, take the lowest TTL of a set (RFC 2181 5.2; an RRSIG set takes
 * that of the set it covers), write it all to `out`.  NS_INVALID for a set over RRSET_MAX_WIRE.
 * *records gets the number of records written. */
enum ns_err	 rrpile_to_zwire(struct rrpile *, struct wbuf *out, uint64_t *records,
		    struct ns_why *);
/* Line of the first record with that owner and type that was added; 0 when unknown. */
uint32_t rrpile_line(const struct rrpile *, const uint8_t *owner, uint16_t type);

#endif
