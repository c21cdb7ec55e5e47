/* policies.c - the policies of a zone: whose answers they make, the tree in words, and how its answers are. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console/core/sanitize.h"
#include "console/screens/checklist.h"
#include "console/screens/copy.h"
#include "console/screens/draftrows.h"
#include "console/screens/drafts.h"
#include "console/screens/policyedit.h"
#include "console/screens/zone.h"
#include "ipc/base/xalloc.h"

#define TIMEOUT_MS 5000u

enum { COL_NAME, COL_TYPE, COL_TTL, COL_HEALTH, COL_OUT, COL_TREE, CELL_TEXT = TABLE_COLUMNS - 1 };

struct policies {
	struct draftrows list;
	struct checklist checks;
	char shown[48]; /* of the cell that is drawn */
};

static uint64_t
policies_ask(struct view *v, const char *cursor, unsigned limit, ns_reply_fn *fn, struct pages *p)
{
	Ns__RecordListRequest body = NS__RECORD_LIST_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;

	body.zone = v->object;
	body.type = (char *)(uintptr_t) "NSPOLICY";
	body.cursor = (char *)(uintptr_t)cursor;
	body.limit = limit;
	request.body_case = NS__ENVELOPE__BODY_RECORD_LIST_REQUEST;
	request.record_list_request = &body;
	return ns_client_request(v->ui->client, &request, TIMEOUT_MS, fn, p);
}

/* A name may have one for each type. */
static size_t
policies_rows(const Ns__Envelope *env, const char **next, uint64_t *total)
{
	const Ns__RecordListReply *r = env->record_list_reply;
	size_t n = 0;

	*next = r->next;
	*total = 0;
	for (size_t i = 0; i < r->n_rrsets; i++)
		n += r->rrsets[i]->n_rdata;
	return n;
}

static void
fill(struct view *v, struct row *r, const char *name, const char *text, enum ui_role role)
{
	char type[16] = "", words[512];
	json_t *doc = pol_parse(text, type);
	const char *shown;
	int len = zone_relative(name, v->object, &shown);

	r->id = xasprintf("%s %s", name, type);
	row_set(v, r, COL_NAME, role, "%.*s", len, shown);
	row_set(v, r, COL_TYPE, role, "%s", type);
	row_set(v, r, COL_TTL, role, "%lld",
	    (long long)json_integer_value(json_object_get(doc, "ttl")));
	pol_words(doc, words, sizeof words);
	row_set(v, r, COL_TREE, role, "%s", words);
	r->cells[CELL_TEXT] = xstrdup(text);
	json_decref(doc);
}

static void
policies_fill(struct view *v, const Ns__Envelope *env, size_t i, struct row *r)
{
	const Ns__RecordListReply *reply = env->record_list_reply;
	struct policies *s = v->state;

	s->list.serial = reply->serial;
	s->list.version = reply->version;
	for (size_t n = 0; n < reply->n_rrsets; n++) {
		const Ns__RecordListReply__RRset *set = reply->rrsets[n];

		if (i < set->n_rdata) {
			fill(v, r, set->name, set->rdata[i], UI_TEXT);
			return;
		}
		i -= set->n_rdata;
	}
	r->id = xstrdup("");
}

static const struct pages_ops pages_of_policies = { policies_ask, policies_rows, policies_fill,
	NULL, false };

static const struct table_column columns[] = { { "NAME", 14, 1, false, 0 },
	{ "TYPE", 5, 0, false, 0 }, { "TTL", 6, 0, true, 0 }, { "HEALTH", 10, 0, false, 0 },
	{ "DRAINED", 7, 0, true, 70 }, { "ROUTES", 24, 3, false, 0 }, { NULL, 0, 0, false, 0 } };

/* ---- what the draft makes of them ---- */
static const char *
of_type(const Ns__Conflict__State *s, const char *type)
{
	size_t n = strlen(type);

	for (size_t i = 0; s != NULL && i < s->n_rdata; i++)
		if (strncmp(s->rdata[i], type, n) == 0 && s->rdata[i][n] == ' ')
			return s->rdata[i];
	return NULL;
}

