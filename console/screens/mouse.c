/* mouse.c - see mouse.h. */
#include "console/screens/mouse.h"

#include <string.h>

#include "console/core/key.h"
#include "console/core/loop.h"

#define WHEEL_ROWS 3

void
mouse_set(struct ui *ui, bool on)
{
	if (ui->loop != NULL && on != ui->mouse)
		loop_mouse(ui->loop, on);
	ui->mouse = on;
}

bool
mouse_line(struct ui *ui, const char *line)
{
	bool on = strcmp(line, "set mouse on") == 0;

	if (!on && strcmp(line, "set mouse off") != 0)
		return false;
	mouse_set(ui, on);
	ui_say(ui, on ? "The mouse moves here; most terminals select text while Shift is held"
		      : "The mouse is the terminal's own");
	return true;
}

static void
move(struct ui *ui, int rows)
{
	for (; rows < 0; rows++)
		ui_typed(ui, UIKEY_UP);
	for (; rows > 0; rows--)
		ui_typed(ui, UIKEY_DOWN);
}

/* The terminal's cursor is parked at the row of the list's. */
static void
click(struct ui *ui, int x, int y)
{
	const struct surface *s = ui->surface;
	enum ns_action_id tab = y == 1 ? frame_tab(ui, x) : ACT_NONE;

	if (tab != ACT_NONE)
		(void)ui_act(ui, tab);
	else if (y < 3 || y >= s->h - 2)
		return;
	else if (y == s->cursor_y)
		ui_typed(ui, UIKEY_ENTER);
	else
		move(ui, y - s->cursor_y);
}

void
mouse_took(struct ui *ui, uint32_t key)
{
	if (!ui->mouse || ui->dialog.on || ui->prompt.on || (ui_top(ui)->contexts & CTX_TYPED) != 0)
		return;
	ui->message[0] = '\0';
	ui->touched = true;
	if (key == UIKEY_WHEEL_UP || key == UIKEY_WHEEL_DOWN)
		move(ui, key == UIKEY_WHEEL_UP ? -WHEEL_ROWS : WHEEL_ROWS);
	else
		click(ui, KEY_POINT_X(key), KEY_POINT_Y(key));
}
