#include "report_stacks.h"

#include <stdlib.h>
#include <string.h>

#include "grow.h"

/* One kind of things that are told apart by all of their bytes. */
struct kind {
    struct asnap_intern *table;
    void **things;
    size_t *count;
    size_t *capacity;
    size_t size; /* of a thing, a whole number of words */
};

struct wanted {
    const char *things;
    const void *thing;
    size_t size;
};

static bool same(const void *context, uint32_t id)
{
    const struct wanted *wanted = context;
    return memcmp(wanted->things + id * wanted->size, wanted->thing, wanted->size) == 0;
}

static uint32_t hash_of(const void *thing, size_t size)
{
    const uint32_t *words = thing;
    uint64_t hash = 0;
    for (size_t i = 0; i < size / sizeof(*words); i++)
        hash = asnap_hash_mix(hash, words[i]);
    return asnap_hash_end(hash);
}

/* The number of a thing among those of its kind. */
static struct asnap_error *number_of(const struct kind *kind, const void *thing, uint32_t *number)
{
    uint32_t hash = hash_of(thing, kind->size);
    struct wanted wanted = {*kind->things, thing, kind->size};
    *number = asnap_intern_find(kind->table, hash, same, &wanted);
    if (*number != ASNAP_NONE)
        return NULL;
    struct asnap_error *error = asnap_intern_reserve(kind->table);
    if (error != NULL)
        return error;
    char *grown = asnap_grow(*kind->things, kind->capacity, *kind->count + 1, kind->size);
    if (grown == NULL)
        return asnap_error_no_memory();
    memcpy(grown + *kind->count * kind->size, thing, kind->size);
    *kind->things = grown;
    *number = (uint32_t)(*kind->count)++;
    asnap_intern_add(kind->table, hash, *number);
    return NULL;
}

struct asnap_error *asnap_report_frame(struct asnap_report_stacks *stacks,
                                       const struct asnap_frame *frame, const char *module,
                                       uint32_t *number)
{
    void *frames = stacks->frames;
    struct kind kind = {&stacks->frame_table, &frames, &stacks->frame_count,
                        &stacks->frame_capacity, sizeof(*stacks->frames)};
    struct asnap_report_frame made = {
        .lineno = frame->lineno,
        .flags = (frame->inlined ? ASNAP_REPORT_INLINED : 0) | (uint32_t)frame->named_by << 8,
    };
    struct asnap_error *error =
        asnap_report_name(stacks->names, frame->function, ASNAP_PRINTABLE_NAME, &made.function);
    if (error == NULL)
        error = asnap_report_name(stacks->names, frame->filename, ASNAP_PRINTABLE_NAME, &made.file);
    if (error == NULL)
        error = asnap_report_name(stacks->names, module, ASNAP_PRINTABLE_NAME, &made.module);
    if (error == NULL)
        error = number_of(&kind, &made, number);
    stacks->frames = frames;
    return error;
}

/* Where a node is in the table, or belongs there. */
static uint32_t *slot_of(const struct asnap_report_stacks *stacks, struct asnap_report_node node)
{
    size_t mask = stacks->node_slot_count - 1;
    uint64_t key = (uint64_t)node.parent << 32 | node.frame;
    for (size_t i = asnap_hash_end(asnap_hash_mix(0, key)) & mask;; i = (i + 1) & mask) {
        uint32_t found = stacks->node_slots[i];
        if (found == 0 || (stacks->nodes[found].parent == node.parent &&
                           stacks->nodes[found].frame == node.frame))
            return &stacks->node_slots[i];
    }
}

/* Makes room in the table for one more node. */
static struct asnap_error *reserve_slot(struct asnap_report_stacks *stacks)
{
    uint32_t *before = stacks->node_slots;
    if (stacks->node_count * 2 < stacks->node_slot_count)
        return NULL;
    size_t count = stacks->node_slot_count == 0 ? 1024 : 2 * stacks->node_slot_count;
    uint32_t *made = asnap_in_huge_pages(calloc(count, sizeof(*made)), count * sizeof(*made));
    if (made == NULL)
        return asnap_error_no_memory();
    stacks->node_slots = made;
    stacks->node_slot_count = count;
    for (uint32_t i = 1; i < stacks->node_count; i++)
        *slot_of(stacks, stacks->nodes[i]) = i;
    free(before);
    return NULL;
}

static struct asnap_error *add_node(struct asnap_report_stacks *stacks,
                                    struct asnap_report_node node)
{
    struct asnap_report_node *grown =
        asnap_grow(stacks->nodes, &stacks->node_capacity, stacks->node_count + 1, sizeof(*grown));
    if (grown == NULL)
        return asnap_error_no_memory();
    stacks->nodes = grown;
    grown[stacks->node_count++] = node;
    return NULL;
}

/* The number of a node. There are many: a lookup does nothing but compare. */
static struct asnap_error *node_of(struct asnap_report_stacks *stacks, uint32_t parent,
                                   uint32_t frame, uint32_t *number)
{
    struct asnap_report_node node = {parent, frame};
    struct asnap_error *error = reserve_slot(stacks);
    if (error != NULL)
        return error;
    uint32_t *slot = slot_of(stacks, node);
    if (*slot == 0) {
        error = add_node(stacks, node);
        if (error != NULL)
            return error;
        *slot = (uint32_t)stacks->node_count - 1;
    }
    *number = *slot;
    return NULL;
}

static struct asnap_error *stack_of(struct asnap_report_stacks *stacks,
                                    const struct asnap_report_stack *stack, uint32_t *number)
{
    void *known = stacks->stacks;
    struct kind kind = {&stacks->stack_table, &known, &stacks->stack_count, &stacks->stack_capacity,
                        sizeof(*stacks->stacks)};
    struct asnap_error *error = number_of(&kind, stack, number);
    stacks->stacks = known;
    return error;
}

