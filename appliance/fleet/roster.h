/* roster - who belongs to the fleet, as the changes say; and who may connect.
 *
 * Pure.  A copy lives in sync's loop; the store has the truth (store_member_*).  The allow-list of the
 * fleet port is this: the key of each member, and the key of each open invitation, for enrolment alone. */
#ifndef NS_FLEET_ROSTER_H
#define NS_FLEET_ROSTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/fleet/endpoint.h"
#include "appliance/fleet/key.h"
#include "ipc/nameserve.pb-c.h"

#define FLEET_MEMBERS	  256u /* appliances of one installation */
#define FLEET_NAME	  64u
#define FLEET_USER	  (FLEET_NAME + 2 + 16 + 2) /* what ZAP calls a connection */
#define FLEET_INVITE_MS	  (24 * 3600 * 1000LL) /* how long an invitation holds */
/* After it was used it holds so long for the same key: the answer may have been lost. */
#define FLEET_INVITE_AGAIN_MS (60 * 1000LL)
#define FLEET_OVERLAP_S	  3600u /* both keys of an appliance are good for so long, and */
#define FLEET_OVERLAP_MAX_S 86400u /* at most */

struct member_drain {
	char author[64], reason[512]; /* as long as those of a change */
	int64_t at_ms;
	uint32_t ttl; /* the largest that was served then, */
	bool ttl_partial; /* as far as there was time to look */
};
struct member_roll {
	bool asked; /* for a new key; */
	bool announced; /* the appliance has it: it is as good as the old one, and alone after until_ms */
	uint32_t overlap_s;
	int64_t until_ms; /* wall clock */
	uint8_t key[FLEET_KEY];
};
struct member {
	char name[FLEET_NAME], site[FLEET_NAME], trust[16], endpoint[ENDPOINT_MAX];
	bool enrolled, removed, invited, standby;
	bool site_claimed; /* the site is its own word */
	uint8_t key[FLEET_KEY], invite_key[FLEET_KEY];
	int64_t invite_until_ms;
	uint64_t since;
	bool drained; /* out of service: it answers what still comes, and checks nothing */
	struct member_drain drain;
	struct member_roll roll;
};
struct roster {
	size_t count;
	struct member *members; /* by name */
};

bool member_name_ok(const char *); /* as [appliance] name: letters, digits, - . _ */
bool member_trust_ok(const char *);
/* false: not a member that can be. */
bool member_from_message(struct member *, const Ns__FleetMember *);
/* A member as it is stored: `message`, and what that points to.  Borrows the strings and keys of the member. */
struct member_message {
	Ns__FleetMember message;
	Ns__FleetMember__Drain drain;
	Ns__FleetMember__Roll roll;
};
void member_to_message(const struct member *, struct member_message *);

void roster_free(struct roster *);
/* The one that is named; NULL: none. */
const struct member *roster_standby(const struct roster *);
/* Add or replace. */
bool roster_put(struct roster *, const struct member *);
/* Where the invitation said that it is; "": it did not. */
const char *roster_site(const struct roster *, const char *name);
/* Somebody has that key, or will have it, or was invited with it. */
bool roster_has_key(const struct roster *, const uint8_t key[FLEET_KEY]);
const struct member *roster_find(const struct roster *, const char *name); /* removed ones too */
/* In the fleet and not drained: who shares the health checks. */
size_t roster_serving(const struct roster *);
size_t roster_active(const struct roster *); /* enrolled and not removed */

/* May this key connect?  Fills what the connection is called from then on. */
bool roster_admit(const struct roster *, const uint8_t key[FLEET_KEY], int64_t now_ms,
    char user[FLEET_USER]);
/* Whom a connection of that name stands for now; NULL: nobody any more.  *invite: it may enrol, no
 * more than that. */
const struct member *roster_user(
    const struct roster *, const char *user, int64_t now_ms, bool *invite);

#endif
