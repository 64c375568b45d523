#include <stdlib.h>
#include <string.h>

#include "order.h"
#include "snapshot.h"

/* The totals of each traceback as a list. */
struct by_traceback {
    const struct asnap_snapshot *snapshot;
    size_t *first; /* by traceback: the place of its first total plus 1, or 0 */
    size_t *next;  /* by total, likewise */
};

static bool is_kept(const struct by_traceback *lists, const struct asnap_trace *trace)
{
    for (size_t i = lists->first[trace->traceback_id]; i != 0; i = lists->next[i - 1]) {
        if (lists->snapshot->totals->totals[i - 1].domain == trace->domain)
            return true;
    }
    return false;
}

/* Copies the traces that a filter has kept. */
static void copy_kept(const struct by_traceback *lists, struct asnap_trace *kept)
{
    const struct asnap_snapshot *snapshot = lists->snapshot;
    for (size_t i = 0; i < snapshot->totals->count; i++) {
        uint32_t traceback = snapshot->totals->totals[i].traceback;
        lists->next[i] = lists->first[traceback];
        lists->first[traceback] = i + 1;
    }
    for (size_t i = 0; i < snapshot->blocks->count; i++) {
        const struct asnap_trace *trace = &snapshot->blocks->traces[i];
        if (is_kept(lists, trace))
            *kept++ = *trace;
    }
}

static struct asnap_error *list_kept(const struct asnap_snapshot *snapshot,
                                     struct asnap_blocks **blocks)
{
    struct by_traceback lists = {
        .snapshot = snapshot,
        .first = calloc(snapshot->store->traceback_count + 1, sizeof(*lists.first)),
        .next = calloc(snapshot->totals->count + 1, sizeof(*lists.next)),
    };
    struct asnap_trace *kept = reallocarray(NULL, snapshot->count + 1, sizeof(*kept));
    struct asnap_blocks *made = NULL;
    if (lists.first != NULL && lists.next != NULL && kept != NULL) {
        copy_kept(&lists, kept);
        made = asnap_blocks_create(kept, snapshot->count);
    }
    if (made == NULL)
        free(kept);
    free(lists.first);
    free(lists.next);
    *blocks = made;
    return made == NULL ? asnap_error_no_memory() : NULL;
}

struct asnap_error *asnap_snapshot_blocks(const struct asnap_snapshot *snapshot,
                                          struct asnap_blocks **blocks)
{
    struct asnap_error *error = NULL;
    if (snapshot->kept == NULL) {
        *blocks = snapshot->blocks;
        return NULL;
    }
    if (*snapshot->kept == NULL)
        error = list_kept(snapshot, snapshot->kept);
    if (error == NULL)
        *blocks = *snapshot->kept;
    return error;
}

uint32_t asnap_snapshot_newest_time(const struct asnap_snapshot *snapshot)
{
    const struct asnap_blocks *blocks =
        snapshot->origin != NULL ? snapshot->origin : snapshot->blocks;
    uint32_t newest = 0;
    for (size_t i = 0; i < blocks->count; i++) {
        uint32_t time = blocks->traces[i].time;
        if (time != ASNAP_TIME_UNKNOWN && time > newest)
            newest = time;
    }
    return newest;
}

struct asnap_error *asnap_snapshot_traces(const struct asnap_snapshot *snapshot,
                                          const struct asnap_trace **traces)
{
    struct asnap_blocks *blocks;
    struct asnap_error *error = asnap_snapshot_blocks(snapshot, &blocks);
    if (error == NULL)
        *traces = blocks->traces;
    return error;
}

struct asnap_error *asnap_snapshot_find(const struct asnap_snapshot *snapshot, uint64_t address,
                                        bool *found, struct asnap_trace *trace)
{
    struct asnap_blocks *blocks;
    const struct asnap_address_index *index;
    struct asnap_error *error = asnap_snapshot_blocks(snapshot, &blocks);
    if (error == NULL)
        error = asnap_blocks_by_address(blocks, &index);
    if (error != NULL)
        return error;
    const struct asnap_trace *holder = asnap_address_index_find(index, address);
    *found = holder != NULL;
    if (holder != NULL)
        *trace = *holder;
    return NULL;
}

