/* rights - what the supervisor keeps once everything is bound, opened and created.
 *
 * SETUID and SETGID, with which children become their users; SETPCAP, with which they clear their
 * bounding set; KILL, to stop them; SYS_NICE, with which a worker takes its turn first (turn.c).  No file rights: what it needs later it holds open. */
#include <errno.h>
#include <string.h>
#include <sys/prctl.h>

#include <cap-ng.h>

#include "appliance/supervisor/supervisor.h"
#include "ipc/base/log.h"

void
super_drop_rights(const struct users *users)
{
	/* Children that become another uid do so by capability, which this does not take away. */
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		fatal("start.no_new_privs", "error=%s", strerror(errno));
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (users->root) {
		capng_clear(CAPNG_SELECT_BOTH);
		capng_updatev(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED | CAPNG_BOUNDING_SET,
		    CAP_SETUID, CAP_SETGID, CAP_SETPCAP, CAP_KILL, CAP_SYS_NICE, -1);
	} else {
		capng_clear(CAPNG_SELECT_CAPS);
	}
	if (capng_apply(users->root ? CAPNG_SELECT_BOTH : CAPNG_SELECT_CAPS) != 0)
		fatal("start.capabilities", "error=%s", strerror(errno));
}
