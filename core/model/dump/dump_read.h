/* Reading the sections of a dump file. What it hands out is what was written: sizes
 * and checksums are right. What it means is the caller's to check. */
#ifndef ASNAP_MODEL_DUMP_READ_H
#define ASNAP_MODEL_DUMP_READ_H

#include "dump_format.h"
#include "error.h"

struct asnap_dump_reader {
    const char *path; /* the caller's */
    int fd;
    struct asnap_dump_header header;
    struct asnap_dump_section sections[ASNAP_DUMP_SECTIONS_MAX];
};

/* Opens a dump; checks its header and section table. */
struct asnap_error *asnap_dump_open(struct asnap_dump_reader *reader, const char *path);
void asnap_dump_close(struct asnap_dump_reader *reader);

/* Reads the elements of a section, for the caller to free: an array with room for one
 * more. A section that is left out has none. */
struct asnap_error *asnap_dump_read(const struct asnap_dump_reader *reader,
                                    enum asnap_dump_kind kind, size_t element_size, void **elements,
                                    size_t *count);

/* Looks at elements as they come, in pieces that are still in the processor's cache.
 * That is before their checksum is known: its error counts once that one is right. */
struct asnap_dump_look {
    struct asnap_error *(*look)(void *context, const void *elements, size_t count);
    void *context;
};

/* Does the same, and has the elements looked at in their order; not beyond an error. */
struct asnap_error *asnap_dump_read_looking(const struct asnap_dump_reader *reader,
                                            enum asnap_dump_kind kind, size_t element_size,
                                            const struct asnap_dump_look *look, void **elements,
                                            size_t *count);

/* The error for a file that contradicts itself: the printf-style text says in what, with the field,
 * its index and its value. Sections have the numbers of docs/dump-format.md. */
struct asnap_error *asnap_dump_damaged(const struct asnap_dump_reader *reader, const char *format,
                                       ...) __attribute__((format(printf, 2, 3), returns_nonnull));

#endif
