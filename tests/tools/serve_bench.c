/* serve_bench - what an answer costs in serve/ alone, and what a zone takes in the map.
 *
 *     serve_bench [ZONES [SECONDS [KIND [FLAGS [FILE]]]]]
 *
 * The reference workload (20 records a zone, the questions of the budgets) in a map of its own; batches of
 * SERVE_BATCH random questions that were made before; KIND picks one of the 12 questions alone (-1: all);
 * FLAGS are those of zonekit_question(), and "k": with a good cookie; FILE is a zone z000000.example in place
 * of the reference one, signed for instance. Prints
 * one JSON line; "best" is the best of many windows, for a machine that others use too.  One thread. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/dns/rrtype.h"
#include "appliance/serve/cookie.h"
#include "ipc/base/clock.h"
#include "tests/lib/mapbox.h"
#include "tests/lib/zonekit.h"

#define QUESTIONS 500000u

struct question {
	uint8_t pkt[128];
	uint8_t len;
};
static uint64_t seed = 7;

/* One zone as text once, then its name's digits replaced in the zwire: all have the same length. */
static struct wbuf
template_zone(const char *file)
{
	static const char text[] =
	    "$TTL 300\n@ IN SOA ns1 hostmaster 1 7200 3600 1209600 300\n"
	    "@ IN NS ns1\n@ IN NS ns2\nns1 IN A 192.0.2.1\nns2 IN A 192.0.2.2\n"
	    "@ IN A 198.51.100.7\n@ IN AAAA 2001:db8::77\n@ IN MX 10 mail1\n@ IN MX 20 mail2\n"
	    "@ IN TXT \"v=spf1 mx -all\"\nwww IN A 198.51.100.8\nwww IN AAAA 2001:db8::78\n"
	    "mail1 IN A 203.0.113.4\nmail2 IN A 203.0.113.5\napi IN A 198.51.100.9\n"
	    "blog IN CNAME www\n_sip._tcp IN SRV 10 60 5060 api\n"
	    "@ IN CAA 0 issue \"letsencrypt.org\"\n_dmarc IN TXT \"v=DMARC1; p=none\"\n"
	    "ftp IN CNAME www\n";
	static char other[1 << 16];
	FILE *f = file != NULL ? fopen(file, "r") : NULL;
	size_t len = f != NULL ? fread(other, 1, sizeof other, f) : 0;

	if (f != NULL)
		fclose(f);
	return zonekit_zwire(
	    "z000000.example.", len > 0 ? other : text, len > 0 ? len : sizeof text - 1);
}

static void
rename_zone(uint8_t *p, size_t len, unsigned number)
{
	char digits[16];

	snprintf(digits, sizeof digits, "%06u", number);
	for (size_t i = 0; i + 8 <= len; i++) {
		if (p[i] == 7 && p[i + 1] == 'z' && memcmp(p + i + 8, "\7example", 8) == 0)
			memcpy(p + i + 2, digits, 6);
	}
}

static void
build(struct zonekit *k, unsigned zones, const char *file)
{
	struct wbuf zwire = template_zone(file);
	char name[32];

	for (unsigned i = 0; i < zones; i++) {
		rename_zone(zwire.base, zwire.len, i);
		snprintf(name, sizeof name, "z%06u.example.", i);
		zonekit_put(k, name, zwire.base, zwire.len, 1);
	}
	zonekit_publish(k);
	wbuf_free(&zwire);
}

static const struct map_cookie secrets = { .secret = { "0123456789abcdef" }, .count = 1 };
static const struct sockaddr_in client = { .sin_family = AF_INET };

/* Behind a question that ends with an empty OPT record. */
static size_t
add_cookie(uint8_t *pkt, size_t len, uint32_t now_s)
{
	put_u16(pkt + len - 2, 4 + COOKIE_OURS);
	put_u16(pkt + len, 10);
	put_u16(pkt + len + 2, COOKIE_OURS);
	memcpy(pkt + len + 4, "abcdefgh", COOKIE_CLIENT);
	cookie_make(&secrets, (const struct sockaddr_storage *)&client, now_s, pkt + len + 4);
	return len + 4 + COOKIE_OURS;
}

