/* watch - the life of the children: reports, silence, death, and the next start.
 *
 * A child is starting until it says READY, then ready; silent when it has not been heard of for
 * half of what it may, and killed at the whole; in backoff while it waits for its next start.  What
 * it says is checked for size and generation.  The supervisor's own absence (stopped, or a paused
 * virtual machine) is not held against the children. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <event2/event.h>

#include "appliance/supervisor/supervisor.h"
#include "ipc/base/clock.h"
#include "ipc/base/log.h"

#define TICK_MS      250
#define TABLE_MS     1000
#define ABSENT_MS    1000 /* a tick this late: we were away ourselves */
#define GRACE_MS     2000 /* for everybody to give a sign of life again */
#define START_MAX_MS 600000 /* no start takes that long: a migration takes minutes */
#define NEWBORN_MS   10000 /* to the first heartbeat of a page, and between two while it waits */
#define REPORT_BATCH 32 /* datagrams per wake-up: nobody keeps us busy */

static struct log_limit report_limit, turn_limit;

static void
set_state(struct child *c, enum child_state state)
{
	if (c->state == state)
		return;
	c->state = state;
	status_changed(c->super);
}

static void
tell_ready(struct supervisor *s)
{
	size_t i;

	for (i = 0; i < s->nchildren; i++)
		if (s->children[i].state != CHILD_READY)
			return;
	notify_send("STATUS=%zu processes are ready", s->nchildren);
	if (s->all_ready)
		return;
	s->all_ready = true;
	notify_send("READY=1");
	log_info("ready", "name=%s processes=%zu ms=%llu", s->config.pb.name, s->nchildren,
	    (unsigned long long)clock_since(clock_mono_ms(), s->started_ms));
}

static void
on_ready(struct child *c, uint64_t now)
{
	if (c->state != CHILD_STARTING)
		return;
	if (c->spec->by_page)
		atomic_store(&c->super->memory.pages[c->index].page->heartbeat_ns, clock_mono_ns());
	restart_ready(&c->restart, now);
	c->late[0] = '\0';
	set_state(c, CHILD_READY);
	log_info("child.ready", "child=%s index=%u pid=%d ms=%llu", role_name(c->spec->role),
	    c->index, (int)c->pid, (unsigned long long)clock_since(now, c->started_ms));
	tell_ready(c->super);
}

/* One datagram of a child.  It runs as a user that talks to strangers: believe nothing but its form. */
static void
on_report(struct child *c, const uint8_t *data, size_t len)
{
	Ns__ChildReport *r = ns__child_report__unpack(NULL, len, data);
	uint64_t now = clock_mono_ms();

	if (r == NULL || r->generation != c->generation) {
		if (log_allowed(&report_limit, 5))
			log_warn("child.report", "child=%s index=%u error=\"%s\"",
			    role_name(c->spec->role), c->index,
			    r == NULL ? "does not decode" : "of another generation");
		ns__child_report__free_unpacked(r, NULL);
		return;
	}
	c->heard_ms = now;
	if (r->kind == NS__CHILD_REPORT__KIND__READY) {
		on_ready(c, now);
	} else if (r->kind == NS__CHILD_REPORT__KIND__PROBLEM) {
		snprintf(c->problem, sizeof c->problem, "%s", r->text);
		status_changed(c->super);
	}
	ns__child_report__free_unpacked(r, NULL);
}

static void
on_link(evutil_socket_t fd, short what, void *arg)
{
	struct child *c = arg;
	uint8_t buf[REPORT_MAX];
	ssize_t n;
	int i;

	(void)what;
	for (i = 0; i < REPORT_BATCH; i++) {
		n = recv(fd, buf, sizeof buf, MSG_DONTWAIT | MSG_TRUNC);
		if (n < 0)
			return;
		if (n == 0) {
			/* It closed its end, which is dying or as good as that: waitpid() will tell. */
			event_del(c->link_event);
			return;
		}
		if ((size_t)n <= sizeof buf)
			on_report(c, buf, (size_t)n);
	}
}

