/* linear.c - see linear.h.  The ui draws on a surface that nobody sees; lines are made of its cells, rows of what
 * tables say of them (core/spoken.h). */
#include "console/screens/linear.h"

#include <ctype.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "console/core/key.h"
#include "console/core/spoken.h"
#include "console/screens/drafts.h"
#include "console/screens/palette.h"
#include "console/terminal/text.h"
#include "ipc/base/clock.h"

#define WIDTH     120
#define HEIGHT    24 /* a page is 18 rows */
#define LINE_MAX_ 4096u
#define SETTLE_MS 5000u /* for what a command asks for */
#define TICK_MS   1000
#define CHOICES   80u

/* What a number means: the screens of the start, rows, or the actions that were listed. */
enum numbers { NUMBERS_SCREENS, NUMBERS_ROWS, NUMBERS_ACTIONS };

struct linear {
	struct ui *ui;
	struct ns_client *client;
	struct spoken rows;
	enum numbers numbers;
	const struct ns_action *choice[CHOICES];
	size_t n_choices;
	uint64_t told; /* messages of the ring that were printed */
	char in[LINE_MAX_];
	size_t len;
	bool ended;
};

static struct ui *
now(struct linear *l)
{
	ui_now(l->ui, clock_mono_ms(), clock_wall_ms());
	return l->ui;
}

/* ---- saying ---- */

/* Columns become commas; what is a graph, or a rule between things, is not said. */
static void
say_line(const struct surface *s, int y)
{
	uint32_t before = 0;
	unsigned blanks = 0;
	bool some = false;

	for (int x = 0; x < s->w; x++) {
		const struct cell *c = surface_at(s, x, y);

		if (c->cp == ' ' || c->role == UI_GRAPH || c->cp == 0x2514) {
			blanks++;
			continue;
		}
		if (c->cp == 0)
			continue;
		if (some && blanks > 0 && before != '[' && c->cp != ']')
			fputs(blanks > 2 ? ", " : " ", stdout);
		blanks = 0;
		before = c->cp;
		some = true;
		text_put(stdout, c->cp);
		for (int m = 0; m < 2 && c->marks[m] != 0; m++)
			text_put(stdout, c->marks[m]);
	}
	if (some)
		putchar('\n');
}

static void
say_messages(struct linear *l)
{
	uint64_t new = l->ui->ring.count - l->told;

	for (size_t i = new < RING_MAX ? (size_t) new : RING_MAX; i-- > 0;) {
		const struct message *m = message_at(&l->ui->ring, i);

		if (m != NULL)
			printf("%s\n", m->text);
	}
	l->told = l->ui->ring.count;
}

static void
draw(struct linear *l)
{
	spoken_clear(&l->rows);
	surface_clear(l->ui->surface);
	ui_follow(now(l));
	ui_draw(l->ui, l->ui->surface);
}

static void
say_dialog(const struct dialog *d)
{
	printf("%s\n", d->ask);
	if (d->more[0] != '\0')
		printf("%s\n", d->more);
	printf("%s\n", d->name[0] != '\0' ? "Type its name to go on, or nothing." : "y or n?");
}

/* The screen: its lines and its rows, between the bars that are around it. */
static void
say_screen(struct linear *l)
{
	struct ui *ui = l->ui;
	const struct surface *s = ui->surface;
	int first = s->h >= 20 ? 2 : 1;
	size_t number = 0;

	draw(l);
	if (ui->dialog.on) {
		say_dialog(&ui->dialog);
		return;
	}
	if (ui->lost)
		say_line(s, 1);
	for (int y = first; y < s->h - 2; y++) {
		const struct spoken_row *row = spoken_at(&l->rows, y);

		if (row != NULL)
			printf("%zu%s %s\n", ++number, row->cursor ? " here:" : "", row->text);
		else if (surface_at(s, 3, y)->role !=
			 UI_HEAD) /* titles of columns are with the cells */
			say_line(s, y);
	}
	if (number > 0)
		l->numbers = NUMBERS_ROWS;
}

