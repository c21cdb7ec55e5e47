/* output.c - what a line of the command line writes: a page, while it runs and after it; see palette.h. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "console/core/job.h"
#include "console/core/loop.h"
#include "console/core/sanitize.h"
#include "console/screens/copy.h"
#include "console/screens/palette.h"
#include "console/screens/twin.h"
#include "console/widgets/lines.h"
#include "ipc/base/clock.h"
#include "ipc/base/wbuf.h"
#include "ipc/base/xalloc.h"

#define LINES_MAX 5000u /* of its output: the last ones */
#define LINES_CUT 1000u /* that go at once when there are more */
#define TAB       8
#define COPY_MAX  (1u << 20)

struct output {
	struct lines lines;
	struct job *job; /* NULL: it has ended, or there is no loop */
	char *command;
	char at[64]; /* the appliance that was shown when it was started */
	uint64_t since_ms, gone; /* lines that are here no more */
	bool ended;
	int status;
};

static void
output_screen_open(struct view *v)
{
	struct output *o = v->state;

	o->since_ms = v->ui->mono_ms;
	snprintf(o->at, sizeof o->at, "%s", ns_client_at(v->ui->client));
}

static void
output_close(struct view *v)
{
	struct output *o = v->state;

	if (o->job != NULL)
		ui_say(v->ui, "Stopped: %s", o->command);
	job_stop(&o->job);
	lines_clear(&o->lines);
	free(o->command);
}

static void
output_reload(struct view *v)
{
	(void)v; /* it comes by itself */
}

/* How long it has been running. */
static void
output_tick(struct view *v)
{
	if (!((struct output *)v->state)->ended)
		ui_dirty(v->ui, false);
}

char *
output_text(const char *text, bool ascii)
{
	struct wbuf w = wbuf_grow(JOB_LINE * (TAB + 1));
	size_t column = 0;
	char *safe;

	for (; *text != '\0'; text++) {
		size_t n = *text == '\t' ? TAB - column % TAB : 1;

		wbuf_put(&w, *text == '\t' ? "        " : text, n);
		column += n;
	}
	wbuf_put(&w, "", 1);
	safe = sanitize_dup((char *)w.base, ascii);
	wbuf_free(&w);
	return safe;
}

void
output_line(void *arg, const char *text, bool error)
{
	struct view *v = arg;
	struct output *o = v->state;
	char *safe = output_text(text, v->ui->ascii);
	bool below = o->lines.top + (size_t)o->lines.page >= o->lines.n;

	if (o->lines.n == LINES_MAX) {
		lines_drop(&o->lines, LINES_CUT);
		o->gone += LINES_CUT;
	}
	/* A `!` as well as the role: colour alone says nothing. */
	lines_add(&o->lines, error ? UI_WARN : UI_TEXT, " %c %s", error ? '!' : ' ', safe);
	if (below && o->lines.page > 0) /* who looks at the end goes on doing so */
		o->lines.top = o->lines.n;
	free(safe);
	ui_dirty(v->ui, false);
}

void
output_ended(void *arg, int status)
{
	struct view *v = arg;
	struct output *o = v->state;
	char text[64];

	o->job = NULL;
	o->ended = true;
	o->status = status;
	if (o->lines.n == 0)
		lines_add(&o->lines, UI_DIM, "   it wrote nothing");
	if (ui_is_aside(v->ui, v))
		ui_say(v->ui, "%s: %s   :output shows it", ui_exit_text(status, text), o->command);
	ui_dirty(v->ui, false);
}

static void
draw_state(struct view *v, struct rect r)
{
	const struct output *o = v->state;
	struct surface *s = v->ui->surface;
	char text[64];

	if (!o->ended)
		snprintf(text, sizeof text, "running %llus  Ctrl-C stops it",
		    (unsigned long long)(clock_since(v->ui->mono_ms, o->since_ms) / 1000));
	else
		(void)ui_exit_text(o->status, text);
	surface_put_right(s, r.x, r.y, r.w,
	    !o->ended        ? UI_DIM
	    : o->status == 0 ? UI_OK
			     : UI_WARN,
	    text);
}

