/* checks - what the list of checks and the screen of one have in common. */
#ifndef NS_CONSOLE_SCREENS_CHECKS_H
#define NS_CONSOLE_SCREENS_CHECKS_H

#include "console/screens/ui.h"
#include "ipc/nameserve.pb-c.h"

/* What is done with that check, as the appliance names it; false: not such an action. */
bool checks_act(struct view *, enum ns_action_id, const char *name);
/* "13:41" of today, "3d" of before. */
void checks_since(const struct ui *, const char *rfc3339, char out[16]);
/* "used by www.example.com and 2 more", sanitized; "no policy uses it". */
void checks_users(const struct ui *, const Ns__CheckInfo *, char *out, size_t size);
/* Asks for one check with its votes; the number of the request. */
uint64_t checks_ask(struct view *, const char *name, ns_reply_fn *);

#endif
