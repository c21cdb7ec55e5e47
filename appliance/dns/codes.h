/* codes - the stable numbers of what can be wrong with names, rdata, zones and zone files.
 *
 * Shown to people as E1101 and so on, kept in logs and scripts: a number is never given to another
 * meaning.  11xx rules of names, rdata and zones (errors); 12xx the same as warnings; 30xx the
 * syntax of master files. */
#ifndef NS_DNS_CODES_H
#define NS_DNS_CODES_H

enum dns_code {
	/* one name, one rdata */
	E_NAME = 1101, /* not a domain name */
	E_IPV4 = 1102, /* not an IPv4 address */
	E_IPV6 = 1103, /* not an IPv6 address */
	E_RDATA = 1104, /* rdata of another shape than the type's */
	E_RDATA_VALUE = 1105, /* the shape is right, a value is not */
	E_RDATA_TEXT = 1106, /* text that is no rdata of the type */
	E_NAME_DOT = 1107, /* a typed name with a dot inside and none at the end */
	E_META = 1108, /* a type that exists in messages only */
	/* one zone */
	E_CNAME_ALONE = 1120,
	E_SINGLE = 1121, /* more than one record of a type that may stand once */
	E_APEX_SOA = 1122,
	E_APEX_NS = 1123,
	E_APEX_CNAME = 1124,
	E_SOA_PLACE = 1125,
	E_BELOW_CUT = 1126,
	E_AT_CUT = 1127,
	E_DS_PLACE = 1128,
	E_BELOW_DNAME = 1129,
	E_OUTSIDE = 1130, /* owner outside the zone */
	E_RRSET_SIZE = 1131,
	E_OWNER_SIZE = 1132,
	E_TTL = 1133,
	E_NSEC3_PLACE = 1134,
	E_POLICY_PLAIN = 1135, /* a policy and plain records of its type at one name */
	E_POLICY_PLACE = 1136, /* a policy where none may be */
	E_POLICY_TTL = 1137, /* the pseudo record's TTL is 0: the policy has its own */
	E_ALIAS = 1138, /* an ALIAS beside addresses, or one that leads nowhere */
	E_ZWIRE = 1140, /* a zwire that breaks its own rules */
	E_ZONE_SIZE = 1141,
	/* one policy */
	E_POLICY = 1150, /* not what a policy looks like */
	E_POLICY_LIMIT = 1151,
	E_POLICY_POOL = 1152, /* a pool that is not there, empty, or never used */
	E_POLICY_VALUE = 1153, /* an answer that is not of the type */
	E_POLICY_KEY = 1154, /* a place that is none, or the same one twice */
	E_POLICY_REACH = 1155, /* a branch that is never reached */
	E_POLICY_CHECK = 1156, /* a check that is not there */
	/* worth a look */
	W_NS_NO_ADDRESS = 1201, /* in-zone target without an address (RFC 1912 2.8) */
	W_TARGET_NO_ADDRESS = 1202,
	W_TARGET_CNAME = 1203, /* RFC 2181 10.3 */
	W_NO_GLUE = 1204,
	W_TTL_ZERO = 1205,
	W_NEGATIVE_TTL = 1206,
	W_SOA_TIMERS = 1209,
	W_WILD_CUT = 1210, /* RFC 4592 4.2 and 4.4 */
	W_POLICY_CLOSURE = 1211, /* too many different answers to be signed */
	W_ONE_NS = 1208,
	/* master files */
	E_TEXT_SYNTAX = 3001, /* quotes, parentheses, escapes */
	E_TEXT_LONG = 3002, /* a record longer than ZONETEXT_MAX_LINE */
	E_TEXT_DIRECTIVE = 3003,
	E_TEXT_OWNER = 3004, /* no owner to repeat */
	E_TEXT_TTL = 3005,
	E_TEXT_CLASS = 3006,
	E_TEXT_TYPE = 3007,
	E_TEXT_END = 3008, /* the file ends inside a record */
};

#endif
