/* edit - a zone as text in the operator's editor, what he changed as the zone's draft, and its commit.
 *
 * What the console's E does, on the command line: the one command that asks, and so it needs a terminal.  The text is
 * a file beside the drafts (mode 0600) until its operations are in the draft; whatever fails says where it is. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "console/cli/draft.h"
#include "console/core/clean_fork.h"
#include "console/core/edittext.h"
#include "console/screens/textfile.h"
#include "ipc/base/clock.h"
#include "ipc/base/xalloc.h"
#include "ipc/envelope.h"

#define LOCK_MS   5000u
#define CODE_EDIT 1314u /* of what goes wrong here */

struct editing {
	struct cli *cli;
	char *zone; /* as drafts name it */
	uint32_t serial;
	uint64_t version;
	Ns__Draft *before; /* the draft that is in the text, as it was then; NULL: none */
	struct wbuf text; /* as the editor got it, then as it left it */
	bool drafted, over;
	char *path;
	uint32_t line; /* where the editor opens; 0: at the top */
	int code;
};

/* What became of the text. */
enum outcome { AGAIN, STOP, DRAFTED };

/* ---- Ctrl-C ---- */
/* Where the text is, for who interrupts; empty: nowhere. */
static char interrupted_says[512];

static void
interrupted(int number)
{
	ssize_t n = write(STDERR_FILENO, interrupted_says, strlen(interrupted_says));

	(void)n;
	_exit(128 + number);
}

/* ---- asking ---- */
/* One of these letters; the last of them at the end of the input. */
static char
ask(const char *question, const char *letters)
{
	char line[256];

	for (;;) {
		fprintf(stderr, "%s ", question);
		if (fgets(line, sizeof line, stdin) == NULL) {
			fputc('\n', stderr);
			return letters[strlen(letters) - 1];
		}
		if (line[0] != '\0' && line[1] == '\n' && strchr(letters, line[0]) != NULL)
			return line[0];
	}
}

/* A line, without its end; in place. */
static bool
ask_text(const char *question, char *out, size_t size)
{
	fprintf(stderr, "%s ", question);
	if (fgets(out, (int)size, stdin) == NULL)
		return false;
	out[strcspn(out, "\n")] = '\0';
	return true;
}

static enum outcome
stop(struct editing *e, bool keep, int code, const char *text)
{
	fprintf(stderr, "nameserve: %s", text);
	if (keep && e->path != NULL)
		fprintf(stderr, "; your text is in %s", e->path);
	fputc('\n', stderr);
	interrupted_says[0] = '\0';
	if (!keep && e->path != NULL)
		(void)unlink(e->path);
	e->code = code;
	return STOP;
}

/* ---- the text ---- */
static void
came(void *arg, const Ns__Envelope *env, const struct ns_why *why)
{
	struct editing *e = arg;

	if (env == NULL) {
		e->code = cli_error(e->cli, why);
	} else if (env->body_case == NS__ENVELOPE__BODY_TEXT_CHUNK) {
		wbuf_put(&e->text, env->text_chunk->text.data, env->text_chunk->text.len);
		e->drafted = e->drafted || env->text_chunk->drafted;
	}
	e->over = env == NULL || !env->more;
}

static bool
export_zone(struct editing *e)
{
	Ns__ZoneExportRequest body = NS__ZONE_EXPORT_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;
	Ns__ZoneEdit draft;
	char *head = edittext_head(e->zone, e->serial, e->before != NULL ? e->before->n_ops : 0);

	wbuf_free(&e->text);
	e->text = wbuf_grow(2 * EDITTEXT_MAX);
	e->drafted = e->over = false;
	e->code = CLI_OK;
	wbuf_put(&e->text, head, strlen(head));
	free(head);
	body.zone = e->zone;
	if (e->before != NULL) {
		draft_edit(&draft, e->before);
		body.draft = &draft;
	}
	request.body_case = NS__ENVELOPE__BODY_ZONE_EXPORT_REQUEST;
	request.zone_export_request = &body;
	ns_client_request(e->cli->client, &request, e->cli->timeout_ms, came, e);
	ns_client_wait(e->cli->client, &e->over);
	if (e->code != CLI_OK)
		return false;
	if (e->before != NULL && !e->drafted)
		(void)stop(e, false, CLI_FAILED,
		    "this appliance is too old to show a draft as text: commit or drop it first");
	else if (!wbuf_ok(&e->text) || e->text.len > EDITTEXT_MAX)
		(void)stop(e, false, CLI_FAILED,
		    "the zone is too large for an editor: nameserve zone export, zone import");
	return e->code == CLI_OK;
}

