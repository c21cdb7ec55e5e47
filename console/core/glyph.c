/* glyph.c - see glyph.h. */
#include "console/core/glyph.h"

#include <stdio.h>
#include <string.h>

static const char *const levels[GLYPH_SETS][GLYPH_LEVELS + 1] = {
	[GLYPH_ASCII] = { " ", ".", ":", "-", "=", "+", "*", "#", "#" },
	[GLYPH_BLOCK] = { " ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" },
	[GLYPH_BRAILLE] = { " ", "⣀", "⣀", "⣤", "⣤", "⣶", "⣶", "⣿", "⣿" },
};

const char *
glyph_level(enum glyph_set set, unsigned level)
{
	return levels[set][level <= GLYPH_LEVELS ? level : GLYPH_LEVELS];
}

/* Eighths of a cell in all rows together. */
static unsigned
height_of(double value, double top, int rows)
{
	unsigned whole = (unsigned)rows * GLYPH_LEVELS;
	double h;

	if (!(value > 0) || !(top > 0))
		return value == 0 ? 1 : 0;
	h = value / top * (double)whole;
	return h >= whole ? whole : h < 1 ? 1 : (unsigned)h;
}

void
glyph_graph(struct surface *s, struct rect r, enum glyph_set set, const double *values, size_t n,
    double top)
{
	for (int x = r.w - 1; x >= 0 && n > 0; x--) {
		unsigned height = height_of(values[--n], top, r.h);

		for (int y = r.h - 1; y >= 0 && height > 0; y--) {
			unsigned here = height < GLYPH_LEVELS ? height : GLYPH_LEVELS;

			surface_put(s, r.x + x, r.y + y, 1, UI_GRAPH, glyph_level(set, here));
			height -= here;
		}
	}
}

int
glyph_bar(struct surface *s, int x, int y, int w, enum glyph_set set, double part)
{
	static const char *const ends[] = { "", "▏", "▎", "▍", "▌", "▋", "▊", "▉" };
	int eighths = part >= 1 ? 8 * w : part > 0 ? (int)(part * 8 * w) : 0, cells;

	eighths = part > 0 && eighths < 1 ? 1 : eighths;
	cells = set == GLYPH_ASCII ? (eighths + 7) / 8 : eighths / 8;
	for (int i = 0; i < cells; i++)
		surface_put(s, x + i, y, 1, UI_GRAPH, glyph_level(set, GLYPH_LEVELS));
	if (set == GLYPH_ASCII || eighths % 8 == 0)
		return cells;
	surface_put(s, x + cells, y, 1, UI_GRAPH, ends[eighths % 8]);
	return cells + 1;
}

void
glyph_number(double v, char out[16])
{
	static const char units[] = { 'k', 'M', 'G', 'T' };
	size_t i = 0;

	if (v < 999.5) {
		snprintf(out, 16, v < 99.95 && v != (double)(int)v ? "%.1f" : "%.0f", v);
		return;
	}
	for (v /= 1000; v >= 999.5 && i + 1 < sizeof units; i++)
		v /= 1000;
	snprintf(out, 16, "%.1f%c", v < 99999 ? v : 99999, units[i]);
}

/* Below 10 000 the blank is more in the way than of use. */
void
glyph_count(uint64_t n, char out[32])
{
	char digits[24];
	int len = snprintf(digits, sizeof digits, "%llu", (unsigned long long)n), to = 0;

	for (int i = 0; i < len; i++) {
		if (len > 4 && i > 0 && (len - i) % 3 == 0)
			out[to++] = ' ';
		out[to++] = digits[i];
	}
	out[to] = '\0';
}
