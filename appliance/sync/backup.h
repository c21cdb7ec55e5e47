/* backup - the store as one file, handed to an admin in chunks.
 *
 * A reader thread copies one state of the store into <data>/backup.tmp, in slices, while edits go on;
 * the file loses its name at once and is then read out as fast as the client asks: a slow client holds
 * up nobody, and costs disk but no memory.  One backup at a time; one that nobody asks for any more is
 * dropped for the next one. */
#ifndef NS_SYNC_BACKUP_H
#define NS_SYNC_BACKUP_H

#include "appliance/sync/request.h"
#include "appliance/sync/sync.h"

void	 backup_request(struct sync *, struct request *);
/* Before the sandbox: what an earlier process left below data. */
void	 backup_sweep(const char *data);
/* When the newest backup was made, wall clock; 0: never. */
int64_t	 backup_last(const char *data);
void	 backup_tick(struct sync *, uint64_t now_ns);
void	 backup_stop(void);

#endif
