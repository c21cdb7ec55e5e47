/* keyroll_test - complete rolls in simulated time: a resolver that asks once a minute never meets a bogus set,
 * whenever the primary works, and whatever is done to its clock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "appliance/keys/keybody.h"
#include "ipc/base/xalloc.h"
#include "tests/lib/keysim.h"

#define HOUR 3600ll
#define DAY  (24 * HOUR)
#define YEAR (365 * DAY)

static const struct world {
	uint64_t seed;
	uint32_t zone_ttl;
} worlds[] = { { 1, 300 }, { 2, 3600 }, { 3, 86400 }, { 4, 7 * 86400 } };
#define EACH_WORLD(w) \
	for (const struct world *w = worlds; w < worlds + sizeof worlds / sizeof worlds[0]; w++)

static void
good(const struct keysim *s)
{
	if (s->bogus != NULL)
		fail_msg("bogus after %.2f days: %s", (double)(s->bogus_at - 1800000000) / DAY,
		    s->bogus);
	assert_true(s->secure > 0);
}

/* Signed, and its DS at the parent and in the caches. */
static void
start(struct keysim *s, const struct world *w, uint8_t algorithm)
{
	keysim_init(s, w->seed, w->zone_ttl);
	keysim_run(s, 10 * DAY); /* caches full of what is unsigned */
	keysim_enable(s, algorithm);
	assert_true(keysim_until_quiet(s, 30));
	keysim_run(s, 2 * DAY);
	good(s);
	/* Each key knows when it came into its states. */
	for (unsigned i = 0; i < s->z.n; i++) {
		const struct ks_key *k = &s->z.key[i];

		assert_int_equal(k->entered[k->state], k->since);
		if (k->role == KS_ZSK)
			continue;
		assert_true(k->entered[KS_PUBLISHED] > 0);
		assert_true(k->entered[KS_PUBLISHED] < k->entered[KS_READY]);
		assert_true(k->entered[KS_READY] <= k->since);
		assert_int_equal(k->entered[KS_RETIRED], 0);
	}
}

/* What was stored before these times were kept has that of its state; it goes on, and the rest stays unknown. */
static void
test_times_are_stored(void **state)
{
	Ns__ZoneKeys *m = xmalloc(sizeof *m);
	Ns__ZoneKeys__Key *k = xmalloc(sizeof *k);
	struct ks_ds ds = { .known = true, .all = 1, .any = 1 };
	struct ks_want want;
	struct ks_zone z;

	(void)state;
	ns__zone_keys__init(m);
	ns__zone_keys__key__init(k);
	m->algorithm = 13;
	m->ds_ever = true;
	m->keys = xcalloc(1, sizeof *m->keys);
	m->keys[m->n_keys++] = k;
	k->id = 1;
	k->state = KS_READY;
	k->since = 1000;
	k->dnskey.len = DNSKEY_MAX;
	k->dnskey.data = xcalloc(1, DNSKEY_MAX);
	k->dnskey.data[0] = 257 >> 8;
	k->dnskey.data[1] = 257 & 255;
	keybody_read(m, &z);
	assert_int_equal(z.key[0].entered[KS_PUBLISHED], 0);
	assert_int_equal(z.key[0].entered[KS_READY], 1000);
	assert_int_equal(ks_step(&z, &ds, 5000, &want), KS_CHANGED);
	keybody_write(m, &z);
	assert_int_equal(k->n_entered, KS_ACTIVE);
	assert_int_equal(k->entered[KS_PUBLISHED - 1], 0);
	assert_int_equal(k->entered[KS_READY - 1], 1000);
	assert_int_equal(k->entered[KS_ACTIVE - 1], 5000);
	keybody_read(m, &z);
	assert_int_equal(z.key[0].entered[KS_READY], 1000);
	assert_int_equal(z.key[0].entered[KS_ACTIVE], 5000);
	ns__zone_keys__free_unpacked(m, NULL);
}

static void
test_enable_and_zsk_by_itself(void **state)
{
	static struct keysim s;

	(void)state;
	EACH_WORLD(w)
	{
		uint32_t ids;

		start(&s, w, 13);
		ids = s.z.last_id;
		keysim_run(&s, YEAR);
		good(&s);
		assert_in_range(s.z.last_id - ids, 4, 5); /* in a year */
		assert_true(keysim_count(&s, KS_KSK) == 1);
	}
}

