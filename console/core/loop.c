/* loop.c - see loop.h. */
#include "console/core/loop.h"

#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "console/core/clean_fork.h"
#include "console/core/key.h"
#include "console/core/pace.h"
#include "console/core/trace.h"
#include "ipc/base/clock.h"
#include "ipc/base/xalloc.h"

#define RESIZE_MS   30u
#define SAFETY_MS   250 /* a missed edge of the client's descriptor costs no more */
#define CLIENT_MAX  64u /* messages before keys have their turn */
#define STDERR_LINE 512u
#define HANDED_MS   1000u

enum {
	EV_STDIN,
	EV_CLIENT,
	EV_CLIENT_TIMER,
	EV_TICK,
	EV_FRAME,
	EV_RESIZE,
	EV_LATER,
	EV_STDERR,
	EV_WINCH,
	EV_HUP,
	EV_TERM,
	EV_QUIT,
	EV_INT,
	EV_CONT,
	EV_CHILD,
	EV_COUNT
};

struct loop {
	struct event_base *base;
	struct event *ev[EV_COUNT];
	const struct terminal *t;
	struct surface *surface;
	struct ns_client *client;
	struct loop_user user;
	struct trace *trace;
	bool dirty, urgent, stopped;
	bool paged; /* plain text is on screen, until a key */
	pid_t program; /* that has the terminal; 0: none */
	uint64_t had_ms; /* until when a program had it */
	void (*program_ended)(void *, int);
	void *program_arg;
	int code;
	unsigned interval_ms;
	struct pace pace;
	void (*later)(void *);
	void *later_arg;
	int old_stderr, pipe;
	char line[STDERR_LINE];
	size_t line_len;
};

static void
timer(struct loop *l, int which, unsigned ms)
{
	struct timeval tv = { ms / 1000, (suseconds_t)(ms % 1000) * 1000 };

	event_add(l->ev[which], &tv);
}

/* ---- frames ---- */

static void
probe(struct loop *l)
{
	pace_asked(&l->pace, clock_mono_ms(), l->t->probe(l->t->state));
}

static void
frame(struct loop *l, const char *why, bool data)
{
	l->dirty = l->urgent = false;
	trace_draw(l->trace);
	surface_clear(l->surface);
	l->user.draw(l->user.arg, l->surface);
	l->t->draw(l->t->state, l->surface);
	trace_flush(l->trace, why);
	if (pace_drawn(&l->pace, clock_mono_ms(), data, l->t->writable(l->t->state)))
		probe(l);
}

/* Draws what is due, and arms the timer for what is not. */
static void
draw_due(struct loop *l)
{
	uint64_t now = clock_mono_ms();
	unsigned wait;

	if (l->stopped || l->paged || l->program != 0 || (!l->urgent && !l->dirty))
		return;
	wait = l->urgent ? pace_key(&l->pace, now)
			 : pace_data(&l->pace, now, l->t->writable(l->t->state));
	if (wait > 0)
		timer(l, EV_FRAME, wait);
	else
		frame(l, l->urgent ? "key" : "data", !l->urgent);
}

void
loop_dirty(struct loop *l)
{
	l->dirty = true;
}

void
loop_dirty_now(struct loop *l)
{
	l->urgent = true;
}

void
loop_repaint(struct loop *l)
{
	l->t->repaint(l->t->state);
	l->urgent = true;
}

struct event_base *
loop_base(const struct loop *l)
{
	return l->base;
}

bool
loop_slow(const struct loop *l)
{
	return pace_slow(&l->pace, clock_mono_ms());
}

/* ---- events ---- */

static void
on_key(struct loop *l, uint32_t key)
{
	if (key == UIKEY_ACK) {
		if (pace_shown(&l->pace, clock_mono_ms()) && l->t->writable(l->t->state))
			probe(l);
		return;
	}
	if (key == UIKEY_FOCUS)
		return;
	if (l->paged) {
		l->paged = false;
		l->t->unpage(l->t->state);
		loop_repaint(l);
		return;
	}
	trace_key(l->trace);
	l->urgent = true;
	l->user.key(l->user.arg, key);
}

/* curses buffers input: what is not read now would not wake us again. */
static void
on_stdin(evutil_socket_t fd, short what, void *arg)
{
	struct loop *l = arg;
	bool closed = false;
	uint32_t key;

	(void)fd, (void)what;
	/* What is typed after the key that started a program is the program's. */
	while (!l->stopped && l->program == 0 && l->t->read(l->t->state, &key, &closed))
		on_key(l, key);
	if (closed)
		loop_stop(l, LOOP_CLOSED);
	draw_due(l);
}

static void
arm_client(struct loop *l)
{
	int ms = ns_client_timeout_ms(l->client);

	timer(l, EV_CLIENT_TIMER, (unsigned)(ms < 0 || ms > SAFETY_MS ? SAFETY_MS : ms));
}

