/* cli - the command line: one table of commands, each in the file of its noun.
 *
 * A command gets its words and options already sorted (args.c), talks to the appliance through the
 * client library, and prints: tables for people, one JSON document with --json, one object a row with
 * --jsonl.  Data on stdout, messages on stderr; never prompts (but edit.c).  Exit codes: nameserve(1). */
#ifndef NS_CONSOLE_CLI_H
#define NS_CONSOLE_CLI_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "ipc/client/client.h"

enum cli_exit { CLI_OK = 0, CLI_FAILED = 1, CLI_USAGE = 2, CLI_REJECTED = 6, CLI_DIFFERS = 10, CLI_LATE = 11 };
enum cli_format { CLI_TABLE, CLI_JSON, CLI_JSONL };

/* Every option there is; a command names those it takes. */
enum cli_opt {
	OPT_SOCKET,
	OPT_APPLIANCE,
	OPT_JSON,
	OPT_JSONL,
	OPT_NO_INPUT,
	OPT_READ_ONLY,
	OPT_TIMEOUT,
	OPT_HELP,
	OPT_VERSION,
	OPT_GLOBAL_END,
	OPT_COMMIT = OPT_GLOBAL_END,
	OPT_COMMENT,
	OPT_BASE,
	OPT_KEY,
	OPT_WAIT,
	OPT_CONFIRM,
	OPT_YES,
	OPT_FILTER,
	OPT_LIMIT,
	OPT_CURSOR,
	OPT_SORT,
	OPT_DIR,
	OPT_NS,
	OPT_HOSTMASTER,
	OPT_NAME,
	OPT_TYPE,
	OPT_SCOPE,
	OPT_TOP,
	OPT_WATCH,
	OPT_SAMPLE,
	OPT_UNIX,
	OPT_ROLE,
	OPT_ACCOUNT,
	OPT_CHECK,
	OPT_PASSPHRASE,
	OPT_ALL,
	OPT_PLAN,
	OPT_WITHIN,
	OPT_TO,
	OPT_SITE,
	OPT_TRUST,
	OPT_SITES,
	OPT_CLIENT,
	OPT_ECS,
	OPT_DO,
	OPT_VIA,
	OPT_AT,
	OPT_DRAFT,
	OPT_FOR,
	OPT_ALGORITHM,
	OPT_DENIAL,
	OPT_WHEN_SAFE,
	OPT_FORCE,
	OPT_EMERGENCY,
	OPT_SIGNATURES,
	OPT_ASCII,
	OPT_UTF8,
	OPT_CLIPBOARD,
	OPT_COLOR,
	OPT_STDIO,
	OPT_THEME,
	OPT_LINEAR,
	OPT_EXIT_CODE,
	OPT_MAX,
};
#define OPT_BIT(o) (1ull << (o))

#define CLI_MAX_WORDS 4096 /* RDATA arguments of one RRset are words too */

struct cli {
	enum cli_format format;
	const char *opt[OPT_MAX]; /* NULL: not given; flags: "" */
	const char *words[CLI_MAX_WORDS]; /* after noun and verb */
	unsigned n_words;
	unsigned timeout_ms;
	struct ns_client *client; /* connected lazily: cli_client() */
	const char *person; /* whom a forced command names (session.h); NULL: who the kernel says */
	const char *software; /* how we name ourselves; NULL: the command line */
	bool restricted; /* sshd started us for somebody who has no shell here (session.h) */
};

struct cli_command {
	const char *noun, *verb; /* verb NULL: the noun alone */
	const char *usage; /* words after them */
	const char *help; /* one line */
	const char *more; /* paragraph for `help NOUN VERB`; NULL */
	unsigned min, max; /* words */
	uint64_t options; /* OPT_BIT of what it takes beyond the global ones */
	int (*run)(struct cli *);
};

extern const struct cli_command cli_commands[]; /* ends with a NULL noun */

/* ---- main.c ---- */
int cli_main(struct cli *, int argc, char **argv); /* one command; the exit code */

