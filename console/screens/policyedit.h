/* policyedit - a policy as a tree on the left and the node under the cursor as a form on the right.
 *
 * The first row is the policy itself: name, type, TTL.  What is typed changes the JSON at once (core/policytree.h);
 * the appliance judges the whole draft with it at every pause, and its error is shown at the row and field that its path
 * names.  Shares and effects are of the checks' states now.  Nothing is kept before Ctrl-S. */
#ifndef NS_CONSOLE_SCREENS_POLICYEDIT_H
#define NS_CONSOLE_SCREENS_POLICYEDIT_H

#include "console/screens/checklist.h"
#include "console/screens/drafts.h"
#include "console/widgets/form.h"
#include "console/widgets/table.h"

#define POLICY_WHY     640u
#define POLICY_CHOICES 72u
#define POLICY_VALUE   4096u

struct policyedit_what {
	const char *zone;
	const char *name, *type; /* NULL: a new policy */
	bool clone; /* a new one, like that one */
	uint64_t version; /* of the zone, as it was shown */
	uint32_t serial;
};
void policyedit_open(struct ui *, const struct policyedit_what *);

enum pfield {
	PF_NAME,
	PF_TYPE,
	PF_TTL,
	PF_PLACES, /* of the branch that leads to the row */
	PF_WEIGHT,
	PF_USE,
	PF_FALLBACK,
	PF_STICKY,
	PF_POOL,
	PF_RENAME,
	PF_SERVE,
	PF_LEAST,
	PF_DOWN,
	PF_VALUE, /* of an answer, and the three behind it */
	PF_SHARE,
	PF_CHECK,
	PF_DRAIN,
};

struct policyedit {
	char name[UI_OBJECT], type[16]; /* name: as typed when fresh, else absolute */
	bool fresh;
	uint64_t version;
	uint32_t serial;
	json_t *doc; /* NULL: not there yet */
	json_t *from; /* the node under the cursor, as it was when the cursor came to it */
	struct pol_tree tree;
	struct ns_table table; /* its rows: the policy, then the tree */
	struct form form;
	struct policyfield {
		enum pfield what;
		json_t *answer; /* a reference; NULL: of an empty line, or none */
	} *fields; /* one a field of the form */
	size_t n_fields;
	const char *choices[2][POLICY_CHOICES]; /* of pools, of when-down */
	char *texts[POLICY_CHOICES]; /* that they are made of */
	bool in_form;
	int rows; /* of the form, of the last layout */
	uint64_t request;
	struct checklist checks;
	bool gone; /* there is nothing to edit */
	bool dirty, accepting;
	bool instead; /* plain records of its name and type are in its way: they go in the same draft */
	enum { POLICY_UNJUDGED, POLICY_ASKED, POLICY_GOOD, POLICY_BAD, POLICY_CONFLICT, POLICY_NO_LINK } verdict;
	char why[POLICY_WHY], note[POLICY_WHY];
	char path[POL_PATH]; /* of the error */
	char tree_text[256]; /* of the cell that is drawn */
};

/* ---- policyedit_node.c ---- */
void policyedit_show(struct view *); /* the form of the row under the cursor, anew */
void policyedit_clear(struct policyedit *);
void policyedit_typed(struct view *); /* the field in focus changed: so does the JSON */
void policyedit_draw_node(struct view *, struct rect);
void policyedit_bind(struct policyedit *); /* before a key or a frame: the list of checks may have come anew */
/* The check that the field in focus names; NULL: none. */
const char *policyedit_check(const struct policyedit *);
const char *policyedit_value(const struct policyedit *); /* of the answer whose field the cursor is in; may be empty */
const struct pol_row *policyedit_row(const struct policyedit *); /* NULL: the policy itself */
void policyedit_health(struct policyedit *, struct pol_health *);

/* ---- policyedit_judge.c ---- */
void policyedit_load(struct view *);
void policyedit_ask(struct view *); /* the appliance */
void policyedit_test(struct view *); /* asks what it would answer */
void policyedit_accept(struct view *);
size_t policyedit_wrong(const struct policyedit *); /* the table's row that the error is about; SIZE_MAX: none */

#endif
