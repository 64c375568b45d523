/* Strings of JSON (RFC 8259). */
#ifndef ASNAP_EXPORT_JSON_H
#define ASNAP_EXPORT_JSON_H

#include "file_writer.h"

/* A string with its quotes, of text that is printable (printable.h), as asnap_strings_name makes
 * it. */
void asnap_json_string(struct asnap_file_writer *out, const char *text, size_t size);

/* The same of a sentence whose names may not be printable yet. */
void asnap_json_text(struct asnap_file_writer *out, const char *text);

#endif
