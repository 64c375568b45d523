#include "locations.h"

#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "grow.h"

/* Frames that are asked for at once. */
enum { AT_ONCE = 1024 };

struct asnap_error *asnap_locations_init(struct asnap_locations *locations,
                                         const struct asnap_snapshot *snapshot)
{
    struct asnap_frame frames[AT_ONCE];
    size_t count = asnap_snapshot_frame_count(snapshot);
    *locations = (struct asnap_locations){
        .snapshot = snapshot,
        .inlined = calloc(count + 1, sizeof(*locations->inlined)),
        .single = asnap_intern_none(count),
    };
    if (locations->inlined == NULL || locations->single == NULL) {
        asnap_locations_deinit(locations);
        return asnap_error_no_memory();
    }
    for (size_t i = 0; i < count; i++) {
        size_t left = count - i;
        if (i % AT_ONCE == 0)
            asnap_snapshot_frames(snapshot, (uint32_t)i, left < AT_ONCE ? left : AT_ONCE, frames);
        locations->inlined[i] = frames[i % AT_ONCE].inlined;
    }
    return NULL;
}

/* How many frames stand for the address of the first. */
static uint32_t extent(const struct asnap_locations *locations, const uint32_t *frames,
                       uint32_t count)
{
    const struct asnap_snapshot *snapshot = locations->snapshot;
    uint32_t extent = 1;
    if (!locations->inlined[frames[0]])
        return 1;
    uint64_t address = asnap_snapshot_frame_address(snapshot, frames[0]);
    uint32_t mapping = asnap_snapshot_frame_mapping(snapshot, frames[0]);
    while (extent < count && locations->inlined[frames[extent - 1]] &&
           asnap_snapshot_frame_address(snapshot, frames[extent]) == address &&
           asnap_snapshot_frame_mapping(snapshot, frames[extent]) == mapping)
        extent++;
    return extent;
}

static struct asnap_error *add(struct asnap_locations *locations, const uint32_t *frames,
                               uint32_t count, uint32_t *id)
{
    struct asnap_location *grown = asnap_grow(locations->locations, &locations->capacity,
                                              (size_t)locations->count + 1, sizeof(*grown));
    if (grown == NULL)
        return asnap_error_no_memory();
    locations->locations = grown;
    uint32_t *members = asnap_grow(locations->members, &locations->member_capacity,
                                   locations->member_count + count, sizeof(*members));
    if (members == NULL)
        return asnap_error_no_memory();
    locations->members = members;
    memcpy(members + locations->member_count, frames, count * sizeof(*frames));
    grown[locations->count] =
        (struct asnap_location){.first = locations->member_count, .frame_count = count};
    locations->member_count += count;
    *id = locations->count++;
    return NULL;
}

struct wanted {
    const struct asnap_locations *locations;
    const uint32_t *frames;
    uint32_t count;
};

static bool is_same(const void *context, uint32_t id)
{
    const struct wanted *wanted = context;
    const struct asnap_location *location = &wanted->locations->locations[id];
    return location->frame_count == wanted->count &&
           memcmp(wanted->locations->members + location->first, wanted->frames,
                  wanted->count * sizeof(*wanted->frames)) == 0;
}

struct asnap_error *asnap_locations_next(struct asnap_locations *locations, const uint32_t *frames,
                                         uint32_t count, uint32_t *id, uint32_t *frame_count)
{
    uint32_t *single = &locations->single[frames[0]];
    struct wanted wanted = {locations, frames, extent(locations, frames, count)};
    *frame_count = wanted.count;
    if (wanted.count == 1) {
        struct asnap_error *error =
            *single == ASNAP_NONE ? add(locations, frames, 1, single) : NULL;
        *id = *single;
        return error;
    }
    uint32_t hash = asnap_hash_bytes(frames, wanted.count * sizeof(*frames));
    *id = asnap_intern_find(&locations->index, hash, is_same, &wanted);
    if (*id != ASNAP_NONE)
        return NULL;
    struct asnap_error *error = asnap_intern_reserve(&locations->index);
    if (error == NULL)
        error = add(locations, frames, wanted.count, id);
    if (error == NULL)
        asnap_intern_add(&locations->index, hash, *id);
    return error;
}

void asnap_locations_deinit(struct asnap_locations *locations)
{
    free(locations->locations);
    free(locations->members);
    free(locations->inlined);
    free(locations->single);
    asnap_intern_deinit(&locations->index);
    *locations = (struct asnap_locations){0};
}
