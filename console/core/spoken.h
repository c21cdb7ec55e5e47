/* spoken - the rows of a frame as sentences, for the line by line console: what a table puts in columns it says here
 * too, where a surface has one.  A row's number on screen is its place in the list. */
#ifndef NS_CONSOLE_CORE_SPOKEN_H
#define NS_CONSOLE_CORE_SPOKEN_H

#include <stdbool.h>
#include <stddef.h>

#define SPOKEN_TEXT 600u

struct spoken_row {
	int y; /* of the surface */
	size_t index; /* in its list */
	bool cursor;
	char text[SPOKEN_TEXT];
};

struct spoken {
	struct spoken_row *list;
	size_t n, room;
};

void spoken_clear(struct spoken *);
void spoken_free(struct spoken *);
void spoken_row(struct spoken *, int y, size_t index, bool cursor);
/* One cell more of the last row: "shop.example", "serial 7"; an empty one is passed over. */
void spoken_cell(struct spoken *, const char *title, const char *text);
const struct spoken_row *spoken_at(const struct spoken *, int y); /* NULL: that line is no row */

#endif
