/* rights - from root to a role's user, for good.
 *
 * Called by role_main() in the only thread.  Two steps, because ops->open must create files as the
 * role and the bounding set can only be cleared while CAP_SETPCAP is effective: rights_lend() does
 * everything that needs root and takes the role's effective uid; rights_drop() makes real and saved
 * uid the same and then proves that nothing is left.  Not started as root: uid 0 in ChildStart, and
 * only capabilities are dropped. */
#include <errno.h>
#include <grp.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cap-ng.h>

#include "appliance/role/role_internal.h"
#include "ipc/base/log.h"

static void
clear_bounding_set(void)
{
	int cap;

	for (cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) != 0)
			return; /* no CAP_SETPCAP: with no_new_privs nothing in it can be gained */
}

void
rights_lend(const Ns__ChildStart *start)
{
	if (start->uid == 0)
		return;
	if (setgroups(0, NULL) != 0 || setresgid(start->gid, start->gid, start->gid) != 0)
		fatal("role.gid", "gid=%u error=%s", start->gid, strerror(errno));
	clear_bounding_set();
	if (setresuid((uid_t)-1, start->uid, 0) != 0)
		fatal("role.uid", "uid=%u error=%s", start->uid, strerror(errno));
}

static void
prove(const Ns__ChildStart *start)
{
	uid_t r, e, s;

	if (getresuid(&r, &e, &s) != 0 || r != start->uid || e != start->uid || s != start->uid ||
	    setuid(0) == 0)
		fatal("role.uid", "uid=%u error=\"rights are not gone\"", start->uid);
	if (getgid() != start->gid || getegid() != start->gid || getgroups(0, NULL) != 0)
		fatal("role.gid", "gid=%u error=\"rights are not gone\"", start->gid);
}

void
rights_drop(const Ns__ChildStart *start)
{
	if (start->uid != 0) {
		if (setresuid(start->uid, start->uid, start->uid) != 0)
			fatal("role.uid", "uid=%u error=%s", start->uid, strerror(errno));
		prove(start);
	}
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	capng_clear(CAPNG_SELECT_CAPS);
	if (capng_apply(CAPNG_SELECT_CAPS) != 0)
		fatal("role.capabilities", "error=%s", strerror(errno));
	capng_get_caps_process();
	if (capng_have_capabilities(CAPNG_SELECT_CAPS) != CAPNG_NONE)
		fatal("role.capabilities", "error=\"capabilities are left\"");
	/* No ptrace and no /proc/PID/mem by another process of the same user.  The change of uid
	 * cleared the signal that ties our life to the supervisor's. */
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
}
