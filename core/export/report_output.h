/* Data on its way into the page: sections of numbers, compressed, as base64 (docs/report.md). */
#ifndef ASNAP_EXPORT_REPORT_OUTPUT_H
#define ASNAP_EXPORT_REPORT_OUTPUT_H

#include <zlib.h>

#include "error.h"

/* Bytes that make one line of base64. */
#define ASNAP_REPORT_PACKED ((size_t)48 * 1024)

/* The first failure is kept, and nothing is written after it. */
struct asnap_report_output {
    const struct asnap_report_sink *sink;
    struct asnap_error *error;
    z_stream stream;
    unsigned char packed[ASNAP_REPORT_PACKED];
};

struct asnap_error *asnap_report_output_create(const struct asnap_report_sink *sink,
                                               struct asnap_report_output **output);
void asnap_report_output_destroy(struct asnap_report_output *output);

/* One section: `count` numbers of `width` bytes each; `tag` has four letters. */
void asnap_report_section(struct asnap_report_output *output, const char *tag, uint32_t width,
                          const void *numbers, size_t count);

/* The beginning of a section whose numbers follow by asnap_report_numbers, in pieces. */
void asnap_report_section_begin(struct asnap_report_output *output, const char *tag, uint32_t width,
                                size_t count);
void asnap_report_section_bytes(struct asnap_report_output *output, const void *bytes, size_t size);
void asnap_report_section_end(struct asnap_report_output *output, size_t bytes);

/* Writes what is left; returns the first failure. */
struct asnap_error *asnap_report_output_end(struct asnap_report_output *output);

#endif
