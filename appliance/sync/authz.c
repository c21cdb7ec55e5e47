/* authz - see authz.h.  Called in the loop; authz_init() before the sandbox (it reads files). */
#include "appliance/sync/authz.h"

#include <pwd.h>
#include <stdio.h>
#include <string.h>

#include "appliance/sync/errors.h"
#include "ipc/base/log.h"
#include "ipc/base/text.h"
#include "ipc/sock.h"

void
authz_init(struct authz *a, uint32_t admin_uid, const char *shared)
{
	const struct passwd *pw = getpwuid(admin_uid);

	a->admin_uid = admin_uid;
	snprintf(a->admin_name, sizeof a->admin_name, "%s", pw != NULL ? pw->pw_name : "");
	if (shared[0] == '\0')
		return;
	pw = getpwnam(shared);
	a->shares = pw != NULL && pw->pw_uid != 0 && pw->pw_uid != admin_uid;
	if (a->shares)
		a->shared_uid = pw->pw_uid;
	else
		log_warn("authz.shared", "account=%s text=\"%s: it speaks for nobody\"",
		    log_quote(shared), pw == NULL ? "no such account here" : "an administrator");
}

/* The shared account names a person of the store, whatever accounts that one has here. */
static enum ns_err
speaks_for(const struct authz *a, const struct ns_peer *peer, const char *person, struct caller *c,
    struct ns_why *why)
{
	const struct person *who;

	snprintf(c->name, sizeof c->name, "unknown");
	if (!peer->local || !a->shares || peer->uid != a->shared_uid)
		return ns_fail(why, NS_DENIED, ES_DENIED,
		    "only the account that [ssh] account names speaks for others here");
	if (!people_name_ok(person))
		return ns_fail(why, NS_DENIED, ES_DENIED, "%.64s is no user's name", person);
	snprintf(c->name, sizeof c->name, "%s", person);
	if ((who = people_by_name(a->people, person)) != NULL)
		c->role = who->role;
	return NS_OK;
}

enum ns_err
authz_caller(const struct authz *a, const struct ns_peer *peer, const char *person,
    struct caller *c, struct ns_why *why)
{
	const struct person *who;

	*c = (struct caller){ .role = USER_UNKNOWN, .uid = peer->uid, .via = "cli" };
	if (person[0] != '\0')
		return speaks_for(a, peer, person, c, why);
	if (!peer->local) {
		snprintf(c->name, sizeof c->name, "unknown");
		return NS_OK;
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
	return NS_OK;
}

void
authz_way(struct caller *c, const char *software, const char *source, const char *appliance)
{
	static const char *const known[] = { "console", "api" };

	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		if (software != NULL && strstr(software, known[i]) != NULL)
			snprintf(c->via, sizeof c->via, "%s", known[i]);
	source_take(source, c->source);
	if (c->source[0] == '\0')
		memcpy(c->source, SOURCE_LOCAL, sizeof SOURCE_LOCAL);
	text_copy(c->appliance, sizeof c->appliance, appliance);
}

void
authz_way_keep(struct caller *c, const struct caller *was)
{
	memcpy(c->via, was->via, sizeof c->via);
	memcpy(c->source, was->source, sizeof c->source);
	memcpy(c->appliance, was->appliance, sizeof c->appliance);
}
