/* aliases - ALIAS records: their targets to the probe, what it found of them to people.
 *
 *   aliasfeed.c   the list of targets, whole: at the probe's hello, and soon after a change (loop, a reader job)
 *   aliasway.c    where targets of ours lead to by CNAMEs of ours (reader threads)
 *   aliaslist.c   alias list; the addresses that an export gives to who knows no ALIAS (reader threads) */
#ifndef NS_SYNC_ALIASES_H
#define NS_SYNC_ALIASES_H

#include "appliance/store/store.h"
#include "appliance/sync/request.h"
#include "appliance/sync/sync.h"
#include "appliance/zonemap/aliases.h"

/* ---- loop ---- */
void	 aliasfeed_hello(struct sync *);
void	 aliasfeed_gone(void);
void	 aliasfeed_changed(struct sync *);	/* zones mention other targets than before */
void	 aliasfeed_zones(struct sync *);	/* anything in a zone is another */
void	 aliasfeed_tick(struct sync *, uint64_t now_ns);

/* ---- any thread ---- */
/* Before the sandbox: what the probe writes is mapped for good. */
void	 aliases_open(void);
/* The whole health board, to read; it is mapped by aliases_open(). */
const struct board	*aliases_board(void);
/* What is known of that target; false: nothing. */
bool	 aliases_known(const uint8_t *name, struct alias_known *);
/* A zone of ours answers for the name: it or one above it. */
bool	 alias_is_ours(struct store *, const uint8_t *name);

/* ---- reader ---- */
/* Every name outside our zones that a target of ours leads to by CNAMEs: some may come twice. */
typedef void alias_way_fn(void *arg, const uint8_t *name);
void	 alias_way_out(struct store *, const uint8_t *target, alias_way_fn *, void *arg);
enum ns_err	 alias_list_read(struct request *, struct store *);
/* The ALIAS of an owner for a master file: a line ";ns-alias" that import reads back, then A and AAAA as they
 * are known here, for servers that know no ALIAS; import leaves those out. */
struct rrset;
void	 alias_to_zone(const struct rrset *, struct wbuf *out);

#endif
