/* The files that a symbolizer has met, each with what it has learnt of it. */
#ifndef ASNAP_SYMBOLS_KNOWN_MODULES_H
#define ASNAP_SYMBOLS_KNOWN_MODULES_H

#include "intern.h"
#include "module.h"

struct asnap_known_module {
    struct asnap_module *module;
    bool is_unloaded;
    struct asnap_build_id build_id; /* several builds may have had one path */
    bool is_fresh;                  /* looked at since the regions were set */
    bool is_used;                   /* held an address since the regions were set */
};

/* At most so many problems are noted; the last note says how many there are in all. */
#define ASNAP_FILE_NOTES_MAX 100

/* All zero is an empty list. */
struct asnap_known_modules {
    struct asnap_known_module *modules;
    size_t count;
    size_t capacity;
    struct asnap_intern index;
    const char *notes[ASNAP_FILE_NOTES_MAX + 1];
    size_t note_count;
    char left_out[96]; /* the last of them */
};

/* The place of the file that is mapped under `path`, a string of `store`, and has this build ID
 * in memory (of size 0 where it is not known); makes it where it is new. */
struct asnap_error *asnap_known_modules_mapped(struct asnap_known_modules *known,
                                               struct asnap_frame_store *store, const char *path,
                                               const struct asnap_build_id *build_id,
                                               size_t *place);

/* The place of the file that was unloaded from under `path`, a string of `store`, and has
 * this build ID. */
struct asnap_error *asnap_known_modules_unloaded(struct asnap_known_modules *known,
                                                 struct asnap_frame_store *store, const char *path,
                                                 const struct asnap_build_id *build_id,
                                                 size_t *place);

/* Has every file looked at again before it is used, and forgets which were. */
void asnap_known_modules_renew(struct asnap_known_modules *known);

/* Has every file looked at again, and what is from other files forgotten. */
void asnap_known_modules_forget_others(struct asnap_known_modules *known);

/* Collects the problems met with those that are used, a line each, none twice. */
void asnap_known_modules_collect_notes(struct asnap_known_modules *known);

void asnap_known_modules_deinit(struct asnap_known_modules *known);

#endif
