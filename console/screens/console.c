/* console.c - see console.h. */
#include "console/screens/console.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console/core/key.h"
#include "console/core/loop.h"
#include "console/screens/ui.h"
#include "console/terminal/ncurses.h"
#include "ipc/base/clock.h"

/* console.md 5.10: a lost link is tried after 1, 2, 4 … 30 s, for ever. */
#define RETRY_MIN_MS 1000u
#define RETRY_CAP_MS 30000u

static struct ui *
now(void *arg)
{
	struct ui *ui = arg;

	ui_now(ui, clock_mono_ms(), clock_wall_ms());
	return ui;
}

static void
on_key(void *arg, uint32_t key)
{
	ui_key(now(arg), key);
}

static void
on_tick(void *arg)
{
	ui_tick(now(arg));
}

static void
on_client(void *arg)
{
	ui_check_link(now(arg));
}

static void
on_draw(void *arg, struct surface *s)
{
	ui_draw(now(arg), s);
}

static void
on_stderr(void *arg, const char *line)
{
	ui_say(now(arg), "%s", line);
}

int
console_run(struct ns_client *client, const struct console_options *o)
{
	const char *why = "", *none = getenv("NO_COLOR"), *term = getenv("TERM");
	bool colour = !o->mono && (none == NULL || none[0] == '\0'), utf8 = ncurses_utf8();
	struct terminal *t = NULL;
	int code, w, h;

	if (term != NULL && term[0] != '\0' && strcmp(term, "dumb") != 0)
		t = ncurses_open(colour, &why);
	if (t == NULL) {
		fprintf(stderr,
		    "nameserve: TERM=%s: the console needs a terminal that can place the cursor. "
		    "A mode for this one (--linear) is not there yet; commands work: nameserve "
		    "help\n",
		    term != NULL ? term : "");
		return 2;
	}
	if (o->utf8 >= 0)
		utf8 = o->utf8 > 0;
	t->size(t->state, &w, &h);
	ns_client_backoff(client, RETRY_MIN_MS, RETRY_CAP_MS);
	struct ui *ui = ui_new(client, w, h, utf8 ? GLYPH_BLOCK : GLYPH_ASCII);
	ui->read_only = o->read_only;
	ui->osc52 = o->osc52;
	struct loop_user user = { ui, on_key, on_tick, on_draw, on_client, on_stderr };
	ui->loop = loop_new(t, ui->surface, client, &user);
	ui_main(now(ui), &screen_overview);
	code = loop_run(ui->loop);
	struct loop *loop = ui->loop;
	ui_destroy(&ui);
	loop_destroy(&loop);
	ncurses_close(&t);
	return code;
}
