/* pages.c - see pages.h. */
#include "console/screens/pages.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console/core/loop.h"
#include "console/core/sanitize.h"
#include "console/screens/sorting.h"
#include "ipc/base/xalloc.h"

#define NO_WISH     SIZE_MAX
#define DEBOUNCE_MS 40u

static void came(void *arg, const Ns__Envelope *, const struct ns_why *);

void
pages_init(struct pages *p, struct view *v, const struct pages_ops *ops, struct ns_table *table)
{
	p->view = v;
	p->ops = ops;
	p->table = table;
	p->wish = NO_WISH;
	v->list = p;
}

void
row_free(struct row *r)
{
	free(r->id);
	for (unsigned c = 0; c < TABLE_COLUMNS; c++)
		free(r->cells[c]);
}

static void
drop_rows(struct page *page)
{
	for (size_t i = 0; page->rows != NULL && i < page->n; i++)
		row_free(&page->rows[i]);
	free(page->rows);
	page->rows = NULL;
}

static void
drop_all(struct pages *p)
{
	for (size_t i = 0; i < p->n; i++) {
		drop_rows(&p->list[i]);
		free(p->list[i].cursor);
	}
	free(p->list);
	p->list = NULL;
	p->n = p->known = 0;
	p->ended = false;
}

static void
cancel(struct pages *p)
{
	if (p->request != 0)
		ns_client_cancel(p->view->ui->client, p->request);
	p->request = 0;
}

/* There is one timer; whoever else took it since, this list is asked for when it is looked at again. */
static void
not_due(struct pages *p)
{
	if (p->due && p->view->ui->loop != NULL)
		loop_later(p->view->ui->loop, 0, NULL, NULL);
	p->due = false;
}

void
pages_free(struct pages *p)
{
	not_due(p);
	cancel(p);
	drop_all(p);
	free(p->keep);
	p->keep = NULL;
}

static void
add_page(struct pages *p, const char *cursor)
{
	p->list = xreallocarray(p->list, p->n + 1, sizeof *p->list);
	p->list[p->n++] = (struct page){ .cursor = xstrdup(cursor), .first = p->known };
}

static void
ask(struct pages *p, size_t page)
{
	bool ranked = p->ops->rank != NULL;
	const char *cursor = p->fresh || ranked ? "" : p->list[page].cursor;

	p->asking = page;
	if (p->view->ui->loop != NULL)
		loop_asked(p->view->ui->loop);
	p->request = p->ops->ask(p->view, cursor, ranked ? SEEK_ROWS : PAGE_ROWS, came, p);
}

size_t
pages_at(const struct pages *p)
{
	return p->asking * SEEK_ROWS;
}

const char *
pages_around(const struct pages *p)
{
	return p->fresh && p->keep != NULL ? p->keep : "";
}

void
pages_reload(struct pages *p, bool to_top)
{
	const struct row *row = NULL;

	to_top |= p->due;
	not_due(p);
	cancel(p);
	if (to_top || !p->loaded)
		ui_awaits(p->view);
	if (!to_top && p->keep == NULL && p->n > 0 && p->table->row >= p->before)
		row = pages_row(p, p->table->row - p->before);
	if (row != NULL)
		p->keep = xstrdup(row->id);
	if (to_top) {
		free(p->keep);
		p->keep = NULL;
		p->table->row = p->table->top = 0;
	}
	p->wish = NO_WISH;
	p->fresh = true;
	p->snapshot = 0;
	ask(p, p->ops->rank != NULL && p->table->row >= p->before
		   ? (p->table->row - p->before) / SEEK_ROWS
		   : 0);
}

static void
paused(void *arg)
{
	pages_reload(arg, true);
}

void
pages_filtered(struct pages *p)
{
	if (p->view->ui->loop == NULL) {
		pages_reload(p, true);
		return;
	}
	cancel(p); /* of what nobody wants any more */
	p->due = true;
	ui_awaits(p->view);
	loop_later(p->view->ui->loop, DEBOUNCE_MS, paused, p);
}

/* The page that a row is on; p->n when that is not known yet. */
static size_t
page_of(const struct pages *p, size_t row)
{
	size_t i = 0, end = p->n;

	if (row >= p->known)
		return p->n;
	if (p->ops->rank != NULL)
		return row / SEEK_ROWS;
	while (end - i > 1) {
		size_t middle = i + (end - i) / 2;

		if (p->list[middle].first <= row)
			i = middle;
		else
			end = middle;
	}
	return i;
}

