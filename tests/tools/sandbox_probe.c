/* sandbox_probe - does each role's sandbox hold?  One line of JSON on stdout.
 *
 *   sandbox_probe STORE KEY [RUN]     STORE: <data>/store.db; RUN: <data>/../run
 *
 * For every role and attempt a child process becomes the role's user (started as root), puts on the
 * rules that the role itself wears (appliance/<role>/sandbox.c, linked in), and tries: opened,
 * denied (with the errno) or killed (by which signal).  The rules are weak symbols, so that a role
 * that is not linked is reported as null and not as safe.  To add a role: its line in probes[] and
 * its link line here. */
// link: appliance/answer/sandbox.c
// link: appliance/probe/sandbox.c
// link: appliance/signer/sandbox.c
// link: appliance/sync/sandbox.c
// link: appliance/worker/sandbox.c
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cap-ng.h>

#include "appliance/role/role.h"
#include "ipc/base/log.h"

#define FIXED_GID 61000
#define FIXED_UID 61001

extern const struct role_rules sync_rules __attribute__((weak));
extern const struct role_rules signer_rules __attribute__((weak));
extern const struct role_rules answer_rules __attribute__((weak));
extern const struct role_rules worker_rules __attribute__((weak));
extern const struct role_rules probe_rules __attribute__((weak));

static const struct probe {
	enum role_id id;
	const struct role_rules *rules;
} probes[] = {
	{ ROLE_SYNC, &sync_rules },
	{ ROLE_SIGNER, &signer_rules },
	{ ROLE_ANSWER, &answer_rules },
	{ ROLE_WORKER, &worker_rules },
	{ ROLE_PROBE, &probe_rules },
};

static const char *store, *key;

/* Each returns a descriptor (or anything from 0) when it got what it should not, else -1. */
static int
try_store(void)
{
	return open(store, O_RDWR | O_CLOEXEC);
}

static int
try_key(void)
{
	return open(key, O_RDONLY | O_CLOEXEC);
}

static int
try_inet_socket(void)
{
	return socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
}

static int
try_exec(void)
{
	char *argv[] = { (char *)(uintptr_t) "true", NULL };

	return execve("/bin/true", argv, NULL);
}

static int
try_exec_memory(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
		       MAP_FAILED
		   ? -1
		   : 0;
}

static int
try_signal(void)
{
	return kill(getppid(), 0);
}

static int
try_ptrace(void)
{
	return (int)ptrace(PTRACE_ATTACH, getppid(), NULL, NULL);
}

static void *
call_foreign(void *arg)
{
	(void)syscall(0x40000000 | SYS_getpid); /* the x32 numbering: no filter of ours reads it */
	return arg;
}

/* Killing the thread alone would leave a process that does half of its work. */
static int
try_foreign_call(void)
{
	pthread_t t;

	if (pthread_create(&t, NULL, call_foreign, NULL) != 0)
		return -1;
	return pthread_join(t, NULL);
}

static const struct attempt {
	const char *name;
	int (*fn)(void);
} attempts[] = {
	{ "store", try_store },
	{ "key", try_key },
	{ "inet_socket", try_inet_socket },
	{ "exec", try_exec },
	{ "exec_memory", try_exec_memory },
	{ "signal", try_signal },
	{ "ptrace", try_ptrace },
	{ "foreign_call", try_foreign_call },
};

static void
become(enum role_id id)
{
	if (geteuid() != 0)
		return;
	if (setresgid(FIXED_GID, FIXED_GID, FIXED_GID) != 0 ||
	    setresuid(FIXED_UID + id, FIXED_UID + id, FIXED_UID + id) != 0)
		_exit(99);
	capng_clear(CAPNG_SELECT_CAPS);
	if (capng_apply(CAPNG_SELECT_CAPS) != 0)
		_exit(99);
}

/* The exit code is the errno, 0 for success: nothing else needs a system call after the sandbox. */
_Noreturn static void
in_child(const struct probe *p, const struct attempt *a, Ns__Config *config)
{
	char problems[512];
	Ns__ChildStart start = NS__CHILD_START__INIT;
	struct role_ops ops = { .id = p->id, .name = role_name(p->id), .rules = p->rules };
	struct role role = { .ops = &ops, .start = &start };

	start.config = config;
	start.role = (char *)(uintptr_t)role_name(p->id);
	become(p->id);
	role_sandbox(&role, p->rules, problems, sizeof problems);
	errno = 0;
	_exit(a->fn() >= 0 ? 0 : errno);
}

static void
judge(const struct probe *p, const struct attempt *a, Ns__Config *config)
{
	int status = 0;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid == 0)
		in_child(p, a, config);
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		fatal("sandbox_probe", "error=%s", strerror(errno));
	printf("\"%s\":\"", a->name);
	if (WIFSIGNALED(status))
		printf("killed SIG%s\"", sigabbrev_np(WTERMSIG(status)));
	else if (WEXITSTATUS(status) == 0)
		printf("opened\"");
	else
		printf("denied %s\"", strerrorname_np(WEXITSTATUS(status)));
}

int
main(int argc, char **argv)
{
	Ns__Config config = NS__CONFIG__INIT;
	char data[4096], run[4096 + 16];
	size_t i, j;

	if (argc < 3) {
		fprintf(stderr, "usage: sandbox_probe STORE KEY [RUN]\n");
		return 2;
	}
	store = argv[1];
	key = argv[2];
	snprintf(data, sizeof data, "%s", store);
	config.data = dirname(data);
	snprintf(run, sizeof run, "%s/../run", config.data);
	config.run = argc > 3 ? argv[3] : run;
	printf("{");
	for (i = 0; i < sizeof probes / sizeof *probes; i++) {
		printf("%s\"%s\":", i > 0 ? ",\n " : "", role_name(probes[i].id));
		if (probes[i].rules == NULL) {
			printf("null");
			continue;
		}
		printf("{");
		for (j = 0; j < sizeof attempts / sizeof *attempts; j++) {
			printf("%s", j > 0 ? "," : "");
			judge(&probes[i], &attempts[j], &config);
		}
		printf("}");
	}
	printf("}\n");
	return 0;
}
