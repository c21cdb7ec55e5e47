/* records.c - the RRsets of one zone; see records.h. */
#include "console/screens/records.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "console/core/sanitize.h"
#include "console/screens/copy.h"
#include "console/screens/draftnames.h"
#include "console/screens/drafts.h"
#include "console/screens/editor.h"
#include "console/screens/policyedit.h"
#include "console/screens/querytest.h"
#include "console/screens/sorting.h"
#include "console/screens/textedit.h"
#include "console/screens/zone.h"
#include "ipc/base/wbuf.h"
#include "ipc/base/xalloc.h"

#define TIMEOUT_MS  5000u
#define COPY_OCTETS 65536u /* of an RRset: what is longer is not copied from here */

static uint64_t
records_ask(struct view *v, const char *cursor, unsigned limit, ns_reply_fn *fn, struct pages *p)
{
	struct records *s = v->state;
	Ns__RecordListRequest body = NS__RECORD_LIST_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;

	struct draftnames mine;
	uint64_t id;

	draftnames_rrsets(&mine, v->ui, s->filter);
	s->turn = v->ui->drafts != NULL ? v->ui->drafts->turn : 0;
	body.zone = v->object;
	body.cursor = (char *)(uintptr_t)cursor;
	body.limit = limit;
	body.filter = s->filter;
	body.drafts = mine.list;
	body.n_drafts = mine.n;
	request.body_case = NS__ENVELOPE__BODY_RECORD_LIST_REQUEST;
	request.record_list_request = &body;
	id = ns_client_request(v->ui->client, &request, TIMEOUT_MS, fn, p);
	draftnames_free(&mine);
	return id;
}

static size_t
records_rows(const Ns__Envelope *env, const char **next, uint64_t *total)
{
	*next = env->record_list_reply->next;
	*total = 0;
	return env->record_list_reply->n_rrsets;
}

/* "name TTL IN TYPE data" for each record, in a cell behind those that are shown; and the data alone. */
static void
set_lines(struct view *v, struct row *r, const char *name, const char *type, uint32_t ttl,
    char *const *rdata, size_t n)
{
	struct wbuf lines = wbuf_grow(COPY_OCTETS), values = wbuf_grow(COPY_OCTETS);
	char *safe_name = sanitize_dup(name, v->ui->ascii);

	for (size_t i = 0; i < n; i++) {
		char *data = sanitize_dup(rdata[i], v->ui->ascii);
		char *line = xasprintf("%s %u IN %s %s\n", safe_name, ttl, type, data);

		wbuf_put(&lines, line, strlen(line));
		wbuf_put(&values, data, strlen(data));
		wbuf_put(&values, "\n", 1);
		free(line);
		free(data);
	}
	free(safe_name);
	wbuf_put(&lines, "", 1);
	wbuf_put(&values, "", 1);
	if (!wbuf_ok(&lines) || !wbuf_ok(&values)) {
		wbuf_free(&lines);
		wbuf_free(&values);
		return;
	}
	r->cells[CELL_LINES] = (char *)lines.base;
	r->cells[CELL_VALUES] = (char *)values.base;
}

/* "policy geo(EU: eu, default: us)" instead of its JSON; of the first, where there are several. */
static void
set_data(struct view *v, struct row *r, enum ui_role role, const char *type, char *const *rdata,
    size_t n)
{
	char words[512], of[16];
	json_t *doc = n > 0 && strcmp(type, "NSPOLICY") == 0 ? pol_parse(rdata[0], of) : NULL;

	row_set(v, r, 1, role, "%s", doc != NULL ? "policy" : type);
	if (n > 1)
		row_set(v, r, 3, role, "(+%zu)", n - 1);
	if (doc == NULL) {
		row_set(v, r, 4, role, "%s", n > 0 ? rdata[0] : "");
		return;
	}
	pol_words(doc, words, sizeof words);
	row_set(v, r, 2, role, "%lld", (long long)json_integer_value(json_object_get(doc, "ttl")));
	row_set(v, r, 4, role, "%s %s", of, words);
	json_decref(doc);
}

