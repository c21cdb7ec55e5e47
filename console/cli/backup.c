/* backup - the appliance's store into a file, and back.
 *
 * A backup is written beside its name and renamed when it is whole and on the disk, so that the file of
 * yesterday is there until today's is good.  Both ways go chunk by chunk, one unanswered at a time. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "console/cli/backupkeys.h"
#include "console/cli/cli.h"
#include "ipc/backup.h"
#include "ipc/base/clock.h"
#include "ipc/base/xalloc.h"
#include "ipc/json.h"
#include "ipc/sock.h"

#define STEP_MS   600000u /* copying and verifying read the whole store */
#define SERVE_MS  120000u /* until a restored appliance serves everything */
#define POLL_MS   100
#define CODE_FILE 9010

/* ---- what both say ---- */

static int
file_error(struct cli *cli, const char *path, const char *what)
{
	struct ns_why why = { 0 };

	(void)ns_fail(&why, NS_FAILED, CODE_FILE, "%.200s: %s: %s", path, what, strerror(errno));
	return cli_error(cli, &why);
}

static void
print_info(FILE *out, const Ns__BackupInfo *i)
{
	fprintf(out, "%llu zones, revision %llu, term %llu; of ", (unsigned long long)i->zones,
	    (unsigned long long)i->revision, (unsigned long long)i->term);
	print_safe(out, i->appliance);
	fprintf(out, " (");
	print_safe(out, i->software);
	fprintf(out, "), made ");
	print_safe(out, i->made);
	fprintf(out, "; %.1f MiB\n", (double)i->octets / 1048576.0);
	if (i->n_residencies > 0)
		fprintf(out, "It holds what may be kept at some sites only:\n");
	for (size_t k = 0; k < i->n_residencies; k++) {
		fprintf(out, "  ");
		print_safe(out, i->residencies[k]);
		fprintf(out, "\n");
	}
}

static void
print_keys(FILE *out, const Ns__BackupInfo *i)
{
	if (i->keys)
		fprintf(out, "It holds the DNSSEC keys of %llu zones, closed by the passphrase.\n",
		    (unsigned long long)i->signed_zones);
	else if (i->signed_zones == 0)
		fprintf(out, "The copy cannot sign: it holds no private DNSSEC keys; there is no "
			     "zone that is signed here.\n");
	else
		fprintf(out,
		    "The copy cannot sign: it holds no private DNSSEC keys. Elsewhere the %llu "
		    "zones that are signed here would not be served from it; "
		    "--passphrase-file includes the keys.\n",
		    (unsigned long long)i->signed_zones);
}

static int
print_result(struct cli *cli, const char *schema, const char *file, const Ns__BackupInfo *i)
{
	json_t *j = ns_json_from(&i->base, schema);

	json_object_set_new(j, "file", json_string(file));
	json_object_del(j, "fleet_keys");
	cli_print_json_value(cli, j);
	return CLI_OK;
}

/* ---- backup ---- */

struct output {
	const char *name; /* as the user said it; NULL: standard output */
	char *tmp;
	int fd;
};

/* For the signal handler: what shall not be left behind. */
static const char *volatile unfinished;

static void
on_signal(int sig)
{
	if (unfinished != NULL)
		(void)unlink(unfinished);
	_exit(128 + sig);
}

