/* writer - blocks, publication and reclamation (writer.h).
 *
 * Runs in the signer's loop thread.  A publish is one store of the root, then epoch + 1; what the old
 * root alone reached is queued with the old epoch and freed when no slot holds that epoch or an
 * earlier one.  A kill between any two steps leaves a map that adopt.c can take over. */
#include "appliance/zonemap/writer.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "appliance/zonemap/hash.h"
#include "appliance/zonemap/writer_internal.h"
#include "ipc/base/xalloc.h"

#define CODE_MAP_WRITE 5002
#define CODE_MAP_FULL  5003
#define ADOPT_WAIT_MS  20u

/* ---- lists ---- */

void
off_list_push(struct off_list *l, map_off off)
{
	if (l->n == l->cap && l->head > l->n / 2) {
		memmove(l->off, l->off + l->head, (l->n - l->head) * sizeof l->off[0]);
		l->n -= l->head;
		l->head = 0;
	}
	if (l->n == l->cap) {
		l->cap = l->cap == 0 ? 256 : l->cap * 2;
		l->off = xreallocarray(l->off, l->cap, sizeof l->off[0]);
	}
	l->off[l->n++] = off;
}

/* Empty again; what a bulk load needed is not kept. */
static void
off_list_clear(struct off_list *l)
{
	l->head = l->n = 0;
	if (l->cap > 65536) {
		free(l->off);
		l->off = NULL;
		l->cap = 0;
	}
}

static void
batch_push(struct writer *w, uint64_t epoch, size_t count)
{
	if (w->batch_head > 0 && w->batch_head == w->nbatch)
		w->batch_head = w->nbatch = 0;
	if (w->nbatch == w->batch_cap && w->batch_head > w->nbatch / 2) {
		memmove(w->batch, w->batch + w->batch_head,
		    (w->nbatch - w->batch_head) * sizeof w->batch[0]);
		w->nbatch -= w->batch_head;
		w->batch_head = 0;
	}
	if (w->nbatch == w->batch_cap) {
		w->batch_cap = w->batch_cap == 0 ? 64 : w->batch_cap * 2;
		w->batch = xreallocarray(w->batch, w->batch_cap, sizeof w->batch[0]);
	}
	w->batch[w->nbatch++] = (struct retired_batch){ .epoch = epoch, .count = count };
}

/* ---- open and close ---- */

static const struct map_root *
published(const struct writer *w)
{
	return w->root == 0 ? NULL : (const struct map_root *)(const void *)(w->map.base + w->root);
}

/* A file that nobody wrote to yet becomes a map; one that is a map keeps its hash key. */
static enum ns_err
header_init(struct writer *w, uint64_t generation, struct ns_why *why)
{
	struct map_header *h = w->map.header;

	if (h->magic == 0) {
		if (getrandom(h->hash_key, sizeof h->hash_key, 0) != sizeof h->hash_key)
			return ns_fail(why, NS_FAILED, CODE_MAP_WRITE, "zone map: no random key");
		h->format = MAP_FORMAT;
		atomic_store(&h->epoch, 1);
		atomic_store(&h->root, 0);
		atomic_thread_fence(memory_order_seq_cst);
		h->magic = MAP_MAGIC;
	}
	if (h->magic != MAP_MAGIC || h->format != MAP_FORMAT)
		return ns_fail(why, NS_CORRUPT, CODE_MAP_WRITE,
		    "zone map: header is not ours (magic %08x, format %u); restart nameserved",
		    h->magic, h->format);
	h->writer_generation = generation;
	return NS_OK;
}

static enum ns_err
file_init(int fd, uint64_t *size, struct ns_why *why)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return ns_fail(why, NS_FAILED, CODE_MAP_WRITE, "zone map: %s", strerror(errno));
	/* Whole pages; a predecessor may have died between growing the file and saying so. */
	*size = ((uint64_t)st.st_size + MAP_PAGE - 1) / MAP_PAGE * MAP_PAGE;
	if (*size < MAP_PAGE)
		*size = MAP_PAGE;
	if (*size > MAP_SPAN)
		return ns_fail(why, NS_CORRUPT, CODE_MAP_WRITE, "zone map: larger than its span");
	if ((uint64_t)st.st_size != *size && ftruncate(fd, (off_t)*size) != 0)
		return ns_fail(why, NS_FAILED, CODE_MAP_WRITE, "zone map: %s", strerror(errno));
	return NS_OK;
}

/* Until what adoption withholds is free the file can only grow; a worker's batch takes less than a
 * millisecond, so nearly always a short wait saves that.  Nobody waits for a worker that stands. */
static void
wait_for_readers(struct writer *w)
{
	const struct timespec ms = { .tv_nsec = 1000000 };

	writer_reclaim(w);
	for (unsigned i = 0; i < ADOPT_WAIT_MS && w->withheld && w->nbroken == 0; i++) {
		if (w->adopted.whole)
			return;
		nanosleep(&ms, NULL);
		writer_reclaim(w);
	}
}

