/* ui_fixture.c - see ui_fixture.h. */
#include "tests/lib/ui_fixture_int.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define PAGE_TEST 40u
const char *fixture = "plain";
bool fixture_with_policies;
static const char *asked = "", *asked_type = "";

bool
fixture_is(const char *name)
{
	return strcmp(fixture, name) == 0;
}
#define is fixture_is

static void
fill_status(Ns__Envelope *e)
{
	static Ns__StatusReply s;
	static Ns__StatusReply__Problem p;
	static Ns__StatusReply__Zone z;
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
	z = (Ns__StatusReply__Zone)NS__STATUS_REPLY__ZONE__INIT;
	z.name = STR(asked);
	z.qps = is("empty") ? 0 : 21400;
	s.zone = asked[0] != '\0' ? &z : NULL;
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

	turn += !is("empty");
	s = (Ns__StatsReply)NS__STATS_REPLY__INIT;
	l = (Ns__StatsReply__Latency)NS__STATS_REPLY__LATENCY__INIT;
	l.p50 = 80, l.p99 = 600 + 10 * (double)(turn % 7), l.p999 = 1900;
	s.latency_us = &l;
	s.qps = is("empty") ? 0 : 150000 + 11000 * (double)(turn % 9);
	s.queries = is("empty") ? 0 : 150000 * turn;
	s.udp = s.queries * 97 / 100;
	s.tcp = s.queries - s.udp;
	s.tls = s.tcp / 3;
	for (unsigned i = 0; i < 5; i++) {
		top[i]->name = STR(is("hostile") ? HOSTILE : names[i]);
		top[i]->qps = 21400.0 / (i + 1) + 500.0 * (double)(turn % (i + 3));
		top[i]->count = 100000;
		top[i]->errors = i == 2 ? 2400 : 0;
		top[i]->nxdomain = i == 2 ? 61000 : 1200 / (i + 1);
	}
	for (unsigned i = 0; i < 4; i++) {
		rc[i]->name = STR(rcodes[i]);
		rc[i]->count = i == 0 ? s.queries * 91 / 100 : s.queries / (i * i * 16);
	}
	s.top = top;
	s.n_top = is("empty") ? 0 : 5;
	s.rcodes = rc;
	s.n_rcodes = is("empty") ? 0 : 4;
	fixture_figures(&s, asked, strchr(asked, ' ') != NULL ? strchr(asked, ' ') + 1 : "");
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
		zone[i]->records = 20 * i * i;
		zone[i]->rrsets = 10 * i * i;
		zone[i]->qps = i == 5 ? (double)NAN : i % 4 == 3 ? 0 : 18000.0 / (1 + 7 * i);
		zone[i]->nx_percent = i == 1 ? 88.4 : i % 5 * 1.2;
		zone[i]->past = i % 6 == 4 ? NULL : fixture_minutes(i);
		zone[i]->n_past = zone[i]->past != NULL ? 10 : 0;
		zone[i]->changed_by = STR(is("hostile") ? HOSTILE : i % 2 ? "ci" : "alice");
		zone[i]->dnssec = STR(i % 3 == 1 ? "off" : i % 3 == 2 ? "on" : "external");
		zone[i]->dnssec_trouble = STR(i == 2   ? "ds"
					      : i == 3 ? "expired"
					      : i == 6 ? "expires"
					      : i == 8 ? "leaving"
						       : "");
		zone[i]->health = STR(i == 1 ? "crit" : i == 4 ? "warn" : i % 2 ? "ok" : "none");
		zone[i]->account = STR(i % 4 ? "" : "acme");
		zone[i]->changed =
		    STR(i % 2 ? "2026-11-22T13:40:00.000Z" : "2026-11-20T10:00:00.000Z");
	}
	r.zones = zone;
	for (unsigned i = 0; i < PAGE_TEST && !is("empty"); i++)
		if (is("hostile") || strchr(asked, ':') != NULL ||
		    strstr(names[i], asked + (asked[0] == '^')) != NULL)
			zone[r.n_zones++] = zone[i];
	r.total = r.n_zones;
	e->zone_list_reply = &r;
	e->body_case = NS__ENVELOPE__BODY_ZONE_LIST_REPLY;
}

