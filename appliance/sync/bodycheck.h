/* bodycheck - the body of a change that comes from elsewhere, another appliance or a file, before anything is
 * done with it.  Pure; fuzzed (tests/fuzz/body_fuzz.c). */
#ifndef NS_SYNC_BODYCHECK_H
#define NS_SYNC_BODYCHECK_H

#include "ipc/base/err.h"
#include "ipc/nameserve.pb-c.h"

/* Is it a body that a change can have: names, kinds, zwires, everything below its zone.  NS_CORRUPT; what a
 * zwire is refused for is in the words of zwire_check(). */
enum ns_err	 change_body_check(const Ns__ChangeBody *, struct ns_why *)
		    __attribute__((warn_unused_result));

#endif
