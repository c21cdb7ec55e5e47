/* import_session - a session as the loop sees it, and its files on their way through the text
 * threads.  Between import.c (life of a session) and importfiles.c (files) only. */
#ifndef NS_SYNC_IMPORT_SESSION_H
#define NS_SYNC_IMPORT_SESSION_H

#include "appliance/sync/import.h"
#include "appliance/sync/sync.h"

struct open_file;
struct session {
	TAILQ_ENTRY(session) link;
	struct import_session *shared;
	struct ns_peer	 peer;
	bool		 gone;			/* its connection */
	uint64_t	 began_ns, used_ns, probed_ns;
	unsigned	 unanswered, reading;	/* data messages */
	size_t		 writing;		/* zones in the writer's queue */
	struct request_list read;		/* read, not answered: waiting for room */
	struct request	*end;			/* ImportEnd has come */
	bool		 ending;		/* and was handed to the writer */
	TAILQ_HEAD(, open_file) files;
	unsigned	 nfiles;
	uint64_t	 zones, records, unchanged, failed, revision;
	Ns__ImportFileError **errors;
	size_t		 nerrors, error_octets;
};

/* importfiles.c */
void	 session_parts_init(struct session *);
uint64_t session_parts_free(struct session *);		/* octets of text given back */
enum ns_err	 session_admit(struct session *, struct request *, uint64_t open_bytes);
/* Hand a data message to the text threads; octets that stay in unfinished files. */
uint64_t session_split(struct sync *, struct session *, struct request *);
/* At the end: files without their last piece become errors. Octets given back. */
uint64_t session_unfinished(struct session *);
char	*session_reason(const struct ns_why *);

/* import.c */
void	 session_error(struct session *, const char *file, const struct ns_why *);
void	 import_zone_read(struct sync *, struct session *, struct import_zone *);
void	 import_message_read(struct sync *, struct session *, struct request *);
void	 import_text_freed(struct sync *, uint64_t octets);

#endif
