/* drafts - what the operator changed and has not committed: the files of the client library, and what the appliance
 * makes of them.
 *
 * A draft is on the disk when an accepted form says so, and is read again whenever a screen looks at it, so that
 * the command line and a second console may work on it, too.  One zone's draft is held at a time, with the
 * appliance's plan of it: which RRsets would be another, warnings, effects, or why not. */
#ifndef NS_CONSOLE_SCREENS_DRAFTS_H
#define NS_CONSOLE_SCREENS_DRAFTS_H

#include "console/screens/ui.h"
#include "ipc/client/draft.h"
#include "ipc/client/draftop.h"

enum plan_state {
	PLAN_NONE, /* no draft */
	PLAN_ASKED,
	PLAN_OK,
	PLAN_CONFLICT, /* others changed the zone since */
	PLAN_REFUSED,
	PLAN_NO_LINK,
};

struct drafts {
	struct ui *ui;
	struct ns_drafts *dir; /* NULL: none yet, or nowhere to keep them */
	char fleet[64]; /* whose they are */
	size_t count; /* of zones that have one */
	/* The zone that is looked at. */
	char zone[UI_OBJECT]; /* canonical text; empty: none */
	Ns__Draft *draft; /* NULL: there is none */
	enum plan_state state;
	struct ns_why why; /* PLAN_CONFLICT, PLAN_REFUSED */
	Ns__PlanReply *plan; /* PLAN_OK; NULL else */
	Ns__PlanReply *guess; /* while there is no plan, as a list has made it of its rows; NULL: none */
	const void *guess_of; /* that list */
	Ns__Conflict *conflict; /* PLAN_CONFLICT */
	uint64_t request;
	uint64_t turn; /* grows with every answer and edit: screens look when it moved */
	struct draft_undone *undone; /* for redo, the newest last; of that zone, of this run */
	size_t n_undone;
	char made_of[48]; /* a comment for what was asked to become a draft; empty: none */
	Ns__Draft *emptied; /* of that zone, for undo and redo: nothing is left in it; NULL: none */
	char accepted[UI_OBJECT + 32]; /* "name TYPE", as typed, of a form just now: the list goes to it; empty: none */
};

/* The drafts for this appliance; nothing happens when they are open already. */
void drafts_open(struct ui *, const char *fleet);
void drafts_free(struct ui *);
/* Reads the zone's draft and asks for its plan when it is another than before. */
struct drafts *drafts_look(struct ui *, const char *zone);
void drafts_replan(struct ui *); /* the zone may have changed */
/* Asks for the plan of the zone's draft with these operations more, for a form; version: of a draft that begins so. */
uint64_t drafts_plan_with(struct ui *, const char *zone, uint64_t version, Ns__RecordOp *, size_t n, ns_reply_fn *,
    void *arg);
/* The zone's draft with these operations more, for a test of them; freed by the caller. */
Ns__Draft *drafts_with(struct ui *, const char *zone, uint64_t version, uint32_t serial, const Ns__RecordOp *, size_t n);
void drafts_count(struct ui *);
/* A commit was refused because others were first: as if its plan had said so. */
void drafts_conflict(struct ui *, const struct ns_why *);

/* ---- edits; false after a message: nothing was changed ---- */
bool drafts_put(
    struct ui *, const char *zone, uint64_t version, uint32_t serial, const Ns__RecordOp *);
/* Several at once; undo takes them back one by one. */
bool drafts_put_all(struct ui *, const char *zone, uint64_t version, uint32_t serial, const Ns__RecordOp *, size_t n);
bool drafts_can_undo(const struct drafts *);
bool drafts_undo(struct ui *, const char *zone);
bool drafts_redo(struct ui *, const char *zone);
bool drafts_leave_out(struct ui *, const char *zone, const char *name, const char *type);
bool drafts_drop(struct ui *, const char *zone);
bool drafts_save(struct ui *, const Ns__Draft *); /* one that was changed elsewhere */

bool drafts_comment(struct ui *, const char *zone, const char *text); /* of its commit; kept with it */

/* A request that is answered with operations (revert and restore as drafts): they become drafts, and are opened. */
void drafts_ask(struct ui *, Ns__Envelope *request, const char *comment);
/* Operations become drafts, and are opened; false after a message. */
bool drafts_take(struct ui *, Ns__ZoneEdit *const *, size_t n);
/* The same of one zone, in the place of its draft, if it has one; undo takes all of it back at once. */
bool drafts_replace(struct ui *, Ns__ZoneEdit *);
void drafts_revert(struct ui *, uint64_t revision);

/* The plan, or what is guessed meanwhile; NULL: neither. */
const Ns__PlanReply *drafts_told(const struct drafts *);
/* What the draft makes of an RRset; NULL: nothing, or not told.  For a list to show, it may be guessed. */
const Ns__Conflict__RRset *drafts_rrset(const struct drafts *, const char *name, const char *type);
const Ns__Conflict__RRset *drafts_shown(const struct drafts *, const char *name, const char *type);
/* '+' new, '-' gone, '~' another, and its role. */
char draft_sign(const Ns__Conflict__RRset *, enum ui_role *);
/* "TTL data, data", not sanitized; malloc'ed. */
char *drafts_state_text(const Ns__Conflict__State *);
/* "draft 5 ops: p", or what is wrong with it; empty: none. */
void drafts_text(const struct drafts *, char *out, size_t size);

#endif
