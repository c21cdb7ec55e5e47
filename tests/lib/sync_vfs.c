/* sync_vfs - which disk a test build of nameserve-sync stands on.
 *
 * NAMESERVE_TEST_VFS (the supervisor passes it on): `slow:MS`, every sync takes so long; `crash:SEED:AT`,
 * the power goes at write number AT and the process ends with status 137; AT 0: what was not synced is
 * lost whenever the process ends.  NAMESERVE_TEST_HISTORY: so many changes are kept, however young.  Linked into build/vfs/nameserve-sync only. */
#include "tests/lib/sync_vfs.h"

#include <stdio.h>
#include <stdlib.h>

#include "appliance/store/state.h"
#include "ipc/base/log.h"
#include "tests/lib/vfs_crash.h"
#include "tests/lib/vfs_slow.h"

const char *
sync_test_vfs(void)
{
	const char *spec = getenv("NAMESERVE_TEST_VFS");
	unsigned ms;
	char seed[24], at[24];

	if (spec == NULL)
		return NULL;
	if (sscanf(spec, "slow:%u", &ms) == 1) {
		if (vfs_slow_register(ms) != 0)
			fatal("test.vfs", "vfs=slow");
		return "slow";
	}
	if (sscanf(spec, "crash:%23[0-9]:%23[0-9]", seed, at) == 2) {
		setenv("NS_CRASH_SEED", seed, 1);
		setenv("NS_CRASH_AT", at, 1);
		if (vfs_crash_register() != 0)
			fatal("test.vfs", "vfs=crash");
		return "crash";
	}
	fatal("test.vfs", "spec=%s", log_quote(spec));
}

const struct store_retention *
sync_test_retention(void)
{
	static struct store_retention few;
	const char *spec = getenv("NAMESERVE_TEST_HISTORY");

	if (spec == NULL)
		return NULL;
	few.least = strtoull(spec, NULL, 10);
	few.most = UINT64_MAX;
	return &few;
}
