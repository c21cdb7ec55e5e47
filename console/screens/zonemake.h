/* zonemake - a new zone: its name, and what stands at its apex where that is not as the settings have it. */
#ifndef NS_CONSOLE_SCREENS_ZONEMAKE_H
#define NS_CONSOLE_SCREENS_ZONEMAKE_H

#include "console/screens/ui.h"

void zonemake_open(struct ui *);

#endif
