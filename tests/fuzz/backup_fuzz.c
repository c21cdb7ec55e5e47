/* backup_fuzz - any octets as a backup file, whole and one by one: the same verdict. */
#include <assert.h>
#include <stdlib.h>

#include "ipc/backup.h"
#include "ipc/passkey.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static enum ns_err
count(void *arg, const void *data, size_t len, struct ns_why *why)
{
	(void)data;
	(void)why;
	*(uint64_t *)arg += len;
	return NS_OK;
}

static enum ns_err
try_in(const uint8_t *data, size_t size, size_t step, uint64_t *image)
{
	struct ns_backup_reader *r = ns_backup_reader_new(count, image);
	struct ns_why why = { 0 };
	enum ns_err err = NS_OK;

	for (size_t at = 0; err == NS_OK && at < size; at += step)
		err = ns_backup_read(r, data + at, size - at < step ? size - at : step, &why);
	if (err == NS_OK)
		err = ns_backup_end(r, &why);
	if (err == NS_OK)
		assert(ns_backup_info(r)->octets == *image);
	/* What a reader is asked to spend on the keys has a bound, whatever the header says. */
	if (ns_backup_info(r) != NULL && ns_backup_info(r)->fleet_keys != NULL &&
	    passkey_check(ns_backup_info(r)->fleet_keys, &why) == NS_OK)
		assert(ns_backup_info(r)->fleet_keys->cost <= PASSKEY_COST_MAX);
	ns_backup_reader_destroy(&r);
	return err;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t one = 0, all = 0;

	assert(try_in(data, size, 1, &one) == try_in(data, size, size + 1, &all));
	return 0;
}
