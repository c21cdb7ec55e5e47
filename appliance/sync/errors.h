/* errors - the stable numbers of sync's refusals, shown to people as E2104 and so on.
 *
 * A number is never given to another meaning.  20xx requests, 21xx zones and edits, 22xx lists and
 * settings, 23xx import, 24xx history, 25xx the store,  26xx the other processes, 28xx
 * backup, restore, snapshots. 11xx, 12xx and
 * 30xx are those of appliance/dns/codes.h, 1001 that of the transport. */
#ifndef NS_SYNC_ERRORS_H
#define NS_SYNC_ERRORS_H

enum sync_code {
	ES_VERSION = 1001,	/* another major version, or no hello before the request */

	ES_DENIED = 2001,	/* this caller may not do that */
	ES_BUSY = 2002,		/* too much outstanding, here or from this caller */
	ES_DEADLINE = 2003,	/* time was over before work began: nothing changed */
	ES_REQUEST = 2004,	/* not a request that is answered here */
	ES_STOPPING = 2005,	/* the process is leaving */
	ES_REPLICA = 2006,	/* only a primary commits */

	ES_NO_ZONE = 2101,
	ES_ZONE_EXISTS = 2102,
	ES_ZONE_NAME = 2103,
	ES_STALE = 2104,	/* the base is not the newest version */
	ES_EXTERNAL = 2105,	/* arrived with DNSSEC records: no single edits */
	ES_OUT_OF_ZONE = 2106,
	ES_TTL_MISMATCH = 2107,	/* record add with another TTL than the RRset's */
	ES_DUPLICATE = 2108,
	ES_NO_RECORD = 2109,
	ES_NO_RDATA = 2110,
	ES_TYPE = 2111,		/* no such type, or not one to edit */
	ES_TTL = 2112,
	ES_NO_NS = 2113,	/* zone create without name servers */
	ES_CONFIRM = 2114,
	ES_EMPTY = 2115,	/* nothing asked for */
	ES_ZONE_TWICE = 2116,	/* one zone twice in a commit */
	ES_HOSTMASTER = 2117,
	ES_RAIL = 2118,		/* too much of a zone would change: --confirm */
	ES_PLAN = 2119,		/* the plan that was seen is not what would happen now */
	ES_WINDOW_OPEN = 2120,	/* an RRset waits for its change to be confirmed */
	ES_TOUCHED = 2121,	/* what is to be reverted was changed since */
	ES_NO_INVERSE = 2122,	/* there is nothing that takes this back */
	ES_NO_SERIAL = 2123,	/* the zone was never at that serial */
	ES_NO_TRASH = 2124,	/* not in the trash */
	ES_NO_WINDOW = 2125,	/* nothing to confirm */
	ES_COMMENT = 2126,	/* longer than the log keeps */
	ES_WINDOWS = 2127,	/* too many unconfirmed changes */

	ES_FILTER = 2201,
	ES_CURSOR = 2202,
	ES_SETTING = 2203,
	ES_SETTING_VALUE = 2204,

	ES_NO_SESSION = 2301,
	ES_WINDOW = 2302,	/* more data in flight than the window allows */
	ES_NEEDS_COMMIT = 2303,	/* the zone exists and differs */
	ES_FILE_SIZE = 2304,
	ES_FILE_OPEN = 2305,	/* the session ended inside a file */
	ES_FILES_OPEN = 2306,	/* too many unfinished files at once */

	ES_NO_OBJECT = 2210,	/* no user, account … of that name */
	ES_USER = 2211,
	ES_ACCOUNT = 2212,
	ES_CHECK = 2214,	/* a health check that cannot be */
	ES_CHECK_USED = 2215,	/* something needs it */
	ES_NEIGHBOUR = 2213,	/* a zone of another account is equal, above or below */
	ES_DNSSEC = 2295,	/* algorithm or denial that is not made here */
	ES_DNSSEC_TYPE = 2296,	/* a type that only the signer makes */
	ES_DNSSEC_CANNOT = 2297, /* what cannot be signed */
	ES_DNSSEC_SIGNED = 2297,	/* not with a zone that is signed here */
	ES_RESIDENCY = 2280,	/* sites that cannot be, or leave out whoever leads */

	ES_NO_REVISION = 2401,
	ES_DIVERGED = 2402,	/* a change does not fit the store that it is applied to */
	ES_BODY = 2403,		/* bytes that are no change */

	ES_STORE = 2501,
	ES_DISK = 2502,

	/* 2801 to 2805 are ipc/backup.h's: what is wrong with a file. */
	ES_BACKUP = 2811,	/* the copy cannot be made or read */
	ES_RESTORE = 2812,	/* the backup cannot become the store */

	ES_SNAPSHOT = 2821,	/* of a primary: cannot be made, or is none */
	ES_PRUNED = 2822,	/* before the beginning of the log that is kept here */

	ES_NO_SIGNER = 2601,
	ES_NO_ANSWER = 2602,
	ES_NO_PROBE = 2603,
	ES_NO_LOOK = 2616,	/* a check that cannot be looked at now */
	ES_PARENT = 2604,	/* nobody who could be asked about the parent */
};

#endif