static void
records_fill(struct view *v, const Ns__Envelope *env, size_t i, struct row *r)
{
	const Ns__RecordListReply__RRset *s = env->record_list_reply->rrsets[i];
	struct records *state = v->state;
	const char *name;
	int len = zone_relative(s->name, v->object, &name);

	state->list.serial = env->record_list_reply->serial;
	state->list.version = env->record_list_reply->version;
	r->id = xasprintf("%s %s", s->name, s->type);
	row_set(v, r, 0, UI_TEXT, "%.*s", len, name);
	row_figure(
	    r, 0, (double)i); /* they come in the order of names, which is not that of letters */
	if (strcmp(s->type, "NSPOLICY") != 0)
		row_set(v, r, 2, UI_TEXT, "%u", s->ttl);
	row_figure(r, 2, s->ttl);
	set_data(v, r, UI_TEXT, s->type, s->rdata, s->n_rdata);
	set_lines(v, r, s->name, s->type, s->ttl, s->rdata, s->n_rdata);
}

static const struct pages_ops pages_of_records = { records_ask, records_rows, records_fill, NULL,
	false };

static const struct table_column columns[] = { { "NAME", 15, 1, false, 0 },
	{ "TYPE", 9, 0, false, 0 }, { "TTL", 7, 0, true, 0 }, { "", 4, 0, false, 0 },
	{ "DATA", 20, 3, false, 0 }, { "~QPS", 6, 0, true, RECORDS_QPS_FROM },
	{ NULL, 0, 0, false, 0 } };

static const char *const sorts[TABLE_COLUMNS] = { "name", "type", "-ttl", NULL, "data" };

static void
sorted(struct view *v)
{
	(void)pages_sort(&((struct records *)v->state)->list.pages);
}

static struct ns_table *
records_table(struct view *v, size_t *rows)
{
	struct records *s = v->state;

	*rows = draftrows_count(&s->list);
	return &s->list.table;
}

/* ---- what the draft makes of it ---- */
static bool
has(const char *text, const Ns__Conflict__RRset *set)
{
	const Ns__Conflict__State *m = set->mine;

	for (size_t i = 0; i < m->n_rdata; i++)
		if (strcasestr(m->rdata[i], text) != NULL)
			return true;
	return strcasestr(set->name, text) != NULL;
}

/* What the draft adds the appliance does not list, nor filter: here the words that are plain, and name: and type:. */
static bool
passes(const char *filter, const Ns__Conflict__RRset *set)
{
	char copy[PROMPT_MAX], *rest = copy, *word;
	bool yes = true;

	snprintf(copy, sizeof copy, "%s", filter);
	while (yes && (word = strsep(&rest, " ")) != NULL) {
		bool not = word[0] == '-', match = !not ;

		word += not ;
		if (strncmp(word, "type:", 5) == 0)
			match = strcasecmp(word + 5, set->type) == 0;
		else if (strncmp(word, "name:", 5) == 0)
			match = strcasestr(set->name, word + 5) != NULL;
		else if (word[0] != '\0' && strpbrk(word, "~*?:") == NULL)
			match = has(word + (word[0] == '^'), set);
		yes = match != not ;
	}
	return yes;
}

static void
fill_mine(struct view *v, const Ns__Conflict__RRset *set, bool fresh)
{
	struct records *s = v->state;
	const Ns__Conflict__State *m = set->mine;
	enum ui_role role = fresh ? UI_ADDED : UI_WARN;
	struct row *r;
	const char *name;
	int len = zone_relative(set->name, v->object, &name);

	if (!m->there || set->was->there == fresh || (fresh && !passes(s->filter, set)))
		return;
	r = draftrows_add(&s->list);
	r->id = xasprintf("%s %s", set->name, set->type);
	row_set(v, r, 0, role, "%.*s", len, name);
	if (strcmp(set->type, "NSPOLICY") != 0)
		row_set(v, r, 2, role, "%u", m->ttl);
	set_data(v, r, role, set->type, m->rdata, m->n_rdata);
	set_lines(v, r, set->name, set->type, m->ttl, m->rdata, m->n_rdata);
}

