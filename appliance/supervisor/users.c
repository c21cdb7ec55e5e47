/* users - which uid each role runs as: nameserve-ROLE where there is such a user, else fixed ids.
 *
 * Called once, before rights are dropped; the only place that asks the passwd database. */
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cap-ng.h>

#include "appliance/supervisor/supervisor.h"

#define FIXED_GID 61000 /* the common group, where there is no group `nameserve` */
#define FIXED_UID 61001 /* plus enum role_id */

static const struct {
	unsigned cap;
	const char *name;
} needed[] = { { CAP_SETUID, "CAP_SETUID" }, { CAP_SETGID, "CAP_SETGID" }, { CAP_KILL, "CAP_KILL" },
	{ CAP_CHOWN, "CAP_CHOWN" } };

static enum ns_err
check_capabilities(struct ns_why *why)
{
	size_t i;

	capng_get_caps_process();
	for (i = 0; i < sizeof needed / sizeof *needed; i++)
		if (!capng_have_capability(CAPNG_EFFECTIVE, needed[i].cap))
			return ns_fail(why, NS_USAGE, 6020,
			    "running as root without %s: the processes could not become their own "
			    "users; "
			    "grant it, or run nameserved as a normal user",
			    needed[i].name);
	return NS_OK;
}

enum ns_err
users_find(struct users *u, struct ns_why *why)
{
	const struct group *gr;
	unsigned i;

	*u = (struct users){ .root = geteuid() == 0, .admin = geteuid(), .gid = getegid() };
	if (!u->root) {
		for (i = 0; i < ROLE_MAX; i++)
			u->uid[i] = u->admin;
		return NS_OK;
	}
	gr = getgrnam("nameserve");
	u->gid = gr != NULL ? gr->gr_gid : FIXED_GID;
	if (u->gid == 0)
		return ns_fail(why, NS_USAGE, 6021, "group nameserve: has gid 0");
	for (i = 0; i < ROLE_MAX; i++) {
		char name[32];
		const struct passwd *pw;

		snprintf(name, sizeof name, "nameserve-%s", role_name((enum role_id)i));
		pw = getpwnam(name);
		u->uid[i] = pw != NULL ? pw->pw_uid : FIXED_UID + i;
		if (u->uid[i] == 0)
			return ns_fail(why, NS_USAGE, 6021, "user %s: has uid 0", name);
	}
	return check_capabilities(why);
}
