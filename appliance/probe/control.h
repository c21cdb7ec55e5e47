/* control - can we see anything at all?  Checks with "control": true are looked at by every appliance; one on
 * which all of them are bad has lost its uplink, not its targets: it abstains from the others.
 *
 * Pure.  Without control checks nobody ever abstains for that. */
#ifndef NS_PROBE_CONTROL_H
#define NS_PROBE_CONTROL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct control_look {
	bool		 good;
	uint64_t	 at_ms;		/* 0: there was none yet */
};
enum control {
	CONTROL_FINE,		/* one of them was reached */
	CONTROL_CUT,		/* none */
	CONTROL_OPEN,		/* one of those not looked at since then may still be */
};

/* By the last look at each, as far as it is not older than that. */
enum control	 control_judge(const struct control_look *, size_t n, uint64_t since_ms);

#endif
