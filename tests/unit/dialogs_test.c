// link: tests/lib/fake/uiclient.c tests/lib/fake/uisession.c
/* Every dialog of the console: what leads to it, what it says, and which keys answer it.  Nothing happens before the
 * operator has meant it: not by what was typed ahead, by Enter, by the key that asked, or by pasted text; and what takes a
 * name is not done by a single key.  And keys that lead to no dialog but to a place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "console/core/key.h"
#include "console/screens/drafts.h"
#include "tests/lib/fake/uiclient.h"
#include "tests/lib/fake/uisession.h"
#include "tests/lib/ui_fixture.h"

#define B(name) NS__ENVELOPE__BODY_##name
#define NOTHING \
	NS__ENVELOPE__BODY__NOT_SET /* yes asks nothing of the appliance: the screen goes, or the draft */
#define ZONE    "shop-000.example"
#define DRAFT   "2\rjd" /* so that there is one */
#define UNSIGN  "2\r]]:unsign\r"
#define FOLLOW  "Policies that depend on it follow within a second, at every appliance."
#define AT_ONCE "It is so at once, on all appliances: checks are no part of a draft."
#define LOST    "Leave this form? What is typed here is lost"

/* Where keys have it, the appliance becomes that of the row's fixture. */
#define NOW "\x1f"