/* The zone, its draft, and a file with both. */
static bool
begin(struct editing *e)
{
	struct ns_why why = { 0 };
	Ns__Envelope *reply = NULL;
	struct ns_drafts *drafts;
	const Ns__ZoneInfo *z = cli_zone(e->cli, e->cli->words[0], &reply, &e->code);

	if (z == NULL)
		return false;
	free(e->zone);
	e->zone = xstrdup(z->name);
	e->serial = z->serial;
	e->version = z->version;
	ns__envelope__free_unpacked(reply, NULL);
	if ((drafts = cli_drafts_linked(e->cli, &e->code)) == NULL)
		return false;
	if (e->before != NULL)
		ns__draft__free_unpacked(e->before, NULL);
	e->before = NULL;
	if (ns_draft_load(drafts, e->zone, &e->before, &why) == NS_CORRUPT)
		e->code = cli_error(e->cli, &why);
	ns_drafts_unlock(drafts);
	if (e->code == CLI_OK && export_zone(e)) {
		free(e->path);
		e->path = textfile_new(ns_drafts_path(drafts), ".zone", e->text.base, e->text.len);
		if (e->path == NULL)
			(void)stop(
			    e, false, CLI_FAILED, "the text cannot be written beside the drafts");
		else
			snprintf(interrupted_says, sizeof interrupted_says,
			    "\nnameserve: your text is in %s\n", e->path);
	}
	ns_drafts_close(&drafts);
	return e->code == CLI_OK;
}