#define POLICY                                                                                     \
	"A "                                                                                       \
	"{\"ttl\":60,\"root\":{\"use\":\"geo\",\"rules\":[{\"match\":[\"continent:EU\",\"country:" \
	"GB\"],"                                                                                   \
	"\"then\":{\"use\":\"failover\",\"order\":[{\"pool\":\"eu\"},{\"pool\":\"us\"}]}},{"       \
	"\"match\":"                                                                               \
	"[\"continent:AS\"],\"then\":{\"use\":\"latency\",\"branches\":[{\"then\":{\"pool\":"      \
	"\"sin\"}},"                                                                               \
	"{\"then\":{\"pool\":\"us\"}}]}}],\"default\":{\"pool\":\"us\"}},\"pools\":{\"eu\":{"      \
	"\"serve\":"                                                                               \
	"\"one\",\"answers\":[{\"value\":\"192.0.2.20\",\"weight\":70,\"check\":\"eu-web-1\"},{"   \
	"\"value\":"                                                                               \
	"\"192.0.2.30\",\"weight\":30,\"check\":\"eu-web-3\"},{\"value\":\"192.0.2.21\","          \
	"\"weight\":0,"                                                                            \
	"\"check\":\"eu-web-2\"},{\"value\":\"192.0.2.22\",\"weight\":10,\"drain\":true}]},"       \
	"\"us\":{"                                                                                 \
	"\"answers\":[{\"value\":\"198.51.100.1\",\"check\":\"us-1\"},{\"value\":\"198.51.100."    \
	"2\"}]},"                                                                                  \
	"\"sin\":{\"when_down\":{\"pool\":\"sorry\"},\"answers\":[{\"value\":\"203.0.113.7\","     \
	"\"check\":"                                                                               \
	"\"ap-web-1\"}]},\"sorry\":{\"answers\":[{\"value\":\"203.0.113.99\"}]}}}"
#define CANARY                                                                             \
	"AAAA "                                                                            \
	"{\"ttl\":30,\"root\":{\"pool\":\"main\"},\"pools\":{\"main\":{\"serve\":\"one\"," \
	"\"answers\":"                                                                     \
	"[{\"value\":\"2001:db8::1\",\"weight\":9},{\"value\":\"2001:db8::2\"}]}}}"

static void
fill_policies(Ns__Envelope *e)
{
	static Ns__RecordListReply r;
	static char *data[2];
	LIST(Ns__RecordListReply__RRset, NS__RECORD_LIST_REPLY__RRSET__INIT, set, 2)

	r = (Ns__RecordListReply)NS__RECORD_LIST_REPLY__INIT;
	data[0] = STR(is("hostile") ? "A {\"root\":{\"pool\":\"" HOSTILE "\"}}" : POLICY);
	data[1] = STR(CANARY);
	set[0]->name = STR("www.shop-000.example.");
	set[1]->name = STR("canary.shop-000.example.");
	for (unsigned i = 0; i < 2; i++) {
		set[i]->type = STR("NSPOLICY");
		set[i]->rdata = &data[i];
		set[i]->n_rdata = 1;
	}
	r.rrsets = set;
	r.n_rrsets = is("empty") ? 0 : 2;
	r.serial = 2026112201;
	e->record_list_reply = &r;
	e->body_case = NS__ENVELOPE__BODY_RECORD_LIST_REPLY;
}

static void
fill_done(Ns__Envelope *e)
{
	static Ns__Done d;

	d = (Ns__Done)NS__DONE__INIT;
	e->done = &d;
	e->body_case = NS__ENVELOPE__BODY_DONE;
}

static void
fill_object(Ns__Envelope *e)
{
	static Ns__ObjectReply o;

	o = (Ns__ObjectReply)NS__OBJECT_REPLY__INIT;
	o.revision = 8842;
	e->object_reply = &o;
	e->body_case = NS__ENVELOPE__BODY_OBJECT_REPLY;
}

