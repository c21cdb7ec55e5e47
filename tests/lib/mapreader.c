/* mapreader - see mapreader.h. */
#include "tests/lib/mapreader.h"

#include <assert.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct reader {
	struct readers *all;
	unsigned index;
	struct reader_shared *shared;
	struct map map;
	uint64_t seed;
	uint64_t *newest; /* by pair */
};

void
readers_init(struct readers *r, const struct mapbox *box, uint32_t pairs)
{
	memset(r, 0, sizeof *r);
	r->box = box;
	r->pairs = pairs;
	r->shared = mmap(NULL, READERS_MAX * sizeof *r->shared, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert(r->shared != MAP_FAILED);
	for (unsigned i = 0; i < READERS_MAX; i++)
		r->shared[i].stop_at = -1;
}

void
readers_fini(struct readers *r)
{
	for (unsigned i = 0; i < READERS_MAX; i++)
		if (r->pid[i] != 0)
			reader_kill(r, i);
	munmap(r->shared, READERS_MAX * sizeof *r->shared);
}

static void
nap(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 20000 }, NULL);
}

static void
point(struct reader *r, int at)
{
	if (atomic_load(&r->shared->stop_at) != at)
		return;
	atomic_store(&r->shared->stopped, 1);
	while (atomic_load(&r->shared->stop_at) == at)
		nap();
	atomic_store(&r->shared->stopped, 0);
}

static bool
complain(struct reader *r, int line)
{
	int none = 0;

	atomic_compare_exchange_strong(&r->shared->bad, &none, line);
	return false;
}

/* One pair of one view; `at` is the first of four points. */
static bool
read_pair(struct reader *r, const struct map_view *v, uint32_t pair, int at)
{
	uint8_t name[2][64];
	uint64_t stamp[2];
	map_off off[2];

	for (unsigned i = 0; i < 2; i++) {
		mapbox_name(2 * pair + i, name[i]);
		point(r, at + (int)i * 2);
		off[i] = mapbox_lookup(v, 2 * pair + i);
		if (off[i] == 0)
			return complain(r, __LINE__);
		point(r, at + (int)i * 2 + 1);
		if (!mapbox_sound(v, off[i], name[i], &stamp[i]))
			return complain(r, __LINE__);
	}
	if (stamp[0] != stamp[1])
		return complain(r, __LINE__);
	if (stamp[0] > map_revision(v))
		return complain(r, __LINE__);
	if (stamp[0] < r->newest[pair])
		return complain(r, __LINE__);
	r->newest[pair] = stamp[0];
	return true;
}

static void
read_forever(struct reader *r)
{
	struct worker_page *page = r->all->box->page[r->index];
	struct map_view v;

	for (;;) {
		if (!map_enter(&r->map, page, &v)) {
			nap();
			continue;
		}
		point(r, 0);
		for (int i = 0; i < 3; i++)
			if (!read_pair(r, &v, (uint32_t)(mapbox_random(&r->seed) % r->all->pairs),
				1 + i * 4))
				_exit(1);
		map_leave(page);
		atomic_fetch_add(&r->shared->batches, 1);
		sched_yield();
	}
}

void
reader_start(struct readers *all, unsigned index)
{
	struct reader r = { .all = all, .index = index, .shared = &all->shared[index] };
	struct ns_why why;

	r.shared->stopped = 0;
	all->pid[index] = fork();
	assert(all->pid[index] >= 0);
	if (all->pid[index] > 0)
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	r.seed = (uint64_t)getpid();
	r.newest = calloc(all->pairs, sizeof *r.newest);
	if (r.newest == NULL || map_open(all->box->fd, false, &r.map, &why) != NS_OK)
		_exit(2);
	read_forever(&r);
}

void
reader_kill(struct readers *all, unsigned index)
{
	kill(all->pid[index], SIGKILL);
	waitpid(all->pid[index], NULL, 0);
	all->pid[index] = 0;
	atomic_store(&all->box->page[index]->slot, 0);
	all->shared[index].stop_at = -1;
	all->shared[index].stopped = 0;
}

void
reader_ask_stop(struct readers *all, unsigned index, int at)
{
	atomic_store(&all->shared[index].stop_at, at);
}

void
reader_stop(struct readers *all, unsigned index, int at)
{
	reader_ask_stop(all, index, at);
	while (!atomic_load(&all->shared[index].stopped) && readers_bad(all) == 0)
		nap();
}

void
reader_resume(struct readers *all, unsigned index)
{
	atomic_store(&all->shared[index].stop_at, -1);
}

void
reader_wait_batches(struct readers *all, unsigned index, uint64_t n)
{
	uint64_t from = atomic_load(&all->shared[index].batches);

	while (atomic_load(&all->shared[index].batches) < from + n && readers_bad(all) == 0)
		nap();
}

int
readers_bad(const struct readers *all)
{
	for (unsigned i = 0; i < READERS_MAX; i++)
		if (all->shared[i].bad != 0)
			return all->shared[i].bad;
	return 0;
}
