/* import - master files to the appliance, streamed: never a giant message, never a whole directory in
 * memory. Pieces go out in chunks with a window of unanswered ones; the appliance answers each when its
 * pipeline has room, so a slow disk slows us and nothing piles up. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "console/cli/cli.h"
#include "ipc/base/clock.h"
#include "ipc/base/text.h"
#include "ipc/base/xalloc.h"

#define CODE_RAIL   2118u /* a large part of the zone would change */
#define FILES_MAX   512u /* in one chunk */
#define WINDOW_MAX  64u
#define CHUNK_MAX   (512u << 10)
#define STEP_MS     600000u /* an import waits for its disk, not for a deadline */
#define PROGRESS_MS 200u

struct import {
	struct cli *cli;
	uint64_t session;
	size_t chunk;
	unsigned window, outstanding;
	bool room, over, failed;
	bool quiet; /* one small file: how far it is nobody asks */
	int code;
	Ns__ImportProgress progress;
	uint64_t shown_ms;
	/* the chunk being filled */
	uint8_t *text;
	size_t used;
	Ns__ImportData__File files[FILES_MAX], *list[FILES_MAX];
	char *names[FILES_MAX][2];
	unsigned n;
};

static void
progress_show(struct import *im, bool last)
{
	if (im->quiet || !isatty(STDERR_FILENO) || im->cli->format != CLI_TABLE)
		return;
	if (!last && clock_mono_ms() - im->shown_ms < PROGRESS_MS)
		return;
	im->shown_ms = clock_mono_ms();
	fprintf(stderr, "\r%llu zones, %llu records, %llu failed%s",
	    (unsigned long long)im->progress.zones, (unsigned long long)im->progress.records,
	    (unsigned long long)im->progress.failed, last ? "\n" : " ");
}

static void
data_reply(void *arg, const Ns__Envelope *env, const struct ns_why *why)
{
	struct import *im = arg;

	im->outstanding--;
	im->room = true;
	if (env == NULL) {
		if (!im->failed)
			im->code = cli_error(im->cli, why);
		im->failed = true;
		return;
	}
	if (env->body_case == NS__ENVELOPE__BODY_IMPORT_PROGRESS) {
		im->progress = *env->import_progress;
		progress_show(im, false);
	}
}

static void
wait_for_room(struct import *im, unsigned below)
{
	while (im->outstanding >= below && im->outstanding > 0 && !im->failed) {
		im->room = false;
		ns_client_wait(im->cli->client, &im->room);
	}
}

static void
chunk_send(struct import *im)
{
	Ns__ImportData data = NS__IMPORT_DATA__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;

	if (im->n == 0 || im->failed)
		return;
	wait_for_room(im, im->window);
	data.session = im->session;
	data.n_files = im->n;
	data.files = im->list;
	request.body_case = NS__ENVELOPE__BODY_IMPORT_DATA;
	request.import_data = &data;
	if (!im->failed) {
		im->outstanding++;
		ns_client_request(im->cli->client, &request, STEP_MS, data_reply, im);
	}
	for (unsigned i = 0; i < im->n; i++) {
		free(im->names[i][0]);
		free(im->names[i][1]);
	}
	im->n = 0;
	im->used = 0;
}

/* Room in the chunk for a piece of this file; how much of the text may be filled. */
static Ns__ImportData__File *
piece_begin(struct import *im, const char *path, const char *zone, size_t *room)
{
	if (im->n == FILES_MAX || im->used + 512 > im->chunk)
		chunk_send(im);
	Ns__ImportData__File *f = &im->files[im->n];
	ns__import_data__file__init(f);
	f->file = im->names[im->n][0] = xstrdup(path);
	f->zone = im->names[im->n][1] = xstrdup(zone);
	f->text.data = im->text + im->used;
	im->list[im->n++] = f;
	*room = im->chunk - im->used;
	return f;
}

/* One file, in as many pieces as it takes. A file that cannot be read is told and left out. */
static void
file_send(struct import *im, const char *path, const char *zone)
{
	bool standard = strcmp(path, "-") == 0;
	int fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);

	bool broken = false;

	if (fd < 0) {
		fprintf(stderr, "nameserve: %s: %s\n", path, strerror(errno));
		im->code = CLI_FAILED;
		return;
	}
	for (bool last = false; !last && !im->failed;) {
		size_t room;
		Ns__ImportData__File *f = piece_begin(im, path, zone, &room);
		while (f->text.len < room) {
			ssize_t n = read(fd, f->text.data + f->text.len, room - f->text.len);
			if (n < 0 && errno == EINTR)
				continue;
			if (n < 0) {
				/* Without its last piece it is no zone: half of one must not go in. */
				fprintf(stderr, "nameserve: %s: %s\n", path, strerror(errno));
				im->code = CLI_FAILED;
				broken = true;
			}
			if (n <= 0) {
				last = true;
				break;
			}
			f->text.len += (size_t)n;
		}
		f->last = last && !broken;
		im->used += f->text.len;
	}
	if (!standard)
		close(fd);
}

static int
is_zone_file(const struct dirent *d)
{
	return d->d_name[0] != '.';
}

static void
dir_send(struct import *im, const char *dir)
{
	struct dirent **entries;
	int n = scandir(dir, &entries, is_zone_file, alphasort);

	if (n < 0) {
		fprintf(stderr, "nameserve: %s: %s\n", dir, strerror(errno));
		im->code = CLI_FAILED;
		return;
	}
	for (int i = 0; i < n; i++) {
		char *path = xasprintf("%s/%s", dir, entries[i]->d_name);
		struct stat st;
		bool regular = stat(path, &st) == 0 && S_ISREG(st.st_mode);
		if (regular && !text_is_clean(path, strlen(path))) {
			/* No message may carry it; the others go in. */
			text_scrub(path);
			fprintf(
			    stderr, "nameserve: %s: the name of this file is not UTF-8\n", path);
			im->code = CLI_REJECTED;
		} else if (regular && !im->failed) {
			file_send(im, path, entries[i]->d_name);
		}
		free(path);
		free(entries[i]);
	}
	free(entries);
}

