/* people - the users of the store, and which account of this host each of them is.
 *
 * A user is replicated; the account that he is has another uid on every host, so each appliance looks
 * it up in its own /etc/passwd (local accounts: sync has no network and no NSS modules).  Loaded in a
 * thread with a store handle, handed to the loop as a whole, immutable there. */
#ifndef NS_SYNC_PEOPLE_H
#define NS_SYNC_PEOPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipc/base/err.h"

#define PEOPLE_NAME_MAX 32u	/* of users, accounts of the host, customers' accounts */

struct store;

enum user_role { USER_UNKNOWN, USER_VIEWER, USER_OPERATOR, USER_ADMIN };
const char	*user_role_name(enum user_role);
/* USER_UNKNOWN: no such role. */
enum user_role	 user_role_from(const char *);

struct person {
	char		name[PEOPLE_NAME_MAX + 1];
	char		unix_account[PEOPLE_NAME_MAX + 1];
	enum user_role	role;
	bool		known;			/* the account is on this host */
	uint32_t	uid;			/* when known */
	uint64_t	version;		/* revision of the change that put him */
};

struct people {
	struct person	*list;			/* by name */
	size_t		 count;
};

/* Reads users from the store and accounts from the file (NULL: /etc/passwd).  What cannot be read is
 * left out with a line in the log: fewer rights, never more. */
struct people	*people_load(struct store *, const char *passwd);
void		 people_destroy(struct people **);
const struct person	*people_by_uid(const struct people *, uint32_t uid);
const struct person	*people_by_name(const struct people *, const char *);

/* Letters, digits, - _ . and not one of the names that the system uses itself. */
bool	 people_name_ok(const char *);

#endif