void
watch_link(struct child *c)
{
	c->link_event = event_new(c->super->base, c->link, EV_READ | EV_PERSIST, on_link, c);
	if (c->link_event == NULL || event_add(c->link_event, NULL) != 0)
		fatal("watch", "error=\"cannot watch a child\"");
}

void
watch_unlink(struct child *c)
{
	if (c->link_event != NULL)
		event_free(c->link_event);
	c->link_event = NULL;
	if (c->link >= 0)
		close(c->link);
	c->link = -1;
}

void
watch_kill(struct child *c, int sig)
{
	if (c->pid <= 0)
		return;
	if (sig == SIGKILL)
		c->killed = true;
	if (kill(c->pid, sig) != 0 && errno != ESRCH)
		log_error("child.kill", "child=%s index=%u pid=%d error=%s",
		    role_name(c->spec->role), c->index, (int)c->pid, strerror(errno));
}

static void
start_child(struct child *c)
{
	if (c->super->stopping)
		return;
	if (!child_spawn(c))
		watch_retry(c, restart_wait(&c->restart, clock_mono_ms(), 0));
	status_changed(c->super);
}

static void
on_retry(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	start_child(arg);
}

void
watch_retry(struct child *c, uint32_t wait_ms)
{
	const struct timeval wait = { .tv_sec = wait_ms / 1000,
		.tv_usec = (suseconds_t)(wait_ms % 1000) * 1000 };

	set_state(c, CHILD_BACKOFF);
	if (c->retry == NULL)
		c->retry = evtimer_new(c->super->base, on_retry, c);
	if (c->retry == NULL || evtimer_add(c->retry, &wait) != 0)
		fatal("watch", "error=\"no timer\"");
}

struct child *
watch_find(struct supervisor *s, pid_t pid)
{
	size_t i;

	for (i = 0; i < s->nchildren; i++)
		if (s->children[i].pid == pid)
			return &s->children[i];
	return NULL;
}

static void
log_death(const struct child *c, int status, uint32_t wait)
{
	char how[64];

	if (WIFSIGNALED(status))
		snprintf(how, sizeof how, "signal=%d%s", WTERMSIG(status),
		    WTERMSIG(status) == SIGSYS ? " text=\"a system call that its sandbox forbids\""
					       : "");
	else
		snprintf(how, sizeof how, "code=%d", WEXITSTATUS(status));
	if (c->super->stopping)
		log_info("child.exit", "child=%s index=%u pid=%d %s", role_name(c->spec->role),
		    c->index, (int)c->pid, how);
	else
		log_error("child.exit",
		    "child=%s index=%u pid=%d %s lived_ms=%llu restart_in_ms=%u",
		    role_name(c->spec->role), c->index, (int)c->pid, how,
		    (unsigned long long)(clock_mono_ms() - c->started_ms), wait);
}

static void
bury(struct child *c, int status)
{
	struct supervisor *s = c->super;
	uint32_t random = 0, wait;

	(void)!getrandom(&random, sizeof random, GRND_NONBLOCK);
	wait = restart_wait(&c->restart, clock_mono_ms(), random);
	log_death(c, status, wait);
	watch_unlink(c);
	c->pid = 0;
	if (c->spec->by_page)
		memory_clear_worker(&s->memory.pages[c->index]);
	if (s->stopping) {
		set_state(c, CHILD_BACKOFF);
		return;
	}
	c->restarts++;
	if (wait == 0)
		start_child(c); /* here and now, not by way of a timer: queries are waiting */
	else
		watch_retry(c, wait);
}

void
watch_reap(struct supervisor *s)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		struct child *c = watch_find(s, pid);

		if (c != NULL)
			bury(c, status);
	}
	if (s->stopping)
		stop_step(s);
}

static uint64_t
quiet_ms(const struct child *c, uint64_t now)
{
	uint64_t beat;

	if (!c->spec->by_page)
		return clock_since(now, c->heard_ms);
	/* Written by the worker: a time in the future is as good as none. */
	beat = atomic_load_explicit(
		   &c->super->memory.pages[c->index].page->heartbeat_ns, memory_order_relaxed) /
	       1000000;
	if (beat > now + TICK_MS)
		beat = 0;
	return clock_since(now, beat);
}

