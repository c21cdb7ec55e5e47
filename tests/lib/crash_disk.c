/* crash_disk.c - see crash_disk.h. */
#include "tests/lib/crash_disk.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ipc/base/xalloc.h"

#define SECTOR 512

struct node *crash_nodes;
uint64_t crash_seed;

struct node *
node_find(const char *path)
{
	struct node *n = crash_nodes;

	while (n != NULL && strcmp(n->path, path) != 0)
		n = n->next;
	return n;
}

struct node *
node_make(const char *path, uint64_t size)
{
	struct node *n = xcalloc(1, sizeof *n);

	n->path = xstrdup(path);
	n->size = n->floor = size;
	n->next = crash_nodes;
	crash_nodes = n;
	return n;
}

static void
node_drop_sectors(struct node *n, size_t from)
{
	for (size_t i = from; i < n->sectors; i++) {
		free(n->sector[i]);
		n->sector[i] = NULL;
	}
}

void
node_remove(struct node *n)
{
	struct node **at = &crash_nodes;

	while (*at != n)
		at = &(*at)->next;
	*at = n->next;
	node_drop_sectors(n, 0);
	free(n->sector);
	free(n->path);
	free(n);
}

static uint8_t *
node_sector(const struct node *n, uint64_t number)
{
	return number < n->sectors ? n->sector[number] : NULL;
}

void
node_read(struct node *n, sqlite3_file *real, uint8_t *to, size_t len, uint64_t at)
{
	memset(to, 0, len);
	if (at < n->floor) {
		size_t have = n->floor - at < len ? (size_t)(n->floor - at) : len;

		real->pMethods->xRead(real, to, (int)have, (sqlite3_int64)at);
	}
	for (uint64_t s = at / SECTOR; s * SECTOR < at + len; s++) {
		const uint8_t *data = node_sector(n, s);
		uint64_t from = s * SECTOR > at ? s * SECTOR : at;
		uint64_t end = (s + 1) * SECTOR < at + len ? (s + 1) * SECTOR : at + len;

		if (data != NULL)
			memcpy(to + (from - at), data + from % SECTOR, (size_t)(end - from));
	}
}

void
node_write(struct node *n, sqlite3_file *real, const uint8_t *data, size_t len, uint64_t at)
{
	uint64_t last = (at + len - 1) / SECTOR;

	if (last >= n->sectors) {
		size_t want = (size_t)last * 2 + 16;

		n->sector = xreallocarray(n->sector, want, sizeof *n->sector);
		memset(n->sector + n->sectors, 0, (want - n->sectors) * sizeof *n->sector);
		n->sectors = want;
	}
	for (uint64_t s = at / SECTOR; s <= last; s++) {
		uint64_t from = s * SECTOR > at ? s * SECTOR : at;
		uint64_t end = (s + 1) * SECTOR < at + len ? (s + 1) * SECTOR : at + len;

		if (n->sector[s] == NULL) {
			uint8_t *fresh = xmalloc(SECTOR);

			node_read(n, real, fresh, SECTOR, s * SECTOR);
			n->sector[s] = fresh;
		}
		memcpy(n->sector[s] + from % SECTOR, data + (from - at), (size_t)(end - from));
	}
	if (at + len > n->size)
		n->size = at + len;
}

void
node_truncate(struct node *n, uint64_t size)
{
	uint8_t *edge = node_sector(n, size / SECTOR);

	node_drop_sectors(n, (size_t)((size + SECTOR - 1) / SECTOR));
	if (edge != NULL && size % SECTOR != 0)
		memset(edge + size % SECTOR, 0, (size_t)(SECTOR - size % SECTOR));
	if (size < n->floor)
		n->floor = size;
	n->size = size;
}

