/* geo - where an address is, from MaxMind-format files that were inherited (role.h, ROLE_FD_GEO0).
 *
 * For the worker and answer: opened once, before the sandbox; what is looked up touches memory alone and
 * allocates nothing.  Later files fill fields that earlier ones lack.  A continent follows from the country
 * where no file has it.  Places are kept per network, and per record of a file, in small tables. */
#ifndef NS_SERVE_GEO_H
#define NS_SERVE_GEO_H

#include "appliance/serve/serve.h"

#define GEO_FILES 8u

struct geo;
/* Maps n files from that descriptor on; those that are none are told in `problem` and left out.  NULL: there
 * is none to look into. */
struct geo	*geo_open(int fd, unsigned n, char *problem, size_t size);
void	 geo_close(struct geo **);
/* The day, since 1970, on which the oldest of them was made; 0: there is none. */
uint32_t geo_day(const struct geo *);
/* A serve_place_fn. */
void	 geo_place(void *geo, unsigned family, const uint8_t *address, struct client_place *);
/* NULL: no such country. */
const char	*geo_continent(const char country[2]);

#endif
