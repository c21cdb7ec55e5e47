/* frame.c - what is around every screen: identity bar, main tabs or the banner of a lost link, message
 * line, footer.  The footer is made of the table of actions. */
#include <stdio.h>
#include <string.h>

#include "console/core/loop.h"
#include "console/screens/drafts.h"
#include "console/screens/palette.h"
#include "ipc/base/clock.h"

#define LEAST_W       60
#define LEAST_H       16
#define MESSAGE_LINES 3
#define TABS_H        20 /* below this many rows there is no line of tabs */

static void
clock_text(int64_t wall_ms, char out[16])
{
	char at[CLOCK_RFC3339_LEN];

	clock_rfc3339(wall_ms, at);
	snprintf(out, 16, "%.8sZ", at + 11);
}

static void
draw_bar(struct ui *ui, struct surface *s)
{
	static const char safe[] = " drafts safe ";
	char now[16], right[256], waits[32] = "", every[32] = "", old[40] = "";
	const struct view *top = ui_top(ui);
	const char *link = ui->lost ? "LINK LOST" : ui->heard_ms == 0 ? "connecting" : ui->primary;
	bool slow = ui->loop != NULL && loop_slow(ui->loop);

	surface_fill(s, (struct rect){ 0, 0, s->w, 1 }, UI_BAR);
	clock_text(ui->wall_ms, now);
	if (ui->unconfirmed != 0 && ui->unconfirmed_until_ms > ui->mono_ms) {
		unsigned left_s = (unsigned)((ui->unconfirmed_until_ms - ui->mono_ms) / 1000);

		snprintf(waits, sizeof waits, ":confirm %u:%02u  ", left_s / 60, left_s % 60);
	}
	if (ui->refresh_ms != 1000)
		snprintf(every, sizeof every, "every %gs  ", (double)ui->refresh_ms / 1000);
	if (top != NULL && !ui->lost && ui_stale(top))
		snprintf(old, sizeof old, "~ %llus old  ",
		    (unsigned long long)(clock_since(ui->mono_ms, top->live_ms) / 1000));
	snprintf(right, sizeof right, "%s%s%s%s%s%s%s  %s ", waits, old, every,
	    slow ? "slow link  " : "", ui->user, ui->user[0] != '\0' ? ":" : "",
	    ui->user[0] != '\0' ? ui->role : "", link);
	/* They are files: a link is nothing to them. */
	if (ui->lost && ui->drafts != NULL && ui->drafts->count > 0 &&
	    text_width(right) + text_width(safe) + 26 <= s->w)
		snprintf(right + strlen(right), sizeof right - strlen(right), "%s", safe);
	int w = text_width(right) + 10, left = s->w - w;
	surface_putf(s, 1, 0, left > 12 ? left - 2 : s->w - 2, UI_BAR, "NameServe %s", ui->name);
	if (left > 12)
		surface_putf(s, left, 0, w, UI_BAR, "%s %s", right, ui->frozen ? "FROZEN   " : now);
}

static const struct {
	const struct ns_screen_ops *ops;
	enum ns_action_id id;
	const char *text;
} tabs[] = { { &screen_overview, ACT_OVERVIEW, "1 Overview" },
	{ &screen_zones, ACT_ZONES, "2 Zones" }, { &screen_health, ACT_HEALTH, "3 Health" },
	{ &screen_fleet, ACT_FLEET, "4 Fleet" }, { &screen_pending, ACT_DRAFTS, "5 Pending" },
	{ &screen_history, ACT_HISTORY, "6 History" }, { &screen_query, ACT_QUERY, "7 Test" },
	{ &screen_tail, ACT_TAIL, "8 Tail" } };
#define TABS (sizeof tabs / sizeof *tabs)

static int
tab_text(const struct ui *ui, size_t i, char out[32])
{
	bool counts = tabs[i].ops == &screen_pending && ui->drafts != NULL && ui->drafts->count > 0;

	return counts ? snprintf(out, 32, "%s(%zu)", tabs[i].text, ui->drafts->count)
		      : snprintf(out, 32, "%s", tabs[i].text);
}

enum ns_action_id
frame_tab(const struct ui *ui, int x)
{
	char text[32];

	for (size_t i = 0, from = 1; i < TABS && from <= (size_t)x; i++) {
		size_t to = from + (size_t)tab_text(ui, i, text);

		if ((size_t)x < to)
			return tabs[i].id;
		from = to + 2;
	}
	return ACT_NONE;
}

static void
draw_tabs(struct ui *ui, struct surface *s)
{
	char text[32];
	int x = 1;

	for (size_t i = 0; i < TABS; i++) {
		(void)tab_text(ui, i, text);
		x += surface_put(
		    s, x, 1, s->w - x, ui->views[0]->ops == tabs[i].ops ? UI_TAB_ON : UI_TAB, text);
		x += 2;
	}
}

/* When it is tried again; what is asked by way of another appliance is asked at every refresh. */
static void
retry_text(const struct ui *ui, char out[48])
{
	unsigned tries, ms = ns_client_waits(ui->client, &tries);

	if (ms > 0)
		snprintf(out, 48, "Retry %u in %us", tries, (ms + 999) / 1000);
	else
		snprintf(out, 48, "Trying again");
}

