/* What a key of statistics consists of. Each has a file of its own, key_NAME.c; keys.c has the one
 * table of them. */
#ifndef ASNAP_MODEL_KEY_KIND_H
#define ASNAP_MODEL_KEY_KIND_H

#include "group.h"
#include "joint_ranks.h"

/* Two snapshots that are compared. */
struct asnap_group_pair {
    const struct asnap_store *stores[2];
    const struct asnap_joint_ranks *ranks;
    const struct asnap_group *groups[2]; /* one of each */
};

struct asnap_key_kind {
    struct asnap_key_description description;
    /* Groups are made by frame; or by block; or, where both are NULL, they are whole stacks
     * (asnap_group_by_traceback). Rows are in ascending order: by id within a snapshot, by
     * `compare` between two. */
    const struct asnap_frame_grouping *by_frame;
    struct asnap_error *(*by_block)(const struct asnap_snapshot *snapshot,
                                    struct asnap_groups *groups);
    int (*compare)(const struct asnap_group_pair *pair); /* 0: the same group */
    bool needs_ranks;                                    /* compare looks at pair->ranks */
    /* What a group shows of its `index`-th frame, the most recent being 0. NULL: no frame. */
    struct asnap_frame (*frame)(const struct asnap_store *store, const struct asnap_group *group,
                                size_t index);
    /* Where the code of that frame lies; NULL: not known. */
    struct asnap_place (*place)(const struct asnap_store *store, const struct asnap_group *group,
                                size_t index);
    /* As asnap_statistics_label; NULL where the label is PLACE. */
    const char *(*label)(const struct asnap_store *store, const struct asnap_group *group,
                         char buffer[ASNAP_LABEL_SIZE]);
    struct asnap_bounds (*bounds)(const struct asnap_group *group); /* NULL: there are none */
};

/* The place of the group's own frame, for asnap_key_kind. */
struct asnap_place asnap_key_place(const struct asnap_store *store, const struct asnap_group *group,
                                   size_t index);

/* The order of two groups by their ids, where these mean the same in every snapshot. */
int asnap_key_compare_ids(const struct asnap_group_pair *pair);

/* What a group is called whose name is not known. */
#define ASNAP_UNKNOWN_LABEL "<unknown>"

#endif
