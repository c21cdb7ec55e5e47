/* table.c - see table.h. */
#include "console/widgets/table.h"

#include <string.h>

#include "console/core/spoken.h"

#define SIGN  3 /* " > " */
#define GAP   2
#define SHIFT 16

struct layout {
	int x[TABLE_COLUMNS], w[TABLE_COLUMNS]; /* w 0: not shown */
	unsigned n, last; /* the rightmost that is shown */
};

static void
lay_out(const struct table_column *c, int width, struct layout *l)
{
	int used = SIGN, grow = 0, x = SIGN;

	for (l->n = 0; l->n < TABLE_COLUMNS && c[l->n].title != NULL; l->n++) {
		l->w[l->n] = width >= c[l->n].from ? c[l->n].width : 0;
		if (l->w[l->n] == 0)
			continue;
		used += l->w[l->n] + GAP;
		grow += c[l->n].grow;
		l->last = l->n;
	}
	for (unsigned i = 0,
		      left = grow > 0 && width > used - GAP ? (unsigned)(width - used + GAP) : 0;
	     i < l->n; i++) {
		if (l->w[i] == 0)
			continue;
		if (c[i].grow > 0)
			l->w[i] += (int)left * c[i].grow / grow;
		l->x[i] = x;
		x += l->w[i] + GAP;
	}
	/* Whatever the widths, nothing is right of the edge. */
	for (unsigned i = 0; i < l->n; i++)
		if (l->w[i] > 0 && l->x[i] + l->w[i] > width)
			l->w[i] = width > l->x[i] ? width - l->x[i] : 0;
}

static void
put(struct surface *s, int x, int y, int w, bool right, enum ui_role role, const char *text)
{
	if (w > 0 && right)
		surface_put_right(s, x, y, w, role, text);
	else if (w > 0)
		surface_put(s, x, y, w, role, text);
}

/* Text after its first n columns. */
static const char *
shifted(const char *text, int n)
{
	uint32_t cp;

	for (unsigned l; n > 0 && (l = utf8_next(text, &cp)) > 0; n--)
		text += l;
	return text;
}

static void
draw_sign(struct surface *s, struct rect r, int y, size_t row, table_cell_fn *fn, void *arg)
{
	enum ui_role role = UI_TEXT;
	const char *sign = fn(arg, row, TABLE_SIGN, &role);

	if (sign != NULL && r.w > 1)
		put(s, r.x + 1, y, 1, false, role, sign);
}

/* All columns, however narrow the screen is. */
static void
say_row(const struct ns_table *t, struct spoken *s, int y, size_t row, table_cell_fn *fn, void *arg)
{
	enum ui_role role;
	const char *text;

	spoken_row(s, y, row, row == t->row);
	if (t->signs && (text = fn(arg, row, TABLE_SIGN, &role)) != NULL && text[0] > ' ')
		spoken_cell(s, "", text);
	for (unsigned i = 0; i < TABLE_COLUMNS && t->columns[i].title != NULL; i++)
		if ((text = fn(arg, row, i, &role)) != NULL)
			spoken_cell(s, t->columns[i].title, text);
}

static void
draw_row(const struct ns_table *t, struct surface *s, const struct layout *l, struct rect r, int y,
    size_t row, table_cell_fn *fn, void *arg)
{
	bool here = row == t->row && !t->idle;

	if (t->signs)
		draw_sign(s, r, y, row, fn, arg);
	for (unsigned i = 0; i < l->n; i++) {
		enum ui_role role = UI_TEXT;
		const char *text = l->w[i] > 0 || i == 0 ? fn(arg, row, i, &role) : "";

		if (text == NULL) {
			if (i == 0)
				put(s, r.x + l->x[0], y, l->w[0], false, UI_DIM,
				    s->ascii ? "..." : "…");
			break;
		}
		if (t->shift > 0 && i == l->last && !t->columns[i].right)
			text = shifted(text, t->shift);
		put(s, r.x + l->x[i], y, l->w[i], t->columns[i].right, role, text);
	}
	if (s->spoken != NULL)
		say_row(t, s->spoken, y, row, fn, arg);
	if (!here)
		return;
	surface_mark(s, (struct rect){ r.x, y, r.w, 1 }, UI_SELECT);
	surface_put(s, r.x, y, r.w < 1 ? 0 : 1, UI_SELECT, ">");
	surface_park(s, r.x, y, false);
}

