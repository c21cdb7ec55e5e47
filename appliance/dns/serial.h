/* serial - SOA serial numbers (RFC 1982), handled for the user as YYYYMMDDnn, never backwards. */
#ifndef NS_DNS_SERIAL_H
#define NS_DNS_SERIAL_H

#include <stdbool.h>
#include <stdint.h>

/* RFC 1982 3.2: a is newer than b.  Undefined distance (2^31) counts as not newer. */
bool	 serial_newer(uint32_t a, uint32_t b);
/* The serial after `old` at that time: today's YYYYMMDD00 when newer than old, else old + 1
 * (skipping 0, which some secondaries treat as "unknown"). */
uint32_t serial_next(uint32_t old, int64_t wall_ms);

#endif
