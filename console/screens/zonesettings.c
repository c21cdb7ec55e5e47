/* zonesettings.c - what belongs to a zone beside its records, and the records that are settings: SOA and NS.
 *
 * A row a setting, from one table: where its value is, and how it is changed.  Records go by the draft; what belongs to
 * the zone is so at once, and needs an admin at the primary, which the appliance says. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console/core/rrform.h"
#include "console/core/sanitize.h"
#include "console/screens/ask.h"
#include "console/screens/copy.h"
#include "console/screens/drafts.h"
#include "console/screens/editor.h"
#include "console/screens/pages.h"
#include "console/screens/zone.h"
#include "ipc/base/xalloc.h"

#define TIMEOUT_MS 5000u
#define JOINED_MAX 1024u

enum value {
	V_SERIAL,
	V_RECORDS,
	V_CHANGED,
	V_SOA_PRIMARY,
	V_SOA_MAIL,
	V_SOA_REFRESH,
	V_SOA_RETRY,
	V_SOA_EXPIRE,
	V_SOA_NEGATIVE,
	V_NS,
	V_ACCOUNT,
	V_SITES,
	V_NEW_NS,
	V_NEW_MAIL,
	V_DELEGATED,
	V_TRANSFERS,
	V_DELETE,
	VALUES,
};

enum how { FIXED, BY_SOA, BY_NS, BY_ACCOUNT, BY_SITES, BY_NEW, BY_CHECK, BY_DELETE };

static const struct setting {
	enum value value;
	const char *title, *about;
	enum how how;
} settings[] = {
	{ V_SERIAL, "Serial", "grows by itself with every change", FIXED },
	{ V_RECORDS, "Records", "", FIXED },
	{ V_CHANGED, "Changed", "H shows who did what", FIXED },
	{ V_SOA_PRIMARY, "Primary server", "first name of the SOA", BY_SOA },
	{ V_SOA_MAIL, "Hostmaster", "a mail address with . for @", BY_SOA },
	{ V_SOA_REFRESH, "Refresh", "how often secondaries look for a new serial", BY_SOA },
	{ V_SOA_RETRY, "Retry", "when that failed", BY_SOA },
	{ V_SOA_EXPIRE, "Expire", "so long secondaries answer without us", BY_SOA },
	{ V_SOA_NEGATIVE, "Negative TTL", "so long \"there is none\" is kept", BY_SOA },
	{ V_NS, "Name servers", "the NS records of the zone", BY_NS },
	{ V_DELEGATED, "Delegation", "what the parent says; Enter asks it", BY_CHECK },
	{ V_ACCOUNT, "Account", "whose the zone is; - the installation's own", BY_ACCOUNT },
	{ V_SITES, "Sites", "where it may be held; - everywhere", BY_SITES },
	{ V_NEW_NS, "New zones: NS", "what zone create puts at the apex", BY_NEW },
	{ V_NEW_MAIL, "New zones: mail", "hostmaster of a new zone", BY_NEW },
	{ V_TRANSFERS, "Transfers",
	    "no AXFR, NOTIFY or secondaries: appliances follow the primary by themselves", FIXED },
	{ V_DELETE, "Delete", "the zone; it stays in the trash for 30 days", BY_DELETE },
};
#define SETTINGS (sizeof settings / sizeof *settings)

struct zonesettings {
	struct ns_table table;
	char *values[VALUES]; /* sanitized; NULL: not here */
	char *raw[VALUES]; /* as the appliance has them, for forms */
	uint64_t requests[4];
	uint64_t version;
	uint32_t serial;
	struct ask_field fields[ASK_FIELDS]; /* of the form above this screen */
};

static void
put(struct view *v, enum value which, const char *text)
{
	struct zonesettings *s = v->state;

	free(s->values[which]);
	free(s->raw[which]);
	s->values[which] = sanitize_dup(text, v->ui->ascii);
	s->raw[which] = xstrdup(text);
}

static char *
joined(char *const *list, size_t n, const char *by)
{
	char *out = xstrdup(""), *next;

	for (size_t i = 0; i < n && strlen(out) < JOINED_MAX; i++) {
		next = xasprintf("%s%s%s", out, i > 0 ? by : "", list[i]);
		free(out);
		out = next;
	}
	return out;
}

