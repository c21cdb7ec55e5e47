/* Drafts in files: what is saved comes back, whatever is done to the files is no draft and no crash, two
 * programs take turns, and a kill -9 in the middle of saving leaves the old draft or the new one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ipc/base/clock.h"
#include "ipc/base/xalloc.h"
#include "ipc/client/draft.h"
#include "ipc/client/draftop.h"
#include "tests/lib/store_kit.h"

#define FLEET "fra1-a"

static char *state;

static int
setup(void **arg)
{
	(void)arg;
	state = kit_dir();
	return 0;
}

static int
teardown(void **arg)
{
	char *command[] = { "rm", "-rf", state, NULL };
	pid_t pid = fork();

	(void)arg;
	if (pid == 0) {
		execvp(command[0], command);
		_exit(127);
	}
	waitpid(pid, NULL, 0);
	free(state);
	return 0;
}

static struct ns_drafts *
open_locked(void)
{
	struct ns_drafts *d = ns_drafts_open(state, FLEET, NULL);

	assert_non_null(d);
	assert_int_equal(ns_drafts_lock(d, 1000, NULL), NS_OK);
	return d;
}

/* A draft with n operations that name its version. */
static Ns__Draft *
draft(const char *zone, uint64_t version, size_t n)
{
	Ns__Draft *d = xmalloc(sizeof *d);

	ns__draft__init(d);
	d->zone = draft_zone(zone);
	d->base_version = version;
	d->ops = xcalloc(n + 1, sizeof *d->ops);
	for (; d->n_ops < n; d->n_ops++) {
		Ns__RecordOp *op = xmalloc(sizeof *op);

		ns__record_op__init(op);
		op->name = xasprintf("h%zu", d->n_ops);
		op->type = xstrdup("TXT");
		op->rdata = xcalloc(1, sizeof *op->rdata);
		op->rdata[op->n_rdata++] = xasprintf("\"%llu\"", (unsigned long long)version);
		d->ops[d->n_ops] = op;
	}
	return d;
}

static void
save(struct ns_drafts *drafts, const char *zone, uint64_t version, size_t n)
{
	Ns__Draft *d = draft(zone, version, n);

	assert_int_equal(ns_draft_save(drafts, d, NULL), NS_OK);
	ns__draft__free_unpacked(d, NULL);
}

static char *
path_of(const char *file)
{
	return xasprintf("%s/drafts/" FLEET "/%s", state, file);
}

static void
there_and_back(void **arg)
{
	static const char *const zones[] = { "Example.COM", "example.com.", ".", "a/b.example",
		"..", "x\\.y.example." };
	struct ns_drafts *d = open_locked();
	struct ns_why why = { 0 };
	Ns__Draft *got;

	(void)arg;
	for (size_t i = 0; i < sizeof zones / sizeof zones[0]; i++) {
		char *canonical = draft_zone(zones[i]);

		save(d, zones[i], i + 1, 3);
		assert_int_equal(ns_draft_load(d, zones[i], &got, &why), NS_OK);
		assert_string_equal(got->zone, canonical);
		assert_int_equal(got->base_version, i + 1);
		assert_int_equal(got->n_ops, 3);
		ns__draft__free_unpacked(got, NULL);
		free(canonical);
	}
	assert_int_equal(ns_draft_drop(d, "EXAMPLE.com", NULL), NS_OK);
	assert_int_equal(ns_draft_load(d, "example.com", &got, &why), NS_NOTFOUND);
	assert_int_equal(ns_draft_drop(d, "example.com", NULL), NS_NOTFOUND);
	ns_drafts_close(&d);
}

/* A comment is kept whole, or as much of it as fits, never half a character; a file with a longer one is no draft. */
static void
comments_have_a_limit(void **arg)
{
	char text[DRAFT_COMMENT_MAX + 3];
	Ns__Draft *d = draft("example.com.", 1, 1), *got;
	uint8_t *bytes;
	size_t len;

	(void)arg;
	memset(text, 'x', sizeof text - 1);
	memcpy(text + DRAFT_COMMENT_MAX - 1, "\xc3\xa9", 3);
	draft_comment(d, "why");
	draft_comment(d, text);
	assert_int_equal(strlen(d->comment), DRAFT_COMMENT_MAX - 1);
	bytes = draft_encode(d, &len);
	got = draft_decode(bytes, len, NULL);
	assert_string_equal(got->comment, d->comment);
	ns__draft__free_unpacked(got, NULL);
	free(bytes);
	free(d->comment);
	d->comment = xstrdup(text);
	bytes = draft_encode(d, &len);
	assert_null(draft_decode(bytes, len, NULL));
	free(bytes);
	ns__draft__free_unpacked(d, NULL);
}

