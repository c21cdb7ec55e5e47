/* key - keys as numbers and as people write them: "j", "Ctrl-L", "PgDn", "F1".
 *
 * A number is a code point, or above KEY_BASE one of enum; control characters are their code points. */
#ifndef NS_CONSOLE_CORE_KEY_H
#define NS_CONSOLE_CORE_KEY_H

#include <stdbool.h>
#include <stdint.h>

enum {
	KEY_NONE_ = 0,
	UIKEY_ESC = 27,
	UIKEY_ENTER = 13,
	UIKEY_TAB = 9,
	UIKEY_BACKSPACE = 127,
	UIKEY_BASE = 0x110000,
	UIKEY_UP,
	UIKEY_DOWN,
	UIKEY_LEFT,
	UIKEY_RIGHT,
	UIKEY_HOME,
	UIKEY_END,
	UIKEY_PGUP,
	UIKEY_PGDN,
	UIKEY_DELETE,
	UIKEY_BACKTAB,
	UIKEY_F1,
	UIKEY_F2,
	UIKEY_PASTE_BEGIN, /* bracketed paste */
	UIKEY_PASTE_END,
	UIKEY_ACK, /* the terminal has shown the frame: CSI 0n */
	UIKEY_FOCUS, /* in or out: nothing to do */
	UIKEY_WHEEL_UP,
	UIKEY_WHEEL_DOWN,
	UIKEY_POINT = 1 << 30, /* a click, with the cell */
};
#define KEY_POINT(x, y)	 (UIKEY_POINT | (uint32_t)(y) << 12 | (uint32_t)(x))
#define KEY_POINT_X(key) ((int)((key) & 0xfff))
#define KEY_POINT_Y(key) ((int)((key) >> 12 & 0xfff))
#define CTRL_KEY(c) ((uint32_t)(c) & 0x1f)

static inline bool
key_is_mouse(uint32_t key)
{
	return key >= UIKEY_POINT || key == UIKEY_WHEEL_UP || key == UIKEY_WHEEL_DOWN;
}

/* "Ctrl-L" → 12; 0: no such key. */
uint32_t key_number(const char *name);
/* The other way; out is returned. */
const char *key_label(uint32_t key, char out[16]);

#endif
