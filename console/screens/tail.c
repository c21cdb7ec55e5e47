/* tail.c - some of the queries that are answered, as they come; the appliance filters.
 *
 * Each refresh asks for the rows since the last one.  The newest is at the bottom, and the cursor stays with it
 * until it is moved up. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "console/core/loop.h"
#include "console/core/sanitize.h"
#include "console/screens/copy.h"
#include "console/screens/querytest.h"
#include "console/screens/twin.h"
#include "console/widgets/table.h"
#include "ipc/base/clock.h"
#include "ipc/base/xalloc.h"

#define ROWS_KEPT   10000u
#define ROWS_SECOND 200u
#define DEBOUNCE_MS 150u
#define TIMEOUT_MS  3000u
#define FLEET_MS    6000u

enum { CELL_TIME, CELL_POP, CELL_CLIENT, CELL_NAME, CELL_TYPE, CELL_RCODE, CELL_US, CELLS };

/* The cells behind each other, each ended, as they are shown; sanitized. */
struct tail_line {
	char *text;
	uint16_t at[CELLS];
	uint8_t role; /* of the rcode */
};

struct tail {
	struct ns_table table;
	struct tail_line rows[ROWS_KEPT];
	size_t first, n; /* a ring */
	char filter[PROMPT_MAX];
	unsigned one_in;
	bool fleet; /* all appliances */
	Ns__TailMark **marks;
	size_t n_marks;
	uint64_t dropped, request, came_ms;
	size_t silent; /* appliances that did not answer */
	double per_second;
	bool begun; /* there was a reply since the last wish */
	char fault[256]; /* of the filter */
};

static struct tail_line *
line_at(struct tail *t, size_t i)
{
	return &t->rows[(t->first + i) % ROWS_KEPT];
}

static void
forget_marks(struct tail *t)
{
	for (size_t i = 0; i < t->n_marks; i++)
		protobuf_c_message_free_unpacked(&t->marks[i]->base, NULL);
	free(t->marks);
	t->marks = NULL;
	t->n_marks = 0;
}

static void
clear(struct tail *t)
{
	for (size_t i = 0; i < t->n; i++)
		free(line_at(t, i)->text);
	t->first = t->n = 0;
	t->table.row = t->table.top = 0;
	t->dropped = 0;
	t->per_second = 0;
}

/* ---- what comes ---- */
static void
add_row(struct view *v, const Ns__TailRow *r)
{
	struct tail *t = v->state;
	struct tail_line *l;
	char us[24], text[UI_OBJECT + 256];
	const char *cells[CELLS] = { strlen(r->at) > 11 ? r->at + 11 : "-", r->appliance, r->client,
		r->name, r->type, r->rcode, us };
	size_t len = 0;

	snprintf(us, sizeof us, "%.0f", r->us);
	if (t->n == ROWS_KEPT) {
		free(line_at(t, 0)->text);
		t->first = (t->first + 1) % ROWS_KEPT;
		t->n--;
		if (t->table.row > 0)
			t->table.row--;
	}
	l = line_at(t, t->n++);
	for (unsigned c = 0; c < CELLS && len + 1 < sizeof text; c++) {
		l->at[c] = (uint16_t)len;
		sanitize(text + len, sizeof text - len, cells[c], v->ui->ascii);
		if (c == CELL_TIME)
			text[len + strcspn(text + len, "Z")] = '\0';
		len += strlen(text + len) + 1;
	}
	l->text = xmalloc(len);
	memcpy(l->text, text, len);
	l->role = strcmp(r->rcode, "NOERROR") == 0    ? UI_TEXT
		  : strcmp(r->rcode, "SERVFAIL") == 0 ? UI_CRIT
						      : UI_WARN;
}

static void
take_marks(struct tail *t, const Ns__TailReply *m)
{
	forget_marks(t);
	t->marks = xcalloc(m->n_next + 1, sizeof *t->marks);
	for (size_t i = 0; i < m->n_next; i++) {
		Ns__TailMark *mark = xmalloc(sizeof *mark);

		ns__tail_mark__init(mark);
		mark->appliance = xstrdup(m->next[i]->appliance);
		mark->after = m->next[i]->after;
		t->marks[t->n_marks++] = mark;
	}
}

static void
take(struct view *v, const Ns__TailReply *m)
{
	struct tail *t = v->state;
	bool follow = t->n == 0 || t->table.row + 1 >= t->n;
	uint64_t passed = v->ui->mono_ms - t->came_ms;

	for (size_t i = 0; i < m->n_rows; i++)
		add_row(v, m->rows[i]);
	if (follow && t->n > 0)
		t->table.row = t->n - 1;
	t->dropped += m->dropped;
	t->silent = m->n_silent;
	if (t->begun && passed > 0)
		t->per_second = (double)m->n_rows * 1000 / (double)passed;
	t->came_ms = v->ui->mono_ms;
	t->begun = true;
	t->fault[0] = '\0';
	take_marks(t, m);
}

