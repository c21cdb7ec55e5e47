/* form.c - see form.h. */
#include "console/widgets/form.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "console/core/key.h"
#include "ipc/base/xalloc.h"

struct form_field *
form_add(struct form *f, size_t max, const char *text)
{
	struct form_field *field;

	f->list = xreallocarray(f->list, f->n + 1, sizeof *f->list);
	field = &f->list[f->n++];
	*field = (struct form_field){ .w = 2 };
	edit_set(&field->edit, max, text);
	return field;
}

void
form_cut(struct form *f, size_t from)
{
	while (f->n > from)
		edit_free(&f->list[--f->n].edit);
	if (f->focus >= f->n)
		f->focus = f->n > 0 ? f->n - 1 : 0;
}

void
form_clear(struct form *f)
{
	form_cut(f, 0);
	free(f->list);
	*f = (struct form){ 0 };
}

const char *
form_text(const struct form *f)
{
	const struct form_field *field = f->focus < f->n ? &f->list[f->focus] : NULL;

	return field != NULL && field->choices == NULL && !field->fixed ? edit_text(&field->edit)
									: NULL;
}

/* ---- choices ---- */
static size_t
chosen(const struct form_field *f)
{
	size_t i = 0;

	while (f->choices[i] != NULL && strcasecmp(f->choices[i], edit_text(&f->edit)) != 0)
		i++;
	return i;
}

static void
step(struct form_field *f, int by, bool *changed)
{
	size_t n = 0, i = chosen(f);

	while (f->choices[n] != NULL)
		n++;
	i = i == n ? 0 : (i + (by > 0 ? 1 : n - 1)) % n;
	edit_set(&f->edit, f->edit.max, f->choices[i]);
	*changed = true;
}

/* Letters one after the other spell a choice; one that spells none goes to the next choice that begins with it. */
static void
jump(struct form_field *f, unsigned *typed, uint32_t key, bool *changed)
{
	size_t n = 0, from = chosen(f);
	char wanted[64];

	while (f->choices[n] != NULL)
		n++;
	snprintf(wanted, sizeof wanted, "%.*s%c", (int)(*typed < 60 ? *typed : 0),
	    edit_text(&f->edit), (char)key);
	for (size_t i = 0; i <= n; i++) { /* the one that is chosen may be what is spelt */
		const char *c = f->choices[(from + i) % n];

		if ((i == 0 && wanted[1] == '\0') || strncasecmp(c, wanted, strlen(wanted)) != 0)
			continue;
		*typed = (unsigned)strlen(wanted);
		edit_set(&f->edit, f->edit.max, c);
		*changed = true;
		return;
	}
	if (*typed > 0) {
		*typed = 0;
		jump(f, typed, key, changed);
	}
}

static bool
choose(struct form_field *f, unsigned *typed, uint32_t key, bool *changed)
{
	if (key == UIKEY_LEFT || key == UIKEY_RIGHT || key == ' ') {
		*typed = 0;
		step(f, key == UIKEY_LEFT ? -1 : 1, changed);
	} else if (key > ' ' && key < UIKEY_BACKSPACE)
		jump(f, typed, key, changed);
	else
		return false;
	return true;
}

bool
form_key(struct form *f, uint32_t key, bool *changed)
{
	struct form_field *field = f->focus < f->n ? &f->list[f->focus] : NULL;

	*changed = false;
	if (field == NULL || field->fixed)
		return false;
	if (field->choices != NULL)
		return choose(field, &f->typed, key, changed);
	return edit_key(&field->edit, key, changed);
}

void
form_next(struct form *f, int by)
{
	f->typed = 0;
	for (size_t i = 0; i < f->n; i++) {
		f->focus = (f->focus + (by > 0 ? 1 : f->n - 1)) % f->n;
		if (!f->list[f->focus].fixed)
			return;
	}
}

/* ---- drawing ---- */
void
form_show(struct form *f, int y, int rows, int h)
{
	if (y < f->top)
		f->top = y;
	if (y >= f->top + h)
		f->top = y - h + 1;
	if (f->top + h > rows)
		f->top = rows > h ? rows - h : 0;
}

static void
draw_field(const struct form_field *f, struct surface *s, int x, int y, bool focused)
{
	enum ui_role role = f->error != NULL ? UI_CRIT : UI_INPUT;
	int inner = f->w - 2;

	if (f->fixed) {
		surface_put(s, x + 1, y, inner, UI_TEXT, edit_text(&f->edit));
		return;
	}
	surface_put(s, x, y, 1, focused ? UI_KEY : UI_DIM, "[");
	surface_put(s, x + 1 + inner, y, 1, focused ? UI_KEY : UI_DIM, "]");
	if (f->choices == NULL) {
		edit_draw(&f->edit, s, (struct rect){ x + 1, y, inner, 1 }, role, focused);
		return;
	}
	surface_fill(s, (struct rect){ x + 1, y, inner, 1 }, role);
	surface_put(s, x + 1, y, inner - 2, role, edit_text(&f->edit));
	surface_put(s, x + inner, y, 1, UI_DIM, "v");
	if (focused)
		surface_park(s, x + 1, y, true);
}

void
form_draw(const struct form *f, struct surface *s, struct rect r)
{
	surface_park(s, r.x, r.y, false);
	for (size_t i = 0; i < f->n; i++) {
		const struct form_field *field = &f->list[i];
		int y = field->y - f->top;

		if (y >= 0 && y < r.h && field->w > 2)
			draw_field(field, s, r.x + field->x, r.y + y, i == f->focus);
	}
}
