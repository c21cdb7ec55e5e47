/* snapshot_fuzz - any octets as a snapshot, whole and one by one: the same verdict, after the same records. */
// link: appliance/sync/snapfile.c
#include "appliance/sync/snapfile.h"
#include "tests/fuzz/fuzz.h"

static enum ns_err
count(void *arg, const Ns__Envelope *env, struct ns_why *why)
{
	(void)why;
	CHECK(env->body_case != NS__ENVELOPE__BODY__NOT_SET);
	++*(unsigned *)arg;
	return NS_OK;
}

static enum ns_err
try_in(const uint8_t *data, size_t size, size_t step, unsigned *records)
{
	struct snap_reader *r = snap_reader_new(count, records);
	struct ns_why why = { 0 };
	enum ns_err err = NS_OK;

	for (size_t at = 0; err == NS_OK && at < size; at += step)
		err = snap_read(r, data + at, size - at < step ? size - at : step, &why);
	if (err == NS_OK)
		err = snap_read_end(r, &why);
	snap_reader_destroy(&r);
	return err;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned one = 0, all = 0;

	CHECK(try_in(data, size, 1, &one) == try_in(data, size, size + 1, &all));
	CHECK(one == all);
	return 0;
}
