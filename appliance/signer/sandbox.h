/* sandbox - what the signer may do after its start: sandbox.c, as data for role_main and tests. */
#ifndef NS_SIGNER_SANDBOX_H
#define NS_SIGNER_SANDBOX_H

#include "appliance/role/role.h"

extern const struct role_rules signer_rules;

#endif