static void
long_names_and_other_fleets(void **arg)
{
	char name[900];
	struct ns_drafts *d = open_locked(), *other = ns_drafts_open(state, "par1-a", NULL);
	Ns__Draft *got;
	char **fleets;
	size_t n;

	(void)arg;
	for (size_t i = 0; i < sizeof name - 1; i++)
		name[i] = i % 60 == 59 ? '.' : 'x';
	name[sizeof name - 1] = '\0';
	save(d, name, 7, 1);
	assert_int_equal(ns_draft_load(d, name, &got, NULL), NS_OK);
	ns__draft__free_unpacked(got, NULL);
	assert_int_equal(ns_draft_load(other, name, &got, NULL), NS_NOTFOUND);
	n = ns_drafts_fleets(state, &fleets);
	assert_int_equal(n, 2);
	assert_string_equal(fleets[0], FLEET);
	assert_string_equal(fleets[1], "par1-a");
	free(fleets[0]);
	free(fleets[1]);
	free(fleets);
	ns_drafts_close(&d);
	ns_drafts_close(&other);
}

static bool
count_one(void *arg, const char *zone, const Ns__Draft *d, const struct ns_why *why)
{
	unsigned *n = arg;

	(void)zone;
	n[d != NULL ? 0 : 1]++;
	assert_true(d != NULL || (why->err != NS_OK && why->text[0] != '\0'));
	return true;
}

static void
write_file(const char *file, const void *data, size_t len)
{
	char *path = path_of(file);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0 && write(fd, data, len) == (ssize_t)len);
	close(fd);
	free(path);
}

/* Every truncation and every flipped bit is found. */
static void
damage_is_found(void **arg)
{
	struct ns_drafts *d = open_locked();
	Ns__Draft *whole = draft("example.com", 9, 4), *got;
	struct ns_why why = { 0 };
	size_t len;
	uint8_t *bytes = draft_encode(whole, &len);

	(void)arg;
	for (size_t i = 0; i < len; i++) {
		assert_null(draft_decode(bytes, i, &why));
		for (int bit = 0; bit < 8; bit++) {
			bytes[i] ^= (uint8_t)(1 << bit);
			assert_null(draft_decode(bytes, len, &why));
			bytes[i] ^= (uint8_t)(1 << bit);
		}
	}
	write_file("example.com..draft", bytes, len - 3);
	assert_int_equal(ns_draft_load(d, "example.com", &got, &why), NS_CORRUPT);
	assert_non_null(strstr(why.text, "example.com..draft"));
	/* Under another zone's name it is no draft of that one. */
	write_file("example.net..draft", bytes, len);
	assert_int_equal(ns_draft_load(d, "example.net", &got, &why), NS_CORRUPT);
	assert_int_equal(ns_draft_drop(d, "example.net", NULL), NS_OK);
	free(bytes);
	ns__draft__free_unpacked(whole, NULL);
	ns_drafts_close(&d);
}

static void
odd_files(void **arg)
{
	struct ns_drafts *d = open_locked();
	unsigned n[2] = { 0, 0 };
	char *path;
	Ns__Draft *got;

	(void)arg;
	save(d, "good.example", 1, 1);
	path = path_of("link.example..draft");
	assert_int_equal(symlink("/etc/passwd", path), 0);
	free(path);
	path = path_of("dir.example..draft");
	assert_int_equal(mkdir(path, 0700), 0);
	free(path);
	path = path_of("fifo.example..draft");
	assert_int_equal(mkfifo(path, 0600), 0);
	free(path);
	path = path_of("big.example..draft");
	assert_int_equal(close(open(path, O_WRONLY | O_CREAT, 0600)), 0);
	assert_int_equal(truncate(path, 1ll << 32), 0);
	free(path);
	assert_int_not_equal(ns_draft_load(d, "link.example", &got, NULL), NS_OK);
	assert_int_not_equal(ns_draft_load(d, "fifo.example", &got, NULL), NS_OK);
	assert_int_equal(ns_draft_load(d, "big.example", &got, NULL), NS_CORRUPT);
	assert_int_equal(ns_drafts_each(d, count_one, n, NULL), NS_OK);
	assert_int_equal(n[0], 1);
	assert_int_equal(n[1], 4);
	ns_drafts_close(&d);
}

