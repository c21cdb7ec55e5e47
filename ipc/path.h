/* path - Unix socket paths as ZeroMQ endpoints, and whether somebody listens there.
 *
 * ZeroMQ tells neither of "no such file" and "refused" nor of a second listener (it unlinks the file
 * and takes its place), so both are asked for with connect(2) first. */
#ifndef NS_IPC_PATH_H
#define NS_IPC_PATH_H

#include <stdbool.h>
#include <stddef.h>

#include "ipc/base/err.h"

#define NS_ENDPOINT_MAX 128u /* "ipc://" and sun_path */

/* NS_USAGE when it is not absolute or does not fit into sun_path. */
enum ns_err ns_path_endpoint(const char *path, char out[NS_ENDPOINT_MAX], struct ns_why *);
/* NS_OK: somebody listens.  NS_UNAVAILABLE (nobody) or NS_DENIED, with a sentence that names the
 * path and the next step. */
enum ns_err ns_path_probe(const char *path, struct ns_why *);
/* Somebody listens, however busy. */
bool ns_path_taken(const char *path);

#endif