static void
make_questions(struct question *q, unsigned zones, int kind, const char *flags)
{
	static const struct {
		const char *label;
		uint16_t type;
	} asks[] = { { "www.", RR_A }, { "www.", RR_A }, { "www.", RR_A }, { "", RR_A },
		{ "www.", RR_AAAA }, { "", RR_MX }, { "api.", RR_A }, { "blog.", RR_A },
		{ "_sip._tcp.", RR_SRV }, { "nx", RR_A }, { "", RR_TXT }, { "mail1.", RR_A } };
	uint8_t pkt[512];

	for (unsigned i = 0; i < QUESTIONS; i++) {
		unsigned a = (kind >= 0 ? (unsigned)kind : (unsigned)mapbox_random(&seed)) %
			     (sizeof asks / sizeof asks[0]);
		char name[64], nx[16] = "";

		if (asks[a].label[0] == 'n')
			snprintf(nx, sizeof nx, "%u.", (unsigned)(mapbox_random(&seed) % 1000000));
		snprintf(name, sizeof name, "%s%sz%06u.example.", asks[a].label, nx,
		    (unsigned)(mapbox_random(&seed) % zones));
		q[i].len = (uint8_t)zonekit_question(name, asks[a].type, flags, pkt);
		if (strchr(flags, 'k') != NULL)
			q[i].len = (uint8_t)add_cookie(pkt, q[i].len, 1000);
		memcpy(q[i].pkt, pkt, q[i].len);
	}
}

int
main(int argc, char **argv)
{
	unsigned zones = argc > 1 ? (unsigned)atoi(argv[1]) : 100000;
	double seconds = argc > 2 ? atof(argv[2]) : 2, elapsed = 0, window, best = 1e18;
	static uint8_t pkt[SERVE_BATCH][128];
	static uint8_t out[SERVE_BATCH][SERVE_UDP_MAX];
	static struct query q[SERVE_BATCH];
	struct question *asked = calloc(QUESTIONS, sizeof *asked);
	uint64_t start, done = 0, octets = 0, replies = 0, built;
	struct zonekit k;

	zonekit_init(&k, 8ull << 30);
	writer_cookie(k.w, &secrets);
	k.conf.now_s = 1060;
	start = clock_mono_ns();
	build(&k, zones, argc > 5 ? argv[5] : NULL);
	built = clock_mono_ns() - start;
	make_questions(asked, zones, argc > 3 ? atoi(argv[3]) : -1, argc > 4 ? argv[4] : "");
	for (size_t i = 0; i < SERVE_BATCH; i++)
		q[i] = (struct query){ .pkt = pkt[i], .out = out[i], .out_cap = SERVE_UDP_MAX };
	for (size_t i = 0; i < SERVE_BATCH; i++)
		memcpy(&q[i].client, &client, sizeof client);
	do {
		window = elapsed;
		for (unsigned b = 0; b < 1000; b++) {
			for (unsigned i = 0; i < SERVE_BATCH; i++) {
				const struct question *a = &asked[(done + i) % QUESTIONS];

				/* As the kernel leaves it: in the cache. */
				memcpy(pkt[i], a->pkt, a->len);
				q[i].len = a->len;
			}
			start = clock_mono_ns();
			serve_batch(&k.conf, &k.view, q, SERVE_BATCH);
			elapsed += (double)(clock_mono_ns() - start);
			for (unsigned i = 0; i < SERVE_BATCH; i++) {
				octets += q[i].out_len;
				replies += q[i].verdict == SERVE_REPLY;
			}
			done += SERVE_BATCH;
		}
		if (elapsed - window < best)
			best = elapsed - window;
	} while (elapsed < seconds * 1e9);
	printf("{\"zones\":%u,\"ns_per_query\":%.1f,\"best\":%.1f,\"reply_octets\":%.1f,\"map_"
	       "octets_per_zone\":%.1f,"
	       "\"compile_us_per_zone\":%.2f,\"replies\":%" PRIu64 "}\n",
	    zones, elapsed / (double)done, best / (1000.0 * SERVE_BATCH),
	    (double)octets / (double)replies, (double)writer_bytes(k.w) / zones,
	    (double)built / 1e3 / zones, replies);
	zonekit_fini(&k);
	free(asked);
	return 0;
}
