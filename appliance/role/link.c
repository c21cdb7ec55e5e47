/* link - a child's end of the datagram pair to the supervisor (descriptor 3).
 *
 * One role per process, so the state is static.  Everything runs in the thread of role->base (or of
 * the role's own loop); the signal handler only sets a flag and wakes the loop.  What comes in was
 * written by the supervisor, which we trust as little as we can afford: sizes are checked and what
 * does not decode is dropped.  EOF means that the supervisor is gone: the child leaves. */
#include "appliance/role/role.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "appliance/role/role_internal.h"
#include "ipc/base/log.h"
#include "ipc/base/xalloc.h"

#define ALIVE_MS    500
#define REPORT_MAX  1024u /* octets of one report; the supervisor reads no more */
#define TABLE_MAX   (64u << 10) /* ProcessTable: 128 workers and 64 problems fit in a third */
#define TABLE_BATCH 16 /* datagrams per wake-up */

static volatile sig_atomic_t stopping;
static int wake_fd = -1;
static struct event *wake_event, *link_event, *alive_event;
static bool ready, ready_sent;
static char lacks[512]; /* what the kernel does not allow */
static role_table_fn *table_fn;
static void *table_arg;
static Ns__ProcessTable *table;

static void
on_term(int sig)
{
	const uint64_t one = 1;
	int saved = errno;

	(void)sig;
	stopping = 1;
	if (wake_fd >= 0 && write(wake_fd, &one, sizeof one) < 0) {
		/* The counter is full: the loop is awake anyway. */
	}
	errno = saved;
}

void
link_catch_signals(void)
{
	struct sigaction sa = { .sa_handler = on_term };

	wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (wake_fd < 0)
		fatal("role.eventfd", "error=%s", strerror(errno));
	sigemptyset(&sa.sa_mask);
	if (sigaction(SIGTERM, &sa, NULL) != 0)
		fatal("role.sigaction", "error=%s", strerror(errno));
	/* ^C goes to the whole foreground group; the supervisor decides who stops and when. */
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
}

Ns__ChildStart *
link_receive_start(const struct role_ops *ops)
{
	Ns__ChildStart *start;
	uint8_t *buf;
	ssize_t n;
	int type = 0;
	socklen_t len = sizeof type;

	if (getsockopt(ROLE_FD_SUPERVISOR, SOL_SOCKET, SO_TYPE, &type, &len) != 0 ||
	    type != SOCK_SEQPACKET)
		fatal_config("role.start",
		    "error=\"nameserve-%s is started by nameserved, not by hand; see --help\"",
		    ops->name);
	/* Again after the change of uid, which clears it. */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	buf = xmalloc(LINK_START_MAX);
	do
		n = recv(ROLE_FD_SUPERVISOR, buf, LINK_START_MAX, MSG_TRUNC);
	while (n < 0 && errno == EINTR);
	if (n <= 0 || (size_t)n > LINK_START_MAX)
		fatal("role.start", "error=\"no start message\" octets=%zd", n);
	start = ns__child_start__unpack(NULL, (size_t)n, buf);
	explicit_bzero(buf, (size_t)n); /* a worker's has a private key in it */
	free(buf);
	if (start == NULL || start->config == NULL || strcmp(start->role, ops->name) != 0)
		fatal("role.start", "error=\"the start message is not for this role\"");
	return start;
}

static void
leave(struct role *role)
{
	stopping = 1;
	if (role->base != NULL)
		event_base_loopbreak(role->base);
}

static void
on_wake(evutil_socket_t fd, short what, void *arg)
{
	uint64_t n;

	(void)what;
	while (read(fd, &n, sizeof n) > 0)
		continue;
	leave(arg);
}

static void
on_alive(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	role_alive(arg);
}

static void
take_table(const uint8_t *data, size_t len)
{
	Ns__ProcessTable *fresh = ns__process_table__unpack(NULL, len, data);

	if (fresh == NULL) {
		log_warn("role.table", "error=\"does not decode\" octets=%zu", len);
		return;
	}
	if (table_fn != NULL)
		table_fn(table_arg, fresh);
	ns__process_table__free_unpacked(table, NULL);
	table = fresh;
}

