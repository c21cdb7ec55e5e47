/* glyph - graphs of characters: blocks where there is UTF-8, ASCII elsewhere, braille for who asks. */
#ifndef NS_CONSOLE_CORE_GLYPH_H
#define NS_CONSOLE_CORE_GLYPH_H

#include <stddef.h>

#include "console/core/surface.h"

enum glyph_set { GLYPH_ASCII, GLYPH_BLOCK, GLYPH_BRAILLE, GLYPH_SETS };
#define GLYPH_LEVELS 8u

/* What shows `level` eighths of a cell, 0 to 8, as UTF-8. */
const char *glyph_level(enum glyph_set, unsigned level);
/* Draws n values, the newest last, into r, from its right edge: each a column, `top` fills r.h rows.  A value
 * above zero never shows as nothing; below zero: no sample, left empty. */
void glyph_graph(struct surface *, struct rect r, enum glyph_set, const double *values, size_t n, double top);
/* A part, 0 to 1, of a row of that many cells, from the left; above zero never nothing.  Says how many cells it took. */
int glyph_bar(struct surface *, int x, int y, int w, enum glyph_set, double part);
/* 231040 → "231.0k": four significant digits and a letter at most. */
void glyph_number(double, char out[16]);

/* "100 000" */
void glyph_count(uint64_t, char out[32]);

#endif
