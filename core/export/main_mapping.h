/* Which of the mapped files is the program itself. */
#ifndef ASNAP_EXPORT_MAIN_MAPPING_H
#define ASNAP_EXPORT_MAIN_MAPPING_H

#include "allocsnap_snapshot.h"

/* How likely a mapping is the program's own. */
enum asnap_main_rank {
    ASNAP_MAIN_NOTHING,
    ASNAP_MAIN_NO_LIBRARY,
    ASNAP_MAIN_HAS_MAIN,
    ASNAP_MAIN_HAS_START
};

/* By the function of a frame in it. */
enum asnap_main_rank asnap_main_rank_of(const struct asnap_frame *frame);

/* By the best of these, or where they say nothing by its path. */
enum asnap_main_rank asnap_main_rank_with_path(enum asnap_main_rank rank, const char *path);

/* Finds the program's mapping by the frames of a snapshot; ASNAP_NO_MAPPING: none is likely. Fails
 * with NO_MEMORY only. */
struct asnap_error *asnap_main_mapping(const struct asnap_snapshot *snapshot, uint32_t *mapping);

#endif
