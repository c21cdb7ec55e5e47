/* user - users, customers' accounts, and what belongs to a zone beside its records. */
#include <stdio.h>
#include <string.h>

#include "console/cli/cli.h"
#include "ipc/json.h"

static int
object_call(struct cli *cli, Ns__Envelope *request, const char *schema)
{
	return cli_show(cli, request,
	    &(const struct cli_view){
		NS__ENVELOPE__BODY_OBJECT_REPLY, schema, NULL, cli_object_table });
}

/* ---- users ---- */
static int
user_set(struct cli *cli, bool create, bool remove)
{
	Ns__UserSetRequest body = NS__USER_SET_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;
	Ns__User user = NS__USER__INIT;

	user.name = cli_str(cli->words[0]);
	user.unix_account = cli_str(cli->opt[OPT_UNIX]);
	user.role = cli_str(cli->opt[OPT_ROLE]);
	body.user = &user;
	body.create = create;
	body.remove = remove;
	body.confirm = cli_str(cli->opt[OPT_CONFIRM]);
	body.comment = cli_str(cli->opt[OPT_COMMENT]);
	body.idempotency_key = cli_str(cli->opt[OPT_KEY]);
	request.body_case = NS__ENVELOPE__BODY_USER_SET_REQUEST;
	request.user_set_request = &body;
	return object_call(cli, &request, "ns.user/1");
}

int
cmd_user_create(struct cli *cli)
{
	if (cli->opt[OPT_UNIX] == NULL || cli->opt[OPT_ROLE] == NULL)
		return cli_usage(
		    NULL, "user create NAME takes --unix ACCOUNT and --role viewer|operator|admin");
	return user_set(cli, true, false);
}

int
cmd_user_set(struct cli *cli)
{
	if (cli->opt[OPT_UNIX] == NULL && cli->opt[OPT_ROLE] == NULL)
		return cli_usage(NULL, "user set NAME takes --unix ACCOUNT, --role ROLE, or both");
	return user_set(cli, false, false);
}

int
cmd_user_delete(struct cli *cli)
{
	return user_set(cli, false, true);
}

static void
users_table(const ProtobufCMessage *m)
{
	const Ns__UserListReply *r = (const Ns__UserListReply *)m;
	static const char *const titles[] = { "NAME", "UNIX", "ROLE", "HERE", "CHANGED" };
	struct table *t = table_new(titles, 5, "lllll");

	for (size_t i = 0; i < r->n_users; i++) {
		const Ns__UserListReply__Entry *u = r->users[i];

		table_cell(t, "%s", u->name);
		table_cell(t, "%s", u->unix_account);
		table_cell(t, "%s", u->role);
		table_cell(t, "%s", u->known ? "yes" : "no such account");
		table_cell(t, "%s", u->changed);
	}
	table_print(&t);
}

int
cmd_user_list(struct cli *cli)
{
	Ns__UserListRequest body = NS__USER_LIST_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;

	request.body_case = NS__ENVELOPE__BODY_USER_LIST_REQUEST;
	request.user_list_request = &body;
	return cli_show(cli, &request,
	    &(const struct cli_view){
		NS__ENVELOPE__BODY_USER_LIST_REPLY, "ns.user.list/1", "users", users_table });
}

/* ---- accounts ---- */
static int
account_set(struct cli *cli, bool remove)
{
	Ns__AccountSetRequest body = NS__ACCOUNT_SET_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;
	Ns__Account account = NS__ACCOUNT__INIT;

	account.name = cli_str(cli->words[0]);
	body.account = &account;
	body.remove = remove;
	body.confirm = cli_str(cli->opt[OPT_CONFIRM]);
	body.comment = cli_str(cli->opt[OPT_COMMENT]);
	body.idempotency_key = cli_str(cli->opt[OPT_KEY]);
	request.body_case = NS__ENVELOPE__BODY_ACCOUNT_SET_REQUEST;
	request.account_set_request = &body;
	return object_call(cli, &request, "ns.account/1");
}

