/* alias_file.c - data/probe/aliases: one record a target, written in place when something new is known.
 *
 * A record has a checksum: one that a crash tore is as if it were not there, and costs that target's last
 * addresses, no more.  Times are UNIX seconds, so that the ceiling goes on while the appliance is off. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "appliance/dns/name.h"
#include "appliance/probe/aliases.h"
#include "ipc/base/hash.h"
#include "ipc/base/log.h"
#include "ipc/base/wbuf.h"
#include "ipc/base/rbuf.h"
#include "ipc/base/xalloc.h"

#define MAGIC 0x4e53414cu /* "NSAL" */

static const uint8_t sum_key[16] = "nameserve-alias";

static uint64_t
sum_of(const uint8_t *data)
{
	return hash_sip24(sum_key, data + 8, ALIAS_RECORD - 8);
}

void
alias_record_write(uint8_t data[ALIAS_RECORD], const uint8_t *name, const struct alias_known *k)
{
	struct wbuf w = wbuf_init(data + 8, ALIAS_RECORD - 8);
	uint64_t sum;

	memset(data, 0, ALIAS_RECORD);
	wbuf_u32(&w, MAGIC);
	wbuf_u8(&w, (uint8_t)name_len(name));
	wbuf_put(&w, name, name_len(name));
	wbuf_u32(&w, k->tried);
	wbuf_u32(&w, k->good);
	wbuf_u8(&w, k->fault);
	for (unsigned f = 0; f < ALIAS_FAMILIES; f++) {
		const struct alias_addresses *a = &k->family[f];

		wbuf_u8(&w, a->state);
		wbuf_u8(&w, a->count);
		wbuf_u32(&w, a->until);
		wbuf_u32(&w, a->keep);
		wbuf_put(&w, a->octets, sizeof a->octets[0] * a->count);
	}
	sum = sum_of(data);
	put_u32(data, (uint32_t)(sum >> 32));
	put_u32(data + 4, (uint32_t)sum);
}

bool
alias_record_read(
    const uint8_t data[ALIAS_RECORD], uint8_t name[NAME_MAX_WIRE], struct alias_known *k)
{
	struct rbuf r = rbuf_init(data + 8, ALIAS_RECORD - 8);
	const uint8_t *p;
	uint8_t len;

	*k = (struct alias_known){ 0 };
	if (((uint64_t)get_u32(data) << 32 | get_u32(data + 4)) != sum_of(data) ||
	    rbuf_u32(&r) != MAGIC)
		return false;
	len = rbuf_u8(&r);
	p = rbuf_bytes(&r, len);
	if (p == NULL || len == 0 || name_check(p, len) != len)
		return false;
	name_lower(name, p, len);
	k->tried = rbuf_u32(&r);
	k->good = rbuf_u32(&r);
	k->fault = rbuf_u8(&r);
	for (unsigned f = 0; f < ALIAS_FAMILIES; f++) {
		struct alias_addresses *a = &k->family[f];

		a->state = rbuf_u8(&r);
		a->count = rbuf_u8(&r);
		a->until = rbuf_u32(&r);
		a->keep = rbuf_u32(&r);
		if (a->count > ALIAS_ADDRESSES || a->state >= ALIAS_STATES)
			return false;
		p = rbuf_bytes(&r, sizeof a->octets[0] * a->count);
		if (p != NULL)
			memcpy(a->octets, p, sizeof a->octets[0] * a->count);
	}
	return rbuf_ok(&r) && k->fault < ALIAS_FAULTS;
}

void
alias_file_read(int fd, alias_read_fn *fn, void *arg, uint32_t *places)
{
	uint8_t data[ALIAS_RECORD], name[NAME_MAX_WIRE];
	struct alias_known known;

	*places = 0;
	if (fd < 0)
		return;
	while (*places < ALIAS_TARGETS &&
	       pread(fd, data, sizeof data, (off_t)*places * ALIAS_RECORD) == ALIAS_RECORD) {
		if (alias_record_read(data, name, &known))
			fn(arg, *places, name, &known);
		++*places;
	}
}

static void
put(int fd, uint32_t place, const uint8_t *data)
{
	static struct log_limit limit;

	if (fd >= 0 &&
	    pwrite(fd, data, ALIAS_RECORD, (off_t)place * ALIAS_RECORD) != ALIAS_RECORD &&
	    log_allowed(&limit, 1))
		log_warn("alias.file", "text=\"addresses of ALIAS targets cannot be written: a "
				       "restart will look them up anew\"");
}

void
alias_file_write(int fd, uint32_t place, const uint8_t *name, const struct alias_known *k)
{
	uint8_t data[ALIAS_RECORD];

	alias_record_write(data, name, k);
	put(fd, place, data);
}

void
alias_file_erase(int fd, uint32_t place)
{
	static const uint8_t nothing[ALIAS_RECORD];

	put(fd, place, nothing);
}
