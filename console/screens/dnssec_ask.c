/* dnssec_ask.c - see dnssec.h: the forms, and what they send. */
#include <stdio.h>
#include <string.h>

#include "console/core/sanitize.h"
#include "console/screens/ask.h"
#include "console/screens/dnssec.h"

typedef Ns__DnssecSetRequest Request;
#define VERB(x) NS__DNSSEC_SET_REQUEST__VERB__##x

#define WHEN_SAFE "when the DS is gone"
#define AT_ONCE   "now"
#define FORCED    "now, DS or not"
#define BELIEVED  "believe me"

static const char *const algorithms[] = { "13 ECDSA P-256", "15 Ed25519", NULL };
static const char *const denials[] = { "nsec", "nsec3", "nsec3-optout", NULL };
static const char *const whens[] = { WHEN_SAFE, AT_ONCE, FORCED, NULL };
static const char *const rolls[] = { "ksk", "zsk", "algorithm to 15", "algorithm to 13", NULL };
static const char *const paces[] = { "as planned", "emergency", NULL };
static const char *const looks[] = { "look first", BELIEVED, NULL };

static const struct ask_field sign_fields[] = {
	{ "Algorithm", algorithms, "13 ECDSA P-256", "13 is what every resolver knows", 0 },
	{ "Denial", denials, "nsec", "nsec3 hides names from who walks the zone, at a cost", 0 },
	{ "Comment", NULL, "", "goes into the history", 400 },
};
static const struct ask_field unsign_fields[] = {
	{ "When", whens, WHEN_SAFE, "CDS asks the parent to drop the DS; then the zone is unsigned",
	    0 },
	{ "Reason", NULL, "", "goes into the history", 400 },
};
static const struct ask_field roll_fields[] = {
	{ "What", rolls, "ksk", "zsk rolls by itself every 80 to 90 days", 0 },
	{ "Pace", paces, "as planned", "emergency: shorter margins, never shorter than TTLs", 0 },
	{ "Comment", NULL, "", "goes into the history", 400 },
};
static const struct ask_field submitted_fields[] = {
	{ "Parent", looks, "look first", "its servers are asked, and all of them must have it", 0 },
	{ "Comment", NULL, "", "goes into the history", 400 },
};

enum { DS_THERE = 1 };

/* ---- sending ---- */
static void
send(struct view *v, Request *body, size_t comment)
{
	Ns__Envelope request = NS__ENVELOPE__INIT;

	body->zone = v->object;
	body->comment = (char *)(uintptr_t)ask_text(v, comment);
	request.body_case = NS__ENVELOPE__BODY_DNSSEC_SET_REQUEST;
	request.dnssec_set_request = body;
	ask_send(v, &request);
}

static void
send_sign(void *arg)
{
	struct view *v = arg;
	Request body = NS__DNSSEC_SET_REQUEST__INIT;

	body.verb = VERB(ENABLE);
	body.algorithm = strncmp(ask_text(v, 0), "15", 2) == 0 ? 15 : 13;
	body.denial = (char *)(uintptr_t)ask_text(v, 1);
	send(v, &body, 2);
}

static void
send_unsign(void *arg)
{
	struct view *v = arg;
	Request body = NS__DNSSEC_SET_REQUEST__INIT;

	body.verb = VERB(DISABLE);
	body.confirm = v->object;
	body.when_safe = strcmp(ask_text(v, 0), WHEN_SAFE) == 0;
	body.force = strcmp(ask_text(v, 0), FORCED) == 0;
	send(v, &body, 1);
}

static void
send_roll(void *arg)
{
	struct view *v = arg;
	const char *what = ask_text(v, 0);
	Request body = NS__DNSSEC_SET_REQUEST__INIT;

	body.verb = strcmp(what, "ksk") == 0   ? VERB(ROLL_KSK)
		    : strcmp(what, "zsk") == 0 ? VERB(ROLL_ZSK)
					       : VERB(ROLL_ALGORITHM);
	if (body.verb == VERB(ROLL_ALGORITHM))
		body.algorithm = strstr(what, "15") != NULL ? 15 : 13;
	body.urgent = strcmp(ask_text(v, 1), "emergency") == 0;
	send(v, &body, 2);
}

static void
send_submitted(void *arg)
{
	struct view *v = arg;
	Request body = NS__DNSSEC_SET_REQUEST__INIT;

	body.verb = VERB(DS_SUBMITTED);
	body.force = strcmp(ask_text(v, 0), BELIEVED) == 0;
	send(v, &body, 1);
}

