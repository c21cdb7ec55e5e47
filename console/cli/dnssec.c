/* dnssec - signing a zone: keys and how they are, their rolls, and what the registrar needs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console/cli/cli.h"
#include "ipc/base/xalloc.h"

#define PAGE_ZONES 1000
#define SIGNING_MS 60000u /* a zone of 500,000 names; most are signed within a second */

typedef Ns__DnssecSetRequest Request;

static int
send(struct cli *cli, Ns__DnssecSetRequest__Verb verb, Request *body)
{
	Ns__Envelope request = NS__ENVELOPE__INIT;

	body->zone = cli_str(cli->words[0]);
	body->verb = verb;
	body->comment = cli_str(cli->opt[OPT_COMMENT]);
	body->idempotency_key = cli_str(cli->opt[OPT_KEY]);
	request.body_case = NS__ENVELOPE__BODY_DNSSEC_SET_REQUEST;
	request.dnssec_set_request = body;
	if (cli->opt[OPT_TIMEOUT] == NULL)
		cli->timeout_ms = SIGNING_MS;
	return cli_commit(cli, &request, NULL);
}

static bool
algorithm(const char *text, uint32_t *out)
{
	static const struct {
		const char *name;
		uint32_t number;
	} known[] = { { "13", 13 }, { "15", 15 }, { "ecdsap256sha256", 13 }, { "ed25519", 15 } };

	for (size_t i = 0; text != NULL && i < sizeof known / sizeof known[0]; i++)
		if (strcmp(text, known[i].name) == 0) {
			*out = known[i].number;
			return true;
		}
	return text == NULL;
}

int
cmd_dnssec_enable(struct cli *cli)
{
	Request body = NS__DNSSEC_SET_REQUEST__INIT;

	if (!algorithm(cli->opt[OPT_ALGORITHM], &body.algorithm))
		return cli_usage(NULL, "--algorithm is 13 (ECDSA P-256) or 15 (Ed25519)");
	body.denial = cli_str(cli->opt[OPT_DENIAL]);
	return send(cli, NS__DNSSEC_SET_REQUEST__VERB__ENABLE, &body);
}

int
cmd_dnssec_disable(struct cli *cli)
{
	Request body = NS__DNSSEC_SET_REQUEST__INIT;

	body.confirm = cli_str(cli->opt[OPT_CONFIRM]);
	body.when_safe = cli->opt[OPT_WHEN_SAFE] != NULL;
	body.force = cli->opt[OPT_FORCE] != NULL;
	return send(cli, NS__DNSSEC_SET_REQUEST__VERB__DISABLE, &body);
}

/* ---- every zone ---- */
static Ns__Envelope *
next_page(struct cli *cli, const char *cursor, int *code)
{
	Ns__ZoneListRequest body = NS__ZONE_LIST_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;

	body.limit = PAGE_ZONES;
	body.cursor = cli_str(cursor);
	request.body_case = NS__ENVELOPE__BODY_ZONE_LIST_REQUEST;
	request.zone_list_request = &body;
	return cli_call(cli, &request, NS__ENVELOPE__BODY_ZONE_LIST_REPLY, code);
}

/* Zone by zone: each is a change, and a refusal (a roll under way) keeps no other from it. */
static int
send_all(struct cli *cli, Ns__DnssecSetRequest__Verb verb)
{
	char *cursor = xstrdup("");
	int code = CLI_OK, worst = CLI_OK;
	Ns__Envelope *page;

	do {
		if ((page = next_page(cli, cursor, &code)) == NULL)
			break;
		for (size_t i = 0; i < page->zone_list_reply->n_zones; i++) {
			const Ns__ZoneInfo *z = page->zone_list_reply->zones[i];
			Request body = NS__DNSSEC_SET_REQUEST__INIT;

			if (strcmp(z->dnssec, "on") != 0)
				continue;
			cli->words[0] = z->name;
			body.confirm = z->name;
			body.urgent = cli->opt[OPT_EMERGENCY] != NULL;
			code = send(cli, verb, &body);
			worst = code != CLI_OK ? code : worst;
		}
		free(cursor);
		cursor = xstrdup(page->zone_list_reply->next);
		ns__envelope__free_unpacked(page, NULL);
	} while (cursor[0] != '\0');
	free(cursor);
	return worst != CLI_OK ? worst : code;
}

static int
roll_all(struct cli *cli)
{
	if (cli->n_words != 1 || strcmp(cli->words[0], "zsk") != 0)
		return cli_usage(NULL, "rollover --all takes zsk");
	return send_all(cli, NS__DNSSEC_SET_REQUEST__VERB__ROLL_ZSK);
}

/* Keys that nobody can open any more are gone for good; what is at the parent is of them. */
int
cmd_dnssec_new_keys(struct cli *cli)
{
	Request body = NS__DNSSEC_SET_REQUEST__INIT;
	const char *confirm = cli->opt[OPT_CONFIRM];
	bool all = cli->opt[OPT_ALL] != NULL;
	int code;

	if (all ? cli->n_words != 0 : cli->n_words != 1)
		return cli_usage(NULL, "new-keys takes a zone, or --all");
	if (all && (confirm == NULL || strcmp(confirm, "all") != 0))
		return cli_usage(NULL, "new keys for all zones take --confirm=all");
	body.confirm = cli_str(confirm);
	code = all ? send_all(cli, NS__DNSSEC_SET_REQUEST__VERB__NEW_KEYS)
		   : send(cli, NS__DNSSEC_SET_REQUEST__VERB__NEW_KEYS, &body);
	if (code == CLI_OK)
		fprintf(stderr,
		    "nameserve: the DS at the parent must be replaced now (dnssec ds ZONE prints "
		    "it): until then validating resolvers answer SERVFAIL\n");
	return code;
}

