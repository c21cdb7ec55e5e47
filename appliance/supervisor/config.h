/* config - the appliance's configuration file: INI by inih, checked by one table of keys.
 *
 * Used by nameserved at start, by --check-config and at SIGHUP.  The first thing that is wrong is
 * reported as `FILE:LINE: [section] key: reason`; nothing else happens before a file is good.  All
 * strings belong to struct config, which config_free() ends. */
#ifndef NS_SUPERVISOR_CONFIG_H
#define NS_SUPERVISOR_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipc/base/err.h"
#include "ipc/nameserve.pb-c.h"

#define CONFIG_FILE_MAX  (64u << 10) /* octets; a dozen keys need a hundredth */
#define CONFIG_LIST_MAX  64 /* addresses of one key: descriptors of a worker */
#define CONFIG_KEYS_MAX  32
#define CONFIG_VALUE_MAX 1024

struct config {
	Ns__Config pb; /* what the children are given */
	Ns__Config__Fleet fleet;
	Ns__Config__Api api;
	char *raw[CONFIG_KEYS_MAX]; /* as written, or the default; by key number */
	unsigned line[CONFIG_KEYS_MAX]; /* 0: default */
};

enum ns_err
config_load(const char *path, struct config *, struct ns_why *) __attribute__((warn_unused_result));
enum ns_err config_parse(const char *file, const char *text, struct config *, struct ns_why *)
    __attribute__((warn_unused_result));
void config_free(struct config *);

/* "[dns] rrl" of a key number; NULL behind the last. */
const char *config_key_name(size_t number, char *out, size_t size);
/* Where the file says it; 0: it does not. */
unsigned config_line(const struct config *, const char *section, const char *key);
/* Same value in both? */
bool config_key_same(const struct config *, const struct config *, size_t number);

/* ---- config_value.c: checks of one value.  `out` gets the normal form (CONFIG_VALUE_MAX octets);
 * false: `why` says what is expected (CONFIG_VALUE_MAX octets). ---- */
typedef bool config_check_fn(const char *in, char *out, char *why);
config_check_fn config_check_label, config_check_site, config_check_role, config_check_path,
    config_check_dns, config_check_tls, config_check_tcp, config_check_http, config_check_net,
    config_check_account;
bool config_read_count(const char *in, uint64_t min, uint64_t max, uint64_t *, char *why);
bool config_read_size(const char *in, uint64_t min, uint64_t max, uint64_t *, char *why);

/* ---- config_cross.c: what several keys say together.  key: the number to blame. ---- */
bool config_cross(const struct config *, const char **section, const char **key, char *why);
/* Is path the directory dir, or below it?  Both absolute; `.` and `..` are resolved by text. */
bool config_path_below(const char *path, const char *dir);

#endif
