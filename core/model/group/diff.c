#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "details.h"
#include "keys.h"
#include "order.h"
#include "snapshot.h"

enum side {
    NEW,
    OLD,
};

/* A group of either snapshot or of both. */
struct row {
    struct asnap_group group; /* the new snapshot's, where it has one */
    enum side side;           /* whose `group` is */
    struct asnap_sum sums[2]; /* of each side */
    uint32_t weights[2];      /* the places of each side's weights, ASNAP_NONE: it has none */
};

struct asnap_diff {
    struct asnap_store *stores[2];
    enum asnap_key key;
    const struct asnap_key_kind *kind;
    bool cumulative;
    struct asnap_sum totals[2];
    struct asnap_estimate estimates[2]; /* of these */
    struct asnap_weight *weights[2];    /* of the groups of each side; NULL: it is no sample */
    struct row *rows;                   /* in their final order */
    uint32_t count;
    struct asnap_details *details[2]; /* of each side */
    char **notes;
    size_t note_count;
};

/* What is needed while a diff is made. */
struct comparing {
    struct asnap_diff *diff;
    struct asnap_joint_ranks ranks;
    struct asnap_ranked_store ranked[2];
    struct asnap_groups groups[2];
    struct asnap_traceback_packing packing;
    struct asnap_intern index; /* by traceback: the rows of the new snapshot */
};

static struct row *add_row(struct asnap_diff *diff, const struct asnap_group *group, enum side side)
{
    struct row *row = &diff->rows[diff->count++];
    *row = (struct row){.group = *group, .side = side, .weights = {ASNAP_NONE, ASNAP_NONE}};
    row->sums[side] = (struct asnap_sum){group->size, group->count};
    row->weights[side] = group->place;
    return row;
}

static void add_old(struct row *row, const struct asnap_group *old)
{
    row->sums[OLD] = (struct asnap_sum){old->size, old->count};
    row->weights[OLD] = old->place;
}

/* Both lists of groups are in the order of their kind; the rows are, too. */
static void join_in_order(struct comparing *comparing)
{
    const struct asnap_groups *groups = comparing->groups;
    struct asnap_diff *diff = comparing->diff;
    struct asnap_group_pair pair = {.stores = {diff->stores[NEW], diff->stores[OLD]},
                                    .ranks = &comparing->ranks};
    uint32_t at[2] = {0, 0};
    while (at[NEW] < groups[NEW].count || at[OLD] < groups[OLD].count) {
        pair.groups[NEW] = &groups[NEW].rows[at[NEW]];
        pair.groups[OLD] = &groups[OLD].rows[at[OLD]];
        bool has_new = at[NEW] < groups[NEW].count;
        bool has_old = at[OLD] < groups[OLD].count;
        if (has_new && has_old) {
            int order = diff->kind->compare(&pair);
            has_new = order <= 0;
            has_old = order >= 0;
        }
        enum side side = has_new ? NEW : OLD;
        struct row *row = add_row(diff, pair.groups[side], side);
        if (has_new && has_old)
            add_old(row, pair.groups[OLD]);
        at[NEW] += has_new;
        at[OLD] += has_old;
    }
}

struct traceback_query {
    const struct comparing *comparing;
    uint32_t old_traceback;
};

static bool same_traceback(const void *context, uint32_t row)
{
    const struct traceback_query *query = context;
    const struct comparing *comparing = query->comparing;
    return asnap_traceback_equal(&comparing->ranked[OLD], query->old_traceback,
                                 &comparing->ranked[NEW], comparing->diff->rows[row].group.id);
}

static struct asnap_error *join_by_traceback(struct comparing *comparing)
{
    struct asnap_diff *diff = comparing->diff;
    const struct asnap_groups *groups = comparing->groups;
    for (uint32_t i = 0; i < groups[NEW].count; i++) {
        const struct asnap_group *group = &groups[NEW].rows[i];
        struct asnap_error *error = asnap_intern_reserve(&comparing->index);
        if (error != NULL)
            return error;
        uint32_t hash = asnap_traceback_hash(&comparing->ranked[NEW], group->id);
        asnap_intern_add(&comparing->index, hash, diff->count);
        add_row(diff, group, NEW);
    }
    for (uint32_t i = 0; i < groups[OLD].count; i++) {
        const struct asnap_group *group = &groups[OLD].rows[i];
        uint32_t hash = asnap_traceback_hash(&comparing->ranked[OLD], group->id);
        struct traceback_query query = {comparing, group->id};
        uint32_t found = asnap_intern_find(&comparing->index, hash, same_traceback, &query);
        if (found == ASNAP_NONE)
            add_row(diff, group, OLD);
        else
            add_old(&diff->rows[found], group);
    }
    return NULL;
}

