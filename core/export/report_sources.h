/* The source lines around the frames of a report that hold most. */
#ifndef ASNAP_EXPORT_REPORT_SOURCES_H
#define ASNAP_EXPORT_REPORT_SOURCES_H

#include "report_cells.h"

/* Of so many places in sources, with so many lines on either side. */
#define ASNAP_REPORT_PLACES ((size_t)2000)
#define ASNAP_REPORT_LINES_AROUND 3u

/* Reads the lines and writes them as sections; files that cannot be read are left out. */
struct asnap_error *asnap_report_sources_write(const struct asnap_report_cells *cells,
                                               const struct asnap_report_options *options,
                                               struct asnap_report_output *output);

#endif
