/* By the variable, or the class of the C++ object, that leads to the block. */
#include "keys.h"
#include "utf8.h"

#define UNREACHABLE "<unreachable>"

/* Owners in the order of their names; what has none comes last. */
static uint32_t number_of(const void *context, const struct asnap_trace *trace)
{
    const struct asnap_types *owners = context;
    uint32_t owner = asnap_types_of(owners, trace);
    return owner != ASNAP_NONE ? owner : owners->name_count;
}

static struct asnap_error *group(const struct asnap_snapshot *snapshot, struct asnap_groups *groups)
{
    const struct asnap_types *owners = snapshot->store->owners;
    if (owners == NULL)
        return asnap_error_create(ASNAP_ERROR_UNSUPPORTED,
                                  "this snapshot does not say what leads to its blocks: "
                                  "`snapshot take --graph` keeps that, and without a name it is "
                                  "read from the paused process or core");
    return asnap_group_by_block(snapshot, number_of, owners, owners->name_count + 1, groups);
}

static const char *name_of(const struct asnap_store *store, const struct asnap_group *group)
{
    return group->id < store->owners->name_count ? store->owners->names[group->id] : NULL;
}

static int compare(const struct asnap_group_pair *pair)
{
    const char *left = name_of(pair->stores[0], pair->groups[0]);
    const char *right = name_of(pair->stores[1], pair->groups[1]);
    if (left != NULL && right != NULL)
        return asnap_utf8_compare(left, right);
    return (left == NULL) - (right == NULL);
}

static const char *label(const struct asnap_store *store, const struct asnap_group *group,
                         char buffer[ASNAP_LABEL_SIZE])
{
    (void)buffer;
    const char *name = name_of(store, group);
    return name != NULL ? name : UNREACHABLE;
}

const struct asnap_key_kind asnap_key_owner = {
    .description = {.name = "owner",
                    .noun = "owner",
                    .means = "what leads to a block first: a variable, or C++ objects of one class",
                    .label = ASNAP_LABEL_TYPE,
                    .has_cumulative = false},
    .by_block = group,
    .compare = compare,
    .label = label,
};
