/* ui - the frame around the screens: who has the keys, what is on which row, is the link there.
 *
 * One struct ui, one thread.  A screen is a struct ns_screen_ops and a state of its own; open ones form a
 * stack (a zone above the list above the overview), and the top one has the body.  Everything a screen shows came by
 * ui_ask() and went through sanitize() when it was taken; nothing waits. */
#ifndef NS_CONSOLE_SCREENS_UI_H
#define NS_CONSOLE_SCREENS_UI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "console/core/action.h"
#include "console/core/glyph.h"
#include "console/core/keymap.h"
#include "console/core/ring.h"
#include "console/core/surface.h"
#include "console/screens/typeahead.h"
#include "console/widgets/dialog.h"
#include "console/widgets/prompt.h"
#include "console/widgets/table.h"
#include "ipc/client/client.h"

#define UI_DEPTH  16u
#define UI_MAINS  9u
#define UI_ASIDE  4u
#define UI_PROBLEMS 16u
#define UI_OBJECT 1100u /* a zone's name as text, escaped */
#define UI_FILTER_HELP "foo part  ^foo start  *.x.* glob  ~re  -not" /* of lists that say nothing of their own */

struct ui;
struct view;
struct loop;
struct drafts;
struct copies;
struct memo;
struct textedit;
struct wbuf;
struct fieldedit;
struct bulk;
struct presence;
struct zonehead;
struct grammar;
struct palette;
struct lines;
struct pages;

struct ns_screen_ops {
	const char *name;
	size_t size; /* of its state */
	unsigned contexts; /* CTX_* */
	void (*open)(struct view *); /* the state is zero */
	void (*close)(struct view *); /* frees what the state holds */
	void (*reload)(struct view *); /* asked for, something changed, the link is back, shown again */
	void (*tick)(struct view *); /* at the refresh interval; NULL: not live */
	/* Before a frame: asks for what belongs to the row that the cursor has come to; NULL: nothing does. */
	void (*follow)(struct view *);
	void (*draw)(struct view *, struct rect); /* asks for nothing but rows of its list (pages.h) */
	bool (*act)(struct view *, enum ns_action_id); /* false: not mine */
	void (*filter)(struct view *, const char *text); /* with CTX_FILTER */
	const char *(*filter_now)(struct view *);
	/* With CTX_SEARCH: goes to the first place from *at on (by 1), or before it (-1), that has the text, and says
	 * where it is; false: none has.  By 0 it goes to *at.  Without a text only *at is told, where it is now. */
	bool (*search)(struct view *, const char *text, size_t *at, int by);
	const char *filter_help; /* what can be typed; NULL: as of zones */
	bool (*key)(struct view *, uint32_t key); /* with CTX_TYPED: what no action took; false: not mine */
	const char *(*field)(struct view *); /* the text of the field in focus, which can be edited elsewhere; NULL: none */
	void (*copies)(struct view *, struct copies *); /* what can be copied; NULL: nothing */
	const char *twin; /* words of the command that tells the same: %o the object, %f the filter; NULL: none */
	void (*twin_words)(struct view *, struct wbuf *); /* puts them instead (twin.h); NULL: they are twin's */
	const char *(*refuse)(struct view *, enum ns_action_id); /* why not now; NULL: it can be done */
	bool (*leave)(struct view *); /* Esc and q: false when it asks first */
	/* The list, for `:50%`; NULL: there is none. */
	struct ns_table *(*table)(struct view *, size_t *rows);
	const char *(*twin_at)(struct view *); /* the appliance of its twin; NULL: the one that is shown */
	bool (*interrupt)(struct view *); /* Ctrl-C: what is under way was stopped; NULL or false: nothing was */
	bool (*goes_on)(struct view *); /* left, it is set aside instead of closed; NULL or false: closed */
	bool (*peel)(struct view *); /* Esc, before the screen goes: a layer of it went; NULL: it has none */
};

struct view {
	const struct ns_screen_ops *ops;
	struct ui *ui;
	void *state;
	unsigned contexts; /* of ops, unless the screen says another: where the focus is */
	char object[UI_OBJECT]; /* the zone, the change */
	bool own; /* what is changed here is a file of the operator's: who only looks may */
	bool awaits; /* the list that was asked for */
	struct pages *list; /* that keys act on; NULL: none, or all of it is here */
	uint64_t live_ms; /* monotonic, when what is live came last; 0: not yet, or nothing is */
};

