/* backend_ncurses.c - see ncurses.h.
 *
 * Only what changed since the last frame is given to curses, which then finds the cheapest way to write it.
 * After a crash the terminal is put back by what was prepared at the start: nothing else is safe in a signal
 * handler. */
#define NCURSES_WIDECHAR 1
#include "console/terminal/ncurses.h"

#include <curses.h>
#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <openssl/evp.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <term.h>
#include <termios.h>
#include <unistd.h>

#include "console/core/key.h"
#include "console/core/theme.h"
#include "ipc/base/xalloc.h"

#define COPY_MAX 74994u /* octets; 100,000 as base64 */

/* Codes of our own for what define_key teaches curses. */
enum { CODE_ACK = KEY_MAX + 1, CODE_PASTE_BEGIN, CODE_PASTE_END, CODE_FOCUS };

struct curses {
	struct terminal terminal;
	SCREEN *screen;
	struct surface *shown; /* what the terminal has; NULL: nothing known */
	bool colour, ansi;
	enum ui_theme theme;
};

static struct {
	struct termios termios;
	bool armed;
} before; /* for the signal handler */

static void
on_crash(int sig)
{
	static const char restore[] = "\033[?2026l\033[?2004l\033[?1049l\033[?25h\033[0m\r\n";

	if (before.armed) {
		tcsetattr(STDIN_FILENO, TCSANOW, &before.termios);
		if (write(STDOUT_FILENO, restore, sizeof restore - 1) < 0)
			before.armed = false;
	}
	signal(sig, SIG_DFL);
	raise(sig);
}

bool
ncurses_utf8(void)
{
	const char *term = getenv("TERM"), *wanted = getenv("LC_ALL");

	if (wanted == NULL || wanted[0] == '\0')
		wanted = getenv("LC_CTYPE");
	if (wanted == NULL || wanted[0] == '\0')
		wanted = getenv("LANG");
	/* ssh forwards names of locales that are not installed here. */
	if (setlocale(LC_ALL, "") == NULL && wanted != NULL &&
	    (strcasestr(wanted, "UTF-8") != NULL || strcasestr(wanted, "utf8") != NULL))
		setlocale(LC_CTYPE, "C.UTF-8");
	if (strcmp(nl_langinfo(CODESET), "UTF-8") != 0)
		return false;
	return term != NULL && strcmp(term, "linux") != 0 && strncmp(term, "vt", 2) != 0;
}

/* ---- keys ---- */

static const struct {
	int code;
	uint32_t key;
} codes[] = { { KEY_UP, UIKEY_UP }, { KEY_DOWN, UIKEY_DOWN }, { KEY_LEFT, UIKEY_LEFT },
	{ KEY_RIGHT, UIKEY_RIGHT }, { KEY_HOME, UIKEY_HOME }, { KEY_END, UIKEY_END },
	{ KEY_FIND, UIKEY_HOME }, { KEY_SELECT, UIKEY_END }, { KEY_PPAGE, UIKEY_PGUP },
	{ KEY_NPAGE, UIKEY_PGDN }, { KEY_DC, UIKEY_DELETE }, { KEY_BTAB, UIKEY_BACKTAB },
	{ KEY_BACKSPACE, UIKEY_BACKSPACE }, { KEY_ENTER, UIKEY_ENTER }, { KEY_F(1), UIKEY_F1 },
	{ KEY_F(2), UIKEY_F2 }, { CODE_ACK, UIKEY_ACK }, { CODE_PASTE_BEGIN, UIKEY_PASTE_BEGIN },
	{ CODE_PASTE_END, UIKEY_PASTE_END }, { CODE_FOCUS, UIKEY_FOCUS } };

static uint32_t
key_of(int code)
{
	for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
		if (codes[i].code == code)
			return codes[i].key;
	return UIKEY_FOCUS; /* KEY_RESIZE, and keys that mean nothing */
}

/* curses says ERR for "nothing now" and for "the terminal is gone". */
static bool
hung_up(void)
{
	struct pollfd p = { .fd = STDIN_FILENO, .events = POLLIN };
	int n = 0;

	if (poll(&p, 1, 0) <= 0)
		return false;
	if ((p.revents & (POLLHUP | POLLERR | POLLNVAL)) != 0)
		return true;
	return (p.revents & POLLIN) != 0 && (ioctl(STDIN_FILENO, FIONREAD, &n) != 0 || n == 0);
}