static void
output_draw(struct view *v, struct rect r)
{
	struct output *o = v->state;
	struct surface *s = v->ui->surface;
	char command[PROMPT_LINE];
	int w = r.w > 40 ? r.w - 40 : 0;

	sanitize(command, sizeof command, o->command != NULL ? o->command : "", v->ui->ascii);
	surface_put(s, r.x + 1, r.y, 7, UI_TITLE, "Command");
	surface_put(s, r.x + 11, r.y, w, UI_TEXT, command);
	draw_state(v, (struct rect){ r.x + 11 + w, r.y, r.w - 12 - w, 1 });
	if (o->gone > 0)
		surface_putf(s, r.x + 1, r.y + 1, r.w - 2, UI_DIM,
		    "the first %llu lines are not kept", (unsigned long long)o->gone);
	lines_draw(&o->lines, s, (struct rect){ r.x, r.y + 2, r.w, r.h - 2 });
}

static bool
output_act(struct view *v, enum ns_action_id id)
{
	return lines_act(&((struct output *)v->state)->lines, id);
}

static bool
output_interrupt(struct view *v)
{
	struct output *o = v->state;

	if (o->job == NULL)
		return false;
	job_stop(&o->job);
	output_ended(v, SIGTERM);
	return true;
}

static void
output_copies(struct view *v, struct copies *c)
{
	struct output *o = v->state;
	struct wbuf w = wbuf_grow(COPY_MAX);

	for (size_t i = 0; i < o->lines.n; i++) {
		const char *text = o->lines.list[i].text + 3; /* without the sign */

		wbuf_put(&w, text, strlen(text));
		wbuf_put(&w, "\n", 1);
	}
	wbuf_put(&w, "", 1);
	if (wbuf_ok(&w) && o->lines.n > 0)
		copies_add(c, "output", (char *)w.base);
	else
		wbuf_free(&w);
	copies_add(c, "command", twin_command(v));
}

/* It would be half done: who leaves the page leaves it to itself. */
static bool
output_goes_on(struct view *v)
{
	struct output *o = v->state;

	if (o->job != NULL && !ui_is_aside(v->ui, v))
		ui_say(v->ui, "It goes on; :output shows it: %s", o->command);
	return o->job != NULL;
}

static const char *
runs(const struct view *v)
{
	const struct output *o = v->state;

	return v->ops == &screen_output && o->job != NULL ? o->command : NULL;
}

const char *
output_running(const struct ui *ui)
{
	const char *command = NULL;

	for (size_t i = 0; i < ui->n_aside && command == NULL; i++)
		command = runs(ui->aside[i]);
	for (size_t i = 0; i < ui->n_views && command == NULL; i++)
		command = runs(ui->views[i]);
	return command;
}

void
output_open(struct ui *ui, const char *command, const struct run *run)
{
	struct view *top = ui_top(ui);
	struct output *o;

	if (!ui_aside_room(ui)) {
		ui_say(ui, "%u commands go on already: :output shows them", UI_ASIDE);
		return;
	}
	if (top->ops == &screen_output)
		ui_replace(ui, &screen_output, command);
	else
		ui_open(ui, &screen_output, command);
	top = ui_top(ui);
	if (top->ops != &screen_output) /* too many are open */
		return;
	o = top->state;
	o->command = xstrdup(command);
	if (ui->loop == NULL)
		return;
	o->job = job_start(loop_base(ui->loop), run->path, run->argv, run->env,
	    &(struct job_user){ top, output_line, output_ended });
	if (o->job == NULL) {
		output_line(top, "It could not be started: no room for another process", true);
		output_ended(top, 1 << 8);
	}
}

static void
output_twin(struct view *v, struct wbuf *w)
{
	const char *line = ((const struct output *)v->state)->command;

	/* As it was typed: it is a command already. */
	if (strncmp(line, "nameserve ", 10) == 0)
		line += 10;
	wbuf_put(w, " ", 1);
	wbuf_put(w, line, strlen(line));
}

static const char *
output_twin_at(struct view *v)
{
	return ((const struct output *)v->state)->at;
}

static bool
output_search(struct view *v, const char *text, size_t *at, int by)
{
	return search_lines(&((struct output *)v->state)->lines, text, at, by);
}

const struct ns_screen_ops screen_output = {
	.name = "Command",
	.size = sizeof(struct output),
	.contexts = CTX_GLOBAL | CTX_TEXT | CTX_SEARCH,
	.search = output_search,
	.open = output_screen_open,
	.close = output_close,
	.reload = output_reload,
	.tick = output_tick,
	.draw = output_draw,
	.act = output_act,
	.copies = output_copies,
	.interrupt = output_interrupt,
	.goes_on = output_goes_on,
	.twin_words = output_twin,
	.twin_at = output_twin_at,
};
