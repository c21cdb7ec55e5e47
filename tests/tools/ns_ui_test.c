/* ns_ui_test - a screen as text, without terminal, clock or appliance.
 *
 *   ns_ui_test SCREEN FIXTURE WxH MODE     MODE: utf8-colour utf8-mono ascii-colour ascii-mono
 *   ns_ui_test --storm SEED                random keys, sizes, lost links and fixtures
 *   ns_ui_test --relayout                  every screen at every size; fails when a cell is outside
 *
 * The client library is replaced by one that answers from FIXTURE (plain, empty, hostile), at once in the
 * next turn; clocks stand still.  Prints the text plane, a line ==roles==, and the plane of roles. */
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console/core/key.h"
#include "console/screens/ui.h"
#include "console/terminal/text.h"
#include "ipc/base/xalloc.h"

#define WALL_MS   1795356127000 /* 2026-11-22T14:02:07Z */
#define MONO_MS   1000000u
#define PENDING   16u
#define PAGE_TEST 40u
#define HOSTILE                                      \
	"\x1b]52;c;ZXZpbA==\x07\xe2\x80\xae\xc2\x9b" \
	"2Jevil\\000\xff"
#define STR(s) ((char *)(uintptr_t)(s))

/* ---- the client that is none ---- */
static struct {
	Ns__Envelope__BodyCase kind;
	ns_reply_fn *fn;
	void *arg;
	uint64_t id;
} pending[PENDING];
static uint64_t next_id;
static const char *fixture = "plain";
static bool link_lost;

uint64_t
ns_client_request(struct ns_client *c, Ns__Envelope *r, unsigned ms, ns_reply_fn *fn, void *arg)
{
	(void)c, (void)ms;
	for (unsigned i = 0; i < PENDING; i++)
		if (pending[i].fn == NULL) {
			pending[i].kind = r->body_case;
			pending[i].fn = fn;
			pending[i].arg = arg;
			return pending[i].id = ++next_id;
		}
	abort();
}

void
ns_client_cancel(struct ns_client *c, uint64_t id)
{
	(void)c;
	for (unsigned i = 0; i < PENDING; i++)
		if (pending[i].id == id)
			pending[i].fn = NULL;
}

const Ns__HelloReply *
ns_client_hello(const struct ns_client *c)
{
	static Ns__HelloReply h = NS__HELLO_REPLY__INIT;

	(void)c;
	h.user = STR("alice");
	h.user_role = STR("operator");
	return link_lost ? NULL : &h;
}

enum ns_err
ns_client_trouble(const struct ns_client *c, struct ns_why *why)
{
	(void)c;
	return link_lost ? ns_fail(why, NS_UNAVAILABLE, 9003, "the connection to /run/x was lost")
			 : NS_OK;
}

void
ns_client_retry(struct ns_client *c)
{
	(void)c;
}

void
ns_client_dispatch(struct ns_client *c, unsigned n)
{
	(void)c, (void)n;
}

int
ns_client_fd(struct ns_client *c)
{
	(void)c;
	return -1;
}

int
ns_client_timeout_ms(struct ns_client *c)
{
	(void)c;
	return -1;
}

/* ---- fixtures ---- */
static bool
is(const char *name)
{
	return strcmp(fixture, name) == 0;
}

#define LIST(type, init, name, n)               \
	static type name##_rows[n], *name[n];   \
	for (unsigned i_ = 0; i_ < (n); i_++) { \
		type fresh_ = init;             \
		name##_rows[i_] = fresh_;       \
		name[i_] = &name##_rows[i_];    \
	}