/* What the machine sees becomes what the disk holds. */
int
node_sync(struct node *n, sqlite3_file *real)
{
	int rc = real->pMethods->xTruncate(real, (sqlite3_int64)n->floor);

	for (size_t i = 0; i < n->sectors && rc == SQLITE_OK; i++) {
		uint64_t at = i * SECTOR;

		if (n->sector[i] != NULL && at < n->size)
			rc = real->pMethods->xWrite(real, n->sector[i],
			    n->size - at < SECTOR ? (int)(n->size - at) : SECTOR,
			    (sqlite3_int64)at);
	}
	if (rc == SQLITE_OK)
		rc = real->pMethods->xTruncate(real, (sqlite3_int64)n->size);
	if (rc == SQLITE_OK) {
		node_drop_sectors(n, 0);
		n->floor = n->size;
	}
	return rc;
}

/* The directory is on the disk: what is in it stays, what was deleted is gone. */
void
node_names_sync(void)
{
	struct node *next;

	for (struct node *n = crash_nodes; n != NULL; n = next) {
		next = n->next;
		n->fresh = false;
		if (n->ghost) {
			unlink(n->path);
			node_remove(n);
		}
	}
}

/* ---- the cut ---- */

/* splitmix64, here and not shared: this file is linked into a whole nameserve-sync too. */
uint64_t
crash_chance(uint64_t sides)
{
	uint64_t z = crash_seed += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return (z ^ (z >> 31)) % sides;
}

/* The sector as the disk has it now, which is what a torn one keeps of the old. */
static void
old_sector(int fd, uint64_t at, uint8_t out[SECTOR])
{
	ssize_t n = pread(fd, out, SECTOR, (off_t)at);

	if (n < 0)
		n = 0;
	memset(out + n, 0, SECTOR - (size_t)n);
}

static void
put_sector(int fd, const uint8_t *data, uint64_t at, uint64_t size)
{
	size_t len = size - at < SECTOR ? (size_t)(size - at) : SECTOR;

	if (pwrite(fd, data, len, (off_t)at) != (ssize_t)len)
		abort();
}

/* How long the file is afterwards: as synced, as written, or somewhere between. */
static uint64_t
lose_size(const struct node *n, uint64_t synced, unsigned mode)
{
	uint64_t low = synced < n->size ? synced : n->size, high = synced + n->size - low;

	if (mode < 2)
		return mode == 0 ? synced : n->size;
	switch (crash_chance(3)) {
	case 0:
		return synced;
	case 1:
		return n->size;
	default:
		/* A truncation happens or not; growth may stop at any sector. */
		return n->size < synced
			   ? synced
			   : low + (high - low) / SECTOR * crash_chance(101) / 100 * SECTOR;
	}
}

/* mode 0: nothing unsynced survives; 1: all does; else each sector for itself. */
static void
lose_sector(const struct node *n, int fd, size_t i, uint64_t size, unsigned mode)
{
	uint64_t at = (uint64_t)i * SECTOR;
	uint8_t mix[SECTOR];
	size_t edge = (size_t)crash_chance(SECTOR);
	uint64_t fate = mode < 2 ? mode : crash_chance(4);

	if (at >= size || fate == 0)
		return;
	if (fate == 1 || (fate == 3 && mode == 2)) {
		put_sector(fd, n->sector[i], at, size);
		return;
	}
	/* Torn: the front or the back of it arrived. */
	old_sector(fd, at, mix);
	if (crash_chance(2) == 0)
		memcpy(mix, n->sector[i], edge);
	else
		memcpy(mix + edge, n->sector[i] + edge, SECTOR - edge);
	put_sector(fd, mix, at, size);
}

void
node_lose(struct node *n, unsigned mode)
{
	struct stat st;
	uint64_t size;
	int fd;

	if ((n->ghost && mode != 0 && (mode == 1 || crash_chance(2))) ||
	    (n->fresh && mode != 1 && crash_chance(2))) {
		unlink(n->path);
		return;
	}
	if (n->ghost || (fd = open(n->path, O_RDWR | O_CLOEXEC)) < 0)
		return;
	if (fstat(fd, &st) != 0)
		abort();
	/* A truncation that was undone brings its old octets back, so only the end is decided here. */
	size = lose_size(n, (uint64_t)st.st_size, mode);
	if (ftruncate(fd, (off_t)size) != 0)
		abort();
	for (size_t i = 0; i < n->sectors; i++) {
		if (n->sector[i] != NULL)
			lose_sector(n, fd, i, size, mode);
	}
	close(fd);
}