int
cmd_account_create(struct cli *cli)
{
	return account_set(cli, false);
}

int
cmd_account_set(struct cli *cli)
{
	Ns__AccountSetRequest body = NS__ACCOUNT_SET_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;
	Ns__Account account = NS__ACCOUNT__INIT;
	char **sites = NULL;
	int code;

	if (cli->opt[OPT_SITES] == NULL)
		return cli_usage(
		    NULL, "account set NAME takes --sites SITE,SITE... (\"\" for everywhere)");
	account.name = cli_str(cli->words[0]);
	body.account = &account;
	if (cli->opt[OPT_SITES][0] != '\0')
		body.sites = sites = cli_commas(cli->opt[OPT_SITES], &body.n_sites);
	body.sites_given = true;
	body.comment = cli_str(cli->opt[OPT_COMMENT]);
	body.idempotency_key = cli_str(cli->opt[OPT_KEY]);
	request.body_case = NS__ENVELOPE__BODY_ACCOUNT_SET_REQUEST;
	request.account_set_request = &body;
	code = object_call(cli, &request, "ns.account/1");
	free(sites);
	return code;
}

int
cmd_account_delete(struct cli *cli)
{
	return account_set(cli, true);
}

void
cli_sites(char *const *sites, size_t n, char *out, size_t size)
{
	size_t at = 0;

	snprintf(out, size, "%s", n == 0 ? "everywhere" : "");
	for (size_t i = 0; i < n && at < size; i++)
		at += (size_t)snprintf(out + at, size - at, "%s%s", i > 0 ? "," : "", sites[i]);
}

static void
accounts_table(const ProtobufCMessage *m)
{
	const Ns__AccountListReply *r = (const Ns__AccountListReply *)m;
	static const char *const titles[] = { "NAME", "ZONES", "SITES" };
	struct table *t = table_new(titles, 3, "lrl");
	char sites[256];

	for (size_t i = 0; i < r->n_accounts; i++) {
		table_cell(t, "%s", r->accounts[i]->name);
		table_cell(t, "%llu", (unsigned long long)r->accounts[i]->zones);
		cli_sites(r->accounts[i]->sites, r->accounts[i]->n_sites, sites, sizeof sites);
		table_cell(t, "%s", sites);
	}
	table_print(&t);
}

int
cmd_account_list(struct cli *cli)
{
	Ns__AccountListRequest body = NS__ACCOUNT_LIST_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;

	request.body_case = NS__ENVELOPE__BODY_ACCOUNT_LIST_REQUEST;
	request.account_list_request = &body;
	return cli_show(cli, &request,
	    &(const struct cli_view){ NS__ENVELOPE__BODY_ACCOUNT_LIST_REPLY, "ns.account.list/1",
		"accounts", accounts_table });
}

/* ---- zone set ---- */
int
cmd_zone_set(struct cli *cli)
{
	Ns__ZoneSetRequest body = NS__ZONE_SET_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;

	const char *given = cli->opt[OPT_SITES];
	char **sites = NULL;
	int code;

	if (cli->opt[OPT_ACCOUNT] == NULL && given == NULL)
		return cli_usage(NULL,
		    "zone set ZONE takes --account NAME (\"\" for none) or --sites SITE,SITE... "
		    "(\"\" for everywhere)");
	body.zone = cli_str(cli->words[0]);
	body.account = cli_str(cli->opt[OPT_ACCOUNT]);
	body.account_given = cli->opt[OPT_ACCOUNT] != NULL;
	body.sites_given = given != NULL;
	if (given != NULL && given[0] != '\0')
		body.sites = sites = cli_commas(given, &body.n_sites);
	body.comment = cli_str(cli->opt[OPT_COMMENT]);
	body.idempotency_key = cli_str(cli->opt[OPT_KEY]);
	request.body_case = NS__ENVELOPE__BODY_ZONE_SET_REQUEST;
	request.zone_set_request = &body;
	code = cli_commit(cli, &request, NULL);
	free(sites);
	return code;
}