static void
came(void *arg, const Ns__Envelope *env, const struct ns_why *why)
{
	struct view *v = arg;
	struct tail *t = v->state;

	t->request = 0;
	if (env != NULL || why->err == NS_USAGE)
		ui_live(v);
	if (env != NULL)
		take(v, env->tail_reply);
	else if (why->err == NS_USAGE)
		sanitize(t->fault, sizeof t->fault, why->text, v->ui->ascii);
	else
		ui_say_why(v->ui, why);
	ui_dirty(v->ui, false);
}

static void
tail_tick(struct view *v)
{
	struct tail *t = v->state;
	Ns__TailRequest body = NS__TAIL_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;

	if (t->request != 0)
		return;
	body.filter = t->filter;
	body.sample = t->one_in;
	body.limit = ROWS_SECOND * (v->ui->refresh_ms < 1000 ? v->ui->refresh_ms : 1000) / 1000;
	body.scope = (char *)(uintptr_t)(t->fleet ? "fleet" : "");
	body.after = t->marks;
	body.n_after = t->n_marks;
	request.body_case = NS__ENVELOPE__BODY_TAIL_REQUEST;
	request.tail_request = &body;
	t->request =
	    ns_client_request(v->ui->client, &request, t->fleet ? FLEET_MS : TIMEOUT_MS, came, v);
}

/* Another wish: rows of now on. */
static void
begin(struct view *v)
{
	struct tail *t = v->state;

	if (t->request != 0)
		ns_client_cancel(v->ui->client, t->request);
	t->request = 0;
	forget_marks(t);
	clear(t);
	t->begun = false;
	t->fault[0] = '\0';
	tail_tick(v);
}

static void
later(void *arg)
{
	struct view *v = arg;

	begin(v);
	ui_dirty(v->ui, true);
}

static void
tail_filter(struct view *v, const char *text)
{
	struct tail *t = v->state;

	if (strcmp(t->filter, text) == 0)
		return;
	snprintf(t->filter, sizeof t->filter, "%s", text);
	if (v->ui->loop != NULL)
		loop_later(v->ui->loop, DEBOUNCE_MS, later, v);
	else
		begin(v);
}

static const char *
tail_filter_now(struct view *v)
{
	return ((struct tail *)v->state)->filter;
}

/* ---- life ---- */
/* Which appliance it was is said where there can be several, or room. */
#define COLUMNS(pop_from)                                                        \
	{                                                                        \
		{ "TIME", 12, 0, false, 0 }, { "POP", 7, 0, false, pop_from },   \
		    { "CLIENT", 15, 0, false, 0 }, { "QNAME", 12, 3, false, 0 }, \
		    { "TYPE", 5, 0, false, 0 }, { "RCODE", 8, 0, false, 0 },     \
		    { "us", 4, 0, true, 70 },                                    \
		{                                                                \
			NULL, 0, 0, false, 0                                     \
		}                                                                \
	}
static const struct table_column columns[] = COLUMNS(100), fleet_columns[] = COLUMNS(0);

static void
tail_open(struct view *v)
{
	struct tail *t = v->state;

	t->table.columns = columns;
	t->one_in = 1;
}

static void
tail_close(struct view *v)
{
	struct tail *t = v->state;

	if (v->ui->loop != NULL)
		loop_later(v->ui->loop, 0, NULL, NULL);
	if (t->request != 0)
		ns_client_cancel(v->ui->client, t->request);
	forget_marks(t);
	clear(t);
}

/* ---- drawing ---- */
static const char *
cell(void *arg, size_t row, unsigned column, enum ui_role *role)
{
	const struct tail_line *l = line_at(arg, row);

	if (column == CELL_RCODE)
		*role = (enum ui_role)l->role;
	return l->text + l->at[column];
}

static void
draw_title(struct view *v, struct rect r)
{
	struct tail *t = v->state;
	struct surface *s = v->ui->surface;
	char filter[PROMPT_MAX * 2], right[160], rate[16], lost[40] = "";
	const char *state = v->ui->lost ? "NO LINK" : v->ui->frozen ? "FROZEN" : "LIVE";

	glyph_number(t->per_second, rate);
	if (t->silent > 0)
		snprintf(lost, sizeof lost, "  silent %zu", t->silent);
	snprintf(right, sizeof right, "%ssample 1:%u  %s%s/s  dropped %llu%s   %s",
	    t->fleet ? "all PoPs  " : "", t->one_in, surface_old(s), rate,
	    (unsigned long long)t->dropped, lost, state);
	int w = text_width(right);
	surface_put(s, r.x + 1, r.y, 4, UI_TITLE, "Tail");
	sanitize(filter, sizeof filter, t->filter, v->ui->ascii);
	if (filter[0] != '\0')
		surface_putf(s, r.x + 8, r.y, r.w - 10 - w, UI_INPUT, "/%s", filter);
	surface_put_right(s, r.x + r.w - w - 1, r.y, w, UI_DIM, right);
}