static void
fill_status(Ns__Envelope *e)
{
	static Ns__StatusReply s;
	static Ns__StatusReply__Problem p;
	static Ns__StatusReply__Problem *list[] = { &p };

	s = (Ns__StatusReply)NS__STATUS_REPLY__INIT;
	p = (Ns__StatusReply__Problem)NS__STATUS_REPLY__PROBLEM__INIT;
	s.name = STR("fra1-a");
	s.role = STR("primary");
	s.revision = 8841;
	s.zones = is("empty") ? 0 : 1204;
	p.code = STR("E2301");
	p.text = STR(is("hostile") ? HOSTILE : "no backup for 3 days: nameserve backup FILE");
	s.problems = list;
	s.n_problems = is("empty") ? 0 : 1;
	e->status_reply = &s;
	e->body_case = NS__ENVELOPE__BODY_STATUS_REPLY;
}

static void
fill_stats(Ns__Envelope *e)
{
	static Ns__StatsReply s;
	static Ns__StatsReply__Latency l;
	static uint64_t turn;
	static const char *const names[] = { "example.com.", "shop.example.", "api.example.net.",
		"xn--shp-tna.example.",
		"a-zone-with-a-name-that-is-longer-than-its-column.example." };
	static const char *const rcodes[] = { "NOERROR", "NXDOMAIN", "REFUSED", "SERVFAIL" };
	LIST(Ns__StatsReply__Top, NS__STATS_REPLY__TOP__INIT, top, 5)
	LIST(Ns__StatsReply__Rcode, NS__STATS_REPLY__RCODE__INIT, rc, 4)

	turn++;
	s = (Ns__StatsReply)NS__STATS_REPLY__INIT;
	l = (Ns__StatsReply__Latency)NS__STATS_REPLY__LATENCY__INIT;
	l.p50 = 80, l.p99 = 600 + 10 * (double)(turn % 7), l.p999 = 1900;
	s.latency_us = &l;
	s.qps = is("empty") ? 0 : 150000 + 11000 * (double)(turn % 9);
	s.queries = is("empty") ? 0 : 150000 * turn;
	s.udp = s.queries * 97 / 100;
	s.tcp = s.queries - s.udp;
	for (unsigned i = 0; i < 5; i++) {
		top[i]->name = STR(is("hostile") ? HOSTILE : names[i]);
		top[i]->qps = 21400.0 / (i + 1) + 500.0 * (double)(turn % (i + 3));
		top[i]->count = 100000;
		top[i]->errors = i == 2 ? 2400 : 0;
	}
	for (unsigned i = 0; i < 4; i++) {
		rc[i]->name = STR(rcodes[i]);
		rc[i]->count = i == 0 ? s.queries * 91 / 100 : s.queries / (i * i * 16);
	}
	s.top = top;
	s.n_top = is("empty") ? 0 : 5;
	s.rcodes = rc;
	s.n_rcodes = is("empty") ? 0 : 4;
	e->stats_reply = &s;
	e->body_case = NS__ENVELOPE__BODY_STATS_REPLY;
}

static void
fill_zones(Ns__Envelope *e)
{
	static Ns__ZoneListReply r;
	static char names[PAGE_TEST][64];
	LIST(Ns__ZoneInfo, NS__ZONE_INFO__INIT, zone, PAGE_TEST)

	r = (Ns__ZoneListReply)NS__ZONE_LIST_REPLY__INIT;
	for (unsigned i = 0; i < PAGE_TEST; i++) {
		snprintf(names[i], sizeof names[i], "shop-%03u.example.", i);
		zone[i]->name = is("hostile") ? STR(HOSTILE) : names[i];
		zone[i]->serial = 2026112200 + i;
		zone[i]->records = 10 * i * i;
		zone[i]->dnssec = STR(i % 3 ? "off" : "external");
		zone[i]->account = STR(i % 4 ? "" : "acme");
		zone[i]->changed =
		    STR(i % 2 ? "2026-11-22T13:40:00.000Z" : "2026-11-20T10:00:00.000Z");
	}
	r.zones = zone;
	r.n_zones = is("empty") ? 0 : PAGE_TEST;
	r.total = r.n_zones;
	e->zone_list_reply = &r;
	e->body_case = NS__ENVELOPE__BODY_ZONE_LIST_REPLY;
}

