/* sandbox - what the probe may still do after its start. */
#ifndef NS_PROBE_SANDBOX_H
#define NS_PROBE_SANDBOX_H

#include "appliance/role/role.h"

extern const struct role_rules probe_rules;

#endif
