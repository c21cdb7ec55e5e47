/* Octets of the map are changed at will: answers may be wrong, but nothing is read or written outside
 * and every question ends.
 *
 * Input: records of four octets, {u24 place, u8 value}, applied before the questions; the first octet
 * picks TCP and DO. */
// link: tests/lib/zonekit.c
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/zonekit.h"

/* Of 64 octets: packed where its signer is the zone (image_sig.h). */
#define SIG \
	"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+Pw=="
static const char zone[] =
    "$TTL 300\n@ SOA ns1 h 1 2 3 4 5\n@ NS ns1\n@ NS ns.sub\nns1 A 192.0.2.1\n*.w MX 10 a.w\n"
    "a CNAME b\nb CNAME www.w\nsub NS ns.sub\nns.sub AAAA ::1\nd DNAME e\nx.e A 192.0.2.2\n"
    "sv SRV 1 2 3 x.w\nh HTTPS 1 . port=1\nh A 192.0.2.3\n@ NSEC a NS SOA RRSIG NSEC\n"
    "@ RRSIG SOA 253 2 300 20300101000000 20200101000000 1 p.test. AAAA\n"
    "a RRSIG CNAME 13 3 300 20300101000000 20200101000000 1 p.test. " SIG "\n"
    "a NSEC @ CNAME RRSIG NSEC\n";
static const char hashed[] =
    "$TTL 300\n@ SOA ns1 h 1 2 3 4 5\n@ NS a\na A 192.0.2.1\n*.w MX 10 a\nd.e NS a\n"
    "@ RRSIG SOA 253 2 300 20300101000000 20200101000000 1 n.test. AAAA\n"
    "@ NSEC3PARAM 1 0 1 ab\n"
    "8j02ojknn7b34r2q5mofs70m50esmafk NSEC3 1 1 1 ab gqng40qo8fi7asj8ir5ll2g4n9pk1mnj A\n"
    "gqng40qo8fi7asj8ir5ll2g4n9pk1mnj NSEC3 1 1 1 ab nuud44uuk2ltlrggrch98sr24aih2hb8 A\n"
    "nuud44uuk2ltlrggrch98sr24aih2hb8 NSEC3 1 1 1 ab 8j02ojknn7b34r2q5mofs70m50esmafk A\n";
static struct zonekit kit;
static uint8_t *base, *saved, *reply;
static size_t len;

static void
start(void)
{
	struct wbuf w = wbuf_grow(1 << 22);
	char line[256];

	zonekit_init(&kit, 64u << 20);
	zonekit_add(&kit, "p.test.", zone, sizeof zone - 1, 1);
	zonekit_add(&kit, "n.test.", hashed, sizeof hashed - 1, 1);
	wbuf_put(&w, zone, sizeof zone - 1);
	for (unsigned i = 0; i < 1000; i++)
		wbuf_put(&w, line,
		    (size_t)snprintf(line, sizeof line, "n%u.m%u TXT \"%070u\"\n", i, i % 9, i));
	for (char *p = (char *)w.base;
	     (p = memmem(p, w.len - (size_t)(p - (char *)w.base), " p.test.", 8)) != NULL;)
		p[1] = 't';
	zonekit_add(&kit, "t.test.", (const char *)w.base, w.len, 1);
	wbuf_free(&w);
	zonekit_publish(&kit);
	base = (uint8_t *)writer_map(kit.w)->base + MAP_PAGE;
	len = (size_t)kit.view.size - MAP_PAGE;
	saved = malloc(len);
	memcpy(saved, base, len);
	reply = malloc(SERVE_TCP_MAX);
}

static void
ask_all(bool tcp, bool dnssec)
{
	static const char *const names[] = { "", "a.", "x.w.", "q.sub.", "x.d.", "sv.", "h.", "nx.",
		"n7.m7.", "n5.m6.x.", "m3." };
	static const uint16_t types[] = { 1, 15, 2, 46, 255, 43 };
	uint8_t pkt[512];
	char name[64];

	for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
		for (unsigned z = 0; z < 3; z++) {
			uint16_t type = i == 5 ? 33 : i == 6 ? 65 : types[i % 6];
			size_t n;

			snprintf(name, sizeof name, "%s%c.test.", names[i], "ptn"[z]);
			n = zonekit_question(name, type, dnssec ? "d" : "", pkt);
			zonekit_ask(&kit, pkt, n, tcp, reply);
		}
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool started;
	uint8_t sha[32];
	uint64_t version;
	size_t places[256], n = 0;

	if (!started)
		start();
	started = true;
	if (size < 1)
		return 0;
	for (size_t i = 1; i + 4 <= size && n < 256; i += 4) {
		size_t at = ((size_t)data[i] << 16 | (size_t)data[i + 1] << 8 | data[i + 2]) % len;

		base[at] = data[i + 3];
		places[n++] = at;
	}
	ask_all(data[0] & 1, data[0] & 2);
	for (unsigned z = 0; z < 2; z++) {
		uint8_t apex[255];
		map_off off =
		    writer_zone_find(kit.w, zonekit_name(z == 0 ? "p.test." : "t.test.", apex));

		if (off != 0)
			(void)!image_digest(&kit.view, off, sha, &version);
	}
	while (n-- > 0)
		base[places[n]] = saved[places[n]];
	return 0;
}
