#include "job.h"

/* Items between two reports. */
#define ITEMS ((uint64_t)65536)

bool asnap_export_goes_on(const struct asnap_export_job *job, uint64_t done, uint64_t total)
{
    static const char step[] = "writing the file";
    const struct asnap_progress *progress = job->options->progress;
    if (done % ITEMS == 0 && progress != NULL && job->out->error == NULL &&
        !progress->report(progress->context, step, done, total))
        asnap_file_writer_fail(job->out, asnap_error_interrupted(step));
    return job->out->error == NULL;
}
