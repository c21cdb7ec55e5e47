/* query.c - the query test: a question to the code that answers, at any appliance, and why it answers so.
 *
 * A form above, the answer below; Tab goes through the fields and into the answer.  Nothing is cached: what is
 * shown is of the moment it was asked. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console/core/key.h"
#include "console/core/sanitize.h"
#include "console/screens/copy.h"
#include "console/screens/drafts.h"
#include "console/screens/query.h"
#include "console/screens/querydraft.h"
#include "console/screens/querytest.h"
#include "console/screens/twin.h"
#include "ipc/base/xalloc.h"
#include "ipc/envelope.h"

#define TIMEOUT_MS 5000u
#define GAP        2

static const struct {
	const char *label;
	int width, least; /* with brackets; on a narrow screen */
	size_t max;
} fields[FIELDS] = {
	[FIELD_NAME] = { "Name", 40, 30, UI_OBJECT - 1 },
	[FIELD_TYPE] = { "Type", 12, 10, 16 },
	[FIELD_CLIENT] = { "Client", 24, 18, 64 },
	[FIELD_ECS] = { "ECS", 22, 18, 64 },
	[FIELD_VIA] = { "Via", 7, 7, 4 },
	[FIELD_DO] = { "DO", 7, 7, 4 },
	[FIELD_AT] = { "At", 16, 14, 64 },
	[FIELD_DRAFT] = { "with draft", 8, 8, 5 },
};
static const char *const yes_no[] = { "no", "yes", NULL },
			 *const transports[] = { "tcp", "udp", NULL },
			 *const with_draft[] = { "no", "zone", "all", NULL };

static const char *
text_of(const struct query_test *q, size_t field)
{
	return edit_text(&q->form.list[field].edit);
}

static void
set_text(struct query_test *q, size_t field, const char *text)
{
	edit_set(&q->form.list[field].edit, fields[field].max, text);
}

/* ---- panes ---- */
static void
focus(struct view *v, bool below)
{
	struct query_test *q = v->state;

	q->below = below;
	v->contexts =
	    CTX_GLOBAL | CTX_QUERY | (below ? CTX_TEXT | CTX_TABS | CTX_WIDE : (unsigned)CTX_FORM);
}

/* From the last field on it goes into the answer, from there to the first. */
static void
next_field(struct view *v, int by)
{
	struct query_test *q = v->state;
	size_t edge = by > 0 ? FIELDS - 1 : 0;

	if (q->below) {
		focus(v, false);
		q->form.focus = by > 0 ? 0 : FIELDS - 1;
	} else if (q->form.focus == edge) {
		focus(v, true);
	} else {
		form_next(&q->form, by);
	}
}

/* ---- where it can be asked ---- */
static void
forget_places(struct query_test *q)
{
	for (size_t i = 0; i < q->n_places; i++)
		free(q->places[i]);
	q->n_places = 0;
	q->places[0] = NULL;
}

static void
add_place(struct query_test *q, const char *name)
{
	if (q->n_places + 1 < PLACES) {
		q->places[q->n_places++] = xstrdup(name);
		q->places[q->n_places] = NULL;
	}
}

static void
fleet_came(void *arg, const Ns__Envelope *env, const struct ns_why *why)
{
	struct view *v = arg;
	struct query_test *q = v->state;

	(void)why;
	q->fleet_request = 0;
	if (env == NULL)
		return;
	forget_places(q);
	for (size_t i = 0; i < env->fleet_list_reply->n_appliances; i++) {
		const char *name = env->fleet_list_reply->appliances[i]->name;
		char safe[64];

		sanitize(safe, sizeof safe, name, v->ui->ascii);
		if (strcmp(safe, name) == 0)
			add_place(q, name);
	}
	if (q->n_places == 0)
		add_place(q, v->ui->name);
	add_place(q, "all");
	if (text_of(q, FIELD_AT)[0] == '\0')
		set_text(q, FIELD_AT, v->ui->name);
	ui_dirty(v->ui, false);
}

static void
ask_fleet(struct view *v)
{
	struct query_test *q = v->state;
	Ns__FleetListRequest body = NS__FLEET_LIST_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;

	if (q->fleet_request != 0)
		return;
	request.body_case = NS__ENVELOPE__BODY_FLEET_LIST_REQUEST;
	request.fleet_list_request = &body;
	q->fleet_request = ns_client_request(v->ui->client, &request, TIMEOUT_MS, fleet_came, v);
}