static void
draw_banner(struct ui *ui, struct surface *s)
{
	char since[16], retry[48];

	surface_fill(s, (struct rect){ 0, 1, s->w, 1 }, UI_BANNER);
	clock_text(ui->heard_wall_ms, since);
	retry_text(ui, retry);
	if (ui->heard_ms == 0)
		surface_putf(s, 1, 1, s->w - 2, UI_BANNER, "NO LINK. %s  r now  9 switch  %s",
		    retry, ui->lost_why);
	else
		surface_putf(s, 1, 1, s->w - 2, UI_BANNER,
		    "STALE %llus: no answer since %s. %s  r now  9 switch  %s",
		    (unsigned long long)(clock_since(ui->mono_ms, ui->heard_ms) / 1000), since,
		    retry, ui->lost_why);
}

/* What was live is not any more; the cursor's row stays to be seen. */
static void
draw_stale(struct surface *s, struct rect r)
{
	for (int y = r.y; y < r.y + r.h; y++)
		for (int x = r.x; x < r.x + r.w; x++)
			if (surface_at(s, x, y)->role != UI_SELECT)
				surface_mark(s, (struct rect){ x, y, 1, 1 }, UI_DIM);
}

/* Esc is said where q is a letter, p where a zone is; in a form the test leaves its room to F1. */
static bool
is_unsaid(enum ns_action_id id, unsigned contexts)
{
	return (id == ACT_BACK && (contexts & CTX_TYPED) == 0) ||
	       (id == ACT_PENDING && (contexts & (CTX_ZONE | CTX_DRAFT)) == 0) ||
	       (id == ACT_TEST && (contexts & CTX_RRSET) != 0);
}

/* Keys of what can be done here, the nearest to the point first; what does not fit is in the help. */
static void
draw_footer(struct ui *ui, struct surface *s, int y)
{
	unsigned contexts = ui_top(ui)->contexts;
	int x = 1;

	for (const struct ns_action *a = ns_actions; a->id != ACT_NONE; a++) {
		char key[16];
		int w;

		if (is_unsaid(a->id, contexts) || a->hint == NULL ||
		    (a->contexts & contexts) == 0 || ui_refuses(ui, a) != NULL ||
		    keymap_key(a, contexts, key)[0] == '\0')
			continue;
		w = text_width(key) + 1 + text_width(a->hint);
		if (x + w > s->w - 1)
			break;
		x += surface_put(s, x, y, w, UI_KEY, key) + 1;
		x += surface_put(s, x, y, w, UI_TEXT, a->hint) + 2;
	}
}

static void
draw_prompt(struct ui *ui, struct surface *s)
{
	const char *hint = ui->prompt.label == ':' ? palette_hint(ui) : "";

	if (hint[0] != '\0') {
		surface_fill(s, (struct rect){ 0, s->h - 3, s->w, 1 }, UI_TEXT);
		surface_put(s, 1, s->h - 3, s->w - 2, UI_WARN, hint);
	}
	prompt_draw(&ui->prompt, s, (struct rect){ 0, s->h - 2, s->w, 1 });
	surface_put(s, 1, s->h - 1, s->w - 2, UI_DIM,
	    ui->prompt.label == ':'
		? "Enter do it   Tab complete   Up, Down lines before   Esc leave"
	    : ui_top(ui)->ops->search != NULL ? "Enter go on from there, n next, N the one before"
	    : ui_top(ui)->ops->filter_help != NULL ? ui_top(ui)->ops->filter_help
						   : UI_FILTER_HELP "   Enter keep   Esc undo");
}

/* One line; what does not fit goes on above it. */
static void
draw_message(struct ui *ui, struct surface *s)
{
	char waiting[80];
	int lines;

	typeahead_text(ui, waiting, sizeof waiting);
	if (ui->message[0] == '\0' && waiting[0] != '\0') {
		surface_put(s, 1, s->h - 2, s->w - 2, UI_DIM, waiting);
		return;
	}
	lines = text_lines(ui->message, s->w - 2);
	if (lines > MESSAGE_LINES)
		lines = MESSAGE_LINES;
	if (lines > 1)
		surface_fill(s, (struct rect){ 0, s->h - 1 - lines, s->w, lines }, UI_TEXT);
	if (lines > 0)
		(void)surface_wrap(
		    s, (struct rect){ 1, s->h - 1 - lines, s->w - 2, lines }, UI_WARN, ui->message);
}

void
ui_draw(struct ui *ui, struct surface *s)
{
	struct view *top = ui_top(ui);
	int first = s->h >= TABS_H || ui->lost ? 2 : 1;

	if (s->w < LEAST_W || s->h < LEAST_H) {
		surface_putf(s, 0, 0, s->w, UI_TEXT, "NameServe needs %dx%d, this is %dx%d",
		    LEAST_W, LEAST_H, s->w, s->h);
		return;
	}
	draw_bar(ui, s);
	if (top == NULL)
		return;
	if (ui->lost)
		draw_banner(ui, s);
	else if (first == 2)
		draw_tabs(ui, s);
	s->stale = ui_stale(top);
	top->ops->draw(top, (struct rect){ 0, first, s->w, s->h - first - 2 });
	if (ui->lost && top->ops->tick != NULL)
		draw_stale(s, (struct rect){ 0, first, s->w, s->h - first - 2 });
	s->stale = false;
	if (ui->dialog.on) {
		dialog_draw(&ui->dialog, s, (struct rect){ 0, first, s->w, s->h - first });
		return;
	}
	if (ui->prompt.on) {
		draw_prompt(ui, s);
		return;
	}
	draw_message(ui, s);
	draw_footer(ui, s, s->h - 1);
}
