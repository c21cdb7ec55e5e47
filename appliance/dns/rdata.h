/* rdata - walking checked and unchecked rdata by the layout of its type: for the files of this
 * folder alone; others use rrtype.h. */
#ifndef NS_DNS_RDATA_H
#define NS_DNS_RDATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/dns/rrtype.h"
#include "ipc/base/rbuf.h"

/* Is r's next field of that kind?  Moves past it; sets r->bad when not.  `seen` is what was read
 * before it (a gateway's form depends on it). */
void rdata_skip_field(struct rbuf *r, enum rdata_field kind);
/* What a type asks of its values beyond their shape; NULL or the rule, *field the field's number. */
const char *rdata_value_rule(uint16_t type, const uint8_t *rdata, size_t len, unsigned *field);
/* RFC 9460 2.2 and 8: NULL or the rule. */
const char *svcparams_rule(const uint8_t *params, size_t len);

#endif
