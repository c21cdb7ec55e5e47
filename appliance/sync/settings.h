/* settings - what the installation has set: today the name servers and the hostmaster that `zone create`
 * puts at the apex.  To add one: a row in settings.c. */
#ifndef NS_SYNC_SETTINGS_H
#define NS_SYNC_SETTINGS_H

#include <stddef.h>

#include "appliance/store/store.h"
#include "appliance/sync/request.h"
#include "ipc/nameserve.pb-c.h"

/* One value to its stored form (an absolute name); why->field names the setting. */
enum ns_err	 setting_value(const char *setting, const char *text, char *out, size_t size,
		    struct ns_why *);
/* Stored values, separated by spaces, as a message; free with ns__setting__free_unpacked. */
Ns__Setting	*setting_message(const char *name, const char *value);
/* As a change says: those without values go. */
enum ns_err	 settings_apply(struct store *, Ns__Setting *const *, size_t n, struct ns_why *);
enum ns_err	 settings_read(struct request *, struct store *);	/* reader */

#endif
