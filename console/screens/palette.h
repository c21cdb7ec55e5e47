/* palette - what is typed after `:`: an action by its name, or a line of the command line, whose output becomes a page.
 *
 * What a line may be is the grammar's, which the command line gives (console/cli/lines.h): screens know no commands.
 * A line that is refused stays in the prompt, with the reason above it.  Tab completes the last word, Up and Down
 * go through what was typed in this session. */
#ifndef NS_CONSOLE_SCREENS_PALETTE_H
#define NS_CONSOLE_SCREENS_PALETTE_H

#include "console/screens/ui.h"

#define CANDIDATES_MAX 96u
#define CANDIDATE_LEN  40u

/* What a line is run as: a program, its words, and what is in its environment beside ours. */
struct run {
	const char *path;
	char **argv, **env; /* ended by NULL; one block each, of xcalloc */
};
void run_free(struct run *);

/* What the last word of a line can be. */
struct candidates {
	size_t start; /* where that word begins */
	bool zones; /* names of zones, which the appliance knows */
	size_t n;
	char list[CANDIDATES_MAX][CANDIDATE_LEN];
};

struct grammar {
	const void *arg;
	/* Does the line begin with a command's name? */
	bool (*knows)(const void *arg, const char *line);
	/* false: why says what is wrong and where.  at: the appliance that is shown; "": the one we are connected to. */
	bool (*take)(const void *arg, const char *line, const char *at, struct run *, char *why, size_t size);
	void (*complete)(const void *arg, const char *line, struct candidates *);
};

void palette_free(struct ui *);
void palette_open(struct ui *);
void palette_key(struct ui *, uint32_t key);
/* A whole line; false: it is refused, and ui_palette_hint says why. */
bool palette_line(struct ui *, const char *line);
/* What stands above the prompt: candidates, or why not; "": nothing. */
const char *palette_hint(const struct ui *);

/* ---- output.c: the page ---- */
/* Runs it and shows what it writes; command: the line, to be shown. */
void output_open(struct ui *, const char *command, const struct run *);
/* What it writes and how it ends comes here; arg: the view. */
void output_line(void *arg, const char *text, bool error);
void output_ended(void *arg, int status);

#endif
