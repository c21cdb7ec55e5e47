/* turn - who of our children has the core first when several want it.
 *
 * Answers come first.  A worker sleeps between batches, and what is in its sockets waits until it
 * runs again; among equals that is a tick or more whenever anything else is busy on the same core,
 * ours or not.  So a worker has real time (SCHED_RR): it runs when a query is there.  But only while
 * that is a part of the core: one that is flooded shares it with those who are to be heard then, too,
 * at ten times their weight and with short turns, which are due again at once (EEVDF; Linux 6.12 takes
 * the length, older ones ignore it).  Until that is seen, at the next tick, the kernel keeps a twentieth
 * for others (sched(7), sched_rt_runtime_us).  Sync and the signer work in long stretches and never
 * interrupt anybody at their waking. */
#include <errno.h>
#include <linux/sched.h>
#include <linux/sched/types.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "appliance/supervisor/turn.h"

#define WORKER_NICER    (-10)
#define WORKER_SLICE_NS 100000u
#define BUSY_PERCENT    80u /* of a core: no real time any more */
#define CALM_PERCENT    50u /* real time again */

static const struct {
	uint32_t policy;
	int nicer; /* than ourselves */
	uint64_t slice_ns; /* 0: the kernel's */
} turns[] = {
	[TURN_FIRST] = { SCHED_NORMAL, WORKER_NICER, WORKER_SLICE_NS },
	[TURN_AFTER] = { SCHED_BATCH, 0, 0 },
};

/* sched.h and linux/sched.h do not agree.  Our priority is the lowest that is real time. */
static int
set_urgent(pid_t pid, bool urgent)
{
	int priority = urgent ? 1 : 0;

	return (int)syscall(SYS_sched_setscheduler, pid,
	    (urgent ? SCHED_RR : SCHED_NORMAL) | SCHED_RESET_ON_FORK, &priority);
}

/* Without CAP_SYS_NICE (not started as root, a small container) all stays as it is. */
void
turn_take(enum turn turn)
{
	int nice = getpriority(PRIO_PROCESS, 0);
	struct sched_attr attr = { .size = SCHED_ATTR_SIZE_VER0,
		.sched_policy = turns[turn].policy,
		.sched_nice = nice + turns[turn].nicer,
		.sched_runtime = turns[turn].slice_ns };

	if (turn == TURN_USUAL)
		return;
	if (syscall(SYS_sched_setattr, 0, &attr, 0) != 0 && errno == EPERM) {
		attr.sched_nice = nice;
		(void)syscall(SYS_sched_setattr, 0, &attr, 0);
	}
	if (turn == TURN_FIRST)
		(void)set_urgent(0, true);
}

bool
turn_is_urgent(bool urgent, uint64_t cpu_ns, uint64_t span_ns)
{
	return cpu_ns * 100 <= span_ns * (urgent ? BUSY_PERCENT : CALM_PERCENT);
}

bool
turn_review(pid_t pid, struct turn_look *look, uint64_t now_ns)
{
	struct turn_look last = *look;
	struct timespec cpu;
	clockid_t clock;

	if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &cpu) != 0)
		return false;
	look->at_ns = now_ns;
	look->cpu_ns = (uint64_t)cpu.tv_sec * 1000000000u + (uint64_t)cpu.tv_nsec;
	if (last.at_ns == 0 || now_ns <= last.at_ns)
		return false;
	look->shares =
	    !turn_is_urgent(!last.shares, look->cpu_ns - last.cpu_ns, now_ns - last.at_ns);
	return look->shares != last.shares && set_urgent(pid, !look->shares) == 0;
}
