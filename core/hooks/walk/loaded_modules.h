/* The files that are loaded into the process, with their unwind information. */
#ifndef ASNAP_HOOKS_LOADED_MODULES_H
#define ASNAP_HOOKS_LOADED_MODULES_H

#include <stdbool.h>
#include <stdint.h>

#include "eh_frame.h"

struct asnap_loaded_module {
    uint64_t start; /* the memory that it takes: [start, end) */
    uint64_t end;
    bool has_gaps;                      /* something else may lie in between */
    struct asnap_bytes unwind_table;    /* .eh_frame_hdr; empty where there is none */
    struct asnap_bytes unwind_readable; /* the segment that it is in, or else .eh_frame */
    uint32_t number;                    /* among the table's modules */
};

enum asnap_module_search {
    ASNAP_MODULE_FOUND,
    ASNAP_MODULE_NONE,     /* no file is loaded there */
    ASNAP_MODULE_UNLISTED, /* found, but its number is not to be had now: it is 0 */
};

/* What a search must not do. */
enum asnap_avoid {
    ASNAP_AVOID_LIBGCC = 1,  /* ask libgcc, which may hold its lock */
    ASNAP_AVOID_WAITING = 2, /* wait for a lock that this very thread may hold */
};

/* Learns where the dynamic linker is; before the first search. */
void asnap_modules_init(void);

/* An asnap_file_bounds. */
bool asnap_modules_bounds(uint64_t address, uint64_t *start, uint64_t *end);

/* Finds what is loaded at `pc`. It takes no lock of libc's, where the linker has
 * _dl_find_object (glibc 2.35) or /proc can be read. `avoid` holds asnap_avoid flags. */
enum asnap_module_search asnap_modules_find(uint64_t pc, unsigned avoid,
                                            struct asnap_loaded_module *module);

/* Forgets all, because a file was unloaded: another may come to its place. */
void asnap_modules_forget(void);

/* Whether a call comes from the dynamic linker. */
bool asnap_modules_is_linker(uint64_t pc);

/* Where the dynamic linker is: [start, end), empty where it is the C library as well. */
void asnap_modules_linker(uint64_t *start, uint64_t *end);

/* In a child (process.h), as asnap_records_mend: they are looked for anew. */
void asnap_modules_mend(const uint32_t *only);

#endif
