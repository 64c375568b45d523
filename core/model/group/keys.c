#include "keys.h"

#include <stdio.h>

static const struct asnap_key_kind *const kinds[] = {
    [ASNAP_KEY_FILENAME] = &asnap_key_filename,
    [ASNAP_KEY_LINENO] = &asnap_key_lineno,
    [ASNAP_KEY_TRACEBACK] = &asnap_key_traceback,
    [ASNAP_KEY_FUNCTION] = &asnap_key_function,
    [ASNAP_KEY_MODULE] = &asnap_key_module,
    [ASNAP_KEY_THREAD] = &asnap_key_thread,
    [ASNAP_KEY_AGE] = &asnap_key_age,
    [ASNAP_KEY_SIZE] = &asnap_key_size,
    [ASNAP_KEY_TYPE] = &asnap_key_type,
    [ASNAP_KEY_OWNER] = &asnap_key_owner,
};

const struct asnap_key_description *asnap_key_describe(enum asnap_key key)
{
    if ((size_t)key >= sizeof(kinds) / sizeof(kinds[0]))
        return NULL;
    return &kinds[key]->description;
}

/* The names of the keys that have cumulative statistics: "a, b or c". */
static void name_cumulative(char *text, size_t size)
{
    const struct asnap_key_description *last = NULL;
    size_t used = 0;
    text[0] = '\0';
    for (size_t key = 0; key <= sizeof(kinds) / sizeof(kinds[0]); key++) {
        const struct asnap_key_description *next = asnap_key_describe((enum asnap_key)key);
        if (next != NULL && !next->has_cumulative)
            continue;
        if (last != NULL && used < size) {
            const char *before = used == 0 ? "" : next == NULL ? " or " : ", ";
            used += (size_t)snprintf(text + used, size - used, "%s%s", before, last->name);
        }
        last = next;
    }
}

struct asnap_error *asnap_key_find(enum asnap_key key, bool cumulative,
                                   const struct asnap_key_kind **kind)
{
    const struct asnap_key_description *description = asnap_key_describe(key);
    if (description == NULL)
        return asnap_error_create(ASNAP_ERROR_INVALID_ARGUMENT,
                                  "cannot group by key %d: use one of enum asnap_key", (int)key);
    if (cumulative && !description->has_cumulative) {
        char names[256];
        name_cumulative(names, sizeof(names));
        return asnap_error_create(
            ASNAP_ERROR_INVALID_ARGUMENT,
            "cannot group by %s cumulatively: use %s, or leave out cumulative", description->name,
            names);
    }
    *kind = kinds[key];
    return NULL;
}

struct asnap_error *asnap_key_group(const struct asnap_key_kind *kind,
                                    const struct asnap_snapshot *snapshot, bool cumulative,
                                    struct asnap_groups *groups)
{
    return kind->by_frame != NULL
               ? asnap_group_by_frame(snapshot, kind->by_frame, cumulative, groups)
               : kind->by_block(snapshot, groups);
}

struct asnap_statistic asnap_group_statistic(const struct asnap_key_kind *kind,
                                             const struct asnap_store *store,
                                             const struct asnap_group *group)
{
    struct asnap_statistic row = {
        .size = group->size,
        .count = group->count,
        .frame_count = kind->frame != NULL,
        .total_nframe = kind->frame != NULL,
        .function_count = group->function_count,
    };
    if (asnap_key_is_stack(kind)) {
        row.frame_count = store->tracebacks[group->id].frame_count;
        row.total_nframe = store->tracebacks[group->id].total_nframe;
    }
    return row;
}

const char *asnap_group_label(const struct asnap_key_kind *kind, const struct asnap_store *store,
                              const struct asnap_group *group, char buffer[ASNAP_LABEL_SIZE])
{
    return kind->label == NULL ? ASNAP_UNKNOWN_LABEL : kind->label(store, group, buffer);
}

struct asnap_bounds asnap_group_bounds(const struct asnap_key_kind *kind,
                                       const struct asnap_group *group)
{
    return kind->bounds == NULL ? (struct asnap_bounds){0} : kind->bounds(group);
}

struct asnap_place asnap_group_place(const struct asnap_key_kind *kind,
                                     const struct asnap_store *store,
                                     const struct asnap_group *group, size_t index)
{
    return kind->place == NULL ? (struct asnap_place){.build_id = ""}
                               : kind->place(store, group, index);
}