/* ---- begin and end ---- */

static bool
session_begin(struct import *im, bool draft)
{
	struct cli *cli = im->cli;
	Ns__ImportBegin body = NS__IMPORT_BEGIN__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;
	char **confirm = NULL;

	body.comment = cli_str(cli->opt[OPT_COMMENT]);
	body.commit = !draft && cli->opt[OPT_COMMIT] != NULL;
	body.draft = draft;
	if (!draft && cli->opt[OPT_CONFIRM] != NULL)
		body.confirm = confirm = cli_commas(cli->opt[OPT_CONFIRM], &body.n_confirm);
	request.body_case = NS__ENVELOPE__BODY_IMPORT_BEGIN;
	request.import_begin = &body;
	Ns__Envelope *reply = cli_call(cli, &request, NS__ENVELOPE__BODY_IMPORT_READY, &im->code);
	free(confirm);
	if (reply == NULL)
		return false;
	const Ns__ImportReady *ready = reply->import_ready;
	im->session = ready->session;
	im->window = ready->window > 0 && ready->window < WINDOW_MAX ? ready->window : 1;
	im->chunk = ready->chunk >= 4096 && ready->chunk <= CHUNK_MAX ? ready->chunk : 65536;
	im->text = xmalloc(im->chunk);
	ns__envelope__free_unpacked(reply, NULL);
	return true;
}

static int
summary_print(struct import *im, const Ns__ImportReply *r)
{
	progress_show(im, true);
	if (r->n_drafts > 0) /* one zone was sent */
		return cli_draft_take(im->cli, r->drafts[0]);
	if (im->cli->format != CLI_TABLE) {
		cli_print_json(im->cli, &r->base, "ns.zone.import/1");
	} else {
		for (size_t i = 0; i < r->n_errors; i++) {
			print_safe(stderr, r->errors[i]->file);
			if (r->errors[i]->line != 0)
				fprintf(stderr, ":%u", r->errors[i]->line);
			fprintf(stderr, ": E%04u ", r->errors[i]->code);
			print_safe(stderr, r->errors[i]->reason);
			fputc('\n', stderr);
		}
		if (r->failed > r->n_errors)
			fprintf(stderr, "and %llu more\n",
			    (unsigned long long)(r->failed - r->n_errors));
		printf("%llu zones, %llu records in %.1f s, revision %llu; %llu unchanged, %llu "
		       "failed\n",
		    (unsigned long long)r->zones, (unsigned long long)r->records, r->seconds,
		    (unsigned long long)r->revision, (unsigned long long)r->unchanged,
		    (unsigned long long)r->failed);
	}
	if (r->n_errors == 1 && r->failed == 1 && r->errors[0]->code == CODE_RAIL)
		return ns_err_exit(NS_CONFIRM);
	return r->failed > 0 ? CLI_REJECTED : im->code;
}

/* The last of it; NULL after a message, with im->code. */
static Ns__Envelope *
session_end(struct import *im)
{
	Ns__ImportEnd body = NS__IMPORT_END__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;

	chunk_send(im);
	wait_for_room(im, 1);
	if (im->failed)
		return NULL;
	body.session = im->session;
	request.body_case = NS__ENVELOPE__BODY_IMPORT_END;
	request.import_end = &body;
	im->cli->timeout_ms = STEP_MS;
	return cli_call(im->cli, &request, NS__ENVELOPE__BODY_IMPORT_REPLY, &im->code);
}

Ns__Envelope *
cli_import_draft(struct cli *cli, const char *zone, const char *path, int *code)
{
	struct import *im = xcalloc(1, sizeof *im);
	unsigned timeout_ms = cli->timeout_ms;
	Ns__Envelope *reply = NULL;

	im->cli = cli;
	im->quiet = true;
	if (session_begin(im, true)) {
		file_send(im, path, zone);
		reply = session_end(im);
	}
	cli->timeout_ms = timeout_ms;
	*code = im->code;
	free(im->text);
	free(im);
	return reply;
}

int
cmd_zone_import(struct cli *cli)
{
	const char *dir = cli->opt[OPT_DIR];
	struct stat st;

	if (dir != NULL ? cli->n_words != 0 : cli->n_words != 2)
		return cli_usage(NULL, "zone import takes ZONE FILE, or --dir DIR");
	bool named = dir == NULL && strcmp(cli->words[1], "-") != 0;

	if (named && stat(cli->words[1], &st) < 0)
		return cli_usage(NULL, "%s: %s", cli->words[1], strerror(errno));
	if (named && S_ISDIR(st.st_mode))
		return cli_usage(
		    NULL, "%s: a directory: zone import --dir reads one", cli->words[1]);
	if (dir != NULL && (stat(dir, &st) < 0 || !S_ISDIR(st.st_mode)))
		return cli_usage(NULL, "%s: not a directory", dir);
	struct import *im = xcalloc(1, sizeof *im);
	im->cli = cli;
	Ns__Envelope *reply = NULL;
	if (session_begin(im, dir == NULL && cli->opt[OPT_COMMIT] == NULL)) {
		if (dir != NULL)
			dir_send(im, dir);
		else
			file_send(im, cli->words[1], cli->words[0]);
		reply = session_end(im);
	}
	int code = reply != NULL ? summary_print(im, reply->import_reply) : im->code;
	if (reply != NULL)
		ns__envelope__free_unpacked(reply, NULL);
	free(im->text);
	free(im);
	return code;
}
