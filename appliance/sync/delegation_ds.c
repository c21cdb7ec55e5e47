/* delegation_ds.c - DS at the parent against the zone's keys.
 *
 * A DS that fits no key of the zone makes every validating resolver answer SERVFAIL; no DS makes a signed
 * zone an unsigned one for everybody. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/dns/ds.h"
#include "appliance/sync/delegation_int.h"
#include "ipc/base/wbuf.h"
#include "ipc/base/xalloc.h"

#define DS_TEXT (2 * DS_MAX + 64)

static bool
fits_a_key(const struct delegation *d, const ProtobufCBinaryData *ds)
{
	for (size_t i = 0; i < d->nkeys; i++)
		if (ds_matches(d->zone, ds->data, ds->len, d->keys[i].data, d->keys[i].len))
			return true;
	return false;
}

/* TAG ALGORITHM TYPE DIGEST, as registrars ask for it. */
static char *
ds_text(const uint8_t *ds, size_t len, char out[DS_TEXT])
{
	size_t used = (size_t)snprintf(out, DS_TEXT, "%u %u %u ", get_u16(ds), ds[2], ds[3]);

	for (size_t i = 4; i < len && used + 3 < DS_TEXT; i++)
		used += (size_t)snprintf(out + used, DS_TEXT - used, "%02x", ds[i]);
	return out;
}

/* RFC 8078 4: algorithm 0 asks for the removal of all DS. */
static bool
asks_removal(const struct delegation_blob *cds)
{
	return cds->len >= 4 && cds->data[2] == 0;
}

static void
say_submit(const struct delegation *d, Ns__ZoneCheckReply *m)
{
	char text[DS_TEXT];
	uint8_t ds[DS_MAX];
	size_t n = 0;

	for (size_t i = 0; i < d->ncds; i++)
		if (!asks_removal(&d->cds[i]) && d->cds[i].len > 4 && d->cds[i].len <= DS_MAX &&
		    ++n)
			delegation_say(&m->todo, &m->n_todo,
			    xasprintf("give the registrar the DS %s (the zone's CDS)",
				ds_text(d->cds[i].data, d->cds[i].len, text)));
	for (size_t i = 0; n == 0 && i < d->nkeys; i++) {
		size_t len = ds_make(d->zone, d->keys[i].data, d->keys[i].len, ds);

		if (len > 0 && ds_key_is_sep(d->keys[i].data, d->keys[i].len))
			delegation_say(&m->todo, &m->n_todo,
			    xasprintf("give the registrar the DS %s", ds_text(ds, len, text)));
	}
}

struct tally {
	size_t known, fit, stray; /* servers that know; DS that fit a key, and that do not */
	char stray_tags[128];
};

static bool
seen_before(const Ns__ParentReply *p, size_t server, size_t at)
{
	const ProtobufCBinaryData *ds = &p->servers[server]->ds[at];

	for (size_t i = 0; i <= server; i++)
		for (size_t j = 0; j < (i == server ? at : p->servers[i]->n_ds); j++)
			if (p->servers[i]->ds[j].len == ds->len &&
			    memcmp(p->servers[i]->ds[j].data, ds->data, ds->len) == 0)
				return true;
	return false;
}

static void
count(const struct delegation *d, const Ns__ParentReply *p, struct tally *t)
{
	size_t used = 0;

	for (size_t i = 0; i < p->n_servers; i++) {
		const Ns__ParentReply__Server *s = p->servers[i];

		t->known += delegation_answered(s) && s->ds_known;
		for (size_t j = 0; j < s->n_ds; j++) {
			if (s->ds[j].len <= 4 || seen_before(p, i, j))
				continue;
			if (fits_a_key(d, &s->ds[j])) {
				t->fit++;
				continue;
			}
			if (used + 8 < sizeof t->stray_tags)
				used += (size_t)snprintf(t->stray_tags + used,
				    sizeof t->stray_tags - used, "%s%u", t->stray++ > 0 ? ", " : "",
				    get_u16(s->ds[j].data));
			else
				t->stray++;
		}
	}
}

static void
say_broken(const struct delegation *d, const struct tally *t, Ns__ZoneCheckReply *m)
{
	bool elsewhere = strcmp(m->delegated, "elsewhere") == 0;

	if (elsewhere)
		delegation_say(&m->todo, &m->n_todo,
		    xasprintf(
			"before the name servers change: the DS at the parent (key tag %s) fits no "
			"key of the zone here; have it removed and wait for its TTL, or every "
			"validating resolver answers SERVFAIL",
			t->stray_tags));
	else
		delegation_say(&m->todo, &m->n_todo,
		    xasprintf(
			"%s, so every validating resolver answers SERVFAIL: have the DS with key "
			"tag %s removed at the registrar now",
			d->nkeys == 0 ? "the parent has a DS and the zone is not signed"
				      : "the DS at the parent fits no key of the zone",
			t->stray_tags));
	if (d->nkeys > 0 && !elsewhere)
		say_submit(d, m);
}

/* Is what CDS asks for what the parent has?  (RFC 7344 4) */
static void
compare_cds(const struct delegation *d, const Ns__ParentReply *p, Ns__ZoneCheckReply *m)
{
	for (size_t i = 0; i < d->ncds; i++) {
		bool there = false;
		char text[DS_TEXT];

		for (size_t j = 0; j < p->n_servers; j++)
			for (size_t k = 0; k < p->servers[j]->n_ds; k++)
				there = there || (p->servers[j]->ds[k].len == d->cds[i].len &&
						     memcmp(p->servers[j]->ds[k].data,
							 d->cds[i].data, d->cds[i].len) == 0);
		if (asks_removal(&d->cds[i]))
			delegation_say(&m->todo, &m->n_todo,
			    xstrdup(
				"the zone's CDS asks for the removal of all DS: have them removed "
				"at the registrar"));
		else if (!there && d->cds[i].len > 4 && d->cds[i].len <= DS_MAX)
			delegation_say(&m->todo, &m->n_todo,
			    xasprintf("the zone's CDS asks for another DS: give the registrar %s",
				ds_text(d->cds[i].data, d->cds[i].len, text)));
	}
}

void
delegation_judge_ds(const struct delegation *d, const Ns__ParentReply *p, Ns__ZoneCheckReply *m)
{
	struct tally t = { 0 };
	const char *ds = "none";

	count(d, p, &t);
	if (t.fit + t.stray == 0 && t.known == 0)
		ds = "unknown";
	else if (t.fit > 0)
		ds = "ok";
	else if (t.stray > 0)
		ds = "broken";
	else if (d->nkeys > 0)
		ds = "missing";
	m->ds = xstrdup(ds);
	if (strcmp(ds, "broken") == 0)
		say_broken(d, &t, m);
	else if (strcmp(ds, "missing") == 0 && strcmp(m->delegated, "elsewhere") != 0) {
		delegation_say(&m->todo, &m->n_todo,
		    xstrdup("the zone is signed and the parent has no DS, so nobody validates it"));
		say_submit(d, m);
	} else if (strcmp(ds, "ok") == 0 && t.stray > 0)
		delegation_say(&m->todo, &m->n_todo,
		    xasprintf(
			"the DS with key tag %s fits no key of the zone: have it removed when no "
			"roll-over is under way",
			t.stray_tags));
	if (strcmp(ds, "ok") == 0)
		compare_cds(d, p, m);
}
