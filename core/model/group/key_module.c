/* By the program or library that the frame's code is in. */
#include <string.h>

#include "keys.h"
#include "utf8.h"

/* NULL where it is not known. */
static const char *module_of(const struct asnap_store *store, uint32_t frame)
{
    uint32_t mapping = store->frames[frame].mapping;
    return mapping == ASNAP_NONE
               ? NULL
               : asnap_names_get(&store->mapping_names, store->mappings[mapping].path);
}

static int compare_modules(const char *left, const char *right)
{
    if (left == NULL || right == NULL)
        return (left != NULL) - (right != NULL);
    return asnap_utf8_compare(left, right);
}

static int compare_frames(const struct asnap_store *store, uint32_t left, uint32_t right)
{
    if (store->frames[left].mapping == store->frames[right].mapping)
        return 0;
    return compare_modules(module_of(store, left), module_of(store, right));
}

static const struct asnap_frame_grouping grouping = {.compare = compare_frames,
                                                     .keeps_frame = true};

static int compare(const struct asnap_group_pair *pair)
{
    return compare_modules(module_of(pair->stores[0], pair->groups[0]->frame),
                           module_of(pair->stores[1], pair->groups[1]->frame));
}

static const char *label(const struct asnap_store *store, const struct asnap_group *group,
                         char buffer[ASNAP_LABEL_SIZE])
{
    (void)buffer;
    const char *path = module_of(store, group->frame);
    return path == NULL ? ASNAP_UNKNOWN_LABEL : path;
}

static struct asnap_frame frame(const struct asnap_store *store, const struct asnap_group *group,
                                size_t index)
{
    (void)index;
    return (struct asnap_frame){.filename = label(store, group, NULL)};
}

/* It has many offsets, and only its frames have one each. */
static struct asnap_place place(const struct asnap_store *store, const struct asnap_group *group,
                                size_t index)
{
    struct asnap_place place = asnap_key_place(store, group, index);
    place.offset = 0;
    return place;
}

const struct asnap_key_kind asnap_key_module = {
    .description = {.name = "module",
                    .noun = "module",
                    .means = "what one program or library asked for",
                    .label = ASNAP_LABEL_MODULE,
                    .has_cumulative = true},
    .by_frame = &grouping,
    .compare = compare,
    .frame = frame,
    .place = place,
    .label = label,
};
