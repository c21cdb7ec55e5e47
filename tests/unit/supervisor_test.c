/* The supervisor's pure parts: who may reach a directory, the locks, the process table, the map of
 * roles to descriptors.  Back-off has its own test with ipc/base. */
// link: appliance/supervisor/dirs.c
// link: appliance/supervisor/status.c appliance/supervisor/usage.c
// link: appliance/supervisor/roles.c
// link: appliance/supervisor/restart.c
// link: appliance/supervisor/tls.c
// link: appliance/supervisor/config.c
// link: appliance/supervisor/config_value.c
// link: appliance/supervisor/config_cross.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "appliance/supervisor/supervisor.h"

static const struct mode_case {
	unsigned mode;
	uint32_t owner, group, uid, gid;
	unsigned want;
	bool allowed;
} modes[] = {
	{ 0700, 7, 7, 7, 9, 1, true },
	{ 0700, 7, 7, 8, 9, 1, false },
	{ 0710, 7, 9, 8, 9, 1, true },
	{ 0710, 7, 6, 8, 9, 1, false },
	{ 0711, 7, 6, 8, 9, 1, true },
	{ 0711, 7, 6, 8, 9, 5, false },
	{ 0077, 7, 9, 7, 9, 1, false }, /* the owner's bits count for the owner, alone */
	{ 0707, 7, 9, 8, 9, 1, false }, /* and the group's for the group */
	{ 0000, 7, 9, 0, 0, 7, true }, /* root */
	{ 0750, 7, 9, 8, 9, 5, true },
	{ 0750, 7, 9, 8, 9, 7, false },
};

static void
test_modes(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof modes / sizeof *modes; i++) {
		const struct mode_case *m = &modes[i];

		if (dirs_mode_allows(m->mode, m->owner, m->group, m->uid, m->gid, m->want) !=
		    m->allowed)
			fail_msg("case %zu", i);
	}
}

static char dir[64];

static int
make_dir(void **state)
{
	(void)state;
	snprintf(dir, sizeof dir, "/tmp/supervisor_test.XXXXXX");
	return mkdtemp(dir) != NULL ? 0 : -1;
}

static int
remove_dir(void **state)
{
	char path[128];

	(void)state;
	snprintf(path, sizeof path, "%s/lock", dir);
	(void)unlink(path);
	snprintf(path, sizeof path, "%s/a/b", dir);
	(void)rmdir(path);
	snprintf(path, sizeof path, "%s/a", dir);
	(void)rmdir(path);
	return rmdir(dir);
}

static void
test_reach(void **state)
{
	char a[128], b[160], culprit[256];
	unsigned mode;

	(void)state;
	snprintf(a, sizeof a, "%s/a", dir);
	snprintf(b, sizeof b, "%s/b", a);
	assert_int_equal(chmod(dir, 0755), 0);
	assert_int_equal(mkdir(a, 0755), 0);
	assert_int_equal(mkdir(b, 0755), 0);
	assert_true(dirs_reach(b, 64321, 64321, culprit, sizeof culprit, &mode));
	assert_true(dirs_reach("/", 64321, 64321, culprit, sizeof culprit, &mode));
	assert_int_equal(chmod(a, 0700), 0);
	assert_false(dirs_reach(b, 64321, 64321, culprit, sizeof culprit, &mode));
	assert_string_equal(culprit, a);
	assert_int_equal(mode, 0700);
	assert_int_equal(chmod(a, 0755), 0);
	assert_int_equal(chmod(b, 0710), 0);
	assert_false(dirs_reach(b, 64321, 64321, culprit, sizeof culprit, &mode));
	assert_string_equal(culprit, b);
	assert_true(dirs_reach(b, 64321, getgid(), culprit, sizeof culprit, &mode));
	assert_int_equal(chmod(dir, 0700), 0);
	assert_false(dirs_reach(b, 64321, getgid(), culprit, sizeof culprit, &mode));
	assert_string_equal(culprit, dir);
	assert_false(dirs_reach("/nonexistent/x", 1, 1, culprit, sizeof culprit, &mode));
	assert_string_equal(culprit, "/nonexistent/x");
}

static void
test_lock(void **state)
{
	struct ns_why why = { 0 };
	char expected[128], path[128];
	int first, second = -1;

	(void)state;
	assert_int_equal(dirs_lock(dir, &first, &why), NS_OK);
	assert_true(first >= FD_HIGH);
	assert_int_equal(dirs_lock(dir, &second, &why), NS_USAGE);
	snprintf(expected, sizeof expected, "%s: another nameserved (pid %d) uses this directory",
	    dir, (int)getpid());
	assert_string_equal(why.text, expected);
	close(first);
	assert_int_equal(dirs_lock(dir, &second, &why), NS_OK);
	close(second);
	/* A link in its place leads nowhere. */
	snprintf(path, sizeof path, "%s/lock", dir);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("/etc/hostname", path), 0);
	assert_int_equal(dirs_lock(dir, &second, &why), NS_USAGE);
}

