/* graphs - ten minutes of a figure, a sample each refresh, and how they are drawn. */
#ifndef NS_CONSOLE_SCREENS_GRAPHS_H
#define NS_CONSOLE_SCREENS_GRAPHS_H

#include "console/screens/ui.h"

#define SERIES_SAMPLES 600u /* ten minutes at the usual interval */
#define GRAPH_BUCKET   10u /* samples by which a graph moves on a slow link */

struct series {
	double list[SERIES_SAMPLES]; /* the newest last; -1: none */
	uint64_t added;
};

/* How many of the newest samples are not drawn yet, of so many that there were: a graph that moves is drawn anew, all
 * of it, which a slow link carries at the edges of buckets only. */
size_t graph_held(const struct view *, uint64_t samples);

void series_init(struct series *);
void series_add(struct series *, double);
/* Time in which nobody looked, or the link was lost, is a hole: of so many ms, at that interval. */
void series_gap(struct series *, uint64_t ms, unsigned interval_ms);
double series_most(const struct series *);
/* What nobody sampled, from what the appliance keeps: points of 10 s each, the newest last. */
void series_past(struct series *, const float *points, size_t n, double unit, unsigned interval_ms);
/* n points as fewer, means of as many each, for a line in a list. */
void spark_past(double *out, size_t columns, const float *points, size_t n);
/* Those in a row of characters, the most of them the highest; -1: a blank.  Nothing
 * where rows are spoken. */
void spark_text(const struct view *, const double *list, size_t n, char *out, size_t size);
/* "  231k ▂▂▃▃▄▄": the scale on the left, the ten minutes in as many columns as there are, each the most of its samples;
 * its top is the most of all. */
void series_draw(struct view *, struct rect, const struct series *, const char *scale);
/* A histogram: a column a bucket, a line below it with the edges.  r.h ≥ 2. */
void buckets_draw(struct view *, struct rect, Ns__StatsReply__Bucket *const *, size_t n);

#endif
