/* spawn - one child: its message, its descriptors, fork and exec.
 *
 * Called by watch.c.  Must be quick, because a killed worker is replaced and answering within 50 ms:
 * the supervisor maps a few pages only, so fork costs little.  Between fork and exec only
 * async-signal-safe calls are made. */
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "appliance/supervisor/supervisor.h"
#include "ipc/base/clock.h"
#include "ipc/base/log.h"
#include "ipc/base/xalloc.h"

#define ENV_MAX      16
#define EXIT_NO_EXEC 127

struct placed {
	int from, to;
};
struct plan { /* in rising order of `to` */
	struct placed at[ROLE_FD_SOCKET0 + 3 * CONFIG_LIST_MAX]; /* UDP, TCP, TLS */
	size_t n;
};

_Static_assert(
    ROLE_FD_SOCKET0 + 3 * CONFIG_LIST_MAX < FD_HIGH, "children's descriptors are below ours");

static void
place(struct plan *p, int from, int to)
{
	p->at[p->n++] = (struct placed){ .from = from, .to = to };
}

static void
make_plan(const struct child *c, int link, struct plan *p)
{
	const struct supervisor *s = c->super;
	const struct memory *m = &s->memory;
	unsigned handed = c->spec->handed;
	size_t i;

	p->n = 0;
	place(p, s->null_fd, 0);
	place(p, s->null_fd, 1);
	place(p, link, ROLE_FD_SUPERVISOR);
	if (handed & (HAND_MAP_RW | HAND_MAP_RO))
		place(p, handed & HAND_MAP_RW ? m->map_rw : m->map_ro, ROLE_FD_MAP);
	if (handed & (HAND_BOARD | HAND_BOARD_RW))
		place(p, handed & HAND_BOARD_RW ? m->board_rw : m->board_ro, ROLE_FD_BOARD);
	for (i = 0; handed & HAND_GEO && i < s->ngeo; i++)
		place(p, s->geo[i], ROLE_FD_GEO0 + (int)i);
	if (handed & (HAND_TAIL | HAND_TAIL_RW))
		place(p, handed & HAND_TAIL_RW ? m->tail_rw : m->tail_ro, ROLE_FD_TAIL);
	if (handed & HAND_KEK && s->kek >= 0)
		place(p, s->kek, ROLE_FD_KEK);
	if (handed & HAND_OWN_PAGE)
		place(p, m->pages[c->index].rw, ROLE_FD_PAGE0);
	for (i = 0; handed & HAND_ALL_PAGES && i < m->npages; i++)
		place(p, m->pages[i].ro, ROLE_FD_PAGE0 + (int)i);
	for (i = 0; handed & HAND_SOCKETS && i < s->sockets.per_worker; i++)
		place(p, s->sockets.all[c->index * s->sockets.per_worker + i].fd,
		    ROLE_FD_SOCKET0 + (int)i);
}

/* Exactly the plan and stderr survive. */
static void
wear_plan(const struct plan *p)
{
	unsigned next = 0;
	size_t i;

	for (i = 0; i < p->n; i++)
		if (dup2(p->at[i].from, p->at[i].to) < 0)
			_exit(EXIT_NO_EXEC);
	for (i = 0; i < p->n; i++) {
		unsigned to = (unsigned)p->at[i].to;

		if (next == 2)
			next = 3; /* stderr */
		if (to > next)
			(void)syscall(SYS_close_range, next, to - 1, 0);
		next = to + 1;
	}
	/* The program itself is among the rest: close-on-exec, so that exec can still see it. */
	(void)syscall(SYS_close_range, next, ~0u, CLOSE_RANGE_CLOEXEC);
}

/* The few variables that a child may see. */
static void
make_env(char *env[ENV_MAX])
{
	static const char *const passed[] = { "JOURNAL_STREAM=", "NAMESERVE_TEST_",
		"UBSAN_OPTIONS=", "TSAN_OPTIONS=" };
	size_t n = 0, i, j;

	env[n++] = (char *)(uintptr_t) "PATH=/usr/bin:/bin";
	env[n++] = (char *)(uintptr_t) "LC_ALL=C";
	/* CZMQ would catch our signals. */
	env[n++] = (char *)(uintptr_t) "ZSYS_SIGHANDLER=false";
	/* Only builds with ASan read it: its leak checker needs ptrace, which nobody here may. */
	env[n++] = (char *)(uintptr_t) "ASAN_OPTIONS=detect_leaks=0";
	for (i = 0; environ[i] != NULL && n < ENV_MAX - 1; i++)
		for (j = 0; j < sizeof passed / sizeof *passed && n < ENV_MAX - 1; j++)
			if (strncmp(environ[i], passed[j], strlen(passed[j])) == 0)
				env[n++] = environ[i];
	env[n] = NULL;
}

