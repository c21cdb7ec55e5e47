/* popbars.c - see popbars.h. */
#include "console/screens/popbars.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console/core/sanitize.h"
#include "ipc/base/xalloc.h"

#define CELL_W 27 /* name, bar, figure */
#define NAME_W 10
#define BAR_W  8

typedef Ns__FleetListReply__Appliance Member;

static bool
is_silent(const Member *m)
{
	return strcmp(m->state, "silent") == 0;
}

/* Where it stood; behind all others: it is new. */
static size_t
place_of(const struct popbars *p, const struct view *v, const Member *m)
{
	char name[sizeof p->list[0].name];
	size_t i = 0;

	sanitize(name, sizeof name, m->name, v->ui->ascii);
	while (i < p->n && strcmp(p->list[i].name, name) != 0)
		i++;
	return i;
}

/* Clearly busier: figures of a second vary, and rows that change places with every one of them cannot be read. */
static bool
goes_before(const Member *a, const Member *b, bool moved)
{
	if (is_silent(a) != is_silent(b))
		return is_silent(b);
	return a->qps > b->qps * (moved ? 1.25 : 1) ||
	       (!moved && a->qps >= b->qps && strcmp(a->name, b->name) < 0);
}

/* Into the list, kept in order: those that were there first as they were. */
static void
put_in(const Member **list, size_t n, const Member *m, bool known)
{
	while (n > 0 && goes_before(m, list[n - 1], known)) {
		list[n] = list[n - 1];
		n--;
	}
	list[n] = m;
}

static void
order(const struct popbars *before, const struct view *v, const Ns__FleetListReply *m,
    const Member **list, size_t *n)
{
	size_t *places = xcalloc(m->n_appliances + 1, sizeof *places);

	for (size_t i = 0; i < m->n_appliances; i++)
		places[i] = place_of(before, v, m->appliances[i]);
	for (size_t place = 0; place <= before->n; place++)
		for (size_t i = 0; i < m->n_appliances; i++)
			if (places[i] == place && strcmp(m->appliances[i]->state, "invited") != 0) {
				put_in(list, *n, m->appliances[i], place < before->n);
				++*n;
			}
	free(places);
}

void
popbars_free(struct popbars *p)
{
	free(p->revisions);
	*p = (struct popbars){ 0 };
}

void
popbars_take(struct popbars *p, const struct view *v, const Ns__FleetListReply *m)
{
	const Member **list = xcalloc(m->n_appliances + 1, sizeof *list);

	size_t n = 0;

	order(p, v, m, list, &n);
	popbars_free(p);
	p->all = n;
	p->revisions = xcalloc(n + 1, sizeof *p->revisions);
	for (size_t i = 0; i < p->all; i++) {
		bool silent = is_silent(list[i]);

		p->revisions[i] = silent ? 0 : list[i]->revision;
		if (i == POPBARS)
			continue;
		sanitize(p->list[i].name, sizeof p->list[i].name, list[i]->name, v->ui->ascii);
		p->list[i].qps = silent ? -1 : list[i]->qps;
		p->n = i + 1;
	}
	free(list);
}

static void
draw_one(const struct popbars *p, struct view *v, size_t i, int x, int y)
{
	struct surface *s = v->ui->surface;
	double most = p->list[0].qps;
	char figure[16];

	surface_put(s, x, y, NAME_W - 1, UI_TEXT, p->list[i].name);
	if (p->list[i].qps < 0) {
		surface_put(s, x + NAME_W, y, BAR_W, UI_CRIT | UI_LIVE, "SILENT");
		return;
	}
	glyph_bar(s, x + NAME_W, y, BAR_W, v->ui->glyphs, most > 0 ? p->list[i].qps / most : 0);
	glyph_number(p->list[i].qps, figure);
	surface_put_right(s, x + NAME_W + BAR_W + 1, y, 6, UI_TEXT | UI_LIVE, figure);
}

int
popbars_draw(const struct popbars *p, struct view *v, struct rect r)
{
	int columns = r.w / CELL_W > 0 ? r.w / CELL_W : 1;
	size_t room = (size_t)columns * (size_t)(r.h > 0 ? r.h : 0), n = p->n;

	if (p->all > room) /* a place for how many more there are */
		n = room > 0 ? room - 1 : 0;
	for (size_t i = 0; i < n; i++)
		draw_one(p, v, i, r.x + (int)(i % (size_t)columns) * CELL_W,
		    r.y + (int)(i / (size_t)columns));
	if (p->all > n && room > 0)
		surface_putf(v->ui->surface, r.x + (int)(n % (size_t)columns) * CELL_W,
		    r.y + (int)(n / (size_t)columns), CELL_W, UI_DIM, "and %zu more: 4",
		    p->all - n);
	return (int)((n + (p->all > n) + (size_t)columns - 1) / (size_t)columns);
}

void
popbars_served(const struct popbars *p, uint64_t revision, char out[32])
{
	size_t n = 0;

	out[0] = '\0';
	for (size_t i = 0; i < p->all; i++)
		n += p->revisions[i] >= revision;
	if (p->all > 1)
		snprintf(out, 32, "  %zu/%zu PoPs", n, p->all);
}
