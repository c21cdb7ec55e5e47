/* search.c - `/` where nothing can be filtered: goes to what matches while it is typed; n and N go on. */
#include <stdio.h>
#include <string.h>

#include "console/screens/ui.h"
#include "console/widgets/lines.h"

bool
search_around(size_t n, size_t *at, int by, bool (*holds)(void *arg, size_t i, const char *text),
    void *arg, const char *text)
{
	for (size_t k = 0; k < n; k++) {
		size_t i = (*at + (by > 0 ? k : n - 1 - k)) % n;

		if (holds(arg, i, text)) {
			*at = i;
			return true;
		}
	}
	return false;
}

static bool
line_holds(void *arg, size_t i, const char *text)
{
	return strcasestr(((const struct lines *)arg)->list[i].text, text) != NULL;
}

bool
search_lines(struct lines *l, const char *text, size_t *at, int by)
{
	if (text == NULL)
		*at = l->found > 0 ? l->found - 1 : l->top;
	else if (by == 0) {
		lines_find(l, *at);
		l->found = 0;
	} else if (search_around(l->n, at, by, line_holds, l, text)) {
		lines_find(l, *at);
	} else {
		return false;
	}
	return true;
}

void
search_open(struct ui *ui)
{
	struct view *top = ui_top(ui);

	(void)top->ops->search(top, NULL, &ui->searched_from, 1);
	prompt_open(&ui->prompt, '/', "");
}

void
search_took(struct ui *ui, uint32_t key)
{
	struct view *top = ui_top(ui);
	enum prompt_end end = prompt_key(&ui->prompt, key);
	const char *text = edit_text(&ui->prompt.edit);
	size_t at = ui->searched_from;

	ui->prompt.on = end != PROMPT_ENTER && end != PROMPT_CANCEL;
	/* The screen may be another by now: an answer brought it. */
	if (top->ops->search == NULL) {
		ui->prompt.on = false;
		return;
	}
	if ((end == PROMPT_CHANGED || end == PROMPT_ENTER) && text[0] != '\0') {
		snprintf(ui->searched, sizeof ui->searched, "%s", text);
		if (top->ops->search(top, text, &at, 1))
			return;
		if (end == PROMPT_ENTER)
			ui_say(ui, "Nothing here has \"%s\"", text);
	}
	/* Not found, or left: where it was. */
	if (end != PROMPT_MORE && (end != PROMPT_ENTER || text[0] != '\0'))
		(void)top->ops->search(top, "", &at, 0);
}

void
search_text(struct ui *ui, const char *text)
{
	ui->prompt.on = false;
	snprintf(ui->searched, sizeof ui->searched, "%s", text);
	search_step(ui, 1);
}

void
search_step(struct ui *ui, int by)
{
	struct view *top = ui_top(ui);
	size_t at = 0;

	(void)top->ops->search(top, NULL, &at, by);
	at += by > 0;
	if (ui->searched[0] == '\0')
		ui_say(ui, "Nothing was searched for yet: /");
	else if (!top->ops->search(top, ui->searched, &at, by))
		ui_say(ui, "Nothing here has \"%s\"", ui->searched);
}
