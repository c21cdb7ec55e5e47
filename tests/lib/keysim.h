/* keysim - a zone whose keys live by keystate.h, its servers and its parent's, and a resolver that validates.
 *
 * Simulated time in minutes.  Every change reaches each of the four servers (and the parent's) at another
 * moment within the margin.  The resolver keeps everything as long as its TTL allows, takes it from any
 * server, and validates whatever it hands out anew with what it has of DS and DNSKEY at that minute, by the strictest
 * reading (a signature by each algorithm of DNSKEY; a KSK for each algorithm of DS): worse than any real one. */
#ifndef NS_TESTS_KEYSIM_H
#define NS_TESTS_KEYSIM_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/keys/keyclock.h"
#include "appliance/keys/keystate.h"

#define SIM_SERVERS 4
#define SIM_NAMES   12		/* that are asked for, each with a TTL of its own */
#define SIM_HISTORY 64

struct sim_set {		/* of keys, by id */
	unsigned n;
	struct { uint32_t id; uint8_t algorithm; } key[KS_KEYS_MAX];
};
struct sim_zone {		/* as one server has it */
	struct sim_set	dnskey, ksk_signs, zsk_signs;	/* zsk_signs empty: unsigned */
};
struct sim_version {
	int64_t		at[SIM_SERVERS];	/* when each has it */
	struct sim_zone	zone;
};
struct sim_ds_version {
	int64_t		at[SIM_SERVERS];
	struct sim_set	ds;
};
struct sim_cached {
	int64_t		until;
	struct sim_zone	zone;
};

struct keysim {
	uint64_t	random;
	int64_t		now;		/* real seconds */
	int64_t		wall_off;	/* of the primary's clock */
	int64_t		idle_until;	/* the primary does nothing before */
	struct keyclock	clock;
	bool		on;		/* the zone is signed */
	struct ks_zone	z;
	struct sim_zone	made;		/* the newest */
	struct sim_set	submitted;	/* what the registrar was given, and when it acts */
	int64_t		submit_at;
	bool		lazy;		/* nobody gives anything to the registrar */
	unsigned	nversions, nds;
	struct sim_version versions[SIM_HISTORY];
	struct sim_ds_version ds[SIM_HISTORY];
	uint32_t	ds_spread;	/* seconds until the last server of the parent has a change */
	uint32_t	ttl[SIM_NAMES], zone_ttl, ds_ttl;
	struct sim_cached names[SIM_NAMES], dnskey;
	struct { int64_t until; struct sim_set ds; } parent;
	unsigned	asked, secure;	/* answers, and those that validated */
	const char	*bogus;		/* the first time something did not validate; NULL: never */
	int64_t		bogus_at;
};

void	 keysim_init(struct keysim *, uint64_t seed, uint32_t zone_ttl);
void	 keysim_enable(struct keysim *, uint8_t algorithm);
/* What ks_roll() and the like ask for, done. False: refused. */
bool	 keysim_roll(struct keysim *, enum ks_role, bool urgent);
bool	 keysim_algorithm(struct keysim *, uint8_t algorithm);
bool	 keysim_leave(struct keysim *);
/* A minute: the primary works (unless it is idle), the registrar, the resolver asks. */
void	 keysim_minute(struct keysim *);
void	 keysim_run(struct keysim *, int64_t seconds);
/* Only active keys. */
bool	 keysim_quiet(const struct keysim *);
/* Until that, `days` at most. */
bool	 keysim_until_quiet(struct keysim *, unsigned days);
unsigned keysim_count(const struct keysim *, enum ks_role);

#endif
