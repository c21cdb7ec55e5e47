/* draft - what the commands around drafts share: draft.c (one more operation, shown, committed) and
 * drafttake.c (whole drafts that the appliance made). */
#ifndef NS_CLI_DRAFT_H
#define NS_CLI_DRAFT_H

#include "console/cli/cli.h"
#include "ipc/client/draft.h"
#include "ipc/client/draftop.h"

/* The drafts for the appliance that answers here, locked; NULL after a message, with *code. */
struct ns_drafts *cli_drafts_linked(struct cli *, int *code);
json_t *cli_draft_json(const Ns__Draft *);
int cli_draft_print(struct cli *, const Ns__Draft *);

#endif