static void
fill_mine(struct view *v, const Ns__Conflict__RRset *set, bool fresh)
{
	struct policies *s = v->state;
	char type[16];

	if (strcmp(set->type, "NSPOLICY") != 0)
		return;
	for (size_t d = 0; d < set->mine->n_rdata; d++) {
		const char *is = set->mine->rdata[d], *was;

		snprintf(type, sizeof type, "%.*s", (int)strcspn(is, " "), is);
		was = of_type(set->was, type);
		if ((was == NULL) == fresh && (was == NULL || strcmp(was, is) != 0))
			fill(v, draftrows_add(&s->list), set->name, is, fresh ? UI_ADDED : UI_WARN);
	}
}

static const char *
sign(struct view *v, const struct row *r, enum ui_role *role)
{
	char name[UI_OBJECT], type[16];
	const Ns__Conflict__RRset *set;
	const char *was, *mine;

	if (!draftrows_key(r, name, type, sizeof type) ||
	    (set = drafts_shown(v->ui->drafts, name, "NSPOLICY")) == NULL)
		return "";
	was = of_type(set->was, type);
	mine = of_type(set->mine, type);
	if (was != NULL && mine != NULL && strcmp(was, mine) == 0)
		return "";
	*role = mine == NULL ? UI_REMOVED : was == NULL ? UI_ADDED : UI_WARN;
	return mine == NULL ? "-" : was == NULL ? "+" : "~";
}

/* Of the checks as they are now; a row's policy is small and few rows are seen. */
static const char *
health_cell(struct policies *s, const struct row *r, unsigned column, enum ui_role *role)
{
	struct pol_health h = { .state = checklist_state, .arg = &s->checks };
	char type[16];
	json_t *doc = pol_parse(r->cells[CELL_TEXT], type);
	struct pol_sum sum;

	pol_sum(&h, doc, &sum);
	json_decref(doc);
	if (column == COL_OUT) {
		*role = sum.drained > 0 ? UI_WARN : UI_DIM;
		snprintf(s->shown, sizeof s->shown, sum.drained > 0 ? "%u" : "-", sum.drained);
		return s->shown;
	}
	if (sum.checks == 0 && sum.drained == 0)
		return "no checks";
	*role = (sum.down ? UI_CRIT : sum.up < sum.answers ? UI_WARN : UI_OK) | UI_LIVE;
	snprintf(s->shown, sizeof s->shown, "%s %u/%u",
	    sum.down               ? "CRIT"
	    : sum.up < sum.answers ? "WARN"
				   : "OK",
	    sum.up, sum.answers);
	return s->shown;
}

static const char *
cell(void *arg, size_t row, unsigned column, enum ui_role *role)
{
	struct view *v = arg;
	struct policies *s = v->state;
	const struct row *r = draftrows_shown(&s->list, row);

	if (r == NULL)
		return NULL;
	if (column == TABLE_SIGN)
		return sign(v, r, role);
	if (column == COL_HEALTH || column == COL_OUT)
		return health_cell(s, r, column, role);
	*role = (enum ui_role)r->roles[column];
	return r->cells[column] != NULL ? r->cells[column] : "";
}

/* ---- life ---- */
static void
policies_open(struct view *v)
{
	struct policies *s = v->state;

	draftrows_open(&s->list, v, &pages_of_policies, columns, CELL_TEXT);
	s->list.policies = true;
}

static void
policies_close(struct view *v)
{
	struct policies *s = v->state;

	draftrows_close(&s->list);
	checklist_free(&s->checks);
}

static struct ns_table *
policies_table(struct view *v, size_t *rows)
{
	struct policies *s = v->state;

	*rows = draftrows_count(&s->list);
	return &s->list.table;
}

static void
policies_reload(struct view *v)
{
	struct policies *s = v->state;

	checklist_ask(&s->checks, v);
	draftrows_reload(&s->list);
}

static void
policies_tick(struct view *v)
{
	checklist_ask(&((struct policies *)v->state)->checks, v);
}

static void
policies_draw(struct view *v, struct rect r)
{
	struct policies *s = v->state;
	char state[96] = "", sum[48] = "", draft[64];

	draftrows_take(&s->list, fill_mine);
	drafts_text(v->ui->drafts, draft, sizeof draft);
	if (s->list.pages.loaded) {
		snprintf(state, sizeof state, "%s", draft);
		snprintf(sum, sizeof sum, "%zu%s polic%s", draftrows_count(&s->list),
		    s->list.pages.ended ? "" : "+", draftrows_count(&s->list) == 1 ? "y" : "ies");
	}
	r = zone_title(v, r, state, sum);
	ns_table_draw(&s->list.table, v->ui->surface, r, draftrows_count(&s->list), cell, v);
	if (draftrows_count(&s->list) == 0)
		surface_put(v->ui->surface, r.x + 3, r.y + 1, r.w - 4, UI_DIM,
		    s->list.pages.loaded ? "no policies: a makes one, for a name and a type"
					 : ui_loading(v));
}