/* Where it was, and what: the kinds of events that are asked for alone. */
static uint32_t
mouse_key(void)
{
	MEVENT m;

	if (getmouse(&m) != OK)
		return UIKEY_FOCUS;
	if ((m.bstate & BUTTON4_PRESSED) != 0)
		return UIKEY_WHEEL_UP;
	if ((m.bstate & BUTTON5_PRESSED) != 0)
		return UIKEY_WHEEL_DOWN;
	return m.x >= 0 && m.y >= 0 ? KEY_POINT(m.x, m.y) : UIKEY_FOCUS;
}

static void
term_mouse(void *state, bool on)
{
	(void)state;
	(void)mouseinterval(0); /* a click is told when the button goes down */
	(void)mousemask(on ? BUTTON1_PRESSED | BUTTON4_PRESSED | BUTTON5_PRESSED : 0, NULL);
}

static bool
term_read(void *state, uint32_t *key, bool *closed)
{
	wint_t c;
	int kind = get_wch(&c);

	(void)state;
	if (kind == ERR) {
		*closed = hung_up();
		return false;
	}
	*key = kind == KEY_CODE_YES && c == KEY_MOUSE ? mouse_key()
	       : kind == KEY_CODE_YES                 ? key_of((int)c)
	       : c == '\n'                            ? UIKEY_ENTER
	       : c == 8                               ? UIKEY_BACKSPACE
						      : (uint32_t)c;
	return true;
}

/* ---- size ---- */

static void
term_size(void *state, int *w, int *h)
{
	(void)state;
	*w = COLS;
	*h = LINES;
}

static void
term_resized(void *state)
{
	struct curses *c = state;
	struct winsize ws;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) == 0 && ws.ws_row > 0 && ws.ws_col > 0)
		resizeterm(ws.ws_row < SURFACE_MAX ? ws.ws_row : SURFACE_MAX,
		    ws.ws_col < SURFACE_MAX ? ws.ws_col : SURFACE_MAX);
	surface_destroy(&c->shown);
	clearok(stdscr, TRUE);
}

/* ---- drawing ---- */
static void
write_all(const char *text, size_t len)
{
	while (len > 0) {
		ssize_t n = write(STDOUT_FILENO, text, len);

		if (n < 0 && errno != EINTR && errno != EAGAIN)
			return;
		if (n < 0)
			continue;
		text += n;
		len -= (size_t)n;
	}
}

static attr_t
attributes(const struct curses *c, const struct cell *cell, short *pair)
{
	struct look look =
	    theme_look(c->colour ? c->theme : UI_THEME_MONO, (enum ui_role)cell->role);
	attr_t a = A_NORMAL;

	*pair = look.colour > 0 ? look.colour : 0;
	if ((look.attributes & THEME_BOLD) != 0)
		a |= A_BOLD;
	if ((look.attributes & THEME_REVERSE) != 0)
		a |= A_REVERSE;
	if ((look.attributes & THEME_UNDERLINE) != 0)
		a |= A_UNDERLINE;
	if ((look.attributes & THEME_DIM) != 0)
		a |= A_DIM;
	return a;
}

static void
draw_cell(const struct curses *c, int x, int y, const struct cell *cell)
{
	wchar_t text[4] = { (wchar_t)cell->cp, (wchar_t)cell->marks[0], (wchar_t)cell->marks[1],
		0 };
	cchar_t out;
	short pair;
	attr_t a = attributes(c, cell, &pair);

	if (cell->cp == 0)
		return; /* drawn with its left half */
	setcchar(&out, text, a, pair, NULL);
	mvadd_wch(y, x, &out);
}

static void
draw_cells(const struct curses *c, const struct surface *s, bool all)
{
	for (int y = 0; y < s->h && y < LINES; y++)
		for (int x = 0; x < s->w && x < COLS; x++) {
			const struct cell *cell = surface_at(s, x, y);

			if (all || memcmp(cell, surface_at(c->shown, x, y), sizeof *cell) != 0)
				draw_cell(c, x, y, cell);
		}
}

