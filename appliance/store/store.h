/* store - the one narrow door to everything that must survive: zones, their RRsets, the change log,
 * settings, idempotency keys, the fleet's role and term.
 *
 * SQLite behind it (WAL, STRICT, foreign keys, synchronous=FULL, numbered migrations); nobody else
 * includes sqlite3.h, so that a client/server SQL engine fits later without touching sync's logic.
 * Blocking: called only from sync's own threads, one handle per thread, one STORE_WRITE handle per
 * data directory (a lock file with the holder's pid makes a second appliance an error).  Every row
 * that is read is checked (NS_CORRUPT); a store from a newer version is refused (NS_VERSION);
 * a full disk is NS_UNAVAILABLE with nothing half-applied.
 *
 * Zone content is kept in parts: runs of owners in canonical order, each a zwire of at most
 * STORE_PART octets (more for one fat owner), keyed by the first owner's sort key.  A 20-record zone
 * is one row, an edit in a million-record zone rewrites one part.  That is hidden here: callers see
 * owners. */
#ifndef NS_STORE_STORE_H
#define NS_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipc/base/err.h"
#include "ipc/base/wbuf.h"

#define STORE_PART 16384u
#define STORE_SCHEMA 8			/* newest migration this code knows */
#define STORE_HASH 32			/* SHA-256 */

struct store;
enum store_mode { STORE_READ, STORE_WRITE };

/* Opens <dir>/store.db; STORE_WRITE creates and migrates it.  `vfs` names the SQLite VFS to use (NULL:
 * the default); tests pass those of tests/lib. */
enum ns_err	 store_open(const char *dir, enum store_mode, const char *vfs, struct store **,
		    struct ns_why *) __attribute__((warn_unused_result));
void	 store_close(struct store **);
/* Its cache back to the allocator, as far as nothing in it has to be written: after a walk over everything. */
void	 store_shrink(struct store *);
/* Why the last call on this handle failed, for the calls below that take no ns_why. */

/* Transactions.  Reads outside one see the newest committed state; a reader that wants several
 * consistent reads uses begin/rollback too.  A commit that fails has rolled back.  mark/release/undo is
 * one level of savepoint. */
enum ns_err	 store_begin(struct store *, struct ns_why *) __attribute__((warn_unused_result));
/* One whose COMMIT does not wait for the disk: it outlives this process at once, and the machine with the next
 * ordinary one.  For what may be found older than it was. */
enum ns_err	 store_begin_light(struct store *, struct ns_why *) __attribute__((warn_unused_result));
enum ns_err	 store_commit(struct store *, struct ns_why *) __attribute__((warn_unused_result));
void	 store_rollback(struct store *);
enum ns_err	 store_mark(struct store *, struct ns_why *) __attribute__((warn_unused_result));
enum ns_err	 store_release(struct store *, struct ns_why *) __attribute__((warn_unused_result));
void	 store_undo(struct store *);

/* ---- zones ---- */
struct store_zone {
	uint64_t	id;			/* never reused */
	uint8_t		name[255];		/* wire, lower case */
	uint8_t		name_len;
	uint64_t	version;		/* revision of the last change that touched it */
	uint32_t	serial;
	uint64_t	records, rrsets, bytes;	/* bytes: of all parts' zwire */
	uint32_t	account;		/* 0: the installation's own */
	bool		external;		/* arrived with DNSSEC records: served untouched */
	int64_t		changed_ms;		/* wall clock */
	bool		deleted;		/* tombstone: only in store_zones_since */
};
typedef bool store_zone_fn(void *arg, const struct store_zone *);
enum ns_err	 store_zone_find(struct store *, const uint8_t *name, struct store_zone *);
/* Insert (id 0: one is given) or update the row.  Content is separate. */
enum ns_err	 store_zone_put(struct store *, struct store_zone *, struct ns_why *);
enum ns_err	 store_zone_by_id(struct store *, uint64_t id, struct store_zone *);
/* Row and content go, a tombstone with the revision stays. */
enum ns_err	 store_zone_drop(struct store *, uint64_t id, uint64_t revision, int64_t now_ms,
		    struct ns_why *);
/* Tombstones of zones deleted after that time, newest first: version is the change that deleted. */
enum ns_err	 store_tombs(struct store *, int64_t after_ms, store_zone_fn *, void *arg);
/* Take the tombstone away, so that a zone with this id may be put again.  NS_NOTFOUND. */
enum ns_err	 store_zone_unbury(struct store *, uint64_t id, struct ns_why *);
uint64_t	 store_zone_count(struct store *);
/* Zones in canonical order after `after` (NULL: from the start). match NULL: all.  false from each
 * stops.  Returns NS_OK also when stopped. */
enum ns_err	 store_zone_each(struct store *, const uint8_t *after, store_zone_fn *, void *arg);
/* Zones (and tombstones) whose version is newer than `revision`, by id. */
enum ns_err	 store_zones_since(struct store *, uint64_t revision, store_zone_fn *, void *arg);

