/* kinds.c - see kinds.h.  Pure. */
#include "ipc/client/kinds.h"

#include <stddef.h>

#define B(name) NS__ENVELOPE__BODY_##name

static const struct {
	Ns__Envelope__BodyCase request, reply;
	bool writes;
} kinds[] = {
	{ B(STATUS_REQUEST), B(STATUS_REPLY), false },
	{ B(ZONE_LIST_REQUEST), B(ZONE_LIST_REPLY), false },
	{ B(PRESENCE_REQUEST), B(PRESENCE_REPLY), false },
	{ B(ZONE_SHOW_REQUEST), B(ZONE_INFO), false },
	{ B(ZONE_CREATE_REQUEST), B(COMMIT_REPLY), true },
	{ B(ZONE_DELETE_REQUEST), B(COMMIT_REPLY), true },
	{ B(ZONE_EXPORT_REQUEST), B(TEXT_CHUNK), false },
	{ B(IMPORT_BEGIN), B(IMPORT_READY), true },
	{ B(IMPORT_DATA), B(IMPORT_PROGRESS), true },
	{ B(IMPORT_END), B(IMPORT_REPLY), true },
	{ B(IMPORT_ABANDON), B(DONE), true },
	{ B(RECORD_LIST_REQUEST), B(RECORD_LIST_REPLY), false },
	{ B(COMMIT_REQUEST), B(COMMIT_REPLY), true },
	{ B(SETTINGS_GET_REQUEST), B(SETTINGS_REPLY), false },
	{ B(SETTINGS_SET_REQUEST), B(SETTINGS_REPLY), true },
	{ B(HISTORY_LIST_REQUEST), B(HISTORY_LIST_REPLY), false },
	{ B(HISTORY_SHOW_REQUEST), B(HISTORY_SHOW_REPLY), false },
	{ B(STATS_REQUEST), B(STATS_REPLY), false },
	{ B(VERIFY_REQUEST), B(VERIFY_REPLY), false },
	{ B(USER_SET_REQUEST), B(OBJECT_REPLY), true },
	{ B(USER_LIST_REQUEST), B(USER_LIST_REPLY), false },
	{ B(ACCOUNT_SET_REQUEST), B(OBJECT_REPLY), true },
	{ B(ACCOUNT_LIST_REQUEST), B(ACCOUNT_LIST_REPLY), false },
	{ B(ZONE_SET_REQUEST), B(COMMIT_REPLY), true },
	{ B(BACKUP_REQUEST), B(TEXT_CHUNK), false },
	{ B(BACKUP_RESTORE_REQUEST), B(TEXT_CHUNK), true },
	{ B(ZONE_CHECK_REQUEST), B(ZONE_CHECK_REPLY), false },
	{ B(TEST_REQUEST), B(TEST_REPLY), false },
	{ B(PLAN_REQUEST), B(PLAN_REPLY), false },
	{ B(CONFIRM_REQUEST), B(COMMIT_REPLY), true },
	{ B(REVERT_REQUEST), B(COMMIT_REPLY), true },
	{ B(REWIND_REQUEST), B(COMMIT_REPLY), true },
	{ B(TRASH_LIST_REQUEST), B(TRASH_LIST_REPLY), false },
	{ B(ZONE_RESTORE_REQUEST), B(COMMIT_REPLY), true },
	{ B(FLEET_LIST_REQUEST), B(FLEET_LIST_REPLY), false },
	{ B(FLEET_SHOW_REQUEST), B(FLEET_SHOW_REPLY), false },
	{ B(FLEET_INVITE_REQUEST), B(FLEET_INVITE_REPLY), true },
	{ B(FLEET_REMOVE_REQUEST), B(COMMIT_REPLY), true },
	{ B(FLEET_DRAIN_REQUEST), B(FLEET_DRAIN_REPLY), true },
	{ B(FLEET_ROLL_REQUEST), B(FLEET_ROLL_REPLY), true },
	{ B(FLEET_STANDBY_REQUEST), B(COMMIT_REPLY), true },
	{ B(FLEET_PROMOTE_REQUEST), B(FLEET_PROMOTE_REPLY), true },
	{ B(DNSSEC_SET_REQUEST), B(COMMIT_REPLY), true },
	{ B(DNSSEC_SHOW_REQUEST), B(DNSSEC_SHOW_REPLY), false },
	{ B(CHECK_PLAN_REQUEST), B(DONE), false },
	{ B(CHECK_SET_REQUEST), B(OBJECT_REPLY), true },
	{ B(CHECK_STATE_REQUEST), B(OBJECT_REPLY), true },
	{ B(CHECK_LIST_REQUEST), B(CHECK_LIST_REPLY), false },
	{ B(HEALTH_LIST_REQUEST), B(HEALTH_LIST_REPLY), false },
	{ B(CHECK_PROBE_REQUEST), B(CHECK_PROBE_REPLY), false },
	{ B(LOST_REQUEST), B(LOST_REPLY), true },
	{ B(TAIL_REQUEST), B(TAIL_REPLY), false },
	{ B(ALIAS_LIST_REQUEST), B(ALIAS_LIST_REPLY), false },
};

bool
kind_writes(Ns__Envelope__BodyCase request)
{
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		if (kinds[i].request == request)
			return kinds[i].writes;
	/* A request that nobody entered above: the careful answer. */
	return true;
}

bool
kind_answers(Ns__Envelope__BodyCase request, Ns__Envelope__BodyCase reply)
{
	if (reply == B(ERROR))
		return true;
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		if (kinds[i].request == request)
			/* A commit's reply may say what a write did, Done that there is nothing to say. */
			return kinds[i].reply == reply ||
			       (kinds[i].writes && (reply == B(COMMIT_REPLY) || reply == B(DONE)));
	return reply != NS__ENVELOPE__BODY__NOT_SET;
}
