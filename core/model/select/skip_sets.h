/* The built-in skip sets: functions and libraries that ask for memory on behalf of others. */
#ifndef ASNAP_MODEL_SKIP_SETS_H
#define ASNAP_MODEL_SKIP_SETS_H

#include <stdbool.h>

#include "store.h"

/* Sets as bits, by their numbers. Names alone do not tell Rust's functions from those of C++. */
enum {
    ASNAP_SET_LIBC = 1u << 0,
    ASNAP_SET_CXX = 1u << 1,
    ASNAP_SET_RUST = 1u << 2,
    ASNAP_SET_NAMELESS = 1u << 6,
};

/* The sets that each function, file of a frame and file that is mapped belongs to. */
struct asnap_set_matches {
    uint8_t *functions; /* by function of the store */
    uint8_t *files;     /* by file of the store: as a source */
    uint8_t *modules;   /* by file of the store: as a program or library */
    uint8_t *mapped;    /* by mapping name of the store */
};

struct asnap_error *asnap_set_matches_init(struct asnap_set_matches *matches,
                                           const struct asnap_store *store);
void asnap_set_matches_deinit(struct asnap_set_matches *matches);

/* Whether a frame is of a program's code; those of traces that were given are places alone, which
 * no set is for. */
static inline bool asnap_frame_is_code(const struct asnap_stored_frame *frame)
{
    return frame->address != 0 || frame->function != ASNAP_NONE;
}

/* The sets that a frame belongs to by its function and files. */
uint8_t asnap_sets_of_frame(const struct asnap_set_matches *matches,
                            const struct asnap_store *store, uint32_t frame_id);

#endif
