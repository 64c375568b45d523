/* Writing profile.proto: message after message, compressed. A message of which parts were written
 * apart is the whole for its readers (encoding of protocol buffers: what is repeated is joined). */
#ifndef ASNAP_EXPORT_PPROF_WRITER_H
#define ASNAP_EXPORT_PPROF_WRITER_H

#include <profile.pb-c.h>

#include "export_strings.h"
#include "gzip_writer.h"

struct asnap_pprof_writer {
    ProtobufCBuffer buffer; /* the first: its function gets the writer by it */
    struct asnap_strings strings;
    struct asnap_gzip_writer gzip;
};

/* Begins, with the string 0. Fails with NO_MEMORY only, as all of them. */
struct asnap_error *asnap_pprof_open(struct asnap_pprof_writer *writer,
                                     struct asnap_file_writer *out);

/* The number of a string: a name; a sentence, as a literal is; the one that was made in `strings`.
 */
struct asnap_error *asnap_pprof_name(struct asnap_pprof_writer *writer, const char *name,
                                     int64_t *number);
struct asnap_error *asnap_pprof_text(struct asnap_pprof_writer *writer, const char *text,
                                     int64_t *number);

struct asnap_error *asnap_pprof_made(struct asnap_pprof_writer *writer, int64_t *number);

/* Writes a part of the profile. */
void asnap_pprof_write(struct asnap_pprof_writer *writer, const Asnap__Profile *part);

/* Writes the strings, and ends. */
void asnap_pprof_end(struct asnap_pprof_writer *writer);
void asnap_pprof_close(struct asnap_pprof_writer *writer);

#endif
