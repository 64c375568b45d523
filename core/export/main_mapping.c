#include "main_mapping.h"

#include <stdlib.h>
#include <string.h>

#include "error.h"

enum asnap_main_rank asnap_main_rank_of(const struct asnap_frame *frame)
{
    if (frame->function == NULL)
        return ASNAP_MAIN_NOTHING;
    if (strcmp(frame->function, "_start") == 0)
        return ASNAP_MAIN_HAS_START;
    return strcmp(frame->function, "main") == 0 ? ASNAP_MAIN_HAS_MAIN : ASNAP_MAIN_NOTHING;
}

static bool is_library(const char *path)
{
    const char *slash = strrchr(path, '/');
    return path[0] != '/' || strstr(slash, ".so") != NULL;
}

enum asnap_main_rank asnap_main_rank_with_path(enum asnap_main_rank rank, const char *path)
{
    return rank == ASNAP_MAIN_NOTHING && !is_library(path) ? ASNAP_MAIN_NO_LIBRARY : rank;
}

/* The best rank of each mapping by the frames in it. */
static void rank_frames(const struct asnap_snapshot *snapshot, enum asnap_main_rank *ranks)
{
    size_t count = asnap_snapshot_frame_count(snapshot);
    for (size_t i = 0; i < count; i++) {
        uint32_t mapping = asnap_snapshot_frame_mapping(snapshot, (uint32_t)i);
        if (mapping == ASNAP_NO_MAPPING || ranks[mapping] == ASNAP_MAIN_HAS_START)
            continue;
        struct asnap_frame frame = asnap_snapshot_frame(snapshot, (uint32_t)i);
        enum asnap_main_rank rank = asnap_main_rank_of(&frame);
        if (rank > ranks[mapping])
            ranks[mapping] = rank;
    }
}

struct asnap_error *asnap_main_mapping(const struct asnap_snapshot *snapshot, uint32_t *mapping)
{
    size_t count = asnap_snapshot_mapping_count(snapshot);
    enum asnap_main_rank best = ASNAP_MAIN_NOTHING;
    enum asnap_main_rank *ranks = calloc(count + 1, sizeof(*ranks));
    if (ranks == NULL)
        return asnap_error_no_memory();
    rank_frames(snapshot, ranks);
    *mapping = ASNAP_NO_MAPPING;
    for (size_t i = 0; i < count; i++) {
        const char *path = asnap_snapshot_mapping(snapshot, i).path;
        enum asnap_main_rank rank = asnap_main_rank_with_path(ranks[i], path);
        if (rank > best) {
            best = rank;
            *mapping = (uint32_t)i;
        }
    }
    free(ranks);
    return NULL;
}