enum ns_err
writer_open_conf(const struct writer_conf *conf, struct writer **out, struct ns_why *why)
{
	struct writer *w = xcalloc(1, sizeof *w);
	uint64_t size = 0;
	enum ns_err err;

	w->fd = conf->fd;
	w->pages = conf->pages;
	w->npages = conf->npages;
	w->walk = conf->walk;
	w->limit = conf->limit;
	w->poison = conf->poison;
	err = file_init(conf->fd, &size, why);
	if (err == NS_OK)
		err = map_open(conf->fd, true, &w->map, why);
	if (err == NS_OK)
		err = header_init(w, conf->generation, why);
	if (err != NS_OK) {
		writer_close(&w);
		return err;
	}
	atomic_store(&w->map.header->size, size);
	writer_adopt(w, size);
	if (w->root != 0)
		w->cookie = published(w)->cookie;
	writer_stage_reset(w);
	wait_for_readers(w);
	*out = w;
	return NS_OK;
}

void
writer_close(struct writer **wp)
{
	struct writer *w = *wp;

	if (w == NULL)
		return;
	alloc_destroy(&w->alloc);
	map_close(&w->map);
	for (size_t i = 0; i < w->nbroken; i++)
		free(w->broken[i].name);
	free(w->broken);
	free(w->staged);
	free(w->touched.off);
	free(w->pending.off);
	free(w->retired.off);
	free(w->batch);
	free(w);
	*wp = NULL;
}

/* ---- what there is ---- */

struct map *
writer_map(struct writer *w)
{
	return &w->map;
}

uint64_t
writer_revision(const struct writer *w)
{
	return w->root == 0 ? 0 : published(w)->revision;
}

bool
writer_loaded(const struct writer *w)
{
	return w->root != 0;
}

uint64_t
writer_bytes(const struct writer *w)
{
	struct alloc_stats s;

	alloc_stats(w->alloc, &s);
	return s.size - s.free_pages * MAP_PAGE;
}

uint64_t
writer_epoch(const struct writer *w)
{
	return atomic_load(&w->map.header->epoch);
}

bool
writer_view(struct writer *w, struct map_view *view)
{
	*view = (struct map_view){ .map = &w->map,
		.base = w->map.base,
		.size = atomic_load(&w->map.header->size),
		.root = published(w) };
	return view->root != NULL;
}

void
writer_stats(const struct writer *w, struct alloc_stats *s)
{
	alloc_stats(w->alloc, s);
	s->private_bytes += (w->retired.cap + w->pending.cap + w->touched.cap) * sizeof(map_off) +
			    w->batch_cap * sizeof w->batch[0] +
			    (sizeof w->staged->dir[0] << w->staged_cap);
}

void
writer_check(const struct writer *w)
{
	alloc_check(w->alloc);
}

const struct writer_adopted *
writer_adopted(const struct writer *w)
{
	return &w->adopted;
}

void
writer_each_broken(const struct writer *w, writer_name_fn *fn, void *arg)
{
	for (size_t i = 0; i < w->nbroken; i++)
		fn(arg, w->broken[i].name);
}

struct broken_zone *
writer_broken_find(const struct writer *w, map_off image)
{
	for (size_t i = 0; i < w->nbroken; i++)
		if (w->broken[i].image == image)
			return &w->broken[i];
	return NULL;
}

/* ---- blocks ---- */

static void *
sketch_block(struct writer *w, size_t n, map_off *off)
{
	uint64_t at = (w->sketch_next + 15) & ~15ull;
	struct map_block *b = (struct map_block *)(void *)(w->map.base + at);

	*off = 0;
	if (at + sizeof *b > w->sketch_end || n > w->sketch_end - at - sizeof *b)
		return NULL;
	*b = (struct map_block){ .magic = MAP_BLOCK_MAGIC, .len = (uint32_t)n };
	w->sketch_next = at + sizeof *b + n;
	*off = at + sizeof *b;
	return b + 1;
}

static void *
block_new(struct writer *w, size_t n, bool vital, map_off *off)
{
	if (w->alloc == NULL)
		return sketch_block(w, n, off);
	*off = alloc_get(w->alloc, n, vital);
	if (*off == 0) {
		writer_reclaim(w);
		*off = alloc_get(w->alloc, n, vital);
	}
	return *off != 0 ? w->map.base + *off : NULL;
}

void *
writer_alloc(struct writer *w, size_t n, map_off *off)
{
	return block_new(w, n, false, off);
}

void *
writer_alloc_vital(struct writer *w, size_t n, map_off *off)
{
	return block_new(w, n, true, off);
}

void
writer_seal(struct writer *w, map_off off)
{
	struct map_block *b = (struct map_block *)(void *)(w->map.base + off) - 1;

	if (w->alloc == NULL)
		return;
	assert(alloc_is_fresh(w->alloc, off) && b->magic == MAP_BLOCK_MAGIC);
	b->sum = block_sum(b + 1, b->len, off ^ (uint64_t)b->index << 48);
}

void
writer_retire(struct writer *w, map_off off)
{
	if (w->alloc == NULL)
		return;
	assert(alloc_is_live(w->alloc, off));
	off_list_push(&w->pending, off);
}