/* In a form: the line of the field in focus, and what is wrong. */
static void
say_field(struct linear *l)
{
	const struct surface *s = l->ui->surface;

	draw(l);
	if (l->ui->dialog.on) {
		say_dialog(&l->ui->dialog);
		return;
	}
	for (int y = 2; y < s->h - 2; y++)
		for (int x = 0; x < s->w; x++)
			if (surface_at(s, x, y)->role == UI_CRIT || y == s->cursor_y) {
				printf("%s", y == s->cursor_y ? "Field: " : "");
				say_line(s, y);
				break;
			}
}

static bool
in_form(const struct linear *l)
{
	return (ui_top(l->ui)->contexts & CTX_FORM) != 0;
}

/* The screens that have a number. */
static void
say_start(struct linear *l)
{
	struct ui *ui = l->ui;

	l->n_choices = 0;
	l->numbers = NUMBERS_SCREENS;
	printf("%s %s %s. Link %s. %zu problems, %zu drafts. help, or a number.\n", ui->name,
	    ui->user, ui->role, ui->lost ? "LOST" : "OK", ui->n_problems,
	    ui->drafts != NULL ? ui->drafts->count : 0);
	for (char digit = '1'; digit <= '9'; digit++)
		for (const struct ns_action *a = ns_actions; a->id != ACT_NONE; a++)
			if (ns_action_leads(a) && a->keys[0] == digit)
				printf("%c %s ", digit, a->name);
	printf("\n");
}

static void
say_actions(struct linear *l)
{
	unsigned contexts = ui_top(l->ui)->contexts;

	l->n_choices = 0;
	for (const struct ns_action *a = ns_actions; a->id != ACT_NONE; a++) {
		const char *why;

		if ((a->contexts & contexts) == 0 || strcmp(a->group, "MOVE") == 0 ||
		    l->n_choices == CHOICES)
			continue;
		why = ui_refuses(l->ui, a);
		printf("%zu %s: %s%s%s\n", l->n_choices + 1, a->name, a->help,
		    why != NULL ? "; not now: " : "", why != NULL ? why : "");
		l->choice[l->n_choices++] = a;
	}
	l->numbers = NUMBERS_ACTIONS;
	puts(in_form(l)
		 ? "In a form: text sets the field and goes to the next; an empty line goes "
		   "on; .accept .back "
		   ".previous .show"
		 : "A number chooses; a row's number opens it; NAME N does an action with "
		   "row N; n next page, p page before, /words filters or searches, b back, menu, q "
		   "leaves. A line of the command line, as zone show ZONE, is run; :LINE "
		   "where its first word is an action's name, too.");
}

/* ---- doing ---- */
static void
type(struct linear *l, const char *text)
{
	uint32_t cp;

	for (unsigned n; (n = utf8_next(text, &cp)) > 0; text += n)
		if (cp >= ' ' && cp != 0x7f)
			ui_key(now(l), cp);
}

/* To the row of that number; false: there is none. */
static bool
go_to(struct linear *l, size_t number)
{
	size_t at = l->rows.n, to = number - 1;

	for (size_t i = 0; i < l->rows.n; i++)
		if (l->rows.list[i].cursor)
			at = i;
	if (number == 0 || to >= l->rows.n || at == l->rows.n) {
		puts("There is no such row.");
		return false;
	}
	for (; at < to; at++)
		(void)ui_act(l->ui, ACT_DOWN);
	for (; at > to; at--)
		(void)ui_act(l->ui, ACT_UP);
	return true;
}

static void
do_number(struct linear *l, size_t number, const char *rest)
{
	char digit[2] = { (char)('0' + number % 10), '\0' };

	if (l->numbers == NUMBERS_ACTIONS && number >= 1 && number <= l->n_choices) {
		(void)ui_act(now(l), l->choice[number - 1]->id);
	} else if (l->numbers == NUMBERS_SCREENS && number >= 1 && number <= 9) {
		ui_key(now(l), (uint32_t)digit[0]);
		if (*rest != '\0' && ui_top(l->ui)->ops->filter != NULL)
			ui_top(l->ui)->ops->filter(ui_top(l->ui), rest);
	} else if (go_to(l, number) && (ui_top(l->ui)->contexts & CTX_OPEN) != 0) {
		(void)ui_act(now(l), ACT_OPEN);
	}
}

/* As `:` takes it.  false: there is nothing new on the screen. */
static bool
do_line(struct linear *l, const char *line)
{
	enum palette_end end = palette_line(now(l), line);

	if (end == PALETTE_REFUSED)
		puts(palette_hint(l->ui));
	return end == PALETTE_ACTED;
}