static void
fill_records(Ns__Envelope *e)
{
	static Ns__RecordListReply r;
	static char *data[6][2];
	static const char *const rows[][4] = { { "shop-000.example.", "SOA",
						   "ns1.nameserve.example. hostmaster.example.com. "
						   "2026112201 7200 3600 1209600 300",
						   NULL },
		{ "shop-000.example.", "NS", "ns1.nameserve.example.", "ns2.nameserve.example." },
		{ "shop-000.example.", "TXT", "\"v=spf1 include:_spf.example.com -all\"", NULL },
		{ "_sip._tcp.shop-000.example.", "SRV", "10 60 5060 sip1.example.com.", NULL },
		{ "www.shop-000.example.", "A", "192.0.2.80", "192.0.2.81" },
		{ "a-rather-long-name.of.several.labels.shop-000.example.", "HTTPS",
		    "1 . alpn=h2,h3 ipv4hint=192.0.2.40", NULL } };
	LIST(Ns__RecordListReply__RRset, NS__RECORD_LIST_REPLY__RRSET__INIT, set, 6)

	r = (Ns__RecordListReply)NS__RECORD_LIST_REPLY__INIT;
	for (unsigned i = 0; i < 6; i++) {
		data[i][0] = STR(is("hostile") ? HOSTILE : rows[i][2]);
		data[i][1] = STR(rows[i][3]);
		set[i]->name = STR(is("hostile") ? HOSTILE : rows[i][0]);
		set[i]->type = STR(rows[i][1]);
		set[i]->ttl = i % 2 ? 86400 : 300;
		set[i]->rdata = data[i];
		set[i]->n_rdata = rows[i][3] != NULL ? 2 : 1;
	}
	r.rrsets = set;
	r.n_rrsets = is("empty") ? 0 : 6;
	r.serial = 2026112201;
	e->record_list_reply = &r;
	e->body_case = NS__ENVELOPE__BODY_RECORD_LIST_REPLY;
}

static Ns__Change *
a_change(unsigned i)
{
	static Ns__Change changes[3];
	static char *zones[] = { STR("example.com."), STR("shop.example.") };
	static const char *const why[] = { "cut over api, backup mx", "renew acme txt", "" };
	Ns__Change *c = &changes[i];

	*c = (Ns__Change)NS__CHANGE__INIT;
	c->revision = 8841 - i;
	c->at = STR("2026-11-22T14:01:10.000Z");
	c->author = STR(is("hostile") ? HOSTILE : i == 1 ? "ci" : "alice");
	c->via = STR("cli");
	c->kind = STR(i == 2 ? "import" : "edit");
	c->comment = STR(is("hostile") ? HOSTILE : why[i]);
	c->zones = zones;
	c->n_zones = 2;
	c->zone_count = i == 2 ? 10000 : 1;
	c->added = i == 2 ? 110000 : 2;
	c->removed = i;
	return c;
}

static void
fill_history(Ns__Envelope *e)
{
	static Ns__HistoryListReply r;
	static Ns__Change *list[3];

	r = (Ns__HistoryListReply)NS__HISTORY_LIST_REPLY__INIT;
	for (unsigned i = 0; i < 3; i++)
		list[i] = a_change(i);
	r.changes = list;
	r.n_changes = is("empty") ? 0 : 3;
	e->history_list_reply = &r;
	e->body_case = NS__ENVELOPE__BODY_HISTORY_LIST_REPLY;
}