void
writer_keep(struct writer *w, map_off off)
{
	if (w->alloc != NULL)
		alloc_keep(w->alloc, off);
}

void
writer_unkeep(struct writer *w, map_off off)
{
	if (w->alloc != NULL)
		alloc_refresh(w->alloc, off);
}

/* ---- publication ---- */

static void
labels_to_root(const struct labels *l, struct map_root *root)
{
	root->min_labels = UINT8_MAX;
	root->max_labels = 0;
	for (unsigned i = 0; i < LABELS_MAX; i++) {
		if (l->of[i] == 0)
			continue;
		if (root->min_labels == UINT8_MAX)
			root->min_labels = (uint8_t)i;
		root->max_labels = (uint8_t)i;
	}
}

void
writer_staged(struct writer *w, struct map_view *view)
{
	labels_to_root(&w->staged_labels, w->staged);
	*view = writer_staged_view(w);
}

/* The staged root as a block of the map; 0 at the limit. */
static map_off
root_write(struct writer *w, uint64_t revision, uint64_t epoch)
{
	size_t len = sizeof *w->staged + (sizeof w->staged->dir[0] << w->staged->depth);
	map_off off;
	void *p;

	p = writer_alloc_vital(w, len, &off);
	if (p == NULL)
		return 0;
	w->staged->revision = revision;
	w->staged->epoch = epoch;
	w->staged->cookie = w->cookie;
	labels_to_root(&w->staged_labels, w->staged);
	memcpy(p, w->staged, len);
	writer_seal(w, off);
	return off;
}

/* What the old root alone reached waits for its readers; what was made and replaced within the batch
 * was never reachable. */
static void
retire_pending(struct writer *w, uint64_t epoch)
{
	size_t count = 0;

	for (size_t i = 0; i < w->pending.n; i++) {
		map_off off = w->pending.off[i];

		if (alloc_is_fresh(w->alloc, off)) {
			alloc_put(w->alloc, off);
			continue;
		}
		off_list_push(&w->retired, off);
		count++;
	}
	if (count > 0)
		batch_push(w, epoch, count);
	off_list_clear(&w->pending);
}

/* Broken zones that this root no longer reaches are settled; with the last of them what adoption
 * withheld may go, once the readers of the old root have left. */
static void
settle_broken(struct writer *w, uint64_t epoch)
{
	size_t n = 0;

	for (size_t i = 0; i < w->nbroken; i++) {
		if (w->broken[i].replaced)
			free(w->broken[i].name);
		else
			w->broken[n++] = w->broken[i];
	}
	w->nbroken = n;
	if (w->withheld && n == 0 && w->withheld_epoch == UINT64_MAX)
		w->withheld_epoch = epoch;
}

enum ns_err
writer_publish(struct writer *w, uint64_t revision, struct ns_why *why)
{
	struct map_header *h = w->map.header;
	uint64_t epoch = atomic_load(&h->epoch);
	map_off off = root_write(w, revision, epoch + 1);

	if (off == 0)
		return ns_fail(why, NS_UNAVAILABLE, CODE_MAP_FULL,
		    "zone map is full: nothing was published; raise [dns] map_limit");
	for (size_t i = 0; i < w->touched.n; i++)
		writer_seal(w, w->touched.off[i]);
	off_list_clear(&w->touched);
	if (w->root != 0)
		writer_retire(w, w->root);

	atomic_store_explicit(&h->root, off, memory_order_seq_cst);
	atomic_store_explicit(&h->epoch, epoch + 1, memory_order_seq_cst);

	w->root = off;
	w->labels = w->staged_labels;
	retire_pending(w, epoch);
	alloc_settle(w->alloc);
	settle_broken(w, epoch);
	writer_reclaim(w);
	return NS_OK;
}

void
writer_abort(struct writer *w)
{
	off_list_clear(&w->touched);
	off_list_clear(&w->pending);
	for (size_t i = 0; i < w->nbroken; i++)
		w->broken[i].replaced = false;
	alloc_forget(w->alloc);
	writer_stage_reset(w);
}

void
writer_cookie(struct writer *w, const struct map_cookie *cookie)
{
	w->cookie = *cookie;
}

/* ---- reclamation ---- */

void
writer_reclaim(struct writer *w)
{
	uint64_t oldest;

	if (!writer_has_retired(w))
		return;
	oldest = map_oldest(w->pages, w->npages);
	while (w->batch_head < w->nbatch && w->batch[w->batch_head].epoch < oldest) {
		for (size_t i = w->batch[w->batch_head].count; i > 0; i--)
			alloc_put(w->alloc, w->retired.off[w->retired.head++]);
		w->batch_head++;
	}
	if (w->retired.head == w->retired.n)
		off_list_clear(&w->retired);
	if (w->withheld && w->withheld_epoch < oldest) {
		alloc_release(w->alloc);
		w->withheld = false;
	}
}

void
writer_trim(struct writer *w)
{
	alloc_trim(w->alloc);
}

bool
writer_huge(struct writer *w)
{
	return alloc_huge(w->alloc);
}

bool
writer_has_retired(const struct writer *w)
{
	return w->batch_head < w->nbatch || w->withheld;
}
