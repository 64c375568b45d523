/* Distinct places in code: a return address with the frames that it stands for, several where
 * functions were inlined. */
#ifndef ASNAP_EXPORT_LOCATIONS_H
#define ASNAP_EXPORT_LOCATIONS_H

#include "allocsnap_export.h"
#include "intern.h"

struct asnap_location {
    size_t first; /* place of its innermost frame among the members */
    uint32_t frame_count;
};

/* Numbered from 0 in the order in which they come. */
struct asnap_locations {
    const struct asnap_snapshot *snapshot;
    struct asnap_location *locations;
    uint32_t count;
    size_t capacity;
    uint32_t *members; /* numbers of frames */
    size_t member_count;
    size_t member_capacity;
    bool *inlined;    /* by frame: into the next older one */
    uint32_t *single; /* by frame: the location that is only this one, or ASNAP_NONE */
    struct asnap_intern index;
};

/* Begins without a location. Fails with NO_MEMORY only, as all of them. */
struct asnap_error *asnap_locations_init(struct asnap_locations *locations,
                                         const struct asnap_snapshot *snapshot);

/* The location that `frames`, a traceback or the rest of it, begins with: its number, and of how
 * many of the `count` frames it is. */
struct asnap_error *asnap_locations_next(struct asnap_locations *locations, const uint32_t *frames,
                                         uint32_t count, uint32_t *id, uint32_t *frame_count);
void asnap_locations_deinit(struct asnap_locations *locations);

#endif