static uint64_t size_key(const void *context, uint32_t item, uint32_t level)
{
    const struct asnap_blocks *blocks = context;
    const struct asnap_trace *trace = &blocks->traces[item];
    return level == 0 ? trace->size : ~trace->address;
}

static uint64_t age_key(const void *context, uint32_t item, uint32_t level)
{
    const struct asnap_blocks *blocks = context;
    return level == 0 ? ~(uint64_t)blocks->traces[item].time : size_key(context, item, level - 1);
}

/* The first `count` blocks by these keys. */
static struct asnap_error *first_places(const struct asnap_snapshot *snapshot,
                                        struct asnap_order_keys keys, size_t count,
                                        uint32_t *places)
{
    struct asnap_blocks *blocks;
    struct asnap_error *error = asnap_snapshot_blocks(snapshot, &blocks);
    if (error != NULL)
        return error;
    uint32_t *order;
    keys.context = blocks;
    error = asnap_order_create(&keys, (uint32_t)blocks->count, &order);
    if (error != NULL)
        return error;
    memcpy(places, order, count * sizeof(*places));
    free(order);
    return NULL;
}

struct asnap_error *asnap_snapshot_largest(const struct asnap_snapshot *snapshot, size_t count,
                                           uint32_t *places)
{
    return first_places(snapshot, (struct asnap_order_keys){.key = size_key, .levels = 2}, count,
                        places);
}

struct asnap_error *asnap_snapshot_oldest(const struct asnap_snapshot *snapshot, size_t count,
                                          uint32_t *places)
{
    return first_places(snapshot, (struct asnap_order_keys){.key = age_key, .levels = 3}, count,
                        places);
}

const char *asnap_snapshot_domain_name(const struct asnap_snapshot *snapshot, uint32_t domain)
{
    const struct asnap_store *store = snapshot->store;
    size_t place = asnap_store_domain(store, domain);
    if (place == store->domain_count || store->domains[place].number != domain)
        return NULL;
    return store->domains[place].name;
}

size_t asnap_snapshot_domain_count(const struct asnap_snapshot *snapshot)
{
    return snapshot->store->domain_count;
}

uint32_t asnap_snapshot_domain(const struct asnap_snapshot *snapshot, size_t index)
{
    return snapshot->store->domains[index].number;
}

size_t asnap_snapshot_traceback_count(const struct asnap_snapshot *snapshot)
{
    return snapshot->store->traceback_count;
}

const struct asnap_traceback *asnap_snapshot_tracebacks(const struct asnap_snapshot *snapshot)
{
    return snapshot->store->tracebacks;
}

size_t asnap_snapshot_frame_id_count(const struct asnap_snapshot *snapshot)
{
    return snapshot->store->frame_id_count;
}

const uint32_t *asnap_snapshot_frame_ids(const struct asnap_snapshot *snapshot)
{
    return snapshot->store->frame_ids;
}

size_t asnap_snapshot_frame_count(const struct asnap_snapshot *snapshot)
{
    return snapshot->store->frame_count;
}

struct asnap_frame asnap_snapshot_frame(const struct asnap_snapshot *snapshot, uint32_t frame_id)
{
    return asnap_store_frame(snapshot->store, frame_id);
}

void asnap_snapshot_frames(const struct asnap_snapshot *snapshot, uint32_t first, size_t count,
                           struct asnap_frame *frames)
{
    for (size_t i = 0; i < count; i++)
        frames[i] = asnap_store_frame(snapshot->store, first + (uint32_t)i);
}

uint64_t asnap_snapshot_frame_address(const struct asnap_snapshot *snapshot, uint32_t frame_id)
{
    return snapshot->store->frames[frame_id].address;
}

uint32_t asnap_snapshot_frame_mapping(const struct asnap_snapshot *snapshot, uint32_t frame_id)
{
    return snapshot->store->frames[frame_id].mapping;
}

struct asnap_place asnap_snapshot_place(const struct asnap_snapshot *snapshot, uint32_t frame_id)
{
    return asnap_store_place(snapshot->store, frame_id);
}

void asnap_snapshot_places(const struct asnap_snapshot *snapshot, uint32_t first, size_t count,
                           struct asnap_place *places)
{
    for (size_t i = 0; i < count; i++)
        places[i] = asnap_store_place(snapshot->store, first + (uint32_t)i);
}