/* Is it an action of this screen with one of its rows, and not a command that has the same name? */
static bool
is_of_row(const struct linear *l, const char *name, unsigned long number)
{
	const struct ns_action *a = ns_action_named(name);

	return a != NULL && strcmp(a->name, name) == 0 && number >= 1 && number <= l->rows.n &&
	       (a->contexts & CTX_GLOBAL) == 0 && (a->contexts & ui_top(l->ui)->contexts) != 0;
}

/* "delete 3", "zones shop", "commit", "zone show shop.example". */
static bool
do_words(struct linear *l, const char *line)
{
	const struct grammar *g = l->ui->grammar;
	char name[64];
	size_t n = strcspn(line, " ");
	const char *rest = line + n + strspn(line + n, " ");
	struct view *top;
	char *end;

	snprintf(name, sizeof name, "%.*s", (int)n, line);
	unsigned long number = strtoul(rest, &end, 10);
	bool numbered = *rest != '\0' && *end == '\0';
	if (g != NULL && g->knows(g->arg, line) && !(numbered && is_of_row(l, name, number)))
		return do_line(l, line);
	if (numbered && !go_to(l, number))
		return true;
	if (!do_line(l, name))
		return false;
	top = ui_top(l->ui);
	if (*rest != '\0' && !numbered && top->ops->filter != NULL)
		top->ops->filter(top, rest);
	else if (*rest != '\0' && !numbered && top->ops->search != NULL)
		search_text(l->ui, rest);
	return true;
}

static bool
do_short(struct linear *l, const char *line)
{
	static const struct {
		const char *word;
		enum ns_action_id id;
	} words[] = { { "n", ACT_PAGE_DOWN }, { "p", ACT_PAGE_UP }, { "b", ACT_CLOSE },
		{ "q", ACT_QUIT }, { "r", ACT_REFRESH } };

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strcmp(words[i].word, line) == 0) {
			(void)ui_act(now(l), words[i].id);
			return true;
		}
	return false;
}

static void
in_dialog(struct linear *l, const char *line)
{
	struct dialog *d = &l->ui->dialog;

	d->since_ms = 0; /* a whole line was read after the question */
	if (d->name[0] == '\0') {
		if (line[0] != '\0' && line[1] == '\0')
			ui_key(now(l), (uint32_t)(unsigned char)line[0]);
		return;
	}
	type(l, line);
	ui_key(now(l), line[0] != '\0' ? UIKEY_ENTER : UIKEY_ESC);
	if (d->on) { /* another name */
		puts("That is not its name.");
		ui_key(now(l), UIKEY_ESC);
	}
}

/* false: it is to be shown whole. */
static bool
in_fields(struct linear *l, const char *line)
{
	static const struct {
		const char *word;
		uint32_t key;
	} words[] = { { ".accept", CTRL_KEY('S') }, { ".back", UIKEY_ESC },
		{ ".previous", UIKEY_BACKTAB }, { ".next", UIKEY_TAB } };

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strcmp(words[i].word, line) == 0) {
			ui_key(now(l), words[i].key);
			return in_form(l);
		}
	if (strcmp(line, ".show") == 0)
		return false;
	if (strcmp(line, ".help") == 0 || strcmp(line, "?") == 0) {
		say_actions(l);
		return true;
	}
	if (line[0] != '\0') {
		ui_key(now(l), CTRL_KEY('U'));
		type(l, line);
	}
	ui_key(now(l), UIKEY_TAB);
	return in_form(l);
}

static void
settle(struct linear *l)
{
	uint64_t until = clock_mono_ms() + SETTLE_MS;

	do {
		struct pollfd p = { .fd = ns_client_fd(l->client), .events = POLLIN };
		int ms = ns_client_timeout_ms(l->client);

		poll(&p, 1, ms < 0 || ms > 100 ? 100 : ms);
		ns_client_dispatch(l->client, 0);
		ui_check_link(now(l));
	} while (ns_client_outstanding(l->client) > 0 && clock_mono_ms() < until && !l->ui->lost);
	if (ns_client_outstanding(l->client) > 0 && !l->ui->lost)
		puts("Still waiting for an answer; an empty line looks again.");
}

