/* text - a surface as text and as a plane of roles: what golden screens are made of. */
#ifndef NS_CONSOLE_TERMINAL_TEXT_H
#define NS_CONSOLE_TERMINAL_TEXT_H

#include <stdbool.h>
#include <stdio.h>

#include "console/core/surface.h"

void text_put(FILE *, uint32_t cp); /* as UTF-8 */
void text_print(FILE *, const struct surface *); /* a line a row, without blanks at its end */
void text_print_roles(FILE *, const struct surface *, bool colour); /* a letter a cell */

#endif
