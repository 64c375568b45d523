/* What writes each format, for the table in export.c. */
#ifndef ASNAP_EXPORT_KINDS_H
#define ASNAP_EXPORT_KINDS_H

#include "job.h"

struct asnap_error *asnap_export_firefox(const struct asnap_export_job *job);
struct asnap_error *asnap_export_folded(const struct asnap_export_job *job);
struct asnap_error *asnap_export_heapsnapshot(const struct asnap_export_job *job);
struct asnap_error *asnap_export_pprof(const struct asnap_export_job *job);
struct asnap_error *asnap_export_csv(const struct asnap_export_job *job);
struct asnap_error *asnap_export_sqlite(const struct asnap_export_job *job);
struct asnap_error *asnap_export_speedscope(const struct asnap_export_job *job);
struct asnap_error *asnap_export_report(const struct asnap_export_job *job);

#endif
