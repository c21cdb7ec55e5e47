/* draft - what the commands around drafts share: draft.c (one more operation, shown, committed) and
 * drafttake.c (whole drafts that the appliance made). */
#ifndef NS_CLI_DRAFT_H
#define NS_CLI_DRAFT_H

#include "console/cli/cli.h"
#include "ipc/client/draft.h"

/* The drafts for the appliance that answers here, locked; NULL after a message, with *code. */
struct ns_drafts *cli_drafts_linked(struct cli *, int *code);
Ns__Draft *cli_draft_new(const char *zone, uint64_t version, uint32_t serial);
void cli_draft_add(Ns__Draft *, const Ns__RecordOp *); /* copies it */
json_t *cli_draft_json(const Ns__Draft *);
int cli_draft_print(struct cli *, const Ns__Draft *);

#endif
