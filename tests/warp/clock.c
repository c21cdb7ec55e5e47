/* clock - time as a test has it, linked into programs of its own (make warp): never into what is installed.
 *
 * The file that NAMESERVE_TEST_WARP names holds two numbers of 64 bits: seconds that have passed beside the real
 * ones, for the wall and for the boot clock, and seconds by which somebody set the wall clock alone.  It is
 * mapped before the sandbox closes; the clock of intervals stays as it is, so nothing times out. */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t *warp;
static int (*real)(clockid_t, struct timespec *);

__attribute__((constructor)) static void
warp_open(void)
{
	const char *path = getenv("NAMESERVE_TEST_WARP");
	int fd = path != NULL ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	void *at = fd >= 0 ? mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0) : MAP_FAILED;

	real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
	if (at == MAP_FAILED || real == NULL)
		abort();
	warp = at;
	(void)close(fd);
}

int
clock_gettime(clockid_t id, struct timespec *out)
{
	int done = real(id, out);

	if (done == 0 && (id == CLOCK_REALTIME || id == CLOCK_BOOTTIME))
		out->tv_sec += warp[0] + (id == CLOCK_REALTIME ? warp[1] : 0);
	return done;
}
