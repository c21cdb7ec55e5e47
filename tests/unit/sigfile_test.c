/* sigfile - signatures that outlive the signer: found again, never wrong after damage, made smaller. */
// link: appliance/signer/sigfile.c appliance/signer/sigframe.c appliance/signer/rrsig.c appliance/signer/keys.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "appliance/dns/rrtype.h"
#include "appliance/signer/sigfile.h"
#include "ipc/base/clock.h"
#include "tests/lib/mapbox.h"
#include "tests/lib/zonebox.h"

#define NOW   1795000000u
#define DAY   86400u
#define ZONES 20u

static const struct zone_key key = { .flags = KEY_ZSK, .algorithm = KEY_P256, .tag = 4711 };

static struct sigfile *
open_files(const int fd[2])
{
	const int copy[2] = { dup(fd[0]), dup(fd[1]) };

	return sigfile_open(copy);
}

static void
make_files(int fd[2])
{
	fd[0] = memfd_create("a", 0);
	fd[1] = memfd_create("b", 0);
}

static const uint8_t *
zone(unsigned i)
{
	static uint8_t name[64];

	(void)mapbox_name(i, name);
	return name;
}

/* Signature number n of a zone: print, times and octets follow from the numbers. */
static void
rdata_of(unsigned i, unsigned n, uint16_t type, uint32_t expiration, uint8_t print[RRSIG_PRINT],
    uint8_t out[RRSIG_MAX], size_t *len)
{
	size_t apex = name_len(zone(i));

	memset(out, 0, RRSIG_MAX);
	put_u16(out, type);
	out[2] = key.algorithm;
	out[3] = rrsig_labels(zone(i));
	put_u32(out + 4, 300);
	put_u32(out + 8, expiration);
	put_u32(out + 12, NOW - RRSIG_SKEW);
	put_u16(out + 16, key.tag);
	memcpy(out + RRSIG_HEAD, zone(i), apex);
	memset(out + RRSIG_HEAD + apex, (int)(n & 255), RRSIG_SIG_LEN);
	memset(print, 0, RRSIG_PRINT);
	put_u32(print, i);
	put_u32(print + 4, n);
	*len = RRSIG_HEAD + apex + RRSIG_SIG_LEN;
}

static struct sigzone *at; /* the zone at hand */

static void
enter(struct sigfile *s, unsigned i)
{
	sigzone_close(&at);
	at = sigzone_open(s, zone(i));
}

static void
close_file(struct sigfile **s)
{
	sigzone_close(&at);
	sigfile_close(s);
}

static void
note(unsigned i, unsigned n, uint16_t type, uint32_t expiration)
{
	uint8_t print[RRSIG_PRINT], rdata[RRSIG_MAX];
	size_t len;

	rdata_of(i, n, type, expiration, print, rdata, &len);
	sigzone_note(at, print, rdata, len);
}

static bool
has(unsigned i, unsigned n, uint16_t type, uint32_t expiration)
{
	const struct rrset set = {
		.owner = zone(i), .owner_len = (uint8_t)name_len(zone(i)), .type = type, .ttl = 300
	};
	uint8_t print[RRSIG_PRINT], want[RRSIG_MAX], got[RRSIG_MAX];
	size_t len, found;

	rdata_of(i, n, type, expiration, print, want, &len);
	found = sigzone_find(at, &set, print, &key, got);
	if (found == 0)
		return false;
	assert_int_equal(found, len);
	assert_memory_equal(got, want, len);
	return true;
}

static void
fill(struct sigfile *s, unsigned rounds)
{
	for (unsigned r = 0; r < rounds; r++) {
		for (unsigned i = 0; i < ZONES; i++) {
			enter(s, i);
			for (unsigned n = 0; n < 5; n++)
				note(i, r * 5 + n, RR_A, NOW + 10 * DAY);
			sigzone_keep(at);
		}
	}
}

/* Whatever is looked for in which order: as they were made, from behind, with gaps, with what was never there, twice. */
static void
test_found_in_any_order(void **state)
{
	static const struct {
		unsigned order[6], n, frames;
	} rows[] = { { { 0, 1, 2, 3, 4 }, 5, 1 }, { { 4, 3, 2, 1, 0 }, 5, 1 },
		{ { 0, 2, 4, 1 }, 4, 1 }, { { 0, 1, 99, 2, 3, 4 }, 6, 1 },
		{ { 0, 0, 1, 1, 0 }, 5, 1 }, { { 1, 2, 3 }, 3, 1 }, { { 99, 0 }, 2, 1 },
		{ { 0, 1, 2, 3, 4, 9 }, 6, 2 }, { { 9, 5, 0, 99, 4 }, 5, 2 } };

	(void)state;
	for (size_t row = 0; row < sizeof rows / sizeof rows[0]; row++) {
		struct sigfile *s;
		int fd[2];

		make_files(fd);
		s = open_files(fd);
		fill(s, rows[row].frames);
		enter(s, 7);
		for (unsigned i = 0; i < rows[row].n; i++) {
			unsigned n = rows[row].order[i];

			assert_int_equal(has(7, n, RR_A, NOW + 10 * DAY), n != 99);
		}
		close_file(&s);
		(void)close(fd[0]);
		(void)close(fd[1]);
	}
}