static const struct asked {
	const char *keys; /* the last of them opens the dialog */
	const char *ask, *more; /* what it says */
	const char *type; /* what has to be typed; NULL: y is enough */
	Ns__Envelope__BodyCase sends; /* what yes asks of the appliance */
	const char *fixture; /* from NOW on; without NOW, from the beginning; NULL: plain */
} dialogs[] = {
	/* Drafts. */
	{ DRAFT "pC", "Commit +1 -1 ~2 rrsets to " ZONE ", at fra1-a?  (no comment)", "", NULL,
	    B(COMMIT_REQUEST), NULL },
	{ DRAFT "p\tOPS-9\t5\tC", "Commit +1 -1 ~2 rrsets to " ZONE ", at fra1-a?",
	    "It is taken back in 5 minutes unless you :confirm it.", NULL, B(COMMIT_REQUEST),
	    NULL },
	{ DRAFT "pC", "Commit +1 -1 ~2 rrsets to " ZONE ", at fra1-a?  (no comment)",
	    "More than 30 % of the zone's records go or change.", ZONE, B(COMMIT_REQUEST),
	    "heavy" },
	{ DRAFT "pX", "Discard this draft? All of its operations are lost.", "", NULL, NOTHING,
	    NULL },
	/* What is typed and not kept yet. */
	{ "2\rawww\x1b", LOST "; the draft stays as it was.", "", NULL, NOTHING, NULL },
	{ "2\r]abeta\x1b\x1b",
	    "Leave this policy? What is typed here is lost; the draft stays as it was.", "", NULL,
	    NOTHING, NULL },
	{ "2\rEx\x1b", "Leave this text? What you changed in it is lost.", "", NULL, NOTHING,
	    NULL },
	{ "3e\t\x15"
	  "192.0.2.22\x1b",
	    LOST ".", "", NULL, NOTHING, NULL },
	/* Zones. */
	{ "2d", "Delete " ZONE "?", "It is answered no more; for 30 days :trash brings it back.",
	    ZONE, B(ZONE_DELETE_REQUEST), NULL },
	{ "2\r[G\rgone\x13", "Delete " ZONE "?",
	    "It is answered no more; for 30 days :trash brings it back. Its draft stays.", ZONE,
	    B(ZONE_DELETE_REQUEST), NULL },
	{ "2vjjvdold\x13", "Delete 3 zones?",
	    "At once, a change each; for 30 days :trash brings them back.", "DELETE 3",
	    B(ZONE_DELETE_REQUEST), NULL },
	{ "2vjjv:set-ttl\r"
	  "5m\x13",
	    "Set the TTL in 3 zones?",
	    "One draft a zone; nothing is served before they are committed.", "TTL 3", NOTHING,
	    NULL },
	{ "2\r[Gkkkk\r\tmoved\x13", "Change " ZONE " at once?",
	    "Appliances of other sites delete the zone and answer REFUSED.", NULL,
	    B(ZONE_SET_REQUEST), NULL },
	{ "2\r[Gkkkkk\r\tmoved\x13", "Change " ZONE " at once?", "It is no part of a draft.", NULL,
	    B(ZONE_SET_REQUEST), NULL },
	{ "2\r[Gkk\r\t\tmoved\x13", "Change what new zones get?", "It is no part of a draft.", NULL,
	    B(SETTINGS_SET_REQUEST), NULL },
	{ ":trash\rR", "Bring old-shop.example back, as it was when it was deleted?",
	    "It is served at once, under a new serial.", NULL, B(ZONE_RESTORE_REQUEST), NULL },
	/* Keys. */
	{ "2\r" NOW "]]:sign\r\x13", "Sign " ZONE " with 13 ECDSA P-256 and nsec?",
	    "Nothing depends on it until its DS is at the parent; until then it can be undone.",
	    NULL, B(DNSSEC_SET_REQUEST), "empty" },
	{ UNSIGN "\tmoves away\x13", "Stop signing " ZONE " when the DS is gone?",
	    "The parent is asked by CDS to drop the DS; the zone stays signed until no cache can "
	    "have it.",
	    ZONE, B(DNSSEC_SET_REQUEST), NULL },
	{ UNSIGN " \tmoves away\x13", "Stop signing " ZONE " now?",
	    "A DS IS AT THE PARENT: whoever validates takes every answer of an unsigned zone for "
	    "forged and gets SERVFAIL, until the DS is gone and has left the caches, which is "
	    "hours or days.",
	    ZONE, B(DNSSEC_SET_REQUEST), NULL },
	{ "2\r]]K\x13", "Begin to roll ksk of " ZONE ", as planned?",
	    "It waits for you when the new DS has to go to the registrar. Answers validate all the "
	    "time.",
	    ZONE, B(DNSSEC_SET_REQUEST), NULL },
	{ "2\r]]Kz\x13", "Begin to roll zsk of " ZONE ", as planned?",
	    "It goes on by itself: the parent has no part in it.", ZONE, B(DNSSEC_SET_REQUEST),
	    NULL },
	{ "2\r]]s\x13", "The registrar has the DS of " ZONE "?",
	    "The servers of the parent are asked now; the roll goes on when all have it.", NULL,
	    B(DNSSEC_SET_REQUEST), NULL },
	{ "2\r]]s \x13", "The registrar has the DS of " ZONE "?",
	    "The roll goes on without a look at the parent. Where the DS is not there, the zone is "
	    "bogus when the old key goes.",
	    ZONE, B(DNSSEC_SET_REQUEST), NULL },
	/* Appliances and checks. */
	{ "4Dnew disks\x13", "Take syd1-b out of service?",
	    "It goes on answering what still comes, checks nothing, and its addresses are "
	    "announced no more.",
	    NULL, B(FLEET_DRAIN_REQUEST), NULL },
	{ "4Dnew disks\x13", "Take ams1-a out of service?",
	    "Fewer than half of the appliances would remain in service.", "ams1-a",
	    B(FLEET_DRAIN_REQUEST), "empty" },
	{ "4jjD\x13", "Put fra1-b back into service?",
	    "It gets its share of the health checks, and its addresses are announced again.", NULL,
	    B(FLEET_DRAIN_REQUEST), NULL },
	{ "3F\tOPS-7\x13", "Force eu-web-2 down for 1h?", FOLLOW, NULL, B(CHECK_STATE_REQUEST),
	    NULL },
	{ "3Fu\tOPS-7\t\x13", "Force eu-web-2 up for 1h?", FOLLOW, NULL, B(CHECK_STATE_REQUEST),
	    NULL },
	{ "3Fa\tOPS-7\x13", "Let the votes decide on eu-web-2 again?", FOLLOW, NULL,
	    B(CHECK_STATE_REQUEST), NULL },
	{ "3e\t\x15"
	  "192.0.2.22\x13",
	    "Change check eu-web-2?", AT_ONCE, NULL, B(CHECK_SET_REQUEST), NULL },
	{ "3anew\td\t192.0.2.9\t443\x13", "Make check new?", AT_ONCE, NULL, B(CHECK_SET_REQUEST),
	    NULL },
	{ "3d", "Delete check eu-web-2?",
	    "At once, on all appliances; one that a policy needs is kept.", NULL,
	    B(CHECK_SET_REQUEST), NULL },
};
#define DIALOGS (sizeof dialogs / sizeof *dialogs)

/* What could have come of a key. */
struct state {
	unsigned writes;
	size_t views, drafts;
	const struct ns_screen_ops *top;
};

static struct state
state_of(const struct ui *ui)
{
	return (struct state){ uiclient.writes, ui->n_views,
		ui->drafts != NULL ? ui->drafts->count : 0, ui_top(ui)->ops };
}