static void
tail_draw(struct view *v, struct rect r)
{
	struct tail *t = v->state;
	struct surface *s = v->ui->surface;

	draw_title(v, r);
	t->table.columns = t->fleet ? fleet_columns : columns;
	ns_table_draw(&t->table, s, (struct rect){ r.x, r.y + 1, r.w, r.h - 1 }, t->n, cell, t);
	if (t->fault[0] != '\0')
		surface_put(s, r.x + 3, r.y + 3, r.w - 4, UI_CRIT, t->fault);
	else if (t->n == 0)
		surface_put(s, r.x + 3, r.y + 3, r.w - 4, UI_DIM,
		    !t->begun              ? ui_loading(v)
		    : t->filter[0] != '\0' ? "nothing that matches has come yet"
					   : "nothing has come yet");
}

/* ---- keys ---- */
static void
next_sample(struct view *v)
{
	struct tail *t = v->state;

	t->one_in = t->one_in >= 10000 ? 1 : t->one_in * 10;
	ui_say(v->ui, "One query in %u is shown", t->one_in);
	begin(v);
}

static bool
write_rows(struct tail *t, FILE *f)
{
	for (size_t i = 0; i < t->n; i++) {
		const struct tail_line *l = line_at(t, i);

		for (unsigned c = 0; c < CELLS; c++)
			fprintf(f, "%s%s", c > 0 ? "\t" : "", l->text + l->at[c]);
		fputc('\n', f);
	}
	return fclose(f) == 0;
}

/* Beside the drafts, for this user's eyes alone. */
static void
save(struct view *v)
{
	struct tail *t = v->state;
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	char path[512], at[CLOCK_RFC3339_LEN];
	FILE *f;
	int fd;

	clock_rfc3339(v->ui->wall_ms, at);
	if (state != NULL && state[0] == '/')
		snprintf(path, sizeof path, "%s/nameserve/tail-%.19sZ.tsv", state, at);
	else
		snprintf(path, sizeof path, "%s/.local/state/nameserve/tail-%.19sZ.tsv",
		    home != NULL ? home : "", at);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	f = fd >= 0 ? fdopen(fd, "w") : NULL;
	if (f != NULL && write_rows(t, f)) {
		ui_say(v->ui, "%zu rows are in %s", t->n, path);
		return;
	}
	ui_say(v->ui, "Not saved: %s: %s", path, strerror(errno));
	if (f == NULL && fd >= 0)
		close(fd);
}

static void
explain(struct view *v)
{
	struct tail *t = v->state;
	const struct tail_line *l = line_at(t, t->table.row);

	querytest_open(v->ui, l->text + l->at[CELL_NAME], l->text + l->at[CELL_TYPE],
	    l->text + l->at[CELL_CLIENT]);
}

static bool
tail_act(struct view *v, enum ns_action_id id)
{
	struct tail *t = v->state;

	if (ns_table_act(&t->table, id, t->n))
		return true;
	switch (id) {
	case ACT_SAMPLE:
		next_sample(v);
		return true;
	case ACT_WIDE:
		t->fleet = !t->fleet;
		begin(v);
		return true;
	case ACT_SAVE:
		save(v);
		return true;
	case ACT_OPEN:
		explain(v);
		return true;
	default:
		return false;
	}
}

static const char *
tail_refuse(struct view *v, enum ns_action_id id)
{
	return (id == ACT_OPEN || id == ACT_SAVE) && ((struct tail *)v->state)->n == 0
		   ? "no query is here"
		   : NULL;
}

static void
tail_copies(struct view *v, struct copies *c)
{
	struct tail *t = v->state;

	if (t->n > 0) {
		const struct tail_line *l = line_at(t, t->table.row);

		copies_add(c, "name", xstrdup(l->text + l->at[CELL_NAME]));
		copies_add(c, "client", xstrdup(l->text + l->at[CELL_CLIENT]));
	}
	copies_add(c, "command", twin_command(v));
}

static void
tail_twin(struct view *v, struct wbuf *w)
{
	const struct tail *t = v->state;
	char sample[16];

	snprintf(sample, sizeof sample, "%u", t->one_in);
	twin_word(w, "tail");
	twin_option(w, "--sample", sample);
	twin_option(w, "--scope", t->fleet ? "fleet" : "");
	twin_option(w, "--filter", t->filter);
}

const struct ns_screen_ops screen_tail = {
	.name = "Tail",
	.size = sizeof(struct tail),
	.contexts = CTX_GLOBAL | CTX_LIST | CTX_OPEN | CTX_FILTER | CTX_TAIL | CTX_WIDE,
	.open = tail_open,
	.close = tail_close,
	.reload = tail_tick,
	.tick = tail_tick,
	.draw = tail_draw,
	.act = tail_act,
	.filter = tail_filter,
	.filter_now = tail_filter_now,
	.filter_help = "foo ^foo *.x -not  zone: name: type:MX rcode:NXDOMAIN client: via:tcp",
	.refuse = tail_refuse,
	.copies = tail_copies,
	.twin_words = tail_twin,
};