static void
on_client(evutil_socket_t fd, short what, void *arg)
{
	struct loop *l = arg;

	(void)fd, (void)what;
	ns_client_dispatch(l->client, CLIENT_MAX);
	l->user.client(l->user.arg);
	arm_client(l);
	draw_due(l);
}

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct loop *l = arg;

	(void)fd, (void)what;
	timer(l, EV_TICK, l->interval_ms);
	l->user.tick(l->user.arg);
	draw_due(l);
}

static void
on_frame(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	draw_due(arg);
}

static void
on_winch(evutil_socket_t fd, short what, void *arg)
{
	struct loop *l = arg;

	(void)fd, (void)what;
	if (!event_pending(l->ev[EV_RESIZE], EV_TIMEOUT, NULL))
		timer(l, EV_RESIZE, RESIZE_MS);
}

static void
on_resize(evutil_socket_t fd, short what, void *arg)
{
	struct loop *l = arg;
	int w, h;

	(void)fd, (void)what;
	l->t->resized(l->t->state);
	l->t->size(l->t->state, &w, &h);
	surface_resize(l->surface, w, h);
	l->urgent = true;
	draw_due(l);
}

static void
on_leave(evutil_socket_t sig, short what, void *arg)
{
	(void)what;
	loop_stop(arg, sig == SIGHUP ? LOOP_CLOSED : 0);
}

/* The terminal makes signals of keys for as long as it takes to hand it to a program and back. */
static void
on_interrupt(evutil_socket_t sig, short what, void *arg)
{
	struct loop *l = arg;

	(void)sig, (void)what;
	if (l->program != 0)
		return;
	if (clock_since(clock_mono_ms(), l->had_ms) > HANDED_MS) {
		loop_stop(l, LOOP_INTERRUPTED);
		return;
	}
	on_key(l, CTRL_KEY('C'));
	draw_due(l);
}

static void
on_cont(evutil_socket_t sig, short what, void *arg)
{
	struct loop *l = arg;

	(void)sig, (void)what;
	pace_forget(&l->pace);
	loop_repaint(arg);
	on_resize(-1, 0, arg);
}

/* ---- a program that has the terminal ---- */
static void
child(struct loop *l, const char *path, char *const argv[])
{
	setpgid(0, 0);
	signal(SIGTTOU, SIG_IGN);
	tcsetpgrp(STDIN_FILENO, getpid());
	signal(SIGTTOU, SIG_DFL);
	if (l->old_stderr >= 0)
		dup2(l->old_stderr, STDERR_FILENO);
	execv(path, argv);
	_exit(127);
}

bool
loop_program(struct loop *l, const char *path, char *const argv[],
    void (*ended)(void *arg, int status), void *arg)
{
	if (l->program != 0)
		return false;
	l->t->leave(l->t->state);
	l->program = clean_fork();
	if (l->program == 0)
		child(l, path, argv);
	if (l->program < 0) {
		l->program = 0;
		l->t->enter(l->t->state);
		return false;
	}
	setpgid(l->program, l->program); /* whoever of us is first */
	event_del(l->ev[EV_STDIN]);
	l->program_ended = ended;
	l->program_arg = arg;
	return true;
}

static void
on_child(evutil_socket_t sig, short what, void *arg)
{
	struct loop *l = arg;
	void (*before)(int);
	int status;

	(void)sig, (void)what;
	if (l->program == 0 || waitpid(l->program, &status, WNOHANG | WUNTRACED) != l->program)
		return;
	if (WIFSTOPPED(status)) { /* there is no shell below us that would bring it back */
		kill(-l->program, SIGCONT);
		return;
	}
	l->program = 0;
	before = signal(SIGTTOU, SIG_IGN);
	tcsetpgrp(STDIN_FILENO, getpgrp());
	signal(SIGTTOU, before);
	l->t->enter(l->t->state);
	event_add(l->ev[EV_STDIN], NULL);
	pace_forget(&l->pace);
	l->had_ms = clock_mono_ms();
	on_resize(-1, 0, l);
	l->program_ended(l->program_arg, status);
	l->urgent = true;
	on_stdin(-1, 0, l); /* what curses had read before */
}

static void
on_later(evutil_socket_t fd, short what, void *arg)
{
	struct loop *l = arg;
	void (*fn)(void *) = l->later;

	(void)fd, (void)what;
	l->later = NULL;
	if (fn != NULL)
		fn(l->later_arg);
	draw_due(l);
}

static void
on_stderr(evutil_socket_t fd, short what, void *arg)
{
	struct loop *l = arg;
	char c[256];
	ssize_t n;

	(void)what;
	while ((n = read(fd, c, sizeof c)) > 0)
		for (ssize_t i = 0; i < n; i++) {
			if (c[i] != '\n' && l->line_len + 1 < sizeof l->line) {
				l->line[l->line_len++] = c[i];
				continue;
			}
			l->line[l->line_len] = '\0';
			l->user.stderr_line(l->user.arg, l->line);
			l->line_len = 0;
		}
	draw_due(l);
}

/* ---- life ---- */

