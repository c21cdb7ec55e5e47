/* help - what there is, from the tables; and the bash completion made of the same. */
#include <stdio.h>
#include <string.h>

#include "console/cli/cli.h"
#include "console/core/action.h"

static void
option_line(const struct cli_option *o)
{
	char left[64];

	snprintf(left, sizeof left, "%c%c%s --%s%s%s", o->letter ? '-' : ' ',
	    o->letter ? o->letter : ' ', o->letter ? "," : " ", o->name,
	    o->value != NULL ? " " : "", o->value != NULL ? o->value : "");
	printf("  %-28s %s\n", left, o->help);
}

static void
command_help(const struct cli_command *c)
{
	const struct cli_option *o;

	printf("nameserve %s%s%s %s\n  %s\n", c->noun, c->verb != NULL ? " " : "",
	    c->verb != NULL ? c->verb : "", c->usage, c->help);
	if (c->more != NULL)
		printf("\n%s\n", c->more);
	if (c->options != 0)
		puts("\nOptions:");
	for (o = cli_options; o->name != NULL; o++)
		if (o->id >= OPT_GLOBAL_END && (c->options & OPT_BIT(o->id)) != 0)
			option_line(o);
}

/* The console's, from its own table. */
static int
help_keys(void)
{
	for (const struct ns_action *a = ns_actions; a->id != ACT_NONE; a++)
		printf("%-6s %-15s :%-17s %s\n", a->group, a->keys, a->name, a->help);
	return CLI_OK;
}

int
cmd_help(struct cli *cli)
{
	const struct cli_command *c;
	const struct cli_option *o;
	const char *noun = cli->n_words > 0 ? cli->words[0] : NULL;
	const char *verb = cli->n_words > 1 ? cli->words[1] : NULL;
	unsigned shown = 0;

	if (noun != NULL && strcmp(noun, "keys") == 0)
		return help_keys();
	if (noun == NULL)
		puts("nameserve [OPTIONS] NOUN VERB ...   operates a NameServe "
		     "appliance\n\nCommands:");
	for (c = cli_commands; c->noun != NULL; c++) {
		char left[64];
		if (noun != NULL && strcmp(noun, c->noun) != 0)
			continue;
		if (noun != NULL &&
		    (verb == NULL || c->verb == NULL || strcmp(verb, c->verb) == 0)) {
			if (shown++ > 0)
				putchar('\n');
			command_help(c);
			continue;
		}
		if (noun != NULL)
			continue;
		snprintf(left, sizeof left, "%s%s%s %s", c->noun, c->verb != NULL ? " " : "",
		    c->verb != NULL ? c->verb : "", c->usage);
		printf("  %-42s %s\n", left, c->help);
		shown++;
	}
	if (shown == 0)
		return cli_usage(NULL, "no such command: %s%s%s", noun, verb != NULL ? " " : "",
		    verb != NULL ? verb : "");
	if (noun != NULL)
		return CLI_OK;
	puts("\nOptions for every command:");
	for (o = cli_options; o->id < OPT_GLOBAL_END; o++)
		option_line(o);
	puts("\nExit codes: 0 done, 1 failed, 2 usage, 3 not found, 4 not permitted, 5 conflict, 6 "
	     "rejected,\n"
	     "7 no connection or deadline, 8 outcome unknown, 9 confirmation needed, 10 it differs "
	     "(--exit-code),\n"
	     "11 not served in time, 130 interrupted");
	return CLI_OK;
}

static void
complete_verbs(const char *noun)
{
	const struct cli_command *c;

	for (c = cli_commands; c->noun != NULL; c++)
		if (strcmp(c->noun, noun) == 0 && c->verb != NULL)
			printf(" %s", c->verb);
}

int
cmd_completion(struct cli *cli)
{
	const struct cli_command *c, *before;
	const struct cli_option *o;

	if (strcmp(cli->words[0], "bash") != 0)
		return cli_usage(NULL, "completion %s: it can be: bash", cli->words[0]);
	puts("# bash completion for nameserve\n_nameserve()\n{\n"
	     "\tlocal cur=${COMP_WORDS[COMP_CWORD]} noun= verb= w i\n"
	     "\tfor ((i = 1; i < COMP_CWORD; i++)); do\n\t\tw=${COMP_WORDS[i]}\n"
	     "\t\tcase $w in -*) ;; *) if [ -z \"$noun\" ]; then noun=$w; "
	     "elif [ -z \"$verb\" ]; then verb=$w; fi ;; esac\n\tdone\n\tlocal words=");
	printf("\tif [[ $cur == -* ]]; then\n\t\twords=\"");
	for (o = cli_options; o->name != NULL; o++)
		printf("--%s ", o->name);
	printf("\"\n\telif [ -z \"$noun\" ]; then\n\t\twords=\"");
	for (c = cli_commands; c->noun != NULL; c++) {
		for (before = cli_commands; strcmp(before->noun, c->noun) != 0; before++)
			;
		if (before == c)
			printf("%s ", c->noun);
	}
	puts("\"\n\telif [ -z \"$verb\" ]; then\n\t\tcase $noun in");
	for (c = cli_commands; c->noun != NULL; c++) {
		for (before = cli_commands; strcmp(before->noun, c->noun) != 0; before++)
			;
		if (before != c || c->verb == NULL)
			continue;
		printf("\t\t%s) words=\"", c->noun);
		complete_verbs(c->noun);
		puts("\" ;;");
	}
	puts("\t\tcompletion) words=bash ;;\n\t\tesac\n\telse\n"
	     "\t\tCOMPREPLY=($(compgen -f -- \"$cur\"))\n\t\treturn\n\tfi\n"
	     "\tCOMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n}\ncomplete -F _nameserve "
	     "nameserve");
	return CLI_OK;
}
