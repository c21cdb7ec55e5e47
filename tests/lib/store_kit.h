/* store_kit - what the tests of the store share: names, content, a directory, random numbers. */
#ifndef NS_TESTS_STORE_KIT_H
#define NS_TESTS_STORE_KIT_H

#include <stddef.h>
#include <stdint.h>

#include "appliance/store/store.h"

struct kit_name {
	uint8_t wire[255];
	size_t len;
};
struct kit_name kit_name(const char *text);
/* The RRsets of one owner: `sets` TXT-like sets of about `octets` each, varied by `salt`. */
void kit_owner(struct wbuf *, const uint8_t *owner, unsigned sets, size_t octets, uint32_t salt);
/* Apex SOA (with that serial) and NS, and n owners hNNNN below. */
void kit_zone(struct wbuf *, const uint8_t *apex, uint32_t serial, unsigned owners);

/* A fresh directory in /dev/shm (or /tmp), and its removal with all in it. */
char *kit_dir(void);
void kit_remove(char **dir);

uint64_t kit_random(uint64_t *state); /* splitmix64 */

/* ---- a store under test (for cmocka: setup, teardown, and checks that fail the test) ---- */

#define OK(expr) assert_int_equal((expr), NS_OK)

struct kit_store {
	char		*dir;
	struct store	*s;
};
int	 kit_set_up(void **state);		/* *state: a struct kit_store, open to write */
int	 kit_tear_down(void **state);
void	 kit_reopen(struct kit_store *);
void	 kit_raw(struct kit_store *, const char *sql);	/* another program's hand in the file */
struct store_zone	 kit_new_zone(struct kit_store *, const char *name, uint64_t version);
uint64_t kit_append(struct kit_store *, const char *body, uint64_t zone);
uint64_t kit_part_count(struct kit_store *);

extern unsigned	 kit_faults;
store_fault_fn	 kit_count_fault;
unsigned kit_verify(struct store *);		/* how many faults */
void	 kit_assert_sound(struct store *);

#endif
