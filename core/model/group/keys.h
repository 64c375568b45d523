/* The keys of statistics: what rows are told apart by. */
#ifndef ASNAP_MODEL_KEYS_H
#define ASNAP_MODEL_KEYS_H

#include "key_kind.h"

extern const struct asnap_key_kind asnap_key_filename;
extern const struct asnap_key_kind asnap_key_lineno;
extern const struct asnap_key_kind asnap_key_traceback;
extern const struct asnap_key_kind asnap_key_function;
extern const struct asnap_key_kind asnap_key_module;
extern const struct asnap_key_kind asnap_key_thread;
extern const struct asnap_key_kind asnap_key_age;
extern const struct asnap_key_kind asnap_key_size;
extern const struct asnap_key_kind asnap_key_type;
extern const struct asnap_key_kind asnap_key_owner;

/* The group of key_size.c that a block is in, below ASNAP_SIZE_GROUPS, and its label. */
enum { ASNAP_SIZE_GROUPS = 65 };
uint32_t asnap_size_group(uint64_t size);
void asnap_size_label(uint32_t group, char buffer[ASNAP_LABEL_SIZE]);

/* The kind of a key; INVALID_ARGUMENT where there is no such way of grouping. */
struct asnap_error *asnap_key_find(enum asnap_key key, bool cumulative,
                                   const struct asnap_key_kind **kind);

/* Whether a group is a whole stack. */
static inline bool asnap_key_is_stack(const struct asnap_key_kind *kind)
{
    return kind->by_frame == NULL && kind->by_block == NULL;
}

/* Groups by a key that is no whole stack. */
struct asnap_error *asnap_key_group(const struct asnap_key_kind *kind,
                                    const struct asnap_snapshot *snapshot, bool cumulative,
                                    struct asnap_groups *groups);

/* The size, count and frames of a group as a public row. */
struct asnap_statistic asnap_group_statistic(const struct asnap_key_kind *kind,
                                             const struct asnap_store *store,
                                             const struct asnap_group *group);

/* As asnap_statistics_place, _label and _bounds. */
struct asnap_place asnap_group_place(const struct asnap_key_kind *kind,
                                     const struct asnap_store *store,
                                     const struct asnap_group *group, size_t index);
const char *asnap_group_label(const struct asnap_key_kind *kind, const struct asnap_store *store,
                              const struct asnap_group *group, char buffer[ASNAP_LABEL_SIZE]);
struct asnap_bounds asnap_group_bounds(const struct asnap_key_kind *kind,
                                       const struct asnap_group *group);

#endif
