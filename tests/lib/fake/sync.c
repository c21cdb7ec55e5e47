/* sync.c - what files of appliance/sync name of others that a test or fuzz target of theirs does not link: weak, so that
 * who links the real one has it.  Accounts are named acct1, acct2; whatever else is reached is a mistake of the test.
 * A program names tests/lib/fake/sync.c in its `// link:`. */
#include <stdlib.h>

#include "appliance/sync/import.h"
#include "appliance/sync/reader.h"
#include "appliance/sync/residency.h"
#include "appliance/sync/users.h"
#include "appliance/sync/writer.h"
#include "ipc/base/xalloc.h"

#define ABSENT __attribute__((weak))

ABSENT void
import_zone_work(struct job *job, void *thread)
{
	(void)job, (void)thread;
	abort();
}

ABSENT Ns__HistoryShowReply__ZoneDiff *
history_diff(const Ns__ChangeBody__Zone *z, size_t *octets)
{
	(void)z, (void)octets;
	abort();
}

ABSENT Ns__CommitReply *
commit_reply_new(struct request *r)
{
	(void)r;
	abort();
}

ABSENT enum ns_err
residency_may_tell(
    struct store *s, const struct store_zone *z, const struct caller *c, struct ns_why *why)
{
	(void)s, (void)z, (void)c, (void)why;
	abort();
}

ABSENT char *
account_name(struct store *s, uint32_t id, struct account_names **names)
{
	(void)s, (void)names;
	return xasprintf("acct%u", id);
}

ABSENT void
account_names_destroy(struct account_names **names)
{
	(void)names;
}