struct asnap_error *asnap_report_stacks_init(struct asnap_report_stacks *stacks,
                                             struct asnap_report_names *names)
{
    *stacks = (struct asnap_report_stacks){.names = names};
    struct asnap_error *error =
        add_node(stacks, (struct asnap_report_node){ASNAP_NONE, ASNAP_NONE});
    if (error != NULL)
        asnap_report_stacks_deinit(stacks);
    return error;
}

void asnap_report_stacks_deinit(struct asnap_report_stacks *stacks)
{
    free(stacks->frames);
    free(stacks->nodes);
    free(stacks->stacks);
    asnap_intern_deinit(&stacks->frame_table);
    free(stacks->node_slots);
    asnap_intern_deinit(&stacks->stack_table);
    *stacks = (struct asnap_report_stacks){0};
}

struct asnap_error *asnap_report_numbering_init(struct asnap_report_numbering *numbering,
                                                const struct asnap_snapshot *snapshot)
{
    *numbering = (struct asnap_report_numbering){
        .snapshot = snapshot,
        .frames = asnap_intern_none(asnap_snapshot_frame_count(snapshot)),
        .stacks = asnap_intern_none(asnap_snapshot_traceback_count(snapshot)),
    };
    if (numbering->frames != NULL && numbering->stacks != NULL)
        return NULL;
    asnap_report_numbering_deinit(numbering);
    return asnap_error_no_memory();
}

void asnap_report_numbering_deinit(struct asnap_report_numbering *numbering)
{
    free(numbering->frames);
    free(numbering->stacks);
    *numbering = (struct asnap_report_numbering){0};
}

static struct asnap_error *frame_of(struct asnap_report_stacks *stacks,
                                    struct asnap_report_numbering *numbering, uint32_t frame_id,
                                    uint32_t *number)
{
    struct asnap_error *error = NULL;
    *number = numbering->frames[frame_id];
    if (*number == ASNAP_NONE) {
        struct asnap_frame frame = asnap_snapshot_frame(numbering->snapshot, frame_id);
        struct asnap_place place = asnap_snapshot_place(numbering->snapshot, frame_id);
        error = asnap_report_frame(stacks, &frame, place.module, number);
        if (error == NULL)
            numbering->frames[frame_id] = *number;
    }
    return error;
}

struct asnap_error *asnap_report_stack(struct asnap_report_stacks *stacks,
                                       struct asnap_report_numbering *numbering, uint32_t traceback,
                                       uint32_t *number)
{
    const struct asnap_snapshot *snapshot = numbering->snapshot;
    *number = numbering->stacks[traceback];
    if (*number != ASNAP_NONE)
        return NULL;
    const struct asnap_traceback *held = &asnap_snapshot_tracebacks(snapshot)[traceback];
    const uint32_t *ids = asnap_snapshot_frame_ids(snapshot) + held->first;
    uint32_t skipped = asnap_snapshot_skipped_frames(snapshot, traceback);
    struct asnap_report_stack stack = {.is_cut = held->total_nframe != held->frame_count};
    struct asnap_error *error = NULL;
    for (uint32_t i = held->frame_count; error == NULL && i-- > 0;) {
        uint32_t frame;
        error = frame_of(stacks, numbering, ids[i], &frame);
        if (error == NULL)
            error = node_of(stacks, stack.node, frame, &stack.node);
        if (i == skipped)
            stack.attributed = stack.node;
    }
    if (error == NULL)
        error = stack_of(stacks, &stack, number);
    if (error == NULL)
        numbering->stacks[traceback] = *number;
    return error;
}

/* How far before a node its parent comes: most come right after it. */
static uint32_t parent_distance(const void *context, size_t index)
{
    const struct asnap_report_node *nodes = context;
    return index == 0 ? 0 : (uint32_t)index - nodes[index].parent;
}

/* Node 0 has none, and is not asked for it. */
static uint32_t node_frame(const void *context, size_t index)
{
    const struct asnap_report_node *nodes = context;
    return index == 0 ? 0 : nodes[index].frame;
}

/* How far before the node of its most recent frame the one comes that its blocks belong to. */
static uint32_t attributed_distance(const void *context, size_t index)
{
    const struct asnap_report_stack *stacks = context;
    return stacks[index].node - stacks[index].attributed;
}

void asnap_report_stacks_write(const struct asnap_report_stacks *stacks,
                               struct asnap_report_output *output)
{
    ASNAP_REPORT_FIELD(output, "frfn", stacks->frames, stacks->frame_count, function);
    ASNAP_REPORT_FIELD(output, "frfi", stacks->frames, stacks->frame_count, file);
    ASNAP_REPORT_FIELD(output, "frli", stacks->frames, stacks->frame_count, lineno);
    ASNAP_REPORT_FIELD(output, "frmo", stacks->frames, stacks->frame_count, module);
    ASNAP_REPORT_FIELD(output, "frfl", stacks->frames, stacks->frame_count, flags);
    asnap_report_column(output, "nopa", stacks->node_count, parent_distance, stacks->nodes);
    asnap_report_column(output, "nofr", stacks->node_count, node_frame, stacks->nodes);
    ASNAP_REPORT_FIELD(output, "stno", stacks->stacks, stacks->stack_count, node);
    asnap_report_column(output, "stat", stacks->stack_count, attributed_distance, stacks->stacks);
    ASNAP_REPORT_FIELD(output, "stcu", stacks->stacks, stacks->stack_count, is_cut);
}