/* Name and type of a row; false: it is not here yet. */
static bool
row_key(struct records *s, size_t row, char name[UI_OBJECT], char type[32])
{
	return draftrows_key(draftrows_at(&s->list, row), name, type, 32);
}

static const char *
sign(struct view *v, size_t row, enum ui_role *role)
{
	static char text[2];
	char name[UI_OBJECT], type[32];
	const Ns__Conflict__RRset *set = NULL;
	struct records *s = v->state;
	const struct row *r = s->marks.n > 0 ? draftrows_at(&s->list, row) : NULL;

	*role = UI_KEY;
	if (r != NULL && marks_has(&s->marks, r->id))
		return "*";
	if (drafts_told(v->ui->drafts) != NULL && row_key(v->state, row, name, type))
		set = drafts_shown(v->ui->drafts, name, type);
	if (set == NULL)
		return "";
	text[0] = draft_sign(set, role);
	return text;
}

/* "~12" at the first row of a name: from samples, of all its types. */
static const char *
asked(struct records *s, size_t row)
{
	static char text[20];
	char name[UI_OBJECT], before[UI_OBJECT], type[32];
	double qps;

	if (!row_key(s, row, name, type) ||
	    (row > 0 && row_key(s, row - 1, before, type) && strcasecmp(name, before) == 0) ||
	    (qps = busynames_qps(&s->names, name)) < 0)
		return "";
	text[0] = '~';
	glyph_number(qps, text + 1);
	return text;
}

static const char *
cell(void *arg, size_t row, unsigned column, enum ui_role *role)
{
	struct view *v = arg;
	struct records *s = v->state;
	const struct row *r;

	if (column == TABLE_SIGN)
		return sign(v, row, role);
	if ((r = draftrows_shown(&s->list, row)) == NULL)
		return NULL;
	if (column == RECORDS_QPS)
		return asked(s, row);
	*role = (enum ui_role)r->roles[column];
	return r->cells[column] != NULL ? r->cells[column] : "";
}

/* ---- copying ---- */
/* As `record list --json` has an RRset. */
static char *
json_text(const struct row *r, const char *name, const char *type)
{
	json_t *rdata = json_array(), *doc;
	char *text, *copy;

	for (const char *from = r->cells[CELL_VALUES]; *from != '\0'; from += *from == '\n') {
		size_t n = strcspn(from, "\n");

		json_array_append_new(rdata, json_stringn(from, n));
		from += n;
	}
	doc = json_pack("{ss ss sI so}", "name", name, "type", type, "ttl",
	    (json_int_t)strtoul(r->cells[2] != NULL ? r->cells[2] : "0", NULL, 10), "rdata", rdata);
	text = json_dumps(doc, JSON_ENSURE_ASCII);
	copy = text != NULL ? xasprintf("%s\n", text) : NULL;
	free(text);
	json_decref(doc);
	return copy;
}

static void
records_copies(struct view *v, struct copies *c)
{
	struct records *s = v->state;
	char name[UI_OBJECT], type[32], safe[UI_OBJECT], zone[UI_OBJECT];
	const struct row *r = draftrows_shown(&s->list, s->list.table.row);

	if (s->marks.n > 0) {
		records_copy_marked(s, c);
		return;
	}
	if (r == NULL || !row_key(s, s->list.table.row, name, type))
		return;
	sanitize(safe, sizeof safe, name, v->ui->ascii);
	sanitize(zone, sizeof zone, v->object, v->ui->ascii);
	copies_add(c, "name", xstrdup(safe));
	if (r->cells[CELL_VALUES] != NULL) {
		copies_add(c, "data", xstrdup(r->cells[CELL_VALUES]));
		copies_add(c, "zone lines", xstrdup(r->cells[CELL_LINES]));
		copies_add(c, "JSON", json_text(r, safe, type));
	}
	copies_add(c, "command",
	    xasprintf("nameserve record list %s --name %s --type %s", zone, safe, type));
}