/* ---- the editor ---- */
/* It has the terminal, and Ctrl-C is its own. */
static bool
run_editor(const struct editing *e)
{
	char *command = textfile_command(), at[24];
	void (*before)(int) = signal(SIGINT, SIG_IGN);
	pid_t child;
	int status = 0;

	snprintf(at, sizeof at, "+%u", e->line > 0 ? e->line + 1 : 1);
	fflush(stderr);
	child = clean_fork();
	if (child == 0) {
		execl("/bin/sh", "sh", "-c", command, "editor", at, e->path, (char *)NULL);
		_exit(127);
	}
	while (child > 0 && waitpid(child, &status, 0) < 0)
		continue;
	signal(SIGINT, before);
	free(command);
	return child > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* false: nothing is to be done with it. */
static bool
edited(struct editing *e)
{
	bool ran = run_editor(e), same, read;
	struct wbuf now;

	read = textfile_read(e->path, &now);
	if (read)
		edittext_strip(&now);
	same = read && edittext_same(&now, &e->text);
	if (!ran || !read)
		(void)stop(e, !same, CLI_FAILED, "the editor failed: nothing was changed");
	else if (same || now.len == 0)
		(void)stop(e, false, CLI_OK,
		    same ? "the text is as it was: nothing was changed"
			 : "the text is empty: nothing was changed");
	else {
		wbuf_free(&e->text);
		e->text = now;
		if (textfile_write(e->path, now.base, now.len)) /* lines count as in the import */
			return true;
		(void)stop(e, true, CLI_FAILED, "the text cannot be written");
		return false;
	}
	wbuf_free(&now);
	return false;
}

/* ---- what the appliance says of it ---- */
static enum outcome
wrong_line(struct editing *e, const Ns__ImportFileError *error)
{
	char why[640];
	struct wbuf marked;
	bool written;

	snprintf(why, sizeof why, "E%04u %s", error->code, error->reason);
	fprintf(stderr, "nameserve: line %u: ", error->line);
	print_safe(stderr, why);
	fputc('\n', stderr);
	switch (ask("(e)dit again  (d)iscard  (k)eep the text, decide later?", "edk")) {
	case 'd':
		return stop(e, false, CLI_OK, "the text is discarded: nothing was changed");
	case 'k':
		return stop(e, true, CLI_REJECTED, "nothing was changed");
	default:
		break;
	}
	e->line = error->line;
	written = edittext_mark(&e->text, e->line, why, &marked) &&
		  textfile_write(e->path, marked.base, marked.len);
	wbuf_free(&marked);
	return written ? AGAIN : stop(e, true, CLI_FAILED, "the text cannot be written");
}

static bool
moved(const Ns__Draft *before, const Ns__Draft *now)
{
	return (before == NULL) != (now == NULL) ||
	       (now != NULL &&
		   (now->serial_no != before->serial_no || now->created_ms != before->created_ms));
}

/* Puts this draft in the place of the one that the text was made of; NULL: none any more. */
static enum outcome
put_draft(struct editing *e, const Ns__Draft *mine)
{
	struct ns_why why = { 0 };
	struct ns_drafts *drafts = cli_drafts_linked(e->cli, &e->code);
	Ns__Draft *now = NULL;
	enum outcome out = DRAFTED;

	if (drafts == NULL)
		return stop(e, true, e->code, "nothing was changed");
	(void)!ns_draft_load(drafts, e->zone, &now, &why);
	if (moved(e->before, now))
		out = stop(e, true, ns_err_exit(NS_CONFLICT), "the draft was changed meanwhile");
	else if ((mine != NULL ? ns_draft_save(drafts, mine, &why)
			       : ns_draft_drop(drafts, e->zone, &why)) != NS_OK)
		out = stop(e, true, cli_error(e->cli, &why), "it is in no draft");
	if (now != NULL)
		ns__draft__free_unpacked(now, NULL);
	ns_drafts_close(&drafts);
	return out;
}

static enum outcome
take_edit(struct editing *e, const Ns__ZoneEdit *edit)
{
	enum outcome out;
	Ns__Draft *d;

	/* Operations made of an older text would take back what others did meanwhile. */
	if (edit->base_version != e->version)
		return stop(e, true, ns_err_exit(NS_CONFLICT), "others changed the zone meanwhile");
	d = e->before != NULL
		? ns_message_copy(&e->before->base)
		: draft_new(edit->zone, edit->base_version, edit->base_serial, clock_wall_ms());
	if (d == NULL)
		return stop(e, true, CLI_FAILED, "it is in no draft");
	draft_replace(d, edit, clock_wall_ms());
	out = put_draft(e, d);
	ns__draft__free_unpacked(d, NULL);
	if (out == DRAFTED) {
		interrupted_says[0] = '\0';
		(void)unlink(e->path);
	}
	return out;
}

static enum outcome
hand_in(struct editing *e)
{
	enum outcome out = STOP;
	Ns__Envelope *reply;

	while ((reply = cli_import_draft(e->cli, e->zone, e->path, &e->code)) == NULL)
		if (ask("(r)etry  (k)eep the text, decide later?", "rk") == 'k')
			return stop(e, true, e->code, "nothing was changed");
	if (reply->import_reply->n_errors > 0)
		out = wrong_line(e, reply->import_reply->errors[0]);
	else if (reply->import_reply->n_drafts == 1)
		out = take_edit(e, reply->import_reply->drafts[0]);
	else if (e->before == NULL)
		out = stop(e, false, CLI_OK, "it is so already: nothing would change");
	else if (ask("The text is what is served. (d)iscard the draft  (k)eep it as it was?",
		     "dk") == 'k')
		out = stop(e, false, CLI_OK, "the draft stays as it was");
	else if (put_draft(e, NULL) == DRAFTED)
		out = stop(e, false, CLI_OK, "the draft is discarded");
	ns__envelope__free_unpacked(reply, NULL);
	return out;
}

/* Until the text is in the draft, or nothing comes of it. */
static bool
to_draft(struct editing *e)
{
	enum outcome out = AGAIN;

	e->line = 0;
	if (!begin(e))
		return false;
	while (out == AGAIN)
		out = edited(e) ? hand_in(e) : STOP;
	return out == DRAFTED;
}

/* ---- and then ---- */
/* What it takes is asked, where the command line has not said it. */
static int
commit_it(struct editing *e, bool whole)
{
	static char comment[512], name[1100];
	struct cli *cli = e->cli;

	if (cli->opt[OPT_COMMIT] == NULL && cli->opt[OPT_COMMENT] == NULL &&
	    ask_text("Why (for the history; empty: nothing)?", comment, sizeof comment) &&
	    comment[0] != '\0')
		cli->opt[OPT_COMMENT] = comment;
	if (whole && cli->opt[OPT_COMMIT] == NULL && cli->opt[OPT_CONFIRM] == NULL &&
	    ask_text("A large part of the zone: its name, to confirm?", name, sizeof name))
		cli->opt[OPT_CONFIRM] = name;
	return cmd_commit(cli);
}

/* The draft as it would be committed; true: edit again. */
static bool
go_on(struct editing *e)
{
	struct cli *cli = e->cli;
	struct ns_drafts *drafts = cli_drafts_linked(cli, &e->code);
	Ns__Envelope *reply = NULL;
	struct draft_set s;
	char what = 'c';
	bool whole;

	if (drafts == NULL)
		return false;
	if (draft_set_load(cli, drafts, DRAFTS_NAMED, &s, &e->code)) {
		reply = cli_plan(cli, s.list, s.n, &e->code);
		draft_set_free(&s);
	}
	ns_drafts_close(&drafts);
	if (reply != NULL)
		cli_plan_print(reply->plan_reply);
	whole =
	    reply != NULL && reply->plan_reply->n_zones > 0 && reply->plan_reply->zones[0]->confirm;
	if (reply == NULL)
		what = ask("The draft is kept as it is. (e)dit again  (k)eep?", "ek");
	else if (cli->opt[OPT_COMMIT] == NULL)
		what = ask("(c)ommit  (e)dit again  (k)eep as a draft?", "cek");
	if (reply != NULL)
		ns__envelope__free_unpacked(reply, NULL);
	if (what == 'k')
		fprintf(stderr, "nameserve: in the draft, not served: nameserve commit %s\n",
		    cli->words[0]);
	if (what == 'c')
		e->code = commit_it(e, whole);
	return what == 'e';
}

int
cmd_edit(struct cli *cli)
{
	struct editing e = { .cli = cli };
	struct ns_why why = { 0 };

	if (cli->restricted)
		(void)ns_fail(&why, NS_DENIED, CODE_EDIT,
		    "an editor of choice would be a shell: E in the console is the same");
	else if (cli->opt[OPT_READ_ONLY] != NULL)
		(void)ns_fail(&why, NS_DENIED, CODE_EDIT, "this session is read-only");
	if (why.err != NS_OK)
		return cli_error(cli, &why);
	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO) || !isatty(STDERR_FILENO) ||
	    cli->opt[OPT_NO_INPUT] != NULL || cli->format != CLI_TABLE)
		return cli_usage(NULL,
		    "edit asks, and needs a terminal: nameserve zone export, then zone import");
	(void)signal(SIGINT, interrupted);
	while (to_draft(&e) && go_on(&e))
		continue;
	wbuf_free(&e.text);
	if (e.before != NULL)
		ns__draft__free_unpacked(e.before, NULL);
	free(e.path);
	free(e.zone);
	return e.code;
}
