/* Any packet against a few zones (plain, wildcards, chains, a delegation, a signed one, a large one): the
 * reply fits, echoes the id, and is a message whose records fill it exactly, with pointers that lead
 * backwards only.
 *
 * Input: a control octet (1: TCP; 2: the packet is a question's name and type alone; 4: EDNS; 8: DO; 16: TLS;
 * 32: behind the type come EDNS options), then the packet. */
// link: tests/lib/zonekit.c
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "tests/lib/zonekit.h"

static const char plain[] =
    "$TTL 300\n@ SOA ns1 h 1 2 3 4 5\n@ NS ns1\n@ NS ns.sub\nns1 A 192.0.2.1\n*.w MX 10 a.w\n"
    "a CNAME b\nb CNAME a\nc CNAME x.w\n*.v CNAME q.v.w\nsub NS ns.sub\nns.sub AAAA ::1\n"
    "d DNAME e\nx.e A 192.0.2.2\ndd DNAME d.dd2\nsv SRV 1 2 3 x.w\nh HTTPS 1 . port=1\nh A "
    "192.0.2.3\n"
    "*.tx TXT a b c\nl.e.n.t A 192.0.2.4\n@ MX 5 @\n";
static const char sig[] = "RRSIG %s 253 %u 300 20300101000000 20200101000000 1 s.test. AAAA\n";
static struct zonekit kit;

static void
add_signed(struct wbuf *w, const char *owner, const char *type, const char *rdata)
{
	char line[512];
	unsigned labels = 2;

	if (strcmp(owner, "@") != 0)
		labels = owner[0] == '*' ? 2 : 3;
	wbuf_put(w, line, (size_t)snprintf(line, sizeof line, "%s %s %s\n", owner, type, rdata));
	wbuf_put(w, owner, strlen(owner));
	wbuf_u8(w, ' ');
	wbuf_put(w, line, (size_t)snprintf(line, sizeof line, sig, type, labels));
}

static void
start(void)
{
	struct wbuf w = wbuf_grow(1 << 22);
	char line[256];

	zonekit_init(&kit, 64u << 20);
	zonekit_add(&kit, "p.test.", plain, sizeof plain - 1, 1);
	wbuf_put(&w, "$TTL 300\n", 9);
	add_signed(&w, "@", "SOA", "ns h 1 2 3 4 5");
	add_signed(&w, "@", "NS", "ns");
	add_signed(&w, "@", "NSEC", "c NS SOA RRSIG NSEC");
	add_signed(&w, "c", "CNAME", "x.w.p.test.");
	add_signed(&w, "c", "NSEC", "d CNAME RRSIG NSEC");
	wbuf_put(&w, "d NS ns.d\nns.d A 192.0.2.1\n", 27);
	add_signed(&w, "d", "NSEC", "ns NS RRSIG NSEC");
	add_signed(&w, "ns", "A", "192.0.2.1");
	add_signed(&w, "ns", "NSEC", "*.w A RRSIG NSEC");
	add_signed(&w, "*.w", "CNAME", "nx.w.w");
	add_signed(&w, "*.w", "NSEC", "@ CNAME RRSIG NSEC");
	zonekit_add(&kit, "s.test.", (const char *)w.base, w.len, 1);
	w.len = 0;
	wbuf_put(&w, "$TTL 300\n", 9);
	add_signed(&w, "@", "SOA", "ns h 1 2 3 4 5");
	add_signed(&w, "@", "NS", "a");
	add_signed(&w, "@", "NSEC3PARAM", "1 0 1 ab");
	add_signed(&w, "a", "A", "192.0.2.1");
	add_signed(&w, "*.w", "CNAME", "nx.a");
	wbuf_put(&w, "d.e NS a\n", 9);
	add_signed(&w, "8j02ojknn7b34r2q5mofs70m50esmafk", "NSEC3",
	    "1 1 1 ab gqng40qo8fi7asj8ir5ll2g4n9pk1mnj A RRSIG");
	add_signed(&w, "gqng40qo8fi7asj8ir5ll2g4n9pk1mnj", "NSEC3",
	    "1 1 1 ab nfqk2577e3tfpp6rgaiblf3lvjcm3ph2 A RRSIG");
	add_signed(&w, "nfqk2577e3tfpp6rgaiblf3lvjcm3ph2", "NSEC3",
	    "1 1 1 ab nuud44uuk2ltlrggrch98sr24aih2hb8 A RRSIG");
	add_signed(&w, "nuud44uuk2ltlrggrch98sr24aih2hb8", "NSEC3",
	    "1 1 1 ab 8j02ojknn7b34r2q5mofs70m50esmafk A RRSIG");
	zonekit_add(&kit, "n.test.", (const char *)w.base, w.len, 1);
	w.len = 0;
	wbuf_put(&w, plain, sizeof plain - 1);
	for (unsigned i = 0; i < 1500; i++)
		wbuf_put(&w, line,
		    (size_t)snprintf(line, sizeof line, "n%u.m%u TXT \"%060u\"\n", i, i % 9, i));
	zonekit_add(&kit, "t.test.", (const char *)w.base, w.len, 1);
	wbuf_free(&w);
	writer_cookie(kit.w, &(struct map_cookie){ .count = 2, .until = 1000 });
	snprintf(kit.conf.id, sizeof kit.conf.id, "fuzz");
	kit.conf.keepalive = 100;
	kit.conf.now_s = 1000;
	zonekit_publish(&kit);
}