static bool
same(const struct state *a, const struct state *b)
{
	return a->writes == b->writes && a->views == b->views && a->drafts == b->drafts &&
	       a->top == b->top;
}

static struct ui *
opened(const struct asked *d, struct state *before)
{
	bool later = strstr(d->keys, NOW) != NULL;
	struct ui *ui;

	fixture = d->fixture != NULL && !later ? d->fixture : "plain";
	ui = uisession_open(80, 24, GLYPH_BLOCK, "admin", 2);
	ui->restricted = true; /* $EDITOR is not ours to start */
	for (const char *k = d->keys; *k != '\0'; k++)
		if (*k == *NOW)
			fixture = d->fixture;
		else
			uisession_key(ui, (unsigned char)*k);
	if (!ui->dialog.on)
		print_error("nothing is asked after \"%s\"\n", d->keys);
	assert_true(ui->dialog.on);
	*before = state_of(ui);
	return ui;
}

static void
stands(struct ui *ui, const struct asked *d, const struct state *before, const char *what)
{
	struct state now = state_of(ui);

	if (!ui->dialog.on || !same(&now, before))
		print_error("%s answers \"%s\"\n", what, d->ask);
	assert_true(ui->dialog.on && same(&now, before));
}

static void
test_what_they_say(void **unused)
{
	(void)unused;
	for (const struct asked *d = dialogs; d < dialogs + DIALOGS; d++) {
		struct state before;
		struct ui *ui = opened(d, &before);

		assert_string_equal(ui->dialog.ask, d->ask);
		assert_string_equal(ui->dialog.more, d->more);
		assert_string_equal(ui->dialog.name, d->type != NULL ? d->type : "");
		ui_destroy(&ui);
	}
}

/* The keys come with those that led here: nobody has read the question. */
static void
test_deaf_to_what_was_typed_ahead(void **unused)
{
	(void)unused;
	for (const struct asked *d = dialogs; d < dialogs + DIALOGS; d++) {
		struct state before;
		struct ui *ui = opened(d, &before);

		for (const char *k = d->type != NULL ? d->type : "yYn\r\x1b"; *k != '\0'; k++)
			ui_key(ui, (unsigned char)*k);
		ui_key(ui, '\r');
		ui_key(ui, (unsigned char)d->keys[strlen(d->keys) - 1]);
		uiclient_answer();
		stands(ui, d, &before, "what was typed ahead");
		ui_destroy(&ui);
	}
}

/* Esc is the key that asks before a form is left: it says no to its own question, which leaves the form. */
static void
test_only_its_own_keys_answer(void **unused)
{
	(void)unused;
	for (const struct asked *d = dialogs; d < dialogs + DIALOGS; d++) {
		struct state before;
		struct ui *ui = opened(d, &before);
		char own = d->keys[strlen(d->keys) - 1];

		uisession_keys(ui, "\r\r \t");
		if (own != '\x1b')
			uisession_key(ui, (unsigned char)own);
		stands(ui, d, &before, "Enter, or the key that asked,");
		uisession_key(ui, UIKEY_PASTE_BEGIN);
		uisession_keys(ui, d->type != NULL ? d->type : "y");
		uisession_keys(ui, "\r");
		uisession_key(ui, UIKEY_PASTE_END);
		stands(ui, d, &before, "a paste");
		uisession_keys(ui, "\x15");
		if (d->type != NULL) { /* a letter less, and one more */
			uisession_keys(ui, d->type);
			uisession_keys(ui, "\x7f\ry\r");
			stands(ui, d, &before, "another name");
		}
		ui_destroy(&ui);
	}
}

static void
test_no_is_the_way_out(void **unused)
{
	(void)unused;
	for (const struct asked *d = dialogs; d < dialogs + DIALOGS; d++)
		for (const char *no = d->type != NULL ? "\x1b\x07\x03" : "\x1b\x07\x03nNq";
		     *no != '\0'; no++) {
			struct state before, now;
			struct ui *ui = opened(d, &before);

			uisession_key(ui, (unsigned char)*no);
			now = state_of(ui);
			assert_false(ui->dialog.on);
			assert_true(same(&now, &before));
			ui_destroy(&ui);
		}
}

