/* paper.c - a line of the command line where there is no page for what it writes: line by line, until it ends; see
 * palette.h.
 *
 * What is typed meanwhile waits.  Ctrl-C stops the command, not the console. */
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "console/core/job.h"
#include "console/screens/palette.h"
#include "ipc/base/clock.h"

#define TICK_US 100000 /* the client has its turn, too */

struct print {
	struct ui *ui;
	struct job *job;
	bool over; /* it ended, or was stopped */
	int status;
};

static void
line(void *arg, const char *text, bool error)
{
	struct print *p = arg;
	char *safe = output_text(text, p->ui->ascii);

	fprintf(p->ui->paper, "%s%s\n", error ? "! " : "", safe);
	fflush(p->ui->paper);
	free(safe);
}

static void
ended(void *arg, int status)
{
	struct print *p = arg;

	p->job = NULL;
	p->over = true;
	p->status = status;
}

static void
on_interrupt(evutil_socket_t sig, short what, void *arg)
{
	struct print *p = arg;

	(void)sig, (void)what;
	job_stop(&p->job);
	p->over = true;
	p->status = SIGTERM;
}

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct print *p = arg;

	(void)fd, (void)what;
	ns_client_dispatch(p->ui->client, 0);
	ui_now(p->ui, clock_mono_ms(), clock_wall_ms());
	ui_check_link(p->ui);
}

void
output_print(struct ui *ui, const struct run *run)
{
	static const struct timeval every = { 0, TICK_US };
	struct print p = { .ui = ui };
	struct event_base *base = event_base_new();
	struct event *tick = event_new(base, -1, EV_PERSIST, on_tick, &p);
	struct event *interrupt = evsignal_new(base, SIGINT, on_interrupt, &p);
	char text[64];

	event_add(tick, &every);
	event_add(interrupt, NULL);
	p.job =
	    job_start(base, run->path, run->argv, run->env, &(struct job_user){ &p, line, ended });
	if (p.job == NULL) {
		fputs("! It could not be started: no room for another process\n", ui->paper);
		p.over = true;
		p.status = 1 << 8;
	}
	while (!p.over)
		event_base_loop(base, EVLOOP_ONCE);
	event_free(tick);
	event_free(interrupt);
	event_base_dispatch(base); /* until what was stopped is gone */
	event_base_free(base);
	fprintf(ui->paper, "%s\n", ui_exit_text(p.status, text));
}