struct ui {
	struct ns_client *client;
	struct loop *loop; /* NULL in tests */
	struct surface *surface;
	struct keymap *keymap;
	enum glyph_set glyphs;
	bool ascii;
	struct view *views[UI_DEPTH];
	struct view *kept[UI_MAINS]; /* main screens that are not open keep their place */
	size_t n_views;
	struct view *aside[UI_ASIDE]; /* what goes on without its page, the newest last */
	size_t n_aside;
	struct ring ring;
	char message[RING_TEXT]; /* on the message line, until the next key */
	struct prompt prompt;
	struct palette *palette; /* NULL: nothing was typed there yet */
	const struct grammar *grammar; /* of the command line; NULL: actions alone */
	struct dialog dialog;
	struct typeahead typeahead;
	struct textedit *textedit; /* NULL: none under way */
	struct fieldedit *fieldedit; /* likewise */
	struct memo *memo;
	char *memo_path; /* NULL: the appliance's name is not known yet, or there is no place */
	bool memory_read;
	bool mouse; /* it is ours: mouse.h */
	enum ui_theme theme;
	bool theme_given; /* by an option: what is remembered does not count */
	char made_check[72]; /* the check that was made just now, for the field that asked for it; empty: none */
	enum ns_action_id main_action; /* the last that led to a main screen */
	bool touched; /* a key was pressed: the screen is where the operator led it */
	struct bulk *bulk; /* NULL: none under way */
	struct presence *presence; /* NULL: nobody was asked for yet */
	struct zonehead *zonehead; /* NULL: no zone was opened yet */
	struct drafts *drafts; /* NULL: the appliance's name is not known yet */
	char filter_before[PROMPT_MAX]; /* what Esc brings back */
	char searched[PROMPT_MAX]; /* what n and N look for; empty: nothing yet */
	size_t searched_from; /* where the prompt was opened */
	bool anew; /* while reload() runs because somebody asked for it: nothing that is kept will do */
	bool frozen, stopping, read_only, osc52;
	FILE *paper; /* line by line: where a text to copy is printed; NULL: there is a screen */
	bool restricted; /* who sits here has no shell: no suspending, the console's own editor */
	unsigned refresh_ms;
	int64_t wall_ms; /* of this event */
	uint64_t mono_ms;
	uint64_t (*clock_ns)(void); /* monotonic, for what is shorter than an event; NULL: mono_ms will do */
	uint64_t interrupt_ms; /* of the last Ctrl-C */
	bool pasting;
	struct {
		uint64_t since_ms, last_ms;
		uint32_t key; /* the last; a key that is held repeats itself */
		unsigned n;
		bool ignored;
	} burst; /* keys outside of fields that come faster than anybody types */
	/* The appliance, as its last status had it. */
	char name[64], user[64], role[16], primary[96];
	bool primary_ok;
	uint64_t revision, zones;
	uint64_t unconfirmed, unconfirmed_until_ms; /* the next to be taken back; 0: none */
	struct {
		char code[32], text[200];
	} problems[UI_PROBLEMS];
	size_t n_problems; /* of them all; the first are here */
	uint64_t asked; /* status is on its way; 0: it is not */
	uint64_t asked_ms; /* monotonic, of the last tick at which what is live was asked for */
	uint64_t heard_ms; /* monotonic, when it last answered; 0: never */
	int64_t heard_wall_ms;
	bool lost;
	bool linked; /* to the appliance that we are connected to, whatever another one says */
	char lost_why[256];
	enum ns_err lost_err;
	bool reached; /* an appliance, once */
	int code; /* that it ends with when the operator leaves */
};

struct ui *ui_new(struct ns_client *, int w, int h, enum glyph_set);
void ui_destroy(struct ui **);
void ui_now(struct ui *, uint64_t mono_ms, int64_t wall_ms);
uint64_t ui_clock_ns(const struct ui *);
void ui_key(struct ui *, uint32_t key);
void ui_typed(struct ui *, uint32_t key); /* one that waited until now */
void ui_tick(struct ui *);
void ui_check_link(struct ui *); /* is it there? */
void ui_follow(struct ui *); /* before a frame */
void ui_draw(struct ui *, struct surface *);

/* ---- views.c ---- */
void ui_views_free(struct ui *); /* all of them go, but what is set aside */
void ui_aside_free(struct ui *);
/* The page again that was set aside last; false: there is none, or no room. */
bool ui_aside_back(struct ui *);
/* Room for one more, if need be in the place of one that has ended. */
bool ui_aside_room(struct ui *);
bool ui_is_aside(const struct ui *, const struct view *);