static void
fill_zone(Ns__Envelope *e)
{
	static Ns__ZoneInfo z;
	static char *sites[] = { STR("fra1"), STR("ams1") };

	z = (Ns__ZoneInfo)NS__ZONE_INFO__INIT;
	z.name = STR("shop-000.example.");
	z.serial = 2026112201;
	z.records = 428;
	z.dnssec = STR(is("empty") ? "off" : "on");
	z.dnssec_trouble = STR(is("hostile") ? HOSTILE : "");
	z.account = STR(is("hostile") ? HOSTILE : "acme");
	z.changed = STR("2026-11-22T13:40:00.000Z");
	z.sites = sites;
	z.n_sites = is("empty") ? 0 : 2;
	e->zone_info = &z;
	e->body_case = NS__ENVELOPE__BODY_ZONE_INFO;
}

static void
fill_settings(Ns__Envelope *e)
{
	static Ns__SettingsReply r;
	static char *ns[] = { STR("ns1.nameserve.example."), STR("ns2.nameserve.example.") };
	LIST(Ns__Setting, NS__SETTING__INIT, one, 1)

	r = (Ns__SettingsReply)NS__SETTINGS_REPLY__INIT;
	one[0]->name = STR("nameservers");
	one[0]->values = ns;
	one[0]->n_values = 2;
	r.settings = one;
	r.n_settings = is("empty") ? 0 : 1;
	e->settings_reply = &r;
	e->body_case = NS__ENVELOPE__BODY_SETTINGS_REPLY;
}

static void
fill_parent(Ns__Envelope *e)
{
	static Ns__ZoneCheckReply r;
	static char *todo[] = { STR("tell the registrar ns2.nameserve.example.") };

	r = (Ns__ZoneCheckReply)NS__ZONE_CHECK_REPLY__INIT;
	r.delegated = STR("partly");
	r.ds = STR("none");
	r.todo = todo;
	r.n_todo = is("empty") ? 0 : 1;
	e->zone_check_reply = &r;
	e->body_case = NS__ENVELOPE__BODY_ZONE_CHECK_REPLY;
}

/* One check as it is, or all of them. */
static void
fill_checks(Ns__Envelope *e)
{
	static const char *const rows[][2] = { { "ap-web-1", "up" }, { "eu-web-1", "up" },
		{ "eu-web-2", "down" }, { "eu-web-3", "up" }, { "us-1", "unknown" } };
	LIST(Ns__CheckInfo, NS__CHECK_INFO__INIT, check, 5)

	fixture_checks(e);
	if (asked[0] != '\0' || is("empty"))
		return;
	for (unsigned i = 0; i < 5; i++) {
		check[i]->name = STR(is("hostile") && i == 2 ? HOSTILE : rows[i][0]);
		check[i]->state = STR(rows[i][1]);
	}
	e->check_list_reply->checks = check;
	e->check_list_reply->n_checks = e->check_list_reply->total = 5;
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

	if (strcmp(asked_type, "NSPOLICY") == 0 || fixture_with_policies) {
		fill_policies(e);
		return;
	}
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
	for (unsigned i = 0; asked[0] != '\0' && i < r.n_rrsets; i++)
		if (strcmp(set[i]->name, asked) == 0) {
			r.rrsets = &set[i];
			r.n_rrsets = 1;
		}
	r.serial = 2026112201;
	e->record_list_reply = &r;
	e->body_case = NS__ENVELOPE__BODY_RECORD_LIST_REPLY;
}

static Ns__Change *
a_change(unsigned i)
{
	static Ns__Change__RRsets rrsets[3];
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
	c->serial = i == 2 ? 0 : 2026112202 - i;
	ns__change__rrsets__init(&rrsets[i]);
	rrsets[i].added = i + 1;
	rrsets[i].changed = 1 + i;
	c->rrsets = i == 2 ? NULL : &rrsets[i];
	return c;
}