static void
test_rolls(void **state)
{
	static struct keysim s;

	(void)state;
	EACH_WORLD(w)
	{
		start(&s, w, 13);
		assert_true(keysim_roll(&s, KS_ZSK, false));
		assert_false(keysim_roll(&s, KS_ZSK, false)); /* one after the other */
		assert_true(keysim_until_quiet(&s, 30));
		assert_true(keysim_roll(&s, KS_KSK, false));
		assert_false(keysim_algorithm(&s, 15));
		assert_true(keysim_until_quiet(&s, 30));
		assert_true(keysim_roll(&s, KS_ZSK, true));
		assert_true(keysim_until_quiet(&s, 30));
		assert_true(keysim_roll(&s, KS_KSK, true));
		assert_true(keysim_until_quiet(&s, 30));
		assert_int_equal(s.z.n, 2);
		good(&s);
	}
}

static void
test_algorithm_roll(void **state)
{
	static struct keysim s;

	(void)state;
	EACH_WORLD(w)
	{
		start(&s, w, 13);
		assert_true(keysim_algorithm(&s, 15));
		assert_false(keysim_roll(&s, KS_ZSK, false));
		assert_true(keysim_until_quiet(&s, 60));
		good(&s);
		assert_int_equal(s.z.n, 2);
		assert_int_equal(s.z.key[0].algorithm, 15);
		assert_int_equal(s.z.key[1].algorithm, 15);
	}
}

static void
test_leaving_waits_for_the_ds(void **state)
{
	static struct keysim s;

	(void)state;
	EACH_WORLD(w)
	{
		start(&s, w, 13);
		assert_true(keysim_leave(&s));
		for (unsigned days = 0; s.on && days < 30; days++)
			keysim_run(&s, DAY);
		assert_false(s.on);
		keysim_run(&s, 10 * DAY);
		good(&s);
		keysim_enable(&s, 15); /* and back */
		assert_true(keysim_until_quiet(&s, 30));
		good(&s);
	}
}

static void
test_without_ds_it_leaves_at_once(void **state)
{
	static struct keysim s;

	(void)state;
	keysim_init(&s, 9, 3600);
	s.lazy = true;
	keysim_enable(&s, 13);
	keysim_run(&s, DAY);
	assert_true(ks_waits_ds(&s.z));
	assert_true(keysim_leave(&s));
	keysim_minute(&s);
	assert_false(s.on);
}

/* Nothing goes on until the parent has the DS, for as long as that takes. */
static void
test_a_ksk_waits_for_its_ds(void **state)
{
	static struct keysim s;

	(void)state;
	start(&s, &worlds[1], 13);
	s.lazy = true;
	assert_true(keysim_roll(&s, KS_KSK, false));
	keysim_run(&s, 80 * DAY);
	assert_false(keysim_quiet(&s));
	assert_int_equal(keysim_count(&s, KS_KSK), 2);
	s.lazy = false;
	assert_true(keysim_until_quiet(&s, 30));
	good(&s);
}

/* A server of the parent that lags for days: its word counts as much as the others'. */
static void
test_a_slow_parent(void **state)
{
	static struct keysim s;

	(void)state;
	EACH_WORLD(w)
	{
		start(&s, w, 13);
		s.ds_spread = 6 * DAY;
		assert_true(keysim_roll(&s, KS_KSK, false));
		assert_true(keysim_until_quiet(&s, 60));
		assert_true(keysim_algorithm(&s, 15));
		assert_true(keysim_until_quiet(&s, 60));
		good(&s);
	}
}

typedef bool begin_fn(struct keysim *);
static bool
begin_zsk(struct keysim *s)
{
	return keysim_roll(s, KS_ZSK, false);
}
static bool
begin_urgent(struct keysim *s)
{
	return keysim_roll(s, KS_ZSK, true);
}
static bool
begin_ksk(struct keysim *s)
{
	return keysim_roll(s, KS_KSK, false);
}
static bool
begin_algorithm(struct keysim *s)
{
	return keysim_algorithm(s, s->z.algorithm == 13 ? 15 : 13);
}
static begin_fn *const begins[] = { begin_zsk, begin_urgent, begin_ksk, begin_algorithm };

