/* ns_ui_test - a screen as text, without terminal, clock or appliance.
 *
 *   ns_ui_test SCREEN FIXTURE WxH MODE     MODE: utf8-colour utf8-mono ascii-colour ascii-mono
 *   ns_ui_test --storm SEED                random keys, sizes, lost links and fixtures
 *   ns_ui_test --relayout                  every screen at every size; fails when a cell is outside
 *
 * The client library is replaced by one that answers from FIXTURE (plain, empty, hostile), at once in the
 * next turn; clocks stand still.  Prints the text plane, a line ==roles==, and the plane of roles. */
// link: tests/lib/fake/uiclient.c tests/lib/fake/uisession.c
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console/core/key.h"
#include "console/screens/palette.h"
#include "console/screens/ui.h"
#include "console/terminal/text.h"
#include "tests/lib/fake/uiclient.h"
#include "tests/lib/fake/uisession.h"
#include "tests/lib/ui_fixture.h"

/* ---- the command line that is none: zone and record are its commands ---- */
static bool
line_known(const void *arg, const char *line)
{
	(void)arg;
	return strncmp(line, "zone ", 5) == 0 || strncmp(line, "record ", 7) == 0;
}

static bool
line_taken(const void *arg, const char *line, const char *at, struct run *run, char *why, size_t n)
{
	(void)arg, (void)at, (void)run;
	if (strncmp(line, "zone ", 5) != 0)
		snprintf(why, n, "something is missing: record list ZONE");
	return strncmp(line, "zone ", 5) == 0;
}

static void
line_complete(const void *arg, const char *line, struct candidates *c)
{
	static const char *const words[] = { "list", "show", "create", "import", "export", "set" };

	(void)arg;
	if (strncmp(line, "zone ", 5) != 0) {
		snprintf(c->list[c->n++], CANDIDATE_LEN, "zone");
		return;
	}
	c->start = (size_t)(strrchr(line, ' ') - line) + 1;
	c->zones = c->start > 5;
	for (size_t i = 0; i < 6 && !c->zones; i++)
		if (strncmp(words[i], line + 5, strlen(line + 5)) == 0)
			snprintf(c->list[c->n++], CANDIDATE_LEN, "%s", words[i]);
}

static bool
line_visits(const void *arg, const char *address, struct run *run, char *why, size_t n)
{
	(void)arg, (void)run, (void)why, (void)n;
	return strncmp(address, "ssh:", 4) == 0;
}

static const struct grammar grammar = { NULL, line_known, line_taken, line_complete, line_visits };

/* What a command would write. */
static void
feed(struct view *v, bool hostile)
{
	output_line(v, "example.com.  serial 2026112201\tversion 7", false);
	output_line(v,
	    hostile ? "TXT \"\x1b]52;c;AAAA\a\xe2\x80\xae\"" : "records 214 in 88 RRsets", false);
	output_line(v, "nameserve: E2207 the parent was not asked: there is no [resolver]", true);
	output_ended(v, 3 << 8);
}

