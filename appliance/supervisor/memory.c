/* memory - the shared memory of an appliance, made here and never read here, worker pages excepted.
 *
 * Zone map: one page, sealed against shrinking; the signer grows it.  Health board, the tail's wish and worker
 * pages have their size for ever.  Modes are 0600 and those who may only read get another descriptor,
 * opened O_RDONLY through /proc, because a dup would carry the right to write.  What we map
 * ourselves (worker pages) cannot be shrunk under us, so a page cannot kill us by SIGBUS. */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "appliance/supervisor/supervisor.h"
#include "appliance/zonemap/board.h"
#include "ipc/base/clock.h"

#define MEMORY_CODE 6040
#define ONE_PAGE    4096
_Static_assert(PAGE_OCTETS == ONE_PAGE, "what we map of a worker's memory");

#define SEAL_SIZE (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)

static enum ns_err
make(const char *name, size_t size, int seals, int *rw, int *ro, struct ns_why *why)
{
	char path[64];
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0 || fchmod(fd, 0600) != 0 || ftruncate(fd, (off_t)size) != 0 ||
	    fcntl(fd, F_ADD_SEALS, seals) != 0)
		return ns_fail(
		    why, NS_FAILED, MEMORY_CODE, "shared memory %s: %s", name, strerror(errno));
	*rw = fd_keep(fd);
	snprintf(path, sizeof path, "/proc/self/fd/%d", *rw);
	*ro = *rw < 0 ? -1 : fd_keep(open(path, O_RDONLY | O_CLOEXEC));
	if (*ro < 0)
		return ns_fail(why, NS_FAILED, MEMORY_CODE, "shared memory %s: read-only: %s", name,
		    strerror(errno));
	return NS_OK;
}

static enum ns_err
make_page(struct page_memory *p, unsigned index, struct ns_why *why)
{
	char name[32];
	enum ns_err err;

	snprintf(name, sizeof name, "ns-worker-%u", index);
	err = make(name, WORKER_MEMORY, SEAL_SIZE, &p->rw, &p->ro, why);
	if (err != NS_OK)
		return err;
	p->page = mmap(NULL, ONE_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, p->rw, 0);
	if (p->page == MAP_FAILED)
		return ns_fail(why, NS_FAILED, MEMORY_CODE, "%s: %s", name, strerror(errno));
	p->page->magic = PAGE_MAGIC;
	p->page->format = PAGE_FORMAT;
	return NS_OK;
}

void
memory_set_rrl(struct memory *m, uint32_t per_second)
{
	for (size_t i = 0; i < m->npages; i++)
		atomic_store_explicit(&m->pages[i].page->rrl, per_second, memory_order_relaxed);
}

enum ns_err
memory_create(struct supervisor *s, struct ns_why *why)
{
	struct memory *m = &s->memory;
	enum ns_err err;

	err =
	    make("ns-zonemap", ONE_PAGE, F_SEAL_SHRINK | F_SEAL_SEAL, &m->map_rw, &m->map_ro, why);
	if (err == NS_OK)
		err = make("ns-board", BOARD_FILE, SEAL_SIZE, &m->board_rw, &m->board_ro, why);
	if (err == NS_OK)
		err = make("ns-tail", TAIL_WISH_FILE, SEAL_SIZE, &m->tail_rw, &m->tail_ro, why);
	for (m->npages = 0; err == NS_OK && m->npages < s->config.pb.workers; m->npages++)
		err = make_page(&m->pages[m->npages], (unsigned)m->npages, why);
	if (err == NS_OK)
		memory_set_rrl(m, s->config.pb.rrl);
	return err;
}

/* Its worker is dead (waited for) or not there yet: the only moments at which we write.  Counters
 * stay, so that totals never go backwards. */
void
memory_clear_worker(struct page_memory *p)
{
	size_t i;

	atomic_store(&p->page->slot, 0);
	for (i = 0; i < PAGE_PINS; i++)
		atomic_store(&p->page->pins[i], 0);
	atomic_store(&p->page->tcp_open, 0);
	atomic_store(&p->page->heartbeat_ns, clock_mono_ns());
}
