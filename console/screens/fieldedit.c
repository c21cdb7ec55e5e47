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
	char label; /* of the prompt whose text it is, 0: a field's; */
	char *typed; /* that text: the prompt is closed meanwhile */
};

void
fieldedit_free(struct ui *ui)
{
	struct fieldedit *f = ui->fieldedit;

	if (f == NULL)
		return;
	free(f->path);
	free(f->typed);
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
press(struct view *v, bool prompt, uint32_t key)
{
	if (prompt)
		ui_key(v->ui, key);
	else
		(void)v->ops->key(v, key);
}

static void
type(struct view *v, bool prompt, const char *text)
{
	uint32_t cp;

	press(v, prompt, UIKEY_END);
	press(v, prompt, CTRL_KEY('U'));
	for (unsigned n; (n = utf8_next(text, &cp)) > 0; text += n)
		press(v, prompt, cp == '\t' ? ' ' : cp);
}

/* What it was; NULL: it is there no more.  A prompt is open again then. */
static const char *
text_before(const struct fieldedit *f, struct view *top)
{
	if (top != f->view)
		return NULL;
	if (f->label == 0)
		return top->ops->field != NULL ? top->ops->field(top) : NULL;
	prompt_open(&f->ui->prompt, f->label, f->typed);
	return f->typed;
}

static void
ended(void *arg, enum textfile_end end)
{
	struct fieldedit *f = arg;
	struct ui *ui = f->ui;
	struct view *top = ui_top(ui);
	struct wbuf now;
	bool read = textfile_read(f->path, &now), keep = false;
	const char *was = text_before(f, top);

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
			type(top, f->label != 0, (char *)now.base);
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
	const char *text = ui->prompt.on             ? edit_text(&ui->prompt.edit)
			   : top->ops->field != NULL ? top->ops->field(top)
						     : NULL;
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
	f->label = ui->prompt.on ? ui->prompt.label : '\0';
	f->typed = xstrdup(text);
	ui->prompt.on = false;
	line = xasprintf("%s\n", text);
	f->path = textfile_new(ns_drafts_path(ui->drafts->dir), ".txt", line, strlen(line));
	free(line);
	const struct textfile_what what = { f->path, "One field, as text", "", 0 };

	if (f->path == NULL || !textfile_edit(ui, &what, ended, f)) {
		ui_say(ui, "The editor cannot be started");
		if (f->path != NULL)
			(void)unlink(f->path);
		(void)text_before(f, top);
		fieldedit_free(ui);
	}
}