/* ---- the answer ---- */
static void
came(void *arg, const Ns__Envelope *env, const struct ns_why *why)
{
	struct view *v = arg;
	struct query_test *q = v->state;

	q->request = 0;
	if (env != NULL)
		q->live = ns_message_copy(&env->test_reply->base);
	else
		snprintf(q->fault, sizeof q->fault, "%.399s",
		    why->text[0] != '\0' ? why->text : ns_err_text(why->err));
	query_show(v);
}

static void
draft_came(void *arg, const Ns__Envelope *env, const struct ns_why *why)
{
	struct view *v = arg;
	struct query_test *q = v->state;

	q->draft_request = 0;
	if (env != NULL)
		q->drafted = ns_message_copy(&env->test_reply->base);
	else /* with all drafts, the one in the way may be another zone's */
		snprintf(q->draft_fault, sizeof q->draft_fault, "%.*s%s%.250s",
		    ui_name_len(why->zone) < 140 ? ui_name_len(why->zone) : 140, why->zone,
		    why->zone[0] != '\0' ? ": " : "",
		    why->text[0] != '\0' ? why->text : ns_err_text(why->err));
	query_show(v);
}

static void
forget(struct view *v)
{
	struct query_test *q = v->state;

	if (q->request != 0)
		ns_client_cancel(v->ui->client, q->request);
	if (q->draft_request != 0)
		ns_client_cancel(v->ui->client, q->draft_request);
	q->request = q->draft_request = 0;
	if (q->live != NULL)
		ns__test_reply__free_unpacked(q->live, NULL);
	if (q->drafted != NULL)
		ns__test_reply__free_unpacked(q->drafted, NULL);
	q->live = q->drafted = NULL;
	q->fault[0] = q->draft_fault[0] = '\0';
}

/* ---- asking ---- */
static void
remember(struct query_test *q)
{
	size_t newest = (q->n_recent + RECENT - 1) % RECENT;
	bool same = q->n_recent > 0;

	for (size_t i = 0; i < FIELDS && same; i++)
		same =
		    strncmp(q->recent[newest][i], text_of(q, i), sizeof q->recent[0][0] - 1) == 0;
	q->at_recent = 0;
	if (same)
		return;
	for (size_t i = 0; i < FIELDS; i++)
		snprintf(q->recent[q->n_recent % RECENT][i], sizeof q->recent[0][0], "%.159s",
		    text_of(q, i));
	q->n_recent++;
}

/* The one before; from the oldest back to the newest. */
static void
recall(struct query_test *q)
{
	size_t kept = q->n_recent < RECENT ? q->n_recent : RECENT;

	if (kept == 0)
		return;
	q->at_recent = (q->at_recent + 1) % kept;
	for (size_t i = 0; i < FIELDS; i++)
		set_text(q, i, q->recent[(q->n_recent - 1 - q->at_recent) % RECENT][i]);
}

/* The same once more, as if the zone's draft, or all, were committed. */
static void
run_drafted(struct view *v, Ns__Envelope *request)
{
	struct query_test *q = v->state;
	struct querydraft drafts;
	bool all = strcmp(text_of(q, FIELD_DRAFT), "all") == 0;

	querydraft_load(v->ui, &drafts, all ? NULL : text_of(q, FIELD_NAME), q->instead);
	q->no_draft = drafts.n == 0;
	if (q->no_draft)
		snprintf(q->draft_fault, sizeof q->draft_fault, "%s",
		    all ? "there is no draft"
			: "there is no draft of its zone; with \"all\" those of others count");
	request->test_request->draft = true;
	request->test_request->zones = drafts.list;
	request->test_request->n_zones = drafts.n;
	if (drafts.n > 0)
		q->draft_request =
		    ns_client_request(v->ui->client, request, TIMEOUT_MS, draft_came, v);
	querydraft_free(&drafts);
}

static void
run(struct view *v)
{
	struct query_test *q = v->state;
	Ns__TestRequest body = NS__TEST_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;

	forget(v);
	remember(q);
	body.name = (char *)(uintptr_t)text_of(q, FIELD_NAME);
	body.type =
	    (char *)(uintptr_t)(text_of(q, FIELD_TYPE)[0] != '\0' ? text_of(q, FIELD_TYPE) : "A");
	body.client = (char *)(uintptr_t)text_of(q, FIELD_CLIENT);
	body.ecs = (char *)(uintptr_t)text_of(q, FIELD_ECS);
	body.dnssec = strcmp(text_of(q, FIELD_DO), "yes") == 0;
	body.via = (char *)(uintptr_t)text_of(q, FIELD_VIA);
	body.at = (char *)(uintptr_t)text_of(q, FIELD_AT);
	request.body_case = NS__ENVELOPE__BODY_TEST_REQUEST;
	request.test_request = &body;
	q->asked = true;
	q->answer.top = 0;
	q->request = ns_client_request(v->ui->client, &request, TIMEOUT_MS, came, v);
	if (strcmp(text_of(q, FIELD_DRAFT), "no") != 0)
		run_drafted(v, &request);
}

