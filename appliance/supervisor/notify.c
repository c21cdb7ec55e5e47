/* notify - systemd's sd_notify protocol: one datagram of KEY=VALUE lines to $NOTIFY_SOCKET. */
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "appliance/supervisor/supervisor.h"
#include "ipc/base/log.h"

static int notify_fd = -1;
static struct sockaddr_un notify_to;
static socklen_t notify_len;
static uint64_t watchdog_ms, watchdog_next;

void
notify_init(void)
{
	const char *path = getenv("NOTIFY_SOCKET"), *usec = getenv("WATCHDOG_USEC");

	if (path == NULL || (path[0] != '/' && path[0] != '@') ||
	    strlen(path) >= sizeof notify_to.sun_path)
		return;
	notify_to.sun_family = AF_UNIX;
	memcpy(notify_to.sun_path, path, strlen(path));
	if (path[0] == '@')
		notify_to.sun_path[0] = '\0';
	notify_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
	notify_fd = fd_keep(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
	if (usec != NULL)
		watchdog_ms = strtoull(usec, NULL, 10) / 2000; /* twice in each period */
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
}

void
notify_send(const char *fmt, ...)
{
	char text[256];
	va_list ap;
	int n;

	if (notify_fd < 0)
		return;
	va_start(ap, fmt);
	n = vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	if (n <= 0)
		return;
	(void)sendto(notify_fd, text, strlen(text), MSG_DONTWAIT | MSG_NOSIGNAL,
	    (const struct sockaddr *)&notify_to, notify_len);
}

void
notify_watchdog(uint64_t now_ms)
{
	if (watchdog_ms == 0 || now_ms < watchdog_next)
		return;
	watchdog_next = now_ms + watchdog_ms;
	notify_send("WATCHDOG=1");
}