static void
fill_change(Ns__Envelope *e)
{
	static Ns__HistoryShowReply r;
	static Ns__HistoryShowReply__ZoneDiff d, *list[] = { &d };
	static char *removed[1], *added[2], *served[] = { STR("fra1-a") };

	r = (Ns__HistoryShowReply)NS__HISTORY_SHOW_REPLY__INIT;
	d = (Ns__HistoryShowReply__ZoneDiff)NS__HISTORY_SHOW_REPLY__ZONE_DIFF__INIT;
	removed[0] =
	    STR(is("hostile") ? HOSTILE : "api.example.com. 300 IN CNAME lb1.example.net.");
	added[0] = STR("api.example.com. 300 IN CNAME lb2.example.net.");
	added[1] = STR("example.com. 3600 IN MX 20 mx3.example.com.");
	d.zone = STR("example.com.");
	d.serial_before = 2026112201;
	d.serial_after = 2026112202;
	d.removed = removed, d.n_removed = 1;
	d.added = added, d.n_added = 2;
	r.change = a_change(0);
	r.diffs = list;
	r.n_diffs = is("empty") ? 0 : 1;
	r.served_by = served;
	r.n_served_by = 1;
	e->history_show_reply = &r;
	e->body_case = NS__ENVELOPE__BODY_HISTORY_SHOW_REPLY;
}

static const struct {
	Ns__Envelope__BodyCase kind;
	void (*fill)(Ns__Envelope *);
} answers[] = { { NS__ENVELOPE__BODY_STATUS_REQUEST, fill_status },
	{ NS__ENVELOPE__BODY_STATS_REQUEST, fill_stats },
	{ NS__ENVELOPE__BODY_ZONE_LIST_REQUEST, fill_zones },
	{ NS__ENVELOPE__BODY_RECORD_LIST_REQUEST, fill_records },
	{ NS__ENVELOPE__BODY_HISTORY_LIST_REQUEST, fill_history },
	{ NS__ENVELOPE__BODY_HISTORY_SHOW_REQUEST, fill_change } };

static void
answer_all(void)
{
	for (bool some = true; some;) {
		some = false;
		for (unsigned i = 0; i < PENDING; i++) {
			Ns__Envelope e = NS__ENVELOPE__INIT;
			ns_reply_fn *fn = pending[i].fn;

			if (fn == NULL)
				continue;
			pending[i].fn = NULL;
			if (link_lost) {
				struct ns_why why = { 0 };

				(void)ns_fail(&why, NS_UNAVAILABLE, 9003, "the link was lost");
				fn(pending[i].arg, NULL, &why);
				continue;
			}
			for (size_t k = 0; k < sizeof answers / sizeof *answers; k++)
				if (answers[k].kind == pending[i].kind)
					answers[k].fill(&e);
			fn(pending[i].arg, &e, NULL);
			some = true;
		}
	}
}

/* ---- screens, as keys lead to them ---- */
static const struct {
	const char *name, *keys;
	unsigned ticks;
} screens[] = { { "overview", "", 70 }, { "zones", "2jj", 1 }, { "filter", "2/shop", 1 },
	{ "records", "2\rj", 1 }, { "zone-history", "2\r]", 1 }, { "history", "6j", 1 },
	{ "change", "6\r", 1 }, { "help", "?", 1 }, { "help-zones", "2?", 1 },
	{ "messages", "++:messages\r", 1 }, { "lost", "2", 1 }, { "lost-overview", "", 30 } };
#define SCREENS (sizeof screens / sizeof *screens)

static struct ui *
reach(size_t screen, int w, int h, enum glyph_set glyphs)
{
	struct ui *ui = ui_new(NULL, w, h, glyphs);

	if (ui == NULL)
		exit(1);
	memset(pending, 0, sizeof pending);
	link_lost = false;
	ui_now(ui, MONO_MS, WALL_MS);
	ui_main(ui, &screen_overview);
	for (unsigned i = 0; i < screens[screen].ticks; i++) {
		ui_now(ui, MONO_MS + 1000 * i, WALL_MS);
		ui_tick(ui);
		answer_all();
	}
	for (const char *k = screens[screen].keys; *k != '\0'; k++) {
		ui_key(ui, (unsigned char)*k);
		answer_all();
	}
	if (strncmp(screens[screen].name, "lost", 4) == 0) {
		link_lost = true;
		ui_now(ui, ui->heard_ms + 42000, WALL_MS + 42000);
		ui_check_link(ui);
	}
	surface_clear(ui->surface);
	ui_draw(ui, ui->surface);
	return ui;
}

