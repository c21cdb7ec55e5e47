/* sheet - the RRsets of one owner while it is signed: those it has, and those that signing adds. */
#ifndef NS_SIGNER_SHEET_H
#define NS_SIGNER_SHEET_H

#include "appliance/dns/zwire.h"

struct sheet_set {
	struct rrset	set;		/* rdata is NULL while it stands in `mem` */
	size_t		at;
};
struct sheet {
	const uint8_t	*owner;
	struct sheet_set *set;
	size_t		 n, cap;
	struct wbuf	 mem;
};

void	 sheet_init(struct sheet *);
void	 sheet_free(struct sheet *);
void	 sheet_begin(struct sheet *, const uint8_t *owner);	/* forgets what was there */
/* A set as it is; its octets are the caller's until sheet_put(). */
void	 sheet_have(struct sheet *, const struct rrset *);
/* A set with that body (count × (u16 length, rdata)), copied. */
void	 sheet_add(struct sheet *, uint16_t type, uint16_t covers, uint32_t ttl, uint16_t count,
	    const void *body, size_t len);
/* Set number i; good until something is added. */
struct rrset	 sheet_at(const struct sheet *, size_t i);
const struct sheet_set	*sheet_find(const struct sheet *, uint16_t type);
/* All of it as zwire, in order. */
void	 sheet_put(struct sheet *, struct wbuf *out);

#endif