static void
test_yes_does_it(void **unused)
{
	(void)unused;
	for (const struct asked *d = dialogs; d < dialogs + DIALOGS; d++) {
		struct state before, now;
		struct ui *ui = opened(d, &before);

		uisession_keys(ui, d->type != NULL ? d->type : "y");
		if (d->type != NULL)
			uisession_keys(ui, "\r");
		now = state_of(ui);
		if (ui->dialog.on || same(&now, &before))
			print_error("yes does nothing: \"%s\"\n", d->ask);
		assert_false(ui->dialog.on);
		assert_false(same(&now, &before));
		if (d->sends == NOTHING)
			assert_int_equal(now.writes, before.writes);
		else
			assert_int_equal(uiclient.wrote, d->sends);
		ui_destroy(&ui);
	}
}

/* A text that is none, brought back from an editor: each of its three answers, and nothing else. */
static void
test_a_choice(void **unused)
{
	static const struct asked text = { "2\rEx\x13", NULL, NULL, NULL, NOTHING, NULL };
	static const struct {
		char key;
		bool kept, edited;
	} rows[] = { { 'e', true, true }, { 'k', true, false }, { 'd', false, false },
		{ '\x1b', true, false } };

	(void)unused;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct state before;
		struct ui *ui = opened(&text, &before);

		assert_string_equal(ui->dialog.ask,
		    "Line 10: E1102 field \"address\": not an IPv4 address: \"192.0.2.300\"");
		ui_key(ui, (unsigned char)rows[i].key);
		uisession_keys(ui, "\ryYn \x13");
		stands(ui, &text, &before, "a key of no choice");
		uisession_key(ui, (unsigned char)rows[i].key);
		assert_false(ui->dialog.on);
		assert_int_equal(ui->textedit != NULL, rows[i].kept);
		assert_int_equal(ui_top(ui)->ops == &screen_textpage, rows[i].edited);
		ui_destroy(&ui);
	}
}

/* ---- keys that lead somewhere ---- */
static void
test_where_keys_lead(void **unused)
{
	static const struct {
		const char *keys;
		const struct ns_screen_ops *there;
	} rows[] = { { "2?", &screen_help }, { "2??", &screen_zones }, { "2???", &screen_help },
		{ "3p", &screen_pending }, { "2p", &screen_diff },
		{ "2\ra"
		  "beta\t\t\t192.0.2.9\x14",
		    &screen_query },
		{ "2\ra"
		  "beta\t\t\t192.0.2.999\x14",
		    &screen_editor },
		{ "2\ra"
		  "beta\t\t\t192.0.2.9\x14\x1b",
		    &screen_editor },
		{ "2.", &screen_menu }, { "2..", &screen_zones },
		{ ":messages\r:messages\r", &screen_messages },
		{ "2:trash\r:trash\r\x1b", &screen_zones } };

	(void)unused;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct ui *ui = uisession_open(80, 24, GLYPH_BLOCK, "admin", 2);

		uisession_keys(ui, rows[i].keys);
		if (ui_top(ui)->ops != rows[i].there)
			print_error("%s leads to %s\n", rows[i].keys, ui_top(ui)->ops->name);
		assert_ptr_equal(ui_top(ui)->ops, rows[i].there);
		ui_destroy(&ui);
	}
}

/* The row that the selection is on, of a screen that was drawn. */
static int
selected(struct ui *ui)
{
	uisession_draw(ui);
	for (int y = 2; y < ui->surface->h; y++)
		if (surface_at(ui->surface, 0, y)->cp == '>')
			return y;
	return -1;
}

/* Does that text begin there? */
static bool
shows(const struct ui *ui, int x, int y, const char *text)
{
	for (; *text != '\0'; text++, x++)
		if (surface_at(ui->surface, x, y)->cp != (uint32_t)*text)
			return false;
	return true;
}

/* Nothing answers meanwhile. */
static void
typed_ahead(struct ui *ui, const char *keys)
{
	for (; *keys != '\0'; keys++) {
		uisession_pass(ui, 30); /* nobody pastes it */
		if (*keys != '\v')
			ui_key(ui, (unsigned char)*keys);
		else
			ui_tick(ui);
	}
}

