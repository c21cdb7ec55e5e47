/* aliases - the addresses of ALIAS targets: looked up in the background through the configured resolvers, kept
 * where workers read them (zonemap/aliases.h), and in a file.
 *
 *   aliases.c      the table, what is due, look-ups
 *   alias_take.c   what an answer says, and what follows from it (pure)
 *   alias_file.c   data/probe/aliases: what outlives a restart of the appliance
 *
 * A target is looked up when its TTL is over, at least ALIAS_TTL_MIN and at most ALIAS_TTL_MAX after the last
 * time; a failing one after ALIAS_RETRY_MIN, then twice that, up to ALIAS_RETRY_MAX.  Equal targets are one.
 * One loop, its thread. */
#ifndef NS_PROBE_ALIASES_H
#define NS_PROBE_ALIASES_H

#include "appliance/probe/packet.h"
#include "appliance/probe/target.h"
#include "appliance/zonemap/aliases.h"
#include "ipc/nameserve.pb-c.h"

struct event_base;

#define ALIAS_TTL_MIN	5u		/* s: one that says less is believed that long */
#define ALIAS_TTL_MAX	3600u		/* s: a change is seen within this */
#define ALIAS_EMPTY_S	60u		/* s: until one without addresses is looked up again */
#define ALIAS_RETRY_MIN	5u		/* s */
#define ALIAS_RETRY_MAX	60u		/* s */
#define ALIAS_AT_ONCE	64u		/* targets being looked up: two look-ups each */

struct aliases_conf {
	struct event_base *base;
	const struct target *resolvers;
	size_t		 nresolvers;
	const struct target_rules *rules;
	struct alias_table *table;	/* NULL: nothing is kept for workers */
	int		 file;		/* -1: nothing outlives us */
	uint32_t	 keep_s;	/* the ceiling */
};

struct aliases	*aliases_new(const struct aliases_conf *);
void	 aliases_destroy(struct aliases **);
void	 aliases_feed(struct aliases *, const Ns__AliasFeed *);
void	 aliases_notice(const struct aliases *, Ns__ProbeNotice *);

/* ---- alias_take.c ---- */
/* What one look-up, of one family, ended with. */
enum alias_end { ALIAS_GOT, ALIAS_GOT_NONE, ALIAS_FAILED };
struct alias_answer {
	enum alias_end	 end;
	enum alias_fault fault;		/* not with GOT */
	uint32_t	 ttl;
	unsigned	 count;
	uint8_t		 octets[ALIAS_ADDRESSES][16];
};
void	 alias_take(const struct packet *, const uint8_t *name, enum alias_family,
	    const struct target_rules *, struct alias_answer *);
/* Both families together: *known becomes what is known from now_s on.  Addresses go only where others come, or
 * where it is certain that the family has none while the other has; else they stay until the ceiling. */
void	 alias_learn(struct alias_known *, const struct alias_answer[ALIAS_FAMILIES],
	    uint32_t now_s, uint32_t keep_s);
/* Seconds until the next look-up, after so many in a row that failed. */
uint32_t alias_next(const struct alias_known *, uint32_t now_s, unsigned failures);

/* ---- alias_file.c ---- */
#define ALIAS_RECORD	1024u		/* octets of the file for one target */
typedef void alias_read_fn(void *arg, uint32_t place, const uint8_t *name,
    const struct alias_known *);
/* Every whole record; *places: how many the file has room for. */
void	 alias_file_read(int fd, alias_read_fn *, void *arg, uint32_t *places);
void	 alias_file_write(int fd, uint32_t place, const uint8_t *name, const struct alias_known *);
void	 alias_file_erase(int fd, uint32_t place);
/* One record's octets; false: none, or damaged. */
bool	 alias_record_read(const uint8_t data[ALIAS_RECORD], uint8_t name[NAME_MAX_WIRE],
	    struct alias_known *);
void	 alias_record_write(uint8_t data[ALIAS_RECORD], const uint8_t *name,
	    const struct alias_known *);

#endif
