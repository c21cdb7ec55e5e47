/* usage - how much memory the appliance takes: what each process has for itself, and what they share once.
 *
 * Of a process /proc says how many of its pages are in memory and how many of those are of files or shared; where
 * /proc is closed to us (hidepid), nothing is known. */
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "appliance/supervisor/supervisor.h"

/* Octets that are that process's alone. */
static uint64_t
own_octets(pid_t pid)
{
	unsigned long long resident, shared;
	char path[48];
	FILE *f;
	int n;

	snprintf(path, sizeof path, "/proc/%d/statm", (int)pid);
	if (pid <= 0 || (f = fopen(path, "re")) == NULL)
		return 0;
	n = fscanf(f, "%*u %llu %llu", &resident, &shared);
	fclose(f);
	return n == 2 && resident > shared ? (resident - shared) * (uint64_t)sysconf(_SC_PAGESIZE)
					   : 0;
}

static uint64_t
file_octets(int fd)
{
	struct stat st;

	return fd >= 0 && fstat(fd, &st) == 0 ? (uint64_t)st.st_blocks * 512 : 0;
}

uint32_t
usage_mib(const struct supervisor *s)
{
	uint64_t all = own_octets(getpid()), known = 0;

	for (size_t i = 0; i < s->nchildren; i++) {
		uint64_t own = own_octets(s->children[i].pid);

		all += own;
		known += own > 0;
	}
	all += file_octets(s->memory.map_rw) + file_octets(s->memory.board_rw);
	for (size_t i = 0; i < s->memory.npages; i++)
		all += file_octets(s->memory.pages[i].rw);
	for (size_t i = 0; i < s->ngeo; i++)
		all += file_octets(s->geo[i]);
	return known > 0 ? (uint32_t)(all >> 20) + 1 : 0;
}
