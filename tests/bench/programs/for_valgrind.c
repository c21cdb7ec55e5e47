/* for_valgrind - what a worker must go without under valgrind; for the bench's worker alone (tests/bench/cost.py).
 *
 * Valgrind makes system calls of its own inside the process that it watches: a worker's filter would end both, so
 * this is linked in the place of appliance/role/landlock.c and seccomp.c.  And it has no room for 64 GiB of
 * addresses: the map gets 8 (the worker's own checks go by the file's size).  Nothing else differs. */
#include <stdio.h>
#include <sys/mman.h>

#include "appliance/role/role_internal.h"
#include "appliance/zonemap/map.h"

#define SPAN (8ull << 30)

void *__real_mmap(void *, size_t, int, int, int, off_t);
void *__wrap_mmap(void *, size_t, int, int, int, off_t);

void *
__wrap_mmap(void *addr, size_t len, int prot, int flags, int fd, off_t off)
{
	if (len >= MAP_SPAN)
		len -= MAP_SPAN - SPAN;
	return __real_mmap(addr, len, prot, flags, fd, off);
}

void
landlock_apply(const struct role *role, const struct role_rules *rules, char *problems, size_t size)
{
	(void)role;
	(void)rules;
	(void)snprintf(problems, size, "no sandbox: a build for measuring");
}

void
seccomp_apply(const struct role_rules *rules)
{
	(void)rules;
}