static void
relayout(void)
{
	static const char *const fixtures[] = { "plain", "empty", "hostile" };

	for (size_t f = 0; f < 3; f++)
		for (size_t i = 0; i < SCREENS; i++) {
			fixture = fixtures[f];
			struct ui *ui = reach(i, 80, 24, f == 1 ? GLYPH_ASCII : GLYPH_BLOCK);
			for (int w = 1; w <= 200; w += f == 0 ? 1 : 7)
				for (int h = 1; h <= 60; h += f == 0 ? 1 : 3) {
					surface_resize(ui->surface, w, h);
					ui_draw(ui, ui->surface);
					if (ui->surface->outside == 0)
						continue;
					printf("%s %s %dx%d: %llu cells outside\n", fixture,
					    screens[i].name, w, h,
					    (unsigned long long)ui->surface->outside);
					exit(1);
				}
			ui_destroy(&ui);
		}
	printf("%zu screens at 12000 sizes\n", SCREENS);
}

/* What a cat on the keyboard does, with answers that come late, in another order, or never. */
static void
storm(unsigned seed)
{
	static const char *const fixtures[] = { "plain", "empty", "hostile" };
	static const char keys[] = "jkgGhlq126?:/fr+-]H[\r\x1b\x07\x04\x15\t xo~^\x7f";
	struct ui *ui = reach(0, 80, 24, GLYPH_BLOCK);

	srand(seed);
	for (unsigned i = 0; i < 30000; i++) {
		int what = rand() % 100;

		ui_now(ui, MONO_MS + 10 * i, WALL_MS + 10 * i);
		fixture = fixtures[rand() % 3];
		if (what < 60)
			ui_key(ui, (unsigned char)keys[(size_t)rand() % (sizeof keys - 1)]);
		else if (what < 64)
			ui_key(ui, UIKEY_BASE + (uint32_t)rand() % 20);
		else if (what < 80)
			answer_all();
		else if (what < 90)
			ui_tick(ui);
		else if (what < 93)
			link_lost = !link_lost;
		else if (what < 96)
			surface_resize(ui->surface, 1 + rand() % 200, 1 + rand() % 60);
		ui_check_link(ui);
		surface_clear(ui->surface);
		ui_draw(ui, ui->surface);
		if (ui->surface->outside > 0 || ui->n_views == 0) {
			printf("seed %u, step %u: cells outside, or no screen\n", seed, i);
			exit(1);
		}
	}
	ui_destroy(&ui);
	printf("storm %u passed\n", seed);
}

int
main(int argc, char **argv)
{
	int w, h;
	size_t i = 0;

	setlocale(LC_ALL, "C.UTF-8");
	if (argc == 2 && strcmp(argv[1], "--relayout") == 0) {
		relayout();
		return 0;
	}
	if (argc == 3 && strcmp(argv[1], "--storm") == 0) {
		storm((unsigned)atoi(argv[2]));
		return 0;
	}
	while (argc == 5 && i < SCREENS && strcmp(argv[1], screens[i].name) != 0)
		i++;
	if (argc != 5 || i == SCREENS || sscanf(argv[3], "%dx%d", &w, &h) != 2) {
		fputs("usage: ns_ui_test SCREEN FIXTURE WxH MODE\n", stderr);
		return 2;
	}
	fixture = argv[2];
	struct ui *ui =
	    reach(i, w, h, strncmp(argv[4], "ascii", 5) == 0 ? GLYPH_ASCII : GLYPH_BLOCK);
	text_print(stdout, ui->surface);
	puts("==roles==");
	text_print_roles(stdout, ui->surface, strstr(argv[4], "mono") == NULL);
	ui_destroy(&ui);
	return 0;
}
