/* textpage.c - see textpage.h. */
#include "console/screens/textpage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console/core/sanitize.h"
#include "console/widgets/textarea.h"
#include "ipc/base/xalloc.h"

#define NOTE_LINES 3

struct textpage {
	struct textarea area;
	char *path, *note;
	bool changed;
	void (*ended)(void *arg, enum textfile_end); /* NULL: it was told */
	void *arg;
};

bool
textpage_open(struct ui *ui, const struct textfile_what *what,
    void (*fn)(void *arg, enum textfile_end), void *arg)
{
	struct wbuf text;
	struct textpage *t;
	bool read = textfile_read(what->path, &text);
	size_t before = ui->n_views;

	if (read)
		ui_open(ui, &screen_textpage, what->title);
	if (ui->n_views > before) {
		t = ui_top(ui)->state;
		textarea_set(&t->area, TEXTFILE_MAX, text.base, text.len, what->line);
		t->path = xstrdup(what->path);
		t->note = sanitize_dup(what->note, ui->ascii);
		t->ended = fn;
		t->arg = arg;
	}
	wbuf_free(&text);
	return ui->n_views > before;
}

static void
textpage_init(struct view *v)
{
	(void)v;
}

/* Once; whoever is told may free what it is about, and open another screen. */
static void
tell(struct textpage *t, enum textfile_end end)
{
	void (*fn)(void *, enum textfile_end) = t->ended;

	t->ended = NULL;
	if (fn != NULL)
		fn(t->arg, end);
}

static void
textpage_close(struct view *v)
{
	struct textpage *t = v->state;

	if (t->changed && t->ended != NULL)
		(void)textfile_write(t->path, t->area.text, t->area.len);
	tell(t, TEXTFILE_FAILED);
	textarea_free(&t->area);
	free(t->path);
	free(t->note);
}

static void
textpage_reload(struct view *v)
{
	(void)v;
}

/* The screen goes first: what comes next may open one. */
static void
end(struct view *v, enum textfile_end how)
{
	struct textpage *t = v->state, told = *t;

	t->ended = NULL;
	ui_back(v->ui);
	tell(&told, how);
}

static bool
textpage_act(struct view *v, enum ns_action_id id)
{
	struct textpage *t = v->state;

	if (id != ACT_ACCEPT)
		return false;
	if (textfile_write(t->path, t->area.text, t->area.len))
		end(v, TEXTFILE_DONE);
	else
		ui_say(v->ui, "The text cannot be written to %s", t->path);
	return true;
}

static bool
textpage_key(struct view *v, uint32_t key)
{
	struct textpage *t = v->state;
	bool changed, mine = textarea_key(&t->area, key, &changed);

	t->changed = t->changed || changed;
	return mine;
}

static void
leave_it(void *arg)
{
	end(arg, TEXTFILE_LEFT);
}

static bool
textpage_leave(struct view *v)
{
	struct textpage *t = v->state;

	if (t->changed)
		ui_ask(v->ui, "Leave this text? What you changed in it is lost.", "", NULL,
		    leave_it, v);
	else
		end(v, TEXTFILE_LEFT);
	return false;
}

static void
textpage_draw(struct view *v, struct rect r)
{
	struct textpage *t = v->state;
	struct surface *s = v->ui->surface;
	char title[UI_OBJECT], place[40];
	uint32_t lines = 0, line;
	int top = 2;

	if (t->area.text == NULL)
		return;
	line = textarea_line(&t->area, &lines);
	sanitize(title, sizeof title, v->object, v->ui->ascii);
	surface_putf(s, r.x + 1, r.y, r.w - 28, UI_TITLE, "%s", title);
	snprintf(place, sizeof place, "line %u of %u", line, lines);
	surface_put_right(s, r.x + r.w - 27, r.y, 26, UI_DIM, place);
	if (t->note[0] != '\0')
		top += surface_wrap(
		    s, (struct rect){ r.x + 1, r.y + 1, r.w - 2, NOTE_LINES }, UI_CRIT, t->note);
	else
		surface_put(s, r.x + 1, r.y + 1, r.w - 2, UI_DIM,
		    "Ctrl-S hands it in, Esc leaves it as it was, Ctrl-K cuts a line");
	textarea_draw(&t->area, s, (struct rect){ r.x + 1, r.y + top, r.w - 2, r.h - top });
}

const struct ns_screen_ops screen_textpage = {
	.name = "Text",
	.size = sizeof(struct textpage),
	.contexts = CTX_GLOBAL | CTX_AREA,
	.open = textpage_init,
	.close = textpage_close,
	.reload = textpage_reload,
	.draw = textpage_draw,
	.act = textpage_act,
	.key = textpage_key,
	.leave = textpage_leave,
};
