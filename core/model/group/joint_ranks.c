#include "joint_ranks.h"

#include <stdlib.h>
#include <string.h>

#include "utf8.h"

struct joining {
    const struct asnap_store *const *stores;
    const struct asnap_joint_ranks *ranks;
};

static int compare_files(const struct joining *joining, const size_t at[2])
{
    return asnap_utf8_compare(asnap_names_get(&joining->stores[0]->files, (uint32_t)at[0]),
                              asnap_names_get(&joining->stores[1]->files, (uint32_t)at[1]));
}

/* As the order within one store; the files are ranked already. */
static int compare_locations(const struct joining *joining, const size_t at[2])
{
    const struct asnap_location *left = &joining->stores[0]->locations[at[0]];
    const struct asnap_location *right = &joining->stores[1]->locations[at[1]];
    uint32_t left_file = joining->ranks->files[0][left->file];
    uint32_t right_file = joining->ranks->files[1][right->file];
    if (left_file != right_file)
        return left_file < right_file ? -1 : 1;
    if (left->lineno != right->lineno)
        return left->lineno < right->lineno ? -1 : 1;
    const char *left_function = asnap_store_function(joining->stores[0], left->function);
    const char *right_function = asnap_store_function(joining->stores[1], right->function);
    if (left_function == NULL || right_function == NULL)
        return (left_function != NULL) - (right_function != NULL);
    return asnap_utf8_compare(left_function, right_function);
}

/* Merges two ordered lists; returns how many distinct elements they have. */
static size_t join(const struct joining *joining, const size_t counts[2],
                   int (*compare)(const struct joining *, const size_t[2]),
                   uint32_t *const ranks[2])
{
    size_t at[2] = {0, 0};
    uint32_t rank = 0;
    for (; at[0] < counts[0] || at[1] < counts[1]; rank++) {
        int order = at[0] == counts[0] ? 1 : at[1] == counts[1] ? -1 : compare(joining, at);
        if (order <= 0)
            ranks[0][at[0]++] = rank;
        if (order >= 0)
            ranks[1][at[1]++] = rank;
    }
    return rank;
}

struct asnap_error *asnap_joint_ranks_init(struct asnap_joint_ranks *ranks,
                                           const struct asnap_store *const stores[2])
{
    struct asnap_joint_ranks made = {0};
    for (size_t i = 0; i < 2; i++) {
        made.files[i] = calloc((size_t)stores[i]->files.count + 1, sizeof(uint32_t));
        made.locations[i] = calloc(stores[i]->location_count + 1, sizeof(uint32_t));
        made.frames[i] = calloc(stores[i]->frame_count + 1, sizeof(uint32_t));
        if (made.files[i] == NULL || made.locations[i] == NULL || made.frames[i] == NULL) {
            asnap_joint_ranks_deinit(&made);
            return asnap_error_no_memory();
        }
    }
    struct joining joining = {stores, &made};
    size_t files[2] = {stores[0]->files.count, stores[1]->files.count};
    size_t locations[2] = {stores[0]->location_count, stores[1]->location_count};
    join(&joining, files, compare_files, made.files);
    made.location_count = join(&joining, locations, compare_locations, made.locations);
    for (size_t i = 0; i < 2; i++) {
        for (size_t j = 0; j < stores[i]->frame_count; j++)
            made.frames[i][j] = made.locations[i][stores[i]->frames[j].location];
    }
    *ranks = made;
    return NULL;
}

void asnap_joint_ranks_deinit(struct asnap_joint_ranks *ranks)
{
    for (size_t i = 0; i < 2; i++) {
        free(ranks->files[i]);
        free(ranks->locations[i]);
        free(ranks->frames[i]);
    }
    *ranks = (struct asnap_joint_ranks){0};
}
