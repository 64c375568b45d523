/* Whole files in memory: the page of reports, and sources. */
#ifndef ASNAP_EXPORT_REPORT_FILE_H
#define ASNAP_EXPORT_REPORT_FILE_H

#include "error.h"

struct asnap_report_file {
    char *text;  /* with a NUL behind it; NULL: it cannot be read */
    size_t size; /* bytes before that */
    int why;     /* it cannot: what asnap_open_reason takes */
};

/* Reads a regular file of at most `limit` bytes; free() the text. Fails with NO_MEMORY only. */
struct asnap_error *asnap_report_file_read(const char *path, size_t limit,
                                           struct asnap_report_file *file);

#endif
