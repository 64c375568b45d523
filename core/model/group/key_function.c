/* By function of the frame. Functions of one name in different files are different: static
 * ones, and those of different programs. */
#include "keys.h"
#include "utf8.h"

static uint32_t file_of(const struct asnap_store *store, uint32_t frame)
{
    return store->locations[store->frames[frame].location].file;
}

static int compare_frames(const struct asnap_store *store, uint32_t left, uint32_t right)
{
    int order = asnap_function_compare(store->frames[left].function, store->frames[right].function);
    uint32_t left_file = file_of(store, left);
    uint32_t right_file = file_of(store, right);
    return order != 0 ? order : (left_file > right_file) - (left_file < right_file);
}

static const struct asnap_frame_grouping grouping = {.compare = compare_frames,
                                                     .keeps_frame = true};

static int compare(const struct asnap_group_pair *pair)
{
    struct asnap_frame left = asnap_store_frame(pair->stores[0], pair->groups[0]->frame);
    struct asnap_frame right = asnap_store_frame(pair->stores[1], pair->groups[1]->frame);
    int order = (left.function != NULL) - (right.function != NULL);
    if (order == 0 && left.function != NULL)
        order = asnap_utf8_compare(left.function, right.function);
    return order != 0 ? order : asnap_utf8_compare(left.filename, right.filename);
}

static struct asnap_frame frame(const struct asnap_store *store, const struct asnap_group *group,
                                size_t index)
{
    (void)index;
    struct asnap_frame shown = asnap_store_frame(store, group->frame);
    shown.lineno = 0;
    shown.inlined = false;
    return shown;
}

static const char *label(const struct asnap_store *store, const struct asnap_group *group,
                         char buffer[ASNAP_LABEL_SIZE])
{
    (void)buffer;
    const char *name = asnap_store_function(store, store->frames[group->frame].function);
    return name == NULL ? ASNAP_UNKNOWN_LABEL : name;
}

const struct asnap_key_kind asnap_key_function = {
    .description = {.name = "function",
                    .noun = "function",
                    .means = "a function",
                    .label = ASNAP_LABEL_FUNCTION,
                    .has_cumulative = true},
    .by_frame = &grouping,
    .compare = compare,
    .frame = frame,
    .place = asnap_key_place,
    .label = label,
};
