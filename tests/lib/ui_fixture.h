/* ui_fixture - what an appliance would answer to the console, for golden screens and storms. */
#ifndef NS_TEST_UI_FIXTURE_H
#define NS_TEST_UI_FIXTURE_H

#include "ipc/nameserve.pb-c.h"

extern const char *fixture; /* plain, empty, hostile */

/* The reply to a request of that kind, static until the next one; name, type: of the RRset that it asks for. */
void fixture_answer(Ns__Envelope__BodyCase kind, const char *name, const char *type, Ns__Envelope *reply);
Ns__Conflict *fixture_conflict(void);

#endif
