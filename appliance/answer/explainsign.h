/* explainsign - the signatures of an answer, one step each: what of it they cover, by which key, until when. */
#ifndef NS_ANSWER_EXPLAINSIGN_H
#define NS_ANSWER_EXPLAINSIGN_H

#include "appliance/serve/serve.h"

#define EXPLAIN_SIGNS 12u		/* steps; more signatures are counted in the last one */

/* Tells those of a reply: of its answers, or where it has none of its proof. */
void	 explain_sign(const uint8_t *reply, size_t len, serve_trace_fn *, void *arg);
/* The query with DO set, in out; its length, 0: it has no OPT record, or does not fit. */
size_t	 explain_with_do(const uint8_t *query, size_t len, uint8_t *out, size_t cap, bool *had);

#endif
