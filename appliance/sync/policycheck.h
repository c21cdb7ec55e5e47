/* policycheck - the checks that policies name, looked up in the store; what policies can give.  Writer and
 * reader threads. */
#ifndef NS_SYNC_POLICYCHECK_H
#define NS_SYNC_POLICYCHECK_H

#include "appliance/store/store.h"
#include "ipc/nameserve.pb-c.h"

/* Fills the ids of checks into the policies of that zwire, in place; NS_INVALID names the one that is not
 * there. */
enum ns_err	 policy_checks(struct store *, const uint8_t *apex, uint8_t *zwire, size_t len,
		    struct ns_why *)
		    __attribute__((warn_unused_result));

/* The closures (dns/closure.h) of the policies in that zwire, behind those of *list; at most
 * POLICY_CLOSURES in all.  The list and its messages are malloc'ed, as replies are. */
#define POLICY_CLOSURES 1000u
void		 policy_closures(const uint8_t *apex, const uint8_t *zwire, size_t len,
		    Ns__PolicyClosure ***list, size_t *n);

#endif
