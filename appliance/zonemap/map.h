/* map - the zone map as its readers see it: shared memory, one root, immutable zones.
 *
 * A memfd that the supervisor makes (sealed against shrinking), written by the signer alone.  Every
 * process maps MAP_SPAN of address space once; the file grows, nothing moves.  Offsets from the
 * base are the only pointers; offset 0 is "none".
 *
 *   header page ── root (one word) ─▶ root block ─▶ directory ─▶ pages of zone slots ─▶ image
 *
 * The root block holds revision, counters, the cookie secrets and the directory; a directory entry is the number of a
 * 4 KiB page of zone slots {hash, image}, picked by the high bits of the zone name's hash
 * (extendible hashing): an edit copies one page and the root block with its directory, so several
 * zones change in one swap.  Images: image.h.  Writing: writer.h.  A picture: README.md.
 *
 * Every block has a struct map_block before it (length and checksum); a map_off is that of the
 * octets behind it, 16-aligned.  The file is never shorter than its header page: the supervisor
 * makes it MAP_PAGE octets long (zeros: nothing loaded) before any child starts.
 *
 * Reading: map_enter() once per batch (stores the epoch slot, full fence, loads the root), then
 * everything reached from the view is immutable until map_leave().  Never hold a view while
 * waiting.  Readers check every offset against the file's size, so that a broken block costs an
 * answer, not the process. */
#ifndef NS_ZONEMAP_MAP_H
#define NS_ZONEMAP_MAP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/zonemap/page.h"
#include "ipc/base/err.h"

#define MAP_SPAN	(64ull << 30)
#define MAP_PAGE	4096u
#define MAP_HUGE	(2u << 20)		/* alignment of every process's mapping: huge.h */
#define MAP_MAGIC	0x4e534d50u		/* "NSMP" */
#define MAP_FORMAT	5u

typedef uint64_t map_off;			/* from the base; 0: none */

struct map_header {				/* offset 0, one page */
	uint32_t		magic, format;
	uint8_t			hash_key[16];	/* random, for zone_hash and owner hashes */
	_Atomic uint64_t	root;		/* map_off of the root block; 0: nothing loaded yet */
	_Atomic uint64_t	epoch;		/* from 1; raised after each swap of root */
	_Atomic uint64_t	size;		/* octets of the file that are valid */
	uint64_t		writer_generation;
};

#define MAP_BLOCK_MAGIC	0x4e42u
struct map_block {				/* 16 octets before every block */
	uint16_t	magic;
	uint16_t	index;			/* of the block in its span: alloc.c */
	uint32_t	len;			/* octets that the writer asked for */
	uint64_t	sum;			/* block_sum(); 0 until sealed */
};

/* What DNS cookies are made with (RFC 9018).  Part of the root, so that a batch sees one state of it. */
#define MAP_SECRET	16u
struct map_cookie {
	uint8_t		secret[2][MAP_SECRET];	/* the current one, and the one before it */
	uint32_t	until;			/* the one before is good until then: wall clock, s */
	uint8_t		count;			/* secrets there are; 0: no cookies yet */
	uint8_t		zero[3];
};

#define MAP_ROOT_MAGIC	0x4e53524fu
#define MAP_DEPTH_MAX	24u			/* 16 M pages: more zones than memory */
struct map_root {
	uint32_t	magic, format;
	uint64_t	revision, zones;
	uint64_t	epoch;			/* that header->epoch gets with it: who holds that
						 * or a later one has this root */
	uint8_t		depth;			/* the directory has 2^depth entries */
	uint8_t		min_labels, max_labels;	/* of all apexes; 255, 0 when there is no zone */
	uint8_t		zero[5];
	struct map_cookie cookie;
	uint32_t	dir[];			/* page numbers: octet offset / MAP_PAGE */
};

struct map_slot {
	uint64_t	hash;			/* zone_hash of the apex */
	map_off		image;			/* 0: empty */
};
#define MAP_SLOT_LINE	4u			/* slots of one cache line */
#define MAP_SLOT_LINES	63u
#define MAP_SLOTS	(MAP_SLOT_LINE * MAP_SLOT_LINES)
#define MAP_SLOTPAGE_MAGIC 0x4e535350u
struct map_slots {				/* one page with its block header: the block is at
						 * 16 octets into a MAP_PAGE-aligned page */
	uint32_t	magic;
	uint8_t		depth;			/* high hash bits that all its zones share */
	uint8_t		zero;
	uint16_t	count;
	uint8_t		pad[40];		/* slots begin at octet 64 of the page */
	struct map_slot	slot[MAP_SLOTS];	/* open addressing from the line of the low hash bits */
};

