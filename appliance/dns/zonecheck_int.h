/* zonecheck_int - what the two halves of the zone check share: rules (zonecheck.c) and warnings
 * (zonecheck_warn.c).  For these files alone. */
#ifndef NS_DNS_ZONECHECK_INT_H
#define NS_DNS_ZONECHECK_INT_H

#include "appliance/dns/zonecheck.h"

struct zonecheck {
	const struct zone_view *view;
	zonecheck_warn_fn *warn; /* NULL: nobody wants to hear */
	void *warn_arg;
	struct ns_why *why;
	struct wbuf copy; /* of the owner that is looked at, while others are */
};

/* Fill why with zone, owner, type and "owner type: text". */
enum ns_err zonecheck_say(const struct zonecheck *, struct ns_why *, enum ns_err, uint16_t code,
    const uint8_t *owner, uint16_t type, const char *text);
/* Warn of what is allowed but rarely meant in these RRsets of one owner. */
void zonecheck_warnings(struct zonecheck *, const uint8_t *zwire, size_t len);
/* The set of that type in the zwire of one owner. */
bool zonecheck_find(const uint8_t *zwire, size_t len, uint16_t type, struct rrset *);

#endif
