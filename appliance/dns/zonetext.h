/* zonetext - master files (RFC 1035 5) and rdata text, by ldns.  For sync and tests; the answer
 * path does not link it. */
#ifndef NS_DNS_ZONETEXT_H
#define NS_DNS_ZONETEXT_H

#include <stddef.h>
#include <stdint.h>

#include "appliance/dns/zwire.h"

#define ZONETEXT_MAX_LINE	65536u

/* A master-file parser that is fed in pieces of any size; records go to the pile.
 * $ORIGIN, $TTL, parentheses, quoted strings, \DDD, omitted owner, TTL and class, RFC 3597 forms.
 * $INCLUDE and $GENERATE are refused by name.  Records outside `apex` are refused.  The first error
 * ends the file: NS_INVALID with why->line, owner, type, field and text. */
struct zonetext;
struct zonetext	*zonetext_new(const uint8_t *apex, struct rrpile *);
void	 zonetext_destroy(struct zonetext **);
enum ns_err	 zonetext_feed(struct zonetext *, const char *text, size_t len, struct ns_why *)
		    __attribute__((warn_unused_result));
enum ns_err	 zonetext_end(struct zonetext *, struct ns_why *) __attribute__((warn_unused_result));
/* Policies that were read (";ns-policy" lines). */
uint64_t	 zonetext_policies(const struct zonetext *);
/* And ALIASes (";ns-alias" lines, or records as PowerDNS writes them). */
uint64_t	 zonetext_aliases(const struct zonetext *);

/* One rdata as a user types it ("10 mx1"), relative names completed with `origin`.
 * `strict` is the rule for typed edits: a name that contains a dot but does not end
 * in one is refused, and both readings are told. */
enum ns_err	 rdata_from_text(uint16_t type, const char *text, const uint8_t *origin, bool strict,
		    uint8_t *out, size_t outsize, size_t *outlen, struct ns_why *)
		    __attribute__((warn_unused_result));
/* Master-file form of checked rdata; false when out is too small.  Falls back to RFC 3597 form. */
bool	 rdata_to_text(uint16_t type, const uint8_t *rdata, size_t len, char *out, size_t outsize);
/* "owner ttl IN type rdata\n" of each record of a set, appended. */
void	 rrset_to_text(const struct rrset *, struct wbuf *out);

#endif