/* A key acts on what was asked for before it, whether that is there yet or not. */
static void
test_keys_wait_for_the_list_that_was_asked_for(void **unused)
{
#define TEN     "2/shop-01\r" /* of forty zones */
#define FORTY_J "jjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjj"
	static const struct {
		const char *keys, *ahead;
		const struct ns_screen_ops *top;
		const char *object;
		size_t row;
		const char *says; /* among other things */
		bool lost;
	} rows[] = {
		{ TEN, "\x1bG", &screen_zones, "", 39, "", false },
		{ TEN, "\x1bG\r", &screen_records, "shop-039.example.", 0, "", false },
		{ TEN, "\x1bjj\r", &screen_records, "shop-002.example.", 0, "", false },
		{ TEN, "\x1bj\rj", &screen_records, "shop-001.example.", 1, "", false },
		{ TEN, "\x1b:50%\r", &screen_zones, "", 19, "", false },
		{ TEN, "\x1bj:open\r", &screen_records, "shop-001.example.", 0, "", false },
		{ TEN "G", "\x1b", &screen_zones, "", 0, "", false },
		{ "2G", "/shop-02\r\r", &screen_records, "shop-020.example.", 0, "", false },
		{ "2", "/shop-02\rj/shop-03\r\r", &screen_records, "shop-030.example.", 0, "",
		    false },
		{ "", "2jj\r", &screen_records, "shop-002.example.", 0, "", false },
		{ "2jj", ">oj\r", &screen_records, "shop-001.example.", 0, "", false },
		{ "", "4j\r", &screen_pop, "gru1-a", 0, "", false },
		{ "3", "!jH", &screen_events, "ap-web-1", 0, "", false },
		{ DRAFT "jd", "pG", &screen_diff, "shop-000.example.", 3, "", false },
		/* It leaves, and takes with it what waited. */
		{ TEN, "\x1bj\rq", &screen_overview, "", 0, "", false },
		{ TEN, "\x1bj\r3", &screen_health, "", 0, "", false },
		{ TEN, "\x1bjj\x1b", &screen_overview, "", 0, "", false },
		{ TEN, "\x1bjj\x03", &screen_zones, "", 0, "Not asked for any more", false },
		/* Not what was asked for: what the same list has now. */
		{ "2", "\vjj", &screen_zones, "", 2, "", false },
		{ "2", "rG", &screen_zones, "", 39, "", false },
		{ "2", "r\r", &screen_records, "shop-000.example.", 0, "", false },
		/* Bounded, and dropped with a word. */
		{ TEN, "\x1b" FORTY_J, &screen_zones, "", 32, "more than 32 keys", false },
		{ TEN, "\x1bj\r", &screen_zones, "", 0, "2 keys typed meanwhile are dropped",
		    true },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct ui *ui = uisession_open(80, 24, GLYPH_BLOCK, "operator", 2);
		struct ns_table *t;
		size_t n;

		uisession_keys(ui, rows[i].keys);
		uisession_draw(ui);
		typed_ahead(ui, rows[i].ahead);
		uiclient.lost = rows[i].lost;
		uiclient_answer();
		t = ui_top(ui)->ops->table != NULL ? ui_top(ui)->ops->table(ui_top(ui), &n) : NULL;
		if (ui_top(ui)->ops != rows[i].top ||
		    strcmp(ui_top(ui)->object, rows[i].object) != 0 ||
		    (t != NULL && t->row != rows[i].row) ||
		    strstr(ui->message, rows[i].says) == NULL)
			print_error("after \"%s\", then \"%s\": %s %s row %zu \"%s\"\n",
			    rows[i].keys, rows[i].ahead, ui_top(ui)->ops->name, ui_top(ui)->object,
			    t != NULL ? t->row : 0, ui->message);
		assert_ptr_equal(ui_top(ui)->ops, rows[i].top);
		assert_string_equal(ui_top(ui)->object, rows[i].object);
		assert_true(t == NULL || t->row == rows[i].row);
		assert_non_null(strstr(ui->message, rows[i].says));
		assert_int_equal(ui->typeahead.n, 0);
		ui_destroy(&ui);
	}
}

/* What was asked before it was read is not answered by what was typed then; and that keys wait is said in time. */
static void
test_keys_that_wait_answer_nothing(void **unused)
{
	struct ui *ui = uisession_open(80, 24, GLYPH_BLOCK, "operator", 2);

	(void)unused;
	uisession_keys(ui, TEN);
	typed_ahead(ui, "\x1bjdy");
	uisession_draw(ui);
	assert_false(shows(ui, 1, 22, "3 keys wait"));
	uisession_pass(ui, 400);
	uisession_draw(ui);
	assert_true(shows(ui, 1, 22, "3 keys wait for the list that was asked for"));
	uiclient_answer();
	assert_true(ui->dialog.on);
	assert_string_equal(ui->dialog.ask, "Delete shop-001.example?");
	assert_string_equal(edit_text(&ui->dialog.typed), "");
	assert_int_equal(uiclient.writes, 0);
	ui_destroy(&ui);
}

