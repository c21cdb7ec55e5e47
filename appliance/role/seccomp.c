/* seccomp - which system calls are left after the start.
 *
 * Called by role_sandbox() as its last step, before any thread exists.  An allow list: what every
 * role needs (glibc, libevent, the link to the supervisor) plus the role's own; all else kills the
 * process, and the supervisor logs SIGSYS.  Calls whose danger is in an argument stand in limited[]:
 * a role's list cannot widen them.  clone3 gets ENOSYS, because its flags are behind a pointer that
 * a filter cannot read; glibc then takes clone.
 * Sanitizer run-times need more than any list should hold: there the filter is loaded but only logs. */
#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <seccomp.h>

#include "appliance/role/role_internal.h"
#include "ipc/base/log.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define FORBIDDEN SCMP_ACT_LOG
#else
#define FORBIDDEN SCMP_ACT_KILL_PROCESS
#endif

static const int common[] = {
	/* descriptors that are open already */
	SCMP_SYS(read),
	SCMP_SYS(write),
	SCMP_SYS(readv),
	SCMP_SYS(writev),
	SCMP_SYS(close),
	SCMP_SYS(lseek),
	SCMP_SYS(fstat),
	SCMP_SYS(newfstatat),
	SCMP_SYS(fcntl),
	SCMP_SYS(pipe2),
	SCMP_SYS(recvfrom),
	SCMP_SYS(recvmsg),
	SCMP_SYS(sendto),
	SCMP_SYS(sendmsg),
	SCMP_SYS(getsockopt),
	SCMP_SYS(shutdown),
	/* the loop */
	SCMP_SYS(epoll_create1),
	SCMP_SYS(epoll_ctl),
	SCMP_SYS(epoll_wait),
	SCMP_SYS(epoll_pwait),
	SCMP_SYS(epoll_pwait2),
	SCMP_SYS(poll),
	SCMP_SYS(ppoll),
	SCMP_SYS(eventfd2),
	SCMP_SYS(timerfd_create),
	SCMP_SYS(timerfd_settime),
	SCMP_SYS(timerfd_gettime),
	/* memory */
	SCMP_SYS(brk),
	SCMP_SYS(munmap),
	SCMP_SYS(mremap),
	SCMP_SYS(madvise),
	/* time */
	SCMP_SYS(clock_gettime),
	SCMP_SYS(clock_getres),
	SCMP_SYS(clock_nanosleep),
	SCMP_SYS(nanosleep),
	SCMP_SYS(gettimeofday),
	SCMP_SYS(time),
	/* threads and signals */
	SCMP_SYS(futex),
	SCMP_SYS(rseq),
	SCMP_SYS(set_robust_list),
	SCMP_SYS(set_tid_address),
	SCMP_SYS(sched_yield),
	SCMP_SYS(sched_getaffinity),
	SCMP_SYS(getcpu),
	SCMP_SYS(rt_sigaction),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(sigaltstack),
	SCMP_SYS(restart_syscall),
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
	/* who and how much */
	SCMP_SYS(getpid),
	SCMP_SYS(gettid),
	SCMP_SYS(getppid),
	SCMP_SYS(getuid),
	SCMP_SYS(geteuid),
	SCMP_SYS(getgid),
	SCMP_SYS(getegid),
	SCMP_SYS(getrusage),
	SCMP_SYS(sysinfo),
	SCMP_SYS(uname),
	SCMP_SYS(getrandom),
	-1,
};

/* Allowed when (argument & mask) == value; mask 0: the whole argument.  Several lines: any. */
static const struct limited {
	int nr;
	unsigned arg;
	uint64_t mask, value;
	bool network; /* only for roles that may reach the network */
} limited[] = {
	{ SCMP_SYS(socket), 0, 0, AF_UNIX, false }, { SCMP_SYS(socket), 0, 0, AF_INET, true },
	{ SCMP_SYS(socket), 0, 0, AF_INET6, true }, { SCMP_SYS(socketpair), 0, 0, AF_UNIX, false },
	{ SCMP_SYS(mmap), 2, PROT_EXEC, 0, false }, { SCMP_SYS(mprotect), 2, PROT_EXEC, 0, false },
	{ SCMP_SYS(clone), 0, CLONE_THREAD, CLONE_THREAD, false },
	{ SCMP_SYS(prctl), 0, 0, PR_SET_NAME, false },
	{ SCMP_SYS(prctl), 0, 0, PR_GET_NAME, false },
	{ SCMP_SYS(prlimit64), 2, 0, 0, false }, /* read, not set */
};

static bool
is_limited(int nr)
{
	size_t i;

	for (i = 0; i < sizeof limited / sizeof *limited; i++)
		if (limited[i].nr == nr)
			return true;
	return nr == SCMP_SYS(tgkill) || nr == SCMP_SYS(clone3);
}

static void
must(int rc, int nr)
{
	/* A call that this architecture does not have needs no rule. */
	if (rc != 0 && rc != -EEXIST && rc != -EDOM)
		fatal("role.seccomp", "call=%d error=%s", nr, strerror(-rc));
}

static void
add_list(scmp_filter_ctx filter, const int *list)
{
	for (; list != NULL && *list != -1; list++)
		if (!is_limited(*list))
			must(seccomp_rule_add(filter, SCMP_ACT_ALLOW, *list, 0), *list);
}

static void
add_limited(scmp_filter_ctx filter, bool network)
{
	size_t i;

	for (i = 0; i < sizeof limited / sizeof *limited; i++) {
		const struct limited *l = &limited[i];
		struct scmp_arg_cmp cmp = { .arg = l->arg, .op = SCMP_CMP_EQ, .datum_a = l->value };

		if (l->network && !network)
			continue;
		if (l->mask != 0)
			cmp = (struct scmp_arg_cmp){ .arg = l->arg,
				.op = SCMP_CMP_MASKED_EQ,
				.datum_a = l->mask,
				.datum_b = l->value };
		must(seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, l->nr, 1, &cmp), l->nr);
	}
	/* abort() and raise() only; never at another process. */
	must(seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
		 SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid())),
	    SCMP_SYS(tgkill));
	must(seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0),
	    SCMP_SYS(clone3));
}

void
seccomp_apply(const struct role_rules *rules)
{
	scmp_filter_ctx filter = seccomp_init(FORBIDDEN);
	int rc;

	if (filter == NULL)
		fatal("role.seccomp", "error=\"no filter\"");
	/* Calls of another ABI (x32, int 0x80) by default kill the thread alone. */
	must(seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS), -1);
	/* A tree instead of a list: the answer path pays for the filter in every batch. */
	(void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	add_list(filter, common);
	add_list(filter, rules->syscalls);
	add_limited(filter, rules->network);
	rc = seccomp_load(filter);
	if (rc != 0)
		fatal("role.seccomp", "error=%s", strerror(-rc));
	seccomp_release(filter);
}
