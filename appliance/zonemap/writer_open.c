/* writer_open - the writer for zone images; the only place that ties writer.h to image.h, so that
 * tests of the one link without the other. */
#include "appliance/zonemap/image.h"
#include "appliance/zonemap/writer.h"

enum ns_err
writer_open(int map_fd, uint64_t limit, uint64_t generation, struct worker_page *const *pages,
    size_t npages, struct writer **out, struct ns_why *why)
{
	const struct writer_conf conf = {
		.fd = map_fd,
		.limit = limit,
		.generation = generation,
		.pages = pages,
		.npages = npages,
		.walk = image_each_block,
	};

	return writer_open_conf(&conf, out, why);
}