static void
reset_signals(void)
{
	sigset_t none;
	int sig;

	for (sig = 1; sig < NSIG; sig++)
		(void)signal(sig, SIG_DFL);
	(void)signal(SIGINT, SIG_IGN);
	(void)signal(SIGHUP, SIG_IGN);
	(void)signal(SIGPIPE, SIG_IGN);
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

_Noreturn static void
become(const struct child *c, const struct plan *plan, char *name, char *const env[], pid_t parent)
{
	int program = c->super->programs[c->spec->role];
	char *argv[] = { name, NULL };

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (getppid() != parent)
		_exit(EXIT_NO_EXEC);
	/* A group of its own: what is sent to ours (^C, timeout(1)) is for us to pass on in order. */
	(void)setpgid(0, 0);
	reset_signals();
	turn_take(c->spec->turn);
	wear_plan(plan);
	(void)syscall(SYS_execveat, program, "", argv, env, AT_EMPTY_PATH);
	_exit(EXIT_NO_EXEC);
}

static void
fill_sockets(
    const struct child *c, Ns__ChildStart__Socket *sock, Ns__ChildStart__Socket **list, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		const struct dns_socket *d = &c->super->sockets.all[c->index * n + i];

		ns__child_start__socket__init(&sock[i]);
		sock[i].fd = ROLE_FD_SOCKET0 + (int)i;
		sock[i].tcp = d->tcp;
		sock[i].tls = d->tls;
		sock[i].address = (char *)(uintptr_t)d->address;
		list[i] = &sock[i];
	}
}

/* The first datagram.  Everything in it is borrowed from the supervisor but `sockets`. */
static uint8_t *
pack_start(const struct child *c, size_t *len)
{
	struct supervisor *s = c->super;
	size_t nsock = c->spec->handed & HAND_SOCKETS ? s->sockets.per_worker : 0, i;
	Ns__ChildStart__Socket *sock = xcalloc(nsock + 1, sizeof *sock);
	Ns__ChildStart__Socket **list = xcalloc(nsock + 1, sizeof *list);
	char *problems[PROBLEMS_MAX];
	Ns__ChildStart m = NS__CHILD_START__INIT;
	Ns__TlsMaterial tls;
	ProtobufCBinaryData tickets[2];
	uint8_t *out;

	fill_sockets(c, sock, list, nsock);
	for (i = 0; i < s->nproblems; i++)
		problems[i] = s->problems[i].text;
	m.role = (char *)(uintptr_t)role_name(c->spec->role);
	m.index = c->index;
	m.generation = c->generation;
	m.uid = s->users.root ? s->users.uid[c->spec->role] : 0;
	m.gid = s->users.root ? s->users.gid : 0;
	m.config = &s->config.pb;
	m.n_sockets = nsock;
	m.sockets = list;
	m.admin_uid = s->users.admin;
	m.n_problems = s->nproblems;
	m.problems = problems;
	m.started_mono_ms = s->started_ms;
	m.bus_uid_base = s->users.root ? s->users.uid[0] : 0;
	m.n_role_uids = ROLE_MAX;
	m.role_uids = s->users.uid;
	if (nsock > 0 && s->tls.cert != NULL) {
		tls_fill(s, &tls, tickets);
		m.tls = &tls;
	}
	*len = ns__child_start__get_packed_size(&m);
	out = xmalloc(*len);
	ns__child_start__pack(&m, out);
	free(list);
	free(sock);
	return out;
}

/* Both ends; ours is kept high.  The start message is in the pair before the child is there. */
static bool
make_link(struct child *c, int *theirs)
{
	size_t len;
	uint8_t *start = pack_start(c, &len);
	int pair[2] = { -1, -1 };
	bool ok = false;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0) {
		c->link = fd_keep(pair[0]);
		*theirs = fd_keep(pair[1]);
		ok = c->link >= 0 && *theirs >= 0 &&
		     send(c->link, start, len, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)len;
	}
	if (!ok)
		log_error("child.link", "role=%s index=%u error=%s", role_name(c->spec->role),
		    c->index, log_quote(strerror(errno)));
	explicit_bzero(start, len); /* a worker's has the key of the certificate in it */
	free(start);
	return ok;
}

static void
forget_link(struct child *c)
{
	if (c->link >= 0)
		close(c->link);
	c->link = -1;
}

bool
child_spawn(struct child *c)
{
	static struct plan plan;
	struct supervisor *s = c->super;
	char name[32], *env[ENV_MAX];
	int theirs = -1;
	pid_t parent = getpid();
	sigset_t all, before;

	c->generation = ++s->generation;
	c->problem[0] = '\0';
	c->late[0] = '\0';
	c->look = (struct turn_look){ 0 };
	c->tls_due = false;
	if (c->spec->by_page)
		memory_clear_worker(&s->memory.pages[c->index]);
	if (!make_link(c, &theirs)) {
		forget_link(c);
		if (theirs >= 0)
			close(theirs);
		return false;
	}
	make_plan(c, theirs, &plan);
	make_env(env);
	snprintf(name, sizeof name, "nameserve-%s", role_name(c->spec->role));
	/* Until it has handlers of its own the child has ours, and libevent's would tell us what
	 * was sent to it: our own SIGTERM to a newborn would come back as a second one to us. */
	sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, &before);
	c->pid = fork();
	if (c->pid == 0)
		become(c, &plan, name, env, parent);
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	close(theirs);
	if (c->pid < 0) {
		log_error("child.fork", "role=%s index=%u error=%s", role_name(c->spec->role),
		    c->index, log_quote(strerror(errno)));
		c->pid = 0;
		forget_link(c);
		return false;
	}
	c->state = CHILD_STARTING;
	c->killed = false;
	c->started_ms = c->heard_ms = clock_mono_ms();
	watch_link(c);
	return true;
}
