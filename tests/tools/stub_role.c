/* stub_role - a stand-in for any child, to test the supervisor and the start-up of roles with.
 *
 * Installed by tests as libexec/nameserve-ROLE; it takes its role from its name.  What it does is
 * in NAMESERVE_TEST_STUB (the supervisor passes NAMESERVE_TEST_*), words like `worker:never` for a
 * role, or `never` for all:
 *   never   does not say READY        early   dies before READY
 *   hang    READY, then a hot loop    silent  READY, then sleeps without a sign of life
 *   die     READY, dies after 1.5 s   socket  tries socket(AF_INET), which its sandbox forbids
 *   rude    sends reports of another generation, garbage and giants, then goes on
 *   deaf    ignores SIGTERM */
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>

#include "appliance/role/role.h"
#include "appliance/zonemap/page.h"
#include "ipc/base/clock.h"
#include "ipc/base/log.h"

static const char *
run_dir(const struct role *role)
{
	return role_run_dir(role);
}
static const struct role_path paths[] = { { ROLE_SOCKET, run_dir }, { ROLE_READ, NULL } };
static const struct role_rules rules = { .syscalls = NULL, .paths = paths, .network = false };

static struct worker_page *page;
static char mode[16];

static void
read_mode(const char *name)
{
	const char *env = getenv("NAMESERVE_TEST_STUB");
	char *copy = env != NULL ? strdup(env) : NULL, *rest = copy, *word;
	size_t len = strlen(name);

	while (rest != NULL && (word = strsep(&rest, " ,")) != NULL)
		if (strncmp(word, name, len) == 0 && word[len] == ':')
			snprintf(mode, sizeof mode, "%s", word + len + 1);
		else if (strchr(word, ':') == NULL && word[0] != '\0')
			snprintf(mode, sizeof mode, "%s", word);
	free(copy);
}

static bool
is(const char *what)
{
	return strcmp(mode, what) == 0;
}

static void
stub_open(struct role *role)
{
	read_mode(role->ops->name);
	if (role->ops->id == ROLE_WORKER) {
		page =
		    mmap(NULL, sizeof *page, PROT_READ | PROT_WRITE, MAP_SHARED, ROLE_FD_PAGE0, 0);
		if (page == MAP_FAILED)
			fatal("stub.page", "error=mmap");
		page->slot = 42; /* the supervisor must clear it when we are dead */
	}
	if (is("early"))
		exit(3);
}

static void
on_beat(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	if (page != NULL)
		page->heartbeat_ns = clock_mono_ns();
}

static void
on_die(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	_exit(4);
}

static void
on_table(void *arg, const Ns__ProcessTable *t)
{
	static size_t last;

	(void)arg;
	if (t->n_problems != last)
		log_info("stub.table", "processes=%zu problems=%zu", t->n_processes, t->n_problems);
	last = t->n_problems;
}

static void
be_rude(void)
{
	static const char giant[8192];

	(void)send(ROLE_FD_SUPERVISOR, "\x08\x00\x10\xff\x7f", 5, MSG_DONTWAIT);
	(void)send(ROLE_FD_SUPERVISOR, "\xff\xff\xff", 3, MSG_DONTWAIT);
	(void)send(ROLE_FD_SUPERVISOR, giant, sizeof giant, MSG_DONTWAIT);
}

static int
stub_run(struct role *role)
{
	const struct timeval beat = { .tv_usec = 200000 },
			     soon = { .tv_sec = 1, .tv_usec = 500000 };
	struct event *e = event_new(role->base, -1, EV_PERSIST, on_beat, NULL);
	struct event *die = event_new(role->base, -1, 0, on_die, NULL);
	volatile int x = 0;

	role_on_table(role, on_table, NULL);
	event_add(e, &beat);
	if (is("deaf"))
		signal(SIGTERM, SIG_IGN);
	if (is("socket"))
		(void)!socket(AF_INET, SOCK_DGRAM, 0);
	if (is("rude"))
		be_rude();
	if (!is("never"))
		role_ready(role);
	if (is("die"))
		event_add(die, &soon);
	while (is("hang"))
		x++;
	if (is("silent"))
		for (;;)
			sleep(1);
	event_base_dispatch(role->base);
	event_free(e);
	event_free(die);
	return 0;
}

int
main(int argc, char **argv)
{
	static struct role_ops ops = {
		.summary = "a stand-in", .rules = &rules, .open = stub_open, .run = stub_run
	};
	const char *name = strrchr(argv[0], '-');
	int i;

	for (i = 0; i < ROLE_MAX; i++)
		if (name != NULL && strcmp(name + 1, role_name((enum role_id)i)) == 0) {
			ops.id = (enum role_id)i;
			ops.name = role_name(ops.id);
			return role_main(&ops, argc, argv);
		}
	fprintf(stderr, "stub_role: call me nameserve-ROLE\n");
	return 2;
}