/* ---- screens, as keys lead to them ---- */
/* DRAFT: something is in the draft, so that there is one. */
#define DRAFT "2\rjd"
static const struct {
	const char *name, *keys;
	unsigned ticks;
} screens[] = { { "overview", "", 70 }, { "problems", "!j", 5 }, { "zones", "2jj", 1 },
	{ "filter", "2/shop", 1 }, { "records", "2\r\v\vj", 1 },
	{ "zone-make", "2ashop.new\x13", 1 }, { "zones-late", "", 2 },
	{ "records-filter", "2\r/type:MX\r", 1 }, { "zone-history", "2\rH", 1 },
	{ "history", "6j", 1 }, { "history-filter", "6/who:ci\r", 1 }, { "change", "6\r", 1 },
	{ "help", "?", 1 }, { "help-zones", "2?", 1 }, { "messages", "++:messages\r", 1 },
	{ "lost", "2", 1 }, { "lost-overview", "", 30 }, { "records-draft", DRAFT "j", 1 },
	{ "menu", DRAFT ".", 1 }, { "editor", "2\rGke", 1 },
	{ "editor-error",
	    "2\ra"
	    "www\t\t\t192.0.2.300",
	    1 },
	{ "editor-new",
	    "2\ra"
	    "beta\t\x15https\t\t1\t.\talpn=h2,h3",
	    1 },
	{ "editor-naptr",
	    "2\ra"
	    "n\t\x15naptr\t\t100\t10\tu\tE2U+sip",
	    1 },
	{ "pending", DRAFT "5", 1 }, { "diff", DRAFT "p\v\tOPS-1182 move\t", 1 },
	{ "diff-commit", DRAFT "pC", 1 }, { "committed", DRAFT "pC\vy", 1 },
	{ "diff-conflict", DRAFT "p", 1 }, { "conflict", DRAFT "p\rb", 1 }, { "revert", "6R", 1 },
	{ "conflict-edit", DRAFT "p\rje", 1 }, { "diff-search", DRAFT "p/beta", 1 },
	{ "zones-preview", "2jw", 1 }, { "records-preview", "2\rjjw", 1 },
	{ "records-preview-policy", "2\rw\v\v", 1 }, { "records-preview-draft", DRAFT "jw", 1 },
	{ "records-others", "2jjj\r\v", 1 }, { "zones-sort", "2>>>o>>", 1 },
	{ "records-sort", "2\r>oO", 1 }, { "fleet-sort", "4>>>>o", 3 },
	{ "zones-marked", "2 jvjjvk", 1 }, { "zones-delete", "2vjjvdold\x13\v", 1 },
	{ "records-marked", "2\rj  jv jv", 1 },
	{ "records-ttl",
	    "2\r*:set-ttl\r"
	    "5x\x13",
	    1 },
	{ "settings", "2\r[Gkkkkkk\r", 1 }, { "settings-sites", "2\r[Gkkkk\r\t", 1 },
	{ "settings-delete", "2\r[G\rgone\x13\v", 1 }, { "policies", "2\r]j", 1 },
	{ "policy-pool", "2\r]\rjj", 1 },
	{ "policy-form",
	    "2\r]\rjj\r\t\t\t\t\t\t\x15"
	    "192.0.2.300",
	    1 },
	{ "policy-test", "2\r]\rjjt\v", 1 }, { "policy-geo", "2\r]\rk", 1 },
	{ "policy-new", "2\r]abeta", 1 }, { "check-edit", "2\r]\rjj\r\t\t\t\t\t\t\t\t\x0f", 1 },
	{ "check-new",
	    "2\r]\rjj\r\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\x0f"
	    "eu-9\td\t192.0.2.9\t99x",
	    1 },
	{ "check-sure",
	    "2\r]\rjj\r\t\t\t\t\t\t\t\t\x0f\t\x15"
	    "192.0.2.22\x13",
	    1 },
	{ "check-try",
	    "2\r]\rjj\r\t\t\t\t\t\t\t\t\x0f\t\x15"
	    "192.0.2.22\x14",
	    1 },
	{ "health", "3", 2 }, { "health-problems", "3!", 2 }, { "check", "3\r", 2 },
	{ "events", "3H", 2 }, { "force", "3F\tOPS-7 it is being moved", 2 },
	{ "force-ask", "3F\tOPS-7 it is being moved\x13", 2 }, { "probe-now", "3t", 2 },
	{ "fleet", "4j", 5 }, { "pop", "4jjj\r", 2 }, { "fleet-many", "4\v\vG", 2 },
	{ "fleet-many-sort", "4\v>>>>>o", 2 }, { "overview-draft", DRAFT "1", 3 },
	{ "overview-many", "\v\v", 30 }, { "connect-many", "9\v\v", 2 },
	{ "drain-ask", "4jjjDnew disks\x13", 2 }, { "dnssec", "2\r]]j", 2 },
	{ "unsign-ask", "2\r]]:unsign\r \tmoves away\x13", 2 }, { "roll-ask", "2\r]]K\x13", 2 },
	{ "copy", "2\rGky", 1 }, { "text", "2\rE", 1 }, { "text-error", "2\rEx\x13", 1 },
	{ "text-again", "2\rEx\x13\ve", 1 },
	{ "text-field",
	    "2\ra"
	    "beta\t\x15txt\t\tv=spf1 mx -all\x0f",
	    1 },
	{ "trash", ":trash\r", 1 }, { "trash-ask", ":trash\rR", 1 },
	{ "overview-fleet", "w\t", 30 }, { "overview-latency", "[", 30 },
	{ "metrics", "2\r]]]\v\v\vjj", 1 }, { "query", "7", 1 },
	{ "query-answer", "7www.shop-000.example\tA\t203.0.113.77\r", 1 },
	{ "query-record", "2\rjt", 1 }, { "query-draft", DRAFT "jt", 1 }, { "tail", "8\v\v", 1 },
	{ "tail-filter", "8/rcode:NXDOMAIN\rw\v\vg", 1 }, { "tail-explain", "8\v\v\r", 1 },
	{ "connect", "9jj", 1 }, { "connected", "9jj\r", 1 }, { "lost-connect", "9", 1 },
	{ "connect-ask", "9alab\talice@-oProxyCommand\x13", 1 },
	{ "connect-profiles", "9alab\talice@lab1\023aams9\tssh://ops@[2001:db8::1]:2222\023G", 1 },
	{ "connect-drop", "9alab\talice@lab1\023/lab1\rd", 1 },
	{ "palette", "2:zone show shop-00\t", 1 }, { "palette-verbs", "2:zone s\t", 1 },
	{ "palette-refused", "2:record list\r", 1 }, { "output", "2:zone show example.com\r", 1 },
	{ "output-runs", ":zone check example.com\r\v\v", 1 }, { "lost-policies", "2\r]\v\v", 1 },
	{ "lost-metrics", "2\r]]]\v\v", 1 }, { "lost-health", "3", 2 }, { "lost-check", "3\r", 2 },
	{ "lost-fleet", "4jjj", 2 }, { "lost-pop", "4jjj\r", 2 }, { "stale-overview", "", 30 },
	{ "lost-records", "2\rj", 1 },
	{ "lost-draft", DRAFT "abeta\t\x15https\t\t1\t.\talpn=h2,h3\x13", 1 } };
