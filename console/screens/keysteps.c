/* keysteps.c - see keysteps.h. */
#include "console/screens/keysteps.h"

#include <stdio.h>
#include <string.h>

typedef Ns__DnssecShowReply__Key Key;

static bool
is(const Key *k, const char *state)
{
	return strcmp(k->state, state) == 0;
}

static bool
is_new(const Key *k)
{
	return is(k, "presign") || is(k, "published") || is(k, "ready");
}

static bool
is_old(const Key *k)
{
	return is(k, "outgoing") || is(k, "retired") || is(k, "postsign");
}

static const Key *
ksk(const Ns__DnssecShowReply *m, bool (*fits)(const Key *))
{
	for (size_t i = 0; i < m->n_keys; i++)
		if (strcmp(m->keys[i]->role, "ksk") == 0 && fits(m->keys[i]))
			return m->keys[i];
	return NULL;
}

static bool
is_active(const Key *k)
{
	return is(k, "active");
}

bool
keysteps_ds_there(const Ns__DnssecShowReply *m)
{
	for (size_t i = 0; i < m->n_keys; i++)
		if (strcmp(m->keys[i]->ds_seen, "all") == 0 ||
		    strcmp(m->keys[i]->ds_seen, "some") == 0)
			return true;
	return false;
}

static const char *
entered(const Key *k, const char *state)
{
	for (size_t i = 0; i < k->n_entered; i++)
		if (strcmp(k->entered[i]->state, state) == 0)
			return k->entered[i]->at;
	return strcmp(k->state, state) == 0 ? k->since : "";
}

/* ---- steps ---- */
/* at: when it was done, if it is; since, until: of the one that is under way. */
struct when {
	const char *at, *since, *until;
};

static void
keep(char *out, size_t size, bool wanted, const char *time)
{
	snprintf(out, size, "%s", wanted && time != NULL ? time : "");
}

static void
step(struct keysteps *s, size_t now, struct when when, const char *text)
{
	enum step_mark mark = s->n < now ? STEP_DONE : s->n == now ? STEP_NOW : STEP_NEXT;

	s->list[s->n].mark = mark;
	snprintf(s->list[s->n].text, sizeof s->list[0].text, "%s", text);
	keep(s->list[s->n].at, sizeof s->list[0].at, mark == STEP_DONE, when.at);
	keep(s->list[s->n].since, sizeof s->list[0].since, mark == STEP_NOW, when.since);
	keep(s->list[s->n].until, sizeof s->list[0].until, mark == STEP_NOW, when.until);
	s->n++;
}

/* Of the steps up to that one, which come after those of the phase before. */
static void
phase(struct keysteps *s, size_t first, size_t last, const char *label)
{
	enum step_mark mark = s->list[last].mark == STEP_DONE    ? STEP_DONE
			      : s->list[first].mark == STEP_NEXT ? STEP_NEXT
								 : STEP_NOW;

	s->phases[s->n_phases].mark = mark;
	s->phases[s->n_phases++].label = label;
}

static void
leaving(const Ns__DnssecShowReply *m, struct keysteps *s)
{
	size_t now = m->waits_for[0] != '\0' ? 1 : 2;
	const char *since = m->leaving_since, *none = m->no_ds_since;

	snprintf(s->title, sizeof s->title, "On its way to unsigned");
	snprintf(s->begun, sizeof s->begun, "%s", since);
	step(s, now, (struct when){ .at = since }, "CDS asks the parent to drop its DS");
	step(s, now, (struct when){ .at = none, .since = since }, "the registrar removes the DS");
	step(s, now, (struct when){ .until = m->next_event }, "no cache has the DS any more");
	step(s, now, (struct when){ 0 }, "the zone is unsigned");
	phase(s, 0, 0, "CDS");
	phase(s, 1, 1, "waiting for you");
	phase(s, 2, 2, "DS TTL");
	s->end = "unsigned";
}

