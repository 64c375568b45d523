/* Data on its way into the page: sections of numbers, compressed, as base64 (docs/report.md). */
#ifndef ASNAP_EXPORT_REPORT_OUTPUT_H
#define ASNAP_EXPORT_REPORT_OUTPUT_H

#include <zlib.h>

#include "file_writer.h"

/* Bytes that make one line of base64. */
#define ASNAP_REPORT_PACKED ((size_t)48 * 1024)

struct asnap_report_output {
    struct asnap_file_writer *out;
    bool much; /* asnap_report_output_create */
    z_stream stream;
    unsigned char packed[ASNAP_REPORT_PACKED];
};

/* `much`: what comes is large, and compressed faster rather than better. */
struct asnap_error *asnap_report_output_create(struct asnap_file_writer *out, bool much,
                                               struct asnap_report_output **output);
void asnap_report_output_destroy(struct asnap_report_output *output);

/* One section: `count` numbers of `width` bytes each; `tag` has four letters. */
void asnap_report_section(struct asnap_report_output *output, const char *tag, uint32_t width,
                          const void *numbers, size_t count);

/* Number `index` of something. */
typedef uint32_t asnap_report_number(const void *context, size_t index);

/* A section of numbers from a function, each in 1, 2 or 4 bytes, as the largest needs. */
void asnap_report_column(struct asnap_report_output *output, const char *tag, size_t count,
                         asnap_report_number *number, const void *context);

/* One field, a uint32_t, of an array of structures as such a section. */
void asnap_report_field(struct asnap_report_output *output, const char *tag, const void *structures,
                        size_t count, size_t size, size_t offset);
#define ASNAP_REPORT_FIELD(OUTPUT, TAG, STRUCTURES, COUNT, FIELD)                                  \
    asnap_report_field(OUTPUT, TAG, STRUCTURES, COUNT, sizeof(*(STRUCTURES)),                      \
                       offsetof(typeof(*(STRUCTURES)), FIELD))

/* Some bits of such a field. */
struct asnap_report_bits {
    uint32_t shift;
    uint32_t mask;
};
void asnap_report_bits(struct asnap_report_output *output, const char *tag, const void *structures,
                       size_t count, size_t size, size_t offset, struct asnap_report_bits bits);

/* Between these are columns in which little repeats itself but the number before: where there is
 * much, nothing else is looked for, which takes a third of the time. */
void asnap_report_columns_begin(struct asnap_report_output *output);
void asnap_report_columns_end(struct asnap_report_output *output);

/* Writes what is left. */
void asnap_report_output_end(struct asnap_report_output *output);

#endif
