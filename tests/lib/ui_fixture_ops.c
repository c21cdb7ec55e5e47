/* ui_fixture_ops.c - checks, appliances and keys of the fixtures; see ui_fixture.h. */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "tests/lib/ui_fixture_int.h"

#define POPS 8u

static char *const pops[POPS] = { STR("ams1-a"), STR("ams1-b"), STR("fra1-a"), STR("fra1-b"),
	STR("gru1-a"), STR("iad1-a"), STR("sin1-a"), STR("syd1-b") };
static char *const sites[POPS] = { STR("ams1"), STR("ams1"), STR("fra1"), STR("fra1"), STR("gru1"),
	STR("iad1"), STR("sin1"), STR("syd1") };

void
fixture_health(Ns__Envelope *e)
{
	static Ns__HealthListReply r;
	static const struct {
		const char *name, *type, *target, *level, *since, *note, *reason;
		unsigned up;
		uint32_t rtt;
	} rows[] = {
		{ "eu-web-2", "https", "192.0.2.21:443/hz", "crit", "2026-11-22T13:41:20.000Z", "",
		    "5 of 8: no answer in time", 3, 0 },
		{ "ap-web-1", "tcp", "198.51.100.7:443", "warn", "2026-11-22T14:00:10.000Z", "",
		    "7 of 8: connected", 7, 61000 },
		{ "maintenance", "tcp", "198.51.100.9:443", "warn", "2026-11-22T12:00:00.000Z",
		    "forced down", "override", 8, 900 },
		{ "any-eu", "calculated", "1 of 2 checks", "none", "", "", "nothing yet", 0, 0 },
		{ "eu-web-1", "https", "[2001:db8:1::20]:443/hz", "ok", "2026-11-19T10:00:00.000Z",
		    "", "8 of 8: status 200", 8, 12400 },
	};
	static uint32_t looks[] = { 9000, 9100, 10000, 13000, 21000, 0, 0, 0, 12000, 0 };
	LIST(Ns__HealthListReply__Row, NS__HEALTH_LIST_REPLY__ROW__INIT, row, 5)

	r = (Ns__HealthListReply)NS__HEALTH_LIST_REPLY__INIT;
	for (unsigned i = 0; i < 5; i++) {
		row[i]->name = STR(fixture_is("hostile") ? HOSTILE : rows[i].name);
		row[i]->type = STR(rows[i].type);
		row[i]->target = STR(fixture_is("hostile") ? HOSTILE : rows[i].target);
		row[i]->level = STR(rows[i].level);
		row[i]->since = STR(rows[i].since);
		row[i]->note = STR(rows[i].note);
		row[i]->reason = STR(fixture_is("hostile") ? HOSTILE : rows[i].reason);
		row[i]->up = rows[i].up;
		row[i]->assigned = i == 3 ? 0 : 8;
		row[i]->rtt_us = rows[i].rtt;
		row[i]->looks = looks;
		row[i]->n_looks = i == 3 ? 0 : 10 - i;
	}
	r.rows = row;
	r.n_rows = r.total = fixture_is("empty") ? 0 : 5;
	r.crit = 1, r.warn = 2, r.ok = 81, r.none = 1;
	e->health_list_reply = &r;
	e->body_case = NS__ENVELOPE__BODY_HEALTH_LIST_REPLY;
}

static void
fill_votes(Ns__CheckInfo *c)
{
	static const char *const states[POPS] = { "up", "up", "down", "down", "unknown", "up",
		"down", "abstain" };
	static const char *const reasons[POPS] = { "status 200", "status 200", "no answer in time",
		"no answer in time", "nothing was heard of it", "status 200", "status 503, not 200",
		"no control target is reached from here" };
	LIST(Ns__CheckInfo__Vote, NS__CHECK_INFO__VOTE__INIT, vote, POPS)

	for (unsigned i = 0; i < POPS; i++) {
		vote[i]->appliance = STR(fixture_is("hostile") ? HOSTILE : pops[i]);
		vote[i]->site = STR(fixture_is("hostile") ? HOSTILE : sites[i]);
		vote[i]->state = STR(states[i]);
		vote[i]->reason = STR(fixture_is("hostile") ? HOSTILE : reasons[i]);
		vote[i]->rtt_ms = 11.2 * (i + 1);
		vote[i]->age_s = 3 * i;
		vote[i]->heard_s = i == 2 ? 0 : 1 + i;
	}
	c->votes = vote;
	c->n_votes = POPS;
}

