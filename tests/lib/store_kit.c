/* store_kit.c - see store_kit.h. */
#include "tests/lib/store_kit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <assert.h>
#include <dirent.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "appliance/dns/rrtype.h"
#include "appliance/dns/zwire.h"
#include "ipc/base/xalloc.h"

uint64_t
kit_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

struct kit_name
kit_name(const char *text)
{
	static const uint8_t root[1];
	struct kit_name n = { 0 };

	if (name_from_text(text, root, n.wire, &n.len, NULL) != NS_OK)
		abort();
	return n;
}

void
kit_owner(struct wbuf *out, const uint8_t *owner, unsigned sets, size_t octets, uint32_t salt)
{
	uint8_t rdata[65000];

	assert(octets <= sizeof rdata);
	for (unsigned i = 0; i < sets; i++) {
		struct rrset set = {
			.owner = owner,
			.owner_len = (uint8_t)name_len(owner),
			.type = (uint16_t)(65280 + i),
			.count = 1,
			.ttl = 300,
			.rdata = rdata,
			.rdata_len = octets,
		};

		memset(rdata, (int)(salt + i), octets);
		put_u16(rdata, (uint16_t)(octets - 2));
		zwire_put(out, &set);
	}
}

static void
put_soa(struct rrpile *pile, const uint8_t *apex, uint32_t serial)
{
	uint8_t mem[512];
	struct wbuf w = wbuf_init(mem, sizeof mem);

	wbuf_put(&w, apex, name_len(apex));
	wbuf_put(&w, apex, name_len(apex));
	wbuf_u32(&w, serial);
	for (unsigned i = 0; i < 4; i++)
		wbuf_u32(&w, 3600);
	rrpile_add(pile, apex, RR_SOA, 3600, mem, w.len, 0);
	rrpile_add(pile, apex, RR_NS, 3600, apex, name_len(apex), 0);
}

void
kit_zone(struct wbuf *out, const uint8_t *apex, uint32_t serial, unsigned owners)
{
	struct rrpile *pile = rrpile_new();
	uint64_t records;

	put_soa(pile, apex, serial);
	for (unsigned i = 0; i < owners; i++) {
		char text[16];
		uint8_t owner[NAME_MAX_WIRE], a[4] = { 192, 0, (uint8_t)(i >> 8), (uint8_t)i };
		size_t len;

		snprintf(text, sizeof text, "h%u", i);
		if (name_from_text(text, apex, owner, &len, NULL) != NS_OK)
			abort();
		rrpile_add(pile, owner, RR_A, 300, a, sizeof a, 0);
	}
	if (rrpile_to_zwire(pile, out, &records, NULL) != NS_OK)
		abort();
	rrpile_destroy(&pile);
}

char *
kit_dir(void)
{
	char *dir =
	    xasprintf("%s/ns-store-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");

	if (mkdtemp(dir) == NULL)
		abort();
	return dir;
}

void
kit_remove(char **dir)
{
	DIR *d = opendir(*dir);
	struct dirent *e;

	while (d != NULL && (e = readdir(d)) != NULL) {
		char *path = xasprintf("%s/%s", *dir, e->d_name);

		if (e->d_name[0] != '.')
			unlink(path);
		free(path);
	}
	if (d != NULL)
		closedir(d);
	rmdir(*dir);
	free(*dir);
	*dir = NULL;
}

/* ---- a store under test ---- */

int
kit_set_up(void **state)
{
	struct kit_store *f = xcalloc(1, sizeof *f);

	f->dir = kit_dir();
	OK(store_open(f->dir, STORE_WRITE, NULL, &f->s, NULL));
	*state = f;
	return 0;
}

int
kit_tear_down(void **state)
{
	struct kit_store *f = *state;

	store_close(&f->s);
	kit_remove(&f->dir);
	free(f);
	return 0;
}

void
kit_reopen(struct kit_store *f)
{
	store_close(&f->s);
	OK(store_open(f->dir, STORE_WRITE, NULL, &f->s, NULL));
}

/* Another program's hand in the file. */
void
kit_raw(struct kit_store *f, const char *sql)
{
	char *path = xasprintf("%s/store.db", f->dir);
	char *text = NULL;
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	if (sqlite3_exec(db, sql, NULL, NULL, &text) != SQLITE_OK)
		fail_msg("%s: %s", sql, text);
	sqlite3_close(db);
	free(path);
}

struct store_zone
kit_new_zone(struct kit_store *f, const char *text, uint64_t version)
{
	struct kit_name n = kit_name(text);
	struct store_zone z = { .version = version, .serial = 7, .changed_ms = 1000 };

	memcpy(z.name, n.wire, n.len);
	z.name_len = (uint8_t)n.len;
	OK(store_zone_put(f->s, &z, NULL));
	return z;
}

uint64_t
kit_append(struct kit_store *f, const char *body, uint64_t zone)
{
	struct store_change c = { .term = 1, .at_ms = 5, .zone_count = 1, .added = 2 };

	snprintf(c.author, sizeof c.author, "anna");
	snprintf(c.via, sizeof c.via, "cli");
	snprintf(c.kind, sizeof c.kind, "edit");
	snprintf(c.comment, sizeof c.comment, "because");
	OK(store_change_append(f->s, &c, body, strlen(body), &zone, zone != 0, NULL));
	return c.revision;
}

/* ---- verify ---- */

unsigned kit_faults;
static char fault_text[512];

void
kit_count_fault(void *arg, const char *what, const char *zone, const char *text)
{
	(void)arg;
	kit_faults++;
	snprintf(fault_text, sizeof fault_text, "%s: %s: %s", what, zone, text);
}

unsigned
kit_verify(struct store *s)
{
	uint64_t cursor = 0;
	unsigned steps = 0;

	kit_faults = 0;
	do {
		OK(store_verify_step(s, &cursor, 1, kit_count_fault, NULL));
		assert_true(++steps < 100000);
	} while (cursor != 0);
	return kit_faults;
}

void
kit_assert_sound(struct store *s)
{
	if (kit_verify(s) != 0)
		fail_msg("%u kit_faults, the last: %s", kit_faults, fault_text);
}

uint64_t
kit_part_count(struct kit_store *f)
{
	char *path = xasprintf("%s/store.db", f->dir);
	sqlite3_stmt *st;
	sqlite3 *db;
	int n;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	sqlite3_prepare_v2(db, "SELECT count(*) FROM part", -1, &st, NULL);
	assert_int_equal(sqlite3_step(st), SQLITE_ROW);
	n = sqlite3_column_int(st, 0);
	sqlite3_finalize(st);
	sqlite3_close(db);
	free(path);
	return (uint64_t)n;
}