static void
test_table(void **state)
{
	static struct supervisor s;
	static struct child children[3];
	static struct role_spec sync = { .role = ROLE_SYNC };
	static struct role_spec worker = { .role = ROLE_WORKER, .per_worker = true };
	Ns__ProcessTable *t;
	uint8_t *packed;
	size_t len;

	(void)state;
	children[0] = (struct child){ .spec = &sync,
		.state = CHILD_READY,
		.pid = 10,
		.started_ms = 1000,
		.problem = "no Landlock" };
	children[1] = (struct child){ .spec = &worker,
		.index = 0,
		.state = CHILD_BACKOFF,
		.restarts = 3,
		.problem = "no Landlock" };
	children[2] = (struct child){ .spec = &worker,
		.index = 1,
		.state = CHILD_SILENT,
		.pid = 12,
		.started_ms = 2000,
		.problem = "other" };
	s.children = children;
	s.nchildren = 3;
	status_problem(&s, "rcvbuf", "%d KiB", 208);
	status_problem(&s, "rcvbuf", "%d KiB", 208);
	len = status_pack(&s, 3500, &packed);
	t = ns__process_table__unpack(NULL, len, packed);
	assert_non_null(t);
	assert_int_equal(t->n_processes, 3);
	assert_string_equal(t->processes[0]->role, "sync");
	assert_string_equal(t->processes[0]->state, "ready");
	assert_true(t->processes[0]->uptime_s > 2.49 && t->processes[0]->uptime_s < 2.51);
	assert_string_equal(t->processes[1]->state, "backoff");
	assert_int_equal(t->processes[1]->restarts, 3);
	assert_true(t->processes[1]->uptime_s == 0);
	assert_string_equal(t->processes[2]->state, "silent");
	assert_int_equal(t->processes[2]->index, 1);
	/* What several say alike is said once. */
	assert_int_equal(t->n_problems, 3);
	assert_string_equal(t->problems[0]->text, "208 KiB");
	assert_string_equal(t->problems[1]->text, "no Landlock");
	assert_string_equal(t->problems[2]->code, "worker");
	ns__process_table__free_unpacked(t, NULL);
	free(packed);
	/* What is over is not told any more, and may come again. */
	status_problem(&s, "certificate", "expires");
	status_problem_end(&s, "rcvbuf");
	status_problem_end(&s, "never was");
	assert_int_equal(s.nproblems, 1);
	assert_string_equal(s.problems[0].text, "expires");
	status_problem(&s, "rcvbuf", "%d KiB", 64);
	assert_string_equal(s.problems[1].text, "64 KiB");
}

/* The former ticket key is kept for one roll, and none survives a new certificate. */
static void
test_ticket_keys(void **state)
{
	static struct supervisor s;
	uint8_t first[TICKET_KEY], second[TICKET_KEY], zeros[TICKET_KEY] = { 0 };
	ProtobufCBinaryData tickets[2];
	Ns__TlsMaterial m;

	(void)state;
	tls_roll(&s.tls, false, 1000);
	memcpy(first, s.tls.tickets[0], TICKET_KEY);
	tls_fill(&s, &m, tickets);
	assert_int_equal(m.n_tickets, 1);
	assert_memory_not_equal(first, zeros, TICKET_NAME);
	tls_roll(&s.tls, true, 2000);
	memcpy(second, s.tls.tickets[0], TICKET_KEY);
	tls_fill(&s, &m, tickets);
	assert_int_equal(m.n_tickets, 2);
	assert_int_equal(m.tickets[0].len, TICKET_KEY);
	assert_memory_equal(m.tickets[0].data, second, TICKET_KEY);
	assert_memory_equal(m.tickets[1].data, first, TICKET_KEY);
	assert_memory_not_equal(first, second, TICKET_NAME);
	tls_roll(&s.tls, true, 3000);
	assert_memory_equal(s.tls.tickets[1], second, TICKET_KEY);
	assert_int_equal(s.tls.rolled_ms, 3000);
	tls_roll(&s.tls, false, 4000);
	assert_int_equal(s.tls.ntickets, 1);
	assert_memory_equal(s.tls.tickets[1], zeros, TICKET_KEY);
}

/* The invariants of who is handed what (appliance/README.md, Descriptors). */
static void
test_roles(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < role_specs_count; i++) {
		const struct role_spec *r = &role_specs[i];

		assert_int_equal((r->handed & HAND_MAP_RW) != 0, r->role == ROLE_SIGNER);
		assert_int_equal((r->handed & HAND_SOCKETS) != 0, r->role == ROLE_WORKER);
		assert_int_equal((r->handed & HAND_OWN_PAGE) != 0, r->role == ROLE_WORKER);
		assert_int_equal(r->by_page, r->role == ROLE_WORKER);
		assert_int_equal(r->wants_table, r->role == ROLE_SYNC);
		assert_true(r->silent_ms > 0 && r->ready_ms > r->silent_ms);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_modes),
		cmocka_unit_test_setup_teardown(test_reach, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(test_lock, make_dir, remove_dir),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_roles),
		cmocka_unit_test(test_ticket_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
