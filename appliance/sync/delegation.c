/* delegation.c - see delegation.h: name servers and their addresses.  DS: delegation_ds.c. */
#include "appliance/sync/delegation.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/dns/name.h"
#include "appliance/sync/delegation_int.h"
#include "ipc/base/xalloc.h"

/* ---- our side ---- */

void
delegation_add_ns(struct delegation *d, const uint8_t *name)
{
	d->ns = xreallocarray(d->ns, d->nns + 1, sizeof *d->ns);
	name_lower(d->ns[d->nns++].wire, name, name_len(name));
}

void
delegation_add_address(struct delegation *d, const uint8_t *name, const uint8_t *octets, size_t len)
{
	struct delegation_address *a;

	if (len != 4 && len != 16)
		return;
	d->glue = xreallocarray(d->glue, d->nglue + 1, sizeof *d->glue);
	a = &d->glue[d->nglue++];
	name_lower(a->name, name, name_len(name));
	memcpy(a->octets, octets, len);
	a->len = len;
}

static void
add_blob(struct delegation_blob **list, size_t *n, const uint8_t *data, size_t len)
{
	*list = xreallocarray(*list, *n + 1, sizeof **list);
	(*list)[(*n)++] = (struct delegation_blob){ .data = xmemdup(data, len), .len = len };
}

void
delegation_add_key(struct delegation *d, const uint8_t *data, size_t len)
{
	add_blob(&d->keys, &d->nkeys, data, len);
}

void
delegation_add_cds(struct delegation *d, const uint8_t *data, size_t len)
{
	add_blob(&d->cds, &d->ncds, data, len);
}

static void
free_blobs(struct delegation_blob *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(list[i].data);
	free(list);
}

void
delegation_free(struct delegation *d)
{
	free_blobs(d->keys, d->nkeys);
	free_blobs(d->cds, d->ncds);
	free(d->ns);
	free(d->glue);
	memset(d, 0, sizeof *d);
}

/* ---- sentences ---- */

void
delegation_say(char ***list, size_t *n, char *text)
{
	*list = xreallocarray(*list, *n + 1, sizeof **list);
	(*list)[(*n)++] = text;
}

static char *
text_of(const uint8_t *wire)
{
	char text[NAME_MAX_TEXT];

	return xstrdup(name_to_text(wire, text));
}

static char *
address_text(const uint8_t *octets, size_t len, char out[INET6_ADDRSTRLEN])
{
	if (inet_ntop(len == 4 ? AF_INET : AF_INET6, octets, out, INET6_ADDRSTRLEN) == NULL)
		out[0] = '\0';
	return out;
}

/* "a, b and c" of what is in list, as much as fits. */
static void
join(char *const *list, size_t n, char *out, size_t size)
{
	size_t used = 0;

	out[0] = '\0';
	for (size_t i = 0; i < n && used < size; i++)
		used +=
		    (size_t)snprintf(out + used, size - used, "%s%s", i == 0 ? "" : ", ", list[i]);
}

/* ---- their side ---- */

bool
delegation_answered(const Ns__ParentReply__Server *s)
{
	return s->fault[0] == '\0';
}

static bool
server_names(const Ns__ParentReply__Server *s, const uint8_t *name)
{
	for (size_t i = 0; i < s->n_ns; i++)
		if (s->ns[i].len == name_len(name) && name_equal(s->ns[i].data, name))
			return true;
	return false;
}

/* What the probe says is checked like anybody's word. */
static bool
is_name(const ProtobufCBinaryData *b)
{
	return b->len > 0 && name_check(b->data, b->len) == b->len;
}

static bool
parent_names(const Ns__ParentReply *p, const uint8_t *name)
{
	for (size_t i = 0; i < p->n_servers; i++)
		if (delegation_answered(p->servers[i]) && server_names(p->servers[i], name))
			return true;
	return false;
}

static bool
we_name(const struct delegation *d, const uint8_t *name)
{
	for (size_t i = 0; i < d->nns; i++)
		if (name_equal(d->ns[i].wire, name))
			return true;
	return false;
}

static bool
said(char *const *list, size_t n, const char *text)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i], text) == 0)
			return true;
	return false;
}

static void
collect_extra(const struct delegation *d, const Ns__ParentReply__Server *s, Ns__ZoneCheckReply *m)
{
	for (size_t i = 0; i < s->n_ns; i++) {
		char text[NAME_MAX_TEXT];

		if (!is_name(&s->ns[i]) || we_name(d, s->ns[i].data) ||
		    said(m->extra, m->n_extra, name_to_text(s->ns[i].data, text)))
			continue;
		delegation_say(&m->extra, &m->n_extra, xstrdup(text));
	}
}