/* ---- edits ---- */
static void
edit(struct view *v, enum ns_action_id id)
{
	struct records *s = v->state;
	char name[UI_OBJECT], type[32], of[16];
	const struct row *r;
	struct editor_what what = { .zone = v->object,
		.clone = id == ACT_CLONE,
		.version = s->list.version,
		.serial = s->list.serial };

	if (id != ACT_ADD) {
		if (!row_key(s, s->list.table.row, name, type))
			return;
		what.name = name;
		what.type = type;
	}
	/* The first policy of the name; where there are several, the tab beside has them apart. */
	if (id != ACT_ADD && strcmp(type, "NSPOLICY") == 0) {
		r = draftrows_shown(&s->list, s->list.table.row);
		snprintf(of, sizeof of, "%.*s", (int)strcspn(r->cells[4], " "), r->cells[4]);
		what.of = of;
	}
	editor_open(v->ui, &what);
}

static void delete (struct view *v)
{
	struct records *s = v->state;
	char name[UI_OBJECT], type[32];
	Ns__RecordOp op = NS__RECORD_OP__INIT;

	if (!row_key(s, s->list.table.row, name, type))
		return;
	/* What is only in the draft goes from there. */
	if (s->list.table.row < s->list.pages.before) {
		if (drafts_leave_out(v->ui, v->object, name, type))
			ui_say(v->ui, "Taken out of the draft");
		return;
	}
	op.kind = NS__RECORD_OP__KIND__DEL;
	op.name = name;
	op.type = type;
	if (drafts_put(v->ui, v->object, s->list.version, s->list.serial, &op))
		ui_say(v->ui, "Deleted in the draft; it is served until you commit. u undoes");
}

static void
test(struct view *v)
{
	struct records *s = v->state;
	char name[UI_OBJECT], type[32];

	if (row_key(s, s->list.table.row, name, type))
		querytest_open(v->ui, name, type, NULL);
}

static void
records_open(struct view *v)
{
	struct records *s = v->state;

	draftrows_open(&s->list, v, &pages_of_records, columns, CELL_VALUES);
	sorting_open(v, &s->list.table, sorts, "name");
	preview_open(v, &s->preview);
}

static void
records_close(struct view *v)
{
	struct records *s = v->state;

	marks_clear(&s->marks);
	records_preview_close(v);
	draftrows_close(&s->list);
}

static void
records_reload(struct view *v)
{
	draftrows_reload(&((struct records *)v->state)->list);
}

/* ---- the filter ---- */
static void
records_filter(struct view *v, const char *text)
{
	struct records *s = v->state;

	if (strcmp(s->filter, text) == 0)
		return;
	snprintf(s->filter, sizeof s->filter, "%s", text);
	s->list.turn = 0; /* the draft's rows, too */
	pages_filtered(&s->list.pages);
}

static const char *
records_filter_now(struct view *v)
{
	return ((struct records *)v->state)->filter;
}

/* "/type:MX  12 rrsets", at the right of the tabs. */
static void
put_sum(struct view *v, char *out, size_t size)
{
	struct records *s = v->state;
	char safe[PROMPT_MAX * 2], filter[24] = "";

	sanitize(safe, sizeof safe, s->filter, v->ui->ascii);
	if (safe[0] != '\0')
		snprintf(filter, sizeof filter, "/%.20s  ", safe);
	if (s->marks.n > 0)
		snprintf(out, size, "%s%zu marked", filter, s->marks.n);
	else
		snprintf(out, size, "%s%zu%s rrset%s", filter, pages_count(&s->list.pages),
		    s->list.pages.ended ? "" : "+", pages_count(&s->list.pages) == 1 ? "" : "s");
}

