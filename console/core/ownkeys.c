/* ownkeys.c - the operator's own keys over the table of actions; see action.h.  Read once, before the keymap is made. */
#include <stdlib.h>
#include <string.h>

#include "console/core/action.h"
#include "ipc/base/xalloc.h"

#define CODE_KEYS 9102 /* in ns_why: keys.conf */
#define LINE_MAX_ 256u
#define KEYS_LEN  64u

static char own[ACT_MAX][KEYS_LEN];
static bool is_own[ACT_MAX];

const char *
ns_action_keys(const struct ns_action *a)
{
	return is_own[a->id] ? own[a->id] : a->keys;
}

static char *
trim(char *s)
{
	size_t n;

	s += strspn(s, " \t");
	n = strlen(s);
	while (n > 0 && strchr(" \t\r", s[n - 1]) != NULL)
		s[--n] = '\0';
	return s;
}

/* What changes something is not done by the keys that people press without a thought. */
static bool
is_careless(const char *keys)
{
	static const char *const common[] = { "Enter", "Esc", "Tab", "Space", "Up", "Down", "Left",
		"Right", "PgUp", "PgDn", "Home", "End", "j", "k" };

	for (const char *p = keys; *p != '\0';) {
		size_t len = strcspn(p, " ");

		for (size_t i = 0; i < sizeof common / sizeof *common; i++)
			if (strlen(common[i]) == len && strncmp(p, common[i], len) == 0)
				return true;
		p += len + (p[len] == ' ');
	}
	return false;
}

static enum ns_err
take_line(char *line, unsigned number, struct ns_why *why)
{
	char *equals, *name, *keys;
	const struct ns_action *a = NULL;

	name = trim(line);
	if (name[0] == '\0' || name[0] == '#')
		return NS_OK;
	equals = strchr(name, '=');
	if (equals == NULL)
		return ns_fail(
		    why, NS_USAGE, CODE_KEYS, "line %u: expected ACTION = KEY KEY...", number);
	*equals = '\0';
	keys = trim(equals + 1);
	name = trim(name);
	for (const struct ns_action *each = ns_actions; each->id != ACT_NONE; each++)
		if (strcmp(each->name, name) == 0)
			a = each;
	if (a == NULL)
		return ns_fail(why, NS_USAGE, CODE_KEYS,
		    "line %u: there is no action %.40s; nameserve help keys lists them", number,
		    name);
	if (is_own[a->id])
		return ns_fail(
		    why, NS_USAGE, CODE_KEYS, "line %u: %s is there twice", number, name);
	if (strlen(keys) >= KEYS_LEN)
		return ns_fail(why, NS_USAGE, CODE_KEYS, "line %u: too many keys", number);
	if (a->writes && is_careless(keys))
		return ns_fail(why, NS_USAGE, CODE_KEYS,
		    "line %u: %s changes something: it is not for a key that moves or opens",
		    number, name);
	is_own[a->id] = true;
	memcpy(own[a->id], keys, strlen(keys) + 1);
	return NS_OK;
}

enum ns_err
ns_actions_own_keys(const char *text, struct ns_why *why)
{
	enum ns_err err = NS_OK;
	unsigned number = 0;

	memset(is_own, 0, sizeof is_own);
	while (err == NS_OK && *text != '\0') {
		size_t len = strcspn(text, "\n");
		char line[LINE_MAX_];

		number++;
		if (len >= sizeof line)
			return ns_fail(why, NS_USAGE, CODE_KEYS, "line %u is too long", number);
		memcpy(line, text, len);
		line[len] = '\0';
		err = take_line(line, number, why);
		text += len + (text[len] == '\n');
	}
	return err;
}
