/* codes - the stable numbers of the fleet's refusals, E27xx.  A number is never given to another meaning. */
#ifndef NS_FLEET_CODES_H
#define NS_FLEET_CODES_H

enum fleet_code {
	EF_ENDPOINT = 2701,	/* not tcp://ADDRESS:PORT */
	EF_TOKEN = 2702,	/* not an invitation */
	EF_NO_FLEET = 2703,	/* no [fleet] listen: this appliance is alone */
	EF_MEMBER = 2704,	/* no such appliance */
	EF_MEMBER_EXISTS = 2705,
	EF_NAME = 2706,
	EF_TRUST = 2707,
	EF_CONFIRM = 2708,
	EF_SELF = 2709,		/* an appliance does not remove itself */
	EF_INVITATION = 2710,	/* used, expired, or for another appliance */
	EF_HISTORY = 2711,	/* another history than the primary's */
	EF_TERM = 2712,		/* of an older term */
	EF_PRIMARY = 2713,	/* the primary cannot be reached: nothing was changed */
	EF_UNKNOWN = 2714,	/* the primary was lost: outcome unknown */
	EF_ONLY_PRIMARY = 2715,	/* only on the primary's own socket */
	EF_NOT_PRIMARY = 2716,	/* asked of a replica */
	EF_KEY = 2717,		/* the key file */
	EF_LISTEN = 2718,
	EF_FULL = 2719,		/* FLEET_MEMBERS */
	EF_SIZE = 2720,		/* too large to be forwarded */
	EF_TRUSTED = 2721,	/* more than this appliance may relay */
	EF_STANDBY = 2722,	/* the standby is silent: nothing was changed */
	EF_UNHEARD = 2723,	/* restarted, and nobody was heard yet */
	EF_SUPERSEDED = 2724,	/* a newer term is known */
	EF_HELD = 2725,		/* another is about to be promoted */
	EF_UNSTORED = 2726,	/* committed here, not stored by the standby: outcome unknown */
	EF_PROMOTE = 2727,	/* this appliance cannot be promoted now */
	EF_DRAINED = 2728,	/* it is, or is not, drained already */
	EF_LAST = 2729,		/* nobody would be left in service */
};

#endif
