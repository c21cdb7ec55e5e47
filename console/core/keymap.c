/* keymap.c - see keymap.h. */
#include "console/core/keymap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console/core/key.h"
#include "ipc/base/xalloc.h"

#define KEYS_MAX  256u
#define CODE_KEYS 9101 /* in ns_why: a table that contradicts itself */

struct keymap {
	struct {
		uint32_t key;
		const struct ns_action *action;
	} bound[KEYS_MAX];
	size_t n;
};

/* Can both be wanted on one screen?  A list is none with a form's keys. */
static bool
meet(unsigned a, unsigned b)
{
	/* Enter in the query test asks: nothing can be opened there. */
	const unsigned open = ((a | b) & CTX_QUERY) != 0 ? 0 : CTX_OPEN;
	const unsigned common =
	    CTX_LIST | CTX_TEXT | CTX_FILTER | CTX_TABS | CTX_WIDE | CTX_PROBLEMS | CTX_ROWS | open;

	if (((a | b) & CTX_GLOBAL) != 0 || (a & b) != 0)
		return true;
	if (a == CTX_PLAIN || b == CTX_PLAIN) /* a field names something, or is text */
		return ((a | b) & (CTX_FORM | CTX_PLAIN)) == (CTX_FORM | CTX_PLAIN);
	if (((a | b) | CTX_OWN) == CTX_OWN)
		return false;
	if (((a | b) & (CTX_WIDE | CTX_PREVIEW)) == (CTX_WIDE | CTX_PREVIEW))
		return false;
	if (((a | b) & (CTX_SEARCH | CTX_FILTER)) == (CTX_SEARCH | CTX_FILTER))
		return false;
	if (((a | CTX_ALONE) == CTX_ALONE && (b & common) == 0) ||
	    ((b | CTX_ALONE) == CTX_ALONE && (a & common) == 0))
		return false;
	return ((a ^ b) & CTX_FORM) == 0;
}

static bool
is_text(uint32_t key)
{
	return key >= ' ' && key < UIKEY_BASE && key != UIKEY_BACKSPACE;
}

static enum ns_err
bind(struct keymap *m, const struct ns_action *a, const char *name, struct ns_why *why)
{
	uint32_t key = key_number(name);

	if (key == 0)
		return ns_fail(why, NS_INVALID, CODE_KEYS, "%s: there is no key %s", a->name, name);
	for (size_t i = 0; i < m->n; i++)
		if (m->bound[i].key == key && meet(m->bound[i].action->contexts, a->contexts))
			return ns_fail(why, NS_CONFLICT, CODE_KEYS, "%s means %s and %s", name,
			    m->bound[i].action->name, a->name);
	if (m->n == KEYS_MAX)
		return ns_fail(why, NS_INVALID, CODE_KEYS, "too many keys");
	m->bound[m->n].key = key;
	m->bound[m->n++].action = a;
	return NS_OK;
}

static enum ns_err
bind_all(struct keymap *m, const struct ns_action *a, struct ns_why *why)
{
	char name[16];

	for (const char *p = ns_action_keys(a); *p != '\0';) {
		size_t len = strcspn(p, " ");

		if (len >= sizeof name)
			return ns_fail(why, NS_INVALID, CODE_KEYS, "%s: %s is no key", a->name, p);
		memcpy(name, p, len);
		name[len] = '\0';
		if (len > 0 && bind(m, a, name, why) != NS_OK)
			return why != NULL ? why->err : NS_INVALID;
		p += len + (p[len] == ' ');
	}
	return NS_OK;
}

struct keymap *
keymap_new(const struct ns_action *actions, struct ns_why *why)
{
	struct keymap *m = xcalloc(1, sizeof *m);
	bool quit = false;

	for (const struct ns_action *a = actions; a->id != ACT_NONE; a++) {
		if (bind_all(m, a, why) != NS_OK)
			goto out;
		quit |= a->id == ACT_QUIT && ns_action_keys(a)[0] != '\0';
	}
	if (quit)
		return m;
	(void)ns_fail(why, NS_INVALID, CODE_KEYS, "no key leaves the program");
out:
	keymap_destroy(&m);
	return NULL;
}

void
keymap_destroy(struct keymap **mp)
{
	free(*mp);
	*mp = NULL;
}

const struct ns_action *
keymap_find(const struct keymap *m, unsigned contexts, uint32_t key)
{
	if ((contexts & CTX_TYPED) != 0 && is_text(key))
		return NULL;
	for (size_t i = 0; i < m->n; i++)
		if (m->bound[i].key == key && (m->bound[i].action->contexts & contexts) != 0)
			return m->bound[i].action;
	return NULL;
}

const char *
keymap_key(const struct ns_action *a, unsigned contexts, char out[16])
{
	for (const char *p = ns_action_keys(a); *p != '\0';) {
		size_t len = strcspn(p, " ");

		snprintf(out, 16, "%.*s", (int)(len < 15 ? len : 15), p);
		if ((contexts & CTX_TYPED) == 0 || !is_text(key_number(out)))
			return out;
		p += len + (p[len] == ' ');
	}
	out[0] = '\0';
	return out;
}
