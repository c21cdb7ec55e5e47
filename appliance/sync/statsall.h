/* statsall - the figures of all appliances as one.  Pure. */
#ifndef NS_SYNC_STATSALL_H
#define NS_SYNC_STATSALL_H

#include "appliance/sync/everywhere.h"

/* Sums; percentiles from the summed histograms; lists merged by name and cut as was asked for. */
everywhere_fn statsall_merge;

#endif
