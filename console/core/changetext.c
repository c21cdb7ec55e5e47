/* changetext.c - see changetext.h. */
#include "console/core/changetext.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console/core/policytree.h"
#include "ipc/base/xalloc.h"

#define WORDS_MAX 1024u

/* A line in its parts, which it borrows. */
struct parts {
	const char *owner, *ttl, *type, *data;
	int owner_len, ttl_len, type_len;
};

static bool
split(const char *line, struct parts *p)
{
	const char *class;

	p->owner = line;
	p->owner_len = (int)strcspn(line, " ");
	p->ttl = p->owner + p->owner_len + (line[p->owner_len] == ' ');
	p->ttl_len = (int)strcspn(p->ttl, " ");
	class = p->ttl + p->ttl_len;
	if (strncmp(class, " IN ", 4) != 0)
		return false;
	p->type = class + 4;
	p->type_len = (int)strcspn(p->type, " ");
	p->data = p->type + p->type_len + (p->type[p->type_len] == ' ');
	return true;
}

static bool
is_type(const struct parts *p, const char *type)
{
	return (int)strlen(type) == p->type_len && strncmp(p->type, type, strlen(type)) == 0;
}

/* Of a name's policies each is for a type of its own, which its data begins with. */
static bool
same_place(const struct parts *a, const struct parts *b)
{
	size_t of = is_type(a, "NSPOLICY") ? strcspn(a->data, " ") + 1 : 0;

	return a->owner_len == b->owner_len && a->type_len == b->type_len &&
	       strncmp(a->owner, b->owner, (size_t)a->owner_len) == 0 &&
	       strncmp(a->type, b->type, (size_t)a->type_len) == 0 &&
	       (of == 0 || strncmp(a->data, b->data, of) == 0);
}

/* The only one of that owner and type; NULL: none, or several. */
static const char *
only(char *const *lines, size_t n, const struct parts *of)
{
	const char *found = NULL;
	struct parts p;

	for (size_t i = 0; i < n; i++)
		if (split(lines[i], &p) && same_place(&p, of)) {
			if (found != NULL)
				return NULL;
			found = lines[i];
		}
	return found;
}

/* Behind the primary and the mailbox. */
static const char *
serial_of(const struct parts *soa)
{
	const char *at = strchr(soa->data, ' ');

	at = at != NULL ? strchr(at + 1, ' ') : NULL;
	return at != NULL ? at + 1 : soa->data;
}

static bool
serial_only(const struct parts *a, const struct parts *b)
{
	const char *sa = serial_of(a), *sb = serial_of(b);

	return is_type(a, "SOA") && sa - a->data == sb - b->data && a->ttl_len == b->ttl_len &&
	       strncmp(a->data, b->data, (size_t)(sa - a->data)) == 0 &&
	       strncmp(a->ttl, b->ttl, (size_t)a->ttl_len) == 0 &&
	       strcmp(sa + strcspn(sa, " "), sb + strcspn(sb, " ")) == 0;
}

/* "owner policy A words"; was NULL: it comes, or goes.  NULL: it is none that is understood. */
static char *
policy_line(const struct parts *p, const struct parts *was)
{
	char type[16], words[WORDS_MAX] = "";
	json_t *doc = is_type(p, "NSPOLICY") ? pol_parse(p->data, type) : NULL;
	json_t *old = doc != NULL && was != NULL ? pol_parse(was->data, type) : NULL;

	if (doc != NULL && old != NULL)
		pol_diff(old, doc, words, sizeof words);
	else if (doc != NULL && was == NULL)
		pol_all(doc, words, sizeof words);
	json_decref(doc);
	json_decref(old);
	return words[0] != '\0'
		   ? xasprintf("%.*s policy %s %s", p->owner_len, p->owner, type, words)
		   : NULL;
}

static char *
changed_line(const struct parts *a, const struct parts *b)
{
	bool ttl = a->ttl_len != b->ttl_len || strncmp(a->ttl, b->ttl, (size_t)a->ttl_len) != 0;
	bool data = strcmp(a->data, b->data) != 0;
	char *policy = policy_line(b, a);

	if (policy != NULL)
		return policy;
	return xasprintf("%.*s %.*s%s%.*s IN %.*s %s%s%s", a->owner_len, a->owner, a->ttl_len,
	    a->ttl, ttl ? " -> " : "", ttl ? b->ttl_len : 0, b->ttl, a->type_len, a->type, a->data,
	    data ? " -> " : "", data ? b->data : "");
}

static void
one_line(const char *line, char sign, void (*fn)(void *, char, const char *), void *arg)
{
	struct parts p;
	char *policy = split(line, &p) ? policy_line(&p, NULL) : NULL;

	fn(arg, sign, policy != NULL ? policy : line);
	free(policy);
}

void
changetext(char *const *removed, size_t n_removed, char *const *added, size_t n_added,
    void (*fn)(void *, char, const char *), void *arg)
{
	struct parts a, b;

	for (size_t i = 0; i < n_removed; i++) {
		const char *new = NULL;
		char *text;

		if (split(removed[i], &a) && only(removed, n_removed, &a) != NULL)
			new = only(added, n_added, &a);
		if (new == NULL || !split(new, &b)) {
			one_line(removed[i], '-', fn, arg);
		} else if (!serial_only(&a, &b)) {
			text = changed_line(&a, &b);
			fn(arg, '~', text);
			free(text);
		}
	}
	for (size_t i = 0; i < n_added; i++)
		if (!split(added[i], &a) || only(added, n_added, &a) == NULL ||
		    only(removed, n_removed, &a) == NULL)
			one_line(added[i], '+', fn, arg);
}
