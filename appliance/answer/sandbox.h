/* sandbox - what the answer process may still do: look at shared memory and speak on the bus. */
#ifndef NS_ANSWER_SANDBOX_H
#define NS_ANSWER_SANDBOX_H

#include "appliance/role/role.h"

extern const struct role_rules answer_rules;

#endif
