/* board.c - see board.h. */
#include "appliance/zonemap/board.h"

#include <sys/mman.h>
#include <sys/stat.h>

#define FLAGS    0xfcu
#define RTT_UNIT 10u
#define RTT_MAX  0xffffffu

bool
board_map(struct board *b, int fd, bool writable)
{
	struct stat st;
	void *at;

	b->slots = NULL;
	b->aliases = NULL;
	/* Shorter than the slots: reading past the end would kill us. */
	if (fstat(fd, &st) != 0 || st.st_size < (off_t)BOARD_FILE)
		return false;
	at = mmap(NULL, BOARD_FILE, PROT_READ | (writable ? PROT_WRITE : 0),
	    MAP_SHARED | MAP_NORESERVE, fd, 0);
	if (at == MAP_FAILED)
		return false;
	b->slots = at;
	b->aliases = (struct alias_table *)(void *)((uint8_t *)at + BOARD_OCTETS);
	return true;
}

void
board_unmap(struct board *b)
{
	if (b->slots != NULL)
		munmap((void *)(uintptr_t)b->slots, BOARD_FILE);
	b->slots = NULL;
	b->aliases = NULL;
}

struct board_word
board_word_of(uint64_t raw)
{
	struct board_word w = { .state =
				    (raw & 3) == 3 ? BOARD_UNKNOWN : (enum board_state)(raw & 3) };

	w.flags = (unsigned)raw & FLAGS;
	w.rtt_us = board_rtt_of(raw);
	w.since = (uint32_t)(raw >> 32);
	return w;
}

struct board_word
board_read(const struct board *b, uint64_t check_id)
{
	return board_word_of(board_raw(b, check_id));
}

static void
store(struct board *b, uint64_t check_id, uint64_t raw)
{
	/* What has not changed is not written: the line stays in the readers' caches. */
	if (b->slots != NULL && check_id < BOARD_SLOTS && board_raw(b, check_id) != raw)
		atomic_store_explicit(&b->slots[check_id], raw, memory_order_release);
}

void
board_write(struct board *b, uint64_t check_id, const struct board_word *w)
{
	uint64_t rtt = w->rtt_us / RTT_UNIT < RTT_MAX ? w->rtt_us / RTT_UNIT : RTT_MAX;

	store(b, check_id,
	    (uint64_t)w->since << 32 | rtt << 8 | (w->flags & FLAGS) | (uint64_t)w->state);
}

void
board_clear(struct board *b, uint64_t check_id)
{
	store(b, check_id, 0);
}
