/* commands - the table of commands. Help, completion and the man page's check come from it. */
#include "console/cli/cli.h"

#define EDIT                                                                                 \
	(OPT_BIT(OPT_COMMIT) | OPT_BIT(OPT_COMMENT) | OPT_BIT(OPT_BASE) | OPT_BIT(OPT_KEY) | \
	    OPT_BIT(OPT_WAIT) | OPT_BIT(OPT_PLAN) | OPT_BIT(OPT_CONFIRM) | OPT_BIT(OPT_WITHIN))
#define DIRECT (OPT_BIT(OPT_COMMIT) | OPT_BIT(OPT_COMMENT) | OPT_BIT(OPT_KEY) | OPT_BIT(OPT_WAIT))
#define OBJECT (OPT_BIT(OPT_COMMIT) | OPT_BIT(OPT_COMMENT) | OPT_BIT(OPT_KEY))
#define PAGE   (OPT_BIT(OPT_LIMIT) | OPT_BIT(OPT_CURSOR))

const struct cli_command cli_commands[] = {
	{ "console", NULL, "", "the full-screen console; so is nameserve alone on a terminal",
	    "Keys: ? in it. NO_COLOR or --color=never does without colour; --ascii without UTF-8.",
	    0, 0,
	    OPT_BIT(OPT_ASCII) | OPT_BIT(OPT_UTF8) | OPT_BIT(OPT_COLOR) | OPT_BIT(OPT_CLIPBOARD) |
		OPT_BIT(OPT_THEME) | OPT_BIT(OPT_LINEAR),
	    cmd_console },
	{ "status", NULL, "", "this appliance: role, revision, processes, problems",
	    "--wait REVISION returns when all of its workers answer from that change, or with exit "
	    "code 11 when they do not within --timeout.",
	    0, 0, OPT_BIT(OPT_WAIT), cmd_status },
	{ "zone", "list", "", "zones, by name or as --sort has it",
	    "--filter takes words that must all match: foo (part of the name), ^foo (its start), "
	    "*.x.* (glob), ~re (regular expression), -word (must not match), dnssec:on, "
	    "dnssec:off, "
	    "dnssec:bad, health:bad, qps:>100, qps:<1, changed:<1d, changed:>30m, draft:mine.\n"
	    "--sort takes name, serial, records, rrsets, qps, dnssec or health (the worst first) "
	    "or "
	    "changed; -qps is the other way round: the largest first.",
	    0, 0, OPT_BIT(OPT_FILTER) | OPT_BIT(OPT_SORT) | PAGE, cmd_zone_list },
	{ "zone", "show", "ZONE", "one zone: serial, records, version", NULL, 1, 1, 0,
	    cmd_zone_show },
	{ "zone", "create", "ZONE", "a new zone with SOA and NS",
	    "The name servers and the hostmaster come from `settings set`, or from --ns and "
	    "--hostmaster.",
	    1, 1, DIRECT | OPT_BIT(OPT_NS) | OPT_BIT(OPT_HOSTMASTER) | OPT_BIT(OPT_ACCOUNT),
	    cmd_zone_create },
	{ "zone", "import", "ZONE FILE | --dir DIR", "master files into zones",
	    "FILE may be - for standard input. With --dir every regular file of DIR is a zone of "
	    "the "
	    "file's name; a bad file is reported with its line while the others go in. A new zone "
	    "keeps the file's serial. Of a zone that is there already, ZONE FILE makes a draft of "
	    "the "
	    "difference; --commit replaces it at once.",
	    0, 2, DIRECT | OPT_BIT(OPT_DIR) | OPT_BIT(OPT_CONFIRM), cmd_zone_import },
	{ "zone", "export", "ZONE", "the zone as a master file",
	    "With --draft as your draft would make it, be that allowed or not.", 1, 1,
	    OPT_BIT(OPT_DRAFT), cmd_zone_export },
	{ "zone", "check", "ZONE", "what the parent says of the zone, and what to do about it",
	    "Asks the servers of the parent, which the resolver of the configuration finds: are "
	    "the "
	    "zone's name servers delegated, their addresses right, and does the DS fit the keys?",
	    1, 1, 0, cmd_zone_check },
	{ "zone", "delete", "ZONE", "remove a zone; needs --confirm=ZONE", NULL, 1, 1,
	    DIRECT | OPT_BIT(OPT_CONFIRM), cmd_zone_delete },
	{ "zone", "restore", "ZONE", "a deleted zone back from the trash", NULL, 1, 1, DIRECT,
	    cmd_zone_restore },
	{ "zone", "trash", "", "zones deleted in the last 30 days", NULL, 0, 0, OPT_BIT(OPT_LIMIT),
	    cmd_zone_trash },
	{ "zone", "set", "ZONE", "whose the zone is, or where it may be held",
	    "--account NAME puts it into a customer's account, --account \"\" takes it out. "
	    "--sites "
	    "A,B keeps it to appliances that were invited with one of these sites; the others "
	    "delete "
	    "it and answer REFUSED. --sites \"\" leaves it to its account, or everywhere. The "
	    "primary's site must be among them. At the primary only.",
	    1, 1, DIRECT | OPT_BIT(OPT_ACCOUNT) | OPT_BIT(OPT_SITES), cmd_zone_set },
	{ "record", "list", "ZONE", "records, in master-file form",
	    "--filter takes words as zone list, of names or data, and name:www, type:MX, "
	    "policy:www.",
	    1, 1, PAGE | OPT_BIT(OPT_NAME) | OPT_BIT(OPT_TYPE) | OPT_BIT(OPT_FILTER),
	    cmd_record_list },
	{ "record", "set", "ZONE NAME TTL TYPE RDATA...", "replace the RRset, in a draft",
	    "Without --commit it goes into the zone's draft: `plan` shows what it would do, "
	    "`commit` "
	    "makes it so. NAME is relative to ZONE unless it ends in a dot; @ is the apex. One "
	    "RDATA is one "
	    "argument in master-file form: '10 mx1'. A name in it that contains a dot must end in "
	    "one.",
	    5, CLI_MAX_WORDS, EDIT, cmd_record_set },
	{ "record", "add", "ZONE NAME TTL TYPE RDATA...",
	    "add to the RRset, which keeps its TTL, in a draft", NULL, 5, CLI_MAX_WORDS, EDIT,
	    cmd_record_add },
	{ "record", "del", "ZONE NAME [TYPE [RDATA...]]",
	    "remove a record, an RRset, or all of a name, in a draft", NULL, 2, CLI_MAX_WORDS, EDIT,
	    cmd_record_del },
	{ "policy", "set", "ZONE NAME TYPE FILE|-",
	    "route the answers of a name and type, in a draft",
	    "FILE holds the policy as JSON (nameserve(1), POLICIES): a tree of geo, latency, "
	    "failover, weighted and pool nodes. It takes the place of the policy that the name has "
	    "for that TYPE, and there may be no plain records of TYPE beside it.",
	    4, 4, EDIT, cmd_policy_set },
	{ "policy", "show", "ZONE NAME TYPE", "a policy as JSON", NULL, 3, 3, 0, cmd_policy_show },
	{ "policy", "list", "ZONE", "the policies of a zone", NULL, 1, 1, PAGE, cmd_policy_list },
	{ "policy", "drain", "ZONE NAME TYPE VALUE",
	    "an answer counts as down from now on, in a draft",
	    "It is given only where its pool answers although it is down, as when_down says. With "
	    "--commit it is told when caches have forgotten it.",
	    4, 4, EDIT, cmd_policy_drain },
	{ "policy", "undrain", "ZONE NAME TYPE VALUE",
	    "a drained answer counts as its check says again", NULL, 4, 4, EDIT,
	    cmd_policy_undrain },
	{ "policy", "del", "ZONE NAME TYPE", "remove a policy, in a draft", NULL, 3, 3, EDIT,
	    cmd_policy_del },
	{ "alias", "list", "[ZONE]", "ALIAS records and what is known of their targets",
	    "STATE: ours (a zone here answers for the target), ok, stale (the last look-up failed, "
	    "and the addresses of before are given for KEPT more), lost (there are none to give: "
	    "SERVFAIL), unknown (not looked up yet).",
	    0, 1, PAGE, cmd_alias_list },
	{ "test", NULL, "NAME TYPE", "what is answered to whom, and why, step by step",
	    "The code that answers is asked itself: which zone, which rule of a policy, which "
	    "health, "
	    "which choice. --draft takes your draft of the zone, --draft --all those of others, "
	    "too.",
	    2, 2,
	    OPT_BIT(OPT_CLIENT) | OPT_BIT(OPT_ECS) | OPT_BIT(OPT_DO) | OPT_BIT(OPT_VIA) |
		OPT_BIT(OPT_AT) | OPT_BIT(OPT_DRAFT) | OPT_BIT(OPT_ALL),
	    cmd_test },
	{ "edit", NULL, "ZONE", "the zone as text in your editor, then its draft",
	    "With your draft in it, if there is one. What differs when the editor is left becomes "
	    "the draft; the plan is shown, and asked what becomes of it: --commit does not ask. A "
	    "line that cannot be read is marked, and the editor opens there again if you want. "
	    "Unchanged, empty, or an editor that fails: nothing happens. Needs a terminal.",
	    1, 1,
	    OPT_BIT(OPT_COMMIT) | OPT_BIT(OPT_COMMENT) | OPT_BIT(OPT_KEY) | OPT_BIT(OPT_WAIT) |
		OPT_BIT(OPT_CONFIRM) | OPT_BIT(OPT_WITHIN),
	    cmd_edit },
	{ "draft", "list", "", "drafts of this user, on all appliances", NULL, 0, 0, 0,
	    cmd_draft_list },
	{ "draft", "show", "ZONE", "the operations of a draft", NULL, 1, 1, 0, cmd_draft_show },
	{ "draft", "diff", "ZONE", "what it would do to the zone (as plan)", NULL, 1, 1,
	    OPT_BIT(OPT_EXIT_CODE), cmd_draft_diff },
	{ "draft", "undo", "ZONE", "take the last operation back", NULL, 1, 1, 0, cmd_draft_undo },
	{ "draft", "drop", "ZONE", "throw a draft away; needs --yes", NULL, 1, 1, OPT_BIT(OPT_YES),
	    cmd_draft_drop },
	{ "draft", "rebase", "ZONE", "the zone as it is now becomes the draft's base",
	    "After a conflict: the operations stay as they are, on top of what others did.", 1, 1,
	    0, cmd_draft_rebase },
	{ "draft", "lost", "", "changes of this appliance that another one's history won over",
	    "When another appliance is promoted without the newest changes of this one, they are "
	    "dropped here and kept in a file of its data directory.",
	    0, 0, 0, cmd_draft_lost },
	{ "draft", "take", "", "drafts of what was dropped (draft lost)",
	    "Of each zone that was edited, on the version that it was edited on: a commit shows "
	    "what "
	    "others did since. What no draft can hold, zones made or deleted and what else an "
	    "admin does, is named and kept.",
	    0, 0, 0, cmd_draft_take },
	{ "draft", "forget", "", "what was dropped need not be kept; needs --yes", NULL, 0, 0,
	    OPT_BIT(OPT_YES), cmd_draft_forget },
	{ "plan", NULL, "ZONE... | --all", "what committing these drafts would do",
	    "Nothing is written. Shows the difference, warnings, how many records are touched, how "
	    "long old answers may live in caches, and a hash that commit --plan takes.",
	    0, CLI_MAX_WORDS, OPT_BIT(OPT_ALL) | OPT_BIT(OPT_EXIT_CODE), cmd_plan },
	{ "commit", NULL, "ZONE... | --all", "drafts as one change, all or nothing",
	    "A zone that was changed since a draft began is a conflict (exit 5), which shows base, "
	    "theirs and mine; the drafts stay. More than 30 % of a zone's records (of 20 or more) "
	    "take --confirm=ZONE[,ZONE].",
	    0, CLI_MAX_WORDS, (EDIT & ~OPT_BIT(OPT_COMMIT)) | OPT_BIT(OPT_ALL), cmd_commit },
	{ "confirm", NULL, "CHANGE", "keep a change that was made with --confirm-within", NULL, 1,
	    1, DIRECT, cmd_confirm },
	{ "revert", NULL, "CHANGE", "the inverse of a change, in drafts",
	    "A draft for each zone of the change: `plan --all` shows them, `commit` makes them so; "
	    "--commit does it in one step. What was changed again since is a conflict (exit 5) "
	    "that "
	    "names it. The making or deletion of a zone, and settings, are taken back with "
	    "--commit "
	    "only; to revert the making of a zone is to delete it, which takes --confirm=ZONE.",
	    1, 1, DIRECT | OPT_BIT(OPT_CONFIRM), cmd_revert },
	{ "restore", NULL, "ZONE", "the zone as it was at --to SERIAL, in a draft",
	    "--commit does it in one step. Serials only move forward: it gets a new one.", 1, 1,
	    DIRECT | OPT_BIT(OPT_TO) | OPT_BIT(OPT_CONFIRM), cmd_restore },
	{ "settings", "show", "", "what zone create puts at the apex", NULL, 0, 0, 0,
	    cmd_settings_show },
	{ "settings", "set", "NAME VALUE...", "nameservers NS,NS... hostmaster NAME", NULL, 2, 32,
	    DIRECT, cmd_settings_set },
	{ "history", "list", "[ZONE]", "changes, newest first",
	    "--filter takes words as zone list, of the zones (or the check, the user …) or the "
	    "comment, and who:ci, via:api, from:192.0.2., at:fra1, kind:edit, since:1d.",
	    0, 1, PAGE | OPT_BIT(OPT_FILTER), cmd_history_list },
	{ "history", "show", "CHANGE", "one change, with its diff", NULL, 1, 1, 0,
	    cmd_history_show },
	{ "history", "diff", "CHANGE", "what a change did to its zones, as lines", NULL, 1, 1,
	    OPT_BIT(OPT_EXIT_CODE), cmd_history_diff },
	{ "user", "list", "", "who may use the appliances", NULL, 0, 0, 0, cmd_user_list },
	{ "user", "create", "NAME", "an account of the hosts becomes a user",
	    "--unix names the account (in /etc/passwd of each appliance), --role what he may do: "
	    "viewer reads, operator edits zones, admin also manages users, keys and the fleet.",
	    1, 1, OBJECT | OPT_BIT(OPT_UNIX) | OPT_BIT(OPT_ROLE), cmd_user_create },
	{ "user", "set", "NAME", "another role or account; open connections feel it at once", NULL,
	    1, 1, OBJECT | OPT_BIT(OPT_UNIX) | OPT_BIT(OPT_ROLE), cmd_user_set },
	{ "user", "delete", "NAME", "remove a user; needs --confirm=NAME", NULL, 1, 1,
	    OBJECT | OPT_BIT(OPT_CONFIRM), cmd_user_delete },
	{ "account", "list", "", "customers' accounts and how many zones they have", NULL, 0, 0, 0,
	    cmd_account_list },
	{ "account", "create", "NAME", "a customer's account",
	    "A zone equal to, above or below a zone of another account is refused, unless an admin "
	    "makes it.",
	    1, 1, OBJECT, cmd_account_create },
	{ "account", "set", "NAME", "where the account's zones may be held",
	    "--sites A,B holds for all its zones, those to come too, but for one that has its own "
	    "(zone set --sites). --sites \"\" is everywhere. At the primary only.",
	    1, 1, OBJECT | OPT_BIT(OPT_SITES), cmd_account_set },
	{ "account", "delete", "NAME", "remove an account without zones; needs --confirm=NAME",
	    NULL, 1, 1, OBJECT | OPT_BIT(OPT_CONFIRM), cmd_account_delete },
	{ "check", "list", "", "health checks and how they are",
	    "--filter takes a part of the name.", 0, 0, OPT_BIT(OPT_FILTER) | PAGE,
	    cmd_check_list },
	{ "check", "show", "NAME", "one check: its state, who says what, its last flips", NULL, 1,
	    1, 0, cmd_check_show },
	{ "check", "health", "", "all checks at a glance, the worst first",
	    "LEVEL is crit (down), warn (up, and not all is well: a vote against it, stale, "
	    "frozen, "
	    "forced), none (no verdict yet) or ok.",
	    0, 0, OPT_BIT(OPT_FILTER) | PAGE, cmd_check_health },
	{ "check", "probe", "NAME [FILE|-]", "look at it once, now, from all who vote on it",
	    "This appliance tells what it saw; what the others see comes as their votes. The look "
	    "counts as any other. At most every second. With FILE, as check set takes it, this "
	    "appliance looks as that says instead, before it is set: the look counts for nothing.",
	    1, 2, 0, cmd_check_probe },
	{ "check", "history", "[NAME]", "what flipped on this appliance, newest first",
	    "Of one check or of all, also of those that are no more; 100, or as --limit says.", 0,
	    1, OPT_BIT(OPT_LIMIT), cmd_check_history },
	{ "check", "set", "NAME FILE|-", "make or change a check from a JSON file",
	    "Types: http, https, tcp, tls, icmp, dns, calculated, push. For example {\"type\": "
	    "\"https\", \"target\": \"192.0.2.20\", \"host\": \"www.example.com\", \"path\": "
	    "\"/hz\", \"expect\": \"200-299\", \"interval\": 30}. Defaults: interval 30, timeout "
	    "3, "
	    "fall 3, rise 2, initial down, probers 3. \"control\": true makes it a control target: "
	    "who reaches none of them abstains. nameserve(1) has all fields.",
	    2, 2, OBJECT, cmd_check_set },
	{ "check", "del", "NAME", "remove a check", NULL, 1, 1, OBJECT, cmd_check_del },
	{ "check", "override", "NAME up|down|auto", "say how it is, whatever the probes say",
	    "Takes -m TEXT, and --for TIME unless it shall stay until `auto`.", 2, 2,
	    OBJECT | OPT_BIT(OPT_FOR), cmd_check_override },
	{ "check", "push", "NAME up|down", "the state of a check of type push; needs --for TIME",
	    "When the time is over without another push, it counts as its `initial` says.", 2, 2,
	    OBJECT | OPT_BIT(OPT_FOR), cmd_check_push },
	{ "dnssec", "enable", "ZONE", "sign the zone, or change how it denies names",
	    "KSK and ZSK are made, the zone is signed and served, CDS and CDNSKEY are published. "
	    "dnssec ds prints what the registrar needs. With --denial a signed zone changes over. "
	    "At the primary only, like all that follows.",
	    1, 1, OBJECT | OPT_BIT(OPT_WAIT) | OPT_BIT(OPT_ALGORITHM) | OPT_BIT(OPT_DENIAL),
	    cmd_dnssec_enable },
	{ "dnssec", "disable", "ZONE", "stop signing the zone; needs --confirm=ZONE",
	    "Refused while the parent has a DS: --when-safe asks by CDS for its removal (RFC 8078) "
	    "and unsigns when it has left the caches; --force unsigns now, and validating "
	    "resolvers "
	    "answer SERVFAIL. dnssec enable takes --when-safe back.",
	    1, 1,
	    OBJECT | OPT_BIT(OPT_WAIT) | OPT_BIT(OPT_CONFIRM) | OPT_BIT(OPT_WHEN_SAFE) |
		OPT_BIT(OPT_FORCE),
	    cmd_dnssec_disable },
	{ "dnssec", "ds", "ZONE", "the DS for the registrar, one a line", NULL, 1, 1, 0,
	    cmd_dnssec_ds },
	{ "dnssec", "keys", "ZONE", "keys, their states, what comes next, the DS at the parent",
	    "Asks the parent's servers through [resolver], where there is one.", 1, 1, 0,
	    cmd_dnssec_keys },
	{ "dnssec", "rollover", "ZONE ksk|zsk|algorithm | --all zsk", "replace a key",
	    "ZSKs roll by themselves every 90 days. A KSK's roll waits for its DS at the parent. "
	    "algorithm takes --algorithm. dnssec keys shows how far it is.",
	    1, 2,
	    OBJECT | OPT_BIT(OPT_WAIT) | OPT_BIT(OPT_ALGORITHM) | OPT_BIT(OPT_EMERGENCY) |
		OPT_BIT(OPT_ALL),
	    cmd_dnssec_rollover },
	{ "dnssec", "new-keys", "ZONE | --all",
	    "new keys in place of lost ones; needs --confirm=ZONE",
	    "After a restore without the fleet keys: new fleet keys are made, and new keys for the "
	    "zone, which is served again. Its DS at the parent must be replaced. Refused while the "
	    "old keys can be used. --all takes --confirm=all.",
	    0, 1, OBJECT | OPT_BIT(OPT_WAIT) | OPT_BIT(OPT_CONFIRM) | OPT_BIT(OPT_ALL),
	    cmd_dnssec_new_keys },
	{ "dnssec", "ds-submitted", "ZONE", "the parent has the new DS: go on",
	    "Checked at the parent's servers where there is a [resolver]; otherwise your word "
	    "counts, and with --force in any case.",
	    1, 1, OBJECT | OPT_BIT(OPT_WAIT) | OPT_BIT(OPT_FORCE), cmd_dnssec_ds_submitted },
	{ "fleet", "list", "", "the appliances: role, state, what each serves, how far behind",
	    NULL, 0, 0, 0, cmd_fleet_list },
	{ "fleet", "show", "NAME", "one appliance: role, term, what it stored and serves, keys",
	    "Its processes are named where it is asked itself.", 1, 1, 0, cmd_fleet_show },
	{ "fleet", "invite", "NAME", "let an appliance in: prints its invitation, one line",
	    "Run it at the primary. The line is good for one appliance of that name, for 24 hours: "
	    "nameserved --config FILE --join TOKEN. Whoever has it may join in its place until "
	    "then.",
	    1, 1, OPT_BIT(OPT_SITE) | OPT_BIT(OPT_TRUST) | OPT_BIT(OPT_COMMENT), cmd_fleet_invite },
	{ "fleet", "standby", "NAME|none",
	    "nothing is acknowledged that this appliance has not stored",
	    "Run it at the primary. While the standby is silent for 2 s or more, edits are refused "
	    "(drafts stay) until it is back, or until fleet standby none.",
	    1, 1, OPT_BIT(OPT_COMMENT), cmd_fleet_standby },
	{ "fleet", "promote", "NAME", "make this appliance the primary; needs --confirm=NAME",
	    "Run it on the appliance itself. Without --confirm it says where everybody stands and "
	    "what "
	    "can be lost. The standby has all that was acknowledged; another one has what it heard "
	    "and what it can fetch from those that are reachable.",
	    1, 1, OPT_BIT(OPT_CONFIRM) | OPT_BIT(OPT_COMMENT), cmd_fleet_promote },
	{ "fleet", "remove", "NAME", "cut an appliance off at once; needs --confirm=NAME",
	    "It keeps answering DNS with what it has, and gets nothing new: the fleet key for ZSKs "
	    "is "
	    "made anew. ZSKs of today it has: dnssec rollover --all zsk --emergency replaces them.",
	    1, 1, OPT_BIT(OPT_CONFIRM) | OPT_BIT(OPT_COMMENT), cmd_fleet_remove },
	{ "fleet", "drain", "NAME", "take an appliance out of service",
	    "It checks nothing any more and its addresses are announced no more; what still comes "
	    "is "
	    "answered. Says until when caches hold what it answered. -m says why. At the primary.",
	    1, 1, OPT_BIT(OPT_COMMENT), cmd_fleet_drain },
	{ "fleet", "undrain", "NAME", "put a drained appliance back into service", NULL, 1, 1,
	    OPT_BIT(OPT_COMMENT), cmd_fleet_undrain },
	{ "fleet", "roll-key", "NAME", "give an appliance a new key in the place of its old one",
	    "It makes the key itself. For --for (default 1h, at most 24h) both are good, then the "
	    "old one is refused. Run it at the primary, whose own key it may be.",
	    1, 1, OPT_BIT(OPT_FOR) | OPT_BIT(OPT_COMMENT), cmd_fleet_roll_key },
	{ "stats", NULL, "", "queries, rcodes, latency of this appliance",
	    "--scope zone:ZONE counts one zone, fleet and fleet:zone:ZONE on all appliances "
	    "together. --top zones, clients, names or qtypes lists who "
	    "and "
	    "what is asked most: zones since the start and exactly, clients (/24 and /56) and "
	    "names "
	    "of the last one to two minutes, at least so many. --watch repeats until interrupted.",
	    0, 0, OPT_BIT(OPT_SCOPE) | OPT_BIT(OPT_TOP) | OPT_BIT(OPT_WATCH) | OPT_BIT(OPT_LIMIT),
	    cmd_stats },
	{ "tail", NULL, "", "some of the queries that are answered, as they come",
	    "Until interrupted, or --limit rows were shown. --sample N shows one query in N, by "
	    "chance; --scope fleet those of all appliances. --filter: foo, ^foo and *.x.* on the "
	    "name, "
	    "zone:Z, name:N, type:T, rcode:R (DROP: no reply was sent), client:NETWORK, "
	    "via:udp|tcp|tls, each with - before it for those that do not match. Clients are cut "
	    "to "
	    "/24 and /48 unless you are an admin. At most 200 rows at a time are shown; the rest "
	    "is "
	    "counted.",
	    0, 0,
	    OPT_BIT(OPT_FILTER) | OPT_BIT(OPT_SAMPLE) | OPT_BIT(OPT_LIMIT) | OPT_BIT(OPT_SCOPE),
	    cmd_tail },
	{ "verify", NULL, "", "check the store, the hash chain, and every image against the store",
	    "With --signatures every DNSSEC signature in the images is verified as well, those of "
	    "zones "
	    "that arrived signed, too. Exit code 1: something was found.",
	    0, 0, OPT_BIT(OPT_SIGNATURES), cmd_verify },
	{ "backup", NULL, "FILE", "all zones, history and settings into a file",
	    "FILE may be - for standard output. The file is private (mode 0600) and is there under "
	    "its "
	    "name only when it is whole. Edits go on meanwhile. With --passphrase-file it holds "
	    "the "
	    "fleet keys, which open the private DNSSEC keys, under the passphrase (scrypt); "
	    "without "
	    "them the copy cannot sign. Taken at the primary or the standby, who have both.",
	    1, 1, OPT_BIT(OPT_PASSPHRASE), cmd_backup },
	{ "restore-backup", NULL, "FILE", "make a backup the store of this appliance",
	    "For a fresh appliance: start nameserved with an empty data directory, then restore; "
	    "FILE "
	    "may be - for standard input. An appliance that has changes already loses them, and "
	    "needs "
	    "--confirm=NAME with its own name. --passphrase-file opens the DNSSEC keys in it, for "
	    "this appliance to sign with. --check reads the file, says what is in it (with "
	    "--passphrase-file: and whether that opens it), and changes nothing. Returns when "
	    "everything is served.",
	    1, 1, OPT_BIT(OPT_CONFIRM) | OPT_BIT(OPT_CHECK) | OPT_BIT(OPT_PASSPHRASE),
	    cmd_restore_backup },
	{ "login", NULL, "NAME", "a session of this person, in an account that several share",
	    "For the command= of a key in a root-owned authorized_keys file of the account that "
	    "[ssh] account of the configuration names: restrict,pty,command=\"nameserve login "
	    "alice\" ssh-ed25519 ... It runs what the client asked for, else the console, and the "
	    "history names alice. From any other account the appliance refuses it.",
	    1, 1, 0, cmd_login },
	{ "proxy", NULL, "", "this appliance for a client on another host",
	    "What nameserve --appliance ssh:USER@HOST runs there. With --read-only it passes on "
	    "nothing that could change something.",
	    0, 0, OPT_BIT(OPT_STDIO), cmd_proxy },
	{ "help", NULL, "[NOUN [VERB]]", "this list, or one command", NULL, 0, 2, 0, cmd_help },
	{ "completion", NULL, "bash", "a completion script on stdout", NULL, 1, 1, 0,
	    cmd_completion },
	{ NULL, NULL, NULL, NULL, NULL, 0, 0, 0, NULL },
};