static bool
output_open(struct output *o, const char *name)
{
	*o = (struct output){ .name = strcmp(name, "-") == 0 ? NULL : name, .fd = STDOUT_FILENO };
	if (o->name == NULL)
		return true;
	o->tmp = xasprintf("%s.%ld.tmp", name, (long)getpid());
	o->fd = open(o->tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (o->fd < 0)
		return false;
	unfinished = o->tmp;
	(void)signal(SIGINT, on_signal);
	(void)signal(SIGTERM, on_signal);
	(void)signal(SIGHUP, on_signal);
	return true;
}

static bool
output_put(const struct output *o, const uint8_t *data, size_t len)
{
	while (len > 0) {
		ssize_t n = write(o->fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		data += n;
		len -= (size_t)n;
	}
	return true;
}

static bool
sync_directory(const char *name)
{
	char *copy = xstrdup(name), *slash = strrchr(copy, '/');
	int fd;
	bool ok;

	if (slash != NULL)
		slash[slash == copy] = '\0';
	fd = open(slash != NULL ? copy : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ok = fd >= 0 && fsync(fd) == 0;
	if (fd >= 0)
		close(fd);
	free(copy);
	return ok;
}

/* On the disk first, under its name second. */
static bool
output_keep(struct output *o)
{
	if (o->name == NULL)
		return true;
	if (fsync(o->fd) != 0 || rename(o->tmp, o->name) != 0)
		return false;
	unfinished = NULL;
	free(o->tmp);
	o->tmp = NULL;
	return sync_directory(o->name);
}

static void
output_close(struct output *o)
{
	int saved = errno;

	if (o->tmp != NULL)
		(void)unlink(o->tmp);
	unfinished = NULL;
	free(o->tmp);
	if (o->name != NULL && o->fd >= 0)
		close(o->fd);
	errno = saved;
}

/* One chunk; its reply, which the caller frees, or NULL. */
static Ns__Envelope *
next_chunk(struct cli *cli, struct backup_keys *keys, uint64_t session, int *code)
{
	Ns__BackupRequest body = NS__BACKUP_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;

	body.session = session;
	if (keys->wanted && session == 0) {
		body.fleet_keys = &keys->how;
		body.seal_to = (ProtobufCBinaryData){ KEYBLOB_KEY, keys->key.public_key };
	}
	request.body_case = NS__ENVELOPE__BODY_BACKUP_REQUEST;
	request.backup_request = &body;
	return cli_call(cli, &request, NS__ENVELOPE__BODY_TEXT_CHUNK, code);
}

/* Everything into the output, read along as a restore would; the exit code. */
static int
fetch(struct cli *cli, const struct output *o, struct backup_keys *keys,
    struct ns_backup_reader *reader)
{
	struct ns_why why = { 0 };
	uint64_t session = 0, left = 1;
	int code = CLI_OK;

	while (code == CLI_OK && left > 0) {
		Ns__Envelope *reply = next_chunk(cli, keys, session, &code);
		const Ns__TextChunk *c;

		if (reply == NULL)
			return code;
		c = reply->text_chunk;
		if (ns_backup_read(reader, c->text.data, c->text.len, &why) != NS_OK)
			code = cli_error(cli, &why);
		else if (!output_put(o, c->text.data, c->text.len))
			code = file_error(cli, o->name != NULL ? o->name : "standard output",
			    "cannot be written, nothing is kept");
		session = c->session;
		left = c->left;
		ns__envelope__free_unpacked(reply, NULL);
	}
	if (code == CLI_OK && ns_backup_end(reader, &why) != NS_OK)
		code = cli_error(cli, &why);
	return code;
}

static int
report_backup(struct cli *cli, const struct output *o, const Ns__BackupInfo *info)
{
	/* What was sent to standard output shall stay alone there. */
	FILE *out = o->name != NULL ? stdout : stderr;

	if (cli->format != CLI_TABLE && o->name != NULL)
		return print_result(cli, "ns.backup/1", o->name, info);
	if (o->name != NULL) {
		print_safe(out, o->name);
		fputs(": ", out);
	}
	print_info(out, info);
	print_keys(out, info);
	return CLI_OK;
}

static int
backup(struct cli *cli, struct backup_keys *keys)
{
	struct ns_backup_reader *reader;
	struct output o;
	int code;

	if (!output_open(&o, cli->words[0])) {
		code = file_error(cli, cli->words[0], "cannot be made");
		output_close(&o);
		return code;
	}
	reader = ns_backup_reader_new(NULL, NULL);
	code = fetch(cli, &o, keys, reader);
	if (code == CLI_OK && !output_keep(&o))
		code = file_error(cli, cli->words[0], "cannot be kept");
	if (code == CLI_OK)
		code = report_backup(cli, &o, ns_backup_info(reader));
	output_close(&o);
	ns_backup_reader_destroy(&reader);
	return code;
}

int
cmd_backup(struct cli *cli)
{
	struct backup_keys keys;
	int code;

	if (strcmp(cli->words[0], "-") == 0 && isatty(STDOUT_FILENO))
		return cli_usage(NULL, "a backup is not for a terminal: name a file, or redirect");
	if (cli->opt[OPT_TIMEOUT] == NULL)
		cli->timeout_ms = STEP_MS;
	code = backup_keys_read(cli, &keys);
	if (code == CLI_OK && keys.wanted)
		code = backup_keys_make(cli, &keys);
	if (code == CLI_OK)
		code = backup(cli, &keys);
	backup_keys_wipe(&keys);
	return code;
}

/* ---- restore ---- */

struct input {
	const char *name;
	int fd;
	uint8_t *buf; /* NS_CHUNK octets */
	struct backup_keys *keys;
	struct ns_backup_reader
	    *along; /* reads what is sent, where there are keys in it; or NULL */
	ProtobufCBinaryData seal_to; /* the appliance's key */
};

/* The next piece, full unless it is the last; -1: errno. */
static ssize_t
input_next(const struct input *in)
{
	size_t have = 0;

	while (have < NS_CHUNK) {
		ssize_t n = read(in->fd, in->buf + have, NS_CHUNK - have);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		have += (size_t)n;
	}
	return (ssize_t)have;
}

/* From here to the end; the exit code. */
static int
check_file(struct cli *cli, const struct input *in, struct ns_backup_reader *reader)
{
	struct ns_why why = { 0 };
	ssize_t n;

	while ((n = input_next(in)) > 0)
		if (ns_backup_read(reader, in->buf, (size_t)n, &why) != NS_OK)
			return cli_error(cli, &why);
	if (n < 0)
		return file_error(cli, in->name, "cannot be read");
	return ns_backup_end(reader, &why) == NS_OK ? CLI_OK : cli_error(cli, &why);
}

/* The reply to one piece, which the caller frees, or NULL. */
static Ns__Envelope *
send_piece(
    struct cli *cli, const struct input *in, size_t len, bool begin, uint64_t session, int *code)
{
	Ns__BackupRestoreRequest body = NS__BACKUP_RESTORE_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;

	body.session = session;
	body.confirm = cli_str(cli->opt[OPT_CONFIRM]);
	body.data = (ProtobufCBinaryData){ .len = len, .data = in->buf };
	body.last = len < NS_CHUNK && !begin;
	body.keys = in->keys->wanted;
	if (body.last)
		body.sealed = (ProtobufCBinaryData){ in->keys->sealed.len, in->keys->sealed.base };
	request.body_case = NS__ENVELOPE__BODY_BACKUP_RESTORE_REQUEST;
	request.backup_restore_request = &body;
	return cli_call(cli, &request, NS__ENVELOPE__BODY_TEXT_CHUNK, code);
}

/* The keys need to know first to whom they shall be sealed: a piece of nothing asks. */
static int
ask_whom(struct cli *cli, struct input *in, uint64_t *session)
{
	int code = CLI_OK;
	Ns__Envelope *reply = send_piece(cli, in, 0, true, 0, &code);

	if (reply == NULL)
		return code;
	*session = reply->text_chunk->session;
	in->seal_to.len = reply->text_chunk->seal_to.len;
	in->seal_to.data = xmemdup(reply->text_chunk->seal_to.data, in->seal_to.len);
	ns__envelope__free_unpacked(reply, NULL);
	in->along = ns_backup_reader_new(NULL, NULL);
	return CLI_OK;
}

/* What goes out next is read here, too: at the end its header has the keys. */
static int
read_along(struct cli *cli, struct input *in, size_t len)
{
	struct ns_why why = { 0 };
	enum ns_err err;

	if (in->along == NULL)
		return CLI_OK;
	err = ns_backup_read(in->along, in->buf, len, &why);
	if (err == NS_OK && len < NS_CHUNK)
		err = ns_backup_end(in->along, &why);
	if (err != NS_OK)
		return cli_error(cli, &why);
	return len < NS_CHUNK
		   ? backup_keys_open(cli, in->keys, ns_backup_info(in->along), &in->seal_to)
		   : CLI_OK;
}

static Ns__BackupInfo *
restored(struct cli *cli, Ns__Envelope *reply, int *code)
{
	const ProtobufCBinaryData *text;
	Ns__BackupInfo *info;

	if (reply == NULL && *code == ns_err_exit(NS_UNKNOWN))
		fprintf(stderr, "nameserve: it was restored if the newest change in "
				"`nameserve history list` is of kind restore, from now\n");
	if (reply == NULL)
		return NULL;
	text = &reply->text_chunk->text;
	info = ns__backup_info__unpack(NULL, text->len, text->data);
	ns__envelope__free_unpacked(reply, NULL);
	if (info == NULL)
		*code = cli_unexpected(cli);
	return info;
}

/* Sends all; what the appliance says it is now, or NULL. */
static Ns__BackupInfo *
send_file(struct cli *cli, struct input *in, int *code)
{
	uint64_t session = 0;
	Ns__Envelope *reply;
	ssize_t n;

	*code = in->keys->wanted ? ask_whom(cli, in, &session) : CLI_OK;
	while (*code == CLI_OK && (n = input_next(in)) >= 0) {
		if ((*code = read_along(cli, in, (size_t)n)) != CLI_OK)
			return NULL;
		reply = send_piece(cli, in, (size_t)n, false, session, code);
		if (n < (ssize_t)NS_CHUNK)
			return restored(cli, reply, code);
		if (reply == NULL)
			return NULL;
		session = reply->text_chunk->session;
		ns__envelope__free_unpacked(reply, NULL);
	}
	if (*code == CLI_OK)
		*code = file_error(cli, in->name, "cannot be read");
	return NULL;
}

/* 1: it serves what was restored, 0: not yet. */
static int
is_served(struct cli *cli, const Ns__BackupInfo *info)
{
	Ns__StatusRequest body = NS__STATUS_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;
	struct ns_why why = { 0 };
	Ns__Envelope *reply;
	const Ns__StatusReply *s;
	int yes;

	request.body_case = NS__ENVELOPE__BODY_STATUS_REQUEST;
	request.status_request = &body;
	reply = ns_client_call(cli->client, &request, 2000, &why);
	if (reply == NULL)
		return 0;
	s = reply->body_case == NS__ENVELOPE__BODY_STATUS_REPLY ? reply->status_reply : NULL;
	yes = s != NULL && s->term >= info->term && s->served_revision >= info->revision;
	ns__envelope__free_unpacked(reply, NULL);
	return yes;
}

/* sync starts anew from the restored store, the signer compiles all zones. */
static bool
wait_served(struct cli *cli, const Ns__BackupInfo *info)
{
	const struct timespec pause = { 0, POLL_MS * 1000000L };
	unsigned patience = cli->opt[OPT_TIMEOUT] != NULL ? cli->timeout_ms : SERVE_MS;
	uint64_t until = clock_mono_ms() + patience;

	while (!is_served(cli, info)) {
		if (clock_mono_ms() >= until)
			return false;
		nanosleep(&pause, NULL);
	}
	return true;
}

static void
print_able(const Ns__BackupInfo *i)
{
	if (i->keys)
		printf("It signs: the fleet keys were restored, too.\n");
	else if (i->signed_zones > 0)
		printf("It cannot sign, unless it had the fleet keys before: %llu zones need them. "
		       "Restore with --passphrase-file, from a backup made with it; where that is "
		       "lost, "
		       "dnssec new-keys.\n",
		    (unsigned long long)i->signed_zones);
}

static int
report_restore(struct cli *cli, const char *name, const Ns__BackupInfo *info)
{
	bool served = wait_served(cli, info);

	if (cli->format != CLI_TABLE) {
		json_t *j = ns_json_from(&info->base, "ns.restore/1");

		json_object_set_new(j, "file", json_string(name));
		json_object_set_new(j, "served", json_boolean(served));
		cli_print_json_value(cli, j);
	} else {
		printf("%s: ", served ? "restored and served" : "restored");
		print_info(stdout, info);
		print_able(info);
	}
	if (!served)
		fprintf(stderr,
		    "nameserve: the backup is in place, but not all of it is served yet: see "
		    "`nameserve status`\n");
	return served ? CLI_OK : CLI_LATE;
}

static int
restore(struct cli *cli, struct input *in)
{
	Ns__BackupInfo *info;
	int code = CLI_OK;

	if (cli->opt[OPT_TIMEOUT] == NULL)
		cli->timeout_ms = STEP_MS;
	info = send_file(cli, in, &code);
	if (info == NULL)
		return code;
	code = report_restore(cli, in->name, info);
	ns__backup_info__free_unpacked(info, NULL);
	return code;
}

/* A file that is not good, or keys that do not open, are refused before anybody is bothered. */
static int
look_first(struct cli *cli, const struct input *in)
{
	struct ns_backup_reader *reader = ns_backup_reader_new(NULL, NULL);
	bool only = cli->opt[OPT_CHECK] != NULL;
	int code = check_file(cli, in, reader);

	if (code == CLI_OK && in->keys->wanted)
		code = backup_keys_open(cli, in->keys, ns_backup_info(reader), NULL);
	if (code == CLI_OK && only && cli->format != CLI_TABLE) {
		code = print_result(cli, "ns.backup/1", in->name, ns_backup_info(reader));
	} else if (code == CLI_OK && only) {
		print_info(stdout, ns_backup_info(reader));
		print_keys(stdout, ns_backup_info(reader));
	}
	ns_backup_reader_destroy(&reader);
	return code;
}

/* A pipe is read once only. */
static int
checked(struct cli *cli, struct input *in)
{
	bool only = cli->opt[OPT_CHECK] != NULL;
	int code;

	if (!only && lseek(in->fd, 0, SEEK_CUR) < 0)
		return restore(cli, in);
	code = look_first(cli, in);
	if (code != CLI_OK || only)
		return code;
	if (lseek(in->fd, 0, SEEK_SET) != 0)
		return file_error(cli, in->name, "cannot be read again");
	return restore(cli, in);
}

int
cmd_restore_backup(struct cli *cli)
{
	struct backup_keys keys;
	struct input in = { .name = cli->words[0], .fd = STDIN_FILENO, .keys = &keys };
	int code = backup_keys_read(cli, &keys);

	if (code != CLI_OK)
		return code;
	if (strcmp(in.name, "-") != 0)
		in.fd = open(in.name, O_RDONLY | O_CLOEXEC);
	if (in.fd < 0)
		return file_error(cli, in.name, "cannot be opened");
	in.buf = xmalloc(NS_CHUNK);
	code = checked(cli, &in);
	backup_keys_wipe(&keys);
	ns_backup_reader_destroy(&in.along);
	free(in.seal_to.data);
	free(in.buf);
	if (in.fd != STDIN_FILENO)
		close(in.fd);
	return code;
}