/* ---- actions ---- */
static void
open_editor(struct view *v, enum ns_action_id id)
{
	struct policies *s = v->state;
	char name[UI_OBJECT], type[16];
	struct policyedit_what what = { .zone = v->object,
		.clone = id == ACT_CLONE,
		.version = s->list.version,
		.serial = s->list.serial };

	if (id != ACT_ADD) {
		if (!draftrows_key(
			draftrows_shown(&s->list, s->list.table.row), name, type, sizeof type))
			return;
		what.name = name;
		what.type = type;
	}
	policyedit_open(v->ui, &what);
}

static void
delete_policy(struct view *v)
{
	struct policies *s = v->state;
	char name[UI_OBJECT], type[16], *types[] = { type };
	Ns__RecordOp op = NS__RECORD_OP__INIT;

	if (!draftrows_key(draftrows_shown(&s->list, s->list.table.row), name, type, sizeof type))
		return;
	op.kind = NS__RECORD_OP__KIND__DEL;
	op.name = name;
	op.type = (char *)(uintptr_t) "NSPOLICY";
	op.rdata = types;
	op.n_rdata = 1;
	if (drafts_put(v->ui, v->object, s->list.version, s->list.serial, &op))
		ui_say(v->ui, "Deleted in the draft; it is served until you commit. u undoes");
}

static void
policies_copies(struct view *v, struct copies *c)
{
	struct policies *s = v->state;
	const struct row *r = draftrows_shown(&s->list, s->list.table.row);
	char name[UI_OBJECT], type[16], safe[UI_OBJECT], zone[UI_OBJECT];
	json_t *doc;
	char *json;

	if (!draftrows_key(r, name, type, sizeof type))
		return;
	sanitize(safe, sizeof safe, name, v->ui->ascii);
	sanitize(zone, sizeof zone, v->object, v->ui->ascii);
	copies_add(c, "name", xstrdup(safe));
	doc = pol_parse(r->cells[CELL_TEXT], type);
	json = json_dumps(doc, JSON_INDENT(2) | JSON_ENSURE_ASCII);
	copies_add(c, "JSON", json != NULL ? xasprintf("%s\n", json) : NULL);
	free(json);
	json_decref(doc);
	copies_add(c, "command", xasprintf("nameserve policy show %s %s %s", zone, safe, type));
}

static const char *
policies_refuse(struct view *v, enum ns_action_id id)
{
	const char *no = zone_refuse(v, id);
	struct policies *s = v->state;

	if (no != NULL)
		return no;
	if ((id == ACT_EDIT || id == ACT_CLONE || id == ACT_DELETE || id == ACT_OPEN) &&
	    draftrows_count(&s->list) == 0)
		return "no policy is here";
	return id == ACT_ADD && !s->list.pages.loaded ? "not loaded yet" : NULL;
}

static bool
policies_act(struct view *v, enum ns_action_id id)
{
	struct policies *s = v->state;

	if (ns_table_act(&s->list.table, id, draftrows_count(&s->list)))
		return true;
	switch (id) {
	case ACT_OPEN:
	case ACT_EDIT:
	case ACT_ADD:
	case ACT_CLONE:
		open_editor(v, id);
		return true;
	case ACT_DELETE:
		delete_policy(v);
		return true;
	default:
		return zone_act(v, id);
	}
}

const struct ns_screen_ops screen_policies = {
	.name = "Policies",
	.size = sizeof(struct policies),
	.contexts = CTX_GLOBAL | CTX_LIST | CTX_TABS | CTX_OPEN | CTX_ZONE | CTX_ROWS | CTX_DRAFT,
	.open = policies_open,
	.close = policies_close,
	.reload = policies_reload,
	.tick = policies_tick,
	.draw = policies_draw,
	.act = policies_act,
	.table = policies_table,
	.copies = policies_copies,
	.refuse = policies_refuse,
	.twin = "policy list %o",
};
