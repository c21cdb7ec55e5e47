/* votes_test - what probes say to each other, and whom a probe hears. */
// link: appliance/probe/peers.c appliance/probe/quorum.c appliance/probe/votewire.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "appliance/probe/peers.h"
#include "appliance/probe/votewire.h"
#include "ipc/base/xalloc.h"

/* ---- the octets ---- */
static const struct vote_row rows[] = {
	{ 1, VOTE_UP, false, 1200, 0, true, "status 200" },
	{ 77777, VOTE_DOWN, false, 0, 31000, true, "no answer in time" },
	{ 2, VOTE_NONE, true, 0, 0, false, "not done: private address" },
	{ 3, VOTE_NONE, false, 0, 0, false, "status 200" },
	{ 1u << 23, VOTE_UP, false, 99, VOTE_AGE_MAX_MS, true, "" },
};
#define NROWS (sizeof rows / sizeof rows[0])

static void
test_there_and_back(void **state)
{
	struct votes_draft d = { .checks = NULL };
	const char *why = NULL;
	struct vote_row r;
	uint8_t *octets;
	Ns__Votes *m;
	size_t len;

	(void)state;
	votes_begin(&d, 7, 8);
	for (size_t i = 0; i < NROWS; i++)
		assert_true(votes_add(&d, &rows[i]));
	octets = votes_pack(&d, &len);
	m = votes_read(octets, len, &why);
	assert_non_null(m);
	assert_true(m->epoch == 7 && m->seq == 8);
	assert_int_equal(m->n_checks, NROWS);
	assert_int_equal(m->n_reasons, 4); /* each once */
	for (size_t i = 0; i < NROWS; i++) {
		assert_true(votes_row(m, i, &r));
		assert_true(r.check == rows[i].check && r.rtt_us == rows[i].rtt_us);
		assert_true(r.age_ms == rows[i].age_ms && r.looked == rows[i].looked);
		assert_int_equal(r.state, rows[i].state);
		assert_int_equal(r.abstains, rows[i].abstains);
		assert_string_equal(r.reason, rows[i].reason);
	}
	ns__votes__free_unpacked(m, NULL);
	free(octets);
	votes_free(&d);
}

/* As many as there may be, each with a reason of its own: still one bounded message. */
static void
test_full(void **state)
{
	struct votes_draft d = { .checks = NULL };
	static char reasons[VOTES_MAX][VOTE_REASON_MAX];
	struct vote_row r = { 0, VOTE_DOWN, false, VOTE_RTT_MAX_US, VOTE_AGE_MAX_MS, true, "" };
	const char *why = NULL;
	uint8_t *octets;
	Ns__Votes *m;
	size_t len;

	(void)state;
	votes_begin(&d, UINT64_MAX, UINT64_MAX);
	for (size_t i = 0; i < VOTES_MAX; i++) {
		snprintf(reasons[i], sizeof reasons[i], "%0*zu", (int)sizeof reasons[i] - 1, i);
		r.check = (1u << 24) - 1 - i;
		r.reason = reasons[i];
		assert_true(votes_add(&d, &r));
	}
	assert_false(votes_add(&d, &r));
	octets = votes_pack(&d, &len);
	assert_in_range(len, 100 << 10, 200 << 10);
	m = votes_read(octets, len, &why);
	assert_non_null(m);
	assert_true(votes_row(m, 0, &r));
	assert_string_equal(r.reason, reasons[0]);
	assert_true(votes_row(m, VOTES_MAX - 1, &r));
	assert_string_equal(r.reason, "see check show there");
	ns__votes__free_unpacked(m, NULL);
	votes_begin(&d, 1, 2); /* begun anew it is empty */
	assert_true(votes_add(&d, &r) && d.m.n_checks == 1 && d.m.n_reasons == 1);
	free(octets);
	votes_free(&d);
}

static const char *
refusal(const Ns__Votes *m)
{
	size_t len = ns__votes__get_packed_size(m);
	uint8_t *octets = xmalloc(len + 1);
	const char *why = NULL;
	Ns__Votes *in;

	ns__votes__pack(m, octets);
	in = votes_read(octets, len, &why);
	free(octets);
	if (in != NULL)
		ns__votes__free_unpacked(in, NULL);
	return why;
}

