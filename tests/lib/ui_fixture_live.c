/* ui_fixture_live.c - what an appliance would say of figures, queries and its fleet; see ui_fixture.h. */
#include <stdio.h>
#include <string.h>

#include "tests/lib/ui_fixture.h"

#define STR(s) ((char *)(uintptr_t)(s))
#define EVIL                                         \
	"\x1b]52;c;ZXZpbA==\x07\xe2\x80\xae\xc2\x9b" \
	"2Jevil\\000\xff"
#define NAMES 6u

static bool
is(const char *name)
{
	return strcmp(fixture, name) == 0;
}

static const char *
text(const char *plain)
{
	return is("hostile") ? EVIL : plain;
}

/* ---- figures ---- */
float *
fixture_minutes(unsigned which)
{
	static float list[64][10];

	for (unsigned i = 0; i < 10; i++)
		list[which % 64][i] = i < which % 3 ? -1
				      : which % 4 == 3
					  ? 0
					  : (float)(20 + (i * (which + 3) + i * i) % 60);
	return list[which % 64];
}

/* Ten minutes of it, of which nobody counted the first two. */
static float *
past_of(unsigned which, double now)
{
	static float list[6][60];

	for (unsigned i = 0; i < 60; i++)
		list[which][i] =
		    i < 12 ? -1 : (float)(now * (40 + (i * (which + 3) + i * i / 9) % 60) / 100);
	return list[which];
}

static void
fill_past(Ns__StatsReply *s)
{
	static float p99[60];

	for (size_t i = 0; i < s->n_top; i++) {
		s->top[i]->past = past_of((unsigned)i, s->top[i]->qps);
		s->top[i]->n_past = 60;
	}
	for (unsigned i = 0; i < 60; i++)
		p99[i] = i < 12 ? -1 : 300 + (float)(i * 7 % 40) * 8;
	s->past = past_of(5, s->qps);
	s->past_p99_us = p99;
	s->past_nxdomain = past_of(3, s->qps / 3);
	s->past_errors = past_of(1, s->qps / 500);
	s->n_past_nxdomain = s->n_past_errors = 60;
	s->n_past = s->n_past_p99_us = 60;
}

void
fixture_figures(Ns__StatsReply *s, const char *scope, const char *top)
{
	static const char *const types[] = { "A", "AAAA", "HTTPS", "MX", "TXT" };
	static const char *const clients[] = { "198.51.100.0/24", "2001:db8:77::/56",
		"203.0.113.0/24" };
	static const char *const names[] = { "www.shop-000.example.", "api.shop-000.example.",
		"www.example.com.", "_x\\000y.shop-000.example.", "shop-000.example." };
	static Ns__StatsReply__Rcode type[5], *type_list[5];
	static Ns__StatsReply__Bucket bucket[24], *bucket_list[24];
	static Ns__StatsReply__Top row[5], *row_list[5];
	static Ns__StatsReply__Flood flood, *floods[] = { &flood };
	static char *silent[] = { STR("syd1-b") };
	static unsigned turn;
	bool client = strcmp(top, "clients") == 0, name = strcmp(top, "names") == 0;
	/* The first two, nearly equal, take turns. */
	unsigned others = client && is("moving") && turn++ % 2 == 0 ? 1 : 0;

	for (unsigned i = 0; i < 5; i++) {
		ns__stats_reply__rcode__init(&type[i]);
		type[i].name = STR(types[i]);
		type[i].count = s->queries / (1u + i * i * 3);
		type_list[i] = &type[i];
	}
	s->qtypes = type_list;
	s->n_qtypes = is("empty") ? 0 : 5;
	for (unsigned i = 0; i < 24; i++) {
		ns__stats_reply__bucket__init(&bucket[i]);
		bucket[i].us = 64u << (i / 4);
		bucket[i].count = i < 8 ? 100u << i : 40000u >> (i - 8);
		bucket_list[i] = &bucket[i];
	}
	s->latency = bucket_list;
	s->n_latency = is("empty") ? 0 : 24;
	if (strncmp(scope, "fleet", 5) == 0) {
		s->appliances = 31;
		s->silent = silent;
		s->n_silent = 1;
	}
	if (strstr(scope, "zone:") != NULL) {
		s->nxdomain = s->queries / 3;
		s->errors = s->queries / 500;
		ns__stats_reply__flood__init(&flood);
		flood.zone = STR(text("shop-000.example."));
		flood.limited = 1240;
		s->floods = floods;
		s->n_floods = is("empty") ? 0 : 1;
	}
	if (!is("empty"))
		fill_past(s);
	if (!client && !name && strcmp(top, "qtypes") != 0)
		return;
	for (unsigned i = 0; i < 5; i++) {
		ns__stats_reply__top__init(&row[i]);
		row[i].name = STR(text(client ? clients[i < 2 ? i ^ others : i % 3]
				       : name ? names[i]
					      : types[i]));
		row[i].count = 42000 / (i + 1);
		row[i].qps = is("moving") ? 4200.0 - 100 * i : 4200.0 / (i + 1);
		row[i].nxdomain = client && i == 0 ? row[i].count * 88 / 100 : 0;
		row[i].errors = client && i == 2 ? row[i].count : 0;
		row[i].most = STR(client && i == 1 ? text("www.example.com.") : "");
		row_list[i] = &row[i];
	}
	s->top = row_list;
	s->n_top = is("empty") ? 0 : client ? 3 : 5;
}