void
fixture_checks(Ns__Envelope *e)
{
	static Ns__CheckListReply r;
	static Ns__CheckInfo c, *list[] = { &c };
	static Ns__Check def;
	static uint32_t looks[] = { 9000, 9100, 10000, 13000, 21000, 0, 0, 0, 0, 0, 0, 0, 0 };
	static char *used[] = { STR("www.example.com."), STR("img.example.com."),
		STR("api.example.com.") };
	LIST(Ns__CheckInfo__Flip, NS__CHECK_INFO__FLIP__INIT, flip, 3)

	r = (Ns__CheckListReply)NS__CHECK_LIST_REPLY__INIT;
	c = (Ns__CheckInfo)NS__CHECK_INFO__INIT;
	def = (Ns__Check)NS__CHECK__INIT;
	for (unsigned i = 0; i < 3; i++) {
		flip[i]->at = STR(i == 0   ? "2026-11-22T13:41:20.000Z"
				  : i == 1 ? "2026-11-22T13:12:02.000Z"
					   : "2026-11-20T10:00:00.000Z");
		flip[i]->state = STR(i % 2 ? "up" : "down");
		flip[i]->reason =
		    STR(fixture_is("hostile") ? HOSTILE : "5 of 8: no answer in time");
		flip[i]->check = STR("eu-web-2");
	}
	c.name = STR(fixture_is("hostile") ? HOSTILE : "eu-web-2");
	c.state = STR("down");
	c.since = STR("2026-11-22T13:41:20.000Z");
	c.type = STR("https");
	c.target = STR("192.0.2.21");
	c.reason = STR(fixture_is("hostile") ? HOSTILE : "5 of 8: no answer in time");
	def.port = 443, def.interval = 10, def.timeout = 3;
	def.path = STR("/hz"), def.host = STR("www.example.com");
	def.type = STR("https"), def.target = STR(fixture_is("hostile") ? HOSTILE : "192.0.2.21");
	def.body = STR("ok"), def.expect = STR("200-299"), def.verify_tls = true;
	def.fall = 3, def.rise = 2, def.probers = STR("all"), def.initial = STR("down");
	c.definition = &def;
	c.needed = 5;
	c.looks = looks, c.n_looks = sizeof looks / sizeof *looks;
	c.used_by = used, c.n_used_by = 3, c.used_count = 3;
	c.flips = flip, c.n_flips = 3;
	fill_votes(&c);
	r.checks = list;
	r.n_checks = fixture_is("empty") ? 0 : 1;
	r.flips = flip;
	r.n_flips = fixture_is("empty") ? 0 : 3;
	e->check_list_reply = &r;
	e->body_case = NS__ENVELOPE__BODY_CHECK_LIST_REPLY;
}

void
fixture_look(Ns__Envelope *e)
{
	static Ns__CheckProbeReply r;

	r = (Ns__CheckProbeReply)NS__CHECK_PROBE_REPLY__INIT;
	r.name = STR("eu-web-2");
	r.appliance = STR("fra1-a");
	r.reason = STR(fixture_is("hostile") ? HOSTILE : "no answer in time");
	r.rtt_ms = 3000;
	r.assigned = true;
	r.others = 7;
	e->check_probe_reply = &r;
	e->body_case = NS__ENVELOPE__BODY_CHECK_PROBE_REPLY;
}

#define MANY 32u
bool fixture_with_many;

