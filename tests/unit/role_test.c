/* The sandbox of roles, each attempt in a process of its own: paths by Landlock, calls by seccomp,
 * and that a role's list cannot widen what is limited by argument. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include <event2/event.h>

#include "appliance/role/role.h"

static char dir[64], inside[96], outside[96];

static const char *
data_dir(const struct role *role)
{
	return role_data_dir(role);
}

static const char *
no_dir(const struct role *role)
{
	(void)role;
	return NULL;
}

static const struct role_path writable[] = { { ROLE_WRITE, data_dir }, { ROLE_READ, no_dir },
	{ ROLE_READ, NULL } };
static const struct role_path readable[] = { { ROLE_READ, data_dir }, { ROLE_READ, NULL } };
/* mmap, mprotect, socket, clone and prctl are no use here: they stay limited. */
static const int files[] = { SYS_openat, SYS_open, SYS_mmap, SYS_mprotect, SYS_socket, SYS_clone,
	SYS_prctl, SYS_unlink, SYS_unlinkat, -1 };
static const struct role_rules writes = { .syscalls = files, .paths = writable };
static const struct role_rules reads = { .syscalls = files, .paths = readable };
static const struct role_rules reaches = { .syscalls = files, .paths = readable, .network = true };
static const struct role_rules nothing = { 0 };

static int
make_dir(void **state)
{
	int fd;

	(void)state;
	snprintf(dir, sizeof dir, "/tmp/role_test.XXXXXX");
	if (mkdtemp(dir) == NULL)
		return -1;
	snprintf(inside, sizeof inside, "%s/data", dir);
	if (mkdir(inside, 0755) != 0)
		return -1;
	snprintf(inside, sizeof inside, "%s/data/file", dir);
	snprintf(outside, sizeof outside, "%s/file", dir);
	fd = open(inside, O_CREAT | O_WRONLY, 0644);
	close(fd);
	fd = open(outside, O_CREAT | O_WRONLY, 0644);
	return close(fd);
}

static int
remove_dir(void **state)
{
	char path[96];

	(void)state;
	(void)unlink(inside);
	(void)unlink(outside);
	snprintf(path, sizeof path, "%s/data", dir);
	(void)rmdir(path);
	return rmdir(dir);
}

static bool have_landlock;

/* 0: it worked; an errno; or 1000 + the signal that killed it. */
static int
within(const struct role_rules *rules, int (*attempt)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		char problems[512], path[96];
		Ns__Config config = NS__CONFIG__INIT;
		Ns__ChildStart start = NS__CHILD_START__INIT;
		struct role role = { .start = &start };

		snprintf(path, sizeof path, "%s/data", dir);
		config.data = path;
		start.config = &config;
		role_sandbox(&role, rules, problems, sizeof problems);
		errno = 0;
		_exit(attempt() >= 0 ? 0 : errno);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? 1000 + WTERMSIG(status) : WEXITSTATUS(status);
}

#define KILLED (1000 + SIGSYS)

static int
write_inside(void)
{
	return open(inside, O_RDWR);
}
static int
read_inside(void)
{
	return open(inside, O_RDONLY);
}
static int
read_outside(void)
{
	return open(outside, O_RDONLY);
}
static int
unlink_outside(void)
{
	return unlink(outside);
}
static int
inet(void)
{
	return socket(AF_INET, SOCK_STREAM, 0);
}
static int
local(void)
{
	return socket(AF_UNIX, SOCK_STREAM, 0);
}
static int
packet(void)
{
	return socket(AF_PACKET, SOCK_RAW, 0);
}
static int
exec_memory(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
		       MAP_FAILED
		   ? -1
		   : 0;
}
static int
new_process(void)
{
	return (int)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
}
static int
modern_clone(void)
{
	return (int)syscall(SYS_clone3, NULL, 0);
}
static int
dump(void)
{
	return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}
static int
abort_self(void)
{
	abort();
}

static void *
in_thread(void *arg)
{
	return arg;
}
static int
thread_and_loop(void)
{
	struct event_base *base = event_base_new();
	pthread_t t;
	void *mem = malloc(64 << 20);

	if (base == NULL || mem == NULL || pthread_create(&t, NULL, in_thread, NULL) != 0)
		return -1;
	pthread_join(t, NULL);
	memset(mem, 1, 64 << 20);
	free(mem);
	event_base_loop(base, EVLOOP_NONBLOCK);
	event_base_free(base);
	return 0;
}

static void
test_paths(void **state)
{
	(void)state;
	assert_int_equal(within(&writes, write_inside), 0);
	assert_int_equal(within(&reads, read_inside), 0);
	if (!have_landlock)
		return;
	assert_int_equal(within(&reads, write_inside), EACCES);
	assert_int_equal(within(&reads, read_outside), EACCES);
	assert_int_equal(within(&writes, read_outside), EACCES);
	assert_int_equal(within(&writes, unlink_outside), EACCES);
}

static void
test_calls(void **state)
{
	(void)state;
	assert_int_equal(within(&nothing, read_inside), KILLED);
	assert_int_equal(within(&writes, local), 0);
	assert_int_equal(within(&writes, inet), KILLED);
	assert_int_equal(within(&reaches, inet), 0);
	assert_int_equal(within(&reaches, packet), KILLED);
	assert_int_equal(within(&writes, exec_memory), KILLED);
	assert_int_equal(within(&writes, new_process), KILLED);
	assert_int_equal(within(&writes, modern_clone), ENOSYS);
	assert_int_equal(within(&writes, dump), KILLED);
	assert_int_equal(within(&nothing, abort_self), 1000 + SIGABRT);
	assert_int_equal(within(&nothing, thread_and_loop), 0);
}

static void
test_names(void **state)
{
	(void)state;
	assert_string_equal(role_name(ROLE_SYNC), "sync");
	assert_string_equal(role_name(ROLE_API), "api");
	assert_string_equal(role_name((enum role_id)99), "?");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_paths, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(test_calls, make_dir, remove_dir),
		cmocka_unit_test(test_names),
	};

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	return 0; /* there the filter only logs: see appliance/role/seccomp.c */
#endif
	have_landlock = syscall(444, NULL, 0, 1) >= 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
