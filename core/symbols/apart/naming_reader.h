/* Reads what a process that reads debug information writes (naming_messages.h). */
#ifndef ASNAP_SYMBOLS_NAMING_READER_H
#define ASNAP_SYMBOLS_NAMING_READER_H

#include "dwarf_naming.h"

/* Set `fd` and `store`; all else 0. */
struct asnap_naming_reader {
    int fd;
    struct asnap_frame_store *store;
    const char **strings; /* of the store */
    size_t string_count;
    size_t string_capacity;
    uint64_t string_bytes; /* of all of them */
    uint64_t strings_most; /* bytes that they may have */
    char *bytes;           /* of the message that is coming, and what came after it */
    size_t used;
    size_t capacity;
    bool begun; /* messages are of `module` */
    uint64_t module;
    /* Of the module that is asked about: */
    uint64_t wanted;
    struct asnap_naming *namings; /* by address */
    size_t count;
    struct asnap_naming_progress *progress;
    struct asnap_error **problem;
    size_t done;
    size_t spare_frames; /* beyond those that each address may have */
    bool has_ended;
    uint32_t end; /* what it ended with */
};

enum asnap_naming_outcome {
    ASNAP_OUTCOME_ALL,      /* what there is of the module */
    ASNAP_OUTCOME_MEMORY,   /* what came before it had no memory left; it writes no more */
    ASNAP_OUTCOME_END,      /* the other process writes no more */
    ASNAP_OUTCOME_NONSENSE, /* it must not be read from any longer */
};

/* Reads what is written of a module, whose numbers rise from call to call. What came before an end
 * or nonsense is kept; all addresses count as done. */
struct asnap_error *asnap_naming_reader_read(struct asnap_naming_reader *reader, uint64_t module,
                                             struct asnap_naming *namings, size_t count,
                                             struct asnap_naming_progress *progress,
                                             struct asnap_error **problem,
                                             enum asnap_naming_outcome *outcome);

void asnap_naming_reader_deinit(struct asnap_naming_reader *reader);

#endif
