/* kinds - what may be asked, what may be answered, and what could have changed something.
 *
 * Inside ipc/client/ only.  To add a request: a line in kinds.c. */
#ifndef NS_IPC_CLIENT_KINDS_H
#define NS_IPC_CLIENT_KINDS_H

#include <stdbool.h>

#include "ipc/nameserve.pb-c.h"

bool kind_writes(Ns__Envelope__BodyCase request);
/* May this body answer that request?  An Error always may. */
bool kind_answers(Ns__Envelope__BodyCase request, Ns__Envelope__BodyCase reply);

#endif
