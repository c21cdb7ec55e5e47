/* checks - health checks: defined by people and replicated, done by the probe.
 *
 *   checks.c      the requests that change them (writer)
 *   checkrule.c   what a definition may say, and its defaults (pure)
 *   checkdelta.c  what a batch changes
 *   checkfeed.c   to the probe: all at its hello, then what changes (loop, one reader job)
 *   checklist.c   check list and show: names from the store, states from the probe
 *   health.c      health list and check probe: what the probe answers alone */
#ifndef NS_SYNC_CHECKS_H
#define NS_SYNC_CHECKS_H

#include "appliance/store/store.h"
#include "appliance/sync/request.h"
#include "appliance/sync/sync.h"

#define CHECK_KIND	"check"		/* of the objects that checks are */
#define CHECK_NAME_MAX	64u
#define CHECK_OF_MAX	64u		/* of one calculated check */
#define CHECK_DEPTH	8u		/* calculated checks of calculated checks */

struct batch;

bool	 check_name_ok(const char *);
/* Fill in the defaults; refuse what cannot be, with the field.  Strings that it puts in are constants:
 * free nothing of it.  Whether the checks of `of` exist is the caller's to look at. */
enum ns_err	 check_rule(Ns__Check *, struct ns_why *);

/* ---- requests ---- */
enum ns_err	 check_set_text(struct request *);
enum ns_err	 check_plan_read(struct request *, struct store *);
enum ns_err	 check_set_write(struct request *, struct batch *);
enum ns_err	 check_state_write(struct request *, struct batch *);
void	 check_list_request(struct sync *, struct request *);
void	 check_list_report(struct sync *, const Ns__Envelope *);	/* from the probe */
void	 check_list_tick(struct sync *, uint64_t now_ns);
void	 check_list_stop(void);

void	 health_request(struct sync *, struct request *);
void	 health_answer(struct sync *, const Ns__Envelope *);	/* from the probe */
void	 health_tick(struct sync *, uint64_t now_ns);
void	 health_stop(void);

/* ---- what a batch changes, for the probe ---- */
struct check_deltas {
	Ns__CheckFeed__Entry **list;
	size_t		 count, room;
};
Ns__CheckFeed__Entry *check_entry_new(uint64_t id, uint64_t version, const char *name);
void	 check_deltas_add(struct check_deltas *, Ns__CheckFeed__Entry *);	/* takes it */
/* An object of any kind was put or removed; checks are remembered. */
void	 check_delta(struct batch *, const Ns__ChangeBody__Object *, uint64_t revision);
size_t	 check_deltas_count(const struct check_deltas *);
void	 check_deltas_cut(struct check_deltas *, size_t count);
void	 check_deltas_destroy(struct check_deltas **);

/* ---- loop ---- */
void	 checkfeed_hello(struct sync *);
void	 checkfeed_anew(struct sync *);	/* the store is another one: all of them again */
void	 checkfeed_gone(struct sync *);
void	 checkfeed_deltas(struct sync *, struct check_deltas **);	/* takes them */
void	 checkfeed_tick(struct sync *);
void	 checkfeed_notice(struct sync *, const Ns__Envelope *);
void	 checkfeed_status(Ns__StatusReply *);

#endif