static void
too_much(void **arg)
{
	struct ns_drafts *d = open_locked();
	Ns__Draft *big = draft("example.com", 2, DRAFT_OPS_MAX + 1), *got;
	struct ns_why why = { 0 };

	(void)arg;
	save(d, "example.com", 1, 2);
	assert_int_equal(ns_draft_save(d, big, &why), NS_INVALID);
	assert_int_equal(ns_draft_load(d, "example.com", &got, &why), NS_OK);
	assert_int_equal(got->base_version, 1);
	ns__draft__free_unpacked(got, NULL);
	ns__draft__free_unpacked(big, NULL);
	ns_drafts_close(&d);
}

static void
others_may_not_write_it(void **arg)
{
	struct ns_drafts *d = ns_drafts_open(state, FLEET, NULL);
	struct ns_why why = { 0 };
	struct stat st;
	char *path = path_of("");

	(void)arg;
	ns_drafts_close(&d);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_int_equal(chmod(path, 0777), 0);
	assert_null(ns_drafts_open(state, FLEET, &why));
	assert_int_equal(why.err, NS_DENIED);
	free(path);
}

/* ---- two programs ---- */
static void
the_lock_is_for_one(void **arg)
{
	struct ns_drafts *d = open_locked();
	struct ns_why why = { 0 };
	int status;
	pid_t pid = fork();

	(void)arg;
	if (pid == 0) {
		struct ns_drafts *mine = ns_drafts_open(state, FLEET, NULL);

		_exit(ns_drafts_lock(mine, 30, &why) == NS_UNAVAILABLE ? 0 : 1);
	}
	waitpid(pid, &status, 0);
	assert_int_equal(status, 0);
	ns_drafts_unlock(d);
	assert_int_equal(ns_drafts_lock(d, 0, NULL), NS_OK);
	ns_drafts_close(&d);
}

#define WRITERS 4
#define EACH    25

/* Each adds one to the version it finds: none is lost. */
static void
nobody_overwrites(void **arg)
{
	struct ns_drafts *d = open_locked();
	pid_t pids[WRITERS];
	Ns__Draft *got;
	int status;

	(void)arg;
	save(d, "example.com", 0, 1);
	ns_drafts_unlock(d);
	for (int w = 0; w < WRITERS; w++) {
		if ((pids[w] = fork()) != 0)
			continue;
		struct ns_drafts *mine = ns_drafts_open(state, FLEET, NULL);

		for (int i = 0; i < EACH; i++) {
			Ns__Draft *now;

			if (ns_drafts_lock(mine, 20000, NULL) != NS_OK ||
			    ns_draft_load(mine, "example.com", &now, NULL) != NS_OK)
				_exit(1);
			now->base_version++;
			if (ns_draft_save(mine, now, NULL) != NS_OK)
				_exit(2);
			ns__draft__free_unpacked(now, NULL);
			ns_drafts_unlock(mine);
		}
		_exit(0);
	}
	for (int w = 0; w < WRITERS; w++) {
		waitpid(pids[w], &status, 0);
		assert_int_equal(status, 0);
	}
	assert_int_equal(ns_draft_load(d, "example.com", &got, NULL), NS_OK);
	assert_int_equal(got->base_version, WRITERS * EACH);
	ns__draft__free_unpacked(got, NULL);
	ns_drafts_close(&d);
}

/* A writer is killed at any moment, twenty times: what is there is whole, never older than what it had
 * said was saved, and the lock is free. */