static void
test_found_again(void **state)
{
	struct sigfile *s;
	int fd[2];

	(void)state;
	make_files(fd);
	s = open_files(fd);
	fill(s, 3);
	enter(s, 0);
	note(0, 99, RR_A, NOW + DAY); /* made, and not kept */
	close_file(&s);
	s = open_files(fd);
	for (unsigned i = 0; i < ZONES; i++) {
		enter(s, i);
		for (unsigned n = 0; n < 15; n++)
			assert_true(has(i, n, RR_A, NOW + 10 * DAY));
		assert_false(has(i, 15, RR_A, NOW + 10 * DAY));
		assert_false(has(i, 0, RR_AAAA, NOW + 10 * DAY));
		assert_false(has(i, 99, RR_A, NOW + DAY));
	}
	enter(s, ZONES);
	assert_false(has(ZONES, 0, RR_A, NOW));
	close_file(&s);
	(void)close(fd[0]);
	(void)close(fd[1]);
}

/* Whatever octet is another, or however short it is: what is found is right, and writing goes on. */
static void
test_damage(void **state)
{
	uint64_t seed = 3;

	(void)state;
	for (unsigned round = 0; round < 60; round++) {
		struct sigfile *s;
		unsigned found = 0;
		uint8_t octet;
		off_t size, place;
		int fd[2];

		make_files(fd);
		s = open_files(fd);
		fill(s, 2);
		close_file(&s);
		size = lseek(fd[0], 0, SEEK_END);
		place = (off_t)(mapbox_random(&seed) % (uint64_t)size);
		assert_int_equal(pread(fd[0], &octet, 1, place), 1);
		octet ^= (uint8_t)(1 + mapbox_random(&seed) % 255);
		if (round % 3 == 0)
			assert_int_equal(ftruncate(fd[0], place), 0);
		else
			assert_int_equal(pwrite(fd[0], &octet, 1, place), 1);
		s = open_files(fd);
		for (unsigned i = 0; i < ZONES; i++) {
			enter(s, i);
			for (unsigned n = 0; n < 10; n++)
				found += has(i, n, RR_A, NOW + 10 * DAY) ? 1u : 0u;
		}
		assert_true(found < ZONES * 10);
		fill(s, 2);
		for (unsigned i = 0; i < ZONES; i++) {
			enter(s, i);
			assert_true(has(i, 0, RR_A, NOW + 10 * DAY));
		}
		close_file(&s);
		(void)close(fd[0]);
		(void)close(fd[1]);
	}
}

/* Twice the size: what has ended, and old SOAs, go; what is of use stays, also what came meanwhile. */
static void
test_smaller(void **state)
{
	struct sigfile_state before, after;
	struct sigfile *s;
	unsigned n = 0;
	int fd[2];

	(void)state;
	make_files(fd);
	s = open_files(fd);
	fill(s, 1);
	assert_false(sigfile_step(s, NOW, 0));
	do {
		enter(s, 0);
		for (unsigned i = 0; i < 50000; i++, n++)
			note(0, 1000 + n, n % 2 ? RR_SOA : RR_A, NOW + (n % 2 ? 9 : 1) * DAY);
		sigzone_keep(at);
		sigfile_state(s, &before);
	} while (before.octets < SIGFILE_SMALL);
	assert_true(sigfile_step(s, NOW + 2 * DAY, 0));
	enter(s, 3);
	note(3, 777, RR_A, NOW + 10 * DAY);
	sigzone_keep(at);
	while (sigfile_step(s, NOW + 2 * DAY, clock_mono_ns() + 1000000))
		;
	sigfile_state(s, &after);
	assert_true(after.octets < before.octets / 100);
	close_file(&s);
	s = open_files(fd);
	for (unsigned i = 0; i < ZONES; i++) {
		enter(s, i);
		for (unsigned k = 0; k < 5; k++)
			assert_true(has(i, k, RR_A, NOW + 10 * DAY));
	}
	enter(s, 0);
	assert_false(has(0, 1000, RR_A, NOW + DAY));
	assert_false(has(0, 1001, RR_SOA, NOW + 9 * DAY));
	assert_true(has(0, 1000 + n - 1, RR_SOA, NOW + 9 * DAY));
	enter(s, 3);
	assert_true(has(3, 777, RR_A, NOW + 10 * DAY));
	close_file(&s);
	(void)close(fd[0]);
	(void)close(fd[1]);
}

static bool
file_has_name(int fd, const uint8_t *name)
{
	off_t size = lseek(fd, 0, SEEK_END);
	uint8_t *data = malloc((size_t)size + 1);
	bool found;

	assert_int_equal(pread(fd, data, (size_t)size, 0), size);
	found = memmem(data, (size_t)size, name, name_len(name)) != NULL;
	free(data);
	return found;
}

/* A zone that may not be here any more leaves nothing in the file, and takes nothing of others along. */
static void
what_is_wiped_leaves_nothing(void **state)
{
	struct sigfile *s;
	int fd[2];

	(void)state;
	make_files(fd);
	s = open_files(fd);
	fill(s, 3);
	assert_true(file_has_name(fd[0], zone(3)) || file_has_name(fd[1], zone(3)));
	sigfile_wipe(s, zone(3));
	assert_false(file_has_name(fd[0], zone(3)) || file_has_name(fd[1], zone(3)));
	enter(s, 3);
	assert_false(has(3, 0, RR_A, NOW + 10 * DAY));
	enter(s, 3);
	note(3, 99, RR_A, NOW + 10 * DAY);
	sigzone_keep(at);
	close_file(&s);
	s = open_files(fd);
	for (unsigned i = 0; i < ZONES; i++) {
		enter(s, i);
		assert_int_equal(has(i, 0, RR_A, NOW + 10 * DAY), i != 3);
		assert_int_equal(has(i, 14, RR_A, NOW + 10 * DAY), i != 3);
		assert_int_equal(has(i, 99, RR_A, NOW + 10 * DAY), i == 3);
	}
	close_file(&s);
	close(fd[0]);
	close(fd[1]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_wiped_leaves_nothing),
		cmocka_unit_test(test_found_again),
		cmocka_unit_test(test_found_in_any_order),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_smaller),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
