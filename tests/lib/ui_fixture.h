/* ui_fixture - what an appliance would answer to the console, for golden screens and storms. */
#ifndef NS_TEST_UI_FIXTURE_H
#define NS_TEST_UI_FIXTURE_H

#include <stdbool.h>

#include "ipc/nameserve.pb-c.h"

extern const char *fixture; /* plain, empty, hostile, heavy (changes that take a name), moving (clients change their order) */
extern bool fixture_with_policies; /* a list of records has policies */
extern bool fixture_with_many; /* 32 appliances */

/* The reply to a request of that kind, static until the next one; name, type: of the RRset that it asks for; of
 * figures name is scope and list with a blank between them. */
void fixture_answer(Ns__Envelope__BodyCase kind, const char *name, const char *type, Ns__Envelope *reply);
Ns__Conflict *fixture_conflict(void);
/* ---- ui_fixture_live.c ---- */
float *fixture_minutes(unsigned which); /* ten, of a zone */
void fixture_figures(Ns__StatsReply *, const char *scope, const char *top);
bool fixture_live(Ns__Envelope__BodyCase kind, Ns__Envelope *reply); /* false: not one of these */

#endif