static void
killed_while_it_saves(void **arg)
{
	uint64_t seed = 11, floor = 0;

	(void)arg;
	for (int round = 0; round < 20; round++) {
		int said[2];
		uint64_t told = floor, one;
		struct ns_drafts *d;
		Ns__Draft *got;
		pid_t pid;

		assert_int_equal(pipe(said), 0);
		if ((pid = fork()) == 0) {
			struct ns_drafts *mine = open_locked();

			for (uint64_t v = floor + 1;; v++) {
				save(mine, "example.com", v, 40);
				if (write(said[1], &v, sizeof v) != (ssize_t)sizeof v)
					_exit(0);
			}
		}
		close(said[1]);
		for (uint64_t n = kit_random(&seed) % 12 + 1; n > 0; n--)
			if (read(said[0], &one, sizeof one) == (ssize_t)sizeof one)
				told = one;
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		while (read(said[0], &one, sizeof one) == (ssize_t)sizeof one)
			told = one;
		close(said[0]);
		d = open_locked();
		assert_int_equal(ns_draft_load(d, "example.com", &got, NULL), NS_OK);
		assert_true(got->base_version == told || got->base_version == told + 1);
		assert_int_equal(got->n_ops, 40);
		floor = got->base_version;
		ns__draft__free_unpacked(got, NULL);
		ns_drafts_close(&d);
	}
}

/* ---- operations (draftop.h) ---- */
static Ns__RecordOp
an_op(const char *name, const char *type, char **rdata)
{
	Ns__RecordOp op = NS__RECORD_OP__INIT;

	op.kind = rdata != NULL ? NS__RECORD_OP__KIND__SET : NS__RECORD_OP__KIND__DEL;
	op.name = (char *)(uintptr_t)name;
	op.type = (char *)(uintptr_t)type;
	op.rdata = rdata;
	op.n_rdata = rdata != NULL;
	return op;
}

static void
names_of_operations(void **arg)
{
	static const struct {
		const char *name, *type, *set, *set_type;
		bool same;
	} rows[] = { { "www", "A", "www.example.com.", "A", true },
		{ "WWW", "a", "www.example.com.", "A", true },
		{ "www.example.com.", "A", "www.example.com.", "A", true },
		{ "@", "MX", "example.com.", "MX", true },
		{ "www", "A", "www.example.com.", "MX", false },
		{ "www", "", "www.example.com.", "MX", true },
		{ "ww", "A", "www.example.com.", "A", false },
		{ "www", "A", "example.com.", "A", false },
		{ "a\\.", "A", "a\\..example.com.", "A", true } };

	(void)arg;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		Ns__RecordOp op = an_op(rows[i].name, rows[i].type, NULL);

		assert_int_equal(
		    op_names(&op, "example.com.", rows[i].set, rows[i].set_type), rows[i].same);
	}
}

static void
undo_and_leave_out(void **arg)
{
	Ns__Draft *d = draft_new("Example.com", 7, 70, 1000);
	char *data[] = { (char *)(uintptr_t) "192.0.2.1" };
	Ns__RecordOp www = an_op("www", "A", data), mx = an_op("@", "MX", NULL),
		     all = an_op("www", "", NULL);
	struct draft_undone undone, left_out;

	(void)arg;
	draft_add(d, &www, 1001);
	draft_add(d, &mx, 1002);
	draft_add(d, &www, 1003);
	draft_add(d, &all, 1004);
	assert_string_equal(d->zone, "example.com.");
	assert_int_equal(d->serial_no, 4);
	assert_int_equal(draft_leave_out(d, "www.example.com.", "A", 1005), 2);
	assert_int_equal(d->n_ops, 2); /* that of all types stays */
	assert_int_equal(draft_leave_out(d, "www.example.com.", "A", 1006), 0);
	assert_true(draft_undo(d, &left_out, 1007)); /* what was left out is there again */
	assert_non_null(left_out.step);
	assert_int_equal(d->n_ops, 4);
	draft_redo(d, &left_out, 1007);
	assert_int_equal(d->n_ops, 2);
	draft_add(d, &www, 1007);
	assert_true(draft_undo(d, &undone, 1007));
	assert_string_equal(undone.op->type, "A");
	draft_undone_free(&undone);
	assert_true(draft_undo(d, &left_out, 1008));
	draft_undone_free(&left_out);
	assert_true(draft_undo(d, &undone, 1008));
	assert_string_equal(undone.op->type, "");
	draft_redo(d, &undone, 1008);
	for (size_t n = 4; n > 0; n--) {
		assert_int_equal(d->n_ops, n);
		assert_true(draft_undo(d, &undone, 1009));
		draft_undone_free(&undone);
	}
	assert_false(draft_undo(d, &undone, 1010));
	ns__draft__free_unpacked(d, NULL);
}