/* NULL: after a message. */
static struct view *
open_with(struct ui *ui, const char *name, const char *type)
{
	struct view *v;
	char safe[UI_OBJECT];

	/* A field holds what is sent: what cannot be shown as it is cannot be in one. */
	sanitize(safe, sizeof safe, name, ui->ascii);
	if (strcmp(safe, name) != 0) {
		ui_say(ui, "That name cannot be shown in a form: nameserve test");
		return NULL;
	}
	ui_open(ui, &screen_query, "");
	v = ui_top(ui);
	if (v->ops != &screen_query)
		return NULL;
	set_text(v->state, FIELD_NAME, name);
	set_text(v->state, FIELD_TYPE, type);
	focus(v, true);
	return v;
}

void
querytest_open(struct ui *ui, const char *name, const char *type, const char *client)
{
	struct view *v = open_with(ui, name, type);
	char address[64] = "";

	if (v == NULL)
		return;
	if (client != NULL)
		snprintf(address, sizeof address, "%.*s", (int)strcspn(client, "/-"), client);
	if (client != NULL)
		set_text(v->state, FIELD_CLIENT, address);
	run(v);
}

void
querytest_open_draft(
    struct ui *ui, const char *zone, const char *name, const char *type, Ns__Draft *draft)
{
	size_t len = strlen(name);
	bool apex = len == 0 || strcmp(name, "@") == 0,
	     whole = !apex && (name[len - 1] == '.' || strcmp(zone, ".") == 0);
	char *absolute =
	    xasprintf("%s%s%s", apex ? "" : name, apex || whole ? "" : ".", whole ? "" : zone);
	struct view *v = open_with(ui, absolute, type);
	struct query_test *q = v != NULL ? v->state : NULL;

	free(absolute);
	if (q == NULL || q->instead != NULL) {
		ns__draft__free_unpacked(draft, NULL);
		return;
	}
	q->instead = draft;
	set_text(q, FIELD_DRAFT, "zone");
	run(v);
}

/* ---- life ---- */
static void
query_open(struct view *v)
{
	struct query_test *q = v->state;

	for (size_t i = 0; i < FIELDS; i++)
		(void)form_add(&q->form, fields[i].max, "");
	set_text(q, FIELD_DO, "no");
	set_text(q, FIELD_VIA, "tcp");
	set_text(q, FIELD_DRAFT, v->ui->drafts != NULL && v->ui->drafts->count > 0 ? "zone" : "no");
	q->form.list[FIELD_DRAFT].choices = with_draft;
	q->form.list[FIELD_VIA].choices = transports;
	q->form.list[FIELD_DO].choices = yes_no;
	q->form.list[FIELD_AT].choices = (const char *const *)q->places;
	add_place(q, v->ui->name[0] != '\0' ? v->ui->name : "all");
	set_text(q, FIELD_AT, v->ui->name);
	focus(v, false);
}

static void
query_close(struct view *v)
{
	struct query_test *q = v->state;

	forget(v);
	if (q->fleet_request != 0)
		ns_client_cancel(v->ui->client, q->fleet_request);
	if (q->instead != NULL)
		ns__draft__free_unpacked(q->instead, NULL);
	form_clear(&q->form);
	lines_clear(&q->answer);
	free(q->answer.list);
	forget_places(q);
}

/* ---- drawing ---- */
/* Fields from left to right, in as many rows as it takes; how many. */
static int
lay_out(struct query_test *q, int w)
{
	int x = 1, y = 0;

	for (size_t i = 0; i < FIELDS; i++) {
		struct form_field *f = &q->form.list[i];
		int label = (int)strlen(fields[i].label) + 1;
		int width = w >= 80 ? fields[i].width : fields[i].least;

		if (x > 1 && x + label + width > w - 1) {
			x = 1;
			y++;
		}
		f->x = x + label;
		f->y = y;
		f->w = f->x + width > w - 1 ? w - 1 - f->x : width;
		x = f->x + f->w + GAP;
	}
	return y + 1;
}

