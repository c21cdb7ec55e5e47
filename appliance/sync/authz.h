/* authz - who a caller of the control socket is and what he may do.
 *
 * The identity is what the kernel says of the other end of the Unix socket; no message names its
 * sender, with one exception: the account that the configuration names ([ssh] account), whose programs are
 * started by sshd for a key that belongs to one person, says in hello which.  root and the user that runs the
 * appliance are admin; everybody else is who the store says (people.h), or unknown. */
#ifndef NS_SYNC_AUTHZ_H
#define NS_SYNC_AUTHZ_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/sync/people.h"
#include "ipc/base/source.h"

struct ns_peer;

struct caller {
	enum user_role	role;
	uint32_t	uid;
	char		name[64];	/* as it stands in the history */
	char		via[16];	/* cli, console, api */
	char		source[SOURCE_LEN];	/* from where he reached the appliance that he speaks to (source.h), */
	char		appliance[64];	/* this one; both "": nobody asked for it */
	char		relay[64];	/* the appliance that passed it on, "": this one, */
	char		relay_site[64];	/* and where that is */
};

struct authz {
	uint32_t	admin_uid;
	char		admin_name[64];	/* looked up before the rights are dropped; may be empty */
	bool		shares;		/* there is an account that speaks for others, */
	uint32_t	shared_uid;	/* this one */
	struct people	*people;	/* of the store; NULL: not read yet */
};

/* shared: the account of [ssh] account; empty: none. */
void	 authz_init(struct authz *, uint32_t admin_uid, const char *shared);
/* person: whom the peer says that it speaks for, "": itself.  NS_DENIED when it may not name anybody. */
enum ns_err authz_caller(const struct authz *, const struct ns_peer *, const char *person,
	    struct caller *, struct ns_why *);
/* By which way he comes: the program and the source are what its hello says, and for the history only, never for
 * rights.  sshd gives the source to what it starts; who has a shell of his own may make one up. */
void	 authz_way(struct caller *, const char *software, const char *source, const char *appliance);
/* Those of another caller: the same one, as he was before. */
void	 authz_way_keep(struct caller *, const struct caller *was);

#endif
