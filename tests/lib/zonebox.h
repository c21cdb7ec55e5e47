/* zonebox - names, zones and real zone files for tests. */
#ifndef NS_TESTS_LIB_ZONEBOX_H
#define NS_TESTS_LIB_ZONEBOX_H

#include <stddef.h>
#include <stdint.h>

#include "appliance/dns/zwire.h"

/* Absolute name from text, in one of eight rotating buffers; asserts that it is one. */
const uint8_t	*zonebox_name(const char *text);
/* Octets of "0a 0b 0c"; their number. */
size_t		 zonebox_hex(const char *hex, uint8_t *out, size_t size);
/* The zone of that text as a zwire, fed in pieces of `piece` octets; asserts that it is one. */
struct wbuf	 zonebox_zwire(const char *apex, const char *text, size_t len, size_t piece,
		    uint64_t *records);
/* A file of ../shared/zones (or $NS_ZONES), unpacked, ended by a NUL; free() it.  NULL when the
 * folder is missing, which is an error where CI is set. */
char		*zonebox_read(const char *file, size_t *len);

#endif
