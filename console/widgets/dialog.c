/* dialog.c - see dialog.h. */
#include "console/widgets/dialog.h"

#include <string.h>

#include "console/core/key.h"
#include "ipc/base/clock.h"

#define DEAF_MS    150u
#define MORE_LINES 4
#define ASK_LINES  2

static enum dialog_end
typed(struct dialog *d, uint32_t key)
{
	bool changed;

	if (key == UIKEY_ENTER)
		return strcmp(edit_text(&d->typed), d->name) == 0 ? DIALOG_YES : DIALOG_MORE;
	(void)edit_key(&d->typed, key, &changed);
	return DIALOG_MORE;
}

static enum dialog_end
chosen(struct dialog *d, uint32_t key)
{
	for (const struct dialog_choice *c = d->choices; c->key != 0; c++)
		if (key == (uint32_t)c->key) {
			d->yes = c->fn;
			return c->fn != NULL ? DIALOG_YES : DIALOG_NO;
		}
	return DIALOG_MORE;
}

enum dialog_end
dialog_key(struct dialog *d, uint32_t key, uint64_t now_ms)
{
	if (clock_since(now_ms, d->since_ms) < DEAF_MS)
		return DIALOG_MORE;
	if (key == UIKEY_ESC || key == CTRL_KEY('G') || key == CTRL_KEY('C'))
		return DIALOG_NO;
	if (d->name[0] != '\0')
		return typed(d, key);
	if (d->choices != NULL)
		return chosen(d, key);
	if (key == 'y' || key == 'Y')
		return DIALOG_YES;
	return key == 'n' || key == 'N' || key == 'q' ? DIALOG_NO : DIALOG_MORE;
}

void
dialog_draw(const struct dialog *d, struct surface *s, struct rect r)
{
	int w = r.w - 2, more = d->more[0] != '\0' ? text_lines(d->more, w) : 0;
	int ask = text_lines(d->ask, w) > 1 ? ASK_LINES : 1;
	int rows = 1 + ask + (more > MORE_LINES ? MORE_LINES : more);
	int y = r.y + r.h - rows;

	surface_fill(s, (struct rect){ r.x, y, r.w, rows }, UI_TEXT);
	(void)surface_wrap(s, (struct rect){ r.x + 1, y, w, ask }, UI_WARN, d->ask);
	y += ask;
	if (more > 0)
		y += surface_wrap(
		    s, (struct rect){ r.x + 1, y, w, rows - 1 - ask }, UI_TEXT, d->more);
	if (d->choices != NULL) {
		int x = r.x + 1;

		for (const struct dialog_choice *c = d->choices; c->key != 0; c++) {
			x += surface_putf(s, x, y, r.x + r.w - x, UI_KEY, "%c", c->key) + 1;
			x += surface_put(s, x, y, r.x + r.w - x, UI_TEXT, c->label) + 3;
		}
		surface_park(s, r.x, y, false);
		return;
	}
	if (d->name[0] == '\0') {
		int x = r.x + 1;

		x += surface_put(s, x, y, w, UI_KEY, "y");
		x += surface_put(s, x, y, w, UI_TEXT, " yes   ");
		x += surface_put(s, x, y, w, UI_KEY, "n");
		surface_put(s, x, y, w, UI_TEXT, " no (Enter does nothing)");
		surface_park(s, r.x, y, false);
		return;
	}
	int used = surface_put(s, r.x + 1, y, w / 2, UI_TEXT, "Type its name to go on: ");
	edit_draw(&d->typed, s, (struct rect){ r.x + 1 + used, y, w - used, 1 }, UI_INPUT, true);
}