static void
query_draw(struct view *v, struct rect r)
{
	struct query_test *q = v->state;
	struct surface *s = v->ui->surface;
	int rows = lay_out(q, r.w);
	struct rect form = { r.x, r.y + 1, r.w, rows },
		    below = { r.x + 1, r.y + 2 + rows, r.w - 2, r.h - 2 - rows };

	surface_put(s, r.x + 1, r.y, r.w - 2, UI_TITLE, "Query test");
	surface_put_right(s, r.x + 14, r.y, r.w - 15, UI_DIM,
	    q->request != 0 || q->draft_request != 0 ? "asking"
						     : "the code that answers, and its reasons");
	for (size_t i = 0; i < FIELDS; i++) {
		int label = (int)strlen(fields[i].label);

		surface_put(s, r.x + q->form.list[i].x - label - 1, form.y + q->form.list[i].y,
		    label, UI_TEXT, fields[i].label);
	}
	form_draw(&q->form, s, form);
	if (q->below)
		surface_park(s, below.x, below.y, false);
	if (q->answer.n > 0)
		lines_draw(&q->answer, s, below);
	else
		surface_put(s, below.x, below.y, below.w, UI_DIM,
		    q->asked ? "" : "a name, a type (or A), Enter; t on a record brings its own");
}

/* ---- keys ---- */
static bool
query_key(struct view *v, uint32_t key)
{
	struct query_test *q = v->state;
	bool changed;

	return form_key(&q->form, key, &changed);
}

static bool
query_act(struct view *v, enum ns_action_id id)
{
	struct query_test *q = v->state;

	switch (id) {
	case ACT_RUN:
		run(v);
		return true;
	case ACT_NEXT_FIELD:
	case ACT_NEXT_TAB:
		next_field(v, 1);
		return true;
	case ACT_PREVIOUS_FIELD:
	case ACT_PREVIOUS_TAB:
		next_field(v, -1);
		return true;
	case ACT_RECENT:
		recall(q);
		return true;
	case ACT_WIDE:
		set_text(
		    q, FIELD_AT, strcmp(text_of(q, FIELD_AT), "all") == 0 ? v->ui->name : "all");
		run(v);
		return true;
	default:
		return q->below && lines_act(&q->answer, id);
	}
}

static const char *
query_refuse(struct view *v, enum ns_action_id id)
{
	struct query_test *q = v->state;

	if (id == ACT_ACCEPT)
		return "nothing is kept here: Enter asks";
	if (id == ACT_RUN && text_of(q, FIELD_NAME)[0] == '\0')
		return "a name is needed";
	return id == ACT_RECENT && q->n_recent == 0 ? "nothing was asked yet" : NULL;
}

static void
query_twin(struct view *v, struct wbuf *w)
{
	const struct query_test *q = v->state;
	const char *type = text_of(q, FIELD_TYPE);

	if (text_of(q, FIELD_NAME)[0] == '\0') /* nothing is asked yet */
		return;
	twin_word(w, "test");
	twin_word(w, text_of(q, FIELD_NAME));
	twin_word(w, type[0] != '\0' ? type : "A");
	twin_option(w, "--client", text_of(q, FIELD_CLIENT));
	twin_option(w, "--ecs", text_of(q, FIELD_ECS));
	if (strcmp(text_of(q, FIELD_DO), "yes") == 0)
		twin_word(w, "--do");
	if (strcmp(text_of(q, FIELD_VIA), "udp") == 0)
		twin_option(w, "--via", "udp");
	if (strcmp(text_of(q, FIELD_DRAFT), "no") != 0)
		twin_word(w, "--draft");
	if (strcmp(text_of(q, FIELD_DRAFT), "all") == 0)
		twin_word(w, "--all");
	twin_option(w, "--at", text_of(q, FIELD_AT));
}

static void
query_copies(struct view *v, struct copies *c)
{
	struct query_test *q = v->state;

	copies_add(c, "command", twin_command(v));
	if (q->answer.n > 1)
		copies_add(c, "answer",
		    xstrdup(q->answer.list[1].text + strspn(q->answer.list[1].text, " ")));
}

const struct ns_screen_ops screen_query = {
	.name = "Query test",
	.size = sizeof(struct query_test),
	.contexts = CTX_GLOBAL | CTX_FORM | CTX_QUERY,
	.open = query_open,
	.close = query_close,
	.reload = ask_fleet,
	.draw = query_draw,
	.act = query_act,
	.key = query_key,
	.refuse = query_refuse,
	.copies = query_copies,
	.twin_words = query_twin,
};
