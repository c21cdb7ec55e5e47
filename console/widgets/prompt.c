/* prompt.c - see prompt.h. */
#include "console/widgets/prompt.h"

#include "console/core/key.h"

void
prompt_set(struct prompt *p, const char *text)
{
	edit_set(&p->edit, PROMPT_MAX, text);
}

void
prompt_open(struct prompt *p, char label, const char *text)
{
	p->on = true;
	p->label = label;
	prompt_set(p, text);
	p->whole = p->edit.len > 0;
}

enum prompt_end
prompt_key(struct prompt *p, uint32_t key)
{
	bool changed;

	switch (key) {
	case UIKEY_ENTER:
		return PROMPT_ENTER;
	case UIKEY_ESC:
	case CTRL_KEY('G'):
	case CTRL_KEY('C'):
		return PROMPT_CANCEL;
	default:
		break;
	}
	/* As in less and vi: to rub out the last one closes it. */
	if (key == UIKEY_BACKSPACE && p->edit.len == 0)
		return PROMPT_CANCEL;
	if (p->whole && key >= ' ' && key < UIKEY_BACKSPACE)
		prompt_set(p, "");
	p->whole = false;
	(void)edit_key(&p->edit, key, &changed);
	return changed ? PROMPT_CHANGED : PROMPT_MORE;
}

void
prompt_draw(const struct prompt *p, struct surface *s, struct rect r)
{
	surface_putf(s, r.x, r.y, r.w, UI_KEY, " %c", p->label);
	edit_draw(&p->edit, s, (struct rect){ r.x + 2, r.y, r.w - 2, 1 }, UI_INPUT, true);
	if (p->whole)
		surface_mark(s, (struct rect){ r.x + 2, r.y, text_width(edit_text(&p->edit)), 1 },
		    UI_SELECT);
}