void
pages_refresh(struct pages *p)
{
	size_t row = p->table->row, page;

	if (p->due) {
		pages_reload(p, true);
		return;
	}
	if (p->request != 0 || row < p->before || p->n == 0)
		return;
	page = page_of(p, row - p->before);
	if (page == p->n)
		page = 0;
	free(p->keep);
	p->keep = NULL;
	if (p->list[page].rows != NULL && row - p->before - p->list[page].first < p->list[page].n)
		p->keep = xstrdup(p->list[page].rows[row - p->before - p->list[page].first].id);
	ask(p, page);
}

size_t
pages_count(const struct pages *p)
{
	if (p->ended)
		return p->known;
	/* Nobody said how many more: one row, which is asked for when it is looked at. */
	return p->total > p->known ? (size_t)p->total : p->known + (p->n > 0);
}

void
pages_each(const struct pages *p, void (*fn)(void *arg, const struct row *), void *arg)
{
	for (size_t i = 0; i < p->n; i++)
		for (size_t k = 0; p->list[i].rows != NULL && k < p->list[i].n; k++)
			fn(arg, &p->list[i].rows[k]);
}

const struct row *
pages_row(struct pages *p, size_t row)
{
	size_t i = page_of(p, row);

	if (i < p->n && p->list[i].rows != NULL) {
		p->list[i].used = ++p->tick;
		/* A page that was loaded again may have become shorter. */
		return row - p->list[i].first < p->list[i].n
			   ? &p->list[i].rows[row - p->list[i].first]
			   : NULL;
	}
	if (row >= pages_count(p))
		return NULL;
	p->wish = row;
	if (p->request != 0 || p->n == 0)
		return NULL;
	/* Past what we know, page after page leads there: a cursor comes with the page before it. */
	ask(p, i < p->n ? i : p->n - 1);
	return NULL;
}

bool
pages_interrupt(struct pages *p)
{
	if (!p->view->awaits)
		return false;
	not_due(p);
	cancel(p);
	p->view->awaits = false;
	return true;
}

bool
pages_misses(struct pages *p)
{
	size_t row = p->table->row - p->before;

	return p->table->row >= p->before && row < pages_count(p) && pages_row(p, row) == NULL &&
	       p->request != 0;
}

const char *
pages_cell(void *arg, size_t row, unsigned column, enum ui_role *role)
{
	const struct row *r = pages_row(arg, row);

	if (r == NULL)
		return NULL;
	*role = (enum ui_role)r->roles[column];
	return r->cells[column] != NULL ? r->cells[column] : "";
}

void
row_set(struct view *v, struct row *r, unsigned column, enum ui_role role, const char *fmt, ...)
{
	char *text;
	va_list ap;

	va_start(ap, fmt);
	text = xvasprintf(fmt, ap);
	va_end(ap);
	free(r->cells[column]);
	r->figures[column] = (double)NAN;
	r->cells[column] = sanitize_dup(text, v->ui->ascii);
	r->roles[column] = (uint8_t)role;
	free(text);
}

void
row_figure(struct row *r, unsigned column, double figure)
{
	r->figures[column] = figure;
}

/* Those that were not looked at for longest go. */
static void
evict(struct pages *p)
{
	for (;;) {
		struct page *oldest = NULL;
		size_t here = 0;

		for (size_t i = 0; i < p->n; i++) {
			if (p->list[i].rows == NULL)
				continue;
			here++;
			if (oldest == NULL || p->list[i].used < oldest->used)
				oldest = &p->list[i];
		}
		if (here <= PAGES_KEPT)
			return;
		drop_rows(oldest);
	}
}

/* The cursor may have moved since the rows were asked for. */
static void
keep_cursor(struct pages *p)
{
	const struct page *page;
	size_t row = p->table->row - p->before, i;

	if (p->keep == NULL || p->table->row < p->before || (i = page_of(p, row)) >= p->n)
		return;
	page = &p->list[i];
	if (page->rows == NULL || row - page->first >= page->n)
		return;
	free(p->keep);
	p->keep = xstrdup(page->rows[row - page->first].id);
}

/* After a reload the cursor goes to the row it was on. */
static void
find_kept(struct pages *p, const struct page *page)
{
	for (size_t i = 0; p->keep != NULL && i < page->n; i++)
		if (strcmp(page->rows[i].id, p->keep) == 0) {
			size_t from = p->table->row - p->table->top;

			p->table->row = p->before + page->first + i;
			p->table->top = p->table->row > from ? p->table->row - from : 0;
			break;
		}
	free(p->keep);
	p->keep = NULL;
}

static void
fill_page(struct pages *p, struct page *page, const Ns__Envelope *env, size_t n)
{
	drop_rows(page);
	page->rows = xcalloc(n > 0 ? n : 1, sizeof *page->rows);
	page->n = n;
	page->used = ++p->tick;
	for (size_t i = 0; i < n; i++)
		p->ops->fill(p->view, env, i, &page->rows[i]);
}