/* Do all servers that answered name the same? */
static bool
servers_agree(const Ns__ParentReply *p)
{
	const Ns__ParentReply__Server *first = NULL;

	for (size_t i = 0; i < p->n_servers; i++) {
		const Ns__ParentReply__Server *s = p->servers[i];

		if (!delegation_answered(s))
			continue;
		if (first == NULL)
			first = s;
		if (s->n_ns != first->n_ns)
			return false;
		for (size_t j = 0; j < s->n_ns; j++)
			if (!is_name(&s->ns[j]) || !server_names(first, s->ns[j].data))
				return false;
	}
	return true;
}

static size_t
named(const Ns__ParentReply *p)
{
	size_t most = 0;

	for (size_t i = 0; i < p->n_servers; i++)
		if (delegation_answered(p->servers[i]) && p->servers[i]->n_ns > most)
			most = p->servers[i]->n_ns;
	return most;
}

/* ---- name servers ---- */

static void
say_ns(const struct delegation *d, Ns__ZoneCheckReply *m, const char *delegated)
{
	char **all = NULL, ours[1024], theirs[1024];
	size_t n = 0;

	for (size_t i = 0; i < d->nns; i++)
		delegation_say(&all, &n, text_of(d->ns[i].wire));
	join(all, n, ours, sizeof ours);
	join(m->extra, m->n_extra, theirs, sizeof theirs);
	if (strcmp(delegated, "no") == 0)
		delegation_say(&m->todo, &m->n_todo,
		    xasprintf(
			"%s does not delegate the zone: register it, or add NS records there, with "
			"the name servers %s",
			m->parent, ours));
	else if (strcmp(delegated, "elsewhere") == 0)
		delegation_say(&m->todo, &m->n_todo,
		    xasprintf(
			"%s delegates the zone to %s, so nobody asks here: when the zone is ready, "
			"change its name servers at the registrar to %s",
			m->parent, theirs, ours));
	for (size_t i = 0; strcmp(delegated, "partly") == 0 && i < m->n_missing; i++)
		delegation_say(&m->todo, &m->n_todo,
		    xasprintf("add %s to the name servers at the registrar, or take it out of the "
			      "zone's NS",
			m->missing[i]));
	for (size_t i = 0; strcmp(delegated, "partly") == 0 && i < m->n_extra; i++)
		delegation_say(&m->todo, &m->n_todo,
		    xasprintf("remove %s from the name servers at the registrar, or add it to the "
			      "zone's NS",
			m->extra[i]));
	for (size_t i = 0; i < n; i++)
		free(all[i]);
	free(all);
}

static const char *
judge_ns(const struct delegation *d, const Ns__ParentReply *p, Ns__ZoneCheckReply *m)
{
	const char *delegated = "yes";

	for (size_t i = 0; i < d->nns; i++)
		if (!parent_names(p, d->ns[i].wire))
			delegation_say(&m->missing, &m->n_missing, text_of(d->ns[i].wire));
	for (size_t i = 0; i < p->n_servers; i++)
		if (delegation_answered(p->servers[i]))
			collect_extra(d, p->servers[i], m);
	if (named(p) == 0)
		delegated = "no";
	else if (m->n_missing == d->nns)
		delegated = "elsewhere";
	else if (m->n_missing > 0 || m->n_extra > 0 || !servers_agree(p))
		delegated = "partly";
	say_ns(d, m, delegated);
	if (!servers_agree(p))
		delegation_say(&m->todo, &m->n_todo,
		    xasprintf("the servers of %s do not agree yet: ask again when its change is "
			      "everywhere",
			m->parent));
	return delegated;
}

/* ---- glue ---- */

static bool
parent_has_glue(const Ns__ParentReply *p, const uint8_t *name, const uint8_t *octets, size_t len)
{
	for (size_t i = 0; i < p->n_servers; i++)
		for (size_t j = 0; j < p->servers[i]->n_glue; j++) {
			const Ns__ParentReply__Glue *g = p->servers[i]->glue[j];

			if (is_name(&g->name) && name_equal(g->name.data, name) &&
			    (octets == NULL || (g->address.len == len &&
						   memcmp(g->address.data, octets, len) == 0)))
				return true;
		}
	return false;
}

static bool
we_have_glue(const struct delegation *d, const uint8_t *name, const uint8_t *octets, size_t len)
{
	for (size_t i = 0; i < d->nglue; i++)
		if (name_equal(d->glue[i].name, name) &&
		    (octets == NULL ||
			(d->glue[i].len == len && memcmp(d->glue[i].octets, octets, len) == 0)))
			return true;
	return false;
}

static void
say_glue(
    Ns__ZoneCheckReply *m, const uint8_t *name, const uint8_t *octets, size_t len, const char *how)
{
	char address[INET6_ADDRSTRLEN], text[NAME_MAX_TEXT];
	char *line = xasprintf(
	    "%s %s %s", name_to_text(name, text), address_text(octets, len, address), how);

	if (said(m->glue, m->n_glue, line))
		free(line);
	else
		delegation_say(&m->glue, &m->n_glue, line);
}

