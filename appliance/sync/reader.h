/* reader - what is only read: lists, export, history.  Each runs in a thread of the reader pool with
 * that thread's STORE_READ handle. */
#ifndef NS_SYNC_READER_H
#define NS_SYNC_READER_H

#include "appliance/store/store.h"
#include "appliance/sync/request.h"

struct pool;
struct sync;
/* Threads that do the jobs of a queue, each with a STORE_READ handle of its own. */
struct pool	*readers_start(struct sync *, struct queue *, unsigned threads);

enum ns_err	 zone_show_read(struct request *, struct store *);
enum ns_err	 zone_export_text(struct request *);
enum ns_err	 zone_export_read(struct request *, struct store *);
enum ns_err	 record_list_read(struct request *, struct store *);
enum ns_err	 history_list_read(struct request *, struct store *);
enum ns_err	 history_show_read(struct request *, struct store *);

/* What they share (reader.c). */
/* The difference that a change made of a zone, in lines; history.c. */
Ns__HistoryShowReply__ZoneDiff	*history_diff(const Ns__ChangeBody__Zone *, size_t *octets);
/* Close a handle of a request's own, in a reader thread: the loop ends requests, and never waits. */
void	 reader_close(struct queue *reads, struct store **);
enum ns_err	 read_zone(struct store *, const char *name, struct store_zone *, struct ns_why *);
enum ns_err	 read_failed(struct ns_why *, enum ns_err);
struct account_names;
Ns__ZoneInfo	*zone_info(const struct store_zone *, struct store *, struct account_names **);
/* Cursors are opaque: base64 of what the next page begins after. NULL or false: not one of ours. */
char	*cursor_make(const uint8_t *, size_t);
bool	 cursor_read(const char *, uint8_t *out, size_t size, size_t *len);

#endif
