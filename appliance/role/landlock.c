/* landlock - what a role may still reach by path (and by TCP) after its start.
 *
 * Called by role_sandbox().  Raw system calls with constants of our own: Debian 12's headers know
 * ABI 2 only, the running kernel may know more (ABI 3 truncate, 4 TCP, 5 device ioctls, 6 scopes).
 * Everything that the kernel knows is handled, that is: denied but for the role's paths.  What it
 * does not know is named as a problem; seccomp stands in front of it anyway. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "appliance/role/role_internal.h"
#include "ipc/base/log.h"

#define FS_EXECUTE     (1ull << 0)
#define FS_WRITE_FILE  (1ull << 1)
#define FS_READ_FILE   (1ull << 2)
#define FS_READ_DIR    (1ull << 3)
#define FS_REMOVE_DIR  (1ull << 4)
#define FS_REMOVE_FILE (1ull << 5)
#define FS_MAKE_DIR    (1ull << 7)
#define FS_MAKE_REG    (1ull << 8)
#define FS_MAKE_SOCK   (1ull << 9)
#define FS_ALL_1       ((1ull << 13) - 1) /* ABI 1 */
#define FS_REFER       (1ull << 13) /* ABI 2 */
#define FS_TRUNCATE    (1ull << 14) /* ABI 3 */
#define FS_IOCTL_DEV   (1ull << 15) /* ABI 5 */
#define FS_OF_FILES    (FS_EXECUTE | FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE | FS_IOCTL_DEV)
#define NET_BIND       (1ull << 0) /* ABI 4 */
#define NET_TCP        (NET_BIND | (1ull << 1)) /* and connect */
#define SCOPE_ALL      ((1ull << 0) | (1ull << 1)) /* ABI 6: abstract sockets, signals */

#define CREATE_VERSION 1u
#define RULE_PATH      1

struct ruleset {
	uint64_t fs, net, scoped;
};
struct path_rule {
	uint64_t allowed;
	int32_t fd;
} __attribute__((packed));

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule       445
#define SYS_landlock_restrict_self  446
#endif

/* In the order of the ABI that brought them; what a kernel below `abi` cannot do. */
static const struct lack {
	long abi;
	const char *what;
} lacks[] = {
	{ 3, "truncation" },
	{ 4, "TCP" },
	{ 5, "device ioctls" },
	{ 6, "signals and abstract sockets" },
};

static const uint64_t allowed_by_access[] = {
	[ROLE_READ] = FS_READ_FILE | FS_READ_DIR,
	[ROLE_WRITE] = FS_READ_FILE | FS_READ_DIR | FS_WRITE_FILE | FS_MAKE_REG | FS_MAKE_DIR |
		       FS_REMOVE_FILE | FS_REMOVE_DIR | FS_REFER | FS_TRUNCATE,
	[ROLE_SOCKET] = FS_READ_FILE | FS_WRITE_FILE | FS_READ_DIR | FS_MAKE_SOCK | FS_REMOVE_FILE,
};

static uint64_t
handled_fs(long abi)
{
	uint64_t fs = FS_ALL_1;

	if (abi >= 2)
		fs |= FS_REFER;
	if (abi >= 3)
		fs |= FS_TRUNCATE;
	if (abi >= 5)
		fs |= FS_IOCTL_DEV;
	return fs;
}

static void
name_lacks(long abi, char *problems, size_t size)
{
	char text[128] = "";
	size_t i;

	for (i = 0; i < sizeof lacks / sizeof *lacks; i++)
		if (abi < lacks[i].abi) {
			size_t used = strlen(text);

			snprintf(text + used, sizeof text - used, "%s%s", used > 0 ? ", " : "",
			    lacks[i].what);
		}
	if (text[0] != '\0')
		problems_add(problems, size,
		    "the kernel's Landlock (ABI %ld) has no rule for %s; seccomp alone guards them",
		    abi, text);
}

static void
add_path(int ruleset, const struct role_path *rule, const char *path, uint64_t handled)
{
	struct path_rule attr = { .allowed = allowed_by_access[rule->access] & handled };
	struct stat st;

	attr.fd = open(path, O_PATH | O_CLOEXEC);
	if (attr.fd < 0) {
		/* Without the rule nothing below it can be reached: safe, and the role will say so. */
		log_warn("role.landlock", "path=%s error=%s", log_quote(path), strerror(errno));
		return;
	}
	if (fstat(attr.fd, &st) == 0 && !S_ISDIR(st.st_mode))
		attr.allowed &= FS_OF_FILES; /* a directory's rights on a file are refused */
	if (syscall(SYS_landlock_add_rule, ruleset, RULE_PATH, &attr, 0) != 0)
		fatal("role.landlock", "path=%s error=%s", log_quote(path), strerror(errno));
	close(attr.fd);
}

void
landlock_apply(const struct role *role, const struct role_rules *rules, char *problems, size_t size)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, CREATE_VERSION);
	struct ruleset attr = { 0 };
	const struct role_path *p;
	size_t attr_size;
	int fd;

	if (abi < 1) {
		problems_add(problems, size,
		    "the kernel has no Landlock (%s): files are guarded by their modes and seccomp "
		    "alone",
		    errno == EOPNOTSUPP ? "switched off, add it to the lsm= boot parameter"
					: "not built in");
		return;
	}
	name_lacks(abi, problems, size);
	attr.fs = handled_fs(abi);
	attr.net = abi < 4 ? 0 : rules->network ? NET_BIND : NET_TCP; /* bound before, or never */
	attr.scoped = abi >= 6 ? SCOPE_ALL : 0;
	attr_size = abi >= 6 ? sizeof attr : abi >= 4 ? 2 * sizeof attr.fs : sizeof attr.fs;
	fd = (int)syscall(SYS_landlock_create_ruleset, &attr, attr_size, 0);
	if (fd < 0)
		fatal("role.landlock", "abi=%ld error=%s", abi, strerror(errno));
	for (p = rules->paths; p != NULL && p->path != NULL; p++) {
		const char *path = p->path(role);

		if (path != NULL && path[0] != '\0')
			add_path(fd, p, path, attr.fs);
	}
	if (syscall(SYS_landlock_restrict_self, fd, 0) != 0)
		fatal("role.landlock", "abi=%ld error=%s", abi, strerror(errno));
	close(fd);
}
