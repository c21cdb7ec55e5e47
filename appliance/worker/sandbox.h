/* sandbox - what a worker may still do once it answers strangers. */
#ifndef NS_WORKER_SANDBOX_H
#define NS_WORKER_SANDBOX_H

#include "appliance/role/role.h"

extern const struct role_rules worker_rules;

#endif