/* "QPS^" where it is sorted upwards, "<QPS>" where `o` would sort: in the gaps beside the column. */
static void
draw_titles(const struct ns_table *t, struct surface *s, const struct layout *l, struct rect r)
{
	for (unsigned i = 0; i < l->n; i++) {
		const char *title = t->columns[i].title;
		bool chosen = t->sort.words != NULL && t->sort.chosen == i && t->sort.column != i;
		char sign = ns_sort_sign(&t->sort, i);
		int w = text_width(title), x = r.x + l->x[i];

		if (l->w[i] == 0)
			continue;
		if (w > l->w[i])
			w = l->w[i];
		if (t->columns[i].right)
			x += l->w[i] - w;
		put(s, x, r.y, w, false, sign != '\0' ? UI_SORT : UI_HEAD, title);
		if (x + w >= r.x + r.w)
			continue;
		if (chosen)
			surface_put(s, x - 1, r.y, 1, UI_KEY, "<");
		if (chosen || sign != '\0')
			surface_put(s, x + w, r.y, 1, chosen ? UI_KEY : UI_SORT,
			    chosen ? ">" : (const char[2]){ sign, '\0' });
	}
}

void
ns_table_draw(
    struct ns_table *t, struct surface *s, struct rect r, size_t rows, table_cell_fn *fn, void *arg)
{
	struct layout l = { 0 };

	lay_out(t->columns, r.w - 1, &l); /* the last column of the terminal stays free */
	t->width = r.w - 1;
	if (r.h > 0)
		draw_titles(t, s, &l, r);
	t->page = r.h > 1 ? r.h - 1 : 1;
	if (rows == 0)
		t->row = 0;
	else if (t->row >= rows)
		t->row = rows - 1;
	if (t->top > t->row)
		t->top = t->row;
	if (t->row >= t->top + (size_t)t->page)
		t->top = t->row - (size_t)t->page + 1;
	/* A list that shrank, or a larger window, leaves no empty rows behind. */
	if (t->top + (size_t)t->page > rows)
		t->top = rows > (size_t)t->page ? rows - (size_t)t->page : 0;
	for (int i = 0; i + 1 < r.h && t->top + (size_t)i < rows; i++)
		draw_row(t, s, &l, r, r.y + 1 + i, t->top + (size_t)i, fn, arg);
}

bool
ns_table_act(struct ns_table *t, enum ns_action_id id, size_t rows)
{
	size_t last = rows > 0 ? rows - 1 : 0, by = 1;

	switch (id) {
	case ACT_PAGE_UP:
	case ACT_PAGE_DOWN:
		by = (size_t)t->page;
		break;
	case ACT_HALF_UP:
	case ACT_HALF_DOWN:
		by = t->page > 1 ? (size_t)t->page / 2 : 1;
		break;
	default:
		break;
	}
	switch (id) {
	case ACT_UP:
	case ACT_PAGE_UP:
	case ACT_HALF_UP:
		t->row -= t->row < by ? t->row : by;
		return true;
	case ACT_DOWN:
	case ACT_PAGE_DOWN:
	case ACT_HALF_DOWN:
		t->row = last - t->row < by || t->row > last ? last : t->row + by;
		return true;
	case ACT_TOP:
		t->row = 0;
		return true;
	case ACT_BOTTOM:
		t->row = last;
		return true;
	case ACT_RIGHT:
		t->shift += t->shift < SURFACE_MAX ? SHIFT : 0;
		return true;
	case ACT_LEFT:
		t->shift -= t->shift < SHIFT ? t->shift : SHIFT;
		return true;
	default:
		return false;
	}
}
