/* geo.c - see geo.h.
 *
 * The files are the supervisor's copies in sealed memory: nobody changes them under us. */
#include "appliance/serve/geo.h"

#include <maxminddb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ipc/base/xalloc.h"

#define CACHE   4096u /* networks; 48 octets each */
#define RECORDS 1024u /* what networks share: a country file has some hundred */

struct cached {
	uint8_t family; /* 0: empty */
	uint8_t address[16];
	struct client_place place;
};
struct record {
	uint32_t file, offset; /* 0: empty; from 1, both */
	struct client_place place; /* subdivision without its country, from [3] on */
};
struct geo {
	unsigned n;
	struct record record[RECORDS];
	MMDB_s file[GEO_FILES];
	struct cached cache[CACHE];
};

/* UN M.49's geographic regions as GeoNames cuts them. */
static const struct {
	char code[3];
	const char *countries;
} continents[] = {
	{ "AF",
	    "AO BF BI BJ BW CD CF CG CI CM CV DJ DZ EG EH ER ET GA GH GM GN GQ GW KE KM LR LS LY "
	    "MA MG "
	    "ML MR MU MW MZ NA NE NG RE RW SC SD SH SL SN SO SS ST SZ TD TG TN TZ UG YT ZA ZM ZW" },
	{ "AN", "AQ BV GS HM TF" },
	{ "AS", "AE AF AM AZ BD BH BN BT CC CN CX GE HK ID IL IN IO IQ IR JO JP KG KH KP KR KW KZ "
		"LA LB LK "
		"MM MN MO MV MY NP OM PH PK PS QA SA SG SY TH TJ TM TR TW UZ VN YE" },
	{ "EU", "AD AL AT AX BA BE BG BY CH CY CZ DE DK EE ES FI FO FR GB GG GI GR HR HU IE IM IS "
		"IT JE LI "
		"LT LU LV MC MD ME MK MT NL NO PL PT RO RS RU SE SI SJ SK SM UA VA XK" },
	{ "NA", "AG AI AW BB BL BM BQ BS BZ CA CR CU CW DM DO GD GL GP GT HN HT JM KN KY LC MF MQ "
		"MS MX NI "
		"PA PM PR SV SX TC TT US VC VG VI" },
	{ "OC",
	    "AS AU CK FJ FM GU KI MH MP NC NF NR NU NZ PF PG PN PW SB TK TL TO TV UM VU WF WS" },
	{ "SA", "AR BO BR CL CO EC FK GF GY PE PY SR UY VE" },
};

const char *
geo_continent(const char country[2])
{
	for (size_t i = 0; i < sizeof continents / sizeof continents[0]; i++) {
		for (const char *p = continents[i].countries; p[0] != '\0';
		     p += p[2] == ' ' ? 3 : 2) {
			if (memcmp(p, country, 2) == 0)
				return continents[i].code;
		}
	}
	return NULL;
}

struct geo *
geo_open(int fd, unsigned n, char *problem, size_t size)
{
	struct geo *g = xcalloc(1, sizeof *g);
	char path[32];

	problem[0] = '\0';
	for (unsigned i = 0; i < n && i < GEO_FILES; i++) {
		int err;

		snprintf(path, sizeof path, "/proc/self/fd/%d", fd + (int)i);
		err = MMDB_open(path, MMDB_MODE_MMAP, &g->file[g->n]);
		if (err == MMDB_SUCCESS)
			g->n++;
		else
			snprintf(problem, size, "[geo] database: file %u: %s", i + 1,
			    MMDB_strerror(err));
	}
	if (g->n == 0)
		geo_close(&g);
	return g;
}

void
geo_close(struct geo **gp)
{
	struct geo *g = *gp;

	*gp = NULL;
	for (unsigned i = 0; g != NULL && i < g->n; i++)
		MMDB_close(&g->file[i]);
	free(g);
}

uint32_t
geo_day(const struct geo *g)
{
	uint64_t oldest = UINT64_MAX;

	for (unsigned i = 0; g != NULL && i < g->n; i++)
		if (g->file[i].metadata.build_epoch < oldest)
			oldest = g->file[i].metadata.build_epoch;
	return oldest / 86400 < UINT32_MAX ? (uint32_t)(oldest / 86400) : 0;
}

/* Text of a path into a field that is empty and takes `n` letters. */
static void
take_text(MMDB_entry_s *e, const char *const *path, char *out, size_t n)
{
	MMDB_entry_data_s d;

	if (out[0] != '\0' || MMDB_aget_value(e, &d, path) != MMDB_SUCCESS || !d.has_data ||
	    d.type != MMDB_DATA_TYPE_UTF8_STRING || d.data_size != n)
		return;
	memcpy(out, d.utf8_string, n);
}

static void
take_number(MMDB_entry_s *e, const char *const *path, uint32_t *out)
{
	MMDB_entry_data_s d;

	if (MMDB_aget_value(e, &d, path) == MMDB_SUCCESS && d.has_data &&
	    d.type == MMDB_DATA_TYPE_UINT32)
		*out = d.uint32;
}

