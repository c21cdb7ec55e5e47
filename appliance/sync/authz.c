/* authz - see authz.h.  Called in the loop; authz_init() before the sandbox (it reads files). */
#include "appliance/sync/authz.h"

#include <pwd.h>
#include <stdio.h>
#include <string.h>

#include "ipc/sock.h"

void
authz_init(struct authz *a, uint32_t admin_uid)
{
	const struct passwd *pw = getpwuid(admin_uid);

	a->admin_uid = admin_uid;
	snprintf(a->admin_name, sizeof a->admin_name, "%s", pw != NULL ? pw->pw_name : "");
}

void
authz_caller(const struct authz *a, const struct ns_peer *peer, struct caller *c)
{
	const struct person *who;

	*c = (struct caller){ .role = USER_UNKNOWN, .uid = peer->uid, .via = "cli" };
	if (!peer->local) {
		snprintf(c->name, sizeof c->name, "unknown");
		return;
	}
	if (peer->uid == 0)
		snprintf(c->name, sizeof c->name, "root");
	else if (peer->uid == a->admin_uid && a->admin_name[0] != '\0')
		snprintf(c->name, sizeof c->name, "%s", a->admin_name);
	else if ((who = people_by_uid(a->people, peer->uid)) != NULL) {
		snprintf(c->name, sizeof c->name, "%s", who->name);
		c->role = who->role;
	} else
		snprintf(c->name, sizeof c->name, "uid-%u", peer->uid);
	if (peer->uid == 0 || peer->uid == a->admin_uid)
		c->role = USER_ADMIN;
}

void
authz_via(struct caller *c, const char *software)
{
	static const char *const known[] = { "console", "api" };

	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		if (software != NULL && strstr(software, known[i]) != NULL)
			snprintf(c->via, sizeof c->via, "%s", known[i]);
}