/* ---- content ---- (all zwire; outputs are appended to a growing wbuf) */
enum ns_err	 store_owner_get(struct store *, uint64_t zone, const uint8_t *owner, struct wbuf *);
/* The RRsets of the first owner after this one (NULL: the first); NS_NOTFOUND at the end. */
enum ns_err	 store_owner_after(struct store *, uint64_t zone, const uint8_t *owner, struct wbuf *);
/* Replace all RRsets of an owner; len 0 removes it.  NS_INVALID over OWNER_MAX_WIRE. */
enum ns_err	 store_owner_put(struct store *, uint64_t zone, const uint8_t *owner,
		    const void *zwire, size_t len, struct ns_why *);
/* Replace everything with this zwire, which may come in several calls (first clears). */
enum ns_err	 store_content_put(struct store *, uint64_t zone, bool first, const void *zwire,
		    size_t len, struct ns_why *);
/* Row and content of a zone that was read a moment ago, at once: the same as both calls, and three times as fast where
 * it is of one part before and after. */
enum ns_err	 store_zone_write(struct store *, struct store_zone *, const void *zwire, size_t len,
		    struct ns_why *) __attribute__((warn_unused_result));
/* About `want` octets of whole owners from the part that follows `after` (NULL: the start);
 * `last` gets the last owner given, for the next call; NS_NOTFOUND at the end. */
enum ns_err	 store_content_get(struct store *, uint64_t zone, const uint8_t *after, size_t want,
		    struct wbuf *, uint8_t last[255]);

/* ---- what zones mention: an index that comes with their content ---- */
enum store_mention { STORE_CHECKS, STORE_ALIASES };
struct store_mentioned {
	const uint8_t	*name;		/* of the check; of the ALIAS's target: wire, lower case */
	size_t		 len;
	uint64_t	 zone;
	const uint8_t	*owner;		/* wire */
};
typedef bool store_mention_fn(void *arg, const struct store_mentioned *);
/* In order of name, zone and owner; name NULL: all.  False from fn stops. */
enum ns_err	 store_mention_each(struct store *, enum store_mention, const void *name, size_t len,
		    store_mention_fn *, void *arg);
/* Those of one zone, in order of owner and name. */
enum ns_err	 store_mention_zone(struct store *, enum store_mention, uint64_t zone,
		    store_mention_fn *, void *arg);
/* Rises whenever this handle changes the index. */
uint64_t	 store_mentions(const struct store *);

/* ---- change log ---- */
struct store_change {
	uint64_t	revision, term;
	int64_t		at_ms;
	char		author[64], via[16], kind[16];
	char		comment[512];
	char		source[48];	/* from where he reached the appliance: an address, "local"; "": nobody asked for it */
	char		appliance[64];	/* the one that he spoke to; "": as above, or of before it was kept */
	uint64_t	added, removed, zone_count;
	uint8_t		prev[STORE_HASH], hash[STORE_HASH];
};
/* Appends as revision = head + 1.  hash = SHA-256(prev || header as stored || SHA-256(body)); fills
 * revision, prev and hash.  `zones` are the ids it touched (for history by zone). */
enum ns_err	 store_change_append(struct store *, struct store_change *, const void *body,
		    size_t body_len, const uint64_t *zones, size_t nzones, struct ns_why *);
enum ns_err	 store_change_get(struct store *, uint64_t revision, struct store_change *,
		    struct wbuf *body /* NULL: not wanted */);
typedef bool store_change_fn(void *arg, const struct store_change *);
/* Newest first, below `before` (0: from the head); zone 0: all. */
enum ns_err	 store_change_each(struct store *, uint64_t zone, uint64_t before, store_change_fn *,
		    void *arg);
/* Appends a change that another appliance made, position and hash included: NS_CONFLICT when it does
 * not follow our head, NS_CORRUPT when its hash is not that of what it holds. */
enum ns_err	 store_change_adopt(struct store *, const struct store_change *, const void *body,
		    size_t body_len, const uint64_t *zones, size_t nzones, struct ns_why *);
/* Forgets all changes after that one, with the keys, windows and tombstones that came with them: what they
 * did to zones is the caller's to undo first.  Only for histories that lost (sync/rewind.h). */
enum ns_err	 store_change_drop(struct store *, uint64_t after, struct ns_why *);
/* The same with a body of which zones were taken out; digest: SHA-256 of all of it. */
enum ns_err	 store_change_adopt_part(struct store *, const struct store_change *,
		    const uint8_t digest[STORE_HASH], const void *body, size_t body_len,
		    const uint64_t *zones, size_t nzones, struct ns_why *);
/* That digest; NS_NOTFOUND: all of the change is here. */
enum ns_err	 store_change_digest(struct store *, uint64_t revision, uint8_t digest[STORE_HASH]);
/* From now on this is all that is held of the change; answers that named it are forgotten. */
enum ns_err	 store_change_withhold(struct store *, uint64_t revision, const void *body,
		    size_t body_len, struct ns_why *);
/* Write the file anew, so that what was removed is in no free page and not in the log of SQLite.  Outside
 * a transaction.  NS_UNAVAILABLE: somebody reads; again later. */
