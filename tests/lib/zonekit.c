/* zonekit - see zonekit.h. */
#include "tests/lib/zonekit.h"

#include <assert.h>
#include <ldns/ldns.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "appliance/dns/zonetext.h"
#include "ipc/base/xalloc.h"

static void
die(const char *what, const struct ns_why *why)
{
	fprintf(stderr, "zonekit: %s: %s line %u %s %s\n", what, why->text, why->line, why->owner,
	    why->type);
	abort();
}

void
zonekit_init(struct zonekit *k, uint64_t limit)
{
	struct ns_why why = { 0 };

	*k = (struct zonekit){ .conf = { .version = "test", .id = "kit" } };
	k->page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert(k->page != MAP_FAILED);
	k->fd = memfd_create("kit", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	assert(k->fd >= 0 && ftruncate(k->fd, MAP_PAGE) == 0);
	if (writer_open(k->fd, limit, 1, &k->page, 1, &k->w, &why) != NS_OK)
		die("writer", &why);
}

void
zonekit_fini(struct zonekit *k)
{
	if (k->inside)
		map_leave(k->page);
	writer_close(&k->w);
	munmap(k->page, 4096);
	close(k->fd);
}

const uint8_t *
zonekit_name(const char *text, uint8_t out[255])
{
	struct ns_why why = { 0 };
	size_t len;

	if (name_from_text(text, (const uint8_t *)"", out, &len, &why) != NS_OK)
		die(text, &why);
	return out;
}

struct wbuf
zonekit_zwire(const char *origin, const char *text, size_t len)
{
	struct wbuf out = wbuf_grow(SIZE_MAX / 2);
	struct rrpile *pile = rrpile_new();
	struct ns_why why = { 0 };
	uint8_t apex[255];
	uint64_t records;
	struct zonetext *t;

	name_lower(apex, zonekit_name(origin, apex), 255);
	t = zonetext_new(apex, pile);
	if (zonetext_feed(t, text, len, &why) != NS_OK || zonetext_end(t, &why) != NS_OK)
		die(origin, &why);
	zonetext_destroy(&t);
	if (rrpile_to_zwire(pile, &out, &records, &why) != NS_OK)
		die(origin, &why);
	rrpile_destroy(&pile);
	return out;
}

struct wbuf
zonekit_read(const char *path)
{
	struct wbuf out = wbuf_grow(SIZE_MAX / 2);
	FILE *f = fopen(path, "r");
	char piece[65536];
	size_t n;

	if (f == NULL) {
		perror(path);
		abort();
	}
	while ((n = fread(piece, 1, sizeof piece, f)) > 0)
		wbuf_put(&out, piece, n);
	fclose(f);
	return out;
}

map_off
zonekit_put(struct zonekit *k, const char *origin, const void *zwire, size_t len, uint32_t account)
{
	const struct image_meta meta = { .version = k->revision + 1, .account = account };
	struct image_builder *b;
	struct ns_why why = { 0 };
	uint8_t apex[255];
	map_off off = 0, old;

	name_lower(apex, zonekit_name(origin, apex), 255);
	b = image_builder_new(k->w, apex, &meta);
	if (image_builder_add(b, zwire, len, &why) != NS_OK ||
	    image_builder_end(&b, &off, &why) != NS_OK)
		die(origin, &why);
	old = writer_zone_find(k->w, apex);
	if (writer_zone_put(k->w, apex, off) != NS_OK)
		die(origin, &why);
	if (old != 0)
		image_retire(k->w, old);
	return off;
}

void
zonekit_add(struct zonekit *k, const char *origin, const char *text, size_t len, uint32_t account)
{
	struct wbuf zwire = zonekit_zwire(origin, text, len);

	zonekit_put(k, origin, zwire.base, zwire.len, account);
	wbuf_free(&zwire);
}

void
zonekit_publish(struct zonekit *k)
{
	struct ns_why why = { 0 };

	if (k->inside)
		map_leave(k->page);
	if (writer_publish(k->w, ++k->revision, &why) != NS_OK)
		die("publish", &why);
	k->inside = map_enter(writer_map(k->w), k->page, &k->view);
	assert(k->inside);
}

size_t
zonekit_question(const char *name, uint16_t type, const char *flags, uint8_t out[512])
{
	struct wbuf w = wbuf_init(out, 512);
	uint8_t wire[255];
	bool dnssec = strchr(flags, 'd') != NULL, edns = dnssec || strchr(flags, 'e') != NULL;

	zonekit_name(name, wire);
	wbuf_u16(&w, 0x1234);
	wbuf_u8(&w, strchr(flags, 'r') != NULL ? 1 : 0);
	wbuf_u8(&w, strchr(flags, 'c') != NULL ? 0x10 : 0);
	wbuf_u16(&w, 1);
	wbuf_u32(&w, 0);
	wbuf_u16(&w, edns ? 1 : 0);
	wbuf_put(&w, wire, name_len(wire));
	wbuf_u16(&w, type);
	wbuf_u16(&w, 1);
	if (edns) {
		wbuf_u8(&w, 0);
		wbuf_u16(&w, 41);
		wbuf_u16(&w, strchr(flags, 's') != NULL ? 512 : 4096);
		wbuf_u16(&w, 0);
		wbuf_u16(&w, dnssec ? 0x8000 : 0);
		wbuf_u16(&w, 0);
	}
	return w.len;
}

size_t
zonekit_ask(struct zonekit *k, const uint8_t *pkt, size_t len, bool tcp, uint8_t *out)
{
	struct query q = { .pkt = pkt,
		.len = len,
		.out = out,
		.out_cap = SERVE_TCP_MAX,
		.transport = tcp ? SERVE_TCP : SERVE_UDP };

	serve_batch(&k->conf, &k->view, &q, 1);
	return q.verdict == SERVE_REPLY ? q.out_len : 0;
}

static int
line_cmp(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void
put_section(FILE *f, const char *title, ldns_rr_list *list)
{
	size_t n = ldns_rr_list_rr_count(list);
	char **lines = xcalloc(n + 1, sizeof *lines);

	for (size_t i = 0; i < n; i++) {
		lines[i] = ldns_rr2str(ldns_rr_list_rr(list, i));
		for (char *c = lines[i]; *c != '\0'; c++)
			*c = *c == '\t' ? ' ' : *c;
	}
	qsort(lines, n, sizeof *lines, line_cmp);
	for (size_t i = 0; i < n; i++) {
		fprintf(f, "%s %s", title, lines[i]);
		free(lines[i]);
	}
	free(lines);
}

char *
zonekit_text(const uint8_t *reply, size_t len)
{
	ldns_pkt *pkt;
	char *text = NULL;
	size_t size;
	FILE *f;

	if (ldns_wire2pkt(&pkt, reply, len) != LDNS_STATUS_OK)
		return NULL;
	f = open_memstream(&text, &size);
	assert(f != NULL);
	fprintf(f, "%u%s%s%s\n", ldns_pkt_get_rcode(pkt), ldns_pkt_aa(pkt) ? " aa" : "",
	    ldns_pkt_tc(pkt) ? " tc" : "", ldns_pkt_rd(pkt) ? " rd" : "");
	put_section(f, "AN", ldns_pkt_answer(pkt));
	put_section(f, "NS", ldns_pkt_authority(pkt));
	put_section(f, "AR", ldns_pkt_additional(pkt));
	fclose(f);
	ldns_pkt_free(pkt);
	return text;
}
