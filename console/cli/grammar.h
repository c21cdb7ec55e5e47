/* grammar - the command line as the console's `:` takes it (console/screens/palette.h).
 *
 * A line becomes words as a login shell has them (words.h), goes through the argument grammar (args.c) and is run as this
 * program once more, by the same way that its owner came: for who has no shell as `nameserve -c LINE`, for a
 * person of a shared account as `nameserve login PERSON`, so that nothing can be done in it that could not be
 * asked for by ssh.  What makes no sense within a console is refused before. */
#ifndef NS_CLI_GRAMMAR_H
#define NS_CLI_GRAMMAR_H

#include "console/cli/cli.h"
#include "console/screens/palette.h"

/* The grammar for whoever opened this console; it keeps cli, which must outlive it. */
struct grammar cli_grammar(const struct cli *);

#endif
