/* parent - what the parent of a zone says of it: its name servers, their glue, its DS.
 *
 *     resolver: SOA of the name above → the parent's name; its NS; their addresses
 *     each of the parent's servers, directly, RD=0: NS and DS of the zone
 *
 * One check is a chain of look-ups; several run at once.  Facts only: what they mean for the zone is
 * judged by sync, which knows the zone.  The servers' addresses are strangers' data: target.h. */
#ifndef NS_PROBE_PARENT_H
#define NS_PROBE_PARENT_H

#include "appliance/probe/target.h"
#include "ipc/nameserve.pb-c.h"

struct event_base;

#define PARENT_CHECKS  16u	/* at once */
#define PARENT_SERVERS 8u	/* asked, one address each */
#define PARENT_NS      32u	/* name servers of one delegation that are told */
#define PARENT_GLUE    64u
#define PARENT_DS      32u

struct parent_conf {
	struct event_base *base;
	struct target	*resolvers;
	size_t		 nresolvers;
	struct target_rules rules;
};
/* The reply is the check's and gone after the call. */
typedef void parent_fn(void *arg, uint64_t id, Ns__ParentReply *);
struct parents;
struct parents	*parents_new(const struct parent_conf *, parent_fn *, void *arg);
void	 parents_destroy(struct parents **);
/* Calls back once, never from inside this call, at the latest after timeout_ms.  NULL: begun; else
 * why not, in words. */
const char	*parents_begin(struct parents *, uint64_t id, const uint8_t *zone,
		    unsigned timeout_ms);

/* What one server answered to NS and to DS of the zone, added to its entry.  Pure; for tests too. */
struct packet;
void	 parent_take_ns(Ns__ParentReply__Server *, const uint8_t *zone, const uint8_t *parent,
	    const struct packet *);
void	 parent_take_ds(Ns__ParentReply__Server *, const uint8_t *zone, const struct packet *);

#endif