#define SCREENS (sizeof screens / sizeof *screens)

/* After a session that left its list sorted and filtered; a key before the appliance has said who it is. */
static struct ui *
come_late(struct ui *before, int w, int h, enum glyph_set glyphs)
{
	struct ui *ui;

	uisession_keys(before, "2>o/shop\r");
	ui = uisession_next(&before, w, h, glyphs);
	ui_key(ui, '2');
	return ui;
}

static struct ui *
reach(size_t screen, int w, int h, enum glyph_set glyphs)
{
	const char *name = screens[screen].name;
	bool admin = strstr(" drain-ask unsign-ask roll-ask dnssec ", name) != NULL;
	struct ui *ui =
	    uisession_open(w, h, glyphs, admin ? "admin" : "operator", screens[screen].ticks);

	if (strcmp(name, "zones-late") == 0) {
		ui = come_late(ui, w, h, glyphs);
		uisession_ticks(ui, screens[screen].ticks);
	}
	fixture_with_policies = strcmp(name, "records-preview-policy") == 0;
	fixture_with_many = strstr(name, "-many") != NULL;
	ui->grammar = &grammar;
	ui->restricted = strncmp(name, "text", 4) == 0; /* $EDITOR is not ours to start */
	for (const char *k = screens[screen].keys; *k != '\0'; k++) {
		if (strstr(name, "conflict") != NULL && *k == 'p')
			uiclient.plan_fails = NS_CONFLICT;
		uisession_key(ui, (unsigned char)*k);
	}
	if (strcmp(name, "output") == 0)
		feed(ui_top(ui), strcmp(fixture, "hostile") == 0);
	if (strncmp(name, "stale", 5) == 0) { /* the link is there; who counts is not */
		uiclient.deaf = NS__ENVELOPE__BODY_STATS_REQUEST;
		ui_now(ui, ui->mono_ms + 12000, UISESSION_WALL_MS + 12000);
		ui_tick(ui);
		uiclient_answer();
	}
	if (strncmp(name, "lost", 4) == 0) {
		uiclient.lost = true;
		ui_now(ui, ui->heard_ms + 42000, UISESSION_WALL_MS + 42000);
		ui_check_link(ui);
		if (strcmp(name, "lost-draft") == 0)
			uisession_keys(ui, "Gkd"); /* what is edited now no plan tells of */
	}
	uisession_draw(ui); /* what is looked at may have to be asked for */
	uiclient_answer();
	uisession_draw(ui);
	return ui;
}

static void
relayout(void)
{
	static const char *const fixtures[] = { "plain", "empty", "hostile" };

	for (size_t f = 0; f < 3; f++)
		for (size_t i = 0; i < SCREENS; i++) {
			fixture = fixtures[f];
			struct ui *ui = reach(i, 80, 24, f == 1 ? GLYPH_ASCII : GLYPH_BLOCK);
			/* Each size of a small terminal; of large ones some. */
			for (int w = 1; w <= 200; w += f == 0 && w < 90 ? 1 : 7)
				for (int h = 1; h <= 60; h += f == 0 && h < 30 ? 1 : 3) {
					surface_resize(ui->surface, w, h);
					ui_draw(ui, ui->surface);
					if (ui->surface->outside == 0)
						continue;
					printf("%s %s %dx%d: %llu cells outside\n", fixture,
					    screens[i].name, w, h,
					    (unsigned long long)ui->surface->outside);
					exit(1);
				}
			ui_destroy(&ui);
		}
	printf("%zu screens at 4000 sizes\n", SCREENS);
}

