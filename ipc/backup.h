/* backup - the form of a backup file, written and read a piece at a time.
 *
 *     "NameServe-backup"   u32 form (1)   u32 octets of the header   header: a packed BackupInfo
 *     the store's image, as many octets as the header says           SHA-256 of all that was before
 *
 * Numbers in network order.  sync makes such files, the CLI stores them and reads them to see whether
 * they are whole, sync reads them again before it believes one.  Pure; no file is touched here. */
#ifndef NS_IPC_BACKUP_H
#define NS_IPC_BACKUP_H

#include <stddef.h>
#include <stdint.h>

#include "ipc/base/err.h"
#include "ipc/base/wbuf.h"
#include "ipc/nameserve.pb-c.h"

#define NS_BACKUP_MAGIC	     "NameServe-backup"	/* 16 octets */
#define NS_BACKUP_FORM	     1u
#define NS_BACKUP_HEADER_MAX (64u << 10)	/* ours has some hundred octets; residencies will come */
#define NS_BACKUP_SUM	     32u

/* E28xx of refused files; the others of 28xx are sync's (appliance/sync/errors.h). */
enum {
	NS_CODE_BACKUP_FOREIGN = 2801,	/* not a backup file */
	NS_CODE_BACKUP_FORM = 2802,	/* of a newer release */
	NS_CODE_BACKUP_CUT = 2803,
	NS_CODE_BACKUP_SUM = 2804,	/* some octet is not what was written */
	NS_CODE_BACKUP_LONG = 2805,	/* more octets than there should be */
};

/* ---- writing: head, image, tail, in this order ---- */
struct ns_backup_writer;
struct ns_backup_writer	*ns_backup_writer_new(void);
void	 ns_backup_writer_destroy(struct ns_backup_writer **);
void	 ns_backup_put_head(struct ns_backup_writer *, const Ns__BackupInfo *, struct wbuf *out);
void	 ns_backup_put_image(struct ns_backup_writer *, const void *, size_t, struct wbuf *out);
void	 ns_backup_put_tail(struct ns_backup_writer *, struct wbuf *out);

/* ---- reading ---- */
struct ns_backup_reader;
/* Octets of the image, as they come; anything but NS_OK ends the reading with it. */
typedef enum ns_err ns_backup_image_fn(void *arg, const void *, size_t, struct ns_why *);
struct ns_backup_reader	*ns_backup_reader_new(ns_backup_image_fn *, void *arg);
void	 ns_backup_reader_destroy(struct ns_backup_reader **);
/* The next octets of the file, any number of them. */
enum ns_err	 ns_backup_read(struct ns_backup_reader *, const void *, size_t, struct ns_why *)
		    __attribute__((warn_unused_result));
/* NULL until the header is read; believe it when ns_backup_end() says NS_OK. */
const Ns__BackupInfo	*ns_backup_info(const struct ns_backup_reader *);
/* There are no more: is it whole and unaltered? */
enum ns_err	 ns_backup_end(const struct ns_backup_reader *, struct ns_why *)
		    __attribute__((warn_unused_result));

#endif
