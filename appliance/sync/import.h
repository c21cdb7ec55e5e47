/* import - zone files in: sessions (loop), parsing (text threads), storing (writer thread).
 *
 * A session belongs to a connection and is counted by what is in flight for it.  The loop hands each
 * data message to the text threads in parts: all files that are whole in one go, pieces of a larger
 * file one after the other.  Finished zones go to the writer, which puts up to 1,000 of them into a
 * change.  A data message is answered when its files are read and the writer has room: that is the
 * back-pressure. */
#ifndef NS_SYNC_IMPORT_H
#define NS_SYNC_IMPORT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "appliance/store/store.h"
#include "appliance/sync/diff.h"
#include "appliance/sync/request.h"
#include "ipc/base/wbuf.h"

#define IMPORT_SESSIONS	   8		/* at once */
#define IMPORT_WINDOW	   4		/* data messages unanswered, as the client is told */
#define IMPORT_CHUNK	   NS_CHUNK
#define IMPORT_FILE_MAX	   (256ull << 20)	/* text of one zone */
#define IMPORT_ZONE_MAX	   (400u << 20)	/* its zwire: one value of the store holds it twice */
#define IMPORT_OPEN_FILES  16		/* files of one session that are not complete yet */
#define IMPORT_OPEN_BYTES  (512ull << 20)	/* text in unfinished files, all sessions */
#define IMPORT_BACKLOG	   (16u << 20)	/* parsed, not committed: answers wait above it */
#define IMPORT_CHANGE_ZONES 1000
#define IMPORT_CHANGE_BYTES (4u << 20)
#define IMPORT_ERRORS	   1000		/* told one by one, */
#define IMPORT_ERROR_OCTETS (768u << 10)	/* as long as the reply fits NS_MSG_MAX */
#define IMPORT_IDLE_NS	   (60ull * 1000000000u)	/* a silent session is closed */
#define IMPORT_PROBE_NS	   1000000000ull	/* and sooner when nobody is there any more */

/* Shared by loop and threads; counted. What threads may read is set before it is shared. */
struct import_session {
	atomic_uint	 refs;
	uint64_t	 id;
	struct caller	 caller;
	char		*comment;
	bool		 commit, want_draft;
	char		**confirm;	/* zones of which a large part may change */
	size_t		 nconfirm;
	/* Made by the writer thread before the session's end comes back, then the loop's. */
	Ns__ZoneEdit	*draft;
};
struct import_session	*import_session_ref(struct import_session *);
void	 import_session_unref(struct import_session **);

enum import_outcome { IMPORT_CREATED, IMPORT_REPLACED, IMPORT_UNCHANGED, IMPORT_FAILED };

/* One file's result: a zone ready to be stored, or why not.  name NULL is the end of a session. */
struct import_zone {
	struct job	 job;
	TAILQ_ENTRY(import_zone) link;
	struct import_session *session;
	bool		 end;		/* no zone: the session's last word to the writer */
	char		*file;
	uint8_t		 name[255];
	uint32_t	 serial;
	bool		 external, policies;
	uint64_t	 records;
	struct wbuf	 zwire;
	enum import_outcome outcome;
	struct ns_why	 why;
	uint64_t	 revision;	/* of the change that has it */
};
TAILQ_HEAD(import_zone_list, import_zone);

/* What one batch did for one session: the writer counts, so that the loop need not walk thousands of
 * zones.  Only failed ones are kept, for their reasons. */
struct import_tally {
	TAILQ_ENTRY(import_tally) link;
	struct import_session *session;
	uint64_t	 zones, records, unchanged, revision;
	size_t		 count, octets;		/* zones that left the writer's queue */
	bool		 end;
	struct import_zone_list failed;
};
TAILQ_HEAD(import_tally_list, import_tally);
void	 import_tally(struct import_zone_list *, struct import_tally_list *);	/* empties the first */
void	 import_tally_destroy(struct import_tally **);

struct import_zone	*import_zone_new(struct import_session *, const char *file);
void	 import_zone_destroy(struct import_zone **);
size_t	 import_zone_octets(const struct import_zone *);	/* what it counts against the backlog */

/* ---- reading (text thread): importparse.c ---- */
struct import_parser;
/* `zone` is text; a bad name is told by the first feed. */
struct import_parser	*import_parser_new(const char *zone);
void	 import_parser_destroy(struct import_parser **);
void	 import_parser_feed(struct import_parser *, const void *text, size_t len);
bool	 import_parser_failed(const struct import_parser *);	/* it keeps no text any more */
/* Checks the zone and fills it; outcome IMPORT_FAILED with why. */
void	 import_parser_end(struct import_parser *, struct import_zone *);

/* ---- storing (writer thread): importwrite.c ---- */
struct writer_thread;
void	 import_zone_work(struct job *, void *writer_thread);

/* ---- sessions (loop): import.c ---- */
struct batch;
struct imports	*imports_new(void);
void	 imports_destroy(struct imports **);
void	 import_begin(struct sync *, struct request *);
void	 import_data(struct sync *, struct request *);
void	 import_end(struct sync *, struct request *);
void	 import_abandon(struct sync *, struct request *);
/* Results of a committed (or refused) batch. */
void	 imports_batch(struct sync *, struct batch *);
/* The connection is gone: its sessions end when what is under way has ended. */
void	 imports_gone(struct sync *, const struct ns_peer *);
void	 imports_tick(struct sync *, uint64_t now_ns);

#endif