static void
test_hostile_messages(void **state)
{
	static uint64_t checks[VOTES_MAX + 1];
	static uint32_t zeros[VOTES_MAX + 1];
	static char *many[VOTES_REASONS + 1], longest[VOTE_REASON_MAX + 1];
	Ns__Votes m = NS__VOTES__INIT;
	char *dirty[] = { (char *)(uintptr_t) "\033[2J" };
	const char *why;

	(void)state;
	assert_null(votes_read("\377", 1, &why));
	assert_string_equal(why, "malformed");
	m.checks = checks;
	m.states = m.rtt_us = m.age_ms = m.reason = zeros;
	m.n_checks = m.n_states = m.n_rtt_us = m.n_age_ms = m.n_reason = VOTES_MAX;
	assert_null(refusal(&m));
	m.n_age_ms--;
	assert_string_equal(refusal(&m), "columns of different lengths");
	m.n_checks = m.n_states = m.n_rtt_us = m.n_age_ms = m.n_reason = VOTES_MAX + 1;
	assert_string_equal(refusal(&m), "too many votes");
	m.n_checks = m.n_states = m.n_rtt_us = m.n_age_ms = m.n_reason = 1;
	m.reasons = dirty;
	m.n_reasons = 1;
	assert_string_equal(refusal(&m), "a reason that is none");
	memset(longest, 'a', VOTE_REASON_MAX);
	dirty[0] = longest;
	assert_string_equal(refusal(&m), "a reason that is none");
	longest[VOTE_REASON_MAX - 1] = '\0';
	assert_null(refusal(&m));
	for (size_t i = 0; i <= VOTES_REASONS; i++)
		many[i] = (char *)(uintptr_t) "x";
	m.reasons = many;
	m.n_reasons = VOTES_REASONS + 1;
	assert_string_equal(refusal(&m), "too many reasons");
}

/* A row that cannot be is passed over, and the next is not. */
static void
test_hostile_rows(void **state)
{
	static const struct {
		uint32_t vote, rtt_us, age_ms, reason;
		bool can_be;
	} table[] = {
		{ 1, 5, 5, 0, true },
		{ 3, 0, VOTE_AGE_MAX_MS + 1, 0, true }, /* abstains, never looked */
		{ 0, 0, VOTE_AGE_MAX_MS + 1, 1, true },
		{ 1, 0, VOTE_AGE_MAX_MS + 1, 0, false }, /* says up, and never looked */
		{ 2, 0, VOTE_AGE_MAX_MS + 2, 0, false }, /* a time that cannot be */
		{ 2, 0, UINT32_MAX, 0, false }, { 2, VOTE_RTT_MAX_US + 1, 0, 0, false },
		{ 4, 0, 0, 0, false }, { UINT32_MAX, 0, 0, 0, false },
		{ 1, 0, 0, 2, false }, /* no such reason */
	};
	static char *reasons[] = { (char *)(uintptr_t) "a", (char *)(uintptr_t) "b" };

	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		uint32_t vote = table[i].vote, rtt = table[i].rtt_us, age = table[i].age_ms,
			 reason = table[i].reason;
		uint64_t check = 1;
		Ns__Votes m = NS__VOTES__INIT;
		struct vote_row r;

		m.checks = &check;
		m.states = &vote;
		m.rtt_us = &rtt;
		m.age_ms = &age;
		m.reason = &reason;
		m.reasons = reasons;
		m.n_checks = m.n_states = m.n_rtt_us = m.n_age_ms = m.n_reason = 1;
		m.n_reasons = 2;
		assert_null(refusal(&m));
		if (votes_row(&m, 0, &r) != table[i].can_be)
			fail_msg("row %zu", i);
	}
}

/* ---- who there is ---- */
static struct peers p;

static void
fleet(const char *names, uint64_t now)
{
	static char text[QUORUM_MEMBERS][2];
	struct peer_row list[QUORUM_MEMBERS];
	size_t n = 0;

	/* Each a letter, at a site of its own; capital: drained. */
	for (; *names != '\0'; names++, n++) {
		text[n][0] = *names | 0x20;
		list[n] = (struct peer_row){ text[n], text[n], !(*names & 0x20) };
	}
	peers_set(&p, list, n, now);
}

static void
hear(const char *name, uint64_t seq, uint64_t now, bool counts)
{
	struct peer *e = peers_find(&p, name);

	assert_non_null(e);
	assert_int_equal(peers_heard(&p, e, 1, seq, now), counts);
}

