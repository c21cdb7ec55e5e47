/* fieldedit.c - see fieldedit.h. */
#include "console/screens/fieldedit.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "console/core/key.h"
#include "console/screens/drafts.h"
#include "console/screens/textfile.h"
#include "ipc/base/xalloc.h"

struct fieldedit {
	struct ui *ui;
	const struct view *view; /* whose field it is: may be gone when the editor ends */
	char *path;
};

void
fieldedit_free(struct ui *ui)
{
	struct fieldedit *f = ui->fieldedit;

	if (f == NULL)
		return;
	free(f->path);
	free(f);
	ui->fieldedit = NULL;
}

/* Blanks at the ends go, a line break with the blanks around it is one. */
static void
one_line(char *text)
{
	char *out = text;

	for (char *p = text; *p != '\0';) {
		size_t blank = strspn(p, " \t\r\n"), n;

		if (blank > 0 && memchr(p, '\n', blank) == NULL && out != text &&
		    p[blank] != '\0') {
			memmove(out, p, blank); /* inside of a line they count */
			out += blank;
		} else if (blank > 0 && out != text && p[blank] != '\0')
			*out++ = ' ';
		p += blank;
		n = strcspn(p, " \t\r\n");
		memmove(out, p, n);
		out += n;
		p += n;
	}
	*out = '\0';
}

/* As if it were typed: the screen judges it as it does what is. */
static void
type(struct view *v, const char *text)
{
	uint32_t cp;

	(void)v->ops->key(v, UIKEY_END);
	(void)v->ops->key(v, CTRL_KEY('U'));
	for (unsigned n; (n = utf8_next(text, &cp)) > 0; text += n)
		(void)v->ops->key(v, cp == '\t' ? ' ' : cp);
}

static void
ended(void *arg, enum textfile_end end)
{
	struct fieldedit *f = arg;
	struct ui *ui = f->ui;
	struct view *top = ui_top(ui);
	struct wbuf now;
	bool read = textfile_read(f->path, &now), keep = false;
	const char *was = top == f->view && top->ops->field != NULL ? top->ops->field(top) : NULL;

	if (read)
		wbuf_put(&now, "", 1);
	if (!read || !wbuf_ok(&now)) {
		ui_say(ui, "The text cannot be read: the field is as it was");
	} else if (end != TEXTFILE_DONE) {
		ui_say(ui, end == TEXTFILE_LEFT ? "The field is as it was"
						: "The editor failed: the field is as it was");
	} else if (was == NULL) {
		ui_say(ui, "The form is gone. Your text is in %s", f->path);
		keep = true;
	} else {
		one_line((char *)now.base);
		if (strcmp((char *)now.base, was) != 0)
			type(top, (char *)now.base);
	}
	wbuf_free(&now);
	if (!keep)
		(void)unlink(f->path);
	fieldedit_free(ui);
	ui_dirty(ui, true);
}

void
fieldedit_start(struct ui *ui)
{
	struct view *top = ui_top(ui);
	const char *text = top->ops->field != NULL ? top->ops->field(top) : NULL;
	struct fieldedit *f;
	char *line;

	if (text == NULL || ui->fieldedit != NULL || ui->drafts == NULL ||
	    ui->drafts->dir == NULL) {
		ui_say(ui, text == NULL ? "This field is chosen, not typed"
					: "There is no place for a file yet");
		return;
	}
	f = ui->fieldedit = xcalloc(1, sizeof *f);
	f->ui = ui;
	f->view = top;
	line = xasprintf("%s\n", text);
	f->path = textfile_new(ns_drafts_path(ui->drafts->dir), ".txt", line, strlen(line));
	free(line);
	const struct textfile_what what = { f->path, "One field, as text", "", 0 };

	if (f->path == NULL || !textfile_edit(ui, &what, ended, f)) {
		ui_say(ui, "The editor cannot be started");
		if (f->path != NULL)
			(void)unlink(f->path);
		fieldedit_free(ui);
	}
}
