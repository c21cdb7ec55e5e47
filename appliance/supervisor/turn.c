/* turn - who of our children has the core first when several want it.
 *
 * Answers come first.  A worker sleeps between batches, and what is in its sockets waits until it
 * runs again: with turns of the kernel's usual length that is a tick or more whenever the signer or
 * sync is busy on the same core.  So a worker's turns are short, which makes its next one due at
 * once (EEVDF; Linux 6.12 takes the length, older ones ignore it), and weigh more than others'.
 * Sync and the signer work in long stretches and never interrupt anybody at their waking. */
#include <errno.h>
#include <linux/sched.h>
#include <linux/sched/types.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "appliance/supervisor/turn.h"

#define WORKER_NICER    (-10)
#define WORKER_SLICE_NS 100000u

static const struct {
	uint32_t policy;
	int nicer; /* than ourselves */
	uint64_t slice_ns; /* 0: the kernel's */
} turns[] = {
	[TURN_FIRST] = { SCHED_NORMAL, WORKER_NICER, WORKER_SLICE_NS },
	[TURN_AFTER] = { SCHED_BATCH, 0, 0 },
};

/* Without CAP_SYS_NICE (not started as root, a small container) the weight stays as it is. */
void
turn_take(enum turn turn)
{
	int nice = getpriority(PRIO_PROCESS, 0);
	struct sched_attr attr = { .size = SCHED_ATTR_SIZE_VER0,
		.sched_policy = turns[turn].policy,
		.sched_nice = nice + turns[turn].nicer,
		.sched_runtime = turns[turn].slice_ns };

	if (turn == TURN_USUAL || syscall(SYS_sched_setattr, 0, &attr, 0) == 0 || errno != EPERM)
		return;
	attr.sched_nice = nice;
	(void)syscall(SYS_sched_setattr, 0, &attr, 0);
}
