/* tailbook - what all workers have shown lately, in one row, and who wishes to see it.
 *
 * Rows have numbers that only grow, from one life of this process to the next too (they begin at the clock's
 * microseconds): who watches names the number up to which it has seen.  Pure; the wish page and the workers'
 * rings are given. */
#ifndef NS_ANSWER_TAILBOOK_H
#define NS_ANSWER_TAILBOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/answer/tailfilter.h"
#include "appliance/zonemap/page.h"

#define TAILBOOK_ROWS	  4096u
#define TAILBOOK_WISHES	  16u
#define TAILBOOK_WISH_NS  3000000000ull /* a wish lasts so long */
#define TAILBOOK_OUT	  200u /* rows of a reply */
#define TAILBOOK_DEFAULT  50u

struct tailbook {
	struct tailbook_entry {
		struct tail_row row;
		uint64_t lost; /* until then */
	} *rows; /* NULL: nobody watches */
	struct tail_row *fresh;
	uint64_t opened, first, next; /* numbers; the newest row is next - 1 */
	uint64_t lost; /* of the workers' rings, since the start */
	size_t workers;
	struct {
		uint64_t seen, missed;
	} *rings;
	struct {
		uint64_t until_ns;
		uint32_t one_in;
	} wishes[TAILBOOK_WISHES];
};

/* Somebody watches: says so to the workers, and to tailbook_open() where nobody did. */
void tailbook_wish(struct tailbook *, struct tail_wish *, uint32_t one_in, uint64_t now_ns);
bool tailbook_open(struct tailbook *, const struct worker_memory *const *, size_t workers,
    uint64_t now_us);
/* Takes in what is new.  False: nobody watches any more, and what was kept is gone. */
bool tailbook_collect(
    struct tailbook *, const struct worker_memory *const *, size_t workers, uint64_t now_ns);
void tailbook_close(struct tailbook *);

/* The newest `max` (≤ TAILBOOK_OUT) rows from number `after` on that match and stand for one in so many.
 * after 0, or of another life: none, from now on.  Borrowed until the next collect. */
struct tailbook_out {
	const struct tail_row *rows[TAILBOOK_OUT];
	size_t n;
	uint64_t next, dropped;
	uint32_t one_in;
};
void tailbook_read(const struct tailbook *, const struct tailfilter *, uint64_t after,
    uint32_t one_in, size_t max, struct tailbook_out *);

#endif