static void
on_link(evutil_socket_t fd, short what, void *arg)
{
	static uint8_t buf[TABLE_MAX];
	ssize_t n;
	int i;

	(void)what;
	for (i = 0; i < TABLE_BATCH; i++) {
		n = recv(fd, buf, sizeof buf, MSG_DONTWAIT | MSG_TRUNC);
		if (n > 0 && (size_t)n <= sizeof buf) {
			take_table(buf, (size_t)n);
			explicit_bzero(buf, (size_t)n);
		} else if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
			log_warn("role.orphan", "text=\"the supervisor is gone\"");
			event_del(link_event);
			leave(arg);
			return;
		} else if (n < 0) {
			return;
		}
	}
}

void
link_attach(struct role *role)
{
	const struct timeval every = { .tv_sec = 0, .tv_usec = ALIVE_MS * 1000 };

	wake_event = event_new(role->base, wake_fd, EV_READ | EV_PERSIST, on_wake, role);
	link_event = event_new(role->base, ROLE_FD_SUPERVISOR, EV_READ | EV_PERSIST, on_link, role);
	alive_event = event_new(role->base, -1, EV_PERSIST, on_alive, role);
	if (wake_event == NULL || link_event == NULL || alive_event == NULL ||
	    event_add(wake_event, NULL) != 0 || event_add(link_event, NULL) != 0 ||
	    event_add(alive_event, &every) != 0)
		fatal("role.loop", "error=\"cannot watch the supervisor\"");
}

void
link_detach(void)
{
	struct event **all[] = { &wake_event, &link_event, &alive_event };
	size_t i;

	for (i = 0; i < sizeof all / sizeof *all; i++) {
		if (*all[i] != NULL)
			event_free(*all[i]);
		*all[i] = NULL;
	}
	ns__process_table__free_unpacked(table, NULL);
	table = NULL;
}

/* False when it could not be handed over now. */
static bool
report(struct role *role, Ns__ChildReport__Kind kind, const char *text)
{
	Ns__ChildReport msg = NS__CHILD_REPORT__INIT;
	uint8_t buf[REPORT_MAX];
	char cut[REPORT_MAX / 2];

	snprintf(cut, sizeof cut, "%s", text);
	msg.kind = kind;
	msg.generation = role->start->generation;
	msg.text = cut;
	if (ns__child_report__get_packed_size(&msg) > sizeof buf)
		return false;
	if (send(ROLE_FD_SUPERVISOR, buf, ns__child_report__pack(&msg, buf),
		MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
		return true;
	if (errno == EPIPE || errno == ECONNRESET || errno == ENOTCONN)
		leave(role);
	return false;
}

void
role_ready(struct role *role)
{
	ready = true;
	ready_sent = report(role, NS__CHILD_REPORT__KIND__READY, "");
}

void
role_alive(struct role *role)
{
	if (!ready)
		return;
	/* A READY that found the pair full goes again: without it we would be killed at 60 s. */
	if (!ready_sent)
		ready_sent = report(role, NS__CHILD_REPORT__KIND__READY, "");
	else
		(void)report(role, NS__CHILD_REPORT__KIND__ALIVE, "");
}

void
link_lacks(struct role *role, const char *text)
{
	snprintf(lacks, sizeof lacks, "%s", text);
	role_problem(role, "");
}

void
role_problem(struct role *role, const char *text)
{
	char all[REPORT_MAX / 2];

	snprintf(all, sizeof all, "%.200s%s%.300s", lacks,
	    lacks[0] != '\0' && text[0] != '\0' ? "; " : "", text);
	if (all[0] != '\0')
		log_warn("role.problem", "text=%s", log_quote(all));
	else
		log_info("role.problem", "text=\"nothing any more\"");
	(void)report(role, NS__CHILD_REPORT__KIND__PROBLEM, all);
}

void
role_on_table(struct role *role, role_table_fn *fn, void *arg)
{
	(void)role;
	table_fn = fn;
	table_arg = arg;
	if (fn != NULL && table != NULL)
		fn(arg, table);
}

bool
role_stopping(const struct role *role)
{
	(void)role;
	return stopping != 0;
}
