/* presence - who is about to change which zone: leases of a minute that stop nobody and are nowhere stored.
 *
 * Consoles say so again while they have a draft of the zone, and ask who else does; a viewer only asks.  An appliance that is not the primary
 * passes the request on, so that all of a fleet are in one table; without the primary nobody is seen, and nobody can
 * commit either.  A restart forgets: the next word of each console is here soon.  The table is pure; the request is the
 * loop's. */
#ifndef NS_SYNC_PRESENCE_H
#define NS_SYNC_PRESENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PRESENCE_MAX 1024u		/* leases; of more, the one that ends first goes */
#define PRESENCE_NS  60000000000ull

struct presence_lease {
	uint8_t	 zone[255];
	size_t	 zone_len;		/* 0: free */
	char	 name[64], appliance[64];
	uint64_t since_ns, until_ns;
};
struct presence {
	struct presence_lease leases[PRESENCE_MAX];
};

/* Somebody goes on, or begins. */
void	 presence_put(struct presence *, const uint8_t *zone, size_t len, const char *name,
	    const char *appliance, uint64_t now_ns);
void	 presence_drop(struct presence *, const uint8_t *zone, size_t len, const char *name,
	    const char *appliance);
/* Who but `name` has a lease of the zone, who began last first; at most max. */
size_t	 presence_others(const struct presence *, const uint8_t *zone, size_t len, const char *name,
	    uint64_t now_ns, const struct presence_lease **out, size_t max);

struct request;
struct sync;
void	 presence_request(struct sync *, struct request *);

#endif