/* ---- queries ---- */
static void
fill_tail(Ns__Envelope *e)
{
	static Ns__TailReply m;
	static Ns__TailRow row[NAMES], *rows[NAMES];
	static Ns__TailMark mark, *marks[] = { &mark };
	static const struct {
		const char *at, *pop, *client, *name, *type, *rcode;
		double us;
	} all[NAMES] = {
		{ "2026-11-22T14:02:06.412Z", "fra1-a", "203.0.113.0/24", "wwww.example.com.", "A",
		    "NXDOMAIN", 58.2 },
		{ "2026-11-22T14:02:06.418Z", "sin1-a", "2001:db8:9::/48", "_x\\000y.example.com.",
		    "TXT", "NXDOMAIN", 61 },
		{ "2026-11-22T14:02:06.420Z", "fra1-a", "198.51.100.0/24", "www.shop-000.example.",
		    "HTTPS", "NOERROR", 44.9 },
		{ "2026-11-22T14:02:06.466Z", "fra1-a", "-", "version.bind.", "TXT", "REFUSED",
		    21 },
		{ "2026-11-22T14:02:06.500Z", "fra1-a", "198.51.100.0/24",
		    "a-name-that-is-much-longer-than-its-column.and-goes-on.shop-000.example.",
		    "AAAA", "DROP", 12 },
		{ "2026-11-22T14:02:06.512Z", "fra1-a", "192.0.2.0/24", "broken.example.net.", "A",
		    "SERVFAIL", 1042 },
	};

	m = (Ns__TailReply)NS__TAIL_REPLY__INIT;
	for (unsigned i = 0; i < NAMES; i++) {
		ns__tail_row__init(&row[i]);
		row[i].at = STR(all[i].at);
		row[i].appliance = STR(all[i].pop);
		row[i].client = STR(all[i].client);
		row[i].name = STR(text(all[i].name));
		row[i].type = STR(all[i].type);
		row[i].rcode = STR(all[i].rcode);
		row[i].us = all[i].us;
		row[i].via = STR("udp");
		row[i].sample = 1;
		rows[i] = &row[i];
	}
	m.rows = rows;
	m.n_rows = is("empty") ? 0 : NAMES;
	m.dropped = is("empty") ? 0 : 3;
	ns__tail_mark__init(&mark);
	mark.appliance = STR("fra1-a");
	mark.after = 17;
	m.next = marks;
	m.n_next = 1;
	e->tail_reply = &m;
	e->body_case = NS__ENVELOPE__BODY_TAIL_REPLY;
}

static void
fill_test(Ns__Envelope *e)
{
	static unsigned turn;
	static Ns__TestReply m;
	static Ns__TestReply__Step step[5], *steps[5];
	static Ns__TestElsewhere other[2], *others[] = { &other[0], &other[1] };
	static char *answers[] = { NULL, NULL },
		    *elsewhere[] = { STR("www.shop-000.example. 60 IN A 198.51.100.7") };
	static const char *const texts[][2] = {
		{ "geo", "203.0.113.77 is in DE, EU: rule continent:EU" },
		{ "health", "eu-web-2 is down: 2 of 3 are left" },
		{ "weight", "90 of 100: eu-web-1" },
		{ "zone", "shop-000.example." },
		{ "answer", "records" },
	};

	m = (Ns__TestReply)NS__TEST_REPLY__INIT;
	answers[0] = STR(text("www.shop-000.example. 60 IN A 192.0.2.20"));
	answers[1] = STR("www.shop-000.example. 60 IN A 192.0.2.30");
	m.rcode = STR(is("empty") ? "NXDOMAIN" : "NOERROR");
	m.answers = answers;
	m.n_answers = is("empty") ? 0 : 2 - turn++ % 2; /* with a draft another one */
	m.appliance = STR("fra1-a");
	m.scope = 24;
	for (unsigned i = 0; i < 5; i++) {
		ns__test_reply__step__init(&step[i]);
		step[i].step = STR(texts[i][0]);
		step[i].text = STR(text(texts[i][1]));
		steps[i] = &step[i];
	}
	m.steps = steps;
	m.n_steps = 5;
	ns__test_elsewhere__init(&other[0]);
	ns__test_elsewhere__init(&other[1]);
	other[0].appliance = STR("sin1-a");
	other[0].rcode = STR("NOERROR");
	other[0].answers = elsewhere;
	other[0].n_answers = 1;
	other[0].steps = steps;
	other[0].n_steps = 2;
	other[1].appliance = STR("syd1-b");
	other[1].fault = STR(text("it did not answer in time"));
	m.others = others;
	m.n_others = is("empty") ? 0 : 2;
	e->test_reply = &m;
	e->body_case = NS__ENVELOPE__BODY_TEST_REPLY;
}

bool
fixture_live(Ns__Envelope__BodyCase kind, Ns__Envelope *reply)
{
	if (kind == NS__ENVELOPE__BODY_TAIL_REQUEST)
		fill_tail(reply);
	else if (kind == NS__ENVELOPE__BODY_TEST_REQUEST)
		fill_test(reply);
	else
		return false;
	return true;
}