/* The others are at a site each. */
static const char *
pop_site(unsigned i)
{
	static const char *const others[MANY - POPS] = { "arn1", "atl1", "bom1", "cdg1", "dfw1",
		"dxb1", "hel1", "hkg1", "icn1", "jnb1", "lhr1", "mad1", "mel1", "mia1", "mxp1",
		"nrt1", "ord1", "scl1", "sea1", "sjc1", "vie1", "waw1", "yyz1", "yvr1" };

	return i < POPS ? sites[i] : others[i - POPS];
}

static const char *
pop_name(unsigned i)
{
	static char names[MANY][16];

	if (i < POPS)
		return pops[i];
	snprintf(names[i], sizeof names[i], "%s-a", pop_site(i));
	return names[i];
}

void
fixture_fleet(Ns__Envelope *e)
{
	static Ns__FleetListReply r;
	static Ns__Drained out;
	LIST(Ns__FleetListReply__Appliance, NS__FLEET_LIST_REPLY__APPLIANCE__INIT, a, MANY)

	r = (Ns__FleetListReply)NS__FLEET_LIST_REPLY__INIT;
	out = (Ns__Drained)NS__DRAINED__INIT;
	out.author = STR("bob");
	out.reason = STR(fixture_is("hostile") ? HOSTILE : "new disks");
	out.since = STR("2026-11-22T12:00:00.000Z");
	out.until = STR("2026-11-23T12:00:00.000Z");
	for (unsigned i = 0; i < MANY; i++) {
		a[i]->name = STR(fixture_is("hostile") && i != 2 ? HOSTILE : pop_name(i));
		a[i]->site = STR(fixture_is("hostile") ? HOSTILE : pop_site(i));
		a[i]->role = STR(i == 0 ? "primary" : i == 1 ? "standby" : "replica");
		a[i]->state = STR(i == 7 ? "silent" : i == 4 ? "lag" : i == 3 ? "drained" : "ok");
		a[i]->version = STR(i == 4 || i == 20 || i == 21 ? "1.4.1" : "1.4.2");
		a[i]->endpoint = STR("tcp://192.0.2.53:5300");
		a[i]->trust = STR("operator");
		a[i]->revision = a[i]->stored = 8841;
		a[i]->qps = i == 7 ? 0 : 14100.0 / (i + 1);
		a[i]->p99_us = 500 + 20 * i;
		a[i]->p50_us = 80 + i;
		a[i]->uptime_s = i == 7 ? 0 : 86400.0 * 3 * i + 3000;
		a[i]->error_percent = i == 4 ? 1.2 : 0;
		a[i]->memory_mib = i == 7 ? 0 : 3072 - 90 * i;
		a[i]->geo_built = STR(i == 4 ? "2026-11-11" : i == 5 ? "" : "2026-11-18");
		a[i]->clock_ms = i == 0   ? 0
				 : i == 7 ? (double)NAN
				 : i == 4 ? 1500
					  : 0.3 * (i % 5) - 0.7;
		a[i]->past = fixture_minutes(i);
		a[i]->n_past = 10;
		a[i]->silent_s = i == 7 ? 72 : 0.4;
		a[i]->lag_s = i == 4 ? 47 : 0.2;
		a[i]->lag_changes = i == 4 ? 12 : 0;
		a[i]->drained = i == 3 ? &out : NULL;
	}
	r.appliances = a;
	r.n_appliances = fixture_is("empty") ? 1 : fixture_with_many ? MANY : POPS;
	e->fleet_list_reply = &r;
	e->body_case = NS__ENVELOPE__BODY_FLEET_LIST_REPLY;
}

