/* mapzones - where the images of all zones are in an appliance's map, for tests.
 *     mapzones PID      of the signer; prints `APEX OFFSET` lines
 *
 * Images are immutable and a change publishes a new one beside the old: a zone that has kept its place was not
 * loaded again. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "appliance/dns/name.h"
#include "appliance/role/role.h"
#include "appliance/zonemap/map.h"

static void
print_zone(void *arg, uint64_t hash, map_off image)
{
	const struct map_view *v = arg;
	char text[NAME_MAX_TEXT];
	size_t len;
	const uint8_t *apex = map_image_apex(v, image, &len);

	(void)hash;
	if (apex != NULL)
		printf("%s %" PRIu64 "\n", name_to_text(apex, text), image);
}

int
main(int argc, char **argv)
{
	struct ns_why why = { 0 };
	struct map_root *root;
	struct map_view view;
	uint64_t cursor = 0;
	struct map map;
	char path[64];
	int fd;

	if (argc != 2) {
		fprintf(stderr, "usage: mapzones PID\n");
		return 2;
	}
	snprintf(path, sizeof path, "/proc/%ld/fd/%d", atol(argv[1]), ROLE_FD_MAP);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || map_open(fd, false, &map, &why) != NS_OK) {
		fprintf(stderr, "%s: no map: %s\n", path, why.text);
		return 1;
	}
	if ((root = map_glance(&map, &view)) == NULL)
		return 1;
	while (map_zone_page(&view, &cursor, print_zone, &view))
		;
	free(root);
	map_close(&map);
	close(fd);
	return 0;
}