static void
kill_silent(struct child *c, const char *text, uint64_t ms)
{
	if (c->killed)
		return;
	log_error("child.silent", "child=%s index=%u pid=%d text=\"%s\" silent_ms=%llu",
	    role_name(c->spec->role), c->index, (int)c->pid, text, (unsigned long long)ms);
	set_state(c, CHILD_SILENT);
	watch_kill(c, SIGKILL);
}

/* Not ready yet.  It may have good reasons (a large store, a worker whose map is still empty), so
 * the first limit only says so.  The second ends what hangs, unless its page shows that it runs; a
 * page that stands still says at once that it does not, and queries wait in that worker's sockets. */
static void
look_after_starting(struct child *c, uint64_t now)
{
	uint64_t age = clock_since(now, c->started_ms);
	bool beats = c->spec->by_page && quiet_ms(c, now) <= c->spec->silent_ms;

	if (age > c->spec->ready_ms && c->late[0] == '\0') {
		snprintf(c->late, sizeof c->late, "%s %u: not ready after %u s%s",
		    role_name(c->spec->role), c->index, c->spec->ready_ms / 1000,
		    beats ? ", it waits for zones to be loaded" : "");
		log_error("child.late", "child=%s index=%u pid=%d text=\"%s\"",
		    role_name(c->spec->role), c->index, (int)c->pid, c->late);
		status_changed(c->super);
	}
	if (age > START_MAX_MS && !beats)
		kill_silent(c, "not ready in time, killed", age);
	else if (c->spec->by_page && quiet_ms(c, now) > NEWBORN_MS)
		kill_silent(c, "not heard of since it started, killed", quiet_ms(c, now));
}

static void
review_turn(struct child *c, uint64_t now)
{
	if (c->spec->turn == TURN_FIRST && turn_review(c->pid, &c->look, now * 1000000) &&
	    log_allowed(&turn_limit, 5))
		log_info("child.turn", "child=%s index=%u text=\"%s\"", role_name(c->spec->role),
		    c->index,
		    c->look.shares ? "it is so busy that it shares its core"
				   : "it comes first again");
}

static void
look_after(struct child *c, uint64_t now)
{
	uint64_t quiet;

	if (c->pid == 0)
		return;
	review_turn(c, now);
	if (c->state == CHILD_STARTING) {
		look_after_starting(c, now);
		return;
	}
	quiet = quiet_ms(c, now);
	if (quiet > c->spec->silent_ms)
		kill_silent(c, "not heard of, killed", quiet);
	else if (!c->killed)
		set_state(c, quiet > c->spec->silent_ms / 2 ? CHILD_SILENT : CHILD_READY);
}

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct supervisor *s = arg;
	uint64_t now = clock_mono_ms();
	size_t i;

	(void)fd;
	(void)what;
	if (now - s->last_tick_ms > ABSENT_MS) {
		log_warn("absent",
		    "ms=%llu text=\"the supervisor did not run; children get grace\"",
		    (unsigned long long)(now - s->last_tick_ms));
		s->grace_until_ms = now + GRACE_MS;
	}
	s->last_tick_ms = now;
	watch_reap(s); /* a lost SIGCHLD costs a tick, no more */
	for (i = 0; !s->stopping && now >= s->grace_until_ms && i < s->nchildren; i++)
		look_after(&s->children[i], now);
	if (clock_since(now, s->last_table_ms) >= TABLE_MS)
		status_send(s);
	tls_tick(s, now);
	geo_tick(s);
	notify_watchdog(now);
}

void
watch_start(struct supervisor *s)
{
	const struct timeval every = { .tv_sec = 0, .tv_usec = TICK_MS * 1000 };
	size_t i;

	s->tick = event_new(s->base, -1, EV_PERSIST, on_tick, s);
	if (s->tick == NULL || event_add(s->tick, &every) != 0)
		fatal("watch", "error=\"no timer\"");
	s->last_tick_ms = clock_mono_ms();
	for (i = 0; i < s->nchildren; i++)
		start_child(&s->children[i]);
}
