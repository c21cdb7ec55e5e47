/* ds - DNSKEY and DS belong together or not (RFC 4034 5, appendix B; RFC 4509, 6605).  Pure. */
#ifndef NS_DNS_DS_H
#define NS_DNS_DS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DS_MAX	  52u		/* tag, algorithm, digest type, SHA-384 */
#define DS_SHA256 2

/* Of checked rdata of a DNSKEY. */
uint16_t ds_key_tag(const uint8_t *dnskey, size_t len);
/* A key that signs keys: zone key and secure entry point, not revoked (RFC 5011). */
bool	 ds_key_is_sep(const uint8_t *dnskey, size_t len);
/* Does this DS name that key of `owner`?  False for digests that we do not know, too. */
bool	 ds_matches(const uint8_t *owner, const uint8_t *ds, size_t ds_len, const uint8_t *dnskey,
	    size_t len);
/* The DS with SHA-256; octets written. */
size_t	 ds_make(const uint8_t *owner, const uint8_t *dnskey, size_t len, uint8_t out[DS_MAX]);

#endif