static void
fill_history(Ns__Envelope *e)
{
	static Ns__HistoryListReply r;
	static Ns__Change *list[4], probe;

	r = (Ns__HistoryListReply)NS__HISTORY_LIST_REPLY__INIT;
	for (unsigned i = 0; i < 3; i++)
		list[i] = a_change(i);
	probe = *list[1];
	probe.revision = 8838;
	probe.kind = STR("check");
	probe.object = STR(is("hostile") ? HOSTILE : "eu-web-2");
	probe.comment = STR("");
	probe.n_zones = probe.zone_count = probe.added = probe.removed = probe.serial = 0;
	probe.rrsets = NULL;
	list[3] = &probe;
	r.changes = list;
	r.n_changes = is("empty") ? 0 : 4;
	if (strcmp(asked, "who:ci") == 0) { /* nothing was found so far */
		r.n_changes = 0;
		r.next = STR("8841");
	} else if (strcmp(asked, "who:ci8841") == 0) {
		list[0] = list[1];
		list[1] = &probe;
		r.n_changes = 2;
	}
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

static void
fill_commit(Ns__Envelope *e)
{
	static Ns__CommitReply r;
	static Ns__CommitReply__Receipt here, *served[] = { &here };

	r = (Ns__CommitReply)NS__COMMIT_REPLY__INIT;
	here = (Ns__CommitReply__Receipt)NS__COMMIT_REPLY__RECEIPT__INIT;
	here.appliance = STR("fra1-a");
	here.ms = 12.5;
	r.revision = 8842;
	r.serial = 2026112202;
	r.served = served;
	r.n_served = 1;
	e->commit_reply = &r;
	e->body_case = NS__ENVELOPE__BODY_COMMIT_REPLY;
}

/* Operations that take a change back. */
static void
fill_inverse(Ns__Envelope *e)
{
	static Ns__CommitReply r;
	static Ns__ZoneEdit edit, *edits[] = { &edit };
	static Ns__RecordOp op, *ops[] = { &op };

	r = (Ns__CommitReply)NS__COMMIT_REPLY__INIT;
	edit = (Ns__ZoneEdit)NS__ZONE_EDIT__INIT;
	op = (Ns__RecordOp)NS__RECORD_OP__INIT;
	op.kind = NS__RECORD_OP__KIND__DEL;
	op.name = STR("www.shop-000.example.");
	op.type = STR("A");
	edit.zone = STR("shop-000.example.");
	edit.base_version = 8841;
	edit.ops = ops, edit.n_ops = 1;
	r.drafts = edits;
	r.n_drafts = is("empty") ? 0 : 1;
	e->commit_reply = &r;
	e->body_case = NS__ENVELOPE__BODY_COMMIT_REPLY;
}

static void
fill_trash(Ns__Envelope *e)
{
	static Ns__TrashListReply r;
	static Ns__TrashListReply__Item i, *items[] = { &i };

	r = (Ns__TrashListReply)NS__TRASH_LIST_REPLY__INIT;
	i = (Ns__TrashListReply__Item)NS__TRASH_LIST_REPLY__ITEM__INIT;
	i.zone = STR(is("hostile") ? HOSTILE : "old-shop.example.");
	i.records = 214;
	i.deleted = STR("2026-11-20T10:00:00.000Z");
	i.until = STR("2026-12-20T10:00:00.000Z");
	i.author = STR("bob");
	r.items = items;
	r.n_items = is("empty") ? 0 : 1;
	e->trash_list_reply = &r;
	e->body_case = NS__ENVELOPE__BODY_TRASH_LIST_REPLY;
}

/* In one zone somebody is at work. */
static void
fill_presence(Ns__Envelope *e)
{
	static Ns__PresenceReply r;
	static Ns__PresenceReply__Editor bob, *editors[] = { &bob };

	r = (Ns__PresenceReply)NS__PRESENCE_REPLY__INIT;
	bob = (Ns__PresenceReply__Editor)NS__PRESENCE_REPLY__EDITOR__INIT;
	bob.name = STR(is("hostile") ? HOSTILE : "bob");
	bob.appliance = STR(is("hostile") ? HOSTILE : "fra1-a");
	bob.for_s = 130;
	r.editors = editors;
	r.n_editors = strcmp(asked, "shop-003.example.") == 0 || is("hostile");
	e->presence_reply = &r;
	e->body_case = NS__ENVELOPE__BODY_PRESENCE_REPLY;
}

static const struct {
	Ns__Envelope__BodyCase kind;
	void (*fill)(Ns__Envelope *);
} answers[] = { { NS__ENVELOPE__BODY_STATUS_REQUEST, fill_status },
	{ NS__ENVELOPE__BODY_PRESENCE_REQUEST, fill_presence },
	{ NS__ENVELOPE__BODY_STATS_REQUEST, fill_stats },
	{ NS__ENVELOPE__BODY_ZONE_LIST_REQUEST, fill_zones },
	{ NS__ENVELOPE__BODY_RECORD_LIST_REQUEST, fill_records },
	{ NS__ENVELOPE__BODY_CHECK_LIST_REQUEST, fill_checks },
	{ NS__ENVELOPE__BODY_CHECK_PLAN_REQUEST, fill_done },
	{ NS__ENVELOPE__BODY_ZONE_SHOW_REQUEST, fill_zone },
	{ NS__ENVELOPE__BODY_SETTINGS_GET_REQUEST, fill_settings },
	{ NS__ENVELOPE__BODY_SETTINGS_SET_REQUEST, fill_settings },
	{ NS__ENVELOPE__BODY_ZONE_CHECK_REQUEST, fill_parent },
	{ NS__ENVELOPE__BODY_ZONE_SET_REQUEST, fill_commit },
	{ NS__ENVELOPE__BODY_ZONE_DELETE_REQUEST, fill_commit },
	{ NS__ENVELOPE__BODY_CHECK_SET_REQUEST, fill_object },
	{ NS__ENVELOPE__BODY_HISTORY_LIST_REQUEST, fill_history },
	{ NS__ENVELOPE__BODY_HISTORY_SHOW_REQUEST, fill_change },
	{ NS__ENVELOPE__BODY_TRASH_LIST_REQUEST, fill_trash },
	{ NS__ENVELOPE__BODY_HEALTH_LIST_REQUEST, fixture_health },
	{ NS__ENVELOPE__BODY_CHECK_PROBE_REQUEST, fixture_look },
	{ NS__ENVELOPE__BODY_CHECK_STATE_REQUEST, fixture_object },
	{ NS__ENVELOPE__BODY_FLEET_LIST_REQUEST, fixture_fleet },
	{ NS__ENVELOPE__BODY_FLEET_DRAIN_REQUEST, fixture_drain },
	{ NS__ENVELOPE__BODY_DNSSEC_SHOW_REQUEST, fixture_dnssec },
	{ NS__ENVELOPE__BODY_DNSSEC_SET_REQUEST, fill_commit },
	{ NS__ENVELOPE__BODY_PLAN_REQUEST, fixture_plan },
	{ NS__ENVELOPE__BODY_COMMIT_REQUEST, fill_commit },
	{ NS__ENVELOPE__BODY_CONFIRM_REQUEST, fill_commit },
	{ NS__ENVELOPE__BODY_ZONE_RESTORE_REQUEST, fill_commit },
	{ NS__ENVELOPE__BODY_REVERT_REQUEST, fill_inverse },
	{ NS__ENVELOPE__BODY_REWIND_REQUEST, fill_inverse } };

void
fixture_answer(Ns__Envelope__BodyCase kind, const char *name, const char *type, Ns__Envelope *reply)
{
	asked = name;
	asked_type = type;
	if (fixture_live(kind, reply) || fixture_text(kind, reply))
		return;
	for (size_t k = 0; k < sizeof answers / sizeof *answers; k++)
		if (answers[k].kind == kind)
			answers[k].fill(reply);
}
