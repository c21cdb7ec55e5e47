/* people - see people.h.  Reader and writer threads load; the loop asks. */
#include "appliance/sync/people.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/store/store.h"
#include "ipc/base/log.h"
#include "ipc/base/text.h"
#include "ipc/base/xalloc.h"
#include "ipc/nameserve.pb-c.h"

#define PASSWD     "/etc/passwd"
#define PEOPLE_MAX 4096u /* users; more would make every start slow for nothing */

static const char *const role_names[] = {
	[USER_UNKNOWN] = "none",
	[USER_VIEWER] = "viewer",
	[USER_OPERATOR] = "operator",
	[USER_ADMIN] = "admin",
};
#define NROLES (sizeof role_names / sizeof role_names[0])

const char *
user_role_name(enum user_role role)
{
	return role_names[role];
}

enum user_role
user_role_from(const char *name)
{
	for (unsigned i = USER_VIEWER; i < NROLES; i++)
		if (strcmp(role_names[i], name) == 0)
			return (enum user_role)i;
	return USER_UNKNOWN;
}

bool
people_name_ok(const char *name)
{
	static const char good[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
	static const char *const ours[] = { "root", "nameserve", "unknown" };
	size_t len = strlen(name);

	if (len == 0 || len > PEOPLE_NAME_MAX || name[0] == '-' || strspn(name, good) != len ||
	    strncmp(name, "uid-", 4) == 0)
		return false;
	for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
		if (strcmp(name, ours[i]) == 0)
			return false;
	return true;
}

static bool
add_user(void *arg, const struct store_object *o, const void *body, size_t len)
{
	struct people *p = arg;
	Ns__User *m = ns__user__unpack(NULL, len, body);
	struct person *who;

	if (m == NULL || strlen(m->unix_account) > PEOPLE_NAME_MAX || !people_name_ok(o->name) ||
	    user_role_from(m->role) == USER_UNKNOWN) {
		log_warn("people.user", "user=%s text=\"cannot be read: has no rights here\"",
		    log_quote(o->name));
	} else {
		p->list = xreallocarray(p->list, p->count + 1, sizeof *p->list);
		who = &p->list[p->count++];
		*who = (struct person){ .role = user_role_from(m->role), .version = o->version };
		text_copy(who->name, sizeof who->name, o->name);
		text_copy(who->unix_account, sizeof who->unix_account, m->unix_account);
	}
	ns__user__free_unpacked(m, NULL);
	return p->count < PEOPLE_MAX;
}

static void
find_accounts(struct people *p, const char *passwd)
{
	FILE *f = p->count > 0 ? fopen(passwd, "re") : NULL;
	const struct passwd *pw;

	if (f == NULL)
		return;
	while ((pw = fgetpwent(f)) != NULL) {
		for (size_t i = 0; i < p->count; i++) {
			struct person *who = &p->list[i];

			if (who->known || strcmp(who->unix_account, pw->pw_name) != 0)
				continue;
			who->known = true;
			who->uid = pw->pw_uid;
		}
	}
	fclose(f);
}

struct people *
people_load(struct store *s, const char *passwd)
{
	struct people *p = xcalloc(1, sizeof *p);

	if (store_object_each(s, "user", add_user, p) != NS_OK)
		log_error("people.store", "text=\"the users cannot be read from the store\"");
	find_accounts(p, passwd != NULL ? passwd : PASSWD);
	return p;
}

void
people_destroy(struct people **pp)
{
	if (*pp == NULL)
		return;
	free((*pp)->list);
	free(*pp);
	*pp = NULL;
}

/* Two users may be one account: the one with more rights is he. */
const struct person *
people_by_uid(const struct people *p, uint32_t uid)
{
	const struct person *best = NULL;

	for (size_t i = 0; p != NULL && i < p->count; i++) {
		const struct person *who = &p->list[i];

		if (who->known && who->uid == uid && (best == NULL || who->role > best->role))
			best = who;
	}
	return best;
}

const struct person *
people_by_name(const struct people *p, const char *name)
{
	for (size_t i = 0; p != NULL && i < p->count; i++)
		if (strcmp(p->list[i].name, name) == 0)
			return &p->list[i];
	return NULL;
}
