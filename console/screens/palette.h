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
	/* The console of another host, "ssh:USER@HOST", with the rights of this one; false: why not. */
	bool (*visit)(const void *arg, const char *address, struct run *, char *why, size_t size);
};

void palette_free(struct ui *);
void palette_open(struct ui *);
void palette_key(struct ui *, uint32_t key);
/* An action by its name, "50%", or a line of the command line.  Refused: palette_hint says why. */
enum palette_end { PALETTE_REFUSED, PALETTE_ACTED, PALETTE_RAN };
enum palette_end palette_line(struct ui *, const char *line);
/* What stands above the prompt: candidates, or why not; "": nothing. */
const char *palette_hint(const struct ui *);

/* ---- output.c: the page ---- */
/* Runs it and shows what it writes; command: the line, to be shown. */
void output_open(struct ui *, const char *command, const struct run *);
/* One that runs, its page open or not; NULL: none does. */
const char *output_running(const struct ui *);
/* What it writes and how it ends comes here; arg: the view. */
void output_line(void *arg, const char *text, bool error);
void output_ended(void *arg, int status);
/* As a terminal would show it: tabs are blanks, and nothing steers; malloc'ed. */
char *output_text(const char *text, bool ascii);

/* ---- paper.c: line by line ---- */
/* Runs it to its end, or until Ctrl-C; what it writes is printed on ui->paper. */
void output_print(struct ui *, const struct run *);

#endif