static bool
same_frame(const struct surface *a, const struct surface *b)
{
	return a->cursor_on == b->cursor_on && a->cursor_x == b->cursor_x &&
	       a->cursor_y == b->cursor_y &&
	       memcmp(a->cells, b->cells, (size_t)a->w * (size_t)a->h * sizeof *a->cells) == 0;
}

/* curses writes a frame in many pieces: a terminal that knows mode 2026 shows it at its end, others ignore it. */
static void
term_draw(void *state, const struct surface *s)
{
	struct curses *c = state;
	bool all = c->shown == NULL || c->shown->w != s->w || c->shown->h != s->h;

	if (all) {
		surface_destroy(&c->shown);
		c->shown = surface_new(s->w, s->h, s->ascii);
		erase();
	}
	bool whole = c->ansi && (all || !same_frame(s, c->shown));

	draw_cells(c, s, all);
	memcpy(c->shown->cells, s->cells, (size_t)s->w * (size_t)s->h * sizeof *s->cells);
	c->shown->cursor_on = s->cursor_on;
	c->shown->cursor_x = s->cursor_x;
	c->shown->cursor_y = s->cursor_y;
	if (whole)
		write_all("\033[?2026h", 8);
	curs_set(s->cursor_on ? 1 : 0);
	move(s->cursor_y < LINES ? s->cursor_y : LINES - 1,
	    s->cursor_x < COLS ? s->cursor_x : COLS - 1);
	wnoutrefresh(stdscr);
	doupdate();
	if (whole)
		write_all("\033[?2026l", 8);
}

static void
term_repaint(void *state)
{
	struct curses *c = state;

	surface_destroy(&c->shown);
	clearok(stdscr, TRUE);
}

static bool
term_writable(void *state)
{
	struct pollfd p = { .fd = STDOUT_FILENO, .events = POLLOUT };

	(void)state;
	return poll(&p, 1, 0) == 1;
}

static bool
term_probe(void *state)
{
	struct curses *c = state;

	return c->ansi && term_writable(c) && write(STDOUT_FILENO, "\033[5n", 4) == 4;
}

static void
term_suspend(void *state)
{
	(void)state;
	endwin();
	raise(SIGTSTP); /* here until SIGCONT */
	doupdate();
}

static void
term_theme(void *state, enum ui_theme theme)
{
	struct curses *c = state;

	c->theme = theme;
	surface_destroy(&c->shown); /* the same cells look different */
}

/* ---- another program ---- */
static void
term_leave(void *state)
{
	struct curses *c = state;

	if (c->ansi)
		write_all("\033[?2004l", 8);
	endwin();
}

static void
term_enter(void *state)
{
	struct curses *c = state;

	doupdate();
	if (c->ansi)
		write_all("\033[?2004h", 8);
	term_repaint(state);
}

/* ---- copying ---- */
/* OSC 52: what is longer is not taken by most terminals. */
static void
term_copy(void *state, const char *text)
{
	struct curses *c = state;
	size_t len = strlen(text);
	unsigned char *coded;

	if (!c->ansi || len > COPY_MAX)
		return;
	coded = xmalloc(len * 4 / 3 + 8);
	int n = EVP_EncodeBlock(coded, (const unsigned char *)text, (int)len);
	write_all("\033]52;c;", 7);
	write_all((const char *)coded, (size_t)n);
	write_all("\007", 1);
	free(coded);
}

static void
term_page(void *state, const char *text)
{
	static const char end[] = "\r\n(a key goes back)";

	(void)state;
	tputs(exit_ca_mode != NULL ? exit_ca_mode : clear_screen, 1, putchar);
	fflush(stdout);
	write_all("\r\n", 2);
	for (size_t n; *text != '\0'; text += n + (text[n] == '\n')) {
		n = strcspn(text, "\n");
		write_all(text, n);
		write_all("\r\n", 2);
	}
	write_all(end, sizeof end - 1);
}

static void
term_unpage(void *state)
{
	(void)state;
	write_all("\r\n", 2);
	if (enter_ca_mode != NULL)
		tputs(enter_ca_mode, 1, putchar);
	fflush(stdout);
}

/* ---- life ---- */

/* Beyond terminfo: what terminals send all the same, in either cursor key mode, and what we asked for.  A
 * sequence that curses does not know would come as Esc and letters, and would be obeyed as such. */
