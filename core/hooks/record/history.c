#include "history.h"

#include <stddef.h>

#include "lock.h"
#include "pages.h"
#include "root.h"

#define HISTORY (&asnap_root_and_watch.history)

bool asnap_history_is_on;
uint32_t asnap_history_due = UINT32_MAX;

/* Held while the points, their state and the time of the next one are changed. */
static uint32_t lock;

bool asnap_history_begin(uint64_t capacity)
{
    void *points = asnap_pages_map(2 * capacity * sizeof(struct asnap_table_point));
    if (points == NULL)
        return false;
    HISTORY->points = (uint64_t)(uintptr_t)points;
    __atomic_store_n(&HISTORY->capacity, capacity, __ATOMIC_RELEASE);
    asnap_history_is_on = true;
    return true;
}

static struct asnap_table_point *points_of(const struct asnap_table_history_state *state)
{
    struct asnap_table_point *points = (struct asnap_table_point *)(uintptr_t)HISTORY->points;
    return state->in_second ? points + HISTORY->capacity : points;
}

/* For a reader all of it changes at once. */
static void publish(struct asnap_table_history_state state)
{
    __atomic_store_n(&HISTORY->state, asnap_table_history_pack(state), __ATOMIC_RELEASE);
}

/* Blocks that have no record while they are resized. */
static struct asnap_sample_weight resized;

static void add_resized(struct asnap_sample_weight weight)
{
    __atomic_fetch_add(&resized.size, weight.size, __ATOMIC_RELAXED);
    __atomic_fetch_add(&resized.count, weight.count, __ATOMIC_RELAXED);
}

struct asnap_sample_weight asnap_history_hold(uint64_t size)
{
    uint64_t period = asnap_root_sample_period();
    struct asnap_sample_weight held = {0};
    if (!asnap_history_is_on)
        return held;
    held.size = size;
    held.count = UINT64_C(1) << ASNAP_TABLE_ESTIMATE_BITS;
    if (period != 0)
        held = asnap_sample_weight(size, period);
    add_resized(held);
    return held;
}

void asnap_history_let_go(struct asnap_sample_weight held)
{
    if (held.count == 0)
        return;
    held.size = -held.size;
    held.count = -held.count;
    add_resized(held);
}

/* What is traced. The sum of the shards is exact while no other thread changes them. */
static struct asnap_table_point traced_now(void)
{
    const bool is_sampled = asnap_root_sample_period() != 0;
    struct asnap_table_point now = {
        .size = __atomic_load_n(&resized.size, __ATOMIC_RELAXED),
        .count = __atomic_load_n(&resized.count, __ATOMIC_RELAXED),
    };
    if (is_sampled) {
        now.size += __atomic_load_n(&allocsnap_root.estimated_size, __ATOMIC_RELAXED);
        now.count += __atomic_load_n(&allocsnap_root.estimated_count, __ATOMIC_RELAXED);
        now.count += UINT64_C(1) << (ASNAP_TABLE_ESTIMATE_BITS - 1);
    }
    now.count >>= ASNAP_TABLE_ESTIMATE_BITS;
    for (uint32_t i = 0; i < ASNAP_TABLE_SHARDS && !is_sampled; i++) {
        const struct asnap_table_shard *shard = &allocsnap_root.shards[i];
        now.size += __atomic_load_n(&shard->size, __ATOMIC_RELAXED);
        now.count += __atomic_load_n(&shard->count, __ATOMIC_RELAXED);
    }
    return now;
}

/* Every second point goes; those that stay are copied, so that they can be read until they are. */
static struct asnap_table_history_state halved(struct asnap_table_history_state state)
{
    struct asnap_table_history_state next = {
        .count = (state.count + 1) / 2,
        .shift = state.shift + 1,
        .in_second = !state.in_second,
        .begin = state.begin,
    };
    const struct asnap_table_point *from = points_of(&state);
    struct asnap_table_point *to = points_of(&next);
    for (uint32_t i = 0; i < next.count; i++)
        to[i] = from[2 * (size_t)i];
    publish(next);
    return next;
}

/* With the lock. The first point was written by asnap_history_clear. */
static void write_points(uint32_t time)
{
    struct asnap_table_history_state state = asnap_table_history_unpack(HISTORY->state);
    const struct asnap_table_point now = traced_now();
    while ((time - state.begin) >> state.shift >= HISTORY->capacity)
        state = halved(state);
    const uint32_t last = (time - state.begin) >> state.shift;
    struct asnap_table_point *points = points_of(&state);
    for (uint32_t i = state.count; i <= last; i++)
        points[i] = now;
    state.count = last + 1;
    publish(state);
    uint64_t due = state.begin + ((uint64_t)state.count << state.shift);
    __atomic_store_n(&asnap_history_due, due < UINT32_MAX ? (uint32_t)due : UINT32_MAX,
                     __ATOMIC_RELAXED);
}

void asnap_history_put(uint32_t time)
{
    if (!asnap_trylock(&lock))
        return;
    if (time >= asnap_history_due)
        write_points(time);
    asnap_unlock(&lock);
}

/* The first point is zero in either half, as the whole room was made, and as it stays. */
void asnap_history_clear(bool traces)
{
    if (!asnap_history_is_on)
        return;
    asnap_lock(&lock);
    struct asnap_table_history_state state = asnap_table_history_unpack(HISTORY->state);
    state.count = traces;
    state.shift = 0;
    state.begin = asnap_clock_now();
    publish(state);
    __atomic_store_n(&asnap_history_due, traces ? state.begin + 1 : UINT32_MAX, __ATOMIC_RELAXED);
    asnap_unlock(&lock);
}

/* What is there is whole at every moment. Blocks that other threads resized have no record. */
void asnap_history_mend(const uint32_t *only)
{
    if (only == NULL)
        resized = (struct asnap_sample_weight){0};
    if (asnap_lock_is_orphan(&lock, only))
        __atomic_store_n(&lock, 0, __ATOMIC_RELEASE);
}