static uint64_t distance(uint64_t left, uint64_t right)
{
    return left > right ? left - right : right - left;
}

/* tracemalloc: StatisticDiff._sort_key. */
static uint64_t sort_key(const void *context, uint32_t item, uint32_t level)
{
    const struct comparing *comparing = context;
    const struct row *row = &comparing->diff->rows[item];
    const struct asnap_sum *sums = row->sums;
    switch (level) {
    case 0:
        return distance(sums[NEW].size, sums[OLD].size);
    case 1:
        return sums[NEW].size;
    case 2:
        return distance(sums[NEW].count, sums[OLD].count);
    case 3:
        return sums[NEW].count;
    default:
        if (!asnap_key_is_stack(comparing->diff->kind))
            return item;
        return asnap_traceback_word(&comparing->ranked[row->side], &comparing->packing,
                                    row->group.id, level - 4);
    }
}

/* Moves rows[order[i]] to rows[i], for all i, in place: rows can be most of the memory.
 * `order` is used up. */
static void arrange(struct row *rows, uint32_t *order, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct row first = rows[i];
        uint32_t at = i;
        while (order[at] != i) {
            uint32_t from = order[at];
            rows[at] = rows[from];
            order[at] = at;
            at = from;
        }
        rows[at] = first;
        order[at] = at;
    }
}

static struct asnap_error *sort_rows(struct comparing *comparing)
{
    struct asnap_diff *diff = comparing->diff;
    struct asnap_order_keys keys = {.key = sort_key, .context = comparing, .levels = 5};
    if (asnap_key_is_stack(diff->kind)) {
        comparing->packing = asnap_traceback_packing(comparing->ranks.location_count);
        uint32_t new_words = asnap_traceback_words(diff->stores[NEW], &comparing->packing);
        uint32_t old_words = asnap_traceback_words(diff->stores[OLD], &comparing->packing);
        keys.levels = 4 + (new_words > old_words ? new_words : old_words);
    }
    uint32_t *order = NULL;
    struct asnap_error *error = asnap_order_create(&keys, diff->count, &order);
    if (error != NULL)
        return error;
    arrange(diff->rows, order, diff->count);
    free(order);
    return NULL;
}

static struct asnap_error *group_side(struct comparing *comparing, enum side side,
                                      const struct asnap_snapshot *snapshot)
{
    const struct asnap_diff *diff = comparing->diff;
    if (asnap_key_is_stack(diff->kind))
        return asnap_group_by_traceback(&comparing->ranked[side], snapshot->totals,
                                        &comparing->groups[side]);
    return asnap_key_group(diff->kind, snapshot, diff->cumulative, &comparing->groups[side]);
}

static struct asnap_error *fill_rows(struct comparing *comparing,
                                     const struct asnap_snapshot *const snapshots[2])
{
    struct asnap_diff *diff = comparing->diff;
    const struct asnap_store *stores[2] = {diff->stores[NEW], diff->stores[OLD]};
    struct asnap_error *error = NULL;
    if (diff->kind->needs_ranks)
        error = asnap_joint_ranks_init(&comparing->ranks, stores);
    for (enum side side = NEW; error == NULL && side <= OLD; side++) {
        comparing->ranked[side] =
            (struct asnap_ranked_store){stores[side], comparing->ranks.frames[side]};
        error = group_side(comparing, side, snapshots[side]);
    }
    if (error != NULL)
        return error;
    uint64_t most = (uint64_t)comparing->groups[NEW].count + comparing->groups[OLD].count;
    diff->rows = most < ASNAP_NONE ? reallocarray(NULL, most + 1, sizeof(*diff->rows)) : NULL;
    if (diff->rows == NULL)
        return asnap_error_no_memory();
    if (asnap_key_is_stack(diff->kind))
        error = join_by_traceback(comparing);
    else
        join_in_order(comparing);
    if (error != NULL)
        return error;
    for (enum side side = NEW; side <= OLD; side++) {
        diff->weights[side] = comparing->groups[side].weights;
        comparing->groups[side].weights = NULL;
        asnap_groups_deinit(&comparing->groups[side]);
    }
    asnap_intern_deinit(&comparing->index);
    return sort_rows(comparing);
}

