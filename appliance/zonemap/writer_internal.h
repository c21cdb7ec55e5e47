/* writer_internal - what writer.c, writer_zone.c and adopt.c share.  Nobody else includes it. */
#ifndef NS_ZONEMAP_WRITER_INTERNAL_H
#define NS_ZONEMAP_WRITER_INTERNAL_H

#include "appliance/zonemap/alloc.h"
#include "appliance/zonemap/writer.h"

#define LABELS_MAX	128u
/* More broken zones than this and a whole reload is less work than asking one by one. */
#define BROKEN_MAX	1000u

/* Offsets in order of arrival; taken from the front. */
struct off_list {
	map_off	*off;
	size_t	 head, n, cap;
};
struct retired_batch {
	uint64_t	epoch;			/* of the root that still reached them */
	size_t		count;
};

struct broken_zone {
	map_off	image;
	uint8_t	*name;
	bool	 replaced;			/* in the staged state */
};

/* The counts behind map_min_labels(). */
struct labels {
	uint32_t	of[LABELS_MAX];
};

struct writer {
	struct map		 map;
	int			 fd;
	struct alloc		*alloc;
	struct worker_page *const *pages;
	size_t			 npages;
	writer_walk_fn		*walk;
	uint64_t		 limit;
	bool			 poison;

	/* published */
	map_off			 root;		/* that we made or adopted; 0: none */
	struct labels		 labels;
	struct map_cookie	 cookie;	/* of every root to come */

	/* staged: a root in our own memory, whose directory may name fresh pages */
	struct map_root		*staged;
	unsigned		 staged_cap;	/* depth that it has room for */
	struct labels		 staged_labels;
	struct off_list		 touched;	/* fresh pages of slots, not sealed yet */
	struct off_list		 pending;	/* to be retired by the next publish */

	/* retired, oldest first */
	struct off_list		 retired;
	struct retired_batch	*batch;
	size_t			 batch_head, nbatch, batch_cap;

	/* adoption */
	struct writer_adopted	 adopted;
	bool			 withheld;	/* alloc_release() is still to come */
	uint64_t		 withheld_epoch;	/* UINT64_MAX: a publish must come first */
	struct broken_zone	*broken;
	size_t			 nbroken;

	/* sketch.c's: no allocator, blocks one after the other, none is given back */
	uint64_t		 sketch_next, sketch_end;
};

void	 off_list_push(struct off_list *, map_off);
struct map_slots	*writer_slots(const struct writer *, uint32_t page);
void	*writer_alloc_vital(struct writer *, size_t, map_off *);

/* Staged state := what is published. */
void	 writer_stage_reset(struct writer *);
struct map_view	 writer_staged_view(const struct writer *);
struct broken_zone	*writer_broken_find(const struct writer *, map_off image);
/* Octets and labels of a name that was checked long ago. */
size_t	 writer_name_measure(const uint8_t *, unsigned *labels);

/* Marks what the root reaches; on return either the root is adopted or adopted.whole is set. */
void	 writer_adopt(struct writer *, uint64_t size);

#endif