static void
put_list(struct view *v, enum value which, char *const *list, size_t n)
{
	char *text = joined(list, n, " ");

	put(v, which, text[0] != '\0' ? text : "-");
	free(text);
}

/* ---- what comes ---- */
static bool
came(struct view *v, unsigned which, const Ns__Envelope *env, const struct ns_why *why)
{
	((struct zonesettings *)v->state)->requests[which] = 0;
	ui_dirty(v->ui, true);
	if (env == NULL && why->err == NS_NOTFOUND)
		put(v, V_SERIAL, "there is no such zone any more");
	else if (env == NULL)
		ui_say_why(v->ui, why);
	return env != NULL;
}

static void
zone_came(void *arg, const Ns__Envelope *env, const struct ns_why *why)
{
	struct view *v = arg;
	const Ns__ZoneInfo *z;
	char text[64];

	if (!came(v, 0, env, why))
		return;
	z = env->zone_info;
	snprintf(text, sizeof text, "%u", z->serial);
	put(v, V_SERIAL, text);
	snprintf(text, sizeof text, "%llu", (unsigned long long)z->records);
	put(v, V_RECORDS, text);
	put(v, V_CHANGED, z->changed);
	put(v, V_ACCOUNT, z->account[0] != '\0' ? z->account : "-");
	put_list(v, V_SITES, z->sites, z->n_sites);
}

static void
take_soa(struct view *v, const char *rdata)
{
	static const enum value of[RR_FIELDS] = { V_SOA_PRIMARY, V_SOA_MAIL, V_SERIAL,
		V_SOA_REFRESH, V_SOA_RETRY, V_SOA_EXPIRE, V_SOA_NEGATIVE };
	char *fields[RR_FIELDS];

	rr_split(rr_form_of("SOA"), rdata, fields);
	for (unsigned i = 0; i < RR_FIELDS; i++) {
		if (of[i] != V_SERIAL)
			put(v, of[i], fields[i]);
		free(fields[i]);
	}
}

static void
records_came(void *arg, const Ns__Envelope *env, const struct ns_why *why)
{
	struct view *v = arg;
	struct zonesettings *s = v->state;

	if (!came(v, 1, env, why))
		return;
	s->version = env->record_list_reply->version;
	s->serial = env->record_list_reply->serial;
	for (size_t i = 0; i < env->record_list_reply->n_rrsets; i++) {
		const Ns__RecordListReply__RRset *set = env->record_list_reply->rrsets[i];

		if (strcmp(set->type, "SOA") == 0 && set->n_rdata > 0)
			take_soa(v, set->rdata[0]);
		else if (strcmp(set->type, "NS") == 0)
			put_list(v, V_NS, set->rdata, set->n_rdata);
	}
}

static void
defaults_came(void *arg, const Ns__Envelope *env, const struct ns_why *why)
{
	struct view *v = arg;

	if (!came(v, 2, env, why))
		return;
	put(v, V_NEW_NS, "-");
	put(v, V_NEW_MAIL, "-");
	for (size_t i = 0; i < env->settings_reply->n_settings; i++) {
		const Ns__Setting *one = env->settings_reply->settings[i];

		if (strcmp(one->name, "nameservers") == 0)
			put_list(v, V_NEW_NS, one->values, one->n_values);
		else if (strcmp(one->name, "hostmaster") == 0)
			put_list(v, V_NEW_MAIL, one->values, one->n_values);
	}
}

static void
parent_came(void *arg, const Ns__Envelope *env, const struct ns_why *why)
{
	struct view *v = arg;
	const Ns__ZoneCheckReply *r;
	char *todo, *text;

	if (!came(v, 3, env, why)) {
		put(v, V_DELEGATED, "not asked");
		return;
	}
	r = env->zone_check_reply;
	todo = joined(r->todo, r->n_todo, "; ");
	text = xasprintf("%s, DS %s%s%s", r->delegated, r->ds, todo[0] != '\0' ? ": " : "", todo);
	put(v, V_DELEGATED, text);
	free(todo);
	free(text);
}