static struct asnap_error *add_notes(struct asnap_diff *diff, enum side side)
{
    static const char *const prefixes[] = {[NEW] = "new snapshot: ", [OLD] = "old snapshot: "};
    const struct asnap_store *store = diff->stores[side];
    const char *prefix = diff->stores[NEW] == diff->stores[OLD] ? "" : prefixes[side];
    for (size_t i = 0; i < store->note_count; i++) {
        char *note = NULL;
        if (asprintf(&note, "%s%s", prefix, store->notes[i]) < 0)
            return asnap_error_no_memory();
        diff->notes[diff->note_count++] = note;
    }
    return NULL;
}

static struct asnap_error *fill_notes(struct asnap_diff *diff)
{
    size_t most = diff->stores[NEW]->note_count + diff->stores[OLD]->note_count;
    diff->notes = calloc(most + 1, sizeof(*diff->notes));
    if (diff->notes == NULL)
        return asnap_error_no_memory();
    struct asnap_error *error = add_notes(diff, NEW);
    if (error == NULL && diff->stores[NEW] != diff->stores[OLD])
        error = add_notes(diff, OLD);
    return error;
}

struct asnap_error *asnap_diff_create(const struct asnap_snapshot *new_snapshot,
                                      const struct asnap_snapshot *old_snapshot, enum asnap_key key,
                                      bool cumulative, struct asnap_diff **diff)
{
    const struct asnap_snapshot *const snapshots[2] = {new_snapshot, old_snapshot};
    const struct asnap_key_kind *kind;
    struct asnap_error *error = asnap_key_find(key, cumulative, &kind);
    if (error != NULL)
        return error;
    struct asnap_diff *made = calloc(1, sizeof(*made));
    if (made == NULL)
        return asnap_error_no_memory();
    made->key = key;
    made->kind = kind;
    made->cumulative = cumulative;
    for (enum side side = NEW; side <= OLD; side++) {
        made->stores[side] = asnap_store_share(snapshots[side]->store);
        made->totals[side] = asnap_snapshot_sum(snapshots[side]);
        made->estimates[side] = asnap_snapshot_estimate(snapshots[side]);
        made->details[side] = asnap_details_create(snapshots[side], kind, cumulative);
        if (made->details[side] == NULL)
            error = asnap_error_no_memory();
    }
    struct comparing comparing = {.diff = made};
    if (error == NULL)
        error = fill_rows(&comparing, snapshots);
    asnap_joint_ranks_deinit(&comparing.ranks);
    asnap_groups_deinit(&comparing.groups[NEW]);
    asnap_groups_deinit(&comparing.groups[OLD]);
    asnap_intern_deinit(&comparing.index);
    if (error == NULL)
        error = fill_notes(made);
    if (error != NULL) {
        asnap_diff_destroy(made);
        return error;
    }
    *diff = made;
    return NULL;
}

void asnap_diff_destroy(struct asnap_diff *diff)
{
    if (diff == NULL)
        return;
    asnap_store_release(diff->stores[NEW]);
    asnap_store_release(diff->stores[OLD]);
    free(diff->rows);
    free(diff->weights[NEW]);
    free(diff->weights[OLD]);
    asnap_details_destroy(diff->details[NEW]);
    asnap_details_destroy(diff->details[OLD]);
    for (size_t i = 0; i < diff->note_count; i++)
        free(diff->notes[i]);
    free(diff->notes);
    free(diff);
}

size_t asnap_diff_count(const struct asnap_diff *diff)
{
    return diff->count;
}

/* Two sides as a row that has no frames yet. */
static struct asnap_statistic_diff compare_sides(const struct asnap_sum sums[2])
{
    return (struct asnap_statistic_diff){
        .size = sums[NEW].size,
        .count = sums[NEW].count,
        .size_diff = (int64_t)sums[NEW].size - (int64_t)sums[OLD].size,
        .count_diff = (int64_t)sums[NEW].count - (int64_t)sums[OLD].count,
    };
}

