/* closure - how many distinct RRsets a policy can ever give while at most one check is down.
 *
 * Over all branches, whoever asks and whatever chance says, with all checks up and with each single check down:
 * that is what has to be signed before it is needed.  Pure. */
#ifndef NS_DNS_CLOSURE_H
#define NS_DNS_CLOSURE_H

#include "appliance/dns/policy.h"

#define CLOSURE_MAX 4096u	/* of a policy in a signed zone; one more is a warning in an unsigned one */

/* CLOSURE_MAX + 1: that many or more.  The policy is one that policy_check() has passed. */
unsigned	 policy_closure(const struct policy *);

/* What is signed of it at most, whatever health is: of every pool, whether the policy may come to it or not, the
 * answers for health as it is and with each single check the other way round.  At least what emissions.h gives. */
unsigned	 policy_signed_max(const struct policy *);

#endif
