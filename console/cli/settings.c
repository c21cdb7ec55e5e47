/* settings - what `zone create` puts at the apex. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console/cli/cli.h"
#include "ipc/base/xalloc.h"

#define SETTINGS_MAX 16u

static void
settings_print(const ProtobufCMessage *m)
{
	const Ns__SettingsReply *r = (const Ns__SettingsReply *)m;
	for (size_t i = 0; i < r->n_settings; i++) {
		printf("%s", r->settings[i]->name);
		for (size_t v = 0; v < r->settings[i]->n_values; v++)
			printf("%c%s", v ? ',' : ' ', r->settings[i]->values[v]);
		putchar('\n');
	}
}

static int
settings_call(struct cli *cli, Ns__Envelope *request)
{
	return cli_show(cli, request,
	    &(const struct cli_view){
		NS__ENVELOPE__BODY_SETTINGS_REPLY, "ns.settings/1", NULL, settings_print });
}

int
cmd_settings_show(struct cli *cli)
{
	Ns__SettingsGetRequest body = NS__SETTINGS_GET_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;

	request.body_case = NS__ENVELOPE__BODY_SETTINGS_GET_REQUEST;
	request.settings_get_request = &body;
	return settings_call(cli, &request);
}

int
cmd_settings_set(struct cli *cli)
{
	Ns__SettingsSetRequest body = NS__SETTINGS_SET_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;
	Ns__Setting settings[SETTINGS_MAX], *list[SETTINGS_MAX];
	char *values[SETTINGS_MAX * 16];
	size_t used = 0;
	char *copies[SETTINGS_MAX] = { NULL };

	if (cli->n_words % 2 != 0)
		return cli_usage(NULL, "settings set takes pairs: NAME VALUE");
	for (unsigned i = 0; i < cli->n_words / 2 && i < SETTINGS_MAX; i++) {
		char *rest = copies[i] = xstrdup(cli->words[2 * i + 1]), *piece;
		ns__setting__init(&settings[i]);
		settings[i].name = cli_str(cli->words[2 * i]);
		settings[i].values = values + used;
		while ((piece = strsep(&rest, ",")) != NULL && settings[i].n_values < 16)
			if (*piece != '\0')
				values[used + settings[i].n_values++] = piece;
		used += settings[i].n_values;
		list[i] = &settings[i];
		body.n_settings++;
	}
	body.settings = list;
	body.comment = cli_str(cli->opt[OPT_COMMENT]);
	body.idempotency_key = cli_str(cli->opt[OPT_KEY]);
	request.body_case = NS__ENVELOPE__BODY_SETTINGS_SET_REQUEST;
	request.settings_set_request = &body;
	int code = settings_call(cli, &request);
	for (unsigned i = 0; i < SETTINGS_MAX; i++)
		free(copies[i]);
	return code;
}