/* ---- args.c ---- */
struct cli_option {
	enum cli_opt id;
	const char *name; /* without "--" */
	char letter; /* 0: none */
	const char *value; /* what it takes, for help; NULL: a flag */
	const char *help;
};
extern const struct cli_option cli_options[]; /* ends with a NULL name */
/* Fills cli; the command, or NULL after a message on stderr. */
const struct cli_command *cli_parse(struct cli *, int argc, char **argv);
/* "10s", "500ms", "2m", "1h" or seconds; false when it is none of them. */
bool cli_duration_ms(const char *text, unsigned *ms);
/* Where usage errors are said from now on; NULL: on stderr. */
void cli_complain_to(FILE *);
/* The option of this name, without its dashes; NULL: there is none. */
const struct cli_option *cli_option_named(const char *name, size_t len);
bool cli_number(const char *text, uint64_t max, uint64_t *value);
/* --limit, 0 where it is not given; the exit code after a message, or 0. */
int cli_limit(const struct cli *, uint32_t max, uint32_t *limit);
void cli_more(const char *next); /* on stderr: how to ask for the next page; "": nothing, it was the last */

/* ---- call.c ---- */
/* --appliance ssh:USER@HOST; NULL: not given, or it names one of the fleet. */
const char *cli_ssh_target(const struct cli *);
/* NULL after a message; then *code is the exit code. */
struct ns_client *cli_client(struct cli *, int *code);
/* Asks, and expects this kind of reply: any other is a failure too.  The caller frees it. */
Ns__Envelope *
cli_call(struct cli *, Ns__Envelope *request, Ns__Envelope__BodyCase expected, int *code);
/* Says what was refused, as text on stderr or as {"error":…} on stdout; the exit code. */
int cli_error(struct cli *, const struct ns_why *);
int
cli_usage(const struct cli_command *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int cli_unexpected(struct cli *); /* the reply was of another kind; the exit code */
/* Protobuf's strings are not const, and it never writes to them. */
static inline char *
cli_str(const char *s)
{
	return (char *)(uintptr_t)(s != NULL ? s : "");
}
/* Print a message as JSON under this schema ("ns.zone.list/1"). */
int cli_print_json(struct cli *, const ProtobufCMessage *, const char *schema);
void cli_print_json_value(struct cli *, json_t *); /* takes the reference */
/* Each element of the JSON array `key` on a line of its own. */
void cli_print_rows(json_t *document, const char *key); /* takes the reference */

/* How a reply is shown: the table for people, the document with --json, its rows with --jsonl. */
struct cli_view {
	Ns__Envelope__BodyCase body;
	const char *schema, *rows; /* rows: the array of them; NULL: the document is one row */
	void (*table)(const ProtobufCMessage *);
};
int cli_show(struct cli *, Ns__Envelope *request, const struct cli_view *); /* asks; the exit code */
/* A check's definition as `check set` takes it; NULL after a message, with the exit code. */
Ns__Check *cli_check_file(const char *path, int *code);
void cli_object_table(const ProtobufCMessage *); /* of an ObjectReply: what became of it */

/* ---- table.c ---- */
/* Columns as wide as their content; numbers to the right.  Text from the network is made safe. */
struct table;
struct table *table_new(const char *const *titles, unsigned columns, const char *align);
void table_cell(struct table *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void table_print(struct table **); /* prints and destroys */
void print_safe(FILE *, const char *text); /* control characters as \u{…} */

/* ---- commits (commit.c) ---- */
/* Send a request that ends in a CommitReply, and print that.  *made (may be NULL): the reply came. */
int cli_commit(struct cli *, Ns__Envelope *, bool *made);
/* "a,b,c" as strings; *n of them, one block to free. */
char **cli_commas(const char *text, size_t *n);
/* Comment, key, plan, confirm and time from the options; false after a usage error.  Free with
 * cli_commit_free. */
bool cli_commit_fill(struct cli *, Ns__CommitRequest *);
void cli_commit_free(Ns__CommitRequest *);
void cli_print_conflict(const Ns__Conflict *); /* on stderr */
/* "4097" is told as "more than 4096". */
char *cli_closure(unsigned rrsets, char *out, size_t size);
void cli_print_closures(Ns__PolicyClosure *const *, size_t n);
void cli_print_warning(FILE *, const Ns__Error *);
void cli_change_print(const ProtobufCMessage *); /* a HistoryShowReply */

/* ---- single operations (record.c): into the zone's draft, or at once with --commit; the exit code ---- */
int cli_edit_op(struct cli *, Ns__RecordOp *);

/* ---- drafts (draft.c) ---- */
/* One operation more in the zone's draft, once the appliance has found it sound; the exit code. */
int cli_draft_op(struct cli *, Ns__RecordOp *);
/* A whole draft that the appliance made (import), or several (revert); refused when there is one already. */
int cli_draft_take(struct cli *, Ns__ZoneEdit *);
int cli_drafts_take(struct cli *, Ns__ZoneEdit *const *, size_t n);

/* ---- import (import.c) ---- */
/* A file as the draft of a zone: the reply, which says what was wrong or has the draft; NULL after a message. */
Ns__Envelope *cli_import_draft(struct cli *, const char *zone, const char *path, int *code);

/* ---- fleet (fleet.c) ---- */
/* What a drain means, in two lines. */
void processes_print(Ns__StatusReply__Process *const *, size_t n);
void drained_print(FILE *, const char *name, const Ns__Drained *);

/* ---- the commands, by noun ---- */
int cmd_console(struct cli *);
int cmd_status(struct cli *);
int cmd_zone_list(struct cli *);
int cmd_zone_show(struct cli *);
int cmd_zone_create(struct cli *);
int cmd_zone_delete(struct cli *);
int cmd_zone_export(struct cli *);
int cmd_zone_check(struct cli *);
int cmd_zone_import(struct cli *);
int cmd_zone_restore(struct cli *);
int cmd_zone_trash(struct cli *);
int cmd_record_list(struct cli *);
int cmd_record_set(struct cli *);
int cmd_record_add(struct cli *);
int cmd_record_del(struct cli *);
int cmd_test(struct cli *);
int cmd_policy_set(struct cli *);
int cmd_policy_show(struct cli *);
int cmd_policy_drain(struct cli *);
int cmd_policy_undrain(struct cli *);
int cmd_policy_del(struct cli *);
int cmd_policy_list(struct cli *);
int cmd_draft_list(struct cli *);
int cmd_draft_show(struct cli *);
int cmd_draft_diff(struct cli *);
int cmd_draft_undo(struct cli *);
int cmd_draft_drop(struct cli *);
int cmd_draft_rebase(struct cli *);
int cmd_draft_lost(struct cli *);
int cmd_draft_take(struct cli *);
int cmd_draft_forget(struct cli *);
int cmd_edit(struct cli *);
int cmd_plan(struct cli *);
int cmd_commit(struct cli *);
int cmd_confirm(struct cli *);
int cmd_revert(struct cli *);
int cmd_restore(struct cli *);
int cmd_settings_show(struct cli *);
int cmd_settings_set(struct cli *);
int cmd_zone_set(struct cli *);
int cmd_user_create(struct cli *);
int cmd_user_set(struct cli *);
int cmd_user_delete(struct cli *);
int cmd_user_list(struct cli *);
int cmd_account_create(struct cli *);
int cmd_account_set(struct cli *);
/* "fra1,nyc1", or "everywhere". */
void cli_sites(char *const *sites, size_t n, char *out, size_t size);
int cmd_account_delete(struct cli *);
int cmd_account_list(struct cli *);
int cmd_history_list(struct cli *);
int cmd_history_audit(struct cli *);
int cmd_history_show(struct cli *);
int cmd_history_diff(struct cli *);
int cmd_stats(struct cli *);
int cmd_tail(struct cli *);
int cmd_verify(struct cli *);
int cmd_backup(struct cli *);
int cmd_restore_backup(struct cli *);
int cmd_alias_list(struct cli *);
int cmd_dnssec_enable(struct cli *);
int cmd_dnssec_disable(struct cli *);
int cmd_dnssec_rollover(struct cli *);
int cmd_dnssec_new_keys(struct cli *);
int cmd_dnssec_ds_submitted(struct cli *);
int cmd_dnssec_keys(struct cli *);
int cmd_dnssec_ds(struct cli *);
int cmd_check_list(struct cli *);
int cmd_check_show(struct cli *);
int cmd_check_history(struct cli *);
int cmd_check_health(struct cli *);
int cmd_check_probe(struct cli *);
int cmd_check_set(struct cli *);
int cmd_check_del(struct cli *);
int cmd_check_override(struct cli *);
int cmd_check_push(struct cli *);
int cmd_fleet_list(struct cli *);
int cmd_fleet_show(struct cli *);
int cmd_fleet_invite(struct cli *);
int cmd_fleet_remove(struct cli *);
int cmd_fleet_roll_key(struct cli *);
int cmd_fleet_drain(struct cli *);
int cmd_fleet_undrain(struct cli *);
int cmd_fleet_standby(struct cli *);
int cmd_fleet_promote(struct cli *);
int cmd_login(struct cli *);
int cmd_proxy(struct cli *);
int cmd_help(struct cli *);
int cmd_completion(struct cli *);

#endif
