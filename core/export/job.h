/* One export, as the writer of a format sees it. */
#ifndef ASNAP_EXPORT_JOB_H
#define ASNAP_EXPORT_JOB_H

#include "allocsnap_export.h"
#include "file_writer.h"

struct asnap_export_job {
    const struct asnap_snapshot *snapshot;
    const struct asnap_export_options *options;
    struct asnap_file_writer *out;
};

/* Whether to go on, before item `done` of `total` is written: not after a failure, which is the
 * file's. Tells the caller now and then how far it has come; where that stops it, it is
 * INTERRUPTED. */
bool asnap_export_goes_on(const struct asnap_export_job *job, uint64_t done, uint64_t total);

#endif