/* ---- asking ---- */
static void
ask_zone(struct view *v)
{
	struct zonesettings *s = v->state;
	Ns__ZoneShowRequest show = NS__ZONE_SHOW_REQUEST__INIT;
	Ns__RecordListRequest list = NS__RECORD_LIST_REQUEST__INIT;
	Ns__SettingsGetRequest get = NS__SETTINGS_GET_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;

	for (unsigned i = 0; i < 3; i++)
		if (s->requests[i] != 0)
			ns_client_cancel(v->ui->client, s->requests[i]);
	show.zone = list.zone = v->object;
	list.name = (char *)(uintptr_t) "@";
	request.body_case = NS__ENVELOPE__BODY_ZONE_SHOW_REQUEST;
	request.zone_show_request = &show;
	s->requests[0] = ns_client_request(v->ui->client, &request, TIMEOUT_MS, zone_came, v);
	request.body_case = NS__ENVELOPE__BODY_RECORD_LIST_REQUEST;
	request.record_list_request = &list;
	s->requests[1] = ns_client_request(v->ui->client, &request, TIMEOUT_MS, records_came, v);
	request.body_case = NS__ENVELOPE__BODY_SETTINGS_GET_REQUEST;
	request.settings_get_request = &get;
	s->requests[2] = ns_client_request(v->ui->client, &request, TIMEOUT_MS, defaults_came, v);
}

static void
ask_parent(struct view *v)
{
	struct zonesettings *s = v->state;
	Ns__ZoneCheckRequest body = NS__ZONE_CHECK_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;

	if (s->requests[3] != 0)
		return;
	body.zone = v->object;
	request.body_case = NS__ENVELOPE__BODY_ZONE_CHECK_REQUEST;
	request.zone_check_request = &body;
	put(v, V_DELEGATED, "asking the parent");
	s->requests[3] = ns_client_request(v->ui->client, &request, 4 * TIMEOUT_MS, parent_came, v);
}

/* ---- changes ---- */
#define WORDS_MAX 64u

/* Words of a field, by blanks and commas; in place. */
static size_t
words_of(char *text, char *out[WORDS_MAX])
{
	size_t n = 0;
	char *word;

	while (n < WORDS_MAX && (word = strsep(&text, " ,")) != NULL)
		if (word[0] != '\0' && strcmp(word, "-") != 0)
			out[n++] = word;
	return n;
}

static void
zone_send(void *arg)
{
	struct view *v = arg;
	Ns__ZoneSetRequest body = NS__ZONE_SET_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;
	char *text = xstrdup(ask_text(v, 0)), *words[WORDS_MAX];
	size_t n = words_of(text, words);

	body.zone = v->object;
	body.comment = (char *)(uintptr_t)ask_text(v, 1);
	if (ask_flags(v) == BY_SITES) {
		body.sites = words;
		body.n_sites = n;
		body.sites_given = true;
	} else {
		body.account = n > 0 ? words[0] : (char *)(uintptr_t) "";
		body.account_given = true;
	}
	request.body_case = NS__ENVELOPE__BODY_ZONE_SET_REQUEST;
	request.zone_set_request = &body;
	ask_send(v, &request);
	free(text);
}

static void
new_send(void *arg)
{
	static const char *const names[] = { "nameservers", "hostmaster" };
	struct view *v = arg;
	Ns__SettingsSetRequest body = NS__SETTINGS_SET_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;
	Ns__Setting one[2], *list[2] = { &one[0], &one[1] };
	char *texts[2], *words[2][WORDS_MAX];

	for (unsigned i = 0; i < 2; i++) {
		ns__setting__init(&one[i]);
		texts[i] = xstrdup(ask_text(v, i));
		one[i].name = (char *)(uintptr_t)names[i];
		one[i].values = words[i];
		one[i].n_values = words_of(texts[i], words[i]);
	}
	body.settings = list;
	body.n_settings = 2;
	body.comment = (char *)(uintptr_t)ask_text(v, 2);
	request.body_case = NS__ENVELOPE__BODY_SETTINGS_SET_REQUEST;
	request.settings_set_request = &body;
	ask_send(v, &request);
	free(texts[0]);
	free(texts[1]);
}

