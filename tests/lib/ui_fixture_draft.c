/* ui_fixture_draft.c - see ui_fixture.h: the plan of a draft, and what others did to the same RRsets meanwhile. */
#include "ipc/nameserve.pb-c.h"
#include "tests/lib/ui_fixture_int.h"

static Ns__Conflict__State *
a_state(unsigned i, bool there, uint32_t ttl, const char *one, const char *two)
{
	static Ns__Conflict__State states[24];
	static char *data[24][2];
	Ns__Conflict__State *m = &states[i];

	*m = (Ns__Conflict__State)NS__CONFLICT__STATE__INIT;
	data[i][0] = STR(fixture_is("hostile") ? HOSTILE : one);
	data[i][1] = STR(two);
	m->there = there;
	m->ttl = ttl;
	m->rdata = data[i];
	m->n_rdata = !there ? 0 : two != NULL ? 2 : 1;
	return m;
}

static Ns__Conflict__RRset *
an_rrset(unsigned i, const char *name, const char *type)
{
	static Ns__Conflict__RRset sets[8];

	sets[i] = (Ns__Conflict__RRset)NS__CONFLICT__RRSET__INIT;
	sets[i].zone = STR("shop-000.example.");
	sets[i].name = STR(fixture_is("hostile") ? HOSTILE : name);
	sets[i].type = STR(type);
	return &sets[i];
}

static Ns__Conflict__RRset **
four_rrsets(void)
{
	static Ns__Conflict__RRset *list[4];

	list[0] = an_rrset(0, "shop-000.example.", "TXT");
	list[0]->was = a_state(0, true, 300, "\"v=spf1 include:_spf.example.com -all\"", NULL);
	list[0]->mine = a_state(1, true, 60, "\"v=spf1 include:_spf.example.com -all\"", NULL);
	list[1] = an_rrset(1, "_sip._tcp.shop-000.example.", "SRV");
	list[1]->was = a_state(2, true, 86400, "10 60 5060 sip1.example.com.", NULL);
	list[1]->mine = a_state(3, false, 0, NULL, NULL);
	list[2] = an_rrset(2, "beta.shop-000.example.", "HTTPS");
	list[2]->was = a_state(4, false, 0, NULL, NULL);
	list[2]->mine = a_state(5, true, 300, "1 . alpn=h2,h3 ipv4hint=192.0.2.40", NULL);
	list[3] = an_rrset(3, "www.shop-000.example.", "A");
	list[3]->was = a_state(6, true, 300, "192.0.2.80", "192.0.2.81");
	list[3]->mine = a_state(7, true, 300, "192.0.2.80", "192.0.2.82");
	return list;
}

void
fixture_plan(Ns__Envelope *e)
{
	static Ns__PlanReply r;
	static Ns__PlanReply__Zone z, *zones[] = { &z };
	static Ns__Error w, *warnings[] = { &w };

	r = (Ns__PlanReply)NS__PLAN_REPLY__INIT;
	z = (Ns__PlanReply__Zone)NS__PLAN_REPLY__ZONE__INIT;
	w = (Ns__Error)NS__ERROR__INIT;
	z.zone = STR("shop-000.example.");
	z.serial_before = 2026112201;
	z.serial_after = 2026112202;
	z.records = 428;
	z.touched_percent = fixture_is("heavy") ? 42 : 1.2;
	z.confirm = fixture_is("heavy");
	z.old_ttl = 86400;
	z.negative_ttl = 300;
	z.rrsets = four_rrsets();
	z.n_rrsets = fixture_is("empty") ? 0 : 4;
	w.code = 1202;
	w.owner = STR("beta.shop-000.example.");
	w.type = STR("HTTPS");
	w.text = STR(fixture_is("hostile")
			 ? HOSTILE
			 : "beta.shop-000.example. HTTPS: its target has no address in this "
			   "zone: clients that need one get nothing");
	r.zones = zones;
	r.n_zones = 1;
	r.warnings = warnings;
	r.n_warnings = fixture_is("empty") ? 0 : 1;
	r.plan_hash = STR("f00d");
	e->plan_reply = &r;
	e->body_case = NS__ENVELOPE__BODY_PLAN_REPLY;
}

Ns__Conflict *
fixture_conflict(void)
{
	static Ns__Conflict c;
	static Ns__Conflict__Zone z, *zones[] = { &z };

	c = (Ns__Conflict)NS__CONFLICT__INIT;
	z = (Ns__Conflict__Zone)NS__CONFLICT__ZONE__INIT;
	z.zone = STR("shop-000.example.");
	z.base_version = 8840;
	z.version = 8841;
	z.serial = 2026112203;
	z.author = STR(fixture_is("hostile") ? HOSTILE : "bob");
	z.at = STR("2026-11-22T14:01:10.000Z");
	z.comment = STR(fixture_is("hostile") ? HOSTILE : "cut over api");
	c.zones = zones;
	c.n_zones = 1;
	c.rrsets = four_rrsets();
	c.n_rrsets = fixture_is("empty") ? 0 : 4;
	for (unsigned i = 0; i < 4; i++)
		c.rrsets[i]->theirs = c.rrsets[i]->was;
	c.rrsets[0]->theirs = a_state(8, true, 300, "\"v=spf1 -all\"", NULL);
	c.rrsets[3]->theirs = a_state(9, true, 300, "192.0.2.80", "192.0.2.90");
	c.rrsets[0]->overlaps = c.rrsets[3]->overlaps = true;
	return &c;
}
