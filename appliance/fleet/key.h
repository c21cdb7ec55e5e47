/* key - a CURVE key pair, and the files that hold this appliance's own.
 *
 * <data>/fleet.key, 0600, the user of sync: made at the first start, never sent anywhere.  Text, so
 * that a look at it says what it is.  While the key is rolled the next one rests beside it, in fleet.key.next,
 * on the disk before anybody is told of it, and takes its place by one rename: at any moment there is a key
 * that the others know.  Called by sync after its sandbox is up. */
#ifndef NS_FLEET_KEY_H
#define NS_FLEET_KEY_H

#include <stdbool.h>
#include <stdint.h>

#include "ipc/base/err.h"

#define FLEET_KEY 32u

struct fleet_keys {
	uint8_t public_key[FLEET_KEY], secret_key[FLEET_KEY];
};

bool fleet_keys_make(struct fleet_keys *);
/* The public half of a secret one. */
bool fleet_keys_from_secret(const uint8_t secret[FLEET_KEY], struct fleet_keys *);
/* From the file; made and written (temporary file, fsync, rename) when there is none. */
enum ns_err fleet_keys_load(const char *data_dir, struct fleet_keys *, struct ns_why *)
    __attribute__((warn_unused_result));
/* The next one: NS_NOTFOUND when there is none. */
enum ns_err fleet_keys_next(const char *data_dir, struct fleet_keys *, struct ns_why *)
    __attribute__((warn_unused_result));
/* The same; made and written when there is none. */
enum ns_err fleet_keys_next_make(const char *data_dir, struct fleet_keys *, struct ns_why *)
    __attribute__((warn_unused_result));
/* It is the key from now on: NS_OK when that is on the disk. */
enum ns_err fleet_keys_next_take(const char *data_dir, struct ns_why *)
    __attribute__((warn_unused_result));

#endif
