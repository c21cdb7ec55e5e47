/* policyfx - what a policy does with the health of its checks: which pools are up, what share each answer has, and who
 * gets what when something fails.  Pure; the rules are the contract's (Policy, Defaults).
 *
 * It speaks of one way through the tree, the one to the row that is looked at: a geo or weighted node is taken to go
 * there as long as that is up.  What a given client gets is `test`'s to say. */
#ifndef NS_CONSOLE_CORE_POLICYFX_H
#define NS_CONSOLE_CORE_POLICYFX_H

#include "console/core/policytree.h"

#define POL_EFFECTS 4u /* sentences about checks */
#define POL_EFFECT  240u

enum pol_state { POL_UP, POL_DOWN, POL_UNKNOWN }; /* unknown counts as what the board has: not up */

struct pol_health {
	enum pol_state (*state)(void *arg, const char *check); /* NULL: all are up */
	void *arg;
	const char *failed; /* taken to be down, too; NULL: none */
};

bool pol_answer_up(const struct pol_health *, const json_t *answer); /* drained: not */
bool pol_pool_up(const struct pol_health *, const json_t *pool);
bool pol_node_up(const struct pol_health *, const json_t *doc, const json_t *node);
/* Per cent of queries for which the answer is given, of a pool that is asked; -1: the last good are, or another pool. */
int pol_share(const struct pol_health *, const json_t *pool, const json_t *answer);

struct pol_sum {
	unsigned answers, up, drained, checks;
	bool down; /* a pool has too few up */
};
void pol_sum(const struct pol_health *, const json_t *doc, struct pol_sum *);
/* Sentences about the row, one a line: what it gives now, and what when each of its checks or all of it fails. */
size_t pol_effects(const struct pol_health *, const json_t *doc, const struct pol_tree *, size_t row,
    char out[POL_EFFECTS + 2][POL_EFFECT]);

#endif