/* The primary is away for up to nine days again and again, in every phase of every roll. */
static void
test_late_by_days(void **state)
{
	static struct keysim s;

	(void)state;
	start(&s, &worlds[2], 13);
	for (unsigned round = 0; round < 12; round++) {
		assert_true(begins[round % 4](&s));
		for (unsigned days = 0; !keysim_quiet(&s) && days < 200; days += 3) {
			s.idle_until = s.now + (int64_t)(s.random % (9 * 24)) * HOUR;
			keysim_run(&s, 3 * DAY);
		}
		assert_true(keysim_quiet(&s));
		good(&s);
	}
}

/* The primary's clock is set, forth and back, by an hour and by a year, while the world goes on. */
static void
test_clock_is_set(void **state)
{
	static const int64_t jumps[] = { HOUR, -HOUR, YEAR, -YEAR };
	static struct keysim s;

	(void)state;
	start(&s, &worlds[2], 13);
	for (unsigned j = 0; j < 4; j++)
		for (unsigned b = 0; b < 4; b++) {
			assert_true(begins[b](&s));
			for (unsigned hours = 0; !keysim_quiet(&s) && hours < 60 * 24; hours += 7) {
				keysim_run(&s, 7 * HOUR);
				s.wall_off = s.wall_off == 0 ? jumps[j] : 0;
			}
			assert_true(keysim_quiet(&s));
			good(&s);
			s.wall_off = 0;
			keysim_run(&s, HOUR);
		}
}

/* An hour or a year goes by at once for everybody: nothing was done meanwhile. */
static void
test_time_goes_by(void **state)
{
	static struct keysim s;

	(void)state;
	start(&s, &worlds[2], 13);
	for (unsigned b = 0; b < 4; b++)
		for (int64_t jump = HOUR; jump <= YEAR; jump *= 365 * 24) {
			assert_true(begins[b](&s));
			for (unsigned n = 0; n < 6; n++) {
				keysim_run(&s, 5 * HOUR);
				s.now += jump;
			}
			assert_true(keysim_until_quiet(&s, 60));
			good(&s);
		}
}

/* What counts, look by look: the wall's word and the boot clock's. */
static void
the_clock_goes_on_evenly(void **state)
{
	static const int64_t T = 1800000000, year = 365 * 86400;
	static const struct {
		int64_t wall, boot, counts;
	} rows[] = {
		{ T, 100, T },
		{ T + 60, 160, T + 60 },
		{ T + 3660, 160, T + 60 }, /* set by an hour */
		{ T + 3720, 220, T + 120 },
		{ T + 120 + year, 220, T + 120 }, /* by a year */
		{ T + 180, 280, T + 180 }, /* and right again */
		{ T + 90180, 90280, T + 90180 }, /* asleep for a day */
	}, dead[] = {
		{ 0, 10, 0 }, /* no battery: 1970, and then the network says what time it is */
		{ 30, 40, 30 },
		{ T, 50, T },
		{ T + 3650, 100, T + 50 },
	};
	struct keyclock c = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_int_equal(keyclock_look(&c, rows[i].wall, rows[i].boot), rows[i].counts);
	c = (struct keyclock){ 0 };
	for (size_t i = 0; i < sizeof dead / sizeof dead[0]; i++)
		assert_int_equal(keyclock_look(&c, dead[i].wall, dead[i].boot), dead[i].counts);
	/* A signer that starts while the clock is wrong is told. */
	keyclock_take(&c, T, T + year, 10);
	assert_int_equal(keyclock_look(&c, T + year + 5, 15), T + 5);
	assert_int_equal(keyclock_look(&c, T + 10, 20), T + 10);
	keyclock_take(&c, T, T + 2, 10);
	assert_int_equal(keyclock_look(&c, T + 3, 11), T + 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_clock_goes_on_evenly),
		cmocka_unit_test(test_times_are_stored),
		cmocka_unit_test(test_enable_and_zsk_by_itself),
		cmocka_unit_test(test_rolls),
		cmocka_unit_test(test_algorithm_roll),
		cmocka_unit_test(test_leaving_waits_for_the_ds),
		cmocka_unit_test(test_without_ds_it_leaves_at_once),
		cmocka_unit_test(test_a_ksk_waits_for_its_ds),
		cmocka_unit_test(test_a_slow_parent),
		cmocka_unit_test(test_late_by_days),
		cmocka_unit_test(test_clock_is_set),
		cmocka_unit_test(test_time_goes_by),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