static void
extra_glue(const struct delegation *d, const Ns__ParentReply *p, const uint8_t *name,
    Ns__ZoneCheckReply *m)
{
	for (size_t i = 0; i < p->n_servers; i++)
		for (size_t j = 0; j < p->servers[i]->n_glue; j++) {
			const Ns__ParentReply__Glue *g = p->servers[i]->glue[j];

			if (is_name(&g->name) && name_equal(g->name.data, name) &&
			    (g->address.len == 4 || g->address.len == 16) &&
			    !we_have_glue(d, name, g->address.data, g->address.len))
				say_glue(m, name, g->address.data, g->address.len,
				    "is at the parent and not in the zone");
		}
}

static void
say_host(const struct delegation *d, const uint8_t *name, Ns__ZoneCheckReply *m)
{
	char **all = NULL, addresses[512], text[NAME_MAX_TEXT];
	size_t n = 0;

	for (size_t i = 0; i < d->nglue; i++) {
		char one[INET6_ADDRSTRLEN];

		if (name_equal(d->glue[i].name, name))
			delegation_say(&all, &n,
			    xstrdup(address_text(d->glue[i].octets, d->glue[i].len, one)));
	}
	join(all, n, addresses, sizeof addresses);
	delegation_say(&m->todo, &m->n_todo,
	    xasprintf("set the addresses of the host %s at the registrar to %s",
		name_to_text(name, text), addresses));
	for (size_t i = 0; i < n; i++)
		free(all[i]);
	free(all);
}

/* One of our name servers that lies in the zone and that the parent names; false: nobody can find it. */
static bool
judge_glue_of(const struct delegation *d, const Ns__ParentReply *p, const uint8_t *name,
    Ns__ZoneCheckReply *m)
{
	size_t before = m->n_glue;
	char text[NAME_MAX_TEXT];

	name_to_text(name, text);
	if (!we_have_glue(d, name, NULL, 0)) {
		delegation_say(
		    &m->glue, &m->n_glue, xasprintf("%s has no address in the zone", text));
		delegation_say(
		    &m->todo, &m->n_todo, xasprintf("add A or AAAA records for %s", text));
	}
	for (size_t i = 0; i < d->nglue; i++)
		if (name_equal(d->glue[i].name, name) &&
		    !parent_has_glue(p, name, d->glue[i].octets, d->glue[i].len))
			say_glue(
			    m, name, d->glue[i].octets, d->glue[i].len, "is not at the parent");
	extra_glue(d, p, name, m);
	if (m->n_glue > before && we_have_glue(d, name, NULL, 0))
		say_host(d, name, m);
	return parent_has_glue(p, name, NULL, 0);
}

static bool
judge_glue(const struct delegation *d, const Ns__ParentReply *p, Ns__ZoneCheckReply *m)
{
	bool found = true;

	for (size_t i = 0; i < d->nns; i++)
		if (name_in(d->ns[i].wire, d->zone) && parent_names(p, d->ns[i].wire))
			found = judge_glue_of(d, p, d->ns[i].wire, m) && found;
	return found;
}

/* ---- all ---- */

static void
tell_asked(const Ns__ParentReply *p, Ns__ZoneCheckReply *m)
{
	m->asked = xcalloc(p->n_servers + 1, sizeof *m->asked);
	for (size_t i = 0; i < p->n_servers; i++) {
		const Ns__ParentReply__Server *s = p->servers[i];
		Ns__ZoneCheckReply__Server *out = xmalloc(sizeof *out);

		ns__zone_check_reply__server__init(out);
		out->name = is_name(&s->name) ? text_of(s->name.data) : xstrdup("?");
		out->address = xstrdup(s->address);
		out->text = xstrdup(s->fault[0] != '\0' ? s->fault
				    : s->authoritative  ? "it serves the zone itself, too"
							: "");
		m->asked[m->n_asked++] = out;
	}
}

Ns__ZoneCheckReply *
delegation_judge(const struct delegation *d, const Ns__ParentReply *p, const char **why)
{
	Ns__ZoneCheckReply *m;
	const char *delegated;
	size_t answered = 0;

	*why = p->fault[0] != '\0' ? p->fault : "the parent has no name servers that can be asked";
	for (size_t i = 0; i < p->n_servers; i++) {
		answered += delegation_answered(p->servers[i]);
		if (p->servers[i]->fault[0] != '\0' && p->fault[0] == '\0')
			*why = p->servers[i]->fault;
	}
	if (answered == 0 || !is_name(&p->parent))
		return NULL;
	m = xmalloc(sizeof *m);
	ns__zone_check_reply__init(m);
	m->zone = text_of(d->zone);
	m->parent = text_of(p->parent.data);
	delegated = judge_ns(d, p, m);
	if (!judge_glue(d, p, m) && strcmp(delegated, "yes") == 0)
		delegated = "partly";
	m->delegated = xstrdup(delegated);
	delegation_judge_ds(d, p, m);
	tell_asked(p, m);
	return m;
}