void
fixture_dnssec(Ns__Envelope *e)
{
	static Ns__DnssecShowReply r;
	static const struct {
		unsigned tag;
		const char *role, *state, *since, *next, *at, *seen;
	} rows[] = {
		{ 40713, "ksk", "active", "2025-11-20T10:00:00.000Z", "", "", "all" },
		{ 51902, "ksk", "ready", "2026-11-20T10:00:00.000Z", "active when the DS is there",
		    "", "none" },
		{ 11874, "zsk", "retired", "2026-08-25T10:00:00.000Z", "removed",
		    "2026-11-25T10:00:00.000Z", "" },
		{ 23310, "zsk", "active", "2026-11-18T10:00:00.000Z", "a successor is published",
		    "2027-02-10T10:00:00.000Z", "" },
	};
	static char *ds[] = { STR(
	    "shop-000.example. 3600 IN DS 51902 13 2 "
	    "4B9F6C1E22A0D8F177334B9F6C1E22A0D8F177334B9F6C1E22A0D8F177335CE0") };
	LIST(Ns__DnssecShowReply__Key, NS__DNSSEC_SHOW_REPLY__KEY__INIT, key, 4)
	LIST(Ns__DnssecShowReply__Key__Entered, NS__DNSSEC_SHOW_REPLY__KEY__ENTERED__INIT, entered,
	    2)

	r = (Ns__DnssecShowReply)NS__DNSSEC_SHOW_REPLY__INIT;
	r.zone = STR("shop-000.example.");
	r.status = STR(fixture_is("empty") ? "off" : "signed");
	for (unsigned i = 0; i < 4; i++) {
		key[i]->tag = rows[i].tag;
		key[i]->algorithm = 13;
		key[i]->role = STR(rows[i].role);
		key[i]->state = STR(rows[i].state);
		key[i]->since = STR(rows[i].since);
		key[i]->next = STR(fixture_is("hostile") ? HOSTILE : rows[i].next);
		key[i]->next_at = STR(rows[i].at);
		key[i]->ds_seen = STR(rows[i].seen);
		key[i]->published = key[i]->signs = true;
		key[i]->dnskey =
		    STR(fixture_is("hostile") ? HOSTILE
					      : "shop-000.example. 3600 IN DNSKEY 257 3 13 "
						"mdsswUyr3DPW132mOi8V9xESWE8jTo0d");
	}
	entered[0]->state = STR("published");
	entered[0]->at = STR(fixture_is("hostile") ? HOSTILE : "2026-11-20T08:00:00.000Z");
	entered[1]->state = STR("ready");
	entered[1]->at = STR(rows[1].since);
	key[1]->entered = entered;
	key[1]->n_entered = 2;
	r.algorithm = 13;
	r.denial = STR("nsec3");
	r.keys = key;
	r.n_keys = fixture_is("empty") ? 0 : 4;
	r.ds = ds;
	r.n_ds = fixture_is("empty") ? 0 : 1;
	r.waits_for = STR(fixture_is("hostile")
			      ? HOSTILE
			      : "its DS at the parent: give it to the registrar (dnssec ds)");
	r.dnskey_signed_until = STR("2026-12-02T10:00:00.000Z");
	r.expires = STR("2026-12-01T22:00:00.000Z");
	r.parent_asked = STR("2026-11-22T14:01:50.000Z");
	e->dnssec_show_reply = &r;
	e->body_case = NS__ENVELOPE__BODY_DNSSEC_SHOW_REPLY;
}

void
fixture_object(Ns__Envelope *e)
{
	static Ns__ObjectReply r;

	r = (Ns__ObjectReply)NS__OBJECT_REPLY__INIT;
	r.kind = STR("check");
	r.name = STR("eu-web-2");
	r.revision = 8842;
	e->object_reply = &r;
	e->body_case = NS__ENVELOPE__BODY_OBJECT_REPLY;
}

void
fixture_drain(Ns__Envelope *e)
{
	static Ns__FleetDrainReply r;

	r = (Ns__FleetDrainReply)NS__FLEET_DRAIN_REPLY__INIT;
	r.name = STR("gru1-a");
	r.revision = 8842;
	e->fleet_drain_reply = &r;
	e->body_case = NS__ENVELOPE__BODY_FLEET_DRAIN_REPLY;
}
