/* backup.c - see backup.h.
 *
 * SQLite's online backup begins anew whenever another connection commits, unless its source has a read
 * transaction open: that is why there must be one.  The copy is thrown away after a crash, so it has
 * no journal and is not synced. */
#include "appliance/store/backup.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "appliance/store/db.h"
#include "appliance/store/replace.h"
#include "ipc/base/clock.h"
#include "ipc/base/xalloc.h"

#define STEP_PAGES 256 /* 1 MiB: some milliseconds */

struct store_backup {
	struct store *source;
	sqlite3 *copy;
	sqlite3_backup *run;
};

/* The error stands with the copy's handle; its text is SQLite's. */
static enum ns_err
copy_failed(struct store_backup *b, int rc, struct ns_why *why)
{
	enum ns_err err = db_fail(b->source, rc, "copy the store");

	return db_tell(b->source, err, why);
}

enum ns_err
store_backup_begin(struct store *s, const char *path, struct store_backup **out, struct ns_why *why)
{
	struct store_backup *b = xcalloc(1, sizeof *b);
	int rc;

	assert(s->in_txn);
	*out = NULL;
	b->source = s;
	rc = sqlite3_open_v2(path, &b->copy,
	    SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX |
		SQLITE_OPEN_EXRESCODE | SQLITE_OPEN_NOFOLLOW,
	    NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(b->copy,
		    "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = "
		    "-2048",
		    NULL, NULL, NULL);
	if (rc == SQLITE_OK) {
		b->run = sqlite3_backup_init(b->copy, "main", s->db, "main");
		rc = b->run != NULL ? SQLITE_OK : sqlite3_extended_errcode(b->copy);
	}
	if (rc != SQLITE_OK) {
		enum ns_err err = copy_failed(b, rc, why);

		store_backup_end(&b);
		return err;
	}
	*out = b;
	return NS_OK;
}

/* Who was here is this appliance's alone (audit.h): it goes nowhere. */
static int
leave_out(struct store_backup *b)
{
	int rc = sqlite3_backup_finish(b->run);

	b->run = NULL;
	return rc == SQLITE_OK
		   ? sqlite3_exec(
			 b->copy, "PRAGMA secure_delete = ON; DELETE FROM audit", NULL, NULL, NULL)
		   : rc;
}

enum ns_err
store_backup_step(struct store_backup *b, unsigned budget_ms, bool *done, struct ns_why *why)
{
	uint64_t until = clock_mono_ms() + budget_ms;
	int rc;

	*done = false;
	do {
		rc = sqlite3_backup_step(b->run, STEP_PAGES);
	} while (rc == SQLITE_OK && clock_mono_ms() < until);
	*done = rc == SQLITE_DONE;
	if (rc == SQLITE_DONE)
		rc = leave_out(b);
	if (rc == SQLITE_OK)
		return NS_OK;
	return copy_failed(b, rc, why);
}

void
store_backup_end(struct store_backup **bp)
{
	struct store_backup *b = *bp;

	if (b == NULL)
		return;
	if (b->run != NULL)
		sqlite3_backup_finish(b->run);
	sqlite3_close(b->copy);
	free(b);
	*bp = NULL;
}
