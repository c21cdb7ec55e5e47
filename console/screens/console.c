/* console.c - see console.h. */
#include "console/screens/console.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console/core/key.h"
#include "console/core/loop.h"
#include "console/screens/linear.h"
#include "console/screens/ui.h"
#include "console/terminal/ncurses.h"
#include "ipc/base/clock.h"

#define KEYS_FILE 16384u
/* A lost link is tried after 1, 2, 4 … 30 s, for ever. */
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
	ui_follow(now(arg));
	ui_draw(arg, s);
}

static void
on_stderr(void *arg, const char *line)
{
	ui_say(now(arg), "%s", line);
}

/* keys.conf beside the other configuration of the operator's; a mistake in it is told before the screen is taken. */
static bool
own_keys(void)
{
	const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	char path[PATH_MAX], text[KEYS_FILE + 1];
	struct ns_why why = { 0 };
	struct keymap *map;
	FILE *f;

	if (config != NULL && config[0] == '/')
		snprintf(path, sizeof path, "%s/nameserve/keys.conf", config);
	else
		snprintf(
		    path, sizeof path, "%s/.config/nameserve/keys.conf", home != NULL ? home : "");
	f = fopen(path, "re");
	if (f == NULL)
		return true;
	size_t n = fread(text, 1, sizeof text, f);
	fclose(f);
	text[n < sizeof text ? n : sizeof text - 1] = '\0';
	if (n == sizeof text)
		(void)ns_fail(&why, NS_USAGE, 0, "longer than %u octets", KEYS_FILE);
	else if (ns_actions_own_keys(text, &why) == NS_OK &&
		 (map = keymap_new(ns_actions, &why)) != NULL)
		keymap_destroy(&map);
	if (why.err != NS_OK)
		fprintf(stderr, "nameserve: %s: %s\n", path, why.text);
	return why.err == NS_OK;
}

int
console_run(struct ns_client *client, const struct console_options *o)
{
	const char *why = "it cannot place the cursor", *none = getenv("NO_COLOR"),
		   *term = getenv("TERM");
	bool colour = !o->mono && (none == NULL || none[0] == '\0'), utf8 = ncurses_utf8();
	struct terminal *t = NULL;
	int code, w, h;

	if (!own_keys())
		return 2;
	if (o->linear)
		return linear_run(client, o);
	if (term != NULL && term[0] != '\0' && strcmp(term, "dumb") != 0)
		t = ncurses_open(colour, &why);
	if (t == NULL) {
		fprintf(stderr, "nameserve: TERM=%s: %s: --linear is the console line by line\n",
		    term != NULL ? term : "", why);
		return 2;
	}
	if (o->utf8 >= 0)
		utf8 = o->utf8 > 0;
	t->size(t->state, &w, &h);
	ns_client_backoff(client, RETRY_MIN_MS, RETRY_CAP_MS);
	struct ui *ui = ui_new(client, w, h, utf8 ? GLYPH_BLOCK : GLYPH_ASCII);
	ui->clock_ns = clock_mono_ns;
	ui->read_only = o->read_only;
	ui->osc52 = o->osc52;
	ui->theme_given = o->theme >= 0;
	ui->restricted = o->restricted;
	ui->grammar = o->grammar;
	struct loop_user user = { ui, on_key, on_tick, on_draw, on_client, on_stderr };
	ui->loop = loop_new(t, ui->surface, client, &user);
	if (ui->theme_given)
		ui_set_theme(ui, (enum ui_theme)o->theme);
	ui_main(now(ui), &screen_overview);
	code = loop_run(ui->loop);
	if (code == LOOP_CLOSED)
		code = ui_exit_code(ui);
	else if (code == 0)
		code = ui->code;
	struct loop *loop = ui->loop;
	ui_destroy(&ui);
	loop_destroy(&loop);
	ncurses_close(&t);
	return code;
}
