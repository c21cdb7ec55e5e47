/* table - rows for people: columns as wide as their content, no rules, so that a selection pastes
 * clean. Text that came from the network is made safe before it reaches the terminal. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console/cli/cli.h"
#include "ipc/base/xalloc.h"

#define COLUMNS_MAX 12u
#define WIDTH_MAX   60u /* wider cells do not push the columns of all rows */

struct table {
	const char *const *titles;
	const char *align; /* one letter a column: l or r */
	unsigned columns;
	char **cells;
	size_t n, cap;
};

struct table *
table_new(const char *const *titles, unsigned columns, const char *align)
{
	struct table *t = xcalloc(1, sizeof *t);

	t->titles = titles;
	t->columns = columns < COLUMNS_MAX ? columns : COLUMNS_MAX;
	t->align = align;
	return t;
}

void
print_safe(FILE *out, const char *text)
{
	for (const unsigned char *p = (const unsigned char *)text; *p != '\0'; p++) {
		if (*p < 0x20 || *p == 0x7f || (*p == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0))
			fprintf(out, "\\u{%02x}", *p == 0xc2 ? *++p : *p);
		else
			fputc(*p, out);
	}
}

void
table_cell(struct table *t, const char *fmt, ...)
{
	va_list ap;
	char *cell;

	va_start(ap, fmt);
	cell = xvasprintf(fmt, ap);
	va_end(ap);
	if (t->n == t->cap)
		t->cells =
		    xreallocarray(t->cells, t->cap = t->cap ? 2 * t->cap : 256, sizeof *t->cells);
	t->cells[t->n++] = cell;
}

static void
cell_print(const struct table *t, unsigned column, const char *text, const size_t *width)
{
	size_t len = strlen(text), pad = len < width[column] ? width[column] - len : 0;
	bool last = column + 1 == t->columns;

	if (t->align[column] == 'r')
		printf("%*s", (int)pad, "");
	print_safe(stdout, text);
	if (t->align[column] != 'r' && !last)
		printf("%*s", (int)pad, "");
	fputs(last ? "\n" : "  ", stdout);
}

void
table_print(struct table **tp)
{
	struct table *t = *tp;
	size_t width[COLUMNS_MAX] = { 0 };

	for (unsigned c = 0; c < t->columns; c++)
		width[c] = strlen(t->titles[c]);
	for (size_t i = 0; i < t->n; i++) {
		size_t len = strlen(t->cells[i]);
		unsigned c = (unsigned)(i % t->columns);
		if (len > width[c] && len <= WIDTH_MAX)
			width[c] = len;
	}
	for (unsigned c = 0; c < t->columns; c++)
		cell_print(t, c, t->titles[c], width);
	for (size_t i = 0; i < t->n; i++) {
		cell_print(t, (unsigned)(i % t->columns), t->cells[i], width);
		free(t->cells[i]);
	}
	free(t->cells);
	free(t);
	*tp = NULL;
}
