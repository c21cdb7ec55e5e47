/* lookup - one question to one of several servers, without waiting.
 *
 * UDP from a fresh socket (port and id are random, the kernel keeps other senders away), TCP when the
 * reply was cut; a server that is silent or of no help is left for the next, twice around the list.
 * One loop, its thread.  Bounded: LOOKUPS_MAX at once, one descriptor each. */
#ifndef NS_PROBE_LOOKUP_H
#define NS_PROBE_LOOKUP_H

#include "appliance/probe/packet.h"
#include "appliance/probe/target.h"

struct event_base;

#define LOOKUPS_MAX    256u
#define LOOKUP_SERVERS 8u
#define LOOKUP_UDP_MS  1500u	/* a try; a far resolver with a cold cache takes its time */
#define LOOKUP_TCP_MS  3000u

struct lookup_ask {
	struct packet_question question;
	struct target	 servers[LOOKUP_SERVERS];
	size_t		 nservers;
};

/* packet NULL: no server gave a usable reply; `fault` says what the last one did.  The packet is
 * the lookup's and gone after the call, and so is the lookup. */
typedef void lookup_fn(void *arg, const struct packet *, const char *fault);
struct lookup;
/* Calls back exactly once, never from inside this call.  NULL: too many at once. */
struct lookup	*lookup_start(struct event_base *, const struct lookup_ask *, lookup_fn *, void *arg);
/* Does that fault say that a server answered, with a refusal? */
bool	 lookup_was_answered(const char *fault);
void	 lookup_cancel(struct lookup **);	/* no callback follows; NULL is fine */

#endif