static void
test_slots(void **state)
{
	const struct peer *b;

	(void)state;
	peers_init(&p, "a", "here", 0);
	assert_true(p.count == 1 && p.others == 0 && !p.frozen);
	fleet("bca", 0);
	assert_true(p.others == 2 && p.count == 3);
	assert_string_equal(p.list[0].name, "a");
	assert_string_equal(p.list[0].site, "a"); /* as the fleet says */
	b = peers_find(&p, "b");
	fleet("abde", 0); /* c leaves: its slot waits */
	assert_true(p.others == 3 && peers_find(&p, "c") == NULL && peers_find(&p, "b") == b);
	assert_true(p.members[2].out && p.count == 5);
	fleet("abcDe", 0);
	assert_true(!p.members[2].out && p.members[3].out && p.count == 5);
	fleet("bc", 0); /* not in the list: removed, or not let in yet */
	assert_true(!p.members[0].out && peers_find(&p, "a") == &p.list[0]);
	fleet("Abc", 0);
	assert_true(p.members[0].out);
}

static void
test_many_come_and_go(void **state)
{
	char name[QUORUM_MEMBERS][16];
	struct peer_row list[QUORUM_MEMBERS];

	(void)state;
	peers_init(&p, "self", "", 0);
	for (uint64_t round = 1; round <= 5; round++) {
		for (size_t i = 0; i < QUORUM_MEMBERS; i++) {
			snprintf(
			    name[i], sizeof name[i], "%zu-%zu", i % 100 ? (size_t)round : 0, i);
			list[i] = (struct peer_row){ name[i], "", false };
		}
		peers_set(&p, list, QUORUM_MEMBERS - 1, round * 10);
		assert_int_equal(p.others, QUORUM_MEMBERS - 1);
		assert_non_null(peers_find(&p, name[101]));
		assert_int_equal(peers_find(&p, name[100])->since_ms, 10);
		assert_int_equal(peers_find(&p, name[101])->since_ms, round * 10);
		peers_set(&p, list, 0, round * 10);
		assert_int_equal(p.others, 0);
	}
}

static void
test_hearing(void **state)
{
	struct peer *b;

	(void)state;
	peers_init(&p, "a", "", 0);
	fleet("ab", 0);
	b = peers_find(&p, "b");
	assert_true(peers_heard(&p, b, 1, 5, 10));
	assert_false(peers_heard(&p, b, 1, 5, 20)); /* again */
	assert_false(peers_heard(&p, b, 1, 4, 20)); /* older */
	assert_int_equal(b->heard_ms, 10);
	assert_true(peers_heard(&p, b, 2, 1, 30)); /* its probe was started anew */
	assert_false(peers_heard(&p, &p.list[0], 3, 1, 30)); /* nobody is us */
}

/* A fleet of five sites; d and e fall silent, then c. */
static void
test_silence(void **state)
{
	uint64_t round;

	(void)state;
	peers_init(&p, "a", "", 0);
	fleet("abcde", 1000);
	round = p.round;
	hear("b", 1, 20000, true);
	hear("c", 1, 20000, true);
	peers_look(&p, 1000 + QUORUM_FRESH_MS + 1);
	assert_false(p.frozen); /* three of five */
	peers_look(&p, 1000 + QUORUM_SILENT_MS);
	assert_true(p.frozen); /* only we are left */
	assert_int_equal(p.round, round);
	hear("b", 2, 1000 + QUORUM_SILENT_MS, true);
	assert_true(p.frozen); /* two of five */
	hear("c", 2, 1000 + QUORUM_SILENT_MS, true);
	assert_false(p.frozen); /* at once, not with the next look */
	peers_look(&p, 1000 + QUORUM_SILENT_MS + 1);
	assert_int_equal(p.round, round + 2); /* the shares of d and e move */
	hear("d", 1, 1000 + QUORUM_SILENT_MS + 2, true);
	assert_int_equal(p.round, round + 3); /* and d's comes back */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_there_and_back),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_hostile_messages),
		cmocka_unit_test(test_hostile_rows),
		cmocka_unit_test(test_slots),
		cmocka_unit_test(test_many_come_and_go),
		cmocka_unit_test(test_hearing),
		cmocka_unit_test(test_silence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
