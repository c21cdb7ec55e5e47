/* checks - the health checks of this appliance: which there are, when they are done, what they say.
 *
 *   checks.c      the table: what sync feeds, by number and by name
 *   checkrun.c    one probe for equal checks: when, and what its results make of it (hyst.h)
 *   ballot.c      our votes to the other appliances, theirs to us, and what they make of a check
 *   checkstate.c  from votes, overrides, pushes and other checks to the state on the health board
 *   checkreport.c, checkhealth.c  how they are, for people: each with its votes; all at a glance
 *   checktry.c    a look at what is no check yet
 * One loop, its thread.  States are also kept in a file of ours, 8 octets a check at 8 times its number,
 * so that they outlive the appliance's restart; they are a first guess, never trusted further.  What
 * changed when is in flips.h. */
#ifndef NS_PROBE_CHECKS_H
#define NS_PROBE_CHECKS_H

#include "appliance/probe/flips.h"
#include "appliance/probe/prober.h"
#include "appliance/zonemap/board.h"
#include "ipc/nameserve.pb-c.h"

struct checks;
struct checks_conf {
	struct prober_conf *probers;
	struct board	*board;
	int		 states_fd;	/* -1: none */
	struct flips	*flips;		/* their history */
	const char	*appliance, *site;
	void		(*send)(void *arg, const char *to, const uint8_t *, size_t);	/* votes; "": to all */
	/* What came of a look that was asked for; borrowed. */
	void		(*looked)(void *send_arg, uint64_t id, const Ns__CheckProbeReply *);
	void		*send_arg;
	unsigned	 at_once;	/* probes; at most PROBES_MAX */
};

struct checks	*checks_new(const struct checks_conf *);
void	 checks_destroy(struct checks **);
void	 checks_feed(struct checks *, const Ns__CheckFeed *);
/* Who votes, and what they say. */
void	 checks_fleet(struct checks *, const Ns__ProbeFleet *);
void	 checks_votes(struct checks *, const Ns__VotesIn *);
void	 checks_peer(struct checks *, const Ns__ProbePeer *);
/* Overrides, pushes and votes end; all of our votes leave now and then. */
void	 checks_second(struct checks *);
/* malloc'ed; in the order of the question. */
Ns__CheckReport	*checks_report(struct checks *, const Ns__CheckQuery *);
Ns__HealthListReply	*checks_health(struct checks *, const Ns__HealthListRequest *);
/* A look at that check, now; looked() is told, at once when there can be none. */
void	 checks_probe(struct checks *, uint64_t id, const char *name);
/* A look as that definition says, which is nobody's check: it counts for nothing.  Defaults are filled in. */
void	 checks_try(struct checks *, uint64_t id, const Ns__Check *);
/* Counters; borrows nothing that must be freed. */
void	 checks_notice(const struct checks *, Ns__ProbeNotice *);

#endif