/* What holds of every frame: nothing outside, a footer, and the terminal's cursor on the row that is selected. */
static const char *
broken(const struct ui *ui)
{
	const struct surface *s = ui->surface;
	int marked = 0, at = -1, x = 0;

	if (s->outside > 0 || ui->n_views == 0)
		return "cells outside, or no screen";
	if (s->w < 60 || s->h < 16)
		return NULL;
	while (x < s->w && surface_at(s, x, s->h - 1)->cp == ' ')
		x++;
	if (x == s->w)
		return "no footer";
	for (int y = 2; y < s->h - 2; y++)
		if (surface_at(s, 0, y)->cp == '>') {
			marked++;
			at = y;
		}
	if (s->cursor_x < 0 || s->cursor_x >= s->w || s->cursor_y < 0 || s->cursor_y >= s->h)
		return "the cursor is outside";
	return marked == 1 && !s->cursor_on && !ui->dialog.on && s->cursor_y != at
		   ? "the cursor is not on the selection"
		   : NULL;
}

/* What a cat on the keyboard does, with answers that come late, in another order, or never. */
static void
storm(unsigned seed)
{
	static const char *const fixtures[] = { "plain", "empty", "hostile" };
	static const char keys[] =
	    "jkgGhlq123456789v*U?:!FDKsTE/nN"
	    "fr+-]H[.eacdupCXymtbRwsS\x13\x0fJKy\r\x1b\x07\x04\x15\x13\x12\t "
	    "xo~^\x7f";
	struct ui *ui = reach(0, 80, 24, GLYPH_BLOCK);

	srand(seed);
	ui->restricted = true; /* the console's own editor, not another program */
	uiclient.mutating = true;
	for (unsigned i = 0; i < 30000; i++) {
		int what = rand() % 100;

		ui_now(ui, UISESSION_MONO_MS + 10 * i, UISESSION_WALL_MS + 10 * i);
		fixture = fixtures[rand() % 3];
		if (what < 60)
			ui_key(ui, (unsigned char)keys[(size_t)rand() % (sizeof keys - 1)]);
		else if (what < 64)
			ui_key(ui, UIKEY_BASE + (uint32_t)rand() % 20);
		else if (what < 80)
			uiclient_answer();
		else if (what < 90)
			ui_tick(ui);
		else if (what < 93)
			uiclient.lost = !uiclient.lost;
		else if (what < 94 && ui_top(ui)->ops == &screen_output)
			feed(ui_top(ui), true);
		else if (what < 94 && !ui->dialog.on && (ui_top(ui)->contexts & CTX_FORM) == 0)
			(void)palette_line(ui, "zone show x");
		else if (what < 97)
			surface_resize(ui->surface, 1 + rand() % 200, 1 + rand() % 60);
		ui_check_link(ui);
		uisession_draw(ui);
		if (broken(ui) != NULL) {
			printf("seed %u, step %u: %s\n", seed, i, broken(ui));
			text_print(stdout, ui->surface);
			exit(1);
		}
	}
	ui_destroy(&ui);
	printf("storm %u passed\n", seed);
}

int
main(int argc, char **argv)
{
	int w, h;
	size_t i = 0;

	uisession_begin();
	if (argc == 2 && strcmp(argv[1], "--relayout") == 0) {
		relayout();
		return 0;
	}
	if (argc == 3 && strcmp(argv[1], "--storm") == 0) {
		storm((unsigned)atoi(argv[2]));
		return 0;
	}
	while (argc == 5 && i < SCREENS && strcmp(argv[1], screens[i].name) != 0)
		i++;
	if (argc != 5 || i == SCREENS || sscanf(argv[3], "%dx%d", &w, &h) != 2) {
		fputs("usage: ns_ui_test SCREEN FIXTURE WxH MODE\n", stderr);
		return 2;
	}
	fixture = argv[2];
	struct ui *ui =
	    reach(i, w, h, strncmp(argv[4], "ascii", 5) == 0 ? GLYPH_ASCII : GLYPH_BLOCK);
	text_print(stdout, ui->surface);
	puts("==roles==");
	text_print_roles(stdout, ui->surface, strstr(argv[4], "mono") == NULL);
	ui_destroy(&ui);
	return 0;
}
