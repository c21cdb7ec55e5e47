/* pages - a list that lies in the appliance, of which we hold what is looked at.
 *
 * The appliance gives a list page by page, each with the cursor of the next.  We keep the cursors of all
 * pages that we saw and the rows of the last few that were looked at; a row that is not here is asked for
 * by being looked at.  One request at a time: a newer wish cancels the older one.  While a list is loaded
 * anew the old rows stay on screen. */
#ifndef NS_CONSOLE_SCREENS_PAGES_H
#define NS_CONSOLE_SCREENS_PAGES_H

#include "console/screens/ui.h"
#include "console/widgets/table.h"

#define PAGE_ROWS  500u
#define SEEK_ROWS  100u /* of a list in which every rank can be asked for */
#define PAGES_KEPT 4u

struct row {
	char *id; /* as the appliance has it, for requests */
	char *cells[TABLE_COLUMNS]; /* sanitized */
	uint8_t roles[TABLE_COLUMNS];
	double figures[TABLE_COLUMNS]; /* to sort by; NAN: by the text */
};

struct pages;

struct pages_ops {
	/* Asks for the page at the cursor; the reply goes to pages_came. */
	uint64_t (*ask)(struct view *, const char *cursor, unsigned limit, ns_reply_fn *, struct pages *);
	/* How many rows are in a reply, the cursor of the next page (empty: the end), all of them or 0. */
	size_t (*rows)(const Ns__Envelope *, const char **next, uint64_t *total);
	void (*fill)(struct view *, const Ns__Envelope *, size_t i, struct row *);
	/* NULL: a cursor leads to the next page only.  Else where the reply's rows are: the rank of the first, and the order
	 * that it is of; ask() asks at pages_at() instead of a cursor. */
	uint64_t (*rank)(const Ns__Envelope *, uint64_t *snapshot);
	bool live; /* asked for at every tick */
};

struct page {
	char *cursor; /* NULL: by rank */
	struct row *rows; /* NULL: not here */
	size_t first, n;
	uint64_t used;
};

struct pages {
	struct view *view;
	const struct pages_ops *ops;
	struct page *list;
	size_t n; /* pages whose cursor we know */
	size_t known; /* rows before the first page that we have never seen */
	bool ended; /* known are all */
	uint64_t total; /* what the appliance says; 0: it does not */
	uint64_t request;
	size_t asking; /* which page */
	bool fresh; /* the next reply begins a new list */
	bool due; /* another one was asked for: it is, when the typing pauses */
	bool loaded; /* there was one */
	char refused[400]; /* why there is no list, for people; empty: there is */
	enum ns_err refused_for; /* NS_OK: there is */
	size_t wish; /* a row that was looked at and is not here; SIZE_MAX: none */
	uint64_t tick;
	char *keep; /* the id of the row the cursor was on, for after a reload */
	uint64_t snapshot; /* the order that the rows are of; 0: none that is kept */
	struct ns_table *table;
	size_t before; /* rows of the table that are not ours, above */
};

void pages_init(struct pages *, struct view *, const struct pages_ops *, struct ns_table *);
void pages_free(struct pages *);
/* All anew; the cursor stays on its row where that is still on its page, or goes to the top. */
void pages_reload(struct pages *, bool to_top);
/* Another filter, to the top: asked for when the typing pauses. */
void pages_filtered(struct pages *);
/* The page that the cursor is on again; the cursor stays on its row where that is still on it. */
void pages_refresh(struct pages *);
size_t pages_count(const struct pages *);
/* By rank: where the page begins that is asked for, and the row around which a new order is wanted ("": none). */
size_t pages_at(const struct pages *);
const char *pages_around(const struct pages *);
/* What is asked for next, where nothing else is: the pages beside the one on screen. */
void pages_ahead(struct pages *);
/* Sorts rows that are all here; false: they are not. */
bool pages_sort(struct pages *);
/* Why they cannot be sorted here; NULL: they can. */
const char *pages_unsorted(const struct pages *);
/* Those that are here, in order. */
void pages_each(const struct pages *, void (*)(void *arg, const struct row *), void *arg);
/* NULL: not here; it is asked for. */
const struct row *pages_row(struct pages *, size_t);
bool pages_interrupt(struct pages *); /* what was asked for and waited for is not any more; false: nothing was */
bool pages_misses(struct pages *); /* is the row at the cursor on its way? */
table_cell_fn pages_cell; /* arg: struct pages */
void row_free(struct row *);
void row_set(struct view *, struct row *, unsigned column, enum ui_role, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));
void row_figure(struct row *, unsigned column, double); /* after row_set() */

#endif