static void
take_subdivision(MMDB_entry_s *e, struct client_place *p)
{
	static const char *const path[] = { "subdivisions", "0", "iso_code", NULL };
	MMDB_entry_data_s d;

	if (MMDB_aget_value(e, &d, path) == MMDB_SUCCESS && d.has_data &&
	    d.type == MMDB_DATA_TYPE_UTF8_STRING && d.data_size <= 3)
		memcpy(p->subdivision + 3, d.utf8_string, d.data_size);
}

/* What the file says there: read once, as walking its maps costs more than finding the network. */
static const struct client_place *
record(struct geo *g, unsigned file, MMDB_entry_s *e)
{
	static const char *const country[] = { "country", "iso_code", NULL };
	static const char *const flat[] = { "country_code", NULL };
	static const char *const continent[] = { "continent", "code", NULL };
	static const char *const city[] = { "city", "geoname_id", NULL };
	static const char *const asn[] = { "autonomous_system_number", NULL };
	struct record *r = &g->record[((e->offset ^ file << 7) * 2654435761u) >> 22];

	if (r->file == file + 1 && r->offset == e->offset + 1)
		return &r->place;
	*r = (struct record){ .file = file + 1, .offset = e->offset + 1 };
	take_text(e, country, r->place.country, 2);
	take_text(e, flat, r->place.country, 2);
	take_text(e, continent, r->place.continent, 2);
	take_subdivision(e, &r->place);
	take_number(e, city, &r->place.city);
	take_number(e, asn, &r->place.asn);
	return &r->place;
}

/* What is not known yet. */
static void
fill(struct client_place *p, const struct client_place *more)
{
	if (p->country[0] == '\0')
		memcpy(p->country, more->country, sizeof p->country);
	if (p->continent[0] == '\0')
		memcpy(p->continent, more->continent, sizeof p->continent);
	if (p->subdivision[0] == '\0' && p->country[0] != '\0' && more->subdivision[3] != '\0') {
		memcpy(p->subdivision, more->subdivision, sizeof p->subdivision);
		memcpy(p->subdivision, p->country, 2);
		p->subdivision[2] = '-';
	}
	p->city = p->city != 0 ? p->city : more->city;
	p->asn = p->asn != 0 ? p->asn : more->asn;
}

static void
look_up(
    struct geo *g, unsigned i, const struct sockaddr *sa, unsigned family, struct client_place *p)
{
	const MMDB_s *file = &g->file[i];
	MMDB_lookup_result_s r;
	unsigned bits;
	int err;

	if (family == 6 && file->metadata.ip_version == 4)
		return;
	r = MMDB_lookup_sockaddr(file, sa, &err);
	if (err != MMDB_SUCCESS)
		return;
	bits = r.netmask;
	if (family == 4 && bits > 32) /* an IPv4 address in a file of both: counted in ::/96 */
		bits = bits >= 96 ? bits - 96 : 0;
	if (bits > p->prefix)
		p->prefix = (uint8_t)bits;
	if (r.found_entry)
		fill(p, record(g, i, &r.entry));
}

static void
find(struct geo *g, unsigned family, const uint8_t *address, struct client_place *p)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
	const struct sockaddr *sa =
	    family == 4 ? (const struct sockaddr *)&v4 : (const struct sockaddr *)&v6;
	const char *continent;

	memset(p, 0, sizeof *p);
	if (family == 4)
		memcpy(&v4.sin_addr, address, 4);
	else
		memcpy(&v6.sin6_addr, address, 16);
	for (unsigned i = 0; i < g->n; i++)
		look_up(g, i, sa, family, p);
	if (p->continent[0] == '\0' && p->country[0] != '\0' &&
	    (continent = geo_continent(p->country)) != NULL)
		memcpy(p->continent, continent, 2);
}

static bool
same_network(const uint8_t *a, const uint8_t *b, unsigned bits)
{
	return memcmp(a, b, bits / 8) == 0 &&
	       (bits % 8 == 0 || ((a[bits / 8] ^ b[bits / 8]) & (0xff00u >> bits % 8) & 0xff) == 0);
}

void
geo_place(void *arg, unsigned family, const uint8_t *address, struct client_place *out)
{
	struct geo *g = arg;
	uint32_t h = family;
	struct cached *c;

	/* By /24 and /48: what is asked for together stands together, and shorter networks in several
	 * places. */
	for (unsigned i = 0; i < (family == 4 ? 3u : 6u); i++)
		h = (h ^ address[i]) * 0x01000193u;
	c = &g->cache[(h ^ h >> 15) % CACHE];
	if (c->family != family || !same_network(c->address, address, c->place.prefix)) {
		c->family = (uint8_t)family;
		memcpy(c->address, address, family == 4 ? 4 : 16);
		find(g, family, address, &c->place);
	}
	*out = c->place;
}