/* Names of the draft are a filter: they are others when it is. */
static void
records_follow(struct view *v)
{
	struct records *s = v->state;

	if (draftnames_asked(s->filter) && v->ui->drafts != NULL && s->turn != v->ui->drafts->turn)
		pages_reload(&s->list.pages, true);
}

static void
records_draw(struct view *v, struct rect r)
{
	struct records *s = v->state;
	char sum[64] = "", draft[64];
	int rows;

	draftrows_take(&s->list, fill_mine);
	drafts_text(v->ui->drafts, draft, sizeof draft);
	if (s->list.pages.loaded)
		put_sum(v, sum, sizeof sum);
	r = zone_title(v, r, draft, sum);
	records_preview(v, preview_part(&s->preview, &r));
	ns_table_draw(&s->list.table, v->ui->surface, r, draftrows_count(&s->list), cell, v);
	rows =
	    (int)draftrows_count(&s->list); /* the draft's alone, where there is something to say */
	if (rows == 0 || !s->list.pages.loaded || s->list.pages.refused[0] != '\0')
		(void)surface_wrap(v->ui->surface,
		    (struct rect){ r.x + 3, r.y + 1 + rows, r.w - 4, r.h - 1 - rows },
		    s->list.pages.refused[0] != '\0' ? UI_WARN : UI_DIM,
		    s->list.pages.refused[0] != '\0' ? s->list.pages.refused
		    : !s->list.pages.loaded          ? ui_loading(v)
		    : s->filter[0] != '\0'           ? "no RRset matches; Esc shows all"
						     : "nothing here");
}

static const char *
records_refuse(struct view *v, enum ns_action_id id)
{
	const char *no = zone_refuse(v, id);
	struct records *s = v->state;

	if (no != NULL)
		return no;
	if (id == ACT_SORT || id == ACT_SORT_REVERSE)
		return pages_unsorted(&((struct records *)v->state)->list.pages);
	if (id == ACT_UNMARK || id == ACT_SET_TTL)
		return s->marks.n > 0 ? NULL : "nothing is marked: Space marks";
	if ((id == ACT_EDIT || id == ACT_CLONE || id == ACT_DELETE || id == ACT_TEST) &&
	    draftrows_count(&s->list) == 0)
		return "no RRset is here";
	return id == ACT_ADD && !s->list.pages.loaded ? "not loaded yet" : NULL;
}

static bool
records_act(struct view *v, enum ns_action_id id)
{
	struct records *s = v->state;

	if (ns_table_act(&s->list.table, id, draftrows_count(&s->list)) || records_mark(v, id) ||
	    sorting_act(v, &s->list.table, id, sorted) || preview_act(v, &s->preview, id))
		return true;
	switch (id) {
	case ACT_EDIT:
	case ACT_ADD:
	case ACT_CLONE:
		edit(v, id);
		return true;
	case ACT_OPEN:
		edit(v, ACT_EDIT);
		return true;
	case ACT_TEST:
		test(v);
		return true;
	case ACT_EDIT_TEXT:
		textedit_start(v->ui, v->object);
		return true;
	case ACT_DELETE:
		delete (v);
		return true;
	default:
		return zone_act(v, id);
	}
}

const struct ns_screen_ops screen_records = {
	.name = "Records",
	.size = sizeof(struct records),
	.contexts = CTX_GLOBAL | CTX_LIST | CTX_TABS | CTX_OPEN | CTX_ZONE | CTX_RECORDS |
		    CTX_ROWS | CTX_DRAFT | CTX_MARKS | CTX_SORT | CTX_PREVIEW | CTX_FILTER,
	.open = records_open,
	.close = records_close,
	.reload = records_reload,
	.tick = records_preview_tick,
	.follow = records_follow,
	.draw = records_draw,
	.act = records_act,
	.table = records_table,
	.copies = records_copies,
	.refuse = records_refuse,
	.peel = records_peel,
	.filter = records_filter,
	.filter_now = records_filter_now,
	.filter_help = "foo ^foo *.x ~re -not  name:www  type:MX  policy:www  draft:mine",
	.twin = "record list %o %f",
};
