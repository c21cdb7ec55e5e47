/* profiles.c - see profiles.h. */
#include "console/screens/profiles.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "console/core/loop.h"
#include "console/screens/ask.h"
#include "console/screens/palette.h"
#include "ipc/base/xalloc.h"
#include "ipc/client/draft.h"
#include "ipc/client/pipe.h"

#define NAME_SIZE    33u /* with the NUL */
#define ADDRESS_SIZE 262u /* what ssh takes, with our prefix and the NUL */

enum { FIELD_NAME, FIELD_WHERE };

/* ---- the file ---- */

struct memo *
profiles_read(struct ui *ui)
{
	struct memo *m = memo_new();
	char *path = ns_state_file("profiles", "ssh", ".json");
	struct ns_why why = { 0 };

	if (path != NULL && memo_load(m, path, &why) == NS_CORRUPT)
		ui_say(ui, "%s", why.text);
	free(path);
	return m;
}

/* address "": it goes.  false: said. */
static bool
keep(struct ui *ui, const char *name, const char *address)
{
	struct memo *m = profiles_read(ui);
	char *path = ns_state_file("profiles", "ssh", ".json");
	struct ns_why why = { 0 };
	const char *now;
	bool kept;

	memo_set(m, name, address);
	now = memo_get(m, name);
	kept = address[0] == '\0' || (now != NULL && strcmp(now, address) == 0);
	if (!kept)
		ui_say(ui, "No more than %u profiles are kept: d removes one", MEMO_NAMES);
	else if (path == NULL)
		ui_say(ui, "There is no place to keep profiles: is HOME set?");
	else if (memo_save(m, path, &why) != NS_OK)
		ui_say(ui, "%s", why.text);
	kept = kept && path != NULL && why.err == NS_OK;
	free(path);
	memo_destroy(&m);
	return kept;
}

/* ---- one more ---- */

static const char *
name_fault(struct ui *ui, const char *name)
{
	static const char good[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
	struct memo *m;
	bool taken;

	if (name[0] == '\0' || name[strspn(name, good)] != '\0')
		return "letters, digits, dots and dashes, for you alone";
	m = profiles_read(ui);
	taken = memo_get(m, name) != NULL;
	memo_destroy(&m);
	return taken ? "there is such a profile already" : NULL;
}

static void
accept(struct view *v)
{
	const char *name = ask_text(v, FIELD_NAME), *where = ask_text(v, FIELD_WHERE);
	const char *fault = name_fault(v->ui, name);
	char *address = xasprintf("%s%s", pipe_is(where) ? "" : "ssh:", where);

	if (fault != NULL)
		ask_wrong(v, FIELD_NAME, fault);
	else if (pipe_check(address, NULL) != NS_OK)
		ask_wrong(v, FIELD_WHERE, "expected USER@HOST, or ssh://USER@HOST:PORT");
	else if (keep(v->ui, name, address)) {
		ui_say(v->ui, "Enter opens the console there");
		ui_back(v->ui);
	}
	free(address);
}

void
profiles_ask(struct ui *ui)
{
	static const struct ask_field fields[] = { { "Name", NULL, "", "what you call it",
						       NAME_SIZE },
		{ "Where", NULL, "",
		    "USER@HOST, a Host of your ssh configuration, or ssh://USER@HOST:PORT",
		    ADDRESS_SIZE } };
	static const struct ask_what what = { .title = "Connect > new profile",
		.object = "",
		.fields = fields,
		.n = 2,
		.accept = accept };
	struct view *v = ask_open(ui, &what);

	if (v == NULL)
		return;
	v->own = true;
	ask_note(v, UI_DIM,
	    "Your own ssh goes there, with your keys, agent and known hosts: connect by hand "
	    "once where it would ask something.");
}

void
profiles_drop(struct ui *ui, const char *name)
{
	if (keep(ui, name, ""))
		ui_say(ui, "%s is removed", name);
}

/* ---- there ---- */

const char *
profiles_refuse(const struct ui *ui)
{
	if (ui->restricted)
		return "this account has no ssh of its own: go there from your own host";
	if (ui->paper != NULL)
		return "line by line: nameserve --linear --appliance ssh:USER@HOST";
	return NULL;
}

static void
came_back(void *arg, int status)
{
	char text[64];

	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return;
	ui_say(arg, "The console there ended: %s", ui_exit_text(status, text));
}

/* Whoever wrote the file: false is said. */
static bool
where(struct ui *ui, const char *name, char out[ADDRESS_SIZE])
{
	struct memo *m = profiles_read(ui);
	const char *address = memo_get(m, name);
	struct ns_why why = { 0 };

	if (address == NULL)
		ui_say(ui, "%s: there is no such profile any more", name);
	else if (!pipe_is(address) || pipe_check(address, &why) != NS_OK)
		ui_say(ui, "%s: %s is no ssh:USER@HOST", name, address);
	else
		snprintf(out, ADDRESS_SIZE, "%s", address);
	memo_destroy(&m);
	return out[0] != '\0';
}

void
profiles_visit(struct ui *ui, const char *name)
{
	const struct grammar *g = ui->grammar;
	char address[ADDRESS_SIZE] = "", why[256];
	struct run run = { 0 };

	if (!where(ui, name, address) || g == NULL)
		return;
	if (!g->visit(g->arg, address, &run, why, sizeof why)) {
		ui_say(ui, "%s", why);
		return;
	}
	if (ui->loop != NULL && !loop_program(ui->loop, run.path, run.argv, came_back, ui))
		ui_say(ui, "It could not be started: no room for another process");
	run_free(&run);
}
