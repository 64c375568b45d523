/* What a report shows of a graph: the blocks and lines that keep most alive, and the largest leak.
 */
#ifndef ASNAP_EXPORT_REPORT_GRAPH_H
#define ASNAP_EXPORT_REPORT_GRAPH_H

#include "job.h"
#include "report_stacks.h"

/* Blocks and lines that keep most alive, as many of each. */
#define ASNAP_REPORT_KEEPERS ((size_t)100)
/* Blocks of the largest leak that are shown. */
#define ASNAP_REPORT_LEAK_BLOCKS ((size_t)200)

/* Writes the sections, where the job has a graph; `numbering` is of its snapshot. */
struct asnap_error *asnap_report_graph_write(struct asnap_report_stacks *stacks,
                                             struct asnap_report_numbering *numbering,
                                             const struct asnap_export_job *job,
                                             struct asnap_report_output *output);

#endif