int
cmd_dnssec_rollover(struct cli *cli)
{
	Request body = NS__DNSSEC_SET_REQUEST__INIT;
	const char *what = cli->words[1];

	if (cli->opt[OPT_ALL] != NULL)
		return roll_all(cli);
	if (cli->n_words != 2)
		return cli_usage(NULL, "rollover takes a zone and ksk, zsk or algorithm");
	body.urgent = cli->opt[OPT_EMERGENCY] != NULL;
	if (strcmp(what, "ksk") == 0)
		return send(cli, NS__DNSSEC_SET_REQUEST__VERB__ROLL_KSK, &body);
	if (strcmp(what, "zsk") == 0)
		return send(cli, NS__DNSSEC_SET_REQUEST__VERB__ROLL_ZSK, &body);
	if (strcmp(what, "algorithm") != 0)
		return cli_usage(NULL, "rollover takes ksk, zsk or algorithm, not %s", what);
	if (cli->opt[OPT_ALGORITHM] == NULL || !algorithm(cli->opt[OPT_ALGORITHM], &body.algorithm))
		return cli_usage(NULL, "rollover ZONE algorithm takes --algorithm 13 or 15");
	return send(cli, NS__DNSSEC_SET_REQUEST__VERB__ROLL_ALGORITHM, &body);
}

int
cmd_dnssec_ds_submitted(struct cli *cli)
{
	Request body = NS__DNSSEC_SET_REQUEST__INIT;

	body.force = cli->opt[OPT_FORCE] != NULL;
	return send(cli, NS__DNSSEC_SET_REQUEST__VERB__DS_SUBMITTED, &body);
}

/* ---- showing ---- */
static void
keys_print(const ProtobufCMessage *m)
{
	static const char *const titles[] = { "TAG", "ALG", "ROLE", "STATE", "SINCE", "NEXT", "AT",
		"DS AT PARENT" };
	const Ns__DnssecShowReply *r = (const Ns__DnssecShowReply *)m;
	struct table *t;

	printf("%s  %s", r->zone, r->status);
	if (r->expires[0] != '\0' && strcmp(r->status, "external") == 0)
		printf(
		    ", %s %s", r->expired ? "expired since" : "first signature ends", r->expires);
	if (r->n_keys > 0)
		printf("  algorithm %u  %s  signatures over DNSKEY until %s", r->algorithm,
		    r->denial, r->dnskey_signed_until);
	if (r->expires[0] != '\0' && r->n_keys > 0)
		printf("  %s %s", r->expired ? "EXPIRED since" : "first of all until", r->expires);
	putchar('\n');
	if (r->n_keys == 0)
		return;
	t = table_new(titles, 8, "rrllllll");
	for (size_t i = 0; i < r->n_keys; i++) {
		const Ns__DnssecShowReply__Key *k = r->keys[i];

		table_cell(t, "%u", k->tag);
		table_cell(t, "%u", k->algorithm);
		table_cell(t, "%s", k->role);
		table_cell(t, "%s", k->state);
		table_cell(t, "%s", k->since);
		table_cell(t, "%s", k->next);
		table_cell(t, "%s", k->next_at);
		table_cell(t, "%s", k->ds_seen);
	}
	table_print(&t);
	if (r->waits_for[0] != '\0')
		printf("waits for %s\n", r->waits_for);
	if (r->next_event[0] != '\0')
		printf("next event %s\n", r->next_event);
	if (r->parent_fault[0] != '\0')
		fprintf(stderr, "nameserve: the parent: %s\n", r->parent_fault);
	if (r->warning[0] != '\0')
		fprintf(stderr, "nameserve: %s\n", r->warning);
}

static void
ds_print(const ProtobufCMessage *m)
{
	const Ns__DnssecShowReply *r = (const Ns__DnssecShowReply *)m;

	for (size_t i = 0; i < r->n_ds; i++)
		printf("%s\n", r->ds[i]);
	if (r->warning[0] != '\0')
		fprintf(stderr, "nameserve: %s\n", r->warning);
	if (r->n_keys == 0)
		fprintf(stderr, "nameserve: %s is not signed: there is no DS\n", r->zone);
	else if (r->n_ds == 0)
		fprintf(stderr, "nameserve: %s is to be unsigned: the parent shall have no DS\n",
		    r->zone);
	else if (r->ds_after[0] != '\0')
		fprintf(stderr,
		    "nameserve: caches may hold unsigned answers until %s: better not at the "
		    "parent "
		    "before\n",
		    r->ds_after);
}

static int
show(struct cli *cli, bool look, const struct cli_view *view)
{
	Ns__DnssecShowRequest body = NS__DNSSEC_SHOW_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;

	body.zone = cli_str(cli->words[0]);
	body.look = look;
	request.body_case = NS__ENVELOPE__BODY_DNSSEC_SHOW_REQUEST;
	request.dnssec_show_request = &body;
	return cli_show(cli, &request, view);
}

int
cmd_dnssec_keys(struct cli *cli)
{
	return show(cli, true,
	    &(const struct cli_view){
		NS__ENVELOPE__BODY_DNSSEC_SHOW_REPLY, "ns.dnssec.keys/1", "keys", keys_print });
}

int
cmd_dnssec_ds(struct cli *cli)
{
	return show(cli, false,
	    &(const struct cli_view){
		NS__ENVELOPE__BODY_DNSSEC_SHOW_REPLY, "ns.dnssec.ds/1", NULL, ds_print });
}
