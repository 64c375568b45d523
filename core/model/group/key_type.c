/* By class of the C++ object in the block, or type of what its operator new is for; other blocks
 * by their size. */
#include <stdio.h>

#include "keys.h"
#include "utf8.h"

/* Classes in the order of their names, and then sizes. */
static uint32_t number_of(const void *context, const struct asnap_trace *trace)
{
    const struct asnap_types *types = context;
    uint32_t type = asnap_types_of(types, trace);
    return type != ASNAP_NONE ? type : types->name_count + asnap_size_group(trace->size);
}

static struct asnap_error *group(const struct asnap_snapshot *snapshot, struct asnap_groups *groups)
{
    const struct asnap_types *types = snapshot->store->types;
    if (types == NULL)
        return asnap_error_create(ASNAP_ERROR_UNSUPPORTED,
                                  "this snapshot does not say of which class its objects are: "
                                  "`snapshot take --graph` keeps that, and without a name it is "
                                  "read from the paused process or core");
    return asnap_group_by_block(snapshot, number_of, types, types->name_count + ASNAP_SIZE_GROUPS,
                                groups);
}

/* NULL: it is of a size. */
static const char *name_of(const struct asnap_store *store, const struct asnap_group *group)
{
    return group->id < store->types->name_count ? store->types->names[group->id] : NULL;
}

static int compare(const struct asnap_group_pair *pair)
{
    const char *left = name_of(pair->stores[0], pair->groups[0]);
    const char *right = name_of(pair->stores[1], pair->groups[1]);
    if (left != NULL && right != NULL)
        return asnap_utf8_compare(left, right);
    if (left != NULL || right != NULL)
        return left != NULL ? -1 : 1;
    uint32_t left_size = pair->groups[0]->id - pair->stores[0]->types->name_count;
    uint32_t right_size = pair->groups[1]->id - pair->stores[1]->types->name_count;
    return (left_size > right_size) - (left_size < right_size);
}

static const char *label(const struct asnap_store *store, const struct asnap_group *group,
                         char buffer[ASNAP_LABEL_SIZE])
{
    const char *name = name_of(store, group);
    if (name != NULL)
        return name;
    char size[ASNAP_LABEL_SIZE];
    asnap_size_label(group->id - store->types->name_count, size);
    snprintf(buffer, ASNAP_LABEL_SIZE, "<no vtable>, %.40s", size);
    return buffer;
}

const struct asnap_key_kind asnap_key_type = {
    .description =
        {.name = "type",
         .noun = "type",
         .means =
             "objects of one type (a C++ class with virtual functions, a type of Python), or other "
             "blocks so large",
         .label = ASNAP_LABEL_TYPE,
         .has_cumulative = false},
    .by_block = group,
    .compare = compare,
    .label = label,
};
