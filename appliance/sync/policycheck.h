/* policycheck - the checks that policies name, looked up in the store.  Writer thread. */
#ifndef NS_SYNC_POLICYCHECK_H
#define NS_SYNC_POLICYCHECK_H

#include "appliance/store/store.h"

/* Fills the ids of checks into the policies of that zwire, in place; NS_INVALID names the one that is not
 * there. */
enum ns_err	 policy_checks(struct store *, const uint8_t *apex, uint8_t *zwire, size_t len,
		    struct ns_why *)
		    __attribute__((warn_unused_result));

#endif