static void
test_search_goes_around(void **unused)
{
	static const struct {
		const char *keys;
		int row; /* 4: the first */
	} rows[] = { { "", 4 }, { "/BETA", 6 }, { "/beta\x07", 4 }, { "/betx", 4 },
		{ "/192.0.2\r", 6 }, { "/192.0.2\rn", 7 }, { "/192.0.2\rnn", 6 },
		{ "/192.0.2\rN", 7 }, { "/no such\r", 4 }, { "n", 4 }, { "/www\r/\rn", 7 } };

	(void)unused;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct ui *ui = uisession_open(80, 24, GLYPH_BLOCK, "operator", 2);

		uisession_keys(ui, DRAFT "p");
		uisession_draw(ui);
		uisession_keys(ui, rows[i].keys);
		if (selected(ui) != rows[i].row)
			print_error("after %s: row %d\n", rows[i].keys, selected(ui));
		assert_int_equal(selected(ui), rows[i].row);
		ui_destroy(&ui);
	}
}

/* Back to what was there before it: an operation, all that an editor's text made, an RRset that was left out. */
static void
test_undo_goes_back_by_steps(void **unused)
{
	static const struct {
		const char *keys;
		size_t ops[8]; /* after each `u`, then after each Ctrl-R */
		unsigned steps;
	} rows[] = {
		{ DRAFT, { 0, 1 }, 1 }, { DRAFT "jd", { 1, 0, 1, 2 }, 2 },
		{ DRAFT "jdEx\x13", { 2, 1, 0, 1, 2, 3 }, 3 }, { "2\rEx\x13", { 0, 3 }, 1 },
		{ "2\ra"
		  "www\t\t\t192.0.2.9\x13pG ",
		    { 1, 0, 1, 0 }, 2 }, /* the only one is left out */
		{ DRAFT "Ex\x13G ", { 3, 1, 0, 1, 3, 2 }, 3 }, /* one of the three is left out */
	};

	(void)unused;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct ui *ui = uisession_open(80, 24, GLYPH_BLOCK, "operator", 2);

		fixture = "heavy";
		ui->restricted = true;
		uisession_keys(ui, rows[i].keys);
		for (unsigned k = 0; k < 2 * rows[i].steps; k++) {
			size_t n;

			uisession_key(ui, k < rows[i].steps ? 'u' : CTRL_KEY('R'));
			n = ui->drafts->draft != NULL ? ui->drafts->draft->n_ops : 0;
			if (n != rows[i].ops[k])
				print_error("row %zu: %zu after key %u\n", i, n, k);
			assert_int_equal(n, rows[i].ops[k]);
		}
		fixture = "plain";
		ui_destroy(&ui);
	}
}

/* What is typed in a conflict's form is in the draft, and is what stands; a form that is left decides nothing. */
static void
test_a_conflict_by_hand(void **unused)
{
	static const struct {
		const char *keys;
		const char *decision;
		size_t ops;
	} rows[] = { { "", "?", 1 }, { "e\x1b", "?", 1 }, { "e \x13\v", "mine", 2 },
		{ "e \x1by", "?", 1 } };

	(void)unused;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct ui *ui = uisession_open(80, 24, GLYPH_BLOCK, "operator", 2);

		uisession_keys(ui, DRAFT);
		uiclient.plan_fails = NS_CONFLICT;
		uisession_keys(ui, "p\r");
		uisession_draw(ui);
		assert_ptr_equal(ui_top(ui)->ops, &screen_conflict);
		uisession_keys(ui, rows[i].keys);
		uisession_draw(ui);
		assert_ptr_equal(ui_top(ui)->ops, &screen_conflict);
		assert_int_equal(ui->drafts->draft->n_ops, rows[i].ops);
		assert_true(shows(ui, 51, 7, rows[i].decision));
		ui_destroy(&ui);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_they_say),
		cmocka_unit_test(test_deaf_to_what_was_typed_ahead),
		cmocka_unit_test(test_only_its_own_keys_answer),
		cmocka_unit_test(test_no_is_the_way_out),
		cmocka_unit_test(test_yes_does_it),
		cmocka_unit_test(test_a_choice),
		cmocka_unit_test(test_where_keys_lead),
		cmocka_unit_test(test_keys_wait_for_the_list_that_was_asked_for),
		cmocka_unit_test(test_keys_that_wait_answer_nothing),
		cmocka_unit_test(test_search_goes_around),
		cmocka_unit_test(test_undo_goes_back_by_steps),
		cmocka_unit_test(test_a_conflict_by_hand),
	};

	uisession_begin();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