/* What the root block of every image begins with (image.c), so that a lookup can tell whose it is
 * and the directory knows nothing else about images. */
struct map_image_head {
	uint32_t	magic;			/* image.c's */
	uint16_t	apex_off;		/* from this head to the apex: wire form, lower case */
	uint8_t		apex_len;
	uint8_t		apex_labels;		/* without the root label */
};

struct map {					/* one per process */
	uint8_t			*base;
	struct map_header	*header;
	bool			 writable;
};

/* What a batch reads in. */
struct map_view {
	const struct map	*map;
	const uint8_t		*base;
	uint64_t		 size;		/* octets that offsets may reach */
	const struct map_root	*root;		/* NULL: nothing loaded yet */
};

enum ns_err	 map_open(int fd, bool writable, struct map *, struct ns_why *)
		    __attribute__((warn_unused_result));
void	 map_close(struct map *);

/* Enter and leave; page is this worker's own (its epoch slot). */
bool	 map_enter(struct map *, struct worker_page *, struct map_view *);	/* false: not loaded */
void	 map_leave(struct worker_page *);

uint64_t map_revision(const struct map_view *);
uint64_t map_zone_count(const struct map_view *);
/* Labels that an apex has at least and at most; 255 and 0 when there is no zone. */
unsigned map_min_labels(const struct map_view *);
unsigned map_max_labels(const struct map_view *);

/* What a process without a page may know: the revision of the root and an epoch; a worker that is
 * idle or whose slot is at least that epoch answers from that revision or a later one, so "served"
 * is map_all_past(pages, n, epoch - 1).  False: nothing loaded. */
bool	 map_published(const struct map *, uint64_t *revision, uint64_t *epoch);

/* For a look at the map by a process without a page: a view of a copy of the root, which the caller
 * frees; NULL: nothing loaded.  What the root leads to may be reused while it is read, so what is found
 * counts only when it proves itself: an apex whose zone_hash() is the one that was looked up. */
struct map_root	*map_glance(const struct map *, struct map_view *);

/* Zone lookup by zone_hash(header->hash_key, lname, len) (hash.h) of a lower-case wire name.
 * First pass of a batch: the address to prefetch (never NULL, never read here); second pass: the
 * image whose apex is that name, 0: none. */
const void	*map_slot_prefetch(const struct map_view *, uint64_t hash);
map_off	 map_zone_lookup(const struct map_view *, uint64_t hash, const uint8_t *lname, size_t len);
/* Between the two: the image that the lookup will most likely return, not touched yet; 0: none. */
map_off	 map_zone_peek(const struct map_view *, uint64_t hash);

/* All zones, a page of slots at a time, in order of hash: start with *cursor 0; false when there is
 * no further page.  A cursor stays good across publishes: a zone that was there all the time is
 * visited once. */
typedef void map_zone_fn(void *arg, uint64_t hash, map_off image);
bool	 map_zone_page(const struct map_view *, uint64_t *cursor, map_zone_fn *, void *arg);

/* The apex of an image, or NULL when head or name are out of bounds; *len its octets. */
const uint8_t	*map_image_apex(const struct map_view *, map_off image, size_t *len);

/* A block's octets and how many, or NULL when it is not one: bounds and magic are checked, the
 * content is not. */
static inline const void *
map_block_at(const struct map_view *v, map_off off, size_t *len)
{
	const struct map_block *b;

	if (off < MAP_PAGE + sizeof *b || off > v->size || (off & 15) != 0)
		return NULL;
	b = (const struct map_block *)(const void *)(v->base + off - sizeof *b);
	if (b->magic != MAP_BLOCK_MAGIC || b->len > v->size - off)
		return NULL;
	*len = b->len;
	return v->base + off;
}

/* The same with the checksum: for adoption and verify, not for queries. */
bool	 map_block_sound(const struct map_view *, map_off);

/* Every worker page idle (slot 0) or past `epoch`, and no pin at or before it. */
bool	 map_all_past(struct worker_page *const *pages, size_t n, uint64_t epoch);
/* The oldest epoch that a slot or a pin holds; UINT64_MAX when all are idle. */
uint64_t map_oldest(struct worker_page *const *pages, size_t n);

#endif
