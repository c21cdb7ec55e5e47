/* draft - edits that are not committed yet, kept in files: per user, per appliance (or fleet), one file a
 * zone.  For CLI and console; nothing here talks to anybody.
 *
 * A draft is a list of operations on one zone and the version of the zone they were made on; drafts of several
 * zones become one change when they are committed together.  Every save is whole before it is seen
 * (temporary file, fsync, rename, fsync of the directory), so a kill -9 or a power cut leaves the old one or
 * the new one.  Who changes drafts holds the lock; two programs take turns.  The files are hostile input:
 * bounded, checksummed, checked as a message is (draft_decode, tests/fuzz/draft_fuzz.c), ours alone. */
#ifndef NS_IPC_CLIENT_DRAFT_H
#define NS_IPC_CLIENT_DRAFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipc/base/err.h"
#include "ipc/nameserve.pb-c.h"

#define DRAFT_OPS_MAX 10000u /* what a commit takes (appliance/sync/edit.h) */
#define DRAFT_OCTETS  (16u << 20) /* of a file */
#define DRAFT_COMMENT_MAX 400u /* octets */
#define DRAFT_STEPS_MAX 16u /* that undo takes back whole */

struct ns_drafts;

/* The drafts for this appliance or fleet.  `state`: the directory above (NULL: $XDG_STATE_HOME/nameserve, else
 * ~/.local/state/nameserve).  Directories are made with mode 0700; one that others may write is refused. */
struct ns_drafts *ns_drafts_open(const char *state, const char *fleet, struct ns_why *);
void ns_drafts_close(struct ns_drafts **); /* unlocks */
const char *ns_drafts_path(const struct ns_drafts *); /* for messages */
/* Alone until closed or unlocked; NS_UNAVAILABLE when another program does not give it back in time. */
enum ns_err ns_drafts_lock(struct ns_drafts *, unsigned wait_ms, struct ns_why *)
    __attribute__((warn_unused_result));
void ns_drafts_unlock(struct ns_drafts *);

/* zone: text in any case, with or without the last dot.  Free with ns__draft__free_unpacked(d, NULL).
 * NS_NOTFOUND: no draft; NS_CORRUPT: a file that is no draft, with its path (drop takes it away). */
enum ns_err ns_draft_load(struct ns_drafts *, const char *zone, Ns__Draft **, struct ns_why *)
    __attribute__((warn_unused_result));
/* Locked.  NS_INVALID: too much in it; NS_UNAVAILABLE: the disk is full: the one before is still there. */
enum ns_err ns_draft_save(struct ns_drafts *, const Ns__Draft *, struct ns_why *)
    __attribute__((warn_unused_result));
/* Locked.  NS_NOTFOUND. */
enum ns_err ns_draft_drop(struct ns_drafts *, const char *zone, struct ns_why *)
    __attribute__((warn_unused_result));

/* All of them, by name of zone; damaged ones with draft NULL and why.  false stops. */
typedef bool ns_draft_fn(void *arg, const char *zone, const Ns__Draft *, const struct ns_why *);
enum ns_err ns_drafts_each(struct ns_drafts *, ns_draft_fn *, void *arg, struct ns_why *);
/* The zones that have one, as the appliance names them; malloc'ed, and each of them. */
size_t ns_drafts_zones(struct ns_drafts *, char ***names);
/* The names of appliances or fleets that there are drafts for; malloc'ed, and each of them. */
size_t ns_drafts_fleets(const char *state, char ***names);

/* Where something else of this kind is kept for an appliance or fleet: $XDG_STATE_HOME/nameserve/KIND/FLEET+suffix;
 * its directories are made.  malloc'ed; NULL: there is no place. */
char *ns_state_file(const char *kind, const char *fleet, const char *suffix);

/* ---- pure: a file's bytes ---- */
/* malloc'ed; NULL: too large. */
uint8_t *draft_encode(const Ns__Draft *, size_t *len);
Ns__Draft *draft_decode(const void *data, size_t len, struct ns_why *);
Ns__Draft *draft_decode_body(const void *body, size_t len, struct ns_why *); /* behind the checksum */
/* "Example.COM" → "example.com."; malloc'ed. */
char *draft_zone(const char *zone);

#endif