struct asnap_statistic_diff asnap_diff_row(const struct asnap_diff *diff, size_t index)
{
    const struct row *row = &diff->rows[index];
    struct asnap_statistic statistic =
        asnap_group_statistic(diff->kind, diff->stores[row->side], &row->group);
    struct asnap_statistic_diff result = compare_sides(row->sums);
    result.frame_count = statistic.frame_count;
    result.total_nframe = statistic.total_nframe;
    result.function_count = statistic.function_count;
    return result;
}

struct asnap_frame asnap_diff_frame(const struct asnap_diff *diff, size_t index, size_t frame)
{
    const struct row *row = &diff->rows[index];
    return diff->kind->frame(diff->stores[row->side], &row->group, frame);
}

struct asnap_place asnap_diff_place(const struct asnap_diff *diff, size_t index, size_t frame)
{
    const struct row *row = &diff->rows[index];
    return asnap_group_place(diff->kind, diff->stores[row->side], &row->group, frame);
}

void asnap_diff_places(const struct asnap_diff *diff, size_t index, struct asnap_place *places)
{
    size_t count = asnap_diff_row(diff, index).frame_count;
    for (size_t i = 0; i < count; i++)
        places[i] = asnap_diff_place(diff, index, i);
}

const char *asnap_diff_label(const struct asnap_diff *diff, size_t index,
                             char buffer[ASNAP_LABEL_SIZE])
{
    const struct row *row = &diff->rows[index];
    return asnap_group_label(diff->kind, diff->stores[row->side], &row->group, buffer);
}

struct asnap_bounds asnap_diff_bounds(const struct asnap_diff *diff, size_t index)
{
    const struct row *row = &diff->rows[index];
    struct asnap_bounds bounds = asnap_group_bounds(diff->kind, &row->group);
    if (row->side == OLD)
        bounds.thread = UINT32_MAX;
    return bounds;
}

struct asnap_error *asnap_diff_detail(const struct asnap_diff *diff, size_t index,
                                      struct asnap_detail *detail)
{
    const struct row *row = &diff->rows[index];
    return asnap_details_get(diff->details[row->side], row->group.id, detail);
}

void asnap_diff_rows(const struct asnap_diff *diff, size_t first, size_t count,
                     struct asnap_statistic_diff *rows)
{
    for (size_t i = 0; i < count; i++)
        rows[i] = asnap_diff_row(diff, first + i);
}

void asnap_diff_frames(const struct asnap_diff *diff, size_t index, struct asnap_frame *frames)
{
    size_t count = asnap_diff_row(diff, index).frame_count;
    for (size_t i = 0; i < count; i++)
        frames[i] = asnap_diff_frame(diff, index, i);
}

void asnap_diff_estimates(const struct asnap_diff *diff, size_t index,
                          struct asnap_estimate estimates[2])
{
    const struct row *row = &diff->rows[index];
    for (enum side side = NEW; side <= OLD; side++) {
        const struct asnap_weight *weights = diff->weights[side];
        bool is_weighed = weights != NULL && row->weights[side] != ASNAP_NONE;
        estimates[side] = is_weighed
                              ? asnap_weight_estimate(&weights[row->weights[side]])
                              : asnap_sum_estimate(row->sums[side].size, row->sums[side].count);
    }
}

void asnap_diff_total_estimates(const struct asnap_diff *diff, struct asnap_estimate estimates[2])
{
    memcpy(estimates, diff->estimates, sizeof(diff->estimates));
}

void asnap_diff_sample_periods(const struct asnap_diff *diff, uint64_t periods[2])
{
    for (enum side side = NEW; side <= OLD; side++)
        periods[side] = diff->stores[side]->sample_period;
}

struct asnap_statistic_diff asnap_diff_total(const struct asnap_diff *diff)
{
    return compare_sides(diff->totals);
}

enum asnap_key asnap_diff_key(const struct asnap_diff *diff)
{
    return diff->key;
}

bool asnap_diff_cumulative(const struct asnap_diff *diff)
{
    return diff->cumulative;
}

size_t asnap_diff_note_count(const struct asnap_diff *diff)
{
    return diff->note_count;
}

const char *asnap_diff_note(const struct asnap_diff *diff, size_t index)
{
    return diff->notes[index];
}
