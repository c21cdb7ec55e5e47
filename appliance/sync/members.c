/* members - see members.h. */
#include "appliance/sync/members.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/fleet/codes.h"
#include "appliance/sync/batch.h"
#include "appliance/sync/change.h"
#include "ipc/base/log.h"
#include "ipc/base/xalloc.h"

#define HEX (2 * FLEET_KEY + 1)

static void
to_hex(const uint8_t key[FLEET_KEY], char out[HEX])
{
	for (size_t i = 0; i < FLEET_KEY; i++)
		snprintf(out + 2 * i, 3, "%02x", key[i]);
}

static bool
from_hex(const char *text, uint8_t key[FLEET_KEY])
{
	if (strlen(text) != 2 * FLEET_KEY || strspn(text, "0123456789abcdef") != 2 * FLEET_KEY)
		return false;
	for (size_t i = 0; i < FLEET_KEY; i++) {
		char octet[3] = { text[2 * i], text[2 * i + 1], '\0' };

		key[i] = (uint8_t)strtoul(octet, NULL, 16);
	}
	return true;
}

static enum ns_err
get(struct store *s, const char *name, char *out, size_t size)
{
	char *value = NULL;
	enum ns_err err = store_fact_get(s, name, &value);

	if (err == NS_OK)
		snprintf(out, size, "%s", value);
	free(value);
	return err;
}

enum ns_err
fleet_facts_load(struct store *s, struct fleet_facts *f, struct ns_why *why)
{
	char hex[HEX] = "";
	enum ns_err err;

	*f = (struct fleet_facts){ 0 };
	err = get(s, "fleet.primary", f->primary, sizeof f->primary);
	if (err == NS_NOTFOUND)
		return NS_OK;
	if (err == NS_OK)
		err = get(s, "fleet.endpoint", f->endpoint, sizeof f->endpoint);
	if (err == NS_OK)
		err = get(s, "fleet.key", hex, sizeof hex);
	if (err == NS_OK && !from_hex(hex, f->key))
		err = NS_CORRUPT;
	if (err != NS_OK)
		return ns_fail(
		    why, err, EF_KEY, "the primary's address cannot be read from the store");
	f->joined = true;
	return NS_OK;
}

enum ns_err
fleet_facts_primary(struct store *s, const struct fleet_facts *f, struct ns_why *why)
{
	char hex[HEX];
	enum ns_err err;

	to_hex(f->key, hex);
	err = store_fact_put(s, "fleet.primary", f->primary, why);
	if (err == NS_OK)
		err = store_fact_put(s, "fleet.endpoint", f->endpoint, why);
	if (err == NS_OK)
		err = store_fact_put(s, "fleet.key", hex, why);
	return err;
}

enum ns_err
fleet_facts_join(struct store *s, const char *name, uint64_t term, const struct fleet_facts *f,
    struct ns_why *why)
{
	char number[24];
	enum ns_err err;

	snprintf(number, sizeof number, "%llu", (unsigned long long)term);
	err = store_fact_put(s, "role", "replica", why);
	if (err == NS_OK)
		err = store_fact_put(s, "term", number, why);
	if (err == NS_OK)
		err = store_fact_put(s, "name", name, why);
	return err == NS_OK ? fleet_facts_primary(s, f, why) : err;
}

/* ---- members ---- */
static bool
load_one(void *arg, const struct store_object *o, const void *body, size_t len)
{
	Ns__FleetMember *m = ns__fleet_member__unpack(NULL, len, body);
	struct roster *r = arg;
	struct member member;

	if (m == NULL || !member_from_message(&member, m) || strcmp(member.name, o->name) != 0 ||
	    !roster_put(r, &member))
		log_error("fleet.member", "name=%s text=\"not a member that can be\"",
		    log_quote(o->name));
	if (m != NULL)
		ns__fleet_member__free_unpacked(m, NULL);
	return true;
}

struct roster *
members_load(struct store *s)
{
	struct roster *r = xcalloc(1, sizeof *r);

	if (store_object_each(s, MEMBER_KIND, load_one, r) != NS_OK)
		log_error("fleet.members", "text=\"the members cannot be read\"");
	return r;
}

enum ns_err
member_put(struct batch *b, struct change *c, const struct member *m, struct ns_why *why)
{
	struct store_object o = { .kind = MEMBER_KIND, .version = b->revision + 1 };
	Ns__ChangeBody__Object *out = xmalloc(sizeof *out);
	struct member_message msg;
	enum ns_err err;

	snprintf(o.name, sizeof o.name, "%s", m->name);
	ns__change_body__object__init(out);
	member_to_message(m, &msg);
	out->body.len = ns__fleet_member__get_packed_size(&msg.message);
	out->body.data = xmalloc(out->body.len + 1);
	ns__fleet_member__pack(&msg.message, out->body.data);
	err = store_object_put(b->store, &o, out->body.data, out->body.len, why);
	out->kind = xstrdup(o.kind);
	out->name = xstrdup(o.name);
	out->id = o.id;
	c->body.objects =
	    xreallocarray(c->body.objects, c->body.n_objects + 1, sizeof *c->body.objects);
	c->body.objects[c->body.n_objects++] = out;
	b->members = true;
	return err;
}

void
members_free(struct change *c)
{
	for (size_t i = 0; i < c->body.n_objects; i++)
		protobuf_c_message_free_unpacked(&c->body.objects[i]->base, NULL);
	free(c->body.objects);
	c->body.objects = NULL;
	c->body.n_objects = 0;
}

/* ---- from one standby to another ---- */
#define HANDOVER_FACT "handover" /* "TERM REVISION MUST NAME"; empty: none */

enum ns_err
handover_put(struct store *s, const struct handover *h, struct ns_why *why)
{
	char text[FLEET_NAME + 64] = "";

	if (h->revision != 0)
		snprintf(text, sizeof text, "%llu %llu %d %s", (unsigned long long)h->term,
		    (unsigned long long)h->revision, h->must, h->from);
	return store_fact_put(s, HANDOVER_FACT, text, why);
}

void
handover_load(struct store *s, struct handover *h)
{
	char text[FLEET_NAME + 64], *rest = text;

	*h = (struct handover){ 0 };
	if (get(s, HANDOVER_FACT, text, sizeof text) != NS_OK || text[0] == '\0')
		return;
	h->term = strtoull(rest, &rest, 10);
	h->revision = strtoull(rest, &rest, 10);
	h->must = strtoul(rest, &rest, 10) != 0;
	snprintf(h->from, sizeof h->from, "%s", *rest == ' ' ? rest + 1 : "");
}

enum ns_err
member_commit(struct batch *b, const struct caller *who, const struct member *m,
    const char *comment, struct ns_why *why)
{
	struct change c;
	enum ns_err err;

	change_begin(&c, who, "fleet", comment, b->now_ms, b->term);
	err = member_put(b, &c, m, why);
	if (err == NS_OK)
		err = change_end(&c, b->store, why);
	if (err == NS_OK)
		b->revision = c.row.revision;
	members_free(&c);
	change_free(&c);
	return err;
}
