/* overview - numbers for the graphs; pure. */
#ifndef NS_CONSOLE_SCREENS_OVERVIEW_H
#define NS_CONSOLE_SCREENS_OVERVIEW_H

#include <stdbool.h>
#include <stdint.h>

#include "ipc/nameserve.pb-c.h"

#define SHARE_NAMES  16u
#define SHARE_WINDOW 10u /* samples: ten seconds at the usual interval */

/* Counters of the last samples: what share each had of the queries in between. */
struct shares {
	struct share_sample {
		uint64_t queries, udp, tcp, tls, dropped;
		char name[SHARE_NAMES][16];
		uint64_t count[SHARE_NAMES];
		unsigned n;
	} list[SHARE_WINDOW + 1];
	unsigned n; /* in all; the newest is list[(n - 1) % (SHARE_WINDOW + 1)] */
};

/* list: of rcodes or of types. */
void shares_add(struct shares *, const Ns__StatsReply *, Ns__StatsReply__Rcode *const *list, size_t n);
/* Of the window, or of all since the start where nothing was asked in it; percent. */
struct share_view {
	double udp, tcp, tls, dropped; /* tcp: without TLS */
	const char *name[SHARE_NAMES];
	double percent[SHARE_NAMES];
	unsigned n;
	bool idle; /* nothing was asked in the window */
};
void shares_view(const struct shares *, struct share_view *);

#endif