enum ns_err	 store_scrub(struct store *, struct ns_why *);
/* A piece of a change's body, at most `want` octets from `offset`, and its header; *size: all of it. */
enum ns_err	 store_change_piece(struct store *, uint64_t revision, uint64_t offset, size_t want,
		    struct store_change *, uint64_t *size, struct wbuf *piece);
enum ns_err	 store_head(struct store *, uint64_t *revision, uint64_t *term,
		    uint8_t hash[STORE_HASH]);

/* ---- changes that are taken back unless confirmed ---- */
struct store_window {
	uint64_t	revision;		/* of the change */
	uint64_t	total_ms, remaining_ms;	/* counted by a clock that nobody sets */
};
/* Insert, or set what remains. */
enum ns_err	 store_window_put(struct store *, const struct store_window *, struct ns_why *);
enum ns_err	 store_window_del(struct store *, uint64_t revision, struct ns_why *);	/* or none */
typedef bool store_window_fn(void *arg, const struct store_window *);
enum ns_err	 store_window_each(struct store *, store_window_fn *, void *arg);	/* oldest first */

/* ---- settings, facts, idempotency ---- */
enum ns_err	 store_setting_put(struct store *, const char *name, const char *value,
		    struct ns_why *);			/* value NULL: remove */
/* The value, malloc'ed; NS_NOTFOUND. */
enum ns_err	 store_setting_get(struct store *, const char *name, char **value);
typedef bool store_setting_fn(void *arg, const char *name, const char *value);
enum ns_err	 store_setting_each(struct store *, store_setting_fn *, void *arg);

/* ---- objects ----
 * Everything replicated that is no zone and no setting: users, accounts, appliances, checks …  Small,
 * read whole, told apart by kind and name; `body` is a protobuf message of the kind's own. */
#define STORE_OBJECT_MAX (64u << 10)	/* octets of a body */
struct store_object {
	char		kind[16];		/* "user", "account" … */
	char		name[256];
	uint64_t	id;			/* within all kinds; never reused */
	uint64_t	version;		/* revision of the change that put it */
};
/* New or replaced; id 0: taken from the object of that name, or a new one, and filled in. */
enum ns_err	 store_object_put(struct store *, struct store_object *, const void *body,
		    size_t len, struct ns_why *);
/* The same for one that another appliance made, number included: what is here under the number or the name and
 * should not be is dropped. */
enum ns_err	 store_object_adopt(struct store *, struct store_object *, const void *body,
		    size_t len, struct ns_why *);
enum ns_err	 store_object_drop(struct store *, const char *kind, const char *name,
		    struct ns_why *);			/* NS_NOTFOUND */
enum ns_err	 store_object_get(struct store *, const char *kind, const char *name,
		    struct store_object *, struct wbuf *body /* NULL: not wanted */);
typedef bool store_object_fn(void *arg, const struct store_object *, const void *body, size_t len);
/* By kind and name; kind NULL: all. */
enum ns_err	 store_object_each(struct store *, const char *kind, store_object_fn *, void *arg);
/* All after that one. */
enum ns_err	 store_object_after(struct store *, const char *kind, const char *name,
		    store_object_fn *, void *arg);

/* Local facts, not part of changes: role, term, appliance name. */
enum ns_err	 store_fact_put(struct store *, const char *name, const char *value, struct ns_why *);
enum ns_err	 store_fact_get(struct store *, const char *name, char **value);

/* Keys hold 24 h and are part of the change's transaction.  `digest` is of the request's body: the
 * same key with another body is NS_CONFLICT. */
enum ns_err	 store_idem_get(struct store *, const char *principal, const char *key,
		    const uint8_t digest[STORE_HASH], int64_t now_ms, struct wbuf *reply,
		    struct ns_why *);			/* NS_NOTFOUND: new */
enum ns_err	 store_idem_put(struct store *, const char *principal, const char *key,
		    const uint8_t digest[STORE_HASH], int64_t now_ms, const void *reply, size_t len,
		    struct ns_why *);

/* The keys that were answered with a change, for those who follow; and their word taken over. */
struct store_idem {
	const char	*principal, *key;
	uint8_t		 digest[STORE_HASH];
	int64_t		 at_ms;
	const void	*reply;
	size_t		 reply_len;
};
typedef void store_idem_fn(void *arg, const struct store_idem *);
enum ns_err	 store_idem_each(struct store *, uint64_t revision, store_idem_fn *, void *arg);
enum ns_err	 store_idem_adopt(struct store *, uint64_t revision, const struct store_idem *,
		    struct ns_why *);

/* ---- whole-store checks ---- */
typedef void store_fault_fn(void *arg, const char *what, const char *zone, const char *text);
/* SQLite's quick_check, foreign keys, every part (zwire_check, order, counts against the zone row),
 * the hash chain from the first change to the head.  In pieces of about `budget_ms` per call, so
 * that a reader thread can be asked to stop between: *cursor 0 starts, 0 again ends. */
enum ns_err	 store_verify_step(struct store *, uint64_t *cursor, unsigned budget_ms,
		    store_fault_fn *, void *arg);
/* WAL checkpoint of at most a little work; called by the writer when idle. */
void	 store_idle(struct store *);

#endif
