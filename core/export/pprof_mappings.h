/* The mappings of a profile: each location has one. */
#ifndef ASNAP_EXPORT_PPROF_MAPPINGS_H
#define ASNAP_EXPORT_PPROF_MAPPINGS_H

#include "allocsnap_export.h"
#include "pprof_writer.h"

struct asnap_pprof_mapping;

/* The ids are those of the snapshot's mappings, from 1 on, and after them the one for what lies in
 * none that is known. */
struct asnap_pprof_mappings {
    const struct asnap_snapshot *snapshot;
    struct asnap_pprof_mapping *seen; /* what is known of each, and of the last one */
    size_t count;
};

/* Fails with NO_MEMORY only. */
struct asnap_error *asnap_pprof_mappings_init(struct asnap_pprof_mappings *mappings,
                                              const struct asnap_snapshot *snapshot);

/* Takes note of a frame that is written. */
void asnap_pprof_mappings_see(struct asnap_pprof_mappings *mappings, uint32_t frame_id,
                              const struct asnap_frame *frame);

/* The id of a frame's mapping, and of the one for what is in none. */
uint64_t asnap_pprof_mappings_id(const struct asnap_pprof_mappings *mappings, uint32_t frame_id);
uint64_t asnap_pprof_mappings_unknown(struct asnap_pprof_mappings *mappings);

/* Writes those that have a location, the program's first. Fails with NO_MEMORY only. */
struct asnap_error *asnap_pprof_mappings_write(const struct asnap_pprof_mappings *mappings,
                                               struct asnap_pprof_writer *writer);
void asnap_pprof_mappings_deinit(struct asnap_pprof_mappings *mappings);

#endif
