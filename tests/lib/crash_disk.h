/* crash_disk - what vfs_crash knows of its files, and what a power cut makes of them.
 *
 * Called with vfs_crash's lock held. */
#ifndef NS_TESTS_CRASH_DISK_H
#define NS_TESTS_CRASH_DISK_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One file as the machine sees it; outlives its handles. */
struct node {
	struct node	 *next;
	char		 *path;
	unsigned	  handles;
	uint64_t	  size;		/* as the machine sees it */
	uint64_t	  floor;	/* the real file counts up to here, unless truncated since */
	uint8_t		**sector;	/* unsynced ones; NULL: as the real file */
	size_t		  sectors;
	bool		  fresh;	/* its directory entry was never synced */
	bool		  ghost;	/* deleted, but the directory was not synced */
};
extern struct node	*crash_nodes;
extern uint64_t		 crash_seed;

uint64_t	 crash_chance(uint64_t sides);		/* the seed's next number below that */

struct node	*node_find(const char *path);
struct node	*node_make(const char *path, uint64_t size);
void	 node_remove(struct node *);
void	 node_read(struct node *, sqlite3_file *real, uint8_t *to, size_t len, uint64_t at);
void	 node_write(struct node *, sqlite3_file *real, const uint8_t *, size_t len, uint64_t at);
void	 node_truncate(struct node *, uint64_t size);
/* What the machine sees becomes what the disk holds. */
int	 node_sync(struct node *, sqlite3_file *real);
/* The directory is on the disk: what is in it stays, what was deleted is gone. */
void	 node_names_sync(void);
/* The power goes.  mode 0: nothing unsynced survives; 1: all does; else each sector for itself. */
void	 node_lose(struct node *, unsigned mode);

#endif
