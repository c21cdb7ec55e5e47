/* text_policy - a policy as people write it: "TYPE {JSON}", the JSON of nameserve(1), policy.
 *
 * Sync's text threads read and print with it.  jansson parses; every refusal says where
 * ("root.rules[1].then: …"). */
#ifndef NS_DNS_TEXT_POLICY_H
#define NS_DNS_TEXT_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/dns/zwire.h"
#include "ipc/base/err.h"
#include "ipc/base/wbuf.h"

/* "A {…}" to the rdata of an NSPOLICY record; ids of checks are 0 until they are looked up. */
enum ns_err	 policy_from_text(const char *text, size_t len, uint8_t *out, size_t outsize,
		    size_t *outlen, struct ns_why *) __attribute__((warn_unused_result));
/* The same backwards, on one line, without an end; false: broken. */
bool		 policy_to_text(const uint8_t *rdata, size_t len, struct wbuf *out);
/* The NSPOLICY set of an owner for a master file: ";ns-policy" lines, each with the records that servers
 * without policies answer. */
void		 policies_to_zone(const struct rrset *, struct wbuf *out);

#endif
