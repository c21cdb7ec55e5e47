/* replace - private to this folder: the half of store_replace() that store_open() does. */
#ifndef NS_STORE_REPLACE_H
#define NS_STORE_REPLACE_H

#include "appliance/store/store.h"

/* With the lock held and nothing open: finish what store_replace() has decided. */
enum ns_err	 replace_finish(const char *dir, struct ns_why *);

#endif
