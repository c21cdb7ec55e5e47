/* text_policy_reading - one policy while its JSON is read (text_policy.h); for the text_policy_*.c alone.
 *
 * The tables of policy.h grow side by side and are put together at the end.  Owns its tables; the JSON is the
 * caller's and outlives it.  Every refusal names the place that is read (path). */
#ifndef NS_DNS_TEXT_POLICY_READING_H
#define NS_DNS_TEXT_POLICY_READING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "appliance/dns/policy.h"
#include "ipc/base/err.h"
#include "ipc/base/wbuf.h"

#define PATH_MAX_TEXT 160u

struct reading {
	uint16_t type;
	struct ns_why *why;
	json_t *pools;
	unsigned npools, nnodes, nedges, nkeys, nanswers, depth;
	const char *pool_name[POLICY_POOLS];
	bool used[POLICY_POOLS], never_down[POLICY_POOLS];
	struct wbuf nodes, edges, keys, pool, answers, data;
	size_t data_at; /* where the data will begin */
	char path[PATH_MAX_TEXT];
};

/* why: "path: text", and path as the field.  Returns NS_INVALID. */
enum ns_err reading_refuse(struct reading *, uint16_t code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* One step down; the length to cut path to when going back. */
size_t reading_enter(struct reading *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Refuses what is no object, and members that are none of `names` (by spaces): slips of the hand. */
enum ns_err reading_only(struct reading *, json_t *object, const char *names);
/* A member that may be missing: *out keeps its default then. */
enum ns_err reading_number(
    struct reading *, json_t *object, const char *name, uint32_t max, uint32_t *out);
/* Of a pool or a check: 1 to POLICY_NAME octets, no blank.  NULL: false. */
bool reading_name_ok(const char *name);
/* Where it will stand; the same name twice stands twice. */
uint16_t reading_put_name(struct reading *, const char *name);
/* FNV-1a folded to 32 bits: the same on every appliance, for ever. */
uint32_t reading_identity(const void *p, size_t len);

/* All of r->pools, with their answers; says which can never be down. */
enum ns_err reading_pools(struct reading *);
/* The pool that {"pool": NAME} names; it counts as used from now on. */
enum ns_err reading_find_pool(struct reading *, json_t *object, unsigned *index);
/* "match" of a rule into keys of that edge.  The node's keys begin at `from`: none of them twice. */
enum ns_err reading_places(struct reading *, json_t *rule, unsigned from, unsigned edge);

#endif
