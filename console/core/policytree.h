/* policytree - a policy (contract: TYPE {JSON}) as a tree to walk and to change, for people.  Pure.
 *
 * The JSON is the only model: rows point into it, and every change is made in it, so that what this console does not
 * know stays as it is.  What a policy may say is the appliance's to judge (`plan`); paths are written as its errors write
 * them (appliance/dns/text_policy_read.c), so that what it refuses is shown at its row. */
#ifndef NS_CONSOLE_CORE_POLICYTREE_H
#define NS_CONSOLE_CORE_POLICYTREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#define POL_ROWS  512u /* nodes on screen; deeper and longer ones are text's */
#define POL_DEPTH 24u
#define POL_PATH  160u
#define POL_LABEL 40u

enum pol_use { POL_GEO, POL_FAILOVER, POL_WEIGHTED, POL_LATENCY, POL_POOL, POL_USES };
extern const char *const pol_uses[POL_USES + 1]; /* ends with NULL */
extern const char *const pol_lists[POL_USES]; /* where its branches stand; NULL: a pool */

struct pol_row {
	json_t *node; /* {"pool"} or {"use"} */
	json_t *item; /* what stands in the list: a rule, a branch, the node itself; NULL: not in one */
	json_t *list; /* its siblings; NULL: root, default, a pool that only stands in */
	size_t index; /* in it */
	size_t parent; /* row; SIZE_MAX: the root, or a pool that stands in */
	unsigned depth;
	uint32_t last; /* bit d: what stands at depth d is the last of its siblings */
	bool stands_in; /* no branch leads to the pool, only a when_down */
	char label[POL_LABEL]; /* "EU,GB", "default", "1", "70" */
	char path[POL_PATH];
};

struct pol_tree {
	struct pol_row *rows;
	size_t n;
	bool cut; /* there is more than is held */
};

/* The JSON behind "TYPE {JSON}"; NULL: not such a text. */
json_t *pol_parse(const char *text, char type[16]);
char *pol_text(const char *type, const json_t *); /* malloc'ed */
json_t *pol_new(void); /* one pool, still empty */
json_t *pol_copy(const json_t *);

/* Rows of the document as it is now; valid until it is changed. */
void pol_rows(struct pol_tree *, json_t *doc);
void pol_rows_free(struct pol_tree *);
size_t pol_find(const struct pol_tree *, const char *path); /* the deepest row on it, a pool's by its name; SIZE_MAX */
size_t pol_row_of(const struct pol_tree *, const json_t *node); /* SIZE_MAX: none */

enum pol_use pol_use_of(const json_t *node);
const char *pol_pool_of(const json_t *node); /* its name; NULL: no pool node */
json_t *pol_pool(const json_t *doc, const char *name); /* NULL: none */
json_t *pol_list(const json_t *node); /* of its branches; NULL: a pool */
json_t *pol_then(const json_t *node, json_t *item); /* where a branch leads */
long pol_weight(const json_t *item); /* of a branch or an answer */
/* "geo", "failover", "pool eu, one by weight". */
void pol_describe(const json_t *doc, const json_t *node, char *out, size_t size);
/* The whole tree in words: geo(EU: failover(eu, us), default: us). */
void pol_words(const json_t *doc, char *out, size_t size);

/* The tree, and what is in its pools: "main; pool main: 192.0.2.20 (70, eu-1), 192.0.2.30 (30)". */
void pol_all(const json_t *doc, char *out, size_t size);
/* What another version does otherwise: "ttl 60 -> 30; pool eu: 192.0.2.20 weight 90 -> 70". */
void pol_diff(const json_t *was, const json_t *now, char *out, size_t size);

/* ---- changes; pools that nothing leads to any more go with pol_prune ---- */
json_t *pol_add(json_t *doc, const struct pol_row *); /* a branch with a new pool, below a node or behind a pool; its node */
/* NULL: done; else why not. */
const char *pol_delete(json_t *doc, const struct pol_row *);
bool pol_move(const struct pol_row *, int by);
/* Another kind of node in its place, made of `from` (the node as it was before one began to choose). */
void pol_turn(json_t *doc, json_t *node, const json_t *from, enum pol_use);
bool pol_rename(json_t *doc, const char *pool, const char *name); /* false: taken, or no name */
void pol_prune(json_t *doc);
char *pol_new_name(const json_t *doc, const char *like); /* malloc'ed */

#endif
