/* editor - one RRset in a form: what is typed, what is wrong with it at once, and what the appliance says of it.
 *
 * Fields are name, type, TTL, and a line of fields for each record, of the type's descriptor (core/rrform.h); an
 * empty line is no record, and there is always one more to type into.  While typing, the whole draft with this
 * RRset in it is planned by the appliance: its rules are the only full ones.  Nothing is kept before Ctrl-S. */
#ifndef NS_CONSOLE_SCREENS_EDITOR_H
#define NS_CONSOLE_SCREENS_EDITOR_H

#include "console/core/rrform.h"
#include "console/screens/drafts.h"
#include "console/widgets/form.h"

#define EDITOR_RECORDS 200u /* more are no form's: as text */
#define EDITOR_WHY     640u
#define EDITOR_AHEAD   64u  /* keys typed before what is edited has come */

enum { FIELD_NAME, FIELD_TYPE, FIELD_TTL, FIELD_FIRST };

struct editor_what {
	const char *zone;
	const char *name, *type; /* NULL: a new RRset */
	const char *of; /* the type that the policy is for, where type is NSPOLICY: the policy editor opens */
	const Ns__Conflict__State *state; /* what the form begins with; NULL: the draft's, or what is served */
	bool clone; /* a new one, like that one */
	uint64_t version; /* of the zone, as it was shown */
	uint32_t serial;
};
void editor_open(struct ui *, const struct editor_what *);

struct editor {
	struct form form;
	const struct rr_form *rr;
	char *name, *type; /* what is edited, or cloned; NULL: new */
	bool fresh; /* name and type can be typed */
	uint64_t version;
	uint32_t serial;
	uint64_t request; /* for what is there, then for the verdict */
	enum { EDITOR_LOADING, EDITOR_READY, EDITOR_GONE } state;
	bool dirty;
	struct {
		bool act; /* an action, else a key */
		uint32_t what;
	} ahead[EDITOR_AHEAD]; /* while loading: nothing that is typed is lost, or goes elsewhere */
	unsigned n_ahead;
	/* The first check; the sentence is of one field: of the cursor's, if that is wrong, else of the first that is. */
	char why[EDITOR_WHY + 16];
	size_t wrong; /* its index; SIZE_MAX: none */
	unsigned n_wrong;
	bool incomplete; /* a field that is needed is empty: said when it is accepted */
	/* The appliance's. */
	enum { VERDICT_NONE, VERDICT_ASKED, VERDICT_GOOD, VERDICT_BAD, VERDICT_CONFLICT, VERDICT_NO_LINK } verdict;
	bool accepting; /* as soon as the verdict is there */
	char result[EDITOR_WHY], note[EDITOR_WHY];
	enum ui_role note_role;
	int rows; /* of the form, of the last layout */
};

/* ---- editor_check.c ---- */
unsigned editor_width(const struct editor *); /* fields a record */
size_t editor_records(const struct editor *); /* lines of fields */
/* The RRset as an operation; memory is freed by editor_op_free. */
void editor_op(struct view *, Ns__RecordOp *);
void editor_op_free(Ns__RecordOp *);
void editor_check(struct view *, bool whole); /* fields, at once; whole: what is missing, too */
void editor_point(struct editor *); /* the sentence is of the field under the cursor, if that is wrong */
void editor_ask(struct view *); /* the appliance */
void editor_accept(struct view *);
void editor_test(struct view *);
const char *editor_refuse(struct view *, enum ns_action_id);
void editor_twin(struct view *, struct wbuf *);

#endif