/* ---- asking ---- */
/* The zone as people write it, which is what they type. */
static const char *
name_of(const struct view *v)
{
	static char name[UI_OBJECT];

	snprintf(name, sizeof name, "%.*s", ui_name_len(v->object), v->object);
	return name;
}

static void
accept_sign(struct view *v)
{
	char ask[UI_OBJECT + 64];

	snprintf(
	    ask, sizeof ask, "Sign %s with %s and %s?", name_of(v), ask_text(v, 0), ask_text(v, 1));
	ui_ask(v->ui, ask,
	    "Nothing depends on it until its DS is at the parent; until then it can be undone.",
	    NULL, send_sign, v);
}

static void
accept_unsign(struct view *v)
{
	bool safe = strcmp(ask_text(v, 0), WHEN_SAFE) == 0;
	char ask[UI_OBJECT + 64];

	if (ask_text(v, 1)[0] == '\0') {
		ask_wrong(v, 1, "say why: it stands in the history");
		return;
	}
	snprintf(ask, sizeof ask, "Stop signing %s %s?", name_of(v), ask_text(v, 0));
	ui_ask(v->ui, ask,
	    safe
		? "The parent is asked by CDS to drop the DS; the zone stays signed until no cache "
		  "can have it."
	    : ask_flags(v) & DS_THERE
		? "A DS IS AT THE PARENT: whoever validates takes every answer of an unsigned zone "
		  "for forged and gets SERVFAIL, until the DS is gone and has left the caches, "
		  "which is hours or days."
		: "No DS was seen at the parent: nobody validates it now.",
	    name_of(v), send_unsign, v);
}

static void
accept_roll(struct view *v)
{
	char ask[UI_OBJECT + 64];

	snprintf(ask, sizeof ask, "Begin to roll %s of %s, %s?", ask_text(v, 0), name_of(v),
	    ask_text(v, 1));
	ui_ask(v->ui, ask,
	    strcmp(ask_text(v, 0), "zsk") == 0
		? "It goes on by itself: the parent has no part in it."
		: "It waits for you when the new DS has to go to the registrar. Answers validate "
		  "all the time.",
	    name_of(v), send_roll, v);
}

static void
accept_submitted(struct view *v)
{
	bool believed = strcmp(ask_text(v, 0), BELIEVED) == 0;
	char ask[UI_OBJECT + 64];

	snprintf(ask, sizeof ask, "The registrar has the DS of %s?", name_of(v));
	ui_ask(v->ui, ask,
	    believed
		? "The roll goes on without a look at the parent. Where the DS is not there, "
		  "the zone is bogus when the old key goes."
		: "The servers of the parent are asked now; the roll goes on when all have it.",
	    believed ? name_of(v) : NULL, send_submitted, v);
}

/* ---- forms ---- */
void
dnssec_ask(struct view *v, enum ns_action_id id, bool ds_there)
{
	static const struct {
		enum ns_action_id id;
		const char *words;
		const struct ask_field *fields;
		size_t n;
		void (*accept)(struct view *);
		const char *note;
	} forms[] = {
		{ ACT_SIGN, "sign", sign_fields, 3, accept_sign,
		    "Keys are made here. When caches have forgotten unsigned answers, the DS goes "
		    "to "
		    "the registrar." },
		{ ACT_UNSIGN, "stop signing", unsign_fields, 2, accept_unsign, NULL },
		{ ACT_ROLL, "roll keys", roll_fields, 3, accept_roll, NULL },
		{ ACT_DS_SUBMITTED, "DS submitted", submitted_fields, 2, accept_submitted, NULL },
	};
	char title[2 * UI_OBJECT];
	struct view *form;

	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
		struct ask_what what = { title, v->object, forms[i].fields, forms[i].n,
			forms[i].accept, ds_there ? DS_THERE : 0 };

		if (forms[i].id != id)
			continue;
		snprintf(title, sizeof title, "%s > DNSSEC > %s", name_of(v), forms[i].words);
		if ((form = ask_open(v->ui, &what)) == NULL)
			return;
		if (forms[i].note != NULL)
			ask_note(form, UI_DIM, "%s", forms[i].note);
		if (id == ACT_UNSIGN)
			ask_note(form, ds_there ? UI_WARN : UI_DIM,
			    ds_there ? "A DS of this zone is at the parent."
				     : "No DS of this zone was seen at the parent.");
	}
}