static void
take_next(struct pages *p, const Ns__Envelope *env, size_t n, const char *next)
{
	struct page *page;

	if (p->fresh) {
		drop_all(p);
		add_page(p, "");
		p->asking = 0;
	}
	page = &p->list[p->asking];
	fill_page(p, page, env, n);
	if (p->asking + 1 != p->n)
		return;
	p->known = page->first + n;
	/* A page that is empty and has a next: of a filter, nothing was found so far. */
	p->ended = next[0] == '\0' || strcmp(next, page->cursor) == 0;
	if (!p->ended)
		add_page(p, next);
}

/* Another order, or another length of it: what we have of the old one is none of its rows. */
static void
take_ranked(struct pages *p, const Ns__Envelope *env, size_t n)
{
	uint64_t snapshot, rank = p->ops->rank(env, &snapshot);
	size_t all = ((size_t)p->total + SEEK_ROWS - 1) / SEEK_ROWS;

	if (p->fresh || snapshot != p->snapshot || p->known != p->total) {
		drop_all(p);
		p->list = xcalloc(all > 0 ? all : 1, sizeof *p->list);
		p->n = all;
		for (size_t i = 0; i < all; i++)
			p->list[i].first = i * SEEK_ROWS;
		p->known = (size_t)p->total;
		p->ended = true;
		p->snapshot = snapshot;
	}
	p->asking = (size_t)rank / SEEK_ROWS;
	if (p->asking < p->n && rank % SEEK_ROWS == 0)
		fill_page(p, &p->list[p->asking], env, n);
	else
		p->asking = 0;
}

/* The cursor is find_kept()'s. */
static void
rows_sorted(struct pages *p)
{
	if (p->ops->rank == NULL && p->ended && p->n == 1)
		rows_sort(
		    p->list[0].rows, p->list[0].n, sizeof *p->list[0].rows, &p->table->sort, NULL);
}

static void
take_page(struct pages *p, const Ns__Envelope *env)
{
	const char *next = "";
	size_t n;

	keep_cursor(p);
	n = p->ops->rows(env, &next, &p->total);
	if (p->ops->rank != NULL)
		take_ranked(p, env, n);
	else
		take_next(p, env, n, next);
	p->fresh = false;
	rows_sorted(p);
	if (p->asking < p->n && p->list[p->asking].rows != NULL)
		find_kept(p, &p->list[p->asking]);
	evict(p);
}

const char *
pages_unsorted(const struct pages *p)
{
	return !p->loaded ? "nothing is here yet"
	       : p->ended && p->n == 1
		   ? NULL
		   : "more rows than are loaded at once: they stay in their order";
}

/* A list that was short when it was sorted, and grew, has the order of the appliance again. */
bool
pages_sort(struct pages *p)
{
	size_t row = p->table->row >= p->before ? p->table->row - p->before : SIZE_MAX;

	if (p->ops->rank != NULL || !p->ended || p->n != 1 || p->list[0].rows == NULL)
		return false;
	rows_sort(p->list[0].rows, p->list[0].n, sizeof *p->list[0].rows, &p->table->sort, &row);
	if (row != SIZE_MAX)
		p->table->row = row + p->before;
	return true;
}

void
pages_ahead(struct pages *p)
{
	size_t above = p->table->top < p->before + (size_t)p->table->page
			   ? p->before
			   : p->table->top - (size_t)p->table->page,
	       below = p->table->top + 2 * (size_t)p->table->page;

	if (p->request != 0 || p->n == 0 || p->ops->rank == NULL)
		return;
	if (below - p->before < pages_count(p) && pages_row(p, below - p->before) == NULL)
		return;
	(void)pages_row(p, above - p->before);
}

static void
came(void *arg, const Ns__Envelope *env, const struct ns_why *why)
{
	struct pages *p = arg;
	bool again; /* rows that are here already: the next frame is soon enough */

	p->request = 0;
	if (env == NULL) {
		p->wish = NO_WISH;
		ui_say_why(p->view->ui, why);
		if (p->fresh && why->err != NS_UNAVAILABLE) {
			drop_all(p);
			p->ended = p->loaded = true;
			p->total = 0;
			sanitize(p->refused, sizeof p->refused, why->text, p->view->ui->ascii);
			p->refused_for = why->err;
		}
		ui_dirty(p->view->ui, true);
		ui_came(p->view, false);
		return;
	}
	if (p->ops->live)
		ui_live(p->view);
	again = !p->fresh && p->wish == NO_WISH && p->loaded;
	p->refused[0] = '\0';
	p->refused_for = NS_OK;
	take_page(p, env);
	p->loaded = true;
	if (p->wish != NO_WISH) {
		size_t wish = p->wish;

		p->wish = NO_WISH;
		(void)pages_row(p, wish);
	}
	ui_dirty(p->view->ui, !again);
	ui_came(p->view, true);
}
