/* keykit - keys made on the spot, for tests of signing.  No product program links it. */
#ifndef NS_TESTS_KEYKIT_H
#define NS_TESTS_KEYKIT_H

#include "appliance/signer/keys.h"

/* One KSK and one ZSK of that algorithm, published, signing, with CDS and CDNSKEY; one reference. */
struct zone_keys	*keykit_new(const uint8_t *apex, enum key_algorithm, enum zone_denial,
			    uint32_t now);

#endif
