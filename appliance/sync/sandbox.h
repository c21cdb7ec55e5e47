/* sandbox - what nameserve-sync may still do after its start; tests put on the same rules. */
#ifndef NS_SYNC_SANDBOX_H
#define NS_SYNC_SANDBOX_H

#include "appliance/role/role.h"

extern const struct role_rules sync_rules;	/* of an appliance that is alone */
/* Those, or with TCP where the configuration has a fleet. */
const struct role_rules *sync_rules_choose(const struct role *);

#endif
