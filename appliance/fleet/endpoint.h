/* endpoint - `tcp://ADDRESS:PORT`, as the configuration, tokens and members have it.
 *
 * Pure.  ADDRESS is an IPv4 address, an IPv6 address in brackets, or `*` to listen on all.  Names are
 * refused: sync has no right to look one up (its sandbox opens no files), and a fleet that needs DNS
 * to mend DNS cannot. */
#ifndef NS_FLEET_ENDPOINT_H
#define NS_FLEET_ENDPOINT_H

#include <stdbool.h>
#include <sys/socket.h>

#include "ipc/base/err.h"

#define ENDPOINT_MAX 80u /* tcp://[8 groups, a scope]:65535 */

/* `listen`: a wildcard is allowed.  NS_USAGE. */
enum ns_err endpoint_read(const char *text, bool listen, struct sockaddr_storage *, socklen_t *,
    struct ns_why *) __attribute__((warn_unused_result));

#endif