static void
delete_send(void *arg)
{
	struct view *v = arg;
	Ns__ZoneDeleteRequest body = NS__ZONE_DELETE_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;

	body.zone = body.confirm = v->object;
	body.comment = (char *)(uintptr_t)ask_text(v, 0);
	request.body_case = NS__ENVELOPE__BODY_ZONE_DELETE_REQUEST;
	request.zone_delete_request = &body;
	ask_send(v, &request);
}

static void
form_accept(struct view *v)
{
	enum how how = (enum how)ask_flags(v);
	char ask[UI_OBJECT + 80], name[UI_OBJECT];

	snprintf(name, sizeof name, "%.*s", ui_name_len(v->object), v->object);
	snprintf(ask, sizeof ask,
	    how == BY_DELETE ? "Delete %s?"
	    : how == BY_NEW  ? "Change what new zones get?%.0s"
			     : "Change %s at once?",
	    name);
	ui_ask(v->ui, ask,
	    how == BY_DELETE
		? "It is answered no more; for 30 days :trash brings it back. Its draft stays."
	    : how == BY_SITES ? "Appliances of other sites delete the zone and answer REFUSED."
			      : "It is no part of a draft.",
	    how == BY_DELETE ? name : NULL,
	    how == BY_DELETE ? delete_send
	    : how == BY_NEW  ? new_send
			     : zone_send,
	    v);
}

static const char *
raw(const struct zonesettings *s, enum value which)
{
	return s->raw[which] != NULL ? s->raw[which] : "";
}

static void
open_form(struct view *v, enum how how)
{
	struct zonesettings *s = v->state;
	struct ask_field *fields = s->fields;
	char title[UI_OBJECT + 32];
	struct ask_what what = { title, v->object, fields, 0, form_accept, how };
	const struct ask_field reason = { "Reason", NULL, "", "goes into the history", 400 };

	snprintf(title, sizeof title, "%.*s > %s", ui_name_len(v->object), v->object,
	    how == BY_ACCOUNT  ? "account"
	    : how == BY_SITES  ? "sites"
	    : how == BY_DELETE ? "delete"
			       : "new zones");
	if (how == BY_ACCOUNT)
		fields[what.n++] = (struct ask_field){ "Account", NULL, raw(s, V_ACCOUNT),
			"a name; - is the installation's own", 300 };
	else if (how == BY_SITES)
		fields[what.n++] = (struct ask_field){ "Sites", NULL, raw(s, V_SITES),
			"names by blanks, the primary's among them; - is everywhere", 1000 };
	else if (how == BY_NEW) {
		fields[what.n++] = (struct ask_field){ "Servers", NULL, raw(s, V_NEW_NS),
			"names by blanks", 4000 };
		fields[what.n++] = (struct ask_field){ "Mail", NULL, raw(s, V_NEW_MAIL),
			"hostmaster@example.com, or with dots", 1000 };
	}
	fields[what.n++] = reason;
	(void)ask_open(v->ui, &what);
}

static void
edit_record(struct view *v, const char *type)
{
	struct zonesettings *s = v->state;
	struct editor_what what = { .zone = v->object,
		.name = v->object,
		.type = type,
		.version = s->version,
		.serial = s->serial };

	editor_open(v->ui, &what);
}

static void
change(struct view *v)
{
	struct zonesettings *s = v->state;
	const struct setting *one = &settings[s->table.row < SETTINGS ? s->table.row : 0];

	switch (one->how) {
	case FIXED:
		ui_say(v->ui, "%s: there is nothing to set", one->title);
		break;
	case BY_SOA:
	case BY_NS:
		edit_record(v, one->how == BY_SOA ? "SOA" : "NS");
		break;
	case BY_CHECK:
		ask_parent(v);
		break;
	default:
		if (one->how != BY_DELETE && s->values[one->value] == NULL)
			ui_say(v->ui, "%s: not loaded yet", one->title);
		else
			open_form(v, one->how);
		break;
	}
}