static void
rolling(const Key *new, const Key *old, struct keysteps *s)
{
	bool seen = strcmp(new->ds_seen, "all") == 0;
	size_t now = is(new, "presign")     ? 0
		     : is(new, "published") ? 1
		     : is(new, "ready")     ? 2 + (seen ? 1u : 0u)
					    : 4;
	const char *published = entered(new, "published"), *ready = entered(new, "ready"),
		   *active = entered(new, "active");
	char text[64];

	if (old != NULL)
		snprintf(s->title, sizeof s->title, "KSK roll %u -> %u", old->tag, new->tag);
	else
		snprintf(s->title, sizeof s->title, "First DS, of key %u", new->tag);
	snprintf(s->begun, sizeof s->begun, "%s",
	    entered(new, "presign")[0] != '\0' ? entered(new, "presign") : published);
	step(s, now, (struct when){ published, new->since, new->next_at }, "DNSKEY published");
	step(s, now, (struct when){ ready, published, new->next_at },
	    old != NULL ? "its TTL passed: every cache has it" : "caches forgot unsigned answers");
	step(s, now, (struct when){ .since = ready }, "you give the DS to the registrar");
	step(s, now, (struct when){ .at = active }, "DS at all servers of the parent");
	phase(s, 0, 1, "publish");
	phase(s, 2, 3, "waiting for you");
	s->end = "in force";
	if (old == NULL)
		return;
	snprintf(text, sizeof text, "key %u removed", old->tag);
	step(s, now, (struct when){ .since = active, .until = old->next_at }, text);
	phase(s, 4, 4, "DS TTL");
	s->end = "remove";
}

void
keysteps_of(const Ns__DnssecShowReply *m, struct keysteps *s)
{
	const Key *new = ksk(m, is_new), *active = ksk(m, is_active), *old = ksk(m, is_old);

	*s = (struct keysteps){ .n = 0 };
	if (strcmp(m->status, "leaving") == 0)
		leaving(m, s);
	else if (new != NULL)
		rolling(new, active != NULL ? active : old, s);
	else if (old != NULL && active != NULL)
		rolling(active, old, s);
}

/* ---- as text ---- */
void
keysteps_time(const char *rfc3339, char out[16])
{
	static const char months[][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug",
		"Sep", "Oct", "Nov", "Dec" };
	unsigned month, day, hour, minute;

	if (sscanf(rfc3339, "%*4u-%2u-%2uT%2u:%2u", &month, &day, &hour, &minute) == 4 &&
	    month >= 1 && month <= 12)
		snprintf(out, 16, "%2u %s %02u:%02u", day, months[month - 1], hour, minute);
	else
		snprintf(out, 16, "-");
}

/* ">>> waiting for you >>>" */
static void
put_phase(char *out, size_t width, enum step_mark mark, const char *label)
{
	size_t len = strlen(label), left;

	memset(out, "=>."[mark], width);
	if (len + 2 > width)
		return;
	left = (width - len) / 2;
	memcpy(out + left, label, len);
	out[left - 1] = out[left + len] = ' ';
}

void
keysteps_line(const struct keysteps *s, int width, char *out, size_t size)
{
	char begun[16];
	size_t len, room, wide = width > 0 ? (size_t)width : 0;

	out[0] = '\0';
	if (s->n_phases == 0 || wide >= size)
		return;
	keysteps_time(s->begun, begun);
	begun[strcspn(begun, ":") > 3 ? strcspn(begun, ":") - 3 : 1] = '\0'; /* the day */
	len = strlen(begun) + strlen(s->end) + s->n_phases + 2;
	room = wide > len ? (wide - len) / s->n_phases : 0;
	if (room < 3)
		return;
	len = (size_t)snprintf(out, size, "%s |", begun);
	for (size_t i = 0; i < s->n_phases; i++) {
		put_phase(out + len, room, s->phases[i].mark, s->phases[i].label);
		len += room;
		out[len++] = '|';
	}
	snprintf(out + len, size - len, "%s", s->end);
}