static void
take_line(struct linear *l, char *line)
{
	bool field = false, said = false, seen = true;

	line += strspn(line, " \t");
	if (l->ui->dialog.on)
		in_dialog(l, line);
	else if (in_form(l))
		said = field = in_fields(l, line);
	else if (line[0] == '/' && ui_top(l->ui)->ops->filter != NULL)
		ui_top(l->ui)->ops->filter(ui_top(l->ui), line + 1);
	else if (line[0] == '/' && ui_top(l->ui)->ops->search != NULL)
		search_text(l->ui, line + 1);
	else if (strcmp(line, "help") == 0 || strcmp(line, "?") == 0) {
		say_actions(l);
		return;
	} else if (strcmp(line, "menu") == 0) {
		say_start(l);
		return;
	} else if (isdigit((unsigned char)line[0])) {
		char *end;
		unsigned long number = strtoul(line, &end, 10);

		do_number(l, number, end + strspn(end, " "));
	} else if (line[0] == '\0')
		ui_tick(now(l));
	else if (line[0] == ':')
		seen = do_line(l, line + 1 + strspn(line + 1, " "));
	else if (!do_short(l, line))
		seen = do_words(l, line);
	if (l->ui->stopping)
		return;
	draw(l); /* what is looked at is asked for */
	settle(l);
	say_messages(l);
	if (said && field && in_form(l))
		say_field(l);
	else if (seen)
		say_screen(l);
}

static void
prompt(const struct linear *l)
{
	printf("%s > ", ui_top(l->ui)->ops->name);
	fflush(stdout);
}

/* Whole lines of what was read. */
static void
read_input(struct linear *l)
{
	ssize_t n = read(STDIN_FILENO, l->in + l->len, sizeof l->in - 1 - l->len);
	char *end;

	if (n <= 0) {
		l->ended = true;
		return;
	}
	l->len += (size_t)n;
	l->in[l->len] = '\0';
	while (!l->ui->stopping && (end = strchr(l->in, '\n')) != NULL) {
		char line[LINE_MAX_];
		size_t used = (size_t)(end - l->in);

		memcpy(line, l->in, used);
		line[used] = '\0';
		if (used > 0 && line[used - 1] == '\r')
			line[used - 1] = '\0';
		l->len -= used + 1;
		memmove(l->in, end + 1, l->len + 1);
		take_line(l, line);
		if (!l->ui->stopping)
			prompt(l);
	}
	if (l->len == sizeof l->in - 1)
		l->len = 0; /* no line is so long */
}

static void
turn(struct linear *l)
{
	struct pollfd p[] = { { .fd = STDIN_FILENO, .events = POLLIN },
		{ .fd = ns_client_fd(l->client), .events = POLLIN } };
	int ms = ns_client_timeout_ms(l->client);

	poll(p, 2, ms < 0 || ms > TICK_MS ? TICK_MS : ms);
	ns_client_dispatch(l->client, 0);
	ui_check_link(now(l));
	if (l->ui->ring.count != l->told) { /* it was not asked for: a line of its own */
		puts("");
		say_messages(l);
		prompt(l);
	}
	if (p[0].revents != 0)
		read_input(l);
}

int
linear_run(struct ns_client *client, const struct console_options *o)
{
	struct linear l = { .client = client };
	int code;

	l.ui = ui_new(client, WIDTH, HEIGHT, o->utf8 > 0 ? GLYPH_BLOCK : GLYPH_ASCII);
	if (l.ui == NULL)
		return 1;
	l.ui->clock_ns = clock_mono_ns;
	l.ui->surface->spoken = &l.rows;
	l.ui->paper = stdout;
	l.ui->read_only = o->read_only;
	l.ui->restricted = o->restricted;
	l.ui->grammar = o->grammar;
	l.ui->touched = true; /* it begins at the start, whatever the last session ended with */
	ui_main(now(&l), &screen_overview);
	ui_tick(now(&l));
	settle(&l);
	say_messages(&l);
	say_start(&l);
	prompt(&l);
	while (!l.ended && !l.ui->stopping)
		turn(&l);
	code = l.ui->stopping ? l.ui->code : ui_exit_code(l.ui);
	ui_destroy(&l.ui);
	spoken_free(&l.rows);
	return code;
}