/* What libraries complain of becomes messages: it must not land between our cells. */
static void
take_stderr(struct loop *l)
{
	int fds[2];

	l->old_stderr = l->pipe = -1;
	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) != 0)
		return;
	l->old_stderr = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	dup2(fds[1], STDERR_FILENO);
	close(fds[1]);
	l->pipe = fds[0];
}

static void
watch(struct loop *l)
{
	struct event_base *b = l->base;
	struct event **ev = l->ev;

	ev[EV_STDIN] = event_new(b, STDIN_FILENO, EV_READ | EV_PERSIST, on_stdin, l);
	ev[EV_TICK] = event_new(b, -1, 0, on_tick, l);
	ev[EV_FRAME] = event_new(b, -1, 0, on_frame, l);
	ev[EV_RESIZE] = event_new(b, -1, 0, on_resize, l);
	ev[EV_LATER] = event_new(b, -1, 0, on_later, l);
	ev[EV_WINCH] = evsignal_new(b, SIGWINCH, on_winch, l);
	ev[EV_HUP] = evsignal_new(b, SIGHUP, on_leave, l);
	ev[EV_TERM] = evsignal_new(b, SIGTERM, on_leave, l);
	ev[EV_QUIT] = evsignal_new(b, SIGQUIT, on_leave, l);
	ev[EV_INT] = evsignal_new(b, SIGINT, on_interrupt, l);
	ev[EV_CONT] = evsignal_new(b, SIGCONT, on_cont, l);
	ev[EV_CHILD] = evsignal_new(b, SIGCHLD, on_child, l);
	if (l->pipe >= 0)
		ev[EV_STDERR] = event_new(b, l->pipe, EV_READ | EV_PERSIST, on_stderr, l);
	if (l->client != NULL) {
		ev[EV_CLIENT] =
		    event_new(b, ns_client_fd(l->client), EV_READ | EV_PERSIST, on_client, l);
		ev[EV_CLIENT_TIMER] = event_new(b, -1, 0, on_client, l);
	}
	for (int i = 0; i < EV_COUNT; i++)
		if (ev[i] != NULL && i != EV_CLIENT_TIMER && i != EV_TICK && i != EV_FRAME &&
		    i != EV_RESIZE && i != EV_LATER)
			event_add(ev[i], NULL);
}

struct loop *
loop_new(const struct terminal *t, struct surface *s, struct ns_client *client,
    const struct loop_user *user)
{
	struct loop *l = xcalloc(1, sizeof *l);

	l->base = event_base_new();
	l->t = t;
	l->surface = s;
	l->client = client;
	l->user = *user;
	l->interval_ms = 1000;
	l->trace = trace_open();
	take_stderr(l);
	watch(l);
	return l;
}

void
loop_destroy(struct loop **lp)
{
	struct loop *l = *lp;

	if (l == NULL)
		return;
	for (int i = 0; i < EV_COUNT; i++)
		if (l->ev[i] != NULL)
			event_free(l->ev[i]);
	event_base_free(l->base);
	if (l->old_stderr >= 0) {
		dup2(l->old_stderr, STDERR_FILENO);
		close(l->old_stderr);
	}
	if (l->pipe >= 0)
		close(l->pipe);
	trace_close(&l->trace);
	free(l);
	*lp = NULL;
}

int
loop_run(struct loop *l)
{
	frame(l, "first", true);
	timer(l, EV_TICK, 0);
	if (l->client != NULL)
		arm_client(l);
	while (!l->stopped && event_base_loop(l->base, EVLOOP_ONCE) == 0) {
		/* What a callback asked of the client goes out, and its deadline counts. */
		if (l->client != NULL && !l->stopped)
			arm_client(l);
		draw_due(l); /* what a job wrote */
	}
	return l->code;
}

void
loop_stop(struct loop *l, int code)
{
	l->stopped = true;
	l->code = code;
	event_base_loopbreak(l->base);
}

void
loop_interval(struct loop *l, unsigned ms)
{
	l->interval_ms = ms;
	timer(l, EV_TICK, ms);
}

void
loop_suspend(struct loop *l)
{
	l->t->suspend(l->t->state);
	loop_repaint(l);
}

void
loop_theme(struct loop *l, enum ui_theme theme)
{
	l->t->theme(l->t->state, theme);
	l->urgent = true;
}

void
loop_mouse(struct loop *l, bool on)
{
	if (l->t->mouse != NULL)
		l->t->mouse(l->t->state, on);
}

void
loop_copy(struct loop *l, const char *text)
{
	l->t->copy(l->t->state, text);
}

void
loop_page(struct loop *l, const char *text)
{
	l->t->page(l->t->state, text);
	l->paged = true;
}

void
loop_later(struct loop *l, unsigned ms, void (*fn)(void *), void *arg)
{
	l->later = fn;
	l->later_arg = arg;
	if (fn != NULL)
		timer(l, EV_LATER, ms);
	else
		event_del(l->ev[EV_LATER]);
}

void
loop_asked(struct loop *l)
{
	trace_page(l->trace);
}