static const struct {
	const char *sequence;
	int code;
} taught[] = { { "\033[0n", CODE_ACK }, { "\033[3n", CODE_FOCUS },
	{ "\033[200~", CODE_PASTE_BEGIN }, { "\033[201~", CODE_PASTE_END },
	{ "\033[I", CODE_FOCUS }, { "\033[O", CODE_FOCUS }, { "\033[A", KEY_UP },
	{ "\033[B", KEY_DOWN }, { "\033[C", KEY_RIGHT }, { "\033[D", KEY_LEFT },
	{ "\033OA", KEY_UP }, { "\033OB", KEY_DOWN }, { "\033OC", KEY_RIGHT },
	{ "\033OD", KEY_LEFT }, { "\033[H", KEY_HOME }, { "\033[F", KEY_END },
	{ "\033OH", KEY_HOME }, { "\033OF", KEY_END }, { "\033[1~", KEY_HOME },
	{ "\033[4~", KEY_END }, { "\033[7~", KEY_HOME }, { "\033[8~", KEY_END },
	{ "\033[2~", CODE_FOCUS }, { "\033[3~", KEY_DC }, { "\033[5~", KEY_PPAGE },
	{ "\033[6~", KEY_NPAGE }, { "\033[Z", KEY_BTAB }, { "\033OP", KEY_F(1) },
	{ "\033[11~", KEY_F(1) } };

static void
teach_keys(void)
{
	for (size_t i = 0; i < sizeof taught / sizeof *taught; i++)
		define_key(taught[i].sequence, taught[i].code);
}

static void
set_up(struct curses *c, bool colour)
{
	const char *clear = tigetstr("cup");

	raw();
	noecho();
	nonl();
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	if (getenv("ESCDELAY") == NULL)
		set_escdelay(50);
	intrflush(stdscr, FALSE);
	typeahead(-1); /* a frame is written whole: what it answers was typed before it */
	/* Lists repaint cheaply; inserting and deleting lines is what old terminals do worst. */
	idlok(stdscr, FALSE);
	change_scroll_region = NULL; /* that alone does not keep curses from it */
	teach_keys();
	c->ansi = clear != NULL && clear != (char *)-1 && clear[0] == '\033' && clear[1] == '[';
	c->colour = colour && has_colors() && start_color() == OK && use_default_colors() == OK;
	for (short i = 1; c->colour && i < THEME_ORANGE; i++)
		init_pair(i, i, -1);
	if (c->colour) {
		init_pair(THEME_ORANGE, COLORS >= 256 ? 208 : 3, -1);
		init_pair(THEME_BLUE, COLORS >= 256 ? 33 : 4, -1);
	}
	if (c->ansi && write(STDOUT_FILENO, "\033[?2004h", 8) != 8)
		c->ansi = false;
}

struct terminal *
ncurses_open(bool colour, const char **why)
{
	struct curses *c;
	int err;

	*why = "this terminal cannot show it";
	if (setupterm(NULL, STDOUT_FILENO, &err) != OK) {
		*why = "this terminal is not known here (TERM)";
		return NULL;
	}
	if (tigetstr("cup") == NULL || tigetstr("cup") == (char *)-1)
		return NULL;
	tcgetattr(STDIN_FILENO, &before.termios);
	use_env(FALSE);
	use_tioctl(TRUE);
	c = xcalloc(1, sizeof *c);
	c->screen = newterm(NULL, stdout, stdin);
	if (c->screen == NULL) {
		free(c);
		return NULL;
	}
	before.armed = true;
	set_up(c, colour);
	signal(SIGSEGV, on_crash);
	signal(SIGABRT, on_crash);
	signal(SIGBUS, on_crash);
	c->terminal = (struct terminal){ c, term_read, term_size, term_resized, term_draw,
		term_repaint, term_writable, term_probe, term_suspend, term_leave, term_enter,
		term_copy, term_page, term_unpage, term_theme, term_mouse };
	return &c->terminal;
}

void
ncurses_close(struct terminal **tp)
{
	struct curses *c;

	if (*tp == NULL)
		return;
	c = (*tp)->state;
	*tp = NULL;
	if (c->ansi && write(STDOUT_FILENO, "\033[?2004l", 8) != 8)
		c->ansi = false;
	endwin();
	before.armed = false;
	delscreen(c->screen);
	surface_destroy(&c->shown);
	free(c);
}