/* ---- the screen ---- */
static const struct table_column columns[] = { { "SETTING", 16, 0, false, 0 },
	{ "VALUE", 24, 1, false, 0 }, { "", 34, 1, false, 100 }, { NULL, 0, 0, false, 0 } };

static void
settings_open(struct view *v)
{
	((struct zonesettings *)v->state)->table.columns = columns;
}

static void
settings_close(struct view *v)
{
	struct zonesettings *s = v->state;

	for (unsigned i = 0; i < 4; i++)
		if (s->requests[i] != 0)
			ns_client_cancel(v->ui->client, s->requests[i]);
	for (unsigned i = 0; i < VALUES; i++) {
		free(s->values[i]);
		free(s->raw[i]);
	}
}

static void
settings_reload(struct view *v)
{
	(void)drafts_look(v->ui, v->object);
	ask_zone(v);
}

static const char *
cell(void *arg, size_t row, unsigned column, enum ui_role *role)
{
	struct zonesettings *s = ((struct view *)arg)->state;
	const struct setting *one = &settings[row];

	*role = column == 0 ? UI_HEAD : column == 2 ? UI_DIM : one->how == FIXED ? UI_DIM : UI_TEXT;
	if (column == 0)
		return one->title;
	if (column == 2)
		return one->about;
	if (one->value == V_TRANSFERS || one->value == V_DELETE)
		return one->value == V_DELETE ? "Enter" : "none";
	if (one->value == V_DELEGATED && s->values[V_DELEGATED] == NULL)
		return "Enter asks the parent";
	return s->values[one->value] != NULL ? s->values[one->value] : "-";
}

static void
settings_draw(struct view *v, struct rect r)
{
	struct zonesettings *s = v->state;
	char draft[64];

	drafts_text(v->ui->drafts, draft, sizeof draft);
	r = zone_title(v, r, draft, "");
	ns_table_draw(&s->table, v->ui->surface,
	    (struct rect){ r.x, r.y, r.w, r.h > 3 ? r.h - 1 : r.h }, SETTINGS, cell, v);
	if (r.h > 3 && s->table.row < SETTINGS)
		surface_put(v->ui->surface, r.x + 1, r.y + r.h - 1, r.w - 2, UI_DIM,
		    settings[s->table.row].about);
}

static const char *
settings_refuse(struct view *v, enum ns_action_id id)
{
	struct zonesettings *s = v->state;
	const char *no = zone_refuse(v, id);

	if (no != NULL)
		return no;
	if (id == ACT_ADD || id == ACT_CLONE || id == ACT_DELETE)
		return "these are there once";
	return id == ACT_EDIT && s->table.row < SETTINGS && settings[s->table.row].how == FIXED
		   ? "there is nothing to set"
		   : NULL;
}

static bool
settings_act(struct view *v, enum ns_action_id id)
{
	struct zonesettings *s = v->state;

	if (ns_table_act(&s->table, id, SETTINGS))
		return true;
	switch (id) {
	case ACT_OPEN:
	case ACT_EDIT:
		change(v);
		return true;
	default:
		return zone_act(v, id);
	}
}

static void
settings_copies(struct view *v, struct copies *c)
{
	struct zonesettings *s = v->state;
	char zone[UI_OBJECT];

	sanitize(zone, sizeof zone, v->object, v->ui->ascii);
	if (s->table.row < SETTINGS && s->values[settings[s->table.row].value] != NULL)
		copies_add(c, "value", xstrdup(s->values[settings[s->table.row].value]));
	copies_add(c, "command", xasprintf("nameserve zone show %s", zone));
}

const struct ns_screen_ops screen_zonesettings = {
	.name = "Settings",
	.size = sizeof(struct zonesettings),
	.contexts = CTX_GLOBAL | CTX_LIST | CTX_TABS | CTX_OPEN | CTX_ZONE | CTX_ROWS | CTX_DRAFT,
	.open = settings_open,
	.close = settings_close,
	.reload = settings_reload,
	.draw = settings_draw,
	.act = settings_act,
	.copies = settings_copies,
	.refuse = settings_refuse,
};