static size_t
skip_name(const uint8_t *p, size_t len, size_t at)
{
	size_t before = at, total = 0, end = 0, cur = at;

	for (;;) {
		CHECK(cur < len);
		if (p[cur] >= 0xc0) {
			size_t to;

			CHECK(cur + 1 < len);
			to = (size_t)(p[cur] & 0x3f) << 8 | p[cur + 1];
			if (end == 0)
				end = cur + 2;
			CHECK(to < before && to >= 12);
			before = to;
			cur = to;
			continue;
		}
		CHECK(p[cur] < 64);
		total += p[cur] + 1u;
		CHECK(total <= 255);
		if (p[cur] == 0)
			return end != 0 ? end : cur + 1;
		cur += p[cur] + 1u;
	}
}

static void
check_message(const uint8_t *p, size_t len)
{
	size_t at = 12;
	unsigned records = 0;

	CHECK(len >= 12);
	if (get_u16(p + 4) == 1)
		at = skip_name(p, len, at) + 4;
	for (unsigned i = 6; i < 12; i += 2)
		records += get_u16(p + i);
	while (records-- > 0) {
		uint16_t type;

		at = skip_name(p, len, at);
		CHECK(at + 10 <= len);
		type = get_u16(p + at);
		if (type == 2 || type == 5)
			CHECK(skip_name(p, len, at + 10) == at + 10 + get_u16(p + at + 8));
		if (type == 15)
			CHECK(skip_name(p, len, at + 12) == at + 10 + get_u16(p + at + 8));
		at += 10u + get_u16(p + at + 8);
	}
	CHECK(at == len);
}

/* Name and type end where the first root label with two octets behind it does. */
static size_t
question_end(const uint8_t *p, size_t len)
{
	for (size_t i = 0; i + 3 <= len; i++)
		if (p[i] == 0)
			return i + 3;
	return len;
}

/* The class, and the OPT record. */
static void
put_tail(struct wbuf *w, uint8_t control, const uint8_t *options, size_t len)
{
	wbuf_u16(w, 1);
	if ((control & 44) == 0)
		return;
	wbuf_u8(w, 0);
	wbuf_u32(w, 0x002904d0);
	wbuf_u32(w, control & 8 ? 0x8000 : 0);
	wbuf_u16(w, control & 32 ? (uint16_t)len : 0);
	if ((control & 32) != 0)
		wbuf_put(w, options, len);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool started;
	uint8_t control = size > 0 ? data[0] : 0, *pkt, *out;
	size_t cap = control & 17 ? SERVE_TCP_MAX : SERVE_UDP_MAX;
	size_t split = size > 0 ? question_end(data + 1, size - 1) : 0;
	struct query q;
	struct wbuf w;

	if (!started)
		start();
	started = true;
	if (size < 1 || size > 600)
		return 0;
	pkt = malloc(size + 64);
	w = wbuf_init(pkt, size + 64);
	if (control & 2) {
		wbuf_u32(&w, 0x12340000);
		wbuf_u32(&w, 0x00010000);
		wbuf_u32(&w, control & 44 ? 1 : 0);
	}
	wbuf_put(&w, data + 1, control & 2 && control & 32 ? split : size - 1);
	if ((control & 2) != 0)
		put_tail(&w, control, data + 1 + split, size - 1 - split);
	out = malloc(cap);
	q = (struct query){ .pkt = pkt,
		.len = w.len,
		.out = out,
		.out_cap = cap,
		.transport = control & 16  ? SERVE_TLS
			     : control & 1 ? SERVE_TCP
					   : SERVE_UDP };
	memcpy(
	    &q.client, &(struct sockaddr_in){ .sin_family = AF_INET }, sizeof(struct sockaddr_in));
	serve_batch(&kit.conf, &kit.view, &q, 1);
	if (q.verdict == SERVE_REPLY) {
		CHECK(q.out_len <= cap && memcmp(out, pkt, 2) == 0 && (out[2] & 0x80) != 0);
		CHECK(control & 17 || q.out_len <= SERVE_UDP_MAX);
		check_message(out, q.out_len);
	}
	free(out);
	free(pkt);
	return 0;
}