/* ---- appliance.c ---- */
/* What the console ends with when its terminal is gone: 7 or 4 where no appliance was reached before. */
int ui_exit_code(const struct ui *);
void ui_ask_status(struct ui *);
void ui_confirm(struct ui *);

/* ---- memory.c: what outlives the session, by appliance ---- */
void ui_memory_open(struct ui *, const char *appliance);
void ui_memory_free(struct ui *); /* and save */
void ui_memory_save(struct ui *);
/* A screen's value, such as "filter" or "sort"; NULL: none. */
const char *ui_recall(const struct view *, const char *what);
void ui_remember(struct view *, const char *what, const char *value);
void ui_set_theme(struct ui *, enum ui_theme);
enum ns_action_id frame_tab(const struct ui *, int x); /* the tab in that column; ACT_NONE: none */

/* ---- search.c ---- */
void search_open(struct ui *);
void search_took(struct ui *, uint32_t key); /* of its prompt */
void search_step(struct ui *, int by);
void search_text(struct ui *, const char *text); /* the next from here */
/* For screens: the first of n from *at on, or before it, around the end, that holds the text. */
bool search_around(size_t n, size_t *at, int by, bool (*holds)(void *arg, size_t i, const char *text), void *arg,
    const char *text);
bool search_lines(struct lines *, const char *text, size_t *at, int by);

/* ---- for screens ---- */
void ui_open(struct ui *, const struct ns_screen_ops *, const char *object);
void ui_replace(struct ui *, const struct ns_screen_ops *, const char *object); /* a tab beside this one */
void ui_main(struct ui *, const struct ns_screen_ops *); /* of the main screens: nothing below it */
/* What leads from a row that is a zone into it; false: not such an action. */
bool ui_open_zone(struct ui *, enum ns_action_id, const char *zone);
void ui_back(struct ui *);
/* Shows that appliance, by way of the one that we are connected to; "": that one.  All screens begin anew. */
void ui_connect(struct ui *, const char *appliance);
struct view *ui_top(const struct ui *);
/* What the screen asks for at every tick came. */
void ui_live(struct view *);
/* What is live on it is old: the link is lost, or who has it does not answer. */
bool ui_stale(const struct view *);
void ui_say(struct ui *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void ui_say_why(struct ui *, const struct ns_why *);
/* In the place of what was asked for and is not here. */
const char *ui_loading(const struct view *);
/* "exit 3: not found" of what waitpid() said. */
const char *ui_exit_text(int status, char out[64]);
void ui_dirty(struct ui *, bool now); /* now: it answers a key */
bool ui_act(struct ui *, enum ns_action_id);
/* "50%" or "1200": there in the list; false: no such text, or no list. */
bool ui_go(struct ui *, const char *text);
/* Why an action cannot be done now; NULL: it can. */
const char *ui_refuses(struct ui *, const struct ns_action *);
/* Asks; yes(arg) is called when the answer is that.  name: has to be typed (T2), NULL: y or n. */
void ui_ask(struct ui *, const char *ask, const char *more, const char *name, void (*yes)(void *), void *arg);
/* The same with answers of their own; choices are the caller's and stay. */
void ui_ask_choices(
    struct ui *, const char *ask, const char *more, const struct dialog_choice *choices, void *arg);
/* A name without its last dot, as people write it: octets of it to show. */
int ui_name_len(const char *name);
/* "22 14:03:10" of an RFC 3339 time; "3m", "2d" ago. */
void ui_when(const char *rfc3339, char out[16]);
void ui_ago(const struct ui *, const char *rfc3339, char out[16]);

/* A change that is made at once, when the operator has said so: its number, or why not, is said. */
void ui_commit(struct ui *, Ns__Envelope *request);
/* The answer to one that a screen sent itself: says the same, and asks how the appliance is now; false: it was not made. */
bool ui_made(struct ui *, const Ns__Envelope *, const struct ns_why *);

extern const struct ns_screen_ops screen_overview, screen_zones, screen_records, screen_history,
    screen_zone_history, screen_change, screen_help, screen_messages, screen_menu, screen_pending,
    screen_diff, screen_editor, screen_conflict,
    screen_trash, screen_copy, screen_policies, screen_policyedit, screen_checkedit, screen_health,
    screen_check, screen_events, screen_ask, screen_fleet, screen_pop, screen_dnssec,
    screen_zonesettings, screen_query, screen_tail, screen_connect, screen_metrics, screen_textpage,
    screen_output;

#endif