/* What an editor's text made of it is one step; before and behind it undo goes by operations, and redo comes back. */
static void
undo_steps(void **arg)
{
	Ns__Draft *d = draft_new("example.com", 7, 70, 1000);
	Ns__RecordOp www = an_op("www", "A", NULL), mx = an_op("@", "MX", NULL),
		     *made[] = { &mx, &www, &mx };
	Ns__ZoneEdit edit = NS__ZONE_EDIT__INIT;
	static const size_t ops[] = { 0, 1, 2, 3, 4 };
	struct draft_undone undone[8];
	struct ns_why why = { 0 };
	uint8_t *bytes;
	size_t len, n = 0;

	(void)arg;
	edit.ops = made;
	edit.n_ops = 3;
	edit.base_version = 8;
	draft_add(d, &www, 1001);
	draft_add(d, &mx, 1002);
	draft_replace(d, &edit, 1003);
	draft_add(d, &www, 1004);
	assert_int_equal(d->base_version, 8);
	bytes = draft_encode(d, &len); /* steps are in the file */
	ns__draft__free_unpacked(d, NULL);
	d = draft_decode(bytes, len, &why);
	free(bytes);
	assert_non_null(d);
	for (size_t i = 5; i-- > 0; n++) { /* 4, 3, then the step: 2, 1, 0 */
		assert_int_equal(d->n_ops, ops[i]);
		assert_int_equal(d->base_version, i > 2 ? 8 : 7);
		if (i > 0)
			assert_true(draft_undo(d, &undone[n], 1005));
	}
	n = 4;
	for (size_t i = 0; i < 5; i++) {
		assert_int_equal(d->n_ops, ops[i]);
		assert_int_equal(d->base_version, i > 2 ? 8 : 7);
		if (i < 4)
			draft_redo(d, &undone[--n], 1006);
	}
	draft_rebase(d, 9, 90, 1007); /* what it goes back to is of that version, too */
	for (n = 0; draft_undo(d, &undone[n], 1008); n++) {
		assert_int_equal(d->base_version, 9);
		draft_undone_free(&undone[n]);
	}
	assert_int_equal(n, 4);
	for (unsigned i = 0; i < DRAFT_STEPS_MAX + 5; i++)
		draft_replace(d, &edit, 1009);
	assert_int_equal(d->n_steps, DRAFT_STEPS_MAX);
	ns__draft__free_unpacked(d, NULL);
}

static void
names_in_zones(void **arg)
{
	static const struct {
		const char *zone, *name;
		size_t len;
	} rows[] = { { "example.com.", "www.example.com", 12 },
		{ "example.com.", "Example.COM.", 12 }, { "example.com.", "badexample.com", 0 },
		{ "example.com.", "example.org", 0 }, { "sub.example.com.", "example.com", 0 },
		{ ".", "www.example.com", 1 }, { "example.com.", "", 0 } };

	(void)arg;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		assert_int_equal(draft_holds(rows[i].zone, rows[i].name), rows[i].len);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(there_and_back, setup, teardown),
		cmocka_unit_test(comments_have_a_limit),
		cmocka_unit_test_setup_teardown(long_names_and_other_fleets, setup, teardown),
		cmocka_unit_test_setup_teardown(damage_is_found, setup, teardown),
		cmocka_unit_test_setup_teardown(odd_files, setup, teardown),
		cmocka_unit_test_setup_teardown(too_much, setup, teardown),
		cmocka_unit_test_setup_teardown(others_may_not_write_it, setup, teardown),
		cmocka_unit_test_setup_teardown(the_lock_is_for_one, setup, teardown),
		cmocka_unit_test_setup_teardown(nobody_overwrites, setup, teardown),
		cmocka_unit_test(names_of_operations),
		cmocka_unit_test(undo_and_leave_out),
		cmocka_unit_test(undo_steps),
		cmocka_unit_test(names_in_zones),
		cmocka_unit_test_setup_teardown(killed_while_it_saves, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
