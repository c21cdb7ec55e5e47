/* users - who may use this appliance: the requests about users and customers' accounts, and how the loop
 * learns of changes.  Handlers of the table in control.c. */
#ifndef NS_SYNC_USERS_H
#define NS_SYNC_USERS_H

#include "appliance/sync/request.h"
#include "appliance/sync/sync.h"

/* Loop: these are the users from now on; connections get the rights that they have now.  Takes the
 * table over; NULL: nothing new. */
void	 people_install(struct sync *, struct people **);
/* Loop: a caller whom nobody knows may be an account made a moment ago: read the table anew in a
 * thread, then call back with the peer.  False: it was read just now, or everybody is busy. */
struct greeting { /* what his hello says, cut to what is used of it */
	uint64_t	 id;
	char		 software[64], person[PEOPLE_NAME_MAX + 1], source[SOURCE_LEN];
};
typedef void newcomer_fn(struct sync *, const struct ns_peer *, const struct greeting *);
bool	 newcomer_look(struct sync *, const struct ns_peer *, const struct greeting *, newcomer_fn *);

/* One object as a change of its own: put (body) or removed (NULL), with the reply. */
struct object_edit {
	const char	*kind, *name, *comment;
	const ProtobufCMessage	*body;
};
enum ns_err	 object_commit(struct request *, struct batch *, const struct object_edit *);

enum ns_err	 user_set_write(struct request *, struct batch *);
enum ns_err	 user_list_read(struct request *, struct store *);
enum ns_err	 account_set_write(struct request *, struct batch *);
enum ns_err	 account_list_read(struct request *, struct store *);
enum ns_err	 zone_set_write(struct request *, struct batch *);

/* accounts.c: the number of a customer's account; "" is 0, the installation's own.  NS_NOTFOUND. */
enum ns_err	 account_id(struct store *, const char *name, uint32_t *id, struct ns_why *);
/* For lists: the name of a number, malloc'ed, "" for 0.  The table is read at the first need. */
struct account_names;
char	*account_name(struct store *, uint32_t id, struct account_names **);
void	 account_names_destroy(struct account_names **);
/* May a zone of that name be in this account: none equal to, above or below it may be another's.  NS_CONFLICT
 * names the other zone. */
enum ns_err	 account_may_have(struct store *, const uint8_t *zone, uint32_t account,
		    struct ns_why *);

#endif
